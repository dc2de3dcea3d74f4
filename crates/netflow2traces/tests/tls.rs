//! A backend that wants TLS.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use common::{Collector, capture, netflow2traces, stderr, stdout};
use testkit::otlp_server::{Code, Metric, OtlpServer, Received, Respond, StatusCode, metric, number_data_point};
use testkit::tls::{Authority, server_config};

/// Exit code and standard error of a command that trusts the authorities in `certificate`.
async fn run(arguments: &[&str], protocol: &str, endpoint: &str, certificate: &Path) -> (i32, String, String) {
    let mut command = netflow2traces(arguments);
    command.args(["--otlp-endpoint", endpoint, "--otlp-protocol", protocol]);
    command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate).env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, log) = (stdout(&output).to_owned(), stderr(&output).to_owned());
    assert!(!out.contains("secret") && !log.contains("secret"), "{out}{log}");
    (output.status.code().unwrap(), out, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_go_over_tls_and_check_names_what_does_not_fit() {
    let (authority, other) = (Authority::new(), Authority::new());
    let backend = OtlpServer::start_local_tls(server_config(&authority.server(), None)).await.unwrap();
    let endpoint = backend.grpc_endpoint();
    let listen = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"];
    for (protocol, spans) in [("grpc", 264), ("http/protobuf", 2 * 264)] {
        let (code, _, log) = run(&["replay", &capture("softflowd-v9")], protocol, &endpoint, &authority.file()).await;
        assert_eq!(code, 0, "{log}");
        let flows = backend.spans().iter().filter(|span| span.name == "netflow.flow").count();
        assert_eq!(flows, spans);
        let (code, out, log) = run(&listen, protocol, &endpoint, &authority.file()).await;
        assert!(code == 0 && out.contains("takes spans"), "{out}{log}");
        let (code, _, log) = run(&listen, protocol, &endpoint, &other.file()).await;
        assert!(code == 1 && log.contains("signed by no authority that is trusted here"), "{log}");
    }
    let named = |request: &Received| request.headers["user-agent"].to_str().unwrap().starts_with("netflow2traces/");
    assert!(backend.requests().iter().all(named));
    let missing = authority.file().with_file_name("missing.pem");
    let (code, _, log) = run(&listen, "grpc", &endpoint, &missing).await;
    assert!(code == 1 && log.contains("missing.pem: No such file"), "{log}");
}

/// A backend behind an address or a name that its certificate does not have.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_in_the_certificate_can_be_another() {
    let authority = Authority::new();
    let pair = authority.pair("collector.example", |_| {});
    let backend = OtlpServer::start_local_tls(server_config(&pair, None)).await.unwrap();
    let check = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"];
    for protocol in ["grpc", "http/protobuf"] {
        let run = async |name: &[&str]| {
            run(&[&check, name].concat(), protocol, &backend.grpc_endpoint(), &authority.file()).await
        };
        let (code, out, log) = run(&["--otlp-server-name", "collector.example"]).await;
        assert!(code == 0 && out.contains("otlp_server_name = \"collector.example\" # option"), "{out}{log}");
        for other in [&[][..], &["--otlp-server-name", "other.example"]] {
            let (code, _, log) = run(other).await;
            assert!(code == 1 && log.contains("its certificate is for another name"), "{log}");
        }
        let (code, _, log) = run(&["--otlp-server-name", "no name"]).await;
        assert!(code == 1 && log.contains("invalid server name \"no name\""), "{log}");
    }
}

/// A collector whose metrics go to `endpoint`, with what a backend asks for that wants client certificates.
fn metrics_command(protocol: &str, endpoint: &str, certificate: &Path) -> Command {
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--output", "stdout"]);
    command.args(["--metrics-exporter", "otlp", "--otlp-endpoint", endpoint, "--otlp-protocol", protocol]);
    command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate).env("OTEL_METRIC_EXPORT_INTERVAL", "100");
    command.stdout(Stdio::null());
    command
}

