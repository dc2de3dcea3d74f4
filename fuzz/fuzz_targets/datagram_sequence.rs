//! Decodes datagrams of several exporters with one state.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::datagram_sequence(data));
