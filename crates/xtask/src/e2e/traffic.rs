//! A packet capture of plausible traffic, for real exporters to meter.
//!
//! Addresses come from the private and documentation ranges only. The same seed and start give the same bytes.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use etherparse::{IcmpEchoHeader, Icmpv4Type, Icmpv6Type, IpFragOffset, IpHeaders, IpNumber, Ipv4Header, Ipv6Header};
use etherparse::{PacketBuilder, icmpv4, icmpv6};

use super::pcap::Frame;

/// How long the traffic lasts, first frame to last.
pub(super) const DURATION: Duration = Duration::from_secs(30);

const CLIENT_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0a];
const ROUTER_MAC: [u8; 6] = [0x02, 0, 0, 0, 0, 0x0b];

/// Frames of about 250 unidirectional flows: TCP connections from SYN to FIN, DNS and other UDP, echo, errors of
/// ICMP, neighbour discovery, fragments and portless protocols, a third of it over IPv6.
///
/// # Errors
///
/// When a packet cannot be built, which would be a mistake in this module.
pub(super) fn frames(start: SystemTime, seed: u64) -> anyhow::Result<Vec<Frame>> {
    let mut traffic = Traffic { start, rng: fastrand::Rng::with_seed(seed), frames: Vec::new() };
    for host in 0..36 {
        traffic.tcp_connection(Pair::v4(1, host), host)?;
    }
    for host in 0..14 {
        traffic.tcp_connection(Pair::v6(1, host), host)?;
    }
    for host in 0..24 {
        traffic.datagrams(Pair::v4(2, host), 53, 1)?;
        traffic.datagrams(Pair::v6(2, host), [53, 443][usize::from(host % 2)], 1 + usize::from(host % 3))?;
    }
    for host in 0..8 {
        traffic.datagrams(Pair::v4(3, host), [123, 443, 4789, 5060][usize::from(host % 4)], 3)?;
        traffic.echo(Pair::v4(4, host))?;
        traffic.echo(Pair::v6(4, host))?;
    }
    for host in 0..4 {
        traffic.unreachable(Pair::v4(5, host))?;
        traffic.neighbour_solicitation(Pair::v6(5, host))?;
        traffic.fragments(Pair::v4(6, host), u16::from(host))?;
        traffic.portless(Pair::v4(7, host), [47, 50, 89, 103][usize::from(host)])?;
    }
    traffic.frames.sort_by_key(|frame| frame.at);
    Ok(traffic.frames)
}

/// Two ends of one address family; `reversed` swaps them.
#[derive(Clone, Copy)]
enum Pair {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, Ipv6Addr),
}

impl Pair {
    fn v4(net: u8, host: u8) -> Self {
        let servers = [Ipv4Addr::new(192, 0, 2, 53), Ipv4Addr::new(198, 51, 100, 7), Ipv4Addr::new(203, 0, 113, 80)];
        Self::V4(Ipv4Addr::new(10, net, host / 4, host + 1), servers[usize::from((net + host) % 3)])
    }

    fn v6(net: u8, host: u8) -> Self {
        let client = Ipv6Addr::new(0x2001, 0xdb8, net.into(), 0, 0, 0, 0, u16::from(host) + 1);
        Self::V6(client, Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x50 + u16::from(host % 3)))
    }

    fn reversed(self) -> Self {
        match self {
            Self::V4(a, b) => Self::V4(b, a),
            Self::V6(a, b) => Self::V6(b, a),
        }
    }

    fn headers(self, traffic_class: u8) -> IpHeaders {
        match self {
            Self::V4(source, destination) => {
                let mut header = Ipv4Header {
                    time_to_live: 62,
                    source: source.octets(),
                    destination: destination.octets(),
                    ..Ipv4Header::default()
                };
                (header.dscp, header.ecn) = split_traffic_class(traffic_class);
                IpHeaders::Ipv4(header, Default::default())
            }
            Self::V6(source, destination) => IpHeaders::Ipv6(
                Ipv6Header {
                    traffic_class,
                    hop_limit: 62,
                    source: source.octets(),
                    destination: destination.octets(),
                    ..Ipv6Header::default()
                },
                Default::default(),
            ),
        }
    }
}

fn split_traffic_class(traffic_class: u8) -> (etherparse::IpDscp, etherparse::IpEcn) {
    let dscp = etherparse::IpDscp::try_new(traffic_class >> 2).unwrap_or(etherparse::IpDscp::ZERO);
    let ecn = etherparse::IpEcn::try_new(traffic_class & 3).unwrap_or(etherparse::IpEcn::ZERO);
    (dscp, ecn)
}

