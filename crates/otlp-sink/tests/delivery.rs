//! From a writer to a receiver, through what can go wrong in between.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::io::BufRead;
use std::num::NonZero;
use std::time::{Duration, Instant};

use http::StatusCode;
use opentelemetry_proto::tonic::trace::v1::TracesData;
use otlp_sink::{
    AttributeKey, Balance, Client, Compression, DropReason, ExportErrorKind, FileCompression, FileConfig, OtlpConfig,
    Output, Protocol, Signal, Sink, SinkConfig, SinkError, SinkStats, SpanContext, SpanKind, SpanWriter, probe,
};
use testkit::otlp_server::{Code, OtlpServer, Respond, Span, Value};
use tokio::runtime::Handle;

const PROTOCOLS: [Protocol; 3] = [Protocol::Grpc, Protocol::HttpProtobuf, Protocol::HttpJson];

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

static INDEX: AttributeKey = AttributeKey::new("test.index");

fn otlp(server: &OtlpServer, protocol: Protocol) -> OtlpConfig {
    let endpoint = match protocol {
        Protocol::Grpc => server.grpc_endpoint(),
        _ => server.http_traces_endpoint(),
    };
    OtlpConfig::new(protocol, &endpoint).unwrap()
}

/// Small batches and quick retries.
fn config(otlp: OtlpConfig) -> SinkConfig {
    let mut config =
        SinkConfig::default().with_output(Output::Otlp(otlp)).with_resource_attribute("service.name", "test");
    config.max_batch_spans = 10.try_into().unwrap();
    config.retry_initial = Duration::from_millis(20);
    config.reconnect_max = Duration::from_millis(300);
    config.retry_max = Duration::from_millis(300);
    config
}

fn start(config: SinkConfig) -> Sink {
    Sink::start(config, &Handle::current()).unwrap()
}

fn write(writer: &mut SpanWriter, index: u64) {
    let context = SpanContext { trace_id: [1; 16], span_id: (index + 1).to_be_bytes(), parent_span_id: None };
    writer.span(context, "test", SpanKind::Internal, 1, 2).int(&INDEX, index as i64);
}

fn write_all(sink: &Sink, spans: u64) {
    let mut writer = sink.writer();
    for index in 0..spans {
        write(&mut writer, index);
    }
}

