//! IPFIX over TCP and TLS, from connections to counters and spans.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use flow_collector::{
    Collector, CollectorConfig, CollectorError, Ending, ExporterPolicy, Running, StatsSnapshot, StreamConfig,
    StreamProtocol, TlsFiles,
};
use flow_state::DecodeErrorKind;
use flow_traffic::{Generator, TrafficConfig, Version};
use otlp_sink::{FileConfig, OtlpConfig, Output, Protocol, Sink, SinkConfig};
use socket2::{Domain, SockRef, Socket, Type};
use tempfile::TempDir;
use testkit::tls::{Authority, Pair};
use tokio::runtime::Runtime;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion};

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// A collector that listens for connections on a free port, and a sink into a file.
struct Fixture {
    running: Running,
    address: SocketAddr,
    runtime: Runtime,
    sink: Sink,
    folder: TempDir,
}

impl Fixture {
    fn new(change: impl FnOnce(&mut CollectorConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let output = Output::File(FileConfig::new(folder.path().join("spans.jsonl")));
        Self::with_sink(SinkConfig::default().with_output(output), folder, change)
    }

    fn with_sink(sink: SinkConfig, folder: TempDir, change: impl FnOnce(&mut CollectorConfig)) -> Self {
        let runtime = Runtime::new().unwrap();
        let sink = Sink::start(sink, runtime.handle()).unwrap();
        let mut config = CollectorConfig::default();
        config.listen.clear();
        config.workers = NonZeroUsize::new(2).unwrap();
        config.stream.listen = vec![(StreamProtocol::Tcp, ([127, 0, 0, 1], 0).into())];
        change(&mut config);
        let collector = Collector::bind(config).unwrap();
        let address = collector.stream_addresses()[0].1;
        let running = collector.start(&sink).unwrap();
        Self { running, address, runtime, sink, folder }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn stats(&self) -> StatsSnapshot {
        self.running.stats().snapshot()
    }

    fn wait_until(&self, condition: impl Fn(&StatsSnapshot) -> bool) -> StatsSnapshot {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stats = self.stats();
            if condition(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "{stats:?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn wait_for(&self, ending: Ending, count: u64) -> StatsSnapshot {
        self.wait_until(|stats| stats.stream.ended(ending) == count)
    }

    /// Stops it: its counters, and the spans as JSON.
    fn end(mut self) -> (StatsSnapshot, String) {
        let stats = self.running.stop();
        assert!(!self.running.has_failed());
        let report = self.runtime.block_on(self.sink.shutdown(PATIENCE));
        assert_eq!((report.dropped, report.remaining), (0, 0));
        (stats, fs::read_to_string(self.folder.path().join("spans.jsonl")).unwrap_or_default())
    }
}

/// To connect from an address and port.
fn socket(from: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&from.into()).unwrap();
    socket
}

/// Whether the other side has ended the connection.
fn is_closed(mut stream: TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

fn traffic(flows: u16) -> Generator {
    let mut config = TrafficConfig::new(Version::Ipfix);
    config.flows_per_datagram = flows.try_into().ok();
    Generator::new(config).unwrap()
}

/// Generated Messages as a stream, and the number of flows in them.
fn stream_of(generator: &mut Generator, messages: usize) -> (Vec<u8>, u64) {
    let (mut stream, mut flows) = (Vec::new(), 0);
    for _ in 0..messages {
        let message = generator.next_datagram();
        stream.extend_from_slice(message.bytes);
        flows += u64::from(message.flows);
    }
    (stream, flows)
}

/// RFC 7011 section 10.4.3: Messages follow each other without anything between them, wherever segments end.
#[test]
fn messages_come_whole_however_they_were_sent() {
    let fixture = Fixture::new(|_| {});
    let mut generator = traffic(3);
    // All at once, then byte by byte.
    let mut exporter = fixture.connect();
    let (many, mut flows) = stream_of(&mut generator, 200);
    exporter.write_all(&many).unwrap();
    fixture.wait_until(|stats| stats.datagrams == 200);
    exporter.set_nodelay(true).unwrap();
    let (few, more) = stream_of(&mut generator, 3);
    for byte in &few {
        exporter.write_all(&[*byte]).unwrap();
    }
    flows += more;
    let stats = fixture.wait_until(|stats| stats.datagrams == 203);
    assert_eq!((stats.records, stats.flow_spans, stats.bytes), (flows, flows, (many.len() + few.len()) as u64));
    assert_eq!((stats.stream.accepted, stats.stream.open(), stats.stream.cut_messages), (1, 1, 0));
    assert_eq!((stats.issues, stats.sequence_gaps), ([0; DecodeErrorKind::NAMES.len()], 0));
    drop(exporter);
    let stats = fixture.wait_for(Ending::Closed, 1);
    assert_eq!(stats.stream.open(), 0);
    assert_eq!((fixture.running.state().domain_count(), fixture.running.state().memory()), (0, 0));
    let (_, spans) = fixture.end();
    assert_eq!(spans.matches("\"netflow.flow\"").count() as u64, flows);
}

/// RFC 7011 section 8: what one session defines means nothing to another, and ends with it.
#[test]
fn each_connection_sends_its_own_templates() {
    let fixture = Fixture::new(|_| {});
    let mut generator = traffic(3);
    let (with_templates, flows) = stream_of(&mut generator, 1);
    let (without, _) = stream_of(&mut generator, 1);
    let unknown = DecodeErrorKind::TemplateUnknown(0).index();
    let mut first = fixture.connect();
    first.write_all(&with_templates).unwrap();
    fixture.wait_until(|stats| stats.records == flows);
    let mut second = fixture.connect();
    second.write_all(&without).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 2);
    let sets = stats.issues[unknown];
    assert_eq!((stats.records, stats.templates_elsewhere), (flows, 0));
    assert!(sets > 0, "all of its Sets wait");
    first.write_all(&without).unwrap();
    fixture.wait_until(|stats| stats.records == 2 * flows);
    // The exporter resets it and comes again, from the same port.
    let from = first.local_addr().unwrap();
    SockRef::from(&first).set_linger(Some(Duration::ZERO)).unwrap();
    drop(first);
    fixture.wait_for(Ending::Broken, 1);
    let again = socket(from);
    again.connect(&fixture.address.into()).unwrap();
    let mut again = TcpStream::from(again);
    again.write_all(&without).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 4);
    assert_eq!((stats.records, stats.issues[unknown]), (2 * flows, 2 * sets));
    again.write_all(&with_templates).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 5);
    assert_eq!(stats.records, 4 * flows, "those that waited, too");
}

