//! Through outages and restarts with a spool.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use http::StatusCode;
use otlp_sink::{
    AttributeKey, DropReason, OtlpConfig, Output, Protocol, Sink, SinkConfig, SinkError, SpanContext, SpanKind,
    SpoolConfig, SpoolFull, SpoolSync,
};
use testkit::otlp_server::{OtlpServer, Respond, Span};
use tokio::runtime::Handle;

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

static INDEX: AttributeKey = AttributeKey::new("test.index");

/// Small batches, quick retries, and memory for some 400 spans.
fn config(server: &OtlpServer, directory: &Path, change: impl FnOnce(&mut SpoolConfig)) -> SinkConfig {
    let mut spool = SpoolConfig::new(directory);
    change(&mut spool);
    let mut otlp = OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap();
    otlp.spool = Some(spool);
    let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
    config.max_batch_spans = 10.try_into().unwrap();
    config.queue_bytes = 32 * 1024;
    config.retry_initial = Duration::from_millis(20);
    config.reconnect_max = Duration::from_millis(100);
    config.retry_max = Duration::from_millis(100);
    config
}

fn start(config: SinkConfig) -> Sink {
    Sink::start(config, &Handle::current()).unwrap()
}

/// Writes spans with these numbers, no faster than memory and spool can take them.
fn write(sink: &Sink, numbers: std::ops::Range<u64>) {
    let mut writer = sink.writer();
    for number in numbers {
        let context = SpanContext { trace_id: [1; 16], span_id: (number + 1).to_be_bytes(), parent_span_id: None };
        writer.span(context, "test", SpanKind::Internal, 1, 2).int(&INDEX, number as i64);
        while number % 100 == 0 && sink.stats().outputs[0].held_bytes > 16 * 1024 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// How often each number came.
fn counts(spans: &[Span]) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    for span in spans {
        *counts.entry(u64::from_be_bytes(span.span_id[..].try_into().unwrap()) - 1).or_default() += 1;
    }
    counts
}

fn assert_each_once(spans: &[Span], numbers: std::ops::Range<u64>) {
    let counts = counts(spans);
    let wrong: Vec<_> = numbers.clone().filter(|number| counts.get(number) != Some(&1)).collect();
    assert!(wrong.is_empty(), "not there exactly once: {wrong:?}");
    assert_eq!(spans.len() as u64, numbers.end - numbers.start);
}

async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Every span handed over is exported, dropped, queued, in flight or in the spool.
fn assert_accounted(sink: &Sink, handed_over: u64) {
    let stats = &sink.stats().outputs[0];
    let spool = stats.spool.unwrap();
    let sum = stats.exported + stats.dropped_total() + stats.queued_spans + stats.in_flight_spans + spool.spans;
    assert_eq!(sum, handed_over + spool.recovered, "{stats:?}");
}

/// Twenty times what fits memory, in order, with new spans behind those of the outage.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_memory_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for sync in [SpoolSync::Batch, SpoolSync::Interval(Duration::from_millis(20)), SpoolSync::Never] {
        let mut server = OtlpServer::start_local().await.unwrap();
        let mut config = config(&server, folder.path(), |spool| spool.sync = sync);
        config.max_in_flight = 1.try_into().unwrap();
        let sink = start(config);
        write(&sink, 0..100);
        server.wait_for_spans(100, PATIENCE).await;
        server.stop().await;
        write(&sink, 100..8000);
        wait_until("all is on disk but what is in flight", || {
            let stats = &sink.stats().outputs[0];
            // One batch is in flight, and one was read in advance.
            stats.queued_spans <= 10 && stats.spool.unwrap().written == 7900
        })
        .await;
        assert_accounted(&sink, 8000);
        server.restart().await.unwrap();
        write(&sink, 8000..9000);
        server.wait_for_spans(9000, PATIENCE).await;
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining, report.spooled), (9000, 0, 0, 0));
        let spool = sink.stats().outputs[0].spool.unwrap();
        assert_eq!((spool.bytes, spool.spans, spool.damaged_bytes, spool.is_writable), (0, 0, 0, true));
        let spans = server.shutdown().await;
        assert_each_once(&spans, 0..9000);
        assert!(spans.is_sorted_by_key(|span| span.span_id.clone()), "{sync:?}");
    }
}

