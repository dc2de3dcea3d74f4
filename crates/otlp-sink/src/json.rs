//! OTLP JSON from OTLP protobuf: the JSON Protobuf mapping with the exceptions of the OTLP specification (ids in
//! hexadecimal, enumerations as numbers), lowerCamelCase keys, 64-bit integers as strings.
//!
//! Covers the messages a sink carries: resource, scope, spans with attributes, events, links and status.

use std::io::Write;

use crate::reader::{Field, Reader};

/// OTLP JSON of an encoded `ExportTraceServiceRequest`, as one line without its end.
///
/// `TracesData` has the same encoding, so that this is also a line of an OTLP JSON lines file. Covers the messages that
/// a [`BatchEncoder`](crate::BatchEncoder) makes, and events; malformed bytes end the message they are in.
///
/// ```
/// assert_eq!(otlp_sink::to_json(&[]), br#"{"resourceSpans":[]}"#);
/// ```
pub fn to_json(request: &[u8]) -> Vec<u8> {
    // Keys, quotes and hexadecimal make JSON about two and a half times as long.
    let mut json = Json { out: Vec::with_capacity(request.len() / 2 * 5 + 32), depth: 0 };
    json.out.extend_from_slice(b"{\"resourceSpans\":[");
    json.separated(Reader::new(request).messages(1), Json::resource_spans);
    json.out.extend_from_slice(b"]}");
    json.out
}

/// Values within values that are followed; deeper ones become empty values.
const MAX_DEPTH: usize = 32;

struct Json {
    out: Vec<u8>,
    /// Lists around the value being written.
    depth: usize,
}

impl Json {
    fn resource_spans(&mut self, message: Reader<'_>) {
        let mut object = Object::open(self);
        if let Some(resource) = message.messages(1).last() {
            object.key("resource");
            let mut resource_object = Object::open(object.json);
            resource_object.attributes(resource.messages(1));
            resource_object.close();
        }
        object.array("scopeSpans", message.messages(2), Self::scope_spans);
        object.text("schemaUrl", message.field(3));
        object.close();
    }

    fn scope_spans(&mut self, message: Reader<'_>) {
        let mut object = Object::open(self);
        if let Some(scope) = message.messages(1).last() {
            object.key("scope");
            let mut scope_object = Object::open(object.json);
            scope_object.text("name", scope.field(1));
            scope_object.text("version", scope.field(2));
            scope_object.attributes(scope.messages(3));
            scope_object.close();
        }
        object.array("spans", message.messages(2), Self::span);
        object.text("schemaUrl", message.field(3));
        object.close();
    }

    fn span(&mut self, span: Reader<'_>) {
        let mut object = Object::open(self);
        object.hex("traceId", span.field(1));
        object.hex("spanId", span.field(2));
        object.text("traceState", span.field(3));
        object.hex("parentSpanId", span.field(4));
        object.number("flags", span.field(16));
        object.text("name", span.field(5));
        object.number("kind", span.field(6));
        object.long("startTimeUnixNano", span.field(7));
        object.long("endTimeUnixNano", span.field(8));
        object.attributes(span.messages(9));
        object.number("droppedAttributesCount", span.field(10));
        object.array("events", span.messages(11), Self::event);
        object.number("droppedEventsCount", span.field(12));
        object.array("links", span.messages(13), Self::link);
        object.number("droppedLinksCount", span.field(14));
        if let Some(status) = span.messages(15).last() {
            object.key("status");
            let mut status_object = Object::open(object.json);
            status_object.text("message", status.field(2));
            status_object.number("code", status.field(3));
            status_object.close();
        }
        object.close();
    }

    fn event(&mut self, event: Reader<'_>) {
        let mut object = Object::open(self);
        object.long("timeUnixNano", event.field(1));
        object.text("name", event.field(2));
        object.attributes(event.messages(3));
        object.number("droppedAttributesCount", event.field(4));
        object.close();
    }

