//! Exporters over time: sequence numbers, restarts, addresses.

use flow_state::{SequenceStatus, StateEvent, Timestamp, Version};
use flow_wire::encode::{FixedRecord, MessageWriter, header};
use hex_literal::hex;

use crate::common::{Collector, EXPORT, OCTETS, TEMPLATED, message, message_of, set, templates};
use SequenceStatus::{Gap, InOrder, Late, Restarted, Unknown};

/// Two records of Template 256.
fn two_records() -> Vec<u8> {
    set(256, &hex!("00000005 00000006"))
}

/// v5 counts flows, v9 Messages, IPFIX data records, each within its Observation Domain and modulo 2^32.
/// (RFC 3954 section 5.1, RFC 7011 section 3.1.)
#[test]
fn q52_sequence_numbers_count_what_their_version_counts() {
    for (version, step) in [(Version::V9, 1_u32), (Version::Ipfix, 2)] {
        let mut collector = Collector::new();
        collector.receive(&message_of(version, 7, 0_u32.wrapping_sub(step), &[&templates(version, &OCTETS)]));
        let mut send = |domain, sequence| {
            let datagram = message_of(version, domain, sequence, &[&templates(version, &OCTETS), &two_records()]);
            collector.receive(&datagram).sequence.unwrap()
        };
        let first = if version == Version::V9 { 0 } else { 0_u32.wrapping_sub(step) };
        assert_eq!(send(7, first), InOrder);
        assert_eq!(send(7, first.wrapping_add(step)), InOrder, "across the wrap");
        assert_eq!(send(8, 5000), Unknown, "another domain counts on its own");
        assert_eq!(send(7, first.wrapping_add(5 * step)), Gap(3 * step));
        assert_eq!(send(7, first.wrapping_add(3 * step)), Late);
        assert_eq!(send(7, first.wrapping_add(6 * step)), InOrder, "what came late moves nothing");
        assert_eq!(send(8, 5000 + step), InOrder);
    }
    let mut collector = Collector::new();
    let mut send = |sequence, records| {
        let mut writer = MessageWriter::new();
        writer.begin(&header(Version::V5, Timestamp::from_unix_seconds(EXPORT), sequence, 0));
        (0..records).for_each(|_| _ = writer.fixed_record(&FixedRecord::default()));
        collector.receive(writer.finish().unwrap()).sequence.unwrap()
    };
    let seen = [send(0, 30), send(30, 5), send(35, 1), send(66, 1)];
    assert_eq!(seen, [Unknown, InOrder, InOrder, Gap(30)]);
}

/// What cannot be counted raises no alarm while it can be what the number says, and no false one later.
/// (RFC 3954 section 5.1, RFC 7011 section 3.1.)
#[test]
fn q52_records_without_a_template_are_no_loss() {
    let mut collector = Collector::new();
    let mut send = |sequence, set: &[u8]| collector.receive(&message_of(Version::Ipfix, 7, sequence, &[set])).sequence;
    assert_eq!(send(0, &set(2, &OCTETS)), Some(Unknown));
    assert_eq!(send(0, &two_records()), Some(InOrder));
    assert_eq!(send(2, &set(300, &[1; 12])), Some(InOrder));
    assert_eq!(send(5, &two_records()), Some(Unknown), "three records that nobody could count");
    assert_eq!(send(7, &two_records()), Some(InOrder));
    assert_eq!(send(19, &two_records()), Some(Gap(10)));
    assert_eq!(send(21, &set(300, &[1; 12])), Some(InOrder));
    assert_eq!(send(30, &two_records()), Some(Gap(6)), "nine records do not fit into twelve bytes");
    assert_eq!(send(20, &two_records()), Some(Late));
}

/// Templates stay until the exporter defines them anew: over UDP a restart is but a guess.
#[test]
fn q53_an_exporter_that_starts_anew_is_noticed_and_keeps_its_templates() {
    let mut collector = Collector::new();
    let mut send = |sequence, uptime_ms: u32, sets: &[&[u8]]| {
        let mut datagram = message_of(Version::V9, 7, sequence, sets);
        datagram[4..8].copy_from_slice(&uptime_ms.to_be_bytes());
        collector.receive(&datagram)
    };
    send(500, 900_000, &[&templates(Version::V9, &OCTETS)]);
    let seen = send(501, 901_000, &[&two_records()]);
    assert_eq!((seen.sequence, seen.events), (Some(InOrder), vec![]));
    let seen = send(0, 1_000, &[&two_records()]);
    assert_eq!((seen.sequence, seen.octets), (Some(Restarted), vec![5, 6]));
    assert_eq!(seen.events, [StateEvent::ExporterRestarted]);
    // Its Template IDs may stand for something else now.
    let seen = send(1, 2_000, &[&templates(Version::V9, &hex!("0100 0001 0001 0008")), &two_records()]);
    assert_eq!((seen.octets, seen.events), (vec![5 << 32 | 6], vec![StateEvent::TemplateChanged(256)]));
    // A number from before with the uptime that goes with it is only late.
    let seen = send(0, 1_000, &[&two_records()]);
    assert_eq!((seen.sequence, seen.events), (Some(Late), vec![]));
}

/// Dual-stack sockets show `::ffff:192.0.2.1`.
#[test]
fn q56_an_ipv4_exporter_is_the_same_on_a_dual_stack_socket() {
    for version in TEMPLATED {
        let mut collector = Collector::new();
        collector.receive_from("[::ffff:192.0.2.1]:50000", &message(version, &[&templates(version, &OCTETS)]));
        let data = message(version, &[&two_records()]);
        assert_eq!(collector.receive_from("192.0.2.1:50000", &data).octets, [5, 6]);
        assert_eq!(collector.receive_from("[2001:db8::c000:201]:50000", &data).octets, [], "an address of its own");
        assert_eq!(collector.state.exporter_count(), 1);
    }
}
