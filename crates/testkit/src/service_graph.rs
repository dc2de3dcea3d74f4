//! A graph of services from spans, as backends draw it.

use std::collections::{BTreeMap, HashMap};

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

/// Who called whom, and how often.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceGraph {
    /// Client and server.
    pub edges: BTreeMap<(String, String), usize>,
    /// Spans of kind CLIENT or SERVER whose other side did not come.
    pub alone: usize,
}

impl ServiceGraph {
    /// By the rule of the `servicegraph` connector of the OpenTelemetry Collector: an edge is known by trace and span ID of the
    /// CLIENT span, which is the parent of the SERVER span, and counts when both have come; names are those of the resources.
    ///
    /// # Panics
    ///
    /// When a span comes twice, or its resource has no `service.name`.
    pub fn new(spans: &[ResourceSpans]) -> Self {
        let mut open: HashMap<_, [Option<String>; 2]> = HashMap::new();
        let mut edges = BTreeMap::new();
        for group in spans {
            let resource = group.resource.as_ref().expect("a resource");
            let service = text(&resource.attributes, "service.name").expect("a service has a name");
            for span in group.scope_spans.iter().flat_map(|scope_spans| &scope_spans.spans) {
                let (side, id) = match span.kind() {
                    SpanKind::Client => (0, &span.span_id),
                    SpanKind::Server => (1, &span.parent_span_id),
                    _ => continue,
                };
                let edge = open.entry((&span.trace_id, id)).or_default();
                assert_eq!(edge[side].replace(service.to_owned()), None, "a span came twice");
                if let [Some(client), Some(server)] = edge {
                    *edges.entry((client.clone(), server.clone())).or_default() += 1;
                }
            }
        }
        Self { edges, alone: open.values().filter(|edge| edge.iter().any(Option::is_none)).count() }
    }
}

/// The text of an attribute.
pub fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    let attribute = attributes.iter().find(|attribute| attribute.key == key)?;
    match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        _ => None,
    }
}
