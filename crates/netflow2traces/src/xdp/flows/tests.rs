use std::collections::BTreeMap;
use std::time::Duration;

use flow_collector::CollectorConfig;
use flow_state::{State, StateConfig, Timestamp};
use otlp_sink::{OtlpConfig, Output, Protocol, SinkConfig};
use testkit::otlp_server::{OtlpServer, Span, Value};
use xdp_counters::program::FlowKey;

use super::*;

const CLOCK: Clock = Clock { unix: Timestamp::from_unix_seconds(1_700_000_000), monotonic: Duration::from_secs(1_000) };

fn flow(number: u16, source: &str, destination: &str) -> Flow {
    Flow {
        key: FlowKey {
            source: source.parse().unwrap(),
            destination: destination.parse().unwrap(),
            source_port: number,
            destination_port: 443,
            protocol: 6,
        },
        packets: u64::from(number) + 1,
        bytes: (u64::from(number) + 1) * 1_000,
        tcp_flags: 0x1b,
        first: Duration::new(900, u32::from(number)),
        last: Duration::new(901, 999_999_999),
    }
}

/// Spans of these flows, written in some goes, by a server that was sent them.
fn spans(interface: Option<(u32, String)>, goes: &[Vec<Flow>]) -> Vec<Span> {
    let runtime = crate::collect::runtime().unwrap();
    let server = runtime.block_on(OtlpServer::start_local()).unwrap();
    let output = Output::Otlp(OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap());
    let sink = Sink::start(SinkConfig::default().with_output(output), runtime.handle()).unwrap();
    let state = Arc::new(State::new(StateConfig::default()));
    let mut pipeline = pipeline(CollectorConfig::default(), state, Arc::default(), &sink);
    let mut messages = Messages::new(0);
    for flows in goes {
        messages.begin(interface.clone());
        messages.write(flows, &CLOCK, |message| {
            pipeline.process(TransportSession::new(HERE, HERE), CLOCK.unix, message);
        });
    }
    pipeline.flush();
    let report = runtime.block_on(sink.shutdown(Duration::from_secs(30)));
    assert_eq!((report.dropped, report.remaining), (0, 0));
    server.spans()
}

fn attributes(span: &Span) -> BTreeMap<&str, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let value = |pair: &testkit::otlp_server::KeyValue| text(pair.value.as_ref().unwrap().value.as_ref().unwrap());
    span.attributes.iter().map(|pair| (pair.key.as_str(), value(pair))).collect()
}

#[test]
fn flows_are_spans_with_all_that_is_known_of_them() {
    let flows = vec![
        flow(7, "192.0.2.1", "198.51.100.2"),
        Flow { tcp_flags: 0, ..flow(8, "2001:db8::1", "2001:db8::2") },
        flow(9, "192.0.2.3", "198.51.100.2"),
    ];
    let spans = spans(Some((3, "eth0".to_owned())), std::slice::from_ref(&flows));
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).filter(|name| *name != "netflow.flow").collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let found: Vec<_> = spans.iter().filter(|span| span.name == "netflow.flow").map(attributes).collect();
    assert_eq!(found.len(), flows.len());
    for flow in &flows {
        let port = flow.key.source_port.to_string();
        let span = found.iter().find(|span| span["source.port"] == port).unwrap();
        let start = 1_700_000_000_000_000_000 - 100_000_000_000 + u64::from(flow.key.source_port);
        for (name, expected) in [
            ("source.address", flow.key.source.to_string()),
            ("destination.address", flow.key.destination.to_string()),
            ("destination.port", "443".to_owned()),
            ("network.transport", "tcp".to_owned()),
            ("netflow.flow.packets", flow.packets.to_string()),
            ("netflow.flow.bytes", flow.bytes.to_string()),
            ("netflow.flow.start_time_unix_nano", start.to_string()),
            ("netflow.flow.end_time_unix_nano", "1699999901999999999".to_owned()),
            ("netflow.flow.direction", "ingress".to_owned()),
            ("netflow.interface.input", "3".to_owned()),
            ("netflow.interface.input.name", "eth0".to_owned()),
            ("netflow.observation_domain_id", "3".to_owned()),
        ] {
            assert_eq!(span.get(name), Some(&expected), "{name} of {span:#?}");
        }
    }
}

