//! The packet in a record: sections of sampled packets (RFC 5477 section 8.5), read down to the transport header and
//! through one tunnel.
//!
//! A section is the first bytes of a packet, cut anywhere: each header counts that is whole, and ports count when their
//! own bytes are there.

mod section;
mod tunnel;

use std::net::IpAddr;
use std::ops::Deref;

use etherparse::{
    EtherType, Ipv6ExtensionSlice, LaxIpv6Slice, LaxLinkExtSlice, LaxNetSlice, LaxSlicedPacket, LinkSlice,
};

pub(crate) use self::section::SectionPlan;
pub use self::tunnel::{Tunnel, TunnelledPacket};
use crate::flow::Icmp;

/// A packet that the exporter sampled: its headers, and those inside where it is a tunnel's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampledPacket {
    /// The headers in front.
    pub outer: PacketHeaders,
    /// What the first tunnel carries; tunnels inside it stay unread.
    pub inner: Option<TunnelledPacket>,
}

/// The headers of one packet, from the link to the transport layer; what was cut off or is not there is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PacketHeaders {
    /// Source and destination of the Ethernet header.
    pub ethernet: Option<EthernetHeader>,
    /// VLAN IDs, the outer first (IEEE 802.1Q, 802.1ad).
    pub vlans: Few<u16, 3>,
    /// MPLS labels, the top of the stack first (RFC 3032).
    pub mpls_labels: Few<u32, 8>,
    /// The IPv4 or IPv6 header.
    pub ip: Option<IpHeader>,
    /// Ports of TCP, UDP, DCCP, SCTP and UDP-Lite, source then destination; absent in all but the first fragment.
    pub ports: Option<(u16, u16)>,
    /// TCP control bits, the twelve of RFC 9565.
    pub tcp_flags: Option<u16>,
    /// Type and code of ICMP or ICMPv6.
    pub icmp: Option<Icmp>,
}

/// Addresses of an Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EthernetHeader {
    /// Source MAC address.
    pub source: [u8; 6],
    /// Destination MAC address.
    pub destination: [u8; 6],
}

/// What an IPv4 or IPv6 header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IpHeader {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Protocol of the payload, in IPv6 that behind the extension headers; `None` where one of them was cut off.
    pub protocol: Option<u8>,
    /// Time to live or hop limit.
    pub time_to_live: u8,
    /// Type of service or traffic class.
    pub class_of_service: u8,
    /// IPv6 flow label.
    pub flow_label: Option<u32>,
    /// Whether the packet is a fragment.
    pub is_fragment: bool,
    /// Bytes from the start of the fragmented payload; 0 for the first fragment and for whole packets.
    pub fragment_offset: u16,
}

/// A list without allocation: its first `N` items, the others left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Few<T, const N: usize> {
    items: [T; N],
    len: u8,
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    fn default() -> Self {
        Self { items: [T::default(); N], len: 0 }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        self.items.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl<T, const N: usize> Few<T, N> {
    fn push(&mut self, item: T) {
        if let Some(free) = self.items.get_mut(usize::from(self.len)) {
            *free = item;
            self.len += 1;
        }
    }
}

/// What the first byte of a section belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    Ethernet,
    EtherType(EtherType),
    Ip,
    /// The payload of an IP packet of this protocol.
    Transport(u8),
}

impl Start {
    pub(crate) const MPLS: Self = Self::EtherType(MPLS);
}

const MPLS: EtherType = EtherType(0x8847);
const MPLS_UPSTREAM: EtherType = EtherType(0x8848);

impl SampledPacket {
    /// Reads the headers in a section; `None` when not one is whole.
    pub(crate) fn read(start: Start, section: &[u8]) -> Option<Self> {
        let (outer, payload) = PacketHeaders::read(start, section)?;
        Some(Self { outer, inner: TunnelledPacket::read(&outer, payload) })
    }
}

impl PacketHeaders {
    /// The headers, and the payload of the IP packet.
    fn read(start: Start, section: &[u8]) -> Option<(Self, &[u8])> {
        let mut headers = Self::default();
        let packet = match start {
            Start::Ethernet => LaxSlicedPacket::from_ethernet(section).ok()?,
            Start::EtherType(ether_type) => LaxSlicedPacket::from_ether_type(ether_type, section),
            Start::Ip => LaxSlicedPacket::from_ip(section).ok()?,
            Start::Transport(protocol) => {
                headers.transport(protocol, section);
                return (headers != Self::default()).then_some((headers, &[]));
            }
        };
        headers.link(&packet);
        let mut network = packet.net.clone();
        if let (None, Some(payload)) = (&network, packet.ether_payload())
            && matches!(payload.ether_type, MPLS | MPLS_UPSTREAM)
        {
            let below = headers.label_stack(payload.payload);
            network = below.and_then(|below| LaxSlicedPacket::from_ip(below).ok()).and_then(|packet| packet.net);
        }
        let payload = network.and_then(|network| headers.network(&network)).unwrap_or_default();
        (headers != Self::default()).then_some((headers, payload))
    }

