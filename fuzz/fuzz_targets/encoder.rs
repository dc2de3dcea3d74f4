//! Encodes spans and decodes them with `opentelemetry-proto`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| testkit::invariants::encoder(data));
