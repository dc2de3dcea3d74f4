//! Calls between services: two spans, each under a resource of its own.

use super::fragment::KIND;
use super::{BatchEncoder, SPAN_HEAD_LEN, SpanBuilder, SpanContext, SpanHead, SpanKind, cut, wire};

/// A call: the span of its client and, below it, that of its server. Backends that draw graphs of services make an edge of
/// the two, between the names of their resources.
///
/// Resources of calls have the attributes of the sink's, but for `service.name`, `service.version` and
/// `service.instance.id`, which tell of the program that writes spans and not of those that they are about.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// `service.name` of the client.
    pub client: &'a str,
    /// `service.name` of the server.
    pub server: &'a str,
    /// Identity of the client's span.
    pub context: SpanContext,
    /// The server's span.
    pub server_span_id: [u8; 8],
    /// Its name.
    pub server_name: &'a str,
    /// Start and end of both, Unix time in nanoseconds.
    pub times: (u64, u64),
}

/// Attributes of the sink's resource that those of calls do not have.
const OWN: [&str; 3] = ["service.name", "service.version", "service.instance.id"];

/// `KeyValue.key`
const SERVICE_NAME: &[u8] = b"\x0a\x0cservice.name";

/// Spans of a call.
const SPANS: usize = 2;

/// The last that came into a batch, taken out of it.
#[derive(Debug)]
pub(crate) enum Last {
    Span(Vec<u8>),
    Call(Vec<u8>),
}

impl BatchEncoder {
    /// Adds the two spans of a call: that of its client begins with `head`, whose kind gives way to CLIENT and whose IDs and
    /// times to those of the call; `client` and `server` add the rest. Both are in one request, side by side.
    pub fn call(
        &mut self,
        head: &SpanHead,
        call: &Call<'_>,
        client: impl FnOnce(SpanBuilder<'_>),
        server: impl FnOnce(SpanBuilder<'_>),
    ) {
        let start = self.begin_group();
        self.enclosed(call.client, |encoder| {
            let span = encoder.span_of(head, call.context, call.times);
            let head = span.pos - head.bytes.len()..span.pos;
            if let Some(kind) = span.encoder.buf[head].get_mut(KIND) {
                *kind = SpanKind::Client as u8;
            }
            client(span);
        });
        self.enclosed(call.server, |encoder| {
            let parent_span_id = Some(call.context.span_id);
            let context = SpanContext { span_id: call.server_span_id, parent_span_id, ..call.context };
            server(encoder.span(context, call.server_name, SpanKind::Server, call.times.0, call.times.1));
        });
        self.end_groups();
        self.last_span = start;
    }

    /// What resources of calls have in common with `resource`: attributes, encoded.
    pub(super) fn common(resource: &[(String, String)]) -> Box<[u8]> {
        let common = resource.iter().filter(|(key, _)| !OWN.contains(&key.as_str()));
        common.flat_map(|(key, value)| wire::attribute(key, value)).collect()
    }

    /// Adds the span that `write` adds, in a `ResourceSpans` of its own.
    fn enclosed(&mut self, service: &str, write: impl FnOnce(&mut Self)) {
        let service = cut(service);
        let text = wire::head(0x0a, service.len());
        let text = text.as_slice();
        let value = wire::head(0x12, text.len() + service.len());
        let value = value.as_slice();
        let key_value_len = SERVICE_NAME.len() + value.len() + text.len() + service.len();
        let key_value = wire::head(0x0a, key_value_len);
        let key_value = key_value.as_slice();
        let (common, scope) = (std::mem::take(&mut self.common), std::mem::take(&mut self.scope));
        let resource = wire::head(0x0a, key_value.len() + key_value_len + common.len());
        let resource_spans = self.end;
        self.end += SPAN_HEAD_LEN;
        for part in [resource.as_slice(), key_value, SERVICE_NAME, value, text, service.as_bytes(), &common] {
            self.append(part);
        }
        let scope_spans = self.end;
        self.end += SPAN_HEAD_LEN;
        self.append(&scope);
        (self.common, self.scope) = (common, scope);
        write(self);
        self.close(scope_spans, 0x12);
        self.close(resource_spans, 0x0a);
    }

    /// Ends the group of spans that came one by one, if there are any; returns where the next group begins.
    fn begin_group(&mut self) -> usize {
        if self.end > self.done + self.headroom() {
            self.close_group();
        }
        self.end = self.done;
        self.done
    }

    /// What has been written is whole; spans that come one by one are a group behind it.
    fn end_groups(&mut self) {
        self.done = self.end;
        self.end += self.headroom();
        if self.buf.len() < self.end {
            self.grow(self.end);
        }
    }

    /// Moves the envelope and the spans that came one by one to where the groups before end.
    pub(super) fn close_group(&mut self) {
        let group = self.seal();
        let (start, len) = (self.done, group.len());
        self.buf.copy_within(group, start);
        self.end = start + len;
        self.end_groups();
    }

    /// Takes the last span, or the last call, out of the batch, ready for [`push`](Self::push).
    pub(crate) fn pop_last(&mut self) -> Last {
        let is_call = self.last_span < self.done;
        let end = if is_call { self.done } else { self.end };
        let last = self.buf[self.last_span..end].to_vec();
        self.end = self.last_span;
        self.spans = self.spans.saturating_sub(if is_call { SPANS } else { 1 });
        if is_call {
            self.end_groups();
            return Last::Call(last);
        }
        Last::Span(last)
    }

    /// Adds what another batch had for its last.
    pub(crate) fn push(&mut self, last: &Last) {
        match last {
            Last::Span(span) => {
                self.last_span = self.end;
                self.append(span);
                self.spans += 1;
            }
            Last::Call(call) => {
                self.last_span = self.begin_group();
                self.append(call);
                self.end_groups();
                self.spans += SPANS;
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let end = self.end + bytes.len();
        if self.buf.len() < end {
            self.grow(end);
        }
        self.buf[self.end..end].copy_from_slice(bytes);
        self.end = end;
    }

    /// Writes tag and length in front of what lies from [`SPAN_HEAD_LEN`] bytes behind `start` to the end. It moves where they
    /// are of another length.
    pub(super) fn close(&mut self, start: usize, tag: u8) {
        let body = start + SPAN_HEAD_LEN;
        let len = self.end - body;
        let head = wire::head(tag, len);
        let head = head.as_slice();
        let place = start + head.len();
        if self.buf.len() < place + len {
            self.grow(place + len);
        }
        if place != body {
            self.buf.copy_within(body..body + len, place);
        }
        self.buf[start..place].copy_from_slice(head);
        self.end = place + len;
    }
}
