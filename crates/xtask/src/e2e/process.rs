//! Programs the tests start, and never leave behind.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A running program; dropping it kills it.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    program: String,
    log: PathBuf,
}

impl Child {
    /// Starts `command` with its standard error, and its standard output unless that is set already, in `log`.
    ///
    /// # Errors
    ///
    /// When the program is missing or cannot start.
    pub(super) fn spawn(mut command: Command, log: &Path) -> anyhow::Result<Self> {
        let program = command.get_program().to_string_lossy().into_owned();
        let file = File::create(log).with_context(|| format!("create {}", log.display()))?;
        command.stderr(file);
        let process = command.spawn().with_context(|| format!("start {program}; is it installed?"))?;
        Ok(Self { process, program, log: log.to_path_buf() })
    }

    pub(super) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// What it has written to its log so far.
    pub(super) fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Whether it is our collector, which has logged that its sockets are there. It does so once it catches signals; trying its
    /// ports would take them from it.
    pub(super) fn says_that_it_listens(&self) -> bool {
        self.log_text().contains("listening for ")
    }

    /// Waits for the end.
    ///
    /// # Errors
    ///
    /// When it still runs after `patience`.
    pub(super) fn wait(&mut self, patience: Duration) -> anyhow::Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.process.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                bail!("{} still runs after {patience:?}; see {}", self.program, self.log.display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Fails when the program has already ended.
    ///
    /// # Errors
    ///
    /// With the end of its log.
    pub(super) fn ensure_running(&mut self) -> anyhow::Result<()> {
        if let Some(status) = self.process.try_wait()? {
            let log = self.log_text();
            let tail: Vec<&str> = log.lines().rev().take(5).collect();
            bail!("{} ended with {status}: {}", self.program, tail.join(" | "));
        }
        Ok(())
    }

    /// The most memory it had resident so far, from procfs.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn peak_resident_bytes(&self) -> anyhow::Result<u64> {
        self.memory("VmHWM:")
    }

    /// The memory it has resident now, from procfs.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn resident_bytes(&self) -> anyhow::Result<u64> {
        self.memory("VmRSS:")
    }

    fn memory(&self, name: &'static str) -> anyhow::Result<u64> {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context(name)?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib * 1024)
    }

    /// Processor time of all its threads so far, user and system, from procfs.
    ///
    /// # Errors
    ///
    /// When it has ended.
    pub(super) fn processor_time(&self) -> anyhow::Result<Duration> {
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(&path).with_context(|| format!("read {path}"))?;
        // The name before it may have spaces.
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).map(|field| field.parse::<u64>()).sum::<Result<_, _>>()?;
        Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
    }

    /// SIGTERM.
    ///
    /// # Errors
    ///
    /// When `kill` fails.
    pub(super) fn terminate(&self) -> anyhow::Result<()> {
        self.signal("-TERM")
    }

    /// SIGHUP.
    ///
    /// # Errors
    ///
    /// When `kill` fails.
    pub(super) fn hang_up(&self) -> anyhow::Result<()> {
        self.signal("-HUP")
    }

    fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let status = Command::new("kill").arg(signal).arg(self.process.id().to_string()).status()?;
        anyhow::ensure!(status.success(), "kill {signal} {} failed", self.program);
        Ok(())
    }

    /// SIGKILL, and waits until it is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A command of root, by sudo where somebody else runs this, which must not ask for anything.
pub(super) fn as_root(program: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", program]);
    sudo
}

/// Polls until `condition` gives a value.
///
/// # Errors
///
/// When it fails, or gives none within `patience`.
pub(super) fn wait_until<T>(
    what: &str,
    patience: Duration,
    mut condition: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("{what}: not within {patience:?}");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
