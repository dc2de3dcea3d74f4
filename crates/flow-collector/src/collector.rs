//! Sockets and worker threads.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use flow_semconv::{ExtraElements, TraceConfig};
use flow_state::{State, StateConfig};
use otlp_sink::Sink;
use rustix::net::sockopt::set_socket_recv_buffer_size_force;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::sync::watch;
use tracing::{info, warn};

use crate::exporters::{ExporterPolicy, Exporters};
use crate::filter::Filter;
use crate::liveness::Liveness;
use crate::pipeline::Pipeline;
use crate::receive;
use crate::sampling::SamplingConfig;
use crate::selection::Selection;
use crate::spread;
use crate::state_file::StateFile;
use crate::stats::{CollectorStats, StatsSnapshot};
use crate::stream::{Common, Listeners, StreamConfig, StreamProtocol, StreamWorker, TlsError};
use crate::system;
use crate::worker::{READ_TIMEOUT, Summary, Worker};

/// What to listen on and how.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CollectorConfig {
    /// Addresses to receive on; port 0 takes a free one. 0.0.0.0:2055 by default.
    ///
    /// `[::]` also receives IPv4, unless an IPv4 address with the same port is listed.
    pub listen: Vec<SocketAddr>,
    /// Sockets and threads for each address; one for each core, at most eight, by default.
    pub workers: NonZeroUsize,
    /// Where to listen for IPFIX over TCP and TLS; [`workers`](Self::workers) threads read all connections.
    pub stream: StreamConfig,
    /// Whether each worker stays on one processor, as far as there are some. Not by default: the scheduler does well where
    /// other programs run too.
    pub pin_workers: bool,
    /// Bytes to ask the kernel for, for each socket; 8 MiB by default. Less than that is granted with a warning.
    pub receive_buffer: usize,
    /// Who is heard, and what is known of them.
    pub exporters: ExporterPolicy,
    /// Which flows have spans; all by default.
    pub filter: Arc<Filter>,
    /// What spans are like.
    pub trace: TraceConfig,
    /// Elements of records that become attributes as they are, beside those that have names of their own.
    pub extra_elements: Option<ExtraElements>,
    /// Which share of the flows becomes spans; all when `None`.
    pub sampling: Option<SamplingConfig>,
    /// Limits and policies of what is remembered.
    pub state: StateConfig,
    /// Where that is kept over a restart: read at the start, written every minute and at the end.
    pub state_file: Option<PathBuf>,
}

