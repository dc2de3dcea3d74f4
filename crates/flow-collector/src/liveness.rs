//! Whether the workers go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long one turn of a worker may take. It waits 100 ms at most for a datagram, and for nothing else.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tells workers that go on from those that hang.
#[derive(Debug, Default)]
pub struct Liveness(Mutex<Vec<Watched>>);

#[derive(Debug)]
struct Watched {
    turns: Arc<AtomicU64>,
    /// What `turns` was when it was last found changed.
    seen: u64,
    since: Instant,
}

/// The sign of life of one worker.
#[derive(Debug)]
pub struct Pulse(Arc<AtomicU64>);

impl Pulse {
    /// The worker has done another turn.
    #[inline]
    pub fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Liveness {
    /// Watches another worker from `now` on.
    pub fn watch(&self, now: Instant) -> Pulse {
        let turns = Arc::<AtomicU64>::default();
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        workers.push(Watched { turns: turns.clone(), seen: 0, since: now });
        Pulse(turns)
    }

    /// The first worker, by its number, that has not moved between two calls which are 30 seconds apart or more, the
    /// second one at `now`.
    pub fn stuck(&self, now: Instant) -> Option<usize> {
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for worker in workers.iter_mut() {
            let turns = worker.turns.load(Ordering::Relaxed);
            if turns != worker.seen {
                (worker.seen, worker.since) = (turns, now);
            }
        }
        workers.iter().position(|worker| now.saturating_duration_since(worker.since) >= PATIENCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_does_nothing_is_stuck_until_it_goes_on() {
        let start = Instant::now();
        let liveness = Liveness::default();
        let (first, second) = (liveness.watch(start), liveness.watch(start));
        let stuck = |seconds| liveness.stuck(start + Duration::from_secs(seconds));
        second.beat();
        assert_eq!((stuck(10), stuck(29), stuck(30)), (None, None, Some(0)));
        first.beat();
        assert_eq!((stuck(31), stuck(39), stuck(40)), (None, None, Some(1)));
    }
}
