//! Limits of a span's attributes.

use super::span::SHORT_STRING_LEN;
use super::wire::put_varint;
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
    /// Strings of so many bytes need no look: they have no more characters.
    pub(super) uncut_len: usize,
    /// The same, up to [`SHORT_STRING_LEN`].
    pub(super) short_len: usize,
    value_length: usize,
    /// A span of so many bytes needs no look: it has no room for more attributes.
    pub(super) uncounted_len: usize,
    count: usize,
}

/// Bytes of the shortest attribute: tag and length four times, of itself, its key, its value and what is in that.
const MIN_ATTRIBUTE_LEN: usize = 8;

impl Bounds {
    pub(super) fn new(limits: SpanLimits) -> Self {
        let value_length = limits.attribute_value_length.unwrap_or(MAX_STRING_LEN);
        let uncut_len = value_length.min(MAX_STRING_LEN);
        let count = limits.attribute_count.unwrap_or(usize::MAX);
        Self {
            uncut_len,
            short_len: uncut_len.min(SHORT_STRING_LEN),
            value_length,
            uncounted_len: count.saturating_mul(MIN_ATTRIBUTE_LEN),
            count,
        }
    }

    pub(super) fn without_count(self) -> Self {
        Self { uncounted_len: usize::MAX, count: usize::MAX, ..self }
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

    /// The fields of a span without the attributes beyond the limit, and with their number; `None` when there are none.
    #[cold]
    pub(super) fn trimmed(&self, span: &[u8]) -> Option<Vec<u8>> {
        let is_attribute = |number, field: &Field<'_>| number == ATTRIBUTES && matches!(field, Field::Bytes(_));
        let attributes = Reader::new(span).filter(|(number, field)| is_attribute(*number, field)).count();
        let dropped = attributes.checked_sub(self.count).filter(|dropped| *dropped > 0)?;
        let mut trimmed = Vec::with_capacity(span.len());
        let (mut left, mut start) = (self.count, 0);
        let mut fields = Reader::new(span);
        while let Some((number, field)) = fields.next() {
            let end = span.len() - fields.rest().len();
            if !is_attribute(number, &field) {
                trimmed.extend_from_slice(&span[start..end]);
            } else if left > 0 {
                left -= 1;
                trimmed.extend_from_slice(&span[start..end]);
            }
            start = end;
        }
        trimmed.push(DROPPED_ATTRIBUTES_COUNT << 3);
        let mut count = [0; 10];
        let len = put_varint(&mut count, dropped as u64);
        trimmed.extend_from_slice(&count[..len]);
        Some(trimmed)
    }
}

/// `Span.attributes`
const ATTRIBUTES: u32 = 9;

/// `Span.dropped_attributes_count`
const DROPPED_ATTRIBUTES_COUNT: u8 = 10;
