//! Which share of the flows becomes spans, and the limit of spans that all workers share.

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flow_semconv::{FlowSampling, Probability, SamplingPolicy};
use flow_state::Timestamp;

/// Sampling as it is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplingConfig {
    /// Which share of the flows is kept, unless their exporter has a policy of its own.
    pub policy: SamplingPolicy,
    /// Spans of all kinds and of all workers to write in a second. When there are more, the share becomes smaller.
    pub max_spans_per_second: Option<NonZeroU32>,
}

/// The sampling of all workers.
#[derive(Debug, Default)]
pub struct FlowSampler {
    policy: Option<SamplingPolicy>,
    ceiling: Option<SpanCeiling>,
}

impl FlowSampler {
    /// A sampler that keeps as much as the policy says, until it counts more spans than there may be; without a
    /// configuration it keeps everything of exporters that have no policy of their own.
    pub fn new(config: Option<SamplingConfig>) -> Self {
        Self {
            policy: config.map(|config| config.policy),
            ceiling: config.and_then(|config| config.max_spans_per_second).map(SpanCeiling::new),
        }
    }

    /// How the flows of a datagram are sampled that is read at `now`, by a clock that is never set and the same for all
    /// threads; `own` is the policy of its exporter, if it has another. `None` where they are not.
    #[inline]
    pub fn at(&self, own: Option<SamplingPolicy>, now: Timestamp) -> Option<FlowSampling> {
        let policy = own.or(self.policy)?;
        let factor = self.ceiling.as_ref().map_or(Probability::ONE, |ceiling| ceiling.factor(now));
        Some(policy.scaled(factor))
    }

    /// Counts spans that were written.
    #[inline]
    pub fn count(&self, spans: u64) {
        if let Some(ceiling) = &self.ceiling {
            ceiling.written.fetch_add(spans, Ordering::Relaxed);
        }
    }
}

/// Finds the share of the flows that makes so many spans a second.
///
/// It counts the spans that were written and knows which share they were of what could have been; their ratio is the
/// demand. Each span says its own share, so that it does not matter for estimates how well the limit is met.
#[derive(Debug)]
struct SpanCeiling {
    spans_per_second: f64,
    /// Since the last estimate.
    written: AtomicU64,
    /// So many are a burst, which is answered at once.
    burst: u64,
    /// Nanoseconds at the next estimate.
    due: AtomicU64,
    /// The bits of an `f64`.
    factor: AtomicU64,
    /// Only for the worker that makes an estimate; others go on with the factor as it is.
    demand: Mutex<Demand>,
}

/// Spans a second that there would be of all flows.
#[derive(Debug, Default)]
struct Demand {
    since: Option<Timestamp>,
    /// Spans written, those of long ago for less.
    spans: f64,
    /// Seconds, each for the share that was kept in it, those of long ago for less.
    exposure: f64,
}

/// From one estimate to the next.
const INTERVAL: Duration = Duration::from_millis(250);

/// What is so old counts 1/e.
const MEMORY_SECONDS: f64 = 1.0;

/// A limit of one span a second under a demand of ten million; and spans that are no flows' cannot make it smaller.
const LEAST_FACTOR: f64 = 1e-7;

impl SpanCeiling {
    fn new(spans_per_second: NonZeroU32) -> Self {
        let spans_per_second = f64::from(spans_per_second.get());
        let of_interval = spans_per_second * INTERVAL.as_secs_f64();
        // Half more than there may be, beyond what chance does (four standard deviations).
        let burst = 1.5 * of_interval + 4.0 * of_interval.sqrt();
        Self {
            spans_per_second,
            written: AtomicU64::new(0),
            burst: burst as u64,
            due: AtomicU64::new(0),
            factor: AtomicU64::new(1.0_f64.to_bits()),
            demand: Mutex::default(),
        }
    }

    /// The share of the flows that may become spans.
    #[inline]
    fn factor(&self, now: Timestamp) -> Probability {
        let is_burst = self.written.load(Ordering::Relaxed) >= self.burst;
        let is_due = self.due.load(Ordering::Relaxed) <= now.as_unix_nanos();
        if (is_burst || is_due)
            && let Ok(mut demand) = self.demand.try_lock()
        {
            self.estimate(&mut demand, now);
        }
        Probability::new(f64::from_bits(self.factor.load(Ordering::Relaxed))).unwrap_or(Probability::ONE)
    }

