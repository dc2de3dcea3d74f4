//! A directory of requests that have to be delivered, over outages and restarts.
//!
//! Requests are appended to segments, files that are never written again but for the word that says a record is done with, and
//! are deleted when all their records are. There is no index and no cursor beside them that could disagree with them: what is
//! waiting is what the records say. Damage costs the records it hits; those behind it are found again.
//!
//! No crate is used for the files: the key-value stores that there are write more than twice what they are given and refuse a
//! file that is damaged as a whole, and the queues that are crates have neither a limit in bytes nor single acknowledgements.

mod record;
mod segment;
pub(crate) mod worker;

use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use tracing::warn;

use self::record::{HEADER_LEN, Header};
use self::segment::{Entry, Segment, parse_name, read_header};
use crate::occasionally::Occasionally;
use crate::stats::DropReason;

/// Where an output keeps spans that it cannot deliver now.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SpoolConfig {
    /// Directory of its own for each output; it is created, and locked against other processes.
    pub directory: PathBuf,
    /// Bytes of all files in it. Default 1 GiB.
    pub max_bytes: u64,
    /// When what was written is also made to survive a loss of power. Default each second.
    pub sync: SpoolSync,
    /// What is dropped when `max_bytes` are in use. Default the oldest.
    pub when_full: SpoolFull,
}

impl SpoolConfig {
    /// A spool in this directory, with the defaults.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        let interval = SpoolSync::Interval(Duration::from_secs(1));
        Self { directory: directory.into(), max_bytes: 1 << 30, sync: interval, when_full: SpoolFull::DropOldest }
    }
}

/// When a spool calls for `fdatasync`. A crash of the program loses nothing that was written; this is about the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolSync {
    /// Before a batch counts as written.
    Batch,
    /// After this time, if anything was written.
    Interval(Duration),
    /// When the system likes.
    Never,
}

/// What a full spool drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolFull {
    /// The oldest segment, for the new batch.
    DropOldest,
    /// The new batch; it stays in memory as long as that has room.
    DropNewest,
}

/// Largest segment, but for a single record that is larger.
const MAX_SEGMENT_BYTES: u64 = 16 * 1024 * 1024;

/// Smallest share of `max_bytes` that is dropped at once to make room.
const MIN_SEGMENTS: u64 = 8;

/// Level of zstd for payloads: flow spans take a sixth of their bytes for half a microsecond each.
const LEVEL: i32 = 1;

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RecordId {
    segment: u64,
    offset: u64,
}

#[cfg(test)]
impl RecordId {
    pub(crate) const fn at(offset: u64) -> Self {
        Self { segment: 0, offset }
    }

    pub(crate) const fn offset(&self) -> u64 {
        self.offset
    }
}

/// A request that was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) record: RecordId,
    pub(crate) request: Bytes,
    pub(crate) spans: u64,
    /// Unix time in milliseconds.
    pub(crate) created: u64,
}

/// Why a request was not appended.
#[derive(Debug)]
pub(crate) enum AppendError {
    /// `max_bytes` are in use, and the newest is to be dropped.
    Full,
    Io(io::Error),
}

impl From<io::Error> for AppendError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The files. Everything here blocks.
///
/// A record is unread, held (given out by [`next`](Self::next) or kept by the caller of [`append`](Self::append)), or done.
pub(crate) struct Spool {
    config: SpoolConfig,
    /// Keeps the directory locked.
    _lock: File,
    /// In the order of their numbers, which is that of their records.
    segments: VecDeque<Segment>,
    /// Open for the last segment.
    writer: Option<File>,
    next_number: u64,
    /// Spans of the records that are held.
    held: HashMap<RecordId, u64>,
    bytes: u64,
    is_synced: bool,
    /// Spans that were lost, until somebody counts them.
    lost: Vec<(DropReason, u64)>,
    /// Records that were held and dropped with their segment.
    dropped: Vec<RecordId>,
    damaged_bytes: u64,
    warnings: Occasionally,
    compressor: zstd::bulk::Compressor<'static>,
    buffer: Vec<u8>,
}