async fn wait_until(sink: &Sink, condition: impl Fn(&SinkStats) -> bool) {
    let start = Instant::now();
    while !condition(&sink.stats()) {
        assert!(start.elapsed() < PATIENCE, "{:?}", sink.stats());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Panics unless the spans are those of `write` from 0 on, each once.
fn assert_each_once(spans: &[Span], expected: u64) {
    let mut times: HashMap<u64, usize> = HashMap::new();
    for span in spans {
        *times.entry(u64::from_be_bytes(span.span_id[..].try_into().unwrap()) - 1).or_default() += 1;
    }
    let wrong: Vec<_> = (0..expected).filter(|index| times.get(index) != Some(&1)).collect();
    assert!(wrong.is_empty(), "not there exactly once: {wrong:?}");
    assert_eq!(spans.len() as u64, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_and_compression_delivers_every_span() {
    for protocol in PROTOCOLS {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let server = OtlpServer::start_local().await.unwrap();
            let mut otlp = otlp(&server, protocol);
            otlp.compression = compression;
            otlp.headers.insert("x-tenant", "lab".parse().unwrap());
            let sink = start(config(otlp));
            write_all(&sink, 95);
            let report = sink.shutdown(PATIENCE).await;
            assert_eq!((report.exported, report.dropped, report.remaining), (95, 0, 0), "{protocol} {compression}");
            let spans = server.spans();
            assert_each_once(&spans, 95);
            for span in spans {
                let index = u64::from_be_bytes(span.span_id[..].try_into().unwrap()) - 1;
                assert_eq!((&*span.name, span.kind, span.start_time_unix_nano), ("test", 1, 1));
                let value = span.attributes[0].value.clone().unwrap().value;
                assert_eq!(value, Some(Value::IntValue(index as i64)));
            }
            assert_eq!(server.resources()[0].attributes[0].key, "service.name");
            let requests = server.requests();
            assert_eq!(requests.len(), 10);
            for request in requests {
                assert_eq!(request.headers["x-tenant"], "lab");
                let encoding = request.headers.get("content-encoding").or(request.headers.get("grpc-encoding"));
                let expected = compression.to_string();
                assert_eq!(encoding.map_or("none", |encoding| encoding.to_str().unwrap()), expected);
                assert!(request.headers["user-agent"].to_str().unwrap().starts_with("OTel-OTLP-Exporter-Rust/"));
            }
        }
    }
}

#[tokio::test]
async fn the_program_is_named_in_front() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        let mut otlp = otlp(&server, protocol);
        otlp.program = Some("my-program/1.0".to_owned());
        probe(&otlp).await.unwrap();
        let agent = server.requests()[0].headers["user-agent"].to_str().unwrap().to_owned();
        assert!(agent.starts_with("my-program/1.0 OTel-OTLP-Exporter-Rust/"), "{agent}");
        otlp.program = Some("my\nprogram".to_owned());
        assert_eq!(probe(&otlp).await.unwrap_err().kind, ExportErrorKind::Refused);
    }
}

/// A token that is replaced while the sink runs; the configuration's own headers stay, and a file that makes no sense changes
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn headers_of_a_file_are_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("headers");
    for protocol in PROTOCOLS {
        std::fs::write(&path, "authorization=Bearer%20one\nx-other=a\n").unwrap();
        let server = OtlpServer::start_local().await.unwrap();
        let mut otlp = otlp(&server, protocol);
        otlp.headers.insert("x-tenant", "lab".parse().unwrap());
        otlp.headers.insert("authorization", "old".parse().unwrap());
        otlp.headers_file = Some(path.clone());
        let sink = start(config(otlp.clone()));
        for (requests, (text, token)) in (1..).zip([
            (None, "Bearer one"),
            (Some("authorization=Bearer%20second\n"), "Bearer second"),
            (Some("nonsense"), "Bearer second"),
        ]) {
            text.into_iter().for_each(|text| std::fs::write(&path, text).unwrap());
            write_all(&sink, 1);
            server.wait_for_requests(requests, PATIENCE).await;
            let request = server.requests().pop().unwrap();
            assert_eq!(
                (&request.headers["authorization"], &request.headers["x-tenant"]),
                (&token.parse().unwrap(), &"lab".parse().unwrap())
            );
            assert_eq!(request.headers.get_all("authorization").iter().count(), 1);
        }
        sink.shutdown(PATIENCE).await;
        let error = Sink::start(config(otlp), &Handle::current()).unwrap_err().to_string();
        assert!(error.contains("headers: invalid entry") && !error.contains("nonsense"), "{error}");
    }
}

/// A receiver with a small limit gets small requests, all spans but the one that is too large by itself, and after the first
/// batch none in vain.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_too_large_are_halved() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Limit(1_000));
        let mut config = config(otlp(&server, protocol));
        config.max_batch_spans = 100.try_into().unwrap();
        config.max_in_flight = 1.try_into().unwrap();
        let sink = start(config);
        let mut writer = sink.writer();
        for index in 0..250 {
            write(&mut writer, index);
        }
        let context = SpanContext { trace_id: [1; 16], span_id: [9; 8], parent_span_id: None };
        writer.span(context, "test", SpanKind::Internal, 1, 2).str(&INDEX, &"x".repeat(1_000));
        drop(writer);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (250, 1, 0), "{protocol}");
        assert_eq!(sink.stats().outputs[0].dropped(DropReason::TooLarge), 1);
        let requests = server.requests();
        let refused: Vec<_> =
            requests.iter().filter(|request| !request.accepted).map(|request| request.spans).collect();
        // Those of the first batch; then the large span, with others and alone.
        assert!(refused.starts_with(&[100, 50, 25]), "{refused:?}");
        assert!(refused[3..].iter().all(|spans| *spans < 25) && refused.len() < 12, "{refused:?}");
        assert_each_once(&server.shutdown().await, 250);
    }
}

/// A limit that no request is below is none that helps: the next batch is sent whole.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_takes_nothing_has_no_limit() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Limit(1));
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.max_batch_spans = 20.try_into().unwrap();
    let sink = start(config);
    write_all(&sink, 20);
    server.wait_for_requests(39, PATIENCE).await;
    server.respond_with(Respond::Accept);
    let mut writer = sink.writer();
    (20..40).for_each(|index| write(&mut writer, index));
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (20, 20, 0));
    assert_eq!(server.requests().last().unwrap().spans, 20);
}

