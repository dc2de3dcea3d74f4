//! One flow record as cells, and the three ways to print it.

use std::fmt;
use std::io::{self, Write};
use std::net::IpAddr;

use flow_state::{Fact, FlowRecord, Timestamp, Version};
use jiff::SignedDuration;
use jiff::civil::DateTime;

/// What a record is printed as, in this order. A key is absent where the record has no such field.
pub(super) const KEYS: [&str; 20] = [
    "packet",
    "version",
    "domain",
    "template",
    "src",
    "dst",
    "sport",
    "dport",
    "proto",
    "bytes",
    "packets",
    "start_ms",
    "end_ms",
    "in_if",
    "out_if",
    "src_as",
    "dst_as",
    "nexthop",
    "rev_bytes",
    "rev_packets",
];

/// A value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cell {
    Number(u64),
    Address(IpAddr),
    /// A version whose number is that of another protocol too.
    Sflow5,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Address(address) => address.fmt(f),
            Self::Sflow5 => f.pad("sflow5"),
        }
    }
}

/// The cells of one record, in the order of [`KEYS`].
pub(super) struct Row([Option<Cell>; KEYS.len()]);

impl Row {
    /// Reads a record. Integers are as sent, ICMP "ports" among them; counters are not scaled; times are
    /// the exporter's own, none worked out.
    pub(super) fn new(flow: &FlowRecord<'_>) -> Self {
        let context = flow.context();
        let header = &context.header;
        let time = flow.exported_time();
        let fact = |fact| flow.integer(fact).map(Cell::Number);
        let millis = |time: Option<Timestamp>| time.map(|time| Cell::Number(time.as_unix_millis()));
        let template = header.version.has_templates().then(|| flow.record().template().id());
        Self([
            u64::try_from(context.tag).ok().map(Cell::Number),
            Some(match header.version {
                Version::Sflow5 => Cell::Sflow5,
                version => Cell::Number(version.number().into()),
            }),
            Some(Cell::Number(header.observation_domain_id.into())),
            template.map(|id| Cell::Number(id.into())),
            flow.source_address().map(Cell::Address),
            flow.destination_address().map(Cell::Address),
            fact(Fact::SourcePort),
            fact(Fact::DestinationPort),
            fact(Fact::Protocol),
            flow.octets().map(Cell::Number),
            flow.packets().map(Cell::Number),
            millis(time.start),
            millis(time.end),
            fact(Fact::IngressInterface),
            fact(Fact::EgressInterface),
            fact(Fact::SourceAs),
            fact(Fact::DestinationAs),
            flow.next_hop().map(Cell::Address),
            flow.reverse_octets().map(Cell::Number),
            flow.reverse_packets().map(Cell::Number),
        ])
    }

    /// A JSON object without its closing brace: more may follow. Keys and values need no escapes.
    pub(super) fn write_json(&self, output: &mut impl Write) -> io::Result<()> {
        let mut separator = '{';
        for (key, cell) in KEYS.iter().zip(self.0) {
            match cell {
                Some(Cell::Number(number)) => write!(output, "{separator}\"{key}\":{number}")?,
                Some(text) => write!(output, "{separator}\"{key}\":\"{text}\"")?,
                None => continue,
            }
            separator = ',';
        }
        Ok(())
    }

    /// One CSV record with a cell for each key.
    pub(super) fn write_csv(&self, writer: &mut csv::Writer<impl Write>) -> csv::Result<()> {
        writer.write_record(self.0.map(|cell| cell.map(|cell| cell.to_string()).unwrap_or_default()))
    }

    /// One line of the table.
    pub(super) fn write_table(&self, output: &mut impl Write) -> io::Result<()> {
        let cell = |key: &str| KEYS.iter().position(|other| *other == key).and_then(|at| self.0[at]);
        let text = |key: &str| cell(key).map_or_else(|| "-".to_owned(), |cell| cell.to_string());
        let number = |key: &str| match cell(key) {
            Some(Cell::Number(number)) => Some(number),
            _ => None,
        };
        let end = |address: &str, port: &str| match (cell(address), cell(port)) {
            (Some(Cell::Address(IpAddr::V6(address))), Some(port)) => format!("[{address}]:{port}"),
            (Some(address), Some(port)) => format!("{address}:{port}"),
            (Some(address), None) => address.to_string(),
            (None, port) => port.map_or_else(|| "-".to_owned(), |port| format!("-:{port}")),
        };
        let start = number("start_ms");
        let duration = start.zip(number("end_ms")).and_then(|(start, end)| end.checked_sub(start));
        let protocol =
            number("proto").map(|number| match u8::try_from(number).ok().and_then(flow_wire::ie::protocol_name) {
                Some(name) => name.to_owned(),
                None => number.to_string(),
            });
        writeln!(
            output,
            "{:>7} {:>3} {:23} {:>12} {:8} {:>27} {:>27} {:>12} {:>9} {:>6} {:>6}",
            text("packet"),
            text("version"),
            start.map_or_else(|| "-".to_owned(), |millis| Utc(millis).to_string()),
            duration.map_or_else(|| "-".to_owned(), |millis| format!("{}.{:03}s", millis / 1000, millis % 1000)),
            protocol.as_deref().unwrap_or("-"),
            end("src", "sport"),
            end("dst", "dport"),
            text("bytes"),
            text("packets"),
            text("in_if"),
            text("out_if"),
        )
    }
}

/// The column titles of the table.
pub(super) fn write_table_header(output: &mut impl Write) -> io::Result<()> {
    writeln!(
        output,
        "{:>7} {:>3} {:23} {:>12} {:8} {:>27} {:>27} {:>12} {:>9} {:>6} {:>6}",
        "PACKET",
        "VER",
        "START (UTC)",
        "DURATION",
        "PROTOCOL",
        "SOURCE",
        "DESTINATION",
        "BYTES",
        "PACKETS",
        "IN",
        "OUT",
    )
}

/// Unix milliseconds that print as date and time.
pub(super) struct Utc(pub(super) u64);

impl fmt::Display for Utc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since_epoch = i64::try_from(self.0).ok().map(SignedDuration::from_millis);
        let time = since_epoch.and_then(|since| DateTime::constant(1970, 1, 1, 0, 0, 0, 0).checked_add(since).ok());
        // Records may hold times beyond the year 9999.
        let text = time.map_or_else(|| self.0.to_string(), |time| time.strftime("%F %T%.3f").to_string());
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (millis, expected) in [
            (0, "1970-01-01 00:00:00.000"),
            (951_782_400_000, "2000-02-29 00:00:00.000"),
            (951_868_799_999, "2000-02-29 23:59:59.999"),
            (1_700_000_000_123, "2023-11-14 22:13:20.123"),
            (4_107_542_400_000, "2100-03-01 00:00:00.000"),
            (253_402_300_800_000, "253402300800000"),
            (u64::MAX, "18446744073709551615"),
        ] {
            assert_eq!(Utc(millis).to_string(), expected);
        }
    }

    #[test]
    fn json_leaves_absent_cells_out() {
        let mut cells = [None; KEYS.len()];
        cells[0] = Some(Cell::Number(3));
        cells[4] = Some(Cell::Address("2001:db8::1".parse().unwrap()));
        let mut line = Vec::new();
        Row(cells).write_json(&mut line).unwrap();
        assert_eq!(line, b"{\"packet\":3,\"src\":\"2001:db8::1\"");
    }
}
