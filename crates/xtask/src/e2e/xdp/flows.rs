//! Flows of our program, as spans: what was sent, byte for byte and packet for packet.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail, ensure};
use testkit::otlp_server::Span;
use xdp_counters::program::{AttachMode, AttachOptions, DEFAULT_FLOWS, TURN_MAP, attach, detach_pinned};

use super::lab::{INTERFACE, Lab, output, run as run_words};
use super::points::Points;
use crate::e2e::process::{Child, wait_until};
use crate::e2e::receiver::Receiver;
use crate::e2e::{Bench, compare};

/// Where packets are counted, which takes them or not.
const COUNTED: &str = "198.51.100.9";
const SENDER: &str = "198.51.100.10:0";
/// Headers of IPv4 and UDP.
const UDP_HEADERS: u64 = 28;
/// How long packets are sent at full speed, over several intervals.
const LOAD: Duration = Duration::from_secs(4);
const UDP_FLOWS: usize = 300;
const CONNECTIONS: usize = 50;
const PATIENCE: Duration = Duration::from_secs(120);

/// Packets, bytes from the IP header on, and TCP flags.
type Flow = (u64, u64, u8);

/// UDP of many flows at full speed and TCP connections, while our command takes flows out each interval, by pins and by
/// interface, and behind a program that is full.
///
/// # Errors
///
/// When a span is missing, says something else than the sender, or comes twice.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let lab = Lab::named(&bench.folder, "flows")?;
    Ok(vec![
        exact(bench, &lab, Way::Pins).context("by pins")?,
        exact(bench, &lab, Way::Interface).context("by interface")?,
        full(bench, &lab)?,
        ends(bench, &lab)?,
        goes(bench, &lab)?,
        metrics_refused(bench, &lab)?,
    ])
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Pins,
    Interface,
}

/// Our command that takes flows out of the program on the counted interface.
struct Exporter {
    child: Child,
    receiver: Receiver,
}

impl Exporter {
    fn start(bench: &Bench, lab: &Lab, way: Way, pins: &Path, interval: &str) -> anyhow::Result<Self> {
        // It and the receiver have to see each other.
        let listen = || TcpListener::bind("127.0.0.1:0").context("find a free TCP port");
        let listener = if way == Way::Pins { listen()? } else { lab.inside(listen)? };
        let receiver = Receiver::start_on(listener)?;
        let (map, flows) = match way {
            Way::Pins => (format!("pin={}/xdp_stats_map", pins.display()), format!("pin={}", pins.display())),
            Way::Interface => (format!("iface={INTERFACE}/xdp_stats_map"), format!("iface={INTERFACE}")),
        };
        let mut command = match way {
            Way::Pins => Command::new(&bench.netflow2traces),
            Way::Interface => lab.command_inside(&bench.netflow2traces),
        };
        command.args(["xdp", "--fail-on-missing", "--map", &map, "--flows", &flows, "--interval", interval]);
        command.args(["--otel-endpoint", &receiver.address().to_string()]).env("NETFLOW_QUEUE_MEMORY", "64MiB");
        let child = Child::spawn(command, &bench.folder.join(format!("xdp-flows-{way:?}.log")))?;
        wait_until("the exporter runs", PATIENCE, || {
            Ok(child.log_text().contains("XDP OpenTelemetry exporter running").then_some(()))
        })?;
        Ok(Self { child, receiver })
    }

    /// Ends it; the spans of flows that arrived, and all that did.
    fn finish(mut self) -> anyhow::Result<(Vec<Span>, Receiver)> {
        self.child.terminate()?;
        let status = self.child.wait(PATIENCE)?;
        ensure!(status.success(), "it ended with {status}, see {}", self.child.log().display());
        let spans = self.receiver.spans();
        Ok((spans.into_iter().filter(|span| span.name == "netflow.flow").collect(), self.receiver))
    }
}

fn put(lab: &Lab, pins: &Path, flows: NonZeroU32) -> anyhow::Result<()> {
    let options = AttachOptions { pin: Some(pins.to_owned()), flows: Some(flows), ..AttachOptions::default() };
    lab.inside(|| Ok(attach(INTERFACE, AttachMode::Drv, &options).map(drop)?))
}

/// Tries again where frames were dropped between the interfaces, which the sender hears nothing of.
fn exact(bench: &Bench, lab: &Lab, way: Way) -> anyhow::Result<String> {
    for _ in 0..3 {
        let dropped = lab.dropped()?;
        let outcome = exact_if_none_is_dropped(bench, lab, way);
        if lab.dropped()? == dropped {
            return outcome;
        }
    }
    bail!("frames were dropped between the interfaces, each time");
}