/// The receiver refuses connections for two seconds of a stream of 1,000 spans a second.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_loses_nothing_and_doubles_nothing() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        let mut server = OtlpServer::start_local().await.unwrap();
        let sink = start(config(otlp(&server, protocol)));
        let stream = std::thread::spawn({
            let sink = sink.clone();
            move || {
                let mut writer = sink.writer();
                let start = Instant::now();
                for index in 0..3500 {
                    write(&mut writer, index);
                    std::thread::sleep(
                        (start + Duration::from_millis(index)).saturating_duration_since(Instant::now()),
                    );
                }
            }
        });
        server.wait_for_spans(300, PATIENCE).await;
        server.stop().await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        server.restart().await.unwrap();
        tokio::task::spawn_blocking(|| stream.join().unwrap()).await.unwrap();
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (3500, 0, 0), "{protocol}");
        assert!(sink.stats().outputs[0].retries > 0);
        assert_each_once(&server.shutdown().await, 3500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_asks_for_another_try_gets_it() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Unavailable(None));
        let sink = start(config(otlp(&server, protocol)));
        write_all(&sink, 30);
        server.wait_for_requests(9, PATIENCE).await;
        assert_eq!(sink.stats().exported(), 0);
        server.respond_with(Respond::Accept);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped), (30, 0), "{protocol}");
        assert_each_once(&server.spans(), 30);
    }
}

/// Those that wait to be tried again do not wait any longer when another request arrives.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_that_arrives_brings_the_others() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Unavailable(None));
        let mut config = config(otlp(&server, protocol));
        (config.retry_initial, config.retry_max) = (Duration::from_secs(300), Duration::from_secs(300));
        let sink = start(config);
        write_all(&sink, 30);
        wait_until(&sink, |stats| stats.outputs[0].retries >= 3).await;
        server.respond_with(Respond::Accept);
        let mut writer = sink.writer();
        write(&mut writer, 30);
        writer.flush();
        server.wait_for_spans(31, PATIENCE).await;
        assert_each_once(&server.spans(), 31);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retry_after_is_waited_for() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Unavailable(Some(1)));
    let sink = start(config(otlp(&server, Protocol::HttpProtobuf)));
    let started = Instant::now();
    write_all(&sink, 1);
    server.wait_for_requests(1, PATIENCE).await;
    server.respond_with(Respond::Accept);
    server.wait_for_spans(1, PATIENCE).await;
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_in_time_is_tried_again() {
    let tried_again = async |protocol| {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Hang);
        let mut otlp = otlp(&server, protocol);
        // It also holds for the answer that is to come in time.
        otlp.timeout = Duration::from_secs(2);
        let sink = start(config(otlp));
        write_all(&sink, 5);
        server.wait_for_requests(2, PATIENCE).await;
        server.respond_with(Respond::Accept);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.remaining), (5, 0), "{protocol}");
        assert_each_once(&server.spans(), 5);
    };
    let [first, second, third] = PROTOCOLS.map(tried_again);
    tokio::join!(first, second, third);
}

/// A receiver whose machine is gone, or which hangs: the connection it had is given up after one timeout, not waited for until
/// the system notices.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_answer_is_not_used_again() {
    let is_not_used_again = async |protocol| {
        let server = OtlpServer::start_local().await.unwrap();
        let mut otlp = otlp(&server, protocol);
        // With any more than 2 s a PING would tell first, over gRPC.
        otlp.timeout = Duration::from_millis(1500);
        let sink = start(config(otlp));
        write_all(&sink, 1);
        server.wait_for_spans(1, PATIENCE).await;
        wait_until(&sink, |stats| stats.exported() == 1).await;
        let connections = server.connections();
        server.set_silent(true);
        write_all(&sink, 40);
        // Each of the four batches under way has waited in vain on a connection that was there.
        wait_until(&sink, |stats| stats.outputs[0].retries >= 4).await;
        server.set_silent(false);
        server.wait_for_spans(41, PATIENCE).await;
        assert!(server.connections() > connections, "{protocol}: no new connection");
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.remaining), (41, 0), "{protocol}");
        assert_eq!(server.span_count(), 41, "{protocol}");
    };
    let [first, second, third] = PROTOCOLS.map(is_not_used_again);
    tokio::join!(first, second, third);
}

