use hex_literal::hex;

use super::*;

const MACS: [u8; 12] = hex!("02 00 00 00 00 02 02 00 00 00 00 01");
const SOURCE: [u8; 4] = [192, 0, 2, 1];
const DESTINATION: [u8; 4] = [198, 51, 100, 2];
/// Ports 53 and 5353, length 8, checksum.
const UDP_53: [u8; 8] = hex!("0035 14e9 0008 0000");
/// Ports 443 and 50000; SYN and ACK.
const TCP_443: [u8; 20] = hex!("01bb c350 00000001 00000002 5012 ffff 0000 0000");

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    [&MACS[..], &ether_type.to_be_bytes(), payload].concat()
}

/// Fragment flags and offset as in the header: more fragments is 0x2000, offsets count 8 bytes.
fn ipv4_fragment(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [length, id, fragment] = [20 + payload.len() as u16, 7, fragment].map(u16::to_be_bytes);
    let head = [&[0x45, 0xb9][..], &length, &id, &fragment, &[64, protocol, 0, 0], &SOURCE, &DESTINATION];
    [&head.concat(), payload].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, payload)
}

fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u16).to_be_bytes();
    let addresses = hex!("2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002");
    [&hex!("6b9 12345")[..], &length, &[next_header, 63], &addresses, payload].concat()
}

fn udp(destination: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len() as u16).to_be_bytes();
    [&hex!("c001")[..], &destination.to_be_bytes(), &length, &[0, 0], payload].concat()
}

fn read(start: Start, section: &[u8]) -> SampledPacket {
    SampledPacket::read(start, section).unwrap()
}

fn frame(ether_type: u16, payload: &[u8]) -> PacketHeaders {
    read(Start::Ethernet, &ethernet(ether_type, payload)).outer
}

fn inner(payload: &[u8]) -> Option<(Tunnel, Option<(u16, u16)>)> {
    let inner = read(Start::Ip, payload).inner?;
    Some((inner.tunnel, inner.headers.ports))
}

#[test]
fn a_frame_is_read_from_mac_to_ports() {
    let headers = frame(0x0800, &ipv4(6, &TCP_443));
    let macs = headers.ethernet.unwrap();
    assert_eq!((macs.source[5], macs.destination[5]), (1, 2));
    let ip = headers.ip.unwrap();
    assert_eq!((ip.source, ip.destination), (SOURCE.into(), DESTINATION.into()));
    assert_eq!((ip.protocol, ip.time_to_live, ip.class_of_service, ip.flow_label), (Some(6), 64, 0xb9, None));
    assert_eq!((headers.ports, headers.tcp_flags, headers.icmp), (Some((443, 50_000)), Some(0x12), None));
    assert!(!ip.is_fragment && headers.vlans.is_empty() && headers.mpls_labels.is_empty());
}

/// IEEE 802.1ad: service tag outside, customer tag inside.
#[test]
fn vlan_tags_are_listed_from_the_outside() {
    let tags = [&hex!("e064 8100 0065 0800")[..], &ipv4(17, &UDP_53)].concat();
    let headers = frame(0x88a8, &tags);
    assert_eq!(*headers.vlans, [100, 101]);
    assert_eq!(headers.ports, Some((53, 5353)));
    assert_eq!(*frame(0x88a8, &tags[..6]).vlans, [100], "the second tag is cut off");
}

/// RFC 3032 section 2.1: the bit at the bottom of the stack.
#[test]
fn mpls_labels_end_at_the_bottom_of_the_stack() {
    let labels = hex!("00064 040 00065 140");
    let packet = [&labels[..], &ipv6(17, &UDP_53)].concat();
    for headers in [frame(0x8847, &packet), read(Start::MPLS, &packet).outer] {
        assert_eq!(*headers.mpls_labels, [100, 101]);
        assert_eq!((headers.ip.unwrap().flow_label, headers.ports), (Some(0x12345), Some((53, 5353))));
    }
    let no_bottom = frame(0x8847, &hex!("00064 040").repeat(20));
    assert_eq!((&*no_bottom.mpls_labels, no_bottom.ip), (&[100; 8][..], None));
}

