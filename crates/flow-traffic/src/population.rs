//! Who talks to whom: hosts, services, and one flow of theirs.

use crate::exporter::Exporter;
use crate::random::Random;

/// The hosts of one generated network. Addresses are from private, documentation and benchmark ranges (RFC 1918,
/// RFC 5737, RFC 2544, RFC 3849), AS numbers from those of RFC 5398 and RFC 6996.
#[derive(Debug)]
pub(crate) struct Population {
    clients: Popular<Host>,
    servers: Popular<Server>,
}

/// One end of a flow, as the exporter's routing table sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Host {
    pub(crate) v4: [u8; 4],
    pub(crate) v6: [u8; 16],
    pub(crate) as_number: u32,
    pub(crate) v4_mask: u8,
    pub(crate) v6_mask: u8,
}

#[derive(Clone, Copy, Debug)]
struct Server {
    host: Host,
    service: &'static Service,
}

/// One flow as a metering process knows it; a Template chooses what is said of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flow {
    pub(crate) is_v6: bool,
    pub(crate) source: Host,
    pub(crate) destination: Host,
    pub(crate) next_hop: Host,
    pub(crate) ingress_interface: u16,
    pub(crate) egress_interface: u16,
    pub(crate) packets: u32,
    pub(crate) octets: u32,
    /// Unix milliseconds.
    pub(crate) start_ms: u64,
    /// Unix milliseconds.
    pub(crate) end_ms: u64,
    pub(crate) source_port: u16,
    /// ICMP: type x 256 + code.
    pub(crate) destination_port: u16,
    pub(crate) protocol: u8,
    pub(crate) tos: u8,
    pub(crate) tcp_flags: u8,
    /// flowEndReason: 1 idle, 2 active timeout, 3 end of flow.
    pub(crate) end_reason: u8,
    pub(crate) flow_label: u32,
    pub(crate) application: &'static str,
}

impl Flow {
    /// ICMP type and code, 0 for other protocols.
    pub(crate) const fn icmp_type_code(&self) -> u16 {
        if matches!(self.protocol, ICMP | ICMP_V6) { self.destination_port } else { 0 }
    }
}

impl Population {
    pub(crate) fn new(random: &mut Random) -> Self {
        let clients = (0..CLIENTS).map(|number| client(number, random)).collect();
        let servers = (0..SERVERS).map(|number| server(number, random)).collect();
        Self { clients: Popular::new(clients), servers: Popular::new(servers) }
    }

    /// A flow that `exporter` reports at `export_ms` (Unix milliseconds).
    pub(crate) fn flow(&self, random: &mut Random, exporter: &Exporter, export_ms: u64, is_v6: bool) -> Flow {
        let (client_number, client) = self.clients.choose(random);
        let Server { host: server, service } = *self.servers.choose(random).1;
        let to_server = random.percent(50);
        let lan = exporter.lan_interface(client_number);
        let client_port = random.between(32_768, 60_999) as u16;
        let (source_port, destination_port) = service.ports(is_v6, to_server, client_port);
        let protocol = if is_v6 && service.protocol == ICMP { ICMP_V6 } else { service.protocol };
        let (packets, octets) = service.size(random, to_server);
        let (tcp_flags, end_reason) = ending(random, protocol, packets);
        let end_ms = export_ms.saturating_sub(random.below(MAX_EXPORT_DELAY_MS));
        let duration_ms = duration_ms(random, packets);
        let flow_label = if is_v6 { random.below(1 << 20) as u32 } else { 0 };
        let (source, destination) = if to_server { (*client, server) } else { (server, *client) };
        let (ingress_interface, egress_interface) =
            if to_server { (lan, exporter.uplink_interface()) } else { (exporter.uplink_interface(), lan) };
        Flow {
            is_v6,
            source,
            destination,
            next_hop: if to_server { exporter.upstream } else { exporter.downstream },
            ingress_interface,
            egress_interface,
            packets,
            octets,
            start_ms: end_ms.saturating_sub(duration_ms).max(exporter.boot_ms),
            end_ms: end_ms.max(exporter.boot_ms),
            source_port,
            destination_port,
            protocol,
            tos: service.tos,
            tcp_flags,
            end_reason,
            flow_label,
            application: service.application,
        }
    }
}

