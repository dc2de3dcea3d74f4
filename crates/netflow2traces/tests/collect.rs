//! The collector from its first line of log to its exit code.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use common::scrape::get;
use common::{Collector, named, netflow2traces, run, spans, stderr};

/// Stop reading, drain, flush, exit 0: the last datagram is in the output.
#[test]
fn a_signal_loses_nothing() {
    for signal in ["TERM", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spans.jsonl");
        let collector = Collector::start(&["--output", &format!("file:{}", path.display())]);
        collector.receive(7);
        collector.signal(signal);
        let (code, log) = collector.end();
        assert_eq!(code, 0, "{log:?}");
        let totals = log.last().unwrap();
        for total in ["datagrams=7", "records=210", "spans_exported=231", "spans_dropped=0", "spans_remaining=0"] {
            assert!(totals.contains(total), "{totals}");
        }
        let spans = spans(&path);
        assert_eq!(named(&spans, "netflow.flow").len(), 210);
        assert_eq!(named(&spans, "netflow.export").len(), 7);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    // Connections open, answers never come: there is something to wait for.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut collector = Collector::start(&["--otlp-endpoint", &endpoint, "--otlp-protocol", "http/protobuf"]);
    collector.receive(1);
    collector.signal("TERM");
    collector.wait_for("stopping");
    let second = Instant::now();
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 1, "{log:?}");
    assert!(second.elapsed() < Duration::from_secs(4), "{log:?}");
    assert!(log.last().unwrap().contains("second signal"), "{log:?}");
}

#[test]
fn a_missing_backend_is_a_warning() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut collector = Collector::start(&["--otlp-endpoint", &format!("http://{closed}")]);
    let warning = collector.wait_for("the backend does not take spans yet");
    assert!(warning.contains("WARN") && warning.contains(&closed.to_string()), "{warning}");
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
}

#[test]
fn without_configuration_spans_go_to_standard_output() {
    let mut command =
        netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::piped()));
    let mut output = collector.stdout();
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).unwrap();
        text
    });
    collector.receive(1);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0);
    assert!(log.iter().any(|line| line.contains("OTEL_EXPORTER_OTLP_ENDPOINT")), "{log:?}");
    let text = reader.join().unwrap();
    assert_eq!(text.matches("\"netflow.flow\"").count(), 30);
}

#[test]
fn a_closed_standard_output_ends_it() {
    let mut command =
        netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::piped()));
    drop(collector.stdout());
    collector.receive(1);
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
}

#[test]
fn exporters_that_are_not_allowed_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let collector = Collector::start(&["--allow", "192.0.2.0/24", "--output", &format!("file:{}", path.display())]);
    collector.receive(3);
    collector.signal("TERM");
    let (_, log) = collector.end();
    let totals = log.last().unwrap();
    assert!(totals.contains("datagrams=0 denied=3"), "{totals}");
    assert!(spans(&path).is_empty());
}

#[test]
fn prometheus_reads_what_was_counted() {
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-port", "0"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::null()));
    let address = collector.metrics_address();
    collector.receive(2);
    let expected = [
        "netflow_collector_datagrams_total 2\n",
        "netflow_collector_records_total 60\n",
        "netflow_collector_flow_spans_total 60\n",
        "netflow_collector_options_records_total 0\n",
        "netflow_collector_records_dropped_total{error_type=\"span_limit\"} 0\n",
        "netflow_decode_duration_seconds_count 2\n",
        "netflow_collector_skipped_bytes_total{error_type=\"set_overrun\"} 0\n",
        "netflow_collector_dropped_total{error_type=\"denied\"} 0\n",
        "netflow_collector_issues_total{error_type=\"template_unknown\"} 0\n",
        "otel_sdk_exporter_span_exported_total{otel_component_name=\"stdout\"} 66\n",
        "service_name=\"netflow-to-traces\"",
    ];
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let answer = get(&address, "/metrics");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        if expected.iter().all(|line| answer.contains(line)) {
            break;
        }
        assert!(Instant::now() < deadline, "{answer}");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(get(&address, "/").starts_with("HTTP/1.1 404 "));
}

