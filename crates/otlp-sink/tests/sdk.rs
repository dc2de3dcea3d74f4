//! Spans of an OpenTelemetry SDK arrive as its own conversion makes them.
#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Event, Link, Span as _, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Array, Context, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanEvents, SpanExporter, SpanLinks,
};
use otlp_sink::{OtlpConfig, Output, Protocol, SdkExporter, Sink, SinkConfig, SpoolConfig};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use testkit::otlp_server::OtlpServer;
use tokio::runtime::Runtime;

const PROTOCOLS: [Protocol; 3] = [Protocol::Grpc, Protocol::HttpProtobuf, Protocol::HttpJson];

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn server(runtime: &Runtime) -> OtlpServer {
    runtime.block_on(OtlpServer::start_local()).unwrap()
}

/// With quick retries.
fn sink(runtime: &Runtime, protocol: Protocol, server: &OtlpServer) -> Sink {
    let endpoint = match protocol {
        Protocol::Grpc => server.grpc_endpoint(),
        _ => server.http_traces_endpoint(),
    };
    let otlp = OtlpConfig::new(protocol, &endpoint).unwrap();
    let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
    config.retry_initial = Duration::from_millis(20);
    config.reconnect_max = Duration::from_millis(200);
    Sink::start(config, runtime.handle()).unwrap()
}

/// Panics unless what arrived is what `opentelemetry-proto` makes of the spans, in requests of one scope each.
fn assert_arrived(server: &OtlpServer, spans: Vec<SpanData>, resource: &Resource) {
    let mut expected = group_spans_by_resource_and_scope(spans, &resource.into());
    let mut arrived = server.resource_spans();
    let scopes = |resource_spans: &mut ResourceSpans| std::mem::take(&mut resource_spans.scope_spans);
    let (expected_scopes, scopes) = (scopes(&mut expected[0]), arrived.iter_mut().map(scopes).collect::<Vec<_>>());
    assert!(scopes.iter().all(|scopes| scopes.len() == 1));
    assert!(arrived.iter().all(|resource_spans| *resource_spans == expected[0]), "{arrived:?} {expected:?}");
    assert_eq!(sorted(scopes.concat()), sorted(expected_scopes));
}

/// Requests overtake each other, and a processor may make several of a scope.
fn sorted(scopes: Vec<ScopeSpans>) -> Vec<ScopeSpans> {
    let mut sorted: Vec<ScopeSpans> = Vec::new();
    for mut of in scopes {
        let is_same = |other: &&mut ScopeSpans| (&other.scope, &other.schema_url) == (&of.scope, &of.schema_url);
        match sorted.iter_mut().find(is_same) {
            Some(same) => same.spans.append(&mut of.spans),
            None => sorted.push(of),
        }
    }
    sorted.iter_mut().for_each(|of| of.spans.sort_by_key(|span| span.span_id.clone()));
    sorted.sort_by_key(|of| of.encode_to_vec());
    sorted
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "\\PC{0,60}",
        1 => ("\\PC{1,8}", 0..3000_usize).prop_map(|(text, times)| text.repeat(times)),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let number = || any::<f64>().prop_filter("equal to itself", |number| !number.is_nan());
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::I64),
        number().prop_map(Value::F64),
        text().prop_map(Value::from),
        vec(any::<bool>(), 0..40).prop_map(|values| Value::Array(Array::Bool(values))),
        vec(any::<i64>(), 0..40).prop_map(|values| Value::Array(Array::I64(values))),
        vec(number(), 0..40).prop_map(|values| Value::Array(Array::F64(values))),
        vec(text().prop_map(StringValue::from), 0..5).prop_map(|values| Value::Array(Array::String(values))),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((text(), value()).prop_map(|(key, value)| KeyValue::new(key, value)), 0..6)
}

/// Before 1970 too.
fn time() -> impl Strategy<Value = SystemTime> {
    prop_oneof![
        9 => any::<u64>().prop_map(|nanos| UNIX_EPOCH + Duration::from_nanos(nanos)),
        1 => Just(UNIX_EPOCH - Duration::from_secs(1)),
    ]
}

/// Half of them zero.
fn count() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), any::<u32>()]
}

