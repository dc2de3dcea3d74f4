//! How flows make up traces, and which times their spans have.

use std::str::FromStr;
use std::time::Duration;

use flow_state::{FlowRecord, Timestamp};

/// How flows make up traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TraceShape {
    /// One trace for each export datagram, with spans of what was done with it above those of its flows.
    #[default]
    Packet,
    /// One trace for each conversation and hour: both directions, from every exporter that saw it. Its spans are roots.
    ///
    /// The trace ID is the first 16 bytes of the SHA-1 of the Community ID's digest and the hours since 1970 at the flow's
    /// start, a 64-bit integer in network byte order. The span ID follows from the record, so that a record that is
    /// exported twice has one span. Flows without a Community ID have random IDs.
    Conversation,
    /// One trace of one span for each flow.
    Flow,
    /// One trace of two spans for each flow, by which backends draw graphs of services: CLIENT, of the side that opened the
    /// conversation, and SERVER, of the other, each under a resource whose `service.name` is its address.
    Topology,
}

impl TraceShape {
    const ALL: [(Self, &str); 4] = [
        (Self::Packet, "packet"),
        (Self::Conversation, "conversation"),
        (Self::Flow, "flow"),
        (Self::Topology, "topology"),
    ];

    /// Whether there are spans of what was done with a datagram.
    pub(crate) const fn has_datagrams(self) -> bool {
        matches!(self, Self::Packet)
    }
}

/// Why a text names no shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown shape {0:?}: use packet, conversation, flow or topology")]
pub struct UnknownShape(String);

impl FromStr for TraceShape {
    type Err = UnknownShape;

    fn from_str(text: &str) -> Result<Self, UnknownShape> {
        let named = Self::ALL.into_iter().find(|(_, name)| *name == text.trim());
        named.map(|(shape, _)| shape).ok_or_else(|| UnknownShape(text.to_owned()))
    }
}

/// Which times spans of flows have. Spans of what was done with a datagram have those of the processing in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpanTime {
    /// When the flow was processed.
    #[default]
    Receive,
    /// When the flow was active, as far as that is known.
    Flow {
        /// A start or end that was longer ago gives way to this age, and one yet to come to the time of processing.
        max_age: Duration,
    },
}

/// The times of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanTimes {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    /// Whether they are not those of the flow because these were too old or yet to come.
    pub(crate) clamped: bool,
}

impl SpanTime {
    /// The age that backends take without a word: Tempo leaves spans that ended more than 30 s ago out of what it counts.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_secs(25);

    /// The times of a flow's span; the end is not before the start.
    pub(crate) fn of(self, flow: &FlowRecord<'_>, processed_at: Timestamp) -> SpanTimes {
        let received = SpanTimes { start: processed_at, end: processed_at, clamped: false };
        let Self::Flow { max_age } = self else {
            return received;
        };
        let time = flow.time();
        let (Some(start), Some(end)) = (time.start.or(time.end), time.end.or(time.start)) else {
            return received;
        };
        let max_age = u64::try_from(max_age.as_nanos()).unwrap_or(u64::MAX);
        let earliest = Timestamp::from_unix_nanos(processed_at.as_unix_nanos().saturating_sub(max_age));
        let (held_start, held_end) = (start.clamp(earliest, processed_at), end.clamp(earliest, processed_at));
        let clamped = held_start != start || held_end != end;
        SpanTimes { start: held_start, end: held_end.max(held_start), clamped }
    }
}
