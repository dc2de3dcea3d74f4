//! Which field tells a fact of a flow.

use std::net::IpAddr;
use std::time::Duration;

use flow_state::{Timestamp, Version};
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
/// (RFC 3954 section 8.)
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
/// (RFC 7011 sections 6.1.8, 6.1.9 and 6.1.10.)
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
