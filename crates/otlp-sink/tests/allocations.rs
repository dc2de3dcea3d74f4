//! A span costs no allocation.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::Duration;

use otlp_sink::{
    AttributeKey, Call, FileConfig, Output, Sink, SinkConfig, SpanBuilder, SpanContext, SpanHead, SpanKind, SpanWriter,
};

/// The system's allocator, counting for each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    // Gone while a thread ends, when nothing is measured.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it is; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: `pointer` came from `System` with this layout.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(work: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

static NAMES: [AttributeKey; 4] = [
    AttributeKey::new("source.address"),
    AttributeKey::new("destination.address"),
    AttributeKey::new("network.transport"),
    AttributeKey::new("a.key.longer.than.what.is.prepared.ahead.in.a.fixed.array.of.bytes"),
];
static COUNT: AttributeKey = AttributeKey::new("netflow.flow.bytes");

fn write_spans(writer: &mut SpanWriter, spans: u64) {
    for id in 1..=spans {
        let context = SpanContext { trace_id: [1; 16], span_id: id.to_be_bytes(), parent_span_id: Some([3; 8]) };
        let mut span = writer.span(context, "netflow.flow", SpanKind::Internal, id, id + 1);
        for name in &NAMES {
            span.str(name, "2001:db8::1").int(&COUNT, id as i64 * 1000);
        }
        span.str(&NAMES[0], &"long text ".repeat(0)).str_array(&COUNT, ["syn", "ack"]);
        span.bool(&COUNT, true)
            .double(&COUNT, 0.5)
            .trace_state("ot=th:8")
            .link([1; 16], [2; 8])
            .status_error("dropped");
    }
}

fn write_calls(writer: &mut SpanWriter, head: &SpanHead, calls: u64) {
    for id in 1..=calls {
        let context = SpanContext { trace_id: [1; 16], span_id: id.to_be_bytes(), parent_span_id: None };
        let (client, server, server_span_id, server_name) = ("2001:db8::1", "192.0.2.1", [2; 8], "netflow.server");
        let call = Call { client, server, context, server_span_id, server_name, times: (id, id + 1) };
        let attributes = |mut span: SpanBuilder<'_>| {
            span.str(&NAMES[0], "2001:db8::1").int(&COUNT, id as i64 * 1000);
        };
        writer.call(head, &call, attributes, attributes);
    }
}

/// The resources of calls are written where they have to go.
#[test]
fn encoding_a_call_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut config =
        SinkConfig::default().with_output(Output::File(FileConfig::new(directory.path().join("spans.jsonl"))));
    config.max_batch_spans = 2000.try_into().unwrap();
    config.max_delay = Duration::from_secs(3600);
    let sink = Sink::start(config, runtime.handle()).unwrap();
    let (mut writer, mut head) = (sink.writer(), SpanHead::default());
    let context = SpanContext { trace_id: [1; 16], span_id: [0; 8], parent_span_id: None };
    writer.head(&mut head, context, "netflow.flow", SpanKind::Internal, (0, 0), |span| span.end());
    write_calls(&mut writer, &head, 999);
    writer.flush();
    assert_eq!(allocations(|| write_calls(&mut writer, &head, 999)), 0);
    drop(writer);
    let report = runtime.block_on(sink.shutdown(Duration::from_secs(60)));
    assert_eq!((report.exported, report.remaining), (4 * 999, 0));
}

#[test]
fn encoding_a_span_allocates_nothing_and_a_batch_little() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let mut config =
        SinkConfig::default().with_output(Output::File(FileConfig::new(directory.path().join("spans.jsonl"))));
    config.max_batch_spans = 1000.try_into().unwrap();
    config.max_delay = Duration::from_secs(3600);
    let sink = Sink::start(config, runtime.handle()).unwrap();
    let mut writer = sink.writer();

    // The first batch grows the buffer; as a small part of it would be copied, it is what later batches need.
    write_spans(&mut writer, 999);
    writer.flush();
    let in_a_batch = allocations(|| write_spans(&mut writer, 999));
    assert_eq!(in_a_batch, 0);

    // Handing over: the batch, its entry in the queue, and a buffer when none is free.
    let batches = 5;
    let over_batches = allocations(|| write_spans(&mut writer, batches * 1000));
    assert!(over_batches <= 20 * batches as usize, "{over_batches} allocations in {batches} batches");

    drop(writer);
    let report = runtime.block_on(sink.shutdown(Duration::from_secs(60)));
    assert_eq!((report.exported, report.remaining), (2 * 999 + batches * 1000, 0));
}
