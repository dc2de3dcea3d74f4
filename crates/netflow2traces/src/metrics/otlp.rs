//! The metrics over OTLP: collected by the OpenTelemetry SDK, sent as spans are.

use std::collections::HashMap;
use std::env;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::metrics::{AsyncInstrument, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{self as proto, AggregationTemporality, HistogramDataPoint};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::periodic_reader_with_async_runtime::PeriodicReader;
use opentelemetry_sdk::metrics::{Instrument, SdkMeterProvider, Stream, Temporality};
use opentelemetry_sdk::runtime::Tokio;
use otlp_sink::{OtlpConfig, PartialSuccess};
use tracing::warn;

use super::metric::{Attributes, Histogram};
use super::sender::Sender;
use super::{Kind, Metric, Number, Point, Source, unix_nano};

/// Exports every `OTEL_METRIC_EXPORT_INTERVAL` (60 s). Has to be called within a tokio runtime.
pub(super) fn start(
    config: &OtlpConfig,
    source: &Source,
    resource: &[(String, String)],
) -> anyhow::Result<SdkMeterProvider> {
    let exporter = Exporter::new(config)?;
    let histograms = Histograms::new(source.clone(), exporter.temporality);
    let exporter = Exporter { histograms: Some(histograms), ..exporter };
    let reader = PeriodicReader::builder(exporter, Tokio).build();
    let attributes = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let resource = Resource::builder_empty().with_attributes(attributes).build();
    let most = source.exporters.most_points();
    let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource);
    let provider = provider.with_view(move |metric: &Instrument| room_for_exporters(metric, most)).build();
    let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION")).build();
    let meter = provider.meter_with_scope(scope);
    let metrics = source.metrics();
    let source = source.clone();
    let collection = Arc::new(Collection::new(move || source.metrics()));
    for (index, metric) in metrics.into_iter().enumerate() {
        let collection = collection.clone();
        let observe = move |instrument: &dyn AsyncInstrument<u64>| {
            for point in collection.take(index) {
                // All of them count.
                let Number::Whole(value) = point.value else { continue };
                let attributes: Vec<_> =
                    point.attributes.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
                instrument.observe(value, &attributes);
            }
        };
        match metric.kind {
            Kind::Counter => {
                let counter = meter.u64_observable_counter(metric.name).with_unit(metric.unit);
                counter.with_description(metric.description).with_callback(observe).build();
            }
            Kind::Gauge => {
                let gauge = meter.u64_observable_gauge(metric.name).with_unit(metric.unit);
                gauge.with_description(metric.description).with_callback(observe).build();
            }
            // The SDK has no instrument that observes one.
            Kind::Histogram | Kind::Exponential => {}
        }
    }
    Ok(provider)
}

/// The SDK keeps 2,000 points of a metric, and of those beyond the last one alone, as a point without their attributes.
fn room_for_exporters(metric: &Instrument, most: usize) -> Option<Stream> {
    if !metric.name().starts_with("netflow.exporter.") {
        return None;
    }
    Stream::builder().with_cardinality_limit(most).build().ok()
}

/// The points of one collection. The SDK asks for those of each instrument alone; all are to be of one moment.
struct Collection<F> {
    /// Gives always the same metrics in the same order.
    metrics: F,
    /// By metric; `None` when they were asked for.
    points: Mutex<Vec<Option<Vec<Point>>>>,
}

impl<F: Fn() -> Vec<Metric>> Collection<F> {
    const fn new(metrics: F) -> Self {
        Self { metrics, points: Mutex::new(Vec::new()) }
    }

    /// The points of a metric; asked for a second time, those of a new collection.
    fn take(&self, index: usize) -> Vec<Point> {
        let mut points = self.points.lock().unwrap_or_else(PoisonError::into_inner);
        if points.get(index).is_none_or(Option::is_none) {
            *points = (self.metrics)().into_iter().map(|metric| Some(metric.points)).collect();
        }
        points.get_mut(index).and_then(Option::take).unwrap_or_default()
    }
}

/// Asks the receiver, with a request that is empty, whether it takes metrics. Has to be called within a tokio runtime.
///
/// # Errors
///
/// What an export would meet.
pub(crate) async fn probe(config: &OtlpConfig) -> anyhow::Result<PartialSuccess> {
    Sender::new(config)?.send(&ExportMetricsServiceRequest::default()).await
}

struct Exporter {
    sender: Sender,
    temporality: Temporality,
    histograms: Option<Histograms>,
}

impl Exporter {
    fn new(config: &OtlpConfig) -> anyhow::Result<Self> {
        Ok(Self { sender: Sender::new(config)?, temporality: temporality(), histograms: None })
    }
}

