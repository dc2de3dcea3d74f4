//! Who sent a datagram, and what its Templates are scoped by.

use std::net::{IpAddr, SocketAddr};

use flow_wire::{Timestamp, Version};

use crate::profile::ExporterProfiles;
use crate::snapshot::codec::{Reader, Writer};

/// What carries Messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// Datagrams, which may be lost and may overtake each other.
    #[default]
    Udp,
    /// A stream.
    Tcp,
}

/// The Transport Session of a Message: the sender's address and port, and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TransportSession {
    /// Where the datagram came from.
    pub exporter: SocketAddr,
    /// Where it was received.
    pub collector: SocketAddr,
    /// Over what.
    pub transport: Transport,
}

impl TransportSession {
    /// A session over UDP; IPv4 addresses mapped into IPv6 (`::ffff:192.0.2.1`), as dual-stack sockets show them, are unmapped.
    pub fn new(exporter: SocketAddr, collector: SocketAddr) -> Self {
        let unmap = |address: SocketAddr| SocketAddr::new(address.ip().to_canonical(), address.port());
        Self { exporter: unmap(exporter), collector: unmap(collector), transport: Transport::Udp }
    }

    /// The same over another transport.
    pub const fn with_transport(self, transport: Transport) -> Self {
        Self { transport, ..self }
    }
}

/// One datagram with what is known about its receipt.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Datagram<'a> {
    /// Between whom.
    pub session: TransportSession,
    /// When it was received, by our clock.
    pub received_at: Timestamp,
    /// The caller's own mark; comes back with records that had to wait for their Template.
    pub tag: u128,
    /// The UDP payload.
    pub bytes: &'a [u8],
    /// What the operator says of the exporter.
    pub profiles: Option<&'a ExporterProfiles>,
}

impl<'a> Datagram<'a> {
    /// A datagram without a mark and without profiles.
    pub const fn new(session: TransportSession, received_at: Timestamp, bytes: &'a [u8]) -> Self {
        Self { session, received_at, tag: 0, bytes, profiles: None }
    }

    /// With a mark.
    #[must_use]
    pub const fn with_tag(self, tag: u128) -> Self {
        Self { tag, ..self }
    }

    /// With the profiles of the exporter.
    #[must_use]
    pub const fn with_profiles(self, profiles: Option<&'a ExporterProfiles>) -> Self {
        Self { profiles, ..self }
    }
}

/// What Template IDs of an exporter belong to. Sequence numbers belong to a Transport Session in either version, or to
/// the address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TemplateScope {
    /// By the standards: v9 by exporter address and Source ID (RFC 3954 section 5.1), IPFIX by Transport Session (both
    /// addresses and ports) and Observation Domain (RFC 7011 section 8).
    #[default]
    Session,
    /// By exporter address and domain alone, for exporters that change their source port or send from several. Over
    /// TCP each connection is a session of its own in any case.
    Address,
}

/// An Observation Domain of an exporter: the key of everything that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DomainKey {
    exporter: u128,
    collector: u128,
    ports: u32,
    domain: u32,
    version: u8,
    transport: u8,
}

impl DomainKey {
    pub(crate) fn new(session: &TransportSession, version: Version, domain: u32, scope: TemplateScope) -> Self {
        let exporter = address_bits(session.exporter.ip());
        let by_session = scope == TemplateScope::Session || session.transport == Transport::Tcp;
        let (collector, ports, transport) = if by_session && version == Version::Ipfix {
            (address_bits(session.collector.ip()), ports(session), session.transport as u8)
        } else {
            (0, 0, 0)
        };
        Self { exporter, collector, ports, domain, version: version.number() as u8, transport }
    }

    /// Whether the other is the same domain of the same exporter in another Transport Session.
    pub(crate) fn differs_in_session(&self, other: &Self) -> bool {
        self != other && (self.exporter, self.domain, self.version) == (other.exporter, other.domain, other.version)
    }

    /// Whether it ends with its Transport Session: connections end, over UDP nothing does.
    pub(crate) const fn ends(&self) -> bool {
        self.transport == Transport::Tcp as u8
    }

