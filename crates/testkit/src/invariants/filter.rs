//! Filters decide as a plain reading of their words does.

use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;

use flow_collector::Filter;
use flow_state::{
    Decoded, ExporterProfile, ExporterProfiles, Fact, FlowRecord, Forwarding, State, StateConfig, Version,
};
use flow_wire::encode::{FixedRecord, MessageWriter, TemplateDefinition, header};
use flow_wire::ie::id;
use flow_wire::{FieldSpecifier, Timestamp};

use super::datagram;

/// By an odd first byte, the rest is a filter as text: it is read or refused, and what is read prints as a filter that
/// decides the same. By an even one, the rest makes a filter and flows: it decides as a reading of it that compiles nothing.
pub fn filter(data: &[u8]) {
    let _ = filter_verdicts(data);
}

/// How many flows the filter of such data kept, and how many it dropped; `None` for a text that is no filter.
pub fn filter_verdicts(data: &[u8]) -> Option<[u64; 2]> {
    match data {
        [kind, text @ ..] if kind % 2 == 1 => given_text(&String::from_utf8_lossy(text)),
        [_, choices @ ..] => Some(made(Choices(choices))),
        [] => None,
    }
}

fn given_text(text: &str) -> Option<[u64; 2]> {
    let filter = match text.parse::<Filter>() {
        Ok(filter) => filter,
        Err(error) => {
            let lines: Vec<_> = error.to_string().lines().map(str::to_owned).collect();
            assert!(lines.len() == 3 && !error.message().is_empty(), "{lines:?}");
            assert!(lines.iter().all(|line| line.chars().all(|c| !c.is_control())), "{lines:?}");
            return None;
        }
    };
    let printed = filter.to_string();
    let again: Filter = printed.parse().expect("what is printed can be read");
    assert_eq!(again.to_string(), printed);
    let mut choices = Choices(&[7, 200, 31, 90, 3, 255, 18, 64]);
    let mut verdicts = [0; 2];
    for message in [message(&mut choices), v5(&mut choices)] {
        for_each_flow(&message, [&filter, &again], |_, [kept, kept_again]| {
            assert_eq!(kept, kept_again, "{printed}");
            verdicts[usize::from(!kept)] += 1;
        });
    }
    Some(verdicts)
}

fn made(mut choices: Choices<'_>) -> [u64; 2] {
    let messages = [message(&mut choices), v5(&mut choices)];
    let mut text = String::new();
    let mut rules = Vec::new();
    for _ in 0..=choices.below(5) {
        let (expression, holds) = expression(&mut choices, 0);
        let (word, keeps) = choices.one_of(&[("", true), ("keep ", true), ("drop ", false), ("drop ", false)]);
        let _ = write!(text, "{word}{expression};");
        rules.push((keeps, holds));
    }
    let filter: Filter = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let again: Filter = filter.to_string().parse().expect("what is printed can be read");
    assert_eq!(again.to_string(), filter.to_string());
    let otherwise = rules.iter().all(|(keeps, _)| !keeps);
    let mut verdicts = [0; 2];
    for message in messages {
        for_each_flow(&message, [&filter, &again], |flow, kept| {
            let expected = rules.iter().find(|(_, holds)| holds(flow)).map_or(otherwise, |(keeps, _)| *keeps);
            assert_eq!(kept, [expected; 2], "{text}\n{filter}\n{:?}", flow.record());
            verdicts[usize::from(!expected)] += 1;
        });
    }
    verdicts
}

