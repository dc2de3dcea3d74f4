//! The program's own metrics, under OpenTelemetry names.

mod exponential;
pub(crate) mod exporters;
mod metric;
pub(crate) mod otlp;
pub(crate) mod prometheus;
mod push;
mod sender;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flow_collector::{CollectorStats, DecodeDurations, Ending, Exporters, StatsSnapshot};
use flow_state::{DecodeErrorKind, State, Timestamp};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use otlp_sink::{DropReason, OutputStats, RequestDurations, Sink};
use tokio::runtime::Handle;
use tracing::warn;

use crate::config::Metrics;
use crate::logs::LogStats;
pub(crate) use exponential::Exponential;
use exporters::PerExporter;
use metric::Histogram;
pub(crate) use metric::{Attributes, Distribution, Kind, Metric, Number, Point};
pub(crate) use push::Push;

/// Where the numbers come from.
#[derive(Clone)]
pub(crate) struct Source {
    stats: Arc<CollectorStats>,
    exporters: Arc<PerExporter>,
    state: Arc<State>,
    sink: Sink,
    /// Of the lines that go over OTLP.
    log: Option<Arc<LogStats>>,
}

/// Metrics on their way out. Dropping it ends the export.
pub(crate) struct Export(Option<SdkMeterProvider>);

/// Sends the metrics where they are configured to go. What does not work is a warning: flows matter more.
pub(crate) fn start(config: &Metrics, source: &Source, resource: &[(String, String)], runtime: &Handle) -> Export {
    let provider = config.otlp.as_ref().and_then(|otlp| {
        let _context = runtime.enter();
        let started = otlp::start(otlp, source, resource);
        started.inspect_err(|error| warn!(error = format!("{error:#}"), "metrics are not exported over OTLP")).ok()
    });
    Export(provider)
}

impl Export {
    /// Sends the last values, within `deadline`.
    pub(crate) fn finish(self, deadline: Duration, runtime: &Handle) {
        let Some(provider) = self.0 else { return };
        let last = runtime.spawn_blocking(move || provider.shutdown());
        match runtime.block_on(async { tokio::time::timeout(deadline, last).await }) {
            Ok(Ok(Ok(()))) => {}
            _ => warn!("the last metrics were not delivered"),
        }
    }
}

impl Source {
    pub(crate) fn new(stats: Arc<CollectorStats>, exporters: Arc<Exporters>, state: Arc<State>, sink: Sink) -> Self {
        Self { stats, exporters: Arc::new(PerExporter::new(exporters)), state, sink, log: None }
    }

    /// With metrics of their own for so many exporters.
    pub(crate) fn with_own_exporters(self, count: usize) -> Self {
        Self { exporters: Arc::new(self.exporters.with_limit(count)), ..self }
    }

    /// With what becomes of the log, if it goes over OTLP.
    pub(crate) fn with_log(self, log: Option<Arc<LogStats>>) -> Self {
        Self { log, ..self }
    }

