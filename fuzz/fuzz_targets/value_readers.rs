//! Reads values of every abstract data type at every length.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::value_readers(data));
