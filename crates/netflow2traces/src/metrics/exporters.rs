//! Metrics of each exporter: of so many by their address, of the others together.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flow_collector::{ExporterPolicy, ExporterSnapshot, Exporters};
use flow_state::Timestamp;
use tracing::warn;

use super::{Attributes, Kind, Metric, Point};

/// Addresses that are attributes, by default: each makes a time series of every metric here.
pub(crate) const OWN_EXPORTERS: usize = 100;

/// After so long without a datagram, an exporter leaves its address to one that sends, if there is any without.
const SILENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Name, unit and description of a counter, and its value.
type Counter = (&'static str, &'static str, &'static str, fn(&ExporterSnapshot) -> u64);

const COUNTERS: [Counter; 9] = [
    ("netflow.exporter.datagrams", "{datagram}", "Datagrams of an exporter that were read.", |of| of.datagrams),
    ("netflow.exporter.bytes", "By", "Bytes in these datagrams.", |of| of.bytes),
    ("netflow.exporter.records", "{record}", "Flow records decoded.", |of| of.records),
    ("netflow.exporter.templates", "{template}", "Template Records understood.", |of| of.templates),
    (
        "netflow.exporter.sequence.gaps",
        "{unit}",
        "Flows (v5, v7), messages (v9) or records (IPFIX) that sequence numbers say are missing.",
        |of| of.sequence_gaps,
    ),
    ("netflow.exporter.issues", "{issue}", "What was odd or could not be read.", |of| of.issues),
    ("netflow.exporter.restarts", "{restart}", "How often it started anew.", |of| of.restarts),
    ("netflow.exporter.dropped", "{datagram}", "Datagrams beyond its limit, which were not read.", |of| {
        of.datagrams_limited
    }),
    ("netflow.exporter.records.dropped", "{record}", "Flow records beyond its limit, which have no span.", |of| {
        of.records_limited
    }),
];

type Values = [u64; COUNTERS.len()];

/// The exporters, and which of them have metrics of their own.
#[derive(Debug)]
pub(super) struct PerExporter {
    exporters: Arc<Exporters>,
    addresses: Mutex<Addresses>,
    /// How many these may be.
    limit: usize,
}

/// An exporter that has an address of its own here keeps it as long as it is remembered, or sends.
#[derive(Debug, Default)]
struct Addresses {
    known: BTreeSet<IpAddr>,
    /// All that are remembered.
    told: BTreeMap<IpAddr, Told>,
    /// What those without one have sent meanwhile, which does not fall when one is forgotten or gets an address.
    other: Values,
    /// Whether the log has that there are more than may have an address.
    is_full: bool,
}

/// What was told of an exporter.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// Its counters when last looked at.
    last: Values,
    /// What it has sent since it got an address: what it sent before is among the others. It begins anew each time, as the
    /// time series does.
    own: Values,
}

impl PerExporter {
    pub(super) fn new(exporters: Arc<Exporters>) -> Self {
        Self { exporters, addresses: Mutex::default(), limit: OWN_EXPORTERS }
    }

    /// The same, anew, with addresses for so many.
    pub(super) fn with_limit(&self, limit: usize) -> Self {
        Self { limit, ..Self::new(self.exporters.clone()) }
    }

    /// Points that a metric may have: one more for the others.
    pub(super) fn most_points(&self) -> usize {
        self.limit + 1
    }

    pub(super) fn known(&self) -> usize {
        self.exporters.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.exporters.policy().max_exporters.get()
    }

