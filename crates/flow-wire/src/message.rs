//! Datagram to Message Header and Sets.

use nom::number::complete::{be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::legacy::{self, Layout};
use crate::record::Records;
use crate::sflow;
use crate::template::{Template, TemplateRecords};
use crate::time::Timestamp;

/// The version number in the first two bytes of a Message; IPFIX is 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[repr(u16)]
pub enum Version {
    /// NetFlow v1.
    V1 = 1,
    /// NetFlow v5.
    V5 = 5,
    /// NetFlow v7 (Catalyst switches).
    V7 = 7,
    /// NetFlow v8 (flows added up by an aggregation scheme).
    V8 = 8,
    /// NetFlow v9 (RFC 3954).
    V9 = 9,
    /// IPFIX (RFC 7011).
    Ipfix = 10,
    /// [sFlow](crate::sflow) version 5, whose number has 32 bits: the first two bytes are zero.
    Sflow5 = 0,
}

impl Version {
    /// The version of a number, if it is one of the six.
    pub const fn from_number(number: u16) -> Option<Self> {
        Some(match number {
            1 => Self::V1,
            5 => Self::V5,
            7 => Self::V7,
            8 => Self::V8,
            9 => Self::V9,
            10 => Self::Ipfix,
            _ => return None,
        })
    }

    /// The version that a datagram claims to be.
    pub fn of_datagram(datagram: &[u8]) -> Option<Self> {
        if sflow::is_sflow(datagram) {
            return Some(Self::Sflow5);
        }
        datagram.first_chunk().and_then(|bytes| Self::from_number(u16::from_be_bytes(*bytes)))
    }

    /// The number in the first two bytes; 0 for sFlow.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// Bytes of the Message Header; for sFlow where the agent's address is IPv4.
    pub const fn header_len(self) -> usize {
        match self {
            Self::V1 | Self::Ipfix => 16,
            Self::V5 | Self::V7 => 24,
            Self::V8 => 28,
            Self::V9 => 20,
            Self::Sflow5 => 28,
        }
    }

    /// Whether records are laid out by Templates that the exporter sends (v9, IPFIX).
    pub const fn has_templates(self) -> bool {
        matches!(self, Self::V9 | Self::Ipfix)
    }
}

/// The Message Header of any version. What a version does not carry is `None`, or zero where said.
///
/// To be made by [`encode::header`](crate::encode::header).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageHeader {
    /// Version of the Message.
    pub version: Version,
    /// Bytes of the Message for IPFIX; a number of records for the others, where exporters disagree what it counts.
    pub length_or_count: u16,
    /// Milliseconds since the exporter started; absent in IPFIX.
    pub sys_uptime_ms: Option<u32>,
    /// When the Message left the exporter, by its clock: seconds, for v1, v5, v7 and v8 also nanoseconds. sFlow does not
    /// say it: there it is the time of receipt.
    pub export_time: Timestamp,
    /// Flows (v5, v7, v8), Messages (v9) or Data Records (IPFIX) sent before; sFlow: datagrams, this one among them;
    /// absent in v1.
    pub sequence_number: Option<u32>,
    /// Observation Domain ID; v9: Source ID; v5, v8: engine type x 256 + engine ID; sFlow: sub-agent ID; v1, v7: 0.
    pub observation_domain_id: u32,
    /// v5: sampling mode in the upper two bits, interval in the lower fourteen; 0 for the others.
    pub sampling: u16,
    /// v8: the aggregation scheme; 0 for the others.
    pub aggregation: u8,
}

type Parsed<'a, T> = IResult<&'a [u8], T>;

fn header(input: &[u8], version: Version) -> Parsed<'_, MessageHeader> {
    let (rest, (_, length_or_count)) = (be_u16, be_u16).parse(input)?;
    let mut header = MessageHeader {
        version,
        length_or_count,
        sys_uptime_ms: None,
        export_time: Timestamp::UNIX_EPOCH,
        sequence_number: None,
        observation_domain_id: 0,
        sampling: 0,
        aggregation: 0,
    };
    let rest = match version {
        Version::Ipfix => {
            let (rest, (seconds, sequence, domain)) = (be_u32, be_u32, be_u32).parse(rest)?;
            header.export_time = Timestamp::from_unix_seconds(seconds.into());
            header.sequence_number = Some(sequence);
            header.observation_domain_id = domain;
            rest
        }
        Version::V9 => {
            let (rest, (uptime, seconds, sequence, domain)) = (be_u32, be_u32, be_u32, be_u32).parse(rest)?;
            header.sys_uptime_ms = Some(uptime);
            header.export_time = Timestamp::from_unix_seconds(seconds.into());
            header.sequence_number = Some(sequence);
            header.observation_domain_id = domain;
            rest
        }
        Version::V1 | Version::V5 | Version::V7 | Version::V8 => {
            let (rest, (uptime, seconds, nanos)) = (be_u32, be_u32, be_u32).parse(rest)?;
            header.sys_uptime_ms = Some(uptime);
            header.export_time = Timestamp::from_unix_nanos(u64::from(seconds) * 1_000_000_000 + u64::from(nanos));
            match version {
                Version::V5 => {
                    let (rest, (sequence, kind, id, sampling)) = (be_u32, be_u8, be_u8, be_u16).parse(rest)?;
                    header.sequence_number = Some(sequence);
                    header.observation_domain_id = u32::from(kind) << 8 | u32::from(id);
                    header.sampling = sampling;
                    rest
                }
                Version::V7 => {
                    let (rest, (sequence, _)) = (be_u32, be_u32).parse(rest)?;
                    header.sequence_number = Some(sequence);
                    rest
                }
                Version::V8 => {
                    let (rest, (sequence, domain)) = (be_u32, be_u16).parse(rest)?;
                    let (rest, (aggregation, _version, _reserved)) = (be_u8, be_u8, be_u32).parse(rest)?;
                    header.sequence_number = Some(sequence);
                    header.observation_domain_id = domain.into();
                    header.aggregation = aggregation;
                    rest
                }
                _ => rest,
            }
        }
        Version::Sflow5 => rest,
    };
    Ok((rest, header))
}

