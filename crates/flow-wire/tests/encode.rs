//! Messages as they are written, byte by byte.
#![allow(clippy::unwrap_used)]

use hex_literal::hex;

use flow_wire::encode::*;
use flow_wire::{FieldSpecifier, Message, Timestamp, VARIABLE_LENGTH, Version};

const START: Timestamp = Timestamp::from_unix_seconds(0x6553_f100);

const fn field(enterprise_number: u32, id: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { enterprise_number, id, length }
}

const FLOW: &[FieldSpecifier] = &[field(0, 8, 4), field(0, 1, 3), field(29305, 1, 8), field(0, 96, VARIABLE_LENGTH)];
const V9_FLOW: &[FieldSpecifier] = &[field(0, 8, 4), field(0, 1, 3)];
const SAMPLER: &[FieldSpecifier] = &[field(0, 302, 2), field(0, 305, 4)];

fn begun(version: Version) -> MessageWriter {
    let mut writer = MessageWriter::new();
    writer.begin(&header(version, START, 7, 1));
    writer
}

/// RFC 7011 sections 3.1 to 3.4: lengths cover their headers, enterprise elements carry their number.
#[test]
fn ipfix_message() {
    let mut writer = begun(Version::Ipfix);
    writer.template_set(&[TemplateDefinition::new(256, FLOW)]);
    writer.options_template_set(&[TemplateDefinition::options(257, 1, SAMPLER)]);
    writer.data_set(257).record().unsigned(2, 9).unsigned(4, 100);
    writer.data_set(256);
    writer.record().bytes(&[192, 0, 2, 1]).unsigned(3, 1500).unsigned(8, 64).variable(b"dns");
    let expected = hex!(
        "000a 0064 6553f100 00000007 00000001"                       // Message Header, 100 bytes
        "0002 001c 0100 0004 0008 0004 0001 0003 8001 0008 00007279" // Template 256, an element of PEN 29305
        "0060 ffff"                                                  // variable length
        "0003 0014 0101 0002 0001 012e 0002 0131 0004 0000"          // Options Template 257, one scope field, padding
        "0101 000c 0009 00000064 0000"                               // its record, padding
        "0100 0018 c0000201 0005dc 0000000000000040 03 646e73 00"    // a record, padding
    );
    assert_eq!(writer.finish().unwrap(), expected);
}

/// RFC 3954 sections 5 and 6: the count is of records, Templates among them; scope and option lengths are in bytes.
#[test]
fn v9_message() {
    let mut writer = begun(Version::V9);
    writer.template_set(&[TemplateDefinition::new(256, V9_FLOW)]);
    writer.options_template_set(&[TemplateDefinition::options(257, 1, &[field(0, 1, 4), field(0, 34, 4)])]);
    writer.data_set(256);
    writer.record().bytes(&[192, 0, 2, 1]).unsigned(3, 1500);
    writer.record().bytes(&[192, 0, 2, 2]).unsigned(3, 40);
    let expected = hex!(
        "0009 0004 00000000 6553f100 00000007 00000001" // header: four records
        "0000 0010 0100 0002 0008 0004 0001 0003"       // Template FlowSet
        "0001 0014 0101 0004 0004 0001 0004 0022 0004 0000" // Options Template FlowSet, padding
        "0100 0014 c0000201 0005dc c0000202 000028 0000" // Data FlowSet, padding
    );
    assert_eq!(writer.finish().unwrap(), expected);
}

const RECORD: FixedRecord = FixedRecord {
    source_address: [192, 0, 2, 1],
    destination_address: [198, 51, 100, 2],
    next_hop: [10, 0, 0, 1],
    ingress_interface: 1,
    egress_interface: 2,
    packets: 3,
    octets: 4,
    start_sys_uptime_ms: 5,
    end_sys_uptime_ms: 6,
    source_port: 7,
    destination_port: 8,
    tcp_flags: 0x1b,
    protocol: 6,
    tos: 0xb8,
    source_as: 9,
    destination_as: 10,
    source_mask: 24,
    destination_mask: 16,
    router: [10, 0, 0, 2],
};

