//! Spans straight into the protobuf bytes of one `ExportTraceServiceRequest`.
//!
//! A span is written once, front to back, into a buffer that lives as long as its [`BatchEncoder`]; nothing is
//! allocated for it. Every write goes through a window of constant size into that buffer, so that the key of an
//! attribute is a copy of constant size (a few vector moves) followed by an advance of its real length.

mod address;
mod attribute_key;
mod call;
mod fragment;
mod int_row;
mod limits;
mod span;
#[cfg(feature = "sdk")]
mod span_data;
pub(crate) mod wire;

pub use attribute_key::AttributeKey;
pub use call::Call;
pub use fragment::{AttributeFragment, SpanHead};
pub use int_row::IntRow;
pub use limits::SpanLimits;
pub use span::SpanBuilder;

use fragment::{END, PARENT_ID, SPAN_ID, START, TRACE_ID};
use limits::Bounds;

/// Longest string value, attribute key and span name in bytes; longer ones are cut at a character boundary. Spans of an
/// OpenTelemetry SDK keep theirs whole: its span limits are where to cut them.
pub const MAX_STRING_LEN: usize = 4096;

/// Smallest buffer: some hundred spans of a low-rate stream.
const MIN_BUFFER_LEN: usize = 64 * 1024;

/// Tag and two length bytes in front of a span: right for spans of 128 to 16,383 bytes, moved for others.
const SPAN_HEAD_LEN: usize = 3;

/// Identity of a span: its trace, itself, and the span it belongs to.
///
/// All-zero ids are invalid in OpenTelemetry, and receivers drop spans that carry them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanContext {
    /// Id of the trace.
    pub trace_id: [u8; 16],
    /// Id of the span, unique in its trace.
    pub span_id: [u8; 8],
    /// Id of the parent span; `None` for the root of a trace.
    pub parent_span_id: Option<[u8; 8]>,
}

/// `opentelemetry.proto.trace.v1.Span.SpanKind`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SpanKind {
    /// An operation inside an application.
    #[default]
    Internal = 1,
    /// The handling of a remote request.
    Server = 2,
    /// A request to a remote service.
    Client = 3,
    /// A message given to a broker.
    Producer = 4,
    /// A message taken from a broker.
    Consumer = 5,
}

/// Encodes spans of one scope into one `ExportTraceServiceRequest`: of one resource, but for those of a [`Call`].
///
/// Field order within a message is the order of the calls, which protobuf allows; lengths are canonical.
///
/// ```
/// use otlp_sink::{AttributeKey, BatchEncoder, SpanContext, SpanKind};
///
/// static BYTES: AttributeKey = AttributeKey::new("netflow.flow.bytes");
///
/// let mut encoder = BatchEncoder::new(&[("service.name".into(), "example".into())], "my-library", "1.0");
/// let context = SpanContext { trace_id: [1; 16], span_id: [2; 8], parent_span_id: None };
/// encoder.span(context, "transfer", SpanKind::Internal, 1_000, 2_000).int(&BYTES, 1500);
/// assert_eq!(encoder.spans(), 1);
/// let request: &[u8] = encoder.finish();
/// assert_eq!(request[0], 0x0a); // ExportTraceServiceRequest.resource_spans
/// ```
#[derive(Clone, Debug)]
pub struct BatchEncoder {
    /// Always initialised to its length; what lies past `end` is free.
    buf: Vec<u8>,
    /// End of the last finished span.
    end: usize,
    /// End of the groups of spans that have their envelopes. What comes one by one goes behind, with room for an envelope in
    /// front of the first.
    done: usize,
    /// Start of the last finished span, or call.
    last_span: usize,
    spans: usize,
    /// Attributes of the last finished span, before those beyond the limit were left out.
    last_attributes: usize,
    /// `ResourceSpans.resource`, tag and length included, and `schema_url`.
    resource: Box<[u8]>,
    /// Attributes of the resources of calls, but for the name.
    common: Box<[u8]>,
    /// `ScopeSpans.scope`, tag and length included, and `schema_url`.
    scope: Box<[u8]>,
    bounds: Bounds,
}

