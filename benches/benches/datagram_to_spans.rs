//! What the whole path costs, from the bytes of a datagram to the bytes of its spans.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use netflow2traces_benches::{Pass, captured, generated};

fn datagram_to_spans(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("datagram_to_spans");
    for stream in generated().into_iter().chain(captured()) {
        // Warm: programs are made and the buffer has its size.
        let mut pass = Pass::new();
        let spans: u64 = stream.datagrams.iter().map(|datagram| pass.to_spans(datagram)).sum();
        assert_eq!(spans, stream.records);
        group.throughput(Throughput::Elements(stream.records)).sample_size(20);
        group.bench_function(&stream.name, |bencher| {
            bencher.iter(|| stream.datagrams.iter().map(|datagram| pass.to_spans(datagram)).sum::<u64>());
        });
    }
    group.finish();
}

criterion_group!(benches, datagram_to_spans);
criterion_main!(benches);
