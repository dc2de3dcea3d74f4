//! The randomness of flows, also of those that have no Community ID.

use std::net::{IpAddr, Ipv6Addr};

use fearless_simd::Level;
use flow_state::FlowRecord;

use crate::community_id::{self, CommunityIds};
use crate::endpoints::{Addresses, Endpoints};
use crate::packet;
use crate::sampling::Randomness;
use crate::sha1::{self, Blocks, LANES, MAX_LEN};

/// The randomness of the flows of a group, whose Community IDs are these.
#[inline]
pub(crate) fn randomness<'f>(
    ids: &CommunityIds,
    group: impl Iterator<Item = &'f (Endpoints, FlowRecord<'f>)> + Clone,
    level: Level,
) -> [Randomness; LANES] {
    let mut all = [Randomness::default(); LANES];
    let mut is_complete = true;
    for (lane, (place, _)) in all.iter_mut().zip(group.clone()).enumerate() {
        let digest = ids.digest(lane);
        *place = digest.map_or(*place, Randomness::of_digest);
        is_complete &= digest.is_some();
    }
    if !is_complete {
        others(ids, group, level, &mut all);
    }
    all
}

/// That of flows without a Community ID.
#[cold]
fn others<'f>(
    ids: &CommunityIds,
    group: impl Iterator<Item = &'f (Endpoints, FlowRecord<'f>)>,
    level: Level,
    all: &mut [Randomness; LANES],
) {
    let mut blocks = [[0; LANES]; 16];
    for (lane, (endpoints, flow)) in group.enumerate().filter(|(lane, _)| ids.digest(*lane).is_none()) {
        key(flow, endpoints, &mut blocks, lane);
    }
    let digests = sha1::digests(level, &blocks);
    for (lane, place) in all.iter_mut().enumerate().filter(|(lane, _)| ids.digest(*lane).is_none()) {
        *place = Randomness::of_digest(digests.map(|words| words[lane]));
    }
}

/// Puts what is hashed into a lane. That is the first of these that a flow has: what the Community ID is made from of the
/// packet it holds the start of, addresses, MAC addresses, each with the protocol and in an order that both directions
/// share; else its record as it is.
fn key(flow: &FlowRecord<'_>, endpoints: &Endpoints, blocks: &mut Blocks, lane: usize) {
    let (mut addresses, mut protocol) = (known(&endpoints.addresses), endpoints.protocol);
    let mut mac_addresses = [flow.source_mac(), flow.destination_mac()];
    if addresses == [None; 2]
        && let Some(packet) = flow.packet().map(|packet| packet.outer)
    {
        if let Some(tuple) = packet::tuple(&packet) {
            return community_id::message(&tuple, blocks, lane);
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
        message(&[&both[0], &both[1], &protocol], blocks, lane);
    } else if mac_addresses != [None; 2] {
        let mut both = mac_addresses.map(Option::unwrap_or_default);
        both.sort_unstable();
        message(&[&both[0], &both[1], &protocol], blocks, lane);
    } else {
        message(&[&fnv1a(flow.record().as_bytes()).to_be_bytes()], blocks, lane);
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

/// Parts that are together no longer than one block takes.
fn message(parts: &[&[u8]], blocks: &mut Blocks, lane: usize) {
    let mut len = 0;
    for byte in parts.iter().copied().flatten().take(MAX_LEN) {
        blocks[len / 4][lane % LANES] |= u32::from(*byte) << (24 - 8 * (len % 4));
        len += 1;
    }
    sha1::pad(blocks, lane % LANES, len);
}

/// Folds a record of any length into 64 bits (FNV-1a, Fowler, Noll and Vo), which the digest then spreads.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
