//! The other direction of a flow, where one record tells of both.

use flow_wire::Timestamp;

use super::{FlowRecord, FlowTime};
use crate::plan::{Fact, ReversePlan};

/// Which end began a Biflow (RFC 5103 section 6.3), from the source's point of view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BiflowDirection(pub u8);

impl BiflowDirection {
    /// The exporter does not know.
    pub const ARBITRARY: Self = Self(0);
    /// The source began.
    pub const INITIATOR: Self = Self(1);
    /// The destination began.
    pub const REVERSE_INITIATOR: Self = Self(2);
    /// The source lies outside of a perimeter that the exporter knows.
    pub const PERIMETER: Self = Self(3);
}

/// How a record tells of the reverse direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReverseOrigin {
    /// Reverse elements (RFC 5103 section 6.1).
    #[default]
    ReverseElements,
    /// Counters of initiator and responder (elements 231, 232, 298, 299), as Cisco's ASA has them.
    Responder,
    /// Counters 23 and 24 of nProbe, which counts there what destination sends to source. Other exporters mean counters
    /// behind a middlebox.
    Outgoing,
}

/// The reverse direction of a Biflow: from destination to source.
#[derive(Clone, Copy, Debug)]
pub struct ReverseFlow<'a> {
    flow: &'a FlowRecord<'a>,
    plan: &'a ReversePlan,
}

impl FlowRecord<'_> {
    /// The reverse direction, if the Template has anything of it; its counters may well be zero.
    pub fn reverse(&self) -> Option<ReverseFlow<'_>> {
        Some(ReverseFlow { flow: self, plan: self.plan.reverse()? })
    }

    /// Which end began: as element 239 says, else the source where there are counters of initiator and responder.
    pub fn biflow_direction(&self) -> Option<BiflowDirection> {
        let said = self.integer(Fact::BiflowDirection).map(|direction| BiflowDirection(direction as u8));
        said.or_else(|| match self.plan.reverse()?.origin {
            ReverseOrigin::Responder => Some(BiflowDirection::INITIATOR),
            _ => None,
        })
    }

    /// Octets of the reverse direction as RFC 5103 or the responder's counter say it.
    pub fn reverse_octets(&self) -> Option<u64> {
        self.reverse().filter(ReverseFlow::is_explicit)?.octets()
    }

    /// Packets of the reverse direction, as the octets.
    pub fn reverse_packets(&self) -> Option<u64> {
        self.reverse().filter(ReverseFlow::is_explicit)?.packets()
    }
}

impl ReverseFlow<'_> {
    /// How the record tells of it.
    pub const fn origin(&self) -> ReverseOrigin {
        self.plan.origin
    }

    fn is_explicit(&self) -> bool {
        self.origin() != ReverseOrigin::Outgoing
    }

    /// Octets as exported: delta, else total; the first that is not zero.
    pub fn octets(&self) -> Option<u64> {
        self.flow.first_not_zero(&self.plan.octets)
    }

    /// Packets as exported.
    pub fn packets(&self) -> Option<u64> {
        self.flow.first_not_zero(&self.plan.packets)
    }

    /// Union of the TCP control bits seen.
    pub fn tcp_flags(&self) -> Option<u64> {
        self.plan.tcp_flags.map(|locator| self.flow.record().unsigned(locator))
    }

    /// Start and end: reverse elements in all forms that [`FlowRecord::time`] knows, nonsense clamped as there. YAF gives
    /// the start in milliseconds after that of the flow instead (enterprise 6871, element 21).
    pub fn time(&self) -> FlowTime {
        let mut time = self.flow.resolve(&self.plan.times);
        if let (None, Some(delta)) = (time.start, self.plan.delta) {
            let forward = self.flow.time();
            let later = |start: Timestamp| start.minus_millis(-(self.flow.record().unsigned(delta) as u32 as i64));
            time = FlowTime {
                start: forward.start.map(later),
                source: forward.source,
                inferred: forward.inferred,
                ..time
            };
        }
        self.flow.believe(time)
    }
}
