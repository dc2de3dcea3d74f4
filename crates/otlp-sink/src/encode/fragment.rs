//! Attributes that many spans share.

pub(super) const CHUNK_LEN: usize = 64;

/// Bytes that are copied often: in pieces of constant size, the last filled up with zeros.
#[derive(Clone, Debug, Default)]
pub(super) struct Chunks {
    chunks: Vec<[u8; CHUNK_LEN]>,
    len: usize,
}

impl Chunks {
    pub(super) fn new(bytes: &[u8]) -> Self {
        let mut chunks = Self::default();
        chunks.set(bytes);
        chunks
    }

    /// Takes other bytes, in the memory that is there.
    pub(super) fn set(&mut self, bytes: &[u8]) {
        self.chunks.clear();
        for part in bytes.chunks(CHUNK_LEN) {
            let mut chunk = [0; CHUNK_LEN];
            chunk[..part.len()].copy_from_slice(part);
            self.chunks.push(chunk);
        }
        self.len = bytes.len();
    }

    /// Bytes, without the filling.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    pub(super) fn as_slice(&self) -> &[[u8; CHUNK_LEN]] {
        &self.chunks
    }
}

/// Attributes encoded once, to be added to many spans: a few copies of constant size each time.
///
/// Filled by [`BatchEncoder::fragment`](crate::BatchEncoder::fragment) or
/// [`SpanWriter::fragment`](crate::SpanWriter::fragment), added by
/// [`SpanBuilder::fragment`](crate::SpanBuilder::fragment).
#[derive(Clone, Debug, Default)]
pub struct AttributeFragment(pub(super) Chunks);

impl AttributeFragment {
    /// Whether it adds nothing.
    pub fn is_empty(&self) -> bool {
        self.0.len() == 0
    }
}
