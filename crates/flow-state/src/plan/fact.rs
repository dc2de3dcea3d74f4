//! The integer facts of a flow and the elements that carry them.

use flow_wire::ie::id;

macro_rules! facts {
    ($($(#[$doc:meta])* $fact:ident: $elements:expr;)*) => {
        /// An integer fact of a flow, whatever element carries it: the first of its elements that the Template has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Fact { $($(#[$doc])* $fact,)* }

        /// The IANA elements that carry each fact, the preferred first.
        pub(super) const ELEMENTS: &[&[u16]] = &[$($elements),*];
    };
}

/// Facts that most flows have come first, so that a plan finds them with one load.
pub(super) const COMMON: usize = Fact::ClassOfService as usize + 1;

facts! {
    /// Source port of TCP, UDP or SCTP, or what the exporter puts there.
    SourcePort: &[id::SOURCE_TRANSPORT_PORT, id::TCP_SOURCE_PORT, id::UDP_SOURCE_PORT];
    /// Destination port; for ICMP many exporters put type x 256 + code here.
    DestinationPort: &[id::DESTINATION_TRANSPORT_PORT, id::TCP_DESTINATION_PORT, id::UDP_DESTINATION_PORT];
    /// IP protocol number.
    Protocol: &[id::PROTOCOL_IDENTIFIER];
    /// ifIndex of the interface the flow came in by.
    IngressInterface: &[id::INGRESS_INTERFACE];
    /// ifIndex of the interface the flow left by.
    EgressInterface: &[id::EGRESS_INTERFACE];
    /// Autonomous system of the source.
    SourceAs: &[id::BGP_SOURCE_AS_NUMBER];
    /// Autonomous system of the destination.
    DestinationAs: &[id::BGP_DESTINATION_AS_NUMBER];
    /// Union of the TCP control bits seen.
    TcpFlags: &[id::TCP_CONTROL_BITS];
    /// IPv4 type of service or IPv6 traffic class.
    ClassOfService: &[id::IP_CLASS_OF_SERVICE];
    /// 4 or 6.
    IpVersion: &[id::IP_VERSION];
    /// ifIndex of the physical port the flow came in by, below an aggregate or a VLAN interface.
    IngressPhysicalInterface: &[id::INGRESS_PHYSICAL_INTERFACE];
    /// ifIndex of the physical port the flow left by.
    EgressPhysicalInterface: &[id::EGRESS_PHYSICAL_INTERFACE];
    /// ICMP type x 256 + code, IPv4.
    IcmpTypeCodeIpv4: &[id::ICMP_TYPE_CODE_IPV4];
    /// ICMP type x 256 + code, IPv6.
    IcmpTypeCodeIpv6: &[id::ICMP_TYPE_CODE_IPV6];
    /// ICMP type alone.
    IcmpType: &[id::ICMP_TYPE_IPV4, id::ICMP_TYPE_IPV6];
    /// ICMP code alone.
    IcmpCode: &[id::ICMP_CODE_IPV4, id::ICMP_CODE_IPV6];
    /// VLAN on the way in: 58, else the 802.1Q tag 243. The customer's tag within (245) is another fact.
    SourceVlan: &[id::VLAN_ID, id::DOT1Q_VLAN_ID];
    /// VLAN on the way out: 59, else the 802.1Q tag 254.
    DestinationVlan: &[id::POST_VLAN_ID, id::POST_DOT1Q_VLAN_ID];
    /// Bits of the source's prefix.
    SourcePrefixLength: &[id::SOURCE_IPV4_PREFIX_LENGTH, id::SOURCE_IPV6_PREFIX_LENGTH];
    /// Bits of the destination's prefix.
    DestinationPrefixLength: &[id::DESTINATION_IPV4_PREFIX_LENGTH, id::DESTINATION_IPV6_PREFIX_LENGTH];
    /// 0 ingress, 1 egress.
    Direction: &[id::FLOW_DIRECTION];
    /// Which end began a Biflow (RFC 5103 section 6.3).
    BiflowDirection: &[id::BIFLOW_DIRECTION];
    /// Why the flow ended (RFC 5102 section 5.11.3).
    EndReason: &[id::FLOW_END_REASON];
    /// Time to live or hop limit, the smallest where the exporter tells smallest and largest.
    TimeToLive: &[id::IP_TTL, id::MINIMUM_TTL];
    /// Largest time to live or hop limit.
    MaximumTimeToLive: &[id::MAXIMUM_TTL];
    /// IPv6 flow label.
    FlowLabel: &[id::FLOW_LABEL_IPV6];
    /// Forwarding status (RFC 7270 section 4.12).
    ForwardingStatus: &[id::FORWARDING_STATUS];
    /// One of so many packets was looked at.
    SamplingInterval: &[id::SAMPLING_INTERVAL];
    /// 1 deterministic, 2 random.
    SamplingAlgorithm: &[id::SAMPLING_ALGORITHM];
    /// When the exporter started, Unix milliseconds.
    SystemInitTime: &[id::SYSTEM_INIT_TIME_MILLISECONDS];
    /// Number of the VRF the flow came in by.
    IngressVrf: &[id::INGRESS_VRF_ID];
    /// Number of the VRF the flow left by.
    EgressVrf: &[id::EGRESS_VRF_ID];
    /// Source port after translation.
    NatSourcePort: &[id::POST_NAPT_SOURCE_TRANSPORT_PORT];
    /// Destination port after translation.
    NatDestinationPort: &[id::POST_NAPT_DESTINATION_TRANSPORT_PORT];
    /// What a firewall did (RFC 8158 and NSEL).
    FirewallEvent: &[id::FIREWALL_EVENT];
    /// Why, in numbers of the Cisco ASA.
    FirewallEventExtended: &[FIREWALL_EVENT_EXTENDED];
    /// What a translator did (RFC 8158 section 4.1.9).
    NatEvent: &[id::NAT_EVENT];
    /// Which quota was exceeded (RFC 8158 section 4.1.10).
    NatQuotaEvent: &[id::NAT_QUOTA_EXCEEDED_EVENT];
    /// Which threshold was reached (RFC 8158 section 4.1.11).
    NatThresholdEvent: &[id::NAT_THRESHOLD_EVENT];
    /// First port of a block.
    PortRangeStart: &[id::PORT_RANGE_START];
    /// Last port of a block.
    PortRangeEnd: &[id::PORT_RANGE_END];
    /// From one port of a block to the next.
    PortRangeStep: &[id::PORT_RANGE_STEP_SIZE];
    /// Ports of a block.
    PortRangePorts: &[id::PORT_RANGE_NUM_PORTS];
    /// Observation Domain in which a mediator's source saw the flow (RFC 7119 section 4.2, else element 149).
    OriginalDomain: &[id::ORIGINAL_OBSERVATION_DOMAIN_ID, id::OBSERVATION_DOMAIN_ID];
}

/// A NetFlow v9 field type of the Cisco ASA.
const FIREWALL_EVENT_EXTENDED: u16 = 33002;
