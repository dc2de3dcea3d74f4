//! What is encoded decodes to what was asked for, by `opentelemetry-proto`.
#![allow(clippy::unwrap_used)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_sink::{
    AttributeFragment, AttributeKey, BatchEncoder, MAX_STRING_LEN, SpanBuilder, SpanContext, SpanHead, SpanKind,
    SpanLimits,
};
use proptest::prelude::*;
use prost::Message;

proptest! {
    #[test]
    fn arbitrary_spans_decode_to_themselves(data in proptest::collection::vec(any::<u8>(), 0..6000)) {
        testkit::invariants::encoder(&data);
    }
}

const CONTEXT: SpanContext = SpanContext { trace_id: [1; 16], span_id: [2; 8], parent_span_id: None };

fn decoded(encoder: &mut BatchEncoder) -> Vec<Span> {
    let mut request = ExportTraceServiceRequest::decode(encoder.finish()).unwrap();
    request.resource_spans.remove(0).scope_spans.remove(0).spans
}

fn encoder() -> BatchEncoder {
    BatchEncoder::new(&[("service.name".into(), "test".into())], "test", "1")
}

/// A span's length takes one, two or three bytes; two are kept free for it.
#[test]
fn spans_of_every_length_of_their_length_decode() {
    let mut encoder = encoder();
    let key = AttributeKey::new("k");
    for size in [0, 64, 70, 80, 4000, 16_000, 16_300, 16_384, 40_000] {
        let mut span = encoder.span(CONTEXT, "", SpanKind::Internal, 1, 2);
        let text = "x".repeat(size);
        for start in (0..size).step_by(MAX_STRING_LEN) {
            span.str(&key, &text[start..size.min(start + MAX_STRING_LEN)]);
        }
    }
    let lengths: Vec<usize> = decoded(&mut encoder)
        .iter()
        .map(|span| span.attributes.iter().map(|attribute| text(attribute.value.clone().unwrap().value).len()).sum())
        .collect();
    assert_eq!(lengths, [0, 64, 70, 80, 4000, 16_000, 16_300, 16_384, 40_000]);
}

fn text(value: Option<Value>) -> String {
    match value {
        Some(Value::StringValue(text)) => text,
        other => panic!("not a string: {other:?}"),
    }
}

#[test]
fn strings_are_cut_at_a_character_boundary() {
    let mut encoder = encoder();
    let long = "€".repeat(2000);
    let key = AttributeKey::from(long.clone());
    let mut span = encoder.span(CONTEXT, &long, SpanKind::Internal, 1, 2);
    span.str(&key, &long).str_array(&AttributeKey::new("array"), [&*long]).trace_state(&long).status_error(&long);
    drop(span);
    let span = decoded(&mut encoder).remove(0);
    let cut = "€".repeat(MAX_STRING_LEN / 3);
    assert_eq!(span.name, cut);
    assert_eq!(span.attributes[0].key, cut);
    assert_eq!(text(span.attributes[0].value.clone().unwrap().value), cut);
    assert_eq!(span.trace_state, cut);
    assert_eq!(span.status.unwrap().message, cut);
    match span.attributes[1].value.clone().unwrap().value {
        Some(Value::ArrayValue(array)) => assert_eq!(text(array.values[0].value.clone()), cut),
        other => panic!("not an array: {other:?}"),
    }
}

fn limited(change: impl FnOnce(&mut SpanLimits)) -> BatchEncoder {
    let mut limits = SpanLimits::default();
    change(&mut limits);
    encoder().with_limits(limits)
}