#[test]
fn fixed_records() {
    let mut header = header(Version::V5, Timestamp::from_unix_nanos(1_700_000_000_000_000_005), 7, 0x0102);
    header.sys_uptime_ms = Some(1_000);
    header.sampling = 0x4064;
    let mut writer = MessageWriter::new();
    assert_eq!(
        writer.begin(&header).fixed_record(&RECORD).finish().unwrap(),
        hex!(
            "0005 0001 000003e8 6553f100 00000005 00000007 01 02 4064"
            "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
            "00 1b 06 b8 0009 000a 18 10 0000"
        )
    );
    header.version = Version::V7;
    assert_eq!(
        writer.begin(&header).fixed_record(&RECORD).finish().unwrap(),
        hex!(
            "0007 0001 000003e8 6553f100 00000005 00000007 00000000"
            "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
            "00 1b 06 b8 0009 000a 18 10 0000 0a000002"
        )
    );
    header.version = Version::V1;
    assert_eq!(
        writer.begin(&header).fixed_record(&RECORD).fixed_record(&RECORD).finish().unwrap()[..64],
        hex!(
            "0001 0002 000003e8 6553f100 00000005"
            "c0000201 c6336402 0a000001 0001 0002 00000003 00000004 00000005 00000006 0007 0008"
            "0000 06 b8 1b 00000000000000"
        )
    );
}

/// The records of v8 are written field by field: what they hold depends on the aggregation scheme.
#[test]
fn v8_message() {
    let mut header = header(Version::V8, Timestamp::from_unix_nanos(1_700_000_000_000_000_005), 7, 0x0102);
    header.aggregation = 2;
    let mut writer = MessageWriter::new();
    writer.begin(&header);
    for port in [53, 123] {
        writer.record().unsigned(20, 9).unsigned(4, 17 << 24).unsigned(2, 1024).unsigned(2, port);
    }
    let message = writer.finish().unwrap();
    assert_eq!(message[..28], hex!("0008 0002 00000000 6553f100 00000005 00000007 01 02 02 02 00000000"));
    assert_eq!(message[28 + 28 + 12..], hex!("00000000 00000009 11000000 0400 007b"));
    header.length_or_count = 2;
    assert_eq!(Message::decode(message).unwrap().header, header);
}

/// RFC 7011 section 7: lengths below 255 take one byte, others three; three are allowed for any.
#[test]
fn variable_lengths() {
    for (length, header) in [(0, &hex!("00")[..]), (254, &hex!("fe")), (255, &hex!("ff 00ff")), (300, &hex!("ff 012c"))]
    {
        let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
        writer.data_set(256).record().variable(&vec![b'a'; length]);
        let message = writer.finish().unwrap();
        assert_eq!(message[20..20 + header.len()], *header);
        assert_eq!(message.len(), 20 + header.len() + length);
    }
    let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
    writer.data_set(256).record().variable_in_long_form(b"ab");
    assert_eq!(writer.finish().unwrap()[20..], hex!("ff 0002 6162"));
}

/// RFC 7011 section 3.3.1: padding is shorter than any record of the Set, or it would be one.
#[test]
fn padding_is_never_as_long_as_a_record() {
    for (records, length) in
        [(&[5_usize][..], 12), (&[3, 3], 12), (&[3], 8), (&[1], 5), (&[2], 6), (&[3, 2], 9), (&[2, 3, 2], 12)]
    {
        let mut writer = begun(Version::Ipfix);
        writer.data_set(256);
        for &length in records {
            writer.record().unsigned(length, 1);
        }
        assert_eq!(writer.finish().unwrap().len() - 16, length, "{records:?}");
    }
}

/// RFC 7011 section 8.1: a withdrawal is a Template Record without fields.
#[test]
fn withdrawals() {
    let mut writer = begun(Version::Ipfix);
    writer.template_set(&[TemplateDefinition::new(256, &[]), TemplateDefinition::new(257, &[])]);
    writer.options_template_set(&[TemplateDefinition::options(258, 0, &[])]);
    assert_eq!(writer.finish().unwrap()[16..], hex!("0002 000c 0100 0000 0101 0000" "0003 0008 0102 0000"));
}