fn client(number: u64, random: &mut Random) -> Host {
    let number = number as u16;
    let [network, host] = (number + 256).to_be_bytes();
    Host {
        v4: [10, random.below(4) as u8, network, host],
        v6: address_v6(0x0100 + u16::from(network), random.next()),
        as_number: OWN_AS,
        v4_mask: 24,
        v6_mask: 64,
    }
}

fn server(number: u64, random: &mut Random) -> Server {
    let low = random.below(254) as u8 + 1;
    let v4 = match number % 8 {
        0 => [192, 0, 2, low],
        1 => [198, 51, 100, low],
        2 => [203, 0, 113, low],
        _ => [198, 18 + random.below(2) as u8, random.below(256) as u8, low],
    };
    let host = Host {
        v4,
        v6: address_v6(0x8000 + number as u16, random.next()),
        as_number: 64_496 + random.below(16) as u32,
        v4_mask: random.between(16, 24) as u8,
        v6_mask: random.between(32, 48) as u8,
    };
    Server { host, service: service(random) }
}

/// `2001:db8:NETWORK::INTERFACE`, an address of the documentation prefix.
pub(crate) fn address_v6(network: u16, interface: u64) -> [u8; 16] {
    let high = 0x2001_0db8_0000_0000 | u64::from(network) << 16;
    (u128::from(high) << 64 | u128::from(interface)).to_be_bytes()
}

fn service(random: &mut Random) -> &'static Service {
    let mut left = random.below(SERVICES.iter().map(|service| service.weight).sum());
    for service in SERVICES {
        if left < service.weight {
            return service;
        }
        left -= service.weight;
    }
    &SERVICES[0]
}

/// TCP flags and the reason why the flow was reported. A flow of few packets is a refused or cut connection; one in
/// eight is reported while it goes on.
fn ending(random: &mut Random, protocol: u8, packets: u32) -> (u8, u8) {
    match (protocol, packets) {
        (TCP, 1) => ([SYN, RST | ACK][random.below(2) as usize], IDLE),
        (TCP, 2) => (SYN | ACK, IDLE),
        (TCP, _) => match random.below(8) {
            0 => (PSH | ACK, ACTIVE),
            1 => (SYN | RST | PSH | ACK, END),
            _ => (FIN | SYN | PSH | ACK, END),
        },
        _ => (0, if packets > 100 { ACTIVE } else { IDLE }),
    }
}

/// More packets take longer; one takes no time.
fn duration_ms(random: &mut Random, packets: u32) -> u64 {
    let gap_ms = random.between(1, 60);
    (u64::from(packets - 1) * gap_ms).min(MAX_DURATION_MS)
}

/// Things of falling popularity: the n-th is chosen 1/n as often as the first (Zipf).
#[derive(Debug)]
struct Popular<T> {
    items: Vec<T>,
    /// Running sums of the weights.
    sums: Vec<u64>,
}

impl<T> Popular<T> {
    fn new(items: Vec<T>) -> Self {
        let mut sum = 0;
        let sums = (1..=items.len() as u64)
            .map(|rank| {
                sum += (1 << 32) / rank;
                sum
            })
            .collect();
        Self { items, sums }
    }

    /// An item and its rank, from 0.
    fn choose(&self, random: &mut Random) -> (usize, &T) {
        let point = random.below(self.sums.last().copied().unwrap_or(0));
        let rank = self.sums.partition_point(|sum| *sum <= point);
        (rank, &self.items[rank])
    }
}

