//! A real OpenTelemetry Collector: built once with its own builder, then run with a configuration of ours.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::process::{Child, wait_until};

/// The one of the image in `demo/xdp`.
pub(crate) const VERSION: &str = "0.159.0";
/// The version its stable modules have in the same release.
const STABLE_VERSION: &str = "1.65.0";

/// Downloading and compiling on a slow machine.
const BUILD_PATIENCE: Duration = Duration::from_secs(15 * 60);
const START_PATIENCE: Duration = Duration::from_secs(20);

/// The Collector's program; builds it in `folder` unless one of the same manifest is there.
///
/// # Errors
///
/// When Go is missing, or the modules cannot be had or compiled.
pub(super) fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let (program, built_from) = (folder.join("otelcol"), folder.join("otelcol-manifest.yaml"));
    if program.exists() && fs::read_to_string(&built_from).is_ok_and(|text| text == manifest()) {
        return Ok(program);
    }
    println!("building the OpenTelemetry Collector {VERSION}, which takes minutes the first time");
    let source = folder.join("otelcol-source");
    let _ = fs::remove_dir_all(&source);
    fs::create_dir_all(&source)?;
    let builder = format!("go.opentelemetry.io/collector/cmd/builder@v{VERSION}");
    let mut install = Command::new("go");
    install.args(["install", &builder]).env("GOBIN", &source).env("GOTOOLCHAIN", "local");
    finish(install, &folder.join("otelcol-builder.log"))?;
    fs::write(source.join("builder.yaml"), manifest())?;
    let mut build = Command::new(source.join("builder"));
    build.args(["--config", "builder.yaml"]).current_dir(&source).env("GOTOOLCHAIN", "local");
    finish(build, &folder.join("otelcol-build.log"))?;
    fs::rename(source.join("distribution/otelcol"), &program)?;
    fs::remove_dir_all(&source)?;
    fs::write(built_from, manifest())?;
    Ok(program)
}

fn finish(command: Command, log: &Path) -> anyhow::Result<()> {
    let mut child = Child::spawn(command, log)?;
    let status = child.wait(BUILD_PATIENCE)?;
    ensure!(status.success(), "building the Collector ended with {status}; see {}", log.display());
    Ok(())
}

fn manifest() -> String {
    let module = |path: &str, version: &str| format!("  - gomod: go.opentelemetry.io/collector/{path} v{version}\n");
    let contributed = "  - gomod: github.com/open-telemetry/opentelemetry-collector-contrib/";
    [
        "dist:\n  name: otelcol\n  output_path: distribution\nreceivers:\n",
        &module("receiver/otlpreceiver", VERSION),
        "exporters:\n",
        &module("exporter/debugexporter", VERSION),
        &module("exporter/otlpexporter", VERSION),
        &module("exporter/otlphttpexporter", VERSION),
        &format!("{contributed}exporter/prometheusexporter v{VERSION}\n"),
        "processors:\n",
        &module("processor/memorylimiterprocessor", VERSION),
        "connectors:\n",
        &format!("{contributed}connector/spanmetricsconnector v{VERSION}\n"),
        "providers:\n",
        // The scheme that a Collector takes for the default must be there, used or not.
        &module("confmap/provider/envprovider", STABLE_VERSION),
        &module("confmap/provider/fileprovider", STABLE_VERSION),
    ]
    .concat()
}

/// What a Collector does with the spans it gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Forward {
    /// Passes on what comes by gRPC by gRPC and what comes by HTTP by HTTP, and acknowledges only what has been
    /// acknowledged to it: it has no queue and does not retry.
    To { grpc: SocketAddr, http: SocketAddr },
    /// Passes on what comes by gRPC, without a queue, and with it metrics that it makes of the spans.
    Measured(SocketAddr),
    /// Counts them in its log.
    Nowhere,
}

/// A running Collector.
#[derive(Debug)]
pub(super) struct Otelcol {
    program: PathBuf,
    config: PathBuf,
    log: PathBuf,
    pub grpc: SocketAddr,
    pub http: SocketAddr,
    child: Child,
}

