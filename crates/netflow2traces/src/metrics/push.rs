//! Metrics whose counting begins anew at times of their own, over OTLP. The SDK has one start for all and no way to set it, so
//! that a counter which falls would look like one that is out of order.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as proto, AggregationTemporality, ExponentialHistogramDataPoint, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use otlp_sink::OtlpConfig;

use super::metric::{Attributes, Distribution};
use super::sender::Sender;
use super::{Kind, Metric, Number, Point, unix_nano};

/// Sends metrics with points or distributions, not histograms with bounds.
pub(crate) struct Push {
    sender: Sender,
    resource: Resource,
    started: SystemTime,
    /// What was accepted, for deltas.
    delivered: Option<Delivered>,
    gathered: HashMap<Series, Gathered>,
}

/// What is to be told of a distribution.
#[derive(Debug)]
struct Gathered {
    /// Since the last export that was accepted if exports are deltas, else of all.
    distribution: Distribution,
    /// Whether some of it was not accepted yet.
    is_pending: bool,
}

/// Values of counters up to a moment.
#[derive(Debug)]
struct Delivered {
    until: SystemTime,
    values: HashMap<Series, Number>,
}

/// Name and attributes.
type Series = (String, Attributes);

impl Push {
    /// Counters and distributions are what was added since the last export that was accepted, if `is_delta`; counters must not fall then. Has to be
    /// called within a tokio runtime.
    pub(crate) fn new(
        config: &OtlpConfig,
        resource: &[(String, String)],
        is_delta: bool,
        started: SystemTime,
    ) -> anyhow::Result<Self> {
        let attributes = resource.iter().map(|(key, value)| key_value(key, value)).collect();
        Ok(Self {
            sender: Sender::new(config)?,
            resource: Resource { attributes, ..Resource::default() },
            started,
            delivered: is_delta.then(|| Delivered { until: started, values: HashMap::new() }),
            gathered: HashMap::new(),
        })
    }

    /// Sends values of a moment, once; whether they were accepted. The next ones are further on, whatever becomes of these, but
    /// distributions: each is what came since the one before.
    pub(crate) async fn export(&mut self, metrics: &[Metric], at: SystemTime) -> bool {
        // Not before what was said already, whatever is done to the clock.
        let at = self.delivered.as_ref().map_or(at, |delivered| at.max(delivered.until + Duration::from_nanos(1)));
        metrics.iter().for_each(|metric| self.gather(metric));
        let message = |metric| self.message(metric, at);
        let scope = InstrumentationScope {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            ..InstrumentationScope::default()
        };
        let scope_metrics = vec![ScopeMetrics {
            scope: Some(scope),
            metrics: metrics.iter().filter_map(message).collect(),
            ..ScopeMetrics::default()
        }];
        let resource = Some(self.resource.clone());
        let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
        let is_accepted = self.sender.deliver(&ExportMetricsServiceRequest { resource_metrics }).await.is_ok();
        if let Some(delivered) = self.delivered.as_mut().filter(|_| is_accepted) {
            delivered.take(metrics, at);
        }
        if is_accepted {
            self.gathered.values_mut().for_each(|gathered| gathered.is_pending = false);
        }
        if is_accepted && self.delivered.is_some() {
            self.gathered.clear();
        }
        is_accepted
    }

    fn gather(&mut self, metric: &Metric) {
        for fresh in &metric.distributions {
            let series = (metric.name.clone().into_owned(), fresh.attributes.clone());
            match self.gathered.entry(series) {
                Entry::Occupied(known) => known.into_mut().add(fresh),
                Entry::Vacant(new) => {
                    new.insert(Gathered { distribution: fresh.clone(), is_pending: true });
                }
            }
        }
    }

