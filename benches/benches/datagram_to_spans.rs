//! What the whole path costs, from the bytes of a datagram to the bytes of its spans.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flow_semconv::{Probability, SamplingPolicy};
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
    let mut one_percent = SamplingPolicy::default();
    one_percent.rate = Probability::new(0.01);
    for stream in generated() {
        let mut pass = Pass::new().sampled(one_percent.scaled(Probability::ONE));
        let spans: u64 = stream.datagrams.iter().map(|datagram| pass.to_spans(datagram)).sum();
        assert!((1..stream.records / 50).contains(&spans), "{spans}");
        group.throughput(Throughput::Elements(stream.records));
        group.bench_function(format!("{}_sampled_at_1_percent", stream.name), |bencher| {
            bencher.iter(|| stream.datagrams.iter().map(|datagram| pass.to_spans(datagram)).sum::<u64>());
        });
    }
    group.finish();
}

criterion_group!(benches, datagram_to_spans);
criterion_main!(benches);
