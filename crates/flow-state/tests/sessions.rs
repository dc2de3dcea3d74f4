//! What is remembered between datagrams: Templates, waiting Sets, budgets.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use flow_state::{
    Datagram, DecodeErrorKind as Kind, Decoded, SequenceStatus, State, StateConfig, StateEvent, TemplateScope,
    Timestamp, Transport, TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

const OCTETS: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 1, length: 4 };
const PACKETS: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 2, length: 4 };
const START: u64 = 1_700_000_000;

/// A state and what came last out of it.
struct Collector {
    state: State,
    decoded: Decoded,
    now: Timestamp,
    transport: Transport,
}

impl Collector {
    fn new(config: StateConfig) -> Self {
        let now = Timestamp::from_unix_seconds(START);
        Self { state: State::new(config), decoded: Decoded::default(), now, transport: Transport::Udp }
    }

    /// Octets of the flows that came out: replayed ones, then those of the datagram.
    fn receive(&mut self, from: &str, tag: u128, bytes: &[u8]) -> (Vec<u64>, Vec<u64>) {
        let collector = COLLECTOR.parse().unwrap();
        let session = TransportSession::new(from.parse().unwrap(), collector).with_transport(self.transport);
        self.state.decode(&Datagram::new(session, self.now, bytes).with_tag(tag), &mut self.decoded);
        assert_eq!(self.decoded.accounting().total(), bytes.len() as u64);
        let octets = |sets: Vec<flow_state::DataSet<'_>>| {
            sets.iter().flat_map(flow_state::DataSet::flows).map(|flow| flow.octets().unwrap_or(u64::MAX)).collect()
        };
        (octets(self.decoded.replayed_sets().collect()), octets(self.decoded.data_sets(bytes).collect()))
    }

    fn issues(&self) -> Vec<Kind> {
        self.decoded.issues().first().iter().map(|issue| issue.kind).collect()
    }
}

fn template(version: Version, sequence: u32, domain: u32, id: u16, fields: &[FieldSpecifier]) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(version, Timestamp::from_unix_seconds(START), sequence, domain));
    writer.template_set(&[TemplateDefinition::new(id, fields)]).finish().unwrap().to_vec()
}

/// One record of two 4-byte fields.
fn data(version: Version, sequence: u32, domain: u32, id: u16, values: [u32; 2]) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(version, Timestamp::from_unix_seconds(START), sequence, domain)).data_set(id);
    writer.record().unsigned(4, values[0].into()).unsigned(4, values[1].into());
    writer.finish().unwrap().to_vec()
}

const COLLECTOR: &str = "192.0.2.200:2055";
const A: &str = "192.0.2.1:50000";
const A_OTHER_PORT: &str = "192.0.2.1:50001";
const B: &str = "192.0.2.2:50000";

#[test]
fn data_before_its_template_waits_for_it() {
    let mut collector = Collector::new(StateConfig::default());
    for (sequence, octets) in [(0, 10), (1, 11)] {
        let datagram = data(Version::V9, sequence, 7, 256, [octets, 1]);
        assert_eq!(collector.receive(A, sequence.into(), &datagram), (vec![], vec![]));
        assert_eq!(collector.issues(), [Kind::TemplateUnknown(256)]);
        assert_eq!(collector.decoded.accounting().pending, 12);
    }
    assert!(collector.state.pending_memory() > 0);
    collector.now = collector.now + Duration::from_secs(30);
    let (replayed, _) = collector.receive(A, 2, &template(Version::V9, 2, 7, 256, &[OCTETS, PACKETS]));
    assert_eq!(replayed, [10, 11]);
    let waited: Vec<_> = collector.decoded.replayed_sets().map(|set| set.context().clone()).collect();
    assert_eq!(waited.iter().map(|context| context.tag).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(waited[0].received_at, Timestamp::from_unix_seconds(START), "the time of receipt is kept");
    assert_eq!(collector.state.pending_memory(), 0);
    // A refresh replays nothing again.
    assert_eq!(collector.receive(A, 3, &template(Version::V9, 3, 7, 256, &[OCTETS, PACKETS])).0, []);
}

#[test]
fn data_waits_no_longer_than_its_time() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &data(Version::V9, 0, 7, 256, [10, 1]));
    collector.now = collector.now + Duration::from_secs(61);
    assert_eq!(collector.receive(A, 1, &template(Version::V9, 1, 7, 256, &[OCTETS, PACKETS])).0, []);
    assert_eq!(collector.state.pending_memory(), 0);
}

