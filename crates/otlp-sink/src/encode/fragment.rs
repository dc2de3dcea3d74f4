//! Attributes that many spans share.

const CHUNK_LEN: usize = 64;

/// Attributes encoded once, to be added to many spans: a few copies of constant size each time.
///
/// Filled by [`BatchEncoder::fragment`](crate::BatchEncoder::fragment) or
/// [`SpanWriter::fragment`](crate::SpanWriter::fragment), added by
/// [`SpanBuilder::fragment`](crate::SpanBuilder::fragment).
#[derive(Clone, Debug, Default)]
pub struct AttributeFragment {
    /// The last one is filled up with zeros.
    chunks: Vec<[u8; CHUNK_LEN]>,
    len: usize,
}

impl AttributeFragment {
    /// Encoded bytes.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it adds nothing.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub(super) fn chunks(&self) -> &[[u8; CHUNK_LEN]] {
        &self.chunks
    }

    pub(super) fn set(&mut self, bytes: &[u8]) {
        self.chunks.clear();
        for part in bytes.chunks(CHUNK_LEN) {
            let mut chunk = [0; CHUNK_LEN];
            chunk[..part.len()].copy_from_slice(part);
            self.chunks.push(chunk);
        }
        self.len = bytes.len();
    }
}
