//! The calls of bpf(2) that aya does not have: maps opened for reading only, whole batches, and type information.
//!
//! All `unsafe` of the reader is here.
#![expect(unsafe_code, reason = "bpf(2) has no safe wrapper with these calls")]

use std::ffi::CString;
use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use aya_obj::generated::{bpf_btf_info, bpf_map_info, bpf_prog_info};

/// `BPF_F_RDONLY`: needs no permission to write to the pin.
const READ_ONLY: u32 = 1 << 3;
/// Longest type information that is read. That of a whole kernel has some 6 MB.
const MAX_BTF_LEN: u32 = 16 << 20;
/// Most maps of a program that are looked at; the verifier allows 64.
const MAX_MAPS: usize = 64;

/// Commands of `enum bpf_cmd`.
#[derive(Clone, Copy)]
#[repr(i32)]
enum Command {
    LookUp = 1,
    Update = 2,
    GetNextKey = 4,
    GetPinned = 7,
    NextProgramId = 11,
    NextMapId = 12,
    ProgramById = 13,
    MapById = 14,
    Info = 15,
    BtfById = 19,
    LookUpBatch = 24,
    LookUpAndDeleteBatch = 25,
    EnableStats = 32,
    LinkDetach = 34,
}

/// What has numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    Map,
    Program,
    Btf,
}

/// # Safety
///
/// `attr` is what the kernel expects of `command`, and its pointers are valid for what the kernel reads and writes there.
unsafe fn bpf<T>(command: Command, attr: &mut T) -> io::Result<i64> {
    // SAFETY: by the caller. The kernel reads and writes at most the given length of `attr`.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command as i32, ptr::from_mut(attr), size_of::<T>()) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Like [`bpf`], for commands that return a file descriptor.
///
/// # Safety
///
/// As of [`bpf`].
unsafe fn bpf_fd<T>(command: Command, attr: &mut T) -> io::Result<OwnedFd> {
    // SAFETY: by the caller; a file descriptor that the kernel just made belongs to nobody else.
    unsafe { Ok(OwnedFd::from_raw_fd(bpf(command, attr)? as i32)) }
}

/// The number after `last`, of maps or programs; `None` after the highest.
pub(crate) fn next_id(object: Object, last: u32) -> io::Result<Option<u32>> {
    #[repr(C)]
    struct Attr {
        start: u32,
        next: u32,
        open_flags: u32,
    }
    let command = if object == Object::Map { Command::NextMapId } else { Command::NextProgramId };
    let mut attr = Attr { start: last, next: 0, open_flags: 0 };
    // SAFETY: `attr` is what the command expects, and has no pointers.
    match unsafe { bpf(command, &mut attr) } {
        Ok(_) => Ok(Some(attr.next)),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What a map is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read it: its pin need be readable only.
    Read,
    /// To take entries out: its pin must be writable.
    Take,
}

impl Access {
    const fn flags(self) -> u32 {
        match self {
            Self::Read => READ_ONLY,
            Self::Take => 0,
        }
    }
}

/// Opens a program or type information by its number, or a map for reading.
pub(crate) fn open_id(object: Object, id: u32) -> io::Result<OwnedFd> {
    open(object, id, Access::Read)
}

/// Opens a map by its number.
pub(crate) fn open_map(id: u32, access: Access) -> io::Result<OwnedFd> {
    open(Object::Map, id, access)
}

fn open(object: Object, id: u32, access: Access) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attr {
        id: u32,
        next: u32,
        open_flags: u32,
    }
    let (command, open_flags) = match object {
        Object::Map => (Command::MapById, access.flags()),
        Object::Program => (Command::ProgramById, 0),
        Object::Btf => (Command::BtfById, 0),
    };
    // SAFETY: `attr` is what the command expects, and has no pointers.
    unsafe { bpf_fd(command, &mut Attr { id, next: 0, open_flags }) }
}

/// Opens what is pinned: a map, or with `Take` a link.
pub(crate) fn open_pin(path: &Path, access: Access) -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attr {
        path: u64,
        fd: u32,
        file_flags: u32,
    }
    let path = CString::new(path.as_os_str().as_bytes())?;
    let mut attr = Attr { path: path.as_ptr() as u64, fd: 0, file_flags: access.flags() };
    // SAFETY: `attr` is what the command expects; the path ends in a zero and lives until after the call.
    unsafe { bpf_fd(Command::GetPinned, &mut attr) }
}

/// Takes a program from where a pinned link has it, at once, though others hold the link.
pub(crate) fn detach_link(path: &Path) -> io::Result<()> {
    #[repr(C)]
    struct Attr {
        fd: u32,
    }
    let link = open_pin(path, Access::Take)?;
    let mut attr = Attr { fd: link.as_raw_fd() as u32 };
    // SAFETY: `attr` is what the command expects, and has no pointers.
    unsafe { bpf(Command::LinkDetach, &mut attr) }.map(drop)
}

