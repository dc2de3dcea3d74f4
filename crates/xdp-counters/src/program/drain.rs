//! Takes flows out of the maps that our program keeps them in.

use std::os::fd::AsFd;
use std::path::PathBuf;

use super::flows::{ENTRY_LEN, Flow};
use super::{FLOW_MAPS, TURN_MAP};
use crate::error::ReadError;
use crate::reading::MapKind;
use crate::select::{Found, Selector, facts};
use crate::sys::{self, Batches, Sizes};

/// Entries of a batch: below 4,096 the calls begin to show.
const BATCH: usize = 8_192;

const FLOW_SIZES: Sizes = Sizes { key: ENTRY_LEN, value: ENTRY_LEN };
const TURN_SIZES: Sizes = Sizes { key: 4, value: 8 };

/// Where our program keeps flows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FlowSource {
    /// The program on this interface.
    Interface(String),
    /// The program whose maps are pinned in this directory.
    Pins(PathBuf),
}

/// Takes flows out, again and again. A program has one that does.
///
/// As a [`Reader`](crate::Reader) it looks for the maps each time and keeps no file open.
#[derive(Debug)]
pub struct FlowDrain {
    source: FlowSource,
}

/// How one look at the flows went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Flows.
    pub flows: u64,
    /// How many the map has room for. When nearly as many come, others may have been given up for them.
    pub capacity: u32,
}

impl Taken {
    /// The share of the room that was in use.
    pub fn usage(&self) -> f64 {
        self.flows as f64 / f64::from(self.capacity.max(1))
    }
}

impl FlowDrain {
    /// Takes them out there.
    pub const fn new(source: FlowSource) -> Self {
        Self { source }
    }

    /// Where it takes them out.
    pub const fn source(&self) -> &FlowSource {
        &self.source
    }

    /// Takes out and shows all flows of the packets so far. The program keeps those of packets that come meanwhile in its
    /// other map, so that each packet is in one flow that is shown, now or later.
    ///
    /// # Errors
    ///
    /// As of [`Reader::read`](crate::Reader::read), and [`ReadError::NoFlows`] where the maps are others. Flows that were shown
    /// are out of the map all the same.
    pub fn take(&mut self, mut show: impl FnMut(&Flow)) -> Result<Taken, ReadError> {
        let turn = self.find(TURN_MAP, MapKind::ARRAY, TURN_SIZES)?;
        let failed = |source| ReadError::from_kernel("taking flows out of a map", source);
        let (key, mut value) = ([0; TURN_SIZES.key], [0; TURN_SIZES.value]);
        sys::look_up(turn.fd.as_fd(), TURN_SIZES, &key, &mut value).map_err(failed)?;
        let now = usize::from(u64::from_ne_bytes(value) != 0);
        let flows = self.find(FLOW_MAPS[now], MapKind::LRU_HASH, FLOW_SIZES)?;

        let next = (1 - now as u64).to_ne_bytes();
        sys::set(turn.fd.as_fd(), TURN_SIZES, &key, &next).map_err(failed)?;
        sys::wait_for_programs();
        let mut taken = Taken { flows: 0, capacity: flows.info.max_entries };
        let mut batches = Batches::new(FLOW_SIZES, BATCH.min(taken.capacity.max(1) as usize), true);
        while let Some(entries) = batches.next(flows.fd.as_fd()).map_err(failed)? {
            for flow in entries.iter().filter_map(|(key, value)| Flow::from_entry(key, value)) {
                show(&flow);
                taken.flows += 1;
            }
        }
        Ok(taken)
    }

    fn find(&self, name: &str, kind: MapKind, sizes: Sizes) -> Result<Found, ReadError> {
        let selector = match &self.source {
            FlowSource::Interface(interface) => {
                Selector::Interface { interface: interface.clone(), map: Some(name.to_owned()) }
            }
            FlowSource::Pins(directory) => Selector::Pin(directory.join(name)),
        };
        let found = selector.find_to_take()?;
        let map = facts(&found.info);
        let is_ours = map.kind == kind && [map.key_size as usize, map.value_size as usize] == [sizes.key, sizes.value];
        if is_ours { Ok(found) } else { Err(ReadError::NoFlows { name: map.name }) }
    }
}
