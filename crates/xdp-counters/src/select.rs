//! Which map is meant.

use std::fmt;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aya_obj::generated::{bpf_map_info, bpf_prog_info};

use crate::error::ReadError;
use crate::interface::{self, Attached};
use crate::program::is_protocol_map;
use crate::reading::{MapFacts, MapKind, ProgramFacts, ProgramRun};
use crate::sys::{self, Access, Object};
use crate::writer::{Program, Writer};

/// Bytes of a name that the kernel keeps.
const NAME_LEN: usize = 15;
/// Most names of maps that an error lists.
const MAX_NAMES: usize = 30;

/// How a map is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selector {
    /// By its number.
    Id(u32),
    /// By its name, of which 15 bytes count. Of several, one that a program on an interface has, else the newest.
    Name(String),
    /// By the file it is pinned to, which takes no capability, only the right to read the file.
    Pin(PathBuf),
    /// As a map of the program on an interface.
    Interface {
        /// The interface.
        interface: String,
        /// The map's name. Where there is none, the program must have one map only that counters can be in, besides those of the
        /// object's variables; of our own program it is [`PROTOCOL_MAP`](crate::program::PROTOCOL_MAP), which has every packet once, as its other map of counters does.
        map: Option<String>,
    },
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "map {id}"),
            Self::Name(name) => write!(f, "map {name}"),
            Self::Pin(path) => write!(f, "map pinned to {}", path.display()),
            Self::Interface { interface, map: Some(map) } => write!(f, "map {map} of the program on {interface}"),
            Self::Interface { interface, map: None } => write!(f, "map of the program on {interface}"),
        }
    }
}

/// A map that is open.
pub(crate) struct Found {
    pub(crate) fd: OwnedFd,
    pub(crate) info: bpf_map_info,
    pub(crate) program: Option<ProgramFacts>,
    pub(crate) candidates: usize,
}

impl Selector {
    /// Opens the map that is meant now: programs and their maps are replaced at any time.
    pub(crate) fn find(&self, writer: &Writer) -> Result<Found, ReadError> {
        let mut found = match self {
            Self::Id(id) => {
                let fd = open(*id).map_err(|error| self.failed(error))?.ok_or_else(|| self.missing())?;
                Found::new(fd, 1, None)?
            }
            Self::Pin(path) => self.by_pin(path, Access::Read)?,
            Self::Name(name) => return self.by_name(name, writer),
            Self::Interface { interface, map } => return self.by_interface(interface, map.as_deref()),
        };
        found.program = writer.choose(&[found.info.id]).and_then(|(_, program)| program);
        Ok(found)
    }

    /// The same with the right to take entries out, by pin or interface.
    pub(crate) fn find_to_take(&self) -> Result<Found, ReadError> {
        if let Self::Pin(path) = self {
            return self.by_pin(path, Access::Take);
        }
        let found = self.find(&Writer::default())?;
        let fd = gone(sys::open_map(found.info.id, Access::Take)).map_err(|error| self.failed(error))?;
        Ok(Found { fd: fd.ok_or_else(|| self.missing())?, ..found })
    }

    fn by_pin(&self, path: &Path, access: Access) -> Result<Found, ReadError> {
        let fd = sys::open_pin(path, access).map_err(|source| match source.raw_os_error() {
            Some(libc::ENOENT) => self.missing(),
            _ => ReadError::Pin { path: path.to_owned(), access, source },
        })?;
        if !is_map(fd.as_fd()) {
            return Err(ReadError::NoMap { path: path.to_owned() });
        }
        Found::new(fd, 1, None)
    }

    fn by_name(&self, name: &str, writer: &Writer) -> Result<Found, ReadError> {
        // Numbers, not open files: there may be more maps of a name than files that a process may open.
        let mut matches = Vec::new();
        let keep = |info: &bpf_map_info| {
            if is_named(info, name) {
                matches.push(info.id);
            }
        };
        each_map(keep).map_err(|error| self.failed(error))?;
        let (id, program) = writer.choose(&matches).ok_or_else(|| self.missing())?;
        let fd = open(id).map_err(|error| self.failed(error))?.ok_or_else(|| self.missing())?;
        Found::new(fd, matches.len(), program)
    }

