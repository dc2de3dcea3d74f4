//! Templates: what defines one, what it belongs to, how long it holds.

use flow_state::{DecodeErrorKind as Kind, StateConfig, StateEvent, TemplateScope, Version};
use hex_literal::hex;

use crate::common::{
    Collector, OCTETS, TEMPLATED, body, message, message_of, options_templates, receive, set, templates,
};

/// packetDeltaCount, then octetDeltaCount.
const PACKETS_OCTETS: [u8; 12] = hex!("0100 0002 0002 0004 0001 0004");

/// RFC 7011 section 3.3.1.
#[test]
fn q04_template_sets_may_have_padding_up_to_seven_bytes_or_of_zeros() {
    for version in TEMPLATED {
        for padding in [0, 1, 2, 3, 4, 5, 6, 7, 100] {
            let padded = templates(version, &[&OCTETS[..], &vec![0; padding]].concat());
            let seen = receive(&message(version, &[&padded, &set(256, &hex!("00000005"))]));
            assert_eq!((seen.octets, seen.issues), (vec![5], vec![]), "{version:?}, {padding} bytes");
            let options = options_templates(version, &[&sampler(version)[..], &vec![0; padding]].concat());
            let seen = receive(&message(version, &[&options, &set(257, &hex!("00000001 00000064"))]));
            assert_eq!((seen.options_records, seen.issues), (1, vec![]), "{version:?}, {padding} bytes");
        }
        // Eight bytes that are not zero are a Template: this one has no fields to go on with.
        let another = templates(version, &[&OCTETS[..], &hex!("0101 0002 0001 0004")].concat());
        let seen = receive(&message(version, &[&another, &set(256, &hex!("00000005"))]));
        let start = body(version) + 4 + OCTETS.len();
        assert_eq!((seen.octets, seen.issues), (vec![5], vec![(start, Kind::TemplateTruncated(257))]));
    }
}

/// Options Template 257 with a scope of four bytes and samplingInterval.
fn sampler(version: Version) -> [u8; 14] {
    match version {
        // Scope 1 is the system; lengths in bytes.
        Version::V9 => hex!("0101 0004 0004 0001 0004 0022 0004"),
        // observationDomainId; counts of fields.
        _ => hex!("0101 0002 0001 0095 0004 0022 0004"),
    }
}

fn zero_length_fields(version: Version) {
    // interfaceName of no bytes between packets and octets.
    let template = templates(version, &hex!("0100 0003 0002 0004 0052 0000 0001 0004"));
    let datagram = message(version, &[&template, &set(256, &hex!("00000001 00000005"))]);
    let mut collector = Collector::new();
    let seen = collector.receive(&datagram);
    assert_eq!((seen.octets, seen.issues), (vec![5], vec![]));
    let record = collector.decoded.data_sets(&datagram).flat_map(|set| set.records()).next().unwrap();
    assert_eq!(record.fields().map(|field| field.bytes.len()).collect::<Vec<_>>(), [4, 0, 4], "it keeps its place");
    // A record of nothing but such fields is none.
    let nothing = templates(version, &hex!("0100 0002 0052 0000 0001 0000"));
    let seen = receive(&message(version, &[&nothing, &set(256, &hex!("00000005"))]));
    let issues =
        [(body(version) + 4, Kind::TemplateRecordLength(256)), (body(version) + 16, Kind::TemplateUnknown(256))];
    assert_eq!((seen.octets, &seen.issues[..]), (vec![], &issues[..]));
}

/// Cisco ASA sends them.
/// (RFC 3954 section 5.2.)
#[test]
fn q06_fields_of_length_zero_in_v9_are_empty_values() {
    zero_length_fields(Version::V9);
}

/// RFC 7011 section 3.2.
#[test]
fn q07_fields_of_length_zero_in_ipfix_are_empty_values() {
    zero_length_fields(Version::Ipfix);
}

