//! Totals estimated from the flows that were kept lie where docs/sampling.md says.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use flow_collector::{FlowSampler, SamplingConfig};
use flow_semconv::Probability;
use flow_state::Timestamp;
use flow_traffic::{Generator, TrafficConfig};
use flow_wire::Version;
use flow_wire::encode::{FixedRecord, MessageWriter, header};
use netflow2traces_benches::{Pass, Stream};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

const START: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// Datagrams of a network: single flows of heavy-tailed sizes, and among them conversations that are reported again and
/// again, in both directions.
fn mix(seed: u64) -> Vec<Vec<u8>> {
    let mut config = TrafficConfig::new(Version::V9);
    (config.seed, config.options_data) = (seed, false);
    let mut generator = Generator::new(config).unwrap();
    let mut datagrams: Vec<_> = (0..280).map(|_| generator.next_datagram().bytes.to_vec()).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut records = Vec::new();
    for _ in 0..300 {
        let there = FixedRecord {
            source_address: random.u32(..).to_be_bytes(),
            destination_address: random.u32(..).to_be_bytes(),
            source_port: random.u16(1024..),
            destination_port: 443,
            protocol: 6,
            ..FixedRecord::default()
        };
        let back = FixedRecord {
            source_address: there.destination_address,
            destination_address: there.source_address,
            source_port: there.destination_port,
            destination_port: there.source_port,
            ..there
        };
        for number in 0..random.u32(2..20) {
            // Pareto with the exponent 1.2, to 400 MB.
            let octets = 500.0 * (1.0 - random.f64()).powf(-1.0 / 1.2);
            let direction = if number % 2 == 0 { there } else { back };
            records.push(FixedRecord { octets: octets.min(4e8) as u32, packets: 1, ..direction });
        }
    }
    random.shuffle(&mut records);
    let mut writer = MessageWriter::new();
    for records in records.chunks(30) {
        let mut header = header(Version::V5, START, 0, 0);
        header.sys_uptime_ms = Some(10_000);
        writer.begin(&header);
        records.iter().for_each(|record| _ = writer.fixed_record(record));
        datagrams.push(writer.finish().unwrap().to_vec());
    }
    random.shuffle(&mut datagrams[1..]);
    datagrams
}

/// Of a conversation, for flows and for octets: e, the sum of w x, and g, the sum of sqrt(w) x, where w is the adjusted
/// count. That is what docs/sampling.md makes estimates from.
type Sums = [[f64; 2]; 2];

fn conversations(spans: &[Span]) -> BTreeMap<&str, Sums> {
    let mut conversations = BTreeMap::<&str, Sums>::new();
    for span in spans {
        let value = |key| {
            let attribute = span.attributes.iter().find(|attribute| attribute.key == key).unwrap();
            attribute.value.as_ref().unwrap().value.as_ref().unwrap()
        };
        let Value::StringValue(id) = value("network.community_id") else { panic!("{span:?}") };
        let Value::DoubleValue(count) = *value("netflow.sampling.adjusted_count") else { panic!("{span:?}") };
        let Value::IntValue(octets) = *value("netflow.flow.bytes") else { panic!("{span:?}") };
        for (sums, x) in conversations.entry(id).or_default().iter_mut().zip([1.0, octets as f64]) {
            *sums = [sums[0] + count * x, sums[1] + count.sqrt() * x];
        }
    }
    conversations
}

/// Flows and octets, each with its standard error.
fn estimates(spans: &[Span]) -> [(f64, f64); 2] {
    let conversations = conversations(spans);
    [0, 1].map(|total| {
        let sums = conversations.values().map(|sums| sums[total]);
        let variance: f64 = sums.clone().map(|[e, g]| e * e - g * g).sum();
        (sums.map(|[e, _]| e).sum(), variance.max(0.0).sqrt())
    })
}

/// What there is: all of it, and the squares of what each conversation has.
#[derive(Clone, Copy, Debug)]
struct Truth {
    total: f64,
    squares: f64,
}

fn truth(datagrams: &[Vec<u8>]) -> [Truth; 2] {
    let stream = Stream { name: String::new(), datagrams: datagrams.to_vec(), records: 0 };
    let mut conversations = BTreeMap::<_, [f64; 2]>::new();
    for flow in Pass::new().flows(&stream) {
        // ICMP has none, and there a pair of hosts has one conversation here: its echoes.
        let ports = if flow.protocol == 1 { (0, 0) } else { (flow.source_port, flow.destination_port) };
        let ends = [(flow.source_address, ports.0), (flow.destination_address, ports.1)];
        let ends = if ends[0] <= ends[1] { ends } else { [ends[1], ends[0]] };
        let of_each = conversations.entry((ends, flow.protocol)).or_default();
        *of_each = [of_each[0] + 1.0, of_each[1] + flow.octets as f64];
    }
    [0, 1].map(|total| {
        let of_each = conversations.values().map(|totals| totals[total]);
        Truth { total: of_each.clone().sum(), squares: of_each.map(|x| x * x).sum() }
    })
}