struct Traffic {
    start: SystemTime,
    rng: fastrand::Rng,
    frames: Vec<Frame>,
}

/// Which end of a connection speaks, and what it sets.
struct Segment {
    from_client: bool,
    flags: &'static str,
    payload: usize,
}

impl Traffic {
    /// A moment that leaves room for a conversation before the end.
    fn moment(&mut self) -> SystemTime {
        let latest = (DURATION - Duration::from_secs(6)).as_micros() as u64;
        self.start + Duration::from_micros(self.rng.u64(..latest))
    }

    fn pause(&mut self) -> Duration {
        Duration::from_micros(self.rng.u64(700..90_000))
    }

    fn ip(pair: Pair, traffic_class: u8) -> etherparse::PacketBuilderStep<IpHeaders> {
        PacketBuilder::ethernet2(CLIENT_MAC, ROUTER_MAC).ip(pair.headers(traffic_class))
    }

    fn tcp_connection(&mut self, pair: Pair, host: u8) -> anyhow::Result<()> {
        let client_port = 40_000 + u16::from(host) * 7 + self.rng.u16(..7);
        let server_port = [443, 80, 22, 25, 8080][usize::from(host % 5)];
        let traffic_class = [0, 0, 0x28, 0xb8][usize::from(host % 4)];
        let mut segments = vec![
            Segment { from_client: true, flags: "S", payload: 0 },
            Segment { from_client: false, flags: "SA", payload: 0 },
            Segment { from_client: true, flags: "A", payload: 0 },
        ];
        for _ in 0..self.rng.usize(1..5) {
            segments.push(Segment { from_client: true, flags: "PA", payload: self.rng.usize(20..400) });
            segments.push(Segment { from_client: false, flags: "PA", payload: self.rng.usize(100..1400) });
        }
        if host.is_multiple_of(9) {
            segments.push(Segment { from_client: false, flags: "RA", payload: 0 });
        } else {
            segments.push(Segment { from_client: true, flags: "FA", payload: 0 });
            segments.push(Segment { from_client: false, flags: "FA", payload: 0 });
            segments.push(Segment { from_client: true, flags: "A", payload: 0 });
        }
        let mut at = self.moment();
        let (mut client_sequence, mut server_sequence) = (self.rng.u32(..), self.rng.u32(..));
        for segment in segments {
            let Segment { from_client, flags, payload } = segment;
            let mut header = if from_client {
                etherparse::TcpHeader::new(client_port, server_port, client_sequence, 64_240)
            } else {
                etherparse::TcpHeader::new(server_port, client_port, server_sequence, 65_160)
            };
            header.syn = flags.contains('S');
            header.fin = flags.contains('F');
            header.rst = flags.contains('R');
            header.psh = flags.contains('P');
            header.ack = flags.contains('A');
            if header.ack {
                header.acknowledgment_number = if from_client { server_sequence } else { client_sequence };
            }
            let advance = payload as u32 + u32::from(header.syn) + u32::from(header.fin);
            let sequence = if from_client { &mut client_sequence } else { &mut server_sequence };
            *sequence = sequence.wrapping_add(advance);
            let direction = if from_client { pair } else { pair.reversed() };
            let builder = Self::ip(direction, traffic_class).tcp_header(header);
            self.push(at, payload, |out, payload| builder.write(out, payload))?;
            at += self.pause();
        }
        Ok(())
    }

    /// `exchanges` requests and answers between two UDP ports.
    fn datagrams(&mut self, pair: Pair, server_port: u16, exchanges: usize) -> anyhow::Result<()> {
        let client_port = self.rng.u16(49_152..);
        let mut at = self.moment();
        for _ in 0..exchanges {
            let (request, answer) = (self.rng.usize(30..120), self.rng.usize(60..900));
            let builder = Self::ip(pair, 0).udp(client_port, server_port);
            self.push(at, request, |out, payload| builder.write(out, payload))?;
            at += self.pause();
            let builder = Self::ip(pair.reversed(), 0).udp(server_port, client_port);
            self.push(at, answer, |out, payload| builder.write(out, payload))?;
            at += self.pause();
        }
        Ok(())
    }

