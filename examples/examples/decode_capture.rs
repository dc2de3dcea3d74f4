//! Prints the flows in a capture: `cargo run --example decode_capture -- FILE.pcap`
//!
//! Without an argument it reads a small capture of softflowd from the project's corpus.
#![allow(clippy::print_stdout)]

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use flow_capture::Capture;
use flow_state::{Datagram, Decoded, Fact, State, StateConfig, Timestamp, TransportSession};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let corpus = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/testkit/corpus/softflowd-v9.pcap"));
    let path = std::env::args_os().nth(1).map_or_else(corpus, PathBuf::from);
    let mut capture = Capture::open(BufReader::new(File::open(path)?))?;

    let state = State::new(StateConfig::default());
    let mut decoded = Decoded::default();
    let mut flows = 0;
    while let Some(captured) = capture.next_datagram()? {
        let datagram = Datagram::new(
            TransportSession::new(captured.source, captured.destination),
            Timestamp::from_unix_nanos(captured.captured_at),
            captured.payload,
        )
        .with_tag(captured.number.into());
        state.decode(&datagram, &mut decoded);
        // Sets that had waited for a Template of this datagram come beside its own.
        for set in decoded.replayed_sets().chain(decoded.data_sets(datagram.bytes)) {
            for flow in set.flows() {
                flows += 1;
                println!(
                    "{} {:?} -> {:?} protocol {:?} port {:?} {} bytes",
                    flow.context().tag,
                    flow.source_address(),
                    flow.destination_address(),
                    flow.protocol(),
                    flow.integer(Fact::DestinationPort),
                    flow.octets().unwrap_or(0),
                );
            }
        }
        for issue in decoded.issues().first() {
            println!("datagram {}: {issue}", captured.number);
        }
    }
    println!("{flows} flows of {} Observation Domains", state.domain_count());
    Ok(())
}
