//! Captures written, for replays and tests.

use std::io::{self, Write};
use std::net::SocketAddr;

use etherparse::PacketBuilder;

use crate::frame::{LINKTYPE_ETHERNET, LINKTYPE_RAW};

/// What lies below IP in a written capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkLayer {
    /// Ethernet with made-up addresses: what most tools expect.
    #[default]
    Ethernet,
    /// Nothing: frames begin with the IP header.
    RawIp,
}

/// Writes UDP datagrams as a classic pcap file with nanosecond times.
///
/// ```
/// use flow_capture::{Capture, LinkLayer, PcapWriter};
///
/// let mut writer = PcapWriter::new(Vec::new(), LinkLayer::Ethernet)?;
/// let (source, destination) = ("192.0.2.1:50000".parse()?, "192.0.2.9:2055".parse()?);
/// writer.write_datagram(1_700_000_000_000_000_000, source, destination, b"hello")?;
/// let file = writer.finish()?;
///
/// let mut capture = Capture::open(&file[..])?;
/// let datagram = capture.next_datagram()?.expect("one datagram");
/// assert_eq!((datagram.source, datagram.payload), (source, &b"hello"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PcapWriter<W> {
    output: W,
    link: LinkLayer,
    frame: Vec<u8>,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn new(mut output: W, link: LinkLayer) -> io::Result<Self> {
        let link_type = match link {
            LinkLayer::Ethernet => LINKTYPE_ETHERNET,
            LinkLayer::RawIp => LINKTYPE_RAW,
        };
        output.write_all(&NANOSECOND_MAGIC.to_le_bytes())?;
        output.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?; // version 2.4, UTC, no accuracy given
        output.write_all(&SNAP_LENGTH.to_le_bytes())?;
        output.write_all(&u32::from(link_type).to_le_bytes())?;
        Ok(Self { output, link, frame: Vec::new() })
    }

    /// Writes one datagram, captured at `captured_at` (Unix nanoseconds), with valid IP and UDP checksums.
    ///
    /// # Errors
    ///
    /// Those of the output. [`io::ErrorKind::InvalidInput`] if the addresses are not of one family, the payload is
    /// longer than a datagram of that family holds, or the time is after the year 2106.
    pub fn write_datagram(
        &mut self,
        captured_at: u64,
        source: SocketAddr,
        destination: SocketAddr,
        payload: &[u8],
    ) -> io::Result<()> {
        self.frame.clear();
        if self.link == LinkLayer::Ethernet {
            self.frame.extend_from_slice(&ETHERNET_ADDRESSES);
            self.frame.extend_from_slice(&if source.is_ipv4() { [0x08, 0x00] } else { [0x86, 0xdd] });
        }
        let ip = match (source, destination) {
            (SocketAddr::V4(from), SocketAddr::V4(to)) => {
                PacketBuilder::ipv4(from.ip().octets(), to.ip().octets(), HOP_LIMIT)
            }
            (SocketAddr::V6(from), SocketAddr::V6(to)) => {
                PacketBuilder::ipv6(from.ip().octets(), to.ip().octets(), HOP_LIMIT)
            }
            _ => return Err(invalid("source and destination are of different address families")),
        };
        ip.udp(source.port(), destination.port()).write(&mut self.frame, payload).map_err(invalid)?;
        self.write_record(captured_at)
    }

    /// Flushes and gives the output back.
    ///
    /// # Errors
    ///
    /// Those of the output.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.flush()?;
        Ok(self.output)
    }

    fn write_record(&mut self, captured_at: u64) -> io::Result<()> {
        let seconds = u32::try_from(captured_at / 1_000_000_000).map_err(invalid)?;
        let nanoseconds = (captured_at % 1_000_000_000) as u32;
        let length = u32::try_from(self.frame.len()).map_err(invalid)?;
        for word in [seconds, nanoseconds, length, length] {
            self.output.write_all(&word.to_le_bytes())?;
        }
        self.output.write_all(&self.frame)
    }
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, error)
}

const NANOSECOND_MAGIC: u32 = 0xa1b2_3c4d;
const SNAP_LENGTH: u32 = 262_144;
const HOP_LIMIT: u8 = 64;
/// Destination, then source: locally administered.
const ETHERNET_ADDRESSES: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
