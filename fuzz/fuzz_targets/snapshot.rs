//! Restores state files from anything.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::snapshot(data));
