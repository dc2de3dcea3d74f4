//! What is shown: two readings as lines and a table, ready to print.

use std::cmp::Ordering;
use std::net::IpAddr;
use std::time::Duration;

use super::reading::{Exporter, Reading};

/// Columns of the table of exporters.
pub(super) const COLUMNS: [&str; 10] =
    ["exporter", "name", "version", "datagrams/s", "flows/s", "flows", "Templates", "gaps", "drops", "last seen"];

/// What the exporters are sorted by; numbers from the highest down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sort {
    /// Flows a second
    #[default]
    Flows,
    /// Datagrams a second
    Datagrams,
    /// Units that sequence numbers say are missing
    Gaps,
    /// Datagrams and flows beyond the limits of an exporter
    Drops,
    /// The time since the last datagram
    LastSeen,
    /// The address
    Address,
}

impl Sort {
    /// The next one, after the last the first.
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Flows => Self::Datagrams,
            Self::Datagrams => Self::Gaps,
            Self::Gaps => Self::Drops,
            Self::Drops => Self::LastSeen,
            Self::LastSeen => Self::Address,
            Self::Address => Self::Flows,
        }
    }

    /// The number of its column.
    pub(super) const fn column(self) -> usize {
        match self {
            Self::Address => 0,
            Self::Datagrams => 3,
            Self::Flows => 4,
            Self::Gaps => 7,
            Self::Drops => 8,
            Self::LastSeen => 9,
        }
    }
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) received: String,
    pub(super) delivered: String,
    pub(super) dropped: String,
    /// Whether something was lost since the reading before.
    pub(super) is_losing: bool,
    pub(super) rows: Vec<[String; COLUMNS.len()]>,
}

impl Board {
    /// From a reading and the one before it, whose difference gives rates; `unix_time` is now, in seconds.
    pub(super) fn new(now: &Reading, before: Option<&Reading>, sort: Sort, unix_time: f64) -> Self {
        let rates = Rates(before.map(|before| now.at.saturating_duration_since(before.at)));
        let rate = |name: &str| rates.of(now.total(name), before.map(|before| before.total(name)));
        let total = |name: &str| now.total(name);
        let received = format!(
            "{} datagrams/s, {}/s, {} flows/s from {} exporters; gaps {}",
            number(rate("netflow_collector_datagrams_total")),
            rate("netflow_collector_bytes_total").map_or_else(unknown, bytes),
            number(rate("netflow_collector_records_total")),
            total("netflow_collector_exporters"),
            number(Some(total("netflow_collector_sequence_gaps_total"))),
        );
        let mut delivered = format!(
            "{} spans/s; memory {}",
            number(rate("otel_sdk_exporter_span_exported_total")),
            share(total("netflow_collector_queue_bytes"), total("netflow_collector_queue_capacity_bytes")),
        );
        let capacity = total("netflow_collector_spool_capacity_bytes");
        if capacity > 0.0 {
            delivered += &format!("; spool {}", share(total("netflow_collector_spool_bytes"), capacity));
        }
        let mut is_losing = false;
        let drops = now.drops.iter().map(|(drop, &total)| {
            let rate = rates.of(total, before.map(|before| before.drops.get(drop).copied().unwrap_or_default()));
            // What the operator does not want is no loss, and neither is what others stand for.
            let is_wanted = ["denied", "filtered", "sampled_out"].contains(&drop.reason.as_str());
            is_losing |= rate.is_some_and(|rate| rate > 0.0) && !is_wanted;
            format!("{} {} {} ({}/s)", number(Some(total)), drop.what, drop.reason, number(rate)).replace("  ", " ")
        });
        let drops: Vec<_> = drops.collect();
        let dropped = if drops.is_empty() { "nothing".to_owned() } else { drops.join(", ") };
        Self { received, delivered, dropped, is_losing, rows: rows(now, before, &rates, sort, unix_time) }
    }
}

/// What an exporter is sorted by, beside its cells.
struct Row<'a> {
    address: &'a str,
    exporter: &'a Exporter,
    datagram_rate: Option<f64>,
    flow_rate: Option<f64>,
}

