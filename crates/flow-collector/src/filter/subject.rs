//! The words that an expression is about.

use super::fact::{ALL_FLAGS, Asked, SFLOW};

/// Something that can be asked of a flow.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) word: &'static str,
    /// Other words for the same.
    pub(super) aliases: &'static [&'static str],
    pub(super) kind: Kind,
    pub(super) ends: Ends,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A number up to this, which may have names.
    Number(u64, &'static [(&'static str, u64)]),
    /// An IP protocol, by name or number.
    Protocol,
    /// A number that may be large: with k, m, g, t or ki, mi, gi, ti.
    Amount,
    /// Milliseconds: with ms, s, min or h.
    Duration,
    /// Addresses and networks.
    Address,
    /// Addresses, networks, and names, which are what [`EXPORTER_NAME`] is compared with.
    Exporter,
    /// Names that the operator gives.
    Name,
    /// MAC addresses.
    Mac,
    /// TCP flags, by letters.
    Flags,
    /// 4 or 6, each with a word of its own.
    Family,
}

/// Where in a flow it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    One(Asked),
    /// Two of the whole flow, of which either may be meant.
    Whole(Asked, Asked),
    /// `src` and `dst`.
    SourceDestination(Asked, Asked),
    /// `in` and `out`.
    InOut(Asked, Asked),
}

impl PartialEq for Subject {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Subject {
    /// The subject that a word stands for.
    pub(super) fn of(word: &str) -> Option<&'static Self> {
        let is_word = |other: &&str| word.eq_ignore_ascii_case(other);
        SUBJECTS.iter().find(|subject| is_word(&subject.word) || subject.aliases.iter().any(is_word))
    }

    /// The largest number that makes sense.
    pub(super) fn max(&self) -> u64 {
        match self.kind {
            Kind::Number(max, _) => max,
            Kind::Protocol => u8::MAX.into(),
            Kind::Flags => ALL_FLAGS,
            Kind::Family => 6,
            _ => u64::MAX,
        }
    }

    /// The number of a name.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        match self.kind {
            Kind::Number(_, names) => {
                let is_name = |other: &str| other.eq_ignore_ascii_case(&name.replace('-', "_"));
                names.iter().find(|(other, _)| is_name(other)).map(|(_, number)| *number)
            }
            Kind::Protocol => protocol(name).map(u64::from),
            _ => None,
        }
    }

    /// The name of a number.
    pub(super) fn name(&self, number: u64) -> Option<&'static str> {
        match self.kind {
            Kind::Number(_, names) => names.iter().find(|(_, other)| *other == number).map(|(name, _)| *name),
            Kind::Protocol => u8::try_from(number).ok().and_then(flow_wire::ie::protocol_name),
            _ => None,
        }
    }
}

/// The number of a protocol.
pub(super) fn protocol(name: &str) -> Option<u8> {
    match name.to_ascii_lowercase().as_str() {
        "icmp6" | "icmpv6" => Some(58),
        "ospf" => Some(89),
        name => (0..=u8::MAX).find(|number| flow_wire::ie::protocol_name(*number) == Some(name)),
    }
}

