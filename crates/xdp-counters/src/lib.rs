//! Packet counters in BPF maps.
//!
//! Reads the counters of an XDP program, whoever loaded it: a [`Selector`] says which map is meant, a [`Layout`] where packets and
//! bytes are in a value, and a [`Reading`] is what one look at the map gives. [`Series`] makes of readings counters that only grow.
//! [`program`] has an XDP program of its own.
//!
//! ```no_run
//! use xdp_counters::{Reader, Selector};
//!
//! let reader = Reader::new(Selector::Name("xdp_stats_map".to_owned()), None)?;
//! let reading = reader.read()?;
//! println!("{} packets in map {}", reading.packets(), reading.map.id);
//! # Ok::<(), xdp_counters::ReadError>(())
//! ```
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod btf;
mod error;
mod interface;
mod layout;
mod list;
pub mod program;
mod reader;
mod reading;
mod select;
mod series;
mod sys;
mod writer;

pub use error::ReadError;
pub use interface::{Attached, Mode, attached};
pub use layout::{Layout, LayoutError};
pub use list::{ListedMap, ListedProgram, Process, list};
pub use reader::{Measuring, Reader, measure_programs};
pub use reading::{Counter, Key, MapFacts, MapKind, ProgramFacts, ProgramRun, Reading};
pub use select::Selector;
pub use series::{Gain, Sample, Series, Total};
pub use sys::Access;
