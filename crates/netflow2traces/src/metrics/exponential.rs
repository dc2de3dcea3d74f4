//! Exponential histograms, as the data model of OpenTelemetry has them.

use std::ops::Range;

/// Most buckets, as SDKs have it. With fewer than 160 powers of two between the least and the greatest value, the scale is not
/// negative.
const MAX_BUCKETS: usize = 160;
/// The finest that Prometheus takes, too: buckets of 0.3 %.
const MAX_SCALE: i32 = 8;

/// How values above zero are spread over buckets that grow by a factor of 2^(2^-scale), and how many are zero.
///
/// Bucket `i` has what is above 2^(i * 2^-scale) and at most 2^((i + 1) * 2^-scale). The scale falls when there would be too many.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exponential {
    scale: i32,
    /// The number of the first bucket of `counts`.
    offset: i32,
    counts: Vec<u64>,
    zeros: u64,
    count: u64,
    sum: f64,
    range: Option<(f64, f64)>,
}

impl Default for Exponential {
    fn default() -> Self {
        Self { scale: MAX_SCALE, offset: 0, counts: Vec::new(), zeros: 0, count: 0, sum: 0.0, range: None }
    }
}

impl Exponential {
    /// Takes a value; what is negative or no number is none.
    pub(crate) fn record(&mut self, value: f64) {
        if !value.is_finite() || value < 0.0 {
            return;
        }
        self.count += 1;
        self.sum += value;
        self.widen(value, value);
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let place = self.place(|scale| index(value, scale)..index(value, scale) + 1);
        self.counts[place] += 1;
    }

    /// Takes all that another one has.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.zeros += other.zeros;
        if let Some((min, max)) = other.range {
            self.widen(min, max);
        }
        if other.counts.is_empty() {
            return;
        }
        self.coarsen(self.scale - other.scale);
        let mut other = other.clone();
        let first = self.place(|scale| {
            other.coarsen(other.scale - scale);
            other.buckets()
        });
        self.counts[first..].iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
    }

    pub(crate) const fn scale(&self) -> i32 {
        self.scale
    }

    /// Number of the first bucket, and what is in it and those after it.
    pub(crate) fn positive(&self) -> (i32, &[u64]) {
        (self.offset, &self.counts)
    }

    pub(crate) const fn zeros(&self) -> u64 {
        self.zeros
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    pub(crate) const fn sum(&self) -> f64 {
        self.sum
    }

    /// The least and the greatest value, if there are any.
    pub(crate) const fn range(&self) -> Option<(f64, f64)> {
        self.range
    }

    /// What is at most 0, at most each of these powers of two, and above: exact where the scale is not negative.
    pub(crate) fn by_powers_of_two(&self, powers: Range<i32>) -> Vec<u64> {
        let mut counts = vec![0; powers.len() + 2];
        counts[0] = self.zeros;
        for (bucket, count) in self.buckets().zip(&self.counts) {
            // Rounded up: the power of two that no value of the bucket is above.
            let end = i64::from(bucket) + 1;
            let power = if self.scale >= 0 { -(-end >> self.scale) } else { end << -self.scale };
            let place = (power - i64::from(powers.start)).clamp(0, powers.len() as i64);
            counts[place as usize + 1] += count;
        }
        counts
    }

    fn buckets(&self) -> Range<i32> {
        self.offset..self.offset + self.counts.len() as i32
    }

    fn widen(&mut self, min: f64, max: f64) {
        let (least, greatest) = self.range.unwrap_or((min, max));
        self.range = Some((least.min(min), greatest.max(max)));
    }

    /// Makes room for buckets, whose numbers depend on the scale. Returns where the first of them is.
    fn place(&mut self, mut wanted: impl FnMut(i32) -> Range<i32>) -> usize {
        loop {
            let wanted = wanted(self.scale);
            if self.counts.is_empty() {
                self.offset = wanted.start;
            }
            let (start, end) = (self.offset.min(wanted.start), self.buckets().end.max(wanted.end));
            let len = (end - start) as usize;
            if len <= MAX_BUCKETS {
                let before = (self.offset - start) as usize;
                self.counts.splice(..0, std::iter::repeat_n(0, before));
                self.counts.resize(len, 0);
                self.offset = start;
                return (wanted.start - start) as usize;
            }
            self.coarsen(1);
        }
    }

    /// Makes one bucket of two, so many times.
    fn coarsen(&mut self, times: i32) {
        for _ in 0..times {
            let offset = self.offset >> 1;
            let mut counts = vec![0; self.counts.len() / 2 + 1];
            for (bucket, count) in self.buckets().zip(&self.counts) {
                counts[((bucket >> 1) - offset) as usize] += count;
            }
            if counts.last() == Some(&0) {
                counts.pop();
            }
            (self.counts, self.offset, self.scale) = (counts, offset, self.scale - 1);
        }
    }
}

