//! What the benches share: streams of datagrams, and our way through them. Only public API is used here, so this
//! package doubles as an API test.
#![allow(clippy::unwrap_used)] // a bench that cannot go on has failed

use flow_collector::{AttributeKeys, Filter, OtlpParts, OtlpSpan, span_call, span_context};
use flow_semconv::{
    Attribute, Call, ExportTrace, FlowSampling, IdGenerator, Schema, SpanSink, SpanStart, Timings, TraceConfig,
    TraceContext, TraceShape,
};
use std::net::IpAddr;
use std::sync::Arc;

use flow_state::{CommonFields, Datagram, Decoded, FlowGroup, State, StateConfig, Timestamp, TransportSession};
use flow_traffic::streams;
use otlp_sink::{AttributeFragment, AttributeKey, BatchEncoder, IntRow, SpanHead, SpanKind};
use testkit::corpus;

/// Datagrams of one exporter, Templates first.
pub struct Stream {
    /// What it holds.
    pub name: String,
    /// The datagrams in order.
    pub datagrams: Vec<Vec<u8>>,
    /// Flow records in all of them.
    pub records: u64,
}

impl Stream {
    fn new(name: &str, datagrams: Vec<Vec<u8>>) -> Self {
        let mut pass = Pass::new();
        let records = datagrams.iter().map(|datagram| pass.decode(datagram).0).sum();
        Self { name: name.to_owned(), datagrams, records }
    }
}

const DATAGRAMS: usize = 500;

/// The generated streams: v5, v9 of 7 and of 20 fields, IPFIX with a string.
pub fn generated() -> Vec<Stream> {
    vec![
        Stream::new("v5", streams::v5(DATAGRAMS)),
        Stream::new("v9_7_fields", streams::v9_7_fields(DATAGRAMS)),
        Stream::new("v9_20_fields", streams::v9_20_fields(DATAGRAMS)),
        Stream::new("ipfix_with_string", streams::ipfix_with_string(DATAGRAMS)),
    ]
}

/// The captures of real exporters.
pub fn captured() -> Vec<Stream> {
    let stream = |capture: &std::path::PathBuf| {
        let datagrams = corpus::datagrams(capture).into_iter().map(|datagram| datagram.payload).collect();
        Stream::new(capture.file_stem().unwrap().to_str().unwrap(), datagrams)
    };
    corpus::captures().iter().map(stream).collect()
}

/// Our way from datagrams to records, and on to the bytes of spans.
pub struct Pass {
    state: Arc<State>,
    decoded: Decoded,
    session: TransportSession,
    trace: ExportTrace<OtlpParts>,
    spans: EncoderSpans,
}

struct EncoderSpans {
    encoder: BatchEncoder,
    keys: AttributeKeys,
}

impl SpanSink for EncoderSpans {
    type Parts = OtlpParts;
    type Span<'s> = OtlpSpan<'s>;

