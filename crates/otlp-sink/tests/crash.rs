//! A program that is killed in an outage, again and again: what its spool has acknowledged arrives.
//!
//! The test starts itself as that program, which is why it has no harness.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use otlp_sink::{OtlpConfig, Output, Protocol, Sink, SinkConfig, SpanContext, SpanKind, SpoolConfig, SpoolSync};
use testkit::otlp_server::{OtlpServer, Span};
use tokio::runtime::Runtime;

const CHILD: &str = "OTLP_SINK_CRASH_TEST";

const ROUNDS: u64 = 20;

/// Spans of a batch.
const BATCH: u64 = 10;

/// Batches that can have been taken by the receiver and not be marked in the spool when the program dies: one is in flight,
/// and of the two answered before it the marks are being written.
const UNMARKED: u64 = 3;

fn main() {
    match std::env::var(CHILD) {
        Ok(arguments) => child(&arguments),
        Err(_) => Runtime::new().unwrap().block_on(test()),
    }
}

/// Writes spans numbered from `first` on, and says how many are on disk; with `first` 0 it writes none, and ends when all that
/// was there is delivered.
fn child(arguments: &str) {
    let mut arguments = arguments.split(' ');
    let mut next = || arguments.next().unwrap().to_owned();
    let (endpoint, first, directory) = (next(), next().parse::<u64>().unwrap(), next());
    let runtime = Runtime::new().unwrap();
    let mut otlp = OtlpConfig::new(Protocol::Grpc, &endpoint).unwrap();
    let mut spool = SpoolConfig::new(directory);
    spool.sync = SpoolSync::Batch;
    otlp.spool = Some(spool);
    let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
    config.max_batch_spans = (BATCH as usize).try_into().unwrap();
    // So that what is on disk is the beginning of what was written.
    config.max_in_flight = 1.try_into().unwrap();
    config.reconnect_max = Duration::from_millis(20);
    let sink = Sink::start(config, runtime.handle()).unwrap();
    let mut writer = sink.writer();
    let mut number = first;
    loop {
        if first > 0 {
            for _ in 0..BATCH {
                let context = SpanContext { trace_id: [1; 16], span_id: number.to_be_bytes(), parent_span_id: None };
                writer.span(context, "test", SpanKind::Internal, 1, 2);
                number += 1;
            }
            writer.flush();
        }
        std::thread::sleep(Duration::from_millis(1));
        let stats = sink.stats();
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "{}", stats.outputs[0].spool.unwrap().written).unwrap();
        if first == 0 && stats.pending() + stats.spooled() == 0 {
            break;
        }
    }
    drop(writer);
    runtime.block_on(sink.shutdown(Duration::from_secs(60)));
}

/// A child, and the last number that it said.
struct Program {
    process: Child,
    reader: JoinHandle<u64>,
}

impl Program {
    fn start(server: &OtlpServer, first: u64, directory: &Path) -> Self {
        let arguments = format!("{} {first} {}", server.grpc_endpoint(), directory.display());
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut process = command.env(CHILD, arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let last = move || lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).last().unwrap_or(0);
        Self { process, reader: std::thread::spawn(last) }
    }

    /// Kills it, and returns how many spans it had acknowledged.
    fn kill(mut self) -> u64 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        self.reader.join().unwrap()
    }

    fn wait(mut self) {
        assert!(self.process.wait().unwrap().success());
        self.reader.join().unwrap();
    }
}

async fn test() {
    let start = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let mut server = OtlpServer::start_local().await.unwrap();
    let (mut acknowledged, mut kills_while_delivering) = (Vec::new(), 0);
    for round in 1..=ROUNDS {
        // In an outage.
        server.stop().await;
        let first = round * 1_000_000;
        let program = Program::start(&server, first, folder.path());
        tokio::time::sleep(Duration::from_millis(fastrand::u64(20..250))).await;
        let spans = program.kill();
        acknowledged.push(first..first + spans);
        // And while what is there is delivered, every other time.
        server.restart().await.unwrap();
        if round % 2 == 0 {
            let before = server.span_count();
            let program = Program::start(&server, 0, folder.path());
            let patience = Instant::now();
            while server.span_count() < before + fastrand::usize(1..100) {
                assert!(patience.elapsed() < Duration::from_secs(60), "nothing is delivered");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            program.kill();
            kills_while_delivering += 1;
        }
    }
    let program = Program::start(&server, 0, folder.path());
    tokio::task::spawn_blocking(|| program.wait()).await.unwrap();
    let spans = server.shutdown().await;

    let mut times: HashMap<u64, u64> = HashMap::new();
    for Span { span_id, .. } in &spans {
        *times.entry(u64::from_be_bytes(span_id[..].try_into().unwrap())).or_default() += 1;
    }
    let expected: u64 = acknowledged.iter().map(|range| range.end - range.start).sum();
    let lost = acknowledged.iter().cloned().flatten().filter(|number| !times.contains_key(number)).count();
    let duplicates: u64 = times.values().map(|times| times - 1).sum();
    println!(
        "{ROUNDS} kills in an outage, {kills_while_delivering} while delivering: {expected} spans acknowledged, {} arrived, \
         {lost} lost, {duplicates} twice, in {:?}",
        times.len(),
        start.elapsed(),
    );
    assert!(expected > ROUNDS * BATCH, "the kills came too early to show anything");
    assert_eq!(lost, 0);
    assert!(duplicates <= kills_while_delivering * UNMARKED * BATCH);
    assert!(times.keys().all(|number| (1..=ROUNDS).contains(&(number / 1_000_000))), "a span that nobody wrote");
}
