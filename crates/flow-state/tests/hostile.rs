//! Streams that are meant to break a collector: it keeps its budgets, and who was there before keeps its Templates.
//!
//! Streams of the project's own always; where `NETFLOW_CAPTURES` names a folder, those in its `fuzz` too.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::time::Duration;

use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession, Version};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use testkit::corpus;

const START: Timestamp = Timestamp::from_unix_seconds(1_750_000_000);
const COLLECTOR: ([u8; 4], u16) = ([198, 51, 100, 10], 2055);
const OCTETS: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 1, length: 4 };

/// Exporters that have defined a Template before the stream, and only send data during it.
const BYSTANDERS: [(&str, Version); 4] = [
    ("203.0.113.1:9995", Version::V9),
    ("203.0.113.2:4739", Version::Ipfix),
    ("[2001:db8::1]:9995", Version::V9),
    ("[2001:db8::2]:4739", Version::Ipfix),
];

/// What a stream came to.
#[derive(Debug, Default)]
struct Totals {
    datagrams: u64,
    records: u64,
    /// Bytes of Sets that were to wait.
    pending: u64,
    /// Bytes of those that came out again.
    replayed: u64,
    most_memory: usize,
    most_pending_memory: usize,
}

struct Collector {
    config: StateConfig,
    state: State,
    decoded: Decoded,
    totals: Totals,
}

impl Collector {
    fn new(config: StateConfig) -> Self {
        let state = State::new(config.clone());
        Self { config, state, decoded: Decoded::default(), totals: Totals::default() }
    }

    /// Decodes a datagram; asserts what must hold behind any.
    fn receive(&mut self, source: SocketAddr, at: Timestamp, bytes: &[u8]) {
        let session = TransportSession::new(source, COLLECTOR.into());
        self.state.decode(&Datagram::new(session, at, bytes), &mut self.decoded);
        let (decoded, totals) = (&self.decoded, &mut self.totals);
        assert_eq!(decoded.accounting().total(), bytes.len() as u64, "each byte has one fate");
        let records: u64 = decoded.messages().iter().map(|m| u64::from(m.data_records + m.options_records)).sum();
        assert!(records <= bytes.len() as u64, "{records} records of {} bytes", bytes.len());
        totals.datagrams += 1;
        totals.records += records;
        totals.pending += decoded.accounting().pending;
        totals.replayed += decoded.replayed_accounting().total();
        totals.most_memory = totals.most_memory.max(self.state.memory());
        totals.most_pending_memory = totals.most_pending_memory.max(self.state.pending_memory());
        assert!(self.state.memory() <= self.config.memory, "{totals:?}");
        assert!(self.state.pending_memory() <= self.config.pending_memory, "{totals:?}");
    }

    /// A Template, then data alone.
    fn bystanders(&mut self, sequence: u32, at: Timestamp) {
        for (source, version) in BYSTANDERS {
            let mut writer = MessageWriter::new();
            writer.begin(&header(version, at, sequence, 7));
            if sequence == 0 {
                writer.template_set(&[TemplateDefinition::new(256, &[OCTETS])]);
            }
            writer.data_set(256).record().unsigned(4, u64::from(sequence) + 1);
            let bytes = writer.finish().unwrap();
            self.receive(source.parse().unwrap(), at, bytes);
            let flows: Vec<_> = self.decoded.data_sets(bytes).flat_map(|set| set.flows()).collect();
            let octets: Vec<_> = flows.iter().map(|flow| flow.octets()).collect();
            assert_eq!(octets, [Some(u64::from(sequence) + 1)], "{source} after {:?}", self.totals);
        }
    }

    /// A stream of 200 datagrams a second, among which the bystanders send theirs.
    fn stream<'a>(&mut self, datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>) {
        let mut at = START;
        self.bystanders(0, at);
        for (index, (source, bytes)) in datagrams.enumerate() {
            at = at + Duration::from_millis(5);
            self.receive(source, at, bytes);
            if index % 100 == 99 {
                self.bystanders(1 + (index / 100) as u32, at);
            }
        }
        let stats = self.state.pending_stats(at);
        let fates = stats.bytes + stats.dropped_bytes + self.totals.replayed;
        assert_eq!(fates, self.totals.pending, "what waited waits, was dropped, or came out");
    }
}

/// The budgets of a collector as it is, and some that are soon used up.
fn budgets() -> [StateConfig; 2] {
    let mut small = StateConfig::default();
    small.memory = 1 << 20;
    small.pending_memory = 64 << 10;
    small.pending_memory_per_exporter = 8 << 10;
    [StateConfig::default(), small]
}

/// 40 Templates of 20 fields a datagram, for 16 Observation Domains in turn.
fn template_flood() -> Vec<Vec<u8>> {
    let fields: Vec<_> = (1..=20).map(|id| FieldSpecifier { id, ..OCTETS }).collect();
    let datagram = |index: u32| {
        let first = 256 + (index / 16) as u16 * 40;
        let templates: Vec<_> = (first..first + 40).map(|id| TemplateDefinition::new(id, &fields)).collect();
        let mut writer = MessageWriter::new();
        writer.begin(&header(Version::V9, START, index / 16, index % 16));
        writer.template_set(&templates).finish().unwrap().to_vec()
    };
    (0..400).map(datagram).collect()
}

/// Data Sets of 1,000 bytes that nobody ever defines.
fn orphan_flood() -> Vec<Vec<u8>> {
    let datagram = |index: u32| {
        let mut writer = MessageWriter::new();
        writer.begin(&header(Version::Ipfix, START, index, index % 3)).data_set(256 + (index % 50) as u16);
        writer.record().bytes(&[1; 1000]);
        writer.finish().unwrap().to_vec()
    };
    (0..2000).map(datagram).collect()
}

#[test]
fn a_flood_of_templates_leaves_those_of_other_exporters_alone() {
    for config in budgets() {
        let mut collector = Collector::new(config.clone());
        let flood = template_flood();
        collector.stream(flood.iter().map(|bytes| (([192, 0, 2, 10], 2055).into(), &bytes[..])));
        if config.memory < 2 << 20 {
            assert!(collector.state.template_count() < 40 * flood.len(), "they cannot all be kept");
            assert!(collector.state.memory() <= config.memory / 4 + (16 << 10), "one address has a quarter");
        }
    }
}

#[test]
fn a_flood_of_data_without_templates_stays_in_its_budget() {
    for config in budgets() {
        let mut collector = Collector::new(config.clone());
        let flood = orphan_flood();
        let source = |index: usize| ([192, 0, 2, (index % 200) as u8], 2055).into();
        collector.stream(flood.iter().enumerate().map(|(index, bytes)| (source(index), &bytes[..])));
        let totals = &collector.totals;
        assert!(totals.pending > 0 && totals.replayed == 0, "{totals:?}");
        assert!(totals.most_memory < 16 << 10, "senders of nothing that was understood cost nothing: {totals:?}");
    }
}

#[test]
fn hostile_streams_stay_in_their_budgets() {
    for path in corpus::more().iter().flat_map(|folder| corpus::streams_in(&folder.join("fuzz"))) {
        let datagrams = corpus::datagrams(&path);
        for config in budgets() {
            let mut collector = Collector::new(config);
            collector.stream(datagrams.iter().map(|datagram| (datagram.source, &datagram.payload[..])));
            let totals = &collector.totals;
            assert!(totals.datagrams > datagrams.len() as u64, "{}: {totals:?}", path.display());
        }
    }
}