    /// Whether it is a domain of the same Transport Session.
    pub(crate) fn shares_session(&self, other: &Self) -> bool {
        self.in_session(0, 0) == other.in_session(0, 0)
    }

    /// Between these two, in the order of keys, are all domains of the Transport Session, and those of other transports
    /// with the same addresses and ports.
    pub(crate) fn range(&self) -> (Self, Self) {
        (self.in_session(0, u8::MIN), self.in_session(u32::MAX, u8::MAX))
    }

    const fn in_session(self, domain: u32, version: u8) -> Self {
        Self { domain, version, ..self }
    }

    /// A sub-agent of an sFlow agent: a relay sends for many from one address.
    pub(crate) fn sflow(session: &TransportSession, agent: Option<IpAddr>, sub_agent_id: u32) -> Self {
        let key = Self::new(session, Version::Sflow5, sub_agent_id, TemplateScope::Address);
        Self { collector: agent.map_or(0, address_bits), ..key }
    }

    /// Number of the version.
    pub(crate) const fn version(&self) -> u16 {
        self.version as u16
    }

    pub(crate) fn save(&self, to: &mut Writer) {
        to.u128(self.exporter);
        to.u128(self.collector);
        to.u32(self.ports);
        to.u32(self.domain);
        to.u8(self.version);
        to.u8(self.transport);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            exporter: from.u128()?,
            collector: from.u128()?,
            ports: from.u32()?,
            domain: from.u32()?,
            version: from.u8()?,
            transport: from.u8()?,
        })
    }

    /// The exporter's address, whatever the scope.
    pub(crate) const fn exporter(&self) -> u128 {
        self.exporter
    }
}

/// A process that numbers its Messages: where a datagram came from and went to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionKey {
    collector: u128,
    ports: u32,
    transport: u8,
}

impl SessionKey {
    pub(crate) fn new(session: &TransportSession, scope: TemplateScope) -> Self {
        match scope {
            TemplateScope::Session => Self {
                collector: address_bits(session.collector.ip()),
                ports: ports(session),
                transport: session.transport as u8,
            },
            TemplateScope::Address => Self::default(),
        }
    }
}

impl SessionKey {
    pub(crate) fn save(&self, to: &mut Writer) {
        to.u128(self.collector);
        to.u32(self.ports);
        to.u8(self.transport);
    }

    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self { collector: from.u128()?, ports: from.u32()?, transport: from.u8()? })
    }
}

/// The key of a Template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TemplateKey {
    pub(crate) domain: DomainKey,
    pub(crate) template_id: u16,
}

fn ports(session: &TransportSession) -> u32 {
    u32::from(session.exporter.port()) << 16 | u32::from(session.collector.port())
}

fn address_bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(exporter: &str) -> TransportSession {
        TransportSession::new(exporter.parse().unwrap(), "192.0.2.2:2055".parse().unwrap())
    }

    /// RFC 7011 section 8: IPFIX Templates belong to the Transport Session; RFC 3954 section 5.1: those of v9 do not.
    #[test]
    fn source_ports_part_ipfix_sessions_only() {
        let key = |port: u16, version, scope| DomainKey::new(&session(&format!("192.0.2.1:{port}")), version, 7, scope);
        let (rfc, address) = (TemplateScope::Session, TemplateScope::Address);
        assert_ne!(key(1, Version::Ipfix, rfc), key(2, Version::Ipfix, rfc));
        assert_eq!(key(1, Version::V9, rfc), key(2, Version::V9, rfc));
        assert_eq!(key(1, Version::Ipfix, address), key(2, Version::Ipfix, address));
        assert_ne!(key(1, Version::Ipfix, address), key(1, Version::V9, address));
    }

    #[test]
    fn mapped_addresses_are_unmapped() {
        assert_eq!(session("[::ffff:192.0.2.1]:9"), session("192.0.2.1:9"));
        assert_ne!(session("[2001:db8::1]:9"), session("192.0.2.1:9"));
    }
}
