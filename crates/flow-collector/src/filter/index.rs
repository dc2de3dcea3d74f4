//! For each number, a word of bits.

/// Numbers in ranges, each with bits. Looking one up is a load from a table and a comparison or two, and a search where
/// ranges are dense.
#[derive(Clone, Debug)]
pub(super) struct Index<T> {
    /// Where ranges start, in order, without the first range, which starts at 0; then [`LANES`] more of the largest number.
    starts: Box<[T]>,
    /// The bits of the first range, then those of the range of each start.
    bits: Box<[u64]>,
    /// How many starts are not behind the first number of each bucket; with the number of all at the end.
    buckets: Box<[u32]>,
    /// Of the first bucket.
    first: T,
    /// A bucket has two to the power of it numbers.
    shift: u32,
    /// Starts behind the first number of a bucket, at most.
    within: usize,
}

/// Starts that are compared without a search.
const LANES: usize = 4;

/// An unsigned integer.
pub(super) trait Number: Copy + Ord + Default + TryFrom<u128> {
    const MAX: Self;
    /// Its bucket, for buckets of this size.
    fn bucket(self, shift: u32) -> Self;
    /// How far it is behind another one.
    fn behind(self, other: Self) -> usize;
    fn before(self) -> Self;
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Number for $number {
            const MAX: Self = Self::MAX;

            #[inline(always)]
            fn bucket(self, shift: u32) -> Self {
                self >> shift
            }

            #[inline(always)]
            fn behind(self, other: Self) -> usize {
                usize::try_from(self.saturating_sub(other)).unwrap_or(usize::MAX)
            }

            fn before(self) -> Self {
                self - 1
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
        let mut index = Self::with_buckets(&starts, 1);
        // More of them as long as that saves comparisons.
        for count in [16, 64, 256, 1024, 4096] {
            let more = Self::with_buckets(&starts, count);
            if index.within > 2 && more.within < index.within {
                index = more;
            }
        }
        // A number that is not below the largest one finds what is last.
        starts.extend([T::MAX; LANES]);
        bits.extend([bits[bits.len() - 1]; LANES]);
        Self { starts: starts.into(), bits: bits.into(), ..index }
    }

    /// The buckets of these starts, at most so many and one more, of the same size each.
    fn with_buckets(starts: &[T], most: usize) -> Self {
        let (first, last) = match starts {
            // The first bucket begins in front of the first start, so that what is below them has the bits of the first range.
            [first, ..] => (first.before(), starts[starts.len() - 1]),
            [] => (T::default(), T::default()),
        };
        let fits = |shift: &u32| last.bucket(*shift).behind(first.bucket(*shift)) < most;
        let shift = (0..8 * size_of::<T>() as u32 - 1).find(fits).unwrap_or(8 * size_of::<T>() as u32 - 1);
        let first = first.bucket(shift);
        let count = last.bucket(shift).behind(first) + 1;
        let (mut buckets, mut within) = (Vec::with_capacity(count + 1), 0);
        let mut end = 0;
        for bucket in 0..count {
            let begin = end;
            let rest = &starts[begin..];
            end += rest.partition_point(|start| start.bucket(shift).behind(first) <= bucket);
            // A start on the first number of the bucket needs no comparison.
            let is_first = |start: &T| shift == 0 || start.before().bucket(shift) != start.bucket(shift);
            let on_first = usize::from(end > begin && is_first(&starts[begin]));
            buckets.push((begin + on_first) as u32);
            within = within.max(end - begin - on_first);
        }
        buckets.push(starts.len() as u32);
        Self { starts: [].into(), bits: [].into(), buckets: buckets.into(), first, shift, within }
    }

    /// The bits of a number.
    #[inline]
    pub(super) fn get(&self, number: T) -> u64 {
        let bucket = self.bucket(number);
        let from = self.buckets[bucket] as usize;
        if self.within <= LANES {
            return self.compare::<LANES>(from, number);
        }
        let to = self.buckets[bucket + 1] as usize;
        self.bits[from + self.starts[from..to.max(from)].partition_point(|start| *start <= number)]
    }

    #[inline(always)]
    fn bucket(&self, number: T) -> usize {
        number.bucket(self.shift).behind(self.first).min(self.buckets.len() - 2)
    }

    /// The bits of a number, with so many starts in its bucket at most.
    #[inline(always)]
    fn compare<const WITHIN: usize>(&self, from: usize, number: T) -> u64 {
        let starts = &self.starts[from..from + WITHIN];
        // Those of the next bucket are beyond the number.
        self.bits[from + starts.iter().map(|start| usize::from(*start <= number)).sum::<usize>()]
    }
}

impl Index<u64> {
    /// Leaves of each word the bits of its number; returns those that any has.
    pub(super) fn narrow(&self, numbers: &[u64], left: &mut [u64]) -> u64 {
        let from = |number| self.buckets[self.bucket(number)] as usize;
        match (self.buckets.len(), self.within) {
            (2, 0 | 1) => narrow(numbers, left, |number| self.compare::<1>(0, number)),
            (2, 2) => narrow(numbers, left, |number| self.compare::<2>(0, number)),
            (_, 0) => narrow(numbers, left, |number| self.bits[from(number)]),
            (_, 1 | 2) => narrow(numbers, left, |number| self.compare::<2>(from(number), number)),
            (_, 3 | 4) => narrow(numbers, left, |number| self.compare::<4>(from(number), number)),
            _ => narrow(numbers, left, |number| self.get(number)),
        }
    }
}

#[inline(always)]
fn narrow(numbers: &[u64], left: &mut [u64], bits: impl Fn(u64) -> u64) -> u64 {
    left.iter_mut().zip(numbers).fold(0, |any, (left, number)| {
        *left &= bits(*number);
        any | *left
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Number + std::fmt::Debug>(flips: &[(u128, u64)], numbers: impl IntoIterator<Item = u128>) {
        let index = Index::<T>::new(1 << 63, flips.to_vec());
        let of_numbers = Index::<u64>::new(1 << 63, flips.to_vec());
        for number in numbers {
            let Ok(own) = T::try_from(number) else { continue };
            let naive = flips.iter().filter(|(at, _)| *at <= number).fold(1 << 63, |bits, (_, flip)| bits ^ flip);
            assert_eq!(index.get(own), naive, "{number}");
            if let Ok(number) = u64::try_from(number) {
                let mut left = [u64::MAX, 0];
                assert_eq!(of_numbers.narrow(&[number, number], &mut left), naive);
                assert_eq!(left, [naive, 0]);
            }
        }
    }

    #[test]
    fn every_number_has_the_bits_of_its_range() {
        let mut random = fastrand::Rng::with_seed(7);
        let all: Vec<Vec<(u128, u64)>> = vec![
            vec![],
            vec![(0, 1)],
            vec![(5, 1), (9, 1)],
            (0..256).map(|at| (at, 1 << (at % 7))).collect(),
            [22, 53, 80, 123, 161, 179, 443].iter().flat_map(|at| [(*at, 2), (*at + 1, 2)]).collect(),
            [16 << 20, 17 << 20, 99 << 20].iter().flat_map(|at| [(*at, 4), (*at + 256, 4)]).collect(),
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