/// The flows of a Message with what filters decide.
fn for_each_flow(message: &[u8], filters: [&Filter; 2], mut take: impl FnMut(&FlowRecord<'_>, [bool; 2])) {
    let state = State::new(StateConfig::default());
    let mut decoded = Decoded::default();
    let profiles = profiles();
    state.decode(&datagram(1, 0, message).with_profiles(Some(&profiles)), &mut decoded);
    for group in decoded.data_sets(message).flat_map(|set| set.groups()) {
        let kept = filters.map(|filter| filter.keeps(&group));
        for (place, flow) in group.flows().enumerate() {
            take(&flow, kept.map(|kept| kept >> place & 1 == 1));
        }
    }
}

/// Of the Observation Domains that Messages here are of: one has an address of its own, one a name alone.
fn profiles() -> ExporterProfiles {
    let profile = |name: Option<&str>, site: Option<&str>, address: Option<IpAddr>| {
        let [name, site] = [name, site].map(|name| name.map(Into::into));
        Arc::new(ExporterProfile { name, site, address, ..ExporterProfile::default() })
    };
    ExporterProfiles {
        any: Some(profile(Some(NAMES[0]), None, None)),
        by_domain: vec![
            (1, profile(Some(NAMES[1]), Some(NAMES[0]), Some([10, 1, 2, 3].into()))),
            (2, profile(None, Some(NAMES[2]), None)),
        ],
    }
}

/// Names that are one word, and that are not.
const NAMES: [&str; 4] = ["core", "fra 1", "it's", "other"];

/// Bytes that choose, one after the other; zeros when there are no more.
struct Choices<'a>(&'a [u8]);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, end: u64) -> u64 {
        u64::from(self.byte()) % end
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

// Few values, so that comparisons hold now and then.
const NUMBERS: [u64; 12] = [0, 1, 2, 3, 6, 17, 58, 80, 443, 1024, 50_000, 65_535];
const ADDRESSES: [&str; 8] = [
    "0.0.0.0",
    "10.0.0.1",
    "10.1.2.3",
    "192.0.2.1",
    "255.255.255.255",
    "::",
    "2001:db8::1",
    "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
];

/// A Message of IPFIX whose Template has some of the elements that filters ask for.
fn message(choices: &mut Choices<'_>) -> Vec<u8> {
    const ELEMENTS: [(u16, u16); 25] = [
        (id::PROTOCOL_IDENTIFIER, 1),
        (id::SOURCE_TRANSPORT_PORT, 2),
        (id::DESTINATION_TRANSPORT_PORT, 2),
        (id::SOURCE_IPV4_ADDRESS, 4),
        (id::DESTINATION_IPV4_ADDRESS, 4),
        (id::SOURCE_IPV6_ADDRESS, 16),
        (id::DESTINATION_IPV6_ADDRESS, 16),
        (id::OCTET_DELTA_COUNT, 4),
        (id::PACKET_DELTA_COUNT, 4),
        (id::TCP_CONTROL_BITS, 2),
        (id::IP_CLASS_OF_SERVICE, 1),
        (id::INGRESS_INTERFACE, 4),
        (id::INGRESS_PHYSICAL_INTERFACE, 4),
        (id::EGRESS_INTERFACE, 2),
        (id::BGP_SOURCE_AS_NUMBER, 4),
        (id::BGP_DESTINATION_AS_NUMBER, 4),
        (id::VLAN_ID, 2),
        (id::IP_NEXT_HOP_IPV4_ADDRESS, 4),
        (id::FLOW_START_MILLISECONDS, 8),
        (id::FLOW_END_MILLISECONDS, 8),
        (id::ICMP_TYPE_CODE_IPV4, 2),
        (id::IP_VERSION, 1),
        (id::FORWARDING_STATUS, 1),
        (id::FLOW_DIRECTION, 1),
        (id::EXPORTER_IPV4_ADDRESS, 4),
    ];
    let mut mask = u32::from_be_bytes([choices.byte(), choices.byte(), choices.byte(), choices.byte()]);
    if choices.below(4) > 0 {
        // Most flows have most of them.
        mask |= 0x00e7_fb9f;
    }
    let fields: Vec<_> = (0..).zip(ELEMENTS).filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, field)| field).collect();
    let specifiers: Vec<_> =
        fields.iter().map(|(id, length)| FieldSpecifier { enterprise_number: 0, id: *id, length: *length }).collect();
    let mut message = MessageWriter::new();
    message.begin(&header(Version::Ipfix, EXPORT_TIME, 0, choices.below(3) as u32));
    if specifiers.is_empty() {
        return message.finish().unwrap().to_vec();
    }
    message.template_set(&[TemplateDefinition::new(256, &specifiers)]).data_set(256);
    for _ in 0..4 {
        let mut record = message.record();
        for (_, length) in &fields {
            match length {
                4 if choices.below(2) == 0 => record.bytes(&octets(choices, 4)),
                8 => record.unsigned(8, EXPORT_TIME.as_unix_millis() - 100_000 + choices.one_of(&NUMBERS)),
                16 => record.bytes(&octets(choices, 16)),
                length => record.unsigned((*length).into(), choices.one_of(&NUMBERS) & (u64::MAX >> (64 - 8 * length))),
            };
        }
    }
    message.finish().unwrap().to_vec()
}

