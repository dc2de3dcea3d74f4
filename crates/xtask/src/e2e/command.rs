//! The program under test.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::process::{Child, wait_until};

const START_PATIENCE: Duration = Duration::from_secs(20);

/// Builds the command as it is shipped.
///
/// # Errors
///
/// When it does not compile.
pub(crate) fn build() -> anyhow::Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--package", "netflow2traces", "--message-format=json-render-diagnostics"]);
    let output = command.current_dir(crate::workspace_root()).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "netflow2traces does not compile");
    let messages = String::from_utf8(output.stdout)?;
    let executable = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    });
    executable.context("cargo names no executable")
}

/// A collector of ours that runs.
#[derive(Debug)]
pub(super) struct Collector {
    child: Child,
    pub address: SocketAddr,
}

impl Collector {
    /// Starts one on a UDP port of its own, and at `tcp`, with `environment`, and waits until it listens.
    ///
    /// # Errors
    ///
    /// When it does not start, with the end of its log.
    pub(super) fn start(
        program: &Path,
        log: &Path,
        tcp: Option<SocketAddr>,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let tcp_url = tcp.map(|address| format!(",tcp://{address}")).unwrap_or_default();
        let mut command = Command::new(program);
        command
            .env("NETFLOW_LISTEN", format!("udp://{address}{tcp_url}"))
            .env("OTEL_METRICS_EXPORTER", "none")
            .envs(environment.iter().copied());
        let mut collector = Self { child: Child::spawn(command, log)?, address };
        wait_until("netflow2traces listens", START_PATIENCE, || {
            collector.child.ensure_running()?;
            Ok(collector.child.says_that_it_listens().then_some(()))
        })?;
        Ok(collector)
    }

    /// The most memory it had resident so far.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn peak_resident_bytes(&mut self) -> anyhow::Result<u64> {
        self.child.ensure_running()?;
        self.child.peak_resident_bytes()
    }

    /// What it has logged so far.
    pub(super) fn log_text(&self) -> String {
        self.child.log_text()
    }

    /// SIGKILL.
    ///
    /// # Errors
    ///
    /// When it has ended before.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()
    }

    /// SIGTERM; waits until everything is delivered and the program has ended well.
    ///
    /// # Errors
    ///
    /// When it takes longer than `patience` or ends with a failure.
    pub(super) fn stop(&mut self, patience: Duration) -> anyhow::Result<()> {
        self.child.terminate()?;
        let status = self.child.wait(patience)?;
        ensure!(status.success(), "netflow2traces ended with {status}; see {}", self.child.log().display());
        Ok(())
    }
}

/// Runs a subcommand to its end.
///
/// # Errors
///
/// When it fails or takes longer than `patience`.
pub(super) fn run(program: &Path, arguments: &[&str], log: &Path, patience: Duration) -> anyhow::Result<()> {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    let mut child = Child::spawn(command, log)?;
    let status = child.wait(patience)?;
    ensure!(status.success(), "netflow2traces {} ended with {status}; see {}", arguments.join(" "), log.display());
    Ok(())
}
