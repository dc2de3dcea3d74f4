//! SHA-1 of eight short messages at once.
//!
//! Community IDs hash one block each. On processors without SHA instructions that was the largest part of writing a
//! span; eight lanes of a vector take little more than the time of one hash.

use fearless_simd::{Level, Simd, SimdInto, dispatch, u32x8};

/// Messages hashed at once.
pub(crate) const LANES: usize = 8;

/// Longest message: with its padding and length it is one block.
pub(crate) const MAX_LEN: usize = 55;

/// Padded messages of at most [`MAX_LEN`] bytes, in words of four: the first word of each, then the second of each.
pub(crate) type Blocks = [[u32; LANES]; 16];

/// The digests, laid out in the same way.
pub(crate) type Digests = [[u32; LANES]; 5];

/// Pads the message of a lane, of which `len` bytes are there and the others zero (FIPS 180-4 section 5.1.1).
#[inline]
pub(crate) fn pad(blocks: &mut Blocks, lane: usize, len: usize) {
    let len = len.min(MAX_LEN);
    blocks[len / 4][lane] |= 0x8000_0000 >> (8 * (len % 4));
    blocks[15][lane] = len as u32 * 8;
}

const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

#[inline(always)]
fn rotate<S: Simd, const BITS: u32>(a: u32x8<S>) -> u32x8<S> {
    (a << BITS) | (a >> (32 - BITS))
}

/// The words of round `AT` and, by the schedule, sixteen rounds later (FIPS 180-4 section 6.1.2).
#[inline(always)]
fn scheduled<S: Simd, const AT: usize>(schedule: &mut [u32x8<S>; 16]) -> u32x8<S> {
    let at = AT % 16;
    if AT >= 16 {
        let mixed = schedule[(AT + 13) % 16] ^ schedule[(AT + 8) % 16] ^ schedule[(AT + 2) % 16] ^ schedule[at];
        schedule[at] = rotate::<S, 1>(mixed);
    }
    schedule[at]
}

/// Five rounds, written out so that every word stays in its register, and again from the round after them.
macro_rules! rounds {
    ($simd:ident, $state:ident, $schedule:ident, $constant:expr, $($at:literal)*, |$x:ident, $y:ident, $z:ident| $choose:expr) => {
        let constant: u32x8<S> = u32::simd_into($constant, $simd);
        macro_rules! choose {
            ($b:ident, $c:ident, $d:ident) => {{
                let ($x, $y, $z) = ($b, $c, $d);
                $choose
            }};
        }
        $(
            let [a, b, c, d, e] = $state;
            let e = e + rotate::<S, 5>(a) + choose!(b, c, d) + (constant + scheduled::<S, $at>(&mut $schedule));
            let b = rotate::<S, 30>(b);
            let d = d + rotate::<S, 5>(e) + choose!(a, b, c) + (constant + scheduled::<S, { $at + 1 }>(&mut $schedule));
            let a = rotate::<S, 30>(a);
            let c = c + rotate::<S, 5>(d) + choose!(e, a, b) + (constant + scheduled::<S, { $at + 2 }>(&mut $schedule));
            let e = rotate::<S, 30>(e);
            let b = b + rotate::<S, 5>(c) + choose!(d, e, a) + (constant + scheduled::<S, { $at + 3 }>(&mut $schedule));
            let d = rotate::<S, 30>(d);
            let a = a + rotate::<S, 5>(b) + choose!(c, d, e) + (constant + scheduled::<S, { $at + 4 }>(&mut $schedule));
            let c = rotate::<S, 30>(c);
            $state = [a, b, c, d, e];
        )*
    };
}

/// The digests of padded messages, with the widest vectors of this processor.
pub(crate) fn digests(level: Level, blocks: &Blocks) -> Digests {
    dispatch!(level, simd => digests_with(simd, blocks))
}

#[inline(always)]
fn digests_with<S: Simd>(simd: S, blocks: &Blocks) -> Digests {
    let mut schedule: [u32x8<S>; 16] = blocks.map(|words| words.simd_into(simd));
    let initial: [u32x8<S>; 5] = INITIAL.map(|word| word.simd_into(simd));
    let mut state = initial;
    rounds!(simd, state, schedule, 0x5a82_7999, 0 5 10 15, |b, c, d| d ^ (b & (c ^ d)));
    rounds!(simd, state, schedule, 0x6ed9_eba1, 20 25 30 35, |b, c, d| b ^ c ^ d);
    rounds!(simd, state, schedule, 0x8f1b_bcdc, 40 45 50 55, |b, c, d| (b & c) | (d & (b | c)));
    rounds!(simd, state, schedule, 0xca62_c1d6, 60 65 70 75, |b, c, d| b ^ c ^ d);
    let mut digests = [[0; LANES]; 5];
    for ((digest, word), initial) in digests.iter_mut().zip(state).zip(initial) {
        *digest = (word + initial).into();
    }
    digests
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::sha1::{Digest, Sha1};

    #[test]
    fn every_lane_is_what_the_library_says() {
        for len in 0..=MAX_LEN {
            let message = |lane: usize| -> Vec<u8> { (0..len).map(|at| (at * 7 + lane * 31 + len) as u8).collect() };
            let mut blocks = [[0; LANES]; 16];
            for lane in 0..LANES {
                for (at, byte) in message(lane).into_iter().enumerate() {
                    blocks[at / 4][lane] |= u32::from(byte) << (24 - 8 * (at % 4));
                }
                pad(&mut blocks, lane, len);
            }
            // What the processor has, and what every one of its kind has.
            for level in [Level::new(), Level::baseline()] {
                let digests = digests(level, &blocks);
                for lane in 0..LANES {
                    let digest: Vec<_> = digests.iter().flat_map(|words| words[lane].to_be_bytes()).collect();
                    assert_eq!(digest[..], Sha1::digest(message(lane))[..], "lane {lane}, {len} bytes");
                }
            }
        }
    }
}