    /// All metrics now.
    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let mut metrics = self.received();
        metrics.extend(self.connections());
        metrics.extend(self.followed());
        metrics.extend(self.remembered());
        metrics.extend(self.exporters.metrics());
        let outputs = self.sink.stats().outputs;
        metrics.extend(delivery(&outputs));
        metrics.extend(kept(&outputs));
        metrics.extend(self.logged());
        metrics
    }

    /// What became of the lines of the log; no values where it does not go over OTLP.
    fn logged(&self) -> [Metric; 2] {
        let metric = |name: &'static str, description, points| {
            Metric::new(name, "{log_record}", Kind::Counter, description, points)
        };
        let point = |value: u64, reason: Option<&str>| {
            Point::new(reason.map(|reason| ("error.type", reason.to_owned())).into_iter().collect(), value)
        };
        let (mut exported, mut processed) = (Vec::new(), Vec::new());
        if let Some(stats) = &self.log {
            let counts = [&stats.exported, &stats.rejected, &stats.refused, &stats.queue_full];
            let [taken, rejected, refused, queue_full] = counts.map(|count| count.load(Relaxed));
            exported = vec![point(taken, None), point(rejected, Some("rejected")), point(refused, Some("refused"))];
            processed = vec![point(taken + rejected + refused, None), point(queue_full, Some("queue_full"))];
        }
        [
            metric(
                "otel.sdk.exporter.log.exported",
                "Lines of the log that were delivered over OTLP, or not taken for the reason in error.type.",
                exported,
            ),
            metric(
                "otel.sdk.processor.log.processed",
                "Lines that left the queue, or never entered it for the reason in error.type.",
                processed,
            ),
        ]
    }

    /// What came in and what became of it.
    fn received(&self) -> Vec<Metric> {
        let stats = self.stats.snapshot();
        let kinds = |values: [u64; DecodeErrorKind::NAMES.len()]| DecodeErrorKind::NAMES.iter().copied().zip(values);
        vec![
            Metric::counter("netflow.collector.datagrams", "{datagram}", "Datagrams that were read.", stats.datagrams),
            Metric::counter("netflow.collector.bytes", "By", "Bytes in these datagrams.", stats.bytes),
            Metric::counter("netflow.collector.records", "{record}", "Flow records decoded.", stats.records),
            Metric::counter(
                "netflow.collector.options_records",
                "{record}",
                "Options Data Records decoded.",
                stats.options_records,
            ),
            Metric::counter(
                "netflow.collector.templates",
                "{template}",
                "Template Records understood.",
                stats.templates,
            ),
            Metric::counter(
                "netflow.collector.spans",
                "{span}",
                "Spans written, those of flows among them.",
                stats.spans,
            ),
            Metric::counter("netflow.collector.flow_spans", "{span}", "Flow spans written.", stats.flow_spans),
            Metric::by_reason(
                "netflow.collector.records.dropped",
                "{record}",
                "Flow records without a span, by reason.",
                [
                    ("filtered", stats.flows_filtered),
                    ("rate_limit", stats.flows_limited),
                    ("sampled_out", stats.flows_sampled_out),
                    ("span_limit", stats.flows_cut),
                ],
            ),
            Metric::by_reason(
                "netflow.collector.issues",
                "{issue}",
                "What was odd or could not be read, by kind.",
                kinds(stats.issues),
            ),
            Metric::by_reason(
                "netflow.collector.skipped",
                "By",
                "Bytes that were not understood, by kind of issue.",
                kinds(stats.skipped),
            ),
            Metric::by_reason(
                "netflow.collector.dropped",
                "{datagram}",
                "Datagrams that were not read, by reason.",
                [
                    ("denied", stats.denied),
                    ("exporter_limit", stats.exporters_refused),
                    ("kernel", stats.kernel_drops),
                    ("rate_limit", stats.datagrams_limited),
                    ("stopped", stats.datagrams_unread),
                ],
            ),
            Metric::counter(
                "netflow.collector.receive.errors",
                "{error}",
                "Failed attempts to receive.",
                stats.receive_errors,
            ),
            decoding(&stats),
        ]
    }

    /// Connections of exporters over TCP and TLS.
    fn connections(&self) -> Vec<Metric> {
        let stream = self.stats.snapshot().stream;
        vec![
            Metric::gauge(
                "netflow.collector.connections",
                "{connection}",
                "Connections of exporters that are open.",
                stream.open() as usize,
            ),
            Metric::counter(
                "netflow.collector.connections.accepted",
                "{connection}",
                "Connections accepted, those refused at once included.",
                stream.accepted,
            ),
            Metric::by_reason(
                "netflow.collector.connections.ended",
                "{connection}",
                "Connections that ended or were refused, by reason.",
                Ending::ALL.map(|ending| (ending.as_str(), stream.ended(ending))),
            ),
            Metric::counter(
                "netflow.collector.connections.cut_messages",
                "{message}",
                "Messages that were not complete when their connection ended.",
                stream.cut_messages,
            ),
            Metric::counter(
                "netflow.collector.connections.pauses",
                "{pause}",
                "How often reading of connections paused because an output had no room.",
                stream.pauses,
            ),
        ]
    }

    /// What sequence numbers and ports say of the exporters.
    fn followed(&self) -> Vec<Metric> {
        let stats = self.stats.snapshot();
        vec![
            Metric::counter(
                "netflow.collector.sequence.gaps",
                "{unit}",
                "Flows (v5, v7), messages (v9) or records (IPFIX) that sequence numbers say are missing.",
                stats.sequence_gaps,
            ),
            Metric::counter(
                "netflow.collector.restarts",
                "{restart}",
                "Exporters that started anew, by their sequence numbers or uptime.",
                stats.restarts,
            ),
            Metric::counter(
                "netflow.collector.templates.elsewhere",
                "{datagram}",
                "Datagrams with data whose Template the exporter sent from another source port.",
                stats.templates_elsewhere,
            ),
        ]
    }

    /// What is remembered of the exporters.
    fn remembered(&self) -> Vec<Metric> {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let pending = self.state.pending_stats(Timestamp::UNIX_EPOCH + since_epoch);
        vec![
            Metric::gauge(
                "netflow.collector.pending",
                "By",
                "Bytes of data that waits for its Template.",
                self.state.pending_memory(),
            ),
            Metric::counter(
                "netflow.collector.pending.dropped",
                "By",
                "Bytes of data whose Template did not come in time.",
                pending.dropped_bytes,
            ),
            Metric::gauge(
                "netflow.collector.exporters",
                "{exporter}",
                "Addresses of exporters for which anything is remembered.",
                self.state.exporter_count(),
            ),
            Metric::gauge(
                "netflow.collector.exporters.known",
                "{exporter}",
                "Addresses whose datagrams are read, which have a place each.",
                self.exporters.known(),
            ),
            Metric::gauge(
                "netflow.collector.exporters.capacity",
                "{exporter}",
                "Places for them.",
                self.exporters.capacity(),
            ),
            Metric::gauge(
                "netflow.collector.observation_domains",
                "{domain}",
                "Observation Domains that are remembered.",
                self.state.domain_count(),
            ),
            Metric::gauge(
                "netflow.collector.state.bytes",
                "By",
                "Bytes in use for Templates and Observation Domains.",
                self.state.memory(),
            ),
            Metric::counter(
                "netflow.collector.state.evictions",
                "{domain}",
                "Observation Domains that were dropped with their Templates to make room for others.",
                self.state.evictions(),
            ),
        ]
    }
}

