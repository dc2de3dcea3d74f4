//! What of a flow can be asked for, as one number or one address.

use std::net::IpAddr;

use flow_state::{Fact, FlowGroup, FlowPlan, FlowRecord, MessageContext, Version};
use flow_wire::Locator;

/// One number or address of a flow. Those that cost least and tell most come first: they are looked at in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    SourcePort,
    DestinationPort,
    SourceAddress,
    DestinationAddress,
    Protocol,
    Exporter,
    ExporterName,
    Site,
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
    ObservedExporter,
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
        matches!(
            self,
            Self::SourceAddress | Self::DestinationAddress | Self::NextHop | Self::Exporter | Self::ObservedExporter
        )
    }

    /// Whether [`Asked::name`] answers.
    pub(super) const fn is_name(self) -> bool {
        matches!(self, Self::ExporterName | Self::Site)
    }

    /// What the operator calls it, the same for all flows of a Message.
    pub(super) fn name(self, context: &MessageContext) -> Option<&str> {
        let profile = context.profile()?;
        match self {
            Self::ExporterName => profile.name.as_deref(),
            Self::Site => profile.site.as_deref(),
            _ => None,
        }
    }

    /// The address, if the flow has it.
    #[inline]
    pub(super) fn address(self, flow: &FlowRecord<'_>) -> Option<IpAddr> {
        match self {
            Self::SourceAddress => flow.source_address(),
            Self::DestinationAddress => flow.destination_address(),
            Self::NextHop => flow.next_hop(),
            Self::Exporter => Some(exporter(flow.context())),
            Self::ObservedExporter => flow.observed_exporter(),
            _ => None,
        }
    }

    /// The fact that it is, if it is one as sent.
    const fn fact(self) -> Option<Fact> {
        Some(match self {
            Self::SourcePort => Fact::SourcePort,
            Self::DestinationPort => Fact::DestinationPort,
            Self::Protocol => Fact::Protocol,
            Self::SourceAs => Fact::SourceAs,
            Self::DestinationAs => Fact::DestinationAs,
            Self::TcpFlags => Fact::TcpFlags,
            Self::ClassOfService | Self::Dscp => Fact::ClassOfService,
            Self::SourceMask => Fact::SourcePrefixLength,
            Self::DestinationMask => Fact::DestinationPrefixLength,
            Self::SourceVlan => Fact::SourceVlan,
            Self::DestinationVlan => Fact::DestinationVlan,
            Self::IngressVrf => Fact::IngressVrf,
            Self::EgressVrf => Fact::EgressVrf,
            Self::TimeToLive => Fact::TimeToLive,
            Self::Direction => Fact::Direction,
            Self::EndReason => Fact::EndReason,
            _ => return None,
        })
    }

    /// What it makes of its fact.
    #[inline]
    const fn part(self, number: u64) -> u64 {
        match self {
            Self::TcpFlags => number & ALL_FLAGS,
            Self::Dscp => number >> 2 & 0x3f,
            _ => number,
        }
    }

    /// The number, if the flow has it.
    pub(super) fn number(self, flow: &FlowRecord<'_>) -> Option<u64> {
        match self.fact() {
            Some(fact) => flow.integer(fact).map(|number| self.part(number)),
            None => self.rare(flow),
        }
    }

    /// How it is read of the flows of one Set.
    pub(super) fn column(self, plan: &FlowPlan, context: &MessageContext) -> Column {
        let at = |locator: Option<Locator>| locator.map_or(Column::Same(None), Column::Numbers);
        let only =
            |has: bool, locator: Option<Locator>| if has && locator.is_none() { Column::Each } else { at(locator) };
        let (octets, packets) = plan.only_counters();
        let (has_octets, has_packets) = plan.has_counters();
        match self {
            Self::Domain => Column::Same(Some(context.header.observation_domain_id.into())),
            Self::Version => Column::Same(Some(version(context))),
            Self::ObservedExporter if !plan.has_observed_exporter() => Column::Same(None),
            Self::Exporter => match exporter(context) {
                IpAddr::V4(exporter) => Column::Same(Some(exporter.to_bits().into())),
                IpAddr::V6(_) => Column::Each,
            },
            Self::Family if plan.ipv4_endpoints().is_some() => Column::Same(Some(4)),
            Self::SourceAddress => plan.ipv4_endpoints().map_or(Column::Each, |(source, _)| Column::Numbers(source)),
            Self::DestinationAddress => {
                plan.ipv4_endpoints().map_or(Column::Each, |(_, destination)| Column::Numbers(destination))
            }
            Self::NextHop => only(plan.has_next_hop(), plan.ipv4_next_hop()),
            Self::Bytes => only(has_octets, octets),
            Self::Packets => only(has_packets, packets),
            Self::IngressInterface if plan.locate(Fact::IngressPhysicalInterface).is_none() => {
                at(plan.locate(Fact::IngressInterface))
            }
            Self::EgressInterface if plan.locate(Fact::EgressPhysicalInterface).is_none() => {
                at(plan.locate(Fact::EgressInterface))
            }
            _ => self.fact().map_or(Column::Each, |fact| at(plan.locate(fact))),
        }
    }

    /// The numbers of some flows, from the field that has them.
    #[inline]
    pub(super) fn read(self, flows: &FlowGroup<'_>, field: Locator, numbers: &mut [u64; FlowGroup::MAX]) {
        flows.column(field, numbers);
        if matches!(self, Self::TcpFlags | Self::Dscp) {
            numbers.iter_mut().for_each(|number| *number = self.part(*number));
        }
    }

    fn rare(self, flow: &FlowRecord<'_>) -> Option<u64> {
        match self {
            Self::Domain => Some(flow.context().header.observation_domain_id.into()),
            Self::Version => Some(version(flow.context())),
            Self::IngressInterface => interface(flow, Fact::IngressInterface, Fact::IngressPhysicalInterface),
            Self::EgressInterface => interface(flow, Fact::EgressInterface, Fact::EgressPhysicalInterface),
            Self::Bytes => flow.octets(),
            Self::Packets => flow.packets(),
            Self::BytesPerPacket => flow.octets()?.checked_div(flow.packets()?),
            Self::Family => family(flow),
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

/// How something is read of many flows of a Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// All have the same number or IPv4 address, or none has it.
    Same(Option<u64>),
    /// All have one, in this field.
    Numbers(Locator),
    /// From each by itself.
    Each,
}

/// The eight flags that have letters; what else is in their bytes is of no interest.
pub(super) const ALL_FLAGS: u64 = 0xff;
/// sFlow 5 must not be taken for NetFlow v5.
pub(super) const SFLOW: u64 = 0;

fn version(context: &MessageContext) -> u64 {
    match context.header.version {
        Version::Sflow5 => SFLOW,
        version => version.number().into(),
    }
}

/// As spans say it: what the operator knows, else the sender.
fn exporter(context: &MessageContext) -> IpAddr {
    let known = context.profile().and_then(|profile| profile.address);
    known.unwrap_or_else(|| context.session.exporter.ip())
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
