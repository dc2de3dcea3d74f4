//! Values by abstract data type (RFC 7011 section 6.1).

use core::fmt::{self, Write as _};
use core::net::{Ipv4Addr, Ipv6Addr};

use crate::ie::AbstractDataType;
use crate::time::Timestamp;

/// A decoded field.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Unsigned integers, of 1 to 8 bytes whatever the type's own size (reduced-size encoding, RFC 7011 section 6.2).
    Unsigned(u64),
    /// Signed integers, sign-extended from 1 to 8 bytes.
    Signed(i64),
    /// float32 and float64; a float64 may be sent in 4 bytes.
    Float(f64),
    /// 1 is true, 2 is false.
    Boolean(bool),
    /// macAddress.
    MacAddress([u8; 6]),
    /// ipv4Address.
    Ipv4(Ipv4Addr),
    /// ipv6Address.
    Ipv6(Ipv6Addr),
    /// The four dateTime types.
    DateTime(Timestamp),
    /// string, cut at the first NUL that exporters pad with; not always valid UTF-8, see [`Text`].
    String(&'a [u8]),
    /// basicList, subTemplateList and subTemplateMultiList (RFC 6313), which a [`ListReader`](crate::list::ListReader)
    /// opens.
    List(&'a [u8]),
    /// octetArray, unknown elements, and every value whose length does not fit its type.
    OctetArray(&'a [u8]),
}

/// An integer of 1 to 8 bytes.
pub(crate) fn unsigned(bytes: &[u8]) -> Option<u64> {
    let mut word = [0; 8];
    word.get_mut(8_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    (!bytes.is_empty()).then(|| u64::from_be_bytes(word))
}

fn signed(bytes: &[u8]) -> Option<i64> {
    let unused_bits = 64 - 8 * bytes.len() as u32;
    unsigned(bytes).map(|value| ((value << unused_bits) as i64) >> unused_bits)
}

/// Why bytes are no value of the type that their element has. They can still be read as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// A length that the type does not have, not even by reduced-size encoding (RFC 7011 section 6.2).
    #[error("{} of {length} bytes", .data_type.name())]
    LengthMismatch {
        /// The type of the element.
        data_type: AbstractDataType,
        /// Bytes that were sent.
        length: usize,
    },
    /// A boolean that is neither 1 nor 2 (RFC 7011 section 6.1.5).
    #[error("boolean of value {0}")]
    NotBoolean(u8),
}

impl<'a> Value<'a> {
    /// Reads a value of the given type; what does not fit the type comes back as [`Value::OctetArray`].
    pub fn read(data_type: AbstractDataType, bytes: &'a [u8]) -> Self {
        Self::try_read(data_type, bytes).unwrap_or(Value::OctetArray(bytes))
    }

    /// Reads a value of the given type.
    ///
    /// Integers may have 1 to 8 bytes whatever their type: exporters send counters wider than the registry has them. A
    /// bit field of 9 to 32 bytes stays bytes.
    ///
    /// # Errors
    ///
    /// [`ValueError`], where the bytes are no value of the type.
    pub fn try_read(data_type: AbstractDataType, bytes: &'a [u8]) -> Result<Self, ValueError> {
        if let (AbstractDataType::Boolean, [byte]) = (data_type, bytes) {
            return match byte {
                1 => Ok(Value::Boolean(true)),
                2 => Ok(Value::Boolean(false)),
                _ => Err(ValueError::NotBoolean(*byte)),
            };
        }
        Self::sized(data_type, bytes).ok_or(ValueError::LengthMismatch { data_type, length: bytes.len() })
    }

    /// The value, if its length is one of the type.
    fn sized(data_type: AbstractDataType, bytes: &'a [u8]) -> Option<Self> {
        use AbstractDataType as T;
        Some(match data_type {
            T::Unsigned256 if (9..=32).contains(&bytes.len()) => Value::OctetArray(bytes),
            T::Unsigned8 | T::Unsigned16 | T::Unsigned32 | T::Unsigned64 | T::Unsigned256 => {
                Value::Unsigned(unsigned(bytes)?)
            }
            T::Signed8 | T::Signed16 | T::Signed32 | T::Signed64 if bytes.len() <= 8 => Value::Signed(signed(bytes)?),
            T::Float32 | T::Float64 if bytes.len() == 4 => {
                Value::Float(f32::from_be_bytes(*bytes.first_chunk()?).into())
            }
            T::Float64 if bytes.len() == 8 => Value::Float(f64::from_be_bytes(*bytes.first_chunk()?)),
            T::MacAddress => Value::MacAddress(bytes.try_into().ok()?),
            T::Ipv4Address => Value::Ipv4(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
            T::Ipv6Address => Value::Ipv6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
            T::DateTimeSeconds if bytes.len() == 4 => Value::DateTime(Timestamp::from_unix_seconds(unsigned(bytes)?)),
            T::DateTimeMilliseconds if bytes.len() == 8 => {
                Value::DateTime(Timestamp::from_unix_millis(unsigned(bytes)?))
            }
            T::DateTimeMicroseconds | T::DateTimeNanoseconds if bytes.len() == 8 => {
                Value::DateTime(Timestamp::from_ntp(unsigned(bytes)?))
            }
            T::String => Value::String(bytes.split(|byte| *byte == 0).next().unwrap_or_default()),
            T::BasicList | T::SubTemplateList | T::SubTemplateMultiList => Value::List(bytes),
            T::OctetArray => Value::OctetArray(bytes),
            _ => return None,
        })
    }

    /// The text of a string, to be displayed.
    pub const fn as_text(&self) -> Option<Text<'a>> {
        match self {
            Value::String(bytes) => Some(Text(bytes)),
            _ => None,
        }
    }
}

/// Text from the network, for one line of a log or a terminal: what is no UTF-8 is displayed as U+FFFD, control
/// characters are escaped (`\n`, `\u{1b}`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'a>(pub &'a [u8]);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                match character.is_control() {
                    true => write!(f, "{}", character.escape_default())?,
                    false => f.write_char(character)?,
                }
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
            }
        }
        Ok(())
    }
}

