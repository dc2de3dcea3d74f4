//! What came out of one datagram.

use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

use flow_wire::{DataRecord, DecodeError, DecodeErrorKind, MessageHeader, Records, Set, Template, Timestamp, Version};

use crate::domain::{Domain, Memory};
use crate::flow::{CommonRecords, FlowGroups, FlowRecord, Plausible, Starts, newest_uptime};
use crate::options::{OptionsTables, Sampling, SamplingAlgorithm, SamplingRate, SamplingSource};
use crate::plan::FlowPlan;
use crate::profile::{Clock, ExporterProfile};
use crate::sequence::SequenceStatus;
use crate::session::{Datagram, TransportSession};
use crate::store::KnownTemplate;

/// Where every byte of a datagram went. The sum of all parts is the length of the datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accounting {
    /// Message Headers and Set headers.
    pub headers: u64,
    /// Template Records that were understood.
    pub templates: u64,
    /// Data Records, options among them; samples of packets.
    pub records: u64,
    /// sFlow samples of counters, which are no flows.
    pub counters: u64,
    /// Bytes behind the last record of a Set or the last Set of a Message.
    pub padding: u64,
    /// Data Sets that wait for their Template.
    pub pending: u64,
    /// Bytes not understood, by [`DecodeErrorKind::index`].
    pub skipped: [u64; DecodeErrorKind::NAMES.len()],
}

impl Default for Accounting {
    fn default() -> Self {
        Self {
            headers: 0,
            templates: 0,
            records: 0,
            counters: 0,
            padding: 0,
            pending: 0,
            skipped: [0; DecodeErrorKind::NAMES.len()],
        }
    }
}

impl Accounting {
    /// The sum of all parts.
    pub fn total(&self) -> u64 {
        let parts = [self.headers, self.templates, self.records, self.counters, self.padding, self.pending];
        parts.iter().chain(&self.skipped).sum()
    }

    /// Adds another datagram's.
    pub fn add(&mut self, other: &Self) {
        self.headers += other.headers;
        self.templates += other.templates;
        self.records += other.records;
        self.counters += other.counters;
        self.padding += other.padding;
        self.pending += other.pending;
        for (sum, more) in self.skipped.iter_mut().zip(&other.skipped) {
            *sum += more;
        }
    }

    pub(crate) fn skip(&mut self, kind: DecodeErrorKind, bytes: usize) {
        self.skipped[kind.index()] += bytes as u64;
    }
}

/// The problems of a datagram: how many of each kind, and the first few in full.
#[derive(Clone, Debug)]
pub struct IssueLog {
    first: Vec<DecodeError>,
    counts: [u32; DecodeErrorKind::NAMES.len()],
}

impl Default for IssueLog {
    fn default() -> Self {
        Self { first: Vec::new(), counts: [0; DecodeErrorKind::NAMES.len()] }
    }
}

impl IssueLog {
    /// So many issues are kept in full, so that a hostile datagram costs no memory.
    pub const KEPT: usize = 16;

    /// The first [`IssueLog::KEPT`] issues in the order of the datagram.
    pub fn first(&self) -> &[DecodeError] {
        &self.first
    }

    /// Issues by [`DecodeErrorKind::index`].
    pub const fn counts(&self) -> &[u32; DecodeErrorKind::NAMES.len()] {
        &self.counts
    }

    /// Whether nothing was odd.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// All issues.
    pub fn total(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    pub(crate) fn note(&mut self, error: DecodeError) {
        self.counts[error.kind.index()] += 1;
        if self.first.len() < Self::KEPT {
            self.first.push(error);
        }
    }

    fn clear(&mut self) {
        if !self.first.is_empty() {
            self.first.clear();
            self.counts.fill(0);
        }
    }
}

/// A change of what is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StateEvent {
    /// A Template of this ID was not known before.
    TemplateAdded(u16),
    /// A Template ID now stands for another layout.
    TemplateChanged(u16),
    /// A Template ID stands for nothing any more: the record that defined it again was refused.
    TemplateRemoved(u16),
    /// A Template ID stands for nothing any more: the exporter withdrew it. 2 stands for all Templates, 3 for all Options
    /// Templates (RFC 7011 section 8.1).
    TemplateWithdrawn(u16),
    /// Data came for a Template that the exporter defined from another source port, and from this port came no Template
    /// at all: an exporter that changes its port. By [`TemplateScope::Address`](crate::TemplateScope::Address) such data
    /// is decoded.
    TemplateElsewhere(u16),
    /// The exporter started anew: its sequence numbers or its uptime fell back.
    ExporterRestarted,
}