/// One export Message inside a datagram: its header, and its Sets as slices.
///
/// Offsets are bytes from the start of the datagram. A datagram holds one Message, except that some relays put several
/// IPFIX Messages into one: [`Message::end`] is where the next one starts.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The Message Header.
    pub header: MessageHeader,
    datagram: &'a [u8],
    start: usize,
    end: usize,
}

impl<'a> Message<'a> {
    /// Decodes the Message Header at the start of a datagram; Sets stay unread.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::HeaderTruncated`], [`DecodeErrorKind::UnsupportedVersion`],
    /// [`DecodeErrorKind::DatagramTooLong`], or [`DecodeErrorKind::MessageTooShort`] for an IPFIX length below 16.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        Self::decode_at(datagram, 0)
    }

    /// Decodes the Message Header at `start` bytes into a datagram.
    ///
    /// # Errors
    ///
    /// As [`Message::decode`].
    pub fn decode_at(datagram: &'a [u8], start: usize) -> Result<Self, DecodeError> {
        let fail = |offset, kind| Err(DecodeError::new(offset, kind));
        if datagram.len() > usize::from(u16::MAX) {
            return fail(0, DecodeErrorKind::DatagramTooLong(datagram.len()));
        }
        let input = datagram.get(start..).unwrap_or_default();
        let number = match be_u16::<_, nom::error::Error<_>>(input) {
            Ok((_, number)) => number,
            Err(_) => return fail(datagram.len(), DecodeErrorKind::HeaderTruncated),
        };
        let Some(version) = Version::from_number(number) else {
            return fail(start, DecodeErrorKind::UnsupportedVersion(number));
        };
        let Ok((_, header)) = header(input, version) else {
            return fail(datagram.len(), DecodeErrorKind::HeaderTruncated);
        };
        let mut end = datagram.len();
        if version == Version::Ipfix {
            let length = usize::from(header.length_or_count);
            if length < version.header_len() {
                return fail(start + 2, DecodeErrorKind::MessageTooShort(header.length_or_count));
            }
            end = end.min(start + length);
        }
        Ok(Self { header, datagram, start, end })
    }

    /// The whole datagram.
    pub const fn datagram(&self) -> &'a [u8] {
        self.datagram
    }

    /// Offset of the first byte of the Message.
    pub const fn start(&self) -> usize {
        self.start
    }

    /// Offset of the first byte behind the Message.
    pub const fn end(&self) -> usize {
        self.end
    }

    /// What is odd about the length or count in the header, if anything; decoding goes by what is there.
    ///
    /// The v9 count is not looked at: what it counts takes Templates to tell, and exporters put records, FlowSets or
    /// nothing into it.
    pub fn length_issue(&self) -> Option<DecodeError> {
        let announced = self.header.length_or_count;
        let kind = match Layout::of(self) {
            Some(layout) if legacy::records(self, layout).0 < announced => DecodeErrorKind::CountMismatch(announced),
            None if self.header.version == Version::Ipfix && usize::from(announced) > self.end - self.start => {
                DecodeErrorKind::MessageTruncated(announced)
            }
            _ => return None,
        };
        Some(DecodeError::new(self.start + 2, kind))
    }

    /// The Sets in order. The records of v1, v5, v7 and v8 count as one Set of kind [`SetKind::BuiltIn`].
    ///
    /// An error ends the iteration when nothing behind it can be framed.
    pub fn sets(&self) -> Sets<'a> {
        Sets { message: *self, at: self.start + self.header.version.header_len(), done: false }
    }

    /// The Template Records of a Set of kind [`SetKind::Template`] or [`SetKind::OptionsTemplate`].
    pub fn template_records(&self, set: &Set) -> TemplateRecords<'a> {
        TemplateRecords::new(self.datagram, set, self.header.version)
    }

    /// The Data Records of a Set, laid out by its Template.
    pub fn records(&self, set: &Set, template: &'a Template) -> Records<'a> {
        Records::new(self.datagram, set.body_start(), set.end, template)
    }
}

