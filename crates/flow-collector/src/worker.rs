//! What a worker thread does with its socket.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use flow_state::{DecodeErrorKind, TransportSession};
use tracing::{debug, info, warn};

use crate::liveness::Pulse;
use crate::pipeline::{Pipeline, now};
use crate::receive::Batch;
use crate::stats::{CollectorStats, StatsSnapshot};
use crate::stream::Ending;

/// How long a worker waits for a datagram before it looks at its batch and at the stop signal.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_millis(100);
/// How long a worker gives way to those who deliver, each time that it reads more than they have room for. Spans would be
/// dropped that were made in their time; the kernel drops datagrams for less. It is short, as Templates must be read all
/// the same, however long the backend is away.
const GIVE_WAY: Duration = Duration::from_micros(500);
/// Bytes that a worker asks room for: a receive of the largest frames that are common, and more.
const ROOM: usize = 64 << 10;
/// Longest time given to what the kernel holds when the collector stops.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// Problems are summarised this often.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);

/// One socket and what is done with its datagrams.
pub(crate) struct Worker {
    pub(crate) socket: Arc<UdpSocket>,
    /// Of the socket.
    pub(crate) local: SocketAddr,
    /// Whether somebody else keeps the socket, and what it holds then.
    pub(crate) is_passed: bool,
    pub(crate) pipeline: Pipeline,
    pub(crate) stats: Arc<CollectorStats>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) pulse: Pulse,
    pub(crate) summary: Option<Summary>,
}

/// What came of one receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Received {
    Datagrams,
    /// The kernel holds no more.
    Nothing,
    /// Says nothing of the next receive.
    Error,
}

impl Worker {
    /// Receives until it is time to stop, then what the kernel holds.
    pub(crate) fn run(mut self) {
        let mut batch = Batch::new();
        while !self.stop.load(Ordering::Relaxed) {
            self.pulse.beat();
            self.receive(&mut batch, true);
            self.pipeline.flush_if_due();
            if batch.is_full() && !self.pipeline.has_room(ROOM) {
                thread::sleep(GIVE_WAY);
            }
            if let Some(summary) = &mut self.summary {
                summary.give_if_due(&self.stats);
            }
        }
        let rest = drain(Instant::now() + DRAIN_TIME, || self.receive(&mut batch, false));
        self.pipeline.flush();
        if rest == Rest::Unread && !self.is_passed {
            self.stats.count_unread(discard(&self.socket, &mut batch, Instant::now() + DRAIN_TIME));
        }
    }

    fn receive(&mut self, batch: &mut Batch, wait: bool) -> Received {
        match batch.receive(&self.socket, wait) {
            Ok(()) => {
                let received_at = now();
                for datagram in batch.datagrams() {
                    let session = TransportSession::new(datagram.from, self.local);
                    self.pipeline.process(session, datagram.at.unwrap_or(received_at), datagram.bytes);
                }
                Received::Datagrams
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Received::Nothing,
            Err(error) if error.kind() == ErrorKind::Interrupted => Received::Error,
            Err(error) => {
                // The first of all workers; the summary has the rest.
                if self.stats.count_receive_error() == 0 {
                    warn!(%error, address = %self.local, "cannot receive, trying again");
                } else {
                    debug!(%error, address = %self.local, "cannot receive");
                }
                // Memory pressure, say, may pass; but do not spin.
                thread::sleep(READ_TIMEOUT);
                Received::Error
            }
        }
    }
}

/// What a drain leaves in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// There was no time to look at it.
    Unread,
}

/// Receives until there is nothing more, or no more time. An error is not the end: datagrams may be behind it.
fn drain(deadline: Instant, mut receive: impl FnMut() -> Received) -> Rest {
    loop {
        if receive() == Received::Nothing {
            return Rest::Nothing;
        }
        if Instant::now() >= deadline {
            return Rest::Unread;
        }
    }
}

/// Takes what a socket holds, without a look at it, and says how many datagrams it was. No more come, as it turns them away; if it
/// could not, there is an end all the same.
fn discard(socket: &UdpSocket, batch: &mut Batch, deadline: Instant) -> u64 {
    let mut count = 0;
    while Instant::now() < deadline && batch.receive(socket, false).is_ok() {
        count += batch.datagrams().count() as u64;
    }
    count
}

/// Tells from time to time what went wrong, in numbers.
pub(crate) struct Summary {
    due: Instant,
    last: StatsSnapshot,
}

impl Default for Summary {
    fn default() -> Self {
        Self { due: Instant::now() + SUMMARY_INTERVAL, last: StatsSnapshot::default() }
    }
}

impl Summary {
    pub(crate) fn give_if_due(&mut self, stats: &CollectorStats) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + SUMMARY_INTERVAL;
        let current = stats.snapshot();
        for issue in issues(&self.last, &current) {
            let Issue { name, count, skipped_bytes, costs_data } = issue;
            if costs_data {
                info!(issue = name, count, skipped_bytes, "issues in datagrams in the last minute");
            } else {
                debug!(issue = name, count, "harmless issues in datagrams in the last minute");
            }
        }
        for (count, what) in losses(&self.last, &current) {
            info!(count, "{what} in the last minute");
        }
        let elsewhere = current.templates_elsewhere - self.last.templates_elsewhere;
        if elsewhere > 0 {
            info!(count = elsewhere, "datagrams from another source port than their Template in the last minute");
        }
        let errors = current.receive_errors - self.last.receive_errors;
        if errors > 0 {
            warn!(count = errors, "errors of receiving in the last minute");
        }
        let drops = current.kernel_drops - self.last.kernel_drops;
        if drops > 0 {
            warn!(count = drops, "datagrams that the kernel dropped, as receive buffers were full, in the last minute");
        }
        for ending in Ending::ALL.into_iter().filter(|ending| ending.is_trouble()) {
            let count = current.stream.ended(ending) - self.last.stream.ended(ending);
            if count > 0 {
                info!(reason = ending.as_str(), count, "connections refused or closed in the last minute");
            }
        }
        self.last = current;
    }
}

