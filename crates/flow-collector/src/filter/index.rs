//! For each number, a word of bits.

/// Numbers in ranges, each with bits. Looking one up is a load from a table, and a search where ranges are dense.
#[derive(Clone, Debug)]
pub(super) struct Index<T> {
    /// Where ranges start, in order; the first one, which starts at 0, is not among them.
    starts: Box<[T]>,
    /// The bits of the first range, then those of the range of each start.
    bits: Box<[u64]>,
    /// How many starts are in earlier buckets; with the number of all at the end.
    buckets: Box<[u32]>,
    base: T,
    shift: u32,
}

/// An unsigned integer.
pub(super) trait Number: Copy + Ord + Default + TryFrom<u128> {
    /// How far it is behind another one, in steps of a power of two.
    fn steps_behind(self, base: Self, shift: u32) -> usize;
    /// The bits that it has from the highest that is set on.
    fn width(self, base: Self) -> u32;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Number for $number {
            #[inline(always)]
            fn steps_behind(self, base: Self, shift: u32) -> usize {
                usize::try_from(self.saturating_sub(base) >> shift).unwrap_or(usize::MAX)
            }

            fn width(self, base: Self) -> u32 {
                <$number>::BITS - (self - base).leading_zeros()
            }
        }
    )*};
}
numbers!(u64 u128);

impl<T: Number> Index<T> {
    /// From the bits at 0 and the places where bits flip, in any order. Places that are beyond the type are never reached.
    pub(super) fn new(at_zero: u64, mut flips: Vec<(u128, u64)>) -> Self {
        flips.sort_unstable_by_key(|(at, _)| *at);
        let (mut starts, mut bits): (Vec<T>, _) = (Vec::new(), vec![at_zero]);
        let mut now = at_zero;
        for group in flips.chunk_by(|(at, _), (other, _)| at == other) {
            now = group.iter().fold(now, |now, (_, flip)| now ^ flip);
            let Some(at) = group.first().and_then(|(at, _)| T::try_from(*at).ok()) else { break };
            if at == T::default() {
                bits[0] = now;
            } else if bits.last() != Some(&now) {
                starts.push(at);
                bits.push(now);
            }
        }
        let (first, last) = (starts.first().copied().unwrap_or_default(), starts.last().copied().unwrap_or_default());
        // So many buckets that most have no start in them.
        let wanted = (starts.len() * 4).next_power_of_two().clamp(16, 4096);
        let shift = last.width(first).saturating_sub(wanted.trailing_zeros());
        let buckets =
            (0..=wanted).map(|bucket| starts.partition_point(|start| start.steps_behind(first, shift) < bucket) as u32);
        Self { buckets: buckets.collect(), starts: starts.into(), bits: bits.into(), base: first, shift }
    }

    /// The bits of a number.
    #[inline]
    pub(super) fn get(&self, number: T) -> u64 {
        let bucket = number.steps_behind(self.base, self.shift).min(self.buckets.len() - 2);
        let (from, to) = (self.buckets[bucket] as usize, self.buckets[bucket + 1] as usize);
        let place =
            if from == to { from } else { from + self.starts[from..to].partition_point(|start| *start <= number) };
        self.bits[place]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Number + std::fmt::Debug>(flips: &[(u128, u64)], numbers: impl IntoIterator<Item = u128>) {
        let index = Index::<T>::new(1 << 63, flips.to_vec());
        for number in numbers {
            let Ok(own) = T::try_from(number) else { continue };
            let naive = flips.iter().filter(|(at, _)| *at <= number).fold(1 << 63, |bits, (_, flip)| bits ^ flip);
            assert_eq!(index.get(own), naive, "{number}");
        }
    }

    #[test]
    fn every_number_has_the_bits_of_its_range() {
        let mut random = fastrand::Rng::with_seed(7);
        let all: Vec<Vec<(u128, u64)>> = vec![
            vec![],
            vec![(0, 1)],
            vec![(5, 1), (9, 1)],
            vec![(u128::from(u64::MAX), 2)],
            vec![(1 << 100, 4), (u128::MAX, 4)],
            (0..300).map(|_| (random.u128(..) >> 90, 1 << random.u32(..8))).collect(),
            (0..9000).map(|_| (random.u128(..) >> random.u32(..128), 1 << random.u32(..64))).collect(),
        ];
        for flips in all {
            let near = flips.iter().take(500).flat_map(|(at, _)| [at.saturating_sub(1), *at, at.saturating_add(1)]);
            let numbers: Vec<_> = near.chain([0, 1, u128::from(u64::MAX), u128::MAX]).collect();
            check::<u64>(&flips, numbers.iter().copied());
            check::<u128>(&flips, numbers);
        }
    }
}
