//! Data Sets that wait for their Template.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use flow_wire::Timestamp;

use crate::decoded::MessageContext;
use crate::session::TemplateKey;

/// Bytes in front of a held Set, as many as a Message Header has at least, so that it reads as in its datagram.
pub(crate) const LEAD: usize = 16;

/// A Data Set out of a datagram that is gone.
#[derive(Debug)]
pub(crate) struct HeldSet {
    pub(crate) context: MessageContext,
    /// [`LEAD`] zeros, then the Set with its header.
    pub(crate) bytes: Box<[u8]>,
    /// Offset of the Set header in its datagram.
    pub(crate) offset: usize,
}

/// What the waiting Sets may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingLimits {
    pub(crate) bytes: usize,
    pub(crate) bytes_per_domain: usize,
    pub(crate) age: Duration,
}

/// The waiting Sets of all exporters, oldest first, within [`PendingLimits`].
#[derive(Debug)]
pub(crate) struct Pending {
    limits: PendingLimits,
    sets: HashMap<TemplateKey, VecDeque<HeldSet>>,
    /// Keys in the order of arrival, one for each Set ever held; keys of released Sets are skipped.
    order: VecDeque<(Timestamp, TemplateKey)>,
    domain_bytes: HashMap<crate::session::DomainKey, usize>,
    bytes: usize,
}

/// Bookkeeping beside the bytes of a held Set.
const OVERHEAD: usize = size_of::<HeldSet>() + size_of::<(Timestamp, TemplateKey)>();

impl Pending {
    pub(crate) fn new(limits: PendingLimits) -> Self {
        Self { limits, sets: HashMap::new(), order: VecDeque::new(), domain_bytes: HashMap::new(), bytes: 0 }
    }

    /// Keeps a Set. `false` when its domain has no room left, so that one exporter cannot push out the others.
    pub(crate) fn hold(&mut self, key: TemplateKey, set: HeldSet) -> bool {
        let now = set.context.received_at;
        self.expire(now);
        let cost = set.bytes.len() + OVERHEAD;
        if self.domain_bytes.get(&key.domain).copied().unwrap_or(0) + cost > self.limits.bytes_per_domain {
            return false;
        }
        while self.bytes + cost > self.limits.bytes {
            if !self.evict_oldest() {
                return false;
            }
        }
        self.bytes += cost;
        *self.domain_bytes.entry(key.domain).or_default() += cost;
        self.order.push_back((now, key));
        self.sets.entry(key).or_default().push_back(set);
        true
    }

    /// Takes all Sets that waited for this Template, oldest first, too old ones left out.
    pub(crate) fn release(&mut self, key: TemplateKey, now: Timestamp) -> VecDeque<HeldSet> {
        self.expire(now);
        let released = self.sets.remove(&key).unwrap_or_default();
        let bytes = released.iter().map(|set| set.bytes.len() + OVERHEAD).sum();
        self.forget(key, bytes);
        if !released.is_empty() {
            self.order.retain(|(_, waiting)| *waiting != key);
        }
        released
    }

    /// Bytes in use, bookkeeping included.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(since, _)| now.since(*since) > self.limits.age) {
            self.evict_oldest();
        }
    }

    fn evict_oldest(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_front() else {
            return false;
        };
        if let Some(waiting) = self.sets.get_mut(&key) {
            let bytes = waiting.pop_front().map_or(0, |set| set.bytes.len() + OVERHEAD);
            if waiting.is_empty() {
                self.sets.remove(&key);
            }
            self.forget(key, bytes);
        }
        true
    }

    fn forget(&mut self, key: TemplateKey, bytes: usize) {
        self.bytes -= bytes;
        if let Some(domain) = self.domain_bytes.get_mut(&key.domain) {
            *domain -= bytes;
            if *domain == 0 {
                self.domain_bytes.remove(&key.domain);
            }
        }
    }
}
