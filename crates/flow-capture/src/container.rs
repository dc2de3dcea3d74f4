//! Frames out of the two file formats.
//!
//! Own code rather than a crate: the formats are two dozen fixed fields, and only a reader that counts the bytes it
//! took can say where a file is damaged, bound what a hostile length allocates, and read a pipe.

use std::io::{self, BufReader, Read};
use std::ops::Range;

use crate::error::{CaptureError, CaptureErrorKind as Kind};

/// The frames of one capture, whichever format holds them.
pub(crate) struct Frames<R> {
    input: Counted<R>,
    format: Format,
    /// The record or block being read; frames are ranges of it.
    buffer: Vec<u8>,
}

/// One captured frame; [`Frames::bytes`] has its bytes until the next one is read.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// Unix nanoseconds; 0 where the format has no time.
    pub(crate) captured_at: u64,
    pub(crate) link_type: u16,
    bytes: Range<usize>,
}

impl<R: Read> Frames<R> {
    /// Reads the file header.
    pub(crate) fn open(reader: R) -> Result<Self, CaptureError> {
        let mut input = Counted { reader: BufReader::with_capacity(READ_BUFFER, reader), offset: 0 };
        let format = open_format(&mut input).map_err(|kind| CaptureError { offset: 0, kind })?;
        Ok(Self { input, format, buffer: Vec::new() })
    }

    /// The next frame, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> Result<Option<Frame>, CaptureError> {
        loop {
            let offset = self.input.offset;
            let step = match &mut self.format {
                Format::Pcap(file) => file.step(&mut self.input, &mut self.buffer),
                Format::Pcapng(section) => section.step(&mut self.input, &mut self.buffer),
            };
            match step.map_err(|kind| CaptureError { offset, kind })? {
                Step::Frame(frame) => return Ok(Some(frame)),
                Step::Nothing => {}
                Step::End => return Ok(None),
            }
        }
    }

    /// The bytes of the frame that [`next`](Self::next) returned last.
    pub(crate) fn bytes(&self, frame: &Frame) -> &[u8] {
        self.buffer.get(frame.bytes.clone()).unwrap_or_default()
    }
}

enum Step {
    Frame(Frame),
    Nothing,
    End,
}

enum Format {
    Pcap(Pcap),
    Pcapng(Section),
}

fn open_format<R: Read>(input: &mut Counted<R>) -> Result<Format, Kind> {
    let magic = input.array::<4>()?.ok_or(Kind::UnexpectedEnd)?;
    let (order, nanoseconds) = match magic {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Order::Little, false),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Order::Big, false),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Order::Little, true),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Order::Big, true),
        SECTION_HEADER => {
            let mut section = Section { order: Order::Little, interfaces: Vec::new() };
            section.begin(input, &mut Vec::new())?;
            return Ok(Format::Pcapng(section));
        }
        [0x1f, 0x8b, ..] => return Err(Kind::Compressed("gzip")),
        [0x28, 0xb5, 0x2f, 0xfd] => return Err(Kind::Compressed("zstd")),
        other => return Err(Kind::UnknownFormat(other)),
    };
    let header = input.array::<20>()?.ok_or(Kind::UnexpectedEnd)?;
    let (major, minor) = (order.u16(&header, 0), order.u16(&header, 2));
    if major != 2 {
        return Err(Kind::UnknownVersion(major, minor));
    }
    // The upper half of the link type word says how long a frame check sequence is.
    let link_type = order.u32(&header, 16) as u16;
    Ok(Format::Pcap(Pcap { order, nanoseconds, link_type }))
}

/// Classic pcap: a file header, then records of a 16-byte header and a frame.
struct Pcap {
    order: Order,
    nanoseconds: bool,
    link_type: u16,
}

impl Pcap {
    fn step<R: Read>(&self, input: &mut Counted<R>, buffer: &mut Vec<u8>) -> Result<Step, Kind> {
        let Some(header) = input.array::<16>()? else {
            return Ok(Step::End);
        };
        let [seconds, fraction, length] = [0, 4, 8].map(|at| self.order.u32(&header, at));
        if length > MAX_FRAME {
            return Err(Kind::FrameLength(length));
        }
        input.read_into(buffer, length)?;
        let nanoseconds = u64::from(fraction) * if self.nanoseconds { 1 } else { 1_000 };
        Ok(Step::Frame(Frame {
            captured_at: u64::from(seconds) * 1_000_000_000 + nanoseconds,
            link_type: self.link_type,
            bytes: 0..buffer.len(),
        }))
    }
}

/// The current section of a pcapng file: blocks, each with its length before and after its body.
struct Section {
    order: Order,
    interfaces: Vec<Interface>,
}

struct Interface {
    link_type: u16,
    /// Longest frame kept; 0 means no limit.
    snap_length: u32,
    clock: Clock,
}

