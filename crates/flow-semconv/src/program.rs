//! The attributes of a flow, decided once for its Template.

use std::net::{IpAddr, Ipv4Addr};

use flow_state::{Fact, FlowPlan, FlowRecord, Sampling, SamplingAlgorithm, Timestamp};
use flow_wire::Locator;

use crate::attribute::{Attribute, Schema};
use crate::attribute_set::AttributeSet;
use crate::community_id::Tuple;
use crate::endpoints::{Addresses, Endpoints, EndpointsPlan};
use crate::extra::ExtraValue;
use crate::joined;
use crate::packet::{self, PacketStep};
use crate::rare::{self, Rare};
use crate::selected::Selected;
use crate::shared::SharedPlan;
use crate::sink::{SpanParts, SpanSink};
use crate::text::{self, ShortText};
use crate::topology::Ends;

/// Takes the attributes of one span.
pub trait AttributeWriter {
    /// What was encoded before.
    type Parts: SpanParts;

    /// An integer.
    fn int(&mut self, attribute: Attribute, value: i64);
    /// A floating point number.
    fn double(&mut self, attribute: Attribute, value: f64);
    /// A text.
    fn str(&mut self, attribute: Attribute, value: &str);
    /// A short text.
    fn text(&mut self, attribute: Attribute, value: &ShortText);
    /// An IP address, as text.
    fn address(&mut self, attribute: Attribute, value: IpAddr);
    /// An IPv4 address, as text.
    fn ipv4(&mut self, attribute: Attribute, value: Ipv4Addr);
    /// A list of texts.
    fn strs(&mut self, attribute: Attribute, values: &[&str]);
    /// True or false.
    fn bool(&mut self, attribute: Attribute, value: bool);
    /// Attributes that were encoded before.
    fn fragment(&mut self, fragment: &<Self::Parts as SpanParts>::Fragment);
    /// The attributes of a row, with these values in its order; a value above `i64::MAX` stays there.
    fn row(&mut self, row: &<Self::Parts as SpanParts>::Row, values: impl Iterator<Item = u64>);
    /// An attribute with a key of its own.
    fn extra(&mut self, key: &<Self::Parts as SpanParts>::Key, value: ExtraValue<'_>);
    /// The span's W3C trace state, at most once.
    fn trace_state(&mut self, value: &ShortText);
    /// The span's status is an error.
    fn error(&mut self, message: &str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Addresses,
    NextHop,
    NextHopIpv4(Locator),
    Octets,
    Packets,
    /// The sum of both directions, as the Elastic Common Schema has it.
    OctetsOfBoth,
    PacketsOfBoth,
    ReverseCounters,
    Icmp,
    MacAddresses,
    Sampling,
    InterfaceNames,
    VrfNames,
    Application,
    Rare(Rare),
    Packet(PacketStep),
}

impl Step {
    /// What it may write.
    const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Addresses => &[Attribute::SourceAddress, Attribute::DestinationAddress],
            Self::NextHop | Self::NextHopIpv4(_) => &[Attribute::NextHop],
            Self::Octets | Self::OctetsOfBoth => &[Attribute::Octets],
            Self::Packets | Self::PacketsOfBoth => &[Attribute::Packets],
            Self::ReverseCounters => &[Attribute::ReverseOctets, Attribute::ReversePackets],
            Self::Icmp => &[Attribute::IcmpType, Attribute::IcmpCode],
            Self::MacAddresses => &[Attribute::SourceMac, Attribute::DestinationMac],
            Self::Sampling => &[
                Attribute::SamplingInterval,
                Attribute::SamplingAlgorithm,
                Attribute::OctetsEstimated,
                Attribute::PacketsEstimated,
            ],
            Self::InterfaceNames => &[Attribute::InputInterfaceName, Attribute::OutputInterfaceName],
            Self::VrfNames => &[Attribute::IngressVrf, Attribute::EgressVrf],
            Self::Application => &[Attribute::ApplicationId, Attribute::ApplicationName],
            Self::Rare(rare) => rare.attributes(),
            Self::Packet(_) => PacketStep::ATTRIBUTES,
        }
    }

