//! The randomness of flows that have no Community ID.

use std::net::{IpAddr, Ipv6Addr};

use fearless_simd::Level;
use flow_state::FlowRecord;

use crate::community_id::CommunityIds;
use crate::endpoints::{Addresses, Endpoints};
use crate::packet;
use crate::sampling::Randomness;
use crate::sha1::{self, LANES, MAX_LEN};

/// From the first of these that a flow has: the Community ID of the packet it holds the start of, addresses, MAC addresses,
/// each with the protocol and in an order that both directions share; else from its record as it is.
#[cold]
pub(crate) fn randomness(flow: &FlowRecord<'_>, endpoints: &Endpoints, level: Level) -> Randomness {
    let (mut addresses, mut protocol) = (known(&endpoints.addresses), endpoints.protocol);
    let mut mac_addresses = [flow.source_mac(), flow.destination_mac()];
    if addresses == [None; 2]
        && let Some(packet) = flow.packet().map(|packet| packet.outer)
    {
        let digest = |tuple| CommunityIds::new(level, std::iter::once(Some(tuple))).digest(0);
        if let Some(digest) = packet::tuple(&packet).and_then(digest) {
            return Randomness::of_digest(digest);
        }
        addresses = [packet.ip.map(|ip| ip.source), packet.ip.map(|ip| ip.destination)];
        protocol = packet.ip.and_then(|ip| ip.protocol).or(protocol);
        mac_addresses =
            packet.ethernet.map_or(mac_addresses, |ethernet| [Some(ethernet.source), Some(ethernet.destination)]);
    }
    let protocol = protocol.map_or(NO_PROTOCOL, |protocol| [0, protocol]);
    if addresses != [None; 2] {
        let mut both = addresses.map(|address| address.map_or([0; 16], |address| mapped(address).octets()));
        both.sort_unstable();
        hashed(&[&both[0], &both[1], &protocol], level)
    } else if mac_addresses != [None; 2] {
        let mut both = mac_addresses.map(Option::unwrap_or_default);
        both.sort_unstable();
        hashed(&[&both[0], &both[1], &protocol], level)
    } else {
        hashed(&[&fnv1a(flow.record().as_bytes()).to_be_bytes()], level)
    }
}

/// Differs from every protocol.
const NO_PROTOCOL: [u8; 2] = [1, 0];

fn known(addresses: &Addresses) -> [Option<IpAddr>; 2] {
    match *addresses {
        Addresses::Ipv4 { source, destination } => [source, destination].map(|bits| Some(IpAddr::V4(bits.into()))),
        Addresses::Any { source, destination } => [source, destination],
    }
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// Of parts that are together no longer than one block takes.
fn hashed(parts: &[&[u8]], level: Level) -> Randomness {
    let mut blocks = [[0; LANES]; 16];
    let mut len = 0;
    for byte in parts.iter().copied().flatten().take(MAX_LEN) {
        blocks[len / 4][0] |= u32::from(*byte) << (24 - 8 * (len % 4));
        len += 1;
    }
    sha1::pad(&mut blocks, 0, len);
    Randomness::of_digest(sha1::digests(level, &blocks).map(|words| words[0]))
}

/// Folds a record of any length into 64 bits (FNV-1a, Fowler, Noll and Vo), which the digest then spreads.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