const EXPORT_TIME: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);

/// An address of this length.
fn octets(choices: &mut Choices<'_>, length: usize) -> Vec<u8> {
    let all = ADDRESSES.map(|address| match address.parse().unwrap() {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    });
    let fitting: Vec<_> = all.iter().filter(|octets| octets.len() == length).collect();
    choices.one_of(&fitting).clone()
}

fn v5(choices: &mut Choices<'_>) -> Vec<u8> {
    let mut message = MessageWriter::new();
    message.begin(&header(Version::V5, EXPORT_TIME, 0, 0));
    for _ in 0..2 {
        message.fixed_record(&FixedRecord {
            source_address: octets(choices, 4).try_into().unwrap(),
            destination_address: octets(choices, 4).try_into().unwrap(),
            source_port: choices.one_of(&NUMBERS) as u16,
            destination_port: choices.one_of(&NUMBERS) as u16,
            protocol: choices.one_of(&[1, 6, 6, 17]),
            tcp_flags: choices.byte(),
            tos: choices.byte(),
            octets: choices.one_of(&NUMBERS) as u32,
            packets: choices.one_of(&NUMBERS) as u32,
            ..FixedRecord::default()
        });
    }
    message.finish().unwrap().to_vec()
}

/// Whether an expression holds for a flow.
type Holds = Box<dyn Fn(&FlowRecord<'_>) -> bool>;

fn expression(choices: &mut Choices<'_>, depth: usize) -> (String, Holds) {
    let kind = if depth < 5 { choices.below(6) } else { 0 };
    match kind {
        0..=2 => comparison(choices),
        3 => {
            let (text, holds) = expression(choices, depth + 1);
            (format!("{}({text})", choices.one_of(&["not ", "!"])), Box::new(move |flow| !holds(flow)))
        }
        _ => {
            // Now and then more than a block has room for.
            let count = if choices.below(24) == 23 { 70 } else { 2 + choices.below(3) };
            let parts: Vec<_> = (0..count).map(|_| expression(choices, depth + 1)).collect();
            let (texts, parts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let join = |word: &str| format!("({})", texts.join(word));
            if kind == 4 {
                (join(choices.one_of(&[" and ", " && "])), Box::new(move |flow| parts.iter().all(|holds| holds(flow))))
            } else {
                (join(choices.one_of(&[" or ", " || "])), Box::new(move |flow| parts.iter().any(|holds| holds(flow))))
            }
        }
    }
}

fn comparison(choices: &mut Choices<'_>) -> (String, Holds) {
    type Read = fn(&FlowRecord<'_>) -> Option<u64>;
    fn port(flow: &FlowRecord<'_>, fact: Fact) -> Option<u64> {
        let is_icmp = matches!(flow.integer(Fact::Protocol), Some(1 | 58));
        flow.integer(fact).filter(|_| !is_icmp)
    }
    fn duration(flow: &FlowRecord<'_>) -> Option<u64> {
        Some(flow.time().duration()?.as_millis() as u64)
    }
    fn in_interface(flow: &FlowRecord<'_>) -> Option<u64> {
        let physical = flow.integer(Fact::IngressPhysicalInterface);
        let logical = flow.integer(Fact::IngressInterface);
        logical.filter(|index| *index != 0).or(physical).or(logical)
    }
    const NUMBERS_OF: [(&str, Read); 14] = [
        ("proto", |flow| flow.integer(Fact::Protocol)),
        ("bytes", |flow| flow.octets()),
        ("packets", |flow| flow.packets()),
        ("bpp", |flow| flow.octets()?.checked_div(flow.packets()?)),
        ("tos", |flow| flow.integer(Fact::ClassOfService)),
        ("dscp", |flow| Some(flow.integer(Fact::ClassOfService)? >> 2 & 63)),
        ("icmp-type", |flow| Some(flow.icmp()?.kind.into())),
        ("icmp-code", |flow| Some(flow.icmp()?.code?.into())),
        ("duration", duration),
        ("domain", |flow| Some(flow.context().header.observation_domain_id.into())),
        ("version", |flow| Some(flow.context().header.version.number().into())),
        ("in if", in_interface),
        ("bps", |flow| match duration(flow)? {
            0 => None,
            millis => Some((u128::from(flow.octets()?) * 8000 / u128::from(millis)) as u64),
        }),
        ("forwarding", |flow| {
            Some(match flow.forwarding()?.forwarding {
                Forwarding::Forwarded => 1,
                Forwarding::Dropped => 2,
                Forwarding::Consumed => 3,
                _ => 0,
            })
        }),
    ];
    const PAIRS: [(&str, Read, Read); 4] = [
        ("port", |flow| port(flow, Fact::SourcePort), |flow| port(flow, Fact::DestinationPort)),
        ("as", |flow| flow.integer(Fact::SourceAs), |flow| flow.integer(Fact::DestinationAs)),
        ("vlan", |flow| flow.integer(Fact::SourceVlan), |flow| flow.integer(Fact::DestinationVlan)),
        ("portrange", |flow| port(flow, Fact::SourcePort), |flow| port(flow, Fact::DestinationPort)),
    ];
    match choices.below(9) {
        8 => {
            let (word, source, destination) = choices.one_of(&PAIRS);
            let [a, b] = [0; 2].map(|_| choices.one_of(&NUMBERS));
            let (text, values) = match choices.below(3) {
                0 => (format!("!= {a}"), [a; 2]),
                1 => (format!("ne {b}"), [b; 2]),
                _ => (format!("not in [{a} {b}]"), [a, b]),
            };
            let (end, _) = ends(choices);
            let reads: Vec<Read> = match end {
                "src " => vec![source],
                "dst " => vec![destination],
                _ => vec![source, destination],
            };
            let is_one = move |flow: &FlowRecord<'_>| {
                reads.iter().filter_map(|read| read(flow)).any(|number| values.contains(&number))
            };
            (format!("{end}{word} {text}"), Box::new(move |flow| !is_one(flow)))
        }
        0 | 1 => {
            let (word, read) = choices.one_of(&NUMBERS_OF);
            let (text, holds) = number(choices, most(word));
            (format!("{word} {text}"), Box::new(move |flow| read(flow).is_some_and(&holds)))
        }
        2 | 3 => {
            let (word, source, destination) = choices.one_of(&PAIRS);
            let (text, holds) = number(choices, u16::MAX.into());
            let [source, destination] = [source, destination];
            let (end, joined) = ends(choices);
            let held = move |flow: &FlowRecord<'_>| [source, destination].map(|read| read(flow).is_some_and(&holds));
            (format!("{end}{word} {text}"), Box::new(move |flow| joined(held(flow))))
        }
        4 | 5 => {
            let (text, holds) = network(choices);
            let (end, joined) = ends(choices);
            let held = move |flow: &FlowRecord<'_>| {
                [flow.source_address(), flow.destination_address()].map(|address| address.is_some_and(&holds))
            };
            (format!("{end}net {text}"), Box::new(move |flow| joined(held(flow))))
        }
        6 => {
            let letters = "FSRPAUEC";
            let bits = choices.byte().max(1);
            let text: String = (0..8).filter(|bit| bits >> bit & 1 == 1).map(|bit| &letters[bit..=bit]).collect();
            let bits = u64::from(bits);
            match choices.below(6) {
                5 => {
                    let none = move |flags: u64| flags & bits == 0;
                    let not = choices.one_of(&["not ", "!"]);
                    (format!("{not}flags {text}"), Box::new(move |flow| flow.integer(Fact::TcpFlags).is_none_or(none)))
                }
                kind => {
                    let all = move |flags: u64| flags & bits == bits;
                    let sign = if kind == 4 { "= " } else { "" };
                    (format!("flags {sign}{text}"), Box::new(move |flow| flow.integer(Fact::TcpFlags).is_some_and(all)))
                }
            }
        }
        _ => match choices.below(7) {
            0 => ("any".to_owned(), Box::new(|_| true)),
            1 => ("ipv4".to_owned(), Box::new(|flow| family(flow) == Some(4))),
            2 => ("ipv6".to_owned(), Box::new(|flow| family(flow) == Some(6))),
            3 => {
                let (text, holds) = network(choices);
                (format!("nexthop {text}"), Box::new(move |flow| flow.next_hop().is_some_and(&holds)))
            }
            4 => {
                let (text, holds) = network(choices);
                let holds = move |flow: &FlowRecord<'_>| {
                    let known = flow.context().profile().and_then(|profile| profile.address);
                    let exporter = known.unwrap_or(flow.context().session.exporter.ip());
                    holds(exporter) || flow.observed_exporter().is_some_and(&holds)
                };
                (format!("exporter {text}"), Box::new(holds))
            }
            5 => {
                let (text, holds) = names(choices);
                let name = |flow: &FlowRecord<'_>| flow.context().profile()?.name.clone();
                (format!("exporter {text}"), Box::new(move |flow| name(flow).is_some_and(|name| holds(&name))))
            }
            _ => {
                let (text, holds) = names(choices);
                let site = |flow: &FlowRecord<'_>| flow.context().profile()?.site.clone();
                (format!("site {text}"), Box::new(move |flow| site(flow).is_some_and(|site| holds(&site))))
            }
        },
    }
}

