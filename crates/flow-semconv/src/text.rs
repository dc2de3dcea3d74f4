//! Short texts, in a buffer of fixed size.

use std::fmt::{self, Write as _};

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
    pub(crate) fn push(&mut self, byte: u8) {
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

impl fmt::Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}

/// An applicationId as `engine:selector` in decimal digits (RFC 6759 section 4); `None` when it is longer than 17 bytes.
pub(crate) fn application_id(id: &[u8]) -> Option<ShortText> {
    let (engine, selector) = id.split_first()?;
    let mut wide = [0; 16];
    wide.get_mut(16_usize.checked_sub(selector.len())?..)?.copy_from_slice(selector);
    let mut text = ShortText::EMPTY;
    write!(text, "{engine}:{}", u128::from_be_bytes(wide)).ok()?;
    Some(text)
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

/// A number in decimal.
pub(crate) fn number(value: u32) -> ShortText {
    let mut text = ShortText::EMPTY;
    // A buffer that is full takes no more, but does not fail.
    _ = write!(text, "{value}");
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
    fn application_ids_are_engine_and_selector() {
        let text = |id: &[u8]| application_id(id).map(|text| text.as_str().to_owned());
        assert_eq!(text(&[3, 0, 0, 80]).as_deref(), Some("3:80"));
        assert_eq!(text(&[255; 17]).as_deref(), Some("255:340282366920938463463374607431768211455"));
        assert_eq!(text(&[13]).as_deref(), Some("13:0"));
        assert_eq!((text(&[1; 18]), text(&[])), (None, None));
    }

    #[test]
    fn numbers_are_decimal() {
        for value in [0, 9, 10, 999, 24_001, u32::MAX] {
            assert_eq!(number(value).as_str(), value.to_string());
        }
    }

    #[test]
    fn text_that_does_not_fit_is_cut() {
        let mut text = ShortText::EMPTY;
        "x".repeat(ShortText::CAPACITY + 1).bytes().for_each(|byte| text.push(byte));
        assert_eq!(text.as_str(), "x".repeat(ShortText::CAPACITY));
    }
}
