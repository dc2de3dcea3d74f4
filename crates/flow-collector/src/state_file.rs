//! The state in a file, so that a restart forgets nothing.

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
}

impl StateFile {
    /// Takes in what the file holds. Whatever is wrong with it, the collector starts; it learns as without a file then.
    pub(crate) fn load(path: PathBuf, state: Arc<State>) -> Self {
        match fs::read(&path) {
            Ok(snapshot) => match state.restore(&snapshot, now()) {
                Ok(restored) => info!(
                    path = %path.display(),
                    domains = restored.domains,
                    templates = restored.templates,
                    refused = restored.refused,
                    "took up the state of the last run"
                ),
                Err(error) => warn!(
                    path = %path.display(),
                    %error,
                    "cannot use the state file, starting without; it will be written anew"
                ),
            },
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => warn!(path = %path.display(), %error, "cannot read the state file, starting without"),
        }
        Self { path, state, failing: false }
    }

    /// Writes the state. What fails is told once, until it works again.
    pub(crate) fn save(&mut self) {
        let saved = replace(&self.path, &self.state.snapshot());
        match &saved {
            Ok(()) if self.failing => info!(path = %self.path.display(), "the state file is written again"),
            Err(error) if !self.failing => {
                warn!(path = %self.path.display(), %error, "cannot write the state file, trying again every minute");
            }
            _ => {}
        }
        self.failing = saved.is_err();
    }
}

/// Puts a whole new file in place of the old one: whoever reads it, after a crash too, finds the one or the other.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
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
    fn a_file_that_is_none_of_ours_is_no_obstacle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        fs::write(&path, "anything").unwrap();
        let state = Arc::new(State::new(StateConfig::default()));
        StateFile::load(path.clone(), state.clone()).save();
        assert_eq!(state.memory(), 0);
        assert!(state.restore(&fs::read(&path).unwrap(), now()).is_ok(), "it is a snapshot now");
    }
}
