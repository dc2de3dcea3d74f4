//! Batches on their way to one output, bounded in bytes: in memory, and in a spool where there is one.
//!
//! Batches are delivered in the order in which they came. What the spool holds is older than what waits in memory, because its
//! thread takes from the front of what waits: as long as it has anything, what is new goes behind it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::spool::{Loaded, RecordId};
use crate::stats::{DropReason, SpoolStats};

/// One encoded `ExportTraceServiceRequest`.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) request: Bytes,
    pub(crate) spans: u64,
    /// When it was handed over, as Unix time in milliseconds.
    pub(crate) created: u64,
}

impl Batch {
    /// A batch that is handed over now.
    pub(crate) fn new(request: Bytes, spans: u64) -> Self {
        Self { request, spans, created: unix_millis(SystemTime::now()) }
    }
}

pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}

/// A batch that was taken from the queue, until it is settled.
#[derive(Debug)]
pub(crate) struct Flight {
    ticket: u64,
    pub(crate) batch: Batch,
}

/// Holds batches from the moment they are handed over until they are settled, so that the bound covers those in flight.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    /// For those who deliver.
    ready: Notify,
    /// For the thread of the spool.
    work: Condvar,
    max_bytes: usize,
    /// Batches that are read from the spool in advance; 0 without a spool.
    read_ahead: usize,
}

#[derive(Debug, Default)]
struct State {
    /// Read from the spool.
    loaded: VecDeque<(RecordId, Batch)>,
    waiting: VecDeque<Batch>,
    waiting_bytes: usize,
    in_flight: HashMap<u64, InFlight>,
    next_ticket: u64,
    /// Those who deliver and have not ended.
    senders: usize,
    held: Held,
    /// Why nothing more is taken.
    closed: Option<DropReason>,
    /// The last request failed, and may be tried again.
    is_failing: bool,
    spool: SpoolState,
}

#[derive(Debug)]
struct InFlight {
    batch: Batch,
    /// Its copy in the spool.
    record: Option<RecordId>,
    /// The copy of the batch that it is a part of, as long as it has none of its own.
    whole: Option<RecordId>,
    /// It is to have a copy.
    has_failed: bool,
}

/// What the queue knows of its spool.
#[derive(Debug, Default)]
struct SpoolState {
    /// Records to be read, as the thread saw them last.
    unread: u64,
    /// The thread has batches from the front of those that wait.
    is_spilling: bool,
    /// The spool takes nothing because of its limit.
    is_full: bool,
    /// Copies of batches that were split, and how many parts are neither settled nor have a copy of their own.
    wholes: HashMap<RecordId, usize>,
    /// Copies that are not needed any more.
    settled: Vec<RecordId>,
    stats: SpoolStats,
}

/// What a queue holds in memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) queued_spans: u64,
    pub(crate) in_flight_spans: u64,
    pub(crate) bytes: usize,
}

/// What the thread of a spool knows, for [`Queue::job`].
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Whether writing is worth a try.
    pub(crate) can_write: bool,
    /// Whether reading is.
    pub(crate) can_read: bool,
    /// Whether writing failed after the end of those who deliver: what is in memory stays there.
    pub(crate) gave_up: bool,
    /// Length of the next request to be read.
    pub(crate) next_len: usize,
    /// When to wake up without a reason.
    pub(crate) wake_after: Duration,
}

/// What the thread of a spool is to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Forget these records.
    Forget(Vec<RecordId>),
    /// Write these.
    Write(Vec<Spill>),
    /// Read one.
    Read,
    /// Look at the time.
    Tick,
    /// End: nobody delivers, and all that could be written was.
    End,
}

/// A batch to be written, and where it came from.
#[derive(Debug)]
pub(crate) struct Spill {
    /// `None`: from those that wait.
    ticket: Option<u64>,
    pub(crate) batch: Batch,
    /// Where it was written.
    pub(crate) record: Option<RecordId>,
}

impl Spill {
    /// Whether the record belongs to a batch in flight, and is not to be read.
    pub(crate) const fn is_held(&self) -> bool {
        self.ticket.is_some()
    }
}

/// Bytes that are written at once, before those who gave them wait no longer.
const MAX_SPILL_BYTES: usize = 16 * 1024 * 1024;