/// The ID of a Set (RFC 7011 section 3.3.2). NetFlow v9 numbers its Template FlowSets 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SetId(pub u16);

impl SetId {
    /// IPFIX Template Set.
    pub const TEMPLATE: Self = Self(2);
    /// IPFIX Options Template Set.
    pub const OPTIONS_TEMPLATE: Self = Self(3);
    /// NetFlow v9 Template FlowSet.
    pub const V9_TEMPLATE: Self = Self(0);
    /// NetFlow v9 Options Template FlowSet.
    pub const V9_OPTIONS_TEMPLATE: Self = Self(1);

    /// Whether the ID is that of a Template, so that the Set holds Data Records.
    pub const fn is_data(self) -> bool {
        self.0 >= 256
    }
}

/// What a Set holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetKind {
    /// Template Records.
    Template,
    /// Options Template Records.
    OptionsTemplate,
    /// Data Records of the Template with the Set's ID.
    Data,
    /// Data Records of a [built-in Template](legacy): v1, v5, v7, v8.
    BuiltIn,
    /// Nothing that is defined; to be skipped.
    Reserved,
}

/// A Set: where it lies in its datagram, and what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Set {
    /// The Set ID; for [`SetKind::BuiltIn`] the version number.
    pub id: SetId,
    /// What the Set holds.
    pub kind: SetKind,
    /// Offset of the Set header.
    pub start: usize,
    /// Offset of the first byte behind the Set.
    pub end: usize,
}

impl Set {
    /// Bytes of a Set header.
    pub const HEADER_LEN: usize = 4;

    /// Offset of the first byte behind the Set header.
    pub const fn body_start(&self) -> usize {
        match self.kind {
            SetKind::BuiltIn => self.start,
            _ => self.start + Self::HEADER_LEN,
        }
    }

    /// Whether a Template Set carries the ID that the other version uses for it.
    pub fn is_foreign(&self, version: Version) -> bool {
        matches!(self.kind, SetKind::Template | SetKind::OptionsTemplate) && version == Version::Ipfix && self.id.0 < 2
    }
}

/// Iterator over the Sets of a Message; see [`Message::sets`].
#[derive(Clone, Debug)]
pub struct Sets<'a> {
    message: Message<'a>,
    at: usize,
    done: bool,
}

impl Sets<'_> {
    /// Offset of the first byte that no Set has claimed so far. When the iteration is over, the bytes from here to
    /// [`Message::end`] are padding, or unreadable because of the error that ended it.
    pub const fn position(&self) -> usize {
        self.at
    }

    #[inline]
    fn built_in(&mut self) -> Result<Set, DecodeError> {
        self.done = true;
        let message = &self.message;
        let Some(layout) = Layout::of(message) else {
            let kind = DecodeErrorKind::AggregationUnknown(message.header.aggregation);
            return Err(DecodeError::new(message.start + AGGREGATION_OFFSET, kind));
        };
        let start = self.at;
        self.at += legacy::records(message, layout).1;
        Ok(Set { id: SetId(message.header.version.number()), kind: SetKind::BuiltIn, start, end: self.at })
    }
}

impl Iterator for Sets<'_> {
    type Item = Result<Set, DecodeError>;

    // One caller in a program: a Set that is returned by way of memory costs more than it takes to find it.
    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let version = self.message.header.version;
        match version {
            Version::V9 | Version::Ipfix => {}
            Version::Sflow5 => return None,
            _ => return Some(self.built_in()),
        }
        let start = self.at;
        let rest = &self.message.datagram[start..self.message.end];
        let header: Parsed<'_, (u16, u16)> = (be_u16, be_u16).parse(rest);
        let Ok((body, (id, length))) = header else {
            self.done = true;
            return None;
        };
        if usize::from(length) < Set::HEADER_LEN {
            self.done = true;
            // v9 exporters fill up to a fixed datagram size with zeros (Palo Alto, Cisco ACI).
            if version == Version::V9 && rest.iter().all(|byte| *byte == 0) {
                return None;
            }
            return Some(Err(DecodeError::new(start, DecodeErrorKind::SetTooShort(length))));
        }
        if usize::from(length) - Set::HEADER_LEN > body.len() {
            self.done = true;
            return Some(Err(DecodeError::new(start, DecodeErrorKind::SetOverrun(length))));
        }
        self.at = start + usize::from(length);
        let kind = match (version, SetId(id)) {
            (_, SetId::V9_TEMPLATE) | (Version::Ipfix, SetId::TEMPLATE) => SetKind::Template,
            (_, SetId::V9_OPTIONS_TEMPLATE) | (Version::Ipfix, SetId::OPTIONS_TEMPLATE) => SetKind::OptionsTemplate,
            (_, id) if id.is_data() => SetKind::Data,
            _ => SetKind::Reserved,
        };
        Some(Ok(Set { id: SetId(id), kind, start, end: self.at }))
    }
}

/// Where the aggregation scheme lies in the header of v8.
const AGGREGATION_OFFSET: usize = 22;