#[test]
fn waiting_data_of_one_exporter_leaves_room_for_the_others() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(B, 0, &data(Version::V9, 0, 7, 256, [42, 1]));
    let big = [&data(Version::V9, 0, 7, 300, [0, 0])[..20], &[1, 44, 0xff, 0], &vec![1; 0xff00 - 4]].concat();
    for sequence in 0..1000 {
        collector.receive(A, sequence, &big);
    }
    assert!(
        collector.decoded.accounting().skipped[Kind::TemplateUnknown(0).index()] > 0,
        "what did not fit is counted"
    );
    assert!(collector.state.pending_memory() < 128 << 10);
    assert_eq!(collector.receive(B, 1, &template(Version::V9, 1, 7, 256, &[OCTETS, PACKETS])).0, [42]);
}

#[test]
fn a_template_later_in_the_same_message_serves_too() {
    let mut datagram = data(Version::V9, 0, 7, 256, [10, 1]);
    datagram.extend(&template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS])[20..]);
    let mut collector = Collector::new(StateConfig::default());
    assert_eq!(collector.receive(A, 0, &datagram), (vec![], vec![10]));
    assert_eq!(collector.issues(), []);
}

/// RFC 7011 section 8.1 and RFC 3954 section 9: an ID stands for what it was last defined as.
#[test]
fn a_redefinition_holds_from_its_place_on() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    assert_eq!(collector.decoded.events(), [StateEvent::TemplateAdded(256)]);
    let mut datagram = data(Version::V9, 1, 7, 256, [10, 1]);
    datagram.extend(&template(Version::V9, 1, 7, 256, &[PACKETS, OCTETS])[20..]);
    datagram.extend(&data(Version::V9, 1, 7, 256, [10, 1])[20..]);
    assert_eq!(collector.receive(A, 1, &datagram).1, [10, 1]);
    assert_eq!(collector.decoded.events(), [StateEvent::TemplateChanged(256)]);
}

#[test]
fn templates_of_one_exporter_or_domain_are_not_those_of_another() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(B, 0, &template(Version::V9, 0, 7, 256, &[PACKETS, OCTETS]));
    let datagram = data(Version::V9, 1, 7, 256, [10, 20]);
    assert_eq!(collector.receive(A, 1, &datagram).1, [10]);
    assert_eq!(collector.receive(B, 1, &datagram).1, [20]);
    collector.receive(A, 2, &data(Version::V9, 0, 8, 256, [10, 20]));
    assert_eq!(collector.issues(), [Kind::TemplateUnknown(256)]);
}

/// RFC 7011 section 8: a Transport Session; RFC 3954 section 5.1: exporter and Source ID; by option: the address.
#[test]
fn ports_matter_to_ipfix_only_and_not_by_address() {
    for (version, scope, same) in [
        (Version::Ipfix, TemplateScope::Session, false),
        (Version::V9, TemplateScope::Session, true),
        (Version::Ipfix, TemplateScope::Address, true),
    ] {
        let mut config = StateConfig::default();
        config.template_scope = scope;
        let mut collector = Collector::new(config);
        collector.receive(A, 0, &template(version, 0, 7, 256, &[OCTETS, PACKETS]));
        let found = collector.receive(A_OTHER_PORT, 1, &data(version, 0, 7, 256, [10, 1])).1;
        assert_eq!(found.len() == 1, same, "{version:?} by {scope:?}");
    }
}

