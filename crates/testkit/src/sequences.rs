//! Datagrams of several exporters as bytes choose them, and a model that knows what must come out.
//!
//! Exporters announce Templates and options, define them again with other fields, withdraw them over UDP and TCP, start
//! anew, and send data before its Template; datagrams are lost, sent twice and overtaken; the collector starts anew from
//! a snapshot. The model reads Sets with the plainest walk that there is, by the Templates that arrived.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};

use flow_state::{Datagram, Decoded, State, StateConfig, StateEvent, Timestamp, Transport, TransportSession, Version};
use flow_wire::encode::{self, MessageWriter, Padding, TemplateDefinition};
use flow_wire::{DecodeErrorKind, FieldSpecifier, VARIABLE_LENGTH};

use crate::invariants;

/// How often what a sequence is for took place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Coverage {
    /// Data Records of flows that came out and were what the model expects.
    pub flows: usize,
    /// Options Data Records.
    pub options_records: usize,
    /// Templates that were not known before.
    pub added: usize,
    /// Templates that took the place of others.
    pub changed: usize,
    /// Withdrawals over TCP that took a Template away.
    pub withdrawals: usize,
    /// Withdrawals over UDP, which count for nothing.
    pub ignored_withdrawals: usize,
    /// Data Sets that waited for their Template and came out with it.
    pub replayed: usize,
    /// Exporters that were seen to start anew.
    pub restarts: usize,
    /// Values of variable length.
    pub variable: usize,
    /// Datagrams that were lost, sent twice, or overtaken by the next.
    pub disorder: usize,
    /// Datagrams that were damaged.
    pub damaged: usize,
    /// Collectors that began with the snapshot of the one before, Templates in it.
    pub snapshots: usize,
    /// Data Sets that a Template out of a snapshot decoded.
    pub restored: usize,
    /// Connections that ended.
    pub ended: usize,
}

impl Coverage {
    /// Adds those of another sequence.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts_mut().into_iter().zip(other.counts()) {
            *count += more;
        }
    }

    /// All counts.
    pub fn counts(mut self) -> [usize; 14] {
        self.counts_mut().map(|count| *count)
    }

    fn counts_mut(&mut self) -> [&mut usize; 14] {
        let Self {
            flows,
            options_records,
            added,
            changed,
            withdrawals,
            ignored_withdrawals,
            replayed,
            restarts,
            variable,
            disorder,
            damaged,
            snapshots,
            restored,
            ended,
        } = self;
        [
            flows,
            options_records,
            added,
            changed,
            withdrawals,
            ignored_withdrawals,
            replayed,
            restarts,
            variable,
            disorder,
            damaged,
            snapshots,
            restored,
            ended,
        ]
    }
}

/// Plays the sequence that `data` chooses.
///
/// # Panics
///
/// When a byte has no fate, memory is beyond its limits, or, as long as no datagram is damaged, records are not those of
/// the model.
pub fn play(data: &[u8]) -> Coverage {
    let mut choices = Choices(data);
    let hostile = choices.one_in(3);
    let mut config = StateConfig::default();
    config.pending_age = std::time::Duration::from_secs(3600);
    if hostile {
        config.memory = 16 << 10;
        config.pending_memory = 8 << 10;
        config.pending_memory_per_exporter = 4 << 10;
    } else {
        config.pending_memory_per_exporter = config.pending_memory;
    }
    let mut collector = Collector::new(config, hostile);
    let mut exporters: Vec<_> = (0..3).map(Exporter::new).collect();
    let mut overtaken: Option<Sent> = None;
    while !choices.0.is_empty() {
        let number = choices.below(exporters.len());
        let mut sent = exporters[number].message(&mut choices, &mut collector.coverage);
        collector.seconds += choices.below(4) as u64;
        if hostile && choices.one_in(2) {
            choices.damage(&mut sent.bytes);
            collector.coverage.damaged += 1;
        }
        let chosen = choices.byte();
        let fate = chosen % 8;
        collector.coverage.disorder += usize::from(fate < 3);
        match fate {
            0 => {}
            1 => {
                collector.receive(&sent);
                collector.receive(&sent);
            }
            2 => overtaken = Some(sent),
            _ => collector.receive(&sent),
        }
        if fate > 2
            && let Some(late) = overtaken.take()
        {
            collector.receive(&late);
        }
        if chosen / 8 == 1 {
            collector.start_anew();
        }
        if chosen / 8 == 2 {
            collector.end(&exporters[number].session);
        }
    }
    collector.coverage
}

