//! The command under a service manager: what it says, and the sockets that it is given.

#![allow(clippy::unwrap_used)]

mod common;

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{self, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Collector, netflow2traces, run};
use socket2::{Domain, Socket, Type};

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// The next thing that the program says, with its status left out.
fn said(manager: &UnixDatagram) -> String {
    let mut buffer = [0; 1000];
    let len = manager.recv(&mut buffer).unwrap();
    let text = std::str::from_utf8(&buffer[..len]).unwrap();
    text.split_once("\nSTATUS=").map_or(text, |(said, _)| said).to_owned()
}

fn collector(arguments: &[&str]) -> Command {
    let mut command = netflow2traces(&["--workers", "1", "--metrics-exporter", "none"]);
    command.args(arguments).stdout(Stdio::null());
    command
}

#[test]
fn a_service_manager_hears_of_start_life_reload_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let name = format!("netflow2traces-test-{}", std::process::id());
    let managers = [
        (UnixDatagram::bind(&path).unwrap(), path.to_str().unwrap().to_owned()),
        (UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap(), format!("@{name}")),
    ];
    for (manager, address) in managers {
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = collector(&["--listen-host", "127.0.0.1", "--listen-port", "0"]);
        command.env("NOTIFY_SOCKET", address).env("WATCHDOG_USEC", "100000");
        let collector = Collector::spawn(&mut command);
        assert_eq!(said(&manager), "READY=1");
        assert_eq!(said(&manager), "WATCHDOG=1");
        assert_eq!(said(&manager), "WATCHDOG=1");
        collector.signal("HUP");
        let mut rest = std::iter::from_fn(|| Some(said(&manager))).filter(|said| said != "WATCHDOG=1");
        assert!(rest.next().unwrap().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        assert_eq!(rest.next().unwrap(), "READY=1");
        collector.signal("TERM");
        assert_eq!(rest.next().unwrap(), "STOPPING=1");
        assert_eq!(collector.end().0, 0);
    }
}

#[test]
fn a_watchdog_of_another_process_is_not_fed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    let mut command = collector(&["--listen-host", "127.0.0.1", "--listen-port", "0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let collector = Collector::spawn(&mut command);
    collector.signal("TERM");
    assert_eq!(collector.end().0, 0);
    assert_eq!([said(&manager), said(&manager)], ["READY=1", "STOPPING=1"]);
}

/// Has the program find a socket as file descriptor 3, as systemd passes it.
fn with_socket(socket: impl Into<OwnedFd>, name: &str, arguments: &[&str]) -> Command {
    let program = collector(arguments);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 3<&0 </dev/null; LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\""]);
    shell.arg(program.get_program()).args(program.get_args());
    shell.env_clear().env("LISTEN_FDNAMES", name).stdin(Stdio::from(socket.into())).stdout(Stdio::null());
    shell
}

/// Datagrams that came while no program read them are the first that the next one reads.
#[test]
fn a_passed_socket_keeps_what_comes_between_two_runs() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let send = || assert!(run(&["send", "--port", &port, "--count", "5"]).status.success());
    for _ in 0..2 {
        send();
        let mut collector = Collector::spawn(&mut with_socket(socket.try_clone().unwrap(), "", &[]));
        assert_eq!(collector.address, socket.local_addr().unwrap());
        collector.wait_for("sockets were passed");
        collector.receive(3);
        collector.signal("TERM");
        let (code, log) = collector.end();
        assert_eq!(code, 0, "{log:?}");
        assert!(log.last().unwrap().contains("datagrams=8 "), "{log:?}");
    }
}

/// Has the program find two sockets as file descriptors 3 and 4.
fn with_two_sockets(sockets: &[UdpSocket; 2]) -> Command {
    let program = collector(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_PID=$$ LISTEN_FDS=2 exec \"$0\" \"$@\""]);
    shell.arg(program.get_program()).args(program.get_args()).env_clear();
    let [first, second] = sockets.each_ref().map(|socket| Stdio::from(OwnedFd::from(socket.try_clone().unwrap())));
    shell.stdin(first).stdout(second);
    shell
}

fn shared_socket(address: net::SocketAddr) -> UdpSocket {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.into()
}

/// The domains of Messages that wait at a socket.
fn domains(socket: &UdpSocket) -> BTreeSet<u8> {
    socket.set_nonblocking(true).unwrap();
    let mut message = [0; 20];
    std::iter::from_fn(|| socket.recv(&mut message).ok().map(|len| message[..len][19])).collect()
}

/// By itself the kernel gives all that comes from one port to one of the sockets.
#[test]
fn passed_sockets_of_one_address_share_the_domains_of_an_exporter() {
    const DOMAINS: u8 = 32;
    let first = shared_socket("127.0.0.1:0".parse().unwrap());
    let address = first.local_addr().unwrap();
    let sockets = [first, shared_socket(address)];
    let mut collector = Collector::spawn(&mut with_two_sockets(&sockets));
    assert_eq!(collector.address, address);
    collector.wait_for("listening");
    collector.receive(1);
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
    assert!(log.last().unwrap().contains("datagrams=1 "), "{log:?}");
    // What it had the kernel do lasts as long as the sockets.
    let exporter = UdpSocket::bind("127.0.0.1:0").unwrap();
    for domain in (0..DOMAINS).chain(0..DOMAINS) {
        let mut message = hex_literal::hex!("0009 0000 00000000 6553f100 00000000 00000000");
        message[19] = domain;
        exporter.send_to(&message, address).unwrap();
    }
    // To itself a machine delivers within the call.
    let [first, second] = sockets.each_ref().map(domains);
    assert!(!first.is_empty() && !second.is_empty(), "{first:?} {second:?}");
    assert!(first.is_disjoint(&second) && first.len() + second.len() == usize::from(DOMAINS), "{first:?} {second:?}");
}

#[test]
fn a_passed_listener_is_accepted_from() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let collector = Collector::spawn(&mut with_socket(listener, "unknown", &[]));
    assert_eq!(collector.address, address);
    let message = hex_literal::hex!("000a 0010 6553f100 00000000 00000007");
    TcpStream::connect(address).unwrap().write_all(&message).unwrap();
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
}

#[test]
fn a_listener_named_tls_needs_a_certificate() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let output = with_socket(listener, "tls", &[]).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(error.trim_end(), "error: no certificate to listen with TLS");
}
