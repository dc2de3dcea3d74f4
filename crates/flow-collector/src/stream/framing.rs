//! Messages out of a stream, which may cut them anywhere.

/// Puts together what a stream cut. While nothing is cut it holds no memory.
#[derive(Debug, Default)]
pub(super) struct Framing {
    /// The beginning of a Message, shorter than the Message.
    partial: Vec<u8>,
}

/// Why what comes next cannot be found: a stream has no other frame than the lengths of its Messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misframed {
    /// Other versions have no length.
    #[error("version {0} instead of 10")]
    Version(u16),
    #[error("a Message of {0} bytes, fewer than its header has")]
    Length(u16),
}

/// RFC 7011 section 3.1.
const HEADER_LEN: u16 = 16;
/// The part of the header that frames: version and length.
const FRAME_LEN: usize = 4;

impl Framing {
    /// Takes the next bytes, gives each Message that is complete with them, and says how many there were.
    ///
    /// # Errors
    ///
    /// [`Misframed`]; nothing that follows can be understood.
    pub(super) fn take(&mut self, mut bytes: &[u8], mut message: impl FnMut(&[u8])) -> Result<usize, Misframed> {
        let mut count = 0;
        while !bytes.is_empty() {
            if self.partial.is_empty()
                && let Some(len) = frame_len(bytes)?
                && let Some((whole, rest)) = bytes.split_at_checked(len)
            {
                message(whole);
                count += 1;
                bytes = rest;
                continue;
            }
            // Never more than one Message, and as much memory as it needs.
            let wanted = frame_len(&self.partial)?.unwrap_or(FRAME_LEN);
            let (more, rest) = bytes.split_at(bytes.len().min(wanted - self.partial.len()));
            self.partial.reserve_exact(wanted - self.partial.len());
            self.partial.extend_from_slice(more);
            bytes = rest;
            if frame_len(&self.partial)?.is_some_and(|len| len == self.partial.len()) {
                message(&self.partial);
                count += 1;
                self.partial = Vec::new();
            }
        }
        Ok(count)
    }

    /// Bytes of a Message that is not complete.
    pub(super) const fn len(&self) -> usize {
        self.partial.len()
    }

    /// Whether the stream stands between two Messages.
    pub(super) const fn is_empty(&self) -> bool {
        self.partial.is_empty()
    }
}

/// Length of the Message that begins so; `None` where too little of it is there to know.
fn frame_len(bytes: &[u8]) -> Result<Option<usize>, Misframed> {
    let Some(&[version_high, version_low, high, low]) = bytes.first_chunk::<FRAME_LEN>() else {
        return Ok(None);
    };
    let (version, len) = (u16::from_be_bytes([version_high, version_low]), u16::from_be_bytes([high, low]));
    match version {
        10 if len >= HEADER_LEN => Ok(Some(len.into())),
        10 => Err(Misframed::Length(len)),
        other => Err(Misframed::Version(other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A Message of this length, whose bytes tell it from others.
    fn message(len: u16, mark: u8) -> Vec<u8> {
        let mut bytes = vec![mark; len.into()];
        bytes[..2].copy_from_slice(&[0, 10]);
        bytes[2..4].copy_from_slice(&len.to_be_bytes());
        bytes
    }

    fn read(framing: &mut Framing, bytes: &[u8]) -> (Vec<Vec<u8>>, Result<usize, Misframed>) {
        let mut messages = Vec::new();
        let result = framing.take(bytes, |message| messages.push(message.to_vec()));
        (messages, result)
    }

    /// RFC 7011 section 10.4.3: Messages are told apart by the length in their header, wherever segments begin and end.
    #[test]
    fn a_message_may_be_cut_at_every_byte() {
        let messages = [message(16, 1), message(90, 2), message(17, 3)];
        let stream = messages.concat();
        for cut in 0..=stream.len() {
            let mut framing = Framing::default();
            let (mut found, first) = read(&mut framing, &stream[..cut]);
            assert_eq!(framing.is_empty(), [0, 16, 106, 123].contains(&cut), "{cut}");
            let (more, second) = read(&mut framing, &stream[cut..]);
            found.extend(more);
            assert_eq!((found.as_slice(), first.unwrap() + second.unwrap()), (&messages[..], 3), "cut at {cut}");
            assert!(framing.is_empty() && framing.partial.capacity() == 0);
        }
    }

    #[test]
    fn what_is_no_message_is_told_with_its_number() {
        for (bytes, error) in [
            ([0, 9, 0, 20], Misframed::Version(9)),
            ([22, 3, 1, 2], Misframed::Version(0x1603)),
            ([0, 10, 0, 0], Misframed::Length(0)),
            ([0, 10, 0, 15], Misframed::Length(15)),
        ] {
            for cut in 0..4 {
                let mut framing = Framing::default();
                let (messages, good) = read(&mut framing, &[&message(20, 7)[..], &bytes[..cut]].concat());
                assert_eq!((messages.len(), good), (1, Ok(1)), "what came before is good");
                assert_eq!(read(&mut framing, &bytes[cut..]), (vec![], Err(error)));
            }
        }
    }

    #[test]
    fn a_partial_message_costs_no_more_than_its_length() {
        let mut framing = Framing::default();
        let largest = message(u16::MAX, 1);
        for byte in &largest[..largest.len() - 1] {
            framing.take(&[*byte], |_| panic!("not complete")).unwrap();
            assert!(framing.partial.capacity() <= largest.len());
        }
        assert_eq!(read(&mut framing, &largest[largest.len() - 1..]), (vec![largest], Ok(1)));
    }

    proptest! {
        /// Whatever the segments are, the same Messages come out.
        #[test]
        fn segments_make_no_difference(
            lengths in proptest::collection::vec(16_u16..300, 0..20),
            segments in proptest::collection::vec(1_usize..200, 1..50),
        ) {
            let messages: Vec<_> = lengths.iter().zip(0..).map(|(len, mark)| message(*len, mark)).collect();
            let stream = messages.concat();
            let (mut framing, mut found, mut rest) = (Framing::default(), Vec::new(), stream.as_slice());
            for len in segments.iter().cycle() {
                let (segment, after) = rest.split_at(rest.len().min(*len));
                let (more, result) = read(&mut framing, segment);
                prop_assert_eq!(Ok(more.len()), result);
                found.extend(more);
                rest = after;
                if rest.is_empty() {
                    break;
                }
            }
            prop_assert!(framing.is_empty());
            prop_assert_eq!(found, messages);
        }

        /// Any bytes: no panic, no memory beyond a Message, and every byte in a Message, in the rest, or behind an error.
        #[test]
        fn any_bytes_are_framed_or_refused(
            chunks in proptest::collection::vec(proptest::collection::vec(0_u8..12, 0..40), 0..20),
        ) {
            let (mut framing, mut taken, mut given) = (Framing::default(), 0, 0);
            for chunk in &chunks {
                given += chunk.len();
                let (messages, result) = read(&mut framing, chunk);
                taken += messages.iter().map(Vec::len).sum::<usize>();
                prop_assert!(framing.partial.capacity() <= usize::from(u16::MAX));
                if result.is_err() {
                    return Ok(());
                }
                prop_assert_eq!(taken + framing.partial.len(), given);
            }
        }
    }
}
