//! SIGHUP: settings change while flows come in.
#![allow(clippy::unwrap_used)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use common::scrape::{Scrape, wait_until};
use common::{Collector, named, netflow2traces, spans, wait_for_flows};
use flow_traffic::{Generator, TrafficConfig, Version};
use hex_literal::hex;
use serde_json::Value;

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

fn write(path: &Path, name: &str) {
    fs::write(path, format!("[[exporter]]\nnetwork = \"127.0.0.0/8\"\nname = \"{name}\"\n")).unwrap();
}

/// How many flows there are by the name of their exporter.
fn names(spans: &[Value]) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for flow in named(spans, "netflow.flow") {
        let attributes = flow["attributes"].as_array().unwrap();
        let name = attributes.iter().find(|attribute| attribute["key"] == "netflow.exporter.name");
        let name = name.map_or("", |name| name["value"]["stringValue"].as_str().unwrap());
        *names.entry(name.to_owned()).or_default() += 1;
    }
    names
}

#[test]
fn exporters_are_named_anew_and_a_bad_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = (folder.path().join("spans.jsonl"), folder.path().join("config.toml"));
    let output = format!("file:{}", path.display());
    write(&config, "first");
    let mut collector = Collector::start(&["--config", config.to_str().unwrap(), "--output", &output]);
    // What was sent before a signal must have been read before it.
    let datagram = |collector: &Collector, number: usize| {
        collector.receive(1);
        wait_for_flows(&path, 30 * number);
    };
    datagram(&collector, 1);

    write(&config, "second");
    collector.signal("HUP");
    collector.wait_for("reloaded the configuration");
    datagram(&collector, 2);

    fs::write(&config, "[[exporter]]\nnetwork = \"nowhere\"\n").unwrap();
    collector.signal("HUP");
    let line = collector.wait_for("not reloaded");
    assert!(line.contains("line 1: exporter") && line.contains("expected a network"), "{line}");
    datagram(&collector, 3);

    fs::write(&config, "listen_port = 9995\nservice_name = \"other\"\ndeny = \"127.0.0.1\"\n").unwrap();
    collector.signal("HUP");
    let line = collector.wait_for("takes effect after a restart only");
    assert!(line.contains("service_name"), "options win over the file: {line}");
    collector.receive(1);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0);
    let totals = log.last().unwrap();
    assert!(totals.contains("datagrams=3 denied=1"), "{totals}");
    assert_eq!(names(&spans(&path)), BTreeMap::from([("first".to_owned(), 30), ("second".to_owned(), 60)]));
}

/// However often the file is read, and whatever has been reloaded since.
#[test]
fn settings_that_wait_for_a_restart_are_named_until_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = (folder.path().join("spans.jsonl"), folder.path().join("config.toml"));
    let output = format!("file:{}", path.display());
    fs::write(&config, "").unwrap();
    let mut collector = Collector::start(&["--config", config.to_str().unwrap(), "--output", &output]);
    for text in ["service_name = \"other\"\n", "service_name = \"other\"\ndeny = \"192.0.2.1\"\n", ""] {
        fs::write(&config, text).unwrap();
        collector.signal("HUP");
        collector.wait_for_another("reloaded the configuration");
    }
    collector.signal("TERM");
    let (_, log) = collector.end();
    let said = ["takes effect after a restart only", "reloaded the configuration"];
    let said: Vec<_> = log.iter().filter_map(|line| said.iter().position(|said| line.contains(said))).collect();
    assert_eq!(said, [0, 1, 0, 1, 1], "the last time it is as it was started: {log:?}");
}

/// Flows from and to a receiver, over TCP, as an exporter between reports them.
fn flow_to(receiver: SocketAddr) -> Vec<u8> {
    let mut datagram = hex!(
        "0005 0001 00000000 6553f100 00000000 00000000 0000 0000"
        "7f000001 7f000001 00000000 0000 0000 00000001 00000064 00000000 00000000"
        "9c40 0000 00 00 06 00 0000 0000 00 00 0000"
    );
    datagram[24 + 34..][..2].copy_from_slice(&receiver.port().to_be_bytes());
    datagram.to_vec()
}

