//! Which worker gets a datagram.

use std::net::UdpSocket;

use libc::sock_filter;
use tracing::debug;

use crate::system;

/// Has the kernel choose among the sockets of an address, of which this is one, by exporter and Observation Domain.
///
/// Sequence numbers, Templates and restarts belong to a domain, so that one worker has to decode its datagrams, in order;
/// those of other domains need not wait for them, though the exporter sends all from one port. By itself the kernel goes by
/// addresses and ports, and one big exporter has one worker.
pub(crate) fn by_domain(socket: &UdpSocket, sockets: usize) {
    let program = program(u32::try_from(sockets).unwrap_or(u32::MAX));
    if sockets > 1
        && let Err(error) = system::choose_socket(socket, &program)
    {
        debug!(%error, "exporters are spread over workers by address and port");
    }
}

/// A classic BPF program that sees a datagram from its first byte and returns the number of a socket. One that ends before
/// a byte that is asked for goes to the first.
fn program(sockets: u32) -> [sock_filter; 22] {
    use libc::{
        BPF_ABS, BPF_ADD, BPF_ALU, BPF_B, BPF_H, BPF_JA, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_LDX, BPF_MEM, BPF_MOD,
        BPF_MUL, BPF_RET, BPF_RSH, BPF_ST, BPF_W, BPF_X,
    };
    /// Returns the accumulator; `libc` has no name for it.
    const BPF_RET_A: u32 = BPF_RET | 0x10;
    let ip = |offset| (libc::SKF_NET_OFF as u32).wrapping_add(offset);
    let step = |code: u32, k| sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let skip = |count| step(BPF_JMP | BPF_JA, count);
    let skip_unless = |value, count| sock_filter { jf: count, ..step(BPF_JMP | BPF_JEQ | BPF_K, value) };
    let load = |size, offset| step(BPF_LD | BPF_ABS | size, offset);
    [
        // The last four bytes of the sender's address.
        load(BPF_B, ip(0)),
        step(BPF_ALU | BPF_RSH | BPF_K, 4),
        skip_unless(4, 2),
        load(BPF_W, ip(12)),
        skip(1),
        load(BPF_W, ip(20)),
        step(BPF_ST, 0),
        // The domain, or the engine of v5. Other versions have neither.
        load(BPF_H, 0),
        skip_unless(9, 2),
        load(BPF_W, 16),
        skip(5),
        skip_unless(10, 2),
        load(BPF_W, 12),
        skip(2),
        skip_unless(5, 1),
        load(BPF_H, 20),
        step(BPF_LDX | BPF_MEM | BPF_W, 0),
        step(BPF_ALU | BPF_ADD | BPF_X, 0),
        // A hash, as numbers of domains may have their low bits in common.
        step(BPF_ALU | BPF_MUL | BPF_K, 0x9e37_79b1),
        step(BPF_ALU | BPF_RSH | BPF_K, 16),
        step(BPF_ALU | BPF_MOD | BPF_K, sockets),
        step(BPF_RET_A, 0),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::SocketAddr;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::collector::tests::sockets;
    use crate::receive::Batch;

    const SOCKETS: usize = 3;

    /// A Message of a version and domain, as much of it as the kernel looks at.
    fn message(version: u16, domain: u32) -> Vec<u8> {
        let mut bytes = vec![0; 24];
        bytes[..2].copy_from_slice(&version.to_be_bytes());
        match version {
            5 => bytes[20..22].copy_from_slice(&(domain as u16).to_be_bytes()),
            9 => bytes[16..20].copy_from_slice(&domain.to_be_bytes()),
            _ => bytes[12..16].copy_from_slice(&domain.to_be_bytes()),
        }
        bytes
    }

    /// Sends datagrams from an address and says which socket got each.
    fn receivers(at: &str, from: &str, datagrams: &[Vec<u8>]) -> Vec<usize> {
        let sockets = sockets(at, SOCKETS);
        let to = SocketAddr::new(from.parse().unwrap(), sockets[0].local_addr().unwrap().port());
        let mut batch = Batch::new();
        let mut receiver = |datagram: &Vec<u8>| {
            // Each from a port of its own.
            UdpSocket::bind((from, 0)).unwrap().send_to(datagram, to).unwrap();
            // A busy kernel delivers it a little later.
            let deadline = Instant::now() + Duration::from_secs(10);
            loop {
                let receiver = sockets.iter().position(|socket| batch.receive(socket, false).is_ok());
                if let Some(receiver) = receiver {
                    return receiver;
                }
                assert!(Instant::now() < deadline, "nothing was received");
                thread::yield_now();
            }
        };
        datagrams.iter().map(&mut receiver).collect()
    }

    #[test]
    fn a_domain_has_one_worker_and_an_exporter_all() {
        for (at, from) in [("127.0.0.1:0", "127.0.0.1"), ("[::1]:0", "::1"), ("[::]:0", "127.0.0.1")] {
            for version in [5, 9, 10] {
                // Numbers as line cards have them.
                let domains: Vec<u32> = (0..64).map(|number| number % 16 * 256).collect();
                let datagrams: Vec<_> = domains.iter().map(|domain| message(version, *domain)).collect();
                let receivers = receivers(at, from, &datagrams);
                let by_domain: HashMap<_, _> = domains.iter().zip(&receivers).collect();
                assert!(domains.iter().zip(&receivers).all(|(domain, receiver)| by_domain[domain] == receiver));
                assert!((0..SOCKETS).all(|socket| receivers.contains(&socket)), "{version} {receivers:?}");
            }
        }
    }

    #[test]
    fn exporters_are_spread() {
        let from: Vec<_> = (1..=32).map(|host| format!("127.0.0.{host}")).collect();
        let receivers: Vec<_> = from.iter().flat_map(|from| receivers("0.0.0.0:0", from, &[message(9, 0)])).collect();
        assert!((0..SOCKETS).all(|socket| receivers.contains(&socket)), "{receivers:?}");
    }

    #[test]
    fn what_is_too_short_for_a_domain_is_received_too() {
        let datagrams: Vec<_> = (0..20).map(|len| message(9, 7)[..len].to_vec()).collect();
        assert_eq!(receivers("127.0.0.1:0", "127.0.0.1", &datagrams).len(), 20);
    }
}
