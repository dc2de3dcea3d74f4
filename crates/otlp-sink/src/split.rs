//! A request in two halves, for receivers that take no larger ones.

use bytes::Bytes;

use crate::encode::wire;
use crate::queue::Batch;
use crate::reader::Reader;

/// The first and the second half of the spans of a batch, each with resource and scope. `None` for a single span or call, and
/// for what is no request of this crate's own.
pub(crate) fn halves(batch: &Batch) -> Option<[Batch; 2]> {
    // ExportTraceServiceRequest.resource_spans = 1; ResourceSpans { resource = 1, scope_spans = 2, schema_url = 3 };
    // ScopeSpans { scope = 1, spans = 2, schema_url = 3 }.
    let groups: Vec<_> = Reader::new(&batch.request).messages(1).collect();
    if groups.iter().map(|group| spans(*group).count() as u64).sum::<u64>() != batch.spans {
        return None;
    }
    let half = |request: Vec<u8>, spans: usize| Batch {
        request: Bytes::from(request),
        spans: spans as u64,
        created: batch.created,
    };
    let [first, second] = match groups[..] {
        [group] => halves_of_group(group)?,
        _ => halves_of_groups(&groups)?,
    };
    Some([half(first.0, first.1), half(second.0, second.1)])
}

/// A request and the number of its spans.
type Half = (Vec<u8>, usize);

/// The spans of one resource.
fn halves_of_group(group: Reader<'_>) -> Option<[Half; 2]> {
    let mut scopes = group.messages(2);
    let (Some(scope_spans), None) = (scopes.next(), scopes.next()) else {
        return None;
    };
    let (resource, scope) = (envelope(group), envelope(scope_spans));
    let spans: Vec<_> = scope_spans.messages(2).collect();
    let half = |spans: &[Reader<'_>]| {
        let mut scope_spans = scope.clone();
        spans.iter().for_each(|span| wire::put_bytes(&mut scope_spans, 0x12, span.rest()));
        let mut resource_spans = resource.clone();
        wire::put_bytes(&mut resource_spans, 0x12, &scope_spans);
        (wire::message(0x0a, &resource_spans).into_vec(), spans.len())
    };
    let (first, second) = spans.split_at(spans.len() / 2);
    (!first.is_empty()).then(|| [half(first), half(second)])
}

/// Whole resources, in the middle or as near to it as leaves calls whole.
fn halves_of_groups(groups: &[Reader<'_>]) -> Option<[Half; 2]> {
    let middle = groups.len() / 2;
    let cuts = (1..groups.len()).filter(|&cut| !is_call(groups[cut - 1], groups[cut]));
    let (first, second) = groups.split_at(cuts.min_by_key(|cut| cut.abs_diff(middle))?);
    Some([first, second].map(|groups| {
        let mut request = Vec::new();
        groups.iter().for_each(|group| wire::put_bytes(&mut request, 0x0a, group.rest()));
        (request, groups.iter().map(|group| spans(*group).count()).sum())
    }))
}

/// Whether the spans of `server` go on where those of `client` end: as those of a call.
fn is_call(client: Reader<'_>, server: Reader<'_>) -> bool {
    let (Some(client), Some(server)) = (spans(client).last(), spans(server).next()) else {
        return false;
    };
    // Span { trace_id = 1, span_id = 2, parent_span_id = 4 }.
    client.field(1) == server.field(1) && client.field(2) == server.field(4)
}

fn spans(group: Reader<'_>) -> impl Iterator<Item = Reader<'_>> {
    group.messages(2).flat_map(|scope_spans| scope_spans.messages(2))
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
    use crate::encode::{BatchEncoder, Call, SpanContext, SpanHead, SpanKind};

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

    /// Spans, then calls, then spans, so many each.
    fn mixed(parts: [u64; 3]) -> Batch {
        let mut encoder = BatchEncoder::new(&[("team".to_owned(), "test".to_owned())], "scope", "1");
        let (mut id, mut head) = (0_u64, SpanHead::default());
        let root = SpanContext { trace_id: [1; 16], span_id: [0; 8], parent_span_id: None };
        encoder.head(&mut head, root, "c", SpanKind::Internal, (1, 2), |span| span.end());
        let mut context = || {
            id += 1;
            SpanContext { span_id: id.to_be_bytes(), ..root }
        };
        for (part, count) in parts.into_iter().enumerate() {
            for _ in 0..count {
                if part != 1 {
                    encoder.span(context(), "span", SpanKind::Internal, 1, 2).end();
                    continue;
                }
                let server_span_id = context().span_id;
                let context = context();
                let call = Call { client: "a", server: "b", context, server_span_id, server_name: "s", times: (1, 2) };
                encoder.call(&head, &call, |span| span.end(), |span| span.end());
            }
        }
        let spans = encoder.spans() as u64;
        Batch::new(encoder.finish().to_vec().into(), spans)
    }

    /// Halves of halves, as long as there are any.
    fn parts(batch: &Batch) -> Vec<Batch> {
        match halves(batch) {
            Some([first, second]) => [parts(&first), parts(&second)].concat(),
            None => vec![batch.clone()],
        }
    }

    #[test]
    fn a_call_is_in_one_part_however_often_its_batch_is_halved() {
        for shape in
            [[0, 1, 0], [0, 2, 0], [0, 3, 0], [0, 40, 0], [1, 1, 1], [7, 0, 0], [5, 5, 0], [0, 5, 5], [9, 4, 7]]
        {
            let whole = mixed(shape);
            assert_eq!(whole.spans, shape[0] + 2 * shape[1] + shape[2]);
            let parts = parts(&whole);
            let [before, calls, after] = shape;
            assert_eq!(parts.len() as u64, before + calls + after, "{shape:?}: one span or call each");
            let mut joined = Vec::new();
            for part in &parts {
                let request = ExportTraceServiceRequest::decode(part.request.clone()).unwrap();
                let spans: Vec<_> =
                    request.resource_spans.iter().flat_map(|group| group.scope_spans[0].spans.clone()).collect();
                assert_eq!(spans.len() as u64, part.spans);
                match &spans[..] {
                    [span] => assert_eq!(span.kind, SpanKind::Internal as i32),
                    [client, server] => assert_eq!(server.parent_span_id, client.span_id),
                    _ => panic!("{} spans", spans.len()),
                }
                joined.extend(spans.into_iter().map(|span| span.span_id));
            }
            let request = ExportTraceServiceRequest::decode(whole.request).unwrap();
            let spans = request.resource_spans.iter().flat_map(|group| &group.scope_spans[0].spans);
            assert_eq!(joined, spans.map(|span| span.span_id.clone()).collect::<Vec<_>>());
        }
    }
}
