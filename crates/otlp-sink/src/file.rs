//! The file output: appends whole lines, renames the file when it is large or old, follows it when others move it.

mod ending;
mod names;

use std::borrow::Cow;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tracing::{info, warn};

use crate::config::{FileCompression, FileConfig};
use crate::occasionally::Occasionally;
use ending::{Ending, ending};
use names::Names;

/// A file that lines are added to. No line is in two files, and none is written twice.
pub(crate) struct FileWriter {
    config: FileConfig,
    names: Names,
    current: Current,
    encoder: Option<zstd::bulk::Compressor<'static>>,
    /// What does not lose a line: the file cannot be renamed, or a new one begun.
    trouble: Occasionally,
}

/// The file that is written to.
struct Current {
    file: File,
    /// Pipes and devices are only written to.
    is_regular: bool,
    /// When its first line was written, as far as that is known.
    begun: SystemTime,
    /// Its length before a write that failed half-way and could not be taken back.
    torn: Option<u64>,
}

impl FileWriter {
    /// Opens the file, or makes it. One that others left in a state that cannot be appended to is renamed.
    pub(crate) fn open(config: FileConfig, now: SystemTime) -> io::Result<Self> {
        let names = Names::new(&config.path);
        let encoder = match config.compression {
            FileCompression::None => None,
            FileCompression::Zstd => {
                let mut encoder = zstd::bulk::Compressor::new(LEVEL)?;
                encoder.include_checksum(true)?;
                Some(encoder)
            }
        };
        let current = Current::open(&config, &names, now)?;
        let writer = Self { config, names, current, encoder, trouble: Occasionally::default() };
        if writer.current.is_regular {
            writer.delete_old();
        }
        Ok(writer)
    }

    /// Adds a line, with its end, at the time `now`.
    ///
    /// # Errors
    ///
    /// The line is not in the file, and the next one may be: a full disk, a file removed from outside where no new one can
    /// be made.
    pub(crate) fn write(&mut self, line: &[u8], now: SystemTime) -> io::Result<()> {
        let bytes = match &mut self.encoder {
            None => Cow::Borrowed(line),
            Some(encoder) => Cow::Owned(encoder.compress(line)?),
        };
        if self.current.is_regular && self.follow(now)? {
            let len = self.current.file.metadata()?.len();
            if self.is_due(len, bytes.len() as u64, now) {
                match self.rotate(now) {
                    Ok(()) => drop(self.trouble.reset()),
                    Err(error) => self.warn(&error, "cannot begin a new file, going on with the old one"),
                }
            }
        }
        self.current.append(&bytes, now)
    }

