//! The state of one output: its queue and its counters.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tracing::warn;

use crate::config::{Output, SinkConfig};
use crate::occasionally::Occasionally;
use crate::queue::{Batch, Flight, Queue};
use crate::stats::{Counters, DropReason, OutputStats};

#[derive(Debug)]
pub(crate) struct OutputState {
    pub(crate) name: String,
    pub(crate) queue: Arc<Queue>,
    pub(crate) counters: Counters,
    overflow: Occasionally,
}

impl OutputState {
    pub(crate) fn new(output: &Output, config: &SinkConfig) -> Self {
        let (name, has_spool) = match output {
            Output::Otlp(otlp) => (otlp.endpoint.to_string(), otlp.spool.is_some()),
            Output::File(file) => (file.path.display().to_string(), false),
            Output::Stdout(_) => ("stdout".to_owned(), false),
        };
        let read_ahead = if has_spool { config.max_in_flight.get() } else { 0 };
        let (counters, overflow) = (Counters::default(), Occasionally::default());
        Self { name, queue: Arc::new(Queue::new(config.queue_bytes, read_ahead)), counters, overflow }
    }

    /// Queues a batch or counts it as dropped.
    pub(crate) fn push(&self, batch: Batch) {
        let spans = batch.spans;
        if let Err(reason) = self.queue.push(batch) {
            self.counters.drop_spans(reason, spans);
            if matches!(reason, DropReason::QueueFull | DropReason::SpoolFull)
                && let Some(repeats) = self.overflow.permit()
            {
                warn!(output = self.name, spans, repeats, "queue is full, dropped spans");
            }
        }
    }

    /// The batch arrived, except for spans that the receiver rejected.
    pub(crate) fn exported(&self, flight: &Flight, rejected: u64) {
        let spans = flight.batch.spans;
        let rejected = rejected.min(spans);
        self.counters.exported.fetch_add(spans - rejected, Relaxed);
        self.counters.drop_spans(DropReason::Rejected, rejected);
        self.queue.settle(flight);
    }

    /// The batch will not arrive.
    pub(crate) fn dropped(&self, flight: &Flight, reason: DropReason) {
        self.counters.drop_spans(reason, flight.batch.spans);
        self.queue.settle(flight);
    }

    /// Spans will not arrive that were in the spool alone.
    pub(crate) fn lost(&self, reason: DropReason, spans: u64) {
        self.counters.drop_spans(reason, spans);
        if let Some(repeats) = self.overflow.permit() {
            warn!(output = self.name, spans, %reason, repeats, "dropped spans of the spool");
        }
    }

    pub(crate) fn stats(&self) -> OutputStats {
        // In this order a batch that is settled meanwhile is in neither, rather than in both.
        let mut stats = self.counters.snapshot(&self.name);
        let held = self.queue.held();
        stats.queued_spans = held.queued_spans;
        stats.in_flight_spans = held.in_flight_spans;
        stats.held_bytes = held.bytes as u64;
        stats.max_held_bytes = self.queue.max_bytes() as u64;
        stats.spool = self.queue.spool_stats();
        stats
    }
}
