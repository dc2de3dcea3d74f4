//! What is remembered of an Observation Domain beside its Templates.

use flow_wire::{DataRecord, MessageHeader, Timestamp};

use crate::budget::Budget;
use crate::options::DomainOptions;
use crate::sequence::{SequenceStatus, SequenceTracker, Units};
use crate::session::{DomainKey, SessionKey};

/// Sequence numbers of a process that sends for a domain.
#[derive(Debug)]
struct Sender {
    session: SessionKey,
    last_seen: Timestamp,
    sequence: SequenceTracker,
}

/// Start, silence and sequence numbers of an Observation Domain.
#[derive(Debug, Default)]
pub(crate) struct Domain {
    /// One for IPFIX. Templates of v9 belong to address and Source ID, but each process behind them has numbers of
    /// its own.
    senders: Vec<Sender>,
    pub(crate) options: DomainOptions,
    last_seen: Timestamp,
    /// Messages of which something was understood, as far as it matters.
    understood: u8,
    /// No longer in the store: what is added now would never be given back.
    retired: bool,
}

impl Domain {
    /// Bytes of a domain with one sender, its places in the tables of the store included.
    pub(crate) const MEMORY: usize = size_of::<Self>() + size_of::<Sender>() + 2 * size_of::<DomainKey>() + 128;
    /// More senders than this take the place of those that were silent for longest.
    const MAX_SENDERS: usize = 64;

    pub(crate) fn new(now: Timestamp) -> Self {
        Self { last_seen: now, ..Self::default() }
    }

    /// Bytes reserved for it.
    pub(crate) fn memory(&self) -> usize {
        Self::MEMORY + self.senders.len().saturating_sub(1) * size_of::<Sender>() + self.options.memory()
    }

    /// Ends its time in the store; the bytes to give back.
    pub(crate) fn retire(&mut self) -> usize {
        self.retired = true;
        self.memory()
    }

    pub(crate) const fn last_seen(&self) -> Timestamp {
        self.last_seen
    }

    /// Whether it sent something that was understood more than once.
    pub(crate) const fn is_proven(&self) -> bool {
        self.understood > 1
    }

    pub(crate) fn seen(&mut self, now: Timestamp, understood: bool) {
        self.last_seen = self.last_seen.max(now);
        self.understood = self.understood.saturating_add(u8::from(understood));
    }

    /// Takes in a row of options data; `false` when something of it found no room.
    pub(crate) fn learn(&mut self, key: &DomainKey, record: &DataRecord<'_>, budget: &Budget) -> bool {
        let resize = |less, more| budget.resize(key.exporter(), less, more);
        self.retired || self.options.learn(record, resize)
    }

    /// What the sequence number of a Message says.
    pub(crate) fn observe(
        &mut self,
        (domain, session): (&DomainKey, SessionKey),
        header: &MessageHeader,
        units: Option<Units>,
        budget: &Budget,
    ) -> SequenceStatus {
        if header.sequence_number.is_none() {
            return SequenceStatus::Unknown;
        }
        let last_seen = self.last_seen;
        if let Some(sender) = self.senders.iter_mut().find(|sender| sender.session == session) {
            sender.last_seen = last_seen;
            return sender.sequence.observe(header, units);
        }
        let mut sender = Sender { session, last_seen, sequence: SequenceTracker::default() };
        let status = sender.sequence.observe(header, units);
        let room = self.senders.is_empty()
            || (self.senders.len() < Self::MAX_SENDERS
                && !self.retired
                && budget.reserve(domain.exporter(), size_of::<Sender>()));
        if room {
            self.senders.reserve_exact(1);
            self.senders.push(sender);
        } else if let Some(oldest) = self.senders.iter_mut().min_by_key(|sender| sender.last_seen) {
            *oldest = sender;
        }
        status
    }
}
