//! Classic pcap files of Ethernet frames; exporters need more than the UDP that `flow-capture` writes.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

/// One Ethernet frame and when it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub at: SystemTime,
    pub bytes: Vec<u8>,
}

/// Writes `frames` with microsecond times, which every exporter reads.
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn write(path: &Path, frames: &[Frame]) -> anyhow::Result<()> {
    let mut out = Vec::new();
    for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1] {
        out.extend(u32::to_le_bytes(word));
    }
    for frame in frames {
        let at = frame.at.duration_since(UNIX_EPOCH)?;
        let len = u32::try_from(frame.bytes.len())?;
        for word in [u32::try_from(at.as_secs())?, at.subsec_micros(), len, len] {
            out.extend(word.to_le_bytes());
        }
        out.extend(&frame.bytes);
    }
    std::fs::write(path, out).with_context(|| format!("write {}", path.display()))
}
