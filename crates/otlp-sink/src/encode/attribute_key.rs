use std::borrow::Cow;

/// Room for a prepared key. A power of two, so that a masked length needs no bounds check.
pub(super) const PREFIX_LEN: usize = 64;

/// Longest key that is prepared.
const MAX_PREPARED_LEN: usize = PREFIX_LEN - 1 - HEAD_LEN;

/// `Span.attributes` tag, length of the `KeyValue` (filled in when written), `KeyValue.key` tag, length of the key.
const HEAD_LEN: usize = 4;

/// An attribute key, encoded ahead.
///
/// Make it once and use it for every span. Keys of up to 59 bytes are written as one copy of constant size; longer ones
/// work as well, slower, and are cut at [`MAX_STRING_LEN`](crate::MAX_STRING_LEN).
///
/// ```
/// use otlp_sink::AttributeKey;
///
/// static VERSION: AttributeKey = AttributeKey::new("netflow.version");
/// let computed = AttributeKey::from(format!("netflow.ie.{}", "ingressInterface"));
/// assert_eq!(VERSION.as_str(), "netflow.version");
/// assert_eq!(computed.as_str(), "netflow.ie.ingressInterface");
/// ```
#[derive(Clone, Debug)]
pub struct AttributeKey {
    name: Cow<'static, str>,
    bytes: [u8; PREFIX_LEN],
    /// Bytes used; 0 when the name is too long to be prepared.
    len: u8,
}

impl AttributeKey {
    /// Prepares a key known at compile time.
    pub const fn new(name: &'static str) -> Self {
        let (bytes, len) = prepare(name.as_bytes());
        Self { name: Cow::Borrowed(name), bytes, len }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    #[inline(always)]
    pub(super) fn prefix(&self) -> Option<Prefix<'_>> {
        (self.len != 0).then_some(Prefix { bytes: &self.bytes, len: self.len })
    }
}

impl From<String> for AttributeKey {
    fn from(name: String) -> Self {
        let (bytes, len) = prepare(name.as_bytes());
        Self { name: Cow::Owned(name), bytes, len }
    }
}

impl PartialEq for AttributeKey {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for AttributeKey {}

const fn prepare(name: &[u8]) -> ([u8; PREFIX_LEN], u8) {
    let mut bytes = [0; PREFIX_LEN];
    if name.len() > MAX_PREPARED_LEN {
        return (bytes, 0);
    }
    bytes[0] = 0x4a;
    bytes[2] = 0x0a;
    bytes[3] = name.len() as u8;
    let mut i = 0;
    while i < name.len() {
        bytes[HEAD_LEN + i] = name[i];
        i += 1;
    }
    (bytes, (HEAD_LEN + name.len()) as u8)
}

/// A prepared key: everything of the attribute up to its value.
#[derive(Clone, Copy)]
pub(super) struct Prefix<'a> {
    bytes: &'a [u8; PREFIX_LEN],
    len: u8,
}

impl Prefix<'_> {
    /// Bytes up to the value, less than [`PREFIX_LEN`].
    #[inline(always)]
    pub(super) fn len(self) -> usize {
        // The mask changes nothing; it lets the compiler see the bound.
        usize::from(self.len) & (PREFIX_LEN - 1)
    }

    /// Writes the prefix and the length of the `KeyValue`, whose value field takes `value_len` bytes.
    #[inline(always)]
    pub(super) fn write<const N: usize>(self, out: &mut [u8; N], value_len: usize) {
        out[..PREFIX_LEN].copy_from_slice(self.bytes);
        // Below 128 by the limits on prepared keys and short strings: 63 - 2 + 4 + 48 = 113.
        out[1] = (self.len() - 2 + value_len) as u8;
    }
}