impl Default for CollectorConfig {
    fn default() -> Self {
        let cores = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            listen: vec![SocketAddr::from(([0, 0, 0, 0], 2055))],
            workers: cores.min(const { NonZeroUsize::new(8).unwrap() }),
            stream: StreamConfig::default(),
            pin_workers: false,
            receive_buffer: 8 << 20,
            exporters: ExporterPolicy::default(),
            filter: Arc::default(),
            trace: TraceConfig::default(),
            extra_elements: None,
            sampling: None,
            state: StateConfig::default(),
            state_file: None,
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
    /// A socket that was passed cannot be used.
    #[error("cannot use a socket that was passed: {0}")]
    Passed(#[source] io::Error),
    /// No certificate to listen with TLS.
    #[error("no certificate to listen with TLS")]
    NoCertificate,
    /// Files for TLS that cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A thread cannot be started.
    #[error("cannot start a worker thread: {0}")]
    Thread(#[source] io::Error),
}

/// Sockets that a service manager has opened. It keeps them while the program starts anew, and so what comes meanwhile.
#[derive(Debug, Default)]
pub struct PassedSockets {
    /// Each is read by one worker. Several may share an address, by `SO_REUSEPORT`; the kernel chooses among them by exporter
    /// and Observation Domain then, as among those that are opened here.
    pub udp: Vec<UdpSocket>,
    /// Listening sockets, and what comes over them.
    pub streams: Vec<(StreamProtocol, TcpListener)>,
}

impl PassedSockets {
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.udp.is_empty() && self.streams.is_empty()
    }
}

/// A socket for datagrams.
#[derive(Debug)]
struct Receiver {
    socket: Arc<UdpSocket>,
    local: SocketAddr,
    /// Whether whoever passed it keeps it.
    is_passed: bool,
    /// What the kernel had dropped at it before.
    drops_before: u32,
}

impl Receiver {
    fn own(socket: UdpSocket, local: SocketAddr) -> Self {
        Self { socket: Arc::new(socket), local, is_passed: false, drops_before: 0 }
    }

    fn passed(socket: UdpSocket, local: SocketAddr, drops_before: u32) -> Self {
        Self { socket: Arc::new(socket), local, is_passed: true, drops_before }
    }
}

/// Bound sockets, not read yet.
#[derive(Debug)]
pub struct Collector {
    config: CollectorConfig,
    /// Those that were passed come first.
    sockets: Vec<Receiver>,
    addresses: Vec<SocketAddr>,
    listeners: Listeners,
}

impl Collector {
    /// Opens the sockets.
    ///
    /// # Errors
    ///
    /// [`CollectorError::Bind`] when an address is in use, not ours, or a port below 1024 without the right to it, and files
    /// for TLS that cannot be used.
    pub fn bind(config: CollectorConfig) -> Result<Self, CollectorError> {
        Self::bind_beside(config, PassedSockets::default())
    }

    /// Opens the sockets, beside those that somebody else has opened.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_beside(config: CollectorConfig, passed: PassedSockets) -> Result<Self, CollectorError> {
        if config.listen.is_empty() && config.stream.listen.is_empty() && passed.is_empty() {
            return Err(CollectorError::NoAddress);
        }
        let mut sockets = Vec::new();
        let mut addresses = Vec::new();
        for socket in passed.udp {
            let local = adopt(&socket, config.receive_buffer).map_err(CollectorError::Passed)?;
            // Counted since it was opened, and by the one who had it then. A kernel that tells nothing tells nothing later.
            let drops_before = system::kernel_drops(&socket).unwrap_or_default();
            if drops_before > 0 {
                info!(address = %local, count = drops_before, "datagrams that the kernel dropped at a socket before it was passed");
            }
            if !addresses.contains(&local) {
                addresses.push(local);
            }
            sockets.push(Receiver::passed(socket, local, drops_before));
        }
        for address in &addresses {
            let group: Vec<_> = sockets.iter().filter(|passed| passed.local == *address).collect();
            spread::by_domain(&group[0].socket, group.len());
        }
        for &address in &config.listen {
            let failed = |source| CollectorError::Bind { address, source };
            let only_v6 = is_only_v6(address, &config.listen);
            // Without SO_REUSEPORT first: another program on the port must be an error, not a partner.
            drop(socket(address, only_v6, false, config.receive_buffer).map_err(failed)?);
            let group = sockets_of(address, only_v6, config.workers, config.receive_buffer).map_err(failed)?;
            let bound = group[0].local_addr().map_err(failed)?;
            addresses.push(bound);
            sockets.extend(group.into_iter().map(|socket| Receiver::own(socket, bound)));
        }
        if let Some(Receiver { socket, .. }) = sockets.first() {
            warn_if_small(socket, config.receive_buffer);
        }
        let listeners = Listeners::bind(&config.stream, passed.streams)?;
        Ok(Self { config, sockets, addresses, listeners })
    }

    /// The addresses that datagrams are received on, with the ports that were free where 0 was asked for.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The same for connections.
    pub fn stream_addresses(&self) -> &[(StreamProtocol, SocketAddr)] {
        self.listeners.addresses()
    }

    /// Puts a worker thread on each socket, and as many as there are workers on all connections.
    ///
    /// # Errors
    ///
    /// [`CollectorError::Thread`] when the system refuses a thread; those that run already are stopped.
    pub fn start(self, sink: &Sink) -> Result<Running, CollectorError> {
        let mut running = Running::new(self.config.state.clone(), self.config.exporters);
        let state_file = self.config.state_file.map(|path| StateFile::load(path, running.state.clone()));
        running.state_file = state_file.map(|file| Arc::new(Mutex::new(file)));
        let mut processors = self.config.pin_workers.then(processors).unwrap_or_default().into_iter().cycle();
        let (state, stats, exporters) = (running.state.clone(), running.stats.clone(), running.exporters.clone());
        let attributes = self.config.trace.attributes.clone();
        let selection = Arc::new(Selection::new(self.config.filter, self.config.sampling, attributes));
        running.selection = selection.clone();
        let pipeline = || {
            let trace = self.config.trace.clone();
            let mut pipeline = Pipeline::new(state.clone(), stats.clone(), exporters.clone(), trace, sink)
                .with_selection(selection.clone());
            if let Some(wanted) = &self.config.extra_elements {
                pipeline = pipeline.with_extra_elements(wanted.clone());
            }
            pipeline
        };
        let common = Common {
            config: self.config.stream,
            exporters: exporters.clone(),
            liveness: running.liveness.clone(),
            state: state.clone(),
            stats: stats.clone(),
            stop: running.stop.clone(),
        };
        let mut summary = Some(Summary::default());
        for (index, Receiver { socket, local, is_passed, drops_before }) in self.sockets.into_iter().enumerate() {
            running.stats.watch(socket.clone(), drops_before);
            if !is_passed {
                running.own.push(socket.clone());
            }
            let worker = Worker {
                socket,
                local,
                is_passed,
                pipeline: pipeline(),
                stats: running.stats.clone(),
                stop: running.stop.clone(),
                pulse: running.liveness.watch(Instant::now()),
                summary: summary.take(),
            };
            let processor = processors.next();
            let work = move || {
                processor.into_iter().for_each(pin);
                worker.run();
            };
            if let Err(error) = running.spawn(format!("receive-{index}"), work) {
                running.stop();
                return Err(CollectorError::Thread(error));
            }
        }
        let streams = self.listeners.into_workers(&common, self.config.workers, pipeline, summary);
        let started = streams.and_then(|workers| {
            let spawn =
                |(index, worker): (usize, StreamWorker)| running.spawn(format!("stream-{index}"), move || worker.run());
            workers.into_iter().enumerate().try_for_each(spawn)
        });
        if let Err(error) = started.and_then(|()| running.keep_state()) {
            running.stop();
            return Err(CollectorError::Thread(error));
        }
        Ok(running)
    }
}

/// Those that this process may run on.
fn processors() -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(None) else { return Vec::new() };
    (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)).collect()
}