/// A Message with Template Records as given, in a Template Set or an Options Template Set.
fn template_records(set_id: u16, records: &[&[u16]]) -> Vec<u8> {
    let words: Vec<u16> = records.concat();
    let mut datagram = data(Version::Ipfix, 0, 7, 256, [0, 0])[..16].to_vec();
    datagram.extend([set_id, 4 + 2 * words.len() as u16].map(u16::to_be_bytes).concat());
    datagram.extend(words.iter().flat_map(|word| word.to_be_bytes()));
    let len = datagram.len() as u16;
    datagram[2..4].copy_from_slice(&len.to_be_bytes());
    datagram
}

const WITHDRAWN: StateEvent = StateEvent::TemplateWithdrawn(256);

/// Template 256 and Options Template 300, then these Template Records; which of the two are left.
fn after_withdrawal(collector: &mut Collector, set_id: u16, records: &[&[u16]]) -> [bool; 2] {
    collector.receive(A, 0, &template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(A, 0, &template_records(3, &[&[300, 2, 1, 149, 4, 34, 4]]));
    assert_eq!(collector.state.template_count(), 2);
    collector.receive(A, 0, &template_records(set_id, records));
    let known = |id| {
        let mut after = Decoded::default();
        let bytes = data(Version::Ipfix, 0, 7, id, [1, 1]);
        let session = TransportSession::new(A.parse().unwrap(), COLLECTOR.parse().unwrap());
        let session = session.with_transport(collector.transport);
        collector.state.decode(&Datagram::new(session, collector.now, &bytes), &mut after);
        after.issues().is_empty()
    };
    [known(256), known(300)]
}

/// RFC 7011 section 8.4: withdrawals "MUST be ignored by Collecting Processes collecting via UDP".
#[test]
fn withdrawals_over_udp_are_ignored_and_counted() {
    for (set_id, id) in [(2, 256), (2, 2), (3, 300), (3, 3)] {
        let mut collector = Collector::new(StateConfig::default());
        assert_eq!(after_withdrawal(&mut collector, set_id, &[&[id, 0]]), [true, true]);
        assert_eq!(collector.issues(), [Kind::WithdrawalIgnored(id)]);
        assert_eq!((collector.decoded.events(), collector.state.template_count()), (&[][..], 2));
    }
}

/// RFC 7011 section 8.1: one Template, all Templates (ID 2), all Options Templates (ID 3), beside new definitions.
#[test]
fn withdrawals_are_obeyed_over_tcp_and_by_option() {
    for transport in [Transport::Tcp, Transport::Udp] {
        let mut config = StateConfig::default();
        config.obey_udp_withdrawals = transport == Transport::Udp;
        for (set_id, records, left, events) in [
            (2, &[&[256, 0][..]][..], [false, true], &[WITHDRAWN][..]),
            (3, &[&[300, 0]], [true, false], &[StateEvent::TemplateWithdrawn(300)]),
            (2, &[&[2, 0]], [false, true], &[StateEvent::TemplateWithdrawn(2)]),
            (3, &[&[3, 0]], [true, false], &[StateEvent::TemplateWithdrawn(3)]),
            (2, &[&[999, 0]], [true, true], &[]),
            (2, &[&[256, 0], &[257, 1, 1, 4]], [false, true], &[WITHDRAWN, StateEvent::TemplateAdded(257)]),
            (2, &[&[256, 0], &[256, 2, 2, 4, 1, 4]], [true, true], &[WITHDRAWN, StateEvent::TemplateAdded(256)]),
        ] {
            let mut collector = Collector::new(config.clone());
            collector.transport = transport;
            assert_eq!(after_withdrawal(&mut collector, set_id, records), left, "{records:?}");
            assert_eq!((collector.decoded.events(), collector.issues()), (events, vec![]), "{records:?}");
        }
    }
}

/// A withdrawal gives back what the Template had.
#[test]
fn what_is_withdrawn_costs_nothing() {
    let mut collector = Collector::new(StateConfig::default());
    collector.transport = Transport::Tcp;
    collector.receive(A, 0, &template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]));
    let memory = collector.state.memory();
    for id in 257..=400 {
        collector.receive(A, 0, &template(Version::Ipfix, 0, 7, id, &[OCTETS, PACKETS]));
        collector.receive(A, 0, &data(Version::Ipfix, 0, 7, id, [1, 1]));
    }
    assert!(collector.state.memory() > memory);
    collector.receive(A, 0, &template_records(2, &[&[2, 0], &[256, 2, 1, 4, 2, 4]]));
    assert_eq!((collector.state.memory(), collector.state.template_count()), (memory, 1));
}

