//! Random numbers that stay the same for ever.

/// SplitMix64 (Steele, Lea and Flood, 2014).
///
/// Own code, because the same seed must give the same datagrams with every later version, which no crate promises for
/// its default generator.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 for a `bound` of 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    pub(crate) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Small numbers often, large ones seldom: from 2^`low` up, each doubling four times in ten, below 2^(`high` + 1).
    pub(crate) fn heavy_tailed(&mut self, low: u32, high: u32) -> u64 {
        let mut exponent = low;
        while exponent < high && self.percent(40) {
            exponent += 1;
        }
        (1 << exponent) + self.below(1 << exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference values of the authors' implementation for the seed 1234567.
    #[test]
    fn is_splitmix64() {
        let mut random = Random::new(1_234_567);
        let numbers = [random.next(), random.next(), random.next()];
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn stays_in_its_bounds() {
        let mut random = Random::new(7);
        let mut seen = [false; 6];
        for _ in 0..1_000 {
            seen[random.below(6) as usize] = true;
            assert!((3..=5).contains(&random.between(3, 5)));
            assert!((4..64).contains(&random.heavy_tailed(2, 5)));
        }
        assert_eq!(seen, [true; 6]);
        assert_eq!(random.below(0), 0);
    }
}
