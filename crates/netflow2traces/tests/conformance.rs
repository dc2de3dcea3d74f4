//! `decode` against what captures and wire cases are known to hold, and against what is meant to break it.
//!
//! The project's own data always; more where `NETFLOW_CAPTURES` names a folder. In that folder lie captures
//! (`NAME.pcap`) with their records (`NAME.expected.jsonl`, `NAME.expected-late.jsonl`, `NAME.extra.jsonl`), single bad
//! datagrams (`malformed/expected.json`) and streams of them (`fuzz/*.pcap.zst`, which needs the program zstd), beside it
//! wire cases (`../conformance/cases.json`). What is missing is a failure.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::netflow2traces;
use flow_capture::{LinkLayer, PcapWriter};
use serde_json::Value;
use tempfile::TempDir;
use testkit::corpus;

/// The keys of `decode --format jsonl`.
const KEYS: [&str; 20] = [
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

/// How long one capture may take. The longest takes two seconds, without optimisation, on a machine with nothing else
/// to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// Address space of a decoder, in KiB: all its budgets together are below 100 MiB.
const MEMORY_KIB: u32 = 512 * 1024;

#[test]
fn captures_have_their_expected_records() {
    let own = (corpus::captures(), 11);
    let more = corpus::more().map(|folder| (corpus::captures_in(&folder), 1));
    for (captures, at_least) in [own].into_iter().chain(more) {
        let mut problems = Problems::default();
        for capture in captures {
            let expected = expected_records(&capture);
            // Some captures hold no records that anybody can read.
            if !expected.records.is_empty() {
                problems.add(&capture.display().to_string(), compare(&capture, &expected));
            }
        }
        problems.assert_none(at_least);
    }
}

/// Records of sFlow have keys of their own and are compared whole.
#[test]
fn sflow_captures_have_their_expected_samples() {
    let more = corpus::more().map(|folder| corpus::captures_in(&folder.join("sflow")));
    for captures in more.into_iter().chain([corpus::sflow_captures()]) {
        let mut problems = Problems::default();
        for capture in captures {
            let expected = json_lines(&capture.with_extension("expected.jsonl"));
            let outcome = decode(&capture).and_then(|decoded| match decoded.records() {
                records if records == expected => Ok(()),
                records => Err(format!("{} records, not the {} expected", records.len(), expected.len())),
            });
            problems.add(&capture.display().to_string(), outcome);
        }
        problems.assert_none(2);
    }
}

#[test]
fn wire_cases_have_their_counts() {
    let mut problems = Problems::default();
    let mut cases = own_cases();
    if let Some(folder) = corpus::more() {
        cases.extend(conformance_cases(&folder.join("../conformance/cases.json")));
        cases.extend(malformed_cases(&folder.join("malformed")));
    }
    for case in cases {
        problems.add(&case.name, case.judge());
    }
    problems.assert_none(9);
}

/// The first datagram of each capture, cut at every length.
#[test]
fn every_prefix_of_a_datagram_is_read_in_time() {
    let mut problems = Problems::default();
    for capture in corpus::captures() {
        let first = corpus::datagrams(&capture).swap_remove(0).payload;
        let prefixes: Vec<_> = (0..=first.len()).map(|length| first[..length].to_vec()).collect();
        let folder = tempfile::tempdir().unwrap();
        let stream = write_capture(&folder, &prefixes);
        problems.add(&format!("prefixes of {}", capture.display()), bytes_accounted_for(&stream));
    }
    problems.assert_none(11);
}

#[test]
fn hostile_streams_are_read_in_time_and_memory() {
    let mut problems = Problems::default();
    let own = tempfile::tempdir().unwrap();
    problems.add("Templates without end", bytes_accounted_for(&write_capture(&own, &template_flood())));
    for path in corpus::more().iter().flat_map(|folder| corpus::streams_in(&folder.join("fuzz"))) {
        let folder = tempfile::tempdir().unwrap();
        let stream = folder.path().join("stream.pcap");
        fs::write(&stream, corpus::read(&path)).unwrap();
        problems.add(&path.display().to_string(), bytes_accounted_for(&stream));
    }
    problems.assert_none(1);
}

/// What was wrong, so that one run tells all of it.
#[derive(Default)]
struct Problems {
    cases: usize,
    found: Vec<String>,
}

impl Problems {
    fn add(&mut self, name: &str, outcome: Result<(), String>) {
        self.cases += 1;
        self.found.extend(outcome.err().map(|problem| format!("{name}: {problem}")));
    }

    /// Panics if there was a problem, or less to look at than there should be.
    fn assert_none(&self, at_least: usize) {
        let (found, cases) = (self.found.len(), self.cases);
        assert!(self.found.is_empty(), "{found} of {cases} failed:\n{}", self.found.join("\n"));
        assert!(cases >= at_least, "only {cases} cases");
    }
}

struct Expected {
    records: Vec<Value>,
    /// Keys for which another value is defensible, by the number of the datagram.
    ambiguous: HashMap<u64, BTreeSet<String>>,
}

/// Reads the files beside a capture.
fn expected_records(capture: &Path) -> Expected {
    let mut records = json_lines(&capture.with_extension("expected.jsonl"));
    let mut ambiguous: HashMap<_, BTreeSet<_>> = HashMap::new();
    records.extend(json_lines(&capture.with_extension("expected-late.jsonl")));
    for extra in json_lines(&capture.with_extension("extra.jsonl")) {
        let line = usize::try_from(extra["line"].as_u64().unwrap()).unwrap();
        let record = &mut records[line - 1];
        for key in ["rev_bytes", "rev_packets"] {
            if !extra[key].is_null() {
                record[key] = extra[key].clone();
            }
        }
        let keys = extra["ambiguous"].as_array().into_iter().flatten().map(|key| key.as_str().unwrap().to_owned());
        ambiguous.entry(record["packet"].as_u64().unwrap()).or_default().extend(keys);
    }
    Expected { records, ambiguous }
}

/// The lines of a file or of its compressed form; none when there is neither.
fn json_lines(path: &Path) -> Vec<Value> {
    let compressed = PathBuf::from(format!("{}.zst", path.display()));
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(_) if compressed.exists() => String::from_utf8(corpus::read(&compressed)).unwrap(),
        Err(_) => return Vec::new(),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{}: {error}", path.display()))).collect()
}

/// Compares records as often as they occur; their order is not compared, for late ones are printed when they can be.
fn compare(capture: &Path, expected: &Expected) -> Result<(), String> {
    let records = decode(capture)?.records();
    let unknown = records.iter().flat_map(|record| record.as_object().unwrap().keys());
    if let Some(key) = unknown.into_iter().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key {key}"));
    }
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    for record in &expected.records {
        *counts.entry(comparable(record, expected)).or_default() += 1;
    }
    for record in &records {
        *counts.entry(comparable(record, expected)).or_default() -= 1;
    }
    let missing: i64 = counts.values().filter(|count| **count > 0).sum();
    let extra: i64 = -counts.values().filter(|count| **count < 0).sum::<i64>();
    if missing == 0 && extra == 0 {
        return Ok(());
    }
    let example = |sign: i64| counts.iter().find(|(_, count)| count.signum() == sign).map(|(record, _)| record);
    let (wanted, got) = (example(1), example(-1));
    Err(format!(
        "{missing} of {} missing or different, {extra} extra; wanted {wanted:?}, got {got:?}",
        expected.records.len()
    ))
}

