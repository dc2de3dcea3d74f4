//! Attributes of facts that few Templates have.

use flow_state::{BiflowDirection, Fact, FlowEvent, FlowPlan, FlowRecord, FlowTime, Forwarding};

use crate::attribute::Attribute;
use crate::program::{AttributeWriter, integer};
use crate::text::{self, ShortText};

/// A group of such facts. Templates without them have no step for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rare {
    Event,
    Nat,
    PortBlock,
    Reverse,
    Labels,
    ObservedExporter,
    Cumulative,
    ImpliedDrop,
}

impl Rare {
    /// What flows of this plan may have.
    pub(crate) fn of(plan: &FlowPlan) -> impl Iterator<Item = Self> {
        let has = |fact| plan.locate(fact).is_some();
        [
            (has(Fact::FirewallEvent) || has(Fact::NatEvent), Self::Event),
            (plan.has_nat(), Self::Nat),
            (has(Fact::PortRangeStart), Self::PortBlock),
            (plan.has_reverse(), Self::Reverse),
            (plan.has_mpls_labels(), Self::Labels),
            (plan.has_observed_exporter() || has(Fact::OriginalDomain), Self::ObservedExporter),
            (plan.has_totals(), Self::Cumulative),
            (plan.may_imply_drops(), Self::ImpliedDrop),
        ]
        .into_iter()
        .filter_map(|(wanted, rare)| wanted.then_some(rare))
    }

    /// What it may write; nothing where it sets the status alone.
    pub(crate) const fn attributes(self) -> &'static [Attribute] {
        match self {
            Self::Event => &[
                Attribute::FirewallEvent,
                Attribute::FirewallEventCode,
                Attribute::NatEvent,
                Attribute::NatEventReason,
            ],
            Self::Nat => &[
                Attribute::NatSourceAddress,
                Attribute::NatSourcePort,
                Attribute::NatDestinationAddress,
                Attribute::NatDestinationPort,
            ],
            Self::PortBlock => &[Attribute::NatPortBlockStart, Attribute::NatPortBlockEnd],
            Self::Reverse => &[
                Attribute::ReverseTcpFlags,
                Attribute::ReverseStartTime,
                Attribute::ReverseEndTime,
                Attribute::BiflowInitiator,
            ],
            Self::Labels => &[Attribute::MplsLabels],
            Self::ObservedExporter => &[Attribute::ObservedExporter, Attribute::ObservedDomain],
            Self::Cumulative => &[Attribute::Cumulative],
            Self::ImpliedDrop => &[],
        }
    }

    /// Writes the attributes of a flow.
    pub(crate) fn write(self, flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
        match self {
            Self::Event => event(flow, out),
            Self::Nat => nat(flow, out),
            Self::PortBlock => port_block(flow, out),
            Self::Reverse => reverse(flow, out),
            Self::Labels => labels(flow, out),
            Self::ObservedExporter => {
                if let Some(exporter) = flow.observed_exporter() {
                    out.address(Attribute::ObservedExporter, exporter);
                }
                integer(out, Attribute::ObservedDomain, flow.integer(Fact::OriginalDomain));
            }
            Self::Cumulative => {
                if flow.is_cumulative() {
                    out.bool(Attribute::Cumulative, true);
                }
            }
            Self::ImpliedDrop => {
                if flow.forwarding().is_some_and(|status| status.forwarding == Forwarding::Dropped) {
                    out.error("dropped by the exporter");
                }
            }
        }
    }
}

/// What is to be known of times that are not simply what the exporter says.
#[cold]
pub(crate) fn time_marks(time: &FlowTime, out: &mut impl AttributeWriter) {
    if time.inferred {
        out.bool(Attribute::TimeInferred, true);
    }
    if time.clamped {
        out.bool(Attribute::TimeClamped, true);
    }
}

/// Start and end as dates, duration in nanoseconds.
#[cold]
pub(crate) fn dates(time: &FlowTime, out: &mut impl AttributeWriter) {
    for (attribute, time) in [(Attribute::StartTime, time.start), (Attribute::EndTime, time.end)] {
        if let Some(time) = time {
            out.text(attribute, &text::date(time));
        }
    }
    integer(out, Attribute::DurationMs, time.duration().map(|duration| duration.as_nanos() as u64));
}

fn event(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    match flow.event() {
        Some(FlowEvent::Firewall(event)) => {
            named(out, Attribute::FirewallEvent, event.action.name(), event.action.0.into());
            integer(out, Attribute::FirewallEventCode, event.extended.map(u64::from));
        }
        Some(FlowEvent::Nat(event)) => {
            named(out, Attribute::NatEvent, event.action.name(), event.action.0.into());
            if let Some(quota) = event.quota {
                named(out, Attribute::NatEventReason, quota.name(), quota.0);
            } else if let Some(threshold) = event.threshold {
                named(out, Attribute::NatEventReason, threshold.name(), threshold.0);
            }
        }
        _ => {}
    }
}

fn nat(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let Some(nat) = flow.nat() else {
        return;
    };
    for (attribute, address) in
        [(Attribute::NatSourceAddress, nat.source), (Attribute::NatDestinationAddress, nat.destination)]
    {
        if let Some(address) = address {
            out.address(attribute, address);
        }
    }
    integer(out, Attribute::NatSourcePort, nat.source_port.map(u64::from));
    integer(out, Attribute::NatDestinationPort, nat.destination_port.map(u64::from));
}

fn port_block(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    if let Some(block) = flow.port_block() {
        out.int(Attribute::NatPortBlockStart, block.start.into());
        integer(out, Attribute::NatPortBlockEnd, block.end.map(u64::from));
    }
}

/// What the counters leave out.
fn reverse(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let Some(reverse) = flow.reverse() else {
        return;
    };
    integer(out, Attribute::ReverseTcpFlags, reverse.tcp_flags());
    let time = reverse.time();
    integer(out, Attribute::ReverseStartTime, time.start.map(|time| time.as_unix_nanos()));
    integer(out, Attribute::ReverseEndTime, time.end.map(|time| time.as_unix_nanos()));
    match flow.biflow_direction() {
        Some(BiflowDirection::INITIATOR) => out.str(Attribute::BiflowInitiator, "source"),
        Some(BiflowDirection::REVERSE_INITIATOR) => out.str(Attribute::BiflowInitiator, "destination"),
        _ => {}
    }
}

/// Ten elements can hold an entry each.
const MAX_LABELS: usize = 10;

fn labels(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let mut texts = [ShortText::EMPTY; MAX_LABELS];
    let mut len = 0;
    for (text, entry) in texts.iter_mut().zip(flow.mpls_labels()) {
        *text = text::number(entry.label);
        len += 1;
    }
    if len > 0 {
        let texts = texts.each_ref().map(ShortText::as_str);
        out.strs(Attribute::MplsLabels, &texts[..len]);
    }
}

/// A number of a registry by its name, or as it is where it has none.
fn named(out: &mut impl AttributeWriter, attribute: Attribute, name: Option<&str>, number: u32) {
    match name {
        Some(name) => out.str(attribute, name),
        None => out.text(attribute, &text::number(number)),
    }
}
