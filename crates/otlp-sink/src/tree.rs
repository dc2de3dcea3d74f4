//! Spans as indented trees, for a person at a terminal.
//!
//! ```text
//! trace 5b8efff798038103d269b633813fc60c
//! netflow.export 132µs  netflow.version=5 netflow.records=2
//! ├─ netflow.parse_packet 20µs
//! └─ netflow.process_flows 96µs
//!    ├─ netflow.flow 0ns  source.address=192.0.2.1 source.port=443 … +9
//!    └─ netflow.flow 0ns  source.address=192.0.2.7 source.port=53 … +9
//! ```
//!
//! Children come by their start. Of attributes, those that tell spans apart come first, and what a span repeats of those
//! above it is left out. Where spans are of several resources, as those of calls are, each says its service.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use crate::reader::{Field, Reader};

/// Columns of a line. Attributes that do not fit are counted, but some are shown always.
const MAX_WIDTH: usize = 160;

/// Attributes that are shown even when they do not fit.
const MIN_ATTRIBUTES: usize = 6;

/// Whose the span is and who talked to whom, by the general attributes of the semantic conventions: what a reader looks for
/// first.
const WELL_KNOWN: [&str; 6] =
    ["service.name", "source.address", "source.port", "destination.address", "destination.port", "network.transport"];

/// Levels that are indented; deeper spans stay at that depth.
const MAX_DEPTH: usize = 32;

pub(crate) fn write(out: &mut dyn Write, request: &[u8]) -> io::Result<()> {
    let groups: Vec<_> = Reader::new(request).messages(1).collect();
    let spans: Vec<Span<'_>> = groups
        .iter()
        .flat_map(|group| {
            let service = if groups.len() > 1 { service_name(*group) } else { None };
            let spans = group.messages(2).flat_map(|scope_spans| scope_spans.messages(2));
            spans.map(move |span| Span::new(span, service))
        })
        .collect();
    out.write_all(Forest::new(&spans).draw().as_bytes())?;
    out.flush()
}

/// The attribute of a `ResourceSpans`.
fn service_name(group: Reader<'_>) -> Option<Reader<'_>> {
    let mut attributes = group.messages(1).flat_map(|resource| resource.messages(1));
    attributes.find(|attribute| attribute.field(1).is_some_and(|key| key.bytes() == b"service.name"))
}

struct Span<'a> {
    message: Reader<'a>,
    /// The name of its service, as an attribute, where that is to be told.
    service: Option<Reader<'a>>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    /// Unix nanoseconds.
    start: u64,
    end: u64,
}

impl<'a> Span<'a> {
    fn new(message: Reader<'a>, service: Option<Reader<'a>>) -> Self {
        let id = |number| message.field(number).map_or(&[][..], Field::bytes);
        let time = |number| message.field(number).map_or(0, Field::number);
        Self { message, service, trace_id: id(1), span_id: id(2), parent_span_id: id(4), start: time(7), end: time(8) }
    }
}

/// The spans of a batch, by trace and parent.
struct Forest<'s, 'a> {
    spans: &'s [Span<'a>],
    /// Trace and span id to the spans below, by their start; roots are below the empty id.
    children: HashMap<(&'a [u8], &'a [u8]), Vec<usize>>,
    /// Trace ids in the order of their first span.
    traces: Vec<&'a [u8]>,
    drawn: Vec<bool>,
    text: String,
}

