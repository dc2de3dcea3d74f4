//! sFlow version 5, as "sFlow Version 5" (sflow.org, July 2004) lays it out; sections are those of that document.
#![allow(clippy::unwrap_used)]

use flow_wire::sflow::record::{
    ExtendedGateway, ExtendedRouter, ExtendedSwitch, SampledEthernet, SampledHeader, SampledIp,
};
use flow_wire::sflow::{Datagram, FlowSample, Interface, RecordData, Sample, SampleRate};
use flow_wire::{DecodeError, DecodeErrorKind, Message, Version};
use hex_literal::hex;

/// Version, an IPv4 agent, sub-agent 7, datagram 42, uptime 1,000 ms.
const HEAD: [u8; 24] = hex!("00000005 00000001 c0000201 00000007 0000002a 000003e8");
/// Sequence 9, source 3, 1 of 512, pool 4,096, 2 drops, from interface 3 to 4.
const FLOW: [u8; 28] = hex!("00000009 00000003 00000200 00001000 00000002 00000003 00000004");

fn framed(format: u32, body: &[u8]) -> Vec<u8> {
    [&format.to_be_bytes()[..], &(body.len() as u32).to_be_bytes(), body].concat()
}

fn datagram(count: u32, samples: &[Vec<u8>]) -> Vec<u8> {
    [&HEAD[..], &count.to_be_bytes(), &samples.concat()].concat()
}

fn flow_sample(count: u32, records: &[Vec<u8>]) -> Vec<u8> {
    framed(1, &[&FLOW[..], &count.to_be_bytes(), &records.concat()].concat())
}

fn samples(datagram: &[u8]) -> Vec<Result<Sample<'_>, DecodeError>> {
    Datagram::decode(datagram).unwrap().samples().collect()
}

