//! IPFIX over TCP and TLS (RFC 7011 section 10.4): listeners, and threads that read connections.
//!
//! Each thread has a runtime of its own and one [`Pipeline`] for all of its connections, which take turns. The first also
//! accepts, and gives each connection to the thread that has fewest. A connection holds memory only while a Message of it
//! is incomplete.

mod admission;
mod connection;
mod framing;
mod stats;
mod tls;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use flow_state::{State, Transport, TransportSession};
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet, LocalSet};
use tokio::time::{self, MissedTickBehavior};
use tracing::warn;

use self::admission::{Admission, Ticket};
use self::connection::{Reader, Turn, note, serve};
pub(crate) use self::stats::StreamStats;
pub use self::stats::{Ending, StreamSnapshot};
use self::tls::Tls;
pub use self::tls::{TlsError, TlsFiles};
use crate::collector::{CollectorError, is_only_v6};
use crate::exporters::Exporters;
use crate::liveness::Liveness;
use crate::pipeline::Pipeline;
use crate::stats::CollectorStats;
use crate::worker::{READ_TIMEOUT, Summary};

/// What carries a stream of IPFIX Messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamProtocol {
    /// TCP; its port is 4739 where nobody chose another.
    Tcp,
    /// TLS over TCP; its port is 4740.
    Tls,
}

impl StreamProtocol {
    /// The port that IANA registered for it.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Tcp => 4739,
            Self::Tls => 4740,
        }
    }
}

impl fmt::Display for StreamProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        })
    }
}

/// Where to listen for connections, and what they may do.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StreamConfig {
    /// Addresses; none by default.
    pub listen: Vec<(StreamProtocol, SocketAddr)>,
    /// What is shown to exporters that come by TLS; must be there when any can.
    pub tls: Option<TlsFiles>,
    /// Connections over all; 1,024 by default. Each may hold the beginning of a Message, 64 KiB at most.
    pub connections: usize,
    /// Connections from one address; 64 by default.
    pub connections_per_address: usize,
    /// How long a connection may be silent between two Messages; an hour by default. One whose other side is gone is
    /// found out earlier, by TCP's keep-alive.
    pub idle_timeout: Duration,
    /// How long a Message may take from its first byte to its last; 30 s by default.
    pub message_timeout: Duration,
    /// How long TLS may take to begin; 10 s by default.
    pub handshake_timeout: Duration,
    /// How long reading may pause because an output has no room, 10 s by default. After that it goes on and what does not
    /// fit is dropped and counted, as it is over UDP: an exporter that waits for longer drops flows itself, or is blocked
    /// (RFC 7011 section 10.4.1).
    pub pause: Duration,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            listen: Vec::new(),
            tls: None,
            connections: 1024,
            connections_per_address: 64,
            idle_timeout: Duration::from_secs(3600),
            message_timeout: Duration::from_secs(30),
            handshake_timeout: Duration::from_secs(10),
            pause: Duration::from_secs(10),
        }
    }
}

/// Connections that wait to be accepted.
const BACKLOG: i32 = 128;
/// A connection that is silent for so long is asked whether its other side is still there, so often at most, so far apart.
const KEEPALIVE: (Duration, u32, Duration) = (Duration::from_secs(60), 4, Duration::from_secs(15));

/// Listeners, not accepting yet.
#[derive(Debug)]
pub(crate) struct Listeners {
    listeners: Vec<Listener>,
    addresses: Vec<(StreamProtocol, SocketAddr)>,
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    local: SocketAddr,
    tls: Option<Arc<Tls>>,
}