/// Bytes that choose; zeros when they are used up.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.byte()) % limit
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 1
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.byte()).collect()
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = (self.below(256) * 256 + self.below(256)) % bytes.len();
        match self.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, [0xff, 0xff])),
            2 => bytes[at] = 0,
            _ => bytes[at] ^= self.byte() | 1,
        }
    }
}

/// A datagram, and what is in it as far as it is whole.
struct Sent {
    session: TransportSession,
    domain: u32,
    sets: Vec<SentSet>,
    bytes: Vec<u8>,
}

#[derive(Clone, Debug)]
enum SentSet {
    Definitions(Vec<Definition>),
    Withdrawal(u16),
    Data(u16, Vec<u8>),
}

#[derive(Clone, Debug, PartialEq)]
struct Definition {
    id: u16,
    scope_count: u16,
    fields: Vec<FieldSpecifier>,
}

/// An Exporting Process with one port and two Observation Domains: the first sends v9, the second IPFIX, the third IPFIX
/// over TCP.
struct Exporter {
    session: TransportSession,
    version: Version,
    /// By domain.
    known: [Vec<Definition>; 2],
    sequence_number: [u32; 2],
    uptime_ms: u32,
    writer: MessageWriter,
}

const TEMPLATE_IDS: [u16; 4] = [256, 257, 300, 65_535];

/// Element, enterprise number and the lengths it is sent with; 65535 is left to IPFIX.
const COLUMNS: [(u16, u32, [u16; 3]); 8] = [
    (8, 0, [4, 4, 4]),
    (28, 0, [16, 16, 16]),
    (1, 0, [8, 5, 3]),
    (2, 0, [4, 1, 8]),
    (82, 0, [8, VARIABLE_LENGTH, 0]),
    (291, 0, [VARIABLE_LENGTH, 9, VARIABLE_LENGTH]),
    (34, 0, [4, 2, 1]),
    (40, 6871, [VARIABLE_LENGTH, 2, 12]),
];

impl Exporter {
    fn new(number: u8) -> Self {
        let address = SocketAddr::from((Ipv4Addr::new(192, 0, 2, number + 1), 50_000));
        let session = TransportSession::new(address, SocketAddr::from(([198, 51, 100, 1], 2055)));
        Self {
            session: session.with_transport(if number == 2 { Transport::Tcp } else { Transport::Udp }),
            version: if number == 0 { Version::V9 } else { Version::Ipfix },
            known: [Vec::new(), Vec::new()],
            sequence_number: [1000; 2],
            uptime_ms: 1_000_000,
            writer: MessageWriter::new(),
        }
    }

    fn message(&mut self, choices: &mut Choices<'_>, coverage: &mut Coverage) -> Sent {
        let domain = choices.below(2);
        if choices.one_in(16) {
            (self.known, self.sequence_number, self.uptime_ms) = ([Vec::new(), Vec::new()], [0; 2], 0);
        }
        self.uptime_ms += 1000;
        let export_time = Timestamp::from_unix_seconds(1_700_000_000);
        let mut header = encode::header(self.version, export_time, self.sequence_number[domain], domain as u32);
        header.sys_uptime_ms = header.sys_uptime_ms.map(|_| self.uptime_ms);
        let padding = if choices.one_in(2) { Padding::None } else { Padding::FourBytes };
        self.writer = MessageWriter::new().with_padding(padding);
        self.writer.begin(&header);
        let mut sets = Vec::new();
        for _ in 0..=choices.below(4) {
            match choices.below(8) {
                0..2 => sets.push(self.define(domain, choices)),
                2 if self.version == Version::Ipfix => {
                    let id = TEMPLATE_IDS[choices.below(TEMPLATE_IDS.len())];
                    self.writer.template_set(&[TemplateDefinition::new(id, &[])]);
                    self.known[domain].retain(|definition| definition.id != id);
                    sets.push(SentSet::Withdrawal(id));
                }
                _ => sets.extend(self.data(domain, choices, coverage)),
            }
        }
        let bytes = self.writer.finish().unwrap().to_vec();
        let sets = with_bodies(sets, self.version, &bytes);
        let units = if self.version == Version::V9 { 1 } else { choices.below(3) as u32 };
        self.sequence_number[domain] = self.sequence_number[domain].wrapping_add(units);
        Sent { session: self.session, domain: domain as u32, sets, bytes }
    }

