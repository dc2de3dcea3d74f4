use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::reading::{MapKind, ProgramRun};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Readings of a map, by seconds since the start.
#[derive(Clone, Debug)]
struct Map {
    id: u32,
    program: Option<u8>,
    kind: MapKind,
}

impl Map {
    fn read(&self, seconds: f64, counters: &[(Key, u64, Option<u64>)]) -> Reading {
        let counter = |(key, packets, bytes): &(Key, u64, Option<u64>)| Counter {
            key: key.clone(),
            packets: *packets,
            bytes: *bytes,
        };
        Reading {
            map: MapFacts {
                id: self.id,
                name: "xdp_stats_map".to_owned(),
                kind: self.kind,
                key_size: 4,
                value_size: 16,
                max_entries: 5,
            },
            program: self.program.map(program),
            candidates: 1,
            at: *START + Duration::from_secs_f64(seconds),
            time: time(seconds),
            counters: counters.iter().map(counter).collect(),
        }
    }
}

fn program(tag: u8) -> ProgramFacts {
    ProgramFacts { id: u32::from(tag), name: "xdp_stats".to_owned(), tag: [tag; 8], run: ProgramRun::default() }
}

fn time(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(seconds)
}

const MAP: Map = Map { id: 7, program: Some(1), kind: MapKind::HASH };
const LRU: Map = Map { kind: MapKind::LRU_PERCPU_HASH, ..MAP };

fn key(number: u8) -> Key {
    Key::Bytes(vec![number])
}

fn packets(packets: u64) -> [(Key, u64, Option<u64>); 1] {
    [(key(0), packets, Some(packets * 60))]
}

#[test]
fn the_first_reading_has_no_rate_and_the_next_one_the_packets_of_its_time() {
    let mut series = Series::default();
    let first = series.observe(Some(&MAP.read(0.0, &packets(100)))).unwrap();
    assert_eq!((first.start, first.time, first.packets_per_second), (time(0.0), time(0.0), None));
    let total = Total { packets: 100, bytes: Some(6_000), gain: Gain::default() };
    assert_eq!(first.total, total, "what was there before is no gain");

    let second = series.observe(Some(&MAP.read(4.0, &packets(150)))).unwrap();
    assert_eq!((second.start, second.time, second.packets_per_second), (time(0.0), time(4.0), Some(12.5)));
    assert_eq!(second.total.gain, Gain { packets: 50, bytes: 3_000 });
    assert_eq!(series.resets(), 0);
}

/// Two readings at one time have no rate, which would not be a number.
#[test]
fn no_time_has_no_rate() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(1.0, &packets(1))));
    assert_eq!(series.observe(Some(&MAP.read(1.0, &packets(2)))).unwrap().packets_per_second, None);
}

#[test]
fn a_counter_that_falls_begins_a_series() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &packets(100))));
    let reset = series.observe(Some(&MAP.read(1.0, &packets(5)))).unwrap();
    assert_eq!((reset.start, reset.packets_per_second), (time(1.0), None));
    assert_eq!((reset.total.packets, reset.total.gain.packets), (5, 5), "all of it was counted since");
    let next = series.observe(Some(&MAP.read(2.0, &packets(7)))).unwrap();
    assert_eq!((next.start, next.packets_per_second, next.total.gain.packets), (time(1.0), Some(2.0), 7));
    assert_eq!(series.resets(), 1);
}

/// Though packets rise.
#[test]
fn bytes_that_fall_begin_one_too() {
    for bytes in [Some(59), None] {
        let mut series = Series::default();
        series.observe(Some(&MAP.read(0.0, &[(key(0), 1, Some(60))])));
        series.observe(Some(&MAP.read(1.0, &[(key(0), 2, bytes)])));
        assert_eq!(series.resets(), 1, "{bytes:?}");
    }
}

/// The sum hides it: another key has gained more.
#[test]
fn one_key_that_falls_is_enough() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &[(key(0), 10, None), (key(1), 10, None)])));
    series.observe(Some(&MAP.read(1.0, &[(key(0), 900, None), (key(1), 9, None)])));
    assert_eq!(series.resets(), 1);
}

