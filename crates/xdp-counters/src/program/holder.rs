//! Which program an interface has.

use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use crate::interface;
use crate::select::open_program;

/// The program that an interface has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub id: u32,
    /// Its name, where this process may know it: that takes `CAP_SYS_ADMIN`.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "program {}", self.id)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// The program of an interface of this network namespace, if it has one.
///
/// # Errors
///
/// When there is no such interface.
pub(super) fn holder(interface: &str) -> io::Result<Option<Holder>> {
    let attached = interface::attached_to(interface)?;
    let holder = |attached| {
        let opened = open_program(&attached).ok().flatten();
        let name = opened.map(|(_, program, _)| program.name).filter(|name| !name.is_empty());
        Holder { id: attached.program, name }
    };
    Ok(attached.map(holder))
}

/// Waits until no interface has the program, whose link ends when everybody who holds it, to list it for instance, lets go.
pub(super) fn wait_until_gone(program: u32) {
    const PATIENCE: Duration = Duration::from_secs(1);
    let deadline = Instant::now() + PATIENCE;
    let is_there = || interface::attached().is_ok_and(|attached| attached.iter().any(|one| one.program == program));
    while Instant::now() < deadline && is_there() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        assert_eq!(holder("no-such-if").unwrap_err().raw_os_error(), Some(libc::ENODEV));
        holder("lo").unwrap();
    }
}
