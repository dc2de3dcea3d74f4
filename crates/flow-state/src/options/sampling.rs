//! How an exporter chose packets, and at what rate.

use super::rows::Sampler;

/// What part of the packets was looked at: `size` of each `population`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SamplingRate {
    pub(super) population: u32,
    pub(super) size: u32,
}

impl SamplingRate {
    /// `size` packets of each `population`; `None` where that is no rate: nothing, more than all, or beyond 32 bits.
    pub fn new(population: u64, size: u64) -> Option<Self> {
        let rate = Self { population: u32::try_from(population).ok()?, size: u32::try_from(size).ok()? };
        (0 < rate.size && rate.size <= rate.population).then_some(rate)
    }

    /// From a probability (samplingProbability, 311), to six digits where it is not very small.
    pub(super) fn of_probability(probability: f64) -> Option<Self> {
        const DIGITS: f64 = 1e6;
        if !(probability > 0.0 && probability <= 1.0) {
            return None;
        }
        let population = (DIGITS / probability).round();
        if population <= f64::from(u32::MAX) {
            return Self::new(population as u64, DIGITS as u64);
        }
        Self::new((1.0 / probability).round() as u64, 1)
    }

    /// One of so many packets, to the nearest whole number.
    pub const fn interval(self) -> u32 {
        let (population, size) = (self.population as u64, self.size as u64);
        ((population + size / 2) / size) as u32
    }

    /// Packets for each one looked at: 1 is all of them.
    pub fn as_f64(self) -> f64 {
        f64::from(self.population) / f64::from(self.size)
    }

    /// What a counter would have been without sampling, to the nearest whole number.
    pub fn scale(self, count: u64) -> u64 {
        let (population, size) = (u128::from(self.population), u128::from(self.size));
        u64::try_from((u128::from(count) * population + size / 2) / size).unwrap_or(u64::MAX)
    }
}

/// The rule by which packets are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SamplingAlgorithm {
    /// Each n-th packet, or by a clock.
    Deterministic,
    /// By chance.
    Random,
}

impl SamplingAlgorithm {
    /// samplingAlgorithm (35), flowSamplerMode (49) and the mode in the header of v5.
    pub(crate) const fn of_mode(mode: u64) -> Option<Self> {
        match mode {
            1 => Some(Self::Deterministic),
            2 => Some(Self::Random),
            _ => None,
        }
    }

    /// selectorAlgorithm (304), IANA's "PSAMP Parameters".
    pub(crate) const fn of_selector(algorithm: u64) -> Option<Self> {
        match algorithm {
            1 | 2 => Some(Self::Deterministic),
            3 | 4 => Some(Self::Random),
            _ => None,
        }
    }
}

/// Where the sampling of a flow is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SamplingSource {
    /// In its own record.
    Record,
    /// In options data, for the sampler that the record names.
    Sampler,
    /// In options data, for an interface of the flow.
    Interface,
    /// In options data, for the Template of the record.
    Template,
    /// In options data, for the whole Observation Domain.
    Global,
    /// In the Message Header (v5).
    Header,
    /// In the [`ExporterProfile`](crate::ExporterProfile).
    Profile,
}

/// How the exporter chose the packets of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Sampling {
    /// What part of the packets was looked at; `None` where the record names a sampler of which nothing is known (yet).
    pub rate: Option<SamplingRate>,
    /// By which rule, where the exporter says.
    pub algorithm: Option<SamplingAlgorithm>,
    /// Who says so.
    pub source: SamplingSource,
}

/// The sampling of a whole domain, and whether to believe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct GlobalSampling {
    pub(super) last: Option<Sampler>,
    pub(super) doubtful: bool,
}

impl GlobalSampling {
    /// The highest interval of a statistics record that is believed.
    const MAX_INTERVAL: u32 = 1 << 24;

    pub(super) fn trusted(&self) -> Option<&Sampler> {
        self.last.as_ref().filter(|_| !self.doubtful)
    }

    /// Takes in what a record says; see [`OptionsTables::global_sampler`](super::OptionsTables::global_sampler) for the
    /// rule of what is believed of statistics.
    pub(super) fn learn(&mut self, sampler: Sampler, raw_algorithm: Option<u64>, is_statistics: bool) {
        let changed = self.last.as_ref().is_some_and(|last| *last != sampler);
        let odd = sampler.rate.is_some_and(|rate| rate.interval() > Self::MAX_INTERVAL)
            || raw_algorithm.is_some_and(|algorithm| algorithm > 2);
        self.doubtful = is_statistics && (changed || odd);
        self.last = Some(sampler);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_rounded_and_never_overflow() {
        let rate = |population, size| SamplingRate::new(population, size);
        assert_eq!(rate(11, 2).map(SamplingRate::interval), Some(6));
        assert_eq!(rate(11, 2).map(|rate| rate.scale(3)), Some(17));
        assert_eq!(rate(u32::MAX.into(), 1).map(|rate| rate.scale(u64::MAX)), Some(u64::MAX));
        for (population, size) in [(0, 0), (1, 0), (1, 2), (1 << 32, 1)] {
            assert_eq!(rate(population, size), None, "{size} of {population}");
        }
        for (probability, interval) in [(1.0, 1), (0.01, 100), (1e-6, 1_000_000), (1.0 / 3.0, 3)] {
            assert_eq!(SamplingRate::of_probability(probability).map(SamplingRate::interval), Some(interval));
        }
        for probability in [0.0, -1.0, 1.1, f64::NAN, f64::INFINITY, 1e-300] {
            assert_eq!(SamplingRate::of_probability(probability), None, "{probability}");
        }
    }
}
