//! Events of firewalls and translators: records that say what happened rather than what passed.

use std::net::IpAddr;

use super::FlowRecord;
use crate::plan::Fact;

macro_rules! events {
    ($(#[$doc:meta])* $event:ident: $number:ty { $($value:literal => $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $event(pub $number);

        impl $event {
            /// The registry's name in lower case with underscores; `None` for numbers it does not have.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

events! {
    /// What a firewall did to a flow (IANA "firewallEvent", element 233). An update counts since the event before.
    FirewallAction: u8 {
        1 => "flow_created",
        2 => "flow_deleted",
        3 => "flow_denied",
        4 => "flow_alert",
        5 => "flow_update",
    }
}

events! {
    /// What a translator did (IANA "NAT Event Type", element 230).
    NatAction: u8 {
        1 => "nat_translation_create",
        2 => "nat_translation_delete",
        3 => "nat_addresses_exhausted",
        4 => "nat44_session_create",
        5 => "nat44_session_delete",
        6 => "nat64_session_create",
        7 => "nat64_session_delete",
        8 => "nat44_bib_create",
        9 => "nat44_bib_delete",
        10 => "nat64_bib_create",
        11 => "nat64_bib_delete",
        12 => "nat_ports_exhausted",
        13 => "quota_exceeded",
        14 => "address_binding_create",
        15 => "address_binding_delete",
        16 => "port_block_allocation",
        17 => "port_block_deallocation",
        18 => "threshold_reached",
    }
}

events! {
    /// Which quota was exceeded (IANA "NAT Quota Exceeded Event", element 466).
    NatQuota: u32 {
        1 => "maximum_session_entries",
        2 => "maximum_bib_entries",
        3 => "maximum_entries_per_user",
        4 => "maximum_active_hosts_or_subscribers",
        5 => "maximum_fragments_pending_reassembly",
    }
}

events! {
    /// Which threshold was reached (IANA "NAT Threshold Event", element 467).
    NatThreshold: u32 {
        1 => "address_pool_high_threshold",
        2 => "address_pool_low_threshold",
        3 => "address_and_port_mapping_high_threshold",
        4 => "address_and_port_mapping_per_user_high_threshold",
        5 => "global_address_mapping_high_threshold",
    }
}

/// What a record tells beside, or instead of, a flow. Events often have no octets, which is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FlowEvent {
    /// Of a firewall (NSEL).
    Firewall(FirewallEvent),
    /// Of a translator (NEL, RFC 8158).
    Nat(NatEvent),
}

/// An event of a firewall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FirewallEvent {
    /// What it did.
    pub action: FirewallAction,
    /// Why, in numbers of the Cisco ASA (field type 33002); `None` where the exporter has none or 0.
    pub extended: Option<u16>,
}

/// An event of a translator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NatEvent {
    /// What it did.
    pub action: NatAction,
    /// Which quota, with [`NatAction`] 13.
    pub quota: Option<NatQuota>,
    /// Which threshold, with [`NatAction`] 18.
    pub threshold: Option<NatThreshold>,
}

/// Addresses and ports after translation. A zero counts as absent: exporters that do not translate a flow send it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Nat {
    /// Elements 225, 281.
    pub source: Option<IpAddr>,
    /// Elements 226, 282.
    pub destination: Option<IpAddr>,
    /// Element 227.
    pub source_port: Option<u16>,
    /// Element 228.
    pub destination_port: Option<u16>,
}

/// A block of ports given to a subscriber (elements 361 to 364).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PortBlock {
    /// First port.
    pub start: u16,
    /// Last port, as sent or from the number of ports and the step between them.
    pub end: Option<u16>,
    /// From one port to the next.
    pub step: u16,
}

impl FlowRecord<'_> {
    /// The event that the record tells: that of a firewall where element 233 is not zero, else that of a translator where
    /// element 230 is not zero.
    pub fn event(&self) -> Option<FlowEvent> {
        let not_zero = |fact| self.integer(fact).filter(|number| *number != 0);
        if let Some(action) = not_zero(Fact::FirewallEvent) {
            let extended = not_zero(Fact::FirewallEventExtended).map(|number| number as u16);
            return Some(FlowEvent::Firewall(FirewallEvent { action: FirewallAction(action as u8), extended }));
        }
        let action = NatAction(not_zero(Fact::NatEvent)? as u8);
        let quota = not_zero(Fact::NatQuotaEvent).map(|number| NatQuota(number as u32));
        let threshold = not_zero(Fact::NatThresholdEvent).map(|number| NatThreshold(number as u32));
        Some(FlowEvent::Nat(NatEvent { action, quota, threshold }))
    }

    /// Addresses and ports after translation, if any of them is told.
    pub fn nat(&self) -> Option<Nat> {
        let rare = self.plan.rare();
        let address = |plan| self.address(plan).filter(|address| !address.is_unspecified());
        let port = |fact| self.integer(fact).map(|port| port as u16).filter(|port| *port != 0);
        let nat = Nat {
            source: rare.and_then(|rare| address(&rare.nat_source)),
            destination: rare.and_then(|rare| address(&rare.nat_destination)),
            source_port: port(Fact::NatSourcePort),
            destination_port: port(Fact::NatDestinationPort),
        };
        (nat != Nat::default()).then_some(nat)
    }

    /// The block of ports that the record is about.
    pub fn port_block(&self) -> Option<PortBlock> {
        let integer = |fact| self.integer(fact).map(|number| number as u16);
        let start = integer(Fact::PortRangeStart)?;
        let step = integer(Fact::PortRangeStep).unwrap_or(1).max(1);
        let counted = || start.checked_add(integer(Fact::PortRangePorts)?.checked_sub(1)?.checked_mul(step)?);
        Some(PortBlock { start, end: integer(Fact::PortRangeEnd).or_else(counted), step })
    }
}
