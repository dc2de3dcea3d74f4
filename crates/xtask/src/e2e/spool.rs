//! The spool of the command as it is shipped: killed in an outage, and on a disk that is too small.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::command::Collector;
use super::delivery::span_ids;
use super::otelcol::{Forward, Otelcol, free_tcp_port};
use super::process::{as_root, wait_until};
use super::receiver::Receiver;
use super::scrape::Scrape;
use super::{Bench, SPANS_BESIDE_FLOWS};

const FLOWS_PER_DATAGRAM: u64 = 25;

/// The collector is killed (SIGKILL) while the Collector is away; the next one delivers what the first had received.
///
/// # Errors
///
/// When a span is missing or comes twice.
pub(super) fn killed_in_an_outage(bench: &Bench) -> anyhow::Result<Vec<String>> {
    const DATAGRAMS: u64 = 2_000;
    let receiver = Receiver::start()?;
    let forward = Forward::To { grpc: receiver.address(), http: receiver.address() };
    let mut otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-spool", forward)?;
    otelcol.kill()?;
    let endpoint = format!("http://{}", otelcol.grpc);
    let directory = empty_folder(&bench.folder.join("spool"))?;
    let lines = bench.folder.join("spool.jsonl");
    let _ = std::fs::remove_file(&lines);
    let output = format!("otlp,file:{}", lines.display());
    let metrics = free_tcp_port()?;
    let port = metrics.port().to_string();
    let mut environment = vec![
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1"),
        ("OTEL_EXPORTER_PROMETHEUS_PORT", port.as_str()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("NETFLOW_SPOOL_DIR", directory.to_str().context("UTF-8")?),
        ("NETFLOW_SPOOL_SYNC", "batch"),
        ("NETFLOW_OUTPUT", output.as_str()),
    ];
    let mut collector = bench.collector("spool-first", &environment)?;
    bench.send(collector.address, DATAGRAMS, FLOWS_PER_DATAGRAM, 1_000)?;
    let want = DATAGRAMS * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
    let ids = wait_until("every span is handed over", Duration::from_secs(60), || {
        let ids = span_ids(&whole_lines(&lines)?)?;
        Ok((ids.len() as u64 == want).then_some(ids))
    })?;
    wait_until("every span is in the spool", Duration::from_secs(60), || {
        let written = Scrape::of(metrics)?.sum("netflow_collector_spool_written_total");
        Ok((written >= want).then_some(()))
    })?;
    collector.kill()?;
    let bytes = folder_bytes(&directory)?;

    environment.pop();
    let mut collector = bench.collector("spool-second", &environment)?;
    otelcol.restart()?;
    wait_until("every span arrives", Duration::from_secs(60), || {
        Ok((receiver.span_count() as u64 >= want).then_some(()))
    })
    .with_context(|| format!("{} of {want} arrived", receiver.span_count()))?;
    collector.stop(Duration::from_secs(60))?;
    let again = each_once(&receiver, &ids)?;
    ensure!(folder_bytes(&directory)? == 0, "the spool is not empty");
    Ok(vec![format!(
        "{want} spans in an outage, then SIGKILL: all arrived from {bytes} bytes on disk ({:.0} a span), {again} twice",
        bytes as f64 / want as f64
    )])
}

/// A file system of 1 MiB that is full after a quarter of an outage's spans: memory takes the rest.
///
/// # Errors
///
/// When a span is missing, or nothing was said of the disk.
pub(super) fn full_disk(bench: &Bench) -> anyhow::Result<Vec<String>> {
    const DATAGRAMS: u64 = 2_000;
    let receiver = Receiver::start()?;
    let forward = Forward::To { grpc: receiver.address(), http: receiver.address() };
    let mut otelcol = Otelcol::start(&bench.otelcol, &bench.folder, "otelcol-full", forward)?;
    otelcol.kill()?;
    let endpoint = format!("http://{}", otelcol.grpc);
    let mount = Mount::new(&bench.folder.join("full-disk"), "1m")?;
    let directory = mount.0.join("spool");
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("NETFLOW_SPOOL_DIR", directory.to_str().context("UTF-8")?),
        // The disk holds a fifth of the spans; the others take 20 MB, and batches that are being tried are in both.
        ("NETFLOW_QUEUE_MEMORY", "64MiB"),
    ];
    let mut collector: Collector = bench.collector("full-disk", &environment)?;
    bench.send(collector.address, DATAGRAMS, FLOWS_PER_DATAGRAM, 1_000)?;
    wait_until("the disk is told of", Duration::from_secs(60), || {
        let log = collector.log_text();
        Ok((log.contains("cannot write to the spool") && log.contains("No space left")).then_some(()))
    })?;
    let on_disk = folder_bytes(&directory)?;
    let log = collector.log_text();
    otelcol.restart()?;
    let want = DATAGRAMS * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
    wait_until("every span arrives", Duration::from_secs(60), || {
        Ok((receiver.span_count() as u64 >= want).then_some(()))
    })
    .with_context(|| format!("{} of {want} arrived", receiver.span_count()))?;
    collector.stop(Duration::from_secs(60))?;
    let ids: HashSet<Vec<u8>> = receiver.spans().into_iter().map(|span| span.span_id).collect();
    ensure!(ids.len() as u64 == want, "{} of {want} spans arrived", ids.len());
    let again = each_once(&receiver, &ids)?;
    ensure!(folder_bytes(&directory)? == 0, "the spool is not empty");
    let lines = log.lines().filter(|line| line.contains("cannot write to the spool")).count();
    Ok(vec![format!(
        "{want} spans, {on_disk} bytes on a disk of 1 MiB, said {lines} times: all arrived, {again} twice"
    )])
}

/// How many spans came more than once, if all of `ids` came and no others.
fn each_once(receiver: &Receiver, ids: &HashSet<Vec<u8>>) -> anyhow::Result<usize> {
    let mut arrived: HashMap<Vec<u8>, u64> = HashMap::new();
    for span in receiver.spans() {
        *arrived.entry(span.span_id).or_default() += 1;
    }
    let missing = ids.iter().filter(|id| !arrived.contains_key(*id)).count();
    ensure!(missing == 0, "{missing} of {} spans are lost", ids.len());
    ensure!(arrived.len() == ids.len(), "{} spans arrived that never left", arrived.len() - ids.len());
    let again = arrived.values().filter(|times| **times > 1).count();
    // Nothing was killed while it delivered.
    ensure!(again == 0, "{again} spans came twice");
    Ok(again)
}

fn empty_folder(path: &Path) -> anyhow::Result<PathBuf> {
    if path.exists() {
        std::fs::remove_dir_all(path)?;
    }
    std::fs::create_dir_all(path)?;
    Ok(path.to_owned())
}

/// The lines of a file that is being written.
fn whole_lines(path: &Path) -> anyhow::Result<String> {
    let mut text = std::fs::read_to_string(path)?;
    text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
    Ok(text)
}

fn folder_bytes(path: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

/// A file system in memory, until it is dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(path: &Path, size: &str) -> anyhow::Result<Self> {
        // What an earlier run may have left.
        let _ = as_root("umount").arg(path).output();
        let path = empty_folder(path)?;
        let options = format!("size={size},mode=0777");
        let mount = as_root("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output()?;
        let message = String::from_utf8_lossy(&mount.stderr).into_owned();
        ensure!(mount.status.success(), "cannot mount a small disk, which root can: {message}");
        Ok(Self(path))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = as_root("umount").arg(&self.0).output();
    }
}
