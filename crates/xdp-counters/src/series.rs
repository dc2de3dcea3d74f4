//! Readings of one map over time: totals that only rise, and rates.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use crate::reading::{Counter, Key, MapFacts, ProgramFacts, Reading};

/// Follows a map from reading to reading.
///
/// A series is what a backend may subtract: within one, no total falls. Another map, another program, or a counter that went
/// down begins the next one, with a start time of its own. A key that is gone from a hash table, where its owner deleted it or an
/// LRU map needed the room, is none: what it had stays in the totals, and when it comes back it counts from zero.
///
/// ```
/// use std::time::{Instant, SystemTime};
/// use xdp_counters::{Counter, Key, MapFacts, MapKind, Reading, Series};
///
/// let map = MapFacts {
///     id: 7,
///     name: "xdp_stats_map".to_owned(),
///     kind: MapKind::HASH,
///     key_size: 4,
///     value_size: 16,
///     max_entries: 1,
/// };
/// let counters = vec![Counter { key: Key::Bytes(vec![0; 4]), packets: 3, bytes: Some(180) }];
/// let (at, time) = (Instant::now(), SystemTime::now());
/// let reading = Reading { map, program: None, candidates: 1, at, time, counters };
///
/// let mut series = Series::default();
/// let sample = series.observe(Some(&reading)).unwrap();
/// assert_eq!((sample.total.packets, sample.packets_per_second), (3, None));
/// assert!(series.observe(None).is_none() && !series.is_up());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Series {
    /// The last one, though the map be missing now.
    sample: Option<Sample>,
    is_up: bool,
    resets: u64,
    /// Counters of the last reading.
    counters: HashMap<Key, Count>,
    /// The last program that was known: whether it is may change from one reading to the next.
    tag: Option<[u8; 8]>,
    /// Highest number of a map so far.
    newest_map: u32,
    /// What was counted under each key with a name, those that are gone too: there are as many as the map's type has.
    gains: HashMap<Key, Gain>,
    /// What a hash table no longer has of this series.
    evicted: Evicted,
}

/// What keys had when they were last seen.
#[derive(Clone, Debug, Default)]
struct Evicted {
    total: Count,
    /// Of those with a name.
    keys: HashMap<Key, Count>,
}

/// What a series says at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The map that was read.
    pub map: MapFacts,
    /// The program that writes to it, where it is known.
    pub program: Option<ProgramFacts>,
    /// Maps that could have been meant.
    pub candidates: usize,
    /// When this was first seen of this map with this program; never twice the same.
    pub start: SystemTime,
    /// When it was read; not before `start`, whatever is done to the clock.
    pub time: SystemTime,
    /// The same, for rates.
    pub at: Instant,
    /// Packets a second since the reading before; `None` in the first of a series.
    pub packets_per_second: Option<f64>,
    /// Over all keys.
    pub total: Total,
    /// Of each key that has a name.
    pub keys: Vec<(Key, Total)>,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Packets, as the map has them, and what keys of an LRU map had that were evicted.
    pub packets: u64,
    /// Bytes likewise, if the map has them.
    pub bytes: Option<u64>,
    /// What was added to the map while it was watched.
    pub gain: Gain,
}

/// What was added while a map and its successors were watched. Never falls, from one series to the next neither, so that
/// differences can be made of it at any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gain {
    /// Packets.
    pub packets: u64,
    /// Bytes.
    pub bytes: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    packets: u64,
    bytes: Option<u64>,
}

/// How a reading goes on from the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    /// It counts on.
    Last,
    /// It counts on, for another program.
    OtherProgram,
    /// It began at zero since.
    Zero,
    /// It began at a time that is not known.
    Unknown,
}

/// Keys whose gains are remembered at most, but for those that are in the map: maps of others bring names of their own.
const MAX_GAINS: usize = 1024;