fn rows(
    now: &Reading,
    before: Option<&Reading>,
    rates: &Rates,
    sort: Sort,
    unix_time: f64,
) -> Vec<[String; COLUMNS.len()]> {
    let mut rows: Vec<_> = now
        .exporters
        .iter()
        .map(|(address, exporter)| {
            // One that was not there has sent nothing before.
            let was = |value: fn(&Exporter) -> f64| before.map(|of| of.exporters.get(address).map_or(0.0, value));
            let datagram_rate = rates.of(exporter.datagrams, was(|of| of.datagrams));
            let flow_rate = rates.of(exporter.records, was(|of| of.records));
            Row { address, exporter, datagram_rate, flow_rate }
        })
        .collect();
    rows.sort_by(|a, b| {
        let highest_first = |a: f64, b: f64| b.partial_cmp(&a).unwrap_or(Ordering::Equal);
        let rate = |rate: Option<f64>| rate.unwrap_or_default();
        match sort {
            Sort::Flows => highest_first(rate(a.flow_rate), rate(b.flow_rate)),
            Sort::Datagrams => highest_first(rate(a.datagram_rate), rate(b.datagram_rate)),
            Sort::Gaps => highest_first(a.exporter.gaps, b.exporter.gaps),
            Sort::Drops => highest_first(a.exporter.dropped, b.exporter.dropped),
            Sort::LastSeen => highest_first(b.exporter.last_seen, a.exporter.last_seen),
            Sort::Address => Ordering::Equal,
        }
        .then_with(|| address_order(a.address).cmp(&address_order(b.address)))
    });
    let cells = |row: Row<'_>| {
        let of = row.exporter;
        [
            row.address.to_owned(),
            of.name.clone(),
            if of.version > 0.0 { of.version.to_string() } else { unknown() },
            number(row.datagram_rate),
            number(row.flow_rate),
            number(Some(of.records)),
            number(Some(of.templates)),
            number(Some(of.gaps)),
            number(Some(of.dropped)),
            if of.last_seen > 0.0 { age(unix_time - of.last_seen) } else { unknown() },
        ]
    };
    rows.into_iter().map(cells).collect()
}

/// IPv4, IPv6, then those that are no address.
fn address_order(address: &str) -> (bool, Option<IpAddr>) {
    let parsed = address.parse().ok();
    (parsed.is_none(), parsed)
}

/// What turns two values into a rate: the time between them.
struct Rates(Option<Duration>);

impl Rates {
    /// A second; `None` with nothing to compare to. A counter that fell has started anew from 0.
    fn of(&self, now: f64, before: Option<f64>) -> Option<f64> {
        let (seconds, before) = (self.0?.as_secs_f64(), before?);
        let grown = if now >= before { now - before } else { now };
        (seconds > 0.0).then(|| grown / seconds)
    }
}

fn unknown() -> String {
    "-".to_owned()
}

/// Three digits and a decimal prefix.
fn number(value: Option<f64>) -> String {
    let Some(value) = value else { return unknown() };
    scaled(value, 1000.0, &["", "k", "M", "G", "T", "P"])
}

fn bytes(value: f64) -> String {
    scaled(value, 1024.0, &[" B", " KiB", " MiB", " GiB", " TiB", " PiB"])
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while value >= step && unit + 1 < units.len() {
        value /= step;
        unit += 1;
    }
    let decimals = match value {
        ..10.0 if value.fract() != 0.0 => 2,
        10.0..100.0 if value.fract() != 0.0 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}{}", units[unit])
}

fn share(used: f64, of: f64) -> String {
    let percent = if of > 0.0 { 100.0 * used / of } else { 0.0 };
    format!("{} of {} ({percent:.0} %)", bytes(used), bytes(of))
}