/// Hands the only sample of a datagram to `check`.
fn with_flow(sample: Vec<u8>, check: impl Fn(FlowSample<'_>)) {
    let datagram = datagram(1, &[sample]);
    check(samples(&datagram)[0].unwrap().flow().unwrap().unwrap());
}

/// Hands the only record of a flow sample to `check`.
fn with_record(format: u32, body: &[u8], check: impl Fn(Result<RecordData<'_>, DecodeError>)) {
    with_flow(flow_sample(1, &[framed(format, body)]), |flow| check(flow.records().next().unwrap().unwrap().read()));
}

fn error<T>(offset: usize, kind: DecodeErrorKind) -> Result<T, DecodeError> {
    Err(DecodeError::new(offset, kind))
}

/// Section 5, `struct sample_datagram_v5`.
#[test]
fn the_header_names_agent_and_sub_agent() {
    let bytes = datagram(3, &[]);
    let decoded = Datagram::decode(&bytes).unwrap();
    let header = decoded.header;
    assert_eq!(header.agent, Some("192.0.2.1".parse().unwrap()));
    assert_eq!((header.sub_agent_id, header.sequence_number, header.uptime_ms), (7, 42, 1000));
    assert_eq!((header.sample_count, decoded.header_len()), (3, 28));
    let v6 = hex!("00000005 00000002 20010db8000000000000000000000001 00000007 0000002a 000003e8 00000000");
    let decoded = Datagram::decode(&v6).unwrap();
    assert_eq!((decoded.header.agent, decoded.header_len()), (Some("2001:db8::1".parse().unwrap()), 40));
    let unknown = hex!("00000005 00000000 00000007 0000002a 000003e8 00000000");
    assert_eq!(Datagram::decode(&unknown).unwrap().header.agent, None);
}

#[test]
fn a_header_that_cannot_be_read_says_where() {
    let decode = |bytes: &[u8]| Datagram::decode(bytes).map(|_| ());
    let whole = datagram(0, &[]);
    for len in 0..whole.len() {
        assert_eq!(decode(&whole[..len]), error(len, DecodeErrorKind::HeaderTruncated));
    }
    let mut bytes = whole.clone();
    bytes[7] = 9;
    assert_eq!(decode(&bytes), error(4, DecodeErrorKind::AgentAddressType(9)));
    bytes[..4].copy_from_slice(&hex!("0005 001e"));
    assert_eq!(decode(&bytes), error(0, DecodeErrorKind::UnsupportedVersion(5)));
    assert_eq!(decode(&[0; 65_536]), error(0, DecodeErrorKind::DatagramTooLong(65_536)));
}

/// The version has 32 bits, that of NetFlow 16: no datagram can be both.
#[test]
fn sflow_is_told_from_netflow_by_its_first_word() {
    assert_eq!(Version::of_datagram(&HEAD), Some(Version::Sflow5));
    assert_eq!(Version::of_datagram(&hex!("0005 001e")), Some(Version::V5));
    assert_eq!(Version::of_datagram(&hex!("0000 0004")), None);
    assert_eq!(Message::decode(&HEAD).map(|_| ()), error(0, DecodeErrorKind::UnsupportedVersion(0)));
}

/// Section 5, `struct flow_sample`.
#[test]
fn a_flow_sample_says_how_it_was_chosen() {
    with_flow(flow_sample(0, &[]), |flow| {
        assert_eq!((flow.format, flow.sequence_number, flow.source_class, flow.source_id), (1, 9, None, 3));
        assert_eq!((flow.sampling, flow.drops), (Some(SampleRate { rate: 512, pool: 4096 }), 2));
        assert_eq!((flow.input.index(), flow.output.index(), flow.is_discarded()), (3, 4, false));
    });
}

/// Section 5, `struct flow_sample_expanded`.
#[test]
fn an_expanded_sample_spells_formats_out() {
    let body = hex!(
        "00000009 00000001 01000003 00000200 00001000 00000002"
        "00000000 40000003 00000001 00000101 00000000"
    );
    with_flow(framed(3, &body), |flow| {
        assert_eq!((flow.format, flow.source_class, flow.source_id), (3, Some(1), 0x0100_0003));
        assert_eq!(flow.input, Interface { format: Some(0), value: 0x4000_0003 });
        assert_eq!((flow.input.index(), flow.output.index(), flow.is_discarded()), (0x4000_0003, 0, true));
    });
}

/// "sFlow Discarded Packet Reporting Structures", `struct discarded_packet`.
#[test]
fn a_discarded_packet_says_why() {
    let body = hex!("00000009 00000000 00000003 00000002 00000003 00000000 00000121 00000000");
    with_flow(framed(5, &body), |flow| {
        assert_eq!((flow.format, flow.sequence_number, flow.source_id, flow.drops), (5, 9, 3, 2));
        assert_eq!((flow.sampling, flow.discard_reason, flow.is_discarded()), (None, Some(0x121), true));
    });
}

/// Section 5, `interface`: the upper two bits tell an ifIndex from a reason and a number of interfaces.
#[test]
fn an_interface_is_an_index_only_where_its_format_says_so() {
    for (value, index, discarded) in
        [(4, 4, false), (0x3fff_ffff, 0x3fff_ffff, false), (0x4000_0101, 0, true), (0x8000_0007, 0, false)]
    {
        let mut sample = flow_sample(0, &[]);
        sample[32..36].copy_from_slice(&u32::to_be_bytes(value));
        with_flow(sample, |flow| assert_eq!((flow.output.index(), flow.is_discarded()), (index, discarded)));
    }
}

#[test]
fn counters_and_unknown_samples_are_framed_and_not_read() {
    let bytes = datagram(3, &[framed(2, &[1; 8]), framed(4, &[]), framed(4413 << 12 | 1, &[1; 4])]);
    let samples: Vec<_> = samples(&bytes).into_iter().map(Result::unwrap).collect();
    assert_eq!(samples.iter().map(Sample::len).collect::<Vec<_>>(), [16, 8, 12]);
    assert_eq!(
        samples.iter().map(|sample| (sample.number, sample.is_counters())).collect::<Vec<_>>(),
        [(1, true), (2, true), (3, false)]
    );
    assert!(samples.iter().all(|sample| sample.flow() == Ok(None)));
}

/// Each length and each count that lies, and where.
#[test]
fn lengths_and_counts_that_lie_end_where_the_bytes_do() {
    let whole = flow_sample(0, &[]);
    // More samples than there are.
    let bytes = datagram(u32::MAX, std::slice::from_ref(&whole));
    let seen = samples(&bytes);
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].map(|_| ()), error(bytes.len(), DecodeErrorKind::SampleCount(1)));
    // Fewer than there are: what is behind is not looked at.
    let bytes = datagram(1, &[whole.clone(), whole.clone()]);
    let mut samples = Datagram::decode(&bytes).unwrap().samples();
    assert_eq!((samples.by_ref().count(), samples.position()), (1, 28 + whole.len()));
    // A sample longer than its datagram.
    for length in [41, u32::MAX] {
        let mut bytes = datagram(2, &[whole.clone(), whole.clone()]);
        let second = 28 + whole.len();
        bytes[second + 4..second + 8].copy_from_slice(&length.to_be_bytes());
        let seen: Vec<_> = Datagram::decode(&bytes).unwrap().samples().collect();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[1].map(|_| ()), error(second, DecodeErrorKind::SampleOverrun(length)));
    }
    // A sample shorter than its own fields.
    for (format, len) in [(1, 31), (3, 43), (5, 31)] {
        let bytes = datagram(1, &[framed(format, &vec![0; len])]);
        let sample = Datagram::decode(&bytes).unwrap().samples().next().unwrap().unwrap();
        assert_eq!(sample.flow(), error(28, DecodeErrorKind::SampleTruncated(format)));
    }
}