fn decoding(stats: &StatsSnapshot) -> Metric {
    let histogram = Histogram {
        attributes: Vec::new(),
        bounds: &DecodeDurations::BOUNDS,
        counts: stats.decoding.counts.to_vec(),
        sum: stats.decoding.sum.as_secs_f64(),
    };
    let description = "Time from a datagram to its records.";
    let metric = Metric::new("netflow.decode.duration", "s", Kind::Histogram, description, Vec::new());
    Metric { histograms: vec![histogram], ..metric }
}

fn component(output: &OutputStats) -> (&'static str, String) {
    ("otel.component.name", output.name.clone())
}

/// What the outputs keep in memory and on disk.
fn kept(outputs: &[OutputStats]) -> Vec<Metric> {
    let metric = |name: &'static str, unit, kind, description, value: fn(&OutputStats) -> Option<u64>| {
        let point = |output| Some(Point::new(vec![component(output)], value(output)?));
        Metric::new(name, unit, kind, description, outputs.iter().filter_map(point).collect())
    };
    vec![
        metric(
            "netflow.collector.queue.bytes",
            "By",
            Kind::Gauge,
            "Bytes of spans in the memory of an output.",
            |output| Some(output.held_bytes),
        ),
        metric("netflow.collector.queue.capacity", "By", Kind::Gauge, "The limit of these bytes.", |output| {
            Some(output.max_held_bytes)
        }),
        metric("netflow.collector.spool.spans", "{span}", Kind::Gauge, "Spans that wait on disk alone.", |output| {
            Some(output.spool?.spans)
        }),
        metric("netflow.collector.spool.bytes", "By", Kind::Gauge, "Bytes of the spool's files.", |output| {
            Some(output.spool?.bytes)
        }),
        metric("netflow.collector.spool.capacity", "By", Kind::Gauge, "The limit of these bytes.", |output| {
            Some(output.spool?.max_bytes)
        }),
        metric("netflow.collector.spool.written", "{span}", Kind::Counter, "Spans written to the spool.", |output| {
            Some(output.spool?.written)
        }),
        metric(
            "netflow.collector.spool.recovered",
            "{span}",
            Kind::Counter,
            "Spans that earlier runs had left in the spool.",
            |output| Some(output.spool?.recovered),
        ),
        metric(
            "netflow.collector.spool.damaged",
            "By",
            Kind::Counter,
            "Bytes of the spool that could not be understood.",
            |output| Some(output.spool?.damaged_bytes),
        ),
        metric(
            "netflow.collector.spool.writable",
            "1",
            Kind::Gauge,
            "1 while the spool can be written, 0 after a failure.",
            |output| Some(output.spool?.is_writable.into()),
        ),
    ]
}