#[test]
fn a_key_that_goes_and_comes_back_is_two_counters() {
    let mut series = Series::default();
    let both = |second| [(key(0), 10, None), (key(1), second, None)];
    series.observe(Some(&MAP.read(0.0, &both(10))));
    let gone = series.observe(Some(&MAP.read(1.0, &both(10)[..1]))).unwrap();
    assert_eq!((gone.start, gone.total.packets), (time(0.0), 20));
    let back = series.observe(Some(&MAP.read(2.0, &both(3)))).unwrap();
    assert_eq!((back.start, back.total.packets, back.packets_per_second), (time(0.0), 23, Some(3.0)));
    assert_eq!((back.total.gain.packets, series.resets()), (3, 0));
}

/// What others have is not added once more.
#[test]
fn only_the_key_that_fell_counts_from_zero() {
    let array = Map { kind: MapKind::PERCPU_ARRAY, ..MAP };
    let mut series = Series::default();
    let (tcp, udp) = (Key::Label("tcp".to_owned()), Key::Label("udp".to_owned()));
    let both = |first, second| [(tcp.clone(), first, Some(first)), (udp.clone(), second, Some(second))];
    series.observe(Some(&array.read(0.0, &both(1_000_000_000, 5))));
    series.observe(Some(&array.read(1.0, &both(1_000_000_007, 2))));
    let sample = series.sample().unwrap();
    let gains: Vec<_> = sample.keys.iter().map(|(_, total)| total.gain.packets).collect();
    assert_eq!((sample.total.gain, &*gains), (Gain { packets: 9, bytes: 9 }, &[7, 2][..]));
    assert_eq!(series.resets(), 1);
}

/// As fields of four bytes do.
#[test]
fn bytes_that_begin_anew_take_no_packets_with_them() {
    let array = Map { kind: MapKind::PERCPU_ARRAY, ..MAP };
    let mut series = Series::default();
    series.observe(Some(&array.read(0.0, &[(Key::Action("pass"), 1_000, Some(4_294_967_000))])));
    series.observe(Some(&array.read(1.0, &[(Key::Action("pass"), 1_010, Some(304))])));
    let sample = series.sample().unwrap();
    let gain = Gain { packets: 10, bytes: 304 };
    assert_eq!((sample.total.gain, sample.keys[0].1.gain, series.resets()), (gain, gain, 1));
}

/// There were too many to tell them apart for a while: what they have is no news.
#[test]
fn keys_that_are_told_again_gained_nothing_meanwhile() {
    let mut series = Series::default();
    let tcp = |packets| vec![(Key::Label("tcp".to_owned()), packets, None)];
    for (second, counters) in [tcp(100), vec![(Key::All, 110, None)], tcp(120), tcp(123)].iter().enumerate() {
        series.observe(Some(&MAP.read(second as f64, counters)));
    }
    let sample = series.sample().unwrap();
    assert_eq!((sample.total.gain.packets, sample.keys[0].1.gain.packets), (23, 3));
}

#[test]
fn a_key_without_a_count_may_go() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &[(key(0), 10, None), (key(1), 0, None)])));
    series.observe(Some(&MAP.read(1.0, &packets(10)[..])));
    assert_eq!(series.resets(), 0);
}

