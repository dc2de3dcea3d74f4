//! One request in a segment: a header of fixed length, then the request, compressed.

/// Bytes in front of each payload.
pub(super) const HEADER_LEN: usize = 40;

/// Begins every record; its last byte is the version of the format.
const MAGIC: [u8; 4] = *b"OSR1";

/// The second word of a record that has to be delivered.
const WAITING: [u8; 4] = *b"WAIT";

/// The second word of a record that is done with. It is written over the first one, outside of all checksums: anything but
/// exactly this counts as waiting, so that damage delivers twice rather than not at all.
pub(super) const DONE: [u8; 4] = *b"DONE";

/// Where [`DONE`] goes, from the start of the record.
pub(super) const STATE_OFFSET: u64 = 4;

/// What is known of a record without its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// Checksum of the payload.
    payload_crc: u32,
    /// Length of the payload.
    pub(super) payload_len: u32,
    /// Length of the request before it was compressed.
    pub(super) request_len: u32,
    pub(super) spans: u64,
    /// When the request was made, as Unix time in milliseconds.
    pub(super) created: u64,
    pub(super) is_done: bool,
}

impl Header {
    pub(super) fn new(payload: &[u8], request_len: u32, spans: u64, created: u64) -> Self {
        let payload_len = payload.len() as u32;
        Self { payload_crc: crc32c::crc32c(payload), payload_len, request_len, spans, created, is_done: false }
    }

    /// Length of the whole record.
    pub(super) fn record_len(&self) -> u64 {
        HEADER_LEN as u64 + u64::from(self.payload_len)
    }

    /// Bytes of a record at `offset` of the segment with this key. Both are part of the checksum, so that what strangers put
    /// into spans is never taken for a record: the key is random.
    pub(super) fn encode(&self, key: u64, offset: u64) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4..8].copy_from_slice(if self.is_done { &DONE } else { &WAITING });
        bytes[12..16].copy_from_slice(&self.payload_crc.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.payload_len.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.request_len.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.spans.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.created.to_le_bytes());
        let crc = header_crc(&bytes, key, offset);
        bytes[8..12].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The record at `offset`; `None` where there is none.
    pub(super) fn decode(bytes: &[u8], key: u64, offset: u64) -> Option<Self> {
        let bytes: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 4)) << 32;
        if bytes[..4] != MAGIC || word(8) != header_crc(bytes, key, offset) {
            return None;
        }
        Some(Self {
            payload_crc: word(12),
            payload_len: word(16),
            request_len: word(20),
            spans: long(24),
            created: long(32),
            is_done: bytes[4..8] == DONE,
        })
    }

    pub(super) fn is_payload(&self, payload: &[u8]) -> bool {
        payload.len() == self.payload_len as usize && crc32c::crc32c(payload) == self.payload_crc
    }
}

fn header_crc(bytes: &[u8; HEADER_LEN], key: u64, offset: u64) -> u32 {
    let place = crc32c::crc32c_append(crc32c::crc32c(&key.to_le_bytes()), &offset.to_le_bytes());
    crc32c::crc32c_append(place, &bytes[12..])
}

/// Where in `bytes`, which begin at `base` of the segment, the next record begins that has a whole header. For what is damaged:
/// the length that would lead on is not to be trusted.
pub(super) fn find(bytes: &[u8], key: u64, base: u64) -> Option<usize> {
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(MAGIC.len()).position(|window| window == MAGIC) {
        at += found;
        if Header::decode(&bytes[at..], key, base + at as u64).is_some() {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: u64, offset: u64) -> Vec<u8> {
        let header = Header::new(b"payload", 100, 3, 1_700_000_000_000);
        [&header.encode(key, offset)[..], b"payload"].concat()
    }

    #[test]
    fn a_header_comes_back_at_its_place_alone() {
        let record = record(7, 1000);
        let header = Header::decode(&record, 7, 1000).unwrap();
        assert_eq!(header, Header::new(b"payload", 100, 3, 1_700_000_000_000));
        assert!(header.is_payload(b"payload") && !header.is_payload(b"payloaD") && !header.is_payload(b"pay"));
        assert_eq!(header.record_len(), record.len() as u64);
        assert_eq!(Header::decode(&record, 8, 1000), None, "another segment");
        assert_eq!(Header::decode(&record, 7, 1001), None, "another place");
        assert_eq!(Header::decode(&record[..HEADER_LEN - 1], 7, 1000), None);
    }

    #[test]
    fn only_the_exact_word_says_done() {
        let mut record = record(7, 0);
        record[4..8].copy_from_slice(&DONE);
        assert!(Header::decode(&record, 7, 0).unwrap().is_done);
        for bit in 0..32 {
            record[4..8].copy_from_slice(&DONE);
            record[4 + bit / 8] ^= 1 << (bit % 8);
            assert!(!Header::decode(&record, 7, 0).unwrap().is_done);
        }
    }

    #[test]
    fn a_record_is_found_behind_anything() {
        for gap in [0, 1, 3, 50] {
            let segment = [vec![b'O'; gap], record(7, 100 + gap as u64), vec![0; 9]].concat();
            assert_eq!(find(&segment, 7, 100), Some(gap));
            assert_eq!(find(&segment[gap + 1..], 7, 101 + gap as u64), None);
        }
        assert_eq!(find(&[], 7, 0), None);
    }

    /// A span may hold the bytes of a record, but not those of one at its place in a segment whose key it does not know.
    #[test]
    fn what_a_stranger_wrote_is_no_record() {
        let forged = record(0, 60);
        let segment = [vec![0; 60], forged].concat();
        assert_eq!(find(&segment, 7, 0), None);
    }
}
