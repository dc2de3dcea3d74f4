//! What one look at a map gives.

use std::fmt;
use std::time::{Duration, Instant, SystemTime};

/// What is in a map of counters at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The map that was read.
    pub map: MapFacts,
    /// The program that writes to it, where it is known.
    pub program: Option<ProgramFacts>,
    /// Maps that the selector could have meant, this one among them.
    pub candidates: usize,
    /// When it was read, for rates.
    pub at: Instant,
    /// When it was read, for people.
    pub time: SystemTime,
    /// One for each key of the map, summed over CPUs, in the order of the keys' bytes.
    pub counters: Vec<Counter>,
}

impl Reading {
    /// Packets of all keys. Wraps, as the counters of the kernel do.
    pub fn packets(&self) -> u64 {
        self.counters.iter().fold(0, |sum, counter| sum.wrapping_add(counter.packets))
    }

    /// Bytes of all keys; `None` where values hold no bytes.
    pub fn bytes(&self) -> Option<u64> {
        self.counters.iter().try_fold(0_u64, |sum, counter| Some(sum.wrapping_add(counter.bytes?)))
    }
}

/// What the kernel says of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapFacts {
    /// Its number, which is never used a second time while the system runs.
    pub id: u32,
    /// At most 15 bytes: the kernel cuts longer names.
    pub name: String,
    /// How it holds its values.
    pub kind: MapKind,
    /// Length of a key, in bytes.
    pub key_size: u32,
    /// Length of a value of one CPU, in bytes.
    pub value_size: u32,
    /// Most entries.
    pub max_entries: u32,
}

/// What the kernel says of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFacts {
    /// Its number.
    pub id: u32,
    /// At most 15 bytes.
    pub name: String,
    /// A digest of its instructions: another program has another one.
    pub tag: [u8; 8],
    /// How long it ran, while the kernel measures that.
    pub run: ProgramRun,
}

/// How long a program ran and how often, since the kernel measures it ([`measure_programs`](crate::measure_programs)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProgramRun {
    /// All runs together.
    pub time: Duration,
    /// Runs.
    pub count: u64,
}

/// Type of a map, as `enum bpf_map_type` of `linux/bpf.h` numbers them. Only those with counters are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MapKind(pub u32);

impl MapKind {
    /// `BPF_MAP_TYPE_HASH`
    pub const HASH: Self = Self(1);
    /// `BPF_MAP_TYPE_ARRAY`
    pub const ARRAY: Self = Self(2);
    /// `BPF_MAP_TYPE_PERCPU_HASH`
    pub const PERCPU_HASH: Self = Self(5);
    /// `BPF_MAP_TYPE_PERCPU_ARRAY`
    pub const PERCPU_ARRAY: Self = Self(6);
    /// `BPF_MAP_TYPE_LRU_HASH`
    pub const LRU_HASH: Self = Self(9);
    /// `BPF_MAP_TYPE_LRU_PERCPU_HASH`
    pub const LRU_PERCPU_HASH: Self = Self(10);

    /// Whether its values can be read as counters.
    pub const fn is_readable(self) -> bool {
        matches!(self.0, 1 | 2 | 5 | 6 | 9 | 10)
    }

    /// Whether a value is one for each possible CPU.
    pub const fn is_per_cpu(self) -> bool {
        matches!(self.0, 5 | 6 | 10)
    }

    /// Whether it evicts keys that were not used for long to make room for others.
    pub const fn is_lru(self) -> bool {
        matches!(self.0, 9 | 10)
    }

    /// Whether every key exists from the start.
    pub const fn is_array(self) -> bool {
        matches!(self.0, 2 | 6)
    }
}

impl fmt::Display for MapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HASH => f.write_str("hash"),
            Self::ARRAY => f.write_str("array"),
            Self::PERCPU_HASH => f.write_str("percpu_hash"),
            Self::PERCPU_ARRAY => f.write_str("percpu_array"),
            Self::LRU_HASH => f.write_str("lru_hash"),
            Self::LRU_PERCPU_HASH => f.write_str("lru_percpu_hash"),
            Self(number) => write!(f, "type {number}"),
        }
    }
}

/// Packets and bytes under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counter {
    /// What is counted here.
    pub key: Key,
    /// Packets, summed over CPUs.
    pub packets: u64,
    /// Bytes, summed over CPUs, where values hold them. Packets and bytes are two additions of the program: a reader may see one
    /// of them further on than the other.
    pub bytes: Option<u64>,
}

/// What a key stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A verdict of XDP, `aborted`, `drop`, `pass`, `tx` or `redirect`: the map is an array or a hash table of five.
    Action(&'static str),
    /// A name that the map's type information (BTF) has for it, or that our own program gives it.
    Label(String),
    /// Nothing is known of it but its bytes.
    Bytes(Vec<u8>),
    /// All keys: there are more than 4096.
    All,
}
