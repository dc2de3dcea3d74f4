//! The records of a sample: what is known about its packet.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use nom::Parser;
use nom::number::complete::be_u32;

use super::{Parsed, address, ipv4, ipv6, mac, words};
use crate::error::{DecodeError, DecodeErrorKind};

/// Iterator over the records of a sample; see [`FlowSample::records`](super::FlowSample::records).
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    at: usize,
    left: u32,
}

impl<'a> Records<'a> {
    pub(super) const fn new(bytes: &'a [u8], start: usize, count: u32) -> Self {
        Self { rest: bytes, at: start, left: count }
    }

    /// Bytes of the sample that no record has claimed so far.
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Offset of the first of them.
    pub const fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let start = self.at;
        let framed = words(self.rest).and_then(|(body, (format, length))| {
            let (body, rest) = body.split_at_checked(length as usize)?;
            Some((Record { format, start, body }, rest))
        });
        let Some((record, rest)) = framed else {
            self.left = 0;
            let length = words(self.rest).map_or(0, |(_, (_, length))| length);
            return Some(Err(DecodeError::new(start, DecodeErrorKind::SampleRecordOverrun(length))));
        };
        self.at += self.rest.len() - rest.len();
        self.rest = rest;
        Some(Ok(record))
    }
}

/// One record of a sample, framed by its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Enterprise in the upper 20 bits, 0 for sFlow's own; format in the lower 12.
    pub format: u32,
    /// Offset of its format in the datagram.
    pub start: usize,
    /// What follows format and length.
    pub body: &'a [u8],
}

/// A record that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordData<'a> {
    /// The first bytes of the packet (format 1).
    Header(SampledHeader<'a>),
    /// The Ethernet header, decoded (format 2).
    Ethernet(SampledEthernet),
    /// The headers of an IPv4 or IPv6 packet, decoded (formats 3 and 4).
    Ip(SampledIp),
    /// VLANs (format 1001).
    Switch(ExtendedSwitch),
    /// The route taken (format 1002).
    Router(ExtendedRouter),
    /// What BGP knows (format 1003).
    Gateway(ExtendedGateway),
    /// Another format.
    Other,
}

/// The first bytes of a sampled packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampledHeader<'a> {
    /// 1 Ethernet, 11 IPv4, 12 IPv6, 13 MPLS; more in the specification.
    pub protocol: u32,
    /// Bytes of the packet; on Ethernet with frame check sequence.
    pub frame_length: u32,
    /// Bytes that were taken off the packet.
    pub stripped: u32,
    /// The length announced for `bytes`, which may be longer than the record.
    pub header_length: u32,
    /// As many bytes from the start of the packet as there are.
    pub bytes: &'a [u8],
}

impl SampledHeader<'_> {
    /// Of `protocol`: Ethernet (IEEE 802.3).
    pub const ETHERNET: u32 = 1;
    /// Of `protocol`: IPv4.
    pub const IPV4: u32 = 11;
    /// Of `protocol`: IPv6.
    pub const IPV6: u32 = 12;
    /// Of `protocol`: an MPLS label stack.
    pub const MPLS: u32 = 13;
}

/// An Ethernet header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampledEthernet {
    /// Bytes of the frame with its check sequence.
    pub length: u32,
    /// Source MAC address.
    pub source: [u8; 6],
    /// Destination MAC address.
    pub destination: [u8; 6],
    /// Ethernet type.
    pub ether_type: u32,
}

/// The headers of an IP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampledIp {
    /// Bytes of the packet from the IP header on.
    pub length: u32,
    /// IP protocol.
    pub protocol: u32,
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Source port of TCP and UDP.
    pub source_port: u32,
    /// Destination port of TCP and UDP.
    pub destination_port: u32,
    /// TCP control bits.
    pub tcp_flags: u32,
    /// Type of service or traffic class.
    pub class_of_service: u32,
}

/// What a switch knows of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedSwitch {
    /// VLAN it came in by; above 4,095 where it is unknown.
    pub source_vlan: u32,
    /// Its IEEE 802.1p priority.
    pub source_priority: u32,
    /// VLAN it left by; above 4,095 where it is unknown.
    pub destination_vlan: u32,
    /// Its IEEE 802.1p priority.
    pub destination_priority: u32,
}

/// What a router knows of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedRouter {
    /// Next hop.
    pub next_hop: Option<IpAddr>,
    /// Prefix length of the source.
    pub source_mask: u32,
    /// Prefix length of the destination.
    pub destination_mask: u32,
}

/// What a BGP speaker knows of the packet; its communities and local preference stay unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedGateway {
    /// BGP next hop.
    pub next_hop: Option<IpAddr>,
    /// Autonomous system of the router.
    pub router_as: u32,
    /// Autonomous system of the source.
    pub source_as: u32,
    /// Autonomous system that the packet came from.
    pub source_peer_as: u32,
    /// The last autonomous system of the path to the destination; `None` when the path is empty.
    pub destination_as: Option<u32>,
}

