//! Fields and what they hold.

use std::net::Ipv4Addr;

use flow_state::{DecodeErrorKind as Kind, Fact, Version};
use flow_wire::list::{List, ListBudget, ListReader};
use flow_wire::{DecodeError, Value, ValueError};
use hex_literal::hex;

use crate::common::{Collector, TEMPLATED, body, message, receive, record, set, templates, with_flows};

/// packetDeltaCount, interfaceName of variable length, octetDeltaCount.
const NAMED: [u8; 16] = hex!("0100 0003 0002 0001 0052 ffff 0001 0001");

/// RFC 7011 section 7 allows strings of no bytes; Procera, IXIA and VMware send them.
#[test]
fn q08_variable_strings_may_be_empty() {
    for version in TEMPLATED {
        let data = set(256, &hex!("01 00 05" "01 03 616263 06" "01 ff0000 07"));
        let seen = receive(&message(version, &[&templates(version, &NAMED), &data]));
        assert_eq!((seen.octets, seen.issues), (vec![5, 6, 7], vec![]), "they end no Set");
        // Where the length is all that is left, the fields behind it are not there.
        let data = set(256, &hex!("01 00 05" "01 01 61"));
        let seen = receive(&message(version, &[&templates(version, &NAMED), &data]));
        assert_eq!((seen.octets, seen.issues), (vec![5], vec![(body(version) + 20 + 7, Kind::RecordOverrun(256))]));
    }
}

/// RFC 7011 section 7: one byte, or 255 and two more, whatever the length.
#[test]
fn q09_variable_lengths_have_a_short_and_a_long_form() {
    for length in [0, 1, 254, 255, 256, 1000_u16] {
        let name = vec![b'x'; length.into()];
        let long = [&[1, 255][..], &length.to_be_bytes(), &name, &[5]].concat();
        let short = u8::try_from(length).ok().filter(|length| *length < 255);
        let short = short.map(|length| [&[1, length][..], &name, &[6]].concat());
        let data = set(256, &[&long[..], &short.clone().unwrap_or_default(), &long].concat());
        let datagram = message(Version::Ipfix, &[&templates(Version::Ipfix, &NAMED), &data]);
        let mut collector = Collector::new();
        let seen = collector.receive(&datagram);
        assert_eq!(seen.octets, if short.is_some() { vec![5, 6, 5] } else { vec![5, 5] }, "{length} bytes");
        let records = collector.decoded.data_sets(&datagram).flat_map(|set| set.records());
        assert!(records.into_iter().all(|record| record.fields().nth(1).unwrap().bytes == name));
    }
    // One byte less than the long form needs, and a length that runs past the Set.
    for cut in [&hex!("01 ff00")[..], &hex!("01 ff0003 6162 05")] {
        let data = set(256, &[&hex!("01 00 05")[..], cut].concat());
        let seen = receive(&message(Version::Ipfix, &[&templates(Version::Ipfix, &NAMED), &data]));
        assert_eq!((seen.octets, seen.issues), (vec![5], vec![(16 + 20 + 7, Kind::RecordOverrun(256))]));
    }
}

/// nProbe and H3C send it though v9 has no such length.
/// (RFC 7011 section 7.)
#[test]
fn q10_a_length_of_65535_in_v9_is_a_variable_length() {
    let template = templates(Version::V9, &NAMED);
    let data = set(256, &hex!("01 04 65746830 05" "01 ff0002 6c6f 06"));
    let seen = receive(&message(Version::V9, &[&template, &data]));
    assert_eq!((seen.octets, seen.issues), (vec![5, 6], vec![]));
    let past = set(256, &hex!("01 04 65746830 05" "01 c8 6c6f 06"));
    let seen = receive(&message(Version::V9, &[&template, &past, &data]));
    assert_eq!(seen.octets, [5, 5, 6], "it costs the rest of its Set");
    assert_eq!(seen.issues, [(20 + 20 + 4 + 7, Kind::RecordOverrun(256))]);
    // The largest fixed length that any datagram could hold is no variable one.
    let fixed = templates(Version::V9, &hex!("0100 0002 0001 0004 0052 fffe"));
    assert_eq!(receive(&message(Version::V9, &[&fixed])).issues, [(24, Kind::TemplateRecordLength(256))]);
}

/// RFC 7011 section 6.2.
#[test]
fn q29_numbers_may_have_fewer_bytes_than_their_type() {
    for version in TEMPLATED {
        for width in 1..=8_usize {
            let value = &[0, 0, 0, 0, 0, 1, 0x86, 0xa0][8 - width..];
            let expected = value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            let datagram = record(version, &[(0, 1, value), (0, 2, value), (0, 16, value)]);
            with_flows(&datagram, |flow| {
                let numbers = (flow.octets(), flow.packets(), flow.integer(Fact::SourceAs));
                assert_eq!(numbers, (Some(expected), Some(expected), Some(expected)), "{width} bytes");
            });
        }
    }
    let minus_two = &hex!("fffffffffffffffe")[..];
    for width in 1..=4 {
        // mibObjectValueInteger
        with_value(434, &minus_two[8 - width..], |value| assert_eq!(value, Value::Signed(-2), "{width} bytes"));
    }
    // samplingProbability
    with_value(311, &0.25_f64.to_be_bytes(), |value| assert_eq!(value, Value::Float(0.25)));
    with_value(311, &0.25_f32.to_be_bytes(), |value| assert_eq!(value, Value::Float(0.25)));
    with_value(311, &[1, 2, 3], |value| assert_eq!(value, Value::OctetArray(&[1, 2, 3]), "no float has three bytes"));
}

