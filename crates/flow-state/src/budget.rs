//! Bytes of memory: a limit for all exporters, and a part of it for each.

use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use foldhash::fast::RandomState;

/// Counts what is held. What was reserved is given back exactly once; then the sums are exact between any two calls.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
    /// Bytes by exporter address.
    shares: DashMap<u128, usize, RandomState>,
}

impl Budget {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, used: AtomicUsize::new(0), shares: DashMap::default() }
    }

    /// Bytes in use, never more than the limit.
    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Exporter addresses for which something is held.
    pub(crate) fn exporters(&self) -> usize {
        self.shares.len()
    }

    /// Whether less than a quarter is free, of all or of what this exporter may have.
    pub(crate) fn is_short(&self, exporter: u128) -> bool {
        let short = |used: usize, limit: usize| used > limit - limit / 4;
        short(self.used(), self.limit) || self.shares.get(&exporter).is_some_and(|share| short(*share, self.limit / 4))
    }

    /// Takes `more` bytes and gives `less` back, as one step; `false`, and nothing changes, where that fits neither the
    /// limit nor the quarter of it that one exporter may have.
    pub(crate) fn resize(&self, exporter: u128, less: usize, more: usize) -> bool {
        if more <= less {
            self.give_back(exporter, less - more);
            return true;
        }
        let more = more - less;
        let share = self.shares.entry(exporter);
        let held = if let Entry::Occupied(share) = &share { *share.get() } else { 0 };
        let fits = held.saturating_add(more) <= self.limit / 4 && self.take(more);
        if fits {
            share.insert(held + more);
        }
        fits
    }

    pub(crate) fn reserve(&self, exporter: u128, bytes: usize) -> bool {
        self.resize(exporter, 0, bytes)
    }

    pub(crate) fn give_back(&self, exporter: u128, bytes: usize) {
        if bytes == 0 {
            return;
        }
        if let Entry::Occupied(mut share) = self.shares.entry(exporter) {
            *share.get_mut() = share.get().saturating_sub(bytes);
            if *share.get() == 0 {
                share.remove();
            }
        }
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| Some(used.saturating_sub(bytes)));
    }

    fn take(&self, bytes: usize) -> bool {
        let within = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exporter_has_a_quarter_and_all_have_the_limit() {
        let budget = Budget::new(1000);
        assert!(budget.reserve(1, 250));
        assert!(!budget.reserve(1, 1));
        for exporter in 2..5 {
            assert!(budget.reserve(exporter, 250));
        }
        assert!(!budget.reserve(5, 1));
        assert_eq!((budget.used(), budget.exporters()), (1000, 4));
    }

    #[test]
    fn a_change_of_size_takes_the_difference() {
        let budget = Budget::new(1000);
        assert!(budget.reserve(1, 200));
        assert!(budget.resize(1, 200, 250));
        assert!(!budget.resize(1, 200, 300), "nothing changes when it does not fit");
        assert_eq!(budget.used(), 250);
        assert!(budget.resize(1, 250, 10));
        budget.give_back(1, 10);
        assert_eq!((budget.used(), budget.exporters()), (0, 0));
        budget.give_back(1, 10);
        assert_eq!(budget.used(), 0, "it does not wrap");
    }
}
