//! The normalised flow: which element carries a fact, and in which form.
#![allow(clippy::unwrap_used)]

mod common;

use common::{EXPORT, EXPORT_MS, message_header, millis, times, with_flows, with_record};
use flow_state::{Datagram, Decoded, Fact, State, StateConfig, TransportSession, Version};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{FixedRecord, MessageWriter, TemplateDefinition};

/// RFC 3954 section 5.1: sysUptime and export time are of one moment; the 32-bit uptime wraps after 49.7 days.
#[test]
fn uptimes_count_back_from_the_header_and_wrap() {
    for (uptime, first, ago_ms) in [
        (10_000, 4_000, 6_000),
        (5_000, u32::MAX - 999, 6_000), // the counter wrapped in between
        (10_000, 11_000, -1_000_i64),   // later than the header says
        (10_000, 0, 10_000),            // at boot
    ] {
        let first_bytes = first.to_be_bytes();
        with_record(Version::V9, uptime, &[(0, 22, &first_bytes), (0, 21, &uptime.to_be_bytes())], |flow| {
            let start = (EXPORT_MS as i64 - ago_ms) as u64;
            assert_eq!(times(flow.time()), (millis(start), millis(EXPORT_MS)));
            assert_eq!(flow.time().duration().is_some(), ago_ms >= 0);
        });
    }
}

/// RFC 7011 section 6.1: seconds, milliseconds, NTP; RFC 5102 section 5.9: deltas against the export time.
#[test]
fn absolute_times_and_deltas_resolve_alike() {
    let at = EXPORT_MS - 2_500;
    let seconds = (EXPORT as u32 - 3).to_be_bytes();
    let ntp = ((EXPORT - 3 + 2_208_988_800) << 32 | 0x8000_0000).to_be_bytes();
    for (start, value, expected) in [
        (150, &seconds[..], EXPORT_MS - 3_000),
        (152, &at.to_be_bytes(), at),
        (154, &ntp, at),
        (156, &ntp, at),
        (158, &2_500_000_u32.to_be_bytes(), at),
    ] {
        with_record(Version::Ipfix, 0, &[(0, start, value), (0, start + 1, value)], |flow| {
            assert_eq!(times(flow.time()), (millis(expected), millis(expected)), "element {start}");
        });
    }
}

/// IPFIX has no uptime in its header: without systemInitTimeMilliseconds nothing is made up.
#[test]
fn ipfix_uptimes_need_the_start_of_the_exporter() {
    let uptime = 5_000_u32.to_be_bytes();
    with_record(Version::Ipfix, 0, &[(0, 22, &uptime)], |flow| assert_eq!(flow.exported_time().start, None));
    let init = (EXPORT_MS - 60_000).to_be_bytes();
    with_record(Version::Ipfix, 0, &[(0, 22, &uptime), (0, 160, &init)], |flow| {
        assert_eq!(flow.time().start, millis(EXPORT_MS - 55_000));
    });
}

/// softflowd tells its start in options data; flows of the same Message already use it.
#[test]
fn the_start_of_the_exporter_may_come_in_options() {
    let fields = [FieldSpecifier { enterprise_number: 0, id: 22, length: 4 }];
    let options = [
        FieldSpecifier { enterprise_number: 0, id: 143, length: 4 },
        FieldSpecifier { enterprise_number: 0, id: 160, length: 8 },
    ];
    let mut writer = MessageWriter::new();
    writer.begin(&message_header(Version::Ipfix, 0));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]);
    writer.data_set(256).record().unsigned(4, 5_000);
    writer.options_template_set(&[TemplateDefinition::options(257, 1, &options)]);
    writer.data_set(257).record().unsigned(4, 1).unsigned(8, EXPORT_MS - 60_000);
    with_flows(writer.finish().unwrap(), |flow| assert_eq!(flow.time().start, millis(EXPORT_MS - 55_000)));
}

#[test]
fn counters_take_the_first_that_is_not_zero() {
    let (zero, small, large) = (&[0, 0, 0, 0][..], &[0, 7][..], &[0, 0, 0, 1, 0, 0, 0, 0][..]);
    for (fields, octets) in [
        (vec![(0, 1, zero), (0, 85, small)], Some(7)),
        (vec![(0, 85, small), (0, 1, large)], Some(1 << 32)),
        (vec![(0, 23, small), (0, 231, zero)], Some(7)),
        (vec![(0, 1, zero)], Some(0)),
        (vec![(0, 2, small)], None),
        (vec![(0, 1, &[0; 9][..])], None),
    ] {
        with_record(Version::Ipfix, 0, &fields, |flow| assert_eq!(flow.octets(), octets, "{fields:?}"));
    }
}

/// RFC 5103, and the responder's counters of NSEL, which are the reverse of the initiator's.
#[test]
fn reverse_counters() {
    let (a, b) = (&[1][..], &[2][..]);
    with_record(Version::Ipfix, 0, &[(0, 1, a), (29305, 1, b)], |flow| assert_eq!(flow.reverse_octets(), Some(2)));
    with_record(Version::Ipfix, 0, &[(0, 231, a), (0, 232, b)], |flow| assert_eq!(flow.reverse_octets(), Some(2)));
    with_record(Version::Ipfix, 0, &[(0, 1, a), (0, 232, b)], |flow| assert_eq!(flow.reverse_octets(), None));
}