/// A record without what is not compared, as text.
fn comparable(record: &Value, expected: &Expected) -> String {
    let ambiguous = record["packet"].as_u64().and_then(|packet| expected.ambiguous.get(&packet));
    let is_compared = |key: &str| !ambiguous.is_some_and(|keys| keys.contains(key)) && !record[key].is_null();
    let values: Vec<_> =
        KEYS.iter().filter(|key| is_compared(key)).map(|key| format!("{key}={}", record[key])).collect();
    values.join(" ")
}

/// What `decode` makes of a capture.
struct Decoded {
    folder: TempDir,
    summary: Value,
}

impl Decoded {
    fn records(&self) -> Vec<Value> {
        json_lines(&self.folder.path().join("records"))
    }
}

/// Runs `decode` to its end.
///
/// # Errors
///
/// When it fails, takes too long, or takes more memory than it may.
fn decode(capture: &Path) -> Result<Decoded, String> {
    let folder = tempfile::tempdir().unwrap();
    let [records, summary, log] = ["records", "summary", "log"].map(|name| folder.path().join(name));
    let decode = netflow2traces(&["decode", "--format", "jsonl", "--summary"]);
    let mut command = Command::new("sh");
    if cfg!(target_os = "linux") {
        command.args(["-c", &format!("ulimit -v {MEMORY_KIB} && exec \"$@\""), "sh"]);
    } else {
        command.args(["-c", "exec \"$@\"", "sh"]);
    }
    command.arg(decode.get_program()).args(decode.get_args()).args([&summary, capture]);
    command.stdin(Stdio::null()).stdout(File::create(&records).unwrap()).stderr(File::create(&log).unwrap());
    let mut process = command.spawn().unwrap();
    let started = Instant::now();
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if started.elapsed() > PATIENCE {
            process.kill().unwrap();
            process.wait().unwrap();
            return Err(format!("still running after {PATIENCE:?}"));
        }
        thread::sleep(Duration::from_millis(1));
    };
    let log = fs::read_to_string(log).unwrap();
    if !status.success() || !log.is_empty() {
        return Err(format!("{status}: {log}"));
    }
    let summary = serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    Ok(Decoded { folder, summary })
}

