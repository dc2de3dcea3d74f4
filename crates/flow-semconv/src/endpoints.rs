//! Between whom a flow was.

use std::net::IpAddr;

use flow_state::{Fact, FlowPlan, FlowRecord, Icmp};
use flow_wire::Locator;

use crate::community_id::Tuple;

/// Where the endpoints of flows of one Template lie.
#[derive(Debug)]
pub(crate) struct EndpointsPlan {
    /// Source and destination, if both are IPv4 addresses in every record.
    ipv4: Option<(Locator, Locator)>,
    /// Source and destination port, protocol.
    integers: [Locator; 3],
    has_protocol: bool,
}

/// The addresses of a flow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Addresses {
    Ipv4 { source: u32, destination: u32 },
    Any { source: Option<IpAddr>, destination: Option<IpAddr> },
}

/// The facts of a flow that several attributes come from, read once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Endpoints {
    pub(crate) addresses: Addresses,
    pub(crate) protocol: Option<u8>,
    pub(crate) icmp: Option<Icmp>,
    ports: (u16, u16),
}

impl Default for Endpoints {
    fn default() -> Self {
        let addresses = Addresses::Any { source: None, destination: None };
        Self { addresses, protocol: None, icmp: None, ports: (0, 0) }
    }
}

impl EndpointsPlan {
    pub(crate) fn new(plan: &FlowPlan) -> Self {
        Self {
            ipv4: plan.ipv4_endpoints(),
            integers: [Fact::SourcePort, Fact::DestinationPort, Fact::Protocol]
                .map(|fact| plan.locate(fact).unwrap_or(Locator::ABSENT)),
            has_protocol: plan.locate(Fact::Protocol).is_some(),
        }
    }

    /// Reads the endpoints of a flow of this Template.
    #[inline]
    pub(crate) fn read(&self, flow: &FlowRecord<'_>) -> Endpoints {
        let record = flow.record();
        let [source_port, destination_port, protocol] = record.unsigned_array(&self.integers);
        let addresses = match self.ipv4 {
            Some((source, destination)) => {
                let [source, destination] = record.unsigned_array(&[source, destination]);
                Addresses::Ipv4 { source: source as u32, destination: destination as u32 }
            }
            None => Addresses::Any { source: flow.source_address(), destination: flow.destination_address() },
        };
        let protocol = u8::try_from(protocol).ok().filter(|_| self.has_protocol);
        let ports = (source_port as u16, destination_port as u16);
        let icmp = if matches!(protocol, Some(ICMP | ICMP_V6)) { flow.icmp() } else { None };
        Endpoints { addresses, protocol, icmp, ports }
    }
}

impl Endpoints {
    #[inline]
    pub(crate) fn is_icmp(&self) -> bool {
        matches!(self.protocol, Some(ICMP | ICMP_V6))
    }

    /// Source and destination port; `None` without any.
    pub(crate) fn ports(&self) -> Option<(u16, u16)> {
        Some(self.ports).filter(|ports| *ports != (0, 0) && !self.is_icmp())
    }

    /// The address family; `None` without an address.
    #[inline]
    pub(crate) fn is_ipv6(&self) -> Option<bool> {
        match self.addresses {
            Addresses::Ipv4 { .. } => Some(false),
            Addresses::Any { source, destination } => source.or(destination).map(|address| address.is_ipv6()),
        }
    }

    /// Whether the source is the lower end: what tells the two directions of a conversation apart.
    pub(crate) fn source_is_lower(&self) -> bool {
        let (source_port, destination_port) = self.ports;
        match self.addresses {
            Addresses::Ipv4 { source, destination } => (source, source_port) < (destination, destination_port),
            Addresses::Any { source, destination } => (source, source_port) < (destination, destination_port),
        }
    }

    /// What the Community ID is made from, if there are addresses of one family and a protocol.
    #[inline]
    pub(crate) fn tuple(&self) -> Option<Tuple> {
        let ports = match self.icmp {
            Some(icmp) => (icmp.kind.into(), icmp.code.unwrap_or(0).into()),
            None => self.ports,
        };
        let protocol = self.protocol?;
        match self.addresses {
            Addresses::Ipv4 { source, destination } => Some(Tuple::ipv4(source, destination, protocol, ports)),
            Addresses::Any { source, destination } => Tuple::new(source?, destination?, protocol, ports),
        }
    }
}

const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;