const fn subject(word: &'static str, aliases: &'static [&'static str], kind: Kind, ends: Ends) -> Subject {
    Subject { word, aliases, kind, ends }
}

const BYTE: Kind = Kind::Number(u8::MAX as u64, &[]);
const SHORT: Kind = Kind::Number(u16::MAX as u64, &[]);
const LONG: Kind = Kind::Number(u32::MAX as u64, &[]);

pub(super) static SUBJECTS: &[Subject] = {
    use Asked as A;
    use Ends::{InOut, One, SourceDestination as Pair};
    &[
        subject("ipv4", &["inet"], Kind::Family, One(A::Family)),
        subject("ipv6", &["inet6", "ip6"], Kind::Family, One(A::Family)),
        subject("proto", &["protocol"], Kind::Protocol, One(A::Protocol)),
        subject("host", &["ip", "addr"], Kind::Address, Pair(A::SourceAddress, A::DestinationAddress)),
        subject("net", &[], Kind::Address, Pair(A::SourceAddress, A::DestinationAddress)),
        subject("port", &["portrange"], SHORT, Pair(A::SourcePort, A::DestinationPort)),
        subject("icmp-type", &["icmptype"], BYTE, One(A::IcmpType)),
        subject("icmp-code", &["icmpcode"], BYTE, One(A::IcmpCode)),
        subject("bytes", &["octets"], Kind::Amount, One(A::Bytes)),
        subject("packets", &[], Kind::Amount, One(A::Packets)),
        subject("duration", &[], Kind::Duration, One(A::Duration)),
        subject("bps", &[], Kind::Amount, One(A::BitsPerSecond)),
        subject("pps", &[], Kind::Amount, One(A::PacketsPerSecond)),
        subject("bpp", &[], Kind::Amount, One(A::BytesPerPacket)),
        subject("flags", &[], Kind::Flags, One(A::TcpFlags)),
        subject("tos", &[], BYTE, One(A::ClassOfService)),
        subject("dscp", &[], Kind::Number(63, DSCP), One(A::Dscp)),
        subject("ttl", &[], BYTE, One(A::TimeToLive)),
        subject("if", &["interface"], LONG, InOut(A::IngressInterface, A::EgressInterface)),
        subject("vrf", &[], LONG, InOut(A::IngressVrf, A::EgressVrf)),
        subject("vlan", &[], SHORT, Pair(A::SourceVlan, A::DestinationVlan)),
        subject("mac", &["ether"], Kind::Mac, Pair(A::SourceMac, A::DestinationMac)),
        subject("as", &["asn"], LONG, Pair(A::SourceAs, A::DestinationAs)),
        subject("mask", &[], Kind::Number(128, &[]), Pair(A::SourceMask, A::DestinationMask)),
        subject("nexthop", &[], Kind::Address, One(A::NextHop)),
        subject("exporter", &["router"], Kind::Exporter, Ends::Whole(A::Exporter, A::ObservedExporter)),
        subject("site", &[], Kind::Name, One(A::Site)),
        subject("domain", &[], LONG, One(A::Domain)),
        subject("version", &[], Kind::Number(10, &[("ipfix", 10), ("sflow", SFLOW)]), One(A::Version)),
        subject("direction", &[], Kind::Number(255, &[("ingress", 0), ("egress", 1)]), One(A::Direction)),
        subject("end-reason", &[], Kind::Number(255, END_REASONS), One(A::EndReason)),
        subject("forwarding", &[], Kind::Number(3, FORWARDING), One(A::Forwarding)),
    ]
};

/// What `exporter` is about where a name follows.
pub(super) static EXPORTER_NAME: Subject = subject("exporter", &[], Kind::Name, Ends::One(Asked::ExporterName));

/// RFC 2474, 2597 and 3246.
const DSCP: &[(&str, u64)] = &[
    ("cs0", 0),
    ("cs1", 8),
    ("af11", 10),
    ("af12", 12),
    ("af13", 14),
    ("cs2", 16),
    ("af21", 18),
    ("af22", 20),
    ("af23", 22),
    ("cs3", 24),
    ("af31", 26),
    ("af32", 28),
    ("af33", 30),
    ("cs4", 32),
    ("af41", 34),
    ("af42", 36),
    ("af43", 38),
    ("cs5", 40),
    ("ef", 46),
    ("cs6", 48),
    ("cs7", 56),
];

/// As the values of their attribute.
const END_REASONS: &[(&str, u64)] =
    &[("idle_timeout", 1), ("active_timeout", 2), ("end_of_flow", 3), ("forced_end", 4), ("lack_of_resources", 5)];

const FORWARDING: &[(&str, u64)] = &[("unknown", 0), ("forwarded", 1), ("dropped", 2), ("consumed", 3)];

/// The letters of TCP flags with their bits, from the lowest.
pub(super) const FLAGS: [(char, u8); 8] =
    [('F', 0x01), ('S', 0x02), ('R', 0x04), ('P', 0x08), ('A', 0x10), ('U', 0x20), ('E', 0x40), ('C', 0x80)];
