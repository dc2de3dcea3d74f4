//! Where the facts of a flow lie in the records of one Template: decided once, when the Template arrives.

use flow_wire::ie::id;
use flow_wire::{Locator, Template, VARIABLE_LENGTH};

use crate::options::JoinPlan;
use crate::packet::SectionPlan;

/// Enterprise number of the reverse elements (RFC 5103 section 6.1).
const REVERSE: u32 = 29305;

macro_rules! facts {
    ($($(#[$doc:meta])* $fact:ident: $elements:expr;)*) => {
        /// An integer fact of a flow, whatever element carries it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fact { $($(#[$doc])* $fact,)* }

        /// The IANA elements that carry each fact, the preferred first.
        const ELEMENTS: &[&[u16]] = &[$($elements),*];
    };
}

facts! {
    /// Source port of TCP, UDP or SCTP, or what the exporter puts there.
    SourcePort: &[id::SOURCE_TRANSPORT_PORT, id::TCP_SOURCE_PORT, id::UDP_SOURCE_PORT];
    /// Destination port; for ICMP many exporters put type x 256 + code here.
    DestinationPort: &[id::DESTINATION_TRANSPORT_PORT, id::TCP_DESTINATION_PORT, id::UDP_DESTINATION_PORT];
    /// IP protocol number.
    Protocol: &[id::PROTOCOL_IDENTIFIER];
    /// 4 or 6.
    IpVersion: &[id::IP_VERSION];
    /// ifIndex of the interface the flow came in by.
    IngressInterface: &[id::INGRESS_INTERFACE];
    /// ifIndex of the interface the flow left by.
    EgressInterface: &[id::EGRESS_INTERFACE];
    /// Autonomous system of the source.
    SourceAs: &[id::BGP_SOURCE_AS_NUMBER];
    /// Autonomous system of the destination.
    DestinationAs: &[id::BGP_DESTINATION_AS_NUMBER];
    /// Union of the TCP control bits seen.
    TcpFlags: &[id::TCP_CONTROL_BITS];
    /// IPv4 type of service or IPv6 traffic class.
    ClassOfService: &[id::IP_CLASS_OF_SERVICE];
    /// ICMP type x 256 + code, IPv4.
    IcmpTypeCodeIpv4: &[id::ICMP_TYPE_CODE_IPV4];
    /// ICMP type x 256 + code, IPv6.
    IcmpTypeCodeIpv6: &[id::ICMP_TYPE_CODE_IPV6];
    /// ICMP type alone.
    IcmpType: &[id::ICMP_TYPE_IPV4, id::ICMP_TYPE_IPV6];
    /// ICMP code alone.
    IcmpCode: &[id::ICMP_CODE_IPV4, id::ICMP_CODE_IPV6];
    /// VLAN on the way in.
    SourceVlan: &[id::VLAN_ID, id::DOT1Q_VLAN_ID];
    /// VLAN on the way out.
    DestinationVlan: &[id::POST_VLAN_ID, id::POST_DOT1Q_VLAN_ID];
    /// Bits of the source's prefix.
    SourcePrefixLength: &[id::SOURCE_IPV4_PREFIX_LENGTH, id::SOURCE_IPV6_PREFIX_LENGTH];
    /// Bits of the destination's prefix.
    DestinationPrefixLength: &[id::DESTINATION_IPV4_PREFIX_LENGTH, id::DESTINATION_IPV6_PREFIX_LENGTH];
    /// 0 ingress, 1 egress.
    Direction: &[id::FLOW_DIRECTION];
    /// Why the flow ended (RFC 5102 section 5.11.3).
    EndReason: &[id::FLOW_END_REASON];
    /// Time to live or hop limit.
    TimeToLive: &[id::IP_TTL, id::MINIMUM_TTL];
    /// IPv6 flow label.
    FlowLabel: &[id::FLOW_LABEL_IPV6];
    /// Forwarding status (RFC 7270 section 4.12).
    ForwardingStatus: &[id::FORWARDING_STATUS];
    /// One of so many packets was looked at.
    SamplingInterval: &[id::SAMPLING_INTERVAL];
    /// 1 deterministic, 2 random.
    SamplingAlgorithm: &[id::SAMPLING_ALGORITHM];
    /// When the exporter started, Unix milliseconds.
    SystemInitTime: &[id::SYSTEM_INIT_TIME_MILLISECONDS];
}

/// An address that may come as IPv4, IPv6 or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressPlan {
    Absent,
    V4(Locator),
    V6(Locator),
    Both { v4: Locator, v6: Locator, v4_first: bool },
}

/// A point in time, in the form that the Template carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimePlan {
    Absent,
    Milliseconds(Locator),
    Ntp(Locator),
    Seconds(Locator),
    /// Microseconds before the export time.
    DeltaMicroseconds(Locator),
    /// Milliseconds since the exporter started.
    SysUpTime(Locator),
}

