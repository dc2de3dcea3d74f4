//! From the queue to an OTLP receiver, as often as it takes.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::config::SinkConfig;
use crate::occasionally::Occasionally;
use crate::output::OutputState;
use crate::queue::Batch;
use crate::sink::Stop;
use crate::split;
use crate::stats::DropReason;
use crate::transport::{Accepted, ExportError, ExportErrorKind, Transport};

/// Longest wait that a receiver may ask for.
const MAX_REQUESTED_WAIT: Duration = Duration::from_secs(60);

/// Longest wait during shutdown, when there is little time left.
const MAX_DRAIN_WAIT: Duration = Duration::from_millis(250);

/// Sends the batches of one output.
#[derive(Debug)]
pub(crate) struct Delivery {
    transport: Transport,
    output: Arc<OutputState>,
    retry: RetryPolicy,
    /// Bytes of the smallest request that was too large.
    too_large: AtomicUsize,
    trouble: Occasionally,
    refusals: Occasionally,
    rejections: Occasionally,
}

/// The deadline of shutdown came.
struct Stopped;

/// The receiver takes no request of this size.
struct TooLarge;

impl Delivery {
    pub(crate) fn new(transport: Transport, output: Arc<OutputState>, retry: RetryPolicy) -> Self {
        let (trouble, refusals, rejections) = Default::default();
        Self { transport, output, retry, too_large: AtomicUsize::new(usize::MAX), trouble, refusals, rejections }
    }

    /// Sends batches, one after the other, until the queue is closed and empty or the deadline of shutdown is over.
    pub(crate) async fn run(self: Arc<Self>, mut stop: watch::Receiver<Stop>) {
        while let Some(batch) = self.output.queue.pop().await {
            if let Err(Stopped) = self.deliver_parts(batch, &mut stop).await {
                return;
            }
        }
    }

    /// Delivers a batch whole, or in as many parts as the receiver wants it.
    async fn deliver_parts(&self, batch: Batch, stop: &mut watch::Receiver<Stop>) -> Result<(), Stopped> {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let is_known = part.request.len() >= self.too_large.load(Relaxed);
            let mut halves = if is_known { split::halves(&part) } else { None };
            if halves.is_none() {
                match self.deliver(&part, stop).await? {
                    Ok(()) => continue,
                    Err(TooLarge) => halves = split::halves(&part),
                }
                self.learn_limit(&part);
            }
            match halves {
                Some([first, second]) => {
                    let halves = [second, first];
                    self.output.queue.split(&part, &halves);
                    parts.extend(halves);
                }
                None => self.output.dropped(&part, DropReason::TooLarge),
            }
        }
        Ok(())
    }

    /// Remembers that a request was too large, so that the next ones are not sent in vain.
    fn learn_limit(&self, part: &Batch) {
        let bytes = part.request.len();
        if self.too_large.fetch_min(bytes, Relaxed) == usize::MAX {
            warn!(output = self.output.name, bytes, "the receiver takes no request of this size, sending smaller ones");
        }
    }

    async fn deliver(&self, batch: &Batch, stop: &mut watch::Receiver<Stop>) -> Result<Result<(), TooLarge>, Stopped> {
        let request = unless_stopped(stop, self.transport.prepare(batch.request.clone())).await?;
        let mut attempt = 0;
        loop {
            self.output.counters.requests.fetch_add(1, Relaxed);
            let error = match unless_stopped(stop, self.transport.send(request.clone())).await? {
                Ok(accepted) => {
                    self.accepted(batch, &accepted);
                    return Ok(Ok(()));
                }
                Err(error) => error,
            };
            let output = &self.output.name;
            if error.kind == ExportErrorKind::TooLarge {
                return Ok(Err(TooLarge));
            }
            if error.kind == ExportErrorKind::Refused {
                self.output.dropped(batch, DropReason::Refused);
                if let Some(repeats) = self.refusals.permit() {
                    error!(output, %error, spans = batch.spans, repeats, "receiver refused spans, dropped them");
                }
                return Ok(Ok(()));
            }
            if let Some(repeats) = self.trouble.permit() {
                warn!(output, %error, repeats, "cannot deliver spans, will try again");
            }
            self.output.counters.retries.fetch_add(1, Relaxed);
            self.retry.wait(attempt, &error, stop).await?;
            attempt += 1;
        }
    }

    fn accepted(&self, batch: &Batch, accepted: &Accepted) {
        self.output.exported(batch, accepted.rejected_spans);
        let output = &self.output.name;
        if self.trouble.reset() {
            info!(output, "spans are delivered again");
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
        let max = if kind == ExportErrorKind::Unreachable { self.reconnect_max } else { self.max };
        self.initial.saturating_mul(1 << attempt.min(20)).min(max)
    }

    async fn wait(&self, attempt: u32, error: &ExportError, stop: &mut watch::Receiver<Stop>) -> Result<(), Stopped> {
        let jittered = self.bound(attempt, error.kind).mul_f64(fastrand::f64());
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
