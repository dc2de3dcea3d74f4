//! A systemd of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::e2e::process::{Child, as_root, wait_until};
use crate::e2e::{Bench, network};

/// How long something in it may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Makes a system of namespaces: the root directory of this one, with everything that is written in memory, the units and
/// the program in their places, no network but loopback, a BPF file system as systemd makes it, and systemd as its first process.
/// What it mounts for a service, credentials above all, reaches that only where mounts are shared.
const SYSTEM: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /sys sys
mount -t bpf -o mode=0700 bpf sys/fs/bpf
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
cp "$2" usr/bin/netflow2traces
cp "$3"/netflow2traces*.service "$3"/netflow2traces*.socket etc/systemd/system
mkdir -p etc/sysusers.d etc/tmpfiles.d etc/netflow2traces
cp "$3"/netflow2traces-xdp.sysusers.conf etc/sysusers.d/netflow2traces-xdp.conf
cp "$3"/netflow2traces-xdp.tmpfiles.conf etc/tmpfiles.d/netflow2traces-xdp.conf
mkdir etc/systemd/system/service.d
printf '[Service]\nStandardError=append:/run/%%N.log\n' > etc/systemd/system/service.d/log.conf
printf '[Unit]\nAllowIsolate=yes\n' > etc/systemd/system/nothing-else.target
ip link set lo up
mkdir before
pivot_root . before
umount -l /before
mount --make-rshared /
exec env container=other /lib/systemd/systemd --system --unit=nothing-else.target --log-target=console --show-status=no
"#;

pub(super) struct System {
    /// Makes the namespaces; everything in them ends with it.
    unshare: Child,
    folder: PathBuf,
    /// Its first process, as it is called here.
    first: String,
}

impl System {
    /// Starts one, whose files are in the folder `name`.
    pub(super) fn start(bench: &Bench, name: &str) -> anyhow::Result<Self> {
        let folder = bench.folder.join(name);
        std::fs::create_dir_all(folder.join("mount"))?;
        let mut unshare = as_root("unshare");
        unshare.args(["--fork", "--kill-child", "--pid", "--mount", "--uts", "--ipc", "--net"]);
        unshare.args(["sh", "-e", "-c", SYSTEM, "sh"]).arg(folder.join("mount"));
        unshare.arg(&bench.netflow2traces).arg(crate::workspace_root().join("docs/systemd"));
        let mut unshare = Child::spawn(unshare, &folder.join("systemd.log"))?;
        let first = wait_until("systemd starts", PATIENCE, || {
            unshare.ensure_running()?;
            Ok(descendant(unshare.id(), "systemd"))
        })?;
        let system = Self { unshare, folder, first };
        wait_until("systemd answers", PATIENCE, || {
            Ok(system.command("systemctl", &["show"]).output()?.status.success().then_some(()))
        })?;
        Ok(system)
    }

    /// Where files about it are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Does something in its network.
    pub(super) fn in_its_network<T: Send>(&self, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        network::within(&Path::new("/proc").join(&self.first).join("ns/net"), work)
    }

    /// Copies a file to a path inside.
    pub(super) fn put(&self, file: &Path, path: &str) -> anyhow::Result<()> {
        std::fs::copy(file, format!("/proc/{}/root{path}", self.first)).with_context(|| format!("copy to {path}"))?;
        Ok(())
    }

    /// A program inside.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = as_root("nsenter");
        command.args(["--target", &self.first, "--pid", "--mount", "--uts", "--ipc", "--net", program]).args(arguments);
        command
    }

    pub(super) fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(program, arguments).output()?;
        let message = String::from_utf8_lossy(&output.stderr);
        let log = self.unshare.log().display();
        ensure!(output.status.success(), "{program} {}: {message}; see {log}", arguments.join(" "));
        String::from_utf8(output.stdout).context("not UTF-8")
    }

    /// A line for a shell inside.
    pub(super) fn shell(&self, line: &str) -> anyhow::Result<String> {
        self.run("sh", &["-e", "-c", line])
    }

    pub(super) fn ctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let done = self.run("systemctl", arguments).map(drop);
        // There is no journal.
        done.map_err(|error| {
            error.context(self.shell("tail --quiet --lines=3 /run/netflow2traces*.log").unwrap_or_default())
        })
    }

    pub(super) fn property(&self, unit: &str, name: &str) -> anyhow::Result<String> {
        Ok(self.run("systemctl", &["show", "--value", "-p", name, unit])?.trim().to_owned())
    }

    /// Stops the process of a service where it is; returns how often it was started anew.
    pub(super) fn hang(&self, unit: &str) -> anyhow::Result<String> {
        self.shell(&format!(
            "mkdir -p /etc/systemd/system/{unit}.d
            printf '[Service]\\nWatchdogSec=6\\n' > /etc/systemd/system/{unit}.d/faster.conf"
        ))?;
        self.ctl(&["daemon-reload"])?;
        self.ctl(&["restart", unit])?;
        // As long as it does not hang, it stays.
        thread::sleep(Duration::from_secs(8));
        ensure!(self.property(unit, "NRestarts")? == "0", "its signs of life do not come in time");
        self.run("kill", &["-STOP", &self.property(unit, "MainPID")?])?;
        wait_until("it is started anew", PATIENCE, || {
            let restarts = self.property(unit, "NRestarts")?;
            Ok((restarts != "0" && self.property(unit, "ActiveState")? == "active").then_some(restarts))
        })
    }
}

/// The process of this name below another one.
fn descendant(process: u32, name: &str) -> Option<String> {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).ok()?;
    children.split_whitespace().find_map(|child| {
        let its_name = std::fs::read_to_string(Path::new("/proc").join(child).join("comm")).ok()?;
        if its_name.trim_end() == name { Some(child.to_owned()) } else { descendant(child.parse().ok()?, name) }
    })
}
