//! `collect`: from UDP sockets to the outputs, until a signal comes.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use flow_collector::{Collector, CollectorConfig, CollectorError, PassedSockets, StatsSnapshot, StreamProtocol};
use otlp_sink::{DrainReport, ExportErrorKind, OtlpConfig, Output, Sink, SinkConfig};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::{self, Interval};
use tracing::{error, info, warn};

use crate::config::Config;
use crate::logs::{self, Lines};
use crate::metrics::{self, Source};
use crate::reload::Reload;
use crate::server::{self, Health, Told};
use crate::service::{self, Service};
use crate::settings::Settings;
use crate::signals::{self, Hangup, Stop};

/// How long delivery may go on after the last datagram: below the thirty seconds after which Kubernetes kills. Where
/// something kills earlier, the line about what remained is lost, and nothing that a shorter time would have saved.
pub(crate) const DRAIN_DEADLINE: Duration = Duration::from_secs(25);
/// How long the last metrics and lines of the log may take then, each.
const TELEMETRY_DEADLINE: Duration = Duration::from_secs(1);

/// Collects. `lines` of the log are those that go over OTLP.
///
/// # Errors
///
/// Settings that cannot be used, an address that cannot be listened on, a file that cannot be written, a receiving
/// thread that panicked.
pub(crate) fn run(settings: &Settings, lines: Option<Lines>) -> anyhow::Result<()> {
    let config = Config::new(settings)?;
    if config.disabled {
        return wait_disabled();
    }
    let service = Service::from_env();
    let collector = bind_beside(&config, service::passed_sockets()?)?;
    let runtime = runtime()?;
    let mut stop = Stop::listen(runtime.handle())?;
    let mut hangup = Hangup::listen(runtime.handle())?;
    if config.stdout_by_default {
        info!("no OTLP endpoint is set, spans go to standard output; set OTEL_EXPORTER_OTLP_ENDPOINT to export them");
    }
    warn_if_unreachable(&config.sink, runtime.handle());
    let sink = Sink::start(config.sink.clone(), runtime.handle())?;
    let addresses = collector.addresses().to_vec();
    let streams = collector.stream_addresses().to_vec();
    let mut running = collector.start(&sink)?;
    let log_stats = lines.as_ref().map(|lines| lines.stats.clone());
    let (stats, exporters) = (running.stats().clone(), running.exporters().clone());
    let source = Source::new(stats, exporters, running.state().clone(), sink.clone()).with_log(log_stats);
    let source = source.with_own_exporters(config.metrics.exporters);
    let health = Health::new(running.liveness().clone());
    if let Some((host, port)) = &config.metrics.prometheus {
        let source = source.clone();
        let told = Told::new(move || source.metrics(), health.clone(), &config.sink.resource);
        match server::bind(host, *port, runtime.handle()) {
            Ok(listener) => server::start(listener, told, runtime.handle()),
            // Flows matter more.
            Err(error) => {
                warn!(%host, port, %error, "no metrics for Prometheus; choose another port with --prometheus-port");
            }
        }
    }
    let export = metrics::start(&config.metrics, &source, &config.sink.resource, runtime.handle());
    let log_export = match (&config.logs, lines) {
        (Some(otlp), Some(lines)) => logs::start(otlp, lines, &config.sink.resource, runtime.handle()),
        _ => logs::Export::none(),
    };
    announce(&config, &addresses, &streams);
    let mut reload = Reload::new(settings, config.receivers);
    let listening = || {
        let snapshot = running.stats().snapshot();
        let exporters = running.state().exporter_count();
        format!("{exporters} exporters, {} datagrams, {} flow records", snapshot.datagrams, snapshot.records)
    };
    service.ready(listening());
    let mut watchdog = Watchdog::new(&service, runtime.handle());
    runtime.block_on(async {
        loop {
            tokio::select! {
                () = stop.requested() => break,
                () = sink.closed() => break info!("nobody reads standard output any more, stopping"),
                () = running.failed() => break error!("a receiving thread has panicked, stopping"),
                () = hangup.requested() => {
                    service.reloading();
                    reload.apply(&running);
                    service.ready(listening());
                }
                () = watchdog.due() => {
                    if running.liveness().stuck(Instant::now()).is_none() {
                        service.alive(listening());
                    }
                }
            }
        }
    });
    health.stopping();
    service.stopping();
    let totals = running.stop();
    let report = runtime.block_on(sink.shutdown(DRAIN_DEADLINE));
    export.finish(TELEMETRY_DEADLINE, runtime.handle());
    log_totals(&totals, &report);
    log_export.finish(TELEMETRY_DEADLINE, runtime.handle());
    // What still waits for somebody is not waited for.
    runtime.shutdown_background();
    ensure!(!running.has_failed(), "a receiving thread panicked, so that datagrams were lost");
    Ok(())
}