impl Queue {
    /// A queue with a spool if `read_ahead` is not 0.
    pub(crate) fn new(max_bytes: usize, read_ahead: usize) -> Self {
        let (state, ready, work) = Default::default();
        Self { state, ready, work, max_bytes, read_ahead }
    }

    /// Takes a batch, or says why not.
    pub(crate) fn push(&self, batch: Batch) -> Result<(), DropReason> {
        let mut state = self.lock();
        if let Some(reason) = state.closed {
            return Err(reason);
        }
        if !state.fits(batch.request.len(), self.max_bytes) {
            return Err(if state.spool.is_full { DropReason::SpoolFull } else { DropReason::QueueFull });
        }
        state.held.bytes += batch.request.len();
        state.held.queued_spans += batch.spans;
        state.waiting_bytes += batch.request.len();
        state.waiting.push_back(batch);
        self.changed(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next batch; `None` when there will be none.
    pub(crate) async fn pop(&self) -> Option<Flight> {
        loop {
            let ready = self.ready.notified();
            tokio::pin!(ready);
            // From here on no notification is missed.
            ready.as_mut().enable();
            match self.try_pop() {
                Take::Batch(flight) => return Some(flight),
                Take::End => return None,
                Take::Wait => ready.await,
            }
        }
    }

    fn try_pop(&self) -> Take {
        let mut state = self.lock();
        let (record, batch) = match self.front(&mut state) {
            Ok(front) => front,
            Err(take) => return take,
        };
        state.held.queued_spans -= batch.spans;
        state.held.in_flight_spans += batch.spans;
        let flight = state.fly(InFlight { batch, record, whole: None, has_failed: false });
        self.changed(state);
        Take::Batch(flight)
    }

    /// The next batch and its copy in the spool, or why there is none.
    fn front(&self, state: &mut State) -> Result<(Option<RecordId>, Batch), Take> {
        let is_behind = state.spool.unread > 0 || state.spool.is_spilling;
        if state.closed.is_some() {
            // What the spool has, or can have, need not be delivered now.
            if self.has_spool() && (state.is_failing || is_behind || !state.loaded.is_empty()) {
                return Err(Take::End);
            }
        } else if let Some((record, batch)) = state.loaded.pop_front() {
            return Ok((Some(record), batch));
        } else if is_behind {
            return Err(Take::Wait);
        }
        match state.waiting.pop_front() {
            Some(batch) => {
                state.waiting_bytes -= batch.request.len();
                Ok((None, batch))
            }
            None if state.closed.is_some() => Err(Take::End),
            None => Err(Take::Wait),
        }
    }

    /// Ends the flight of a batch, whatever came of it.
    pub(crate) fn settle(&self, flight: &Flight) {
        let mut state = self.lock();
        state.land(flight);
        self.changed(state);
    }

    /// Has two parts fly in place of a batch that is in flight, each to be settled. If it has a copy, or is to have one, each
    /// part will have its own, so that none is delivered again because of the other.
    pub(crate) fn split(&self, flight: &Flight, parts: [Batch; 2]) -> [Flight; 2] {
        let mut state = self.lock();
        let Some(split) = state.in_flight.get(&flight.ticket) else { unreachable!("a flight is settled once") };
        let (whole, has_failed) = (split.record.or(split.whole), split.has_failed || split.record.is_some());
        if let Some(whole) = whole {
            // Its own place is given back by `land`.
            *state.spool.wholes.entry(whole).or_insert(1) += parts.len();
        }
        let parts = parts.map(|part| {
            state.held.in_flight_spans += part.spans;
            state.held.bytes += part.request.len();
            state.fly(InFlight { batch: part, record: None, whole, has_failed })
        });
        if let Some(split) = state.in_flight.get_mut(&flight.ticket) {
            (split.record, split.whole) = (None, whole);
        }
        state.land(flight);
        self.changed(state);
        parts
    }

    /// The batch was not delivered and will be tried again.
    pub(crate) fn failed(&self, flight: &Flight) {
        let mut state = self.lock();
        state.is_failing = true;
        if let Some(in_flight) = state.in_flight.get_mut(&flight.ticket) {
            in_flight.has_failed = true;
        }
        self.changed(state);
    }

    /// Something was delivered.
    pub(crate) fn succeeded(&self) {
        self.lock().is_failing = false;
    }

    /// Takes nothing more; what waits can still be popped. The first reason stays.
    pub(crate) fn close(&self, reason: DropReason) {
        let mut state = self.lock();
        state.closed.get_or_insert(reason);
        self.changed(state);
        self.ready.notify_waiters();
    }

    /// Closes and empties the queue; returns the spans that waited.
    pub(crate) fn discard(&self, reason: DropReason) -> u64 {
        self.close(reason);
        let mut state = self.lock();
        let bytes: usize = state.waiting.drain(..).map(|batch| batch.request.len()).sum();
        state.held.bytes -= bytes;
        state.waiting_bytes = 0;
        std::mem::take(&mut state.held.queued_spans)
    }

    pub(crate) fn held(&self) -> Held {
        self.lock().held
    }

    /// Whether it would take a batch of so many bytes. One that is closed takes nothing, and waiting does not help.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        let state = self.lock();
        state.closed.is_some() || state.fits(bytes, self.max_bytes)
    }

    pub(crate) const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    pub(crate) fn spool_stats(&self) -> Option<SpoolStats> {
        self.has_spool().then(|| {
            let state = self.lock();
            let loaded = state.loaded.iter().map(|(_, batch)| batch.spans);
            let copied =
                state.in_flight.values().filter(|flight| flight.record.is_some()).map(|flight| flight.batch.spans);
            SpoolStats { copied: loaded.chain(copied).sum(), ..state.spool.stats }
        })
    }

    pub(crate) fn has_spool(&self) -> bool {
        self.read_ahead > 0
    }

    /// Whether nothing comes and nobody delivers any more.
    pub(crate) fn is_over(&self) -> bool {
        self.lock().is_over()
    }

    /// Counts somebody who delivers, until the guard goes: after the last one, the spool takes the rest.
    pub(crate) fn sender(self: Arc<Self>) -> Sender {
        self.lock().senders += 1;
        Sender(self)
    }

    /// Waits for something to do.
    pub(crate) fn job(&self, view: &View) -> Job {
        let wake_at = Instant::now() + view.wake_after;
        let mut state = self.lock();
        loop {
            if !state.spool.settled.is_empty() {
                return Job::Forget(std::mem::take(&mut state.spool.settled));
            }
            let is_over = state.is_over();
            if if is_over { !view.gave_up } else { view.can_write } {
                let spills = state.spills(is_over, self.max_bytes);
                if !spills.is_empty() {
                    return Job::Write(spills);
                }
            }
            if is_over {
                state.leave_to_spool();
                return Job::End;
            }
            if view.can_read && state.may_read(view.next_len, self.read_ahead, self.max_bytes) {
                return Job::Read;
            }
            let wait = wake_at.saturating_duration_since(Instant::now());
            if wait.is_zero() {
                return Job::Tick;
            }
            state = self.work.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What came of a [`Job`]: batches that were written, those that were not, one that was read; and how the spool is now.
    /// Returns the spans that were lost with the copies that the spool has dropped.
    pub(crate) fn report(&self, spills: Vec<Spill>, loaded: Option<Loaded>, now: SpoolReport) -> u64 {
        let mut state = self.lock();
        let mut unwritten = Vec::new();
        for Spill { ticket, batch, record } in spills {
            match (ticket, record) {
                (None, None) => unwritten.push(batch),
                (None, Some(_)) => {
                    state.held.bytes -= batch.request.len();
                    state.held.queued_spans -= batch.spans;
                }
                (Some(_), None) => {}
                (Some(ticket), Some(record)) => match state.in_flight.get_mut(&ticket) {
                    Some(in_flight) => {
                        in_flight.record = Some(record);
                        let whole = in_flight.whole.take();
                        state.leave_whole(whole);
                    }
                    // It was settled, or split, in the meantime.
                    None => state.spool.settled.push(record),
                },
            }
        }
        for batch in unwritten.into_iter().rev() {
            state.waiting_bytes += batch.request.len();
            state.waiting.push_front(batch);
        }
        if let Some(Loaded { record, request, spans, created }) = loaded {
            state.held.bytes += request.len();
            state.held.queued_spans += spans;
            state.loaded.push_back((record, Batch { request, spans, created }));
        }
        let lost = if now.dropped.is_empty() { 0 } else { state.forget_copies(&now.dropped) };
        state.spool.is_spilling = false;
        state.spool.is_full = now.is_full;
        state.spool.unread = now.unread;
        state.spool.stats = now.stats;
        drop(state);
        self.ready.notify_waiters();
        lost
    }

    /// Unlocks, and wakes the thread of the spool.
    fn changed(&self, state: MutexGuard<'_, State>) {
        drop(state);
        if self.has_spool() {
            self.work.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Take {
    Batch(Flight),
    Wait,
    End,
}

/// How a spool is after a [`Job`].
#[derive(Clone, Debug, Default)]
pub(crate) struct SpoolReport {
    /// Records that it gave out and has dropped since.
    pub(crate) dropped: Vec<RecordId>,
    pub(crate) unread: u64,
    pub(crate) is_full: bool,
    pub(crate) stats: SpoolStats,
}

impl State {
    fn is_over(&self) -> bool {
        self.closed.is_some() && self.senders == 0
    }

    fn fly(&mut self, in_flight: InFlight) -> Flight {
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let batch = in_flight.batch.clone();
        self.in_flight.insert(ticket, in_flight);
        Flight { ticket, batch }
    }

    fn land(&mut self, flight: &Flight) {
        let Some(InFlight { batch, record, whole, .. }) = self.in_flight.remove(&flight.ticket) else { return };
        self.held.in_flight_spans -= batch.spans;
        self.held.bytes -= batch.request.len();
        self.leave_whole(whole);
        self.spool.settled.extend(record);
    }

    /// A part does not need the copy of the whole any more.
    fn leave_whole(&mut self, whole: Option<RecordId>) {
        let Some(whole) = whole else { return };
        let Some(parts) = self.spool.wholes.get_mut(&whole) else { return };
        *parts -= 1;
        if *parts == 0 {
            self.spool.wholes.remove(&whole);
            self.spool.settled.push(whole);
        }
    }

    /// The spool has dropped these. What is in flight gets another copy if it fails again; what was read in advance was the oldest
    /// that there was, and goes with them, as does what nobody delivers any more. Returns the spans that are gone.
    fn forget_copies(&mut self, dropped: &[RecordId]) -> u64 {
        let is_dropped = |copy: &Option<RecordId>| copy.is_some_and(|record| dropped.contains(&record));
        let mut lost = 0;
        if self.is_over() {
            for (_, flight) in self.in_flight.extract_if(|_, flight| is_dropped(&flight.record)) {
                self.held.in_flight_spans -= flight.batch.spans;
                self.held.bytes -= flight.batch.request.len();
                lost += flight.batch.spans;
            }
        }
        for flight in self.in_flight.values_mut() {
            if is_dropped(&flight.record) {
                (flight.record, flight.has_failed) = (None, false);
            }
            flight.whole.take_if(|whole| is_dropped(&Some(*whole)));
        }
        self.spool.wholes.retain(|record, _| !dropped.contains(record));
        let held = &mut self.held;
        self.loaded.retain(|(record, batch)| {
            let stays = !dropped.contains(record);
            if !stays {
                held.bytes -= batch.request.len();
                held.queued_spans -= batch.spans;
                lost += batch.spans;
            }
            stays
        });
        lost
    }

    /// Bytes of batches that the spool has too.
    fn copied_bytes(&self) -> usize {
        let has_copy = |flight: &&InFlight| flight.record.is_some() || flight.whole.is_some();
        let flights = self.in_flight.values().filter(has_copy).map(|flight| &flight.batch);
        self.loaded.iter().map(|(_, batch)| batch).chain(flights).map(|batch| batch.request.len()).sum()
    }

    /// Bytes held that leave no room for what is new. What the spool has too takes no more than half of the memory: records
    /// that an earlier run made with more of it may be larger than all there is now.
    fn used_bytes(&self, max_bytes: usize) -> usize {
        let copied = self.copied_bytes();
        self.held.bytes - copied + copied.min(max_bytes / 2)
    }

    fn fits(&self, bytes: usize, max_bytes: usize) -> bool {
        // Mostly it does without a look at each.
        self.held.bytes + bytes <= max_bytes || self.used_bytes(max_bytes) + bytes <= max_bytes
    }

    /// Whether to read from the spool: so much that those who deliver do not wait, but in advance no more than half of the
    /// memory, for the rest is for what is new; and in an outage nothing beyond what is being tried. What was read stays within
    /// that half as well, except for a first one that is larger.
    fn may_read(&self, next_len: usize, read_ahead: usize, max_bytes: usize) -> bool {
        if self.closed.is_some() || self.spool.unread == 0 {
            return false;
        }
        let (busy, bytes) = (self.loaded.len() + self.in_flight.len(), self.held.bytes + next_len);
        if busy == 0 {
            return true;
        }
        let in_advance = self.loaded.len() < read_ahead && bytes <= max_bytes / 2;
        let to_be_busy = busy < read_ahead && bytes <= max_bytes && self.copied_bytes() + next_len <= max_bytes / 2;
        !self.is_failing && (in_advance || to_be_busy)
    }

    /// What the spool should have: all of it in an outage, behind what it has already, and in the end; what is too much for
    /// memory otherwise. A quarter of that stays free for what comes while it is written.
    fn spills(&mut self, is_over: bool, max_bytes: usize) -> Vec<Spill> {
        let mut spills = Vec::new();
        let flights = self.in_flight.iter().filter(|(_, flight)| flight.record.is_none());
        for (ticket, flight) in flights.filter(|(_, flight)| is_over || flight.has_failed) {
            spills.push(Spill { ticket: Some(*ticket), batch: flight.batch.clone(), record: None });
        }
        let wants_all = is_over || self.is_failing || self.spool.unread > 0;
        let (used, mut bytes) = (self.used_bytes(max_bytes), 0);
        while (wants_all || self.waiting_bytes > max_bytes / 2 || used - bytes > max_bytes - max_bytes / 4)
            && bytes < MAX_SPILL_BYTES
            && let Some(batch) = self.waiting.pop_front()
        {
            self.waiting_bytes -= batch.request.len();
            bytes += batch.request.len();
            self.spool.is_spilling = true;
            spills.push(Spill { ticket: None, batch, record: None });
        }
        spills
    }

    /// What has a copy in the spool is the spool's.
    fn leave_to_spool(&mut self) {
        for (_, batch) in std::mem::take(&mut self.loaded) {
            self.held.queued_spans -= batch.spans;
            self.held.bytes -= batch.request.len();
            self.spool.stats.spans += batch.spans;
        }
        for (_, flight) in self.in_flight.extract_if(|_, flight| flight.record.is_some()) {
            self.held.in_flight_spans -= flight.batch.spans;
            self.held.bytes -= flight.batch.request.len();
            self.spool.stats.spans += flight.batch.spans;
        }
    }
}

/// Somebody who delivers; see [`Queue::sender`].
#[derive(Debug)]
pub(crate) struct Sender(Arc<Queue>);

impl Drop for Sender {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        self.0.changed(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(len: usize, spans: u64) -> Batch {
        Batch::new(vec![0; len].into(), spans)
    }

    fn spans(flight: Option<Flight>) -> u64 {
        flight.unwrap().batch.spans
    }

    #[tokio::test]
    async fn bytes_in_flight_count_until_settled() {
        let queue = Queue::new(100, 0);
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
        let queue = Queue::new(100, 0);
        queue.push(batch(60, 6)).unwrap();
        let whole = queue.pop().await.unwrap();
        let parts = queue.split(&whole, [batch(35, 3), batch(36, 3)]);
        assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 6, bytes: 71 });
        parts.iter().for_each(|part| queue.settle(part));
        assert_eq!(queue.held(), Held::default());
    }

    #[tokio::test]
    async fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
        let queue = Queue::new(100, 0);
        queue.push(batch(1, 1)).unwrap();
        queue.push(batch(1, 2)).unwrap();
        queue.close(DropReason::Shutdown);
        assert_eq!(queue.push(batch(1, 1)), Err(DropReason::Shutdown));
        assert_eq!((spans(queue.pop().await), spans(queue.pop().await)), (1, 2));
        assert!(queue.pop().await.is_none());
    }

    #[tokio::test]
    async fn closing_wakes_who_waits() {
        let queue = Queue::new(100, 0);
        let (popped, ()) = tokio::join!(queue.pop(), async { queue.close(DropReason::Shutdown) });
        assert!(popped.is_none());
    }

    #[tokio::test]
    async fn discarding_forgets_the_waiting_only() {
        let queue = Queue::new(100, 0);
        queue.push(batch(10, 1)).unwrap();
        queue.push(batch(20, 2)).unwrap();
        let first = queue.pop().await.unwrap();
        assert_eq!(queue.discard(DropReason::Closed), 2);
        assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 1, bytes: 10 });
        queue.settle(&first);
        assert_eq!(queue.held(), Held::default());
        assert!(queue.pop().await.is_none());
    }

    fn view() -> View {
        View { can_write: true, can_read: true, gave_up: false, next_len: 0, wake_after: Duration::from_millis(1) }
    }

    fn record(offset: u64) -> RecordId {
        RecordId::at(offset)
    }

    /// The batches of a job to write, written.
    fn written(job: Job, first_record: u64) -> Vec<Spill> {
        let Job::Write(mut spills) = job else { panic!("{job:?}") };
        for (spill, offset) in spills.iter_mut().zip(first_record..) {
            spill.record = Some(record(offset));
        }
        spills
    }

    fn unread(unread: u64) -> SpoolReport {
        SpoolReport { unread, ..SpoolReport::default() }
    }

    #[test]
    fn memory_is_enough_while_all_goes_well() {
        let queue = Queue::new(100, 2);
        queue.push(batch(25, 1)).unwrap();
        queue.push(batch(25, 2)).unwrap();
        assert!(matches!(queue.job(&view()), Job::Tick));
        queue.push(batch(25, 4)).unwrap();
        let spills = written(queue.job(&view()), 0);
        assert_eq!(spills.len(), 1, "the oldest, down to half of the memory");
        assert_eq!(queue.held(), Held { queued_spans: 7, in_flight_spans: 0, bytes: 75 });
        queue.report(spills, None, unread(1));
        assert_eq!(queue.held(), Held { queued_spans: 6, in_flight_spans: 0, bytes: 50 });
    }

    /// A receiver that is slow: what is under way takes memory too.
    #[tokio::test]
    async fn a_quarter_of_the_memory_stays_free() {
        let queue = Queue::new(100, 2);
        queue.push(batch(50, 1)).unwrap();
        let _flight = queue.pop().await.unwrap();
        queue.push(batch(25, 2)).unwrap();
        assert!(matches!(queue.job(&view()), Job::Tick));
        queue.push(batch(10, 4)).unwrap();
        let spills = written(queue.job(&view()), 0);
        assert_eq!(spills.iter().map(|spill| spill.batch.spans).collect::<Vec<_>>(), [2]);
        queue.report(spills, None, unread(1));
        assert_eq!(queue.held().bytes, 60);
    }

    #[tokio::test]
    async fn the_order_is_kept_through_the_spool() {
        let queue = Queue::new(1000, 2);
        queue.push(batch(1, 1)).unwrap();
        queue.push(batch(1, 2)).unwrap();
        let first = queue.pop().await.unwrap();
        queue.failed(&first);
        // The batch in flight as well as the waiting one.
        let spills = written(queue.job(&view()), 0);
        assert_eq!(spills.iter().map(Spill::is_held).collect::<Vec<_>>(), [true, false]);
        queue.push(batch(1, 3)).unwrap();
        assert!(matches!(queue.try_pop(), Take::Wait), "an older one is on its way to the spool");
        queue.report(spills, None, unread(1));
        queue.succeeded();
        queue.settle(&first);
        let Job::Forget(records) = queue.job(&view()) else { panic!("the first was delivered") };
        assert_eq!(records, [record(0)]);
        // Behind what the spool has, whether or not it fails now.
        let spills = written(queue.job(&view()), 2);
        queue.report(spills, None, unread(2));
        assert!(matches!(queue.try_pop(), Take::Wait));
        for (spans, left) in [(2, 1), (3, 0)] {
            assert!(matches!(queue.job(&view()), Job::Read));
            let loaded = Loaded { record: record(spans - 1), request: vec![0].into(), spans, created: 0 };
            queue.report(Vec::new(), Some(loaded), unread(left));
        }
        queue.push(batch(1, 4)).unwrap();
        assert_eq!([spans(queue.pop().await), spans(queue.pop().await), spans(queue.pop().await)], [2, 3, 4]);
    }

    #[tokio::test]
    async fn what_could_not_be_written_waits_in_its_place() {
        let queue = Queue::new(100, 2);
        for spans in [1, 2, 4] {
            queue.push(batch(30, spans)).unwrap();
        }
        let first = queue.pop().await.unwrap();
        queue.failed(&first);
        let Job::Write(spills) = queue.job(&view()) else { panic!("an outage") };
        assert_eq!(spills.len(), 3);
        queue.report(spills, None, SpoolReport { is_full: true, ..unread(0) });
        assert_eq!(queue.held(), Held { queued_spans: 6, in_flight_spans: 1, bytes: 90 });
        assert_eq!(queue.push(batch(30, 8)), Err(DropReason::SpoolFull));
        assert_eq!((spans(queue.pop().await), spans(queue.pop().await)), (2, 4));
    }

    /// Parts get copies of their own; that of the whole is forgotten when none of them needs it.
    #[tokio::test]
    async fn parts_have_copies_of_their_own() {
        let queue = Queue::new(100, 2);
        queue.push(batch(10, 4)).unwrap();
        let whole = queue.pop().await.unwrap();
        queue.failed(&whole);
        queue.report(written(queue.job(&view()), 5), None, unread(0));
        let [first, second] = queue.split(&whole, [batch(6, 2), batch(6, 2)]);
        let [third, fourth] = queue.split(&second, [batch(4, 1), batch(4, 1)]);
        queue.settle(&first);
        let spills = written(queue.job(&view()), 6);
        assert_eq!(spills.len(), 2, "the parts that are left");
        queue.settle(&third);
        assert!(matches!(queue.job(&View { can_write: false, ..view() }), Job::Tick), "the whole is needed");
        let third_record = spills.iter().find(|spill| spill.ticket == Some(third.ticket)).unwrap().record.unwrap();
        let fourth_record = spills.iter().find(|spill| spill.ticket == Some(fourth.ticket)).unwrap().record.unwrap();
        queue.report(spills, None, unread(0));
        let forgotten = |expected: &mut [RecordId]| {
            let Job::Forget(mut records) = queue.job(&view()) else { panic!("nothing is forgotten") };
            records.sort_unstable_by_key(RecordId::offset);
            expected.sort_unstable_by_key(RecordId::offset);
            assert_eq!(records, expected);
        };
        forgotten(&mut [record(5), third_record]);
        queue.settle(&fourth);
        forgotten(&mut [fourth_record]);
        assert_eq!(queue.held(), Held::default());
    }

    /// A full spool may drop what it had given out: what is in flight is written again if it fails, what waits to fly is lost.
    #[tokio::test]
    async fn copies_that_are_dropped_are_made_again() {
        let queue = Queue::new(1000, 2);
        for number in 0..2 {
            queue.report(Vec::new(), None, unread(1));
            let loaded = Loaded { record: record(number), request: vec![0; 10].into(), spans: 1 + number, created: 0 };
            queue.report(Vec::new(), Some(loaded), unread(0));
        }
        let flight = queue.pop().await.unwrap();
        assert_eq!(queue.spool_stats().unwrap().copied, 3);
        let lost = queue.report(Vec::new(), None, SpoolReport { dropped: vec![record(0), record(1)], ..unread(0) });
        assert_eq!((lost, queue.spool_stats().unwrap().copied), (2, 0));
        assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 1, bytes: 10 });
        assert!(matches!(queue.job(&view()), Job::Tick));
        queue.failed(&flight);
        assert_eq!(written(queue.job(&view()), 7).len(), 1);
    }

