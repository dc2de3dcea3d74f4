//! A file that spans go to.

use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::ConfigError;

/// A file, appended to: OTLP JSON lines, one `TracesData` object a line (the OpenTelemetry file exporter's format).
///
/// A file that has grown or aged to its limit is renamed, and a new one begun: `flows.jsonl` becomes
/// `flows-20261128T095901.123Z.jsonl`, by the time (UTC) of that. Names sort in the order of the files, whatever the clock
/// does, and none is ever used twice. A path that names no regular file, as `/dev/stdout` or a pipe, is only written to.
///
/// When the file is moved or removed from outside, as by logrotate, a new one is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileConfig {
    /// Where it is.
    pub path: PathBuf,
    /// Bytes a file may have; a single line that is longer has a file of its own. Default `None`: no limit.
    pub max_bytes: Option<NonZero<u64>>,
    /// How long a file may be written to. Looked at when there is something to write. Default `None`: no limit.
    pub max_age: Option<Duration>,
    /// How many renamed files stay; the oldest of others are deleted. Default `None`: all.
    pub max_files: Option<NonZero<usize>>,
    /// Compression. Default none.
    pub compression: FileCompression,
}

impl FileConfig {
    /// A file without limits.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: None,
            max_age: None,
            max_files: None,
            compression: FileCompression::default(),
        }
    }
}

/// Compression of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileCompression {
    /// `none`
    #[default]
    None,
    /// `zstd`: each line is a frame, so that the file can be read to its last line at any time, and appended to.
    Zstd,
}

impl FromStr for FileCompression {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "zstd" => Ok(Self::Zstd),
            _ => Err(ConfigError::FileCompression(text.to_owned())),
        }
    }
}

impl fmt::Display for FileCompression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Zstd => "zstd",
        })
    }
}
