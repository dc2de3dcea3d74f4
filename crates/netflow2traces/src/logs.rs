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
mod tests;
