//! `cargo xtask differential [STREAM...]`: the same bytes through our decoder, tshark and nfcapd.
//!
//! Streams are the corpus, generated traffic, and the captures in the folder that `NETFLOW_CAPTURES` names. A program
//! that is not installed is left out, with a note. Every difference must be allowed by
//! crates/testkit/src/differential/allowed.tsv, and every line of that must be needed.

use std::collections::BTreeMap;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use flow_traffic::{Generator, TrafficConfig, Version};
use testkit::corpus::{self, CorpusDatagram};
use testkit::differential::{self, Allowed, Difference, Reading, Stream, nfdump, tshark};

/// Datagrams of each generated stream: Templates are announced again in it.
const GENERATED_DATAGRAMS: usize = 50;

/// Compares all streams, or those named.
///
/// # Errors
///
/// When there is a difference that the table does not allow, or a line of the table that nothing needs.
pub(crate) fn run(names: &[String]) -> anyhow::Result<String> {
    let folder = crate::workspace_root().join("target/differential");
    std::fs::create_dir_all(&folder)?;
    let tools: Vec<&str> = ["tshark", "nfdump"].into_iter().filter(|tool| is_installed(tool)).collect();
    let allowed = Allowed::new()?;
    let more = std::env::var_os("NETFLOW_CAPTURES").map(PathBuf::from);
    let mut streams = own_streams()?;
    if let Some(folder) = &more {
        ensure!(folder.is_dir(), "NETFLOW_CAPTURES is {}, which is no folder", folder.display());
        streams.extend(corpus::captures_in(folder).iter().map(|path| stream_of(path)));
    }
    let (mut records, mut not_allowed) = (0, 0);
    for stream in streams.iter().filter(|stream| names.is_empty() || names.contains(&stream.name)) {
        let reading = Reading::of(stream);
        let look = || differences(stream, &reading, &tools, &folder).with_context(|| stream.name.clone());
        let mut found = look()?;
        if found.iter().any(|difference| difference.tool == "nfdump" && !allowed.allows(difference)) {
            // nfcapd reads from a socket, and what the system drops there is no difference: that comes again.
            println!("{}: nfcapd differs, once more", stream.name);
            found = look()?;
        }
        let found: Vec<_> = found.iter().filter(|difference| !allowed.allows(difference)).collect();
        report(&stream.name, &found);
        records += reading.flows.len();
        not_allowed += found.len();
    }
    ensure!(not_allowed == 0, "{not_allowed} differences that no line of allowed.tsv explains");
    let unused = if names.is_empty() { allowed.unused(&tools, more.is_some()) } else { Vec::new() };
    ensure!(unused.is_empty(), "no difference needs these lines of allowed.tsv: {unused:?}");
    let uses: usize = allowed.uses().map(|(_, uses)| uses).sum();
    let missing: Vec<_> = ["tshark", "nfdump"].into_iter().filter(|tool| !tools.contains(tool)).collect();
    let missing = if missing.is_empty() { String::new() } else { format!("; NOT installed: {}", missing.join(", ")) };
    Ok(format!("{} streams, {records} records, {uses} differences allowed{missing}", streams.len()))
}

/// An example for each tool and field.
fn report(stream: &str, differences: &[&Difference]) {
    let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
    differences.iter().for_each(|found| kinds.entry((found.tool, found.field)).or_default().push(found));
    for ((tool, field), found) in kinds {
        let marks: Vec<_> = found[0].marks.iter().map(String::as_str).collect();
        println!("{stream}, {tool}: {} times {field}: {} [{}]", found.len(), found[0].what, marks.join(" "));
    }
}

fn is_installed(program: &str) -> bool {
    let mut command = Command::new(if program == "nfdump" { "nfcapd" } else { program });
    command.arg("-V").arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn stream_of(path: &Path) -> Stream {
    let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Stream { name, datagrams: corpus::datagrams(path) }
}

/// The corpus, and generated traffic of every version.
fn own_streams() -> anyhow::Result<Vec<Stream>> {
    let mut streams: Vec<_> = corpus::captures().iter().map(|path| stream_of(path)).collect();
    for version in [Version::V1, Version::V5, Version::V7, Version::V9, Version::Ipfix] {
        let mut config = TrafficConfig::new(version);
        config.seed = 2055;
        config.exporters = NonZeroU16::MIN.saturating_add(2);
        let mut generator = Generator::new(config)?;
        let datagrams = (0..GENERATED_DATAGRAMS).map(|_| {
            let generated = generator.next_datagram();
            let [high, low] = generated.exporter.to_be_bytes();
            CorpusDatagram {
                source: ([192, 0, high, low + 1], 50_000).into(),
                destination: ([198, 51, 100, 1], 2055).into(),
                captured_at: generated.export_time.as_unix_nanos(),
                payload: generated.bytes.to_vec(),
            }
        });
        streams.push(Stream { name: format!("generated-v{}", version.number()), datagrams: datagrams.collect() });
    }
    Ok(streams)
}

/// Both programs at once: nfcapd mostly waits.
fn differences(stream: &Stream, ours: &Reading, tools: &[&str], folder: &Path) -> anyhow::Result<Vec<Difference>> {
    let with_tshark = || {
        let path = folder.join("stream.pcap");
        differential::write_capture(stream, &path);
        anyhow::Ok(differential::against_tshark(ours, &tshark::read_what_it_can(&path)?))
    };
    let with_nfdump = || {
        let theirs = nfdump::read(stream, &folder.join("nfcapd"))?;
        anyhow::Ok(differential::against_nfdump(ours, &theirs))
    };
    std::thread::scope(|scope| {
        let nfdump = tools.contains(&"nfdump").then(|| scope.spawn(with_nfdump));
        let mut differences = if tools.contains(&"tshark") { with_tshark()? } else { Vec::new() };
        if let Some(nfdump) = nfdump {
            differences.extend(nfdump.join().map_err(|_| anyhow::anyhow!("reading nfdump failed"))??);
        }
        Ok(differences)
    })
}