impl<'s, 'a> Forest<'s, 'a> {
    fn new(spans: &'s [Span<'a>]) -> Self {
        let present: HashMap<_, _> = spans.iter().map(|span| ((span.trace_id, span.span_id), ())).collect();
        let mut children: HashMap<_, Vec<usize>> = HashMap::new();
        let mut traces = Vec::new();
        let mut seen = HashMap::new();
        for (index, span) in spans.iter().enumerate() {
            if seen.insert(span.trace_id, ()).is_none() {
                traces.push(span.trace_id);
            }
            // A parent in another batch, or none: drawn as a root.
            let parent = present.contains_key(&(span.trace_id, span.parent_span_id));
            let parent_id = if parent { span.parent_span_id } else { &[] };
            children.entry((span.trace_id, parent_id)).or_default().push(index);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|&index| spans[index].start);
        }
        Self { spans, children, traces, drawn: vec![false; spans.len()], text: String::new() }
    }

    fn draw(mut self) -> String {
        for trace_id in std::mem::take(&mut self.traces) {
            self.text.push_str("trace ");
            for byte in trace_id {
                let _ = write!(self.text, "{byte:02x}");
            }
            self.text.push('\n');
            for root in self.children.remove(&(trace_id, &[][..])).unwrap_or_default() {
                self.draw_below(root);
            }
        }
        // Spans that are their own ancestors are below no root.
        for index in 0..self.spans.len() {
            self.draw_below(index);
        }
        self.text
    }

    /// Draws a span and all below it.
    fn draw_below(&mut self, root: usize) {
        let mut above = Above::default();
        let mut stack = vec![];
        self.push_siblings(&mut stack, &[root], |_| (String::new(), String::new()));
        while let Some(step) = stack.pop() {
            let (index, head, indent, attributes) = match step {
                Step::Draw { index, head, indent, attributes } => (index, head, indent, attributes),
                Step::Leave(attributes) => {
                    above.leave(&attributes);
                    continue;
                }
            };
            if std::mem::replace(&mut self.drawn[index], true) {
                continue;
            }
            let span = &self.spans[index];
            self.text.push_str(&head);
            let new = attributes.iter().filter(|attribute| !above.has(attribute)).map(|new| new.text.as_str());
            self.text.push_str(&line(span, new, MAX_WIDTH.saturating_sub(head.chars().count())));
            self.text.push('\n');
            let below = self.children.remove(&(span.trace_id, span.span_id)).unwrap_or_default();
            if below.is_empty() {
                continue;
            }
            above.enter(&attributes);
            stack.push(Step::Leave(attributes));
            let is_deep = indent.chars().count() >= 3 * MAX_DEPTH;
            self.push_siblings(&mut stack, &below, |is_last| {
                let (branch, space) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                let child_indent = if is_deep { indent.clone() } else { format!("{indent}{space}") };
                (format!("{indent}{branch}"), child_indent)
            });
        }
    }

    /// Puts siblings on the stack, the first on top, with the head and the indent that `lead` gives.
    fn push_siblings(&self, stack: &mut Vec<Step>, siblings: &[usize], lead: impl Fn(bool) -> (String, String)) {
        let attributes = |index: &usize| {
            let span = &self.spans[*index];
            span.service.into_iter().chain(span.message.messages(9)).map(Attribute::new).collect()
        };
        let mut rows: Vec<Vec<Attribute>> = siblings.iter().map(attributes).collect();
        sort_by_news(&mut rows);
        for (position, (&index, attributes)) in siblings.iter().zip(rows).enumerate().rev() {
            let (head, indent) = lead(position + 1 == siblings.len());
            stack.push(Step::Draw { index, head, indent, attributes });
        }
    }
}

/// What is left to do of a tree.
enum Step {
    /// A span, what is in front of it, and the indent of its children.
    Draw { index: usize, head: String, indent: String, attributes: Vec<Attribute> },
    /// All below a span with these attributes is drawn.
    Leave(Vec<Attribute>),
}

/// An attribute as it is shown.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Attribute {
    key: String,
    /// Key and value.
    text: String,
}

impl Attribute {
    fn new(key_value: Reader<'_>) -> Self {
        let mut key = String::new();
        printable(&mut key, &key_value.field(1).map_or_else(Default::default, Field::text));
        let mut text = format!("{key}=");
        if let Some(value) = key_value.messages(2).last() {
            any_value(&mut text, value);
        }
        Self { key, text }
    }
}

