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

/// The decimal numbers of two digits, one behind the other.
const PAIRS: [u8; 200] = {
    let mut pairs = [b'0'; 200];
    let mut number = 0;
    while number < 100 {
        pairs[2 * number] += number as u8 / 10;
        pairs[2 * number + 1] += number as u8 % 10;
        number += 1;
    }
    pairs
};

struct Json {
    out: Vec<u8>,
    /// Lists around the value being written.
    depth: usize,
}

impl Json {
    fn resource_spans(&mut self, message: Reader<'_>) {
        let fields = Fields::<4>::new(message);
        let mut object = Object::open(self);
        if let Some(resource) = fields.message(1) {
            object.key("resource");
            let mut resource_object = Object::open(object.json);
            resource_object.array("attributes", &Fields::<2>::new(resource), 1, Self::key_value);
            resource_object.close();
        }
        object.array("scopeSpans", &fields, 2, Self::scope_spans);
        object.text("schemaUrl", fields.last(3));
        object.close();
    }

    fn scope_spans(&mut self, message: Reader<'_>) {
        let fields = Fields::<4>::new(message);
        let mut object = Object::open(self);
        if let Some(scope) = fields.message(1) {
            object.key("scope");
            let scope = Fields::<4>::new(scope);
            let mut scope_object = Object::open(object.json);
            scope_object.text("name", scope.last(1));
            scope_object.text("version", scope.last(2));
            scope_object.array("attributes", &scope, 3, Self::key_value);
            scope_object.close();
        }
        object.array("spans", &fields, 2, Self::span);
        object.text("schemaUrl", fields.last(3));
        object.close();
    }

    fn span(&mut self, span: Reader<'_>) {
        let span = Fields::<17>::new(span);
        let mut object = Object::open(self);
        object.hex("traceId", span.last(1));
        object.hex("spanId", span.last(2));
        object.text("traceState", span.last(3));
        object.hex("parentSpanId", span.last(4));
        object.number("flags", span.last(16));
        object.text("name", span.last(5));
        object.number("kind", span.last(6));
        object.long("startTimeUnixNano", span.last(7));
        object.long("endTimeUnixNano", span.last(8));
        object.array("attributes", &span, 9, Self::key_value);
        object.number("droppedAttributesCount", span.last(10));
        object.array("events", &span, 11, Self::event);
        object.number("droppedEventsCount", span.last(12));
        object.array("links", &span, 13, Self::link);
        object.number("droppedLinksCount", span.last(14));
        if let Some(status) = span.message(15) {
            object.key("status");
            let status = Fields::<4>::new(status);
            let mut status_object = Object::open(object.json);
            status_object.text("message", status.last(2));
            status_object.number("code", status.last(3));
            status_object.close();
        }
        object.close();
    }

    fn event(&mut self, event: Reader<'_>) {
        let event = Fields::<5>::new(event);
        let mut object = Object::open(self);
        object.long("timeUnixNano", event.last(1));
        object.text("name", event.last(2));
        object.array("attributes", &event, 3, Self::key_value);
        object.number("droppedAttributesCount", event.last(4));
        object.close();
    }

    fn link(&mut self, link: Reader<'_>) {
        let link = Fields::<7>::new(link);
        let mut object = Object::open(self);
        object.hex("traceId", link.last(1));
        object.hex("spanId", link.last(2));
        object.text("traceState", link.last(3));
        object.array("attributes", &link, 4, Self::key_value);
        object.number("droppedAttributesCount", link.last(5));
        object.number("flags", link.last(6));
        object.close();
    }

    /// Nearly all of a request is attributes: they are written in few pieces.
    fn key_value(&mut self, key_value: Reader<'_>) {
        let key_value = Fields::<3>::new(key_value);
        match key_value.last(1) {
            Some(key) => {
                self.put("{\"key\":");
                self.string(&key.text());
                self.put(",");
            }
            None => self.put("{"),
        }
        match key_value.message(2) {
            Some(value) => {
                self.put("\"value\":");
                self.any_value(value);
            }
            // No comma before the end.
            None if key_value.last(1).is_some() => drop(self.out.pop()),
            None => {}
        }
        self.put("}");
    }

    fn any_value(&mut self, value: Reader<'_>) {
        // A oneof: the last field counts. None of them is an empty value.
        match value.last() {
            Some((1, string)) => {
                self.put("{\"stringValue\":");
                self.string(&string.text());
                self.put("}");
            }
            Some((2, boolean)) => {
                self.put(if boolean.number() != 0 { "{\"boolValue\":true}" } else { "{\"boolValue\":false}" });
            }
            Some((3, integer)) => {
                let integer = integer.number() as i64;
                self.put(if integer < 0 { "{\"intValue\":\"-" } else { "{\"intValue\":\"" });
                self.decimal(integer.unsigned_abs());
                self.put("\"}");
            }
            Some((4, double)) => {
                self.put("{\"doubleValue\":");
                self.double(f64::from_bits(double.number()));
                self.put("}");
            }
            Some((5, list)) => self.values("{\"arrayValue\":{\"values\":[", list, Self::any_value),
            Some((6, list)) => self.values("{\"kvlistValue\":{\"values\":[", list, Self::key_value),
            _ => self.put("{}"),
        }
    }

