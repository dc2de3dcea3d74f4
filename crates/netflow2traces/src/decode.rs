//! `decode`: the flow records of a capture as a table, JSON lines or CSV.

mod fields;
mod row;
mod sample;
mod summary;

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use flow_capture::{Capture, CaptureError, CaptureStats, CapturedDatagram};
use flow_state::{Datagram, Decoded, FlowRecord, State, StateConfig, Timestamp, TransportSession, Version};
use ipnet::IpNet;
use tracing::warn;

use self::fields::FieldPrinter;
use self::row::Row;
use self::summary::Summary;
use crate::config;
use crate::elements;
use crate::error::UsageError;
use crate::exporters;

/// Arguments of `decode`.
#[derive(Args)]
pub(crate) struct DecodeArgs {
    /// Capture to read (pcap or pcapng), or - for standard input
    file: PathBuf,

    /// How records are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,

    /// Write counts of datagrams, records, issues and bytes to this file, as JSON
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,

    /// Print every field of each record as well, with its name
    #[arg(long)]
    fields: bool,

    /// TOML file with names and types of elements that no registry lists, for --fields
    #[arg(long, env = "NETFLOW_ELEMENTS", value_name = "FILE")]
    elements: Option<PathBuf>,

    /// Read datagrams of this version alone: 1, 5, 7, 8, 9, ipfix or sflow
    #[arg(long, value_name = "VERSION", value_parser = parse_any_version)]
    netflow_version: Option<Version>,

    /// Read datagrams of these exporters alone: an address or a network such as 10.0.0.0/8
    #[arg(long, value_name = "CIDR", value_parser = parse_network)]
    exporter: Option<IpNet>,

    /// Print the flows alone that a filter keeps, such as `proto tcp and not src net 10.0.0.0/8`; may be repeated
    #[arg(long, value_name = "EXPRESSION")]
    filter: Vec<String>,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Aligned columns for people
    Table,
    /// One JSON object a record
    Jsonl,
    /// One line a record, with a header line
    Csv,
}

/// Reads `1`, `5`, `7`, `8`, `9`, `10` or `ipfix`.
pub(crate) fn parse_version(text: &str) -> Result<Version, &'static str> {
    let number = if text.eq_ignore_ascii_case("ipfix") { Some(10) } else { text.parse().ok() };
    number.and_then(Version::from_number).ok_or("use 1, 5, 7, 8, 9 or ipfix")
}

fn parse_any_version(text: &str) -> Result<Version, &'static str> {
    if text.eq_ignore_ascii_case("sflow") {
        return Ok(Version::Sflow5);
    }
    parse_version(text).map_err(|_| "use 1, 5, 7, 8, 9, ipfix or sflow")
}

fn parse_network(text: &str) -> Result<IpNet, &'static str> {
    exporters::network(text).ok_or("expected an address or a network such as 10.0.0.0/8")
}

