//! When datagrams leave.

use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

/// How fast datagrams follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// As they were captured.
    Own,
    /// Without waiting.
    Max,
    /// So many a second.
    PerSecond(NonZeroU32),
}

impl Pace {
    /// Reads `own`, `max` or a number.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        match text {
            "own" => Ok(Self::Own),
            "max" => Ok(Self::Max),
            _ => text.parse().map(Self::PerSecond).map_err(|_| "use own, max or datagrams a second"),
        }
    }
}

/// Waits until it is a datagram's time.
pub(crate) struct Pacer {
    pace: Pace,
    start: Instant,
    count: u64,
    /// Capture time of the first datagram.
    first: Option<u64>,
}

impl Pacer {
    /// A pacer whose first datagram leaves at once.
    pub(crate) fn new(pace: Pace) -> Self {
        Self { pace, start: Instant::now(), count: 0, first: None }
    }

    /// Waits for the next datagram's time. Datagrams that are late leave at once, until the pace is met again.
    pub(crate) fn wait(&mut self, captured_at: u64) {
        let due = self.due(captured_at);
        if let Some(wait) = due.checked_sub(self.start.elapsed()) {
            thread::sleep(wait);
        }
    }

    /// Time of the next datagram after the first.
    fn due(&mut self, captured_at: u64) -> Duration {
        let number = self.count;
        self.count += 1;
        match self.pace {
            Pace::Max => Duration::ZERO,
            Pace::Own => {
                let first = *self.first.get_or_insert(captured_at);
                Duration::from_nanos(captured_at.saturating_sub(first))
            }
            Pace::PerSecond(rate) => {
                let rate = u64::from(rate.get());
                let nanos = number % rate * 1_000_000_000 / rate;
                Duration::from_secs(number / rate) + Duration::from_nanos(nanos)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(pace: &str, times: &[u64]) -> Vec<u64> {
        let mut pacer = Pacer::new(Pace::parse(pace).unwrap());
        times.iter().map(|time| pacer.due(*time).as_millis() as u64).collect()
    }

    #[test]
    fn paces_differ() {
        let captured = [5_000_000, 7_000_000, 6_000_000, 1_005_000_000];
        assert_eq!(dues("own", &captured), [0, 2, 1, 1000]);
        assert_eq!(dues("max", &captured), [0, 0, 0, 0]);
        assert_eq!(dues("2", &captured), [0, 500, 1000, 1500]);
    }

    #[test]
    fn anything_else_is_no_pace() {
        for text in ["", "0", "-1", "fast", "1.5"] {
            assert!(Pace::parse(text).is_err(), "{text}");
        }
    }
}
