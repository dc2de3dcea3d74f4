//! The program's log over OTLP: a bounded queue between whoever has something to say and one task that sends.
//!
//! Only what this program says goes there: a library's line about a request would make for another request. This module's
//! own lines, on what does not work here, are on standard error alone for the same reason.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp_sink::{Client, ExportErrorKind, OtlpConfig, PartialSuccess, Protocol};
use prost::Message;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber, info, warn};
use tracing_subscriber::layer::{Context, Layer};

/// Pause before the next attempt to send what was not taken.
const RETRY_PAUSE: Duration = Duration::from_secs(5);
/// Bytes of lines in a request, give or take one line: receivers take 4 MiB by default over gRPC.
const MAX_BATCH_BYTES: usize = 3_670_016;
/// Bytes of a text that are kept.
const MAX_TEXT_LEN: usize = 4096;

/// Crates whose lines are sent.
const OURS: [&str; 6] = ["netflow2traces", "flow_collector", "flow_state", "flow_semconv", "otlp_sink", "xdp_counters"];

/// Limits of the batch processor of the OpenTelemetry specification, with its defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Lines that wait.
    queued: usize,
    /// Lines in a request.
    batch: usize,
    /// How long a line may wait for more.
    delay: Duration,
    /// How long a request may take.
    timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { queued: 2048, batch: 512, delay: Duration::from_secs(1), timeout: Duration::from_secs(30) }
    }
}

impl Limits {
    /// From variables, and those that cannot be used: they count as absent, as the specification has it.
    pub(crate) fn read(get: impl Fn(&str) -> Option<String>) -> (Self, Vec<(&'static str, String)>) {
        let (mut limits, mut unusable) = (Self::default(), Vec::new());
        let mut number = |name, most: u32| -> Option<u32> {
            let value = get(name).filter(|value| !value.is_empty())?;
            let number = value.trim().parse().ok().filter(|number| (1..=most).contains(number));
            if number.is_none() {
                unusable.push((name, value));
            }
            number
        };
        let millis = |millis| Duration::from_millis(u64::from(millis));
        limits.delay = number("OTEL_BLRP_SCHEDULE_DELAY", u32::MAX).map_or(limits.delay, millis);
        limits.timeout = number("OTEL_BLRP_EXPORT_TIMEOUT", u32::MAX).map_or(limits.timeout, millis);
        limits.queued = number("OTEL_BLRP_MAX_QUEUE_SIZE", MAX_QUEUED).map_or(limits.queued, |lines| lines as usize);
        limits.batch =
            number("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", MAX_QUEUED).map_or(limits.batch, |lines| lines as usize);
        limits.batch = limits.batch.min(limits.queued);
        (limits, unusable)
    }
}

/// Most lines that may be allowed to wait: some gigabytes.
const MAX_QUEUED: u32 = 1 << 20;

/// Puts lines into the queue; a line that does not fit is dropped and counted.
#[derive(Debug)]
pub(crate) struct LogLayer {
    queue: mpsc::Sender<Line>,
    stats: Arc<LogStats>,
}

/// Lines on their way, and what became of them.
#[derive(Debug)]
pub(crate) struct Lines {
    queue: mpsc::Receiver<Line>,
    limits: Limits,
    pub(crate) stats: Arc<LogStats>,
}

/// What became of the lines.
#[derive(Debug, Default)]
pub(crate) struct LogStats {
    pub(crate) exported: AtomicU64,
    /// There was no room.
    pub(crate) queue_full: AtomicU64,
    /// The receiver took the request and rejected the line.
    pub(crate) rejected: AtomicU64,
    /// The receiver refused the request for good.
    pub(crate) refused: AtomicU64,
}

#[derive(Debug)]
struct Line {
    target: &'static str,
    record: LogRecord,
}

/// A queue with its two ends.
pub(crate) fn queue(limits: Limits) -> (LogLayer, Lines) {
    let (sender, receiver) = mpsc::channel(limits.queued);
    let stats = Arc::<LogStats>::default();
    (LogLayer { queue: sender, stats: stats.clone() }, Lines { queue: receiver, limits, stats })
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        if !is_sent(target) {
            return;
        }
        let record = record(event, SystemTime::now());
        // Closed, when nothing is sent: that was said, or the program ends.
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(Line { target, record }) {
            self.stats.queue_full.fetch_add(1, Relaxed);
        }
    }
}