/// Prints the records of a capture.
///
/// # Errors
///
/// A capture that cannot be read; what comes before its damage is printed all the same. Output that cannot be written.
pub(crate) fn run(args: &DecodeArgs) -> anyhow::Result<()> {
    let state = State::new(args.state_config()?);
    let filter = config::filter(&args.filter)?;
    let fields = args.fields.then_some(FieldPrinter(&state));
    let mut capture = open(&args.file)?;
    let mut printer = Printer::new(args.format, fields, BufWriter::with_capacity(1 << 16, io::stdout().lock()))?;
    let mut summary = Summary::default();
    let mut decoded = Decoded::default();
    let damage = loop {
        let datagram = match capture.next_datagram() {
            Ok(Some(datagram)) => datagram,
            Ok(None) => break None,
            Err(error) => break Some(error),
        };
        if !args.wants(&datagram) {
            continue;
        }
        let datagram = Datagram::new(
            TransportSession::new(datagram.source, datagram.destination),
            Timestamp::from_unix_nanos(datagram.captured_at),
            datagram.payload,
        )
        .with_tag(datagram.number.into());
        state.decode(&datagram, &mut decoded);
        summary.add(&datagram, &decoded);
        let replayed = decoded.replayed_sets().filter(|set| !set.template().is_options());
        for set in replayed.chain(decoded.data_sets(datagram.bytes)) {
            let mut kept = 0;
            filter.kept(&set).inspect(|_| kept += 1).try_for_each(|flow| printer.print(&flow))?;
            summary.add_filtered(set.len() as u64 - kept);
        }
    };
    printer.finish()?;
    warn_of_losses(&capture.stats());
    if let Some(path) = &args.summary {
        summary.write(path, capture.stats()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    damage.map_or(Ok(()), |error| Err(damaged(error, &args.file)))
}

impl DecodeArgs {
    fn state_config(&self) -> Result<StateConfig, UsageError> {
        if self.fields && matches!(self.format, Format::Csv) {
            return Err(UsageError::new("--fields needs --format table or jsonl: the columns of CSV are fixed"));
        }
        let mut config = StateConfig::default();
        if let Some(path) = &self.elements {
            config.elements = Arc::new(elements::read(path)?);
        }
        Ok(config)
    }

    fn wants(&self, datagram: &CapturedDatagram<'_>) -> bool {
        self.exporter.is_none_or(|network| network.contains(&datagram.source.ip().to_canonical()))
            && self.netflow_version.is_none_or(|wanted| Version::of_datagram(datagram.payload) == Some(wanted))
    }
}

/// Opens a capture, `-` for standard input.
pub(crate) fn open(path: &Path) -> anyhow::Result<Capture<Box<dyn Read>>> {
    let reader: Box<dyn Read> = match path.to_str() {
        Some("-") => Box::new(io::stdin().lock()),
        _ => Box::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?),
    };
    Capture::open(reader).map_err(|error| damaged(error, path))
}

/// Says what of a capture did not become datagrams. That it holds other protocols is worth a word only when it holds
/// nothing else.
pub(crate) fn warn_of_losses(stats: &CaptureStats) {
    let count = |frames: u64| (frames > 0).then_some(frames);
    let unknown_link_type = count(stats.unknown_link_type);
    let (truncated, malformed) = (count(stats.truncated), count(stats.malformed));
    let fragments_lost = count(stats.fragments_lost);
    if stats.datagrams == 0 {
        let (frames, not_ip, not_udp) = (stats.frames, count(stats.not_ip), count(stats.not_udp));
        warn!(frames, unknown_link_type, not_ip, not_udp, malformed, fragments_lost, "no UDP datagram in the capture");
    } else if [unknown_link_type, truncated, malformed, fragments_lost].iter().any(Option::is_some) {
        warn!(unknown_link_type, truncated, malformed, fragments_lost, "parts of the capture were not read");
    }
}

/// The error of a capture that cannot be read further.
pub(crate) fn damaged(error: CaptureError, path: &Path) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
}

struct Printer<'a, W: Write> {
    output: Output<W>,
    fields: Option<FieldPrinter<'a>>,
}

enum Output<W: Write> {
    Table(W),
    Jsonl(W),
    Csv(Box<csv::Writer<W>>),
}

impl<'a, W: Write> Printer<'a, W> {
    fn new(format: Format, fields: Option<FieldPrinter<'a>>, mut output: W) -> anyhow::Result<Self> {
        let output = match format {
            Format::Table => {
                row::write_table_header(&mut output)?;
                Output::Table(output)
            }
            Format::Jsonl => Output::Jsonl(output),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(output);
                writer.write_record(row::KEYS)?;
                Output::Csv(Box::new(writer))
            }
        };
        Ok(Self { output, fields })
    }

    fn print(&mut self, flow: &FlowRecord<'_>) -> anyhow::Result<()> {
        let row = || Row::new(flow);
        match &mut self.output {
            Output::Table(output) => {
                row().write_table(output)?;
                self.fields.iter().try_for_each(|fields| fields.write_table(flow, output))?;
            }
            Output::Jsonl(output) => {
                match flow.sample() {
                    Some(sample) => sample::write_json(flow, &sample, output)?,
                    None => row().write_json(output)?,
                }
                self.fields.iter().try_for_each(|fields| fields.write_json(flow, output))?;
                output.write_all(b"}\n")?;
            }
            Output::Csv(writer) => row().write_csv(writer)?,
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self.output {
            Output::Table(mut output) | Output::Jsonl(mut output) => output.flush()?,
            Output::Csv(mut writer) => writer.flush()?,
        }
        Ok(())
    }
}
