//! Calls: two spans under two resources, which stay together whatever becomes of their batch.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use otlp_sink::{
    AttributeKey, Call, DropReason, OtlpConfig, Output, Protocol, Sink, SinkConfig, SpanBuilder, SpanContext, SpanHead,
    SpanKind, SpanWriter,
};
use testkit::otlp_server::{OtlpServer, Respond};
use testkit::service_graph::ServiceGraph;
use tokio::runtime::Handle;

const PATIENCE: Duration = Duration::from_secs(120);

static TEXT: AttributeKey = AttributeKey::new("test.text");

fn start(server: &OtlpServer, change: impl FnOnce(&mut SinkConfig)) -> Sink {
    let otlp = OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap();
    let mut config = SinkConfig::default()
        .with_output(Output::Otlp(otlp))
        .with_resource_attribute("service.name", "test")
        .with_resource_attribute("service.instance.id", "1")
        .with_resource_attribute("team", "network");
    config.retry_initial = Duration::from_millis(20);
    change(&mut config);
    Sink::start(config, &Handle::current()).unwrap()
}

/// A call with so many bytes of text on the client's span.
fn call(writer: &mut SpanWriter, number: u64, text: usize) {
    let context = SpanContext { trace_id: u128::from(number).to_be_bytes(), span_id: [1; 8], parent_span_id: None };
    let mut head = SpanHead::default();
    writer.head(&mut head, context, "ask", SpanKind::Internal, (0, 0), |span| span.end());
    let call = Call {
        client: &format!("client-{}", number % 7),
        server: &format!("server-{}", number % 3),
        context,
        server_span_id: [2; 8],
        server_name: "answer",
        times: (1, 2),
    };
    let text = "x".repeat(text);
    let ask = |mut span: SpanBuilder<'_>| {
        span.str(&TEXT, &text);
    };
    writer.call(&head, &call, ask, |span| span.end());
}

/// How often whom called whom. Panics where the two spans of a call are not side by side, or their resources are not what
/// the sink's has for its backend.
fn edges(groups: &[ResourceSpans]) -> BTreeMap<(String, String), usize> {
    for pair in groups.chunks(2) {
        let spans: Vec<_> = pair.iter().flat_map(|group| &group.scope_spans[0].spans).collect();
        let [client, server] = spans[..] else { panic!("{} spans of a call", spans.len()) };
        assert_eq!((&client.trace_id, &client.span_id), (&server.trace_id, &server.parent_span_id));
    }
    for group in groups {
        let attributes = &group.resource.as_ref().unwrap().attributes;
        let keys: Vec<_> = attributes.iter().map(|attribute| &*attribute.key).collect();
        assert_eq!(keys, ["service.name", "team"]);
    }
    let graph = ServiceGraph::new(groups);
    assert_eq!(graph.alone, 0);
    graph.edges
}

fn expected(calls: u64) -> BTreeMap<(String, String), usize> {
    let mut edges = BTreeMap::new();
    for number in 0..calls {
        *edges.entry((format!("client-{}", number % 7), format!("server-{}", number % 3))).or_default() += 1;
    }
    edges
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_hold_both_spans_of_a_call() {
    for (limit, largest) in [(100, 100), (7, 6), (1, 2)] {
        let server = OtlpServer::start_local().await.unwrap();
        let sink = start(&server, |config| config.max_batch_spans = limit.try_into().unwrap());
        let mut writer = sink.writer();
        (0..250).for_each(|number| call(&mut writer, number, 10));
        drop(writer);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (500, 0, 0));
        let requests = server.requests();
        assert!(requests.iter().all(|request| request.spans <= largest && request.spans % 2 == 0));
        assert_eq!(requests.iter().map(|request| request.spans).max(), Some(largest));
        assert_eq!(edges(&server.resource_spans()), expected(250));
    }
}

/// Where the batch ends by its bytes, the last call begins the next one; a call that fits none is dropped alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_goes_beyond_a_batch_begins_the_next() {
    let server = OtlpServer::start_local().await.unwrap();
    let sink = start(&server, |config| config.max_batch_bytes = 10_000);
    let mut writer = sink.writer();
    call(&mut writer, 0, 3_000);
    (1..100).for_each(|number| call(&mut writer, number, number as usize * 37 % 3_000));
    // Alone, and behind another.
    let context = SpanContext { trace_id: [7; 16], span_id: [7; 8], parent_span_id: None };
    for before in [0, 1] {
        writer.flush();
        (100..100 + before).for_each(|number| call(&mut writer, number, 10));
        let large = Call { client: "a", server: "b", context, server_span_id: [8; 8], server_name: "c", times: (1, 2) };
        let text = "x".repeat(4_000);
        let ask = |mut span: SpanBuilder<'_>| {
            span.str(&TEXT, &text).str(&TEXT, &text).str(&TEXT, &text);
        };
        writer.call(&SpanHead::default(), &large, ask, |span| span.end());
    }
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (2 * 101, 4, 0));
    assert_eq!(sink.stats().outputs[0].dropped(DropReason::TooLarge), 4);
    assert!(server.requests().iter().all(|request| request.message_len <= 10_000));
    assert_eq!(edges(&server.resource_spans()), expected(101));
}

#[tokio::test(flavor = "multi_thread")]
async fn halves_of_a_request_that_is_too_large_hold_whole_calls() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Limit(1_000));
    let sink = start(&server, |config| {
        config.max_in_flight = 1.try_into().unwrap();
        config.max_batch_spans = 100.try_into().unwrap();
    });
    let mut writer = sink.writer();
    (0..200).for_each(|number| call(&mut writer, number, 10));
    call(&mut writer, 200, 1_000);
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (400, 2, 0));
    assert_eq!(edges(&server.resource_spans()), expected(200));
}

/// Spans of the sink's own resource may come between.
#[tokio::test(flavor = "multi_thread")]
async fn spans_between_calls_keep_their_resource() {
    let server = OtlpServer::start_local().await.unwrap();
    let sink = start(&server, |config| config.max_batch_spans = 9.try_into().unwrap());
    let mut writer = sink.writer();
    for number in 0..60 {
        if number % 4 < 2 {
            let context = SpanContext { trace_id: [9; 16], span_id: [9; 8], parent_span_id: None };
            writer.span(context, "own", SpanKind::Internal, 1, 2).end();
        }
        if number % 3 > 0 {
            call(&mut writer, number, 10);
        }
    }
    drop(writer);
    let report = sink.shutdown(PATIENCE).await;
    assert_eq!((report.exported, report.dropped, report.remaining), (30 + 80, 0, 0));
    let is_own = |group: &ResourceSpans| group.resource.as_ref().unwrap().attributes.len() == 3;
    let (own, calls): (Vec<_>, Vec<_>) = server.resource_spans().into_iter().partition(is_own);
    assert_eq!(own.iter().map(|group| group.scope_spans[0].spans.len()).sum::<usize>(), 30);
    assert_eq!(edges(&calls).values().sum::<usize>(), 40);
}
