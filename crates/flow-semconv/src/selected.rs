//! Attributes that are not wanted, left out on their way.

use std::net::{IpAddr, Ipv4Addr};

use crate::attribute::Attribute;
use crate::attribute_set::AttributeSet;
use crate::extra::ExtraValue;
use crate::program::AttributeWriter;
use crate::sink::SpanParts;
use crate::text::ShortText;

/// Writes the attributes of a set and leaves out the others.
///
/// Fragments, rows and keys of elements pass: what is encoded ahead was selected then.
pub(crate) struct Selected<'a, W> {
    out: &'a mut W,
    set: &'a AttributeSet,
}

impl<'a, W: AttributeWriter> Selected<'a, W> {
    #[inline]
    pub(crate) fn new(out: &'a mut W, set: &'a AttributeSet) -> Self {
        Self { out, set }
    }

    #[inline]
    fn of(&mut self, attribute: Attribute) -> Option<&mut W> {
        self.set.has(attribute).then_some(&mut *self.out)
    }
}

impl<W: AttributeWriter> AttributeWriter for Selected<'_, W> {
    type Parts = W::Parts;

    #[inline]
    fn int(&mut self, attribute: Attribute, value: i64) {
        if let Some(out) = self.of(attribute) {
            out.int(attribute, value);
        }
    }

    #[inline]
    fn double(&mut self, attribute: Attribute, value: f64) {
        if let Some(out) = self.of(attribute) {
            out.double(attribute, value);
        }
    }

    #[inline]
    fn str(&mut self, attribute: Attribute, value: &str) {
        if let Some(out) = self.of(attribute) {
            out.str(attribute, value);
        }
    }

    #[inline]
    fn text(&mut self, attribute: Attribute, value: &ShortText) {
        if let Some(out) = self.of(attribute) {
            out.text(attribute, value);
        }
    }

    #[inline]
    fn address(&mut self, attribute: Attribute, value: IpAddr) {
        if let Some(out) = self.of(attribute) {
            out.address(attribute, value);
        }
    }

    #[inline]
    fn ipv4(&mut self, attribute: Attribute, value: Ipv4Addr) {
        if let Some(out) = self.of(attribute) {
            out.ipv4(attribute, value);
        }
    }

    #[inline]
    fn strs(&mut self, attribute: Attribute, values: &[&str]) {
        if let Some(out) = self.of(attribute) {
            out.strs(attribute, values);
        }
    }

    #[inline]
    fn bool(&mut self, attribute: Attribute, value: bool) {
        if let Some(out) = self.of(attribute) {
            out.bool(attribute, value);
        }
    }

    #[inline]
    fn fragment(&mut self, fragment: &<Self::Parts as SpanParts>::Fragment) {
        self.out.fragment(fragment);
    }

    #[inline]
    fn row(&mut self, row: &<Self::Parts as SpanParts>::Row, values: impl Iterator<Item = u64>) {
        self.out.row(row, values);
    }

    #[inline]
    fn extra(&mut self, key: &<Self::Parts as SpanParts>::Key, value: ExtraValue<'_>) {
        self.out.extra(key, value);
    }

    #[inline]
    fn error(&mut self, message: &str) {
        self.out.error(message);
    }

    #[inline]
    fn trace_state(&mut self, state: &ShortText) {
        self.out.trace_state(state);
    }
}
