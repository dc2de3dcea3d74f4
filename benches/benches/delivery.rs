//! What delivering a span costs, from its attributes to the wire, beside what it could cost and what others take.
//!
//! `cargo bench -p netflow2traces-benches --bench delivery` has all sides take turns and prints, for each span: the least time
//! of encoding 14 attributes beside a bare encoder of the same bytes; the CPU time of the sending process over gRPC beside the
//! SDK's batch processor with `opentelemetry-otlp`; that of compressing requests beside what tonic does. CPU times are medians.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "floor/span.rs"]
mod floor;

use std::hint::black_box;
use std::io::{self, BufRead, BufReader, Write};
use std::net::IpAddr;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use flow_state::{CommonFields, Timestamp};
use netflow2traces_benches::{BATCH_SPANS, Pass, captured, generated};
use opentelemetry::trace::{
    Span as _, SpanContext as SdkContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, Tracer as _,
    TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otlp_sink::{
    AttributeKey, BatchEncoder, Compression, OtlpConfig, Output, Protocol, Sink, SinkConfig, SpanBuilder, SpanContext,
    SpanKind, SpanWriter,
};
use rustix::time::{ClockId, clock_gettime};
use testkit::otlp_server::OtlpServer;

use self::floor::Bare;

/// Asks this program to be the receiver.
const SERVE: &str = "--serve";

fn main() {
    if std::env::args().any(|argument| argument == SERVE) {
        return serve();
    }
    // `cargo bench -- --test` asks for a smoke run.
    let is_test = std::env::args().any(|argument| argument == "--test");
    let rounds = |many| if is_test { 1 } else { many };
    let stream = generated().remove(2);
    let mut flows = Pass::new().flows(&stream);
    assert_eq!(flows.len() as u64, stream.records);
    flows.truncate(FLOWS);
    encoding(&flows, rounds(3000));
    sending(&flows, rounds(21));
    compressing(rounds(25));
}

/// Flows that fill whole batches of the SDK, and of the sink when they are sent [`PASSES`] times.
const FLOWS: usize = 20 * BATCH_SPANS;

/// With that many times the flows the queue of a sink is half full.
const PASSES: usize = 4;

static VERSION: AttributeKey = AttributeKey::new("netflow.version");
static SOURCE_ADDRESS: AttributeKey = AttributeKey::new("source.address");
static SOURCE_PORT: AttributeKey = AttributeKey::new("source.port");
static DESTINATION_ADDRESS: AttributeKey = AttributeKey::new("destination.address");
static DESTINATION_PORT: AttributeKey = AttributeKey::new("destination.port");
static TRANSPORT: AttributeKey = AttributeKey::new("network.transport");
static PROTOCOL: AttributeKey = AttributeKey::new("network.protocol.number");
static BYTES: AttributeKey = AttributeKey::new("netflow.flow.bytes");
static PACKETS: AttributeKey = AttributeKey::new("netflow.flow.packets");
static NEXT_HOP: AttributeKey = AttributeKey::new("netflow.nexthop");
static INPUT: AttributeKey = AttributeKey::new("netflow.interface.input");
static OUTPUT: AttributeKey = AttributeKey::new("netflow.interface.output");
static SOURCE_AS: AttributeKey = AttributeKey::new("netflow.src_as");
static DESTINATION_AS: AttributeKey = AttributeKey::new("netflow.dst_as");

const NAME: &str = "netflow.flow";
const TRACE_ID: [u8; 16] = [0x5b; 16];
const PARENT: [u8; 8] = [0xee; 8];

fn transport(protocol: u64) -> &'static str {
    match protocol {
        1 => "icmp",
        6 => "tcp",
        17 => "udp",
        _ => "other",
    }
}

fn context(id: u64) -> SpanContext {
    SpanContext { trace_id: TRACE_ID, span_id: id.to_be_bytes(), parent_span_id: Some(PARENT) }
}

#[inline]
fn attributes(mut span: SpanBuilder<'_>, flow: &CommonFields) {
    span.int(&VERSION, 9)
        .address(&SOURCE_ADDRESS, flow.source_address)
        .int(&SOURCE_PORT, flow.source_port as i64)
        .address(&DESTINATION_ADDRESS, flow.destination_address)
        .int(&DESTINATION_PORT, flow.destination_port as i64)
        .str(&TRANSPORT, transport(flow.protocol))
        .int(&PROTOCOL, flow.protocol as i64)
        .int(&BYTES, flow.octets as i64)
        .int(&PACKETS, flow.packets as i64)
        .address(&NEXT_HOP, flow.next_hop)
        .int(&INPUT, flow.ingress_interface as i64)
        .int(&OUTPUT, flow.egress_interface as i64)
        .int(&SOURCE_AS, flow.source_as as i64)
        .int(&DESTINATION_AS, flow.destination_as as i64);
}

