//! The attributes of a flow, decided once for its Template.

use std::net::IpAddr;

use flow_state::{Fact, FlowPlan, FlowRecord};
use flow_wire::Locator;

use crate::attribute::Attribute;
use crate::community_id::{CommunityId, FlowTuple};
use crate::text::{self, ShortText};

/// Takes the attributes of one span.
pub trait AttributeWriter {
    /// Attributes that were encoded before, by [`SpanSink::fragment`](crate::SpanSink::fragment).
    type Fragment;

    /// An integer.
    fn int(&mut self, attribute: Attribute, value: i64);
    /// A text.
    fn str(&mut self, attribute: Attribute, value: &str);
    /// A short text.
    fn text(&mut self, attribute: Attribute, value: &ShortText);
    /// A list of texts.
    fn strs(&mut self, attribute: Attribute, values: &[&str]);
    /// True or false.
    fn bool(&mut self, attribute: Attribute, value: bool);
    /// Attributes that were encoded before.
    fn fragment(&mut self, fragment: &Self::Fragment);
    /// The span's status is an error.
    fn error(&mut self, message: &str);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Addresses,
    Ports,
    Counters,
    ReverseCounters,
    NextHop,
    Integer(Attribute, Locator),
    Times,
    Icmp,
    MacAddresses,
    Direction(Locator),
    EndReason(Locator),
    ForwardingStatus(Locator),
    Sampling,
    CommunityId,
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
];

/// Writes the attributes of the flows of one Template: a list of steps, without a look at what the Template lacks.
/// What many flows have in common comes from [`SharedAttributes`](crate::SharedAttributes).
#[derive(Debug)]
pub struct AttributeProgram {
    steps: Box<[Step]>,
}

impl AttributeProgram {
    /// Makes the program of a Template's plan.
    pub fn new(plan: &FlowPlan) -> Self {
        let mut steps = Vec::new();
        let any = |(a, b): (bool, bool)| a || b;
        let mut when = |wanted: bool, step: Step| {
            if wanted {
                steps.push(step);
            }
        };
        let has = |fact| plan.locate(fact).is_some();
        when(any(plan.has_addresses()), Step::Addresses);
        when(has(Fact::SourcePort) || has(Fact::DestinationPort), Step::Ports);
        when(has(Fact::Protocol) && plan.has_icmp(), Step::Icmp);
        when(any(plan.has_counters()), Step::Counters);
        when(any(plan.has_reverse_counters()), Step::ReverseCounters);
        when(any(plan.has_times()), Step::Times);
        when(plan.has_next_hop(), Step::NextHop);
        when(any(plan.has_mac_addresses()), Step::MacAddresses);
        when(true, Step::Sampling);
        when(plan.has_addresses() == (true, true) && has(Fact::Protocol), Step::CommunityId);
        let located = [
            (Fact::Direction, Step::Direction as fn(Locator) -> Step),
            (Fact::EndReason, Step::EndReason),
            (Fact::ForwardingStatus, Step::ForwardingStatus),
        ];
        steps.extend(located.iter().filter_map(|(fact, step)| plan.locate(*fact).map(step)));
        let integer = |&(fact, attribute)| plan.locate(fact).map(|locator| Step::Integer(attribute, locator));
        steps.extend(INTEGERS.iter().filter_map(integer));
        Self { steps: steps.into_boxed_slice() }
    }

