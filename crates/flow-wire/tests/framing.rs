//! Messages, Sets and Templates, by the rules of RFC 3954 and RFC 7011; each rule beside its twin that breaks it.
#![allow(clippy::unwrap_used)]

use flow_wire::legacy::Layout;
use flow_wire::{
    DecodeError, DecodeErrorKind as Kind, FieldSpecifier, Message, Set, SetId, SetKind, Template, TemplateLimits,
    Version,
};
use hex_literal::hex;

/// Sets of a datagram that frames without an error.
fn sets(datagram: &[u8]) -> Vec<Set> {
    Message::decode(datagram).unwrap().sets().map(Result::unwrap).collect()
}

/// Sets up to the first error, and that error.
fn sets_and_error(datagram: &[u8]) -> (usize, Option<DecodeError>) {
    let message = Message::decode(datagram).unwrap();
    let all: Vec<_> = message.sets().collect();
    (all.iter().filter(|set| set.is_ok()).count(), all.iter().find_map(|set| set.err()))
}

fn templates(datagram: &[u8]) -> Vec<Result<Template, DecodeError>> {
    let message = Message::decode(datagram).unwrap();
    let sets: Vec<_> = message.sets().map(Result::unwrap).filter(|set| set.kind != SetKind::Data).collect();
    let compile = |record| Template::compile(&record, &TemplateLimits::default());
    sets.iter().flat_map(|set| message.template_records(set)).map(|record| record.and_then(compile)).collect()
}

fn template_errors(datagram: &[u8]) -> Vec<DecodeError> {
    templates(datagram).into_iter().filter_map(Result::err).collect()
}

const IPFIX: [u8; 16] = hex!("000a 0000 6553f100 00000007 00000001");
const V9: [u8; 20] = hex!("0009 0001 00000fa0 6553f100 00000007 00000001");

/// A Message with these Sets; the length of IPFIX is filled in.
fn message(header: &[u8], sets: &[&[u8]]) -> Vec<u8> {
    let mut bytes = [&[header], sets].concat().concat();
    if header[1] == 10 {
        let len = u16::try_from(bytes.len()).unwrap();
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
    }
    bytes
}

/// RFC 7011 section 3.1.
#[test]
fn ipfix_header() {
    let datagram = message(&IPFIX, &[]);
    let header = Message::decode(&datagram).unwrap().header;
    assert_eq!(header.version, Version::Ipfix);
    assert_eq!(header.length_or_count, 16);
    assert_eq!(header.export_time.as_unix_millis(), 1_700_000_000_000);
    assert_eq!((header.sequence_number, header.observation_domain_id), (Some(7), 1));
    assert_eq!(header.sys_uptime_ms, None);
}

#[test]
fn a_header_cut_short_is_an_error_where_it_ends() {
    for header in [&IPFIX[..], &V9[..], &hex!("0005 0000"), &hex!("0001"), &hex!("00"), &[]] {
        let cut = &header[..header.len().saturating_sub(1)];
        assert_eq!(Message::decode(cut).unwrap_err(), DecodeError::new(cut.len(), Kind::HeaderTruncated));
    }
}

#[test]
fn other_versions_are_refused() {
    for version in [0, 3, 6, 11, 65535_u16] {
        let mut datagram = [0; 64];
        datagram[..2].copy_from_slice(&version.to_be_bytes());
        assert_eq!(Message::decode(&datagram).unwrap_err(), DecodeError::new(0, Kind::UnsupportedVersion(version)));
    }
    let datagram = [0, 9].repeat(40_000);
    assert_eq!(Message::decode(&datagram).unwrap_err().kind, Kind::DatagramTooLong(80_000));
}

/// RFC 7011 section 3.3.2: the Set length covers the Set header.
#[test]
fn set_length_includes_its_header() {
    let datagram = message(&IPFIX, &[&hex!("0100 0008 c0000201")]);
    let data = Set { id: SetId(256), kind: SetKind::Data, start: 16, end: 24 };
    assert_eq!(sets(&datagram), [data]);
    assert_eq!(data.body_start(), 20);
}