/// RFC 7011 section 8.1: over TCP a Template Withdrawal is obeyed.
#[test]
fn withdrawals_are_obeyed() {
    let fixture = Fixture::new(|_| {});
    let mut generator = traffic(3);
    let (with_templates, flows) = stream_of(&mut generator, 1);
    let (without, _) = stream_of(&mut generator, 1);
    let domain = with_templates[12..16].to_vec();
    // All Templates, of the same Observation Domain.
    let mut withdrawal = vec![0, 10, 0, 24, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0];
    withdrawal.extend(domain);
    withdrawal.extend([0, 2, 0, 8, 0, 2, 0, 0]);
    let mut exporter = fixture.connect();
    exporter.write_all(&[with_templates, without.clone(), withdrawal, without].concat()).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 4);
    assert_eq!(stats.records, 2 * flows);
    assert!(stats.issues[DecodeErrorKind::TemplateUnknown(0).index()] > 0);
    assert_eq!(stats.issues[DecodeErrorKind::WithdrawalIgnored(0).index()], 0);
}

#[test]
fn what_is_not_ipfix_ends_the_connection_and_no_other() {
    let fixture = Fixture::new(|_| {});
    let (good, flows) = stream_of(&mut traffic(3), 1);
    let mut other = fixture.connect();
    for (number, (rest, ending)) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], Ending::Version),
        (&[0, 9, 0, 1, 0, 0, 0, 0], Ending::Version),
        (&[0, 10, 0, 15], Ending::Length),
        (&[0, 10, 0, 0], Ending::Length),
    ]
    .into_iter()
    .enumerate()
    {
        let mut exporter = fixture.connect();
        exporter.write_all(&[&good, rest].concat()).unwrap();
        assert!(is_closed(exporter), "{ending:?}");
        fixture.wait_for(ending, 1 + number as u64 % 2);
    }
    other.write_all(&good).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 5);
    assert_eq!((stats.records, stats.stream.open()), (5 * flows, 1));
}

