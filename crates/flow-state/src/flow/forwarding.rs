//! Where a flow came in, where it left, and whether it did.

use super::FlowRecord;
use crate::plan::Fact;

/// An interface of the exporter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Interface {
    /// ifIndex 0: none, or not known.
    None,
    /// The exporter itself: 0x3fffffff, or what 16 bits leave of it.
    Local,
    /// None, because the packets were discarded: 0x40000000 and a reason below 4096, as in sFlow.
    Discard,
    /// SNMP ifIndex.
    Index(u32),
}

impl Interface {
    /// Reads an ifIndex that was sent in `length` bytes.
    pub const fn new(index: u32, length: u16) -> Self {
        match (index, length) {
            (0, _) => Self::None,
            (0x3fff_ffff, _) | (0xffff, 2) => Self::Local,
            (0x4000_0000..=0x4000_0fff, _) => Self::Discard,
            _ => Self::Index(index),
        }
    }
}

/// What became of a flow's packets (RFC 7270 section 4.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forwarding {
    /// Not known.
    Unknown,
    /// Sent on.
    Forwarded,
    /// Dropped.
    Dropped,
    /// Taken by the exporter itself.
    Consumed,
}

/// Forwarding of a flow, and how that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForwardingStatus {
    /// What became of the packets.
    pub forwarding: Forwarding,
    /// The status with its reason as sent (element 89), its lowest byte where it came in more; `None` where the forwarding
    /// follows from interface and next hop.
    pub code: Option<u8>,
}

impl FlowRecord<'_> {
    /// The interface the flow came in by: element 10, else, where that is 0 or absent, the physical port 252.
    pub fn input_interface(&self) -> Option<Interface> {
        self.interface(Fact::IngressInterface, Fact::IngressPhysicalInterface)
    }

    /// The interface the flow left by: element 14, else 253.
    pub fn output_interface(&self) -> Option<Interface> {
        self.interface(Fact::EgressInterface, Fact::EgressPhysicalInterface)
    }

    fn interface(&self, logical: Fact, physical: Fact) -> Option<Interface> {
        let read = |fact| {
            let locator = self.plan.locate(fact)?;
            Some(Interface::new(self.record.unsigned(locator) as u32, locator.length()))
        };
        match read(logical) {
            None | Some(Interface::None) => read(physical).or(read(logical)),
            known => known,
        }
    }

    /// What became of the packets: as element 89 says. Where there is none, Junos, known by elements of enterprise 2636,
    /// means a drop by a next hop and an output interface of zero; other exporters send these for want of knowledge.
    pub fn forwarding(&self) -> Option<ForwardingStatus> {
        if let Some(status) = self.integer(Fact::ForwardingStatus) {
            let code = status as u8;
            let forwarding = match code >> 6 {
                1 => Forwarding::Forwarded,
                2 => Forwarding::Dropped,
                3 => Forwarding::Consumed,
                _ => Forwarding::Unknown,
            };
            return Some(ForwardingStatus { forwarding, code: Some(code) });
        }
        let nowhere = self.plan.rare()?.juniper
            && self.integer(Fact::EgressInterface) == Some(0)
            && self.next_hop()?.is_unspecified();
        nowhere.then_some(ForwardingStatus { forwarding: Forwarding::Dropped, code: None })
    }
}