    fn link(&mut self, packet: &LaxSlicedPacket<'_>) {
        if let Some(LinkSlice::Ethernet2(header)) = &packet.link {
            self.ethernet = Some(EthernetHeader { source: header.source(), destination: header.destination() });
        }
        for extension in &packet.link_exts {
            if let LaxLinkExtSlice::Vlan(tag) = extension {
                self.vlans.push(tag.vlan_identifier().value());
            }
        }
    }

    /// Takes the labels; returns what follows the bottom of the stack.
    fn label_stack<'a>(&mut self, mut rest: &'a [u8]) -> Option<&'a [u8]> {
        while let Some((entry, below)) = rest.split_first_chunk() {
            let entry = u32::from_be_bytes(*entry);
            self.mpls_labels.push(entry >> 12);
            if entry & 0x100 != 0 {
                return Some(below);
            }
            rest = below;
        }
        None
    }

    /// Takes the IP header and what is known of the transport header; returns the payload of the packet.
    fn network<'a>(&mut self, network: &LaxNetSlice<'a>) -> Option<&'a [u8]> {
        let payload = network.ip_payload_ref()?;
        let header = match network {
            LaxNetSlice::Ipv4(ip) => {
                let header = ip.header();
                IpHeader {
                    source: header.source_addr().into(),
                    destination: header.destination_addr().into(),
                    // Behind an authentication header is not the protocol of the packet.
                    protocol: Some(header.protocol().0),
                    time_to_live: header.ttl(),
                    class_of_service: header.dcp().value() << 2 | header.ecn().value(),
                    flow_label: None,
                    is_fragment: header.is_fragmenting_payload(),
                    fragment_offset: header.fragments_offset().byte_offset(),
                }
            }
            LaxNetSlice::Ipv6(ip) => ipv6(ip),
            LaxNetSlice::Arp(_) => return None,
        };
        self.ip = Some(header);
        // In IPv4 an authentication header would already be left behind.
        let protocol = header.protocol.filter(|protocol| *protocol == payload.ip_number.0)?;
        if header.fragment_offset > 0 {
            return None;
        }
        self.transport(protocol, payload.payload);
        Some(payload.payload)
    }

    /// Ports, control bits, type and code, as far as their bytes are there.
    fn transport(&mut self, protocol: u8, payload: &[u8]) {
        match protocol {
            TCP | UDP | DCCP | SCTP | UDP_LITE => {
                if let [s0, s1, d0, d1, ..] = *payload {
                    self.ports = Some((u16::from_be_bytes([s0, s1]), u16::from_be_bytes([d0, d1])));
                }
                if let (TCP, Some([high, low])) = (protocol, payload.get(12..14)) {
                    self.tcp_flags = Some(u16::from_be_bytes([*high, *low]) & 0xfff);
                }
            }
            ICMP | ICMP_V6 => {
                if let [kind, code, ..] = *payload {
                    self.icmp = Some(Icmp { kind, code: Some(code) });
                }
            }
            _ => {}
        }
    }
}

fn ipv6(ip: &LaxIpv6Slice<'_>) -> IpHeader {
    let header = ip.header();
    // Only up to the fragment header, which is whole: a header behind it may be cut off, and walking trusts its length.
    let fragment = ip.is_payload_fragmented().then(|| {
        ip.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(header) if header.is_fragmenting_payload() => Some(header.fragment_offset()),
            _ => None,
        })
    });
    let protocol = ip.payload().ip_number.0;
    IpHeader {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        protocol: (!EXTENSION_HEADERS.contains(&protocol)).then_some(protocol),
        time_to_live: header.hop_limit(),
        class_of_service: header.traffic_class(),
        flow_label: Some(header.flow_label().value()),
        is_fragment: fragment.is_some(),
        fragment_offset: fragment.flatten().map_or(0, |offset| offset.byte_offset()),
    }
}

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const DCCP: u8 = 33;
const ICMP_V6: u8 = 58;
const SCTP: u8 = 132;
const UDP_LITE: u8 = 136;

/// What stands in front of the protocol of an IPv6 packet: where the walk ends at one of these, it was cut off.
const EXTENSION_HEADERS: [u8; 8] = [0, 43, 44, 51, 60, 135, 139, 140];

#[cfg(test)]
mod tests;
