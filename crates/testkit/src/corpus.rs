//! Captures of real exporters; `corpus/README.md` says how each was made.

use std::fs::File;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

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

/// The captures in a folder, sorted by name.
///
/// # Panics
///
/// When the folder is missing or has none.
pub fn captures_in(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut captures: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "pcap"))
        .collect();
    assert!(!captures.is_empty(), "no capture in {}", folder.display());
    captures.sort();
    captures
}

/// The datagrams of a capture.
///
/// # Panics
///
/// When the capture cannot be read to its end.
pub fn datagrams(capture: &Path) -> Vec<CorpusDatagram> {
    let file = File::open(capture).unwrap_or_else(|error| panic!("{}: {error}", capture.display()));
    let mut capture = Capture::open(BufReader::new(file)).unwrap();
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
