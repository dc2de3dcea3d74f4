//! What of a flow can be asked for, as one number or one address.

use std::net::IpAddr;

use flow_state::{Fact, FlowRecord, Version};

/// One number or address of a flow. Those that cost least and tell most come first: they are looked at in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    SourcePort,
    DestinationPort,
    SourceAddress,
    DestinationAddress,
    Protocol,
    Exporter,
    Domain,
    Version,
    IngressInterface,
    EgressInterface,
    SourceAs,
    DestinationAs,
    TcpFlags,
    Bytes,
    Packets,
    BytesPerPacket,
    ClassOfService,
    Dscp,
    Family,
    NextHop,
    SourceMask,
    DestinationMask,
    SourceVlan,
    DestinationVlan,
    IngressVrf,
    EgressVrf,
    TimeToLive,
    Direction,
    EndReason,
    Forwarding,
    IcmpType,
    IcmpCode,
    SourceMac,
    DestinationMac,
    Duration,
    BitsPerSecond,
    PacketsPerSecond,
}

impl Asked {
    /// Whether [`Asked::address`] answers, and not [`Asked::number`].
    pub(super) const fn is_address(self) -> bool {
        matches!(self, Self::SourceAddress | Self::DestinationAddress | Self::NextHop | Self::Exporter)
    }

    /// The address, if the flow has it.
    #[inline]
    pub(super) fn address(self, flow: &FlowRecord<'_>) -> Option<IpAddr> {
        match self {
            Self::SourceAddress => flow.source_address(),
            Self::DestinationAddress => flow.destination_address(),
            Self::NextHop => flow.next_hop(),
            Self::Exporter => Some(flow.context().session.exporter.ip()),
            _ => None,
        }
    }

    /// The number, if the flow has it.
    #[inline]
    pub(super) fn number(self, flow: &FlowRecord<'_>) -> Option<u64> {
        match self {
            Self::SourcePort => port(flow, Fact::SourcePort),
            Self::DestinationPort => port(flow, Fact::DestinationPort),
            Self::Protocol => flow.integer(Fact::Protocol),
            Self::SourceAs => flow.integer(Fact::SourceAs),
            Self::DestinationAs => flow.integer(Fact::DestinationAs),
            Self::TcpFlags => flow.integer(Fact::TcpFlags).map(|flags| flags & ALL_FLAGS),
            Self::Bytes => flow.octets(),
            Self::Packets => flow.packets(),
            Self::ClassOfService => flow.integer(Fact::ClassOfService),
            Self::Dscp => flow.integer(Fact::ClassOfService).map(|class| class >> 2 & 0x3f),
            _ => self.rare(flow),
        }
    }

    fn rare(self, flow: &FlowRecord<'_>) -> Option<u64> {
        match self {
            Self::Domain => Some(flow.context().header.observation_domain_id.into()),
            Self::Version => Some(match flow.context().header.version {
                Version::Sflow5 => SFLOW,
                version => version.number().into(),
            }),
            Self::IngressInterface => interface(flow, Fact::IngressInterface, Fact::IngressPhysicalInterface),
            Self::EgressInterface => interface(flow, Fact::EgressInterface, Fact::EgressPhysicalInterface),
            Self::BytesPerPacket => flow.octets()?.checked_div(flow.packets()?),
            Self::Family => family(flow),
            Self::SourceMask => flow.integer(Fact::SourcePrefixLength),
            Self::DestinationMask => flow.integer(Fact::DestinationPrefixLength),
            Self::SourceVlan => flow.integer(Fact::SourceVlan),
            Self::DestinationVlan => flow.integer(Fact::DestinationVlan),
            Self::IngressVrf => flow.integer(Fact::IngressVrf),
            Self::EgressVrf => flow.integer(Fact::EgressVrf),
            Self::TimeToLive => flow.integer(Fact::TimeToLive),
            Self::Direction => flow.integer(Fact::Direction),
            Self::EndReason => flow.integer(Fact::EndReason),
            Self::Forwarding => forwarding(flow),
            Self::IcmpType => flow.icmp().map(|icmp| icmp.kind.into()),
            Self::IcmpCode => flow.icmp()?.code.map(u64::from),
            Self::SourceMac => flow.source_mac().map(mac),
            Self::DestinationMac => flow.destination_mac().map(mac),
            Self::Duration => Some(flow.time().duration()?.as_millis() as u64),
            Self::BitsPerSecond => per_second(flow, u128::from(flow.octets()?) * 8),
            Self::PacketsPerSecond => per_second(flow, flow.packets()?.into()),
            _ => None,
        }
    }
}

/// The eight flags that have letters; what else is in their bytes is of no interest.
pub(super) const ALL_FLAGS: u64 = 0xff;
/// sFlow 5 must not be taken for NetFlow v5.
pub(super) const SFLOW: u64 = 0;

/// ICMP has no ports: what exporters put there is type and code.
#[inline]
fn port(flow: &FlowRecord<'_>, fact: Fact) -> Option<u64> {
    if flow.is_icmp() { None } else { flow.integer(fact) }
}

/// As the attribute of the same meaning: the physical port where the logical interface is 0 or absent.
fn interface(flow: &FlowRecord<'_>, logical: Fact, physical: Fact) -> Option<u64> {
    match flow.integer(logical) {
        None | Some(0) => flow.integer(physical).or(flow.integer(logical)),
        known => known,
    }
}

fn family(flow: &FlowRecord<'_>) -> Option<u64> {
    let address = flow.source_address().or_else(|| flow.destination_address());
    address.map(|address| if address.is_ipv4() { 4 } else { 6 }).or_else(|| flow.integer(Fact::IpVersion))
}

/// The status in the upper bits of element 89.
fn forwarding(flow: &FlowRecord<'_>) -> Option<u64> {
    use flow_state::Forwarding as F;
    Some(match flow.forwarding()?.forwarding {
        F::Forwarded => 1,
        F::Dropped => 2,
        F::Consumed => 3,
        _ => 0,
    })
}

pub(super) fn mac(octets: [u8; 6]) -> u64 {
    octets.iter().fold(0, |bits, octet| bits << 8 | u64::from(*octet))
}

/// `None` for a flow that began and ended at the same time: a rate says nothing of it.
fn per_second(flow: &FlowRecord<'_>, count: u128) -> Option<u64> {
    let rate = (count * 1_000_000_000).checked_div(flow.time().duration()?.as_nanos())?;
    Some(u64::try_from(rate).unwrap_or(u64::MAX))
}
