//! Tasks of this repository; `cargo xtask` lists them.
#![cfg_attr(test, allow(clippy::unwrap_used))]
// Talking to the person who runs it is what this program does.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

mod api;
mod ci;
mod codegen;
#[cfg(test)]
mod demo;
mod differential;
mod doc_links;
mod e2e;
mod fuzz_seeds;
mod large;
mod rfc_coverage;

const USAGE: &str = "\
usage: cargo xtask TASK

  ci [STEP...]        run every check, or only the named ones
  api [--check]       write (or compare) the public API of the libraries in docs/api
  codegen [--check]   write (or compare) the files that are made from other files
  corpus              record the corpus of real exporters anew
  differential [STREAM...]  the same datagrams through our decoder, tshark and nfcapd
  e2e [CASE...]       test against real exporters and a real OpenTelemetry Collector
  soak [MINUTES]      flows for 30 minutes to a backend with outages; --short for half a minute
  soak --matrix       every fault of a backend for up to a minute, as a table
  soak --churn [MINUTES]  200,000 spans a second for 10 minutes to a backend that keeps dying
  throughput [RATE]   what a flow costs here and in other collectors, at 1,000,000 flows a second; then far more than that
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.split_first() {
        Some((task, rest)) if task == "api" => api::run(rest).map(|summary| println!("{summary}")),
        Some((task, rest)) if task == "ci" => ci::run(rest),
        Some((task, rest)) if task == "codegen" => codegen::run(rest),
        Some((task, [])) if task == "corpus" => e2e::corpus::run(),
        Some((task, rest)) if task == "differential" => differential::run(rest).map(|summary| println!("{summary}")),
        Some((task, rest)) if task == "e2e" => e2e::run(rest),
        Some((task, rest)) if task == "soak" => e2e::soak::run(rest),
        Some((task, rest)) if task == "throughput" => e2e::throughput::run(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder with the workspace's Cargo.toml.
fn workspace_root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    root.expect("xtask lies two folders below the workspace").to_path_buf()
}
