//! IDs that follow from flows, so that flows of one conversation meet.

use std::net::IpAddr;

use fearless_simd::Level;
use flow_state::{Fact, FlowRecord, MessageContext, Timestamp};

use crate::community_id::CommunityIds;
use crate::endpoints::Endpoints;
use crate::sha1::{self, Blocks, Digests, LANES};

/// Trace and span IDs of a few flows, made together in little more than the time of one.
#[derive(Debug, Default)]
pub(crate) struct ConversationIds {
    traces: Digests,
    spans: Digests,
    /// Which flows have a trace of their conversation.
    in_conversation: [bool; LANES],
    /// Which flows have a span ID of their record.
    repeatable: [bool; LANES],
}

/// Who exported.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    pub(crate) exporter: IpAddr,
    pub(crate) observation_domain_id: u32,
}

impl Origin {
    /// As the spans of a Message say it.
    pub(crate) fn of(context: &MessageContext) -> Self {
        let known = context.profile().and_then(|profile| profile.address);
        Self {
            exporter: known.unwrap_or_else(|| context.session.exporter.ip()),
            observation_domain_id: context.header.observation_domain_id,
        }
    }
}

/// The trace changes with the hour, so that endless conversations have traces that end.
const NANOS_PER_HOUR: u64 = 3600 * 1_000_000_000;

/// Stands for a direction that the record does not have.
const NO_DIRECTION: u64 = 0xff;

impl ConversationIds {
    /// The IDs of the flows of a group, whose Community IDs are known.
    pub(crate) fn new<'f>(
        level: Level,
        flows: impl Iterator<Item = &'f (Endpoints, FlowRecord<'f>)>,
        ids: &CommunityIds,
        origin: Origin,
        processed_at: Timestamp,
    ) -> Self {
        let (mut traces, mut spans) = ([[0; LANES]; 16], [[0; LANES]; 16]);
        let mut made = Self::default();
        for (lane, (endpoints, flow)) in flows.take(LANES).enumerate() {
            let Some(digest) = ids.digest(lane) else {
                continue;
            };
            let time = flow.time();
            let start = time.start.or(time.end);
            let hour = start.unwrap_or(processed_at).as_unix_nanos() / NANOS_PER_HOUR;
            let mut trace = Message::new(&mut traces, lane);
            digest.into_iter().for_each(|word| trace.u32(word));
            trace.u64(hour);
            trace.end();
            made.in_conversation[lane] = true;
            // Without times, two records that are alike may well be two flows.
            if let Some(start) = start {
                let exporter = match origin.exporter {
                    IpAddr::V4(v4) => v4.to_ipv6_mapped(),
                    IpAddr::V6(v6) => v6,
                };
                let mut span = Message::new(&mut spans, lane);
                span.u64((exporter.to_bits() >> 64) as u64);
                span.u64(exporter.to_bits() as u64);
                span.u32(origin.observation_domain_id);
                span.u64(start.as_unix_nanos());
                span.u64(time.end.unwrap_or(start).as_unix_nanos());
                span.u64(flow.octets().unwrap_or(0));
                span.u64(flow.packets().unwrap_or(0));
                // Which of its two directions: counters and times may be alike.
                let direction = flow.integer(Fact::Direction).unwrap_or(NO_DIRECTION).min(NO_DIRECTION);
                span.u16(u16::from(endpoints.source_is_lower()) << 8 | direction as u16);
                span.end();
                made.repeatable[lane] = true;
            }
        }
        made.traces = sha1::digests(level, &traces);
        made.spans = sha1::digests(level, &spans);
        made
    }

    /// The trace ID of a flow, by its place in the group.
    pub(crate) fn trace_id(&self, flow: usize) -> Option<u128> {
        let lane = flow % LANES;
        let [a, b, c, d, _] = self.traces.map(|words| u128::from(words[lane]));
        self.in_conversation[lane].then(|| (a << 96 | b << 64 | c << 32 | d).max(1))
    }

    /// The span ID of a flow in this trace, by its place in the group. The trace is in it, because equal counters and times
    /// of two conversations are no coincidence.
    pub(crate) fn span_id(&self, flow: usize, trace_id: u128) -> Option<u64> {
        let lane = flow % LANES;
        let [a, b, ..] = self.spans.map(|words| u64::from(words[lane]));
        self.repeatable[lane].then(|| ((a << 32 | b) ^ trace_id as u64).max(1))
    }
}

/// A message that is written into a lane, front to back.
struct Message<'b> {
    blocks: &'b mut Blocks,
    lane: usize,
    /// Bytes so far, a multiple of two.
    len: usize,
}

impl<'b> Message<'b> {
    fn new(blocks: &'b mut Blocks, lane: usize) -> Self {
        Self { blocks, lane: lane % LANES, len: 0 }
    }

    fn u16(&mut self, value: u16) {
        let shift = if self.len.is_multiple_of(4) { 16 } else { 0 };
        self.blocks[self.len / 4 % 16][self.lane] |= u32::from(value) << shift;
        self.len += 2;
    }

    fn u32(&mut self, value: u32) {
        self.u16((value >> 16) as u16);
        self.u16(value as u16);
    }

    fn u64(&mut self, value: u64) {
        self.u32((value >> 32) as u32);
        self.u32(value as u32);
    }

    fn end(self) {
        sha1::pad(self.blocks, self.lane, self.len);
    }
}