/// Receives datagrams and is told to end once `wait` is over: exit code and log. The last metrics have seconds, in which a busy
/// machine may not get through a handshake.
async fn run_until(mut command: Command, wait: impl FnOnce(&mut Collector) + Send + 'static) -> (i32, Vec<String>) {
    let run = move || {
        let mut collector = Collector::spawn(&mut command);
        collector.receive(10);
        wait(&mut collector);
        collector.signal("TERM");
        collector.end()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Datagrams that a metric tells of, from `Metric`s in the order of their arrival.
fn datagrams(metrics: &[Metric]) -> Option<&number_data_point::Value> {
    let metric = metrics.iter().rfind(|metric| metric.name == "netflow.collector.datagrams")?;
    let Some(metric::Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    assert!(sum.is_monotonic);
    sum.data_points.first()?.value.as_ref()
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_go_over_tls_as_spans_do() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let backend = OtlpServer::start_local_tls(server_config(&authority.server(), Some(&clients))).await.unwrap();
    let backend = Arc::new(backend);
    let client = clients.pair("client", |_| {});
    let certificate = clients.write("client.pem", &client.certificate.pem());
    let key = clients.write("client.key", &client.key.serialize_pem());
    let token = clients.write("token", "x-token=from-a-file\n");
    for (protocol, compression) in [
        ("grpc", "none"),
        ("grpc", "gzip"),
        ("grpc", "zstd"),
        ("http/protobuf", "none"),
        ("http/protobuf", "gzip"),
        ("http/protobuf", "zstd"),
        ("http/json", "zstd"),
    ] {
        let before = (backend.metrics().len(), backend.requests().len());
        let mut command = metrics_command(protocol, &backend.grpc_endpoint(), &authority.file());
        command.env("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate);
        command.env("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key).env("OTEL_EXPORTER_OTLP_HEADERS_FILE", &token);
        command.args(["--otlp-compression", compression]);
        let receiver = backend.clone();
        let all_have_come = move |_: &mut Collector| {
            let deadline = Instant::now() + Duration::from_secs(60);
            while datagrams(&receiver.metrics()[before.0..]) != Some(&number_data_point::Value::AsInt(10)) {
                assert!(Instant::now() < deadline, "{protocol} {compression}");
                thread::sleep(Duration::from_millis(20));
            }
        };
        let (code, log) = run_until(command, all_have_come).await;
        assert_eq!(code, 0, "{log:?}");
        let metrics = backend.metrics().split_off(before.0);
        let durations = metrics.iter().rfind(|metric| metric.name == "otel.sdk.exporter.operation.duration").unwrap();
        let Some(metric::Data::Histogram(histogram)) = &durations.data else { panic!("{durations:?}") };
        let point = &histogram.data_points[0];
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert!(durations.unit == "s" && point.start_time_unix_nano < point.time_unix_nano);
        let requests = backend.requests().split_off(before.1);
        assert!(requests.iter().all(|request| request.path.to_lowercase().contains("metrics")), "{requests:?}");
        let headers = &requests[0].headers;
        assert_eq!(headers["x-token"], "from-a-file");
        assert!(headers["user-agent"].to_str().unwrap().starts_with("netflow2traces/"));
        let encoding = headers.get(if protocol == "grpc" { "grpc-encoding" } else { "content-encoding" });
        assert_eq!(encoding.map_or("none", |encoding| encoding.to_str().unwrap()), compression, "{protocol}");
    }
}

/// A receiver that cannot be trusted, and one that takes no plain text: both are said, and nothing is sent.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_never_go_without_tls() {
    let (authority, other) = (Authority::new(), Authority::new());
    let backend = OtlpServer::start_local_tls(server_config(&authority.server(), None)).await.unwrap();
    let plain = OtlpServer::start_local().await.unwrap();
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let untrusted = metrics_command(protocol, &backend.grpc_endpoint(), &other.file());
        let without = plain.grpc_endpoint().replace("http://", "https://");
        let without = metrics_command(protocol, &without, &authority.file());
        for (command, why) in [(untrusted, "signed by no authority that is trusted"), (without, "does not speak TLS")] {
            let told = |collector: &mut Collector| drop(collector.wait_for("cannot deliver metrics"));
            let (code, log) = run_until(command, told).await;
            let said = log.iter().any(|line| line.contains("cannot deliver metrics") && line.contains(why));
            assert!(code == 0 && said, "{protocol}: {log:?}");
        }
    }
    assert_eq!((backend.requests().len(), plain.requests().len()), (0, 0));
}

/// `check` tries the receiver of metrics, which may be another than that of spans.
#[tokio::test(flavor = "multi_thread")]
async fn check_tries_the_receiver_of_metrics() {
    let authority = Authority::new();
    let backend = OtlpServer::start_local_tls(server_config(&authority.server(), None)).await.unwrap();
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let check = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "otlp"];
        let endpoint = backend.grpc_endpoint();
        let (code, out, log) = run(&check, protocol, &endpoint, &authority.file()).await;
        assert!(code == 0 && out.contains("takes spans") && out.contains("takes metrics"), "{out}{log}");
        backend.respond_with(Respond::Refuse(Code::PermissionDenied, StatusCode::FORBIDDEN));
        let (code, _, log) =
            run(&[&check[..], &["--output", "stdout"]].concat(), protocol, &endpoint, &authority.file()).await;
        assert!(code == 1 && log.contains("does not take metrics"), "{log}");
        backend.respond_with(Respond::Accept);
    }
}
