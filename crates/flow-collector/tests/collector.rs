//! From UDP sockets to spans in a file.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::num::{NonZeroU16, NonZeroU32, NonZeroUsize};
use std::thread;
use std::time::{Duration, Instant};

use flow_collector::{Collector, CollectorConfig, CollectorError, Exporters, Running, StatsSnapshot};
use flow_traffic::{Generator, TrafficConfig, Version};
use opentelemetry_proto::tonic::trace::v1::{Span, TracesData};
use otlp_sink::{FileConfig, Output, Sink, SinkConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// On a free port of 127.0.0.1.
fn config(workers: usize) -> CollectorConfig {
    let mut config = CollectorConfig::default();
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.workers = NonZeroUsize::new(workers).unwrap();
    config
}

/// A sink into a file.
struct File {
    folder: TempDir,
    runtime: Runtime,
    sink: Sink,
}

impl File {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let config =
            SinkConfig::default().with_output(Output::File(FileConfig::new(folder.path().join("spans.jsonl"))));
        let sink = Sink::start(config, runtime.handle()).unwrap();
        Self { folder, runtime, sink }
    }

    /// Ends it and reads its spans.
    fn spans(self) -> Vec<Span> {
        let report = self.runtime.block_on(self.sink.shutdown(PATIENCE));
        assert_eq!((report.dropped, report.remaining), (0, 0));
        let text = fs::read_to_string(self.folder.path().join("spans.jsonl")).unwrap();
        let traces = text.lines().map(|line| serde_json::from_str::<TracesData>(line).unwrap());
        let scopes = traces.flat_map(|traces| traces.resource_spans).flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

fn named(spans: &[Span], name: &str) -> u64 {
    spans.iter().filter(|span| span.name == name).count() as u64
}

fn local_socket() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").unwrap()
}

/// Sends datagrams and returns the number of flows in them.
fn send(generator: &mut Generator, from: &UdpSocket, to: SocketAddr, datagrams: u64) -> u64 {
    let mut flows = 0;
    for _ in 0..datagrams {
        let datagram = generator.next_datagram();
        flows += u64::from(datagram.flows);
        from.send_to(datagram.bytes, to).unwrap();
    }
    flows
}

fn wait_until(running: &Running, condition: impl Fn(&StatsSnapshot) -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition(&running.stats().snapshot()) {
        assert!(Instant::now() < deadline, "{:?}", running.stats().snapshot());
        thread::sleep(Duration::from_millis(1));
    }
}

fn bind_error(address: SocketAddr) -> String {
    let mut config = config(1);
    config.listen = vec![address];
    let error = Collector::bind(config).unwrap_err();
    assert!(matches!(error, CollectorError::Bind { address: named, .. } if named == address), "{error:?}");
    error.to_string()
}

#[test]
fn a_port_in_use_is_not_shared() {
    let other = local_socket();
    let address = other.local_addr().unwrap();
    assert!(bind_error(address).starts_with(&format!("cannot listen on {address}: Address already in use")));
    // Nor is that of a collector, whose workers share theirs.
    let first = Collector::bind(config(2)).unwrap();
    bind_error(first.addresses()[0]);
}

#[test]
fn an_address_of_another_machine_cannot_be_listened_on() {
    bind_error("192.0.2.1:0".parse().unwrap());
    let mut nowhere = config(1);
    nowhere.listen.clear();
    assert!(matches!(Collector::bind(nowhere), Err(CollectorError::NoAddress)));
}

#[test]
fn every_address_is_received_on() {
    let mut config = config(2);
    config.listen.push("127.0.0.2:0".parse().unwrap());
    let collector = Collector::bind(config).unwrap();
    let addresses = collector.addresses().to_vec();
    assert_eq!(addresses.len(), 2);
    let file = File::new();
    let mut running = collector.start(&file.sink).unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    for to in addresses {
        send(&mut generator, &local_socket(), to, 1);
    }
    wait_until(&running, |stats| stats.datagrams == 2);
    running.stop();
    assert_eq!(named(&file.spans(), "netflow.flow"), 60);
}

#[test]
fn addresses_that_are_not_allowed_are_counted_and_dropped() {
    let mut config = config(1);
    config.exporters.allow = vec!["192.0.2.0/24".parse().unwrap(), "127.0.0.2/32".parse().unwrap()];
    let collector = Collector::bind(config).unwrap();
    let to = collector.addresses()[0];
    let file = File::new();
    let mut running = collector.start(&file.sink).unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    send(&mut generator, &local_socket(), to, 3);
    let flows = send(&mut generator, &UdpSocket::bind("127.0.0.2:0").unwrap(), to, 2);
    wait_until(&running, |stats| stats.datagrams + stats.denied == 5);
    let stats = running.stop();
    assert_eq!((stats.datagrams, stats.denied, stats.records), (2, 3, flows));
    assert_eq!(named(&file.spans(), "netflow.flow"), flows);
}

#[test]
fn every_record_becomes_a_span() {
    for version in [Version::V5, Version::V9, Version::Ipfix] {
        let collector = Collector::bind(config(1)).unwrap();
        let to = collector.addresses()[0];
        let file = File::new();
        let mut running = collector.start(&file.sink).unwrap();
        let mut generator = Generator::new(TrafficConfig::new(version)).unwrap();
        let flows = send(&mut generator, &local_socket(), to, 40);
        wait_until(&running, |stats| stats.datagrams == 40);
        let stats = running.stop();
        assert_eq!((stats.records, stats.issues.iter().sum()), (flows, 0_u64), "{version:?}");
        let spans = file.spans();
        assert_eq!((named(&spans, "netflow.flow"), named(&spans, "netflow.export")), (flows, 40), "{version:?}");
    }
}

/// What had come before the workers began, and so before they were told to stop.
#[test]
fn stop_reads_what_the_kernel_holds() {
    let collector = Collector::bind(config(2)).unwrap();
    let to = collector.addresses()[0];
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    let flows: u64 = (0..20).map(|_| send(&mut generator, &local_socket(), to, 2)).sum();
    let file = File::new();
    let stats = collector.start(&file.sink).unwrap().stop();
    assert_eq!((stats.datagrams, stats.records), (40, flows));
    assert_eq!(named(&file.spans(), "netflow.flow"), flows);
}

/// Sends one datagram after the other until one is refused; each is known to be received before the next, by what is
/// counted of its exporter. Returns how many were received.
fn send_until_refused(exporters: &Exporters, from: &str, to: SocketAddr) -> u64 {
    let socket = UdpSocket::bind((from, 0)).unwrap();
    socket.connect(to).unwrap();
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    let address: IpAddr = from.parse().unwrap();
    let received = || exporters.snapshot().iter().find(|of| of.address == address).map_or(0, |of| of.datagrams);
    for sent in 1.. {
        if socket.send(generator.next_datagram().bytes).is_err() {
            return sent - 1;
        }
        let deadline = Instant::now() + PATIENCE;
        while received() < sent {
            if socket.take_error().unwrap().is_some() {
                return sent - 1;
            }
            assert!(Instant::now() < deadline, "datagram {sent} of {from} was neither received nor refused");
            thread::yield_now();
        }
    }
    unreachable!("it is stopped")
}

/// Whatever arrives while the collector stops: what is not read is refused, so that its sender can know.
#[test]
fn what_comes_during_a_stop_is_received_or_refused() {
    for (round, (listen, senders)) in
        [("127.0.0.1:0", 8), ("0.0.0.0:0", 8), ("[::]:0", 8)].repeat(4).into_iter().enumerate()
    {
        let mut config = config(2);
        config.listen = vec![listen.parse().unwrap()];
        let collector = Collector::bind(config).unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], collector.addresses()[0].port()));
        let file = File::new();
        let mut running = collector.start(&file.sink).unwrap();
        let exporters = running.exporters().clone();
        let sends: Vec<_> = (1..=senders)
            .map(|number| {
                let exporters = exporters.clone();
                thread::spawn(move || send_until_refused(&exporters, &format!("127.0.0.{number}"), to))
            })
            .collect();
        wait_until(&running, |stats| stats.datagrams > 100);
        let stats = running.stop();
        let received: u64 = sends.into_iter().map(|send| send.join().unwrap()).sum();
        assert_eq!((stats.datagrams, stats.kernel_drops), (received, 0), "{round}");
        assert_eq!(named(&file.spans(), "netflow.export"), received);
    }
}

