//! Takes flows out of the maps that our program keeps them in.

use std::os::fd::AsFd;
use std::path::PathBuf;

use super::flows::{ENTRY_LEN, Flow};
use super::{FLOW_MAPS, PROTOCOL_MAP, Protocol, TURN_MAP};
use crate::error::ReadError;
use crate::reader::Reader;
use crate::reading::{Key, MapFacts, MapKind, Reading};
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
    counted: Counted,
}

/// How one look at the flows went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Flows.
    pub flows: u64,
    /// How many the map has room for.
    pub capacity: u32,
    /// Packets over IP since the last look that are in no flow: their flows made room for others, or their IP header is
    /// damaged. Exact but for the packets of some microseconds, which may come out at a later look.
    pub missed: u64,
}

/// Flows that nobody took out before their program and its maps went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// Flows.
    pub flows: u64,
    /// Their packets.
    pub packets: u64,
}

impl Taken {
    /// The share of the room that was in use.
    pub fn usage(&self) -> f64 {
        self.flows as f64 / f64::from(self.capacity.max(1))
    }
}

impl FlowDrain {
    /// Takes them out there.
    pub fn new(source: FlowSource) -> Self {
        Self { source, counted: Counted::default() }
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

        let counted = Reader::new(self.selector(PROTOCOL_MAP), None)?.read()?;
        let next = (1 - now as u64).to_ne_bytes();
        sys::set(turn.fd.as_fd(), TURN_SIZES, &key, &next).map_err(failed)?;
        sys::wait_for_programs();
        let mut taken = Taken { flows: 0, capacity: flows.info.max_entries, missed: 0 };
        let mut packets = 0_u64;
        let mut batches = Batches::new(FLOW_SIZES, BATCH.min(taken.capacity.max(1) as usize), true);
        while let Some(entries) = batches.next(flows.fd.as_fd()).map_err(failed)? {
            for flow in entries.iter().filter_map(|(key, value)| Flow::from_entry(key, value)) {
                show(&flow);
                taken.flows += 1;
                packets = packets.wrapping_add(flow.packets);
            }
        }
        taken.missed = self.counted.missed(&counted, packets);
        Ok(taken)
    }

    fn find(&self, name: &str, kind: MapKind, sizes: Sizes) -> Result<Found, ReadError> {
        let found = self.selector(name).find_to_take()?;
        let map = facts(&found.info);
        if is_ours(&map, kind, sizes) { Ok(found) } else { Err(ReadError::NoFlows { name: map.name }) }
    }

    fn selector(&self, map: &str) -> Selector {
        match &self.source {
            FlowSource::Interface(interface) => {
                Selector::Interface { interface: interface.clone(), map: Some(map.to_owned()) }
            }
            FlowSource::Pins(directory) => Selector::Pin(directory.join(map)),
        }
    }
}

fn is_ours(map: &MapFacts, kind: MapKind, sizes: Sizes) -> bool {
    map.kind == kind && [map.key_size as usize, map.value_size as usize] == [sizes.key, sizes.value]
}

/// What is in the maps of flows of a program that no interface has any more; `None` where they are not there or cannot be
/// read.
pub(super) fn left<M: AsFd>(open: impl FnMut(&str) -> Option<M>) -> Option<Left> {
    let [Some(first), Some(second)] = FLOW_MAPS.map(open) else { return None };
    sys::wait_for_programs();
    let mut left = Left::default();
    for map in [first.as_fd(), second.as_fd()] {
        let info = sys::map_info(map).ok()?;
        if !is_ours(&facts(&info), MapKind::LRU_HASH, FLOW_SIZES) {
            return None;
        }
        let mut batches = Batches::new(FLOW_SIZES, BATCH.min(info.max_entries.max(1) as usize), false);
        while let Some(entries) = batches.next(map).ok()? {
            for flow in entries.iter().filter_map(|(key, value)| Flow::from_entry(key, value)) {
                left.flows += 1;
                left.packets = left.packets.wrapping_add(flow.packets);
            }
        }
    }
    Some(left)
}

/// Packets as the program counts them, beside those of flows.
#[derive(Debug, Default)]
struct Counted {
    /// The map of the last look; `None` before the first.
    map: Option<u32>,
    /// Packets over IP at the last look.
    packets: u64,
    /// How many more of them were counted than were in flows, since the first look; told up to the most that it was.
    difference: i64,
    told: i64,
}

impl Counted {
    /// How many more packets are in no flow.
    fn missed(&mut self, reading: &Reading, in_flows: u64) -> u64 {
        let is_ip = |key: &Key| match key {
            Key::Label(label) => ![Protocol::Arp, Protocol::NonIp].iter().any(|other| other.name() == label),
            _ => true,
        };
        let of_ip = reading.counters.iter().filter(|counter| is_ip(&counter.key));
        let packets = of_ip.fold(0_u64, |sum, counter| sum.wrapping_add(counter.packets));
        if self.map.replace(reading.map.id) != Some(reading.map.id) {
            // What was before is in flows that somebody else took.
            (self.packets, self.difference, self.told) = (packets, 0, 0);
            return 0;
        }
        let since = packets.wrapping_sub(self.packets).wrapping_sub(in_flows).cast_signed();
        self.packets = packets;
        self.difference = self.difference.wrapping_add(since);
        let missed = self.difference.saturating_sub(self.told).max(0);
        self.told += missed;
        missed.cast_unsigned()
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::*;
    use crate::reading::Counter;

    fn reading(map: u32, tcp: u64, arp: u64) -> Reading {
        let map = MapFacts {
            id: map,
            name: PROTOCOL_MAP.to_owned(),
            kind: MapKind::PERCPU_ARRAY,
            key_size: 4,
            value_size: 16,
            max_entries: 8,
        };
        let counter =
            |protocol: Protocol, packets| Counter { key: Key::Label(protocol.name().to_owned()), packets, bytes: None };
        let counters = vec![counter(Protocol::Tcp, tcp), counter(Protocol::Arp, arp)];
        Reading { map, program: None, candidates: 1, at: Instant::now(), time: SystemTime::now(), counters }
    }

    #[test]
    fn packets_in_no_flow_are_counted() {
        let mut counted = Counted::default();
        for (map, tcp, arp, in_flows, missed) in [
            (1, 1_000, 5, 10, 0),  // Of others before.
            (1, 1_100, 9, 100, 0), // All of them are in flows; ARP never is.
            (1, 1_200, 9, 70, 30), // Thirty gave way.
            (1, 1_200, 9, 4, 0),   // Four came between counting and taking,
            (1, 1_204, 9, 0, 0),   // and are counted now.
            (1, 1_214, 9, 5, 5),
            (2, 7, 0, 7, 0), // Another program.
            (2, 17, 0, 9, 1),
        ] {
            assert_eq!(counted.missed(&reading(map, tcp, arp), in_flows), missed, "{tcp} of map {map}");
        }
    }
}
