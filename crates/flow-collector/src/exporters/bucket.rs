//! A rate limit that threads share without a lock.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flow_state::Timestamp;

/// What may be taken in a second, all at once after a second of rest.
///
/// The state is one number: the time up to which everything is taken (the generic cell rate algorithm, ITU-T I.371). It
/// never goes back, whatever a thread that is behind others takes for the time.
#[derive(Debug, Default)]
pub(super) struct Bucket(AtomicU64);

/// Nanoseconds.
const SECOND: u64 = 1_000_000_000;

impl Bucket {
    /// Takes up to `wanted`, and returns how many that were. `now` is by a clock that is never set.
    pub(super) fn take(&self, now: Timestamp, per_second: NonZeroU32, wanted: u64) -> u64 {
        let now = now.as_unix_nanos();
        let price = price(per_second);
        let mut taken = 0;
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
            let until = until.max(now.saturating_sub(SECOND));
            taken = wanted.min(now.saturating_sub(until) / price);
            Some(until + taken * price)
        });
        taken
    }

    /// Takes one that has come already, even if it may not be taken yet.
    pub(super) fn owe(&self, now: Timestamp, per_second: NonZeroU32) {
        let now = now.as_unix_nanos();
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |until| {
            Some(until.max(now.saturating_sub(SECOND)) + price(per_second))
        });
    }

    /// How long it takes until one may be taken.
    pub(super) fn wait(&self, now: Timestamp, per_second: NonZeroU32) -> Duration {
        let next = self.0.load(Ordering::Relaxed) + price(per_second);
        Duration::from_nanos(next.saturating_sub(now.as_unix_nanos()))
    }
}

fn price(per_second: NonZeroU32) -> u64 {
    (SECOND / u64::from(per_second.get())).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_rest_is_a_second_at_once_and_no_more() {
        let at = |millis: u64| Timestamp::from_unix_millis(1_700_000_000_000 + millis);
        let bucket = Bucket::default();
        let take = |millis, wanted| bucket.take(at(millis), NonZeroU32::new(100).unwrap(), wanted);
        assert_eq!(take(0, 30), 30);
        assert_eq!(take(0, 100), 70);
        assert_eq!(take(0, 1), 0);
        assert_eq!(take(9, 1), 0);
        assert_eq!(take(10, 5), 1);
        assert_eq!(take(500, 1000), 49);
        assert_eq!(take(60_000, 1000), 100);
    }

    #[test]
    fn a_rate_has_a_price_of_whole_nanoseconds() {
        let rate = NonZeroU32::new(3_000_000_000).unwrap();
        let start = Timestamp::from_unix_seconds(1_700_000_000);
        assert_eq!(Bucket::default().take(start, rate, u64::MAX), 1_000_000_000);
        let rate = NonZeroU32::new(3).unwrap();
        assert_eq!(Bucket::default().take(start, rate, 10), 3);
    }

    #[test]
    fn what_has_come_is_paid_for_later() {
        let at = |millis: u64| Timestamp::from_unix_millis(1_700_000_000_000 + millis);
        let (bucket, rate) = (Bucket::default(), NonZeroU32::new(10).unwrap());
        (0..10).for_each(|_| bucket.owe(at(0), rate));
        assert_eq!(bucket.wait(at(0), rate), Duration::from_millis(100));
        (0..5).for_each(|_| bucket.owe(at(0), rate));
        assert_eq!(bucket.wait(at(0), rate), Duration::from_millis(600));
        assert_eq!(bucket.take(at(599), rate, 1), 0);
        assert_eq!(bucket.wait(at(600), rate), Duration::ZERO);
        assert_eq!(bucket.take(at(600), rate, 2), 1);
    }

    /// Two workers, one of which always has an older time.
    #[test]
    fn a_worker_that_lags_takes_nothing_twice() {
        let (bucket, rate) = (Bucket::default(), NonZeroU32::new(1_000).unwrap());
        let at = |micros: u64| Timestamp::from_unix_seconds(1_700_000_000) + Duration::from_micros(micros);
        for lag in [0_u64, 1_000, 700_000] {
            let start = 20_000_000 * (lag + 1);
            let take =
                |micros| bucket.take(at(start + micros), rate, 1) + bucket.take(at(start + micros - lag), rate, 1);
            let taken: u64 = (0..10_000_000_u64).step_by(20).map(take).sum();
            assert!((10_900..=11_100).contains(&taken), "{taken} with a lag of {lag}");
        }
    }
}