    /// Whether anything of it is in the set. A step without attributes sets the status.
    fn is_wanted(self, set: &AttributeSet) -> bool {
        let attributes = self.attributes();
        attributes.is_empty() || attributes.iter().any(|attribute| set.has(*attribute))
    }
}

/// Facts that become an attribute as they are.
const INTEGERS: &[(Fact, Attribute)] = &[
    (Fact::IngressInterface, Attribute::InputInterface),
    (Fact::EgressInterface, Attribute::OutputInterface),
    (Fact::SourceAs, Attribute::SourceAs),
    (Fact::DestinationAs, Attribute::DestinationAs),
    (Fact::TimeToLive, Attribute::TimeToLive),
    (Fact::FlowLabel, Attribute::FlowLabel),
    (Fact::SourcePrefixLength, Attribute::SourceMask),
    (Fact::DestinationPrefixLength, Attribute::DestinationMask),
    (Fact::SourceVlan, Attribute::SourceVlan),
    (Fact::DestinationVlan, Attribute::DestinationVlan),
    (Fact::MaximumTimeToLive, Attribute::MaximumTimeToLive),
    (Fact::IngressVrf, Attribute::IngressVrfId),
    (Fact::EgressVrf, Attribute::EgressVrfId),
];

/// Physical ports stand in for interfaces that the Template lacks.
const PHYSICAL: &[(Fact, Fact, Attribute)] = &[
    (Fact::IngressInterface, Fact::IngressPhysicalInterface, Attribute::InputInterface),
    (Fact::EgressInterface, Fact::EgressPhysicalInterface, Attribute::OutputInterface),
];

/// The ports, in the order of their row.
const PORTS: &[(Fact, Attribute)] =
    &[(Fact::SourcePort, Attribute::SourcePort), (Fact::DestinationPort, Attribute::DestinationPort)];

/// Start, end and duration with the bytes of their values: 2^49 milliseconds are more than 2^64 nanoseconds.
const TIMES: &[(Attribute, usize)] = &[(Attribute::StartTime, 8), (Attribute::EndTime, 8), (Attribute::DurationMs, 6)];

/// What times are written as.
#[derive(Debug)]
enum Times<R> {
    /// Nothing.
    Absent,
    /// Integers: a row where start and end are in order.
    Row(R),
    /// Integers one by one, because not all are wanted.
    Integers,
    /// Dates, and a duration in nanoseconds, as the Elastic Common Schema has them.
    Dates,
}

impl<R> Times<R> {
    fn new<S>(plan: &FlowPlan, set: &AttributeSet, sink: &mut S) -> Self
    where
        S: SpanSink<Parts: SpanParts<Row = R>>,
    {
        let row = || TIMES.iter().map(|(attribute, _)| *attribute);
        let any = row().chain([Attribute::TimeInferred, Attribute::TimeClamped]).any(|attribute| set.has(attribute));
        match plan.has_times() {
            (false, false) => Self::Absent,
            _ if !any => Self::Absent,
            _ if set.schema() == Schema::Ecs => Self::Dates,
            _ if row().all(|attribute| set.has(attribute)) => Self::Row(sink.row(TIMES)),
            _ => Self::Integers,
        }
    }