    /// A Template Set, or one of options.
    fn define(&mut self, domain: usize, choices: &mut Choices<'_>) -> SentSet {
        let is_options = choices.one_in(3);
        let mut definitions: Vec<Definition> = Vec::new();
        for _ in 0..=choices.below(2) {
            let id = TEMPLATE_IDS[choices.below(TEMPLATE_IDS.len())];
            // Something with a length comes first, so that no record is empty.
            let first = FieldSpecifier { enterprise_number: 0, id: 8, length: 4 };
            let more = (0..choices.below(6)).map(|_| self.column(choices));
            let fields = [first].into_iter().chain(more.collect::<Vec<_>>()).collect();
            definitions.push(Definition { id, scope_count: u16::from(is_options), fields });
        }
        let written: Vec<_> = definitions
            .iter()
            .map(|Definition { id, scope_count, fields }| TemplateDefinition::options(*id, *scope_count, fields))
            .collect();
        match is_options {
            true => self.writer.options_template_set(&written),
            false => self.writer.template_set(&written),
        };
        for definition in &definitions {
            self.known[domain].retain(|known| known.id != definition.id);
            self.known[domain].push(definition.clone());
        }
        SentSet::Definitions(definitions)
    }

    fn column(&self, choices: &mut Choices<'_>) -> FieldSpecifier {
        let (id, enterprise_number, lengths) = COLUMNS[choices.below(COLUMNS.len())];
        let length = lengths[choices.below(3)];
        match self.version {
            Version::V9 => FieldSpecifier { enterprise_number: 0, id, length: length.min(16) },
            _ => FieldSpecifier { enterprise_number, id, length },
        }
    }

    /// Records of a Template that this exporter has announced, be it that the datagram was lost.
    fn data(&mut self, domain: usize, choices: &mut Choices<'_>, coverage: &mut Coverage) -> Option<SentSet> {
        let count = self.known[domain].len();
        let definition = self.known[domain].get(choices.below(count.max(1)))?;
        self.writer.data_set(definition.id);
        for _ in 0..=choices.below(4) {
            let mut record = self.writer.record();
            for field in &definition.fields {
                if field.length != VARIABLE_LENGTH {
                    record.bytes(&choices.bytes(field.length.into()));
                    continue;
                }
                coverage.variable += 1;
                let value = list_or_text(field.id, choices);
                // Both forms are right for short values (RFC 7011 section 7).
                match choices.one_in(2) {
                    true => record.variable_in_long_form(&value),
                    false => record.variable(&value),
                };
            }
        }
        Some(SentSet::Data(definition.id, Vec::new()))
    }
}

/// Gives each Data Set its body as it lies in the datagram: padding may be a record to another Template.
fn with_bodies(mut sets: Vec<SentSet>, version: Version, bytes: &[u8]) -> Vec<SentSet> {
    let mut rest = &bytes[version.header_len()..];
    let mut bodies = Vec::new();
    while let [id_high, _, high, low, ..] = rest {
        let set = rest.split_off(..u16::from_be_bytes([*high, *low]).into()).unwrap();
        if *id_high > 0 {
            bodies.push(set[4..].to_vec());
        }
    }
    let data = sets.iter_mut().filter_map(|set| match set {
        SentSet::Data(_, body) => Some(body),
        SentSet::Definitions(_) | SentSet::Withdrawal(_) => None,
    });
    data.zip(bodies).for_each(|(place, body)| *place = body);
    sets
}

/// A basicList of addresses (RFC 6313 section 4.5.1), or any bytes.
fn list_or_text(id: u16, choices: &mut Choices<'_>) -> Vec<u8> {
    if id != 291 || choices.one_in(4) {
        let len = choices.below(12);
        return choices.bytes(len);
    }
    let elements = choices.below(4);
    let content = choices.bytes(4 * elements);
    [&[3, 0, 8, 0, 4][..], &content].concat()
}