/// A counter and its stand-ins: the first that is not zero counts.
pub(crate) type CounterPlan = [Option<Locator>; 5];

/// Where each fact of a flow lies in the records of one Template.
#[derive(Debug)]
pub struct FlowPlan {
    facts: [Option<Locator>; ELEMENTS.len()],
    pub(crate) source: AddressPlan,
    pub(crate) destination: AddressPlan,
    pub(crate) next_hop: AddressPlan,
    pub(crate) octets: CounterPlan,
    pub(crate) packets: CounterPlan,
    pub(crate) reverse_octets: Option<Locator>,
    pub(crate) reverse_packets: Option<Locator>,
    pub(crate) start: TimePlan,
    pub(crate) end: TimePlan,
    pub(crate) source_mac: Option<Locator>,
    pub(crate) destination_mac: Option<Locator>,
    pub(crate) sections: Option<SectionPlan>,
    pub(crate) join: JoinPlan,
}

impl FlowPlan {
    /// Makes the plan of a Template.
    ///
    /// A field whose length does not fit its element counts as absent: integers have 1 to 8 bytes, addresses exactly 4,
    /// 6 or 16, absolute times exactly 4 or 8.
    pub fn new(template: &Template) -> Self {
        let find = Finder(template);
        let integers = |elements: &[u16]| elements.iter().find_map(|id| find.integer(0, *id));
        let mut facts = [None; ELEMENTS.len()];
        for (fact, elements) in facts.iter_mut().zip(ELEMENTS) {
            *fact = integers(elements);
        }
        let counter = |ids: [u16; 5]| ids.map(|id| find.integer(0, id));
        let reverse = |delta, total, responder, initiator| {
            let responder = || find.integer(0, initiator).and_then(|_| find.integer(0, responder));
            find.integer(REVERSE, delta).or_else(|| find.integer(REVERSE, total)).or_else(responder)
        };
        Self {
            facts,
            source: find.address(id::SOURCE_IPV4_ADDRESS, id::SOURCE_IPV6_ADDRESS),
            destination: find.address(id::DESTINATION_IPV4_ADDRESS, id::DESTINATION_IPV6_ADDRESS),
            next_hop: find.address(id::IP_NEXT_HOP_IPV4_ADDRESS, id::IP_NEXT_HOP_IPV6_ADDRESS),
            // Delta before total, in before out; 23 and 24 (post) often repeat 1 and 2 and are never added.
            octets: counter([
                id::OCTET_DELTA_COUNT,
                id::OCTET_TOTAL_COUNT,
                id::INITIATOR_OCTETS,
                id::POST_OCTET_DELTA_COUNT,
                id::POST_OCTET_TOTAL_COUNT,
            ]),
            packets: counter([
                id::PACKET_DELTA_COUNT,
                id::PACKET_TOTAL_COUNT,
                id::INITIATOR_PACKETS,
                id::POST_PACKET_DELTA_COUNT,
                id::POST_PACKET_TOTAL_COUNT,
            ]),
            reverse_octets: reverse(
                id::OCTET_DELTA_COUNT,
                id::OCTET_TOTAL_COUNT,
                id::RESPONDER_OCTETS,
                id::INITIATOR_OCTETS,
            ),
            reverse_packets: reverse(
                id::PACKET_DELTA_COUNT,
                id::PACKET_TOTAL_COUNT,
                id::RESPONDER_PACKETS,
                id::INITIATOR_PACKETS,
            ),
            start: find.time([
                id::FLOW_START_MILLISECONDS,
                id::FLOW_START_NANOSECONDS,
                id::FLOW_START_MICROSECONDS,
                id::FLOW_START_SECONDS,
                id::FLOW_START_DELTA_MICROSECONDS,
                id::FLOW_START_SYS_UP_TIME,
            ]),
            end: find.time([
                id::FLOW_END_MILLISECONDS,
                id::FLOW_END_NANOSECONDS,
                id::FLOW_END_MICROSECONDS,
                id::FLOW_END_SECONDS,
                id::FLOW_END_DELTA_MICROSECONDS,
                id::FLOW_END_SYS_UP_TIME,
            ]),
            source_mac: find.exact(id::SOURCE_MAC_ADDRESS, 6).or_else(|| find.exact(id::POST_SOURCE_MAC_ADDRESS, 6)),
            destination_mac: find
                .exact(id::DESTINATION_MAC_ADDRESS, 6)
                .or_else(|| find.exact(id::POST_DESTINATION_MAC_ADDRESS, 6)),
            sections: SectionPlan::new(template),
            join: JoinPlan::new(template),
        }
    }