fn family(flow: &FlowRecord<'_>) -> Option<u64> {
    let addresses = [flow.source_address(), flow.destination_address()];
    let known = addresses.into_iter().flatten().next().map(|address| if address.is_ipv4() { 4 } else { 6 });
    known.or(flow.integer(Fact::IpVersion))
}

/// The largest number that a word takes.
fn most(word: &str) -> u64 {
    match word {
        "proto" | "tos" | "icmp-type" | "icmp-code" => 255,
        "dscp" => 63,
        "version" => 10,
        "forwarding" => 3,
        _ => u32::MAX.into(),
    }
}

type Joined = fn([bool; 2]) -> bool;

fn ends(choices: &mut Choices<'_>) -> (&'static str, Joined) {
    const ENDS: [(&str, Joined); 6] = [
        ("", |[source, destination]| source || destination),
        ("src ", |[source, _]| source),
        ("dst ", |[_, destination]| destination),
        ("src or dst ", |[source, destination]| source || destination),
        ("src and dst ", |[source, destination]| source && destination),
        ("dst and src ", |[source, destination]| source && destination),
    ];
    choices.one_of(&ENDS)
}

fn number(choices: &mut Choices<'_>, most: u64) -> (String, Box<dyn Fn(u64) -> bool>) {
    let mut value = || choices.one_of(&NUMBERS).min(most);
    let (a, b) = (value(), value());
    match choices.below(8) {
        0 => (format!("> {a}"), Box::new(move |number| number > a)),
        1 => (format!(">= {a}"), Box::new(move |number| number >= a)),
        2 => (format!("< {}", a.max(1)), Box::new(move |number| number < a.max(1))),
        3 => (format!("le {a}"), Box::new(move |number| number <= a)),
        4 => (format!("{}-{}", a.min(b), a.max(b)), Box::new(move |number| (a.min(b)..=a.max(b)).contains(&number))),
        5 => (format!("in [{a} {b}]"), Box::new(move |number| number == a || number == b)),
        6 => (format!("in [{b}, 0-{a}]"), Box::new(move |number| number == b || number <= a)),
        _ => (format!("= {a}"), Box::new(move |number| number == a)),
    }
}