/// Decodes and compares the bytes that came with the sum of their fates.
fn bytes_accounted_for(capture: &Path) -> Result<(), String> {
    let decoded = decode(capture)?;
    let bytes = &decoded.summary["bytes"];
    let number = |value: &Value| value.as_u64().unwrap();
    let skipped: u64 = bytes["skipped"].as_object().unwrap().values().map(number).sum();
    let fates: u64 =
        ["headers", "templates", "records", "padding", "pending"].iter().map(|key| number(&bytes[key])).sum();
    if number(&bytes["total"]) == fates + skipped { Ok(()) } else { Err(format!("bytes without a fate: {bytes}")) }
}

/// Datagrams of one exporter and what is in them.
#[derive(Default)]
struct Case {
    name: String,
    datagrams: Vec<Vec<u8>>,
    /// Fewest and most data records.
    data_records: Option<(u64, u64)>,
    options_records: Option<u64>,
    /// The `bytes` of one of the records.
    octets: Option<u64>,
    /// Whether something must be noted.
    is_wrong: bool,
}

impl Case {
    fn new(name: &str, datagrams: &[&str], data_records: u64, options_records: u64) -> Self {
        Self {
            name: name.to_owned(),
            datagrams: datagrams.iter().map(|hex| from_hex(hex)).collect(),
            data_records: Some((data_records, data_records)),
            options_records: Some(options_records),
            ..Self::default()
        }
    }

    fn with_octets(mut self, octets: u64) -> Self {
        self.octets = Some(octets);
        self
    }

    fn judge(&self) -> Result<(), String> {
        let folder = tempfile::tempdir().unwrap();
        let decoded = decode(&write_capture(&folder, &self.datagrams))?;
        let count = |key: &str| decoded.summary[key].as_u64().unwrap();
        let (data, options) = (count("data_records"), count("options_records"));
        if self.data_records.is_some_and(|(fewest, most)| data < fewest || data > most) {
            return Err(format!("{data} data records, expected {:?}", self.data_records));
        }
        if self.options_records.is_some_and(|expected| options != expected) {
            return Err(format!("{options} options records, expected {:?}", self.options_records));
        }
        if self.is_wrong && decoded.summary["issues"].as_object().unwrap().is_empty() {
            return Err("no issue".to_owned());
        }
        if self.octets.is_some_and(|octets| decoded.records().iter().all(|record| record["bytes"] != octets)) {
            return Err(format!("no record of {:?} bytes", self.octets));
        }
        Ok(())
    }
}

/// From one exporter to one collector, a second apart.
fn write_capture(folder: &TempDir, datagrams: &[Vec<u8>]) -> PathBuf {
    let path = folder.path().join("case.pcap");
    let mut writer = PcapWriter::new(File::create(&path).unwrap(), LinkLayer::RawIp).unwrap();
    let (source, destination) = (SocketAddr::from(([192, 0, 2, 1], 50_000)), SocketAddr::from(([192, 0, 2, 2], 2055)));
    for (second, payload) in (1_750_000_000..).zip(datagrams) {
        writer.write_datagram(second * 1_000_000_000, source, destination, payload).unwrap();
    }
    writer.finish().unwrap();
    path
}

fn from_hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

const V9_HEADER_WITHOUT_COUNT: &str = "0009 0000 0036ee80 684ee180 00000000 00000007";
/// Template 256: `sourceIPv4Address`, `destinationIPv4Address`, `octetDeltaCount` in four bytes each.
const V9_TEMPLATE: &str = "0000 0014 0100 0003 0008 0004 000c 0004 0001 0004";
const IPFIX_TEMPLATE: &str = "0002 0014 0100 0003 0008 0004 000c 0004 0001 0004";
/// Two records of Template 256.
const TWO_RECORDS: &str = "0100 001c c0000201 c6336401 00000064 c0000202 c6336401 0001e240";

