//! Template Records as sent, and the Template compiled from one.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU16;
use nom::number::complete::{be_u16, be_u32};
use nom::{IResult, Parser};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::{Set, SetKind, Version};

/// The length that marks a variable-length field (RFC 7011 section 7).
pub const VARIABLE_LENGTH: u16 = 65535;

/// One column of a Template: an Information Element and its length on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FieldSpecifier {
    /// Private Enterprise Number; 0 for IANA elements and for every NetFlow field type.
    pub enterprise_number: u32,
    /// Element ID without the enterprise bit; for v9 the whole 16-bit field type.
    pub id: u16,
    /// Bytes of each value, or [`VARIABLE_LENGTH`].
    pub length: u16,
}

/// A Template or Options Template as it was sent, borrowed from its Set.
#[derive(Clone, Copy, Debug)]
pub struct TemplateRecord<'a> {
    /// Template ID.
    pub template_id: u16,
    /// Number of fields; 0 is a Template Withdrawal (IPFIX only).
    pub field_count: u16,
    /// Leading fields that are scope; `None` for a Template Record, which describes flows.
    pub scope_field_count: Option<u16>,
    /// Offset of the record in its datagram.
    pub start: usize,
    version: Version,
    fields: &'a [u8],
}

impl<'a> TemplateRecord<'a> {
    /// Whether this withdraws a Template (RFC 7011 section 8.1), or all of them where the ID is that of a Set.
    pub const fn is_withdrawal(&self) -> bool {
        self.field_count == 0
    }

    /// The Field Specifiers in order.
    pub fn field_specifiers(&self) -> impl Iterator<Item = FieldSpecifier> + 'a {
        let (mut rest, version) = (self.fields, self.version);
        core::iter::from_fn(move || {
            let (after, specifier) = field_specifier(rest, version).ok()?;
            rest = after;
            Some(specifier)
        })
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T>;

pub(crate) fn field_specifier(input: &[u8], version: Version) -> Parsed<'_, FieldSpecifier> {
    let (rest, (id, length)) = (be_u16, be_u16).parse(input)?;
    // Only IPFIX has the enterprise bit; v9 exporters use field types above 32767.
    if version == Version::Ipfix && id & 0x8000 != 0 {
        let (rest, enterprise_number) = be_u32(rest)?;
        return Ok((rest, FieldSpecifier { enterprise_number, id: id & 0x7fff, length }));
    }
    Ok((rest, FieldSpecifier { enterprise_number: 0, id, length }))
}

/// The head of a Template Record of either kind and version, without its ID.
struct Head {
    fields: Extent,
    scope_field_count: Option<u16>,
    uneven: bool,
}

/// How the fields of a Template Record are delimited: IPFIX and v9 Templates count them, v9 Options Templates give bytes.
enum Extent {
    Fields(u16),
    Bytes(usize),
}

fn head(input: &[u8], version: Version, options: bool) -> Parsed<'_, Head> {
    let (rest, (_, first)) = (be_u16, be_u16).parse(input)?;
    match (options, version) {
        (false, _) => {
            let head = Head { fields: Extent::Fields(first), scope_field_count: None, uneven: false };
            Ok((rest, head))
        }
        (true, Version::V9) => {
            let (rest, option_bytes) = be_u16(rest)?;
            let head = Head {
                fields: Extent::Bytes(usize::from(first) + usize::from(option_bytes)),
                scope_field_count: Some(first / 4),
                uneven: first % 4 != 0,
            };
            Ok((rest, head))
        }
        // An Options Template Withdrawal ends after the field count.
        (true, _) if first == 0 => {
            let head = Head { fields: Extent::Fields(0), scope_field_count: Some(0), uneven: false };
            Ok((rest, head))
        }
        (true, _) => {
            let (rest, scope) = be_u16(rest)?;
            let head = Head { fields: Extent::Fields(first), scope_field_count: Some(scope), uneven: false };
            Ok((rest, head))
        }
    }
}

/// Iterator over the Template Records of a Set; see [`crate::Message::template_records`].
///
/// An error costs one Template where its end is known, else the rest of the Set.
#[derive(Clone, Debug)]
pub struct TemplateRecords<'a> {
    datagram: &'a [u8],
    at: usize,
    end: usize,
    version: Version,
    options: bool,
}