    #[inline]
    fn write<W>(&self, flow: &FlowRecord<'_>, out: &mut W)
    where
        W: AttributeWriter<Parts: SpanParts<Row = R>>,
    {
        if matches!(self, Self::Absent) {
            return;
        }
        let time = flow.time();
        if time.inferred | time.clamped {
            rare::time_marks(&time, out);
        }
        match (self, time.start, time.end) {
            (Self::Row(row), Some(start), Some(end)) if end >= start => {
                let millis = end.since(start).as_millis() as u64;
                out.row(row, [start.as_unix_nanos(), end.as_unix_nanos(), millis].into_iter());
            }
            (Self::Dates, ..) => rare::dates(&time, out),
            _ => {
                integer(out, Attribute::StartTime, time.start.map(Timestamp::as_unix_nanos));
                integer(out, Attribute::EndTime, time.end.map(Timestamp::as_unix_nanos));
                integer(out, Attribute::DurationMs, time.duration().map(|duration| duration.as_millis() as u64));
            }
        }
    }
}

/// Columns of a row, and where their values lie.
#[derive(Debug)]
struct Columns<R> {
    row: R,
    locators: Box<[Locator]>,
}

impl<R> Columns<R> {
    fn new<S>(columns: &[(Attribute, Locator)], sink: &mut S) -> Self
    where
        S: SpanSink<Parts: SpanParts<Row = R>>,
    {
        let bytes = |locator: Locator| usize::from(locator.length()).min(8);
        let sized: Vec<_> = columns.iter().map(|&(attribute, locator)| (attribute, bytes(locator))).collect();
        Self { row: sink.row(&sized), locators: columns.iter().map(|(_, locator)| *locator).collect() }
    }

    #[inline]
    fn write<W>(&self, flow: &FlowRecord<'_>, out: &mut W)
    where
        W: AttributeWriter<Parts: SpanParts<Row = R>>,
    {
        out.row(&self.row, flow.record().unsigned_each(&self.locators));
    }
}

/// Writes the attributes of the flows of one Template: rows of integers and a list of steps, without a look at what the
/// Template lacks. What many flows have in common comes from [`SharedAttributes`](crate::shared::SharedAttributes).
#[derive(Debug)]
pub(crate) struct AttributeProgram<R> {
    integers: Columns<R>,
    /// Those of ICMP, whose ports are none.
    portless: Columns<R>,
    times: Times<R>,
    endpoints: EndpointsPlan,
    shared: SharedPlan,
    steps: Box<[Step]>,
    /// What comes from beside the records alone.
    joins: Box<[Step]>,
    is_ecs: bool,
    /// Addresses are those of a packet that the record holds the start of.
    packet_stands_in: bool,
}

impl<R> AttributeProgram<R> {
    /// Makes the program of a Template's plan, for the attributes of a set in spans of this sink.
    pub(crate) fn new<S>(plan: &FlowPlan, set: &AttributeSet, sink: &mut S) -> Self
    where
        S: SpanSink<Parts: SpanParts<Row = R>>,
    {
        let locate = |facts: &[(Fact, Attribute)]| -> Vec<_> {
            facts.iter().filter_map(|&(fact, attribute)| Some((attribute, plan.locate(fact)?))).collect()
        };
        let mut integers = locate(INTEGERS);
        let lacked = PHYSICAL.iter().filter(|(logical, ..)| plan.locate(*logical).is_none());
        integers.extend(lacked.filter_map(|&(_, physical, attribute)| Some((attribute, plan.locate(physical)?))));
        let any = |(a, b): (bool, bool)| a || b;
        let sums_directions = set.schema() == Schema::Ecs && any(plan.has_reverse_counters());
        let (octets, packets) = if sums_directions { (None, None) } else { plan.only_counters() };
        integers.extend(octets.map(|locator| (Attribute::Octets, locator)));
        integers.extend(packets.map(|locator| (Attribute::Packets, locator)));
        let mut ports = locate(PORTS);
        for columns in [&mut integers, &mut ports] {
            columns.retain(|(attribute, _)| set.has(*attribute));
        }
        let has = |fact| plan.locate(fact).is_some();
        let (has_octets, has_packets) = plan.has_counters();
        let mut steps: Vec<_> = [
            (any(plan.has_addresses()), Step::Addresses),
            (plan.has_next_hop(), plan.ipv4_next_hop().map_or(Step::NextHop, Step::NextHopIpv4)),
            (has(Fact::Protocol) && plan.has_icmp(), Step::Icmp),
            (has_octets && sums_directions, Step::OctetsOfBoth),
            (has_packets && sums_directions, Step::PacketsOfBoth),
            (has_octets && octets.is_none() && !sums_directions, Step::Octets),
            (has_packets && packets.is_none() && !sums_directions, Step::Packets),
            (any(plan.has_reverse_counters()), Step::ReverseCounters),
            (any(plan.has_mac_addresses()), Step::MacAddresses),
            (plan.has_sampling(), Step::Sampling),
            (plan.has_application(), Step::Application),
        ]
        .into_iter()
        .filter_map(|(wanted, step)| wanted.then_some(step))
        .collect();
        let joins = [
            ((has_octets || has_packets) && !plan.has_sampling(), Step::Sampling),
            (plan.has_interfaces(), Step::InterfaceNames),
            (plan.has_vrfs(), Step::VrfNames),
        ];
        let joins = joins.into_iter().filter_map(|(wanted, step)| (wanted && step.is_wanted(set)).then_some(step));
        steps.extend(Rare::of(plan).map(Step::Rare));
        let packet = PacketStep::new(plan);
        steps.extend(packet.map(Step::Packet));
        steps.retain(|step| step.is_wanted(set));
        Self {
            integers: Columns::new(&[&*integers, &*ports].concat(), sink),
            portless: Columns::new(&integers, sink),
            times: Times::new(plan, set, sink),
            endpoints: EndpointsPlan::new(plan),
            shared: SharedPlan::new(plan),
            steps: steps.into_boxed_slice(),
            joins: joins.collect(),
            is_ecs: set.schema() == Schema::Ecs,
            packet_stands_in: packet.is_some_and(|packet| packet.stands_in),
        }
    }

