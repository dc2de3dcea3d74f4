//! Encoded spans decode to what was asked for.

use std::net::IpAddr;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::Link;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use otlp_sink::{
    AttributeFragment, AttributeKey, BatchEncoder, Call, IntRow, MAX_STRING_LEN, SpanBuilder, SpanContext, SpanHead,
    SpanKind, SpanLimits,
};
use prost::Message;

/// Derives spans from `data`, encodes them, and compares what `opentelemetry-proto` decodes, from protobuf and from the
/// JSON made of it, with the message that the same calls describe.
///
/// # Panics
///
/// When they differ.
pub fn encoder(data: &[u8]) {
    let mut input = Input { data };
    let resource: Vec<(String, String)> = (0..input.u8() % 3).map(|_| (input.text(), input.text())).collect();
    let (scope_name, scope_version) = (input.text(), input.text());
    let limits = input.limits();
    let mut encoder = BatchEncoder::new(&resource, &scope_name, &scope_version).with_limits(limits);
    // The second batch goes into a buffer that has been written to.
    for _ in 0..2 {
        let mut spans = Vec::new();
        for _ in 0..input.u8() % 8 {
            let mut span = span(&mut input, &mut encoder);
            limit(&mut span, limits);
            spans.push(span);
        }
        let expected = group(&resource, &scope_name, &scope_version, spans);
        compare(&ExportTraceServiceRequest { resource_spans: vec![expected] }, encoder.finish());
        encoder.clear();
    }
    // Calls among spans.
    let (mut groups, mut spans) = (Vec::new(), Vec::new());
    let group = |resource: &[(String, String)], spans| group(resource, &scope_name, &scope_version, spans);
    for _ in 0..input.u8() % 8 {
        if input.u8().is_multiple_of(3) {
            let mut span = span(&mut input, &mut encoder);
            limit(&mut span, limits);
            spans.push(span);
            continue;
        }
        if !spans.is_empty() {
            groups.push(group(&resource, std::mem::take(&mut spans)));
        }
        for (service, mut span) in call(&mut input, &mut encoder) {
            limit(&mut span, limits);
            let mut named = vec![("service.name".to_owned(), service)];
            let own = ["service.name", "service.version", "service.instance.id"];
            named.extend(resource.iter().filter(|(key, _)| !own.contains(&key.as_str())).cloned());
            groups.push(group(&named, vec![span]));
        }
    }
    if groups.is_empty() || !spans.is_empty() {
        groups.push(group(&resource, spans));
    }
    let count: usize = groups.iter().map(|group| group.scope_spans[0].spans.len()).sum();
    assert_eq!(encoder.spans(), count);
    assert!(count == 0 || encoder.request_len() >= encoder.clone().finish().len());
    compare(&ExportTraceServiceRequest { resource_spans: groups }, encoder.finish());
}

fn compare(expected: &ExportTraceServiceRequest, encoded: &[u8]) {
    let decoded = ExportTraceServiceRequest::decode(encoded).expect("decodes");
    assert_eq!(decoded, *expected);
    let json = otlp_sink::to_json(encoded);
    let from_json: ExportTraceServiceRequest = serde_json::from_slice(&json).expect("is OTLP JSON");
    assert_eq!(from_json, *expected);
}

fn span(input: &mut Input<'_>, encoder: &mut BatchEncoder) -> Span {
    let parent = input.u8().is_multiple_of(2).then(|| input.bytes::<8>());
    let context = SpanContext { trace_id: input.bytes(), span_id: input.bytes(), parent_span_id: parent };
    let (name, start, end) = (input.text(), input.u64(), input.u64());
    let kinds = [SpanKind::Internal, SpanKind::Server, SpanKind::Client, SpanKind::Producer, SpanKind::Consumer];
    let kind = kinds[usize::from(input.u8()) % kinds.len()];
    let mut expected = Span {
        trace_id: context.trace_id.to_vec(),
        span_id: context.span_id.to_vec(),
        parent_span_id: parent.map_or_else(Vec::new, |id| id.to_vec()),
        name: cut(&name),
        kind: kind as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        ..Span::default()
    };
    let mut shared = Span::default();
    let mut fragment = AttributeFragment::default();
    encoder.fragment(&mut fragment, |mut builder| {
        for _ in 0..input.u8() % 4 {
            attribute(input, &mut builder, &mut shared);
        }
    });
    let mut builder = encoder.span(context, &name, kind, start, end);
    if input.u8().is_multiple_of(2) {
        builder.fragment(&fragment);
        expected.attributes.append(&mut shared.attributes);
    }
    row(input, &mut builder, &mut expected);
    for _ in 0..input.u8() % 20 {
        attribute(input, &mut builder, &mut expected);
    }
    if input.u8().is_multiple_of(4) {
        let trace_state = input.text();
        builder.trace_state(&trace_state);
        expected.trace_state = cut(&trace_state);
    }
    for _ in 0..input.u8() % 3 {
        let (trace_id, span_id) = (input.bytes(), input.bytes());
        builder.link(trace_id, span_id);
        expected.links.push(Link { trace_id: trace_id.to_vec(), span_id: span_id.to_vec(), ..Link::default() });
    }
    if input.u8().is_multiple_of(4) {
        let message = input.text();
        builder.status_error(&message);
        expected.status = Some(Status { message: cut(&message), code: 2 });
    }
    expected
}