/// Puts the attributes of siblings into an order: those that are well known, then those that differ most of the time,
/// then those that differ, then those that are the same in all. Otherwise they stay as they were.
fn sort_by_news(siblings: &mut [Vec<Attribute>]) {
    let mut values: HashMap<&str, HashSet<&str>> = HashMap::new();
    for attribute in siblings.iter().flatten() {
        values.entry(&attribute.key).or_default().insert(&attribute.text);
    }
    let rank = |key: &str, values: usize| match WELL_KNOWN.iter().position(|known| *known == key) {
        Some(position) => position,
        None if 2 * values > siblings.len() => WELL_KNOWN.len(),
        None if values > 1 => WELL_KNOWN.len() + 1,
        None => WELL_KNOWN.len() + 2,
    };
    let ranks: HashMap<String, usize> =
        values.iter().map(|(key, values)| ((*key).to_owned(), rank(key, values.len()))).collect();
    for attributes in siblings {
        attributes.sort_by_key(|attribute| ranks[&attribute.key]);
    }
}

/// The attributes of the spans above, and how many of these have them.
#[derive(Default)]
struct Above(HashMap<Attribute, usize>);

impl Above {
    fn has(&self, attribute: &Attribute) -> bool {
        self.0.get(attribute).is_some_and(|spans| *spans > 0)
    }

    fn enter(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            *self.0.entry(attribute.clone()).or_default() += 1;
        }
    }

    fn leave(&mut self, attributes: &[Attribute]) {
        for attribute in attributes {
            if let Some(spans) = self.0.get_mut(attribute) {
                *spans -= 1;
            }
        }
    }
}

/// Name, duration, error and as many attributes as fit.
fn line<'s>(span: &Span<'_>, attributes: impl Iterator<Item = &'s str>, width: usize) -> String {
    let mut text = String::new();
    printable(&mut text, &span.message.field(5).map_or_else(Default::default, Field::text));
    let _ = write!(text, " {}", short(Duration::from_nanos(span.end.saturating_sub(span.start))));
    if let Some(status) = span.message.messages(15).last()
        && status.field(3).map(Field::number) == Some(2)
    {
        text.push_str(" ERROR");
        if let Some(message) = status.field(2) {
            text.push_str(": ");
            printable(&mut text, &message.text());
        }
    }
    let mut used = text.chars().count();
    let mut separator = "  ";
    let mut attributes = attributes.enumerate();
    while let Some((position, attribute)) = attributes.next() {
        used += separator.len() + attribute.chars().count();
        if used > width && position >= MIN_ATTRIBUTES {
            let _ = write!(text, "{separator}… +{}", 1 + attributes.count());
            break;
        }
        text.push_str(separator);
        text.push_str(attribute);
        separator = " ";
    }
    text
}

fn any_value(text: &mut String, value: Reader<'_>) {
    match value.last() {
        Some((1, string)) => {
            let string = string.text();
            if string.is_empty() || string.contains([' ', '"', '=']) {
                let _ = write!(text, "{string:?}");
            } else {
                printable(text, &string);
            }
        }
        Some((2, boolean)) => text.push_str(if boolean.number() != 0 { "true" } else { "false" }),
        Some((3, integer)) => drop(write!(text, "{}", integer.number() as i64)),
        Some((4, double)) => drop(write!(text, "{}", f64::from_bits(double.number()))),
        Some((5, array)) => {
            text.push('[');
            for (index, element) in Reader::new(array.bytes()).messages(1).enumerate() {
                if index > 0 {
                    text.push(',');
                }
                any_value(text, element);
            }
            text.push(']');
        }
        _ => text.push('?'),
    }
}

/// Text from elsewhere must not steer the terminal: control characters are escaped.
fn printable(text: &mut String, untrusted: &str) {
    for c in untrusted.chars() {
        if c.is_control() { text.extend(c.escape_default()) } else { text.push(c) }
    }
}

