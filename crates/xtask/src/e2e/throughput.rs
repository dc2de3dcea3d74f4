//! `cargo xtask throughput`: what a flow costs, beside other collectors; and what becomes of more than can be taken.
//!
//! Everything runs on this machine at once, sender and backend too, so that processor time per flow says more than flows per
//! second. Flows are v9 of 20 fields, 21 in a datagram. Half of what a span costs is its bytes: how many it has is in the
//! table, and once it has no more attributes than the first collector of this kind wrote.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};

use super::process::{Child, wait_until};
use super::receiver::Receiver;
use super::{SPANS_BESIDE_FLOWS, command, otelcol};

mod overload;

const USAGE: &str = "usage: cargo xtask throughput [FLOWS_PER_SECOND | overload]";
const FLOWS_PER_SECOND: u64 = 1_000_000;
const FLOWS_PER_DATAGRAM: u64 = 21;
/// How long flows are sent.
const SECONDS: u64 = 3;
/// A program that loses flows is tried again with half as many, so often.
const HALVINGS: u32 = 6;
const START_PATIENCE: Duration = Duration::from_secs(20);
/// The attributes that every collector of spans from flows has.
const BASIC_ATTRIBUTES: &str = "netflow.version,source.address,source.port,destination.address,destination.port,\
    network.transport,network.protocol.number,netflow.flow.bytes,netflow.flow.packets,netflow.nexthop,\
    netflow.interface.input,netflow.interface.output,netflow.src_as,netflow.dst_as";
/// For queues to empty.
const SETTLE_PATIENCE: Duration = Duration::from_secs(60);

/// Runs it and prints a table.
///
/// # Errors
///
/// When a program that is there does not run, or ours loses what it does not count.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let rate = match arguments {
        [] => Some(FLOWS_PER_SECOND),
        [overload] if overload == "overload" => None,
        [rate] => Some(rate.parse().ok().filter(|rate| *rate > 0).context(USAGE)?),
        _ => bail!(USAGE),
    };
    if cfg!(debug_assertions) {
        // The backend is part of this program.
        return super::soak::run_optimized("throughput", arguments);
    }
    let folder = crate::workspace_root().join("target/e2e/throughput");
    fs::create_dir_all(&folder).context("create target/e2e/throughput")?;
    let bench = Bench { netflow2traces: command::build()?, folder };
    if let Some(rate) = rate {
        bench.table(rate)?;
    }
    overload::run(&bench)
}

struct Bench {
    folder: PathBuf,
    netflow2traces: PathBuf,
}

/// A collector to measure.
struct Subject {
    name: &'static str,
    exports: &'static str,
    kind: Kind,
    /// Routers that send, each with an Observation Domain and an address of its own.
    exporters: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Ours { workers: u32, attributes: &'static str },
    Nfcapd,
    Goflow2,
    Otelcol,
}

const SUBJECTS: [Subject; 6] = [
    Subject {
        name: "netflow2traces, 1 worker",
        exports: "OTLP spans, grpc",
        kind: Kind::Ours { workers: 1, attributes: "" },
        exporters: 1,
    },
    Subject {
        name: "netflow2traces, 2 workers",
        exports: "OTLP spans, grpc",
        kind: Kind::Ours { workers: 2, attributes: "" },
        exporters: 8,
    },
    Subject {
        name: "netflow2traces, 1 worker",
        exports: "OTLP spans of 14 attributes, grpc",
        kind: Kind::Ours { workers: 1, attributes: BASIC_ATTRIBUTES },
        exporters: 1,
    },
    Subject { name: "nfcapd", exports: "files", kind: Kind::Nfcapd, exporters: 1 },
    Subject { name: "goflow2", exports: "protobuf, to /dev/null", kind: Kind::Goflow2, exporters: 1 },
    Subject { name: "OpenTelemetry Collector", exports: "OTLP logs, grpc", kind: Kind::Otelcol, exporters: 1 },
];

impl Subject {
    /// Where its program is.
    fn program(&self, bench: &Bench) -> anyhow::Result<PathBuf> {
        let of_path = |name: &str| -> anyhow::Result<PathBuf> {
            let found =
                Command::new(name).arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            found.map(|_| name.into()).with_context(|| format!("{name} is not installed"))
        };
        match self.kind {
            Kind::Ours { .. } => Ok(bench.netflow2traces.clone()),
            Kind::Nfcapd => of_path("nfcapd"),
            Kind::Goflow2 => of_path("goflow2").or_else(|_| install_goflow2(&bench.folder)),
            Kind::Otelcol => of_path("otelcol-contrib"),
        }
    }

