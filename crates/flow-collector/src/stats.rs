//! What the workers count.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flow_semconv::FlowSpans;
use flow_state::{DecodeErrorKind, Decoded, SequenceStatus, StateEvent};

use crate::durations::{DecodeDurations, Durations};
use crate::exporters::Refusal;
use crate::stream::{StreamSnapshot, StreamStats};
use crate::system::kernel_drops;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Counters of all workers; they only grow.
        #[derive(Debug)]
        pub struct CollectorStats {
            $($name: AtomicU64,)*
            issues: [AtomicU64; DecodeErrorKind::NAMES.len()],
            skipped: [AtomicU64; DecodeErrorKind::NAMES.len()],
            decoding: Durations,
            sockets: Mutex<Vec<DropCount>>,
            pub(crate) stream: StreamStats,
        }

        /// [`CollectorStats`] at one moment.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct StatsSnapshot {
            $($(#[$doc])* pub $name: u64,)*
            /// Problems found, by [`DecodeErrorKind::index`].
            pub issues: [u64; DecodeErrorKind::NAMES.len()],
            /// Bytes not understood, by [`DecodeErrorKind::index`]. Many kinds of issues cost none.
            pub skipped: [u64; DecodeErrorKind::NAMES.len()],
            /// How long it took to decode each datagram.
            pub decoding: DecodeDurations,
            /// Connections, and what became of them.
            pub stream: StreamSnapshot,
        }

        impl Default for CollectorStats {
            fn default() -> Self {
                Self {
                    $($name: AtomicU64::default(),)*
                    issues: [const { AtomicU64::new(0) }; DecodeErrorKind::NAMES.len()],
                    skipped: [const { AtomicU64::new(0) }; DecodeErrorKind::NAMES.len()],
                    decoding: Durations::default(),
                    sockets: Mutex::default(),
                    stream: StreamStats::default(),
                }
            }
        }

        impl Default for StatsSnapshot {
            fn default() -> Self {
                CollectorStats::default().snapshot()
            }
        }

        impl CollectorStats {
            /// The counters now, those of the kernel among them.
            pub fn snapshot(&self) -> StatsSnapshot {
                self.read_kernel_drops();
                StatsSnapshot {
                    $($name: self.$name.load(Ordering::Relaxed),)*
                    issues: std::array::from_fn(|kind| self.issues[kind].load(Ordering::Relaxed)),
                    skipped: std::array::from_fn(|kind| self.skipped[kind].load(Ordering::Relaxed)),
                    decoding: self.decoding.snapshot(),
                    stream: self.stream.snapshot(),
                }
            }
        }
    };
}

counters! {
    /// Datagrams, and Messages over TCP, that were read.
    datagrams,
    /// Bytes in these.
    bytes,
    /// Datagrams from addresses that are not allowed; dropped unread.
    denied,
    /// Datagrams from more addresses than are followed; dropped unread.
    exporters_refused,
    /// Datagrams beyond the limit of their exporter; dropped unread.
    datagrams_limited,
    /// Datagrams that there was no time to read when the collector stopped.
    datagrams_unread,
    /// Flow records decoded, those that had waited for their Template included.
    records,
    /// Options Data Records decoded.
    options_records,
    /// Template Records understood.
    templates,
    /// Units that sequence numbers say are missing.
    sequence_gaps,
    /// Spans written, those of flows among them.
    spans,
    /// Flow spans written.
    flow_spans,
    /// Datagrams that the kernel dropped instead of giving them to us, mostly because a receive buffer was full.
    kernel_drops,
    /// Failed attempts to receive.
    receive_errors,
    /// Datagrams with data whose Template the exporter sent from another source port.
    templates_elsewhere,
    /// Exporters that started anew.
    restarts,
    /// Flow records without a span, because they were not selected.
    flows_filtered,
    /// Flow records without a span, because they were beyond the limit of their exporter.
    flows_limited,
    /// Flow records without a span, because others stand for them.
    flows_sampled_out,
    /// Flow records without a span, because their datagram had more than the limit.
    flows_cut,
}

/// What the kernel drops at a socket.
#[derive(Debug)]
struct DropCount {
    socket: Arc<UdpSocket>,
    /// What has been counted, modulo 2^32.
    counted: u32,
}

impl CollectorStats {
    pub(crate) fn count_refused(&self, refusal: Refusal) {
        let counter = match refusal {
            Refusal::Denied => &self.denied,
            Refusal::NoRoom => &self.exporters_refused,
            Refusal::Limited => &self.datagrams_limited,
        };
        add(counter, 1);
    }

    pub(crate) fn count_unread(&self, datagrams: u64) {
        add(&self.datagrams_unread, datagrams);
    }

    /// Counts what the kernel drops at a socket, beyond what it had dropped before.
    pub(crate) fn watch(&self, socket: Arc<UdpSocket>, before: u32) {
        self.sockets().push(DropCount { socket, counted: before });
    }

