//! sFlow version 5 (sflow.org, "sFlow Version 5", July 2004, and "sFlow Discarded Packet Reporting Structures"): samples
//! of packets.
//!
//! Everything is XDR: 32-bit words in network order, and lengths in front of what has no fixed one. Samples that come
//! from packets are read: flow samples, expanded flow samples and discarded packets; counter samples are framed, no
//! more. Counts are promises: lengths decide.
//!
//! ```
//! use flow_wire::sflow::Datagram;
//!
//! let bytes = [
//!     0, 0, 0, 5, 0, 0, 0, 1, 192, 0, 2, 1, // version 5, an IPv4 agent
//!     0, 0, 0, 7, 0, 0, 0, 42, 0, 0, 3, 232, 0, 0, 0, 1, // sub-agent 7, datagram 42, up for a second, one sample
//!     0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 9, // a counter sample of 4 bytes
//! ];
//! let datagram = Datagram::decode(&bytes)?;
//! assert_eq!((datagram.header.sub_agent_id, datagram.header.sequence_number), (7, 42));
//! let sample = datagram.samples().next().expect("one sample")?;
//! assert!(sample.is_counters() && sample.flow()?.is_none());
//! # Ok::<(), flow_wire::DecodeError>(())
//! ```

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use nom::bytes::complete::take;
use nom::number::complete::be_u32;
use nom::{IResult, Parser};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::Version;
use crate::template::{FieldSpecifier, Template};

pub mod record;

pub use record::{Record, RecordData, Records};

type Parsed<'a, T> = IResult<&'a [u8], T>;

/// Whether a datagram claims to be sFlow version 5. NetFlow has its version in the first 16 bits, where this has zeros.
pub fn is_sflow(datagram: &[u8]) -> bool {
    datagram.first_chunk() == Some(&VERSION.to_be_bytes())
}

/// A built-in Template for flows that are made from samples; its ID is 0.
///
/// # Panics
///
/// When the fields are longer than a datagram or have no length at all.
pub fn template(fields: Vec<FieldSpecifier>) -> Template {
    Template::built_in(Version::Sflow5, fields)
}

/// What a datagram says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramHeader {
    /// Address of the agent that sampled; `None` where it says that it does not know.
    pub agent: Option<IpAddr>,
    /// Tells streams of datagrams of one agent apart.
    pub sub_agent_id: u32,
    /// Datagrams that the sub-agent has sent, this one among them.
    pub sequence_number: u32,
    /// Milliseconds since the agent started.
    pub uptime_ms: u32,
    /// Samples that are announced.
    pub sample_count: u32,
}

/// A datagram: its header, and its samples as slices.
#[derive(Clone, Copy, Debug)]
pub struct Datagram<'a> {
    /// The header.
    pub header: DatagramHeader,
    bytes: &'a [u8],
    header_len: usize,
}

impl<'a> Datagram<'a> {
    /// Decodes the header; samples stay unread.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::HeaderTruncated`], [`DecodeErrorKind::UnsupportedVersion`] where [`is_sflow`] says no,
    /// [`DecodeErrorKind::DatagramTooLong`] or [`DecodeErrorKind::AgentAddressType`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        if bytes.len() > usize::from(u16::MAX) {
            return Err(DecodeError::new(0, DecodeErrorKind::DatagramTooLong(bytes.len())));
        }
        let truncated = DecodeError::new(bytes.len(), DecodeErrorKind::HeaderTruncated);
        let (rest, (version, address_type)) = words(bytes).ok_or(truncated)?;
        if version != VERSION {
            return Err(DecodeError::new(0, DecodeErrorKind::UnsupportedVersion((version >> 16) as u16)));
        }
        if address_type > ADDRESS_IPV6 {
            return Err(DecodeError::new(4, DecodeErrorKind::AgentAddressType(address_type)));
        }
        let (rest, agent) = address_of_type(rest, address_type).map_err(|_| truncated)?;
        let fields: Parsed<'_, _> = (be_u32, be_u32, be_u32, be_u32).parse(rest);
        let (rest, (sub_agent_id, sequence_number, uptime_ms, sample_count)) = fields.map_err(|_| truncated)?;
        let header = DatagramHeader { agent, sub_agent_id, sequence_number, uptime_ms, sample_count };
        Ok(Self { header, bytes, header_len: bytes.len() - rest.len() })
    }

    /// Bytes of the header: 24, 28 or 40 by the agent's address.
    pub const fn header_len(&self) -> usize {
        self.header_len
    }

    /// The samples in order. An error ends the iteration: nothing behind it can be framed.
    pub const fn samples(&self) -> Samples<'a> {
        Samples { bytes: self.bytes, at: self.header_len, left: self.header.sample_count, number: 0 }
    }
}

/// Iterator over the samples of a datagram; see [`Datagram::samples`].
#[derive(Clone, Debug)]
pub struct Samples<'a> {
    bytes: &'a [u8],
    at: usize,
    left: u32,
    number: u32,
}

