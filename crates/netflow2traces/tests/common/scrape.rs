//! `/metrics` as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use testkit::otlp_server::{HistogramDataPoint, KeyValue, Metric, NumberDataPoint, Value, metric, number_data_point};

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Samples of one moment.
#[derive(Clone, Debug)]
pub(crate) struct Scrape(Vec<Sample>);

#[derive(Clone, Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: u64,
}

impl Scrape {
    pub(crate) fn of(server: &str) -> Self {
        let answer = get(server, "/metrics");
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        Self(text.lines().filter(|line| !line.starts_with('#')).map(sample).collect())
    }

    /// The same from metrics over OTLP, of which the last values count.
    pub(crate) fn of_otlp(metrics: &[Metric]) -> Self {
        let last: BTreeMap<_, _> = metrics.iter().map(|metric| (metric.name.as_str(), metric)).collect();
        Self(last.into_values().flat_map(samples).collect())
    }

    /// The sum of a metric for one reason.
    pub(crate) fn reason(&self, name: &str, reason: &str) -> u64 {
        self.only("error_type", reason).sum(name)
    }

    /// The sum of a metric over all its labels.
    pub(crate) fn sum(&self, name: &str) -> u64 {
        let mut samples = self.0.iter().filter(|sample| sample.name == name).map(|sample| sample.value).peekable();
        assert!(samples.peek().is_some(), "no {name}");
        samples.sum()
    }

    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.0.iter().map(|sample| sample.name.as_str()).collect()
    }

    /// All values of a label.
    pub(crate) fn values_of(&self, label: &str) -> BTreeSet<String> {
        self.0.iter().filter_map(|sample| sample.labels.get(label)).cloned().collect()
    }

    /// Samples that have this label.
    pub(crate) fn only(&self, label: &str, value: &str) -> Self {
        let has = |sample: &&Sample| sample.labels.get(label).is_some_and(|of| of == value);
        Self(self.0.iter().filter(has).cloned().collect())
    }

    /// Samples that do not have this label.
    pub(crate) fn without(&self, label: &str) -> Self {
        Self(self.0.iter().filter(|sample| !sample.labels.contains_key(label)).cloned().collect())
    }
}

/// Sums of seconds are cut to whole ones; nothing here needs them.
fn sample(line: &str) -> Sample {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let value = value.parse::<f64>().unwrap() as u64;
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').unwrap().split(',').filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (key, value) = label.split_once('=').unwrap();
        (key.to_owned(), value.trim_matches('"').to_owned())
    });
    Sample { name: name.to_owned(), labels: labels.collect(), value }
}

/// Under the names that Prometheus would have.
fn samples(metric: &Metric) -> Vec<Sample> {
    let mut name = metric.name.replace('.', "_");
    match metric.unit.as_str() {
        "By" if !name.ends_with("_bytes") => name.push_str("_bytes"),
        "s" => name.push_str("_seconds"),
        _ => {}
    }
    let labels = |attributes: &[KeyValue]| {
        let label = |of: &KeyValue| match of.value.as_ref().and_then(|value| value.value.clone()) {
            Some(Value::StringValue(text)) => (of.key.replace('.', "_"), text),
            other => panic!("{other:?}"),
        };
        attributes.iter().map(label).collect()
    };
    let number = |name: &str, point: &NumberDataPoint| {
        let Some(number_data_point::Value::AsInt(value)) = point.value else { panic!("{point:?}") };
        Sample { name: name.to_owned(), labels: labels(&point.attributes), value: value.try_into().unwrap() }
    };
    match metric.data.as_ref().unwrap() {
        metric::Data::Sum(sum) => {
            name.push_str("_total");
            sum.data_points.iter().map(|point| number(&name, point)).collect()
        }
        metric::Data::Gauge(gauge) => gauge.data_points.iter().map(|point| number(&name, point)).collect(),
        metric::Data::Histogram(histogram) => {
            name.push_str("_count");
            let sample = |point: &HistogramDataPoint| Sample {
                name: name.clone(),
                labels: labels(&point.attributes),
                value: point.count,
            };
            histogram.data_points.iter().map(sample).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// Reads metrics until they show something.
#[track_caller]
pub(crate) fn wait_until(server: &str, condition: impl Fn(&Scrape) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = Scrape::of(server);
        if condition(&metrics) {
            return;
        }
        assert!(Instant::now() < deadline, "{metrics:?}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// The answer to a GET, head and all.
pub(crate) fn get(server: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
