//! Graphs of services from generated and captured flows, paired as backends pair them, and what the resources cost.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, HashMap};

use flow_semconv::TraceShape;
use netflow2traces_benches::{Pass, Stream, captured, generated};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;

fn streams() -> Vec<Stream> {
    generated().into_iter().chain(captured()).collect()
}

fn request(stream: &Stream, shape: TraceShape) -> (ExportTraceServiceRequest, usize) {
    let (bytes, spans) = Pass::new().shaped(shape).request(&stream.datagrams);
    let request = ExportTraceServiceRequest::decode(&*bytes).unwrap();
    let decoded: usize = request.resource_spans.iter().map(|group| group.scope_spans[0].spans.len()).sum();
    assert_eq!(decoded, spans, "{}", stream.name);
    (request, bytes.len())
}

fn text(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue], key: &str) -> Option<String> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.clone()?.value? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = (String, &Span)> {
    let service = |group: &ResourceSpans| text(&group.resource.as_ref().unwrap().attributes, "service.name").unwrap();
    request
        .resource_spans
        .iter()
        .flat_map(move |group| group.scope_spans[0].spans.iter().map(move |span| (service(group), span)))
}

/// The `servicegraph` connector of the OpenTelemetry Collector: an edge is known by trace and ID of its CLIENT span, which is
/// the parent of its SERVER span, and counts when both have come.
fn edges(request: &ExportTraceServiceRequest) -> BTreeMap<(String, String), usize> {
    let mut open: HashMap<_, [Option<String>; 2]> = HashMap::new();
    let mut edges = BTreeMap::new();
    for (service, span) in spans(request) {
        let (side, id) = match span.kind() {
            SpanKind::Client => (0, &span.span_id),
            SpanKind::Server => (1, &span.parent_span_id),
            _ => continue,
        };
        let edge = open.entry((span.trace_id.clone(), id.clone())).or_default();
        assert_eq!(edge[side].replace(service), None);
        if let [Some(client), Some(server)] = edge {
            *edges.entry((client.clone(), server.clone())).or_default() += 1;
        }
    }
    assert!(open.values().all(|edge| edge.iter().all(Option::is_some)), "no span is left alone");
    edges
}

/// Of every capture: as many edges as there are flows, each between the addresses of its flow.
#[test]
fn flows_are_edges_between_their_addresses() {
    for stream in streams().iter().filter(|stream| stream.records > 0) {
        let (flows, _) = request(stream, TraceShape::Flow);
        let (topology, _) = request(stream, TraceShape::Topology);
        let count = spans(&topology).count() / 2;
        let unordered = |a: String, b: String| if a < b { (a, b) } else { (b, a) };
        let mut expected: BTreeMap<_, usize> = BTreeMap::new();
        for (_, flow) in spans(&flows).take(count) {
            let address = |key| text(&flow.attributes, key);
            if let (Some(source), Some(destination)) = (address("source.address"), address("destination.address")) {
                *expected.entry(unordered(source, destination)).or_default() += 1;
            }
        }
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        let edges = edges(&topology);
        assert_eq!(edges.values().sum::<usize>(), count, "{}", stream.name);
        for ((client, server), count) in edges {
            if !client.contains("unknown") && !server.contains("unknown") {
                *found.entry(unordered(client, server)).or_default() += count;
            }
        }
        assert_eq!(found, expected, "{}", stream.name);
    }
}

/// A resource for each span costs little beside one for each service of a request, which would need a look at all spans.
#[test]
fn a_resource_for_each_span_costs_little() {
    for stream in generated() {
        let per_flow = |shape| {
            let (request, bytes) = request(&stream, shape);
            let flows = spans(&request).filter(|(_, span)| span.name == "netflow.flow").count();
            (bytes as f64 / flows as f64, request, flows)
        };
        let (packet, ..) = per_flow(TraceShape::Packet);
        let (topology, request, flows) = per_flow(TraceShape::Topology);
        let mut services: BTreeMap<String, ResourceSpans> = BTreeMap::new();
        for group in request.resource_spans {
            let name = text(&group.resource.as_ref().unwrap().attributes, "service.name").unwrap();
            let spans = group.scope_spans[0].spans.clone();
            let service = services.entry(name).or_insert_with(|| {
                let mut empty = group;
                empty.scope_spans[0].spans.clear();
                empty
            });
            service.scope_spans[0].spans.extend(spans);
        }
        let count = services.len();
        let grouped = ExportTraceServiceRequest { resource_spans: services.into_values().collect() };
        let grouped = grouped.encoded_len() as f64 / flows as f64;
        let found = format!("{}: {packet:.0}, {topology:.0}, {grouped:.0} by {count} services", stream.name);
        assert!(topology / grouped < 1.2 && topology / packet < 1.7, "bytes of {flows} flows: {found}");
    }
}
