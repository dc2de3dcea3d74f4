//! The units of `xdp`: each delivers the counters that the kernel has, with no more rights than it is to have.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Context, ensure};
use etherparse::PacketBuilder;
use testkit::otlp_server::metric::Data;
use testkit::otlp_server::number_data_point::Value;

use super::system::{PATIENCE, System};
use crate::e2e::Bench;
use crate::e2e::process::wait_until;
use crate::e2e::receiver::Receiver;
use crate::e2e::xdp::compile;

const BY_NAME: &str = "netflow2traces-xdp.service";
const PINNED: &str = "netflow2traces-xdp-pinned.service";
/// An instance, for an interface with a dash in its name.
const ATTACH: &str = r"netflow2traces-xdp-attach@n2t\x2dunits.service";
const INTERFACE: &str = "n2t-units";
/// The kernel shows maps of all: no other test has one of this name.
const MAP: &str = "n2t_units";
/// Where maps are pinned, and the name that this directory has for the unit.
const PINS: &str = "/sys/fs/bpf/netflow2traces";
const BOUND: &str = "/run/netflow2traces-xdp";
const FRAME_LEN: u64 = 142;
/// CAP_SYS_ADMIN is the capability with the number 21.
const SYS_ADMIN: &str = "0000000000200000";
const NONE: &str = "0000000000000000";

/// # Errors
///
/// When a number is another one, a service has other rights, or does not come back; and where nobody is root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    ensure!(rustix::process::geteuid().is_root(), "loading programs needs the rights of root");
    let system = System::start(bench, "xdp-units")?;
    load(&system).context("a program that counts")?;
    let mut rows = Vec::new();
    let mut sent = 0;
    for (unit, capabilities, how) in
        [(BY_NAME, SYS_ADMIN, format!("XDP_MAP_NAME={MAP}")), (PINNED, NONE, format!("XDP_PIN={BOUND}/{MAP}"))]
    {
        let delivered = delivers(&system, unit, &how, &mut sent).with_context(|| unit.to_owned())?;
        let pid = system.property(unit, "MainPID")?;
        let status = system.run("cat", &[&format!("/proc/{pid}/status")])?;
        for set in ["CapEff", "CapPrm", "CapBnd"] {
            ensure!(field(&status, set) == Some(capabilities), "{unit} has {set} {:?}", field(&status, set));
        }
        ensure!(field(&status, "Uid") != Some("0"), "{unit} is root");
        rows.push(format!("{unit}: {delivered}, capabilities {capabilities}"));
    }
    rows.push(attached(&system).context(ATTACH)?);
    let restarts = system.hang(PINNED)?;
    system.run("kill", &["-KILL", &system.property(BY_NAME, "MainPID")?])?;
    wait_until("it is started anew", PATIENCE, || {
        let is_back =
            system.property(BY_NAME, "NRestarts")? == "1" && system.property(BY_NAME, "ActiveState")? == "active";
        Ok(is_back.then_some(()))
    })?;
    rows.push(format!("{restarts} restart after one hung, 1 after one was killed"));
    Ok(rows)
}

/// The group and the directory come from the files beside the units; the program is somebody else's.
fn load(system: &System) -> anyhow::Result<()> {
    let object = system.folder().join("counters.o");
    let defines = ["-DMAP_TYPE=BPF_MAP_TYPE_PERCPU_HASH", "-DENTRIES=1", "-DKEY_TYPE=__u32", "-DKEY=0"];
    let renamed = format!("-Dxdp_stats_map={MAP}");
    let defines: Vec<_> = defines.into_iter().chain([&*renamed]).map(str::to_owned).collect();
    compile("crates/xtask/src/e2e/xdp/counters.bpf.c", &object, &defines)?;
    let mut frame = Vec::new();
    let headers = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let headers = headers.ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(54_321, 9);
    headers.write(&mut frame, &[0; FRAME_LEN as usize - 42])?;
    system.put(&object, "/run/counters.o")?;
    let frame_file = system.folder().join("frame");
    std::fs::write(&frame_file, frame)?;
    system.put(&frame_file, "/run/frame")?;
    system.shell(&format!(
        "systemd-sysusers
        systemd-tmpfiles --create netflow2traces-xdp.conf
        bpftool prog load /run/counters.o {PINS}/program type xdp pinmaps {PINS}
        chgrp netflow2traces-xdp {PINS}/{MAP}
        chmod 0640 {PINS}/{MAP}"
    ))?;
    Ok(())
}

