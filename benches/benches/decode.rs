//! How many records a second are decoded, beside another decoder on the same bytes.
#![allow(missing_docs, clippy::unwrap_used)]

mod peer;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use netflow2traces_benches::{Pass, Stream, captured, generated};

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
        assert_eq!(peer::records(&stream), stream.records);
        group.bench_function("netflow_parser", |bencher| bencher.iter(|| peer::records(&stream)));
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