    fn echo(&mut self, pair: Pair) -> anyhow::Result<()> {
        let id = self.rng.u16(..);
        let mut at = self.moment();
        for seq in 0..3 {
            let header = IcmpEchoHeader { id, seq };
            for (direction, reply) in [(pair, false), (pair.reversed(), true)] {
                let ip = Self::ip(direction, 0);
                if matches!(pair, Pair::V4(..)) {
                    let request_or_reply = if reply { Icmpv4Type::EchoReply } else { Icmpv4Type::EchoRequest };
                    let builder = ip.icmpv4(request_or_reply(header));
                    self.push(at, 56, |out, payload| builder.write(out, payload))?;
                } else {
                    let request_or_reply = if reply { Icmpv6Type::EchoReply } else { Icmpv6Type::EchoRequest };
                    let builder = ip.icmpv6(request_or_reply(header));
                    self.push(at, 56, |out, payload| builder.write(out, payload))?;
                }
                at += Duration::from_millis(11);
            }
            at += Duration::from_secs(1);
        }
        Ok(())
    }

    /// A router says that a port cannot be reached: type 3 code 3, neither of them zero.
    fn unreachable(&mut self, pair: Pair) -> anyhow::Result<()> {
        let at = self.moment();
        let builder = Self::ip(pair.reversed(), 0xc0)
            .icmpv4(Icmpv4Type::DestinationUnreachable(icmpv4::DestUnreachableHeader::Port));
        self.push(at, 28, |out, payload| builder.write(out, payload))
    }

    fn neighbour_solicitation(&mut self, pair: Pair) -> anyhow::Result<()> {
        let at = self.moment();
        let builder = Self::ip(pair, 0).icmpv6_raw(icmpv6::TYPE_NEIGHBOR_SOLICITATION, 0, [0; 4]);
        self.push(at, 24, |out, payload| builder.write(out, payload))
    }

    /// One UDP datagram in two fragments; only the first has ports.
    fn fragments(&mut self, pair: Pair, identification: u16) -> anyhow::Result<()> {
        const FIRST_FRAGMENT_LEN: usize = 1480;
        const SECOND_FRAGMENT_LEN: usize = 600;
        let mut at = self.moment();
        let udp_len = (FIRST_FRAGMENT_LEN + SECOND_FRAGMENT_LEN) as u16;
        let mut payload = vec![0x75; FIRST_FRAGMENT_LEN];
        payload[0..2].copy_from_slice(&(50_000 + identification).to_be_bytes());
        payload[2..4].copy_from_slice(&2049u16.to_be_bytes());
        payload[4..6].copy_from_slice(&udp_len.to_be_bytes());
        payload[6..8].fill(0); // no checksum
        for (offset, len, more) in [(0, FIRST_FRAGMENT_LEN, true), (FIRST_FRAGMENT_LEN, SECOND_FRAGMENT_LEN, false)] {
            let mut headers = pair.headers(0);
            if let IpHeaders::Ipv4(header, _) = &mut headers {
                header.identification = 0x4e00 + identification;
                header.dont_fragment = false;
                header.more_fragments = more;
                header.fragment_offset = IpFragOffset::try_new((offset / 8) as u16)?;
            }
            let mut bytes = Vec::new();
            PacketBuilder::ethernet2(CLIENT_MAC, ROUTER_MAC)
                .ip(headers)
                .write(&mut bytes, IpNumber::UDP, &payload[..len])
                .context("build a fragment")?;
            self.frames.push(Frame { at, bytes });
            at += Duration::from_micros(40);
        }
        Ok(())
    }

    fn portless(&mut self, pair: Pair, protocol: u8) -> anyhow::Result<()> {
        let mut at = self.moment();
        for _ in 0..2 {
            let builder = Self::ip(pair, 0xc0);
            self.push(at, 64, |out, payload| builder.write(out, IpNumber(protocol), payload))?;
            at += self.pause();
        }
        Ok(())
    }

    fn push<E>(
        &mut self,
        at: SystemTime,
        payload_len: usize,
        write: impl FnOnce(&mut Vec<u8>, &[u8]) -> Result<(), E>,
    ) -> anyhow::Result<()>
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let mut payload = vec![0; payload_len];
        self.rng.fill(&mut payload);
        let mut bytes = Vec::with_capacity(payload_len + 74);
        write(&mut bytes, &payload).context("build a packet")?;
        self.frames.push(Frame { at, bytes });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_gives_the_same_frames_in_order_of_time() {
        let start = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let frames = frames(start, 1).unwrap();
        assert!(frames.len() > 500, "{}", frames.len());
        assert_eq!(frames, super::frames(start, 1).unwrap());
        assert_ne!(frames, super::frames(start, 2).unwrap());
        assert!(frames.is_sorted_by_key(|frame| frame.at));
        assert!(frames.iter().all(|frame| frame.at >= start && frame.at < start + DURATION));
    }
}
