//! The trace of a datagram: its spans, their order in time, and the attributes of flows.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU64;
use std::sync::Arc;

use flow_semconv::{
    Attribute, AttributeWriter, Call, ExportTrace, ExtraValue, FlowSpans, IdGenerator, Probability, SamplingPolicy,
    Schema, ShortText, SpanParts, SpanSink, SpanStart, Timings, TraceConfig, TraceContext, ValueType,
};
use flow_state::{
    Datagram, Decoded, ExporterProfile, ExporterProfiles, Fact, FlowGroup, FlowRecord, SamplingRate, State,
    StateConfig, Timestamp, TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{FixedRecord, MessageWriter, TemplateDefinition, header};
use hex_literal::hex;

#[path = "trace/attributes.rs"]
mod attributes;
#[path = "trace/shapes.rs"]
mod shapes;
#[path = "trace/topology.rs"]
mod topology;

/// A span as it was written.
#[derive(Clone, Debug, Default)]
struct Span {
    /// `None` for a fragment.
    start: Option<SpanStart>,
    /// Of the resource that it has for itself.
    service: Option<String>,
    schema: Schema,
    attributes: BTreeMap<&'static str, String>,
    extra: BTreeMap<String, String>,
    error: Option<String>,
    trace_state: Option<String>,
}

#[derive(Debug, Default)]
struct Spans {
    schema: Schema,
    written: Vec<Span>,
    /// Keys that were asked for.
    keys: usize,
}

/// What was written ahead, for many spans.
type Written = Span;

#[derive(Debug)]
enum WrittenParts {}

impl SpanParts for WrittenParts {
    type Head = Span;
    type Fragment = Written;
    type Row = Vec<Attribute>;
    type Key = String;
}

impl SpanSink for Spans {
    type Parts = WrittenParts;
    type Span<'s> = &'s mut Span;

    fn fragment(&mut self, fragment: &mut Written, write: impl FnOnce(&mut &mut Span)) {
        *fragment = Span { schema: self.schema, ..Span::default() };
        write(&mut &mut *fragment);
    }

    fn head(&mut self, head: &mut Span, start: &SpanStart, write: impl FnOnce(&mut &mut Span)) {
        *head = Span { start: Some(*start), schema: self.schema, ..Span::default() };
        write(&mut &mut *head);
    }

    fn span_with(&mut self, head: &Span, span_id: u64) -> &mut Span {
        let mut span = head.clone();
        span.start.as_mut().unwrap().context.span_id = span_id;
        self.written.push(span);
        self.written.last_mut().unwrap()
    }

    fn span_of(&mut self, head: &Span, context: TraceContext, (start, end): (Timestamp, Timestamp)) -> &mut Span {
        let mut span = head.clone();
        let place = span.start.as_mut().unwrap();
        assert_eq!(place.context.parent_span_id.is_some(), context.parent_span_id.is_some(), "as the head has it");
        (place.context, place.start, place.end) = (context, start, end);
        self.written.push(span);
        self.written.last_mut().unwrap()
    }

    fn call(
        &mut self,
        head: &Span,
        call: &Call<'_>,
        client: impl FnOnce(&mut &mut Span),
        server: impl FnOnce(&mut &mut Span),
    ) {
        let mut span = self.span_of(head, call.context, call.times);
        span.service = Some(call.client.to_owned());
        client(&mut span);
        let (trace_id, parent_span_id) = (call.context.trace_id, Some(call.context.span_id));
        let context = TraceContext { trace_id, span_id: call.server_span_id, parent_span_id };
        let mut start = *self.written.last().unwrap().start();
        (start.context, start.name) = (context, call.server_name);
        let mut span = self.span(&start);
        span.service = Some(call.server.to_owned());
        server(&mut span);
    }

    fn row(&mut self, columns: &[(Attribute, usize)]) -> Vec<Attribute> {
        columns.iter().map(|(attribute, _)| *attribute).collect()
    }

    fn key(&mut self, name: &str) -> String {
        self.keys += 1;
        name.to_owned()
    }

    fn span(&mut self, start: &SpanStart) -> &mut Span {
        self.written.push(Span { start: Some(*start), schema: self.schema, ..Span::default() });
        self.written.last_mut().unwrap()
    }
}

impl AttributeWriter for &mut Span {
    type Parts = WrittenParts;

    fn row(&mut self, row: &Vec<Attribute>, values: impl Iterator<Item = u64>) {
        let mut values = values.map(|value| i64::try_from(value).unwrap());
        row.iter().for_each(|attribute| self.int(*attribute, values.next().unwrap()));
        assert_eq!(values.next(), None);
    }

    fn text(&mut self, attribute: Attribute, value: &ShortText) {
        self.str(attribute, value.as_str());
    }

    fn address(&mut self, attribute: Attribute, value: IpAddr) {
        self.str(attribute, &value.to_string());
    }

    fn ipv4(&mut self, attribute: Attribute, value: Ipv4Addr) {
        self.str(attribute, &value.to_string());
    }

    fn fragment(&mut self, fragment: &Written) {
        self.error = self.error.take().or(fragment.error.clone());
        for (key, value) in &fragment.attributes {
            assert_eq!(self.attributes.insert(key, value.clone()), None, "keys are unique on a span");
        }
    }

    fn int(&mut self, attribute: Attribute, value: i64) {
        self.put(attribute, ValueType::Int, value.to_string());
    }

    fn double(&mut self, attribute: Attribute, value: f64) {
        self.put(attribute, ValueType::Double, value.to_string());
    }

    fn str(&mut self, attribute: Attribute, value: &str) {
        self.put(attribute, ValueType::String, format!("{value:?}"));
    }

    fn strs(&mut self, attribute: Attribute, values: &[&str]) {
        self.put(attribute, ValueType::Strings, format!("{values:?}"));
    }

    fn bool(&mut self, attribute: Attribute, value: bool) {
        self.put(attribute, ValueType::Bool, value.to_string());
    }

    fn extra(&mut self, key: &String, value: ExtraValue<'_>) {
        let twice = self.extra.insert(key.clone(), format!("{value:?}"));
        assert_eq!(twice, None, "keys are unique on a span");
    }

    fn trace_state(&mut self, value: &ShortText) {
        assert_eq!(self.trace_state.replace(value.as_str().to_owned()), None);
    }

    fn error(&mut self, message: &str) {
        self.error = Some(message.to_owned());
    }
}

impl Span {
    fn start(&self) -> &SpanStart {
        self.start.as_ref().unwrap()
    }

    fn put(&mut self, attribute: Attribute, kind: ValueType, value: String) {
        assert_eq!(attribute.value_type(self.schema), kind, "{attribute:?}");
        let twice = self.attributes.insert(attribute.key(self.schema), value);
        assert_eq!(twice, None, "keys are unique on a span");
    }

    fn get(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }
}

const EXPORT: u64 = 1_700_000_000;

struct Exporter {
    sender: &'static str,
    schema: Schema,
    state: Arc<State>,
    decoded: Decoded,
    trace: ExportTrace<WrittenParts>,
    /// Flows from this port are not wanted.
    unwanted: Option<u64>,
    profiles: ExporterProfiles,
    filtered: u64,
    last: FlowSpans,
    cut: u64,
    keys: usize,
}

impl Exporter {
    fn new() -> Self {
        let trace = ExportTrace::new(IdGenerator::with_seed(7));
        Self {
            sender: "192.0.2.1:50000",
            schema: Schema::Netflow,
            state: Arc::new(State::new(StateConfig::default())),
            decoded: Decoded::default(),
            trace,
            unwanted: None,
            profiles: ExporterProfiles::default(),
            filtered: 0,
            last: FlowSpans::default(),
            cut: 0,
            keys: 0,
        }
    }

    fn with_config(config: TraceConfig) -> Self {
        let mut exporter = Self::new();
        exporter.schema = config.attributes.schema();
        exporter.trace = exporter.trace.with_config(config);
        exporter
    }

    /// With these elements as they are.
    fn with_extra(elements: &str) -> Self {
        let mut exporter = Self::new();
        exporter.trace = exporter.trace.with_extra_elements(elements.parse().unwrap(), exporter.state.clone());
        exporter
    }

    fn send(&mut self, bytes: &[u8]) -> (u128, Vec<Span>) {
        let session = TransportSession::new(self.sender.parse().unwrap(), "192.0.2.2:2055".parse().unwrap());
        let at = Timestamp::from_unix_seconds;
        let tag = self.trace.trace_id();
        let datagram = Datagram::new(session, at(EXPORT + 1), bytes).with_tag(tag).with_profiles(Some(&self.profiles));
        self.state.decode(&datagram, &mut self.decoded);
        let timings = Timings { decode_start: at(EXPORT + 2), decode_end: at(EXPORT + 3) };
        let mut spans = Spans { schema: self.schema, ..Spans::default() };
        let wanted =
            |flow: FlowRecord<'_>| self.unwanted.is_none_or(|port| flow.integer(Fact::SourcePort) != Some(port));
        let mut select = |group: &FlowGroup<'_>| {
            group.flows().enumerate().fold(0, |bits, (place, flow)| bits | u32::from(wanted(flow)) << place)
        };
        let flows = self.trace.write(&datagram, &self.decoded, &timings, || at(EXPORT + 4), &mut select, &mut spans);
        let flow_spans = spans.written.iter().filter(|span| span.start().name == "netflow.flow").count();
        let (written, filtered, cut) = (flow_spans as u64, self.filtered, self.cut);
        assert_eq!(flows, FlowSpans { written, filtered, sampled_out: flows.sampled_out, cut });
        self.last = flows;
        self.keys += spans.keys;
        (tag, spans.written)
    }
}

