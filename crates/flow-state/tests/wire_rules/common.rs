//! A collector, and datagrams for it.

use std::net::SocketAddr;

use flow_state::{
    Datagram, DecodeErrorKind, Decoded, FlowRecord, SequenceStatus, State, StateConfig, StateEvent, Timestamp,
    TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, Padding, TemplateDefinition, header};
use hex_literal::hex;

/// When every Message here left its exporter, Unix seconds.
pub(crate) const EXPORT: u64 = 1_700_000_000;
/// Template 256: octetDeltaCount in four bytes.
pub(crate) const OCTETS: [u8; 8] = hex!("0100 0001 0001 0004");
/// The versions that have Templates.
pub(crate) const TEMPLATED: [Version; 2] = [Version::V9, Version::Ipfix];

/// A state, and what came last out of it.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) state: State,
    pub(crate) decoded: Decoded,
    pub(crate) now: Timestamp,
}

/// What became of one datagram.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Octets of its flows, where they tell them, behind those of Sets that had waited.
    pub(crate) octets: Vec<u64>,
    pub(crate) options_records: u32,
    /// Offsets and kinds.
    pub(crate) issues: Vec<(usize, DecodeErrorKind)>,
    pub(crate) events: Vec<StateEvent>,
    /// Of the first Message.
    pub(crate) sequence: Option<SequenceStatus>,
}

impl Collector {
    pub(crate) fn new() -> Self {
        Self::with(StateConfig::default())
    }

    pub(crate) fn with(config: StateConfig) -> Self {
        Self { state: State::new(config), decoded: Decoded::default(), now: Timestamp::from_unix_seconds(EXPORT + 1) }
    }

    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Outcome {
        self.receive_from("192.0.2.1:50000", bytes)
    }

    pub(crate) fn receive_from(&mut self, exporter: &str, bytes: &[u8]) -> Outcome {
        let collector: SocketAddr = "192.0.2.200:2055".parse().unwrap();
        let session = TransportSession::new(exporter.parse().unwrap(), collector);
        self.state.decode(&Datagram::new(session, self.now, bytes), &mut self.decoded);
        let decoded = &self.decoded;
        assert_eq!(decoded.accounting().total(), bytes.len() as u64, "each byte has one fate");
        let sets = decoded.replayed_sets().chain(decoded.data_sets(bytes));
        Outcome {
            octets: sets.flat_map(|set| set.flows()).filter_map(|flow| flow.octets()).collect(),
            options_records: decoded.messages().iter().map(|message| message.options_records).sum(),
            issues: decoded.issues().first().iter().map(|issue| (issue.offset, issue.kind)).collect(),
            events: decoded.events().to_vec(),
            sequence: decoded.messages().first().map(|message| message.sequence),
        }
    }
}

/// What a collector that knows nothing makes of a datagram.
pub(crate) fn receive(datagram: &[u8]) -> Outcome {
    Collector::new().receive(datagram)
}

/// Offset of the first Set.
pub(crate) const fn body(version: Version) -> usize {
    version.header_len()
}

/// A Message of Observation Domain 7 with these Sets. The count of v9 is that of the Sets.
pub(crate) fn message(version: Version, sets: &[&[u8]]) -> Vec<u8> {
    message_of(version, 7, 0, sets)
}

pub(crate) fn message_of(version: Version, domain: u32, sequence: u32, sets: &[&[u8]]) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(version, Timestamp::from_unix_seconds(EXPORT), sequence, domain));
    let mut bytes = [&[writer.finish().unwrap()], sets].concat().concat();
    let length_or_count = if version == Version::Ipfix { bytes.len() } else { sets.len() };
    bytes[2..4].copy_from_slice(&u16::try_from(length_or_count).unwrap().to_be_bytes());
    bytes
}

/// A Set of this ID.
pub(crate) fn set(id: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len() + 4).unwrap();
    [&id.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

/// A Set of Template Records.
pub(crate) fn templates(version: Version, records: &[u8]) -> Vec<u8> {
    set(if version == Version::V9 { 0 } else { 2 }, records)
}

/// A Set of Options Template Records.
pub(crate) fn options_templates(version: Version, records: &[u8]) -> Vec<u8> {
    set(if version == Version::V9 { 1 } else { 3 }, records)
}

/// One record of elements with their enterprise numbers and values, behind its Template.
pub(crate) fn record(version: Version, fields: &[(u32, u16, &[u8])]) -> Vec<u8> {
    let specifiers: Vec<_> = fields
        .iter()
        .map(|&(enterprise_number, id, value)| FieldSpecifier { enterprise_number, id, length: value.len() as u16 })
        .collect();
    let mut writer = MessageWriter::new().with_padding(Padding::None);
    writer.begin(&header(version, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &specifiers)]).data_set(256);
    let mut record = writer.record();
    for (_, _, value) in fields {
        record.bytes(value);
    }
    writer.finish().unwrap().to_vec()
}

/// Hands each flow of a datagram to `check`; there must be one.
pub(crate) fn with_flows(datagram: &[u8], check: impl FnMut(&FlowRecord<'_>)) {
    let mut collector = Collector::new();
    assert_eq!(collector.receive(datagram).issues, []);
    let flows: Vec<_> = collector.decoded.data_sets(datagram).flat_map(|set| set.flows()).collect();
    assert!(!flows.is_empty());
    flows.iter().for_each(check);
}
