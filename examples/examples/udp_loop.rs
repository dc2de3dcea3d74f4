//! The decoder in a UDP loop of one's own: `cargo run --example udp_loop`
//!
//! It sends itself a few datagrams, so that there is something to see; leave that out and set the port to have a small
//! collector.
#![allow(clippy::print_stdout)]

use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession};
use flow_traffic::{Generator, TrafficConfig, Version};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let local = socket.local_addr()?;
    let mut generator = Generator::new(TrafficConfig::new(Version::V9))?;
    let sender = UdpSocket::bind("127.0.0.1:0")?;
    for _ in 0..5 {
        sender.send_to(generator.next_datagram().bytes, local)?;
    }

    let state = State::new(StateConfig::default());
    let mut decoded = Decoded::default();
    let mut buffer = [0; 65_535];
    for _ in 0..5 {
        let (len, from) = socket.recv_from(&mut buffer)?;
        let datagram = Datagram::new(
            TransportSession::new(from, local),
            Timestamp::UNIX_EPOCH + SystemTime::now().duration_since(UNIX_EPOCH)?,
            &buffer[..len],
        );
        state.decode(&datagram, &mut decoded);
        let flows = decoded.data_sets(datagram.bytes).flat_map(|set| set.common_fields());
        let (count, octets) = flows.fold((0, 0), |(count, octets), flow| (count + 1, octets + flow.octets));
        println!("{from}: {count} flows, {octets} bytes, {} issues", decoded.issues().total());
    }
    Ok(())
}
