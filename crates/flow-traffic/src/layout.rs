//! The Templates of the generator, and its flows written as they say.

use flow_wire::encode::{FixedRecord, MessageWriter, RecordWriter, TemplateDefinition};
use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, VARIABLE_LENGTH, Version};

use crate::exporter::Exporter;
use crate::population::{Flow, MAX_APPLICATION};

/// What a Message of one version announces, and how it lays out its flows.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) version: Version,
    /// Empty for v1, v5 and v7.
    v4: Vec<FieldSpecifier>,
    /// Empty where all flows are IPv4.
    v6: Vec<FieldSpecifier>,
    options: bool,
}

impl Layout {
    /// The layout of `version`; `options` adds a sampler and interface names.
    pub(crate) fn new(version: Version, options: bool) -> Self {
        let (v4, v6, sampler): (&[_], &[_], _) = match version {
            Version::V9 => (V9_V4, V9_V6, field(id::SAMPLER_ID, 1)),
            Version::Ipfix => (IPFIX_V4, IPFIX_V6, field(id::SELECTOR_ID, 4)),
            _ => return Self { version, v4: vec![], v6: vec![], options },
        };
        let columns = |base: &[FieldSpecifier]| {
            let sampler = options.then_some(sampler);
            // The sampler comes first, so that a field of variable length stays the last one.
            sampler.into_iter().chain(base.iter().copied()).collect()
        };
        Self { version, v4: columns(v4), v6: columns(v6), options }
    }

    /// A layout of IPv4 flows alone in one Template.
    pub(crate) fn of_fields(version: Version, v4: &[FieldSpecifier]) -> Self {
        Self { version, v4: v4.to_vec(), v6: vec![], options: false }
    }

    /// Whether flow `number` of all is IPv6: one in five, where the layout has a Template for it.
    pub(crate) fn is_v6(&self, number: u64) -> bool {
        !self.v6.is_empty() && number % 5 == 4
    }

    /// Whether the sampler is told in the Message Header.
    pub(crate) fn samples_in_header(&self) -> bool {
        self.options && self.version == Version::V5
    }

    /// The most bytes a Message with this many flows can have.
    pub(crate) fn most_bytes(&self, flows: u16) -> usize {
        let flows = usize::from(flows);
        let length = |fields: &[FieldSpecifier]| fields.iter().map(field_bytes).sum::<usize>();
        let header = self.version.header_len();
        match self.version {
            Version::V7 => header + flows * 52,
            Version::V9 | Version::Ipfix => {
                let v6 = if self.v6.is_empty() { 0 } else { flows.div_ceil(5) };
                let sets = 2 * (SET_HEADER + MAX_PADDING);
                header + MAX_ANNOUNCEMENT + sets + (flows - v6) * length(&self.v4) + v6 * length(&self.v6)
            }
            _ => header + flows * 48,
        }
    }

    /// Writes Templates and, with options, the Options Templates and their records; returns how many Data Records.
    pub(crate) fn announce(&self, message: &mut MessageWriter, exporter: &Exporter) -> u32 {
        let flows = [TemplateDefinition::new(V4_ID, &self.v4), TemplateDefinition::new(V6_ID, &self.v6)];
        message.template_set(if self.v6.is_empty() { &flows[..1] } else { &flows });
        if !self.options {
            return 0;
        }
        let (sampler, interface) =
            if self.version == Version::V9 { (V9_SAMPLER, V9_INTERFACE) } else { (IPFIX_SAMPLER, IPFIX_INTERFACE) };
        message.options_template_set(&[
            TemplateDefinition::options(SAMPLER_ID, 1, sampler),
            TemplateDefinition::options(INTERFACE_ID, 1, interface),
        ]);
        message.data_set(SAMPLER_ID);
        let mut record = message.record();
        if self.version == Version::V9 {
            record.unsigned(4, 0).unsigned(1, exporter.sampler_id.into()).unsigned(1, 2); // of the system; random
            record.unsigned(4, SAMPLING_INTERVAL.into());
        } else {
            record.unsigned(4, exporter.sampler_id.into()).unsigned(2, 1); // systematic, by count
            record.unsigned(4, 1).unsigned(4, u64::from(SAMPLING_INTERVAL) - 1);
        }
        message.data_set(INTERFACE_ID);
        let interfaces = exporter.interfaces();
        for (index, name) in interfaces {
            let mut record = message.record();
            record.unsigned(4, index.into());
            if self.version == Version::V9 {
                let mut padded = [0; V9_NAME_BYTES];
                padded[..name.len()].copy_from_slice(name.as_bytes());
                record.bytes(&padded);
            } else {
                record.variable(name.as_bytes());
            }
        }
        1 + interfaces.len() as u32
    }