/// As many Messages as it takes, again and again; where nobody knows the interface, nothing is said of one.
#[test]
fn all_flows_of_all_goes_are_there_once() {
    let flows = |count: u16| (0..count).map(|number| flow(number, "192.0.2.1", "198.51.100.2")).collect::<Vec<_>>();
    let spans = spans(None, &[flows(250), Vec::new(), flows(1)]);
    let found: Vec<_> = spans.iter().filter(|span| span.name == "netflow.flow").map(attributes).collect();
    assert_eq!(found.len(), 251);
    assert_eq!(spans.iter().filter(|span| span.name == "netflow.export").count(), 3 + 1);
    assert!(found.iter().all(|span| !span.contains_key("netflow.interface.input")));
    let exports = spans.iter().filter(|span| span.name == "netflow.export").map(attributes);
    let lost: Vec<_> = exports.filter(|span| span.contains_key("netflow.sequence.gap")).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// Two programs whose interfaces are not known, in turn: neither is taken for the other that lost something.
#[test]
fn sources_have_domains_of_their_own() {
    let mut sequences = BTreeMap::new();
    let mut both = [Messages::new(0), Messages::new(1)];
    for (source, count) in [(0, 3), (1, 150), (0, 4), (1, 1)] {
        let messages = &mut both[source];
        messages.begin(None);
        let flows = vec![flow(7, "192.0.2.1", "198.51.100.2"); count];
        messages.write(&flows, &CLOCK, |message| {
            let header = flow_wire::Message::decode(message).unwrap().header;
            let of_domain: &mut Vec<_> = sequences.entry(header.observation_domain_id).or_default();
            of_domain.push(header.sequence_number.unwrap());
        });
    }
    assert_eq!(sequences, BTreeMap::from([(0x8000_0000, vec![0, 3]), (0x8000_0001, vec![0, 100, 150])]));
}

/// Whoever reads the time reads the nanosecond, in both eras of NTP.
#[test]
fn times_are_exact() {
    let monotonic = Duration::from_secs(1_000);
    for step in 0_u64..100_000 {
        let nanos = 40_000_000_000_007 * step + step.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 1_000_000_000;
        let clock = Clock { unix: Timestamp::UNIX_EPOCH + Duration::from_nanos(nanos), monotonic };
        let ago = Duration::from_nanos(step * 9_999_991);
        let read = Timestamp::from_ntp(clock.ntp(monotonic - ago)).as_unix_nanos();
        assert_eq!(read, nanos.saturating_sub(ago.as_nanos() as u64));
    }
}

#[test]
fn metrics_say_what_became_of_flows() {
    let sources =
        [("iface=eth0".to_owned(), Some(Taken { flows: 5, capacity: 1_000, missed: 3 })), ("pin=/p".to_owned(), None)];
    let text = crate::metrics::prometheus::text(
        &metrics(&Totals { taken: 7, missed: 3, exported: 11, dropped: 2 }, &sources),
        "xdp",
        "",
    );
    let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        "xdp_xdp_exporter_flows_total 7",
        "xdp_xdp_exporter_spans_total 11",
        "xdp_xdp_exporter_spans_dropped_total 2",
        "xdp_xdp_exporter_packets_missed_total 3",
        "xdp_xdp_exporter_flows_up{xdp_flows=\"iface=eth0\"} 1",
        "xdp_xdp_exporter_flows_up{xdp_flows=\"pin=/p\"} 0",
        "xdp_xdp_exporter_flows_usage{xdp_flows=\"iface=eth0\"} 5",
        "xdp_xdp_exporter_flows_limit{xdp_flows=\"iface=eth0\"} 1000",
    ];
    assert_eq!(lines, expected);
}

/// What is not there is told, and looked for again.
#[test]
fn missing_flows_are_told_once_a_minute() {
    let log = super::super::fake::Logged::default();
    let _guard = log.capture();
    let mut source = Source::new(0, FlowSource::Pins("/nowhere".into()));
    for _ in 0..3 {
        assert!(matches!(source.take(), Err(NoReading::Missing(_))));
    }
    assert_eq!(log.text().matches("flows cannot be taken out").count(), 1, "{}", log.text());
}
