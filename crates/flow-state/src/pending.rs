//! Data Sets that wait for their Template.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use flow_wire::Timestamp;

use crate::decoded::MessageContext;
use crate::session::{DomainKey, TemplateKey};

/// Bytes in front of a held Set, as many as a Message Header has at least, so that it reads as in its datagram.
pub(crate) const LEAD: usize = 16;

/// The Data Sets that wait for their Template, and what became of those that waited in vain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PendingStats {
    /// Sets that wait.
    pub sets: u64,
    /// Their bytes, Set headers included, as [`Accounting::pending`](crate::Accounting::pending) counted them.
    pub bytes: u64,
    /// Sets that were dropped since the start: too old, in the way of an exporter that had less waiting, or their
    /// session ended.
    pub dropped_sets: u64,
    /// Their bytes.
    pub dropped_bytes: u64,
}

/// A Data Set out of a datagram that is gone.
#[derive(Debug)]
pub(crate) struct HeldSet {
    pub(crate) context: MessageContext,
    /// [`LEAD`] zeros, then the Set with its header.
    pub(crate) bytes: Box<[u8]>,
    /// Offset of the Set header in its datagram.
    pub(crate) offset: usize,
}

impl HeldSet {
    const fn len(&self) -> usize {
        self.bytes.len() - LEAD
    }

    const fn cost(&self) -> usize {
        self.bytes.len() + OVERHEAD
    }
}

/// What the waiting Sets may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingLimits {
    pub(crate) bytes: usize,
    pub(crate) bytes_per_exporter: usize,
    pub(crate) age: Duration,
}

#[derive(Debug)]
struct Waiting {
    key: TemplateKey,
    set: HeldSet,
}

/// The waiting Sets of all exporters, within [`PendingLimits`].
#[derive(Debug)]
pub(crate) struct Pending {
    limits: PendingLimits,
    /// By a number that grows: the oldest come first.
    sets: BTreeMap<u64, Box<Waiting>>,
    by_template: BTreeSet<(TemplateKey, u64)>,
    /// Bytes by exporter address: the sender chooses its Observation Domains.
    shares: HashMap<u128, usize>,
    next: u64,
    memory: usize,
    stats: PendingStats,
}

/// What a Set costs beside its bytes. Nodes of the trees are half full at worst, tables are a power of two.
const OVERHEAD: usize = size_of::<Waiting>()
    + 2 * (size_of::<(u64, Box<Waiting>)>() + size_of::<(TemplateKey, u64)>() + size_of::<(u128, usize)>())
    + 2 * ALLOCATION;
const ALLOCATION: usize = 16;

/// When memory is short, the exporters of so many of the oldest Sets are compared.
const COMPARED: usize = 8;

impl Pending {
    pub(crate) fn new(limits: PendingLimits) -> Self {
        Self {
            limits,
            sets: BTreeMap::new(),
            by_template: BTreeSet::new(),
            shares: HashMap::new(),
            next: 0,
            memory: 0,
            stats: PendingStats::default(),
        }
    }

    /// Keeps a Set. `false` when its exporter has no room left, so that one cannot push out the others.
    pub(crate) fn hold(&mut self, key: TemplateKey, set: HeldSet) -> bool {
        self.expire(set.context.received_at);
        let exporter = key.domain.exporter();
        let share = self.share(exporter) + set.cost();
        if share > self.limits.bytes_per_exporter {
            return false;
        }
        while self.memory + set.cost() > self.limits.bytes {
            // Who has most gives way, be it the one that comes.
            let oldest =
                self.sets.iter().take(COMPARED).map(|(id, held)| (*id, self.share(held.key.domain.exporter())));
            match oldest.min_by_key(|(id, held)| (Reverse(*held), *id)) {
                Some((id, held)) if held >= share => self.drop_set(id),
                _ => return false,
            }
        }
        self.memory += set.cost();
        self.stats.sets += 1;
        self.stats.bytes += set.len() as u64;
        self.shares.insert(exporter, share);
        self.by_template.insert((key, self.next));
        self.sets.insert(self.next, Box::new(Waiting { key, set }));
        self.next += 1;
        true
    }

    /// Takes all Sets that waited for this Template, oldest first, too old ones left out.
    pub(crate) fn release(&mut self, key: TemplateKey, now: Timestamp) -> Vec<HeldSet> {
        self.expire(now);
        let ids: Vec<u64> = self.by_template.range((key, 0)..=(key, u64::MAX)).map(|(_, id)| *id).collect();
        ids.into_iter().filter_map(|id| self.take(id)).collect()
    }

    /// Drops the Sets of all domains of this one's Transport Session, whose Templates will not come any more.
    pub(crate) fn end(&mut self, key: DomainKey) {
        let (first, last) = key.range();
        let range = (TemplateKey { domain: first, template_id: 0 }, 0)
            ..=(TemplateKey { domain: last, template_id: u16::MAX }, u64::MAX);
        let of_session = self.by_template.range(range).filter(|(other, _)| other.domain.shares_session(&key));
        let ids: Vec<u64> = of_session.map(|(_, id)| *id).collect();
        ids.into_iter().for_each(|id| self.drop_set(id));
    }

    /// Bytes in use, bookkeeping included.
    pub(crate) const fn memory(&self) -> usize {
        self.memory
    }

    pub(crate) const fn stats(&self) -> PendingStats {
        self.stats
    }

    fn share(&self, exporter: u128) -> usize {
        self.shares.get(&exporter).copied().unwrap_or(0)
    }

    pub(crate) fn expire(&mut self, now: Timestamp) {
        while let Some((id, oldest)) = self.sets.first_key_value()
            && now.since(oldest.set.context.received_at) > self.limits.age
        {
            self.drop_set(*id);
        }
    }

    fn drop_set(&mut self, id: u64) {
        if let Some(set) = self.take(id) {
            self.stats.dropped_sets += 1;
            self.stats.dropped_bytes += set.len() as u64;
        }
    }

    fn take(&mut self, id: u64) -> Option<HeldSet> {
        let Waiting { key, set } = *self.sets.remove(&id)?;
        self.by_template.remove(&(key, id));
        self.memory -= set.cost();
        self.stats.sets -= 1;
        self.stats.bytes -= set.len() as u64;
        let exporter = key.domain.exporter();
        let share = self.share(exporter) - set.cost();
        if share == 0 {
            self.shares.remove(&exporter);
        } else {
            self.shares.insert(exporter, share);
        }
        if self.sets.is_empty() {
            // A table keeps its capacity.
            self.shares = HashMap::new();
        }
        Some(set)
    }
}
