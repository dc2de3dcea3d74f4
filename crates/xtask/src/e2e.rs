//! `cargo xtask e2e`: the command against real exporters, tshark and a real OpenTelemetry Collector.
//!
//! Needs softflowd, fprobe, pmacct, tshark, systemd, Go, clang, libbpf's headers, bpftool and xdp-tools; a missing one is an
//! error. Everything happens on loopback, but for `half-open`, `systemd` and `xdp-*`, which make namespaces, and
//! `spool-full-disk`, which mounts a small file system: all of these need root. All files are in `target/e2e`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use command::Collector;
pub(crate) use command::build;
#[cfg(test)]
pub(crate) use otelcol::VERSION as COLLECTOR_VERSION;

mod command;
mod compare;
mod connections;
pub(crate) mod corpus;
mod delivery;
mod exporter;
mod exporters;
mod half_open;
mod http;
mod network;
mod otelcol;
mod pcap;
mod process;
mod receiver;
mod scrape;
pub(crate) mod soak;
mod spool;
mod systemd;
mod tap;
pub(crate) mod throughput;
mod topology;
mod traffic;
mod xdp;

/// `netflow.export`, `netflow.parse_packet` and `netflow.process_flows`.
const SPANS_BESIDE_FLOWS: u64 = 3;

/// The seed of the traffic that the exporters meter.
const TRAFFIC_SEED: u64 = 2055;

/// Where everything is.
struct Bench {
    folder: PathBuf,
    netflow2traces: PathBuf,
    otelcol: PathBuf,
}

impl Bench {
    /// A collector of ours with `environment`; its log is `NAME.log`.
    fn collector(&self, name: &str, environment: &[(&str, &str)]) -> anyhow::Result<Collector> {
        let log = self.folder.join(format!("netflow2traces-{name}.log"));
        Collector::start(&self.netflow2traces, &log, None, environment)
    }

    /// The same with IPFIX over TCP at `tcp`.
    fn collector_at(&self, name: &str, tcp: SocketAddr, environment: &[(&str, &str)]) -> anyhow::Result<Collector> {
        let log = self.folder.join(format!("netflow2traces-{name}.log"));
        Collector::start(&self.netflow2traces, &log, Some(tcp), environment)
    }

    /// Generated v9 flows, the same every time.
    fn send(&self, to: SocketAddr, datagrams: u64, flows_per_datagram: u64, rate: u64) -> anyhow::Result<()> {
        let (host, port) = (to.ip().to_string(), to.port().to_string());
        let (datagrams, flows) = (datagrams.to_string(), flows_per_datagram.to_string());
        let rate = rate.to_string();
        let arguments = [
            ["--host", &host],
            ["--port", &port],
            ["--version", "9"],
            ["--count", &datagrams],
            ["--flows-per-datagram", &flows],
            ["--rate", &rate],
            ["--seed", "1"],
        ];
        let arguments: Vec<&str> = ["send"].into_iter().chain(arguments.into_iter().flatten()).collect();
        let log = self.folder.join("netflow2traces-send.log");
        command::run(&self.netflow2traces, &arguments, &log, Duration::from_secs(120))
    }
}

/// A test: its name, and what it found worth telling.
type Case = (&'static str, fn(&Bench) -> anyhow::Result<Vec<String>>);

const CASES: [Case; 17] = [
    ("exporters", exporters::run),
    ("million-flows", delivery::million_flows),
    ("collector-killed", delivery::collector_killed),
    ("topology", topology::run),
    ("connections", connections::run),
    ("half-open", half_open::run),
    ("spool-killed", spool::killed_in_an_outage),
    ("spool-full-disk", spool::full_disk),
    ("systemd", systemd::run),
    ("xdp-units", systemd::xdp::run),
    ("xdp-maps", xdp::maps::run),
    ("xdp-program", xdp::program::run),
    ("xdp-flows", xdp::flows::run),
    ("xdp-rights", xdp::rights::run),
    ("xdp-replaced", xdp::replaced::run),
    ("xdp-bursts", xdp::bursts::run),
    ("xdp-prometheus", xdp::prometheus::run),
];

/// Runs all cases, or those named in `names`.
///
/// # Errors
///
/// When a program is missing or a case fails; the others run all the same.
pub(crate) fn run(names: &[String]) -> anyhow::Result<()> {
    if let Some(unknown) = names.iter().find(|name| CASES.iter().all(|(known, _)| known != name)) {
        bail!("no case {unknown}; there are {}", CASES.map(|(name, _)| name).join(", "));
    }
    let folder = crate::workspace_root().join("target/e2e");
    std::fs::create_dir_all(&folder).context("create target/e2e")?;
    let bench = Bench { otelcol: otelcol::build(&folder)?, netflow2traces: command::build()?, folder };
    // Networks and pins, which root alone makes, have the same names in every run on this machine.
    let lock = rustix::process::geteuid().is_root().then(|| std::fs::File::create("/run/n2t-e2e.lock"));
    let lock = lock.transpose().context("create /run/n2t-e2e.lock")?;
    if let Some(lock) = &lock {
        lock.lock().context("wait for another run of e2e")?;
    }
    let mut failed = Vec::new();
    for (name, case) in CASES.iter().filter(|(name, _)| names.is_empty() || names.iter().any(|asked| asked == name)) {
        let started = Instant::now();
        let outcome = case(&bench);
        println!("{name}, {:.1} s", started.elapsed().as_secs_f64());
        match outcome {
            Ok(rows) => rows.iter().for_each(|row| println!("  {row}")),
            Err(error) => {
                println!("  FAILED: {error:#}");
                failed.push(*name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("end to end: {} failed", failed.join(", "));
    }
    Ok(())
}
