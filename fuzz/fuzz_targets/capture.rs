//! Reads anything as a capture.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::capture(data));
