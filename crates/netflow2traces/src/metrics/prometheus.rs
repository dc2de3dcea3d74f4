//! The text format of Prometheus.

use std::collections::HashSet;
use std::fmt::Write;
use std::ops::Range;

use super::metric::{Distribution, Histogram};
use super::{Kind, Metric};

/// What the format is called.
pub(crate) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Names as OpenTelemetry maps them to Prometheus, behind the namespace and an underscore where there is one.
pub(crate) fn text(metrics: &[Metric], namespace: &str, target_info: &str) -> String {
    let mut text = target_info.to_owned();
    for metric in metrics {
        let name = name(metric, namespace);
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram | Kind::Exponential => "histogram",
        };
        // Writing to a String does not fail.
        let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", metric.description);
        for point in &metric.points {
            let labels = labels(point.attributes.iter().map(|(key, value)| (*key, value.as_str())));
            let _ = writeln!(text, "{name}{labels} {}", point.value);
        }
        metric.histograms.iter().for_each(|histogram| write_histogram(&mut text, &name, histogram));
        let classic = metric.distributions.iter().map(classic);
        classic.for_each(|histogram| write_histogram(&mut text, &name, &histogram));
    }
    text
}

/// Dots become underscores, the unit comes in words unless it is there already, counters end in `_total`: what the Collector's
/// exporter makes of the same metric, but for gauges in `1`, which it calls ratios.
fn name(metric: &Metric, namespace: &str) -> String {
    let (unit, per) = metric.unit.split_once('/').unwrap_or((metric.unit, ""));
    let unit = words(unit);
    let per = if per.is_empty() { String::new() } else { format!("per_{}", words(per)) };
    let name = underscores(&metric.name);
    let mut words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    for word in [unit, &per] {
        if !word.is_empty() && !words.contains(&word) {
            words.push(word);
        }
    }
    if metric.kind == Kind::Counter {
        words.retain(|word| *word != "total");
        words.push("total");
    }
    if !namespace.is_empty() {
        words.insert(0, namespace);
    }
    words.join("_")
}

/// A unit as Prometheus has it; what is counted, in braces, is none.
fn words(unit: &str) -> &str {
    match unit {
        "By" => "bytes",
        "s" => "seconds",
        "1" => "",
        unit if unit.starts_with('{') => "",
        unit => unit,
    }
}

/// Buckets count what is in those below them too.
fn write_histogram(text: &mut String, name: &str, histogram: &Histogram) {
    let attributes: Vec<_> = histogram.attributes.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let mut count = 0;
    let bounds = histogram.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
    for (bound, in_bucket) in bounds.zip(&histogram.counts) {
        count += in_bucket;
        let labels = labels(attributes.iter().copied().chain([("le", bound.as_str())]));
        let _ = writeln!(text, "{name}_bucket{labels} {count}");
    }
    let labels = labels(attributes.iter().copied());
    let _ = writeln!(text, "{name}_sum{labels} {}\n{name}_count{labels} {count}", histogram.sum);
}

/// The text format has no exponential histograms: by powers of two from 128 to 268,435,456, which is more packets a second than
/// 100 Gbit/s have.
fn classic(distribution: &Distribution) -> Histogram {
    const POWERS: Range<i32> = 7..29;
    const BOUNDS: [f64; POWERS.end as usize - POWERS.start as usize + 1] = {
        let mut bounds = [0.0; _];
        let mut power = POWERS.start;
        while power < POWERS.end {
            bounds[(power - POWERS.start) as usize + 1] = (1_u64 << power) as f64;
            power += 1;
        }
        bounds
    };
    let histogram = &distribution.histogram;
    let attributes = distribution.attributes.clone();
    Histogram { attributes, bounds: &BOUNDS, counts: histogram.by_powers_of_two(POWERS), sum: histogram.sum() }
}

/// The resource, as a metric of its own.
pub(crate) fn target_info(resource: &[(String, String)]) -> String {
    let labels = labels(resource.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    format!("# HELP target_info Target metadata\n# TYPE target_info gauge\ntarget_info{labels} 1\n")
}

/// As the specification of OpenTelemetry has it: of keys that become the same label, the values are joined in the order of the
/// keys.
fn labels<'a>(attributes: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let escape = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut attributes: Vec<_> = attributes.map(|(key, value)| (label_name(key), key, value)).collect();
    let is_unique = attributes.iter().map(|(name, ..)| name).collect::<HashSet<_>>().len() == attributes.len();
    if !is_unique {
        attributes.sort_by_key(|(_, key, _)| *key);
    }
    let mut labels: Vec<(String, String)> = Vec::new();
    for (name, _, value) in attributes {
        match labels.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => *values += &format!(";{}", escape(value)),
            None => labels.push((name, escape(value))),
        }
    }
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) }
}

fn label_name(key: &str) -> String {
    let name = underscores(key);
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("key_{name}") } else { name }
}