/// What was left out between two moments because a limit said so, and how many there were.
fn losses(last: &StatsSnapshot, current: &StatsSnapshot) -> impl Iterator<Item = (u64, &'static str)> {
    type Count = fn(&StatsSnapshot) -> u64;
    const LOSSES: [(Count, &str); 5] = [
        (|stats| stats.denied, "datagrams from addresses that are not allowed"),
        (|stats| stats.exporters_refused, "datagrams from more exporters than there may be"),
        (|stats| stats.datagrams_limited, "datagrams beyond the limit of their exporter"),
        (|stats| stats.flows_limited, "flow records beyond the limit of their exporter"),
        (|stats| stats.flows_cut, "flow records beyond the limit of spans for a datagram"),
    ];
    LOSSES.into_iter().filter_map(|(count, what)| {
        let lost = count(current) - count(last);
        (lost > 0).then_some((lost, what))
    })
}

/// Issues of one kind, found between two moments.
#[derive(Debug, PartialEq, Eq)]
struct Issue {
    name: &'static str,
    count: u64,
    skipped_bytes: u64,
    /// Whether bytes were skipped or wait for a Template that may never come.
    costs_data: bool,
}

fn issues(last: &StatsSnapshot, current: &StatsSnapshot) -> impl Iterator<Item = Issue> {
    let waits = DecodeErrorKind::TemplateUnknown(0).index();
    DecodeErrorKind::NAMES.iter().enumerate().filter_map(move |(kind, name)| {
        let count = current.issues[kind] - last.issues[kind];
        let skipped_bytes = current.skipped[kind] - last.skipped[kind];
        (count > 0).then_some(Issue { name, count, skipped_bytes, costs_data: skipped_bytes > 0 || kind == waits })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::receive;

    #[test]
    fn an_error_does_not_end_the_drain() {
        let mut results =
            [Received::Datagrams, Received::Error, Received::Datagrams, Received::Nothing, Received::Datagrams]
                .into_iter();
        let rest = drain(Instant::now() + Duration::from_secs(60), || results.next().unwrap());
        assert_eq!((rest, results.len()), (Rest::Nothing, 1));
    }

    #[test]
    fn the_drain_ends_with_its_time() {
        let mut calls = 0;
        let rest = drain(Instant::now(), || {
            calls += 1;
            Received::Error
        });
        assert_eq!((rest, calls), (Rest::Unread, 1));
    }

    /// More than one call receives, and a datagram of no bytes.
    #[test]
    fn what_there_is_no_time_for_is_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        receive::prepare(&socket);
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        for len in 0..100 {
            from.send_to(&[0; 100][..len], socket.local_addr().unwrap()).unwrap();
        }
        let mut batch = Batch::new();
        assert_eq!(discard(&socket, &mut batch, Instant::now()), 0, "it is too late");
        let deadline = Instant::now() + Duration::from_secs(60);
        assert_eq!([(); 2].map(|()| discard(&socket, &mut batch, deadline)), [100, 0]);
    }

    #[test]
    fn every_limit_that_takes_something_away_is_told() {
        let (last, mut current) = (StatsSnapshot::default(), StatsSnapshot::default());
        assert_eq!(losses(&last, &current).count(), 0);
        (current.denied, current.exporters_refused, current.datagrams_limited) = (1, 2, 3);
        (current.flows_limited, current.flows_cut) = (4, 5);
        let counts = losses(&last, &current).map(|(count, _)| count);
        assert_eq!(counts.collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
        assert_eq!(losses(&current, &current).count(), 0);
    }

    #[test]
    fn issues_that_cost_data_are_told_from_harmless_ones() {
        let count = |kind: DecodeErrorKind, snapshot: &mut StatsSnapshot, issues, bytes| {
            snapshot.issues[kind.index()] = issues;
            snapshot.skipped[kind.index()] = bytes;
        };
        let (mut last, mut current) = (StatsSnapshot::default(), StatsSnapshot::default());
        count(DecodeErrorKind::SetOverrun(0), &mut last, 1, 10);
        count(DecodeErrorKind::SetOverrun(0), &mut current, 3, 50);
        count(DecodeErrorKind::ReservedSet(0), &mut last, 2, 8);
        count(DecodeErrorKind::ReservedSet(0), &mut current, 2, 8);
        count(DecodeErrorKind::PaddingNotZero, &mut current, 7, 0);
        count(DecodeErrorKind::TemplateUnknown(0), &mut current, 1, 0);
        let found: Vec<_> = issues(&last, &current).collect();
        let issue = |name, count, skipped_bytes, costs_data| Issue { name, count, skipped_bytes, costs_data };
        let expected = [
            issue("set_overrun", 2, 40, true),
            issue("template_unknown", 1, 0, true),
            issue("padding_not_zero", 7, 0, false),
        ];
        assert_eq!(found, expected);
    }
}
