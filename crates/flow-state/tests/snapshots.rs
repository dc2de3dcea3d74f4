//! A snapshot goes out of one state and into another.
#![allow(clippy::unwrap_used)]

use flow_state::{
    Datagram, Decoded, Restored, SequenceStatus, SnapshotError, State, StateConfig, StateEvent, TemplateScope,
    Timestamp, TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

const START: u64 = 1_700_000_000;
const OCTETS: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 1, length: 4 };
const SAMPLER: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 48, length: 1 };
const INTERFACE: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 10, length: 4 };

fn now() -> Timestamp {
    Timestamp::from_unix_seconds(START + 1)
}

fn receive(state: &State, port: u16, bytes: &[u8]) -> Decoded {
    receive_at(state, now(), port, bytes)
}

fn receive_at(state: &State, received_at: Timestamp, port: u16, bytes: &[u8]) -> Decoded {
    let session = TransportSession::new(([192, 0, 2, 1], port).into(), ([192, 0, 2, 200], 2055).into());
    let mut decoded = Decoded::default();
    state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    decoded
}

fn message(version: Version, sequence: u32, write: impl FnOnce(&mut MessageWriter)) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(version, Timestamp::from_unix_seconds(START), sequence, 7));
    write(&mut writer);
    writer.finish().unwrap().to_vec()
}

/// Template 256, and options that name an interface and a sampler.
fn templates(version: Version, sequence: u32) -> Vec<u8> {
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let names = [INTERFACE, field(82, 8)];
    let samplers = [SAMPLER, field(50, 4), field(49, 1)];
    let system = [field(149, 4), field(160, 8)];
    // RFC 5610: element 5 of enterprise 4242 is "colour", an unsigned8.
    let elements = [field(346, 4), field(303, 2), field(341, 6), field(339, 1)];
    message(version, sequence, |writer| {
        writer.template_set(&[TemplateDefinition::new(256, &[OCTETS, SAMPLER, INTERFACE])]);
        writer.options_template_set(&[
            TemplateDefinition::options(257, 1, &names),
            TemplateDefinition::options(258, 1, &samplers),
            TemplateDefinition::options(259, 1, &system),
            TemplateDefinition::options(260, 2, &elements),
        ]);
        writer.data_set(257).record().unsigned(4, 3).bytes(b"Gi0/0/3\0");
        writer.data_set(258).record().unsigned(1, 9).unsigned(4, 1000).unsigned(1, 2);
        writer.data_set(259).record().unsigned(4, 7).unsigned(8, (START - 60) * 1000);
        writer.data_set(260).record().unsigned(4, 4242).unsigned(2, 5).bytes(b"colour").unsigned(1, 1);
    })
}

fn data(version: Version, sequence: u32) -> Vec<u8> {
    message(version, sequence, |writer| _ = writer.data_set(256).record().unsigned(4, 42).unsigned(1, 9).unsigned(4, 3))
}

fn restored(snapshot: &[u8], config: StateConfig) -> (State, Result<Restored, SnapshotError>) {
    let state = State::new(config);
    let restored = state.restore(snapshot, now());
    (state, restored)
}

/// What a collector knows of the next data: flows, sampling, name of the interface, start of the exporter, sequence.
fn next(state: &State, version: Version, sequence: u32) -> (Vec<String>, SequenceStatus) {
    let bytes = data(version, sequence);
    let decoded = receive(state, 9, &bytes);
    let flows = decoded.data_sets(&bytes).flat_map(|set| set.flows());
    let told = |flow: flow_state::FlowRecord<'_>| {
        let options = flow.context().options().unwrap();
        let name = options.interface(3).and_then(|named| named.text().map(str::to_owned));
        let element = options.element(4242, 5);
        format!("{:?} {:?} {name:?} {element:?} {:?}", flow.octets(), flow.sampling(), flow.context().system_init)
    };
    (flows.map(told).collect(), decoded.messages()[0].sequence)
}

#[test]
fn what_comes_next_is_decoded_as_if_nothing_had_come_between() {
    for version in [Version::V9, Version::Ipfix] {
        let state = State::new(StateConfig::default());
        receive(&state, 9, &templates(version, 0));
        receive(&state, 9, &data(version, if version == Version::V9 { 1 } else { 4 }));
        let snapshot = state.snapshot();
        let (other, result) = restored(&snapshot, StateConfig::default());
        assert_eq!(result.map(|restored| (restored.domains, restored.templates, restored.refused)), Ok((1, 5, 0)));
        assert_eq!((other.template_count(), other.exporter_count()), (5, 1));
        let sequence = if version == Version::V9 { 2 } else { 5 };
        let expected = next(&state, version, sequence);
        assert!(
            expected.0[0].contains("Gi0/0/3") && expected.0[0].contains("1000") && expected.0[0].contains("colour"),
            "{expected:?}"
        );
        assert_eq!(expected.1, SequenceStatus::InOrder);
        assert_eq!(next(&other, version, sequence), expected);
        let (without, _) = restored(&[], StateConfig::default());
        assert!(next(&without, version, sequence).0.is_empty(), "nothing else knows the Template");
    }
}

