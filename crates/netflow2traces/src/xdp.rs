//! `xdp`: packet counters of XDP programs as metrics.

mod args;
mod attach;
mod bursts;
mod config;
mod export;
#[cfg(test)]
mod fake;
mod flows;
mod listing;
mod metrics;
mod print;
mod runs;
mod source;
mod target;
mod watched;

use std::env;
use std::io::{self, Write};

use clap::{Args, Subcommand};
use tracing::warn;

use crate::cli;
use crate::settings::LogSettings;
use args::{ExportArgs, ListArgs, MapArgs, ReadArgs};
use attach::{AttachArgs, DetachArgs};
use bursts::{Recorder, Sampled};
use config::Config;
use target::Target;
use watched::{NoReading, Read, Watched};

/// Arguments of `xdp`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct XdpArgs {
    #[command(subcommand)]
    command: Option<XdpCommand>,

    #[command(flatten)]
    export: ExportArgs,
}

/// What to do with XDP programs and their maps.
#[derive(Subcommand)]
enum XdpCommand {
    /// Export the counters of maps as metrics (the default)
    Export(ExportArgs),
    /// Print the counters of maps once
    Read(ReadArgs),
    /// List XDP programs, the maps there are, and the processes that hold them
    List(ListArgs),
    /// Count packets of an interface with a program of our own, which lets all of them pass
    Attach(AttachArgs),
    /// Take our own program from an interface
    Detach(DetachArgs),
}

impl XdpArgs {
    /// The settings of the log, with what `--debug` says.
    pub(crate) fn log(&self, log: LogSettings) -> LogSettings {
        let debug = match &self.command {
            None => self.export.debug,
            Some(XdpCommand::Export(export)) => export.debug,
            Some(_) => false,
        };
        if debug { LogSettings { log_level: "DEBUG".to_owned(), ..log } } else { log }
    }
}

/// Does it.
///
/// # Errors
///
/// Settings that cannot be used, a map that cannot be read.
pub(crate) fn run(args: &XdpArgs) -> anyhow::Result<()> {
    match &args.command {
        None => export(&args.export),
        Some(XdpCommand::Export(args)) => export(args),
        Some(XdpCommand::List(args)) => list(args),
        Some(XdpCommand::Attach(args)) => attach::run(args),
        Some(XdpCommand::Detach(args)) => attach::detach(args),
        Some(XdpCommand::Read(args)) => read(&args.maps, args.json, true),
    }
}

fn export(args: &ExportArgs) -> anyhow::Result<()> {
    if args.once {
        return read(&args.maps, args.json, args.fail_on_missing);
    }
    if config::is_disabled(|name| env::var(name).ok()) {
        return crate::collect::wait_disabled();
    }
    let config = Config::new(args, |name| env::var(name).ok())?;
    let readers = readers(&args.maps)?;
    let are_several = readers.len() > 1;
    let (mut maps, mut sampled) = (Vec::new(), Vec::new());
    for (target, read) in readers {
        let mut watched = Watched::new(target.clone(), read, are_several);
        if args.program_stats {
            watched = watched.with_runs();
        }
        if args.bursts {
            // The last second of it may come too late for an export, and is in the next.
            let recorder = Recorder::new(watched.seen().attributes(), config.interval + export::READ_INTERVAL);
            watched = watched.with_bursts(recorder.clone());
            sampled.push(Sampled::new(source::open(&target, args.maps.layout.as_deref())?, recorder));
        }
        maps.push(watched);
    }
    let flows = match &args.flows[..] {
        [] => None,
        flows => {
            let settings = cli::settings_of_environment()?;
            Some((flows, config::pipeline(args, &config, settings)?))
        }
    };
    export::run(&config, maps, sampled, flows)
}

fn list(args: &ListArgs) -> anyhow::Result<()> {
    let (programs, maps) = xdp_counters::list()?;
    Ok(io::stdout().write_all(listing::text(&programs, &maps, args.all).as_bytes())?)
}

fn readers(maps: &MapArgs) -> anyhow::Result<Vec<(Target, Read)>> {
    let open = |target: Target| Ok((target.clone(), source::open(&target, maps.layout.as_deref())?));
    maps.targets().into_iter().map(open).collect()
}

/// Prints what all maps have now. One that is missing is a warning, or a failure after the others if `fail_on_missing`.
fn read(maps: &MapArgs, json: bool, fail_on_missing: bool) -> anyhow::Result<()> {
    let mut missing = None;
    let mut output = io::stdout().lock();
    for (target, mut read) in readers(maps)? {
        match read() {
            Ok(reading) if json => writeln!(output, "{}", print::json(&target, &reading))?,
            Ok(reading) => write!(output, "{}", print::text(&target, &reading))?,
            Err(NoReading::Failed(error)) => return Err(error),
            Err(NoReading::Missing(error)) => {
                if json {
                    writeln!(output, "{}", print::missing_json(&target, &format_args!("{error:#}")))?;
                }
                if fail_on_missing {
                    missing = missing.or(Some(error));
                } else {
                    warn!(map = %target, error = format!("{error:#}"), "the map cannot be read");
                }
            }
        }
    }
    missing.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
