//! Inputs to begin with, where captures of real exporters have none.

use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession, Version};
use flow_wire::encode::{self, MessageWriter, TemplateDefinition};
use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, VARIABLE_LENGTH};

use crate::invariants;

/// Datagrams with a sampled packet each: in every element that holds one, and through every kind of tunnel.
pub fn packets() -> Vec<(&'static str, Vec<u8>)> {
    let plain = udp(5353, b"");
    let inner = ipv4(17, &plain);
    let tunnelled = |port: u16, head: [u8; 8]| ipv4(17, &udp(port, &[&head[..], &frame(&inner)].concat()));
    [
        ("frame", id::DATA_LINK_FRAME_SECTION, frame(&inner)),
        ("layer2", id::LAYER2PACKET_SECTION_DATA, frame(&inner)),
        ("ip", id::IP_HEADER_PACKET_SECTION, inner.clone()),
        ("ip-payload", id::IP_PAYLOAD_PACKET_SECTION, plain),
        ("mpls", id::MPLS_LABEL_STACK_SECTION, [&[0, 6, 0x41, 0x40], &inner[..]].concat()),
        ("mpls-payload", id::MPLS_PAYLOAD_PACKET_SECTION, inner.clone()),
        ("gre", id::IP_HEADER_PACKET_SECTION, ipv4(47, &[&[0x20, 0, 8, 0, 0, 0, 0, 9], &inner[..]].concat())),
        ("vxlan", id::IP_HEADER_PACKET_SECTION, tunnelled(4789, [8, 0, 0, 0, 0, 0, 9, 0])),
        ("geneve", id::IP_HEADER_PACKET_SECTION, tunnelled(6081, [0, 0, 0x65, 0x58, 0, 0, 9, 0])),
        ("ipip", id::IP_HEADER_PACKET_SECTION, ipv4(4, &inner)),
    ]
    .map(|(name, element, section)| (name, sampled(element, &section)))
    .into()
}

/// A datagram with options data of every kind that is joined to flows, and a Template of flows.
pub fn options() -> Vec<u8> {
    let element = 4242_u32.to_be_bytes();
    // The first field is the scope.
    let tables: [&[(u16, &[u8])]; 8] = [
        &[(id::SAMPLER_ID, &[9]), (id::SAMPLER_RANDOM_INTERVAL, &[0, 100])],
        &[(id::INGRESS_INTERFACE, &[3]), (id::SAMPLING_INTERVAL, &[0, 10])],
        &[(id::TEMPLATE_ID, &[1, 0]), (id::SAMPLING_INTERVAL, &[0, 20])],
        &[(id::OBSERVATION_DOMAIN_ID, &[0, 0, 0, 7]), (id::SAMPLING_INTERVAL, &[0, 30])],
        &[(id::INGRESS_INTERFACE, &[3]), (id::INTERFACE_NAME, b"eth3")],
        &[(id::INGRESS_VRF_ID, &[5]), (id::VRF_NAME, b"blue")],
        &[(id::APPLICATION_ID, &[3, 80]), (id::APPLICATION_NAME, b"http")],
        &[
            (id::OBSERVATION_DOMAIN_ID, &[0, 0, 0, 7]),
            (id::SYSTEM_INIT_TIME_MILLISECONDS, &[0, 0, 1, 139, 207, 0, 0, 0]),
        ],
    ];
    let learned: &[(u16, &[u8])] = &[
        (id::PRIVATE_ENTERPRISE_NUMBER, &element),
        (id::INFORMATION_ELEMENT_ID, &[0, 5]),
        (id::INFORMATION_ELEMENT_DATA_TYPE, &[1]),
        (id::INFORMATION_ELEMENT_NAME, b"colour"),
    ];
    let mut writer = MessageWriter::new();
    writer.begin(&encode::header(Version::Ipfix, Timestamp::from_unix_seconds(1_700_000_000), 0, 7));
    let octets = FieldSpecifier { enterprise_number: 0, id: id::OCTET_DELTA_COUNT, length: 4 };
    writer.template_set(&[TemplateDefinition::new(256, &[octets])]);
    for (template_id, fields) in (257..).zip(tables.into_iter().chain([learned])) {
        let specifiers: Vec<_> = fields
            .iter()
            .map(|(id, value)| FieldSpecifier { enterprise_number: 0, id: *id, length: value.len() as u16 })
            .collect();
        writer.options_template_set(&[TemplateDefinition::options(template_id, 1, &specifiers)]).data_set(template_id);
        writer.record().bytes(&fields.iter().flat_map(|(_, value)| *value).copied().collect::<Vec<_>>());
    }
    writer.finish().unwrap().to_vec()
}

