//! One connection from its handshake to its end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flow_state::{State, TransportSession};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task;
use tokio::time::{self, Instant};
use tracing::{debug, warn};

use super::admission::Ticket;
use super::framing::{Framing, Misframed};
use super::tls::Tls;
use super::{Ending, StreamConfig};
use crate::exporters::Refusal;
use crate::pipeline::{Pipeline, now};
use crate::stats::CollectorStats;

/// Bytes read at once: a turn of one connection, before the others of its thread have theirs.
const TURN: usize = 64 << 10;
/// The same as a part of the memory of an output, where that is less: the spans of a turn must fit.
const TURNS_IN_QUEUE: usize = 128;
/// How often those who wait look whether an output has room again.
const ROOM_INTERVAL: Duration = Duration::from_millis(20);
/// How often those who wait because of their limit look whether the collector stops, or the limit is another.
const RATE_INTERVAL: Duration = Duration::from_millis(100);
/// When the collector stops: a sender that is silent for so long has sent what it had under way. The last segment may wait
/// for an acknowledgement that we delay, for 200 ms at most.
const QUIET: Duration = Duration::from_millis(250);
/// Longest time given to one that is not.
const DRAIN_TIME: Duration = Duration::from_secs(2);
/// How much of it may pass while an output has no room. What has arrived is read then all the same, so that what is dropped
/// is counted.
const ROOM_TIME: Duration = Duration::from_millis(1_500);

/// What the connections of a thread have in common.
pub(super) struct Reader {
    pub(super) config: Arc<StreamConfig>,
    pub(super) state: Arc<State>,
    pub(super) stats: Arc<CollectorStats>,
    pub(super) turn: RefCell<Turn>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// What one connection after the other uses; never over an `await`.
pub(super) struct Turn {
    pub(super) pipeline: Pipeline,
    buffer: Box<[u8]>,
    /// Since when an output has had no room, as far as anyone waited for it.
    paused: Option<Instant>,
}

impl Turn {
    pub(super) fn new(pipeline: Pipeline) -> Self {
        let turn = TURN.min(pipeline.queue_bytes() / TURNS_IN_QUEUE).max(1);
        Self { pipeline, buffer: vec![0; turn].into(), paused: None }
    }
}

/// TCP, or TLS over it.
trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// When to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    HasRoom,
    Now,
}

/// What a read gave.
enum Read {
    /// So many Messages became complete.
    Messages(usize),
    Misframed(Misframed),
    /// The exporter may not send, or not any more.
    Refused(Refusal),
    /// Nothing was read, as an output has no room.
    NoRoom,
    End,
}

/// Serves a connection until it ends, and forgets what it taught.
pub(super) async fn serve(reader: Rc<Reader>, stream: std::net::TcpStream, tls: Option<Arc<Tls>>, ticket: Ticket) {
    let session = ticket.session;
    let mut framing = Framing::default();
    let ending = match TcpStream::from_std(stream) {
        Err(_) => Ending::Broken,
        Ok(stream) => match tls {
            None => reader.converse(stream, &session, &mut framing).await,
            Some(tls) => reader.converse_by_tls(stream, &tls, &session, &mut framing).await,
        },
    };
    reader.state.end_session(&session);
    if !framing.is_empty() {
        reader.stats.stream.count_cut_message();
    }
    note(&reader.stats, ending, &session);
    // Not before the session is forgotten: the same port may come again.
    drop(ticket);
}

/// Counts a connection that ended or was refused.
pub(super) fn note(stats: &CollectorStats, ending: Ending, session: &TransportSession) {
    let before = stats.stream.count_ended(ending);
    let (exporter, reason) = (session.exporter, ending.as_str());
    // The first for each reason; the summary has the rest.
    if before == 0 && ending.is_trouble() {
        warn!(%exporter, reason, "a connection was refused or closed; more of these are counted");
    } else {
        debug!(%exporter, reason, "a connection ended");
    }
}