    /// Where an integer fact lies, if the Template has it.
    #[inline]
    pub const fn locate(&self, fact: Fact) -> Option<Locator> {
        self.facts[fact as usize]
    }

    /// Whether records have a source and a destination address, in this order.
    pub fn has_addresses(&self) -> (bool, bool) {
        (self.source != AddressPlan::Absent, self.destination != AddressPlan::Absent)
    }

    /// Whether records have a next hop.
    pub fn has_next_hop(&self) -> bool {
        self.next_hop != AddressPlan::Absent
    }

    /// Whether records have a start and an end time, in this order.
    pub fn has_times(&self) -> (bool, bool) {
        (self.start != TimePlan::Absent, self.end != TimePlan::Absent)
    }

    /// Whether records have octets and packets, in this order.
    pub fn has_counters(&self) -> (bool, bool) {
        (self.octets.iter().any(Option::is_some), self.packets.iter().any(Option::is_some))
    }

    /// Where octets and packets lie, in this order, if one element alone carries them.
    pub fn only_counters(&self) -> (Option<Locator>, Option<Locator>) {
        let only = |plan: &CounterPlan| {
            let mut found = plan.iter().flatten();
            found.next().copied().filter(|_| found.next().is_none())
        };
        (only(&self.octets), only(&self.packets))
    }

    /// Whether records have octets and packets of the reverse direction, in this order.
    pub fn has_reverse_counters(&self) -> (bool, bool) {
        (self.reverse_octets.is_some(), self.reverse_packets.is_some())
    }

    /// Whether records have a source and a destination MAC address, in this order.
    pub fn has_mac_addresses(&self) -> (bool, bool) {
        (self.source_mac.is_some(), self.destination_mac.is_some())
    }

    /// Whether records have the start of a packet: the data of [`FlowRecord::packet`](crate::FlowRecord::packet).
    pub const fn has_packet(&self) -> bool {
        self.sections.is_some()
    }

    /// Whether records have any form of ICMP type and code.
    pub fn has_icmp(&self) -> bool {
        [Fact::IcmpTypeCodeIpv4, Fact::IcmpTypeCodeIpv6, Fact::IcmpType, Fact::DestinationPort]
            .iter()
            .any(|fact| self.locate(*fact).is_some())
    }
}

struct Finder<'a>(&'a Template);

impl Finder<'_> {
    fn sized(&self, enterprise: u32, id: u16, fits: impl Fn(u16) -> bool) -> Option<Locator> {
        self.0.locate(enterprise, id).filter(|locator| fits(locator.length()))
    }

    fn integer(&self, enterprise: u32, id: u16) -> Option<Locator> {
        self.sized(enterprise, id, |length| (1..=8).contains(&length) || length == VARIABLE_LENGTH)
    }

    fn exact(&self, id: u16, length: u16) -> Option<Locator> {
        self.sized(0, id, |found| found == length)
    }

    fn address(&self, v4: u16, v6: u16) -> AddressPlan {
        match (self.exact(v4, 4), self.exact(v6, 16)) {
            (None, None) => AddressPlan::Absent,
            (Some(v4), None) => AddressPlan::V4(v4),
            (None, Some(v6)) => AddressPlan::V6(v6),
            (Some(v4), Some(v6)) => AddressPlan::Both { v4, v6, v4_first: v4.column() < v6.column() },
        }
    }

    /// The first form found of: milliseconds, NTP nanoseconds, NTP microseconds, seconds, delta, system uptime.
    fn time(&self, [millis, nanos, micros, seconds, delta, uptime]: [u16; 6]) -> TimePlan {
        self.exact(millis, 8)
            .map(TimePlan::Milliseconds)
            .or_else(|| self.exact(nanos, 8).map(TimePlan::Ntp))
            .or_else(|| self.exact(micros, 8).map(TimePlan::Ntp))
            .or_else(|| self.exact(seconds, 4).map(TimePlan::Seconds))
            .or_else(|| self.sized(0, delta, |length| (1..=4).contains(&length)).map(TimePlan::DeltaMicroseconds))
            .or_else(|| self.sized(0, uptime, |length| (1..=4).contains(&length)).map(TimePlan::SysUpTime))
            .unwrap_or(TimePlan::Absent)
    }
}
