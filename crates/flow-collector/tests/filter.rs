//! What the words of a filter mean, on records of every kind.
#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, SocketAddr};

use flow_collector::Filter;
use std::sync::Arc;

use flow_state::{
    Datagram, Decoded, ExporterProfile, ExporterProfiles, FlowGroup, State, StateConfig, Timestamp, TransportSession,
};
use flow_wire::encode::{FixedRecord, MessageWriter, header};
use flow_wire::{Version, ie::id};
use proptest::collection::vec;
use proptest::prelude::*;
use testkit::invariants;

/// A flow: elements of one IPFIX record.
#[derive(Clone, Default)]
struct Flow(Vec<(u16, Vec<u8>)>);

impl Flow {
    fn with(mut self, element: u16, value: impl AsRef<[u8]>) -> Self {
        self.0.retain(|(other, _)| *other != element);
        self.0.push((element, value.as_ref().to_vec()));
        self
    }

    fn without(mut self, element: u16) -> Self {
        self.0.retain(|(other, _)| *other != element);
        self
    }

    /// A Message of Observation Domain 7 with a Template and the record.
    fn message(&self) -> Vec<u8> {
        let mut template = [256_u16, self.0.len() as u16].map(u16::to_be_bytes).concat();
        let mut record = Vec::new();
        for (element, value) in &self.0 {
            template.extend([*element, value.len() as u16].map(u16::to_be_bytes).concat());
            record.extend(value);
        }
        let set = |id: u16, body: &[u8]| [&id.to_be_bytes(), &(body.len() as u16 + 4).to_be_bytes(), body].concat();
        let sets = [set(2, &template), set(256, &record)].concat();
        let length = (16 + sets.len() as u16).to_be_bytes();
        [&[0, 10], &length, &[0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7][..], &sets].concat()
    }

    #[track_caller]
    fn expect(&self, expression: &str, expected: bool) {
        assert_eq!(keeps(&self.message(), expression), [expected], "{expression}");
        let opposite = format!("not ({expression})");
        assert_eq!(keeps(&self.message(), &opposite), [!expected], "{opposite}");
    }

    #[track_caller]
    fn is(&self, expressions: &[&str]) {
        expressions.iter().for_each(|expression| self.expect(expression, true));
    }

    #[track_caller]
    fn is_not(&self, expressions: &[&str]) {
        expressions.iter().for_each(|expression| self.expect(expression, false));
    }
}

/// What becomes of each flow of a datagram of 192.0.2.1.
#[track_caller]
fn keeps(datagram: &[u8], filter: &str) -> Vec<bool> {
    let filter: Filter = filter.parse().unwrap();
    let again: Filter = filter.to_string().parse().unwrap();
    assert_eq!(filter.to_string(), again.to_string());
    verdicts(datagram, &filter)
}

fn verdicts(datagram: &[u8], filter: &Filter) -> Vec<bool> {
    verdicts_with(&ExporterProfiles::default(), datagram, filter)
}

fn verdicts_with(profiles: &ExporterProfiles, datagram: &[u8], filter: &Filter) -> Vec<bool> {
    let session = TransportSession::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.9:2055".parse().unwrap());
    let received_at = Timestamp::from_unix_seconds(1_700_000_000);
    let mut decoded = Decoded::default();
    let state = State::new(StateConfig::default());
    let received = Datagram::new(session, received_at, datagram).with_profiles(Some(profiles));
    state.decode(&received, &mut decoded);
    assert!(decoded.issues().is_empty(), "{:?}", decoded.issues());
    let verdicts = |group: FlowGroup<'_>| {
        let kept = filter.keeps(&group);
        (0..group.len()).map(move |place| kept >> place & 1 == 1)
    };
    decoded.data_sets(datagram).flat_map(|set| set.groups()).flat_map(verdicts).collect()
}

