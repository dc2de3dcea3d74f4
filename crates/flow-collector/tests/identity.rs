//! What comes in goes out, or is counted for one reason: whatever is configured, and whatever comes.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::num::{NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};
use std::sync::Arc;
use std::time::Duration;

use flow_collector::{
    CollectorStats, ExporterLimits, ExporterPolicy, Exporters, Filter, FlowSampler, Pipeline, Probability,
    SamplingConfig, StatsSnapshot,
};
use flow_semconv::{TraceConfig, TraceShape};
use flow_state::{State, StateConfig, Timestamp, TransportSession};
use flow_traffic::{Generator, TrafficConfig, Version};
use otlp_sink::{DrainReport, FileConfig, Output, Sink, SinkConfig};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use tokio::runtime::Runtime;

/// What an operator may want.
#[derive(Clone, Debug)]
struct Configuration {
    filter: &'static str,
    sampling: Option<SamplingConfig>,
    policy: ExporterPolicy,
    shape: TraceShape,
    /// The queue holds all that a test sends, however slowly the file is written; else it may be full.
    has_room: bool,
}

fn sampling() -> impl Strategy<Value = SamplingConfig> {
    let rate = option::of((0.01..=1.0).prop_map(|rate| Probability::new(rate).unwrap()));
    (rate, option::of(1_u64..1_000_000), option::of(1_u32..2_000)).prop_map(|(rate, size, most)| {
        let mut config = SamplingConfig::default();
        (config.policy.rate, config.policy.size) = (rate, size.and_then(NonZeroU64::new));
        config.max_spans_per_second = most.and_then(NonZeroU32::new);
        config
    })
}

fn policy() -> impl Strategy<Value = ExporterPolicy> {
    let limit = |most| option::of(1_u32..most).prop_map(|limit: Option<u32>| limit.and_then(NonZeroU32::new));
    (2..9_usize, option::weighted(0.3, 0..4_u8), limit(60), limit(3_000)).prop_map(
        |(exporters, denied, datagrams, records)| {
            let mut policy = ExporterPolicy::default();
            policy.max_exporters = NonZeroUsize::new(exporters).unwrap();
            policy.deny = denied.map(|host| format!("192.0.2.{host}/32").parse().unwrap()).into_iter().collect();
            policy.limits = ExporterLimits { datagrams, records };
            policy
        },
    )
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let filters = ["any", "drop any", "tcp", "drop proto udp", "bytes > 5000; drop port 443", "src net 10.0.0.0/9"];
    let shapes = [TraceShape::Packet, TraceShape::Conversation, TraceShape::Flow, TraceShape::Topology];
    (select(filters.to_vec()), option::of(sampling()), policy(), select(shapes.to_vec()), any::<bool>()).prop_map(
        |(filter, sampling, policy, shape, has_room)| Configuration { filter, sampling, policy, shape, has_room },
    )
}

/// A datagram: the version that it has, who sends it, and a byte that a fault puts somewhere.
type Sent = (usize, u8, Option<(usize, u8)>);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let fault = option::weighted(0.1, (any::<usize>(), any::<u8>()));
    (vec((0..4_usize, 0..4_u8, fault), 1..80), any::<bool>()).prop_map(|(mut sent, has_faults)| {
        if !has_faults {
            sent.iter_mut().for_each(|(_, _, fault)| *fault = None);
        }
        sent
    })
}

/// An IPFIX Message with more flows than may have spans.
fn many_flows() -> Vec<u8> {
    const FLOWS: u16 = 20_000;
    let set = [256, FLOWS + 4].map(u16::to_be_bytes).concat();
    let header = [10, 16 + 12 + 4 + FLOWS].map(u16::to_be_bytes).concat();
    let template = hex_literal::hex!("6553f100 00000000 00000009 0002 000c 0100 0001 0004 0001");
    [&header[..], &template, &set, &[6; FLOWS as usize]].concat()
}

/// Has it all come; what was counted, what became of the spans, and how many of these are flows.
fn receive(configuration: &Configuration, sent: &[Sent]) -> (StatsSnapshot, DrainReport, u64, u64) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let runtime = Runtime::new().unwrap();
    let mut config = SinkConfig::default().with_output(Output::File(FileConfig::new(&path)));
    config.queue_bytes = if configuration.has_room { 4 << 30 } else { 256 << 10 };
    let sink = Sink::start(config, runtime.handle()).unwrap();
    let stats = Arc::<CollectorStats>::default();
    let exporters = Arc::new(Exporters::new(configuration.policy.clone()));
    let mut trace = TraceConfig::default();
    trace.shape = configuration.shape;
    let state = Arc::new(State::new(StateConfig::default()));
    let mut pipeline = Pipeline::new(state, stats.clone(), exporters, trace, &sink)
        .with_filter(Arc::new(configuration.filter.parse::<Filter>().unwrap()))
        .with_sampling(Arc::new(FlowSampler::new(configuration.sampling)));
    let generator = |version| {
        let mut config = TrafficConfig::new(version);
        config.exporters = NonZeroU16::new(2).unwrap();
        Generator::new(config).unwrap()
    };
    // Each host has its own, so that nothing waits for a Template.
    let mut generators = [(); 4].map(|()| [Version::V5, Version::V9, Version::Ipfix].map(generator));
    let mut flows = 0;
    for (version, host, fault) in sent {
        let (mut bytes, count) = match generators[usize::from(*host)].get_mut(*version) {
            Some(generator) => {
                let datagram = generator.next_datagram();
                (datagram.bytes.to_vec(), u64::from(datagram.flows))
            }
            None => (many_flows(), 20_000),
        };
        if let Some((place, byte)) = fault {
            let place = place % bytes.len();
            bytes[place] = *byte;
        }
        flows += count;
        let session = TransportSession::new(
            ([192, 0, 2, *host], 50_000 + *version as u16).into(),
            ([198, 51, 100, 1], 2055).into(),
        );
        pipeline.process(session, Timestamp::from_unix_seconds(1_767_225_600), &bytes);
    }
    pipeline.flush();
    drop(pipeline);
    let report = runtime.block_on(sink.shutdown(Duration::from_secs(120)));
    let text = fs::read_to_string(path).unwrap_or_default();
    (stats.snapshot(), report, flows, text.matches("\"spanId\"").count() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn everything_has_one_fate(configuration in configuration(), sent in sent()) {
        let (stats, report, flows, written) = receive(&configuration, &sent);
        let refused = stats.denied + stats.exporters_refused + stats.datagrams_limited;
        prop_assert_eq!(stats.datagrams + refused, sent.len() as u64);
        let reasons = stats.flows_filtered + stats.flows_sampled_out + stats.flows_limited + stats.flows_cut;
        prop_assert_eq!(stats.records, stats.flow_spans + reasons, "{:?}", stats);
        prop_assert_eq!(stats.spans, report.exported + report.dropped);
        prop_assert_eq!(written, report.exported);
        prop_assert_eq!(report.remaining, 0);
        prop_assert!(report.dropped == 0 || !configuration.has_room, "{:?}", report);
        if refused == 0 && sent.iter().all(|(_, _, fault)| fault.is_none()) {
            prop_assert_eq!(stats.records, flows, "{:?}", stats);
        }
    }
}
