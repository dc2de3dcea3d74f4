//! Parts of a span that many spans share.

/// Attributes encoded once, to be added to many spans by one copy.
///
/// Filled by [`BatchEncoder::fragment`](crate::BatchEncoder::fragment) or
/// [`SpanWriter::fragment`](crate::SpanWriter::fragment), added by
/// [`SpanBuilder::fragment`](crate::SpanBuilder::fragment).
#[derive(Clone, Debug, Default)]
pub struct AttributeFragment {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: usize,
}

impl AttributeFragment {
    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

/// What spans of one trace begin with, encoded once: everything of the context but the span ID, the kind, the times, the
/// name, and attributes.
///
/// Filled by [`BatchEncoder::head`](crate::BatchEncoder::head) or [`SpanWriter::head`](crate::SpanWriter::head); spans
/// begin with it by [`BatchEncoder::span_with`](crate::BatchEncoder::span_with) or
/// [`SpanWriter::span_with`](crate::SpanWriter::span_with).
#[derive(Clone, Debug, Default)]
pub struct SpanHead {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: usize,
}

/// Where the span ID lies in a span: behind the trace ID, with tag and length in front of each.
pub(super) const SPAN_ID: std::ops::Range<usize> = 20..28;
