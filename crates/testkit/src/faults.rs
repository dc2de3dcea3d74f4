//! Outages of a receiver while spans stream into a sink, and what became of every single one of them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use otlp_sink::{
    AttributeKey, DrainReport, OtlpConfig, Output, Protocol, Sink, SinkConfig, SpanContext, SpanKind, SpanWriter,
};
use tokio::runtime::Handle;

use crate::otlp_server::{OtlpServer, Respond};

/// How long spans stream before the fault begins, and after the first has arrived behind it.
const QUIET: Duration = Duration::from_millis(300);

/// How long the sink may take to deliver everything when the fault is over.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is wrong with the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Connections are refused.
    Refused,
    /// Requests are answered with `UNAVAILABLE`, or 503.
    Unavailable,
    /// Answers take half the time that requests may take, or half of that of the fault where that is shorter.
    Slow,
    /// Connections are accepted and never read, those that were there included.
    Silent,
    /// Spans are taken and never acknowledged.
    Unanswered,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 5] = [Self::Refused, Self::Unavailable, Self::Slow, Self::Silent, Self::Unanswered];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A fault that begins in the middle of a stream of spans and ends before the stream does.
#[derive(Clone, Debug)]
pub struct Case {
    /// What happens.
    pub fault: Fault,
    /// For how long.
    pub lasts: Duration,
    /// How the spans are sent.
    pub protocol: Protocol,
    /// How many are written.
    pub spans_per_second: u64,
    /// How long a request may take.
    pub timeout: Duration,
    /// The sink, without its output.
    pub config: SinkConfig,
    /// Whether more is written during the fault than the queue holds, so that spans have to be dropped.
    pub overflows: bool,
}

impl Case {
    /// Runs it against a server of its own.
    pub async fn run(self) -> Outcome {
        let mut server = OtlpServer::start_local().await.unwrap();
        server.keep_ids_only();
        let endpoint = match self.protocol {
            Protocol::Grpc => server.grpc_endpoint(),
            _ => server.http_traces_endpoint(),
        };
        let mut otlp = OtlpConfig::new(self.protocol, &endpoint).unwrap();
        otlp.timeout = self.timeout;
        let sink = Sink::start(self.config.clone().with_output(Output::Otlp(otlp)), &Handle::current()).unwrap();
        let stream = Stream::start(&sink, self.spans_per_second, 0);
        server.wait_for_spans(1, PATIENCE).await;
        tokio::time::sleep(QUIET).await;

        match self.fault {
            Fault::Refused => server.stop().await,
            Fault::Unavailable => server.respond_with(Respond::Unavailable(None)),
            Fault::Slow => server.respond_with(Respond::AcceptAfter(self.timeout.min(self.lasts) / 2)),
            Fault::Silent => server.set_silent(true),
            Fault::Unanswered => server.respond_with(Respond::AcceptUnanswered),
        }
        tokio::time::sleep(self.lasts).await;
        match self.fault {
            Fault::Refused => server.restart().await.unwrap(),
            Fault::Silent => server.set_silent(false),
            _ => server.respond_with(Respond::Accept),
        }
        let ended = Instant::now();
        server.wait_for_spans(server.span_count() + 1, PATIENCE).await;
        let recovery = ended.elapsed();
        tokio::time::sleep(QUIET).await;

        let streamed = stream.stop().await;
        let report = sink.shutdown(PATIENCE).await;
        let mut arrivals = Arrivals::default();
        arrivals.add(server.take_ids());
        Outcome {
            streamed,
            report,
            arrived: arrivals.distinct,
            duplicates: arrivals.duplicates,
            unanswered: server.unanswered_spans() as u64,
            retries: sink.stats().outputs[0].retries,
            recovery,
            case: self,
        }
    }
}

/// What came of a [`Case`].
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was to happen.
    pub case: Case,
    /// What was written.
    pub streamed: Streamed,
    /// What the sink says of it.
    pub report: DrainReport,
    /// Spans that arrived, each counted once.
    pub arrived: u64,
    /// Arrivals of spans that had arrived before.
    pub duplicates: u64,
    /// Spans in requests that the server took and did not answer.
    pub unanswered: u64,
    /// Requests sent again.
    pub retries: u64,
    /// From the end of the fault to the next span.
    pub recovery: Duration,
}

