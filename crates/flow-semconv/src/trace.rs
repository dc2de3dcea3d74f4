//! The trace of one export datagram.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use flow_state::{DataSet, Datagram, DecodeErrorKind, Decoded, MessageContext, SequenceStatus, Timestamp};
use flow_wire::Version;

use crate::attribute::Attribute;
use crate::community_id::CommunityId;
use crate::program::{AttributeProgram, AttributeWriter, Endpoints};
use crate::shared::{SharedAttributes, SharedFacts};
use crate::text;

/// Identity of a span in its trace. All spans are of kind INTERNAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// Trace ID.
    pub trace_id: u128,
    /// Span ID.
    pub span_id: u64,
    /// The span above; `None` for the root.
    pub parent_span_id: Option<u64>,
}

/// What a span begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanStart {
    /// Its identity.
    pub context: TraceContext,
    /// Its name.
    pub name: &'static str,
    /// Its first moment.
    pub start: Timestamp,
    /// Its last moment.
    pub end: Timestamp,
    /// Trace and span it is linked to.
    pub link: Option<(u128, u64)>,
}

/// Takes spans.
pub trait SpanSink {
    /// Encoded attributes.
    type Fragment: Default;
    /// Integer attributes that occur together.
    type Row;

    /// A span under construction; it ends when it is dropped.
    type Span<'s>: AttributeWriter<Fragment = Self::Fragment, Row = Self::Row>
    where
        Self: 's;

    /// Begins a span.
    fn span(&mut self, start: &SpanStart) -> Self::Span<'_>;

    /// Encodes what `write` adds to a span, in place of what the fragment held.
    fn fragment(&mut self, fragment: &mut Self::Fragment, write: impl FnOnce(&mut Self::Span<'_>));

    /// Lays out a row of integer attributes, each with the bytes that its values have.
    fn row(&mut self, columns: &[(Attribute, usize)]) -> Self::Row;
}

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

/// Templates come and go; more programs than this are made anew rather than kept.
const MAX_PROGRAMS: usize = 16_384;

/// Writes the trace shape `packet`: one trace for each export datagram, one span for each flow.
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
pub struct ExportTrace<F, R> {
    ids: IdGenerator,
    shared: SharedAttributes<F>,
    programs: HashMap<u64, AttributeProgram<R>, foldhash::fast::RandomState>,
}

impl<F: Default, R> Default for ExportTrace<F, R> {
    fn default() -> Self {
        Self::new(IdGenerator::new())
    }
}

impl<F: Default, R> ExportTrace<F, R> {
    /// With these IDs.
    pub fn new(ids: IdGenerator) -> Self {
        Self { ids, shared: SharedAttributes::default(), programs: HashMap::default() }
    }

    /// A trace ID for a datagram, to be its [`tag`](flow_state::Datagram::tag).
    pub fn trace_id(&mut self) -> u128 {
        self.ids.trace_id()
    }

    /// Writes the trace of a datagram, whose tag is its trace ID (from [`ExportTrace::trace_id`]), then those of the records that had waited for one of
    /// its Templates. `now` is asked when a trace ends. Returns the number of flow spans.
    pub fn write(
        &mut self,
        datagram: &Datagram<'_>,
        decoded: &Decoded,
        timings: &Timings,
        now: impl Fn() -> Timestamp,
        out: &mut impl SpanSink<Fragment = F, Row = R>,
    ) -> u64 {
        let trace_id = datagram.tag;
        let root = TraceContext { trace_id, span_id: root_span_id(trace_id), parent_span_id: None };
        let mut flows = 0;
        if decoded.messages().iter().any(|message| message.data_records > 0) {
            flows += self.process_flows(root, timings.decode_end, decoded.data_sets(datagram.bytes), &now, out);
        }
        let parse = self.child(root, PARSE_PACKET, timings.decode_start, timings.decode_end);
        drop(out.span(&parse));
        let end = now();
        let mut span =
            out.span(&SpanStart { context: root, name: EXPORT, start: datagram.received_at, end, link: None });
        span.text(Attribute::ExporterAddress, &text::address(datagram.session.exporter.ip()));
        span.int(Attribute::ExporterPort, datagram.session.exporter.port().into());
        if let Some(first) = decoded.messages().first() {
            export_attributes(first, decoded, &mut span);
        }
        issues(decoded, &mut span);
        drop(span);
        flows + self.replayed(decoded, timings, &now, out)
    }

    fn child(&mut self, parent: TraceContext, name: &'static str, start: Timestamp, end: Timestamp) -> SpanStart {
        let context = TraceContext {
            trace_id: parent.trace_id,
            span_id: self.ids.span_id(),
            parent_span_id: Some(parent.span_id),
        };
        SpanStart { context, name, start, end, link: None }
    }

    /// Flow spans, then the span above them, whose end is known only then.
    fn process_flows<'a>(
        &mut self,
        root: TraceContext,
        start: Timestamp,
        sets: impl Iterator<Item = DataSet<'a>>,
        now: &impl Fn() -> Timestamp,
        out: &mut impl SpanSink<Fragment = F, Row = R>,
    ) -> u64 {
        let mut process = self.child(root, PROCESS_FLOWS, start, start);
        let mut flows = 0;
        for set in sets {
            let known = set.known_template();
            if self.programs.len() >= MAX_PROGRAMS {
                self.programs.clear();
            }
            let program = match self.programs.entry(known.generation()) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(place) => place.insert(AttributeProgram::new(known.plan(), out)),
            };
            self.shared.prepare_message(set.context(), out);
            let mut span = SpanStart { name: FLOW, ..process };
            span.context.parent_span_id = Some(process.context.span_id);
            let mut records = set.flows();
            loop {
                // In groups, because Community IDs cost less together.
                let group: [_; CommunityId::GROUP] = std::array::from_fn(|_| {
                    records.next().map(|flow| {
                        let endpoints = Endpoints::new(&flow);
                        (flow, endpoints)
                    })
                });
                if group[0].is_none() {
                    break;
                }
                let tuples =
                    std::array::from_fn(|at| group[at].as_ref().and_then(|(flow, endpoints)| endpoints.tuple(flow)));
                let ids = CommunityId::of_group(&tuples);
                for ((flow, endpoints), id) in group.iter().flatten().zip(&ids) {
                    let facts = SharedFacts::new(flow, endpoints);
                    self.shared.prepare_flow(facts, out);
                    span.context.span_id = self.ids.span_id();
                    let mut writer = out.span(&span);
                    self.shared.write(facts, &mut writer);
                    program.run(flow, endpoints, &mut writer);
                    if let Some(id) = id {
                        writer.text(Attribute::CommunityId, id.text());
                    }
                    flows += 1;
                }
            }
        }
        process.end = now();
        drop(out.span(&process));
        flows
    }