/// What a version cannot say, and what does not fit, is refused when the Message is finished; the next is clean.
#[test]
fn what_cannot_be_written_is_refused() {
    let refused = |version, write: fn(&mut MessageWriter)| {
        let mut writer = begun(version);
        write(&mut writer);
        let error = writer.finish().unwrap_err();
        assert!(writer.begin(&header(version, START, 0, 1)).finish().is_ok());
        error
    };
    let not_in = EncodeError::NotInVersion;
    let (v5, v9, ipfix) = (Version::V5, Version::V9, Version::Ipfix);
    assert_eq!(
        refused(v5, |m| {
            m.data_set(256);
        }),
        not_in(v5)
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.fixed_record(&RECORD);
        }),
        not_in(ipfix)
    );
    assert_eq!(
        refused(v9, |m| {
            m.template_set(&[TemplateDefinition::new(256, FLOW)]);
        }),
        not_in(v9)
    );
    assert_eq!(
        refused(v9, |m| {
            m.data_set(255);
        }),
        EncodeError::ReservedTemplateId(255)
    );
    assert_eq!(
        refused(v9, |m| {
            m.template_set(&[TemplateDefinition::new(0, V9_FLOW)]);
        }),
        EncodeError::ReservedTemplateId(0)
    );
    assert_eq!(
        refused(v9, |m| {
            m.template_set(&[TemplateDefinition::new(256, &[])]);
        }),
        EncodeError::FieldCount(256)
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.options_template_set(&[TemplateDefinition::options(256, 3, SAMPLER)]);
        }),
        EncodeError::FieldCount(256)
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.options_template_set(&[TemplateDefinition::options(256, 0, SAMPLER)]);
        }),
        EncodeError::FieldCount(256)
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.template_set(&[TemplateDefinition::new(256, &[field(0, 0x8001, 4)])]);
        }),
        EncodeError::ElementId(0x8001)
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.record();
        }),
        EncodeError::RecordOutsideSet
    );
    assert_eq!(
        refused(ipfix, |m| {
            m.data_set(256).record().unsigned(2, 65_536).unsigned(1, 256);
        }),
        EncodeError::Value(65_536)
    );
    assert_eq!(
        refused(v5, |m| {
            m.begin(&header(Version::V5, START, 0, 65_536));
        }),
        EncodeError::Value(65_536)
    );
    assert_eq!(MessageWriter::new().fixed_record(&RECORD).finish(), Err(not_in(Version::V1)));
}

/// RFC 7011 section 3.1: the Message length has 16 bits.
#[test]
fn a_message_has_at_most_65535_bytes() {
    let mut writer = begun(Version::Ipfix).with_padding(Padding::None);
    writer.data_set(256).record().bytes(&vec![0; 65_515]);
    assert_eq!(writer.finish().map(<[u8]>::len), Ok(65_535));

    for length in [65_516, 65_536, 1 << 20] {
        let mut writer = begun(Version::Ipfix);
        writer.data_set(256).record().bytes(&vec![0; length]);
        assert_eq!(writer.finish(), Err(EncodeError::MessageTooLong));
        writer.begin(&header(Version::Ipfix, START, 0, 1)).data_set(256).record().variable(&vec![0; length]);
        assert_eq!(writer.finish(), Err(EncodeError::MessageTooLong));
    }
}

#[test]
fn headers_decode_to_what_was_written() {
    for version in [Version::V1, Version::V5, Version::V7, Version::V9, Version::Ipfix] {
        let mut written = header(version, START, 7, 0);
        let mut writer = MessageWriter::new();
        writer.begin(&written);
        written.length_or_count = if version == Version::Ipfix { 16 } else { 0 };
        if version == Version::V1 {
            written.sequence_number = None;
        }
        let decoded = Message::decode(writer.finish().unwrap()).unwrap().header;
        assert_eq!(decoded, written);
    }
}