#[test]
fn a_set_shorter_than_its_header_ends_the_message() {
    for length in [0, 2, 3_u16] {
        let [high, low] = length.to_be_bytes();
        let datagram = message(&IPFIX, &[&hex!("0100 0008 c0000201"), &[1, 0, high, low], &hex!("0100 0004")]);
        assert_eq!(sets_and_error(&datagram), (1, Some(DecodeError::new(24, Kind::SetTooShort(length)))));
    }
}

#[test]
fn a_set_past_its_message_is_dropped_and_those_before_it_are_kept() {
    let datagram = message(&V9, &[&hex!("0100 0008 c0000201"), &hex!("0100 0009 c0000201")]);
    assert_eq!(sets_and_error(&datagram), (1, Some(DecodeError::new(28, Kind::SetOverrun(9)))));
}

/// RFC 7011 section 3.1: the Message length governs, not the datagram.
#[test]
fn the_message_ends_where_its_length_says() {
    let mut datagram = message(&IPFIX, &[&hex!("0100 0008 c0000201")]);
    datagram.extend(message(&IPFIX, &[]));
    let first = Message::decode(&datagram).unwrap();
    assert_eq!((first.end(), first.length_issue()), (24, None));
    let second = Message::decode_at(&datagram, first.end()).unwrap();
    assert_eq!((second.start(), second.end()), (24, 40));
}

#[test]
fn a_length_past_the_datagram_is_noted_and_what_is_there_is_read() {
    let mut datagram = message(&IPFIX, &[&hex!("0100 0008 c0000201")]);
    datagram[3] = 200;
    let message = Message::decode(&datagram).unwrap();
    assert_eq!(message.length_issue(), Some(DecodeError::new(2, Kind::MessageTruncated(200))));
    assert_eq!(message.sets().count(), 1);
    datagram[3] = 15;
    assert_eq!(Message::decode(&datagram).unwrap_err(), DecodeError::new(2, Kind::MessageTooShort(15)));
}

/// Palo Alto and Cisco ACI fill datagrams with zeros up to a fixed size.
#[test]
fn zero_fill_after_v9_sets_is_padding() {
    let datagram = message(&V9, &[&hex!("0100 0008 c0000201"), &[0; 1200]]);
    assert_eq!(sets_and_error(&datagram), (1, None));
    let datagram = message(&V9, &[&hex!("0100 0008 c0000201"), &[0; 1199], &[1]]);
    assert_eq!(sets_and_error(&datagram), (1, Some(DecodeError::new(28, Kind::SetTooShort(0)))));
}

#[test]
fn sets_need_no_alignment() {
    let datagram = message(&V9, &[&hex!("0100 0007 c00002"), &hex!("0100 0005 c0"), &hex!("00")]);
    assert_eq!(sets(&datagram).iter().map(|set| set.end).collect::<Vec<_>>(), [27, 32]);
}

/// RFC 7011 section 3.3.2: 4 to 255 are reserved; 0 and 1 are v9's, 2 and 3 IPFIX's.
#[test]
fn set_ids_by_version() {
    let kinds = |header: &[u8]| {
        let all: Vec<_> =
            [0, 1, 2, 3, 4, 255, 256, 65535_u16].map(|id| [id.to_be_bytes(), 4_u16.to_be_bytes()].concat()).into();
        let all: Vec<_> = all.iter().map(Vec::as_slice).collect();
        sets(&message(header, &all)).iter().map(|set| set.kind).collect::<Vec<_>>()
    };
    use SetKind::{Data, OptionsTemplate, Reserved, Template};
    assert_eq!(kinds(&V9), [Template, OptionsTemplate, Reserved, Reserved, Reserved, Reserved, Data, Data]);
    assert_eq!(kinds(&IPFIX), [Template, OptionsTemplate, Template, OptionsTemplate, Reserved, Reserved, Data, Data]);
}