/// The two spans of a call, and whose they are.
fn call(input: &mut Input<'_>, encoder: &mut BatchEncoder) -> [(String, Span); 2] {
    let [client, server, name, server_name] = [(); 4].map(|()| input.text());
    let (trace_id, span_id, server_span_id) = (input.bytes(), input.bytes(), input.bytes());
    let context = SpanContext { trace_id, span_id, parent_span_id: None };
    let times = (input.u64(), input.u64());
    let expected = |span_id: [u8; 8], name: &str, kind: SpanKind| Span {
        trace_id: trace_id.to_vec(),
        span_id: span_id.to_vec(),
        name: cut(name),
        kind: kind as i32,
        start_time_unix_nano: times.0,
        end_time_unix_nano: times.1,
        ..Span::default()
    };
    let mut of_client = expected(span_id, &name, SpanKind::Client);
    let mut of_server = expected(server_span_id, &server_name, SpanKind::Server);
    of_server.parent_span_id = span_id.to_vec();
    let mut head = SpanHead::default();
    // What the head has of them is no matter.
    let other = SpanContext { trace_id: [0; 16], span_id: [0; 8], parent_span_id: None };
    encoder.head(&mut head, other, &name, SpanKind::Internal, (0, 0), |mut builder| {
        for _ in 0..input.u8() % 4 {
            attribute(input, &mut builder, &mut of_client);
        }
    });
    let call = Call { client: &client, server: &server, context, server_span_id, server_name: &server_name, times };
    let (data, rest) = input.data.split_at(input.data.len().min(100));
    input.data = rest;
    let write = |mut builder: SpanBuilder<'_>, input: &mut Input<'_>, expected: &mut Span| {
        for _ in 0..input.u8() % 20 {
            attribute(input, &mut builder, expected);
        }
    };
    encoder.call(
        &head,
        &call,
        |builder| write(builder, &mut Input { data }, &mut of_client),
        |builder| write(builder, input, &mut of_server),
    );
    [(cut(&client), of_client), (cut(&server), of_server)]
}

fn attribute(input: &mut Input<'_>, builder: &mut SpanBuilder<'_>, expected: &mut Span) {
    let key = AttributeKey::from(input.text());
    let value = match input.u8() % 7 {
        0 => {
            // Every length of a varint.
            let value = (input.u64() >> (input.u8() % 64)) as i64;
            builder.int(&key, value);
            Value::IntValue(value)
        }
        1 => {
            let value = input.text();
            builder.str(&key, &value);
            Value::StringValue(cut(&value))
        }
        2 => {
            let value = input.u8() > 127;
            builder.bool(&key, value);
            Value::BoolValue(value)
        }
        3 => {
            // Short in decimal too, so that JSON gives it back to the bit.
            let value = f64::from(input.u64() as i32) / 8.0;
            builder.double(&key, value);
            Value::DoubleValue(value)
        }
        4 => {
            let address = match input.u8() % 3 {
                0 => IpAddr::from(input.bytes::<4>()),
                _ => IpAddr::from(input.bytes::<16>()),
            };
            builder.address(&key, address);
            Value::StringValue(address.to_string())
        }
        5 => {
            let (text, len) = (input.bytes::<48>(), usize::from(input.u8() % 49));
            builder.ascii(&key, &text, len);
            Value::StringValue(text[..len].iter().map(|byte| char::from(byte & 0x7f)).collect())
        }
        _ => {
            let values: Vec<String> = (0..input.u8() % 5).map(|_| input.text()).collect();
            builder.str_array(&key, values.iter().map(String::as_str));
            let values = values.iter().map(|value| AnyValue { value: Some(Value::StringValue(cut(value))) });
            Value::ArrayValue(ArrayValue { values: values.collect() })
        }
    };
    expected.attributes.push(key_value(cut(key.as_str()), value));
}

