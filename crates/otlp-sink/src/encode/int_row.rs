//! Integer attributes that occur together.

use super::attribute_key::AttributeKey;
use super::fragment::{CHUNK_LEN, Chunks};
use super::wire::spread_groups;

/// Keys of integer attributes that many spans have in the same order, laid out once; a span then copies the row and puts
/// its values in.
///
/// For that each value has a constant width: varints are padded to what the largest value takes, which protobuf allows
/// and every receiver reads. A value of 4 bytes is 5 bytes long whatever it is.
#[derive(Clone, Debug, Default)]
pub struct IntRow {
    chunks: Chunks,
    slots: Vec<Slot>,
}

/// Where a value lies in the row.
#[derive(Clone, Copy, Debug)]
struct Slot {
    offset: usize,
    /// The eight bytes there, with the value 0: continuation bits, then what follows.
    word: u64,
    /// Which bits of a value there is room for.
    mask: u64,
    /// Whether the value ends with a ninth byte.
    wide: bool,
}

/// Varint bytes that hold an unsigned integer of so many bytes. Nine are enough: a value above `i64::MAX` is no
/// attribute.
const fn width(value_bytes: usize) -> usize {
    match value_bytes {
        0 | 1 => 2,
        2 => 3,
        3 => 4,
        4 => 5,
        5 => 6,
        6 => 7,
        7 => 8,
        _ => 9,
    }
}

impl IntRow {
    /// A row of keys, each with the number of bytes that its unsigned values have.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a AttributeKey, usize)>) -> Self {
        let mut bytes = Vec::new();
        let mut places = Vec::new();
        for (key, value_bytes) in columns {
            let width = width(value_bytes);
            let mut key_value = Vec::new();
            super::wire::put_bytes(&mut key_value, 0x0a, super::cut(key.as_str()).as_bytes());
            key_value.extend([0x12, 1 + width as u8, 0x18]);
            let offset_in_value = key_value.len();
            key_value.extend(std::iter::repeat_n(0x80, width - 1));
            key_value.push(0);
            let before = bytes.len();
            super::wire::put_bytes(&mut bytes, 0x4a, &key_value);
            let head_len = bytes.len() - before - key_value.len();
            places.push((before + head_len + offset_in_value, width));
        }
        // Room for a word at the last place.
        let len = bytes.len();
        bytes.resize(len + 8, 0);
        let slot = |&(offset, width): &(usize, usize)| {
            let word =
                bytes.get(offset..).and_then(|rest| rest.first_chunk()).map_or(0, |word| u64::from_le_bytes(*word));
            Slot { offset, word, mask: (1 << (7 * width)) - 1, wide: width == 9 }
        };
        let slots = places.iter().map(slot).collect();
        bytes.truncate(len);
        Self { chunks: Chunks::new(&bytes), slots }
    }

    /// Number of attributes.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    #[inline(always)]
    pub(super) fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    /// Puts values into a row that was copied to the start of `out`, which has at least a chunk of room behind it.
    #[inline(always)]
    pub(super) fn fill(&self, out: &mut [u8], values: impl Iterator<Item = u64>) {
        for (slot, value) in self.slots.iter().zip(values) {
            let value = if slot.wide { value.min(i64::MAX as u64) } else { value & slot.mask };
            let word = slot.word | spread_groups(value);
            if let Some(place) = out.get_mut(slot.offset..slot.offset + 9) {
                place[..8].copy_from_slice(&word.to_le_bytes());
                if slot.wide {
                    place[8] = (value >> 56) as u8;
                }
            }
        }
    }

    /// Bytes of room that [`IntRow::fill`] needs.
    pub(super) fn room(&self) -> usize {
        self.chunks.len() + CHUNK_LEN
    }
}