/// Keeps this thread on a processor.
fn pin(processor: usize) {
    let mut only = CpuSet::new();
    only.set(processor);
    if let Err(error) = sched_setaffinity(None, &only) {
        warn!(processor, %error, "cannot pin a worker");
    }
}

/// Whether a socket must leave IPv4 to another one of the list, which could not be bound beside it otherwise.
pub(crate) fn is_only_v6(address: SocketAddr, listen: &[SocketAddr]) -> bool {
    let takes_v4 = address.is_ipv6() && address.ip().is_unspecified();
    takes_v4 && listen.iter().any(|other| other.is_ipv4() && other.port() == address.port())
}

/// Sockets that share an address; the kernel keeps what belongs together together.
fn sockets_of(
    address: SocketAddr,
    only_v6: bool,
    workers: NonZeroUsize,
    receive_buffer: usize,
) -> io::Result<Vec<UdpSocket>> {
    let mut sockets = vec![socket(address, only_v6, true, receive_buffer)?];
    let bound = sockets[0].local_addr()?;
    let more = (1..workers.get()).map(|_| socket(bound, only_v6, true, receive_buffer));
    sockets.extend(more.collect::<io::Result<Vec<_>>>()?);
    spread::by_domain(&sockets[0], workers.get());
    Ok(sockets)
}

/// Prepares a socket that was passed, and says its address. Others cannot be opened beside it: the kernel has only
/// sockets of one user share an address.
fn adopt(passed: &UdpSocket, receive_buffer: usize) -> io::Result<SocketAddr> {
    let socket = SockRef::from(passed);
    // Whoever opened it may have asked for more than we do.
    if granted_receive_buffer(passed)? < receive_buffer {
        ask_for_receive_buffer(&socket, receive_buffer)?;
    }
    // Whoever opened it may have wanted to poll it.
    socket.set_nonblocking(false)?;
    socket.set_read_timeout(Some(READ_TIMEOUT))?;
    receive::prepare(passed);
    passed.local_addr()
}

fn ask_for_receive_buffer(socket: &Socket, bytes: usize) -> io::Result<()> {
    // An int for the kernel; a longer number would lose its high bits on the way.
    let bytes = bytes.min(i32::MAX as usize);
    // Beyond net.core.rmem_max with CAP_NET_ADMIN alone.
    set_socket_recv_buffer_size_force(socket, bytes).or_else(|_| socket.set_recv_buffer_size(bytes))
}

