//! sFlow samples as flows.
#![allow(clippy::unwrap_used)]

use std::net::IpAddr;

use flow_state::{
    Datagram, Decoded, Fact, FlowRecord, SamplingRate, SequenceStatus, State, StateConfig, StateEvent, Timestamp,
    TransportSession,
};
use flow_wire::DecodeErrorKind;
use hex_literal::hex;
use proptest::prelude::*;

/// Ethernet, IPv4 192.0.2.1 to 198.51.100.2, type of service 0xb8, TTL 64; TCP 443 to 50000, SYN and ACK.
const TCP: [u8; 54] = hex!(
    "020000000002 020000000001 0800 45b8 0028 0007 0000 40 06 0000 c0000201 c6336402"
    "01bb c350 00000001 00000002 5012 ffff 0000 0000"
);
/// IPv6 2001:db8::1 to ::2, flow label 0x12345, echo request.
const ICMP6: [u8; 44] =
    hex!("60012345 0004 3a 40 20010db8000000000000000000000001 20010db8000000000000000000000002 80000000");

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn framed(format: u32, body: &[u8]) -> Vec<u8> {
    [words(&[format, body.len() as u32]), body.to_vec()].concat()
}

fn header(protocol: u32, bytes: &[u8]) -> Vec<u8> {
    let padding = vec![0; bytes.len().next_multiple_of(4) - bytes.len()];
    framed(1, &[words(&[protocol, 1514, 4, bytes.len() as u32]), bytes.to_vec(), padding].concat())
}

/// Of data source 3: one of 512, from interface 3 to 4.
fn flow_sample(records: &[Vec<u8>]) -> Vec<u8> {
    let head = words(&[9, 3, 512, 4096, 0, 3, 4, records.len() as u32]);
    framed(1, &[head, records.concat()].concat())
}

/// Of an agent 192.0.2.`agent`.
fn datagram(agent: u8, sub_agent: u32, (sequence, uptime_ms): (u32, u32), samples: &[Vec<u8>]) -> Vec<u8> {
    let address = u32::from_be_bytes([192, 0, 2, agent]);
    let head = words(&[5, 1, address, sub_agent, sequence, uptime_ms, samples.len() as u32]);
    [head, samples.concat()].concat()
}

fn decode(state: &State, bytes: &[u8]) -> Decoded {
    let session = TransportSession::new(([198, 51, 100, 9], 50_000).into(), ([198, 51, 100, 1], 6343).into());
    let mut decoded = Decoded::default();
    let received_at = Timestamp::from_unix_seconds(1_700_000_000);
    state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    assert_eq!(decoded.accounting().total(), bytes.len() as u64);
    decoded
}

