//! Community ID v1: one name for both directions of a conversation, at every exporter.
//!
//! Follows the Community ID flow hashing specification, version 1, with seed 0.

use std::net::IpAddr;

use fearless_simd::Level;

use crate::sha1::{self, Blocks, Digests, LANES};
use crate::text::ShortText;

/// What a Community ID is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowTuple {
    /// Source address.
    pub source: IpAddr,
    /// Destination address, of the same family.
    pub destination: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Source and destination port, or ICMP type and code; looked at only for TCP, UDP, SCTP and ICMP.
    pub ports: (u16, u16),
}

impl FlowTuple {
    /// Whether ports, or type and code of ICMP, are a part of the Community ID of this protocol.
    pub const fn has_ports(protocol: u8) -> bool {
        matches!(protocol, TCP | UDP | SCTP | ICMP | ICMP_V6)
    }
}

/// The text of a Community ID: `1:` and 28 characters of base64.
#[derive(Clone, Copy, Debug)]
pub struct CommunityId(ShortText);

impl CommunityId {
    /// Hashes a tuple; `None` where the addresses are not of one family.
    pub fn new(tuple: &FlowTuple) -> Option<Self> {
        let FlowTuple { source, destination, protocol, ports } = *tuple;
        let tuple = Tuple::new(source, destination, protocol, ports)?;
        CommunityIds::new(Level::new(), std::iter::once(Some(tuple))).get(0)
    }

    /// The ID as it is written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    #[inline]
    pub(crate) const fn text(&self) -> &ShortText {
        &self.0
    }
}

/// The IDs of a few flows, made together in little more than the time of one.
#[derive(Debug, Default)]
pub(crate) struct CommunityIds {
    digests: Digests,
    /// Which flows have one.
    present: [bool; LANES],
}

impl CommunityIds {
    /// How many are best made together.
    pub(crate) const GROUP: usize = LANES;

    /// Hashes the first [`CommunityIds::GROUP`] tuples.
    #[inline]
    pub(crate) fn new(level: Level, tuples: impl Iterator<Item = Option<Tuple>>) -> Self {
        let mut blocks = [[0; LANES]; 16];
        let mut present = [false; LANES];
        for (lane, tuple) in tuples.take(LANES).enumerate() {
            if let Some(tuple) = tuple {
                message(&tuple, &mut blocks, lane);
                present[lane] = true;
            }
        }
        Self { digests: sha1::digests(level, &blocks), present }
    }

    /// The hash of a flow, by its place in the group: 20 bytes in words.
    #[inline]
    pub(crate) fn digest(&self, flow: usize) -> Option<[u32; 5]> {
        let lane = flow % LANES;
        self.present[lane].then(|| self.digests.map(|words| words[lane]))
    }

    /// The ID of a flow, by its place in the group.
    #[inline]
    pub(crate) fn get(&self, flow: usize) -> Option<CommunityId> {
        self.digest(flow).map(|digest| CommunityId(encode(&digest)))
    }
}

const TCP: u8 = 6;
const UDP: u8 = 17;
const SCTP: u8 = 132;
const ICMP: u8 = 1;
const ICMP_V6: u8 = 58;