/// An exporter that sends its Templates from one port and its data from another is told of, unless the address is the
/// scope, which is the way to decode it.
#[test]
fn an_exporter_that_floats_over_ports_is_told_of() {
    let floats = |config: StateConfig, version, from, domain, id| {
        let mut collector = Collector::new(config);
        collector.receive(A, 0, &template(version, 0, 7, 256, &[OCTETS, PACKETS]));
        collector.receive(from, 1, &data(version, 0, domain, id, [10, 1]));
        collector.decoded.events() == [StateEvent::TemplateElsewhere(id)]
    };
    let mut by_address = StateConfig::default();
    by_address.template_scope = TemplateScope::Address;
    assert!(floats(StateConfig::default(), Version::Ipfix, A_OTHER_PORT, 7, 256));
    assert!(!floats(by_address, Version::Ipfix, A_OTHER_PORT, 7, 256));
    assert!(!floats(StateConfig::default(), Version::V9, A_OTHER_PORT, 7, 256), "ports are nothing to v9");
    assert!(!floats(StateConfig::default(), Version::Ipfix, A_OTHER_PORT, 8, 256), "another domain");
    assert!(!floats(StateConfig::default(), Version::Ipfix, A_OTHER_PORT, 7, 257), "a Template that nobody sent");
    assert!(!floats(StateConfig::default(), Version::Ipfix, B, 7, 256), "another exporter");
    assert!(!floats(StateConfig::default(), Version::Ipfix, A, 7, 257), "the same port");
}

/// Two processes of one exporter, each with Templates of its own, are no such exporter.
#[test]
fn a_port_with_templates_of_its_own_does_not_float() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(A_OTHER_PORT, 1, &template(Version::Ipfix, 0, 7, 257, &[OCTETS, PACKETS]));
    collector.receive(A_OTHER_PORT, 2, &data(Version::Ipfix, 0, 7, 256, [10, 1]));
    assert_eq!((collector.decoded.events(), collector.issues()), (&[][..], vec![Kind::TemplateUnknown(256)]));
}

/// Templates of before a restart decode until they are defined anew; data that waited does not take the old ones.
#[test]
fn templates_outlive_a_restart_until_they_are_replaced() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &template(Version::V9, 500, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(A, 0, &data(Version::V9, 501, 7, 256, [10, 1]));
    assert!(!collector.decoded.events().contains(&StateEvent::ExporterRestarted));
    // Numbers and uptime from before say a restart; export times that are seconds later make it one.
    let mut restarted = data(Version::V9, 0, 7, 256, [11, 1]);
    restarted[8..12].copy_from_slice(&(START as u32 + 60).to_be_bytes());
    assert_eq!(collector.receive(A, 0, &restarted).1, [11]);
    assert_eq!(collector.decoded.events(), [StateEvent::ExporterRestarted]);
    let mut refresh = template(Version::V9, 1, 7, 256, &[PACKETS, OCTETS]);
    refresh[8..12].copy_from_slice(&(START as u32 + 60).to_be_bytes());
    collector.receive(A, 0, &refresh);
    assert_eq!(collector.decoded.events(), [StateEvent::TemplateChanged(256)]);
    assert_eq!(collector.receive(A, 0, &data(Version::V9, 2, 7, 256, [1, 12])).1, [12]);
}

