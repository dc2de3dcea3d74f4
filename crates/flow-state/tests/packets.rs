//! Packets in records: which elements hold them, and when they do not.
#![allow(clippy::unwrap_used)]

use flow_state::{Datagram, Decoded, SampledPacket, State, StateConfig, Timestamp, TransportSession, Version};
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, VARIABLE_LENGTH};
use hex_literal::hex;

const UDP: [u8; 8] = hex!("0035 14e9 0008 0000");
const IP: [u8; 28] = hex!("45b9 001c 0007 0000 40 11 0000 c0000201 c6336402 0035 14e9 0008 0000");
const FRAME: [u8; 42] =
    hex!("020000000002 020000000001 0800 45b9 001c 0007 0000 40 11 0000 c0000201 c6336402 0035 14e9 0008 0000");
const LABELLED: [u8; 32] = hex!("00064140 45b9 001c 0007 0000 40 11 0000 c0000201 c6336402 0035 14e9 0008 0000");

/// The packet of a record with these integers of two bytes and this section.
fn packet(integers: &[(u16, u16)], section: u16, bytes: &[u8]) -> Option<SampledPacket> {
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let mut fields: Vec<_> = integers.iter().map(|(id, _)| field(*id, 2)).collect();
    fields.push(field(section, VARIABLE_LENGTH));
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(1_700_000_000), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    let values: Vec<u8> = integers.iter().flat_map(|(_, value)| value.to_be_bytes()).collect();
    writer.record().bytes(&values).variable(bytes);
    let bytes = writer.finish().unwrap();
    let session = TransportSession::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:2055".parse().unwrap());
    let mut decoded = Decoded::default();
    let received_at = Timestamp::from_unix_seconds(1_700_000_000);
    State::new(StateConfig::default()).decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    decoded.data_sets(bytes).next().unwrap().flows().next().unwrap().packet()
}

/// RFC 5477 section 8.5, and element 104.
#[test]
fn each_section_element_begins_at_its_own_layer() {
    for (section, bytes) in [
        (id::DATA_LINK_FRAME_SECTION, &FRAME[..]),
        (id::LAYER2PACKET_SECTION_DATA, &FRAME),
        (id::IP_HEADER_PACKET_SECTION, &IP),
        (id::MPLS_LABEL_STACK_SECTION, &LABELLED),
        (id::MPLS_PAYLOAD_PACKET_SECTION, &IP),
    ] {
        let outer = packet(&[], section, bytes).unwrap().outer;
        assert_eq!(outer.ports, Some((53, 5353)), "element {section}");
        assert_eq!(outer.ip.unwrap().destination.to_string(), "198.51.100.2");
        assert_eq!(outer.ethernet.is_some(), bytes.len() == FRAME.len());
        assert_eq!(outer.mpls_labels.first().copied(), (bytes.len() == LABELLED.len()).then_some(100));
    }
}

#[test]
fn the_payload_of_an_ip_packet_needs_the_protocol_of_the_record() {
    let ports =
        |integers: &[_]| packet(integers, id::IP_PAYLOAD_PACKET_SECTION, &UDP).and_then(|packet| packet.outer.ports);
    assert_eq!(ports(&[(id::PROTOCOL_IDENTIFIER, 17)]), Some((53, 5353)));
    assert_eq!(ports(&[(id::PROTOCOL_IDENTIFIER, 47)]), None);
    assert_eq!(ports(&[]), None);
}

/// RFC 7133 sections 4.1 and 4.2: the section may begin inside the packet, or be a frame of another kind.
#[test]
fn a_section_from_elsewhere_is_not_read() {
    let frame = |integers: &[_]| packet(integers, id::DATA_LINK_FRAME_SECTION, &FRAME).is_some();
    assert!(frame(&[(id::SECTION_OFFSET, 0), (id::DATA_LINK_FRAME_TYPE, 1)]));
    assert!(!frame(&[(id::SECTION_OFFSET, 14), (id::DATA_LINK_FRAME_TYPE, 1)]));
    assert!(!frame(&[(id::SECTION_OFFSET, 0), (id::DATA_LINK_FRAME_TYPE, 2)]), "IEEE 802.11");
    assert!(!frame(&[(id::LAYER2PACKET_SECTION_OFFSET, 14)]));
    assert!(packet(&[], id::DATA_LINK_FRAME_SECTION, &FRAME[..13]).is_none());
    assert!(packet(&[], id::OCTET_DELTA_COUNT, &FRAME).is_none());
}
