//! Flows joined to the options data of their domain.

use flow_wire::ie::id;
use flow_wire::{DataRecord, Locator, Template, VARIABLE_LENGTH};

use super::record::{RateFields, rate};
use super::rows::Sampler;
use super::{OptionsTables, Sampling, SamplingAlgorithm, SamplingRate, SamplingSource};
use crate::flow::FlowRecord;
use crate::plan::FlowPlan;

/// Where the keys into options data lie in the records of one Template.
#[derive(Debug)]
pub(crate) struct JoinPlan {
    interval: Option<Locator>,
    packet_interval: Option<Locator>,
    packet_space: Option<Locator>,
    size: Option<Locator>,
    population: Option<Locator>,
    mode: Option<Locator>,
    selector_algorithm: Option<Locator>,
    sampler: Option<Locator>,
    ingress_interface: Option<Locator>,
    egress_interface: Option<Locator>,
    ingress_vrf: Option<Locator>,
    egress_vrf: Option<Locator>,
    application: Option<Locator>,
    /// Some element of the record tells its own rate.
    tells_rate: bool,
}

impl JoinPlan {
    pub(crate) fn new(template: &Template) -> Self {
        let integer = |ids: &[u16]| {
            let fits = |locator: &Locator| matches!(locator.length(), 1..=8 | VARIABLE_LENGTH);
            ids.iter().find_map(|id| template.locate(0, *id).filter(fits))
        };
        let interval = integer(&[id::SAMPLER_RANDOM_INTERVAL, id::SAMPLING_INTERVAL]);
        let packet_interval = integer(&[id::SAMPLING_PACKET_INTERVAL]);
        let population = integer(&[id::SAMPLING_POPULATION]);
        Self {
            interval,
            packet_interval,
            packet_space: integer(&[id::SAMPLING_PACKET_SPACE]),
            size: integer(&[id::SAMPLING_SIZE]),
            population,
            mode: integer(&[id::SAMPLER_MODE, id::SAMPLING_ALGORITHM]),
            selector_algorithm: integer(&[id::SELECTOR_ALGORITHM]),
            sampler: integer(&[id::SAMPLER_ID, id::SELECTOR_ID]),
            ingress_interface: integer(&[id::INGRESS_INTERFACE, id::INGRESS_PHYSICAL_INTERFACE]),
            egress_interface: integer(&[id::EGRESS_INTERFACE, id::EGRESS_PHYSICAL_INTERFACE]),
            ingress_vrf: integer(&[id::INGRESS_VRF_ID]),
            egress_vrf: integer(&[id::EGRESS_VRF_ID]),
            application: template.locate(0, id::APPLICATION_ID).filter(|locator| locator.length() > 0),
            tells_rate: interval.or(packet_interval).or(population).is_some(),
        }
    }

    fn rate(&self, record: &DataRecord<'_>) -> Option<SamplingRate> {
        let read = |locator: Option<Locator>| locator.map(|locator| record.unsigned(locator));
        rate(&RateFields {
            interval: read(self.interval),
            packet_interval: read(self.packet_interval),
            packet_space: read(self.packet_space),
            size: read(self.size),
            population: read(self.population),
        })
    }
}

impl FlowPlan {
    /// Whether records tell of their sampling, by themselves or by naming a sampler.
    pub const fn has_sampling(&self) -> bool {
        self.join.tells_rate || self.join.sampler.is_some()
    }

    /// Whether records name an interface.
    pub const fn has_interfaces(&self) -> bool {
        self.join.ingress_interface.is_some() || self.join.egress_interface.is_some()
    }

    /// Whether records name a VRF.
    pub const fn has_vrfs(&self) -> bool {
        self.join.ingress_vrf.is_some() || self.join.egress_vrf.is_some()
    }

    /// Whether records name an application.
    pub const fn has_application(&self) -> bool {
        self.join.application.is_some()
    }
}

