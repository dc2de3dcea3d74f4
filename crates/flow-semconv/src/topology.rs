//! Who called whom: flows as edges of a graph of services.

use std::net::IpAddr;

use flow_state::{BiflowDirection, FlowEvent, FlowRecord, Icmp, PacketHeaders};
use flow_wire::ie;

use crate::attribute::Attribute;
use crate::endpoints::{Addresses, Endpoints};
use crate::program::AttributeWriter;
use crate::text::{self, ShortText};

/// Between whom a flow was, for both of its spans.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    addresses: (Option<IpAddr>, Option<IpAddr>),
    /// `None` for protocols without any.
    ports: Option<(u16, u16)>,
    protocol: Option<u8>,
    icmp: Option<Icmp>,
}

/// Names of the services of a flow, the client's first.
pub(crate) type Names = (ShortText, ShortText);

impl Ends {
    /// As the record has them.
    pub(crate) fn of(endpoints: &Endpoints) -> Self {
        let addresses = match endpoints.addresses {
            Addresses::Ipv4 { source, destination } => {
                (Some(IpAddr::from(source.to_be_bytes())), Some(IpAddr::from(destination.to_be_bytes())))
            }
            Addresses::Any { source, destination } => (source, destination),
        };
        Self { addresses, ports: endpoints.ports(), protocol: endpoints.protocol, icmp: endpoints.icmp }
    }

    /// As the packet has them that the record holds the start of.
    pub(crate) fn of_packet(packet: &PacketHeaders) -> Self {
        let ip = packet.ip;
        Self {
            addresses: (ip.map(|ip| ip.source), ip.map(|ip| ip.destination)),
            ports: packet.ports,
            protocol: ip.and_then(|ip| ip.protocol),
            icmp: packet.icmp,
        }
    }

    /// Each side by its address, else its MAC address, else `unknown`.
    pub(crate) fn names(&self, flow: &FlowRecord<'_>) -> Names {
        let source = name(self.addresses.0, || flow.source_mac());
        let destination = name(self.addresses.1, || flow.destination_mac());
        if self.source_is_client(flow) { (source, destination) } else { (destination, source) }
    }

    /// Whether the source opened the conversation: as the record says, else by what has a client and a server.
    fn source_is_client(&self, flow: &FlowRecord<'_>) -> bool {
        match flow.biflow_direction() {
            Some(BiflowDirection::INITIATOR) => return true,
            Some(BiflowDirection::REVERSE_INITIATOR) => return false,
            _ => {}
        }
        // A firewall tells of connections, from who opened them, and of flows that it did not let pass.
        if matches!(flow.event(), Some(FlowEvent::Firewall(_))) {
            return true;
        }
        if self.icmp.is_some_and(|icmp| icmp.kind == ECHO_REPLY[usize::from(self.protocol == Some(ICMP_V6))]) {
            return false;
        }
        // Servers have the lower port, and both directions then agree. Port 0 is none.
        let (source, destination) = self.ports.unwrap_or_default();
        !(1..destination).contains(&source)
    }

    /// What tells the span of a server apart.
    pub(crate) fn write(&self, out: &mut impl AttributeWriter) {
        let (source, destination) = self.addresses;
        if let Some(source) = source {
            out.address(Attribute::SourceAddress, source);
        }
        if let Some(destination) = destination {
            out.address(Attribute::DestinationAddress, destination);
        }
        if let Some((source, destination)) = self.ports {
            out.int(Attribute::SourcePort, source.into());
            out.int(Attribute::DestinationPort, destination.into());
        }
        if let Some(transport) = self.protocol.and_then(ie::protocol_name) {
            out.str(Attribute::Transport, transport);
        }
    }
}

fn name(address: Option<IpAddr>, mac: impl FnOnce() -> Option<[u8; 6]>) -> ShortText {
    match address {
        Some(address) => text::address(address),
        None => mac().map_or_else(|| text::ascii("unknown"), text::mac),
    }
}

const ICMP_V6: u8 = 58;

/// ICMP types of the answer to an echo request, IPv4 (RFC 792) and IPv6 (RFC 4443 section 4.2).
const ECHO_REPLY: [u8; 2] = [0, 129];