#[test]
fn a_record_that_overruns_its_sample_costs_those_behind_it() {
    let record = framed(4413 << 12, &[1; 4]);
    with_flow(flow_sample(1, &[record.clone(), record.clone()]), |flow| {
        let mut records = flow.records();
        assert_eq!(records.by_ref().map(|record| record.unwrap().read()).collect::<Vec<_>>(), [Ok(RecordData::Other)]);
        assert_eq!((records.position(), records.remaining()), (28 + 40 + 12, 12));
    });
    let mut overrun = record.clone();
    overrun[7] = 5;
    for (count, second, length) in [(2, overrun, 5), (u32::MAX, vec![], 0), (2, vec![0; 7], 0)] {
        with_flow(flow_sample(count, &[record.clone(), second.clone()]), |flow| {
            let seen: Vec<_> = flow.records().collect();
            assert_eq!(seen.len(), 2);
            assert_eq!(seen[1].map(|_| ()), error(80, DecodeErrorKind::SampleRecordOverrun(length)));
        });
    }
}

/// Section 5, `struct sampled_header`.
#[test]
fn a_sampled_header_has_as_many_bytes_as_there_are() {
    let header =
        |header_length, bytes| SampledHeader { protocol: 1, frame_length: 64, stripped: 4, header_length, bytes };
    let body = hex!("00000001 00000040 00000004 00000006 010203040506 0000");
    with_record(1, &body, |record| assert_eq!(record, Ok(RecordData::Header(header(6, &[1, 2, 3, 4, 5, 6])))));
    let lies = hex!("00000001 00000040 00000004 ffffffff 01020304");
    with_record(1, &lies, |record| assert_eq!(record, Ok(RecordData::Header(header(u32::MAX, &[1, 2, 3, 4])))));
}

#[test]
fn decoded_headers_are_read() {
    let body = hex!("00000040 020000000001 0000 020000000002 0000 00000800");
    let ethernet = SampledEthernet {
        length: 64,
        source: hex!("020000000001"),
        destination: hex!("020000000002"),
        ether_type: 0x800,
    };
    with_record(2, &body, |record| assert_eq!(record, Ok(RecordData::Ethernet(ethernet))));
    let ports = hex!("00000035 000014e9 00000012 000000b8");
    let v4 = [&hex!("0000002e 00000006 c0000201 c6336402")[..], &ports].concat();
    let addresses = hex!("20010db8000000000000000000000001 20010db8000000000000000000000002");
    let v6 = [&hex!("0000002e 00000006")[..], &addresses, &ports].concat();
    for (format, body, source) in [(3, v4, "192.0.2.1"), (4, v6, "2001:db8::1")] {
        with_record(format, &body, |record| {
            let Ok(RecordData::Ip(SampledIp { length: 46, protocol: 6, source: found, tcp_flags: 18, .. })) = record
            else {
                panic!("{record:?}")
            };
            assert_eq!(found.to_string(), source);
        });
    }
}

#[test]
fn switch_router_and_gateway_are_read() {
    let switch =
        ExtendedSwitch { source_vlan: 100, source_priority: 1, destination_vlan: u32::MAX, destination_priority: 2 };
    let body = hex!("00000064 00000001 ffffffff 00000002");
    with_record(1001, &body, |record| assert_eq!(record, Ok(RecordData::Switch(switch))));
    let next_hop = Some("192.0.2.254".parse().unwrap());
    let router = ExtendedRouter { next_hop, source_mask: 24, destination_mask: 16 };
    let body = hex!("00000001 c00002fe 00000018 00000010");
    with_record(1002, &body, |record| assert_eq!(record, Ok(RecordData::Router(router))));
    // Two segments, a sequence of two and an empty set; communities; local preference.
    let body = hex!(
        "00000001 c00002fe 0000fde8 0000fde9 0000fdea"
        "00000002 00000002 00000002 0000fdeb 0000fdec 00000001 00000000"
        "00000001 00010002 00000064"
    );
    let gateway = ExtendedGateway {
        next_hop,
        router_as: 65_000,
        source_as: 65_001,
        source_peer_as: 65_002,
        destination_as: Some(65_004),
    };
    with_record(1003, &body, |record| assert_eq!(record, Ok(RecordData::Gateway(gateway))));
}

/// A record cut anywhere: an error at its start, and nothing made up.
#[test]
fn records_that_are_cut_short_are_refused() {
    for (format, len) in [(1, 16), (2, 24), (3, 32), (4, 56), (1001, 16), (1002, 16), (1003, 24)] {
        let mut body = vec![0; len];
        if format > 1001 {
            body[3] = 1;
        }
        with_record(format, &body, |record| assert!(record.is_ok(), "format {format}: {record:?}"));
        with_record(format, &body[..len - 1], |record| {
            assert_eq!(record, error(68, DecodeErrorKind::SampleRecordTruncated(format)));
        });
    }
    // Counts of segments and of their numbers.
    for path in [hex!("ffffffff 00000002 00000000"), hex!("00000001 00000002 ffffffff")] {
        let body = [&hex!("00000001 c00002fe 0000fde8 0000fde9 0000fdea")[..], &path].concat();
        with_record(1003, &body, |record| {
            assert_eq!(record, error(68, DecodeErrorKind::SampleRecordTruncated(1003)));
        });
    }
}