fn is_sent(target: &str) -> bool {
    let is_ours =
        OURS.iter().any(|ours| target.strip_prefix(ours).is_some_and(|rest| rest.is_empty() || rest.starts_with("::")));
    is_ours && target != module_path!()
}

fn record(event: &Event<'_>, now: SystemTime) -> LogRecord {
    let time_unix_nano = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64;
    let (number, text) = severity(*event.metadata().level());
    let mut record = LogRecord {
        time_unix_nano,
        observed_time_unix_nano: time_unix_nano,
        severity_number: number.into(),
        severity_text: text.to_owned(),
        ..LogRecord::default()
    };
    event.record(&mut Fields(&mut record));
    record
}

/// As the data model of OpenTelemetry maps them, with the names of `LOG_LEVEL`.
const fn severity(level: Level) -> (SeverityNumber, &'static str) {
    match level {
        Level::TRACE => (SeverityNumber::Trace, "TRACE"),
        Level::DEBUG => (SeverityNumber::Debug, "DEBUG"),
        Level::INFO => (SeverityNumber::Info, "INFO"),
        Level::WARN => (SeverityNumber::Warn, "WARN"),
        Level::ERROR => (SeverityNumber::Error, "ERROR"),
    }
}

/// The message becomes the body, everything else an attribute.
struct Fields<'a>(&'a mut LogRecord);

impl Fields<'_> {
    fn add(&mut self, field: &Field, value: Value) {
        let value = Some(AnyValue { value: Some(value) });
        if field.name() == "message" {
            self.0.body = value;
        } else {
            self.0.attributes.push(KeyValue { key: field.name().to_owned(), value, ..KeyValue::default() });
        }
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, Value::StringValue(value[..value.floor_char_boundary(MAX_TEXT_LEN)].to_owned()));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, Value::IntValue(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match value.try_into() {
            Ok(value) => self.add(field, Value::IntValue(value)),
            Err(_) => self.record_str(field, &value.to_string()),
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, Value::DoubleValue(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, Value::BoolValue(value));
    }
}

/// Asks the receiver, with a request that is empty, whether it takes logs. Has to be called within a tokio runtime.
///
/// # Errors
///
/// What an export would meet.
pub(crate) async fn probe(config: &OtlpConfig) -> anyhow::Result<PartialSuccess> {
    let exporter = Exporter::new(config, &[])?;
    Ok(exporter.client.export(exporter.encode(&ExportLogsServiceRequest::default())?).await?)
}

/// Lines that are being sent. Dropping it ends that.
pub(crate) struct Export(Option<(oneshot::Sender<()>, JoinHandle<()>)>);

/// Sends the lines. What does not work is a warning: flows matter more.
pub(crate) fn start(config: &OtlpConfig, lines: Lines, resource: &[(String, String)], runtime: &Handle) -> Export {
    let _context = runtime.enter();
    match Exporter::new(config, resource) {
        Ok(exporter) => {
            let (finish, finished) = oneshot::channel();
            Export(Some((finish, runtime.spawn(exporter.run(lines, finished)))))
        }
        Err(error) => {
            warn!(error = format!("{error:#}"), "the log is not exported over OTLP");
            Export(None)
        }
    }
}

impl Export {
    /// Nothing is sent.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// Sends the last lines, within `deadline`.
    pub(crate) fn finish(self, deadline: Duration, runtime: &Handle) {
        let Some((finish, task)) = self.0 else { return };
        drop(finish);
        if runtime.block_on(async { tokio::time::timeout(deadline, task).await }).is_err() {
            warn!("the last lines of the log were not delivered");
        }
    }
}