/// The number of the bucket of a value above zero. Powers of two end one, exactly.
fn index(value: f64, scale: i32) -> i32 {
    const FRACTION_BITS: u32 = f64::MANTISSA_DIGITS - 1;
    let bits = value.max(f64::MIN_POSITIVE).to_bits();
    let exponent = (bits >> FRACTION_BITS) as i32 - (f64::MAX_EXP - 1);
    let fraction = bits & ((1 << FRACTION_BITS) - 1);
    let is_power = fraction == 0;
    if scale <= 0 {
        return (exponent - i32::from(is_power)) >> -scale;
    }
    if is_power {
        return (exponent << scale) - 1;
    }
    let steps = (1 << scale) as f64;
    let significand = 1.0 + fraction as f64 / (1_u64 << FRACTION_BITS) as f64;
    let step = (significand.log2() * steps).ceil().clamp(1.0, steps);
    (exponent << scale) + step as i32 - 1
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn recorded(values: &[f64]) -> Exponential {
        let mut histogram = Exponential::default();
        values.iter().for_each(|value| histogram.record(*value));
        histogram
    }

    /// Above, and at most.
    fn bounds(bucket: i32, scale: i32) -> (f64, f64) {
        let width = f64::from(-scale).exp2();
        ((f64::from(bucket) * width).exp2(), ((f64::from(bucket) + 1.0) * width).exp2())
    }

    /// One bucket after the other, as the definition has it, but for the rounding of bounds.
    fn naive(values: &[f64], scale: i32, buckets: Range<i32>) -> Vec<(u64, u64)> {
        let within =
            |low: f64, high: f64| values.iter().filter(|value| **value > low && **value <= high).count() as u64;
        let count = |bucket| {
            let (low, high) = bounds(bucket, scale);
            let near = 1e-12;
            (within(low * (1.0 + near), high * (1.0 - near)), within(low * (1.0 - near), high * (1.0 + near)))
        };
        buckets.map(count).collect()
    }

    #[test]
    fn powers_of_two_end_a_bucket() {
        for scale in -4..=MAX_SCALE {
            for power in [-1022, -64, -1, 0, 1, 7, 64, 1023] {
                let value = f64::from(power).exp2();
                let end = if scale > 0 { power << scale } else { ((power - 1) >> -scale) + 1 };
                assert_eq!(index(value, scale), end - 1, "2^{power} at {scale}");
                if scale >= 0 && power < 1023 {
                    assert_eq!(index(value * (1.0 + f64::EPSILON), scale), end, "above 2^{power} at {scale}");
                }
            }
        }
    }

    #[test]
    fn buckets_are_those_of_the_specification() {
        let histogram = recorded(&[0.0, 1.0, 2.0, 3.0, 4.0, 1.0e6]);
        // A factor of a million is 20 powers of two.
        assert_eq!((histogram.scale(), histogram.count(), histogram.zeros()), (2, 6, 1));
        assert_eq!((histogram.sum(), histogram.range()), (1_000_010.0, Some((0.0, 1.0e6))));
        let (offset, counts) = histogram.positive();
        let filled: Vec<_> = (offset..).zip(counts).filter(|(_, count)| **count > 0).map(|(at, _)| at).collect();
        assert_eq!(filled, [-1, 3, 6, 7, 79]);
    }

    #[test]
    fn what_is_no_rate_is_left_out() {
        let histogram = recorded(&[f64::NAN, f64::INFINITY, -1.0, -0.0]);
        assert_eq!((histogram.count(), histogram.zeros()), (1, 1), "a zero may have a sign");
    }

    #[test]
    fn the_classic_form_has_powers_of_two() {
        let histogram = recorded(&[0.0, 0.0, 1.0, 4.0, 4.1, 8.0, 9.0, 17.0, 1e9]);
        assert_eq!(histogram.by_powers_of_two(2..5), [2, 2, 2, 1, 2]);
    }

    /// Rates, and whatever a float can be above zero.
    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            1 => Just(0.0),
            2 => (-1022..1023_i32).prop_map(|power| f64::from(power).exp2()),
            6 => (0..100_000_u32).prop_map(|packets| f64::from(packets) / 0.010_123),
            2 => f64::MIN_POSITIVE..f64::MAX,
            2 => (-300.0..300.0).prop_map(|power: f64| 10.0_f64.powf(power)),
        ]
    }

    fn assert_is_of(histogram: &Exponential, values: &[f64]) {
        let (offset, counts) = histogram.positive();
        assert!(counts.len() <= MAX_BUCKETS && histogram.scale() <= MAX_SCALE);
        assert!(counts.is_empty() || counts[0] > 0 && *counts.last().unwrap() > 0, "no bucket for nothing");
        let zeros = values.iter().filter(|value| **value == 0.0).count() as u64;
        assert_eq!((histogram.count(), histogram.zeros()), (values.len() as u64, zeros));
        assert_eq!(counts.iter().sum::<u64>() + zeros, histogram.count());
        let certain = naive(values, histogram.scale(), histogram.buckets());
        for ((bucket, count), (least, most)) in (offset..).zip(counts).zip(certain) {
            assert!((least..=most).contains(count), "{count} in bucket {bucket}, not {least} to {most}");
        }
        let fold = |take: fn(f64, f64) -> f64| values.iter().copied().reduce(take);
        assert_eq!(histogram.range(), fold(f64::min).zip(fold(f64::max)));
        let sum: f64 = values.iter().sum();
        assert!((histogram.sum() - sum).abs() <= sum * 1e-9 || sum.is_infinite(), "{} is not {sum}", histogram.sum());
    }

    proptest! {
        /// Each value is within the bounds of its bucket, however often the scale fell.
        #[test]
        fn every_value_is_in_its_bucket(values in vec(value(), 0..80)) {
            assert_is_of(&recorded(&values), &values);
        }

        /// Values of a narrow range keep a fine scale: no more is coarsened than has to be.
        #[test]
        fn the_scale_is_as_fine_as_it_can_be(values in vec(value(), 2..20)) {
            let histogram = recorded(&values);
            if histogram.scale() < MAX_SCALE {
                let finer = |value: &f64| index(*value, histogram.scale() + 1);
                let above: Vec<_> = values.iter().filter(|value| **value > 0.0).map(finer).collect();
                let span = above.iter().max().unwrap() - above.iter().min().unwrap() + 1;
                prop_assert!(span > MAX_BUCKETS as i32, "{span} buckets would do");
            }
        }

        /// In whatever parts, and in whatever order, it is the same histogram.
        #[test]
        fn parts_make_the_whole(parts in vec(vec(value(), 0..20), 0..6)) {
            let mut merged = Exponential::default();
            parts.iter().for_each(|part| merged.merge(&recorded(part)));
            let values = parts.concat();
            assert_is_of(&merged, &values);
            let whole = recorded(&values);
            prop_assert_eq!((merged.scale(), merged.positive()), (whole.scale(), whole.positive()));
        }

        #[test]
        fn coarsening_keeps_counts(values in vec(value(), 0..40), times in 0..6) {
            let mut histogram = recorded(&values);
            histogram.coarsen(times);
            assert_is_of(&histogram, &values);
        }

        /// Above each power of two there is what is above it.
        #[test]
        fn the_classic_form_counts_the_same(values in vec((0..1_000_000_u32).prop_map(f64::from), 0..60)) {
            let counts = recorded(&values).by_powers_of_two(3..15);
            prop_assert_eq!(counts.iter().sum::<u64>(), values.len() as u64);
            let bounds = [0.0].into_iter().chain((3..15).map(|power| f64::from(power).exp2()));
            let mut below = 0;
            for (bound, count) in bounds.zip(&counts) {
                below += count;
                prop_assert_eq!(below, values.iter().filter(|value| **value <= bound).count() as u64, "up to {}", bound);
            }
        }
    }
}
