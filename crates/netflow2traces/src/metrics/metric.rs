//! What a metric is, whoever measures and wherever it goes.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use super::exponential::Exponential;

/// Whether a number only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    /// Its points are in `histograms`.
    Histogram,
    /// Its points are in `distributions`.
    Exponential,
}

/// A metric with its values now.
#[derive(Clone, Debug)]
pub(crate) struct Metric {
    pub(crate) name: Cow<'static, str>,
    /// As UCUM has it: `By` for bytes, `{span}` for things that are counted.
    pub(crate) unit: &'static str,
    pub(crate) kind: Kind,
    pub(crate) description: &'static str,
    pub(crate) points: Vec<Point>,
    pub(crate) histograms: Vec<Histogram>,
    pub(crate) distributions: Vec<Distribution>,
}

impl Metric {
    /// One with points.
    pub(crate) fn new(
        name: impl Into<Cow<'static, str>>,
        unit: &'static str,
        kind: Kind,
        description: &'static str,
        points: Vec<Point>,
    ) -> Self {
        Self { name: name.into(), unit, kind, description, points, histograms: Vec::new(), distributions: Vec::new() }
    }

    pub(crate) fn counter(name: &'static str, unit: &'static str, description: &'static str, value: u64) -> Self {
        Self::new(name, unit, Kind::Counter, description, vec![Point::new(Vec::new(), value)])
    }

    pub(crate) fn gauge(name: &'static str, unit: &'static str, description: &'static str, value: usize) -> Self {
        Self::new(name, unit, Kind::Gauge, description, vec![Point::new(Vec::new(), value as u64)])
    }

    /// A counter with a value for each reason.
    pub(crate) fn by_reason<'a>(
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        values: impl IntoIterator<Item = (&'a str, u64)>,
    ) -> Self {
        let point = |(reason, value): (&str, u64)| Point::new(vec![("error.type", reason.to_owned())], value);
        Self::new(name, unit, Kind::Counter, description, values.into_iter().map(point).collect())
    }
}

/// Attributes that tell values of a metric apart. All come from closed sets.
pub(crate) type Attributes = Vec<(&'static str, String)>;

/// A value with its attributes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) attributes: Attributes,
    pub(crate) value: Number,
    /// Since when it is counted, where that is not since the program started.
    pub(crate) start: Option<SystemTime>,
}

impl Point {
    pub(crate) fn new(attributes: Attributes, value: impl Into<Number>) -> Self {
        Self { attributes, value: value.into(), start: None }
    }
}

/// A count or a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(f),
            Self::Real(value) => value.fmt(f),
        }
    }
}

/// How values of some time were spread, with the attributes of a [`Point`].
#[derive(Clone, Debug)]
pub(crate) struct Distribution {
    pub(crate) attributes: Attributes,
    pub(crate) start: SystemTime,
    pub(crate) time: SystemTime,
    pub(crate) histogram: Exponential,
}

/// How values are spread, with the attributes of a [`Point`].
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    pub(crate) attributes: Attributes,
    pub(crate) bounds: &'static [f64],
    /// By bound, and those above.
    pub(crate) counts: Vec<u64>,
    pub(crate) sum: f64,
}
