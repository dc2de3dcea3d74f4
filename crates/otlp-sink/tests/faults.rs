//! Every fault of a receiver, with both protocols: no span is lost that is not counted, and none comes twice without need.
//!
//! `cargo xtask soak --matrix` has the long form.
#![allow(clippy::print_stdout)] // the table is half of what this is for: `-- --nocapture`

use std::time::Duration;

use otlp_sink::{Protocol, SinkConfig};
use testkit::faults::{Case, Fault, table};
use tokio::task::JoinSet;

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// Quick retries, so that a test shows in seconds what takes a minute.
fn case(fault: Fault, lasts: f64, protocol: Protocol, spans_per_second: u64) -> Case {
    let mut config = SinkConfig::default();
    config.max_delay = Duration::from_millis(50);
    config.retry_initial = Duration::from_millis(50);
    config.retry_max = Duration::from_millis(500);
    config.reconnect_max = Duration::from_millis(500);
    config.queue_bytes = 256 << 20;
    // Short where nothing else ends a request. Elsewhere none may end by it, however slow the machine is.
    let timeout = if matches!(fault, Fault::Silent | Fault::Unanswered) { 5 } else { 30 };
    let (lasts, timeout) = (Duration::from_secs_f64(lasts), Duration::from_secs(timeout));
    Case { fault, lasts, protocol, spans_per_second, timeout, config, overflows: false }
}

/// Runs all of them at once and prints what came of them.
async fn run(cases: Vec<Case>) {
    let mut running: JoinSet<_> = cases.into_iter().map(Case::run).collect();
    let mut outcomes = Vec::new();
    while let Some(outcome) = running.join_next().await {
        outcomes.push(outcome.expect("a case that ends"));
    }
    println!("{}", table(&outcomes));
    outcomes.iter().for_each(|outcome| outcome.check());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_loses_nothing_and_doubles_only_what_was_not_answered() {
    let mut cases = Vec::new();
    for protocol in PROTOCOLS {
        for fault in Fault::ALL {
            cases.extend([0.5, 3.0].map(|lasts| case(fault, lasts, protocol, 1_000)));
        }
    }
    run(cases).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fast_stream_loses_no_more_than_a_slow_one() {
    let cases = Fault::ALL.iter().zip(PROTOCOLS.iter().cycle());
    run(cases.map(|(fault, protocol)| case(*fault, 3.0, *protocol, 100_000)).collect()).await;
}

/// The spans that are missing are as many as were counted.
#[tokio::test(flavor = "multi_thread")]
async fn beyond_the_memory_limit_every_drop_is_counted() {
    let mut cases = Vec::new();
    for protocol in PROTOCOLS {
        for fault in Fault::ALL {
            let mut case = case(fault, 1.0, protocol, 10_000);
            case.config.queue_bytes = 32 << 10;
            case.overflows = true;
            cases.push(case);
        }
    }
    run(cases).await;
}
