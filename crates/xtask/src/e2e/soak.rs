//! `cargo xtask soak [--short]`: flows through the whole collector for long, to a backend that is away now and then.
//!
//! Every span has to arrive exactly once, nothing may be dropped, and memory has to stay bounded. `--load` has more flows
//! than the queue can hold while the backend is away, and everything that takes flows away. `--matrix` and `--churn` have
//! spans go straight into a sink.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use testkit::otlp_server::Respond;

use super::SPANS_BESIDE_FLOWS;
use super::command::{self, Collector};
use super::receiver::Receiver;

mod churn;
mod load;
mod matrix;

const USAGE: &str = "usage: cargo xtask soak [--short | MINUTES | --load [MINUTES] | --matrix | --churn [MINUTES]]";
/// How long without an argument.
const MINUTES: u32 = 30;
const FLOWS_PER_DATAGRAM: u64 = 10;
/// Most memory that the collector may ever have resident: its queue holds 32 MiB, its state next to nothing here.
const MAX_RESIDENT_MIB: u64 = 128;
/// How often the backend is emptied and the collector looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long the collector may take to deliver what it still holds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the backend does for a while, and what comes in meanwhile.
#[derive(Clone, Copy)]
struct Phase {
    backend: Backend,
    flows_per_second: u64,
    seconds: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Backend {
    Takes,
    /// Connections are refused.
    Away,
    /// Requests are answered with `UNAVAILABLE`.
    Unavailable,
}

const fn phase(backend: Backend, flows_per_second: u64, seconds: u64) -> Phase {
    Phase { backend, flows_per_second, seconds }
}

const SHORT: [Phase; 4] = [
    phase(Backend::Takes, 1_000, 3),
    phase(Backend::Away, 1_000, 10),
    phase(Backend::Takes, 1_000, 6),
    phase(Backend::Takes, 25_000, 1),
];

/// A minute; what comes in while nobody takes it fits the queue.
const LONG: [Phase; 6] = [
    phase(Backend::Takes, 2_000, 36),
    phase(Backend::Away, 2_000, 10),
    phase(Backend::Takes, 2_000, 5),
    phase(Backend::Unavailable, 2_000, 5),
    phase(Backend::Takes, 2_000, 3),
    phase(Backend::Takes, 25_000, 1),
];

/// Runs it.
///
/// # Errors
///
/// When a span is lost or comes twice, or memory grows beyond its bound.
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<()> {
    let (phases, rounds) = match arguments {
        [] => (&LONG[..], MINUTES),
        [short] if short == "--short" => (&SHORT[..], 1),
        [form, ..] if cfg!(debug_assertions) && form.starts_with("--") => return run_optimized("soak", arguments),
        [load] if load == "--load" => return load::run(load::MINUTES),
        [load, minutes] if load == "--load" => return load::run(parse_minutes(minutes)?),
        [matrix] if matrix == "--matrix" => return matrix::run(),
        [churn] if churn == "--churn" => return churn::run(churn::MINUTES),
        [churn, minutes] if churn == "--churn" => return churn::run(parse_minutes(minutes)?),
        [minutes] => (&LONG[..], parse_minutes(minutes)?),
        _ => bail!(USAGE),
    };
    let folder = crate::workspace_root().join("target/e2e");
    std::fs::create_dir_all(&folder).context("create target/e2e")?;
    let program = command::build()?;
    let started = Instant::now();
    let mut soak = Soak::start(program, &folder)?;
    for round in 1..=rounds {
        for phase in phases {
            soak.run(*phase)?;
        }
        // Not after the last: SIGTERM has to find something to deliver.
        if round < rounds {
            soak.settle()?;
        }
        let (arrived, expected, resident) = (soak.arrived.len(), soak.spans_expected(), soak.resident_mib);
        println!("round {round} of {rounds}: {arrived} of {expected} spans have arrived, {resident} MiB resident");
    }
    soak.finish()?;
    println!("soak, {:.1} s", started.elapsed().as_secs_f64());
    Ok(())
}

fn parse_minutes(text: &str) -> anyhow::Result<u32> {
    text.parse().ok().filter(|minutes| *minutes > 0).context(USAGE)
}

/// The same in a release build, for tasks whose sink or backend is part of this program.
pub(super) fn run_optimized(task: &str, arguments: &[String]) -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--release", "--quiet", "--package", "xtask", "--", task]).args(arguments);
    let status = command.current_dir(crate::workspace_root()).status()?;
    ensure!(status.success(), "{task} {} failed", arguments.join(" "));
    Ok(())
}

