//! Who has no capability reads what is pinned for a group, and nothing else.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use xdp_counters::program::{FLOW_MAPS, MAPS, PROTOCOL_MAP, STATS_MAP, TURN_MAP};

use super::lab::{FRAME_LEN, INTERFACE, Lab};
use crate::e2e::process::{Child, wait_until};
use crate::e2e::receiver::Receiver;
use crate::e2e::xdp::points::Points;
use crate::e2e::{Bench, compare};

/// Of the network.
const NAME: &str = "xdp-rights";
const FRAMES: u64 = 100;
/// Bytes of a frame before the IP header.
const ETHERNET_LEN: u64 = 14;
/// A group that every Linux has, with its number.
const GROUP: &str = "daemon";
/// Numbers of nobody in particular.
const USER: &str = "64646";
const OTHER_GROUP: u32 = 64_647;

/// The command attaches with pins for a group; one of the group reads exact counts and exports them, and is told which capability
/// the rest takes. So it is through a read-only mount, as systemd makes it.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    ensure!(rustix::process::geteuid().is_root(), "giving pins to a group needs the rights of root");
    // Any user may enter it, unlike the workspace, perhaps.
    let folder = Folder::new()?;
    let program = folder.0.join("netflow2traces");
    fs::copy(&bench.netflow2traces, &program)?;
    let rights = Rights { lab: Lab::named(&folder.0, NAME)?, program };
    let mut rows = Vec::new();
    for group in [GROUP, "64648"] {
        // Directories that are left, with what others may have pinned there, keep their group.
        let pins = rights.lab.pins.join(format!("of-{group}/pins"));
        rows.push(rights.of_group(&pins, group, &bench.folder).with_context(|| format!("group {group}"))?);
    }
    rows.push(rights.through_a_mount(&rights.lab.pins.join("closed/pins")).context("read-only mount")?);
    Ok(rows)
}

/// For files that everybody may enter.
struct Folder(PathBuf);

