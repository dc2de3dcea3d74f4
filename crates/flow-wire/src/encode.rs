//! The writing direction: Messages as an Exporting Process sends them.
//!
//! [`MessageWriter`] takes the same [`MessageHeader`] that decoding gives, and fills in lengths, counts and padding.
//! Its buffer is used again for each Message, so that generators and tests write without allocating per record.
//!
//! ```
//! use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
//! use flow_wire::{FieldSpecifier, Timestamp, Version};
//!
//! const FIELDS: &[FieldSpecifier] = &[
//!     FieldSpecifier { enterprise_number: 0, id: 8, length: 4 }, // sourceIPv4Address
//!     FieldSpecifier { enterprise_number: 0, id: 82, length: 65535 }, // interfaceName
//! ];
//! let mut writer = MessageWriter::new();
//! writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(1_700_000_000), 0, 7));
//! writer.template_set(&[TemplateDefinition::new(256, FIELDS)]);
//! writer.data_set(256);
//! writer.record().bytes(&[192, 0, 2, 1]).variable(b"eth0");
//! let datagram = writer.finish()?;
//! assert_eq!(datagram.len(), 16 + 16 + 4 + 9 + 3);
//! # Ok::<(), flow_wire::encode::EncodeError>(())
//! ```

use alloc::vec::Vec;

use crate::message::{MessageHeader, SetId, Version};
use crate::template::{FieldSpecifier, VARIABLE_LENGTH};
use crate::time::Timestamp;

/// Why a Message cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The Message would be longer than 65,535 bytes, or hold more records than its header can count.
    #[error("message longer than 65535 bytes")]
    MessageTooLong,
    /// The version of the Message has no such part: Sets and Templates belong to v9 and IPFIX, fixed records to v1, v5
    /// and v7, enterprise numbers and variable lengths to IPFIX.
    #[error("version {} has no such part", .0.number())]
    NotInVersion(Version),
    /// A Template ID below 256.
    #[error("template id {0} is reserved")]
    ReservedTemplateId(u16),
    /// A Template with more than 65,535 fields, or more scope fields than fields, or an Options Template with none.
    #[error("template {0} has an impossible number of fields")]
    FieldCount(u16),
    /// An IPFIX Information Element ID above 32,767.
    #[error("element id {0} is out of range")]
    ElementId(u16),
    /// A number that needs more bytes than its field has.
    #[error("value {0} does not fit its field")]
    Value(u64),
    /// A Data Record outside of a Data Set.
    #[error("record outside of a data set")]
    RecordOutsideSet,
}

/// A Message Header with what is not given left empty: `sys_uptime_ms` 0 where the version has it, no sampling.
///
/// [`MessageWriter::finish`] fills in `length_or_count`.
pub const fn header(
    version: Version,
    export_time: Timestamp,
    sequence_number: u32,
    observation_domain_id: u32,
) -> MessageHeader {
    MessageHeader {
        version,
        length_or_count: 0,
        sys_uptime_ms: if matches!(version, Version::Ipfix) { None } else { Some(0) },
        export_time,
        sequence_number: Some(sequence_number),
        observation_domain_id,
        sampling: 0,
    }
}

/// A Template Record or Options Template Record to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemplateDefinition<'a> {
    /// Template ID, from 256.
    pub id: u16,
    /// How many of the first fields are scope; 0 for a Template.
    pub scope_count: u16,
    /// The columns. None at all is an IPFIX withdrawal (RFC 7011 section 8.1).
    pub fields: &'a [FieldSpecifier],
}

impl<'a> TemplateDefinition<'a> {
    /// A Template.
    pub const fn new(id: u16, fields: &'a [FieldSpecifier]) -> Self {
        Self { id, scope_count: 0, fields }
    }

    /// An Options Template, the first `scope_count` fields of which are scope.
    pub const fn options(id: u16, scope_count: u16, fields: &'a [FieldSpecifier]) -> Self {
        Self { id, scope_count, fields }
    }
}