    /// Records that waited get a trace of their own, linked to the trace of their datagram.
    fn replayed(
        &mut self,
        decoded: &Decoded,
        timings: &Timings,
        now: &impl Fn() -> Timestamp,
        out: &mut impl SpanSink<Fragment = F, Row = R>,
    ) -> u64 {
        let mut flows = 0;
        let mut sets = decoded.replayed_sets().filter(|set| !set.template().is_options()).peekable();
        while let Some(first) = sets.next() {
            let context = first.context();
            let trace_id = self.ids.trace_id();
            let root = TraceContext { trace_id, span_id: root_span_id(trace_id), parent_span_id: None };
            let mut group = vec![first];
            while let Some(next) = sets.next_if(|set| set.context().tag == context.tag) {
                group.push(next);
            }
            let records: usize = group.iter().map(DataSet::len).sum();
            flows += self.process_flows(root, timings.decode_end, group.into_iter(), now, out);
            let link = Some((context.tag, root_span_id(context.tag)));
            let (start, end) = (timings.decode_end, now());
            let mut span = out.span(&SpanStart { context: root, name: EXPORT, start, end, link });
            span.bool(Attribute::Replayed, true);
            span.text(Attribute::ExporterAddress, &text::address(context.session.exporter.ip()));
            span.int(Attribute::ExporterPort, context.session.exporter.port().into());
            header_attributes(context, &mut span);
            span.int(Attribute::Records, records as i64);
        }
        flows
    }
}

fn header_attributes(context: &MessageContext, span: &mut impl AttributeWriter) {
    let header = &context.header;
    span.int(Attribute::Version, header.version.number().into());
    if !matches!(header.version, Version::V1 | Version::V7) {
        span.int(Attribute::ObservationDomainId, header.observation_domain_id.into());
    }
    if let Some(sequence) = header.sequence_number {
        span.int(Attribute::SequenceNumber, sequence.into());
    }
}

fn export_attributes(first: &MessageContext, decoded: &Decoded, span: &mut impl AttributeWriter) {
    header_attributes(first, span);
    let sum = |part: fn(&MessageContext) -> u32| decoded.messages().iter().map(part).map(i64::from).sum::<i64>();
    span.int(Attribute::Records, sum(|message| message.data_records));
    if first.header.version.has_templates() {
        span.int(Attribute::Templates, sum(|message| message.templates));
        span.int(Attribute::OptionsRecords, sum(|message| message.options_records));
    }
    if let SequenceStatus::Gap(gap) = first.sequence {
        span.int(Attribute::SequenceGap, gap.into());
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
