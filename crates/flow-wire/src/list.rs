//! Structured data: lists inside a field (RFC 6313).
//!
//! A [`ListReader`] opens the list in a field; the list iterates over its elements, and opens the lists in those. Nothing
//! is copied. Depth and the number of elements of a whole tree of lists are limited by a [`ListBudget`].
//!
//! Offsets of errors count bytes from the start of the list that has the error, not of its datagram.
//!
//! ```
//! use flow_wire::list::{List, ListBudget, ListReader, ListSemantic};
//! # use flow_wire::{Message, Template, TemplateLimits};
//! # let datagram = [
//! #     0, 10, 0, 42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, 2, 0, 12, 1, 0, 0, 1, 1, 35, 255, 255,
//! #     1, 0, 0, 14, 9, 3, 0, 10, 0, 2, 0, 1, 0, 2,
//! # ];
//! # let message = Message::decode(&datagram)?;
//! # let mut sets = message.sets().flatten();
//! # let (templates, data) = (sets.next().expect("templates"), sets.next().expect("data"));
//! # let record = message.template_records(&templates).next().expect("one template")?;
//! # let template = Template::compile(&record, &TemplateLimits::default())?;
//! # let record = message.records(&data, &template).next().expect("one record");
//! let templates = |_id| None; // only sub-template lists need them
//! let budget = ListBudget::default();
//! let reader = ListReader::new(&templates, &budget);
//! for field in record.fields() {
//!     if let Some(List::Basic(list)) = reader.open(&field)? {
//!         assert_eq!(list.semantic(), ListSemantic::ALL_OF);
//!         let interfaces: Result<Vec<_>, _> = list.elements().map(|field| Ok(field?.value())).collect();
//!         assert_eq!(interfaces?, [flow_wire::Value::Unsigned(1), flow_wire::Value::Unsigned(2)]);
//!     }
//! }
//! # Ok::<(), flow_wire::DecodeError>(())
//! ```

use core::cell::Cell;
use core::fmt;

use nom::number::complete::{be_u8, be_u16};
use nom::{IResult, Parser};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::ie::AbstractDataType;
use crate::message::Version;
use crate::record::{DataRecord, Field, Records, variable_length};
use crate::template::{FieldSpecifier, Template, VARIABLE_LENGTH, field_specifier};

/// What the elements of a list have to do with the flow (RFC 6313 section 4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListSemantic(pub u8);

impl ListSemantic {
    /// None of the elements is a property of the flow.
    pub const NONE_OF: Self = Self(0);
    /// One of the elements is, the exporter does not know which.
    pub const EXACTLY_ONE_OF: Self = Self(1);
    /// At least one of the elements is.
    pub const ONE_OR_MORE_OF: Self = Self(2);
    /// Each of the elements is.
    pub const ALL_OF: Self = Self(3);
    /// Each of the elements is, and their order has a meaning.
    pub const ORDERED: Self = Self(4);
    /// Nothing is said.
    pub const UNDEFINED: Self = Self(255);

    /// IANA's name; `None` for unassigned numbers.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::NONE_OF => "noneOf",
            Self::EXACTLY_ONE_OF => "exactlyOneOf",
            Self::ONE_OR_MORE_OF => "oneOrMoreOf",
            Self::ALL_OF => "allOf",
            Self::ORDERED => "ordered",
            Self::UNDEFINED => "undefined",
            _ => return None,
        })
    }
}

/// What the lists of one field may cost, the lists in them included.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ListLimits {
    /// How deep lists lie in lists; 4 by default, where a list of plain values counts 1.
    pub max_depth: u8,
    /// Most lists, values and records that are read in sum; 65,536 by default.
    pub max_elements: u32,
}

impl Default for ListLimits {
    fn default() -> Self {
        Self { max_depth: 4, max_elements: 65_536 }
    }
}

/// What is left to be read of a tree of lists.
#[derive(Clone, Debug)]
pub struct ListBudget {
    limits: ListLimits,
    left: Cell<u32>,
}

