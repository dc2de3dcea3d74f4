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
        let mut blocks = [[0; 64]; LANES];
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

/// What is hashed, padded: at most 2 + 32 + 2 + 4 bytes.
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
    let mut len = 2; // the seed, 0

    for (address, _) in [a, b] {
        match address {
            IpAddr::V4(v4) => {
                block[len..len + 4].copy_from_slice(&v4.octets());
                len += 4;
            }
            IpAddr::V6(v6) => {
                block[len..len + 16].copy_from_slice(&v6.octets());
                len += 16;
            }
        }
    }
    block[len] = tuple.protocol;
    len += 2;
    if matches!(tuple.protocol, TCP | UDP | SCTP | ICMP | ICMP_V6) {
        block[len..len + 2].copy_from_slice(&a.1.to_be_bytes());
        block[len + 2..len + 4].copy_from_slice(&b.1.to_be_bytes());
        len += 4;
    }
    sha1::pad(block, len);
}

/// Base64 with padding (RFC 4648 section 4): 20 bytes are 28 characters, the last of them `=`.
#[inline]
fn encode(digest: &[u8; 20]) -> ShortText {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut input = [0; 21];
    input[..20].copy_from_slice(digest);
    let (triples, _) = input.as_chunks::<3>();
    let quad = |triple: usize| {
        let [a, b, c] = triples[triple];
        let word = u32::from_be_bytes([0, a, b, c]);
        u32::from_le_bytes([18, 12, 6, 0].map(|shift| ALPHABET[(word >> shift & 63) as usize]))
    };
    // Put together in registers: sixteen characters, then fourteen.
    let mut halves = [u128::from(u16::from_le_bytes(*b"1:")), 0];
    for triple in 0..7 {
        let (at, quad) = (2 + 4 * triple, u128::from(quad(triple)));
        match at {
            14 => {
                halves[0] |= quad << 112;
                halves[1] |= quad >> 16;
            }
            0..14 => halves[0] |= quad << (8 * at),
            _ => halves[1] |= quad << (8 * (at - 16)),
        }
    }
    halves[1] = halves[1] & !(0xff << 104) | u128::from(b'=') << 104;
    ShortText::from_words(halves, 30)
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

    #[test]
    fn protocols_without_ports_leave_them_out() {
        let esp = id("10.1.24.4", "10.1.12.1", 50, (1, 2));
        assert_eq!(esp, id("10.1.24.4", "10.1.12.1", 50, (0, 0)));
        assert_ne!(id("10.1.24.4", "10.1.12.1", SCTP, (1, 2)), id("10.1.24.4", "10.1.12.1", SCTP, (0, 0)));
    }
}