    /// Opens the file anew where it is no longer the one at its path; `false` where that cannot be and the old one, moved
    /// but still there, has to do.
    fn follow(&mut self, now: SystemTime) -> io::Result<bool> {
        let metadata = self.current.file.metadata()?;
        if fs::metadata(&self.config.path).is_ok_and(|there| is_same(&there, &metadata)) {
            return Ok(true);
        }
        match Current::open(&self.config, &self.names, now) {
            Ok(current) => {
                info!(path = %self.config.path.display(), "the file was moved or removed, began a new one");
                self.current = current;
                self.trouble.reset();
                Ok(true)
            }
            Err(error) if has_name(&metadata) => {
                self.warn(&error, "the file was moved and no new one can be made, going on with the old one");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    fn is_due(&mut self, len: u64, more: u64, now: SystemTime) -> bool {
        if len == 0 {
            return false;
        }
        // A clock that was set back would otherwise stop the file from ageing.
        self.current.begun = self.current.begun.min(now);
        let age = now.duration_since(self.current.begun).unwrap_or_default();
        self.config.max_bytes.is_some_and(|max| len.saturating_add(more) > max.get())
            || self.config.max_age.is_some_and(|max| age >= max)
    }

    /// Renames the file and begins a new one. After an error the old one is still written to, whatever its name.
    fn rotate(&mut self, now: SystemTime) -> io::Result<()> {
        move_aside(&self.config, &self.names, now)?;
        self.current = Current::open(&self.config, &self.names, now)?;
        self.delete_old();
        Ok(())
    }

    /// Deletes the oldest of the renamed files beyond the limit.
    fn delete_old(&self) {
        let Some(max_files) = self.config.max_files else { return };
        let delete = |path: &Path| match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        let deleted = self.names.list().and_then(|files| {
            let beyond = files.len().saturating_sub(max_files.get());
            // One that cannot be deleted does not keep the others.
            files[..beyond].iter().map(|file| delete(&file.path)).fold(Ok(()), Result::and)
        });
        if let Err(error) = deleted {
            self.warn(&error, "cannot delete old files");
        }
    }

    fn warn(&self, error: &io::Error, what: &'static str) {
        if let Some(repeats) = self.trouble.permit() {
            warn!(path = %self.config.path.display(), %error, repeats, "{what}");
        }
    }
}

impl Current {
    fn open(config: &FileConfig, names: &Names, now: SystemTime) -> io::Result<Self> {
        let mut file = append_to(config)?;
        let mut metadata = file.metadata()?;
        if metadata.is_file() && metadata.len() > 0 {
            // Reading is another right than writing: a file that may only be written to is taken as it is.
            let ending = File::open(&config.path).and_then(|mut file| ending(&mut file, config.compression));
            match ending {
                Ok(Ending::OpenLine) => file.write_all(b"\n")?,
                Ok(Ending::Unfit) => {
                    let path = move_aside(config, names, now)?;
                    warn!(path = %path.display(), "renamed a file that cannot be appended to");
                    file = append_to(config)?;
                    metadata = file.metadata()?;
                }
                Ok(Ending::Whole) | Err(_) => {}
            }
        }
        let begun = metadata.created().or_else(|_| metadata.modified()).unwrap_or(now);
        Ok(Self { file, is_regular: metadata.is_file(), begun, torn: None })
    }

    /// Writes in one call, so that a reader sees whole lines, and takes back what a call that failed has written.
    fn append(&mut self, bytes: &[u8], now: SystemTime) -> io::Result<()> {
        if !self.is_regular {
            self.file.write_all(bytes)?;
            return self.file.flush();
        }
        if let Some(len) = self.torn {
            self.file.set_len(len)?;
            self.torn = None;
        }
        let len = self.file.metadata()?.len();
        if len == 0 {
            self.begun = now;
        }
        self.file.write_all(bytes).inspect_err(|_| {
            let end = self.file.metadata().map_or(len, |metadata| metadata.len());
            // More is there than was to be written where somebody else writes, too.
            if end > len && end - len < bytes.len() as u64 {
                self.torn = self.file.set_len(len).is_err().then_some(len);
            }
        })
    }
}

fn append_to(config: &FileConfig) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(&config.path)
}

/// Renames the file; returns its name now.
fn move_aside(config: &FileConfig, names: &Names, now: SystemTime) -> io::Result<PathBuf> {
    let path = names.reserve(&names.list()?, now)?;
    match fs::rename(&config.path, &path) {
        Ok(()) => Ok(path),
        Err(error) => {
            // Empty, and made a moment ago.
            let _ = fs::remove_file(&path);
            Err(error)
        }
    }
}

/// Whether both are of one file.
#[cfg(unix)]
fn is_same(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

/// Whether a file that is open is still in some folder.
#[cfg(unix)]
fn has_name(metadata: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::nlink(metadata) > 0
}

#[cfg(not(unix))]
fn is_same(a: &Metadata, _: &Metadata) -> bool {
    a.is_file()
}

#[cfg(not(unix))]
fn has_name(_: &Metadata) -> bool {
    true
}

/// Of zstd: a second thread would be needed to keep up with the making of JSON at higher ones.
const LEVEL: i32 = 1;

#[cfg(test)]
mod tests;