fn named<'a>(spans: &'a [Span], name: &'a str) -> impl Iterator<Item = &'a Span> {
    spans.iter().filter(move |span| span.start().name == name)
}

fn v5(records: &[FixedRecord]) -> Vec<u8> {
    let mut header = header(Version::V5, Timestamp::from_unix_seconds(EXPORT), 77, 0x0305);
    header.sys_uptime_ms = Some(10_000);
    header.sampling = 0x4064;
    let mut writer = MessageWriter::new();
    writer.begin(&header);
    for record in records {
        writer.fixed_record(record);
    }
    writer.finish().unwrap().to_vec()
}

fn web() -> FixedRecord {
    FixedRecord {
        source_address: [128, 232, 110, 120],
        destination_address: [66, 35, 250, 204],
        next_hop: [192, 0, 2, 254],
        ingress_interface: 3,
        egress_interface: 4,
        packets: 5,
        octets: 1500,
        start_sys_uptime_ms: 4_000,
        end_sys_uptime_ms: 9_000,
        source_port: 34855,
        destination_port: 80,
        tcp_flags: 0x12,
        protocol: 6,
        tos: 0xb9,
        source_as: 65_001,
        destination_as: 65_002,
        source_mask: 24,
        destination_mask: 16,
        ..FixedRecord::default()
    }
}

#[test]
fn one_trace_for_a_datagram_and_one_span_for_a_flow() {
    let (trace_id, spans) = Exporter::new().send(&v5(&[web(), web()]));
    assert!(spans.iter().all(|span| span.start().context.trace_id == trace_id && span.start().link.is_none()));
    let root = named(&spans, "netflow.export").next().unwrap();
    let process = named(&spans, "netflow.process_flows").next().unwrap();
    let parse = named(&spans, "netflow.parse_packet").next().unwrap();
    let parents: Vec<_> = [root, process, parse].iter().map(|span| span.start().context.parent_span_id).collect();
    let root_id = Some(root.start().context.span_id);
    assert_eq!(parents, [None, root_id, root_id]);
    let flows: Vec<_> = named(&spans, "netflow.flow").collect();
    assert_eq!(flows.len(), 2);
    assert_eq!(spans.len(), 5);
    for flow in flows {
        assert_eq!(flow.start().context.parent_span_id, Some(process.start().context.span_id));
        assert!(flow.start().start >= process.start().start && flow.start().end <= process.start().end, "spans nest");
    }
    let seconds = |span: &Span| [span.start().start, span.start().end].map(|at| at.as_unix_millis() / 1000 - EXPORT);
    assert_eq!([seconds(root), seconds(parse), seconds(process)], [[1, 4], [2, 3], [3, 4]]);
    let mut ids: Vec<_> = spans.iter().map(|span| span.start().context.span_id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert!(ids.len() == 5 && !ids.contains(&0));
    let export: Vec<_> = root.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        export,
        [
            "netflow.exporter.address=\"192.0.2.1\"",
            "netflow.exporter.port=50000",
            "netflow.observation_domain_id=773",
            "netflow.records=2",
            "netflow.sequence_number=77",
            "netflow.version=5",
        ]
    );
}