    fn link(&mut self, link: Reader<'_>) {
        let mut object = Object::open(self);
        object.hex("traceId", link.field(1));
        object.hex("spanId", link.field(2));
        object.text("traceState", link.field(3));
        object.attributes(link.messages(4));
        object.number("droppedAttributesCount", link.field(5));
        object.number("flags", link.field(6));
        object.close();
    }

    fn key_value(&mut self, key_value: Reader<'_>) {
        let mut object = Object::open(self);
        object.text("key", key_value.field(1));
        if let Some(value) = key_value.messages(2).last() {
            object.key("value");
            object.json.any_value(value);
        }
        object.close();
    }

    fn any_value(&mut self, value: Reader<'_>) {
        let mut object = Object::open(self);
        // A oneof: the last field counts. None of them is an empty value.
        if let Some((number, field)) = value.last() {
            match number {
                1 => object.text("stringValue", Some(field)),
                2 => {
                    object.key("boolValue");
                    object.json.put(if field.number() != 0 { "true" } else { "false" });
                }
                3 => {
                    object.key("intValue");
                    object.json.format(format_args!("\"{}\"", field.number() as i64));
                }
                4 => {
                    object.key("doubleValue");
                    object.json.double(f64::from_bits(field.number()));
                }
                5 => object.values("arrayValue", Reader::new(field.bytes()), Self::any_value),
                6 => object.values("kvlistValue", Reader::new(field.bytes()), Self::key_value),
                _ => {}
            }
        }
        object.close();
    }

    /// Infinities and NaN have no number in JSON; the Protobuf mapping makes them strings.
    fn double(&mut self, value: f64) {
        match value {
            f64::INFINITY => self.put("\"Infinity\""),
            f64::NEG_INFINITY => self.put("\"-Infinity\""),
            value if value.is_nan() => self.put("\"NaN\""),
            value => self.format(format_args!("{value:?}")),
        }
    }

    fn separated<'a>(
        &mut self,
        messages: impl Iterator<Item = Reader<'a>>,
        mut write: impl FnMut(&mut Self, Reader<'a>),
    ) {
        for (index, message) in messages.enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            write(self, message);
        }
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.out.write_fmt(arguments).expect("a Vec takes every write");
    }
}

/// An object under construction. Fields that are absent in protobuf are absent in JSON.
struct Object<'j> {
    json: &'j mut Json,
    empty: bool,
}

impl<'j> Object<'j> {
    fn open(json: &'j mut Json) -> Self {
        json.out.push(b'{');
        Self { json, empty: true }
    }

    fn close(self) {
        self.json.out.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !std::mem::take(&mut self.empty) {
            self.json.out.push(b',');
        }
        self.json.format(format_args!("\"{key}\":"));
    }

