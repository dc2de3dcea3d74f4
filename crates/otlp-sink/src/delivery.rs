//! From the queue to an OTLP receiver, as often as it takes.

use std::future::Future;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::config::SinkConfig;
use crate::occasionally::Occasionally;
use crate::output::OutputState;
use crate::queue::{Batch, Flight, Sender, unix_millis};
use crate::receivers::{Receiver, Receivers};
use crate::sink::Stop;
use crate::split;
use crate::stats::DropReason;
use crate::transport::{Accepted, ExportError, ExportErrorKind};

/// Longest wait that a receiver may ask for.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(60);

/// Longest wait during shutdown, when there is little time left.
const MAX_DRAIN_WAIT: Duration = Duration::from_millis(250);

/// How long a receiver is taken to have a limit. Then it is tried again: whoever set it may have set it right.
const LIMIT_LIFETIME: Duration = Duration::from_secs(600);

/// Smallest part that is made of a batch because a receiver has no room for it.
const MIN_SPANS_OF_PART: u64 = 64;

/// Sends the batches of one output.
#[derive(Debug)]
pub(crate) struct Delivery {
    receivers: Receivers,
    output: Arc<OutputState>,
    retry: RetryPolicy,
    max_age: Option<Duration>,
    /// Bytes of a request that was too large where a part of it was not, and since when that is known.
    too_large: Mutex<Option<(usize, Instant)>>,
    /// How often a receiver took requests again.
    recoveries: watch::Sender<u64>,
    refusals: Occasionally,
    rejections: Occasionally,
}

/// The deadline of shutdown came, or nothing more is tried before it.
struct Stopped;

/// What came of a batch.
enum Outcome {
    Delivered,
    /// And counted.
    Dropped,
    /// Another try makes sense with less at once.
    Halve,
    /// The receiver takes no request of this size.
    TooLarge,
}

impl Delivery {
    pub(crate) fn new(receivers: Receivers, output: Arc<OutputState>, config: &SinkConfig) -> Self {
        let (retry, max_age, too_large) = (RetryPolicy::new(config), config.max_age, Mutex::default());
        let (recoveries, refusals, rejections) = Default::default();
        Self { receivers, output, retry, max_age, too_large, recoveries, refusals, rejections }
    }

    /// To be kept by each task that runs.
    pub(crate) fn sender(&self) -> Sender {
        self.output.queue.clone().sender()
    }

    /// Sends batches, one after the other, until the queue is closed and empty or the deadline of shutdown is over.
    pub(crate) async fn run(self: Arc<Self>, sender: Sender, mut stop: watch::Receiver<Stop>) {
        while let Some(flight) = self.output.queue.pop().await {
            if let Err(Stopped) = self.deliver_parts(flight, &mut stop).await {
                break;
            }
        }
        drop(sender);
    }

    /// Delivers a batch whole, or in as many parts as the receiver wants it.
    async fn deliver_parts(&self, flight: Flight, stop: &mut watch::Receiver<Stop>) -> Result<(), Stopped> {
        let mut parts = vec![flight];
        let mut refused = usize::MAX;
        while let Some(part) = parts.pop() {
            let bytes = part.batch.request.len();
            let mut halves = if self.is_too_large(bytes) { split::halves(&part.batch) } else { None };
            if halves.is_none() {
                match self.deliver(&part, stop).await? {
                    Outcome::Delivered => {
                        self.learn_limit(refused);
                        continue;
                    }
                    Outcome::Dropped => continue,
                    Outcome::TooLarge => refused = refused.min(bytes),
                    Outcome::Halve => {}
                }
                halves = split::halves(&part.batch);
            }
            match halves {
                Some([first, second]) => parts.extend(self.output.queue.split(&part, [second, first])),
                None => self.output.dropped(&part, DropReason::TooLarge),
            }
        }
        Ok(())
    }

    fn is_too_large(&self, bytes: usize) -> bool {
        self.limit().is_some_and(|(limit, _)| bytes >= limit)
    }

