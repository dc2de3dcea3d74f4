//! Where the fuzz targets start: the datagrams of testkit's captures, so that they need not guess a Template first.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use testkit::corpus;

/// Datagrams of each capture that become seeds: the first ones hold the Templates, and the later ones look alike.
const DATAGRAMS_OF_A_CAPTURE: usize = 16;

/// Longest datagram that `testkit::invariants::datagram_sequence` takes.
const SEQUENCE_DATAGRAM_MAX: usize = 0x7ff;

/// Writes seeds below `folder`, one folder for each target that reads datagrams.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let (single, sequence) = (folder.join("one_datagram"), folder.join("datagram_sequence"));
    fs::create_dir_all(&single)?;
    fs::create_dir_all(&sequence)?;
    for capture in corpus::captures() {
        let name = capture.file_stem().context("a capture without a name")?.to_string_lossy().into_owned();
        let datagrams = corpus::datagrams(&capture);
        let payloads = || datagrams.iter().map(|datagram| &datagram.payload[..]).take(DATAGRAMS_OF_A_CAPTURE);
        for (index, payload) in payloads().enumerate() {
            fs::write(single.join(format!("{name}-{index:02}")), payload)?;
        }
        fs::write(sequence.join(name), sequence_of(payloads()))?;
    }
    Ok(())
}

/// Datagrams of one exporter as `datagram_sequence` reads them: length, exporter and delay, bytes.
fn sequence_of<'a>(payloads: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut sequence = Vec::new();
    for payload in payloads.filter(|payload| payload.len() <= SEQUENCE_DATAGRAM_MAX) {
        // A length of at most 2,047 fits two bytes.
        sequence.extend((payload.len() as u16).to_be_bytes());
        sequence.push(0);
        sequence.extend(payload);
    }
    sequence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_hold_length_choice_and_datagram_and_leave_out_long_ones() {
        let long = [9; SEQUENCE_DATAGRAM_MAX + 1];
        let sequence = sequence_of([&[1, 2][..], &long, &[3]].into_iter());
        assert_eq!(sequence, [0, 2, 0, 1, 2, 0, 1, 0, 3]);
    }
}
