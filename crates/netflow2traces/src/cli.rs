//! Arguments, environment and configuration file into one value.
//!
//! clap does the layering: a flag beats the environment, and values of the file take the place of the defaults.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::check::CheckArgs;
use crate::completions::CompletionsArgs;
use crate::decode::DecodeArgs;
use crate::file::FileSettings;
use crate::healthy::HealthyArgs;
use crate::man::ManArgs;
use crate::replay::ReplayArgs;
use crate::send::SendArgs;
use crate::settings::{LogSettings, Settings};
use crate::top::TopArgs;
use crate::xdp::XdpArgs;

/// Version and build, for reports of bugs.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("BUILD_COMMIT"),
    "\ntarget: ",
    env!("BUILD_TARGET"),
    "\nprofile: ",
    env!("BUILD_PROFILE"),
    "\ncompiler: ",
    env!("BUILD_RUSTC"),
);

/// Receives NetFlow and IPFIX and exports every flow record as an OpenTelemetry span
///
/// Without a subcommand it collects. Every option can also be set by the environment variable that its help names, or
/// in a TOML file; an option beats the environment, the environment beats the file.
#[derive(Parser)]
#[command(name = "netflow2traces", version, long_version = LONG_VERSION, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    #[command(flatten)]
    pub(crate) settings: Settings,

    #[command(flatten)]
    pub(crate) log: LogSettings,
}

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Receive NetFlow and IPFIX and export one trace per datagram (the default)
    Collect(Settings),
    /// Print the flow records of a capture
    Decode(DecodeArgs),
    /// Export the flows of a capture, or send its datagrams to a collector
    Replay(ReplayArgs),
    /// Send generated NetFlow or IPFIX to a collector
    Send(SendArgs),
    /// Print the effective configuration and try the backend
    Check(CheckArgs),
    /// Show what a running collector receives, delivers and loses
    Top(TopArgs),
    /// Export the packet counters of XDP programs as metrics
    Xdp(XdpArgs),
    /// Ask the collector that runs with these settings whether it works: exit code 0 or 1
    Healthy(HealthyArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man(ManArgs),
}

impl Command {
    /// The settings of a command that has some.
    pub(crate) const fn settings(&self) -> Option<&Settings> {
        match self {
            Self::Collect(settings) => Some(settings),
            Self::Replay(args) => Some(&args.settings),
            Self::Check(args) => Some(&args.settings),
            Self::Healthy(args) => Some(&args.settings),
            _ => None,
        }
    }
}

/// What was asked for, and where each setting was set.
pub(crate) struct Invocation {
    pub(crate) command: Command,
    pub(crate) log: LogSettings,
    pub(crate) sources: Sources,
}

/// Where the value of a setting comes from, by key.
pub(crate) struct Sources(BTreeMap<String, Source>);

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Environment,
    File,
    Default,
}

impl Sources {
    /// Where the value of `key` comes from.
    pub(crate) fn of(&self, key: &str) -> Source {
        self.0.get(key).copied().unwrap_or(Source::Default)
    }

    fn new(matches: &ArgMatches, file: &FileSettings) -> Self {
        let source = |key: &str| match matches.value_source(key)? {
            ValueSource::CommandLine => Some(Source::Flag),
            ValueSource::EnvVariable => Some(Source::Environment),
            _ if file.values(key).is_some() => Some(Source::File),
            _ => Some(Source::Default),
        };
        let keys = matches.ids().map(clap::Id::as_str);
        Self(keys.filter_map(|key| Some((key.to_owned(), source(key)?))).collect())
    }
}

