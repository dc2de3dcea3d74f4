//! The attributes of a flow, decided once for its Template.

use std::net::IpAddr;

use flow_state::{Fact, FlowPlan, FlowRecord, Icmp, Sampling, SamplingAlgorithm, Timestamp};
use flow_wire::Locator;

use crate::attribute::Attribute;
use crate::community_id::FlowTuple;
use crate::joined;
use crate::rare::{self, Rare};
use crate::text::{self, ShortText};
use crate::trace::SpanSink;

/// Takes the attributes of one span.
pub trait AttributeWriter {
    /// Attributes that were encoded before, by [`SpanSink::fragment`](crate::SpanSink::fragment).
    type Fragment;
    /// Integer attributes that occur together, laid out before by [`SpanSink::row`](crate::SpanSink::row).
    type Row;

    /// An integer.
    fn int(&mut self, attribute: Attribute, value: i64);
    /// A text.
    fn str(&mut self, attribute: Attribute, value: &str);
    /// A short text.
    fn text(&mut self, attribute: Attribute, value: &ShortText);
    /// An IP address, as text.
    fn address(&mut self, attribute: Attribute, value: IpAddr);
    /// A list of texts.
    fn strs(&mut self, attribute: Attribute, values: &[&str]);
    /// True or false.
    fn bool(&mut self, attribute: Attribute, value: bool);
    /// Attributes that were encoded before.
    fn fragment(&mut self, fragment: &Self::Fragment);
    /// The attributes of a row, with these values in its order; a value above `i64::MAX` stays there.
    fn row(&mut self, row: &Self::Row, values: impl Iterator<Item = u64>);
    /// The span's status is an error.
    fn error(&mut self, message: &str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Addresses,
    NextHop,
    Ports,
    Octets,
    Packets,
    ReverseCounters,
    Times,
    Icmp,
    MacAddresses,
    Direction(Locator),
    EndReason(Locator),
    ForwardingStatus(Locator),
    Sampling,
    InterfaceNames,
    VrfNames,
    Application,
    Rare(Rare),
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

/// Columns of a row, and where their values lie.
#[derive(Debug)]
struct Columns<R> {
    row: R,
    locators: Box<[Locator]>,
}

impl<R> Columns<R> {
    fn new(columns: &[(Attribute, Locator)], sink: &mut impl SpanSink<Row = R>) -> Self {
        let bytes = |locator: Locator| usize::from(locator.length()).min(8);
        let sized: Vec<_> = columns.iter().map(|&(attribute, locator)| (attribute, bytes(locator))).collect();
        Self { row: sink.row(&sized), locators: columns.iter().map(|(_, locator)| *locator).collect() }
    }

    #[inline]
    fn write(&self, flow: &FlowRecord<'_>, out: &mut impl AttributeWriter<Row = R>) {
        let record = flow.record();
        out.row(&self.row, self.locators.iter().map(|locator| record.unsigned(*locator)));
    }
}

/// Writes the attributes of the flows of one Template: rows of integers and a list of steps, without a look at what the
/// Template lacks. What many flows have in common comes from [`SharedAttributes`](crate::SharedAttributes).
#[derive(Debug)]
pub(crate) struct AttributeProgram<R> {
    integers: Columns<R>,
    ports: Columns<R>,
    times: R,
    steps: Box<[Step]>,
}

impl<R> AttributeProgram<R> {
    /// Makes the program of a Template's plan, for spans of this sink.
    pub(crate) fn new(plan: &FlowPlan, sink: &mut impl SpanSink<Row = R>) -> Self {
        let locate = |facts: &[(Fact, Attribute)]| -> Vec<_> {
            facts.iter().filter_map(|&(fact, attribute)| Some((attribute, plan.locate(fact)?))).collect()
        };
        let mut integers = locate(INTEGERS);
        let lacked = PHYSICAL.iter().filter(|(logical, ..)| plan.locate(*logical).is_none());
        integers.extend(lacked.filter_map(|&(_, physical, attribute)| Some((attribute, plan.locate(physical)?))));
        let (octets, packets) = plan.only_counters();
        integers.extend(octets.map(|locator| (Attribute::Octets, locator)));
        integers.extend(packets.map(|locator| (Attribute::Packets, locator)));
        let any = |(a, b): (bool, bool)| a || b;
        let has = |fact| plan.locate(fact).is_some();
        let (has_octets, has_packets) = plan.has_counters();
        let mut steps: Vec<_> = [
            (any(plan.has_addresses()), Step::Addresses),
            (plan.has_next_hop(), Step::NextHop),
            (has(Fact::SourcePort) || has(Fact::DestinationPort), Step::Ports),
            (has(Fact::Protocol) && plan.has_icmp(), Step::Icmp),
            (has_octets && octets.is_none(), Step::Octets),
            (has_packets && packets.is_none(), Step::Packets),
            (any(plan.has_reverse_counters()), Step::ReverseCounters),
            (any(plan.has_times()), Step::Times),
            (any(plan.has_mac_addresses()), Step::MacAddresses),
            (has_octets || has_packets || has(Fact::SamplingInterval), Step::Sampling),
            (plan.has_interfaces(), Step::InterfaceNames),
            (plan.has_vrfs(), Step::VrfNames),
            (plan.has_application(), Step::Application),
        ]
        .into_iter()
        .filter_map(|(wanted, step)| wanted.then_some(step))
        .collect();
        let located = [
            (Fact::Direction, Step::Direction as fn(Locator) -> Step),
            (Fact::EndReason, Step::EndReason),
            (Fact::ForwardingStatus, Step::ForwardingStatus),
        ];
        steps.extend(Rare::of(plan).map(Step::Rare));
        steps.extend(located.iter().filter_map(|(fact, step)| plan.locate(*fact).map(step)));
        Self {
            integers: Columns::new(&integers, sink),
            ports: Columns::new(&locate(PORTS), sink),
            times: sink.row(TIMES),
            steps: steps.into_boxed_slice(),
        }
    }

    /// Writes the attributes of a flow that it does not share with others. The flow must be of the program's Template.
    #[inline]
    pub(crate) fn run(&self, flow: &FlowRecord<'_>, endpoints: &Endpoints, out: &mut impl AttributeWriter<Row = R>) {
        self.integers.write(flow, out);
        for step in &self.steps {
            match *step {
                Step::Addresses => addresses(endpoints, out),
                Step::NextHop => {
                    if let Some(next_hop) = flow.next_hop() {
                        out.address(Attribute::NextHop, next_hop);
                    }
                }
                Step::Ports if endpoints.is_icmp() => {}
                Step::Ports => self.ports.write(flow, out),
                Step::Octets => integer(out, Attribute::Octets, flow.octets()),
                Step::Packets => integer(out, Attribute::Packets, flow.packets()),
                Step::ReverseCounters => {
                    let reverse = flow.reverse();
                    integer(out, Attribute::ReverseOctets, reverse.and_then(|reverse| reverse.octets()));
                    integer(out, Attribute::ReversePackets, reverse.and_then(|reverse| reverse.packets()));
                }
                Step::Times => self.times(flow, out),
                Step::Icmp => icmp(endpoints, out),
                Step::MacAddresses => mac_addresses(flow, out),
                Step::Direction(locator) => match flow.record().unsigned(locator) {
                    0 => out.str(Attribute::Direction, "ingress"),
                    1 => out.str(Attribute::Direction, "egress"),
                    _ => {}
                },
                Step::EndReason(locator) => end_reason(flow.record().unsigned(locator), out),
                Step::ForwardingStatus(locator) => forwarding_status(flow.record().unsigned(locator), out),
                Step::Rare(rare) => rare.write(flow, out),
                Step::Sampling => joined::sampling(flow, out),
                Step::InterfaceNames => joined::interface_names(flow, out),
                Step::VrfNames => joined::vrf_names(flow, out),
                Step::Application => joined::application(flow, out),
            }
        }
    }

    #[inline]
    fn times(&self, flow: &FlowRecord<'_>, out: &mut impl AttributeWriter<Row = R>) {
        let time = flow.time();
        if time.inferred | time.clamped {
            rare::time_marks(&time, out);
        }
        let nanos = |time: Timestamp| time.as_unix_nanos();
        match (time.start, time.end, time.duration()) {
            (Some(start), Some(end), Some(duration)) => {
                let values = [nanos(start), nanos(end), duration.as_millis() as u64];
                out.row(&self.times, values.into_iter());
            }
            (start, end, _) => {
                integer(out, Attribute::StartTime, start.map(nanos));
                integer(out, Attribute::EndTime, end.map(nanos));
            }
        }
    }
}

/// OpenTelemetry has no unsigned integers; a counter above 2^63 - 1 stays there.
#[inline]
fn at_most_i64(value: u64) -> u64 {
    value.min(i64::MAX as u64)
}

#[inline]
pub(crate) fn integer(out: &mut impl AttributeWriter, attribute: Attribute, value: Option<u64>) {
    if let Some(value) = value {
        out.int(attribute, at_most_i64(value) as i64);
    }
}

#[inline]
fn addresses(endpoints: &Endpoints, out: &mut impl AttributeWriter) {
    if let Some(source) = endpoints.source {
        out.address(Attribute::SourceAddress, source);
    }
    if let Some(destination) = endpoints.destination {
        out.address(Attribute::DestinationAddress, destination);
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

fn end_reason(number: u64, out: &mut impl AttributeWriter) {
    let reason = match number {
        1 => "idle_timeout",
        2 => "active_timeout",
        3 => "end_of_flow",
        4 => "forced_end",
        5 => "lack_of_resources",
        _ => return,
    };
    out.str(Attribute::EndReason, reason);
}

fn forwarding_status(status: u64, out: &mut impl AttributeWriter) {
    out.int(Attribute::ForwardingStatus, at_most_i64(status) as i64);
    // The upper two bits of the lowest byte: 2 is dropped (RFC 7270 section 4.12).
    if status >> 6 & 3 == 2 {
        out.error("dropped by the exporter");
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

/// The facts of a flow that several attributes come from, read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints {
    pub(crate) source: Option<IpAddr>,
    pub(crate) destination: Option<IpAddr>,
    pub(crate) protocol: Option<u8>,
    pub(crate) icmp: Option<Icmp>,
}

impl Endpoints {
    #[inline]
    pub(crate) fn new(flow: &FlowRecord<'_>) -> Self {
        let protocol = flow.protocol();
        let icmp = if matches!(protocol, Some(ICMP | ICMP_V6)) { flow.icmp() } else { None };
        Self { source: flow.source_address(), destination: flow.destination_address(), protocol, icmp }
    }

    #[inline]
    fn is_icmp(&self) -> bool {
        matches!(self.protocol, Some(ICMP | ICMP_V6))
    }

    /// What the Community ID is made from, if there are addresses of one family and a protocol.
    #[inline]
    pub(crate) fn tuple(&self, flow: &FlowRecord<'_>) -> Option<FlowTuple> {
        let (source, destination, protocol) = (self.source?, self.destination?, self.protocol?);
        let port = |fact| flow.integer(fact).map_or(0, |port| port as u16);
        let ports = match self.icmp {
            Some(icmp) => (icmp.kind.into(), icmp.code.unwrap_or(0).into()),
            None => (port(Fact::SourcePort), port(Fact::DestinationPort)),
        };
        (source.is_ipv4() == destination.is_ipv4()).then_some(FlowTuple { source, destination, protocol, ports })
    }
}

const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
