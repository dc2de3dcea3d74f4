//! Attributes in other schemas, and fewer of them.

use flow_semconv::AttributeSet;

use super::*;

fn config(attributes: AttributeSet) -> TraceConfig {
    let mut config = TraceConfig::default();
    config.attributes = attributes;
    config
}

/// The flow of a datagram with one, in this schema.
fn flow_of(bytes: &[u8], schema: Schema) -> Span {
    let (_, spans) = Exporter::with_config(config(AttributeSet::new(schema))).send(bytes);
    spans.into_iter().find(|span| span.start().name == "netflow.flow").unwrap()
}

#[test]
fn keys_are_those_of_the_schema() {
    let flow = flow_of(&v5(&[web()]), Schema::Semconv);
    for (key, value) in [
        ("source.address", "\"128.232.110.120\""),
        ("flow.bytes.delta", "1500"),
        ("flow.tcp.flags.tags", "[\"SYN\", \"ACK\"]"),
        ("flow.ip.dscp.id", "46"),
        ("flow.community_id", "\"1:LQU9qZlK+B5F3KDmev6m5PMibrg=\""),
        ("netflow.flow.duration_ms", "5000"),
    ] {
        assert_eq!(flow.get(key), Some(value), "{key}");
    }
}

/// What the Elastic Common Schema asks of values: dates, nanoseconds, numbers.
#[test]
fn values_are_those_of_the_elastic_common_schema() {
    let flow = flow_of(&v5(&[web()]), Schema::Ecs);
    for (key, value) in [
        ("source.ip", "\"128.232.110.120\""),
        ("network.iana_number", "6"),
        ("event.start", "\"2023-11-14T22:13:14.000000000Z\""),
        ("event.end", "\"2023-11-14T22:13:19.000000000Z\""),
        ("event.duration", "5000000000"),
        ("network.bytes", "1500"),
        ("observer.ip", "\"192.0.2.1\""),
        ("source.as.number", "65001"),
    ] {
        assert_eq!(flow.get(key), Some(value), "{key}");
    }
    let biflow = flow_of(&ipfix(&[(0, 1, &[5]), (0, 2, &[2]), (29305, 1, &[9]), (0, 136, &[3])]), Schema::Ecs);
    for (key, value) in [
        ("network.bytes", "14"),
        ("network.packets", "2"),
        ("destination.bytes", "9"),
        ("netflow.flow_end_reason", "3"),
    ] {
        assert_eq!(biflow.get(key), Some(value), "{key}");
    }
}

#[test]
fn spans_have_what_is_allowed_and_not_denied() {
    let set = AttributeSet::new(Schema::Netflow)
        .with_allowed(&["source.*", "netflow.flow.*", "netflow.dscp", "netflow.records", "netflow.ie.*"])
        .unwrap()
        .with_denied(&["source.port", "netflow.flow.packets*", "netflow.flow.start*", "netflow.ie.ipVersion"])
        .unwrap();
    let (_, spans) = Exporter::with_config(config(set.clone())).send(&v5(&[web()]));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    let keys: Vec<_> = flow.attributes.keys().copied().collect();
    assert_eq!(
        keys,
        [
            "netflow.dscp",
            "netflow.flow.bytes",
            "netflow.flow.bytes_estimated",
            "netflow.flow.duration_ms",
            "netflow.flow.end_time_unix_nano",
            "source.address",
        ]
    );
    let root = named(&spans, "netflow.export").next().unwrap();
    assert_eq!(root.attributes.keys().copied().collect::<Vec<_>>(), ["netflow.records"]);
    let mut exporter = Exporter::with_extra("all");
    exporter.trace = exporter.trace.with_config(config(set));
    let (_, spans) = exporter.send(&ipfix(&[(0, 60, &[4]), (0, 148, &[7])]));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.extra.keys().collect::<Vec<_>>(), ["netflow.ie.flowId"]);
}

/// An error is the span's status, which no list takes away.
#[test]
fn the_status_is_no_attribute() {
    let nothing = AttributeSet::new(Schema::Netflow).with_denied(&["*"]).unwrap();
    let (_, spans) = Exporter::with_config(config(nothing)).send(&ipfix(&[(0, 1, &[5]), (0, 89, &[0x80])]));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!((flow.attributes.len(), flow.error.as_deref()), (0, Some("dropped by the exporter")));
}

/// A Template can have thousands of fields, and an exporter thousands of those.
#[test]
fn extra_attributes_have_a_limit() {
    let fields: Vec<(u32, u16, &[u8])> = (1..=600).map(|id| (64_999, id, &[1][..])).collect();
    let (_, spans) = Exporter::with_extra("all").send(&ipfix(&fields));
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.extra.len(), 256);
}

/// A Template with 256 elements that nobody knows, and a record of it.
fn wide(template_id: u16) -> Vec<u8> {
    let specifiers: Vec<_> = (1..=256).map(|id| FieldSpecifier { enterprise_number: 64_999, id, length: 1 }).collect();
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(template_id, &specifiers)]);
    let set = writer.data_set(template_id);
    let mut record = set.record();
    specifiers.iter().for_each(|_| _ = record.unsigned(1, 7));
    writer.finish().unwrap().to_vec()
}

/// An exporter that makes up Templates costs work, not memory: 65,536 elements are kept, and then all are laid out anew.
#[test]
fn the_elements_that_are_kept_are_bounded() {
    const KEPT: usize = 65_536 / 257;
    let mut exporter = Exporter::with_extra("all");
    let mut keys_for = |templates: std::ops::Range<usize>| {
        let before = exporter.keys;
        templates.for_each(|number| _ = exporter.send(&wide(256 + number as u16)));
        (exporter.keys - before) / 256
    };
    assert_eq!((keys_for(0..KEPT), keys_for(0..KEPT)), (KEPT, 0), "all are kept");
    assert_eq!((keys_for(KEPT..KEPT + 1), keys_for(KEPT..KEPT + 1)), (1, 0), "the last one beside nothing else");
    assert_eq!((keys_for(0..KEPT - 1), keys_for(0..KEPT - 1)), (KEPT - 1, 0));
}