impl Series {
    /// Takes what one look at the map gave, `None` when there is no map. Returns what is to be published, which is nothing then.
    pub fn observe(&mut self, reading: Option<&Reading>) -> Option<&Sample> {
        self.is_up = reading.is_some();
        let reading = reading?;
        let counters = reading.counters.iter().map(|counter| (counter.key.clone(), Count::of(counter))).collect();
        let in_map = Count { packets: reading.packets(), bytes: reading.bytes() };
        self.evict(reading, &counters, in_map);
        let mut total = in_map.plus(self.evicted.total);
        let since = self.since(reading, &counters, total);
        if matches!(since, Since::Zero | Since::Unknown) {
            self.evicted = Evicted::default();
            total = in_map;
        }
        let last = self.sample.take();
        let is_continued = since == Since::Last;
        if !is_continued && last.is_some() {
            self.resets += 1;
        }
        let start = match &last {
            Some(last) if is_continued => last.start,
            // Not before what was said already.
            Some(last) => reading.time.max(last.time + Duration::from_nanos(1)),
            None => reading.time,
        };
        let last_total = last.as_ref().map(|last| last.total).unwrap_or_default();
        let base = Base { since, is_same_map: last.as_ref().is_some_and(|last| last.map.id == reading.map.id) };
        let gain = last_total.gain.plus(self.gained(&counters, base, total, last_total.into()));
        let rate = last.filter(|_| is_continued).and_then(|last| rate(&last, total.packets, reading.at));
        let keys = self.named(&counters, reading, base);
        self.counters = counters;
        self.tag = reading.program.as_ref().map(|program| program.tag).or(self.tag);
        self.newest_map = self.newest_map.max(reading.map.id);
        self.sample = Some(Sample {
            map: reading.map.clone(),
            program: reading.program.clone(),
            candidates: reading.candidates,
            start,
            time: reading.time.max(start),
            at: reading.at,
            packets_per_second: rate,
            total: total.total(gain),
            keys,
        });
        self.sample()
    }

    /// What was added over all keys since the reading before.
    fn gained(&self, counters: &HashMap<Key, Count>, base: Base, total: Count, last: Count) -> Gain {
        if self.counters.keys().chain(counters.keys()).any(|key| *key == Key::All) {
            // Which of them fell is not known.
            return if base.is_same_map { total.since(last) } else { base.gain(total, last) };
        }
        let of_key = |(key, now): (&Key, &Count)| base.gain(*now, self.counters.get(key).copied().unwrap_or_default());
        counters.iter().map(of_key).fold(Gain::default(), Gain::plus)
    }

    /// Totals of keys with a name, in the order of the reading, and after them of those that are gone.
    fn named(&mut self, counters: &HashMap<Key, Count>, reading: &Reading, base: Base) -> Vec<(Key, Total)> {
        let is_gone = |(key, _): &(&Key, &Count)| !counters.contains_key(*key);
        let gone = self.evicted.keys.iter().filter(is_gone).map(|(key, _)| key);
        let names = reading.counters.iter().map(|counter| &counter.key).filter(|key| has_name(key)).chain(gone);
        // What each key had in a sum of all is not known.
        let is_new_after_sum = base.is_same_map && self.counters.contains_key(&Key::All);
        let base = if is_new_after_sum { Base { since: Since::Unknown, ..base } } else { base };
        let mut keys = Vec::new();
        for key in names {
            let evicted = self.evicted.keys.get(key).copied().unwrap_or_default();
            let before = self.counters.get(key).copied().unwrap_or_default();
            let gain = self.gains.entry(key.clone()).or_default();
            *gain = gain.plus(counters.get(key).map_or(Gain::default(), |now| base.gain(*now, before)));
            let now = counters.get(key).copied().unwrap_or(Count { packets: 0, bytes: evicted.bytes.map(|_| 0) });
            keys.push((key.clone(), now.plus(evicted).total(*gain)));
        }
        if self.gains.len() > MAX_GAINS {
            self.gains.retain(|known, _| keys.iter().any(|(key, _)| key == known));
        }
        keys
    }

    /// Keeps what a hash table had in the reading before and has no longer: a key that is gone, or was and came back, which an
    /// LRU map is known by where it has less.
    fn evict(&mut self, reading: &Reading, counters: &HashMap<Key, Count>, in_map: Count) {
        let is_same = self.sample.as_ref().is_some_and(|last| last.map.id == reading.map.id);
        if reading.map.kind.is_array() || !is_same {
            return;
        }
        if self.counters.keys().chain(counters.keys()).any(|key| *key == Key::All) {
            // What came and what went are one number; what is missing of it went.
            let before = self.counters.values().fold(Count::default(), |sum, count| sum.plus(*count));
            self.evicted.total = self.evicted.total.plus(before.missing(in_map));
            return;
        }
        for (key, before) in &self.counters {
            let now = counters.get(key).copied();
            if now.is_some_and(|now| !now.is_below(*before) || !reading.map.kind.is_lru()) {
                continue;
            }
            self.evicted.total = self.evicted.total.plus(*before);
            if has_name(key) {
                let evicted = self.evicted.keys.entry(key.clone()).or_default();
                *evicted = evicted.plus(*before);
            }
        }
    }