/// A Message and what is known about it: what all its records share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MessageContext {
    /// The Message Header.
    pub header: MessageHeader,
    /// Between whom.
    pub session: TransportSession,
    /// When the datagram was received.
    pub received_at: Timestamp,
    /// The caller's mark of the datagram.
    pub tag: u128,
    /// What the sequence number says.
    pub sequence: SequenceStatus,
    /// When the exporter started, from its options data.
    pub system_init: Option<Timestamp>,
    /// Without that, the newest uptime in the flows of a Message of IPFIX.
    pub(crate) newest_uptime_ms: Option<u32>,
    /// What of the times in it can be believed.
    pub(crate) plausible: Plausible,
    /// Template and Options Template Records of the Message that are in force, refreshes among them.
    pub templates: u32,
    /// Data Records of Templates that were known; samples of packets.
    pub data_records: u32,
    /// Options Data Records.
    pub options_records: u32,
    /// sFlow samples of counters.
    pub counter_samples: u32,
    /// The agent of an sFlow datagram, where it knows its address.
    pub agent: Option<IpAddr>,
    pub(crate) options: Option<Arc<OptionsTables>>,
    profile: Option<Arc<ExporterProfile>>,
}

impl MessageContext {
    /// What the operator says of the exporter.
    pub const fn profile(&self) -> Option<&Arc<ExporterProfile>> {
        self.profile.as_ref()
    }

    /// Whether the export time is more than five minutes from the time of receipt, as of an exporter without NTP.
    pub const fn is_clock_skewed(&self) -> bool {
        self.plausible.is_skewed()
    }

    pub(crate) fn new(header: MessageHeader, datagram: &Datagram<'_>) -> Self {
        let profile = datagram.profiles.and_then(|profiles| profiles.of(header.observation_domain_id)).cloned();
        let clock = profile.as_ref().map_or(Clock::Exporter, |profile| profile.clock);
        Self {
            header,
            session: datagram.session,
            received_at: datagram.received_at,
            tag: datagram.tag,
            sequence: SequenceStatus::Unknown,
            system_init: None,
            newest_uptime_ms: None,
            plausible: Plausible::new(header.export_time, datagram.received_at, clock),
            templates: 0,
            data_records: 0,
            options_records: 0,
            counter_samples: 0,
            agent: None,
            options: None,
            profile,
        }
    }

    pub(crate) fn take_options(&mut self, memory: &Memory) {
        self.options = memory.options.tables();
        self.system_init = self.options().and_then(OptionsTables::system_init);
    }

    /// Packet sampling as the header of v5 says it: mode in the upper two bits, interval in the lower fourteen.
    pub fn header_sampling(&self) -> Option<Sampling> {
        let rate = SamplingRate::new(u64::from(self.header.sampling & 0x3fff), 1)?;
        let algorithm = SamplingAlgorithm::of_mode(u64::from(self.header.sampling >> 14));
        (self.header.version == Version::V5).then_some(Sampling {
            rate: Some(rate),
            algorithm,
            source: SamplingSource::Header,
        })
    }

    /// What the options data of the Observation Domain said up to the end of the datagram that brought the records,
    /// those that waited for their Template included: options of one datagram hold for all its flows.
    pub fn options(&self) -> Option<&OptionsTables> {
        self.options.as_deref()
    }
}

/// Data Records of one Set and how to read them.
#[derive(Debug)]
pub(crate) struct ReadySet {
    pub(crate) message: usize,
    /// Where its records begin, and where they end with their padding.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Where in [`Decoded::transcoded`] its bytes begin, for what is not in the datagram.
    pub(crate) transcoded_at: Option<usize>,
    pub(crate) known: Arc<KnownTemplate>,
    /// Where the store has no room for it.
    pub(crate) plan: Option<Arc<FlowPlan>>,
    pub(crate) records: usize,
    /// In [`Decoded::starts`]; empty for records of one length.
    pub(crate) starts: Range<usize>,
}

/// A Set that waited for its Template, which is there now.
#[derive(Debug)]
pub(crate) struct ReplayedSet {
    /// The Message that brought its Template.
    pub(crate) message: usize,
    pub(crate) context: MessageContext,
    pub(crate) bytes: Box<[u8]>,
    pub(crate) known: Arc<KnownTemplate>,
    /// Where the store has no room for it.
    pub(crate) plan: Option<Arc<FlowPlan>>,
    pub(crate) records: usize,
}

