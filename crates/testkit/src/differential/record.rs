//! One flow record by the keys of `netflow2traces decode --format jsonl`.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// One flow Data Record; absent is what the record does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Record {
    /// Number of the datagram in its capture, from 1.
    pub packet: u64,
    /// Of its Message.
    pub version: u16,
    /// Observation Domain.
    pub domain: u32,
    /// Template ID, where there are Templates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<u16>,
    /// Source address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src: Option<IpAddr>,
    /// Destination address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst: Option<IpAddr>,
    /// Source port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sport: Option<u64>,
    /// Destination port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dport: Option<u64>,
    /// IP protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proto: Option<u64>,
    /// The first counter of bytes that is not zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The same of packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub packets: Option<u64>,
    /// Input interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_if: Option<u64>,
    /// Output interface.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_if: Option<u64>,
    /// Source AS number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_as: Option<u64>,
    /// Destination AS number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_as: Option<u64>,
    /// Next hop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nexthop: Option<IpAddr>,
    /// Unix milliseconds, rounded down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_ms: Option<i64>,
    /// The same for the end of the flow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_ms: Option<i64>,
    /// Bytes in the other direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_bytes: Option<u64>,
    /// Packets in the other direction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rev_packets: Option<u64>,
}

impl Record {
    pub(super) fn is_icmp(&self) -> bool {
        matches!(self.proto, Some(1 | 58))
    }

    /// Every value as text.
    fn values(&self) -> [(&'static str, Option<String>); 20] {
        fn text(value: Option<impl ToString>) -> Option<String> {
            value.map(|value| value.to_string())
        }
        [
            ("packet", text(Some(self.packet))),
            ("version", text(Some(self.version))),
            ("domain", text(Some(self.domain))),
            ("template", text(self.template)),
            ("src", text(self.src)),
            ("dst", text(self.dst)),
            ("sport", text(self.sport)),
            ("dport", text(self.dport)),
            ("proto", text(self.proto)),
            ("bytes", text(self.bytes)),
            ("packets", text(self.packets)),
            ("in_if", text(self.in_if)),
            ("out_if", text(self.out_if)),
            ("src_as", text(self.src_as)),
            ("dst_as", text(self.dst_as)),
            ("nexthop", text(self.nexthop)),
            ("start_ms", text(self.start_ms)),
            ("end_ms", text(self.end_ms)),
            ("rev_bytes", text(self.rev_bytes)),
            ("rev_packets", text(self.rev_packets)),
        ]
    }

    /// The keys in which two records differ, with the value of each; `-` is none.
    pub(super) fn differences(&self, other: &Self) -> Vec<(&'static str, String, String)> {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let pairs = self.values().into_iter().zip(other.values());
        pairs.filter(|(ours, theirs)| ours.1 != theirs.1).map(|((key, a), (_, b))| (key, text(a), text(b))).collect()
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.values().into_iter().filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        f.write_str(&known.collect::<Vec<_>>().join(" "))
    }
}