#[test]
fn a_flood_of_templates_stays_in_its_budget_and_spares_the_others() {
    let mut config = StateConfig::default();
    config.memory = 256 << 10;
    let budget = config.memory;
    let mut collector = Collector::new(config);
    collector.receive(B, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    let mut refused = 0;
    for id in 256..4000 {
        collector.receive(A, 0, &template(Version::V9, 0, 7, id, &[OCTETS, PACKETS]));
        refused += collector.issues().iter().filter(|kind| **kind == Kind::BudgetExceeded).count();
        assert!(collector.state.memory() <= budget);
    }
    assert!(refused > 0);
    assert!(collector.state.memory() <= budget / 4 + 4096, "one address has a quarter");
    assert_eq!(collector.receive(B, 1, &data(Version::V9, 1, 7, 256, [10, 1])).1, [10]);
    // Another domain of the same address makes room for itself.
    collector.receive(A, 0, &template(Version::V9, 0, 99, 256, &[OCTETS, PACKETS]));
    assert_eq!((collector.issues(), collector.state.template_count(), collector.state.evictions()), (vec![], 2, 1));
}

#[test]
fn sequence_gaps_are_told_with_the_message() {
    let mut collector = Collector::new(StateConfig::default());
    collector.receive(A, 0, &template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(A, 1, &data(Version::Ipfix, 0, 7, 256, [10, 1]));
    assert_eq!(collector.decoded.messages()[0].sequence, SequenceStatus::InOrder);
    collector.receive(A, 2, &data(Version::Ipfix, 6, 7, 256, [10, 1]));
    assert_eq!(collector.decoded.messages()[0].sequence, SequenceStatus::Gap(5));
}

/// Some relays put several IPFIX Messages into one datagram.
#[test]
fn several_messages_share_a_datagram() {
    let mut datagram = template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]);
    datagram.extend(data(Version::Ipfix, 0, 7, 256, [10, 1]));
    datagram.extend([0xff; 3]);
    let mut collector = Collector::new(StateConfig::default());
    assert_eq!(collector.receive(A, 0, &datagram).1, [10]);
    assert_eq!(collector.decoded.messages().len(), 2);
    assert_eq!(collector.issues(), [Kind::TrailingBytes(3)]);
}

/// RFC 7011 section 8.1: an ID stands for what it was last defined as; where that was refused, for nothing.
#[test]
fn a_refused_redefinition_ends_the_template_before() {
    let many = vec![OCTETS; 3000];
    let empty = [FieldSpecifier { length: 0, ..OCTETS }];
    let mostly_empty = [vec![empty[0]; 2000], vec![OCTETS]].concat();
    let long = [FieldSpecifier { length: 65_000, ..OCTETS }, FieldSpecifier { length: 65_000, ..OCTETS }];
    for (fields, kind) in [
        (&many[..], Kind::TemplateTooManyFields(3000)),
        (&empty[..], Kind::TemplateRecordLength(256)),
        (&mostly_empty[..], Kind::TemplateRecordLength(256)),
        (&long[..], Kind::TemplateRecordLength(256)),
        (&[][..], Kind::TemplateEmpty(256)),
    ] {
        let mut collector = Collector::new(StateConfig::default());
        collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
        let memory = collector.state.memory();
        assert_eq!(collector.decoded.messages()[0].templates, 1);
        // The Message Header of any; behind it another Template, so that one without fields is no padding.
        let mut refused = data(Version::V9, 1, 7, 256, [0, 0]);
        refused.truncate(20);
        refused
            .extend([0_u16, (fields.len() * 4 + 16) as u16, 256, fields.len() as u16].map(u16::to_be_bytes).concat());
        fields.iter().for_each(|field| refused.extend([field.id, field.length].map(u16::to_be_bytes).concat()));
        refused.extend([257_u16, 1, 1, 4].map(u16::to_be_bytes).concat());
        collector.receive(A, 1, &refused);
        assert_eq!(collector.issues(), [kind]);
        assert!(collector.decoded.events().contains(&StateEvent::TemplateRemoved(256)), "{kind}");
        assert_eq!(collector.decoded.messages()[0].templates, 1, "{kind}: what was understood is counted");
        assert!(collector.state.memory() <= memory, "{kind}");
        assert_eq!(collector.receive(A, 2, &data(Version::V9, 2, 7, 256, [10, 1])).1, [], "{kind}");
        assert_eq!(collector.issues(), [Kind::TemplateUnknown(256)]);
        // It waits for a definition that holds.
        assert_eq!(collector.receive(A, 3, &template(Version::V9, 3, 7, 256, &[PACKETS, OCTETS])).0, [1]);
    }
}