/// A record: Template ID, and the bytes of its fields.
type Row = (u16, Vec<Vec<u8>>);

/// Transport Session and Observation Domain.
type Domain = (TransportSession, u32);

/// The state under test beside the model.
struct Collector {
    state: State,
    config: StateConfig,
    is_hostile: bool,
    seconds: u64,
    decoded: Decoded,
    coverage: Coverage,
    templates: HashMap<(Domain, u16), Definition>,
    /// Those of them that came out of a snapshot.
    restored: HashSet<(Domain, u16)>,
    /// Bodies of Data Sets without a Template, oldest first.
    waiting: Vec<((Domain, u16), Vec<u8>)>,
}

impl Collector {
    fn new(config: StateConfig, is_hostile: bool) -> Self {
        Self {
            state: State::new(config.clone()),
            config,
            is_hostile,
            seconds: 0,
            decoded: Decoded::default(),
            coverage: Coverage::default(),
            templates: HashMap::new(),
            restored: HashSet::new(),
            waiting: Vec::new(),
        }
    }

    /// A snapshot is restored by a collector that knows nothing else: all is known again but the data that waited, and
    /// what belonged to connections.
    fn start_anew(&mut self) {
        let snapshot = self.state.snapshot();
        self.templates.retain(|((session, _), _), _| session.transport == Transport::Udp);
        self.state = State::new(self.config.clone());
        let restored = self.state.restore(&snapshot, self.now()).unwrap();
        self.check_memory();
        if !self.is_hostile {
            assert_eq!((restored.templates, restored.refused), (self.templates.len(), 0), "{restored:?}");
        }
        self.waiting.clear();
        self.restored = self.templates.keys().copied().collect();
        self.coverage.snapshots += usize::from(restored.templates > 0);
    }

    /// A connection ends, and with it all that was known by it; over UDP nothing does.
    fn end(&mut self, session: &TransportSession) {
        self.state.end_session(session);
        self.check_memory();
        if session.transport == Transport::Tcp {
            self.templates.retain(|((other, _), _), _| other != session);
            self.restored.retain(|((other, _), _)| other != session);
            self.waiting.retain(|(((other, _), _), _)| other != session);
            self.coverage.ended += 1;
        }
        if !self.is_hostile {
            assert_eq!(self.state.template_count(), self.templates.len(), "Templates in force");
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000 + self.seconds)
    }

    fn check_memory(&self) {
        let (memory, pending_memory) = (self.state.memory(), self.state.pending_memory());
        assert!(memory <= self.config.memory, "{memory} bytes of Templates");
        assert!(pending_memory <= self.config.pending_memory, "{pending_memory} bytes wait");
    }

    fn receive(&mut self, sent: &Sent) {
        let datagram = Datagram::new(sent.session, self.now(), &sent.bytes);
        invariants::decode(&self.state, &datagram, &mut self.decoded);
        self.check_memory();
        self.count();
        if !self.is_hostile {
            self.compare(sent);
        }
    }

    fn count(&mut self) {
        let (decoded, coverage) = (&self.decoded, &mut self.coverage);
        for event in decoded.events() {
            match event {
                StateEvent::TemplateAdded(_) => coverage.added += 1,
                StateEvent::TemplateChanged(_) => coverage.changed += 1,
                StateEvent::TemplateWithdrawn(_) => coverage.withdrawals += 1,
                StateEvent::ExporterRestarted => coverage.restarts += 1,
                _ => {}
            }
        }
        coverage.options_records += decoded.messages().iter().map(|m| m.options_records as usize).sum::<usize>();
        coverage.replayed += decoded.replayed_sets().count();
        let ignored = DecodeErrorKind::WithdrawalIgnored(0).index();
        coverage.ignored_withdrawals += decoded.issues().counts()[ignored] as usize;
    }

