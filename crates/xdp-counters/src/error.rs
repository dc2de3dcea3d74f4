//! Why counters could not be read.

use std::io;
use std::path::PathBuf;

use crate::reading::MapKind;
use crate::select::Selector;
use crate::sys::Access;

/// Why counters could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no such map, now.
    #[error("there is no {wanted}{}", listed(existing))]
    Missing {
        /// What was asked for.
        wanted: Selector,
        /// Names of the maps that there are, as far as they can be seen.
        existing: Vec<String>,
    },
    /// There is no such interface.
    #[error("there is no interface {interface}")]
    Interface {
        /// What was asked for.
        interface: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// The interface has no XDP program, now.
    #[error("{interface} has no XDP program")]
    NoProgram {
        /// The interface.
        interface: String,
    },
    /// The program on the interface has several maps.
    #[error("the program on {interface} has several maps, name one of them{}", listed(names))]
    Several {
        /// The interface.
        interface: String,
        /// Names of its maps.
        names: Vec<String>,
    },
    /// The kernel shows maps by number and by name to who has a capability.
    #[error("{doing} takes the capability CAP_SYS_ADMIN; reading a map that is pinned to a file takes none")]
    Capability {
        /// What was tried.
        doing: String,
    },
    /// A pinned map cannot be opened.
    #[error("cannot open {}; {}", path.display(), what_a_pin_takes(source, *access))]
    Pin {
        /// The file.
        path: PathBuf,
        /// What for.
        access: Access,
        /// What the kernel says.
        source: io::Error,
    },
    /// What is pinned is a program or a link.
    #[error("{} is not a map", path.display())]
    NoMap {
        /// The file.
        path: PathBuf,
    },
    /// The map holds something else than counters.
    #[error("map {name} of type {kind} holds no counters; hash tables and arrays do, those per CPU among them")]
    Kind {
        /// The map.
        name: String,
        /// Its type.
        kind: MapKind,
    },
    /// It is not known where packets and bytes are in a value.
    #[error(
        "values of map {name} have {value_size} bytes, and nothing says where packets and bytes are: give a layout"
    )]
    Layout {
        /// The map.
        name: String,
        /// Length of a value, in bytes.
        value_size: u32,
    },
    /// The map holds something else than flows of our program.
    #[error("map {name} holds no flows: those of `xdp attach --flows` are in a map xdp_flows")]
    NoFlows {
        /// The map.
        name: String,
    },
    /// The kernel does not do it.
    #[error("{doing}")]
    Kernel {
        /// What was tried.
        doing: String,
        /// What the kernel says.
        source: io::Error,
    },
}

impl ReadError {
    /// Whether the map may come later: there is none now.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing { .. } | Self::Interface { .. } | Self::NoProgram { .. })
    }

    pub(crate) fn from_kernel(doing: impl Into<String>, source: io::Error) -> Self {
        let doing = doing.into();
        match source.raw_os_error() {
            Some(libc::EPERM) => Self::Capability { doing },
            _ => Self::Kernel { doing, source },
        }
    }
}

/// The file system refuses with `EACCES`, bpf(2) itself with `EPERM`.
fn what_a_pin_takes(source: &io::Error, access: Access) -> &'static str {
    match (source.raw_os_error(), access) {
        (Some(libc::EPERM), _) => {
            "before Linux 5.19 it takes the capability CAP_BPF (CAP_SYS_ADMIN before 5.8) where \
             kernel.unprivileged_bpf_disabled is not 0; else a filter of system calls may be without bpf"
        }
        (_, Access::Read) => "the file must be readable, and its directories be entered (mode, owner, SELinux)",
        (_, Access::Take) => {
            "the file must be writable, as flows are taken out, and its directories be entered (mode, owner, SELinux)"
        }
    }
}

fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        names => format!("; there are {}", names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")),
    }
}

fn shown(name: &str) -> &str {
    if name.is_empty() { "one without a name" } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_says_what_it_takes() {
        let said = |error, access| {
            let source = io::Error::from_raw_os_error(error);
            ReadError::Pin { path: PathBuf::from("/sys/fs/bpf/map"), access, source }.to_string()
        };
        for access in [Access::Read, Access::Take] {
            let old = said(libc::EPERM, access);
            assert!(
                old.starts_with("cannot open /sys/fs/bpf/map; before Linux 5.19 it takes the capability CAP_BPF"),
                "{old}"
            );
            assert!(!old.contains("mode, owner"), "{old}");
        }
        let closed = "be entered (mode, owner, SELinux)";
        assert_eq!(
            said(libc::EACCES, Access::Read),
            format!("cannot open /sys/fs/bpf/map; the file must be readable, and its directories {closed}")
        );
        assert!(
            said(libc::EACCES, Access::Take).contains("must be writable, as flows are taken out, and its directories")
        );
    }
}