    /// Where the endpoints of a flow lie.
    #[inline]
    pub(crate) const fn endpoints(&self) -> &EndpointsPlan {
        &self.endpoints
    }

    /// What the Community ID of a flow is made from.
    #[inline]
    pub(crate) fn tuple(&self, endpoints: &Endpoints, flow: &FlowRecord<'_>) -> Option<Tuple> {
        match endpoints.tuple() {
            None if self.packet_stands_in => packet::tuple(&flow.packet()?.outer),
            tuple => tuple,
        }
    }

    /// Between whom a flow was.
    pub(crate) fn ends(&self, endpoints: &Endpoints, flow: &FlowRecord<'_>) -> Ends {
        match self.packet_stands_in.then(|| flow.packet()).flatten() {
            Some(packet) => Ends::of_packet(&packet.outer),
            None => Ends::of(endpoints),
        }
    }

    /// Where the facts lie that many flows have alike.
    #[inline]
    pub(crate) const fn shared(&self) -> &SharedPlan {
        &self.shared
    }

    /// Writes the attributes of a flow that it does not share with others. The flow must be of the program's Template and
    /// the set that of its making; `joined` is whether there is anything beside the records: options data, or sampling in
    /// the header.
    #[inline]
    pub(crate) fn run<W>(
        &self,
        flow: &FlowRecord<'_>,
        endpoints: &Endpoints,
        joined: bool,
        set: &AttributeSet,
        out: &mut W,
    ) where
        W: AttributeWriter<Parts: SpanParts<Row = R>>,
    {
        if set.is_complete() {
            self.write(flow, endpoints, joined, out);
        } else {
            self.write(flow, endpoints, joined, &mut Selected::new(out, set));
        }
    }

