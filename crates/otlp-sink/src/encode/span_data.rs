//! Spans of an OpenTelemetry SDK, with all that they have and their strings whole.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanKind as SdkSpanKind, Status, TraceState};
use opentelemetry::{Array, InstrumentationScope, Key, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use super::span::SpanBuilder;
use super::{BatchEncoder, MAX_STRING_LEN, SPAN_HEAD_LEN, SpanContext, SpanKind};

/// `SpanFlags`: it is known whether the parent, or the linked span, is remote.
const HAS_IS_REMOTE: u32 = 0x100;

/// `SpanFlags`: it is.
const IS_REMOTE: u32 = 0x200;

impl BatchEncoder {
    /// Replaces the resource. The batch has to be empty.
    pub(crate) fn set_resource(&mut self, resource: &Resource) {
        self.resource = self.envelope(resource.schema_url(), |part| {
            resource.iter().for_each(|(key, value)| part.key_value(0x0a, key, value));
        });
        self.clear();
    }

    /// Replaces the scope. The batch has to be empty.
    pub(crate) fn set_scope(&mut self, scope: &InstrumentationScope) {
        self.scope = self.envelope(scope.schema_url(), |part| {
            part.text(0x0a, scope.name());
            part.text(0x12, scope.version().unwrap_or_default());
            scope.attributes().for_each(|attribute| part.key_value(0x1a, &attribute.key, &attribute.value));
        });
        self.clear();
    }

    /// A message as field 1 and a schema URL as field 3: `ResourceSpans` and `ScopeSpans` have both alike.
    fn envelope(&mut self, schema_url: Option<&str>, content: impl FnOnce(&mut SpanBuilder<'_>)) -> Box<[u8]> {
        let mut envelope = Vec::new();
        self.aside(&mut envelope, |encoder| {
            let mut part = encoder.bare_span();
            part.nested(0x0a, content);
            part.text(0x1a, schema_url.unwrap_or_default());
        });
        envelope.into_boxed_slice()
    }

    /// Adds a span. What a later version of the SDK may have for a value becomes an empty one.
    pub(crate) fn span_data(&mut self, span: &SpanData) {
        let context = SpanContext {
            trace_id: span.span_context.trace_id().to_bytes(),
            span_id: span.span_context.span_id().to_bytes(),
            parent_span_id: Some(span.parent_span_id.to_bytes()).filter(|id| *id != [0; 8]),
        };
        let mut builder = self.bare_span();
        builder.begin(context, kind(&span.span_kind), unix_nanos(span.start_time), unix_nanos(span.end_time));
        builder.text(0x2a, &span.name);
        builder.tracestate(span.span_context.trace_state());
        // Span.flags is field 16, whose tag takes two bytes.
        builder.put(&[0x85, 0x01]);
        builder.put(&flags(span.span_context.trace_flags().to_u8(), span.parent_span_is_remote));
        span.attributes.iter().for_each(|attribute| builder.key_value(0x4a, &attribute.key, &attribute.value));
        builder.count(0x50, span.dropped_attributes_count);
        span.events.iter().for_each(|event| builder.event(event));
        builder.count(0x60, span.events.dropped_count);
        span.links.iter().for_each(|link| builder.link_data(link));
        builder.count(0x70, span.links.dropped_count);
        builder.nested(0x7a, |status| match &span.status {
            Status::Unset => {}
            Status::Ok => status.put(&[0x18, 1]),
            Status::Error { description } => {
                status.text(0x12, description);
                status.put(&[0x18, 2]);
            }
        });
    }

    fn bare_span(&mut self) -> SpanBuilder<'_> {
        let pos = self.end + SPAN_HEAD_LEN;
        SpanBuilder { encoder: self, pos, attributes: 0 }
    }
}

impl SpanBuilder<'_> {
    /// A string that is not empty.
    fn text(&mut self, tag: u8, text: &str) {
        if !text.is_empty() {
            self.whole_string(tag, text);
        }
    }

    fn whole_string(&mut self, tag: u8, text: &str) {
        if text.len() > MAX_STRING_LEN {
            self.bytes_field(tag, text.as_bytes());
        } else {
            self.string_field(tag, text);
        }
    }

    /// A number that is not zero.
    fn count(&mut self, tag: u8, count: u32) {
        if count > 0 {
            self.put(&[tag]);
            self.varint(count.into());
        }
    }

    fn tracestate(&mut self, trace_state: &TraceState) {
        if *trace_state != TraceState::NONE {
            self.text(0x1a, &trace_state.header());
        }
    }

    fn event(&mut self, event: &Event) {
        self.nested(0x5a, |part| {
            part.put(&[0x09]);
            part.put(&unix_nanos(event.timestamp).to_le_bytes());
            part.text(0x12, &event.name);
            event.attributes.iter().for_each(|attribute| part.key_value(0x1a, &attribute.key, &attribute.value));
            part.count(0x20, event.dropped_attributes_count);
        });
    }

    fn link_data(&mut self, link: &Link) {
        let context = &link.span_context;
        self.nested(0x6a, |part| {
            part.bytes_field(0x0a, &context.trace_id().to_bytes());
            part.bytes_field(0x12, &context.span_id().to_bytes());
            part.tracestate(context.trace_state());
            link.attributes.iter().for_each(|attribute| part.key_value(0x22, &attribute.key, &attribute.value));
            part.count(0x28, link.dropped_attributes_count);
            part.put(&[0x35]);
            part.put(&flags(context.trace_flags().to_u8(), context.is_remote()));
        });
    }

    fn key_value(&mut self, tag: u8, key: &Key, value: &Value) {
        self.nested(tag, |part| {
            part.text(0x0a, key.as_str());
            part.nested(0x12, |part| match value {
                Value::Bool(value) => part.bool_value(*value),
                Value::I64(value) => part.int_value(*value),
                Value::F64(value) => part.double_value(*value),
                Value::String(value) => part.whole_string(0x0a, value.as_str()),
                Value::Array(Array::Bool(values)) => part.array(values, |part, value| part.bool_value(*value)),
                Value::Array(Array::I64(values)) => part.array(values, |part, value| part.int_value(*value)),
                Value::Array(Array::F64(values)) => part.array(values, |part, value| part.double_value(*value)),
                Value::Array(Array::String(values)) => {
                    part.array(values, |part, value| part.whole_string(0x0a, value.as_str()));
                }
                _ => {}
            });
        });
    }

    fn array<T>(&mut self, values: &[T], write: impl Fn(&mut Self, &T)) {
        self.nested(0x2a, |part| values.iter().for_each(|value| part.nested(0x0a, |part| write(part, value))));
    }

    fn bool_value(&mut self, value: bool) {
        self.put(&[0x10, u8::from(value)]);
    }

    fn int_value(&mut self, value: i64) {
        self.put(&[0x18]);
        self.varint(value as u64);
    }

    fn double_value(&mut self, value: f64) {
        self.put(&[0x21]);
        self.put(&value.to_le_bytes());
    }
}

fn kind(kind: &SdkSpanKind) -> SpanKind {
    match kind {
        SdkSpanKind::Internal => SpanKind::Internal,
        SdkSpanKind::Server => SpanKind::Server,
        SdkSpanKind::Client => SpanKind::Client,
        SdkSpanKind::Producer => SpanKind::Producer,
        SdkSpanKind::Consumer => SpanKind::Consumer,
    }
}

/// The flags of the W3C trace context, and whether the other side is remote.
fn flags(trace_flags: u8, is_remote: bool) -> [u8; 4] {
    (u32::from(trace_flags) | HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 }).to_le_bytes()
}

/// 0 for a time before 1970.
fn unix_nanos(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}
