//! The spans of one flow.

use flow_state::FlowRecord;

use crate::attribute::Attribute;
use crate::attribute_set::AttributeSet;
use crate::community_id::CommunityId;
use crate::endpoints::Endpoints;
use crate::extra::ExtraColumns;
use crate::program::{AttributeProgram, AttributeWriter};
use crate::sampling::{Randomness, Threshold, trace_state};
use crate::selected::Selected;
use crate::shape::SpanTimes;
use crate::sink::{Call, SpanParts, SpanSink, TraceContext};

/// Name of the span of a server, below that of its client.
const SERVER: &str = "netflow.server";

/// The attributes of a flow.
pub(crate) struct FlowAttributes<'a, P: SpanParts> {
    pub(crate) program: &'a AttributeProgram<P::Row>,
    /// What it has in common with others.
    pub(crate) shared: &'a P::Fragment,
    pub(crate) extras: Option<&'a ExtraColumns<P::Key>>,
    pub(crate) joined: bool,
    pub(crate) set: &'a AttributeSet,
    pub(crate) community_id: Option<CommunityId>,
    pub(crate) sampled: Option<(Threshold, Randomness)>,
}

impl<P: SpanParts> FlowAttributes<'_, P> {
    #[inline]
    pub(crate) fn write<W>(&self, flow: &FlowRecord<'_>, endpoints: &Endpoints, text: &mut String, out: &mut W)
    where
        W: AttributeWriter<Parts = P>,
    {
        out.fragment(self.shared);
        self.program.run(flow, endpoints, self.joined, self.set, out);
        if let Some(id) = self.community_id.as_ref().filter(|_| self.set.has(Attribute::CommunityId)) {
            out.text(Attribute::CommunityId, id.text());
        }
        if let Some(extras) = self.extras {
            extras.write(flow, text, out);
        }
        if let Some((threshold, randomness)) = self.sampled {
            if self.set.has(Attribute::AdjustedCount) {
                out.double(Attribute::AdjustedCount, threshold.adjusted_count());
            }
            out.trace_state(&trace_state(threshold, randomness));
        }
    }
}

/// A span whose trace or times are its own.
pub(crate) struct Apart<'a, H> {
    pub(crate) head: &'a H,
    pub(crate) context: TraceContext,
    pub(crate) times: SpanTimes,
}

impl<P: SpanParts> FlowAttributes<'_, P> {
    pub(crate) fn write_apart(
        &self,
        flow: &FlowRecord<'_>,
        endpoints: &Endpoints,
        apart: &Apart<'_, P::Head>,
        text: &mut String,
        out: &mut impl SpanSink<Parts = P>,
    ) {
        let times = &apart.times;
        let mut span = out.span_of(apart.head, apart.context, (times.start, times.end));
        self.write_clamped(times, &mut span);
        self.write(flow, endpoints, text, &mut span);
    }

    /// All attributes are the client's, so that sums are right; the server's span has what tells whose it is, and the share
    /// that both stand for.
    pub(crate) fn write_call(
        &self,
        flow: &FlowRecord<'_>,
        endpoints: &Endpoints,
        apart: &Apart<'_, P::Head>,
        server_span_id: u64,
        text: &mut String,
        out: &mut impl SpanSink<Parts = P>,
    ) {
        let ends = self.program.ends(endpoints, flow);
        let (client, server) = ends.names(flow);
        let call = Call {
            client: client.as_str(),
            server: server.as_str(),
            context: apart.context,
            server_span_id,
            server_name: SERVER,
            times: (apart.times.start, apart.times.end),
        };
        out.call(
            apart.head,
            &call,
            |span| {
                self.write_clamped(&apart.times, span);
                self.write(flow, endpoints, text, span);
            },
            |span| {
                ends.write(&mut Selected::new(span, self.set));
                if let Some((threshold, randomness)) = self.sampled {
                    span.trace_state(&trace_state(threshold, randomness));
                }
            },
        );
    }

    fn write_clamped(&self, times: &SpanTimes, out: &mut impl AttributeWriter) {
        if times.clamped && self.set.has(Attribute::SpanTimeClamped) {
            out.bool(Attribute::SpanTimeClamped, true);
        }
    }
}