/// Decodes a datagram with these samples and hands its flows to `check`.
fn with_flows(samples: &[Vec<u8>], check: impl Fn(&[FlowRecord<'_>], &Decoded)) {
    let bytes = datagram(1, 0, (1, 1000), samples);
    let decoded = decode(&State::new(StateConfig::default()), &bytes);
    let flows: Vec<_> = decoded.data_sets(&bytes).flat_map(|set| set.flows()).collect();
    assert_eq!(decoded.messages()[0].data_records as usize, flows.len());
    check(&flows, &decoded);
}

fn with_flow(records: &[Vec<u8>], check: impl Fn(&FlowRecord<'_>)) {
    with_flows(&[flow_sample(records)], |flows, decoded| {
        assert!(decoded.issues().is_empty(), "{:?}", decoded.issues());
        check(&flows[0]);
    });
}

fn ends(flow: &FlowRecord<'_>) -> Option<(String, String)> {
    Some((flow.source_address()?.to_string(), flow.destination_address()?.to_string()))
}

fn facts<const N: usize>(flow: &FlowRecord<'_>, facts: [Fact; N]) -> [Option<u64>; N] {
    facts.map(|fact| flow.integer(fact))
}

const PORTS: [Fact; 2] = [Fact::SourcePort, Fact::DestinationPort];

#[test]
fn a_sample_reads_as_a_flow_of_one_packet() {
    with_flow(&[header(1, &TCP)], |flow| {
        assert_eq!(ends(flow), Some(("192.0.2.1".into(), "198.51.100.2".into())));
        assert_eq!((flow.protocol(), flow.octets(), flow.packets()), (Some(6), Some(1514), Some(1)));
        assert_eq!(facts(flow, PORTS), [Some(443), Some(50_000)]);
        let header = [Fact::TcpFlags, Fact::ClassOfService, Fact::TimeToLive, Fact::IpVersion];
        assert_eq!(facts(flow, header), [Some(0x12), Some(0xb8), Some(64), Some(4)]);
        assert_eq!(facts(flow, [Fact::IngressInterface, Fact::EgressInterface]), [Some(3), Some(4)]);
        assert_eq!(flow.sampling().and_then(|sampling| sampling.rate).map(SamplingRate::interval), Some(512));
        assert_eq!((flow.source_mac().unwrap()[5], flow.destination_mac().unwrap()[5]), (1, 2));
        assert_eq!(flow.packet().unwrap().outer.ports, Some((443, 50_000)));
        assert_eq!((flow.time().start, flow.time().end), (None, None));
        let absent = [Fact::SourceVlan, Fact::SourceAs, Fact::SourcePrefixLength, Fact::ForwardingStatus];
        assert_eq!(facts(flow, absent), [None; 4]);
        assert!(flow.next_hop().is_none() && flow.icmp().is_none());
        assert_eq!(flow.sample().unwrap().flow().unwrap().unwrap().sequence_number, 9);
    });
}

/// Section 5, `header_protocol`: IPv4 is 11, IPv6 12, MPLS 13.
#[test]
fn headers_begin_where_their_protocol_says() {
    for protocol in [11, 12] {
        with_flow(&[header(protocol, &ICMP6)], |flow| {
            assert_eq!(ends(flow), Some(("2001:db8::1".into(), "2001:db8::2".into())));
            assert_eq!(flow.icmp().map(|icmp| (icmp.kind, icmp.code)), Some((128, Some(0))));
            assert_eq!((facts(flow, PORTS), flow.integer(Fact::FlowLabel)), ([None; 2], Some(0x12345)));
            assert_eq!(flow.packet().unwrap().outer.ip.unwrap().time_to_live, 64);
        });
    }
    with_flow(&[header(13, &[&hex!("00064140")[..], &ICMP6].concat())], |flow| {
        assert_eq!((flow.protocol(), &*flow.packet().unwrap().outer.mpls_labels), (Some(58), &[100][..]));
    });
    // PPP is not read, but its bytes are counted.
    with_flow(&[header(7, &ICMP6)], |flow| {
        assert_eq!((ends(flow), flow.packet(), flow.octets()), (None, None, Some(1514)));
    });
}

#[test]
fn what_switch_router_and_gateway_know_is_in_the_flow() {
    let switch = framed(1001, &words(&[100, 0, 200, 0]));
    let router = framed(1002, &words(&[1, 0xc000_02fe, 24, 16]));
    let gateway = framed(1003, &words(&[1, 0xc000_02fd, 65_000, 65_001, 65_002, 1, 2, 2, 65_003, 65_004, 0, 100]));
    with_flow(&[gateway, router, switch, header(1, &TCP)], |flow| {
        let vlans = [Fact::SourceVlan, Fact::DestinationVlan];
        assert_eq!(facts(flow, vlans), [Some(100), Some(200)]);
        assert_eq!(facts(flow, [Fact::SourcePrefixLength, Fact::DestinationPrefixLength]), [Some(24), Some(16)]);
        assert_eq!(facts(flow, [Fact::SourceAs, Fact::DestinationAs]), [Some(65_001), Some(65_004)]);
        assert_eq!(flow.next_hop(), Some(IpAddr::from([192, 0, 2, 254])));
    });
    let unknown = framed(1001, &words(&[u32::MAX, 0, 200, 0]));
    with_flow(&[unknown], |flow| {
        assert_eq!(facts(flow, [Fact::SourceVlan, Fact::DestinationVlan]), [None, Some(200)]);
    });
}

/// An agent that takes packets apart itself sends what it found.
#[test]
fn decoded_headers_stand_in_for_the_packet() {
    let ethernet = framed(2, &[words(&[64]), hex!("020000000001 0000 020000000002 0000 00000800").to_vec()].concat());
    let ipv4 = |protocol| framed(3, &words(&[46, protocol, 0xc000_0201, 0xc633_6402, 443, 50_000, 0x12, 0xb8]));
    with_flow(&[ethernet, ipv4(6)], |flow| {
        assert_eq!(ends(flow), Some(("192.0.2.1".into(), "198.51.100.2".into())));
        assert_eq!((flow.octets(), flow.source_mac().unwrap()[5]), (Some(64), 1));
        assert_eq!((facts(flow, PORTS), flow.integer(Fact::TcpFlags)), ([Some(443), Some(50_000)], Some(0x12)));
        assert_eq!(flow.packet(), None);
    });
    with_flow(&[ipv4(1)], |flow| assert_eq!((facts(flow, PORTS), flow.octets()), ([None; 2], Some(46))));
}

#[test]
fn a_discarded_packet_is_a_dropped_flow() {
    let discard = framed(5, &[words(&[9, 0, 3, 0, 3, 0, 289, 1]), header(1, &TCP)].concat());
    let mut no_way_out = flow_sample(&[]);
    no_way_out[32..36].copy_from_slice(&words(&[1 << 30 | 257]));
    with_flows(&[discard, no_way_out, flow_sample(&[])], |flows, _| {
        let status = flows.iter().map(|flow| flow.integer(Fact::ForwardingStatus)).collect::<Vec<_>>();
        assert_eq!(status, [Some(128), Some(128), None]);
        assert_eq!(flows[0].sampling(), None);
        assert_eq!((flows[1].integer(Fact::EgressInterface), flows[1].octets()), (Some(0), None));
    });
}

#[test]
fn counter_samples_are_counted_and_are_no_issue() {
    let samples = [framed(2, &[0; 100]), flow_sample(&[]), framed(4, &[0; 12])];
    with_flows(&samples, |flows, decoded| {
        assert_eq!((flows.len(), decoded.messages()[0].counter_samples), (1, 2));
        assert_eq!(decoded.accounting().counters, 108 + 20);
        assert!(decoded.issues().is_empty());
        assert_eq!(flows[0].sample().unwrap().number, 2);
    });
}

/// One damaged sample or record never costs another.
#[test]
fn damage_costs_what_is_damaged() {
    let good = flow_sample(&[header(1, &TCP)]);
    let short = framed(1, &[0; 31]);
    let unknown = framed(4413 << 12 | 1, &[1; 4]);
    let short_record = flow_sample(&[framed(1001, &[0; 15]), header(1, &TCP)]);
    let mut overrun = flow_sample(&[header(1, &TCP), framed(1001, &[0; 16])]);
    let last = overrun.len() - 20;
    overrun[last..last + 4].copy_from_slice(&words(&[17]));
    let samples = [good.clone(), short, unknown, short_record, overrun, good];
    with_flows(&samples, |flows, decoded| {
        assert_eq!(flows.len(), 4);
        assert!(flows.iter().all(|flow| flow.integer(Fact::SourcePort) == Some(443)));
        let skipped = |kind: DecodeErrorKind| decoded.accounting().skipped[kind.index()];
        assert_eq!(skipped(DecodeErrorKind::SampleTruncated(1)), 39);
        assert_eq!(skipped(DecodeErrorKind::SampleUnknown(0)), 12);
        assert_eq!(skipped(DecodeErrorKind::SampleRecordTruncated(0)), 23);
        assert_eq!(skipped(DecodeErrorKind::SampleRecordOverrun(0)), 24);
        assert_eq!(decoded.issues().total(), 4);
    });
}

#[test]
fn what_cannot_be_framed_ends_the_datagram() {
    let state = State::new(StateConfig::default());
    let good = flow_sample(&[header(1, &TCP)]);
    let mut bytes = datagram(1, 0, (1, 1), &[good.clone(), good.clone()]);
    let second = 28 + good.len();
    bytes[second + 4..second + 8].copy_from_slice(&words(&[u32::MAX]));
    let decoded = decode(&state, &bytes);
    assert_eq!(decoded.messages()[0].data_records, 1);
    assert_eq!(decoded.issues().first()[0].kind, DecodeErrorKind::SampleOverrun(u32::MAX));
    bytes[27] = 1;
    let decoded = decode(&state, &bytes);
    assert_eq!(decoded.issues().first()[0].kind, DecodeErrorKind::TrailingBytes(good.len()));
    // More samples announced than there are: one issue, whatever the number.
    let mut promised = datagram(1, 0, (1, 1), &[]);
    promised[24..28].copy_from_slice(&words(&[u32::MAX]));
    let decoded = decode(&state, &promised);
    assert_eq!((decoded.issues().total(), decoded.messages()[0].data_records), (1, 0));
    // An agent whose address cannot be read.
    promised[7] = 9;
    let decoded = decode(&state, &promised);
    assert_eq!(decoded.issues().first()[0].kind, DecodeErrorKind::AgentAddressType(9));
    assert!(decoded.messages().is_empty());
}

/// Records made from samples take more room than the samples: their offsets have 16 bits all the same.
#[test]
fn a_datagram_full_of_samples_gives_every_flow() {
    let sample = |port: u16| {
        let mut packet = TCP;
        packet[34..36].copy_from_slice(&port.to_be_bytes());
        flow_sample(&[header(1, &packet[..38])])
    };
    let count = ((65_535 - 28) / sample(0).len()) as u16;
    let samples: Vec<_> = (0..count).map(sample).collect();
    with_flows(&samples, |flows, decoded| {
        let ports: Vec<_> = flows.iter().map(|flow| flow.integer(Fact::SourcePort).unwrap()).collect();
        assert_eq!(ports, (0..u64::from(count)).collect::<Vec<_>>());
        let numbers: Vec<_> = flows.iter().map(|flow| flow.sample().unwrap().number).collect();
        assert_eq!(numbers, (1..=u32::from(count)).collect::<Vec<_>>());
        assert!(decoded.data_sets(&[]).count() < 10, "samples of one shape share a Set");
    });
    // The longest packet that a datagram can hold.
    let giant = header(1, &[&TCP[..], &[7; 65_000]].concat());
    with_flow(&[giant], |flow| {
        assert_eq!(flow.integer(Fact::SourcePort), Some(443));
        assert_eq!(flow.sample().unwrap().flow().unwrap().unwrap().source_id, 3);
    });
}

#[test]
fn samples_with_the_same_facts_share_a_template() {
    let state = State::new(StateConfig::default());
    let bytes = datagram(1, 0, (1, 1), &[flow_sample(&[header(1, &TCP)]), flow_sample(&[header(11, &TCP[14..])])]);
    let generations = || {
        let decoded = decode(&state, &bytes);
        decoded.data_sets(&bytes).map(|set| set.known_template().generation()).collect::<Vec<_>>()
    };
    let first = generations();
    assert_eq!((first.len(), &generations()), (2, &first));
    assert_ne!(first[0], first[1]);
}

/// Section 5: each sub-agent numbers its datagrams; a relay sends those of many from one address.
#[test]
fn sequence_numbers_belong_to_agent_and_sub_agent() {
    use SequenceStatus::{Gap, InOrder, Late, Restarted, Unknown};
    let state = State::new(StateConfig::default());
    let seen = |agent, sub_agent, sequence| {
        let decoded = decode(&state, &datagram(agent, sub_agent, sequence, &[flow_sample(&[])]));
        (decoded.messages()[0].sequence, decoded.events().to_vec())
    };
    assert_eq!(seen(1, 0, (10, 60_000)).0, Unknown);
    assert_eq!(seen(2, 0, (500, 10_000)).0, Unknown);
    assert_eq!(seen(1, 7, (70, 60_000)).0, Unknown);
    assert_eq!(seen(1, 0, (11, 61_000)).0, InOrder);
    assert_eq!(seen(1, 0, (14, 62_000)).0, Gap(2));
    assert_eq!(seen(1, 0, (13, 61_900)).0, Late);
    assert_eq!(seen(2, 0, (501, 11_000)).0, InOrder);
    assert_eq!(seen(1, 0, (1, 200)), (Restarted, vec![StateEvent::ExporterRestarted]));
    assert_eq!(seen(1, 0, (2, 1_200)).0, InOrder);
}

proptest! {
    /// Any bytes behind the version, and good datagrams with any word put anywhere: no panic, and each byte has one fate.
    #[test]
    fn hostile_datagrams_are_accounted_for(
        tail in prop::collection::vec(any::<u8>(), 0..300),
        at in 4_usize..400,
        word in prop_oneof![any::<u32>(), 0_u32..64, Just(u32::MAX)],
        cut in 0_usize..400,
    ) {
        testkit::invariants::one_datagram(&[&[0, 0, 0, 5], &tail[..]].concat());
        let gateway = framed(1003, &words(&[1, 1, 65_000, 65_001, 65_002, 1, 2, 1, 65_003, 0, 100]));
        let samples = [flow_sample(&[header(1, &TCP), gateway]), framed(2, &[0; 20]), flow_sample(&[header(12, &ICMP6)])];
        let mut bytes = datagram(1, 0, (1, 1), &samples);
        if let Some(place) = bytes.get_mut(at..at + 4) {
            place.copy_from_slice(&word.to_be_bytes());
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len() - 4) / 4);
        testkit::invariants::one_datagram(&bytes);
    }
}
