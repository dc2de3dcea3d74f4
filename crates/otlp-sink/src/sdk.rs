//! A sink under the tracer of an OpenTelemetry SDK.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

use crate::sink::{SPOOL_DEADLINE, Sink};
use crate::stats::OutputStats;
use crate::writer::SpanWriter;

/// Exports the spans of an [`SdkTracerProvider`](opentelemetry_sdk::trace::SdkTracerProvider) through a [`Sink`], as they
/// are: with events, links, flags, scopes and strings of any length.
///
/// `export` encodes the spans, hands them to the outputs' queues and returns at once, however long a receiver is away: the
/// SDK's own queue, which is small and drops what does not fit, stays empty. What became of the spans is in
/// [`Sink::stats`]; a span is lost only when it is counted there.
///
/// Each call sends one request for each scope, so that a `SimpleSpanProcessor` makes a request of every span. Resource and
/// scopes are the tracer's, in place of those in the [`SinkConfig`](crate::SinkConfig).
///
/// `shutdown` shuts the sink down, which delivers what is queued until the timeout; `force_flush` waits up to 5 s until
/// what was exported before is delivered or in a spool. Both block the caller, who must not be the only thread of the runtime that the sink is on.
///
/// ```
/// use opentelemetry::trace::{Tracer as _, TracerProvider as _};
/// use opentelemetry_sdk::trace::SdkTracerProvider;
/// use otlp_sink::{Output, SdkExporter, Sink, SinkConfig, StdoutFormat};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
/// let config = SinkConfig::default().with_output(Output::Stdout(StdoutFormat::JsonLines));
/// let sink = Sink::start(config, runtime.handle())?;
/// let provider = SdkTracerProvider::builder().with_batch_exporter(SdkExporter::new(sink.clone())).build();
/// provider.tracer("example").in_span("question", |_| 42);
/// provider.shutdown()?;
/// assert_eq!(sink.stats().exported(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SdkExporter {
    sink: Sink,
    /// Empty between exports.
    writer: Mutex<SpanWriter>,
    is_shutdown: AtomicBool,
}

/// How long `force_flush` waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// How often it looks.
const FLUSH_INTERVAL: Duration = Duration::from_millis(5);

/// What the report of a shutdown may take after its timeout and that of the spools.
const REPORT_GRACE: Duration = Duration::from_secs(1);

impl SdkExporter {
    /// An exporter that hands its spans to `sink`, which others may use as well.
    pub fn new(sink: Sink) -> Self {
        Self { writer: Mutex::new(sink.writer()), sink, is_shutdown: AtomicBool::new(false) }
    }
}

impl SpanExporter for SdkExporter {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        if self.is_shutdown.load(Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rest: Vec<&SpanData> = batch.iter().collect();
        while let Some(&first) = rest.first() {
            let scope = &first.instrumentation_scope;
            writer.flushed_encoder().set_scope(scope);
            rest.extract_if(.., |span| span.instrumentation_scope == *scope).for_each(|span| writer.span_data(span));
        }
        writer.flush();
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        let (start, before) = (Instant::now(), self.sink.stats());
        let is_settled = |(before, now): (&OutputStats, &OutputStats)| {
            let on_disk = |stats: &OutputStats| stats.spool.map_or(0, |spool| spool.spans + spool.copied);
            let settled = |stats: &OutputStats| stats.exported + stats.dropped_total() + on_disk(stats);
            let copied = before.spool.map_or(0, |spool| spool.copied);
            settled(now) + copied >= settled(before) + before.queued_spans + before.in_flight_spans
        };
        while !before.outputs.iter().zip(&self.sink.stats().outputs).all(is_settled) {
            if start.elapsed() > FLUSH_TIMEOUT {
                return Err(OTelSdkError::Timeout(FLUSH_TIMEOUT));
            }
            std::thread::sleep(FLUSH_INTERVAL);
        }
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        if self.is_shutdown.swap(true, Relaxed) {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        // The caller may be within a runtime, which cannot wait for a future there, and has no timer elsewhere.
        let (done, report) = sync_channel(1);
        let sink = self.sink.clone();
        self.sink.runtime().spawn(async move { done.send(sink.shutdown(timeout).await) });
        match report.recv_timeout(timeout.saturating_add(SPOOL_DEADLINE + REPORT_GRACE)) {
            Ok(report) if report.remaining == 0 => Ok(()),
            Ok(_) | Err(RecvTimeoutError::Timeout) => Err(OTelSdkError::Timeout(timeout)),
            Err(RecvTimeoutError::Disconnected) => {
                Err(OTelSdkError::InternalFailure("the runtime of the sink has ended".to_owned()))
            }
        }
    }

    fn set_resource(&mut self, resource: &Resource) {
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner);
        writer.flushed_encoder().set_resource(resource);
    }
}
