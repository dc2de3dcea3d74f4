//! How many records a second are decoded, beside another decoder on the same bytes.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use netflow_parser::variable_versions::ipfix::FlowSetBody as IpfixBody;
use netflow_parser::variable_versions::v9::FlowSetBody as V9Body;
use netflow_parser::{NetflowPacket, NetflowParser};
use netflow2traces_benches::{Pass, Stream, captured, generated};

/// Records that `netflow_parser` reads from the stream.
fn netflow_parser_records(stream: &Stream) -> u64 {
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

fn our_records(pass: &mut Pass, stream: &Stream) -> u64 {
    stream.datagrams.iter().map(|datagram| black_box(pass.decode(datagram)).0).sum()
}

fn decode(criterion: &mut Criterion) {
    for stream in generated() {
        let mut group = criterion.benchmark_group(format!("decode/{}", stream.name));
        group.throughput(Throughput::Elements(stream.records)).sample_size(20);
        assert_eq!(our_records(&mut Pass::new(), &stream), stream.records);
        group.bench_function("flow_state", |bencher| {
            bencher.iter_batched_ref(Pass::new, |pass| our_records(pass, &stream), BatchSize::LargeInput);
        });
        assert_eq!(netflow_parser_records(&stream), stream.records);
        group.bench_function("netflow_parser", |bencher| bencher.iter(|| netflow_parser_records(&stream)));
        group.finish();
    }
    let mut group = criterion.benchmark_group("decode/corpus");
    for stream in captured() {
        group.throughput(Throughput::Elements(stream.records)).sample_size(20);
        group.bench_function(&stream.name, |bencher| {
            bencher.iter_batched_ref(Pass::new, |pass| our_records(pass, &stream), BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
