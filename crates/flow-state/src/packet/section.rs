//! Which elements of a Template are sections of packets.

use flow_wire::ie::id;
use flow_wire::{DataRecord, Locator, Template};

use super::{SampledPacket, Start};

/// The elements that hold the start of a packet, those that say most first.
const SECTIONS: [(u16, Kind); 6] = [
    (id::DATA_LINK_FRAME_SECTION, Kind::Frame),
    (id::LAYER2PACKET_SECTION_DATA, Kind::Frame),
    (id::IP_HEADER_PACKET_SECTION, Kind::Begins(Start::Ip)),
    (id::MPLS_LABEL_STACK_SECTION, Kind::Begins(Start::MPLS)),
    (id::MPLS_PAYLOAD_PACKET_SECTION, Kind::Begins(Start::Ip)),
    (id::IP_PAYLOAD_PACKET_SECTION, Kind::IpPayload),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// An Ethernet frame, unless dataLinkFrameType says otherwise.
    Frame,
    Begins(Start),
    /// Begins behind the IP header: the record itself has the protocol.
    IpPayload,
}

/// Where a record has the packets it was sampled from.
#[derive(Debug)]
pub(crate) struct SectionPlan {
    sections: [Option<(Locator, Kind)>; SECTIONS.len()],
    /// What must be 0: how far into the packet the section begins (RFC 7133 section 4, and element 102).
    offsets: [Option<Locator>; 2],
    frame_type: Option<Locator>,
}

impl SectionPlan {
    /// `None` for a Template without sections.
    pub(crate) fn new(template: &Template) -> Option<Self> {
        let sections = SECTIONS.map(|(id, kind)| Some((template.locate(0, id)?, kind)));
        sections.iter().any(Option::is_some).then(|| Self {
            sections,
            offsets: [id::SECTION_OFFSET, id::LAYER2PACKET_SECTION_OFFSET].map(|id| template.locate(0, id)),
            frame_type: template.locate(0, id::DATA_LINK_FRAME_TYPE),
        })
    }

    /// The packet in the first section of the record that can be read; `protocol` is that of the record.
    pub(crate) fn read(&self, record: &DataRecord<'_>, protocol: Option<u8>) -> Option<SampledPacket> {
        if self.offsets.iter().flatten().any(|offset| record.unsigned(*offset) != 0) {
            return None;
        }
        self.sections.iter().flatten().find_map(|(locator, kind)| {
            let start = match *kind {
                Kind::Frame if self.is_ethernet(record) => Start::Ethernet,
                Kind::Frame => return None,
                Kind::Begins(start) => start,
                Kind::IpPayload => Start::Transport(protocol?),
            };
            SampledPacket::read(start, record.bytes(*locator))
        })
    }

    fn is_ethernet(&self, record: &DataRecord<'_>) -> bool {
        self.frame_type.is_none_or(|frame_type| record.unsigned(frame_type) == ETHERNET)
    }
}

/// The bit of dataLinkFrameType (408) for IEEE 802.3.
const ETHERNET: u64 = 1;