    #[inline]
    fn span(&mut self, start: &SpanStart) -> OtlpSpan<'_> {
        let encoder = &mut self.encoder;
        OtlpSpan::begin(start, &self.keys, |context, name, kind, from, to| encoder.span(context, name, kind, from, to))
    }

    fn head(&mut self, head: &mut SpanHead, start: &SpanStart, write: impl FnOnce(&mut OtlpSpan<'_>)) {
        let times = (start.start.as_unix_nanos(), start.end.as_unix_nanos());
        self.encoder.head(head, span_context(&start.context), start.name, SpanKind::Internal, times, |span| {
            write(&mut OtlpSpan::new(span, &self.keys));
        });
    }

    #[inline]
    fn span_with(&mut self, head: &SpanHead, span_id: u64) -> OtlpSpan<'_> {
        OtlpSpan::new(self.encoder.span_with(head, span_id.to_be_bytes()), &self.keys)
    }

    #[inline]
    fn span_of(&mut self, head: &SpanHead, context: TraceContext, times: (Timestamp, Timestamp)) -> OtlpSpan<'_> {
        let times = (times.0.as_unix_nanos(), times.1.as_unix_nanos());
        OtlpSpan::new(self.encoder.span_of(head, span_context(&context), times), &self.keys)
    }

    fn call(
        &mut self,
        head: &SpanHead,
        call: &Call<'_>,
        client: impl FnOnce(&mut OtlpSpan<'_>),
        server: impl FnOnce(&mut OtlpSpan<'_>),
    ) {
        self.encoder.call(
            head,
            &span_call(call),
            |span| client(&mut OtlpSpan::new(span, &self.keys)),
            |span| server(&mut OtlpSpan::new(span, &self.keys)),
        );
    }

    fn fragment(&mut self, fragment: &mut AttributeFragment, write: impl FnOnce(&mut OtlpSpan<'_>)) {
        self.encoder.fragment(fragment, |span| write(&mut OtlpSpan::new(span, &self.keys)));
    }

    fn row(&mut self, columns: &[(Attribute, usize)]) -> IntRow {
        self.keys.row(columns)
    }

    fn key(&mut self, name: &str) -> AttributeKey {
        AttributeKey::from(name.to_owned())
    }
}

/// The text of a filter.
pub type FilterText = fn() -> String;

/// Filters by name: none, the rules of a collector that exports, one expression, twenty rules of every kind, five hundred.
pub const FILTERS: [(&str, FilterText); 5] = [
    ("none", || "any".to_owned()),
    ("own_traffic", || {
        let own = |end| format!("drop proto tcp and {end} host 198.51.100.7 and {end} port 4317");
        format!("{};{}", own("src"), own("dst"))
    }),
    ("expression", || "proto tcp and dst port 443 and not src net 192.168.0.0/16".to_owned()),
    ("20_rules", || TWENTY_RULES.join(";")),
    ("500_rules", || {
        let rule = |n| format!("drop src net 10.{}.{}.0/24 and dst port {}", n / 100, n % 100, 1000 + n);
        let rules: Vec<_> = (0..499).map(rule).chain(["keep any".to_owned()]).collect();
        rules.join(";")
    }),
];

/// What an operator might write, the own traffic of a collector first; most flows reach the last.
const TWENTY_RULES: [&str; 20] = [
    "drop proto tcp and src host 198.51.100.7 and src port 4317",
    "drop proto tcp and dst host 198.51.100.7 and dst port 4317",
    "drop udp and port in [53 123 5353]",
    "drop src net 169.254.0.0/16 or dst net 224.0.0.0/4",
    "keep src net 10.1.0.0/16 and dst port in [22 3389] and flags S",
    "drop proto tcp and dst port 179",
    "keep icmp and icmp-type in [3 11]",
    "drop icmp",
    "keep bytes > 100m",
    "drop src net 192.168.0.0/16 and dst net 192.168.0.0/16",
    "keep as in [64512-65534]",
    "drop in if 99 or out if 99",
    "keep tcp and flags R and packets < 2",
    "drop udp and src port 161",
    "keep dst net in [203.0.113.0/24 198.51.100.0/25] and dst port in [80 443 8080-8090]",
    "drop proto 47 and not src net 10.0.0.0/8",
    "keep exporter 192.0.2.77 and domain 9",
    "drop tos 184 and udp and dst port 16384-32767",
    "keep ipv6 and tcp",
    "keep packets > 0",
];

/// Spans of a batch, as many as in the SDKs of OpenTelemetry; larger ones leave the caches.
pub const BATCH_SPANS: usize = 512;

/// Spans of the largest requests of a sink, as it is unless told otherwise.
pub const LARGE_BATCH_SPANS: usize = 8192;

impl Pass {
    /// With an empty state.
    pub fn new() -> Self {
        let resource = [("service.name".to_owned(), "bench".to_owned())];
        Self {
            state: Arc::new(State::new(StateConfig::default())),
            decoded: Decoded::default(),
            session: TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into()),
            trace: ExportTrace::new(IdGenerator::with_seed(1)),
            spans: EncoderSpans {
                encoder: BatchEncoder::new(&resource, "bench", "0"),
                keys: AttributeKeys::new(Schema::Netflow),
            },
        }
    }

    /// With every element of the records as it is.
    #[must_use]
    pub fn with_all_elements(mut self) -> Self {
        let all = "all".parse().expect("it is a word of theirs");
        self.trace = self.trace.with_extra_elements(all, self.state.clone());
        self
    }

    /// With other traces.
    #[must_use]
    pub fn shaped(mut self, shape: TraceShape) -> Self {
        let mut config = TraceConfig::default();
        config.shape = shape;
        self.trace = self.trace.with_config(config);
        self
    }

    /// With a share of the flows.
    #[must_use]
    pub fn sampled(mut self, sampling: FlowSampling) -> Self {
        self.set_sampling(sampling);
        self
    }

    /// Another share from now on.
    pub fn set_sampling(&mut self, sampling: FlowSampling) {
        self.trace.set_sampling(Some(sampling));
    }

    /// Decodes a datagram and reads the common facts of each flow; the number of flows and a digest of what was read.
    #[inline]
    pub fn decode(&mut self, bytes: &[u8]) -> (u64, u64) {
        self.take(bytes, 0);
        let (mut flows, mut sum) = (0, 0);
        for set in self.decoded.replayed_sets().chain(self.decoded.data_sets(bytes)) {
            (flows, sum) =
                set.common_fields().fold((flows, sum), |(flows, sum), fields| (flows + 1, digest(&fields, sum)));
        }
        (flows, sum)
    }

    /// The common facts of each flow of a stream.
    pub fn flows(&mut self, stream: &Stream) -> Vec<CommonFields> {
        let mut flows = Vec::new();
        for datagram in &stream.datagrams {
            self.take(datagram, 0);
            self.decoded.data_sets(datagram).for_each(|set| flows.extend(set.common_fields()));
        }
        flows
    }

    /// Decodes a datagram and asks a filter about each flow; the number of flows and of those that are kept.
    #[inline]
    pub fn filter(&mut self, bytes: &[u8], filter: &Filter) -> (u64, u64) {
        self.take(bytes, 0);
        let sets = self.decoded.replayed_sets().chain(self.decoded.data_sets(bytes));
        sets.flat_map(|set| set.groups()).fold((0, 0), |(flows, kept), group| {
            let bits = filter.keeps(&group) & u32::MAX >> (FlowGroup::MAX - group.len());
            (flows + group.len() as u64, kept + u64::from(bits.count_ones()))
        })
    }

    /// Decodes a datagram and visits every field of each flow; the number of flows.
    #[inline]
    pub fn every_field(&mut self, bytes: &[u8]) -> u64 {
        self.take(bytes, 0);
        let (mut flows, mut visit) = (0, Visit::default());
        for set in self.decoded.data_sets(bytes) {
            for record in set.records() {
                flows += 1;
                record.fields().for_each(|field| visit.field(field.specifier.id, field.bytes));
            }
        }
        std::hint::black_box(visit);
        flows
    }

    /// Decodes a datagram and encodes its trace; the number of flow spans.
    #[inline]
    pub fn to_spans(&mut self, bytes: &[u8]) -> u64 {
        let flows = self.write(bytes);
        if self.spans.encoder.spans() >= BATCH_SPANS {
            std::hint::black_box(self.spans.encoder.finish());
            self.spans.encoder.clear();
        }
        flows
    }

    /// Decodes datagrams until the spans of their traces make a large batch; the request and the number of all its spans.
    pub fn request<'a>(&mut self, datagrams: impl IntoIterator<Item = &'a Vec<u8>>) -> (Vec<u8>, usize) {
        for datagram in datagrams {
            self.write(datagram);
            if self.spans.encoder.spans() >= LARGE_BATCH_SPANS {
                break;
            }
        }
        let request = (self.spans.encoder.finish().to_vec(), self.spans.encoder.spans());
        self.spans.encoder.clear();
        request
    }

    #[inline]
    fn write(&mut self, bytes: &[u8]) -> u64 {
        let tag = self.trace.trace_id();
        self.take(bytes, tag);
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        let timings = Timings { decode_start: now, decode_end: now };
        let datagram = Datagram::new(self.session, now, bytes).with_tag(tag);
        self.trace.write(&datagram, &self.decoded, &timings, || now, &mut |_| u32::MAX, &mut self.spans).written
    }

    fn take(&mut self, bytes: &[u8], tag: u128) {
        let received_at = Timestamp::from_unix_seconds(1_700_000_000);
        self.state.decode(&Datagram::new(self.session, received_at, bytes).with_tag(tag), &mut self.decoded);
    }
}

