//! The large captures of `NETFLOW_CAPTURES`: every record of a quarter of a million, by their sum.
//!
//! Beside `large/NAME.pcap.zst` lies `NAME.summary.json`, with counts, totals and the SHA-256 of the records as lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use testkit::differential::Record;

/// Decodes every large capture below `captures` with the program as it is released.
///
/// # Errors
///
/// When there is none, or its records are not those of its summary.
pub(crate) fn run(captures: &Path) -> anyhow::Result<String> {
    let folder = captures.join("large");
    let entries = fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))?;
    let paths: Vec<PathBuf> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let paths: Vec<_> = paths.iter().filter(|path| path.to_string_lossy().ends_with(".pcap.zst")).collect();
    ensure!(!paths.is_empty(), "no capture in {}", folder.display());
    let netflow2traces = crate::e2e::build()?;
    let mut records = 0;
    for path in &paths {
        records += check(&netflow2traces, path).with_context(|| path.display().to_string())?;
    }
    Ok(format!("{} captures, {records} records", paths.len()))
}

fn check(netflow2traces: &Path, path: &Path) -> anyhow::Result<u64> {
    let name = path.to_string_lossy().replace(".pcap.zst", ".summary.json");
    let expected: Value = serde_json::from_str(&fs::read_to_string(&name).with_context(|| name.clone())?)?;
    let summary_path = crate::workspace_root().join("target/large-summary.json");
    let mut zstd = Command::new("zstd").arg("-dcq").arg(path).stdout(Stdio::piped()).spawn().context("run zstd")?;
    let mut decode = Command::new(netflow2traces)
        .args(["decode", "--format", "jsonl", "-", "--summary"])
        .arg(&summary_path)
        .stdin(zstd.stdout.take().context("zstd has no output")?)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut sha256sum = Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let totals = {
        let lines = BufReader::new(decode.stdout.take().context("decode has no output")?).lines();
        let mut sum = sha256sum.stdin.take().context("sha256sum has no input")?;
        let mut totals = Totals::default();
        for line in lines {
            let record: Record = serde_json::from_str(&line?)?;
            writeln!(sum, "{}", serde_json::to_string(&record)?)?;
            totals.add(&record);
        }
        totals
    };
    ended(&mut zstd)?;
    ended(&mut decode)?;
    let output = sha256sum.wait_with_output()?;
    let sha256 = String::from_utf8(output.stdout)?.split_whitespace().next().unwrap_or_default().to_owned();
    let summary: Value = serde_json::from_str(&fs::read_to_string(summary_path)?)?;
    let got = json!({
        "packets": summary["datagrams"],
        "data_records": summary["data_records"],
        "options_records": summary["options_records"],
        "totals": totals.as_json(),
        "expected_sha256": sha256,
    });
    for (key, got) in got.as_object().into_iter().flatten() {
        ensure!(*got == expected[key], "{key} is {got}, expected {}", expected[key]);
    }
    summary["data_records"].as_u64().context("no count of records")
}

fn ended(process: &mut Child) -> anyhow::Result<()> {
    let status = process.wait()?;
    ensure!(status.success(), "a program ended with {status}");
    Ok(())
}

#[derive(Default)]
struct Totals {
    bytes: u64,
    packets: u64,
    min_start_ms: Option<i64>,
    max_end_ms: Option<i64>,
    sources: BTreeSet<std::net::IpAddr>,
    destinations: BTreeSet<std::net::IpAddr>,
    by_protocol: BTreeMap<String, u64>,
}

impl Totals {
    fn add(&mut self, record: &Record) {
        self.bytes += record.bytes.unwrap_or(0);
        self.packets += record.packets.unwrap_or(0);
        self.min_start_ms = self.min_start_ms.into_iter().chain(record.start_ms).min();
        self.max_end_ms = self.max_end_ms.max(record.end_ms);
        self.sources.extend(record.src);
        self.destinations.extend(record.dst);
        if let Some(protocol) = record.proto {
            *self.by_protocol.entry(protocol.to_string()).or_default() += 1;
        }
    }

    fn as_json(&self) -> Value {
        json!({
            "bytes": self.bytes,
            "packets": self.packets,
            "min_start_ms": self.min_start_ms,
            "max_end_ms": self.max_end_ms,
            "distinct_src": self.sources.len(),
            "distinct_dst": self.destinations.len(),
            "by_proto": self.by_protocol,
        })
    }
}
