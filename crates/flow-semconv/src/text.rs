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

    /// The bytes, for writers that know their text's length.
    #[inline]
    pub(crate) fn bytes_mut(&mut self, len: usize) -> &mut [u8; Self::CAPACITY] {
        self.len = len.min(Self::CAPACITY);
        &mut self.bytes
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

/// Decimal digits of each byte, left-aligned, and how many there are.
const DECIMAL: [([u8; 4], u8); 256] = {
    let mut table = [([b'.'; 4], 0); 256];
    let mut value = 0;
    while value < 256 {
        let (hundreds, tens, ones) = (value / 100, value / 10 % 10, value % 10);
        let digits = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        let skip = if hundreds > 0 {
            0
        } else if tens > 0 {
            1
        } else {
            2
        };
        let mut at = skip;
        while at < 3 {
            table[value].0[at - skip] = digits[at];
            at += 1;
        }
        table[value].1 = (3 - skip) as u8;
        value += 1;
    }
    table
};

#[inline]
fn ipv4(address: Ipv4Addr) -> ShortText {
    let mut text = ShortText::EMPTY;
    let mut at = 0;
    for octet in address.octets() {
        // Four bytes at a time: up to three digits and the dot that may follow.
        let (digits, len) = DECIMAL[usize::from(octet)];
        text.bytes[at..at + 4].copy_from_slice(&digits);
        at += usize::from(len) + 1;
    }
    text.len = at - 1;
    text
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
