//! What the records of a sample say about its packet.

use std::net::IpAddr;

use flow_wire::sflow::record::{
    ExtendedGateway, ExtendedRouter, ExtendedSwitch, SampledEthernet, SampledHeader, SampledIp,
};
use flow_wire::sflow::{FlowSample, RecordData};
use flow_wire::{DecodeError, DecodeErrorKind};

use super::columns::{Column, RecordWriter};
use crate::decoded::Decoded;
use crate::packet::{PacketHeaders, SampledPacket, Start};

/// The first record of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Facts<'a> {
    header: Option<SampledHeader<'a>>,
    /// What could be read of it.
    packet: PacketHeaders,
    ethernet: Option<SampledEthernet>,
    ip: Option<SampledIp>,
    switch: Option<ExtendedSwitch>,
    router: Option<ExtendedRouter>,
    gateway: Option<ExtendedGateway>,
}

impl<'a> Facts<'a> {
    /// Reads the records of a sample, and says how many bytes of it were lost; what is wrong with them is noted.
    pub(super) fn gather(flow: &FlowSample<'a>, decoded: &mut Decoded) -> (Self, usize) {
        let mut facts = Self::default();
        let mut records = flow.records();
        let mut failed = None;
        let mut lost = 0;
        for record in records.by_ref() {
            match record.map(|record| (record, record.read())) {
                Ok((_, Ok(data))) => facts.take(data),
                Ok((record, Err(error))) => {
                    decoded.skip(error, record.total_len());
                    lost += record.total_len();
                }
                Err(error) => failed = Some(error),
            }
        }
        let rest = records.remaining();
        let trailing = (rest > 0).then(|| DecodeError::new(records.position(), DecodeErrorKind::TrailingBytes(rest)));
        if let Some(error) = failed.or(trailing) {
            decoded.skip(error, rest);
        }
        (facts, lost + rest)
    }

    fn take(&mut self, data: RecordData<'a>) {
        match data {
            RecordData::Header(header) if self.header.is_none() => {
                self.header = Some(header);
                let packet = start(header.protocol).and_then(|start| SampledPacket::read(start, header.bytes));
                self.packet = packet.map_or_else(PacketHeaders::default, |packet| packet.outer);
            }
            RecordData::Ethernet(ethernet) => _ = self.ethernet.get_or_insert(ethernet),
            RecordData::Ip(ip) => _ = self.ip.get_or_insert(ip),
            RecordData::Switch(switch) => _ = self.switch.get_or_insert(switch),
            RecordData::Router(router) => _ = self.router.get_or_insert(router),
            RecordData::Gateway(gateway) => _ = self.gateway.get_or_insert(gateway),
            _ => {}
        }
    }

    /// Writes the columns in their order.
    pub(super) fn write(&self, flow: &FlowSample<'_>, record: &mut RecordWriter<'_>) {
        self.network(record);
        if let Some(length) = self.length() {
            record.put(Column::Octets, length.to_be_bytes());
        }
        record.put(Column::Packets, 1_u32.to_be_bytes());
        if let Some(sampling) = flow.sampling {
            record.put(Column::SamplingInterval, sampling.rate.to_be_bytes());
        }
        record.put(Column::Ingress, flow.input.index().to_be_bytes());
        record.put(Column::Egress, flow.output.index().to_be_bytes());
        if flow.is_discarded() {
            record.put(Column::ForwardingStatus, [DROPPED]);
        }
        self.link(record);
        self.routing(record);
        if let Some(header) = &self.header {
            match header.protocol {
                SampledHeader::ETHERNET => record.section(Column::Frame, header.bytes),
                SampledHeader::IPV4 | SampledHeader::IPV6 => record.section(Column::IpPacket, header.bytes),
                SampledHeader::MPLS => record.section(Column::LabelStack, header.bytes),
                _ => {}
            }
        }
    }

    /// Bytes of the packet, by the record that has seen most of it.
    fn length(&self) -> Option<u32> {
        let header = self.header.map(|header| header.frame_length);
        header.or(self.ethernet.map(|ethernet| ethernet.length)).or(self.ip.map(|ip| ip.length))
    }

