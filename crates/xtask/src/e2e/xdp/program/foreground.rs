//! `xdp attach` without pins: the program is there as long as the command runs.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use xdp_counters::attached;
use xdp_counters::program::PROTOCOL_MAP;

use crate::e2e::Bench;
use crate::e2e::process::{Child, wait_until};
use crate::e2e::receiver::Receiver;
use crate::e2e::xdp::lab::{COUNTED, FRAME_LEN, INTERFACE, Lab, output, run as run_words};
use crate::e2e::xdp::points::Points;

const FRAMES: u64 = 100;
/// Another interface, that is taken away.
const SHORT_LIVED: &str = "n2t-short-lived";
const PATIENCE: Duration = Duration::from_secs(120);

/// systemd hears of it; SIGTERM takes the program away, and so does SIGKILL; meanwhile others read and export it by interface.
/// A program that is gone ends it.
pub(super) fn run(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    let socket = lab.folder().join("notify");
    let _ = fs::remove_file(&socket);
    let told = UnixDatagram::bind(&socket)?;
    told.set_read_timeout(Some(PATIENCE))?;
    let start_on = |interface: &str, more: &[&str]| {
        let mut command = lab.command_inside(&bench.netflow2traces);
        command
            .args(["xdp", "attach", "--iface", interface])
            .args(more)
            .env("NOTIFY_SOCKET", &socket)
            .stdout(Stdio::null());
        let child = Child::spawn(command, &bench.folder.join("netflow2traces-xdp-attach.log"))?;
        let ready = message(&told)?;
        ensure!(ready.starts_with("READY=1\nSTATUS=program "), "systemd hears {ready:?}");
        anyhow::Ok(child)
    };
    let start = |more: &[&str]| start_on(INTERFACE, more);
    let mut attach = start(&[])?;
    lab.send(FRAMES)?;
    // A segment that is refused.
    lab.there(|| {
        ensure!(TcpStream::connect(COUNTED).is_err(), "somebody listens to port 9");
        Ok(())
    })?;
    read(bench, lab)?;
    export(bench, lab)?;
    attach.terminate()?;
    let status = attach.wait(PATIENCE)?;
    ensure!(status.success(), "it ended with {status}");
    let stopping = message(&told)?;
    ensure!(stopping.starts_with("STOPPING=1"), "systemd hears {stopping:?}");
    ensure!(programs(lab)? == 0, "the program is still there after SIGTERM");

    let mut attach = start(&["--flows"])?;
    lab.send(FRAMES)?;
    attach.terminate()?;
    ensure!(attach.wait(PATIENCE)?.success(), "it failed with flows");
    ensure!(message(&told)?.starts_with("STOPPING=1"), "systemd hears of no end");
    let log = attach.log_text();
    let is_told = |line: &str| {
        let parts = ["flows that nobody took out are lost", &format!("packets={FRAMES}"), "flows=1"];
        parts.iter().all(|part| line.contains(part))
    };
    ensure!(log.lines().any(is_told), "{FRAMES} packets in a flow are lost, and the log says {log}");

    let mut attach = start(&[])?;
    ensure!(programs(lab)? == 1, "the second program is not there");
    attach.kill()?;
    // Nobody is left to wait for the link's end.
    wait_until("the program is gone after SIGKILL", PATIENCE, || Ok((programs(lab)? == 0).then_some(())))?;
    let gone = |mut attach: Child, interface: &str| {
        let status = attach.wait(PATIENCE)?;
        let log = attach.log_text();
        let error = format!("error: the program is no longer on {interface}\n");
        ensure!(status.code() == Some(1) && log.ends_with(&error), "it ended with {status} and says {log}");
        ensure!(message(&told)?.starts_with("STOPPING=1"), "systemd hears of no end");
        anyhow::Ok(())
    };
    let here = &lab.here;
    run_words(&format!("ip -n {here} link add {SHORT_LIVED} type veth"))?;
    let attach = start_on(SHORT_LIVED, &[])?;
    run_words(&format!("ip -n {here} link delete {SHORT_LIVED}"))?;
    gone(attach, SHORT_LIVED).context("without its interface")?;

    let attach = start(&["--flows"])?;
    run_words(&format!("bpftool link detach id {}", link(lab)?))?;
    gone(attach, INTERFACE).context("without its link")?;
    Ok("in the foreground: by interface totals and protocols exact; it goes with SIGTERM, which tells of flows, and with \
        SIGKILL, and ends when somebody takes the interface or the link away"
        .to_owned())
}