impl Samples<'_> {
    /// Offset of the first byte that no sample has claimed so far.
    pub const fn position(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Samples<'a> {
    type Item = Result<Sample<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let mut fail = |kind| {
            self.left = 0;
            Some(Err(DecodeError::new(start, kind)))
        };
        let Some((body, (format, length))) = words(rest) else {
            return fail(DecodeErrorKind::SampleCount(self.number));
        };
        let Some(body) = body.get(..length as usize) else {
            return fail(DecodeErrorKind::SampleOverrun(length));
        };
        self.at = start + SAMPLE_HEADER_LEN + body.len();
        self.number += 1;
        Some(Ok(Sample { number: self.number, format, start, body }))
    }
}

/// One sample: where it lies in its datagram, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample<'a> {
    /// Position in the datagram, from 1, samples of every kind counted.
    pub number: u32,
    /// Enterprise in the upper 20 bits, 0 for sFlow's own; format in the lower 12.
    pub format: u32,
    /// Offset of its format in the datagram.
    pub start: usize,
    /// What follows format and length.
    pub body: &'a [u8],
}

impl<'a> Sample<'a> {
    /// A sample by itself, of the given number; where it was cut, as much of it as there is.
    pub fn of_bytes(number: u32, bytes: &'a [u8]) -> Option<Self> {
        let (body, (format, length)) = words(bytes)?;
        Some(Self { number, format, start: 0, body: body.get(..length as usize).unwrap_or(body) })
    }

    /// The sample as sent, of a datagram that it lies in.
    pub fn as_bytes(&self, datagram: &'a [u8]) -> &'a [u8] {
        datagram.get(self.start..self.start + self.len()).unwrap_or_default()
    }

    /// Bytes with format and length.
    pub const fn len(&self) -> usize {
        SAMPLE_HEADER_LEN + self.body.len()
    }

    /// Never: a sample has a format and a length.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Whether it holds counters of an interface and no packet.
    pub const fn is_counters(&self) -> bool {
        matches!(self.format, COUNTER_SAMPLE | EXPANDED_COUNTER_SAMPLE)
    }

    /// Reads a sample of a packet; `None` for counters and unknown formats.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::SampleTruncated`] when it is shorter than the fields that all of its format have.
    pub fn flow(&self) -> Result<Option<FlowSample<'a>>, DecodeError> {
        let parsed = match self.format {
            FLOW_SAMPLE => flow_sample(self.body),
            EXPANDED_FLOW_SAMPLE => expanded_flow_sample(self.body),
            DISCARDED_PACKET => discarded_packet(self.body),
            _ => return Ok(None),
        };
        match parsed {
            Ok((rest, mut sample)) => {
                sample.records = rest;
                sample.records_start = self.start + self.len() - rest.len();
                Ok(Some(sample))
            }
            Err(_) => Err(DecodeError::new(self.start, DecodeErrorKind::SampleTruncated(self.format))),
        }
    }
}

/// A sampled or discarded packet, and what the agent says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowSample<'a> {
    /// 1 flow sample, 3 expanded flow sample, 5 discarded packet.
    pub format: u32,
    /// Samples that the data source has made, this one among them.
    pub sequence_number: u32,
    /// Kind of the data source, 0 for an interface; a flow sample that is not expanded has it in the upper 8 bits of
    /// `source_id`.
    pub source_class: Option<u32>,
    /// Index of the data source.
    pub source_id: u32,
    /// How packets were chosen; `None` for a discarded packet.
    pub sampling: Option<SampleRate>,
    /// Samples (format 5: discarded packets) that the agent lost for want of resources.
    pub drops: u32,
    /// Where the packet came in.
    pub input: Interface,
    /// Where the packet left.
    pub output: Interface,
    /// Why the packet was discarded (ICMP unreachable codes up to 255, above them those of sFlow); format 5 alone.
    pub discard_reason: Option<u32>,
    /// Records that are announced.
    pub record_count: u32,
    records: &'a [u8],
    records_start: usize,
}

impl<'a> FlowSample<'a> {
    /// The records in order. An error ends the iteration: nothing behind it can be framed.
    pub const fn records(&self) -> Records<'a> {
        Records::new(self.records, self.records_start, self.record_count)
    }

    /// Whether the packet went nowhere.
    pub const fn is_discarded(&self) -> bool {
        self.discard_reason.is_some() || self.output.kind() == Interface::DISCARDED
    }
}

/// How a data source chooses packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRate {
    /// One of so many packets is sampled.
    pub rate: u32,
    /// Packets that could have been sampled so far.
    pub pool: u32,
}

/// An interface as a sample names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// How `value` is meant, in an expanded sample.
    pub format: Option<u32>,
    /// ifIndex, reason or number; in a sample that is not expanded the upper two bits are the format.
    pub value: u32,
}

impl Interface {
    /// Of [`Interface::kind`]: the packet was dropped.
    pub const DISCARDED: u32 = 1;
    /// The ifIndex of what has no interface: packets from and to the device itself.
    pub const INTERNAL: u32 = 0x3fff_ffff;

