//! What maps have, as metrics.

use std::collections::BTreeMap;
use std::time::SystemTime;

use xdp_counters::{Key, Sample, Total};

use super::bursts::Burst;
use super::watched::Seen;
use crate::metrics::{Attributes, Distribution, Kind, Metric, Point};

/// What counters count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// What maps have now, from the start of their series.
    Series,
    /// What was added since they are watched, which never falls.
    Watched,
}

/// All metrics. No metric has a total beside its parts: the sum over a metric's points is the number of packets.
pub(super) fn metrics(seen: &[Seen], counting: Counting, semconv: bool) -> Vec<Metric> {
    let counters = Counters { seen, counting };
    let mut metrics = vec![
        counters.sum("xdp.packets.total", "packets", "Packets that the program counted.", &Seen::attributes, packets),
        counters.sum("xdp.bytes.total", "bytes", "Bytes in these packets.", &Seen::attributes, bytes),
        rates(seen),
    ];
    metrics.extend(highest_rates(seen));
    metrics.extend(counters.keys());
    metrics.extend(counters.runs());
    metrics.extend(exporter(seen));
    if semconv {
        let count = "system.network.packet.count";
        metrics.push(counters.sum(count, "{packet}", "Packets received.", &received("system.device"), packets));
        let io = "system.network.io";
        metrics.push(counters.sum(io, "By", "Bytes received.", &received("network.interface.name"), bytes));
    }
    metrics
}

impl Seen {
    pub(super) fn attributes(&self) -> Attributes {
        self.label.iter().map(|label| ("xdp.map", label.clone())).collect()
    }
}

/// Attributes of the semantic conventions, with `interface` as the key for the interface where it is known.
fn received(interface: &'static str) -> impl Fn(&Seen) -> Attributes {
    move |seen| {
        let mut attributes = seen.attributes();
        attributes.extend(seen.interface.clone().map(|name| (interface, name)));
        attributes.push(("network.io.direction", "receive".to_owned()));
        attributes
    }
}

/// Takes packets or bytes out of what was counted.
type Value = fn(&Total, Counting) -> Option<u64>;

fn packets(total: &Total, counting: Counting) -> Option<u64> {
    Some(if counting == Counting::Watched { total.gain.packets } else { total.packets })
}

fn bytes(total: &Total, counting: Counting) -> Option<u64> {
    total.bytes.map(|bytes| if counting == Counting::Watched { total.gain.bytes } else { bytes })
}

struct Counters<'a> {
    seen: &'a [Seen],
    counting: Counting,
}

impl Counters<'_> {
    /// A point for each map.
    fn sum(
        &self,
        name: &'static str,
        unit: &'static str,
        description: &'static str,
        attributes: &dyn Fn(&Seen) -> Attributes,
        value: Value,
    ) -> Metric {
        let points = samples(self.seen).filter_map(|(seen, sample)| {
            let value = value(&sample.total, self.counting)?;
            Some(self.point(attributes(seen), value, sample))
        });
        Metric::new(name, unit, Kind::Counter, description, points.collect())
    }

    /// By verdict under one name, by label under names of their own or, where a label makes none, under one name.
    fn keys(&self) -> impl Iterator<Item = Metric> + use<> {
        let mut packets_by_name: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        let mut bytes_by_name: BTreeMap<String, Vec<Point>> = BTreeMap::new();
        for (seen, sample) in samples(self.seen) {
            for (key, total) in &sample.keys {
                let mut attributes = seen.attributes();
                let name = match key {
                    Key::Action(action) => {
                        attributes.push(("xdp.action", (*action).to_owned()));
                        ACTION
                    }
                    Key::Label(label) if is_name(label) => label,
                    Key::Label(label) => {
                        attributes.push(("xdp.key", label.clone()));
                        KEY
                    }
                    _ => continue,
                };
                for (by_name, value) in [(&mut packets_by_name, packets as Value), (&mut bytes_by_name, bytes)] {
                    if let Some(value) = value(total, self.counting) {
                        let point = self.point(attributes.clone(), value, sample);
                        by_name.entry(name.to_owned()).or_default().push(point);
                    }
                }
            }
        }
        let metric = |what: &'static str, description| {
            move |(name, points)| Metric::new(format!("xdp.{name}.{what}"), what, Kind::Counter, description, points)
        };
        let packets = packets_by_name.into_iter().map(metric("packets", "Packets of one kind."));
        packets.chain(bytes_by_name.into_iter().map(metric("bytes", "Bytes in packets of one kind.")))
    }

    /// Of programs, where they are measured.
    fn runs(&self) -> impl Iterator<Item = Metric> + use<> {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        for (seen, of) in self.seen.iter().filter_map(|seen| Some((seen, seen.run.as_ref()?))) {
            let (run, start) = match self.counting {
                Counting::Series => (of.run, Some(of.start)),
                Counting::Watched => (of.gain, None),
            };
            let mut attributes = seen.attributes();
            attributes.push(("xdp.program.name", of.program.clone()));
            times.push(Point { start, ..Point::new(attributes.clone(), run.time.as_secs_f64()) });
            counts.push(Point { start, ..Point::new(attributes, run.count) });
        }
        let metric = |name: &'static str, unit, description, points: Vec<Point>| {
            (!points.is_empty()).then(|| Metric::new(name, unit, Kind::Counter, description, points))
        };
        let time = metric("xdp.program.run_time", "s", "How long the program ran, while that was measured.", times);
        let count = metric("xdp.program.run_count", "{run}", "Runs of the program, while they were counted.", counts);
        time.into_iter().chain(count)
    }

    fn point(&self, attributes: Attributes, value: u64, sample: &Sample) -> Point {
        let start = (self.counting == Counting::Series).then_some(sample.start);
        Point { start, ..Point::new(attributes, value) }
    }
}

