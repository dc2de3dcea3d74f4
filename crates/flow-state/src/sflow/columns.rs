//! The fields of records that are made from samples.

use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, Template, VARIABLE_LENGTH, sflow};

/// Private Enterprise Number of sFlow.org.
pub(super) const SFLOW: u32 = 14706;
/// Under that number, ours alone: the number of the sample in its datagram in four bytes, then the sample as sent.
pub(super) const SAMPLE: u16 = 1;

/// More bytes of a sample are not kept with its record.
const MAX_SAMPLE: usize = 48 << 10;
/// More bytes of a packet are not taken for its start.
const MAX_SECTION: usize = 4 << 10;

macro_rules! columns {
    ($($column:ident: $id:expr, $length:expr;)*) => {
        /// A field that a record may have; records have theirs in this order.
        #[derive(Clone, Copy, Debug)]
        pub(super) enum Column { $($column,)* }

        const COLUMNS: &[(u16, u16)] = &[$(($id, $length)),*];
    };
}

columns! {
    SourceIpv4: id::SOURCE_IPV4_ADDRESS, 4;
    DestinationIpv4: id::DESTINATION_IPV4_ADDRESS, 4;
    SourceIpv6: id::SOURCE_IPV6_ADDRESS, 16;
    DestinationIpv6: id::DESTINATION_IPV6_ADDRESS, 16;
    IpVersion: id::IP_VERSION, 1;
    FlowLabel: id::FLOW_LABEL_IPV6, 4;
    ClassOfService: id::IP_CLASS_OF_SERVICE, 1;
    TimeToLive: id::IP_TTL, 1;
    Protocol: id::PROTOCOL_IDENTIFIER, 1;
    SourcePort: id::SOURCE_TRANSPORT_PORT, 2;
    DestinationPort: id::DESTINATION_TRANSPORT_PORT, 2;
    TcpControlBits: id::TCP_CONTROL_BITS, 2;
    IcmpIpv4: id::ICMP_TYPE_CODE_IPV4, 2;
    IcmpIpv6: id::ICMP_TYPE_CODE_IPV6, 2;
    Octets: id::OCTET_DELTA_COUNT, 4;
    Packets: id::PACKET_DELTA_COUNT, 4;
    SamplingInterval: id::SAMPLING_INTERVAL, 4;
    Ingress: id::INGRESS_INTERFACE, 4;
    Egress: id::EGRESS_INTERFACE, 4;
    ForwardingStatus: id::FORWARDING_STATUS, 1;
    SourceMac: id::SOURCE_MAC_ADDRESS, 6;
    DestinationMac: id::DESTINATION_MAC_ADDRESS, 6;
    SourceVlan: id::VLAN_ID, 2;
    DestinationVlan: id::POST_VLAN_ID, 2;
    NextHopIpv4: id::IP_NEXT_HOP_IPV4_ADDRESS, 4;
    NextHopIpv6: id::IP_NEXT_HOP_IPV6_ADDRESS, 16;
    SourceMask: id::SOURCE_IPV4_PREFIX_LENGTH, 1;
    DestinationMask: id::DESTINATION_IPV4_PREFIX_LENGTH, 1;
    SourceAs: id::BGP_SOURCE_AS_NUMBER, 4;
    DestinationAs: id::BGP_DESTINATION_AS_NUMBER, 4;
    Frame: id::DATA_LINK_FRAME_SECTION, VARIABLE_LENGTH;
    IpPacket: id::IP_HEADER_PACKET_SECTION, VARIABLE_LENGTH;
    LabelStack: id::MPLS_LABEL_STACK_SECTION, VARIABLE_LENGTH;
}

/// Which columns a record has, a bit for each, in their order.
pub(super) type Shape = u64;

/// The Template of the records of a shape.
pub(super) fn template(shape: Shape) -> Template {
    let present = COLUMNS.iter().enumerate().filter(|(column, _)| shape >> column & 1 == 1);
    let fields = present.map(|(_, &(id, length))| FieldSpecifier { enterprise_number: 0, id, length });
    let sample = FieldSpecifier { enterprise_number: SFLOW, id: SAMPLE, length: VARIABLE_LENGTH };
    sflow::template(fields.chain([sample]).collect())
}

/// Writes one record; its columns come in their order.
pub(super) struct RecordWriter<'b> {
    buffer: &'b mut Vec<u8>,
    shape: Shape,
}

impl<'b> RecordWriter<'b> {
    pub(super) const fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer, shape: 0 }
    }

    pub(super) const fn shape(&self) -> Shape {
        self.shape
    }

    fn claim(&mut self, column: Column) {
        let bit = 1 << column as u32;
        debug_assert!(self.shape < bit, "{column:?} comes too late");
        self.shape |= bit;
    }

    /// A column of as many bytes.
    pub(super) fn put<const N: usize>(&mut self, column: Column, value: [u8; N]) {
        debug_assert_eq!(usize::from(COLUMNS[column as usize].1), N);
        self.claim(column);
        self.buffer.extend_from_slice(&value);
    }

    /// The first bytes of the packet.
    pub(super) fn section(&mut self, column: Column, bytes: &[u8]) {
        self.claim(column);
        let bytes = &bytes[..bytes.len().min(MAX_SECTION)];
        self.length(bytes.len());
        self.buffer.extend_from_slice(bytes);
    }

    /// The last column of every record.
    pub(super) fn sample(&mut self, number: u32, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(MAX_SAMPLE)];
        self.length(4 + bytes.len());
        self.buffer.extend_from_slice(&number.to_be_bytes());
        self.buffer.extend_from_slice(bytes);
    }

    /// The prefix of a variable-length field in three bytes (RFC 7011 section 7, figure S).
    fn length(&mut self, length: usize) {
        let [high, low] = (length as u16).to_be_bytes();
        self.buffer.extend_from_slice(&[255, high, low]);
    }
}
