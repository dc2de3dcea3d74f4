//! Everything that came is found again in `/metrics`: exported, held, or dropped for one reason.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;

use common::account::account;
use common::scrape::{Scrape, wait_until};
use common::{Collector, named, netflow2traces, spans};
use flow_traffic::{Generator, TrafficConfig, Version};

const DROPPED: &str = "netflow_collector_dropped_total";
const RECORDS_DROPPED: &str = "netflow_collector_records_dropped_total";

/// Version 9: a Template of one byte, with that many records.
fn one_byte_records(records: u16) -> Vec<u8> {
    let mut datagram = vec![0, 9, 0, 2, 0, 0, 0, 1, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    datagram.extend([0, 0, 0, 12, 1, 0, 0, 1, 0, 4, 0, 1]); // Template 256: protocolIdentifier(4)
    datagram.extend([1, 0]);
    datagram.extend((4 + records).to_be_bytes());
    datagram.resize(datagram.len() + usize::from(records), 6);
    datagram
}

fn wait_until_read(server: &str, sent: u64) {
    wait_until(server, |metrics| metrics.sum("netflow_collector_datagrams_total") + metrics.sum(DROPPED) >= sent);
}

/// Sends all sorts of datagrams, no faster than they are read; returns how many.
fn send(to: &Collector, server: &str) -> u64 {
    let allowed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let denied = UdpSocket::bind("127.0.0.2:0").unwrap();
    let mut sent = 0;
    let mut send = |from: &UdpSocket, datagram: &[u8]| {
        from.send_to(datagram, to.address).unwrap();
        sent += 1;
        // Within what the smallest receive buffer holds.
        if sent % 20 == 0 {
            wait_until_read(server, sent);
        }
    };
    for version in [Version::V5, Version::V9, Version::Ipfix] {
        let mut generator = Generator::new(TrafficConfig::new(version)).unwrap();
        for number in 0..100 {
            let datagram = generator.next_datagram().bytes;
            match number % 10 {
                // A length that is too short for its Set, or no version.
                3 => send(&allowed, &datagram[..datagram.len() - 7]),
                5 => send(&allowed, &datagram[1..]),
                7 => send(&denied, datagram),
                _ => send(&allowed, datagram),
            }
        }
    }
    send(&allowed, &one_byte_records(20_000));
    send(&allowed, &[]);
    sent
}

#[test]
fn everything_has_one_fate() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = format!("otlp,file:{}", folder.path().join("spans.jsonl").display());
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-port", "0"]);
    command.args(["--allow", "127.0.0.1", "--output", &file, "--queue-memory", "256KiB"]);
    command.args(["--otlp-endpoint", &format!("http://{nobody}")]);
    let mut collector = Collector::spawn(command.stdout(Stdio::null()));
    let server = collector.metrics_address();
    let sent = send(&collector, &server);
    let metrics = account(&server, sent);
    // It was all sorts indeed.
    assert_eq!(metrics.reason(DROPPED, "denied"), 30);
    assert_eq!(metrics.reason(RECORDS_DROPPED, "span_limit"), 20_000 - 4_096);
    assert!(metrics.reason("otel_sdk_processor_span_processed_total", "queue_full") > 0);
    assert!(metrics.sum("otel_sdk_processor_span_queue_size") + metrics.sum("otel_sdk_exporter_span_inflight") > 0);
    assert!(
        metrics
            .only("otel_component_name", file.split_once(':').unwrap().1)
            .sum("otel_sdk_exporter_span_exported_total")
            > 0
    );
    assert!(metrics.sum("netflow_collector_issues_total") >= 60);
}

/// Sends all sorts of datagrams to a collector with one worker, in which they are in order, and ends it: its metrics before
/// that. Its file has every span that they tell of.
fn account_with(options: &[&str], config: &str) -> Scrape {
    let folder = tempfile::tempdir().unwrap();
    let [path, file] = ["spans.jsonl", "config.toml"].map(|name| folder.path().join(name));
    fs::write(&file, config).unwrap();
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", "0", "--prometheus-port", "0"]);
    command.args(["--workers", "1", "--output", &format!("file:{}", path.display()), "--config"]).arg(file);
    let mut collector = Collector::spawn(command.args(options).stdout(Stdio::null()));
    let server = collector.metrics_address();
    let sent = send(&collector, &server);
    let metrics = account(&server, sent);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
    let spans = if Path::new(&path).exists() { spans(&path) } else { Vec::new() };
    let count = |name| metrics.sum(name) as usize;
    assert_eq!(spans.len(), count("netflow_collector_spans_total"), "{options:?}");
    assert_eq!(named(&spans, "netflow.flow").len(), count("netflow_collector_flow_spans_total"), "{options:?}");
    metrics
}

/// What is left out before there are spans has its reason, and no other.
fn what_is_left_out_has_one_reason(shape: &str) {
    for (options, config, name, reasons) in [
        (&["--filter", "proto tcp"][..], "", RECORDS_DROPPED, &["filtered"][..]),
        (&["--sample", "10%"], "", RECORDS_DROPPED, &["sampled_out"]),
        (&["--sample", "size:1MB"], "", RECORDS_DROPPED, &["sampled_out"]),
        (&["--sample", "max:100/s"], "", RECORDS_DROPPED, &["sampled_out"]),
        (&["--exporter-max-records", "500"], "", RECORDS_DROPPED, &["rate_limit"]),
        (&["--exporter-max-datagrams", "5"], "", DROPPED, &["rate_limit"]),
        (&["--deny", "127.0.0.2"], "", DROPPED, &["denied"]),
        (&["--max-exporters", "1"], "", DROPPED, &["exporter_limit"]),
        (
            &["--filter", "drop proto udp", "--sample", "50%,max:200/s", "--exporter-max-records", "9000"],
            "[[exporter]]\nnetwork = \"127.0.0.2\"\nmax_datagrams = 3\nsample = \"1%\"\n",
            RECORDS_DROPPED,
            &["filtered", "rate_limit", "sampled_out"],
        ),
    ] {
        let metrics = account_with(&[options, &["--trace-shape", shape]].concat(), config);
        for reason in reasons {
            assert!(metrics.reason(name, reason) > 0, "{options:?}: nothing is {reason}");
        }
        let others = [
            (DROPPED, &["denied", "exporter_limit", "rate_limit", "stopped"][..]),
            (RECORDS_DROPPED, &["filtered", "rate_limit", "sampled_out"]),
        ];
        for (of, all) in others {
            let unexpected = all.iter().filter(|reason| of != name || !reasons.contains(reason));
            for reason in unexpected.filter(|_| config.is_empty()) {
                assert_eq!(metrics.reason(of, reason), 0, "{options:?}: {of} {reason}");
            }
        }
    }
}

#[test]
fn what_is_left_out_of_packets_has_one_reason() {
    what_is_left_out_has_one_reason("packet");
}

#[test]
fn what_is_left_out_of_conversations_has_one_reason() {
    what_is_left_out_has_one_reason("conversation");
}

#[test]
fn what_is_left_out_as_single_flows_has_one_reason() {
    what_is_left_out_has_one_reason("flow");
}
