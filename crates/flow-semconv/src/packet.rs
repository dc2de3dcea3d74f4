//! Attributes of the packet that a record holds the start of.

use std::net::IpAddr;

use flow_state::{Fact, FlowPlan, FlowRecord, PacketHeaders, TunnelledPacket};
use flow_wire::ie;

use crate::attribute::Attribute;
use crate::community_id::{FlowTuple, Tuple};
use crate::program::AttributeWriter;

/// What flows of a plan take from their packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PacketStep {
    /// The records have no addresses of their own.
    pub(crate) stands_in: bool,
    has_protocol: bool,
    has_ports: bool,
}

impl PacketStep {
    /// What it may write.
    pub(crate) const ATTRIBUTES: &[Attribute] = &[
        Attribute::PacketSampled,
        Attribute::NetworkType,
        Attribute::SourceAddress,
        Attribute::SourcePort,
        Attribute::DestinationAddress,
        Attribute::DestinationPort,
        Attribute::Transport,
        Attribute::ProtocolNumber,
        Attribute::PacketVlan,
        Attribute::TunnelType,
        Attribute::TunnelId,
        Attribute::InnerSourceAddress,
        Attribute::InnerSourcePort,
        Attribute::InnerDestinationAddress,
        Attribute::InnerDestinationPort,
        Attribute::InnerTransport,
        Attribute::InnerProtocolNumber,
    ];

    /// `None` for records without packets.
    pub(crate) fn new(plan: &FlowPlan) -> Option<Self> {
        let has = |fact| plan.locate(fact).is_some();
        plan.has_packet().then(|| Self {
            stands_in: plan.has_addresses() == (false, false),
            has_protocol: has(Fact::Protocol),
            has_ports: has(Fact::SourcePort) || has(Fact::DestinationPort),
        })
    }

    pub(crate) fn write(self, flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
        let Some(packet) = flow.packet() else {
            return;
        };
        if self.stands_in {
            self.stand_in(&packet.outer, out);
        }
        if let Some(vlan) = packet.outer.vlans.first() {
            out.int(Attribute::PacketVlan, (*vlan).into());
        }
        if let Some(inner) = &packet.inner {
            tunnelled(inner, out);
        }
    }

    /// Addresses, protocol and ports, as far as they are no elements of the record.
    fn stand_in(self, packet: &PacketHeaders, out: &mut impl AttributeWriter) {
        let Some(ip) = packet.ip else {
            return;
        };
        out.bool(Attribute::PacketSampled, true);
        out.str(Attribute::NetworkType, if ip.source.is_ipv4() { "ipv4" } else { "ipv6" });
        let protocol = ip.protocol.filter(|_| !self.has_protocol);
        let ports = packet.ports.filter(|_| !self.has_ports);
        write_tuple(&OUTER, (ip.source, ip.destination), protocol, ports, out);
    }
}

/// What names the conversation; `None` where that part of the packet was cut off, or is in another fragment.
pub(crate) fn tuple(packet: &PacketHeaders) -> Option<Tuple> {
    let ip = packet.ip?;
    let protocol = ip.protocol?;
    let icmp = || packet.icmp.map(|icmp| (icmp.kind.into(), icmp.code.unwrap_or(0).into()));
    let ports = packet.ports.or_else(icmp);
    if FlowTuple::has_ports(protocol) && ports.is_none() {
        return None;
    }
    Tuple::new(ip.source, ip.destination, protocol, ports.unwrap_or_default())
}

fn tunnelled(inner: &TunnelledPacket, out: &mut impl AttributeWriter) {
    out.str(Attribute::TunnelType, inner.tunnel.name());
    if let Some(id) = inner.tunnel.id() {
        out.int(Attribute::TunnelId, id.into());
    }
    if let Some(ip) = inner.headers.ip {
        write_tuple(&INNER, (ip.source, ip.destination), ip.protocol, inner.headers.ports, out);
    }
}

/// Attributes of addresses, protocol number and name, and ports.
struct TupleKeys {
    addresses: (Attribute, Attribute),
    protocol: (Attribute, Attribute),
    ports: (Attribute, Attribute),
}

const OUTER: TupleKeys = TupleKeys {
    addresses: (Attribute::SourceAddress, Attribute::DestinationAddress),
    protocol: (Attribute::ProtocolNumber, Attribute::Transport),
    ports: (Attribute::SourcePort, Attribute::DestinationPort),
};

const INNER: TupleKeys = TupleKeys {
    addresses: (Attribute::InnerSourceAddress, Attribute::InnerDestinationAddress),
    protocol: (Attribute::InnerProtocolNumber, Attribute::InnerTransport),
    ports: (Attribute::InnerSourcePort, Attribute::InnerDestinationPort),
};

fn write_tuple(
    keys: &TupleKeys,
    addresses: (IpAddr, IpAddr),
    protocol: Option<u8>,
    ports: Option<(u16, u16)>,
    out: &mut impl AttributeWriter,
) {
    out.address(keys.addresses.0, addresses.0);
    out.address(keys.addresses.1, addresses.1);
    if let Some(protocol) = protocol {
        out.int(keys.protocol.0, protocol.into());
        if let Some(name) = ie::protocol_name(protocol) {
            out.str(keys.protocol.1, name);
        }
    }
    if let Some((source, destination)) = ports {
        out.int(keys.ports.0, source.into());
        out.int(keys.ports.1, destination.into());
    }
}