impl ListBudget {
    /// The whole of `limits`.
    pub const fn new(limits: ListLimits) -> Self {
        Self { limits, left: Cell::new(limits.max_elements) }
    }

    /// Lists, values and records that may still be read.
    pub const fn left(&self) -> u32 {
        self.left.get()
    }

    fn take(&self, offset: usize) -> Result<(), DecodeError> {
        let Some(left) = self.left.get().checked_sub(1) else {
            return Err(DecodeError::new(offset, DecodeErrorKind::ListTooLong(self.limits.max_elements)));
        };
        self.left.set(left);
        Ok(())
    }
}

impl Default for ListBudget {
    fn default() -> Self {
        Self::new(ListLimits::default())
    }
}

/// Opens the lists in fields.
#[derive(Clone, Copy)]
pub struct ListReader<'a> {
    templates: &'a dyn Fn(u16) -> Option<&'a Template>,
    budget: &'a ListBudget,
    depth: u8,
}

impl fmt::Debug for ListReader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListReader").field("budget", self.budget).field("depth", &self.depth).finish_non_exhaustive()
    }
}

impl<'a> ListReader<'a> {
    /// A reader for the fields of a record. `templates` finds the Template of a sub-template list, which is one of the
    /// same Transport Session and Observation Domain as the record's own.
    pub const fn new(templates: &'a dyn Fn(u16) -> Option<&'a Template>, budget: &'a ListBudget) -> Self {
        Self { templates, budget, depth: 0 }
    }

    /// The list in a field; `None` where its element is no list. Elements of the list are to be opened by the reader
    /// that [`List::reader`] gives.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::ListTruncated`] for a list without a whole header, [`DecodeErrorKind::TemplateUnknown`] for a
    /// sub-template list without its Template, [`DecodeErrorKind::ListTooDeep`] and [`DecodeErrorKind::ListTooLong`].
    pub fn open(&self, field: &Field<'a>) -> Result<Option<List<'a>>, DecodeError> {
        match field.information_element() {
            Some(element) => self.read(element.data_type, field.bytes),
            None => Ok(None),
        }
    }

    /// The list in the value of an element of a type that is known; `None` where the type is no list.
    ///
    /// # Errors
    ///
    /// As [`ListReader::open`].
    pub fn read(&self, data_type: AbstractDataType, bytes: &'a [u8]) -> Result<Option<List<'a>>, DecodeError> {
        if !data_type.is_list() {
            return Ok(None);
        }
        if self.depth >= self.budget.limits.max_depth {
            return Err(DecodeError::new(0, DecodeErrorKind::ListTooDeep(self.budget.limits.max_depth)));
        }
        self.budget.take(0)?;
        let inner = Self { depth: self.depth + 1, ..*self };
        let list = match data_type {
            AbstractDataType::BasicList => BasicList::read(inner, bytes).map(List::Basic),
            AbstractDataType::SubTemplateList => SubTemplateList::read(inner, bytes).map(List::SubTemplate),
            _ => SubTemplateMultiList::read(inner, bytes).map(List::SubTemplateMulti),
        };
        list.map(Some)
    }

    fn template(&self, id: u16, offset: usize) -> Result<&'a Template, DecodeError> {
        (self.templates)(id).ok_or(DecodeError::new(offset, DecodeErrorKind::TemplateUnknown(id)))
    }
}

/// A list that was opened.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum List<'a> {
    /// basicList(291).
    Basic(BasicList<'a>),
    /// subTemplateList(292).
    SubTemplate(SubTemplateList<'a>),
    /// subTemplateMultiList(293).
    SubTemplateMulti(SubTemplateMultiList<'a>),
}

impl<'a> List<'a> {
    /// What the elements have to do with the flow.
    pub const fn semantic(&self) -> ListSemantic {
        match self {
            Self::Basic(list) => list.semantic,
            Self::SubTemplate(list) => list.semantic,
            Self::SubTemplateMulti(list) => list.semantic,
        }
    }

    /// Opens the lists in the elements of this one.
    pub const fn reader(&self) -> ListReader<'a> {
        match self {
            Self::Basic(list) => list.reader,
            Self::SubTemplate(list) => list.reader,
            Self::SubTemplateMulti(list) => list.reader,
        }
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T>;

/// The head of a list by `parser`, and where its content starts.
fn head<'a, T>(
    bytes: &'a [u8],
    mut parser: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>,
) -> Result<(T, usize), DecodeError> {
    match parser.parse(bytes) {
        Ok((rest, head)) => Ok((head, bytes.len() - rest.len())),
        Err(_) => Err(DecodeError::new(bytes.len(), DecodeErrorKind::ListTruncated)),
    }
}

/// Values of one Information Element (RFC 6313 section 4.5.1).
#[derive(Clone, Copy, Debug)]
pub struct BasicList<'a> {
    semantic: ListSemantic,
    specifier: FieldSpecifier,
    bytes: &'a [u8],
    content: usize,
    reader: ListReader<'a>,
}

impl<'a> BasicList<'a> {
    fn read(reader: ListReader<'a>, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let specifier = |input| field_specifier(input, Version::Ipfix);
        let ((semantic, specifier), content) = head(bytes, (be_u8, specifier))?;
        Ok(Self { semantic: ListSemantic(semantic), specifier, bytes, content, reader })
    }

    /// What the elements have to do with the flow.
    pub const fn semantic(&self) -> ListSemantic {
        self.semantic
    }

    /// The element that all values are of, and their length.
    pub const fn field_specifier(&self) -> FieldSpecifier {
        self.specifier
    }

    /// The values in order, as fields.
    ///
    /// An error is the last item: [`DecodeErrorKind::ListTruncated`] where a value runs past the list,
    /// [`DecodeErrorKind::ListElementLength`] where values of length 0 are to fill it, [`DecodeErrorKind::ListTooLong`].
    pub fn elements(&self) -> Elements<'a> {
        Elements { list: *self, at: self.content }
    }
}

/// Iterator over the values of a [`BasicList`].
#[derive(Clone, Debug)]
pub struct Elements<'a> {
    list: BasicList<'a>,
    at: usize,
}

