//! Community ID v1: one name for both directions of a conversation, at every exporter.
//!
//! Follows the Community ID flow hashing specification, version 1, with seed 0.

use std::net::IpAddr;

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
    /// Hashes a tuple.
    #[inline]
    pub fn new(tuple: &FlowTuple) -> Self {
        Self(encode(digest(tuple)))
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

#[inline]
fn digest(tuple: &FlowTuple) -> [u8; 20] {
    let (a_port, b_port, one_way) = match tuple.protocol {
        ICMP => icmp_ports(tuple.ports, ICMP_PAIRS),
        ICMP_V6 => icmp_ports(tuple.ports, ICMP_V6_PAIRS),
        _ => (tuple.ports.0, tuple.ports.1, false),
    };
    let (mut a, mut b) = ((tuple.source, a_port), (tuple.destination, b_port));
    if !one_way && b < a {
        std::mem::swap(&mut a, &mut b);
    }
    // At most 2 + 32 + 2 + 4 bytes, so that one block of SHA-1 holds them with the padding and the length.
    let mut block = [0; 64];
    let mut len = 2;
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
    // FIPS 180-4 section 5.1.1: a one bit, zeros, and the length in bits.
    block[len] = 0x80;
    block[56..].copy_from_slice(&(len as u64 * 8).to_be_bytes());
    let mut state = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];
    sha1::block_api::compress(&mut state, &[block]);
    let mut digest = [0; 20];
    for (bytes, word) in digest.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

/// Base64 with padding (RFC 4648 section 4): 20 bytes are 28 characters, the last of them `=`.
#[inline]
fn encode(digest: [u8; 20]) -> ShortText {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut input = [0; 21];
    input[..20].copy_from_slice(&digest);
    let mut text = ShortText::EMPTY;
    let out = text.bytes_mut(30);
    out[..2].copy_from_slice(b"1:");
    let (triples, _) = input.as_chunks::<3>();
    let (quads, _) = out[2..30].as_chunks_mut::<4>();
    for (quad, [a, b, c]) in quads.iter_mut().zip(triples) {
        let word = u32::from_be_bytes([0, *a, *b, *c]);
        *quad = [18, 12, 6, 0].map(|shift| ALPHABET[(word >> shift & 63) as usize]);
    }
    out[29] = b'=';
    text
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
