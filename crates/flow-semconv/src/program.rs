//! The attributes of a flow, decided once for its Template.

use std::net::IpAddr;

use flow_state::{Fact, FlowPlan, FlowRecord, MessageContext};
use flow_wire::{Locator, Version, ie};

use crate::attribute::Attribute;
use crate::community_id::{CommunityId, FlowTuple};
use crate::text::{self, ADDRESS_LEN, Text};

/// Takes the attributes of one span.
pub trait AttributeWriter {
    /// An integer.
    fn int(&mut self, attribute: Attribute, value: i64);
    /// A text.
    fn str(&mut self, attribute: Attribute, value: &str);
    /// A list of texts.
    fn strs(&mut self, attribute: Attribute, values: &[&str]);
    /// True or false.
    fn bool(&mut self, attribute: Attribute, value: bool);
    /// The span's status is an error.
    fn error(&mut self, message: &str);
}

/// Texts that all flows of a Message share.
#[derive(Clone, Copy)]
pub struct MessageTexts {
    exporter: Text<ADDRESS_LEN>,
}

impl MessageTexts {
    /// The texts of a Message.
    pub fn new(context: &MessageContext) -> Self {
        Self { exporter: text::address(context.session.exporter.ip()) }
    }

    pub(crate) fn exporter(&self) -> &str {
        self.exporter.as_str()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Message,
    Addresses,
    Protocol,
    Ports,
    Counters,
    ReverseCounters,
    NextHop,
    Integer(Attribute, Locator),
    Times,
    TcpFlags(Locator),
    ClassOfService(Locator),
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
#[derive(Debug)]
pub struct AttributeProgram {
    steps: Box<[Step]>,
}

impl AttributeProgram {
    /// Makes the program of a Template's plan.
    pub fn new(plan: &FlowPlan) -> Self {
        let mut steps = vec![Step::Message];
        let any = |(a, b): (bool, bool)| a || b;
        let mut when = |wanted: bool, step: Step| {
            if wanted {
                steps.push(step);
            }
        };
        let has = |fact| plan.locate(fact).is_some();
        when(any(plan.has_addresses()), Step::Addresses);
        when(has(Fact::Protocol), Step::Protocol);
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
            (Fact::TcpFlags, Step::TcpFlags as fn(Locator) -> Step),
            (Fact::ClassOfService, Step::ClassOfService),
            (Fact::Direction, Step::Direction),
            (Fact::EndReason, Step::EndReason),
            (Fact::ForwardingStatus, Step::ForwardingStatus),
        ];
        steps.extend(located.iter().filter_map(|(fact, step)| plan.locate(*fact).map(step)));
        let integer = |&(fact, attribute)| plan.locate(fact).map(|locator| Step::Integer(attribute, locator));
        steps.extend(INTEGERS.iter().filter_map(integer));
        Self { steps: steps.into_boxed_slice() }
    }

    /// Writes the attributes of a flow, which must be of the program's Template.
    #[inline]
    pub fn run(&self, flow: &FlowRecord<'_>, texts: &MessageTexts, out: &mut impl AttributeWriter) {
        for step in &self.steps {
            match *step {
                Step::Message => message(flow.context(), texts, out),
                Step::Integer(attribute, locator) => out.int(attribute, int(flow.record().unsigned(locator))),
                Step::Addresses => addresses(flow, out),
                Step::Protocol => protocol(flow, out),
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
                        out.str(Attribute::NextHop, text::address(next_hop).as_str());
                    }
                }
                Step::Times => times(flow, out),
                Step::TcpFlags(locator) => tcp_flags(flow, flow.record().unsigned(locator), out),
                Step::ClassOfService(locator) => class_of_service(flow.record().unsigned(locator), out),
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

/// What a flow says of its Message.
#[inline]
fn message(context: &MessageContext, texts: &MessageTexts, out: &mut impl AttributeWriter) {
    let header = &context.header;
    out.int(Attribute::Version, header.version.number().into());
    out.str(Attribute::ExporterAddress, texts.exporter());
    if !matches!(header.version, Version::V1 | Version::V7) {
        out.int(Attribute::ObservationDomainId, header.observation_domain_id.into());
    }
}

#[inline]
fn addresses(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let (source, destination) = (flow.source_address(), flow.destination_address());
    if let Some(source) = source {
        out.str(Attribute::SourceAddress, text::address(source).as_str());
    }
    if let Some(destination) = destination {
        out.str(Attribute::DestinationAddress, text::address(destination).as_str());
    }
    match source.or(destination) {
        Some(IpAddr::V4(_)) => out.str(Attribute::NetworkType, "ipv4"),
        Some(IpAddr::V6(_)) => out.str(Attribute::NetworkType, "ipv6"),
        None => {}
    }
}

#[inline]
fn protocol(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let Some(number) = flow.protocol() else {
        return;
    };
    out.int(Attribute::ProtocolNumber, number.into());
    if let Some(name) = ie::protocol_name(number) {
        out.str(Attribute::Transport, name);
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

const TCP: u8 = 6;
/// Control bits from the lowest up (RFC 9293 section 3.1, RFC 9768 for AE).
const TCP_FLAGS: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];

#[inline]
fn tcp_flags(flow: &FlowRecord<'_>, bits: u64, out: &mut impl AttributeWriter) {
    // Exporters send the element for every protocol, and zero for all but TCP.
    if flow.protocol().is_some_and(|protocol| protocol != TCP) {
        return;
    }
    out.int(Attribute::TcpFlags, int(bits));
    let mut tags = [""; TCP_FLAGS.len()];
    let mut count = 0;
    for (bit, name) in TCP_FLAGS.iter().enumerate() {
        if bits >> bit & 1 == 1 {
            tags[count] = name;
            count += 1;
        }
    }
    if count > 0 {
        out.strs(Attribute::TcpFlagTags, &tags[..count]);
    }
}

#[inline]
fn class_of_service(bits: u64, out: &mut impl AttributeWriter) {
    out.int(Attribute::ClassOfService, int(bits));
    out.int(Attribute::Dscp, int(bits >> 2 & 63));
    out.int(Attribute::Ecn, int(bits & 3));
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
        out.str(Attribute::SourceMac, text::mac(address).as_str());
    }
    if let Some(address) = flow.destination_mac() {
        out.str(Attribute::DestinationMac, text::mac(address).as_str());
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
    out.str(Attribute::CommunityId, id.as_str());
}
