//! Flows as our program keeps them, in the map `xdp_flows`.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

/// How many flows the map has room for when nobody says. A new one takes the place of one that was quiet for long.
pub const DEFAULT_FLOWS: NonZeroU32 = NonZeroU32::new(65_536).expect("is not zero");

/// Bytes of a key, and of a value.
pub(super) const ENTRY_LEN: usize = 40;

/// Where what is in a key: addresses as in IPv6 headers, those of IPv4 mapped, and ports in network order.
pub(super) mod key {
    pub(crate) const SOURCE: usize = 0;
    pub(crate) const DESTINATION: usize = 16;
    pub(crate) const PORTS: usize = 32;
    pub(crate) const PROTOCOL: usize = 36;
    /// 4 or 6: an IPv6 header may have a mapped address too.
    pub(crate) const VERSION: usize = 37;
    /// From an address on: where that of IPv4 begins, and what comes before it.
    pub(crate) const MAPPED: usize = 12;
}

/// Where what is in a value. All have 8 bytes.
pub(super) mod value {
    pub(crate) const PACKETS: usize = 0;
    pub(crate) const BYTES: usize = 8;
    pub(crate) const FIRST: usize = 16;
    pub(crate) const LAST: usize = 24;
    pub(crate) const TCP_FLAGS: usize = 32;
}

/// Packets that are alike in these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FlowKey {
    /// The sender.
    pub source: IpAddr,
    /// The receiver.
    pub destination: IpAddr,
    /// Of TCP, UDP and SCTP; zero for other protocols, for all fragments but the first, and where the packet ends before it.
    pub source_port: u16,
    /// As `source_port`.
    pub destination_port: u16,
    /// The number of IANA's registry. Over IPv6 that of the header behind the extension headers.
    pub protocol: u8,
}

/// What was seen of a flow since it was last taken out of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Which.
    pub key: FlowKey,
    /// Packets.
    pub packets: u64,
    /// Bytes from the IP header on, as `octetDeltaCount` of IPFIX counts: no Ethernet header, no padding.
    pub bytes: u64,
    /// Flags of all TCP headers together.
    pub tcp_flags: u8,
    /// When its first packet came, by the monotonic clock: since the system started, without the time that it was suspended.
    pub first: Duration,
    /// When its last packet came.
    pub last: Duration,
}

impl Flow {
    /// Reads an entry of the map; `None` when it is not of such a map.
    pub fn from_entry(key: &[u8], value: &[u8]) -> Option<Self> {
        let (key, value): (&[u8; ENTRY_LEN], &[u8; ENTRY_LEN]) = (key.try_into().ok()?, value.try_into().ok()?);
        let address = |at: usize| {
            let address = Ipv6Addr::from(*key[at..].first_chunk::<16>()?);
            match key[key::VERSION] {
                4 => address.to_ipv4_mapped().map(IpAddr::V4),
                6 => Some(IpAddr::V6(address)),
                _ => None,
            }
        };
        let port = |at: usize| u16::from_be_bytes([key[key::PORTS + at], key[key::PORTS + at + 1]]);
        let number = |at: usize| value[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_ne_bytes(*bytes));
        Some(Self {
            key: FlowKey {
                source: address(key::SOURCE)?,
                destination: address(key::DESTINATION)?,
                source_port: port(0),
                destination_port: port(2),
                protocol: key[key::PROTOCOL],
            },
            packets: number(value::PACKETS),
            bytes: number(value::BYTES),
            tcp_flags: number(value::TCP_FLAGS) as u8,
            first: Duration::from_nanos(number(value::FIRST)),
            last: Duration::from_nanos(number(value::LAST)),
        })
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    const KEY: [u8; 40] = hex!(
        "00000000000000000000ffff c0000201" // Source
        "00000000000000000000ffff c6336402" // Destination
        "d431 01bb 06 04 0000"              // Ports, protocol, version of IP
    );

    fn value() -> Vec<u8> {
        [3_u64, 180, 5_000_000_001, 6_000_000_002, 0x1b].map(u64::to_ne_bytes).concat()
    }

    #[test]
    fn reads_an_entry() {
        let key = FlowKey {
            source: "192.0.2.1".parse().unwrap(),
            destination: "198.51.100.2".parse().unwrap(),
            source_port: 54321,
            destination_port: 443,
            protocol: 6,
        };
        let (first, last) = (Duration::new(5, 1), Duration::new(6, 2));
        let expected = Flow { key, packets: 3, bytes: 180, tcp_flags: 0x1b, first, last };
        assert_eq!(Flow::from_entry(&KEY, &value()), Some(expected));
    }

    #[test]
    fn a_mapped_address_over_ipv6_stays_one_of_ipv6() {
        let mut key = KEY;
        key[key::VERSION] = 6;
        let flow = Flow::from_entry(&key, &value()).unwrap();
        assert_eq!(flow.key.source, "::ffff:192.0.2.1".parse::<IpAddr>().unwrap());
    }

    #[test]
    fn entries_of_other_maps_are_none() {
        assert_eq!(Flow::from_entry(&KEY[1..], &value()), None);
        assert_eq!(Flow::from_entry(&KEY, &value()[..32]), None);
        assert_eq!(Flow::from_entry(&[0; 40], &value()), None, "no version of IP");
        let mut not_mapped = KEY;
        not_mapped[0] = 0x20;
        assert_eq!(Flow::from_entry(&not_mapped, &value()), None);
    }
}
