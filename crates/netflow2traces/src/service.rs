//! What systemd is told, and the sockets that it passes (sd_notify(3), sd_listen_fds(3)).

use std::env;
use std::fmt::Display;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use anyhow::Context;
use flow_collector::{PassedSockets, StreamProtocol};
use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};
use tracing::debug;

/// The service manager that started the program, if one did that wants to be told.
pub(crate) struct Service {
    to: Option<(UnixDatagram, SocketAddr)>,
    /// Without a sign of life for so long the program is started anew.
    watchdog: Option<Duration>,
}

impl Service {
    /// By the environment.
    pub(crate) fn from_env() -> Self {
        let to = env::var("NOTIFY_SOCKET").ok().and_then(|path| {
            let to = address(&path).and_then(|address| Ok((UnixDatagram::unbound()?, address)));
            to.inspect_err(|error| debug!(%error, path, "cannot tell the service manager")).ok()
        });
        let is_ours = env::var("WATCHDOG_PID").map_or(true, |pid| pid == std::process::id().to_string());
        let micros = env::var("WATCHDOG_USEC").ok().filter(|_| is_ours).and_then(|micros| micros.parse().ok());
        Self { to, watchdog: micros.filter(|micros| *micros > 0).map(Duration::from_micros) }
    }

    /// How often it has to hear of us, twice in its own time; `None` when it does not care.
    pub(crate) fn watchdog_interval(&self) -> Option<Duration> {
        self.to.as_ref().and(self.watchdog).map(|limit| limit / 2)
    }

    /// Everything is open.
    pub(crate) fn ready(&self, status: impl Display) {
        self.tell(format_args!("READY=1\nSTATUS={status}"));
    }

    /// The settings are read again, until [`ready`](Self::ready).
    pub(crate) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1000;
        self.tell(format_args!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// The program goes on.
    pub(crate) fn alive(&self, status: impl Display) {
        self.tell(format_args!("WATCHDOG=1\nSTATUS={status}"));
    }

    pub(crate) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=delivering what is left");
    }

    fn tell(&self, what: impl Display) {
        let Some((socket, to)) = &self.to else { return };
        if let Err(error) = socket.send_to_addr(what.to_string().as_bytes(), to) {
            debug!(%error, "cannot tell the service manager");
        }
    }
}

/// A path, or behind an `@` a name in Linux's abstract namespace.
fn address(path: &str) -> io::Result<SocketAddr> {
    match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(path),
    }
}

/// Whether sockets were passed.
pub(crate) fn passes_sockets() -> bool {
    env::var_os("LISTEN_FDS").is_some()
}

/// The sockets that were passed: datagrams, and connections over TCP, or TLS where the socket has the name `tls`.
///
/// # Errors
///
/// One that is neither UDP nor listens for TCP.
pub(crate) fn passed_sockets() -> anyhow::Result<PassedSockets> {
    let mut passed = PassedSockets::default();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut fds = ListenFd::from_env();
    for index in 0..fds.len() {
        if let Ok(Some(socket)) = fds.take_udp_socket(index) {
            passed.udp.push(socket);
            continue;
        }
        let socket = fds.take_tcp_listener(index).context("a socket that was passed is neither UDP nor TCP")?;
        let is_tls = names.split(':').nth(index) == Some("tls");
        let protocol = if is_tls { StreamProtocol::Tls } else { StreamProtocol::Tcp };
        passed.streams.extend(socket.map(|socket| (protocol, socket)));
    }
    Ok(passed)
}
