//! What there is: programs, their maps, and who keeps them.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

use crate::error::ReadError;
use crate::interface::{self, Attached};
use crate::reading::{MapFacts, ProgramFacts};
use crate::select::{each_map, facts, program_facts};
use crate::sys::{self, Access, Object};

/// `BPF_PROG_TYPE_XDP`
const XDP: u32 = 6;

/// An XDP program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedProgram {
    /// What the kernel says of it.
    pub program: ProgramFacts,
    /// Numbers of its maps.
    pub maps: Vec<u32>,
    /// Interfaces of this network namespace that have it.
    pub interfaces: Vec<Attached>,
    /// Files that it is pinned to, in the BPF file systems that this process sees.
    pub pins: Vec<PathBuf>,
    /// Files that links are pinned to which keep it on interfaces.
    pub links: Vec<PathBuf>,
    /// Processes that have it open.
    pub holders: Vec<Process>,
}

/// A map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMap {
    /// What the kernel says of it.
    pub map: MapFacts,
    /// Files that it is pinned to, in the BPF file systems that this process sees.
    pub pins: Vec<PathBuf>,
    /// Processes that have it open.
    pub holders: Vec<Process>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    /// Its number.
    pub id: u32,
    /// What its program is called.
    pub name: String,
}

/// All XDP programs and all maps, the oldest first.
///
/// # Errors
///
/// No right to see them, which is [`ReadError::Capability`].
pub fn list() -> Result<(Vec<ListedProgram>, Vec<ListedMap>), ReadError> {
    let failed = |source| ReadError::from_kernel("listing programs and maps", source);
    let mut holders = Holders::find();
    let mut pins = pins();
    let attached = interface::attached().map_err(failed)?;
    let mut programs = Vec::new();
    let mut last = 0;
    while let Some(id) = sys::next_id(Object::Program, last).map_err(failed)? {
        last = id;
        let Ok(fd) = sys::open_id(Object::Program, id) else { continue };
        let (info, maps) = sys::program_info(fd.as_fd()).map_err(failed)?;
        if info.type_ != XDP {
            continue;
        }
        programs.push(ListedProgram {
            program: program_facts(&info),
            maps,
            interfaces: attached.iter().filter(|attached| attached.program == id).cloned().collect(),
            pins: pins.remove(&(Kind::Program, id)).unwrap_or_default(),
            links: pins.remove(&(Kind::Link, id)).unwrap_or_default(),
            holders: holders.programs.remove(&id).unwrap_or_default(),
        });
    }
    let mut maps = Vec::new();
    let keep = |info: &_| maps.push(facts(info));
    each_map(keep).map_err(failed)?;
    let held = |map: MapFacts| ListedMap {
        pins: pins.remove(&(Kind::Map, map.id)).unwrap_or_default(),
        holders: holders.maps.remove(&map.id).unwrap_or_default(),
        map,
    };
    Ok((programs, maps.into_iter().map(held).collect()))
}

/// How far below the root of a BPF file system pins are looked for, and among how many files.
const MAX_DEPTH: usize = 4;
const MAX_FILES: usize = 10_000;

/// What is open or pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Map,
    Program,
    /// Known by the number of its program.
    Link,
}

impl Kind {
    /// By what `/proc` calls a file of it.
    fn of(file: &str) -> Option<Self> {
        match file {
            "anon_inode:bpf-map" => Some(Self::Map),
            "anon_inode:bpf-prog" => Some(Self::Program),
            // As it was made, and as it was opened.
            "anon_inode:bpf_link" | "anon_inode:bpf-link" => Some(Self::Link),
            _ => None,
        }
    }
}

/// What a process has open as one of its files, as far as this one may read that; `None` where it is nothing of BPF.
fn open_object(process: &Path, file: &str) -> Option<(Kind, u32)> {
    let kind = Kind::of(fs::read_link(process.join("fd").join(file)).ok()?.to_str()?)?;
    let key = if kind == Kind::Map { "map_id:" } else { "prog_id:" };
    let info = fs::read_to_string(process.join("fdinfo").join(file)).ok()?;
    Some((kind, number(&info, key)?))
}

/// What is pinned to a file. A link cannot be opened for reading alone.
fn pinned(path: &Path) -> Option<(Kind, u32)> {
    let fd = match sys::open_pin(path, Access::Read) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => sys::open_pin(path, Access::Take).ok()?,
        opened => opened.ok()?,
    };
    open_object(Path::new("/proc/self"), &fd.as_raw_fd().to_string())
}

/// Files that objects are pinned to.
fn pins() -> BTreeMap<(Kind, u32), Vec<PathBuf>> {
    let mut pins: BTreeMap<_, Vec<PathBuf>> = BTreeMap::new();
    let mut directories: Vec<_> = bpf_file_systems().into_iter().map(|root| (root, 0)).collect();
    let mut files = 0;
    while let Some((directory, depth)) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_directory && depth < MAX_DEPTH {
                directories.push((entry.path(), depth + 1));
            } else if !is_directory && files < MAX_FILES {
                files += 1;
                if let Some(object) = pinned(&entry.path()) {
                    pins.entry(object).or_default().push(entry.path());
                }
            }
        }
    }
    pins.values_mut().for_each(|paths| paths.sort_unstable());
    pins
}

/// Where BPF file systems are mounted.
pub(crate) fn bpf_file_systems() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let roots = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (path, kind) = (fields.next()?, fields.next()?);
        (kind == "bpf").then(|| PathBuf::from(path.replace("\\040", " ")))
    });
    roots.collect()
}

/// Processes by what they have open.
#[derive(Default)]
struct Holders {
    programs: BTreeMap<u32, Vec<Process>>,
    maps: BTreeMap<u32, Vec<Process>>,
}

impl Holders {
    /// From `/proc`, as far as this process may read it.
    fn find() -> Self {
        let mut holders = Self::default();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let Some(id) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            if std::process::id() == id {
                continue;
            }
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            let process_is = Process { id, name: name.trim_end().to_owned() };
            for open in fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten() {
                let file = open.file_name();
                let Some((kind, id)) = file.to_str().and_then(|file| open_object(&process.path(), file)) else {
                    continue;
                };
                let kept = if kind == Kind::Map { &mut holders.maps } else { &mut holders.programs };
                let processes: &mut Vec<Process> = kept.entry(id).or_default();
                if !processes.contains(&process_is) {
                    processes.push(process_is.clone());
                }
            }
        }
        holders
    }
}

/// The number after `key` at the start of a line.
fn number(text: &str, key: &str) -> Option<u32> {
    text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_behind_their_keys() {
        let info = "pos:\t0\nflags:\t02000002\nmap_type:\t6\nmap_id:\t47\nfrozen:\t0\n";
        assert_eq!((number(info, "map_id:"), number(info, "prog_id:")), (Some(47), None));
    }

    #[test]
    fn what_is_open_is_known_by_its_name() {
        for (name, kind) in [
            ("anon_inode:bpf-map", Some(Kind::Map)),
            ("anon_inode:bpf-prog", Some(Kind::Program)),
            ("anon_inode:bpf_link", Some(Kind::Link)),
            ("anon_inode:bpf-link", Some(Kind::Link)),
            ("anon_inode:btf", None),
            ("/dev/null", None),
        ] {
            assert_eq!(Kind::of(name), kind, "{name}");
        }
    }
}