/// A snapshot may be older than what came last: a gap behind it is not one on the wire. A restart is one all the same.
#[test]
fn the_first_number_after_a_restore_tells_no_gap() {
    let state = State::new(StateConfig::default());
    receive(&state, 9, &templates(Version::V9, 10));
    let snapshot = state.snapshot();
    let (other, _) = restored(&snapshot, StateConfig::default());
    assert_eq!(next(&other, Version::V9, 20).1, SequenceStatus::Unknown);
    assert_eq!(next(&other, Version::V9, 30).1, SequenceStatus::Gap(9));
    let (other, _) = restored(&snapshot, StateConfig::default());
    let mut later = data(Version::V9, 0);
    later[8..12].copy_from_slice(&(START as u32 + 60).to_be_bytes());
    assert_eq!(receive(&other, 9, &later).events(), [StateEvent::ExporterRestarted]);
}

/// Of too many senders those go that were silent for longest; one from the future would stay.
#[test]
fn a_sender_seen_in_the_future_was_seen_now() {
    let state = State::new(StateConfig::default());
    let ahead = Timestamp::from_unix_seconds(START + 1_000_000);
    receive_at(&state, ahead, 9, &templates(Version::V9, 0));
    let (other, _) = restored(&state.snapshot(), StateConfig::default());
    let known = receive(&other, 9, &data(Version::V9, 1)).messages()[0].sequence;
    assert_eq!(known, SequenceStatus::InOrder);
    let later = Timestamp::from_unix_seconds(START + 2);
    (100..164).for_each(|port| _ = receive_at(&other, later, port, &data(Version::V9, 0)));
    let forgotten = receive_at(&other, later, 9, &data(Version::V9, 9)).messages()[0].sequence;
    assert_eq!(forgotten, SequenceStatus::Unknown);
}

/// Trust is kept: after a restart, too, those who come once take nothing from an exporter that stays.
#[test]
fn trust_outlives_a_restart() {
    let mut config = StateConfig::default();
    config.memory = 128 << 10;
    let state = State::new(config.clone());
    receive(&state, 9, &templates(Version::Ipfix, 0));
    (0..8).for_each(|turn| _ = receive(&state, 9, &data(Version::Ipfix, 3 + turn)));
    let (other, result) = restored(&state.snapshot(), config);
    assert_eq!(result.map(|restored| restored.templates), Ok(5));
    (1000..2000).for_each(|port| _ = receive(&other, port, &templates(Version::Ipfix, 0)));
    assert!(other.evictions() > 100);
    assert_eq!(next(&other, Version::Ipfix, 11).0.len(), 1);
}

#[test]
fn what_is_no_snapshot_changes_nothing() {
    let state = State::new(StateConfig::default());
    receive(&state, 9, &templates(Version::V9, 0));
    let snapshot = state.snapshot();
    let other = State::new(StateConfig::default());
    let refused = |bytes: &[u8]| {
        let error = other.restore(bytes, now()).unwrap_err();
        assert_eq!((other.memory(), other.domain_count()), (0, 0));
        error
    };
    assert_eq!(refused(b"once upon a time"), SnapshotError::NotASnapshot);
    for len in 0..snapshot.len() {
        let expected = if len < 8 { SnapshotError::NotASnapshot } else { SnapshotError::Damaged };
        assert_eq!(refused(&snapshot[..len]), expected, "{len} bytes");
    }
    for at in 10..snapshot.len() {
        let mut damaged = snapshot.clone();
        damaged[at] ^= 1;
        assert_eq!(refused(&damaged), SnapshotError::Damaged, "byte {at}");
    }
    let mut foreign = snapshot.clone();
    foreign[9] = 99;
    assert_eq!(refused(&foreign), SnapshotError::Version(99));
    let mut config = StateConfig::default();
    config.template_scope = TemplateScope::Address;
    assert_eq!(restored(&snapshot, config).1, Err(SnapshotError::TemplateScope));
}

/// Where the checksum fits, what is inside is read as if it came from the network.
#[test]
fn a_forged_snapshot_stays_within_the_budget() {
    let state = State::new(StateConfig::default());
    for port in 1..60 {
        receive(&state, port, &templates(Version::Ipfix, 0));
    }
    let snapshot = state.snapshot();
    let mut config = StateConfig::default();
    config.memory = 32 << 10;
    let (small, result) = restored(&snapshot, config.clone());
    assert!(small.memory() <= 32 << 10);
    assert!(result.unwrap().domains > 0);
    let mut random = 1_u64;
    for _ in 0..200 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut forged = snapshot.clone();
        let at = 18 + (random >> 33) as usize % 600;
        forged[at] = (random >> 24) as u8;
        let sum = forged[18..]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
        forged[10..18].copy_from_slice(&sum.to_be_bytes());
        let (state, _) = restored(&forged[..], config.clone());
        assert!(state.memory() <= 32 << 10);
        receive(&state, 9, &data(Version::Ipfix, 3));
    }
}