#[test]
fn of_two_families_the_one_in_use_counts() {
    let v4 = &[192, 0, 2, 9][..];
    let v6 = &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..];
    let (none4, none6) = (&[0; 4][..], &[0; 16][..]);
    for (fields, address) in [
        (vec![(0, 8, v4), (0, 27, none6)], "192.0.2.9"),
        (vec![(0, 8, none4), (0, 27, v6)], "2001:db8::9"),
        (vec![(0, 8, v4), (0, 27, v6), (0, 60, &[6][..])], "2001:db8::9"),
        (vec![(0, 27, v6), (0, 8, v4)], "2001:db8::9"),
        (vec![(0, 8, none4), (0, 27, none6), (0, 60, &[6][..])], "::"),
    ] {
        with_record(Version::Ipfix, 0, &fields, |flow| {
            assert_eq!(flow.source_address(), Some(address.parse().unwrap()), "{fields:?}");
        });
    }
    // A length that fits no address is no address.
    with_record(Version::Ipfix, 0, &[(0, 8, none6), (0, 1, &[1])], |flow| assert_eq!(flow.source_address(), None));
}

#[test]
fn icmp_type_and_code_come_in_many_places() {
    let icmp = Some((3, Some(1)));
    for fields in [
        vec![(0, 4, &[1][..]), (0, 32, &[3, 1][..]), (0, 11, &[9, 9][..])],
        vec![(0, 4, &[58][..]), (0, 139, &[3, 1][..])],
        vec![(0, 4, &[1][..]), (0, 176, &[3][..]), (0, 177, &[1][..])],
        vec![(0, 4, &[1][..]), (0, 11, &[3, 1][..])],
    ] {
        with_record(Version::Ipfix, 0, &fields, |flow| {
            assert_eq!(flow.icmp().map(|icmp| (icmp.kind, icmp.code)), icmp, "{fields:?}")
        });
    }
    with_record(Version::Ipfix, 0, &[(0, 4, &[6]), (0, 11, &[3, 1])], |flow| {
        assert_eq!((flow.icmp(), flow.integer(Fact::DestinationPort)), (None, Some(0x301)));
    });
}

/// A v8 Message of this aggregation scheme with records of these bytes.
fn v8(aggregation: u8, sequence: u32, records: &[&[u8]]) -> Vec<u8> {
    let mut header = message_header(Version::V8, 10_000);
    (header.aggregation, header.sequence_number) = (aggregation, Some(sequence));
    let mut writer = MessageWriter::new();
    writer.begin(&header);
    for record in records {
        writer.record().bytes(record);
    }
    writer.finish().unwrap().to_vec()
}

/// Five flows, 7 packets, 900 bytes, from 6 to 4 seconds before the export.
const V8_SUM: [u8; 20] = [0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 3, 132, 0, 0, 15, 160, 0, 0, 23, 112];

#[test]
fn v8_records_are_flows_by_their_aggregation_scheme() {
    let by_as = [&V8_SUM[..], &[0xfd, 0xe8, 0xfd, 0xe9, 0, 3, 0, 4]].concat();
    with_flows(&v8(1, 0, &[&by_as]), |flow| {
        assert_eq!((flow.octets(), flow.packets()), (Some(900), Some(7)));
        assert_eq!(times(flow.time()), (millis(EXPORT_MS - 6_000), millis(EXPORT_MS - 4_000)));
        assert_eq!([Fact::SourceAs, Fact::DestinationAs].map(|fact| flow.integer(fact)), [Some(65_000), Some(65_001)]);
        assert_eq!((flow.source_address(), flow.protocol()), (None, None));
    });
    let by_port = [&V8_SUM[..], &[17, 0, 0, 0, 0, 53, 2, 0]].concat();
    with_flows(&v8(2, 0, &[&by_port]), |flow| {
        assert_eq!((flow.protocol(), flow.integer(Fact::SourcePort)), (Some(17), Some(53)));
        assert_eq!(flow.integer(Fact::SourceAs), None);
    });
}

#[test]
fn each_aggregation_scheme_of_v8_counts_for_itself() {
    let state = State::new(StateConfig::default());
    let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
    let record = &[&V8_SUM[..], &[0; 8]].concat()[..];
    let mut decoded = Decoded::default();
    let mut last = vec![];
    for (scheme, sequence, count) in [(1, 0, 2), (2, 700, 1), (1, 2, 1), (2, 701, 1), (1, 4, 1)] {
        let bytes = v8(scheme, sequence, &vec![record; count]);
        let received_at = flow_state::Timestamp::from_unix_seconds(EXPORT);
        state.decode(&Datagram::new(session, received_at, &bytes), &mut decoded);
        last.push(decoded.messages()[0].sequence);
    }
    use flow_state::SequenceStatus::{Gap, InOrder};
    assert_eq!(last[2..], [InOrder, InOrder, Gap(1)]);
}

/// v5: sampling mode in the upper two bits, interval in the lower fourteen.
#[test]
fn v5_sampling_is_in_the_header() {
    use flow_state::SamplingAlgorithm::{Deterministic, Random};
    for (bits, sampling) in [(0x4064, Some((100, Deterministic))), (0xbfff, Some((0x3fff, Random))), (0x4000, None)] {
        let mut header = message_header(Version::V5, 1_000);
        header.sampling = bits;
        let mut writer = MessageWriter::new();
        writer.begin(&header).fixed_record(&FixedRecord { octets: 5, ..FixedRecord::default() });
        with_flows(writer.finish().unwrap(), |flow| {
            let found = flow.sampling().map(|found| (found.rate.unwrap().interval(), found.algorithm.unwrap()));
            assert_eq!(found, sampling, "{bits:#x}");
            assert_eq!(flow.octets(), Some(5), "raw counters stay raw");
        });
    }
}