fn socket(address: SocketAddr, only_v6: bool, share: bool, receive_buffer: usize) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if only_v6 {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(share)?;
    ask_for_receive_buffer(&socket, receive_buffer)?;
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(READ_TIMEOUT))?;
    let socket = socket.into();
    receive::prepare(&socket);
    Ok(socket)
}

/// Has the kernel refuse from now on what is sent to a socket, and keep what it holds: a socket that is connected hears its
/// peer alone, and itself is one that sends nothing.
fn turn_away(socket: &UdpSocket) -> io::Result<()> {
    socket.connect(&own_addresses(socket.local_addr()?)[..])
}

/// By what a socket may reach itself, the first that can be had. Where IPv6 is off, `[::]` is for IPv4 alone.
fn own_addresses(own: SocketAddr) -> Vec<SocketAddr> {
    let addresses = match own.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => vec![Ipv4Addr::LOCALHOST.into()],
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => {
            vec![Ipv6Addr::LOCALHOST.into(), Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()]
        }
        ip => vec![ip],
    };
    addresses.into_iter().map(|ip: IpAddr| SocketAddr::new(ip, own.port())).collect()
}

/// The kernel gives what its limit allows. Less is no reason to fail, but bursts may be lost.
fn warn_if_small(socket: &UdpSocket, asked: usize) {
    let Ok(granted) = granted_receive_buffer(socket) else { return };
    if granted < asked {
        warn!(
            asked,
            granted, "the kernel grants a smaller receive buffer: raise net.core.rmem_max, or bursts are lost"
        );
    }
}

/// Bytes, as they are asked for: Linux doubles the number for its own needs and reports that.
fn granted_receive_buffer(socket: &UdpSocket) -> io::Result<usize> {
    let reported = SockRef::from(socket).recv_buffer_size()?;
    Ok(if cfg!(target_os = "linux") { reported / 2 } else { reported })
}

/// A collector at work. Dropping it leaves the workers running; [`Running::stop`] ends them.
#[derive(Debug)]
pub struct Running {
    state: Arc<State>,
    stats: Arc<CollectorStats>,
    exporters: Arc<Exporters>,
    selection: Arc<Selection>,
    liveness: Arc<Liveness>,
    stop: Arc<AtomicBool>,
    /// Whether a worker has panicked.
    failed: Arc<watch::Sender<bool>>,
    workers: Vec<JoinHandle<()>>,
    /// Sockets that close when all is stopped.
    own: Vec<Arc<UdpSocket>>,
    state_file: Option<Arc<Mutex<StateFile>>>,
}

/// How often the state is written to its file.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

impl Running {
    fn new(state: StateConfig, exporters: ExporterPolicy) -> Self {
        Self {
            state: Arc::new(State::new(state)),
            stats: Arc::default(),
            exporters: Arc::new(Exporters::new(exporters)),
            selection: Arc::default(),
            liveness: Arc::default(),
            stop: Arc::default(),
            failed: Arc::new(watch::Sender::new(false)),
            workers: Vec::new(),
            own: Vec::new(),
            state_file: None,
        }
    }

    fn spawn(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let alarm = Alarm(self.failed.clone());
        let thread = thread::Builder::new().name(name).spawn(move || {
            let _alarm = alarm;
            work();
        })?;
        self.workers.push(thread);
        Ok(())
    }