fn age(seconds: f64) -> String {
    match seconds.max(0.0) as u64 {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ ..7200 => format!("{} min", seconds / 60),
        seconds @ ..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn numbers_have_three_digits_and_a_prefix() {
        for (value, expected) in [
            (0.0, "0"),
            (0.25, "0.25"),
            (7.0, "7"),
            (12.34, "12.3"),
            (999.0, "999"),
            (1000.0, "1k"),
            (1234.0, "1.23k"),
            (123_456.0, "123k"),
            (12_345_678.0, "12.3M"),
        ] {
            assert_eq!(number(Some(value)), expected);
        }
        assert_eq!(share(20.0 * 1024.0, 32.0 * 1024.0 * 1024.0), "20 KiB of 32 MiB (0 %)");
        assert_eq!(
            [5.9, 119.0, 120.0, 7200.0, 200_000.0, -3.0].map(age),
            ["5 s", "119 s", "2 min", "2 h", "2 d", "0 s"]
        );
    }

    /// Two seconds apart; the collector has started anew in between, as one of the counters says.
    #[test]
    fn rates_are_differences_and_never_negative() {
        let start = Instant::now();
        let reading = |text: &str, seconds| Reading::new(text, start + Duration::from_secs(seconds));
        let before = reading("netflow_collector_records_total 100\nnetflow_collector_datagrams_total 50", 0);
        let now = reading("netflow_collector_records_total 160\nnetflow_collector_datagrams_total 20", 2);
        let board = Board::new(&now, Some(&before), Sort::default(), 0.0);
        assert_eq!(board.received, "10 datagrams/s, 0 B/s, 30 flows/s from 0 exporters; gaps 0");
        let board = Board::new(&now, None, Sort::default(), 0.0);
        assert_eq!(board.received, "- datagrams/s, -/s, - flows/s from 0 exporters; gaps 0");
    }

    #[test]
    fn losses_are_told_with_their_reasons() {
        let start = Instant::now();
        let text = |denied: u32, full: u32| {
            format!(
                "netflow_collector_dropped_total{{error_type=\"denied\"}} {denied}\n\
                 netflow_collector_records_dropped_total{{error_type=\"filtered\"}} 0\n\
                 netflow_collector_records_dropped_total{{error_type=\"sampled_out\"}} {denied}\n\
                 otel_sdk_processor_span_processed_total{{otel_component_name=\"a\"}} 9\n\
                 otel_sdk_processor_span_processed_total{{otel_component_name=\"a\",error_type=\"queue_full\"}} {full}\n\
                 otel_sdk_processor_span_processed_total{{otel_component_name=\"b\",error_type=\"queue_full\"}} {full}\n"
            )
        };
        let before = Reading::new(&text(3, 5), start);
        let board = |text: &str| {
            Board::new(&Reading::new(text, start + Duration::from_secs(1)), Some(&before), Sort::default(), 0.0)
        };
        let losing = board(&text(4, 6));
        assert_eq!(losing.dropped, "4 datagrams denied (1/s), 4 flows sampled_out (1/s), 12 spans queue_full (2/s)");
        assert!(losing.is_losing && !board(&text(4, 5)).is_losing);
        assert_eq!(board("").dropped, "nothing");
    }

    #[test]
    fn exporters_are_sorted_as_asked() {
        let line = |address: &str, metric: &str, value: u32| {
            format!("netflow_exporter_{metric}{{netflow_exporter_address=\"{address}\"}} {value}\n")
        };
        let text = [
            line("192.0.2.10", "records_total", 5),
            line("192.0.2.10", "last_seen_seconds", 990),
            line("192.0.2.9", "records_total", 9),
            line("192.0.2.9", "sequence_gaps_total", 1),
            line("other", "records_total", 7),
            line("2001:db8::1", "dropped_total", 3),
        ]
        .concat();
        let start = Instant::now();
        let (before, now) = (Reading::new("", start), Reading::new(&text, start + Duration::from_secs(1)));
        let column = |sort, column: usize| -> Vec<String> {
            let board = Board::new(&now, Some(&before), sort, 1000.0);
            board.rows.into_iter().map(|row| row[column].clone()).collect()
        };
        assert_eq!(column(Sort::Flows, 0), ["192.0.2.9", "other", "192.0.2.10", "2001:db8::1"]);
        assert_eq!(column(Sort::Flows, Sort::Flows.column()), ["9", "7", "5", "0"]);
        assert_eq!(column(Sort::Address, 0), ["192.0.2.9", "192.0.2.10", "2001:db8::1", "other"]);
        assert_eq!(column(Sort::Drops, 0)[0], "2001:db8::1");
        assert_eq!(column(Sort::Gaps, 0)[0], "192.0.2.9");
        assert_eq!(column(Sort::LastSeen, Sort::LastSeen.column()), ["-", "-", "-", "10 s"]);
    }
}
