//! Bursts between two readings of a second, and what a program takes, as an export has them.
//!
//! Nothing here depends on how busy the machine is: what is asserted follows from what was sent, and from samples being 10 ms or
//! more apart.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use testkit::otlp_server::{Metric, metric, number_data_point};
use xdp_counters::program::{AttachMode, AttachOptions, STATS_MAP, attach, detach_pinned};
use xdp_counters::{Reader, Selector};

use super::lab::{self, INTERFACE, Lab};
use crate::e2e::process::{Child, wait_until};
use crate::e2e::receiver::Receiver;
use crate::e2e::{Bench, http};

/// Frames that are sent as fast as it goes.
const BURST: u64 = 2_000;
/// Frames that are sent one by one, before.
const PACED: u64 = 500;
const PACE: Duration = Duration::from_millis(2);
/// Runs that are asked for.
const RUNS: u64 = 12_345;
/// Least time between two samples, in seconds.
const SAMPLE: f64 = 0.01;
const PATIENCE: Duration = Duration::from_secs(120);
/// Of `/metrics`, in a namespace of its own.
const METRICS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9465);

/// An export with `--bursts` and `--program-stats`.
///
/// # Errors
///
/// When a number cannot be, and where nobody may be root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let lab = Lab::named(&bench.folder, "xdp-bursts")?;
    let pins = lab.pins.join("program");
    let options = AttachOptions { pin: Some(pins.clone()), ..AttachOptions::default() };
    let program = lab.inside(|| Ok(attach(INTERFACE, AttachMode::Drv, &options)?.program_id()))?;
    let receiver = Receiver::start_on(lab.inside(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?)?;
    let mut command = lab.command_inside(&bench.netflow2traces);
    let (endpoint, port) = (receiver.address().to_string(), METRICS.port().to_string());
    command.args(["xdp", "--iface", INTERFACE, "--map-name", STATS_MAP, "--interval", "0.5", "--bursts"]);
    command.args(["--program-stats", "--otel-endpoint", &endpoint, "--prometheus-port", &port]);
    let mut exporter = Child::spawn(command, &lab.folder().join("export.log"))?;
    let seen = Seen { receiver: &receiver, map: pins.join(STATS_MAP) };
    seen.wait("the first samples", |spread| spread.count > 0)?;
    let rows = vec![bursts(&lab, &seen)?, runs(&lab, &seen, program)?];
    scrape(&lab)?;
    exporter.terminate()?;
    let status = exporter.wait(PATIENCE)?;
    ensure!(status.success(), "the export ended with {status}; see {}", exporter.log().display());
    detach_pinned(&pins)?;
    Ok(rows)
}

/// How rates were spread so far, as the latest export has it.
#[derive(Clone, Debug)]
struct Spread {
    count: u64,
    zeros: u64,
    sum: f64,
    max: f64,
    /// From the start to the export, in seconds.
    time: f64,
    until: SystemTime,
    /// Above, at most, and how many.
    buckets: Vec<(f64, f64, u64)>,
}

impl Spread {
    fn of(metric: &Metric) -> Option<Self> {
        let Some(metric::Data::ExponentialHistogram(histogram)) = &metric.data else { return None };
        let point = histogram.data_points.first()?;
        let positive = point.positive.as_ref()?;
        let bound = |index: i32| (f64::from(index) * f64::from(-point.scale).exp2()).exp2();
        let buckets = (positive.offset..).zip(&positive.bucket_counts);
        Some(Self {
            count: point.count,
            zeros: point.zero_count,
            sum: point.sum?,
            max: point.max?,
            time: (point.time_unix_nano - point.start_time_unix_nano) as f64 / 1e9,
            until: UNIX_EPOCH + Duration::from_nanos(point.time_unix_nano),
            buckets: buckets.map(|(index, count)| (bound(index), bound(index + 1), *count)).collect(),
        })
    }
}

/// Both sides: what the receiver was told, and what is in the map.
struct Seen<'a> {
    receiver: &'a Receiver,
    map: PathBuf,
}

impl Seen<'_> {
    /// The first export that is as wanted, of those to come.
    fn wait(&self, what: &str, wanted: impl Fn(&Spread) -> bool) -> anyhow::Result<Spread> {
        wait_until(what, PATIENCE, || {
            let latest = self.receiver.metrics().iter().rev().find_map(Spread::of);
            Ok(latest.filter(|spread| wanted(spread)))
        })
    }

    /// What a counter of the program says now.
    fn counter(&self, name: &str) -> Option<f64> {
        let metrics = self.receiver.metrics();
        let metric = metrics.iter().rev().find(|metric| metric.name == name)?;
        let Some(metric::Data::Sum(sum)) = &metric.data else { return None };
        match sum.data_points.first()?.value? {
            number_data_point::Value::AsInt(value) => Some(value as f64),
            number_data_point::Value::AsDouble(value) => Some(value),
        }
    }

    fn packets(&self) -> anyhow::Result<u64> {
        Ok(Reader::new(Selector::Pin(self.map.clone()), None)?.read()?.packets())
    }
}

