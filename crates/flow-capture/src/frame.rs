//! One frame down to the UDP datagram in it.

use std::net::{IpAddr, SocketAddr};

use etherparse::{EtherType, IpNumber, Ipv6ExtensionSlice, LaxIpPayloadSlice, LaxNetSlice, LaxSlicedPacket};

use crate::fragments::{Fragment, FragmentKey};

/// What a frame holds.
#[derive(Debug)]
pub(crate) enum Content<'a> {
    Datagram(Udp<'a>),
    /// A piece of a UDP datagram.
    Fragment(Fragment<'a>),
}

/// Why a frame yields nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    LinkType,
    NotIp,
    NotUdp,
    Malformed,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Udp<'a> {
    pub(crate) source: SocketAddr,
    pub(crate) destination: SocketAddr,
    pub(crate) payload: &'a [u8],
    /// Whether the headers promise more bytes than were captured.
    pub(crate) truncated: bool,
}

/// Takes one frame apart as the link type says.
pub(crate) fn dissect(link_type: u16, frame: &[u8]) -> Result<Content<'_>, Skip> {
    let net = network_layer(link_type, frame)?;
    let payload = net.ip_payload_ref().ok_or(Skip::NotIp)?.clone();
    let (source, destination): (IpAddr, IpAddr) = match &net {
        LaxNetSlice::Ipv4(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Ipv6(ip) => (ip.header().source_addr().into(), ip.header().destination_addr().into()),
        LaxNetSlice::Arp(_) => return Err(Skip::NotIp),
    };
    if payload.ip_number != IpNumber::UDP {
        return Err(Skip::NotUdp);
    }
    if payload.fragmented {
        return fragment(&net, source, destination, &payload).map(Content::Fragment).ok_or(Skip::Malformed);
    }
    udp(source, destination, payload.payload, payload.incomplete).map(Content::Datagram)
}

/// UDP header and payload at the start of an IP payload.
///
/// A length of 0 means the rest: RFC 2675 section 4 for jumbograms, and how captures of segmentation offload and
/// writers of oversized datagrams have it.
pub(crate) fn udp(source: IpAddr, destination: IpAddr, ip_payload: &[u8], incomplete: bool) -> Result<Udp<'_>, Skip> {
    let (&[s0, s1, d0, d1, l0, l1, _, _], rest) = ip_payload.split_first_chunk().ok_or(Skip::Malformed)?;
    let (payload, truncated) = match u16::from_be_bytes([l0, l1]) {
        0 => (rest, incomplete),
        length => {
            let wanted = usize::from(length).checked_sub(UDP_HEADER).ok_or(Skip::Malformed)?;
            (&rest[..wanted.min(rest.len())], wanted > rest.len())
        }
    };
    Ok(Udp {
        source: SocketAddr::new(source, u16::from_be_bytes([s0, s1])),
        destination: SocketAddr::new(destination, u16::from_be_bytes([d0, d1])),
        payload,
        truncated,
    })
}

fn network_layer(link_type: u16, frame: &[u8]) -> Result<LaxNetSlice<'_>, Skip> {
    let packet = match link_type {
        LINKTYPE_ETHERNET => LaxSlicedPacket::from_ethernet(frame).map_err(|_| Skip::Malformed)?,
        LINKTYPE_LINUX_SLL => {
            let (header, rest) = frame.split_first_chunk::<16>().ok_or(Skip::Malformed)?;
            LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([header[14], header[15]])), rest)
        }
        LINKTYPE_LINUX_SLL2 => {
            let (header, rest) = frame.split_first_chunk::<20>().ok_or(Skip::Malformed)?;
            LaxSlicedPacket::from_ether_type(EtherType(u16::from_be_bytes([header[0], header[1]])), rest)
        }
        LINKTYPE_NULL | LINKTYPE_LOOP => {
            let (family, rest) = frame.split_first_chunk::<4>().ok_or(Skip::Malformed)?;
            // NULL has the family in the byte order of the machine that captured, which the file does not tell.
            let family = u32::from_le_bytes(*family).min(u32::from_be_bytes(*family));
            if !ADDRESS_FAMILIES.contains(&family) {
                return Err(Skip::NotIp);
            }
            LaxSlicedPacket::from_ip(rest).map_err(|_| Skip::Malformed)?
        }
        LINKTYPE_RAW | LINKTYPE_RAW_BSD | LINKTYPE_RAW_OPENBSD | LINKTYPE_IPV4 | LINKTYPE_IPV6 => {
            LaxSlicedPacket::from_ip(frame).map_err(|_| Skip::Malformed)?
        }
        _ => return Err(Skip::LinkType),
    };
    match (packet.net, packet.stop_err) {
        (Some(net), _) => Ok(net),
        (None, Some(_)) => Err(Skip::Malformed),
        (None, None) => Err(Skip::NotIp),
    }
}

fn fragment<'a>(
    net: &LaxNetSlice<'a>,
    source: IpAddr,
    destination: IpAddr,
    payload: &LaxIpPayloadSlice<'a>,
) -> Option<Fragment<'a>> {
    let (identification, offset, more) = match net {
        LaxNetSlice::Ipv4(ip) => {
            let header = ip.header();
            let identification = u32::from(header.identification());
            (identification, header.fragments_offset().byte_offset(), header.more_fragments())
        }
        LaxNetSlice::Ipv6(ip) => ip.extensions().clone().into_iter().find_map(|extension| match extension {
            Ipv6ExtensionSlice::Fragment(header) if header.is_fragmenting_payload() => {
                Some((header.identification(), header.fragment_offset().byte_offset(), header.more_fragments()))
            }
            _ => None,
        })?,
        LaxNetSlice::Arp(_) => return None,
    };
    Some(Fragment {
        key: FragmentKey { source, destination, identification },
        offset: usize::from(offset),
        more,
        truncated: payload.incomplete,
        bytes: payload.payload,
    })
}

const UDP_HEADER: usize = 8;

pub(crate) const LINKTYPE_NULL: u16 = 0;
pub(crate) const LINKTYPE_ETHERNET: u16 = 1;
pub(crate) const LINKTYPE_RAW_BSD: u16 = 12;
pub(crate) const LINKTYPE_RAW_OPENBSD: u16 = 14;
pub(crate) const LINKTYPE_RAW: u16 = 101;
pub(crate) const LINKTYPE_LOOP: u16 = 108;
pub(crate) const LINKTYPE_LINUX_SLL: u16 = 113;
pub(crate) const LINKTYPE_IPV4: u16 = 228;
pub(crate) const LINKTYPE_IPV6: u16 = 229;
pub(crate) const LINKTYPE_LINUX_SLL2: u16 = 276;

/// `AF_INET`, then `AF_INET6` of Linux, NetBSD and OpenBSD, FreeBSD, macOS.
const ADDRESS_FAMILIES: [u32; 5] = [2, 10, 24, 28, 30];