/// The map makes room, which is no reason to count anew.
#[test]
fn an_lru_map_may_evict_keys() {
    let tcp = |packets| (Key::Label("tcp".to_owned()), packets, Some(packets * 60));
    let mut series = Series::default();
    let mut see = |second, counters: &[(Key, u64, Option<u64>)]| {
        let sample = series.observe(Some(&LRU.read(second, counters))).unwrap().clone();
        let tcp = sample.keys.iter().find(|(key, _)| *key == tcp(0).0).map(|(_, total)| total.packets);
        (sample.start, sample.total.packets, sample.total.gain, tcp, sample.packets_per_second)
    };
    let gain = |packets| Gain { packets, bytes: packets * 60 };
    let other = |packets| (key(0), packets, Some(packets * 60));
    assert_eq!(see(0.0, &[other(10), tcp(100)]), (time(0.0), 110, gain(0), Some(100), None));
    assert_eq!(see(1.0, &[other(15)]), (time(0.0), 115, gain(5), Some(100), Some(5.0)), "what it had stays");
    assert_eq!(see(2.0, &[other(15), tcp(7)]), (time(0.0), 122, gain(12), Some(107), Some(7.0)), "and it counts on");
    // It went and came back between two readings.
    assert_eq!(see(3.0, &[other(15), tcp(4)]), (time(0.0), 126, gain(16), Some(111), Some(4.0)));
    assert_eq!(series.resets(), 0);
    let replaced = series.observe(Some(&Map { id: 8, ..LRU }.read(4.0, &[tcp(3)]))).unwrap();
    assert_eq!((replaced.start, replaced.total.packets, replaced.total.gain), (time(4.0), 3, gain(19)));
    assert_eq!((replaced.keys[0].1.packets, replaced.keys[0].1.gain, series.resets()), (3, gain(14), 1));
}

/// Of so many keys only the sum is known: what it loses was evicted.
#[test]
fn a_sum_of_an_lru_map_may_fall() {
    let mut series = Series::default();
    let totals = [100, 90, 95, 95].map(|sum| {
        let second = series.sample().map_or(0.0, |sample| sample.at.duration_since(*START).as_secs_f64() + 1.0);
        series.observe(Some(&LRU.read(second, &[(Key::All, sum, None)]))).unwrap().total.packets
    });
    assert_eq!((totals, series.resets()), ([100, 100, 105, 105], 0));
}

/// There are too many keys to tell them apart, or no longer.
#[test]
fn a_sum_over_all_keys_goes_on_from_keys() {
    let mut series = Series::default();
    let readings = [
        vec![(key(0), 10, None), (key(1), 10, None)],
        vec![(Key::All, 30, None)],
        vec![(Key::All, 40, None)],
        vec![(key(0), 50, None)],
    ];
    for (second, counters) in readings.iter().enumerate() {
        series.observe(Some(&MAP.read(second as f64, counters)));
    }
    assert_eq!((series.resets(), series.sample().unwrap().total.gain.packets), (0, 30));
    // What a sum loses has gone with its keys.
    series.observe(Some(&MAP.read(5.0, &[(Key::All, 49, None)])));
    let total = series.sample().unwrap().total;
    assert_eq!((series.resets(), total.packets, total.gain.packets), (0, 50, 30));
}

#[test]
fn another_map_begins_a_series() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &packets(100))));
    // It has more than the old one: nothing fell.
    let newer = Map { id: 8, ..MAP };
    let replaced = series.observe(Some(&newer.read(1.0, &packets(300)))).unwrap();
    assert_eq!((replaced.start, replaced.packets_per_second), (time(1.0), None));
    assert_eq!(replaced.total.gain.packets, 300, "it was made since");

    let back = series.observe(Some(&MAP.read(2.0, &packets(400)))).unwrap();
    assert_eq!((back.start, back.total.gain.packets), (time(2.0), 300), "an older map counted before");
    assert_eq!(series.resets(), 2);
}

#[test]
fn another_program_begins_a_series_and_its_map_counts_on() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &packets(100))));
    let other = Map { program: Some(2), ..MAP };
    let sample = series.observe(Some(&other.read(1.0, &packets(110)))).unwrap();
    assert_eq!((sample.start, sample.packets_per_second, sample.total.gain.packets), (time(1.0), None, 10));
    assert_eq!(series.resets(), 1);
}

