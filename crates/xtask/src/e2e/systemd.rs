//! The units of `docs/systemd` as they are, under a systemd of their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::Bench;
use super::process::{Child, as_root, wait_until};

const PATIENCE: Duration = Duration::from_secs(30);
const DATAGRAMS: u64 = 3_000;
const DATAGRAMS_PER_SECOND: u64 = 1_000;

/// Makes a system of namespaces: the root directory of this one, with everything that is written in memory, the units and
/// the program in their places, no network but loopback, and systemd as its first process.
const SYSTEM: &str = r#"
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" overlay "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
cp "$2" usr/bin/netflow2traces
cp "$3"/netflow2traces.* etc/systemd/system
mkdir -p etc/netflow2traces
echo 'NETFLOW_OUTPUT=file:/var/lib/netflow2traces/spans.jsonl' > etc/netflow2traces/environment
printf '[Unit]\nAllowIsolate=yes\n' > etc/systemd/system/nothing-else.target
ip link set lo up
mkdir before
pivot_root . before
umount -l /before
exec env container=other /lib/systemd/systemd --system --unit=nothing-else.target --log-target=console --show-status=no
"#;

/// The service is ready when it says so, loses nothing to a reload and a restart, because its socket and its Templates stay,
/// and is started anew when it hangs.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let system = System::start(bench)?;
    // Returns when the service is ready (`Type=notify`).
    system.ctl(&["start", "netflow2traces.socket", "netflow2traces.service"])?;
    thread::scope(|scope| {
        let sender = scope.spawn(|| system.send());
        for job in ["reload", "restart"] {
            thread::sleep(Duration::from_secs(1));
            system.ctl(&[job, "netflow2traces.service"])?;
        }
        sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
    })?;
    let status = wait_until("its status has what it received", PATIENCE, || {
        let status = system.property("StatusText")?;
        Ok(status.starts_with("1 exporters, ").then_some(status))
    })?;
    // The socket would start it again.
    system.ctl(&["stop", "netflow2traces.socket", "netflow2traces.service"])?;
    let spans = system.run("cat", &["/var/lib/netflow2traces/spans.jsonl"])?;
    for name in ["netflow.export", "netflow.flow"] {
        let count = spans.matches(&format!("\"name\":\"{name}\"")).count() as u64;
        ensure!(count == DATAGRAMS, "{count} spans {name} of {DATAGRAMS}");
    }
    let restarts = system.hang()?;
    Ok(vec![
        format!("{DATAGRAMS} datagrams over a reload and a restart, a span for each and for its flow"),
        format!("\"{status}\"; {restarts} restart after it hung"),
    ])
}

struct System {
    /// Makes the namespaces; everything in them ends with it.
    unshare: Child,
    folder: PathBuf,
    /// Its first process, as it is called here.
    first: String,
}

impl System {
    fn start(bench: &Bench) -> anyhow::Result<Self> {
        let folder = bench.folder.join("systemd");
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

    /// A program inside.
    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = as_root("nsenter");
        command.args(["--target", &self.first, "--pid", "--mount", "--uts", "--ipc", "--net", program]).args(arguments);
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let output = self.command(program, arguments).output()?;
        let message = String::from_utf8_lossy(&output.stderr);
        let log = self.unshare.log().display();
        ensure!(output.status.success(), "{program} {}: {message}; see {log}", arguments.join(" "));
        String::from_utf8(output.stdout).context("not UTF-8")
    }

    fn ctl(&self, arguments: &[&str]) -> anyhow::Result<()> {
        self.run("systemctl", arguments).map(drop)
    }

    /// Of the service.
    fn property(&self, name: &str) -> anyhow::Result<String> {
        Ok(self.run("systemctl", &["show", "--value", "-p", name, "netflow2traces.service"])?.trim().to_owned())
    }

    fn send(&self) -> anyhow::Result<()> {
        let (count, rate) = (DATAGRAMS.to_string(), DATAGRAMS_PER_SECOND.to_string());
        let arguments = ["send", "--host", "127.0.0.1", "--port", "2055", "--version", "9", "--no-options-data"];
        let arguments = [&arguments[..], &["--flows-per-datagram", "1", "--count", &count, "--rate", &rate]].concat();
        let mut sender =
            Child::spawn(self.command("netflow2traces", &arguments), &self.folder.join("netflow2traces-send.log"))?;
        ensure!(sender.wait(PATIENCE)?.success(), "send failed");
        Ok(())
    }

    /// Stops the process of the service where it is; returns how often it was started anew.
    fn hang(&self) -> anyhow::Result<String> {
        let faster = "mkdir -p /etc/systemd/system/netflow2traces.service.d && \
            printf '[Service]\\nWatchdogSec=2\\n' > /etc/systemd/system/netflow2traces.service.d/faster.conf";
        self.run("sh", &["-c", faster])?;
        self.ctl(&["daemon-reload"])?;
        self.ctl(&["start", "netflow2traces.service"])?;
        // As long as it does not hang, it stays.
        thread::sleep(Duration::from_secs(5));
        ensure!(self.property("NRestarts")? == "0", "its signs of life do not come in time");
        self.run("kill", &["-STOP", &self.property("MainPID")?])?;
        wait_until("it is started anew", PATIENCE, || {
            let restarts = self.property("NRestarts")?;
            Ok((restarts != "0" && self.property("ActiveState")? == "active").then_some(restarts))
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