impl Section {
    fn step<R: Read>(&mut self, input: &mut Counted<R>, buffer: &mut Vec<u8>) -> Result<Step, Kind> {
        let Some(block_type) = input.array::<4>()? else {
            return Ok(Step::End);
        };
        if block_type == SECTION_HEADER {
            self.begin(input, buffer)?;
            return Ok(Step::Nothing);
        }
        let length = self.order.u32(&input.array::<4>()?.ok_or(Kind::UnexpectedEnd)?, 0);
        let block_type = self.order.u32(&block_type, 0);
        let wanted = matches!(block_type, INTERFACE | PACKET | SIMPLE_PACKET | ENHANCED_PACKET);
        if length < 12 || !length.is_multiple_of(4) || (wanted && length > MAX_BLOCK) {
            return Err(Kind::BlockLength(length));
        }
        if wanted {
            input.read_into(buffer, length - 12)?;
        } else {
            input.skip(length - 12)?;
        }
        self.end_of_block(input, length)?;
        match block_type {
            INTERFACE => self.describe_interface(buffer).map(|()| Step::Nothing),
            PACKET => self.packet(buffer, u32::from(self.order.u16(buffer, 0))).map(Step::Frame),
            ENHANCED_PACKET => self.packet(buffer, self.order.u32(buffer, 0)).map(Step::Frame),
            SIMPLE_PACKET => self.simple_packet(buffer).map(Step::Frame),
            _ => Ok(Step::Nothing),
        }
    }

    /// The rest of a Section Header Block, after its type: a new byte order, and interfaces from 0 again.
    fn begin<R: Read>(&mut self, input: &mut Counted<R>, buffer: &mut Vec<u8>) -> Result<(), Kind> {
        let header = input.array::<12>()?.ok_or(Kind::UnexpectedEnd)?;
        self.order = match header[4..8] {
            [0x4d, 0x3c, 0x2b, 0x1a] => Order::Little,
            [0x1a, 0x2b, 0x3c, 0x4d] => Order::Big,
            _ => return Err(Kind::ByteOrder([header[4], header[5], header[6], header[7]])),
        };
        self.interfaces.clear();
        let (major, minor) = (self.order.u16(&header, 8), self.order.u16(&header, 10));
        if major != 1 {
            return Err(Kind::UnknownVersion(major, minor));
        }
        let length = self.order.u32(&header, 0);
        if length < 28 || !length.is_multiple_of(4) || length > MAX_BLOCK {
            return Err(Kind::BlockLength(length));
        }
        input.read_into(buffer, length - 20)?;
        self.end_of_block(input, length)
    }

    fn end_of_block<R: Read>(&self, input: &mut Counted<R>, length: u32) -> Result<(), Kind> {
        let again = self.order.u32(&input.array::<4>()?.ok_or(Kind::UnexpectedEnd)?, 0);
        if again == length { Ok(()) } else { Err(Kind::BlockLength(again)) }
    }

    fn describe_interface(&mut self, body: &[u8]) -> Result<(), Kind> {
        if self.interfaces.len() == MAX_INTERFACES {
            return Err(Kind::TooManyInterfaces);
        }
        let clock = Clock::from_options(self.order, body.get(8..).unwrap_or_default());
        let link_type = self.order.u16(body, 0);
        self.interfaces.push(Interface { link_type, snap_length: self.order.u32(body, 4), clock });
        Ok(())
    }

    /// Enhanced Packet Block, and the obsolete Packet Block, whose fields differ in the first four bytes only.
    fn packet(&self, body: &[u8], interface: u32) -> Result<Frame, Kind> {
        let described = self.interface(interface)?;
        let ticks = u64::from(self.order.u32(body, 4)) << 32 | u64::from(self.order.u32(body, 8));
        let length = self.order.u32(body, 12);
        let end = 20usize.saturating_add(length as usize);
        if length > MAX_FRAME || end > body.len() {
            return Err(Kind::FrameLength(length));
        }
        let captured_at = described.clock.unix_nanoseconds(ticks);
        Ok(Frame { captured_at, link_type: described.link_type, bytes: 20..end })
    }

    /// Simple Packet Block: a frame of interface 0, without a time.
    fn simple_packet(&self, body: &[u8]) -> Result<Frame, Kind> {
        let described = self.interface(0)?;
        let original = self.order.u32(body, 0);
        let limit = if described.snap_length == 0 { u32::MAX } else { described.snap_length };
        let end = 4usize.saturating_add(original.min(limit) as usize).min(body.len());
        Ok(Frame { captured_at: 0, link_type: described.link_type, bytes: 4..end })
    }

    fn interface(&self, number: u32) -> Result<&Interface, Kind> {
        self.interfaces.get(number as usize).ok_or(Kind::UnknownInterface(number))
    }
}

/// How an interface counts time: ticks a second and seconds to add.
struct Clock {
    resolution: u8,
    offset_seconds: i64,
}

