//! Many spans for long, to a backend that dies every half minute: nothing is lost, and memory does not grow.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use otlp_sink::{OtlpConfig, Output, Protocol, Sink, SinkConfig};
use testkit::faults::{Arrivals, Stream};
use testkit::otlp_server::OtlpServer;

/// How long without an argument.
pub(super) const MINUTES: u32 = 10;

const SPANS_PER_SECOND: u64 = 200_000;

/// Makes a span 450 bytes long, as that of a flow is.
const PADDING: usize = 396;

/// 5 s without a backend, up to 5 s until the sink tries again, and what comes in until it has caught up: at most 90 MB a
/// second.
const QUEUE_BYTES: usize = 2 << 30;

const UP: Duration = Duration::from_secs(25);
const DOWN: Duration = Duration::from_secs(5);
const TICK: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(120);

/// Most that may be resident beside what the sink has held at its fullest: batches that are written, sent, and read by the
/// backend, and what the allocator keeps. A hundredth of all that is sent would be more.
const MAX_BESIDE_MIB: u64 = 256;

/// Runs it and prints what is resident twice a minute.
///
/// # Errors
///
/// When a span is lost, or comes twice without need, or memory grows.
pub(super) fn run(minutes: u32) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(churn(minutes))
}

async fn churn(minutes: u32) -> anyhow::Result<()> {
    let mut backend = OtlpServer::start_local().await?;
    backend.keep_ids_only();
    let mut config = SinkConfig::default();
    config.queue_bytes = QUEUE_BYTES;
    let output = Output::Otlp(OtlpConfig::new(Protocol::Grpc, &backend.grpc_endpoint())?);
    let sink = Sink::start(config.with_output(output), &tokio::runtime::Handle::current())?;
    println!("{SPANS_PER_SECOND} spans a second for {minutes} minutes, a queue of {} MiB", QUEUE_BYTES >> 20);
    let stream = Stream::start(&sink, SPANS_PER_SECOND, PADDING);
    let mut watch = Watch { started: Instant::now(), arrivals: Arrivals::default(), held_mib: 0, resident_mib: 0 };
    for _ in 0..minutes * 2 {
        watch.look_for(UP, &backend, &sink).await?;
        backend.stop().await;
        watch.look_for(DOWN, &backend, &sink).await?;
        backend.restart().await?;
        watch.tell(&sink)?;
    }
    watch.look_for(UP, &backend, &sink).await?;
    watch.tell(&sink)?;
    let streamed = stream.stop().await;
    let report = sink.shutdown(PATIENCE).await;
    watch.arrivals.add(backend.take_ids());
    let Arrivals { distinct, duplicates, .. } = watch.arrivals;
    let unanswered = backend.unanswered_spans() as u64;
    println!(
        "{} spans written, {:.0}/s; {distinct} arrived, {duplicates} of them again, {} dropped; at most {} MiB held and {} MiB resident",
        streamed.spans,
        streamed.spans_per_second(),
        report.dropped,
        watch.held_mib,
        watch.resident_mib,
    );
    ensure!(report.dropped == 0 && report.remaining == 0, "{report:?}");
    ensure!(distinct == streamed.spans, "{} spans are lost", streamed.spans - distinct);
    ensure!(duplicates == unanswered, "{duplicates} spans came again, {unanswered} were not acknowledged");
    let beside = watch.resident_mib.saturating_sub(watch.held_mib);
    ensure!(
        beside <= MAX_BESIDE_MIB,
        "{beside} MiB resident beside what the sink held, more than {MAX_BESIDE_MIB} MiB"
    );
    Ok(())
}

/// What was seen so far.
struct Watch {
    started: Instant,
    arrivals: Arrivals,
    /// Most that the sink held.
    held_mib: u64,
    /// Most that this process, the backend within it, had resident.
    resident_mib: u64,
}

impl Watch {
    async fn look_for(&mut self, duration: Duration, backend: &OtlpServer, sink: &Sink) -> anyhow::Result<()> {
        let end = Instant::now() + duration;
        while Instant::now() < end {
            tokio::time::sleep(TICK).await;
            self.arrivals.add(backend.take_ids());
            self.held_mib = self.held_mib.max(sink.stats().outputs[0].held_bytes >> 20);
            self.resident_mib = self.resident_mib.max(resident_mib()?);
        }
        Ok(())
    }

    fn tell(&self, sink: &Sink) -> anyhow::Result<()> {
        let stats = &sink.stats().outputs[0];
        println!(
            "{:4.0} s: {} spans arrived, {} dropped; {} MiB held, at most {}; {} MiB resident, at most {}",
            self.started.elapsed().as_secs_f64(),
            self.arrivals.distinct,
            stats.dropped_total(),
            stats.held_bytes >> 20,
            self.held_mib,
            resident_mib()?,
            self.resident_mib,
        );
        Ok(())
    }
}

fn resident_mib() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kib >> 10)
}
