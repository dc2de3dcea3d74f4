//! Captures of which not everything can be read.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::Path;

use common::{capture, run, stderr, stdout};
use serde_json::Value;

/// Offset of the link type in a pcap file, and of the first record.
const LINK_TYPE: usize = 20;
const FIRST_RECORD: usize = 24;

/// The capture of softflowd with some bytes changed.
fn changed(path: &Path, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = fs::read(capture("softflowd-v5")).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn frames_of_an_unknown_link_type_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let [file, summary] = ["other.pcap", "summary.json"].map(|name| folder.path().join(name));
    // 147 is reserved for private use.
    let file = changed(&file, |bytes| bytes[LINK_TYPE..LINK_TYPE + 4].copy_from_slice(&147_u32.to_le_bytes()));
    let decode = run(&["decode", "--format", "jsonl", "--summary", summary.to_str().unwrap(), &file]);
    assert!(decode.status.success() && stdout(&decode).is_empty());
    let summary: Value = serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    let frames = summary["capture"]["frames"].as_u64().unwrap();
    assert!(frames >= 6);
    assert_eq!((&summary["capture"]["unknown_link_type"], &summary["datagrams"]), (&frames.into(), &0.into()));
    let replay = run(&["replay", &file, "--to", "127.0.0.1:9"]);
    for log in [stderr(&decode), stderr(&replay)] {
        let warning = log.lines().next().unwrap();
        let counts = format!("frames={frames} unknown_link_type={frames}");
        assert!(warning.contains("WARN") && warning.contains("no UDP datagram in the capture"), "{log}");
        assert!(warning.trim_end().ends_with(&counts), "{log}");
    }
}

#[test]
fn datagrams_that_the_capture_cut_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = changed(&folder.path().join("cut.pcap"), |bytes| {
        // The captured length of the first record, 10 bytes less than the original.
        let length = &mut bytes[FIRST_RECORD + 8..FIRST_RECORD + 12];
        let captured = u32::from_le_bytes(length.try_into().unwrap());
        length.copy_from_slice(&(captured - 10).to_le_bytes());
        let end = FIRST_RECORD + 16 + captured as usize;
        bytes.drain(end - 10..end);
    });
    let decode = run(&["decode", "--format", "jsonl", &file]);
    assert!(decode.status.success());
    assert!(
        stderr(&decode).trim_end().ends_with("parts of the capture were not read truncated=1"),
        "{}",
        stderr(&decode)
    );
}

#[test]
fn a_capture_that_is_read_in_full_needs_no_word() {
    assert_eq!(stderr(&run(&["decode", &capture("softflowd-v5")])), "");
}
