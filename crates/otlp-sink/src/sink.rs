//! Outputs, their queues and their tasks.

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::config::{ConfigError, Output, Signal, SinkConfig, StdoutFormat};
use crate::delivery::Delivery;
use crate::encode::BatchEncoder;
use crate::file::FileWriter;
use crate::occasionally::Occasionally;
use crate::output::OutputState;
use crate::queue::Batch;
use crate::receivers::Receivers;
use crate::spool::worker::Worker;
use crate::spool::{Spool, SpoolConfig};
use crate::stats::{DrainReport, DropReason, SinkStats};
use crate::writer::{BufferPool, SpanWriter};
use crate::{lines, tree};

/// How long it may take to write what is in memory to the spools at the end.
pub(crate) const SPOOL_DEADLINE: Duration = Duration::from_secs(5);

/// Why a sink did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be opened for writing.
    #[error("cannot write to {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A spool cannot be used.
    #[error("cannot keep spans in {}: {source}", path.display())]
    Spool {
        /// Its directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The thread of an output cannot be started.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] io::Error),
}

/// Delivers spans to its outputs. Clones share one sink.
///
/// When the last clone and the last writer are gone, outputs finish what they hold, as long as the runtime lives.
/// [`shutdown`](Self::shutdown) waits for that.
#[derive(Clone, Debug)]
pub struct Sink {
    shared: Arc<Shared>,
    encoder: Arc<BatchEncoder>,
}

impl Sink {
    /// Starts a sink whose requests run on `runtime`. Files and standard output have a thread each.
    ///
    /// Nothing is connected yet: a receiver that is down is found out by the first batch, and retried.
    ///
    /// # Errors
    ///
    /// No output, a queue too small for requests, files for TLS or headers that cannot be used, a file that cannot be opened, a
    /// spool that another process has.
    pub fn start(config: SinkConfig, runtime: &Handle) -> Result<Self, SinkError> {
        if config.outputs.is_empty() {
            return Err(ConfigError::NoOutput.into());
        }
        config.check_queue()?;
        let encoder = BatchEncoder::new(&config.resource, &config.scope_name, &config.scope_version);
        let encoder = encoder.with_limits(config.limits);
        let stop = watch::Sender::new(Stop::No);
        let ended = watch::Sender::new(0);
        let mut outputs = Vec::new();
        let mut tasks = Vec::new();
        for output in &config.outputs {
            let state = Arc::new(OutputState::new(output, &config));
            outputs.push(state.clone());
            match start_output(output, state, &config, runtime, &stop, &ended) {
                Ok(started) => tasks.extend(started),
                Err(error) => {
                    // Ends the tasks of the outputs before this one.
                    outputs.iter().for_each(|output| output.queue.close(DropReason::Shutdown));
                    return Err(error);
                }
            }
        }
        let shared = Shared {
            outputs,
            buffers: BufferPool::default(),
            max_batch_spans: config.max_batch_spans.get(),
            max_batch_bytes: config.batch_bytes(),
            max_delay: config.max_delay,
            queue_bytes: config.queue_bytes,
            promised: AtomicUsize::new(0),
            stop,
            ended,
            tasks: Mutex::new(tasks),
            oversized: Occasionally::default(),
            #[cfg(feature = "sdk")]
            runtime: runtime.clone(),
        };
        Ok(Self { shared: Arc::new(shared), encoder: Arc::new(encoder) })
    }

    /// A writer for the calling thread, or any other.
    pub fn writer(&self) -> SpanWriter {
        SpanWriter::new(BatchEncoder::clone(&self.encoder), self.shared.clone())
    }

    /// What became of the spans so far. Spans that a writer has not handed over are in no counter.
    pub fn stats(&self) -> SinkStats {
        SinkStats { outputs: self.shared.outputs.iter().map(|output| output.stats()).collect() }
    }

    /// Completes when every output has ended by itself, as standard output does when its reader is gone: there is
    /// nothing left to work for. With an OTLP or file output that does not happen.
    pub async fn closed(&self) {
        let all = self.shared.outputs.len();
        // The sender is in `shared`, so that an error cannot be.
        let _ = self.shared.ended.subscribe().wait_for(|ended| *ended >= all).await;
    }

