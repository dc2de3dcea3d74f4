//! The trace of one export datagram.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::ops::AddAssign;
use std::sync::Arc;

use fearless_simd::Level;
use flow_state::{
    DataSet, Datagram, DecodeErrorKind, Decoded, FlowGroup, MessageContext, OptionsTables, SequenceStatus, State,
    Timestamp, TransportSession,
};
use flow_wire::Version;

use crate::attribute::Attribute;
use crate::attribute_set::AttributeSet;
use crate::community_id::CommunityIds;
use crate::conversation::{ConversationIds, Origin};
use crate::extra::{ExtraCache, ExtraElements, Extras};
use crate::flow_span::{Apart, FlowAttributes};
use crate::program::{AttributeProgram, AttributeWriter};
use crate::sampling::{FlowSampling, Randomness, key};
use crate::selected::Selected;
use crate::selected_flows::SelectedFlows;
use crate::shape::{SpanTime, TraceShape};
use crate::shared::{SharedAttributes, exporter};
use crate::sink::{SpanParts, SpanSink, SpanStart, TraceContext};

/// Makes trace and span IDs: random, never zero, one generator a worker.
#[derive(Debug)]
pub struct IdGenerator {
    high: fastrand::Rng,
    low: fastrand::Rng,
}

impl IdGenerator {
    /// A generator with a seed of its own from the operating system's randomness.
    pub fn new() -> Self {
        Self { high: fastrand::Rng::new(), low: fastrand::Rng::new() }
    }

    /// A generator whose IDs follow from a seed, for tests.
    pub fn with_seed(seed: u64) -> Self {
        Self { high: fastrand::Rng::with_seed(seed), low: fastrand::Rng::with_seed(!seed) }
    }

    /// A trace ID.
    pub fn trace_id(&mut self) -> u128 {
        u128::from(self.high.u64(..)) << 64 | u128::from(self.span_id())
    }

    /// A span ID.
    #[inline]
    pub fn span_id(&mut self) -> u64 {
        self.low.u64(1..)
    }

    /// A root: in the trace of a conversation, if the flow at this place is in one.
    fn root(&mut self, conversations: &ConversationIds, place: usize) -> TraceContext {
        let trace_id = conversations.trace_id(place).unwrap_or_else(|| self.trace_id());
        let span_id = conversations.span_id(place, trace_id).unwrap_or_else(|| self.span_id());
        TraceContext { trace_id, span_id, parent_span_id: None }
    }
}

impl Default for IdGenerator {
    fn default() -> Self {
        Self::new()
    }
}

/// The root span's ID follows from the trace ID, so that a later trace can link to it by the trace ID alone.
const fn root_span_id(trace_id: u128) -> u64 {
    let folded = (trace_id >> 64) as u64 ^ trace_id as u64;
    if folded == 0 { 1 } else { folded }
}

/// When a datagram went through each step.
#[derive(Clone, Copy, Debug)]
pub struct Timings {
    /// Decoding began.
    pub decode_start: Timestamp,
    /// Decoding ended, mapping began.
    pub decode_end: Timestamp,
}

const EXPORT: &str = "netflow.export";
const PARSE_PACKET: &str = "netflow.parse_packet";
const PROCESS_FLOWS: &str = "netflow.process_flows";
const FLOW: &str = "netflow.flow";

/// What became of the flows of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlowSpans {
    /// Flows with a span.
    pub written: u64,
    /// Flows that were not wanted.
    pub filtered: u64,
    /// Flows that others stand for.
    pub sampled_out: u64,
    /// Flows beyond the limit for one datagram.
    pub cut: u64,
}

impl FlowSpans {
    /// Whether there were flows and none is told of, as it was asked for: their trace would be noise.
    const fn are_left_out(&self) -> bool {
        self.written + self.cut == 0 && self.filtered + self.sampled_out > 0
    }
}

impl AddAssign for FlowSpans {
    fn add_assign(&mut self, other: Self) {
        self.written += other.written;
        self.filtered += other.filtered;
        self.sampled_out += other.sampled_out;
        self.cut += other.cut;
    }
}

/// What spans are like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceConfig {
    /// Their attributes; their keys are those of the sink, which has to be of the same schema.
    pub attributes: AttributeSet,
    /// How flows make up traces.
    pub shape: TraceShape,
    /// Which times spans of flows have.
    pub span_time: SpanTime,
}

