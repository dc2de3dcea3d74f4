//! Maps are read each second; what they have goes to a receiver each interval, and to whoever asks.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, bail};
use flow_collector::{Liveness, Pulse};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{self, MissedTickBehavior};
use tracing::{info, warn};
use xdp_counters::measure_programs;
use xdp_counters::program::FlowSource;

use super::bursts::{Recorder, Sampled, Sampling};
use super::config::Config;
use super::flows::{FlowMetrics, Flows};
use super::metrics::{Counting, metrics, spread, spread_of_all};
use super::watched::{NoReading, Seen, Watched, grouped};
use crate::collect::runtime;
use crate::metrics::Push;
use crate::server::{self, Health, Told};
use crate::service::Service;
use crate::signals::{self, Stop};

/// Most time between two readings, as the log has a line for each.
pub(super) const READ_INTERVAL: Duration = Duration::from_secs(1);
/// How long the last export may take.
const LAST_EXPORT: Duration = Duration::from_secs(5);

/// What is seen of all maps at a moment.
#[derive(Clone, Debug)]
struct Snapshot {
    time: SystemTime,
    maps: Vec<Seen>,
}

/// Exports until a signal comes.
///
/// # Errors
///
/// A map that cannot be read from the start; one that is missing, or flows, if that is to be a failure; a panic of who takes
/// flows out.
pub(super) fn run(
    config: &Config,
    maps: Vec<Watched>,
    sampled: Vec<Sampled>,
    flows: Option<(&[FlowSource], crate::config::Config)>,
) -> anyhow::Result<()> {
    let runtime = runtime()?;
    let mut stop = Stop::listen(runtime.handle())?;
    signals::ignore_hangup(runtime.handle())?;
    let service = Service::from_env();
    let measuring = config.program_stats.then(measure_programs).transpose();
    let _measuring = measuring.context("--program-stats (XDP_PROGRAM_STATS)")?;
    // As the scripts that look for these lines have them.
    info!("XDP OpenTelemetry exporter initialized");
    info!("  OTLP endpoint: {}", config.endpoint);
    info!("  Export interval: {}s", config.interval.as_secs_f64());
    let mut reader = Reader { maps, fail_on_missing: config.fail_on_missing };
    let liveness = Arc::<Liveness>::default();
    let (snapshots, latest) = watch::channel(reader.first()?);
    let listener = config.prometheus.as_ref().map(|(host, port)| listen(host, *port, runtime.handle())).transpose()?;
    let recorders = sampled.iter().map(Sampled::recorder).collect();
    let sample = |maps| Sampling::start(maps, liveness.watch(Instant::now()));
    let sampled = Some(sampled).filter(|maps| !maps.is_empty());
    let sampling = sampled.map(sample).transpose().context("cannot start a thread for --bursts")?;
    let flows = flows.map(|(sources, pipeline)| {
        let pulse = liveness.watch(Instant::now());
        Flows::start(sources, pipeline, config.interval, config.fail_on_missing, pulse, runtime.handle())
    });
    let mut flows = flows.transpose()?;
    let told = flows.as_ref().map(Flows::told);
    let health = Health::new(liveness.clone());
    let outputs = match Outputs::start(config, &latest, health, listener, recorders, told, runtime.handle()) {
        Ok(outputs) => outputs,
        Err(error) => {
            // Flows are out of their maps, and go on all the same.
            if let Some(flows) = flows {
                flows.finish(runtime.handle());
            }
            return Err(error);
        }
    };
    info!("XDP OpenTelemetry exporter running...");
    service.ready(status(&latest.borrow()));
    let told = service.watchdog_interval().is_some();
    let read = |snapshot: Snapshot| {
        if told && liveness.stuck(Instant::now()).is_none() {
            service.alive(status(&snapshot));
        }
        snapshots.send_replace(snapshot);
    };
    let pulse = liveness.watch(Instant::now());
    let stopped = async {
        tokio::select! {
            () = stop.requested() => Ok(()),
            error = failed(&mut flows) => Err(error),
        }
    };
    let ended = runtime.block_on(reader.run(config.interval.min(READ_INTERVAL), stopped, &pulse, read));
    outputs.health.stopping();
    service.stopping();
    drop(sampling);
    if let Some(flows) = flows {
        flows.finish(runtime.handle());
    }
    drop(snapshots);
    outputs.finish(runtime.handle());
    runtime.shutdown_background();
    ended
}

/// Completes when flows are to be taken out and are not any more.
async fn failed(flows: &mut Option<Flows>) -> anyhow::Error {
    match flows {
        Some(flows) => flows.failed().await,
        None => std::future::pending().await,
    }
}

/// Opens the port for Prometheus. Another program there would be read as this one.
fn listen(host: &str, port: u16, runtime: &Handle) -> anyhow::Result<TcpListener> {
    let advice = "choose another port with --prometheus-port (XDP_PROMETHEUS_PORT, OTEL_EXPORTER_PROMETHEUS_PORT)";
    let explain = || format!("cannot listen on {host}:{port} for Prometheus, {advice}");
    server::bind(host, port, runtime).with_context(explain)
}

fn status(snapshot: &Snapshot) -> String {
    let samples: Vec<_> = snapshot.maps.iter().filter_map(|seen| seen.sample.as_ref()).collect();
    let packets = samples.iter().fold(0_u64, |sum, sample| sum.saturating_add(sample.total.packets));
    format!("{} of {} maps, {} packets", samples.len(), snapshot.maps.len(), grouped(packets))
}

struct Reader {
    maps: Vec<Watched>,
    fail_on_missing: bool,
}

