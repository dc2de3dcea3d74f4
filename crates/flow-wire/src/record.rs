//! Data Records: slices of a Set, laid out by a Template.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::front::{Fronts, RecordFront};
use crate::ie::{self, InformationElement};
use crate::message::Version;
use crate::template::{Column, FieldSpecifier, Locator, NEAR_SEGMENTS, Template, VARIABLE_LENGTH};
use crate::value::{self, Value, ValueError};

/// Iterator over the Data Records of a Set; see [`crate::Message::records`].
#[derive(Clone, Debug)]
pub struct Records<'a> {
    datagram: &'a [u8],
    template: &'a Template,
    at: usize,
    end: usize,
    overrun: bool,
    /// Bytes of every record; 0 where they differ.
    fixed: usize,
}

/// What was left of a Set behind its last whole record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remainder {
    /// Nothing, or fewer bytes than the shortest record.
    Padding {
        /// How many bytes.
        len: usize,
        /// Whether one of them is not zero, which RFC 7011 section 3.3.1 asks for but some exporters do not do.
        not_zero: bool,
    },
    /// A record that runs past its Set.
    Overrun {
        /// Bytes from the start of that record to the end of the Set.
        len: usize,
        /// Where and why.
        error: DecodeError,
    },
}

impl<'a> Records<'a> {
    pub(crate) fn new(datagram: &'a [u8], start: usize, end: usize, template: &'a Template) -> Self {
        let end = end.min(datagram.len());
        let fixed = template.fixed_record_len().unwrap_or(0);
        Self { datagram, template, at: start.min(end), end, overrun: false, fixed }
    }

    /// Records of the bytes from `start` to `end` of a datagram, or of a list in one.
    pub fn of_bytes(datagram: &'a [u8], start: usize, end: usize, template: &'a Template) -> Self {
        Self::new(datagram, start, end, template)
    }

    /// Offset of the first byte not claimed by a record so far.
    pub const fn position(&self) -> usize {
        self.at
    }

    /// Goes on with the record that starts here, as [`Records::tally_with`] told.
    #[inline]
    pub const fn go_to(&mut self, start: usize) {
        if start <= self.end {
            self.at = start;
        }
    }

    /// What remains behind the last record; to be asked when the iteration is over.
    #[inline]
    pub fn remainder(&self) -> Remainder {
        let rest = &self.datagram[self.at..self.end];
        if self.overrun {
            let error = DecodeError::new(self.at, DecodeErrorKind::RecordOverrun(self.template.id()));
            return Remainder::Overrun { len: rest.len(), error };
        }
        Remainder::Padding { len: rest.len(), not_zero: rest.iter().any(|byte| *byte != 0) }
    }

    /// Counts the records without reading them, and tells what remains.
    #[inline]
    pub fn tally(self) -> (usize, Remainder) {
        self.tally_with(|_| {})
    }

    /// [`Records::tally`], told where each record starts if they differ in length: what [`RecordFront::at`] asks for.
    #[inline]
    pub fn tally_with(mut self, started: impl FnMut(usize)) -> (usize, Remainder) {
        let count = match (self.end - self.at).checked_div(self.fixed) {
            Some(count) => {
                self.at += count * self.fixed;
                count
            }
            None => self.skip_all(started),
        };
        (count, self.remainder())
    }

    /// Goes behind the last record of variable length; returns how many there were.
    fn skip_all(&mut self, started: impl FnMut(usize)) -> usize {
        let set = self.datagram.get(..self.end).unwrap_or_default();
        match *self.template.segments() {
            // Most Templates of this kind have one such field.
            [head, tail] => self.skip_while(started, set.len(), |at| variable_end(set, at, &[head, tail], |_| {})),
            _ => {
                let segments = self.template.segments();
                self.skip_while(started, set.len(), |at| variable_end(set, at, segments, |_| {}))
            }
        }
    }

    #[inline]
    fn skip_while(
        &mut self,
        mut started: impl FnMut(usize),
        len: usize,
        end_of: impl Fn(usize) -> Option<usize>,
    ) -> usize {
        let (mut at, mut count) = (self.at, 0);
        let min = self.template.min_record_len();
        while len - at >= min {
            let Some(end) = end_of(at) else {
                self.overrun = true;
                break;
            };
            started(at);
            at = end;
            count += 1;
        }
        self.at = at;
        count
    }

