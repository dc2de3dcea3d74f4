//! What became of the spans.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::transport::ExportErrorKind;

/// Why a span did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The output's queue was full.
    QueueFull,
    /// The spool was full: these were the oldest in it, or the newest that neither it nor memory could hold.
    SpoolFull,
    /// The spans had waited longer than [`SinkConfig::max_age`](crate::SinkConfig::max_age).
    Expired,
    /// The spool could not read again what it had written.
    Damaged,
    /// The span alone is larger than a request may be.
    TooLarge,
    /// The receiver took the request and rejected the span (OTLP partial success).
    Rejected,
    /// The receiver refused the request for good: it makes no sense to it, or shutdown came while it refused all.
    Refused,
    /// A file could not be written.
    Io,
    /// The output ended by itself: the reader of standard output is gone.
    Closed,
    /// The span came after shutdown had begun.
    Shutdown,
}

impl DropReason {
    /// All reasons.
    pub const ALL: [Self; 10] = [
        Self::QueueFull,
        Self::SpoolFull,
        Self::Expired,
        Self::Damaged,
        Self::TooLarge,
        Self::Rejected,
        Self::Refused,
        Self::Io,
        Self::Closed,
        Self::Shutdown,
    ];

    /// The reason as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::SpoolFull => "spool_full",
            Self::Expired => "expired",
            Self::Damaged => "damaged",
            Self::TooLarge => "too_large",
            Self::Rejected => "rejected",
            Self::Refused => "refused",
            Self::Io => "io",
            Self::Closed => "closed",
            Self::Shutdown => "shutdown",
        }
    }
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Counters of a sink since its start, one entry an output.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SinkStats {
    /// In the order of [`SinkConfig::outputs`](crate::SinkConfig::outputs).
    pub outputs: Vec<OutputStats>,
}

impl SinkStats {
    /// Spans that arrived, over all outputs.
    pub fn exported(&self) -> u64 {
        self.outputs.iter().map(|output| output.exported).sum()
    }

    /// Spans that were dropped, over all outputs and reasons.
    pub fn dropped(&self) -> u64 {
        self.outputs.iter().map(OutputStats::dropped_total).sum()
    }

    /// Spans that wait in memory or are under way, over all outputs.
    pub fn pending(&self) -> u64 {
        self.outputs.iter().map(|output| output.queued_spans + output.in_flight_spans).sum()
    }

    /// Spans that wait in spools and not in memory, over all outputs.
    pub fn spooled(&self) -> u64 {
        self.outputs.iter().filter_map(|output| Some(output.spool?.spans)).sum()
    }
}

/// Counters of one output. Each span handed to it, or left in its spool by an earlier run, is exported, dropped for one reason,
/// queued, in flight or in the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OutputStats {
    /// The endpoint, the path of the file or `stdout`.
    pub name: String,
    /// Spans acknowledged by the receiver or written.
    pub exported: u64,
    /// Spans waiting in the queue.
    pub queued_spans: u64,
    /// Spans in requests that are not answered, or that wait to be sent again.
    pub in_flight_spans: u64,
    /// Bytes of spans queued and in flight; what [`SinkConfig::queue_bytes`](crate::SinkConfig::queue_bytes) bounds.
    pub held_bytes: u64,
    /// The bound of `held_bytes`.
    pub max_held_bytes: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests sent again.
    pub retries: u64,
    /// How long requests took until their answer or failure: successful ones, then each kind of failure there was.
    pub durations: Vec<RequestDurations>,
    /// What is on disk; `None` without a spool.
    pub spool: Option<SpoolStats>,
    dropped: [u64; DropReason::ALL.len()],
}

/// A histogram of requests that ended alike.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestDurations {
    /// Why they failed; `None` for those that were answered with success.
    pub error: Option<ExportErrorKind>,
    /// How many took no longer than each of [`BOUNDS`](Self::BOUNDS) and longer than the one before; the last ones took
    /// longer than all.
    pub counts: [u64; Self::BOUNDS.len() + 1],
    /// The sum of their durations.
    pub sum: Duration,
}

impl RequestDurations {
    /// Upper bounds in seconds.
    pub const BOUNDS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0];
}