fn address(text: &str) -> Vec<u8> {
    match text.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// 10.1.2.3:50000 to 198.51.100.7:443 over TCP: 12 packets of 6,000 bytes in two seconds.
fn web() -> Flow {
    let start = 1_700_000_000_000_u64;
    Flow::default()
        .with(id::SOURCE_IPV4_ADDRESS, address("10.1.2.3"))
        .with(id::DESTINATION_IPV4_ADDRESS, address("198.51.100.7"))
        .with(id::SOURCE_TRANSPORT_PORT, 50_000_u16.to_be_bytes())
        .with(id::DESTINATION_TRANSPORT_PORT, 443_u16.to_be_bytes())
        .with(id::PROTOCOL_IDENTIFIER, [6])
        .with(id::OCTET_DELTA_COUNT, 6_000_u32.to_be_bytes())
        .with(id::PACKET_DELTA_COUNT, 12_u32.to_be_bytes())
        .with(id::FLOW_START_MILLISECONDS, start.to_be_bytes())
        .with(id::FLOW_END_MILLISECONDS, (start + 2_000).to_be_bytes())
}

#[test]
fn addresses() {
    web().is(&[
        "any",
        "ipv4",
        "inet",
        "host 10.1.2.3",
        "ip 198.51.100.7",
        "src host 10.1.2.3",
        "src ip 10.1.2.3",
        "src 10.1.2.3",
        "dst 198.51.100.0/24",
        "net 10.0.0.0/8",
        "src net 10.0.0.0/8",
        "src or dst net 10.0.0.0/8",
        "src and dst net 0.0.0.0/0",
        "dst net in [192.0.2.0/24 198.51.100.0/24, 2001:db8::/32]",
        "host in [192.0.2.1, 10.1.2.3]",
        "SRC NET 10.0.0.0/8",
    ]);
    web().is_not(&[
        "ipv6",
        "inet6",
        "dst host 10.1.2.3",
        "src and dst net 10.0.0.0/8",
        "net 2001:db8::/32",
        "net ::/0",
        "src host 10.1.2.4",
        "src host 10.1.2.2",
    ]);
    let ipv6 = Flow::default()
        .with(id::SOURCE_IPV6_ADDRESS, address("2001:db8::1"))
        .with(id::DESTINATION_IPV6_ADDRESS, address("2001:db8:ffff:ffff::"));
    ipv6.is(&["ipv6", "src host 2001:db8::1", "src and dst net 2001:db8::/32", "dst net 2001:db8:ffff::/48"]);
    web().is(&[
        "src host ::ffff:10.1.2.3",
        "src net ::ffff:10.0.0.0/104",
        "exporter ::ffff:192.0.2.1",
        "net ::ffff:0:0/96",
    ]);
    web().is_not(&["dst host ::ffff:10.1.2.3", "exporter ::ffff:192.0.2.2", "net ::ffc0:0:0/90"]);
    let mapped = Flow::default().with(id::SOURCE_IPV6_ADDRESS, address("::ffff:10.1.2.3"));
    mapped.is(&["src host ::ffff:10.1.2.3", "net ::ffff:10.0.0.0/104", "net ::/0"]);
    ipv6.is_not(&["ipv4", "src host 2001:db8::2", "net 0.0.0.0/0", "src net 2001:db8:ffff::/48"]);
}

#[test]
fn protocols_and_ports() {
    web().is(&[
        "proto tcp",
        "proto 6",
        "protocol TCP",
        "tcp",
        "tcp port 443",
        "tcp dst port 443",
        "proto in [udp tcp]",
        "port 443",
        "dst port = 443",
        "dst port == 443",
        "src port > 1024",
        "src port gt 1024",
        "src port >= 50000",
        "src port <= 50000",
        "src port lt 50001",
        "dst port 440-443",
        "portrange 443-500",
        "port in [80 443 8080]",
        "dst port in [80,440-443]",
        "proto tcp and dst port 443 and not src net 192.168.0.0/16",
        "src and dst port > 100",
    ]);
    web().is_not(&[
        "proto udp",
        "udp",
        "udp port 443",
        "src port 443",
        "dst port > 443",
        "dst port < 443",
        "port 444-500",
        "src and dst port > 1024",
        "port in [80 8080]",
    ]);
}

#[test]
fn icmp_has_type_and_code_and_no_ports() {
    let unreachable = web()
        .with(id::PROTOCOL_IDENTIFIER, [1])
        .with(id::SOURCE_TRANSPORT_PORT, [0, 0])
        .with(id::DESTINATION_TRANSPORT_PORT, [3, 1]);
    unreachable.is(&["icmp", "icmp-type 3", "icmp-code 1", "icmp-type 3 and icmp-code in [0 1]"]);
    unreachable.is_not(&["port 769", "port 0", "port >= 0", "icmp-type 8", "icmp6"]);
    web().is_not(&["icmp-type >= 0", "icmp-code >= 0"]);
    unreachable.with(id::PROTOCOL_IDENTIFIER, [58]).is(&["icmp6", "proto icmp6", "proto ipv6-icmp", "icmp-type 3"]);
}

#[test]
fn amounts_and_rates() {
    web().is(&[
        "bytes 6000",
        "bytes 6k",
        "bytes > 5k",
        "bytes < 6ki",
        "bytes 1k-10K",
        "packets 12",
        "packets > 10 and packets < 20",
        "bpp 500",
        "duration 2000",
        "duration 2s",
        "duration >= 2000ms",
        "duration < 1min",
        "bps 24k",
        "pps 6",
    ]);
    web().is_not(&["bytes > 1m", "bytes > 1Mi", "packets > 1g", "duration > 2s", "duration >= 1h", "bps > 24000"]);
    let at_once = web().with(id::FLOW_END_MILLISECONDS, 1_700_000_000_000_u64.to_be_bytes());
    at_once.is(&["duration 0"]);
    at_once.is_not(&["bps >= 0", "pps >= 0"]);
    web().with(id::PACKET_DELTA_COUNT, [0]).is_not(&["bpp >= 0"]);
}

#[test]
fn flags_are_all_of_the_letters() {
    let flags = |bits: u8| web().with(id::TCP_CONTROL_BITS, [bits]);
    flags(0x02).is(&["flags S", "flags s and not flags A"]);
    flags(0x02).is_not(&["flags SA", "flags A"]);
    flags(0x12).is(&["flags S", "flags A", "flags SA", "flags AS"]);
    flags(0x3f).is(&["flags X", "flags FSRPAU"]);
    flags(0xc0).is(&["flags EC"]);
    web().is_not(&["flags S"]);
    // The high byte of the 16 bits that IPFIX has.
    web().with(id::TCP_CONTROL_BITS, [1, 0x02]).is(&["flags S"]);
}

/// How many of 64 flows it keeps, one for each combination of the six flags, as nfdump 1.7.1 does.
#[test]
fn not_flags_is_none_of_the_letters_as_nfdump_has_it() {
    let mut message = MessageWriter::new();
    let start = Timestamp::from_unix_seconds(1_700_000_000);
    let mut kept = |filter: &str| {
        let half = |from: u8, message: &mut MessageWriter| {
            message.begin(&header(Version::V5, start, 1, 0));
            for tcp_flags in from..from + 16 {
                message.fixed_record(&FixedRecord { protocol: 6, tcp_flags, ..FixedRecord::default() });
            }
            keeps(message.finish().unwrap(), filter).into_iter().filter(|kept| *kept).count()
        };
        [0, 16, 32, 48].map(|from| half(from, &mut message)).iter().sum::<usize>()
    };
    for (filter, count) in [
        ("flags S and not flags AFRPU", 1),
        ("flags S and !flags AFRPU", 1),
        ("not flags SA", 16),
        ("!flags = SA", 16),
        ("NOT FLAGS sa", 16),
        ("tcp and not flags SA", 16),
        ("flags SA", 16),
        ("not flags S and not flags A", 16),
        ("not flags S", 32),
        ("not flags X", 1),
        // What nfdump does not tell from the above.
        ("not (flags SA)", 48),
        ("flags != SA", 48),
        ("not (not flags SA)", 48),
    ] {
        assert_eq!(kept(filter), count, "{filter}");
    }
    web().is(&["not flags SA", "not (flags SA)"]);
}

#[test]
fn what_the_exporter_says_of_the_way() {
    let long = |number: u32| number.to_be_bytes();
    let flow = web()
        .with(id::IP_CLASS_OF_SERVICE, [0xb8])
        .with(id::INGRESS_INTERFACE, long(3))
        .with(id::EGRESS_INTERFACE, long(0))
        .with(id::EGRESS_PHYSICAL_INTERFACE, long(12))
        .with(id::BGP_SOURCE_AS_NUMBER, long(65_001))
        .with(id::BGP_DESTINATION_AS_NUMBER, long(4_200_000_000))
        .with(id::VLAN_ID, [0, 100])
        .with(id::POST_VLAN_ID, [0, 200])
        .with(id::IP_NEXT_HOP_IPV4_ADDRESS, address("192.0.2.254"))
        .with(id::SOURCE_IPV4_PREFIX_LENGTH, [8])
        .with(id::DESTINATION_IPV4_PREFIX_LENGTH, [24])
        .with(id::SOURCE_MAC_ADDRESS, [0, 0, 0x5e, 0, 0x53, 1])
        .with(id::DESTINATION_MAC_ADDRESS, [0, 0, 0x5e, 0, 0x53, 2])
        .with(id::FLOW_DIRECTION, [1])
        .with(id::FLOW_END_REASON, [2])
        .with(id::IP_TTL, [64])
        .with(id::INGRESS_VRF_ID, long(5))
        .with(id::EGRESS_VRF_ID, long(6))
        .with(id::FORWARDING_STATUS, [0x82]);
    flow.is(&[
        "tos 184",
        "dscp 46",
        "dscp ef",
        "in if 3",
        "out if 12",
        "if 3",
        "if in [1 12]",
        "as 65001",
        "src as 65001",
        "dst as > 4199999999",
        "vlan 100",
        "src vlan 100 and dst vlan 200",
        "next ip 192.0.2.254",
        "next hop 192.0.2.0/24",
        "nexthop 192.0.2.254",
        "src mask 8",
        "mask >= 24",
        "src mac 00:00:5e:00:53:01",
        "mac 0:0:5E:0:53:2",
        "mac in [00-00-5e-00-53-02]",
        "direction egress",
        "direction 1",
        "end-reason active_timeout",
        "end-reason active-timeout",
        "ttl 60-64",
        "in vrf 5",
        "out vrf 6",
        "forwarding dropped",
        "exporter 192.0.2.1",
        "router ip 192.0.2.1",
        "exporter 192.0.2.0/24",
        "domain 7",
        "version 10",
        "version ipfix",
    ]);
    flow.is_not(&[
        "dscp cs0",
        "in if 12",
        "out if 3",
        "dst as 65001",
        "dst vlan 100",
        "next ip 10.0.0.1",
        "dst mac 00:00:5e:00:53:01",
        "direction ingress",
        "end-reason in [idle_timeout end_of_flow]",
        "forwarding forwarded",
        "exporter 10.1.2.3",
        "domain 8",
        "version 9",
        "version sflow",
    ]);
}

/// With what the operator says of them: a relay at 192.0.2.1, behind which Observation Domain 7 is another one.
#[test]
fn exporters_are_those_that_spans_name() {
    let profile = |name: &str, site: &str, address: Option<&str>| {
        Some(Arc::new(ExporterProfile {
            name: Some(name.into()),
            site: Some(site.into()),
            address: address.map(|address| address.parse().unwrap()),
            ..ExporterProfile::default()
        }))
    };
    let behind = profile("core 1", "Zürich", Some("10.2.0.1")).unwrap();
    let profiles = ExporterProfiles { any: profile("relay", "fra-1", None), by_domain: vec![(7, behind)] };
    let keeps = |flow: &Flow, filter: &str| {
        let filter: Filter = filter.parse().unwrap();
        let again: Filter = filter.to_string().parse().unwrap();
        let kept = verdicts_with(&profiles, &flow.message(), &filter);
        assert_eq!(verdicts_with(&profiles, &flow.message(), &again), kept, "{filter}");
        kept == [true]
    };
    let told = web().with(id::EXPORTER_IPV4_ADDRESS, address("10.3.0.1"));
    for (filter, plain, mediated) in [
        ("exporter 10.2.0.1", true, true),
        ("exporter 10.2.0.0/24", true, true),
        // Who sent it has a name.
        ("exporter 192.0.2.1", false, false),
        ("exporter 10.3.0.1", false, true),
        ("exporter != 10.3.0.1", true, false),
        ("not exporter in [10.3.0.0/16]", true, false),
        ("exporter 2001:db8::/32", false, false),
        ("exporter 'core 1'", true, true),
        ("router ip \"core 1\" and tcp", true, true),
        ("exporter in [192.0.2.1 'core 1']", true, true),
        ("exporter not in [192.0.2.1, relay]", true, true),
        ("exporter not in [10.3.0.1, relay]", true, false),
        ("exporter relay", false, false),
        ("exporter 'Core 1'", false, false),
        ("exporter != relay", true, true),
        ("exporter nobody", false, false),
        ("site Zürich", true, true),
        ("site in [fra-1 'Zürich'] and not exporter relay", true, true),
        ("site = \"fra-1\"", false, false),
        ("drop site Zürich; keep exporter 'core 1'", false, false),
    ] {
        assert_eq!((keeps(&web(), filter), keeps(&told, filter)), (plain, mediated), "{filter}");
    }
    // Without a table, the sender, and no name.
    web().is(&["exporter 192.0.2.1", "not exporter relay", "site != fra-1", "not site in ['a b' c]"]);
    web().is_not(&["exporter 10.2.0.1", "site fra-1", "exporter 'core 1'"]);
    told.is(&["exporter 192.0.2.1", "exporter 10.3.0.1", "exporter in [10.3.0.1 relay]"]);
}

/// What a record does not have compares with nothing, so that `not` holds.
#[test]
fn absent_facts_match_nothing() {
    let little = Flow::default().with(id::OCTET_DELTA_COUNT, [1]);
    for expression in [
        "ipv4",
        "ipv6",
        "proto 0",
        "host 0.0.0.0",
        "net 0.0.0.0/0",
        "net ::/0",
        "port >= 0",
        "icmp-type 0",
        "packets >= 0",
        "duration >= 0",
        "bps >= 0",
        "bpp >= 0",
        "flags S",
        "tos 0",
        "dscp 0",
        "ttl >= 0",
        "if >= 0",
        "vrf 0",
        "vlan 0",
        "mac 0:0:0:0:0:0",
        "as 0",
        "mask 0",
        "nexthop 0.0.0.0",
        "direction 0",
        "end-reason 0",
        "forwarding unknown",
    ] {
        little.expect(expression, false);
    }
    // As any other way to say no.
    little.is(&["not port 80", "!proto tcp && !host 10.0.0.1", "not (port 80 or proto tcp)"]);
    web().without(id::SOURCE_TRANSPORT_PORT).is(&["dst port 443", "not src port 443"]);
}

#[test]
fn words_bind_as_usual() {
    web().is(&[
        "udp and udp or tcp",
        "tcp or udp and udp",
        "not udp and tcp",
        "not (udp and tcp)",
        "not not tcp",
        "!(udp || icmp) && tcp",
        "tcp # and udp\n and port 443",
    ]);
    web().is_not(&["(tcp or udp) and udp", "not (tcp or udp)", "not tcp or udp"]);
}

/// Products of alternatives are not multiplied out without end.
#[test]
fn alternatives_within_each_other() {
    let sides: Vec<_> = (0..40)
        .map(|n| {
            format!("(src net 10.{n}.0.0/16 and dst port {}) or (dst net 10.{n}.0.0/16 and src port 443)", 400 + n)
        })
        .collect();
    let any = sides.join(" or ");
    web().is_not(&[&any]);
    web().with(id::DESTINATION_TRANSPORT_PORT, 401_u16.to_be_bytes()).is(&[&any]);
    let each: Vec<_> = (0..40).map(|n| format!("(src port > {n} or packets {n} or as {n})")).collect();
    web().is(&[&each.join(" and ")]);
    web().is_not(&[&format!("{} and (src port 1 or packets 2 or as 3)", each.join(" and "))]);
    web().is(&["port 443 and host 10.1.2.3 and not as 1 and not if 2 and not vlan 3 and mask < 9 or net 0.0.0.0/0"]);
}

#[test]
fn the_first_rule_that_holds_decides() {
    let message = web().message();
    for (rules, kept) in [
        ("keep port 443", true),
        ("keep port 80", false),
        ("drop port 443", false),
        ("drop port 80", true),
        ("drop port 443; keep tcp", false),
        ("keep tcp; drop port 443", true),
        ("drop port 80; keep tcp", true),
        ("drop port 80; keep udp", false),
        ("drop port 80; port 443;", true),
        ("keep udp; drop any", false),
        ("drop udp; keep any", true),
        ("keep udp; drop port 1; drop port 443; keep tcp", false),
    ] {
        assert_eq!(keeps(&message, rules), [kept], "{rules}");
        let apart: Vec<_> = rules.trim_end_matches(';').split(';').collect();
        assert_eq!(verdicts(&message, &Filter::new(apart).unwrap()), [kept], "{rules}");
    }
    assert_eq!(verdicts(&message, &Filter::default()), [true]);
    // More rules than a block has.
    let many: Vec<_> = (0..200).map(|n| format!("{} src port {n} and packets {n}", ["keep", "drop"][n % 2])).collect();
    assert_eq!(keeps(&message, &many.join(";")), [false]);
    assert_eq!(keeps(&message, &format!("{};keep port 443", many.join(";"))), [true]);
}

/// Records of the old versions have facts as those of Templates do.
#[test]
fn fixed_records() {
    let record = FixedRecord {
        source_address: [10, 1, 2, 3],
        destination_address: [198, 51, 100, 7],
        source_port: 50_000,
        destination_port: 443,
        protocol: 6,
        tcp_flags: 0x1b,
        source_as: 65_001,
        ingress_interface: 3,
        ..FixedRecord::default()
    };
    let mut message = MessageWriter::new();
    let start = Timestamp::from_unix_seconds(1_700_000_000);
    message.begin(&header(Version::V5, start, 1, 0)).fixed_record(&record);
    message.fixed_record(&FixedRecord { protocol: 17, ..record });
    let datagram = message.finish().unwrap();
    assert_eq!(keeps(datagram, "version 5 and src as 65001 and in if 3 and tcp and flags SA"), [true, false]);
    assert_eq!(keeps(datagram, "drop proto udp"), [true, false]);
    assert_eq!(keeps(datagram, "version sflow"), [false, false]);
}

#[test]
fn connections_of_the_collector_are_left_out() {
    let receivers: [SocketAddr; 2] = ["198.51.100.7:443".parse().unwrap(), "[2001:db8::1]:4317".parse().unwrap()];
    let filter: Filter = "keep tcp; drop any".parse().unwrap();
    let filter = filter.without_connections_to(&receivers);
    assert_eq!(verdicts(&web().message(), &filter), [false]);
    let back = web()
        .with(id::SOURCE_IPV4_ADDRESS, address("198.51.100.7"))
        .with(id::DESTINATION_IPV4_ADDRESS, address("10.1.2.3"))
        .with(id::SOURCE_TRANSPORT_PORT, 443_u16.to_be_bytes())
        .with(id::DESTINATION_TRANSPORT_PORT, 50_000_u16.to_be_bytes());
    assert_eq!(verdicts(&back.message(), &filter), [false]);
    let other = web().with(id::DESTINATION_TRANSPORT_PORT, 80_u16.to_be_bytes());
    assert_eq!(verdicts(&other.message(), &filter), [true]);
    assert_eq!(
        verdicts(
            &web().with(id::PROTOCOL_IDENTIFIER, [17]).message(),
            &Filter::default().without_connections_to(&receivers)
        ),
        [true]
    );
    let ipv6 = Flow::default()
        .with(id::SOURCE_IPV6_ADDRESS, address("2001:db8::2"))
        .with(id::DESTINATION_IPV6_ADDRESS, address("2001:db8::1"))
        .with(id::PROTOCOL_IDENTIFIER, [6])
        .with(id::DESTINATION_TRANSPORT_PORT, 4317_u16.to_be_bytes());
    assert_eq!(verdicts(&ipv6.message(), &filter), [false]);
}

#[track_caller]
fn error(text: &str) -> String {
    text.parse::<Filter>().unwrap_err().to_string()
}

#[test]
fn errors_point_at_the_word() {
    let text = |lines: &[&str]| lines.join("\n");
    assert_eq!(
        error("proto tcp and dst port htp"),
        text(&[
            r#"expected a number from 0 to 65535, or a range such as 1-9, for `port`, found "htp""#,
            "  proto tcp and dst port htp",
            "                         ^^^",
        ])
    );
    assert_eq!(
        error("tcp and # the web\n  (port 80 or port 443"),
        text(&[
            "expected `)`, `and` or `or`, found nothing more",
            "    (port 80 or port 443",
            "                        ^",
        ])
    );
    let long = format!("{} or porrt 80 or {}", ["port 1"; 30].join(" or "), ["port 1"; 30].join(" or "));
    let error = error(&long);
    let lines: Vec<_> = error.lines().collect();
    assert_eq!(lines[0], r#"unknown word "porrt", did you mean `port`?"#);
    let caret = lines[2].find('^').unwrap();
    assert_eq!(&lines[1][caret..caret + 5], "porrt");
    assert!(lines[1].starts_with("  ... ") && lines[1].ends_with(" ...") && lines[1].len() < 150);
}

#[test]
fn errors_say_what_would_do() {
    for (filter, message) in [
        ("", r#"expected something to compare, such as `port` or `src net`, found nothing more"#),
        ("drop", r#"expected something to compare, such as `port` or `src net`, found nothing more"#),
        ("port 80 or 443", r#"expected a word in front of "443""#),
        ("port 80 443", "`and` or `or` (several values are a list: `port in [80 443]`)"),
        ("port 80 adn tcp", "did you mean `and`?"),
        ("port 80 tcp", r#"expected `and`, `or`, `;` or the end, found "tcp""#),
        ("port 80)", r#"found ")""#),
        ("port 70000", "70000 is too large: `port` is 65535 at most"),
        ("port 443-80", r#""443-80" begins behind its end"#),
        ("port", "found nothing more"),
        ("port in 80", r#"expected `[`, found "80""#),
        ("port in []", r#"found "]""#),
        ("port in [80", "found nothing more"),
        ("dst prot 80", "did you mean `port`?"),
        ("host example.com", r#"expected an address or a network such as 10.0.0.0/8 for `host`, found "example.com""#),
        ("net 10.1.2.3/8", "write 10.0.0.0/8 or 10.1.2.3"),
        ("net 10.0.0.0/33", r#"found "10.0.0.0/33""#),
        ("10.0.0.1", r#"expected a word in front of "10.0.0.1", such as `host` or `net`"#),
        ("src bytes 10", "`bytes` is of the whole flow: leave out `src`"),
        ("src if 3", "the two ends of `if` are `in` and `out`"),
        ("in port 3", "the two ends of `port` are `src` and `dst`"),
        ("flags Z", "letters of TCP flags"),
        (
            "exporter and tcp",
            r#"expected an address, a network such as 10.0.0.0/8 or a name for `exporter`, found "and""#,
        ),
        ("exporter 10.0.0.300", r#"or a name for `exporter`, found "10.0.0.300""#),
        ("exporter 10.0.0.1/8", "write 10.0.0.0/8 or 10.0.0.1"),
        ("exporter core 1", r#"expected `and`"#),
        ("site 'fra 1", "expected a name and the same quote behind it"),
        ("site ''", "expected a name and the same quote behind it"),
        ("site in", "found nothing more"),
        ("site > 5", "a name, in quotes where it is not one word, for `site`"),
        ("src site a", "`site` is of the whole flow: leave out `src`"),
        ("src exporter 10.0.0.1", "`exporter` is of the whole flow: leave out `src`"),
        ("port '80'", "found \"'80'\""),
        ("proto tpc", "a protocol such as tcp"),
        ("bytes > 1x", "a number such as 1500, 10k or 1mi"),
        ("bytes > 18446744073709551615", "no number is beyond this"),
        ("bytes < 0", "no number is beyond this"),
        ("bytes 99999999999999999999", "a number such as"),
        ("mac 00:00", "a MAC address"),
        ("end-reason never", "a number or a name such as idle_timeout"),
        ("tcp;; udp", r#"found ";""#),
        ("tcp; adn", "unknown word"),
        ("\u{1b}[31m", "found"),
    ] {
        let error = error(filter);
        assert!(error.contains(message), "{filter}: {error}");
        assert!(error.lines().count() == 3 && !error.contains('\u{1b}'), "{error}");
    }
}

/// Neither depth nor length of a text costs the stack.
#[test]
fn deep_and_long_texts_are_refused() {
    for open in ["(", "not ", "!("] {
        let deep = format!("{}tcp", open.repeat(100_000));
        assert!(error(&deep).contains("more than 64 parentheses"), "{open}");
    }
    assert!(error(&format!("{}tcp{}", "(".repeat(63), ")".repeat(62))).contains("expected `)`"));
    format!("{}tcp{}", "(".repeat(63), ")".repeat(63)).parse::<Filter>().unwrap();
    assert!(error(&" ".repeat(2 << 20)).contains("a filter has 1048576 bytes at most"));
    let networks: Vec<_> = (0..40_000_u32).map(|n| format!("10.{}.{}.0/25", n >> 8 & 255, n & 255)).collect();
    let list: Filter = format!("src net in [{}]", networks.join(" ")).parse().unwrap();
    assert_eq!(verdicts(&web().message(), &list), [true]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn filters_decide_as_a_plain_reading_of_them(choices in vec(any::<u8>(), 0..400)) {
        invariants::filter(&[&[0], &choices[..]].concat());
    }

    /// Words in any order are read or refused.
    #[test]
    fn any_text_is_read_or_refused(words in vec(prop::sample::select(WORDS), 0..20), noise in ".{0,8}", at in any::<prop::sample::Index>()) {
        let mut words: Vec<_> = words.into_iter().map(str::to_owned).collect();
        words.insert(at.index(words.len() + 1), noise);
        invariants::filter(&[b"1", words.join(" ").as_bytes()].concat());
        words.remove(at.index(words.len()));
        invariants::filter(&[b"1", words.join(" ").as_bytes()].concat());
    }
}

const WORDS: &[&str] = &[
    "keep",
    "drop",
    ";",
    "(",
    ")",
    "[",
    "]",
    "in",
    "not",
    "!",
    "and",
    "&&",
    "or",
    "||",
    "any",
    "src",
    "dst",
    "out",
    "port",
    "80",
    "80-443",
    "host",
    "10.0.0.1",
    "net",
    "10.0.0.0/8",
    "2001:db8::/32",
    "proto",
    "tcp",
    "udp",
    "bytes",
    "1m",
    ">",
    "<=",
    "flags",
    "S",
    "SAF",
    "if",
    "mac",
    "00:00:5e:00:53:01",
    "version",
    "ipfix",
    "exporter",
    "site",
    "core",
    "'a b'",
    "\"",
    "duration",
    "5s",
    "# x\n",
    ",",
    "=",
];

#[test]
fn what_people_are_used_to_type_is_understood() {
    web().is(&[
        "port != 80",
        "port ne 80",
        "src port != 443",
        "port not in [80 8080]",
        "bytes eq 6000",
        "proto = tcp",
        "proto != udp",
        "src net != 192.168.0.0/16",
        "src and dst host not in [192.0.2.1 192.0.2.2]",
        "ip",
        "ip and tcp",
        "(ip)",
        "ip proto tcp",
        "ip src host 10.1.2.3",
        "ip 10.1.2.3",
        "ip in [10.1.2.3]",
        "src ip = 10.1.2.3",
        "not multicast",
        "not ospf",
    ]);
    web().is_not(&[
        "port != 443",
        "dst port ne 443",
        "src and dst port != 443",
        "port not in [80 443]",
        "ip6",
        "ip6 proto tcp",
        "ip proto udp",
        "ip != 10.1.2.3",
        "multicast",
        "src net not in [10.0.0.0/8]",
    ]);
    // What a flow does not have is not equal to anything.
    web().without(id::DESTINATION_TRANSPORT_PORT).is(&["dst port != 443", "ttl != 3", "ttl not in [1 2]"]);
    let group = web().with(id::DESTINATION_IPV4_ADDRESS, address("239.1.2.3"));
    group.is(&["multicast", "ip multicast", "tcp multicast"]);
    let mac = web().with(id::SOURCE_MAC_ADDRESS, [0, 0, 0x5e, 0, 0x53, 1]).with(id::TCP_CONTROL_BITS, [0x12]);
    mac.is(&["ether src 00:00:5e:00:53:01", "ether host 00:00:5e:00:53:01", "ether 00:00:5e:00:53:01", "tcp flags S"]);
    mac.is(&["flags = S", "flags == SA", "flags != F"]);
    mac.is_not(&["ether dst 00:00:5e:00:53:01", "flags != S"]);
    web().with(id::PROTOCOL_IDENTIFIER, [89]).is(&["ospf", "proto ospf", "proto 89"]);
}