/// "Attribute Limits" of the specification: characters count, each string of an array alone, nothing but attributes.
#[test]
fn values_are_cut_at_the_limit_however_they_are_written() {
    let (key, long_key) = (AttributeKey::new("key"), AttributeKey::from("k".repeat(100)));
    let v6 = "2001:db8:1:2:3:4:5:6".parse().unwrap();
    let mut ascii = [b' '; 48];
    ascii[..10].copy_from_slice(b"0123456789");
    for length in [0, 3, 9, 60] {
        let mut encoder = limited(|limits| limits.attribute_value_length = Some(length));
        let mut fragment = AttributeFragment::default();
        let many = "äöü€".repeat(30);
        encoder.fragment(&mut fragment, |mut span| {
            span.str(&key, "0123456789");
        });
        let mut span = encoder.span(CONTEXT, "a name beyond every limit", SpanKind::Internal, 1, 2);
        for key in [&key, &long_key] {
            span.str(key, "0123456789").str(key, &many).ascii(key, &ascii, 10);
            span.ipv4(key, "192.0.2.100".parse().unwrap()).address(key, v6).str_array(key, ["0123456789", &*many]);
        }
        span.fragment(&fragment).int(&key, 1_000_000_000);
        drop(span);
        let span = decoded(&mut encoder).remove(0);
        assert_eq!(span.name, "a name beyond every limit");
        let mut texts = Vec::new();
        for attribute in span.attributes {
            match attribute.value.unwrap().value.unwrap() {
                Value::ArrayValue(array) => texts.extend(array.values.into_iter().map(|value| text(value.value))),
                Value::IntValue(number) => assert_eq!(number, 1_000_000_000),
                value => texts.push(text(Some(value))),
            }
        }
        let short = |text: &str| text.chars().take(length).collect::<String>();
        let each = ["0123456789", &many, "0123456789", "192.0.2.100", "2001:db8:1:2:3:4:5:6", "0123456789", &many];
        let each: Vec<_> = each.iter().map(|text| short(text)).collect();
        assert_eq!(texts, [&each[..], &each, &[short("0123456789")]].concat(), "{length}");
    }
}

/// Those that come first stay; parts that are encoded before count where they are used, and every field but attributes stays.
#[test]
fn attributes_beyond_the_limit_are_counted() {
    let key = AttributeKey::new("k");
    let numbers = |span: &Span| -> Vec<i64> {
        let number = |value| if let Some(Value::IntValue(number)) = value { number } else { panic!("{value:?}") };
        span.attributes.iter().map(|attribute| number(attribute.value.clone().unwrap().value)).collect()
    };
    let write = |span: &mut SpanBuilder<'_>, numbers: std::ops::Range<i64>| {
        for number in numbers {
            span.int(&key, number);
        }
    };
    for (count, limit) in [(0, 0), (1, 0), (5, 5), (6, 5), (400, 5), (128, 128), (129, 128), (3000, 128)] {
        let mut encoder = limited(|limits| limits.attribute_count = Some(limit));
        let (mut head, mut fragment) = (SpanHead::default(), AttributeFragment::default());
        let half = count / 2;
        encoder.head(&mut head, CONTEXT, "name", SpanKind::Server, (1, 2), |mut span| {
            write(&mut span, 0..half / 2);
        });
        encoder.fragment(&mut fragment, |mut span| write(&mut span, half / 2..half));
        for _ in 0..2 {
            let mut span = encoder.span_with(&head, [7; 8]);
            span.trace_state("a=b").fragment(&fragment).link([3; 16], [4; 8]);
            write(&mut span, half..count);
            span.status_error("message");
        }
        for span in decoded(&mut encoder) {
            let kept = count.min(limit as i64);
            assert_eq!(numbers(&span), (0..kept).collect::<Vec<_>>(), "{count} {limit}");
            assert_eq!(i64::from(span.dropped_attributes_count), count - kept);
            assert_eq!((span.name.as_str(), span.trace_state.as_str(), span.links.len()), ("name", "a=b", 1));
            assert_eq!((span.span_id, span.status.unwrap().message), (vec![7; 8], "message".to_owned()));
        }
    }
}

