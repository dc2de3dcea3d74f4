//! Microbursts: maps are read every 10 ms, and it is kept how the rates between two readings are spread.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use flow_collector::Pulse;
use xdp_counters::{Reading, Series};

use super::watched::{NoReading, Read};
use crate::metrics::{Attributes, Distribution, Exponential};

/// Time between two readings. One takes 20 to 35 us, the search for the map included, so no map is kept open for this.
const PAUSE: Duration = Duration::from_millis(10);
/// The same while there is no map.
const MISSING_PAUSE: Duration = Duration::from_millis(100);
/// The longest: there is a beat of the pulse after each.
const MAX_PAUSE: Duration = Duration::from_secs(10);
/// A map that is large or hard to find is read less often, so that reading is at most so small a part of the time.
const PART: u32 = 10;

/// What the samples of a map gave so far.
#[derive(Clone, Debug)]
pub(super) struct Recorder(Arc<Mutex<Recorded>>);

#[derive(Debug)]
struct Recorded {
    attributes: Attributes,
    /// Since the start.
    total: Exponential,
    /// Since it was last taken for an export.
    fresh: Exponential,
    taken: SystemTime,
    /// Since the last look.
    highest: Option<f64>,
    /// What each look found, as far as it is above those after it.
    looks: VecDeque<(Instant, f64)>,
    /// How long a look counts.
    window: Duration,
}

/// What is seen of the samples at a moment.
#[derive(Clone, Debug)]
pub(super) struct Burst {
    /// How the rates were spread, since the start.
    pub(super) total: Exponential,
    /// The highest of the window; `None` where it has no sample.
    pub(super) max: Option<f64>,
}

impl Recorder {
    /// The highest rate is that of the last `window`. `attributes` tell the map from others.
    pub(super) fn new(attributes: Attributes, window: Duration) -> Self {
        Self(Arc::new(Mutex::new(Recorded {
            attributes,
            total: Exponential::default(),
            fresh: Exponential::default(),
            taken: SystemTime::now(),
            highest: None,
            looks: VecDeque::new(),
            window,
        })))
    }

    fn record(&self, rate: f64) {
        let mut recorded = self.lock();
        recorded.total.record(rate);
        recorded.fresh.record(rate);
        recorded.highest = Some(recorded.highest.map_or(rate, |highest| highest.max(rate)));
    }

    /// What is there at `now`.
    pub(super) fn look(&self, now: Instant) -> Burst {
        let mut recorded = self.lock();
        if let Some(highest) = recorded.highest.take() {
            while recorded.looks.back().is_some_and(|(_, rate)| *rate <= highest) {
                recorded.looks.pop_back();
            }
            recorded.looks.push_back((now, highest));
        }
        let window = recorded.window;
        while recorded.looks.front().is_some_and(|(at, _)| *at + window <= now) {
            recorded.looks.pop_front();
        }
        Burst { total: recorded.total.clone(), max: recorded.looks.front().map(|(_, rate)| *rate) }
    }

