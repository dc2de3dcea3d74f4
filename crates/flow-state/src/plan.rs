//! Where the facts of a flow lie in the records of one Template: decided once, when the Template arrives.

mod fact;
mod finder;

use flow_wire::ie::{REVERSE_ENTERPRISE_NUMBER as REVERSE, id};
use flow_wire::{Locator, Template, Version};

pub use self::fact::Fact;
use self::fact::{COMMON, ELEMENTS};
use self::finder::{COLLECTION, END, Finder, OBSERVATION, START};
use crate::flow::{ReverseOrigin, TimeSource};
use crate::options::JoinPlan;
use crate::packet::SectionPlan;

/// An address that may come as IPv4, IPv6 or both.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) enum AddressPlan {
    #[default]
    Absent,
    V4(Locator),
    V6(Locator),
    Both(Box<Families>),
}

impl AddressPlan {
    /// Where it lies, if in one family at most; [`Locator::ABSENT`] if the Template lacks it.
    pub(crate) const fn only(&self) -> Option<Locator> {
        match self {
            Self::Absent => Some(Locator::ABSENT),
            Self::V4(locator) | Self::V6(locator) => Some(*locator),
            Self::Both(_) => None,
        }
    }

    fn memory(&self) -> usize {
        if matches!(self, Self::Both(_)) { size_of::<Families>() } else { 0 }
    }
}

/// An address in both families, one of them unused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Families {
    pub(crate) v4: Locator,
    pub(crate) v6: Locator,
    pub(crate) v4_first: bool,
}

/// A point in time, in the form that the Template carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TimePlan {
    #[default]
    Absent,
    Milliseconds(Locator),
    Ntp(Locator),
    Seconds(Locator),
    /// Microseconds before the export time.
    DeltaMicroseconds(Locator),
    /// Milliseconds since the exporter started.
    SysUpTime(Locator),
}

impl TimePlan {
    /// Where it lies; [`Locator::ABSENT`] if the Template lacks it.
    #[inline]
    pub(crate) const fn locator(self) -> Locator {
        match self {
            Self::Absent => Locator::ABSENT,
            Self::Milliseconds(locator)
            | Self::Ntp(locator)
            | Self::Seconds(locator)
            | Self::DeltaMicroseconds(locator)
            | Self::SysUpTime(locator) => locator,
        }
    }

    const fn source(self) -> TimeSource {
        match self {
            Self::Absent => TimeSource::None,
            Self::Milliseconds(_) | Self::Ntp(_) | Self::Seconds(_) => TimeSource::Absolute,
            Self::DeltaMicroseconds(_) => TimeSource::Delta,
            Self::SysUpTime(_) => TimeSource::SysUpTime,
        }
    }
}

/// Start and end of a flow.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TimesPlan {
    pub(crate) start: TimePlan,
    pub(crate) end: TimePlan,
    pub(crate) source: TimeSource,
    /// Whether a missing end can be worked out from something else.
    pub(crate) completes: bool,
}

impl TimesPlan {
    fn new(find: &Finder<'_>, enterprise: u32, version: Version) -> Self {
        let (start, end) = (find.time(enterprise, START), find.time(enterprise, END));
        let source = match start {
            TimePlan::Absent => end.source(),
            start => start.source(),
        };
        // The header of IPFIX has no uptime, and the start of the exporter may not be known.
        let is_uptime = |plan| matches!(plan, TimePlan::SysUpTime(_));
        let completes = version == Version::Ipfix && (is_uptime(start) || is_uptime(end));
        Self { start, end, source, completes }
    }
}

/// A number and its stand-ins: the first that is not zero counts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) first: Option<Locator>,
    pub(crate) others: Box<[Locator]>,
}

impl FromIterator<Locator> for Choice {
    fn from_iter<I: IntoIterator<Item = Locator>>(locators: I) -> Self {
        let mut locators = locators.into_iter();
        Self { first: locators.next(), others: locators.collect() }
    }
}

impl Choice {
    fn memory(&self) -> usize {
        size_of_val(&*self.others)
    }

    fn only(&self) -> Option<Locator> {
        self.first.filter(|_| self.others.is_empty())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Locator> {
        self.first.into_iter().chain(self.others.iter().copied())
    }
}

/// The other direction of a Biflow.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ReversePlan {
    pub(crate) octets: Choice,
    pub(crate) packets: Choice,
    pub(crate) tcp_flags: Option<Locator>,
    pub(crate) times: TimesPlan,
    /// Milliseconds from the start of the flow to that of its reverse, of CERT's YAF.
    pub(crate) delta: Option<Locator>,
    pub(crate) origin: ReverseOrigin,
}