/// Some IPFIX exporters use the Set IDs of v9, and the layout that goes with them.
/// (RFC 7011 section 3.3.2.)
#[test]
fn q14_ipfix_messages_may_hold_the_template_sets_of_v9() {
    let datagram = message(Version::Ipfix, &[&set(0, &OCTETS), &set(256, &hex!("00000005"))]);
    let seen = receive(&datagram);
    assert_eq!((seen.octets, seen.issues), (vec![5], vec![(16, Kind::ForeignTemplateSet(0))]));
    for version in TEMPLATED {
        let options = set(1, &sampler(version));
        let datagram = message(Version::Ipfix, &[&options, &set(257, &hex!("00000001 00000064"))]);
        let seen = receive(&datagram);
        assert_eq!((seen.options_records, seen.issues), (1, vec![(16, Kind::ForeignTemplateSet(1))]));
        let own = message(Version::Ipfix, &[&set(3, &sampler(version)), &set(257, &hex!("00000001 00000064"))]);
        assert_eq!(receive(&own).options_records, u32::from(version == Version::Ipfix), "3 has the layout of IPFIX");
    }
    // It fits neither layout.
    let neither = set(1, &hex!("0101 0005 0001 0001 0004 0022 0004"));
    let seen = receive(&message(Version::Ipfix, &[&neither, &set(2, &OCTETS), &set(256, &hex!("00000005"))]));
    let issues = [(16, Kind::ForeignTemplateSet(1)), (20, Kind::TemplateTruncated(257))];
    assert_eq!((seen.octets, &seen.issues[..]), (vec![5], &issues[..]));
}

/// RFC 3954 section 5.2, RFC 7011 section 3.4.1.
#[test]
fn q15_a_template_id_below_256_costs_that_template_alone() {
    for version in TEMPLATED {
        for id in [1, 4, 255_u8] {
            let set_of_three = templates(
                version,
                &[&PACKETS_OCTETS[..], &[0, id], &hex!("0001 0001 0004"), &hex!("0101 0001 0001 0002")].concat(),
            );
            let data = [set(256, &hex!("00000001 00000005")), set(257, &hex!("0006"))];
            let seen = receive(&message(version, &[&set_of_three, &data[0], &data[1]]));
            assert_eq!(seen.octets, [5, 6], "{version:?}");
            assert_eq!(seen.issues, [(body(version) + 4 + 12, Kind::TemplateIdReserved(id.into()))]);
        }
        let lowest = receive(&message(version, &[&templates(version, &OCTETS), &set(256, &hex!("00000005"))]));
        assert_eq!(lowest.issues, []);
    }
}

/// RFC 3954 section 5.2, RFC 7011 section 8.1.
#[test]
fn q16_no_fields_are_nonsense_in_v9_and_a_withdrawal_in_ipfix() {
    for (version, kind) in [(Version::V9, Kind::TemplateEmpty(256)), (Version::Ipfix, Kind::WithdrawalIgnored(256))] {
        let mut collector = Collector::new();
        collector.receive(&message(version, &[&templates(version, &OCTETS)]));
        let empty = templates(version, &[&hex!("0100 0000"), &hex!("0101 0001 0001 0002")[..]].concat());
        let seen = collector.receive(&message(version, &[&empty, &set(257, &hex!("0006"))]));
        assert_eq!((seen.octets, seen.issues), (vec![6], vec![(body(version) + 4, kind)]));
        let data = collector.receive(&message(version, &[&set(256, &hex!("00000005"))]));
        // A definition that is refused ends the one before; a withdrawal over UDP is no definition.
        let expected = if version == Version::V9 { vec![] } else { vec![5] };
        assert_eq!(data.octets, expected);
    }
}

/// RFC 7011 section 8.4: withdrawals MUST be ignored over UDP; section 8.1: 2 and 3 withdraw all.
#[test]
fn q17_withdrawals_over_udp_are_ignored_and_definitions_beside_them_are_not() {
    let mut collector = Collector::new();
    let options = set(3, &sampler(Version::Ipfix));
    collector.receive(&message(Version::Ipfix, &[&set(2, &OCTETS), &options]));
    // Template 256, all Templates, and a new definition; then the same for options.
    let mixed = set(2, &hex!("0100 0000 0002 0000 0102 0001 0001 0002"));
    let options = set(3, &hex!("0101 0000 0003 0000 0103 0001 0001 0095 0004"));
    let data = [
        set(256, &hex!("00000005")),
        set(258, &hex!("0006")),
        set(257, &hex!("00000001 00000064")),
        set(259, &hex!("00000001")),
    ];
    let datagram = message(Version::Ipfix, &[&mixed, &options, &data[0], &data[1], &data[2], &data[3]]);
    let seen = collector.receive(&datagram);
    assert_eq!((seen.octets, seen.options_records), (vec![5, 6], 2));
    let second = 16 + mixed.len();
    let issues = [(20, 256), (24, 2), (second + 4, 257), (second + 8, 3)];
    assert_eq!(seen.issues, issues.map(|(at, id)| (at, Kind::WithdrawalIgnored(id))));
    let removed = |event: &StateEvent| matches!(event, StateEvent::TemplateRemoved(_));
    assert!(!seen.events.iter().any(removed));
}