struct Exporter {
    client: Client,
    endpoint: String,
    json: bool,
    resource: Resource,
    /// Whether the last export did not arrive in full.
    failing: AtomicBool,
}

impl Exporter {
    fn new(config: &OtlpConfig, resource: &[(String, String)]) -> anyhow::Result<Self> {
        let attribute = |(key, value): &(String, String)| {
            let value = Some(AnyValue { value: Some(Value::StringValue(value.clone())) });
            KeyValue { key: key.clone(), value, ..KeyValue::default() }
        };
        Ok(Self {
            client: Client::new(config)?,
            endpoint: config.endpoint.to_string(),
            json: config.protocol == Protocol::HttpJson,
            resource: Resource { attributes: resource.iter().map(attribute).collect(), ..Resource::default() },
            failing: AtomicBool::new(false),
        })
    }

    /// Sends until `finish` comes, and then what is left, once.
    async fn run(self, mut lines: Lines, mut finish: oneshot::Receiver<()>) {
        let Limits { delay, timeout, .. } = lines.limits;
        let mut batch = self.batch(lines.limits.batch);
        let mut is_last = false;
        while !is_last {
            tokio::select! {
                Some(line) = lines.queue.recv() => {
                    batch.push(line);
                    let full = batch.gather(&mut lines.queue);
                    tokio::select! {
                        _ = tokio::time::timeout(delay, full) => {}
                        _ = &mut finish => is_last = true,
                    }
                }
                _ = &mut finish => is_last = true,
            }
            batch.fill(&mut lines.queue);
            while !self.send(&mut batch, timeout, &lines.stats).await && !is_last {
                is_last = pause(RETRY_PAUSE, &mut finish).await;
            }
        }
        // More than fits one request.
        batch.fill(&mut lines.queue);
        while !batch.lines.is_empty() && self.send(&mut batch, timeout, &lines.stats).await {
            batch.fill(&mut lines.queue);
        }
    }

    /// The lines of a request, `most` of them.
    fn batch(&self, most: usize) -> Batch {
        // Lines in JSON are some four times as long.
        let most_bytes = if self.json { MAX_BATCH_BYTES / 4 } else { MAX_BATCH_BYTES };
        Batch { lines: Vec::new(), bytes: 0, most, most_bytes }
    }

    /// Whether another attempt would do no good: the batch is empty then.
    async fn send(&self, batch: &mut Batch, timeout: Duration, stats: &LogStats) -> bool {
        if batch.lines.is_empty() {
            return true;
        }
        let count = batch.lines.len() as u64;
        let sent = match self.encode(&self.request(&batch.lines)) {
            Ok(request) => tokio::time::timeout(timeout, self.client.export(request)).await,
            Err(error) => {
                self.failed(&format_args!("{error:#}"));
                stats.refused.fetch_add(count, Relaxed);
                batch.clear();
                return true;
            }
        };
        let Ok(sent) = sent else {
            self.failed(&format_args!("no answer within {timeout:?}"));
            return false;
        };
        match sent {
            Ok(accepted) => {
                let rejected = accepted.rejected.min(count);
                stats.exported.fetch_add(count - rejected, Relaxed);
                stats.rejected.fetch_add(rejected, Relaxed);
                if rejected > 0 {
                    self.failed(&format_args!("{rejected} lines were rejected: {}", accepted.message));
                } else if self.failing.swap(false, Relaxed) {
                    info!(endpoint = self.endpoint, "the log is delivered again");
                }
            }
            Err(error) => {
                self.failed(&error);
                if !matches!(error.kind, ExportErrorKind::Refused | ExportErrorKind::TooLarge) {
                    return false;
                }
                stats.refused.fetch_add(count, Relaxed);
            }
        }
        batch.clear();
        true
    }

    /// Says so, once until it works again.
    fn failed(&self, error: &dyn fmt::Display) {
        if !self.failing.swap(true, Relaxed) {
            warn!(endpoint = self.endpoint, %error, "cannot deliver the log over OTLP");
        }
    }