/// What `OTEL_SDK_DISABLED` leaves to do: the program runs, so that whatever watches it is content, and makes no telemetry.
pub(crate) fn wait_disabled() -> anyhow::Result<()> {
    let runtime = runtime()?;
    let mut stop = Stop::listen(runtime.handle())?;
    signals::ignore_hangup(runtime.handle())?;
    warn_disabled();
    let service = Service::from_env();
    service.ready("OTEL_SDK_DISABLED is true");
    let mut watchdog = Watchdog::new(&service, runtime.handle());
    runtime.block_on(async {
        loop {
            tokio::select! {
                () = stop.requested() => break,
                () = watchdog.due() => service.alive("OTEL_SDK_DISABLED is true"),
            }
        }
    });
    Ok(())
}

/// Says why there will be nothing.
pub(crate) fn warn_disabled() {
    warn!("OTEL_SDK_DISABLED is true: nothing is received and nothing exported");
}

/// What runs the sink, signals and metrics. Datagrams have threads of their own.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().context("cannot start threads")
}

/// One line at the end that says what became of everything.
pub(crate) fn log_totals(totals: &StatsSnapshot, report: &DrainReport) {
    info!(
        datagrams = totals.datagrams,
        denied = totals.denied,
        exporters_refused = totals.exporters_refused,
        limited = totals.datagrams_limited,
        kernel_drops = totals.kernel_drops,
        unread = totals.datagrams_unread,
        records = totals.records,
        filtered = totals.flows_filtered,
        sampled_out = totals.flows_sampled_out,
        records_limited = totals.flows_limited,
        records_cut = totals.flows_cut,
        issues = totals.issues.iter().sum::<u64>(),
        spans_exported = report.exported,
        spans_dropped = report.dropped,
        spans_remaining = report.remaining,
        spans_spooled = report.spooled,
        "stopped"
    );
}

/// Says what is listened on, and who is heard there without having shown a certificate.
fn announce(config: &Config, addresses: &[SocketAddr], streams: &[(StreamProtocol, SocketAddr)]) {
    for address in addresses {
        info!(%address, "listening for NetFlow and IPFIX over UDP");
    }
    for (protocol, address) in streams {
        info!(%address, "listening for IPFIX over {protocol}");
    }
    if config.collector.stream.tls.as_ref().is_some_and(|files| files.client_authorities.is_none()) {
        warn!(
            "exporters need not show a certificate: set NETFLOW_TLS_CLIENT_CA to have only those heard that have one"
        );
    }
}

/// Looks for the receivers in the background; what is missing now is retried with every batch.
fn warn_if_unreachable(sink: &SinkConfig, runtime: &Handle) {
    for output in &sink.outputs {
        let Output::Otlp(otlp) = output else { continue };
        let probe_one = |otlp: OtlpConfig| async move {
            let Err(error) = otlp_sink::probe(&otlp).await else { return };
            let endpoint = otlp.endpoint.to_string();
            let place = if otlp.spool.is_some() { "the spool" } else { "memory" };
            match error.kind {
                ExportErrorKind::Refused => {
                    warn!(endpoint, %error, "the backend refuses spans, they will be dropped; run check after a change");
                }
                _ => {
                    warn!(endpoint, %error, "the backend does not take spans yet; they wait in {place} and are sent again")
                }
            }
        };
        for receiver in otlp.each() {
            runtime.spawn(probe_one(receiver));
        }
    }
}

/// Opens the sockets beside those that were passed, which take the place of `NETFLOW_LISTEN_HOST` and `_PORT`.
fn bind_beside(config: &Config, passed: PassedSockets) -> anyhow::Result<Collector> {
    let mut collector = config.collector.clone();
    let are_passed = !passed.is_empty();
    if config.listens_by_default && are_passed {
        collector.listen.clear();
    }
    let collector = Collector::bind_beside(collector, passed).map_err(|error| explain(error, config))?;
    if are_passed {
        info!("sockets were passed: NETFLOW_LISTEN_HOST and _PORT do not count, and NETFLOW_WORKERS not for them");
    }
    Ok(collector)
}

