//! What fragments cost, as the allocator sees it.
#![allow(clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use flow_capture::{Capture, CaptureStats};

/// Counts the bytes that a thread holds, and the most that it ever held.
struct Counting;

thread_local! {
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: isize) {
    // At the end of a thread there may be no counter.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: every call goes on to the system's allocator unchanged; counting touches a number of the thread.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller's promises on `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: `pointer` came from `System` through `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A capture of fragments of 8 bytes: identification and offset in units of 8 bytes.
fn capture(fragments: impl Iterator<Item = (u16, u16)>) -> Vec<u8> {
    const LENGTH: u8 = 28;
    let mut file = vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0];
    for (identification, offset) in fragments {
        let ([id_high, id_low], [high, low]) = (identification.to_be_bytes(), offset.to_be_bytes());
        file.extend([0, 0, 0, 0, 0, 0, 0, 0, LENGTH, 0, 0, 0, LENGTH, 0, 0, 0]);
        file.extend([0x45, 0, 0, LENGTH, id_high, id_low, 0x20 | high, low, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2]);
        file.extend([0; 8]);
    }
    file
}

/// The most bytes that reading a capture takes, and what was in it.
fn cost(file: &[u8]) -> (usize, CaptureStats) {
    let (before, _) = HELD.get();
    HELD.set((before, before));
    let mut capture = Capture::open(file).unwrap();
    while capture.next_datagram().unwrap().is_some() {}
    ((HELD.get().1 - before) as usize, capture.stats())
}

/// The reader's own buffers.
const BUFFERS: usize = 256 << 10;
const KIB_64: usize = 64 << 10;

/// The last piece of a datagram claims all of it.
#[test]
fn ends_of_datagrams_cost_no_more_than_128_of_them() {
    let (most, stats) = cost(&capture((0..10_000).map(|identification| (identification, 8_190))));
    assert_eq!((stats.fragments, stats.malformed), (10_000, 0));
    assert!((100 * KIB_64..=128 * KIB_64 + BUFFERS).contains(&most), "{most} bytes");
}

/// A datagram that grows to its full length, and one with a hole behind each of its pieces.
#[test]
fn no_datagram_costs_more_than_twice_its_length() {
    let grown = (0..64).flat_map(|identification| [(identification, 8_000), (identification, 8_190)]);
    let (most, stats) = cost(&capture(grown));
    assert_eq!((stats.fragments, stats.malformed), (128, 0));
    assert!(most <= 64 * KIB_64 + BUFFERS, "{most} bytes");
    let pieces = |identification: u16| (0..4_095).map(move |piece| (identification, 2 * piece));
    let (most, stats) = cost(&capture((0..4).flat_map(pieces)));
    assert_eq!((stats.fragments, stats.malformed), (4 * 4_095, 0));
    assert!(most <= 4 * 2 * KIB_64 + BUFFERS, "{most} bytes");
}