/// Whatever memory there is: requests under way take only a part of it, whether they fail or hang, and batches pass through
/// the rest to the disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_small_memory_loses_nothing_in_an_outage() {
    let text = "x".repeat(1000);
    for (queue_bytes, hangs) in
        [(64 << 10, false), (1 << 20, false), (1 << 20, true), (6 << 20, false), (6 << 20, true)]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut server = OtlpServer::start_local().await.unwrap();
        if hangs {
            server.respond_with(Respond::Hang);
        } else {
            server.stop().await;
        }
        let mut config = config(&server, folder.path(), |_| ());
        config.max_batch_spans = SinkConfig::default().max_batch_spans;
        config.queue_bytes = queue_bytes;
        let sink = start(config);
        let mut writer = sink.writer();
        let spans = 4 * queue_bytes as u64 / 1000;
        for number in 0..spans {
            let context = SpanContext { trace_id: [1; 16], span_id: (number + 1).to_be_bytes(), parent_span_id: None };
            writer.span(context, "test", SpanKind::Internal, 1, 2).str(&INDEX, &text);
            let stats = || sink.stats().outputs[0].clone();
            wait_until("there is room", || writer.has_room(2_000) || stats().dropped_total() > 0).await;
            assert_eq!(stats().dropped_total(), 0, "after {number} of {spans}: {:?}", stats());
        }
        drop(writer);
        assert_accounted(&sink, spans);
        assert!(sink.stats().outputs[0].spool.unwrap().written > spans / 4, "{:?}", sink.stats());
    }
}

/// Each of many writers has a batch under construction that no output holds yet, and asks when the others do.
#[tokio::test(flavor = "multi_thread")]
async fn writers_that_ask_for_room_lose_nothing() {
    let text = "x".repeat(1000);
    for (queue_bytes, writers) in [(256 << 10, 1), (256 << 10, 8), (6 << 20, 8), (32 << 20, 8), (32 << 20, 32)] {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Hang);
        let otlp = OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap();
        let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
        (config.queue_bytes, config.max_delay) = (queue_bytes, PATIENCE);
        let sink = start(config);
        let mut writers: Vec<_> = (0..writers).map(|_| sink.writer()).collect();
        let (mut written, spans_at_once) = (0, queue_bytes as u64 / 100_000);
        while written < 4 * queue_bytes as u64 / 1000 {
            let may: Vec<_> =
                writers.iter_mut().map(|writer| writer.has_room(1_200 * spans_at_once as usize)).collect();
            if may.iter().all(|may| !may) {
                break;
            }
            for (writer, _) in writers.iter_mut().zip(may).filter(|(_, may)| *may) {
                for _ in 0..spans_at_once {
                    let context = SpanContext { trace_id: [1; 16], span_id: [1; 8], parent_span_id: None };
                    writer.span(context, "test", SpanKind::Internal, 1, 2).str(&INDEX, &text);
                }
                written += spans_at_once;
            }
            writers.iter_mut().for_each(|writer| writer.flush_if_due(Instant::now()));
        }
        drop(writers);
        let stats = &sink.stats().outputs[0];
        assert_eq!((stats.dropped_total(), stats.queued_spans + stats.in_flight_spans), (0, written), "{queue_bytes}");
        assert!(stats.held_bytes > queue_bytes as u64 * 9 / 10, "{stats:?}");
    }
}

/// The program ends in an outage, quickly, and what it had is delivered after the next start.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_an_outage_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = OtlpServer::start_local().await.unwrap();
    server.stop().await;
    for run in 0..3 {
        let sink = start(config(&server, folder.path(), |_| ()));
        assert_eq!(sink.stats().outputs[0].spool.unwrap().recovered, run * 500);
        write(&sink, run * 500..(run + 1) * 500);
        wait_until("the outage is noticed", || sink.stats().outputs[0].retries > 0).await;
        let started = Instant::now();
        let report = sink.shutdown(PATIENCE).await;
        assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
        assert_eq!((report.exported, report.dropped, report.remaining), (0, 0, 0));
        assert_eq!(report.spooled, (run + 1) * 500);
        assert_accounted(&sink, 500);
    }
    server.restart().await.unwrap();
    let sink = start(config(&server, folder.path(), |_| ()));
    server.wait_for_spans(1500, PATIENCE).await;
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining, report.spooled), (1500, 0, 0, 0));
    assert_each_once(&server.shutdown().await, 0..1500);
}

