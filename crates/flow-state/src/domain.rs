//! What is remembered of an Observation Domain.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use flow_wire::{MessageHeader, Timestamp};
use foldhash::fast::RandomState;

use crate::ledger::PLACE;
use crate::options::DomainOptions;
use crate::sequence::{SequenceStatus, SequenceTracker, Units};
use crate::session::{DomainKey, SessionKey};
use crate::store::KnownTemplate;

/// Templates by their ID.
pub(crate) type Templates = HashMap<u16, Arc<KnownTemplate>, RandomState>;

/// An Observation Domain of an exporter.
///
/// Locks are taken in this order: [`Domain::memory`], the ledger, [`Domain::templates`].
#[derive(Debug)]
pub(crate) struct Domain {
    pub(crate) key: DomainKey,
    /// Number of the [`State`](crate::State) that it belongs to.
    pub(crate) state: u64,
    /// Written under the lock of the ledger only.
    place: AtomicU64,
    /// When valid data came last.
    last_data: AtomicU64,
    pub(crate) templates: RwLock<Templates>,
    memory: Mutex<Memory>,
}

/// What changes with every Message of a domain: sequence numbers, options data, proofs of trust.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// One for IPFIX. Templates of v9 belong to address and Source ID, but each process behind them has numbers of
    /// its own.
    pub(crate) senders: Vec<Sender>,
    pub(crate) options: DomainOptions,
    /// Messages with valid data, as far as it matters, and when the first came.
    proofs: u8,
    first_proof: Timestamp,
    pub(crate) trusted: bool,
}

/// Sequence numbers of a process that sends for a domain.
#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) session: SessionKey,
    pub(crate) last_seen: Timestamp,
    pub(crate) sequence: SequenceTracker,
}

impl Domain {
    /// Bytes of a domain with one sender, its places in ledger and store and its first table of Templates included.
    pub(crate) const MEMORY: usize =
        size_of::<Self>() + size_of::<Sender>() + PLACE + 2 * size_of::<(DomainKey, Arc<Self>)>() + 192;
    /// The place of a domain that has lost its own, or has none yet.
    pub(crate) const NO_PLACE: u64 = 0;

    pub(crate) fn new(key: DomainKey, state: u64) -> Self {
        Self {
            key,
            state,
            place: AtomicU64::new(Self::NO_PLACE),
            last_data: AtomicU64::new(0),
            templates: RwLock::default(),
            memory: Mutex::default(),
        }
    }

    pub(crate) fn place(&self) -> u64 {
        self.place.load(Ordering::Relaxed)
    }

    pub(crate) fn set_place(&self, place: u64) {
        self.place.store(place, Ordering::Relaxed);
    }

    /// When valid data came last.
    pub(crate) fn last_data(&self) -> Timestamp {
        Timestamp::from_unix_nanos(self.last_data.load(Ordering::Relaxed))
    }

    pub(crate) fn set_last_data(&self, at: Timestamp) {
        // Most workers see datagrams in order, and a look costs less than a change.
        if self.last_data() < at {
            self.last_data.fetch_max(at.as_unix_nanos(), Ordering::Relaxed);
        }
    }

    pub(crate) fn template(&self, id: u16) -> Option<Arc<KnownTemplate>> {
        self.templates.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// All that are in force.
    pub(crate) fn templates(&self) -> Templates {
        self.templates.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn template_count(&self) -> usize {
        self.templates.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(crate) fn is_trusted(&self) -> bool {
        self.memory().trusted
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        lock(&self.memory)
    }
}

impl Memory {
    /// More senders than this take the place of those that were silent for longest.
    const MAX_SENDERS: usize = 64;
    /// So many Messages with valid data are proof enough, however fast they come.
    const PROOFS: u8 = 8;
    /// Two are, if they came so far apart.
    const PROOF_TIME: Duration = Duration::from_secs(1);

    /// Takes note of a Message with valid data. `true` when the domain should be trusted and is not yet.
    ///
    /// A spoofed datagram can bring a Template with data of it; to come again, and later, costs much more than once.
    pub(crate) fn prove(&mut self, now: Timestamp) -> bool {
        if self.trusted {
            return false;
        }
        if self.proofs == 0 {
            self.first_proof = now;
        }
        self.proofs = self.proofs.saturating_add(1);
        self.proofs >= Self::PROOFS || (self.proofs > 1 && now.since(self.first_proof) >= Self::PROOF_TIME)
    }

    /// What the sequence number of a Message says. `room` is asked for [`size_of::<Sender>()`] bytes.
    pub(crate) fn observe(
        &mut self,
        session: SessionKey,
        now: Timestamp,
        header: &MessageHeader,
        units: Option<Units>,
        room: impl FnOnce() -> bool,
    ) -> SequenceStatus {
        if header.sequence_number.is_none() {
            return SequenceStatus::Unknown;
        }
        if let Some(sender) = self.senders.iter_mut().find(|sender| sender.session == session) {
            sender.last_seen = sender.last_seen.max(now);
            return sender.sequence.observe(header, units);
        }
        let mut sender = Sender { session, last_seen: now, sequence: SequenceTracker::default() };
        let status = sender.sequence.observe(header, units);
        if self.senders.is_empty() || (self.senders.len() < Self::MAX_SENDERS && room()) {
            self.senders.reserve_exact(1);
            self.senders.push(sender);
        } else if let Some(oldest) = self.senders.iter_mut().min_by_key(|sender| sender.last_seen) {
            *oldest = sender;
        }
        status
    }
}

/// A lock that a panic elsewhere does not take away: what it guards is valid after every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
