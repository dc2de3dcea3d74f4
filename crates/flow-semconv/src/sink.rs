//! What spans are written to.

use std::fmt;

use flow_state::Timestamp;

use crate::attribute::Attribute;
use crate::program::AttributeWriter;

/// Identity of a span in its trace. Spans are of kind INTERNAL, but for those of a [`Call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Trace ID.
    pub trace_id: u128,
    /// Span ID.
    pub span_id: u64,
    /// The span above; `None` for the root.
    pub parent_span_id: Option<u64>,
}

/// What a span begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpanStart {
    /// Its identity.
    pub context: TraceContext,
    /// Its name.
    pub name: &'static str,
    /// Its first moment.
    pub start: Timestamp,
    /// Its last moment.
    pub end: Timestamp,
    /// Trace and span it is linked to.
    pub link: Option<(u128, u64)>,
}

/// The two spans of a flow between services: CLIENT and, below it, SERVER, each under a resource of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Call<'a> {
    /// `service.name` of the client.
    pub client: &'a str,
    /// `service.name` of the server.
    pub server: &'a str,
    /// Identity of the client's span.
    pub context: TraceContext,
    /// The server's span.
    pub server_span_id: u64,
    /// Its name.
    pub server_name: &'static str,
    /// Start and end of both.
    pub times: (Timestamp, Timestamp),
}

/// What a [`SpanSink`] encodes ahead, to be written many times.
pub trait SpanParts {
    /// What spans of one trace begin with.
    type Head: Default + fmt::Debug;
    /// Encoded attributes.
    type Fragment: Default + fmt::Debug;
    /// Integer attributes that occur together.
    type Row: fmt::Debug;
    /// The key of an attribute that is not one of [`Attribute`].
    type Key: fmt::Debug;
}

/// Takes spans.
pub trait SpanSink {
    /// What it encodes ahead.
    type Parts: SpanParts;

    /// A span under construction; it ends when it is dropped.
    type Span<'s>: AttributeWriter<Parts = Self::Parts>
    where
        Self: 's;

    /// Begins a span.
    fn span(&mut self, start: &SpanStart) -> Self::Span<'_>;

    /// Encodes the beginning of spans and what `write` adds to them, in place of what the head held. Each span gets an ID
    /// of its own.
    fn head(
        &mut self,
        head: &mut <Self::Parts as SpanParts>::Head,
        start: &SpanStart,
        write: impl FnOnce(&mut Self::Span<'_>),
    );

    /// Begins a span with a head.
    fn span_with(&mut self, head: &<Self::Parts as SpanParts>::Head, span_id: u64) -> Self::Span<'_>;

    /// Begins a span with a head, in a trace of its own and from its own start to its end. It has a parent where the head has
    /// one.
    fn span_of(
        &mut self,
        head: &<Self::Parts as SpanParts>::Head,
        context: TraceContext,
        times: (Timestamp, Timestamp),
    ) -> Self::Span<'_>;

    /// Adds the spans of a call: that of the client begins with a head, and `client` and `server` write the rest.
    fn call(
        &mut self,
        head: &<Self::Parts as SpanParts>::Head,
        call: &Call<'_>,
        client: impl FnOnce(&mut Self::Span<'_>),
        server: impl FnOnce(&mut Self::Span<'_>),
    );

    /// Encodes what `write` adds to a span, a status among it, in place of what the fragment held.
    fn fragment(
        &mut self,
        fragment: &mut <Self::Parts as SpanParts>::Fragment,
        write: impl FnOnce(&mut Self::Span<'_>),
    );

    /// Encodes a key.
    fn key(&mut self, name: &str) -> <Self::Parts as SpanParts>::Key;

    /// Lays out a row of integer attributes, each with the bytes that its values have.
    fn row(&mut self, columns: &[(Attribute, usize)]) -> <Self::Parts as SpanParts>::Row;
}
