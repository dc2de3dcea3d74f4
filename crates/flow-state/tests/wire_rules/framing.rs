//! Where Messages, Sets and records begin and end.

use flow_state::{DecodeErrorKind as Kind, Version};
use flow_wire::encode::{FixedRecord, MessageWriter, header};
use hex_literal::hex;

use crate::common::{
    Collector, OCTETS, TEMPLATED, body, message, message_of, options_templates, receive, set, templates,
};

/// RFC 3954 section 5.1 counts records; exporters count Sets, leave Templates out, or send anything.
#[test]
fn q01_the_v9_count_does_not_frame_the_message() {
    let sets = [templates(Version::V9, &OCTETS), set(256, &hex!("00000005 00000006")), set(256, &hex!("00000007"))];
    let mut datagram = message(Version::V9, &[&sets[0], &sets[1], &sets[2]]);
    // All records, data records, Sets.
    for plausible in [4_u16, 3] {
        datagram[2..4].copy_from_slice(&plausible.to_be_bytes());
        assert_eq!(receive(&datagram).issues, []);
    }
    for count in [0_u16, 1, 2, 5, 65535] {
        datagram[2..4].copy_from_slice(&count.to_be_bytes());
        let seen = receive(&datagram);
        assert_eq!(seen.octets, [5, 6, 7], "{count} announced");
        assert_eq!(seen.issues, [(2, Kind::CountMismatch(count))]);
    }
}

/// Palo Alto and Cisco ACI fill datagrams up to a fixed size.
/// (RFC 7011 section 3.3.1.)
#[test]
fn q02_zero_fill_up_to_a_fixed_size_costs_nothing() {
    for version in TEMPLATED {
        let datagram = message(version, &[&templates(version, &OCTETS), &set(256, &hex!("00000005"))]);
        for fill in [4, 20, 1200] {
            let seen = receive(&[&datagram[..], &vec![0; fill]].concat());
            assert_eq!(seen.octets, [5]);
            assert_eq!(seen.issues, [(datagram.len(), Kind::TrailingBytes(fill))], "an information, not an error");
        }
    }
    // Not zero to its end, it is a Set without a length.
    let datagram = message(Version::V9, &[&templates(Version::V9, &OCTETS), &set(256, &hex!("00000005"))]);
    let seen = receive(&[&datagram[..], &[0; 1199], &[1]].concat());
    assert_eq!((seen.octets, seen.issues), (vec![5], vec![(datagram.len(), Kind::SetTooShort(0))]));
}

/// RFC 7011 section 3.3.1.
#[test]
fn q03_sets_begin_where_the_one_before_ends_aligned_or_not() {
    for version in TEMPLATED {
        let template = templates(version, &hex!("0100 0001 0001 0001"));
        let sets = [set(256, &[1]), set(256, &[2, 3]), set(256, &[4, 5, 6]), set(256, &[7])];
        let datagram = message(version, &[&template, &sets[0], &sets[1], &sets[2], &sets[3]]);
        let seen = receive(&datagram);
        assert_eq!((seen.octets, seen.issues), (vec![1, 2, 3, 4, 5, 6, 7], vec![]));
        // Padding that no Set has claimed is taken for one.
        let datagram = message(version, &[&template, &sets[0], &[0, 0, 0], &sets[1]]);
        let seen = receive(&datagram);
        let start = body(version) + template.len() + sets[0].len();
        assert_eq!((seen.octets, seen.issues), (vec![1], vec![(start, Kind::SetTooShort(1))]));
    }
}

/// RFC 3954 pads to four bytes; RFC 7011 section 3.3.1 allows any padding shorter than a record, of zeros.
/// (RFC 3954 section 5.3.)
#[test]
fn q05_data_padding_is_whatever_is_shorter_than_a_record() {
    for version in TEMPLATED {
        let template = templates(version, &hex!("0100 0002 0008 0008 0001 0004"));
        for padding in 0..12 {
            for byte in [0, 0xff] {
                let data = set(256, &[&[0; 8], &hex!("00000005")[..], &vec![byte; padding]].concat());
                let seen = receive(&message(version, &[&template, &data, &data]));
                assert_eq!(seen.octets, [5, 5], "{padding} bytes of {byte}");
                let first = body(version) + template.len() + 4 + 12;
                let notes = [(first, Kind::PaddingNotZero), (first + data.len(), Kind::PaddingNotZero)];
                assert_eq!(seen.issues, if byte == 0 || padding == 0 { &[][..] } else { &notes });
            }
        }
        let data = set(256, &[&[0; 8], &hex!("00000005")[..], &[0; 12]].concat());
        assert_eq!(receive(&message(version, &[&template, &data])).octets, [5, 0], "as long as a record, it is one");
    }
}