impl<'a> TemplateRecords<'a> {
    pub(crate) fn new(datagram: &'a [u8], set: &Set, version: Version) -> Self {
        let options = set.kind == SetKind::OptionsTemplate;
        let read_as = |version| Self { datagram, at: set.body_start(), end: set.end, version, options };
        let fits = |version| read_as(version).all(|record| record.is_ok());
        // What has the Set ID of v9 inside IPFIX may have its layout too, which differs for Options Templates.
        let is_v9 = set.is_foreign(version) && !fits(version) && fits(Version::V9);
        read_as(if is_v9 { Version::V9 } else { version })
    }

    /// Offset of the first byte not claimed so far; when the iteration is over, the rest of the Set is padding.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Padding may have up to 7 bytes in practice, more than the 3 of the RFCs: anything too short for a Template
    /// Record with one field that is no withdrawal either, and any run of zeros.
    fn is_padding(&self, rest: &[u8]) -> bool {
        let withdrawal = || {
            self.version == Version::Ipfix
                && matches!(rest, [id0, id1, 0, 0, ..] if u16::from_be_bytes([*id0, *id1]) > 1)
        };
        let empty_v9 = || matches!(rest, [id0, ..] if *id0 > 0);
        rest.len() < 4
            || rest.iter().all(|byte| *byte == 0)
            || (rest.len() < 8 && !withdrawal() && !(self.version == Version::V9 && empty_v9()))
    }

    fn fatal(&mut self, start: usize, kind: DecodeErrorKind) -> Option<Result<TemplateRecord<'a>, DecodeError>> {
        self.at = self.end;
        Some(Err(DecodeError::new(start, kind)))
    }
}

impl<'a> Iterator for TemplateRecords<'a> {
    type Item = Result<TemplateRecord<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.at;
        let rest = &self.datagram[start..self.end];
        if self.is_padding(rest) {
            return None;
        }
        let template_id = u16::from_be_bytes([rest[0], rest[1]]);
        let truncated = DecodeErrorKind::TemplateTruncated(template_id);
        let Ok((body, mut head)) = head(rest, self.version, self.options) else {
            return self.fatal(start, truncated);
        };
        let mut after = body;
        let field_count = match head.fields {
            Extent::Fields(count) => {
                for _ in 0..count {
                    match field_specifier(after, self.version) {
                        Ok((rest, _)) => after = rest,
                        Err(_) => return self.fatal(start, truncated),
                    }
                }
                count
            }
            Extent::Bytes(bytes) => {
                let Some((_, rest)) = body.split_at_checked(bytes & !3) else {
                    return self.fatal(start, truncated);
                };
                // Some exporters count padding in.
                let padding;
                (padding, after) = rest.split_at((bytes & 3).min(rest.len()));
                head.uneven |= padding.iter().any(|byte| *byte != 0);
                // Two 16-bit lengths in fours: at most 32,766 fields.
                (bytes / 4) as u16
            }
        };
        self.at = self.end - after.len();
        let error = |kind| Some(Err(DecodeError::new(start, kind)));
        let withdraw_all = self.version == Version::Ipfix && field_count == 0 && matches!(template_id, 2 | 3);
        if template_id < 256 && !withdraw_all {
            return error(DecodeErrorKind::TemplateIdReserved(template_id));
        }
        if head.uneven {
            return error(DecodeErrorKind::TemplateOptionsLength(template_id));
        }
        if field_count == 0 && self.version != Version::Ipfix {
            return error(DecodeErrorKind::TemplateEmpty(template_id));
        }
        if head.scope_field_count.is_some_and(|scope| scope > field_count) {
            return error(DecodeErrorKind::TemplateScopeCount(head.scope_field_count.unwrap_or(0)));
        }
        Some(Ok(TemplateRecord {
            template_id,
            field_count,
            scope_field_count: head.scope_field_count,
            start,
            version: self.version,
            fields: &body[..body.len() - after.len()],
        }))
    }
}

/// What a Template may cost.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct TemplateLimits {
    /// Most fields of a Template; 2,048 by default. Cisco AVC sends several hundred.
    pub max_fields: u16,
}

impl Default for TemplateLimits {
    fn default() -> Self {
        Self { max_fields: 2048 }
    }
}

