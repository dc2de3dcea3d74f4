//! The program is replaced while packets come, again and again, and somebody keeps the old maps.

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, anyhow, ensure};
use testkit::otlp_server::NumberDataPoint;
use xdp_counters::program::{AttachMode, AttachOptions, Attachment, PROTOCOL_MAP, STATS_MAP, attach};
use xdp_counters::{Reader, Selector};

use super::lab::{FRAME_LEN, INTERFACE, Lab, sender};
use super::points::{Points, value};
use crate::e2e::Bench;
use crate::e2e::process::{Child, wait_until};
use crate::e2e::receiver::Receiver;

const ROUNDS: usize = 20;
/// From one frame to the next.
const PACE: Duration = Duration::from_millis(1);
/// Seconds from one export to the next, and from one reading to the next.
const INTERVAL: &str = "0.1";
/// Exports under load in each round, before anything is asked of them.
const EXPORTS: usize = 3;
/// All of our program's packets pass.
const BY_ACTION: &str = "xdp.action.packets";
const PATIENCE: Duration = Duration::from_secs(120);

/// Two exports, by interface and by name, follow every replacement: the next series has another start, no rate is negative, nothing
/// of the old map is exported once the new one is read, and what is exported is what was sent.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    ensure!(rustix::process::geteuid().is_root(), "attaching programs needs the rights of root");
    let lab = Lab::named(&bench.folder, "xdp-replaced")?;
    let traffic = Traffic::default();
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| lab.there(|| traffic.run()));
        let outcome = replace(bench, &lab, &traffic);
        traffic.is_over.store(true, Ordering::Relaxed);
        sending.join().map_err(|_| anyhow!("the sender panicked"))??;
        outcome
    })
}

/// Frames at a steady pace.
#[derive(Default)]
struct Traffic {
    /// How many were sent. None is while somebody holds this.
    sent: Mutex<u64>,
    is_over: AtomicBool,
}

impl Traffic {
    fn run(&self) -> anyhow::Result<()> {
        let send = sender()?;
        while !self.is_over.load(Ordering::Relaxed) {
            {
                let mut sent = self.pause();
                send()?;
                *sent += 1;
            }
            std::thread::sleep(PACE);
        }
        Ok(())
    }

