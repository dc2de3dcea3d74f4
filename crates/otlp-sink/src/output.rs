//! The state of one output: its queue and its counters.

use std::sync::atomic::Ordering::Relaxed;

use tracing::warn;

use crate::config::Output;
use crate::occasionally::Occasionally;
use crate::queue::{Batch, Queue};
use crate::stats::{Counters, DropReason, OutputStats};

#[derive(Debug)]
pub(crate) struct OutputState {
    pub(crate) name: String,
    pub(crate) queue: Queue,
    pub(crate) counters: Counters,
    overflow: Occasionally,
}

impl OutputState {
    pub(crate) fn new(output: &Output, queue_bytes: usize) -> Self {
        let name = match output {
            Output::Otlp(otlp) => otlp.endpoint.to_string(),
            Output::File(path) => path.display().to_string(),
            Output::Stdout(_) => "stdout".to_owned(),
        };
        let (counters, overflow) = (Counters::default(), Occasionally::default());
        Self { name, queue: Queue::new(queue_bytes), counters, overflow }
    }

    /// Queues a batch or counts it as dropped.
    pub(crate) fn push(&self, batch: Batch) {
        let spans = batch.spans;
        if let Err(reason) = self.queue.push(batch) {
            self.counters.drop_spans(reason, spans);
            if reason == DropReason::QueueFull
                && let Some(repeats) = self.overflow.permit()
            {
                warn!(output = self.name, spans, repeats, "queue is full, dropped spans");
            }
        }
    }

    /// The batch arrived, except for spans that the receiver rejected.
    pub(crate) fn exported(&self, batch: &Batch, rejected: u64) {
        let rejected = rejected.min(batch.spans);
        self.counters.exported.fetch_add(batch.spans - rejected, Relaxed);
        self.counters.drop_spans(DropReason::Rejected, rejected);
        self.queue.settle(batch);
    }

    /// The batch will not arrive.
    pub(crate) fn dropped(&self, batch: &Batch, reason: DropReason) {
        self.counters.drop_spans(reason, batch.spans);
        self.queue.settle(batch);
    }

    pub(crate) fn stats(&self) -> OutputStats {
        let held = self.queue.held();
        let mut stats = self.counters.snapshot(&self.name);
        stats.queued_spans = held.queued_spans;
        stats.in_flight_spans = held.in_flight_spans;
        stats.held_bytes = held.bytes as u64;
        stats
    }
}