    /// What is to be published now; nothing while the map is missing.
    pub fn sample(&self) -> Option<&Sample> {
        self.sample.as_ref().filter(|_| self.is_up)
    }

    /// Whether the map was there when it was last looked for.
    pub const fn is_up(&self) -> bool {
        self.is_up
    }

    /// How often a series was followed by another.
    pub const fn resets(&self) -> u64 {
        self.resets
    }

    fn since(&self, reading: &Reading, counters: &HashMap<Key, Count>, total: Count) -> Since {
        let Some(last) = &self.sample else { return Since::Unknown };
        if reading.map.id != last.map.id {
            // Numbers rise: a map with a higher one than any before was made meanwhile.
            return if reading.map.id > self.newest_map { Since::Zero } else { Since::Unknown };
        }
        // A key that is gone from a hash table has not fallen.
        let gone = if reading.map.kind.is_array() { Some(Count::default()) } else { None };
        let has_fallen = |(key, before): (&Key, &Count)| {
            counters.get(key).copied().or(gone).is_some_and(|now| now.is_below(*before))
        };
        // What keys there are in a sum of all is not known, and those of an LRU map may go and come back.
        let are_known =
            !reading.map.kind.is_lru() && !self.counters.keys().chain(counters.keys()).any(|key| *key == Key::All);
        // A sum falls beside its counters where it wraps.
        if are_known && self.counters.iter().any(has_fallen) || total.is_below(last.total.into()) {
            return Since::Zero;
        }
        let other_tag = |program: &ProgramFacts| self.tag.is_some_and(|tag| tag != program.tag);
        if reading.program.as_ref().is_some_and(other_tag) { Since::OtherProgram } else { Since::Last }
    }
}

impl Count {
    fn of(counter: &Counter) -> Self {
        Self { packets: counter.packets, bytes: counter.bytes }
    }

    fn plus(self, other: Self) -> Self {
        let bytes = [self.bytes, other.bytes].into_iter().flatten().reduce(u64::saturating_add);
        Self { packets: self.packets.saturating_add(other.packets), bytes }
    }

    /// What came to `before`, none where it is less.
    fn since(self, before: Self) -> Gain {
        let bytes = self.bytes.unwrap_or_default().saturating_sub(before.bytes.unwrap_or_default());
        Gain { packets: self.packets.saturating_sub(before.packets), bytes }
    }

    /// What `now` has less.
    fn missing(self, now: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(now.packets),
            bytes: self.bytes.map(|bytes| bytes.saturating_sub(now.bytes.unwrap_or_default())),
        }
    }

    /// Whether packets or bytes are fewer; bytes that are gone are none.
    fn is_below(self, other: Self) -> bool {
        self.packets < other.packets || self.bytes.unwrap_or_default() < other.bytes.unwrap_or_default()
    }

    const fn total(self, gain: Gain) -> Total {
        Total { packets: self.packets, bytes: self.bytes, gain }
    }
}

impl From<Total> for Count {
    fn from(total: Total) -> Self {
        Self { packets: total.packets, bytes: total.bytes }
    }
}

impl Gain {
    fn plus(self, other: Self) -> Self {
        Self { packets: self.packets.saturating_add(other.packets), bytes: self.bytes.saturating_add(other.bytes) }
    }
}

/// What a reading is compared with.
#[derive(Clone, Copy, Debug)]
struct Base {
    since: Since,
    is_same_map: bool,
}

impl Base {
    /// What came to a counter. One that fell began anew; others of its map did not.
    fn gain(self, now: Count, before: Count) -> Gain {
        match self.since {
            Since::Unknown => Gain::default(),
            Since::Zero if !self.is_same_map => now.since(Count::default()),
            // Bytes alone may begin anew: a field of four bytes is full sooner.
            _ => {
                let from = |now: u64, before: u64| if now < before { now } else { now - before };
                let bytes = from(now.bytes.unwrap_or_default(), before.bytes.unwrap_or_default());
                Gain { packets: from(now.packets, before.packets), bytes }
            }
        }
    }
}

/// `None` when no time has passed.
fn rate(last: &Sample, packets: u64, at: Instant) -> Option<f64> {
    let seconds = at.checked_duration_since(last.at)?.as_secs_f64();
    (seconds > 0.0).then(|| packets.saturating_sub(last.total.packets) as f64 / seconds)
}

const fn has_name(key: &Key) -> bool {
    matches!(key, Key::Action(_) | Key::Label(_))
}

#[cfg(test)]
mod tests;