#[test]
fn a_redefinition_over_budget_ends_the_template_before() {
    let mut config = StateConfig::default();
    config.memory = 16 << 10;
    let mut collector = Collector::new(config);
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    collector.receive(A, 1, &template(Version::V9, 1, 7, 256, &vec![OCTETS; 1000]));
    assert_eq!(collector.issues(), [Kind::BudgetExceeded]);
    assert_eq!(collector.decoded.events(), [StateEvent::TemplateRemoved(256)]);
    assert_eq!(collector.state.template_count(), 0);
}

/// Two processes behind one address may send under one Source ID: they share Templates, not numbers.
#[test]
fn each_source_port_has_sequence_numbers_of_its_own() {
    let both = [(A, 100), (A_OTHER_PORT, 5000)];
    for (scope, expected) in [
        (TemplateScope::Session, [SequenceStatus::Unknown, SequenceStatus::Unknown, SequenceStatus::InOrder]),
        (TemplateScope::Address, [SequenceStatus::Unknown, SequenceStatus::Gap(4899), SequenceStatus::Late]),
    ] {
        let mut config = StateConfig::default();
        config.template_scope = scope;
        let mut collector = Collector::new(config);
        let mut seen = Vec::new();
        for turn in 0..4 {
            for (from, first) in both {
                collector.receive(from, 0, &template(Version::V9, first + turn, 7, 256, &[OCTETS, PACKETS]));
                seen.push(collector.decoded.messages()[0].sequence);
            }
        }
        assert_eq!(seen[..3], expected, "{scope:?}");
        if scope == TemplateScope::Session {
            assert_eq!(seen[3..], [SequenceStatus::InOrder; 5]);
        }
        assert_eq!((collector.state.domain_count(), collector.state.template_count()), (1, 1));
    }
}

/// A header is quickly made up; it costs no memory.
#[test]
fn mere_headers_are_not_remembered() {
    let mut collector = Collector::new(StateConfig::default());
    let mere_header = &data(Version::V9, 0, 7, 256, [0, 0])[..20];
    collector.receive(A, 0, mere_header);
    collector.receive(A, 0, &data(Version::V9, 0, 7, 256, [10, 1]));
    let refused = [FieldSpecifier { length: 65_000, ..OCTETS }; 2];
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &refused));
    assert_eq!((collector.state.memory(), collector.state.domain_count(), collector.state.exporter_count()), (0, 0, 0));
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    assert_eq!((collector.state.domain_count(), collector.state.exporter_count()), (1, 1));
}

#[test]
fn senders_that_come_once_make_room_for_others_but_those_that_stay_do_not() {
    let mut config = StateConfig::default();
    config.memory = 256 << 10;
    let mut collector = Collector::new(config);
    collector.receive(B, 0, &template(Version::V9, 0, 7, 256, &[OCTETS, PACKETS]));
    for sequence in 1..3 {
        collector.now = Timestamp::from_unix_seconds(START - 3 + u64::from(sequence));
        collector.receive(B, 0, &data(Version::V9, sequence, 7, 256, [10, 1]));
    }
    let mut refused = 0;
    for sender in 0..4000_u32 {
        // A hundred a second, each with its own address.
        collector.now = Timestamp::from_unix_millis(START * 1000 + u64::from(sender) * 10);
        let [.., high, low] = sender.to_be_bytes();
        collector.receive(&format!("198.18.{high}.{low}:9"), 0, &template(Version::V9, 0, 7, 256, &[OCTETS]));
        if collector.issues() == [Kind::BudgetExceeded] {
            refused += 1;
        }
    }
    assert_eq!(refused, 0);
    assert!(collector.state.exporter_count() > 50);
    assert_eq!(collector.receive(B, 1, &data(Version::V9, 3, 7, 256, [10, 1])).1, [10]);
}

