//! Integer attributes that occur together.

use super::attribute_key::AttributeKey;
use super::wire::spread_groups;

/// Keys of integer attributes that many spans have in the same order, laid out once; a span then copies the row and puts
/// its values in.
///
/// For that each value has a constant width: varints are padded to what the largest value takes, which protobuf allows
/// and every receiver reads. A value of 4 bytes is 5 bytes long whatever it is.
#[derive(Clone, Debug, Default)]
pub struct IntRow {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
}

/// Where a value lies in the row.
#[derive(Clone, Copy, Debug)]
struct Slot {
    offset: u32,
    /// The eight bytes there, with the value 0: continuation bits, then what follows.
    word: u64,
    /// The ninth byte there.
    ninth: u8,
    /// The largest value that there is room for.
    max: u64,
}

/// Bytes that are written for each value.
const SLOT_LEN: usize = 9;

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
        let len = bytes.len();
        bytes.resize(len + SLOT_LEN, 0);
        let slot = |&(offset, width): &(usize, usize)| {
            let place =
                bytes.get(offset..).and_then(|rest| rest.first_chunk::<SLOT_LEN>()).copied().unwrap_or_default();
            let [head @ .., ninth] = place;
            let max = if width == SLOT_LEN { i64::MAX as u64 } else { (1 << (7 * width)) - 1 };
            Slot { offset: offset as u32, word: u64::from_le_bytes(head), ninth, max }
        };
        let slots = places.iter().map(slot).collect();
        bytes.truncate(len);
        Self { bytes, slots }
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
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Puts values into a row that was copied to the start of `out`, which has [`IntRow::ROOM`] bytes behind it.
    #[inline(always)]
    pub(super) fn fill(&self, out: &mut [u8], values: impl Iterator<Item = u64>) {
        let mut slots = self.slots.iter();
        for value in values {
            let Some(slot) = slots.next() else { return };
            let value = value.min(slot.max);
            let word = slot.word | spread_groups(value);
            let place = out.get_mut(..slot.offset as usize + SLOT_LEN).and_then(<[u8]>::last_chunk_mut::<SLOT_LEN>);
            if let Some([head @ .., ninth]) = place {
                *head = word.to_le_bytes();
                *ninth = slot.ninth | (value >> 56) as u8;
            }
        }
    }

    /// Bytes of room behind a row that [`IntRow::fill`] needs.
    pub(super) const ROOM: usize = SLOT_LEN;
}