fn with_value(id: u16, bytes: &[u8], check: impl Fn(Value<'_>)) {
    with_flows(&record(Version::Ipfix, &[(0, id, bytes)]), |flow| {
        check(flow.record().fields().next().unwrap().value());
    });
}

/// RFC 7011 section 6.1.2.
#[test]
fn q30_a_length_that_does_not_fit_its_type_keeps_the_bytes_and_has_no_value() {
    let long = [7; 16];
    for version in TEMPLATED {
        for (id, bytes) in [(1, &long[..9]), (8, &long[..16]), (8, &long[..3]), (27, &long[..4]), (56, &long[..8])] {
            with_flows(&record(version, &[(0, id, bytes), (0, 2, &[5])]), |flow| {
                let facts = (flow.octets(), flow.source_address(), flow.source_mac());
                assert_eq!(facts, (None, None, None), "element {id} of {} bytes", bytes.len());
                assert_eq!(flow.packets(), Some(5), "what follows is in its place");
                let field = flow.record().fields().next().unwrap();
                assert_eq!((field.bytes, field.value()), (bytes, Value::OctetArray(bytes)));
                let why = field.try_value().unwrap_err();
                assert!(matches!(why, ValueError::LengthMismatch { length, .. } if length == bytes.len()), "{why}");
            });
        }
        with_flows(&record(version, &[(0, 1, &[]), (0, 1, &long[..9]), (0, 1, &[5]), (0, 1, &[6])]), |flow| {
            assert_eq!(flow.octets(), Some(5), "the first that fits");
        });
        with_flows(&record(version, &[(0, 8, &long[..4])]), |flow| {
            assert_eq!(flow.source_address(), Some(Ipv4Addr::from([7; 4]).into()));
        });
    }
}

/// Elements of enterprises have names and types; those that nobody lists are data all the same.
#[test]
fn q45_vendors_elements_are_known_by_enterprise_and_number() {
    for (enterprise_number, id, name) in [
        (9, 12236, Some("clientIPv4Address")),
        (637, 93, Some("aluNatSubString")),
        (5951, 128, Some("roundTripTime")),
        (6871, 33, Some("silkAppLabel")),
        (6876, 883, Some("tenantSourceIPv6")),
        (35632, 118, Some("l7Proto")),
        (10704, 1, Some("timestamp")),
        (15397, 1, Some("service")),
        (9789, 1, Some("afcProtocol")),
        (41916, 4321, Some("viptelaVpnId")),
        (26866, 1, Some("httpReqUrl")),
        (56506, 137, Some("flowType")),
        (0xffff_fffe, 32767, None),
        (9, 1, None),
    ] {
        with_flows(&record(Version::Ipfix, &[(enterprise_number, id, &[1, 2, 3, 4]), (0, 1, &[5])]), |flow| {
            let field = flow.record().fields().next().unwrap();
            assert_eq!((field.name(), field.bytes), (name, &[1, 2, 3, 4][..]), "{enterprise_number}/{id}");
            assert_eq!(flow.octets(), Some(5));
        });
    }
    // NetFlow v9 has no enterprises: Palo Alto and nProbe number theirs among all.
    for (id, name) in
        [(56701, Some("paloAltoAppId")), (56702, Some("paloAltoUserId")), (57590, Some("l7Proto")), (50000, None)]
    {
        with_flows(&record(Version::V9, &[(0, id, &[1, 2]), (0, 1, &[5])]), |flow| {
            assert_eq!((flow.record().fields().next().unwrap().name(), flow.octets()), (name, Some(5)), "{id}");
        });
    }
}

/// RFC 6313: a list that cannot be read costs neither its record nor what follows.
#[test]
fn q48_lists_are_opened_in_place_and_a_broken_one_costs_itself_alone() {
    for (id, list, expected) in [
        (291, &hex!("03 0007 0002 0050 0035")[..], Ok(2)), // two ports
        (291, &hex!("03 0007 0002"), Ok(0)),
        (291, &hex!("03 00"), Err(DecodeError::new(2, Kind::ListTruncated))),
        (291, &hex!("03 0007 0000 0050"), Err(DecodeError::new(5, Kind::ListElementLength(0)))),
        (292, &hex!("03 03e7 0050"), Err(DecodeError::new(1, Kind::TemplateUnknown(999)))),
        (293, &hex!("03 03e7 0000 0050"), Err(DecodeError::new(1, Kind::ListElementLength(0)))),
    ] {
        let length = [u8::try_from(list.len()).unwrap()];
        let template = [&hex!("0100 0003 0002 0001")[..], &u16::to_be_bytes(id), &hex!("ffff 0001 0001")].concat();
        let data = [&[9][..], &length, list, &[5]].concat().repeat(2);
        let datagram =
            message(Version::Ipfix, &[&templates(Version::Ipfix, &template), &set(256, &data), &set(256, &data)]);
        with_flows(&datagram, |flow| {
            assert_eq!((flow.packets(), flow.octets()), (Some(9), Some(5)));
            let field = flow.record().fields().nth(1).unwrap();
            assert_eq!(field.bytes, list);
            let budget = ListBudget::default();
            let opened = match ListReader::new(&|_| None, &budget).open(&field) {
                Ok(Some(List::Basic(list))) => list.elements().map(|element| element.map(drop)).collect::<Vec<_>>(),
                Ok(Some(List::SubTemplateMulti(list))) => list.parts().map(|part| part.map(drop)).collect(),
                Ok(other) => panic!("{other:?}"),
                Err(error) => vec![Err(error)],
            };
            let values = opened.iter().filter(|value| value.is_ok()).count();
            let error = opened.iter().find_map(|value| value.err());
            assert_eq!(error.map_or(Ok(values), Err), expected, "{list:02x?}");
        });
    }
}

/// Cisco ASA, nProbe and Palo Alto use the upper half; IPFIX has its enterprise bit there.
/// (RFC 3954 section 8.)
#[test]
fn q46_field_types_of_v9_have_sixteen_bits() {
    for (field_type, name) in [
        (33002_u16, Some("firewallEventExtended")), // 234 without its top bit
        (57590, Some("l7Proto")),
        (56701, Some("paloAltoAppId")),
        (0x8001, None), // not octetDeltaCount
    ] {
        let field = [&hex!("0100 0002")[..], &field_type.to_be_bytes(), &hex!("0002 0001 0004")].concat();
        let datagram = message(Version::V9, &[&templates(Version::V9, &field), &set(256, &hex!("0001 00000005"))]);
        with_flows(&datagram, |flow| {
            let field = flow.record().fields().next().unwrap();
            assert_eq!((field.name(), field.specifier.id, field.specifier.enterprise_number), (name, field_type, 0));
            assert_eq!(flow.octets(), Some(5));
        });
    }
    // In IPFIX the same bytes want an enterprise number.
    let template = set(2, &hex!("0100 0002 8001 0002 0001 0004"));
    assert_eq!(receive(&message(Version::Ipfix, &[&template])).issues, [(20, Kind::TemplateTruncated(256))]);
}

/// RFC 7011 section 6.1.6.
#[test]
fn q55_text_ends_at_its_nul_padding_and_may_be_any_bytes() {
    for (sent, text) in [
        (&b"ge-0/0/1\0\0\0"[..], "ge-0/0/1"),
        (b"\0\0\0\0", ""),
        (b"uplink\r\nto core", "uplink\r\nto core"),
        (b"caf\xe9\0junk", "caf\u{fffd}"),
        (b"eth0", "eth0"),
    ] {
        with_value(82, sent, |value| match value {
            Value::String(bytes) => assert_eq!(String::from_utf8_lossy(bytes), text),
            other => panic!("{other:?}"),
        });
    }
    // Bytes that are no text keep their NULs.
    with_value(313, b"\x45\0\0\x54", |value| assert_eq!(value, Value::OctetArray(b"\x45\0\0\x54")));
}

/// H3C and Huawei send AS numbers and router addresses in two bytes, and next hops of 0.0.0.0.
/// (RFC 7011 section 6.2.)
#[test]
fn q57_reduced_numbers_of_h3c_and_huawei_are_read_and_half_an_address_is_none() {
    for version in TEMPLATED {
        let datagram = record(
            version,
            &[
                (0, 16, &hex!("fde8")),     // bgpSourceAsNumber
                (0, 17, &hex!("00fde9")),   // bgpDestinationAsNumber
                (0, 15, &hex!("00000000")), // ipNextHopIPv4Address
                (0, 43, &hex!("c000")),     // an address in two bytes
                (0, 10, &hex!("07")),       // ingressInterface
                (0, 1, &hex!("0005")),
            ],
        );
        with_flows(&datagram, |flow| {
            let numbers = [Fact::SourceAs, Fact::DestinationAs, Fact::IngressInterface].map(|fact| flow.integer(fact));
            assert_eq!(numbers, [Some(65000), Some(65001), Some(7)]);
            assert_eq!((flow.next_hop(), flow.octets()), (Some(Ipv4Addr::UNSPECIFIED.into()), Some(5)));
            assert_eq!(flow.record().fields().nth(3).unwrap().value(), Value::OctetArray(&[0xc0, 0]));
        });
        with_flows(&record(version, &[(0, 15, &hex!("c000"))]), |flow| assert_eq!(flow.next_hop(), None));
    }
}
