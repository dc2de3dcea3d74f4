//! Which XDP programs interfaces have, as rtnetlink(7) tells.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;

use rustix::net::netdevice::name_to_index;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with};

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
/// `NLM_F_REQUEST`, and with `NLM_F_DUMP`
const ONE: u16 = 1;
const ALL: u16 = 0x301;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_EXT_MASK: u16 = 29;
/// `RTEXT_FILTER_SKIP_STATS`: they are most of the work.
const NO_STATISTICS: u32 = 1 << 3;
const IFLA_XDP: u16 = 43;
/// `IFLA_XDP_ATTACHED`, one of [`MODES`] counted from 1, and `IFLA_XDP_PROG_ID`: where there are several programs they tell
/// of none of them, and old kernels have no others.
const ATTACHED: u16 = 2;
const PROGRAM_ID: u16 = 4;
/// With `IFLA_XDP_DRV_PROG_ID`, `IFLA_XDP_SKB_PROG_ID` and `IFLA_XDP_HW_PROG_ID`.
const MODES: [(Mode, u16); 3] = [(Mode::Drv, 5), (Mode::Skb, 6), (Mode::Hw, 7)];
/// Lengths of a message header, and of what every link has after it.
const HEADER_LEN: usize = 16;
const LINK_LEN: usize = 16;

/// Where in the receive path a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In the driver (native XDP).
    Drv,
    /// In the stack, for any driver (generic XDP).
    Skb,
    /// On the card.
    Hw,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drv => "drv",
            Self::Skb => "skb",
            Self::Hw => "hw",
        })
    }
}

/// An interface that has a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The interface.
    pub interface: String,
    /// Its number.
    pub index: u32,
    /// The program's number.
    pub program: u32,
    /// Where it runs.
    pub mode: Mode,
}

/// The interfaces of this network namespace that have a program, once for each that they have.
///
/// # Errors
///
/// No socket.
pub fn attached() -> io::Result<Vec<Attached>> {
    let socket = netlink()?;
    ask(&socket, None)?;
    let mut found = Vec::new();
    let mut buffer = buffer();
    loop {
        let (len, _) = recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
        if !read_links(&buffer[..len], &mut found)? {
            return Ok(found);
        }
    }
}

/// The program of one interface, which need not have any; of several the one in the driver, then that in the stack. The
/// other interfaces are not asked: there may be thousands.
///
/// # Errors
///
/// `ENODEV` where there is no such interface.
pub(crate) fn attached_to(interface: &str) -> io::Result<Option<Attached>> {
    Ok(attached_by_index(index_of(interface)?)?.into_iter().next())
}