    /// `None` when it has nothing to tell.
    fn message(&self, metric: &Metric, at: SystemTime) -> Option<proto::Metric> {
        let points = metric.points.iter();
        let temporality = match self.delivered {
            Some(_) => AggregationTemporality::Delta,
            None => AggregationTemporality::Cumulative,
        };
        let data = if metric.kind == Kind::Exponential {
            let of_metric =
                self.gathered.iter().filter(|((name, _), gathered)| *name == metric.name && gathered.is_pending);
            let data_points: Vec<_> =
                of_metric.map(|(_, gathered)| distribution_point(&gathered.distribution)).collect();
            if data_points.is_empty() {
                return None;
            }
            Data::ExponentialHistogram(proto::ExponentialHistogram {
                data_points,
                aggregation_temporality: temporality.into(),
            })
        } else if metric.points.is_empty() {
            return None;
        } else if metric.kind == Kind::Counter {
            Data::Sum(proto::Sum {
                data_points: points.map(|point| self.counted(metric, point, at)).collect(),
                aggregation_temporality: temporality.into(),
                is_monotonic: true,
            })
        } else {
            Data::Gauge(proto::Gauge { data_points: points.map(|point| data_point(point, point.value, at)).collect() })
        };
        Some(proto::Metric {
            name: metric.name.clone().into_owned(),
            description: metric.description.to_owned(),
            unit: metric.unit.to_owned(),
            data: Some(data),
            ..proto::Metric::default()
        })
    }

    fn counted(&self, metric: &Metric, point: &Point, at: SystemTime) -> NumberDataPoint {
        let (value, start) = match &self.delivered {
            Some(delivered) => (delivered.since(metric, point), delivered.until),
            None => (point.value, point.start.unwrap_or(self.started)),
        };
        // A clock that is set back does not put the end before the start.
        let point = data_point(point, value, at.max(start));
        NumberDataPoint { start_time_unix_nano: unix_nano(start), ..point }
    }
}

impl Gathered {
    fn add(&mut self, fresh: &Distribution) {
        self.distribution.histogram.merge(&fresh.histogram);
        self.distribution.time = fresh.time.max(self.distribution.time);
        self.is_pending = true;
    }
}

impl Delivered {
    /// What was added since the last time.
    fn since(&self, metric: &Metric, point: &Point) -> Number {
        match (point.value, self.values.get(&series(metric, point))) {
            (Number::Whole(value), Some(Number::Whole(before))) => Number::Whole(value.saturating_sub(*before)),
            (Number::Real(value), Some(Number::Real(before))) => Number::Real((value - before).max(0.0)),
            (value, _) => value,
        }
    }

    fn take(&mut self, metrics: &[Metric], at: SystemTime) {
        self.until = at;
        for metric in metrics.iter().filter(|metric| metric.kind == Kind::Counter) {
            for point in &metric.points {
                self.values.insert(series(metric, point), point.value);
            }
        }
    }
}

fn series(metric: &Metric, point: &Point) -> Series {
    (metric.name.clone().into_owned(), point.attributes.clone())
}

fn data_point(point: &Point, value: Number, at: SystemTime) -> NumberDataPoint {
    let value = match value {
        // A count that only a broken map has.
        Number::Whole(value) => i64::try_from(value)
            .map_or(number_data_point::Value::AsDouble(value as f64), number_data_point::Value::AsInt),
        Number::Real(value) => number_data_point::Value::AsDouble(value),
    };
    NumberDataPoint {
        attributes: point.attributes.iter().map(|(key, value)| key_value(key, value)).collect(),
        time_unix_nano: unix_nano(at),
        value: Some(value),
        ..NumberDataPoint::default()
    }
}

fn distribution_point(distribution: &Distribution) -> ExponentialHistogramDataPoint {
    let histogram = &distribution.histogram;
    let (offset, counts) = histogram.positive();
    let (min, max) = histogram.range().unzip();
    ExponentialHistogramDataPoint {
        attributes: distribution.attributes.iter().map(|(key, value)| key_value(key, value)).collect(),
        start_time_unix_nano: unix_nano(distribution.start),
        time_unix_nano: unix_nano(distribution.time),
        count: histogram.count(),
        sum: Some(histogram.sum()),
        scale: histogram.scale(),
        zero_count: histogram.zeros(),
        positive: Some(Buckets { offset, bucket_counts: counts.to_vec() }),
        min,
        max,
        ..ExponentialHistogramDataPoint::default()
    }
}

