//! The invariants of `testkit` over the corpus, over mutations of it, and over anything.
#![allow(clippy::unwrap_used)]

use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use testkit::sequences::Coverage;
use testkit::{corpus, invariants, seeds, sequences};

#[test]
fn hold_for_every_datagram_of_the_corpus() {
    for capture in corpus::captures().into_iter().chain(corpus::sflow_captures()) {
        for datagram in corpus::datagrams(&capture) {
            invariants::one_datagram(&datagram.payload);
        }
    }
}

/// A few datagrams of each capture, so that mutations reach Templates and data of every version.
fn datagrams() -> Vec<Vec<u8>> {
    let captures = [corpus::captures(), corpus::sflow_captures()].concat();
    let first = captures.iter().flat_map(|capture| corpus::datagrams(capture).into_iter().take(2));
    let packets = seeds::packets().into_iter().map(|(_, packet)| packet);
    first.map(|datagram| datagram.payload).chain(packets).chain([seeds::options()]).collect()
}

/// What is remembered after each of them.
fn snapshots() -> Vec<Vec<u8>> {
    datagrams().iter().map(|datagram| seeds::snapshot_of([&datagram[..]].into_iter())).collect()
}

/// The first records of each capture, and what they have not.
fn captures() -> Vec<Vec<u8>> {
    let files = [corpus::captures(), corpus::sflow_captures()].concat();
    let first = files.iter().map(|path| corpus::read(path)).map(|file| file[..file.len().min(2048)].to_vec());
    first.chain(seeds::captures().into_iter().map(|(_, file)| file)).collect()
}

#[derive(Clone, Debug)]
enum Mutation {
    Flip(Index, u8),
    Word(Index, u16),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, u8),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        (any::<Index>(), 1_u8..).prop_map(|(at, bits)| Mutation::Flip(at, bits)),
        (any::<Index>(), prop_oneof![Just(0), Just(1), Just(3), Just(4), Just(255), Just(65535), any::<u16>()])
            .prop_map(|(at, word)| Mutation::Word(at, word)),
        any::<Index>().prop_map(Mutation::Cut),
        (any::<Index>(), vec(any::<u8>(), 1..9)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (any::<Index>(), 1_u8..9).prop_map(|(at, len)| Mutation::Remove(at, len)),
    ]
}

fn mutate(bytes: &mut Vec<u8>, mutation: &Mutation) {
    if bytes.is_empty() {
        return;
    }
    match mutation {
        Mutation::Flip(at, bits) => {
            let at = at.index(bytes.len());
            bytes[at] ^= bits;
        }
        Mutation::Word(at, word) => {
            let at = at.index(bytes.len()) & !1;
            if let Some(place) = bytes.get_mut(at..at + 2) {
                place.copy_from_slice(&word.to_be_bytes());
            }
        }
        Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
        Mutation::Insert(at, more) => {
            let at = at.index(bytes.len());
            bytes.splice(at..at, more.iter().copied());
        }
        Mutation::Remove(at, len) => {
            let at = at.index(bytes.len());
            bytes.drain(at..(at + usize::from(*len)).min(bytes.len()));
        }
    }
}

fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (select(seeds), vec(mutation(), 0..6)).prop_map(|(mut bytes, mutations)| {
        mutations.iter().for_each(|mutation| mutate(&mut bytes, mutation));
        bytes
    })
}

/// All that exporters told goes into the next snapshot as it went into the first; tables have no order.
#[test]
fn snapshots_of_every_capture_survive_a_round_trip() {
    let now = Timestamp::from_unix_seconds(1_900_000_000);
    let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
    let files = [corpus::captures(), corpus::sflow_captures()].concat();
    let captures = files.iter().map(|path| corpus::datagrams(path).into_iter().map(|d| d.payload).collect());
    let mut templates = 0;
    for datagrams in captures.chain([vec![seeds::options()]]) {
        let (state, mut decoded) = (State::new(StateConfig::default()), Decoded::default());
        for (received_at, bytes) in datagrams.iter().enumerate() {
            let received_at = Timestamp::from_unix_seconds(1_700_000_000 + received_at as u64);
            state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
        }
        let first = state.snapshot();
        let again = State::new(StateConfig::default());
        let restored = again.restore(&first, now).unwrap();
        assert_eq!((restored.domains, restored.refused), (state.domain_count(), 0));
        assert_eq!(restored.templates, state.template_count());
        templates += restored.templates;
        let [first, second] = [first, again.snapshot()].map(|snapshot| {
            let mut body = snapshot[18..].to_vec();
            body.sort_unstable();
            body
        });
        assert_eq!(first, second);
    }
    assert!(templates > 20, "{templates}");
}

/// What sequences of random choices are for takes place in them, and often.
#[test]
fn random_sequences_reach_every_kind_of_change() {
    let mut random = fastrand::Rng::with_seed(1);
    let mut coverage = Coverage::default();
    for _ in 0..200 {
        let choices: Vec<u8> = (0..2000).map(|_| random.u8(..)).collect();
        coverage.add(&sequences::play(&choices));
    }
    eprintln!("{coverage:?}");
    assert!(coverage.counts().iter().all(|count| *count > 20), "{coverage:?}");
}

proptest! {
    #[test]
    fn hold_for_mutated_datagrams(datagram in mutated(datagrams())) {
        invariants::one_datagram(&datagram);
    }

    #[test]
    fn hold_for_any_bytes(datagram in vec(any::<u8>(), 0..400), version in prop_oneof![Just([0, 9]), Just([0, 10])]) {
        invariants::one_datagram(&datagram);
        invariants::one_datagram(&[&version[..], &datagram].concat());
    }

    #[test]
    fn hold_for_sequences(datagrams in vec((mutated(datagrams()), any::<u8>()), 1..24)) {
        let mut sequence = vec![0];
        for (datagram, choice) in datagrams {
            let len = (datagram.len() & 0x7ff) as u16;
            sequence.extend(len.to_be_bytes());
            sequence.push(choice);
            sequence.extend(&datagram[..usize::from(len)]);
        }
        invariants::datagram_sequence(&sequence);
    }

    #[test]
    fn hold_for_exporters_that_do_as_they_like(choices in vec(any::<u8>(), 0..3000)) {
        sequences::play(&choices);
    }

    #[test]
    fn hold_for_snapshots(body in mutated(snapshots()), any in vec(any::<u8>(), 0..400)) {
        invariants::snapshot(&body);
        invariants::snapshot(&any);
    }

    #[test]
    fn hold_for_captures(file in mutated(captures()), any in vec(any::<u8>(), 0..400)) {
        invariants::capture(&file);
        invariants::capture(&any);
    }

    #[test]
    fn hold_for_values(pen: u8, id: u16, bytes in vec(any::<u8>(), 0..40)) {
        let [high, low] = id.to_be_bytes();
        invariants::value_readers(&[&[pen, high, low], &bytes[..]].concat());
    }

    /// Elements 291 to 293, with heads and Template IDs that the walk over them knows.
    #[test]
    fn hold_for_lists(
        low in 35..38_u8,
        head in select(vec![&[3, 1, 35, 255, 255][..], &[3, 1, 36, 255, 255], &[3, 1, 37, 255, 255], &[3, 1, 2], &[3]]),
        tail in vec(prop_oneof![0..5_u8, Just(255), any::<u8>()], 0..200),
    ) {
        invariants::value_readers(&[&[0, 1, low], head, &tail[..]].concat());
    }
}
