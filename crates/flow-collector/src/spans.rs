//! The joint between attributes and OTLP bytes.

use std::net::IpAddr;

use flow_semconv::{Attribute, AttributeWriter, Schema, ShortText, SpanSink, SpanStart};
use otlp_sink::{AttributeFragment, AttributeKey, IntRow, SpanBuilder, SpanContext, SpanKind, SpanWriter};

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
        let context = SpanContext {
            trace_id: start.context.trace_id.to_be_bytes(),
            span_id: start.context.span_id.to_be_bytes(),
            parent_span_id: start.context.parent_span_id.map(u64::to_be_bytes),
        };
        let (from, to) = (start.start.as_unix_nanos(), start.end.as_unix_nanos());
        let mut span = begin(context, start.name, SpanKind::Internal, from, to);
        if let Some((trace_id, span_id)) = start.link {
            span.link(trace_id.to_be_bytes(), span_id.to_be_bytes());
        }
        Self { span, keys }
    }

    /// A span that has begun already, or the part of one.
    pub const fn new(span: SpanBuilder<'a>, keys: &'a AttributeKeys) -> Self {
        Self { span, keys }
    }

    #[inline]
    fn key(&self, attribute: Attribute) -> &'a AttributeKey {
        &self.keys.0[attribute as usize]
    }
}

impl AttributeWriter for OtlpSpan<'_> {
    type Fragment = AttributeFragment;
    type Row = IntRow;

    #[inline]
    fn int(&mut self, attribute: Attribute, value: i64) {
        self.span.int(self.key(attribute), value);
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

    #[cold]
    fn error(&mut self, message: &str) {
        self.span.status_error(message);
    }
}

/// A writer of `otlp-sink` as a sink of flow spans.
pub(crate) struct WriterSpans<'a> {
    pub(crate) writer: &'a mut SpanWriter,
    pub(crate) keys: &'a AttributeKeys,
}

impl SpanSink for WriterSpans<'_> {
    type Fragment = AttributeFragment;
    type Row = IntRow;
    type Span<'s>
        = OtlpSpan<'s>
    where
        Self: 's;

    #[inline]
    fn span(&mut self, start: &SpanStart) -> OtlpSpan<'_> {
        OtlpSpan::begin(start, self.keys, |context, name, kind, from, to| {
            self.writer.span(context, name, kind, from, to)
        })
    }

    fn fragment(&mut self, fragment: &mut AttributeFragment, write: impl FnOnce(&mut OtlpSpan<'_>)) {
        self.writer.fragment(fragment, |span| write(&mut OtlpSpan::new(span, self.keys)));
    }

    fn row(&mut self, columns: &[(Attribute, usize)]) -> IntRow {
        self.keys.row(columns)
    }
}