    #[cold]
    fn estimate(&self, demand: &mut Demand, now: Timestamp) {
        // Another thread may have read the clock a moment later, and be here before.
        if demand.since.is_some_and(|since| now <= since) {
            return;
        }
        self.due.store((now + INTERVAL).as_unix_nanos(), Ordering::Relaxed);
        let Some(since) = demand.since.replace(now) else { return };
        let seconds = now.since(since).as_secs_f64();
        let spans = self.written.swap(0, Ordering::Relaxed);
        let factor = f64::from_bits(self.factor.load(Ordering::Relaxed));
        // What was before a burst says nothing of it.
        let kept = if spans >= self.burst { 0.0 } else { (-seconds / MEMORY_SECONDS).exp() };
        demand.spans = demand.spans * kept + spans as f64;
        demand.exposure = demand.exposure * kept + seconds * factor;
        let factor = self.spans_per_second * demand.exposure / demand.spans;
        // Without spans it is no number, or too large.
        let factor = if factor < 1.0 { factor.max(LEAST_FACTOR) } else { 1.0 };
        self.factor.store(factor.to_bits(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

    /// Datagrams of twenty flows at their times, kept by chance as the factor has it; a trace has three spans more.
    struct Simulation {
        ceiling: SpanCeiling,
        random: fastrand::Rng,
        now: Timestamp,
        /// Flows that are due, less than a datagram of them.
        waiting: f64,
        flows: u64,
        estimated: f64,
    }

    impl Simulation {
        fn new(spans_per_second: u32) -> Self {
            Self {
                ceiling: SpanCeiling::new(NonZeroU32::new(spans_per_second).unwrap()),
                random: fastrand::Rng::with_seed(7),
                now: START,
                waiting: 0.0,
                flows: 0,
                estimated: 0.0,
            }
        }

        /// Spans that were written in so many seconds of so many flows a second, and the factor at their end.
        fn run(&mut self, seconds: f64, flows_per_second: f64) -> (f64, f64) {
            let mut spans = 0;
            for _ in 0..(seconds * 1_000.0) as u64 {
                self.now = self.now + Duration::from_millis(1);
                self.waiting += flows_per_second / 1_000.0;
                while self.waiting >= 20.0 {
                    self.waiting -= 20.0;
                    let factor = self.ceiling.factor(self.now).as_f64();
                    let kept = (0..20).filter(|_| self.random.f64() < factor).count() as u64;
                    let written = if kept > 0 { kept + 3 } else { 0 };
                    self.ceiling.written.fetch_add(written, Ordering::Relaxed);
                    spans += written;
                    self.flows += 20;
                    self.estimated += kept as f64 / factor;
                }
            }
            (spans as f64, self.ceiling.factor(self.now).as_f64())
        }

        fn run_second(&mut self, flows_per_second: f64) -> f64 {
            self.run(1.0, flows_per_second).0
        }
    }

    #[test]
    fn below_the_limit_everything_is_kept() {
        let mut simulation = Simulation::new(10_000);
        assert_eq!(simulation.run(30.0, 8_000.0), (30.0 * 8_000.0 * 23.0 / 20.0, 1.0));
    }

    /// What docs/sampling.md promises: after the first second the limit is met within 5 % on the average of ten.
    #[test]
    fn a_steady_demand_is_held_at_the_limit() {
        for (limit, flows) in [(100, 10_000.0), (1_000, 2_000.0), (1_000, 100_000.0), (20_000, 100_000.0)] {
            let mut simulation = Simulation::new(limit);
            let first = simulation.run_second(flows);
            assert!(first < 2.5 * f64::from(limit), "{limit} of {flows}: {first} in the first second");
            for _ in 0..3 {
                let mean = simulation.run(10.0, flows).0 / 10.0 / f64::from(limit);
                assert!((0.95..=1.05).contains(&mean), "{limit} of {flows}: {mean}");
            }
            // Each flow says its share: the estimate does not mind how it was found.
            let error = simulation.estimated / simulation.flows as f64 - 1.0;
            let standard_error = (f64::from(limit) * 31.0 / 4.0).sqrt().recip();
            assert!(error.abs() < 3.0 * standard_error, "{limit} of {flows}: {error}");
        }
    }

    #[test]
    fn a_burst_is_answered_within_a_second_and_its_end_within_ten() {
        for (limit, calm, burst) in [(1_000, 500.0, 100_000.0), (5_000, 20_000.0, 200_000.0), (1_000, 0.0, 50_000.0)] {
            let mut simulation = Simulation::new(limit);
            let limit = f64::from(limit);
            simulation.run(20.0, calm);
            let seconds: Vec<_> = (0..5).map(|_| simulation.run_second(burst) / limit).collect();
            assert!(seconds[0] < 2.5 && seconds[1..].iter().all(|second| (0.8..1.2).contains(second)), "{seconds:?}");
            simulation.run(10.0, calm);
            let (spans, factor) = simulation.run(10.0, calm);
            assert!(factor == 1.0 || (0.95..1.05).contains(&(spans / 10.0 / limit)), "{factor}, {spans}");
        }
    }

    /// A demand that grows too slowly to be a burst.
    #[test]
    fn a_rising_demand_is_followed() {
        let mut simulation = Simulation::new(1_000);
        let mut flows = 500.0;
        for second in 0..60 {
            let spans = simulation.run_second(flows);
            assert!(spans < 1_300.0, "{spans} in second {second}");
            flows *= 1.1;
        }
    }

    /// A thread that takes older times for now changes nothing.
    #[test]
    fn a_worker_that_lags_does_not_lift_the_limit() {
        let mut simulation = Simulation::new(1_000);
        simulation.run(5.0, 100_000.0);
        for _ in 0..100 {
            let (spans, _) = simulation.run(0.1, 100_000.0);
            assert!(spans < 250.0, "{spans} in a tenth of a second");
            simulation.ceiling.factor(START + (simulation.now.since(START) - Duration::from_secs(1)));
        }
    }

    /// Spans of datagrams with issues, say, are no flows' and come whatever the factor.
    #[test]
    fn spans_beside_flows_do_not_silence_flows_for_long() {
        let mut simulation = Simulation::new(1_000);
        for second in 0..30 {
            simulation.now = START + Duration::from_secs(second);
            simulation.ceiling.factor(simulation.now);
            simulation.ceiling.written.fetch_add(5_000, Ordering::Relaxed);
        }
        let factor = simulation.ceiling.factor(simulation.now).as_f64();
        assert!((1e-7..1e-6).contains(&factor), "{factor}");
        simulation.run(20.0, 100_000.0);
        let mean = simulation.run(10.0, 100_000.0).0 / 10_000.0;
        assert!((0.95..=1.05).contains(&mean), "{mean}");
    }
}