/// Starts a unit and looks at what comes of it, before and after more frames, of which there are `sent`.
fn delivers(system: &System, unit: &str, how: &str, sent: &mut u64) -> anyhow::Result<String> {
    let listener = system.in_its_network(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?;
    let receiver = Receiver::start_on(listener)?;
    let settings = unit.replace("netflow2traces-", "").replace(".service", ".environment");
    let endpoint = receiver.address();
    system.shell(&format!(
        "printf '%s\\n' {how} XDP_OTEL_ENDPOINT={endpoint} XDP_INTERVAL=0.2 > /etc/netflow2traces/{settings}"
    ))?;
    for (frames, start) in [(1_000, true), (234, false)] {
        system.run(
            "bpftool",
            &[
                "prog",
                "run",
                "pinned",
                &format!("{PINS}/program"),
                "data_in",
                "/run/frame",
                "repeat",
                &frames.to_string(),
            ],
        )?;
        *sent += frames;
        if start {
            // Returns when the service is ready (`Type=notify`).
            system.ctl(&["start", unit])?;
        }
        let expected = [Some(*sent), Some(*sent * FRAME_LEN)];
        let arrived = wait_until("what was counted is delivered", PATIENCE, || {
            let latest = ["xdp.packets.total", "xdp.bytes.total"].map(|name| latest(&receiver, name));
            Ok((latest == expected).then_some(()))
        });
        arrived.with_context(|| format!("{expected:?}"))?;
    }
    let host = system.run("uname", &["-n"])?;
    let instances = receiver.resource_values("service.instance.id");
    ensure!(instances == [host.trim()], "it calls itself {instances:?} on {host}");
    Ok(format!("{} frames, {} bytes", sent, *sent * FRAME_LEN))
}

/// One unit puts our program on an interface, the other reads what it pinned; when the first stops, nothing is left.
fn attached(system: &System) -> anyhow::Result<String> {
    const FRAMES: u64 = 500;
    // There is no udev that would say that the interface is there.
    system.shell(&format!(
        "cd /etc/systemd/system
        sed -i '/^BindsTo=/d; s/ *sys-subsystem-net-devices-%i.device *//' netflow2traces-xdp-attach@.service
        systemctl daemon-reload
        sysctl -q net.ipv6.conf.default.disable_ipv6=1
        ip link add {INTERFACE} type veth peer name n2t-units-peer
        ip link set {INTERFACE} up"
    ))?;
    let restarts = busy_at_first(system)?;
    let listener = system.in_its_network(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?;
    let receiver = Receiver::start_on(listener)?;
    let endpoint = receiver.address();
    system.shell(&format!(
        "id=$(ip link show {INTERFACE} | sed -n 's/.*prog.xdp id \\([0-9]*\\).*/\\1/p')
        bpftool prog run id $id data_in /run/frame repeat {FRAMES}
        printf '%s\\n' XDP_PIN={BOUND}/{INTERFACE}/xdp_stats_map XDP_OTEL_ENDPOINT={endpoint} XDP_INTERVAL=0.2 \\
            > /etc/netflow2traces/xdp-pinned.environment"
    ))?;
    system.ctl(&["restart", PINNED])?;
    let expected = [Some(FRAMES), Some(FRAMES * FRAME_LEN)];
    wait_until("what was counted is delivered", PATIENCE, || {
        let latest = ["xdp.packets.total", "xdp.bytes.total"].map(|name| latest(&receiver, name));
        Ok((latest == expected).then_some(()))
    })?;
    system.ctl(&["stop", ATTACH])?;
    let left = system.shell(&format!("ls -A {PINS}; ip link show {INTERFACE}"))?;
    ensure!(!left.contains(INTERFACE) || !left.contains("xdp id"), "it was left: {left}");
    ensure!(!left.lines().any(|line| line == INTERFACE), "pins were left: {left}");
    Ok(format!(
        "{ATTACH}: {FRAMES} frames by its pins, with no capability; nothing is left when it stops; {restarts} restarts while \
         another program was there"
    ))
}

/// Starts the unit where another program is, which it does not touch, and takes that away; returns how often it was started anew.
fn busy_at_first(system: &System) -> anyhow::Result<String> {
    system.shell(&format!(
        "bpftool net attach xdp pinned {PINS}/program dev {INTERFACE}
        mkdir -p /etc/systemd/system/netflow2traces-xdp-attach@.service.d
        printf '[Service]\\nRestartSec=1\\n' > /etc/systemd/system/netflow2traces-xdp-attach@.service.d/faster.conf
        systemctl daemon-reload"
    ))?;
    system.ctl(&["start", "--no-block", ATTACH])?;
    wait_until("it tries again", PATIENCE, || {
        Ok((system.property(ATTACH, "NRestarts")?.parse::<u32>()? > 1).then_some(()))
    })?;
    ensure!(system.property(ATTACH, "ActiveState")? != "active", "it says that it is there beside another program");
    system.shell(&format!("bpftool net detach xdp dev {INTERFACE}"))?;
    wait_until("it is there", PATIENCE, || Ok((system.property(ATTACH, "ActiveState")? == "active").then_some(())))?;
    system.property(ATTACH, "NRestarts")
}

/// The value of the last point of a counter.
fn latest(receiver: &Receiver, name: &str) -> Option<u64> {
    let metrics = receiver.metrics();
    let Some(Data::Sum(sum)) = &metrics.iter().rev().find(|metric| metric.name == name)?.data else { return None };
    match sum.data_points.last()?.value {
        Some(Value::AsInt(value)) => value.try_into().ok(),
        _ => None,
    }
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()
}