    /// The records in front of their first field of variable length. `None` where less than eight bytes of the buffer lie
    /// in front of them, which is so in lists alone.
    pub fn fronts(self) -> Option<Fronts<'a>> {
        if self.overrun { None } else { Fronts::new(self.datagram, self.at, self.end, self.template) }
    }

    /// The end of the record that starts here, and where its first segments start in it.
    #[inline]
    fn variable(&self) -> Option<(usize, [u16; NEAR_SEGMENTS])> {
        let mut bases = [0; NEAR_SEGMENTS];
        let set = self.datagram.get(..self.end)?;
        let mut starts = bases.iter_mut().skip(1);
        let end = variable_end(set, self.at, self.template.segments(), |start| {
            if let Some(base) = starts.next() {
                // `start` may lie behind the Set, which the check of the end finds; it is then not read.
                *base = (start - self.at) as u16;
            }
        })?;
        Some((end, bases))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = DataRecord<'a>;

    #[inline]
    fn next(&mut self) -> Option<DataRecord<'a>> {
        if self.end - self.at < self.template.min_record_len() || self.overrun {
            return None;
        }
        let start = self.at;
        let (end, bases) = if self.fixed > 0 {
            (start + self.fixed, [0; NEAR_SEGMENTS])
        } else if let Some(extent) = self.variable() {
            extent
        } else {
            self.overrun = true;
            return None;
        };
        self.at = end;
        // A list may begin less than that in front of its record; every read then takes the slow way.
        let (lead, bases) = if start < LEAD { (start, [u16::MAX; NEAR_SEGMENTS]) } else { (LEAD, bases) };
        let bytes = self.datagram.get(start - lead..end)?;
        Some(DataRecord { bytes, template: self.template, bases, start: start as u16, lead: lead as u8 })
    }

    /// Goes over records of one length at once.
    #[inline]
    fn nth(&mut self, count: usize) -> Option<DataRecord<'a>> {
        if self.fixed == 0 {
            return (0..count).try_for_each(|_| self.next().map(drop)).and_then(|()| self.next());
        }
        let rest = self.end - self.at;
        self.at += match count.checked_mul(self.fixed) {
            Some(bytes) if bytes <= rest => bytes,
            _ => rest - rest % self.fixed,
        };
        self.next()
    }
}

/// The end of the record that starts at `at`, if it lies in the Set, which ends with `set`; told where each segment but the
/// first starts.
#[inline]
pub(crate) fn variable_end(
    set: &[u8],
    mut at: usize,
    segments: &[u16],
    mut started: impl FnMut(usize),
) -> Option<usize> {
    let (tail, heads) = segments.split_last()?;
    for fixed in heads {
        at += usize::from(*fixed);
        at += match *set.get(at)? {
            255 => variable_length(&set[at..]).map(|(start, len)| start + len)?,
            short => 1 + usize::from(short),
        };
        started(at);
    }
    at += usize::from(*tail);
    (at <= set.len()).then_some(at)
}

/// The prefix of a variable-length field: its own length, and that of the content (RFC 7011 section 7, figures R and S).
#[inline]
pub(crate) fn variable_length(input: &[u8]) -> Option<(usize, usize)> {
    match *input {
        [255, high, low, ..] => Some((3, usize::from(u16::from_be_bytes([high, low])))),
        [255, ..] | [] => None,
        [short, ..] => Some((1, usize::from(short))),
    }
}

/// Bytes in front of a record that a read of its first field looks at.
pub(crate) const LEAD: usize = 8;

/// One Data Record: a flow, or a row of options.
#[derive(Clone, Copy, Debug)]
pub struct DataRecord<'a> {
    /// The record, and `lead` bytes in front of it.
    bytes: &'a [u8],
    template: &'a Template,
    /// Where the first segments start in the record.
    bases: [u16; NEAR_SEGMENTS],
    start: u16,
    /// [`LEAD`], or less where the buffer begins nearer.
    lead: u8,
}

