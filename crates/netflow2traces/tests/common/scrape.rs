//! `/metrics` as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpStream;

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

/// The answer to a GET, head and all.
pub(crate) fn get(server: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(server).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
