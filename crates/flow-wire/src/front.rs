//! Records as far as their first field of variable length: what costs least to read.

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::record::{LEAD, variable_end};
use crate::template::{Locator, Template};

/// A Data Record in front of its first field of variable length; the whole record where it has none.
///
/// It reads fields whose [`Locator::is_in_front`]; with another locator it finds other bytes of the same datagram, or
/// nothing, but never panics.
#[derive(Clone, Copy, Debug)]
pub struct RecordFront<'a> {
    /// [`LEAD`] bytes, then those of the record.
    bytes: &'a [u8],
}

impl<'a> RecordFront<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The record of this Template that starts at `start` of a datagram. `None` where it is not whole, and where less than
    /// eight bytes lie in front of it.
    #[inline]
    pub fn at(datagram: &'a [u8], start: usize, template: &Template) -> Option<Self> {
        let len = usize::from(*template.segments().first()?);
        datagram.get(start.checked_sub(LEAD)?..start + len).map(Self::new)
    }

    /// A field of the records of a datagram that start here, each as [`RecordFront::unsigned`] reads it; 0 where there is
    /// nothing.
    #[inline]
    pub fn column(datagram: &[u8], starts: &[u32], locator: Locator, values: &mut [u64]) {
        for (value, start) in values.iter_mut().zip(starts) {
            let word = (*start as usize + usize::from(locator.end)).checked_sub(LEAD).and_then(|at| datagram.get(at..));
            let word = word.and_then(<[u8]>::first_chunk);
            *value = word.map_or(0, |word| u64::from_be_bytes(*word) & locator.mask);
        }
    }

    /// The value of an integer field of 1 to 8 bytes, the last 8 bytes of a longer one.
    #[inline]
    pub fn unsigned(&self, locator: Locator) -> u64 {
        // The eight bytes that end with the field begin as far behind the lead's start as the field ends behind its end.
        let start = usize::from(locator.end);
        match self.bytes.get(start..start + LEAD).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_be_bytes(*word) & locator.mask,
            None => 0,
        }
    }

    /// An address of 4 bytes.
    #[inline]
    pub fn ipv4(&self, locator: Locator) -> Ipv4Addr {
        Ipv4Addr::from_bits(self.unsigned(locator) as u32)
    }

    /// An address of 16 bytes; :: where the locator does not fit.
    #[inline]
    pub fn ipv6(&self, locator: Locator) -> Ipv6Addr {
        self.bytes(locator).first_chunk::<16>().map_or(Ipv6Addr::UNSPECIFIED, |octets| Ipv6Addr::from(*octets))
    }

    /// The bytes of a field of constant length.
    #[inline]
    pub fn bytes(&self, locator: Locator) -> &'a [u8] {
        let end = LEAD + usize::from(locator.end);
        self.bytes.get(end - usize::from(locator.length).min(end)..end).unwrap_or_default()
    }

    /// The record as sent, at least up to its first field of variable length.
    #[inline]
    pub fn as_bytes(&self) -> &'a [u8] {
        self.bytes.get(LEAD..).unwrap_or_default()
    }
}

/// Iterator over the records of a Set in front of their first field of variable length; see [`Records::fronts`].
///
/// [`Records::fronts`]: crate::Records::fronts
#[derive(Clone, Debug)]
pub struct Fronts<'a> {
    /// [`LEAD`] bytes, then what is left of the Set.
    rest: &'a [u8],
    template: &'a Template,
    /// Fixed bytes that each record begins with.
    len: usize,
    /// Bytes of every record; 0 where they differ.
    fixed: usize,
}

impl<'a> Fronts<'a> {
    /// `None` where there is no lead.
    pub(crate) fn new(datagram: &'a [u8], start: usize, end: usize, template: &'a Template) -> Option<Self> {
        let rest = datagram.get(start.checked_sub(LEAD)?..end)?;
        let len = usize::from(*template.segments().first()?);
        Some(Self { rest, template, len, fixed: template.fixed_record_len().unwrap_or(0) })
    }

    /// All records at once, where each is of `N` bytes.
    #[inline]
    pub fn as_arrays<const N: usize>(&self) -> Option<&'a [[u8; N]]> {
        (self.fixed == N).then(|| self.rest.get(LEAD..).unwrap_or_default().as_chunks().0)
    }

    /// A field of the next records, as many as there are `values`, each as [`RecordFront::unsigned`] reads it. Of the bytes
    /// behind the last record it makes what it finds there, or 0.
    pub fn column(&self, locator: Locator, values: &mut [u64]) {
        if self.fixed == 0 {
            let records = self.clone().map(|front| front.unsigned(locator));
            return values.iter_mut().zip(records).for_each(|(value, read)| *value = read);
        }
        let mut words = self.rest.get(usize::from(locator.end)..).unwrap_or_default();
        let read = |bytes: &[u8]| bytes.first_chunk().map_or(0, |word| u64::from_be_bytes(*word) & locator.mask);
        if self.fixed >= LEAD {
            // The compiler finds that each has a whole word. What is behind the last record may be shorter than one.
            let whole = words.chunks_exact(self.fixed);
            let (count, rest) = (whole.len(), whole.remainder());
            values.iter_mut().zip(whole).for_each(|(value, bytes)| *value = read(bytes));
            values.iter_mut().skip(count).take(1).for_each(|value| *value = read(rest));
            values.iter_mut().skip(count + 1).for_each(|value| *value = 0);
            return;
        }
        for value in values {
            *value = read(words);
            words = words.get(self.fixed..).unwrap_or_default();
        }
    }
}

impl<'a> Iterator for Fronts<'a> {
    type Item = RecordFront<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordFront<'a>> {
        let set = self.rest.get(LEAD..)?;
        let end = if self.fixed > 0 {
            self.fixed
        } else if set.len() < self.template.min_record_len() {
            return None;
        } else {
            variable_end(set, 0, self.template.segments(), |_| {}).unwrap_or(usize::MAX)
        };
        let front = self.rest.get(..LEAD + self.len)?;
        // Behind a record that reaches beyond the Set there is no other.
        self.rest = self.rest.get(end..).filter(|rest| rest.len() >= LEAD)?;
        Some(RecordFront::new(front))
    }
}
