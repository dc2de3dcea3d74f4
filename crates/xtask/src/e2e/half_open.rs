//! The link to the backend is cut without a word in the middle of a stream, and comes back.

use std::collections::HashSet;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::command::Collector;
use super::process::wait_until;
use super::receiver::Receiver;
use super::{Bench, SPANS_BESIDE_FLOWS, network};

const DATAGRAMS: u64 = 2_000;
const FLOWS_PER_DATAGRAM: u64 = 10;
const DATAGRAMS_PER_SECOND: u64 = 100;

/// How long a request may take.
const TIMEOUT: Duration = Duration::from_secs(3);
/// From the cut until it is told of: the first request begins when a batch has waited for its second, so four seconds where
/// nothing else runs. It must come before the system ends a connection, or the link is back.
const NOTICE: Duration = Duration::from_secs(9);
const BEFORE_THE_CUT: Duration = Duration::from_secs(4);
/// Half of what the system takes to end a connection.
const CUT: Duration = Duration::from_secs(10);
/// The longest wait for a connection, and before the next attempt, twice.
const RECOVERY: Duration = Duration::from_secs(2 * (5 + 5));

/// A request that is under way when the link is cut is noticed within its timeout. The next ones do not wait on its connection:
/// when the link is back they come by a new one, while the old one is still there. No span is lost.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    if !rustix::process::geteuid().is_root() {
        return run_as_root();
    }
    let link = Link::new()?;
    let sides = ["grpc", "http/protobuf"].map(|protocol| Side::start(bench, &link, protocol));
    let mut sides = sides.into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    std::thread::scope(|scope| {
        let senders: Vec<_> = sides.iter().map(|side| side.collector.address).collect();
        let senders: Vec<_> = senders
            .into_iter()
            .map(|to| scope.spawn(move || bench.send(to, DATAGRAMS, FLOWS_PER_DATAGRAM, DATAGRAMS_PER_SECOND)))
            .collect();
        std::thread::sleep(BEFORE_THE_CUT);
        link.cut()?;
        let cut = Instant::now();
        sides.iter_mut().for_each(Side::note_the_cut);
        wait_until("every side notices the cut", NOTICE, || {
            sides.iter_mut().for_each(|side| side.look_for_trouble(cut));
            Ok(sides.iter().all(|side| side.noticed.is_some()).then_some(()))
        })?;
        std::thread::sleep(CUT.saturating_sub(cut.elapsed()));
        sides.iter().try_for_each(Side::ensure_nothing_came)?;
        link.mend()?;
        let mended = Instant::now();
        wait_until("spans arrive at every side again", RECOVERY, || {
            sides.iter_mut().for_each(|side| side.look_for_spans(mended));
            Ok(sides.iter().all(|side| side.recovered.is_some()).then_some(()))
        })?;
        senders.into_iter().try_for_each(|sender| sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?)
    })?;
    sides.into_iter().map(Side::finish).collect()
}

/// The same by sudo, which must not ask for anything.
fn run_as_root() -> anyhow::Result<Vec<String>> {
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", "env"]);
    // What cargo and go need, and sudo would change.
    for name in ["CARGO", "HOME", "PATH"] {
        sudo.arg(format!("{name}={}", std::env::var(name).with_context(|| format!("no {name}"))?));
    }
    sudo.arg(std::env::current_exe()?).args(["e2e", "half-open"]);
    let status = sudo.status().context("run sudo: a network namespace needs the rights of root")?;
    ensure!(status.success(), "half-open as root ended with {status}");
    Ok(vec!["as root, see above".to_owned()])
}

/// A collector on this side of the link and its backend on the other.
struct Side {
    protocol: &'static str,
    backend: Receiver,
    collector: Collector,
    /// Spans and connections at the backend when the link was cut.
    before: (usize, usize),
    noticed: Option<Duration>,
    recovered: Option<Duration>,
}

