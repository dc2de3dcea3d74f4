//! One file of a spool.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::record::{self, HEADER_LEN, Header};

/// How much is searched at once for the next record behind damage.
const SEARCH_LEN: u64 = 256 * 1024;

/// A file of records, one behind the other.
pub(super) struct Segment {
    pub(super) number: u64,
    /// Of its checksums; part of the name.
    pub(super) key: u64,
    pub(super) len: u64,
    pub(super) unread_records: u64,
    pub(super) unread_spans: u64,
    pub(super) held_records: u64,
    /// When its newest record was made, as Unix time in milliseconds.
    pub(super) newest: u64,
    /// Bytes that were not understood.
    damaged: u64,
    /// What is unread, for the segments that are being written and read; the others know it from their files.
    pub(super) index: Option<VecDeque<Entry>>,
}

/// A record that is not done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) offset: u64,
    pub(super) header: Header,
}

impl Segment {
    /// One of which nothing is known but its name.
    pub(super) const fn new(number: u64, key: u64) -> Self {
        Self {
            number,
            key,
            len: 0,
            unread_records: 0,
            unread_spans: 0,
            held_records: 0,
            newest: 0,
            damaged: 0,
            index: None,
        }
    }

    pub(super) fn file_name(&self) -> String {
        format!("{:016x}-{:016x}.spool", self.number, self.key)
    }

    pub(super) fn is_done(&self) -> bool {
        self.unread_records == 0 && self.held_records == 0
    }

    /// Reads the headers in the file of this segment, and cuts off what is damaged at its end. Returns the records that are not
    /// done, and the bytes that were not understood and not known as such before.
    pub(super) fn walk(&mut self, file: &mut File) -> io::Result<(VecDeque<Entry>, u64)> {
        let len = file.metadata()?.len();
        let mut entries = VecDeque::new();
        let (mut offset, mut end, mut damaged) = (0, 0, 0);
        while offset < len {
            let header = read_header(file, self.key, offset)?;
            let Some(header) = header.filter(|header| offset + header.record_len() <= len) else {
                let next = find(file, self.key, offset + 1, len)?.unwrap_or(len);
                damaged += next - offset;
                offset = next;
                continue;
            };
            self.newest = self.newest.max(header.created);
            if !header.is_done {
                entries.push_back(Entry { offset, header });
            }
            offset += header.record_len();
            end = offset;
        }
        if end < len {
            file.set_len(end)?;
        }
        self.len = end;
        // What was cut off is known and not there any more.
        let found = damaged.saturating_sub(self.damaged);
        self.damaged = damaged.saturating_sub(len - end);
        Ok((entries, found))
    }
}

/// Number and key of a segment's file.
pub(super) fn parse_name(name: &str) -> Option<(u64, u64)> {
    let (number, key) = name.strip_suffix(".spool")?.split_once('-')?;
    let parse = |text: &str| if text.len() == 16 { u64::from_str_radix(text, 16).ok() } else { None };
    Some((parse(number)?, parse(key)?))
}

/// The header at `offset`; `None` where there is none.
pub(super) fn read_header(file: &mut File, key: u64, offset: u64) -> io::Result<Option<Header>> {
    let mut bytes = [0; HEADER_LEN];
    file.seek(SeekFrom::Start(offset))?;
    match file.read_exact(&mut bytes) {
        Ok(()) => Ok(Header::decode(&bytes, key, offset)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the next record begins, from `offset` on.
fn find(file: &mut File, key: u64, mut offset: u64, len: u64) -> io::Result<Option<u64>> {
    let mut bytes = Vec::new();
    while offset + HEADER_LEN as u64 <= len {
        bytes.clear();
        file.seek(SeekFrom::Start(offset))?;
        file.take(SEARCH_LEN).read_to_end(&mut bytes)?;
        if let Some(found) = record::find(&bytes, key, offset) {
            return Ok(Some(offset + found as u64));
        }
        if bytes.len() < HEADER_LEN {
            break;
        }
        // A header may lie across the end of what was searched.
        offset += (bytes.len() - HEADER_LEN) as u64 + 1;
    }
    Ok(None)
}
