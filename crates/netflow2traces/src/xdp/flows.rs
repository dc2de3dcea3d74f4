//! Flows that our XDP program keeps, as spans: they are taken out of its maps each interval and go the way that records of
//! other exporters go, as IPFIX Messages of this machine.

mod messages;
mod turns;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use flow_collector::{CollectorStats, Pipeline, Pulse};
use flow_state::{State, TransportSession};
use otlp_sink::Sink;
use tokio::runtime::Handle;
use tracing::{info, warn};
use xdp_counters::attached;
use xdp_counters::program::{Flow, FlowDrain, FlowSource, Taken};

use super::watched::{NoReading, WARN_INTERVAL};
use crate::collect::DRAIN_DEADLINE;
use crate::config::Config;
use crate::metrics::{Attributes, Kind, Metric, Point};
use crate::replay::{pipeline, wait_for_room};
use messages::{Clock, Messages};
use turns::{Looked, Turns, failure};

/// A map gives up flows when it has more of them than this share of its room: processors keep some for themselves.
const NEARLY_FULL: f64 = 0.5;
/// How long flows that were taken out wait for room before their spans are dropped.
const PATIENCE: Duration = Duration::from_secs(5);
/// This machine is the exporter, and its address as good as any.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Takes flows out and exports them, until it is stopped.
pub(super) struct Flows {
    sink: Sink,
    stats: Arc<CollectorStats>,
    told: Arc<Told>,
    /// Nothing is waited for any more.
    stopping: Arc<AtomicBool>,
    turns: Turns,
}

impl Flows {
    /// Begins with the flows that are there, and goes on in a thread of its own, with this `pulse`.
    ///
    /// # Errors
    ///
    /// Flows that may not be taken out, or that are missing, if `fail_on_missing`; an output that cannot be written.
    pub(super) fn start(
        sources: &[FlowSource],
        config: Config,
        interval: Duration,
        fail_on_missing: bool,
        pulse: Pulse,
        runtime: &Handle,
    ) -> anyhow::Result<Self> {
        let room = config.sink.queue_bytes / 2;
        let sink = Sink::start(config.sink, runtime)?;
        let stats = Arc::<CollectorStats>::default();
        let state = Arc::new(State::new(config.collector.state.clone()));
        let pipeline = pipeline(config.collector, state, stats.clone(), &sink);
        let told = Arc::new(Told::new(sources));
        let sources = (0..).zip(sources).map(|(number, source)| Source::new(number, source.clone())).collect();
        let stopping = Arc::<AtomicBool>::default();
        let mut exporter = Exporter { sources, pipeline, sink: sink.clone(), room, told: told.clone() };
        let is_refused = |error: &NoReading| fail_on_missing || matches!(error, NoReading::Failed(_));
        if let Some(error) = failure(exporter.take_all(|| false), is_refused) {
            // Flows of other sources are out of their maps, and go on all the same.
            drop(exporter);
            runtime.block_on(sink.shutdown(DRAIN_DEADLINE));
            return Err(error);
        }
        let is_stopping = stopping.clone();
        let take = move |is_last: bool| exporter.take_all(|| !is_last && is_stopping.load(Relaxed));
        let turns = Turns::start(interval, fail_on_missing, pulse, take)?;
        Ok(Self { sink, stats, told, stopping, turns })
    }

    /// Completes when no more flows are taken out though nobody said so; what was taken can still be delivered then.
    pub(super) async fn failed(&mut self) -> anyhow::Error {
        let error = self.turns.failed().await;
        self.told.none_is_there();
        error
    }

    /// What metrics say of it.
    pub(super) fn told(&self) -> FlowMetrics {
        FlowMetrics { told: self.told.clone(), sink: self.sink.clone() }
    }

    /// Takes what there is for the last time, and delivers it.
    pub(super) fn finish(self, runtime: &Handle) {
        self.stopping.store(true, Relaxed);
        self.turns.finish();
        let report = runtime.block_on(self.sink.shutdown(DRAIN_DEADLINE));
        let totals = self.stats.snapshot();
        info!(
            flows = self.told.taken.load(Relaxed),
            filtered = totals.flows_filtered,
            sampled_out = totals.flows_sampled_out,
            spans_exported = report.exported,
            spans_dropped = report.dropped,
            spans_remaining = report.remaining,
            spans_spooled = report.spooled,
            "no more flows are taken out"
        );
    }
}

/// How a source of flows is shown.
fn shown(source: &FlowSource) -> String {
    match source {
        FlowSource::Interface(interface) => format!("iface={interface}"),
        FlowSource::Pins(directory) => format!("pin={}", directory.display()),
    }
}

struct Source {
    drain: FlowDrain,
    name: String,
    messages: Messages,
    flows: Vec<Flow>,
    warned: Option<Instant>,
}

impl Source {
    /// The one with this number among all.
    fn new(number: u32, source: FlowSource) -> Self {
        let name = shown(&source);
        let messages = Messages::new(number);
        Self { drain: FlowDrain::new(source), name, messages, flows: Vec::new(), warned: None }
    }

    /// Takes flows out, and says in the log what is wrong, once a minute.
    fn take(&mut self) -> Result<Taken, NoReading> {
        self.flows.clear();
        let taken = self.drain.take(|flow| self.flows.push(*flow)).map_err(NoReading::from);
        let warn = match &taken {
            Ok(taken) if taken.missed > 0 && taken.usage() > NEARLY_FULL => {
                Some("the map of flows was full, packets are missing: give it more room, or make the interval shorter")
            }
            Ok(_) => None,
            Err(_) => Some("flows cannot be taken out, will look again"),
        };
        if let Some(warning) = warn
            && self.warned.is_none_or(|warned| warned.elapsed() >= WARN_INTERVAL)
        {
            self.warned = Some(Instant::now());
            let error = taken.as_ref().err().map(tracing::field::display);
            let packets = taken.as_ref().ok().map(|taken| taken.missed);
            warn!(flows = self.name, packets, error, "{warning}");
        }
        taken
    }

