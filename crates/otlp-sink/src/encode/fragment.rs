//! Parts of a span that many spans share.

use std::ops::Range;

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
/// [`SpanWriter::span_with`](crate::SpanWriter::span_with), and with a context and times of their own by
/// [`BatchEncoder::span_of`](crate::BatchEncoder::span_of) or [`SpanWriter::span_of`](crate::SpanWriter::span_of).
#[derive(Clone, Debug, Default)]
pub struct SpanHead {
    pub(super) bytes: Vec<u8>,
    pub(super) attributes: usize,
    pub(super) has_parent: bool,
}

/// Where the IDs and times lie in a span, with tags and lengths in front of them: as `SpanBuilder::begin` writes them.
pub(super) const TRACE_ID: Range<usize> = 2..18;
pub(super) const SPAN_ID: Range<usize> = 20..28;
pub(super) const START: Range<usize> = 29..37;
pub(super) const END: Range<usize> = 38..46;
pub(super) const KIND: usize = 47;
/// If there is a parent.
pub(super) const PARENT_ID: Range<usize> = 50..58;
