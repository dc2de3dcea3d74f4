//! Our XDP program in the kernel: as it is assembled, and as clang compiles its twin in C. Both count what the reference
//! classifier does.
//!
//! Needs root, clang, the headers of libbpf, iproute2 and bpftool.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use aya::Ebpf;
use aya::maps::{HashMap, PerCpuArray};
use aya::programs::{TestRun, TestRunOptions, Xdp};
use rustix::time::{ClockId, clock_gettime};
use xdp_counters::program::{self, Classified, DEFAULT_FLOWS, Flow, FlowKey, Protocol, classify};

use super::lab::{self, Lab};
use crate::e2e::Bench;

mod foreground;
mod jumbo;
mod link;

/// Frames that every program counts.
const FRAMES: usize = 50_000;
const SEED: u64 = 26;
/// Runs of each measurement.
const REPEATS: u32 = 10_000_000;
/// `XDP_PASS`
const PASS: u32 = 2;

/// A program to load.
struct Candidate {
    name: String,
    object: PathBuf,
    with_flows: bool,
    with_frags: bool,
}

impl Candidate {
    /// The object's section that has it.
    fn section(&self) -> &'static str {
        if self.with_frags { program::FRAGS_SECTION } else { program::SECTION }
    }
}

/// Counters and flows are equal, whoever made the program; loaders of others take it; [`program::attach`] does what it says.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    ensure!(rustix::process::geteuid().is_root(), "loading programs needs the rights of root");
    let folder = bench.folder.join("xdp-program");
    fs::create_dir_all(&folder)?;
    let candidates = candidates(&folder)?;
    let mut random = fastrand::Rng::with_seed(SEED);
    let frames: Vec<_> = (0..FRAMES)
        .map(|_| {
            let choices: Vec<u8> = (0..160).map(|_| random.u8(..)).collect();
            testkit::frames::frame(&choices)
        })
        .collect();
    let long = long_frames()?;
    let mut rows = Vec::new();
    for candidate in &candidates {
        // Such a frame is in several buffers.
        let long = long.iter().filter(|_| candidate.with_frags);
        let frames: Vec<_> = frames.iter().chain(long).collect();
        let counted = count(candidate, &frames).with_context(|| candidate.name.clone())?;
        let times = measure(candidate).with_context(|| candidate.name.clone())?;
        rows.push(format!("{}: {counted}; {times}", candidate.name));
    }
    let lab = Lab::new(&bench.folder)?;
    rows.push(link::loaders(&lab, &candidates)?);
    rows.extend(link::attach_and_detach(&lab)?);
    rows.push(foreground::run(bench, &lab)?);
    drop(lab);
    rows.extend(jumbo::run(bench)?);
    Ok(rows)
}

/// Each variant of the program, as it is assembled and as it is compiled.
fn candidates(folder: &Path) -> anyhow::Result<Vec<Candidate>> {
    let mut candidates = Vec::new();
    for (with_flows, with_frags) in [(false, false), (true, false), (false, true), (true, true)] {
        let variant = match (with_flows, with_frags) {
            (false, false) => "counters",
            (true, false) => "flows",
            (false, true) => "counters-frags",
            (true, true) => "flows-frags",
        };
        let assembled = folder.join(format!("{variant}.o"));
        fs::write(&assembled, program::object(with_flows.then_some(DEFAULT_FLOWS), with_frags))?;
        let flows = with_flows.then(|| format!("-DFLOWS={DEFAULT_FLOWS}"));
        let defines: Vec<_> = flows.into_iter().chain(with_frags.then(|| "-DFRAGS".to_owned())).collect();
        let compiled = compile(folder, &format!("{variant}-clang.o"), &defines)?;
        for (made, object) in [("assembled", assembled), ("compiled", compiled)] {
            candidates.push(Candidate { name: format!("{made}, {variant}"), object, with_flows, with_frags });
        }
    }
    Ok(candidates)
}

/// Frames that are longer than a buffer of `BPF_PROG_TEST_RUN`, which is less than a page.
fn long_frames() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    let address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let ethernet = || etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    for payload in [3_000, 4_096, 8_000, 8_900] {
        let payload = vec![0; payload];
        let (mut udp, mut tcp) = (Vec::new(), Vec::new());
        ethernet().ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(9, payload.len() as u16).write(&mut udp, &payload)?;
        ethernet().ipv6(address, address, 64).tcp(9, payload.len() as u16, 1, 1_000).write(&mut tcp, &payload)?;
        // Without a length in the header, as after segmentation offload, it is that of the frame.
        let mut offloaded = udp.clone();
        offloaded[16..18].fill(0);
        frames.extend([udp, tcp, offloaded]);
    }
    Ok(frames)
}

fn compile(folder: &Path, name: &str, defines: &[String]) -> anyhow::Result<PathBuf> {
    let object = folder.join(name);
    lab::compile("crates/xdp-counters/src/program/xdp_counters.bpf.c", &object, defines)?;
    Ok(object)
}

fn load(object: &Path) -> anyhow::Result<Ebpf> {
    let mut ebpf = Ebpf::load(&fs::read(object)?)?;
    let program: &mut Xdp = ebpf.program_mut(program::PROGRAM_NAME).context("no program")?.try_into()?;
    program.load()?;
    Ok(ebpf)
}