/// How the common facts of a record are read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The fields of NetFlow v5, which lie where they always lie.
    V5,
    /// Loads and masks: all lie in front of the first field of variable length, and nothing but the record tells them.
    Straight,
    /// One by one.
    Each,
}

/// What few Templates have.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct RarePlan {
    pub(crate) source_mac: Option<Locator>,
    pub(crate) destination_mac: Option<Locator>,
    pub(crate) nat_source: AddressPlan,
    pub(crate) nat_destination: AddressPlan,
    pub(crate) original_exporter: AddressPlan,
    pub(crate) labels: Box<[Locator]>,
    pub(crate) duration_milliseconds: Option<Locator>,
    pub(crate) duration_microseconds: Option<Locator>,
    pub(crate) observation: TimePlan,
    pub(crate) collection: TimePlan,
    pub(crate) reverse: Option<Box<ReversePlan>>,
    /// The Template has elements of Juniper's own.
    pub(crate) juniper: bool,
}

/// Where each fact of a flow lies in the records of one Template.
#[derive(Debug)]
pub struct FlowPlan {
    /// [`Locator::ABSENT`] for what the Template lacks.
    common: [Locator; COMMON],
    pub(crate) reading: Reading,
    pub(crate) source: AddressPlan,
    pub(crate) destination: AddressPlan,
    pub(crate) next_hop: AddressPlan,
    pub(crate) octets: Choice,
    pub(crate) packets: Choice,
    pub(crate) times: TimesPlan,
    /// For each fact that is not common its place in `others`, from 1; 0 where the Template lacks it.
    places: [u8; ELEMENTS.len() - COMMON],
    others: Box<[Locator]>,
    rare: Option<Box<RarePlan>>,
    has_totals: bool,
    pub(crate) sections: Option<Box<SectionPlan>>,
    pub(crate) join: JoinPlan,
}

/// Octets as they are chosen: delta before total, in before out. Post counters (23, 24) often repeat 1 and 2 and are never
/// added to them.
const OCTETS: [u16; 5] = [
    id::OCTET_DELTA_COUNT,
    id::OCTET_TOTAL_COUNT,
    id::INITIATOR_OCTETS,
    id::POST_OCTET_DELTA_COUNT,
    id::POST_OCTET_TOTAL_COUNT,
];
/// Packets, in the order of the octets.
const PACKETS: [u16; 5] = [
    id::PACKET_DELTA_COUNT,
    id::PACKET_TOTAL_COUNT,
    id::INITIATOR_PACKETS,
    id::POST_PACKET_DELTA_COUNT,
    id::POST_PACKET_TOTAL_COUNT,
];
/// Elements that count since the flow began.
pub(crate) const TOTALS: [u16; 4] =
    [id::OCTET_TOTAL_COUNT, id::PACKET_TOTAL_COUNT, id::POST_OCTET_TOTAL_COUNT, id::POST_PACKET_TOTAL_COUNT];

impl FlowPlan {
    /// Makes the plan of a Template.
    ///
    /// A field whose length does not fit its element counts as absent: integers have 1 to 8 bytes, addresses exactly 4,
    /// 6 or 16, absolute times exactly 4 or 8.
    pub fn new(template: &Template) -> Self {
        let find = Finder::new(template);
        let mut common = [Locator::ABSENT; COMMON];
        let mut places = [0; ELEMENTS.len() - COMMON];
        let mut others = Vec::new();
        let integer = |elements: &[u16]| elements.iter().find_map(|id| find.integer(0, *id));
        for (fact, elements) in common.iter_mut().zip(ELEMENTS) {
            *fact = integer(elements).unwrap_or(Locator::ABSENT);
        }
        for (place, elements) in places.iter_mut().zip(&ELEMENTS[COMMON..]) {
            if let Some(locator) = integer(elements) {
                others.push(locator);
                *place = others.len() as u8;
            }
        }
        let counter = |ids: [u16; 5]| ids.iter().filter_map(|id| find.integer(0, *id)).collect::<Choice>();
        let rare = RarePlan::new(&find, template);
        let mut times = TimesPlan::new(&find, 0, template.version());
        times.completes |= rare.completes_times(&times);
        let mut plan = Self {
            common,
            reading: Reading::Each,
            source: find.address(id::SOURCE_IPV4_ADDRESS, id::SOURCE_IPV6_ADDRESS),
            destination: find.address(id::DESTINATION_IPV4_ADDRESS, id::DESTINATION_IPV6_ADDRESS),
            next_hop: find.address(id::IP_NEXT_HOP_IPV4_ADDRESS, id::IP_NEXT_HOP_IPV6_ADDRESS),
            octets: counter(OCTETS),
            packets: counter(PACKETS),
            times,
            places,
            others: others.into_boxed_slice(),
            rare: (rare != RarePlan::default()).then(|| Box::new(rare)),
            has_totals: TOTALS.iter().any(|id| find.integer(0, *id).is_some()),
            sections: SectionPlan::new(template).map(Box::new),
            join: JoinPlan::new(template),
        };
        plan.reading = plan.reading(template.version());
        plan
    }