    /// A batch that was delivered while it was being written is forgotten at once.
    #[tokio::test]
    async fn a_copy_that_comes_too_late_is_not_kept() {
        let queue = Queue::new(100, 2);
        queue.push(batch(10, 1)).unwrap();
        let flight = queue.pop().await.unwrap();
        queue.failed(&flight);
        let spills = written(queue.job(&view()), 9);
        queue.settle(&flight);
        queue.report(spills, None, unread(0));
        let Job::Forget(records) = queue.job(&view()) else { panic!("it is delivered") };
        assert_eq!(records, [record(9)]);
    }

    /// In the end the spool has everything, and the queue nothing.
    #[tokio::test]
    async fn the_spool_takes_what_is_left_at_the_end() {
        let queue = Arc::new(Queue::new(100, 2));
        let sender = queue.clone().sender();
        queue.report(Vec::new(), None, unread(1));
        let loaded = Loaded { record: record(0), request: vec![0; 10].into(), spans: 1, created: 0 };
        queue.report(Vec::new(), Some(loaded), unread(0));
        let flight = queue.pop().await.unwrap();
        queue.push(batch(10, 2)).unwrap();
        queue.push(batch(10, 4)).unwrap();
        queue.failed(&flight);
        queue.close(DropReason::Shutdown);
        assert!(queue.pop().await.is_none(), "nobody waits for a receiver that is down");
        drop(sender);
        queue.report(written(queue.job(&view()), 1), None, unread(2));
        assert!(matches!(queue.job(&view()), Job::End));
        assert_eq!(queue.held(), Held::default());
        assert_eq!(queue.spool_stats().unwrap().spans, 1, "the report of the thread has the others");
    }

