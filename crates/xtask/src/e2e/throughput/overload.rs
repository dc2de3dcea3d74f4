//! More flows than can be taken: what is delivered does not become less, and what is not is counted.
//!
//! The collector has one processor. The backend has another, and what it leaves of that one is for sending.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::num::NonZeroU16;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use flow_traffic::{Generator, TrafficConfig, Version};
use rustix::process::setpriority_process;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::super::http;
use super::super::process::{Child, wait_until};
use super::super::receiver::Receiver;
use super::{Bench, FLOWS_PER_DATAGRAM, SETTLE_PATIENCE, START_PATIENCE, settled};

/// How long each load lasts.
const LOAD: Duration = Duration::from_secs(3);
/// How much of what it can deliver the collector must deliver when there is more.
const LEAST: f64 = 0.9;
/// Flows a second that any collector delivers, and how the load grows from there to what this one can.
const FIRST: f64 = 400_000.0;
const GROWTH: f64 = 1.15;

/// Runs it and prints a table.
///
/// # Errors
///
/// When the collector takes less than it could, or something is lost that it does not count.
pub(super) fn run(bench: &Bench) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    // Threads and programs have the processor of the thread that starts them.
    let processors = sched_getaffinity(None)?;
    let mut processors = (0..CpuSet::MAX_CPU).filter(|processor| processors.is_set(*processor));
    let (ours, others) = (processors.next(), processors.next());
    ours.map(stay_on).transpose()?;
    let mut collector = Overloaded::start(bench, address)?;
    others.map(stay_on).transpose()?;
    let backend = Receiver::start_on(listener)?;
    backend.count_only();
    // Of this thread alone.
    setpriority_process(None, 10)?;
    let mut blaster = Blaster::new(collector.address)?;
    println!("\n| offered, flows/s | delivered, flows/s | datagrams sent | received | dropped by the kernel |");
    println!("|---|---|---|---|---|");
    let (mut most, mut offered) = (0_f64, FIRST);
    loop {
        let delivered = collector.load(&mut blaster, &backend, offered)?;
        most = most.max(delivered);
        if delivered < 0.95 * offered {
            break;
        }
        offered *= GROWTH;
    }
    let mut least = most;
    for times in [2.0, 5.0] {
        least = least.min(collector.load(&mut blaster, &backend, most * times)?);
    }
    // It has recovered when nothing is lost any more.
    let before = collector.counts()?;
    collector.load(&mut blaster, &backend, most / 4.0)?;
    let after = collector.counts()?;
    collector.finish(&blaster)?;
    ensure!(after.dropped == before.dropped, "{} datagrams lost after the load", after.dropped - before.dropped);
    ensure!(least >= LEAST * most, "delivers {least:.0} flows/s of more, {most:.0} at best");
    Ok(())
}

fn stay_on(processor: usize) -> anyhow::Result<()> {
    let mut only = CpuSet::new();
    only.set(processor);
    Ok(sched_setaffinity(None, &only)?)
}

/// What the collector says of itself.
#[derive(Clone, Copy)]
struct Counts {
    received: u64,
    /// By the kernel.
    dropped: u64,
}

struct Overloaded {
    child: Child,
    address: SocketAddr,
    metrics: SocketAddr,
}

impl Overloaded {
    fn start(bench: &Bench, backend: SocketAddr) -> anyhow::Result<Self> {
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let metrics = super::otelcol::free_tcp_port()?;
        let mut command = Command::new(&bench.netflow2traces);
        command
            .env("NETFLOW_LISTEN", format!("udp://{address}"))
            .env("NETFLOW_WORKERS", "1")
            .env("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
            .env("OTEL_EXPORTER_PROMETHEUS_PORT", metrics.port().to_string())
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{backend}"));
        let mut child = Child::spawn(command, &bench.folder.join("overload.log"))?;
        wait_until("it listens", START_PATIENCE, || {
            child.ensure_running()?;
            Ok(child.says_that_it_listens().then_some(()))
        })?;
        Ok(Self { child, address, metrics })
    }

    fn counts(&self) -> anyhow::Result<Counts> {
        let text = http::get(self.metrics, "/metrics")?;
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
            line.trim().parse::<u64>().with_context(|| format!("{name}{line}"))
        };
        Ok(Counts {
            received: value("netflow_collector_datagrams_total ")?,
            dropped: value("netflow_collector_dropped_total{error_type=\"kernel\"} ")?,
        })
    }

