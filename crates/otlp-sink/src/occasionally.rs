//! Log lines that would repeat.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Repeats within this time are counted instead of logged.
const INTERVAL: Duration = Duration::from_secs(30);

/// Lets one event through at once and then one each [`INTERVAL`], with the number of those in between.
#[derive(Debug, Default)]
pub(crate) struct Occasionally(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last: Option<Instant>,
    repeats: u64,
    /// Since the last reset.
    was_logged: bool,
}

impl Occasionally {
    /// `Some` when the event is to be logged: how many were not since the last one.
    pub(crate) fn permit(&self) -> Option<u64> {
        self.permit_at(Instant::now())
    }

    /// The trouble is over; `true` when an event of it had been logged. If it comes again soon, that is a repeat.
    pub(crate) fn reset(&self) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.was_logged)
    }

    fn permit_at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.last.is_some_and(|last| now < last + INTERVAL) {
            state.repeats += 1;
            return None;
        }
        (state.last, state.was_logged) = (Some(now), true);
        Some(std::mem::take(&mut state.repeats))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_counted_until_the_interval_is_over() {
        let events = Occasionally::default();
        let start = Instant::now();
        assert_eq!(events.permit_at(start), Some(0));
        assert_eq!(events.permit_at(start + INTERVAL / 3), None);
        assert_eq!(events.permit_at(start + INTERVAL / 2), None);
        assert_eq!(events.permit_at(start + INTERVAL), Some(2));
        assert!(events.reset());
        assert!(!events.reset());
        assert_eq!(events.permit_at(start + INTERVAL * 3 / 2), None, "on and off is not logged each time");
        assert!(!events.reset());
        assert_eq!(events.permit_at(start + INTERVAL * 2), Some(1));
    }
}