#[test]
fn a_tcp_flow_of_v5() {
    let (_, spans) = Exporter::new().send(&v5(&[web()]));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    let attributes: Vec<_> = flow.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        attributes,
        [
            "destination.address=\"66.35.250.204\"",
            "destination.port=80",
            "netflow.dscp=46",
            "netflow.dst_as=65002",
            "netflow.dst_mask=16",
            "netflow.ecn=1",
            "netflow.exporter.address=\"192.0.2.1\"",
            "netflow.flow.bytes=1500",
            "netflow.flow.bytes_estimated=150000",
            "netflow.flow.duration_ms=5000",
            "netflow.flow.end_time_unix_nano=1699999999000000000",
            "netflow.flow.packets=5",
            "netflow.flow.packets_estimated=500",
            "netflow.flow.start_time_unix_nano=1699999994000000000",
            "netflow.interface.input=3",
            "netflow.interface.output=4",
            "netflow.nexthop=\"192.0.2.254\"",
            "netflow.observation_domain_id=773",
            "netflow.sampling.algorithm=\"deterministic\"",
            "netflow.sampling.interval=100",
            "netflow.src_as=65001",
            "netflow.src_mask=24",
            "netflow.tcp_flags=18",
            "netflow.tcp_flags.tags=[\"SYN\", \"ACK\"]",
            "netflow.tos=185",
            "netflow.version=5",
            "network.community_id=\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\"",
            "network.protocol.number=6",
            "network.transport=\"tcp\"",
            "network.type=\"ipv4\"",
            "source.address=\"128.232.110.120\"",
            "source.port=34855",
        ]
    );
}

#[test]
fn icmp_has_no_ports_and_udp_no_flags() {
    let echo = FixedRecord { protocol: 1, source_port: 0, destination_port: 0x0800, ..web() };
    let dns = FixedRecord { protocol: 17, tcp_flags: 0, ..web() };
    let unassigned = FixedRecord { protocol: 200, ..web() };
    let (_, spans) = Exporter::new().send(&v5(&[echo, dns, unassigned]));
    let flows: Vec<_> = named(&spans, "netflow.flow").collect();
    assert_eq!([flows[0].get("netflow.icmp.type"), flows[0].get("netflow.icmp.code")], [Some("8"), Some("0")]);
    assert_eq!([flows[0].get("source.port"), flows[0].get("destination.port")], [None, None]);
    assert_eq!([flows[1].get("source.port"), flows[1].get("netflow.icmp.type")], [Some("34855"), None]);
    assert_eq!(flows[1].get("netflow.tcp_flags"), None);
    assert_eq!([flows[2].get("network.protocol.number"), flows[2].get("network.transport")], [Some("200"), None]);
}

/// One record of these elements and values: enterprise number, ID, bytes.
fn ipfix(values: &[(u32, u16, &[u8])]) -> Vec<u8> {
    let fields: Vec<_> = values
        .iter()
        .map(|&(enterprise_number, id, value)| FieldSpecifier { enterprise_number, id, length: value.len() as u16 })
        .collect();
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    let mut record = writer.record();
    for (_, _, value) in values {
        record.bytes(value);
    }
    writer.finish().unwrap().to_vec()
}

/// Elements beyond those of v5, over IPv6.
#[test]
fn a_flow_of_ipfix() {
    let (v6, mac) = ([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0x5e, 0, 0x53, 1]);
    let values: &[(u32, u16, &[u8])] = &[
        (0, 27, &v6),
        (0, 28, &v6),
        (0, 4, &[58]),
        (0, 139, &[128, 0]),
        (0, 56, &mac),
        (0, 58, &[0, 42]),
        (0, 61, &[1]),
        (0, 136, &[2]),
        (0, 192, &[64]),
        (0, 31, &[0, 1, 2]),
        (0, 89, &[0x80]),
        (29305, 1, &[9]),
        (0, 34, &[100]),
        (0, 35, &[2]),
    ];
    let (_, spans) = Exporter::new().send(&ipfix(values));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    for (key, value) in [
        ("source.address", "\"2001:db8::1\""),
        ("network.type", "\"ipv6\""),
        ("network.transport", "\"ipv6-icmp\""),
        ("netflow.icmp.type", "128"),
        ("netflow.mac.src", "\"00:00:5e:00:53:01\""),
        ("netflow.vlan.src", "42"),
        ("netflow.flow.direction", "\"egress\""),
        ("netflow.flow.end_reason", "\"active_timeout\""),
        ("netflow.ip.ttl", "64"),
        ("netflow.ip.flow_label", "258"),
        ("netflow.forwarding_status", "128"),
        ("netflow.flow.reverse.bytes", "9"),
        ("netflow.sampling.interval", "100"),
        ("netflow.sampling.algorithm", "\"random\""),
    ] {
        assert_eq!(flow.get(key), Some(value), "{key}");
    }
    assert_eq!(flow.error.as_deref(), Some("dropped by the exporter"));
    let root = named(&spans, "netflow.export").next().unwrap();
    assert_eq!([root.get("netflow.templates"), root.get("netflow.options_records")], [Some("1"), Some("0")]);
}

/// What few exporters have to tell, and what is not said of those that do not.
#[test]
fn events_translations_labels_and_the_like() {
    let start = (EXPORT * 1000 - 900).to_be_bytes();
    let values: &[(u32, u16, &[u8])] = &[
        (0, 8, &[192, 0, 2, 1]),
        (0, 152, &start),
        (0, 161, &[0, 0, 1, 0]),
        (0, 85, &[7]),
        (29305, 6, &[0x12]),
        (29305, 152, &start),
        (0, 239, &[2]),
        (0, 230, &[13]),
        (0, 466, &[0, 0, 0, 99]),
        (0, 225, &[198, 51, 100, 7]),
        (0, 227, &[0, 80]),
        (0, 226, &[0; 4]),
        (0, 361, &[4, 0]),
        (0, 364, &[2, 0]),
        (0, 70, &[5, 0xdc, 0x10]),
        (0, 71, &[0, 0, 0x31]),
        (0, 234, &[9]),
        (0, 252, &[3]),
        (0, 53, &[64]),
        (0, 130, &[192, 0, 2, 4]),
        (0, 149, &[5]),
    ];
    let start_ns = ((EXPORT * 1000 - 900) * 1_000_000).to_string();
    let (_, spans) = Exporter::new().send(&ipfix(values));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    for (key, value) in [
        ("netflow.time.inferred", "true"),
        ("netflow.flow.duration_ms", "256"),
        ("netflow.flow.cumulative", "true"),
        ("netflow.flow.reverse.tcp_flags", "18"),
        ("netflow.flow.reverse.start_time_unix_nano", start_ns.as_str()),
        ("netflow.flow.initiator", "\"destination\""),
        ("netflow.nat.event", "\"quota_exceeded\""),
        ("netflow.nat.event.reason", "\"99\""),
        ("netflow.nat.source.address", "\"198.51.100.7\""),
        ("netflow.nat.source.port", "80"),
        ("netflow.nat.port_block.start", "1024"),
        ("netflow.nat.port_block.end", "1535"),
        ("netflow.mpls.labels", "[\"24001\", \"3\"]"),
        ("netflow.vrf.ingress.id", "9"),
        ("netflow.interface.input", "3"),
        ("netflow.ip.ttl_max", "64"),
        ("netflow.observed_exporter", "\"192.0.2.4\""),
        ("netflow.observed_exporter.domain_id", "5"),
    ] {
        assert_eq!(flow.get(key), Some(value), "{key}");
    }
    for key in ["netflow.nat.destination.address", "netflow.firewall.event", "netflow.time.clamped"] {
        assert_eq!(flow.get(key), None, "{key}");
    }
    let (_, spans) = Exporter::new().send(&ipfix(&[(0, 233, &[3]), (0, 152, &[0; 8])]));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.get("netflow.firewall.event"), Some("\"flow_denied\""));
    assert_eq!([flow.get("netflow.time.clamped"), flow.get("netflow.time.inferred")], [Some("true"), None]);
}