/// The program still sends to where it did, which is what its flows must not tell of.
#[test]
fn own_traffic_is_that_of_the_receiver_in_force() {
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = (folder.path().join("spans.jsonl"), folder.path().join("config.toml"));
    let [before, after] = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let write = |to: SocketAddr| fs::write(&config, format!("otlp_endpoint = \"http://{to}\"\n")).unwrap();
    write(before);
    let output = format!("otlp,file:{}", path.display());
    let mut collector = Collector::start(&["--config", config.to_str().unwrap(), "--output", &output]);
    write(after);
    collector.signal("HUP");
    collector.wait_for("reloaded the configuration");
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for receiver in [before, after] {
        socket.send_to(&flow_to(receiver), collector.address).unwrap();
    }
    wait_for_flows(&path, 1);
    collector.signal("TERM");
    let (_, log) = collector.end();
    let totals = log.last().unwrap();
    assert!(totals.contains(" records=2 filtered=1 "), "{totals}");
    let spans = spans(&path);
    let flows = named(&spans, "netflow.flow");
    let is_port = |attribute: &Value| attribute["key"] == "destination.port";
    let ports = flows.iter().flat_map(|flow| flow["attributes"].as_array().unwrap()).filter(|of| is_port(of));
    let ports: Vec<_> = ports.map(|port| port["value"]["intValue"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ports, [after.port().to_string()]);
}

/// A collector with one worker whose metrics can be read, and where.
fn measured(config: &Path, output: &str) -> (Collector, String) {
    let mut command = netflow2traces(&["--listen", "udp://127.0.0.1:0", "--workers", "1", "--prometheus-port", "0"]);
    // A name would be looked up by a thread that stays for a while.
    command.args(["--prometheus-host", "127.0.0.1"]);
    command.arg("--config").arg(config).args(["--output", output]).stdout(Stdio::null());
    let mut collector = Collector::spawn(&mut command);
    let server = collector.metrics_address();
    (collector, server)
}

/// Sends datagrams of 30 flows, 500 a second or as fast as they are read: none is lost, however slow the collector is.
fn send(to: SocketAddr, server: &str, datagrams: u64) {
    const AT_ONCE: u64 = 10;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    let read = |metrics: &Scrape| metrics.sum("netflow_collector_datagrams_total");
    let before = read(&Scrape::of(server));
    for sent in (AT_ONCE..=datagrams).step_by(AT_ONCE as usize) {
        for _ in 0..AT_ONCE {
            socket.send_to(generator.next_datagram().bytes, to).unwrap();
        }
        thread::sleep(Duration::from_millis(20));
        wait_until(server, |metrics| read(metrics) >= before + sent);
    }
}

/// Threads and open files of a process.
fn held(process: u32) -> [usize; 2] {
    ["task", "fd"].map(|kind| fs::read_dir(format!("/proc/{process}/{kind}")).unwrap().count())
}

/// As a configuration management does that never rests.
#[test]
fn a_hundred_reloads_lose_and_leak_nothing() {
    const DATAGRAMS: u64 = 1_000;
    const FLOWS: usize = 30 * DATAGRAMS as usize;
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = (folder.path().join("spans.jsonl"), folder.path().join("config.toml"));
    let output = format!("file:{}", path.display());
    write(&config, "0");
    let (mut collector, server) = measured(&config, &output);
    let (before, to) = (held(collector.id()), collector.address);
    let sender = thread::spawn(move || send(to, &server, DATAGRAMS));
    for number in 1.. {
        // As editors do it: a file is whole at every moment.
        let new = folder.path().join("new.toml");
        write(&new, &number.to_string());
        fs::rename(&new, &config).unwrap();
        collector.signal("HUP");
        collector.wait_for_another("reloaded the configuration");
        if number >= 100 && sender.is_finished() {
            break;
        }
    }
    sender.join().unwrap();
    wait_for_flows(&path, FLOWS);
    // The last one who asked for metrics may have had the answer before the connection is closed.
    let deadline = Instant::now() + PATIENCE;
    while held(collector.id()) != before && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(held(collector.id()), before);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0);
    let names = names(&spans(&path));
    assert!(names.len() > 10, "flows came in while it reloaded: {names:?}");
    assert_eq!(names.values().sum::<usize>(), FLOWS, "{}", log.last().unwrap());
}

