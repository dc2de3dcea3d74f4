//! Attributes that many flows share, encoded once.

use std::net::IpAddr;

use flow_state::{FlowRecord, MessageContext, Sampling};
use flow_wire::{Version, ie};

use crate::attribute::Attribute;
use crate::program::{AttributeWriter, Endpoints, sampling_attributes};
use crate::trace::{SpanSink, version};

/// What flows of one Message say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MessageKey {
    exporter: IpAddr,
    version: Version,
    observation_domain_id: u32,
    sampling: Option<Sampling>,
}

/// Encoded attributes by what they depend on: the Message, the address family, the protocol, the class of service,
/// the TCP flags. Each is a
/// closed set of a few hundred at most, filled as they are met.
#[derive(Debug)]
pub(crate) struct SharedAttributes<F> {
    message: Option<MessageKey>,
    message_attributes: F,
    network_types: Table<F>,
    protocols: Table<F>,
    classes_of_service: Table<F>,
    tcp_flags: Table<F>,
}

type Table<F> = Box<[Option<F>]>;

/// Nine control bits (RFC 9293 section 3.1, RFC 9768).
const TCP_FLAG_SETS: usize = 512;

impl<F: Default> Default for SharedAttributes<F> {
    fn default() -> Self {
        let table = |len| (0..len).map(|_| None).collect();
        Self {
            message: None,
            message_attributes: F::default(),
            network_types: table(2),
            protocols: table(256),
            classes_of_service: table(256),
            tcp_flags: table(TCP_FLAG_SETS),
        }
    }
}

impl<F: Default> SharedAttributes<F> {
    /// Makes sure that the attributes of this Message are there.
    pub(crate) fn prepare_message(&mut self, context: &MessageContext, sink: &mut impl SpanSink<Fragment = F>) {
        let key = MessageKey {
            exporter: context.session.exporter.ip(),
            version: context.header.version,
            observation_domain_id: context.header.observation_domain_id,
            sampling: context.header_sampling(),
        };
        if self.message == Some(key) {
            return;
        }
        self.message = Some(key);
        sink.fragment(&mut self.message_attributes, |out| {
            version(key.version, out);
            out.address(Attribute::ExporterAddress, key.exporter);
            if !matches!(key.version, Version::V1 | Version::V7) {
                out.int(Attribute::ObservationDomainId, key.observation_domain_id.into());
            }
            if let Some(sampling) = key.sampling {
                sampling_attributes(sampling, out);
            }
        });
    }

    /// Makes sure that what [`SharedAttributes::write`] adds for this flow is there.
    #[inline]
    pub(crate) fn prepare_flow(&mut self, facts: SharedFacts, sink: &mut impl SpanSink<Fragment = F>) {
        fill(Kind::NetworkType, &mut self.network_types, facts.network_type, sink);
        fill(Kind::Protocol, &mut self.protocols, facts.protocol, sink);
        fill(Kind::ClassOfService, &mut self.classes_of_service, facts.class_of_service, sink);
        fill(Kind::TcpFlags, &mut self.tcp_flags, facts.tcp_flags, sink);
    }

    /// Adds to a span what was prepared.
    #[inline]
    pub(crate) fn write(&self, facts: SharedFacts, out: &mut impl AttributeWriter<Fragment = F>) {
        out.fragment(&self.message_attributes);
        add(Kind::NetworkType, &self.network_types, facts.network_type, out);
        add(Kind::Protocol, &self.protocols, facts.protocol, out);
        add(Kind::ClassOfService, &self.classes_of_service, facts.class_of_service, out);
        add(Kind::TcpFlags, &self.tcp_flags, facts.tcp_flags, out);
    }
}

/// The facts of a flow whose attributes come from a table.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SharedFacts {
    pub(crate) network_type: Option<usize>,
    pub(crate) protocol: Option<usize>,
    pub(crate) class_of_service: Option<usize>,
    pub(crate) tcp_flags: Option<usize>,
}

impl SharedFacts {
    #[inline]
    pub(crate) fn new(flow: &FlowRecord<'_>, endpoints: &Endpoints) -> Self {
        let protocol = endpoints.protocol;
        // Exporters send the flags for every protocol, and zero for all but TCP.
        let is_tcp = protocol.is_none_or(|protocol| protocol == TCP);
        let integer = |fact| flow.integer(fact).map(|value| usize::try_from(value).unwrap_or(usize::MAX));
        Self {
            network_type: endpoints.source.or(endpoints.destination).map(|address| usize::from(address.is_ipv6())),
            protocol: protocol.map(usize::from),
            class_of_service: integer(flow_state::Fact::ClassOfService),
            tcp_flags: if is_tcp { integer(flow_state::Fact::TcpFlags) } else { None },
        }
    }
}

const TCP: u8 = 6;

/// What a table is about.
#[derive(Clone, Copy, Debug)]
enum Kind {
    NetworkType,
    Protocol,
    ClassOfService,
    TcpFlags,
}

impl Kind {
    /// Writes the attributes of a value, in the table or not.
    fn write(self, value: usize, out: &mut impl AttributeWriter) {
        match self {
            Self::NetworkType => out.str(Attribute::NetworkType, if value == 0 { "ipv4" } else { "ipv6" }),
            Self::Protocol => protocol(value, out),
            Self::ClassOfService => class_of_service(value, out),
            Self::TcpFlags => tcp_flags(value, out),
        }
    }
}

#[inline]
fn fill<S>(kind: Kind, table: &mut Table<S::Fragment>, value: Option<usize>, sink: &mut S)
where
    S: SpanSink<Fragment: Default>,
{
    if let Some(value) = value
        && let Some(empty @ None) = table.get_mut(value)
    {
        let mut fragment = S::Fragment::default();
        sink.fragment(&mut fragment, |out| kind.write(value, out));
        *empty = Some(fragment);
    }
}

#[inline]
fn add<W: AttributeWriter>(kind: Kind, table: &Table<W::Fragment>, value: Option<usize>, out: &mut W) {
    match value.map(|value| (value, table.get(value))) {
        Some((_, Some(Some(fragment)))) => out.fragment(fragment),
        // An exporter sent more bits than the field has.
        Some((value, _)) => kind.write(value, out),
        None => {}
    }
}

fn protocol(number: usize, out: &mut impl AttributeWriter) {
    out.int(Attribute::ProtocolNumber, number as i64);
    if let Some(name) = ie::protocol_name(number as u8) {
        out.str(Attribute::Transport, name);
    }
}

fn class_of_service(bits: usize, out: &mut impl AttributeWriter) {
    out.int(Attribute::ClassOfService, bits as i64);
    out.int(Attribute::Dscp, (bits >> 2 & 63) as i64);
    out.int(Attribute::Ecn, (bits & 3) as i64);
}

/// Control bits from the lowest up.
const TCP_FLAGS: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];

fn tcp_flags(bits: usize, out: &mut impl AttributeWriter) {
    out.int(Attribute::TcpFlags, bits as i64);
    let tags: Vec<_> = (0..9).filter(|bit| bits >> bit & 1 == 1).map(|bit| TCP_FLAGS[bit]).collect();
    if !tags.is_empty() {
        out.strs(Attribute::TcpFlagTags, &tags);
    }
}
