//! `cargo xtask corpus`: records the corpus of real exporters anew.

use std::fmt::Write as _;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, ensure};

use super::exporter::{EXPORTERS, Exporter, program_version};
use super::tap::{self, Tap};
use super::{TRAFFIC_SEED, pcap, traffic};
use testkit::differential::tshark;

/// Runs every exporter over the generated traffic and writes captures, expected records and README.md to the corpus
/// folder of `testkit`.
///
/// # Errors
///
/// When a program is missing or fails, or tshark does not read what an exporter sent.
pub(crate) fn run() -> anyhow::Result<()> {
    let root = crate::workspace_root();
    let corpus = root.join("crates/testkit/corpus");
    let folder = root.join("target/e2e/corpus");
    std::fs::create_dir_all(&corpus)?;
    std::fs::create_dir_all(&folder)?;
    let traffic = folder.join("traffic.pcap");
    pcap::write(&traffic, &traffic::frames(SystemTime::now() - 2 * traffic::DURATION, TRAFFIC_SEED)?)?;
    let mut table = String::new();
    for exporter in &EXPORTERS {
        let capture =
            record(exporter, &traffic, &folder, &corpus).with_context(|| format!("record {}", exporter.name))?;
        println!("{:24} {:3} datagrams {:4} records", exporter.name, capture.datagrams, capture.records.len());
        let tshark::Capture { datagrams, records, options, .. } = &capture;
        let (name, command) = (exporter.name, exporter.command_line());
        writeln!(table, "| `{name}` | {datagrams} | {} | {} | `{command}` |", records.len(), options.len())?;
    }
    std::fs::write(corpus.join("README.md"), readme(&table)?)?;
    Ok(())
}

fn record(exporter: &Exporter, traffic: &Path, folder: &Path, corpus: &Path) -> anyhow::Result<tshark::Capture> {
    let tap = Tap::start(Vec::new())?;
    exporter.run(traffic, folder, tap.port)?;
    let path = corpus.join(format!("{}.pcap", exporter.name));
    tap::write_pcap(&path, &tap.finish()?)?;
    let capture = tshark::read(&path)?;
    ensure!(capture.records.len() > 100, "only {} records", capture.records.len());
    let mut expected = String::new();
    for record in &capture.records {
        writeln!(expected, "{}", serde_json::to_string(record)?)?;
    }
    std::fs::write(path.with_extension("expected.jsonl"), expected)?;
    Ok(capture)
}

fn readme(table: &str) -> anyhow::Result<String> {
    let versions = [
        program_version("softflowd", "-h")?,
        program_version("fprobe", "-h")?,
        program_version("pmacctd", "-V")?,
        program_version("tshark", "--version")?,
    ];
    let mut pmacctd = String::new();
    for exporter in &EXPORTERS {
        if let Some(configuration) = exporter.configuration_line() {
            writeln!(pmacctd, "- `{}`: `{configuration}`", exporter.name)?;
        }
    }
    Ok(format!(
        "\
# Corpus

What real exporters send, recorded by `cargo xtask corpus`, which also writes this file.

- `NAME.pcap`: the export datagrams of one run, in the order they came, addressed to port {port}.
- `NAME.expected.jsonl`: the flow Data Records tshark reads from them, one a line in wire order, with the keys of
  `netflow2traces decode --format jsonl`. Times are Unix milliseconds, rounded down, those by uptime with the 32-bit
  difference to the export; an absent key is a field that the record does not have. Records of options Templates are not
  among them.

All exporters metered the same generated capture, `TRAFFIC`: TCP, UDP, ICMP, fragments and portless protocols over
IPv4 and IPv6. softflowd v1 and v5 and fprobe meter IPv4 only. `COLLECTOR` is a UDP port on loopback.

| case | datagrams | records | options records | command |
|---|--:|--:|--:|---|
{table}
Configuration files of pmacctd:

{pmacctd}
Programs:

- {programs}
",
        port = tap::COLLECTOR_PORT,
        programs = versions.join("\n- "),
    ))
}
