//! Names of files that were written to before.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io};

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// Names made of a file's own name and a time: `flows.jsonl.zst` gives `flows-20261128T095901.123Z.jsonl.zst`.
#[derive(Debug)]
pub(super) struct Names {
    folder: PathBuf,
    /// `flows-`
    head: OsString,
    /// `.jsonl.zst`
    tail: OsString,
}

/// A file with such a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rotated {
    millis: u64,
    pub(super) path: PathBuf,
}

/// 9999-12-31T23:59:59.999Z
const LAST_MILLIS: u64 = 253_402_300_799_999;

impl Names {
    pub(super) fn new(path: &Path) -> Self {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        // An extension for compression has another before it.
        let inner = path.extension().filter(|extension| *extension == "zst").map_or(path, |_| Path::new(stem(path)));
        let mut head = stem(inner).to_owned();
        let mut tail = OsString::new();
        for extension in [inner.extension(), path.extension().filter(|_| inner != path)].into_iter().flatten() {
            tail.push(".");
            tail.push(extension);
        }
        head.push("-");
        Self { folder, head, tail }
    }

    /// The files that are there, oldest first.
    pub(super) fn list(&self) -> io::Result<Vec<Rotated>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Some(millis) = self.millis(&entry.file_name())
                && entry.file_type()?.is_file()
            {
                files.push(Rotated { millis, path: self.folder.join(entry.file_name()) });
            }
        }
        files.sort();
        Ok(files)
    }

    /// A name for a file that ends now, behind all of those in `files`. A file is there under it, empty.
    pub(super) fn reserve(&self, files: &[Rotated], now: SystemTime) -> io::Result<PathBuf> {
        let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = u64::try_from(since_epoch.as_millis()).unwrap_or(LAST_MILLIS);
        let mut millis = files.last().map_or(now, |last| now.max(last.millis + 1)).min(LAST_MILLIS);
        loop {
            let path = self.folder.join(self.name(millis));
            match fs::OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(_) => return Ok(path),
                // Something else has the name: a folder, or what came since the list was made.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && millis < LAST_MILLIS => millis += 1,
                Err(error) => return Err(error),
            }
        }
    }

    fn name(&self, millis: u64) -> OsString {
        let mut name = self.head.clone();
        name.push(stamp(millis));
        name.push(&self.tail);
        name
    }

    /// The time in a name that is exactly one of these.
    fn millis(&self, name: &OsStr) -> Option<u64> {
        let bytes = name.as_encoded_bytes();
        let bytes = bytes.strip_prefix(self.head.as_encoded_bytes())?;
        let text = str::from_utf8(bytes.strip_suffix(self.tail.as_encoded_bytes())?).ok()?;
        let millis = parse_stamp(text)?;
        (self.name(millis) == name).then_some(millis)
    }
}

fn stem(path: &Path) -> &OsStr {
    path.file_stem().unwrap_or_default()
}

/// Date and time of ISO 8601's basic format.
const STAMP: &str = "%Y%m%dT%H%M%S%.3fZ";

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Unix milliseconds, up to [`LAST_MILLIS`], as a [`STAMP`].
fn stamp(millis: u64) -> String {
    let since = SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX));
    EPOCH.saturating_add(since).strftime(STAMP).to_string()
}

/// The milliseconds of a [`stamp`], or of something much like one.
fn parse_stamp(text: &str) -> Option<u64> {
    let time = DateTime::strptime(STAMP, text).ok()?;
    u64::try_from(time.duration_since(EPOCH).as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_in_a_name_follows_the_calendar_and_is_read_again() {
        for (millis, text) in [
            (0, "19700101T000000.000Z"),
            (951_782_400_000, "20000229T000000.000Z"),
            (951_868_799_999, "20000229T235959.999Z"),
            (1_700_000_000_123, "20231114T221320.123Z"),
            (4_107_542_400_000, "21000301T000000.000Z"),
            (LAST_MILLIS, "99991231T235959.999Z"),
        ] {
            assert_eq!(stamp(millis), text);
            assert_eq!(parse_stamp(text), Some(millis));
        }
        for days in 0..40_000 {
            let millis = days * 86_400_000 + 7;
            assert_eq!(parse_stamp(&stamp(millis)), Some(millis));
        }
    }

    #[test]
    fn the_time_goes_before_the_extensions() {
        for (path, name) in [
            ("/var/log/flows.jsonl", "flows-20231114T221320.123Z.jsonl"),
            ("flows.jsonl.zst", "flows-20231114T221320.123Z.jsonl.zst"),
            ("flows.v1.jsonl", "flows.v1-20231114T221320.123Z.jsonl"),
            ("flows", "flows-20231114T221320.123Z"),
            ("flows.zst", "flows-20231114T221320.123Z.zst"),
            (".flows", ".flows-20231114T221320.123Z"),
        ] {
            assert_eq!(Names::new(Path::new(path)).name(1_700_000_000_123), name);
        }
    }

    #[test]
    fn only_its_own_names_count() {
        let names = Names::new(Path::new("/var/log/flows.jsonl"));
        assert_eq!(names.millis("flows-20231114T221320.123Z.jsonl".as_ref()), Some(1_700_000_000_123));
        for other in [
            "flows.jsonl",
            "flows-20231114T221320.123Z.jsonl.zst",
            "flows-20231114T221320.123Z",
            "flows-20231314T221320.123Z.jsonl",
            "flows-20230230T221320.123Z.jsonl",
            "flows-20231114T241320.123Z.jsonl",
            "flows-20231114T221320,123Z.jsonl",
            "flows-20231114 221320.123Z.jsonl",
            "flows-+0231114T221320.123Z.jsonl",
            "flows-19691231T235959.999Z.jsonl",
            "flows-00000000T000000.000Z.jsonl",
            "other-20231114T221320.123Z.jsonl",
            "flows-old-20231114T221320.123Z.jsonl",
            "flows-20231114T221320.123Z-1.jsonl",
            "flows-\u{662}0231114T221320.12Z.jsonl",
        ] {
            assert_eq!(names.millis(other.as_ref()), None, "{other}");
        }
    }
}
