//! Counters as Prometheus reads them.

use std::net::SocketAddr;

use super::http;

/// What `/metrics` says at one moment.
pub(super) struct Scrape(String);

impl Scrape {
    /// # Errors
    ///
    /// When there is no answer, or not 200.
    pub(super) fn of(server: SocketAddr) -> anyhow::Result<Self> {
        http::get(server, "/metrics").map(Self)
    }

    /// The sum of a counter over those of its series that `which` takes, by their labels.
    pub(super) fn sum_of(&self, name: &str, which: impl Fn(&str) -> bool) -> u64 {
        let samples = self.0.lines().filter_map(|line| line.strip_prefix(name)?.rsplit_once(' '));
        let samples = samples.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
        samples.filter(|(labels, _)| which(labels)).filter_map(|(_, value)| value.parse::<f64>().ok()).sum::<f64>()
            as u64
    }

    /// The sum of all series of a counter.
    pub(super) fn sum(&self, name: &str) -> u64 {
        self.sum_of(name, |_| true)
    }
}