/// The metrics of the outputs, as OpenTelemetry names those of its exporters and processors.
fn delivery(outputs: &[OutputStats]) -> Vec<Metric> {
    let each = |value: fn(&OutputStats) -> u64| -> Vec<Point> {
        outputs.iter().map(|output| Point::new(vec![component(output)], value(output))).collect()
    };
    let failed = |reasons: &[DropReason]| -> Vec<Point> {
        let point = |output: &OutputStats, reason: DropReason| {
            let attributes = vec![component(output), ("error.type", reason.as_str().to_owned())];
            Point::new(attributes, output.dropped(reason))
        };
        outputs.iter().flat_map(|output| reasons.iter().map(move |reason| point(output, *reason))).collect()
    };
    let (sent, unsent): (Vec<_>, Vec<_>) = DropReason::ALL.into_iter().partition(|reason| was_sent(*reason));
    let mut exported = each(|output| output.exported);
    exported.extend(failed(&sent));
    let mut processed = each(|output| {
        output.exported
            + DropReason::ALL
                .iter()
                .filter(|reason| was_sent(**reason))
                .map(|reason| output.dropped(*reason))
                .sum::<u64>()
    });
    processed.extend(failed(&unsent));
    let metric = |name: &'static str, kind, description, points| Metric::new(name, "{span}", kind, description, points);
    vec![
        metric(
            "otel.sdk.exporter.span.exported",
            Kind::Counter,
            "Spans that an output has finished with: delivered, or refused for the reason in error.type.",
            exported,
        ),
        metric(
            "otel.sdk.exporter.span.inflight",
            Kind::Gauge,
            "Spans in requests that are not answered yet.",
            each(|output| output.in_flight_spans),
        ),
        Metric {
            histograms: outputs.iter().flat_map(durations).collect(),
            ..Metric::new(
                "otel.sdk.exporter.operation.duration",
                "s",
                Kind::Histogram,
                "Time from the start of a request to its answer, or to its failure for the reason in error.type.",
                Vec::new(),
            )
        },
        metric(
            "otel.sdk.processor.span.processed",
            Kind::Counter,
            "Spans that left the queue, or never entered it for the reason in error.type.",
            processed,
        ),
        metric(
            "otel.sdk.processor.span.queue.size",
            Kind::Gauge,
            "Spans that wait in the queue of an output.",
            each(|output| output.queued_spans),
        ),
    ]
}

