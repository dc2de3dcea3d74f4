//! Packet counters in BPF maps.
//!
//! Reads the counters of an XDP program, whoever loaded it. A [`Reading`] is what one look at a map gives.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod reading;
mod series;

pub use reading::{Counter, Key, MapFacts, MapKind, ProgramFacts, Reading};
pub use series::{Gain, Sample, Series, Total};