/// Relays join Messages; but one datagram, which is easily spoofed, proves no more than once.
#[test]
fn a_sender_of_one_datagram_makes_room_however_many_messages_it_holds() {
    let mut config = StateConfig::default();
    config.memory = 256 << 10;
    let mut collector = Collector::new(config);
    let mut joined = template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]);
    (0..20).for_each(|sequence| joined.extend(data(Version::Ipfix, sequence, 7, 256, [10, 1])));
    assert_eq!(collector.receive(B, 0, &joined).1.len(), 20);
    for sender in 0..4000_u32 {
        collector.now = Timestamp::from_unix_millis(START * 1000 + u64::from(sender) * 10);
        let [.., high, low] = sender.to_be_bytes();
        collector.receive(&format!("198.18.{high}.{low}:9"), 0, &template(Version::V9, 0, 7, 256, &[OCTETS]));
    }
    assert!(collector.receive(B, 0, &data(Version::Ipfix, 20, 7, 256, [10, 1])).1.is_empty());
}

/// Where nobody can be dropped, the datagram says so.
#[test]
fn a_sender_that_finds_no_room_is_told_of() {
    let mut config = StateConfig::default();
    config.memory = 1 << 10;
    let mut collector = Collector::new(config);
    collector.receive(A, 0, &template(Version::V9, 0, 7, 256, &[OCTETS]));
    assert_eq!(collector.issues(), [Kind::BudgetExceeded]);
    let mut v5 = vec![0; 24 + 48];
    v5[..4].copy_from_slice(&[0, 5, 0, 1]);
    assert_eq!(collector.receive(A, 0, &v5).1, [0], "its flows are delivered");
    assert_eq!(collector.issues(), [Kind::BudgetExceeded]);
}

/// A Data Set of one record and no fields to speak of, in a Message of this Observation Domain.
fn large_set(domain: u32, id: u16, len: u16) -> Vec<u8> {
    let header = &data(Version::V9, 0, domain, id, [0, 0])[..20];
    [header, &id.to_be_bytes(), &len.to_be_bytes(), &vec![1; usize::from(len) - 4]].concat()
}

/// The sender chooses its Observation Domains, so they give it no more room.
#[test]
fn waiting_data_of_many_domains_is_that_of_one_exporter() {
    let mut collector = Collector::new(StateConfig::default());
    for domain in 0..1000 {
        collector.receive(A, 0, &large_set(domain, 256, 1400));
    }
    assert!(collector.state.pending_memory() <= 64 << 10);
    assert!(collector.decoded.accounting().skipped[Kind::TemplateUnknown(0).index()] > 0);
}

#[test]
fn who_has_most_waiting_gives_way() {
    let mut config = StateConfig::default();
    config.pending_memory = 128 << 10;
    let mut collector = Collector::new(config);
    collector.receive(B, 0, &data(Version::V9, 0, 7, 256, [42, 1]));
    let mut pending = 12;
    for address in 1..=20_u8 {
        for _ in 0..20 {
            collector.receive(&format!("198.51.100.{address}:9"), 0, &large_set(7, 256, 1400));
            pending += collector.decoded.accounting().pending;
        }
    }
    let stats = collector.state.pending_stats(collector.now);
    assert!(collector.state.pending_memory() <= 128 << 10);
    assert!(stats.dropped_sets > 0);
    assert_eq!(stats.bytes + stats.dropped_bytes, pending, "what waits no more is counted");
    assert_eq!(collector.receive(B, 1, &template(Version::V9, 1, 7, 256, &[OCTETS, PACKETS])).0, [42]);
    let late = collector.now + Duration::from_secs(61);
    let stats = collector.state.pending_stats(late);
    assert_eq!((stats.sets, stats.bytes, stats.dropped_bytes + 12), (0, 0, pending), "the others waited in vain");
    assert_eq!(collector.state.pending_memory(), 0);
}

