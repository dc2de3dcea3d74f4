//! What our program does with a frame, in plain Rust: what tests hold the program to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::flows::FlowKey;

/// The EtherType of IPv4.
pub(super) const IPV4: u16 = 0x0800;
/// The EtherType of ARP.
pub(super) const ARP: u16 = 0x0806;
/// The EtherType of IPv6.
pub(super) const IPV6: u16 = 0x86dd;
/// The EtherTypes of VLAN tags (IEEE 802.1Q, 802.1ad).
pub(super) const TAGS: [u16; 2] = [0x8100, 0x88a8];
/// Most VLAN tags that are looked behind.
pub(super) const MAX_TAGS: usize = 2;

/// Numbers of IANA's registry of protocols.
pub(super) mod number {
    pub(crate) const ICMP: u8 = 1;
    pub(crate) const TCP: u8 = 6;
    pub(crate) const UDP: u8 = 17;
    pub(crate) const FRAGMENT: u8 = 44;
    pub(crate) const ICMPV6: u8 = 58;
    pub(crate) const SCTP: u8 = 132;
    /// Extension headers of IPv6 that say their length: hop-by-hop options, routing, destination options.
    pub(crate) const EXTENSIONS: [u8; 3] = [0, 43, 60];
}

/// Most extension headers of IPv6 that are looked behind.
pub(super) const MAX_EXTENSIONS: usize = 4;

/// What a packet is counted under, in `xdp_proto_stats`; its number is the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u32)]
pub enum Protocol {
    /// TCP, over IPv4 or IPv6.
    Tcp,
    /// UDP, over IPv4 or IPv6.
    Udp,
    /// ICMP over IPv4.
    Icmp,
    /// `ICMPv6` over IPv6.
    Icmpv6,
    /// Another protocol over IPv4, or an IPv4 header that is none.
    OtherIpv4,
    /// Another protocol over IPv6, or an IPv6 header that is none, or more than four extension headers.
    OtherIpv6,
    /// ARP.
    Arp,
    /// Any other EtherType, a third VLAN tag among them, or a frame that ends before it.
    NonIp,
}

impl Protocol {
    /// All of them, each at its number.
    pub const ALL: [Self; 8] =
        [Self::Tcp, Self::Udp, Self::Icmp, Self::Icmpv6, Self::OtherIpv4, Self::OtherIpv6, Self::Arp, Self::NonIp];

    /// Its name in metrics, as in `xdp.tcp.packets`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
            Self::Icmpv6 => "icmpv6",
            Self::OtherIpv4 => "other_ipv4",
            Self::OtherIpv6 => "other_ipv6",
            Self::Arp => "arp",
            Self::NonIp => "non_ip",
        }
    }
}

/// What is known of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classified {
    /// What it counts under.
    pub protocol: Protocol,
    /// Of a packet with a whole IP header.
    pub flow: Option<FlowPacket>,
}

/// What a packet adds to its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowPacket {
    /// The flow.
    pub key: FlowKey,
    /// From the IP header on, as it says, and never more than there are: as `octetDeltaCount` of IPFIX counts.
    pub bytes: u64,
    /// Of the TCP header, without those of byte 12; zero without one.
    pub tcp_flags: u8,
}

/// Looks at an Ethernet frame as our program does.
pub fn classify(frame: &[u8]) -> Classified {
    let counted = |protocol| Classified { protocol, flow: None };
    let Some((header, mut rest)) = frame.split_first_chunk::<14>() else { return counted(Protocol::NonIp) };
    let mut ether_type = network16(header, 12);
    for _ in 0..MAX_TAGS {
        if !TAGS.contains(&ether_type) {
            break;
        }
        let Some((tag, behind)) = rest.split_first_chunk::<4>() else { return counted(Protocol::NonIp) };
        (ether_type, rest) = (network16(tag, 2), behind);
    }
    match ether_type {
        IPV4 => ipv4(rest).unwrap_or(counted(Protocol::OtherIpv4)),
        IPV6 => ipv6(rest).unwrap_or(counted(Protocol::OtherIpv6)),
        ARP => counted(Protocol::Arp),
        _ => counted(Protocol::NonIp),
    }
}

fn ipv4(packet: &[u8]) -> Option<Classified> {
    let header = packet.first_chunk::<20>()?;
    let header_len = usize::from(header[0] & 15) * 4;
    if header[0] >> 4 != 4 || header_len < 20 {
        return None;
    }
    let segment = packet.get(header_len..)?;
    let protocol = header[9];
    let is_first = network16(header, 6) & 0x1fff == 0;
    let [source, destination] = [12, 16].map(|at| {
        let [a, b, c, d] = [0, 1, 2, 3].map(|byte| header[at + byte]);
        IpAddr::V4(Ipv4Addr::new(a, b, c, d))
    });
    let counted = match protocol {
        number::TCP => Protocol::Tcp,
        number::UDP => Protocol::Udp,
        number::ICMP => Protocol::Icmp,
        _ => Protocol::OtherIpv4,
    };
    let (ports, tcp_flags) = if is_first { transport(protocol, segment) } else { ([0; 2], 0) };
    let key = FlowKey { source, destination, source_port: ports[0], destination_port: ports[1], protocol };
    let bytes = said_or_there(usize::from(network16(header, 2)), packet);
    Some(Classified { protocol: counted, flow: Some(FlowPacket { key, bytes, tcp_flags }) })
}