/// A clock that is off is a fact of the datagram.
#[test]
fn a_skewed_clock_is_told_on_the_export_span() {
    for (late_s, skewed) in [(0, None), (3600, Some("true"))] {
        let mut header = header(Version::V5, Timestamp::from_unix_seconds(EXPORT - late_s), 77, 1);
        header.sys_uptime_ms = Some(10_000);
        let mut writer = MessageWriter::new();
        let bytes = writer.begin(&header).fixed_record(&web()).finish().unwrap().to_vec();
        let (_, spans) = Exporter::new().send(&bytes);
        assert_eq!(named(&spans, "netflow.export").next().unwrap().get("netflow.exporter.clock_skewed"), skewed);
    }
}

/// Junos says dropped without a status.
#[test]
fn an_implied_drop_is_an_error() {
    let values: [(u32, u16, &[u8]); 3] = [(0, 15, &[0; 4]), (0, 14, &[0; 4]), (2636, 137, &[0; 4])];
    for (fields, error) in [(3, Some("dropped by the exporter")), (2, None)] {
        let (_, spans) = Exporter::new().send(&ipfix(&values[..fields]));
        assert_eq!(named(&spans, "netflow.flow").next().unwrap().error.as_deref(), error);
    }
}

#[test]
fn waiting_records_get_a_trace_of_their_own_with_a_link() {
    let fields = [FieldSpecifier { enterprise_number: 0, id: 1, length: 4 }];
    let mut writer = MessageWriter::new();
    let head = header(Version::V9, Timestamp::from_unix_seconds(EXPORT), 0, 7);
    let template =
        writer.begin(&head).template_set(&[TemplateDefinition::new(256, &fields)]).finish().unwrap().to_vec();
    writer.begin(&head).data_set(256).record().unsigned(4, 1500);
    let data = writer.finish().unwrap().to_vec();

    let mut exporter = Exporter::new();
    let (first, spans) = exporter.send(&data);
    let first_root = named(&spans, "netflow.export").next().unwrap().start().context.span_id;
    assert_eq!(named(&spans, "netflow.flow").count(), 0);
    let (second, spans) = exporter.send(&template);
    let replayed = named(&spans, "netflow.export").find(|span| span.get("netflow.replayed") == Some("true")).unwrap();
    assert_eq!(replayed.start().link, Some((first, first_root)));
    assert_eq!(replayed.get("netflow.records"), Some("1"));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.start().context.trace_id, replayed.start().context.trace_id);
    assert!(![first, second].contains(&flow.start().context.trace_id));
}

#[test]
fn what_could_not_be_read_is_an_error_on_the_export_span() {
    let mut exporter = Exporter::new();
    let (_, spans) = exporter.send(&[0, 3, 1]);
    assert_eq!(
        spans.iter().map(|span| span.start().name).collect::<Vec<_>>(),
        ["netflow.parse_packet", "netflow.export"]
    );
    assert_eq!(spans[1].error.as_deref(), Some("unsupported version 3 at byte 0"));
    // A record more than there is costs no byte of what is there.
    let mut datagram = v5(&[web()]);
    datagram[3] = 2;
    let (_, spans) = exporter.send(&datagram);
    let root = named(&spans, "netflow.export").next().unwrap();
    assert_eq!((root.get("netflow.issues"), root.error.as_deref()), (Some("1"), None));
}

/// A Template may have records of one byte: one datagram must not become any number of spans.
#[test]
fn flows_beyond_the_limit_are_cut_and_counted() {
    let mut exporter = Exporter::new();
    exporter.trace = ExportTrace::new(IdGenerator::with_seed(7)).with_limit(5);
    exporter.cut = 3;
    let (_, spans) = exporter.send(&v5(&[web(); 8]));
    let root = named(&spans, "netflow.export").next().unwrap();
    assert_eq!([root.get("netflow.flows_cut"), root.get("netflow.records")], [Some("3"), Some("8")]);
    assert_eq!(named(&spans, "netflow.flow").count(), 5);
}

/// What is not wanted takes no room, and its neighbours keep their own values.
#[test]
fn flows_that_are_not_wanted_have_no_span() {
    let mut exporter = Exporter::new();
    exporter.trace = ExportTrace::new(IdGenerator::with_seed(7)).with_limit(20);
    exporter.unwanted = Some(7);
    exporter.filtered = 14;
    let records: Vec<_> = (0..28)
        .map(|number| FixedRecord { source_port: if number % 2 == 0 { 1000 + number } else { 7 }, ..web() })
        .collect();
    let (_, spans) = exporter.send(&v5(&records));
    let ports: Vec<_> = named(&spans, "netflow.flow").map(|span| span.get("source.port").unwrap().to_owned()).collect();
    assert_eq!(ports, (0..28).step_by(2).map(|number| (1000 + number).to_string()).collect::<Vec<_>>());
    let ids: BTreeSet<_> = named(&spans, "netflow.flow").map(|span| span.get("network.community_id")).collect();
    assert_eq!(ids.len(), 14);
}

/// The header says one of a hundred; the profile takes the place of all that the exporter says.
#[test]
fn a_profile_names_the_exporter_and_its_sampling() {
    let mut exporter = Exporter::new();
    let attributes = |exporter: &mut Exporter, name| {
        let (_, spans) = exporter.send(&v5(&[web()]));
        let span = named(&spans, name).next().unwrap().clone();
        let keys = ["exporter.address", "exporter.name", "exporter.site", "sampling.interval", "flow.bytes_estimated"];
        keys.map(|key| span.get(&format!("netflow.{key}")).map(str::to_owned))
    };
    let some = |text: &str| Some(text.to_owned());
    let quoted = |text: &str| Some(format!("{text:?}"));
    let told = [quoted("192.0.2.1"), None, None, some("100"), some("150000")];
    assert_eq!(attributes(&mut exporter, "netflow.flow"), told);
    let profile = ExporterProfile {
        address: Some(Ipv4Addr::new(10, 0, 0, 1).into()),
        name: Some("core-1".into()),
        site: Some("Zürich".into()),
        sampling: SamplingRate::new(1000, 1),
        ..ExporterProfile::default()
    };
    exporter.profiles.any = Some(Arc::new(profile));
    let known = [quoted("10.0.0.1"), quoted("core-1"), quoted("Zürich"), some("1000"), some("1500000")];
    assert_eq!(attributes(&mut exporter, "netflow.flow"), known);
    assert_eq!(attributes(&mut exporter, "netflow.export")[..3], known[..3]);
    // Another profile with the same content, and none again: what was encoded ahead follows.
    exporter.profiles.any = None;
    assert_eq!(attributes(&mut exporter, "netflow.flow"), told);
}

