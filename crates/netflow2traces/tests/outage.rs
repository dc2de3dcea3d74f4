//! A backend that refuses connections for a while. `cargo xtask soak` has the longer ones.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use common::{Collector, netflow2traces, spans};
use testkit::otlp_server::OtlpServer;

const DATAGRAMS: usize = 450;
const FLOWS_PER_DATAGRAM: usize = 10;
/// With `netflow.export`, `netflow.parse_packet` and `netflow.process_flows`.
const SPANS: usize = DATAGRAMS * (FLOWS_PER_DATAGRAM + 3);
/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// 1,000 flows a second for 4.5 seconds, of which the backend is away for 2.5.
async fn outage(protocol: &str) {
    let mut backend = OtlpServer::start_local().await.unwrap();
    let endpoint = if protocol == "grpc" { backend.grpc_endpoint() } else { backend.http_endpoint() };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let output = format!("otlp,file:{}", path.display());
    let mut collector =
        Collector::start(&["--otlp-endpoint", &endpoint, "--otlp-protocol", protocol, "--output", &output]);
    let (port, count) = (collector.address.port().to_string(), DATAGRAMS.to_string());
    let mut sender = netflow2traces(&["send", "--version", "9", "--flows-per-datagram", "10", "--rate", "100"]);
    let mut sender = sender.args(["--port", &port, "--count", &count]).stdout(Stdio::null()).spawn().unwrap();

    backend.wait_for_spans(SPANS / 10, PATIENCE).await;
    backend.stop().await;
    let before = backend.span_count();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(backend.span_count(), before, "nobody listens");
    collector.wait_for("cannot deliver spans, will try again");
    backend.restart().await.unwrap();
    assert!(sender.wait().unwrap().success());
    collector.wait_for("spans are delivered again");
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");

    let mut times: HashMap<u64, usize> = HashMap::new();
    for span in backend.shutdown().await {
        *times.entry(u64::from_be_bytes(span.span_id.try_into().unwrap())).or_default() += 1;
    }
    let written = spans(&path);
    assert_eq!(written.len(), SPANS);
    for span in written {
        let id = u64::from_str_radix(span["spanId"].as_str().unwrap(), 16).unwrap();
        assert_eq!(times.remove(&id), Some(1), "{span}");
    }
    assert!(times.is_empty(), "{} spans arrived that were never written", times.len());
    let totals = log.last().unwrap();
    assert!(totals.contains("spans_dropped=0 spans_remaining=0"), "{totals}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_span_arrives_once_over_grpc() {
    outage("grpc").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_span_arrives_once_over_http() {
    outage("http/protobuf").await;
}
