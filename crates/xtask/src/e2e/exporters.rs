//! Each real exporter against our collector: what arrives behind a real OpenTelemetry Collector is what tshark reads.

use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};

use super::command::Collector;
use super::exporter::{EXPORTERS, Exporter};
use super::otelcol::{Forward, Otelcol};
use super::receiver::Receiver;
use super::tap::{self, Tap};
use super::{Bench, TRAFFIC_SEED, compare, http, pcap, traffic};
use testkit::differential::tshark::{self, Capture};

const DRAIN: Duration = Duration::from_secs(30);

/// What one exporter sent, and the port by which the collectors know it.
pub(super) struct Sent {
    pub exporter: &'static Exporter,
    pub port: u16,
    pub capture: Capture,
}

/// All exporters at once against three collectors: one exports over gRPC, one over HTTP with protobuf, one to a file
/// whose lines are then posted as JSON.
///
/// # Errors
///
/// With the first exporter and path where spans and tshark differ.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let receivers = [Receiver::start()?, Receiver::start()?, Receiver::start()?];
    let forward = Forward::To { grpc: receivers[0].address(), http: receivers[1].address() };
    let otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-exporters", forward)?;
    let (grpc, http) = (format!("http://{}", otelcol.grpc), format!("http://{}", otelcol.http));
    let lines = bench.folder.join("spans.jsonl");
    let _ = std::fs::remove_file(&lines);
    let output = format!("file:{}", lines.display());
    let mut collectors = [
        bench.collector(
            "grpc",
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &grpc),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ],
        )?,
        bench.collector(
            "http",
            &[
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &http),
                ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ],
        )?,
        bench.collector("file", &[("NETFLOW_OUTPUT", &output)])?,
    ];
    let sent = export(bench, &collectors, EXPORTERS.iter())?;
    for collector in &mut collectors {
        collector.stop(DRAIN)?;
    }
    // The Collector reads a line as its otlpjsonfile receiver would: both use the unmarshaller of OTLP JSON.
    let json_forward = Forward::To { grpc: receivers[2].address(), http: receivers[2].address() };
    let json = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-json", json_forward)?;
    for line in std::fs::read_to_string(&lines)?.lines() {
        http::post_json(json.http, "/v1/traces", line).context("a line of file output")?;
    }
    let mut rows = Vec::new();
    for (path, receiver) in ["grpc", "http/protobuf", "file, posted as JSON"].iter().zip(&receivers) {
        let spans = receiver.spans();
        for Sent { exporter, port, capture } in &sent {
            compare::same(&spans, *port, capture).with_context(|| format!("{} over {path}", exporter.name))?;
            let (datagrams, records) = (capture.datagrams, capture.records.len());
            rows.push(format!("{:24} {path:22} {datagrams:4} datagrams {records:5} records agree", exporter.name));
        }
    }
    Ok(rows)
}

/// Runs exporters one after the other.
///
/// # Errors
///
/// When one fails, or has sent next to nothing.
pub(super) fn export(
    bench: &Bench,
    collectors: &[Collector],
    exporters: impl Iterator<Item = &'static Exporter>,
) -> anyhow::Result<Vec<Sent>> {
    let traffic = bench.folder.join("traffic.pcap");
    pcap::write(&traffic, &traffic::frames(SystemTime::now() - 2 * traffic::DURATION, TRAFFIC_SEED)?)?;
    let mut sent = Vec::new();
    for exporter in exporters {
        let tap = Tap::start(collectors.iter().map(|collector| collector.address).collect())?;
        let port = tap.forwarding_port;
        exporter.run(&traffic, &bench.folder, tap.port)?;
        let path = bench.folder.join(format!("{}.pcap", exporter.name));
        tap::write_pcap(&path, &tap.finish()?)?;
        let capture = tshark::read(&path).with_context(|| exporter.name)?;
        ensure!(capture.records.len() > 100, "{} sent only {} records", exporter.name, capture.records.len());
        let version = capture.records[0].version;
        ensure!(version == exporter.version, "{} sent version {version}", exporter.name);
        sent.push(Sent { exporter, port, capture });
    }
    Ok(sent)
}
