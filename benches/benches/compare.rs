//! The ratios that the design promises, measured in turns so that a busy machine slows all sides alike.
//!
//! `cargo bench -p netflow2traces-benches --bench compare` prints nanoseconds a record, the best of many rounds: decoding
//! with the sixteen common facts of each flow, with every field of each, and to the bytes of spans. Beside them the least
//! that any decoder does (`floor`) and what `netflow_parser` takes to decode the same bytes.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod floor;
mod peer;

use std::hint::black_box;
use std::time::Instant;

use netflow2traces_benches::{Pass, Stream, generated};

use self::floor::Floor;

fn nanos_a_record(stream: &Stream, work: &mut dyn FnMut() -> u64) -> f64 {
    let start = Instant::now();
    let records = black_box(work());
    let elapsed = start.elapsed().as_nanos() as f64;
    assert_eq!(records, stream.records);
    elapsed / records as f64
}

fn main() {
    // `cargo bench -- --test` asks for a smoke run.
    let rounds = if std::env::args().any(|argument| argument == "--test") { 1 } else { 100 };
    println!("nanoseconds a record; (x of the floor), (x of netflow_parser's records a second)");
    println!(
        "{:<18} {:>24} {:>7} {:>16} {:>7} {:>16} {:>14}",
        "", "common facts", "floor", "every field", "floor", "bytes to spans", "netflow_parser"
    );
    for stream in generated() {
        let mut best = [f64::INFINITY; 6];
        let [mut facts, mut fields, mut encoder] = [(); 3].map(|()| Pass::new());
        let [mut least, mut walker] = [(); 2].map(|()| Floor::default());
        // The fields of v5 have no Template to walk along.
        let walks = stream.name != "v5";
        for _ in 0..rounds {
            let sides: [&mut dyn FnMut() -> u64; 6] = [
                &mut || stream.datagrams.iter().map(|datagram| black_box(facts.decode(datagram)).0).sum(),
                &mut || least.common(&stream),
                &mut || stream.datagrams.iter().map(|datagram| fields.every_field(datagram)).sum(),
                &mut || if walks { walker.every_field(&stream) } else { stream.records },
                &mut || stream.datagrams.iter().map(|datagram| encoder.to_spans(datagram)).sum(),
                &mut || peer::records(&stream),
            ];
            for (best, side) in best.iter_mut().zip(sides) {
                *best = best.min(nanos_a_record(&stream, side));
            }
        }
        let [facts, least, fields, walker, spans, peer] = best;
        let of = |ours: f64, other: f64| format!("({:.2})", ours / other);
        let [walker, walked] =
            if walks { [format!("{walker:.1}"), of(fields, walker)] } else { [(); 2].map(|()| "-".to_owned()) };
        println!(
            "{:<18} {facts:>8.1} {:>7} {:>7} {least:>7.1} {fields:>8.1} {:>7} {walker:>7} {spans:>8.1} {:>7} {peer:>14.1}",
            stream.name,
            of(facts, least),
            of(peer, facts),
            walked,
            of(peer, spans),
        );
    }
}
