//! Lists as RFC 6313 writes them.

use alloc::vec::Vec;

use crate::list::ListSemantic;
use crate::template::{FieldSpecifier, VARIABLE_LENGTH};

use super::{ENTERPRISE_BIT, LONG_FORM, put};

/// Writes the value of a field that is a list, to be put into a record by
/// [`RecordWriter::variable`](super::RecordWriter::variable) or into another list.
#[derive(Clone, Debug)]
pub struct ListWriter {
    bytes: Vec<u8>,
    /// Length of the values; records are written field by field.
    length: u16,
    /// Where the open part of a multi-list starts.
    part: Option<usize>,
}

impl ListWriter {
    /// A basicList of values of one element.
    pub fn basic(semantic: ListSemantic, element: &FieldSpecifier) -> Self {
        let mut bytes = Vec::from([semantic.0]);
        let bit = if element.enterprise_number == 0 { 0 } else { ENTERPRISE_BIT };
        put(&mut bytes, 2, (element.id | bit).into());
        put(&mut bytes, 2, element.length.into());
        if element.enterprise_number != 0 {
            put(&mut bytes, 4, element.enterprise_number.into());
        }
        Self { bytes, length: element.length, part: None }
    }

    /// A subTemplateList of records of one Template, to be written field by field.
    pub fn sub_template(semantic: ListSemantic, template_id: u16) -> Self {
        let mut bytes = Vec::from([semantic.0]);
        put(&mut bytes, 2, template_id.into());
        Self { bytes, length: 0, part: None }
    }

    /// A subTemplateMultiList without parts.
    pub fn sub_template_multi(semantic: ListSemantic) -> Self {
        Self { bytes: Vec::from([semantic.0]), length: 0, part: None }
    }

    /// Starts a part of a subTemplateMultiList; the records that follow are of this Template.
    pub fn part(&mut self, template_id: u16) -> &mut Self {
        self.part = Some(self.bytes.len());
        put(&mut self.bytes, 2, template_id.into());
        put(&mut self.bytes, 2, 0);
        self.close()
    }

    /// A value of a basicList, or a field of fixed length. A basicList of variable length gives it its length.
    pub fn value(&mut self, bytes: &[u8]) -> &mut Self {
        if self.length == VARIABLE_LENGTH {
            return self.variable(bytes);
        }
        self.bytes.extend_from_slice(bytes);
        self.close()
    }

    /// A field of variable length (RFC 7011 section 7).
    pub fn variable(&mut self, bytes: &[u8]) -> &mut Self {
        match u8::try_from(bytes.len()) {
            Ok(length) if length < LONG_FORM => self.bytes.push(length),
            _ => {
                self.bytes.push(LONG_FORM);
                put(&mut self.bytes, 2, bytes.len() as u64);
            }
        }
        self.bytes.extend_from_slice(bytes);
        self.close()
    }

    /// The list so far. A part longer than 65,535 bytes has a wrong length; no Message has room for it.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Brings the length of the open part up to date.
    fn close(&mut self) -> &mut Self {
        if let Some(start) = self.part {
            let length = (self.bytes.len() - start) as u16;
            self.bytes[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        self
    }
}
