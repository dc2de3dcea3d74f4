//! IP addresses as text, written where the text has to go.

use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

/// Longest text of an address: eight groups of IPv6 and seven colons. Room for it includes what is written behind.
pub(super) const MAX_ADDRESS_LEN: usize = 39;

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

/// Writes the text of an address to the start of `out` and returns its length; bytes behind it may change.
#[inline(always)]
pub(super) fn put_address(out: &mut [u8; MAX_ADDRESS_LEN], address: IpAddr) -> usize {
    match address {
        IpAddr::V4(v4) => put_ipv4(out, v4),
        IpAddr::V6(v6) => put_text(out, format_args!("{v6}")),
    }
}

#[inline(always)]
fn put_ipv4(out: &mut [u8; MAX_ADDRESS_LEN], address: Ipv4Addr) -> usize {
    let mut at = 0;
    for octet in address.octets() {
        // Up to three digits and a dot; the dot behind the last octet is not part of the text.
        let (digits, len) = DECIMAL[usize::from(octet)];
        out[at..at + 4].copy_from_slice(&digits.to_le_bytes());
        at += usize::from(len) + 1;
    }
    at - 1
}

#[cold]
fn put_text(out: &mut [u8; MAX_ADDRESS_LEN], text: fmt::Arguments<'_>) -> usize {
    struct Cursor<'a>(&'a mut [u8], usize);
    impl Write for Cursor<'_> {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let place = self.0.get_mut(self.1..self.1 + text.len()).ok_or(fmt::Error)?;
            place.copy_from_slice(text.as_bytes());
            self.1 += text.len();
            Ok(())
        }
    }
    let mut cursor = Cursor(out, 0);
    // The text of every address fits.
    let _ = cursor.write_fmt(text);
    cursor.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: IpAddr) -> String {
        let mut out = [0; MAX_ADDRESS_LEN];
        let len = put_address(&mut out, address);
        String::from_utf8(out[..len].to_vec()).unwrap()
    }

    #[test]
    fn addresses_read_as_the_standard_library_writes_them() {
        for octet in 0..=255 {
            for v4 in [Ipv4Addr::new(octet, 0, 10, 255), Ipv4Addr::new(1, octet, octet, octet)] {
                assert_eq!(text(v4.into()), v4.to_string());
            }
        }
        for v6 in ["::", "2001:db8::1", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:255.255.255.255"] {
            assert_eq!(text(v6.parse().unwrap()), v6);
        }
    }
}