struct Soak {
    program: PathBuf,
    folder: PathBuf,
    backend: Receiver,
    is_away: bool,
    collector: Collector,
    datagrams: u64,
    arrived: HashSet<Vec<u8>>,
    arrived_again: u64,
    resident_mib: u64,
}

impl Soak {
    fn start(program: PathBuf, folder: &Path) -> anyhow::Result<Self> {
        let backend = Receiver::start()?;
        let endpoint = format!("http://{}", backend.address());
        let log = folder.join("netflow2traces-soak.log");
        let collector = Collector::start(&program, &log, None, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)])?;
        Ok(Self {
            program,
            folder: folder.to_path_buf(),
            backend,
            is_away: false,
            collector,
            datagrams: 0,
            arrived: HashSet::new(),
            arrived_again: 0,
            resident_mib: 0,
        })
    }

    fn spans_expected(&self) -> u64 {
        self.datagrams * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS)
    }

    fn run(&mut self, phase: Phase) -> anyhow::Result<()> {
        if self.is_away && phase.backend != Backend::Away {
            self.backend.restart()?;
        } else if phase.backend == Backend::Away {
            self.backend.stop();
        }
        self.is_away = phase.backend == Backend::Away;
        self.look()?;
        let before = self.arrived.len();
        let takes = phase.backend != Backend::Unavailable;
        self.backend.respond_with(if takes { Respond::Accept } else { Respond::Unavailable(None) });
        let rate = phase.flows_per_second / FLOWS_PER_DATAGRAM;
        let datagrams = rate * phase.seconds;
        let (program, address) = (self.program.clone(), self.collector.address);
        let log = self.folder.join("netflow2traces-soak-send.log");
        let seed = self.datagrams;
        let sender = std::thread::spawn(move || send(&program, address, datagrams, rate, seed, &log));
        while !sender.is_finished() {
            std::thread::sleep(TICK);
            self.look()?;
        }
        self.datagrams += datagrams;
        ensure!(!self.is_away || self.arrived.len() == before, "spans arrived while nobody listened");
        sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
    }

    /// Waits until everything that came in has arrived.
    fn settle(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while (self.arrived.len() as u64) < self.spans_expected() {
            let (arrived, expected) = (self.arrived.len(), self.spans_expected());
            ensure!(
                Instant::now() < deadline,
                "{arrived} of {expected} spans arrived {PATIENCE:?} after the last flow"
            );
            std::thread::sleep(TICK);
            self.look()?;
        }
        Ok(())
    }

    /// Empties the backend and looks at the memory of the collector.
    fn look(&mut self) -> anyhow::Result<()> {
        for span in self.backend.take_spans() {
            self.arrived_again += u64::from(!self.arrived.insert(span.span_id));
        }
        self.resident_mib = self.collector.peak_resident_bytes()? >> 20;
        let resident = self.resident_mib;
        ensure!(resident <= MAX_RESIDENT_MIB, "{resident} MiB resident, more than {MAX_RESIDENT_MIB} MiB");
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.look()?;
        self.collector.stop(PATIENCE)?;
        for span in self.backend.take_spans() {
            self.arrived_again += u64::from(!self.arrived.insert(span.span_id));
        }
        let log = self.collector.log_text();
        let totals = log.lines().last().unwrap_or_default();
        let (arrived, again, expected) = (self.arrived.len() as u64, self.arrived_again, self.spans_expected());
        let read = format!("datagrams={} ", self.datagrams);
        ensure!(totals.contains(&read), "not all {} datagrams were read: {totals}", self.datagrams);
        ensure!(arrived == expected, "{arrived} of {expected} spans arrived: {totals}");
        ensure!(again == 0, "{again} spans arrived more than once: {totals}");
        ensure!(totals.contains("spans_dropped=0 spans_remaining=0"), "{totals}");
        println!("{expected} spans arrived, each once; at most {} MiB resident", self.resident_mib);
        Ok(())
    }
}

/// Generated v9 flows.
fn send(program: &Path, to: SocketAddr, datagrams: u64, rate: u64, seed: u64, log: &Path) -> anyhow::Result<()> {
    let (host, port) = (to.ip().to_string(), to.port().to_string());
    let [datagrams, flows, rate, seed] = [datagrams, FLOWS_PER_DATAGRAM, rate, seed].map(|number| number.to_string());
    let arguments = [
        ["--host", &host],
        ["--port", &port],
        ["--version", "9"],
        ["--count", &datagrams],
        ["--flows-per-datagram", &flows],
        ["--rate", &rate],
        ["--seed", &seed],
    ];
    let arguments: Vec<&str> = ["send"].into_iter().chain(arguments.into_iter().flatten()).collect();
    command::run(program, &arguments, log, Duration::from_secs(120))
}
