//! Reads counters from maps.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Instant, SystemTime};

use crate::btf::Btf;
use crate::error::ReadError;
use crate::layout::{Keys, Layout};
use crate::program::is_protocol_map;
use crate::reading::{Counter, Key, MapFacts, MapKind, Reading};
use crate::select::{Found, Selector, facts};
use crate::sys::{self, Batches, Sizes};
use crate::writer::Writer;

/// Most keys that are told one by one.
const MAX_KEYS: usize = 4096;
/// Up to as many entries, an array is read one by one: batches begin to pay above.
const FEW: u32 = 16;
/// Bytes of a batch.
const BATCH_LEN: usize = 1 << 20;

/// Reads the counters of a map, again and again.
///
/// The map is looked for each time and no file is kept open in between: a program that is replaced takes its maps with it, and a
/// reader that held the old one would see numbers that stand still.
#[derive(Debug)]
pub struct Reader {
    selector: Selector,
    layout: Option<Layout>,
    cpus: usize,
    writer: Writer,
}

impl Reader {
    /// Reads the map that is meant by `selector`. Without a `layout`, type information says where packets and bytes are, else
    /// the size of values: 16 bytes are packets and bytes, 8 are packets.
    ///
    /// # Errors
    ///
    /// The number of CPUs cannot be read.
    pub fn new(selector: Selector, layout: Option<Layout>) -> Result<Self, ReadError> {
        let cpus = aya::util::nr_cpus().map_err(|(_, source)| ReadError::from_kernel("counting CPUs", source))?;
        Ok(Self { selector, layout, cpus, writer: Writer::default() })
    }

    /// Which map it reads.
    pub const fn selector(&self) -> &Selector {
        &self.selector
    }

    /// What is in the map now.
    ///
    /// # Errors
    ///
    /// No such map, for now if [`is_missing`](ReadError::is_missing); no right to read it; values that are no counters.
    pub fn read(&self) -> Result<Reading, ReadError> {
        let found = self.selector.find(&self.writer)?;
        let map = facts(&found.info);
        if !map.kind.is_readable() || map.key_size == 0 {
            return Err(ReadError::Kind { name: map.name, kind: map.kind });
        }
        let (layout, keys) = self.types(&found, &map)?;
        let value_size = if map.kind.is_per_cpu() {
            map.value_size.next_multiple_of(8) as usize * self.cpus
        } else {
            map.value_size as usize
        };
        let sizes = Sizes { key: map.key_size as usize, value: value_size };
        let mut sums =
            Sums { layout, keys, per_cpu: sizes.value / self.cpus_of(map.kind), counters: Vec::new(), all: None };
        let read = walk(found.fd.as_fd(), map.kind, sizes, map.max_entries, |key, value| sums.add(key, value));
        read.map_err(|source| ReadError::from_kernel("reading a map", source))?;
        let (at, time) = (Instant::now(), SystemTime::now());
        let counters = sums.finish();
        Ok(Reading { map, program: found.program, candidates: found.candidates, at, time, counters })
    }

    const fn cpus_of(&self, kind: MapKind) -> usize {
        if kind.is_per_cpu() { self.cpus } else { 1 }
    }

    /// What keys and values are. Who may not read type information goes by sizes.
    fn types(&self, found: &Found, map: &MapFacts) -> Result<(Layout, Keys), ReadError> {
        let info = &found.info;
        let bytes = if info.btf_id == 0 { Vec::new() } else { sys::btf(info.btf_id).unwrap_or_default() };
        let btf = Btf::parse(&bytes);
        let btf = btf.as_ref();
        let (key_size, value_size) = (info.key_size as usize, info.value_size as usize);
        let layout = match self.layout {
            Some(layout) => layout.fits(value_size).then_some(layout),
            None => Layout::of_value(value_size, btf.map(|btf| (btf, info.btf_value_type_id))),
        };
        let layout = layout.ok_or_else(|| ReadError::Layout { name: map.name.clone(), value_size: map.value_size })?;
        let keys = if is_protocol_map(map, found.program.as_ref()) {
            Keys::protocols()
        } else {
            Keys::of_map(map.kind, key_size, info.max_entries, btf.map(|btf| (btf, info.btf_key_type_id)))
        };
        Ok((layout, keys))
    }
}