/// Reads arguments, environment and, for commands with settings, the configuration file.
///
/// # Errors
///
/// [`clap::Error`], which is also how help comes; [`UsageError`](crate::error::UsageError) for the file.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> anyhow::Result<Invocation> {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let mut file = FileSettings::default();
    let mut matches = layered(Cli::command(), &file).try_get_matches_from(&arguments)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    let settings = cli.command.as_ref().map_or(Some(&cli.settings), Command::settings);
    if let Some(path) = settings.and_then(|settings| settings.config.as_ref()) {
        file = FileSettings::read(path.as_ref())?;
        matches = layered(Cli::command(), &file).try_get_matches_from(&arguments)?;
        cli = Cli::from_arg_matches(&matches)?;
    }
    let sources = Sources::new(matches.subcommand().map_or(&matches, |(_, matches)| matches), &file);
    Ok(Invocation { command: cli.command.unwrap_or(Command::Collect(cli.settings)), log: cli.log, sources })
}

/// The settings of the pipeline as the environment has them, and the configuration file that it names.
///
/// # Errors
///
/// As of [`parse`].
pub(crate) fn settings_of_environment() -> anyhow::Result<Settings> {
    match parse([OsString::from(env!("CARGO_PKG_NAME"))])?.command {
        Command::Collect(settings) => Ok(settings),
        _ => unreachable!("without a word it is to collect"),
    }
}

/// The command with the values of `file` as defaults. A variable that is set to nothing counts as not set, as the
/// OpenTelemetry specification has it.
fn layered(command: clap::Command, file: &FileSettings) -> clap::Command {
    command
        .mut_args(|arg| {
            let Some(variable) = arg.get_env().map(ToOwned::to_owned) else {
                return arg;
            };
            let values = file.values(arg.get_id().as_str()).map(<[_]>::to_vec);
            let arg = match env::var_os(variable) {
                Some(value) if value.is_empty() => arg.env(Resettable::<clap::builder::OsStr>::Reset),
                _ => arg.hide_env_values(true),
            };
            match values {
                Some(values) => arg.default_values(values),
                None => arg,
            }
        })
        .mut_subcommands(|command| layered(command, file))
}

/// Name of a setting as people set it, `--listen-port (NETFLOW_LISTEN_PORT)`.
pub(crate) fn setting_name(key: &str) -> String {
    let command = Cli::command();
    let variable = command.get_arguments().find(|arg| arg.get_id() == key).and_then(|arg| arg.get_env());
    let flag = key.replace('_', "-");
    match variable {
        Some(variable) => format!("--{flag} ({})", variable.to_string_lossy()),
        None => format!("--{flag}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definition_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Design rule: the flag of a variable is the lower case of its tail.
    #[test]
    fn flags_are_named_after_their_variables() {
        let prefixes = ["NETFLOW_", "OTEL_EXPORTER_", "OTEL_", ""];
        for arg in Cli::command().get_arguments().filter(|arg| arg.get_env().is_some()) {
            let variable = arg.get_env().unwrap().to_str().unwrap();
            let tail = prefixes.iter().find_map(|prefix| variable.strip_prefix(prefix)).unwrap();
            assert_eq!(arg.get_id().as_str(), tail.to_ascii_lowercase(), "{variable}");
            assert_eq!(arg.get_long().unwrap(), tail.to_ascii_lowercase().replace('_', "-"), "{variable}");
        }
    }

    /// What every command takes is not about OTLP, which most have no settings of.
    #[test]
    fn headings_are_what_is_below_them() {
        fn check(command: &clap::Command) {
            for arg in command.get_arguments() {
                let heading = match arg.get_id().as_str() {
                    "log_level" | "rust_log" => Some("Log"),
                    id if id.starts_with("otlp_") => Some("OTLP"),
                    _ => None,
                };
                assert_eq!(arg.get_help_heading(), heading, "{} of {}", arg.get_id(), command.get_name());
            }
            command.get_subcommands().for_each(check);
        }
        let mut command = Cli::command();
        command.build();
        check(&command);
    }

    #[test]
    fn names_say_flag_and_variable() {
        assert_eq!(setting_name("listen_port"), "--listen-port (NETFLOW_LISTEN_PORT)");
        assert_eq!(setting_name("otlp_traces_endpoint"), "--otlp-traces-endpoint (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT)");
    }
}