fn context() -> impl Strategy<Value = SpanContext> {
    let trace_state = vec("[a-z0-9]{0,20}", 0..5).prop_map(|values| {
        let members = values.into_iter().enumerate().map(|(index, value)| (format!("k{index}"), value + "v"));
        TraceState::from_key_value(members).unwrap()
    });
    let ids = (any::<[u8; 16]>(), any::<[u8; 8]>());
    (ids, any::<u8>(), any::<bool>(), trace_state).prop_map(|((trace_id, span_id), flags, is_remote, trace_state)| {
        let ids = (TraceId::from_bytes(trace_id), SpanId::from_bytes(span_id));
        SpanContext::new(ids.0, ids.1, TraceFlags::new(flags), is_remote, trace_state)
    })
}

fn scope() -> impl Strategy<Value = InstrumentationScope> {
    let optional = || prop_oneof![Just(None), text().prop_map(Some)];
    (text(), optional(), optional(), attributes()).prop_map(|(name, version, schema_url, attributes)| {
        let mut scope = InstrumentationScope::builder(name).with_attributes(attributes);
        if let Some(version) = version {
            scope = scope.with_version(version);
        }
        if let Some(schema_url) = schema_url {
            scope = scope.with_schema_url(schema_url);
        }
        scope.build()
    })
}

fn span(scopes: Vec<InstrumentationScope>) -> impl Strategy<Value = SpanData> {
    let event = (text(), time(), attributes(), count())
        .prop_map(|(name, time, attributes, dropped)| Event::new(name, time, attributes, dropped));
    let events = (vec(event, 0..4), count()).prop_map(|(events, dropped)| {
        let mut all = SpanEvents::default();
        (all.events, all.dropped_count) = (events, dropped);
        all
    });
    let link = (context(), attributes(), count())
        .prop_map(|(context, attributes, dropped)| Link::new(context, attributes, dropped));
    let links = (vec(link, 0..4), count()).prop_map(|(links, dropped)| {
        let mut all = SpanLinks::default();
        (all.links, all.dropped_count) = (links, dropped);
        all
    });
    let kind = proptest::sample::select(vec![
        SpanKind::Client,
        SpanKind::Server,
        SpanKind::Producer,
        SpanKind::Consumer,
        SpanKind::Internal,
    ]);
    let status = prop_oneof![Just(Status::Unset), Just(Status::Ok), text().prop_map(Status::error)];
    let parent = prop_oneof![Just([0; 8]), any::<[u8; 8]>()];
    let identity = (context(), parent, any::<bool>(), proptest::sample::select(scopes));
    (identity, kind, text(), (time(), time()), attributes(), count(), events, links, status).prop_map(
        |(identity, span_kind, name, times, attributes, dropped_attributes_count, events, links, status)| {
            let (span_context, parent, parent_span_is_remote, instrumentation_scope) = identity;
            SpanData {
                span_context,
                parent_span_id: SpanId::from_bytes(parent),
                parent_span_is_remote,
                span_kind,
                name: name.into(),
                start_time: times.0,
                end_time: times.1,
                attributes,
                dropped_attributes_count,
                events,
                links,
                status,
                instrumentation_scope,
            }
        },
    )
}

/// The spans of one call of `export`, and another one's.
fn batches() -> impl Strategy<Value = (Vec<SpanData>, Vec<SpanData>)> {
    let batch = |scopes| vec(span(scopes), 0..8);
    vec(scope(), 1..4).prop_flat_map(move |scopes| (batch(scopes.clone()), batch(scopes)))
}

