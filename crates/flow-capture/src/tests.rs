use std::net::SocketAddr;

use hex_literal::hex;
use proptest::prelude::*;

use super::*;

/// Yielded datagrams, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Got {
    captured_at: u64,
    source: SocketAddr,
    destination: SocketAddr,
    payload: Vec<u8>,
    truncated: bool,
}

/// Everything a capture yields, its statistics, and the error it ends with.
fn read(file: &[u8]) -> (Vec<Got>, CaptureStats, Option<CaptureError>) {
    let mut capture = match Capture::open(file) {
        Ok(capture) => capture,
        Err(error) => return (Vec::new(), CaptureStats::default(), Some(error)),
    };
    let mut datagrams = Vec::new();
    loop {
        match capture.next_datagram() {
            Ok(Some(datagram)) => {
                assert_eq!(datagram.number, datagrams.len() as u64 + 1);
                datagrams.push(Got {
                    captured_at: datagram.captured_at,
                    source: datagram.source,
                    destination: datagram.destination,
                    payload: datagram.payload.to_vec(),
                    truncated: datagram.truncated,
                });
            }
            Ok(None) => return (datagrams, capture.stats(), None),
            Err(error) => {
                assert!(capture.next_datagram().unwrap().is_none());
                return (datagrams, capture.stats(), Some(error));
            }
        }
    }
}

fn payloads(file: &[u8]) -> Vec<Vec<u8>> {
    let (datagrams, _, error) = read(file);
    assert!(error.is_none(), "{error:?}");
    datagrams.into_iter().map(|datagram| datagram.payload).collect()
}

/// A little-endian microsecond pcap of these frames, one second apart.
fn pcap(link_type: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    pcap_every(1, link_type, frames)
}

fn pcap_every(seconds: u32, link_type: u16, frames: &[Vec<u8>]) -> Vec<u8> {
    let mut file = hex!("d4c3b2a1 0200 0400 00000000 00000000 00000400").to_vec();
    file.extend(u32::from(link_type).to_le_bytes());
    for (index, frame) in frames.iter().enumerate() {
        file.extend((index as u32 * seconds).to_le_bytes());
        file.extend([0; 4]);
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend(frame);
    }
    file
}

/// A pcapng block.
fn block(block_type: u32, body: &[u8]) -> Vec<u8> {
    let mut block = block_type.to_le_bytes().to_vec();
    let length = 12 + body.len().next_multiple_of(4) as u32;
    block.extend(length.to_le_bytes());
    block.extend(body);
    block.resize(length as usize - 4, 0);
    block.extend(length.to_le_bytes());
    block
}

/// Body of an Enhanced Packet Block.
fn enhanced(interface: u32, ticks: u64, frame: &[u8]) -> Vec<u8> {
    let length = frame.len() as u32;
    let mut body = Vec::new();
    for word in [interface, (ticks >> 32) as u32, ticks as u32, length, length] {
        body.extend(word.to_le_bytes());
    }
    body.extend(frame);
    body
}

const SECTION_LE: [u8; 28] = hex!("0a0d0d0a 1c000000 4d3c2b1a 0100 0000 ffffffffffffffff 1c000000");

/// IPv4 header of 192.0.2.1 to 192.0.2.9 without options, then `rest`.
fn ipv4(identification: u16, flags_and_offset: u16, protocol: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet = hex!("45 00 0000 0000 0000 40 11 0000 c0000201 c0000209").to_vec();
    packet[2..4].copy_from_slice(&(20 + rest.len() as u16).to_be_bytes());
    packet[4..6].copy_from_slice(&identification.to_be_bytes());
    packet[6..8].copy_from_slice(&flags_and_offset.to_be_bytes());
    packet[9] = protocol;
    packet.extend(rest);
    packet
}

