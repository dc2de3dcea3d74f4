//! NetFlow v1, v5 and v7: fixed records, described by built-in Templates.
//!
//! Field positions are those of Cisco's "NetFlow Export Datagram Format". A v1 record has 48 bytes; one manual (Extreme
//! Networks, PoS module) documents 52, which is taken only when the datagram is exactly that long.

use crate::ie::id;
use crate::message::{Message, Version};
use crate::template::{FieldSpecifier, Template};

/// What the records of all three begin with.
const COMMON: &[(u16, u16)] = &[
    (id::SOURCE_IPV4_ADDRESS, 4),
    (id::DESTINATION_IPV4_ADDRESS, 4),
    (id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
    (id::INGRESS_INTERFACE, 2),
    (id::EGRESS_INTERFACE, 2),
    (id::PACKET_DELTA_COUNT, 4),
    (id::OCTET_DELTA_COUNT, 4),
    (id::FLOW_START_SYS_UP_TIME, 4),
    (id::FLOW_END_SYS_UP_TIME, 4),
    (id::SOURCE_TRANSPORT_PORT, 2),
    (id::DESTINATION_TRANSPORT_PORT, 2),
];

const V1: &[(u16, u16)] = &[
    (id::PADDING_OCTETS, 2),
    (id::PROTOCOL_IDENTIFIER, 1),
    (id::IP_CLASS_OF_SERVICE, 1),
    (id::TCP_CONTROL_BITS, 1),
    (id::PADDING_OCTETS, 7),
];
const V1_LONG_PADDING: u16 = 11;

/// In v7 the paddings are flags that say which fields are invalid.
const V5: &[(u16, u16)] = &[
    (id::PADDING_OCTETS, 1),
    (id::TCP_CONTROL_BITS, 1),
    (id::PROTOCOL_IDENTIFIER, 1),
    (id::IP_CLASS_OF_SERVICE, 1),
    (id::BGP_SOURCE_AS_NUMBER, 2),
    (id::BGP_DESTINATION_AS_NUMBER, 2),
    (id::SOURCE_IPV4_PREFIX_LENGTH, 1),
    (id::DESTINATION_IPV4_PREFIX_LENGTH, 1),
    (id::PADDING_OCTETS, 2),
];

/// Behind the fields of v5: the router that the switch short-cuts.
const V7_ROUTER: (u16, u16) = (id::PADDING_OCTETS, 4);

/// The layout of the records of a v1, v5 or v7 Message; its Template ID is the version number. `long_v1` selects the
/// 52-byte records of v1. `None` for v9 and IPFIX, whose Templates come from the exporter.
pub fn template(version: Version, long_v1: bool) -> Option<Template> {
    let (rest, router) = match version {
        Version::V1 => (V1, None),
        Version::V5 => (V5, None),
        Version::V7 => (V5, Some(&V7_ROUTER)),
        Version::V9 | Version::Ipfix | Version::Sflow5 => return None,
    };
    let columns = COMMON.iter().chain(rest).chain(router);
    let mut fields: alloc::vec::Vec<_> =
        columns.map(|&(id, length)| FieldSpecifier { enterprise_number: 0, id, length }).collect();
    if let (Version::V1, true, Some(padding)) = (version, long_v1, fields.last_mut()) {
        padding.length = V1_LONG_PADDING;
    }
    Some(Template::built_in(version, fields))
}

/// Bytes of a record of this v1, v5 or v7 Message; 0 for the others.
pub(crate) fn record_len(message: &Message<'_>) -> usize {
    match message.header.version {
        Version::V1 if is_long_v1(message) => 52,
        Version::V1 | Version::V5 => 48,
        Version::V7 => 52,
        Version::V9 | Version::Ipfix | Version::Sflow5 => 0,
    }
}

/// Whether a v1 Message has records of 52 bytes: its datagram is exactly that long.
pub fn is_long_v1(message: &Message<'_>) -> bool {
    let count = usize::from(message.header.length_or_count);
    let body = message.end() - message.start() - Version::V1.header_len();
    message.header.version == Version::V1 && count > 0 && body == 52 * count
}

/// Whole records in the datagram, whatever its header announces.
pub(crate) fn records_present(message: &Message<'_>) -> u16 {
    let body = message.end() - message.start() - message.header.version.header_len();
    body.checked_div(record_len(message)).and_then(|records| u16::try_from(records).ok()).unwrap_or(0)
}
