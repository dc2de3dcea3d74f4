//! Where `send` sends to, and what carries it there.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::UsageError;
use crate::replay::resolve;

/// How long a collector may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take nothing, and how long it may take to read the rest at the end: longer than it pauses when an output has
/// no room.
pub(super) const STALLED: Duration = Duration::from_secs(30);

/// Files for TLS.
pub(super) struct TlsFiles<'a> {
    /// Those who sign the certificate of the collector.
    pub(super) authorities: &'a Path,
    /// A certificate to show, and its key.
    pub(super) own: Option<(&'a Path, &'a Path)>,
}

/// A collector.
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) carrier: Carrier,
}

/// What carries Messages to it.
pub(super) enum Carrier {
    Udp,
    Tcp,
    /// The name that its certificate must have.
    Tls(Arc<ClientConfig>, ServerName<'static>),
}

impl Carrier {
    /// TLS to the host of `HOST:PORT`.
    pub(super) fn tls(to: &str, files: &TlsFiles<'_>) -> anyhow::Result<Self> {
        let host = to.rsplit_once(':').map_or(to, |(host, _)| host);
        let name = ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned());
        let name = name.map_err(|_| UsageError::new(format!("no certificate can be for {host:?}")))?;
        Ok(Self::Tls(client_config(files)?, name))
    }
}

impl Target {
    /// `HOST:PORT`.
    pub(super) fn new(to: &str, carrier: Carrier) -> anyhow::Result<Self> {
        Ok(Self { address: resolve(to)?, carrier })
    }

    /// A sender for an exporter. It is to send at once: a connection that says nothing may be ended.
    pub(super) fn sender(&self, exporter: u16) -> anyhow::Result<Sender> {
        let (from, to) = (self.source(exporter), self.address);
        let bound = || format!("cannot send from {}", from.ip());
        match &self.carrier {
            Carrier::Udp => {
                let socket = UdpSocket::bind(from).with_context(bound)?;
                socket.connect(to).with_context(|| format!("cannot send to {to}"))?;
                Ok(Sender::Udp(socket))
            }
            Carrier::Tcp => Ok(Sender::Tcp(connect(from, to)?)),
            Carrier::Tls(config, name) => {
                let connection = ClientConnection::new(config.clone(), name.clone())?;
                let mut stream = StreamOwned::new(connection, connect(from, to)?);
                stream.sock.set_read_timeout(Some(PATIENCE))?;
                let begun = stream.conn.complete_io(&mut stream.sock);
                begun.map_err(broken).with_context(|| format!("cannot begin TLS with {to}"))?;
                Ok(Sender::Tls(Box::new(stream)))
            }
        }
    }

    /// What is sent, as people call it.
    pub(super) const fn units(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp => "datagrams",
            Carrier::Tcp => "Messages over TCP",
            Carrier::Tls(..) => "Messages over TLS",
        }
    }

    /// The same of one.
    pub(super) const fn unit(&self) -> &'static str {
        match self.carrier {
            Carrier::Udp => "datagram",
            Carrier::Tcp | Carrier::Tls(..) => "Message",
        }
    }

    /// The address that an exporter sends from.
    fn source(&self, number: u16) -> SocketAddr {
        match self.address {
            SocketAddr::V4(to) if to.ip().is_loopback() => {
                let address = Ipv4Addr::LOCALHOST.to_bits() + u32::from(number);
                SocketAddr::new(Ipv4Addr::from_bits(address).into(), 0)
            }
            SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
            SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
        }
    }
}

/// Sends the Messages of one exporter.
pub(super) enum Sender {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Sender {
    /// Sends a Message and says how often an earlier datagram turned out to be refused.
    pub(super) fn send(&mut self, message: &[u8]) -> anyhow::Result<u64> {
        match self {
            Self::Udp(socket) => Ok(send(socket, message)?),
            Self::Tcp(stream) => stream.write_all(message).map(|()| 0).map_err(broken),
            Self::Tls(stream) => {
                let sent = stream.write_all(message).and_then(|()| stream.flush());
                sent.map(|()| 0).map_err(|error| broken_tls(stream, error))
            }
        }
    }

    /// Ends a connection: nothing more is sent.
    pub(super) fn end(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Udp(_) => Ok(()),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write).map_err(broken),
            Self::Tls(stream) => {
                stream.conn.send_close_notify();
                let ended = stream.flush().and_then(|()| stream.sock.shutdown(Shutdown::Write));
                ended.map_err(|error| broken_tls(stream, error))
            }
        }
    }

    /// Says whether a datagram turned out to be refused after all; waits until the other side of a connection that was ended
    /// has read it to its end.
    pub(super) fn finish(&mut self, deadline: Instant) -> anyhow::Result<u64> {
        match self {
            Self::Udp(socket) => Ok(u64::from(socket.take_error()?.as_ref().is_some_and(is_refused))),
            Self::Tcp(stream) => {
                set_deadline(stream, deadline)?;
                read_to_end(stream, deadline).map(|()| 0).map_err(broken)
            }
            Self::Tls(stream) => {
                set_deadline(&stream.sock, deadline)?;
                read_to_end(stream, deadline).map(|()| 0).map_err(|error| broken_tls(stream, error))
            }
        }
    }
}

