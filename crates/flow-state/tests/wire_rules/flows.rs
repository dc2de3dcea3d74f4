//! Which field tells a fact of a flow.

use std::net::IpAddr;
use std::time::Duration;

use flow_state::{Fact, Timestamp, Version};
use flow_wire::encode::{FixedRecord, MessageWriter, header};
use hex_literal::hex;

use crate::common::{EXPORT, TEMPLATED, record, with_flows};

fn millis_ago(millis: i64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_millis(((EXPORT * 1000) as i64 - millis) as u64))
}

/// A datagram of one flow with these uptimes, in a fixed version.
fn flow_of_uptimes(version: Version, now: u32, first: u32, last: u32) -> Vec<u8> {
    let mut header = header(version, Timestamp::from_unix_seconds(EXPORT), 0, 0);
    header.sys_uptime_ms = Some(now);
    let mut writer = MessageWriter::new();
    let record = FixedRecord { start_sys_uptime_ms: first, end_sys_uptime_ms: last, ..FixedRecord::default() };
    writer.begin(&header).fixed_record(&record).finish().unwrap().to_vec()
}

/// Uptimes count milliseconds in 32 bits and wrap after 49.7 days: their signed difference counts.
#[test]
fn q31_uptimes_are_read_across_their_wrap_and_a_flow_never_ends_before_it_starts() {
    for version in [Version::V1, Version::V5, Version::V7] {
        for (now, first, last, ago, duration) in [
            (10_000, 4_000, 9_000, (6_000, 1_000), Some(5_000)),
            (5_000, u32::MAX - 999, 4_000, (6_000, 1_000), Some(5_000)), // a wrap in between
            (10_000, 0, 0, (10_000, 10_000), Some(0)),                   // at boot
            (10_000, 11_000, 12_000, (-1_000, -2_000), Some(1_000)),     // a little ahead of the header
            (10_000, 9_000, 4_000, (1_000, 6_000), None),                // the end before the start
        ] {
            with_flows(&flow_of_uptimes(version, now, first, last), |flow| {
                let time = flow.time();
                assert_eq!((time.start, time.end), (millis_ago(ago.0), millis_ago(ago.1)), "{version:?}");
                assert_eq!(time.duration(), duration.map(Duration::from_millis));
            });
        }
    }
}

/// One resolver for every form; 154 to 157 are NTP timestamps with a binary fraction.
#[test]
fn q33_absolute_times_and_deltas_are_read_in_either_version() {
    let at = EXPORT * 1000 - 2_500;
    let ntp = ((EXPORT - 3 + 2_208_988_800) << 32 | 0x8000_0000).to_be_bytes();
    for version in TEMPLATED {
        for (start, value) in [
            (152, &at.to_be_bytes()[..]),
            (154, &ntp),
            (156, &ntp),
            (158, &2_500_000_u32.to_be_bytes()),
            (158, &2_500_000_u32.to_be_bytes()[1..]), // a number, so three bytes do
        ] {
            with_flows(&record(version, &[(0, start, value), (0, start + 1, value)]), |flow| {
                assert_eq!((flow.time().start, flow.time().end), (millis_ago(2_500), millis_ago(2_500)), "{start}");
            });
        }
        let seconds = (EXPORT as u32 - 3).to_be_bytes();
        with_flows(&record(version, &[(0, 150, &seconds), (0, 151, &seconds)]), |flow| {
            assert_eq!(flow.time().start, millis_ago(3_000));
        });
        // Points in time have the size of their type (RFC 7011 section 6.2).
        for (start, value) in [(152, &at.to_be_bytes()[2..]), (154, &ntp[..4]), (150, &ntp)] {
            with_flows(&record(version, &[(0, start, value)]), |flow| assert_eq!(flow.time().start, None, "{start}"));
        }
    }
}

