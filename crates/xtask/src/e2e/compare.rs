//! Flow spans held against tshark's decoding of the same datagrams.

use std::collections::HashMap;

use anyhow::{Context, bail, ensure};

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use testkit::otlp_server::{Span, Value};

use testkit::differential::Record;
use testkit::differential::tshark::Capture;

const ICMP: u64 = 1;
const ICMPV6: u64 = 58;

/// Fails unless the traces of the exporter at `exporter_port` say exactly what tshark says: one trace a datagram, in
/// that order, one flow span a record, and every field the same.
///
/// # Errors
///
/// With the first difference.
pub(super) fn same(spans: &[Span], exporter_port: u16, capture: &Capture) -> anyhow::Result<()> {
    let traces = Traces::of(spans, exporter_port)?;
    let (got, want) = (traces.roots.len() as u64, capture.datagrams);
    ensure!(got == want, "{got} traces of {want} datagrams");
    let mut got = traces.records()?;
    let mut want: Vec<Record> = capture.records.iter().map(as_spans_have_it).collect();
    ensure!(got.len() == want.len(), "{} flow spans of {} records", got.len(), want.len());
    got.sort();
    want.sort();
    for (got, want) in got.iter().zip(&want) {
        let as_json = |record| serde_json::to_string(record);
        ensure!(got == want, "span {} where tshark has {}", as_json(got)?, as_json(want)?);
    }
    Ok(())
}

/// Spans do not name the Template, and never take the type and code of ICMP for ports.
pub(super) fn as_spans_have_it(record: &Record) -> Record {
    let mut record = Record { template: None, ..record.clone() };
    if matches!(record.proto, Some(ICMP | ICMPV6)) {
        (record.sport, record.dport) = (None, None);
    }
    record
}

/// The traces of one exporter.
struct Traces<'a> {
    /// `netflow.export` spans in the order of their datagrams.
    roots: Vec<&'a Span>,
    by_trace: HashMap<&'a [u8], Vec<&'a Span>>,
}

impl<'a> Traces<'a> {
    fn of(spans: &'a [Span], exporter_port: u16) -> anyhow::Result<Self> {
        let mut by_trace: HashMap<&[u8], Vec<&Span>> = HashMap::new();
        for span in spans {
            ensure!(span.kind() == SpanKind::Internal, "kind of {} is {:?}", span.name, span.kind());
            by_trace.entry(&span.trace_id).or_default().push(span);
        }
        let mut roots = Vec::new();
        for span in spans.iter().filter(|span| span.name == "netflow.export") {
            ensure!(span.parent_span_id.is_empty(), "netflow.export has a parent");
            if integer(span, "netflow.exporter.port")? == Some(exporter_port) {
                roots.push(span);
            }
        }
        roots.sort_by_key(|root| root.start_time_unix_nano);
        Ok(Self { roots, by_trace })
    }

    fn records(&self) -> anyhow::Result<Vec<Record>> {
        let mut records = Vec::new();
        for (packet, root) in (1..).zip(&self.roots) {
            let trace = &self.by_trace[root.trace_id.as_slice()];
            let child = |name: &str| {
                let mut children = trace.iter().filter(|span| span.parent_span_id == root.span_id);
                children.find(|span| span.name == name)
            };
            child("netflow.parse_packet").context("no netflow.parse_packet below netflow.export")?;
            let process_flows = child("netflow.process_flows");
            let before = records.len();
            for span in trace.iter().filter(|span| span.name == "netflow.flow") {
                let parent = process_flows.context("flows without netflow.process_flows")?;
                ensure!(span.parent_span_id == parent.span_id, "a flow that is not below netflow.process_flows");
                let domain = integer(root, "netflow.observation_domain_id")?.unwrap_or(0);
                records.push(record(span, packet, domain).with_context(|| format!("{span:?}"))?);
            }
            let flows = records.len() - before;
            let rest = trace.len() - flows - usize::from(process_flows.is_some());
            ensure!(rest == 2, "{rest} spans besides flows and netflow.process_flows, not 2");
            let said = integer(root, "netflow.records")?.unwrap_or(0);
            ensure!(flows == said, "{flows} flow spans where netflow.records says {said}");
        }
        Ok(records)
    }
}

/// What a flow span says.
///
/// # Errors
///
/// When an attribute is of another type than it should be.
pub(super) fn record(span: &Span, packet: u64, domain: u32) -> anyhow::Result<Record> {
    let milliseconds = |key| anyhow::Ok(integer::<i64>(span, key)?.map(|nanos| nanos.div_euclid(1_000_000)));
    Ok(Record {
        packet,
        version: integer(span, "netflow.version")?.context("no netflow.version")?,
        domain,
        template: None,
        src: address(span, "source.address")?,
        dst: address(span, "destination.address")?,
        sport: integer(span, "source.port")?,
        dport: integer(span, "destination.port")?,
        proto: integer(span, "network.protocol.number")?,
        bytes: integer(span, "netflow.flow.bytes")?,
        packets: integer(span, "netflow.flow.packets")?,
        in_if: integer(span, "netflow.interface.input")?,
        out_if: integer(span, "netflow.interface.output")?,
        src_as: integer(span, "netflow.src_as")?,
        dst_as: integer(span, "netflow.dst_as")?,
        nexthop: address(span, "netflow.nexthop")?,
        start_ms: milliseconds("netflow.flow.start_time_unix_nano")?,
        end_ms: milliseconds("netflow.flow.end_time_unix_nano")?,
        rev_bytes: integer(span, "netflow.flow.reverse.bytes")?,
        rev_packets: integer(span, "netflow.flow.reverse.packets")?,
    })
}