    /// What was sampled since the last time, for an export; `None` when nothing was.
    pub(super) fn take(&self) -> Option<Distribution> {
        let mut recorded = self.lock();
        if recorded.fresh.count() == 0 {
            return None;
        }
        let start = recorded.taken;
        // Not before what was said already, whatever is done to the clock.
        recorded.taken = SystemTime::now().max(start + Duration::from_nanos(1));
        let histogram = std::mem::take(&mut recorded.fresh);
        Some(Distribution { attributes: recorded.attributes.clone(), start, time: recorded.taken, histogram })
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A map to be sampled.
pub(super) struct Sampled {
    read: Read,
    recorder: Recorder,
    series: Series,
    /// How long the last reading took.
    took: Option<Duration>,
    due: Instant,
}

impl Sampled {
    pub(super) fn new(read: Read, recorder: Recorder) -> Self {
        Self { read, recorder, series: Series::default(), took: None, due: Instant::now() }
    }

    /// Where its samples go.
    pub(super) fn recorder(&self) -> Recorder {
        self.recorder.clone()
    }

    fn sample(&mut self) {
        let began = Instant::now();
        let reading = (self.read)();
        let took = began.elapsed();
        self.due = began + took + self.take(reading, took);
    }

    /// Records what a reading that took so long gives. Returns how long not to read then.
    ///
    /// When the kernel let this thread wait in the middle of a reading, it is not known when the counters were those, and a rate
    /// would be too high before or after. The next reading has those packets too.
    fn take(&mut self, reading: Result<Reading, NoReading>, took: Duration) -> Duration {
        let cost = self.took.map_or(took, |before| before.min(took));
        let is_first = self.took.replace(took).is_none();
        let pause = PAUSE.max(cost * PART);
        // What is not there is warned of by who reads it each second.
        let Ok(reading) = reading else {
            self.series = Series::default();
            return pause.max(MISSING_PAUSE);
        };
        if is_first || took > (PAUSE / PART).max(cost * 2) {
            return pause;
        }
        if let Some(rate) = self.series.observe(Some(&reading)).and_then(|sample| sample.packets_per_second) {
            self.recorder.record(rate);
        }
        pause
    }
}

/// The thread that samples. Ends when this is dropped.
pub(super) struct Sampling {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sampling {
    /// Each turn is a beat of the `pulse`.
    ///
    /// # Errors
    ///
    /// When there can be no thread.
    pub(super) fn start(mut maps: Vec<Sampled>, pulse: Pulse) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let run = move || {
            loop {
                let now = Instant::now();
                maps.iter_mut().filter(|map| map.due <= now).for_each(Sampled::sample);
                let Some(due) = maps.iter().map(|map| map.due).min() else { return };
                pulse.beat();
                let pause = due.saturating_duration_since(Instant::now());
                let waited = stopped.recv_timeout(pause.min(MAX_PAUSE));
                if waited != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("xdp-bursts".to_owned()).spawn(run)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Sampling {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;
    use flow_collector::Liveness;

    use super::super::fake;
    use super::*;

    const SHORT: Duration = Duration::from_micros(30);

    fn sampled() -> Sampled {
        let recorder = Recorder::new(Vec::new(), Duration::from_secs(5));
        let mut sampled = Sampled::new(fake::read([]), recorder);
        sampled.take(Err(missing()), SHORT);
        sampled
    }

    fn missing() -> NoReading {
        NoReading::Missing(anyhow!("there is no map"))
    }

    impl Sampled {
        /// Count, zeros, and the least and the greatest rate.
        fn has(&self) -> (u64, u64, Option<(f64, f64)>) {
            let total = self.recorder.look(Instant::now()).total;
            (total.count(), total.zeros(), total.range())
        }
    }

    #[test]
    fn a_burst_is_seen() {
        let mut sampled = sampled();
        for (seconds, packets) in [(0.0, 100), (0.01, 100), (0.02, 1_100), (0.04, 1_102)] {
            let pause = sampled.take(Ok(fake::reading(7, seconds, packets)), SHORT);
            assert_eq!(pause, PAUSE);
        }
        let (count, zeros, range) = sampled.has();
        let (min, max) = range.unwrap();
        assert!(min == 0.0 && (max - 100_000.0).abs() < 1e-6, "{range:?}");
        assert_eq!((count, zeros), (3, 1));
    }

    /// Nothing is known of the time between.
    #[test]
    fn resets_and_gaps_are_no_samples() {
        let mut sampled = sampled();
        for (id, seconds, packets) in [(7, 0.0, 100), (7, 0.01, 5), (8, 0.02, 1_000)] {
            sampled.take(Ok(fake::reading(id, seconds, packets)), SHORT);
        }
        assert_eq!(sampled.has(), (0, 0, None));
        assert_eq!(sampled.take(Err(missing()), SHORT), MISSING_PAUSE);
        sampled.take(Ok(fake::reading(8, 9.0, 2_000)), SHORT);
        assert_eq!(sampled.has().0, 0);
        sampled.take(Ok(fake::reading(8, 9.5, 2_010)), SHORT);
        assert_eq!(sampled.has(), (1, 0, Some((20.0, 20.0))));
    }

    /// The thread had to wait within the second reading, the third comes right after.
    #[test]
    fn a_reading_of_an_unknown_time_is_none() {
        let mut sampled = sampled();
        sampled.take(Ok(fake::reading(7, 0.0, 0)), SHORT);
        sampled.take(Ok(fake::reading(7, 0.019, 10)), Duration::from_millis(9));
        sampled.take(Ok(fake::reading(7, 0.02, 20)), SHORT);
        assert_eq!(sampled.has(), (1, 0, Some((1000.0, 1000.0))), "packets of both are in the next");
    }

    #[test]
    fn a_map_that_takes_long_is_read_less_often() {
        let mut sampled = sampled();
        let long = Duration::from_millis(40);
        let pauses = [0.0, 0.2, 0.6, 1.1].map(|at| sampled.take(Ok(fake::reading(7, at, 0)), long));
        assert_eq!(pauses[1..], [long * PART; 3]);
        assert_eq!(sampled.has().0, 2, "and counts all the same");
    }

    #[test]
    fn the_highest_rate_is_that_of_the_window() {
        let recorder = Recorder::new(Vec::new(), Duration::from_secs(5));
        let start = Instant::now();
        let rates = [Some(10.0), Some(900.0), Some(20.0), None, Some(30.0), None, None, Some(5.0), None, None];
        let seen = rates.into_iter().enumerate().map(|(second, rate)| {
            rate.into_iter().for_each(|rate| recorder.record(rate));
            recorder.look(start + Duration::from_secs(second as u64)).max
        });
        let expected = [10.0, 900.0, 900.0, 900.0, 900.0, 900.0, 30.0, 30.0, 30.0, 5.0];
        assert_eq!(seen.collect::<Vec<_>>(), expected.map(Some));
        assert_eq!(recorder.look(start + Duration::from_secs(60)).max, None);
        assert_eq!(recorder.look(start).total.count(), 5);
    }

    #[test]
    fn what_is_taken_is_what_came_since() {
        let recorder = Recorder::new(vec![("xdp.map", "a".to_owned())], Duration::from_secs(5));
        assert!(recorder.take().is_none());
        recorder.record(1.0);
        let first = recorder.take().unwrap();
        recorder.record(2.0);
        recorder.record(3.0);
        let second = recorder.take().unwrap();
        assert_eq!((first.histogram.count(), second.histogram.range()), (1, Some((2.0, 3.0))));
        assert!(first.start < first.time && second.start == first.time && second.start < second.time);
        assert!(recorder.take().is_none());
    }

    /// By itself, until it is told to end.
    #[test]
    fn a_thread_samples() {
        let recorder = Recorder::new(Vec::new(), Duration::from_secs(5));
        let (told, hear) = mpsc::channel();
        let mut readings = 0_u32;
        let read: Read = Box::new(move || {
            readings += 1;
            _ = told.send(readings);
            Ok(fake::reading(7, f64::from(readings), u64::from(readings) * 10))
        });
        let liveness = Liveness::default();
        let start = Instant::now();
        let pulse = liveness.watch(start);
        let sampling = Sampling::start(vec![Sampled::new(read, recorder.clone())], pulse).unwrap();
        while hear.recv().unwrap() < 20 {}
        drop(sampling);
        // Ends with the thread, which has what tells.
        hear.iter().for_each(drop);
        let stuck = |seconds| liveness.stuck(start + Duration::from_secs(seconds));
        assert_eq!((stuck(60), stuck(120)), (None, Some(0)), "there were beats while it ran");
        let total = recorder.look(Instant::now()).total;
        assert!(total.count() > 0 && total.range() == Some((10.0, 10.0)), "{total:?}");
    }
}
