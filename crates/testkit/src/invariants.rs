//! What must hold for any bytes.

mod capture;
mod encoder;
mod filter;
mod lists;
mod snapshot;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use flow_state::{
    DataSet, Datagram, Decoded, Fact, FlowGroup, FlowRecord, State, StateConfig, Timestamp, TransportSession,
};
use flow_wire::ie::{self, AbstractDataType};
use flow_wire::{Message, SetKind, Template, TemplateLimits, Value};

pub use capture::capture;
pub use encoder::encoder;
pub use filter::{filter, filter_verdicts};
pub use snapshot::{snapshot, snapshot_body, snapshot_file};

/// One datagram from a stranger: it is decoded without a panic, each byte has one fate, no record is made of nothing.
pub fn one_datagram(data: &[u8]) {
    let state = State::new(StateConfig::default());
    let mut decoded = Decoded::default();
    decode(&state, &datagram(1, 0, data), &mut decoded);
    let again = {
        let state = State::new(StateConfig::default());
        let mut decoded = Decoded::default();
        decode(&state, &datagram(1, 0, data), &mut decoded);
        decoded
    };
    assert_eq!(decoded.accounting(), again.accounting(), "decoding depends on the bytes alone");
}

/// Datagrams of several exporters, by an odd first byte made as [`crate::sequences`] does, by an even one from the bytes
/// themselves: two bytes of length, one byte that chooses exporter and delay, the datagram. State stays within its
/// budgets.
pub fn datagram_sequence(data: &[u8]) {
    match data {
        [kind, choices @ ..] if kind % 2 == 1 => drop(crate::sequences::play(choices)),
        [_, datagrams @ ..] => given_datagrams(datagrams),
        [] => {}
    }
}

fn given_datagrams(data: &[u8]) {
    let mut config = StateConfig::default();
    config.memory = 64 << 10;
    config.pending_memory = 16 << 10;
    config.pending_memory_per_exporter = 4 << 10;
    let (memory, pending_memory) = (config.memory, config.pending_memory);
    let state = State::new(config);
    let mut decoded = Decoded::default();
    let mut rest = data;
    let mut seconds = 0;
    while let [high, low, choice, after @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]) & 0x7ff).min(after.len());
        let (bytes, next) = after.split_at(len);
        seconds += u64::from(choice >> 4);
        decode(&state, &datagram(choice & 7, seconds, bytes), &mut decoded);
        assert!(state.memory() <= memory, "{} bytes of Templates", state.memory());
        assert!(state.pending_memory() <= pending_memory, "{} bytes of waiting Sets", state.pending_memory());
        rest = next;
    }
}

/// Any type at any length: a value keeps the bytes it was read from, or refuses to interpret them.
pub fn value_readers(data: &[u8]) {
    let [pen, id_high, id_low, bytes @ ..] = data else {
        return;
    };
    let enterprise_number = [0, 29305, 6871, 9, 5951, 8057, 39499, 35632][usize::from(pen % 8)];
    let Some(element) = ie::lookup(enterprise_number, u16::from_be_bytes([*id_high & 3, *id_low])) else {
        return;
    };
    let value = Value::read(element.data_type, bytes);
    let unsigned = bytes.iter().take(8).fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    match value {
        Value::Unsigned(value) => {
            assert!((1..=8).contains(&bytes.len()));
            assert_eq!(value, unsigned);
        }
        Value::Signed(value) => {
            let bits = 64 - 8 * bytes.len() as u32;
            assert_eq!((value as u64) << bits, unsigned << bits);
        }
        Value::Ipv4(address) => assert_eq!(address.octets(), bytes),
        Value::Ipv6(address) => assert_eq!(address.octets(), bytes),
        Value::MacAddress(address) => assert_eq!(address, bytes),
        Value::String(text) => assert!(bytes.starts_with(text) && !text.contains(&0)),
        Value::List(list) => {
            assert_eq!(list, bytes);
            lists::list(element.data_type, list);
        }
        Value::OctetArray(octets) => assert_eq!(octets, bytes),
        Value::Boolean(value) => assert_eq!(bytes, [if value { 1 } else { 2 }]),
        Value::Float(_) => assert!(bytes.len() == 4 || element.data_type == AbstractDataType::Float64),
        Value::DateTime(_) => assert!(matches!(bytes.len(), 4 | 8)),
        other => panic!("a value without a rule: {other:?}"),
    }
    read_in_a_record(enterprise_number, element.id, bytes);
}

