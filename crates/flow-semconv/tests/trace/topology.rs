//! Two spans of each flow, by which backends draw graphs of services.

use std::time::Duration;

use flow_semconv::{AttributeSet, SpanTime, TraceShape};

use super::*;

fn topology() -> TraceConfig {
    let mut config = TraceConfig::default();
    config.shape = TraceShape::Topology;
    config
}

/// The client's and the server's span of each flow. Panics unless the one is above the other, in a trace of their own.
fn calls(spans: &[Span]) -> Vec<(&Span, &Span)> {
    let pairs = spans.chunks(2).map(|pair| {
        let [client, server] = pair else { panic!("two spans for a flow") };
        let (asks, answers) = (client.start(), server.start());
        assert_eq!([asks.name, answers.name], ["netflow.flow", "netflow.server"]);
        assert_eq!(asks.context.parent_span_id, None);
        assert_eq!(answers.context.parent_span_id, Some(asks.context.span_id));
        assert_eq!(answers.context.trace_id, asks.context.trace_id);
        assert_ne!(answers.context.span_id, asks.context.span_id);
        assert_eq!((answers.start, answers.end), (asks.start, asks.end));
        (client, server)
    });
    pairs.collect()
}

fn services(call: &(&Span, &Span)) -> (String, String) {
    (call.0.service.clone().unwrap(), call.1.service.clone().unwrap())
}

/// Client and server of the one flow of a datagram.
fn edge(bytes: &[u8]) -> (String, String) {
    let (_, spans) = Exporter::with_config(topology()).send(bytes);
    let calls = calls(&spans);
    assert_eq!(calls.len(), 1);
    services(&calls[0])
}

const WEB: (&str, &str) = ("128.232.110.120", "66.35.250.204");

#[test]
fn both_directions_are_one_edge() {
    let there = web();
    let back = FixedRecord {
        source_address: there.destination_address,
        destination_address: there.source_address,
        source_port: there.destination_port,
        destination_port: there.source_port,
        ..there
    };
    let (_, spans) = Exporter::with_config(topology()).send(&v5(&[web(), back]));
    let calls = calls(&spans);
    let edges: Vec<_> = calls.iter().map(services).collect();
    assert_eq!(edges, [(WEB.0.to_owned(), WEB.1.to_owned()), (WEB.0.to_owned(), WEB.1.to_owned())]);
    assert_ne!(calls[0].0.start().context.trace_id, calls[1].0.start().context.trace_id);
    // Of the record as it is, whoever the client is.
    let sources: Vec<_> = spans.iter().map(|span| span.get("source.port").unwrap()).collect();
    assert_eq!(sources, ["34855", "34855", "80", "80"]);
}

/// What is summed must not be there twice.
#[test]
fn the_client_has_all_attributes_and_the_server_those_that_name_it() {
    let (_, spans) = Exporter::with_config(topology()).send(&v5(&[web()]));
    let (_, alone) = Exporter::new().send(&v5(&[web()]));
    let (client, server) = calls(&spans)[0];
    assert_eq!(client.attributes, named(&alone, "netflow.flow").next().unwrap().attributes);
    let server: Vec<_> = server.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        server,
        [
            "destination.address=\"66.35.250.204\"",
            "destination.port=80",
            "network.transport=\"tcp\"",
            "source.address=\"128.232.110.120\"",
            "source.port=34855",
        ]
    );
}

#[test]
fn attributes_are_chosen_for_both_spans() {
    let mut config = topology();
    config.attributes =
        AttributeSet::new(Schema::Ecs).with_allowed(&["source.ip", "source.port", "network.bytes"]).unwrap();
    let (_, spans) = Exporter::with_config(config).send(&v5(&[web()]));
    let (client, server) = calls(&spans)[0];
    assert_eq!(client.attributes.keys().collect::<Vec<_>>(), [&"network.bytes", &"source.ip", &"source.port"]);
    assert_eq!(server.attributes.keys().collect::<Vec<_>>(), [&"source.ip", &"source.port"]);
}

const A: (u32, u16, &[u8]) = (0, 8, &[192, 0, 2, 1]);
const B: (u32, u16, &[u8]) = (0, 12, &[192, 0, 2, 2]);

/// The edge of a flow from `A` to `B` with more elements: whether `A` is the client.
fn source_is_client(values: &[(u32, u16, &[u8])]) -> bool {
    let edge = edge(&ipfix(&[&[A, B], values].concat()));
    let (a, b) = ("192.0.2.1".to_owned(), "192.0.2.2".to_owned());
    assert!(edge == (a.clone(), b.clone()) || edge == (b, a.clone()), "{edge:?}");
    edge.0 == a
}

fn ports(source: u16, destination: u16) -> [[u8; 2]; 2] {
    [source.to_be_bytes(), destination.to_be_bytes()]
}

#[test]
fn the_lower_port_is_the_servers() {
    for (source, destination, expected) in [
        (50_000, 443, true),
        (443, 50_000, false),
        (123, 123, true),
        (0, 0, true),
        (0, 53, true),
        (53, 0, true),
        (1, 2, false),
    ] {
        let [source_port, destination_port] = ports(source, destination);
        let values: &[(u32, u16, &[u8])] = &[(0, 4, &[17]), (0, 7, &source_port), (0, 11, &destination_port)];
        assert_eq!(source_is_client(values), expected, "{source} {destination}");
    }
    assert!(source_is_client(&[]));
}