impl Default for Pass {
    fn default() -> Self {
        Self::new()
    }
}

/// What a visitor of fields does with each: something with its element, its length and its first byte.
#[derive(Clone, Copy, Debug, Default)]
pub struct Visit(u64);

impl Visit {
    /// Visits a field.
    #[inline]
    pub fn field(&mut self, element: u16, bytes: &[u8]) {
        let first = bytes.first().copied().unwrap_or(0);
        self.0 = self.0.rotate_left(5) ^ u64::from(element) ^ (bytes.len() as u64) << 16 ^ u64::from(first) << 32;
    }
}

/// The common facts of a flow into one number, so that none is left unread.
#[inline]
pub fn digest(fields: &CommonFields, sum: u64) -> u64 {
    let address = |address| match address {
        IpAddr::V4(v4) => u64::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits() as u64,
    };
    let integers = fields.source_port
        ^ fields.destination_port << 1
        ^ fields.protocol << 2
        ^ fields.ingress_interface << 3
        ^ fields.egress_interface << 4
        ^ fields.source_as << 5
        ^ fields.destination_as << 6
        ^ fields.tcp_flags << 7
        ^ fields.class_of_service << 8;
    let times = fields.start.as_unix_nanos() ^ fields.end.as_unix_nanos() << 1;
    let counters = fields.octets << 9 ^ fields.packets << 10;
    let addresses =
        address(fields.source_address) ^ address(fields.destination_address) << 1 ^ address(fields.next_hop) << 2;
    sum.wrapping_add(integers ^ times ^ counters ^ addresses)
}
