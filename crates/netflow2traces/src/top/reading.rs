//! The numbers of a collector at one moment, out of the text that Prometheus reads.

use std::collections::BTreeMap;
use std::time::Instant;

/// What is shown of the metrics. Counters have grown since the collector started.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) at: Instant,
    pub(super) version: String,
    /// By name of the metric; those with labels are summed.
    totals: BTreeMap<String, f64>,
    /// What was lost and why.
    pub(super) drops: BTreeMap<Drop, f64>,
    /// By address, or `other` for those beyond the limit of addresses.
    pub(super) exporters: BTreeMap<String, Exporter>,
}

/// A kind of loss.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Drop {
    pub(super) what: &'static str,
    pub(super) reason: String,
}

/// What is known of one exporter.
#[derive(Clone, Debug, Default)]
pub(super) struct Exporter {
    pub(super) name: String,
    pub(super) datagrams: f64,
    pub(super) records: f64,
    pub(super) templates: f64,
    pub(super) gaps: f64,
    /// Datagrams and flows beyond its limits.
    pub(super) dropped: f64,
    pub(super) version: f64,
    /// Unix time in seconds.
    pub(super) last_seen: f64,
}

impl Reading {
    /// Reads the text; lines that mean nothing here are skipped.
    pub(super) fn new(text: &str, at: Instant) -> Self {
        let mut reading = Self {
            at,
            version: String::new(),
            totals: BTreeMap::new(),
            drops: BTreeMap::new(),
            exporters: BTreeMap::new(),
        };
        text.lines().filter_map(Sample::parse).for_each(|sample| reading.add(&sample));
        reading
    }

    /// A metric over all its labels; 0 if it is not there.
    pub(super) fn total(&self, name: &str) -> f64 {
        self.totals.get(name).copied().unwrap_or_default()
    }

    /// Whether the text had what every collector has.
    pub(super) fn is_of_a_collector(&self) -> bool {
        self.totals.contains_key("netflow_collector_datagrams_total")
    }

    fn add(&mut self, sample: &Sample<'_>) {
        let reason = sample.label("error_type");
        if let Some(field) = sample.name.strip_prefix("netflow_exporter_") {
            return self.add_exporter(field, sample);
        }
        let what = match sample.name {
            "netflow_collector_dropped_total" => Some("datagrams"),
            "netflow_collector_records_dropped_total" => Some("flows"),
            "otel_sdk_processor_span_processed_total" | "otel_sdk_exporter_span_exported_total" => Some("spans"),
            "netflow_collector_pending_dropped_bytes_total" => Some("bytes without Template"),
            _ => None,
        };
        match (what, reason) {
            (Some(what), Some(reason)) => self.lost(what, reason, sample.value),
            (Some(what), None) if what.starts_with("bytes") => self.lost(what, "", sample.value),
            _ => *self.totals.entry(sample.name.to_owned()).or_default() += sample.value,
        }
        if sample.name == "target_info" {
            self.version = printable(sample.label("service_version").unwrap_or_default());
        }
    }

    fn lost(&mut self, what: &'static str, reason: &str, value: f64) {
        if value > 0.0 {
            *self.drops.entry(Drop { what, reason: printable(reason) }).or_default() += value;
        }
    }

    fn add_exporter(&mut self, field: &str, sample: &Sample<'_>) {
        let Some(address) = sample.label("netflow_exporter_address") else { return };
        let exporter = self.exporters.entry(printable(address)).or_default();
        if let Some(name) = sample.label("netflow_exporter_name") {
            exporter.name = printable(name);
        }
        let value = match field {
            "datagrams_total" => &mut exporter.datagrams,
            "records_total" => &mut exporter.records,
            "templates_total" => &mut exporter.templates,
            "sequence_gaps_total" => &mut exporter.gaps,
            "dropped_total" | "records_dropped_total" => &mut exporter.dropped,
            "version" => &mut exporter.version,
            "last_seen_seconds" => &mut exporter.last_seen,
            _ => return,
        };
        *value += sample.value;
    }
}

/// One line of the text format.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: Vec<(&'a str, String)>,
    value: f64,
}

impl<'a> Sample<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
        let mut labels = Vec::new();
        if let Some(in_braces) = rest.strip_prefix('{') {
            rest = in_braces;
            while !rest.starts_with('}') {
                let (key, quoted) = rest.split_once("=\"")?;
                let (value, after) = unquoted(quoted)?;
                labels.push((key, value));
                rest = after.strip_prefix(',').unwrap_or(after);
            }
            rest = &rest[1..];
        }
        // A time may follow.
        let value: f64 = rest.split_whitespace().next()?.parse().ok()?;
        value.is_finite().then_some(Self { name, labels, value })
    }

    fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|(of, _)| *of == key).map(|(_, value)| value.as_str())
    }
}

/// The value of a label up to its closing quote, and what follows that.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next()? {
            (at, '"') => return Some((value, &text[at + 1..])),
            (_, '\\') => match chars.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            (_, other) => value.push(other),
        }
    }
}

/// Longest text of a collector that is shown.
const MAX_SHOWN_LEN: usize = 60;

/// A text without what would move the cursor, or turn the direction of what follows.
fn printable(text: &str) -> String {
    let is_shown =
        |char: &char| !char.is_control() && !matches!(*char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(is_shown).take(MAX_SHOWN_LEN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_samples() {
        for (line, expected) in [
            ("a_total 3", Some(("a_total", vec![], 3.0))),
            ("a{} 0.5 1700000000000", Some(("a", vec![], 0.5))),
            ("a{b=\"c\",d=\"\"} 1e3", Some(("a", vec![("b", "c".to_owned()), ("d", String::new())], 1000.0))),
            ("a{b=\"}\\\\,\\\"\\n \"} 1", Some(("a", vec![("b", "}\\,\"\n ".to_owned())], 1.0))),
            ("# HELP a A.", None),
            ("", None),
            ("a", None),
            ("a NaN", None),
            ("a{b=\"c", None),
            ("a{b=\"c\"", None),
            ("a{b} 1", None),
        ] {
            let expected = expected.map(|(name, labels, value)| Sample { name, labels, value });
            assert_eq!(Sample::parse(line), expected, "{line}");
        }
    }

    #[test]
    fn labels_are_shown_without_what_moves_the_cursor() {
        assert_eq!(printable("\u{1b}[2Jcore\u{202e}1\r\n"), "[2Jcore1");
        assert_eq!(printable(&"é".repeat(100)).chars().count(), MAX_SHOWN_LEN);
    }
}