/// A record that runs past its Set says so with an offset into its own datagram, not into that of its Template.
#[test]
fn issues_of_replayed_sets_stay_with_them() {
    let mut collector = Collector::new(StateConfig::default());
    let mut cut = data(Version::Ipfix, 0, 7, 256, [0, 0]);
    cut.truncate(20);
    cut[2..4].copy_from_slice(&27_u16.to_be_bytes());
    cut[18..20].copy_from_slice(&11_u16.to_be_bytes());
    cut.extend([3, b'a', b'b', b'c', 9, b'd', b'e']);
    collector.receive(A, 0, &cut);
    let name = FieldSpecifier { enterprise_number: 0, id: 82, length: u16::MAX };
    collector.receive(A, 1, &template(Version::Ipfix, 0, 7, 256, &[name]));
    assert_eq!(collector.issues(), []);
    let issue = collector.decoded.replayed_issues().first()[0];
    assert_eq!((issue.offset, issue.kind), (24, Kind::RecordOverrun(256)));
    let accounting = collector.decoded.replayed_accounting();
    assert_eq!((accounting.headers, accounting.records, accounting.total()), (4, 4, 11));
    assert_eq!(accounting.skipped[issue.kind.index()], 3);
    collector.receive(A, 2, &template(Version::Ipfix, 0, 7, 257, &[name]));
    assert!(collector.decoded.replayed_issues().is_empty());
    assert_eq!(collector.decoded.replayed_accounting().total(), 0);
}

/// RFC 7011 section 8: Templates live as long as their Transport Session, which over TCP is the connection. The next one,
/// from the same port even, begins with nothing.
#[test]
fn what_a_connection_taught_ends_with_it() {
    let mut by_address = StateConfig::default();
    by_address.template_scope = TemplateScope::Address;
    for config in [StateConfig::default(), by_address] {
        let mut collector = Collector::new(config);
        collector.transport = Transport::Tcp;
        for (from, domain) in [(A, 7), (A, 8), (A_OTHER_PORT, 7), (B, 7)] {
            collector.receive(from, 0, &template(Version::Ipfix, 0, domain, 256, &[OCTETS, PACKETS]));
            let flows = collector.receive(from, 0, &data(Version::Ipfix, 0, domain, 256, [10, 1]));
            assert_eq!(flows.1, [10], "a session of its own");
            collector.receive(from, 0, &data(Version::Ipfix, 1, domain, 300, [11, 1]));
            assert_eq!(collector.issues(), [Kind::TemplateUnknown(300)]);
        }
        let before = (collector.state.memory(), collector.state.pending_memory());
        let session = TransportSession::new(A.parse().unwrap(), COLLECTOR.parse().unwrap());
        collector.state.end_session(&session);
        assert_eq!(collector.state.template_count(), 4, "over UDP no session ends");
        collector.state.end_session(&session.with_transport(Transport::Tcp));
        assert_eq!((collector.state.template_count(), collector.state.domain_count()), (2, 2));
        assert_eq!((2 * collector.state.memory(), 2 * collector.state.pending_memory()), before);
        assert_eq!(collector.state.evictions(), 0, "nobody had to give way");
        let pending = collector.state.pending_stats(collector.now);
        assert_eq!((pending.sets, pending.dropped_sets, pending.dropped_bytes), (2, 2, 24));
        let (replayed, flows) = collector.receive(A, 0, &data(Version::Ipfix, 900, 7, 256, [12, 1]));
        assert_eq!((replayed, flows), (vec![], vec![]));
        assert_eq!(collector.issues(), [Kind::TemplateUnknown(256)]);
        assert_eq!(collector.decoded.messages()[0].sequence, SequenceStatus::Unknown, "numbers begin anew");
        assert_eq!(collector.decoded.events(), [], "no word on ports: each connection sends its Templates");
        for (from, domain) in [(A_OTHER_PORT, 7), (B, 7)] {
            assert_eq!(collector.receive(from, 0, &data(Version::Ipfix, 2, domain, 256, [13, 1])).1, [13]);
        }
    }
}

/// A connection does not outlive the process, so that nobody would ever end it.
#[test]
fn a_snapshot_holds_no_connections() {
    let mut collector = Collector::new(StateConfig::default());
    for transport in [Transport::Tcp, Transport::Udp] {
        collector.transport = transport;
        collector.receive(A, 0, &template(Version::Ipfix, 0, 7, 256, &[OCTETS, PACKETS]));
    }
    assert_eq!(collector.state.domain_count(), 2);
    let restored = State::new(StateConfig::default());
    restored.restore(&collector.state.snapshot(), collector.now).unwrap();
    assert_eq!((restored.domain_count(), restored.template_count()), (1, 1));
}
