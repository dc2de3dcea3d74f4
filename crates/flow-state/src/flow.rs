//! The normalised flow: one view over the records of every version.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use flow_wire::{DataRecord, Locator, Timestamp};

use crate::decoded::MessageContext;
use crate::options::JoinPlan;
use crate::packet::SampledPacket;
use crate::plan::{AddressPlan, CounterPlan, Fact, FlowPlan, TimePlan};

const ICMP: u64 = 1;
const ICMP_V6: u64 = 58;

/// A flow, read in place. Facts that the record does not carry are `None`.
#[derive(Clone, Copy, Debug)]
pub struct FlowRecord<'a> {
    record: DataRecord<'a>,
    plan: &'a FlowPlan,
    context: &'a MessageContext,
}

/// When a flow was active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowTime {
    /// First packet.
    pub start: Option<Timestamp>,
    /// Last packet.
    pub end: Option<Timestamp>,
}

impl FlowTime {
    /// From start to end, where both are known and in order.
    pub fn duration(&self) -> Option<Duration> {
        let (start, end) = (self.start?, self.end?);
        (end >= start).then(|| end.since(start))
    }
}

/// Type and code of an ICMP message, IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Icmp {
    /// ICMP type.
    pub kind: u8,
    /// ICMP code, where the record has it.
    pub code: Option<u8>,
}

impl<'a> FlowRecord<'a> {
    pub(crate) const fn new(record: DataRecord<'a>, plan: &'a FlowPlan, context: &'a MessageContext) -> Self {
        Self { record, plan, context }
    }