    /// By target, which OpenTelemetry calls the scope.
    fn request(&self, batch: &[Line]) -> ExportLogsServiceRequest {
        let mut by_target: BTreeMap<&str, Vec<LogRecord>> = BTreeMap::new();
        for Line { target, record } in batch {
            by_target.entry(target).or_default().push(record.clone());
        }
        let scope_logs = by_target.into_iter().map(|(target, log_records)| ScopeLogs {
            scope: Some(InstrumentationScope { name: target.to_owned(), ..InstrumentationScope::default() }),
            log_records,
            ..ScopeLogs::default()
        });
        let scope_logs = scope_logs.collect();
        let resource = Some(self.resource.clone());
        let resource_logs = if batch.is_empty() {
            Vec::new()
        } else {
            vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }]
        };
        ExportLogsServiceRequest { resource_logs }
    }

    fn encode(&self, request: &ExportLogsServiceRequest) -> anyhow::Result<Bytes> {
        if self.json {
            return Ok(serde_json::to_vec(request).context("a line that JSON cannot hold")?.into());
        }
        Ok(request.encode_to_vec().into())
    }
}

/// Waits that long; whether `finish` came in the meantime.
async fn pause(time: Duration, finish: &mut oneshot::Receiver<()>) -> bool {
    tokio::time::timeout(time, finish).await.is_ok()
}

