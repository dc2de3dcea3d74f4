//! A steady load for long, with everything that keeps flows from becoming spans: memory stays as it is, and each flow has one
//! fate.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use flow_traffic::{Generator, TrafficConfig, Version};

use super::super::command;
use super::super::otelcol::free_tcp_port;
use super::super::process::{Child, wait_until};
use super::super::receiver::Receiver;
use super::super::scrape::Scrape;
use super::{MAX_RESIDENT_MIB, PATIENCE, TICK};

/// How long without an argument.
pub(super) const MINUTES: u32 = 60;

const FLOWS_PER_SECOND: u64 = 50_000;
/// Addresses that send each of the versions, and one more that may not.
const EXPORTERS: u8 = 6;
/// Routers behind each address.
const DOMAINS: NonZeroU16 = NonZeroU16::MIN.saturating_add(3);
/// The backend is away once in so many minutes, for longer than the queue lasts.
const OUTAGE_EVERY: u32 = 5;
const OUTAGE: Duration = Duration::from_secs(5);
const MINUTE: Duration = Duration::from_secs(60);
/// How much more may be resident in the second half than in the first.
const MAX_GROWTH_MIB: u64 = 4;

/// Read anew every minute.
const SETTINGS: &str = r#"
deny = ["127.0.0.100"]
filter = "not dst port 53"
sample = "75%"

[[exporter]]
network = "127.0.0.2"
name = "limited"
max_records = 4000
"#;

/// Runs it and prints where everything is once a minute.
///
/// # Errors
///
/// When a flow has no fate or two, or memory grows.
pub(super) fn run(minutes: u32) -> anyhow::Result<()> {
    let folder = crate::workspace_root().join("target/e2e/load");
    fs::create_dir_all(&folder).context("create target/e2e/load")?;
    let settings = folder.join("settings.toml");
    fs::write(&settings, SETTINGS)?;
    let mut backend = Receiver::start()?;
    backend.count_only();
    let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let metrics = free_tcp_port()?;
    let mut command = Command::new(command::build()?);
    command
        .env("NETFLOW_CONFIG", &settings)
        .env("NETFLOW_LISTEN", format!("udp://{address}"))
        .env("NETFLOW_WORKERS", "2")
        .env("OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.1")
        .env("OTEL_EXPORTER_PROMETHEUS_PORT", metrics.port().to_string())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", backend.address()));
    let mut collector = Child::spawn(command, &folder.join("netflow2traces.log"))?;
    wait_until("it listens", PATIENCE, || {
        collector.ensure_running()?;
        Ok(collector.says_that_it_listens().then_some(()))
    })?;
    let stop = AtomicBool::new(false);
    let (sent, halves) = std::thread::scope(|scope| {
        let sender = scope.spawn(|| send(address, &stop));
        let halves = watch(minutes, &mut collector, metrics, &mut backend);
        stop.store(true, Ordering::Relaxed);
        let sent = sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?;
        anyhow::Ok((sent?, halves?))
    })?;
    let scrape = settled(&mut collector, metrics, &backend, sent)?;
    println!("{}", scrape.summary());
    for reason in ["denied", "rate_limit", "filtered", "sampled_out", "queue_full"] {
        ensure!(scrape.lost(reason) > 0, "nothing was {reason}");
    }
    collector.terminate()?;
    ensure!(collector.wait(PATIENCE)?.success(), "it did not end well");
    let [first, second] = halves;
    println!("{first} MiB resident at most in the first half, {second} MiB in the second");
    // The first minute has the start in it.
    ensure!(minutes == 1 || second <= first + MAX_GROWTH_MIB, "memory grows");
    Ok(())
}

/// Looks at it for so long; returns the most memory, in MiB, of each half.
fn watch(minutes: u32, collector: &mut Child, metrics: SocketAddr, backend: &mut Receiver) -> anyhow::Result<[u64; 2]> {
    let mut halves = [0; 2];
    for minute in 0..minutes {
        let (started, mut is_away) = (Instant::now(), false);
        let outage = (minute % OUTAGE_EVERY == 0).then_some(MINUTE / 2..MINUTE / 2 + OUTAGE);
        let mut most = 0;
        while started.elapsed() < MINUTE {
            let away = outage.as_ref().is_some_and(|outage| outage.contains(&started.elapsed()));
            if away != is_away {
                if away {
                    backend.stop()
                } else {
                    backend.restart()?
                }
                is_away = away;
            }
            collector.ensure_running()?;
            most = most.max(collector.resident_bytes()? >> 20);
            std::thread::sleep(TICK);
        }
        let half = &mut halves[usize::from(minute >= minutes / 2)];
        *half = most.max(*half);
        ensure!(most <= MAX_RESIDENT_MIB, "{most} MiB resident");
        collector.hang_up()?;
        println!("minute {}: {most} MiB resident at most; {}", minute + 1, Scrape::of(metrics)?.summary());
    }
    Ok(halves)
}

