//! The thread that takes flows out again and again.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use flow_collector::Pulse;
use tokio::sync::oneshot;
use tracing::warn;
use xdp_counters::program::Taken;

use super::NoReading;

/// Most time between two beats of the pulse, however long the interval is.
const BEAT: Duration = Duration::from_secs(1);

/// The name of a source, and how flows were taken out of it.
pub(super) type Looked = (String, Result<Taken, NoReading>);

/// The first of these looks that fails, as `fails` has it.
pub(super) fn failure(looks: Vec<Looked>, fails: impl Fn(&NoReading) -> bool) -> Option<anyhow::Error> {
    looks.into_iter().find_map(|(source, taken)| match taken.err().filter(&fails)? {
        NoReading::Missing(error) | NoReading::Failed(error) => {
            Some(error.context(format!("cannot take flows of {source}")))
        }
    })
}

/// Takes flows out each interval, and once more at the end.
pub(super) struct Turns {
    /// Dropping it ends the thread.
    stop: mpsc::Sender<()>,
    /// Why it ended by itself; closed with nothing in it when it panicked.
    failed: oneshot::Receiver<anyhow::Error>,
    thread: JoinHandle<()>,
}

impl Turns {
    /// `take` is told whether it is the last time. A source that is missing ends it, if `fail_on_missing`.
    ///
    /// # Errors
    ///
    /// When there can be no thread.
    pub(super) fn start(
        interval: Duration,
        fail_on_missing: bool,
        pulse: Pulse,
        mut take: impl FnMut(bool) -> Vec<Looked> + Send + 'static,
    ) -> anyhow::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (fail, failed) = oneshot::channel();
        let is_end = move |error: &NoReading| fail_on_missing && matches!(error, NoReading::Missing(_));
        let run = move || {
            while !is_stopped_within(interval, &stopped, &pulse) {
                if let Some(error) = failure(take(false), is_end) {
                    // Nobody hears it when all ends anyway.
                    let _ = fail.send(error);
                    return;
                }
            }
            take(true);
        };
        let thread = thread::Builder::new().name("xdp-flows".to_owned()).spawn(run).context("cannot start a thread")?;
        Ok(Self { stop, failed, thread })
    }

    /// Completes when it ends by itself.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        let panicked = |_| anyhow!("the thread that takes flows out has panicked");
        (&mut self.failed).await.unwrap_or_else(panicked)
    }

    /// Takes flows out for the last time, unless it ended by itself.
    pub(super) fn finish(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            warn!("the thread that takes flows out has panicked");
        }
    }
}

/// Waits so long, with beats of the pulse, or until it is to stop.
fn is_stopped_within(interval: Duration, stopped: &mpsc::Receiver<()>, pulse: &Pulse) -> bool {
    let due = Instant::now() + interval;
    loop {
        pulse.beat();
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        if stopped.recv_timeout(left.min(BEAT)) != Err(RecvTimeoutError::Timeout) {
            return true;
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_collector::Liveness;

    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const PATIENCE: Duration = Duration::from_secs(60);

    fn missing() -> Vec<Looked> {
        let error = || NoReading::Missing(anyhow!("there is no map"));
        let taken = Taken { flows: 1, capacity: 2, missed: 0 };
        vec![("iface=eth0".to_owned(), Ok(taken)), ("pin=/p".to_owned(), Err(error()))]
    }

    fn failed(turns: &mut Turns) -> String {
        let runtime = crate::collect::runtime().unwrap();
        let failed = runtime.block_on(async { tokio::time::timeout(PATIENCE, turns.failed()).await });
        format!("{:#}", failed.unwrap())
    }

    /// Of all turns, whether each was the last; they go on until the end when so many were.
    fn turns_of(fail_on_missing: bool, looks: fn() -> Vec<Looked>, count: usize) -> Vec<bool> {
        let (turn, turned) = mpsc::channel();
        let take = move |is_last| {
            turn.send(is_last).unwrap();
            looks()
        };
        let turns = Turns::start(SHORT, fail_on_missing, Liveness::default().watch(Instant::now()), take).unwrap();
        let mut seen: Vec<_> = (0..count).map(|_| turned.recv_timeout(PATIENCE).unwrap()).collect();
        turns.finish();
        seen.extend(turned);
        seen
    }

    #[test]
    fn a_source_that_goes_ends_it_if_it_is_to() {
        let mut looks = vec![missing(), Vec::new(), Vec::new()];
        let take = move |_| looks.pop().unwrap();
        let mut turns = Turns::start(SHORT, true, Liveness::default().watch(Instant::now()), take).unwrap();
        assert_eq!(failed(&mut turns), "cannot take flows of pin=/p: there is no map");
        turns.finish();
    }

    /// Nor does one that cannot be read for a while.
    #[test]
    fn a_source_that_goes_ends_nothing_otherwise() {
        let refused = || vec![("pin=/p".to_owned(), Err(NoReading::Failed(anyhow!("no permission"))))];
        for seen in [turns_of(false, missing, 3), turns_of(true, refused, 3)] {
            let (last, before) = seen.split_last().unwrap();
            assert!(*last && before.len() >= 3 && !before.contains(&true), "once more at the end: {seen:?}");
        }
    }

    #[test]
    fn a_panic_is_told() {
        let take = |_| -> Vec<Looked> { panic!("this is a test") };
        let liveness = Liveness::default();
        let start = Instant::now();
        let mut turns = Turns::start(SHORT, false, liveness.watch(start), take).unwrap();
        assert_eq!(failed(&mut turns), "the thread that takes flows out has panicked");
        let stuck = |seconds| liveness.stuck(start + Duration::from_secs(seconds));
        assert_eq!((stuck(60), stuck(90)), (None, Some(0)), "it moved before, and not since");
        turns.finish();
    }

    /// While it waits for a long interval, and not while it takes flows out.
    #[test]
    fn there_are_beats_however_long_the_interval_is() {
        let liveness = Liveness::default();
        let (stop, stopped) = mpsc::channel();
        let start = Instant::now();
        let pulse = liveness.watch(start);
        let waits = thread::spawn(move || is_stopped_within(BEAT * 3600, &stopped, &pulse));
        for halves in [1, 2, 3] {
            let beaten = || liveness.stuck(start + PATIENCE * halves).is_none();
            while !beaten() {
                assert!(start.elapsed() < PATIENCE, "no beat {halves}");
                thread::sleep(SHORT);
            }
        }
        drop(stop);
        assert!(waits.join().unwrap());
    }
}