    /// The record itself, with every field it has.
    pub const fn record(&self) -> &DataRecord<'a> {
        &self.record
    }

    /// The Message it came in.
    pub const fn context(&self) -> &'a MessageContext {
        self.context
    }

    pub(crate) const fn join(&self) -> &'a JoinPlan {
        &self.plan.join
    }

    /// An integer fact as sent.
    #[inline]
    pub fn integer(&self, fact: Fact) -> Option<u64> {
        self.plan.locate(fact).map(|locator| self.record.unsigned(locator))
    }

    /// Source address. Where a record has both families: the one that is not all zero; else the one that element 60
    /// (ipVersion) names; else the one that comes first.
    #[inline]
    pub fn source_address(&self) -> Option<IpAddr> {
        self.address(self.plan.source)
    }

    /// Destination address, chosen as the source address.
    #[inline]
    pub fn destination_address(&self) -> Option<IpAddr> {
        self.address(self.plan.destination)
    }

    /// Next hop, chosen as the source address.
    #[inline]
    pub fn next_hop(&self) -> Option<IpAddr> {
        self.address(self.plan.next_hop)
    }

    #[inline]
    fn address(&self, plan: AddressPlan) -> Option<IpAddr> {
        match plan {
            AddressPlan::Absent => None,
            AddressPlan::V4(v4) => Some(IpAddr::V4(self.record.ipv4(v4))),
            AddressPlan::V6(v6) => Some(IpAddr::V6(self.record.ipv6(v6))),
            AddressPlan::Both { v4, v6, v4_first } => Some(self.either(v4, v6, v4_first)),
        }
    }

    fn either(&self, v4: Locator, v6: Locator, v4_first: bool) -> IpAddr {
        let (v4, v6) = (self.record.ipv4(v4), self.record.ipv6(v6));
        let takes_v4 = match (v4 == Ipv4Addr::UNSPECIFIED, v6 == Ipv6Addr::UNSPECIFIED) {
            (false, true) => true,
            (true, false) => false,
            _ => match self.integer(Fact::IpVersion) {
                Some(4) => true,
                Some(6) => false,
                _ => v4_first,
            },
        };
        if takes_v4 { v4.into() } else { v6.into() }
    }

    /// IP protocol number.
    #[inline]
    pub fn protocol(&self) -> Option<u8> {
        self.integer(Fact::Protocol).and_then(|number| u8::try_from(number).ok())
    }

    /// Octets as exported, never scaled: the first of delta, total, initiator, post delta and post total that is not
    /// zero; 0 when all are.
    #[inline]
    pub fn octets(&self) -> Option<u64> {
        self.counter(&self.plan.octets)
    }

    /// Packets as exported, chosen as the octets.
    #[inline]
    pub fn packets(&self) -> Option<u64> {
        self.counter(&self.plan.packets)
    }

    #[inline]
    fn counter(&self, plan: &CounterPlan) -> Option<u64> {
        let mut last = None;
        for locator in plan.iter().flatten() {
            last = Some(self.record.unsigned(*locator));
            if last != Some(0) {
                break;
            }
        }
        last
    }

    /// Octets of the reverse direction (RFC 5103, or the responder's).
    pub fn reverse_octets(&self) -> Option<u64> {
        self.plan.reverse_octets.map(|locator| self.record.unsigned(locator))
    }

    /// Packets of the reverse direction.
    pub fn reverse_packets(&self) -> Option<u64> {
        self.plan.reverse_packets.map(|locator| self.record.unsigned(locator))
    }

    /// Start and end, from whatever form the exporter uses: absolute times, export time and a delta, or system uptime.
    ///
    /// Uptimes count back from the header (v1, v5, v7, v9) by the signed 32-bit difference, so that a wrap of the
    /// 49.7-day counter does no harm, or on from systemInitTimeMilliseconds of the record, else of the exporter's latest
    /// options data (IPFIX). `None` where the start of the exporter is not known.
    #[inline]
    pub fn time(&self) -> FlowTime {
        FlowTime { start: self.instant(self.plan.start), end: self.instant(self.plan.end) }
    }

    #[inline]
    fn instant(&self, plan: TimePlan) -> Option<Timestamp> {
        let read = |locator| self.record.unsigned(locator);
        match plan {
            TimePlan::Absent => None,
            TimePlan::Milliseconds(locator) => Some(Timestamp::from_unix_millis(read(locator))),
            TimePlan::Ntp(locator) => Some(Timestamp::from_ntp(read(locator))),
            TimePlan::Seconds(locator) => Some(Timestamp::from_unix_seconds(read(locator))),
            TimePlan::DeltaMicroseconds(locator) => {
                let nanos = read(locator) * 1000;
                Some(Timestamp::from_unix_nanos(self.context.header.export_time.as_unix_nanos().saturating_sub(nanos)))
            }
            TimePlan::SysUpTime(locator) => self.since_start(read(locator) as u32),
        }
    }

    #[inline]
    fn since_start(&self, uptime_ms: u32) -> Option<Timestamp> {
        let header = &self.context.header;
        if let Some(now) = header.sys_uptime_ms {
            let ago = now.wrapping_sub(uptime_ms).cast_signed();
            return Some(header.export_time.minus_millis(ago.into()));
        }
        let init = self.integer(Fact::SystemInitTime).map(Timestamp::from_unix_millis).or(self.context.system_init)?;
        Some(init + Duration::from_millis(uptime_ms.into()))
    }

    /// Whether the flow is ICMP or ICMPv6, whose "ports" are none.
    #[inline]
    pub fn is_icmp(&self) -> bool {
        matches!(self.integer(Fact::Protocol), Some(ICMP | ICMP_V6))
    }

    /// ICMP type and code of an ICMP flow: elements 32 or 139, else 176 to 179, else what many exporters put into the
    /// destination port: type x 256 + code.
    pub fn icmp(&self) -> Option<Icmp> {
        if !self.is_icmp() {
            return None;
        }
        let both = |fact| self.integer(fact).map(|value| Icmp { kind: (value >> 8) as u8, code: Some(value as u8) });
        let apart = || {
            let kind = self.integer(Fact::IcmpType)? as u8;
            Some(Icmp { kind, code: self.integer(Fact::IcmpCode).map(|code| code as u8) })
        };
        let (ours, other) = match self.integer(Fact::Protocol) {
            Some(ICMP_V6) => (Fact::IcmpTypeCodeIpv6, Fact::IcmpTypeCodeIpv4),
            _ => (Fact::IcmpTypeCodeIpv4, Fact::IcmpTypeCodeIpv6),
        };
        both(ours).or_else(|| both(other)).or_else(apart).or_else(|| both(Fact::DestinationPort))
    }

    /// Source MAC address.
    pub fn source_mac(&self) -> Option<[u8; 6]> {
        self.mac(self.plan.source_mac)
    }

    /// Destination MAC address.
    pub fn destination_mac(&self) -> Option<[u8; 6]> {
        self.mac(self.plan.destination_mac)
    }

    fn mac(&self, locator: Option<Locator>) -> Option<[u8; 6]> {
        self.record.bytes(locator?).try_into().ok()
    }

    /// The headers of the packet whose start the record holds (elements 104, 313 to 317).
    pub fn packet(&self) -> Option<SampledPacket> {
        self.plan.sections.as_ref()?.read(&self.record, self.protocol())
    }
}
