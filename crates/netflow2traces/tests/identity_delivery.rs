//! The same as `identity`, for ways in and out: connections, a spool, a backend that refuses, an end under load.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::account::{account, missing, missing_of_received};
use common::scrape::{Scrape, wait_until};
use common::{Collector, netflow2traces};
use flow_traffic::{Generator, TrafficConfig, Version};
use testkit::otlp_server::{Code, OtlpServer, Respond, StatusCode};
use testkit::tls::Authority;

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// A collector at 127.0.0.1 whose metrics can be read.
fn command(arguments: &[&str]) -> Command {
    let mut command = netflow2traces(&["--listen", "udp://127.0.0.1:0", "--prometheus-port", "0"]);
    command.args(arguments).stdout(Stdio::null());
    command
}

/// Sends generated datagrams, slowly enough for the smallest receive buffer.
fn send(to: SocketAddr, datagrams: u64) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V9)).unwrap();
    for number in 0..datagrams {
        socket.send_to(generator.next_datagram().bytes, to).unwrap();
        if number % 20 == 19 {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// IPFIX Messages over TCP and TLS, some cut by the end of their connection, beside datagrams.
#[test]
fn messages_over_connections_have_one_fate() {
    let authority = Authority::new();
    let pair = authority.server();
    let certificate = authority.write("server.pem", &pair.certificate.pem());
    let key = authority.write("server.key", &pair.key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&["--listen", "tcp://127.0.0.1:0", "--listen", "tls://127.0.0.1:0"]);
    command.args(["--exporter-max-records", "100", "--filter", "proto tcp"]);
    command.arg("--tls-certificate").arg(certificate).arg("--tls-key").arg(key);
    let mut collector =
        Collector::spawn(command.arg("--output").arg(format!("file:{}/spans.jsonl", folder.path().display())));
    let server = collector.metrics_address();
    send(collector.address, 50);
    let mut generator = Generator::new(TrafficConfig::new(Version::Ipfix)).unwrap();
    let messages: Vec<_> = (0..100).map(|_| generator.next_datagram().bytes.to_vec()).collect();
    // The last one is cut.
    let stream = messages.concat();
    let stream = &stream[..stream.len() - 5];
    let mut tcp = TcpStream::connect(collector.stream_address("TCP")).unwrap();
    tcp.write_all(stream).unwrap();
    let mut tls = authority.connect(TcpStream::connect(collector.stream_address("TLS")).unwrap());
    tls.write_all(stream).unwrap();
    tls.conn.send_close_notify();
    tls.flush().unwrap();
    drop((tcp, tls));
    wait_until(&server, |metrics| metrics.reason("netflow_collector_connections_ended_total", "closed") == 2);
    let metrics = account(&server, 50 + 2 * 99);
    assert_eq!(metrics.sum("netflow_collector_connections_cut_messages_total"), 2);
    for reason in ["filtered", "rate_limit"] {
        assert!(metrics.reason("netflow_collector_records_dropped_total", reason) > 0, "{reason}");
    }
}

/// A backend is away, spans go to the spool, and it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn spans_in_a_spool_have_one_fate() {
    let mut backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.grpc_endpoint();
    let folder = tempfile::tempdir().unwrap();
    let mut command = command(&["--otlp-endpoint", &endpoint, "--queue-memory", "8MiB"]);
    let mut collector = Collector::spawn(command.arg("--spool-dir").arg(folder.path()));
    let server = collector.metrics_address();
    send(collector.address, 20);
    backend.wait_for_spans(1, PATIENCE).await;
    backend.stop().await;
    send(collector.address, 6_000);
    // On a busy machine the kernel may drop so many datagrams that memory holds the rest; a copy is written all the same.
    wait_until(&server, |metrics| {
        missing(metrics, 6_020).is_ok() && metrics.sum("netflow_collector_spool_written_total") > 0
    });
    // What waits there is found by the next run.
    collector.signal("TERM");
    collector.signal("TERM");
    collector.end();
    let mut collector = Collector::spawn(&mut command);
    let server = collector.metrics_address();
    wait_until(&server, |metrics| metrics.sum("netflow_collector_spool_recovered_total") > 0);
    send(collector.address, 30);
    backend.restart().await.unwrap();
    wait_until(&server, |metrics| {
        missing(metrics, 30).is_ok()
            && metrics.without("error_type").sum("otel_sdk_exporter_span_exported_total")
                == metrics.sum("netflow_collector_spans_total") + metrics.sum("netflow_collector_spool_recovered_total")
    });
}

/// Of some requests a part is rejected, others are refused, the last are taken.
#[tokio::test(flavor = "multi_thread")]
async fn spans_that_a_backend_does_not_take_have_one_fate() {
    for protocol in ["grpc", "http/protobuf"] {
        let backend = OtlpServer::start_local().await.unwrap();
        let endpoint = backend.grpc_endpoint();
        let mut collector =
            Collector::spawn(&mut command(&["--otlp-endpoint", &endpoint, "--otlp-protocol", protocol]));
        let server = collector.metrics_address();
        let mut sent = 0;
        for respond in [
            Respond::PartialSuccess(7, "too old"),
            Respond::Refuse(Code::InvalidArgument, StatusCode::BAD_REQUEST),
            Respond::Accept,
        ] {
            backend.respond_with(respond);
            send(collector.address, 50);
            sent += 50;
            wait_until(&server, |metrics| {
                let held = ["otel_sdk_processor_span_queue_size", "otel_sdk_exporter_span_inflight"];
                missing(metrics, sent).is_ok() && held.iter().all(|name| metrics.sum(name) == 0)
            });
        }
        let metrics = account(&server, sent);
        let exported = "otel_sdk_exporter_span_exported_total";
        assert!(metrics.reason(exported, "rejected") >= 7 && metrics.reason(exported, "refused") > 0);
        let taken = backend.span_count() as u64 - metrics.reason(exported, "rejected");
        assert_eq!(metrics.without("error_type").sum(exported), taken, "{protocol}");
    }
}

/// Sends until it is refused; says how many datagrams went out, the refused one included.
fn send_until_refused(from: &str, to: SocketAddr) -> u64 {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(to).unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    for sent in 0.. {
        if socket.send(generator.next_datagram().bytes).is_err() {
            return sent;
        }
        // Six of these are all the load there has to be: more, and a busy machine cannot deliver it in the time for the end.
        thread::sleep(Duration::from_millis(5));
    }
    unreachable!("it is stopped")
}

/// SIGTERM while exporters send: the last metrics and the backend agree on what was read. Sequence numbers prove nothing here, as
/// loopback puts datagrams out of order where a sender changes processors.
#[tokio::test(flavor = "multi_thread")]
async fn the_end_under_load_adds_up() {
    const EXPORTERS: u64 = 6;
    let backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.grpc_endpoint();
    let mut command = command(&["--otlp-endpoint", &endpoint, "--metrics-exporter", "prometheus,otlp"]);
    let mut collector = Collector::spawn(command.args(["--workers", "2", "--sample", "50%"]));
    let (server, to) = (collector.metrics_address(), collector.address);
    let sends: Vec<_> = (1..=EXPORTERS)
        .map(|number| thread::spawn(move || send_until_refused(&format!("127.0.0.{number}"), to)))
        .collect();
    wait_until(&server, |metrics| metrics.sum("netflow_collector_datagrams_total") > 500);
    let before = Scrape::of(&server).sum("netflow_collector_datagrams_total");
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
    let sent: u64 = sends.into_iter().map(|send| send.join().unwrap()).sum();

    let metrics = Scrape::of_otlp(&backend.metrics());
    let datagrams = metrics.sum("netflow_collector_datagrams_total");
    // On a busy machine there may be more than it can read; nothing is dropped for another reason.
    let dropped = metrics.sum("netflow_collector_dropped_total");
    let unread = ["kernel", "stopped"].map(|reason| metrics.reason("netflow_collector_dropped_total", reason));
    assert_eq!(dropped, unread.iter().sum::<u64>());
    let most = sent - EXPORTERS - dropped;
    assert!((before..=most).contains(&datagrams), "{before} {datagrams} {dropped} {sent}");
    missing_of_received(&metrics).unwrap();
    let spans = backend.spans();
    assert_eq!(spans.len() as u64, metrics.sum("netflow_collector_spans_total"));
    let flows = spans.iter().filter(|span| span.name == "netflow.flow").count() as u64;
    assert_eq!(flows, metrics.sum("netflow_collector_flow_spans_total"));
    assert!(metrics.reason("netflow_collector_records_dropped_total", "sampled_out") > 0);
}

/// As many as may have metrics of their own, and one more: what a metrics library does with so many points is not to be seen.
#[tokio::test(flavor = "multi_thread")]
async fn metrics_of_many_exporters_are_the_same_over_otlp() {
    const OWN: usize = 2_100;
    let backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.grpc_endpoint();
    let mut command = command(&["--otlp-endpoint", &endpoint, "--metrics-exporter", "prometheus,otlp"]);
    let mut collector = Collector::spawn(command.args(["--metrics-exporters", &OWN.to_string()]));
    let (server, to) = (collector.metrics_address(), collector.address);
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    for number in 0..=OWN {
        let from = Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 1).to_bits() + number as u32);
        UdpSocket::bind((from, 0)).unwrap().send_to(generator.next_datagram().bytes, to).unwrap();
        if number % 20 == 19 {
            thread::sleep(Duration::from_millis(2));
        }
    }
    wait_until(&server, |metrics| metrics.sum("netflow_exporter_datagrams_total") == OWN as u64 + 1);
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
    let metrics = Scrape::of_otlp(&backend.metrics());
    assert_eq!(metrics.sum("netflow_exporter_datagrams_total"), OWN as u64 + 1);
    let exporters = metrics.values_of("netflow_exporter_address");
    assert_eq!((exporters.len(), exporters.contains("other")), (OWN + 1, true));
}