/// RFC 7011 section 3.2: the enterprise bit brings a Private Enterprise Number; v9 has no such bit.
#[test]
fn field_specifiers_by_version() {
    let fields = |datagram: &[u8]| -> Vec<_> {
        let template = templates(datagram).remove(0).unwrap();
        template.field_specifiers().map(|f| (f.enterprise_number, f.id, f.length)).collect()
    };
    let ipfix = message(&IPFIX, &[&hex!("0002 0014 0100 0002 0008 0004 8001 0008 00007279")]);
    assert_eq!(fields(&ipfix), [(0, 8, 4), (29305, 1, 8)]);
    let v9 = message(&V9, &[&hex!("0000 0010 0100 0002 0008 0004 8001 0008")]);
    assert_eq!(fields(&v9), [(0, 8, 4), (0, 0x8001, 8)]);
}

#[test]
fn several_templates_share_a_set_with_padding() {
    for padding in [0, 1, 3, 5, 7] {
        let len = 4 + 16 + padding;
        let set = [&[0, 0, 0, len as u8][..], &hex!("0100 0001 0008 0004 0101 0001 0001 0003"), &vec![0; padding]];
        let compiled = templates(&message(&V9, &[&set.concat()]));
        let ids: Vec<_> = compiled.iter().map(|template| template.as_ref().unwrap().id()).collect();
        assert_eq!(ids, [256, 257], "{padding} bytes of padding");
    }
}

#[test]
fn one_bad_template_does_not_cost_the_next() {
    let set = hex!("0000 001c 00ff 0001 0008 0004 0100 0001 0008 0000 0101 0001 0008 0004");
    let compiled = templates(&message(&V9, &[&set]));
    assert_eq!(compiled[0], Err(DecodeError::new(24, Kind::TemplateIdReserved(255))));
    assert_eq!(compiled[1], Err(DecodeError::new(32, Kind::TemplateRecordLength(256))));
    assert_eq!(compiled[2].as_ref().unwrap().id(), 257);
}

/// Fields of no bytes make records that cost more to walk than to send.
#[test]
fn a_template_has_at_most_64_fields_of_length_0() {
    for (empty, fits) in [(64, true), (65, false), (2047, false)] {
        // One of them last, behind the field that has a byte.
        let fields = [[0, 82, 0, 0].repeat(empty - 1), hex!("0001 0001 0052 0000").to_vec()].concat();
        let head = [2, 8 + fields.len() as u16, 256, empty as u16 + 1].map(u16::to_be_bytes).concat();
        let compiled = templates(&message(&IPFIX, &[&head, &fields])).remove(0);
        let refused = DecodeError::new(20, Kind::TemplateRecordLength(256));
        assert_eq!(compiled.as_ref().err(), (!fits).then_some(&refused), "{empty}");
        let mut kept = vec![FieldSpecifier { enterprise_number: 0, id: 82, length: 0 }; empty];
        kept.push(FieldSpecifier { enterprise_number: 0, id: 1, length: 1 });
        let limits = TemplateLimits::default();
        let restored = Template::from_fields(256, Version::Ipfix, None, &kept, &limits);
        assert_eq!(restored.is_some(), fits, "{empty}");
    }
}

#[test]
fn a_template_past_its_set_ends_the_set() {
    let set = hex!("0002 0010 0100 0003 0008 0004 000c 0004");
    assert_eq!(template_errors(&message(&IPFIX, &[&set])), [DecodeError::new(20, Kind::TemplateTruncated(256))]);
    let set = hex!("0002 000c 0100 ffff 0008 0004");
    assert_eq!(template_errors(&message(&IPFIX, &[&set])), [DecodeError::new(20, Kind::TemplateTruncated(256))]);
}

#[test]
fn a_template_without_fields_is_a_withdrawal_in_ipfix_only() {
    let v9 = message(&V9, &[&hex!("0000 0008 0100 0000")]);
    assert_eq!(template_errors(&v9), [DecodeError::new(24, Kind::TemplateEmpty(256))]);
    for set in [hex!("0002 0008 0100 0000"), hex!("0002 0008 0002 0000"), hex!("0003 0008 0100 0000")] {
        let datagram = message(&IPFIX, &[&set]);
        let message = Message::decode(&datagram).unwrap();
        let set = message.sets().next().unwrap().unwrap();
        assert!(message.template_records(&set).next().unwrap().unwrap().is_withdrawal());
    }
}