impl Otelcol {
    /// Starts one on ports of its own and waits until it listens. Its files are `NAME.yaml` and `NAME.log`.
    ///
    /// # Errors
    ///
    /// When it does not start, with the end of its log.
    pub(super) fn start(program: &Path, folder: &Path, name: &str, forward: Forward) -> anyhow::Result<Self> {
        let (grpc, http) = (free_tcp_port()?, free_tcp_port()?);
        let (config, log) = (folder.join(format!("{name}.yaml")), folder.join(format!("{name}.log")));
        fs::write(&config, configuration(grpc, http, forward))?;
        let child = spawn(program, &config, &log)?;
        let mut otelcol = Self { program: program.into(), config, log, grpc, http, child };
        otelcol.wait_until_it_listens()?;
        Ok(otelcol)
    }

    /// Ends it as a power cut would.
    ///
    /// # Errors
    ///
    /// When it cannot be killed.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()
    }

    /// Starts it again on the same ports.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.child = spawn(&self.program, &self.config, &self.log)?;
        self.wait_until_it_listens()
    }

    /// Spans that the debug exporter has counted.
    ///
    /// # Errors
    ///
    /// When its log does not look as it should.
    pub(super) fn spans_counted(&self) -> anyhow::Result<u64> {
        let log = self.child.log_text();
        let counts = log.lines().filter_map(|line| line.split("\"spans\": ").nth(1));
        counts
            .map(|rest| {
                let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
                digits.parse::<u64>().with_context(|| format!("no number of spans in {rest:?}"))
            })
            .sum()
    }

    fn wait_until_it_listens(&mut self) -> anyhow::Result<()> {
        wait_until("the OpenTelemetry Collector listens", START_PATIENCE, || {
            self.child.ensure_running()?;
            let listens = TcpStream::connect(self.grpc).is_ok() && TcpStream::connect(self.http).is_ok();
            Ok(listens.then_some(()))
        })
    }
}

fn spawn(program: &Path, config: &Path, log: &Path) -> anyhow::Result<Child> {
    let mut command = Command::new(program);
    command.arg("--config").arg(config);
    Child::spawn(command, log)
}

/// Two separate pipelines, so that it is known which way a span went.
fn configuration(grpc: SocketAddr, http: SocketAddr, forward: Forward) -> String {
    const EXACTLY_ONCE: &str = "
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }";
    let to_grpc =
        |address| format!("\n  otlp_grpc:\n    endpoint: {address}\n    tls: {{ insecure: true }}{EXACTLY_ONCE}");
    let (exporters, from_grpc, from_http) = match forward {
        Forward::To { grpc, http } => (
            format!("{}\n  otlp_http:\n    endpoint: http://{http}{EXACTLY_ONCE}", to_grpc(grpc)),
            "otlp_grpc",
            "otlp_http",
        ),
        Forward::Measured(grpc) => (to_grpc(grpc), "otlp_grpc, spanmetrics", "otlp_grpc"),
        Forward::Nowhere => ("\n  debug: { verbosity: basic }".to_owned(), "debug", "debug"),
    };
    let (connectors, metrics) = match forward {
        Forward::Measured(_) => (
            "connectors:\n  spanmetrics: { metrics_flush_interval: 500ms }\n",
            "    metrics: { receivers: [spanmetrics], exporters: [otlp_grpc] }\n",
        ),
        _ => ("", ""),
    };
    format!(
        "\
receivers:
  otlp/grpc:
    protocols:
      grpc:
        endpoint: {grpc}
        max_recv_msg_size_mib: 16
  otlp/http:
    protocols:
      http:
        endpoint: {http}
exporters:{exporters}
{connectors}service:
  telemetry:
    metrics: {{ level: none }}
    # Every line of the debug exporter counts.
    logs: {{ sampling: {{ enabled: false }} }}
  pipelines:
    traces/grpc: {{ receivers: [otlp/grpc], exporters: [{from_grpc}] }}
    traces/http: {{ receivers: [otlp/http], exporters: [{from_http}] }}
{metrics}"
    )
}

/// A TCP port on loopback that was free a moment ago.
pub(super) fn free_tcp_port() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free TCP port")?;
    Ok(listener.local_addr()?)
}