/// Most fields of length 0. They cost a sender nothing in its records, but every walk over a record a step each; Cisco ASA
/// and Juniper SRX send a handful.
const MAX_EMPTY_FIELDS: usize = 64;

/// Fixed-length fields lie at a constant distance from the start of a segment; a variable-length field ends a segment.
/// Records carry the starts of this many segments, fields behind them are found by walking.
pub(crate) const NEAR_SEGMENTS: usize = 8;
const FAR: u8 = u8::MAX;

/// A column of a compiled Template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) specifier: FieldSpecifier,
    /// Segment, or [`FAR`].
    segment: u8,
    /// Distance of the first byte from the start of the segment.
    offset: u16,
}

/// Where a field lies in every record of one Template: made once, then each read is a load and a mask.
///
/// A locator belongs to the Template that made it; with records of another it finds other bytes of the same datagram,
/// or nothing, but never panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locator {
    /// Which bits of the eight bytes that end with the field are its own.
    pub(crate) mask: u64,
    /// Position in the Template, from 1.
    column: NonZeroU16,
    pub(crate) length: u16,
    /// Distance of the first byte behind the field from the start of the segment; behind every record where the field has
    /// no constant place or no constant length.
    pub(crate) end: u16,
    /// Segment, or [`FAR`].
    pub(crate) segment: u8,
}

impl Locator {
    /// Of no field: it reads as 0 in every record.
    pub const ABSENT: Self = Self { mask: 0, column: NonZeroU16::MIN, length: 0, end: 0, segment: 0 };

    /// Bytes of the field, or [`VARIABLE_LENGTH`].
    pub const fn length(&self) -> u16 {
        self.length
    }

    /// Whether the field has a constant length and lies in front of all of variable length, so that
    /// [`RecordFront`](crate::RecordFront) reads it.
    pub const fn is_in_front(&self) -> bool {
        self.segment == 0 && self.length != VARIABLE_LENGTH
    }

    /// Position of the field in the Template, from 0.
    pub const fn column(&self) -> usize {
        self.column.get() as usize - 1
    }
}

/// A Template, checked and laid out for decoding.
#[derive(Debug, PartialEq, Eq)]
pub struct Template {
    id: u16,
    version: Version,
    scope_field_count: Option<u16>,
    columns: Box<[Column]>,
    /// Fixed bytes of each segment; one more than there are variable-length fields.
    segments: Box<[u16]>,
    min_record_len: u16,
}

impl Template {
    /// Checks a Template Record and lays it out.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::TemplateTooManyFields`], and [`DecodeErrorKind::TemplateRecordLength`] when all fields or
    /// more than 64 have length 0, or the shortest record fits into no datagram. A withdrawal is
    /// [`DecodeErrorKind::TemplateEmpty`].
    pub fn compile(record: &TemplateRecord<'_>, limits: &TemplateLimits) -> Result<Self, DecodeError> {
        let fail = |kind| Err(DecodeError::new(record.start, kind));
        if record.is_withdrawal() {
            return fail(DecodeErrorKind::TemplateEmpty(record.template_id));
        }
        if record.field_count > limits.max_fields {
            return fail(DecodeErrorKind::TemplateTooManyFields(record.field_count));
        }
        let mut fields = Vec::with_capacity(usize::from(record.field_count));
        fields.extend(record.field_specifiers());
        match Self::lay_out(record.template_id, record.version, record.scope_field_count, &fields) {
            Some(template) => Ok(template),
            None => fail(DecodeErrorKind::TemplateRecordLength(record.template_id)),
        }
    }

    /// Lays out a Template of v9 or IPFIX that was checked before, as one that a collector kept over a restart.
    ///
    /// `None` where no Template Record could have made it: the limits, the ID, the number of scope fields and the lengths
    /// of fields and records are checked as in [`Template::compile`].
    pub fn from_fields(
        id: u16,
        version: Version,
        scope_field_count: Option<u16>,
        fields: &[FieldSpecifier],
        limits: &TemplateLimits,
    ) -> Option<Self> {
        let possible = id >= 256
            && version.has_templates()
            && fields.len() <= usize::from(limits.max_fields)
            && scope_field_count.is_none_or(|scope| usize::from(scope) <= fields.len());
        possible.then(|| Self::lay_out(id, version, scope_field_count, fields))?
    }