/// A head may be for spans of many traces: IDs and times, and the parent where there is one, are then those of the span.
#[test]
fn spans_of_a_head_may_have_a_trace_and_times_of_their_own() {
    for parent_span_id in [None, Some([9; 8])] {
        let mut encoder = encoder();
        let mut head = SpanHead::default();
        let placeholder = SpanContext { parent_span_id, ..CONTEXT };
        encoder.head(&mut head, placeholder, "name", SpanKind::Server, (1, 2), |mut span| {
            span.int(&AttributeKey::new("k"), 5);
        });
        for number in 1..4 {
            let context = SpanContext {
                trace_id: [number; 16],
                span_id: [number; 8],
                parent_span_id: parent_span_id.map(|_| [number; 8]),
            };
            encoder.span_of(&head, context, (number.into(), 100)).end();
            let span = decoded(&mut encoder).pop().unwrap();
            let expected_parent = parent_span_id.map_or_else(Vec::new, |_| vec![number; 8]);
            assert_eq!((span.trace_id, span.span_id), (vec![number; 16], vec![number; 8]));
            assert_eq!((span.parent_span_id, span.kind), (expected_parent, 2));
            assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (number.into(), 100));
            assert_eq!((span.name.as_str(), span.attributes.len()), ("name", 1));
        }
    }
}

/// The 10-byte varints of negative numbers and both extremes.
#[test]
fn integers_keep_their_sign() {
    let mut encoder = encoder();
    let key = AttributeKey::new("n");
    let values = [0, 1, -1, 127, 128, i64::MAX, i64::MIN, (1 << 56) - 1, 1 << 56];
    let mut span = encoder.span(CONTEXT, "", SpanKind::Internal, 1, 2);
    for value in values {
        span.int(&key, value);
    }
    drop(span);
    let found: Vec<_> = decoded(&mut encoder)[0].attributes.iter().map(|a| a.value.clone().unwrap().value).collect();
    assert_eq!(found, values.map(|value| Some(Value::IntValue(value))));
}

/// Leaking a builder loses its span and nothing else.
#[test]
fn a_forgotten_builder_leaves_no_trace() {
    let mut encoder = encoder();
    encoder.span(CONTEXT, "first", SpanKind::Internal, 1, 2).end();
    std::mem::forget(encoder.span(CONTEXT, "leaked", SpanKind::Internal, 1, 2));
    encoder.span(CONTEXT, "second", SpanKind::Internal, 1, 2).end();
    let names: Vec<_> = decoded(&mut encoder).into_iter().map(|span| span.name).collect();
    assert_eq!(names, ["first", "second"]);
}

#[test]
fn finish_may_be_called_again_after_more_spans() {
    let mut encoder = encoder();
    encoder.span(CONTEXT, "first", SpanKind::Internal, 1, 2).end();
    assert_eq!(decoded(&mut encoder).len(), 1);
    encoder.span(CONTEXT, "second", SpanKind::Internal, 1, 2).end();
    assert_eq!(decoded(&mut encoder).len(), 2);
    encoder.clear();
    encoder.span(CONTEXT, "third", SpanKind::Internal, 1, 2).end();
    assert_eq!(decoded(&mut encoder)[0].name, "third");
}

/// Padding an overlong varint is allowed to readers but not canonical: lengths are the shortest.
#[test]
fn encoding_equals_prost_byte_for_byte_in_field_order() {
    let mut encoder = BatchEncoder::new(&[], "", "");
    let context = SpanContext { trace_id: [7; 16], span_id: [8; 8], parent_span_id: None };
    let mut span = encoder.span(context, "n", SpanKind::Server, 1, 2);
    span.int(&AttributeKey::new("a"), 300).str(&AttributeKey::new("b"), &"y".repeat(100));
    drop(span);
    let ours = encoder.finish().to_vec();
    let prost = ExportTraceServiceRequest::decode(&*ours).unwrap().encode_to_vec();
    // Same fields, in another order: same length.
    assert_eq!(ours.len(), prost.len());
}