fn underscores(name: &str) -> String {
    let valid = |char: char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' };
    name.chars().map(valid).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Point;
    use super::*;

    #[test]
    fn names_units_and_labels_are_mapped() {
        let metric = |name: &'static str, unit, kind, points| Metric::new(name, unit, kind, "What.", points);
        let labelled = Point::new(vec![("error.type", "a\"b\\c\n".to_owned())], 2);
        let one = |value: u64| vec![Point::new(Vec::new(), value)];
        let metrics = [
            metric("netflow.collector.bytes", "By", Kind::Counter, one(1)),
            metric("netflow.collector.pending", "By", Kind::Gauge, one(3)),
            metric("netflow.collector.issues", "{issue}", Kind::Counter, vec![labelled]),
        ];
        assert_eq!(
            text(&metrics, "", ""),
            "# HELP netflow_collector_bytes_total What.\n\
             # TYPE netflow_collector_bytes_total counter\n\
             netflow_collector_bytes_total 1\n\
             # HELP netflow_collector_pending_bytes What.\n\
             # TYPE netflow_collector_pending_bytes gauge\n\
             netflow_collector_pending_bytes 3\n\
             # HELP netflow_collector_issues_total What.\n\
             # TYPE netflow_collector_issues_total counter\n\
             netflow_collector_issues_total{error_type=\"a\\\"b\\\\c\\n\"} 2\n"
        );
    }

    /// As measured at the Prometheus exporter of the Collector, with `namespace: xdp` and without.
    #[test]
    fn names_are_those_of_a_collector() {
        for (metric, unit, kind, with, without) in [
            ("xdp.packets.total", "packets", Kind::Counter, "xdp_xdp_packets_total", "xdp_packets_total"),
            ("xdp.bytes.total", "bytes", Kind::Counter, "xdp_xdp_bytes_total", "xdp_bytes_total"),
            ("xdp.bytes.total", "By", Kind::Counter, "xdp_xdp_bytes_total", "xdp_bytes_total"),
            (
                "xdp.packets.rate",
                "packets/sec",
                Kind::Gauge,
                "xdp_xdp_packets_rate_per_sec",
                "xdp_packets_rate_per_sec",
            ),
            ("xdp.tcp.packets", "packets", Kind::Counter, "xdp_xdp_tcp_packets_total", "xdp_tcp_packets_total"),
            (
                "system.network.packet.count",
                "{packet}",
                Kind::Counter,
                "xdp_system_network_packet_count_total",
                "system_network_packet_count_total",
            ),
            (
                "system.network.io",
                "By",
                Kind::Counter,
                "xdp_system_network_io_bytes_total",
                "system_network_io_bytes_total",
            ),
        ] {
            let metric = Metric::new(metric, unit, kind, "What.", Vec::new());
            assert_eq!((&*name(&metric, "xdp"), &*name(&metric, "")), (with, without));
        }
    }

    /// One that comes twice would cost the whole scrape.
    #[test]
    fn labels_are_valid_and_come_once() {
        let resource = [("k8s_pod", "b"), ("1x", "c"), ("service.name", "d"), ("k8s.pod", "a")];
        let resource = resource.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let info = target_info(&resource);
        assert!(info.ends_with("target_info{key_1x=\"c\",k8s_pod=\"a;b\",service_name=\"d\"} 1\n"), "{info}");
    }

    #[test]
    fn buckets_of_a_histogram_add_up() {
        let attributes = vec![("error.type", "refused".to_owned())];
        let histogram = Histogram { attributes, bounds: &[0.5, 1.0], counts: vec![3, 0, 2], sum: 4.25 };
        let metric = Metric::new("operation.duration", "s", Kind::Histogram, "What.", Vec::new());
        let metric = Metric { histograms: vec![histogram], ..metric };
        assert_eq!(
            text(&[metric], "", ""),
            "# HELP operation_duration_seconds What.\n\
             # TYPE operation_duration_seconds histogram\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"0.5\"} 3\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"1\"} 3\n\
             operation_duration_seconds_bucket{error_type=\"refused\",le=\"+Inf\"} 5\n\
             operation_duration_seconds_sum{error_type=\"refused\"} 4.25\n\
             operation_duration_seconds_count{error_type=\"refused\"} 5\n"
        );
    }

    /// As many as there were, in buckets that all maps and times have.
    #[test]
    fn an_exponential_histogram_has_a_classic_form() {
        let mut histogram = super::super::Exponential::default();
        [0.0, 100.0, 128.0, 129.0, 1e6, 1e9].iter().for_each(|rate| histogram.record(*rate));
        let time = std::time::SystemTime::UNIX_EPOCH;
        let attributes = vec![("xdp.map", "a".to_owned())];
        let distributions = vec![Distribution { attributes, start: time, time, histogram }];
        let name = "xdp.packets.rate.distribution";
        let metric = Metric::new(name, "packets/sec", Kind::Exponential, "What.", Vec::new());
        let text = text(&[Metric { distributions, ..metric }], "xdp", "");
        let name = "xdp_xdp_packets_rate_distribution_per_sec";
        assert!(text.contains(&format!("# TYPE {name} histogram\n")), "{text}");
        for (bound, count) in
            [("0", 1), ("128", 3), ("256", 4), ("524288", 4), ("1048576", 5), ("268435456", 5), ("+Inf", 6)]
        {
            let line = format!("{name}_bucket{{xdp_map=\"a\",le=\"{bound}\"}} {count}\n");
            assert!(text.contains(&line), "no {line} in {text}");
        }
        assert!(text.ends_with(&format!("{name}_sum{{xdp_map=\"a\"}} 1001000357\n{name}_count{{xdp_map=\"a\"}} 6\n")));
    }

    #[test]
    fn the_resource_is_target_info() {
        let resource = [("service.name".to_owned(), "lab".to_owned())];
        assert!(target_info(&resource).ends_with("target_info{service_name=\"lab\"} 1\n"));
    }
}