fn exact_if_none_is_dropped(bench: &Bench, lab: &Lab, way: Way) -> anyhow::Result<String> {
    let pins = lab.pins.join("flows");
    put(lab, &pins, DEFAULT_FLOWS)?;
    let before = lab.sent_by_interface()?;
    let exporter = Exporter::start(bench, lab, way, &pins, "0.5")?;
    let connections = connections(lab)?;
    let udp = udp(lab)?;
    let (spans, _) = exporter.finish()?;
    let after = lab.sent_by_interface()?;
    detach_pinned(&pins)?;

    let mut found: BTreeMap<u16, Flow> = BTreeMap::new();
    let (mut tcp, mut packets, mut bytes) = (BTreeMap::<u16, Flow>::new(), 0, 0);
    for span in &spans {
        let record = compare::record(span, 0, 0)?;
        let port = record.sport.context("a flow without a port")? as u16;
        let flow = (
            record.packets.unwrap_or(0),
            record.bytes.unwrap_or(0),
            compare::integer(span, "netflow.tcp_flags")?.unwrap_or(0),
        );
        ensure!(record.src.is_some_and(|address| SENDER.starts_with(&address.to_string())), "{record:?}");
        let flows = if record.proto == Some(6) { &mut tcp } else { &mut found };
        let sum = flows.entry(port).or_default();
        *sum = (sum.0 + flow.0, sum.1 + flow.1, sum.2 | flow.2);
        (packets, bytes) = (packets + flow.0, bytes + flow.1);
    }
    let wrong = udp.iter().find(|(port, flow)| found.get(port) != Some(flow));
    ensure!(wrong.is_none(), "sent {wrong:?}, found {:?}", wrong.map(|(port, _)| found.get(port)));
    ensure!(found.len() == udp.len(), "{} UDP flows for {} that were sent", found.len(), udp.len());
    // SYN, ACK, PSH and FIN.
    let connected: Vec<_> = tcp.iter().filter(|(_, flow)| flow.2 == 0x1b).map(|(port, _)| *port).collect();
    ensure!(connected == connections, "connections from {connections:?}, found {tcp:?}");
    let of_interface = [after[0] - before[0], after[1] - before[1]];
    let of_flows = [packets, bytes];
    ensure!(of_flows == of_interface, "{of_flows:?} packets and bytes, the interface sent {of_interface:?}");
    let several = spans.len() - found.len() - tcp.len();
    ensure!(several > UDP_FLOWS, "flows were taken out once only");
    Ok(format!(
        "{way:?}: {packets} packets and {bytes} bytes of {} flows in {} spans, equal to the sender's account",
        found.len() + tcp.len(),
        spans.len()
    ))
}

/// Datagrams of any length from many ports, at full speed; what was sent from each.
fn udp(lab: &Lab) -> anyhow::Result<BTreeMap<u16, Flow>> {
    lab.there(|| {
        let sockets = (0..UDP_FLOWS).map(|_| UdpSocket::bind(SENDER)).collect::<Result<Vec<_>, _>>()?;
        let mut random = fastrand::Rng::with_seed(7);
        let mut sent: BTreeMap<u16, Flow> = BTreeMap::new();
        let to: SocketAddr = SocketAddr::new(COUNTED.parse()?, 9);
        let end = Instant::now() + LOAD;
        while Instant::now() < end {
            let socket = &sockets[random.usize(..sockets.len())];
            let payload = random.usize(1..1_400);
            socket.send_to(&[0; 1_400][..payload], to)?;
            let flow = sent.entry(socket.local_addr()?.port()).or_default();
            *flow = (flow.0 + 1, flow.1 + payload as u64 + UDP_HEADERS, 0);
        }
        Ok(sent)
    })
}

/// Connections that say something and are closed; the ports they came from.
fn connections(lab: &Lab) -> anyhow::Result<Vec<u16>> {
    let listener = lab.inside(|| Ok(TcpListener::bind((COUNTED, 0))?))?;
    let to = listener.local_addr()?;
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            for stream in listener.incoming().take(CONNECTIONS) {
                let (mut stream, mut all) = (stream?, Vec::new());
                stream.read_to_end(&mut all)?;
                ensure!(all == b"what there is to say");
            }
            Ok(())
        });
        let ports = lab.there(|| {
            let mut ports = Vec::new();
            for _ in 0..CONNECTIONS {
                let mut stream = TcpStream::connect(to)?;
                ports.push(stream.local_addr()?.port());
                stream.write_all(b"what there is to say")?;
                stream.shutdown(std::net::Shutdown::Write)?;
                // The end of the other side, and with it the last packet of this one.
                stream.read_to_end(&mut Vec::new())?;
            }
            ports.sort_unstable();
            Ok(ports)
        })?;
        server.join().map_err(|_| anyhow!("the server panicked"))??;
        Ok(ports)
    })
}

/// A program without room for all flows: the log and a metric say so.
fn full(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const FLOWS: u64 = 1_000;
    let pins = lab.pins.join("flows");
    put(lab, &pins, NonZeroU32::new(100).context("not zero")?)?;
    let exporter = Exporter::start(bench, lab, Way::Pins, &pins, "0.5")?;
    lab.there(|| {
        for _ in 0..FLOWS {
            UdpSocket::bind(SENDER)?.send_to(&[0], (COUNTED, 9))?;
        }
        Ok(())
    })?;
    let log = exporter.child.log().to_owned();
    let (spans, receiver) = exporter.finish()?;
    detach_pinned(&pins)?;
    let missed = Points::of(&receiver, "xdp.exporter.packets.missed").values().last().copied().context("no metric")?;
    let log = fs::read_to_string(log)?;
    ensure!(log.contains("the map of flows was full"), "nothing was said of it: {log}");
    // A port may come twice.
    let packets = packets(&spans)?;
    ensure!(packets + missed as u64 == FLOWS, "{packets} packets in spans, {missed} missed of {FLOWS}");
    Ok(format!("room for 100: {} of {FLOWS} flows were left, and {missed} packets are said to be missing", spans.len()))
}

