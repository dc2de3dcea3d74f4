//! How a file ends that is to be appended to.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use crate::config::FileCompression;

/// What a file that is there allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// Nothing is left open.
    Whole,
    /// The last line has no end.
    OpenLine,
    /// What follows could not be read: it is of another compression, or its last frame has no end.
    Unfit,
}

/// Looks at a file that has something in it.
pub(super) fn ending(file: &mut File, compression: FileCompression) -> io::Result<Ending> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.by_ref().take(4).read_to_end(&mut start)?;
    match compression {
        FileCompression::None if start == MAGIC => Ok(Ending::Unfit),
        FileCompression::None => {
            let mut last = [0];
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
            Ok(if last == *b"\n" { Ending::Whole } else { Ending::OpenLine })
        }
        FileCompression::Zstd => {
            file.seek(SeekFrom::Start(0))?;
            let len = file.metadata()?.len();
            Ok(if is_whole_frames(BufReader::new(file), len)? { Ending::Whole } else { Ending::Unfit })
        }
    }
}

/// `Magic_Number` of a Zstandard frame (RFC 8878 section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether a file of this length is Zstandard frames to its end. Only what says how long they are is read.
fn is_whole_frames(file: impl Read + Seek, len: u64) -> io::Result<bool> {
    let mut frames = Frames { file, at: 0, len };
    match frames.skip_all() {
        Ok(whole) => Ok(whole),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

struct Frames<R> {
    file: R,
    at: u64,
    len: u64,
}

impl<R: Read + Seek> Frames<R> {
    /// Goes to the end of the file; `false` where something else is than a frame.
    fn skip_all(&mut self) -> io::Result<bool> {
        while self.at < self.len {
            if !self.skip_frame()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// RFC 8878 section 3.1.1.
    fn skip_frame(&mut self) -> io::Result<bool> {
        let magic: [u8; 4] = self.read()?;
        if magic != MAGIC {
            // Skippable frames (section 3.1.2).
            let skippable = magic[0] & 0xf0 == 0x50 && magic[1..] == [0x2a, 0x4d, 0x18];
            if skippable {
                let len = u32::from_le_bytes(self.read()?);
                self.skip(len.into())?;
            }
            return Ok(skippable);
        }
        let [descriptor] = self.read()?;
        let single_segment = descriptor >> 5 & 1;
        let content_size_len = match descriptor >> 6 {
            0 => single_segment,
            flag => 1 << flag,
        };
        let dictionary_id_len = [0, 1, 2, 4][usize::from(descriptor & 3)];
        self.skip(u64::from(1 - single_segment + dictionary_id_len + content_size_len))?;
        loop {
            let [a, b, c] = self.read()?;
            let header = u32::from_le_bytes([a, b, c, 0]);
            let (is_last, block_type, size) = (header & 1 == 1, header >> 1 & 3, header >> 3);
            match block_type {
                1 => self.skip(1)?,
                3 => return Ok(false),
                _ => self.skip(size.into())?,
            }
            if is_last {
                let has_checksum = descriptor >> 2 & 1;
                self.skip(4 * u64::from(has_checksum))?;
                return Ok(true);
            }
        }
    }

    fn read<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn skip(&mut self, len: u64) -> io::Result<()> {
        self.at += len;
        if self.at > self.len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file.seek_relative(len as i64)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use super::*;

    fn is_whole(bytes: &[u8]) -> bool {
        is_whole_frames(Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    /// Frames of every shape that the library makes, cut at every byte.
    #[test]
    fn frames_are_whole_at_their_ends_alone() {
        let text: Vec<u8> = (0..300_000_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let mut bytes = Vec::new();
        let mut ends = vec![0];
        for (len, checksum, sized) in
            [(0, true, true), (5, false, true), (300, true, true), (70_000, true, false), (3000, false, false)]
        {
            let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
            encoder.include_checksum(checksum).unwrap();
            if sized {
                encoder.set_pledged_src_size(Some(len as u64)).unwrap();
            }
            encoder.write_all(&text[..len]).unwrap();
            bytes.extend(encoder.finish().unwrap());
            ends.push(bytes.len());
        }
        bytes.extend([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
        ends.push(bytes.len());
        // Run-length blocks.
        bytes.extend(zstd::bulk::compress(&[7; 200_000], 1).unwrap());
        ends.push(bytes.len());
        for len in (0..=bytes.len()).filter(|len| len % 7 == 0 || bytes.len() - len < 200) {
            assert_eq!(is_whole(&bytes[..len]), ends.contains(&len), "{len}");
        }
        for end in ends {
            assert!(is_whole(&bytes[..end]), "{end}");
        }
        assert!(!is_whole(b"{\"resourceSpans\":[]}\n"));
        assert!(!is_whole(&[0; 100]));
    }
}
