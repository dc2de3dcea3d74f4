//! The joint between attributes and OTLP bytes.

use std::net::{IpAddr, Ipv4Addr};

use flow_semconv::{
    Attribute, AttributeWriter, ExtraValue, Schema, ShortText, SpanParts, SpanSink, SpanStart, TraceContext,
};
use flow_state::Timestamp;
use otlp_sink::{AttributeFragment, AttributeKey, IntRow, SpanBuilder, SpanContext, SpanHead, SpanKind, SpanWriter};

/// The keys of a schema, encoded once.
#[derive(Debug)]
pub struct AttributeKeys(Box<[AttributeKey; Attribute::ALL.len()]>);

impl AttributeKeys {
    /// The keys of a schema.
    pub fn new(schema: Schema) -> Self {
        let key = |number: usize| AttributeKey::new(Attribute::ALL[number].key(schema));
        Self(Box::new(std::array::from_fn(key)))
    }

    /// A row of integer attributes, each with the bytes that its values have.
    pub fn row(&self, columns: &[(Attribute, usize)]) -> IntRow {
        IntRow::new(columns.iter().map(|&(attribute, bytes)| (&self.0[attribute as usize], bytes)))
    }
}

/// What is encoded ahead, in the types of `otlp-sink`.
#[derive(Debug)]
pub enum OtlpParts {}

impl SpanParts for OtlpParts {
    type Head = SpanHead;
    type Fragment = AttributeFragment;
    type Row = IntRow;
    type Key = AttributeKey;
}

/// A span on its way into an OTLP batch.
#[derive(Debug)]
pub struct OtlpSpan<'a> {
    span: SpanBuilder<'a>,
    keys: &'a AttributeKeys,
}

impl<'a> OtlpSpan<'a> {
    /// Begins a span with `begin`, which is the `span` of a writer or an encoder of `otlp-sink`.
    #[inline]
    pub fn begin(
        start: &SpanStart,
        keys: &'a AttributeKeys,
        begin: impl FnOnce(SpanContext, &str, SpanKind, u64, u64) -> SpanBuilder<'a>,
    ) -> Self {
        let context = span_context(&start.context);
        let (from, to) = (start.start.as_unix_nanos(), start.end.as_unix_nanos());
        let mut span = begin(context, start.name, SpanKind::Internal, from, to);
        if let Some((trace_id, span_id)) = start.link {
            span.link(trace_id.to_be_bytes(), span_id.to_be_bytes());
        }
        Self { span, keys }
    }

    /// A span that has begun already, or the part of one.
    #[inline]
    pub const fn new(span: SpanBuilder<'a>, keys: &'a AttributeKeys) -> Self {
        Self { span, keys }
    }

    #[inline]
    fn key(&self, attribute: Attribute) -> &'a AttributeKey {
        &self.keys.0[attribute as usize]
    }
}

/// The identity of a span as `otlp-sink` has it.
#[inline]
pub fn span_context(context: &TraceContext) -> SpanContext {
    SpanContext {
        trace_id: context.trace_id.to_be_bytes(),
        span_id: context.span_id.to_be_bytes(),
        parent_span_id: context.parent_span_id.map(u64::to_be_bytes),
    }
}

impl AttributeWriter for OtlpSpan<'_> {
    type Parts = OtlpParts;

    #[inline]
    fn int(&mut self, attribute: Attribute, value: i64) {
        self.span.int(self.key(attribute), value);
    }

    #[inline]
    fn double(&mut self, attribute: Attribute, value: f64) {
        self.span.double(self.key(attribute), value);
    }

    #[inline]
    fn str(&mut self, attribute: Attribute, value: &str) {
        self.span.str(self.key(attribute), value);
    }

    #[inline]
    fn text(&mut self, attribute: Attribute, value: &ShortText) {
        self.span.ascii(self.key(attribute), value.padded(), value.len());
    }

    #[inline]
    fn address(&mut self, attribute: Attribute, value: IpAddr) {
        self.span.address(self.key(attribute), value);
    }

    #[inline]
    fn ipv4(&mut self, attribute: Attribute, value: Ipv4Addr) {
        self.span.ipv4(self.key(attribute), value);
    }

    #[inline]
    fn fragment(&mut self, fragment: &AttributeFragment) {
        self.span.fragment(fragment);
    }

    #[inline]
    fn row(&mut self, row: &IntRow, values: impl Iterator<Item = u64>) {
        self.span.int_row(row, values);
    }

    #[inline]
    fn strs(&mut self, attribute: Attribute, values: &[&str]) {
        self.span.str_array(self.key(attribute), values.iter().copied());
    }

    #[inline]
    fn bool(&mut self, attribute: Attribute, value: bool) {
        self.span.bool(self.key(attribute), value);
    }

    #[inline]
    fn extra(&mut self, key: &AttributeKey, value: ExtraValue<'_>) {
        match value {
            ExtraValue::Int(value) => self.span.int(key, value),
            ExtraValue::Double(value) => self.span.double(key, value),
            ExtraValue::Bool(value) => self.span.bool(key, value),
            ExtraValue::Str(value) => self.span.str(key, value),
            _ => &mut self.span,
        };
    }

    #[inline]
    fn trace_state(&mut self, value: &ShortText) {
        self.span.trace_state(value.as_str());
    }

    #[cold]
    fn error(&mut self, message: &str) {
        self.span.status_error(message);
    }
}

/// A writer of `otlp-sink` as a sink of flow spans.
pub(crate) struct WriterSpans<'a> {
    pub(crate) writer: &'a mut SpanWriter,
    pub(crate) keys: &'a AttributeKeys,
    /// Spans begun.
    pub(crate) count: u64,
}

impl SpanSink for WriterSpans<'_> {
    type Parts = OtlpParts;
    type Span<'s>
        = OtlpSpan<'s>
    where
        Self: 's;

    #[inline]
    fn span(&mut self, start: &SpanStart) -> OtlpSpan<'_> {
        self.count += 1;
        OtlpSpan::begin(start, self.keys, |context, name, kind, from, to| {
            self.writer.span(context, name, kind, from, to)
        })
    }

    fn head(&mut self, head: &mut SpanHead, start: &SpanStart, write: impl FnOnce(&mut OtlpSpan<'_>)) {
        let times = (start.start.as_unix_nanos(), start.end.as_unix_nanos());
        self.writer.head(head, span_context(&start.context), start.name, SpanKind::Internal, times, |span| {
            write(&mut OtlpSpan::new(span, self.keys));
        });
    }

    #[inline]
    fn span_with(&mut self, head: &SpanHead, span_id: u64) -> OtlpSpan<'_> {
        self.count += 1;
        OtlpSpan::new(self.writer.span_with(head, span_id.to_be_bytes()), self.keys)
    }

    #[inline]
    fn span_of(&mut self, head: &SpanHead, context: TraceContext, times: (Timestamp, Timestamp)) -> OtlpSpan<'_> {
        self.count += 1;
        let times = (times.0.as_unix_nanos(), times.1.as_unix_nanos());
        OtlpSpan::new(self.writer.span_of(head, span_context(&context), times), self.keys)
    }

    fn fragment(&mut self, fragment: &mut AttributeFragment, write: impl FnOnce(&mut OtlpSpan<'_>)) {
        self.writer.fragment(fragment, |span| write(&mut OtlpSpan::new(span, self.keys)));
    }

    fn row(&mut self, columns: &[(Attribute, usize)]) -> IntRow {
        self.keys.row(columns)
    }

    fn key(&mut self, name: &str) -> AttributeKey {
        AttributeKey::from(name.to_owned())
    }
}
