//! Traces of conversations and of single flows, and the times of their spans.

use std::collections::BTreeSet;
use std::time::Duration;

use flow_semconv::{AttributeSet, SpanTime, TraceShape};
use sha1::{Digest, Sha1};

use super::*;

fn config(shape: TraceShape, span_time: SpanTime) -> TraceConfig {
    let mut config = TraceConfig::default();
    (config.shape, config.span_time) = (shape, span_time);
    config
}

fn shaped(shape: TraceShape) -> Exporter {
    Exporter::with_config(config(shape, SpanTime::Receive))
}

/// The flow spans, which are all.
fn flows_alone(spans: Vec<Span>) -> Vec<Span> {
    assert!(spans.iter().all(|span| span.start().name == "netflow.flow"));
    assert!(spans.iter().all(|span| span.start().context.parent_span_id.is_none()));
    spans
}

fn ids(span: &Span) -> (u128, u64) {
    (span.start().context.trace_id, span.start().context.span_id)
}

fn back() -> FixedRecord {
    let there = web();
    FixedRecord {
        source_address: there.destination_address,
        destination_address: there.source_address,
        source_port: there.destination_port,
        destination_port: there.source_port,
        ..there
    }
}

#[test]
fn both_directions_and_several_exporters_meet_in_a_conversation() {
    let (mut one, mut other) = (shaped(TraceShape::Conversation), shaped(TraceShape::Conversation));
    other.sender = "203.0.113.9:4000";
    let (_, mut spans) = one.send(&v5(&[web(), back()]));
    spans.extend(other.send(&v5(&[back(), FixedRecord { octets: 7, ..web() }])).1);
    let spans = flows_alone(spans);
    let traces: BTreeSet<_> = spans.iter().map(|span| ids(span).0).collect();
    assert_eq!((spans.len(), traces.len()), (4, 1));
    let span_ids: BTreeSet<_> = spans.iter().map(|span| ids(span).1).collect();
    assert_eq!(span_ids.len(), 4, "each has an ID of its own");
}

/// As docs/shapes.md describes them, by another implementation of SHA-1.
#[test]
fn ids_of_a_conversation_are_those_of_the_description() {
    let (_, spans) = shaped(TraceShape::Conversation).send(&v5(&[web()]));
    let tuple = hex!("0000" "42 23 fa cc" "80 e8 6e 78" "06 00" "0050" "8827");
    let start = (EXPORT - 6) * 1_000_000_000;
    let hour = (start / 3_600_000_000_000).to_be_bytes();
    let trace = Sha1::digest([&Sha1::digest(tuple)[..], &hour].concat());
    let trace_id = u128::from_be_bytes(trace[..16].try_into().unwrap());
    let record = [
        &hex!("00000000 00000000 0000ffff c0000201" "00000305")[..],
        &start.to_be_bytes(),
        &(start + 5_000_000_000).to_be_bytes(),
        &1500_u64.to_be_bytes(),
        &5_u64.to_be_bytes(),
        &hex!("00 ff"),
    ];
    let span = u64::from_be_bytes(Sha1::digest(record.concat())[..8].try_into().unwrap());
    assert_eq!(ids(&spans[0]), (trace_id, span ^ trace_id as u64));
}

#[test]
fn a_record_that_comes_again_has_the_same_span() {
    let mut exporter = shaped(TraceShape::Conversation);
    let (_, first) = exporter.send(&v5(&[web()]));
    let (_, again) = exporter.send(&v5(&[web()]));
    let (_, later) = exporter.send(&v5(&[FixedRecord { end_sys_uptime_ms: 9_500, ..web() }]));
    assert_eq!(ids(&first[0]), ids(&again[0]));
    assert_eq!((ids(&first[0]).0, ids(&first[0]).1 == ids(&later[0]).1), (ids(&later[0]).0, false));
}

/// The trace changes with the hour of the start; what has no conversation has random IDs, as has what has no time.
#[test]
fn an_hour_ends_a_trace_and_flows_without_a_conversation_have_their_own() {
    let start = |seconds: u64| (EXPORT / 3600 * 3600 + seconds).to_be_bytes();
    let mut exporter = shaped(TraceShape::Conversation);
    let mut sent = |seconds: u64, id: u16| {
        let values: &[(u32, u16, &[u8])] =
            &[(0, 8, &[192, 0, 2, 1]), (0, 12, &[192, 0, 2, 2]), (0, id, &[17]), (0, 150, &start(seconds)[4..])];
        ids(&flows_alone(exporter.send(&ipfix(values)).1)[0])
    };
    let (protocol, class) = (4, 5);
    let (early, late, next) = (sent(0, protocol), sent(3599, protocol), sent(3600, protocol));
    assert_eq!((early.0 == late.0, late.0 == next.0, early.1 == late.1), (true, false, false));
    assert_ne!(sent(0, class).0, sent(0, class).0);
    let mut timeless = || {
        let values: &[(u32, u16, &[u8])] = &[(0, 8, &[192, 0, 2, 1]), (0, 12, &[192, 0, 2, 2]), (0, 4, &[17])];
        ids(&exporter.send(&ipfix(values)).1[0])
    };
    let (one, two) = (timeless(), timeless());
    assert_eq!((one.0 == two.0, one.1 == two.1), (true, false));
}