    fn limit(&self) -> MutexGuard<'_, Option<(usize, Instant)>> {
        let mut limit = self.too_large.lock().unwrap_or_else(PoisonError::into_inner);
        limit.take_if(|(_, since)| since.elapsed() > LIMIT_LIFETIME);
        limit
    }

    /// Remembers that a request was too large, now that a part of it was not: so that the next ones are not sent in vain.
    fn learn_limit(&self, refused: usize) {
        let mut limit = self.limit();
        if refused < limit.map_or(usize::MAX, |(limit, _)| limit) {
            *limit = Some((refused, Instant::now()));
            let output = &self.output.name;
            warn!(output, bytes = refused, "the receiver takes no request of this size, sending smaller ones");
        }
    }

    async fn deliver(&self, flight: &Flight, stop: &mut watch::Receiver<Stop>) -> Result<Outcome, Stopped> {
        let batch = &flight.batch;
        let request = unless_stopped(stop, self.receivers.any().transport.prepare(batch.request.clone())).await?;
        // Receivers that were tried since the last wait.
        let mut tried = 1;
        let mut attempt = 0;
        // Whether another request that arrives is a reason to try again. Not for one that then failed all the same: it may be
        // the only one that does.
        let mut follows = true;
        loop {
            if self.is_too_old(batch) {
                self.output.dropped(flight, DropReason::Expired);
                return Ok(Outcome::Dropped);
            }
            self.output.counters.requests.fetch_add(1, Relaxed);
            // Before the request: one that arrives while this one fails counts.
            let mut recovered = self.recoveries.subscribe();
            let started = Instant::now();
            let receiver = self.receivers.choose(started);
            let result = unless_stopped(stop, receiver.transport.send(request.clone())).await?;
            self.output.counters.request_took(started.elapsed(), result.as_ref().err().map(|error| error.kind));
            let error = match result {
                Ok(accepted) => {
                    self.accepted(flight, receiver, &accepted);
                    return Ok(Outcome::Delivered);
                }
                Err(error) => error,
            };
            match error.kind {
                ExportErrorKind::TooLarge => return Ok(Outcome::TooLarge),
                ExportErrorKind::Refused => return Ok(self.refused(flight, &error)),
                _ => self.will_retry(receiver, &error),
            }
            if self.receivers.may_try_another(tried, Instant::now()) {
                tried += 1;
                continue;
            }
            tried = 1;
            self.output.queue.failed(flight);
            if *stop.borrow() >= Stop::Drain {
                if self.output.queue.has_spool() {
                    // It is kept there for the next start.
                    return Err(Stopped);
                }
                if error.kind == ExportErrorKind::Denied {
                    // Nobody will set it right in time.
                    return Ok(self.refused(flight, &error));
                }
            }
            follows = tokio::select! {
                waited = self.retry.wait(attempt, &error, stop) => waited.map(|()| follows)?,
                Ok(()) = recovered.changed(), if follows && error.retry_after.is_none() => false,
            };
            if error.kind == ExportErrorKind::Exhausted && batch.spans >= 2 * MIN_SPANS_OF_PART {
                return Ok(Outcome::Halve);
            }
            attempt += 1;
        }
    }

    fn is_too_old(&self, batch: &Batch) -> bool {
        let age = unix_millis(SystemTime::now()).saturating_sub(batch.created);
        self.max_age.is_some_and(|max_age| u128::from(age) > max_age.as_millis())
    }

    fn refused(&self, flight: &Flight, error: &ExportError) -> Outcome {
        let spans = flight.batch.spans;
        self.output.dropped(flight, DropReason::Refused);
        if let Some(repeats) = self.refusals.permit() {
            let output = &self.output.name;
            error!(output, %error, spans, repeats, "receiver refused spans, dropped them");
        }
        Outcome::Dropped
    }

    fn will_retry(&self, receiver: &Receiver, error: &ExportError) {
        let (pause, max) = (self.retry.bound(0, error.kind), self.retry.bound(u32::MAX, error.kind));
        receiver.failed(Instant::now(), pause, max, error.retry_after.map(|asked| asked.min(MAX_REQUESTED_WAIT)));
        self.output.counters.retries.fetch_add(1, Relaxed);
        let (output, endpoint) = (&self.output.name, &receiver.endpoint);
        if error.kind == ExportErrorKind::Denied {
            if let Some(repeats) = receiver.denials.permit() {
                error!(output, endpoint, %error, repeats, "the receiver takes no spans from us, will try again now and then");
            }
        } else if let Some(repeats) = receiver.trouble.permit() {
            warn!(output, endpoint, %error, repeats, "cannot deliver spans, will try again");
        }
    }

    fn accepted(&self, flight: &Flight, receiver: &Receiver, accepted: &Accepted) {
        self.output.queue.succeeded();
        self.output.exported(flight, accepted.rejected_spans);
        let output = &self.output.name;
        if receiver.worked() {
            self.recoveries.send_modify(|recoveries| *recoveries += 1);
        }
        if receiver.was_said_to_fail() {
            info!(output, endpoint = receiver.endpoint, "spans are delivered again");
        }
        if accepted.rejected_spans > 0 || !accepted.message.is_empty() {
            let Some(repeats) = self.rejections.permit() else { return };
            let (rejected, message) = (accepted.rejected_spans, &accepted.message);
            warn!(output, rejected, message, repeats, "receiver did not take all spans");
        }
    }
}