impl<'a> Elements<'a> {
    fn element(&mut self) -> Result<Field<'a>, DecodeError> {
        let list = &self.list;
        let rest = &list.bytes[self.at..];
        let fail = |kind| DecodeError::new(self.at, kind);
        let (prefix, length) = match list.specifier.length {
            0 => return Err(fail(DecodeErrorKind::ListElementLength(0))),
            VARIABLE_LENGTH => variable_length(rest).ok_or(fail(DecodeErrorKind::ListTruncated))?,
            length => (0, usize::from(length)),
        };
        let bytes = rest.get(prefix..prefix + length).ok_or(fail(DecodeErrorKind::ListTruncated))?;
        list.reader.budget.take(self.at)?;
        self.at += prefix + length;
        Ok(Field::of_list(list.specifier, bytes))
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.list.bytes.len() {
            return None;
        }
        let element = self.element();
        if element.is_err() {
            self.at = self.list.bytes.len();
        }
        Some(element)
    }
}

/// Records of one Template (RFC 6313 section 4.5.2), or one part of a [`SubTemplateMultiList`].
#[derive(Clone, Copy, Debug)]
pub struct SubTemplateList<'a> {
    semantic: ListSemantic,
    template: &'a Template,
    bytes: &'a [u8],
    content: usize,
    end: usize,
    reader: ListReader<'a>,
}

impl<'a> SubTemplateList<'a> {
    fn read(reader: ListReader<'a>, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let ((semantic, id), content) = head(bytes, (be_u8, be_u16))?;
        let template = reader.template(id, 1)?;
        Ok(Self { semantic: ListSemantic(semantic), template, bytes, content, end: bytes.len(), reader })
    }

    /// What the records have to do with the flow.
    pub const fn semantic(&self) -> ListSemantic {
        self.semantic
    }

