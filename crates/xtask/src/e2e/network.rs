//! Network namespaces that the tests make.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use anyhow::{Context, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Does something in the network namespace of that file. A thread enters it and ends with it; a socket stays where its thread was
/// when it was made.
///
/// # Errors
///
/// When it cannot be entered, and those of `work`.
pub(super) fn within<T: Send>(namespace: &Path, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    let entered = || {
        let file = File::open(namespace).context("open the network namespace")?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))
            .context("enter the network namespace")?;
        work()
    };
    std::thread::scope(|scope| scope.spawn(entered).join()).map_err(|_| anyhow!("the thread panicked"))?
}