/// RFC 7011 section 9.
#[test]
fn q11_a_set_cut_by_the_end_of_the_datagram_costs_itself_alone() {
    for version in TEMPLATED {
        let datagram = message(
            version,
            &[&templates(version, &OCTETS), &set(256, &hex!("00000005")), &set(256, &hex!("00000006"))],
        );
        let last = body(version) + 12 + 8;
        for cut in 1..4 {
            let seen = receive(&datagram[..datagram.len() - cut]);
            assert_eq!(seen.octets, [5]);
            let announced = (version == Version::Ipfix).then_some((2, Kind::MessageTruncated(datagram.len() as u16)));
            let issues: Vec<_> = announced.into_iter().chain([(last, Kind::SetOverrun(8))]).collect();
            assert_eq!(seen.issues, issues, "{version:?} without its last {cut} bytes");
        }
    }
}

/// RFC 7011 section 3.3.2.
#[test]
fn q12_a_set_shorter_than_its_header_ends_the_message_there() {
    for version in TEMPLATED {
        for length in [0, 1, 2, 3] {
            let broken = [1, 0, 0, length, 0, 0, 0, 9];
            let datagram = message(
                version,
                &[&templates(version, &OCTETS), &set(256, &hex!("00000005")), &broken, &set(256, &hex!("00000006"))],
            );
            let seen = receive(&datagram);
            assert_eq!(seen.octets, [5]);
            assert_eq!(seen.issues, [(body(version) + 12 + 8, Kind::SetTooShort(length.into()))]);
        }
        // The length of a Set without records is 4.
        let empty = message(version, &[&templates(version, &OCTETS), &set(256, &[]), &set(256, &hex!("00000006"))]);
        assert_eq!(receive(&empty).octets, [6]);
    }
}

/// RFC 7011 section 3.3.2. In v9, 2 and 3 are reserved as well.
#[test]
fn q13_reserved_sets_are_skipped_by_their_length() {
    for version in TEMPLATED {
        for id in [4, 5, 100, 255].into_iter().chain((version == Version::V9).then_some([2, 3]).into_iter().flatten()) {
            let reserved = set(id, &hex!("0100 0001 0001 0004 00"));
            let datagram = message(
                version,
                &[&reserved, &templates(version, &OCTETS), &reserved, &set(256, &hex!("00000005")), &reserved],
            );
            let seen = receive(&datagram);
            assert_eq!(seen.octets, [5]);
            let first = body(version);
            let places = [first, first + 13 + 12, first + 13 + 12 + 13 + 8];
            assert_eq!(seen.issues, places.map(|at| (at, Kind::ReservedSet(id))), "{version:?}");
        }
    }
    let ids_of_ipfix = message(Version::Ipfix, &[&set(2, &OCTETS), &set(256, &hex!("00000005"))]);
    assert_eq!(receive(&ids_of_ipfix).issues, [], "2 is a Template Set there");
}

/// RFC 7011 section 3.3.1.
#[test]
fn q49_empty_sets_do_nothing() {
    for version in TEMPLATED {
        let (no_templates, no_options) = (templates(version, &[]), options_templates(version, &[]));
        let datagram = message(
            version,
            &[
                &no_templates,
                &templates(version, &OCTETS),
                &no_options,
                &set(256, &[]),
                &set(256, &hex!("00000005")),
                &no_templates,
            ],
        );
        let seen = receive(&datagram);
        assert_eq!(seen.octets, [5]);
        let places = [0, 4 + 12, 4 + 12 + 4, 4 + 12 + 4 + 4 + 8].map(|at| (body(version) + at, Kind::EmptySet));
        assert_eq!(seen.issues, places);
        let bytes = Collector::new();
        assert_eq!(bytes.state.pending_memory(), 0);
        // Of a Template that is not known, it has nothing that could wait.
        let mut collector = Collector::new();
        let unknown = collector.receive(&message(version, &[&set(300, &[])]));
        assert_eq!(unknown.issues, [(body(version), Kind::TemplateUnknown(300))]);
        assert_eq!(collector.state.pending_memory(), 0);
    }
}