/// What a server offers, and how its flows look.
#[derive(Debug)]
struct Service {
    application: &'static str,
    protocol: u8,
    port: u16,
    /// How many servers offer it, relative to the others.
    weight: u64,
    /// Exponents of the least and the most packets, as in [`Random::heavy_tailed`].
    packets: (u32, u32),
    /// Bytes of a packet to the server, from and to.
    request: (u64, u64),
    /// Bytes of a packet from the server, from and to.
    response: (u64, u64),
    tos: u8,
}

impl Service {
    /// Source and destination port.
    const fn ports(&self, is_v6: bool, to_server: bool, client_port: u16) -> (u16, u16) {
        match (self.protocol, is_v6, to_server) {
            (ICMP, false, true) => (0, 8 << 8),
            (ICMP, false, false) => (0, 0),
            (ICMP, true, true) => (0, 128 << 8),
            (ICMP, true, false) => (0, 129 << 8),
            (_, _, true) => (client_port, self.port),
            (_, _, false) => (self.port, client_port),
        }
    }

    /// Packets and bytes of a flow.
    fn size(&self, random: &mut Random, to_server: bool) -> (u32, u32) {
        let packets = random.heavy_tailed(self.packets.0, self.packets.1);
        let (low, high) = match (self.protocol, packets) {
            (TCP, ..=2) => (40, 60), // no data: refused or never answered
            _ if to_server => self.request,
            _ => self.response,
        };
        let mean = random.between(low, high);
        let noise = random.below(packets.min(high - mean + 1));
        (packets as u32, (packets * mean + noise) as u32)
    }
}

const fn tcp(
    application: &'static str,
    port: u16,
    weight: u64,
    packets: (u32, u32),
    request: (u64, u64),
    response: (u64, u64),
    tos: u8,
) -> Service {
    Service { application, protocol: TCP, port, weight, packets, request, response, tos }
}

const fn udp(
    application: &'static str,
    port: u16,
    weight: u64,
    packets: (u32, u32),
    request: (u64, u64),
    response: (u64, u64),
    tos: u8,
) -> Service {
    Service { application, protocol: UDP, port, weight, packets, request, response, tos }
}

static SERVICES: &[Service] = &[
    tcp("https", 443, 40, (0, 15), (52, 400), (400, 1_460), 0),
    udp("quic", 443, 15, (2, 14), (60, 300), (600, 1_350), 0),
    udp("dns", 53, 15, (0, 1), (56, 90), (80, 480), 0),
    tcp("http", 80, 8, (0, 13), (52, 350), (300, 1_460), 0),
    tcp("ssh", 22, 5, (2, 12), (52, 180), (60, 260), 0x10),
    udp("ntp", 123, 4, (0, 0), (76, 76), (76, 76), 0),
    tcp("smtp", 25, 3, (3, 9), (60, 1_000), (52, 120), 0),
    tcp("imaps", 993, 3, (2, 8), (52, 160), (80, 900), 0),
    tcp("postgres", 5432, 3, (1, 11), (60, 300), (80, 1_200), 0x48),
    udp("stun", 3478, 2, (1, 12), (100, 200), (100, 220), 0xb8),
    udp("syslog", 514, 1, (0, 6), (90, 500), (90, 500), 0x20),
    Service {
        application: "icmp",
        protocol: ICMP,
        port: 0,
        weight: 4,
        packets: (0, 4),
        request: (84, 84),
        response: (84, 84),
        tos: 0,
    },
];

/// Longest `application` of a service.
pub(crate) const MAX_APPLICATION: usize = 8;

const CLIENTS: u64 = 1_000;
const SERVERS: u64 = 200;
pub(crate) const OWN_AS: u32 = 64_512;
const MAX_EXPORT_DELAY_MS: u64 = 15_000;
const MAX_DURATION_MS: u64 = 60_000;

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const PSH: u8 = 0x08;
const ACK: u8 = 0x10;

const IDLE: u8 = 1;
const ACTIVE: u8 = 2;
const END: u8 = 3;