/// Waits until everything that was sent has its fate.
fn settled(collector: &mut Child, metrics: SocketAddr, backend: &Receiver, sent: u64) -> anyhow::Result<Scrape> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        collector.ensure_running()?;
        let scrape = Scrape::of(metrics)?;
        match scrape.is_whole(sent, backend.span_count() as u64) {
            Ok(()) => return Ok(scrape),
            Err(error) if Instant::now() > deadline => return Err(error),
            Err(_) => std::thread::sleep(TICK),
        }
    }
}

/// Sends until it is told to stop; returns the number of datagrams.
fn send(to: SocketAddr, stop: &AtomicBool) -> anyhow::Result<u64> {
    let mut senders = Vec::new();
    for exporter in 0..EXPORTERS {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2 + exporter), 0))?;
        for version in [Version::V5, Version::V9, Version::Ipfix] {
            let mut traffic = TrafficConfig::new(version);
            (traffic.seed, traffic.exporters) = (exporter.into(), DOMAINS);
            senders.push((socket.try_clone()?, Generator::new(traffic)?));
        }
    }
    let denied = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 100), 0))?;
    let started = Instant::now();
    let (mut datagrams, mut flows) = (0, 0);
    while !stop.load(Ordering::Relaxed) {
        if flows >= started.elapsed().as_micros() as u64 * FLOWS_PER_SECOND / 1_000_000 {
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        for (socket, generator) in &mut senders {
            let datagram = generator.next_datagram();
            flows += u64::from(datagram.flows);
            socket.send_to(datagram.bytes, to)?;
            datagrams += 1;
        }
        denied.send_to(&[0; 24], to)?;
        datagrams += 1;
    }
    Ok(datagrams)
}

impl Scrape {
    /// What was lost for a reason: datagrams, records, spans.
    fn lost(&self, reason: &str) -> u64 {
        let label = format!("error_type=\"{reason}\"");
        let names = [
            "netflow_collector_dropped_total",
            "netflow_collector_records_dropped_total",
            "otel_sdk_processor_span_processed_total",
        ];
        names.iter().map(|name| self.sum_of(name, |labels| labels.contains(&label))).sum()
    }

    /// Received is exported and what has a reason, at a moment when nothing is held.
    fn is_whole(&self, sent: u64, arrived: u64) -> anyhow::Result<()> {
        let came = self.sum("netflow_collector_datagrams_total") + self.sum("netflow_collector_dropped_total");
        ensure!(sent == came, "{sent} datagrams sent, {came} read or dropped");
        let records = self.sum("netflow_collector_records_total");
        let flows = self.sum("netflow_collector_flow_spans_total");
        let dropped = self.sum("netflow_collector_records_dropped_total");
        ensure!(records == flows + dropped, "{records} records, {flows} with a span and {dropped} without");
        let spans = self.sum("netflow_collector_spans_total");
        let lost = self.sum_of("otel_sdk_processor_span_processed_total", |labels| labels.contains("error_type"));
        let exported = self.sum_of("otel_sdk_exporter_span_exported_total", |labels| !labels.contains("error_type"));
        ensure!(spans == exported + lost, "{spans} spans, {exported} exported and {lost} dropped");
        // A request without an answer, as the backend went, is sent again.
        ensure!(arrived >= exported, "{arrived} spans arrived, {exported} exported");
        Ok(())
    }

    fn summary(&self) -> String {
        let reasons = ["denied", "kernel", "rate_limit", "filtered", "sampled_out", "queue_full"];
        let reasons: Vec<_> = reasons.iter().map(|reason| format!("{} {reason}", self.lost(reason))).collect();
        format!(
            "{} datagrams, {} records, {} spans exported; {}",
            self.sum("netflow_collector_datagrams_total"),
            self.sum("netflow_collector_records_total"),
            self.sum("otel_sdk_exporter_span_exported_total"),
            reasons.join(", "),
        )
    }
}
