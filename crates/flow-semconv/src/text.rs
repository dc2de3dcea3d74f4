//! Addresses as text, into a buffer of fixed size.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A short text of ASCII characters, with room behind it so that it can be copied at a constant size.
#[derive(Clone, Copy)]
pub struct ShortText {
    bytes: [u8; ShortText::CAPACITY],
    len: usize,
}

impl ShortText {
    /// Longest text in bytes. An IPv6 address has 39 at most.
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

    /// A text of `len` characters, at most 32, in two words of sixteen. Built in registers and stored whole, it can be
    /// loaded again without waiting for smaller stores.
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

impl Write for ShortText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().for_each(|byte| self.push(byte & 0x7f));
        Ok(())
    }
}

#[inline]
pub(crate) fn address(address: IpAddr) -> ShortText {
    match address {
        IpAddr::V4(v4) => ipv4(v4),
        IpAddr::V6(v6) => ipv6(v6),
    }
}

#[inline(never)]
fn ipv6(address: Ipv6Addr) -> ShortText {
    let mut text = ShortText::EMPTY;
    // The text of every IPv6 address fits, and writing to `ShortText` does not fail.
    let _ = write!(text, "{address}");
    text
}

/// Decimal digits of each byte and a dot, the first in the lowest byte, and how many digits there are.
const DECIMAL: [(u32, u8); 256] = {
    let mut table = [(0, 0); 256];
    let mut value = 0;
    while value < 256 {
        let digits = [value / 100, value / 10 % 10, value % 10];
        let first = if value >= 100 {
            0
        } else if value >= 10 {
            1
        } else {
            2
        };
        let mut word = b'.' as u32;
        let mut at = 3;
        while at > first {
            at -= 1;
            word = word << 8 | (b'0' as u32 + digits[at] as u32);
        }
        table[value] = (word, (3 - first) as u8);
        value += 1;
    }
    table
};

#[inline]
fn ipv4(address: Ipv4Addr) -> ShortText {
    let mut word = 0;
    let mut at = 0;
    for octet in address.octets() {
        // Up to three digits and a dot; the dot behind the last octet is not part of the text.
        let (digits, len) = DECIMAL[usize::from(octet)];
        word |= u128::from(digits) << (8 * at);
        at += u32::from(len) + 1;
    }
    ShortText::from_words([word, 0], at as usize - 1)
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
    fn addresses_read_as_the_standard_library_writes_them() {
        for octet in 0..=255 {
            for v4 in [Ipv4Addr::new(octet, 0, 10, 255), Ipv4Addr::new(1, octet, octet, octet)] {
                assert_eq!(address(v4.into()).as_str(), v4.to_string());
            }
        }
        for v6 in ["::", "2001:db8::1", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:255.255.255.255"] {
            assert_eq!(address(v6.parse().unwrap()).as_str(), v6);
        }
    }

    #[test]
    fn mac_addresses_are_lower_case_hex() {
        assert_eq!(mac([0, 0, 0x5e, 0, 0x53, 0xaf]).as_str(), "00:00:5e:00:53:af");
    }

    #[test]
    fn text_that_does_not_fit_is_cut() {
        let mut text = ShortText::EMPTY;
        text.write_str(&"x".repeat(ShortText::CAPACITY + 1)).unwrap();
        assert_eq!(text.as_str(), "x".repeat(ShortText::CAPACITY));
    }
}
