//! Every fault of a receiver, for up to a minute, at two rates and with both protocols; and a real Collector that is killed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use otlp_sink::{OtlpConfig, Output, Protocol, Sink, SinkConfig};
use testkit::faults::{Arrivals, Case, Fault, Outcome, Stream, table};
use testkit::otlp_server::OtlpServer;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, block_in_place};

use crate::e2e::otelcol::{self, Forward, Otelcol};

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];
const SECONDS: [f64; 4] = [60.0, 15.0, 3.0, 0.5];
const SLOW: u64 = 1_000;
const FAST: u64 = 100_000;

/// Spans a second over all cases that run at once: two cores write, send and take as many with room to spare.
const MAX_SPANS_PER_SECOND: usize = 600_000;

/// What `FAST` needs while a minute passes and a retry is waited for.
const LARGE_QUEUE: usize = 4 << 30;

/// How long a request may take: the default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long spans stream before the Collector is killed, and after it is back.
const QUIET: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_secs(120);

/// Runs it and prints the table.
///
/// # Errors
///
/// When a span is lost and not counted, or comes twice without need.
pub(super) fn run() -> anyhow::Result<()> {
    let folder = crate::workspace_root().join("target/e2e");
    std::fs::create_dir_all(&folder).context("create target/e2e")?;
    let program = otelcol::build(&folder)?;
    let started = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcomes = runtime.block_on(scripted());
    println!("a scripted backend, {:.0} s\n{}", started.elapsed().as_secs_f64(), table(&outcomes));
    let started = Instant::now();
    let killed = runtime.block_on(collectors(&program, &folder))?;
    println!("an OpenTelemetry Collector that is killed, {:.0} s\n{}", started.elapsed().as_secs_f64(), table(&killed));
    outcomes.iter().for_each(Outcome::check);
    killed.iter().try_for_each(check_killed)
}

fn case(fault: Fault, seconds: f64, protocol: Protocol, spans_per_second: u64) -> Case {
    let mut config = SinkConfig::default();
    // A request in every fault, be it ever so short.
    config.max_delay = Duration::from_millis(100);
    if spans_per_second == FAST {
        config.queue_bytes = LARGE_QUEUE;
    }
    let lasts = Duration::from_secs_f64(seconds);
    Case { fault, lasts, protocol, spans_per_second, timeout: TIMEOUT, config, overflows: false }
}

/// The longest first, so that the short ones fill the gaps.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for seconds in SECONDS {
        for spans_per_second in [FAST, SLOW] {
            for fault in Fault::ALL {
                cases.extend(PROTOCOLS.map(|protocol| case(fault, seconds, protocol, spans_per_second)));
            }
        }
    }
    for fault in Fault::ALL {
        // The default, which holds a second or two of that.
        let overflowing = |protocol| {
            let config = SinkConfig::default();
            Case { config, overflows: true, ..case(fault, 15.0, protocol, FAST) }
        };
        cases.extend(PROTOCOLS.map(overflowing));
    }
    cases
}

async fn scripted() -> Vec<Outcome> {
    let budget = Arc::new(Semaphore::new(MAX_SPANS_PER_SECOND));
    let mut running = JoinSet::new();
    for (index, case) in cases().into_iter().enumerate() {
        let permits = u32::try_from(case.spans_per_second).expect("a rate is small");
        let permit = budget.clone().acquire_many_owned(permits).await.expect("nobody closes it");
        running.spawn(async move {
            let outcome = case.run().await;
            drop(permit);
            (index, outcome)
        });
    }
    let mut outcomes = running.join_all().await;
    outcomes.sort_by_key(|(index, _)| *index);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

async fn collectors(program: &Path, folder: &Path) -> anyhow::Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    let mut slow = JoinSet::new();
    for seconds in SECONDS {
        slow.spawn(killed(program.into(), folder.into(), seconds, SLOW));
    }
    for seconds in SECONDS {
        outcomes.extend(killed(program.into(), folder.into(), seconds, FAST).await?);
    }
    for more in slow.join_all().await {
        outcomes.extend(more?);
    }
    Ok(outcomes)
}

/// Kills a Collector that gets spans with both protocols, and starts it again. It passes on what it got before it acknowledges it.
async fn killed(program: PathBuf, folder: PathBuf, seconds: f64, rate: u64) -> anyhow::Result<Vec<Outcome>> {
    let behind = [OtlpServer::start_local().await?, OtlpServer::start_local().await?];
    behind.iter().for_each(OtlpServer::keep_ids_only);
    let forward = Forward::To { grpc: behind[0].address(), http: behind[1].address() };
    let name = format!("otelcol-killed-{rate}-{seconds}");
    let mut otelcol = block_in_place(|| Otelcol::start(&program, &folder, &name, forward))?;
    let mut running = Vec::new();
    for (protocol, behind) in PROTOCOLS.into_iter().zip(behind) {
        let endpoint = match protocol {
            Protocol::Grpc => format!("http://{}", otelcol.grpc),
            _ => format!("http://{}/v1/traces", otelcol.http),
        };
        let case = case(Fault::Refused, seconds, protocol, rate);
        let output = Output::Otlp(OtlpConfig::new(protocol, &endpoint)?);
        let sink = Sink::start(case.config.clone().with_output(output), &Handle::current())?;
        let stream = Stream::start(&sink, rate, 0);
        behind.wait_for_spans(1, PATIENCE).await;
        running.push((case, behind, sink, stream));
    }
    tokio::time::sleep(QUIET).await;
    block_in_place(|| otelcol.kill())?;
    tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    block_in_place(|| otelcol.restart())?;
    let ended = Instant::now();
    let finished = running.into_iter().map(async |(case, behind, sink, stream)| {
        behind.wait_for_spans(behind.span_count() + 1, PATIENCE).await;
        let recovery = ended.elapsed();
        tokio::time::sleep(QUIET).await;
        let streamed = stream.stop().await;
        let report = sink.shutdown(PATIENCE).await;
        let mut arrivals = Arrivals::default();
        arrivals.add(behind.take_ids());
        Outcome {
            case,
            streamed,
            report,
            arrived: arrivals.distinct,
            duplicates: arrivals.duplicates,
            unanswered: behind.unanswered_spans() as u64,
            retries: sink.stats().outputs[0].retries,
            recovery,
        }
    });
    let [grpc, http] =
        <[_; 2]>::try_from(finished.collect::<Vec<_>>()).unwrap_or_else(|_| unreachable!("two protocols"));
    let (grpc, http) = tokio::join!(grpc, http);
    Ok(vec![grpc, http])
}

/// The Collector dies with acknowledgements that it was about to pass on: of the requests under way, no more.
fn check_killed(outcome: &Outcome) -> anyhow::Result<()> {
    let config = &outcome.case.config;
    let under_way = (config.max_in_flight.get() * config.max_batch_spans.get()) as u64;
    let (written, report, arrived) = (outcome.streamed.spans, outcome.report, outcome.arrived);
    let table = table([outcome]);
    ensure!(arrived == written && report.exported == written, "lost spans\n{table}");
    ensure!(outcome.duplicates <= under_way, "more duplicates than spans under way\n{table}");
    Ok(())
}