impl Reader {
    async fn converse_by_tls(
        &self,
        stream: TcpStream,
        tls: &Tls,
        session: &TransportSession,
        framing: &mut Framing,
    ) -> Ending {
        let mut stopping = self.stopping.clone();
        let handshake = time::timeout(self.config.handshake_timeout, tls.acceptor().accept(stream));
        let handshake = tokio::select! {
            handshake = handshake => handshake,
            _ = stopping.wait_for(|stopping| *stopping) => return Ending::Stopped,
        };
        match handshake {
            Ok(Ok(stream)) => self.converse(stream, session, framing).await,
            Ok(Err(error)) => {
                debug!(exporter = %session.exporter, %error, "no TLS");
                Ending::Tls
            }
            Err(_) => Ending::TlsTimeout,
        }
    }

    async fn converse(&self, mut stream: impl Stream, session: &TransportSession, framing: &mut Framing) -> Ending {
        let mut stopping = self.stopping.clone();
        // When the last Message was complete, or this one began.
        let mut since = Instant::now();
        // One that has said nothing yet has a place that others may need.
        let mut has_spoken = false;
        loop {
            if *stopping.borrow() {
                self.drain(stream, session, framing).await;
                return Ending::Stopped;
            }
            since += self.wait_for_rate(session).await;
            if *stopping.borrow() {
                continue;
            }
            let was_between = framing.is_empty();
            let may_rest = was_between && has_spoken;
            let patience = if may_rest { self.config.idle_timeout } else { self.config.message_timeout };
            let read = tokio::select! {
                biased;
                read = time::timeout(
                    patience.saturating_sub(since.elapsed()),
                    self.read(&mut stream, session, framing, When::HasRoom),
                ) => read,
                _ = stopping.wait_for(|stopping| *stopping) => continue,
            };
            match read {
                Ok(Ok(Read::Messages(count))) => {
                    has_spoken = true;
                    if count > 0 || was_between {
                        since = Instant::now();
                    }
                }
                Ok(Ok(Read::NoRoom)) => {
                    let start = Instant::now();
                    time::sleep(ROOM_INTERVAL).await;
                    since += start.elapsed();
                    continue;
                }
                Ok(Ok(Read::Misframed(error))) => {
                    debug!(exporter = %session.exporter, %error, "not a stream of IPFIX");
                    return match error {
                        Misframed::Version(_) => Ending::Version,
                        Misframed::Length(_) => Ending::Length,
                    };
                }
                Ok(Ok(Read::Refused(Refusal::NoRoom))) => return Ending::ExporterLimit,
                Ok(Ok(Read::Refused(Refusal::Denied | Refusal::Limited))) => return Ending::Denied,
                Ok(Ok(Read::End)) => return Ending::Closed,
                // What TLS says of an exporter that closes without a word; many do.
                Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => return Ending::Closed,
                Ok(Err(error)) => {
                    debug!(exporter = %session.exporter, %error, "cannot read");
                    return Ending::Broken;
                }
                Err(_) if was_between => return Ending::Idle,
                Err(_) => return Ending::Slow,
            }
            // One that sends without end leaves the others their turns.
            task::yield_now().await;
        }
    }

    /// Closes our end, then reads what has arrived and what is on its way (RFC 7011 section 10.4.4), as fast as an output
    /// has room for it.
    async fn drain(&self, mut stream: impl Stream, session: &TransportSession, framing: &mut Framing) {
        let start = Instant::now();
        // TLS has something to say with it, which one that does not read may not take.
        let _ = time::timeout(QUIET, poll_fn(|cx| Pin::new(&mut stream).poll_shutdown(cx))).await;
        while start.elapsed() < DRAIN_TIME {
            let when = if start.elapsed() < ROOM_TIME { When::HasRoom } else { When::Now };
            match time::timeout(QUIET, self.read(&mut stream, session, framing, when)).await {
                Ok(Ok(Read::Messages(_))) => task::yield_now().await,
                Ok(Ok(Read::NoRoom)) => time::sleep(ROOM_INTERVAL).await,
                _ => return,
            }
        }
    }