/// Captures: pcapng with a datagram in each kind of block, and a datagram in fragments of IPv4 and of IPv6.
pub fn captures() -> Vec<(&'static str, Vec<u8>)> {
    let whole = udp(2055, b"0123456789abcdef");
    let inner = ipv4(17, &whole);
    let length = inner.len() as u32;
    let mut pcapng = block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
    let words = |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    pcapng.extend(block(1, &words(&[101, 0, 0x0001_0009, 9, 0]))); // if_tsresol: nanoseconds
    pcapng.extend(block(6, &[words(&[0, 0, 0, length, length]), inner.clone()].concat()));
    pcapng.extend(block(2, &[words(&[0, 0, 0, length, length]), inner.clone()].concat()));
    pcapng.extend(block(3, &[words(&[length]), inner].concat()));
    let (head, tail) = whole.split_at(16);
    let v4 = |offset_and_more: [u8; 2], bytes: &[u8]| {
        let mut packet = ipv4(17, bytes);
        packet[6..8].copy_from_slice(&offset_and_more);
        packet
    };
    let v6 = |offset_and_more: [u8; 2], bytes: &[u8]| {
        let [high, low] = offset_and_more;
        ipv6(44, &[&[17, 0, high, low, 0, 0, 0, 7], bytes].concat())
    };
    let fragments = [v4([0, 2], tail), v4([0x20, 0], head), v6([0, 1], head), v6([0, 16], tail)];
    vec![("pcapng", pcapng), ("fragments", pcap(&fragments))]
}

/// The body of a snapshot of all that an exporter told in these datagrams.
pub fn snapshot_of<'a>(datagrams: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (state, mut decoded) = (State::new(StateConfig::default()), Decoded::default());
    let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
    for bytes in datagrams {
        let received_at = Timestamp::from_unix_seconds(1_700_000_000);
        state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    }
    invariants::snapshot_body(&state)
}

/// An IPFIX Message with the protocol, UDP, and a section of a packet.
fn sampled(element: u16, section: &[u8]) -> Vec<u8> {
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let fields = [field(id::PROTOCOL_IDENTIFIER, 1), field(element, VARIABLE_LENGTH)];
    let mut writer = MessageWriter::new();
    writer.begin(&encode::header(Version::Ipfix, Timestamp::from_unix_seconds(1_700_000_000), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    writer.record().unsigned(1, 17).variable(section);
    writer.finish().unwrap().to_vec()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() + 8) as u16;
    [&[0, 53], &port.to_be_bytes()[..], &length.to_be_bytes(), &[0, 0], payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = ((payload.len() + 20) as u16).to_be_bytes();
    let header = [0x45, 0, high, low, 0, 7, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 198, 51, 100, 2];
    [&header, payload].concat()
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    [&[0x60, 0, 0, 0, high, low, next_header, 64], &[0x20; 32][..], payload].concat()
}

fn frame(packet: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0], packet].concat()
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = body.len().next_multiple_of(4) - body.len();
    let length = ((12 + body.len() + padding) as u32).to_le_bytes();
    [&kind.to_le_bytes(), &length[..], body, &[0; 3][..padding], &length].concat()
}

fn pcap(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for packet in packets {
        let length = (packet.len() as u32).to_le_bytes();
        file.extend([&[0; 8], &length[..], &length, packet].concat());
    }
    file
}