impl Outcome {
    /// # Panics
    ///
    /// When a span is lost and not counted, counted and not lost, or came twice without need; or when no request met the
    /// fault.
    pub fn check(&self) {
        let DrainReport { exported, dropped, remaining, .. } = self.report;
        let table = table([self]);
        assert_eq!(exported + dropped + remaining, self.streamed.spans, "spans written\n{table}");
        assert_eq!(remaining, 0, "remaining\n{table}");
        assert_eq!(self.arrived, exported, "spans that arrived and those acknowledged\n{table}");
        assert_eq!(self.streamed.spans - self.arrived, dropped, "lost spans and those counted\n{table}");
        assert_eq!(self.duplicates, self.unanswered, "duplicates and those without an answer\n{table}");
        assert_eq!(dropped > 0, self.case.overflows, "dropped\n{table}");
        assert_eq!(self.retries > 0, self.case.fault != Fault::Slow, "requests sent again\n{table}");
    }
}

/// Outcomes as lines of columns.
pub fn table<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let mut text = String::from(
        "fault            s  protocol         spans/s   reached   written   arrived  unanswered  duplicates   dropped  retries  first span after\n",
    );
    for outcome in outcomes {
        let Outcome { case, streamed, report, arrived, duplicates, unanswered, retries, recovery } = outcome;
        let _ = writeln!(
            text,
            "{:<12} {:>5}  {:<13} {:>10} {:>9.0} {:>9} {arrived:>9} {unanswered:>11} {duplicates:>11} {:>9} {retries:>8} {:>15.2} s",
            case.fault.as_str(),
            case.lasts.as_secs_f64(),
            case.protocol.to_string(),
            case.spans_per_second,
            streamed.spans_per_second(),
            streamed.spans,
            report.dropped,
            recovery.as_secs_f64(),
        );
    }
    text
}

/// A thread that writes spans at a rate; their IDs count from 1.
#[derive(Debug)]
pub struct Stream {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Streamed>,
}

/// What a [`Stream`] has written.
#[derive(Clone, Copy, Debug)]
pub struct Streamed {
    /// Spans, all of them handed over.
    pub spans: u64,
    /// Time it took.
    pub duration: Duration,
}

impl Streamed {
    /// The rate that was reached: a slow machine may be behind the one that was asked for.
    pub fn spans_per_second(&self) -> f64 {
        self.spans as f64 / self.duration.as_secs_f64()
    }
}

impl Stream {
    /// Starts to write spans with an attribute of `padding` bytes.
    pub fn start(sink: &Sink, spans_per_second: u64, padding: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (writer, stopped) = (sink.writer(), stop.clone());
        let thread = std::thread::spawn(move || write(writer, spans_per_second, padding, &stopped));
        Self { stop, thread }
    }

    /// Ends it.
    pub async fn stop(self) -> Streamed {
        self.stop.store(true, Ordering::Relaxed);
        tokio::task::spawn_blocking(|| self.thread.join().unwrap()).await.unwrap()
    }
}

fn write(mut writer: SpanWriter, spans_per_second: u64, padding: usize, stopped: &AtomicBool) -> Streamed {
    static PADDING: AttributeKey = AttributeKey::new("test.padding");
    const TICK: Duration = Duration::from_millis(5);
    let padding = "x".repeat(padding);
    let start = Instant::now();
    let mut spans = 0;
    while !stopped.load(Ordering::Relaxed) {
        let due = (start.elapsed().as_secs_f64() * spans_per_second as f64) as u64;
        // No more than a second at once, lest a slow machine never looks at the flag.
        let written = due.min(spans + spans_per_second);
        for id in spans + 1..=written {
            let context = SpanContext { trace_id: [1; 16], span_id: id.to_be_bytes(), parent_span_id: None };
            let mut span = writer.span(context, "test", SpanKind::Internal, 1, 2);
            if !padding.is_empty() {
                span.str(&PADDING, &padding);
            }
        }
        spans = written;
        writer.flush_if_due(Instant::now());
        std::thread::sleep(TICK);
    }
    Streamed { spans, duration: start.elapsed() }
}

/// How often each span of a [`Stream`] has arrived.
#[derive(Debug, Default)]
pub struct Arrivals {
    /// One bit for each ID.
    seen: Vec<u64>,
    /// Spans that have arrived.
    pub distinct: u64,
    /// Arrivals beyond the first of each span.
    pub duplicates: u64,
}

impl Arrivals {
    /// Counts spans by their IDs.
    pub fn add(&mut self, ids: impl IntoIterator<Item = u64>) {
        for id in ids {
            let (word, bit) = (usize::try_from(id / 64).unwrap(), 1 << (id % 64));
            if word >= self.seen.len() {
                self.seen.resize(word + 1, 0);
            }
            let is_new = self.seen[word] & bit == 0;
            self.seen[word] |= bit;
            self.distinct += u64::from(is_new);
            self.duplicates += u64::from(!is_new);
        }
    }
}