#[test]
fn messages_that_never_end_are_given_up() {
    // Enough for a busy machine to write the first Message.
    let fixture = Fixture::new(|config| config.stream.message_timeout = Duration::from_secs(2));
    let (good, flows) = stream_of(&mut traffic(3), 2);
    let mut slow = fixture.connect();
    slow.write_all(&good[..good.len() - 1]).unwrap();
    assert!(is_closed(slow));
    let stats = fixture.wait_for(Ending::Slow, 1);
    assert_eq!((stats.datagrams, stats.records, stats.stream.cut_messages), (1, flows / 2, 1));
    // Bytes that trickle do not help.
    let mut trickle = fixture.connect();
    let mut bytes = [0, 10, 255, 255].iter().copied().chain(std::iter::repeat(0));
    while trickle.write_all(&[bytes.next().unwrap()]).is_ok() {
        thread::sleep(Duration::from_millis(1));
    }
    let stats = fixture.wait_for(Ending::Slow, 2);
    assert_eq!((stats.stream.open(), stats.stream.cut_messages), (0, 2));
}

/// Nothing but connections would take all places, for an hour each.
#[test]
fn who_has_said_nothing_has_no_more_time_than_a_message() {
    let fixture = Fixture::new(|config| config.stream.message_timeout = Duration::from_secs(2));
    let mut resting = fixture.connect();
    resting.write_all(&stream_of(&mut traffic(3), 1).0).unwrap();
    fixture.wait_until(|stats| stats.datagrams == 1);
    assert!(is_closed(fixture.connect()));
    let stats = fixture.wait_for(Ending::Idle, 1);
    assert_eq!(stats.stream.open(), 1, "silence between Messages is another matter");
}

/// Templates come once in a connection: what is read too early is paid for by waiting.
#[test]
fn a_limit_of_messages_slows_down_and_loses_nothing() {
    let fixture = Fixture::new(|config| config.exporters.limits.datagrams = NonZeroU32::new(20));
    let mut exporter = fixture.connect();
    let (messages, flows) = stream_of(&mut traffic(3), 40);
    let started = Instant::now();
    exporter.write_all(&messages).unwrap();
    // Into the next buffer, which waits.
    thread::sleep(Duration::from_millis(100));
    let (more, more_flows) = stream_of(&mut traffic(3), 1);
    exporter.write_all(&more).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 41);
    assert!(started.elapsed() > Duration::from_millis(1_000), "{:?}", started.elapsed());
    assert_eq!((stats.records, stats.datagrams_limited), (flows + more_flows, 0));
}

#[test]
fn who_finds_no_place_among_exporters_is_told_by_the_end_of_the_connection() {
    let fixture = Fixture::new(|config| config.exporters.max_exporters = NonZeroUsize::MIN);
    let (message, _) = stream_of(&mut traffic(3), 1);
    let mut first = fixture.connect();
    first.write_all(&message).unwrap();
    fixture.wait_until(|stats| stats.datagrams == 1);
    let second = socket(([127, 0, 0, 2], 0).into());
    second.connect(&fixture.address.into()).unwrap();
    let mut second = TcpStream::from(second);
    second.write_all(&message).unwrap();
    assert!(is_closed(second));
    let stats = fixture.wait_for(Ending::ExporterLimit, 1);
    assert_eq!((stats.datagrams, stats.exporters_refused), (1, 1));
}