/// FortiGate sends the same number as octetDeltaCount and postOctetDeltaCount.
#[test]
fn q35_counters_of_both_sides_are_never_added() {
    let (a, b) = (&hex!("0064")[..], &hex!("00000064")[..]);
    for version in TEMPLATED {
        for fields in [[(0, 1, a), (0, 23, b), (0, 2, a), (0, 24, b)], [(0, 23, b), (0, 1, a), (0, 24, b), (0, 2, a)]] {
            with_flows(&record(version, &fields), |flow| {
                assert_eq!((flow.octets(), flow.packets()), (Some(100), Some(100)));
            });
        }
        // They differ: the counter of what came in, whatever the order.
        with_flows(&record(version, &[(0, 23, &[9]), (0, 1, &[5])]), |flow| assert_eq!(flow.octets(), Some(5)));
    }
}

#[test]
fn q36_counters_have_an_order_of_preference() {
    // Delta, total, initiator, post delta, post total; each preferred to those behind it.
    let (octets, packets) = ([1, 85, 231, 23, 171], [2, 86, 298, 24, 172]);
    for preferred in 0..5 {
        let behind = |ids: [u16; 5]| ids[preferred..].iter().rev().copied().enumerate().collect::<Vec<_>>();
        let values = [[1_u8], [2], [3], [4], [5]];
        let fields: Vec<_> =
            behind(octets).into_iter().chain(behind(packets)).map(|(rank, id)| (0, id, &values[rank][..])).collect();
        with_flows(&record(Version::Ipfix, &fields), |flow| {
            let expected = Some(5 - preferred as u64);
            assert_eq!((flow.octets(), flow.packets()), (expected, expected), "{fields:?}");
        });
    }
    let (zero, seven) = (&[0][..], &[7][..]);
    with_flows(&record(Version::Ipfix, &[(0, 1, zero), (0, 23, seven)]), |flow| {
        assert_eq!(flow.octets(), Some(7), "zero gives way");
        assert_eq!(flow.packets(), None, "none is none, not zero");
    });
    with_flows(&record(Version::Ipfix, &[(0, 1, zero), (0, 23, zero)]), |flow| assert_eq!(flow.octets(), Some(0)));
}

#[test]
fn q37_of_both_address_families_the_one_in_use_counts() {
    let (v4, v6) = (&[192, 0, 2, 9][..], &hex!("20010db8000000000000000000000009")[..]);
    let (none4, none6) = (&[0; 4][..], &[0; 16][..]);
    for version in TEMPLATED {
        for (first, second, by_version, is_v6) in [
            (v4, none6, None, false),
            (none4, v6, None, true),
            (none4, v6, Some(&[4][..]), true), // what is not zero before what element 60 says
            (v4, v6, Some(&[6][..]), true),
            (v4, v6, Some(&[4][..]), false),
            (v4, v6, None, false), // the first in the record
            (none4, none6, Some(&[6][..]), true),
        ] {
            let mut fields: Vec<(u32, u16, &[u8])> = Vec::new();
            for ids in [(8, 27), (12, 28), (15, 62)] {
                fields.extend([(0, ids.0, first), (0, ids.1, second)]);
            }
            fields.extend(by_version.map(|number| (0, 60, number)));
            with_flows(&record(version, &fields), |flow| {
                for address in [flow.source_address(), flow.destination_address(), flow.next_hop()] {
                    assert_eq!(address.as_ref().map(IpAddr::is_ipv6), Some(is_v6), "{fields:?}");
                }
            });
        }
        with_flows(&record(version, &[(0, 27, v6), (0, 8, v4)]), |flow| {
            assert!(flow.source_address().unwrap().is_ipv6(), "the first in the record");
        });
    }
}