/// A connection that is dead is told from a receiver that is slow, before the request has waited for all of its time.
#[tokio::test(flavor = "multi_thread")]
async fn grpc_tells_a_dead_connection_from_a_slow_receiver() {
    let [dead, slow] = [OtlpServer::start_local().await.unwrap(), OtlpServer::start_local().await.unwrap()];
    dead.set_silent(true);
    slow.respond_with(Respond::Hang);
    let ask = async |server| {
        let mut otlp = otlp(server, Protocol::Grpc);
        // A PING after half of it has a third to be answered.
        otlp.timeout = Duration::from_secs(12);
        probe(&otlp).await.unwrap_err()
    };
    let (dead, slow) = tokio::join!(ask(&dead), ask(&slow));
    assert_eq!(dead.to_string(), "receiver unreachable: the connection does not answer");
    assert_eq!(slow.to_string(), "receiver too slow: no answer within 12s");
}

/// Over HTTP the server may close a connection just when a request is sent: one that has waited for long is not used. Over gRPC
/// the server says so before.
#[tokio::test(flavor = "multi_thread")]
async fn http_connections_do_not_wait_for_long() {
    let connections = async |protocol| {
        let server = OtlpServer::start_local().await.unwrap();
        let sink = start(config(otlp(&server, protocol)));
        for (spans, wait) in [(1, 500), (2, 4500), (3, 0)] {
            write_all(&sink, 1);
            server.wait_for_spans(spans, PATIENCE).await;
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
        assert_eq!(sink.stats().outputs[0].retries, 0);
        server.connections()
    };
    assert_eq!(tokio::join!(connections(Protocol::Grpc), connections(Protocol::HttpProtobuf)), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_receiver_refuses_is_dropped_and_counted() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Refuse(tonic::Code::InvalidArgument, StatusCode::BAD_REQUEST));
        let sink = start(config(otlp(&server, protocol)));
        write_all(&sink, 25);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (0, 25, 0), "{protocol}");
        let stats = &sink.stats().outputs[0];
        assert_eq!((stats.dropped(DropReason::Refused), stats.requests, stats.retries), (25, 3, 0));
    }
}

/// A token that has expired, a path that is wrong: nothing is wrong with the spans, which wait for somebody to set it right.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_denies_access_is_asked_again_slowly() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        for (code, status) in [
            (tonic::Code::Unauthenticated, StatusCode::UNAUTHORIZED),
            (tonic::Code::PermissionDenied, StatusCode::FORBIDDEN),
            (tonic::Code::Unimplemented, StatusCode::NOT_FOUND),
        ] {
            server.respond_with(Respond::Refuse(code, status));
            let mut config = config(otlp(&server, protocol));
            (config.retry_initial, config.retry_max) = (Duration::from_millis(1), Duration::from_secs(1));
            let sink = start(config);
            let (requests, spans, started) = (server.requests().len(), server.span_count(), Instant::now());
            write_all(&sink, 10);
            server.wait_for_requests(requests + 2, PATIENCE).await;
            assert!(started.elapsed() > Duration::from_millis(400), "{:?}", started.elapsed());
            assert_eq!(sink.stats().dropped(), 0);
            server.respond_with(Respond::Accept);
            server.wait_for_spans(spans + 10, PATIENCE).await;
            let report = sink.shutdown(PATIENCE).await;
            assert_eq!((report.exported, report.dropped, report.remaining), (10, 0, 0), "{protocol}");
            assert_each_once(&server.take_spans(), 10);
        }
    }
}

/// Without a spool there is no point in waiting for that when the program ends.
#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_access() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Refuse(tonic::Code::Unauthenticated, StatusCode::UNAUTHORIZED));
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.retry_max = PATIENCE;
    let sink = start(config);
    write_all(&sink, 25);
    server.wait_for_requests(1, PATIENCE).await;
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (0, 25, 0));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::Refused), 25);
}