/// The same bytes as the only field of a record: the walk over the fields and the located read agree.
fn read_in_a_record(enterprise_number: u32, id: u16, bytes: &[u8]) {
    let Ok(length) = u16::try_from(bytes.len()) else {
        return;
    };
    let mut datagram = vec![0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let id_field = if enterprise_number == 0 { id } else { id | 0x8000 };
    let specifier_len = if enterprise_number == 0 { 4 } else { 8 };
    datagram.extend([0, 2, 0, 8 + specifier_len, 1, 0, 0, 1]);
    datagram.extend(id_field.to_be_bytes());
    datagram.extend(length.to_be_bytes());
    if enterprise_number != 0 {
        datagram.extend(enterprise_number.to_be_bytes());
    }
    datagram.extend([1, 0]);
    datagram.extend((length + 4).to_be_bytes());
    datagram.extend(bytes);
    let Ok(total) = u16::try_from(datagram.len()) else {
        return;
    };
    datagram[2..4].copy_from_slice(&total.to_be_bytes());
    let message = Message::decode(&datagram).unwrap();
    let sets: Vec<_> = message.sets().map(Result::unwrap).collect();
    assert_eq!(sets[0].kind, SetKind::Template);
    let record = message.template_records(&sets[0]).next().unwrap().unwrap();
    // A record of no bytes is no record.
    let Ok(template) = Template::compile(&record, &TemplateLimits::default()) else {
        assert!(bytes.is_empty() || length == flow_wire::VARIABLE_LENGTH);
        return;
    };
    let records: Vec<_> = message.records(&sets[1], &template).collect();
    if template.fixed_record_len().is_some() {
        assert_eq!(records.len(), 1);
        let locator = template.locate(enterprise_number, id).unwrap();
        assert_eq!(records[0].fields().next().unwrap().bytes, bytes);
        assert_eq!(records[0].bytes(locator), bytes);
        if (1..=8).contains(&bytes.len()) {
            let expected = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            assert_eq!(records[0].unsigned(locator), expected);
        }
    }
}

/// What must hold for some bytes, or it panics.
pub type Invariant = fn(&[u8]);

/// The invariants by the names of the fuzz targets.
pub const TARGETS: &[(&str, Invariant)] = &[
    ("capture", capture),
    ("datagram_sequence", datagram_sequence),
    ("encoder", encoder),
    ("filter", filter),
    ("one_datagram", one_datagram),
    ("snapshot", snapshot),
    ("value_readers", value_readers),
];

fn datagram(exporter: u8, seconds: u64, bytes: &[u8]) -> Datagram<'_> {
    let exporter = SocketAddr::from((Ipv4Addr::new(192, 0, 2, exporter), 50_000));
    let session = TransportSession::new(exporter, SocketAddr::from(([198, 51, 100, 1], 2055)));
    let received_at = Timestamp::from_unix_seconds(1_700_000_000 + seconds);
    Datagram::new(session, received_at, bytes).with_tag(seconds.into())
}

/// Decodes a datagram and reads all that came out of it; each of its bytes must have one fate.
pub(crate) fn decode(state: &State, datagram: &Datagram<'_>, decoded: &mut Decoded) {
    let bytes = datagram.bytes;
    state.decode(datagram, decoded);
    assert_eq!(decoded.accounting().total(), bytes.len() as u64, "each byte has one fate");
    let mut record_bytes = 0;
    for set in decoded.data_sets(bytes) {
        assert!(set.len() <= bytes.len(), "more records than bytes");
        assert_eq!(set.flows().inspect(|flow| record_bytes += read(flow)).count(), set.len());
        common_fields(&set);
        groups(&set);
    }
    let options: u64 = decoded.messages().iter().map(|message| u64::from(message.options_records)).sum();
    match options {
        // Records made from samples have lengths of their own.
        _ if flow_wire::sflow::is_sflow(bytes) => {}
        0 => assert_eq!(record_bytes, decoded.accounting().records),
        _ => assert!(record_bytes <= decoded.accounting().records),
    }
    for set in decoded.replayed_sets() {
        assert_eq!(set.flows().inspect(|flow| _ = read(flow)).count(), set.len());
        common_fields(&set);
        groups(&set);
    }
}

