//! The state in a file, so that a restart forgets nothing.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flow_state::State;
use tracing::{info, warn};

use crate::pipeline::now;

/// Where the state of a collector is kept while it does not run.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    state: Arc<State>,
    /// The last attempt to write failed: it has been told.
    failing: bool,
    /// The file could not be used, nor set aside yet: it is not written over.
    in_the_way: bool,
}

impl StateFile {
    /// Takes in what the file holds. Whatever is wrong with it, the collector starts; it learns as without a file then,
    /// and the file is kept under another name.
    pub(crate) fn load(path: PathBuf, state: Arc<State>) -> Self {
        let mut file = Self { path, state, failing: false, in_the_way: false };
        match fs::read(&file.path) {
            Ok(snapshot) => match file.state.restore(&snapshot, now()) {
                Ok(restored) => info!(
                    path = %file.path.display(),
                    domains = restored.domains,
                    templates = restored.templates,
                    refused = restored.refused,
                    "took up the state of the last run"
                ),
                Err(error) => file.give_up(&error),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => file.give_up(&error),
        }
        file
    }

    fn give_up(&mut self, error: &dyn Display) {
        let (path, aside) = (self.path.display(), beside(&self.path, ".damaged"));
        match set_aside(&self.path) {
            Ok(()) => warn!(
                %path,
                %error,
                aside = %aside.display(),
                "cannot use the state file, starting without; it was renamed and will be written anew"
            ),
            Err(reason) => {
                self.in_the_way = true;
                warn!(
                    %path,
                    %error,
                    aside = %aside.display(),
                    %reason,
                    "cannot use the state file, starting without; it cannot be renamed and is not written until it can"
                );
            }
        }
    }

    /// Writes the state. What fails is told once, until it works again.
    pub(crate) fn save(&mut self) {
        let saved = self.make_way().and_then(|()| replace(&self.path, &self.state.snapshot()));
        match &saved {
            Ok(()) if self.failing => info!(path = %self.path.display(), "the state file is written again"),
            Err(error) if !self.failing => {
                warn!(path = %self.path.display(), %error, "cannot write the state file, trying again every minute");
            }
            _ => {}
        }
        self.failing = saved.is_err();
    }

    fn make_way(&mut self) -> io::Result<()> {
        if self.in_the_way {
            set_aside(&self.path)?;
            self.in_the_way = false;
        }
        Ok(())
    }
}

/// The file of this name and ending in the same folder.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Gives a file, if it is still there, the name `NAME.damaged`, in place of an earlier one. Folders and devices stay.
fn set_aside(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => fs::rename(path, beside(path, ".damaged")),
        Ok(_) => Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file")),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Puts a whole new file in place of the old one: whoever reads it, after a crash too, finds the one or the other.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
        return written;
    }
    // The name is in the folder, which some systems cannot open.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).or(Ok(()))
}

#[cfg(test)]
mod tests {
    use flow_state::StateConfig;

    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        assert!(replace(&folder.path().join("missing/state"), b"three").is_err());
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(replace(&folder.path().join("folder"), b"four").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_no_obstacle_and_not_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = Arc::new(State::new(StateConfig::default()));
        for text in ["anything", "anything else"] {
            fs::write(&path, text).unwrap();
            StateFile::load(path.clone(), state.clone()).save();
            assert_eq!(state.memory(), 0);
            assert!(state.restore(&fs::read(&path).unwrap(), now()).is_ok(), "it is a snapshot now");
            assert_eq!(fs::read_to_string(folder.path().join("state.damaged")).unwrap(), text);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        }
        // One that can be used stays where it is.
        StateFile::load(path, state).save();
        assert_eq!(fs::read_to_string(folder.path().join("state.damaged")).unwrap(), "anything else");
    }

    #[test]
    fn what_cannot_be_set_aside_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let state = Arc::new(State::new(StateConfig::default()));
        fs::write(&path, "anything").unwrap();
        fs::create_dir(folder.path().join("state.damaged")).unwrap();
        let mut file = StateFile::load(path.clone(), state.clone());
        file.save();
        assert_eq!(fs::read_to_string(&path).unwrap(), "anything");
        fs::remove_dir(folder.path().join("state.damaged")).unwrap();
        file.save();
        assert_eq!(fs::read_to_string(folder.path().join("state.damaged")).unwrap(), "anything");
        assert!(state.restore(&fs::read(&path).unwrap(), now()).is_ok());
        // A folder cannot be read, and stays a folder.
        let inside = folder.path().join("folder");
        fs::create_dir(&inside).unwrap();
        StateFile::load(inside.clone(), state).save();
        assert!(inside.is_dir() && !folder.path().join("folder.damaged").exists());
    }
}