impl Listeners {
    /// Opens them, beside those that were passed.
    pub(crate) fn bind(
        config: &StreamConfig,
        passed: Vec<(StreamProtocol, TcpListener)>,
    ) -> Result<Self, CollectorError> {
        let tls = config.tls.clone().map(Tls::new).transpose()?.map(Arc::new);
        let mut bound = Self { listeners: Vec::new(), addresses: Vec::new() };
        let mut add = |protocol, socket: TcpListener| -> Result<(), CollectorError> {
            let local = socket.local_addr().map_err(CollectorError::Passed)?;
            let tls = match protocol {
                StreamProtocol::Tcp => None,
                StreamProtocol::Tls => Some(tls.clone().ok_or(CollectorError::NoCertificate)?),
            };
            bound.listeners.push(Listener { socket, local, tls });
            bound.addresses.push((protocol, local));
            Ok(())
        };
        for (protocol, socket) in passed {
            add(protocol, socket)?;
        }
        let all: Vec<_> = config.listen.iter().map(|(_, address)| *address).collect();
        for &(protocol, address) in &config.listen {
            let socket = listen(address, is_only_v6(address, &all));
            add(protocol, socket.map_err(|source| CollectorError::Bind { address, source })?)?;
        }
        Ok(bound)
    }

    pub(crate) fn addresses(&self) -> &[(StreamProtocol, SocketAddr)] {
        &self.addresses
    }

    /// Workers for their connections; none where there are no listeners. The first has the summary.
    pub(crate) fn into_workers(
        self,
        common: &Common,
        count: NonZeroUsize,
        pipeline: impl Fn() -> Pipeline,
        mut summary: Option<Summary>,
    ) -> io::Result<Vec<StreamWorker>> {
        if self.listeners.is_empty() {
            return Ok(Vec::new());
        }
        let (threads, receivers): (Vec<_>, Vec<_>) = (0..count.get()).map(|_| mpsc::unbounded_channel()).unzip();
        let admission = Arc::new(Admission::new(&common.config, threads.len()));
        let mut acceptor = Some(Acceptor { listeners: self.listeners, admission, threads });
        let worker = |accepted| {
            let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
            let (pipeline, acceptor, summary) = (pipeline(), acceptor.take(), summary.take());
            Ok(StreamWorker { runtime, common: common.clone(), pipeline, acceptor, accepted, summary })
        };
        receivers.into_iter().map(worker).collect()
    }
}

