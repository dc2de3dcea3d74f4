//! Short texts, in a buffer of fixed size.

use std::fmt;

/// A short text of ASCII characters, with room behind it so that it can be copied at a constant size.
#[derive(Clone, Copy)]
pub struct ShortText {
    bytes: [u8; ShortText::CAPACITY],
    len: usize,
}

impl ShortText {
    /// Longest text in bytes.
    pub const CAPACITY: usize = 48;

    pub(crate) const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// The text; what lies behind [`ShortText::len`] has no meaning.
    #[inline]
    pub const fn padded(&self) -> &[u8; Self::CAPACITY] {
        &self.bytes
    }

    /// Its length in bytes.
    #[inline]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// A text of `len` characters, at most 32, in two words of sixteen, the first in the lowest byte.
    #[inline]
    pub(crate) fn from_words(words: [u128; 2], len: usize) -> Self {
        let mut text = Self::EMPTY;
        text.bytes[..16].copy_from_slice(&words[0].to_le_bytes());
        text.bytes[16..32].copy_from_slice(&words[1].to_le_bytes());
        text.len = len.min(32);
        text
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.len) {
            *free = byte;
            self.len += 1;
        }
    }
}

impl fmt::Debug for ShortText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

pub(crate) fn mac(address: [u8; 6]) -> ShortText {
    let mut text = ShortText::EMPTY;
    for (index, byte) in address.into_iter().enumerate() {
        if index > 0 {
            text.push(b':');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(b"0123456789abcdef"[usize::from(nibble)]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mac_addresses_are_lower_case_hex() {
        assert_eq!(mac([0, 0, 0x5e, 0, 0x53, 0xaf]).as_str(), "00:00:5e:00:53:af");
    }

    #[test]
    fn text_that_does_not_fit_is_cut() {
        let mut text = ShortText::EMPTY;
        "x".repeat(ShortText::CAPACITY + 1).bytes().for_each(|byte| text.push(byte));
        assert_eq!(text.as_str(), "x".repeat(ShortText::CAPACITY));
    }
}
