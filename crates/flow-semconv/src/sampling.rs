//! Consistent probability sampling of flows.
//!
//! Follows "TraceState: Probability Sampling" of the OpenTelemetry specification: a flow has 56 bits of randomness R, its
//! probability is a rejection threshold T of 56 bits, and it is kept if R >= T. R comes from the conversation instead of
//! the trace ID, so that all who see the conversation decide alike.

pub(crate) mod key;

use std::num::NonZeroU64;

use flow_state::FlowRecord;

use crate::text::ShortText;

/// 2^56: values of randomness, and the threshold that nothing reaches.
const RANGE: u64 = 1 << 56;

/// Hexadecimal digits of 56 bits.
const DIGITS: u32 = 14;

/// 56 bits that are the same for all flows of a conversation: the last seven bytes of the SHA-1 digest that its Community ID
/// is the text of, as those of a trace ID are its randomness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Randomness(u64);

impl Randomness {
    /// The lower 56 bits of a number.
    pub const fn new(bits: u64) -> Self {
        Self(bits % RANGE)
    }

    #[inline]
    pub(crate) fn of_digest([.., before, last]: [u32; 5]) -> Self {
        Self::new(u64::from(before) << 32 | u64::from(last))
    }

    /// As a number below 2^56.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

/// The share of flows to keep: above 0, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Probability(f64);

// It is a number, always.
impl Eq for Probability {}

impl Probability {
    /// All of them.
    pub const ONE: Self = Self(1.0);

    /// `None` where a number is no such share. The smallest is 2^-56, and less becomes that.
    pub fn new(share: f64) -> Option<Self> {
        (share > 0.0 && share <= 1.0).then(|| Self::clamped(share))
    }

    /// The nearest to any number.
    #[inline]
    fn clamped(share: f64) -> Self {
        // `max` and `min` turn what is no number into one.
        Self(share.max(1.0 / RANGE as f64).min(1.0))
    }

    /// As a number.
    pub const fn as_f64(self) -> f64 {
        self.0
    }
}

/// What the randomness of a flow must reach for it to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold(u64);

impl Threshold {
    /// Keeps everything.
    pub const ZERO: Self = Self(0);

    /// The threshold of a probability, with four significant digits as the specification recommends: the digits behind those
    /// that only say how near to 0 or 1 it is.
    #[inline]
    pub fn new(probability: Probability) -> Self {
        // Of the probability, not of its complement, which has lost the digits of a small one.
        let exact = RANGE - (probability.0 * RANGE as f64 + 0.5) as u64;
        // A digit that is half in a run counts as the first behind it.
        let run = (exact << 8).leading_ones().max((exact << 8).leading_zeros()) / 4;
        let unit = 1 << (4 * DIGITS.saturating_sub(4 + run));
        Self((exact + unit / 2) & !(unit - 1))
    }

    /// Whether a flow is kept.
    #[inline]
    pub const fn keeps(self, randomness: Randomness) -> bool {
        randomness.0 >= self.0
    }

    /// As a number below 2^56.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// How many flows one that was kept stands for: the reciprocal of its probability.
    #[inline]
    pub fn adjusted_count(self) -> f64 {
        RANGE as f64 / (RANGE - self.0) as f64
    }
}

/// `ot=th:…;rv:…`: the threshold without its trailing zeros, and all digits of the randomness.
pub(crate) fn trace_state(threshold: Threshold, randomness: Randomness) -> ShortText {
    let digit = |bits: u64, place: u32| b"0123456789abcdef"[(bits >> (4 * (DIGITS - 1 - place)) & 15) as usize];
    let th_digits = (DIGITS - (threshold.0 | RANGE).trailing_zeros() / 4).max(1);
    let mut text = ShortText::EMPTY;
    b"ot=th:".iter().for_each(|byte| text.push(*byte));
    (0..th_digits).for_each(|place| text.push(digit(threshold.0, place)));
    b";rv:".iter().for_each(|byte| text.push(*byte));
    (0..DIGITS).for_each(|place| text.push(digit(randomness.0, place)));
    text
}

/// Which share of the flows is kept, as it is configured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SamplingPolicy {
    /// Of flows of any size; with a size, the least share, of those that count no octets too. `None`: all, and none for
    /// its own sake where there is a size.
    pub rate: Option<Probability>,
    /// Flows of so many octets are always kept, of smaller ones the share that they have of this size.
    pub size: Option<NonZeroU64>,
}

