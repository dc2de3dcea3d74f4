//! One row of options data, read.

use flow_wire::ie::{AbstractDataType, id};
use flow_wire::{DataRecord, Field, Timestamp, Value};

use super::rows::Sampler;
use super::sampling::{SamplingAlgorithm, SamplingRate};
use super::{is_v9_scope, text};

/// Kinds of v9 scope (RFC 3954 section 6.1) that say more than "this exporter".
const V9_SCOPE_INTERFACE: u16 = 2;
const V9_SCOPE_TEMPLATE: u16 = 5;

/// The facts of one row of options, whichever of its fields are scope. Of an element that occurs twice the first counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OptionsRecord<'a> {
    pub(super) system_init: Option<Timestamp>,
    pub(super) interface: Option<u64>,
    pub(super) template_id: Option<u64>,
    pub(super) sampler_id: Option<u64>,
    pub(super) vrf: Option<u64>,
    pub(super) application: Option<&'a [u8]>,
    pub(super) interface_name: Option<&'a [u8]>,
    pub(super) interface_description: Option<&'a [u8]>,
    pub(super) vrf_name: Option<&'a [u8]>,
    pub(super) application_name: Option<&'a [u8]>,
    pub(super) application_description: Option<&'a [u8]>,
    /// samplingAlgorithm as sent.
    pub(super) raw_algorithm: Option<u64>,
    /// Timeouts or counters of the exporter stand beside.
    pub(super) is_statistics: bool,
    pub(super) element: TypeInformation<'a>,
    sampler_name: Option<&'a [u8]>,
    interval: Option<u64>,
    sampler_interval: Option<u64>,
    packet_interval: Option<u64>,
    packet_space: Option<u64>,
    size: Option<u64>,
    population: Option<u64>,
    probability: Option<f64>,
    mode: Option<u64>,
    selector_algorithm: Option<u64>,
}

/// What a row says of an element (RFC 5610 section 3).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TypeInformation<'a> {
    pub(super) enterprise_number: Option<u64>,
    pub(super) id: Option<u64>,
    pub(super) name: Option<&'a [u8]>,
    pub(super) description: Option<&'a [u8]>,
    pub(super) data_type: Option<u64>,
    pub(super) semantics: Option<u64>,
    pub(super) units: Option<u64>,
    pub(super) range_begin: Option<u64>,
    pub(super) range_end: Option<u64>,
}

