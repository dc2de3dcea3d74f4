//! `replay`: a capture through the whole pipeline, or its datagrams to a UDP address.

use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail, ensure};
use clap::Args;
use flow_capture::CapturedDatagram;
use flow_collector::{CollectorConfig, CollectorStats, Exporters, FlowSampler, Pipeline};
use flow_state::{State, Timestamp, TransportSession};
use otlp_sink::Sink;

use crate::collect::{DRAIN_DEADLINE, log_totals, runtime, warn_disabled};
use crate::config::Config;
use crate::decode::{damaged, open, warn_of_losses};
use crate::pace::{Pace, Pacer};
use crate::settings::Settings;
use crate::signals::Stop;
use crate::terminal;

/// Arguments of `replay`.
#[derive(Args)]
pub(crate) struct ReplayArgs {
    /// Capture to read (pcap or pcapng), or - for standard input
    file: PathBuf,

    /// Send the datagrams to this UDP address instead of exporting their flows
    #[arg(long, value_name = "HOST:PORT")]
    to: Option<String>,

    /// When datagrams leave: `own` (as captured), `max` (at once) or a number a second; own with --to, else max
    #[arg(long, value_name = "PACE", value_parser = Pace::parse)]
    pace: Option<Pace>,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Replays a capture.
///
/// # Errors
///
/// A capture that cannot be read, an address that cannot be sent to, spans that did not arrive.
pub(crate) fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    match &args.to {
        Some(to) => send(args, to),
        None => export(args),
    }
}

/// Hands every datagram to `take` at its time. `take` returns `false` to stop.
fn for_each(
    args: &ReplayArgs,
    pace: Pace,
    mut take: impl FnMut(&CapturedDatagram<'_>) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    let mut capture = open(&args.file)?;
    let mut pacer = Pacer::new(pace);
    while let Some(datagram) = capture.next_datagram().map_err(|error| damaged(error, &args.file))? {
        pacer.wait(datagram.captured_at);
        if !take(&datagram)? {
            return Ok(());
        }
    }
    warn_of_losses(&capture.stats());
    Ok(())
}

fn send(args: &ReplayArgs, to: &str) -> anyhow::Result<()> {
    let address = resolve(to)?;
    let local: SocketAddr = if address.is_ipv4() { ([0, 0, 0, 0], 0).into() } else { ([0u16; 8], 0).into() };
    let socket = UdpSocket::bind(local).context("cannot open a socket")?;
    let (mut datagrams, mut bytes) = (0_u64, 0_u64);
    for_each(args, args.pace.unwrap_or(Pace::Own), |datagram| {
        let sent = socket.send_to(datagram.payload, address);
        sent.with_context(|| format!("cannot send datagram {} to {address}", datagram.number))?;
        datagrams += 1;
        bytes += datagram.payload.len() as u64;
        Ok(true)
    })?;
    terminal::say(format_args!("sent {datagrams} datagrams, {bytes} bytes, to {address}"));
    Ok(())
}

/// The first address of a host and port.
pub(crate) fn resolve(to: &str) -> anyhow::Result<SocketAddr> {
    let failed = || format!("cannot send to {to:?}: expected HOST:PORT");
    to.to_socket_addrs().with_context(failed)?.next().with_context(failed)
}

fn export(args: &ReplayArgs) -> anyhow::Result<()> {
    let config = Config::new(&args.settings)?;
    if config.disabled {
        warn_disabled();
        return Ok(());
    }
    let runtime = runtime()?;
    let stop = Stop::listen(runtime.handle())?;
    let (room, check_bytes) = (config.sink.queue_bytes / 2, check_bytes(config.sink.queue_bytes));
    let sink = Sink::start(config.sink, runtime.handle())?;
    let stats = Arc::new(CollectorStats::default());
    let state = Arc::new(State::new(config.collector.state.clone()));
    if let Some(path) = &config.collector.state_file {
        restore(&state, path)?;
    }
    let mut pipeline = pipeline(config.collector, state, stats.clone(), &sink);
    let mut bytes_since_check = 0;
    let replayed = for_each(args, args.pace.unwrap_or(Pace::Max), |datagram| {
        let session = TransportSession::new(datagram.source, datagram.destination);
        pipeline.process(session, now(), datagram.payload);
        pipeline.flush_if_due();
        bytes_since_check += datagram.payload.len();
        if bytes_since_check >= check_bytes {
            bytes_since_check = 0;
            wait_for_room(&sink, room, || stop.is_requested());
        }
        Ok(!stop.is_requested())
    });
    pipeline.flush();
    drop(pipeline);
    // Whatever the queue holds is delivered before the deadline starts, unless someone wants to stop.
    wait_for_room(&sink, 0, || stop.is_requested());
    let report = runtime.block_on(sink.shutdown(DRAIN_DEADLINE));
    log_totals(&stats.snapshot(), &report);
    replayed?;
    ensure!(!stop.is_requested(), "stopped before the end of the capture");
    if report.dropped + report.remaining > 0 {
        bail!("{} of {} spans did not arrive", report.dropped + report.remaining, {
            report.exported + report.dropped + report.remaining
        });
    }
    Ok(())
}

/// A pipeline as the settings have it, but for limits: what comes does so as fast as it is read, and all of it is wanted.
pub(crate) fn pipeline(
    config: CollectorConfig,
    state: Arc<State>,
    stats: Arc<CollectorStats>,
    sink: &Sink,
) -> Pipeline {
    let exporters = Arc::new(Exporters::new(config.exporters.without_limits()));
    let pipeline = Pipeline::new(state, stats, exporters, config.trace, sink)
        .with_filter(config.filter)
        .with_sampling(Arc::new(FlowSampler::new(config.sampling)));
    match config.extra_elements {
        Some(wanted) => pipeline.with_extra_elements(wanted),
        None => pipeline,
    }
}

/// Takes up what a collector remembers, if it has written anything yet. Only the collector writes the file.
fn restore(state: &State, path: &Path) -> anyhow::Result<()> {
    let failed = || format!("cannot use the state file {}", path.display());
    match fs::read(path) {
        Ok(snapshot) => {
            state.restore(&snapshot, now()).with_context(failed)?;
            Ok(())
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(failed),
    }
}

/// The time by the system's clock; 1970 when it stands before that.
pub(crate) fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH + SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Datagram bytes between two looks at the queue: their spans, some 20 times as many bytes, and the batch under construction, an
/// eighth of the queue, are smaller than half of it.
fn check_bytes(queue_bytes: usize) -> usize {
    (queue_bytes / 128).min(64 << 10)
}

/// Time between two looks at a full queue.
const ROOM_INTERVAL: Duration = Duration::from_millis(5);

/// Waits while the queue holds more than `room` bytes: a capture can wait, exporters cannot.
pub(crate) fn wait_for_room(sink: &Sink, room: usize, give_up: impl Fn() -> bool) {
    let is_full = || sink.stats().outputs.iter().any(|output| output.held_bytes > room as u64);
    while is_full() && !give_up() {
        thread::sleep(ROOM_INTERVAL);
    }
}