fn packets(spans: &[Span]) -> anyhow::Result<u64> {
    let packets = spans.iter().map(|span| {
        let packets: Option<u64> = compare::integer(span, "netflow.flow.packets")?;
        packets.context("a flow without packets")
    });
    packets.sum()
}

/// The end of an exporter takes what is there; what comes between that and the end of the program is lost, and counted.
fn ends(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const TAKEN: u64 = 100;
    let pins = lab.pins.join("flows");
    for (is_taken_off_before, lost) in [(false, 7), (false, 0), (true, 0)] {
        put(lab, &pins, DEFAULT_FLOWS)?;
        // No interval passes: its end alone takes flows.
        let exporter = Exporter::start(bench, lab, Way::Pins, &pins, "3600")?;
        lab.send(TAKEN)?;
        if is_taken_off_before {
            // Docs say it: then nothing comes between.
            run_words(&format!("bpftool link detach pinned {}", pins.join("link").display()))?;
            lab.send(TAKEN)?;
        }
        let taken = packets(&exporter.finish()?.0)?;
        ensure!(taken == TAKEN, "{taken} packets in spans of {TAKEN}, taken off before: {is_taken_off_before}");
        lab.send(lost)?;
        let mut detach = Command::new(&bench.netflow2traces);
        let said = String::from_utf8(output(detach.args(["xdp", "detach", "--pin"]).arg(&pins))?)?;
        let mut expected = format!("took away what was pinned to {}\n", pins.display());
        if lost > 0 {
            expected += &format!("  lost:   {lost} packets in 1 flows that nobody took out\n");
        }
        ensure!(said == expected, "{said:?}, not {expected:?}");
    }
    Ok("the exporter's end takes what is there; detach counts what came after, and with the program off first nothing did"
        .to_owned())
}

/// Flows that go end the exporter though its map of counters stays, after what it took has arrived.
fn goes(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const TAKEN: u64 = 100;
    let pins = lab.pins.join("flows");
    put(lab, &pins, DEFAULT_FLOWS)?;
    lab.send(TAKEN)?;
    let mut exporter = Exporter::start(bench, lab, Way::Pins, &pins, "0.5")?;
    fs::remove_file(pins.join(TURN_MAP))?;
    let status = exporter.child.wait(PATIENCE)?;
    let log = exporter.child.log_text();
    let error = format!("error: cannot take flows of pin={}: there is no map pinned to", pins.display());
    ensure!(status.code() == Some(1) && log.contains(&error), "it ended with {status} and says {log}");
    let spans: Vec<_> = exporter.receiver.spans().into_iter().filter(|span| span.name == "netflow.flow").collect();
    let taken = packets(&spans)?;
    ensure!(taken == TAKEN, "{taken} packets in spans of {TAKEN}");
    let up = Points::of(&exporter.receiver, "xdp.exporter.flows.up").values();
    ensure!(up.first() == Some(&1.0) && up.last() == Some(&0.0), "xdp.exporter.flows.up is {up:?}");
    detach_pinned(&pins)?;
    Ok("flows that go end the exporter, which delivers what it took before".to_owned())
}

/// Metrics that cannot be exported end the exporter at its start, after the flows that it has taken out by then have arrived.
fn metrics_refused(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const TAKEN: u64 = 100;
    let pins = lab.pins.join("flows");
    put(lab, &pins, DEFAULT_FLOWS)?;
    lab.send(TAKEN)?;
    let receiver = Receiver::start()?;
    let mut command = Command::new(&bench.netflow2traces);
    let (map, flows) = (format!("pin={}/xdp_stats_map", pins.display()), format!("pin={}", pins.display()));
    command.args(["xdp", "--map", &map, "--flows", &flows]);
    command.env("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", format!("http://{}", receiver.address()));
    command.env("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://localhost:1");
    command.env("OTEL_EXPORTER_OTLP_METRICS_CERTIFICATE", "/no/such/file.pem");
    let mut child = Child::spawn(command, &bench.folder.join("xdp-flows-refused.log"))?;
    let status = child.wait(PATIENCE)?;
    let log = child.log_text();
    ensure!(status.code() == Some(1) && log.contains("/no/such/file.pem"), "it ended with {status} and says {log}");
    let spans: Vec<_> = receiver.spans().into_iter().filter(|span| span.name == "netflow.flow").collect();
    let taken = packets(&spans)?;
    ensure!(taken == TAKEN, "{taken} packets in spans of {TAKEN}");
    detach_pinned(&pins)?;
    Ok("metrics that cannot be exported lose no flows".to_owned())
}
