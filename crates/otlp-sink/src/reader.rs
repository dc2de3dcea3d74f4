//! A reader of protobuf messages: those this crate wrote, and the small ones receivers answer with.

/// The fields of one message in the order of its bytes. Ends early where the bytes are malformed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

/// One field, by wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Field<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32(u32),
}

impl<'a> Field<'a> {
    /// Content of a length-delimited field; empty for others.
    pub(crate) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            _ => &[],
        }
    }

    /// A string field. Strings are UTF-8 by the rules of protobuf; an answer may break them.
    pub(crate) fn text(self) -> std::borrow::Cow<'a, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// A number of any width; 0 for others.
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Varint(value) | Self::Fixed64(value) => value,
            Self::Fixed32(value) => value.into(),
            Self::Bytes(_) => 0,
        }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// What has not been read.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The embedded messages with this field number.
    pub(crate) fn messages(self, number: u32) -> impl Iterator<Item = Reader<'a>> {
        self.filter_map(move |(found, field)| match field {
            Field::Bytes(bytes) if found == number => Some(Reader::new(bytes)),
            _ => None,
        })
    }

    /// The last field with this number, which is the one that counts in protobuf.
    pub(crate) fn field(self, number: u32) -> Option<Field<'a>> {
        self.filter(|(found, _)| *found == number).map(|(_, field)| field).last()
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    fn read(&mut self) -> Option<(u32, Field<'a>)> {
        let tag = self.varint()?;
        let field = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            1 => Field::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let len = self.varint()?;
                Field::Bytes(self.take(usize::try_from(len).ok()?)?)
            }
            5 => Field::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            _ => return None,
        };
        Some((u32::try_from(tag >> 3).ok()?, field))
    }
}

impl<'a> Iterator for Reader<'a> {
    type Item = (u32, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.read();
        if field.is_none() {
            self.rest = &[];
        }
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_wire_type() {
        let message = [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 7, 0, 0, 0];
        let fields: Vec<_> = Reader::new(&message).collect();
        let expected =
            [(1, Field::Varint(150)), (2, Field::Fixed64(1)), (3, Field::Bytes(b"hi")), (4, Field::Fixed32(7))];
        assert_eq!(fields, expected);
    }

    #[test]
    fn malformed_bytes_end_the_message() {
        for rest in [&[0x1a, 5, 1][..], &[0x08], &[0x08, 0x80], &[0x11, 0], &[0x0b], &[0x80; 11]] {
            let message = [&[0x08, 1], rest].concat();
            assert_eq!(Reader::new(&message).collect::<Vec<_>>(), [(1, Field::Varint(1))], "{rest:x?}");
        }
    }

    #[test]
    fn the_last_of_a_repeated_scalar_counts() {
        let message = [0x08, 1, 0x08, 2];
        assert_eq!(Reader::new(&message).field(1), Some(Field::Varint(2)));
        assert_eq!(Reader::new(&message).field(2), None);
    }
}