    /// Reads once, as much as is there and fits, and processes the Messages that are complete. While an output has no room,
    /// nothing is read, so that TCP slows the exporter down; but not for longer than [`StreamConfig::pause`] in one go.
    async fn read(
        &self,
        stream: &mut impl Stream,
        session: &TransportSession,
        framing: &mut Framing,
        when: When,
    ) -> io::Result<Read> {
        poll_fn(|cx| {
            if when == When::HasRoom && !self.has_room(framing.len()) {
                return Ok(Read::NoRoom).into();
            }
            let Turn { pipeline, buffer, .. } = &mut *self.turn.borrow_mut();
            let mut buffer = ReadBuf::new(buffer);
            let read = Pin::new(&mut *stream).poll_read(cx, &mut buffer);
            let read = read.map_ok(|()| process(pipeline, session, framing, buffer.filled()));
            // Room that was not needed is for others, and not kept until something arrives.
            pipeline.flush_if_due();
            read
        })
        .await
    }

    /// While the exporter has sent more Messages than it may in a second, nothing more is read either. Returns how long it
    /// took.
    async fn wait_for_rate(&self, session: &TransportSession) -> Duration {
        let start = Instant::now();
        loop {
            let wait = self.turn.borrow().pipeline.wait(session);
            if wait.is_zero() || *self.stopping.borrow() {
                return start.elapsed();
            }
            time::sleep(wait.min(RATE_INTERVAL)).await;
        }
    }

    /// Whether there is room for what a read brings, to which belongs the beginning of a Message that it may complete.
    fn has_room(&self, begun: usize) -> bool {
        let mut turn = self.turn.borrow_mut();
        let bytes = begun + turn.buffer.len();
        if turn.pipeline.has_room(bytes) {
            turn.paused = None;
            return true;
        }
        // Only what is handed over makes room again.
        turn.pipeline.flush();
        if turn.paused.is_none() && self.stats.stream.count_pause() == 0 {
            warn!("an output has no room: exporters that send over TCP are slowed down");
        }
        turn.paused.get_or_insert_with(Instant::now).elapsed() >= self.config.pause
    }
}