fn sampled(rate: f64) -> Exporter {
    let mut policy = SamplingPolicy::default();
    policy.rate = Probability::new(rate);
    sampled_by(policy)
}

fn sampled_by(policy: SamplingPolicy) -> Exporter {
    let mut exporter = Exporter::new();
    exporter.trace.set_sampling(Some(policy.scaled(Probability::ONE)));
    exporter
}

/// Threshold and randomness of a span, the former with all its digits.
fn trace_state(span: &Span) -> (u64, u64) {
    let (th, rv) = span.trace_state.as_ref().unwrap().strip_prefix("ot=th:").unwrap().split_once(";rv:").unwrap();
    assert_eq!(rv.len(), 14);
    (u64::from_str_radix(&format!("{th:0<14}"), 16).unwrap(), u64::from_str_radix(rv, 16).unwrap())
}

/// The last seven bytes of the digest that a Community ID is the base64 of.
fn randomness(community_id: &str) -> u64 {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = community_id.trim_matches('"').strip_prefix("1:").unwrap().trim_end_matches('=').bytes();
    let value = |digit| alphabet.iter().position(|letter| *letter == digit).unwrap() as u64;
    // 27 digits are 162 bits, of which 160 are the digest.
    digits.fold(0_u128, |bits, digit| bits << 6 | u128::from(value(digit))) as u64 >> 2 & ((1 << 56) - 1)
}

#[test]
fn flows_are_sampled_by_their_conversation() {
    let mut exporter = sampled(0.25);
    let (mut kept, mut ports) = (0, BTreeSet::new());
    for first in (0..1_000).step_by(14) {
        let both = (first..first + 14).flat_map(|source_port| {
            let there = FixedRecord { source_port, ..web() };
            let back = FixedRecord {
                source_address: there.destination_address,
                destination_address: there.source_address,
                source_port: there.destination_port,
                destination_port: there.source_port,
                ..web()
            };
            [there, back]
        });
        let (_, spans) = exporter.send(&v5(&both.collect::<Vec<_>>()));
        for flow in named(&spans, "netflow.flow") {
            let (th, rv) = trace_state(flow);
            assert_eq!((th, rv), (0xc0_0000_0000_0000, randomness(flow.get("network.community_id").unwrap())));
            assert!(rv >= th);
            assert_eq!(flow.get("netflow.sampling.adjusted_count"), Some("4"));
            let [source, destination] =
                ["source.port", "destination.port"].map(|key| flow.get(key).unwrap().to_owned());
            ports.insert(if destination == "80" { source } else { destination });
        }
        let FlowSpans { written, sampled_out, .. } = exporter.last;
        assert_eq!(written + sampled_out, 28);
        kept += written;
    }
    // Of each conversation both directions or none; 255 of 1,008 expected, with a standard deviation of 14.
    assert_eq!(kept, 2 * ports.len() as u64);
    assert!((200..310).contains(&ports.len()), "{}", ports.len());
    assert!(named(&sampled(1.0).send(&v5(&[web()])).1, "netflow.flow").all(|span| trace_state(span).0 == 0));
}

/// What is the same for both directions where there is no Community ID.
#[test]
fn flows_without_a_community_id_are_sampled_by_what_they_have() {
    let flow_of = |datagram: &[u8]| {
        let (_, spans) = sampled(1.0).send(datagram);
        named(&spans, "netflow.flow").next().unwrap().clone()
    };
    let rv = |values: &[(u32, u16, &[u8])]| trace_state(&flow_of(&ipfix(values))).1;
    let (a, b, c) = ([192, 0, 2, 1], [198, 51, 100, 2], [198, 51, 100, 3]);
    let addresses = rv(&[(0, 8, &a), (0, 12, &b), (0, 1, &[1])]);
    assert_eq!(addresses, rv(&[(0, 12, &a), (0, 2, &[9]), (0, 8, &b)]));
    assert_ne!(addresses, rv(&[(0, 8, &a), (0, 12, &c)]));
    assert_ne!(rv(&[(0, 8, &a), (0, 4, &[6])]), rv(&[(0, 8, &a), (0, 4, &[17])]));
    let (mac_a, mac_b) = ([0, 0, 0x5e, 0, 0x53, 1], [0, 0, 0x5e, 0, 0x53, 2]);
    let mac_addresses = rv(&[(0, 56, &mac_a), (0, 80, &mac_b), (0, 1, &[1])]);
    assert_eq!(mac_addresses, rv(&[(0, 56, &mac_b), (0, 80, &mac_a), (0, 1, &[200])]));
    assert_ne!(mac_addresses, rv(&[(0, 56, &mac_a), (0, 80, &mac_a)]));
    // Nothing that names a conversation: the record as it is.
    let record = rv(&[(0, 10, &[1]), (0, 1, &[100])]);
    assert_eq!(record, rv(&[(0, 10, &[1]), (0, 1, &[100])]));
    assert_ne!(record, rv(&[(0, 10, &[1]), (0, 1, &[101])]));
    // A packet is one of its conversation, also where another exporter reports the flow.
    let packet = flow_of(&ipfix(&[(0, 313, &DNS_PACKET)]));
    assert_eq!(trace_state(&packet).1, randomness(DNS_COMMUNITY_ID));
    let flow: &[(u32, u16, &[u8])] = &[
        (0, 12, &[192, 168, 1, 52]),
        (0, 8, &[8, 8, 8, 8]),
        (0, 7, &53_u16.to_be_bytes()),
        (0, 11, &0xd539_u16.to_be_bytes()),
        (0, 4, &[17]),
    ];
    assert_eq!(trace_state(&packet).1, rv(flow));
}

/// Octets count for both directions, and for what they stand for: the header says one packet in 100.
#[test]
fn the_size_of_a_flow_is_the_traffic_that_it_stands_for() {
    let mut policy = SamplingPolicy::default();
    policy.size = NonZeroU64::new(300_000);
    let th = |datagram: &[u8]| {
        let (_, spans) = sampled_by(policy).send(datagram);
        named(&spans, "netflow.flow").next().map(|flow| trace_state(flow).0)
    };
    // Of web(), 1,500 octets: half. Its conversation is among those that are kept.
    assert_eq!(th(&v5(&[web()])), Some(0x80_0000_0000_0000));
    assert_eq!(th(&v5(&[FixedRecord { octets: 3_000, ..web() }])), Some(0));
    let biflow = ipfix(&[(0, 8, &[192, 0, 2, 1]), (0, 1, &[0, 3, 0, 0]), (29_305, 1, &[0, 1, 0x93, 0xe0])]);
    assert_eq!(th(&biflow), Some(0));
    // An event counts nothing: its size does not say that it may go.
    assert_eq!(th(&ipfix(&[(0, 8, &[192, 0, 2, 1]), (0, 230, &[4])])), Some(0));
}

