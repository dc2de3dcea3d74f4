//! Everything that came is found again in `/metrics`: exported, held, or dropped for one reason.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::{TcpListener, UdpSocket};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::scrape::Scrape;
use common::{Collector, netflow2traces};
use flow_traffic::{Generator, TrafficConfig, Version};

/// Version 9: a Template of one byte, with that many records.
fn one_byte_records(records: u16) -> Vec<u8> {
    let mut datagram = vec![0, 9, 0, 2, 0, 0, 0, 1, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7];
    datagram.extend([0, 0, 0, 12, 1, 0, 0, 1, 0, 4, 0, 1]); // Template 256: protocolIdentifier(4)
    datagram.extend([1, 0]);
    datagram.extend((4 + records).to_be_bytes());
    datagram.resize(datagram.len() + usize::from(records), 6);
    datagram
}

/// Sends all sorts of datagrams; returns how many.
fn send(to: &Collector) -> u64 {
    let allowed = UdpSocket::bind("127.0.0.1:0").unwrap();
    let denied = UdpSocket::bind("127.0.0.2:0").unwrap();
    let mut sent = 0;
    let mut send = |from: &UdpSocket, datagram: &[u8]| {
        from.send_to(datagram, to.address).unwrap();
        sent += 1;
        // Within what the smallest receive buffer holds.
        if sent % 20 == 0 {
            thread::sleep(Duration::from_millis(2));
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

/// What the metrics do not account for, if anything.
fn missing(metrics: &Scrape, sent: u64) -> Result<(), String> {
    let equal = |what: &str, left: u64, right: u64| {
        if left == right { Ok(()) } else { Err(format!("{what}: {left} != {right}")) }
    };
    let came = metrics.sum("netflow_collector_datagrams_total") + metrics.sum("netflow_collector_dropped_total");
    equal("datagrams", sent, came)?;
    let decoding = metrics.sum("netflow_decode_duration_seconds_count");
    equal("decoded", metrics.sum("netflow_collector_datagrams_total"), decoding)?;
    for name in ["datagrams", "bytes", "records", "templates", "sequence_gaps"] {
        let [total, each] = ["collector", "exporter"].map(|of| format!("netflow_{of}_{name}_total"));
        equal(&each, metrics.sum(&total), metrics.sum(&each))?;
    }
    let with_span = metrics.sum("netflow_collector_flow_spans_total");
    let records = with_span + metrics.sum("netflow_collector_records_dropped_total");
    equal("records", metrics.sum("netflow_collector_records_total"), records)?;
    let outputs = metrics.values_of("otel_component_name");
    assert_eq!(outputs.len(), 2, "{outputs:?}");
    for output in &outputs {
        let of_output = metrics.only("otel_component_name", output);
        let [processed, exported] =
            ["processor_span_processed", "exporter_span_exported"].map(|name| format!("otel_sdk_{name}_total"));
        let held = ["otel_sdk_processor_span_queue_size", "otel_sdk_exporter_span_inflight"];
        let held: u64 = held.iter().map(|name| of_output.sum(name)).sum();
        let spans = metrics.sum("netflow_collector_spans_total");
        equal(output, spans, of_output.sum(&processed) + held)?;
        equal(output, of_output.without("error_type").sum(&processed), of_output.sum(&exported))?;
    }
    Ok(())
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
    let sent = send(&collector);
    let deadline = Instant::now() + Duration::from_secs(30);
    let metrics = loop {
        let metrics = Scrape::of(&server);
        match missing(&metrics, sent) {
            Ok(()) => break metrics,
            Err(what) => assert!(Instant::now() < deadline, "{what}"),
        }
        thread::sleep(Duration::from_millis(20));
    };
    // It was all sorts indeed.
    let reason = |name: &str, reason: &str| metrics.only("error_type", reason).sum(name);
    assert_eq!(reason("netflow_collector_dropped_total", "denied"), 30);
    assert_eq!(reason("netflow_collector_records_dropped_total", "span_limit"), 20_000 - 4_096);
    assert!(reason("otel_sdk_processor_span_processed_total", "queue_full") > 0);
    assert!(metrics.sum("otel_sdk_processor_span_queue_size") + metrics.sum("otel_sdk_exporter_span_inflight") > 0);
    assert!(
        metrics
            .only("otel_component_name", file.split_once(':').unwrap().1)
            .sum("otel_sdk_exporter_span_exported_total")
            > 0
    );
    assert!(metrics.sum("netflow_collector_issues_total") >= 60);
}
