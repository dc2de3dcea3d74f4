//! The command as a process, in an environment of the test's own.

#![allow(dead_code, reason = "no test file uses all of it")]

pub(crate) mod account;
pub(crate) mod scrape;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The command with nothing in its environment, so that only the test sets variables.
pub(crate) fn netflow2traces(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_netflow2traces"));
    command.args(arguments).env_clear().stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    netflow2traces(arguments).output().unwrap()
}

pub(crate) fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(crate) fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// Asserts an exit code and that standard error is this one line.
pub(crate) fn assert_fails(output: &Output, code: i32, message: &str) {
    assert_eq!(stderr(output).trim_end(), message);
    assert_eq!(output.status.code(), Some(code), "{message}");
}

pub(crate) fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/corpus")
}

/// A capture of the corpus, as an argument.
pub(crate) fn capture(name: &str) -> String {
    corpus().join(name).with_extension("pcap").to_str().unwrap().to_owned()
}

/// The spans of a file with OTLP JSON lines.
pub(crate) fn spans(file: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut spans = Vec::new();
    for line in text.lines() {
        let traces: Value = serde_json::from_str(line).unwrap();
        for resource in traces["resourceSpans"].as_array().unwrap() {
            for scope in resource["scopeSpans"].as_array().unwrap() {
                spans.extend(scope["spans"].as_array().unwrap().iter().cloned());
            }
        }
    }
    spans
}

pub(crate) fn named<'a>(spans: &'a [Value], name: &str) -> Vec<&'a Value> {
    spans.iter().filter(|span| span["name"] == name).collect()
}

/// A collector that listens on a free port of 127.0.0.1. It ends with the test.
pub(crate) struct Collector {
    process: Child,
    pub(crate) address: SocketAddr,
    log: mpsc::Receiver<String>,
    lines: Vec<String>,
}

impl Collector {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = netflow2traces(arguments);
        command.args(["--listen-host", "127.0.0.1", "--listen-port", "0", "--workers", "1"]);
        command.args(["--metrics-exporter", "none"]);
        Self::spawn(command.stdout(Stdio::null()))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut collector = Self::spawn_until(command, "listening");
        collector.address = address_in(&collector.wait_for("listening"));
        collector
    }

    /// A command that need not listen, once its log has this text.
    pub(crate) fn spawn_until(command: &mut Command, text: &str) -> Self {
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let log = follow(process.stderr.take().unwrap());
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut collector = Self { process, address, log, lines: Vec::new() };
        collector.wait_for(text);
        collector
    }

    /// Where it listens for IPFIX over `TCP` or `TLS`.
    pub(crate) fn stream_address(&mut self, protocol: &str) -> SocketAddr {
        address_in(&self.wait_for(&format!("listening for IPFIX over {protocol}")))
    }

    /// Waits for a line of the log, unless it has come already.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        match self.lines.iter().find(|line| line.contains(text)) {
            Some(line) => line.clone(),
            None => self.wait_for_another(text),
        }
    }

    /// Waits for a line of the log that was not waited for yet.
    pub(crate) fn wait_for_another(&mut self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.log.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            let line = line.unwrap_or_else(|_| panic!("no {text:?} in the log:\n{}", self.lines.join("\n")));
            self.lines.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Where its metrics are read, once that is known.
    pub(crate) fn metrics_address(&mut self) -> String {
        let line = self.wait_for("metrics for Prometheus");
        line.split_once("address=").unwrap().1.trim().to_owned()
    }

    /// Has generated version 5 datagrams of 30 flows sent to it.
    pub(crate) fn receive(&self, datagrams: u32) {
        let (port, count) = (self.address.port().to_string(), datagrams.to_string());
        let sent = run(&["send", "--port", &port, "--count", &count]);
        assert!(sent.status.success(), "{}", stderr(&sent));
    }

    pub(crate) fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    }

    /// Process ID.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn stdout(&mut self) -> impl Read + use<> {
        self.process.stdout.take().unwrap()
    }

    /// Waits for the end: exit code and the rest of the log.
    pub(crate) fn end(mut self) -> (i32, Vec<String>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                self.lines.extend(self.log.iter());
                return (status.code().unwrap(), std::mem::take(&mut self.lines));
            }
            assert!(Instant::now() < deadline, "still running, log:\n{}", self.lines.join("\n"));
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until a file with OTLP JSON lines has so many flow spans.
pub(crate) fn wait_for_flows(file: &Path, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let flows = text.matches("\"netflow.flow\"").count();
        if flows >= count {
            return assert_eq!(flows, count);
        }
        assert!(Instant::now() < deadline, "{flows} of {count} flows");
        thread::sleep(Duration::from_millis(20));
    }
}

/// How long a test waits for what has to happen; on a busy machine that takes a while.
const PATIENCE: Duration = Duration::from_secs(120);

/// The address that a line of the log names.
fn address_in(line: &str) -> SocketAddr {
    line.split_once("address=").unwrap().1.trim().parse().unwrap()
}

fn follow(log: ChildStderr) -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