impl<'a> DataRecord<'a> {
    /// The Template that lays out this record.
    pub const fn template(&self) -> &'a Template {
        self.template
    }

    /// Offset of the record in its datagram.
    pub const fn offset(&self) -> usize {
        self.start as usize
    }

    /// The record as sent.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes.get(usize::from(self.lead)..).unwrap_or_default()
    }

    /// The fields in the order of the Template.
    #[inline]
    pub fn fields(&self) -> Fields<'a> {
        let template = self.template;
        Fields {
            rest: self.as_bytes(),
            columns: template.columns().iter(),
            scopes: template.scope_field_count(),
            version: template.version(),
        }
    }

    /// The record in front of its first field of variable length. `None` where less than eight bytes of the buffer lie in
    /// front of it, which is so in lists alone.
    #[inline]
    pub fn front(&self) -> Option<RecordFront<'a>> {
        (usize::from(self.lead) == LEAD).then(|| RecordFront::new(self.bytes))
    }

    /// Offset in `bytes` behind the field, for those that have a constant place in their segment.
    #[inline]
    fn end(&self, locator: Locator) -> usize {
        LEAD + usize::from(self.bases[usize::from(locator.segment) % NEAR_SEGMENTS]) + usize::from(locator.end)
    }

    /// The bytes of a field, or none where the locator does not fit this record.
    #[inline]
    pub fn bytes(&self, locator: Locator) -> &'a [u8] {
        let end = self.end(locator);
        match self.bytes.get(end - usize::from(locator.length).min(end)..end) {
            Some(bytes) => bytes,
            None => self.far(locator),
        }
    }

    /// The value of an integer field of 1 to 8 bytes, the last 8 bytes of a longer one; 0 where the locator does not fit
    /// this record.
    #[inline]
    pub fn unsigned(&self, locator: Locator) -> u64 {
        // One load that ends where the field ends. Without a constant place its end lies behind every record.
        match self.bytes.get(..self.end(locator)).and_then(<[u8]>::last_chunk) {
            Some(word) => u64::from_be_bytes(*word) & locator.mask,
            None => value::unsigned(self.far(locator)).unwrap_or(0) & locator.mask,
        }
    }

    /// The values of several integer fields, each as [`DataRecord::unsigned`] reads it.
    #[inline]
    pub fn unsigned_each<'l>(&self, locators: &'l [Locator]) -> impl Iterator<Item = u64> + use<'a, 'l> {
        let record = *self;
        locators.iter().map(move |locator| record.unsigned(*locator))
    }

    /// As [`DataRecord::unsigned_each`], for a constant number of fields.
    #[inline]
    pub fn unsigned_array<const N: usize>(&self, locators: &[Locator; N]) -> [u64; N] {
        locators.map(|locator| self.unsigned(locator))
    }

    /// An address of 4 bytes; 0.0.0.0 where the locator does not fit.
    #[inline]
    pub fn ipv4(&self, locator: Locator) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.unsigned(locator) as u32)
    }

    /// An address of 16 bytes; :: where the locator does not fit.
    #[inline]
    pub fn ipv6(&self, locator: Locator) -> Ipv6Addr {
        self.bytes(locator).first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets))
    }

    #[cold]
    fn far(&self, locator: Locator) -> &'a [u8] {
        self.fields().nth(locator.column()).map_or(&[], |field| field.bytes)
    }
}

/// Iterator over the fields of a record; see [`DataRecord::fields`].
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    columns: core::slice::Iter<'a, Column>,
    /// Scope fields to come.
    scopes: usize,
    version: Version,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline]
    fn next(&mut self) -> Option<Field<'a>> {
        let specifier = self.columns.next()?.specifier;
        let (prefix, len) = match specifier.length {
            VARIABLE_LENGTH => variable_length(self.rest)?,
            length => (0, usize::from(length)),
        };
        let (bytes, rest) = self.rest.get(prefix..)?.split_at_checked(len)?;
        self.rest = rest;
        let is_scope = self.scopes > 0;
        self.scopes = self.scopes.saturating_sub(1);
        Some(Field { specifier, is_scope, bytes, version: self.version })
    }
}

/// One field of a record: its Field Specifier and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// The element and the length in the Template.
    pub specifier: FieldSpecifier,
    /// Whether the field says what a row of options is about.
    pub is_scope: bool,
    /// The content, without the length prefix of a variable-length field.
    pub bytes: &'a [u8],
    version: Version,
}

impl<'a> Field<'a> {
    /// A value of a basicList (RFC 6313 section 4.5.1); without bytes, a way to ask what its element is.
    pub const fn of_list(specifier: FieldSpecifier, bytes: &'a [u8]) -> Self {
        Self { specifier, is_scope: false, bytes, version: Version::Ipfix }
    }

    /// The registry's row; of a v9 scope, that of its kind where it is one of RFC 3954. `None` for elements nobody
    /// registered.
    pub fn information_element(&self) -> Option<&'static InformationElement> {
        match (self.version, self.is_scope) {
            (Version::V9, true) if self.specifier.id <= LAST_V9_SCOPE => ie::lookup_v9_scope(self.specifier.id),
            (Version::V9, _) => ie::lookup_v9(self.specifier.id),
            _ => ie::lookup(self.specifier.enterprise_number, self.specifier.id),
        }
    }

    /// Name of the element in its registry.
    pub fn name(&self) -> Option<&'static str> {
        self.information_element().map(|element| element.name)
    }

    /// The value by the element's type. A length that does not fit the type, or an unknown element, gives
    /// [`Value::OctetArray`].
    pub fn value(&self) -> Value<'a> {
        match self.information_element() {
            Some(element) => Value::read(element.data_type, self.bytes),
            None => Value::OctetArray(self.bytes),
        }
    }

    /// The value by the element's type; of an unknown element, [`Value::OctetArray`].
    ///
    /// # Errors
    ///
    /// [`ValueError`] where the bytes are no value of the type. They are in [`Field::bytes`] all the same.
    pub fn try_value(&self) -> Result<Value<'a>, ValueError> {
        match self.information_element() {
            Some(element) => Value::try_read(element.data_type, self.bytes),
            None => Ok(Value::OctetArray(self.bytes)),
        }
    }
}

/// Kinds of v9 scope that RFC 3954 section 6.1 numbers; exporters use elements above as scope.
const LAST_V9_SCOPE: u16 = 5;