impl<'a> Record<'a> {
    /// Bytes with format and length.
    pub const fn total_len(&self) -> usize {
        8 + self.body.len()
    }

    /// Reads the record.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::SampleRecordTruncated`] when it is shorter than its format has it.
    pub fn read(&self) -> Result<RecordData<'a>, DecodeError> {
        let parsed = match self.format {
            1 => sampled_header(self.body).map(|(_, header)| RecordData::Header(header)),
            2 => sampled_ethernet(self.body).map(|(_, ethernet)| RecordData::Ethernet(ethernet)),
            3 => sampled_ip(self.body, ipv4_addresses).map(|(_, ip)| RecordData::Ip(ip)),
            4 => sampled_ip(self.body, ipv6_addresses).map(|(_, ip)| RecordData::Ip(ip)),
            1001 => switch(self.body).map(|(_, switch)| RecordData::Switch(switch)),
            1002 => router(self.body).map(|(_, router)| RecordData::Router(router)),
            1003 => gateway(self.body).map(|(_, gateway)| RecordData::Gateway(gateway)),
            _ => return Ok(RecordData::Other),
        };
        parsed.map_err(|_| DecodeError::new(self.start, DecodeErrorKind::SampleRecordTruncated(self.format)))
    }
}

fn sampled_header(input: &[u8]) -> Parsed<'_, SampledHeader<'_>> {
    let (rest, (protocol, frame_length, stripped, header_length)) = (be_u32, be_u32, be_u32, be_u32).parse(input)?;
    let bytes = rest.get(..header_length as usize).unwrap_or(rest);
    Ok((&[], SampledHeader { protocol, frame_length, stripped, header_length, bytes }))
}

fn sampled_ethernet(input: &[u8]) -> Parsed<'_, SampledEthernet> {
    let (rest, (length, source, destination, ether_type)) = (be_u32, mac, mac, be_u32).parse(input)?;
    Ok((rest, SampledEthernet { length, source, destination, ether_type }))
}

fn sampled_ip(input: &[u8], addresses: fn(&[u8]) -> Parsed<'_, (IpAddr, IpAddr)>) -> Parsed<'_, SampledIp> {
    let (rest, (length, protocol)) = (be_u32, be_u32).parse(input)?;
    let (rest, (source, destination)) = addresses(rest)?;
    let (rest, (source_port, destination_port, tcp_flags, class_of_service)) =
        (be_u32, be_u32, be_u32, be_u32).parse(rest)?;
    let ip =
        SampledIp { length, protocol, source, destination, source_port, destination_port, tcp_flags, class_of_service };
    Ok((rest, ip))
}

fn ipv4_addresses(input: &[u8]) -> Parsed<'_, (IpAddr, IpAddr)> {
    (ipv4.map(Ipv4Addr::into), ipv4.map(Ipv4Addr::into)).parse(input)
}

fn ipv6_addresses(input: &[u8]) -> Parsed<'_, (IpAddr, IpAddr)> {
    (ipv6.map(Ipv6Addr::into), ipv6.map(Ipv6Addr::into)).parse(input)
}

fn switch(input: &[u8]) -> Parsed<'_, ExtendedSwitch> {
    let (rest, (source_vlan, source_priority, destination_vlan, destination_priority)) =
        (be_u32, be_u32, be_u32, be_u32).parse(input)?;
    Ok((rest, ExtendedSwitch { source_vlan, source_priority, destination_vlan, destination_priority }))
}

fn router(input: &[u8]) -> Parsed<'_, ExtendedRouter> {
    let (rest, (next_hop, source_mask, destination_mask)) = (address, be_u32, be_u32).parse(input)?;
    Ok((rest, ExtendedRouter { next_hop, source_mask, destination_mask }))
}

fn gateway(input: &[u8]) -> Parsed<'_, ExtendedGateway> {
    let (rest, (next_hop, router_as, source_as, source_peer_as)) = (address, be_u32, be_u32, be_u32).parse(input)?;
    let (mut rest, segments) = be_u32(rest)?;
    let mut destination_as = None;
    for _ in 0..segments {
        // Each segment has eight bytes at least, so that a false count ends where the record does.
        let (after, (_, length)) = (be_u32, be_u32).parse(rest)?;
        let (path, after) = (length as usize)
            .checked_mul(4)
            .and_then(|bytes| after.split_at_checked(bytes))
            .ok_or_else(|| nom::Err::Error(nom::error::Error::new(after, nom::error::ErrorKind::Eof)))?;
        destination_as = path.last_chunk().map(|last| u32::from_be_bytes(*last)).or(destination_as);
        rest = after;
    }
    Ok((rest, ExtendedGateway { next_hop, router_as, source_as, source_peer_as, destination_as }))
}
