//! Why a capture could not be read further.

use std::io;

/// Why a capture could not be read, or not be read further.
///
/// `offset` counts bytes from the start of the file to the file header, record or block that could not be read.
/// Every datagram before it has been delivered.
#[derive(Debug, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct CaptureError {
    /// Bytes from the start of the file.
    pub offset: u64,
    /// What was wrong there.
    pub kind: CaptureErrorKind,
}

/// The causes of a [`CaptureError`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaptureErrorKind {
    /// The file starts with neither a pcap nor a pcapng magic number; these are its first four bytes.
    #[error("neither pcap nor pcapng, but {0:02x?}")]
    UnknownFormat([u8; 4]),
    /// The file is compressed in the format named.
    #[error("compressed with {0} (decompress it first)")]
    Compressed(&'static str),
    /// The file ends within a header, a record or a block.
    #[error("the capture ends within the record that starts")]
    UnexpectedEnd,
    /// A version of the format that is not known: major, minor.
    #[error("unknown format version {0}.{1}")]
    UnknownVersion(u16, u16),
    /// A frame claims more bytes than any capture program writes, or than its block holds.
    #[error("frame length {0} out of range")]
    FrameLength(u32),
    /// A pcapng block claims a length that no block has, or its two lengths differ.
    #[error("block length {0} is wrong")]
    BlockLength(u32),
    /// A pcapng section header whose byte-order magic is neither order.
    #[error("byte-order magic {0:02x?} is wrong")]
    ByteOrder([u8; 4]),
    /// A pcapng packet that names an interface that was not described before it.
    #[error("interface {0} was not described")]
    UnknownInterface(u32),
    /// A pcapng section describes more interfaces than this reader keeps.
    #[error("too many interfaces")]
    TooManyInterfaces,
    /// Reading failed.
    #[error("cannot read: {0}")]
    Io(#[from] io::Error),
}
