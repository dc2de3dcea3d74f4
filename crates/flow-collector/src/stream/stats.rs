//! What became of the connections.

use std::sync::atomic::{AtomicU64, Ordering};

/// Why a connection ended, or was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ending {
    /// The exporter closed it.
    Closed,
    /// It broke: reset, or not heard of any more.
    Broken,
    /// The collector stopped.
    Stopped,
    /// Nothing came for longer than [`StreamConfig::idle_timeout`](crate::StreamConfig::idle_timeout).
    Idle,
    /// A Message was not complete after [`StreamConfig::message_timeout`](crate::StreamConfig::message_timeout).
    Slow,
    /// What came is not IPFIX.
    Version,
    /// A Message was shorter than its header.
    Length,
    /// The address is not allowed, or not any more.
    Denied,
    /// There are as many exporters as there may be.
    ExporterLimit,
    /// There were [`StreamConfig::connections`](crate::StreamConfig::connections) already.
    Limit,
    /// Its address had [`StreamConfig::connections_per_address`](crate::StreamConfig::connections_per_address) already.
    AddressLimit,
    /// One from the same address and port, which was reset, was still being read.
    SameSession,
    /// There was no TLS, or no certificate that is trusted.
    Tls,
    /// TLS took longer than [`StreamConfig::handshake_timeout`](crate::StreamConfig::handshake_timeout).
    TlsTimeout,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Closed,
        Self::Broken,
        Self::Stopped,
        Self::Idle,
        Self::Slow,
        Self::Version,
        Self::Length,
        Self::Denied,
        Self::ExporterLimit,
        Self::Limit,
        Self::AddressLimit,
        Self::SameSession,
        Self::Tls,
        Self::TlsTimeout,
    ];

    /// The reason as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Broken => "broken",
            Self::Stopped => "stopped",
            Self::Idle => "idle",
            Self::Slow => "slow",
            Self::Version => "version",
            Self::Length => "length",
            Self::Denied => "denied",
            Self::ExporterLimit => "exporter_limit",
            Self::Limit => "limit",
            Self::AddressLimit => "address_limit",
            Self::SameSession => "same_session",
            Self::Tls => "tls",
            Self::TlsTimeout => "tls_timeout",
        }
    }

    /// Whether somebody has to do something about it, if it goes on.
    pub(crate) const fn is_trouble(self) -> bool {
        !matches!(self, Self::Closed | Self::Stopped)
    }
}

/// Counters of all connections; they only grow.
#[derive(Debug, Default)]
pub(crate) struct StreamStats {
    accepted: AtomicU64,
    ended: [AtomicU64; Ending::ALL.len()],
    cut_messages: AtomicU64,
    pauses: AtomicU64,
}

/// What became of the connections until one moment. Each that was accepted is open or ended for one reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamSnapshot {
    /// Connections accepted, those refused at once included.
    pub accepted: u64,
    /// Messages that were not complete when their connection ended.
    pub cut_messages: u64,
    /// How often reading paused because an output had no room.
    pub pauses: u64,
    ended: [u64; Ending::ALL.len()],
}

impl StreamSnapshot {
    /// Connections that ended so.
    pub const fn ended(&self, ending: Ending) -> u64 {
        self.ended[ending as usize]
    }

    /// Connections that are open.
    pub fn open(&self) -> u64 {
        // One that is accepted and ends while the counters are read may be in the second alone.
        self.accepted.saturating_sub(self.ended.iter().sum())
    }
}

impl StreamStats {
    pub(crate) fn snapshot(&self) -> StreamSnapshot {
        StreamSnapshot {
            accepted: self.accepted.load(Ordering::Relaxed),
            cut_messages: self.cut_messages.load(Ordering::Relaxed),
            pauses: self.pauses.load(Ordering::Relaxed),
            ended: std::array::from_fn(|ending| self.ended[ending].load(Ordering::Relaxed)),
        }
    }

    pub(super) fn count_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many there were before.
    pub(super) fn count_ended(&self, ending: Ending) -> u64 {
        self.ended[ending as usize].fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn count_cut_message(&self) {
        self.cut_messages.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many there were before.
    pub(super) fn count_pause(&self) -> u64 {
        self.pauses.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_are_numbered_as_they_are_listed() {
        for (index, ending) in Ending::ALL.into_iter().enumerate() {
            assert_eq!(ending as usize, index);
        }
    }

    #[test]
    fn what_did_not_end_is_open() {
        let stats = StreamStats::default();
        (0..3).for_each(|_| stats.count_accepted());
        assert_eq!((stats.count_ended(Ending::Slow), stats.count_ended(Ending::Slow)), (0, 1));
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.open(), snapshot.ended(Ending::Slow), snapshot.ended(Ending::Idle)), (1, 2, 0));
    }
}
