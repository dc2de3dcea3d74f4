//! A graph of services from what real exporters send, behind a real OpenTelemetry Collector.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, ensure};
use testkit::differential::Record;
use testkit::otlp_server::{Metric, metric, number_data_point};
use testkit::service_graph::{ServiceGraph, text};

use super::Bench;
use super::exporter::EXPORTERS;
use super::exporters::export;
use super::otelcol::{Forward, Otelcol};
use super::process::wait_until;
use super::receiver::Receiver;

const DRAIN: Duration = Duration::from_secs(30);

/// One way to run each program.
const CHOSEN: [&str; 3] = ["softflowd-v9", "fprobe-v5", "pmacctd-ipfix"];

/// Clients and servers, with how many flows there were between them.
type Edges = BTreeMap<(String, String), usize>;

/// Edges that the `servicegraph` connector would draw, of spans that have gone through the Collector, and calls that its
/// `spanmetrics` connector has counted, are those of the flows that tshark reads: the side with the higher port calls.
///
/// # Errors
///
/// When they are others.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let receiver = Receiver::start()?;
    let forward = Forward::Measured(receiver.address());
    let otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-topology", forward)?;
    let endpoint = format!("http://{}", otelcol.grpc);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("NETFLOW_TRACE_SHAPE", "topology"),
        ("NETFLOW_FILTER", "tcp or udp"),
    ];
    let mut collectors = [bench.collector("topology", &environment)?];
    let chosen = EXPORTERS.iter().filter(|exporter| CHOSEN.contains(&exporter.name));
    let sent = export(bench, &collectors, chosen)?;
    collectors[0].stop(DRAIN)?;
    let records = sent.iter().flat_map(|sent| &sent.capture.records);
    let expected = edges(records.filter(|record| matches!(record.proto, Some(6 | 17))))?;
    let flows: usize = expected.values().sum();
    ensure!(flows > 300, "only {flows} flows");

    let graph = ServiceGraph::new(&receiver.resource_spans());
    ensure!(graph.alone == 0, "{} spans without their other side", graph.alone);
    same(&expected, &graph.edges)?;

    let sums = |side: fn(&(String, String)) -> &String| {
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        expected.iter().for_each(|(edge, flows)| *sums.entry(side(edge).clone()).or_default() += *flows as i64);
        sums
    };
    let expected_calls = [sums(|(client, _)| client), sums(|(_, server)| server)];
    let kinds = ["SPAN_KIND_CLIENT", "SPAN_KIND_SERVER"];
    let measured = wait_until("the Collector has measured all spans", DRAIN, || {
        let metrics = receiver.metrics();
        Ok(Some(kinds.map(|kind| calls(&metrics, kind))).filter(|calls| *calls == expected_calls))
    });
    measured.with_context(|| format!("spanmetrics: {:?}", kinds.map(|kind| calls(&receiver.metrics(), kind))))?;
    let (edges, services) = (expected.len(), expected_calls[0].len() + expected_calls[1].len());
    Ok(vec![format!("{flows} flows of {}: {edges} edges, {services} series of calls agree", CHOSEN.join(", "))])
}

fn edges<'a>(records: impl Iterator<Item = &'a Record>) -> anyhow::Result<Edges> {
    let mut edges = Edges::new();
    for record in records {
        let ends = [(record.sport, record.src), (record.dport, record.dst)];
        let [source, destination] = ends.map(|(port, address)| Some((port.unwrap_or(0), address?.to_string())));
        let (source, destination) = source.zip(destination).context("a record without addresses")?;
        let is_reversed = source.0 > 0 && source.0 < destination.0;
        let (client, server) = if is_reversed { (destination, source) } else { (source, destination) };
        *edges.entry((client.1, server.1)).or_default() += 1;
    }
    Ok(edges)
}

/// Names the first edges that differ.
fn same(expected: &Edges, found: &Edges) -> anyhow::Result<()> {
    let keys = expected.keys().chain(found.keys());
    let differing: Vec<_> = keys.filter(|edge| expected.get(edge) != found.get(edge)).take(5).collect();
    let told = differing.iter().map(|edge| format!("{edge:?}: {:?}, not {:?}", found.get(edge), expected.get(edge)));
    ensure!(differing.is_empty(), "edges differ: {}", told.collect::<Vec<_>>().join("; "));
    Ok(())
}

/// Calls of services as spans of this kind count them; counters only grow, so that the largest value is the last.
fn calls(metrics: &[Metric], kind: &str) -> BTreeMap<String, i64> {
    let mut calls = BTreeMap::new();
    for metric in metrics.iter().filter(|metric| metric.name == "traces.span.metrics.calls") {
        let Some(metric::Data::Sum(sum)) = &metric.data else { continue };
        for point in sum.data_points.iter().filter(|point| text(&point.attributes, "span.kind") == Some(kind)) {
            let (Some(service), Some(number_data_point::Value::AsInt(count))) =
                (text(&point.attributes, "service.name"), point.value)
            else {
                continue;
            };
            let held = calls.entry(service.to_owned()).or_insert(count);
            *held = count.max(*held);
        }
    }
    calls
}
