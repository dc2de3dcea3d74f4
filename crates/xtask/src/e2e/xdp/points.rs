//! What a receiver got of a metric.

use opentelemetry_proto::tonic::common::v1::any_value;
use testkit::otlp_server::{KeyValue, NumberDataPoint, metric, number_data_point};

use crate::e2e::receiver::Receiver;

/// Points of a metric, in order of arrival.
pub(super) struct Points(Vec<NumberDataPoint>);

impl Points {
    /// Those so far.
    pub(super) fn of(receiver: &Receiver, name: &str) -> Self {
        let metrics = receiver.metrics().into_iter().filter(|metric| metric.name == name);
        let points = metrics.filter_map(|metric| match metric.data? {
            metric::Data::Sum(sum) => Some(sum.data_points),
            metric::Data::Gauge(gauge) => Some(gauge.data_points),
            _ => None,
        });
        Self(points.flatten().collect())
    }

    /// Those with this attribute.
    pub(super) fn with(mut self, key: &str, value: &str) -> Self {
        let wanted = Some(any_value::Value::StringValue(value.to_owned()));
        let has = |attribute: &KeyValue| {
            attribute.key == key && attribute.value.as_ref().map(|value| &value.value) == Some(&wanted)
        };
        self.0.retain(|point| point.attributes.iter().any(has));
        self
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &NumberDataPoint> {
        self.0.iter()
    }

    pub(super) fn values(&self) -> Vec<f64> {
        self.iter().map(value).collect()
    }
}

/// Whole numbers are exact up to 2^53.
pub(super) fn value(point: &NumberDataPoint) -> f64 {
    match point.value {
        Some(number_data_point::Value::AsInt(value)) => value as f64,
        Some(number_data_point::Value::AsDouble(value)) => value,
        None => f64::NAN,
    }
}