    fn by_interface(&self, interface: &str, map: Option<&str>) -> Result<Found, ReadError> {
        let attached = interface::attached_to(interface).map_err(|source| match source.raw_os_error() {
            Some(libc::ENODEV) => ReadError::Interface { interface: interface.to_owned(), source },
            _ => self.failed(source),
        })?;
        let attached = attached.ok_or_else(|| ReadError::NoProgram { interface: interface.to_owned() })?;
        let program = open_program(&attached).map_err(|error| self.failed(error))?.ok_or_else(|| self.missing())?;
        let mut matches = Vec::new();
        let mut names = Vec::new();
        for id in &program.2 {
            let Some(fd) = open(*id).map_err(|error| self.failed(error))? else { continue };
            let info = sys::map_info(fd.as_fd()).map_err(|error| self.failed(error))?;
            names.push(name(&info));
            let can_count = || MapKind(info.type_).is_readable() && !is_of_variables(&name(&info));
            let is_meant = map.map_or_else(can_count, |map| is_named(&info, map));
            if is_meant {
                let is_preferred = map.is_none() && is_protocol_map(&facts(&info), Some(&program.1));
                matches.push((fd, is_preferred));
            }
        }
        if matches.iter().any(|(_, is_preferred)| *is_preferred) {
            matches.retain(|(_, is_preferred)| *is_preferred);
        }
        let candidates = matches.len();
        match (matches.pop(), candidates) {
            (Some((fd, _)), 1) => Found::new(fd, 1, Some(program.1)),
            (None, _) => Err(ReadError::Missing { wanted: self.clone(), existing: names }),
            _ => Err(ReadError::Several { interface: interface.to_owned(), names }),
        }
    }

    /// With the maps that there are, where they can be listed.
    fn missing(&self) -> ReadError {
        let mut existing = Vec::new();
        // Those up to where they can be seen.
        let _ = each_map(|info| existing.push(name(info)));
        existing.sort_unstable();
        existing.dedup();
        existing.truncate(MAX_NAMES);
        ReadError::Missing { wanted: self.clone(), existing }
    }

    fn failed(&self, error: io::Error) -> ReadError {
        ReadError::from_kernel(format!("looking for {self}"), error)
    }
}

impl Found {
    fn new(fd: OwnedFd, candidates: usize, program: Option<ProgramFacts>) -> Result<Self, ReadError> {
        let info = sys::map_info(fd.as_fd()).map_err(|source| ReadError::from_kernel("asking for a map", source))?;
        Ok(Self { fd, info, program, candidates })
    }
}

/// Whether what is open is a map: information about something else would be read as that of one.
fn is_map(fd: BorrowedFd<'_>) -> bool {
    let kind = fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
    kind.map_or(true, |kind| kind.to_string_lossy().ends_with("bpf-map"))
}

pub(crate) fn facts(info: &bpf_map_info) -> MapFacts {
    MapFacts {
        id: info.id,
        name: name(info),
        kind: MapKind(info.type_),
        key_size: info.key_size,
        value_size: info.value_size,
        max_entries: info.max_entries,
    }
}

/// Asks for a program and its maps; `None` when it is gone.
pub(crate) fn open_program(attached: &Attached) -> io::Result<Option<Program>> {
    let Some(fd) = gone(sys::open_id(Object::Program, attached.program))? else { return Ok(None) };
    let (info, maps) = sys::program_info(fd.as_fd())?;
    Ok(Some((attached.clone(), program_facts(&info), maps)))
}

pub(crate) fn program_facts(info: &bpf_prog_info) -> ProgramFacts {
    let run = ProgramRun { time: Duration::from_nanos(info.run_time_ns), count: info.run_cnt };
    ProgramFacts { id: info.id, name: text(&info.name), tag: info.tag, run }
}