    /// Writes the flows: as fixed records, or as one Data Set for each address family among them.
    pub(crate) fn write(&self, message: &mut MessageWriter, exporter: &Exporter, flows: &[Flow]) {
        if !self.version.has_templates() {
            for flow in flows {
                message.fixed_record(&fixed_record(flow, exporter));
            }
            return;
        }
        for (template_id, fields, is_v6) in [(V4_ID, &self.v4, false), (V6_ID, &self.v6, true)] {
            if !flows.iter().any(|flow| flow.is_v6 == is_v6) {
                continue;
            }
            message.data_set(template_id);
            for flow in flows.iter().filter(|flow| flow.is_v6 == is_v6) {
                let mut record = message.record();
                for field in fields {
                    write_field(&mut record, field, flow, exporter);
                }
            }
        }
    }
}

fn write_field(record: &mut RecordWriter<'_>, field: &FieldSpecifier, flow: &Flow, exporter: &Exporter) {
    match bytes_of(field.id, flow) {
        Some(bytes) if field.length == VARIABLE_LENGTH => record.variable(bytes),
        Some(bytes) => record.bytes(bytes),
        None => record.unsigned(field.length.into(), number_of(field.id, flow, exporter)),
    };
}

/// The value of an address or a string.
fn bytes_of(id: u16, flow: &Flow) -> Option<&[u8]> {
    Some(match id {
        id::SOURCE_IPV4_ADDRESS => &flow.source.v4,
        id::DESTINATION_IPV4_ADDRESS => &flow.destination.v4,
        id::IP_NEXT_HOP_IPV4_ADDRESS => &flow.next_hop.v4,
        id::SOURCE_IPV6_ADDRESS => &flow.source.v6,
        id::DESTINATION_IPV6_ADDRESS => &flow.destination.v6,
        id::IP_NEXT_HOP_IPV6_ADDRESS => &flow.next_hop.v6,
        id::APPLICATION_NAME => flow.application.as_bytes(),
        _ => return None,
    })
}

fn number_of(id: u16, flow: &Flow, exporter: &Exporter) -> u64 {
    match id {
        id::INGRESS_INTERFACE => flow.ingress_interface.into(),
        id::EGRESS_INTERFACE => flow.egress_interface.into(),
        id::PACKET_DELTA_COUNT => flow.packets.into(),
        id::OCTET_DELTA_COUNT => flow.octets.into(),
        id::FLOW_START_SYS_UP_TIME => exporter.sys_uptime_ms(flow.start_ms).into(),
        id::FLOW_END_SYS_UP_TIME => exporter.sys_uptime_ms(flow.end_ms).into(),
        id::FLOW_START_MILLISECONDS => flow.start_ms,
        id::FLOW_END_MILLISECONDS => flow.end_ms,
        id::SOURCE_TRANSPORT_PORT => flow.source_port.into(),
        id::DESTINATION_TRANSPORT_PORT => flow.destination_port.into(),
        id::ICMP_TYPE_CODE_IPV4 | id::ICMP_TYPE_CODE_IPV6 => flow.icmp_type_code().into(),
        id::BGP_SOURCE_AS_NUMBER => flow.source.as_number.into(),
        id::BGP_DESTINATION_AS_NUMBER => flow.destination.as_number.into(),
        id::PROTOCOL_IDENTIFIER => flow.protocol.into(),
        id::IP_CLASS_OF_SERVICE => flow.tos.into(),
        id::TCP_CONTROL_BITS => flow.tcp_flags.into(),
        id::SOURCE_IPV4_PREFIX_LENGTH => flow.source.v4_mask.into(),
        id::DESTINATION_IPV4_PREFIX_LENGTH => flow.destination.v4_mask.into(),
        id::SOURCE_IPV6_PREFIX_LENGTH => flow.source.v6_mask.into(),
        id::DESTINATION_IPV6_PREFIX_LENGTH => flow.destination.v6_mask.into(),
        id::FLOW_LABEL_IPV6 => flow.flow_label.into(),
        id::FLOW_END_REASON => flow.end_reason.into(),
        id::FORWARDING_STATUS => FORWARDED,
        id::SAMPLER_ID | id::SELECTOR_ID => exporter.sampler_id.into(),
        _ => 0, // flowDirection: ingress
    }
}

