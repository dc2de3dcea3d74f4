//! The units of `docs/systemd` as they are, under a systemd of their own.

use std::fs;
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Bench;
use super::process::{Child, wait_until};
use crate::workspace_root;
use system::{PATIENCE, System};

mod system;
pub(super) mod xdp;

const UNIT: &str = "netflow2traces.service";
const DATAGRAMS: u64 = 3_000;
const DATAGRAMS_PER_SECOND: u64 = 1_000;

/// The service is ready when it says so, loses nothing to a reload and a restart, because its socket and its Templates stay,
/// and is started anew when it hangs.
///
/// # Errors
///
/// When it is not so, and where nobody may be root.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let system = System::start(bench, "systemd")?;
    // Nobody is at this endpoint, so that these spans wait in the spool.
    let settings =
        "NETFLOW_OUTPUT=otlp,file:/var/lib/netflow2traces/spans.jsonl\nOTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9";
    system.shell(&format!("echo '{settings}' > /etc/netflow2traces/environment"))?;
    system.shell("umask 077; echo 'api-key=secret' > /etc/netflow2traces/headers")?;
    let drop_in = format!("/etc/systemd/system/{UNIT}.d");
    system.shell(&format!("mkdir {drop_in}; printf %s '{}' > {drop_in}/headers.conf", headers_for_the_unit()?))?;
    system.ctl(&["daemon-reload"])?;
    // Returns when the service is ready (`Type=notify`).
    system.ctl(&["start", "netflow2traces.socket", UNIT])?;
    thread::scope(|scope| {
        let sender = scope.spawn(|| send(&system));
        for job in ["reload", "restart"] {
            thread::sleep(Duration::from_secs(1));
            system.ctl(&[job, UNIT])?;
        }
        sender.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
    })?;
    let status = wait_until("its status has what it received", PATIENCE, || {
        let status = system.property(UNIT, "StatusText")?;
        Ok(status.starts_with("1 exporters, ").then_some(status))
    })?;
    // The socket would start it again.
    system.ctl(&["stop", "netflow2traces.socket", UNIT])?;
    let spans = system.run("cat", &["/var/lib/netflow2traces/spans.jsonl"])?;
    for name in ["netflow.export", "netflow.flow"] {
        let count = spans.matches(&format!("\"name\":\"{name}\"")).count() as u64;
        ensure!(count == DATAGRAMS, "{count} spans {name} of {DATAGRAMS}");
    }
    let restarts = system.hang(UNIT)?;
    Ok(vec![
        format!("{DATAGRAMS} datagrams over a reload and a restart, a span for each and for its flow"),
        format!("\"{status}\"; {restarts} restart after it hung"),
    ])
}

/// The lines of docs/delivery.md that have the service read a file of root's.
fn headers_for_the_unit() -> anyhow::Result<String> {
    let text = fs::read_to_string(workspace_root().join("docs/delivery.md"))?;
    let block = text.split_once("```ini\n").and_then(|(_, rest)| rest.split_once("```"));
    let (lines, _) = block.context("docs/delivery.md has no block of systemd's")?;
    Ok(lines.to_owned())
}

fn send(system: &System) -> anyhow::Result<()> {
    let (count, rate) = (DATAGRAMS.to_string(), DATAGRAMS_PER_SECOND.to_string());
    let arguments = ["send", "--host", "127.0.0.1", "--port", "2055", "--version", "9", "--no-options-data"];
    let arguments = [&arguments[..], &["--flows-per-datagram", "1", "--count", &count, "--rate", &rate]].concat();
    let log = system.folder().join("netflow2traces-send.log");
    let mut sender = Child::spawn(system.command("netflow2traces", &arguments), &log)?;
    ensure!(sender.wait(PATIENCE)?.success(), "send failed");
    Ok(())
}
