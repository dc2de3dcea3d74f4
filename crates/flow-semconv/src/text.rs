//! Short texts, in a buffer of fixed size.

use std::fmt::{self, Write as _};
use std::net::IpAddr;

use flow_wire::Timestamp;

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

/// An IP address. The formatter takes as long for one as a span takes for the rest, so that IPv4 goes without.
pub(crate) fn address(address: IpAddr) -> ShortText {
    let mut text = ShortText::EMPTY;
    match address {
        IpAddr::V4(v4) => {
            for (place, octet) in v4.octets().into_iter().enumerate() {
                if place > 0 {
                    text.push(b'.');
                }
                for digit in [octet / 100, octet / 10].into_iter().filter(|digit| *digit > 0) {
                    text.push(b'0' + digit % 10);
                }
                text.push(b'0' + octet % 10);
            }
        }
        // 39 characters; a buffer that is full takes no more, but does not fail.
        IpAddr::V6(v6) => _ = write!(text, "{v6}"),
    }
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

/// A moment as RFC 3339 has it, in UTC and with nanoseconds.
pub(crate) fn date(time: Timestamp) -> ShortText {
    let (seconds, nanos) = (time.as_unix_nanos() / 1_000_000_000, time.as_unix_nanos() % 1_000_000_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March, so that a leap day is the last of its year and months repeat every 153 days in five.
    let days = days + 719_468; // from the first of March of the year 0
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let year = 400 * era + year + u64::from(month >= 10);
    let month = if month < 10 { month + 3 } else { month - 9 };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    let mut text = ShortText::EMPTY;
    // 30 characters; a buffer that is full takes no more, but does not fail.
    _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanos:09}Z");
    text
}

/// A text of ASCII characters, cut where it does not fit.
pub(crate) fn ascii(from: &str) -> ShortText {
    let mut text = ShortText::EMPTY;
    from.bytes().for_each(|byte| text.push(byte));
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
    fn addresses_read_as_the_standard_library_writes_them() {
        let v4 = (0..=255).flat_map(|octet: u8| [[octet, 0, 10, 255], [1, 99, octet, octet]]).map(IpAddr::from);
        let v6 = ["::", "2001:db8::1", "1111:2222:3333:4444:5555:6666:7777:8888", "::ffff:255.255.255.255"];
        for value in v4.chain(v6.map(|text| text.parse().unwrap())) {
            assert_eq!(address(value).as_str(), value.to_string());
        }
    }

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

    /// What `date --utc` says.
    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00"),
            (951_782_399, "2000-02-28T23:59:59"),
            (951_782_400, "2000-02-29T00:00:00"),
            (951_868_800, "2000-03-01T00:00:00"),
            (1_709_164_800, "2024-02-29T00:00:00"),
            (1_735_689_599, "2024-12-31T23:59:59"),
            (1_735_689_600, "2025-01-01T00:00:00"),
            (4_107_542_400, "2100-03-01T00:00:00"),
            (18_446_744_073, "2554-07-21T23:34:33"),
        ] {
            let text = date(Timestamp::from_unix_seconds(seconds) + std::time::Duration::from_nanos(7_000_001));
            assert_eq!(text.as_str(), format!("{expected}.007000001Z"));
        }
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