/// Integers of a row: unsigned values of so many bytes.
fn row(input: &mut Input<'_>, builder: &mut SpanBuilder<'_>, expected: &mut Span) {
    let columns: Vec<_> = (0..input.u8() % 6)
        .map(|_| (AttributeKey::from(input.text()), 1 + usize::from(input.u8() % 8), input.u64()))
        .map(|(key, bytes, value)| (key, bytes, value >> (64 - 8 * bytes)))
        .collect();
    let row = IntRow::new(columns.iter().map(|(key, bytes, _)| (key, *bytes)));
    builder.int_row(&row, columns.iter().map(|(_, _, value)| *value));
    expected.attributes.extend(columns.iter().map(|(key, _, value)| {
        key_value(cut(key.as_str()), Value::IntValue(i64::try_from(*value).unwrap_or(i64::MAX)))
    }));
}

/// Spans with their envelope, without what is empty.
fn group(resource: &[(String, String)], scope_name: &str, scope_version: &str, spans: Vec<Span>) -> ResourceSpans {
    let attributes = resource.iter().map(|(key, value)| key_value(key.clone(), Value::StringValue(value.clone())));
    let has_scope = !scope_name.is_empty() || !scope_version.is_empty();
    let scope_spans = ScopeSpans {
        scope: has_scope.then(|| InstrumentationScope {
            name: scope_name.to_owned(),
            version: scope_version.to_owned(),
            ..InstrumentationScope::default()
        }),
        spans,
        schema_url: String::new(),
    };
    ResourceSpans {
        resource: (!resource.is_empty()).then(|| Resource { attributes: attributes.collect(), ..Resource::default() }),
        scope_spans: vec![scope_spans],
        schema_url: String::new(),
    }
}

fn key_value(key: String, value: Value) -> KeyValue {
    KeyValue { key, value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// What the limits leave of a span.
fn limit(span: &mut Span, limits: SpanLimits) {
    let count = limits.attribute_count.unwrap_or(usize::MAX).min(span.attributes.len());
    span.dropped_attributes_count = span.attributes.drain(count..).count() as u32;
    let Some(length) = limits.attribute_value_length else { return };
    let shorten = |value: &mut AnyValue| {
        if let Some(Value::StringValue(text)) = &mut value.value {
            *text = text.chars().take(length).collect();
        }
    };
    for value in span.attributes.iter_mut().filter_map(|attribute| attribute.value.as_mut()) {
        shorten(value);
        if let Some(Value::ArrayValue(array)) = &mut value.value {
            array.values.iter_mut().for_each(shorten);
        }
    }
}

/// The documented limit, told in another way than the encoder has it.
fn cut(text: &str) -> String {
    let mut cut = text.to_owned();
    while cut.len() > MAX_STRING_LEN {
        cut.pop();
    }
    cut
}

/// Bytes as numbers and texts; zeroes follow the end.
struct Input<'a> {
    data: &'a [u8],
}

impl Input<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let (taken, rest) = self.data.split_at(N.min(self.data.len()));
        self.data = rest;
        let mut bytes = [0; N];
        bytes[..taken.len()].copy_from_slice(taken);
        bytes
    }

    fn u8(&mut self) -> u8 {
        self.bytes::<1>()[0]
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// None, mostly.
    fn limits(&mut self) -> SpanLimits {
        let mut limits = SpanLimits::default();
        let selector = self.u8();
        limits.attribute_value_length = (selector % 4 == 1).then(|| usize::from(self.u8()));
        limits.attribute_count = if selector < 192 { None } else { Some(usize::from(self.u8() % 24)) };
        limits
    }

    /// Mostly around the lengths where the encoding changes, rarely around the limit.
    fn text(&mut self) -> String {
        let selector = self.u8();
        let len = match selector {
            0..200 => usize::from(selector) * 2 / 3,
            200..250 => usize::from(self.u8()) + 100,
            250.. => MAX_STRING_LEN - 4 + usize::from(self.u8() % 8),
        };
        let letters = ['a', 'ß', '€', '🦀', '"', '\0', '\\', 'z'];
        let mut seed = usize::from(self.u8());
        let mut text = String::new();
        while text.len() < len {
            text.push(letters[seed % letters.len()]);
            seed = seed / 2 + seed % 3 * 50 + 1;
        }
        text
    }
}