/// Counters of the spool of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolStats {
    /// Spans on disk that are neither queued nor in flight.
    pub spans: u64,
    /// Spans queued or in flight that are on disk as well.
    pub copied: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// The bound of `bytes`.
    pub max_bytes: u64,
    /// Spans written since the start. From then on a crash does not lose them; nor a loss of power, with
    /// [`SpoolSync::Batch`](crate::SpoolSync::Batch).
    pub written: u64,
    /// Spans that earlier runs had left.
    pub recovered: u64,
    /// Bytes that could not be understood; spans that were known to be in them are counted as dropped.
    pub damaged_bytes: u64,
    /// Whether the last write went well. While it did not, spans wait in memory alone.
    pub is_writable: bool,
}

impl OutputStats {
    /// Spans dropped for this reason.
    pub fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped[reason as usize]
    }

    /// Spans dropped for any reason.
    pub fn dropped_total(&self) -> u64 {
        self.dropped.iter().sum()
    }
}

/// What [`Sink::shutdown`](crate::Sink::shutdown) achieved: spans since the start of the sink, over all outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Spans that arrived.
    pub exported: u64,
    /// Spans dropped, for any reason.
    pub dropped: u64,
    /// Spans neither acknowledged nor dropped when the deadline came. They are lost, unless a receiver took them and
    /// its answer did not come in time.
    pub remaining: u64,
    /// Spans that are left in spools, for the next start.
    pub spooled: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) exported: AtomicU64,
    pub(crate) requests: AtomicU64,
    pub(crate) retries: AtomicU64,
    dropped: [AtomicU64; DropReason::ALL.len()],
    /// Success, then by kind.
    durations: [Durations; 1 + ExportErrorKind::ALL.len()],
}

#[derive(Debug, Default)]
struct Durations {
    counts: [AtomicU64; RequestDurations::BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Counters {
    pub(crate) fn request_took(&self, duration: Duration, error: Option<ExportErrorKind>) {
        let durations = &self.durations[error.map_or(0, |kind| kind as usize + 1)];
        let bucket = RequestDurations::BOUNDS.partition_point(|bound| *bound < duration.as_secs_f64());
        durations.counts[bucket].fetch_add(1, Relaxed);
        durations.micros.fetch_add(duration.as_micros() as u64, Relaxed);
    }

    pub(crate) fn drop_spans(&self, reason: DropReason, spans: u64) {
        self.dropped[reason as usize].fetch_add(spans, Relaxed);
    }

    /// A snapshot without what the queue knows.
    pub(crate) fn snapshot(&self, name: &str) -> OutputStats {
        OutputStats {
            name: name.to_owned(),
            exported: self.exported.load(Relaxed),
            queued_spans: 0,
            in_flight_spans: 0,
            held_bytes: 0,
            max_held_bytes: 0,
            requests: self.requests.load(Relaxed),
            retries: self.retries.load(Relaxed),
            durations: self.durations(),
            spool: None,
            dropped: self.dropped.each_ref().map(|count| count.load(Relaxed)),
        }
    }

    fn durations(&self) -> Vec<RequestDurations> {
        let kinds = [None].into_iter().chain(ExportErrorKind::ALL.map(Some));
        let durations = kinds.zip(&self.durations).map(|(error, durations)| RequestDurations {
            error,
            counts: durations.counts.each_ref().map(|count| count.load(Relaxed)),
            sum: Duration::from_micros(durations.micros.load(Relaxed)),
        });
        durations.filter(|of| of.error.is_none() || of.counts.iter().any(|count| *count > 0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_below_their_bound_by_outcome() {
        let counters = Counters::default();
        for (micros, error) in [
            (0, None),
            (1_000, None),
            (1_001, None),
            (10_000_000, None),
            (10_000_001, None),
            (70, Some(ExportErrorKind::Unreachable)),
            (5, Some(ExportErrorKind::Refused)),
        ] {
            counters.request_took(Duration::from_micros(micros), error);
        }
        let durations = counters.durations();
        assert_eq!(durations[0].counts, [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!((durations[0].error, durations[0].sum), (None, Duration::from_micros(20_002_002)));
        let failed: Vec<_> = durations[1..].iter().map(|of| (of.error, of.counts[0], of.sum.as_micros())).collect();
        assert_eq!(failed, [(Some(ExportErrorKind::Unreachable), 1, 70), (Some(ExportErrorKind::Refused), 1, 5)]);
        assert_eq!(Counters::default().durations().len(), 1);
    }

    #[test]
    fn kinds_are_in_the_order_of_their_numbers() {
        assert!(ExportErrorKind::ALL.iter().enumerate().all(|(number, kind)| *kind as usize == number));
        assert!(DropReason::ALL.iter().enumerate().all(|(number, reason)| *reason as usize == number));
    }
}