/// The keys of the attributes of all flows.
fn keys(spans: &[Value]) -> BTreeSet<String> {
    let flows = named(spans, "netflow.flow");
    let attributes = flows.iter().flat_map(|flow| flow["attributes"].as_array().unwrap());
    attributes.map(|attribute| attribute["key"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn filter_sampling_and_attributes_change_while_flows_come_in() {
    let folder = tempfile::tempdir().unwrap();
    let (path, config) = (folder.path().join("spans.jsonl"), folder.path().join("config.toml"));
    let output = format!("file:{}", path.display());
    let write = |text: &str| {
        let new = folder.path().join("new.toml");
        fs::write(&new, text).unwrap();
        fs::rename(&new, &config).unwrap();
    };
    write("filter = \"drop any\"\n");
    let (mut collector, server) = measured(&config, &output);
    let reload = |collector: &mut Collector, text: &str| {
        write(text);
        collector.signal("HUP");
        collector.wait_for_another("reloaded the configuration");
    };
    collector.receive(2);
    // What was sent before a signal must have been filtered before it.
    wait_until(&server, |metrics| metrics.reason("netflow_collector_records_dropped_total", "filtered") == 60);
    reload(&mut collector, "attributes_allow = [\"source.*\"]\n");
    collector.receive(1);
    wait_for_flows(&path, 30);
    let first = keys(&spans(&path));
    assert!(first.contains("source.address") && first.iter().all(|key| key.starts_with("source.")), "{first:?}");
    reload(&mut collector, "attributes_deny = [\"source.port\"]\nfilter = \"packets > 0\"\n");
    collector.receive(1);
    wait_for_flows(&path, 60);
    let second = keys(&spans(&path)[30..]);
    assert!(second.contains("destination.port") && second.contains("source.address"), "{second:?}");

    // Filters come and go under load, and each flow is a span or counted.
    let to = collector.address;
    let sender = thread::spawn(move || send(to, &server, 500));
    for number in 0.. {
        let texts = ["filter = \"drop any\"\n", "sample = \"10%\"\n", "", "filter = [\"drop tcp\"]\n"];
        reload(&mut collector, texts[number % texts.len()]);
        if number >= 40 && sender.is_finished() {
            break;
        }
    }
    sender.join().unwrap();
    fs::write(&config, "filter = \"dst prot 443\"\n").unwrap();
    collector.signal("HUP");
    let line = collector.wait_for("not reloaded");
    assert!(line.contains("did you mean `port`"), "{line}");
    reload(&mut collector, "sample = \"100%\"\n");
    collector.receive(1);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0);
    let totals = log.last().unwrap();
    let count = |name: &str| {
        let after = totals.split(&format!(" {name}=")).nth(1);
        after.map_or(0, |rest| rest.split(' ').next().unwrap().parse::<usize>().unwrap())
    };
    let written = named(&spans(&path), "netflow.flow").len();
    assert_eq!(count("records"), 30 * 505, "{totals}");
    assert_eq!(written + count("filtered") + count("sampled_out"), 30 * 505, "{totals}");
    assert!(count("filtered") > 60 && count("sampled_out") > 0 && written > 90, "{totals}");
}