    #[inline]
    fn write<W>(&self, flow: &FlowRecord<'_>, endpoints: &Endpoints, joined: bool, out: &mut W)
    where
        W: AttributeWriter<Parts: SpanParts<Row = R>>,
    {
        let integers = if endpoints.is_icmp() { &self.portless } else { &self.integers };
        integers.write(flow, out);
        self.times.write(flow, out);
        let joins = if joined { &*self.joins } else { &[] };
        for step in self.steps.iter().chain(joins) {
            match *step {
                Step::Addresses => addresses(endpoints, out),
                Step::NextHop => {
                    if let Some(next_hop) = flow.next_hop() {
                        out.address(Attribute::NextHop, next_hop);
                    }
                }
                Step::NextHopIpv4(locator) => out.ipv4(Attribute::NextHop, flow.record().ipv4(locator)),
                Step::Octets => integer(out, Attribute::Octets, flow.octets()),
                Step::Packets => integer(out, Attribute::Packets, flow.packets()),
                Step::OctetsOfBoth => integer(out, Attribute::Octets, of_both(flow.octets(), flow.reverse_octets())),
                Step::PacketsOfBoth => {
                    integer(out, Attribute::Packets, of_both(flow.packets(), flow.reverse_packets()))
                }
                Step::ReverseCounters => {
                    let reverse = flow.reverse();
                    integer(out, Attribute::ReverseOctets, reverse.and_then(|reverse| reverse.octets()));
                    integer(out, Attribute::ReversePackets, reverse.and_then(|reverse| reverse.packets()));
                }
                Step::Icmp => icmp(endpoints, out),
                Step::MacAddresses => mac_addresses(flow, out),
                Step::Rare(rare) => rare.write(flow, out),
                Step::Packet(packet) => packet.write(flow, out),
                Step::Sampling => joined::sampling(flow, out),
                Step::InterfaceNames => joined::interface_names(flow, out),
                Step::VrfNames => joined::vrf_names(flow, out),
                Step::Application => joined::application(flow, self.is_ecs, out),
            }
        }
    }
}

/// A counter and that of the other direction, if there is one.
fn of_both(counter: Option<u64>, reverse: Option<u64>) -> Option<u64> {
    counter.map(|counter| counter.saturating_add(reverse.unwrap_or(0)))
}

/// OpenTelemetry has no unsigned integers; a counter above 2^63 - 1 stays there.
#[inline]
pub(crate) fn integer(out: &mut impl AttributeWriter, attribute: Attribute, value: Option<u64>) {
    if let Some(value) = value {
        out.int(attribute, value.min(i64::MAX as u64) as i64);
    }
}

#[inline]
fn addresses(endpoints: &Endpoints, out: &mut impl AttributeWriter) {
    match endpoints.addresses {
        Addresses::Ipv4 { source, destination } => {
            out.ipv4(Attribute::SourceAddress, Ipv4Addr::from_bits(source));
            out.ipv4(Attribute::DestinationAddress, Ipv4Addr::from_bits(destination));
        }
        Addresses::Any { source, destination } => {
            if let Some(source) = source {
                out.address(Attribute::SourceAddress, source);
            }
            if let Some(destination) = destination {
                out.address(Attribute::DestinationAddress, destination);
            }
        }
    }
}

#[inline]
fn icmp(endpoints: &Endpoints, out: &mut impl AttributeWriter) {
    if let Some(icmp) = endpoints.icmp {
        out.int(Attribute::IcmpType, icmp.kind.into());
        if let Some(code) = icmp.code {
            out.int(Attribute::IcmpCode, code.into());
        }
    }
}

fn mac_addresses(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    if let Some(address) = flow.source_mac() {
        out.text(Attribute::SourceMac, &text::mac(address));
    }
    if let Some(address) = flow.destination_mac() {
        out.text(Attribute::DestinationMac, &text::mac(address));
    }
}

pub(crate) fn sampling_attributes(sampling: Sampling, out: &mut impl AttributeWriter) {
    if let Some(rate) = sampling.rate {
        out.int(Attribute::SamplingInterval, rate.interval().into());
    }
    match sampling.algorithm {
        Some(SamplingAlgorithm::Deterministic) => out.str(Attribute::SamplingAlgorithm, "deterministic"),
        Some(SamplingAlgorithm::Random) => out.str(Attribute::SamplingAlgorithm, "random"),
        _ => {}
    }
}
