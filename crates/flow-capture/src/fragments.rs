//! IP fragments back into datagrams.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::ops::Range;

/// One fragment of a UDP datagram.
#[derive(Debug)]
pub(crate) struct Fragment<'a> {
    pub(crate) key: FragmentKey,
    /// Bytes from the start of the IP payload.
    pub(crate) offset: usize,
    /// Whether more fragments follow this one.
    pub(crate) more: bool,
    /// Whether the capture has only a part of it.
    pub(crate) truncated: bool,
    pub(crate) bytes: &'a [u8],
}

/// What the fragments of one datagram have in common, beside being UDP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FragmentKey {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) identification: u32,
}

/// Datagrams that still miss fragments: at most [`MAX_PENDING`], so at most 8 MiB, and as much again where nearly every
/// piece has a hole behind it; the oldest leave first.
#[derive(Debug, Default)]
pub(crate) struct Fragments {
    pending: VecDeque<Pending>,
    lost: u64,
}

#[derive(Debug)]
struct Pending {
    key: FragmentKey,
    started_at: u64,
    fragments: u64,
    /// `None` once the fragments contradict each other; it stays so until the entry leaves.
    parts: Option<Parts>,
}

/// The bytes known so far.
#[derive(Debug, Default)]
struct Parts {
    bytes: Vec<u8>,
    /// Ordered, without overlap, never touching each other.
    known: Vec<Range<usize>>,
    length: Option<usize>,
}

impl Fragments {
    /// Adds a fragment captured at `captured_at` (Unix nanoseconds); returns the IP payload it completes and the
    /// number of fragments in it.
    ///
    /// Fragments of one datagram come within 60 seconds (RFC 8200 section 4.5); after that, an identification is taken
    /// to be used again.
    pub(crate) fn insert(&mut self, fragment: &Fragment<'_>, captured_at: u64) -> Option<(u64, Vec<u8>)> {
        let index = match self.pending.iter().position(|pending| pending.key == fragment.key) {
            Some(index) if captured_at.saturating_sub(self.pending[index].started_at) <= LIFETIME_NANOSECONDS => index,
            Some(index) => {
                self.give_up(index);
                self.start(fragment.key, captured_at)
            }
            None => self.start(fragment.key, captured_at),
        };
        let pending = &mut self.pending[index];
        pending.fragments += 1;
        if !pending.parts.as_mut().is_some_and(|parts| parts.add(fragment)) {
            pending.parts = None;
        }
        if !pending.parts.as_ref().is_some_and(Parts::is_complete) {
            return None;
        }
        let done = self.pending.remove(index)?;
        done.parts.map(|parts| (done.fragments, parts.bytes))
    }

    /// Fragments that became part of no datagram so far.
    pub(crate) fn lost(&self) -> u64 {
        self.lost + self.pending.iter().map(|pending| pending.fragments).sum::<u64>()
    }

    fn start(&mut self, key: FragmentKey, started_at: u64) -> usize {
        if self.pending.len() >= MAX_PENDING {
            self.give_up(0);
        }
        self.pending.push_back(Pending { key, started_at, fragments: 0, parts: Some(Parts::default()) });
        self.pending.len() - 1
    }

    fn give_up(&mut self, index: usize) {
        self.lost += self.pending.remove(index).map_or(0, |pending| pending.fragments);
    }
}

impl Parts {
    /// Adds the bytes; false if the datagram can no longer be trusted.
    ///
    /// Fragments that overlap must say the same: what else could be spliced from them is an attack, not traffic
    /// (RFC 5722 section 4).
    fn add(&mut self, fragment: &Fragment<'_>) -> bool {
        let range = fragment.offset..fragment.offset + fragment.bytes.len();
        let fits_in_units = !fragment.more || (!range.is_empty() && range.len().is_multiple_of(8));
        if fragment.truncated || !fits_in_units || range.end > MAX_PAYLOAD {
            return false;
        }
        let length = if fragment.more { self.length } else { Some(range.end) };
        if (self.length.is_some() && self.length != length) || length.is_some_and(|end| range.end > end) {
            return false;
        }
        if length.is_some_and(|end| self.bytes.len() > end) || !self.agrees(&range, fragment.bytes) {
            return false;
        }
        self.length = length;
        if self.bytes.len() < range.end {
            // Doubling, as a `Vec` does by itself, but never beyond what a datagram can hold.
            if self.bytes.capacity() < range.end {
                let capacity = range.end.max((2 * self.bytes.capacity()).min(MAX_PAYLOAD));
                self.bytes.reserve_exact(capacity - self.bytes.len());
            }
            self.bytes.resize(range.end, 0);
        }
        self.bytes[range.clone()].copy_from_slice(fragment.bytes);
        self.mark_known(range);
        true
    }

    fn agrees(&self, range: &Range<usize>, bytes: &[u8]) -> bool {
        self.known.iter().all(|known| {
            let (start, end) = (known.start.max(range.start), known.end.min(range.end));
            start >= end || self.bytes[start..end] == bytes[start - range.start..end - range.start]
        })
    }

    fn mark_known(&mut self, range: Range<usize>) {
        let first = self.known.partition_point(|known| known.end < range.start);
        let last = self.known.partition_point(|known| known.start <= range.end);
        let merged = self.known[first..last]
            .iter()
            .fold(range, |merged, known| merged.start.min(known.start)..merged.end.max(known.end));
        self.known.splice(first..last, [merged]);
    }

    fn is_complete(&self) -> bool {
        self.length.is_some_and(|length| self.known.first() == Some(&(0..length)))
    }
}

const MAX_PENDING: usize = 128;
const MAX_PAYLOAD: usize = 65_535;
const LIFETIME_NANOSECONDS: u64 = 60_000_000_000;