/// Three digits at most, in the unit that suits.
fn short(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (value, unit) = match nanos {
        ..1e3 => (nanos, "ns"),
        ..1e6 => (nanos / 1e3, "µs"),
        ..1e9 => (nanos / 1e6, "ms"),
        _ => return format!("{:.1}s", nanos / 1e9),
    };
    if value < 10.0 && value.fract() >= 0.05 { format!("{value:.1}{unit}") } else { format!("{value:.0}{unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode::{AttributeKey, BatchEncoder, Call, SpanContext, SpanHead, SpanKind};

    fn context(trace: u8, span: u8, parent: Option<u8>) -> SpanContext {
        SpanContext { trace_id: [trace; 16], span_id: [span; 8], parent_span_id: parent.map(|id| [id; 8]) }
    }

    fn drawn(write_spans: impl FnOnce(&mut BatchEncoder)) -> String {
        let mut encoder = BatchEncoder::new(&[], "test", "");
        write_spans(&mut encoder);
        let mut out = Vec::new();
        write(&mut out, encoder.finish()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn spans_of_a_call_say_their_services() {
        let text = drawn(|encoder| {
            let (mut head, context, key) = (SpanHead::default(), context(1, 1, None), AttributeKey::new("n"));
            encoder.head(&mut head, context, "ask", SpanKind::Internal, (0, 0), |mut span| {
                span.int(&key, 1);
            });
            let (client, server, server_span_id) = ("one", "other", [2; 8]);
            let call = Call { client, server, context, server_span_id, server_name: "answer", times: (0, 5) };
            encoder.call(
                &head,
                &call,
                |span| span.end(),
                |mut span| {
                    span.int(&key, 1);
                },
            );
        });
        let lines: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(lines, ["ask 5ns  service.name=one n=1", "└─ answer 5ns  service.name=other"]);
    }

    #[test]
    fn draws_children_below_their_parents_trace_by_trace() {
        let text = drawn(|encoder| {
            encoder.span(context(1, 1, None), "export", SpanKind::Internal, 0, 132_000).int(&AttributeKey::new("n"), 2);
            encoder.span(context(2, 9, None), "other", SpanKind::Internal, 0, 1).end();
            encoder.span(context(1, 2, Some(1)), "parse", SpanKind::Internal, 0, 1_550).end();
            encoder.span(context(1, 3, Some(1)), "process", SpanKind::Internal, 0, 2_000_000).end();
            let mut flow = encoder.span(context(1, 4, Some(3)), "flow", SpanKind::Internal, 0, 0);
            flow.str(&AttributeKey::new("a"), "b c").bool(&AttributeKey::new("ok"), true);
            drop(flow);
            encoder.span(context(1, 5, Some(3)), "flow", SpanKind::Internal, 0, 61_000_000_000).status_error("no");
        });
        let expected = "\
trace 01010101010101010101010101010101
export 132µs  n=2
├─ parse 1.6µs
└─ process 2ms
   ├─ flow 0ns  a=\"b c\" ok=true
   └─ flow 61.0s ERROR: no
trace 02020202020202020202020202020202
other 1ns
";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_span_without_its_parent_is_a_root() {
        let text = drawn(|encoder| encoder.span(context(1, 2, Some(1)), "late", SpanKind::Internal, 0, 0).end());
        assert_eq!(text.lines().nth(1), Some("late 0ns"));
    }

    #[test]
    fn spans_in_a_circle_are_drawn_once() {
        let text = drawn(|encoder| {
            encoder.span(context(1, 1, Some(2)), "a", SpanKind::Internal, 0, 0).end();
            encoder.span(context(1, 2, Some(1)), "b", SpanKind::Internal, 0, 0).end();
            encoder.span(context(1, 3, Some(3)), "self", SpanKind::Internal, 0, 0).end();
        });
        for name in ["a 0ns", "b 0ns", "self 0ns"] {
            assert_eq!(text.matches(name).count(), 1, "{text}");
        }
    }

    #[test]
    fn children_come_by_their_start() {
        let text = drawn(|encoder| {
            encoder.span(context(1, 1, None), "export", SpanKind::Internal, 0, 9).end();
            for (id, name, start) in [(2, "second", 2), (3, "third", 2), (4, "first", 1)] {
                encoder.span(context(1, id, Some(1)), name, SpanKind::Internal, start, 9).end();
            }
        });
        let names: Vec<_> = text.lines().skip(2).map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(names, ["first", "second", "third"]);
    }

    /// Repeated below its span only, and only with the same value.
    #[test]
    fn what_a_span_repeats_of_those_above_is_left_out() {
        let (version, domain) = (AttributeKey::new("version"), AttributeKey::new("domain"));
        let text = drawn(|encoder| {
            encoder.span(context(1, 1, None), "a", SpanKind::Internal, 0, 0).int(&version, 5).int(&domain, 1);
            encoder.span(context(1, 2, Some(1)), "b", SpanKind::Internal, 0, 0).int(&version, 5).int(&domain, 2);
            encoder.span(context(1, 3, Some(2)), "c", SpanKind::Internal, 0, 0).int(&version, 5).int(&domain, 2);
            encoder.span(context(1, 4, Some(1)), "d", SpanKind::Internal, 0, 0).int(&version, 9).int(&domain, 2);
            encoder.span(context(2, 1, None), "e", SpanKind::Internal, 0, 0).int(&version, 5).int(&domain, 1);
        });
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with("trace")).collect();
        let expected = [
            "a 0ns  version=5 domain=1",
            "├─ b 0ns  domain=2",
            "│  └─ c 0ns",
            "└─ d 0ns  version=9 domain=2",
            "e 0ns  version=5 domain=1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn attributes_that_tell_spans_apart_come_first() {
        let [same, some, all, port] = ["same", "some", "all", "source.port"].map(AttributeKey::new);
        let text = drawn(|encoder| {
            encoder.span(context(1, 1, None), "a", SpanKind::Internal, 0, 0).end();
            for id in 2..6 {
                let mut span = encoder.span(context(1, id, Some(1)), "b", SpanKind::Internal, 0, 0);
                span.int(&same, 0).int(&some, (id / 4).into()).int(&all, id.into()).int(&port, 443);
            }
        });
        assert!(text.ends_with("└─ b 0ns  source.port=443 all=5 some=1 same=0\n"), "{text}");
    }

    #[test]
    fn attributes_beyond_the_width_are_counted() {
        let text = drawn(|encoder| {
            let mut span = encoder.span(context(1, 1, None), "wide", SpanKind::Internal, 0, 0);
            for _ in 0..20 {
                span.str(&AttributeKey::new("attribute.key"), "value");
            }
        });
        let line = text.lines().nth(1).unwrap();
        assert!(line.ends_with("attribute.key=value … +13"), "{line}");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let text = drawn(|encoder| {
            let mut span = encoder.span(context(1, 1, None), "a\x1b[2J", SpanKind::Internal, 0, 0);
            span.str(&AttributeKey::new("k"), "\x1b]0;title\x07").str_array(&AttributeKey::new("l"), ["x y", "\r"]);
        });
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    }

    /// A chain may be as long as a batch: neither recursion nor indentation grows with it.
    #[test]
    fn a_deep_chain_stays_readable() {
        let text = drawn(|encoder| {
            for depth in 0..200 {
                let parent = (depth > 0).then(|| depth - 1);
                encoder.span(context(1, depth, parent), "s", SpanKind::Internal, 0, 0).end();
            }
        });
        assert_eq!(text.lines().count(), 201);
        assert!(text.lines().all(|line| line.chars().count() < 3 * MAX_DEPTH + 20), "{text}");
    }
}