#[test]
fn q39_icmp_type_and_code_are_found_wherever_they_are() {
    for (protocol, fields) in [
        (1, vec![(0, 32, &hex!("0301")[..])]),
        (1, vec![(0, 176, &[3][..]), (0, 177, &[1][..])]),
        (58, vec![(0, 139, &hex!("0301")[..])]),
        (58, vec![(0, 178, &[3][..]), (0, 179, &[1][..])]),
        (58, vec![(0, 32, &hex!("0301")[..])]), // IPv6 in the element of IPv4
        (1, vec![(0, 7, &hex!("0000")[..]), (0, 11, &hex!("0301")[..])]),
        (1, vec![(0, 11, &hex!("0909")[..]), (0, 32, &hex!("0301")[..])]), // the element before the port
    ] {
        for version in TEMPLATED {
            let protocol = [protocol];
            let fields = [&[(0, 4, &protocol[..])][..], &fields].concat();
            with_flows(&record(version, &fields), |flow| {
                let icmp = flow.icmp().unwrap();
                assert_eq!((icmp.kind, icmp.code), (3, Some(1)), "{fields:?}");
            });
        }
    }
    // A port of TCP is a port.
    with_flows(&record(Version::V9, &[(0, 4, &[6]), (0, 11, &hex!("0301"))]), |flow| {
        assert_eq!((flow.icmp(), flow.integer(Fact::DestinationPort)), (None, Some(0x301)));
    });
}

/// vlanId before dot1qVlanId, and their post forms for the way out; MAC addresses of the way in before those of the way
/// out.
#[test]
fn q40_vlans_and_mac_addresses_have_an_order_of_preference() {
    let vlans = |fields: &[(u32, u16, &[u8])]| {
        let mut found = (None, None);
        with_flows(&record(Version::Ipfix, fields), |flow| {
            found = (flow.integer(Fact::SourceVlan), flow.integer(Fact::DestinationVlan));
        });
        found
    };
    let (ten, twenty) = (&hex!("000a")[..], &hex!("0014")[..]);
    assert_eq!(vlans(&[(0, 243, twenty), (0, 58, ten)]), (Some(10), None));
    assert_eq!(vlans(&[(0, 254, twenty), (0, 59, ten)]), (None, Some(10)));
    assert_eq!(vlans(&[(0, 243, ten), (0, 254, twenty)]), (Some(10), Some(20)));
    assert_eq!(vlans(&[(0, 245, ten)]), (None, None), "the customer's VLAN within is not that of the flow");

    let (a, b) = (&hex!("020000000001")[..], &hex!("020000000002")[..]);
    for (fields, source, destination) in [
        (vec![(0, 56, a), (0, 80, b)], Some(1), Some(2)),
        (vec![(0, 81, b), (0, 56, a)], Some(1), None),
        (vec![(0, 57, b), (0, 80, a)], None, Some(1)),
        (vec![(0, 81, a), (0, 57, b)], Some(1), Some(2)), // on the way out only
        (vec![(0, 56, &a[..4])], None, None),
    ] {
        with_flows(&record(Version::Ipfix, &fields), |flow| {
            let last = |mac: Option<[u8; 6]>| mac.map(|mac| mac[5]);
            let found = (last(flow.source_mac()), last(flow.destination_mac()));
            assert_eq!(found, (source, destination), "{fields:?}");
        });
    }
}

/// RFC 5103, and the responder's counters of NSEL.
#[test]
fn q47_counters_of_the_other_direction_are_apart() {
    let (one, two) = (&[1][..], &[2][..]);
    for fields in [
        vec![(0, 1, one), (29305, 1, two), (0, 2, one), (29305, 2, two)],
        vec![(29305, 1, two), (0, 1, one), (29305, 2, two), (0, 2, one)],
        vec![(0, 85, one), (29305, 85, two), (0, 86, one), (29305, 86, two)],
        vec![(0, 231, one), (0, 232, two), (0, 298, one), (0, 299, two)],
    ] {
        with_flows(&record(Version::Ipfix, &fields), |flow| {
            assert_eq!((flow.octets(), flow.packets()), (Some(1), Some(1)), "{fields:?}");
            assert_eq!((flow.reverse_octets(), flow.reverse_packets()), (Some(2), Some(2)), "{fields:?}");
        });
    }
    // Another enterprise's element 1 is nobody's counter.
    with_flows(&record(Version::Ipfix, &[(0, 1, one), (29304, 1, two)]), |flow| {
        assert_eq!((flow.octets(), flow.reverse_octets()), (Some(1), None));
    });
}