/// In the SDK's quickest form: all at once, with keys and names that need no allocation.
fn sdk_attributes(flow: &CommonFields) -> Vec<KeyValue> {
    let int = |key: &'static AttributeKey, value: u64| KeyValue::new(key.as_str(), value as i64);
    let address = |key: &'static AttributeKey, value: IpAddr| KeyValue::new(key.as_str(), value.to_string());
    vec![
        int(&VERSION, 9),
        address(&SOURCE_ADDRESS, flow.source_address),
        int(&SOURCE_PORT, flow.source_port),
        address(&DESTINATION_ADDRESS, flow.destination_address),
        int(&DESTINATION_PORT, flow.destination_port),
        KeyValue::new(TRANSPORT.as_str(), transport(flow.protocol)),
        int(&PROTOCOL, flow.protocol),
        int(&BYTES, flow.octets),
        int(&PACKETS, flow.packets),
        address(&NEXT_HOP, flow.next_hop),
        int(&INPUT, flow.ingress_interface),
        int(&OUTPUT, flow.egress_interface),
        int(&SOURCE_AS, flow.source_as),
        int(&DESTINATION_AS, flow.destination_as),
    ]
}

/// Encodes batches of the size that the SDKs have, in turns.
fn encoding(flows: &[CommonFields], rounds: usize) {
    let (mut encoder, mut bare) = (BatchEncoder::new(&[], "", ""), Bare::new());
    let (mut ours, mut floor) = (f64::INFINITY, f64::INFINITY);
    let (mut bytes, mut spans) = (0, 0);
    for _ in 0..rounds {
        for batch in flows.chunks_exact(BATCH_SPANS) {
            encoder.clear();
            let start = Instant::now();
            for (flow, id) in batch.iter().zip(1..) {
                let times = (flow.start.as_unix_nanos(), flow.end.as_unix_nanos());
                attributes(encoder.span(context(id), NAME, SpanKind::Internal, times.0, times.1), flow);
            }
            ours = ours.min(nanos(start, batch.len()));
            bare.out.clear();
            let start = Instant::now();
            for (flow, id) in batch.iter().zip(1_u64..) {
                bare.span(flow, TRACE_ID, id.to_be_bytes(), PARENT);
            }
            floor = floor.min(nanos(start, batch.len()));
            assert!(encoder.finish().ends_with(&bare.out), "the same bytes");
            (bytes, spans) = (bytes + bare.out.len(), spans + batch.len());
        }
    }
    println!("encoding a span of 14 attributes, {} bytes", bytes / spans);
    println!("  ours {ours:.1} ns, bare encoder {floor:.1} ns ({:.2})", ours / floor);
}

fn nanos(start: Instant, spans: usize) -> f64 {
    start.elapsed().as_nanos() as f64 / spans as f64
}

/// Sends the spans to a receiver in another process: CPU time of this one, all threads, until all have arrived.
fn sending(flows: &[CommonFields], rounds: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut receiver = Receiver::start();
    let output = Output::Otlp(OtlpConfig::new(Protocol::Grpc, &receiver.endpoint).unwrap());
    let sink = Sink::start(SinkConfig::default().with_output(output), runtime.handle()).unwrap();
    let provider = {
        let _context = runtime.enter();
        let exporter = SpanExporter::builder().with_tonic().with_endpoint(&receiver.endpoint).build().unwrap();
        SdkTracerProvider::builder().with_batch_exporter(exporter).build()
    };
    let mut writer = sink.writer();
    let mut times = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        times[0].push(receiver.cpu_nanos(PASSES * flows.len(), || send(&sink, &mut writer, flows)));
        times[1].push(receiver.cpu_nanos(PASSES * flows.len(), || send_by_sdk(&provider, flows)));
    }
    let [ours, sdk] = times.map(median);
    assert_eq!(sink.stats().dropped(), 0);
    provider.shutdown().unwrap();
    println!("CPU time of making and sending such a span over grpc");
    println!("  ours {ours:.0} ns, SDK {sdk:.0} ns ({:.1} times as much)", sdk / ours);
}

