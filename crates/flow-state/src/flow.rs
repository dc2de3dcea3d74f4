//! The normalised flow: one view over the records of every version.

mod biflow;
mod common;
mod event;
mod forwarding;
mod group;
mod mpls;
mod time;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use flow_wire::{DataRecord, Locator};

pub use self::biflow::{BiflowDirection, ReverseFlow, ReverseOrigin};
pub(crate) use self::common::Starts;
pub use self::common::{CommonFields, CommonRecords};
pub use self::event::{
    FirewallAction, FirewallEvent, FlowEvent, Nat, NatAction, NatEvent, NatQuota, NatThreshold, PortBlock,
};
pub use self::forwarding::{Forwarding, ForwardingStatus, Interface};
pub use self::group::{FlowGroup, FlowGroups, Flows};
pub use self::mpls::MplsLabel;
pub use self::time::{FlowTime, TimeSource};
pub(crate) use self::time::{Plausible, newest_uptime};
use crate::decoded::MessageContext;
use crate::options::JoinPlan;
use crate::packet::SampledPacket;
use crate::plan::{AddressPlan, Choice, Fact, Families, FlowPlan, TOTALS};

const ICMP: u64 = 1;
const ICMP_V6: u64 = 58;

/// A flow, read in place. Facts that the record does not carry are `None`.
#[derive(Clone, Copy, Debug)]
pub struct FlowRecord<'a> {
    record: DataRecord<'a>,
    plan: &'a FlowPlan,
    context: &'a MessageContext,
}

/// Type and code of an ICMP message, IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Icmp {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code, where the record has it.
    pub code: Option<u8>,
}

impl<'a> FlowRecord<'a> {
    pub(crate) const fn new(record: DataRecord<'a>, plan: &'a FlowPlan, context: &'a MessageContext) -> Self {
        Self { record, plan, context }
    }