/// IPv6 header of 2001:db8::1 to 2001:db8::9, then `rest`.
fn ipv6(next_header: u8, rest: &[u8]) -> Vec<u8> {
    let mut packet =
        hex!("60000000 0000 00 40 20010db8000000000000000000000001 20010db8000000000000000000000009").to_vec();
    packet[4..6].copy_from_slice(&(rest.len() as u16).to_be_bytes());
    packet[6] = next_header;
    packet.extend(rest);
    packet
}

/// UDP from port 50000 to 2055 with the given length field.
fn udp_with_length(length: u16, payload: &[u8]) -> Vec<u8> {
    let mut datagram = hex!("c350 0807 0000 0000").to_vec();
    datagram[4..6].copy_from_slice(&length.to_be_bytes());
    datagram.extend(payload);
    datagram
}

fn udp(payload: &[u8]) -> Vec<u8> {
    udp_with_length(8 + payload.len() as u16, payload)
}

fn udp_in_ipv4(payload: &[u8]) -> Vec<u8> {
    ipv4(1, 0x4000, 17, &udp(payload))
}

const MORE: u16 = 0x2000;
const ETHERNET_IPV4: [u8; 14] = hex!("020000000002 020000000001 0800");

#[test]
fn pcap_in_both_byte_orders_and_both_resolutions() {
    let frame = udp_in_ipv4(b"abcd");
    let length = (frame.len() as u32).to_be_bytes();
    let big = |magic: [u8; 4]| {
        let mut file = magic.to_vec();
        file.extend(hex!("0002 0004 00000000 00000000 00040000 00000065")); // version 2.4, link type 101
        file.extend(hex!("6553f100 000004d2")); // 1,700,000,000 s and 1,234 fractions
        file.extend(length);
        file.extend(length);
        file.extend(&frame);
        file
    };
    let little = |magic: [u8; 4]| {
        let mut file = big(magic);
        file[4..6].reverse();
        file[6..8].reverse();
        (2..10).for_each(|word| file[4 * word..4 * word + 4].reverse());
        file
    };
    let micro = 1_700_000_000_001_234_000;
    let nano = 1_700_000_000_000_001_234;
    for (file, captured_at) in [
        (big(hex!("a1b2c3d4")), micro),
        (big(hex!("a1b23c4d")), nano),
        (little(hex!("d4c3b2a1")), micro),
        (little(hex!("4d3cb2a1")), nano),
    ] {
        let (datagrams, stats, error) = read(&file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(
            datagrams,
            [Got {
                captured_at,
                source: "192.0.2.1:50000".parse().unwrap(),
                destination: "192.0.2.9:2055".parse().unwrap(),
                payload: b"abcd".to_vec(),
                truncated: false,
            }]
        );
        assert_eq!(stats, CaptureStats { frames: 1, datagrams: 1, ..CaptureStats::default() });
    }
}

/// pcapng section 4.2: each interface has its link type and its clock; a packet names its interface.
#[test]
fn pcapng_with_several_interfaces_and_clocks() {
    let mut file = SECTION_LE.to_vec();
    file.extend(block(1, &hex!("6500 0000 00000000"))); // raw IP, microseconds
    file.extend(block(1, &hex!("0100 0000 00000000 0900 0100 09000000 0000 0000"))); // Ethernet, nanoseconds
    file.extend(block(1, &hex!("6500 0000 00000000 0900 0100 94000000"))); // raw IP, 2^-20 s, no end of options
    file.extend(block(1, &hex!("6500 0000 00000000 0e00 0800 0a00000000000000 0000 0000"))); // + 10 s
    file.extend(block(0x0bad_cafe, &[1; 1000])); // unknown
    file.extend(block(6, &enhanced(0, 2_000_001, &udp_in_ipv4(b"micro"))));
    file.extend(block(6, &enhanced(1, 2_000_000_001, &[&ETHERNET_IPV4[..], &udp_in_ipv4(b"nano")].concat())));
    file.extend(block(6, &enhanced(2, 3 << 19, &udp_in_ipv4(b"binary"))));
    file.extend(block(6, &enhanced(3, 1, &udp_in_ipv4(b"offset"))));
    let (datagrams, _, error) = read(&file);
    assert!(error.is_none(), "{error:?}");
    let got: Vec<_> = datagrams.iter().map(|got| (got.captured_at, got.payload.as_slice())).collect();
    assert_eq!(
        got,
        [
            (2_000_001_000, &b"micro"[..]),
            (2_000_000_001, b"nano"),
            (1_500_000_000, b"binary"),
            (10_000_001_000, b"offset"),
        ]
    );
}

/// pcapng section 4.4: a Simple Packet Block has no time and is cut at the snap length of interface 0.
#[test]
fn pcapng_simple_and_obsolete_packets() {
    let frame = udp_in_ipv4(b"abcdefgh");
    let mut file = SECTION_LE.to_vec();
    file.extend(block(1, &hex!("6500 0000 20000000"))); // snap length 32
    let simple = [&36_u32.to_le_bytes()[..], &frame[..32]].concat();
    file.extend(block(3, &simple));
    let mut obsolete = enhanced(0, 7, &frame);
    obsolete[2] = 9; // drops count, where an Enhanced Packet Block has the interface
    file.extend(block(2, &obsolete));
    let (datagrams, stats, error) = read(&file);
    assert!(error.is_none(), "{error:?}");
    assert_eq!((datagrams[0].captured_at, &datagrams[0].payload[..], datagrams[0].truncated), (0, &b"abcd"[..], true));
    assert_eq!((datagrams[1].captured_at, &datagrams[1].payload[..]), (7_000, &b"abcdefgh"[..]));
    assert_eq!((stats.datagrams, stats.truncated), (2, 1));
}

/// pcapng section 4.1: a new section may have another byte order and numbers its interfaces from 0.
#[test]
fn pcapng_sections_start_over() {
    let frame = udp_in_ipv4(b"big");
    let mut file = SECTION_LE.to_vec();
    file.extend(block(1, &hex!("0100 0000 00000000")));
    let second = file.len() as u64;
    file.extend(hex!("0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffffffffffff 0000001c"));
    let interface = hex!("00000001 00000014 0065 0000 00000000 00000014");
    file.extend(interface);
    file.extend(hex!("00000006 00000040 00000000 00000000 00000005 0000001f 0000001f"));
    file.extend(&frame);
    file.extend(hex!("00 00000040"));
    let (datagrams, _, error) = read(&file);
    assert!(error.is_none(), "{error:?}");
    assert_eq!((datagrams[0].captured_at, &datagrams[0].payload[..]), (5_000, &b"big"[..]));

    // The twin: without its own description, interface 0 of the second section is unknown.
    let packet = second as usize + 28;
    file.drain(packet..packet + interface.len());
    let (datagrams, _, error) = read(&file);
    let error = error.unwrap();
    assert!(datagrams.is_empty());
    assert!(matches!(error.kind, CaptureErrorKind::UnknownInterface(0)));
    assert_eq!(error.offset, packet as u64);
}

#[test]
fn link_types() {
    let v4 = udp_in_ipv4(b"four");
    let v6 = ipv6(17, &udp(b"six"));
    let with = |header: &[u8], packet: &[u8]| [header, packet].concat();
    let ethernet = hex!("020000000002 020000000001");
    let cooked = hex!("0000 0001 0006 020000000001 0000"); // to us, Ethernet, address of 6 bytes
    let cooked_v2 = hex!("0000 00000002 0001 00 06 0200000000010000");
    for (link_type, frame, expected) in [
        (1, with(&ethernet, &with(&hex!("0800"), &v4)), "four"),
        (1, with(&ethernet, &with(&hex!("86dd"), &v6)), "six"),
        (1, with(&ethernet, &with(&hex!("8100 0064 0800"), &v4)), "four"),
        (1, with(&ethernet, &with(&hex!("88a8 0064 8100 00c8 86dd"), &v6)), "six"),
        (113, with(&cooked, &with(&hex!("0800"), &v4)), "four"),
        (113, with(&cooked, &with(&hex!("8100 0064 86dd"), &v6)), "six"),
        (276, with(&hex!("0800"), &with(&cooked_v2, &v4)), "four"),
        (276, with(&hex!("86dd"), &with(&cooked_v2, &v6)), "six"),
        (101, v4.clone(), "four"),
        (12, v6.clone(), "six"),
        (14, v4.clone(), "four"),
        (228, v4.clone(), "four"),
        (229, v6.clone(), "six"),
        (0, with(&hex!("02000000"), &v4), "four"),
        (0, with(&hex!("0000001e"), &v6), "six"),
        (108, with(&hex!("00000018"), &v6), "six"),
    ] {
        assert_eq!(payloads(&pcap(link_type, &[frame])), [expected.as_bytes()], "link type {link_type}");
    }
}

#[test]
fn every_other_frame_is_counted_by_reason() {
    let ethernet = |ether_type: [u8; 2], rest: &[u8]| [&ETHERNET_IPV4[..12], &ether_type, rest].concat();
    let frames = [
        ethernet(hex!("0806"), &hex!("0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000209")), // ARP
        ethernet(hex!("88cc"), &[0; 20]),                                                                  // LLDP
        ethernet(hex!("0800"), &ipv4(1, 0, 6, &[0; 20])),                                                  // TCP
        ethernet(hex!("0800"), &ipv4(1, MORE, 1, &[0; 8])), // ICMP fragment
        ethernet(hex!("0800"), &hex!("4500 00")),           // cut
        ethernet(hex!("0800"), &ipv4(1, 0, 17, &udp_with_length(7, b"abc"))), // impossible
        vec![1, 2, 3],
        ethernet(hex!("0800"), &udp_in_ipv4(b"yes")),
    ];
    let (datagrams, stats, error) = read(&pcap(1, &frames));
    assert!(error.is_none() && datagrams.len() == 1);
    let expected =
        CaptureStats { frames: 8, datagrams: 1, not_ip: 2, not_udp: 2, malformed: 3, ..CaptureStats::default() };
    assert_eq!(stats, expected);

    let (_, stats, _) = read(&pcap(147, &[vec![0; 64]]));
    assert_eq!(stats, CaptureStats { frames: 1, unknown_link_type: 1, ..CaptureStats::default() });
}

/// RFC 8200 section 4.1: extension headers lie between the header and UDP.
#[test]
fn ipv6_extension_headers_are_passed() {
    let mut rest =
        hex!("2b 00 01 04 00000000" /* hop by hop */ "3c 00 0000 00000000" /* routing */ "11 00 01 04 00000000")
            .to_vec();
    rest.extend(udp(b"deep"));
    assert_eq!(payloads(&pcap(101, &[ipv6(0, &rest)])), [b"deep"]);
}

/// The UDP payload is what the length says, as far as it was captured; 0 means the rest.
#[test]
fn udp_length_is_believed_as_far_as_there_are_bytes() {
    let frames = [
        ipv4(1, 0, 17, &udp_with_length(10, b"abcd")),
        ipv4(1, 0, 17, &udp_with_length(100, b"abcd")),
        ipv4(1, 0, 17, &udp_with_length(0, b"abcd")),
        ipv4(1, 0, 17, &udp(b"")),
    ];
    let (datagrams, stats, _) = read(&pcap(101, &frames));
    let got: Vec<_> = datagrams.iter().map(|got| (got.payload.as_slice(), got.truncated)).collect();
    assert_eq!(got, [(&b"ab"[..], false), (b"abcd", true), (b"abcd", false), (b"", false)]);
    assert_eq!(stats.truncated, 1);
}

/// Segmentation offload leaves the IPv4 total length 0; the frame's length counts then. Otherwise the total length
/// keeps Ethernet padding out.
#[test]
fn ipv4_total_length_zero_is_the_rest_of_the_frame() {
    let mut offloaded = ipv4(1, 0, 17, &udp_with_length(0, b"abcd"));
    offloaded[2..4].fill(0);
    let mut padded = ipv4(1, 0, 17, &udp_with_length(0, b"abcd"));
    padded.extend([0; 14]);
    assert_eq!(payloads(&pcap(101, &[offloaded, padded])), [b"abcd", b"abcd"]);
}

#[test]
fn a_frame_cut_by_the_snap_length_is_yielded_and_marked() {
    let mut frame = udp_in_ipv4(b"abcdefgh");
    frame.truncate(frame.len() - 5);
    let (datagrams, stats, _) = read(&pcap(101, &[frame]));
    assert_eq!((&datagrams[0].payload[..], datagrams[0].truncated), (&b"abc"[..], true));
    assert_eq!((stats.datagrams, stats.truncated), (1, 1));
}

/// The three fragments of one datagram of 40 bytes of IP payload, 16 + 16 + 8.
fn three_fragments(identification: u16) -> [Vec<u8>; 3] {
    let whole = udp(b"0123456789abcdefghijklmnopqrstuv");
    [
        ipv4(identification, MORE, 17, &whole[..16]),
        ipv4(identification, MORE | 2, 17, &whole[16..32]),
        ipv4(identification, 4, 17, &whole[32..]),
    ]
}

/// RFC 791 section 3.2: fragments come in any order and may come twice.
#[test]
fn ipv4_fragments_in_any_order() {
    let [a, b, c] = three_fragments(7);
    for order in [[&a, &b, &c], [&a, &c, &b], [&b, &a, &c], [&b, &c, &a], [&c, &a, &b], [&c, &b, &a]] {
        let frames = [order[0], order[0], order[1], order[2]].map(Clone::clone);
        let (datagrams, stats, _) = read(&pcap(101, &frames));
        assert_eq!(datagrams[0].payload, b"0123456789abcdefghijklmnopqrstuv");
        assert_eq!(datagrams[0].captured_at, 3_000_000_000);
        let expected =
            CaptureStats { frames: 4, datagrams: 1, reassembled: 1, fragments: 4, ..CaptureStats::default() };
        assert_eq!(stats, expected);
    }
}

#[test]
fn fragments_of_different_datagrams_do_not_mix() {
    let [a, b, c] = three_fragments(7);
    let [d, e, f] = three_fragments(8);
    assert_eq!(payloads(&pcap(101, &[a.clone(), d, e, b.clone(), f, c])).len(), 2);

    // The twin: the middle one is missing.
    let [_, _, c] = three_fragments(8);
    let (datagrams, stats, _) = read(&pcap(101, &[a, b, c]));
    assert!(datagrams.is_empty());
    assert_eq!((stats.fragments, stats.fragments_lost), (3, 3));
}

/// RFC 5722 section 4: fragments that overlap are taken when they agree; a contradiction costs the datagram.
#[test]
fn overlapping_fragments_must_agree() {
    let whole = udp(b"0123456789abcdefghijklmnopqrstuv");
    let [a, _, c] = three_fragments(7);
    let overlapping = ipv4(7, MORE | 1, 17, &whole[8..32]);
    assert_eq!(payloads(&pcap(101, &[a.clone(), overlapping.clone(), c.clone()])), [&whole[8..]]);

    let mut contradicting = overlapping;
    contradicting[20] ^= 1;
    let [_, b, _] = three_fragments(7);
    let (datagrams, stats, _) = read(&pcap(101, &[a, contradicting, b, c]));
    assert!(datagrams.is_empty());
    assert_eq!((stats.fragments, stats.fragments_lost), (4, 4));
}

/// RFC 791 section 3.2: all fragments but the last are multiples of 8 bytes; nothing lies beyond the last.
#[test]
fn impossible_fragments_cost_their_datagram_only() {
    let whole = udp(b"0123456789abcdefghijklmnopqrstuv");
    for wrong in [
        ipv4(7, MORE | 2, 17, &whole[16..31]),    // not a multiple of 8
        ipv4(7, 5, 17, &whole[..8]),              // a second end
        ipv4(7, MORE | 0x1fff, 17, &whole[..16]), // beyond 65,535 bytes
        ipv4(7, MORE | 4, 17, &whole[..16]),      // beyond the end
        ipv4(7, MORE, 17, &[]),                   // nothing
    ] {
        let [a, b, c] = three_fragments(7);
        let [d, e, f] = three_fragments(8);
        let (datagrams, stats, _) = read(&pcap(101, &[c, wrong, a, b, d, e, f]));
        assert_eq!(datagrams.len(), 1);
        assert_eq!((stats.fragments, stats.fragments_lost), (7, 4));
    }
}

/// RFC 8200 section 4.5: what is not complete after 60 seconds is given up; the identification may come again.
#[test]
fn fragments_older_than_a_minute_are_forgotten() {
    let [a, b, c] = three_fragments(7);
    let idle = ipv4(1, 0, 6, &[]);
    let wait = |seconds: usize| {
        let mut frames = vec![a.clone(), b.clone()];
        frames.extend(vec![idle.clone(); seconds - 2]);
        frames.push(c.clone());
        payloads(&pcap(101, &frames)).len()
    };
    assert_eq!((wait(60), wait(61)), (1, 0));
}

#[test]
fn ipv6_fragments() {
    let whole = udp(b"0123456789abcdef");
    let fragment = |offset_and_more: u16, bytes: &[u8]| {
        let mut rest = hex!("11 00 0000 cafe0001").to_vec();
        rest[2..4].copy_from_slice(&offset_and_more.to_be_bytes());
        rest.extend(bytes);
        ipv6(44, &rest)
    };
    let frames = [fragment(16, &whole[16..]), fragment(1, &whole[..16])];
    assert_eq!(payloads(&pcap(101, &frames)), [b"0123456789abcdef"]);
    // An "atomic" fragment is whole (RFC 6946).
    assert_eq!(payloads(&pcap(101, &[fragment(0, &whole)])), [b"0123456789abcdef"]);
}

/// A flood of beginnings cannot grow memory: the oldest incomplete datagrams make room.
#[test]
fn incomplete_datagrams_are_bounded() {
    let mut frames: Vec<_> = (0..1_000).map(|identification| three_fragments(identification)[0].clone()).collect();
    for identification in [999, 872, 871] {
        frames.extend_from_slice(&three_fragments(identification)[1..]);
    }
    let (datagrams, stats, _) = read(&pcap_every(0, 101, &frames));
    assert_eq!(datagrams.len(), 2); // 128 are kept: 872 to 999
    assert_eq!((stats.fragments, stats.reassembled), (1_006, 2));
    assert_eq!(stats.fragments_lost, 1_000);
}

/// A capture cut anywhere yields what lies before the cut and names the record that is cut.
#[test]
fn a_cut_file_yields_everything_before_the_cut() {
    let frame = udp_in_ipv4(b"abcd");
    let mut ng = SECTION_LE.to_vec();
    ng.extend(block(1, &hex!("6500 0000 00000000")));
    let mut ng_starts = vec![0, 28];
    for _ in 0..3 {
        ng_starts.push(ng.len());
        ng.extend(block(6, &enhanced(0, 0, &frame)));
    }
    let classic = pcap(101, &[frame.clone(), frame.clone(), frame.clone()]);
    let classic_starts = vec![0, 24, 24 + 48, 24 + 96];
    for (file, starts, before) in [(classic, classic_starts, 1), (ng, ng_starts, 2)] {
        for cut in 0..=file.len() {
            let (datagrams, _, error) = read(&file[..cut]);
            let complete = starts.iter().skip(1).chain([&file.len()]).filter(|end| **end <= cut).count();
            assert_eq!(datagrams.len(), complete.saturating_sub(before), "cut at {cut}");
            let clean = cut == file.len() || (cut > 0 && starts.contains(&cut));
            match error {
                None => assert!(clean, "cut at {cut}"),
                Some(error) => {
                    assert!(!clean && matches!(error.kind, CaptureErrorKind::UnexpectedEnd), "cut at {cut}: {error}");
                    assert_eq!(error.offset, starts[complete.min(starts.len() - 1)] as u64, "cut at {cut}");
                }
            }
        }
    }
}

#[test]
fn damage_is_named_with_its_place() {
    let frame = udp_in_ipv4(b"abcd");
    let mut file = pcap(101, &[frame.clone(), frame.clone()]);
    file[24 + 48 + 8..][..4].copy_from_slice(&262_145_u32.to_le_bytes());
    let (datagrams, _, error) = read(&file);
    assert_eq!(datagrams.len(), 1);
    assert_eq!(error.unwrap().to_string(), "frame length 262145 out of range at byte 72");

    let mut file = [&SECTION_LE[..], &block(1, &hex!("6500 0000 00000000"))].concat();
    file.extend(block(6, &enhanced(0, 0, &frame)));
    let (start, end) = (28 + 20, file.len());
    for (at, value, message) in [
        (start + 4, 11, "block length 11 is wrong at byte 48"),
        (start + 4, 0x10_0004, "block length 1048580 is wrong at byte 48"),
        (end - 4, 60, "block length 60 is wrong at byte 48"),
        (start + 8, 1, "interface 1 was not described at byte 48"),
        (start + 8 + 12, 500, "frame length 500 out of range at byte 48"),
        (8, 0, "byte-order magic [00, 00, 00, 00] is wrong at byte 0"),
        (12, 2, "unknown format version 2.0 at byte 0"),
    ] {
        let mut damaged = file.clone();
        damaged[at..at + 4].copy_from_slice(&u32::to_le_bytes(value));
        assert_eq!(read(&damaged).2.unwrap().to_string(), message);
    }
    for (file, message) in [
        (&b"\x1f\x8b\x08\x00"[..], "compressed with gzip (decompress it first) at byte 0"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd (decompress it first) at byte 0"),
        (b"PK\x03\x04", "neither pcap nor pcapng, but [50, 4b, 03, 04] at byte 0"),
        (b"", "the capture ends within the record that starts at byte 0"),
    ] {
        assert_eq!(read(file).2.unwrap().to_string(), message);
    }
}

/// A pipe gives bytes as they come.
#[test]
fn a_reader_may_give_one_byte_at_a_time() {
    struct Slow<'a>(&'a [u8]);
    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }
    let file = pcap(101, &[udp_in_ipv4(b"abcd"), udp_in_ipv4(b"efgh")]);
    let mut capture = Capture::open(Slow(&file)).unwrap();
    assert_eq!(capture.next_datagram().unwrap().unwrap().payload, b"abcd");
    assert_eq!(capture.next_datagram().unwrap().unwrap().payload, b"efgh");
    assert!(capture.next_datagram().unwrap().is_none());
}

