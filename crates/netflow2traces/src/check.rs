//! `check`: the effective configuration, and whether everything that `collect` needs is there.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use flow_collector::{Collector, CollectorError};
use otlp_sink::{OtlpConfig, Output, PartialSuccess, SinkError};

use crate::cli::{Source, Sources};
use crate::collect::{explain, runtime};
use crate::config::Config;
use crate::logs;
use crate::metrics;
use crate::server;
use crate::settings::Settings;

/// Arguments of `check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Prints the settings as a configuration file, says where each comes from, and tries addresses and outputs. A port in use
/// does not keep it from the rest: a collector may run.
///
/// # Errors
///
/// Settings that cannot be used, an address that cannot be listened on, an output that does not take spans, a receiver that
/// does not take metrics or logs.
pub(crate) fn run(args: &CheckArgs, sources: &Sources) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    for (key, values) in args.settings.values() {
        let source = match sources.of(&key) {
            Source::Flag => "option",
            Source::Environment => "environment",
            Source::File => "file",
            Source::Default => "default",
        };
        let values: Vec<_> = values.iter().map(|value| format!("{:?}", redacted(&key, value))).collect();
        let value = match values.as_slice() {
            [value] => value.clone(),
            values => format!("[{}]", values.join(", ")),
        };
        // A comment, because a file cannot name a file.
        let comment = if key == "config" { "# " } else { "" };
        writeln!(output, "{comment}{key} = {value} # {source}")?;
    }
    output.flush()?;
    let config = Config::new(&args.settings)?;
    if config.disabled {
        writeln!(output, "# OTEL_SDK_DISABLED is true: nothing is received and nothing exported")?;
        return Ok(());
    }
    let mut busy = try_addresses(&config, &mut output)?;
    if config.collector.filter.has_rules() {
        writeln!(output, "# the filter is {}", config.collector.filter)?;
    }
    if args.settings.elements.is_some() {
        writeln!(output, "# {} elements are defined", config.collector.state.elements.len())?;
    }
    if let Some(path) = &config.collector.state_file {
        try_file(path).with_context(|| format!("cannot write the state file {}", path.display()))?;
        writeln!(output, "# the state is kept in {}", path.display())?;
    }
    for target in &config.sink.outputs {
        match target {
            Output::Otlp(otlp) => {
                if let Some(spool) = &otlp.spool {
                    let path = &spool.directory;
                    let tried = fs::create_dir_all(path).and_then(|()| try_file(&path.join("lock")));
                    tried.map_err(|source| SinkError::Spool { path: path.clone(), source })?;
                    writeln!(output, "# spans that the backend does not take wait in {}", path.display())?;
                }
                for receiver in otlp.each() {
                    probe(&receiver, &mut output)?;
                }
            }
            Output::File(file) => {
                try_file(&file.path).map_err(|source| SinkError::File { path: file.path.clone(), source })?;
                writeln!(output, "# spans go to the file {}", file.path.display())?;
            }
            _ => writeln!(output, "# spans go to standard output")?,
        }
    }
    if let Some((host, port)) = &config.metrics.prometheus {
        match server::bind(host, *port, runtime()?.handle()) {
            Ok(_) => writeln!(output, "# metrics for Prometheus can be at {host}:{port}")?,
            Err(error) => {
                busy.push(anyhow!(
                    "no metrics for Prometheus at {host}:{port}: {error}; choose another port with --prometheus-port"
                ));
                tell_last(&busy, &mut output)?;
            }
        }
    }
    if let Some(otlp) = &config.metrics.otlp {
        probe_signal("metrics", otlp, metrics::otlp::probe(otlp), &mut output)?;
    }
    if let Some(otlp) = &config.logs {
        probe_signal("logs", otlp, logs::probe(otlp), &mut output)?;
    }
    busy.into_iter().next().map_or(Ok(()), Err)
}