fn names(choices: &mut Choices<'_>) -> (String, impl Fn(&str) -> bool + use<>) {
    let [a, b] = [0; 2].map(|_| choices.one_of(&NAMES));
    let (text, values) = match choices.below(2) {
        0 => (format!("\"{a}\""), [a; 2]),
        _ => (format!("in [\"{a}\", \"{b}\"]"), [a, b]),
    };
    (text, move |name: &str| values.contains(&name))
}

fn network(choices: &mut Choices<'_>) -> (String, Box<dyn Fn(IpAddr) -> bool>) {
    let address: IpAddr = choices.one_of(&ADDRESSES).parse().unwrap();
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let prefix = choices.one_of(&[0, 8, 24, 31, bits, bits]).min(bits);
    let cut = move |address: IpAddr| match address {
        IpAddr::V4(address) => u128::from(address.to_bits()).checked_shr(bits - prefix).unwrap_or(0),
        IpAddr::V6(address) => address.to_bits().checked_shr(bits - prefix).unwrap_or(0),
    };
    let network = match address {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - prefix).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - prefix).unwrap_or(0)).into()),
    };
    let holds = move |other: IpAddr| other.is_ipv4() == address.is_ipv4() && cut(other) == cut(address);
    (format!("{network}/{prefix}"), Box::new(holds))
}
