//! What a filter costs a flow, by its rules: the difference to `none`, which decodes and goes from flow to flow.
#![allow(missing_docs, clippy::unwrap_used)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flow_collector::Filter;
use netflow2traces_benches::{FILTERS, Pass, generated};

fn filter(criterion: &mut Criterion) {
    let filters: Vec<(&str, Filter)> = FILTERS.iter().map(|(name, rules)| (*name, rules().parse().unwrap())).collect();
    for stream in generated() {
        let mut group = criterion.benchmark_group(format!("filter/{}", stream.name));
        group.throughput(Throughput::Elements(stream.records)).sample_size(20);
        for (name, filter) in &filters {
            let mut pass = Pass::new();
            let mut run = || {
                let sums = stream.datagrams.iter().map(|datagram| pass.filter(datagram, filter));
                sums.fold((0, 0), |(flows, kept), (more, more_kept)| (flows + more, kept + more_kept))
            };
            let (flows, kept) = run();
            assert_eq!(flows, stream.records);
            assert!(
                if *name == "none" { kept == flows } else { kept > 0 && kept <= flows },
                "{name}: {kept} of {flows}"
            );
            group.bench_function(*name, |bencher| bencher.iter(&mut run));
        }
        group.finish();
    }
}

criterion_group!(benches, filter);
criterion_main!(benches);