    /// Whether what it exports comes to our backend.
    const fn exports_otlp(&self) -> bool {
        matches!(self.kind, Kind::Ours { .. } | Kind::Otelcol)
    }

    fn command(&self, program: &Path, folder: &Path, at: SocketAddr, backend: SocketAddr) -> anyhow::Result<Command> {
        let mut command = Command::new(program);
        match self.kind {
            Kind::Ours { workers, attributes } => {
                command
                    .env("NETFLOW_ATTRIBUTES_ALLOW", attributes)
                    .env("NETFLOW_LISTEN", format!("udp://{at}"))
                    .env("NETFLOW_WORKERS", workers.to_string())
                    .env("OTEL_METRICS_EXPORTER", "none")
                    .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{backend}"));
            }
            Kind::Nfcapd => {
                let files = folder.join("nfcapd");
                fs::create_dir_all(&files)?;
                command
                    .args(["-b", &at.ip().to_string(), "-p", &at.port().to_string(), "-B", "8388608", "-w"])
                    .arg(files);
            }
            Kind::Goflow2 => {
                command
                    .args(["-listen", &format!("netflow://{at}"), "-format", "bin", "-addr", ""])
                    .stdout(Stdio::null());
            }
            Kind::Otelcol => {
                let config = folder.join("otelcol-netflow.yaml");
                let port = at.port();
                let text = format!(
                    "\
receivers:
  netflow: {{ scheme: netflow, hostname: 127.0.0.1, port: {port} }}
exporters:
  otlp_grpc: {{ endpoint: {backend}, tls: {{ insecure: true }} }}
service:
  telemetry:
    metrics: {{ level: none }}
  pipelines:
    logs: {{ receivers: [netflow], exporters: [otlp_grpc] }}
"
                );
                fs::write(&config, text)?;
                command.arg("--config").arg(config);
            }
        }
        Ok(command)
    }
}

/// Builds goflow2 by its Go module.
fn install_goflow2(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = folder.join("goflow2");
    if !program.exists() {
        let mut install = Command::new("go");
        install.args(["install", "github.com/netsampler/goflow2/v2/cmd/goflow2@latest"]);
        install.env("GOBIN", folder).env("GOTOOLCHAIN", "local");
        let status = Child::spawn(install, &folder.join("goflow2-build.log"))?.wait(Duration::from_secs(600))?;
        ensure!(status.success(), "goflow2 does not build");
    }
    Ok(program)
}

/// What was measured.
struct Row {
    offered: f64,
    lost: f64,
    cpu_per_flow: Duration,
    /// Of requests, where the backend is ours.
    bytes_per_flow: Option<u64>,
    resident: u64,
}

impl Bench {
    /// Measures every program that is there and prints a table.
    fn table(&self, rate: u64) -> anyhow::Result<()> {
        println!("| program | exports | flows/s offered | lost | CPU a flow | bytes a flow | most memory |");
        println!("|---|---|---|---|---|---|---|");
        for subject in SUBJECTS {
            match subject.program(self) {
                Err(absent) => println!("| {} | absent: {absent:#} | | | | | |", subject.name),
                Ok(program) => self.rows(&subject, &program, rate)?,
            }
        }
        Ok(())
    }

    /// Measures a program at a rate, and at lower ones until it loses nothing.
    fn rows(&self, subject: &Subject, program: &Path, mut rate: u64) -> anyhow::Result<()> {
        for _ in 0..=HALVINGS {
            let row = self.measure(subject, program, rate).with_context(|| subject.name)?;
            println!(
                "| {} | {} | {:.0} | {:.2} % | {} ns | {} | {} MiB |",
                subject.name,
                subject.exports,
                row.offered,
                row.lost * 100.0,
                row.cpu_per_flow.as_nanos(),
                row.bytes_per_flow.map_or_else(String::new, |bytes| bytes.to_string()),
                row.resident >> 20,
            );
            if row.lost == 0.0 {
                break;
            }
            rate /= 2;
        }
        Ok(())
    }