    fn reading(&self, version: Version) -> Reading {
        if version == Version::V5 {
            return Reading::V5;
        }
        let counters = self.octets.iter().chain(self.packets.iter());
        let times = [self.times.start, self.times.end].map(TimePlan::locator);
        let addresses = [&self.source, &self.destination, &self.next_hop].map(AddressPlan::only);
        let mut all =
            self.common.iter().copied().chain(times).chain(counters).chain(addresses.iter().flatten().copied());
        let is_straight = all.all(|locator| locator.is_in_front()) && addresses.iter().all(Option::is_some);
        if is_straight && !self.times.completes { Reading::Straight } else { Reading::Each }
    }

    /// Where a fact of the first [`COMMON`] lies; [`Locator::ABSENT`] if the Template lacks it.
    #[inline]
    pub(crate) const fn common(&self, fact: Fact) -> Locator {
        self.common[fact as usize]
    }

    /// Where an integer fact lies, if the Template has it.
    #[inline]
    pub fn locate(&self, fact: Fact) -> Option<Locator> {
        match self.common.get(fact as usize) {
            Some(locator) => (*locator != Locator::ABSENT).then_some(*locator),
            None => self.others.get(usize::from(self.places[fact as usize - COMMON]).wrapping_sub(1)).copied(),
        }
    }

    #[inline]
    pub(crate) fn rare(&self) -> Option<&RarePlan> {
        self.rare.as_deref()
    }

    pub(crate) fn reverse(&self) -> Option<&ReversePlan> {
        self.rare()?.reverse.as_deref()
    }

    /// Bytes on the heap, its own place there included, for budgets.
    pub(crate) fn memory(&self) -> usize {
        let addresses = [&self.source, &self.destination, &self.next_hop].map(AddressPlan::memory);
        size_of::<Self>()
            + 16
            + size_of_val(&*self.others)
            + self.octets.memory()
            + self.packets.memory()
            + addresses.iter().sum::<usize>()
            + self.rare().map_or(0, RarePlan::memory)
            + self.sections.as_ref().map_or(0, |_| size_of::<SectionPlan>())
    }
}

/// What a Template has, for those who make plans of their own.
impl FlowPlan {
    /// Whether records have a source and a destination address, in this order.
    pub fn has_addresses(&self) -> (bool, bool) {
        (self.source != AddressPlan::Absent, self.destination != AddressPlan::Absent)
    }

    /// Where source and destination lie, if both are IPv4 addresses in every record.
    pub fn ipv4_endpoints(&self) -> Option<(Locator, Locator)> {
        match (&self.source, &self.destination) {
            (AddressPlan::V4(source), AddressPlan::V4(destination)) => Some((*source, *destination)),
            _ => None,
        }
    }

    /// Where the next hop lies, if it is an IPv4 address in every record.
    pub fn ipv4_next_hop(&self) -> Option<Locator> {
        match &self.next_hop {
            AddressPlan::V4(next_hop) => Some(*next_hop),
            _ => None,
        }
    }

    /// Whether records have a next hop.
    pub fn has_next_hop(&self) -> bool {
        self.next_hop != AddressPlan::Absent
    }

    /// Whether records have a start and an end time, in this order, or something that one can be worked out from.
    pub fn has_times(&self) -> (bool, bool) {
        let has = |plan| plan != TimePlan::Absent || self.times.completes;
        (has(self.times.start), has(self.times.end))
    }

    /// Whether records have octets and packets, in this order.
    pub fn has_counters(&self) -> (bool, bool) {
        (self.octets.first.is_some(), self.packets.first.is_some())
    }

    /// Where octets and packets lie, in this order, if one element alone carries them.
    pub fn only_counters(&self) -> (Option<Locator>, Option<Locator>) {
        (self.octets.only(), self.packets.only())
    }

