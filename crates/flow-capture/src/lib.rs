//! UDP datagrams out of pcap and pcapng captures.
//!
//! [`Capture`] reads a file or a pipe and yields the UDP datagrams in it, whatever lies around them: Ethernet with
//! VLAN tags, Linux cooked, raw IP or loopback frames, IPv4 or IPv6, whole or in fragments. [`PcapWriter`] writes
//! them.
//!
//! ```no_run
//! use flow_capture::Capture;
//!
//! let mut capture = Capture::open(std::fs::File::open("export.pcap")?)?;
//! while let Some(datagram) = capture.next_datagram()? {
//!     println!("{}: {} bytes from {}", datagram.number, datagram.payload.len(), datagram.source);
//! }
//! eprintln!("{:?}", capture.stats());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod container;
mod error;
mod fragments;
mod frame;
mod writer;

use std::io::Read;
use std::net::SocketAddr;

use container::Frames;
use fragments::Fragments;
use frame::{Content, Skip};

pub use error::{CaptureError, CaptureErrorKind};
pub use writer::{LinkLayer, PcapWriter};

/// One UDP datagram of a capture. Its payload lives until the next one is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CapturedDatagram<'a> {
    /// Which UDP datagram of the capture this is, from 1.
    pub number: u64,
    /// When it was captured, or its last fragment: Unix nanoseconds. 0 in a pcapng Simple Packet Block, which has none.
    pub captured_at: u64,
    /// Sender.
    pub source: SocketAddr,
    /// Receiver.
    pub destination: SocketAddr,
    /// The UDP payload, as far as it was captured.
    pub payload: &'a [u8],
    /// Whether the headers promise more payload than the capture has.
    pub truncated: bool,
}

/// What became of the frames of a capture.
///
/// Every frame is counted once: `frames` is the sum of `datagrams` less `reassembled`, `fragments`, and the frames
/// skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaptureStats {
    /// Frames read.
    pub frames: u64,
    /// Datagrams yielded.
    pub datagrams: u64,
    /// Datagrams among them that were put together from fragments.
    pub reassembled: u64,
    /// Datagrams among them that the capture has only the beginning of.
    pub truncated: u64,
    /// Frames that hold a fragment of a UDP datagram.
    pub fragments: u64,
    /// Fragments among them that became part of no datagram: others are missing, or they contradict each other.
    pub fragments_lost: u64,
    /// Frames skipped: of a link type that is not read.
    pub unknown_link_type: u64,
    /// Frames skipped: neither IPv4 nor IPv6.
    pub not_ip: u64,
    /// Frames skipped: IP, but not UDP.
    pub not_udp: u64,
    /// Frames skipped: headers that are cut or impossible.
    pub malformed: u64,
}

/// The UDP datagrams of one capture, in file order.
///
/// Memory is bounded whatever the file holds: one frame, and at most 128 datagrams that miss fragments.
pub struct Capture<R> {
    frames: Frames<R>,
    fragments: Fragments,
    payload: Vec<u8>,
    stats: CaptureStats,
    failed: bool,
}

impl<R: Read> Capture<R> {
    /// Reads the file header. The reader needs no buffer of its own.
    ///
    /// # Errors
    ///
    /// If `reader` fails, or does not start like a pcap or pcapng file.
    pub fn open(reader: R) -> Result<Self, CaptureError> {
        Ok(Self {
            frames: Frames::open(reader)?,
            fragments: Fragments::default(),
            payload: Vec::new(),
            stats: CaptureStats::default(),
            failed: false,
        })
    }

    /// The next datagram, or `None` at the end of the capture.
    ///
    /// Length fields are believed as far as there are bytes: a datagram that was cut when it was captured is yielded
    /// with what is there and marked `truncated`; a UDP or IPv4 length of 0 stands for the rest of the frame.
    ///
    /// # Errors
    ///
    /// If the reader fails or the file is damaged. Every datagram before that place has been yielded then, and every
    /// later call returns `None`.
    pub fn next_datagram(&mut self) -> Result<Option<CapturedDatagram<'_>>, CaptureError> {
        while !self.failed {
            let frame = match self.frames.next() {
                Ok(Some(frame)) => frame,
                Ok(None) => break,
                Err(error) => {
                    self.failed = true;
                    return Err(error);
                }
            };
            self.stats.frames += 1;
            match self.datagram_of(&frame) {
                Ok(Some((source, destination, truncated))) => {
                    self.stats.datagrams += 1;
                    self.stats.truncated += u64::from(truncated);
                    return Ok(Some(CapturedDatagram {
                        number: self.stats.datagrams,
                        captured_at: frame.captured_at,
                        source,
                        destination,
                        payload: &self.payload,
                        truncated,
                    }));
                }
                Ok(None) => {}
                Err(Skip::LinkType) => self.stats.unknown_link_type += 1,
                Err(Skip::NotIp) => self.stats.not_ip += 1,
                Err(Skip::NotUdp) => self.stats.not_udp += 1,
                Err(Skip::Malformed) => self.stats.malformed += 1,
            }
        }
        Ok(None)
    }

    /// What became of the frames read so far.
    pub fn stats(&self) -> CaptureStats {
        CaptureStats { fragments_lost: self.stats.fragments_lost + self.fragments.lost(), ..self.stats }
    }

    /// Puts the datagram that the frame holds or completes into `self.payload`.
    fn datagram_of(&mut self, frame: &container::Frame) -> Result<Option<(SocketAddr, SocketAddr, bool)>, Skip> {
        let whole;
        let udp = match frame::dissect(frame.link_type, self.frames.bytes(frame))? {
            Content::Datagram(udp) => udp,
            Content::Fragment(fragment) => {
                self.stats.fragments += 1;
                let Some((fragments, bytes)) = self.fragments.insert(&fragment, frame.captured_at) else {
                    return Ok(None);
                };
                whole = bytes;
                let Ok(udp) = frame::udp(fragment.key.source, fragment.key.destination, &whole, false) else {
                    self.stats.fragments_lost += fragments;
                    return Ok(None);
                };
                self.stats.reassembled += 1;
                udp
            }
        };
        self.payload.clear();
        self.payload.extend_from_slice(udp.payload);
        Ok(Some((udp.source, udp.destination, udp.truncated)))
    }
}

#[cfg(test)]
mod tests;