#[test]
fn silent_connections_end_after_their_time() {
    let fixture = Fixture::new(|config| config.stream.idle_timeout = Duration::from_millis(50));
    let (good, _) = stream_of(&mut traffic(3), 1);
    // On a busy machine the time may pass before the Message is written.
    for number in 1..100 {
        let mut exporter = fixture.connect();
        let _ = exporter.write_all(&good);
        assert!(is_closed(exporter));
        let stats = fixture.wait_for(Ending::Idle, number);
        assert_eq!((stats.stream.open(), stats.stream.cut_messages), (0, 0));
        if stats.datagrams == 1 {
            return;
        }
    }
    panic!("no Message was read");
}

#[test]
fn connections_are_limited_over_all_and_by_address() {
    let fixture = Fixture::new(|config| {
        (config.stream.connections, config.stream.connections_per_address) = (3, 2);
    });
    let from = |address: [u8; 4]| {
        let socket = socket((address, 0).into());
        socket.connect(&fixture.address.into()).unwrap();
        TcpStream::from(socket)
    };
    let first = [from([127, 0, 0, 2]), from([127, 0, 0, 2])];
    assert!(is_closed(from([127, 0, 0, 2])));
    let other = from([127, 0, 0, 3]);
    assert!(is_closed(from([127, 0, 0, 4])));
    let stats = fixture.wait_for(Ending::Limit, 1);
    assert_eq!((stats.stream.accepted, stats.stream.open(), stats.stream.ended(Ending::AddressLimit)), (5, 3, 1));
    drop((first, other));
    fixture.wait_for(Ending::Closed, 3);
    let (good, flows) = stream_of(&mut traffic(3), 1);
    from([127, 0, 0, 4]).write_all(&good).unwrap();
    fixture.wait_until(|stats| stats.records == flows);
}

#[test]
fn only_the_allowed_are_heard() {
    let fixture = Fixture::new(|config| config.exporters.allow = vec!["192.0.2.0/24".parse().unwrap()]);
    assert!(is_closed(fixture.connect()));
    let stats = fixture.wait_for(Ending::Denied, 1);
    assert_eq!((stats.stream.accepted, stats.datagrams), (1, 0));
}

/// As a reload does, while it is connected.
#[test]
fn who_is_denied_later_is_heard_no_more() {
    let fixture = Fixture::new(|_| {});
    let mut exporter = fixture.connect();
    let mut generator = traffic(3);
    exporter.write_all(&stream_of(&mut generator, 1).0).unwrap();
    fixture.wait_until(|stats| stats.datagrams == 1);
    let mut policy = ExporterPolicy::default();
    policy.deny = vec!["127.0.0.0/8".parse().unwrap()];
    fixture.running.exporters().set_policy(policy);
    exporter.write_all(&stream_of(&mut generator, 1).0).unwrap();
    assert!(is_closed(exporter));
    let stats = fixture.wait_for(Ending::Denied, 1);
    assert_eq!((stats.datagrams, stats.denied), (1, 1));
}

/// The limit of records takes spans away, not what later Messages need.
#[test]
fn templates_outlive_the_limit_of_records() {
    let fixture = Fixture::new(|config| config.exporters.limits.records = NonZeroU32::new(1));
    let (messages, flows) = stream_of(&mut traffic(3), 20);
    fixture.connect().write_all(&messages).unwrap();
    let stats = fixture.wait_until(|stats| stats.datagrams == 20);
    let unknown = stats.issues[DecodeErrorKind::TemplateUnknown(0).index()];
    assert_eq!((stats.records, unknown), (flows, 0));
    assert!(stats.flows_limited > 0 && stats.flows_limited < flows, "{}", stats.flows_limited);
}

/// One that sends as fast as it can has turns, as others have.
#[test]
fn an_endless_sender_leaves_others_their_turns() {
    let mut fixture = Fixture::new(|config| config.workers = NonZeroUsize::MIN);
    let endless = fixture.connect();
    let mut writer = endless.try_clone().unwrap();
    let (block, _) = stream_of(&mut traffic(3), 1);
    let block = block.repeat(1000);
    let sender = thread::spawn(move || while writer.write_all(&block).is_ok() {});
    fixture.wait_until(|stats| stats.datagrams > 10_000);
    for number in 1..=20 {
        let mut other = fixture.connect();
        other.write_all(&[0, 9, 0, 0]).unwrap();
        assert!(is_closed(other));
        fixture.wait_for(Ending::Version, number);
    }
    // What comes at the end may be more than an output has room for.
    let stats = fixture.running.stop();
    assert_eq!(stats.stream.ended(Ending::Stopped), 1, "also the end comes in spite of it");
    sender.join().unwrap();
}