/// Waits before retries: exponential, with full jitter.
#[derive(Clone, Debug)]
pub(crate) struct RetryPolicy {
    initial: Duration,
    max: Duration,
    reconnect_max: Duration,
}

impl RetryPolicy {
    pub(crate) fn new(config: &SinkConfig) -> Self {
        Self { initial: config.retry_initial, max: config.retry_max, reconnect_max: config.reconnect_max }
    }

    /// Upper bound of the wait after the given number of failures before this one.
    fn bound(&self, attempt: u32, kind: ExportErrorKind) -> Duration {
        if kind == ExportErrorKind::Denied {
            // Somebody has to set it right first.
            return self.max;
        }
        let max = if kind == ExportErrorKind::Unreachable { self.reconnect_max } else { self.max };
        self.initial.saturating_mul(1 << attempt.min(20)).min(max)
    }

    async fn wait(&self, attempt: u32, error: &ExportError, stop: &mut watch::Receiver<Stop>) -> Result<(), Stopped> {
        let least = if error.kind == ExportErrorKind::Denied { 0.5 } else { 0.0 };
        let jittered = self.bound(attempt, error.kind).mul_f64(least + (1.0 - least) * fastrand::f64());
        let wait = jittered.max(error.retry_after.unwrap_or_default().min(MAX_REQUESTED_WAIT));
        let drains = async {
            at_least(&mut stop.clone(), Stop::Drain).await;
            tokio::time::sleep(wait.min(MAX_DRAIN_WAIT)).await;
        };
        let waited = async {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = drains => {}
            }
        };
        unless_stopped(&mut stop.clone(), waited).await
    }
}

async fn unless_stopped<T>(stop: &mut watch::Receiver<Stop>, work: impl Future<Output = T>) -> Result<T, Stopped> {
    tokio::select! {
        biased;
        result = work => Ok(result),
        () = at_least(stop, Stop::Now) => Err(Stopped),
    }
}

async fn at_least(stop: &mut watch::Receiver<Stop>, wanted: Stop) {
    if stop.wait_for(|stop| *stop >= wanted).await.is_err() {
        // The sink is gone without a shutdown: nobody will say stop.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_double_up_to_the_maximum_of_their_kind() {
        let retry = RetryPolicy::new(&SinkConfig::default());
        let bounds = |kind| [0, 1, 2, 5, 8, u32::MAX].map(|attempt| retry.bound(attempt, kind).as_millis());
        assert_eq!(bounds(ExportErrorKind::Unavailable), [200, 400, 800, 6400, 30_000, 30_000]);
        assert_eq!(bounds(ExportErrorKind::TimedOut), [200, 400, 800, 6400, 30_000, 30_000]);
        assert_eq!(bounds(ExportErrorKind::Unreachable), [200, 400, 800, 5000, 5000, 5000]);
    }

    fn unavailable(retry_after: Option<Duration>) -> ExportError {
        ExportError { kind: ExportErrorKind::Unavailable, message: String::new(), retry_after }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_the_receiver_asks_for_is_kept() {
        let retry = RetryPolicy::new(&SinkConfig::default());
        let stop = watch::Sender::new(Stop::No);
        for (asked, expected) in [(7, 7), (3600, 60)] {
            let start = tokio::time::Instant::now();
            let error = unavailable(Some(Duration::from_secs(asked)));
            assert!(retry.wait(0, &error, &mut stop.subscribe()).await.is_ok());
            assert_eq!(start.elapsed().as_secs(), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn shutdown_shortens_waits_and_its_deadline_ends_them() {
        let retry = RetryPolicy::new(&SinkConfig::default());
        let stop = watch::Sender::new(Stop::No);
        let error = unavailable(Some(Duration::from_secs(50)));
        let start = tokio::time::Instant::now();
        let mut receiver = stop.subscribe();
        let (waited, ()) = tokio::join!(retry.wait(0, &error, &mut receiver), async {
            stop.send_replace(Stop::Drain);
        });
        assert!(waited.is_ok());
        assert_eq!(start.elapsed(), MAX_DRAIN_WAIT);
        stop.send_replace(Stop::Now);
        assert!(retry.wait(0, &error, &mut receiver).await.is_err());
    }
}