/// A quota that says neither that a request was too large nor when there is room again.
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_without_room_gets_smaller_requests_later() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Refuse(tonic::Code::ResourceExhausted, StatusCode::TOO_MANY_REQUESTS));
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.max_batch_spans = 1000.try_into().unwrap();
    (config.retry_initial, config.retry_max) = (Duration::from_millis(1), Duration::from_millis(10));
    let sink = start(config);
    write_all(&sink, 1000);
    server.wait_for_requests(8, PATIENCE).await;
    let sizes: Vec<_> = server.requests().iter().map(|request| request.spans).collect();
    assert!(sizes.starts_with(&[1000, 500, 250, 125]) && sizes.iter().all(|spans| *spans >= 125), "{sizes:?}");
    server.respond_with(Respond::Accept);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (1000, 0, 0));
    assert_each_once(&server.spans(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_wait_no_longer_than_they_may() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Unavailable(None));
    let mut config = config(otlp(&server, Protocol::HttpProtobuf));
    // Enough for one request to fail.
    config.max_age = Some(Duration::from_secs(3));
    let sink = start(config);
    write_all(&sink, 95);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (0, 95, 0));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::Expired), 95);
    assert!(sink.stats().outputs[0].retries > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_spans_are_counted_as_dropped() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::PartialSuccess(4, "too old"));
        let sink = start(config(otlp(&server, protocol)));
        write_all(&sink, 20);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped), (12, 8), "{protocol}");
        let stats = &sink.stats().outputs[0];
        assert_eq!((stats.dropped(DropReason::Rejected), stats.retries), (8, 0));
    }
}

/// The status says what became of the request, however much is said besides.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_an_answer() {
    let text: &str = Box::leak("x".repeat(200_000).into_boxed_str());
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::PartialSuccess(0, text));
        let sink = start(config(otlp(&server, protocol)));
        write_all(&sink, 10);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, server.requests().len()), (10, 0, 1), "{protocol}");
    }
}

/// A receiver that lies about how many it rejected makes no span appear.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_spans_are_rejected_than_were_sent() {
    for rejected in [1000, -1] {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::PartialSuccess(rejected, ""));
        let sink = start(config(otlp(&server, Protocol::Grpc)));
        write_all(&sink, 10);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!(report.exported + report.dropped, 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_drops_whole_batches_and_never_blocks() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Hang);
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.queue_bytes = 32 * 1024;
    let sink = start(config);
    let started = Instant::now();
    write_all(&sink, 10_000);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let stats = &sink.stats().outputs[0];
    assert!(stats.held_bytes <= 32 * 1024);
    let dropped = stats.dropped(DropReason::QueueFull);
    assert!(dropped > 5000 && dropped.is_multiple_of(10), "{dropped}");
    assert_eq!(dropped + stats.queued_spans + stats.in_flight_spans, 10_000);
}