fn samples(seen: &[Seen]) -> impl Iterator<Item = (&Seen, &Sample)> {
    seen.iter().filter_map(|seen| Some((seen, seen.sample.as_ref()?)))
}

/// Stands in a metric's name for all verdicts.
const ACTION: &str = "action";
/// Stands in a metric's name for all labels that make none.
const KEY: &str = "key";

/// Whether a label can be part of a metric's name, and makes one that no other label and no other metric has. Case does not
/// tell names apart, and of the words between underscores Prometheus has neither those that are empty nor `total`.
fn is_name(label: &str) -> bool {
    let is_valid = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_word = |word: &str| !word.is_empty() && word != "total" && word.bytes().all(is_valid);
    label.split('_').all(is_word) && ![ACTION, KEY].contains(&label)
}

fn rates(seen: &[Seen]) -> Metric {
    let point = |(seen, sample): (&Seen, &Sample)| Some(Point::new(seen.attributes(), sample.packets_per_second?));
    let points = samples(seen).filter_map(point).collect();
    let description = "Packets a second, since the last export or, for Prometheus, the last reading.";
    Metric::new("xdp.packets.rate", "packets/sec", Kind::Gauge, description, points)
}

/// Where maps are sampled.
fn highest_rates(seen: &[Seen]) -> Option<Metric> {
    let sampled = seen.iter().filter_map(|seen| Some((seen, seen.burst.as_ref()?)));
    let points = |(seen, burst): (&Seen, &Burst)| Some(Point::new(seen.attributes(), burst.max?));
    seen.iter().any(|seen| seen.burst.is_some()).then(|| {
        let description = "Packets a second, the most of samples of 10 ms in the last interval.";
        let points = sampled.filter_map(points).collect();
        Metric::new("xdp.packets.rate.max", "packets/sec", Kind::Gauge, description, points)
    })
}

/// How the rates of samples are spread, those of `distributions`.
pub(super) fn spread(distributions: Vec<Distribution>) -> Metric {
    let (name, unit) = ("xdp.packets.rate.distribution", "packets/sec");
    let metric = Metric::new(name, unit, Kind::Exponential, "Packets a second, of samples of 10 ms.", Vec::new());
    Metric { distributions, ..metric }
}

/// The same since the start, where maps are sampled.
pub(super) fn spread_of_all(seen: &[Seen]) -> Option<Metric> {
    let of = |seen: &Seen| {
        let histogram = seen.burst.as_ref()?.total.clone();
        // Prometheus has no times of its own.
        let time = SystemTime::UNIX_EPOCH;
        Some(Distribution { attributes: seen.attributes(), start: time, time, histogram })
    };
    let distributions: Vec<_> = seen.iter().filter_map(of).collect();
    (!distributions.is_empty()).then(|| spread(distributions))
}