impl SamplingPolicy {
    /// The policy where only `factor` of what it keeps may be kept: rate times factor, size divided by it.
    #[inline]
    pub fn scaled(&self, factor: Probability) -> FlowSampling {
        let rate = self.rate.map_or(1.0, |rate| rate.0) * factor.0;
        FlowSampling {
            threshold: Threshold::new(Probability::clamped(rate)),
            by_size: self.size.map(|size| BySize {
                share_of_octet: factor.0 / size.get() as f64,
                least: self.rate.map_or(0.0, |rate| rate.0 * factor.0),
            }),
        }
    }
}

/// A [`SamplingPolicy`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FlowSampling {
    threshold: Threshold,
    by_size: Option<BySize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct BySize {
    share_of_octet: f64,
    least: f64,
}

impl FlowSampling {
    /// The threshold of a flow.
    #[inline]
    pub fn threshold(&self, flow: &FlowRecord<'_>) -> Threshold {
        let Some(by_size) = &self.by_size else {
            return self.threshold;
        };
        octets(flow).map_or(self.threshold, |octets| by_size.threshold(octets))
    }
}

impl BySize {
    /// A flow of no octets counts as one of one: it would never be kept, and no count of flows be right.
    #[inline]
    fn threshold(&self, octets: u64) -> Threshold {
        let share = octets.max(1) as f64 * self.share_of_octet;
        Threshold::new(Probability::clamped(share.max(self.least)))
    }
}