impl PushMetricExporter for Exporter {
    /// Once: the next export has the same totals, further on. Deltas of one that fails are lost, for the SDK begins anew with each
    /// collection.
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut request = ExportMetricsServiceRequest::from(metrics);
        if let Some(histograms) = &self.histograms {
            histograms.add_to(&mut request);
        }
        let sent = self.sender.deliver(&request).await;
        sent.map_err(|error| OTelSdkError::InternalFailure(format!("{error:#}")))
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        self.temporality
    }
}

/// The histograms. With another preference than `cumulative` they are what was counted since the export before, as the SDK has
/// it for counters.
struct Histograms {
    source: Source,
    is_delta: bool,
    last: Mutex<Counted>,
}

/// Up to a moment.
struct Counted {
    at: SystemTime,
    points: HashMap<Series, Histogram>,
}

/// Name and attributes.
type Series = (String, Attributes);

impl Histograms {
    fn new(source: Source, temporality: Temporality) -> Self {
        let counted = Counted { at: SystemTime::now(), points: HashMap::new() };
        Self { source, is_delta: temporality != Temporality::Cumulative, last: Mutex::new(counted) }
    }

    /// Adds them to the metrics of the only scope there is.
    fn add_to(&self, request: &mut ExportMetricsServiceRequest) {
        let Some(scope) = request.resource_metrics.first_mut().and_then(|resource| resource.scope_metrics.first_mut())
        else {
            return;
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = SystemTime::now();
        let (start, end) = (unix_nano(last.at), unix_nano(now));
        for metric in self.source.metrics().into_iter().filter(|metric| metric.kind == Kind::Histogram) {
            let since_last = |histogram| if self.is_delta { last.since(&metric.name, histogram) } else { histogram };
            let histograms = metric.histograms.into_iter().map(since_last);
            let data_points = histograms.map(|histogram| data_point(histogram, start, end)).collect();
            let temporality =
                if self.is_delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
            let aggregation_temporality = temporality.into();
            scope.metrics.push(proto::Metric {
                name: metric.name.into_owned(),
                description: metric.description.to_owned(),
                unit: metric.unit.to_owned(),
                data: Some(Data::Histogram(proto::Histogram { data_points, aggregation_temporality })),
                ..proto::Metric::default()
            });
        }
        if self.is_delta {
            last.at = now;
        }
    }
}

impl Counted {
    /// What was counted since the last time, which is now.
    fn since(&mut self, name: &str, now: Histogram) -> Histogram {
        let mut since = now.clone();
        if let Some(last) = self.points.insert((name.to_owned(), now.attributes.clone()), now) {
            since.counts.iter_mut().zip(&last.counts).for_each(|(count, last)| *count -= last);
            since.sum -= last.sum;
        }
        since
    }
}

fn data_point(histogram: Histogram, start_time_unix_nano: u64, time_unix_nano: u64) -> HistogramDataPoint {
    let attributes = histogram.attributes.into_iter();
    HistogramDataPoint {
        attributes: attributes.map(|(key, value)| (&KeyValue::new(key, value)).into()).collect(),
        start_time_unix_nano,
        time_unix_nano,
        count: histogram.counts.iter().sum(),
        sum: Some(histogram.sum),
        bucket_counts: histogram.counts,
        explicit_bounds: histogram.bounds.to_vec(),
        ..HistogramDataPoint::default()
    }
}

/// As the specification's variable has it; cumulative otherwise.
pub(crate) fn temporality() -> Temporality {
    const VARIABLE: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    let value = env::var(VARIABLE).unwrap_or_default();
    let value = value.trim();
    value.parse().unwrap_or_else(|()| {
        if !value.is_empty() {
            warn!(value, "{VARIABLE}: expected cumulative, delta or lowmemory, going on with cumulative");
        }
        Temporality::default()
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_delta_is_what_came_since_the_last_one() {
        let mut counted = Counted { at: SystemTime::now(), points: HashMap::new() };
        let mut since = |reason: &str, counts: [u64; 2], sum| {
            let attributes = vec![("error.type", reason.to_owned())];
            let delta = counted.since("a", Histogram { attributes, bounds: &[1.0], counts: counts.into(), sum });
            (delta.counts, delta.sum)
        };
        assert_eq!(since("x", [1, 2], 4.0), (vec![1, 2], 4.0));
        assert_eq!(since("y", [7, 0], 1.0), (vec![7, 0], 1.0));
        assert_eq!(since("x", [1, 5], 10.0), (vec![0, 3], 6.0));
        assert_eq!(since("x", [1, 5], 10.0), (vec![0, 0], 0.0));
    }

    #[test]
    fn a_collection_is_of_one_moment() {
        let moment = Cell::new(0);
        let metric = |value| Metric::gauge("n", "1", "", value);
        let collection = Collection::new(|| {
            moment.set(moment.get() + 1);
            vec![metric(moment.get()), metric(moment.get())]
        });
        let value = |index| collection.take(index)[0].value;
        let values = [value(0), value(1), value(0), value(1), value(1), value(0)];
        assert_eq!(values, [1, 1, 2, 2, 3, 3].map(Number::Whole));
    }
}