/// RFC 8200 section 4, RFC 8754: the protocol stands behind the extension headers.
#[test]
fn ipv6_extension_headers_are_left_behind() {
    let hop_by_hop = hex!("2b 00 0104 00000000");
    let segment_routing = [&hex!("11 02 04 00 00 00 0000")[..], &[0xfd; 16]].concat();
    let packet = ipv6(0, &[&hop_by_hop[..], &segment_routing, &UDP_53].concat());
    let headers = read(Start::Ip, &packet).outer;
    assert_eq!((headers.ip.unwrap().protocol, headers.ports), (Some(17), Some((53, 5353))));
    assert_eq!(headers.ip.unwrap().class_of_service, 0xb9);
    let cut = read(Start::Ip, &packet[..60]).outer;
    assert_eq!((cut.ip.unwrap().protocol, cut.ports), (None, None), "the protocol is not in the section");
    assert_eq!(read(Start::Ip, &ipv6(50, &[1; 8])).outer.ip.unwrap().protocol, Some(50), "ESP is a protocol");
}

/// RFC 791 section 3.2: the transport header is in the fragment with offset 0.
#[test]
fn only_the_first_fragment_has_ports() {
    let ports = |fragment| {
        let headers = read(Start::Ip, &ipv4_fragment(17, fragment, &UDP_53)).outer;
        (headers.ip.unwrap().is_fragment, headers.ip.unwrap().fragment_offset, headers.ports)
    };
    assert_eq!(ports(0x2000), (true, 0, Some((53, 5353))));
    assert_eq!(ports(0x2001), (true, 8, None));
    let v6 = |fragment: [u8; 2]| {
        let header = [&[17, 0], &fragment[..], &[0, 0, 0, 9], &UDP_53].concat();
        let headers = read(Start::Ip, &ipv6(44, &header)).outer;
        (headers.ip.unwrap().is_fragment, headers.ip.unwrap().fragment_offset, headers.ports)
    };
    assert_eq!(v6([0, 1]), (true, 0, Some((53, 5353))));
    assert_eq!(v6([0, 8]), (true, 8, None));
    assert_eq!(v6([0, 0]), (false, 0, Some((53, 5353))), "an atomic fragment is a whole packet (RFC 6946)");
}

#[test]
fn icmp_has_type_and_code_and_no_ports() {
    let icmp = Some(Icmp { kind: 3, code: Some(1) });
    for packet in [ipv4(1, &hex!("0301 0000 00000000")), ipv6(58, &hex!("0301 0000 00000000"))] {
        let headers = read(Start::Ip, &packet).outer;
        assert_eq!((headers.icmp, headers.ports), (icmp, None));
    }
}

/// RFC 4302: in IPv4 the authentication header is the protocol.
#[test]
fn what_an_authentication_header_protects_is_not_the_protocol() {
    let header = [&hex!("06 01 0000 00000001 00000001")[..], &TCP_443].concat();
    let headers = read(Start::Ip, &ipv4(51, &header)).outer;
    assert_eq!((headers.ip.unwrap().protocol, headers.ports), (Some(51), None));
}