/// Looks at all maps of the system that can be opened, the oldest first.
pub(crate) fn each_map(mut look: impl FnMut(&bpf_map_info)) -> io::Result<()> {
    let look = |id| {
        let fd = sys::open_map(id, Access::Read)?;
        look(&sys::map_info(fd.as_fd())?);
        Ok(())
    };
    each(|last| sys::next_id(Object::Map, last), look)
}

/// Looks at all that have numbers. One that cannot be looked at is left out: a security module may keep it from us, or it went
/// away meanwhile. Where that is so of all of them, something else is wrong.
fn each(
    mut next: impl FnMut(u32) -> io::Result<Option<u32>>,
    mut look: impl FnMut(u32) -> io::Result<()>,
) -> io::Result<()> {
    let (mut last, mut is_any_seen, mut refused) = (0, false, None);
    while let Some(id) = next(last)? {
        last = id;
        match look(id) {
            Ok(()) => is_any_seen = true,
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {}
            Err(error) => refused = Some(error),
        }
    }
    match refused {
        Some(error) if !is_any_seen => Err(error),
        _ => Ok(()),
    }
}

fn open(id: u32) -> io::Result<Option<OwnedFd>> {
    gone(sys::open_map(id, Access::Read))
}

fn gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(None),
        result => result.map(Some),
    }
}

fn is_named(info: &bpf_map_info, wanted: &str) -> bool {
    let wanted = wanted.as_bytes();
    name(info).as_bytes() == &wanted[..wanted.len().min(NAME_LEN)]
}

fn name(info: &bpf_map_info) -> String {
    text(&info.name)
}

/// Whether this is an array that compilers and loaders make for the variables of an object. It has the name of their section, of
/// the object too perhaps; the name of a map that somebody wrote has no dot.
fn is_of_variables(name: &str) -> bool {
    let section = name.find('.').map_or("", |dot| &name[dot..]);
    [".rodata", ".data", ".bss", ".kconfig"].iter().any(|variables| section.starts_with(variables))
}

/// Up to the zero.
pub(crate) fn text(name: &[std::ffi::c_char]) -> String {
    let bytes: Vec<u8> = name.iter().map(|byte| byte.cast_unsigned()).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Goes over maps 1, 2, … that answer with these errors, 0 for none; what was seen.
    fn scan(errors: &[i32]) -> (Result<(), Option<i32>>, Vec<u32>) {
        let mut seen = Vec::new();
        let look = |id: u32| match errors[id as usize - 1] {
            0 => {
                seen.push(id);
                Ok(())
            }
            error => Err(io::Error::from_raw_os_error(error)),
        };
        let end = errors.len() as u32;
        let result = each(|last| Ok((last < end).then_some(last + 1)), look);
        (result.map_err(|error| error.raw_os_error()), seen)
    }

    #[test]
    fn maps_that_cannot_be_opened_are_left_out() {
        assert_eq!(scan(&[0, libc::EACCES, 0, libc::ENOENT, libc::EPERM, 0]), (Ok(()), vec![1, 3, 6]));
        assert_eq!(scan(&[]), (Ok(()), vec![]));
        assert_eq!(scan(&[libc::ENOENT]), (Ok(()), vec![]), "what went away is no error");
    }

    #[test]
    fn maps_of_variables_are_known_by_their_names() {
        for name in ["xdp_disp.rodata", ".bss", "counters.data", ".rodata.str1.1", "filter.kconfig"] {
            assert!(is_of_variables(name), "{name}");
        }
        for name in ["", "xdp_stats_map", "data", "rodata_map", "a.counters"] {
            assert!(!is_of_variables(name), "{name}");
        }
    }

    #[test]
    fn where_no_map_can_be_opened_it_is_an_error() {
        let (result, seen) = scan(&[libc::EPERM, libc::ENOENT, libc::EPERM]);
        assert_eq!((result, seen), (Err(Some(libc::EPERM)), vec![]));
        let error = ReadError::from_kernel("looking for map a", io::Error::from_raw_os_error(libc::EPERM));
        assert!(error.to_string().contains("CAP_SYS_ADMIN"), "{error}");
        let refused = each(|_| Err(io::Error::from_raw_os_error(libc::EPERM)), |_| Ok(()));
        assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EPERM));
    }
}