impl ReplayedSet {
    fn data_set(&self) -> Option<DataSet<'_>> {
        let (bytes, context) = (&*self.bytes, &self.context);
        let (start, end) = (crate::pending::LEAD + Set::HEADER_LEN, bytes.len());
        let (known, records) = (&*self.known, self.records);
        let plan = self.plan.as_deref().or_else(|| known.plan())?;
        Some(DataSet { bytes, start, end, known, plan, records, starts: &[], context })
    }
}

/// What came out of one datagram. Made once and used again for the next, so that decoding allocates nothing a record.
#[derive(Debug, Default)]
pub struct Decoded {
    pub(crate) messages: Vec<MessageContext>,
    /// Of each Message, where something is remembered of it.
    pub(crate) domains: Vec<Option<Arc<Domain>>>,
    /// The last one of the datagram before: exporters send in bursts.
    pub(crate) recent: Option<Arc<Domain>>,
    pub(crate) sets: Vec<ReadySet>,
    /// Where the records of variable length start that `sets` hold; not more than bytes of the datagram.
    pub(crate) starts: Vec<u32>,
    /// The Template of the last Set of the datagram before: that of the next one more often than not.
    pub(crate) recent_template: Option<Arc<KnownTemplate>>,
    pub(crate) replayed: Vec<ReplayedSet>,
    pub(crate) waiting: Vec<Set>,
    pub(crate) issues: IssueLog,
    pub(crate) accounting: Accounting,
    pub(crate) replayed_issues: IssueLog,
    pub(crate) replayed_accounting: Accounting,
    pub(crate) events: Vec<StateEvent>,
    /// Records made from samples; less than 512 KiB for any datagram.
    pub(crate) transcoded: Vec<u8>,
    /// Plans that the store has no room for, a few.
    pub(crate) unkept_plans: Vec<(Arc<KnownTemplate>, Arc<FlowPlan>)>,
}

impl Decoded {
    /// Notes an error that costs so many bytes.
    pub(crate) fn skip(&mut self, error: DecodeError, bytes: usize) {
        self.issues.note(error);
        self.accounting.skip(error.kind, bytes);
    }

    /// A reference of its own to a Template.
    #[inline]
    pub(crate) fn keep(&mut self, known: &Arc<KnownTemplate>) -> Arc<KnownTemplate> {
        let recent = self.recent_template.take();
        recent.filter(|recent| Arc::ptr_eq(recent, known)).unwrap_or_else(|| known.clone())
    }

    pub(crate) fn clear(&mut self) {
        self.messages.clear();
        self.recent = self.domains.pop().flatten();
        self.domains.clear();
        if let Some(last) = self.sets.pop() {
            self.recent_template = Some(last.known);
        }
        self.sets.clear();
        self.starts.clear();
        if !self.replayed.is_empty() {
            self.replayed.clear();
            self.replayed_issues.clear();
            self.replayed_accounting = Accounting::default();
        }
        self.waiting.clear();
        self.issues.clear();
        self.accounting = Accounting::default();
        self.events.clear();
        self.transcoded.clear();
        self.unkept_plans.clear();
        // So that the first event of a datagram allocates nothing.
        self.events.reserve(1);
    }

    /// Hands each Message the options tables of its domain as the whole datagram left them, so that options hold also
    /// for flows in front of them.
    pub(crate) fn share_options(&mut self) {
        // A single Message took its own when it ended.
        if self.messages.len() > 1 {
            for (context, domain) in self.messages.iter_mut().zip(&self.domains) {
                if let Some(domain) = domain {
                    context.take_options(&domain.memory());
                }
            }
        }
        for replayed in &mut self.replayed {
            if let Some(newest) = self.messages.get(replayed.message) {
                replayed.context.options.clone_from(&newest.options);
                replayed.context.system_init = newest.system_init;
            }
        }
    }

    /// Where the start of an exporter is not known, finds out how long it was up at least.
    pub(crate) fn infer_uptimes(&mut self, datagram: &[u8]) {
        // Sets are in the order of their Messages.
        let mut end = 0;
        for index in 0..self.messages.len() {
            let start = end;
            end += self.sets[start..].iter().take_while(|ready| ready.message == index).count();
            let sets = self.sets[start..end].iter();
            let newest = newest_uptime(sets.filter_map(|ready| self.data_set(ready, datagram)));
            self.messages[index].newest_uptime_ms = newest;
        }
        for replayed in &mut self.replayed {
            replayed.context.newest_uptime_ms = newest_uptime(replayed.data_set());
        }
    }