fn resource() -> impl Strategy<Value = Resource> {
    let schema_url = prop_oneof![Just(String::new()), text()];
    (attributes(), schema_url).prop_map(|(attributes, schema_url)| match &*schema_url {
        "" => Resource::builder_empty().with_attributes(attributes).build(),
        _ => Resource::builder_empty().with_schema_url(attributes, schema_url).build(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn all_of_a_span_arrives((first, second) in batches(), resource in resource()) {
        let runtime = runtime();
        let server = server(&runtime);
        let mut exporter = SdkExporter::new(sink(&runtime, Protocol::Grpc, &server));
        exporter.set_resource(&resource);
        runtime.block_on(exporter.export(first.clone())).unwrap();
        runtime.block_on(exporter.export(second.clone())).unwrap();
        exporter.shutdown().unwrap();
        if first.is_empty() && second.is_empty() {
            prop_assert!(server.requests().is_empty());
        } else {
            assert_arrived(&server, [first, second].concat(), &resource);
        }
    }
}

/// Remembers what it hands on.
#[derive(Debug)]
struct Tee {
    exporter: SdkExporter,
    seen: Arc<Mutex<(Vec<SpanData>, Option<Resource>)>>,
}

impl SpanExporter for Tee {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.seen.lock().unwrap().0.extend(batch.clone());
        self.exporter.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.seen.lock().unwrap().1 = Some(resource.clone());
        self.exporter.set_resource(resource);
    }
}

/// A trace with all that a tracer does, and one of another scope.
fn trace(provider: &SdkTracerProvider) {
    let scope = InstrumentationScope::builder("shop")
        .with_version("1.2")
        .with_schema_url("https://opentelemetry.io/schemas/1.30.0")
        .with_attributes([KeyValue::new("tier", "gold")]);
    let tracer = provider.tracer_with_scope(scope.build());
    let caller = SpanContext::new(
        TraceId::from_bytes([7; 16]),
        SpanId::from_bytes([8; 8]),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("vendor", "x")]).unwrap(),
    );
    let remote = Context::new().with_remote_span_context(caller.clone());
    let span = tracer.span_builder("order").with_kind(SpanKind::Server).start_with_context(&tracer, &remote);
    let parent = remote.with_span(span);
    for item in 0..20 {
        let mut child = tracer.start_with_context("item", &parent);
        child.set_attribute(KeyValue::new("index", item));
        child.set_attribute(KeyValue::new("price", 0.5 * item as f64));
        child.add_event("packed", vec![KeyValue::new("fragile", item % 2 == 0)]);
        child.add_link(caller.clone(), vec![KeyValue::new("reason", "test")]);
        child.set_status(if item == 3 { Status::error("out of stock") } else { Status::Ok });
    }
    parent.span().end();
    provider.tracer("database").in_span("select", |_| ());
}

#[test]
fn spans_of_a_tracer_arrive_over_every_protocol() {
    for (protocol, is_batch) in PROTOCOLS.into_iter().flat_map(|protocol| [(protocol, true), (protocol, false)]) {
        let runtime = runtime();
        let server = server(&runtime);
        let seen = Arc::<Mutex<_>>::default();
        let tee = Tee { exporter: SdkExporter::new(sink(&runtime, protocol, &server)), seen: Arc::clone(&seen) };
        let attributes = [KeyValue::new("service.name", "test"), KeyValue::new("replicas", 3)];
        let resource = Resource::builder_empty().with_schema_url(attributes, "https://example.com/1").build();
        let builder = SdkTracerProvider::builder().with_resource(resource);
        let provider = match is_batch {
            true => builder.with_batch_exporter(tee).build(),
            false => builder.with_simple_exporter(tee).build(),
        };
        trace(&provider);
        provider.shutdown().unwrap();
        let (spans, resource) = std::mem::take(&mut *seen.lock().unwrap());
        assert_eq!((spans.len(), server.requests().len()), (22, if is_batch { 2 } else { 22 }), "{protocol}");
        assert_arrived(&server, spans, &resource.unwrap());
    }
}

/// The SDK's queue of 2,048 spans would hold a quarter of these.
#[test]
fn an_outage_loses_nothing() {
    const SPANS: u64 = 8000;
    let runtime = runtime();
    let mut server = server(&runtime);
    let sink = sink(&runtime, Protocol::Grpc, &server);
    runtime.block_on(server.stop());
    let config = BatchConfigBuilder::default().with_scheduled_delay(Duration::from_millis(50)).build();
    let processor = BatchSpanProcessor::builder(SdkExporter::new(sink.clone())).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let tracer = provider.tracer("test");
    // Two seconds of a busy program.
    for _ in 0..SPANS / 200 {
        (0..200).for_each(|_| tracer.start("work").end());
        std::thread::sleep(Duration::from_millis(50));
        // The thread of the SDK may be late on a busy machine; it is no receiver that it waits for.
        provider.force_flush().unwrap();
    }
    assert_eq!((sink.stats().pending(), sink.stats().exported()), (SPANS, 0));
    runtime.block_on(server.restart()).unwrap();
    provider.shutdown().unwrap();
    assert_eq!((sink.stats().exported(), sink.stats().dropped()), (SPANS, 0));
    let mut ids: Vec<_> = server.spans().into_iter().map(|span| span.span_id).collect();
    assert_eq!(ids.len() as u64, SPANS);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len() as u64, SPANS);
}

