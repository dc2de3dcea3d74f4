//! Two exporters report the same conversations in ways of their own; sampling keeps the same ones of both.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use flow_collector::{CollectorStats, ExporterPolicy, Exporters, FlowSampler, Pipeline, Probability, SamplingConfig};
use flow_semconv::TraceConfig;
use flow_state::{State, StateConfig, TransportSession};
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::{FieldSpecifier, Timestamp, Version};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use otlp_sink::{FileConfig, Output, Sink, SinkConfig};
use tokio::runtime::Runtime;

const CONVERSATIONS: u32 = 2_000;
const EXPORT_TIME: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// A flow from a client to a server, by the elements of an exporter in their order.
fn value(element: u16, conversation: u32, is_back: bool) -> u64 {
    let (client, server) = (0x0a00_0000 | u64::from(conversation / 7), 0xc633_6400 | u64::from(conversation % 50));
    let client_port = 32_768 + u64::from(conversation * 11 % 28_000);
    match (element, is_back) {
        (8, false) | (12, true) => client,
        (12, false) | (8, true) => server,
        (7, false) | (11, true) => client_port,
        (11, false) | (7, true) => 443,
        (4, _) => 6,
        // What they count has nothing to do with it.
        _ => u64::from(conversation) * 100 + u64::from(is_back),
    }
}

struct Exporter {
    version: Version,
    /// Elements and their lengths.
    fields: &'static [(u16, u16)],
    /// Whether it sees the answers only.
    is_back: bool,
    session: TransportSession,
}

impl Exporter {
    fn datagrams(&self) -> Vec<Vec<u8>> {
        let fields: Vec<_> =
            self.fields.iter().map(|&(id, length)| FieldSpecifier { enterprise_number: 0, id, length }).collect();
        let conversations: Vec<_> = (0..CONVERSATIONS).collect();
        let mut writer = MessageWriter::new();
        let datagram = |(number, conversations): (usize, &[u32])| {
            let sequence = if self.version == Version::V9 { number } else { number * 25 };
            writer.begin(&header(self.version, EXPORT_TIME, sequence as u32, 1));
            if number == 0 {
                writer.template_set(&[TemplateDefinition::new(256, &fields)]);
            }
            writer.data_set(256);
            for conversation in conversations {
                let mut record = writer.record();
                for &(element, length) in self.fields {
                    record.unsigned(usize::from(length), value(element, *conversation, self.is_back));
                }
            }
            writer.finish().unwrap().to_vec()
        };
        conversations.chunks(25).enumerate().map(datagram).collect()
    }
}

fn exporters() -> [Exporter; 2] {
    let session = |from: &str| TransportSession::new(from.parse().unwrap(), "192.0.2.9:2055".parse().unwrap());
    [
        Exporter {
            version: Version::V9,
            fields: &[(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4)],
            is_back: false,
            session: session("192.0.2.1:50000"),
        },
        Exporter {
            version: Version::Ipfix,
            fields: &[(2, 8), (4, 1), (11, 2), (12, 4), (1, 8), (7, 2), (8, 4)],
            is_back: true,
            session: session("198.51.100.1:40000"),
        },
    ]
}

/// The flow spans of both exporters, each with a worker of its own.
fn sampled(rate: f64) -> Vec<Span> {
    let mut config = SamplingConfig::default();
    config.policy.rate = Probability::new(rate);
    let sampler = Arc::new(FlowSampler::new(Some(config)));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let runtime = Runtime::new().unwrap();
    let mut config = SinkConfig::default().with_output(Output::File(FileConfig::new(&path)));
    // Room for all, however slowly the file is written.
    config.queue_bytes = 4 << 30;
    let sink = Sink::start(config, runtime.handle()).unwrap();
    let (state, stats) = (Arc::new(State::new(StateConfig::default())), Arc::<CollectorStats>::default());
    let heard = Arc::new(Exporters::new(ExporterPolicy::default()));
    for exporter in exporters() {
        let pipeline = Pipeline::new(state.clone(), stats.clone(), heard.clone(), TraceConfig::default(), &sink);
        let mut pipeline = pipeline.with_sampling(sampler.clone());
        exporter.datagrams().iter().for_each(|datagram| pipeline.process(exporter.session, EXPORT_TIME, datagram));
        pipeline.flush();
    }
    let report = runtime.block_on(sink.shutdown(Duration::from_secs(120)));
    assert_eq!((report.dropped, report.remaining), (0, 0));
    let text = fs::read_to_string(path).unwrap();
    let traces = text.lines().map(|line| serde_json::from_str::<TracesData>(line).unwrap());
    let scopes = traces.flat_map(|traces| traces.resource_spans).flat_map(|resource| resource.scope_spans);
    let spans = scopes.flat_map(|scope| scope.spans);
    let flows: Vec<_> = spans.filter(|span| span.name == "netflow.flow").collect();
    let counted = stats.snapshot();
    assert_eq!((counted.records, counted.flow_spans), (2 * u64::from(CONVERSATIONS), flows.len() as u64));
    assert_eq!(counted.flows_sampled_out, counted.records - counted.flow_spans);
    flows
}

/// Community IDs with their trace states, of one version.
fn conversations(spans: &[Span], version: Version) -> BTreeSet<(String, String)> {
    let attribute = |span: &Span, key| {
        let attribute = span.attributes.iter().find(|attribute| attribute.key == key).unwrap();
        attribute.value.clone().unwrap().value.unwrap()
    };
    let of_version = |span: &&Span| attribute(span, "netflow.version") == Value::IntValue(version.number().into());
    let conversation = |span: &Span| match attribute(span, "network.community_id") {
        Value::StringValue(id) => (id, span.trace_state.clone()),
        other => panic!("{other:?}"),
    };
    spans.iter().filter(of_version).map(conversation).collect()
}

#[test]
fn two_exporters_agree_on_every_conversation() {
    let mut of_more = None;
    for (rate, th) in [(1.0, "0"), (0.1, "e666"), (0.01, "fd70a")] {
        let spans = sampled(rate);
        let both = [Version::V9, Version::Ipfix].map(|version| conversations(&spans, version));
        assert_eq!(both[0], both[1]);
        assert_eq!(both[0].len() * 2, spans.len());
        assert!(both[0].iter().all(|(_, trace_state)| trace_state.starts_with(&format!("ot=th:{th};rv:"))));
        let expected = rate * f64::from(CONVERSATIONS);
        assert!((both[0].len() as f64 - expected).abs() <= 3.0 * expected.sqrt(), "{} of {expected}", both[0].len());
        // What is kept at a rate is kept at any higher one: exporters with different rates agree that far.
        let ids: BTreeSet<_> = both[0].iter().map(|(id, _)| id.clone()).collect();
        assert!(of_more.is_none_or(|more: BTreeSet<String>| ids.is_subset(&more)));
        of_more = Some(ids);
    }
}
