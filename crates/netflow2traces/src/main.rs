//! Receives NetFlow and IPFIX and exports every flow record as an OpenTelemetry span.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod check;
mod cli;
mod collect;
mod completions;
mod config;
mod decode;
mod elements;
mod error;
mod exporters;
mod fetch;
mod file;
mod healthy;
mod log;
mod logs;
mod man;
mod metrics;
mod pace;
mod reload;
mod replay;
mod send;
mod server;
mod service;
mod settings;
mod signals;
mod terminal;
mod top;
mod xdp;

use std::env;
use std::process::ExitCode;

use cli::{Command, Invocation};

fn main() -> ExitCode {
    error::conclude(run())
}

fn run() -> anyhow::Result<()> {
    let Invocation { command, log, sources } = cli::parse(env::args_os())?;
    let over_otlp = matches!(&command, Command::Collect(settings) if config::has_otlp_logs(settings));
    let log = if let Command::Xdp(args) = &command { args.log(log) } else { log };
    let lines = log::init(&log, over_otlp)?;
    match command {
        Command::Collect(settings) => collect::run(&settings, lines),
        Command::Decode(args) => decode::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Send(args) => send::run(&args),
        Command::Check(args) => check::run(&args, &sources),
        Command::Top(args) => top::run(&args),
        Command::Xdp(args) => xdp::run(&args),
        Command::Healthy(args) => healthy::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
