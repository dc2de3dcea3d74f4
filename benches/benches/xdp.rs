//! What an interval costs: from the name of a map to its counters, for each way to name one; and what it costs to take flows
//! out.
//!
//! `cargo bench -p netflow2traces-benches --bench xdp --features root` has our own program on an interface in namespaces of its own,
//! which go with it, and reads the map of five verdicts there, per CPU, and takes out 65,536 flows; in that time is the wait for programs
//! that run. It takes root, util-linux and iproute2, and ends with exit
//! code 1 without them.
#![allow(missing_docs, clippy::unwrap_used)]

use std::env;
use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use criterion::{Criterion, Throughput};
use xdp_counters::program::{AttachMode, AttachOptions, FlowDrain, FlowSource, STATS_MAP, attach};
use xdp_counters::{Key, Reader, Selector};

/// Set where namespaces are this program's own.
const INSIDE: &str = "N2T_BENCH_INSIDE";

/// The only one of a new namespace.
const INTERFACE: &str = "lo";
/// Sent before, all of them counted.
const PACKETS: u64 = 100;
/// Taken out at a time; there is room for twice as many, as a map that is full gives some up.
const FLOWS: u32 = 65_536;

fn main() -> ExitCode {
    let outcome = match env::var_os(INSIDE) {
        Some(folder) => interval(Path::new(&folder)),
        None => inside(),
    };
    match outcome {
        Ok(code) => code,
        Err(message) => {
            eprintln!("error: {message}");
            // Which unshare does not use.
            if env::var_os(INSIDE).is_some() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

/// Runs this program once more, in namespaces of its own.
fn inside() -> Result<ExitCode, String> {
    let folder = env::temp_dir().join(format!("n2t-bench-xdp-{}", std::process::id()));
    fs::create_dir(&folder).map_err(|error| format!("create {}: {error}", folder.display()))?;
    let program = env::current_exe().map_err(|error| error.to_string())?;
    let mut unshare = Command::new("unshare");
    unshare.args(["--net", "--mount", "--propagation", "private"]).arg(program).args(env::args_os().skip(1));
    let status = unshare.env(INSIDE, &folder).status();
    let _ = fs::remove_dir(&folder);
    match status.map_err(|error| format!("run unshare: {error}; is util-linux installed?"))?.code() {
        Some(0) => Ok(ExitCode::SUCCESS),
        // Of unshare itself; what this program has to say it has said.
        Some(1) => Err("namespaces of our own, and maps in the kernel, take root".to_owned()),
        _ => Ok(ExitCode::FAILURE),
    }
}

/// Reads in all ways what was sent, and then measures that.
fn interval(folder: &Path) -> Result<ExitCode, String> {
    run("mount", &["-t", "bpf", "bpf", folder.to_str().unwrap()])?;
    run("ip", &["link", "set", INTERFACE, "up"])?;
    let pin = folder.join("program");
    let options =
        AttachOptions { pin: Some(pin.clone()), flows: NonZeroU32::new(2 * FLOWS), ..AttachOptions::default() };
    attach(INTERFACE, AttachMode::Skb, &options).map_err(|error| error.to_string())?;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..PACKETS {
        socket.send_to(&[0; 100], socket.local_addr().unwrap()).unwrap();
    }
    let mut buffer = [0; 100];
    (0..PACKETS).for_each(|_| assert_eq!(socket.recv(&mut buffer).unwrap(), 100));

    let name = || STATS_MAP.to_owned();
    let interface = Selector::Interface { interface: INTERFACE.to_owned(), map: Some(name()) };
    let read = |selector| Reader::new(selector, None).and_then(|reader| reader.read());
    let id = read(interface.clone()).map_err(|error| error.to_string())?.map.id;
    let ways = [
        ("id", Selector::Id(id)),
        ("name", Selector::Name(name())),
        ("pin", Selector::Pin(pin.join(STATS_MAP))),
        ("interface", interface),
    ];
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("interval");
    for (way, selector) in ways {
        let reader = Reader::new(selector, None).unwrap();
        let reading = reader.read().unwrap();
        assert_eq!((reading.map.id, reading.counters.len()), (id, 5), "{way}");
        let passed = reading.counters.iter().find(|counter| counter.key == Key::Action("pass"));
        assert_eq!(passed.map(|counter| counter.packets), Some(PACKETS), "{way}");
        group.bench_function(way, |bencher| bencher.iter(|| reader.read().unwrap()));
    }
    group.finish();
    flows(&mut criterion, &pin);
    criterion.final_summary();
    Ok(ExitCode::SUCCESS)
}

/// Takes out flows that are made anew each time: datagrams to as many addresses of this host.
fn flows(criterion: &mut Criterion, pins: &Path) {
    // It takes them, so that no ICMP comes back.
    let receiver = UdpSocket::bind("0.0.0.0:0").unwrap();
    let port = receiver.local_addr().unwrap().port();
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut drain = FlowDrain::new(FlowSource::Pins(pins.to_owned()));
    let mut take = || {
        for number in 0..FLOWS {
            let [_, high, middle, low] = (number + 1).to_be_bytes();
            sender.send_to(&[0; 20], (Ipv4Addr::new(127, high, middle, low), port)).unwrap();
        }
        let mut packets = 0;
        let started = Instant::now();
        let taken = drain.take(|flow| packets += flow.packets).unwrap();
        let elapsed = started.elapsed();
        assert!(taken.flows >= u64::from(FLOWS) && packets >= u64::from(FLOWS), "{taken:?}, {packets} packets");
        elapsed
    };
    let mut group = criterion.benchmark_group("flows");
    group.sample_size(10).throughput(Throughput::Elements(FLOWS.into()));
    group.bench_function("take", |bencher| bencher.iter_custom(|times| (0..times).map(|_| take()).sum()));
    group.finish();
}

fn run(program: &str, arguments: &[&str]) -> Result<(), String> {
    let status = Command::new(program).args(arguments).status().map_err(|error| format!("run {program}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{program} {} ended with {status}", arguments.join(" "))) }
}
