//! Datagrams as the kernel hands them over: many with one call.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::time::Duration;

use flow_state::Timestamp;
use tracing::debug;

use crate::system::{self, Slots};

/// Datagrams of one system call.
pub(crate) struct Batch(Slots);

/// One datagram.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received<'a> {
    pub(crate) from: SocketAddr,
    /// By the kernel's clock, where it was asked for.
    pub(crate) at: Option<Timestamp>,
    pub(crate) bytes: &'a [u8],
}

/// Has the kernel tell the time of receipt, where it can.
///
/// Datagrams are not coalesced (`UDP_GRO`): what is dropped would count as one however many it holds, and those of several
/// Observation Domains would be joined before one of the sockets is chosen.
pub(crate) fn prepare(socket: &UdpSocket) {
    if let Err(error) = system::ask_for_receive_time(socket) {
        debug!(%error, "the kernel does not tell the time of receipt");
    }
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self(Slots::new())
    }

    /// Receives what the socket holds, as much as fits. With `wait`, waits for the first datagram.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when there is nothing, with `wait` after the socket's read timeout.
    pub(crate) fn receive(&mut self, socket: &UdpSocket, wait: bool) -> io::Result<()> {
        self.0.receive(socket, wait)
    }

    /// Whether the socket is likely to hold more.
    pub(crate) fn is_full(&self) -> bool {
        self.0.filled().len() == system::SLOTS
    }

    /// The datagrams received, in order.
    pub(crate) fn datagrams(&self) -> impl Iterator<Item = Received<'_>> {
        self.0.filled().map(|slot| Received {
            // A UDP socket has no other kinds of addresses; if it had, its datagrams would still be counted.
            from: address(slot.name).unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0)),
            at: receive_time(slot.control),
            bytes: slot.data,
        })
    }
}

/// Length, level and type of a control message (`cmsghdr`).
const CONTROL_HEADER: usize = size_of::<usize>() + 2 * size_of::<i32>();

/// The time among control messages, each of which begins where a word begins.
fn receive_time(mut messages: &[u8]) -> Option<Timestamp> {
    while let Some((len, level, kind, data)) = control_message(messages) {
        if (level, kind) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
            return time(data);
        }
        messages = messages.get(len.next_multiple_of(size_of::<usize>())..).unwrap_or_default();
    }
    None
}

fn control_message(messages: &[u8]) -> Option<(usize, i32, i32, &[u8])> {
    let (len, rest) = messages.split_first_chunk()?;
    let (level, rest) = rest.split_first_chunk()?;
    let (kind, _) = rest.split_first_chunk()?;
    let len = usize::from_ne_bytes(*len);
    Some((len, i32::from_ne_bytes(*level), i32::from_ne_bytes(*kind), messages.get(CONTROL_HEADER..len)?))
}

/// A `timespec` of two words; where those have 32 bits, the time by our own clock has to do.
fn time(data: &[u8]) -> Option<Timestamp> {
    let (seconds, nanos) = data.split_first_chunk()?;
    let seconds = u64::try_from(i64::from_ne_bytes(*seconds)).ok()?;
    let nanos = u64::try_from(i64::from_ne_bytes(*nanos.first_chunk()?)).ok()?;
    Some(Timestamp::from_unix_seconds(seconds) + Duration::from_nanos(nanos))
}

