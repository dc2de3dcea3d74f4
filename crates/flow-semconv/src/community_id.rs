//! Community ID v1: one name for both directions of a conversation, at every exporter.
//!
//! Follows the Community ID flow hashing specification, version 1, with seed 0.

use std::net::IpAddr;

use crate::sha1::{self, LANES};
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

/// The text of a Community ID: `1:` and 28 characters of base64.
#[derive(Clone, Copy, Debug)]
pub struct CommunityId(ShortText);

impl CommunityId {
    /// How many are best made together.
    pub const GROUP: usize = LANES;

    /// Hashes a tuple.
    pub fn new(tuple: &FlowTuple) -> Self {
        let [id, ..] = Self::of_group(&[Some(*tuple), None, None, None]);
        id.unwrap_or(Self(ShortText::EMPTY))
    }

    /// Hashes up to four tuples in little more than the time of one.
    #[inline]
    pub fn of_group(tuples: &[Option<FlowTuple>; Self::GROUP]) -> [Option<Self>; Self::GROUP] {
        let mut blocks = [[0; 16]; LANES];
        for (block, tuple) in blocks.iter_mut().zip(tuples) {
            if let Some(tuple) = tuple {
                message(tuple, block);
            }
        }
        let digests = sha1::digests(&blocks);
        std::array::from_fn(|lane| tuples[lane].map(|_| Self(encode(&digests[lane]))))
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

/// What is hashed, padded: at most 2 + 32 + 2 + 4 bytes, in words.
#[inline]
fn message(tuple: &FlowTuple, block: &mut sha1::Block) {
    let (a_port, b_port, one_way) = match tuple.protocol {
        ICMP => icmp_ports(tuple.ports, ICMP_PAIRS),
        ICMP_V6 => icmp_ports(tuple.ports, ICMP_V6_PAIRS),
        _ => (tuple.ports.0, tuple.ports.1, false),
    };
    let (mut a, mut b) = ((tuple.source, a_port), (tuple.destination, b_port));
    if !one_way && b < a {
        std::mem::swap(&mut a, &mut b);
    }
    // The seed, 0, takes two bytes; so the addresses begin in the middle of a word.
    let mut words = match (a.0, b.0) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let (a, b) = (a.to_bits(), b.to_bits());
            block[0] = a >> 16;
            block[1] = a << 16 | b >> 16;
            block[2] = b << 16;
            2
        }
        (a, b) => {
            let bits = |address| match address {
                IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
                IpAddr::V6(v6) => v6.to_bits(),
            };
            let (a, b) = (bits(a), bits(b));
            for (at, word) in block[..9].iter_mut().enumerate() {
                let half =
                    |bits: u128, at: usize| (bits.checked_shr(112 - 16 * at as u32).unwrap_or(0) & 0xffff) as u32;
                let halves = [0, 1].map(|side| match 2 * at + side {
                    0 | 17 => 0,
                    at @ 1..9 => half(a, at - 1),
                    at => half(b, at - 9),
                });
                *word = halves[0] << 16 | halves[1];
            }
            8
        }
    };
    block[words] |= u32::from(tuple.protocol) << 8;
    words += 1;
    if matches!(tuple.protocol, TCP | UDP | SCTP | ICMP | ICMP_V6) {
        block[words] = u32::from(a.1) << 16 | u32::from(b.1);
        words += 1;
    }
    sha1::pad(block, 4 * words);
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
        CommunityId::new(&tuple).as_str().to_owned()
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
