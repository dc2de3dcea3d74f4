//! Which program an interface has, as rtnetlink(7) tells.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

use aya::programs::loaded_programs;
use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const NLM_F_REQUEST: u16 = 1;
const IFLA_XDP: u16 = 43;
/// `IFLA_XDP_PROG_ID` and, where there are several, those of the driver, the stack and the card.
const PROGRAM_IDS: [u16; 4] = [4, 5, 6, 7];
/// Lengths of a message header, and of what every link has after it.
const HEADER_LEN: usize = 16;
const LINK_LEN: usize = 16;

/// The program that an interface has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub id: u32,
    /// Its name, where this process may know it: that takes `CAP_SYS_ADMIN`.
    pub name: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "program {}", self.id)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}

/// The program of an interface of this network namespace, if it has one.
///
/// # Errors
///
/// When there is no such interface.
pub(super) fn holder(interface: &str) -> io::Result<Option<Holder>> {
    // `NETLINK_ROUTE` is zero, the protocol when none is named.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    let index = name_to_index(&socket, interface)?;
    let reply = ask(&socket, index)?;
    Ok(program_id(&reply).map(|id| Holder { id, name: name(id) }))
}

fn ask(socket: &OwnedFd, index: u32) -> io::Result<Vec<u8>> {
    let mut request = ((HEADER_LEN + LINK_LEN) as u32).to_ne_bytes().to_vec();
    request.extend([RTM_GETLINK, NLM_F_REQUEST].iter().flat_map(|half| half.to_ne_bytes()));
    request.resize(HEADER_LEN + 4, 0);
    request.extend(index.to_ne_bytes());
    request.resize(HEADER_LEN + LINK_LEN, 0);
    send(socket, &request, SendFlags::empty())?;
    let mut reply = vec![0; 32 << 10];
    let (len, _) = recv(socket, reply.as_mut_slice(), RecvFlags::empty())?;
    reply.truncate(len);
    Ok(reply)
}

fn program_id(message: &[u8]) -> Option<u32> {
    if number16(message, 4)? != RTM_NEWLINK {
        return None;
    }
    let xdp = attribute(message.get(HEADER_LEN + LINK_LEN..)?, IFLA_XDP)?;
    let ids = PROGRAM_IDS.iter().filter_map(|id| attribute(xdp, *id)?.first_chunk::<4>());
    ids.map(|id| u32::from_ne_bytes(*id)).find(|id| *id != 0)
}

fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let (len, kind) = (usize::from(number16(attributes, 0)?), number16(attributes, 2)?);
        let value = attributes.get(4..len)?;
        // The two highest bits say how the value is written.
        if kind & 0x3fff == wanted {
            return Some(value);
        }
        attributes = attributes.get(len.next_multiple_of(4)..)?;
    }
}

fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn name(id: u32) -> Option<String> {
    let program = loaded_programs().flatten().find(|program| program.id() == id)?;
    program.name_as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute_bytes(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [(4 + value.len()) as u16, kind].map(u16::to_ne_bytes).concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn finds_the_program_of_any_mode() {
        let mut message = vec![0; HEADER_LEN + LINK_LEN];
        message[4..6].copy_from_slice(&RTM_NEWLINK.to_ne_bytes());
        message.extend(attribute_bytes(3, b"eth0\0"));
        assert_eq!(program_id(&message), None);
        let several = [attribute_bytes(2, &[4]), attribute_bytes(6, &9_u32.to_ne_bytes())].concat();
        message.extend(attribute_bytes(IFLA_XDP | 0x8000, &several));
        assert_eq!(program_id(&message), Some(9));
        let cut = (0..message.len()).find(|&len| program_id(&message[..len]).is_some());
        assert_eq!(cut, None, "what is cut has none");
    }

    #[test]
    fn an_interface_that_is_not_there_is_an_error() {
        assert_eq!(holder("no-such-if").unwrap_err().raw_os_error(), Some(libc::ENODEV));
        holder("lo").unwrap();
    }
}