#[test]
fn too_many_fields_are_refused() {
    let fields = [0, 8, 0, 4].repeat(2049);
    let len = u16::try_from(8 + fields.len()).unwrap().to_be_bytes();
    let set = [&[0, 2][..], &len, &hex!("0100 0801"), &fields].concat();
    assert_eq!(template_errors(&message(&IPFIX, &[&set])), [DecodeError::new(20, Kind::TemplateTooManyFields(2049))]);
    let fields = [0, 8, 0, 4].repeat(2048);
    let len = u16::try_from(8 + fields.len()).unwrap().to_be_bytes();
    let set = [&[0, 2][..], &len, &hex!("0100 0800"), &fields].concat();
    assert_eq!(templates(&message(&IPFIX, &[&set]))[0].as_ref().unwrap().field_specifiers().len(), 2048);
}

/// RFC 3954 section 6.1: scope and option lengths are bytes; RFC 7011 section 3.4.2.2: counts of fields.
#[test]
fn options_templates_know_their_scope() {
    let v9 = message(&V9, &[&hex!("0001 0012 0100 0004 0004 0001 0004 0022 0004")]);
    let ipfix = message(&IPFIX, &[&hex!("0003 0012 0100 0002 0001 0095 0004 0022 0004")]);
    for datagram in [v9, ipfix] {
        let template = templates(&datagram).remove(0).unwrap();
        assert!(template.is_options());
        assert_eq!((template.scope_field_count(), template.min_record_len()), (1, 8));
        // A scope is no option: v9 scope 1 is the system, not octetDeltaCount.
        assert_eq!(template.locate(0, 1), None);
    }
}

#[test]
fn options_templates_with_impossible_scopes_are_refused() {
    let more_scope_than_fields = message(&IPFIX, &[&hex!("0003 000e 0100 0001 0002 0095 0004")]);
    assert_eq!(template_errors(&more_scope_than_fields), [DecodeError::new(20, Kind::TemplateScopeCount(2))]);
    let uneven = message(&V9, &[&hex!("0001 0012 0100 0003 0005 0001 0004 0022 0004")]);
    assert_eq!(template_errors(&uneven), [DecodeError::new(24, Kind::TemplateOptionsLength(256))]);
    let past_set = message(&V9, &[&hex!("0001 000e 0100 0190 0004 0001 0004")]);
    assert_eq!(template_errors(&past_set), [DecodeError::new(24, Kind::TemplateTruncated(256))]);
}

/// Juniper sends options without a scope, which RFC 7011 section 3.4.2.2 forbids but which reads well.
#[test]
fn options_templates_without_a_scope_are_taken() {
    let v9 = message(&V9, &[&hex!("0001 000e 0100 0000 0004 0022 0004")]);
    let ipfix = message(&IPFIX, &[&hex!("0003 000e 0100 0001 0000 0022 0004")]);
    for datagram in [v9, ipfix] {
        assert_eq!(templates(&datagram)[0].as_ref().unwrap().scope_field_count(), 0);
    }
}

fn v5(count: u16, records: usize) -> Vec<u8> {
    let mut datagram = hex!("0005 0000 00000fa0 6553f100 00000001 00000009 03 05 4064").to_vec();
    datagram[2..4].copy_from_slice(&count.to_be_bytes());
    datagram.extend(vec![0; 48 * records]);
    datagram
}

#[test]
fn v5_header() {
    let datagram = v5(0, 0);
    let header = Message::decode(&datagram).unwrap().header;
    assert_eq!((header.sequence_number, header.observation_domain_id, header.sampling), (Some(9), 0x0305, 0x4064));
    assert_eq!(header.export_time.as_unix_nanos(), 1_700_000_000_000_000_001);
}