/// It may be detached for a moment, or another process's.
#[test]
fn a_program_that_is_not_known_is_not_another() {
    let mut series = Series::default();
    let unknown = Map { program: None, ..MAP };
    for (second, map) in [&unknown, &MAP, &unknown, &MAP].into_iter().enumerate() {
        series.observe(Some(&map.read(second as f64, &packets(second as u64))));
    }
    assert_eq!(series.resets(), 0);
    let other = Map { program: Some(2), ..MAP };
    series.observe(Some(&unknown.read(5.0, &packets(5))));
    series.observe(Some(&other.read(6.0, &packets(6))));
    assert_eq!(series.resets(), 1);
}

#[test]
fn a_missing_map_publishes_nothing_and_ends_no_series() {
    let mut series = Series::default();
    assert!(series.observe(None).is_none() && !series.is_up());
    series.observe(Some(&MAP.read(0.0, &packets(100))));
    assert!(series.is_up());
    assert!(series.observe(None).is_none() && series.sample().is_none() && !series.is_up());
    let back = series.observe(Some(&MAP.read(10.0, &packets(200)))).unwrap();
    assert_eq!((back.start, back.packets_per_second), (time(0.0), Some(10.0)));
    assert_eq!(series.resets(), 0);
}

/// What is said at a time may not be said of an earlier one.
#[test]
fn a_clock_that_is_set_back_does_not_go_back() {
    let mut series = Series::default();
    series.observe(Some(&MAP.read(100.0, &packets(10))));
    let mut reading = MAP.read(101.0, &packets(5));
    reading.time = time(0.0);
    let sample = series.observe(Some(&reading)).unwrap();
    assert!(sample.start > time(100.0) && sample.time >= sample.start, "{sample:?}");
}

#[test]
fn keys_with_names_have_totals() {
    let counters = |drop, pass| [(Key::Action("drop"), drop, Some(1)), (Key::Label("tcp".to_owned()), pass, None)];
    let mut series = Series::default();
    series.observe(Some(&MAP.read(0.0, &counters(1, 2))));
    let sample = series.observe(Some(&MAP.read(1.0, &counters(4, 9)))).unwrap();
    let total = |packets, bytes, gain| Total { packets, bytes, gain: Gain { packets: gain, bytes: 0 } };
    let expected = [(Key::Action("drop"), total(4, Some(1), 3)), (Key::Label("tcp".to_owned()), total(9, None, 7))];
    assert_eq!(sample.keys, expected);
    assert_eq!(sample.total.bytes, None, "not all have some");
}

/// A key of few, with counts that rise and fall, and the largest there are.
fn counters() -> impl Strategy<Value = Vec<(Key, u64, Option<u64>)>> {
    let count = || prop_oneof![8 => 0..50_u64, 1 => u64::MAX - 3..=u64::MAX];
    let key = prop_oneof![(0..3_u8).prop_map(key), Just(Key::Action("drop")), Just(Key::Label("tcp".to_owned())),];
    let bytes = prop_oneof![3 => count().prop_map(Some), 1 => Just(None)];
    vec((key, count(), bytes), 0..5).prop_map(|mut counters| {
        counters.sort_by_key(|(key, ..)| format!("{key:?}"));
        counters.dedup_by(|next, kept| next.0 == kept.0);
        counters
    })
}

/// Any reading after any other, at any time of the clock, and none.
fn readings() -> impl Strategy<Value = Vec<Option<Reading>>> {
    let kind = prop_oneof![Just(MapKind::HASH), Just(MapKind::LRU_HASH)];
    let map = (1..4_u32, prop_oneof![Just(None), (1..3_u8).prop_map(Some)]);
    let reading = (map, counters(), 0..3_u32, 0..20_u32);
    let readings = vec(prop_oneof![4 => reading.prop_map(Some), 1 => Just(None)], 1..40);
    (kind, readings).prop_map(|(kind, readings)| {
        let mut at = 0.0;
        let read = |((id, program), counters, pause, clock): ((u32, Option<u8>), Vec<_>, u32, u32)| {
            at += f64::from(pause);
            let mut reading = Map { id, program, kind }.read(at, &counters);
            reading.time = time(f64::from(clock));
            reading
        };
        let mut read = read;
        readings.into_iter().map(|reading| reading.map(&mut read)).collect()
    })
}