impl Clock {
    /// From the options of an Interface Description Block; a damaged list counts as far as it can be read.
    fn from_options(order: Order, mut options: &[u8]) -> Self {
        let mut clock = Self { resolution: 6, offset_seconds: 0 };
        while let Some((header, rest)) = options.split_first_chunk::<4>() {
            let (code, length) = (order.u16(header, 0), usize::from(order.u16(header, 2)));
            let Some(value) = rest.get(..length) else { break };
            match (code, value) {
                (OPTION_END, _) => break,
                (OPTION_TSRESOL, [resolution]) => clock.resolution = *resolution,
                (OPTION_TSOFFSET, value) if length == 8 => clock.offset_seconds = order.u64(value, 0) as i64,
                _ => {}
            }
            options = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        clock
    }

    /// `if_tsresol` is a negative power of 10, or of 2 where its highest bit is set.
    fn unix_nanoseconds(&self, ticks: u64) -> u64 {
        const NANOSECONDS: i128 = 1_000_000_000;
        let exponent = u32::from(self.resolution & 0x7f);
        let ticks = i128::from(ticks);
        let nanoseconds = if self.resolution & 0x80 != 0 {
            ticks.saturating_mul(NANOSECONDS) >> exponent
        } else if exponent <= 9 {
            ticks.saturating_mul(10_i128.pow(9 - exponent))
        } else {
            10_i128.checked_pow(exponent - 9).map_or(0, |divisor| ticks / divisor)
        };
        let shifted = nanoseconds.saturating_add(i128::from(self.offset_seconds).saturating_mul(NANOSECONDS));
        u64::try_from(shifted.max(0)).unwrap_or(u64::MAX)
    }
}

/// A reader that knows how many bytes it gave.
struct Counted<R> {
    reader: BufReader<R>,
    offset: u64,
}

impl<R: Read> Counted<R> {
    /// `N` bytes; `None` at the end of the input, an error if it ends within them.
    fn array<const N: usize>(&mut self) -> Result<Option<[u8; N]>, Kind> {
        let mut bytes = [0; N];
        let mut filled = 0;
        while filled < N {
            match self.reader.read(&mut bytes[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(Kind::UnexpectedEnd),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.offset += N as u64;
        Ok(Some(bytes))
    }

    /// Replaces the content of `buffer` by `length` bytes. Memory grows with what arrives, not with what is claimed.
    fn read_into(&mut self, buffer: &mut Vec<u8>, length: u32) -> Result<(), Kind> {
        buffer.clear();
        let count = self.reader.by_ref().take(u64::from(length)).read_to_end(buffer)?;
        self.took(count as u64, length)
    }

    fn skip(&mut self, length: u32) -> Result<(), Kind> {
        let count = io::copy(&mut self.reader.by_ref().take(u64::from(length)), &mut io::sink())?;
        self.took(count, length)
    }

    fn took(&mut self, count: u64, wanted: u32) -> Result<(), Kind> {
        self.offset += count;
        if count == u64::from(wanted) { Ok(()) } else { Err(Kind::UnexpectedEnd) }
    }
}

/// Byte order of a file; a number that lies outside the bytes reads as 0.
#[derive(Clone, Copy)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> u16 {
        self.read(bytes, at).map_or(0, |bytes| self.choose(bytes, u16::from_le_bytes, u16::from_be_bytes))
    }

    fn u32(self, bytes: &[u8], at: usize) -> u32 {
        self.read(bytes, at).map_or(0, |bytes| self.choose(bytes, u32::from_le_bytes, u32::from_be_bytes))
    }

    fn u64(self, bytes: &[u8], at: usize) -> u64 {
        self.read(bytes, at).map_or(0, |bytes| self.choose(bytes, u64::from_le_bytes, u64::from_be_bytes))
    }

    fn read<const N: usize>(self, bytes: &[u8], at: usize) -> Option<[u8; N]> {
        bytes.get(at..)?.first_chunk().copied()
    }

    fn choose<const N: usize, T>(self, bytes: [u8; N], little: fn([u8; N]) -> T, big: fn([u8; N]) -> T) -> T {
        match self {
            Self::Little => little(bytes),
            Self::Big => big(bytes),
        }
    }
}

const READ_BUFFER: usize = 64 * 1024;
/// The longest frame libpcap writes for the link types read here.
const MAX_FRAME: u32 = 262_144;
/// Longest block that is kept in memory; longer ones of no interest are skipped.
const MAX_BLOCK: u32 = 1024 * 1024;
const MAX_INTERFACES: usize = 65_536;

const SECTION_HEADER: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
const INTERFACE: u32 = 1;
const PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
const OPTION_END: u16 = 0;
const OPTION_TSRESOL: u16 = 9;
const OPTION_TSOFFSET: u16 = 14;