fn value<'a>(span: &'a Span, key: &str) -> anyhow::Result<Option<&'a Value>> {
    let mut found = span.attributes.iter().filter(|attribute| attribute.key == key);
    let first = found.next();
    ensure!(found.next().is_none(), "{key} twice");
    Ok(first.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()))
}

/// The number of this attribute.
///
/// # Errors
///
/// When it is something else.
pub(super) fn integer<T: TryFrom<i64>>(span: &Span, key: &str) -> anyhow::Result<Option<T>> {
    match value(span, key)? {
        None => Ok(None),
        Some(Value::IntValue(number)) => match T::try_from(*number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => bail!("{key} is {number}"),
        },
        Some(other) => bail!("{key} is {other:?}, not an integer"),
    }
}

/// The same of one with a fraction.
///
/// # Errors
///
/// When it is something else.
pub(super) fn double(span: &Span, key: &str) -> anyhow::Result<Option<f64>> {
    match value(span, key)? {
        None => Ok(None),
        Some(Value::DoubleValue(number)) => Ok(Some(*number)),
        Some(other) => bail!("{key} is {other:?}, not a double"),
    }
}

/// The address of this attribute.
///
/// # Errors
///
/// When it is something else.
pub(super) fn address(span: &Span, key: &str) -> anyhow::Result<Option<std::net::IpAddr>> {
    let address = |text: &str| text.parse().with_context(|| format!("{key} is {text:?}"));
    text(span, key)?.map(address).transpose()
}

/// The text of this attribute.
///
/// # Errors
///
/// When it is something else.
pub(super) fn text<'a>(span: &'a Span, key: &str) -> anyhow::Result<Option<&'a str>> {
    match value(span, key)? {
        None => Ok(None),
        Some(Value::StringValue(text)) => Ok(Some(text)),
        Some(other) => bail!("{key} is {other:?}, not a string"),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

    use super::*;

    const PORT: u16 = 40_000;

    fn span(name: &str, id: u8, parent: Option<u8>, attributes: &[(&str, Value)]) -> Span {
        let attributes = attributes.iter().map(|(key, value)| KeyValue {
            key: (*key).to_owned(),
            value: Some(AnyValue { value: Some(value.clone()) }),
            ..KeyValue::default()
        });
        Span {
            trace_id: vec![1; 16],
            span_id: vec![id; 8],
            parent_span_id: parent.map_or_else(Vec::new, |id| vec![id; 8]),
            name: name.to_owned(),
            kind: SpanKind::Internal.into(),
            attributes: attributes.collect(),
            ..Span::default()
        }
    }

    fn trace(flow: &[(&str, Value)]) -> Vec<Span> {
        let root = [("netflow.exporter.port", Value::IntValue(PORT.into())), ("netflow.records", Value::IntValue(1))];
        vec![
            span("netflow.flow", 4, Some(3), flow),
            span("netflow.process_flows", 3, Some(1), &[]),
            span("netflow.parse_packet", 2, Some(1), &[]),
            span("netflow.export", 1, None, &root),
        ]
    }

    fn echo_request() -> [(&'static str, Value); 4] {
        [
            ("netflow.version", Value::IntValue(5)),
            ("source.address", Value::StringValue("192.0.2.1".to_owned())),
            ("network.protocol.number", Value::IntValue(ICMP as i64)),
            ("netflow.flow.start_time_unix_nano", Value::IntValue(1_700_000_000_123_999_999)),
        ]
    }

    /// The same by tshark, which shows the port columns of v5 even for ICMP.
    fn capture() -> Capture {
        let record = Record {
            packet: 1,
            version: 5,
            src: Some("192.0.2.1".parse().unwrap()),
            dport: Some(8 << 8),
            proto: Some(ICMP),
            start_ms: Some(1_700_000_000_123),
            ..Record::default()
        };
        Capture { datagrams: 1, records: vec![record], ..Capture::default() }
    }

    #[test]
    fn a_trace_that_says_what_tshark_says_is_the_same() {
        same(&trace(&echo_request()), PORT, &capture()).unwrap();
    }

    #[test]
    fn a_field_too_many_too_few_or_another_is_a_difference() {
        let mut with_port = echo_request().to_vec();
        with_port.push(("destination.port", Value::IntValue(8 << 8)));
        let without_address = [&echo_request()[..1], &echo_request()[2..]].concat();
        let mut another = echo_request();
        another[1].1 = Value::StringValue("192.0.2.2".to_owned());
        for flow in [&with_port[..], &without_address, &another] {
            let error = same(&trace(flow), PORT, &capture()).unwrap_err().to_string();
            assert!(error.contains("where tshark has"), "{error}");
        }
    }

    #[test]
    fn lost_traces_and_lost_spans_are_a_difference() {
        let error = |spans: &[Span]| same(spans, PORT, &capture()).unwrap_err().to_string();
        assert_eq!(error(&[]), "0 traces of 1 datagrams");
        let trace = trace(&echo_request());
        assert_eq!(error(&trace[1..]), "0 flow spans where netflow.records says 1");
        assert_eq!(error(&[&trace[..2], &trace[3..]].concat()), "no netflow.parse_packet below netflow.export");
        assert_eq!(error(&[&trace[..1], &trace[2..]].concat()), "flows without netflow.process_flows");
    }
}