/// Whether the interface of this number, whatever it is called by now, has the program; where there is no such interface it
/// has not.
///
/// # Errors
///
/// When the kernel does not tell.
pub(crate) fn has_program(index: u32, program: u32) -> io::Result<bool> {
    match attached_by_index(index) {
        Ok(attached) => Ok(attached.iter().any(|attached| attached.program == program)),
        Err(error) if error.raw_os_error() == Some(libc::ENODEV) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The number of an interface.
///
/// # Errors
///
/// `ENODEV` where there is no such interface.
pub(crate) fn index_of(interface: &str) -> io::Result<u32> {
    Ok(name_to_index(netlink()?, interface)?)
}

fn attached_by_index(index: u32) -> io::Result<Vec<Attached>> {
    let mut found = Vec::new();
    read_links(&told_of(index)?, &mut found)?;
    Ok(found)
}

/// The most bytes that a packet of this interface has, from the IP header on.
///
/// # Errors
///
/// `ENODEV` where there is no such interface.
pub(crate) fn mtu(interface: &str) -> io::Result<u32> {
    let message = told_of(index_of(interface)?)?;
    let attributes = message.get(HEADER_LEN + LINK_LEN..).unwrap_or_default();
    let mtu = find(attributes, IFLA_MTU).and_then(|mtu| u32_at(mtu, 0));
    mtu.ok_or_else(|| io::Error::from_raw_os_error(libc::ENODEV))
}

/// What the kernel tells of an interface.
fn told_of(index: u32) -> io::Result<Vec<u8>> {
    let socket = netlink()?;
    ask(&socket, Some(index))?;
    let mut buffer = buffer();
    let (len, _) = recv(&socket, buffer.as_mut_slice(), RecvFlags::empty())?;
    buffer.truncate(len);
    Ok(buffer)
}

/// Asks for one interface, by its number, or for all.
fn ask(socket: &OwnedFd, index: Option<u32>) -> io::Result<()> {
    Ok(send(socket, &request(index), SendFlags::empty()).map(drop)?)
}

fn request(index: Option<u32>) -> Vec<u8> {
    const LEN: usize = HEADER_LEN + LINK_LEN + 8;
    let mut request = Vec::with_capacity(LEN);
    request.extend((LEN as u32).to_ne_bytes());
    request.extend([RTM_GETLINK, if index.is_some() { ONE } else { ALL }].iter().flat_map(|half| half.to_ne_bytes()));
    request.resize(HEADER_LEN + 4, 0);
    request.extend(index.unwrap_or_default().to_ne_bytes());
    request.resize(HEADER_LEN + LINK_LEN, 0);
    request.extend([8, IFLA_EXT_MASK].iter().flat_map(|half| half.to_ne_bytes()));
    request.extend(NO_STATISTICS.to_ne_bytes());
    request
}

/// With room for whatever comes at a time.
fn buffer() -> Vec<u8> {
    vec![0; 64 << 10]
}

/// A socket for rtnetlink: `NETLINK_ROUTE` is zero, the protocol when none is named.
fn netlink() -> io::Result<OwnedFd> {
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?)
}

/// Adds what messages tell; `false` after the last.
fn read_links(mut messages: &[u8], found: &mut Vec<Attached>) -> io::Result<bool> {
    while let Some(len) = u32_at(messages, 0) {
        let Some(message) = messages.get(..len as usize).filter(|message| message.len() >= HEADER_LEN) else {
            break;
        };
        match u16_at(message, 4) {
            Some(NLMSG_DONE) => return Ok(false),
            Some(NLMSG_ERROR) => {
                let code = u32_at(message, HEADER_LEN).unwrap_or_default().cast_signed();
                return Err(io::Error::from_raw_os_error(-code));
            }
            Some(RTM_NEWLINK) => found.extend(read_link(message).into_iter().flatten()),
            _ => {}
        }
        messages = messages.get((len as usize).next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

fn read_link(message: &[u8]) -> Option<impl Iterator<Item = Attached>> {
    let index = u32_at(message, HEADER_LEN + 4)?;
    let attributes = message.get(HEADER_LEN + LINK_LEN..)?;
    let xdp = find(attributes, IFLA_XDP)?;
    let id = |kind| u32_at(find(xdp, kind)?, 0).filter(|id| *id != 0);
    let mut programs = MODES.map(|(mode, kind)| id(kind).map(|program| (program, mode)));
    if programs == [None; MODES.len()] {
        let number = usize::from(*find(xdp, ATTACHED)?.first()?);
        let (mode, _) = *MODES.get(number.checked_sub(1)?)?;
        programs[0] = Some((id(PROGRAM_ID)?, mode));
    }
    let name = find(attributes, IFLA_IFNAME)?;
    let interface = String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name)).into_owned();
    let attached = move |(program, mode)| Attached { interface: interface.clone(), index, program, mode };
    Some(programs.into_iter().flatten().map(attached))
}

fn find(attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    Attributes(attributes).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}

/// Attributes, each with its length before it.
struct Attributes<'a>(&'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (len, kind) = (u16_at(self.0, 0)?, u16_at(self.0, 2)?);
        let value = self.0.get(4..usize::from(len))?;
        self.0 = self.0.get(usize::from(len).next_multiple_of(4)..).unwrap_or_default();
        // The two highest bits say how the value is written.
        Some((kind & 0x3fff, value))
    }
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [(4 + value.len()) as u16, kind].iter().flat_map(|half| half.to_ne_bytes()).collect::<Vec<_>>();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER_LEN + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEADER_LEN, 0);
        bytes.extend(body);
        bytes
    }

    fn link(index: u32, name: &[u8], xdp: &[u8]) -> Vec<u8> {
        let mut body = vec![0; 4];
        body.extend(index.to_ne_bytes());
        body.resize(LINK_LEN, 0);
        body.extend(attribute(IFLA_IFNAME, name));
        body.extend(attribute(IFLA_XDP | 0x8000, xdp));
        message(RTM_NEWLINK, &body)
    }

    #[test]
    fn interfaces_with_programs_are_found() {
        let id = |kind, id: u32| attribute(kind, &id.to_ne_bytes());
        let native = [attribute(2, &[1]), id(5, 7), id(4, 7)].concat();
        let several = [attribute(2, &[4]), id(6, 9), id(7, 8)].concat();
        let before_modes = [attribute(2, &[2]), id(4, 6)].concat();
        let messages = [
            link(1, b"lo\0", &attribute(2, &[0])),
            link(2, b"veth12\0", &native),
            link(3, b"eth0\0", &several),
            link(4, b"eth1\0", &before_modes),
            message(NLMSG_DONE, &[0; 4]),
        ]
        .concat();
        let mut found = Vec::new();
        assert!(!read_links(&messages, &mut found).unwrap());
        let of = |name: &str, index, program, mode| Attached { interface: name.to_owned(), index, program, mode };
        let expected = [
            ("veth12", 2, 7, Mode::Drv),
            ("eth0", 3, 9, Mode::Skb),
            ("eth0", 3, 8, Mode::Hw),
            ("eth1", 4, 6, Mode::Skb),
        ];
        assert_eq!(found, expected.map(|(name, index, program, mode)| of(name, index, program, mode)));
    }

    #[test]
    fn what_is_cut_is_left() {
        let messages = link(2, b"veth12\0", &attribute(5, &7_u32.to_ne_bytes()));
        for len in 0..messages.len() {
            let mut found = Vec::new();
            assert!(read_links(&messages[..len], &mut found).unwrap() && found.is_empty(), "{len}");
        }
    }

    #[test]
    fn errors_are_the_kernels() {
        let refused = message(NLMSG_ERROR, &(-1_i32).to_ne_bytes());
        assert_eq!(read_links(&refused, &mut Vec::new()).unwrap_err().raw_os_error(), Some(1));
    }

    #[test]
    fn one_interface_is_asked_by_its_number_and_without_statistics() {
        let (one, all) = (request(Some(7)), request(None));
        for (request, flags, index) in [(&one, 1, 7), (&all, 0x301, 0)] {
            assert_eq!(u32_at(request, 0), Some(request.len() as u32));
            assert_eq!((u16_at(request, 4), u16_at(request, 6)), (Some(RTM_GETLINK), Some(flags)));
            assert_eq!(u32_at(request, HEADER_LEN + 4), Some(index));
            let attributes: Vec<_> = Attributes(&request[HEADER_LEN + LINK_LEN..]).collect();
            assert_eq!(attributes, [(IFLA_EXT_MASK, &8_u32.to_ne_bytes()[..])]);
        }
    }

    #[test]
    fn one_interface_is_as_the_dump_has_it() {
        let all = attached().unwrap();
        assert_eq!(attached_to("lo").unwrap(), all.into_iter().find(|attached| attached.interface == "lo"));
        for name in ["no-such-if", "longer-than-a-name-may-be", ""] {
            assert_eq!(attached_to(name).unwrap_err().raw_os_error(), Some(libc::ENODEV), "{name}");
            assert_eq!(mtu(name).unwrap_err().raw_os_error(), Some(libc::ENODEV), "{name}");
        }
        assert!(!has_program(index_of("lo").unwrap(), u32::MAX).unwrap());
        assert!(!has_program(i32::MAX as u32, 1).unwrap(), "there is no such interface");
        let told = std::fs::read_to_string("/sys/class/net/lo/mtu").unwrap();
        assert_eq!(mtu("lo").unwrap().to_string(), told.trim());
    }

    /// Any system has a loopback interface, and most have no program on it.
    #[test]
    fn a_dump_ends() {
        attached().unwrap();
    }
}
