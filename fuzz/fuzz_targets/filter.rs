//! Reads filters from anything, and compares what they decide with a plain reading.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::filter(data));
