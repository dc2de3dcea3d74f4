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

mod list;

use alloc::vec::Vec;

pub use list::ListWriter;

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
        aggregation: 0,
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
            Version::Sflow5 => self.fail_in_version(),
            Version::V5 => self
                .number(4, sequence_number.into())
                .number(2, header.observation_domain_id.into())
                .number(2, header.sampling.into()),
            Version::V7 => self.number(4, sequence_number.into()).number(4, 0),
            Version::V8 => self
                .number(4, sequence_number.into())
                .number(2, header.observation_domain_id.into())
                .number(1, header.aggregation.into())
                .number(1, V8_AGGREGATION_VERSION)
                .number(4, 0),
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

    /// Starts a Data Record in the open Data Set, or one of v8, whose fields are those of its aggregation scheme.
    pub fn record(&mut self) -> RecordWriter<'_> {
        self.end_record();
        self.records += 1;
        match &mut self.set {
            Some(set) => set.record_start = self.buffer.len(),
            None if self.version == Some(Version::V8) => {}
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
const V8_AGGREGATION_VERSION: u64 = 2;