/// ICMP types that answer each other; other types have no opposite direction.
const ICMP_PAIRS: &[(u16, u16)] = &[(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
const ICMP_V6_PAIRS: &[(u16, u16)] = &[(128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145)];

/// The "ports" of ICMP: the type and the type of the answer, else type and code of a one-way message.
fn icmp_ports((kind, code): (u16, u16), pairs: &[(u16, u16)]) -> (u16, u16, bool) {
    let answer = pairs.iter().find_map(|&(ask, answer)| match kind {
        _ if kind == ask => Some(answer),
        _ if kind == answer => Some(ask),
        _ => None,
    });
    answer.map_or((kind, code, true), |answer| (kind, answer, false))
}

/// [`FlowTuple`] as it is hashed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuple {
    addresses: Addresses,
    protocol: u8,
    ports: (u16, u16),
}

#[derive(Clone, Copy, Debug)]
enum Addresses {
    Ipv4(u32, u32),
    Ipv6(u128, u128),
}

impl Tuple {
    /// `None` where the addresses are not of one family.
    #[inline]
    pub(crate) fn new(source: IpAddr, destination: IpAddr, protocol: u8, ports: (u16, u16)) -> Option<Self> {
        let addresses = match (source, destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => Addresses::Ipv4(source.to_bits(), destination.to_bits()),
            (IpAddr::V6(source), IpAddr::V6(destination)) => Addresses::Ipv6(source.to_bits(), destination.to_bits()),
            _ => return None,
        };
        Some(Self { addresses, protocol, ports })
    }

    #[inline]
    pub(crate) const fn ipv4(source: u32, destination: u32, protocol: u8, ports: (u16, u16)) -> Self {
        Self { addresses: Addresses::Ipv4(source, destination), protocol, ports }
    }
}

/// What is hashed, padded: at most 2 + 32 + 2 + 4 bytes, in words.
#[inline]
pub(crate) fn message(tuple: &Tuple, blocks: &mut Blocks, lane: usize) {
    let lane = lane % LANES;
    let (a_port, b_port, one_way) = match tuple.protocol {
        ICMP => icmp_ports(tuple.ports, ICMP_PAIRS),
        ICMP_V6 => icmp_ports(tuple.ports, ICMP_V6_PAIRS),
        _ => (tuple.ports.0, tuple.ports.1, false),
    };
    // The seed, 0, takes two bytes; so the addresses begin in the middle of a word.
    let (ports, mut words) = match tuple.addresses {
        Addresses::Ipv4(source, destination) => {
            let swap = !one_way && (destination, b_port) < (source, a_port);
            let (a, b, ports) = ordered(swap, (source, a_port), (destination, b_port));
            blocks[0][lane] = a >> 16;
            blocks[1][lane] = a << 16 | b >> 16;
            blocks[2][lane] = b << 16;
            (ports, 2)
        }
        Addresses::Ipv6(source, destination) => {
            let swap = !one_way && (destination, b_port) < (source, a_port);
            let (a, b, ports) = ordered(swap, (source, a_port), (destination, b_port));
            blocks[0][lane] = (a >> 112) as u32;
            for at in 0..3 {
                blocks[1 + at][lane] = (a >> (80 - 32 * at)) as u32;
                blocks[5 + at][lane] = (b >> (80 - 32 * at)) as u32;
            }
            blocks[4][lane] = (a as u32) << 16 | (b >> 112) as u32;
            blocks[8][lane] = (b as u32) << 16;
            (ports, 8)
        }
    };
    blocks[words][lane] |= u32::from(tuple.protocol) << 8;
    words += 1;
    if FlowTuple::has_ports(tuple.protocol) {
        blocks[words][lane] = ports;
        words += 1;
    }
    sha1::pad(blocks, lane, 4 * words);
}

/// The addresses and both ports in a word, the lower end first.
#[inline]
fn ordered<A>(swap: bool, (source, source_port): (A, u16), (destination, destination_port): (A, u16)) -> (A, A, u32) {
    let ports = |first: u16, second: u16| u32::from(first) << 16 | u32::from(second);
    if swap {
        (destination, source, ports(destination_port, source_port))
    } else {
        (source, destination, ports(source_port, destination_port))
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Two characters for twelve bits, the first in the lower byte.
static PAIRS: [u16; 4096] = {
    let mut pairs = [0; 4096];
    let mut bits = 0;
    while bits < 4096 {
        pairs[bits] = u16::from_le_bytes([ALPHABET[bits >> 6], ALPHABET[bits & 63]]);
        bits += 1;
    }
    pairs
};

/// Base64 with padding (RFC 4648 section 4): 20 bytes are 28 characters, the last of them `=`.
#[inline]
fn encode(digest: &[u32; 5]) -> ShortText {
    let pair = |number: usize| {
        let (word, bit) = (12 * number / 32, 12 * number % 32);
        let after = if word < 4 { digest[word + 1] } else { 0 };
        let window = u64::from(digest[word]) << 32 | u64::from(after);
        u128::from(PAIRS[((window << bit) >> 52) as usize])
    };
    let last = u16::from_le_bytes([ALPHABET[(digest[4] << 2 & 63) as usize], b'=']);
    let mut text = [u128::from(u16::from_le_bytes(*b"1:")), u128::from(last) << 96];
    for number in 0..7 {
        text[0] |= pair(number) << (16 * (number + 1));
    }
    for number in 7..13 {
        text[1] |= pair(number) << (16 * (number - 7));
    }
    ShortText::from_words(text, 30)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(source: &str, destination: &str, protocol: u8, ports: (u16, u16)) -> String {
        let tuple =
            FlowTuple { source: source.parse().unwrap(), destination: destination.parse().unwrap(), protocol, ports };
        CommunityId::new(&tuple).unwrap().as_str().to_owned()
    }

    #[test]
    fn both_directions_of_tcp_meet() {
        let expected = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=";
        assert_eq!(id("128.232.110.120", "66.35.250.204", TCP, (34855, 80)), expected);
        assert_eq!(id("66.35.250.204", "128.232.110.120", TCP, (80, 34855)), expected);
        assert_eq!(id("192.168.1.100", "10.0.0.50", TCP, (443, 52341)), "1:2JFFxeRjMOzIqsGZ6+Us6JP4rV4=");
    }

    /// Vectors of the specification's baseline.
    #[test]
    fn icmp_pairs_meet_and_one_way_messages_do_not() {
        let echo = "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=";
        assert_eq!(id("192.168.0.89", "192.168.0.1", ICMP, (8, 0)), echo);
        assert_eq!(id("192.168.0.1", "192.168.0.89", ICMP, (0, 8)), echo);
        let unreachable = id("192.168.0.89", "192.168.0.1", ICMP, (3, 1));
        assert_ne!(unreachable, id("192.168.0.1", "192.168.0.89", ICMP, (3, 1)));
    }

    /// The bytes of the specification: seed, addresses, protocol, a zero, ports, the lower end first.
    #[test]
    fn what_is_hashed_is_what_the_specification_says() {
        use ::sha1::{Digest, Sha1};
        for (low, high) in [("2001:db8::ff00:42:8329", "2001:db8::ff00:42:832a"), ("10.0.0.1", "172.16.255.254")] {
            let octets = |address: &str| match address.parse().unwrap() {
                IpAddr::V4(v4) => v4.octets().to_vec(),
                IpAddr::V6(v6) => v6.octets().to_vec(),
            };
            for (protocol, ports) in [(UDP, &[0x12, 0x34, 0xab, 0xcd][..]), (47, &[])] {
                let bytes = [&[0, 0][..], &octets(low), &octets(high), &[protocol, 0], ports].concat();
                let digest = Sha1::digest(&bytes);
                let words =
                    std::array::from_fn(|at| u32::from_be_bytes(digest[4 * at..4 * at + 4].try_into().unwrap()));
                assert_eq!(id(high, low, protocol, (0xabcd, 0x1234)), encode(&words).as_str(), "{low} {protocol}");
            }
        }
    }

    #[test]
    fn protocols_without_ports_leave_them_out() {
        let esp = id("10.1.24.4", "10.1.12.1", 50, (1, 2));
        assert_eq!(esp, id("10.1.24.4", "10.1.12.1", 50, (0, 0)));
        assert_ne!(id("10.1.24.4", "10.1.12.1", SCTP, (1, 2)), id("10.1.24.4", "10.1.12.1", SCTP, (0, 0)));
    }
}
