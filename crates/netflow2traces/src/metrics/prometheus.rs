//! `/metrics` for Prometheus: the text format, over HTTP/1.1.

use std::convert::Infallible;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::{info, warn};

use super::{Histogram, Kind, Metric, Source};

/// Connections that are served at once; more wait.
const MAX_CONNECTIONS: usize = 16;
/// How long a client may take to send its request. Also closes idle connections.
const REQUEST_TIME: Duration = Duration::from_secs(30);
/// Pause after an error of accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until the runtime ends. A port in use is a warning.
pub(super) fn start(host: String, port: u16, source: Source, resource: &[(String, String)], runtime: &Handle) {
    let target_info = target_info(resource);
    runtime.spawn(async move {
        let listener = match TcpListener::bind((host.as_str(), port)).await {
            Ok(listener) => listener,
            Err(error) => {
                warn!(%host, port, %error, "no metrics for Prometheus; choose another port with --prometheus-port");
                return;
            }
        };
        if let Ok(address) = listener.local_addr() {
            info!(%address, "metrics for Prometheus at /metrics");
        }
        let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        while let Ok(permit) = connections.clone().acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let (source, target_info) = (source.clone(), target_info.clone());
            tokio::spawn(async move {
                serve(stream, &source, &target_info).await;
                drop(permit);
            });
        }
    });
}

async fn serve(stream: TcpStream, source: &Source, target_info: &str) {
    let service =
        service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(answer(&request, source, target_info)));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(REQUEST_TIME);
    // Errors are the client's: it left, or does not speak HTTP.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

fn answer(request: &Request<Incoming>, source: &Source, target_info: &str) -> Response<Full<Bytes>> {
    let (status, text) = match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET | &Method::HEAD) => (StatusCode::OK, text(&source.metrics(), target_info)),
        ("/metrics", _) => (StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, "metrics are at /metrics\n".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
    }
    response
}

/// Names as OpenTelemetry maps them to Prometheus: dots become underscores, counters end in `_total`.
fn text(metrics: &[Metric], target_info: &str) -> String {
    let mut text = target_info.to_owned();
    for metric in metrics {
        let mut name = underscores(metric.name);
        if metric.unit == "By" && !name.ends_with("_bytes") {
            name.push_str("_bytes");
        }
        if metric.unit == "s" {
            name.push_str("_seconds");
        }
        let kind = match metric.kind {
            Kind::Counter => {
                name.push_str("_total");
                "counter"
            }
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", metric.description);
        for point in &metric.points {
            let labels = labels(point.attributes.iter().map(|(key, value)| (*key, value.as_str())));
            let _ = writeln!(text, "{name}{labels} {}", point.value);
        }
        metric.histograms.iter().for_each(|histogram| write_histogram(&mut text, &name, histogram));
    }
    text
}

/// Buckets count what is in those below them too.
fn write_histogram(text: &mut String, name: &str, histogram: &Histogram) {
    let attributes: Vec<_> = histogram.attributes.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut count = 0;
    let bounds = histogram.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
    for (bound, in_bucket) in bounds.zip(&histogram.counts) {
        count += in_bucket;
        let labels = labels(attributes.iter().copied().chain([("le", bound.as_str())]));
        let _ = writeln!(text, "{name}_bucket{labels} {count}");
    }
    let labels = labels(attributes.iter().copied());
    let _ = writeln!(text, "{name}_sum{labels} {}\n{name}_count{labels} {count}", histogram.sum);
}

/// The resource, as a metric of its own.
fn target_info(resource: &[(String, String)]) -> String {
    let labels = labels(resource.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    format!("# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{labels} 1\n")
}

fn labels<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<_> = attributes.map(|(key, value)| format!("{}=\"{}\"", underscores(key), escape(value))).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

fn underscores(name: &str) -> String {
    let valid = |char: char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' };
    name.chars().map(valid).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    #[test]
    fn names_units_and_labels_are_mapped() {
        let metric = |name, unit, kind, points| {
            let (description, histograms) = ("What.", Vec::new());
            Metric { name, unit, kind, description, points, histograms }
        };
        let labelled = Point { attributes: vec![("error.type", "a\"b\\c\n".to_owned())], value: 2 };
        let metrics = [
            metric("netflow.collector.bytes", "By", Kind::Counter, Point::of(1)),
            metric("netflow.collector.pending", "By", Kind::Gauge, Point::of(3)),
            metric("netflow.collector.issues", "{issue}", Kind::Counter, vec![labelled]),
        ];
        assert_eq!(
            text(&metrics, ""),
            "# HELP netflow_collector_bytes_total What.\n\
             # TYPE netflow_collector_bytes_total counter\n\
             netflow_collector_bytes_total 1\n\
             # HELP netflow_collector_pending_bytes What.\n\
             # TYPE netflow_collector_pending_bytes gauge\n\
             netflow_collector_pending_bytes 3\n\
             # HELP netflow_collector_issues_total What.\n\
             # TYPE netflow_collector_issues_total counter\n\
             netflow_collector_issues_total{error_type=\"a\\\"b\\\\c\\n\"} 2\n"
        );
    }

    #[test]
    fn buckets_of_a_histogram_add_up() {
        let attributes = vec![("error.type", "refused".to_owned())];
        let histogram = Histogram { attributes, bounds: &[0.5, 1.0], counts: vec![3, 0, 2], sum: 4.25 };
        let (name, unit, kind, description) = ("operation.duration", "s", Kind::Histogram, "What.");
        let metric = Metric { name, unit, kind, description, points: Vec::new(), histograms: vec![histogram] };
        assert_eq!(
            text(&[metric], ""),
            "# HELP operation_duration_seconds What.\n\
             # TYPE operation_duration_seconds histogram\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"0.5\"} 3\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"1\"} 3\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"+Inf\"} 5\n\
             operation_duration_seconds_sum{error_type=\"refused\"} 4.25\n\
             operation_duration_seconds_count{error_type=\"refused\"} 5\n"
        );
    }

    #[test]
    fn the_resource_is_target_info() {
        let resource = [("service.name".to_owned(), "lab".to_owned())];
        assert!(target_info(&resource).ends_with("target_info{service_name=\"lab\"} 1\n"));
    }
}