    /// Offers so many flows a second; returns how many came to the backend.
    fn load(&mut self, blaster: &mut Blaster, backend: &Receiver, rate: f64) -> anyhow::Result<f64> {
        let (before, spans_before) = (self.counts()?, backend.span_count());
        let (sent, took) = blaster.send(rate)?;
        settled(&mut self.child)?;
        let after = self.counts()?;
        let a_second = |flows: f64| flows / took.as_secs_f64();
        let offered = a_second((sent * FLOWS_PER_DATAGRAM) as f64);
        // What waited at the end is a hundredth of it.
        let spans = (backend.span_count() - spans_before) as u64;
        let delivered =
            a_second((spans * FLOWS_PER_DATAGRAM) as f64 / (FLOWS_PER_DATAGRAM + super::SPANS_BESIDE_FLOWS) as f64);
        let (received, dropped) = (after.received - before.received, after.dropped - before.dropped);
        println!("| {offered:.0} | {delivered:.0} | {sent} | {received} | {dropped} |");
        ensure!(sent == received + dropped, "{sent} datagrams sent, {received} received, {dropped} dropped");
        Ok(delivered)
    }

    /// Ends it: every datagram has been received or dropped, and the spans have been delivered or dropped.
    fn finish(&mut self, blaster: &Blaster) -> anyhow::Result<()> {
        self.child.terminate()?;
        self.child.wait(SETTLE_PATIENCE)?;
        let log = self.child.log_text();
        let totals = log.lines().rfind(|line| line.contains(" stopped ")).context("no totals")?;
        let total = |name: &str| {
            let field = totals
                .split_whitespace()
                .find_map(|field| field.strip_prefix(name))
                .with_context(|| name.to_owned())?;
            field.parse::<u64>().with_context(|| field.to_owned())
        };
        let (received, dropped) = (total("datagrams=")?, total("kernel_drops=")?);
        let (exported, lost) = (total("spans_exported=")?, total("spans_dropped=")?);
        println!("\nspans: {exported} exported, {lost} dropped as the queue was full");
        ensure!(received + dropped == blaster.sent, "{} sent, {received} received, {dropped} dropped", blaster.sent);
        let made = received * (FLOWS_PER_DATAGRAM + super::SPANS_BESIDE_FLOWS);
        ensure!(exported + lost + total("spans_remaining=")? == made, "{exported} + {lost} spans of {made}");
        Ok(())
    }
}

/// Sends the same datagrams over and over, numbered anew: generating them takes longer than receiving them.
struct Blaster {
    socket: UdpSocket,
    datagrams: Vec<Vec<u8>>,
    sent: u64,
}

impl Blaster {
    fn new(to: SocketAddr) -> anyhow::Result<Self> {
        let mut traffic = TrafficConfig::new(Version::V9);
        traffic.flows_per_datagram = NonZeroU16::new(FLOWS_PER_DATAGRAM as u16);
        traffic.options_data = false;
        let mut generator = Generator::new(traffic)?;
        let datagrams = (0..2_000).map(|_| generator.next_datagram().bytes.to_vec()).collect();
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(to)?;
        Ok(Self { socket, datagrams, sent: 0 })
    }

    /// Returns the datagrams sent, and how long that took.
    fn send(&mut self, rate: f64) -> anyhow::Result<(u64, Duration)> {
        let (started, first) = (Instant::now(), self.sent);
        let per_second = rate / FLOWS_PER_DATAGRAM as f64;
        while started.elapsed() < LOAD {
            let due = (started.elapsed().as_secs_f64() * per_second) as u64;
            if self.sent - first >= due {
                std::thread::sleep(Duration::from_micros(100));
                continue;
            }
            for _ in 0..(due - (self.sent - first)).min(32) {
                let index = self.sent as usize % self.datagrams.len();
                let datagram = &mut self.datagrams[index];
                datagram[12..16].copy_from_slice(&(self.sent as u32).to_be_bytes());
                self.socket.send(datagram)?;
                self.sent += 1;
            }
        }
        Ok((self.sent - first, started.elapsed()))
    }
}
