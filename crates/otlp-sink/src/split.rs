//! A request in two halves, for receivers that take no larger ones.

use bytes::Bytes;

use crate::encode::wire;
use crate::queue::Batch;
use crate::reader::Reader;

/// The first and the second half of the spans of a batch, each with resource and scope. `None` for a single span, and for
/// what is no request of this crate's own.
pub(crate) fn halves(batch: &Batch) -> Option<[Batch; 2]> {
    // ExportTraceServiceRequest.resource_spans = 1; ResourceSpans { resource = 1, scope_spans = 2, schema_url = 3 };
    // ScopeSpans { scope = 1, spans = 2, schema_url = 3 }.
    let resource_spans = Reader::new(&batch.request).messages(1).next()?;
    let resource = envelope(resource_spans);
    let scope_spans = resource_spans.messages(2).next()?;
    let scope = envelope(scope_spans);
    let spans: Vec<_> = scope_spans.filter(|(number, _)| *number == 2).map(|(_, span)| span.bytes()).collect();
    let half = |spans: &[&[u8]]| {
        let mut scope_spans = scope.clone();
        spans.iter().for_each(|span| wire::put_bytes(&mut scope_spans, 0x12, span));
        let mut resource_spans = resource.clone();
        wire::put_bytes(&mut resource_spans, 0x12, &scope_spans);
        let request = Bytes::from(wire::message(0x0a, &resource_spans));
        Batch { request, spans: spans.len() as u64, created: batch.created }
    };
    if spans.len() < 2 || spans.len() as u64 != batch.spans {
        return None;
    }
    let (first, second) = spans.split_at(spans.len() / 2);
    Some([half(first), half(second)])
}

/// The fields of a message beside field 2, all of which are length-delimited.
fn envelope(message: Reader<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message
        .filter(|(number, _)| *number != 2)
        .for_each(|(number, field)| wire::put_bytes(&mut out, (number << 3 | 2) as u8, field.bytes()));
    out
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use prost::Message as _;

    use super::*;
    use crate::encode::{BatchEncoder, SpanContext, SpanKind};

    fn batch(spans: u64) -> Batch {
        let mut encoder = BatchEncoder::new(&[("service.name".to_owned(), "test".to_owned())], "scope", "1");
        for index in 0..spans {
            let context = SpanContext { trace_id: [1; 16], span_id: (index + 1).to_be_bytes(), parent_span_id: None };
            encoder.span(context, "span", SpanKind::Internal, 1, 2).end();
        }
        let mut request = ExportTraceServiceRequest::decode(encoder.finish()).unwrap();
        if let Some(resource_spans) = request.resource_spans.first_mut() {
            resource_spans.schema_url = "https://example.com/resource".to_owned();
            resource_spans.scope_spans[0].schema_url = "https://example.com/scope".to_owned();
        }
        Batch::new(request.encode_to_vec().into(), spans)
    }

    #[test]
    fn halves_are_requests_with_all_spans_in_order() {
        for spans in 2..20 {
            let whole = batch(spans);
            let decode = |batch: &Batch| ExportTraceServiceRequest::decode(batch.request.clone()).unwrap();
            let [first, second] = halves(&whole).unwrap();
            assert_eq!((first.spans, second.spans), (spans / 2, spans - spans / 2));
            let (mut joined, second) = (decode(&first), decode(&second));
            let envelope = |request: &ExportTraceServiceRequest| {
                let mut resource_spans = request.resource_spans[0].clone();
                resource_spans.scope_spans[0].spans.clear();
                resource_spans
            };
            assert_eq!(envelope(&joined), envelope(&second));
            let spans = second.resource_spans[0].scope_spans[0].spans.clone();
            joined.resource_spans[0].scope_spans[0].spans.extend(spans);
            assert_eq!(joined, decode(&whole));
        }
    }

    #[test]
    fn a_single_span_and_foreign_bytes_have_no_halves() {
        assert!(halves(&batch(1)).is_none());
        assert!(halves(&Batch::new(vec![0; 10].into(), 2)).is_none());
        assert!(halves(&Batch { spans: 3, ..batch(2) }).is_none());
    }
}