/// Many requests under way leave no room for a span in each.
#[tokio::test]
async fn a_queue_has_room_for_requests() {
    let server = OtlpServer::start_local().await.unwrap();
    for (queue_bytes, max_in_flight, max_batch_bytes, is_enough) in [
        (1 << 20, 1_000, 3_670_016, false),
        (1 << 20, 128, 3_670_016, true),
        (32_767, 4, 3_670_016, false),
        (32_768, 4, 3_670_016, true),
        (1_000, 4, 100, true),
        (0, 1, 100, false),
    ] {
        let mut config = config(otlp(&server, Protocol::Grpc));
        (config.queue_bytes, config.max_batch_bytes) = (queue_bytes, max_batch_bytes);
        config.max_in_flight = max_in_flight.try_into().unwrap();
        match Sink::start(config, &Handle::current()) {
            Ok(_) => assert!(is_enough, "{queue_bytes} {max_in_flight}"),
            Err(error) => {
                assert!(!is_enough, "{error}");
                assert!(error.to_string().contains(&format!("{queue_bytes} bytes for {max_in_flight} requests")));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_reports_what_its_deadline_left() {
    let mut server = OtlpServer::start_local().await.unwrap();
    let sink = start(config(otlp(&server, Protocol::Grpc)));
    write_all(&sink, 40);
    server.wait_for_spans(40, PATIENCE).await;
    wait_until(&sink, |stats| stats.exported() == 40).await;
    server.respond_with(Respond::Hang);
    write_all(&sink, 75);
    let started = Instant::now();
    let report = sink.shutdown(Duration::from_millis(300)).await;
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!((report.exported, report.dropped, report.remaining), (40, 0, 75));
    // Later spans are counted, and a second call adds nothing.
    write_all(&sink, 7);
    let report = sink.shutdown(Duration::from_secs(5)).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (40, 7, 75));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::Shutdown), 7);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_dropped_still_delivers() {
    let server = OtlpServer::start_local().await.unwrap();
    let sink = start(config(otlp(&server, Protocol::Grpc)));
    write_all(&sink, 40);
    drop(sink);
    server.wait_for_spans(40, PATIENCE).await;
}

/// Receivers take 4 MiB over gRPC; the default leaves room below.
#[tokio::test(flavor = "multi_thread")]
async fn requests_stay_below_the_limit_of_receivers() {
    let server = OtlpServer::start_local().await.unwrap();
    let sink = start(SinkConfig::default().with_output(Output::Otlp(otlp(&server, Protocol::Grpc))));
    let text = "x".repeat(4096);
    let mut writer = sink.writer();
    for index in 0..3000_u64 {
        let context = SpanContext { trace_id: [1; 16], span_id: (index + 1).to_be_bytes(), parent_span_id: None };
        writer.span(context, "large", SpanKind::Internal, 1, 2).str(&INDEX, &text);
    }
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped), (3000, 0));
    let lengths: Vec<_> = server.requests().iter().map(|request| request.message_len).collect();
    assert!(lengths.iter().all(|len| *len <= 3_670_016), "{lengths:?}");
    assert_eq!(lengths.len(), 4, "requests are filled: {lengths:?}");
    assert_each_once(&server.spans(), 3000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_fits_no_request_is_dropped_alone() {
    let server = OtlpServer::start_local().await.unwrap();
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.max_batch_bytes = 10_000;
    config.max_batch_spans = 1000.try_into().unwrap();
    let sink = start(config);
    let text = "x".repeat(4096);
    let mut writer = sink.writer();
    for index in 0..9 {
        let context = SpanContext { trace_id: [1; 16], span_id: [index + 1; 8], parent_span_id: None };
        let mut span = writer.span(context, "span", SpanKind::Internal, 1, 2);
        for _ in 0..if index == 4 { 5 } else { 1 } {
            span.str(&INDEX, &text);
        }
    }
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped), (8, 1));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::TooLarge), 1);
    assert!(server.requests().iter().all(|request| request.message_len <= 10_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_waits_for_its_delay_and_no_longer() {
    let server = OtlpServer::start_local().await.unwrap();
    let mut config = config(otlp(&server, Protocol::Grpc));
    config.max_delay = Duration::from_secs(60);
    let sink = start(config);
    let mut writer = sink.writer();
    assert_eq!(writer.next_due(), None);
    let before = Instant::now();
    write(&mut writer, 0);
    let due = writer.next_due().unwrap();
    assert!(due >= before + Duration::from_secs(60));
    write(&mut writer, 1);
    assert_eq!(writer.next_due(), Some(due), "the first span decides");
    writer.flush_if_due(due - Duration::from_millis(1));
    assert_eq!(writer.pending_spans(), 2);
    writer.flush_if_due(due);
    assert_eq!((writer.pending_spans(), writer.next_due()), (0, None));
    server.wait_for_spans(2, PATIENCE).await;
    // A full batch is handed over whatever the time.
    for index in 2..12 {
        write(&mut writer, index);
    }
    writer.flush_if_due(before);
    server.wait_for_spans(12, PATIENCE).await;
}

/// Two outputs get the same spans; the file is OTLP JSON lines, one `TracesData` a line, and is appended to.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_beside_a_receiver_gets_the_same_spans() {
    let server = OtlpServer::start_local().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("spans.jsonl");
    for round in 1..=2 {
        let sink = start(config(otlp(&server, Protocol::Grpc)).with_output(Output::File(FileConfig::new(&path))));
        write_all(&sink, 25);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.remaining), (50, 0), "both outputs count");
        let file = std::io::BufReader::new(std::fs::File::open(&path).unwrap());
        let lines: Vec<TracesData> = file.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        assert_eq!(lines.len(), 3 * round);
        let from_file = lines.into_iter().skip(3 * (round - 1)).flat_map(|traces| traces.resource_spans);
        let mut from_file: Vec<Span> = from_file.flat_map(|r| r.scope_spans).flat_map(|s| s.spans).collect();
        let mut from_server = server.take_spans();
        assert_each_once(&from_file, 25);
        from_file.sort_by(|a, b| a.span_id.cmp(&b.span_id));
        from_server.sort_by(|a, b| a.span_id.cmp(&b.span_id));
        assert_eq!(from_file, from_server);
    }
}

