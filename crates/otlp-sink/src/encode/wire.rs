//! Protobuf varints and length-delimited fields.

/// Longest tag and length of a field below 4 GiB.
pub(super) const MAX_HEAD_LEN: usize = 6;

/// Bytes of `value` as a varint, 1 to 10.
#[inline(always)]
pub(super) const fn varint_len(value: u64) -> usize {
    // Bits, at least one, in groups of seven, rounded up: (bits * 9 + 64) / 64 holds for all of 1..=64.
    ((64 - (value | 1).leading_zeros() as usize) * 9 + 64) / 64
}

/// Writes `value` and returns its length; `out` has to be long enough.
pub(super) fn put_varint(out: &mut [u8], mut value: u64) -> usize {
    let mut len = 0;
    while value >= 0x80 {
        out[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    out[len] = value as u8;
    len + 1
}

/// The lower eight groups of seven bits, each in a byte of its own: in three steps instead of one branch a byte.
#[inline(always)]
pub(super) const fn spread_groups(value: u64) -> u64 {
    let x = (value & 0x0000_0000_0fff_ffff) | (value & 0x00ff_ffff_f000_0000) << 4;
    let x = (x & 0x0000_3fff_0000_3fff) | (x & 0x0fff_c000_0fff_c000) << 2;
    (x & 0x007f_007f_007f_007f) | (x & 0x3f80_3f80_3f80_3f80) << 1
}

/// `value` as a varint in the first [`varint_len`] bytes, the others zero; `None` when it is longer than 9 bytes.
#[inline(always)]
pub(super) fn spread_varint(value: u64) -> Option<[u8; 9]> {
    if value >> 63 != 0 {
        return None;
    }
    // Nine bytes make a shift by 64, which stands for a continuation bit in each of the first eight.
    let below = 1_u64.checked_shl(8 * (varint_len(value) as u32 - 1)).unwrap_or(0).wrapping_sub(1);
    let mut bytes = [0; 9];
    bytes[..8].copy_from_slice(&(spread_groups(value) | (0x8080_8080_8080_8080 & below)).to_le_bytes());
    bytes[8] = (value >> 56) as u8;
    Some(bytes)
}

/// Tag and length of a field.
pub(super) struct Head {
    bytes: [u8; MAX_HEAD_LEN],
    len: usize,
}

impl Head {
    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

#[inline(always)]
pub(super) fn head(tag: u8, len: usize) -> Head {
    let mut bytes = [tag; MAX_HEAD_LEN];
    if (128..16_384).contains(&len) {
        bytes[1] = len as u8 | 0x80;
        bytes[2] = (len >> 7) as u8;
        return Head { bytes, len: 3 };
    }
    let len = 1 + put_varint(&mut bytes[1..], len as u64);
    Head { bytes, len }
}

/// Appends a length-delimited field.
pub(crate) fn put_bytes(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.extend_from_slice(head(tag, content.len()).as_slice());
    out.extend_from_slice(content);
}

/// A length-delimited field on its own; empty when the content is, as proto3 leaves out what is default.
pub(crate) fn message(tag: u8, content: &[u8]) -> Box<[u8]> {
    let mut out = Vec::new();
    if !content.is_empty() {
        put_bytes(&mut out, tag, content);
    }
    out.into_boxed_slice()
}

/// A string attribute of a resource.
pub(super) fn attribute(key: &str, value: &str) -> Vec<u8> {
    let (mut any_value, mut key_value, mut attribute) = (Vec::new(), Vec::new(), Vec::new());
    put_bytes(&mut any_value, 0x0a, value.as_bytes());
    put_bytes(&mut key_value, 0x0a, key.as_bytes());
    put_bytes(&mut key_value, 0x12, &any_value);
    put_bytes(&mut attribute, 0x0a, &key_value);
    attribute
}

/// Copies at most 48 bytes without calling `memcpy`: two copies of constant size that may overlap.
#[inline(always)]
pub(super) fn copy_short(out: &mut [u8], text: &[u8]) {
    let len = text.len();
    let out = &mut out[..len];
    match len {
        16.. => {
            let mut at = 0;
            while at + 16 < len {
                out[at..at + 16].copy_from_slice(&text[at..at + 16]);
                at += 16;
            }
            out[len - 16..].copy_from_slice(&text[len - 16..]);
        }
        8..16 => {
            out[..8].copy_from_slice(&text[..8]);
            out[len - 8..].copy_from_slice(&text[len - 8..]);
        }
        4..8 => {
            out[..4].copy_from_slice(&text[..4]);
            out[len - 4..].copy_from_slice(&text[len - 4..]);
        }
        _ => {
            for (to, from) in out.iter_mut().zip(text) {
                *to = *from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every length, at both of its ends.
    fn values() -> impl Iterator<Item = u64> {
        (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit])
    }

    #[test]
    fn varint_len_is_the_length_written() {
        for value in values() {
            assert_eq!(put_varint(&mut [0; 10], value), varint_len(value), "{value:#x}");
        }
    }

    #[test]
    fn spread_varint_equals_the_loop() {
        for value in values() {
            let mut expected = [0; 10];
            let len = put_varint(&mut expected, value);
            match spread_varint(value) {
                Some(bytes) => assert_eq!(bytes[..], expected[..9], "{value:#x}"),
                None => assert!(len > 9, "{value:#x}"),
            }
        }
    }

    #[test]
    fn copy_short_copies_every_length() {
        let text: Vec<u8> = (1..=48).collect();
        for len in 0..=48 {
            let mut out = [0; 64];
            copy_short(&mut out, &text[..len]);
            assert_eq!(out[..len], text[..len]);
            assert_eq!(out[len..], [0; 64][len..]);
        }
    }
}