    fn measure(&self, subject: &Subject, program: &Path, rate: u64) -> anyhow::Result<Row> {
        let backend = Receiver::start()?;
        backend.count_only();
        let at = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let command = subject.command(program, &self.folder, at, backend.address())?;
        let mut child = Child::spawn(command, &self.folder.join("subject.log"))?;
        wait_until("it listens", START_PATIENCE, || {
            child.ensure_running()?;
            Ok(UdpSocket::bind(at).is_err().then_some(()))
        })?;
        let before = child.processor_time()?;
        let datagrams = rate * SECONDS / FLOWS_PER_DATAGRAM;
        let took = self.send(at, datagrams, rate / FLOWS_PER_DATAGRAM, subject.exporters)?;
        let after = settled(&mut child)?;
        let resident = child.peak_resident_bytes()?;
        let dropped = kernel_drops(at.port())?;
        let (flows, taken) = (datagrams * FLOWS_PER_DATAGRAM, (datagrams - dropped) * FLOWS_PER_DATAGRAM);
        let arrived = match subject.kind {
            _ if !subject.exports_otlp() => taken,
            Kind::Ours { .. } => {
                child.terminate()?;
                child.wait(SETTLE_PATIENCE)?;
                (backend.span_count() as u64).saturating_sub((datagrams - dropped) * SPANS_BESIDE_FLOWS)
            }
            _ => backend.span_count() as u64,
        };
        Ok(Row {
            offered: flows as f64 / took.as_secs_f64(),
            lost: 1.0 - arrived.min(flows) as f64 / flows as f64,
            cpu_per_flow: after.saturating_sub(before) / u32::try_from(taken.max(1))?,
            bytes_per_flow: subject.exports_otlp().then(|| backend.message_bytes() as u64 / arrived.max(1)),
            resident,
        })
    }

    /// Sends flows by `send`; returns how long that took.
    fn send(&self, to: SocketAddr, datagrams: u64, rate: u64, exporters: u64) -> anyhow::Result<Duration> {
        let (host, port) = (to.ip().to_string(), to.port().to_string());
        let (datagrams, rate, exporters) = (datagrams.to_string(), rate.to_string(), exporters.to_string());
        let arguments = [
            ["--host", &host],
            ["--port", &port],
            ["--version", "9"],
            ["--count", &datagrams],
            ["--flows-per-datagram", "21"],
            ["--rate", &rate],
            ["--exporters", &exporters],
        ];
        let arguments: Vec<&str> =
            ["send", "--no-options-data"].into_iter().chain(arguments.into_iter().flatten()).collect();
        let started = Instant::now();
        command::run(&self.netflow2traces, &arguments, &self.folder.join("send.log"), Duration::from_secs(120))?;
        Ok(started.elapsed())
    }
}

/// Waits until a program has nothing to do; returns the processor time that it took.
fn settled(child: &mut Child) -> anyhow::Result<Duration> {
    const IDLE: Duration = Duration::from_millis(20);
    let deadline = Instant::now() + SETTLE_PATIENCE;
    let mut last = child.processor_time()?;
    loop {
        std::thread::sleep(Duration::from_millis(500));
        child.ensure_running()?;
        let now = child.processor_time()?;
        if now - last < IDLE || Instant::now() > deadline {
            return Ok(now);
        }
        last = now;
    }
}

/// What the kernel dropped at the sockets of a port of IPv4 or IPv6, whoever has them.
fn kernel_drops(port: u16) -> anyhow::Result<u64> {
    let mut drops = 0;
    for table in ["/proc/net/udp", "/proc/net/udp6"] {
        for line in fs::read_to_string(table)?.lines().skip(1) {
            let mut fields = line.split_whitespace();
            let local = fields.nth(1).and_then(|address| address.rsplit(':').next());
            if local.and_then(|local| u16::from_str_radix(local, 16).ok()) == Some(port) {
                drops += fields.next_back().context("no drops")?.parse::<u64>()?;
            }
        }
    }
    Ok(drops)
}