/// The common facts are the same however they are read: each by itself, all of a record, all records in a row.
fn common_fields(set: &DataSet<'_>) {
    let mut row = set.common_fields();
    for flow in set.flows() {
        let common = flow.common();
        assert_eq!(row.next(), Some(common));
        let integers = [
            (Fact::SourcePort, common.source_port),
            (Fact::DestinationPort, common.destination_port),
            (Fact::Protocol, common.protocol),
            (Fact::IngressInterface, common.ingress_interface),
            (Fact::EgressInterface, common.egress_interface),
            (Fact::SourceAs, common.source_as),
            (Fact::DestinationAs, common.destination_as),
            (Fact::TcpFlags, common.tcp_flags),
            (Fact::ClassOfService, common.class_of_service),
        ];
        for (fact, value) in integers {
            assert_eq!(flow.integer(fact).unwrap_or(0), value, "{fact:?}");
        }
        assert_eq!(flow.octets().unwrap_or(0), common.octets);
        assert_eq!(flow.packets().unwrap_or(0), common.packets);
        let address = |address: Option<IpAddr>| address.unwrap_or(Ipv4Addr::UNSPECIFIED.into());
        assert_eq!(address(flow.source_address()), common.source_address);
        assert_eq!(address(flow.destination_address()), common.destination_address);
        assert_eq!(address(flow.next_hop()), common.next_hop);
        let time = flow.time();
        assert_eq!(time.start.unwrap_or(Timestamp::UNIX_EPOCH), common.start);
        assert_eq!(time.end.unwrap_or(Timestamp::UNIX_EPOCH), common.end);
    }
    assert_eq!(row.next(), None);
    assert_eq!(set.common_fields().fold(0, |records, _| records + 1), set.len());
}

/// Groups have all flows, and a fact is the same beside those of other flows.
fn groups(set: &DataSet<'_>) {
    let mut flows = set.flows();
    let mut groups = set.groups();
    let mut most = 0;
    let mut values = [0; FlowGroup::MAX];
    // Groups of every size.
    while let Some(group) = groups.next_of(most % FlowGroup::MAX + 1) {
        most += 7;
        let single: Vec<_> = flows.by_ref().take(group.len()).collect();
        let grouped = |place: usize| group.flows().nth(place).map(|flow| flow.record().offset());
        for fact in [Fact::SourcePort, Fact::Protocol, Fact::EgressInterface, Fact::IpVersion, Fact::SourceVlan] {
            let Some(locator) = set.plan().locate(fact) else { continue };
            group.column(locator, &mut values);
            let read: Vec<_> = single.iter().map(|flow| flow.record().unsigned(locator)).collect();
            assert_eq!(values[..group.len()], read, "{fact:?}");
        }
        let offsets = || single.iter().map(|flow| flow.record().offset());
        assert!(group.flows().map(|flow| flow.record().offset()).eq(offsets()));
        assert!(offsets().enumerate().all(|(place, offset)| grouped(place) == Some(offset)));
        assert_eq!(grouped(group.len()), None);
    }
    assert_eq!(flows.count(), 0);
}

/// Reads everything a flow can tell; returns its bytes.
fn read(flow: &FlowRecord<'_>) -> u64 {
    let record = flow.record();
    let fields = record.fields().inspect(|field| _ = field.value()).count();
    assert_eq!(fields, record.template().field_specifiers().len(), "a record has every field of its Template");
    let _ = (flow.source_address(), flow.destination_address(), flow.next_hop(), flow.protocol());
    let _ = (flow.octets(), flow.packets(), flow.reverse_octets(), flow.reverse_packets());
    let _ = (flow.source_mac(), flow.destination_mac(), flow.icmp(), flow.sampling(), flow.packet(), flow.sample());
    if let (Some(duration), Some(end)) = (flow.time().duration(), flow.time().end) {
        assert!(duration.as_nanos() <= end.as_unix_nanos().into());
    }
    record.as_bytes().len() as u64
}