fn key_value(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

#[cfg(test)]
mod tests {
    use otlp_sink::{Protocol, Signal};
    use testkit::otlp_server::{OtlpServer, Respond, metric};

    use super::*;

    fn time(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    fn push(server: &OtlpServer, is_delta: bool) -> Push {
        let mut config = OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap();
        config.signal = Signal::Metrics;
        Push::new(&config, &[("service.name".to_owned(), "lab".to_owned())], is_delta, time(0)).unwrap()
    }

    fn counter(value: u64, start: Option<SystemTime>) -> Metric {
        let point = Point { start, ..Point::new(vec![("xdp.action", "drop".to_owned())], value) };
        Metric::new("xdp.packets.total", "packets", Kind::Counter, "What.", vec![point])
    }

    /// Value, start and time of each, the latter in seconds.
    fn sums(server: &OtlpServer, temporality: AggregationTemporality) -> Vec<(i64, u64, u64)> {
        let point = |metric: &testkit::otlp_server::Metric| {
            let Some(metric::Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
            assert!(sum.is_monotonic && sum.aggregation_temporality() == temporality, "{sum:?}");
            let [point] = &sum.data_points[..] else { panic!("{sum:?}") };
            let Some(number_data_point::Value::AsInt(value)) = point.value else { panic!("{point:?}") };
            let seconds = |nano: u64| nano / 1_000_000_000 - 1_700_000_000;
            (value, seconds(point.start_time_unix_nano), seconds(point.time_unix_nano))
        };
        server.metrics().iter().map(point).collect()
    }

    #[tokio::test]
    async fn a_series_has_its_own_start() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut push = push(&server, false);
        for (value, start, at) in [(100, 1, 5), (5, 7, 10), (6, 7, 6)] {
            assert!(push.export(&[counter(value, Some(time(start)))], time(at)).await);
        }
        assert!(push.export(&[counter(1, None)], time(20)).await);
        let expected = [(100, 1, 5), (5, 7, 10), (6, 7, 7), (1, 0, 20)];
        assert_eq!(sums(&server, AggregationTemporality::Cumulative), expected);
        assert_eq!(server.resources()[0].attributes[0].key, "service.name");
    }

    /// What was not accepted is in the next one.
    #[tokio::test]
    async fn deltas_lose_nothing() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut push = push(&server, true);
        for (value, at, respond) in
            [(10, 5, Respond::Accept), (25, 10, Respond::Unavailable(None)), (30, 15, Respond::Accept)]
        {
            let is_accepted = matches!(respond, Respond::Accept);
            server.respond_with(respond);
            assert_eq!(push.export(&[counter(value, None)], time(at)).await, is_accepted);
        }
        assert!(push.export(&[], time(20)).await, "the map is missing");
        assert!(push.export(&[counter(31, None)], time(25)).await);
        assert_eq!(sums(&server, AggregationTemporality::Delta), [(10, 0, 5), (20, 5, 15), (1, 20, 25)]);
    }

    /// What a receiver is told of a distribution: count, least and greatest value, start and time in seconds.
    fn distributions(server: &OtlpServer, temporality: AggregationTemporality) -> Vec<(u64, f64, f64, u64, u64)> {
        let metrics = server.metrics();
        let points = metrics.iter().flat_map(|metric| {
            let Some(metric::Data::ExponentialHistogram(histogram)) = &metric.data else { panic!("{metric:?}") };
            assert_eq!((histogram.aggregation_temporality(), &*metric.unit), (temporality, "packets/sec"));
            &histogram.data_points
        });
        let point = |point: &ExponentialHistogramDataPoint| {
            let in_buckets = point.positive.iter().flat_map(|buckets| &buckets.bucket_counts).sum::<u64>();
            assert_eq!(in_buckets + point.zero_count, point.count);
            let seconds = |nano: u64| nano / 1_000_000_000 - 1_700_000_000;
            let (start, end) = (seconds(point.start_time_unix_nano), seconds(point.time_unix_nano));
            (point.count, point.min.unwrap(), point.max.unwrap(), start, end)
        };
        points.map(point).collect()
    }

    fn spread(rates: &[f64], start: u64, end: u64) -> Metric {
        let mut histogram = super::super::Exponential::default();
        rates.iter().for_each(|rate| histogram.record(*rate));
        let distribution = Distribution { attributes: Vec::new(), start: time(start), time: time(end), histogram };
        let metric = Metric::new("xdp.packets.rate.distribution", "packets/sec", Kind::Exponential, "", Vec::new());
        let distributions = if rates.is_empty() { Vec::new() } else { vec![distribution] };
        Metric { distributions, ..metric }
    }

    /// Exports of which the second and the third are lost, and nothing is new in the third and the last.
    async fn export_spreads(is_delta: bool) -> OtlpServer {
        let server = OtlpServer::start_local().await.unwrap();
        let mut push = push(&server, is_delta);
        let exports = [
            (spread(&[0.0, 5.0], 0, 5), Respond::Accept),
            (spread(&[1.0, 700.0], 5, 10), Respond::Unavailable(None)),
            (spread(&[], 0, 0), Respond::Unavailable(None)),
            (spread(&[2.0], 10, 20), Respond::Accept),
            (spread(&[], 0, 0), Respond::Accept),
        ];
        for (metric, respond) in exports {
            server.respond_with(respond);
            push.export(&[metric], time(99)).await;
        }
        server
    }

    #[tokio::test]
    async fn deltas_of_distributions_lose_nothing() {
        let server = export_spreads(true).await;
        let expected = [(2, 0.0, 5.0, 0, 5), (3, 1.0, 700.0, 5, 20)];
        assert_eq!(distributions(&server, AggregationTemporality::Delta), expected);
    }

    #[tokio::test]
    async fn distributions_have_one_start_or_the_last_end() {
        let server = export_spreads(false).await;
        let expected = [(2, 0.0, 5.0, 0, 5), (5, 0.0, 700.0, 0, 20)];
        assert_eq!(distributions(&server, AggregationTemporality::Cumulative), expected);
    }

    /// Of seconds too.
    #[tokio::test]
    async fn deltas_may_be_real() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut push = push(&server, true);
        for value in [0.25, 1.0, 1.0] {
            let points = vec![Point::new(Vec::new(), value)];
            let metric = Metric::new("xdp.program.run_time", "s", Kind::Counter, "", points);
            assert!(push.export(&[metric], time(1)).await);
        }
        let deltas: Vec<_> = server
            .metrics()
            .iter()
            .map(|metric| {
                let Some(metric::Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
                sum.data_points[0].value.unwrap()
            })
            .collect();
        assert_eq!(deltas, [0.25, 0.75, 0.0].map(number_data_point::Value::AsDouble));
    }

    #[tokio::test]
    async fn gauges_are_what_they_are() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut push = push(&server, true);
        let points = vec![Point::new(Vec::new(), 12.5), Point::new(Vec::new(), u64::MAX)];
        assert!(push.export(&[Metric::new("xdp.packets.rate", "packets/sec", Kind::Gauge, "", points)], time(1)).await);
        let metrics = server.metrics();
        let Some(metric::Data::Gauge(gauge)) = &metrics[0].data else { panic!("{metrics:?}") };
        let values: Vec<_> = gauge.data_points.iter().map(|point| point.value.unwrap()).collect();
        assert_eq!(values, [12.5, u64::MAX as f64].map(number_data_point::Value::AsDouble));
        assert_eq!(metrics[0].unit, "packets/sec");
    }
}