impl<'a> FlowRecord<'a> {
    fn options(&self) -> Option<&'a OptionsTables> {
        self.context().options()
    }

    fn key(&self, locator: impl Fn(&JoinPlan) -> Option<Locator>) -> Option<u64> {
        locator(self.join()).map(|locator| self.record().unsigned(locator))
    }

    /// Packet sampling, from the first of these that tells a rate: the profile of the exporter; the record; options data for
    /// the sampler that the record names, for its input interface, for its output interface, for its Template, for its whole
    /// domain; the header of v5; the default of the profile. Counters are as exported, whatever the rate: [`SamplingRate::scale`] estimates what they stand for.
    pub fn sampling(&self) -> Option<Sampling> {
        let join = self.join();
        let profile = self.context().profile();
        let told = |rate| Sampling { rate: Some(rate), algorithm: None, source: SamplingSource::Profile };
        if let Some(rate) = profile.and_then(|profile| profile.sampling) {
            return Some(told(rate));
        }
        if join.tells_rate
            && let Some(rate) = join.rate(self.record())
        {
            let selector = self.key(|join| join.selector_algorithm).and_then(SamplingAlgorithm::of_selector);
            let mode = || self.key(|join| join.mode).and_then(SamplingAlgorithm::of_mode);
            return Some(Sampling {
                rate: Some(rate),
                algorithm: selector.or_else(mode),
                source: SamplingSource::Record,
            });
        }
        let joined = self.options().and_then(|options| self.joined_sampling(options));
        let known = joined.or_else(|| self.context().header_sampling());
        known.or_else(|| profile.and_then(|profile| profile.default_sampling).map(told)).or_else(|| {
            let (rate, algorithm, source) = (None, None, SamplingSource::Sampler);
            join.sampler.map(|_| Sampling { rate, algorithm, source })
        })
    }

    fn joined_sampling(&self, options: &OptionsTables) -> Option<Sampling> {
        let told = |sampler: Option<&Sampler>, source| {
            let sampler = sampler?;
            sampler.rate.map(|rate| Sampling { rate: Some(rate), algorithm: sampler.algorithm, source })
        };
        let of_interface = |index: Option<u64>| told(options.interface_sampler(index?), SamplingSource::Interface);
        let sampler = self.key(|join| join.sampler).and_then(|id| options.sampler(id));
        told(sampler, SamplingSource::Sampler)
            .or_else(|| of_interface(self.key(|join| join.ingress_interface)))
            .or_else(|| of_interface(self.key(|join| join.egress_interface)))
            .or_else(|| {
                let id = self.record().template().id();
                told(options.template_sampler(id), SamplingSource::Template)
            })
            .or_else(|| told(options.global_sampler(), SamplingSource::Global))
    }

    /// Name of the interface the flow came in by (10, else 252), from options data: interfaceName, else
    /// interfaceDescription.
    pub fn ingress_interface_name(&self) -> Option<&'a str> {
        self.options()?.interface(self.key(|join| join.ingress_interface)?)?.text()
    }

    /// Name of the interface the flow left by (14, else 253).
    pub fn egress_interface_name(&self) -> Option<&'a str> {
        self.options()?.interface(self.key(|join| join.egress_interface)?)?.text()
    }

    /// Name of the ingressVRFID (234), from options data.
    pub fn ingress_vrf_name(&self) -> Option<&'a str> {
        self.options()?.vrf(self.key(|join| join.ingress_vrf)?)?.text()
    }

    /// Name of the egressVRFID (235).
    pub fn egress_vrf_name(&self) -> Option<&'a str> {
        self.options()?.vrf(self.key(|join| join.egress_vrf)?)?.text()
    }

    /// applicationId (95) as sent: one byte of classification engine, then the selector (RFC 6759 section 4.1).
    pub fn application_id(&self) -> Option<&'a [u8]> {
        let id = self.record().bytes(self.join().application?);
        (!id.is_empty()).then_some(id)
    }

    /// Name of the application, from options data.
    pub fn application_name(&self) -> Option<&'a str> {
        self.options()?.application(self.application_id()?)?.text()
    }
}