fn fixed_record(flow: &Flow, exporter: &Exporter) -> FixedRecord {
    FixedRecord {
        source_address: flow.source.v4,
        destination_address: flow.destination.v4,
        next_hop: flow.next_hop.v4,
        ingress_interface: flow.ingress_interface,
        egress_interface: flow.egress_interface,
        packets: flow.packets,
        octets: flow.octets,
        start_sys_uptime_ms: exporter.sys_uptime_ms(flow.start_ms),
        end_sys_uptime_ms: exporter.sys_uptime_ms(flow.end_ms),
        source_port: flow.source_port,
        destination_port: flow.destination_port,
        tcp_flags: flow.tcp_flags,
        protocol: flow.protocol,
        tos: flow.tos,
        source_as: flow.source.as_number as u16,
        destination_as: flow.destination.as_number as u16,
        source_mask: flow.source.v4_mask,
        destination_mask: flow.destination.v4_mask,
        router: exporter.downstream.v4,
    }
}

const fn field(id: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { enterprise_number: 0, id, length }
}

fn field_bytes(field: &FieldSpecifier) -> usize {
    if field.length == VARIABLE_LENGTH { 1 + MAX_APPLICATION } else { usize::from(field.length) }
}

/// The 20-field Template of the benchmark stream; [`crate::streams`].
pub(crate) const V9_STREAM: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV4_ADDRESS, 4),
    field(id::DESTINATION_IPV4_ADDRESS, 4),
    field(id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 8),
    field(id::OCTET_DELTA_COUNT, 8),
    field(id::FLOW_START_SYS_UP_TIME, 4),
    field(id::FLOW_END_SYS_UP_TIME, 4),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
    field(id::FORWARDING_STATUS, 1),
];

/// The small v9 Template of the benchmark stream; [`crate::streams`].
pub(crate) const V9_SMALL_STREAM: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV4_ADDRESS, 4),
    field(id::DESTINATION_IPV4_ADDRESS, 4),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::PACKET_DELTA_COUNT, 4),
    field(id::OCTET_DELTA_COUNT, 4),
];

/// The Template with a string of the benchmark stream; [`crate::streams`].
pub(crate) const IPFIX_STREAM: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV4_ADDRESS, 4),
    field(id::DESTINATION_IPV4_ADDRESS, 4),
    field(id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 4),
    field(id::OCTET_DELTA_COUNT, 4),
    field(id::FLOW_START_MILLISECONDS, 8),
    field(id::FLOW_END_MILLISECONDS, 8),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
    field(id::APPLICATION_NAME, VARIABLE_LENGTH),
];

const V9_V4: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV4_ADDRESS, 4),
    field(id::DESTINATION_IPV4_ADDRESS, 4),
    field(id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 4),
    field(id::OCTET_DELTA_COUNT, 4),
    field(id::FLOW_START_SYS_UP_TIME, 4),
    field(id::FLOW_END_SYS_UP_TIME, 4),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::ICMP_TYPE_CODE_IPV4, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
];