/// RFC 7011 section 10.4.4: the collector closes its end and reads on, here until nothing more comes. What there is of a
/// Message that is not whole is counted.
#[test]
fn stopping_reads_what_has_arrived() {
    let fixture = Fixture::new(|_| {});
    let mut generator = traffic(3);
    let (good, flows) = stream_of(&mut generator, 200);
    let mut exporters: Vec<_> = (0..4).map(|_| fixture.connect()).collect();
    fixture.wait_until(|stats| stats.stream.open() == 4);
    for exporter in &mut exporters {
        exporter.write_all(&good[..good.len() - 5]).unwrap();
    }
    let last_flows = flows / 200;
    let (stats, _) = fixture.end();
    assert_eq!((stats.datagrams, stats.records), (4 * 199, 4 * (flows - last_flows)));
    assert_eq!((stats.stream.ended(Ending::Stopped), stats.stream.cut_messages, stats.stream.open()), (4, 4, 0));
    assert!(exporters.into_iter().all(is_closed));
}

/// A sink that is full soon, and asks once: a request that is given up would make room.
fn sink_to(endpoint: &str) -> SinkConfig {
    let mut otlp = OtlpConfig::new(Protocol::HttpProtobuf, endpoint).unwrap();
    otlp.timeout = Duration::from_secs(3600);
    let mut sink = SinkConfig::default().with_output(Output::Otlp(otlp));
    (sink.queue_bytes, sink.max_batch_bytes) = (4_000_000, 1_000_000);
    sink
}

/// RFC 7011 section 10.4.1: over TCP an exporter is slowed down when spans have nowhere to go: nothing is lost.
#[test]
fn an_output_without_room_slows_exporters_down() {
    // Connections open, answers never come.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    slows_down(sink_to(&endpoint));
    let mut small = sink_to(&endpoint);
    // The least that the program takes.
    small.queue_bytes = 256 << 10;
    slows_down(small);
}

fn slows_down(sink: SinkConfig) {
    let mut fixture = Fixture::with_sink(sink, tempfile::tempdir().unwrap(), |config| {
        config.workers = NonZeroUsize::MIN;
        config.stream.pause = Duration::from_secs(3600);
    });
    let exporter = fixture.connect();
    exporter.set_nonblocking(true).unwrap();
    let (block, _) = stream_of(&mut traffic(20), 100);
    // Until the kernel on both sides is full.
    let mut last_progress = Instant::now();
    let mut stream = &exporter;
    let (mut at, deadline) = (0, Instant::now() + PATIENCE);
    while last_progress.elapsed() < Duration::from_millis(300) || fixture.stats().stream.pauses == 0 {
        match stream.write(&block[at..]) {
            Ok(count) => {
                (at, last_progress) = ((at + count) % block.len(), Instant::now());
            }
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                assert!(Instant::now() < deadline, "{:?}", fixture.stats());
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
    let before = fixture.stats();
    assert_eq!((before.stream.pauses, fixture.sink.stats().dropped()), (1, 0));
    assert!(before.flow_spans > 0);
    let stats = fixture.running.stop();
    assert_eq!(stats.stream.ended(Ending::Stopped), 1);
}

/// But not for good: an exporter that may not send drops flows itself, or blocks.
#[test]
fn a_pause_has_an_end() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", silent.local_addr().unwrap());
    let sink = sink_to(&endpoint);
    let fixture = Fixture::with_sink(sink, tempfile::tempdir().unwrap(), |config| {
        config.workers = NonZeroUsize::MIN;
        config.stream.pause = Duration::from_millis(50);
    });
    let mut exporter = fixture.connect();
    let (block, flows) = stream_of(&mut traffic(20), 4000);
    exporter.write_all(&block).unwrap();
    let stats = fixture.wait_until(|stats| stats.records == flows);
    assert_eq!((stats.stream.pauses, stats.stream.open()), (1, 1), "one pause for one trouble");
    assert!(fixture.sink.stats().dropped() > 0, "dropped and counted, as over UDP");
}

/// The workers for UDP and for connections count together.
#[test]
fn datagrams_and_connections_go_side_by_side() {
    // A port that is free for both protocols, as 4739 is.
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let fixture = Fixture::new(|config| {
        config.listen = vec![port];
        config.stream.listen = vec![(StreamProtocol::Tcp, port)];
    });
    let (good, flows) = stream_of(&mut traffic(3), 1);
    fixture.connect().write_all(&good).unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&good, port).unwrap();
    fixture.wait_until(|stats| stats.records == 2 * flows);
    let (stats, _) = fixture.end();
    assert_eq!((stats.datagrams, stats.stream.accepted), (2, 1));
}

