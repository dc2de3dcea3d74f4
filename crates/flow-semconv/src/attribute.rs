//! Every attribute, by schema.

use std::str::FromStr;

/// A set of attribute keys. What a schema has no key for keeps the key of [`Schema::Netflow`].
///
/// ```
/// use flow_semconv::{Attribute, Schema};
///
/// assert_eq!(Attribute::Octets.key("ecs".parse()?), "network.bytes");
/// # Ok::<(), flow_semconv::UnknownSchema>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Schema {
    /// `netflow.*` beside OpenTelemetry's own `source.*`, `destination.*` and `network.*`.
    #[default]
    Netflow,
    /// `flow.*`, as tools name flows that they see themselves.
    Semconv,
    /// The Elastic Common Schema, as Filebeat's NetFlow input has it.
    Ecs,
}

impl Schema {
    /// All schemas.
    pub const ALL: [Self; 3] = [Self::Netflow, Self::Semconv, Self::Ecs];

    /// What it is called in settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Netflow => "netflow",
            Self::Semconv => "semconv",
            Self::Ecs => "ecs",
        }
    }
}

/// Why a text names no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown schema {0:?}: use netflow, semconv or ecs")]
pub struct UnknownSchema(String);

impl FromStr for Schema {
    type Err = UnknownSchema;

    fn from_str(text: &str) -> Result<Self, UnknownSchema> {
        let named = Self::ALL.into_iter().find(|schema| schema.name() == text.trim());
        named.ok_or_else(|| UnknownSchema(text.to_owned()))
    }
}

/// The type of an attribute's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A 64-bit integer.
    Int,
    /// A floating point number.
    Double,
    /// Text.
    String,
    /// A list of texts.
    Strings,
    /// True or false.
    Bool,
}

impl ValueType {
    /// OpenTelemetry's name of the type.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Double => "double",
            Self::String => "string",
            Self::Strings => "string[]",
            Self::Bool => "boolean",
        }
    }
}

/// The key in a schema, of a row of the table below.
macro_rules! key {
    ($schema:ident, $key:literal) => {
        $key
    };
    ($schema:ident, $key:literal [$semconv:tt $ecs:tt]) => {
        match $schema {
            Schema::Netflow => $key,
            Schema::Semconv => key!(@renamed $key $semconv),
            Schema::Ecs => key!(@renamed $key $ecs),
        }
    };
    (@renamed $key:literal _) => {
        $key
    };
    (@renamed $key:literal $renamed:literal) => {
        $renamed
    };
}

/// A row: type, key in `netflow` and, where one of them differs, in `semconv` and `ecs` (`_` is the same), span, meaning.
macro_rules! attributes {
    ($($attribute:ident: $type:ident, $key:literal $([$semconv:tt $ecs:tt])?, $span:literal, $text:literal;)*) => {
        /// A fact that can be an attribute of a span.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Attribute { $(#[doc = $text] $attribute,)* }

        impl Attribute {
            /// All attributes, in the order of their numbers: `Attribute::ALL[a as usize] == a`.
            pub const ALL: &[Self] = &[$(Self::$attribute),*];

            /// The key in a schema.
            pub const fn key(self, schema: Schema) -> &'static str {
                match self {
                    $(Self::$attribute => key!(schema, $key $([$semconv $ecs])?),)*
                }
            }

            /// Type of the value in a schema.
            pub const fn value_type(self, schema: Schema) -> ValueType {
                match (schema, self) {
                    (Schema::Ecs, Self::StartTime | Self::EndTime) => ValueType::String,
                    (Schema::Ecs, Self::EndReason) => ValueType::Int,
                    $((_, Self::$attribute) => ValueType::$type,)*
                }
            }

            /// Name of the span that carries it, or of both.
            pub const fn span(self) -> &'static str {
                match self {
                    $(Self::$attribute => $span,)*
                }
            }

            /// What it says, with its unit and where it comes from.
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$attribute => $text,)*
                }
            }
        }
    };
}