/// A receiver that never answers until the deadline of shutdown: what it was sent is kept.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_under_way_at_the_deadline_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Hang);
    let sink = start(config(&server, folder.path(), |_| ()));
    write(&sink, 0..95);
    server.wait_for_requests(4, PATIENCE).await;
    let report = sink.shutdown(Duration::from_millis(200)).await;
    assert_eq!((report.exported, report.dropped, report.remaining, report.spooled), (0, 0, 0, 95));
    server.respond_with(Respond::Accept);
    drop(sink);
    let sink = start(config(&server, folder.path(), |_| ()));
    server.wait_for_spans(95, PATIENCE).await;
    sink.shutdown(PATIENCE).await;
    assert_each_once(&server.shutdown().await, 0..95);
}

/// Beyond the limit of the spool, what is lost is counted exactly, whichever end it is taken from.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_drops_by_its_policy_and_counts() {
    for when_full in [SpoolFull::DropOldest, SpoolFull::DropNewest] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = OtlpServer::start_local().await.unwrap();
        server.stop().await;
        let limit = |spool: &mut SpoolConfig| (spool.max_bytes, spool.when_full) = (40_000, when_full);
        let sink = start(config(&server, folder.path(), limit));
        // As many as it has room for, or all; then without a look at what it can take.
        let in_time = if when_full == SpoolFull::DropOldest { 20_000 } else { 1000 };
        write(&sink, 0..in_time);
        let mut writer = sink.writer();
        for number in in_time..20_000 {
            let context = SpanContext { trace_id: [1; 16], span_id: (number + 1).to_be_bytes(), parent_span_id: None };
            writer.span(context, "test", SpanKind::Internal, 1, 2).int(&INDEX, number as i64);
        }
        drop(writer);
        assert!(sink.stats().outputs[0].spool.unwrap().bytes <= 40_000);
        server.restart().await.unwrap();
        wait_until("all is settled", || {
            let stats = sink.stats();
            stats.pending() + stats.spooled() == 0
        })
        .await;
        let stats = sink.stats().outputs[0].clone();
        let counts = counts(&server.shutdown().await);
        assert!(counts.values().all(|count| *count == 1));
        assert_eq!(counts.len() as u64, stats.exported);
        assert_eq!(stats.exported + stats.dropped_total(), 20_000);
        let kept = |numbers: std::ops::Range<u64>| numbers.filter(|number| counts.contains_key(number)).count();
        if when_full == SpoolFull::DropOldest {
            // Eight batches were in memory by then.
            assert_eq!((kept(80..1000), kept(19_000..20_000)), (0, 1000), "{stats:?}");
            assert!(stats.dropped(DropReason::SpoolFull) > 1000, "{stats:?}");
        } else {
            assert_eq!(kept(0..1000), 1000, "{stats:?}");
            assert!(stats.dropped_total() > 1000, "{stats:?}");
        }
    }
}

/// A token that has expired at night: nothing is lost until somebody comes.
#[tokio::test(flavor = "multi_thread")]
async fn spans_that_are_denied_go_to_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Refuse(tonic::Code::Unauthenticated, StatusCode::UNAUTHORIZED));
    let sink = start(config(&server, folder.path(), |_| ()));
    write(&sink, 0..3000);
    wait_until("all is on disk", || sink.stats().outputs[0].spool.unwrap().written == 3000).await;
    server.respond_with(Respond::Accept);
    server.wait_for_spans(3000, PATIENCE).await;
    sink.shutdown(PATIENCE).await;
    assert_each_once(&server.shutdown().await, 0..3000);
}