    pub(super) fn metrics(&self) -> Vec<Metric> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.metrics_at(Timestamp::from_unix_millis(since_1970.as_millis() as u64))
    }

    fn metrics_at(&self, now: Timestamp) -> Vec<Metric> {
        let all = self.exporters.snapshot();
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = self.exporters.policy();
        let has_names = policy.rules.iter().any(|rule| rule.profile.name.is_some());
        let is_named = |of: &ExporterSnapshot| has_names && name(of, &policy).is_some();
        let has_rest = addresses.look(&all, now, self.limit, is_named);
        let named = all.iter().filter(|exporter| addresses.known.contains(&exporter.address));
        let named: Vec<_> = named.map(|exporter| (exporter, attributes(exporter, &policy))).collect();
        let each = |value: &dyn Fn(&ExporterSnapshot) -> Option<u64>| -> Vec<Point> {
            named.iter().filter_map(|(of, attributes)| Some(Point::new(attributes.clone(), value(of)?))).collect()
        };
        let mut metrics = Vec::new();
        for (index, (name, unit, description, _)) in COUNTERS.into_iter().enumerate() {
            let mut points = each(&|of| addresses.told.get(&of.address).map(|told| told.own[index]));
            if has_rest {
                points.push(Point::new(vec![(ADDRESS, "other".to_owned())], addresses.other[index]));
            }
            metrics.push(Metric::new(name, unit, Kind::Counter, description, points));
        }
        metrics.push(Metric::new(
            "netflow.exporter.last_seen",
            "s",
            Kind::Gauge,
            "When its latest datagram was received, as Unix time.",
            each(&|of| Some(of.last_received.as_unix_millis() / 1000)),
        ));
        metrics.push(Metric::new(
            "netflow.exporter.version",
            "1",
            Kind::Gauge,
            "Version of NetFlow that it sent last, 10 for IPFIX.",
            each(&|of| of.version.map(|version| version.number().into())),
        ));
        metrics
    }
}

const ADDRESS: &str = "netflow.exporter.address";

fn attributes(exporter: &ExporterSnapshot, policy: &ExporterPolicy) -> Attributes {
    let mut attributes = vec![(ADDRESS, exporter.address.to_string())];
    attributes.extend(name(exporter, policy).map(|name| ("netflow.exporter.name", name)));
    attributes
}

fn name(exporter: &ExporterSnapshot, policy: &ExporterPolicy) -> Option<String> {
    policy.profiles(exporter.address).of(0)?.name.as_deref().map(str::to_owned)
}

impl Addresses {
    /// Gives addresses while there are some, to those with a name first, which take one from those without, and then to those
    /// that sent most; all of them have sent something valid. Returns whether there are, or were, others.
    fn look(
        &mut self,
        all: &[ExporterSnapshot],
        now: Timestamp,
        limit: usize,
        is_named: impl Fn(&ExporterSnapshot) -> bool,
    ) -> bool {
        let find = |address: &IpAddr| all.binary_search_by_key(address, |exporter| exporter.address).ok();
        self.known.retain(|address| find(address).is_some());
        let is_valid = |of: &ExporterSnapshot| of.records + of.options_records + of.templates > 0;
        let is_silent = |of: &ExporterSnapshot| of.last_received + SILENCE < now;
        let wanted = all.iter().filter(|of| is_valid(of) && !is_silent(of) && !self.known.contains(&of.address));
        let mut wanted: Vec<_> = wanted.collect();
        wanted.sort_by_cached_key(|exporter| std::cmp::Reverse((is_named(exporter), exporter.datagrams)));
        let named = wanted.partition_point(|exporter| is_named(exporter));

        let known = self.known.iter().filter_map(|address| all.get(find(address)?));
        let mut silent: Vec<_> = known.filter(|of| is_silent(of)).collect();
        silent.sort_by_key(|exporter| exporter.last_received);
        silent.truncate((self.known.len() + wanted.len()).saturating_sub(limit));
        for exporter in &silent {
            self.known.remove(&exporter.address);
        }
        let known = self.known.iter().filter_map(|address| all.get(find(address)?));
        let missing = (self.known.len() + named).saturating_sub(limit);
        let mut unnamed: Vec<_> = known.filter(|of| missing > 0 && !is_named(of)).collect();
        unnamed.sort_by_key(|exporter| exporter.datagrams);
        for exporter in unnamed.iter().take(missing) {
            self.known.remove(&exporter.address);
        }
        let room = limit - self.known.len();
        self.known.extend(wanted.iter().take(room).map(|exporter| exporter.address));
        if wanted.len() > room && !std::mem::replace(&mut self.is_full, true) {
            warn!(limit, "some exporters have no metrics of their own; NETFLOW_METRICS_EXPORTERS says how many have");
        }
        self.count(all);
        self.other != Values::default()
    }

    /// Adds what each has sent since the last look to its own or to the others.
    fn count(&mut self, all: &[ExporterSnapshot]) {
        let before = std::mem::take(&mut self.told);
        for of in all {
            let mut told = before.get(&of.address).copied().unwrap_or_default();
            let is_known = self.known.contains(&of.address);
            if !is_known {
                told.own = Values::default();
            }
            let sum = if is_known { &mut told.own } else { &mut self.other };
            for ((sum, last), (_, _, _, value)) in sum.iter_mut().zip(&mut told.last).zip(COUNTERS) {
                let now = value(of);
                // Less than before is another life of an exporter that was forgotten.
                *sum += now.checked_sub(*last).unwrap_or(now);
                *last = now;
            }
            self.told.insert(of.address, told);
        }
    }
}