/// Alive while it delivers what it holds; not ready, because it receives no more.
#[test]
fn whoever_watches_it_is_told_how_it_is() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-port", "0"]);
    command.args(["--otlp-endpoint", &endpoint, "--otlp-protocol", "http/protobuf"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::null()));
    let address = collector.metrics_address();
    let port = address.rsplit_once(':').unwrap().1;
    let healthy = ["healthy", "--prometheus-host", "localhost", "--prometheus-port", port];
    for path in ["/healthz", "/readyz"] {
        assert!(get(&address, path).starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert_eq!(stderr(&run(&healthy)), "");
    collector.receive(1);
    collector.signal("TERM");
    collector.wait_for("stopping");
    let deadline = Instant::now() + Duration::from_secs(60);
    while !get(&address, "/readyz").starts_with("HTTP/1.1 503 ") {
        assert!(Instant::now() < deadline);
    }
    assert!(run(&healthy).status.success());
    collector.signal("TERM");
    collector.end();
    let gone = run(&healthy);
    assert_eq!(gone.status.code(), Some(1));
    assert!(stderr(&gone).starts_with(&format!("error: cannot read http://localhost:{port}/healthz: ")));
    let nothing = run(&["healthy", "--metrics-exporter", "otlp"]);
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn a_metrics_port_in_use_is_a_warning() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let arguments = ["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-host", "127.0.0.1"];
    let mut command = netflow2traces(&arguments);
    let mut collector = Collector::spawn(command.args(["--prometheus-port", &port]).stdout(Stdio::null()));
    let warning = collector.wait_for("no metrics for Prometheus");
    assert!(warning.contains("WARN"), "{warning}");
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
}

/// Reads one request with a length, answers it, and returns head and body.
fn take_request(listener: &TcpListener) -> (String, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    head.make_ascii_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.split_once("\r\n").unwrap().0;
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.into_inner().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}").unwrap();
    (head, String::from_utf8(body).unwrap())
}

#[test]
fn metrics_go_over_otlp_too() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0"]);
    command.args(["--output", &format!("file:{}", folder.path().join("spans.jsonl").display())]);
    command.args(["--metrics-exporter", "otlp", "--otlp-protocol", "http/json", "--otlp-headers", "x-tenant=lab"]);
    command.args(["--otlp-endpoint", &format!("http://{}", backend.local_addr().unwrap())]);
    let collector = Collector::spawn(command.env("OTEL_METRIC_EXPORT_INTERVAL", "100").stdout(Stdio::null()));
    collector.receive(2);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let (head, body) = take_request(&backend);
        assert!(head.starts_with("post /v1/metrics http/1.1\r\n") && head.contains("x-tenant: lab"), "{head}");
        let request: serde_json::Value = serde_json::from_str(&body).unwrap();
        let scope = &request["resourceMetrics"][0]["scopeMetrics"][0];
        let metrics = scope["metrics"].as_array().unwrap();
        let records = metrics.iter().find(|metric| metric["name"] == "netflow.collector.records").unwrap();
        assert_eq!((&scope["scope"]["name"], &records["unit"]), (&"netflow2traces".into(), &"{record}".into()));
        let point = &records["sum"]["dataPoints"][0];
        if point["asInt"] == "60" || point["asInt"] == 60 {
            break;
        }
        assert!(Instant::now() < deadline, "{body}");
    }
    drop(backend);
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
}

/// IPFIX over TCP beside UDP: both become spans, and what stands at the end says so.
#[test]
fn connections_are_received_beside_datagrams() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("file:{}", folder.path().join("spans.jsonl").display());
    let mut command = netflow2traces(&["--listen", "udp://127.0.0.1:0,tcp://127.0.0.1:0", "--workers", "1"]);
    command.args(["--output", &output, "--metrics-exporter", "none"]);
    let mut collector = Collector::spawn(command.stdout(Stdio::null()));
    let line = collector.wait_for("listening for IPFIX over TCP");
    let address = line.split_once("address=").unwrap().1.trim().to_owned();
    // A Template of one element, protocolIdentifier, and two records of it.
    let message = hex_literal::hex!(
        "000a 0022 6553f100 00000000 00000007" // Message Header
        "0002 000c 0100 0001 0004 0001"        // Template 256
        "0100 0006 06 11"                      // its records
    );
    let mut exporter = TcpStream::connect(&address).unwrap();
    exporter.write_all(&message).unwrap();
    collector.receive(1);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
    let totals = log.last().unwrap();
    assert!(totals.contains("datagrams=2 ") && totals.contains("records=32 "), "{totals}");
}