// TLS

/// For a collector that shows `server` and asks for a certificate of `clients`.
fn with_tls(config: &mut StreamConfig, authority: &Authority, server: &Pair, clients: Option<&Authority>) {
    config.listen = vec![(StreamProtocol::Tls, ([127, 0, 0, 1], 0).into())];
    let certificate = authority.write("server.pem", &server.certificate.pem());
    let key = authority.write("server.key", &server.key.serialize_pem());
    let mut files = TlsFiles::new(certificate, key);
    files.client_authorities = clients.map(Authority::file);
    config.tls = Some(files);
}

fn client(trusted: &Path, version: &'static SupportedProtocolVersion, shown: Option<&Pair>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(trusted).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(pair) => {
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.key.serialize_der()));
            builder.with_client_auth_cert(vec![pair.certificate.der().clone()], key).unwrap()
        }
    })
}

fn secure(fixture: &Fixture, client: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(client.clone(), name).unwrap(), fixture.connect())
}

/// RFC 7011 section 11.3: both sides show certificates; TLS 1.2 and 1.3.
#[test]
fn flows_come_by_tls_from_those_who_show_a_certificate() {
    let (authority, clients, others) = (Authority::new(), Authority::new(), Authority::new());
    let fixture = Fixture::new(|config| with_tls(&mut config.stream, &authority, &authority.server(), Some(&clients)));
    let (known, stranger) = (clients.pair("exporter", |_| {}), others.pair("exporter", |_| {}));
    let expired = clients.pair("exporter", |params| params.not_after = testkit::tls::date(2020, 1, 1));
    let (good, flows) = stream_of(&mut traffic(3), 100);
    for (number, version) in (1..).zip([&TLS12, &TLS13]) {
        let mut exporter = secure(&fixture, &client(&authority.file(), version, Some(&known)));
        exporter.write_all(&good).unwrap();
        fixture.wait_until(|stats| stats.records == number * flows);
        exporter.conn.send_close_notify();
        exporter.flush().unwrap();
        drop(exporter);
        fixture.wait_for(Ending::Closed, number);
    }
    let mut refused = 0;
    for shown in [None, Some(&stranger), Some(&expired)] {
        for version in [&TLS12, &TLS13] {
            let mut exporter = secure(&fixture, &client(&authority.file(), version, shown));
            // With TLS 1.3 the client may write before it learns that it was refused.
            let _ = exporter.write_all(&good);
            refused += 1;
            fixture.wait_for(Ending::Tls, refused);
        }
    }
    let stats = fixture.stats();
    assert_eq!((stats.records, stats.stream.open()), (2 * flows, 0), "nothing of them was read");
}