    /// Counts for the last time what the kernel has dropped, and lets the sockets go.
    pub(crate) fn unwatch(&self) {
        self.read_kernel_drops();
        self.sockets().clear();
    }

    fn read_kernel_drops(&self) {
        for DropCount { socket, counted } in self.sockets().iter_mut() {
            // A kernel older than 4.12 does not tell.
            let Ok(drops) = kernel_drops(socket) else { continue };
            add(&self.kernel_drops, u64::from(drops.wrapping_sub(*counted)));
            *counted = drops;
        }
    }

    fn sockets(&self) -> MutexGuard<'_, Vec<DropCount>> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many there were before.
    pub(crate) fn count_receive_error(&self) -> u64 {
        self.receive_errors.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns how many there were before.
    pub(crate) fn count_template_elsewhere(&self) -> u64 {
        self.templates_elsewhere.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn count_decoding(&self, duration: Duration) {
        self.decoding.count(duration);
    }

    pub(crate) fn count_spans(&self, spans: u64) {
        add(&self.spans, spans);
    }

    pub(crate) fn count(&self, bytes: usize, decoded: &Decoded, counts: &Counts, flows: FlowSpans, limited: u64) {
        add(&self.datagrams, 1);
        add(&self.bytes, bytes as u64);
        add(&self.records, counts.records);
        add(&self.options_records, counts.options_records);
        add(&self.templates, counts.templates);
        add(&self.sequence_gaps, counts.sequence_gaps);
        add(&self.restarts, counts.restarts);
        add(&self.flow_spans, flows.written);
        add(&self.flows_limited, limited);
        add(&self.flows_filtered, flows.filtered - limited);
        add(&self.flows_sampled_out, flows.sampled_out);
        add(&self.flows_cut, flows.cut);
        let parts =
            [(decoded.issues(), decoded.accounting()), (decoded.replayed_issues(), decoded.replayed_accounting())];
        for (issues, accounting) in parts {
            if !issues.is_empty() {
                for (total, count) in self.issues.iter().zip(issues.counts()) {
                    add(total, u64::from(*count));
                }
                for (total, bytes) in self.skipped.iter().zip(&accounting.skipped) {
                    add(total, *bytes);
                }
            }
        }
    }
}

/// What a datagram has, with the records that had waited for one of its Templates.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) records: u64,
    pub(crate) options_records: u64,
    pub(crate) templates: u64,
    pub(crate) sequence_gaps: u64,
    pub(crate) restarts: u64,
}

impl Counts {
    pub(crate) fn of(decoded: &Decoded) -> Self {
        let mut counts = Self::default();
        for message in decoded.messages() {
            counts.records += u64::from(message.data_records);
            counts.options_records += u64::from(message.options_records);
            counts.templates += u64::from(message.templates);
            if let SequenceStatus::Gap(gap) = message.sequence {
                counts.sequence_gaps += u64::from(gap);
            }
        }
        for set in decoded.replayed_sets() {
            let is_options = set.template().is_options();
            *(if is_options { &mut counts.options_records } else { &mut counts.records }) += set.len() as u64;
        }
        let restarts = decoded.events().iter().filter(|event| **event == StateEvent::ExporterRestarted).count();
        counts.restarts = restarts as u64;
        counts
    }
}

#[inline]
pub(crate) fn add(counter: &AtomicU64, more: u64) {
    if more > 0 {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use socket2::SockRef;

    use super::*;
    use crate::receive::{self, Batch};
    use crate::system;

    /// A buffer that is too small loses datagrams; what is left and what the kernel says it dropped are what was sent, at
    /// any moment.
    #[test]
    fn what_the_kernel_drops_is_counted_exactly() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        receive::prepare(&socket);
        SockRef::from(&socket).set_recv_buffer_size(20_000).unwrap();
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        from.connect(socket.local_addr().unwrap()).unwrap();
        system::segment(&from, 1_348).unwrap();
        let socket = Arc::new(socket);
        let stats = CollectorStats::default();
        stats.watch(socket.clone(), 0);
        let mut batch = Batch::new();
        let (mut sent, mut received) = (0, 0);
        for round in 1..=3_u64 {
            for number in 0..200_u64 {
                // Ten datagrams at once every now and then, which the kernel may keep together on the way.
                let datagrams = if number % 7 == 0 { 10 } else { 1 };
                from.send(&vec![0; 1_348 * datagrams]).unwrap();
                sent += datagrams as u64;
                let drops = stats.snapshot().kernel_drops;
                assert!(number > 0 || drops < sent, "{drops} of {sent}");
            }
            while batch.receive(&socket, false).is_ok() {
                received += batch.datagrams().count() as u64;
            }
            let drops = stats.snapshot().kernel_drops;
            assert_eq!(received + drops, sent);
            assert!(drops >= 100 * round, "{drops}");
        }
        stats.unwatch();
        assert_eq!((received + stats.snapshot().kernel_drops, Arc::strong_count(&socket)), (sent, 1));
    }
}