    /// `ArrayValue` or `KeyValueList`, which may be empty.
    ///
    /// The only messages that nest without bound.
    fn values<'a>(&mut self, head: &str, list: Field<'a>, write: impl FnMut(&mut Self, Reader<'a>)) {
        if self.depth == MAX_DEPTH {
            return self.put("{}");
        }
        self.depth += 1;
        self.put(head);
        self.separated(Reader::new(list.bytes()).messages(1), write);
        self.put("]}}");
        self.depth -= 1;
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

    /// A string. Most need no escapes, and looking for them all at once is quick.
    fn string(&mut self, text: &str) {
        let escapes = |found, byte: &u8| found | (*byte < 0x20) | (*byte == b'"') | (*byte == b'\\');
        if text.as_bytes().iter().fold(false, escapes) {
            serde_json::to_writer(&mut self.out, text).expect("a Vec takes every write");
        } else {
            self.out.push(b'"');
            self.put(text);
            self.out.push(b'"');
        }
    }

    fn decimal(&mut self, mut value: u64) {
        let mut digits = [0; 20]; // u64::MAX has 20
        let mut start = digits.len();
        while value >= 10 {
            let pair = 2 * (value % 100) as usize;
            value /= 100;
            start -= 2;
            digits[start..start + 2].copy_from_slice(&PAIRS[pair..pair + 2]);
        }
        if value > 0 || start == digits.len() {
            start -= 1;
            digits[start] = b'0' + value as u8;
        }
        self.out.extend_from_slice(&digits[start..]);
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn format(&mut self, arguments: std::fmt::Arguments<'_>) {
        self.out.write_fmt(arguments).expect("a Vec takes every write");
    }
}

/// A message and the last field of each number below `N`: one pass instead of one for each.
struct Fields<'a, const N: usize> {
    message: Reader<'a>,
    last: [Option<Field<'a>>; N],
}

impl<'a, const N: usize> Fields<'a, N> {
    #[inline]
    fn new(message: Reader<'a>) -> Self {
        let mut last = [None; N];
        for (number, field) in message {
            if let Some(place) = last.get_mut(number as usize) {
                *place = Some(field);
            }
        }
        Self { message, last }
    }

    /// The one that counts.
    fn last(&self, number: usize) -> Option<Field<'a>> {
        self.last[number]
    }

    fn message(&self, number: usize) -> Option<Reader<'a>> {
        match self.last[number] {
            Some(Field::Bytes(bytes)) => Some(Reader::new(bytes)),
            _ => None,
        }
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
        self.json.out.push(b'"');
        self.json.put(key);
        self.json.put("\":");
    }

    fn text(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            self.json.string(&field.text());
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
            self.json.decimal(field.number());
        }
    }

    /// A 64-bit integer.
    fn long(&mut self, key: &str, field: Option<Field<'_>>) {
        if let Some(field) = field {
            self.key(key);
            self.json.out.push(b'"');
            self.json.decimal(field.number());
            self.json.out.push(b'"');
        }
    }

    /// The messages in a repeated field, unless there are none.
    fn array<'a, const N: usize>(
        &mut self,
        key: &str,
        fields: &Fields<'a, N>,
        number: usize,
        write: impl FnMut(&mut Json, Reader<'a>),
    ) {
        if fields.message(number).is_some() {
            self.key(key);
            self.json.out.push(b'[');
            self.json.separated(fields.message.messages(number as u32), write);
            self.json.out.push(b']');
        }
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
    fn integers_have_all_their_digits() {
        let numbers = [0, 1, 9, 10, 11, 99, 100, 101, 110, 999, 1000, 1009, 65_535, 100_000, i64::MAX - 1, i64::MAX];
        let numbers: Vec<_> = numbers.iter().flat_map(|number| [*number, -number, !number]).collect();
        let json = encoded(|encoder| {
            let context = SpanContext { trace_id: [1; 16], span_id: [1; 8], parent_span_id: None };
            let mut span = encoder.span(context, "", SpanKind::Internal, u64::MAX, 0);
            for number in &numbers {
                span.int(&AttributeKey::new("i"), *number);
            }
        });
        let values: Vec<_> = json.split("intValue\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(values, numbers.iter().map(i64::to_string).collect::<Vec<_>>());
        assert!(json.contains(r#""startTimeUnixNano":"18446744073709551615","endTimeUnixNano":"0""#), "{json}");
    }

    /// RFC 8259 section 7: quotation mark, reverse solidus and control characters.
    #[test]
    fn strings_are_escaped_where_they_must_be() {
        for text in ["", "plain", "ü→𝄞", "\"", "\\", "\0", "\x1f", "\x7f", "a\nb", "/"] {
            let mut json = Json { out: Vec::new(), depth: 0 };
            json.string(text);
            assert_eq!(String::from_utf8(json.out).unwrap(), serde_json::to_string(text).unwrap());
        }
    }

    #[test]
    fn parts_of_an_attribute_may_be_missing() {
        // KeyValue.key, KeyValue.value with an empty AnyValue.
        for (message, expected) in [
            (&[][..], "{}"),
            (&[0x0a, 1, b'k'], r#"{"key":"k"}"#),
            (&[0x12, 0], r#"{"value":{}}"#),
            (&[0x0a, 1, b'k', 0x12, 0], r#"{"key":"k","value":{}}"#),
        ] {
            let mut json = Json { out: Vec::new(), depth: 0 };
            json.key_value(Reader::new(message));
            assert_eq!(String::from_utf8(json.out).unwrap(), expected);
        }
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