/// A trace of no flows, once for every datagram, would be most of what is left.
#[test]
fn a_datagram_whose_flows_are_left_out_has_no_trace() {
    let mut exporter = sampled(1e-9);
    assert_eq!(exporter.send(&v5(&[web(); 3])).1.len(), 0);
    assert_eq!(exporter.last, FlowSpans { sampled_out: 3, ..FlowSpans::default() });
    // The same header again is a gap: it is told of.
    let mut later = v5(&[web(); 3]);
    later[16..20].copy_from_slice(&u32::to_be_bytes(90));
    let (_, spans) = exporter.send(&later);
    let names: Vec<_> = spans.iter().map(|span| span.start().name).collect();
    assert_eq!(names, ["netflow.parse_packet", "netflow.export"]);
    assert_eq!(spans[1].get("netflow.sequence.gap"), Some("10"));
    // Nothing to leave out is nothing left out.
    assert_eq!(sampled(1e-9).send(&v5(&[])).1.len(), 2);
    let mut filter = Exporter::new();
    (filter.unwanted, filter.filtered) = (Some(web().source_port.into()), 1);
    assert_eq!(filter.send(&v5(&[web()])).1.len(), 0);
}

/// Bits beyond the field are kept as sent, whether or not they are met often.
#[test]
fn wide_fields_are_written_as_sent() {
    let values: &[(u16, &[u8])] = &[(4, &[6]), (6, &[0x40, 0x02]), (5, &[0x01, 0xb8])];
    let fields: Vec<_> = values
        .iter()
        .map(|&(id, value)| FieldSpecifier { enterprise_number: 0, id, length: value.len() as u16 })
        .collect();
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    let mut record = writer.record();
    for (_, value) in values {
        record.bytes(value);
    }
    let (_, spans) = Exporter::new().send(writer.finish().unwrap());
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!([flow.get("netflow.tcp_flags"), flow.get("netflow.tos")], [Some("16386"), Some("440")]);
    assert_eq!(flow.get("netflow.tcp_flags.tags"), Some("[\"SYN\"]"));
}

/// An exporter that samples everywhere alike tells it once, of no sampler or interface; its flows say nothing of it.
#[test]
fn flows_are_joined_to_sampling_of_the_whole_domain() {
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &[field(1, 1)])]).data_set(256);
    writer.record().bytes(&[100]);
    let options = [field(144, 4), field(34, 1), field(35, 1)];
    writer.options_template_set(&[TemplateDefinition::options(257, 1, &options)]).data_set(257);
    writer.record().bytes(&[0; 4]).bytes(&[10]).bytes(&[1]);
    let (_, spans) = Exporter::new().send(writer.finish().unwrap());
    let flow = named(&spans, "netflow.flow").next().unwrap();
    let told = ["netflow.sampling.interval", "netflow.sampling.algorithm", "netflow.flow.bytes_estimated"];
    assert_eq!(told.map(|key| flow.get(key)), [Some("10"), Some("\"deterministic\""), Some("1000")]);
}

/// What options data says of a flow: sampling, names of interfaces, VRFs and applications.
#[test]
fn flows_are_joined_to_options_data() {
    let field = |&(id, value): &(u16, &[u8])| FieldSpecifier { enterprise_number: 0, id, length: value.len() as u16 };
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    let flow: &[(u16, &[u8])] =
        &[(1, &[100]), (2, &[3]), (10, &[1]), (14, &[2]), (234, &[5]), (235, &[6]), (95, &[3, 0, 80]), (302, &[9])];
    writer.template_set(&[TemplateDefinition::new(256, &flow.iter().map(field).collect::<Vec<_>>())]).data_set(256);
    flow.iter().fold(&mut writer.record(), |record, (_, value)| record.bytes(value));
    let bare: &[(u16, &[u8])] = &[(1, &[100]), (10, &[7]), (234, &[7]), (95, &[3, 81])];
    writer.template_set(&[TemplateDefinition::new(257, &bare.iter().map(field).collect::<Vec<_>>())]).data_set(257);
    bare.iter().fold(&mut writer.record(), |record, (_, value)| record.bytes(value));
    let options: [&[(u16, &[u8])]; 5] = [
        &[(302, &[9]), (305, &[1]), (306, &[9]), (304, &[3])],
        &[(10, &[1]), (82, b"eth0\0\0")],
        &[(14, &[2]), (83, b"uplink")],
        &[(234, &[5]), (236, b"red\0")],
        &[(95, &[3, 80]), (96, b"http\0\0")],
    ];
    for (id, row) in (300..).zip(options) {
        let fields: Vec<_> = row.iter().map(field).collect();
        writer.options_template_set(&[TemplateDefinition::options(id, 1, &fields)]).data_set(id);
        row.iter().fold(&mut writer.record(), |record, (_, value)| record.bytes(value));
    }
    let (_, spans) = Exporter::new().send(writer.finish().unwrap());
    let joined = [
        ("netflow.sampling.interval", "10"),
        ("netflow.sampling.algorithm", "\"random\""),
        ("netflow.flow.bytes_estimated", "1000"),
        ("netflow.flow.packets_estimated", "30"),
        ("netflow.interface.input.name", "\"eth0\""),
        ("netflow.interface.output.name", "\"uplink\""),
        ("netflow.vrf.ingress", "\"red\""),
        ("netflow.application.id", "\"3:80\""),
        ("netflow.application.name", "\"http\""),
    ];
    let flows: Vec<_> = named(&spans, "netflow.flow").collect();
    for (key, value) in joined {
        assert_eq!(flows[0].get(key), Some(value), "{key}");
        assert_eq!(flows[1].get(key), Some("\"3:81\"").filter(|_| key == "netflow.application.id"), "{key}: unknown");
    }
    assert_eq!((flows[0].get("netflow.vrf.egress"), flows[0].get("netflow.flow.bytes")), (None, Some("100")));
}

/// Ethernet, VLAN 100; IPv4 and UDP to port 4789; VXLAN 300; Ethernet, IPv4, UDP 53 to 5353.
const VXLAN_FRAME: &[u8] = &hex!(
    "020000000002 020000000001 8100 0064 0800"
    "4500 004e 0007 0000 40 11 0000 cb007101 cb007102 c001 12b5 003a 0000"
    "08000000 00012c00 020000000004 020000000003 0800"
    "4500 001c 0007 0000 40 11 0000 c0000201 c6336402 0035 14e9 0008 0000"
);