fn ipv6(packet: &[u8]) -> Option<Classified> {
    let (header, mut rest) = packet.split_first_chunk::<40>()?;
    if header[0] >> 4 != 6 {
        return None;
    }
    let [source, destination] = [8, 24].map(|at| {
        let mut octets = [0; 16];
        octets.copy_from_slice(&header[at..at + 16]);
        IpAddr::V6(Ipv6Addr::from(octets))
    });
    let (mut protocol, mut is_first) = (header[6], true);
    for _ in 0..MAX_EXTENSIONS {
        if !number::EXTENSIONS.contains(&protocol) && protocol != number::FRAGMENT {
            break;
        }
        let Some(extension) = rest.first_chunk::<8>() else { break };
        let is_fragment = protocol == number::FRAGMENT;
        let len = if is_fragment { 8 } else { (usize::from(extension[1]) + 1) * 8 };
        protocol = extension[0];
        rest = rest.get(len..).unwrap_or_default();
        if is_fragment && network16(extension, 2) & 0xfff8 != 0 {
            is_first = false;
            break;
        }
    }
    let counted = match protocol {
        number::TCP => Protocol::Tcp,
        number::UDP => Protocol::Udp,
        number::ICMPV6 => Protocol::Icmpv6,
        _ => Protocol::OtherIpv6,
    };
    let (ports, tcp_flags) = if is_first { transport(protocol, rest) } else { ([0; 2], 0) };
    let key = FlowKey { source, destination, source_port: ports[0], destination_port: ports[1], protocol };
    let payload = usize::from(network16(header, 4));
    // Zero is that of a jumbogram (RFC 2675).
    let bytes = said_or_there(if payload == 0 { 0 } else { payload + header.len() }, packet);
    Some(Classified { protocol: counted, flow: Some(FlowPacket { key, bytes, tcp_flags }) })
}

/// Ports and TCP flags, zeros for those that there are none of.
fn transport(protocol: u8, segment: &[u8]) -> ([u16; 2], u8) {
    let has_ports = matches!(protocol, number::TCP | number::UDP | number::SCTP);
    let Some(ports) = segment.first_chunk::<4>().filter(|_| has_ports) else { return ([0; 2], 0) };
    let flags = if protocol == number::TCP { segment.get(13).copied() } else { None };
    ([network16(ports, 0), network16(ports, 2)], flags.unwrap_or(0))
}

/// The length that the header has, unless that is zero, as after segmentation offload, or more than there is.
fn said_or_there(said: usize, packet: &[u8]) -> u64 {
    let len = if said == 0 { packet.len() } else { said.min(packet.len()) };
    len as u64
}