fn own_cases() -> Vec<Case> {
    let v5_record = "c0000201 c6336401 00000000 0001 0002 0000000a 0001e240 0036daf8 0036ea98 04d2 01bb 00 18 06 00 \
                     0001 0002 18 18 0000";
    let v5 =
        |count: &str, records: &str| format!("0005 {count} 0036ee80 684ee180 00000000 00000000 00 00 0000 {records}");
    let v9 = |sets: &str| format!("{V9_HEADER_WITHOUT_COUNT} {sets}");
    let ipfix = |length: &str, sets: &str| format!("000a {length} 684ee180 00000000 00000007 {sets}");
    let options = "0003 0014 0101 0002 0001 0095 0004 00a0 0008 0000 0101 0010 00000007 000001977420dc00";
    vec![
        Case::new("v5 counts 65535 records, one is there", &[&v5("ffff", v5_record)], 1, 0).with_octets(123_456),
        Case::new("v5 cut within its record", &[&v5("0001", &v5_record[..60])], 0, 0),
        Case::new("v9 counts no records", &[&v9(&format!("{V9_TEMPLATE} {TWO_RECORDS}"))], 2, 0).with_octets(123_456),
        Case::new("v9 Set without end", &[&v9(&format!("{V9_TEMPLATE} 0100 0000"))], 0, 0),
        Case::new("v9 data before its Template", &[&v9(TWO_RECORDS), &v9(V9_TEMPLATE)], 2, 0),
        Case::new("IPFIX options data", &[&ipfix("0034", options)], 0, 1),
        Case::new(
            "IPFIX Set past its Message",
            &[&ipfix("0044", &format!("{IPFIX_TEMPLATE} {TWO_RECORDS} 0100 0190"))],
            2,
            0,
        ),
        Case::new("no bytes", &[""], 0, 0),
        Case::new("bytes of another protocol", &[&"ff".repeat(1472)], 0, 0),
    ]
}

/// 20 datagrams of 300 Templates of 16 fields for each of 16 Observation Domains.
fn template_flood() -> Vec<Vec<u8>> {
    let fields: Vec<u8> =
        (1..=16_u16).flat_map(|element| [element.to_be_bytes(), 4_u16.to_be_bytes()]).flatten().collect();
    let mut datagrams = Vec::new();
    for domain in 0..16_u32 {
        for first in (256..6256_u16).step_by(300) {
            let mut templates: Vec<u8> = Vec::new();
            for id in first..first + 300 {
                templates.extend([id.to_be_bytes(), 16_u16.to_be_bytes()].as_flattened());
                templates.extend(&fields);
            }
            let mut datagram = from_hex("0009 012c 0036ee80 684ee180 00000000");
            datagram.extend(domain.to_be_bytes());
            datagram.extend([0, u16::try_from(templates.len() + 4).unwrap()].map(u16::to_be_bytes).as_flattened());
            datagram.extend(templates);
            datagrams.push(datagram);
        }
    }
    datagrams
}

fn json_list(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn conformance_cases(path: &Path) -> Vec<Case> {
    let case = |case: Value| {
        let hex: Vec<_> = case["datagrams"].as_array().unwrap().iter().map(|hex| hex.as_str().unwrap()).collect();
        let count = |key: &str| case[key].as_u64().unwrap();
        let name = format!("{} ({})", case["name"], case["rule"]);
        let octets = case["check"].as_str().and_then(|check| check.strip_prefix("octets="));
        let octets = octets.map(|octets| octets.parse().unwrap());
        Case { octets, ..Case::new(&name, &hex, count("data_records"), count("options_records")) }
    };
    json_list(path).into_iter().map(case).collect()
}

fn malformed_cases(folder: &Path) -> Vec<Case> {
    let case = |case: Value| Case {
        name: format!("malformed/{}", case["name"]),
        datagrams: case["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| fs::read(folder.join(file.as_str().unwrap())).unwrap())
            .collect(),
        // None are given for other protocols, which must only not break anything.
        data_records: case["reference_data_records"].as_u64().zip(case["max_data_records"].as_u64()),
        options_records: case["reference_options_records"].as_u64(),
        is_wrong: !case["reference_errors"].as_array().unwrap().is_empty(),
        ..Case::default()
    };
    json_list(&folder.join("expected.json")).into_iter().map(case).collect()
}