    /// Writes the state to its file every minute.
    fn keep_state(&mut self) -> io::Result<()> {
        let Some(file) = self.state_file.clone() else {
            return Ok(());
        };
        let stop = self.stop.clone();
        self.spawn("state-file".to_owned(), move || {
            let mut due = Instant::now() + SAVE_INTERVAL;
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(READ_TIMEOUT);
                if Instant::now() >= due {
                    file.lock().unwrap_or_else(PoisonError::into_inner).save();
                    due = Instant::now() + SAVE_INTERVAL;
                }
            }
        })
    }

    /// The counters of all workers.
    pub fn stats(&self) -> &Arc<CollectorStats> {
        &self.stats
    }

    /// The exporters that are heard.
    pub fn exporters(&self) -> &Arc<Exporters> {
        &self.exporters
    }

    /// Which flows have spans, and which attributes these have.
    pub fn selection(&self) -> &Arc<Selection> {
        &self.selection
    }

    /// Whether the workers go on; after [`stop`](Self::stop) they do not.
    pub fn liveness(&self) -> &Arc<Liveness> {
        &self.liveness
    }

    /// What is remembered of the exporters.
    pub fn state(&self) -> &Arc<State> {
        &self.state
    }

    /// Completes when a worker has panicked. Its datagrams, and with them a part of all, are received by nobody then.
    pub async fn failed(&self) {
        // The sender is in `self`, so that an error cannot be.
        let _ = self.failed.subscribe().wait_for(|failed| *failed).await;
    }

    /// Whether a worker has panicked, during [`stop`](Self::stop) perhaps.
    pub fn has_failed(&self) -> bool {
        *self.failed.borrow()
    }

    /// Reads what the kernel has received until now, hands all spans to the sink, and ends the workers.
    ///
    /// What comes later is refused, or stays in the sockets of whoever passed them. What a worker cannot process within two
    /// seconds is counted as [`datagrams_unread`](StatsSnapshot::datagrams_unread).
    pub fn stop(&mut self) -> StatsSnapshot {
        // All of them before a worker looks for the last time: those that share an address get datagrams of each other.
        for socket in self.own.drain(..) {
            if let Err(error) = turn_away(&socket) {
                warn!(%error, "datagrams that come until the sockets close are lost, and not counted");
            }
        }
        self.stop.store(true, Ordering::Relaxed);
        for worker in self.workers.drain(..) {
            // A panic has raised the alarm already.
            let _ = worker.join();
        }
        self.stats.unwatch();
        if let Some(file) = &self.state_file {
            file.lock().unwrap_or_else(PoisonError::into_inner).save();
        }
        self.stats.snapshot()
    }
}

/// Raised when its thread panics.
struct Alarm(Arc<watch::Sender<bool>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.send_replace(true);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn a_socket_for_all_addresses_reaches_itself_with_and_without_ipv6() {
        for (own, reached) in [
            ("0.0.0.0:7", &["127.0.0.1:7"][..]),
            ("[::]:7", &["[::1]:7", "[::ffff:127.0.0.1]:7"]),
            ("192.0.2.1:7", &["192.0.2.1:7"]),
        ] {
            let addresses = own_addresses(own.parse().unwrap());
            assert_eq!(addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>(), reached);
        }
    }

    /// Sockets that share an address.
    pub(crate) fn sockets(address: &str, count: usize) -> Vec<UdpSocket> {
        sockets_of(address.parse().unwrap(), false, NonZeroUsize::new(count).unwrap(), 100_000).unwrap()
    }

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    /// An int holds less; 8 GiB must not become a few bytes.
    #[test]
    fn a_receive_buffer_is_never_less_than_the_kernel_allows() {
        let granted = |asked| granted_receive_buffer(&socket(address("127.0.0.1:0"), false, false, asked).unwrap());
        let most = granted(i32::MAX as usize).unwrap();
        assert_eq!(granted(8 << 30).unwrap(), most);
        assert_eq!(granted(100_000).unwrap(), 100_000.min(most));
    }

    #[test]
    fn a_pinned_thread_stays_on_its_processor() {
        for processor in processors() {
            let pinned = thread::spawn(move || {
                pin(processor);
                processors()
            });
            assert_eq!(pinned.join().unwrap(), [processor]);
        }
    }

    #[test]
    fn ipv4_is_left_to_a_socket_of_its_own() {
        let listen = ["0.0.0.0:2055", "[::]:2055", "[::]:4739", "[::1]:2055"].map(address);
        assert_eq!(listen.map(|address| is_only_v6(address, &listen)), [false, true, false, false]);
    }

    #[tokio::test]
    async fn a_worker_that_panics_is_told_at_once() {
        let mut running = Running::new(StateConfig::default(), ExporterPolicy::default());
        let stop = running.stop.clone();
        running
            .spawn("waits".to_owned(), move || {
                while !stop.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
            })
            .unwrap();
        assert!(!running.has_failed());
        running.spawn("panics".to_owned(), || panic!("as it must")).unwrap();
        running.failed().await;
        running.stop();
        assert!(running.has_failed());
    }

    #[test]
    fn workers_that_stop_have_not_failed() {
        let mut running = Running::new(StateConfig::default(), ExporterPolicy::default());
        running.spawn("ends".to_owned(), || {}).unwrap();
        running.stop();
        assert!(!running.has_failed());
    }
}
