//! SHA-1 of four short messages at once.
//!
//! Community IDs hash one block each. On processors without SHA instructions that was the largest part of writing a
//! span; four lanes of a vector take little more than the time of one hash.

use wide::u32x4;

/// Messages hashed at once.
pub(crate) const LANES: usize = 4;

/// Longest message: with its padding and length it is one block.
pub(crate) const MAX_LEN: usize = 55;

/// A padded message of at most [`MAX_LEN`] bytes, in words of four.
pub(crate) type Block = [u32; 16];

/// Pads `block`, of which `len` bytes are the message and the others zero (FIPS 180-4 section 5.1.1).
#[inline]
pub(crate) fn pad(block: &mut Block, len: usize) {
    let len = len.min(MAX_LEN);
    block[len / 4] |= 0x8000_0000 >> (8 * (len % 4));
    block[15] = len as u32 * 8;
}

#[inline(always)]
fn rotate<const BITS: u32>(a: u32x4) -> u32x4 {
    (a << BITS) | (a >> (32 - BITS))
}

const INITIAL: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

/// The words of round `AT` and, by the schedule, sixteen rounds later (FIPS 180-4 section 6.1.2).
#[inline(always)]
fn scheduled<const AT: usize>(schedule: &mut [u32x4; 16]) -> u32x4 {
    let at = AT % 16;
    if AT >= 16 {
        let mixed = schedule[(AT + 13) % 16] ^ schedule[(AT + 8) % 16] ^ schedule[(AT + 2) % 16] ^ schedule[at];
        schedule[at] = rotate::<1>(mixed);
    }
    schedule[at]
}

/// Five rounds, written out so that every word stays in its register, and again from the round after them.
macro_rules! rounds {
    ($state:ident, $schedule:ident, $choose:expr, $constant:expr, $($at:literal)*) => {
        let constant = u32x4::splat($constant);
        let choose = $choose;
        $(
            let [a, b, c, d, e] = $state;
            let e = e + rotate::<5>(a) + choose(b, c, d) + (constant + scheduled::<$at>(&mut $schedule));
            let b = rotate::<30>(b);
            let d = d + rotate::<5>(e) + choose(a, b, c) + (constant + scheduled::<{ $at + 1 }>(&mut $schedule));
            let a = rotate::<30>(a);
            let c = c + rotate::<5>(d) + choose(e, a, b) + (constant + scheduled::<{ $at + 2 }>(&mut $schedule));
            let e = rotate::<30>(e);
            let b = b + rotate::<5>(c) + choose(d, e, a) + (constant + scheduled::<{ $at + 3 }>(&mut $schedule));
            let d = rotate::<30>(d);
            let a = a + rotate::<5>(b) + choose(c, d, e) + (constant + scheduled::<{ $at + 4 }>(&mut $schedule));
            let c = rotate::<30>(c);
            $state = [a, b, c, d, e];
        )*
    };
}

/// The digests of four padded messages, in words of four bytes.
#[inline(never)]
pub(crate) fn digests(blocks: &[Block; LANES]) -> [[u32; 5]; LANES] {
    let mut schedule: [u32x4; 16] =
        std::array::from_fn(|at| u32x4::from([blocks[0][at], blocks[1][at], blocks[2][at], blocks[3][at]]));
    let initial = INITIAL.map(u32x4::splat);
    let mut state = initial;
    rounds!(state, schedule, |b: u32x4, c: u32x4, d: u32x4| d ^ (b & (c ^ d)), 0x5a82_7999, 0 5 10 15);
    rounds!(state, schedule, |b: u32x4, c: u32x4, d: u32x4| b ^ c ^ d, 0x6ed9_eba1, 20 25 30 35);
    rounds!(state, schedule, |b: u32x4, c: u32x4, d: u32x4| (b & c) | (d & (b | c)), 0x8f1b_bcdc, 40 45 50 55);
    rounds!(state, schedule, |b: u32x4, c: u32x4, d: u32x4| b ^ c ^ d, 0xca62_c1d6, 60 65 70 75);
    let words: [[u32; LANES]; 5] = std::array::from_fn(|word| (state[word] + initial[word]).to_array());
    std::array::from_fn(|lane| words.map(|word| word[lane]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::sha1::{Digest, Sha1};

    #[test]
    fn every_lane_is_what_the_library_says() {
        for len in 0..=MAX_LEN {
            let message = |lane: usize| -> Vec<u8> { (0..len).map(|at| (at * 7 + lane * 31 + len) as u8).collect() };
            let blocks = std::array::from_fn(|lane| {
                let mut block = [0; 16];
                for (at, byte) in message(lane).into_iter().enumerate() {
                    block[at / 4] |= u32::from(byte) << (24 - 8 * (at % 4));
                }
                pad(&mut block, len);
                block
            });
            for (lane, digest) in digests(&blocks).iter().enumerate() {
                let digest: Vec<_> = digest.iter().flat_map(|word| word.to_be_bytes()).collect();
                assert_eq!(digest[..], Sha1::digest(message(lane))[..], "lane {lane}, {len} bytes");
            }
        }
    }
}
