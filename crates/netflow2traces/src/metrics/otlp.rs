//! The metrics over OTLP, through the OpenTelemetry SDK.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::metrics::{AsyncInstrument, MeterProvider};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_otlp::tonic_types::metadata::MetadataMap;
use opentelemetry_otlp::{
    Compression, ExporterBuildError, MetricExporter, Protocol, WithExportConfig, WithHttpConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::metrics::periodic_reader_with_async_runtime::PeriodicReader;
use opentelemetry_sdk::runtime::Tokio;
use otlp_sink::OtlpConfig;

use super::{Kind, Metric, Point, Source};

/// Exports every `OTEL_METRIC_EXPORT_INTERVAL` (60 s). Has to be called within a tokio runtime.
pub(super) fn start(
    config: &OtlpConfig,
    source: &Source,
    resource: &[(String, String)],
) -> Result<SdkMeterProvider, ExporterBuildError> {
    let reader = PeriodicReader::builder(exporter(config)?, Tokio).build();
    let attributes = resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let resource = Resource::builder_empty().with_attributes(attributes).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).with_resource(resource).build();
    let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME")).with_version(env!("CARGO_PKG_VERSION")).build();
    let meter = provider.meter_with_scope(scope);
    let metrics = source.metrics();
    let source = source.clone();
    let collection = Arc::new(Collection::new(move || source.metrics()));
    for (index, metric) in metrics.into_iter().enumerate() {
        let collection = collection.clone();
        let observe = move |instrument: &dyn AsyncInstrument<u64>| {
            for point in collection.take(index) {
                let attributes: Vec<_> =
                    point.attributes.into_iter().map(|(key, value)| KeyValue::new(key, value)).collect();
                instrument.observe(point.value, &attributes);
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
        }
    }
    Ok(provider)
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

fn exporter(config: &OtlpConfig) -> Result<MetricExporter, ExporterBuildError> {
    let endpoint = config.endpoint.to_string();
    let gzip = config.compression == otlp_sink::Compression::Gzip;
    let protocol = match config.protocol {
        otlp_sink::Protocol::Grpc => {
            let mut builder = MetricExporter::builder()
                .with_tonic()
                .with_endpoint(endpoint)
                .with_timeout(config.timeout)
                .with_metadata(MetadataMap::from_headers(config.headers.clone()));
            if gzip {
                builder = builder.with_compression(Compression::Gzip);
            }
            return builder.build();
        }
        otlp_sink::Protocol::HttpProtobuf => Protocol::HttpBinary,
        otlp_sink::Protocol::HttpJson => Protocol::HttpJson,
    };
    let mut headers = HashMap::new();
    for (name, value) in &config.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(name.to_string(), value.to_owned());
        }
    }
    let mut builder = MetricExporter::builder()
        .with_http()
        .with_protocol(protocol)
        .with_endpoint(endpoint)
        .with_timeout(config.timeout)
        .with_headers(headers);
    if gzip {
        builder = builder.with_compression(Compression::Gzip);
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn a_collection_is_of_one_moment() {
        let moment = Cell::new(0);
        let metric =
            |value| Metric { name: "n", unit: "1", kind: Kind::Gauge, description: "", points: Point::of(value) };
        let collection = Collection::new(|| {
            moment.set(moment.get() + 1);
            vec![metric(moment.get()), metric(moment.get())]
        });
        let value = |index| collection.take(index)[0].value;
        assert_eq!([value(0), value(1), value(0), value(1), value(1), value(0)], [1, 1, 2, 2, 3, 3]);
    }
}