/// RFC 3954 section 9, RFC 7011 section 8.1.
#[test]
fn q18_a_template_id_with_another_layout_holds_from_that_set_on() {
    for version in TEMPLATED {
        let (two, data) = (templates(version, &PACKETS_OCTETS), set(256, &hex!("00000001 00000005")));
        let mut collector = Collector::new();
        assert_eq!(collector.receive(&message(version, &[&data])).octets, [], "it waits");
        let seen = collector.receive(&message(version, &[&two, &data, &templates(version, &OCTETS), &data]));
        assert_eq!(seen.octets, [5, 5, 1, 5], "what waited has the layout that came first");
        assert_eq!(seen.events, [StateEvent::TemplateAdded(256), StateEvent::TemplateChanged(256)]);
        let again = collector.receive(&message(version, &[&templates(version, &OCTETS), &data]));
        assert_eq!((again.octets, again.events), (vec![1, 5], vec![]), "the same layout again changes nothing");
    }
}

/// Line cards of one router are Observation Domains with Template IDs of their own.
/// (RFC 3954 section 7, RFC 7011 section 8.)
#[test]
fn q19_a_template_belongs_to_its_observation_domain() {
    for version in TEMPLATED {
        let data = set(256, &hex!("00000001 00000005"));
        let mut collector = Collector::new();
        collector.receive(&message_of(version, 1, 0, &[&templates(version, &OCTETS)]));
        collector.receive(&message_of(version, 2, 0, &[&templates(version, &PACKETS_OCTETS)]));
        assert_eq!(collector.receive(&message_of(version, 1, 1, &[&data])).octets, [1, 5]);
        assert_eq!(collector.receive(&message_of(version, 2, 1, &[&data])).octets, [5]);
        let third = collector.receive(&message_of(version, 3, 0, &[&data]));
        assert_eq!((third.octets, third.issues), (vec![], vec![(body(version), Kind::TemplateUnknown(256))]));
    }
}

/// RFC 3954 section 5.1: exporter and Source ID; RFC 7011 section 8: Transport Session and Observation Domain.
#[test]
fn q20_source_ports_part_the_templates_of_ipfix_unless_told_otherwise() {
    for (version, scope, shared) in [
        (Version::V9, TemplateScope::Session, true),
        (Version::Ipfix, TemplateScope::Session, false),
        (Version::V9, TemplateScope::Address, true),
        (Version::Ipfix, TemplateScope::Address, true),
    ] {
        for (from, other_port) in [("192.0.2.1:1", "192.0.2.1:2"), ("[2001:db8::1]:1", "[2001:db8::1]:2")] {
            let mut config = StateConfig::default();
            config.template_scope = scope;
            let mut collector = Collector::with(config);
            collector.receive_from(from, &message(version, &[&templates(version, &OCTETS)]));
            let data = message(version, &[&set(256, &hex!("00000005"))]);
            let seen = collector.receive_from(other_port, &data);
            assert_eq!(seen.octets.len() == 1, shared, "{version:?} by {scope:?}");
            assert_eq!(collector.receive_from(from, &data).octets, [5]);
            assert_eq!(collector.receive_from("192.0.2.9:1", &data).octets, [], "an address of its own");
        }
    }
}

/// Cisco AVC sends several hundred fields; 2,048 are the limit.
#[test]
fn q54_a_template_with_too_many_fields_is_an_error() {
    for version in TEMPLATED {
        let template = |id: u16, count: u16, present: u16| {
            [&id.to_be_bytes()[..], &count.to_be_bytes(), &[0, 1, 0, 1].repeat(present.into())].concat()
        };
        for fields in [300, 2048] {
            let data = set(256, &[5].repeat(fields.into()));
            let seen = receive(&message(version, &[&templates(version, &template(256, fields, fields)), &data]));
            assert_eq!((seen.octets, seen.issues), (vec![5], vec![]), "{fields} fields");
        }
        let good = templates(version, &hex!("0101 0001 0001 0004"));
        for (count, present, kind) in
            [(2049, 2049, Kind::TemplateTooManyFields(2049)), (65535, 16, Kind::TemplateTruncated(256))]
        {
            let bad = templates(version, &template(256, count, present));
            let seen = receive(&message(version, &[&bad, &good, &set(257, &hex!("00000006"))]));
            assert_eq!((seen.octets, seen.issues), (vec![6], vec![(body(version) + 4, kind)]), "{count} fields");
        }
    }
}