/// Has a read end then. No time at all would be no limit.
fn set_deadline(stream: &TcpStream, deadline: Instant) -> io::Result<()> {
    let left = deadline.saturating_duration_since(Instant::now());
    stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))
}

/// A connection from the address of an exporter.
fn connect(from: SocketAddr, to: SocketAddr) -> anyhow::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&from.into()).with_context(|| format!("cannot send from {}", from.ip()))?;
    match socket.connect_timeout(&to.into(), PATIENCE) {
        Ok(()) => {}
        Err(error) if is_refused(&error) => bail!("nobody listens on {to}: start netflow2traces there first"),
        Err(error) => return Err(error).with_context(|| format!("cannot connect to {to}")),
    }
    // A Message leaves when it is its time.
    socket.set_tcp_nodelay(true)?;
    socket.set_write_timeout(Some(STALLED))?;
    Ok(socket.into())
}

/// Reads until the other side closes. To close while something is unread would reset the connection, and what is on its
/// way would be lost: many collectors send TLS tickets.
fn read_to_end(stream: &mut impl Read, deadline: Instant) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) if Instant::now() >= deadline => return Err(ErrorKind::TimedOut.into()),
            Ok(_) => {}
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                // TLS without a last word.
                ErrorKind::UnexpectedEof => return Ok(()),
                _ => return Err(error),
            },
        }
    }
}

/// The command ends well when the reader of its output is gone; the other side of a connection is something else.
fn broken(error: io::Error) -> anyhow::Error {
    match error.kind() {
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::NotConnected => {
            anyhow!("the other side has closed the connection")
        }
        ErrorKind::UnexpectedEof => anyhow!("the other side has closed the connection; does it speak TLS?"),
        _ if is_timeout(&error) => anyhow!("the other side does nothing"),
        _ => error.into(),
    }
}

/// The same with the last word of the other side, if it had one: with TLS 1.3 it looks at our certificate when we already
/// send.
fn broken_tls(stream: &mut impl Read, error: io::Error) -> anyhow::Error {
    if is_timeout(&error) {
        return broken(error);
    }
    let is_said = |error: &io::Error| error.kind() == ErrorKind::InvalidData;
    let why = match stream.read(&mut [0]) {
        _ if is_said(&error) => error.into(),
        Err(said) if is_said(&said) => said.into(),
        _ => broken(error),
    };
    anyhow!("{why}; does it want another certificate?")
}

fn client_config(files: &TlsFiles<'_>) -> anyhow::Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(files.authorities)? {
        roots.add(certificate).with_context(|| format!("cannot use {}", files.authorities.display()))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(roots);
    let Some((certificate, key)) = files.own else { return Ok(Arc::new(builder.with_no_client_auth())) };
    let der = PrivateKeyDer::from_pem_file(key).with_context(|| format!("cannot use {}", key.display()))?;
    let config = builder.with_client_auth_cert(certificates(certificate)?, der);
    Ok(Arc::new(config.with_context(|| format!("{} is not the key of {}", key.display(), certificate.display()))?))
}

/// All of a file, one at least.
fn certificates(path: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = found.and_then(|found| if found.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(found) });
    found.with_context(|| format!("cannot use {}", path.display()))
}

/// Sends a datagram and says how often an earlier one turned out to be refused, which the system reports instead of
/// sending.
fn send(socket: &UdpSocket, bytes: &[u8]) -> io::Result<u64> {
    let first = socket.send(bytes);
    if !first.as_ref().is_err_and(is_refused) {
        return first.map(|_| 0);
    }
    match socket.send(bytes) {
        Err(error) if !is_refused(&error) => Err(error),
        _ => Ok(1),
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn is_refused(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionRefused
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn exporters_on_loopback_have_addresses_of_their_own() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let target = Target { address: receiver.local_addr().unwrap(), carrier: Carrier::Udp };
        let addresses = (0..3).map(|exporter| match target.sender(exporter).unwrap() {
            Sender::Udp(socket) => socket.local_addr().unwrap().ip().to_string(),
            _ => panic!("not UDP"),
        });
        assert_eq!(addresses.collect::<Vec<_>>(), ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    }

    /// Nobody waits for good, and what was not read to its end may not have been read.
    #[test]
    fn a_collector_that_does_nothing_is_a_failure() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let target = Target { address: listener.local_addr().unwrap(), carrier: Carrier::Tcp };
        let mut sender = target.sender(0).unwrap();
        let mut silent = listener.accept().unwrap().0;
        let Sender::Tcp(stream) = &sender else { panic!("not TCP") };
        assert_eq!(stream.write_timeout().unwrap(), Some(STALLED));
        stream.set_write_timeout(Some(Duration::from_millis(10))).unwrap();
        let full = std::iter::repeat_with(|| sender.send(&[0; 1 << 16])).find_map(Result::err);
        assert_eq!(full.unwrap().to_string(), "the other side does nothing");
        sender.end().unwrap();
        let soon = || Instant::now() + Duration::from_millis(10);
        assert_eq!(sender.finish(soon()).unwrap_err().to_string(), "the other side does nothing");
        silent.write_all(&[0; 8]).unwrap();
        assert_eq!(sender.finish(Instant::now()).unwrap_err().to_string(), "the other side does nothing", "it talks");
        silent.shutdown(Shutdown::Write).unwrap();
        assert_eq!(sender.finish(soon() + PATIENCE).unwrap(), 0);
    }
}