impl TraceConfig {
    /// Whether all flows of a datagram have trace and times in common.
    fn is_shared(&self) -> bool {
        self.shape == TraceShape::Packet && self.span_time == SpanTime::Receive
    }
}

/// Templates come and go; more programs than this, of some 2 KiB each, are made anew rather than kept.
const MAX_PROGRAMS: usize = 2048;

/// Flow spans of one datagram, unless said otherwise. A datagram of 65,507 bytes with records of 21 bytes has 3,115.
const DEFAULT_LIMIT: usize = 4096;

/// Writes the traces of export datagrams, one span for each flow. This is [`TraceShape::Packet`]; in other shapes there are
/// the spans of flows alone, and in [`TraceShape::Topology`] `netflow.server` below each.
///
/// ```text
/// netflow.export
/// ├─ netflow.parse_packet
/// └─ netflow.process_flows
///    └─ netflow.flow          one for each flow record
/// ```
///
/// Programs of Templates are kept by generation, so an `ExportTrace` serves one `State`; each worker has its own.
#[derive(Debug)]
pub struct ExportTrace<P: SpanParts> {
    ids: IdGenerator,
    limit: usize,
    config: TraceConfig,
    level: Level,
    head: P::Head,
    shared: SharedAttributes<P::Fragment>,
    programs: HashMap<u64, AttributeProgram<P::Row>, foldhash::fast::RandomState>,
    sampling: Option<FlowSampling>,
    extras: Option<Extras>,
    extra_columns: ExtraCache<P::Key>,
    text: String,
}

impl<P: SpanParts> Default for ExportTrace<P> {
    fn default() -> Self {
        Self::new(IdGenerator::new())
    }
}

impl<P: SpanParts> ExportTrace<P> {
    /// With these IDs.
    pub fn new(ids: IdGenerator) -> Self {
        Self {
            ids,
            limit: DEFAULT_LIMIT,
            config: TraceConfig::default(),
            level: Level::new(),
            head: P::Head::default(),
            shared: SharedAttributes::default(),
            programs: HashMap::default(),
            sampling: None,
            extras: None,
            extra_columns: ExtraCache::default(),
            text: String::new(),
        }
    }

    /// With elements of the records as they are, named by what this state knows: the one that decodes the datagrams.
    #[must_use]
    pub fn with_extra_elements(mut self, wanted: ExtraElements, state: Arc<State>) -> Self {
        self.extras = Some(Extras::new(wanted, state));
        self
    }

    /// With other spans than those of [`TraceConfig::default`].
    #[must_use]
    pub fn with_config(mut self, config: TraceConfig) -> Self {
        self.config = config;
        self
    }

    /// With another limit of flow spans for each datagram; 4,096 by default.
    ///
    /// A Template may have records of one byte, so that a datagram could become 65,000 spans.
    #[must_use]
    pub fn with_limit(mut self, flow_spans: usize) -> Self {
        self.limit = flow_spans;
        self
    }

    /// Samples the flows of the datagrams that are written from now on; `None`, as in the beginning, keeps all.
    ///
    /// Flows that are kept say so in their trace state and in [`Attribute::AdjustedCount`].
    pub fn set_sampling(&mut self, sampling: Option<FlowSampling>) {
        self.sampling = sampling;
    }

    /// Writes other attributes from now on, of the same schema.
    pub fn set_attributes(&mut self, attributes: AttributeSet) {
        if attributes != self.config.attributes {
            self.config.attributes = attributes;
            // What was laid out or encoded for the old ones.
            self.programs.clear();
            self.extra_columns = ExtraCache::default();
            self.shared = SharedAttributes::default();
        }
    }

    /// A trace ID for a datagram, to be its [`tag`](flow_state::Datagram::tag).
    pub fn trace_id(&mut self) -> u128 {
        self.ids.trace_id()
    }

