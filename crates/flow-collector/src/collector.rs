//! Sockets and worker threads.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flow_semconv::Schema;
use flow_state::{DecodeErrorKind, State, StateConfig, TransportSession};
use ipnet::IpNet;
use otlp_sink::Sink;
use socket2::{Domain, Protocol, Socket, Type};
use tracing::{info, warn};

use crate::pipeline::Pipeline;
use crate::stats::{CollectorStats, StatsSnapshot};

/// What to listen on and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CollectorConfig {
    /// Addresses to receive on; port 0 takes a free one. 0.0.0.0:2055 by default.
    pub listen: Vec<SocketAddr>,
    /// Sockets and threads for each address; one for each core, at most eight, by default.
    pub workers: NonZeroUsize,
    /// Bytes to ask the kernel for, for each socket; 8 MiB by default.
    pub receive_buffer: usize,
    /// Whose datagrams are read; empty reads all.
    pub allow: Vec<IpNet>,
    /// Names of the attributes.
    pub schema: Schema,
    /// Limits and policies of what is remembered.
    pub state: StateConfig,
}

impl Default for CollectorConfig {
    fn default() -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            listen: vec![SocketAddr::from(([0, 0, 0, 0], 2055))],
            workers: cores.min(const { NonZeroUsize::new(8).unwrap() }),
            receive_buffer: 8 << 20,
            allow: Vec::new(),
            schema: Schema::default(),
            state: StateConfig::default(),
        }
    }
}

/// Why a collector did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CollectorError {
    /// No address to listen on.
    #[error("no address to listen on")]
    NoAddress,
    /// An address cannot be bound.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A thread cannot be started.
    #[error("cannot start a worker thread: {0}")]
    Thread(#[source] io::Error),
}

/// How long a worker waits for a datagram before it looks at its batch and at the stop signal.
const READ_TIMEOUT: Duration = Duration::from_millis(100);
/// Longest time given to what the kernel holds when the collector stops.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// Problems are summarised this often.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(60);
/// No UDP datagram is longer.
const MAX_DATAGRAM: usize = 65_535;

/// Bound sockets, not read yet.
#[derive(Debug)]
pub struct Collector {
    config: CollectorConfig,
    sockets: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
}

impl Collector {
    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// [`CollectorError::Bind`] when an address is in use, not ours, or a port below 1024 without the right to it.
    pub fn bind(config: CollectorConfig) -> Result<Self, CollectorError> {
        if config.listen.is_empty() {
            return Err(CollectorError::NoAddress);
        }
        let mut sockets = Vec::new();
        let mut addresses = Vec::new();
        for &address in &config.listen {
            let failed = |source| CollectorError::Bind { address, source };
            // Without SO_REUSEPORT first: another program on the port must be an error, not a partner.
            drop(socket(address, false, config.receive_buffer).map_err(failed)?);
            let first = socket(address, true, config.receive_buffer).map_err(failed)?;
            let bound = first.local_addr().map_err(failed)?;
            addresses.push(bound);
            sockets.push(first);
            for _ in 1..config.workers.get() {
                sockets.push(socket(bound, true, config.receive_buffer).map_err(failed)?);
            }
        }
        Ok(Self { config, sockets, addresses })
    }

    /// The addresses that are received on, with the ports that were free where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Puts a worker thread on each socket.
    ///
    /// # Errors
    ///
    /// [`CollectorError::Thread`] when the system refuses a thread; those that run already are stopped.
    pub fn start(self, sink: &Sink) -> Result<Running, CollectorError> {
        let mut running = Running {
            state: Arc::new(State::new(self.config.state.clone())),
            stats: Arc::default(),
            stop: Arc::default(),
            workers: Vec::new(),
        };
        let allow: Arc<[IpNet]> = self.config.allow.into();
        for (index, socket) in self.sockets.into_iter().enumerate() {
            let worker = Worker {
                socket,
                allow: allow.clone(),
                pipeline: Pipeline::new(running.state.clone(), running.stats.clone(), self.config.schema, sink),
                stats: running.stats.clone(),
                stop: running.stop.clone(),
                summary: (index == 0).then(Summary::default),
            };
            let thread = thread::Builder::new().name(format!("receive-{index}")).spawn(move || worker.run());
            match thread {
                Ok(thread) => running.workers.push(thread),
                Err(error) => {
                    running.stop();
                    return Err(CollectorError::Thread(error));
                }
            }
        }
        Ok(running)
    }
}