/// One record of v1, v5 or v7. v1 has neither AS numbers nor masks; `router` is in v7 only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FixedRecord {
    /// Source address.
    pub source_address: [u8; 4],
    /// Destination address.
    pub destination_address: [u8; 4],
    /// Next hop router.
    pub next_hop: [u8; 4],
    /// SNMP index of the input interface.
    pub ingress_interface: u16,
    /// SNMP index of the output interface.
    pub egress_interface: u16,
    /// Packets of the flow.
    pub packets: u32,
    /// Bytes of the flow.
    pub octets: u32,
    /// `sysUptime` at the first packet, in milliseconds.
    pub start_sys_uptime_ms: u32,
    /// `sysUptime` at the last packet, in milliseconds.
    pub end_sys_uptime_ms: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port; ICMP: type x 256 + code.
    pub destination_port: u16,
    /// TCP flags of all packets, or-ed.
    pub tcp_flags: u8,
    /// IP protocol.
    pub protocol: u8,
    /// Type of service.
    pub tos: u8,
    /// Source AS number.
    pub source_as: u16,
    /// Destination AS number.
    pub destination_as: u16,
    /// Prefix length of the source.
    pub source_mask: u8,
    /// Prefix length of the destination.
    pub destination_mask: u8,
    /// Router that the switch short-cuts.
    pub router: [u8; 4],
}

/// What follows the last record of a Set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// Zeros up to a multiple of four bytes, unless they could be taken for a record (RFC 7011 section 3.3.1).
    #[default]
    FourBytes,
    /// Nothing.
    None,
}

/// Writes one Message after another into the same buffer.
///
/// What cannot be written is remembered and returned by [`finish`](Self::finish), so that fields chain without `?`.
#[derive(Clone, Debug, Default)]
pub struct MessageWriter {
    buffer: Vec<u8>,
    version: Option<Version>,
    padding: Padding,
    /// Where the open Set starts, and the record being written in it.
    set: Option<OpenSet>,
    records: usize,
    error: Option<EncodeError>,
}

#[derive(Clone, Copy, Debug)]
struct OpenSet {
    start: usize,
    record_start: usize,
    shortest_record: usize,
}

impl MessageWriter {
    /// A writer with an empty buffer that pads Sets to four bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, with another padding.
    pub fn with_padding(mut self, padding: Padding) -> Self {
        self.padding = padding;
        self
    }

    /// Starts a Message; whatever was written before is gone.
    pub fn begin(&mut self, header: &MessageHeader) -> &mut Self {
        self.buffer.clear();
        (self.version, self.set, self.records, self.error) = (Some(header.version), None, 0, None);
        let nanoseconds = header.export_time.as_unix_nanos();
        let sequence_number = header.sequence_number.unwrap_or_default();
        self.number(2, header.version.number().into()).number(2, 0);
        if header.version != Version::Ipfix {
            self.number(4, header.sys_uptime_ms.unwrap_or_default().into());
        }
        self.number(4, nanoseconds / 1_000_000_000);
        if !header.version.has_templates() {
            self.number(4, nanoseconds % 1_000_000_000);
        }
        match header.version {
            Version::V1 => self,
            Version::V5 => self
                .number(4, sequence_number.into())
                .number(2, header.observation_domain_id.into())
                .number(2, header.sampling.into()),
            Version::V7 => self.number(4, sequence_number.into()).number(4, 0),
            Version::V9 | Version::Ipfix => {
                self.number(4, sequence_number.into()).number(4, header.observation_domain_id.into())
            }
        }
    }

