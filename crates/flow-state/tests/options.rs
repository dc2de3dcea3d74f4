//! Options data joined to flows: samplers, names, the start of the exporter.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use flow_state::SamplingSource::{Global, Header, Interface, Record, Sampler, Template};
use flow_state::{
    Datagram, DecodeErrorKind, Decoded, ElementError, ElementNumber, ElementTable, FlowRecord, OptionsTables,
    SamplingAlgorithm, SamplingSource, State, StateConfig, Timestamp, TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{FixedRecord, MessageWriter, TemplateDefinition, header};
use flow_wire::ie::{AbstractDataType, Semantics, Units};

const START: u64 = 1_700_000_000;

/// Elements with their values.
type Fields<'a> = &'a [(u16, &'a [u8])];

/// An exporter, the state it talks to, and the Messages it sends.
struct Exporter {
    state: State,
    version: Version,
    writer: MessageWriter,
    decoded: Decoded,
    datagram: Vec<u8>,
}

impl Exporter {
    fn new(version: Version) -> Self {
        Self {
            state: State::new(StateConfig::default()),
            version,
            writer: MessageWriter::new(),
            decoded: Decoded::default(),
            datagram: Vec::new(),
        }
        .begin()
    }

    fn begin(mut self) -> Self {
        self.writer.begin(&header(self.version, Timestamp::from_unix_seconds(START), 0, 7));
        self
    }

    /// An Options Template and one record of it; the first `scopes` fields are scope.
    fn options(mut self, id: u16, scopes: u16, fields: Fields<'_>) -> Self {
        let specifiers = specifiers(fields);
        self.writer.options_template_set(&[TemplateDefinition::options(id, scopes, &specifiers)]);
        self.data(id, fields)
    }

    /// A Template and one flow of it.
    fn flow(mut self, id: u16, fields: Fields<'_>) -> Self {
        let specifiers = specifiers(fields);
        self.writer.template_set(&[TemplateDefinition::new(id, &specifiers)]);
        self.data(id, fields)
    }

    fn data(mut self, id: u16, fields: Fields<'_>) -> Self {
        let mut record = self.writer.data_set(id).record();
        for (_, value) in fields {
            record.bytes(value);
        }
        self
    }

    fn send(mut self) -> Self {
        let bytes = self.writer.finish().unwrap().to_vec();
        self.receive(bytes)
    }

    fn receive(mut self, bytes: Vec<u8>) -> Self {
        let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
        let received_at = Timestamp::from_unix_seconds(START);
        self.state.decode(&Datagram::new(session, received_at, &bytes), &mut self.decoded);
        assert_eq!(self.decoded.accounting().total(), bytes.len() as u64);
        self.datagram = bytes;
        self.begin()
    }

    fn of_flows<T>(&self, read: impl Fn(&FlowRecord<'_>) -> T) -> Vec<T> {
        let replayed =
            self.decoded.replayed_sets().flat_map(|set| set.flows().map(|flow| read(&flow)).collect::<Vec<_>>());
        let now = self
            .decoded
            .data_sets(&self.datagram)
            .flat_map(|set| set.flows().map(|flow| read(&flow)).collect::<Vec<_>>());
        replayed.chain(now).collect()
    }

    /// Interval and source of each flow's sampling.
    fn rates(&self) -> Vec<Option<(u32, SamplingSource)>> {
        self.of_flows(|flow| flow.sampling().and_then(|found| Some((found.rate?.interval(), found.source))))
    }
}

fn specifiers(fields: Fields<'_>) -> Vec<FieldSpecifier> {
    let specifier =
        |&(id, value): &(u16, &[u8])| FieldSpecifier { enterprise_number: 0, id, length: value.len() as u16 };
    fields.iter().map(specifier).collect()
}

const SYSTEM: (u16, &[u8]) = (1, &[0, 0, 0, 1]);
const OCTETS: (u16, &[u8]) = (1, &[0, 0, 5, 220]);

/// Cisco's v9 scope "System"; IPFIX has exportingProcessId (144) instead.
fn scope(version: Version) -> (u16, &'static [u8]) {
    if version == Version::V9 { SYSTEM } else { (144, &[0, 0, 0, 1]) }
}

/// Rule Q21: scopes of length 0 (Juniper SRX), no options behind the scope, no scope at all (Juniper MX).
#[test]
fn q21_scopes_of_any_shape_are_the_whole_system() {
    let srx = Exporter::new(Version::V9).options(256, 1, &[(1, &[]), (35, &[2]), (34, &[0, 0, 0, 100])]);
    assert_eq!(srx.flow(257, &[OCTETS]).send().rates(), [Some((100, Global))]);
    // Scope count 0: Options Template 256 without scope, samplingInterval, then a record of it.
    let (template, record) = ([256_u16, 1, 0, 34, 4], 50_u32);
    let mx = Exporter::new(Version::Ipfix).flow(257, &[OCTETS]).send();
    let mut bytes = Exporter::new(Version::Ipfix).flow(257, &[OCTETS]).writer.finish().unwrap().to_vec();
    bytes.extend([3_u16, 14].iter().chain(&template).flat_map(|word| word.to_be_bytes()));
    bytes.extend([256_u16, 8].iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend(record.to_be_bytes());
    let length = bytes.len() as u16;
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(mx.receive(bytes).rates(), [Some((50, Global))]);
    // Options of no fields but their scope say nothing.
    let bare = Exporter::new(Version::V9).options(256, 1, &[SYSTEM]).flow(257, &[OCTETS]).send();
    assert_eq!((bare.rates(), bare.decoded.messages()[0].options_records), (vec![None], 1));
}

/// Rule Q24: an interval of any width up to 8 bytes; more is none.
#[test]
fn q24_intervals_have_any_width() {
    for version in [Version::V9, Version::Ipfix] {
        for width in 1..=8 {
            let interval = &[0, 0, 0, 0, 0, 0, 0, 200][8 - width..];
            for element in [34, 50] {
                let exporter =
                    Exporter::new(version).options(256, 1, &[scope(version), (element, interval), (35, &[1])]);
                let exporter = exporter.flow(257, &[OCTETS]).send();
                assert_eq!(exporter.rates(), [Some((200, Global))], "element {element} in {width} bytes");
                let algorithm = exporter.of_flows(|flow| flow.sampling().unwrap().algorithm);
                assert_eq!(algorithm, [Some(SamplingAlgorithm::Deterministic)]);
            }
        }
        for interval in [&[0; 4][..], &[0, 0, 0, 0, 0, 0, 0, 0, 200], &[0xff; 8]] {
            let exporter = Exporter::new(version).options(256, 1, &[scope(version), (34, interval)]);
            assert_eq!(exporter.flow(257, &[OCTETS]).send().rates(), [None], "{interval:?}");
        }
    }
}

/// Rule Q25: rate = (space + interval) / interval, or population / size, by sampler or selector.
#[test]
fn q25_rates_come_in_many_forms() {
    let (two, six, half) = (&[0, 2][..], &[6][..], &0.5_f64.to_be_bytes()[..]);
    for (options, rate, algorithm) in [
        (&[(305, two), (306, six), (304, &[0, 1])][..], Some(4.0), Some(SamplingAlgorithm::Deterministic)),
        (&[(305, six), (306, two), (304, &[0, 3])], Some(8.0 / 6.0), Some(SamplingAlgorithm::Random)),
        (&[(309, two), (310, six), (304, &[4])], Some(3.0), Some(SamplingAlgorithm::Random)),
        // IOS XR: the interval says the population a second time.
        (&[(305, six), (304, &[3]), (309, &[1]), (310, six)], Some(6.0), Some(SamplingAlgorithm::Random)),
        (&[(305, six)], Some(6.0), None),
        (&[(49, &[2]), (50, six), (34, two)], Some(6.0), Some(SamplingAlgorithm::Random)),
        (&[(311, half)], Some(2.0), None),
        // No rates.
        (&[(309, six), (310, two)], None, None),
        (&[(305, &[0]), (306, six)], None, None),
        (&[(311, &[0; 8])], None, None),
    ] {
        for key in [48, 302] {
            let mut fields = vec![(key, &[0, 9][..])];
            fields.extend(options);
            let exporter = Exporter::new(Version::Ipfix).options(256, 1, &fields);
            let exporter = exporter.flow(257, &[OCTETS, (key, &[9])]).flow(258, &[OCTETS, (key, &[8])]).send();
            let found = exporter.of_flows(|flow| {
                let sampling = flow.sampling().unwrap();
                assert_eq!(sampling.source, Sampler, "the record names a sampler");
                (sampling.rate.map(|rate| rate.as_f64()), sampling.algorithm.filter(|_| sampling.rate.is_some()))
            });
            assert_eq!(found, [(rate, algorithm), (None, None)], "{options:?}: of sampler 9, not of 8");
            assert_eq!(exporter.of_flows(|flow| flow.octets()), [Some(1500); 2], "raw counters stay raw");
        }
    }
}

/// Rule Q26: options behind the flows of a datagram hold for them too; later ones for later flows.
#[test]
fn q26_options_hold_for_the_flows_of_their_datagram_and_for_later_ones() {
    for version in [Version::V9, Version::Ipfix] {
        let interval: Fields<'_> = &[scope(version), (34, &[100])];
        let exporter = Exporter::new(version).flow(257, &[OCTETS]).send();
        assert_eq!(exporter.rates(), [None], "not yet known");
        let exporter = exporter.data(257, &[OCTETS]).options(256, 1, interval).send();
        assert_eq!(exporter.rates(), [Some((100, Global))], "in front of the options");
        let exporter = exporter.data(257, &[OCTETS]).send();
        assert_eq!(exporter.rates(), [Some((100, Global))]);
        let exporter = exporter.data(257, &[OCTETS]).data(256, &[scope(version), (34, &[50])]).send();
        assert_eq!(exporter.rates(), [Some((50, Global))]);
    }
}

/// Several Messages of a datagram share what it said of their domain.
#[test]
fn options_of_a_later_message_of_the_datagram_hold_too() {
    let mut first = Exporter::new(Version::Ipfix).flow(257, &[OCTETS]);
    let mut datagram = first.writer.finish().unwrap().to_vec();
    let mut second = Exporter::new(Version::Ipfix).options(256, 1, &[(144, &[1]), (34, &[100])]);
    datagram.extend(second.writer.finish().unwrap());
    assert_eq!(Exporter::new(Version::Ipfix).receive(datagram).rates(), [Some((100, Global))]);
}

/// Flows that waited for their Template take the newest options.
#[test]
fn replayed_flows_are_joined_as_of_their_release() {
    let exporter = Exporter::new(Version::V9).data(257, &[OCTETS]).options(256, 1, &[SYSTEM, (34, &[100])]).send();
    assert_eq!(exporter.rates(), []);
    let exporter = exporter.flow(257, &[OCTETS]).data(256, &[SYSTEM, (34, &[50])]).send();
    assert_eq!(exporter.rates(), [Some((50, Global)), Some((50, Global))]);
}

/// Rule Q27: Fortinet's system record has samplingInterval between its counters, with changing junk.
#[test]
fn q27_changing_rates_among_statistics_are_not_believed() {
    let statistics = |interval: u32, algorithm: u8| {
        let fields = [SYSTEM, (41, &[0; 8]), (42, &[0; 8]), (36, &[7, 8]), (34, &[0; 4]), (35, &[0])];
        let mut exporter = Exporter::new(Version::V9);
        exporter.writer.options_template_set(&[TemplateDefinition::options(256, 1, &specifiers(&fields))]);
        exporter
            .writer
            .data_set(256)
            .record()
            .bytes(&[0; 22])
            .unsigned(4, interval.into())
            .unsigned(1, algorithm.into());
        exporter.writer.finish().unwrap().to_vec()
    };
    let believed = |told: &[(u32, u8)]| {
        let mut exporter = Exporter::new(Version::V9).flow(257, &[OCTETS]).send();
        told.iter().for_each(|&(interval, algorithm)| {
            let taken = std::mem::replace(&mut exporter, Exporter::new(Version::V9));
            exporter = taken.receive(statistics(interval, algorithm));
        });
        exporter.data(257, &[OCTETS]).send().rates()[0].map(|(interval, _)| interval)
    };
    assert_eq!(believed(&[(100, 1)]), Some(100));
    assert_eq!(believed(&[(100, 1), (100, 1)]), Some(100));
    assert_eq!(believed(&[(100, 1), (7_340_032, 1), (51_118, 2)]), None, "junk");
    assert_eq!(believed(&[(100, 1), (200, 1), (200, 1)]), Some(200), "a change that stays");
    assert_eq!(believed(&[(u32::MAX, 1)]), None);
    assert_eq!(believed(&[(100, 77)]), None);
    // The twin: a record of sampling alone is believed at once.
    let exporter = Exporter::new(Version::V9).options(256, 1, &[SYSTEM, (34, &[100]), (35, &[1])]).send();
    let exporter = exporter.data(256, &[SYSTEM, (34, &[200]), (35, &[1])]).flow(257, &[OCTETS]).send();
    assert_eq!(exporter.rates(), [Some((200, Global))]);
}

/// Rule Q28: application ids of 4, 8, 9 and 17 bytes: engine, then a selector of any width (RFC 6759 section 4.1).
#[test]
fn q28_application_ids_have_any_width() {
    let id = |engine: u8, width: usize, selector: u8| {
        let mut id = vec![0; width];
        (id[0], id[width - 1]) = (engine, selector);
        id
    };
    for width in [2, 4, 8, 9, 17] {
        let known = id(3, width, 80);
        let options: Fields<'_> = &[SYSTEM, (95, &known), (96, b"http\0\0\0\0"), (94, b"World Wide Web\0")];
        for (asked, name) in [(&known, Some("http")), (&id(3, 4, 80), Some("http")), (&id(3, width, 81), None)] {
            let exporter = Exporter::new(Version::V9).options(256, 1, options).flow(257, &[OCTETS, (95, asked)]).send();
            assert_eq!(exporter.of_flows(|flow| flow.application_name().map(str::to_owned)), [name.map(str::to_owned)]);
            assert_eq!(exporter.of_flows(|flow| flow.application_id().map(<[u8]>::to_vec)), [Some(asked.clone())]);
        }
        assert_eq!(
            Exporter::new(Version::V9)
                .options(256, 1, options)
                .flow(257, &[(95, &id(4, width, 80))])
                .send()
                .of_flows(|flow| flow.application_name().is_some()),
            [false],
            "of another engine"
        );
    }
    // Longer than any engine defines, or empty: the bytes remain, without a name.
    for odd in [&[3; 18][..], &[]] {
        let exporter = Exporter::new(Version::V9).options(256, 1, &[SYSTEM, (95, odd), (96, b"http")]);
        let exporter = exporter.flow(257, &[OCTETS, (95, odd)]).send();
        assert_eq!(exporter.of_flows(|flow| flow.application_name().is_some()), [false]);
        assert_eq!(
            exporter.of_flows(|flow| flow.application_id().map(<[u8]>::len)),
            [Some(odd.len()).filter(|len| *len > 0)]
        );
    }
}

/// Rule Q32: systemInitTimeMilliseconds only in options; the uptimes of all flows count from it.
#[test]
fn q32_the_start_of_the_exporter_is_told_in_options() {
    let init = (START * 1000 - 60_000).to_be_bytes();
    let flow: Fields<'_> = &[OCTETS, (22, &[0, 0, 0x13, 0x88])];
    let exporter = Exporter::new(Version::Ipfix).flow(257, flow).options(256, 1, &[(143, &[1]), (160, &init)]).send();
    let starts =
        |exporter: &Exporter| exporter.of_flows(|flow| flow.exported_time().start.map(|start| start.as_unix_millis()));
    assert_eq!(starts(&exporter), [Some(START * 1000 - 55_000)]);
    assert_eq!(starts(&exporter.data(257, flow).send()), [Some(START * 1000 - 55_000)]);
    // The twin: of another length it is no time.
    let exporter = Exporter::new(Version::Ipfix).flow(257, flow).options(256, 1, &[(143, &[1]), (160, &[1; 9])]).send();
    assert_eq!(starts(&exporter), [None]);
}

/// Rule Q55: names padded with NUL and not always UTF-8, of interfaces, VRFs and applications.
#[test]
fn q55_names_are_cut_at_nul_and_shown_lossy() {
    for (bytes, name) in [(&b"Gi0/1\0\0\0"[..], Some("Gi0/1")), (b"caf\xe9\r\n", Some("caf\u{fffd}")), (b"\0\0", None)]
    {
        let exporter = Exporter::new(Version::V9)
            .options(256, 1, &[SYSTEM, (10, &[0, 3]), (82, bytes)])
            .options(258, 1, &[SYSTEM, (234, &[0, 5]), (236, bytes)])
            .options(259, 1, &[SYSTEM, (95, &[3, 80]), (96, bytes)])
            .flow(257, &[OCTETS, (14, &[3]), (235, &[5]), (95, &[3, 80])])
            .send();
        let names = exporter.of_flows(|flow| {
            let names = [flow.egress_interface_name(), flow.egress_vrf_name(), flow.application_name()];
            assert_eq!((flow.ingress_interface_name(), flow.ingress_vrf_name()), (None, None));
            names.map(|name| name.map(str::to_owned))
        });
        assert_eq!(names, [[name; 3].map(|name| name.map(str::to_owned))]);
    }
}

/// Names by v9 scope Interface, by elements in and behind the scope, by both directions as IOS XR has it.
#[test]
fn interface_names_are_keyed_in_many_ways() {
    let index: &[u8] = &[0, 0, 0, 9];
    for (version, scopes, fields) in [
        (Version::V9, 1, &[(2, index), (82, b"eth0".as_slice())][..]),
        (Version::V9, 1, &[SYSTEM, (10, index), (83, b"eth0")]),
        (Version::Ipfix, 2, &[(10, index), (14, index), (83, b"an uplink"), (82, b"eth0")]),
        (Version::Ipfix, 1, &[(252, index), (82, b"eth0")]),
        (Version::Ipfix, 1, &[(144, index), (253, index), (82, b"eth0")]),
    ] {
        let exporter = Exporter::new(version).options(256, scopes, fields);
        let exporter = exporter.flow(257, &[OCTETS, (10, &[9]), (14, &[0, 8])]).flow(258, &[(252, &[9])]).send();
        let names = exporter
            .of_flows(|flow| (flow.ingress_interface_name() == Some("eth0"), flow.egress_interface_name().is_some()));
        assert_eq!(names, [(true, false); 2], "{fields:?}");
    }
}

/// The record before the sampler before the interface before the Template before the domain before the header.
#[test]
fn the_most_specific_rate_counts() {
    let told = || {
        Exporter::new(Version::Ipfix)
            .options(301, 1, &[(144, &[1]), (34, &[60])])
            .options(302, 1, &[(145, &[1, 1]), (34, &[50])])
            .options(303, 1, &[(10, &[4]), (34, &[40])])
            .options(304, 1, &[(302, &[3]), (34, &[30])])
    };
    for (template, flow, expected) in [
        (257, &[OCTETS, (34, &[20][..]), (302, &[3]), (10, &[4])][..], (20, Record)),
        (257, &[OCTETS, (34, &[0]), (302, &[3]), (10, &[4])], (30, Sampler)),
        (257, &[OCTETS, (302, &[9]), (10, &[4])], (40, Interface)),
        (257, &[OCTETS, (10, &[5]), (14, &[4])], (40, Interface)),
        (257, &[OCTETS, (10, &[5])], (50, Template)),
        (258, &[OCTETS, (10, &[5])], (60, Global)),
    ] {
        assert_eq!(told().flow(template, flow).send().rates(), [Some(expected)], "{flow:?}");
    }
    let mut v5 = header(Version::V5, Timestamp::from_unix_seconds(START), 0, 0);
    v5.sampling = 0x4064;
    let mut writer = MessageWriter::new();
    let bytes = writer.begin(&v5).fixed_record(&FixedRecord::default()).finish().unwrap().to_vec();
    assert_eq!(Exporter::new(Version::V5).receive(bytes).rates(), [Some((100, Header))]);
}

/// Type information of an element, in an options record about its number: the Options Template of RFC 5610 section 3.9 with
/// the type (RFC 5610 section 3.1), the name (RFC 5610 section 3.3) and the semantics (RFC 5610 section 3.6).
#[test]
fn unknown_elements_get_the_name_and_type_that_their_exporter_tells() {
    let told = |name: &[u8]| {
        let pen = 64_999_u32.to_be_bytes();
        let fields: Fields<'_> = &[
            (346, &pen),
            (303, &[0x80, 7]),
            (339, &[3]),
            (344, &[4]),
            (345, &[2]),
            (341, name),
            (340, b"who it is\0"),
        ];
        Exporter::new(Version::Ipfix).options(256, 2, fields).flow(257, &[OCTETS]).send()
    };
    let specifier = FieldSpecifier { enterprise_number: 64_999, id: 7, length: 4 };
    for (name, shown) in [
        (&b"subscriberId"[..], Some("subscriberId")),
        (b"sub scriber\"\n\x1b[31m\0junk", Some("sub_scriber____31m")),
        (&[b'x'; 300], Some(&*"x".repeat(128))),
        (b"\0\0", None),
    ] {
        let mut exporter = told(name);
        exporter.writer.template_set(&[TemplateDefinition::new(258, &[specifier])]);
        exporter.writer.data_set(258).record().unsigned(4, 42);
        let exporter = exporter.send();
        let found = exporter.of_flows(|flow| {
            let field = flow.record().fields().next().unwrap();
            let element = exporter.state.element(flow.context(), &field);
            element.map(|element| (element.name.to_owned(), element.data_type))
        });
        assert_eq!(found, [shown.map(|name| (name.to_owned(), AbstractDataType::Unsigned32))]);
        exporter.of_flows(|flow| {
            let learned = flow.context().options().unwrap().element(64_999, 7);
            assert_eq!(
                learned.map(|element| (element.units, element.semantics)),
                shown.map(|_| (Units::Octets, Semantics::Identifier))
            );
            assert!(flow.context().options().unwrap().element(64_999, 8).is_none());
        });
    }
    // What the registry lists is not told anew by a network.
    let fields: Fields<'_> = &[(346, &[0]), (303, &[1]), (339, &[13]), (341, b"evil")];
    let exporter = Exporter::new(Version::Ipfix).options(256, 2, fields).flow(257, &[OCTETS]).send();
    let name = exporter.of_flows(|flow| {
        let field = flow.record().fields().next().unwrap();
        exporter.state.element(flow.context(), &field).map(|element| element.name.to_owned())
    });
    assert_eq!(name, [Some("octetDeltaCount".to_owned())]);
}

/// A user's own elements come before the registry; v9 numbers its own.
#[test]
fn a_users_elements_are_known_by_their_numbering() {
    let mut elements = ElementTable::default();
    let string = ElementTable::data_type("string").unwrap();
    elements.define(ElementNumber::Ipfix(0, 1), "mine", string).unwrap();
    elements.define(ElementNumber::V9(1), "mine.v9", string).unwrap();
    assert_eq!(elements.define(ElementNumber::V9(1), "again", string), Err(ElementError::Twice));
    assert_eq!(elements.define(ElementNumber::V9(2), "a b", string), Err(ElementError::Name));
    assert_eq!(elements.define(ElementNumber::Ipfix(9, 0x8000), "a", string), Err(ElementError::Number));
    assert_eq!(ElementTable::data_type("unsigned7"), None);
    let elements = Arc::new(elements);
    for (version, name) in [(Version::Ipfix, "mine"), (Version::V9, "mine.v9")] {
        let mut config = StateConfig::default();
        config.elements = elements.clone();
        let exporter = Exporter { state: State::new(config), ..Exporter::new(version) }.flow(257, &[OCTETS]).send();
        exporter.of_flows(|flow| {
            let field = flow.record().fields().next().unwrap();
            let element = exporter.state.element(flow.context(), &field).unwrap();
            assert_eq!((element.name, element.data_type), (name, AbstractDataType::String));
        });
    }
}

/// One exporter that tells names without end stays within its limits, and a sampler outlives them.
#[test]
fn a_flood_of_names_stays_in_its_limits() {
    let mut exporter = Exporter::new(Version::V9).options(256, 1, &[SYSTEM, (48, &[9]), (50, &[0, 100])]);
    let fields: Fields<'_> = &[SYSTEM, (10, &[0; 4]), (82, &[0; 250])];
    exporter.writer.options_template_set(&[TemplateDefinition::options(258, 1, &specifiers(fields))]);
    exporter = exporter.send();
    let mut refused = 0;
    for first in (0..20_000_u32).step_by(200) {
        exporter.writer.data_set(258);
        for index in first..first + 200 {
            let name = format!("{index:0>250}");
            exporter.writer.record().bytes(&[0; 4]).unsigned(4, index.into()).bytes(name.as_bytes());
        }
        exporter = exporter.send();
        refused += exporter.decoded.issues().counts()[DecodeErrorKind::BudgetExceeded.index()];
        let tables = exporter.decoded.messages()[0].options().unwrap();
        assert!(tables.len() <= OptionsTables::MAX_ROWS);
        assert!(exporter.state.memory() <= OptionsTables::MAX_BYTES + 8192, "{}", exporter.state.memory());
    }
    assert_eq!(refused, 0, "new names take the place of old ones");
    assert!(exporter.state.memory() > OptionsTables::MAX_BYTES / 2, "the limit was reached");
    let exporter = exporter.flow(257, &[(48, &[9]), (10, &19_999_u32.to_be_bytes())]).send();
    assert_eq!(exporter.rates(), [Some((100, Sampler))]);
    assert!(exporter.of_flows(|flow| flow.ingress_interface_name().is_some())[0], "the newest name is there");
}

#[test]
fn options_over_budget_are_told_of_and_cost_no_flow() {
    let mut config = StateConfig::default();
    config.memory = 16 << 10;
    let state = State::new(config);
    let mut exporter = Exporter { state, ..Exporter::new(Version::V9) };
    for id in 256..300_u16 {
        exporter = exporter.options(id, 1, &[SYSTEM, (10, &id.to_be_bytes()), (82, b"a name of an interface")]);
    }
    let exporter = exporter.flow(300, &[OCTETS, (10, &[1, 0])]).send();
    assert!(exporter.decoded.issues().counts()[DecodeErrorKind::BudgetExceeded.index()] > 0);
    assert!(exporter.state.memory() <= 4096, "a quarter of the limit");
}

/// Workers share a table; what one of them reads is not changed by another.
#[test]
fn a_message_keeps_the_tables_it_was_given() {
    let first = Exporter::new(Version::V9).options(256, 1, &[SYSTEM, (10, &[9]), (82, b"old")]);
    let first = first.flow(257, &[OCTETS, (10, &[9])]).send();
    let context = first.decoded.messages()[0].clone();
    let second = first.data(256, &[SYSTEM, (10, &[9]), (82, b"new")]).data(257, &[OCTETS, (10, &[9])]).send();
    assert_eq!(second.of_flows(|flow| flow.ingress_interface_name() == Some("new")), [true]);
    assert_eq!(context.options().unwrap().interface(9).unwrap().text(), Some("old"));
}