#[test]
fn tunnels_show_the_packet_inside() {
    let payload = ipv4(17, &UDP_53);
    let inside = ethernet(0x0800, &payload);
    let ports = Some((53, 5353));
    let join = |head: &[u8], rest: &[u8]| [head, rest].concat();
    // RFC 2784 section 2, RFC 2890 section 2: checksum, key and sequence number are there where their bits are set.
    assert_eq!(inner(&ipv4(47, &join(&hex!("0000 0800"), &payload))), Some((Tunnel::Gre { key: None }, ports)));
    let all = hex!("b000 6558 00000000 00000102 00000003");
    assert_eq!(inner(&ipv6(47, &join(&all, &inside))), Some((Tunnel::Gre { key: Some(0x102) }, ports)));
    // RFC 7348 section 5.
    let vxlan = join(&hex!("08000000 00012c 00"), &inside);
    assert_eq!(inner(&ipv4(17, &udp(4789, &vxlan))), Some((Tunnel::Vxlan { vni: 300 }, ports)));
    // RFC 8926 section 3.4: one option of 8 bytes.
    let geneve = join(&hex!("0200 6558 00012c 00 0102 0001 00000000"), &inside);
    assert_eq!(inner(&ipv4(17, &udp(6081, &geneve))), Some((Tunnel::Geneve { vni: 300 }, ports)));
    assert_eq!(inner(&ipv4(4, &payload)), Some((Tunnel::IpInIp, ports)));
    assert_eq!(inner(&ipv4(41, &ipv6(17, &UDP_53))), Some((Tunnel::IpInIp, ports)));
}

#[test]
fn what_only_looks_like_a_tunnel_has_nothing_inside() {
    let payload = ipv4(17, &UDP_53);
    let inside = ethernet(0x0800, &payload);
    let join = |head: &[u8], rest: &[u8]| [head, rest].concat();
    assert_eq!(inner(&ipv4(47, &join(&hex!("2001 880b 00000000"), &payload))), None, "PPTP");
    assert_eq!(inner(&ipv4(47, &join(&hex!("4000 0800"), &payload))), None, "source routes");
    assert_eq!(inner(&ipv4(17, &udp(4789, &join(&hex!("00000000 00012c 00"), &inside)))), None, "no VNI");
    assert_eq!(inner(&ipv4(17, &udp(6081, &join(&hex!("4000 6558 00012c 00"), &inside)))), None, "version 1");
    assert_eq!(inner(&ipv4(17, &udp(6081, &hex!("3f00 6558 00012c 00")))), None, "options past the end");
    assert_eq!(inner(&ipv4(17, &udp(4790, &join(&hex!("08000000 00012c 00"), &inside)))), None, "another port");
    let late = ipv4_fragment(4, 0x2001, &payload);
    assert_eq!(inner(&late), None, "not the start of the payload");
}

/// Tunnels in tunnels end with the first, whatever a packet claims.
#[test]
fn only_the_first_tunnel_is_opened() {
    let nested = (0..400).fold(ipv4(17, &UDP_53), |packet, _| ipv4(4, &packet));
    let packet = read(Start::Ip, &nested);
    assert_eq!(packet.inner.unwrap().headers.ip.unwrap().protocol, Some(4));
}

#[test]
fn ports_are_read_from_as_few_bytes_as_they_have() {
    let packet = ipv4(6, &TCP_443);
    for len in 0..packet.len() {
        let headers = SampledPacket::read(Start::Ip, &packet[..len]).map(|packet| packet.outer);
        assert_eq!(headers.is_some(), len >= 20, "{len} bytes");
        assert_eq!(headers.and_then(|headers| headers.ports).is_some(), len >= 24, "{len} bytes");
        assert_eq!(headers.and_then(|headers| headers.tcp_flags).is_some(), len >= 34, "{len} bytes");
    }
}

proptest::proptest! {
    /// Any bytes: what is read lies in the section, and reading ends.
    #[test]
    fn random_sections_never_panic(
        section in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        protocol in proptest::num::u8::ANY,
    ) {
        for start in [Start::Ethernet, Start::Ip, Start::MPLS, Start::Transport(protocol)] {
            SampledPacket::read(start, &section);
        }
        for tunnel in [ipv4(47, &section), ipv4(17, &udp(6081, &section)), ipv4(17, &udp(4789, &section)), ipv6(protocol, &section)] {
            SampledPacket::read(Start::Ip, &tunnel);
        }
    }
}
