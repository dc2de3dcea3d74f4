//! Spans in files that take turns.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Collector, capture, named, netflow2traces, spans, stderr};
use tempfile::TempDir;

/// The files of a folder, oldest first.
fn files(folder: &TempDir) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// A file unpacked, beside it.
fn unpacked(path: &PathBuf) -> PathBuf {
    let text = zstd::stream::decode_all(fs::File::open(path).unwrap()).unwrap();
    let plain = path.with_extension("plain");
    fs::write(&plain, text).unwrap();
    plain
}

#[test]
fn files_are_renamed_and_compressed_as_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl.zst");
    for _ in 0..4 {
        let mut replay = netflow2traces(&["replay", &capture("softflowd-v9")]);
        replay.env("NETFLOW_OUTPUT", format!("file:{}", path.display())).env("NETFLOW_FILE_COMPRESSION", "zstd");
        replay.env("NETFLOW_FILE_MAX_BYTES", "10KiB").env("NETFLOW_FILE_MAX_FILES", "2");
        let output = replay.output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    }
    let files = files(&folder);
    assert_eq!(files.len(), 3, "{files:?}");
    assert_eq!(files[2], path);
    for path in &files {
        assert_eq!(named(&spans(&unpacked(path)), "netflow.flow").len(), 264);
    }
}

/// Killed in the middle of its work, and started again: what was written before can be read, and what is written after.
#[test]
fn a_compressed_file_outlives_a_collector_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl.zst");
    let output = format!("file:{}", path.display());
    let arguments = ["--output", &output, "--file-compression", "zstd"];
    let killed = Collector::start(&arguments);
    killed.receive(500);
    drop(killed);
    let collector = Collector::start(&arguments);
    collector.receive(10);
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
    // The one that was killed may have left a frame without an end, in a file of its own then.
    let path = files(&folder).pop().unwrap();
    assert!(named(&spans(&unpacked(&path)), "netflow.flow").len() >= 300);
}
