//! The ratios that the design promises, measured in turns so that a busy machine slows both sides alike.
//!
//! `cargo bench -p netflow2traces-benches --bench compare` prints nanoseconds a record, the best of many rounds, and
//! what `netflow_parser` takes to decode the same bytes in relation to it.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod peer;

use std::hint::black_box;
use std::time::Instant;

use netflow2traces_benches::{Pass, Stream, generated};

fn nanos_a_record(stream: &Stream, work: &mut dyn FnMut() -> u64) -> f64 {
    let start = Instant::now();
    let records = black_box(work());
    let elapsed = start.elapsed().as_nanos() as f64;
    assert_eq!(records, stream.records);
    elapsed / records as f64
}

fn main() {
    // `cargo bench -- --test` asks for a smoke run.
    let rounds = if std::env::args().any(|argument| argument == "--test") { 1 } else { 60 };
    println!(
        "{:<20} {:>10} {:>16} {:>16} {:>8} {:>8}",
        "ns a record", "decode", "bytes to spans", "netflow_parser", "x", "x"
    );
    for stream in generated() {
        let mut best = [f64::INFINITY; 3];
        let (mut decoder, mut encoder) = (Pass::new(), Pass::new());
        for _ in 0..rounds {
            let sides: [&mut dyn FnMut() -> u64; 3] = [
                &mut || stream.datagrams.iter().map(|datagram| black_box(decoder.decode(datagram)).0).sum(),
                &mut || stream.datagrams.iter().map(|datagram| encoder.to_spans(datagram)).sum(),
                &mut || peer::records(&stream),
            ];
            for (best, side) in best.iter_mut().zip(sides) {
                *best = best.min(nanos_a_record(&stream, side));
            }
        }
        let [decode, spans, peer] = best;
        let name = &stream.name;
        println!("{name:<20} {decode:>10.1} {spans:>16.1} {peer:>16.1} {:>8.2} {:>8.2}", peer / decode, peer / spans);
    }
}