    /// Addresses to ports: from the header itself, else as the agent decoded it.
    fn network(&self, record: &mut RecordWriter<'_>) {
        let Some(ip) = self.packet.ip else {
            return self.decoded_network(record);
        };
        addresses(record, ip.source, ip.destination);
        if let Some(label) = ip.flow_label {
            record.put(Column::FlowLabel, label.to_be_bytes());
        }
        record.put(Column::ClassOfService, [ip.class_of_service]);
        record.put(Column::TimeToLive, [ip.time_to_live]);
        if let Some(protocol) = ip.protocol {
            record.put(Column::Protocol, [protocol]);
        }
        if let Some((source, destination)) = self.packet.ports {
            record.put(Column::SourcePort, source.to_be_bytes());
            record.put(Column::DestinationPort, destination.to_be_bytes());
        }
        if let Some(flags) = self.packet.tcp_flags {
            record.put(Column::TcpControlBits, flags.to_be_bytes());
        }
        if let Some(icmp) = self.packet.icmp {
            let column = if ip.source.is_ipv4() { Column::IcmpIpv4 } else { Column::IcmpIpv6 };
            record.put(column, [icmp.kind, icmp.code.unwrap_or(0)]);
        }
    }

    fn decoded_network(&self, record: &mut RecordWriter<'_>) {
        let Some(ip) = self.ip else {
            return;
        };
        addresses(record, ip.source, ip.destination);
        record.put(Column::ClassOfService, [ip.class_of_service as u8]);
        record.put(Column::Protocol, [ip.protocol as u8]);
        if matches!(ip.protocol, TCP | UDP) {
            record.put(Column::SourcePort, (ip.source_port as u16).to_be_bytes());
            record.put(Column::DestinationPort, (ip.destination_port as u16).to_be_bytes());
        }
        if ip.protocol == TCP {
            record.put(Column::TcpControlBits, (ip.tcp_flags as u16).to_be_bytes());
        }
    }

    fn link(&self, record: &mut RecordWriter<'_>) {
        let macs = self.packet.ethernet.map(|ethernet| (ethernet.source, ethernet.destination));
        let macs = macs.or(self.ethernet.map(|ethernet| (ethernet.source, ethernet.destination)));
        if let Some((source, destination)) = macs {
            record.put(Column::SourceMac, source);
            record.put(Column::DestinationMac, destination);
        }
        let vlan = |vlan: u32| u16::try_from(vlan).ok().filter(|vlan| *vlan <= MAX_VLAN);
        if let Some(vlan) = self.switch.and_then(|switch| vlan(switch.source_vlan)) {
            record.put(Column::SourceVlan, vlan.to_be_bytes());
        }
        if let Some(vlan) = self.switch.and_then(|switch| vlan(switch.destination_vlan)) {
            record.put(Column::DestinationVlan, vlan.to_be_bytes());
        }
    }

    fn routing(&self, record: &mut RecordWriter<'_>) {
        if let Some(router) = &self.router {
            match router.next_hop {
                Some(IpAddr::V4(next_hop)) => record.put(Column::NextHopIpv4, next_hop.octets()),
                Some(IpAddr::V6(next_hop)) => record.put(Column::NextHopIpv6, next_hop.octets()),
                None => {}
            }
            record.put(Column::SourceMask, [router.source_mask as u8]);
            record.put(Column::DestinationMask, [router.destination_mask as u8]);
        }
        if let Some(gateway) = &self.gateway {
            record.put(Column::SourceAs, gateway.source_as.to_be_bytes());
            // As NetFlow has it: 0 where the destination lies in no other autonomous system.
            record.put(Column::DestinationAs, gateway.destination_as.unwrap_or(0).to_be_bytes());
        }
    }
}

fn addresses(record: &mut RecordWriter<'_>, source: IpAddr, destination: IpAddr) {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            record.put(Column::SourceIpv4, source.octets());
            record.put(Column::DestinationIpv4, destination.octets());
            record.put(Column::IpVersion, [4]);
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            record.put(Column::SourceIpv6, source.octets());
            record.put(Column::DestinationIpv6, destination.octets());
            record.put(Column::IpVersion, [6]);
        }
        _ => {}
    }
}

/// How a sampled header of this protocol begins, for the protocols that are read.
const fn start(protocol: u32) -> Option<Start> {
    Some(match protocol {
        SampledHeader::ETHERNET => Start::Ethernet,
        SampledHeader::IPV4 | SampledHeader::IPV6 => Start::Ip,
        SampledHeader::MPLS => Start::MPLS,
        _ => return None,
    })
}

const TCP: u32 = 6;
const UDP: u32 = 17;
const MAX_VLAN: u16 = 4095;
/// Dropped for a reason that is not said (RFC 7270 section 4.12).
const DROPPED: u8 = 128;