/// A record that has to go in parts is forgotten when all of them have gone.
#[tokio::test(flavor = "multi_thread")]
async fn requests_of_the_spool_are_halved_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = OtlpServer::start_local().await.unwrap();
    server.stop().await;
    let sink = start(config(&server, folder.path(), |_| ()));
    write(&sink, 0..1000);
    wait_until("all is on disk", || sink.stats().outputs[0].spool.unwrap().written == 1000).await;
    server.respond_with(Respond::Limit(400));
    server.restart().await.unwrap();
    server.wait_for_spans(1000, PATIENCE).await;
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.spooled), (1000, 0, 0));
    assert_each_once(&server.shutdown().await, 0..1000);
    drop(sink);
    let sink = start(config(&OtlpServer::start_local().await.unwrap(), folder.path(), |_| ()));
    assert_eq!(sink.stats().outputs[0].spool.unwrap().recovered, 0);
}

/// A spool that cannot be written any more is as if there were none; what was read before still counts.
#[tokio::test(flavor = "multi_thread")]
async fn a_spool_that_fails_leaves_memory() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("spool");
    let mut server = OtlpServer::start_local().await.unwrap();
    let sink = start(config(&server, &directory, |_| ()));
    server.stop().await;
    std::fs::remove_dir_all(&directory).unwrap();
    write(&sink, 0..200);
    wait_until("writing fails", || !sink.stats().outputs[0].spool.unwrap().is_writable).await;
    assert_accounted(&sink, 200);
    server.restart().await.unwrap();
    server.wait_for_spans(200, PATIENCE).await;
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (200, 0, 0));
    assert_each_once(&server.shutdown().await, 0..200);
}

/// The disk is back after a second, while spans come and requests are tried all the time.
#[tokio::test(flavor = "multi_thread")]
async fn writing_is_tried_again_when_much_happens() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("spool");
    let mut server = OtlpServer::start_local().await.unwrap();
    server.stop().await;
    let sink = start(config(&server, &directory, |_| ()));
    std::fs::remove_dir_all(&directory).unwrap();
    let mut numbers = 0..;
    let start = Instant::now();
    let mut write_some = |until: &dyn Fn() -> bool| {
        while !until() {
            assert!(start.elapsed() < PATIENCE, "{:?}", sink.stats());
            let number = numbers.next().unwrap();
            write(&sink, number..number + 1);
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    write_some(&|| !sink.stats().outputs[0].spool.unwrap().is_writable);
    std::fs::create_dir(&directory).unwrap();
    write_some(&|| sink.stats().outputs[0].spool.unwrap().written > 0);
    assert!(sink.stats().outputs[0].spool.unwrap().is_writable);
    assert_eq!(sink.stats().dropped(), 0);
}

#[tokio::test]
async fn a_spool_has_room_for_a_request() {
    let folder = tempfile::tempdir().unwrap();
    let server = OtlpServer::start_local().await.unwrap();
    let error = Sink::start(config(&server, folder.path(), |spool| spool.max_bytes = 4_000), &Handle::current());
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("a spool of 4000 bytes is too small: one request takes up to 4"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_of_the_spool_that_are_too_old_are_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = OtlpServer::start_local().await.unwrap();
    server.stop().await;
    let sink = start(config(&server, folder.path(), |_| ()));
    write(&sink, 0..500);
    sink.shutdown(PATIENCE).await;
    drop(sink);
    server.restart().await.unwrap();
    // In that time new spans have to arrive.
    let max_age = Duration::from_secs(4);
    tokio::time::sleep(max_age + Duration::from_millis(100)).await;
    let mut config = config(&server, folder.path(), |_| ());
    config.max_age = Some(max_age);
    let sink = start(config);
    write(&sink, 500..600);
    server.wait_for_spans(100, PATIENCE).await;
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.spooled), (100, 500, 0));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::Expired), 500);
    assert_each_once(&server.shutdown().await, 500..600);
}

#[tokio::test]
async fn a_directory_serves_one_output() {
    let folder = tempfile::tempdir().unwrap();
    let server = OtlpServer::start_local().await.unwrap();
    let config = config(&server, folder.path(), |_| ());
    let twice = config.clone().with_output(config.outputs[0].clone());
    let error = Sink::start(twice, &Handle::current()).unwrap_err();
    assert!(matches!(error, SinkError::Spool { .. }));
    assert!(error.to_string().ends_with(": another process or output uses it"), "{error}");
}