impl BatchEncoder {
    /// An encoder with nothing in it. Empty resource attributes or an empty scope name stay absent.
    pub fn new(resource: &[(String, String)], scope_name: &str, scope_version: &str) -> Self {
        let attributes: Vec<u8> = resource.iter().flat_map(|(key, value)| wire::attribute(key, value)).collect();
        let mut scope = Vec::new();
        for (tag, text) in [(0x0a, scope_name), (0x12, scope_version)] {
            if !text.is_empty() {
                wire::put_bytes(&mut scope, tag, text.as_bytes());
            }
        }
        let mut encoder = Self {
            buf: Vec::new(),
            end: 0,
            done: 0,
            last_span: 0,
            spans: 0,
            last_attributes: 0,
            resource: wire::message(0x0a, &attributes),
            common: Self::common(resource),
            scope: wire::message(0x0a, &scope),
            bounds: Bounds::new(SpanLimits::default()),
        };
        encoder.clear();
        encoder
    }

    /// Holds the attributes of later spans to `limits`.
    pub fn with_limits(mut self, limits: SpanLimits) -> Self {
        self.bounds = Bounds::new(limits);
        self
    }

    /// Begins a span. Times are Unix time in nanoseconds; a name longer than [`MAX_STRING_LEN`] is cut.
    ///
    /// The span becomes part of the batch when the builder is dropped, by [`SpanBuilder::end`] or otherwise.
    #[inline]
    pub fn span(
        &mut self,
        context: SpanContext,
        name: &str,
        kind: SpanKind,
        start_unix_nano: u64,
        end_unix_nano: u64,
    ) -> SpanBuilder<'_> {
        let pos = self.end + SPAN_HEAD_LEN;
        let mut span = SpanBuilder { encoder: self, pos, attributes: 0 };
        span.begin(context, kind, start_unix_nano, end_unix_nano);
        span.string_field(0x2a, name);
        span
    }

    /// Encodes what `write` adds to a span into `fragment`, in place of what it held. The batch stays as it is.
    pub fn fragment(&mut self, fragment: &mut AttributeFragment, write: impl FnOnce(SpanBuilder<'_>)) {
        let pos = self.end + SPAN_HEAD_LEN;
        let write = |encoder: &mut Self| write(SpanBuilder { encoder, pos, attributes: 0 });
        fragment.attributes = self.aside(&mut fragment.bytes, write);
    }

    /// Encodes the beginning of a span and what `write` adds to it into `head`, in place of what it held. The batch stays
    /// as it is, and the span ID of `context` has no meaning.
    pub fn head(
        &mut self,
        head: &mut SpanHead,
        context: SpanContext,
        name: &str,
        kind: SpanKind,
        (start_unix_nano, end_unix_nano): (u64, u64),
        write: impl FnOnce(SpanBuilder<'_>),
    ) {
        let write = |encoder: &mut Self| write(encoder.span(context, name, kind, start_unix_nano, end_unix_nano));
        head.attributes = self.aside(&mut head.bytes, write);
        head.has_parent = context.parent_span_id.is_some();
    }

    /// Begins a span with a head that was encoded before.
    #[inline]
    pub fn span_with(&mut self, head: &SpanHead, span_id: [u8; 8]) -> SpanBuilder<'_> {
        let pos = self.end + SPAN_HEAD_LEN;
        let mut span = SpanBuilder { encoder: self, pos, attributes: head.attributes };
        span.put(&head.bytes);
        if let Some(place) = span.encoder.buf[pos..].get_mut(SPAN_ID) {
            place.copy_from_slice(&span_id);
        }
        span
    }

    /// Begins a span with a head that was encoded before, in a trace of its own and with its own times. It has a parent where
    /// the head has one.
    #[inline]
    pub fn span_of(
        &mut self,
        head: &SpanHead,
        context: SpanContext,
        (start_unix_nano, end_unix_nano): (u64, u64),
    ) -> SpanBuilder<'_> {
        let pos = self.end + SPAN_HEAD_LEN;
        let span = self.span_with(head, context.span_id);
        let head_len = head.bytes.len();
        let mut place = |range: std::ops::Range<usize>, bytes: &[u8]| {
            if let Some(place) = span.encoder.buf[pos..pos + head_len].get_mut(range) {
                place.copy_from_slice(bytes);
            }
        };
        place(TRACE_ID, &context.trace_id);
        place(START, &start_unix_nano.to_le_bytes());
        place(END, &end_unix_nano.to_le_bytes());
        if head.has_parent {
            place(PARENT_ID, &context.parent_span_id.unwrap_or_default());
        }
        span
    }

    /// Moves the content of the span that `write` adds out of the batch; returns how many attributes it has.
    fn aside(&mut self, content: &mut Vec<u8>, write: impl FnOnce(&mut Self)) -> usize {
        let (end, last_span, spans) = (self.end, self.last_span, self.spans);
        // Part of a span: the limits are for the whole.
        let unseen = std::mem::replace(&mut self.bounds.unseen, usize::MAX);
        write(self);
        self.bounds.unseen = unseen;
        // Tag, length, content: as every span.
        let span = &self.buf[end + 1..self.end];
        let length_len = span.iter().take_while(|byte| **byte >= 0x80).count() + 1;
        content.clear();
        content.extend_from_slice(&span[length_len..]);
        (self.end, self.last_span, self.spans) = (end, last_span, spans);
        self.last_attributes
    }

    /// Finished spans in the batch.
    #[inline]
    pub fn spans(&self) -> usize {
        self.spans
    }

    /// Size of the request that [`finish`](Self::finish) would give, too large by no more than resource and scope
    /// take; 0 without spans.
    #[inline]
    pub fn request_len(&self) -> usize {
        if self.spans == 0 { 0 } else { self.end }
    }

    /// Completes the request and lends its bytes. Call [`clear`](Self::clear) to begin the next one.
    ///
    /// More spans may be added afterwards, and `finish` be called again.
    pub fn finish(&mut self) -> &[u8] {
        let range = self.complete();
        &self.buf[range]
    }

    /// Completes the request; returns where it lies.
    fn complete(&mut self) -> std::ops::Range<usize> {
        if self.done == 0 {
            return self.seal();
        }
        if self.end > self.done + self.headroom() {
            self.close_group();
        }
        0..self.done
    }

    /// Forgets all spans and keeps the buffer.
    pub fn clear(&mut self) {
        let headroom = self.headroom();
        if self.buf.len() < headroom + MIN_BUFFER_LEN {
            self.buf.resize(headroom + MIN_BUFFER_LEN, 0);
        }
        self.done = 0;
        self.end = headroom;
        self.last_span = headroom;
        self.spans = 0;
    }

    /// Writes the envelope around the spans that came one by one, right before the first; returns where both lie.
    fn seal(&mut self) -> std::ops::Range<usize> {
        let end = self.end;
        let mut at = self.done + self.headroom();
        let mut prepend = |part: &[u8]| {
            at -= part.len();
            self.buf[at..at + part.len()].copy_from_slice(part);
            end - at
        };
        // ScopeSpans { scope, spans.. } inside ResourceSpans { resource, scope_spans } inside the request.
        let scope_spans_len = prepend(&self.scope);
        let head = wire::head(0x12, scope_spans_len);
        prepend(head.as_slice());
        let resource_spans_len = prepend(&self.resource);
        let head = wire::head(0x0a, resource_spans_len);
        prepend(head.as_slice());
        at..end
    }

    /// Hands out the finished request with the buffer it lies in, and goes on in `spare`.
    pub(crate) fn replace_buffer(&mut self, spare: Vec<u8>) -> (Vec<u8>, std::ops::Range<usize>) {
        let range = self.complete();
        let full = std::mem::replace(&mut self.buf, spare);
        self.clear();
        (full, range)
    }

    /// Bytes the buffer takes in memory.
    pub(crate) fn buffer_len(&self) -> usize {
        self.buf.len()
    }

    fn headroom(&self) -> usize {
        self.resource.len() + self.scope.len() + 2 * wire::MAX_HEAD_LEN
    }

    /// Holds a span with so many bytes to the limits; returns how many it has then.
    #[cold]
    fn trim(&mut self, len: usize) -> usize {
        let body = self.end + SPAN_HEAD_LEN;
        let trimmed = self.bounds.trimmed(&self.buf[body..body + len]);
        // Nothing grows: the number of those left out takes fewer bytes than one of them.
        self.buf[body..body + trimmed.len()].copy_from_slice(&trimmed);
        trimmed.len()
    }

    /// Ends a span whose length does not take two bytes: its content moves.
    #[cold]
    fn finish_unusual(&mut self, len: usize) {
        let start = self.end;
        self.end = start + SPAN_HEAD_LEN + len;
        self.close(start, 0x12);
    }

    #[cold]
    fn grow(&mut self, needed: usize) {
        self.buf.resize(needed.max(2 * self.buf.len()), 0);
    }
}

/// The longest prefix of `text` that is within [`MAX_STRING_LEN`] and ends at a character boundary.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_STRING_LEN)]
}
