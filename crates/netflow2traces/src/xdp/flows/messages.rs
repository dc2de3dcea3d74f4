//! Flows as IPFIX Messages (RFC 7011).

use std::net::IpAddr;
use std::time::Duration;

use flow_wire::encode::{MessageWriter, RecordWriter, TemplateDefinition, header};
use flow_wire::{FieldSpecifier, Timestamp, VARIABLE_LENGTH, Version};
use rustix::time::{ClockId, clock_gettime};
use xdp_counters::program::Flow;

use crate::replay::now;

/// Flows of a Message, and so of a trace: as many as can be looked at, with little beside them.
const FLOWS_PER_MESSAGE: usize = 100;

const IPV4: u16 = 256;
const IPV6: u16 = 257;
const INTERFACE: u16 = 258;

const fn field(id: u16, length: u16) -> FieldSpecifier {
    FieldSpecifier { enterprise_number: 0, id, length }
}

/// What a record has, from the addresses on; `ingressInterface` comes last, where it is known.
const fn fields(source: u16, destination: u16, address_len: u16) -> [FieldSpecifier; 12] {
    [
        field(source, address_len),
        field(destination, address_len),
        field(7, 2),   // sourceTransportPort
        field(11, 2),  // destinationTransportPort
        field(4, 1),   // protocolIdentifier
        field(6, 1),   // tcpControlBits
        field(61, 1),  // flowDirection
        field(1, 8),   // octetDeltaCount
        field(2, 8),   // packetDeltaCount
        field(156, 8), // flowStartNanoseconds
        field(157, 8), // flowEndNanoseconds
        field(INGRESS_INTERFACE, 4),
    ]
}

const INGRESS_INTERFACE: u16 = 10;
const IPV4_FIELDS: [FieldSpecifier; 12] = fields(8, 12, 4);
const IPV6_FIELDS: [FieldSpecifier; 12] = fields(27, 28, 16);
/// `ingressInterface`, the scope, and `interfaceName`.
const INTERFACE_FIELDS: [FieldSpecifier; 2] = [field(INGRESS_INTERFACE, 4), field(82, VARIABLE_LENGTH)];

/// The clock of the flows at a moment of that of the spans.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    pub(super) unix: Timestamp,
    pub(super) monotonic: Duration,
}

impl Clock {
    pub(super) fn now() -> Self {
        Self { unix: now(), monotonic: clock_gettime(ClockId::Monotonic).try_into().unwrap_or_default() }
    }

    /// As `dateTimeNanoseconds` has it: seconds since 1900 and a binary fraction, rounded up, as readers round down.
    pub(super) fn ntp(&self, at: Duration) -> u64 {
        const FROM_1900_TO_1970: u64 = 2_208_988_800;
        const NANOS: u64 = 1_000_000_000;
        let ago = self.monotonic.saturating_sub(at).as_nanos() as u64;
        let later = at.saturating_sub(self.monotonic).as_nanos() as u64;
        let unix = (self.unix.as_unix_nanos().saturating_sub(ago)).saturating_add(later);
        // Seconds begin anew in 2036.
        let seconds = (unix / NANOS + FROM_1900_TO_1970) << 32;
        seconds | ((unix % NANOS) << 32).div_ceil(NANOS)
    }
}

/// Observation Domains of interfaces whose number is not known, which has 31 bits, begin here.
const UNKNOWN: u32 = 1 << 31;

/// Writes Messages of one Observation Domain, the interface.
#[derive(Debug)]
pub(super) struct Messages {
    writer: MessageWriter,
    /// The domain where the interface is not known.
    unknown: u32,
    /// Data Records so far.
    sequence: u32,
    interface: Option<(u32, String)>,
    is_announced: bool,
}

impl Messages {
    /// Those of the source with this number.
    pub(super) fn new(number: u32) -> Self {
        let unknown = UNKNOWN | number;
        Self { writer: MessageWriter::new(), unknown, sequence: 0, interface: None, is_announced: false }
    }

    /// Flows of this interface follow, where it is known. Templates are written anew: what remembers them may forget.
    pub(super) fn begin(&mut self, interface: Option<(u32, String)>) {
        self.interface = interface;
        self.is_announced = false;
    }

    /// Shows one Message after the other.
    pub(super) fn write(&mut self, flows: &[Flow], clock: &Clock, mut show: impl FnMut(&[u8])) {
        for flows in flows.chunks(FLOWS_PER_MESSAGE) {
            let domain = self.interface.as_ref().map_or(self.unknown, |(index, _)| *index);
            self.writer.begin(&header(Version::Ipfix, clock.unix, self.sequence, domain));
            if !self.is_announced {
                self.announce();
            }
            let index = self.interface.as_ref().map(|(index, _)| *index);
            for (template, is_ipv4) in [(IPV4, true), (IPV6, false)] {
                let mut of_version = flows.iter().filter(|flow| flow.key.source.is_ipv4() == is_ipv4).peekable();
                if of_version.peek().is_some() {
                    self.writer.data_set(template);
                }
                of_version.for_each(|flow| record(self.writer.record(), flow, clock, index));
            }
            self.sequence = self.sequence.wrapping_add(flows.len() as u32);
            match self.writer.finish() {
                Ok(message) => show(message),
                Err(error) => unreachable!("a hundred records of fixed length fit: {error}"),
            }
        }
    }

    fn announce(&mut self) {
        let known = usize::from(self.interface.is_none());
        let templates = [(IPV4, &IPV4_FIELDS), (IPV6, &IPV6_FIELDS)];
        let templates = templates.map(|(id, fields)| TemplateDefinition::new(id, &fields[..fields.len() - known]));
        self.writer.template_set(&templates);
        if let Some((index, name)) = &self.interface {
            self.writer.options_template_set(&[TemplateDefinition::options(INTERFACE, 1, &INTERFACE_FIELDS)]);
            self.writer.data_set(INTERFACE);
            self.writer.record().unsigned(4, u64::from(*index)).variable(name.as_bytes());
            self.sequence = self.sequence.wrapping_add(1);
        }
        self.is_announced = true;
    }
}

fn record(mut record: RecordWriter<'_>, flow: &Flow, clock: &Clock, interface: Option<u32>) {
    const INGRESS: u64 = 0;
    for address in [flow.key.source, flow.key.destination] {
        match address {
            IpAddr::V4(address) => record.bytes(&address.octets()),
            IpAddr::V6(address) => record.bytes(&address.octets()),
        };
    }
    record
        .unsigned(2, flow.key.source_port.into())
        .unsigned(2, flow.key.destination_port.into())
        .unsigned(1, flow.key.protocol.into())
        .unsigned(1, flow.tcp_flags.into())
        .unsigned(1, INGRESS)
        .unsigned(8, flow.bytes)
        .unsigned(8, flow.packets)
        .unsigned(8, clock.ntp(flow.first))
        .unsigned(8, clock.ntp(flow.last));
    if let Some(index) = interface {
        record.unsigned(4, index.into());
    }
}