    pub(crate) fn built_in(version: Version, fields: Vec<FieldSpecifier>) -> Self {
        let template = Self::lay_out(version.number(), version, None, &fields);
        template.unwrap_or_else(|| unreachable!("built-in Templates have records that fit a datagram"))
    }

    fn lay_out(id: u16, version: Version, scope_field_count: Option<u16>, fields: &[FieldSpecifier]) -> Option<Self> {
        if fields.iter().filter(|field| field.length == 0).count() > MAX_EMPTY_FIELDS {
            return None;
        }
        let mut columns = Vec::with_capacity(fields.len());
        let mut segments = Vec::new();
        let mut offset = 0_u16;
        let mut min_record_len = 0_u16;
        for &specifier in fields {
            let segment = if segments.len() < NEAR_SEGMENTS { segments.len() as u8 } else { FAR };
            columns.push(Column { specifier, segment, offset });
            if specifier.length == VARIABLE_LENGTH {
                segments.push(offset);
                offset = 0;
                min_record_len = min_record_len.checked_add(1)?;
            } else {
                offset = offset.checked_add(specifier.length)?;
                min_record_len = min_record_len.checked_add(specifier.length)?;
            }
        }
        segments.push(offset);
        (min_record_len > 0).then(|| Self {
            id,
            version,
            scope_field_count,
            columns: columns.into_boxed_slice(),
            segments: segments.into_boxed_slice(),
            min_record_len,
        })
    }

    /// Template ID; for built-in Templates the version number.
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Version of the Messages it came in.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// Whether its records are options, not flows.
    pub const fn is_options(&self) -> bool {
        self.scope_field_count.is_some()
    }

    /// Leading fields that are scope.
    pub fn scope_field_count(&self) -> usize {
        self.scope_field_count.map_or(0, usize::from)
    }

    /// The Field Specifiers in order.
    pub fn field_specifiers(&self) -> impl ExactSizeIterator<Item = FieldSpecifier> + '_ {
        self.columns.iter().map(|column| column.specifier)
    }

    /// Bytes of the shortest record.
    pub fn min_record_len(&self) -> usize {
        usize::from(self.min_record_len)
    }

    /// Bytes of every record, if no field has variable length.
    pub fn fixed_record_len(&self) -> Option<usize> {
        (self.segments.len() == 1).then(|| self.min_record_len())
    }

    /// Heap and inline bytes, for budgets.
    pub fn memory(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.columns) + size_of_val(&*self.segments)
    }

    /// Whether `record` defines this very Template again.
    pub fn is_refreshed_by(&self, record: &TemplateRecord<'_>) -> bool {
        self.id == record.template_id
            && self.scope_field_count == record.scope_field_count
            && self.columns.len() == usize::from(record.field_count)
            && self.field_specifiers().eq(record.field_specifiers())
    }

    /// The first field of this element that is not scope, if the Template has one.
    ///
    /// Order has meaning where an element occurs more than once (RFC 7011 section 8); in tunnels the outer comes first.
    pub fn locate(&self, enterprise_number: u32, id: u16) -> Option<Locator> {
        self.locate_all(enterprise_number, id).next()
    }

    /// The fields of this element that are not scope, in order.
    pub fn locate_all(&self, enterprise_number: u32, id: u16) -> impl Iterator<Item = Locator> + '_ {
        let columns = self.columns.iter().enumerate().skip(self.scope_field_count());
        columns.filter_map(move |(index, column)| {
            let FieldSpecifier { enterprise_number: number, id: found, length } = column.specifier;
            if (number, found) != (enterprise_number, id) {
                return None;
            }
            Some(Locator {
                mask: u64::MAX.checked_shl(8 * u32::from(length)).map_or(u64::MAX, |others| !others),
                column: u16::try_from(index + 1).ok().and_then(NonZeroU16::new)?,
                length,
                end: if length == VARIABLE_LENGTH || column.segment == FAR {
                    u16::MAX
                } else {
                    column.offset.saturating_add(length)
                },
                segment: column.segment,
            })
        })
    }

    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    pub(crate) fn segments(&self) -> &[u16] {
        &self.segments
    }
}
