//! Inputs that fuzzing found worth keeping, in `fuzz/corpus`.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use flow_capture::{Capture, CaptureStats};
use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession};
use testkit::sequences::{self, Coverage};
use testkit::{invariants, seeds};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

fn inputs(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("corpus").join(target);
    names(&folder).iter().map(|name| fs::read(folder.join(name)).unwrap()).collect()
}

/// A target without inputs, and inputs without a target, are mistakes.
#[test]
fn every_target_has_an_invariant_and_inputs() {
    let targets: BTreeSet<_> = invariants::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), targets);
    assert_eq!(names(&fuzz().join("corpus")), targets);
    for target in targets {
        let (count, bytes) = (inputs(&target).len(), inputs(&target).concat().len());
        assert!(count >= 10 && bytes <= 50_000, "{target}: {count} inputs of {bytes} bytes");
    }
}

#[test]
fn invariants_hold_for_every_input() {
    for (target, holds) in invariants::TARGETS {
        inputs(target).iter().for_each(|input| holds(input));
    }
}

/// What the sequences among them are for takes place in them.
#[test]
fn sequences_reach_every_kind_of_change() {
    let mut coverage = Coverage::default();
    for input in inputs("datagram_sequence") {
        if let [kind, choices @ ..] = &input[..]
            && kind % 2 == 1
        {
            coverage.add(&sequences::play(choices));
        }
    }
    assert!(coverage.counts().iter().all(|count| *count > 0), "{coverage:?}");
}

fn decode(bytes: &[u8]) -> Decoded {
    let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
    let mut decoded = Decoded::default();
    let received_at = Timestamp::from_unix_seconds(1_700_000_000);
    State::new(StateConfig::default()).decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    decoded
}

/// Sampled packets in IPFIX and sFlow, and every kind of tunnel in them.
fn packets<'a>(datagrams: impl IntoIterator<Item = &'a Vec<u8>>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for bytes in datagrams {
        let decoded = decode(bytes);
        let is_sflow = flow_wire::sflow::is_sflow(bytes);
        for packet in decoded.data_sets(bytes).flat_map(|set| set.flows()).filter_map(|flow| flow.packet()) {
            *counts.entry(if is_sflow { "sflow" } else { "ipfix" }).or_default() += 1;
            if let Some(inner) = packet.inner {
                *counts.entry(inner.tunnel.name()).or_default() += 1;
            }
        }
    }
    counts
}

#[test]
fn single_datagrams_reach_packets_and_tunnels() {
    let counts = packets(&inputs("one_datagram"));
    assert_eq!(
        counts.keys().copied().collect::<Vec<_>>(),
        ["geneve", "gre", "ipfix", "ipip", "sflow", "vxlan"],
        "{counts:?}"
    );
}

#[test]
fn seeds_are_read_to_their_end() {
    let datagrams: Vec<_> = seeds::packets().into_iter().map(|(_, datagram)| datagram).collect();
    assert_eq!(
        packets(&datagrams).into_iter().collect::<Vec<_>>(),
        [("geneve", 1), ("gre", 1), ("ipfix", 10), ("ipip", 1), ("vxlan", 1)]
    );
    let options = decode(&seeds::options());
    let tables = options.messages()[0].options().unwrap();
    assert_eq!(tables.len(), 7, "a row of each kind");
    assert!(tables.global_sampler().is_some() && tables.system_init().is_some());
    let [(_, pcapng), (_, fragments)] = &seeds::captures()[..] else { panic!() };
    let (blocks, joined) = (stats(pcapng), stats(fragments));
    assert_eq!((blocks.datagrams, blocks.malformed), (3, 0));
    assert_eq!((joined.fragments, joined.reassembled), (4, 2));
}

fn stats(file: &[u8]) -> CaptureStats {
    let Ok(mut capture) = Capture::open(file) else {
        return CaptureStats::default();
    };
    while let Ok(Some(_)) = capture.next_datagram() {}
    capture.stats()
}

#[test]
fn captures_reach_both_formats_and_every_fate() {
    let files = inputs("capture");
    let pcapng = files.iter().filter(|file| file.starts_with(&[0x0a, 0x0d, 0x0d, 0x0a]) && stats(file).datagrams > 0);
    assert!(pcapng.count() > 0);
    let all: Vec<_> = files.iter().map(|file| stats(file)).collect();
    let fates: [fn(&CaptureStats) -> u64; 8] = [
        |stats| stats.datagrams,
        |stats| stats.reassembled,
        |stats| stats.truncated,
        |stats| stats.fragments_lost,
        |stats| stats.unknown_link_type,
        |stats| stats.not_ip,
        |stats| stats.not_udp,
        |stats| stats.malformed,
    ];
    let counts = fates.map(|fate| all.iter().map(fate).sum::<u64>());
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn filters_reach_both_verdicts() {
    let verdicts: Vec<_> = inputs("filter").iter().map(|input| invariants::filter_verdicts(input)).collect();
    let refused = verdicts.iter().filter(|verdicts| verdicts.is_none()).count();
    let sum = |which: usize| verdicts.iter().flatten().map(|verdicts| verdicts[which]).sum::<u64>();
    assert!(refused >= 3 && sum(0) >= 20 && sum(1) >= 20, "{refused} {} {}", sum(0), sum(1));
}

#[test]
fn snapshots_reach_what_is_kept_and_what_is_refused() {
    let (mut domains, mut templates, mut refused, mut damaged) = (0, 0, 0, 0);
    for body in inputs("snapshot") {
        let mut config = StateConfig::default();
        config.memory = 64 << 10;
        match State::new(config).restore(&invariants::snapshot_file(&body), Timestamp::from_unix_seconds(1_700_000_000))
        {
            Ok(restored) => {
                domains += restored.domains;
                templates += restored.templates;
                refused += restored.refused;
            }
            Err(_) => damaged += 1,
        }
    }
    let counts = [domains, templates, refused, damaged];
    assert!(counts.iter().all(|count| *count > 5), "{counts:?}");
}