#[test]
fn writer_refuses_what_no_datagram_can_be() {
    let (v4, v6): (SocketAddr, SocketAddr) = ("192.0.2.1:1".parse().unwrap(), "[2001:db8::1]:2".parse().unwrap());
    let mut writer = PcapWriter::new(Vec::new(), LinkLayer::RawIp).unwrap();
    for (at, source, destination, length) in [(0, v4, v6, 0), (0, v4, v4, 65_508), (u64::MAX, v4, v4, 0)] {
        let error = writer.write_datagram(at, source, destination, &vec![0; length]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    }
    writer.write_datagram(0, v4, v4, &[0; 65_507]).unwrap();
    writer.write_datagram(0, v6, v6, &[0; 65_527]).unwrap();
    let sizes: Vec<_> = payloads(&writer.finish().unwrap()).iter().map(Vec::len).collect();
    assert_eq!(sizes, [65_507, 65_527]);
}

/// RFC 768 and RFC 8200 section 8.1: the sum over pseudo-header, header and payload is 0xffff.
#[test]
fn writer_sets_valid_udp_checksums() {
    let sum = |bytes: &[u8]| {
        let mut sum: u32 =
            bytes.chunks(2).map(|pair| u32::from_be_bytes([0, 0, pair[0], *pair.get(1).unwrap_or(&0)])).sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum
    };
    for (source, destination, header, addresses) in
        [("192.0.2.1:1", "192.0.2.9:2", 20, 12..20), ("[2001:db8::1]:1", "[2001:db8::9]:2", 40, 8..40)]
    {
        let mut writer = PcapWriter::new(Vec::new(), LinkLayer::RawIp).unwrap();
        writer.write_datagram(0, source.parse().unwrap(), destination.parse().unwrap(), b"odd").unwrap();
        let packet = writer.finish().unwrap().split_off(24 + 16);
        let pseudo = [&packet[addresses], &[0, 17, 0, 11], &packet[header..]].concat();
        assert_eq!(sum(&pseudo), 0xffff);
    }
}

fn counts_add_up(stats: CaptureStats) -> bool {
    let skipped = stats.unknown_link_type + stats.not_ip + stats.not_udp + stats.malformed;
    stats.frames == stats.datagrams - stats.reassembled + stats.fragments + skipped
        && stats.fragments_lost <= stats.fragments
        && stats.truncated <= stats.datagrams
}

proptest! {
    #[test]
    fn written_datagrams_come_back(
        ethernet: bool,
        datagrams in proptest::collection::vec(
            (0..4_294_967_295_999_999_999_u64, any::<bool>(), any::<u16>(), proptest::collection::vec(any::<u8>(), 0..2_000)),
            0..8,
        ),
    ) {
        let link = if ethernet { LinkLayer::Ethernet } else { LinkLayer::RawIp };
        let mut writer = PcapWriter::new(Vec::new(), link).unwrap();
        let mut expected = Vec::new();
        for (captured_at, v6, port, payload) in datagrams {
            let address = if v6 { "2001:db8::1" } else { "192.0.2.1" };
            let source = SocketAddr::new(address.parse().unwrap(), port);
            let destination = SocketAddr::new(address.parse().unwrap(), 2055);
            writer.write_datagram(captured_at, source, destination, &payload).unwrap();
            expected.push(Got { captured_at, source, destination, payload, truncated: false });
        }
        let (got, _, error) = read(&writer.finish().unwrap());
        prop_assert!(error.is_none());
        prop_assert_eq!(got, expected);
    }

    #[test]
    fn arbitrary_files_neither_panic_nor_lose_count(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), start in 0..5_usize) {
        let starts = [&[][..], &hex!("d4c3b2a1"), &hex!("a1b23c4d"), &SECTION_LE, &pcap(1, &[])];
        let file = [starts[start], &bytes].concat();
        let (datagrams, stats, _) = read(&file);
        prop_assert!(counts_add_up(stats), "{:?}", stats);
        prop_assert!(datagrams.iter().map(|got| got.payload.len()).sum::<usize>() <= file.len());
    }

    #[test]
    fn arbitrary_frames_neither_panic_nor_lose_count(
        link_type in proptest::sample::select(vec![0_u16, 1, 12, 101, 108, 113, 228, 229, 276]),
        frames in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..20),
    ) {
        prop_assert!(counts_add_up(read(&pcap(link_type, &frames)).1));
    }

    /// Fragments with arbitrary offsets and ends: whatever comes out was sent.
    #[test]
    fn arbitrary_fragments_are_bounded(pieces in proptest::collection::vec((0..3_u16, 0..6_u16, any::<bool>(), 0..5_usize, 0..2_u8), 0..40)) {
        let frames: Vec<_> = pieces
            .iter()
            .map(|(identification, offset, more, units, fill)| {
                ipv4(*identification, offset | if *more { MORE } else { 0 }, 17, &vec![*fill; units * 8])
            })
            .collect();
        let (datagrams, stats, error) = read(&pcap(101, &frames));
        prop_assert!(error.is_none());
        prop_assert!(counts_add_up(stats), "{:?}", stats);
        prop_assert!(datagrams.iter().all(|got| got.payload.len() <= 80));
    }
}