    /// The Messages of the datagram: one, or several IPFIX Messages, or none when its header could not be read.
    pub fn messages(&self) -> &[MessageContext] {
        &self.messages
    }

    /// The Data Sets that hold flows, in order. `datagram` are the bytes that were decoded.
    pub fn data_sets<'a>(&'a self, datagram: &'a [u8]) -> impl Iterator<Item = DataSet<'a>> {
        self.sets.iter().filter_map(|ready| self.data_set(ready, datagram))
    }

    fn data_set<'a>(&'a self, ready: &'a ReadySet, datagram: &'a [u8]) -> Option<DataSet<'a>> {
        let context = self.messages.get(ready.message)?;
        let (start, end) = (ready.start, ready.end);
        let bytes = match ready.transcoded_at {
            None => datagram,
            Some(base) => self.transcoded.get(base..)?,
        };
        let (known, records) = (&*ready.known, ready.records);
        let plan = ready.plan.as_deref().or_else(|| known.plan())?;
        let starts = self.starts.get(ready.starts.clone()).unwrap_or_default();
        Some(DataSet { bytes, start, end, known, plan, records, starts, context })
    }

    /// Sets of earlier datagrams that waited for a Template of this one, oldest first.
    pub fn replayed_sets(&self) -> impl Iterator<Item = DataSet<'_>> {
        self.replayed.iter().filter_map(ReplayedSet::data_set)
    }

    /// What was odd, with offsets into the datagram.
    pub const fn issues(&self) -> &IssueLog {
        &self.issues
    }

    /// Where each byte of the datagram went.
    pub const fn accounting(&self) -> &Accounting {
        &self.accounting
    }

    /// What was odd in [`Decoded::replayed_sets`], with offsets into the datagrams that they came in.
    pub const fn replayed_issues(&self) -> &IssueLog {
        &self.replayed_issues
    }

    /// Where each byte of [`Decoded::replayed_sets`] went, Set headers included; those of options among them. Their
    /// own datagrams counted these bytes as pending.
    pub const fn replayed_accounting(&self) -> &Accounting {
        &self.replayed_accounting
    }

    /// What changed in the state.
    pub fn events(&self) -> &[StateEvent] {
        &self.events
    }
}

/// The flows of one Set.
#[derive(Clone, Copy, Debug)]
pub struct DataSet<'a> {
    bytes: &'a [u8],
    start: usize,
    end: usize,
    known: &'a KnownTemplate,
    plan: &'a FlowPlan,
    records: usize,
    /// Where they start, if that was found out.
    starts: &'a [u32],
    context: &'a MessageContext,
}

impl<'a> DataSet<'a> {
    /// The Message it came in.
    pub const fn context(&self) -> &'a MessageContext {
        self.context
    }

    /// The Template of its records, with its generation.
    pub const fn known_template(&self) -> &'a KnownTemplate {
        self.known
    }

    /// Where the facts of a flow lie in its records.
    pub const fn plan(&self) -> &'a FlowPlan {
        self.plan
    }

    /// The Template of its records.
    pub const fn template(&self) -> &'a Template {
        self.known.template()
    }

    /// How many records it has.
    pub const fn len(&self) -> usize {
        self.records
    }

    /// Whether it has none.
    pub const fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// Its records.
    pub fn records(&self) -> impl Iterator<Item = DataRecord<'a>> + use<'a> {
        Records::of_bytes(self.bytes, self.start, self.end, self.known.template())
    }

    /// The common facts of its records, which costs less than to read them one by one; least with `for_each` and `fold`.
    #[inline]
    pub fn common_fields(&self) -> CommonRecords<'a> {
        let records = Records::of_bytes(self.bytes, self.start, self.end, self.known.template());
        let starts = Starts::new(self.bytes, self.starts, self.known.template());
        CommonRecords::new(records, starts, self.plan, self.context)
    }

    /// Its records as flows, some at a time: to look at one fact of many flows costs less than at many facts of each.
    #[inline]
    pub fn groups(&self) -> FlowGroups<'a> {
        let records = Records::of_bytes(self.bytes, self.start, self.end, self.known.template());
        let starts = Starts::new(self.bytes, self.starts, self.known.template());
        FlowGroups::new(records, starts, self.records, self.plan, self.context)
    }

    /// Its records as flows.
    #[inline]
    pub fn flows(&self) -> impl Iterator<Item = FlowRecord<'a>> + Clone + use<'a> {
        let (plan, context) = (self.plan, self.context);
        Records::of_bytes(self.bytes, self.start, self.end, self.known.template())
            .map(move |record| FlowRecord::new(record, plan, context))
    }
}