    /// Writes the trace of a datagram, whose tag is its trace ID (from [`ExportTrace::trace_id`]), then those of the
    /// records that had waited for one of its Templates. `now` is asked when a trace ends,
    /// `select` which flows are to have a span (a bit for each, from the lowest), before anything is made of them.
    ///
    /// There is no trace of a datagram whose flows were all left out, by `select` or by sampling, unless it tells of a gap
    /// or an issue.
    pub fn write(
        &mut self,
        datagram: &Datagram<'_>,
        decoded: &Decoded,
        timings: &Timings,
        now: impl Fn() -> Timestamp,
        select: &mut impl FnMut(&FlowGroup<'_>) -> u32,
        out: &mut impl SpanSink<Parts = P>,
    ) -> FlowSpans {
        let root = root_context(datagram.tag);
        let mut flows = FlowSpans::default();
        if decoded.messages().iter().any(|message| message.data_records > 0) {
            let sets = decoded.data_sets(datagram.bytes);
            flows = self.process_flows(root, timings.decode_end, sets, &now, select, out);
        }
        if self.config.shape.has_datagrams() && (!flows.are_left_out() || tells(decoded)) {
            let start = SpanStart { context: root, name: EXPORT, start: datagram.received_at, end: now(), link: None };
            self.datagram(&start, datagram, decoded, timings, flows, out);
        }
        flows += self.replayed(decoded, timings, &now, select, out);
        flows
    }

    /// The spans of a datagram beside those of its flows.
    fn datagram(
        &mut self,
        export: &SpanStart,
        datagram: &Datagram<'_>,
        decoded: &Decoded,
        timings: &Timings,
        flows: FlowSpans,
        out: &mut impl SpanSink<Parts = P>,
    ) {
        let parse = self.child(export.context, PARSE_PACKET, timings.decode_start, timings.decode_end);
        drop(out.span(&parse));
        let mut span = out.span(export);
        let mut selected = Selected::new(&mut span, &self.config.attributes);
        origin(&datagram.session, decoded.messages().first(), flows, &mut selected);
        if let Some(first) = decoded.messages().first() {
            counts(first, decoded, &mut selected);
        }
        issues(decoded, &mut selected);
    }

    fn child(&mut self, parent: TraceContext, name: &'static str, start: Timestamp, end: Timestamp) -> SpanStart {
        let context = TraceContext {
            trace_id: parent.trace_id,
            span_id: self.ids.span_id(),
            parent_span_id: Some(parent.span_id),
        };
        SpanStart { context, name, start, end, link: None }
    }

    /// Flow spans, then the span above them, whose end is known only then, unless the flows are left out or the shape has
    /// none.
    fn process_flows<'a>(
        &mut self,
        root: TraceContext,
        start: Timestamp,
        sets: impl Iterator<Item = DataSet<'a>>,
        now: &impl Fn() -> Timestamp,
        select: &mut impl FnMut(&FlowGroup<'_>) -> u32,
        out: &mut impl SpanSink<Parts = P>,
    ) -> FlowSpans {
        let mut process = self.child(root, PROCESS_FLOWS, start, start);
        let mut span = SpanStart { name: FLOW, ..process };
        span.context.parent_span_id = self.config.shape.has_datagrams().then_some(process.context.span_id);
        let mut flows = FlowSpans::default();
        for set in sets {
            let room = self.limit.saturating_sub(flows.written as usize);
            flows += match room {
                0 => FlowSpans { cut: set.len() as u64, ..FlowSpans::default() },
                _ => self.flow_spans(&set, room, span, select, out),
            };
        }
        if self.config.shape.has_datagrams() && !flows.are_left_out() {
            process.end = now();
            drop(out.span(&process));
        }
        flows
    }

    /// The selected flows of a Set, as many as there is room for.
    fn flow_spans(
        &mut self,
        set: &DataSet<'_>,
        room: usize,
        span: SpanStart,
        select: &mut impl FnMut(&FlowGroup<'_>) -> u32,
        out: &mut impl SpanSink<Parts = P>,
    ) -> FlowSpans {
        let known = set.known_template();
        if self.programs.len() >= MAX_PROGRAMS {
            self.programs.clear();
        }
        let program = match self.programs.entry(known.generation()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(AttributeProgram::new(set.plan(), &self.config.attributes, out)),
        };
        let extras =
            self.extras.as_ref().and_then(|extras| self.extra_columns.of(extras, set, &self.config.attributes, out));
        let context = set.context();
        let joined = context.options().is_some_and(OptionsTables::joins_flows)
            || context.header_sampling().is_some()
            || context.profile().is_some();
        let sampling = self.sampling;
        let in_conversations = self.config.shape == TraceShape::Conversation;
        let hashes = in_conversations || sampling.is_some() || self.config.attributes.has(Attribute::CommunityId);
        let is_shared = self.config.is_shared();
        let (mut written, mut sampled_out) = (0, 0);
        let mut flows = SelectedFlows::new(set, select);
        let mut group = [const { None }; CommunityIds::GROUP];
        loop {
            // In groups, because Community IDs cost less together.
            let wanted = CommunityIds::GROUP.min(room - written);
            let mut read = 0;
            for place in &mut group[..wanted] {
                let Some(flow) = flows.next(room - written - read) else { break };
                *place = Some((program.endpoints().read(&flow), flow));
                read += 1;
            }
            if read == 0 {
                break;
            }
            let group = group[..read].iter().flatten();
            let tuples = group.clone().map(|(endpoints, flow)| program.tuple(endpoints, flow));
            let ids = if hashes { CommunityIds::new(self.level, tuples) } else { CommunityIds::default() };
            let randomness = match sampling {
                Some(_) => key::randomness(&ids, group.clone(), self.level),
                None => [Randomness::default(); CommunityIds::GROUP],
            };
            let conversations = if in_conversations {
                ConversationIds::new(self.level, group.clone(), &ids, Origin::of(context), span.start)
            } else {
                ConversationIds::default()
            };
            for (place, (endpoints, flow)) in group.enumerate() {
                let sampled = sampling.map(|sampling| (sampling.threshold(flow), randomness[place]));
                if sampled.is_some_and(|(threshold, randomness)| !threshold.keeps(randomness)) {
                    sampled_out += 1;
                    continue;
                }
                if written == 0 {
                    let message = self.shared.of_message(context, &self.config.attributes, out);
                    out.head(&mut self.head, &span, |out| out.fragment(message));
                }
                written += 1;
                let shared = self.shared.of_flow(program.shared().read(flow, endpoints), &self.config.attributes, out);
                let attributes = FlowAttributes {
                    program,
                    shared,
                    extras,
                    joined,
                    set: &self.config.attributes,
                    community_id: ids.get(place),
                    sampled,
                };
                if is_shared {
                    let mut writer = out.span_with(&self.head, self.ids.span_id());
                    attributes.write(flow, endpoints, &mut self.text, &mut writer);
                    continue;
                }
                let context = match self.config.shape {
                    TraceShape::Packet => TraceContext { span_id: self.ids.span_id(), ..span.context },
                    _ => self.ids.root(&conversations, place),
                };
                let times = self.config.span_time.of(flow, span.start);
                let apart = Apart { head: &self.head, context, times };
                if self.config.shape == TraceShape::Topology {
                    let server_span_id = self.ids.span_id();
                    attributes.write_call(flow, endpoints, &apart, server_span_id, &mut self.text, out);
                } else {
                    attributes.write_apart(flow, endpoints, &apart, &mut self.text, out);
                }
            }
        }
        let (written, filtered) = (written as u64, flows.left_out);
        let cut = set.len() as u64 - written - filtered - sampled_out;
        FlowSpans { written, filtered, sampled_out, cut }
    }

    /// Records that waited get a trace of their own, linked to the trace of their datagram.
    fn replayed(
        &mut self,
        decoded: &Decoded,
        timings: &Timings,
        now: &impl Fn() -> Timestamp,
        select: &mut impl FnMut(&FlowGroup<'_>) -> u32,
        out: &mut impl SpanSink<Parts = P>,
    ) -> FlowSpans {
        let mut all = FlowSpans::default();
        let mut sets = decoded.replayed_sets().filter(|set| !set.template().is_options()).peekable();
        while let Some(first) = sets.next() {
            let context = first.context();
            let root = root_context(self.ids.trace_id());
            let mut group = vec![first];
            while let Some(next) = sets.next_if(|set| set.context().tag == context.tag) {
                group.push(next);
            }
            let records: usize = group.iter().map(DataSet::len).sum();
            let flows = self.process_flows(root, timings.decode_end, group.into_iter(), now, select, out);
            all += flows;
            if !self.config.shape.has_datagrams() || flows.are_left_out() {
                continue;
            }
            let link = Some((context.tag, root_span_id(context.tag)));
            let start = SpanStart { context: root, name: EXPORT, start: timings.decode_end, end: now(), link };
            let mut span = out.span(&start);
            let mut selected = Selected::new(&mut span, &self.config.attributes);
            origin(&context.session, Some(context), flows, &mut selected);
            selected.bool(Attribute::Replayed, true);
            selected.int(Attribute::Records, records as i64);
        }
        all
    }
}

const fn root_context(trace_id: u128) -> TraceContext {
    TraceContext { trace_id, span_id: root_span_id(trace_id), parent_span_id: None }
}

/// What a `netflow.export` span says of its exporter and of its Message's header.
fn origin(
    session: &TransportSession,
    context: Option<&MessageContext>,
    flows: FlowSpans,
    span: &mut impl AttributeWriter,
) {
    exporter(session.exporter.ip(), context.and_then(MessageContext::profile), span);
    span.int(Attribute::ExporterPort, session.exporter.port().into());
    if flows.cut > 0 {
        span.int(Attribute::FlowsCut, flows.cut as i64);
    }
    let Some(header) = context.map(|context| &context.header) else {
        return;
    };
    version(header.version, context.and_then(|context| context.agent), span);
    if !matches!(header.version, Version::V1 | Version::V7) {
        span.int(Attribute::ObservationDomainId, header.observation_domain_id.into());
    }
    if let Some(sequence) = header.sequence_number {
        span.int(Attribute::SequenceNumber, sequence.into());
    }
}

/// The version of NetFlow or IPFIX; or of sFlow, with its agent.
pub(crate) fn version(version: Version, agent: Option<IpAddr>, out: &mut impl AttributeWriter) {
    if version != Version::Sflow5 {
        return out.int(Attribute::Version, version.number().into());
    }
    out.int(Attribute::SflowVersion, 5);
    if let Some(agent) = agent {
        out.address(Attribute::AgentAddress, agent);
    }
}

/// Whether the trace of a datagram has more to tell than its flows.
fn tells(decoded: &Decoded) -> bool {
    let is_gap = |message: &MessageContext| matches!(message.sequence, SequenceStatus::Gap(_));
    !decoded.issues().is_empty() || decoded.messages().iter().any(is_gap)
}

/// Sums over the Messages of a datagram, which are more than one only where a relay joined them.
fn counts(first: &MessageContext, decoded: &Decoded, span: &mut impl AttributeWriter) {
    let sum = |part: fn(&MessageContext) -> u32| decoded.messages().iter().map(part).map(i64::from).sum::<i64>();
    span.int(Attribute::Records, sum(|message| message.data_records));
    if first.header.version.has_templates() {
        span.int(Attribute::Templates, sum(|message| message.templates));
        span.int(Attribute::OptionsRecords, sum(|message| message.options_records));
    }
    let gap = sum(|message| match message.sequence {
        SequenceStatus::Gap(gap) => gap,
        _ => 0,
    });
    if gap > 0 {
        span.int(Attribute::SequenceGap, gap);
    }
    if first.is_clock_skewed() {
        span.bool(Attribute::ClockSkewed, true);
    }
}

/// The number of issues; where bytes were lost to one, the span's status is an error that names the first.
fn issues(decoded: &Decoded, span: &mut impl AttributeWriter) {
    let issues = decoded.issues();
    if issues.is_empty() {
        return;
    }
    span.int(Attribute::Issues, i64::try_from(issues.total()).unwrap_or(i64::MAX));
    let skipped = &decoded.accounting().skipped;
    let harmless = |kind: &DecodeErrorKind| {
        matches!(
            kind,
            DecodeErrorKind::TrailingBytes(_) | DecodeErrorKind::WithdrawalIgnored(_) | DecodeErrorKind::ReservedSet(_)
        )
    };
    let cost = issues.first().iter().find(|issue| skipped[issue.kind.index()] > 0 && !harmless(&issue.kind));
    let unreadable = decoded.messages().is_empty().then(|| issues.first().first()).flatten();
    if let Some(issue) = cost.or(unreadable) {
        span.error(&issue.to_string());
    }
}