/// The number of the link that keeps the program on the interface.
fn link(lab: &Lab) -> anyhow::Result<u64> {
    let programs = lab.inside(|| Ok(attached()?))?;
    let [program] = &programs[..] else { bail!("{programs:?} is not one program") };
    let links: Value = serde_json::from_slice(&output(Command::new("bpftool").args(["--json", "link", "show"]))?)?;
    let is_its = |link: &&Value| link["prog_id"] == program.program;
    let link = links.as_array().into_iter().flatten().find(is_its);
    link.and_then(|link| link["id"].as_u64()).with_context(|| format!("no link of {program:?} in {links}"))
}

fn message(socket: &UnixDatagram) -> anyhow::Result<String> {
    let mut buffer = [0; 256];
    let len = socket.recv(&mut buffer).context("systemd hears nothing")?;
    Ok(String::from_utf8_lossy(&buffer[..len]).into_owned())
}

/// How many interfaces of the namespace have a program.
fn programs(lab: &Lab) -> anyhow::Result<usize> {
    lab.inside(|| Ok(attached()?.len()))
}

/// Without the name of a map, ours is the one by protocol.
fn read(bench: &Bench, lab: &Lab) -> anyhow::Result<()> {
    wait_until("all frames are counted", PATIENCE, || {
        let mut command = lab.command_inside(&bench.netflow2traces);
        let output = command.args(["xdp", "read", "--json", "--iface", INTERFACE]).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let reading: Value = serde_json::from_slice(&output.stdout)?;
        ensure!(reading["map"]["name"] == PROTOCOL_MAP, "{reading}");
        let of = |key: &str| {
            let counters = reading["counters"].as_array().into_iter().flatten();
            counters.filter(|counter| counter["key"] == key).map(|counter| counter["packets"].clone()).next()
        };
        ensure!(of("other_ipv4") == Some(json!(0)) && of("arp") == Some(json!(0)), "{reading}");
        let all = of("tcp") == Some(json!(1)) && of("udp") == Some(json!(FRAMES)) && reading["packets"] == FRAMES + 1;
        Ok(all.then_some(()))
    })
}

/// X12 of the contract, by the two ways to name the map.
fn export(bench: &Bench, lab: &Lab) -> anyhow::Result<()> {
    for way in [["--map", &format!("iface={INTERFACE}/{PROTOCOL_MAP}")], ["--iface", INTERFACE]] {
        let listener = lab.inside(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?;
        let receiver = Receiver::start_on(listener)?;
        let mut command = lab.command_inside(&bench.netflow2traces);
        command.args(["xdp", "export", "--interval", "3600"]).args(way);
        command.args(["--otel-endpoint", &receiver.address().to_string()]);
        let mut exporter = Child::spawn(command, &bench.folder.join("netflow2traces-xdp-protocols.log"))?;
        wait_until("an export", PATIENCE, || {
            exporter.ensure_running()?;
            Ok((Points::of(&receiver, "xdp.exporter.map.up").len() > 0).then_some(()))
        })?;
        exporter.terminate()?;
        ensure!(exporter.wait(PATIENCE)?.success(), "the export failed");
        for (name, expected) in [
            ("xdp.tcp.packets", 1),
            ("xdp.udp.packets", FRAMES),
            ("xdp.udp.bytes", FRAMES * FRAME_LEN),
            ("xdp.arp.packets", 0),
            // One series, so that a sum has no packet twice.
            ("xdp.packets.total", FRAMES + 1),
        ] {
            let values = Points::of(&receiver, name).values();
            ensure!(values == [expected as f64; 2], "{way:?}: {name} is {values:?}, not twice {expected}");
        }
    }
    Ok(())
}