/// RFC 7011 section 3.1. Some relays put several Messages into one datagram.
#[test]
fn q50_an_ipfix_message_ends_with_its_length_or_the_datagram() {
    let (template, data) = (set(2, &OCTETS), set(256, &hex!("00000005")));
    let first = message(Version::Ipfix, &[&template, &data]);
    let second = message_of(Version::Ipfix, 7, 1, &[&set(256, &hex!("00000006"))]);
    let other_domain = message_of(Version::Ipfix, 8, 0, &[&set(256, &hex!("00000006"))]);
    let seen = receive(&[&first[..], &second, &second].concat());
    assert_eq!((seen.octets, seen.issues), (vec![5, 6, 6], vec![]));
    let seen = receive(&[&first[..], &other_domain].concat());
    assert_eq!(seen.issues, [(first.len() + 16, Kind::TemplateUnknown(256))], "a Message has a domain of its own");

    let mut long = [&first[..], &second].concat();
    long[first.len() + 2..first.len() + 4].copy_from_slice(&500_u16.to_be_bytes());
    let seen = receive(&long);
    assert_eq!((seen.octets, seen.issues), (vec![5, 6], vec![(first.len() + 2, Kind::MessageTruncated(500))]));

    for tail in [&hex!("00")[..], &hex!("ffffff"), &message(Version::V9, &[&data])] {
        let seen = receive(&[&first[..], tail].concat());
        assert_eq!((seen.octets, seen.issues), (vec![5], vec![(first.len(), Kind::TrailingBytes(tail.len()))]));
    }
    for length in [0, 15_u16] {
        let mut broken = [&first[..], &second].concat();
        broken[first.len() + 2..first.len() + 4].copy_from_slice(&length.to_be_bytes());
        let seen = receive(&broken);
        assert_eq!((seen.octets, seen.issues), (vec![5], vec![(first.len() + 2, Kind::MessageTooShort(length))]));
    }
    // A length that leaves Sets out of the Message leaves them out.
    let mut short = message(Version::Ipfix, &[&template, &data, &data]);
    short[2..4].copy_from_slice(&(first.len() as u16).to_be_bytes());
    assert_eq!(receive(&short).octets, [5]);
}

/// The count of v1, v5 and v7 is a claim: no record is made of nothing.
#[test]
fn q51_fixed_records_are_the_fewer_of_announced_and_present() {
    for (version, length) in [(Version::V1, 48), (Version::V5, 48), (Version::V7, 52)] {
        let mut writer = MessageWriter::new();
        writer.begin(&header(version, flow_state::Timestamp::UNIX_EPOCH, 0, 0));
        for octets in 1..=40 {
            writer.fixed_record(&FixedRecord { octets, ..FixedRecord::default() });
        }
        let whole = writer.finish().unwrap().to_vec();
        let header = version.header_len();
        for (announced, bytes, records, issue) in [
            (40_u16, 40 * length, 40, None), // more than Cisco sends
            (65535, 40 * length, 40, Some((2, Kind::CountMismatch(65535)))),
            (3, 3 * length - 20, 2, Some((2, Kind::CountMismatch(3)))),
            (1, length - 1, 0, Some((2, Kind::CountMismatch(1)))),
            (2, 3 * length, 2, Some((header + 2 * length, Kind::TrailingBytes(length)))),
            (0, length, 0, Some((header, Kind::TrailingBytes(length)))),
        ] {
            let mut datagram = whole[..header + bytes].to_vec();
            datagram[2..4].copy_from_slice(&announced.to_be_bytes());
            let seen = receive(&datagram);
            assert_eq!(seen.octets, (1..=records).collect::<Vec<_>>(), "{version:?}, {announced} in {bytes} bytes");
            assert_eq!(seen.issues.first().copied(), issue, "{version:?}, {announced} in {bytes} bytes");
        }
    }
}