fn test_run(ebpf: &Ebpf, frame: &[u8], repeat: u32) -> anyhow::Result<Duration> {
    let program: &Xdp = ebpf.program(program::PROGRAM_NAME).context("no program")?.try_into()?;
    let result = program.test_run(TestRunOptions { data_in: Some(frame), repeat, ..TestRunOptions::default() })?;
    ensure!(result.return_value == PASS, "verdict {}", result.return_value);
    Ok(result.duration)
}

/// What is in the maps of a program, by verdict, by protocol, and flows.
#[derive(Debug, PartialEq)]
struct Counted {
    stats: Vec<[u64; 2]>,
    protocols: Vec<[u64; 2]>,
    /// Packets, bytes and TCP flags.
    flows: BTreeMap<FlowKey, (u64, u64, u8)>,
}

impl Counted {
    /// As the reference classifier has it.
    fn reference(frames: &[&Vec<u8>], with_flows: bool) -> Self {
        let (mut stats, mut protocols) = (vec![[0; 2]; 5], vec![[0; 2]; Protocol::ALL.len()]);
        let mut flows: BTreeMap<_, (u64, u64, u8)> = BTreeMap::new();
        for frame in frames {
            let Classified { protocol, flow } = classify(frame);
            for [packets, bytes] in [&mut stats[PASS as usize], &mut protocols[protocol as usize]] {
                *packets += 1;
                *bytes += frame.len() as u64;
            }
            if let Some(packet) = flow.filter(|_| with_flows) {
                let flow = flows.entry(packet.key).or_default();
                *flow = (flow.0 + 1, flow.1 + packet.bytes, flow.2 | packet.tcp_flags);
            }
        }
        Self { stats, protocols, flows }
    }

    fn of_maps(ebpf: &Ebpf, flows: &[Flow]) -> anyhow::Result<Self> {
        let flows = flows.iter().map(|flow| (flow.key, (flow.packets, flow.bytes, flow.tcp_flags))).collect();
        Ok(Self {
            stats: counters(ebpf, program::STATS_MAP)?,
            protocols: counters(ebpf, program::PROTOCOL_MAP)?,
            flows,
        })
    }
}

/// Packets and bytes of a map, summed over CPUs.
fn counters(ebpf: &Ebpf, map: &str) -> anyhow::Result<Vec<[u64; 2]>> {
    let map: PerCpuArray<_, [u64; 2]> = ebpf.map(map).context("no map")?.try_into()?;
    let sum = |sum: [u64; 2], cpu: &[u64; 2]| [sum[0] + cpu[0], sum[1] + cpu[1]];
    map.iter().map(|values| Ok(values?.iter().fold([0; 2], sum))).collect()
}

fn flows(ebpf: &Ebpf) -> anyhow::Result<Vec<Flow>> {
    let map: HashMap<_, [u8; 40], [u8; 40]> = ebpf.map(program::FLOW_MAPS[0]).context("no map")?.try_into()?;
    map.iter()
        .map(|entry| {
            let (key, value) = entry?;
            Flow::from_entry(&key, &value).ok_or_else(|| anyhow!("not a flow: {key:?}"))
        })
        .collect()
}

fn count(candidate: &Candidate, frames: &[&Vec<u8>]) -> anyhow::Result<String> {
    let ebpf = load(&candidate.object)?;
    let before = monotonic()?;
    for frame in frames {
        test_run(&ebpf, frame, 1).with_context(|| format!("{frame:02x?}"))?;
    }
    let after = monotonic()?;
    let flows = if candidate.with_flows { flows(&ebpf)? } else { Vec::new() };
    let (counted, expected) = (Counted::of_maps(&ebpf, &flows)?, Counted::reference(frames, candidate.with_flows));
    ensure!(counted == expected, "it counts {counted:?}, not {expected:?}");
    let in_time = |flow: &Flow| before <= flow.first && flow.first <= flow.last && flow.last <= after;
    let out_of_time = flows.iter().find(|flow| !in_time(flow));
    ensure!(out_of_time.is_none(), "{out_of_time:?} is not between {before:?} and {after:?}");
    let several = flows.iter().filter(|flow| flow.packets > 1 && flow.last > flow.first).count();
    ensure!(candidate.with_flows == (several > 100), "{several} flows of several packets");
    Ok(format!("{} frames, {} flows equal", frames.len(), flows.len()))
}

/// The clock of `bpf_ktime_get_ns`.
fn monotonic() -> anyhow::Result<Duration> {
    Ok(clock_gettime(ClockId::Monotonic).try_into()?)
}

/// What a packet costs, as `BPF_PROG_TEST_RUN` tells, its own overhead included.
fn measure(candidate: &Candidate) -> anyhow::Result<String> {
    let ebpf = load(&candidate.object)?;
    let builder = || etherparse::PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let (mut tcp, mut udp) = (Vec::new(), Vec::new());
    builder().ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).tcp(54_321, 443, 1, 1_000).write(&mut tcp, &[0; 88])?;
    let address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    builder().ipv6(address, address, 64).udp(54_321, 443).write(&mut udp, &[0; 80])?;
    let times = [("IPv4 TCP", tcp), ("IPv6 UDP", udp)].map(|(name, frame)| {
        let time = test_run(&ebpf, &frame, REPEATS)?;
        anyhow::Ok(format!("{name} of {} bytes {} ns", frame.len(), time.as_nanos()))
    });
    // Written beside it only: how long something takes is no test on a machine that others use too.
    let goal = if candidate.with_flows { 70 } else { 12 };
    Ok(format!("{} (goal {goal})", times.into_iter().collect::<anyhow::Result<Vec<_>>>()?.join(", ")))
}