/// Sends slowly and then all at once, which only samples tell apart.
fn bursts(lab: &Lab, seen: &Seen<'_>) -> anyhow::Result<String> {
    lab.there(|| {
        let send = lab::sender()?;
        (0..PACED).try_for_each(|_| {
            std::thread::sleep(PACE);
            send()
        })
    })?;
    let counted =
        |frames| wait_until("all frames are counted", PATIENCE, || Ok((seen.packets()? == frames).then_some(())));
    counted(PACED)?;
    let began = Instant::now();
    lab.send(BURST)?;
    // Not before this the kernel has counted them.
    counted(PACED + BURST)?;
    let (took, counted) = (began.elapsed().as_secs_f64(), SystemTime::now());
    let after = seen.wait("an export after the burst", |spread| spread.until > counted)?;
    let spread = seen.wait("samples after that", |spread| spread.count > after.count + 1)?;

    let sent = (PACED + BURST) as f64;
    let in_buckets: u64 = spread.buckets.iter().map(|(_, _, count)| count).sum();
    ensure!(in_buckets + spread.zeros == spread.count, "not all samples have a bucket: {spread:?}");
    // A hundred a second when the machine has nothing else to do; one, of the readings beside them, would not be enough.
    ensure!(spread.count as f64 > 10.0 * spread.time, "{} samples in {:.1} s", spread.count, spread.time);
    let (above, at_most, count) = *spread.buckets.last().context("no bucket")?;
    ensure!(count > 0 && spread.max > above * (1.0 - 1e-9) && spread.max <= at_most * (1.0 + 1e-9), "{spread:?}");
    // Rates times the times between samples are what was sent, and no time is shorter than this.
    ensure!(spread.sum * SAMPLE <= sent * (1.0 + 1e-9), "{} packets were sent: {spread:?}", sent);
    // At most so many samples have a part of the burst; all others leave them so much time.
    let of_burst = (took / SAMPLE).floor() + 2.0;
    let longest = spread.time - (spread.count as f64 - of_burst) * SAMPLE;
    let least = BURST as f64 / longest;
    ensure!(spread.max >= least, "the highest rate is below {least}: {spread:?}");
    let runs = wait_until("all runs are exported", PATIENCE, || {
        Ok(seen.counter("xdp.program.run_count").filter(|runs| *runs >= sent))
    })?;
    ensure!(runs == sent, "{runs} runs for {sent} packets");
    Ok(format!(
        "burst of {BURST} in {:.1} ms: highest rate {:.0}/s, certainly {least:.0} to {:.0}; {} samples in {:.1} s, {} idle; \
         {runs} runs for {sent} packets",
        took * 1e3,
        spread.max,
        sent / SAMPLE,
        spread.count,
        spread.time,
        spread.zeros,
    ))
}

/// What `BPF_PROG_TEST_RUN` does, an export has.
fn runs(lab: &Lab, seen: &Seen<'_>, program: u32) -> anyhow::Result<String> {
    let counters = || Some((seen.counter("xdp.program.run_count")?, seen.counter("xdp.program.run_time")?));
    let (count, time) = counters().context("no counters of the program")?;
    let frame = lab.folder().join("frame");
    fs::write(&frame, [0; 64])?;
    let began = Instant::now();
    lab::run(&format!("bpftool prog run id {program} data_in {} repeat {RUNS}", frame.display()))?;
    let took = began.elapsed().as_secs_f64();
    let (count_after, time_after) =
        wait_until(
            "the runs are exported",
            PATIENCE,
            || Ok(counters().filter(|(now, _)| *now >= count + RUNS as f64)),
        )?;
    ensure!(count_after == count + RUNS as f64, "{RUNS} runs made {count} to {count_after}");
    let spent = time_after - time;
    ensure!(spent > 0.0 && spent <= took, "{RUNS} runs within {took} s took {spent} s");
    Ok(format!("{RUNS} runs by bpftool: exact, {:.0} ns each", spent * 1e9 / RUNS as f64))
}

/// The same at `/metrics`, as a classic histogram.
fn scrape(lab: &Lab) -> anyhow::Result<()> {
    let text = lab.inside(|| http::get(METRICS, "/metrics"))?;
    let value = |name: &str| -> anyhow::Result<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no {name} in {text}"))?.parse()?)
    };
    let name = "xdp_xdp_packets_rate_distribution_per_sec";
    let (all, idle) = (value(&format!("{name}_bucket{{le=\"+Inf\"}}"))?, value(&format!("{name}_bucket{{le=\"0\"}}"))?);
    ensure!(all == value(&format!("{name}_count"))? && all > idle, "{text}");
    ensure!(value("xdp_xdp_packets_rate_max_per_sec")? >= 0.0, "{text}");
    Ok(())
}
