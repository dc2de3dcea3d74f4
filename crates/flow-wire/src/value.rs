//! Values by abstract data type (RFC 7011 section 6.1).

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
    /// string, cut at the first NUL that exporters pad with; not always valid UTF-8.
    String(&'a [u8]),
    /// basicList, subTemplateList and subTemplateMultiList (RFC 6313), undecoded.
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

impl<'a> Value<'a> {
    /// Reads a value of the given type.
    pub fn read(data_type: AbstractDataType, bytes: &'a [u8]) -> Self {
        Self::typed(data_type, bytes).unwrap_or(Value::OctetArray(bytes))
    }

    fn typed(data_type: AbstractDataType, bytes: &'a [u8]) -> Option<Self> {
        use AbstractDataType as T;
        Some(match data_type {
            T::Unsigned8 | T::Unsigned16 | T::Unsigned32 | T::Unsigned64 => Value::Unsigned(unsigned(bytes)?),
            T::Signed8 | T::Signed16 | T::Signed32 | T::Signed64 if bytes.len() <= 8 => Value::Signed(signed(bytes)?),
            T::Float32 | T::Float64 if bytes.len() == 4 => {
                Value::Float(f32::from_be_bytes(*bytes.first_chunk()?).into())
            }
            T::Float64 if bytes.len() == 8 => Value::Float(f64::from_be_bytes(*bytes.first_chunk()?)),
            T::Boolean => match bytes {
                [1] => Value::Boolean(true),
                [2] => Value::Boolean(false),
                _ => return None,
            },
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
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7011 section 6.2: integers may be sent in fewer bytes than their type has.
    #[test]
    fn integers_are_read_at_their_width() {
        for width in 1..=8_usize {
            let bytes = &[0, 0, 0, 0, 0, 0, 0, 0x7b][8 - width..];
            assert_eq!(Value::read(AbstractDataType::Unsigned64, bytes), Value::Unsigned(0x7b), "{width} bytes");
            let negative = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe][8 - width..];
            assert_eq!(Value::read(AbstractDataType::Signed64, negative), Value::Signed(-2), "{width} bytes");
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

    #[test]
    fn floats_come_in_4_or_8_bytes() {
        assert_eq!(Value::read(AbstractDataType::Float64, &1.5_f32.to_be_bytes()), Value::Float(1.5));
        assert_eq!(Value::read(AbstractDataType::Float64, &1.5_f64.to_be_bytes()), Value::Float(1.5));
        assert_eq!(
            Value::read(AbstractDataType::Float32, &1.5_f64.to_be_bytes()),
            Value::OctetArray(&1.5_f64.to_be_bytes())
        );
    }
}