/// When the service manager is to hear of us.
pub(crate) struct Watchdog(Option<Interval>);

impl Watchdog {
    pub(crate) fn new(service: &Service, runtime: &Handle) -> Self {
        let _context = runtime.enter();
        Self(service.watchdog_interval().map(time::interval))
    }

    pub(crate) async fn due(&mut self) {
        match &mut self.0 {
            Some(interval) => _ = interval.tick().await,
            None => std::future::pending().await,
        }
    }
}

/// What to do about an address that cannot be listened on.
pub(crate) fn explain(error: CollectorError, config: &Config) -> anyhow::Error {
    let CollectorError::Bind { address, source } = &error else {
        return error.into();
    };
    let by_default = config.listens_by_default && config.collector.listen.contains(address);
    let (host, port) = if by_default { ("--listen-host", "--listen-port") } else { ("--listen", "--listen") };
    let advice = match source.kind() {
        ErrorKind::AddrInUse => match taken_by(address, &config.collector) {
            Some(other) if other == *address => "it is twice in --listen: leave one out".to_owned(),
            Some(other) => format!("{other} is in --listen too and takes it as well: leave one of them out"),
            None => format!("another program uses this port: stop it, or choose another port with {port}"),
        },
        ErrorKind::PermissionDenied => format!(
            "ports below 1024 need the capability CAP_NET_BIND_SERVICE: grant it, or choose another port with {port}"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("this machine does not have the address: choose one of its own, or 0.0.0.0 for all, with {host}")
        }
        _ => return error.into(),
    };
    anyhow!("cannot listen on {address}: {advice}")
}

/// Another address of ours that takes the port of this one, over UDP or over TCP.
fn taken_by(address: &SocketAddr, config: &CollectorConfig) -> Option<SocketAddr> {
    let takes = |other: &SocketAddr| {
        let is_same_host = other.ip() == address.ip() || other.ip().is_unspecified() || address.ip().is_unspecified();
        other.port() == address.port() && other.is_ipv4() == address.is_ipv4() && is_same_host
    };
    let streams: Vec<_> = config.stream.listen.iter().map(|(_, address)| *address).collect();
    [&config.listen, &streams].into_iter().find_map(|list| {
        let own = list.iter().position(|own| own == address)?;
        list.iter().enumerate().find(|(place, other)| *place != own && takes(other)).map(|(_, other)| *other)
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::config::tests::config;

    #[test]
    fn bind_errors_say_what_to_do() {
        let default = &["--listen-host", "192.0.2.1", "--listen-port", "514"][..];
        for (flags, kind, advice) in [
            (default, ErrorKind::AddrInUse, "another program uses this port"),
            (default, ErrorKind::AddrInUse, "with --listen-port"),
            (default, ErrorKind::PermissionDenied, "CAP_NET_BIND_SERVICE"),
            (default, ErrorKind::AddrNotAvailable, "with --listen-host"),
            (default, ErrorKind::OutOfMemory, "out of memory"),
            (&["--listen", "udp://192.0.2.1:514"], ErrorKind::AddrInUse, "choose another port with --listen"),
            (&["--listen", "tcp://192.0.2.1:514,udp://192.0.2.1:514"], ErrorKind::AddrInUse, "another program uses"),
            (&["--listen", "udp://192.0.2.1:514,udp://192.0.2.1:514"], ErrorKind::AddrInUse, "it is twice in --listen"),
            (&["--listen", "tcp://192.0.2.1:514,tcp://192.0.2.1:514"], ErrorKind::AddrInUse, "it is twice in --listen"),
            (
                &["--listen", "udp://0.0.0.0:514,udp://192.0.2.1:514"],
                ErrorKind::AddrInUse,
                "0.0.0.0:514 is in --listen too",
            ),
            (&["--listen", "udp://[::]:514,udp://192.0.2.1:514"], ErrorKind::AddrInUse, "another program uses"),
        ] {
            let address = "192.0.2.1:514".parse().unwrap();
            let error = CollectorError::Bind { address, source: io::Error::from(kind) };
            let message = explain(error, &config(flags)).to_string();
            assert!(message.starts_with("cannot listen on 192.0.2.1:514: ") && message.contains(advice), "{message}");
            assert!(flags == default || !message.contains("--listen-"), "{message}");
        }
    }
}