/// What was read of a connection.
fn process(pipeline: &mut Pipeline, session: &TransportSession, framing: &mut Framing, bytes: &[u8]) -> Read {
    if bytes.is_empty() {
        return Read::End;
    }
    let received_at = now();
    let mut refused = None;
    let messages = framing.take(bytes, |message| {
        refused = pipeline.process_message(*session, received_at, message).err().or(refused);
    });
    match (messages, refused) {
        (_, Some(refusal)) => Read::Refused(refusal),
        (Ok(count), None) => Read::Messages(count),
        (Err(error), None) => Read::Misframed(error),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Arc;

    use flow_semconv::TraceConfig;
    use flow_state::{StateConfig, Transport};
    use flow_traffic::{Generator, TrafficConfig, Version};
    use otlp_sink::{OtlpConfig, Output, Protocol, Sink, SinkConfig};
    use testkit::otlp_server::{Code, OtlpServer, Respond, StatusCode};
    use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::exporters::{ExporterPolicy, Exporters};

    /// A connection to a reader whose output has no room, as its backend takes nothing for now.
    struct Fixture {
        /// Delivers.
        _runtime: Runtime,
        backend: OtlpServer,
        sink: Sink,
        reader: Reader,
        session: TransportSession,
        generator: Generator,
        /// Says that the collector stops.
        stop: watch::Sender<bool>,
    }

    impl Fixture {
        fn new() -> Self {
            let runtime = Runtime::new().unwrap();
            let backend = runtime.block_on(OtlpServer::start_local()).unwrap();
            backend.respond_with(Respond::Refuse(Code::Unavailable, StatusCode::SERVICE_UNAVAILABLE));
            let otlp = OtlpConfig::new(Protocol::HttpProtobuf, &backend.http_traces_endpoint()).unwrap();
            let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
            (config.queue_bytes, config.max_batch_bytes) = (4_000_000, 1_000_000);
            let sink = Sink::start(config, runtime.handle()).unwrap();
            let (state, stats) = (Arc::new(State::new(StateConfig::default())), Arc::<CollectorStats>::default());
            let exporters = Arc::new(Exporters::new(ExporterPolicy::default()));
            let pipeline = Pipeline::new(state.clone(), stats.clone(), exporters, TraceConfig::default(), &sink);
            let (stop, stopping) = watch::channel(false);
            let turn = RefCell::new(Turn::new(pipeline));
            let reader = Reader { config: Arc::default(), state, stats, turn, stopping };
            let [from, to] = ["192.0.2.1:40000", "192.0.2.2:4739"].map(|address| address.parse().unwrap());
            let session = TransportSession::new(from, to).with_transport(Transport::Tcp);
            let mut traffic = TrafficConfig::new(Version::Ipfix);
            traffic.template_refresh = NonZeroU32::MAX;
            let generator = Generator::new(traffic).unwrap();
            let mut fixture = Self { _runtime: runtime, backend, sink, reader, session, generator, stop };
            fixture.fill();
            fixture
        }

        /// Reads until the output has no room.
        fn fill(&mut self) {
            while self.reader.has_room(0) {
                let pipeline = &mut self.reader.turn.get_mut().pipeline;
                pipeline.process_message(self.session, now(), self.generator.next_datagram().bytes).unwrap();
            }
        }

        /// Messages that have arrived on a connection that stays open, with the number of all flows until now.
        async fn arrived(&mut self) -> (DuplexStream, DuplexStream, u64) {
            let (mut exporter, collector) = duplex(1 << 20);
            let mut flows = self.records();
            for _ in 0..100 {
                let message = self.generator.next_datagram();
                exporter.write_all(message.bytes).await.unwrap();
                flows += u64::from(message.flows);
            }
            (exporter, collector, flows)
        }

        fn records(&self) -> u64 {
            self.reader.stats.snapshot().records
        }

        /// Waits for a thread that delivers all; the time of the test stands still.
        fn deliver(&self) {
            self.backend.respond_with(Respond::Accept);
            while self.sink.stats().outputs[0].held_bytes > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Runs a test in a time of its own.
    fn in_its_time(test: impl AsyncFnOnce()) {
        Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test());
    }

    /// What was on its way when the collector stopped is not lost for want of room that comes.
    #[test]
    fn stopping_waits_for_room() {
        let mut fixture = Fixture::new();
        in_its_time(async || {
            let before = fixture.records();
            let (_exporter, collector, flows) = fixture.arrived().await;
            let mut framing = Framing::default();
            fixture.stop.send_replace(true);
            let mut ends = Box::pin(fixture.reader.converse(collector, &fixture.session, &mut framing));
            assert!(time::timeout(ROOM_TIME / 2, &mut ends).await.is_err());
            assert_eq!(fixture.records(), before);
            fixture.deliver();
            assert_eq!(ends.await, Ending::Stopped);
            assert_eq!((fixture.records(), fixture.sink.stats().dropped()), (flows, 0));
        });
    }

    /// Who waited for room when the collector stopped waits on; where none comes, what has arrived is read in time, and is
    /// counted with what is dropped.
    #[test]
    fn stopping_does_not_wait_for_ever() {
        let mut fixture = Fixture::new();
        in_its_time(async || {
            let before = fixture.records();
            let (_exporter, collector, flows) = fixture.arrived().await;
            let mut framing = Framing::default();
            let mut ends = Box::pin(fixture.reader.converse(collector, &fixture.session, &mut framing));
            assert!(time::timeout(ROOM_TIME, &mut ends).await.is_err());
            fixture.stop.send_replace(true);
            assert!(time::timeout(ROOM_TIME / 2, &mut ends).await.is_err());
            assert_eq!(fixture.records(), before);
            let ending = time::timeout(DRAIN_TIME, ends).await;
            assert_eq!((ending.unwrap(), fixture.records()), (Ending::Stopped, flows));
            assert!(fixture.sink.stats().dropped() > 0);
        });
    }
}