fn durations(output: &OutputStats) -> impl Iterator<Item = Histogram> {
    output.durations.iter().map(|durations| {
        let mut attributes = vec![component(output)];
        attributes.extend(durations.error.map(|kind| ("error.type", kind.as_str().to_owned())));
        Histogram {
            attributes,
            bounds: &RequestDurations::BOUNDS,
            counts: durations.counts.to_vec(),
            sum: durations.sum.as_secs_f64(),
        }
    })
}

fn unix_nano(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos() as u64
}

/// Whether a span that was dropped for this reason had left the queue.
const fn was_sent(reason: DropReason) -> bool {
    matches!(reason, DropReason::Rejected | DropReason::Refused | DropReason::Io)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::collections::BTreeSet;

    use flow_collector::ExporterPolicy;
    use flow_state::StateConfig;
    use otlp_sink::{FileConfig, Output, SinkConfig};
    use tokio::runtime::Runtime;

    use super::*;

    /// A collector that has received nothing; what it needs to run is to be kept.
    fn source() -> (Source, impl Sized) {
        let runtime = Runtime::new().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let sink = SinkConfig::default().with_output(Output::File(FileConfig::new(folder.path().join("spans.jsonl"))));
        let sink = Sink::start(sink, runtime.handle()).unwrap();
        let exporters = Arc::new(Exporters::new(ExporterPolicy::default()));
        let source = Source::new(Arc::default(), exporters, Arc::new(State::new(StateConfig::default())), sink);
        (source, (runtime, folder))
    }

    /// The table of metrics in docs/configuration.md has these and no others; `.name` stands for the first one of its row
    /// with another end.
    #[test]
    fn the_documentation_has_every_metric() {
        let (source, _running) = source();
        let names: BTreeSet<_> = source.metrics().into_iter().map(|metric| metric.name).collect();

        let docs = include_str!("../../../docs/configuration.md");
        let mut documented: BTreeSet<Cow<'_, str>> = BTreeSet::new();
        let cells = docs.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
        for cell in cells.filter(|cell| ["netflow.", "otel.sdk."].iter().any(|start| cell.starts_with(start))) {
            let mut items = cell.split(", ");
            let first = items.next().unwrap();
            documented.insert(first.into());
            for item in items {
                let is_meant =
                    |name: &&Cow<'_, str>| name.strip_suffix(item).is_some_and(|start| first.starts_with(start));
                let meant = names.iter().find(is_meant).unwrap_or_else(|| panic!("{cell}: no metric {item}"));
                documented.insert(meant.clone());
            }
        }
        assert_eq!(documented, names);
    }

    /// What docs/alerts.yaml watches is there, under the names and reasons that Prometheus sees.
    #[test]
    fn alerts_are_on_metrics_that_exist() {
        let (source, _running) = source();
        let text = prometheus::text(&source.metrics(), "", "");
        let names: BTreeSet<_> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let alerts = include_str!("../../../docs/alerts.yaml");
        let words = alerts.replace("$labels.netflow", "");
        let words = words.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
        let watched: BTreeSet<_> =
            words.filter(|word| word.starts_with("netflow_") || word.starts_with("otel_sdk_")).collect();
        assert!(watched.len() > 10, "{watched:?}");
        for name in watched {
            let histogram = ["_bucket", "_count", "_sum"].iter().find_map(|end| name.strip_suffix(end));
            assert!(names.contains(name) || histogram.is_some_and(|of| names.contains(of)), "{name}");
        }
        let reasons = ["error_type=\"", "error_type!=\"", "error_type!~\""].map(|before| alerts.split(before).skip(1));
        let reasons = reasons.into_iter().flatten().filter_map(|rest| rest.split('"').next());
        for reason in reasons.flat_map(|reasons| reasons.split('|')) {
            assert!(reason.is_empty() || text.contains(&format!("error_type=\"{reason}\"")), "{reason}");
        }
    }
}