    /// Writes a Set of Template Records.
    pub fn template_set(&mut self, templates: &[TemplateDefinition<'_>]) -> &mut Self {
        let id = if self.version == Some(Version::V9) { SetId::V9_TEMPLATE } else { SetId::TEMPLATE };
        self.definitions(id, templates, false)
    }

    /// Writes a Set of Options Template Records.
    pub fn options_template_set(&mut self, templates: &[TemplateDefinition<'_>]) -> &mut Self {
        let id = if self.version == Some(Version::V9) { SetId::V9_OPTIONS_TEMPLATE } else { SetId::OPTIONS_TEMPLATE };
        self.definitions(id, templates, true)
    }

    /// Opens a Data Set; the records that follow go there. It ends where another Set starts, or the Message ends.
    pub fn data_set(&mut self, template_id: u16) -> &mut Self {
        if !SetId(template_id).is_data() {
            self.fail(EncodeError::ReservedTemplateId(template_id));
        }
        self.open_set(SetId(template_id))
    }

    /// Starts a Data Record in the open Data Set.
    pub fn record(&mut self) -> RecordWriter<'_> {
        self.end_record();
        self.records += 1;
        match &mut self.set {
            Some(set) => set.record_start = self.buffer.len(),
            None => self.fail(EncodeError::RecordOutsideSet),
        }
        RecordWriter { message: self }
    }

    /// Writes one record of a v1, v5 or v7 Message.
    pub fn fixed_record(&mut self, record: &FixedRecord) -> &mut Self {
        let Some(version @ (Version::V1 | Version::V5 | Version::V7)) = self.version else {
            return self.fail_in_version();
        };
        self.records += 1;
        for address in [record.source_address, record.destination_address, record.next_hop] {
            self.write(&address);
        }
        self.number(2, record.ingress_interface.into());
        self.number(2, record.egress_interface.into());
        for word in [record.packets, record.octets, record.start_sys_uptime_ms, record.end_sys_uptime_ms] {
            self.number(4, word.into());
        }
        self.number(2, record.source_port.into());
        self.number(2, record.destination_port.into());
        if version == Version::V1 {
            self.write(&[0, 0, record.protocol, record.tos, record.tcp_flags]);
            return self.write(&[0; 7]);
        }
        self.write(&[0, record.tcp_flags, record.protocol, record.tos]);
        self.number(2, record.source_as.into());
        self.number(2, record.destination_as.into());
        self.write(&[record.source_mask, record.destination_mask, 0, 0]);
        if version == Version::V7 {
            self.write(&record.router);
        }
        self
    }

    /// Bytes written so far, without the padding of the open Set.
    pub fn written_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Ends the Message and returns it. The header then has the length, or the number of records: v9 counts Template
    /// Records as well (RFC 3954 section 5.1).
    ///
    /// # Errors
    ///
    /// The first thing that could not be written since [`begin`](Self::begin).
    pub fn finish(&mut self) -> Result<&[u8], EncodeError> {
        self.close_set();
        let length_or_count = if self.version == Some(Version::Ipfix) { self.buffer.len() } else { self.records };
        match u16::try_from(length_or_count) {
            Ok(number) => self.patch(2, number),
            Err(_) => self.fail(EncodeError::MessageTooLong),
        }
        match self.error {
            None => Ok(&self.buffer),
            Some(error) => Err(error),
        }
    }

    fn definitions(&mut self, id: SetId, templates: &[TemplateDefinition<'_>], options: bool) -> &mut Self {
        self.open_set(id);
        for template in templates {
            self.records += 1;
            if !SetId(template.id).is_data() {
                self.fail(EncodeError::ReservedTemplateId(template.id));
            }
            self.number(2, template.id.into());
            self.field_counts(template, options);
            for field in template.fields {
                self.field_specifier(field);
            }
        }
        self.close_set();
        self
    }

    /// The counts of a Template Record: RFC 7011 section 3.4, RFC 3954 sections 5.2 and 6.1.
    fn field_counts(&mut self, template: &TemplateDefinition<'_>, options: bool) {
        let (fields, scopes) = (template.fields.len(), usize::from(template.scope_count));
        let withdrawal = fields == 0 && scopes == 0 && self.version == Some(Version::Ipfix);
        let scopes_fit = if options { (1..=fields).contains(&scopes) } else { scopes == 0 && fields > 0 };
        if (!scopes_fit && !withdrawal) || fields > usize::from(u16::MAX) {
            return self.fail(EncodeError::FieldCount(template.id));
        }
        match (options, self.version) {
            (true, Some(Version::V9)) => {
                self.number(2, 4 * scopes as u64);
                self.number(2, 4 * (fields - scopes) as u64);
            }
            (true, _) if !withdrawal => {
                self.number(2, fields as u64);
                self.number(2, scopes as u64);
            }
            _ => {
                self.number(2, fields as u64);
            }
        }
    }

    fn field_specifier(&mut self, field: &FieldSpecifier) {
        if self.version == Some(Version::V9) {
            if field.enterprise_number != 0 || field.length == VARIABLE_LENGTH {
                self.fail(EncodeError::NotInVersion(Version::V9));
            }
            self.number(2, field.id.into());
            self.number(2, field.length.into());
            return;
        }
        if field.id & ENTERPRISE_BIT != 0 {
            self.fail(EncodeError::ElementId(field.id));
        }
        let enterprise = field.enterprise_number != 0;
        self.number(2, (field.id | if enterprise { ENTERPRISE_BIT } else { 0 }).into());
        self.number(2, field.length.into());
        if enterprise {
            self.number(4, field.enterprise_number.into());
        }
    }

    fn open_set(&mut self, id: SetId) -> &mut Self {
        self.close_set();
        if !self.version.is_some_and(Version::has_templates) {
            return self.fail_in_version();
        }
        let start = self.buffer.len();
        self.set = Some(OpenSet { start, record_start: start + SET_HEADER, shortest_record: usize::MAX });
        self.number(2, id.0.into());
        self.number(2, 0)
    }

    fn close_set(&mut self) {
        self.end_record();
        let Some(set) = self.set.take() else { return };
        let padding = (self.buffer.len() - set.start).next_multiple_of(4) - (self.buffer.len() - set.start);
        if self.padding == Padding::FourBytes && padding < set.shortest_record {
            self.write(&[0; 3][..padding]);
        }
        match u16::try_from(self.buffer.len() - set.start) {
            Ok(length) => self.patch(set.start + 2, length),
            Err(_) => self.fail(EncodeError::MessageTooLong),
        }
    }

    fn end_record(&mut self) {
        if let Some(set) = &mut self.set
            && self.buffer.len() > set.record_start
        {
            set.shortest_record = set.shortest_record.min(self.buffer.len() - set.record_start);
            set.record_start = self.buffer.len();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> &mut Self {
        if self.buffer.len() + bytes.len() > MAX_MESSAGE {
            self.fail(EncodeError::MessageTooLong);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
        self
    }

    fn number(&mut self, length: usize, value: u64) -> &mut Self {
        if length < 8 && value >> (8 * length) != 0 {
            self.fail(EncodeError::Value(value));
        }
        if self.buffer.len() + length > MAX_MESSAGE {
            self.fail(EncodeError::MessageTooLong);
        } else {
            put(&mut self.buffer, length, value);
        }
        self
    }

    fn patch(&mut self, at: usize, number: u16) {
        if let Some(place) = self.buffer.get_mut(at..at + 2) {
            place.copy_from_slice(&number.to_be_bytes());
        }
    }

    fn fail(&mut self, error: EncodeError) {
        self.error.get_or_insert(error);
    }

    /// Without a Message there is no version to have the part either; v1 stands for it.
    fn fail_in_version(&mut self) -> &mut Self {
        self.fail(EncodeError::NotInVersion(self.version.unwrap_or(Version::V1)));
        self
    }
}

/// Writes the fields of one Data Record, in the order of its Template.
#[derive(Debug)]
pub struct RecordWriter<'a> {
    message: &'a mut MessageWriter,
}

impl RecordWriter<'_> {
    /// An unsigned number at `length` bytes; more than eight are filled with zeros.
    pub fn unsigned(&mut self, length: usize, value: u64) -> &mut Self {
        self.message.number(length, value);
        self
    }

    /// Bytes as they are: addresses, strings of fixed length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.message.write(bytes);
        self
    }

    /// A value of variable length, its length in one byte below 255 and in three from there on (RFC 7011 section 7).
    pub fn variable(&mut self, bytes: &[u8]) -> &mut Self {
        match u8::try_from(bytes.len()) {
            Ok(length) if length < LONG_FORM => {
                self.message.number(1, length.into()).write(bytes);
                self
            }
            _ => self.variable_in_long_form(bytes),
        }
    }

    /// The same with its length in three bytes, which RFC 7011 section 7 allows for short values too.
    pub fn variable_in_long_form(&mut self, bytes: &[u8]) -> &mut Self {
        if bytes.len() > MAX_MESSAGE {
            self.message.fail(EncodeError::MessageTooLong);
        } else {
            self.message.number(1, LONG_FORM.into()).number(2, bytes.len() as u64).write(bytes);
        }
        self
    }
}

/// Appends the low `length` bytes of `value`.
fn put(buffer: &mut Vec<u8>, length: usize, value: u64) {
    let bytes = value.to_be_bytes();
    match bytes.len().checked_sub(length) {
        Some(skip) => buffer.extend_from_slice(&bytes[skip..]),
        None => {
            buffer.resize(buffer.len() + length - bytes.len(), 0);
            buffer.extend_from_slice(&bytes);
        }
    }
}

const MAX_MESSAGE: usize = 65_535;
const SET_HEADER: usize = 4;
const ENTERPRISE_BIT: u16 = 0x8000;
const LONG_FORM: u8 = 255;

#[cfg(test)]
mod tests {
    use alloc::vec;

    use hex_literal::hex;

    use super::*;
    use crate::Message;

    const START: Timestamp = Timestamp::from_unix_seconds(0x6553_f100);

    const fn field(enterprise_number: u32, id: u16, length: u16) -> FieldSpecifier {
        FieldSpecifier { enterprise_number, id, length }
    }

    const FLOW: &[FieldSpecifier] =
        &[field(0, 8, 4), field(0, 1, 3), field(29305, 1, 8), field(0, 96, VARIABLE_LENGTH)];
    const V9_FLOW: &[FieldSpecifier] = &[field(0, 8, 4), field(0, 1, 3)];
    const SAMPLER: &[FieldSpecifier] = &[field(0, 302, 2), field(0, 305, 4)];

    fn begun(version: Version) -> MessageWriter {
        let mut writer = MessageWriter::new();
        writer.begin(&header(version, START, 7, 1));
        writer
    }

    /// RFC 7011 sections 3.1 to 3.4: lengths cover their headers, enterprise elements carry their number.
    #[test]
    fn ipfix_message() {
        let mut writer = begun(Version::Ipfix);
        writer.template_set(&[TemplateDefinition::new(256, FLOW)]);
        writer.options_template_set(&[TemplateDefinition::options(257, 1, SAMPLER)]);
        writer.data_set(257).record().unsigned(2, 9).unsigned(4, 100);
        writer.data_set(256);
        writer.record().bytes(&[192, 0, 2, 1]).unsigned(3, 1500).unsigned(8, 64).variable(b"dns");
        let expected = hex!(
            "000a 0064 6553f100 00000007 00000001"                       // Message Header, 100 bytes
            "0002 001c 0100 0004 0008 0004 0001 0003 8001 0008 00007279" // Template 256, an element of PEN 29305
            "0060 ffff"                                                  // variable length
            "0003 0014 0101 0002 0001 012e 0002 0131 0004 0000"          // Options Template 257, one scope field, padding
            "0101 000c 0009 00000064 0000"                               // its record, padding
            "0100 0018 c0000201 0005dc 0000000000000040 03 646e73 00"    // a record, padding
        );
        assert_eq!(writer.finish().unwrap(), expected);
    }

    /// RFC 3954 sections 5 and 6: the count is of records, Templates among them; scope and option lengths are in bytes.
    #[test]
    fn v9_message() {
        let mut writer = begun(Version::V9);
        writer.template_set(&[TemplateDefinition::new(256, V9_FLOW)]);
        writer.options_template_set(&[TemplateDefinition::options(257, 1, &[field(0, 1, 4), field(0, 34, 4)])]);
        writer.data_set(256);
        writer.record().bytes(&[192, 0, 2, 1]).unsigned(3, 1500);
        writer.record().bytes(&[192, 0, 2, 2]).unsigned(3, 40);
        let expected = hex!(
            "0009 0004 00000000 6553f100 00000007 00000001" // header: four records
            "0000 0010 0100 0002 0008 0004 0001 0003"       // Template FlowSet
            "0001 0014 0101 0004 0004 0001 0004 0022 0004 0000" // Options Template FlowSet, padding
            "0100 0014 c0000201 0005dc c0000202 000028 0000" // Data FlowSet, padding
        );
        assert_eq!(writer.finish().unwrap(), expected);
    }

    const RECORD: FixedRecord = FixedRecord {
        source_address: [192, 0, 2, 1],
        destination_address: [198, 51, 100, 2],
        next_hop: [10, 0, 0, 1],
        ingress_interface: 1,
        egress_interface: 2,
        packets: 3,
        octets: 4,
        start_sys_uptime_ms: 5,
        end_sys_uptime_ms: 6,
        source_port: 7,
        destination_port: 8,
        tcp_flags: 0x1b,
        protocol: 6,
        tos: 0xb8,
        source_as: 9,
        destination_as: 10,
        source_mask: 24,
        destination_mask: 16,
        router: [10, 0, 0, 2],
    };

    #[test]
    fn fixed_records() {
        let mut header = header(Version::V5, Timestamp::from_unix_nanos(1_700_000_000_000_000_005), 7, 0x0102);
        header.sys_uptime_ms = Some(1_000);
        header.sampling = 0x4064;
        let mut writer = MessageWriter::new();
        assert_eq!(
            writer.begin(&header).fixed_record(&RECORD).finish().unwrap(),
            hex!(
                "0005 0001 000003e8 6553f100 00000005 00000007 01 02 4064"
                "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
                "00 1b 06 b8 0009 000a 18 10 0000"
            )
        );
        header.version = Version::V7;
        assert_eq!(
            writer.begin(&header).fixed_record(&RECORD).finish().unwrap(),
            hex!(
                "0007 0001 000003e8 6553f100 00000005 00000007 00000000"
                "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
                "00 1b 06 b8 0009 000a 18 10 0000 0a000002"
            )
        );
        header.version = Version::V1;
        assert_eq!(
            writer.begin(&header).fixed_record(&RECORD).fixed_record(&RECORD).finish().unwrap()[..64],
            hex!(
                "0001 0002 000003e8 6553f100 00000005"
                "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
                "0000 06 b8 1b 00000000000000"
            )
        );
    }

    /// RFC 7011 section 7: lengths below 255 take one byte, others three; three are allowed for any.
    #[test]
    fn variable_lengths() {
        for (length, header) in
            [(0, &hex!("00")[..]), (254, &hex!("fe")), (255, &hex!("ff 00ff")), (300, &hex!("ff 012c"))]
        {
            let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
            writer.data_set(256).record().variable(&vec![b'a'; length]);
            let message = writer.finish().unwrap();
            assert_eq!(message[20..20 + header.len()], *header);
            assert_eq!(message.len(), 20 + header.len() + length);
        }
        let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
        writer.data_set(256).record().variable_in_long_form(b"ab");
        assert_eq!(writer.finish().unwrap()[20..], hex!("ff 0002 6162"));
    }

    /// RFC 7011 section 3.3.1: padding is shorter than any record of the Set, or it would be one.
    #[test]
    fn padding_is_never_as_long_as_a_record() {
        for (records, length) in
            [(&[5_usize][..], 12), (&[3, 3], 12), (&[3], 8), (&[1], 5), (&[2], 6), (&[3, 2], 9), (&[2, 3, 2], 12)]
        {
            let mut writer = begun(Version::Ipfix);
            writer.data_set(256);
            for &length in records {
                writer.record().unsigned(length, 1);
            }
            assert_eq!(writer.finish().unwrap().len() - 16, length, "{records:?}");
        }
    }

    /// RFC 7011 section 8.1: a withdrawal is a Template Record without fields.
    #[test]
    fn withdrawals() {
        let mut writer = begun(Version::Ipfix);
        writer.template_set(&[TemplateDefinition::new(256, &[]), TemplateDefinition::new(257, &[])]);
        writer.options_template_set(&[TemplateDefinition::options(258, 0, &[])]);
        assert_eq!(writer.finish().unwrap()[16..], hex!("0002 000c 0100 0000 0101 0000" "0003 0008 0102 0000"));
    }

    /// What a version cannot say, and what does not fit, is refused when the Message is finished; the next is clean.
    #[test]
    fn what_cannot_be_written_is_refused() {
        let refused = |version, write: fn(&mut MessageWriter)| {
            let mut writer = begun(version);
            write(&mut writer);
            let error = writer.finish().unwrap_err();
            assert!(writer.begin(&header(version, START, 0, 1)).finish().is_ok());
            error
        };
        let not_in = EncodeError::NotInVersion;
        let (v5, v9, ipfix) = (Version::V5, Version::V9, Version::Ipfix);
        assert_eq!(
            refused(v5, |m| {
                m.data_set(256);
            }),
            not_in(v5)
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.fixed_record(&RECORD);
            }),
            not_in(ipfix)
        );
        assert_eq!(
            refused(v9, |m| {
                m.template_set(&[TemplateDefinition::new(256, FLOW)]);
            }),
            not_in(v9)
        );
        assert_eq!(
            refused(v9, |m| {
                m.data_set(255);
            }),
            EncodeError::ReservedTemplateId(255)
        );
        assert_eq!(
            refused(v9, |m| {
                m.template_set(&[TemplateDefinition::new(0, V9_FLOW)]);
            }),
            EncodeError::ReservedTemplateId(0)
        );
        assert_eq!(
            refused(v9, |m| {
                m.template_set(&[TemplateDefinition::new(256, &[])]);
            }),
            EncodeError::FieldCount(256)
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.options_template_set(&[TemplateDefinition::options(256, 3, SAMPLER)]);
            }),
            EncodeError::FieldCount(256)
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.options_template_set(&[TemplateDefinition::options(256, 0, SAMPLER)]);
            }),
            EncodeError::FieldCount(256)
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.template_set(&[TemplateDefinition::new(256, &[field(0, 0x8001, 4)])]);
            }),
            EncodeError::ElementId(0x8001)
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.record();
            }),
            EncodeError::RecordOutsideSet
        );
        assert_eq!(
            refused(ipfix, |m| {
                m.data_set(256).record().unsigned(2, 65_536).unsigned(1, 256);
            }),
            EncodeError::Value(65_536)
        );
        assert_eq!(
            refused(v5, |m| {
                m.begin(&header(Version::V5, START, 0, 65_536));
            }),
            EncodeError::Value(65_536)
        );
        assert_eq!(MessageWriter::new().fixed_record(&RECORD).finish(), Err(not_in(Version::V1)));
    }

    /// RFC 7011 section 3.1: the Message length has 16 bits.
    #[test]
    fn a_message_has_at_most_65535_bytes() {
        let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
        writer.data_set(256).record().bytes(&vec![0; 65_515]);
        assert_eq!(writer.finish().map(<[u8]>::len), Ok(65_535));

        for length in [65_516, 65_536, 1 << 20] {
            let mut writer = begun(Version::Ipfix);
            writer.data_set(256).record().bytes(&vec![0; length]);
            assert_eq!(writer.finish(), Err(EncodeError::MessageTooLong));
            writer.begin(&header(Version::Ipfix, START, 0, 1)).data_set(256).record().variable(&vec![0; length]);
            assert_eq!(writer.finish(), Err(EncodeError::MessageTooLong));
        }
    }

    #[test]
    fn headers_decode_to_what_was_written() {
        for version in [Version::V1, Version::V5, Version::V7, Version::V9, Version::Ipfix] {
            let mut written = header(version, START, 7, 0);
            let mut writer = MessageWriter::new();
            writer.begin(&written);
            written.length_or_count = if version == Version::Ipfix { 16 } else { 0 };
            if version == Version::V1 {
                written.sequence_number = None;
            }
            let decoded = Message::decode(writer.finish().unwrap()).unwrap().header;
            assert_eq!(decoded, written);
        }
    }
}