impl Spool {
    /// Opens the directory and looks at the headers of what earlier runs left in it.
    ///
    /// # Errors
    ///
    /// The directory cannot be made, read or locked. Damaged segments are no error.
    pub(crate) fn open(config: SpoolConfig) -> io::Result<Self> {
        create_directory(&config.directory)?;
        let lock = options().create(true).truncate(false).open(config.directory.join("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::other("another process or output uses it"),
            TryLockError::Error(error) => error,
        })?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&config.directory)? {
            names.extend(entry?.file_name().to_str().and_then(parse_name));
        }
        names.sort_unstable();
        let mut spool = Self {
            config,
            _lock: lock,
            segments: VecDeque::new(),
            writer: None,
            next_number: names.last().map_or(0, |(number, _)| number + 1),
            held: HashMap::new(),
            bytes: 0,
            is_synced: true,
            lost: Vec::new(),
            dropped: Vec::new(),
            damaged_bytes: 0,
            warnings: Occasionally::default(),
            compressor: zstd::bulk::Compressor::new(LEVEL)?,
            buffer: Vec::new(),
        };
        for (number, key) in names {
            spool.recover(number, key);
        }
        if spool.damaged_bytes > 0 {
            let directory = spool.config.directory.display();
            warn!(%directory, bytes = spool.damaged_bytes, "the spool has damaged parts, which are left out");
        }
        Ok(spool)
    }

    /// Counts what is unread in a segment of an earlier run; deletes it if there is nothing.
    fn recover(&mut self, number: u64, key: u64) {
        let mut segment = Segment::new(number, key);
        match self.walk(&mut segment) {
            Ok(entries) => {
                segment.unread_records = entries.len() as u64;
                segment.unread_spans = entries.iter().map(|entry| entry.header.spans).sum();
                self.bytes += segment.len;
                self.segments.push_back(segment);
                self.delete_if_done(self.segments.len() - 1);
            }
            Err(error) => {
                let name = segment.file_name();
                warn!(name, %error, "cannot read a segment of the spool, left it as it is");
            }
        }
    }

    /// Walks a segment's file. Returns what is neither done nor held.
    fn walk(&mut self, segment: &mut Segment) -> io::Result<VecDeque<Entry>> {
        let mut file = options().read(true).open(self.path(segment))?;
        let (mut entries, damaged) = segment.walk(&mut file)?;
        self.damaged_bytes += damaged;
        entries.retain(|entry| !self.held.contains_key(&RecordId { segment: segment.number, offset: entry.offset }));
        Ok(entries)
    }

    /// Adds a request at the end. A record that is held is the caller's, who says when it is done; others come from
    /// [`next`](Self::next), after all before them.
    pub(crate) fn append(
        &mut self,
        request: &[u8],
        spans: u64,
        created: u64,
        is_held: bool,
    ) -> Result<RecordId, AppendError> {
        let room = Self::record_bound(request.len()) as usize;
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        let payload_len = self.compressor.compress_to_buffer(request, &mut self.buffer[HEADER_LEN..])?;
        let end = HEADER_LEN + payload_len;
        let header = Header::new(&self.buffer[HEADER_LEN..end], request.len() as u32, spans, created);
        self.make_room(header.record_len())?;
        let segment = self.segment_for(header.record_len())?;
        let offset = segment.len;
        let head = header.encode(segment.key, offset);
        self.buffer[..HEADER_LEN].copy_from_slice(&head);
        let file = self.writer.as_mut().expect("a segment was begun");
        if let Err(error) = file.write_all(&self.buffer[..end]) {
            // Nothing may follow half a record. Where it cannot be cut off, the next one goes to another segment.
            if file.set_len(offset).and_then(|()| file.seek(SeekFrom::Start(offset))).is_err() {
                self.writer = None;
            }
            self.delete_if_done(self.segments.len() - 1);
            return Err(error.into());
        }
        self.is_synced = false;
        self.bytes += header.record_len();
        let segment = self.segments.back_mut().expect("it is written");
        segment.len += header.record_len();
        segment.newest = segment.newest.max(created);
        let id = RecordId { segment: segment.number, offset };
        if is_held {
            segment.held_records += 1;
            self.held.insert(id, spans);
        } else {
            segment.unread_records += 1;
            segment.unread_spans += spans;
            segment.index.get_or_insert_default().push_back(Entry { offset, header });
        }
        Ok(id)
    }

    /// Drops from the front until there is room, if that is what a full spool does.
    fn make_room(&mut self, record_len: u64) -> Result<(), AppendError> {
        while self.bytes + record_len > self.config.max_bytes {
            let can_drop = self.config.when_full == SpoolFull::DropOldest && record_len <= self.config.max_bytes;
            if !can_drop || self.segments.is_empty() {
                return Err(AppendError::Full);
            }
            self.drop_front(DropReason::SpoolFull);
        }
        Ok(())
    }

    /// The segment that a record of this length goes to, open for writing.
    fn segment_for(&mut self, record_len: u64) -> io::Result<&Segment> {
        let max_len = MAX_SEGMENT_BYTES.min(self.config.max_bytes / MIN_SEGMENTS);
        let is_full = self.segments.back().is_some_and(|last| last.len > 0 && last.len + record_len > max_len);
        if self.writer.is_none() || is_full {
            self.close_writer()?;
            let mut segment = Segment::new(self.next_number, fastrand::u64(..));
            segment.index = Some(VecDeque::new());
            self.writer = Some(options().create_new(true).open(self.path(&segment))?);
            self.next_number += 1;
            self.segments.push_back(segment);
            if self.config.sync != SpoolSync::Never {
                sync_directory(&self.config.directory);
            }
        }
        Ok(self.segments.back().expect("there is one being written"))
    }

    /// Ends the segment that is being written; it keeps its index only if it is the one to be read next.
    fn close_writer(&mut self) -> io::Result<()> {
        // An error is that of the next write.
        let synced = if self.config.sync == SpoolSync::Never { Ok(()) } else { self.sync() };
        if self.writer.take().is_some() {
            let is_read = self.segments.iter().rev().skip(1).all(|segment| segment.unread_records == 0);
            if let Some(last) = self.segments.back_mut().filter(|_| !is_read) {
                last.index = None;
            }
        }
        synced
    }

    /// The oldest record that is unread and newer than `oldest` (Unix time in milliseconds); it is held from now on. What is
    /// damaged or too old on the way to it is dropped.
    ///
    /// # Errors
    ///
    /// The system cannot read now; nothing is lost by that.
    pub(crate) fn next(&mut self, oldest: u64) -> io::Result<Option<Loaded>> {
        loop {
            let Some(at) = self.segments.iter().position(|segment| segment.unread_records > 0) else { return Ok(None) };
            if self.segments[at].index.is_none() {
                self.read_index(at)?;
                continue;
            }
            let segment = &mut self.segments[at];
            let entry =
                segment.index.as_mut().and_then(|index| index.front().copied()).expect("unread records are in it");
            let Header { spans, created, .. } = entry.header;
            let result = if created < oldest { Err(DropReason::Expired) } else { self.read(at, entry)? };
            let segment = &mut self.segments[at];
            segment.index.as_mut().and_then(VecDeque::pop_front);
            segment.unread_records -= 1;
            segment.unread_spans -= spans;
            segment.held_records += 1;
            let record = RecordId { segment: segment.number, offset: entry.offset };
            self.held.insert(record, spans);
            match result {
                Ok(request) => return Ok(Some(Loaded { record, request: request.into(), spans, created })),
                Err(reason) => {
                    self.lost.push((reason, spans));
                    self.done(record);
                }
            }
        }
    }

    /// Length of the request that [`next`](Self::next) would read; 0 as long as its segment was not looked at.
    pub(crate) fn next_len(&self) -> usize {
        let segment = self.segments.iter().find(|segment| segment.unread_records > 0);
        let entry = segment.and_then(|segment| segment.index.as_ref()?.front());
        entry.map_or(0, |entry| entry.header.request_len as usize)
    }

    fn read_index(&mut self, at: usize) -> io::Result<()> {
        let mut segment = self.segments.remove(at).expect("it is there");
        let len = segment.len;
        let walked = self.walk(&mut segment);
        let entries = match walked {
            Err(error) if !is_damage(&error) => {
                self.segments.insert(at, segment);
                return Err(error);
            }
            // It was taken away.
            walked => walked.unwrap_or_default(),
        };
        self.bytes = self.bytes + segment.len - len;
        // What was there at the start, or when it was written, and is not any more.
        let spans: u64 = entries.iter().map(|entry| entry.header.spans).sum();
        if let Some(lost @ 1..) = segment.unread_spans.checked_sub(spans) {
            self.lost.push((DropReason::Damaged, lost));
        }
        segment.unread_records = entries.len() as u64;
        segment.unread_spans = spans;
        segment.index = Some(entries);
        self.segments.insert(at, segment);
        self.delete_if_done(at);
        Ok(())
    }

    /// The request of a record, or why it is lost.
    fn read(&mut self, at: usize, entry: Entry) -> io::Result<Result<Vec<u8>, DropReason>> {
        match self.try_read(at, entry) {
            Ok(request) => Ok(Ok(request)),
            Err(error) if is_damage(&error) => {
                let (name, spans, offset) = (self.segments[at].file_name(), entry.header.spans, entry.offset);
                self.damaged_bytes += entry.header.record_len();
                if let Some(repeats) = self.warnings.permit() {
                    warn!(name, offset, %error, spans, repeats, "dropped a damaged record of the spool");
                }
                Ok(Err(DropReason::Damaged))
            }
            Err(error) => Err(error),
        }
    }

    fn try_read(&self, at: usize, entry: Entry) -> io::Result<Vec<u8>> {
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "its checksum does not match");
        let segment = &self.segments[at];
        let mut file = File::open(self.path(segment))?;
        if read_header(&mut file, segment.key, entry.offset)? != Some(entry.header) {
            return Err(damaged());
        }
        let mut payload = vec![0; entry.header.payload_len as usize];
        file.read_exact(&mut payload)?;
        if !entry.header.is_payload(&payload) {
            return Err(damaged());
        }
        let request = zstd::bulk::decompress(&payload, entry.header.request_len as usize).map_err(|_| damaged())?;
        if request.len() == entry.header.request_len as usize { Ok(request) } else { Err(damaged()) }
    }

    /// A record that was held is delivered or dropped: it never comes again.
    pub(crate) fn done(&mut self, record: RecordId) {
        let is_held = self.held.remove(&record).is_some();
        let found = self.segments.binary_search_by_key(&record.segment, |segment| segment.number);
        let (true, Ok(at)) = (is_held, found) else { return };
        self.segments[at].held_records -= 1;
        if self.delete_if_done(at) {
            return;
        }
        if let Err(error) = self.mark_done(at, record.offset)
            && let Some(repeats) = self.warnings.permit()
        {
            let name = self.segments[at].file_name();
            warn!(name, %error, repeats, "cannot mark a record as delivered, it is sent again after a restart");
        }
    }

    fn mark_done(&self, at: usize, offset: u64) -> io::Result<()> {
        let mut file = options().open(self.path(&self.segments[at]))?;
        file.seek(SeekFrom::Start(offset + record::STATE_OFFSET))?;
        file.write_all(&record::DONE)
    }

    fn delete_if_done(&mut self, at: usize) -> bool {
        let is_done = self.segments[at].is_done();
        if is_done {
            self.delete(at);
        }
        is_done
    }

    fn delete(&mut self, at: usize) -> Segment {
        if at == self.segments.len() - 1 {
            // If it is being written, the next record begins another one.
            self.writer = None;
            self.is_synced = true;
        }
        let segment = self.segments.remove(at).expect("it is there");
        self.bytes -= segment.len;
        if let Err(error) = fs::remove_file(self.path(&segment)) {
            let name = segment.file_name();
            warn!(name, %error, "cannot delete a segment of the spool");
        }
        segment
    }

    fn drop_front(&mut self, reason: DropReason) {
        let segment = self.delete(0);
        self.dropped
            .extend(self.held.extract_if(|record, _| record.segment == segment.number).map(|(record, _)| record));
        if segment.unread_spans > 0 {
            self.lost.push((reason, segment.unread_spans));
        }
    }

    /// Drops the segments whose records are all older than `oldest` (Unix time in milliseconds).
    pub(crate) fn expire(&mut self, oldest: u64) {
        while self.segments.front().is_some_and(|segment| segment.newest < oldest) {
            self.drop_front(DropReason::Expired);
        }
    }

    /// Waits until the device has what was written.
    ///
    /// # Errors
    ///
    /// It cannot be said whether it has. What comes next goes to another segment.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.is_synced, true) {
            return Ok(());
        }
        let synced = self.writer.as_ref().map_or(Ok(()), File::sync_data);
        if synced.is_err() {
            self.writer = None;
        }
        synced
    }

    pub(crate) fn is_synced(&self) -> bool {
        self.is_synced
    }

    pub(crate) fn unread_records(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unread_records).sum()
    }

    pub(crate) fn unread_spans(&self) -> u64 {
        self.segments.iter().map(|segment| segment.unread_spans).sum()
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn damaged_bytes(&self) -> u64 {
        self.damaged_bytes
    }

    pub(crate) fn config(&self) -> &SpoolConfig {
        &self.config
    }

    /// Records that were given out and are not there any more, since the last call.
    pub(crate) fn take_dropped(&mut self) -> Vec<RecordId> {
        std::mem::take(&mut self.dropped)
    }

    /// The most bytes that a request of this length takes.
    pub(crate) fn record_bound(request_len: usize) -> u64 {
        (HEADER_LEN + zstd::zstd_safe::compress_bound(request_len)) as u64
    }

    /// Spans that were lost since the last call, by reason.
    pub(crate) fn take_lost(&mut self) -> Vec<(DropReason, u64)> {
        std::mem::take(&mut self.lost)
    }

    fn path(&self, segment: &Segment) -> PathBuf {
        self.config.directory.join(segment.file_name())
    }
}

impl std::fmt::Debug for Spool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Spool").field("config", &self.config).field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

/// Whether what was to be read is not there, rather than that it cannot be read now.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound)
}

/// For writing. What networks do is nobody else's business.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn create_directory(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// Makes new names in a directory survive a loss of power, where the system can.
fn sync_directory(directory: &Path) {
    if let Err(error) = File::open(directory).and_then(|directory| directory.sync_all()) {
        tracing::debug!(%error, "cannot sync the directory of the spool");
    }
}

#[cfg(test)]
mod tests;