#[test]
fn what_is_not_tls_is_refused() {
    let authority = Authority::new();
    let fixture = Fixture::new(|config| with_tls(&mut config.stream, &authority, &authority.server(), None));
    let (good, flows) = stream_of(&mut traffic(3), 1);
    for (number, garbage) in (1..).zip([good.as_slice(), b"GET / HTTP/1.1\r\n\r\n", &[0x16; 300], &[0xff; 70_000]]) {
        let mut exporter = fixture.connect();
        let _ = exporter.write_all(garbage);
        assert!(is_closed_after_alert(exporter));
        fixture.wait_for(Ending::Tls, number);
    }
    // Trust in another authority: the exporter ends it.
    let other = Authority::new();
    let mut exporter = secure(&fixture, &client(&other.file(), &TLS13, None));
    exporter.write_all(&good).unwrap_err();
    drop(exporter);
    fixture.wait_for(Ending::Tls, 5);
    // Without authorities for clients any may come.
    secure(&fixture, &client(&authority.file(), &TLS13, None)).write_all(&good).unwrap();
    fixture.wait_until(|stats| stats.records == flows);
}

fn is_closed_after_alert(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).is_ok_and(|len| len < 100) || rest.len() < 100
}

#[test]
fn a_handshake_has_its_time() {
    let authority = Authority::new();
    let fixture = Fixture::new(|config| {
        with_tls(&mut config.stream, &authority, &authority.server(), None);
        config.stream.handshake_timeout = Duration::from_millis(50);
    });
    assert!(is_closed(fixture.connect()));
    let stats = fixture.wait_for(Ending::TlsTimeout, 1);
    assert_eq!(stats.stream.open(), 0);
}

/// A certificate is renewed while connections are open: they stay, new ones get the new one. Files that cannot be used
/// change nothing.
#[test]
fn certificates_are_read_again() {
    let (before, after) = (Authority::new(), Authority::new());
    let mut files = None;
    let fixture = Fixture::new(|config| {
        with_tls(&mut config.stream, &before, &before.server(), None);
        files = config.stream.tls.clone();
    });
    let files = files.unwrap();
    let (good, flows) = stream_of(&mut traffic(3), 1);
    let mut early = secure(&fixture, &client(&before.file(), &TLS13, None));
    early.write_all(&good).unwrap();
    let renewed = after.server();
    fs::write(&files.certificate, renewed.certificate.pem()).unwrap();
    // The key is that of the certificate before.
    secure(&fixture, &client(&before.file(), &TLS13, None)).write_all(&good).unwrap();
    fs::write(&files.key, renewed.key.serialize_pem()).unwrap();
    secure(&fixture, &client(&after.file(), &TLS13, None)).write_all(&good).unwrap();
    early.write_all(&good).unwrap();
    fixture.wait_until(|stats| stats.records == 4 * flows);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let bind = |change: &dyn Fn(&mut StreamConfig)| {
        let mut config = CollectorConfig::default();
        config.listen.clear();
        with_tls(&mut config.stream, &authority, &authority.server(), None);
        change(&mut config.stream);
        Collector::bind(config).map(drop)
    };
    bind(&|_| {}).unwrap();
    assert!(matches!(bind(&|config| config.tls = None), Err(CollectorError::NoCertificate)));
    let empty = authority.write("empty.pem", "no PEM\n");
    let other = authority.write("other.key", &authority.server().key.serialize_pem());
    let missing = empty.with_file_name("missing");
    type Change<'a> = &'a dyn Fn(&mut TlsFiles);
    let changes: [(Change<'_>, &str); 4] = [
        (&|files| files.certificate.clone_from(&missing), "missing: No such file"),
        (&|files| files.certificate.clone_from(&empty), "empty.pem: no certificate in it"),
        (&|files| files.key.clone_from(&other), "other.key: not the key of "),
        (&|files| files.client_authorities = Some(empty.clone()), "empty.pem: no certificate in it"),
    ];
    for (change, reason) in changes {
        let error = bind(&|config| change(config.tls.as_mut().unwrap())).unwrap_err().to_string();
        assert!(error.starts_with("cannot use ") && error.contains(reason), "{error}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let mut config = CollectorConfig::default();
    config.listen.clear();
    config.stream.listen = vec![(StreamProtocol::Tcp, address)];
    let error = Collector::bind(config).unwrap_err().to_string();
    assert!(error.starts_with(&format!("cannot listen on {address}: Address already in use")), "{error}");
}
