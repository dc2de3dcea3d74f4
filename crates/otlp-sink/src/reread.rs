//! What is made of files that change while the program runs.

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use tracing::{info, warn};

/// Something made of files, made anew when they have changed. Files that cannot be used then leave what was before in force.
#[derive(Debug)]
pub struct Reread<T> {
    what: &'static str,
    files: Vec<PathBuf>,
    current: Mutex<Loaded<T>>,
}

/// What was made of the files, and what they looked like then.
#[derive(Debug)]
struct Loaded<T> {
    value: T,
    stamps: Vec<Stamp>,
}

/// Time of change and length of a file; `None` where there is none to see.
type Stamp = Option<(SystemTime, u64)>;

impl<T: Clone> Reread<T> {
    /// Made by `load` of these files. `what` is what the log calls them: `certificates`.
    ///
    /// # Errors
    ///
    /// That of `load`.
    pub fn new<E>(what: &'static str, files: Vec<PathBuf>, load: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        // Before they are read: a change in between is then seen.
        let stamps = stamps(&files);
        let value = load()?;
        Ok(Self { what, files, current: Mutex::new(Loaded { value, stamps }) })
    }

    /// As the files have it now, by the same `load`.
    pub fn get<E: Display>(&self, load: impl FnOnce() -> Result<T, E>) -> T {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = stamps(&self.files);
        if stamps != current.stamps {
            match load() {
                Ok(value) => {
                    info!("{} have changed and are used from now on", self.what);
                    current.value = value;
                }
                Err(error) => {
                    warn!(%error, "{} have changed and cannot be used, going on with those before", self.what);
                }
            }
            current.stamps = stamps;
        }
        current.value.clone()
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files.iter().map(|path| stamp(path)).collect()
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