/// The span of an IPFIX record with this frame behind the other values.
fn frame_span(values: &[(u16, &[u8])]) -> Span {
    span_of_frame(VXLAN_FRAME, values)
}

fn span_of_frame(frame: &[u8], values: &[(u16, &[u8])]) -> Span {
    span_of_section(315, frame, values)
}

/// The span of an IPFIX record with a section of a packet in this element.
fn span_of_section(element: u16, frame: &[u8], values: &[(u16, &[u8])]) -> Span {
    let field = |id, length: usize| FieldSpecifier { enterprise_number: 0, id, length: length as u16 };
    let mut fields: Vec<_> = values.iter().map(|(id, value)| field(*id, value.len())).collect();
    fields.push(field(element, frame.len()));
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    let mut record = writer.record();
    values.iter().for_each(|(_, value)| _ = record.bytes(value));
    record.bytes(frame);
    let (_, spans) = Exporter::new().send(writer.finish().unwrap());
    spans.into_iter().find(|span| span.start().name == "netflow.flow").unwrap()
}

#[test]
fn a_packet_stands_in_for_addresses_that_the_record_lacks() {
    let span = frame_span(&[]);
    for (key, value) in [
        ("source.address", "\"203.0.113.1\""),
        ("destination.port", "4789"),
        ("network.transport", "\"udp\""),
        ("network.type", "\"ipv4\""),
        ("netflow.packet.sampled", "true"),
        ("netflow.packet.vlan", "100"),
    ] {
        assert_eq!(span.get(key), Some(value), "{key}");
    }
    let span = frame_span(&[(8, &[10, 0, 0, 1]), (12, &[10, 0, 0, 2]), (4, &[6]), (7, &[0, 80]), (11, &[0, 81])]);
    for (key, value) in [
        ("source.address", Some("\"10.0.0.1\"")),
        ("destination.port", Some("81")),
        ("network.transport", Some("\"tcp\"")),
        ("netflow.packet.sampled", None),
        ("netflow.inner.source.port", Some("53")),
    ] {
        assert_eq!(span.get(key), value, "{key}");
    }
}

/// As the specification's reference implementation has it; the outer packet's, whose addresses the span has.
#[test]
fn a_packet_has_the_community_id_of_its_conversation() {
    let id = |frame: &[u8]| span_of_frame(frame, &[]).get("network.community_id").map(str::to_owned);
    assert_eq!(id(VXLAN_FRAME).as_deref(), Some("\"1:jGw3B1gDkRmLauNXnG1zxpSlKBA=\""));
    // The ports are cut off: it would be that of another conversation.
    assert_eq!(id(&VXLAN_FRAME[..18 + 20]), None);
    // A protocol without ports needs none.
    let mut esp = VXLAN_FRAME[..18 + 20].to_vec();
    esp[18 + 9] = 50;
    assert!(id(&esp).is_some());
}

/// IPv4: 192.168.1.52 asks 8.8.8.8 for a name.
const DNS_PACKET: [u8; 28] = hex!("4500 001c 0007 0000 40 11 0000 c0a80134 08080808 d539 0035 0008 0000");
/// Vector of the specification's baseline.
const DNS_COMMUNITY_ID: &str = "\"1:d/FP5EW3wiY1vCndhwleRRKHowQ=\"";

/// Vectors of the specification's baseline, from each element that begins with a header of layer 2 or 3.
#[test]
fn community_ids_of_packets_are_those_of_the_specification() {
    let tcp = hex!(
        "4500 0028 0007 0000 40 06 0000 80e86e78 4223facc"
        "8827 0050 00000001 00000000 5002 2000 0000 0000"
    );
    let echo = hex!("4500 001c 0007 0000 40 01 0000 c0a80059 c0a80001 0800 0000 0001 0001");
    let neighbour = hex!(
        "60000000 0018 3a ff fe80000000000000020086fffe0580da fe80000000000000026097fffe0769ea"
        "8700 0000 00000000 fe80000000000000026097fffe0769ea"
    );
    for (ether_type, packet, expected) in [
        (0x0800_u16, &tcp[..], "\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\""),
        (0x0800, &DNS_PACKET, DNS_COMMUNITY_ID),
        (0x0800, &echo, "\"1:X0snYXpgwiv9TZtqg64sgzUn6Dk=\""),
        (0x86dd, &neighbour, "\"1:dGHyGvjMfljg6Bppwm3bg0LO8TY=\""),
    ] {
        let frame = [&hex!("020000000002 020000000001"), &ether_type.to_be_bytes()[..], packet].concat();
        for (element, section) in [(104, &frame[..]), (313, packet), (315, &frame)] {
            let span = span_of_section(element, section, &[]);
            assert_eq!(span.get("network.community_id"), Some(expected), "element {element}");
        }
    }
    // What is behind the header of a later fragment are no ports.
    let mut fragment = DNS_PACKET;
    fragment[7] = 1;
    let span = span_of_section(313, &fragment, &[]);
    assert_eq!([span.get("source.address"), span.get("network.community_id")], [Some("\"192.168.1.52\""), None]);
}

/// A flow sample with one raw header of protocol IPv4.
fn sflow_of_dns() -> Vec<u8> {
    let head = hex!(
        "00000005 00000001 c633644d 00000007 00000009 000003e8 00000001"
        "00000001 00000054 00000001 00000003 00000200 00001000 00000000 00000003 00000004 00000001"
        "00000001 0000002c 0000000b 0000001c 00000000 0000001c"
    );
    [&head[..], &DNS_PACKET].concat()
}

#[test]
fn a_sample_of_sflow_has_a_community_id() {
    let (_, spans) = Exporter::new().send(&sflow_of_dns());
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.get("network.community_id"), Some(DNS_COMMUNITY_ID));
}

#[test]
fn what_a_tunnel_carries_has_attributes_of_its_own() {
    let span = frame_span(&[]);
    for (key, value) in [
        ("netflow.tunnel.type", "\"vxlan\""),
        ("netflow.tunnel.id", "300"),
        ("netflow.inner.source.address", "\"192.0.2.1\""),
        ("netflow.inner.destination.address", "\"198.51.100.2\""),
        ("netflow.inner.source.port", "53"),
        ("netflow.inner.destination.port", "5353"),
        ("netflow.inner.network.transport", "\"udp\""),
        ("netflow.inner.network.protocol.number", "17"),
    ] {
        assert_eq!(span.get(key), Some(value), "{key}");
    }
}