/// The count of v5 is a claim: no record is made of it that is not there.
#[test]
fn v5_records_are_the_fewer_of_announced_and_present() {
    for (count, present, records, issue) in [
        (2, 2, 2, None),
        (31, 31, 31, None),
        (65535, 1, 1, Some(DecodeError::new(2, Kind::CountMismatch(65535)))),
        (1, 3, 1, None),
    ] {
        let datagram = v5(count, present);
        let message = Message::decode(&datagram).unwrap();
        let template = Layout::V5.template();
        let set = message.sets().next().unwrap().unwrap();
        assert_eq!(message.records(&set, &template).count(), records, "{count} announced, {present} present");
        assert_eq!(message.length_issue(), issue);
    }
}

/// One manual documents records of 52 bytes; they are taken only where nothing else fits.
#[test]
fn v1_records_have_48_bytes_or_exactly_52() {
    for (body, len, long) in [(96, 48, false), (104, 52, true), (100, 48, false)] {
        let mut datagram = hex!("0001 0002 00000fa0 6553f100 00000001").to_vec();
        datagram.extend(vec![0; body]);
        let message = Message::decode(&datagram).unwrap();
        let layout = Layout::of(&message).unwrap();
        assert_eq!(layout, if long { Layout::LONG_V1 } else { Layout::V1 });
        let set = message.sets().next().unwrap().unwrap();
        assert_eq!(set.end - set.start, 2 * len);
        assert_eq!(layout.template().fixed_record_len(), Some(len));
    }
    assert_eq!(Layout::of(&Message::decode(&V9).unwrap()), None);
}

const V8: [u8; 28] = hex!("0008 0001 00000fa0 6553f100 00000005 0000000a 03 05 01 02 00000000");

fn v8(scheme: u8, count: u16, body: &[u8]) -> Vec<u8> {
    let mut datagram = [&V8, body].concat();
    datagram[2..4].copy_from_slice(&count.to_be_bytes());
    datagram[22] = scheme;
    datagram
}

#[test]
fn v8_header() {
    let header = Message::decode(&V8).unwrap().header;
    assert_eq!((header.version, header.aggregation), (Version::V8, 1));
    assert_eq!((header.sys_uptime_ms, header.sequence_number), (Some(4000), Some(10)));
    assert_eq!(header.observation_domain_id, 0x0305);
    assert_eq!(header.export_time.as_unix_nanos(), 1_700_000_000_000_000_005);
}

/// As for v5, the count is a claim.
#[test]
fn v8_records_are_the_fewer_of_announced_and_present() {
    for layout in (1..=14).map(|scheme| Layout::of_scheme(scheme).unwrap()) {
        let len = layout.template().min_record_len();
        let scheme = (layout.index() - Layout::V7.index()) as u8;
        for (count, bytes, records, issue) in [
            (2, 2 * len, 2, None),
            (3, 2 * len + len - 1, 2, Some(DecodeError::new(2, Kind::CountMismatch(3)))),
            (1, 2 * len, 1, None),
            (65535, 0, 0, Some(DecodeError::new(2, Kind::CountMismatch(65535)))),
        ] {
            let datagram = v8(scheme, count, &vec![0; bytes]);
            let message = Message::decode(&datagram).unwrap();
            let set = message.sets().next().unwrap().unwrap();
            assert_eq!((set.kind, set.start, set.end), (SetKind::BuiltIn, 28, 28 + records * len), "scheme {scheme}");
            assert_eq!(message.records(&set, &layout.template()).count(), records);
            assert_eq!(message.length_issue(), issue);
        }
    }
}

/// The length of a record is not known then, so that none can be read.
#[test]
fn an_unknown_aggregation_scheme_ends_the_message() {
    for scheme in [0, 15, 255] {
        let datagram = v8(scheme, 1, &[0; 28]);
        let message = Message::decode(&datagram).unwrap();
        let mut sets = message.sets();
        let error = DecodeError::new(22, Kind::AggregationUnknown(scheme));
        assert_eq!(sets.next(), Some(Err(error)));
        assert_eq!((sets.next(), sets.position(), message.length_issue()), (None, 28, None));
    }
}
