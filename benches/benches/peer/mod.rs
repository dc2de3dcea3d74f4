//! Another decoder on the same bytes.

use std::hint::black_box;

use flow_state::{CommonFields, Timestamp};
use netflow_parser::static_versions::v5::V5;
use netflow_parser::variable_versions::ipfix::FlowSetBody as IpfixBody;
use netflow_parser::variable_versions::v9::FlowSetBody as V9Body;
use netflow_parser::{NetflowPacket, NetflowParser};
use netflow2traces_benches::{Stream, digest};

/// Records that `netflow_parser` reads from the stream: of v5, where that costs it little, with the common facts of each
/// flow; of the others without a look at any.
pub(crate) fn records(stream: &Stream) -> u64 {
    let mut parser = NetflowParser::default();
    let mut records = 0;
    for datagram in &stream.datagrams {
        for packet in parser.iter_packets(datagram) {
            records += match packet.unwrap() {
                NetflowPacket::V5(v5) => {
                    black_box(common(&v5));
                    v5.flowsets.len()
                }
                NetflowPacket::V9(v9) => v9
                    .flowsets
                    .iter()
                    .map(|set| match &set.body {
                        V9Body::Data(data) => data.fields.len(),
                        _ => 0,
                    })
                    .sum(),
                NetflowPacket::IPFix(ipfix) => ipfix
                    .flowsets
                    .iter()
                    .map(|set| match &set.body {
                        IpfixBody::Data(data) => data.fields.len(),
                        _ => 0,
                    })
                    .sum(),
                _ => 0,
            } as u64;
        }
    }
    records
}

fn common(packet: &V5) -> u64 {
    let header = &packet.header;
    let boot = u64::from(header.unix_secs) * 1_000_000_000 + u64::from(header.unix_nsecs)
        - u64::from(header.sys_up_time) * 1_000_000;
    let time = |uptime: u32| Timestamp::from_unix_nanos(boot + u64::from(uptime) * 1_000_000);
    packet.flowsets.iter().fold(0, |sum, record| {
        let mut flow = CommonFields::default();
        flow.source_address = record.src_addr.into();
        flow.destination_address = record.dst_addr.into();
        flow.next_hop = record.next_hop.into();
        flow.source_port = record.src_port.into();
        flow.destination_port = record.dst_port.into();
        flow.protocol = record.protocol_number.into();
        flow.ingress_interface = record.input.into();
        flow.egress_interface = record.output.into();
        flow.source_as = record.src_as.into();
        flow.destination_as = record.dst_as.into();
        flow.tcp_flags = record.tcp_flags.into();
        flow.class_of_service = record.tos.into();
        flow.octets = record.d_octets.into();
        flow.packets = record.d_pkts.into();
        flow.start = time(record.first);
        flow.end = time(record.last);
        digest(&flow, sum)
    })
}