/// Small files, of both kinds: each span is in exactly one of them.
#[tokio::test(flavor = "multi_thread")]
async fn files_that_take_turns_have_every_span_once() {
    for (compression, max_bytes) in [(FileCompression::None, 6000), (FileCompression::Zstd, 1000)] {
        let directory = tempfile::tempdir().unwrap();
        let mut file = FileConfig::new(directory.path().join("spans.jsonl"));
        file.max_bytes = NonZero::new(max_bytes);
        file.compression = compression;
        let mut config = SinkConfig::default().with_output(Output::File(file));
        config.max_batch_spans = 10.try_into().unwrap();
        let sink = start(config);
        write_all(&sink, 500);
        assert_eq!(sink.shutdown(PATIENCE).await.exported, 500);
        let mut spans = Vec::new();
        let files: Vec<_> = std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(files.len() > 4, "{files:?}");
        for path in files {
            assert!(path.metadata().unwrap().len() <= max_bytes, "{path:?}");
            let mut text = std::fs::read(path).unwrap();
            if compression == FileCompression::Zstd {
                text = zstd::stream::decode_all(&*text).unwrap();
            }
            for line in text.lines() {
                let traces: TracesData = serde_json::from_str(&line.unwrap()).unwrap();
                spans.extend(traces.resource_spans.into_iter().flat_map(|r| r.scope_spans).flat_map(|s| s.spans));
            }
        }
        assert_each_once(&spans, 500);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_an_error_at_start() {
    // With an output before it that has its tasks already.
    let otlp = OtlpConfig::new(Protocol::Grpc, "127.0.0.1:1").unwrap();
    let config = config(otlp).with_output(Output::File(FileConfig::new("/nonexistent/spans.jsonl")));
    let error = Sink::start(config, &Handle::current()).unwrap_err();
    assert!(matches!(error, SinkError::File { .. }));
    assert!(error.to_string().starts_with("cannot write to /nonexistent/spans.jsonl: "), "{error}");
}

/// An output that is down holds back neither the writer nor the other output.
#[tokio::test(flavor = "multi_thread")]
async fn outputs_do_not_wait_for_each_other() {
    let [up, down] = [OtlpServer::start_local().await.unwrap(), OtlpServer::start_local().await.unwrap()];
    down.respond_with(Respond::Hang);
    let sink = start(config(otlp(&down, Protocol::Grpc)).with_output(Output::Otlp(otlp(&up, Protocol::HttpJson))));
    write_all(&sink, 50);
    up.wait_for_spans(50, PATIENCE).await;
    wait_until(&sink, |stats| stats.exported() == 50).await;
    let report = sink.shutdown(Duration::from_millis(200)).await;
    assert_eq!((report.exported, report.remaining), (50, 50));
}

/// The first of two receivers is down for a while, then the second: nobody waits, and nothing comes twice.
#[tokio::test(flavor = "multi_thread")]
async fn another_receiver_takes_over() {
    for balance in [Balance::Failover, Balance::RoundRobin] {
        let [mut first, mut second] =
            [OtlpServer::start_local().await.unwrap(), OtlpServer::start_local().await.unwrap()];
        let mut otlp = otlp(&first, Protocol::HttpProtobuf);
        otlp.more_endpoints.push(second.http_traces_endpoint().parse().unwrap());
        otlp.balance = balance;
        let sink = start(config(otlp));
        write_all(&sink, 100);
        first.wait_for_spans(if balance == Balance::Failover { 100 } else { 50 }, PATIENCE).await;
        second.wait_for_spans(if balance == Balance::Failover { 0 } else { 50 }, PATIENCE).await;
        first.stop().await;
        let started = Instant::now();
        let mut writer = sink.writer();
        (100..200).for_each(|index| write(&mut writer, index));
        writer.flush();
        second.wait_for_spans(if balance == Balance::Failover { 100 } else { 150 }, PATIENCE).await;
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        first.restart().await.unwrap();
        second.respond_with(Respond::Unavailable(None));
        (200..300).for_each(|index| write(&mut writer, index));
        drop(writer);
        first.wait_for_spans(if balance == Balance::Failover { 200 } else { 150 }, PATIENCE).await;
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (300, 0, 0));
        second.stop().await;
        let spans = [first.take_spans(), second.take_spans()].concat();
        assert_each_once(&spans, 300);
    }
}

/// One batch that a receiver cannot digest does not keep the others from it, and is not tried in a hurry.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_again_and_again_waits_alone() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Unavailable(None));
    let mut config = config(otlp(&server, Protocol::Grpc));
    (config.retry_initial, config.retry_max) = (PATIENCE, PATIENCE);
    let sink = start(config);
    write_all(&sink, 10);
    server.wait_for_requests(1, PATIENCE).await;
    server.respond_with(Respond::Accept);
    let mut writer = sink.writer();
    (10..500).for_each(|index| write(&mut writer, index));
    writer.flush();
    server.wait_for_spans(490, PATIENCE).await;
    assert!(server.requests().len() <= 51, "{}", server.requests().len());
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (500, 0, 0));
}