fn flow_spans(request: &[u8]) -> impl Iterator<Item = Span> + use<> {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    let spans = request.resource_spans.into_iter().flat_map(|spans| spans.scope_spans).flat_map(|spans| spans.spans);
    spans.filter(|span| span.name == "netflow.flow")
}

/// The flow spans of datagrams that come evenly in ten seconds, those in the middle in the half of one.
fn sample(datagrams: &[Vec<u8>], config: SamplingConfig) -> Vec<Span> {
    let sampler = FlowSampler::new(Some(config));
    let mut pass = Pass::new();
    let mut spans = Vec::new();
    let count = datagrams.len();
    for (number, datagram) in datagrams.iter().enumerate() {
        let part = number as f64 / count as f64;
        let burst = (part - 0.4).clamp(0.0, 0.3);
        let seconds = (part - burst) * 13.5 + burst * 1.7;
        pass.set_sampling(sampler.at(None, START + Duration::from_secs_f64(seconds)).unwrap());
        let (request, written) = pass.request([datagram]);
        sampler.count(written as u64);
        spans.extend(flow_spans(&request));
    }
    spans
}

fn config(rate: Option<f64>, size: Option<u64>, max: Option<u32>) -> SamplingConfig {
    let mut config = SamplingConfig::default();
    config.policy.rate = rate.and_then(Probability::new);
    config.policy.size = size.and_then(NonZeroU64::new);
    config.max_spans_per_second = max.and_then(NonZeroU32::new);
    config
}

/// What came of estimates from many seeds.
#[derive(Debug, Default)]
struct Outcome {
    seeds: f64,
    /// Estimates within two of the standard errors that they have themselves.
    within: f64,
    /// The same, of the standard error that is known ahead.
    within_known: f64,
    /// Of their relative errors.
    sum: f64,
    sum_of_squares: f64,
}

impl Outcome {
    fn add(&mut self, (estimate, standard_error): (f64, f64), truth: f64, known: f64) {
        let error = estimate / truth - 1.0;
        self.seeds += 1.0;
        self.within += f64::from((estimate - truth).abs() <= 2.0 * standard_error);
        self.within_known += f64::from((estimate - truth).abs() <= 2.0 * known);
        (self.sum, self.sum_of_squares) = (self.sum + error, self.sum_of_squares + error * error);
    }

    /// The mean error of an unbiased estimate is within three of its standard errors.
    fn is_unbiased(&self) -> bool {
        self.sum.abs() <= 3.0 * self.sum_of_squares.sqrt()
    }
}

const SEEDS: u64 = 40;

/// Records of a conversation in [`mix`], at most; those of ICMP are more.
const RECORDS: f64 = 20.0;

/// The shares of estimates within two standard errors are those of docs/sampling.md, less what forty seeds may differ.
#[test]
fn estimates_are_within_the_bounds_that_the_documentation_states() {
    let traffic: Vec<_> = (0..SEEDS).map(mix).map(|datagrams| (truth(&datagrams), datagrams)).collect();
    for (name, config, [flows_within, octets_within]) in [
        ("10%", config(Some(0.1), None, None), [0.85, 0.6]),
        ("1%", config(Some(0.01), None, None), [0.75, 0.5]),
        ("size:100kB", config(None, Some(100_000), None), [0.8, 0.8]),
        ("1%,size:100kB", config(Some(0.01), Some(100_000), None), [0.75, 0.8]),
        ("max:150/s", config(None, None, Some(150)), [0.85, 0.6]),
        ("size:20kB,max:150/s", config(None, Some(20_000), Some(150)), [0.8, 0.8]),
    ] {
        let (mut flows, mut octets) = (Outcome::default(), Outcome::default());
        for ([true_flows, true_octets], datagrams) in &traffic {
            let spans = sample(datagrams, config);
            let [of_flows, of_octets] = estimates(&spans);
            let by_share = |truth: &Truth| {
                config.policy.rate.map_or(f64::INFINITY, |rate| (truth.squares * (1.0 / rate.as_f64() - 1.0)).sqrt())
            };
            let by_size = |truth: &Truth| {
                config.policy.size.map_or(f64::INFINITY, |size| (RECORDS * size.get() as f64 * truth.total).sqrt())
            };
            flows.add(of_flows, true_flows.total, by_share(true_flows));
            octets.add(of_octets, true_octets.total, by_share(true_octets).min(by_size(true_octets)));
        }
        assert!(flows.is_unbiased() && octets.is_unbiased(), "{name}: {flows:?}, {octets:?}");
        assert!(flows.within >= flows_within * flows.seeds, "{name}: {flows:?}");
        assert!(octets.within >= octets_within * octets.seeds, "{name}: {octets:?}");
        // What is known ahead, the documentation has for a share and for a size.
        if config.max_spans_per_second.is_none() {
            assert!(octets.within_known >= 0.85 * octets.seeds, "{name}: {octets:?}");
        }
        if config.policy.rate.is_some() && config.policy.size.is_none() {
            assert!(flows.within_known >= 0.85 * flows.seeds, "{name}: {flows:?}");
        }
    }
}
