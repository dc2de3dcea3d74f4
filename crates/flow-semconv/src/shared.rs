//! Attributes that many flows share, encoded once.

use std::net::IpAddr;
use std::sync::Arc;

use flow_state::{ExporterProfile, Fact, FlowPlan, FlowRecord, MessageContext, Sampling};
use flow_wire::{Locator, Version, ie};

use crate::attribute::{Attribute, Schema};
use crate::attribute_set::AttributeSet;
use crate::endpoints::Endpoints;
use crate::program::{AttributeWriter, sampling_attributes};
use crate::selected::Selected;
use crate::sink::{SpanParts, SpanSink};
use crate::trace::version;

/// What flows of one Message say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct MessageKey {
    exporter: IpAddr,
    version: Version,
    agent: Option<IpAddr>,
    observation_domain_id: u32,
    sampling: Option<Sampling>,
}

/// Encoded attributes of one set that follow from what a Message says, and from what many of its flows have alike: address family,
/// protocol, class of service, TCP flags. Traffic has few combinations of them.
#[derive(Debug)]
pub(crate) struct SharedAttributes<F> {
    message: Option<(MessageKey, Option<Arc<ExporterProfile>>)>,
    message_attributes: F,
    /// By a hash of the facts; a new combination takes the place of another.
    flows: Box<[(FlowKey, F)]>,
}

/// Places for combinations, a power of two.
const PLACES: usize = 2048;

impl<F: Default> Default for SharedAttributes<F> {
    fn default() -> Self {
        let flows = (0..PLACES).map(|_| (SharedFacts::default().key(), F::default())).collect();
        Self { message: None, message_attributes: F::default(), flows }
    }
}

impl<F: Default> SharedAttributes<F> {
    /// The attributes of a Message.
    pub(crate) fn of_message<S>(&mut self, context: &MessageContext, set: &AttributeSet, sink: &mut S) -> &F
    where
        S: SpanSink<Parts: SpanParts<Fragment = F>>,
    {
        let profile = context.profile();
        let key = MessageKey {
            exporter: context.session.exporter.ip(),
            version: context.header.version,
            agent: context.agent,
            observation_domain_id: context.header.observation_domain_id,
            // A rate of the profile is told with each flow.
            sampling: context.header_sampling().filter(|_| profile.is_none_or(|profile| profile.sampling.is_none())),
        };
        let is_held = self.message.as_ref().is_some_and(|(held, held_profile)| {
            *held == key && held_profile.as_ref().map(Arc::as_ptr) == profile.map(Arc::as_ptr)
        });
        if !is_held {
            self.message = Some((key, profile.cloned()));
            sink.fragment(&mut self.message_attributes, |out| {
                let out = &mut Selected::new(out, set);
                key.write(out);
                exporter(key.exporter, profile, out);
            });
        }
        &self.message_attributes
    }

    /// The attributes of flows with these facts.
    #[inline]
    pub(crate) fn of_flow<S>(&mut self, facts: SharedFacts, set: &AttributeSet, sink: &mut S) -> &F
    where
        S: SpanSink<Parts: SpanParts<Fragment = F>>,
    {
        let key = facts.key();
        let (held, attributes) = &mut self.flows[key.place()];
        if !held.is(&key) {
            *held = key;
            sink.fragment(attributes, |out| facts.write(set.schema(), &mut Selected::new(out, set)));
        }
        attributes
    }
}

impl MessageKey {
    fn write(self, out: &mut impl AttributeWriter) {
        version(self.version, self.agent, out);
        if !matches!(self.version, Version::V1 | Version::V7) {
            out.int(Attribute::ObservationDomainId, self.observation_domain_id.into());
        }
        if let Some(sampling) = self.sampling {
            sampling_attributes(sampling, out);
        }
    }
}

/// Who exported: the sender, unless the operator knows better.
pub(crate) fn exporter(sender: IpAddr, profile: Option<&Arc<ExporterProfile>>, out: &mut impl AttributeWriter) {
    out.address(Attribute::ExporterAddress, profile.and_then(|profile| profile.address).unwrap_or(sender));
    if let Some(name) = profile.and_then(|profile| profile.name.as_ref()) {
        out.str(Attribute::ExporterName, name);
    }
    if let Some(site) = profile.and_then(|profile| profile.site.as_ref()) {
        out.str(Attribute::ExporterSite, site);
    }
}

/// Where the facts that many flows of a Template have alike lie: class of service, TCP flags, direction, end reason and
/// forwarding status.
#[derive(Debug)]
pub(crate) struct SharedPlan {
    locators: [Locator; 5],
    /// Which of them there are, a bit each.
    present: u8,
}

const SHARED: [Fact; 5] =
    [Fact::ClassOfService, Fact::TcpFlags, Fact::Direction, Fact::EndReason, Fact::ForwardingStatus];

impl SharedPlan {
    pub(crate) fn new(plan: &FlowPlan) -> Self {
        let located = SHARED.map(|fact| plan.locate(fact));
        let present = located.iter().enumerate().map(|(bit, locator)| u8::from(locator.is_some()) << bit).sum();
        Self { locators: located.map(|locator| locator.unwrap_or(Locator::ABSENT)), present }
    }

