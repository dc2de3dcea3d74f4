//! Batches on their way to one output, bounded in bytes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::stats::DropReason;

/// One encoded `ExportTraceServiceRequest`.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) request: Bytes,
    pub(crate) spans: u64,
}

/// Holds batches from the moment they are handed over until they are settled, so that the bound covers those in flight.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// One permit a waiting batch; closed together with the queue.
    ready: Semaphore,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    held: Held,
    /// Why nothing more is taken.
    closed: Option<DropReason>,
}

/// What a queue holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) queued_spans: u64,
    pub(crate) in_flight_spans: u64,
    pub(crate) bytes: usize,
}

impl Queue {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { state: Mutex::default(), ready: Semaphore::new(0), max_bytes }
    }

    /// Takes a batch, or says why not.
    pub(crate) fn push(&self, batch: Batch) -> Result<(), DropReason> {
        let mut state = self.lock();
        if let Some(reason) = state.closed {
            return Err(reason);
        }
        if state.held.bytes + batch.request.len() > self.max_bytes {
            return Err(DropReason::QueueFull);
        }
        state.held.bytes += batch.request.len();
        state.held.queued_spans += batch.spans;
        state.waiting.push_back(batch);
        drop(state);
        self.ready.add_permits(1);
        Ok(())
    }

    /// The next batch, which is in flight until [`settle`](Self::settle); `None` once the queue is closed and empty.
    pub(crate) async fn pop(&self) -> Option<Batch> {
        // An error says that the queue is closed, which leaves what waits in it to be taken.
        if let Ok(permit) = self.ready.acquire().await {
            permit.forget();
        }
        let mut state = self.lock();
        let batch = state.waiting.pop_front()?;
        state.held.queued_spans -= batch.spans;
        state.held.in_flight_spans += batch.spans;
        Some(batch)
    }

    /// Ends the flight of a batch, whatever came of it.
    pub(crate) fn settle(&self, batch: &Batch) {
        let mut state = self.lock();
        state.held.in_flight_spans -= batch.spans;
        state.held.bytes -= batch.request.len();
    }

    /// Has parts fly in place of a batch that is in flight, each to be settled.
    pub(crate) fn split(&self, batch: &Batch, parts: &[Batch]) {
        let mut state = self.lock();
        state.held.bytes += parts.iter().map(|part| part.request.len()).sum::<usize>();
        state.held.bytes -= batch.request.len();
    }

    /// Takes nothing more; what waits can still be popped. The first reason stays.
    pub(crate) fn close(&self, reason: DropReason) {
        self.lock().closed.get_or_insert(reason);
        self.ready.close();
    }

    /// Closes and empties the queue; returns the spans that waited.
    pub(crate) fn discard(&self, reason: DropReason) -> u64 {
        self.close(reason);
        let mut state = self.lock();
        let bytes: usize = state.waiting.drain(..).map(|batch| batch.request.len()).sum();
        state.held.bytes -= bytes;
        std::mem::take(&mut state.held.queued_spans)
    }

    pub(crate) fn held(&self) -> Held {
        self.lock().held
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(len: usize, spans: u64) -> Batch {
        Batch { request: vec![0; len].into(), spans }
    }

    #[tokio::test]
    async fn bytes_in_flight_count_until_settled() {
        let queue = Queue::new(100);
        queue.push(batch(60, 6)).unwrap();
        queue.push(batch(40, 4)).unwrap();
        assert_eq!(queue.push(batch(1, 1)), Err(DropReason::QueueFull));
        let first = queue.pop().await.unwrap();
        assert_eq!(queue.held(), Held { queued_spans: 4, in_flight_spans: 6, bytes: 100 });
        assert_eq!(queue.push(batch(1, 1)), Err(DropReason::QueueFull));
        queue.settle(&first);
        queue.push(batch(60, 1)).unwrap();
    }

    #[tokio::test]
    async fn parts_are_held_in_place_of_their_batch() {
        let queue = Queue::new(100);
        queue.push(batch(60, 6)).unwrap();
        let whole = queue.pop().await.unwrap();
        let parts = [batch(35, 3), batch(36, 3)];
        queue.split(&whole, &parts);
        assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 6, bytes: 71 });
        parts.iter().for_each(|part| queue.settle(part));
        assert_eq!(queue.held(), Held::default());
    }

    #[tokio::test]
    async fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(100);
        queue.push(batch(1, 1)).unwrap();
        queue.push(batch(1, 2)).unwrap();
        queue.close(DropReason::Shutdown);
        assert_eq!(queue.push(batch(1, 1)), Err(DropReason::Shutdown));
        assert_eq!(queue.pop().await.unwrap().spans, 1);
        assert_eq!(queue.pop().await.unwrap().spans, 2);
        assert!(queue.pop().await.is_none());
    }

    #[tokio::test]
    async fn closing_wakes_who_waits() {
        let queue = Queue::new(100);
        let (popped, ()) = tokio::join!(queue.pop(), async { queue.close(DropReason::Shutdown) });
        assert!(popped.is_none());
    }

    #[tokio::test]
    async fn discarding_forgets_the_waiting_only() {
        let queue = Queue::new(100);
        queue.push(batch(10, 1)).unwrap();
        queue.push(batch(20, 2)).unwrap();
        let first = queue.pop().await.unwrap();
        assert_eq!(queue.discard(DropReason::Closed), 2);
        assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 1, bytes: 10 });
        queue.settle(&first);
        assert_eq!(queue.held(), Held::default());
        assert!(queue.pop().await.is_none());
    }
}