    fn compare(&mut self, sent: &Sent) {
        let (mut flows, mut options_records, mut replayed) = self.expect(sent);
        let mut decoded_flows: Vec<Row> = self.decoded.data_sets(&sent.bytes).flat_map(|set| rows(&set)).collect();
        let mut decoded_replayed: Vec<Row> = self.decoded.replayed_sets().flat_map(|set| rows(&set)).collect();
        for list in [&mut flows, &mut replayed, &mut decoded_flows, &mut decoded_replayed] {
            list.sort();
        }
        assert_eq!(decoded_flows, flows, "flows");
        assert_eq!(decoded_replayed, replayed, "records that waited");
        for message in self.decoded.messages() {
            options_records = options_records.wrapping_sub(message.options_records as usize);
        }
        assert_eq!(options_records, 0, "options records too few, or too many");
        assert_eq!(self.state.template_count(), self.templates.len(), "Templates in force");
        self.coverage.flows += flows.len();
        // What is expected: v9 counts records, and those that wait or are padding to another Template are none.
        let expected = [
            DecodeErrorKind::TemplateUnknown(0),
            DecodeErrorKind::WithdrawalIgnored(0),
            DecodeErrorKind::PaddingNotZero,
            DecodeErrorKind::RecordOverrun(0),
            DecodeErrorKind::CountMismatch(0),
        ];
        let is_known = |index: usize| expected.iter().any(|kind| kind.index() == index);
        let odd = (0..).zip(self.decoded.issues().counts()).find(|(kind, count)| **count > 0 && !is_known(*kind));
        assert_eq!(odd, None, "{:?}", self.decoded.issues().first());
    }

    /// Flows, the number of options records, and records that waited, of a datagram as it was sent.
    fn expect(&mut self, sent: &Sent) -> (Vec<Row>, usize, Vec<Row>) {
        let domain = (sent.session, sent.domain);
        let is_stream = sent.session.transport == Transport::Tcp;
        let (mut flows, mut options_records, mut replayed) = (Vec::new(), 0, Vec::new());
        let mut later = Vec::new();
        let mut deliver = |definition: &Definition, body: &[u8]| match definition.scope_count {
            0 => flows.extend(walk(definition, body)),
            _ => options_records += walk(definition, body).len(),
        };
        for set in &sent.sets {
            match set {
                SentSet::Definitions(definitions) => {
                    for definition in definitions {
                        let key = (domain, definition.id);
                        if self.templates.insert(key, definition.clone()).as_ref() != Some(definition) {
                            self.restored.remove(&key);
                        }
                        for (_, body) in self.waiting.extract_if(.., |(waiting, _)| *waiting == key) {
                            replayed.extend(walk(definition, &body));
                        }
                    }
                }
                // RFC 7011 section 8.4: over UDP they are ignored.
                SentSet::Withdrawal(id) => {
                    if is_stream {
                        self.templates.remove(&(domain, *id));
                        self.restored.remove(&(domain, *id));
                    }
                }
                SentSet::Data(id, body) => match self.templates.get(&(domain, *id)) {
                    Some(definition) => {
                        self.coverage.restored += usize::from(self.restored.contains(&(domain, *id)));
                        deliver(definition, body);
                    }
                    None => later.push((id, body)),
                },
            }
        }
        for (id, body) in later {
            match self.templates.get(&(domain, *id)) {
                Some(definition) => deliver(definition, body),
                None => self.waiting.push(((domain, *id), body.clone())),
            }
        }
        (flows, options_records, replayed)
    }
}

fn rows(set: &flow_state::DataSet<'_>) -> Vec<Row> {
    let id = set.template().id();
    set.records().map(|record| (id, record.fields().map(|field| field.bytes.to_vec()).collect())).collect()
}

/// Cuts a body into records, field by field, until one does not fit.
fn walk(definition: &Definition, body: &[u8]) -> Vec<Row> {
    let mut records = Vec::new();
    let mut rest = body;
    while let Some((fields, after)) = walk_record(definition, rest) {
        records.push((definition.id, fields));
        rest = after;
    }
    records
}

fn walk_record<'a>(definition: &Definition, mut rest: &'a [u8]) -> Option<(Vec<Vec<u8>>, &'a [u8])> {
    let mut fields = Vec::new();
    for field in &definition.fields {
        let mut len = usize::from(field.length);
        if field.length == VARIABLE_LENGTH {
            len = rest.split_off_first().copied()?.into();
            if len == 255 {
                len = u16::from_be_bytes([*rest.split_off_first()?, *rest.split_off_first()?]).into();
            }
        }
        fields.push(rest.split_off(..len)?.to_vec());
    }
    Some((fields, rest))
}
