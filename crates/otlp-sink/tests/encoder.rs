//! What is encoded decodes to what was asked for, by `opentelemetry-proto`.
#![allow(clippy::unwrap_used)]

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use otlp_sink::{AttributeKey, BatchEncoder, MAX_STRING_LEN, SpanContext, SpanKind};
use proptest::prelude::*;
use prost::Message;

proptest! {
    #[test]
    fn arbitrary_spans_decode_to_themselves(data in proptest::collection::vec(any::<u8>(), 0..4000)) {
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