/// An applicationId(95): who numbers applications, and the number there (RFC 6759 section 4).
///
/// Cisco sends 4 bytes, Fortinet 9, others up to 17; all the bytes behind the first are the selector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ApplicationId<'a> {
    /// Classification Engine ID: 3 is IANA's port numbers, 13 Cisco's NBAR, 20 an enterprise's list.
    pub engine: u8,
    /// Selector ID, most significant byte first.
    pub selector: &'a [u8],
}

impl<'a> ApplicationId<'a> {
    /// Reads an id of 1 to 17 bytes.
    ///
    /// # Errors
    ///
    /// [`ValueError::LengthMismatch`] for any other length.
    pub fn read(bytes: &'a [u8]) -> Result<Self, ValueError> {
        match bytes {
            [engine, selector @ ..] if selector.len() <= 16 => Ok(Self { engine: *engine, selector }),
            _ => {
                let data_type = AbstractDataType::OctetArray;
                Err(ValueError::LengthMismatch { data_type, length: bytes.len() })
            }
        }
    }

    /// The selector as a number, where it has at most 8 bytes that are not leading zeros.
    pub fn number(&self) -> Option<u64> {
        let zeros = self.selector.iter().take_while(|byte| **byte == 0).count();
        match &self.selector[zeros..] {
            [] if self.selector.is_empty() => None,
            [] => Some(0),
            bytes => unsigned(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;

    /// RFC 7011 section 6.1.1: network byte order, two's complement; RFC 7011 section 6.2: integers may be sent in fewer bytes
    /// than their type has.
    #[test]
    fn integers_are_read_at_their_width() {
        for width in 1..=8_usize {
            let bytes = &[0, 0, 0, 0, 0, 0, 0, 0x7b][8 - width..];
            assert_eq!(Value::read(AbstractDataType::Unsigned64, bytes), Value::Unsigned(0x7b), "{width} bytes");
            let negative = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe][8 - width..];
            assert_eq!(Value::read(AbstractDataType::Signed64, negative), Value::Signed(-2), "{width} bytes");
        }
    }

    /// RFC 7012 section 3.1, RFC 7011 sections 6.1 and 6.2: each type at every length up to 33 bytes. What its type does not allow is an error
    /// that says so, and the bytes are kept; integers are taken wider than their type, for exporters send them so.
    #[test]
    fn each_type_is_read_at_its_own_lengths() {
        use AbstractDataType as T;
        for data_type in [
            (T::OctetArray, 0..=33),
            (T::Unsigned8, 1..=8),
            (T::Unsigned16, 1..=8),
            (T::Unsigned32, 1..=8),
            (T::Unsigned64, 1..=8),
            (T::Unsigned256, 1..=32),
            (T::Signed8, 1..=8),
            (T::Signed16, 1..=8),
            (T::Signed32, 1..=8),
            (T::Signed64, 1..=8),
            (T::Float32, 4..=4),
            (T::Boolean, 1..=1),
            (T::MacAddress, 6..=6),
            (T::String, 0..=33),
            (T::DateTimeSeconds, 4..=4),
            (T::DateTimeMilliseconds, 8..=8),
            (T::DateTimeMicroseconds, 8..=8),
            (T::DateTimeNanoseconds, 8..=8),
            (T::Ipv4Address, 4..=4),
            (T::Ipv6Address, 16..=16),
            (T::BasicList, 0..=33),
            (T::SubTemplateList, 0..=33),
            (T::SubTemplateMultiList, 0..=33),
        ] {
            let (data_type, lengths) = data_type;
            for length in 0..=33 {
                let bytes = &[1; 33][..length];
                let read = Value::try_read(data_type, bytes);
                assert_eq!(read.is_ok(), lengths.contains(&length), "{data_type:?} of {length} bytes");
                assert!(read.is_ok() || !data_type.allows_length(length as u16), "{data_type:?} of {length} bytes");
                if read.is_err() {
                    assert_eq!(read, Err(ValueError::LengthMismatch { data_type, length }));
                    assert_eq!(Value::read(data_type, bytes), Value::OctetArray(bytes));
                }
            }
        }
        for length in 0..=33 {
            let is_float = Value::try_read(T::Float64, &[0; 33][..length]) == Ok(Value::Float(0.0));
            assert_eq!(is_float, [4, 8].contains(&length), "{length} bytes");
        }
    }

    /// RFC 7011 section 6.1.5.
    #[test]
    fn a_boolean_is_1_or_2() {
        let read = |bytes: &'static [u8; 1]| Value::try_read(AbstractDataType::Boolean, bytes);
        assert_eq!((read(&[1]), read(&[2])), (Ok(Value::Boolean(true)), Ok(Value::Boolean(false))));
        for bytes in [&[0], &[3], &[255]] {
            assert_eq!(read(bytes), Err(ValueError::NotBoolean(bytes[0])));
        }
    }

    /// RFC 7011 sections 6.1.7 to 6.1.10: seconds and milliseconds since 1970; NTP timestamps, whose fraction is binary.
    #[test]
    fn times_are_read_in_their_four_forms() {
        use AbstractDataType as T;
        let ntp = (2_208_988_800 + 1_700_000_000_u64) << 32 | 0x4000_0000;
        for (data_type, bytes, nanos) in [
            (T::DateTimeSeconds, &1_700_000_000_u32.to_be_bytes()[..], 1_700_000_000_000_000_000),
            (T::DateTimeMilliseconds, &1_700_000_000_123_u64.to_be_bytes(), 1_700_000_000_123_000_000),
            (T::DateTimeMicroseconds, &ntp.to_be_bytes(), 1_700_000_000_250_000_000),
            (T::DateTimeNanoseconds, &ntp.to_be_bytes(), 1_700_000_000_250_000_000),
        ] {
            assert_eq!(Value::read(data_type, bytes), Value::DateTime(Timestamp::from_unix_nanos(nanos)));
        }
    }

    #[test]
    fn text_is_displayed_on_one_line() {
        for (bytes, text) in [
            (&b"ge-0/0/1"[..], "ge-0/0/1"),
            ("b\u{fc}ro".as_bytes(), "b\u{fc}ro"),
            (b"a\r\nb\x1b[2J", "a\\r\\nb\\u{1b}[2J"),
            (b"\xff\xfea\xc3", "\u{fffd}\u{fffd}a\u{fffd}"),
        ] {
            assert_eq!(Value::String(bytes).as_text().unwrap().to_string(), text);
        }
        assert_eq!(Value::OctetArray(b"a").as_text(), None);
    }

    /// RFC 6759 section 4.
    #[test]
    fn an_application_id_is_an_engine_and_a_selector_of_any_length() {
        let id = [13, 0, 0, 1, 0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0];
        for (length, number) in [(1, None), (4, Some(1)), (5, Some(0x12c)), (9, Some(0x12c_0000_0000)), (17, None)] {
            let application = ApplicationId::read(&id[..length]).unwrap();
            assert_eq!((application.engine, application.selector), (13, &id[1..length]));
            assert_eq!(application.number(), number, "{length} bytes");
        }
        for length in [0, 18] {
            let data_type = AbstractDataType::OctetArray;
            assert_eq!(ApplicationId::read(&id[..length]), Err(ValueError::LengthMismatch { data_type, length }));
        }
    }

    #[test]
    fn a_length_that_does_not_fit_keeps_the_bytes() {
        for data_type in [AbstractDataType::Unsigned64, AbstractDataType::Signed32, AbstractDataType::Ipv4Address] {
            for bytes in [&[][..], &[1; 9]] {
                assert_eq!(Value::read(data_type, bytes), Value::OctetArray(bytes));
            }
        }
        assert_eq!(Value::read(AbstractDataType::DateTimeSeconds, &[1, 2]), Value::OctetArray(&[1, 2]));
        assert_eq!(Value::read(AbstractDataType::Boolean, &[3]), Value::OctetArray(&[3]));
    }

    #[test]
    fn strings_end_at_their_nul_padding() {
        assert_eq!(Value::read(AbstractDataType::String, b"ge-0/0/1\0\0"), Value::String(b"ge-0/0/1"));
        assert_eq!(Value::read(AbstractDataType::String, b"\0"), Value::String(b""));
    }

    /// RFC 7011 section 6.1.3, RFC 7011 section 6.1.4: IEEE 754 in network byte order; and a float64 in 4 bytes (section 6.2).
    #[test]
    fn floats_come_in_4_or_8_bytes() {
        assert_eq!(Value::read(AbstractDataType::Float64, &1.5_f32.to_be_bytes()), Value::Float(1.5));
        assert_eq!(Value::read(AbstractDataType::Float64, &1.5_f64.to_be_bytes()), Value::Float(1.5));
        assert_eq!(
            Value::read(AbstractDataType::Float64, &1.5_f64.to_le_bytes()),
            Value::Float(f64::from_bits(0xf83f))
        );
        assert_eq!(Value::read(AbstractDataType::Float32, &[0x3e, 0x80, 0, 0]), Value::Float(0.25));
        assert_eq!(
            Value::read(AbstractDataType::Float32, &1.5_f64.to_be_bytes()),
            Value::OctetArray(&1.5_f64.to_be_bytes())
        );
    }
}