/// Octets of both directions that a flow stands for: scaled where the rate of the exporter's packet sampling is known.
fn octets(flow: &FlowRecord<'_>) -> Option<u64> {
    let reverse = flow.reverse().and_then(|reverse| reverse.octets());
    let octets = match (flow.octets(), reverse) {
        (Some(octets), Some(reverse)) => octets.saturating_add(reverse),
        (octets, reverse) => octets.or(reverse)?,
    };
    let rate = flow.sampling().and_then(|sampling| sampling.rate);
    Some(rate.map_or(octets, |rate| rate.scale(octets)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(share: f64) -> Threshold {
        Threshold::new(Probability::new(share).unwrap())
    }

    fn th(threshold: Threshold) -> String {
        let text = trace_state(threshold, Randomness::new(0));
        text.as_str().strip_prefix("ot=th:").unwrap().strip_suffix(";rv:00000000000000").unwrap().to_owned()
    }

    /// Examples of the specification, and what its SDKs write for the same probabilities.
    #[test]
    fn thresholds_are_those_of_opentelemetry() {
        for (share, expected) in [
            (1.0, "0"),
            (0.5, "8"),
            (0.25, "c"),
            (0.75, "4"),
            (3.0 / 32.0, "e8"),
            (1.0 / 3.0, "aaab"),
            (2.0 / 3.0, "5555"),
            (0.1, "e666"),
            (0.01, "fd70a"),
            (0.001, "ffbe77"),
            (0.0001, "fff9724"),
            (1.0 / 65_536.0, "ffff"),
            (1.0 / 1_048_576.0, "fffff"),
            (1.0 / RANGE as f64, "ffffffffffffff"),
        ] {
            assert_eq!(th(threshold(share)), expected, "{share}");
        }
    }

    #[test]
    fn a_threshold_is_as_near_as_its_digits_allow() {
        for exponent in 0..560 {
            let share = 2.0_f64.powf(-f64::from(exponent) / 10.0);
            let threshold = threshold(share);
            let kept = 1.0 / threshold.adjusted_count();
            assert!(threshold.bits() < RANGE);
            // Four digits, the first of which may be a small one.
            let error = (kept / share - 1.0).abs();
            let whole = 0.5 / (share * RANGE as f64);
            assert!(error <= 1.0 / 8_192.0 + whole, "{share}: {error}");
        }
    }

    #[test]
    fn no_share_is_none_and_none_is_more_than_all() {
        for share in [0.0, -0.1, 1.000_001, f64::NAN, f64::INFINITY] {
            assert_eq!(Probability::new(share), None);
        }
        assert_eq!(th(threshold(1e-300)), "ffffffffffffff");
    }

    #[test]
    fn flows_at_the_threshold_are_kept() {
        let half = threshold(0.5);
        assert!(half.keeps(Randomness::new(1 << 55)) && !half.keeps(Randomness::new((1 << 55) - 1)));
        assert!(Threshold::ZERO.keeps(Randomness::new(0)));
        assert!(!threshold(0.01).keeps(Randomness::new(0xfd_709f_ffff_ffff)));
        assert!(threshold(0.01).keeps(Randomness::new(0xfd_70a0_0000_0000)));
    }

    #[test]
    fn adjusted_counts_are_reciprocals() {
        for (share, count) in [(1.0, 1.0), (0.5, 2.0), (0.25, 4.0), (1.0 / 65_536.0, 65_536.0)] {
            assert_eq!(threshold(share).adjusted_count(), count);
        }
        // 2^20 / (2^20 - 0xfd70a): as the threshold is rounded, so is the count.
        assert_eq!(threshold(0.01).adjusted_count(), 1_048_576.0 / 10_486.0);
    }

    /// "rv" has exactly 14 digits; "th" none that are zero at its end, but one at least.
    #[test]
    fn trace_states_have_all_digits_of_rv_and_the_needed_ones_of_th() {
        let text = trace_state(threshold(0.01), Randomness::new(0x00_0a1b_2c3d_4e5f));
        assert_eq!(text.as_str(), "ot=th:fd70a;rv:000a1b2c3d4e5f");
        let longest = trace_state(Threshold(RANGE - 1), Randomness::new(RANGE - 1));
        assert_eq!(longest.as_str(), "ot=th:ffffffffffffff;rv:ffffffffffffff");
        assert_eq!(trace_state(Threshold::ZERO, Randomness::new(1)).as_str(), "ot=th:0;rv:00000000000001");
    }

    fn by_size(rate: Option<f64>, size: u64, factor: f64) -> BySize {
        let rate = rate.map(|rate| Probability::new(rate).unwrap());
        let policy = SamplingPolicy { rate, size: NonZeroU64::new(size) };
        policy.scaled(Probability::new(factor).unwrap()).by_size.unwrap()
    }

    #[test]
    fn large_flows_are_always_kept_and_small_ones_by_their_share() {
        let sampling = by_size(None, 1_000_000, 1.0);
        for (octets, share) in [(u64::MAX, 1.0), (1_000_000, 1.0), (500_000, 0.5), (40, 0.000_04), (0, 0.000_001)] {
            assert_eq!(sampling.threshold(octets), threshold(share), "{octets}");
        }
        let with_rate = by_size(Some(0.1), 1_000_000, 1.0);
        assert_eq!([0, 100_000, 500_000].map(|octets| with_rate.threshold(octets)), [0.1, 0.1, 0.5].map(threshold));
    }

    /// A factor is a smaller rate and a larger size: large flows stay the last to go.
    #[test]
    fn a_factor_scales_the_rate_and_the_size() {
        let scaled = by_size(Some(0.1), 1_000_000, 0.25);
        for (octets, share) in [(0, 0.025), (1_000_000, 0.25), (2_000_000, 0.5), (4_000_000, 1.0)] {
            assert_eq!(scaled.threshold(octets), threshold(share), "{octets}");
        }
        let policy = SamplingPolicy { rate: Probability::new(0.5), size: None };
        assert_eq!(policy.scaled(Probability(0.5)).threshold, threshold(0.25));
        assert_eq!(SamplingPolicy::default().scaled(Probability::ONE).threshold, Threshold::ZERO);
    }

    /// What a lower probability keeps, a higher one keeps too: exporters with different rates agree that far.
    #[test]
    fn thresholds_never_fall_with_the_probability() {
        let shares = (1..=100_000_u32).map(|number| f64::from(number) / 100_000.0);
        let thresholds: Vec<_> = shares.map(threshold).collect();
        assert!(thresholds.is_sorted_by(|a, b| a >= b));
    }
}