/// Metrics are encoded by others, and go the way of spans.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_sends_metrics() {
    for protocol in PROTOCOLS {
        let server = OtlpServer::start_local().await.unwrap();
        let endpoint = server.grpc_endpoint();
        let variable = |name: &str| match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => Some(endpoint.clone()),
            "OTEL_EXPORTER_OTLP_PROTOCOL" => Some(protocol.to_string()),
            "OTEL_EXPORTER_OTLP_COMPRESSION" => Some("zstd".to_owned()),
            _ => None,
        };
        let config = otlp_sink::config::env::otlp(Signal::Metrics, variable).unwrap();
        let client = Client::new(&config).unwrap();
        let request: &[u8] = if protocol == Protocol::HttpJson { b"{\"resourceMetrics\":[]}" } else { b"" };
        let accepted = client.export(request.into()).await.unwrap();
        assert_eq!((accepted.rejected, accepted.message.as_str()), (0, ""));
        server.respond_with(Respond::PartialSuccess(3, "too old"));
        let accepted = client.export(request.into()).await.unwrap();
        assert_eq!((accepted.rejected, accepted.message.as_str()), (3, "too old"), "{protocol}");
        server.respond_with(Respond::Refuse(Code::PermissionDenied, StatusCode::FORBIDDEN));
        assert_eq!(client.export(request.into()).await.unwrap_err().kind, ExportErrorKind::Denied);
        assert!(server.requests().iter().all(|request| request.path.to_lowercase().contains("metrics")));
        let output = SinkConfig::default().with_output(Output::Otlp(config));
        let error = Sink::start(output, &Handle::current()).unwrap_err();
        assert_eq!(error.to_string(), "an output takes traces alone");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_tells_what_a_sink_would_meet() {
    for protocol in PROTOCOLS {
        let mut server = OtlpServer::start_local().await.unwrap();
        let mut otlp = otlp(&server, protocol);
        assert_eq!(probe(&otlp).await.unwrap().message, "");
        assert_eq!((server.requests().len(), server.span_count()), (1, 0));
        server.respond_with(Respond::Refuse(tonic::Code::PermissionDenied, StatusCode::FORBIDDEN));
        let error = probe(&otlp).await.unwrap_err();
        assert_eq!(error.kind, ExportErrorKind::Denied, "{protocol}: {error}");
        otlp.timeout = Duration::from_millis(200);
        server.respond_with(Respond::Hang);
        assert_eq!(probe(&otlp).await.unwrap_err().kind, ExportErrorKind::TimedOut, "{protocol}");
        server.stop().await;
        otlp.timeout = PATIENCE;
        let error = probe(&otlp).await.unwrap_err();
        assert_eq!(error.kind, ExportErrorKind::Unreachable, "{protocol}: {error}");
        assert!(error.to_string().starts_with("receiver unreachable: Connection refused (os error "), "{error}");
    }
}

/// A wrong path: an answer, and the reason in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_path_is_told_apart_from_a_receiver_that_is_down() {
    let server = OtlpServer::start_local().await.unwrap();
    let otlp = OtlpConfig::new(Protocol::HttpProtobuf, &server.http_endpoint()).unwrap();
    let error = probe(&otlp).await.unwrap_err();
    assert_eq!(error.to_string(), "receiver denies access: 404 Not Found: no such path: /");
}