/// How reading goes.
fn exporter(seen: &[Seen]) -> [Metric; 3] {
    let each = |value: fn(&Seen) -> Option<u64>| {
        seen.iter().filter_map(|seen| Some(Point::new(seen.attributes(), value(seen)?))).collect()
    };
    [
        Metric::new(
            "xdp.exporter.map.up",
            "{map}",
            Kind::Gauge,
            "1 while the map can be read, 0 while it is missing.",
            each(|seen| Some(seen.sample.is_some().into())),
        ),
        Metric::new(
            "xdp.exporter.map.ambiguous",
            "{map}",
            Kind::Gauge,
            "Other maps that could be meant.",
            each(|seen| Some(seen.sample.as_ref()?.candidates.saturating_sub(1) as u64)),
        ),
        Metric::new(
            "xdp.exporter.resets",
            "{reset}",
            Kind::Counter,
            "How often counting began anew: another map, another program, or lower counters.",
            each(|seen| Some(seen.resets)),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use anyhow::anyhow;
    use xdp_counters::Reading;

    use super::super::fake::{self, with_counters};
    use super::super::target::Target;
    use super::super::watched::{NoReading, Watched};
    use super::*;
    use crate::metrics::prometheus;

    /// What is seen of maps after all their readings.
    fn seen<const N: usize>(maps: [(&str, Vec<Reading>); N]) -> Vec<Seen> {
        let see = |(target, readings): (&str, Vec<Reading>)| {
            let count = readings.len();
            let target: Target = target.parse().unwrap();
            let mut watched = Watched::new(target, fake::read(readings.into_iter().map(Ok)), N > 1);
            (0..count).for_each(|_| watched.look(std::time::Instant::now()).unwrap());
            watched.seen()
        };
        maps.map(see).into()
    }

    fn text(seen: &[Seen], semconv: bool) -> Vec<String> {
        let text = prometheus::text(&metrics(seen, Counting::Series, semconv), "xdp", "");
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn actions() -> Vec<Reading> {
        let counters = |drop, pass| [("drop", drop), ("pass", pass)].map(|(of, n)| (Key::Action(of), n, Some(n * 60)));
        vec![with_counters(7, 0.0, &counters(1, 10)), with_counters(7, 2.0, &counters(4, 20))]
    }

    /// X8 of the contract: one series for a map, which its parts are not added to.
    #[test]
    fn totals_and_parts_have_names_of_their_own() {
        let expected = [
            "xdp_xdp_packets_total 24",
            "xdp_xdp_bytes_total 1440",
            "xdp_xdp_packets_rate_per_sec 6.5",
            "xdp_xdp_action_packets_total{xdp_action=\"drop\"} 4",
            "xdp_xdp_action_packets_total{xdp_action=\"pass\"} 20",
            "xdp_xdp_action_bytes_total{xdp_action=\"drop\"} 240",
            "xdp_xdp_action_bytes_total{xdp_action=\"pass\"} 1200",
            "xdp_xdp_exporter_map_up 1",
            "xdp_xdp_exporter_map_ambiguous 0",
            "xdp_xdp_exporter_resets_total 0",
        ];
        assert_eq!(text(&seen([("name=xdp_stats_map", actions())]), false), expected);
    }

    #[test]
    fn protocols_are_metrics() {
        let labels = [("tcp", 3), ("other_ipv6", 2), ("total", 4), ("", 5)];
        let counters = labels.map(|(label, packets)| (Key::Label(label.to_owned()), packets, None));
        let lines = text(&seen([("id=7", vec![with_counters(7, 0.0, &counters)])]), false);
        for line in [
            "xdp_xdp_packets_total 14",
            "xdp_xdp_tcp_packets_total 3",
            "xdp_xdp_other_ipv6_packets_total 2",
            "xdp_xdp_key_packets_total{xdp_key=\"total\"} 4",
            "xdp_xdp_key_packets_total{xdp_key=\"\"} 5",
        ] {
            assert!(lines.iter().any(|known| known == line), "no {line} in {lines:#?}");
        }
        assert!(!lines.iter().any(|line| line.contains("bytes")), "{lines:?}");
    }

    #[test]
    fn keys_that_are_no_verdict_are_in_totals_alone() {
        let counters = [(Key::Action("drop"), 4, None), (Key::Bytes(5_u32.to_ne_bytes().to_vec()), 3, None)];
        let lines = text(&seen([("id=7", vec![with_counters(7, 0.0, &counters)])]), false);
        let packets: Vec<_> = lines.iter().filter(|line| line.contains("packets_total")).collect();
        assert_eq!(packets, ["xdp_xdp_packets_total 7", "xdp_xdp_action_packets_total{xdp_action=\"drop\"} 4"]);
    }

    #[test]
    fn programs_have_counters_where_they_are_measured() {
        use std::time::{Duration, Instant};
        use xdp_counters::{ProgramFacts, ProgramRun};
        let readings = [(0.0, 1_000), (1.0, 3_000)].map(|(at, count)| {
            let run = ProgramRun { time: Duration::from_micros(count), count };
            let program = ProgramFacts { id: 5, name: "count".to_owned(), tag: [1; 8], run };
            Ok(Reading { program: Some(program), ..fake::reading(7, at, 5) })
        });
        let mut watched = Watched::new(Target::Id(7), fake::read(readings), false).with_runs();
        (0..2).for_each(|_| watched.look(Instant::now()).unwrap());
        let lines = text(&[watched.seen()], false);
        for line in [
            "xdp_xdp_program_run_time_seconds_total{xdp_program_name=\"count\"} 0.003",
            "xdp_xdp_program_run_count_total{xdp_program_name=\"count\"} 3000",
        ] {
            assert!(lines.iter().any(|known| known == line), "no {line} in {lines:#?}");
        }
        let watched_for = metrics(&[watched.seen()], Counting::Watched, false);
        let count = watched_for.iter().find(|metric| metric.name == "xdp.program.run_count").unwrap();
        assert_eq!((&count.points[0].value, count.points[0].start), (&2_000_u64.into(), None));
        watched.look(Instant::now()).unwrap_err();
        assert!(!text(&[watched.seen()], false).iter().any(|line| line.contains("program")), "the map is missing");
    }

    #[test]
    fn several_maps_are_told_apart() {
        let maps = seen([("iface=eth0", actions()), ("name=a", vec![fake::reading(9, 0.0, 5)])]);
        let lines = text(&maps, true);
        for line in [
            "xdp_xdp_packets_total{xdp_map=\"iface=eth0\"} 24",
            "xdp_xdp_packets_total{xdp_map=\"a\"} 5",
            "xdp_xdp_action_packets_total{xdp_map=\"iface=eth0\",xdp_action=\"drop\"} 4",
            "xdp_system_network_packet_count_total{xdp_map=\"iface=eth0\",system_device=\"eth0\",network_io_direction=\"receive\"} 24",
            "xdp_system_network_io_bytes_total{xdp_map=\"iface=eth0\",network_interface_name=\"eth0\",network_io_direction=\"receive\"} 1440",
            "xdp_system_network_packet_count_total{xdp_map=\"a\",network_io_direction=\"receive\"} 5",
        ] {
            assert!(lines.iter().any(|known| known == line), "no {line} in {lines:#?}");
        }
        let series: BTreeSet<_> = lines.iter().filter_map(|line| line.rsplit_once(' ')).map(|(of, _)| of).collect();
        assert_eq!(series.len(), lines.len(), "a series that comes twice costs the whole scrape");
    }

    #[test]
    fn a_missing_map_has_no_counters() {
        let missing = Err(NoReading::Missing(anyhow!("there is no map")));
        let mut watched = Watched::new(Target::Id(7), fake::read([Ok(fake::reading(7, 0.0, 5)), missing]), false);
        watched.look(std::time::Instant::now()).unwrap();
        watched.look(std::time::Instant::now()).unwrap_err();
        assert_eq!(text(&[watched.seen()], true), ["xdp_xdp_exporter_map_up 0", "xdp_xdp_exporter_resets_total 0"]);
    }

    /// For deltas, which a reset takes nothing from.
    #[test]
    fn what_was_watched_never_falls() {
        let readings = [(0.0, 100), (1.0, 110), (2.0, 5)].map(|(at, packets)| fake::reading(7, at, packets));
        let maps = seen([("id=7", readings.into())]);
        let value = |counting| metrics(&maps, counting, false)[0].points[0].clone();
        assert_eq!(value(Counting::Series), Point { start: Some(fake::time(2.0)), ..Point::new(Vec::new(), 5) });
        assert_eq!(value(Counting::Watched), Point::new(Vec::new(), 15));
    }
}