    fn pause(&self) -> MutexGuard<'_, u64> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The command that exports, and what came of it.
struct Export {
    way: &'static str,
    /// Of the key that all packets are under.
    by_key: &'static str,
    receiver: Receiver,
    child: Child,
}

impl Export {
    fn start(bench: &Bench, lab: &Lab, way: [&'static str; 2], by_key: &'static str) -> anyhow::Result<Self> {
        let listener = lab.inside(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?;
        let receiver = Receiver::start_on(listener)?;
        let mut command = lab.command_inside(&bench.netflow2traces);
        command.args(["xdp", "export", "--interval", INTERVAL]).args(way);
        command.args(["--otel-endpoint", &receiver.address().to_string()]);
        let log = bench.folder.join(format!("netflow2traces-xdp-replaced{}.log", &way[0][1..]));
        Ok(Self { way: way[0], by_key, receiver, child: Child::spawn(command, &log)? })
    }

    fn points(&self, metric: &str) -> Points {
        let points = Points::of(&self.receiver, metric);
        if metric == BY_ACTION { points.with("xdp.action", "pass") } else { points }
    }

    /// Waits for exports of a series that began after `since`, with more packets each and a rate.
    fn rises(&mut self, since: SystemTime) -> anyhow::Result<()> {
        wait_until(&format!("{}: exports of the new program", self.way), PATIENCE, || {
            self.child.ensure_running()?;
            let points = self.points("xdp.packets.total");
            let mut totals: Vec<_> = points.iter().filter(|point| start(point) >= since).map(value).collect();
            totals.dedup();
            Ok((totals.len() > EXPORTS).then_some(()))
        })
    }

    /// Waits until the last export has exactly this.
    fn settles(&mut self, packets: u64) -> anyhow::Result<()> {
        let expected = [
            ("xdp.packets.total", packets),
            ("xdp.bytes.total", packets * FRAME_LEN),
            (self.by_key, packets),
            ("xdp.packets.rate", 0),
        ];
        wait_until(&format!("{}: {packets} packets", self.way), PATIENCE, || {
            self.child.ensure_running()?;
            let last = |name: &str| self.points(name).iter().next_back().map(value);
            Ok(expected.iter().all(|(name, value)| last(name) == Some(*value as f64)).then_some(()))
        })
    }

    fn end(&mut self) -> anyhow::Result<()> {
        self.child.terminate()?;
        let status = self.child.wait(PATIENCE)?;
        ensure!(status.success(), "{}: ended with {status}; see {}", self.way, self.child.log().display());
        Ok(())
    }
}

/// One program on the interface, and when it came.
struct Round {
    /// Just before the one before it was taken away.
    begun: SystemTime,
    attached: SystemTime,
    program: Attachment,
    /// Frames that were sent before it came, where none was sent meanwhile.
    sent_before: Option<u64>,
    /// The same, of frames while it came.
    at_most_before: u64,
}

impl Round {
    /// Puts the next program in the place of the last, whose maps are kept.
    fn next(
        lab: &Lab,
        traffic: &Traffic,
        number: usize,
        last: Option<Self>,
        kept: &mut Vec<OwnedFd>,
    ) -> anyhow::Result<Self> {
        let mode = if number % 4 < 2 { AttachMode::Drv } else { AttachMode::Skb };
        let pause = (number % 2 == 1).then(|| traffic.pause());
        let sent_before = pause.as_deref().copied();
        let begun = SystemTime::now();
        if let Some(last) = last {
            for map in [STATS_MAP, PROTOCOL_MAP] {
                kept.push(last.program.map(map).context("no map")?.try_clone_to_owned()?);
            }
        }
        let program = lab.inside(|| Ok(attach(INTERFACE, mode, &AttachOptions::default())?))?;
        let attached = SystemTime::now();
        let at_most_before = sent_before.unwrap_or_else(|| *traffic.pause());
        Ok(Self { begun, attached, program, sent_before, at_most_before })
    }

    /// What this program counted of the `sent` so far, as the kernel has it, once it is all that it must be.
    fn counted(&self, lab: &Lab, sent: u64) -> anyhow::Result<u64> {
        let map = Selector::Interface { interface: INTERFACE.to_owned(), map: Some(STATS_MAP.to_owned()) };
        let reader = Reader::new(map, None)?;
        wait_until("all frames are counted", PATIENCE, || {
            let reading = lab.inside(|| Ok(reader.read()?))?;
            ensure!(
                reading.program.as_ref().is_some_and(|program| program.id == self.program.program_id()),
                "another program than {}: {reading:?}",
                self.program.program_id()
            );
            let packets = reading.packets();
            ensure!(packets <= sent, "{packets} packets of {sent}");
            let is_all = match self.sent_before {
                Some(before) => packets == sent - before,
                None => packets >= sent - self.at_most_before,
            };
            Ok(is_all.then_some(packets))
        })
    }
}

fn replace(bench: &Bench, lab: &Lab, traffic: &Traffic) -> anyhow::Result<Vec<String>> {
    let mut kept = Vec::new();
    let mut times = Vec::new();
    let mut round = Round::next(lab, traffic, 0, None, &mut kept)?;
    let mut exports = [
        Export::start(bench, lab, ["--iface", INTERFACE], "xdp.udp.packets")?,
        Export::start(bench, lab, ["--map-name", STATS_MAP], BY_ACTION)?,
    ];
    exports.iter_mut().try_for_each(|export| export.rises(round.begun))?;
    for number in 1..=ROUNDS {
        round = Round::next(lab, traffic, number, Some(round), &mut kept)?;
        times.push((round.begun, round.attached));
        let mut look = || -> anyhow::Result<()> {
            exports.iter_mut().try_for_each(|export| export.rises(round.begun))?;
            let sent = traffic.pause();
            let counted = round.counted(lab, *sent)?;
            exports.iter_mut().try_for_each(|export| export.settles(counted))
        };
        look().with_context(|| format!("round {number}"))?;
    }
    exports.iter_mut().try_for_each(Export::end)?;
    let rows = exports.iter().map(|export| check(export, &times).with_context(|| export.way));
    rows.collect()
}

/// What holds of all that was exported.
fn check(export: &Export, times: &[(SystemTime, SystemTime)]) -> anyhow::Result<String> {
    let rates = export.points("xdp.packets.rate").values();
    ensure!(rates.iter().all(|rate| rate.is_finite() && *rate >= 0.0), "a rate is below zero: {rates:?}");
    ensure!(rates.iter().filter(|rate| **rate > 0.0).count() > ROUNDS, "rates are {rates:?}");
    for metric in ["xdp.packets.total", "xdp.bytes.total", export.by_key] {
        let points = export.points(metric);
        let pairs = points.iter().zip(points.iter().skip(1));
        for (before, after) in pairs {
            ensure!(
                start(after) >= start(before) && time(after) >= time(before),
                "{metric} goes back: {before:?}, {after:?}"
            );
            ensure!(start(after) <= time(after), "{metric} ends before it starts: {after:?}");
            let goes_on = start(after) > start(before) || value(after) >= value(before);
            ensure!(goes_on, "{metric} falls within a series: {before:?}, {after:?}");
        }
        for (index, (begun, attached)) in times.iter().enumerate() {
            let end = times.get(index + 1).map(|(begun, _)| *begun);
            let of_round =
                points.iter().filter(|point| time(point) > *attached && end.is_none_or(|end| time(point) < end));
            let (mut old, mut new): (Vec<_>, Vec<_>) = of_round.partition(|point| start(point) < *begun);
            // A reading may have begun before the program was there.
            old.dedup_by_key(|point| point.time_unix_nano);
            ensure!(
                old.len() <= 1,
                "{metric}, round {}: the old map is exported after the new one came: {old:?}",
                index + 1
            );
            new.dedup_by_key(|point| point.start_time_unix_nano);
            ensure!(new.len() == 1, "{metric}, round {}: starts are {new:?}", index + 1);
        }
    }
    let resets = export.points("xdp.exporter.resets").values().last().copied().unwrap_or_default();
    // While there is no program, maps of the name that others on this machine make are as good as ours.
    let is_exact = resets == ROUNDS as f64 || (export.way == "--map-name" && resets > ROUNDS as f64);
    ensure!(is_exact, "{resets} resets of {ROUNDS}");
    if export.way == "--map-name" {
        let others = export.points("xdp.exporter.map.ambiguous").values().last().copied().unwrap_or_default();
        ensure!(others >= ROUNDS as f64, "{others} other maps of the name, where {ROUNDS} are kept");
    }
    Ok(format!(
        "{}: replaced {ROUNDS} times under load, {} exports, {resets} resets, no rate below zero, exact in each series",
        export.way,
        export.points("xdp.packets.total").len()
    ))
}

fn start(point: &NumberDataPoint) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(point.start_time_unix_nano)
}

fn time(point: &NumberDataPoint) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(point.time_unix_nano)
}
