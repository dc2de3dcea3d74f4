//! Numbers and texts of a snapshot, big-endian.

/// Appends to a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Writer(pub(crate) Vec<u8>);

/// Reads a snapshot; `None` where it ends too early or holds what nobody wrote.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

macro_rules! numbers {
    ($($name:ident)*) => {
        impl Writer {
            $(pub(crate) fn $name(&mut self, number: $name) {
                self.0.extend(number.to_be_bytes());
            })*
        }

        impl Reader<'_> {
            $(pub(crate) fn $name(&mut self) -> Option<$name> {
                let (bytes, rest) = self.0.split_first_chunk()?;
                self.0 = rest;
                Some($name::from_be_bytes(*bytes))
            })*
        }
    };
}

numbers! { u8 u16 u32 u64 u128 }

impl Writer {
    /// Whether there is something, and what.
    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.u8(value.is_some().into());
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// At most 65,535 bytes of text.
    pub(crate) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let len = bytes.len().min(u16::MAX.into());
        self.u16(len as u16);
        self.0.extend(&bytes[..len]);
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.u8()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let len = self.u16()?;
        let (bytes, rest) = self.0.split_at_checked(len.into())?;
        self.0 = rest;
        std::str::from_utf8(bytes).ok()
    }
}