/// Asks for what the kernel tells of an open object. `T` starts as the caller has it: some fields are addresses of buffers.
///
/// # Safety
///
/// `T` is the information of the object that `fd` is, and addresses in it are those of buffers as long as it says.
unsafe fn info<T>(fd: BorrowedFd<'_>, info: &mut T) -> io::Result<()> {
    #[repr(C)]
    struct Attr {
        fd: u32,
        len: u32,
        info: u64,
    }
    let mut attr =
        Attr { fd: fd.as_raw_fd() as u32, len: size_of::<T>() as u32, info: ptr::from_mut(info).addr() as u64 };
    // SAFETY: the kernel writes at most `len` bytes to `info`, and to the buffers in it, which the caller vouches for.
    unsafe { bpf(Command::Info, &mut attr) }.map(drop)
}

/// What the kernel tells of a map.
pub(crate) fn map_info(fd: BorrowedFd<'_>) -> io::Result<bpf_map_info> {
    // SAFETY: all of its fields are numbers, for which zeros are valid.
    let mut map: bpf_map_info = unsafe { std::mem::zeroed() };
    // SAFETY: it is what is told of maps, of which it has no addresses. A program would have more fields than it has.
    unsafe { info(fd, &mut map)? };
    Ok(map)
}

/// What the kernel tells of a program, and the numbers of its maps.
pub(crate) fn program_info(fd: BorrowedFd<'_>) -> io::Result<(bpf_prog_info, Vec<u32>)> {
    // SAFETY: all of its fields are numbers, for which zeros are valid.
    let mut program: bpf_prog_info = unsafe { std::mem::zeroed() };
    let mut maps = [0_u32; MAX_MAPS];
    program.nr_map_ids = MAX_MAPS as u32;
    program.map_ids = maps.as_mut_ptr().addr() as u64;
    // SAFETY: it is what is told of programs, and `map_ids` has room for `nr_map_ids`; lengths of other buffers are zero.
    unsafe { info(fd, &mut program)? };
    let count = (program.nr_map_ids as usize).min(MAX_MAPS);
    Ok((program, maps[..count].to_vec()))
}

/// Type information by its number.
pub(crate) fn btf(id: u32) -> io::Result<Vec<u8>> {
    let fd = open_id(Object::Btf, id)?;
    let fd = std::os::fd::AsFd::as_fd(&fd);
    // SAFETY: all of its fields are numbers, for which zeros are valid.
    let mut btf: bpf_btf_info = unsafe { std::mem::zeroed() };
    // SAFETY: it is what is told of type information; it has no buffers yet.
    unsafe { info(fd, &mut btf)? };
    let mut bytes = vec![0; btf.btf_size.min(MAX_BTF_LEN) as usize];
    // SAFETY: as above.
    btf = unsafe { std::mem::zeroed() };
    btf.btf = bytes.as_mut_ptr().addr() as u64;
    btf.btf_size = bytes.len() as u32;
    // SAFETY: `bytes` has `btf_size` bytes.
    unsafe { info(fd, &mut btf)? };
    bytes.truncate(btf.btf_size as usize);
    Ok(bytes)
}

#[repr(C)]
struct Element {
    fd: u32,
    key: u64,
    value: u64,
    flags: u64,
}

/// Reads the value of `key`, of all CPUs where they have their own; `false` when there is none.
///
/// `sizes` are those of the map.
pub(crate) fn look_up(fd: BorrowedFd<'_>, sizes: Sizes, key: &[u8], value: &mut [u8]) -> io::Result<bool> {
    assert!(key.len() == sizes.key && value.len() == sizes.value, "buffers have the sizes of the map");
    let key = key.as_ptr().addr() as u64;
    let mut attr = Element { fd: fd.as_raw_fd() as u32, key, value: value.as_mut_ptr().addr() as u64, flags: 0 };
    // SAFETY: the kernel reads a key and writes a value of the sizes above.
    found(unsafe { bpf(Command::LookUp, &mut attr) })
}

/// Sets the value of `key`.
///
/// `sizes` are those of the map.
pub(crate) fn set(fd: BorrowedFd<'_>, sizes: Sizes, key: &[u8], value: &[u8]) -> io::Result<()> {
    assert!(key.len() == sizes.key && value.len() == sizes.value, "buffers have the sizes of the map");
    let (key, value) = (key.as_ptr().addr() as u64, value.as_ptr().addr() as u64);
    let mut attr = Element { fd: fd.as_raw_fd() as u32, key, value, flags: 0 };
    // SAFETY: the kernel reads a key and a value of the sizes above.
    unsafe { bpf(Command::Update, &mut attr) }.map(drop)
}