/// The kernel measures programs while this lives.
#[derive(Debug)]
pub struct Measuring(#[expect(dead_code, reason = "closing it ends the measurement")] OwnedFd);

/// Lets the kernel measure how long all programs run, which costs each of them some nanoseconds.
///
/// # Errors
///
/// [`ReadError::Capability`]: it takes `CAP_SYS_ADMIN`.
pub fn measure_programs() -> Result<Measuring, ReadError> {
    sys::enable_stats().map(Measuring).map_err(|source| ReadError::from_kernel("measuring programs", source))
}

/// Counters on their way from a map.
struct Sums {
    layout: Layout,
    keys: Keys,
    /// Bytes of a value of one CPU.
    per_cpu: usize,
    counters: Vec<(Vec<u8>, u64, Option<u64>)>,
    /// Of all keys, once they are too many.
    all: Option<(u64, Option<u64>)>,
}

impl Sums {
    fn add(&mut self, key: &[u8], value: &[u8]) {
        let sum = |(packets, bytes): (u64, Option<u64>), (more_packets, more_bytes): (u64, Option<u64>)| {
            (packets.wrapping_add(more_packets), bytes.zip(more_bytes).map(|(bytes, more)| bytes.wrapping_add(more)))
        };
        let cpus = value.chunks_exact(self.per_cpu).map(|value| self.layout.read(value));
        let Some(counted) = cpus.reduce(sum) else { return };
        if let Some(all) = &mut self.all {
            *all = sum(*all, counted);
            return;
        }
        self.counters.push((key.to_vec(), counted.0, counted.1));
        if self.counters.len() > MAX_KEYS {
            self.all = self.counters.drain(..).map(|(_, packets, bytes)| (packets, bytes)).reduce(sum);
        }
    }

    fn finish(mut self) -> Vec<Counter> {
        if let Some((packets, bytes)) = self.all {
            return vec![Counter { key: Key::All, packets, bytes }];
        }
        self.counters.sort_unstable();
        // A hash table that changes may show a key twice.
        self.counters.dedup_by(|next, kept| next.0 == kept.0);
        let keys = &self.keys;
        let counter = |(key, packets, bytes): (Vec<u8>, _, _)| Counter { key: keys.key(&key), packets, bytes };
        self.counters.into_iter().map(counter).collect()
    }
}

/// Shows every entry of a map.
fn walk(
    fd: BorrowedFd<'_>,
    kind: MapKind,
    sizes: Sizes,
    max_entries: u32,
    mut show: impl FnMut(&[u8], &[u8]),
) -> io::Result<()> {
    let mut value = vec![0; sizes.value];
    if kind.is_array() && sizes.key == 4 && max_entries <= FEW {
        for key in 0..max_entries {
            let key = key.to_ne_bytes();
            if sys::look_up(fd, sizes, &key, &mut value)? {
                show(&key, &value);
            }
        }
        return Ok(());
    }
    let count = (BATCH_LEN / (sizes.key + sizes.value)).clamp(1, max_entries.max(1) as usize);
    let mut batches = Batches::new(sizes, count, false);
    let mut shown = 0;
    loop {
        match batches.next(fd) {
            Ok(Some(entries)) => {
                for (key, value) in entries.iter() {
                    show(key, value);
                    shown += 1;
                }
            }
            Ok(None) => return Ok(()),
            // A map or a kernel that knows no batches.
            Err(error) if shown == 0 && matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EOPNOTSUPP | 524)) => {
                break;
            }
            Err(error) => return Err(error),
        }
    }
    let (mut last, mut next): (Option<Vec<u8>>, _) = (None, vec![0; sizes.key]);
    // A key that goes away between two calls sends the walk back to the start, so it needs an end of its own.
    for _ in 0..max_entries {
        if !sys::next_key(fd, sizes, last.as_deref(), &mut next)? {
            break;
        }
        if sys::look_up(fd, sizes, &next, &mut value)? {
            show(&next, &value);
        }
        last = Some(next.clone());
    }
    Ok(())
}