    /// Takes no more spans, delivers what was handed over, and reports. Drop or flush all writers first; what they hand
    /// over later is dropped and counted.
    ///
    /// Ends when everything is settled or after `deadline`, whichever comes first; what is under way then is aborted.
    /// Retries come quickly during shutdown. What an output with a spool could not deliver is written to it, for which some
    /// seconds more are allowed; during an outage that is done at once. A second call reports the same.
    pub async fn shutdown(&self, deadline: Duration) -> DrainReport {
        self.shared.close();
        let tasks = std::mem::take(&mut *self.shared.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let (spools, tasks): (Vec<_>, Vec<_>) = tasks.into_iter().partition(|task| matches!(task, Task::Spool(_)));
        if tokio::time::timeout(deadline, end(tasks)).await.is_err() {
            self.shared.stop.send_replace(Stop::Now);
        }
        if tokio::time::timeout(SPOOL_DEADLINE, end(spools)).await.is_err() {
            warn!(deadline = ?SPOOL_DEADLINE, "a spool was not written in time");
        }
        let stats = self.stats();
        let report = DrainReport {
            exported: stats.exported(),
            dropped: stats.dropped(),
            remaining: stats.pending(),
            spooled: stats.spooled(),
        };
        if report.remaining > 0 {
            warn!(spans = report.remaining, ?deadline, "spans not delivered before the deadline");
        }
        report
    }

    #[cfg(feature = "sdk")]
    pub(crate) fn runtime(&self) -> &Handle {
        &self.shared.runtime
    }
}

/// Waits for tasks. One that panicked leaves what it had in flight, which a report shows.
async fn end(tasks: Vec<Task>) {
    for task in tasks {
        match task {
            Task::Async(task) => drop(task.await),
            Task::Thread(done) | Task::Spool(done) => drop(done.await),
        }
    }
}

/// What a sink, its clones and its writers have in common.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) outputs: Vec<Arc<OutputState>>,
    pub(crate) buffers: BufferPool,
    pub(crate) max_batch_spans: usize,
    pub(crate) max_batch_bytes: usize,
    pub(crate) max_delay: Duration,
    pub(crate) queue_bytes: usize,
    /// Bytes that outputs are to have room for beside what they hold: batches under construction, and what those who asked may
    /// yet add.
    pub(crate) promised: AtomicUsize,
    stop: watch::Sender<Stop>,
    /// Outputs that ended by themselves.
    ended: watch::Sender<usize>,
    tasks: Mutex<Vec<Task>>,
    oversized: Occasionally,
    /// Where the outputs run.
    #[cfg(feature = "sdk")]
    runtime: Handle,
}

/// How far shutdown has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(crate) enum Stop {
    No,
    /// Nothing new comes; deliver the rest soon.
    Drain,
    /// The deadline is over.
    Now,
}

#[derive(Debug)]
enum Task {
    Async(JoinHandle<()>),
    /// Closed when the thread ends.
    Thread(oneshot::Receiver<()>),
    /// The same of the thread of a spool, which ends when nobody delivers any more.
    Spool(oneshot::Receiver<()>),
}

impl Shared {
    pub(crate) fn push(&self, batch: &Batch) {
        for output in &self.outputs {
            output.push(batch.clone());
        }
    }

    pub(crate) fn drop_oversized(&self, spans: u64, request_len: usize) {
        for output in &self.outputs {
            output.counters.drop_spans(DropReason::TooLarge, spans);
        }
        if let Some(repeats) = self.oversized.permit() {
            let limit = self.max_batch_bytes;
            warn!(request_len, limit, repeats, "dropped a span larger than a request may be");
        }
    }

    fn close(&self) {
        for output in &self.outputs {
            output.queue.close(DropReason::Shutdown);
        }
        self.stop.send_if_modified(|stop| {
            let first = *stop == Stop::No;
            if first {
                *stop = Stop::Drain;
            }
            first
        });
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.close();
    }
}

fn start_output(
    output: &Output,
    state: Arc<OutputState>,
    config: &SinkConfig,
    runtime: &Handle,
    stop: &watch::Sender<Stop>,
    ended: &watch::Sender<usize>,
) -> Result<Vec<Task>, SinkError> {
    match output {
        Output::Otlp(otlp) if otlp.signal != Signal::Traces => Err(ConfigError::Signal.into()),
        Output::Otlp(otlp) => {
            let _context = runtime.enter();
            let receivers = Receivers::new(otlp)?;
            let spool = otlp.spool.clone().map(|spool| start_spool(spool, &state, config)).transpose()?;
            let delivery = Arc::new(Delivery::new(receivers, state, config));
            let task = || Task::Async(runtime.spawn(delivery.clone().run(delivery.sender(), stop.subscribe())));
            Ok((0..config.max_in_flight.get()).map(|_| task()).chain(spool).collect())
        }
        Output::File(file) => {
            let writer = FileWriter::open(file.clone(), SystemTime::now());
            let mut writer = writer.map_err(|source| SinkError::File { path: file.path.clone(), source })?;
            let write = move |request: &[u8]| writer.write(&lines::line(request), SystemTime::now());
            Ok(vec![spawn_writer(runtime, state, ended.clone(), write)?])
        }
        Output::Stdout(format) => {
            let tree = match format {
                StdoutFormat::Auto => io::stdout().is_terminal(),
                StdoutFormat::Tree => true,
                StdoutFormat::JsonLines => false,
            };
            let write = if tree { tree::write } else { lines::write };
            let write = move |request: &[u8]| write(&mut io::stdout().lock(), request);
            Ok(vec![spawn_writer(runtime, state, ended.clone(), write)?])
        }
    }
}