    /// The number and the name of the interface, where they can be known.
    fn interface(&self) -> Option<(u32, String)> {
        let FlowSource::Interface(name) = self.drain.source() else { return None };
        let attached = attached().ok()?;
        let attached = attached.into_iter().find(|attached| attached.interface == *name)?;
        Some((attached.index, attached.interface))
    }
}

struct Exporter {
    sources: Vec<Source>,
    pipeline: Pipeline,
    sink: Sink,
    /// Bytes that may wait for the receiver when more is made.
    room: usize,
    told: Arc<Told>,
}

impl Exporter {
    /// Takes the flows of all sources and hands their spans to the sink; how that went. Waits for room a while at most, as the
    /// maps fill up meanwhile, and not when `is_stopping`.
    fn take_all(&mut self, is_stopping: impl Fn() -> bool) -> Vec<Looked> {
        let give_up = Instant::now() + PATIENCE;
        let mut looks = Vec::with_capacity(self.sources.len());
        for (index, source) in self.sources.iter_mut().enumerate() {
            let taken = source.take();
            self.told.look(index, source.flows.len(), &taken);
            if !source.flows.is_empty() {
                source.messages.begin(source.interface());
                let clock = Clock::now();
                let (flows, messages) = (&source.flows, &mut source.messages);
                messages.write(flows, &clock, |message| {
                    self.pipeline.process(TransportSession::new(HERE, HERE), clock.unix, message);
                    self.pipeline.flush_if_due();
                    wait_for_room(&self.sink, self.room, || is_stopping() || Instant::now() >= give_up);
                });
            }
            looks.push((source.name.clone(), taken));
        }
        self.pipeline.flush();
        looks
    }
}

/// What is known of the flows so far.
struct Told {
    taken: AtomicU64,
    missed: AtomicU64,
    /// Of each source its name and how its maps were at the last look.
    sources: Mutex<Vec<(String, Look)>>,
}

/// How a map was taken out; `None` while there is none.
type Look = Option<Taken>;

impl Told {
    fn new(sources: &[FlowSource]) -> Self {
        let sources = sources.iter().map(|source| (shown(source), None)).collect();
        Self { taken: AtomicU64::new(0), missed: AtomicU64::new(0), sources: Mutex::new(sources) }
    }

    fn look(&self, index: usize, flows: usize, taken: &Result<Taken, NoReading>) {
        self.taken.fetch_add(flows as u64, Relaxed);
        self.missed.fetch_add(taken.as_ref().map_or(0, |taken| taken.missed), Relaxed);
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources[index].1 = taken.as_ref().ok().copied();
    }

    fn none_is_there(&self) {
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        sources.iter_mut().for_each(|(_, look)| *look = None);
    }
}

/// Metrics of the flows.
#[derive(Clone)]
pub(super) struct FlowMetrics {
    told: Arc<Told>,
    sink: Sink,
}

impl FlowMetrics {
    pub(super) fn metrics(&self) -> [Metric; 7] {
        let sources = self.told.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let spans = self.sink.stats();
        let totals = Totals {
            taken: self.told.taken.load(Relaxed),
            missed: self.told.missed.load(Relaxed),
            exported: spans.exported(),
            dropped: spans.dropped(),
        };
        metrics(&totals, &sources)
    }
}

/// Flows, packets and spans so far.
pub(super) struct Totals {
    pub(super) taken: u64,
    pub(super) missed: u64,
    pub(super) exported: u64,
    pub(super) dropped: u64,
}

pub(super) fn metrics(totals: &Totals, sources: &[(String, Look)]) -> [Metric; 7] {
    let one = |value: u64| vec![Point::new(Attributes::new(), value)];
    let attributes = |name: &str| vec![("xdp.flows", name.to_owned())];
    let up = sources.iter().map(|(name, look)| Point::new(attributes(name), u64::from(look.is_some())));
    let of_last = |value: fn(&Taken) -> u64| {
        sources.iter().filter_map(|(name, look)| Some(Point::new(attributes(name), value(look.as_ref()?)))).collect()
    };
    [
        Metric::new("xdp.exporter.flows", "{flow}", Kind::Counter, "Flows taken out of the maps.", one(totals.taken)),
        Metric::new("xdp.exporter.spans", "{span}", Kind::Counter, "Spans that arrived.", one(totals.exported)),
        Metric::new("xdp.exporter.spans.dropped", "{span}", Kind::Counter, "Spans that did not.", one(totals.dropped)),
        Metric::new(
            "xdp.exporter.packets.missed",
            "{packet}",
            Kind::Counter,
            "Packets over IP in no flow, as it made room for others.",
            one(totals.missed),
        ),
        Metric::new(
            "xdp.exporter.flows.up",
            "{map}",
            Kind::Gauge,
            "1 while flows can be taken out, 0 while their maps are missing.",
            up.collect(),
        ),
        Metric::new(
            "xdp.exporter.flows.usage",
            "{flow}",
            Kind::Gauge,
            "Flows that were taken out last.",
            of_last(|taken| taken.flows),
        ),
        Metric::new(
            "xdp.exporter.flows.limit",
            "{flow}",
            Kind::Gauge,
            "Flows that the map has room for.",
            of_last(|taken| taken.capacity.into()),
        ),
    ]
}

#[cfg(test)]
mod tests;