    /// The Template of the records.
    pub const fn template(&self) -> &'a Template {
        self.template
    }

    /// The records in order.
    ///
    /// An error is the last item: [`DecodeErrorKind::ListTruncated`] where the list ends inside a record, padding
    /// included, which lists do not have; [`DecodeErrorKind::ListTooLong`].
    pub fn records(&self) -> ListRecords<'a> {
        let records = Records::of_bytes(self.bytes, self.content, self.end, self.template);
        ListRecords { records, end: self.end, budget: self.reader.budget, done: false }
    }
}

/// Iterator over the records of a [`SubTemplateList`].
#[derive(Clone, Debug)]
pub struct ListRecords<'a> {
    records: Records<'a>,
    end: usize,
    budget: &'a ListBudget,
    done: bool,
}

impl<'a> Iterator for ListRecords<'a> {
    type Item = Result<DataRecord<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.records.position();
        if self.done || at >= self.end {
            return None;
        }
        let truncated = DecodeError::new(at, DecodeErrorKind::ListTruncated);
        let record = self.records.next().ok_or(truncated).and_then(|record| {
            self.budget.take(at)?;
            Ok(record)
        });
        self.done = record.is_err();
        Some(record)
    }
}

/// Records of several Templates, in parts (RFC 6313 section 4.5.3).
#[derive(Clone, Copy, Debug)]
pub struct SubTemplateMultiList<'a> {
    semantic: ListSemantic,
    bytes: &'a [u8],
    content: usize,
    reader: ListReader<'a>,
}

impl<'a> SubTemplateMultiList<'a> {
    fn read(reader: ListReader<'a>, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let (semantic, content) = head(bytes, be_u8)?;
        Ok(Self { semantic: ListSemantic(semantic), bytes, content, reader })
    }

    /// What the parts have to do with the flow.
    pub const fn semantic(&self) -> ListSemantic {
        self.semantic
    }

    /// The parts in order, each a list of records of one Template.
    ///
    /// A part without its Template ([`DecodeErrorKind::TemplateUnknown`]) is stepped over. Other errors are the last
    /// item: [`DecodeErrorKind::ListElementLength`] for a length that does not cover its own header,
    /// [`DecodeErrorKind::ListTruncated`] and [`DecodeErrorKind::ListTooLong`].
    pub fn parts(&self) -> Parts<'a> {
        Parts { list: *self, at: self.content }
    }
}

/// Iterator over the parts of a [`SubTemplateMultiList`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    list: SubTemplateMultiList<'a>,
    at: usize,
}

impl<'a> Parts<'a> {
    /// Template ID, and where the records start and end.
    fn frame(&self) -> Result<(u16, usize, usize), DecodeError> {
        let fail = |kind| Err(DecodeError::new(self.at, kind));
        let header: Parsed<'_, (u16, u16)> = (be_u16, be_u16).parse(&self.list.bytes[self.at..]);
        let Ok((_, (id, length))) = header else {
            return fail(DecodeErrorKind::ListTruncated);
        };
        let (start, end) = (self.at + PART_HEADER, self.at + usize::from(length));
        if start > end {
            return fail(DecodeErrorKind::ListElementLength(length));
        }
        if end > self.list.bytes.len() {
            return fail(DecodeErrorKind::ListTruncated);
        }
        self.list.reader.budget.take(self.at)?;
        Ok((id, start, end))
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<SubTemplateList<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let SubTemplateMultiList { semantic, bytes, reader, .. } = self.list;
        if self.at >= bytes.len() {
            return None;
        }
        let (id, content, end) = match self.frame() {
            Ok(frame) => frame,
            Err(error) => {
                self.at = bytes.len();
                return Some(Err(error));
            }
        };
        let template = reader.template(id, self.at);
        self.at = end;
        Some(template.map(|template| SubTemplateList { semantic, template, bytes, content, end, reader }))
    }
}

/// Template ID and length of a part.
const PART_HEADER: usize = 4;