/// Opens a spool and starts its thread.
fn start_spool(spool: SpoolConfig, output: &Arc<OutputState>, config: &SinkConfig) -> Result<Task, SinkError> {
    let path = spool.directory.clone();
    // One request has to fit, whatever it holds.
    let least = Spool::record_bound(config.batch_bytes());
    if spool.max_bytes < least {
        return Err(ConfigError::SpoolSize { bytes: spool.max_bytes, least }.into());
    }
    let spool = Spool::open(spool).map_err(|source| SinkError::Spool { path, source })?;
    let (done, receiver) = oneshot::channel();
    let worker = Worker::new(spool, output.clone(), config.max_age);
    // Ends when nobody delivers, even if nobody ever did.
    let thread = std::thread::Builder::new().name("otlp-sink-spool".to_owned());
    let run = move || {
        worker.run();
        drop(done);
    };
    thread.spawn(run).map_err(SinkError::Thread)?;
    Ok(Task::Spool(receiver))
}

/// Starts the thread of an output that blocks.
fn spawn_writer(
    runtime: &Handle,
    output: Arc<OutputState>,
    ended: watch::Sender<usize>,
    write: impl FnMut(&[u8]) -> io::Result<()> + Send + 'static,
) -> Result<Task, SinkError> {
    let (done, receiver) = oneshot::channel();
    let runtime = runtime.clone();
    let thread = std::thread::Builder::new().name("otlp-sink-writer".to_owned());
    thread
        .spawn(move || {
            // No timer and no socket is used in here, so that the thread may outlive the runtime.
            if write_all(&runtime, &output, write) == Ended::ByItself {
                info!(output = output.name, "the reader is gone, output ends");
                ended.send_modify(|ended| *ended += 1);
            }
            drop(done);
        })
        .map_err(SinkError::Thread)?;
    Ok(Task::Thread(receiver))
}

#[derive(PartialEq, Eq)]
enum Ended {
    QueueClosed,
    ByItself,
}

fn write_all(runtime: &Handle, output: &OutputState, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Ended {
    let failures = Occasionally::default();
    while let Some(flight) = runtime.block_on(output.queue.pop()) {
        match write(&flight.batch.request) {
            Ok(()) => output.exported(&flight, 0),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                output.dropped(&flight, DropReason::Closed);
                let waiting = output.queue.discard(DropReason::Closed);
                output.counters.drop_spans(DropReason::Closed, waiting);
                return Ended::ByItself;
            }
            Err(error) => {
                output.dropped(&flight, DropReason::Io);
                if let Some(repeats) = failures.permit() {
                    tracing::error!(output = output.name, %error, repeats, "cannot write spans, dropped them");
                }
            }
        }
    }
    Ended::QueueClosed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> Arc<OutputState> {
        let config = SinkConfig { queue_bytes: 1000, ..SinkConfig::default() };
        Arc::new(OutputState::new(&Output::Stdout(StdoutFormat::JsonLines), &config))
    }

    fn batch(spans: u64) -> Batch {
        Batch::new(vec![0; 10].into(), spans)
    }

    /// `netflow2traces | head -1`: what is left is counted, and the program can know.
    #[tokio::test]
    async fn a_reader_that_goes_away_ends_the_output() {
        let (output, ended) = (output(), watch::Sender::new(0));
        for spans in [1, 2, 4] {
            output.push(batch(spans));
        }
        let mut writes = 0;
        let write = move |_: &[u8]| {
            writes += 1;
            if writes == 1 { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        };
        let task = spawn_writer(&Handle::current(), output.clone(), ended.clone(), write).unwrap();
        ended.subscribe().wait_for(|ended| *ended == 1).await.unwrap();
        let Task::Thread(done) = task else { panic!("a thread") };
        assert!(done.await.is_err(), "the thread is gone");
        output.push(batch(8));
        let stats = output.stats();
        assert_eq!((stats.exported, stats.dropped(DropReason::Closed)), (1, 2 + 4 + 8));
        assert_eq!((stats.queued_spans, stats.in_flight_spans, stats.held_bytes), (0, 0, 0));
    }

    /// A full disk costs the batch, not the output.
    #[tokio::test]
    async fn a_write_that_fails_costs_its_batch() {
        let output = output();
        for spans in [1, 2, 4] {
            output.push(batch(spans));
        }
        output.queue.close(DropReason::Shutdown);
        let mut writes = 0;
        let write = move |_: &[u8]| {
            writes += 1;
            if writes == 2 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let Task::Thread(done) =
            spawn_writer(&Handle::current(), output.clone(), watch::Sender::new(0), write).unwrap()
        else {
            panic!("a thread")
        };
        assert!(done.await.is_err(), "the thread is gone");
        let stats = output.stats();
        assert_eq!((stats.exported, stats.dropped(DropReason::Io)), (5, 2));
    }
}
