//! Looks for the fields of a Template by element and size.

use flow_wire::ie::{self, id};
use flow_wire::{Locator, Template, VARIABLE_LENGTH, Version};

use super::{AddressPlan, Families, NTOP, TimePlan};

/// Finds the fields of a Template whose length fits their element.
pub(super) struct Finder<'a> {
    template: &'a Template,
    /// Field types of NetFlow v9 above 32767, which may stand for an element of another number.
    aliases: Vec<Alias>,
}

/// An element, and the field type that stands for it.
#[derive(Debug, PartialEq, Eq)]
struct Alias {
    enterprise: u32,
    id: u16,
    field_type: u16,
}

/// The elements of a point in time, the preferred first: milliseconds, NTP nanoseconds, NTP microseconds, seconds, delta
/// in microseconds, system uptime.
pub(super) type TimeElements = [u16; 6];

pub(super) const START: TimeElements = [
    id::FLOW_START_MILLISECONDS,
    id::FLOW_START_NANOSECONDS,
    id::FLOW_START_MICROSECONDS,
    id::FLOW_START_SECONDS,
    id::FLOW_START_DELTA_MICROSECONDS,
    id::FLOW_START_SYS_UP_TIME,
];
pub(super) const END: TimeElements = [
    id::FLOW_END_MILLISECONDS,
    id::FLOW_END_NANOSECONDS,
    id::FLOW_END_MICROSECONDS,
    id::FLOW_END_SECONDS,
    id::FLOW_END_DELTA_MICROSECONDS,
    id::FLOW_END_SYS_UP_TIME,
];
/// An event has a moment only in absolute forms.
pub(super) const OBSERVATION: TimeElements = [
    id::OBSERVATION_TIME_MILLISECONDS,
    id::OBSERVATION_TIME_NANOSECONDS,
    id::OBSERVATION_TIME_MICROSECONDS,
    id::OBSERVATION_TIME_SECONDS,
    0,
    0,
];
pub(super) const COLLECTION: TimeElements = [id::COLLECTION_TIME_MILLISECONDS, 0, 0, 0, 0, 0];

impl<'a> Finder<'a> {
    pub(super) fn new(template: &'a Template) -> Self {
        // Here once: they are asked for with every element that the Template lacks.
        let alias = |field_type: u16| {
            let element = ie::lookup_v9(field_type)?;
            Some(Alias { enterprise: element.enterprise_number, id: element.id, field_type })
        };
        let ids = template.field_specifiers().map(|field| field.id);
        let aliases = match template.version() {
            Version::V9 => ids.filter(|id| *id > 0x7fff).filter_map(alias).collect(),
            _ => Vec::new(),
        };
        Self { template, aliases }
    }

    fn sized(&self, enterprise: u32, id: u16, fits: impl Fn(u16) -> bool) -> Option<Locator> {
        // One whose length does not fit counts as absent, so another may stand behind it.
        let fitting = self.template.locate_all(enterprise, id).find(|locator| fits(locator.length()));
        fitting.or_else(|| self.alias(enterprise, id).filter(|locator| fits(locator.length())))
    }

    fn alias(&self, enterprise: u32, id: u16) -> Option<Locator> {
        let alias = self.aliases.iter().find(|alias| (alias.enterprise, alias.id) == (enterprise, id))?;
        self.template.locate(0, alias.field_type)
    }

    pub(super) fn integer(&self, enterprise: u32, id: u16) -> Option<Locator> {
        self.sized(enterprise, id, |length| (1..=8).contains(&length) || length == VARIABLE_LENGTH)
    }

    pub(super) fn exact(&self, enterprise: u32, id: u16, length: u16) -> Option<Locator> {
        self.sized(enterprise, id, |found| found == length)
    }

    pub(super) fn address(&self, v4: u16, v6: u16) -> AddressPlan {
        match (self.exact(0, v4, 4), self.exact(0, v6, 16)) {
            (None, None) => AddressPlan::Absent,
            (Some(v4), None) => AddressPlan::V4(v4),
            (None, Some(v6)) => AddressPlan::V6(v6),
            (Some(v4), Some(v6)) => {
                AddressPlan::Both(Box::new(Families { v4, v6, v4_first: v4.column() < v6.column() }))
            }
        }
    }

    pub(super) fn time(
        &self,
        enterprise: u32,
        [millis, nanos, micros, seconds, delta, uptime]: TimeElements,
    ) -> TimePlan {
        let exact = |id, length| self.exact(enterprise, id, length);
        let reduced = |id| self.sized(enterprise, id, |length| (1..=4).contains(&length));
        exact(millis, 8)
            .map(TimePlan::Milliseconds)
            .or_else(|| exact(nanos, 8).map(TimePlan::Ntp))
            .or_else(|| exact(micros, 8).map(TimePlan::Ntp))
            .or_else(|| exact(seconds, 4).map(TimePlan::Seconds))
            .or_else(|| reduced(delta).map(TimePlan::DeltaMicroseconds))
            .or_else(|| reduced(uptime).map(TimePlan::SysUpTime))
            .unwrap_or_default()
    }

    /// The label stack entries, top first. An element that occurs again stands for the entry below it.
    pub(super) fn labels(&self) -> Box<[Locator]> {
        let sections = id::MPLS_TOP_LABEL_STACK_SECTION..=id::MPLS_LABEL_STACK_SECTION10;
        sections
            .flat_map(|id| self.template.locate_all(0, id))
            .filter(|locator| matches!(locator.length(), 3 | 4))
            .collect()
    }

    /// Whether the Template has an element of this enterprise.
    pub(super) fn has_enterprise(&self, enterprise: u32) -> bool {
        self.template.field_specifiers().any(|field| field.enterprise_number == enterprise)
    }

    /// Whether the Template has elements of ntop, under their own number or as field types of v9.
    pub(super) fn is_ntop(&self) -> bool {
        self.has_enterprise(NTOP) || self.aliases.iter().any(|alias| alias.enterprise == NTOP)
    }
}

#[cfg(test)]
mod tests {
    use flow_wire::{FieldSpecifier, TemplateLimits};

    use super::*;

    #[test]
    fn field_types_above_32767_are_looked_up_when_the_finder_is_made() {
        // Of ASA, of nProbe, of nobody, and one that is no alias.
        let fields = [40001, 57590, 0xffff, 1].map(|id| FieldSpecifier { enterprise_number: 0, id, length: 4 });
        let aliases = |version| {
            let template = Template::from_fields(256, version, None, &fields, &TemplateLimits::default()).unwrap();
            Finder::new(&template).aliases
        };
        let alias = |enterprise, id, field_type| Alias { enterprise, id, field_type };
        let expected = [alias(0, id::POST_NAT_SOURCE_IPV4_ADDRESS, 40001), alias(NTOP, 118, 57590)];
        assert_eq!(aliases(Version::V9), expected);
        assert_eq!(aliases(Version::Ipfix), []);
    }
}