fn network16<const N: usize>(header: &[u8; N], at: usize) -> u16 {
    u16::from_be_bytes([header[at], header[at + 1]])
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    const ETHERNET: [u8; 12] = hex!("020000000001 020000000002");
    const TCP_SYN: [u8; 20] = hex!("d431 01bb 00000001 00000000 50 02 faf0 0000 0000");

    fn frame(parts: &[&[u8]]) -> Vec<u8> {
        [&[&ETHERNET[..]], parts].concat().concat()
    }

    fn counted(parts: &[&[u8]]) -> &'static str {
        classify(&frame(parts)).protocol.name()
    }

    fn flow(parts: &[&[u8]]) -> (String, u64, u8) {
        let FlowPacket { key, bytes, tcp_flags } = classify(&frame(parts)).flow.unwrap();
        let FlowKey { source, destination, source_port, destination_port, protocol } = key;
        (format!("{source} {source_port} {destination} {destination_port} {protocol}"), bytes, tcp_flags)
    }

    #[test]
    fn numbers_are_places() {
        assert!(Protocol::ALL.iter().enumerate().all(|(place, protocol)| *protocol as usize == place));
    }

    #[test]
    fn tells_protocols_apart_behind_two_tags() {
        let ipv4 = hex!("45 00 0028 0000 4000 40 06 0000 c0000201 c6336402");
        assert_eq!(counted(&[&hex!("0800"), &ipv4, &TCP_SYN]), "tcp");
        assert_eq!(counted(&[&hex!("8100 0001 0800"), &ipv4, &TCP_SYN]), "tcp");
        assert_eq!(counted(&[&hex!("88a8 0001 8100 0001 0800"), &ipv4, &TCP_SYN]), "tcp");
        assert_eq!(counted(&[&hex!("88a8 0001 8100 0001 8100 0001 0800"), &ipv4, &TCP_SYN]), "non_ip");
        assert_eq!(counted(&[&hex!("0806"), &[0; 28]]), "arp");
        assert_eq!(counted(&[&hex!("88cc"), &[0; 28]]), "non_ip");
        assert_eq!(counted(&[&hex!("8100 00")]), "non_ip");
    }

    /// Padding of a short frame is no part of the packet.
    #[test]
    fn flow_of_ipv4_has_the_length_of_its_header() {
        let ipv4 = hex!("45 00 0028 0000 4000 40 06 0000 c0000201 c6336402");
        let expected = ("192.0.2.1 54321 198.51.100.2 443 6".to_owned(), 40, 2);
        assert_eq!(flow(&[&hex!("0800"), &ipv4, &TCP_SYN, &[0; 6]]), expected);
        let offloaded = hex!("45 00 0000 0000 4000 40 06 0000 c0000201 c6336402");
        assert_eq!(flow(&[&hex!("0800"), &offloaded, &TCP_SYN]).1, 40);
        let cut = hex!("45 00 ffff 0000 4000 40 06 0000 c0000201 c6336402");
        assert_eq!(flow(&[&hex!("0800"), &cut, &TCP_SYN]).1, 40);
    }

    #[test]
    fn options_of_ipv4_come_before_ports() {
        let ipv4 = hex!("46 00 0020 0000 0000 40 11 0000 c0000201 c6336402 01010101");
        let udp = hex!("0035 c000 0008 0000");
        assert_eq!(flow(&[&hex!("0800"), &ipv4, &udp]).0, "192.0.2.1 53 198.51.100.2 49152 17");
        let too_short = hex!("44 00 0020 0000 0000 40 11 0000 c0000201 c6336402");
        assert_eq!(counted(&[&hex!("0800"), &too_short, &udp]), "other_ipv4");
        let longer_than_the_frame = hex!("4f 00 0020 0000 0000 40 11 0000 c0000201 c6336402");
        assert_eq!(counted(&[&hex!("0800"), &longer_than_the_frame, &udp]), "other_ipv4");
        assert_eq!(counted(&[&hex!("0800"), &hex!("65"), &[0; 40]]), "other_ipv4");
    }

    #[test]
    fn later_fragments_have_no_ports() {
        let first = hex!("45 00 001c 0001 2000 40 11 0000 c0000201 c6336402");
        let later = hex!("45 00 001c 0001 0001 40 11 0000 c0000201 c6336402");
        let udp = hex!("0035 c000 0008 0000");
        assert_eq!(flow(&[&hex!("0800"), &first, &udp]).0, "192.0.2.1 53 198.51.100.2 49152 17");
        assert_eq!(flow(&[&hex!("0800"), &later, &udp]).0, "192.0.2.1 0 198.51.100.2 0 17");
        assert_eq!(counted(&[&hex!("0800"), &later, &udp]), "udp");
    }

    #[test]
    fn looks_behind_extension_headers_of_ipv6() {
        let ipv6 = |payload: u8, next: u8| {
            let mut header =
                hex!("60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000002");
            (header[5], header[6]) = (payload, next);
            header
        };
        let (hop_by_hop, routing) = (hex!("2b 00 010400000000"), hex!("3c 01 0000000000000000000000000000"));
        let (options, first, later) =
            (hex!("2c 00 010400000000"), hex!("06 00 0001 00000007"), hex!("06 00 0009 00000007"));
        let all = [&hop_by_hop[..], &routing, &options, &first].concat();
        let expected = ("2001:db8::1 54321 2001:db8::2 443 6".to_owned(), 100, 2);
        assert_eq!(flow(&[&hex!("86dd"), &ipv6(60, 0), &all, &TCP_SYN]), expected);
        assert_eq!(flow(&[&hex!("86dd"), &ipv6(0, 0), &all, &TCP_SYN]), expected, "a jumbogram");
        let ports = flow(&[&hex!("86dd"), &ipv6(28, 44), &later, &TCP_SYN]).0;
        assert_eq!(ports, "2001:db8::1 0 2001:db8::2 0 6");
        assert_eq!(counted(&[&hex!("86dd"), &ipv6(8, 58), &[0; 8]]), "icmpv6");
        assert_eq!(counted(&[&hex!("86dd"), &ipv6(8, 1), &[0; 8]]), "other_ipv6");
        assert_eq!(counted(&[&hex!("86dd"), &ipv6(8, 0), &hop_by_hop[..7]]), "other_ipv6");
        let five = [&hex!("00 00 010400000000")[..]; 4].concat();
        assert_eq!(counted(&[&hex!("86dd"), &ipv6(60, 0), &five, &hex!("06 00 010400000000"), &TCP_SYN]), "other_ipv6");
        assert_eq!(counted(&[&hex!("86dd"), &hex!("40"), &[0; 40]]), "other_ipv6");
    }
}