    /// Whether records have octets and packets of the reverse direction, in this order.
    pub fn has_reverse_counters(&self) -> (bool, bool) {
        let has = |choice: &Choice| choice.first.is_some();
        self.reverse().map_or((false, false), |reverse| (has(&reverse.octets), has(&reverse.packets)))
    }

    /// Whether records have a source and a destination MAC address, in this order.
    pub fn has_mac_addresses(&self) -> (bool, bool) {
        self.rare().map_or((false, false), |rare| (rare.source_mac.is_some(), rare.destination_mac.is_some()))
    }

    /// Whether records have the start of a packet: the data of [`FlowRecord::packet`](crate::FlowRecord::packet).
    pub const fn has_packet(&self) -> bool {
        self.sections.is_some()
    }

    /// Whether records may tell of translation: [`FlowRecord::nat`](crate::FlowRecord::nat).
    pub fn has_nat(&self) -> bool {
        let absent =
            |rare: &RarePlan| [&rare.nat_source, &rare.nat_destination].map(|plan| *plan == AddressPlan::Absent);
        let has = |fact| self.locate(fact).is_some();
        self.rare().is_some_and(|rare| absent(rare) != [true; 2])
            || has(Fact::NatSourcePort)
            || has(Fact::NatDestinationPort)
    }

    /// Whether records have entries of a label stack: [`FlowRecord::mpls_labels`](crate::FlowRecord::mpls_labels).
    pub fn has_mpls_labels(&self) -> bool {
        self.rare().is_some_and(|rare| !rare.labels.is_empty())
    }

    /// Whether records may name another exporter: [`FlowRecord::observed_exporter`](crate::FlowRecord::observed_exporter).
    pub fn has_observed_exporter(&self) -> bool {
        self.rare().is_some_and(|rare| rare.original_exporter != AddressPlan::Absent)
    }

    /// Whether counters may be cumulative: [`FlowRecord::is_cumulative`](crate::FlowRecord::is_cumulative).
    pub const fn has_totals(&self) -> bool {
        self.has_totals
    }

    /// Whether records have a reverse direction: [`FlowRecord::reverse`](crate::FlowRecord::reverse).
    pub fn has_reverse(&self) -> bool {
        self.reverse().is_some()
    }

    /// Whether [`FlowRecord::forwarding`](crate::FlowRecord::forwarding) may say more than
    /// [`Fact::ForwardingStatus`].
    pub fn may_imply_drops(&self) -> bool {
        self.rare().is_some_and(|rare| rare.juniper) && self.locate(Fact::ForwardingStatus).is_none()
    }

    /// Whether records have any form of ICMP type and code.
    pub fn has_icmp(&self) -> bool {
        [Fact::IcmpTypeCodeIpv4, Fact::IcmpTypeCodeIpv6, Fact::IcmpType, Fact::DestinationPort]
            .iter()
            .any(|fact| self.locate(*fact).is_some())
    }
}

impl RarePlan {
    fn memory(&self) -> usize {
        let addresses = [&self.nat_source, &self.nat_destination, &self.original_exporter].map(AddressPlan::memory);
        let reverse = |plan: &ReversePlan| size_of::<ReversePlan>() + plan.octets.memory() + plan.packets.memory();
        size_of::<Self>()
            + size_of_val(&*self.labels)
            + addresses.iter().sum::<usize>()
            + self.reverse.as_deref().map_or(0, reverse)
    }

    fn new(find: &Finder<'_>, template: &Template) -> Self {
        let mac = |ours, post| find.exact(0, ours, 6).or_else(|| find.exact(0, post, 6));
        let exporter = match find.address(id::ORIGINAL_EXPORTER_IPV4_ADDRESS, id::ORIGINAL_EXPORTER_IPV6_ADDRESS) {
            AddressPlan::Absent => find.address(id::EXPORTER_IPV4_ADDRESS, id::EXPORTER_IPV6_ADDRESS),
            original => original,
        };
        let reverse = ReversePlan::new(find, template.version());
        Self {
            source_mac: mac(id::SOURCE_MAC_ADDRESS, id::POST_SOURCE_MAC_ADDRESS),
            destination_mac: mac(id::DESTINATION_MAC_ADDRESS, id::POST_DESTINATION_MAC_ADDRESS),
            nat_source: find.address(id::POST_NAT_SOURCE_IPV4_ADDRESS, id::POST_NAT_SOURCE_IPV6_ADDRESS),
            nat_destination: find.address(id::POST_NAT_DESTINATION_IPV4_ADDRESS, id::POST_NAT_DESTINATION_IPV6_ADDRESS),
            original_exporter: exporter,
            labels: find.labels(),
            duration_milliseconds: find.integer(0, id::FLOW_DURATION_MILLISECONDS),
            duration_microseconds: find.integer(0, id::FLOW_DURATION_MICROSECONDS),
            observation: find.time(0, OBSERVATION),
            collection: find.time(0, COLLECTION),
            reverse: (reverse != ReversePlan::default()).then(|| Box::new(reverse)),
            juniper: find.has_enterprise(JUNIPER),
        }
    }

