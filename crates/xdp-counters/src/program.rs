//! An XDP program of our own: it counts packets, keeps flows if asked to, and passes every packet on.
//!
//! It is assembled here, so that nothing but Rust is needed to build it. [`object()`] gives it as an ELF object, [`attach()`]
//! loads it and puts it on an interface. Its maps:
//!
//! | map | type | key | value |
//! |---|---|---|---|
//! | [`STATS_MAP`] | `PERCPU_ARRAY` of 5 | `u32`, verdict of XDP, always 2, `XDP_PASS` | `u64` packets, `u64` bytes |
//! | [`PROTOCOL_MAP`] | `PERCPU_ARRAY` of 8 | `u32`, [`Protocol`] | the same |
//! | [`FLOW_MAPS`], two | `LRU_HASH` | 40 bytes, [`FlowKey`] | 40 bytes, the rest of a [`Flow`] |
//! | [`TURN_MAP`] | `ARRAY` of 1 | `u32`, 0 | `u64`, which of the two flows go to: the second unless it is 0 |
//!
//! A [`FlowDrain`] takes flows out of one of the two while the program fills the other: taken from under a program that is adding
//! to them, some packets of each drain would be lost. Who only looks finds all flows in the first.
//!
//! Where an interface has a large MTU, packets come in several buffers, which some drivers give to a program that is made
//! for them alone ("frags", since Linux 5.18): it asks the kernel for the length, and otherwise is the same.
//!
//! Bytes of the arrays are those of frames, from the Ethernet header to the end; those of flows begin with the IP header.

use std::num::NonZeroU32;

use crate::reading::{MapFacts, MapKind, ProgramFacts};

pub use attach::{AttachError, AttachMode, AttachOptions, Attachment, attach};
pub use classify::{Classified, FlowPacket, Protocol, classify};
pub use drain::{FlowDrain, FlowSource, Left, Taken};
pub use flows::{DEFAULT_FLOWS, Flow, FlowKey};
pub use holder::Holder;
pub use pins::{DetachError, detach_interface, detach_pinned};

mod asm;
mod attach;
mod classify;
mod code;
mod drain;
mod elf;
mod flows;
mod holder;
mod pins;
mod types;

/// Packets and bytes by verdict. Tools that read `xdp_stats_map` of other programs read it too.
pub const STATS_MAP: &str = "xdp_stats_map";

/// Packets and bytes by [`Protocol`]. A [`Reader`](crate::Reader) knows it by this name and its shape, and its keys by theirs.
pub const PROTOCOL_MAP: &str = "xdp_proto_stats";

/// Flows.
pub const FLOW_MAPS: [&str; 2] = ["xdp_flows", "xdp_flows_2"];

/// Which of the two flows go to.
pub const TURN_MAP: &str = "xdp_flow_turn";

/// All maps, in the order of the object; the last three with flows only.
pub const MAPS: [&str; 5] = [STATS_MAP, PROTOCOL_MAP, TURN_MAP, FLOW_MAPS[0], FLOW_MAPS[1]];

/// The program's name in the kernel and in the object.
pub const PROGRAM_NAME: &str = "xdp_counters";

/// The object's section that has the program, and that of the one for packets of several buffers: loaders go by it.
pub const SECTION: &str = "xdp";
/// See [`SECTION`].
pub const FRAGS_SECTION: &str = "xdp.frags";

/// One that the kernel takes for compatible with the GPL.
pub const LICENSE: &str = "Dual MIT/GPL";

/// Whether this is [`PROTOCOL_MAP`]: by its name and shape, as they are all that is told to who has no capability, and by the
/// program's name where that is known. Type information cannot say it, as the kernel takes nothing but a number for an array's key.
pub(crate) fn is_protocol_map(map: &MapFacts, program: Option<&ProgramFacts>) -> bool {
    let shape = (map.kind, map.key_size, map.value_size, map.max_entries);
    map.name == PROTOCOL_MAP
        && shape == (MapKind::PERCPU_ARRAY, 4, 16, Protocol::ALL.len() as u32)
        && program.is_none_or(|program| program.name == PROGRAM_NAME)
}

/// The program as an ELF object, little endian; with [`FLOW_MAPS`] for that many flows each, or without; for packets of
/// several buffers, or of one, which costs less and which any kernel takes.
pub fn object(flows: Option<NonZeroU32>, with_frags: bool) -> Vec<u8> {
    let section = if with_frags { FRAGS_SECTION } else { SECTION };
    elf::object(section, &code::program(flows.is_some(), with_frags), flows.map(NonZeroU32::get))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::ProgramRun;

    #[test]
    fn the_map_of_protocols_is_known_by_name_and_shape() {
        let own = MapFacts {
            id: 7,
            name: PROTOCOL_MAP.to_owned(),
            kind: MapKind::PERCPU_ARRAY,
            key_size: 4,
            value_size: 16,
            max_entries: 8,
        };
        let program =
            |name: &str| ProgramFacts { id: 3, name: name.to_owned(), tag: [0; 8], run: ProgramRun::default() };
        assert!(is_protocol_map(&own, None), "who has no capability knows no program");
        assert!(is_protocol_map(&own, Some(&program(PROGRAM_NAME))));
        assert!(!is_protocol_map(&own, Some(&program("xdp_other"))));
        for other in [
            MapFacts { name: STATS_MAP.to_owned(), ..own.clone() },
            MapFacts { kind: MapKind::ARRAY, ..own.clone() },
            MapFacts { key_size: 8, ..own.clone() },
            MapFacts { value_size: 8, ..own.clone() },
            MapFacts { max_entries: 16, ..own.clone() },
        ] {
            assert!(!is_protocol_map(&other, None), "{other:?}");
        }
        // All of it counts: the kernel cuts longer names.
        assert!(PROTOCOL_MAP.len() <= 15);
    }
}
