//! IP addresses as text, written where the text has to go.

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest text of an address: eight groups of IPv6 and seven colons. Room for it includes what is written behind.
pub(super) const MAX_ADDRESS_LEN: usize = 39;

/// Decimal digits of each byte and a dot, the first in the lowest byte, and above them how many bits these are.
static DECIMAL: [u64; 256] = {
    let mut table = [0; 256];
    let mut value = 0;
    while value < 256 {
        let mut text = b'.' as u64;
        let mut bits = 8;
        let mut rest = value as u64;
        while bits == 8 || rest > 0 {
            text = text << 8 | (b'0' as u64 + rest % 10);
            rest /= 10;
            bits += 8;
        }
        table[value] = bits << 32 | text;
        value += 1;
    }
    table
};

/// Two octets: their text of at most eight bytes, and its bits.
#[inline(always)]
fn pair(first: u8, second: u8) -> (u64, u64) {
    let text = |entry: u64| entry & 0xffff_ffff;
    let (first, second) = (DECIMAL[usize::from(first)], DECIMAL[usize::from(second)]);
    let bits = first >> 32;
    (text(first) | text(second) << bits, bits + (second >> 32))
}

/// Writes the text of an address to the start of `out` and returns its length; bytes behind it may change.
#[inline(always)]
pub(super) fn put_ipv4(out: &mut [u8; MAX_ADDRESS_LEN], address: Ipv4Addr) -> usize {
    let [a, b, c, d] = address.octets();
    let (head, head_bits) = pair(a, b);
    let (tail, tail_bits) = pair(c, d);
    out[..8].copy_from_slice(&head.to_le_bytes());
    // At most eight; the mask lets the compiler see that it is in bounds.
    let at = (head_bits / 8) as usize & 15;
    out[at..at + 8].copy_from_slice(&tail.to_le_bytes());
    // Without the last dot.
    ((head_bits + tail_bits) / 8 - 1) as usize
}

/// As [`put_ipv4`].
pub(super) fn put_ipv6(out: &mut [u8; MAX_ADDRESS_LEN], address: Ipv6Addr) -> usize {
    put_text(out, format_args!("{address}"))
}

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
    use std::net::IpAddr;

    use super::*;

    fn text(address: IpAddr) -> String {
        let mut out = [0; MAX_ADDRESS_LEN];
        let len = match address {
            IpAddr::V4(address) => put_ipv4(&mut out, address),
            IpAddr::V6(address) => put_ipv6(&mut out, address),
        };
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