/// biflowDirection (RFC 5103 section 6.3), counters of initiator and responder, events of firewalls.
#[test]
fn what_the_record_says_goes_before_ports() {
    let [low, high] = ports(443, 50_000);
    let (source_low, destination_high): ((u32, u16, &[u8]), _) = ((0, 7, &low), (0, 11, &high[..]));
    let with = |more: &[(u32, u16, &[u8])]| source_is_client(&[&[source_low, destination_high], more].concat());
    assert!(!with(&[]));
    for (direction, expected) in [(0, false), (1, true), (2, false), (3, false)] {
        assert_eq!(with(&[(0, 239, &[direction])]), expected, "{direction}");
    }
    assert!(!source_is_client(&[(0, 7, &high), (0, 11, &low), (0, 239, &[2])]));
    assert!(with(&[(0, 231, &[1]), (0, 232, &[1])]));
    assert!(with(&[(0, 233, &[3])]));
    assert!(!with(&[(0, 233, &[0])]));
    // Reverse counters alone do not say it: softflowd has the lower address for the source.
    assert!(!with(&[(0, 1, &[9]), (29_305, 1, &[9])]));
}

#[test]
fn an_echo_reply_comes_from_the_server() {
    for (protocol, kind, expected) in [(1, 8, true), (1, 0, false), (58, 128, true), (58, 129, false), (58, 0, true)] {
        let element = if protocol == 1 { 32 } else { 139 };
        let values: &[(u32, u16, &[u8])] = &[(0, 4, &[protocol]), (0, element, &[kind, 0])];
        assert_eq!(source_is_client(values), expected, "{protocol} {kind}");
    }
}

#[test]
fn services_are_named_by_what_there_is() {
    let v6 = |last: u8| -> [u8; 16] {
        std::array::from_fn(|at| [0x20, 1, 0xd, 0xb8].get(at).copied().unwrap_or(if at == 15 { last } else { 0 }))
    };
    assert_eq!(edge(&ipfix(&[(0, 27, &v6(1)), (0, 28, &v6(2))])), ("2001:db8::1".to_owned(), "2001:db8::2".to_owned()));
    let macs: &[(u32, u16, &[u8])] = &[(0, 56, &[0, 0, 0x5e, 0, 0x53, 1]), (0, 80, &[0, 0, 0x5e, 0, 0x53, 2])];
    assert_eq!(edge(&ipfix(macs)), ("00:00:5e:00:53:01".to_owned(), "00:00:5e:00:53:02".to_owned()));
    assert_eq!(edge(&ipfix(&[A, (0, 1, &[5])])), ("192.0.2.1".to_owned(), "unknown".to_owned()));
    assert_eq!(edge(&ipfix(&[(0, 1, &[5])])), ("unknown".to_owned(), "unknown".to_owned()));
}

/// A sampled packet stands in for the addresses that the record lacks.
#[test]
fn a_sampled_packet_names_services() {
    let (_, spans) = Exporter::with_config(topology()).send(&sflow_of_dns());
    let (client, server) = calls(&spans)[0];
    assert_eq!(services(&(client, server)), ("192.168.1.52".to_owned(), "8.8.8.8".to_owned()));
    let of_packet = [
        ("source.address", "\"192.168.1.52\""),
        ("source.port", "54585"),
        ("destination.address", "\"8.8.8.8\""),
        ("destination.port", "53"),
        ("network.transport", "\"udp\""),
    ];
    for (key, value) in of_packet {
        assert_eq!((server.get(key), client.get(key)), (Some(value), Some(value)), "{key}");
    }
    assert_eq!(server.attributes.len(), of_packet.len());
}

/// A flow that stands for others does so with both spans, and is counted once.
#[test]
fn both_spans_say_what_they_stand_for() {
    let mut exporter = sampled(0.25);
    exporter.trace = std::mem::take(&mut exporter.trace).with_config(topology());
    let records: Vec<_> = (0..30).map(|port| FixedRecord { source_port: 40_000 + port, ..web() }).collect();
    let (_, spans) = exporter.send(&v5(&records));
    let calls = calls(&spans);
    assert_eq!((exporter.last.written, exporter.last.sampled_out), (calls.len() as u64, 30 - calls.len() as u64));
    assert!(!calls.is_empty() && calls.len() < 30);
    for (client, server) in calls {
        assert_eq!(trace_state(client), trace_state(server));
        assert_eq!(client.get("netflow.sampling.adjusted_count"), Some("4"));
        assert_eq!(server.get("netflow.sampling.adjusted_count"), None);
    }
}

#[test]
fn both_spans_have_the_times_of_the_flow() {
    let mut config = topology();
    config.span_time = SpanTime::Flow { max_age: Duration::from_secs(5) };
    let (_, spans) = Exporter::with_config(config).send(&v5(&[web()]));
    let (client, server) = calls(&spans)[0];
    let age = |time: Timestamp| EXPORT + 3 - time.as_unix_millis() / 1000;
    assert_eq!((age(server.start().start), age(server.start().end)), (5, 4));
    assert_eq!(client.get("netflow.flow.time_clamped"), Some("true"));
    assert_eq!(server.get("netflow.flow.time_clamped"), None);
}