    /// 0 an ifIndex, 1 a reason for the drop, 2 a number of interfaces.
    pub const fn kind(&self) -> u32 {
        match self.format {
            Some(format) => format,
            None => self.value >> 30,
        }
    }

    /// The ifIndex; 0 where it is unknown, none, or one of several.
    pub const fn index(&self) -> u32 {
        match (self.kind(), self.format) {
            (0, _) => self.value,
            _ => 0,
        }
    }
}

fn flow_sample(input: &[u8]) -> Parsed<'_, FlowSample<'_>> {
    let (rest, (sequence_number, source_id, rate, pool, drops)) =
        (be_u32, be_u32, be_u32, be_u32, be_u32).parse(input)?;
    let (rest, (input, output, record_count)) = (be_u32, be_u32, be_u32).parse(rest)?;
    let sample = FlowSample {
        format: FLOW_SAMPLE,
        sequence_number,
        source_class: None,
        source_id,
        sampling: Some(SampleRate { rate, pool }),
        drops,
        input: Interface { format: None, value: input },
        output: Interface { format: None, value: output },
        discard_reason: None,
        record_count,
        records: &[],
        records_start: 0,
    };
    Ok((rest, sample))
}

fn expanded_flow_sample(input: &[u8]) -> Parsed<'_, FlowSample<'_>> {
    let (rest, (sequence_number, class, source_id)) = (be_u32, be_u32, be_u32).parse(input)?;
    let (rest, (rate, pool, drops)) = (be_u32, be_u32, be_u32).parse(rest)?;
    let (rest, (input, output, record_count)) = (interface, interface, be_u32).parse(rest)?;
    let sample = FlowSample {
        format: EXPANDED_FLOW_SAMPLE,
        sequence_number,
        source_class: Some(class),
        source_id,
        sampling: Some(SampleRate { rate, pool }),
        drops,
        input,
        output,
        discard_reason: None,
        record_count,
        records: &[],
        records_start: 0,
    };
    Ok((rest, sample))
}

fn discarded_packet(input: &[u8]) -> Parsed<'_, FlowSample<'_>> {
    let (rest, (sequence_number, class, source_id, drops)) = (be_u32, be_u32, be_u32, be_u32).parse(input)?;
    let (rest, (input, output, reason, record_count)) = (be_u32, be_u32, be_u32, be_u32).parse(rest)?;
    let sample = FlowSample {
        format: DISCARDED_PACKET,
        sequence_number,
        source_class: Some(class),
        source_id,
        sampling: None,
        drops,
        input: Interface { format: Some(0), value: input },
        output: Interface { format: Some(0), value: output },
        discard_reason: Some(reason),
        record_count,
        records: &[],
        records_start: 0,
    };
    Ok((rest, sample))
}

fn interface(input: &[u8]) -> Parsed<'_, Interface> {
    let (rest, (format, value)) = (be_u32, be_u32).parse(input)?;
    Ok((rest, Interface { format: Some(format), value }))
}

/// Two words: a format and a length, mostly.
fn words(input: &[u8]) -> Option<(&[u8], (u32, u32))> {
    let parsed: Parsed<'_, _> = (be_u32, be_u32).parse(input);
    parsed.ok()
}

/// An address with its type in front.
fn address(input: &[u8]) -> Parsed<'_, Option<IpAddr>> {
    let (rest, address_type) = be_u32(input)?;
    address_of_type(rest, address_type)
}

fn address_of_type(input: &[u8], address_type: u32) -> Parsed<'_, Option<IpAddr>> {
    Ok(match address_type {
        ADDRESS_UNKNOWN => (input, None),
        ADDRESS_IPV4 => ipv4(input).map(|(rest, address)| (rest, Some(address.into())))?,
        ADDRESS_IPV6 => ipv6(input).map(|(rest, address)| (rest, Some(address.into())))?,
        _ => return Err(nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Switch))),
    })
}

fn ipv4(input: &[u8]) -> Parsed<'_, Ipv4Addr> {
    be_u32(input).map(|(rest, bits)| (rest, Ipv4Addr::from_bits(bits)))
}

fn ipv6(input: &[u8]) -> Parsed<'_, Ipv6Addr> {
    nom::number::complete::be_u128(input).map(|(rest, bits)| (rest, Ipv6Addr::from_bits(bits)))
}

/// Six bytes, padded to eight.
fn mac(input: &[u8]) -> Parsed<'_, [u8; 6]> {
    let (rest, bytes) = take(8_usize).parse(input)?;
    Ok((rest, bytes.first_chunk().copied().unwrap_or_default()))
}

const VERSION: u32 = 5;
const SAMPLE_HEADER_LEN: usize = 8;
const ADDRESS_UNKNOWN: u32 = 0;
const ADDRESS_IPV4: u32 = 1;
const ADDRESS_IPV6: u32 = 2;
const FLOW_SAMPLE: u32 = 1;
const COUNTER_SAMPLE: u32 = 2;
const EXPANDED_FLOW_SAMPLE: u32 = 3;
const EXPANDED_COUNTER_SAMPLE: u32 = 4;
const DISCARDED_PACKET: u32 = 5;
