use std::collections::{HashMap, HashSet};

use flow_wire::ie::id;
use flow_wire::legacy;
use flow_wire::{DataRecord, Message, Remainder, SetKind, Template, TemplateLimits, Value};
use proptest::prelude::*;

use super::*;

const VERSIONS: [Version; 5] = [Version::V1, Version::V5, Version::V7, Version::V9, Version::Ipfix];

fn config(version: Version) -> TrafficConfig {
    TrafficConfig::new(version)
}

fn bytes(config: TrafficConfig, datagrams: usize) -> Vec<Vec<u8>> {
    let mut generator = Generator::new(config).unwrap();
    (0..datagrams).map(|_| generator.next_datagram().bytes.to_vec()).collect()
}

/// FNV-1a, 64 bits, over all bytes.
fn hash(datagrams: &[Vec<u8>]) -> u64 {
    datagrams
        .iter()
        .flatten()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What one datagram holds.
#[derive(Debug)]
struct Decoded {
    header: MessageHeader,
    templates: usize,
    flows: Vec<HashMap<u16, u64>>,
    options: Vec<HashMap<u16, u64>>,
}

/// A collector of one exporter: decodes every byte, or fails.
#[derive(Default)]
struct Collector(HashMap<u16, Template>);

impl Collector {
    fn decode(&mut self, datagram: &[u8]) -> Decoded {
        let message = Message::decode(datagram).unwrap();
        let mut decoded = Decoded { header: message.header, templates: 0, flows: vec![], options: vec![] };
        for set in message.sets().map(Result::unwrap) {
            match set.kind {
                SetKind::Template | SetKind::OptionsTemplate => {
                    for record in message.template_records(&set) {
                        let template = Template::compile(&record.unwrap(), &TemplateLimits::default()).unwrap();
                        self.0.insert(template.id(), template);
                        decoded.templates += 1;
                    }
                }
                SetKind::Data => {
                    let template = &self.0[&set.id.0];
                    let mut records = message.records(&set, template);
                    let into = if template.is_options() { &mut decoded.options } else { &mut decoded.flows };
                    into.extend(records.by_ref().map(|record| numbers(&record)));
                    assert!(matches!(records.remainder(), Remainder::Padding { len: 0..4, not_zero: false }));
                }
                SetKind::BuiltIn => {
                    let template = legacy::Layout::of(&message).unwrap().template();
                    decoded.flows.extend(message.records(&set, &template).map(|record| numbers(&record)));
                }
                _ => panic!("set {:?}", set.id),
            }
        }
        assert_eq!(message.end(), datagram.len());
        decoded
    }

    fn of(config: TrafficConfig, datagrams: usize) -> Vec<Decoded> {
        let mut collector = Self::default();
        bytes(config, datagrams).iter().map(|datagram| collector.decode(datagram)).collect()
    }
}

/// The fields of a record as numbers by Element ID; times in milliseconds, addresses of IPv4 as such, others 0.
fn numbers(record: &DataRecord<'_>) -> HashMap<u16, u64> {
    record
        .fields()
        .map(|field| match field.value() {
            Value::Unsigned(number) => (field.specifier.id, number),
            Value::DateTime(time) => (field.specifier.id, time.as_unix_millis()),
            Value::Ipv4(address) => (field.specifier.id, u32::from(address).into()),
            // Scope fields of v9 are no Information Elements.
            Value::OctetArray(bytes) => {
                (field.specifier.id, bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
            }
            _ => (field.specifier.id, 0),
        })
        .collect()
}

/// The promise of this crate: these numbers never change. A version that has to change them says so in the changelog.
#[test]
fn the_same_configuration_gives_the_same_bytes_for_ever() {
    let golden = [
        0xbe1d_beaa_0af1_eef7,
        0x16d3_3b4e_2e10_a95a,
        0xcbd9_28d4_13fa_1168,
        0xb393_cacf_c8a1_4e79,
        0x24fe_611f_3102_af57,
    ];
    for (version, expected) in VERSIONS.into_iter().zip(golden) {
        let mut three = config(version);
        three.exporters = NonZeroU16::new(3).unwrap();
        let first = bytes(three.clone(), 100);
        assert_eq!(first, bytes(three.clone(), 100));
        assert_eq!(hash(&first), expected, "{version:?}: {:#x}", hash(&first));
        three.seed = 1;
        assert_ne!(first, bytes(three, 100));
    }
    assert_eq!(hash(&streams::v5(10)), 0x5ec7_7b57_95c5_fc49);
    assert_eq!(hash(&streams::v9_7_fields(10)), 0x8954_484b_36a4_0e69);
    assert_eq!(hash(&streams::v9_20_fields(10)), 0x1cb3_f279_1b51_addd);
    assert_eq!(hash(&streams::ipfix_with_string(10)), 0x9784_5c5a_d868_7fe4);
}

/// v5 and v7 count flows, v9 Messages (RFC 3954 section 5.1), IPFIX Data Records with those of options (RFC 7011
/// section 3.1), each exporter its own.
#[test]
fn sequence_numbers_count_in_the_unit_of_the_version() {
    for version in VERSIONS {
        let mut config = config(version);
        config.exporters = NonZeroU16::new(3).unwrap();
        config.template_refresh = NonZeroU32::new(5).unwrap();
        let mut generator = Generator::new(config).unwrap();
        let mut exporters: Vec<_> = (0..3).map(|_| (Collector::default(), 0_u32)).collect();
        for number in 0..60 {
            let datagram = generator.next_datagram();
            assert_eq!(datagram.exporter, number % 3);
            let (collector, expected) = &mut exporters[usize::from(datagram.exporter)];
            let decoded = collector.decode(datagram.bytes);
            assert_eq!(decoded.flows.len(), usize::from(datagram.flows));
            assert_eq!(decoded.header.observation_domain_id, datagram.observation_domain_id);
            assert_eq!(decoded.header.sequence_number, (version != Version::V1).then_some(*expected), "{version:?}");
            *expected += match version {
                Version::V9 => 1,
                Version::Ipfix => (decoded.flows.len() + decoded.options.len()) as u32,
                _ => decoded.flows.len() as u32,
            };
        }
    }
}

/// v9's count is of all records (RFC 3954 section 5.1); the Templates come first and then with every refresh.
#[test]
fn templates_and_options_are_announced_and_refreshed() {
    for version in [Version::V9, Version::Ipfix] {
        let mut config = config(version);
        config.template_refresh = NonZeroU32::new(7).unwrap();
        for (number, decoded) in Collector::of(config.clone(), 30).iter().enumerate() {
            let (templates, options) = if number % 7 == 0 { (4, 5) } else { (0, 0) };
            assert_eq!((decoded.templates, decoded.options.len()), (templates, options), "{version:?} {number}");
            if version == Version::V9 {
                let count = decoded.templates + decoded.options.len() + decoded.flows.len();
                assert_eq!(usize::from(decoded.header.length_or_count), count);
            }
        }
        config.options_data = false;
        for (number, decoded) in Collector::of(config, 30).iter().enumerate() {
            assert_eq!((decoded.templates, decoded.options.len()), (if number % 7 == 0 { 2 } else { 0 }, 0));
        }
    }
}

/// What options data announce is what the flows refer to.
#[test]
fn flows_refer_to_the_announced_sampler_and_interfaces() {
    for (version, sampler) in [(Version::V9, id::SAMPLER_ID), (Version::Ipfix, id::SELECTOR_ID)] {
        let decoded = Collector::of(config(version), 20);
        let options = &decoded[0].options;
        assert!(options[0].contains_key(&sampler));
        let scope = if version == Version::V9 { 2 } else { id::INGRESS_INTERFACE };
        let interfaces: HashSet<_> = options[1..].iter().map(|option| option[&scope]).collect();
        assert_eq!(interfaces.len(), 4);
        for flow in decoded.iter().flat_map(|decoded| &decoded.flows) {
            assert_eq!(flow[&sampler], options[0][&sampler]);
            assert!(interfaces.contains(&flow[&id::INGRESS_INTERFACE]));
            assert!(interfaces.contains(&flow[&id::EGRESS_INTERFACE]));
            assert_ne!(flow[&id::INGRESS_INTERFACE], flow[&id::EGRESS_INTERFACE]);
        }
    }
    let ipfix = &Collector::of(config(Version::Ipfix), 1)[0].options[0];
    assert_eq!(ipfix[&id::SAMPLING_PACKET_INTERVAL] + ipfix[&id::SAMPLING_PACKET_SPACE], 100);
    assert_eq!(Collector::of(config(Version::V9), 1)[0].options[0][&id::SAMPLER_RANDOM_INTERVAL], 100);

    let mut v5 = config(Version::V5);
    assert_eq!(Collector::of(v5.clone(), 1)[0].header.sampling, 0x4064);
    v5.options_data = false;
    assert_eq!(Collector::of(v5, 1)[0].header.sampling, 0);
}

/// Flows end before they are exported, last at most a minute, and start after the exporter did.
#[test]
fn flow_times_agree_with_the_header() {
    for version in VERSIONS {
        let mut config = config(version);
        config.interval = Duration::from_millis(333);
        for (number, decoded) in Collector::of(config.clone(), 50).iter().enumerate() {
            let sent = config.start.as_unix_millis() + 333 * number as u64;
            let header = &decoded.header;
            let expected = if version.has_templates() { sent / 1_000 * 1_000 } else { sent };
            assert_eq!(header.export_time.as_unix_millis(), expected);
            for flow in &decoded.flows {
                let (start, end, now) = match version {
                    Version::Ipfix => (flow[&152], flow[&153], expected),
                    _ => (flow[&22], flow[&21], header.sys_uptime_ms.unwrap().into()),
                };
                assert!(start <= end && end <= now && now - end < 15_000 && end - start <= 60_000);
                assert_eq!(flow[&id::PACKET_DELTA_COUNT] == 1, start == end);
            }
        }
    }
}

/// The uptime is a difference to one moment, that of the exporter's start.
#[test]
fn sys_uptime_agrees_with_export_time() {
    for version in [Version::V1, Version::V5, Version::V7, Version::V9] {
        let boots: HashSet<_> = Collector::of(config(version), 300)
            .iter()
            .map(|decoded| {
                decoded.header.export_time.as_unix_millis() - u64::from(decoded.header.sys_uptime_ms.unwrap())
            })
            .collect();
        assert_eq!(boots.len(), 1);
    }
}

#[test]
fn traffic_is_plausible() {
    let flows: Vec<_> = Collector::of(config(Version::V9), 500).into_iter().flat_map(|decoded| decoded.flows).collect();
    let mut protocols: HashMap<u64, usize> = HashMap::new();
    let mut sources: HashMap<u64, usize> = HashMap::new();
    let mut v6 = 0;
    for flow in &flows {
        let (bytes, packets) = (flow[&id::OCTET_DELTA_COUNT], flow[&id::PACKET_DELTA_COUNT]);
        assert!(packets > 0 && (40 * packets..=1_500 * packets).contains(&bytes), "{flow:?}");
        let protocol = flow[&id::PROTOCOL_IDENTIFIER];
        assert_eq!(protocol == 6, flow[&id::TCP_CONTROL_BITS] != 0);
        let (from, to) = (flow[&id::SOURCE_TRANSPORT_PORT], flow[&id::DESTINATION_TRANSPORT_PORT]);
        if let Some(type_code) = flow.get(&id::ICMP_TYPE_CODE_IPV4).or(flow.get(&id::ICMP_TYPE_CODE_IPV6)) {
            assert_eq!(*type_code, if matches!(protocol, 1 | 58) { to } else { 0 });
        }
        if !matches!(protocol, 1 | 58) {
            assert!((from.min(to)) < 6_000 && (32_768..61_000).contains(&from.max(to)));
        }
        *protocols.entry(protocol).or_default() += 1;
        match flow.get(&id::SOURCE_IPV4_ADDRESS) {
            Some(source) => *sources.entry(*source).or_default() += 1,
            None => v6 += 1,
        }
    }
    assert_eq!(v6, flows.len() / 5);
    let share = |protocol| 100 * protocols.get(&protocol).copied().unwrap_or(0) / flows.len();
    assert!(share(6) > 40 && share(17) > 10 && protocols[&1] > 0, "{protocols:?}");
    assert!(protocols.keys().all(|protocol| [1, 6, 17, 58].contains(protocol)), "{protocols:?}");
    // Zipf: some hosts are everywhere, many are seen seldom.
    let most = *sources.values().max().unwrap();
    assert!(sources.len() > 300 && most > 20 * flows.len() / sources.len() / 5, "{} {most}", sources.len());
}

/// By default a datagram fits an Ethernet frame, announcements included.
#[test]
fn default_datagrams_fit_an_ethernet_frame() {
    for (version, flows) in VERSIONS.into_iter().zip([24, 30, 27, 16, 12]) {
        for options_data in [true, false] {
            let mut config = config(version);
            config.options_data = options_data;
            let generator = Generator::new(config.clone()).unwrap();
            let default = generator.flows_per_datagram();
            assert!(if options_data { default == flows } else { default >= flows }, "{version:?} {default}");
            let longest = bytes(config, 500).iter().map(Vec::len).max().unwrap();
            assert!((1_100..=1_472).contains(&longest), "{version:?} {longest}");
        }
    }
}

#[test]
fn impossible_configurations_are_refused() {
    for version in VERSIONS {
        let mut config = config(version);
        config.flows_per_datagram = NonZeroU16::new(u16::MAX);
        let Err(ConfigError::FlowsPerDatagram { most, .. }) = Generator::new(config.clone()) else {
            panic!("65,535 flows are too many");
        };
        assert!((450..=1_500).contains(&most), "{version:?} {most}");
        config.flows_per_datagram = NonZeroU16::new(most + 1);
        assert!(Generator::new(config.clone()).is_err());
        config.flows_per_datagram = NonZeroU16::new(most);
        assert!(bytes(config, 3).iter().all(|datagram| datagram.len() <= 65_507));
    }
    let mut config = config(Version::V5);
    config.start = LATEST_TIME;
    assert_eq!(bytes(config.clone(), 2).len(), 2);
    config.start = Timestamp::from_unix_seconds(1 << 32);
    assert_eq!(Generator::new(config).unwrap_err(), ConfigError::StartTime);
}

/// A clock that starts in 1970 leaves no time for the exporter to have been up; flows start with it.
#[test]
fn the_earliest_time_works() {
    for version in VERSIONS {
        let mut config = config(version);
        config.start = Timestamp::UNIX_EPOCH;
        for decoded in Collector::of(config, 5) {
            assert_eq!(decoded.header.export_time.as_unix_millis() / 1_000, 0);
            assert!(
                decoded.flows.iter().all(|flow| flow.get(&22).or(flow.get(&152)).is_some_and(|start| *start < 1_000))
            );
        }
    }
}

#[test]
fn streams_have_the_shapes_they_promise() {
    for (stream, records, fields) in [
        (streams::v5(1_001), 30, 20),
        (streams::v9_7_fields(1_001), 60, 7),
        (streams::v9_20_fields(1_001), 21, 20),
        (streams::ipfix_with_string(1_001), 20, 20),
    ] {
        let mut collector = Collector::default();
        for (number, datagram) in stream.iter().enumerate() {
            let decoded = collector.decode(datagram);
            assert_eq!(decoded.flows.len(), records);
            let announces = decoded.header.version.has_templates() && number % 1_000 == 0;
            assert_eq!(decoded.templates, usize::from(announces));
            assert!(decoded.header.version == Version::V5 || decoded.flows[0].len() == fields);
            match decoded.header.version {
                Version::V5 => assert_eq!(datagram.len(), 1_464),
                Version::V9 => {
                    let data = if fields == 7 { 1_284 } else { 1_348 };
                    assert_eq!(datagram.len(), data + if announces { 8 + 4 * fields } else { 0 });
                }
                _ => assert!((1_300..=1_472).contains(&datagram.len()), "{}", datagram.len()),
            }
        }
    }
}

proptest! {
    /// What is announced as the most a datagram can have holds for every datagram; all of it decodes.
    #[test]
    fn every_datagram_decodes_and_fits(
        version in proptest::sample::select(VERSIONS.to_vec()),
        flows in 1..100_u16,
        seed: u64,
        options_data: bool,
        exporters in 1..5_u16,
        refresh in 1..5_u32,
        start in 0..=u64::from(u32::MAX),
    ) {
        let mut config = config(version);
        config.flows_per_datagram = NonZeroU16::new(flows);
        config.seed = seed;
        config.options_data = options_data;
        config.exporters = NonZeroU16::new(exporters).unwrap();
        config.template_refresh = NonZeroU32::new(refresh).unwrap();
        config.start = Timestamp::from_unix_seconds(start);
        let most = Layout::new(version, options_data).most_bytes(flows);
        let mut generator = Generator::new(config).unwrap();
        let mut collectors: Vec<_> = (0..exporters).map(|_| Collector::default()).collect();
        for _ in 0..12 {
            let datagram = generator.next_datagram();
            prop_assert!(datagram.bytes.len() <= most);
            let decoded = collectors[usize::from(datagram.exporter)].decode(datagram.bytes);
            prop_assert_eq!(decoded.flows.len(), usize::from(flows));
        }
    }
}
