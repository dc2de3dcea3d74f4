//! IPFIX over TCP, as traces of conversations and sampled, behind a real OpenTelemetry Collector.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use anyhow::{Context, ensure};
use testkit::differential::{Record, tshark};
use testkit::otlp_server::Span;

use super::command::{self, Collector};
use super::exporter::{EXPORTERS, OVER_TCP};
use super::otelcol::{Forward, Otelcol, free_tcp_port};
use super::receiver::Receiver;
use super::tap::{self, Tap};
use super::{Bench, TRAFFIC_SEED, compare, pcap, traffic};

const DRAIN: Duration = Duration::from_secs(30);

/// What `send` sends, by three exporters in turn.
const MESSAGES: u64 = 400;
const FLOWS_PER_MESSAGE: u64 = 25;

/// One conversation in ten.
const SHARE: &str = "10%";
const THRESHOLD: &str = "e666";

/// softflowd and `send` over TCP to two collectors of ours, of which one samples. Every flow is there, the same as tshark
/// reads them over UDP; both directions of a conversation share a trace; the sampled flows are those of whole
/// conversations, and their adjusted counts add up to all flows within two standard errors.
///
/// # Errors
///
/// When something of that is not so.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let receivers = [Receiver::start()?, Receiver::start()?];
    let forward = Forward::To { grpc: receivers[0].address(), http: receivers[1].address() };
    let otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-connections", forward)?;
    let (grpc, http) = (format!("http://{}", otelcol.grpc), format!("http://{}", otelcol.http));
    let shape = ("NETFLOW_TRACE_SHAPE", "conversation");
    let all = [shape, ("OTEL_EXPORTER_OTLP_ENDPOINT", &grpc), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let sampled = [
        shape,
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &http),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
        ("NETFLOW_SAMPLE", SHARE),
    ];
    let mut collectors = [over_tcp(bench, "connections-all", &all)?, over_tcp(bench, "connections-sampled", &sampled)?];
    let expected = export(bench, &collectors.each_ref().map(|(_, address)| *address))?;
    for (collector, _) in &mut collectors {
        collector.stop(DRAIN)?;
    }
    let [all, kept] = receivers.each_ref().map(|receiver| {
        let spans = receiver.spans();
        spans.into_iter().filter(|span| span.name == "netflow.flow").collect::<Vec<_>>()
    });
    every_flow(&all, &expected)?;
    let all = all.iter().map(Flow::new).collect::<anyhow::Result<Vec<_>>>()?;
    let kept = kept.iter().map(Flow::new).collect::<anyhow::Result<Vec<_>>>()?;
    let (conversations, both_ways) = traces(&all)?;
    let (total, error) = estimate(&all, &kept)?;
    Ok(vec![
        format!(
            "{} flows over TCP arrived, in {conversations} traces, {both_ways} of them of both directions",
            all.len()
        ),
        format!("{} flows kept at {SHARE} stand for {total:.0}, within {error:.0} of all", kept.len()),
    ])
}

/// A collector that listens for IPFIX over TCP, and where.
fn over_tcp(bench: &Bench, name: &str, environment: &[(&str, &str)]) -> anyhow::Result<(Collector, SocketAddr)> {
    let address = free_tcp_port()?;
    Ok((bench.collector_at(name, address, environment)?, address))
}

/// Has all flows sent to each collector. Returns those of softflowd, as tshark reads them when they go over UDP.
fn export(bench: &Bench, collectors: &[SocketAddr]) -> anyhow::Result<Vec<Record>> {
    let path = bench.folder.join("traffic.pcap");
    pcap::write(&path, &traffic::frames(SystemTime::now() - 2 * traffic::DURATION, TRAFFIC_SEED)?)?;
    let over_udp = EXPORTERS.iter().find(|exporter| exporter.name == "softflowd-ipfix").context("no softflowd")?;
    let tap = Tap::start(Vec::new())?;
    over_udp.run(&path, &bench.folder, tap.port)?;
    let datagrams = bench.folder.join("softflowd-ipfix.pcap");
    tap::write_pcap(&datagrams, &tap.finish()?)?;
    let log = bench.folder.join("netflow2traces-send-tcp.log");
    let (count, flows) = (MESSAGES.to_string(), FLOWS_PER_MESSAGE.to_string());
    for collector in collectors {
        OVER_TCP.run(&path, &bench.folder, collector.port())?;
        let to = format!("tcp://{collector}");
        let what = ["--version", "ipfix", "--count", &count, "--flows-per-datagram", &flows, "--exporters", "3"];
        let arguments = [&["send", "--to", &to, "--rate", "max", "--seed", "1"], &what[..]].concat();
        command::run(&bench.netflow2traces, &arguments, &log, Duration::from_secs(60))?;
    }
    Ok(tshark::read(&datagrams)?.records)
}

/// Fails unless there is a span for each flow that was sent, and no other.
fn every_flow(spans: &[Span], expected: &[Record]) -> anyhow::Result<()> {
    let ids: BTreeSet<_> = spans.iter().map(|span| (&span.trace_id, &span.span_id)).collect();
    let want = (MESSAGES * FLOWS_PER_MESSAGE) as usize + expected.len();
    ensure!(ids.len() == want && spans.len() == want, "{} spans, {} IDs of {want} flows", spans.len(), ids.len());
    let mut found: HashMap<String, usize> = HashMap::new();
    for span in spans {
        *found.entry(metered(&compare::record(span, 0, 0)?)).or_default() += 1;
    }
    for record in expected {
        let key = metered(&compare::as_spans_have_it(record));
        let left = found.get_mut(&key).filter(|left| **left > 0);
        *left.with_context(|| format!("no span of {key}, which softflowd sends over UDP"))? -= 1;
    }
    Ok(())
}