fn send(sink: &Sink, writer: &mut SpanWriter, flows: &[CommonFields]) {
    for (flow, id) in std::iter::repeat_n(flows, PASSES).flatten().zip(1..) {
        let times = (flow.start.as_unix_nanos(), flow.end.as_unix_nanos());
        attributes(writer.span(context(id), NAME, SpanKind::Internal, times.0, times.1), flow);
    }
    writer.flush();
    while sink.stats().pending() > 0 {
        // Each look costs as much as a few dozen spans.
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The SDK as it is by default, never given more at once than its queue of 2,048 spans holds: it would drop them.
fn send_by_sdk(provider: &SdkTracerProvider, flows: &[CommonFields]) {
    let tracer = provider.tracer("bench");
    let (trace_id, parent) = (TraceId::from_bytes(TRACE_ID), SpanId::from_bytes(PARENT));
    let parent = SdkContext::new(trace_id, parent, TraceFlags::SAMPLED, false, TraceState::NONE);
    let context = Context::new().with_remote_span_context(parent);
    for batch in std::iter::repeat_n(flows, PASSES).flat_map(|flows| flows.chunks(4 * BATCH_SPANS)) {
        for flow in batch {
            let span =
                tracer.span_builder(NAME).with_start_time(time(flow.start)).with_attributes(sdk_attributes(flow));
            span.start_with_context(&tracer, &context).end_with_timestamp(time(flow.end));
        }
        provider.force_flush().unwrap();
    }
}

fn time(time: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(time.as_unix_nanos())
}

/// A receiver in a process of its own, which ends with this one.
struct Receiver {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    endpoint: String,
    received: usize,
}

impl Receiver {
    fn start() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.arg(SERVE).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        let mut receiver = Self { process, questions, answers, endpoint: String::new(), received: 0 };
        receiver.endpoint = receiver.answer();
        receiver
    }

    /// What `send` takes for each span; all have to arrive.
    fn cpu_nanos(&mut self, spans: usize, send: impl FnOnce()) -> f64 {
        let spent = cpu_nanos(ClockId::ProcessCPUTime, spans, send);
        writeln!(self.questions.as_mut().unwrap()).unwrap();
        let received: usize = self.answer().parse().unwrap();
        assert_eq!(received - self.received, spans, "every span, once");
        self.received = received;
        spent
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.questions = None;
        self.process.wait().unwrap();
    }
}

/// CPU time of this process or thread for each span, which a busy machine disturbs little.
fn cpu_nanos(clock: ClockId, spans: usize, work: impl FnOnce()) -> f64 {
    let now = || Duration::try_from(clock_gettime(clock)).unwrap();
    let start = now();
    work();
    (now() - start).as_nanos() as f64 / spans as f64
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Says where it listens, then how many spans came whenever a line is read.
fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(OtlpServer::start_local()).unwrap();
    println!("{}", server.grpc_endpoint());
    for question in io::stdin().lines() {
        question.unwrap();
        drop(server.take_spans());
        println!("{}", server.span_count());
    }
}

type Compress = fn(&[u8], &mut Vec<u8>);

/// Compresses requests of flow spans as the collector makes them, with random ids.
fn compressing(rounds: usize) {
    const SIDES: [(&str, Compress); 4] = [
        ("zstd", |body, out| Compression::Zstd.compress(body, out)),
        ("tonic's zstd", |body, out| {
            let mut encoder = zstd::stream::read::Encoder::new(body, zstd::DEFAULT_COMPRESSION_LEVEL).unwrap();
            io::copy(&mut encoder, out).unwrap();
        }),
        ("gzip", |body, out| Compression::Gzip.compress(body, out)),
        ("tonic's gzip", |body, out| {
            io::copy(&mut flate2::read::GzEncoder::new(body, flate2::Compression::new(6)), out).unwrap();
        }),
    ];
    println!("compressing requests: nanoseconds a span, bytes a span");
    print!("{:<36}", "");
    SIDES.iter().for_each(|(name, _)| print!("{name:>20}"));
    println!();
    let captured = captured();
    let mut requests: Vec<_> =
        generated().into_iter().map(|stream| (Pass::new().request(&stream.datagrams), stream.name)).collect();
    let all = captured.iter().flat_map(|stream| &stream.datagrams);
    requests.push((Pass::new().request(all), "captures".to_owned()));
    // What a sink with little to do sends.
    let few = generated().remove(2);
    requests.push((Pass::new().request(&few.datagrams[..5]), few.name));
    for ((body, spans), name) in requests {
        let (mut times, mut lens) = ([const { Vec::new() }; SIDES.len()], [0; SIDES.len()]);
        let mut out = Vec::with_capacity(body.len());
        for _ in 0..rounds {
            for (index, (_, compress)) in SIDES.iter().enumerate() {
                out.clear();
                let work = || compress(black_box(&body), &mut out);
                times[index].push(cpu_nanos(ClockId::ThreadCPUTime, spans, work));
                lens[index] = out.len();
            }
        }
        print!("{name:<18} {spans:>6} of {:>4} bytes", body.len() / spans);
        let len = |len: usize| len as f64 / spans as f64;
        times.map(median).iter().zip(lens).for_each(|(nanos, bytes)| print!("{nanos:>12.0} {:>7.1}", len(bytes)));
        println!();
    }
}
