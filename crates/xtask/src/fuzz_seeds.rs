//! Where the fuzz targets start: the datagrams of testkit's captures, so that they need not guess a Template first.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use testkit::{corpus, seeds};

/// Datagrams of each capture that become seeds: the first ones hold the Templates, and the later ones look alike.
const DATAGRAMS_OF_A_CAPTURE: usize = 16;

/// Longest datagram that `testkit::invariants::datagram_sequence` takes.
const SEQUENCE_DATAGRAM_MAX: usize = 0x7ff;

/// Bytes of a capture file that are enough to begin with.
const CAPTURE_BYTES: usize = 4096;

/// First bytes by which `datagram_sequence` tells datagrams from choices of what exporters do.
const GIVEN: u8 = 0;
const CHOSEN: u8 = 1;

/// Sequences of random choices, and how many choices each has.
const CHOSEN_SEQUENCES: usize = 32;
const CHOICES: usize = 2_000;

/// Writes seeds below `folder`, one folder for each target that reads datagrams.
pub(crate) fn write(folder: &Path) -> Result<()> {
    let [single, sequence, snapshots, files] =
        ["one_datagram", "datagram_sequence", "snapshot", "capture"].map(|target| folder.join(target));
    for folder in [&single, &sequence, &snapshots, &files] {
        fs::create_dir_all(folder)?;
    }
    for capture in corpus::captures().into_iter().chain(corpus::sflow_captures()) {
        let name = capture.file_stem().context("a capture without a name")?.to_string_lossy().into_owned();
        let datagrams = corpus::datagrams(&capture);
        let payloads = || datagrams.iter().map(|datagram| &datagram.payload[..]).take(DATAGRAMS_OF_A_CAPTURE);
        for (index, payload) in payloads().enumerate() {
            fs::write(single.join(format!("{name}-{index:02}")), payload)?;
        }
        fs::write(sequence.join(&name), sequence_of(payloads()))?;
        fs::write(snapshots.join(&name), seeds::snapshot_of(payloads()))?;
        let file = corpus::read(&capture);
        fs::write(files.join(name), &file[..file.len().min(CAPTURE_BYTES)])?;
    }
    fs::write(single.join("options"), seeds::options())?;
    fs::write(snapshots.join("options"), seeds::snapshot_of([&seeds::options()[..]].into_iter()))?;
    for (seeds, folder) in [(seeds::packets(), &single), (seeds::captures(), &files)] {
        for (name, seed) in seeds {
            fs::write(folder.join(name), seed)?;
        }
    }
    let mut random = fastrand::Rng::with_seed(2055);
    for index in 0..CHOSEN_SEQUENCES {
        let choices: Vec<u8> = [CHOSEN].into_iter().chain((0..CHOICES).map(|_| random.u8(..))).collect();
        fs::write(sequence.join(format!("chosen-{index:02}")), choices)?;
    }
    Ok(())
}

/// Datagrams of one exporter as `datagram_sequence` reads them: that they are given; of each length, exporter and delay, bytes.
fn sequence_of<'a>(payloads: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut sequence = vec![GIVEN];
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
        assert_eq!(sequence, [GIVEN, 0, 2, 0, 1, 2, 0, 1, 0, 3]);
    }

    #[test]
    fn each_target_that_reads_what_others_wrote_has_seeds() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for (target, made) in [
            ("one_datagram", &["options", "geneve", "gre", "ipip", "vxlan"][..]),
            ("datagram_sequence", &["chosen-00"]),
            ("snapshot", &["options"]),
            ("capture", &["pcapng", "fragments"]),
        ] {
            let target = folder.path().join(target);
            assert!(target.read_dir().unwrap().count() > made.len(), "and some of captures");
            made.iter().for_each(|name| assert!(target.join(name).is_file(), "{name}"));
        }
    }
}