fn assert_not_below(now: &Total, before: &Total) {
    assert!(now.packets >= before.packets, "{now:?} after {before:?}");
    if let (Some(now), Some(before)) = (now.bytes, before.bytes) {
        assert!(now >= before, "{now} bytes after {before}");
    }
}

fn assert_gained(now: Gain, before: Gain) {
    assert!(now.packets >= before.packets && now.bytes >= before.bytes, "{now:?} after {before:?}");
}

proptest! {
    /// Whatever a map does: within a series no total falls, from one to the next the start rises, no rate is negative.
    #[test]
    fn totals_of_a_series_never_fall(readings in readings()) {
        let mut series = Series::default();
        let mut before: Option<Sample> = None;
        let mut gains: HashMap<Key, Gain> = HashMap::new();
        let mut starts = 0;
        for reading in &readings {
            let resets = series.resets();
            let Some(sample) = series.observe(reading.as_ref()).cloned() else {
                prop_assert!(reading.is_none() && !series.is_up());
                continue;
            };
            prop_assert!(sample.time >= sample.start);
            prop_assert!(sample.packets_per_second.is_none_or(|rate| rate.is_finite() && rate >= 0.0));
            if let Some(before) = &before {
                if sample.start == before.start {
                    prop_assert_eq!(series.resets(), resets);
                    assert_not_below(&sample.total, &before.total);
                    for (key, now) in &sample.keys {
                        let last = before.keys.iter().find(|(other, _)| other == key);
                        last.iter().for_each(|(_, before)| assert_not_below(now, before));
                    }
                } else {
                    prop_assert!(sample.start > before.start && sample.start > before.time);
                    prop_assert_eq!((sample.packets_per_second, series.resets()), (None, resets + 1));
                    starts += 1;
                }
                assert_gained(sample.total.gain, before.total.gain);
            }
            for (key, now) in &sample.keys {
                assert_gained(now.gain, gains.insert(key.clone(), now.gain).unwrap_or_default());
            }
            before = Some(sample);
        }
        prop_assert_eq!(series.resets(), starts);
    }

    /// Keys are counted and deleted, and come back: what was counted since the first reading is what was gained, and no series ends.
    #[test]
    fn gains_are_what_was_counted(
        kind in prop_oneof![Just(MapKind::HASH), Just(MapKind(5)), Just(MapKind::LRU_HASH)],
        steps in vec((0..3_usize, prop_oneof![4 => (0..1_000_u64).prop_map(Some), 1 => Just(None)]), 1..60),
    ) {
        let map = Map { kind, ..MAP };
        let mut counts = [Some(1_000_000), Some(5), None];
        let read = |second: usize, counts: &[Option<u64>; 3]| {
            let counters = counts.iter().enumerate().filter_map(|(key, count)| {
                Some((Key::Label(key.to_string()), (*count)?, count.map(|count| count * 60)))
            });
            map.read(second as f64, &counters.collect::<Vec<_>>())
        };
        let mut series = Series::default();
        series.observe(Some(&read(0, &counts)));
        let (mut counted, mut of_keys) = (0, [0; 3]);
        for (step, (key, more)) in steps.into_iter().enumerate() {
            counts[key] = more.map(|more| counts[key].unwrap_or(0) + more);
            counted += more.unwrap_or(0);
            of_keys[key] += more.unwrap_or(0);
            let sample = series.observe(Some(&read(step + 1, &counts))).unwrap();
            prop_assert_eq!(sample.total.gain, Gain { packets: counted, bytes: counted * 60 });
            prop_assert_eq!(sample.total.packets, 1_000_005 + counted);
            for (key, total) in &sample.keys {
                let Key::Label(key) = key else { panic!("{key:?}") };
                prop_assert_eq!(total.gain.packets, of_keys[key.parse::<usize>().unwrap()]);
            }
        }
        prop_assert_eq!(series.resets(), 0);
    }
}