/// Waits until every run of a program that was under way has ended.
pub(crate) fn wait_for_programs() {
    /// `MEMBARRIER_CMD_GLOBAL`, which is `synchronize_rcu` of the kernel.
    const GLOBAL: libc::c_int = 1;
    // SAFETY: it has no pointers.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) };
    if result != 0 {
        // Kernels with `nohz_full` do not have it; a run takes some microseconds.
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Writes the key after `last` to `next`, the first where `last` is none or gone; `false` after the last one.
pub(crate) fn next_key(fd: BorrowedFd<'_>, sizes: Sizes, last: Option<&[u8]>, next: &mut [u8]) -> io::Result<bool> {
    assert!(
        next.len() == sizes.key && last.is_none_or(|last| last.len() == sizes.key),
        "keys have the size of the map's"
    );
    let key = last.map_or(0, |last| last.as_ptr().addr() as u64);
    let mut attr = Element { fd: fd.as_raw_fd() as u32, key, value: next.as_mut_ptr().addr() as u64, flags: 0 };
    // SAFETY: the kernel reads one key and writes one.
    found(unsafe { bpf(Command::GetNextKey, &mut attr) })
}

fn found(result: io::Result<i64>) -> io::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Bytes of a key and of a value. A value of a map per CPU has those of all possible CPUs, each rounded up to 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sizes {
    pub(crate) key: usize,
    pub(crate) value: usize,
}

/// Where a walk over a map in batches is.
pub(crate) struct Batches {
    sizes: Sizes,
    /// The kernel's own note: a key of an array, a number of a hash table, of which 4 bytes are used.
    position: Option<Vec<u8>>,
    command: Command,
    keys: Vec<u8>,
    values: Vec<u8>,
    is_done: bool,
}

impl Batches {
    /// Up to `count` entries at a time. With `delete`, what was read is no longer in the map.
    pub(crate) fn new(sizes: Sizes, count: usize, delete: bool) -> Self {
        let command = if delete { Command::LookUpAndDeleteBatch } else { Command::LookUpBatch };
        let (keys, values) = (vec![0; sizes.key * count], vec![0; sizes.value * count]);
        Self { sizes, position: None, command, keys, values, is_done: false }
    }

    /// The next entries, keys and values one after the other; `None` after the last ones.
    ///
    /// # Errors
    ///
    /// `EINVAL` where the map or the kernel knows no batches.
    pub(crate) fn next(&mut self, fd: BorrowedFd<'_>) -> io::Result<Option<Entries<'_>>> {
        #[repr(C)]
        struct Attr {
            in_batch: u64,
            out_batch: u64,
            keys: u64,
            values: u64,
            count: u32,
            fd: u32,
            element_flags: u64,
            flags: u64,
        }
        if self.is_done {
            return Ok(None);
        }
        let mut position = vec![0_u8; self.sizes.key.max(8)];
        let read = loop {
            let mut attr = Attr {
                in_batch: self.position.as_ref().map_or(0, |position| position.as_ptr().addr() as u64),
                out_batch: position.as_mut_ptr().addr() as u64,
                keys: self.keys.as_mut_ptr().addr() as u64,
                values: self.values.as_mut_ptr().addr() as u64,
                count: (self.keys.len() / self.sizes.key) as u32,
                fd: fd.as_raw_fd() as u32,
                element_flags: 0,
                flags: 0,
            };
            // SAFETY: there is room for `count` keys and values of the map's sizes, and for a position, in both buffers.
            match unsafe { bpf(self.command, &mut attr) } {
                Ok(_) => break attr.count as usize,
                Err(error) => match error.raw_os_error() {
                    // The last entries may come with it.
                    Some(libc::ENOENT) => {
                        self.is_done = true;
                        break attr.count as usize;
                    }
                    // A bucket of the hash table has more entries than there is room for.
                    Some(libc::ENOSPC) if attr.count == 0 => {
                        self.keys.resize(self.keys.len() * 2, 0);
                        self.values.resize(self.values.len() * 2, 0);
                    }
                    _ => return Err(error),
                },
            }
        };
        self.position = Some(position);
        let read = read.min(self.keys.len() / self.sizes.key);
        Ok(Some(Entries {
            sizes: self.sizes,
            keys: &self.keys[..read * self.sizes.key],
            values: &self.values[..read * self.sizes.value],
        }))
    }
}

/// Keys and values of a batch.
pub(crate) struct Entries<'a> {
    sizes: Sizes,
    keys: &'a [u8],
    values: &'a [u8],
}

impl<'a> Entries<'a> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        self.keys.chunks_exact(self.sizes.key).zip(self.values.chunks_exact(self.sizes.value))
    }
}

/// Lets the kernel measure how long programs run, until what it gives is dropped.
pub(crate) fn enable_stats() -> io::Result<OwnedFd> {
    #[repr(C)]
    struct Attr {
        /// `BPF_STATS_RUN_TIME`
        kind: u32,
    }
    // SAFETY: `attr` is what the command expects, and has no pointers.
    unsafe { bpf_fd(Command::EnableStats, &mut Attr { kind: 0 }) }
}
