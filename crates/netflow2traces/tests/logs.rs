//! The log over OTLP.

#![allow(clippy::unwrap_used)]

mod common;

use std::process::Stdio;

use common::{Collector, netflow2traces, run};
use testkit::otlp_server::{LogRecord, OtlpServer, Value};

fn text(record: &LogRecord) -> &str {
    match record.body.as_ref().and_then(|body| body.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// From the first line to the last.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_goes_where_it_is_told_to() {
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let backend = OtlpServer::start_local().await.unwrap();
        let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0"]);
        command.args(["--logs-exporter", "otlp", "--metrics-exporter", "none", "--output", "stdout"]);
        command.args(["--otlp-protocol", protocol, "--otlp-headers", "x-tenant=lab", "--service-name", "lab"]);
        command.args(["--otlp-endpoint", &backend.grpc_endpoint()]).stdout(Stdio::null());
        let log = tokio::task::spawn_blocking(move || {
            let collector = Collector::spawn(&mut command);
            collector.receive(3);
            collector.signal("TERM");
            collector.end()
        });
        let (code, log) = log.await.unwrap();
        assert_eq!(code, 0, "{log:?}");

        let logs = backend.resource_logs();
        let resource = logs[0].resource.as_ref().unwrap();
        assert!(resource.attributes.iter().any(|of| of.key == "service.name"), "{resource:?}");
        let scopes = logs
            .iter()
            .flat_map(|of| &of.scope_logs)
            .filter(|scope| scope.scope.as_ref().is_some_and(|scope| scope.name == "netflow2traces::collect"));
        let records: Vec<_> = scopes.flat_map(|scope| &scope.log_records).collect();
        assert!(text(records[0]).starts_with("listening for NetFlow"), "{protocol}: {records:?}");
        let stopped = records.last().unwrap();
        assert_eq!((text(stopped), &*stopped.severity_text), ("stopped", "INFO"));
        let datagrams = stopped.attributes.iter().find(|of| of.key == "datagrams").unwrap();
        assert_eq!(datagrams.value.as_ref().unwrap().value, Some(Value::IntValue(3)));
        let requests = backend.requests();
        assert!(requests.iter().all(|of| of.path.to_lowercase().contains("logs")), "{requests:?}");
        assert_eq!(requests[0].headers["x-tenant"], "lab");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_as_the_environment_has_them() {
    let backend = OtlpServer::start_local().await.unwrap();
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--output", "stdout"]);
    command.args(["--logs-exporter", "otlp", "--otlp-endpoint", &backend.grpc_endpoint()]).stdout(Stdio::null());
    command.env("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "1").env("OTEL_BLRP_SCHEDULE_DELAY", "1s");
    let log = tokio::task::spawn_blocking(move || {
        let mut collector = Collector::spawn(&mut command);
        let line = collector.wait_for("OTEL_BLRP_SCHEDULE_DELAY");
        assert!(line.contains("the default is used"), "{line}");
        collector.signal("TERM");
        collector.end()
    });
    assert_eq!(log.await.unwrap().0, 0);
    let requests = backend.resource_logs();
    let lines = requests.iter().map(|of| of.scope_logs.iter().map(|scope| scope.log_records.len()).sum());
    let lines: Vec<usize> = lines.collect();
    assert!(lines.len() > 2 && lines.iter().all(|lines| *lines == 1), "{lines:?}");
}

/// A receiver that is away costs a line on standard error and no time.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_receiver_is_a_warning() {
    let mut backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.grpc_endpoint();
    backend.stop().await;
    let ended = tokio::task::spawn_blocking(move || {
        let mut collector =
            Collector::start(&["--output", "stdout", "--logs-exporter", "otlp", "--otlp-endpoint", &endpoint]);
        collector.wait_for("cannot deliver the log over OTLP");
        collector.signal("TERM");
        collector.end()
    });
    let (code, log) = ended.await.unwrap();
    assert_eq!(code, 0, "{log:?}");
    assert_eq!(log.iter().filter(|line| line.contains("the log")).count(), 1, "{log:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_tries_the_receiver_of_logs() {
    let backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.http_endpoint();
    let check = tokio::task::spawn_blocking(move || {
        let arguments = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--output", "stdout"];
        let more = [
            "--prometheus-port",
            "0",
            "--logs-exporter",
            "otlp",
            "--otlp-protocol",
            "http/json",
            "--otlp-endpoint",
            &endpoint,
        ];
        run(&[&arguments[..], &more].concat())
    });
    let output = check.await.unwrap();
    assert!(common::stdout(&output).trim_end().ends_with("(http/json) takes logs"), "{output:?}");
    assert!(output.status.success());
}