impl Folder {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join("n2t-e2e-xdp-rights");
        // Left by a run that was killed, with a file system in it.
        let _ = Command::new("umount").arg(path.join(NAME).join("pins")).output();
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).with_context(|| format!("create {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct Rights {
    lab: Lab,
    program: PathBuf,
}

impl Rights {
    /// Runs the command as root.
    fn command(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        Ok(self.lab.command_inside(&self.program).args(arguments).output()?)
    }

    /// The same as a user without any capability, of one group more than its own.
    fn unprivileged(&self, group: u32, program: &Path) -> Command {
        let mut command = self.lab.command_inside("setpriv");
        command.args(["--reuid", USER, "--regid", USER, "--groups", &group.to_string()]);
        command.args(["--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]).arg(program);
        command
    }

    fn attach(&self, pins: &Path, group: &str) -> anyhow::Result<Output> {
        let pin = pins.to_str().context("UTF-8")?;
        let arguments = ["xdp", "attach", "--iface", INTERFACE, "--pin", pin, "--pin-group", group, "--flows", "1000"];
        let output = self.command(&arguments)?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(output)
    }

    fn detach(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let output = self.command(&[&["xdp", "detach"], arguments].concat())?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn of_group(&self, pins: &Path, group: &str, logs: &Path) -> anyhow::Result<String> {
        let said = self.attach(pins, group)?;
        let (said, warned) = (String::from_utf8(said.stdout)?, String::from_utf8(said.stderr)?);
        ensure!(said.contains(&format!("counts packets of {INTERFACE} in mode drv")), "it says {said}");
        for name in MAPS.into_iter().chain(["link"]) {
            ensure!(said.contains(&format!("pinned: {}/{name}", pins.display())), "it says {said}");
        }
        ensure!(!warned.contains("cannot enter"), "it says {warned}");
        let listed = String::from_utf8(self.command(&["xdp", "list"])?.stdout)?;
        for name in [STATS_MAP, PROTOCOL_MAP] {
            ensure!(listed.contains(&format!("pinned: {}/{name}\n", pins.display())), "it lists {listed}");
        }
        let id = modes(pins)?;
        self.lab.send(FRAMES)?;
        let protocols = pins.join(PROTOCOL_MAP);
        wait_until("all frames are counted", Duration::from_secs(30), || {
            let reading = read(self.unprivileged(id, &self.program), &["--pin"], &protocols)?;
            Ok((reading["packets"] == FRAMES).then_some(()))
        })?;
        self.exact(id, pins)?;
        self.nothing_else(id, pins)?;
        // To take flows out is to write, which the group may to this map alone.
        let key = self.flow(self.unprivileged(id, &self.program), pins)?;
        let delete = |map: &str, key: &str| {
            let script = format!("bpftool map delete pinned {} key hex {key}", pins.join(map).display());
            anyhow::Ok(self.unprivileged(id, Path::new("sh")).args(["-c", &script]).output()?)
        };
        ensure!(!delete(STATS_MAP, "02 00 00 00")?.status.success(), "the group may write to {STATS_MAP}");
        let deleted = delete(FLOW_MAPS[0], &key)?;
        ensure!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
        self.lab.send(FRAMES)?;
        self.export(id, pins, logs)?;
        self.detach(&["--pin", pins.to_str().context("UTF-8")?])?;
        ensure!(!pins.exists(), "{} is still there", pins.display());
        Ok(format!(
            "group {group}: without a capability by pin exact, exported too; by name, number and interface CAP_SYS_ADMIN is named"
        ))
    }

    /// Both maps of counters have what was sent, and keys have their names.
    fn exact(&self, group: u32, pins: &Path) -> anyhow::Result<()> {
        let bytes = FRAMES * FRAME_LEN;
        let names = ["tcp", "udp", "icmp", "icmpv6", "other_ipv4", "other_ipv6", "arp", "non_ip"];
        let verdicts = ["aborted", "drop", "pass", "tx", "redirect"];
        for (map, keys, counted) in [(PROTOCOL_MAP, &names[..], "udp"), (STATS_MAP, &verdicts, "pass")] {
            let reading = read(self.unprivileged(group, &self.program), &["--pin"], &pins.join(map))?;
            let of_key = |key: &&str| {
                let (packets, bytes) = if *key == counted { (FRAMES, bytes) } else { (0, 0) };
                json!({"key": key, "packets": packets, "bytes": bytes})
            };
            let expected: Value = keys.iter().map(of_key).collect();
            ensure!(reading["counters"] == expected, "{map}: {reading}");
            ensure!(reading["program"].is_null(), "who has no capability knows no program, and still: {reading}");
        }
        Ok(())
    }

    /// What takes a capability says which, and a file of others that it is not theirs.
    fn nothing_else(&self, group: u32, pins: &Path) -> anyhow::Result<()> {
        let pin = pins.join(PROTOCOL_MAP);
        let (pin, directory) = (pin.to_str().context("UTF-8")?, pins.to_str().context("UTF-8")?);
        let by_name: &[&str] = &["read", "--map-name", STATS_MAP];
        let by_interface: &[&str] = &["read", "--iface", INTERFACE];
        for (group, arguments, expected) in [
            (group, by_name, "CAP_SYS_ADMIN"),
            (group, by_interface, "CAP_SYS_ADMIN"),
            (group, &["--map-name", STATS_MAP, "--otel-endpoint", "none"], "CAP_SYS_ADMIN"),
            (group, &["list"], "CAP_SYS_ADMIN"),
            (OTHER_GROUP, &["read", "--pin", pin], "Permission denied"),
            (group, &["detach", "--pin", directory], "Permission denied"),
            (group, &["detach", "--iface", INTERFACE], "which no directory that can be read has pinned"),
            (group, &["attach", "--iface", "lo"], "missing: CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON"),
        ] {
            let output = self.unprivileged(group, &self.program).arg("xdp").args(arguments).output()?;
            let errors = String::from_utf8_lossy(&output.stderr).into_owned();
            let last = errors.lines().last().unwrap_or_default();
            ensure!(last.starts_with("error: ") && last.contains(expected), "{arguments:?}: {errors}");
            ensure!(output.status.code() == Some(1), "{arguments:?}: {}", output.status);
        }
        Ok(())
    }

    /// What was sent twice comes to a receiver, and the flow of the second time.
    fn export(&self, group: u32, pins: &Path, logs: &Path) -> anyhow::Result<()> {
        let listener = self.lab.inside(|| Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?))?;
        let receiver = Receiver::start_on(listener)?;
        let endpoint = receiver.address().to_string();
        let mut command = self.unprivileged(group, &self.program);
        command.args(["xdp", "--otel-endpoint", &endpoint, "--interval", "0.2", "--pin"]).arg(pins.join(PROTOCOL_MAP));
        command.args(["--flows", &format!("pin={}", pins.display())]);
        let mut exporter = Child::spawn(command, &logs.join("netflow2traces-xdp-rights.log"))?;
        wait_until("two exports", Duration::from_secs(20), || {
            exporter.ensure_running()?;
            Ok((Points::of(&receiver, "xdp.exporter.map.up").len() > 1).then_some(()))
        })?;
        exporter.terminate()?;
        let status = exporter.wait(Duration::from_secs(20))?;
        ensure!(status.success(), "the export ended with {status}");
        for (name, expected) in [
            ("xdp.exporter.map.up", 1),
            ("xdp.packets.total", 2 * FRAMES),
            ("xdp.bytes.total", 2 * FRAMES * FRAME_LEN),
            ("xdp.udp.packets", 2 * FRAMES),
            ("xdp.udp.bytes", 2 * FRAMES * FRAME_LEN),
            ("xdp.tcp.packets", 0),
        ] {
            let values = Points::of(&receiver, name).values();
            let exact = !values.is_empty() && values.iter().all(|value| *value == expected as f64);
            ensure!(exact, "{name} is {values:?}, not {expected}");
        }
        let spans = receiver.spans();
        let flows: Vec<_> = spans.iter().filter(|span| span.name == "netflow.flow").collect();
        ensure!(flows.len() == 1, "{} flows", flows.len());
        let packets: Option<u64> = compare::integer(flows[0], "netflow.flow.packets")?;
        ensure!(packets == Some(FRAMES), "a flow of {packets:?} packets");
        Ok(())
    }

    /// The one flow there is, by the same right; its key in words of bpftool.
    fn flow(&self, command: Command, pins: &Path) -> anyhow::Result<String> {
        let arguments = ["--layout", "packets@0:8,bytes@8:8", "--pin"];
        let reading = read(command, &arguments, &pins.join(FLOW_MAPS[0]))?;
        let bytes = FRAMES * (FRAME_LEN - ETHERNET_LEN);
        ensure!((&reading["packets"], &reading["bytes"]) == (&json!(FRAMES), &json!(bytes)), "{reading}");
        let key = reading["counters"][0]["key"].as_str().and_then(|key| key.strip_prefix("0x")).context("no key")?;
        Ok(key.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(" "))
    }

    /// Where the file system is closed, as systemd mounts it, the pins can be mounted elsewhere.
    fn through_a_mount(&self, pins: &Path) -> anyhow::Result<String> {
        let root = &self.lab.pins;
        fs::set_permissions(root, fs::Permissions::from_mode(0o700))?;
        let said = self.attach(pins, GROUP)?;
        let warned = String::from_utf8(said.stderr)?;
        ensure!(warned.contains("WARN") && warned.contains("cannot enter this directory"), "it says {warned}");
        let id = modes(pins)?;
        self.lab.send(FRAMES)?;
        let closed =
            self.unprivileged(id, &self.program).args(["xdp", "read", "--pin"]).arg(pins.join(STATS_MAP)).output()?;
        let errors = String::from_utf8_lossy(&closed.stderr).into_owned();
        ensure!(errors.contains("Permission denied"), "in a closed directory: {errors}");

        let bound = self.lab.folder().join("bound");
        fs::create_dir(&bound)?;
        let mount = format!(
            "mount --bind {pins} {bound} && mount -o remount,bind,ro {bound} && ! touch {bound}/new 2>&- && \
             exec setpriv --reuid {USER} --regid {USER} --groups {id} --bounding-set=-all --inh-caps=-all --no-new-privs \
             -- \"$@\"",
            pins = pins.display(),
            bound = bound.display(),
        );
        // Each has a mount of its own.
        let bound_to = |program: &Path| {
            let mut command = self.lab.command_inside("sh");
            command.args(["-c", &mount, "sh"]).arg(program);
            command
        };
        wait_until("all frames are counted", Duration::from_secs(30), || {
            let reading = read(bound_to(&self.program), &["--pin"], &bound.join(PROTOCOL_MAP))?;
            let counted = (&reading["packets"], &reading["bytes"]);
            Ok((counted == (&json!(FRAMES), &json!(FRAMES * FRAME_LEN))).then_some(()))
        })?;
        // The mount keeps files from being made, not flows from being taken out.
        let key = self.flow(bound_to(&self.program), &bound)?;
        let script = format!("bpftool map delete pinned {} key hex {key}", bound.join(FLOW_MAPS[0]).display());
        let deleted = bound_to(Path::new("sh")).args(["-c", &script]).output()?;
        ensure!(deleted.status.success(), "{}", String::from_utf8_lossy(&deleted.stderr));
        self.detach(&["--iface", INTERFACE])?;
        Ok("through a read-only mount of pins in a closed file system exact, and flows can be taken out".to_owned())
    }
}

/// The number of the group that has the pins, which are as they should be.
fn modes(pins: &Path) -> anyhow::Result<u32> {
    let group = pins.metadata()?.gid();
    let above = pins.parent().context("no parent")?;
    for (path, mode) in [
        (above.to_owned(), 0o750),
        (pins.to_owned(), 0o750),
        (pins.join(STATS_MAP), 0o640),
        (pins.join(PROTOCOL_MAP), 0o640),
        (pins.join(TURN_MAP), 0o660),
        (pins.join(FLOW_MAPS[0]), 0o660),
        (pins.join(FLOW_MAPS[1]), 0o660),
    ] {
        let facts = path.metadata()?;
        let found = (facts.mode() & 0o7777, facts.gid(), facts.uid());
        ensure!(found == (mode, group, 0), "{} is {found:?}", path.display());
    }
    let link = pins.join("link").metadata()?;
    ensure!(group != 0 && link.gid() == 0 && link.mode() & 0o077 == 0, "the link is {:o}", link.mode());
    Ok(group)
}

/// What `xdp read` has to tell of a map.
fn read(mut command: Command, arguments: &[&str], map: &Path) -> anyhow::Result<Value> {
    let output = command.args(["xdp", "read", "--json"]).args(arguments).arg(map).output()?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}