/// A trace needs the hash, whether or not its text is an attribute.
#[test]
fn a_conversation_needs_no_attribute() {
    let mut config = config(TraceShape::Conversation, SpanTime::Receive);
    config.attributes = AttributeSet::default().with_allowed(&["source.address"]).unwrap();
    let (_, spans) = Exporter::with_config(config).send(&v5(&[web()]));
    let (_, whole) = shaped(TraceShape::Conversation).send(&v5(&[web()]));
    assert_eq!((ids(&spans[0]), spans[0].attributes.len()), (ids(&whole[0]), 1));
}

#[test]
fn samples_of_sflow_meet_in_a_conversation() {
    let span = |trace: &mut Exporter| trace.send(&sflow_of_dns()).1.pop().unwrap();
    let mut exporter = shaped(TraceShape::Conversation);
    let (one, two) = (span(&mut exporter), span(&mut exporter));
    assert_eq!(ids(&one).0, ids(&two).0);
    assert_ne!(ids(&one).1, ids(&two).1);
}

#[test]
fn each_flow_has_a_trace_of_its_own() {
    let (_, spans) = shaped(TraceShape::Flow).send(&v5(&[web(); 20]));
    let traces: BTreeSet<_> = flows_alone(spans).iter().map(|span| ids(span).0).collect();
    assert_eq!(traces.len(), 20);
}

/// Records that waited for their Template, in every shape.
#[test]
fn records_that_waited_have_spans_in_every_shape() {
    let values: &[(u32, u16, &[u8])] = &[(0, 1, &[5]), (0, 4, &[6])];
    let whole = ipfix(values);
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7)).data_set(256);
    writer.record().bytes(&[9]).bytes(&[6]);
    let early = writer.finish().unwrap().to_vec();
    for shape in [TraceShape::Packet, TraceShape::Conversation, TraceShape::Flow, TraceShape::Topology] {
        let mut exporter = shaped(shape);
        assert_eq!(named(&exporter.send(&early).1, "netflow.flow").count(), 0);
        let (_, spans) = exporter.send(&whole);
        let bytes: Vec<_> = named(&spans, "netflow.flow").map(|flow| flow.get("netflow.flow.bytes")).collect();
        assert_eq!(bytes, [Some("5"), Some("9")], "{shape:?}");
    }
}

/// Start and end of the flow's span in nanoseconds before it was processed, and whether they are marked.
fn flow_times(max_age: Duration, bytes: &[u8]) -> (u64, u64, bool) {
    let (_, spans) = Exporter::with_config(config(TraceShape::Packet, SpanTime::Flow { max_age })).send(bytes);
    let flow = named(&spans, "netflow.flow").next().unwrap();
    let processed_at = Timestamp::from_unix_seconds(EXPORT + 3).as_unix_nanos();
    let age = |time: Timestamp| processed_at - time.as_unix_nanos();
    (age(flow.start().start), age(flow.start().end), flow.get("netflow.flow.time_clamped").is_some())
}

#[test]
fn spans_have_the_times_of_their_flows() {
    const SECOND: u64 = 1_000_000_000;
    let seconds = Duration::from_secs;
    // From 6 to 1 s before the export, which was 3 s ago.
    let flow = v5(&[web()]);
    assert_eq!(flow_times(seconds(25), &flow), (9 * SECOND, 4 * SECOND, false));
    assert_eq!(flow_times(seconds(9), &flow), (9 * SECOND, 4 * SECOND, false));
    assert_eq!(flow_times(seconds(5), &flow), (5 * SECOND, 4 * SECOND, true));
    assert_eq!(flow_times(seconds(2), &flow), (2 * SECOND, 2 * SECOND, true));
    assert_eq!(flow_times(Duration::MAX, &flow), (9 * SECOND, 4 * SECOND, false));
    let at = |seconds: u64| (EXPORT + seconds).to_be_bytes();
    // Yet to come; the end before the start; an end alone; nothing.
    assert_eq!(flow_times(seconds(25), &ipfix(&[(0, 150, &at(2)[4..]), (0, 151, &at(60)[4..])])), (SECOND, 0, true));
    let turned = ipfix(&[(0, 150, &at(2)[4..]), (0, 151, &at(1)[4..])]);
    assert_eq!(flow_times(seconds(25), &turned), (SECOND, SECOND, false));
    assert_eq!(
        flow_times(seconds(25), &ipfix(&[(0, 1, &[5]), (0, 151, &at(1)[4..])])),
        (2 * SECOND, 2 * SECOND, false)
    );
    assert_eq!(flow_times(seconds(25), &ipfix(&[(0, 1, &[5])])), (0, 0, false));
}

/// The spans above keep the times of processing, and the parent.
#[test]
fn other_spans_have_the_times_of_processing() {
    let max_age = SpanTime::DEFAULT_MAX_AGE;
    let mut exporter = Exporter::with_config(config(TraceShape::Packet, SpanTime::Flow { max_age }));
    let (trace_id, spans) = exporter.send(&v5(&[web()]));
    let process = named(&spans, "netflow.process_flows").next().unwrap();
    let flow = named(&spans, "netflow.flow").next().unwrap();
    assert_eq!(flow.start().context.parent_span_id, Some(ids(process).1));
    assert_eq!(ids(flow).0, trace_id);
    assert_eq!(process.start().start, Timestamp::from_unix_seconds(EXPORT + 3));
}