    fn text(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            serde_json::to_writer(&mut self.json.out, &field.text()).expect("a Vec takes every write");
        }
    }

    fn hex(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            self.json.out.push(b'"');
            for byte in field.bytes() {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                self.json.out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
            }
            self.json.out.push(b'"');
        }
    }

    fn number(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            self.json.format(format_args!("{}", field.number()));
        }
    }

    /// A 64-bit integer.
    fn long(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            self.json.format(format_args!("\"{}\"", field.number()));
        }
    }

    fn array<'a>(
        &mut self,
        key: &str,
        messages: impl Iterator<Item = Reader<'a>>,
        write: impl FnMut(&mut Json, Reader<'a>),
    ) {
        let mut messages = messages.peekable();
        if messages.peek().is_some() {
            self.key(key);
            self.json.out.push(b'[');
            self.json.separated(messages, write);
            self.json.out.push(b']');
        }
    }

    fn attributes<'a>(&mut self, key_values: impl Iterator<Item = Reader<'a>>) {
        self.array("attributes", key_values, Json::key_value);
    }

    /// `ArrayValue` or `KeyValueList`, which may be empty.
    ///
    /// The only messages that nest without bound.
    fn values<'a>(&mut self, key: &str, list: Reader<'a>, write: impl FnMut(&mut Json, Reader<'a>)) {
        if self.json.depth == MAX_DEPTH {
            return;
        }
        self.json.depth += 1;
        self.key(key);
        self.json.put("{\"values\":[");
        self.json.separated(list.messages(1), write);
        self.json.put("]}");
        self.json.depth -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{AttributeKey, BatchEncoder, SpanContext, SpanKind};

    fn encoded(write: impl FnOnce(&mut BatchEncoder)) -> String {
        let mut encoder = BatchEncoder::new(&[("service.name".into(), "s".into())], "scope", "1");
        write(&mut encoder);
        String::from_utf8(to_json(encoder.finish())).unwrap()
    }

    const ENVELOPE: &str = concat!(
        r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"#,
        r#""scopeSpans":[{"scope":{"name":"scope","version":"1"},"spans":["#
    );

    /// OTLP specification, "JSON Protobuf Encoding": ids in hexadecimal, enumerations as numbers, lowerCamelCase keys,
    /// 64-bit integers as strings.
    #[test]
    fn a_span_follows_the_json_rules() {
        let json = encoded(|encoder| {
            let context = SpanContext { trace_id: [0xab; 16], span_id: [1; 8], parent_span_id: Some([0xfe; 8]) };
            let mut span = encoder.span(context, "na\"me", SpanKind::Client, 1_700_000_000_000_000_000, 2);
            span.int(&AttributeKey::new("i"), -5)
                .bool(&AttributeKey::new("b"), true)
                .double(&AttributeKey::new("d"), 0.5);
            span.str_array(&AttributeKey::new("a"), ["x", "\n"]).trace_state("ot=th:8");
            span.link([2; 16], [3; 8]).status_error("no");
        });
        let expected = concat!(
            r#"{"traceId":"abababababababababababababababab","spanId":"0101010101010101","traceState":"ot=th:8","#,
            r#""parentSpanId":"fefefefefefefefe","name":"na\"me","kind":3,"#,
            r#""startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"2","attributes":["#,
            r#"{"key":"i","value":{"intValue":"-5"}},{"key":"b","value":{"boolValue":true}},"#,
            r#"{"key":"d","value":{"doubleValue":0.5}},"#,
            r#"{"key":"a","value":{"arrayValue":{"values":[{"stringValue":"x"},{"stringValue":"\n"}]}}}],"#,
            r#""links":[{"traceId":"02020202020202020202020202020202","spanId":"0303030303030303"}],"#,
            r#""status":{"message":"no","code":2}}]}]}]}"#
        );
        assert_eq!(json, format!("{ENVELOPE}{expected}"));
    }

    #[test]
    fn numbers_without_a_json_number_are_strings() {
        let json = encoded(|encoder| {
            let context = SpanContext { trace_id: [1; 16], span_id: [1; 8], parent_span_id: None };
            let mut span = encoder.span(context, "", SpanKind::Internal, 0, 0);
            for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, -0.0] {
                span.double(&AttributeKey::new("d"), value);
            }
        });
        let values: Vec<_> = json.split("doubleValue\":").skip(1).map(|rest| rest.split('}').next().unwrap()).collect();
        assert_eq!(values, ["\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "1e300", "-0.0"]);
    }

    #[test]
    fn values_nest_up_to_a_depth() {
        let mut value = Vec::new();
        for _ in 0..10_000 {
            // ArrayValue.values, AnyValue.array_value
            for tag in [0x0a, 0x2a] {
                let mut outer = vec![tag];
                let mut len = value.len();
                while len >= 0x80 {
                    outer.push(len as u8 | 0x80);
                    len >>= 7;
                }
                outer.push(len as u8);
                outer.append(&mut value);
                value = outer;
            }
        }
        let mut json = Json { out: Vec::new(), depth: 0 };
        json.any_value(Reader::new(&value));
        assert_eq!(String::from_utf8(json.out).unwrap().matches("arrayValue").count(), MAX_DEPTH);
    }

    /// What `check` sends.
    #[test]
    fn an_empty_request_is_an_empty_list() {
        assert_eq!(to_json(&[]), br#"{"resourceSpans":[]}"#);
    }
}
