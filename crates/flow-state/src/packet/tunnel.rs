//! Tunnels: what a packet carries that is a packet itself.

use etherparse::EtherType;

use super::{PacketHeaders, Start, UDP};

/// How one packet lies in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Tunnel {
    /// GRE (RFC 2784), NVGRE (RFC 7637) among it.
    Gre {
        /// The key (RFC 2890), where there is one; NVGRE: 24-bit VSID, then 8-bit FlowID.
        key: Option<u32>,
    },
    /// VXLAN (RFC 7348).
    Vxlan {
        /// VXLAN Network Identifier.
        vni: u32,
    },
    /// Geneve (RFC 8926).
    Geneve {
        /// Virtual Network Identifier.
        vni: u32,
    },
    /// IPv4 or IPv6 right behind an IP header (RFC 2003, 2473, 4213).
    IpInIp,
}

impl Tunnel {
    /// `gre`, `vxlan`, `geneve` or `ipip`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gre { .. } => "gre",
            Self::Vxlan { .. } => "vxlan",
            Self::Geneve { .. } => "geneve",
            Self::IpInIp => "ipip",
        }
    }

    /// GRE key or network identifier.
    pub const fn id(self) -> Option<u32> {
        match self {
            Self::Gre { key } => key,
            Self::Vxlan { vni } | Self::Geneve { vni } => Some(vni),
            Self::IpInIp => None,
        }
    }
}

/// A packet inside a tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TunnelledPacket {
    /// The tunnel.
    pub tunnel: Tunnel,
    /// The headers of the packet in it.
    pub headers: PacketHeaders,
}

impl TunnelledPacket {
    /// What the payload of a packet with these headers carries, if that is a packet.
    pub(super) fn read(outer: &PacketHeaders, payload: &[u8]) -> Option<Self> {
        let (tunnel, start, inside) = match (outer.ip?.protocol?, outer.ports) {
            (IPV4 | IPV6, _) => (Tunnel::IpInIp, Start::Ip, payload),
            (GRE, _) => gre(payload)?,
            (UDP, Some((_, VXLAN_PORT))) => vxlan(payload.get(UDP_HEADER..)?)?,
            (UDP, Some((_, GENEVE_PORT))) => geneve(payload.get(UDP_HEADER..)?)?,
            _ => return None,
        };
        let (headers, _) = PacketHeaders::read(start, inside)?;
        Some(Self { tunnel, headers })
    }
}

type Inside<'a> = (Tunnel, Start, &'a [u8]);

/// RFC 2784 and 2890: flags, protocol type, then checksum, key and sequence number where their flags say so.
fn gre(packet: &[u8]) -> Option<Inside<'_>> {
    let (&[flags, version, t0, t1], rest) = packet.split_first_chunk()?;
    // Version 1 is PPTP; routing (RFC 1701) is obsolete.
    if version & 7 != 0 || flags & 0x40 != 0 {
        return None;
    }
    let rest = if flags & 0x80 != 0 { rest.get(4..)? } else { rest };
    let (key, rest) = match flags & 0x20 {
        0 => (None, rest),
        _ => rest.split_first_chunk().map(|(key, rest)| (Some(u32::from_be_bytes(*key)), rest))?,
    };
    let rest = if flags & 0x10 != 0 { rest.get(4..)? } else { rest };
    Some((Tunnel::Gre { key }, start_of(u16::from_be_bytes([t0, t1])), rest))
}

/// RFC 7348 section 5: a flag that the identifier is valid, the identifier, an Ethernet frame.
fn vxlan(packet: &[u8]) -> Option<Inside<'_>> {
    let (&[flags, _, _, _, v0, v1, v2, _], frame) = packet.split_first_chunk()?;
    (flags & 8 != 0).then_some((Tunnel::Vxlan { vni: u32::from_be_bytes([0, v0, v1, v2]) }, Start::Ethernet, frame))
}

/// RFC 8926 section 3.4: version, length of the options in words, protocol type, identifier.
fn geneve(packet: &[u8]) -> Option<Inside<'_>> {
    let (&[head, _, t0, t1, v0, v1, v2, _], rest) = packet.split_first_chunk()?;
    if head >> 6 != 0 {
        return None;
    }
    let rest = rest.get(4 * usize::from(head & 0x3f)..)?;
    let vni = u32::from_be_bytes([0, v0, v1, v2]);
    Some((Tunnel::Geneve { vni }, start_of(u16::from_be_bytes([t0, t1])), rest))
}

const fn start_of(ether_type: u16) -> Start {
    match ether_type {
        TRANSPARENT_ETHERNET => Start::Ethernet,
        other => Start::EtherType(EtherType(other)),
    }
}

const IPV4: u8 = 4;
const IPV6: u8 = 41;
const GRE: u8 = 47;
const UDP_HEADER: usize = 8;
const VXLAN_PORT: u16 = 4789;
const GENEVE_PORT: u16 = 6081;
const TRANSPARENT_ETHERNET: u16 = 0x6558;