/// Reads a `sockaddr_in` or `sockaddr_in6`.
fn address(name: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = name.split_first_chunk()?;
    let (port, rest) = rest.split_first_chunk()?;
    let port = u16::from_be_bytes(*port);
    match i32::from(u16::from_ne_bytes(*family)) {
        libc::AF_INET => Some((Ipv4Addr::from(*rest.first_chunk::<4>()?), port).into()),
        libc::AF_INET6 => {
            let (_flow, rest) = rest.split_first_chunk::<4>()?;
            let (ip, rest) = rest.split_first_chunk::<16>()?;
            let scope = u32::from_ne_bytes(*rest.first_chunk()?);
            Some(SocketAddrV6::new(Ipv6Addr::from(*ip), port, 0, scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;
    use crate::pipeline::now;

    /// A socket that is prepared, and its address.
    fn receiver(address: &str) -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind(address).unwrap();
        prepare(&socket);
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    /// Everything that a socket holds, and the calls that took.
    fn receive_all(socket: &UdpSocket) -> (Vec<(SocketAddr, Vec<u8>)>, usize) {
        let mut batch = Batch::new();
        let batches = iter::from_fn(|| match batch.receive(socket, false) {
            Ok(()) => Some(batch.datagrams().map(|one| (one.from, one.bytes.to_vec())).collect::<Vec<_>>()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("{error}"),
        });
        let batches: Vec<_> = batches.collect();
        let calls = batches.len();
        (batches.into_iter().flatten().collect(), calls)
    }

    #[test]
    fn datagrams_come_many_at_once_whole_and_in_order() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (socket, to) = receiver(address);
            let from = UdpSocket::bind(address).unwrap();
            let sent: Vec<_> = (0..100).map(|number| vec![number; usize::from(number)]).collect();
            for bytes in &sent {
                from.send_to(bytes, to).unwrap();
            }
            let (datagrams, calls) = receive_all(&socket);
            assert!(datagrams.iter().all(|(sender, _)| *sender == from.local_addr().unwrap()));
            assert_eq!(datagrams.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), sent);
            assert_eq!(calls, 100_usize.div_ceil(system::SLOTS));
        }
    }

    /// Large ones after small ones, each in the slots of the other.
    #[test]
    fn the_longest_datagrams_are_whole() {
        let (socket, to) = receiver("127.0.0.1:0");
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        for len in [65_507, 1, 65_507, 0] {
            from.send_to(&vec![7; len], to).unwrap();
            let (datagrams, _) = receive_all(&socket);
            assert_eq!(datagrams, [(from.local_addr().unwrap(), vec![7; len])]);
        }
    }

    #[test]
    fn the_kernel_says_when() {
        let (socket, to) = receiver("127.0.0.1:0");
        let from = UdpSocket::bind("127.0.0.1:0").unwrap();
        let before = now();
        from.send_to(b"x", to).unwrap();
        let mut batch = Batch::new();
        batch.receive(&socket, false).unwrap();
        let after = now();
        let at = batch.datagrams().next().unwrap().at.unwrap();
        assert!(before <= at && at <= after, "{before:?} {at:?} {after:?}");
    }

    #[test]
    fn a_wait_ends_with_the_read_timeout() {
        let (socket, _) = receiver("127.0.0.1:0");
        socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
        let mut batch = Batch::new();
        assert_eq!(batch.receive(&socket, true).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        assert_eq!(batch.datagrams().count(), 0);
    }

    fn control(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut message = (CONTROL_HEADER + data.len()).to_ne_bytes().to_vec();
        message.extend(level.to_ne_bytes());
        message.extend(kind.to_ne_bytes());
        message.extend(data);
        message.resize(message.len().next_multiple_of(size_of::<usize>()), 0);
        message
    }

    #[test]
    fn the_time_is_found_among_others() {
        let time = control(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[0; 16]);
        let other = control(libc::SOL_UDP, libc::UDP_GRO, &3_i32.to_ne_bytes());
        assert_eq!(receive_time(&[other.clone(), time].concat()), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(receive_time(&other), None);
    }

    #[test]
    fn control_data_that_makes_no_sense_is_left_alone() {
        let mut time = control(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[0; 16]);
        for len in [0, CONTROL_HEADER - 1, 1_000, usize::MAX] {
            time[..size_of::<usize>()].copy_from_slice(&len.to_ne_bytes());
            assert_eq!(receive_time(&time), None);
        }
        assert_eq!(receive_time(&control(libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS, &[0; 15])), None);
    }
}