/// sFlow is no version of NetFlow; its agent need not be where the datagram came from.
#[test]
fn a_sample_of_sflow_is_a_flow_of_its_agent() {
    let bytes = hex!(
        "00000005 00000001 c633644d 00000007 00000009 000003e8 00000001"
        "00000001 00000020 00000001 00000003 00000200 00001000 00000000 00000003 00000004 00000000"
    );
    let (_, spans) = Exporter::new().send(&bytes);
    for span in named(&spans, "netflow.flow").chain(named(&spans, "netflow.export")) {
        for (key, value) in [
            ("netflow.version", None),
            ("netflow.sflow.version", Some("5")),
            ("netflow.sflow.agent.address", Some("\"198.51.100.77\"")),
            ("netflow.exporter.address", Some("\"192.0.2.1\"")),
            ("netflow.observation_domain_id", Some("7")),
        ] {
            assert_eq!(span.get(key), value, "{key}");
        }
    }
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!([flow.get("netflow.sampling.interval"), flow.get("netflow.flow.packets")], [Some("512"), Some("1")]);
}

/// sourceIPv4Address, flowEndReason twice, interfaceName of variable length, observationTimeMilliseconds, octetArray of an
/// enterprise nobody knows, float32 `samplingProbability`.
const EXTRA: [(u32, u16, u16); 7] =
    [(0, 8, 4), (0, 136, 1), (0, 136, 1), (0, 82, u16::MAX), (0, 323, 8), (64_999, 7, 2), (0, 311, 4)];

fn extra_datagrams() -> [Vec<u8>; 3] {
    extra_datagrams_of(b"subscriberId")
}

fn extra_datagrams_of(name: &[u8]) -> [Vec<u8>; 3] {
    let specifier = |(enterprise_number, id, length)| FieldSpecifier { enterprise_number, id, length };
    let message = |write: &dyn Fn(&mut MessageWriter)| {
        let mut writer = MessageWriter::new();
        writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
        write(&mut writer);
        writer.finish().unwrap().to_vec()
    };
    let template = message(&|writer| {
        _ = writer.template_set(&[TemplateDefinition::new(256, &EXTRA.map(specifier))]);
    });
    let data = message(&|writer| {
        let mut record = writer.data_set(256).record();
        let record = record.bytes(&[192, 0, 2, 1]).unsigned(1, 3).unsigned(1, 4).variable(b"ge-0/0/0\x1b\0\0");
        record.unsigned(8, 1_700_000_000_123).bytes(&[0xab, 0xcd]).bytes(&0.5_f32.to_be_bytes());
    });
    // informationElementId, privateEnterpriseNumber, name and type (RFC 5610): unsigned16.
    let told: Vec<_> = [(0, 346, 4), (0, 303, 2), (0, 339, 1), (0, 341, u16::MAX)].map(specifier).to_vec();
    let types = message(&|writer| {
        writer.options_template_set(&[TemplateDefinition { scope_count: 2, ..TemplateDefinition::new(257, &told) }]);
        let mut record = writer.data_set(257).record();
        record.unsigned(4, 64_999).unsigned(2, 7).unsigned(1, 2).variable(name);
    });
    [template, data, types]
}

/// The domain has options data, of no element.
fn option_of_an_interface() -> Vec<u8> {
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.options_template_set(&[TemplateDefinition::options(258, 1, &[field(10, 4), field(82, 4)])]);
    writer.data_set(258).record().unsigned(4, 1).bytes(b"eth0");
    writer.finish().unwrap().to_vec()
}

fn extra_of(exporter: &mut Exporter, datagram: &[u8]) -> Vec<(String, String)> {
    let (_, spans) = exporter.send(datagram);
    let flows: Vec<_> = named(&spans, "netflow.flow").collect();
    assert_eq!(flows.len(), 1);
    flows[0].extra.clone().into_iter().collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn elements_become_attributes_where_they_are_asked_for() {
    let [template, data, types] = extra_datagrams();
    for (wanted, expected) in [
        ("", &[][..]),
        ("noSuchElement", &[]),
        (
            "flowEndReason,0:8",
            &[("netflow.ie.flowEndReason", "Int(3)"), ("netflow.ie.sourceIPv4Address", "Str(\"192.0.2.1\")")],
        ),
        (
            "all",
            &[
                ("netflow.ie.64999.7", "Str(\"0xabcd\")"),
                ("netflow.ie.flowEndReason", "Int(3)"),
                ("netflow.ie.interfaceName", "Str(\"ge-0/0/0\u{fffd}\")"),
                ("netflow.ie.observationTimeMilliseconds", "Int(1700000000123000000)"),
                ("netflow.ie.samplingProbability", "Double(0.5)"),
                ("netflow.ie.sourceIPv4Address", "Str(\"192.0.2.1\")"),
            ],
        ),
    ] {
        let mut exporter = Exporter::with_extra(wanted);
        exporter.send(&template);
        assert_eq!(extra_of(&mut exporter, &data), pairs(expected), "{wanted:?}");
    }
    // What the exporter tells of its elements counts from then on, though their Template stays.
    let mut exporter = Exporter::with_extra("64999:7,subscriberId");
    exporter.send(&template);
    assert_eq!(extra_of(&mut exporter, &data), pairs(&[("netflow.ie.64999.7", "Str(\"0xabcd\")")]));
    exporter.send(&types);
    assert_eq!(extra_of(&mut exporter, &data), pairs(&[("netflow.ie.subscriberId", "Int(43981)")]));
}

/// Keys are made for a Template, and anew when names were told: not for each Set, though an element has no name.
#[test]
fn keys_of_elements_are_made_when_names_are_told() {
    let [template, data, types] = extra_datagrams();
    let [.., other_types] = extra_datagrams_of(b"customerId");
    let mut exporter = Exporter::with_extra("64999:7");
    exporter.send(&template);
    exporter.send(&option_of_an_interface());
    for (sent, name, keys) in [
        (None, "64999.7", 1),
        (Some(&types), "subscriberId", 2),
        (Some(&types), "subscriberId", 2),
        (Some(&other_types), "customerId", 3),
    ] {
        sent.into_iter().for_each(|types| _ = exporter.send(types));
        for _ in 0..2 {
            let extra = extra_of(&mut exporter, &data);
            assert_eq!(extra.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), [format!("netflow.ie.{name}")]);
        }
        assert_eq!(exporter.keys, keys, "{name}");
    }
}

#[test]
fn long_bytes_and_texts_are_cut() {
    let specifiers = [(64_999, 7, u16::MAX), (0, 82, u16::MAX), (0, 4, 4)]
        .map(|(enterprise_number, id, length)| FieldSpecifier { enterprise_number, id, length });
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &specifiers)]);
    writer.data_set(256).record().variable(&[7; 1000]).variable("\u{e9}".repeat(1000).as_bytes()).unsigned(4, 6);
    let datagram = writer.finish().unwrap().to_vec();
    let lengths: Vec<_> = extra_of(&mut Exporter::with_extra("64999:7,interfaceName"), &datagram)
        .iter()
        .map(|(_, value)| value.len())
        .collect();
    assert_eq!(lengths, [2 + 2 * 128, 1024].map(|bytes| bytes + "Str(\"\")".len()));
}
