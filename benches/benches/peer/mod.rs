//! Another decoder on the same bytes.

use netflow_parser::variable_versions::ipfix::FlowSetBody as IpfixBody;
use netflow_parser::variable_versions::v9::FlowSetBody as V9Body;
use netflow_parser::{NetflowPacket, NetflowParser};
use netflow2traces_benches::Stream;

/// Records that `netflow_parser` reads from the stream.
pub(crate) fn records(stream: &Stream) -> u64 {
    let mut parser = NetflowParser::default();
    let mut records = 0;
    for datagram in &stream.datagrams {
        for packet in parser.iter_packets(datagram) {
            records += match packet.unwrap() {
                NetflowPacket::V5(v5) => v5.flowsets.len(),
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