impl Reader {
    /// What cannot be read now will not be later, but for a map that is missing.
    fn first(&mut self) -> anyhow::Result<Snapshot> {
        for map in &mut self.maps {
            match map.look(Instant::now()) {
                Err(NoReading::Missing(error)) if self.fail_on_missing => return Err(error),
                Err(NoReading::Failed(error)) => return Err(error),
                _ => {}
            }
        }
        Ok(self.snapshot())
    }

    /// Reads until `stop`, which says how it ends, and then once more. Each time is a beat of the `pulse`.
    async fn run(
        mut self,
        interval: Duration,
        stop: impl Future<Output = anyhow::Result<()>>,
        pulse: &Pulse,
        read: impl Fn(Snapshot),
    ) -> anyhow::Result<()> {
        let mut stop = std::pin::pin!(stop);
        let mut ticks = time::interval_at(time::Instant::now() + interval, interval);
        // A reading late does not make for two at once after it.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let ended = tokio::select! {
                ended = &mut stop => Some(ended),
                _ = ticks.tick() => None,
            };
            let missing = self.look();
            read(self.snapshot());
            pulse.beat();
            if let Some(ended) = ended {
                return ended;
            }
            if let Some(NoReading::Missing(error)) = missing.filter(|_| self.fail_on_missing) {
                bail!(error);
            }
        }
    }

    /// Looks at all; one of them that is missing, if there is one.
    fn look(&mut self) -> Option<NoReading> {
        let now = Instant::now();
        // All of them, whatever becomes of the first.
        let failures: Vec<_> = self.maps.iter_mut().filter_map(|map| map.look(now).err()).collect();
        failures.into_iter().find(|failure| matches!(failure, NoReading::Missing(_)))
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot { time: SystemTime::now(), maps: self.maps.iter().map(Watched::seen).collect() }
    }
}

/// What gets the latest snapshot.
struct Outputs {
    push: Option<JoinHandle<()>>,
    health: Health,
}

impl Outputs {
    fn start(
        config: &Config,
        latest: &watch::Receiver<Snapshot>,
        health: Health,
        listener: Option<TcpListener>,
        recorders: Vec<Recorder>,
        flows: Option<FlowMetrics>,
        runtime: &Handle,
    ) -> anyhow::Result<Self> {
        let _context = runtime.enter();
        let semconv = config.semconv;
        let all = move |maps: &[Seen], counting| {
            let flows = flows.iter().flat_map(FlowMetrics::metrics);
            metrics(maps, counting, semconv).into_iter().chain(flows).collect::<Vec<_>>()
        };
        if let Some(listener) = listener {
            let latest = latest.clone();
            let all = all.clone();
            let now = move || {
                let maps = &latest.borrow().maps;
                let mut now = all(maps, Counting::Series);
                now.extend(spread_of_all(maps));
                now
            };
            let told = Told::new(now, health.clone(), &config.resource).with_namespace(&config.namespace);
            server::start(listener, told, runtime);
        }
        let Some(otlp) = &config.otlp else { return Ok(Self { push: None, health }) };
        let started = latest.borrow().time;
        let push = Push::new(otlp, &config.resource, config.is_delta, started).context("cannot export metrics")?;
        let counting = if config.is_delta { Counting::Watched } else { Counting::Series };
        let now = move |maps: &[Seen]| {
            let mut now = all(maps, counting);
            now.push(spread(recorders.iter().filter_map(Recorder::take).collect()));
            now
        };
        let push = export(push, latest.clone(), config.interval, now);
        Ok(Self { push: Some(runtime.spawn(push)), health })
    }

    /// Waits for the last export.
    fn finish(self, runtime: &Handle) {
        let Some(push) = self.push else { return };
        if runtime.block_on(async { time::timeout(LAST_EXPORT, push).await }).is_err() {
            warn!("the last metrics were not delivered");
        }
    }
}

/// Exports the latest snapshot now, each interval, and once more when there are no others.
async fn export(
    mut push: Push,
    mut latest: watch::Receiver<Snapshot>,
    interval: Duration,
    metrics: impl Fn(&[Seen]) -> Vec<crate::metrics::Metric>,
) {
    let mut rates = Rates::default();
    let mut ticks = time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_last = false;
    while !is_last {
        tokio::select! {
            _ = ticks.tick() => {}
            () = ended(&mut latest) => is_last = true,
        }
        let mut snapshot = latest.borrow().clone();
        rates.renew(&mut snapshot.maps);
        push.export(&metrics(&snapshot.maps), snapshot.time).await;
    }
}

/// What each map had in the last export: a rate between two readings would tell of one second alone, however long it is from
/// one export to the next.
#[derive(Default)]
struct Rates(Vec<Option<Exported>>);

struct Exported {
    packets: u64,
    at: Instant,
    rate: Option<f64>,
}

impl Rates {
    /// Makes rates of maps those since the last call. The first time, and while nothing else was read, they stay as they
    /// are.
    fn renew(&mut self, maps: &mut [Seen]) {
        self.0.resize_with(maps.len(), || None);
        for (last, seen) in self.0.iter_mut().zip(maps) {
            let Some(sample) = &mut seen.sample else {
                *last = None;
                continue;
            };
            let (packets, at) = (sample.total.gain.packets, sample.at);
            let rate = match last {
                None => sample.packets_per_second,
                Some(last) if last.at >= at => last.rate,
                Some(last) => Some(packets.saturating_sub(last.packets) as f64 / (at - last.at).as_secs_f64()),
            };
            sample.packets_per_second = rate;
            *last = Some(Exported { packets, at, rate });
        }
    }
}

/// Completes when nothing comes any more.
async fn ended(latest: &mut watch::Receiver<Snapshot>) {
    while latest.changed().await.is_ok() {}
}

#[cfg(test)]
mod tests;