/// Lines of one request.
struct Batch {
    lines: Vec<Line>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.lines.len() >= self.most || self.bytes >= self.most_bytes
    }

    fn push(&mut self, line: Line) {
        self.bytes += line.record.encoded_len();
        self.lines.push(line);
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.bytes = 0;
    }

    /// Waits until it is full.
    async fn gather(&mut self, queue: &mut mpsc::Receiver<Line>) {
        while !self.is_full() {
            match queue.recv().await {
                Some(line) => self.push(line),
                // Nobody has anything more to say.
                None => std::future::pending().await,
            }
        }
    }

    /// Takes what is there.
    fn fill(&mut self, queue: &mut mpsc::Receiver<Line>) {
        while !self.is_full()
            && let Ok(line) = queue.try_recv()
        {
            self.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::otlp_server::{Code, OtlpServer, Respond, StatusCode};
    use tracing::{debug, error};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What `say` says, in a queue.
    fn said(say: impl FnOnce()) -> Lines {
        let (layer, lines) = queue(Limits::default());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        lines
    }

    #[test]
    fn a_line_becomes_a_record() {
        let mut lines = said(|| {
            error!(target: "otlp_sink::sink", count = 3_u64, ratio = 0.5, spooled = true, path = %"/x", "cannot write");
        });
        let Line { target, record } = lines.queue.try_recv().unwrap();
        assert_eq!((target, record.severity_number, &*record.severity_text), ("otlp_sink::sink", 17, "ERROR"));
        let string = |text: &str| Value::StringValue(text.to_owned());
        assert_eq!(record.body.unwrap().value, Some(string("cannot write")));
        let attributes = record.attributes.into_iter().map(|of| (of.key, of.value.unwrap().value.unwrap()));
        let expected = [
            ("count", Value::IntValue(3)),
            ("ratio", Value::DoubleValue(0.5)),
            ("spooled", Value::BoolValue(true)),
            ("path", string("/x")),
        ];
        assert_eq!(attributes.collect::<Vec<_>>(), expected.map(|(key, value)| (key.to_owned(), value)));
        assert!(record.time_unix_nano > 0);
    }

    /// Nor do lines of our own about the log.
    #[test]
    fn lines_about_requests_make_no_requests() {
        let mut lines = said(|| {
            debug!(target: "hyper::proto", "flushed");
            debug!(target: "otlp_sinkhole", "no crate of ours");
            warn!(target: "netflow2traces::logs", "cannot deliver the log");
        });
        assert!(lines.queue.try_recv().is_err());
        assert!(is_sent("netflow2traces") && is_sent("netflow2traces::collect"));
    }

    #[test]
    fn what_does_not_fit_is_counted_and_waits_for_nobody() {
        let lines = said(|| (0..2048 + 5).for_each(|_| warn!(target: "netflow2traces", "again")));
        assert_eq!((lines.queue.len(), lines.stats.queue_full.load(Relaxed)), (2048, 5));
        let mut lines = said(|| warn!(target: "netflow2traces", text = "é".repeat(MAX_TEXT_LEN), "long"));
        let record = lines.queue.try_recv().unwrap().record;
        let Some(Value::StringValue(text)) = record.attributes[0].value.clone().unwrap().value else { panic!() };
        assert_eq!(text.len(), MAX_TEXT_LEN);
    }

    fn exporter(server: &OtlpServer, protocol: Protocol) -> Exporter {
        let endpoint = match protocol {
            Protocol::Grpc => server.grpc_endpoint(),
            _ => format!("{}/v1/logs", server.http_endpoint()),
        };
        let mut config = OtlpConfig::new(protocol, &endpoint).unwrap();
        config.signal = otlp_sink::Signal::Logs;
        Exporter::new(&config, &[("service.name".to_owned(), "lab".to_owned())]).unwrap()
    }

    /// More than two requests hold, of two scopes; the first attempt fails.
    #[tokio::test]
    async fn lines_wait_for_the_receiver_and_the_last_ones_are_sent() {
        let server = OtlpServer::start_local().await.unwrap();
        server.respond_with(Respond::Unavailable(None));
        let count = 2 * 512 + 1;
        let lines = said(|| {
            for number in 0..count {
                if number % 2 == 0 {
                    info!(target: "netflow2traces", number)
                } else {
                    info!(target: "otlp_sink", number)
                }
            }
        });
        let stats = lines.stats.clone();
        let (finish, finished) = oneshot::channel();
        let task = tokio::spawn(exporter(&server, Protocol::Grpc).run(lines, finished));
        server.wait_for_requests(1, Duration::from_secs(20)).await;
        assert_eq!(stats.exported.load(Relaxed), 0);
        server.respond_with(Respond::Accept);
        drop(finish);
        task.await.unwrap();
        assert_eq!(stats.exported.load(Relaxed), count as u64);
        let logs = server.resource_logs();
        assert_eq!(logs[0].resource.as_ref().unwrap().attributes[0].key, "service.name");
        let scopes = logs.iter().flat_map(|of| &of.scope_logs);
        let mut by_scope: BTreeMap<&str, usize> = BTreeMap::new();
        for scope in scopes {
            *by_scope.entry(&scope.scope.as_ref().unwrap().name).or_default() += scope.log_records.len();
        }
        assert_eq!(by_scope, BTreeMap::from([("netflow2traces", count / 2 + 1), ("otlp_sink", count / 2)]));
    }

    #[test]
    fn limits_are_those_of_the_specification() {
        let read = |variables: &[(&str, &str)]| {
            let get = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
            Limits::read(get)
        };
        assert_eq!(read(&[("OTEL_BLRP_SCHEDULE_DELAY", "")]), (Limits::default(), Vec::new()));
        let all = [
            ("OTEL_BLRP_SCHEDULE_DELAY", "200"),
            ("OTEL_BLRP_EXPORT_TIMEOUT", "5000"),
            ("OTEL_BLRP_MAX_QUEUE_SIZE", "100"),
            ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "10"),
        ];
        let (delay, timeout) = (Duration::from_millis(200), Duration::from_secs(5));
        assert_eq!(read(&all), (Limits { queued: 100, batch: 10, delay, timeout }, Vec::new()));
        assert_eq!(read(&all[..3]).0.batch, 100, "no more than can wait");
        for value in ["0", "-1", "1s", "99999999999"] {
            let bad = all.map(|(name, _)| (name, value));
            assert_eq!(read(&bad), (Limits::default(), bad.map(|(name, value)| (name, value.to_owned())).to_vec()));
        }
    }

    /// Whatever the delay is.
    #[tokio::test]
    async fn a_full_request_waits_for_no_more() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut lines = said(|| (0..6).for_each(|number| info!(target: "netflow2traces", number)));
        (lines.limits.batch, lines.limits.delay) = (3, Duration::from_secs(3600));
        let (_finish, finished) = oneshot::channel();
        let task = tokio::spawn(exporter(&server, Protocol::Grpc).run(lines, finished));
        server.wait_for_requests(2, Duration::from_secs(20)).await;
        task.abort();
    }

    /// A request for every three lines, and one that hangs is given up.
    #[tokio::test]
    async fn limits_hold() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut lines = said(|| (0..7).for_each(|number| info!(target: "netflow2traces", number)));
        lines.limits.batch = 3;
        lines.limits.timeout = Duration::from_millis(50);
        let stats = lines.stats.clone();
        let exporter = exporter(&server, Protocol::Grpc);
        server.respond_with(Respond::Hang);
        let mut batch = exporter.batch(3);
        batch.fill(&mut lines.queue);
        assert!(!exporter.send(&mut batch, lines.limits.timeout, &stats).await, "another attempt");
        server.respond_with(Respond::Accept);
        lines.limits.timeout = Duration::from_secs(30);
        assert!(exporter.send(&mut batch, lines.limits.timeout, &stats).await && batch.lines.is_empty());
        let (finish, finished) = oneshot::channel();
        let task = tokio::spawn(exporter.run(lines, finished));
        drop(finish);
        task.await.unwrap();
        assert_eq!(stats.exported.load(Relaxed), 7);
        let scopes = server.resource_logs();
        let scopes = scopes.iter().flat_map(|of| &of.scope_logs);
        assert_eq!(scopes.map(|of| of.log_records.len()).collect::<Vec<_>>(), [3, 3, 1]);
    }

    /// As many lines as are allowed may be more bytes than receivers take.
    #[tokio::test]
    async fn a_request_is_no_larger_than_receivers_take() {
        let server = OtlpServer::start_local().await.unwrap();
        let text = "\"".repeat(MAX_TEXT_LEN);
        for text in [&text, ""] {
            let long_and_short = || (0..2048).for_each(|count| info!(target: "netflow2traces", text, count, "line"));
            let json = exporter(&server, Protocol::HttpJson);
            let mut batch = json.batch(2048);
            batch.fill(&mut said(long_and_short).queue);
            assert!(json.encode(&json.request(&batch.lines)).unwrap().len() < 4 << 20);
            server.respond_with(Respond::Limit(4 << 20));
            let mut lines = said(long_and_short);
            lines.limits.batch = 2048;
            let stats = lines.stats.clone();
            let (_, finished) = oneshot::channel();
            exporter(&server, Protocol::Grpc).run(lines, finished).await;
            assert_eq!((stats.exported.load(Relaxed), stats.refused.load(Relaxed)), (2048, 0));
        }
    }

    #[tokio::test]
    async fn what_is_not_taken_is_counted_by_its_reason() {
        let server = OtlpServer::start_local().await.unwrap();
        let exporter = exporter(&server, Protocol::Grpc);
        for (respond, exported, rejected, refused) in [
            (Respond::PartialSuccess(1, "too old"), 1, 1, 0),
            (Respond::Refuse(Code::InvalidArgument, StatusCode::BAD_REQUEST), 0, 0, 2),
        ] {
            server.respond_with(respond);
            let Lines { mut queue, stats, .. } = said(|| (0..2).for_each(|_| info!(target: "netflow2traces", "line")));
            let mut batch = exporter.batch(512);
            batch.fill(&mut queue);
            assert!(exporter.send(&mut batch, Duration::from_secs(30), &stats).await && batch.lines.is_empty());
            let count = |of: &AtomicU64| of.load(Relaxed);
            let counts = (count(&stats.exported), count(&stats.rejected), count(&stats.refused));
            assert_eq!(counts, (exported, rejected, refused));
        }
    }
}