    /// Writes the attributes of a flow that it does not share with others. The flow must be of the program's Template.
    #[inline]
    pub fn run(&self, flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
        for step in &self.steps {
            match *step {
                Step::Integer(attribute, locator) => out.int(attribute, int(flow.record().unsigned(locator))),
                Step::Addresses => addresses(flow, out),
                Step::Ports => ports(flow, out),
                Step::Counters => {
                    integer(out, Attribute::Octets, flow.octets());
                    integer(out, Attribute::Packets, flow.packets());
                }
                Step::ReverseCounters => {
                    integer(out, Attribute::ReverseOctets, flow.reverse_octets());
                    integer(out, Attribute::ReversePackets, flow.reverse_packets());
                }
                Step::NextHop => {
                    if let Some(next_hop) = flow.next_hop() {
                        out.text(Attribute::NextHop, &text::address(next_hop));
                    }
                }
                Step::Times => times(flow, out),
                Step::Icmp => icmp(flow, out),
                Step::MacAddresses => mac_addresses(flow, out),
                Step::Direction(locator) => match flow.record().unsigned(locator) {
                    0 => out.str(Attribute::Direction, "ingress"),
                    1 => out.str(Attribute::Direction, "egress"),
                    _ => {}
                },
                Step::EndReason(locator) => end_reason(flow.record().unsigned(locator), out),
                Step::ForwardingStatus(locator) => forwarding_status(flow.record().unsigned(locator), out),
                Step::Sampling => sampling(flow, out),
                Step::CommunityId => community_id(flow, out),
            }
        }
    }
}

/// OpenTelemetry has no unsigned integers; a counter above 2^63 - 1 stays there.
#[inline]
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[inline]
fn integer(out: &mut impl AttributeWriter, attribute: Attribute, value: Option<u64>) {
    if let Some(value) = value {
        out.int(attribute, int(value));
    }
}

#[inline]
fn addresses(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let (source, destination) = (flow.source_address(), flow.destination_address());
    if let Some(source) = source {
        out.text(Attribute::SourceAddress, &text::address(source));
    }
    if let Some(destination) = destination {
        out.text(Attribute::DestinationAddress, &text::address(destination));
    }
    match source.or(destination) {
        Some(IpAddr::V4(_)) => out.str(Attribute::NetworkType, "ipv4"),
        Some(IpAddr::V6(_)) => out.str(Attribute::NetworkType, "ipv6"),
        None => {}
    }
}

#[inline]
fn ports(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    if !flow.is_icmp() {
        integer(out, Attribute::SourcePort, flow.integer(Fact::SourcePort));
        integer(out, Attribute::DestinationPort, flow.integer(Fact::DestinationPort));
    }
}

#[inline]
fn times(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let time = flow.time();
    integer(out, Attribute::StartTime, time.start.map(|start| start.as_unix_nanos()));
    integer(out, Attribute::EndTime, time.end.map(|end| end.as_unix_nanos()));
    integer(out, Attribute::DurationMs, time.duration().map(|duration| duration.as_millis() as u64));
}

fn icmp(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    if let Some(icmp) = flow.icmp() {
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
    out.int(Attribute::ForwardingStatus, int(status));
    // The upper two bits of the lowest byte: 2 is dropped (RFC 7270 section 4.12).
    if status >> 6 & 3 == 2 {
        out.error("dropped by the exporter");
    }
}

#[inline]
fn sampling(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let Some(sampling) = flow.sampling() else {
        return;
    };
    out.int(Attribute::SamplingInterval, sampling.interval.into());
    match sampling.algorithm {
        1 => out.str(Attribute::SamplingAlgorithm, "deterministic"),
        2 => out.str(Attribute::SamplingAlgorithm, "random"),
        _ => {}
    }
}

#[inline]
fn community_id(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let (Some(source), Some(destination), Some(protocol)) =
        (flow.source_address(), flow.destination_address(), flow.protocol())
    else {
        return;
    };
    if source.is_ipv4() != destination.is_ipv4() {
        return;
    }
    let port = |fact| flow.integer(fact).map_or(0, |port| port as u16);
    let ports = match flow.icmp() {
        Some(icmp) => (icmp.kind.into(), icmp.code.unwrap_or(0).into()),
        None => (port(Fact::SourcePort), port(Fact::DestinationPort)),
    };
    let id = CommunityId::new(&FlowTuple { source, destination, protocol, ports });
    out.text(Attribute::CommunityId, id.text());
}