fn some_span(name: String) -> SpanData {
    SpanData {
        span_context: SpanContext::new(
            TraceId::from_bytes([1; 16]),
            SpanId::from_bytes([2; 8]),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: name.into(),
        start_time: UNIX_EPOCH,
        end_time: UNIX_EPOCH,
        attributes: Vec::new(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

/// More than a request may hold: the spans are spread over several, with the scope and the resource in each.
#[test]
fn a_large_export_is_several_requests() {
    let runtime = runtime();
    let server = server(&runtime);
    let exporter = SdkExporter::new(sink(&runtime, Protocol::Grpc, &server));
    let spans: Vec<_> = (0..12).map(|_| some_span("x".repeat(1 << 20))).collect();
    runtime.block_on(exporter.export(spans.clone())).unwrap();
    exporter.shutdown().unwrap();
    assert_eq!(server.requests().len(), 4);
    let names: Vec<_> = server.spans().into_iter().map(|span| span.name).collect();
    assert!(names.len() == 12 && names.iter().all(|name| name.len() == 1 << 20), "whole");
}

#[test]
fn force_flush_waits_for_what_was_exported() {
    let runtime = runtime();
    let server = server(&runtime);
    let exporter = SdkExporter::new(sink(&runtime, Protocol::Grpc, &server));
    exporter.force_flush().unwrap();
    runtime.block_on(exporter.export(vec![some_span("first".to_owned())])).unwrap();
    exporter.force_flush().unwrap();
    assert_eq!(server.span_count(), 1);
}

/// In an outage what is in the spool is flushed, and shutdown has no timeout that is too long.
#[test]
fn a_spool_is_good_enough_for_a_flush() {
    let (runtime, folder) = (runtime(), tempfile::tempdir().unwrap());
    let mut otlp = OtlpConfig::new(Protocol::Grpc, "127.0.0.1:1").unwrap();
    otlp.spool = Some(SpoolConfig::new(folder.path()));
    let config = SinkConfig::default().with_output(Output::Otlp(otlp));
    let exporter = SdkExporter::new(Sink::start(config, runtime.handle()).unwrap());
    runtime.block_on(exporter.export(vec![some_span("kept".to_owned())])).unwrap();
    exporter.force_flush().unwrap();
    exporter.shutdown_with_timeout(Duration::MAX).unwrap();
}

#[test]
fn shutdown_ends_at_its_timeout_and_once() {
    let runtime = runtime();
    let mut server = server(&runtime);
    let sink = sink(&runtime, Protocol::Grpc, &server);
    runtime.block_on(server.stop());
    let exporter = SdkExporter::new(sink.clone());
    runtime.block_on(exporter.export(vec![some_span("lost".to_owned())])).unwrap();
    let (start, timeout) = (Instant::now(), Duration::from_millis(300));
    let result = exporter.shutdown_with_timeout(timeout);
    assert!(matches!(result, Err(OTelSdkError::Timeout(after)) if after == timeout), "{result:?}");
    assert!((timeout..Duration::from_secs(5)).contains(&start.elapsed()));
    assert!(matches!(exporter.shutdown(), Err(OTelSdkError::AlreadyShutdown)));
    let late = runtime.block_on(exporter.export(vec![some_span("late".to_owned())]));
    assert!(matches!(late, Err(OTelSdkError::AlreadyShutdown)));
}

/// On the only thread of the sink's runtime nothing can be delivered, and without its runtime neither: an error, no hang.
#[test]
fn shutdown_where_nothing_can_run_is_an_error() {
    let (runtime, other) = (runtime(), tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap());
    let server = server(&runtime);
    let blocked = SdkExporter::new(sink(&other, Protocol::Grpc, &server));
    let result = other.block_on(async { blocked.shutdown_with_timeout(Duration::from_millis(10)) });
    assert!(matches!(result, Err(OTelSdkError::Timeout(_))), "{result:?}");
    let orphan = SdkExporter::new(sink(&other, Protocol::Grpc, &server));
    drop(other);
    let result = orphan.shutdown();
    assert!(matches!(result, Err(OTelSdkError::InternalFailure(_))), "{result:?}");
}