/// Opens what is free, all at once as `collect` does; returns what to do about each address that is in use.
fn try_addresses(config: &Config, output: &mut impl Write) -> anyhow::Result<Vec<anyhow::Error>> {
    let mut busy = Vec::new();
    // By protocol, as a port in use for one may be free for the other.
    let [mut udp, mut streams] = [config.collector.clone(), config.collector.clone()];
    udp.stream.listen.clear();
    streams.listen.clear();
    for mut rest in [udp, streams] {
        for _ in 0..rest.listen.len() + rest.stream.listen.len() {
            let (address, source) = match Collector::bind(rest.clone()) {
                Ok(collector) => {
                    for address in collector.addresses() {
                        writeln!(output, "# {address} can be listened on")?;
                    }
                    for (protocol, address) in collector.stream_addresses() {
                        writeln!(output, "# {address} can be listened on over {protocol}")?;
                    }
                    break;
                }
                Err(CollectorError::Bind { address, source }) if source.kind() == ErrorKind::AddrInUse => {
                    (address, source)
                }
                Err(error) => return Err(explain(error, config)),
            };
            // The last, as of two that are the same the first is the one that can be had.
            rest.listen.iter().rposition(|other| *other == address).map(|at| rest.listen.remove(at));
            let streams = &mut rest.stream.listen;
            streams.iter().rposition(|(_, other)| *other == address).map(|at| streams.remove(at));
            busy.push(explain(CollectorError::Bind { address, source }, config));
            tell_last(&busy, output)?;
        }
    }
    Ok(busy)
}

fn tell_last(busy: &[anyhow::Error], output: &mut impl Write) -> io::Result<()> {
    busy.last().map_or(Ok(()), |error| writeln!(output, "# {error}"))
}

/// Opens a file as an output does. One that was not there is gone again afterwards.
fn try_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).create_new(true).open(path) {
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).create(true).open(path).map(drop)
        }
        Err(error) => Err(error),
    }
}

fn probe(otlp: &OtlpConfig, output: &mut impl Write) -> anyhow::Result<()> {
    let (endpoint, protocol) = (&otlp.endpoint, otlp.protocol);
    let report = runtime()?
        .block_on(otlp_sink::probe(otlp))
        .with_context(|| format!("the backend at {endpoint} ({protocol}) does not take spans"))?;
    writeln!(output, "# the backend at {endpoint} ({protocol}) takes spans, answer after {:?}", report.duration)?;
    if !report.message.is_empty() {
        bail!("the backend at {endpoint} ({protocol}) answered: {}", report.message);
    }
    Ok(())
}

fn probe_signal(
    signal: &str,
    otlp: &OtlpConfig,
    probe: impl Future<Output = anyhow::Result<PartialSuccess>>,
    output: &mut impl Write,
) -> anyhow::Result<()> {
    let (endpoint, protocol) = (&otlp.endpoint, otlp.protocol);
    let accepted = runtime()?
        .block_on(probe)
        .with_context(|| format!("the backend at {endpoint} ({protocol}) does not take {signal}"))?;
    writeln!(output, "# the backend at {endpoint} ({protocol}) takes {signal}")?;
    if !accepted.message.is_empty() {
        bail!("the backend at {endpoint} ({protocol}) answered: {}", accepted.message);
    }
    Ok(())
}

/// The value without its secrets: of headers only the names stay, of a URL no user and password.
fn redacted(key: &str, value: &str) -> String {
    if key.ends_with("headers") {
        let name = |pair: &str| format!("{}=[redacted]", pair.split_once('=').map_or("", |(name, _)| name.trim()));
        return value.split(',').map(name).collect::<Vec<_>>().join(",");
    }
    if key.ends_with("endpoint") {
        return value.split(',').map(without_user).collect::<Vec<_>>().join(",");
    }
    value.to_owned()
}

fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |at| at + 3));
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}[redacted]@{host}{path}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_tried_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spans.jsonl");
        try_file(&path).unwrap();
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        try_file(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        assert!(try_file(folder.path()).is_err());
        assert!(try_file(&path.join("below")).is_err());
    }

    #[test]
    fn secrets_do_not_show() {
        for (key, value, shown) in [
            ("otlp_headers", "authorization=Basic%20QQ==, x-tenant=a", "authorization=[redacted],x-tenant=[redacted]"),
            ("otlp_traces_headers", "secret", "=[redacted]"),
            ("otlp_endpoint", "http://user:secret@collector:4318/a@b", "http://[redacted]@collector:4318/a@b"),
            ("otlp_endpoint", "http://collector:4318/a@b", "http://collector:4318/a@b"),
            ("otlp_endpoint", "a:1,user:secret@b:2/c", "a:1,[redacted]@b:2/c"),
            ("service_name", "a=b,c", "a=b,c"),
        ] {
            assert_eq!(redacted(key, value), shown);
        }
    }
}