impl Side {
    fn start(bench: &Bench, link: &Link, protocol: &'static str) -> anyhow::Result<Self> {
        let backend = Receiver::start_on(link.listen()?)?;
        let (endpoint, timeout) = (format!("http://{}", backend.address()), TIMEOUT.as_millis().to_string());
        let environment = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", timeout.as_str()),
        ];
        let collector = bench.collector(&format!("half-open-{}", protocol.replace('/', "-")), &environment)?;
        Ok(Self { protocol, backend, collector, before: (0, 0), noticed: None, recovered: None })
    }

    fn note_the_cut(&mut self) {
        self.before = (self.backend.span_count(), self.backend.connections());
    }

    fn look_for_trouble(&mut self, cut: Instant) {
        if self.noticed.is_none() && self.collector.log_text().contains("cannot deliver spans") {
            self.noticed = Some(cut.elapsed());
        }
    }

    fn ensure_nothing_came(&self) -> anyhow::Result<()> {
        let (before, now) = (self.before.0, self.backend.span_count());
        // What was on its way when the link was cut.
        ensure!(before > 0 && now < before + 2_000, "{}: {before} spans before the cut, {now} after it", self.protocol);
        Ok(())
    }

    fn look_for_spans(&mut self, mended: Instant) {
        if self.recovered.is_none() && self.backend.span_count() > self.before.0 {
            self.recovered = Some(mended.elapsed());
        }
    }

    fn finish(mut self) -> anyhow::Result<String> {
        self.collector.stop(Duration::from_secs(60))?;
        let Self { protocol, before: (spans_before, connections_before), .. } = self;
        let connections = self.backend.connections() - connections_before;
        ensure!(connections > 0, "{protocol}: no new connection");
        let spans = self.backend.spans();
        let distinct = spans.iter().map(|span| &span.span_id).collect::<HashSet<_>>().len() as u64;
        let want = DATAGRAMS * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
        ensure!(distinct == want, "{protocol}: {distinct} of {want} spans arrived");
        let again = spans.len() as u64 - distinct;
        // The system still delivers what a request had handed over before it was given up, if not all of its requests.
        let in_requests = TIMEOUT.as_secs() * DATAGRAMS_PER_SECOND * (FLOWS_PER_DATAGRAM + SPANS_BESIDE_FLOWS);
        ensure!(again <= 2 * in_requests, "{protocol}: {again} spans arrived more than once");
        Ok(format!(
            "{protocol}: link cut for {CUT:?} after {spans_before} spans, noticed after {:.1} s; spans again {:.1} s after the link, \
             by {connections} new connections; all {want} arrived, {again} more than once",
            self.noticed.unwrap_or_default().as_secs_f64(),
            self.recovered.unwrap_or_default().as_secs_f64(),
        ))
    }
}

/// Two network cards with a bridge between them: one here, the other in a network namespace of its own.
struct Link;

/// Of a block for documentation (RFC 5737), which leads nowhere else.
const HERE: &str = "198.51.100.1/30";
const THERE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);

impl Link {
    fn new() -> anyhow::Result<Self> {
        // Left by a run that was killed.
        Self::remove();
        let link = Self;
        ip("netns add n2t-there")?;
        ip("link add n2t-bridge type bridge")?;
        ip("link add n2t-here type veth peer name n2t-port-here")?;
        ip("link add n2t-port-there type veth peer name n2t-there netns n2t-there")?;
        for port in ["n2t-port-here", "n2t-port-there"] {
            ip(&format!("link set {port} master n2t-bridge up"))?;
        }
        ip("link set n2t-bridge up")?;
        ip(&format!("address add {HERE} dev n2t-here"))?;
        ip("link set n2t-here up")?;
        ip(&format!("-netns n2t-there address add {THERE}/30 dev n2t-there"))?;
        ip("-netns n2t-there link set n2t-there up")?;
        Ok(link)
    }

    /// A port on the other side.
    fn listen(&self) -> anyhow::Result<TcpListener> {
        let listen = || TcpListener::bind((THERE, 0)).context("listen in the network namespace");
        network::within(Path::new("/run/netns/n2t-there"), listen)
    }

    /// Neither side is told: what they send is lost between them.
    fn cut(&self) -> anyhow::Result<()> {
        ip("link set n2t-port-there nomaster")
    }

    fn mend(&self) -> anyhow::Result<()> {
        ip("link set n2t-port-there master n2t-bridge")
    }

    fn remove() {
        for what in
            ["netns delete n2t-there", "link delete n2t-port-there", "link delete n2t-here", "link delete n2t-bridge"]
        {
            let _ = Command::new("ip").args(what.split(' ')).output();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        Self::remove();
    }
}

fn ip(arguments: &str) -> anyhow::Result<()> {
    let output = Command::new("ip").args(arguments.split(' ')).output().context("run ip; is iproute2 installed?")?;
    ensure!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}