impl<'a> OptionsRecord<'a> {
    /// The elements without which a row says nothing that is remembered.
    pub(super) const TELLING: &'static [u16] = &[
        id::SAMPLING_INTERVAL,
        id::SAMPLING_ALGORITHM,
        id::SAMPLER_ID,
        id::SELECTOR_ID,
        id::SELECTOR_ALGORITHM,
        id::SAMPLING_PACKET_INTERVAL,
        id::SAMPLING_POPULATION,
        id::SAMPLING_PROBABILITY,
        id::SAMPLER_RANDOM_INTERVAL,
        id::INTERFACE_NAME,
        id::INTERFACE_DESCRIPTION,
        id::VRF_NAME,
        id::APPLICATION_NAME,
        id::APPLICATION_DESCRIPTION,
        id::SYSTEM_INIT_TIME_MILLISECONDS,
        id::INFORMATION_ELEMENT_NAME,
    ];

    pub(super) fn read(record: &DataRecord<'a>) -> Self {
        let mut row = Self::default();
        let version = record.template().version();
        for field in record.fields() {
            match field.specifier.id {
                id if field.is_scope && is_v9_scope(version, id) => row.v9_scope(id, field.bytes),
                _ if field.specifier.enterprise_number == 0 => row.field(&field),
                _ => {}
            }
        }
        row
    }

    fn v9_scope(&mut self, kind: u16, bytes: &[u8]) {
        match kind {
            V9_SCOPE_INTERFACE => self.interface(number(bytes)),
            V9_SCOPE_TEMPLATE => self.template_id = number(bytes),
            _ => {}
        }
    }

    /// Routers of Cisco name both directions, with the same index.
    fn interface(&mut self, index: Option<u64>) {
        self.interface = self.interface.filter(|index| *index > 0).or(index).or(self.interface);
    }

    fn field(&mut self, field: &Field<'a>) {
        let bytes = field.bytes;
        let first = |fact: &mut Option<u64>| *fact = fact.or_else(|| number(bytes));
        let text = |fact: &mut Option<&'a [u8]>| *fact = fact.or(Some(bytes));
        match field.specifier.id {
            id::INGRESS_INTERFACE
            | id::EGRESS_INTERFACE
            | id::INGRESS_PHYSICAL_INTERFACE
            | id::EGRESS_PHYSICAL_INTERFACE => self.interface(number(bytes)),
            id::TEMPLATE_ID if field.is_scope => first(&mut self.template_id),
            id::SAMPLER_ID | id::SELECTOR_ID => first(&mut self.sampler_id),
            id::INGRESS_VRF_ID | id::EGRESS_VRF_ID => first(&mut self.vrf),
            id::APPLICATION_ID => text(&mut self.application),
            id::SAMPLER_NAME | id::SELECTOR_NAME => text(&mut self.sampler_name),
            id::INTERFACE_NAME => text(&mut self.interface_name),
            id::INTERFACE_DESCRIPTION => text(&mut self.interface_description),
            id::VRF_NAME => text(&mut self.vrf_name),
            id::APPLICATION_NAME => text(&mut self.application_name),
            id::APPLICATION_DESCRIPTION => text(&mut self.application_description),
            id::SAMPLING_INTERVAL => first(&mut self.interval),
            id::SAMPLING_ALGORITHM => first(&mut self.raw_algorithm),
            id::SAMPLER_MODE => first(&mut self.mode),
            id::SAMPLER_RANDOM_INTERVAL => first(&mut self.sampler_interval),
            id::SELECTOR_ALGORITHM => first(&mut self.selector_algorithm),
            id::SAMPLING_PACKET_INTERVAL => first(&mut self.packet_interval),
            id::SAMPLING_PACKET_SPACE => first(&mut self.packet_space),
            id::SAMPLING_SIZE => first(&mut self.size),
            id::SAMPLING_POPULATION => first(&mut self.population),
            id::SAMPLING_PROBABILITY => {
                if let Value::Float(probability) = Value::read(AbstractDataType::Float64, bytes) {
                    self.probability.get_or_insert(probability);
                }
            }
            id::FLOW_ACTIVE_TIMEOUT
            | id::FLOW_IDLE_TIMEOUT
            | id::EXPORTED_OCTET_TOTAL_COUNT
            | id::EXPORTED_MESSAGE_TOTAL_COUNT
            | id::EXPORTED_FLOW_RECORD_TOTAL_COUNT => self.is_statistics = true,
            id::SYSTEM_INIT_TIME_MILLISECONDS => {
                self.system_init = self.system_init.or_else(|| number(bytes).map(Timestamp::from_unix_millis));
            }
            id::PRIVATE_ENTERPRISE_NUMBER => first(&mut self.element.enterprise_number),
            id::INFORMATION_ELEMENT_ID => first(&mut self.element.id),
            id::INFORMATION_ELEMENT_NAME => text(&mut self.element.name),
            id::INFORMATION_ELEMENT_DESCRIPTION => text(&mut self.element.description),
            id::INFORMATION_ELEMENT_DATA_TYPE => first(&mut self.element.data_type),
            id::INFORMATION_ELEMENT_SEMANTICS => first(&mut self.element.semantics),
            id::INFORMATION_ELEMENT_UNITS => first(&mut self.element.units),
            id::INFORMATION_ELEMENT_RANGE_BEGIN => first(&mut self.element.range_begin),
            id::INFORMATION_ELEMENT_RANGE_END => first(&mut self.element.range_end),
            _ => {}
        }
    }

    /// Whether the row is about sampling, be it that there is none (an interval of 0).
    pub(super) const fn tells_sampling(&self) -> bool {
        self.interval.is_some()
            || self.sampler_interval.is_some()
            || self.packet_interval.is_some()
            || self.population.is_some()
            || self.probability.is_some()
    }

    /// The sampler that the row describes.
    pub(super) fn sampler(&self) -> Sampler {
        let algorithm = SamplingAlgorithm::of_mode;
        Sampler {
            rate: rate(&RateFields {
                interval: self.sampler_interval.filter(|interval| *interval > 0).or(self.interval),
                packet_interval: self.packet_interval,
                packet_space: self.packet_space,
                size: self.size,
                population: self.population,
            })
            .or_else(|| SamplingRate::of_probability(self.probability?)),
            algorithm: self
                .selector_algorithm
                .and_then(SamplingAlgorithm::of_selector)
                .or_else(|| self.mode.and_then(algorithm))
                .or_else(|| self.raw_algorithm.and_then(algorithm)),
            name: self.sampler_name.and_then(text::display).map(Into::into),
        }
    }
}

/// The integers from which a rate is made.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RateFields {
    /// samplingInterval (34) or flowSamplerRandomInterval (50).
    pub(super) interval: Option<u64>,
    /// samplingPacketInterval (305).
    pub(super) packet_interval: Option<u64>,
    /// samplingPacketSpace (306).
    pub(super) packet_space: Option<u64>,
    /// samplingSize (309).
    pub(super) size: Option<u64>,
    /// samplingPopulation (310).
    pub(super) population: Option<u64>,
}

/// The rate, from the form that says most (RFC 5477 section 8.2): population by size; space and interval by interval;
/// one in an interval, as which routers of Cisco also send samplingPacketInterval alone.
pub(super) fn rate(fields: &RateFields) -> Option<SamplingRate> {
    let of_population = || SamplingRate::new(fields.population?, fields.size?);
    let of_space = || {
        let interval = fields.packet_interval?;
        SamplingRate::new(interval.saturating_add(fields.packet_space?), interval)
    };
    of_population()
        .or_else(of_space)
        .or_else(|| SamplingRate::new(fields.interval?, 1))
        .or_else(|| SamplingRate::new(fields.packet_interval?, 1))
}

/// An integer of 1 to 8 bytes.
fn number(bytes: &[u8]) -> Option<u64> {
    match Value::read(AbstractDataType::Unsigned64, bytes) {
        Value::Unsigned(number) => Some(number),
        _ => None,
    }
}
