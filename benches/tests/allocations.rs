//! No allocation for a record, on decoding and on encoding.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::num::NonZeroU64;

use flow_collector::Filter;
use flow_semconv::{Probability, SamplingPolicy, TraceShape};
use flow_wire::encode::{self, MessageWriter, TemplateDefinition};
use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, Timestamp, Version};
use netflow2traces_benches::{BATCH_SPANS, FILTERS, Pass, Stream, captured, generated};

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes on to the system's allocator unchanged; counting touches a thread-local that needs no
// destructor and allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: the caller's promises on `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` through `alloc` or `realloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        // SAFETY: as for `dealloc`, and the caller's promise on `new_size` is the one that `System` asks for.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// Data only: Templates that are known already.
fn check(stream: &Stream, mut pass: Pass, run: impl Fn(&mut Pass, &[u8]) -> u64) {
    // The first rounds learn Templates, make programs and grow the buffer to the size of a batch.
    let mut warm = 0;
    while warm < 3 * BATCH_SPANS as u64 {
        warm += stream.datagrams.iter().map(|datagram| run(&mut pass, datagram)).sum::<u64>();
    }
    let mut records = 0;
    let count = allocations(|| {
        for datagram in &stream.datagrams {
            records += run(&mut pass, datagram);
        }
    });
    assert_eq!(records, stream.records, "{}", stream.name);
    assert_eq!(count, 0, "{}: allocations for {records} records", stream.name);
}

#[test]
fn counting_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), 1);
}

#[test]
fn decoding_allocates_nothing() {
    for stream in generated().iter().chain(&captured()) {
        check(stream, Pass::new(), |pass, datagram| pass.decode(datagram).0);
    }
}

/// The most records that a datagram can have: an attack on whatever is made for each.
#[test]
fn records_of_one_byte_allocate_nothing() {
    const RECORDS: u64 = 60_000;
    let header = |sequence| encode::header(Version::V9, Timestamp::from_unix_seconds(1_700_000_000), sequence, 0);
    let protocol = FieldSpecifier { enterprise_number: 0, id: id::PROTOCOL_IDENTIFIER, length: 1 };
    let mut message = MessageWriter::new();
    message.begin(&header(0)).template_set(&[TemplateDefinition::new(256, &[protocol])]);
    let template = message.finish().unwrap().to_vec();
    message.begin(&header(1)).data_set(256);
    for number in 0..RECORDS {
        message.record().unsigned(1, number % 256);
    }
    let data = message.finish().unwrap().to_vec();
    assert!((60_000..60_040).contains(&data.len()), "{} bytes", data.len());
    let mut pass = Pass::new();
    pass.decode(&template);
    pass.decode(&data);
    let mut records = 0;
    assert_eq!(allocations(|| records = pass.decode(&data).0), 0);
    assert_eq!(records, RECORDS);
    assert_eq!(allocations(|| records = pass.every_field(&data)), 0);
    assert_eq!(records, RECORDS);
}

#[test]
fn encoding_allocates_nothing() {
    for stream in generated().iter().chain(&captured()) {
        check(stream, Pass::new(), Pass::to_spans);
    }
}

#[test]
fn filtering_allocates_nothing() {
    for (_, rules) in FILTERS {
        let filter: Filter = rules().parse().unwrap();
        for stream in generated().iter().chain(&captured()) {
            check(stream, Pass::new(), |pass, datagram| pass.filter(datagram, &filter).0);
        }
    }
}

#[test]
fn elements_as_they_are_allocate_nothing() {
    for stream in generated().iter().chain(&captured()) {
        check(stream, Pass::new().with_all_elements(), Pass::to_spans);
    }
}

#[test]
fn no_shape_allocates() {
    for shape in [TraceShape::Conversation, TraceShape::Flow, TraceShape::Topology] {
        for stream in generated().iter().chain(&captured()) {
            check(stream, Pass::new().shaped(shape), Pass::to_spans);
        }
    }
}

#[test]
fn sampling_allocates_nothing() {
    let mut policy = SamplingPolicy::default();
    policy.rate = Probability::new(0.1);
    policy.size = NonZeroU64::new(1_000_000);
    for stream in generated().iter().chain(&captured()) {
        let mut pass = Pass::new().sampled(policy.scaled(Probability::ONE));
        let mut run = || stream.datagrams.iter().map(|datagram| pass.to_spans(datagram)).sum::<u64>();
        // The first rounds as in `check`, then one.
        let mut warm = 0;
        for _ in 0..20 {
            warm = run();
        }
        let mut kept = 0;
        let count = allocations(|| kept = run());
        assert_eq!((count, kept), (0, warm), "{}: allocations for {} records", stream.name, stream.records);
        assert!(kept <= stream.records);
    }
}
