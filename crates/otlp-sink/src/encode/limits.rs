//! Limits of a span's attributes.

use super::span::SHORT_STRING_LEN;
use super::wire::{put_bytes, put_varint};
use super::{MAX_STRING_LEN, cut};
use crate::reader::{Field, Reader};

/// Limits of the attributes of a span ("Attribute Limits" of the OpenTelemetry specification).
///
/// ```
/// use otlp_sink::{AttributeKey, BatchEncoder, SpanContext, SpanKind, SpanLimits};
///
/// static NAME: AttributeKey = AttributeKey::new("interface.name");
///
/// let mut limits = SpanLimits::default();
/// limits.attribute_value_length = Some(4);
/// let mut encoder = BatchEncoder::new(&[], "", "").with_limits(limits);
/// let context = SpanContext { trace_id: [1; 16], span_id: [2; 8], parent_span_id: None };
/// encoder.span(context, "flow", SpanKind::Internal, 1, 2).str(&NAME, "eth0.100");
/// let request = encoder.finish();
/// assert!(request.ends_with(b"eth0"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanLimits {
    /// Characters of a string, each of those in an array; what is longer is cut. Default `None`; above that, and then too,
    /// [`MAX_STRING_LEN`] holds.
    pub attribute_value_length: Option<usize>,
    /// Attributes of a span; those that come after are left out and counted in `dropped_attributes_count`. Default 128, as
    /// the specification has it.
    pub attribute_count: Option<usize>,
}

impl Default for SpanLimits {
    fn default() -> Self {
        Self { attribute_value_length: None, attribute_count: Some(128) }
    }
}

/// The limits as the encoder asks for them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// A span of so many attributes needs no look when it is whole. Short strings are written without one; where they may be
    /// too long, that is 0.
    pub(super) unseen: usize,
    count: usize,
    value_length: usize,
}

impl Bounds {
    pub(super) fn new(limits: SpanLimits) -> Self {
        let value_length = limits.attribute_value_length.unwrap_or(MAX_STRING_LEN);
        let count = limits.attribute_count.unwrap_or(usize::MAX);
        let unseen = if value_length < SHORT_STRING_LEN { 0 } else { count };
        Self { unseen, count, value_length }
    }

    /// The longest prefix of a value that is within the limits.
    #[cold]
    pub(super) fn cut<'a>(&self, value: &'a str) -> &'a str {
        let value = cut(value);
        match value.char_indices().nth(self.value_length) {
            Some((end, _)) => &value[..end],
            None => value,
        }
    }

    /// The fields of a span, without attributes beyond the limit and with their number, and with values that are cut.
    #[cold]
    pub(super) fn trimmed(&self, span: &[u8]) -> Vec<u8> {
        let mut trimmed = Vec::with_capacity(span.len());
        let (mut attributes, mut dropped, mut start) = (0, 0, 0);
        let mut fields = Reader::new(span);
        while let Some((number, field)) = fields.next() {
            let end = span.len() - fields.rest().len();
            match number {
                ATTRIBUTES if attributes < self.count => {
                    attributes += 1;
                    put_bytes(&mut trimmed, 0x4a, &self.key_value(field.bytes()));
                }
                ATTRIBUTES => dropped += 1,
                // Some were left out before.
                DROPPED_ATTRIBUTES_COUNT => dropped += field.number(),
                _ => trimmed.extend_from_slice(&span[start..end]),
            }
            start = end;
        }
        if dropped > 0 {
            trimmed.push((DROPPED_ATTRIBUTES_COUNT as u8) << 3);
            let mut count = [0; 10];
            let len = put_varint(&mut count, dropped);
            trimmed.extend_from_slice(&count[..len]);
        }
        trimmed
    }

    /// A `KeyValue` with its value cut.
    fn key_value(&self, key_value: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(key_value.len());
        for (number, field) in Reader::new(key_value) {
            let is_key = number == 1;
            let content = if is_key { field.bytes().to_vec() } else { self.any_value(field.bytes()) };
            put_bytes(&mut out, if is_key { 0x0a } else { 0x12 }, &content);
        }
        out
    }

    /// An `AnyValue` with its string, or each of its array, cut.
    fn any_value(&self, any_value: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(any_value.len());
        match Reader::new(any_value).next() {
            Some((1, text)) => put_bytes(&mut out, 0x0a, self.cut(&text.text()).as_bytes()),
            Some((5, Field::Bytes(array))) => {
                let mut values = Vec::with_capacity(array.len());
                for value in Reader::new(array).messages(1) {
                    put_bytes(&mut values, 0x0a, &self.any_value(value.rest()));
                }
                put_bytes(&mut out, 0x2a, &values);
            }
            _ => out.extend_from_slice(any_value),
        }
        out
    }
}

/// `Span.attributes`
const ATTRIBUTES: u32 = 9;

/// `Span.dropped_attributes_count`
const DROPPED_ATTRIBUTES_COUNT: u32 = 10;
