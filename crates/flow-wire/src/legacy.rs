//! NetFlow v1, v5, v7 and v8: fixed records, described by built-in Templates.
//!
//! Field positions are those of Cisco's "NetFlow Export Datagram Format". A v1 record has 48 bytes; one manual (Extreme
//! Networks, PoS module) documents 52, which is taken only when the datagram is exactly that long. A v8 record depends
//! on the aggregation scheme in its header. Descriptions of v8 differ in two places: in the schemes with both prefixes
//! the mask of the destination comes first here, and in scheme 9 the type of service comes behind the interfaces.

use alloc::vec::Vec;

use crate::ie::id;
use crate::message::{Message, Version};
use crate::template::{FieldSpecifier, Template};

type Fields = &'static [(u16, u16)];

/// What the records of v1, v5 and v7 begin with.
const COMMON: Fields = &[
    (id::SOURCE_IPV4_ADDRESS, 4),
    (id::DESTINATION_IPV4_ADDRESS, 4),
    (id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    (id::INGRESS_INTERFACE, 2),
    (id::EGRESS_INTERFACE, 2),
    (id::PACKET_DELTA_COUNT, 4),
    (id::OCTET_DELTA_COUNT, 4),
    (id::FLOW_START_SYS_UP_TIME, 4),
    (id::FLOW_END_SYS_UP_TIME, 4),
    (id::SOURCE_TRANSPORT_PORT, 2),
    (id::DESTINATION_TRANSPORT_PORT, 2),
];

const V1: Fields = &[
    (id::PADDING_OCTETS, 2),
    (id::PROTOCOL_IDENTIFIER, 1),
    (id::IP_CLASS_OF_SERVICE, 1),
    (id::TCP_CONTROL_BITS, 1),
    (id::PADDING_OCTETS, 7),
];

/// In v7 the paddings are flags that say which fields are invalid.
const V5: Fields = &[
    (id::PADDING_OCTETS, 1),
    (id::TCP_CONTROL_BITS, 1),
    (id::PROTOCOL_IDENTIFIER, 1),
    (id::IP_CLASS_OF_SERVICE, 1),
    (id::BGP_SOURCE_AS_NUMBER, 2),
    (id::BGP_DESTINATION_AS_NUMBER, 2),
    (id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    (id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    PAD_2,
];

const PAD_1: (u16, u16) = (id::PADDING_OCTETS, 1);
const PAD_2: (u16, u16) = (id::PADDING_OCTETS, 2);
/// Behind the fields of v1, and behind those of v5 the router that a v7 switch short-cuts.
const FOUR_MORE: Fields = &[(id::PADDING_OCTETS, 4)];

/// What the records of a router's v8 caches begin with: how many flows were added up, and to what.
const SUM: Fields = &[
    (id::DELTA_FLOW_COUNT, 4),
    (id::PACKET_DELTA_COUNT, 4),
    (id::OCTET_DELTA_COUNT, 4),
    (id::FLOW_START_SYS_UP_TIME, 4),
    (id::FLOW_END_SYS_UP_TIME, 4),
];

/// The counters and times of a switch's v8 records, which are single flows.
const COUNTERS: Fields = &[
    (id::PACKET_DELTA_COUNT, 4),
    (id::OCTET_DELTA_COUNT, 4),
    (id::FLOW_START_SYS_UP_TIME, 4),
    (id::FLOW_END_SYS_UP_TIME, 4),
    (id::EGRESS_INTERFACE, 2),
];
/// Packets beyond the contract, and the router that the switch short-cuts.
const EXTRA_AND_ROUTER: Fields = &[(id::PADDING_OCTETS, 4), (id::IPV4_ROUTER_SC, 4)];

const TOS: (u16, u16) = (id::IP_CLASS_OF_SERVICE, 1);
const PROTOCOL: (u16, u16) = (id::PROTOCOL_IDENTIFIER, 1);
const INPUT: (u16, u16) = (id::INGRESS_INTERFACE, 2);
const SOURCE_AS: (u16, u16) = (id::BGP_SOURCE_AS_NUMBER, 2);
const DESTINATION_AS: (u16, u16) = (id::BGP_DESTINATION_AS_NUMBER, 2);
const SOURCE_PREFIX: (u16, u16) = (id::SOURCE_IPV4_PREFIX, 4);
const SOURCE_MASK: (u16, u16) = (id::SOURCE_IPV4_PREFIX_LENGTH, 1);
const DESTINATION_PREFIX: (u16, u16) = (id::DESTINATION_IPV4_PREFIX, 4);
const DESTINATION_MASK: (u16, u16) = (id::DESTINATION_IPV4_PREFIX_LENGTH, 1);

const PORTS: Fields = &[(id::SOURCE_TRANSPORT_PORT, 2), (id::DESTINATION_TRANSPORT_PORT, 2)];
const INTERFACES: Fields = &[INPUT, (id::EGRESS_INTERFACE, 2)];
const AUTONOMOUS_SYSTEMS: Fields = &[SOURCE_AS, DESTINATION_AS];
const PREFIXES: Fields = &[SOURCE_PREFIX, DESTINATION_PREFIX, DESTINATION_MASK, SOURCE_MASK];
const DESTINATION_SOURCE: Fields = &[(id::DESTINATION_IPV4_ADDRESS, 4), (id::SOURCE_IPV4_ADDRESS, 4)];

/// Columns of each layout, in parts: v1, long v1, v5, v7, then the schemes of v8 from 1. A byte "marked ToS", which
/// belongs to packets beyond the contract alone, counts as padding.
const LAYOUTS: [&[Fields]; 18] = [
    &[COMMON, V1],
    &[COMMON, V1, FOUR_MORE],
    &[COMMON, V5],
    &[COMMON, V5, FOUR_MORE],
    &[SUM, AUTONOMOUS_SYSTEMS, INTERFACES],
    &[SUM, &[PROTOCOL, (id::PADDING_OCTETS, 3)], PORTS],
    &[SUM, &[SOURCE_PREFIX, SOURCE_MASK, PAD_1, SOURCE_AS, INPUT, PAD_2]],
    &[SUM, &[DESTINATION_PREFIX, DESTINATION_MASK, PAD_1, DESTINATION_AS, (id::EGRESS_INTERFACE, 2), PAD_2]],
    &[SUM, PREFIXES, &[PAD_2], AUTONOMOUS_SYSTEMS, INTERFACES],
    &[&[(id::DESTINATION_IPV4_ADDRESS, 4)], COUNTERS, &[TOS, PAD_1], EXTRA_AND_ROUTER],
    &[DESTINATION_SOURCE, COUNTERS, &[INPUT, TOS, (id::PADDING_OCTETS, 3)], EXTRA_AND_ROUTER],
    &[
        DESTINATION_SOURCE,
        &[(id::DESTINATION_TRANSPORT_PORT, 2), (id::SOURCE_TRANSPORT_PORT, 2)],
        COUNTERS,
        &[INPUT, TOS, PROTOCOL, PAD_2],
        EXTRA_AND_ROUTER,
    ],
    &[SUM, AUTONOMOUS_SYSTEMS, INTERFACES, &[TOS, (id::PADDING_OCTETS, 3)]],
    &[SUM, &[PROTOCOL, TOS, PAD_2], PORTS, INTERFACES],
    &[SUM, &[SOURCE_PREFIX, SOURCE_MASK, TOS, SOURCE_AS, INPUT, PAD_2]],
    &[SUM, &[DESTINATION_PREFIX, DESTINATION_MASK, TOS, DESTINATION_AS, (id::EGRESS_INTERFACE, 2), PAD_2]],
    &[SUM, PREFIXES, &[TOS, PAD_1], AUTONOMOUS_SYSTEMS, INTERFACES],
    &[SUM, PREFIXES, &[TOS, PROTOCOL], PORTS, INTERFACES],
];

const RECORD_LENS: [u16; LAYOUTS.len()] = {
    let mut lens = [0; LAYOUTS.len()];
    let mut layout = 0;
    while layout < LAYOUTS.len() {
        let mut part = 0;
        while part < LAYOUTS[layout].len() {
            let mut column = 0;
            while column < LAYOUTS[layout][part].len() {
                lens[layout] += LAYOUTS[layout][part][column].1;
                column += 1;
            }
            part += 1;
        }
        layout += 1;
    }
    lens
};

/// How the records of a Message are laid out that brings no Templates: one of v1, v5 or v7, or an aggregation scheme of
/// v8 (1 to 14: AS, protocol and port, source prefix, destination prefix, prefix, destination, source and destination,
/// full flow; the first five again with the type of service; prefix and port with the type of service).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Layout(u8);

impl Layout {
    /// Every layout, in the order of [`Layout::index`].
    pub const ALL: [Self; LAYOUTS.len()] = {
        let mut all = [Self::V1; LAYOUTS.len()];
        let mut index = 0;
        while index < LAYOUTS.len() {
            all[index] = Self(index as u8);
            index += 1;
        }
        all
    };

    /// v1 with records of 48 bytes.
    pub const V1: Self = Self(0);
    /// v1 with records of 52 bytes.
    pub const LONG_V1: Self = Self(1);
    /// v5.
    pub const V5: Self = Self(2);
    /// v7.
    pub const V7: Self = Self(3);

    /// An aggregation scheme of v8, if it is known.
    pub const fn of_scheme(scheme: u8) -> Option<Self> {
        match scheme {
            1..=14 => Some(Self(Self::V7.0 + scheme)),
            _ => None,
        }
    }

    /// The layout of a Message; `None` for v9 and IPFIX, whose Templates come from the exporter, and for an unknown
    /// aggregation scheme.
    pub fn of(message: &Message<'_>) -> Option<Self> {
        match message.header.version {
            Version::V1 if is_long_v1(message) => Some(Self::LONG_V1),
            Version::V1 => Some(Self::V1),
            Version::V5 => Some(Self::V5),
            Version::V7 => Some(Self::V7),
            Version::V8 => Self::of_scheme(message.header.aggregation),
            Version::V9 | Version::Ipfix | Version::Sflow5 => None,
        }
    }

    /// Position in [`Layout::ALL`], for tables.
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The version whose Messages have it.
    pub const fn version(self) -> Version {
        match self {
            Self::V1 | Self::LONG_V1 => Version::V1,
            Self::V5 => Version::V5,
            Self::V7 => Version::V7,
            _ => Version::V8,
        }
    }

    /// The Template of the records; its ID is the version number.
    pub fn template(self) -> Template {
        let fields: Vec<_> =
            self.columns().map(|&(id, length)| FieldSpecifier { enterprise_number: 0, id, length }).collect();
        Template::built_in(self.version(), fields)
    }

    fn columns(self) -> impl Iterator<Item = &'static (u16, u16)> {
        LAYOUTS[self.index()].iter().copied().flatten()
    }

    const fn record_len(self) -> usize {
        RECORD_LENS[self.index()] as usize
    }
}

/// Whether a v1 Message has records of 52 bytes: its datagram is exactly that long.
fn is_long_v1(message: &Message<'_>) -> bool {
    let count = usize::from(message.header.length_or_count);
    count > 0 && body_len(message) == Layout::LONG_V1.record_len() * count
}

fn body_len(message: &Message<'_>) -> usize {
    message.end() - message.start() - message.header.version.header_len()
}

/// How many records the Message has, as many as its header announces and the datagram holds, and their bytes in sum.
pub(crate) fn records(message: &Message<'_>, layout: Layout) -> (u16, usize) {
    let present = body_len(message) / layout.record_len();
    // A datagram has fewer than 65,536 bytes, so fewer records.
    let count = message.header.length_or_count.min(present as u16);
    (count, usize::from(count) * layout.record_len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_the_sizes_that_are_documented() {
        let sizes = Layout::ALL.map(|layout| layout.template().fixed_record_len().unwrap());
        assert_eq!(sizes, [48, 52, 48, 52, 28, 28, 32, 32, 40, 32, 40, 44, 32, 32, 32, 32, 40, 40]);
        for (index, layout) in Layout::ALL.into_iter().enumerate() {
            assert_eq!((layout.index(), layout.record_len()), (index, sizes[index]));
        }
    }
}
