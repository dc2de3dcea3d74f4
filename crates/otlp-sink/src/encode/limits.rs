//! Limits of a span's attributes.

use super::span::SHORT_STRING_LEN;
use super::wire::put_varint;
use super::{MAX_STRING_LEN, cut};
use crate::reader::Reader;

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
    /// Attributes of a span.
    pub(super) count: usize,
}

impl Bounds {
    pub(super) fn new(limits: SpanLimits) -> Self {
        let value_length = limits.attribute_value_length.unwrap_or(MAX_STRING_LEN);
        let uncut_len = value_length.min(MAX_STRING_LEN);
        let count = limits.attribute_count.unwrap_or(usize::MAX);
        Self { uncut_len, short_len: uncut_len.min(SHORT_STRING_LEN), value_length, count }
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

    /// The fields of a span that has too many attributes, without those beyond the limit and with their number.
    #[cold]
    pub(super) fn trimmed(&self, span: &[u8]) -> Vec<u8> {
        let mut trimmed = Vec::with_capacity(span.len());
        let (mut attributes, mut start) = (0, 0);
        let mut fields = Reader::new(span);
        while let Some((number, _)) = fields.next() {
            let end = span.len() - fields.rest().len();
            attributes += usize::from(number == ATTRIBUTES);
            if number != ATTRIBUTES || attributes <= self.count {
                trimmed.extend_from_slice(&span[start..end]);
            }
            start = end;
        }
        trimmed.push(DROPPED_ATTRIBUTES_COUNT << 3);
        let mut count = [0; 10];
        let len = put_varint(&mut count, attributes.saturating_sub(self.count) as u64);
        trimmed.extend_from_slice(&count[..len]);
        trimmed
    }
}

/// `Span.attributes`
const ATTRIBUTES: u32 = 9;

/// `Span.dropped_attributes_count`
const DROPPED_ATTRIBUTES_COUNT: u8 = 10;
