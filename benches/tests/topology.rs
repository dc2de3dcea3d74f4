//! Graphs of services from generated and captured flows, paired as backends pair them, and what the resources cost.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use flow_semconv::TraceShape;
use netflow2traces_benches::{Pass, Stream, captured, generated};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use testkit::service_graph::{ServiceGraph, text};

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

fn spans(request: &ExportTraceServiceRequest) -> impl Iterator<Item = &Span> {
    request.resource_spans.iter().flat_map(|group| &group.scope_spans[0].spans)
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
        for flow in spans(&flows).take(count) {
            let address = |key| text(&flow.attributes, key).map(str::to_owned);
            if let (Some(source), Some(destination)) = (address("source.address"), address("destination.address")) {
                *expected.entry(unordered(source, destination)).or_default() += 1;
            }
        }
        let mut found: BTreeMap<_, usize> = BTreeMap::new();
        let ServiceGraph { edges, alone } = ServiceGraph::new(&topology.resource_spans);
        assert_eq!(alone, 0, "{}", stream.name);
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
            let flows = spans(&request).filter(|span| span.name == "netflow.flow").count();
            (bytes as f64 / flows as f64, request, flows)
        };
        let (packet, ..) = per_flow(TraceShape::Packet);
        let (topology, request, flows) = per_flow(TraceShape::Topology);
        let mut services: BTreeMap<String, ResourceSpans> = BTreeMap::new();
        for group in request.resource_spans {
            let name = text(&group.resource.as_ref().unwrap().attributes, "service.name").unwrap().to_owned();
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
