//! What keeps our program on an interface when nobody runs: a directory with its maps and its link.

use std::fs;
use std::io;
use std::iter;
use std::os::fd::AsFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use aya::pin::PinError;
use aya::programs::links::{FdLink, LinkInfo, LinkType, PinnedLink};
use rustix::fs::statfs;

use super::attach::{AttachError, os_error};
use super::drain::{Left, left};
use super::holder::{Holder, holder};
use super::{FLOW_MAPS, MAPS, PROGRAM_NAME, STATS_MAP, TURN_MAP};
use crate::list::bpf_file_systems;
use crate::select::program_facts;
use crate::sys::{self, Access, Object};

/// The name of the link's pin. Those of maps are named as the maps are.
pub(super) const LINK: &str = "link";

/// `BPF_FS_MAGIC`
const BPF_FILE_SYSTEM: u64 = 0xcafe_4a11;

/// How far below a BPF file system's root pins are looked for.
const MAX_DEPTH: usize = 4;

/// Pins that go again when it is dropped before all are made.
#[derive(Debug)]
pub(super) struct Pins {
    directory: PathBuf,
    group: Option<u32>,
    made: Vec<PathBuf>,
    /// The outermost first.
    made_directories: Vec<PathBuf>,
}

impl Pins {
    /// `group` is to be able to use them.
    pub(super) fn new(directory: &Path, group: Option<u32>) -> Result<Self, AttachError> {
        let failed = |source| AttachError::Pin { path: directory.to_owned(), source };
        if directory.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        }
        let existing = directory.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("."));
        if statfs(existing).map_err(|error| failed(error.into()))?.f_type as u64 != BPF_FILE_SYSTEM {
            return Err(AttachError::NotBpf { directory: directory.to_owned() });
        }
        let mut names = iter::once(LINK).chain(MAPS).map(|name| directory.join(name));
        if let Some(path) = names.find(|path| path.exists()) {
            return Err(AttachError::Pinned { path });
        }
        let mut pins = Self { directory: directory.to_owned(), group, made: Vec::new(), made_directories: Vec::new() };
        let is_missing = |ancestor: &&Path| !ancestor.as_os_str().is_empty() && !ancestor.exists();
        let missing: Vec<_> = directory.ancestors().take_while(is_missing).collect();
        for directory in missing.into_iter().rev() {
            pins.make_directory(directory)?;
        }
        Ok(pins)
    }

    fn make_directory(&mut self, path: &Path) -> Result<(), AttachError> {
        match fs::create_dir(path) {
            // Somebody else was faster, for another interface for instance, and gives it to a group if need be.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
            made => made.map_err(|source| AttachError::Pin { path: path.to_owned(), source })?,
        }
        self.made_directories.push(path.to_owned());
        self.give(path, 0o750)
    }

    fn give(&self, path: &Path, mode: u32) -> Result<(), AttachError> {
        let Some(group) = self.group else { return Ok(()) };
        let given =
            chown(path, None, Some(group)).and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)));
        given.map_err(|source| AttachError::Group { path: path.to_owned(), group, source })
    }

    pub(super) fn add(
        &mut self,
        name: &str,
        pin: impl FnOnce(&Path) -> Result<(), PinError>,
    ) -> Result<(), AttachError> {
        let path = self.directory.join(name);
        if let Err(error) = pin(&path) {
            let source = os_error(&error).map_or_else(|| io::Error::other(error), io::Error::from_raw_os_error);
            return Err(AttachError::Pin { path, source });
        }
        self.made.push(path.clone());
        match name {
            // Who may write to it may take the program away.
            LINK => Ok(()),
            // To take flows out is to write.
            name if FLOW_MAPS.contains(&name) || name == TURN_MAP => self.give(&path, 0o660),
            _ => self.give(&path, 0o640),
        }
    }

    /// All are made, and stay.
    pub(super) fn keep(mut self) -> Vec<PathBuf> {
        self.made_directories.clear();
        std::mem::take(&mut self.made)
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        for path in &self.made {
            let _ = fs::remove_file(path);
        }
        for directory in self.made_directories.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Why a program is still on an interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DetachError {
    /// There is no such interface.
    #[error("there is no interface {interface:?}")]
    NoInterface {
        /// Its name.
        interface: String,
    },
    /// There is nothing to take away.
    #[error("{interface} has no XDP program")]
    NoProgram {
        /// The interface.
        interface: String,
    },
    /// It is not pinned as [`attach`](super::attach) does: another program, or one of ours that goes with its process.
    #[error("{interface} has {holder}, which no directory that can be read has pinned: end the process that holds it")]
    NotPinned {
        /// The interface.
        interface: String,
        /// The program there.
        holder: Holder,
    },
    /// The directory has no pins of ours.
    #[error("{} has no link of an XDP program with its counters", .directory.display())]
    NoPins {
        /// The directory.
        directory: PathBuf,
    },
    /// Pins cannot be opened or removed.
    #[error("cannot take away {}", .path.display())]
    Io {
        /// What was not removed.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
}

/// Takes our program from its interface, and its maps with it, by the directory they are pinned in; which flows go with them
/// that nobody took out. `None` where it keeps none, or where they cannot be read.
///
/// # Errors
///
/// When that holds no pins of [`attach`](super::attach), or may not be written.
pub fn detach_pinned(directory: &Path) -> Result<Option<Left>, DetachError> {
    let failed = |path: &Path, source| DetachError::Io { path: path.to_owned(), source };
    let map = directory.join(STATS_MAP);
    if !map.try_exists().map_err(|source| failed(&map, source))? {
        return Err(DetachError::NoPins { directory: directory.to_owned() });
    }
    let link = pinned(directory).map_err(|source| failed(directory, source))?;
    if link.is_none() {
        return Err(DetachError::NoPins { directory: directory.to_owned() });
    }
    // Without its last pin a link would end too, but not before everybody who holds it, to list it for instance, lets go.
    let link = directory.join(LINK);
    sys::detach_link(&link).map_err(|source| failed(&link, source))?;
    let left = left(|name| sys::open_pin(&directory.join(name), Access::Read).ok());
    for path in iter::once(LINK).chain(MAPS).map(|name| directory.join(name)) {
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => return Err(failed(&path, source)),
            _ => {}
        }
    }
    // It may hold what others pinned.
    let _ = fs::remove_dir(directory);
    Ok(left)
}

/// The same by the interface: the pins are looked for in all BPF file systems.
///
/// # Errors
///
/// When the interface has no program, or one whose pins are not found: nothing of others is taken away.
pub fn detach_interface(interface: &str) -> Result<Option<Left>, DetachError> {
    let owned = || interface.to_owned();
    let found = holder(interface).map_err(|_| DetachError::NoInterface { interface: owned() })?;
    let holder = found.ok_or_else(|| DetachError::NoProgram { interface: owned() })?;
    match bpf_file_systems().into_iter().find_map(|root| directory_of(&root, holder.id, MAX_DEPTH)) {
        Some(directory) => detach_pinned(&directory),
        None => Err(DetachError::NotPinned { interface: owned(), holder }),
    }
}

/// The directory that has our pins of a program.
fn directory_of(directory: &Path, program: u32, depth: usize) -> Option<PathBuf> {
    let is_ours = directory.join(STATS_MAP).exists()
        && pinned(directory).is_ok_and(|link| link.is_some_and(|link| link.program_id() == program));
    if is_ours {
        return Some(directory.to_owned());
    }
    let below = fs::read_dir(directory).ok().filter(|_| depth > 0)?;
    let below = below.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    below.map(|entry| entry.path()).find_map(|below| directory_of(&below, program, depth - 1))
}

/// The link of XDP that is pinned in a directory.
fn pinned(directory: &Path) -> io::Result<Option<LinkInfo>> {
    let path = directory.join(LINK);
    if !path.exists() {
        return Ok(None);
    }
    let link = PinnedLink::from_pin(path).map_err(io::Error::other)?;
    let info = FdLink::from(link).info().map_err(io::Error::other)?;
    let is_xdp = info.link_type().is_ok_and(|kind| kind == LinkType::Xdp);
    Ok((is_xdp && is_ours(info.program_id())).then_some(info))
}

/// Whether a program has our name, as far as this process may know: others use these names of pins too.
fn is_ours(program: u32) -> bool {
    let facts = sys::open_id(Object::Program, program).and_then(|program| sys::program_info(program.as_fd()));
    facts.map_or(true, |(info, _)| program_facts(&info).name == PROGRAM_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_go_to_bpf_file_systems_only() {
        let directory = std::env::temp_dir().join("xdp-counters-no-pins/here");
        let error = Pins::new(&directory, None).unwrap_err();
        assert!(matches!(error, AttachError::NotBpf { .. }), "{error}");
        assert!(!directory.exists(), "nothing is made");
        let error = Pins::new(Path::new("/a\0b"), None).unwrap_err();
        assert!(matches!(error, AttachError::Pin { .. }), "{error}");
    }

    #[test]
    fn nothing_is_detached_where_nothing_is() {
        let error = detach_pinned(&std::env::temp_dir()).unwrap_err();
        assert!(matches!(error, DetachError::NoPins { .. }), "{error}");
        let error = detach_interface("no-such-if").unwrap_err();
        assert_eq!(error.to_string(), "there is no interface \"no-such-if\"");
    }
}