    /// Reads the facts of a flow of this Template.
    #[inline]
    pub(crate) fn read(&self, flow: &FlowRecord<'_>, endpoints: &Endpoints) -> SharedFacts {
        let values = flow.record().unsigned_array(&self.locators);
        let values = values.map(|value| value.min(u32::MAX.into()) as u32);
        // Exporters send the flags for every protocol, and zero for all but TCP.
        let is_tcp = endpoints.protocol.is_none_or(|protocol| protocol == TCP);
        let present = if is_tcp { self.present } else { self.present & !TCP_FLAGS_BIT };
        SharedFacts { is_ipv6: endpoints.is_ipv6(), protocol: endpoints.protocol, present, values }
    }
}

const TCP: u8 = 6;
const TCP_FLAGS_BIT: u8 = 1 << 1;

/// The facts of a flow that many flows have alike. Values above 2^32 - 1, which no exporter sends, stay there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SharedFacts {
    is_ipv6: Option<bool>,
    protocol: Option<u8>,
    present: u8,
    values: [u32; 5],
}

impl SharedFacts {
    #[inline]
    fn key(self) -> FlowKey {
        // 0 stands for a fact that is not there.
        let family = self.is_ipv6.map_or(0, |is_ipv6| 1 + u64::from(is_ipv6));
        let protocol = self.protocol.map_or(0, |protocol| 1 + u64::from(protocol));
        let [class, flags, direction, reason, status] = self.values.map(u64::from);
        let flags = if self.present & TCP_FLAGS_BIT == 0 { 0 } else { flags };
        let bits = family | protocol << 2 | u64::from(self.present) << 11;
        FlowKey([bits | class << 32, flags | direction << 32, reason | status << 32])
    }

    fn get(self, fact: Fact) -> Option<u32> {
        let place = SHARED.iter().position(|shared| *shared == fact)?;
        (self.present >> place & 1 == 1).then_some(self.values[place])
    }

    fn write(self, schema: Schema, out: &mut impl AttributeWriter) {
        if let Some(is_ipv6) = self.is_ipv6 {
            out.str(Attribute::NetworkType, if is_ipv6 { "ipv6" } else { "ipv4" });
        }
        if let Some(number) = self.protocol {
            out.int(Attribute::ProtocolNumber, number.into());
            if let Some(name) = ie::protocol_name(number) {
                out.str(Attribute::Transport, name);
            }
        }
        if let Some(bits) = self.get(Fact::ClassOfService) {
            out.int(Attribute::ClassOfService, bits.into());
            out.int(Attribute::Dscp, (bits >> 2 & 63).into());
            out.int(Attribute::Ecn, (bits & 3).into());
        }
        if let Some(bits) = self.get(Fact::TcpFlags) {
            out.int(Attribute::TcpFlags, bits.into());
            let (mut tags, mut len) = ([""; TCP_FLAGS.len()], 0);
            for (_, name) in TCP_FLAGS.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1) {
                tags[len] = name;
                len += 1;
            }
            if len > 0 {
                out.strs(Attribute::TcpFlagTags, &tags[..len]);
            }
        }
        self.write_treatment(schema, out);
    }

    /// What the exporter did with the flow.
    fn write_treatment(self, schema: Schema, out: &mut impl AttributeWriter) {
        match self.get(Fact::Direction) {
            Some(0) => out.str(Attribute::Direction, "ingress"),
            Some(1) => out.str(Attribute::Direction, "egress"),
            _ => {}
        }
        let reason = match self.get(Fact::EndReason) {
            Some(1) => Some("idle_timeout"),
            Some(2) => Some("active_timeout"),
            Some(3) => Some("end_of_flow"),
            Some(4) => Some("forced_end"),
            Some(5) => Some("lack_of_resources"),
            _ => None,
        };
        if schema == Schema::Ecs {
            // A number there, as the exporter sends it.
            if let Some(number) = self.get(Fact::EndReason) {
                out.int(Attribute::EndReason, number.into());
            }
        } else if let Some(reason) = reason {
            out.str(Attribute::EndReason, reason);
        }
        if let Some(status) = self.get(Fact::ForwardingStatus) {
            out.int(Attribute::ForwardingStatus, status.into());
            // The upper two bits of the lowest byte: 2 is dropped (RFC 7270 section 4.12).
            if status >> 6 & 3 == 2 {
                out.error("dropped by the exporter");
            }
        }
    }
}

/// [`SharedFacts`], packed.
#[derive(Clone, Copy, Debug)]
struct FlowKey([u64; 3]);

impl FlowKey {
    /// Word by word: a comparison in one vector has to wait until the words that were just written are in memory.
    #[inline]
    fn is(&self, other: &Self) -> bool {
        let ([a, b, c], [x, y, z]) = (self.0, other.0);
        (a ^ x) | (b ^ y) | (c ^ z) == 0
    }

    #[inline]
    fn place(self) -> usize {
        // The golden ratio spreads neighbours (Knuth, The Art of Computer Programming, volume 3, section 6.4).
        let [a, b, c] = self.0;
        let mixed = (a ^ b.rotate_left(24) ^ c.rotate_left(48)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize % PLACES
    }
}

/// Control bits from the lowest up (RFC 9293 section 3.1, RFC 9768).
const TCP_FLAGS: [&str; 9] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"];
