//! Data Records and their fields, by the rules of RFC 7011 sections 3.4.3, 6.2 and 7.
#![allow(clippy::unwrap_used)]

use flow_wire::legacy::Layout;
use flow_wire::{
    DecodeError, DecodeErrorKind as Kind, Message, RecordFront, Remainder, SetKind, Template, TemplateLimits, Value,
};
use hex_literal::hex;

/// A datagram with one Template Set and one Data Set behind a header of IPFIX.
fn datagram(template_set: &[u8], data_set: &[u8]) -> Vec<u8> {
    let mut bytes = [&hex!("000a 0000 6553f100 00000007 00000001"), template_set, data_set].concat();
    let len = u16::try_from(bytes.len()).unwrap();
    bytes[2..4].copy_from_slice(&len.to_be_bytes());
    bytes
}

/// Runs `check` on the message, its Template and its Data Set's records.
fn with_records(datagram: &[u8], check: impl FnOnce(&Template, flow_wire::Records<'_>)) {
    let message = Message::decode(datagram).unwrap();
    let sets: Vec<_> = message.sets().map(Result::unwrap).collect();
    let record = message.template_records(&sets[0]).next().unwrap().unwrap();
    let template = Template::compile(&record, &TemplateLimits::default()).unwrap();
    assert_eq!(sets[1].kind, SetKind::Data);
    check(&template, message.records(&sets[1], &template));
}

/// sourceTransportPort(7), interfaceName(82) of variable length, octetDeltaCount(1) in 3 bytes.
const PORT_NAME_OCTETS: [u8; 20] = hex!("0002 0014 0100 0003 0007 0002 0052 ffff 0001 0003");

/// RFC 7011 section 7, figures R and S: one byte of length, or 255 and two; either form for short contents.
#[test]
fn variable_length_has_two_forms() {
    let data = hex!("0100 001d" "0050 03 6c6f30 000005" "0051 ff0002 6c6f 000006" "0052 00 000007");
    with_records(&datagram(&PORT_NAME_OCTETS, &data), |template, mut records| {
        let (port, name, octets) = (template.locate(0, 7), template.locate(0, 82), template.locate(0, 1));
        let all: Vec<_> = records.by_ref().collect();
        let ports: Vec<_> = all.iter().map(|record| record.unsigned(port.unwrap())).collect();
        let names: Vec<_> = all.iter().map(|record| record.bytes(name.unwrap())).collect();
        let counts: Vec<_> = all.iter().map(|record| record.unsigned(octets.unwrap())).collect();
        assert_eq!(ports, [0x50, 0x51, 0x52]);
        assert_eq!(names, [&b"lo0"[..], b"lo", b""]);
        assert_eq!(counts, [5, 6, 7]);
        assert_eq!(records.remainder(), Remainder::Padding { len: 0, not_zero: false });
    });
}

#[test]
fn a_variable_length_past_the_set_costs_that_record_only() {
    let data = hex!("0100 0015" "0050 03 6c6f30 000005" "0051 c8 6c6f 000006");
    with_records(&datagram(&PORT_NAME_OCTETS, &data), |_, mut records| {
        assert_eq!(records.by_ref().count(), 1);
        let error = DecodeError::new(16 + 20 + 4 + 9, Kind::RecordOverrun(256));
        assert_eq!(records.remainder(), Remainder::Overrun { len: 8, error });
    });
}

/// Whatever way the records are gone through, each is found once, and what does not end in the Set is not found.
#[test]
fn fronts_are_those_of_the_records() {
    let whole = hex!("0100 0018" "0050 03 6c6f30 000005" "0051 02 6c6f 000006" "000000");
    let overrun = hex!("0100 0015" "0050 03 6c6f30 000005" "0051 c8 6c6f 000006");
    for (data, expected) in [(&whole[..], &[0x50, 0x51][..]), (&overrun, &[0x50])] {
        let bytes = datagram(&PORT_NAME_OCTETS, data);
        with_records(&bytes, |template, records| {
            let port = template.field_specifiers().next().unwrap();
            let port = template.locate(0, port.id).unwrap();
            assert!(port.is_in_front());
            let fronts: Vec<_> = records.clone().fronts().unwrap().map(|front| front.unsigned(port)).collect();
            assert_eq!(fronts, expected);
            assert_eq!(records.clone().map(|record| record.unsigned(port)).collect::<Vec<_>>(), expected);
            let mut starts = Vec::new();
            assert_eq!(records.tally_with(|start| starts.push(start)).0, expected.len());
            let found = starts.iter().map(|start| RecordFront::at(&bytes, *start, template).unwrap().unsigned(port));
            assert_eq!(found.collect::<Vec<_>>(), expected);
            assert!(RecordFront::at(&bytes, bytes.len() - 1, template).is_none(), "not whole");
            assert!(RecordFront::at(&bytes, 7, template).is_none(), "nothing in front of it");
        });
    }
}

/// Where all are of one length, they are arrays; of another length they are not.
#[test]
fn records_of_one_length_are_arrays() {
    let template = hex!("0002 000c 0100 0001 0001 0004");
    with_records(&datagram(&template, &hex!("0100 000f 00000001 00000002 000000")), |_, records| {
        let fronts = records.clone().fronts().unwrap();
        assert_eq!(fronts.as_arrays::<4>(), Some(&[[0, 0, 0, 1], [0, 0, 0, 2]][..]));
        assert_eq!(fronts.as_arrays::<5>(), None);
        assert_eq!(fronts.map(|front| front.as_bytes()[3]).collect::<Vec<_>>(), [1, 2]);
    });
}

#[test]
fn a_length_prefix_cut_short_is_an_overrun() {
    let data = hex!("0100 000a" "0050 ff00 00 00");
    with_records(&datagram(&PORT_NAME_OCTETS, &data), |_, records| {
        let (count, remainder) = records.tally();
        assert_eq!(count, 0);
        assert!(matches!(remainder, Remainder::Overrun { len: 6, .. }), "{remainder:?}");
    });
}

/// RFC 7011 section 3.4.3: a Data Record is the values of its Template's fields, in their order and with nothing between;
/// the other order gives other values.
#[test]
fn a_data_record_is_values_in_the_order_of_the_template() {
    let data = hex!("0100 0009 0006 00000c");
    let [port, octets] = [hex!("0007 0002"), hex!("0001 0003")];
    for (fields, expected) in [([port, octets], [6, 0x0c]), ([octets, port], [0x600, 0xc])] {
        let template = [&hex!("0002 0010 0100 0002")[..], &fields.concat()].concat();
        with_records(&datagram(&template, &data), |_, records| {
            let values: Vec<_> =
                records.flat_map(|record| record.fields().map(|field| field.value()).collect::<Vec<_>>()).collect();
            assert_eq!(values, expected.map(Value::Unsigned));
        });
    }
}

/// RFC 7011 section 3.3.1: padding is shorter than any record; its content is not looked at, only noted.
#[test]
fn what_is_shorter_than_a_record_is_padding() {
    let template = hex!("0002 000c 0100 0001 0001 0004");
    for (data, not_zero) in [(hex!("0100 000b 00000001 000000"), false), (hex!("0100 000b 00000001 00ff00"), true)] {
        with_records(&datagram(&template, &data), |_, records| {
            assert_eq!(records.tally(), (1, Remainder::Padding { len: 3, not_zero }));
        });
    }
}

/// RFC 7011 section 6.2: integers in fewer bytes than their type, at any width.
#[test]
fn located_integers_are_read_at_their_width() {
    for width in 1..=8_u8 {
        let template = [&hex!("0002 0010 0100 0002 0001")[..], &[0, width], &hex!("0004 0001")].concat();
        let mut value = [0; 8];
        value[7] = 0x2a;
        value[8 - usize::from(width)] |= 0x40;
        let data = [&[1, 0, 0, 5 + width][..], &value[8 - usize::from(width)..], &[6]].concat();
        with_records(&datagram(&template, &data), |template, mut records| {
            let record = records.next().unwrap();
            let expected = u64::from_be_bytes(value);
            assert_eq!(record.unsigned(template.locate(0, 1).unwrap()), expected, "{width} bytes");
            assert_eq!(record.unsigned(template.locate(0, 4).unwrap()), 6);
            assert_eq!(record.fields().next().unwrap().value(), Value::Unsigned(expected));
        });
    }
}

/// Fields behind many of variable length have no constant place; they are found by walking.
#[test]
fn fields_behind_many_variable_ones_are_found() {
    let names = hex!("0052 ffff").repeat(12);
    let set_len = 8 + names.len() as u8 + 4;
    let template = [&[0, 2, 0, set_len][..], &hex!("0100 000d"), &names, &hex!("0001 0004")].concat();
    let data = [&hex!("0100 0020")[..], &[1, b'x'].repeat(12), &hex!("0000002a")].concat();
    with_records(&datagram(&template, &data), |template, mut records| {
        let record = records.next().unwrap();
        assert_eq!(record.unsigned(template.locate(0, 1).unwrap()), 0x2a);
        assert_eq!(record.fields().count(), 13);
        assert_eq!(record.fields().nth(11).unwrap().value(), Value::String(b"x"));
    });
}

/// RFC 7011 section 8: order has meaning where an element occurs twice; the first is located.
#[test]
fn the_first_of_equal_elements_is_located() {
    let template = hex!("0002 0010 0100 0002 0008 0004 0008 0004");
    let data = hex!("0100 000c c0000201 c6336401");
    with_records(&datagram(&template, &data), |template, mut records| {
        let record = records.next().unwrap();
        assert_eq!(record.ipv4(template.locate(0, 8).unwrap()).to_string(), "192.0.2.1");
        assert_eq!(record.fields().nth(1).unwrap().bytes, hex!("c6336401"));
    });
}

#[test]
fn zero_length_fields_keep_their_place() {
    let template = hex!("0002 0014 0100 0003 0007 0002 0052 0000 000b 0002");
    let data = hex!("0100 0008 0050 01bb");
    with_records(&datagram(&template, &data), |template, mut records| {
        let record = records.next().unwrap();
        assert_eq!(record.fields().map(|field| field.bytes.len()).collect::<Vec<_>>(), [2, 0, 2]);
        assert_eq!(record.unsigned(template.locate(0, 11).unwrap()), 443);
    });
}

#[test]
fn fields_know_their_names() {
    let template = hex!("0002 0018 0100 0003 0001 0004 8001 0004 00007279 7fff 0001");
    let data = hex!("0100 000d 00000001 00000002 03");
    with_records(&datagram(&template, &data), |_, mut records| {
        let names: Vec<_> = records.next().unwrap().fields().map(|field| field.name()).collect();
        assert_eq!(names, [Some("octetDeltaCount"), Some("reverseOctetDeltaCount"), None]);
    });
}

/// RFC 3954 section 6.1: scope 2 is an interface, not packetDeltaCount; above the five kinds scopes are elements.
#[test]
fn v9_scope_fields_know_their_kind() {
    let datagram = hex!(
        "0009 0002 00000fa0 6553f100 00000007 00000001"
        "0001 0016 0100 0008 0004 0002 0004 0052 0002 0002 0002"
        "0100 000c 00000007 6c6f 0005"
    );
    let message = Message::decode(&datagram).unwrap();
    let sets: Vec<_> = message.sets().map(Result::unwrap).collect();
    let record = message.template_records(&sets[0]).next().unwrap().unwrap();
    let template = Template::compile(&record, &TemplateLimits::default()).unwrap();
    let record = message.records(&sets[1], &template).next().unwrap();
    let fields: Vec<_> = record.fields().map(|field| (field.name().unwrap(), field.value())).collect();
    let expected = [
        ("scopeInterface", Value::Unsigned(7)),
        ("interfaceName", Value::String(b"lo")),
        ("packetDeltaCount", Value::Unsigned(5)),
    ];
    assert_eq!(fields, expected);
}

#[test]
fn a_locator_of_another_template_never_panics() {
    let long = hex!("0002 0010 0100 0002 0052 ffff 001b 0010");
    let locator = {
        let data = [&hex!("0100 0015")[..], &[0; 17]].concat();
        let mut found = None;
        with_records(&datagram(&long, &data), |template, _| found = template.locate(0, 27));
        found.unwrap()
    };
    with_records(&datagram(&hex!("0002 000c 0100 0001 0001 0001"), &hex!("0100 0005 07")), |_, mut records| {
        let record = records.next().unwrap();
        let _ = (record.bytes(locator), record.unsigned(locator), record.ipv6(locator));
        assert_eq!(record.as_bytes(), [7]);
    });
}

/// The fields of each aggregation scheme of v8 that are not padding, as id and bytes: every byte of the record holds its
/// own offset.
#[test]
fn v8_fields_lie_where_the_scheme_has_them() {
    const SUM: &str = "3@0+4 2@4+4 1@8+4 22@12+4 21@16+4 ";
    const PREFIXES: &str = "44@20+4 45@24+4 13@28+1 9@29+1 ";
    for (scheme, head, expected) in [
        (1, SUM, "16@20+2 17@22+2 10@24+2 14@26+2"),
        (2, SUM, "4@20+1 7@24+2 11@26+2"),
        (3, SUM, "44@20+4 9@24+1 16@26+2 10@28+2"),
        (4, SUM, "45@20+4 13@24+1 17@26+2 14@28+2"),
        (5, SUM, "{PREFIXES}16@32+2 17@34+2 10@36+2 14@38+2"),
        (6, "", "12@0+4 2@4+4 1@8+4 22@12+4 21@16+4 14@20+2 5@22+1 43@28+4"),
        (7, "", "12@0+4 8@4+4 2@8+4 1@12+4 22@16+4 21@20+4 14@24+2 10@26+2 5@28+1 43@36+4"),
        (8, "", "12@0+4 8@4+4 11@8+2 7@10+2 2@12+4 1@16+4 22@20+4 21@24+4 14@28+2 10@30+2 5@32+1 4@33+1 43@40+4"),
        (9, SUM, "16@20+2 17@22+2 10@24+2 14@26+2 5@28+1"),
        (10, SUM, "4@20+1 5@21+1 7@24+2 11@26+2 10@28+2 14@30+2"),
        (11, SUM, "44@20+4 9@24+1 5@25+1 16@26+2 10@28+2"),
        (12, SUM, "45@20+4 13@24+1 5@25+1 17@26+2 14@28+2"),
        (13, SUM, "{PREFIXES}5@30+1 16@32+2 17@34+2 10@36+2 14@38+2"),
        (14, SUM, "{PREFIXES}5@30+1 4@31+1 7@32+2 11@34+2 10@36+2 14@38+2"),
    ] {
        let mut datagram = hex!("0008 0001 00000fa0 6553f100 00000005 0000000a 03 05 00 02 00000000").to_vec();
        datagram[22] = scheme;
        datagram.extend(0..44);
        let message = Message::decode(&datagram).unwrap();
        let (set, template) = (message.sets().next().unwrap().unwrap(), Layout::of(&message).unwrap().template());
        let record = message.records(&set, &template).next().unwrap();
        let fields = record.fields().filter(|field| field.specifier.id != 210);
        let fields: Vec<_> =
            fields.map(|field| format!("{}@{}+{}", field.specifier.id, field.bytes[0], field.bytes.len())).collect();
        assert_eq!(fields.join(" "), format!("{head}{}", expected.replace("{PREFIXES}", PREFIXES)), "scheme {scheme}");
    }
}