/// What a record says of its flow; softflowd begins its clock anew in each run.
fn metered(record: &Record) -> String {
    let Record { src, dst, sport, dport, proto, bytes, packets, .. } = record;
    format!("{src:?} {sport:?} {dst:?} {dport:?} {proto:?}: {bytes:?} bytes, {packets:?} packets")
}

/// What a flow span says of its conversation and of its sampling.
struct Flow<'s> {
    span: &'s Span,
    /// Its Community ID, and the hour in which it began.
    conversation: (String, i64),
    source: Option<std::net::IpAddr>,
    /// How many it stands for, if it says so.
    adjusted_count: Option<f64>,
}

impl<'s> Flow<'s> {
    fn new(span: &'s Span) -> anyhow::Result<Self> {
        const HOUR: i64 = 3_600_000_000_000;
        let id = compare::text(span, "network.community_id")?.context("no network.community_id")?;
        let start: i64 =
            compare::integer(span, "netflow.flow.start_time_unix_nano")?.context("a flow without a start")?;
        Ok(Self {
            span,
            conversation: (id.to_owned(), start / HOUR),
            source: compare::address(span, "source.address")?,
            adjusted_count: compare::double(span, "netflow.sampling.adjusted_count")?,
        })
    }
}

/// The number of traces, and of those with flows in both directions. Fails unless each conversation has one of its own.
fn traces(flows: &[Flow<'_>]) -> anyhow::Result<(usize, usize)> {
    let mut conversations: BTreeMap<_, (&[u8], BTreeSet<_>)> = BTreeMap::new();
    let mut traces = BTreeSet::new();
    for Flow { span, conversation, source, .. } in flows {
        let (trace, sources) = conversations.entry(conversation).or_insert((&span.trace_id, BTreeSet::new()));
        ensure!(*trace == span.trace_id, "two traces of the conversation {conversation:?}");
        sources.insert(source);
        traces.insert(&span.trace_id);
        ensure!(span.trace_state.is_empty(), "{:?} where nothing is sampled", span.trace_state);
    }
    ensure!(traces.len() == conversations.len(), "{} traces of {} conversations", traces.len(), conversations.len());
    let both_ways = conversations.values().filter(|(_, sources)| sources.len() == 2).count();
    ensure!(both_ways > 50, "only {both_ways} conversations in both directions");
    Ok((traces.len(), both_ways))
}

/// How many flows the kept ones stand for, and two standard errors of that as docs/sampling.md has them. Fails unless
/// all flows lie within, every span says what it stands for, and conversations were kept as a whole.
fn estimate(all: &[Flow<'_>], kept: &[Flow<'_>]) -> anyhow::Result<(f64, f64)> {
    let flows_of = |flows: &[Flow<'_>]| {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        flows.iter().for_each(|flow| *counts.entry(flow.conversation.0.clone()).or_default() += 1);
        counts
    };
    let (of_all, of_kept) = (flows_of(all), flows_of(kept));
    for (conversation, count) in &of_kept {
        let all = of_all.get(conversation).copied().unwrap_or(0);
        ensure!(*count == all, "{count} of {all} flows of the conversation {conversation} were kept");
    }
    let several = of_kept.values().filter(|count| **count > 1).count();
    ensure!(several > 5, "only {several} conversations of several flows were kept");
    // Sums of w and of sqrt(w), by conversation.
    let mut sums: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for flow in kept {
        let weight = weight(flow)?;
        let (e, g) = sums.entry(&flow.conversation.0).or_default();
        (*e, *g) = (*e + weight, *g + weight.sqrt());
    }
    let total: f64 = sums.values().map(|(e, _)| e).sum();
    let error = 2.0 * sums.values().map(|(e, g)| e * e - g * g).sum::<f64>().sqrt();
    let count = all.len() as f64;
    ensure!((total - count).abs() <= error, "{} flows stand for {total} ± {error}, not {count}", kept.len());
    Ok((total, error))
}

/// How many flows a kept one stands for, by its trace state; its attribute must say the same.
fn weight(flow: &Flow<'_>) -> anyhow::Result<f64> {
    let trace_state = &flow.span.trace_state;
    let parts = trace_state.strip_prefix("ot=th:").and_then(|rest| rest.split_once(";rv:"));
    let (threshold, randomness) = parts.with_context(|| format!("trace state {trace_state:?}"))?;
    ensure!(threshold == THRESHOLD, "threshold {threshold}, not {THRESHOLD}");
    let number = |digits: &str| u64::from_str_radix(&format!("{digits:0<14}"), 16);
    let rejected = number(threshold)?;
    ensure!(randomness.len() == 14 && number(randomness)? >= rejected, "{trace_state} would not be kept");
    let whole = (1_u64 << 56) as f64;
    let weight = whole / (whole - rejected as f64);
    let said = flow.adjusted_count.context("no netflow.sampling.adjusted_count")?;
    ensure!((said - weight).abs() < 1e-9, "{said} where the trace state says {weight}");
    Ok(weight)
}
