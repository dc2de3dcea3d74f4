//! A histogram that all workers write.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long it took to decode datagrams, each of them once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeDurations {
    /// How many took no longer than each of [`BOUNDS`](Self::BOUNDS) and longer than the one before; the last ones took
    /// longer than all.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// The sum of their durations.
    pub sum: Duration,
}

impl DecodeDurations {
    /// Upper bounds in seconds: a datagram of thirty flows takes about a microsecond.
    pub const BOUNDS: [f64; 10] = [1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 1e-3, 1e-2];
}

/// [`DecodeDurations`] in the making.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    counts: [AtomicU64; DecodeDurations::BOUNDS.len() + 1],
    nanos: AtomicU64,
}

impl Durations {
    #[inline]
    pub(crate) fn count(&self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let bucket = DecodeDurations::BOUNDS.partition_point(|bound| *bound < seconds);
        self.counts[bucket].fetch_add(1, Ordering::Relaxed);
        self.nanos.fetch_add(duration.as_nanos() as u64, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> DecodeDurations {
        DecodeDurations {
            counts: self.counts.each_ref().map(|count| count.load(Ordering::Relaxed)),
            sum: Duration::from_nanos(self.nanos.load(Ordering::Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_below_its_bound() {
        let durations = Durations::default();
        for nanos in [0, 1_000, 1_001, 10_000_000, 10_000_001] {
            durations.count(Duration::from_nanos(nanos));
        }
        let DecodeDurations { counts, sum } = durations.snapshot();
        assert_eq!((counts, sum.as_nanos()), ([2, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1], 20_002_002));
    }
}
