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
mod tests;
