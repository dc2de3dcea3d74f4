//! A UDP port on loopback that keeps every datagram and passes it on.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use etherparse::PacketBuilder;

use super::pcap::{self, Frame};

/// The port that `write_pcap` names as the collector's, and that tshark takes for NetFlow without being told.
pub(super) const COLLECTOR_PORT: u16 = 2055;

/// How long no datagram comes before the stream counts as ended.
const QUIET: Duration = Duration::from_millis(300);

/// One datagram as it came in.
#[derive(Clone, Debug)]
pub(super) struct Datagram {
    pub at: SystemTime,
    pub source: SocketAddr,
    pub payload: Vec<u8>,
}

/// The running port.
#[derive(Debug)]
pub(super) struct Tap {
    /// Where the exporter sends to.
    pub port: u16,
    /// The source port of what is passed on: how the collectors know this exporter.
    pub forwarding_port: u16,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<anyhow::Result<Vec<Datagram>>>,
}

impl Tap {
    /// Starts to listen, and to pass each datagram on to all of `collectors`.
    ///
    /// # Errors
    ///
    /// When no socket can be had.
    pub(super) fn start(collectors: Vec<SocketAddr>) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("open a UDP port")?;
        socket.set_read_timeout(Some(QUIET))?;
        let forward = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("open a UDP port")?;
        let (port, forwarding_port) = (socket.local_addr()?.port(), forward.local_addr()?.port());
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut datagrams = Vec::new();
            let mut buffer = vec![0; 65_535];
            loop {
                match socket.recv_from(&mut buffer) {
                    Ok((len, source)) => {
                        let payload = buffer[..len].to_vec();
                        for collector in &collectors {
                            forward.send_to(&payload, collector)?;
                        }
                        datagrams.push(Datagram { at: SystemTime::now(), source, payload });
                    }
                    Err(error) if is_timeout(&error) => {
                        if stopped.load(Ordering::Relaxed) {
                            return Ok(datagrams);
                        }
                    }
                    Err(error) => return Err(error).context("receive"),
                }
            }
        });
        Ok(Self { port, forwarding_port, stop, thread })
    }

    /// Ends once nothing comes in any more.
    ///
    /// # Errors
    ///
    /// What went wrong on either socket.
    pub(super) fn finish(self) -> anyhow::Result<Vec<Datagram>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow::anyhow!("the tap panicked"))?
    }
}

fn is_timeout(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}

/// Writes datagrams as a capture of them on the way to [`COLLECTOR_PORT`].
///
/// # Errors
///
/// When the file cannot be written.
pub(super) fn write_pcap(path: &Path, datagrams: &[Datagram]) -> anyhow::Result<()> {
    let mut frames = Vec::new();
    for datagram in datagrams {
        let loopback = Ipv4Addr::LOCALHOST.octets();
        let mut bytes = Vec::new();
        PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
            .ipv4(loopback, loopback, 64)
            .udp(datagram.source.port(), COLLECTOR_PORT)
            .write(&mut bytes, &datagram.payload)?;
        frames.push(Frame { at: datagram.at, bytes });
    }
    pcap::write(path, &frames)
}