/// Nobody reads while four times what the buffers hold arrives.
#[test]
fn what_a_full_buffer_loses_is_counted() {
    const SENT: u64 = 400;
    let mut config = config(2);
    config.receive_buffer = 60_000;
    let collector = Collector::bind(config).unwrap();
    let to = collector.addresses()[0];
    let mut generator = Generator::new(TrafficConfig::new(Version::V5)).unwrap();
    for _ in 0..SENT {
        send(&mut generator, &local_socket(), to, 1);
    }
    let file = File::new();
    let mut running = collector.start(&file.sink).unwrap();
    let dropped = running.stats().snapshot().kernel_drops;
    let stats = running.stop();
    assert!((200..SENT).contains(&dropped), "{dropped}");
    assert_eq!((stats.datagrams + dropped, stats.kernel_drops), (SENT, dropped));
    assert_eq!(named(&file.spans(), "netflow.export"), stats.datagrams);
}

/// RFC 3954: Templates belong to the exporter's address and Source ID, whatever address of ours it sends to. What the
/// worker of one learns, that of the other has to know.
#[test]
fn workers_share_templates() {
    let mut config = config(1);
    config.listen.push("127.0.0.2:0".parse().unwrap());
    config.pin_workers = true;
    let collector = Collector::bind(config).unwrap();
    let [first, second] = collector.addresses().try_into().unwrap();
    let file = File::new();
    let mut running = collector.start(&file.sink).unwrap();
    let mut traffic = TrafficConfig::new(Version::V9);
    traffic.template_refresh = NonZeroU32::new(1_000).unwrap();
    traffic.flows_per_datagram = NonZeroU16::new(7);
    let mut generator = Generator::new(traffic).unwrap();
    send(&mut generator, &local_socket(), first, 1);
    wait_until(&running, |stats| stats.datagrams == 1);
    send(&mut generator, &local_socket(), second, 32);
    wait_until(&running, |stats| stats.datagrams == 33);
    let stats = running.stop();
    assert_eq!((stats.records, stats.issues.iter().sum()), (33 * 7, 0_u64));
    assert_eq!(named(&file.spans(), "netflow.flow"), 33 * 7);
}