const V9_V6: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV6_ADDRESS, 16),
    field(id::DESTINATION_IPV6_ADDRESS, 16),
    field(id::IP_NEXT_HOP_IPV6_ADDRESS, 16),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 4),
    field(id::OCTET_DELTA_COUNT, 4),
    field(id::FLOW_START_SYS_UP_TIME, 4),
    field(id::FLOW_END_SYS_UP_TIME, 4),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::ICMP_TYPE_CODE_IPV6, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV6_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV6_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
    field(id::FLOW_LABEL_IPV6, 3),
];

const IPFIX_V4: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV4_ADDRESS, 4),
    field(id::DESTINATION_IPV4_ADDRESS, 4),
    field(id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 4), // reduced size (RFC 7011 section 6.2)
    field(id::OCTET_DELTA_COUNT, 8),
    field(id::FLOW_START_MILLISECONDS, 8),
    field(id::FLOW_END_MILLISECONDS, 8),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::ICMP_TYPE_CODE_IPV4, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
    field(id::FLOW_END_REASON, 1),
    field(id::APPLICATION_NAME, VARIABLE_LENGTH),
];

const IPFIX_V6: &[FieldSpecifier] = &[
    field(id::SOURCE_IPV6_ADDRESS, 16),
    field(id::DESTINATION_IPV6_ADDRESS, 16),
    field(id::IP_NEXT_HOP_IPV6_ADDRESS, 16),
    field(id::INGRESS_INTERFACE, 4),
    field(id::EGRESS_INTERFACE, 4),
    field(id::PACKET_DELTA_COUNT, 4),
    field(id::OCTET_DELTA_COUNT, 8),
    field(id::FLOW_START_MILLISECONDS, 8),
    field(id::FLOW_END_MILLISECONDS, 8),
    field(id::SOURCE_TRANSPORT_PORT, 2),
    field(id::DESTINATION_TRANSPORT_PORT, 2),
    field(id::ICMP_TYPE_CODE_IPV6, 2),
    field(id::BGP_SOURCE_AS_NUMBER, 4),
    field(id::BGP_DESTINATION_AS_NUMBER, 4),
    field(id::PROTOCOL_IDENTIFIER, 1),
    field(id::IP_CLASS_OF_SERVICE, 1),
    field(id::TCP_CONTROL_BITS, 1),
    field(id::SOURCE_IPV6_PREFIX_LENGTH, 1),
    field(id::DESTINATION_IPV6_PREFIX_LENGTH, 1),
    field(id::FLOW_DIRECTION, 1),
    field(id::FLOW_LABEL_IPV6, 4),
    field(id::FLOW_END_REASON, 1),
    field(id::APPLICATION_NAME, VARIABLE_LENGTH),
];

/// Scope System (RFC 3954 section 6.1).
const V9_SAMPLER: &[FieldSpecifier] =
    &[field(1, 4), field(id::SAMPLER_ID, 1), field(id::SAMPLER_MODE, 1), field(id::SAMPLER_RANDOM_INTERVAL, 4)];
/// Scope Interface (RFC 3954 section 6.1).
const V9_INTERFACE: &[FieldSpecifier] = &[field(2, 4), field(id::INTERFACE_NAME, V9_NAME_BYTES as u16)];
const IPFIX_SAMPLER: &[FieldSpecifier] = &[
    field(id::SELECTOR_ID, 4),
    field(id::SELECTOR_ALGORITHM, 2),
    field(id::SAMPLING_PACKET_INTERVAL, 4),
    field(id::SAMPLING_PACKET_SPACE, 4),
];
const IPFIX_INTERFACE: &[FieldSpecifier] =
    &[field(id::INGRESS_INTERFACE, 4), field(id::INTERFACE_NAME, VARIABLE_LENGTH)];

const V4_ID: u16 = 256;
const V6_ID: u16 = 257;
const SAMPLER_ID: u16 = 258;
const INTERFACE_ID: u16 = 259;

/// One packet in this many is counted.
pub(crate) const SAMPLING_INTERVAL: u16 = 100;
const V9_NAME_BYTES: usize = 12;
const FORWARDED: u64 = 64;
const SET_HEADER: usize = 4;
const MAX_PADDING: usize = 3;
/// What [`Layout::announce`] writes at most; a test holds it.
pub(crate) const MAX_ANNOUNCEMENT: usize = 336;