fn socket(address: SocketAddr, share: bool, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(share)?;
    // The kernel gives what its limit allows (net.core.rmem_max); less is no reason to fail.
    socket.set_recv_buffer_size(receive_buffer)?;
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(READ_TIMEOUT))?;
    Ok(socket.into())
}

/// A collector at work. Dropping it leaves the workers running; [`Running::stop`] ends them.
#[derive(Debug)]
pub struct Running {
    state: Arc<State>,
    stats: Arc<CollectorStats>,
    stop: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
}

impl Running {
    /// The counters of all workers.
    pub fn stats(&self) -> &Arc<CollectorStats> {
        &self.stats
    }

    /// What is remembered of the exporters.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Reads what the kernel has received until now, hands all spans to the sink, and ends the workers.
    pub fn stop(&mut self) -> StatsSnapshot {
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                warn!("a worker thread had panicked");
            }
        }
        self.stats.snapshot()
    }
}

struct Worker {
    socket: UdpSocket,
    allow: Arc<[IpNet]>,
    pipeline: Pipeline,
    stats: Arc<CollectorStats>,
    stop: Arc<AtomicBool>,
    summary: Option<Summary>,
}

impl Worker {
    fn run(mut self) {
        let mut buffer = vec![0; MAX_DATAGRAM];
        let Ok(local) = self.socket.local_addr() else {
            return;
        };
        while !self.stop.load(Ordering::Relaxed) {
            self.receive(&mut buffer, local);
            self.pipeline.flush_if_due();
            if let Some(summary) = &mut self.summary {
                summary.give_if_due(&self.stats);
            }
        }
        let deadline = Instant::now() + DRAIN_TIME;
        if self.socket.set_nonblocking(true).is_ok() {
            while self.receive(&mut buffer, local) && Instant::now() < deadline {}
        }
        self.pipeline.flush();
    }

    /// Reads one datagram; `false` when there was none.
    fn receive(&mut self, buffer: &mut [u8], local: SocketAddr) -> bool {
        match self.socket.recv_from(buffer) {
            Ok((len, from)) => {
                let session = TransportSession::new(from, local);
                let exporter = session.exporter.ip();
                if !self.allow.is_empty() && !self.allow.iter().any(|network| network.contains(&exporter)) {
                    self.stats.count_denied();
                } else if let Some(bytes) = buffer.get(..len) {
                    self.pipeline.process(session, bytes);
                }
                true
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => false,
            Err(error) if error.kind() == ErrorKind::Interrupted => true,
            Err(error) => {
                // An error of one receive (an ICMP answer, memory pressure) says nothing of the next; but do not spin.
                warn!(%error, "cannot receive");
                thread::sleep(READ_TIMEOUT);
                false
            }
        }
    }
}

/// Tells from time to time what went wrong, in numbers.
struct Summary {
    due: Instant,
    last: StatsSnapshot,
}

impl Default for Summary {
    fn default() -> Self {
        Self { due: Instant::now() + SUMMARY_INTERVAL, last: StatsSnapshot::default() }
    }
}

impl Summary {
    fn give_if_due(&mut self, stats: &CollectorStats) {
        let now = Instant::now();
        if now < self.due {
            return;
        }
        self.due = now + SUMMARY_INTERVAL;
        let current = stats.snapshot();
        for (kind, name) in DecodeErrorKind::NAMES.iter().enumerate() {
            let count = current.issues[kind] - self.last.issues[kind];
            if count > 0 {
                info!(issue = name, count, "datagrams were not read in full in the last minute");
            }
        }
        let denied = current.denied - self.last.denied;
        if denied > 0 {
            info!(count = denied, "datagrams from addresses that are not allowed");
        }
        self.last = current;
    }
}
