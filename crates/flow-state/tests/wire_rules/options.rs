//! Options Templates and what they describe.

use flow_state::{DecodeErrorKind as Kind, Version};
use hex_literal::hex;

use crate::common::{Collector, OCTETS, TEMPLATED, body, message, options_templates, receive, set, templates};

/// Juniper sends scopes of no bytes and no scopes at all; nProbe no options.
/// (RFC 3954 section 6.1, RFC 7011 section 3.4.2.)
#[test]
fn q21_scopes_of_no_bytes_and_no_scopes_or_options_at_all_are_accepted() {
    for (version, forms) in [
        // Lengths in bytes: scope 1 (system) and samplingInterval.
        (
            Version::V9,
            [
                &hex!("0101 0004 0004 0001 0000 0022 0004")[..],
                &hex!("0101 0000 0004 0022 0004"),
                &hex!("0101 0004 0000 0001 0004"),
            ],
        ),
        // Counts of fields: observationDomainId and samplingInterval.
        (
            Version::Ipfix,
            [
                &hex!("0101 0002 0001 0095 0000 0022 0004")[..],
                &hex!("0101 0001 0000 0022 0004"),
                &hex!("0101 0001 0001 0095 0004"),
            ],
        ),
    ] {
        for template in forms {
            let datagram =
                message(version, &[&options_templates(version, template), &set(257, &hex!("00000064 00000065"))]);
            let seen = receive(&datagram);
            assert_eq!((seen.options_records, seen.issues), (2, vec![]), "{version:?} {template:02x?}");
        }
    }
    // More scopes than fields, neither scopes nor options: no Template, and no loss beside it.
    for (version, template, kind) in [
        (Version::V9, &hex!("0101 0000 0000")[..], Kind::TemplateEmpty(257)),
        (Version::Ipfix, &hex!("0101 0001 0002 0022 0004"), Kind::TemplateScopeCount(2)),
    ] {
        let sets = [
            options_templates(version, template),
            set(257, &hex!("00000064")),
            templates(version, &OCTETS),
            set(256, &hex!("00000005")),
        ];
        let seen = receive(&message(version, &[&sets[0], &sets[1], &sets[2], &sets[3]]));
        let unknown = body(version) + sets[0].len();
        assert_eq!((seen.octets, seen.options_records), (vec![5], 0));
        assert_eq!(seen.issues, [(body(version) + 4, kind), (unknown, Kind::TemplateUnknown(257))]);
    }
}

/// RFC 3954 section 6.1, RFC 7011 section 3.4.2.
#[test]
fn q22_options_lengths_that_do_not_add_up_cost_that_template_unless_it_is_padding() {
    let data = set(257, &hex!("00000001 00000064"));
    let after = options_templates(Version::V9, &hex!("0102 0004 0004 0001 0004 0022 0004"));
    let data_after = set(258, &hex!("00000001 00000064"));
    for (template, kind) in [
        // Option bytes that count padding, there and not there.
        (&hex!("0101 0004 0006 0001 0004 0022 0004 0000")[..], None),
        (&hex!("0101 0004 0007 0001 0004 0022 0004"), None),
        // What is counted is no padding; a scope of one field and a half; more than there is.
        (&hex!("0101 0004 0006 0001 0004 0022 0004 0001"), Some(Kind::TemplateOptionsLength(257))),
        (&hex!("0101 0006 0002 0001 0004 0022 0004"), Some(Kind::TemplateOptionsLength(257))),
        (&hex!("0101 0004 0008 0001 0004 0022 0004"), Some(Kind::TemplateTruncated(257))),
        (&hex!("0101 0190 0004 0001 0004 0022 0004"), Some(Kind::TemplateTruncated(257))),
    ] {
        let datagram = message(Version::V9, &[&options_templates(Version::V9, template), &after, &data_after, &data]);
        let seen = receive(&datagram);
        assert_eq!(seen.options_records, 1 + u32::from(kind.is_none()), "{template:02x?}");
        let unknown = datagram.len() - data.len();
        let issues: Vec<_> =
            kind.into_iter().flat_map(|kind| [(24, kind), (unknown, Kind::TemplateUnknown(257))]).collect();
        assert_eq!(seen.issues, issues, "{template:02x?}");
    }
    // IPFIX counts fields: one more than there is.
    let template = options_templates(Version::Ipfix, &hex!("0101 0003 0001 0095 0004 0022 0004"));
    let seen = receive(&message(Version::Ipfix, &[&template, &set(2, &OCTETS), &set(256, &hex!("00000005"))]));
    assert_eq!((seen.octets, seen.issues), (vec![5], vec![(20, Kind::TemplateTruncated(257))]));
}

/// One Cisco ASR 9000 was seen to send 19 Options Template Records in a Set.
/// (RFC 3954 section 6.2, RFC 7011 section 3.4.2.)
#[test]
fn q23_options_sets_hold_any_number_of_templates_and_records() {
    for version in TEMPLATED {
        let (mut definitions, mut sets) = (Vec::new(), Vec::new());
        for id in 257..257 + 19_u16 {
            let lengths = if version == Version::V9 { hex!("0004 0004 0001") } else { hex!("0002 0001 0095") };
            definitions.extend([&id.to_be_bytes()[..], &lengths, &hex!("0004 0022 0004")].concat());
            sets.push(set(id, &hex!("00000001 00000064 00000002 00000065")));
        }
        let definitions = options_templates(version, &definitions);
        let all: Vec<_> = [&definitions[..]].into_iter().chain(sets.iter().map(Vec::as_slice)).collect();
        let mut collector = Collector::new();
        let seen = collector.receive(&message(version, &all));
        assert_eq!((seen.options_records, seen.issues), (38, vec![]), "{version:?}");
        assert_eq!(collector.state.template_count(), 19);
        // One that is cut ends the Set, not those before it.
        let cut = options_templates(version, &definitions[4..definitions.len() - 4]);
        let seen = receive(&message(version, &[&cut, &sets[0], &sets[17]]));
        let last = body(version) + 4 + 18 * 14;
        assert_eq!((seen.options_records, seen.issues), (4, vec![(last, Kind::TemplateTruncated(275))]));
    }
}