    #[tokio::test]
    async fn a_spool_that_cannot_be_written_leaves_spans_in_memory() {
        let queue = Queue::new(100, 2);
        queue.push(batch(10, 2)).unwrap();
        queue.close(DropReason::Shutdown);
        let Job::Write(spills) = queue.job(&View { can_write: false, ..view() }) else { panic!("a last try") };
        queue.report(spills, None, unread(0));
        assert!(matches!(queue.job(&View { gave_up: true, ..view() }), Job::End));
        assert_eq!(queue.held().queued_spans, 2);
    }

    /// Whatever happens, the thread looks at the time when it wanted to.
    #[test]
    fn wake_ups_do_not_put_off_the_tick() {
        let queue = Arc::new(Queue::new(1 << 20, 2));
        let view = View { can_write: false, wake_after: Duration::from_millis(100), ..view() };
        let thread = std::thread::spawn({
            let queue = queue.clone();
            move || matches!(queue.job(&view), Job::Tick)
        });
        let start = Instant::now();
        while !thread.is_finished() {
            assert!(start.elapsed() < Duration::from_secs(10), "no tick");
            queue.push(batch(1, 1)).unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(thread.join().unwrap());
    }

    /// Those who deliver are kept busy even when memory is more than half full of what cannot be written.
    #[tokio::test]
    async fn reading_goes_on_when_writing_cannot() {
        let queue = Queue::new(100, 4);
        (0..6).for_each(|_| queue.push(batch(10, 1)).unwrap());
        let view = View { can_write: false, next_len: 10, ..view() };
        queue.report(Vec::new(), None, SpoolReport { is_full: true, ..unread(9) });
        assert!(matches!(queue.job(&view), Job::Read));
        let loaded = Loaded { record: record(0), request: vec![0; 10].into(), spans: 1, created: 0 };
        queue.report(Vec::new(), Some(loaded), SpoolReport { is_full: true, ..unread(8) });
        let _flight = queue.pop().await.unwrap();
        assert!(matches!(queue.job(&view), Job::Read));
    }

    /// Records of an earlier run with more memory: one is larger than all there is now, or two fill it. What is new has half of
    /// it all the same, and passes through to the spool.
    #[tokio::test]
    async fn large_records_leave_room_for_what_is_new() {
        for (max_bytes, is_split) in [(100, false), (100, true), (700, false)] {
            let queue = Queue::new(max_bytes, 4);
            let view = View { next_len: 350, ..view() };
            queue.report(Vec::new(), None, unread(9));
            let mut reads = 0;
            while matches!(queue.job(&view), Job::Read) {
                let loaded = Loaded { record: record(reads), request: vec![0; 350].into(), spans: 1, created: 0 };
                reads += 1;
                queue.report(Vec::new(), Some(loaded), unread(9 - reads));
            }
            assert_eq!(reads, 1, "one is tried");
            let flight = queue.pop().await.unwrap();
            if is_split {
                queue.split(&flight, [batch(175, 1), batch(175, 1)]);
            }
            assert!(queue.has_room(max_bytes / 2) && !queue.has_room(max_bytes / 2 + 1));
            for number in 1..10 {
                queue.push(batch(max_bytes / 2, 1)).unwrap();
                let job = match queue.job(&view) {
                    // The whole, as its parts have copies now.
                    Job::Forget(_) => queue.job(&view),
                    job => job,
                };
                queue.report(written(job, 100 * number), None, unread(9 + number));
            }
        }
    }
}
