//! Captures of real exporters; `corpus/README.md` says how each was made.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use flow_capture::Capture;

/// One datagram of a capture.
#[derive(Clone, Debug)]
pub struct CorpusDatagram {
    /// The sender.
    pub source: SocketAddr,
    /// The receiver.
    pub destination: SocketAddr,
    /// When it was captured, Unix nanoseconds.
    pub captured_at: u64,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

/// The captures of the project's own corpus, sorted by name.
///
/// # Panics
///
/// When the folder is missing or empty: a test that finds nothing to test has failed.
pub fn captures() -> Vec<PathBuf> {
    captures_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus"))
}

/// The folder that the environment variable `NETFLOW_CAPTURES` names: more captures than the project has.
///
/// # Panics
///
/// When it names no folder.
pub fn more() -> Option<PathBuf> {
    let folder = PathBuf::from(env::var_os("NETFLOW_CAPTURES")?);
    assert!(folder.is_dir(), "NETFLOW_CAPTURES is {}, which is no folder", folder.display());
    Some(folder)
}

/// The captures of sFlow in the project's own corpus, sorted by name.
///
/// # Panics
///
/// As [`captures`].
pub fn sflow_captures() -> Vec<PathBuf> {
    captures_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/sflow"))
}

/// The captures in a folder, sorted by name.
///
/// # Panics
///
/// When the folder is missing or has none.
pub fn captures_in(folder: &Path) -> Vec<PathBuf> {
    files_in(folder, "pcap")
}

/// The captures in a folder that are compressed with zstd, sorted by name.
///
/// # Panics
///
/// When the folder is missing or has none.
pub fn streams_in(folder: &Path) -> Vec<PathBuf> {
    files_in(folder, "zst")
}

fn files_in(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert!(!files.is_empty(), "no .{extension} in {}", folder.display());
    files.sort();
    files
}

/// The bytes of a file, decompressed by the program zstd where its name ends in `.zst`.
///
/// # Panics
///
/// When the file cannot be read, or zstd is not installed.
pub fn read(path: &Path) -> Vec<u8> {
    if path.extension().is_none_or(|extension| extension != "zst") {
        return fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
    let output = Command::new("zstd").args(["-dcq".as_ref(), path.as_os_str()]).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run zstd, is it installed? {error}"));
    assert!(output.status.success(), "zstd cannot read {}", path.display());
    output.stdout
}

/// The datagrams of a capture, be it compressed or not.
///
/// # Panics
///
/// When the capture cannot be read to its end.
pub fn datagrams(capture: &Path) -> Vec<CorpusDatagram> {
    let bytes = read(capture);
    let mut capture = Capture::open(&bytes[..]).unwrap();
    let mut datagrams = Vec::new();
    while let Some(datagram) = capture.next_datagram().unwrap() {
        datagrams.push(CorpusDatagram {
            source: datagram.source,
            destination: datagram.destination,
            captured_at: datagram.captured_at,
            payload: datagram.payload.to_vec(),
        });
    }
    datagrams
}
