//! Decodes one datagram of any version from an exporter that has sent nothing before.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::one_datagram(data));
