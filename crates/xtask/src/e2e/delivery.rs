//! Many flows, and a backend that dies: nothing is lost on the way to a real OpenTelemetry Collector.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::otelcol::{Forward, Otelcol};
use super::process::wait_until;
use super::receiver::Receiver;
use super::{Bench, SPANS_BESIDE_FLOWS};

/// 1,000,000 flows at 100,000 a second; SIGTERM while many of the last are on their way loses none.
///
/// # Errors
///
/// When the Collector did not get every span.
pub(super) fn million_flows(bench: &Bench) -> anyhow::Result<Vec<String>> {
    const DATAGRAMS: u64 = 40_000;
    const FLOWS_PER_DATAGRAM: u64 = 25;
    const DATAGRAMS_PER_SECOND: u64 = 4_000;
    /// Spans that the Collector takes in good time after SIGTERM, even if it gets little of the processor.
    const MOST_AT_THE_END: u64 = 250_000;
    let otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-million", Forward::Nowhere)?;
    let endpoint = format!("http://{}", otelcol.grpc);
    // The sender, our collector and the Collector share this machine, and any of them may get too little of the processor:
    // ten seconds of what was sent must fit into the socket, and what is made of it into memory. Nothing may be lost then.
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("NETFLOW_QUEUE_MEMORY", "1GiB"),
        ("NETFLOW_RECEIVE_BUFFER", "64MiB"),
    ];
    let mut collector = bench.collector("million", &environment)?;
    let started = Instant::now();
    bench.send(collector.address, DATAGRAMS, FLOWS_PER_DATAGRAM, DATAGRAMS_PER_SECOND)?;
    let sent = started.elapsed();
    let want = DATAGRAMS * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
    let before = wait_until("the Collector takes spans", Duration::from_secs(120), || {
        let counted = otelcol.spans_counted()?;
        Ok((counted + MOST_AT_THE_END >= want).then_some(counted))
    })?;
    collector.stop(Duration::from_secs(40))?;
    let delivered = started.elapsed();
    // The Collector acknowledges before its log is written.
    let counted = wait_until("every span is counted", Duration::from_secs(30), || {
        let counted = otelcol.spans_counted()?;
        Ok((counted >= want).then_some(counted))
    });
    let counted = counted.map_or_else(|_| otelcol.spans_counted(), Ok)?;
    ensure!(counted == want, "{counted} of {want} spans arrived");
    let flows = DATAGRAMS * FLOWS_PER_DATAGRAM;
    Ok(vec![format!(
        "{flows} flows sent in {:.1} s ({:.0}/s): {counted} spans at the Collector after {:.1} s, {} of them after SIGTERM",
        sent.as_secs_f64(),
        flows as f64 / sent.as_secs_f64(),
        delivered.as_secs_f64(),
        counted - before,
    )])
}

/// The Collector is killed and restarted while flows come in. It passes a span on before it acknowledges it, so what it
/// acknowledged is behind it already, and what it did not must come again: every span that left our collector, as its
/// file output lists them, is behind the Collector in the end.
///
/// # Errors
///
/// When a span is missing, or there is one that never left our collector.
pub(super) fn collector_killed(bench: &Bench) -> anyhow::Result<Vec<String>> {
    const DATAGRAMS: u64 = 2_500;
    const FLOWS_PER_DATAGRAM: u64 = 10;
    const DATAGRAMS_PER_SECOND: u64 = 100;
    const BEFORE_THE_KILL: Duration = Duration::from_secs(5);
    const OUTAGE: Duration = Duration::from_secs(10);
    let receiver = Receiver::start()?;
    let forward = Forward::To { grpc: receiver.address(), http: receiver.address() };
    let mut otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-killed", forward)?;
    let endpoint = format!("http://{}", otelcol.grpc);
    let lines = bench.folder.join("killed.jsonl");
    let _ = std::fs::remove_file(&lines);
    let output = format!("otlp,file:{}", lines.display());
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()), ("NETFLOW_OUTPUT", output.as_str())];
    let mut collector = bench.collector("killed", &environment)?;
    let (mut before, mut after) = (0, 0);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| bench.send(collector.address, DATAGRAMS, FLOWS_PER_DATAGRAM, DATAGRAMS_PER_SECOND));
        std::thread::sleep(BEFORE_THE_KILL);
        otelcol.kill()?;
        // The last requests of the Collector may be at the receiver, and not counted yet.
        std::thread::sleep(OUTAGE / 2);
        before = receiver.span_count();
        std::thread::sleep(OUTAGE / 2);
        after = receiver.span_count();
        otelcol.restart()?;
        sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
    })?;
    collector.stop(Duration::from_secs(60))?;
    ensure!(before > 0, "nothing had arrived before the Collector was killed");
    ensure!(before == after, "{} spans arrived while the Collector was down", after - before);
    let mut arrived: HashMap<Vec<u8>, u64> = HashMap::new();
    for span in receiver.spans() {
        *arrived.entry(span.span_id).or_default() += 1;
    }
    let left = span_ids(&std::fs::read_to_string(&lines)?)?;
    let want = DATAGRAMS * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
    ensure!(left.len() as u64 == want, "{} of {want} spans left our collector", left.len());
    let missing = left.iter().filter(|id| !arrived.contains_key(*id)).count();
    ensure!(missing == 0, "{missing} of {want} spans lost");
    ensure!(arrived.len() == left.len(), "{} spans arrived that never left", arrived.len() - left.len());
    let again = arrived.values().filter(|times| **times > 1).count();
    Ok(vec![format!(
        "{want} spans, Collector down for {OUTAGE:?} after {before} of them: all arrived, {again} more than once"
    )])
}

/// The span IDs in lines of OTLP JSON.
pub(super) fn span_ids(lines: &str) -> anyhow::Result<HashSet<Vec<u8>>> {
    let mut ids = HashSet::new();
    for line in lines.lines() {
        let request: serde_json::Value = serde_json::from_str(line)?;
        for span in members(&request, &["resourceSpans", "scopeSpans", "spans"]) {
            let id = span["spanId"].as_str().context("a span without an ID")?;
            ensure!(ids.insert(u64::from_str_radix(id, 16)?.to_be_bytes().to_vec()), "span {id} left twice");
        }
    }
    Ok(ids)
}

/// The values of nested lists.
fn members<'a>(value: &'a serde_json::Value, path: &[&str]) -> Vec<&'a serde_json::Value> {
    let Some((key, rest)) = path.split_first() else { return vec![value] };
    value[key].as_array().into_iter().flatten().flat_map(|member| members(member, rest)).collect()
}