attributes! {
    Version: Int, "netflow.version" [_ "netflow.exporter.version"], "both", "Version of the export protocol: 1, 5, 7, 8, 9, or 10 for IPFIX; absent for sFlow.";
    ExporterAddress: String, "netflow.exporter.address" [_ "observer.ip"], "both", "Address the datagram came from, or the one that the table `exporter` of the configuration file has for it.";
    ExporterName: String, "netflow.exporter.name" [_ "observer.name"], "both", "Name of the exporter, from the table `exporter` of the configuration file.";
    ExporterSite: String, "netflow.exporter.site", "both", "Where the exporter stands, from the same table.";
    ExporterPort: Int, "netflow.exporter.port", "netflow.export", "UDP port the datagram came from.";
    ObservationDomainId: Int, "netflow.observation_domain_id" [_ "netflow.exporter.source_id"], "both", "IPFIX Observation Domain ID, v9 Source ID, v5 engine type x 256 + engine ID, sFlow sub-agent ID; absent for v1 and v7.";
    SequenceNumber: Int, "netflow.sequence_number", "netflow.export", "Sequence number as sent; absent for v1.";
    Records: Int, "netflow.records", "netflow.export", "Flow records in the datagram.";
    Templates: Int, "netflow.templates", "netflow.export", "Template Records in the datagram (v9, IPFIX).";
    OptionsRecords: Int, "netflow.options_records", "netflow.export", "Options Data Records in the datagram (v9, IPFIX).";
    SequenceGap: Int, "netflow.sequence.gap", "netflow.export", "What went missing before this datagram: flows (v5, v7), datagrams (v9) or Data Records (IPFIX). Absent without a gap.";
    ClockSkewed: Bool, "netflow.exporter.clock_skewed", "netflow.export", "True where the export time is more than five minutes from the time of receipt. Flows keep the times of the exporter's clock.";
    Issues: Int, "netflow.issues", "netflow.export", "Problems found in the datagram. Absent without one.";
    FlowsCut: Int, "netflow.flows_cut", "netflow.export", "Flow records of the datagram beyond the limit of spans for one datagram (4,096), left out. Absent when there are none.";
    Replayed: Bool, "netflow.replayed", "netflow.export", "True on the trace of records that waited for their Template; a link leads to the trace of their datagram.";
    SourceAddress: String, "source.address" [_ "source.ip"], "netflow.flow", "Source address (elements 8, 27).";
    SourcePort: Int, "source.port", "netflow.flow", "Source port (element 7, else 182, 180); never on ICMP.";
    DestinationAddress: String, "destination.address" [_ "destination.ip"], "netflow.flow", "Destination address (elements 12, 28).";
    DestinationPort: Int, "destination.port", "netflow.flow", "Destination port (element 11, else 183, 181); never on ICMP.";
    Transport: String, "network.transport", "netflow.flow", "IANA name of the protocol, in lower case; absent for unassigned numbers.";
    ProtocolNumber: Int, "network.protocol.number" [_ "network.iana_number"], "netflow.flow", "IP protocol number (element 4).";
    NetworkType: String, "network.type", "netflow.flow", "`ipv4` or `ipv6`, by the addresses.";
    Octets: Int, "netflow.flow.bytes" ["flow.bytes.delta" "network.bytes"], "netflow.flow", "Octets as exported, never scaled: the first of elements 1, 85, 231, 23, 171 that is not 0.";
    Packets: Int, "netflow.flow.packets" ["flow.packets.delta" "network.packets"], "netflow.flow", "Packets as exported, never scaled: the first of elements 2, 86, 298, 24, 172 that is not 0.";
    OctetsEstimated: Int, "netflow.flow.bytes_estimated", "netflow.flow", "`netflow.flow.bytes` scaled by a known sampling rate: what they stand for.";
    PacketsEstimated: Int, "netflow.flow.packets_estimated", "netflow.flow", "`netflow.flow.packets` scaled by a known sampling rate.";
    ReverseOctets: Int, "netflow.flow.reverse.bytes" ["flow.reverse.bytes.delta" "destination.bytes"], "netflow.flow", "Octets of the reverse direction (RFC 5103, element 232, or 23 of nProbe).";
    ReversePackets: Int, "netflow.flow.reverse.packets" ["flow.reverse.packets.delta" "destination.packets"], "netflow.flow", "Packets of the reverse direction (RFC 5103, element 299, or 24 of nProbe).";
    ReverseTcpFlags: Int, "netflow.flow.reverse.tcp_flags" ["flow.reverse.tcp.flags.bits" _], "netflow.flow", "Union of the TCP control bits seen in the reverse direction.";
    ReverseStartTime: Int, "netflow.flow.reverse.start_time_unix_nano", "netflow.flow", "First packet of the reverse direction, Unix nanoseconds.";
    ReverseEndTime: Int, "netflow.flow.reverse.end_time_unix_nano", "netflow.flow", "Last packet of the reverse direction, Unix nanoseconds.";
    BiflowInitiator: String, "netflow.flow.initiator", "netflow.flow", "`source` or `destination`: who began a flow whose record has both directions (element 239; counters of initiator and responder).";
    Cumulative: Bool, "netflow.flow.cumulative", "netflow.flow", "True where the counters run since the flow began (elements 85, 86, 171, 172): records of one flow must not be added up.";
    NextHop: String, "netflow.nexthop", "netflow.flow", "Next hop as sent, 0.0.0.0 included (elements 15, 62).";
    InputInterface: Int, "netflow.interface.input" [_ "netflow.ingress_interface"], "netflow.flow", "SNMP ifIndex the flow came in by (element 10, else the physical port 252).";
    OutputInterface: Int, "netflow.interface.output" [_ "netflow.egress_interface"], "netflow.flow", "SNMP ifIndex the flow left by (element 14, else the physical port 253).";
    InputInterfaceName: String, "netflow.interface.input.name" [_ "observer.ingress.interface.name"], "netflow.flow", "Name of the interface the flow came in by, from options data (element 82, else 83).";
    OutputInterfaceName: String, "netflow.interface.output.name" [_ "observer.egress.interface.name"], "netflow.flow", "Name of the interface the flow left by, from options data.";
    IngressVrf: String, "netflow.vrf.ingress" [_ "netflow.vrf.ingress.name"], "netflow.flow", "Name of the VRF the flow came in by (element 234), from options data (element 236).";
    EgressVrf: String, "netflow.vrf.egress" [_ "netflow.vrf.egress.name"], "netflow.flow", "Name of the VRF the flow left by (element 235), from options data (element 236).";
    ApplicationId: String, "netflow.application.id", "netflow.flow", "Application as classification engine and selector, such as `3:80` (element 95, RFC 6759).";
    ApplicationName: String, "netflow.application.name" [_ "network.application"], "netflow.flow", "Name of the application, from options data (element 96, else 94).";
    SourceAs: Int, "netflow.src_as" [_ "source.as.number"], "netflow.flow", "Autonomous system of the source (element 16).";
    DestinationAs: Int, "netflow.dst_as" [_ "destination.as.number"], "netflow.flow", "Autonomous system of the destination (element 17).";
    StartTime: Int, "netflow.flow.start_time_unix_nano" [_ "event.start"], "netflow.flow", "First packet, Unix nanoseconds, by the exporter's clock.";
    EndTime: Int, "netflow.flow.end_time_unix_nano" [_ "event.end"], "netflow.flow", "Last packet, Unix nanoseconds, by the exporter's clock.";
    DurationMs: Int, "netflow.flow.duration_ms" [_ "event.duration"], "netflow.flow", "Milliseconds from the first to the last packet; absent when the end lies before the start.";
    TimeInferred: Bool, "netflow.time.inferred", "netflow.flow", "True where start or end is not what the exporter says: from a duration (161, 162), the moment of an event (322 to 325, 258), or uptimes of an exporter whose start is not known.";
    TimeClamped: Bool, "netflow.time.clamped", "netflow.flow", "True where start or end was nonsense (more than ten years before, or a day after, both export and receipt) and gave way to the other, or to the time of receipt.";
    SpanTimeClamped: Bool, "netflow.flow.time_clamped", "netflow.flow", "True where the span has not the times of the flow (`NETFLOW_SPAN_TIME=flow`) because these are older than `NETFLOW_SPAN_TIME_MAX_AGE`, or yet to come.";
    EndReason: String, "netflow.flow.end_reason" ["flow.end_reason" "netflow.flow_end_reason"], "netflow.flow", "`idle_timeout`, `active_timeout`, `end_of_flow`, `forced_end` or `lack_of_resources` (element 136).";
    Direction: String, "netflow.flow.direction" ["flow.direction" "network.direction"], "netflow.flow", "`ingress` or `egress` (element 61).";
    TcpFlags: Int, "netflow.tcp_flags" ["flow.tcp.flags.bits" "netflow.tcp_control_bits"], "netflow.flow", "Union of the TCP control bits seen, on TCP (element 6).";
    TcpFlagTags: Strings, "netflow.tcp_flags.tags" ["flow.tcp.flags.tags" _], "netflow.flow", "Names of these bits: FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE.";
    ClassOfService: Int, "netflow.tos" [_ "netflow.ip_class_of_service"], "netflow.flow", "IPv4 type of service or IPv6 traffic class (element 5).";
    Dscp: Int, "netflow.dscp" ["flow.ip.dscp.id" "netflow.ip_diff_serv_code_point"], "netflow.flow", "Upper six bits of it.";
    Ecn: Int, "netflow.ecn" ["flow.ip.ecn.id" _], "netflow.flow", "Lower two bits of it.";
    IcmpType: Int, "netflow.icmp.type" ["flow.icmp.type.id" _], "netflow.flow", "ICMP type, on ICMP and ICMPv6 (elements 32, 139, 176, 178, else the destination port).";
    IcmpCode: Int, "netflow.icmp.code" ["flow.icmp.code.id" _], "netflow.flow", "ICMP code, on ICMP and ICMPv6 (elements 32, 139, 177, 179, else the destination port).";
    TimeToLive: Int, "netflow.ip.ttl" ["flow.ip.ttl" _], "netflow.flow", "Time to live or hop limit (elements 192, 52).";
    MaximumTimeToLive: Int, "netflow.ip.ttl_max", "netflow.flow", "Largest time to live or hop limit (element 53).";
    FlowLabel: Int, "netflow.ip.flow_label" ["flow.ip.flow_label" _], "netflow.flow", "IPv6 flow label (element 31).";
    SourceMask: Int, "netflow.src_mask", "netflow.flow", "Prefix length of the source (elements 9, 29).";
    DestinationMask: Int, "netflow.dst_mask", "netflow.flow", "Prefix length of the destination (elements 13, 30).";
    SourceVlan: Int, "netflow.vlan.src", "netflow.flow", "VLAN on the way in (elements 58, 243).";
    DestinationVlan: Int, "netflow.vlan.dst", "netflow.flow", "VLAN on the way out (elements 59, 254).";
    SourceMac: String, "netflow.mac.src", "netflow.flow", "Source MAC address (elements 56, 81), as `00:00:5e:00:53:01`.";
    DestinationMac: String, "netflow.mac.dst", "netflow.flow", "Destination MAC address (elements 80, 57).";
    MplsLabels: Strings, "netflow.mpls.labels", "netflow.flow", "Labels of the MPLS stack, the top first (elements 70 to 79).";
    IngressVrfId: Int, "netflow.vrf.ingress.id", "netflow.flow", "Number of the VRF the flow came in by (element 234).";
    EgressVrfId: Int, "netflow.vrf.egress.id", "netflow.flow", "Number of the VRF the flow left by (element 235).";
    FirewallEvent: String, "netflow.firewall.event" [_ "netflow.firewall.event.name"], "netflow.flow", "`flow_created`, `flow_deleted`, `flow_denied`, `flow_alert` or `flow_update`, else its number (element 233).";
    FirewallEventCode: Int, "netflow.firewall.event.code", "netflow.flow", "Why, in numbers of the Cisco ASA (field type 33002).";
    NatEvent: String, "netflow.nat.event" [_ "netflow.nat.event.name"], "netflow.flow", "What a translator did, by the names of RFC 8158: `nat44_session_create`, `port_block_allocation`, else its number (element 230).";
    NatEventReason: String, "netflow.nat.event.reason", "netflow.flow", "Which quota was exceeded or which threshold reached (elements 466, 467).";
    NatSourceAddress: String, "netflow.nat.source.address" [_ "source.nat.ip"], "netflow.flow", "Source address after translation (elements 225, 281).";
    NatSourcePort: Int, "netflow.nat.source.port" [_ "source.nat.port"], "netflow.flow", "Source port after translation (element 227).";
    NatDestinationAddress: String, "netflow.nat.destination.address" [_ "destination.nat.ip"], "netflow.flow", "Destination address after translation (elements 226, 282).";
    NatDestinationPort: Int, "netflow.nat.destination.port" [_ "destination.nat.port"], "netflow.flow", "Destination port after translation (element 228).";
    NatPortBlockStart: Int, "netflow.nat.port_block.start", "netflow.flow", "First port of a block given to a subscriber (element 361).";
    NatPortBlockEnd: Int, "netflow.nat.port_block.end", "netflow.flow", "Last port of it (element 362, else from 363 and 364).";
    ObservedExporter: String, "netflow.observed_exporter" [_ "netflow.observed_exporter.address"], "netflow.flow", "The exporter behind a mediator (elements 403, 404, else 130, 131).";
    ObservedDomain: Int, "netflow.observed_exporter.domain_id", "netflow.flow", "Its Observation Domain ID (element 405, else 149).";
    ForwardingStatus: Int, "netflow.forwarding_status", "netflow.flow", "Forwarding status as sent (element 89); the span's status is an error where it says dropped, or where Junos means that by zero output interface and next hop.";
    SamplingInterval: Int, "netflow.sampling.interval" [_ "netflow.sampling_interval"], "netflow.flow", "The exporter looked at one of so many packets: from the record, options data or the v5 header (elements 34, 50, 305, 306, 309, 310, 311).";
    SamplingAlgorithm: String, "netflow.sampling.algorithm", "netflow.flow", "`deterministic` or `random` (elements 35, 49, 304, v5 header).";
    AdjustedCount: Double, "netflow.sampling.adjusted_count", "netflow.flow", "How many flows this one stands for (`NETFLOW_SAMPLE`): the reciprocal of the probability that `ot=th` in the span's trace state says. Absent where flows are not sampled.";
    SflowVersion: Int, "netflow.sflow.version", "both", "Version of sFlow: 5. Absent for NetFlow and IPFIX.";
    AgentAddress: String, "netflow.sflow.agent.address", "both", "Address of the sFlow agent, which a relay's datagrams do not come from.";
    PacketSampled: Bool, "netflow.packet.sampled", "netflow.flow", "True where addresses, protocol and ports are those of one packet whose start the record holds (elements 104, 313 to 317), for want of elements.";
    PacketVlan: Int, "netflow.packet.vlan", "netflow.flow", "Outer VLAN tag of that packet.";
    TunnelType: String, "netflow.tunnel.type", "netflow.flow", "`gre`, `vxlan`, `geneve` or `ipip`: the tunnel that the sampled packet belongs to.";
    TunnelId: Int, "netflow.tunnel.id", "netflow.flow", "VXLAN or Geneve network identifier, GRE key.";
    InnerSourceAddress: String, "netflow.inner.source.address", "netflow.flow", "Source address inside the tunnel.";
    InnerSourcePort: Int, "netflow.inner.source.port", "netflow.flow", "Source port inside the tunnel.";
    InnerDestinationAddress: String, "netflow.inner.destination.address", "netflow.flow", "Destination address inside the tunnel.";
    InnerDestinationPort: Int, "netflow.inner.destination.port", "netflow.flow", "Destination port inside the tunnel.";
    InnerTransport: String, "netflow.inner.network.transport", "netflow.flow", "IANA name of the protocol inside the tunnel, in lower case.";
    InnerProtocolNumber: Int, "netflow.inner.network.protocol.number", "netflow.flow", "IP protocol number inside the tunnel.";
    CommunityId: String, "network.community_id" ["flow.community_id" _], "netflow.flow", "Community ID v1, seed 0: the same for both directions and at every exporter.";
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names that dashboards and queries in the field rely on.
    #[test]
    fn the_fourteen_contract_names_stay() {
        let keys: Vec<_> = Attribute::ALL.iter().map(|attribute| attribute.key(Schema::Netflow)).collect();
        for key in [
            "netflow.version",
            "source.address",
            "source.port",
            "destination.address",
            "destination.port",
            "network.transport",
            "network.protocol.number",
            "netflow.flow.bytes",
            "netflow.flow.packets",
            "netflow.nexthop",
            "netflow.interface.input",
            "netflow.interface.output",
            "netflow.src_as",
            "netflow.dst_as",
        ] {
            assert!(keys.contains(&key), "{key}");
        }
    }

    #[test]
    fn keys_are_unique_and_numbered_in_order() {
        for schema in Schema::ALL {
            let mut keys = Vec::new();
            for (number, attribute) in Attribute::ALL.iter().enumerate() {
                assert_eq!(*attribute as usize, number);
                keys.push(attribute.key(schema));
            }
            keys.sort_unstable();
            keys.dedup();
            assert_eq!(keys.len(), Attribute::ALL.len(), "{schema:?}");
        }
    }

    /// Backends that index by path cannot hold a value where there are also values below it.
    #[test]
    fn no_key_of_ecs_lies_below_another() {
        let keys: Vec<_> = Attribute::ALL.iter().map(|attribute| attribute.key(Schema::Ecs)).collect();
        let below = |upper: &str| {
            let clash = keys.iter().find(|key| key.strip_prefix(upper).is_some_and(|rest| rest.starts_with('.')));
            clash.map(|key| format!("{upper} {key}"))
        };
        assert_eq!(keys.iter().filter_map(|key| below(key)).collect::<Vec<_>>(), [""; 0]);
    }
}
