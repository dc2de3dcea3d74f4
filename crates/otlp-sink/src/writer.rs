//! One thread's end of a sink.

use std::sync::atomic::Ordering::AcqRel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use crate::encode::{AttributeFragment, BatchEncoder, Call, SpanBuilder, SpanContext, SpanHead, SpanKind};
use crate::queue::Batch;
use crate::sink::Shared;

/// Encodes spans into batches and hands full batches to the outputs of a [`Sink`](crate::Sink).
///
/// Each thread has its own, so that nothing is locked for a span; the queues are locked once a batch. No call blocks on
/// an output. Dropping the writer hands over what it holds.
#[derive(Debug)]
pub struct SpanWriter {
    encoder: BatchEncoder,
    shared: Arc<Shared>,
    due: Option<Instant>,
    /// Its part of [`Shared::promised`].
    promised: usize,
}

impl SpanWriter {
    pub(crate) fn new(encoder: BatchEncoder, shared: Arc<Shared>) -> Self {
        Self { encoder, shared, due: None, promised: 0 }
    }

    /// Begins a span. Times are Unix time in nanoseconds.
    ///
    /// The span is in the batch when the builder goes out of scope. A full batch is handed over by the next call to
    /// this method, [`flush_if_due`](Self::flush_if_due) or [`flush`](Self::flush).
    #[inline]
    pub fn span(
        &mut self,
        context: SpanContext,
        name: &str,
        kind: SpanKind,
        start_unix_nano: u64,
        end_unix_nano: u64,
    ) -> SpanBuilder<'_> {
        self.make_room();
        self.encoder.span(context, name, kind, start_unix_nano, end_unix_nano)
    }

    /// Begins a span with a head that was encoded before; otherwise as [`span`](Self::span).
    #[inline]
    pub fn span_with(&mut self, head: &SpanHead, span_id: [u8; 8]) -> SpanBuilder<'_> {
        self.make_room();
        self.encoder.span_with(head, span_id)
    }

    /// Begins a span with a head that was encoded before, in a trace of its own and with its own times; it has a parent where
    /// the head has one.
    #[inline]
    pub fn span_of(&mut self, head: &SpanHead, context: SpanContext, times: (u64, u64)) -> SpanBuilder<'_> {
        self.make_room();
        self.encoder.span_of(head, context, times)
    }

    /// Adds the two spans of a call, as [`BatchEncoder::call`] does. They never come apart: one batch, and all that is made of
    /// it, has both or none. A batch has two spans where only one is allowed.
    pub fn call(
        &mut self,
        head: &SpanHead,
        call: &Call<'_>,
        client: impl FnOnce(SpanBuilder<'_>),
        server: impl FnOnce(SpanBuilder<'_>),
    ) {
        if self.encoder.spans() + 1 == self.shared.max_batch_spans {
            self.flush();
        }
        self.make_room();
        self.encoder.call(head, call, client, server);
    }

    /// Adds a finished span of an OpenTelemetry SDK.
    #[cfg(feature = "sdk")]
    pub(crate) fn span_data(&mut self, span: &opentelemetry_sdk::trace::SpanData) {
        self.make_room();
        self.encoder.span_data(span);
    }

    /// The encoder with nothing in it: what was begun is handed over.
    #[cfg(feature = "sdk")]
    pub(crate) fn flushed_encoder(&mut self) -> &mut BatchEncoder {
        self.flush();
        &mut self.encoder
    }

    #[inline]
    fn make_room(&mut self) {
        if self.is_full() {
            self.flush_full();
        }
        if self.due.is_none() {
            // The only look at the clock: once a batch.
            self.due = Some(Instant::now() + self.shared.max_delay);
        }
    }

    /// Encodes what `write` adds to a span into `fragment`, to be added to later spans.
    pub fn fragment(&mut self, fragment: &mut AttributeFragment, write: impl FnOnce(SpanBuilder<'_>)) {
        self.encoder.fragment(fragment, write);
    }

    /// Encodes the beginning of a span and what `write` adds to it into `head`, for later spans; the span ID of `context`
    /// has no meaning.
    pub fn head(
        &mut self,
        head: &mut SpanHead,
        context: SpanContext,
        name: &str,
        kind: SpanKind,
        times: (u64, u64),
        write: impl FnOnce(SpanBuilder<'_>),
    ) {
        self.encoder.head(head, context, name, kind, times, write);
    }

    /// Hands over the batch if it is full or its first span has waited for the configured delay.
    ///
    /// Call it between units of work, and at [`next_due`](Self::next_due) when there is none. Room that was
    /// [kept](Self::has_room) and is not used goes back.
    pub fn flush_if_due(&mut self, now: Instant) {
        if self.is_full() {
            self.flush_full();
        }
        if self.due.is_some_and(|due| due <= now) {
            self.flush();
        }
        self.promise(self.pending_bytes());
    }

    /// When the batch under construction has to be handed over; `None` when there is none.
    pub fn next_due(&self) -> Option<Instant> {
        self.due
    }

    /// Spans that are not handed over yet.
    pub fn pending_spans(&self) -> usize {
        self.encoder.spans()
    }

    /// Bytes that an output holds in memory at most.
    pub fn queue_bytes(&self) -> usize {
        self.shared.queue_bytes
    }

    /// Bytes that the batch under construction will take in each output.
    fn pending_bytes(&self) -> usize {
        if self.encoder.spans() > 0 { self.encoder.request_len() } else { 0 }
    }

    /// Whether every output has room for so many bytes of spans, or a quarter of its memory, beside the batches under
    /// construction: they need not be dropped. The room is kept for this writer until its next
    /// [`flush_if_due`](Self::flush_if_due), so that others who ask meanwhile do not get it too. Those who can slow down whoever
    /// gives them spans ask before they take more; an output that has ended does not count.
    pub fn has_room(&mut self, bytes: usize) -> bool {
        let pending = self.pending_bytes();
        let promised = self.promise(pending + bytes.min(self.shared.queue_bytes / 4));
        let has_room = self.shared.outputs.iter().all(|output| output.queue.has_room(promised));
        if !has_room {
            self.promise(pending);
        }
        has_room
    }

    /// Changes what outputs are to have room for because of this writer, and says what it is because of all.
    fn promise(&mut self, bytes: usize) -> usize {
        let before = std::mem::replace(&mut self.promised, bytes);
        let all = &self.shared.promised;
        // Who sees a promise that is gone has to see in the queue what came of it.
        if bytes < before {
            all.fetch_sub(before - bytes, AcqRel) - (before - bytes)
        } else {
            all.fetch_add(bytes - before, AcqRel) + (bytes - before)
        }
    }

    /// Hands over the batch under construction.
    pub fn flush(&mut self) {
        self.flush_full();
        if self.encoder.spans() > 0 {
            self.hand_over();
        }
        self.due = None;
    }

    /// Hands over a full batch, except for a last span, or call, that went beyond the limit: that begins the next one.
    ///
    /// Only the last can have: the batch is checked before each one.
    fn flush_full(&mut self) {
        if self.encoder.spans() > 1 && self.encoder.request_len() > self.shared.max_batch_bytes {
            let last = self.encoder.pop_last();
            // Not when a single call went beyond the limit.
            if self.encoder.spans() > 0 {
                self.hand_over();
            }
            self.encoder.push(&last);
            self.due = Some(Instant::now() + self.shared.max_delay);
        }
        if self.is_full() {
            self.hand_over();
            self.due = None;
        }
    }

    #[inline]
    fn is_full(&self) -> bool {
        self.encoder.spans() >= self.shared.max_batch_spans || self.encoder.request_len() >= self.shared.max_batch_bytes
    }

    fn hand_over(&mut self) {
        let spans = self.encoder.spans() as u64;
        let request_len = self.encoder.request_len();
        if request_len > self.shared.max_batch_bytes {
            self.encoder.clear();
            self.shared.drop_oversized(spans, request_len);
            return;
        }
        let request = if request_len < self.encoder.buffer_len() / 4 * 3 {
            // A batch that is sent early must not hold the memory of a full one.
            let request = Bytes::copy_from_slice(self.encoder.finish());
            self.encoder.clear();
            request
        } else {
            let (buffer, range) = self.encoder.replace_buffer(self.shared.buffers.take());
            Bytes::from_owner(Pooled { buffer, pool: self.shared.buffers.clone() }).slice(range)
        };
        self.shared.push(&Batch::new(request, spans));
        self.promise(self.promised.saturating_sub(request_len));
    }
}

impl Drop for SpanWriter {
    fn drop(&mut self) {
        self.flush();
        self.promise(0);
    }
}

/// Buffers of batches that are done, to be written again: fresh memory costs a page fault every 4 KiB, which is as much
/// as half of the encoding.
#[derive(Clone, Debug, Default)]
pub(crate) struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

/// Idle buffers kept.
const MAX_IDLE: usize = 4;

impl BufferPool {
    /// An idle buffer, or an empty one.
    fn take(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(buffer);
        }
    }
}

/// A buffer that returns to its pool when the last output is done with it.
struct Pooled {
    buffer: Vec<u8>,
    pool: BufferPool,
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        self.pool.give(std::mem::take(&mut self.buffer));
    }
}