    fn completes_times(&self, times: &TimesPlan) -> bool {
        let moment = self.observation != TimePlan::Absent || self.collection != TimePlan::Absent;
        let duration = self.duration_milliseconds.or(self.duration_microseconds).is_some();
        match (times.start, times.end) {
            (TimePlan::Absent, TimePlan::Absent) => moment,
            (_, TimePlan::Absent) => duration || self.observation != TimePlan::Absent,
            (TimePlan::Absent, _) => duration,
            _ => false,
        }
    }
}

/// Where one counter of the reverse direction may come from.
struct ReverseCounter {
    delta: u16,
    total: u16,
    initiator: u16,
    responder: u16,
    outgoing: u16,
}

const REVERSE_OCTETS: ReverseCounter = ReverseCounter {
    delta: id::OCTET_DELTA_COUNT,
    total: id::OCTET_TOTAL_COUNT,
    initiator: id::INITIATOR_OCTETS,
    responder: id::RESPONDER_OCTETS,
    outgoing: id::POST_OCTET_DELTA_COUNT,
};
const REVERSE_PACKETS: ReverseCounter = ReverseCounter {
    delta: id::PACKET_DELTA_COUNT,
    total: id::PACKET_TOTAL_COUNT,
    initiator: id::INITIATOR_PACKETS,
    responder: id::RESPONDER_PACKETS,
    outgoing: id::POST_PACKET_DELTA_COUNT,
};

impl ReverseCounter {
    /// Reverse elements; else the responder's counter, where the initiator's is there too; else what nProbe counts as
    /// going out, which is from destination to source.
    fn find(&self, find: &Finder<'_>) -> (Choice, Option<ReverseOrigin>) {
        let reverse: Choice =
            [self.delta, self.total].into_iter().filter_map(|element| find.integer(REVERSE, element)).collect();
        if reverse.first.is_some() {
            return (reverse, Some(ReverseOrigin::ReverseElements));
        }
        let pair = |forward, back| find.integer(0, forward).and_then(|_| find.integer(0, back));
        if let Some(responder) = pair(self.initiator, self.responder) {
            return (Choice::from_iter([responder]), Some(ReverseOrigin::Responder));
        }
        match pair(self.delta, self.outgoing).filter(|_| find.is_ntop()) {
            Some(outgoing) => (Choice::from_iter([outgoing]), Some(ReverseOrigin::Outgoing)),
            None => (Choice::default(), None),
        }
    }
}

impl ReversePlan {
    fn new(find: &Finder<'_>, version: Version) -> Self {
        let (octets, octets_origin) = REVERSE_OCTETS.find(find);
        let (packets, packets_origin) = REVERSE_PACKETS.find(find);
        let flags =
            [(REVERSE, id::TCP_CONTROL_BITS), (CERT, CERT_REVERSE_UNION_TCP_FLAGS), (NTOP, NTOP_SERVER_TCP_FLAGS)];
        Self {
            octets,
            packets,
            tcp_flags: flags.iter().find_map(|(enterprise, element)| find.integer(*enterprise, *element)),
            times: TimesPlan::new(find, REVERSE, version),
            delta: find.integer(CERT, CERT_REVERSE_FLOW_DELTA_MILLISECONDS),
            origin: octets_origin.or(packets_origin).unwrap_or_default(),
        }
    }
}

/// Enterprise number of Juniper.
const JUNIPER: u32 = 2636;
/// Enterprise number of CERT, the maker of YAF.
const CERT: u32 = 6871;
const CERT_REVERSE_FLOW_DELTA_MILLISECONDS: u16 = 21;
const CERT_REVERSE_UNION_TCP_FLAGS: u16 = 15 | 0x4000;
/// Enterprise number of ntop, the maker of nProbe.
const NTOP: u32 = 35632;
const NTOP_SERVER_TCP_FLAGS: u16 = 79;