#[cfg(test)]
mod tests {
    use flow_collector::{CollectorConfig, CollectorStats, ExporterLimits, ExporterPolicy, ExporterRule, Pipeline};
    use flow_state::{ExporterProfile, State, StateConfig, Timestamp, TransportSession};
    use flow_traffic::{Generator, TrafficConfig, Version};
    use otlp_sink::{Output, Sink, SinkConfig, StdoutFormat};

    use super::super::Number;
    use super::*;

    /// A pipeline in front of the metrics, with nobody behind.
    struct Traffic {
        pipeline: Pipeline,
        generator: Generator,
        metrics: PerExporter,
        now: Timestamp,
    }

    impl Traffic {
        /// Has to be called within a tokio runtime.
        fn new() -> Self {
            let config = SinkConfig::default().with_output(Output::Stdout(StdoutFormat::JsonLines));
            let sink = Sink::start(config, &tokio::runtime::Handle::current()).unwrap();
            let exporters = Arc::new(Exporters::new(ExporterPolicy::default()));
            let state = Arc::new(State::new(StateConfig::default()));
            let trace = CollectorConfig::default().trace;
            let stats = Arc::<CollectorStats>::default();
            Self {
                pipeline: Pipeline::new(state, stats, exporters.clone(), trace, &sink),
                generator: Generator::new(TrafficConfig::new(Version::V5)).unwrap(),
                metrics: PerExporter::new(exporters),
                now: Timestamp::from_unix_seconds(1_700_000_000),
            }
        }

        fn receive(&mut self, from: u8) {
            let session = TransportSession::new(([192, 0, 2, from], 50_000).into(), ([198, 51, 100, 1], 2055).into());
            let datagram = self.generator.next_datagram();
            self.pipeline.process(session, self.now, datagram.bytes);
        }

        /// Datagrams by address.
        fn datagrams(&self) -> Vec<(String, u64)> {
            let metrics = self.metrics.metrics_at(self.now);
            let datagrams = metrics.iter().find(|metric| metric.name == "netflow.exporter.datagrams").unwrap();
            let count = |point: &Point| match point.value {
                Number::Whole(value) => (point.attributes[0].1.clone(), value),
                Number::Real(_) => panic!("{point:?}"),
            };
            datagrams.points.iter().map(count).collect()
        }

        fn of(&self, address: &str) -> Option<u64> {
            self.datagrams().into_iter().find(|(of, _)| of == address).map(|(_, value)| value)
        }
    }

    #[tokio::test]
    async fn addresses_are_few_and_the_others_are_counted_together() {
        let mut traffic = Traffic::new();
        (1..=100).for_each(|from| traffic.receive(from));
        assert_eq!((traffic.datagrams().len(), traffic.of("192.0.2.100"), traffic.of("other")), (100, Some(1), None));
        (98..=103).for_each(|from| traffic.receive(from));
        assert_eq!(
            (traffic.datagrams().len(), traffic.of("192.0.2.100"), traffic.of("other")),
            (101, Some(2), Some(3))
        );
        // Those that sent more since do not take an address from those that have one.
        (101..=103).for_each(|from| traffic.receive(from));
        assert_eq!((traffic.of("192.0.2.1"), traffic.of("192.0.2.101"), traffic.of("other")), (Some(1), None, Some(6)));
    }