/// A listening socket.
fn listen(address: SocketAddr, only_v6: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if only_v6 {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier run may still be in their last state.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// What the threads share.
#[derive(Clone)]
pub(crate) struct Common {
    pub(crate) config: StreamConfig,
    pub(crate) exporters: Arc<Exporters>,
    pub(crate) liveness: Arc<Liveness>,
    pub(crate) state: Arc<State>,
    pub(crate) stats: Arc<CollectorStats>,
    pub(crate) stop: Arc<AtomicBool>,
}

/// A connection that was accepted, on its way to its thread.
struct Accepted {
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    ticket: Ticket,
}

/// A thread that reads connections.
pub(crate) struct StreamWorker {
    runtime: Runtime,
    common: Common,
    pipeline: Pipeline,
    /// Of the thread that accepts.
    acceptor: Option<Acceptor>,
    accepted: mpsc::UnboundedReceiver<Accepted>,
    summary: Option<Summary>,
}

/// Accepts connections and gives them to the threads.
struct Acceptor {
    listeners: Vec<Listener>,
    admission: Arc<Admission>,
    /// No more than the limit of connections wait in them.
    threads: Vec<mpsc::UnboundedSender<Accepted>>,
}

impl StreamWorker {
    /// Accepts and reads until it is time to stop, then what has arrived.
    pub(crate) fn run(self) {
        let Self { runtime, common, pipeline, acceptor, accepted, summary } = self;
        LocalSet::new().block_on(&runtime, work(common, pipeline, acceptor, accepted, summary));
    }
}

async fn work(
    common: Common,
    pipeline: Pipeline,
    acceptor: Option<Acceptor>,
    mut accepted: mpsc::UnboundedReceiver<Accepted>,
    mut summary: Option<Summary>,
) {
    let (stop, stopping) = watch::channel(false);
    let Common { config, exporters, liveness, state, stats, stop: must_stop } = common;
    let pulse = liveness.watch(Instant::now());
    let turn = RefCell::new(Turn::new(pipeline));
    let reader = Rc::new(Reader { config: Arc::new(config), state, stats: stats.clone(), turn, stopping });
    let mut tasks = JoinSet::new();
    if let Some(Acceptor { listeners, admission, threads }) = acceptor {
        for listener in listeners {
            let (reader, exporters, admission, threads) =
                (reader.clone(), exporters.clone(), admission.clone(), threads.clone());
            tasks.spawn_local(accept(listener, reader, exporters, admission, threads));
        }
    }
    let mut tick = time::interval(READ_TIMEOUT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !must_stop.load(Ordering::Relaxed) {
        tokio::select! {
            _ = tick.tick() => {
                pulse.beat();
                reader.turn.borrow_mut().pipeline.flush_if_due();
                if let Some(summary) = &mut summary {
                    summary.give_if_due(&stats);
                }
            }
            Some(Accepted { stream, tls, ticket }) = accepted.recv() => {
                tasks.spawn_local(serve(reader.clone(), stream, tls, ticket));
            }
            Some(ended) = tasks.join_next() => rethrow(ended),
        }
    }
    stop.send_replace(true);
    // Ends when the one that accepts has.
    loop {
        tokio::select! {
            next = accepted.recv() => match next {
                Some(Accepted { stream, tls, ticket }) => {
                    tasks.spawn_local(serve(reader.clone(), stream, tls, ticket));
                }
                None => break,
            },
            Some(ended) = tasks.join_next() => rethrow(ended),
        }
    }
    while let Some(ended) = tasks.join_next().await {
        rethrow(ended);
    }
    reader.turn.borrow_mut().pipeline.flush();
}

/// A runtime keeps the panic of a task to itself; ours must end the thread, as those of other workers do.
fn rethrow(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        std::panic::resume_unwind(error.into_panic());
    }
}

/// Accepts connections until it is time to stop.
async fn accept(
    listener: Listener,
    reader: Rc<Reader>,
    exporters: Arc<Exporters>,
    admission: Arc<Admission>,
    threads: Vec<mpsc::UnboundedSender<Accepted>>,
) {
    let Listener { socket, local, tls } = listener;
    let listening = socket.set_nonblocking(true).and_then(|()| tokio::net::TcpListener::from_std(socket));
    let socket = match listening {
        Ok(socket) => socket,
        Err(error) => {
            reader.stats.count_receive_error();
            warn!(%error, address = %local, "cannot accept connections");
            return;
        }
    };
    let mut stopping = reader.stopping.clone();
    loop {
        let next = tokio::select! {
            next = socket.accept() => next,
            _ = stopping.wait_for(|stopping| *stopping) => return,
        };
        match next.and_then(|(stream, from)| Ok((stream.into_std()?, from))) {
            Ok((stream, from)) => {
                reader.stats.stream.count_accepted();
                // The address that it came to: the listener's may stand for all.
                let local = stream.local_addr().unwrap_or(local);
                let session = TransportSession::new(from, local).with_transport(Transport::Tcp);
                if !exporters.policy().allows(session.exporter.ip()) {
                    note(&reader.stats, Ending::Denied, &session);
                    continue;
                }
                let (time, retries, interval) = KEEPALIVE;
                let keepalive = TcpKeepalive::new().with_time(time).with_retries(retries).with_interval(interval);
                // Without it a dead one is found out by the limits of time alone.
                let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
                match admission.admit(session) {
                    Err(ending) => note(&reader.stats, ending, &session),
                    Ok(ticket) => {
                        let thread = &threads[ticket.thread];
                        // A thread that is gone has panicked, which ends all.
                        let _ = thread.send(Accepted { stream, tls: tls.clone(), ticket });
                    }
                }
            }
            Err(error) => {
                if reader.stats.count_receive_error() == 0 {
                    warn!(%error, address = %local, "cannot accept a connection, trying again");
                }
                // Too many open files, say, may pass; but do not spin.
                time::sleep(READ_TIMEOUT).await;
            }
        }
    }
}