    /// The record itself, with every field it has.
    pub const fn record(&self) -> &DataRecord<'a> {
        &self.record
    }

    /// The Message it came in.
    pub const fn context(&self) -> &'a MessageContext {
        self.context
    }

    pub(crate) const fn join(&self) -> &'a JoinPlan {
        &self.plan.join
    }

    /// An integer fact as sent.
    #[inline]
    pub fn integer(&self, fact: Fact) -> Option<u64> {
        self.plan.locate(fact).map(|locator| self.record.unsigned(locator))
    }

    /// Source address. Where a record has both families: the one that is not all zero; else the one that element 60
    /// (ipVersion) names; else the one that comes first.
    #[inline]
    pub fn source_address(&self) -> Option<IpAddr> {
        self.address(&self.plan.source)
    }

    /// Destination address, chosen as the source address.
    #[inline]
    pub fn destination_address(&self) -> Option<IpAddr> {
        self.address(&self.plan.destination)
    }

    /// Next hop, chosen as the source address.
    #[inline]
    pub fn next_hop(&self) -> Option<IpAddr> {
        self.address(&self.plan.next_hop)
    }

    #[inline]
    fn address(&self, plan: &AddressPlan) -> Option<IpAddr> {
        match plan {
            AddressPlan::Absent => None,
            AddressPlan::V4(v4) => Some(IpAddr::V4(self.record.ipv4(*v4))),
            AddressPlan::V6(v6) => Some(IpAddr::V6(self.record.ipv6(*v6))),
            AddressPlan::Both(families) => Some(self.either(families)),
        }
    }

    fn either(&self, families: &Families) -> IpAddr {
        let (v4, v6) = (self.record.ipv4(families.v4), self.record.ipv6(families.v6));
        let takes_v4 = match (v4 == Ipv4Addr::UNSPECIFIED, v6 == Ipv6Addr::UNSPECIFIED) {
            (false, true) => true,
            (true, false) => false,
            _ => match self.integer(Fact::IpVersion) {
                Some(4) => true,
                Some(6) => false,
                _ => families.v4_first,
            },
        };
        if takes_v4 { v4.into() } else { v6.into() }
    }

    /// IP protocol number.
    #[inline]
    pub fn protocol(&self) -> Option<u8> {
        self.integer(Fact::Protocol).and_then(|number| u8::try_from(number).ok())
    }

    /// Octets as exported, never scaled: the first of delta (1), total (85), initiator (231), post delta (23) and post
    /// total (171) that is not zero; 0 when all are. Never a sum: 23 often repeats 1.
    #[inline]
    pub fn octets(&self) -> Option<u64> {
        self.first_not_zero(&self.plan.octets)
    }

    /// Packets as exported, chosen as the octets (2, 86, 298, 24, 172).
    #[inline]
    pub fn packets(&self) -> Option<u64> {
        self.first_not_zero(&self.plan.packets)
    }

    #[inline]
    fn first_not_zero(&self, choice: &Choice) -> Option<u64> {
        let first = self.record.unsigned(choice.first?);
        if first != 0 || choice.others.is_empty() {
            return Some(first);
        }
        Some(self.stand_in(choice))
    }

    fn stand_in(&self, choice: &Choice) -> u64 {
        choice.others.iter().map(|locator| self.record.unsigned(*locator)).find(|value| *value != 0).unwrap_or(0)
    }

    /// Whether octets or packets count since the flow began (elements 85, 86, 171, 172), so that records of one flow must
    /// not be added up.
    pub fn is_cumulative(&self) -> bool {
        let is_total = |choice: &Choice| {
            let mut locators = choice.iter();
            let chosen = locators.find(|locator| self.record.unsigned(*locator) != 0).or(choice.first);
            let field = chosen.and_then(|locator| self.record.template().field_specifiers().nth(locator.column()));
            field.is_some_and(|field| TOTALS.contains(&field.id))
        };
        is_total(&self.plan.octets) || is_total(&self.plan.packets)
    }

    /// Whether the flow is ICMP or ICMPv6, whose "ports" are none.
    #[inline]
    pub fn is_icmp(&self) -> bool {
        matches!(self.integer(Fact::Protocol), Some(ICMP | ICMP_V6))
    }

    /// ICMP type and code of an ICMP flow: elements 32 or 139, else 176 to 179, else what many exporters put into the
    /// destination port: type x 256 + code.
    pub fn icmp(&self) -> Option<Icmp> {
        if !self.is_icmp() {
            return None;
        }
        let both = |fact| self.integer(fact).map(|value| Icmp { kind: (value >> 8) as u8, code: Some(value as u8) });
        let apart = || {
            let kind = self.integer(Fact::IcmpType)? as u8;
            Some(Icmp { kind, code: self.integer(Fact::IcmpCode).map(|code| code as u8) })
        };
        let (ours, other) = match self.integer(Fact::Protocol) {
            Some(ICMP_V6) => (Fact::IcmpTypeCodeIpv6, Fact::IcmpTypeCodeIpv4),
            _ => (Fact::IcmpTypeCodeIpv4, Fact::IcmpTypeCodeIpv6),
        };
        both(ours).or_else(|| both(other)).or_else(apart).or_else(|| both(Fact::DestinationPort))
    }

    /// Source MAC address: element 56, else 81, the one behind a middlebox.
    pub fn source_mac(&self) -> Option<[u8; 6]> {
        self.mac(self.plan.rare()?.source_mac)
    }

    /// Destination MAC address: element 80, else 57.
    pub fn destination_mac(&self) -> Option<[u8; 6]> {
        self.mac(self.plan.rare()?.destination_mac)
    }

    /// The exporter that saw the flow, where the record came through a mediator (elements 403, 404, else 130, 131).
    pub fn observed_exporter(&self) -> Option<IpAddr> {
        self.address(&self.plan.rare()?.original_exporter).filter(|address| !address.is_unspecified())
    }

    fn mac(&self, locator: Option<Locator>) -> Option<[u8; 6]> {
        self.record.bytes(locator?).try_into().ok()
    }

    /// The headers of the packet whose start the record holds (elements 104, 313 to 317).
    pub fn packet(&self) -> Option<SampledPacket> {
        self.plan.sections.as_ref()?.read(&self.record, self.protocol())
    }
}