    /// Those that a table names are what somebody looks at.
    #[tokio::test]
    async fn exporters_with_a_name_come_first() {
        let mut traffic = Traffic::new();
        traffic.metrics = traffic.metrics.with_limit(2);
        let is_told = |traffic: &Traffic| traffic.metrics.addresses.lock().unwrap().is_full;
        (1..=2).for_each(|from| traffic.receive(from));
        traffic.receive(2);
        assert_eq!((traffic.datagrams().len(), is_told(&traffic)), (2, false));
        let rule = |network: &str| ExporterRule {
            network: network.parse().unwrap(),
            observation_domain_id: None,
            profile: Arc::new(ExporterProfile { name: Some("core".into()), ..ExporterProfile::default() }),
            limits: ExporterLimits::default(),
            sampling: None,
        };
        let mut policy = ExporterPolicy::default();
        policy.rules.push(rule("192.0.2.3/32"));
        traffic.metrics.exporters.set_policy(policy.clone());
        (3..=4).for_each(|from| traffic.receive(from));
        (0..5).for_each(|_| traffic.receive(4));
        // In the place of the one that sent least; what that sends from now on is among the others.
        let of = |traffic: &Traffic, last: u8| traffic.of(&format!("192.0.2.{last}"));
        assert_eq!(
            (of(&traffic, 1), of(&traffic, 2), of(&traffic, 3), of(&traffic, 4)),
            (None, Some(2), Some(1), None)
        );
        traffic.receive(1);
        // Six of address 4, and one of 1 since it has none.
        assert_eq!((traffic.of("other"), is_told(&traffic)), (Some(7), true));
        policy.rules.push(rule("192.0.2.0/24"));
        traffic.metrics.exporters.set_policy(policy);
        traffic.receive(4);
        assert_eq!((of(&traffic, 2), of(&traffic, 3), of(&traffic, 4)), (Some(2), Some(1), None), "a name is a name");
        traffic.metrics = traffic.metrics.with_limit(0);
        assert_eq!(traffic.datagrams().len(), 1, "all of them together");
    }

    #[tokio::test]
    async fn the_count_of_the_others_never_falls() {
        let mut traffic = Traffic::new();
        (1..=102).for_each(|from| traffic.receive(from));
        assert_eq!(traffic.of("other"), Some(2));
        let mut policy = ExporterPolicy::default();
        policy.deny.push("192.0.2.7/32".parse().unwrap());
        traffic.metrics.exporters.set_policy(policy);
        let datagrams = traffic.datagrams();
        assert!(datagrams.iter().all(|(address, _)| address != "192.0.2.7"));
        assert_eq!((datagrams.len(), traffic.of("other")), (101, Some(2)), "its address went to another");
        (101..=102).for_each(|from| traffic.receive(from));
        assert_eq!(traffic.of("other"), Some(3));
    }

    /// A network is renumbered: the new addresses have names after a day, and nothing is counted twice.
    #[tokio::test]
    async fn addresses_that_are_silent_for_a_day_give_way() {
        let mut traffic = Traffic::new();
        (1..=101).for_each(|from| traffic.receive(from));
        assert_eq!((traffic.datagrams().len(), traffic.of("other")), (101, Some(1)));
        traffic.now = traffic.now + Duration::from_secs(12 * 3600);
        (3..=100).for_each(|from| traffic.receive(from));
        traffic.now = traffic.now + Duration::from_secs(12 * 3600);
        traffic.receive(101);
        assert_eq!((traffic.of("192.0.2.1"), traffic.of("other")), (Some(1), Some(2)), "a day, but no more");
        traffic.now = traffic.now + Duration::from_secs(1);
        traffic.receive(101);
        // One is enough, and the first that was silent.
        let datagrams = traffic.datagrams();
        assert_eq!((datagrams.len(), traffic.of("192.0.2.1"), traffic.of("192.0.2.2")), (101, None, Some(1)));
        assert_eq!((traffic.of("192.0.2.101"), traffic.of("other")), (Some(1), Some(2)), "two are among the others");
        // It comes back, in the place of the other one, and begins anew.
        traffic.receive(1);
        assert_eq!((traffic.of("192.0.2.1"), traffic.of("192.0.2.2"), traffic.of("other")), (Some(1), None, Some(2)));
        // Silence alone costs nothing.
        traffic.now = traffic.now + Duration::from_secs(7 * 24 * 3600);
        assert_eq!(traffic.datagrams().len(), 101);
        traffic.receive(2);
        assert_eq!((traffic.of("192.0.2.2"), traffic.of("other")), (Some(1), Some(2)));
    }

    /// Whatever happens between two looks, so that the difference of two exports is what was sent.
    #[tokio::test]
    async fn a_count_never_falls_when_an_exporter_is_forgotten_and_comes_again() {
        let mut traffic = Traffic::new();
        (0..3).for_each(|_| traffic.receive(1));
        assert_eq!(traffic.of("192.0.2.1"), Some(3));
        for denied in ["192.0.2.1/32", "192.0.2.9/32"] {
            let mut policy = ExporterPolicy::default();
            policy.deny.push(denied.parse().unwrap());
            traffic.metrics.exporters.set_policy(policy);
        }
        traffic.receive(1);
        assert_eq!(traffic.metrics.exporters.snapshot()[0].datagrams, 1, "another life");
        assert_eq!(traffic.of("192.0.2.1"), Some(4));
    }
}
