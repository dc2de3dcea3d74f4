//! System calls of Linux that no crate offers safely, in the form that receiving needs.
//!
//! `nix` has `recvmmsg`, but what a datagram without control data leaves of a header's room for it is all that later
//! datagrams get (nix-rust/nix#2813). `quinn-udp` has no receive time and does not wait. Nobody has `SO_MEMINFO`.
#![allow(unsafe_code)]

use std::io;
use std::mem::{self, size_of};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;

/// Datagrams that one call receives.
pub(crate) const SLOTS: usize = 32;
/// Bytes that a slot holds: no UDP payload is longer.
pub(crate) const SLOT_LEN: usize = 1 << 16;
/// A `sockaddr_in6`.
const NAME_LEN: usize = size_of::<libc::sockaddr_in6>();
/// Control data: a time (32 bytes), and room for what else somebody asked for on a socket that is passed to us.
const CONTROL_LEN: usize = 64;

/// Aligned as the kernel aligns control data.
#[derive(Clone, Copy)]
#[repr(align(8))]
struct Control([u8; CONTROL_LEN]);

/// Room for what one call receives. The kernel maps memory only where datagrams have been, mostly the first page of a slot.
pub(crate) struct Slots {
    data: Box<[u8]>,
    names: Box<[[u8; NAME_LEN]; SLOTS]>,
    controls: Box<[Control; SLOTS]>,
    iovecs: Box<[libc::iovec; SLOTS]>,
    headers: Box<[libc::mmsghdr; SLOTS]>,
    received: usize,
}

/// What is in a slot.
pub(crate) struct Slot<'a> {
    pub(crate) data: &'a [u8],
    /// Of the sender, as a `sockaddr`.
    pub(crate) name: &'a [u8],
    /// Control messages.
    pub(crate) control: &'a [u8],
}

impl Slots {
    pub(crate) fn new() -> Self {
        let no_iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        // SAFETY: a header is integers and pointers, for which zero is a value.
        let no_header: libc::mmsghdr = unsafe { mem::zeroed() };
        Self {
            data: vec![0; SLOTS * SLOT_LEN].into(),
            names: Box::new([[0; NAME_LEN]; SLOTS]),
            controls: Box::new([Control([0; CONTROL_LEN]); SLOTS]),
            iovecs: Box::new([no_iovec; SLOTS]),
            headers: Box::new([no_header; SLOTS]),
            received: 0,
        }
    }

    /// Receives what a socket holds, as much as there are slots for. When it holds nothing and `wait` is set, waits for
    /// the first datagram as long as the socket's read timeout says.
    pub(crate) fn receive(&mut self, socket: &impl AsFd, wait: bool) -> io::Result<()> {
        self.received = 0;
        let places = self.data.chunks_exact_mut(SLOT_LEN).zip(self.names.iter_mut()).zip(self.controls.iter_mut());
        for ((iovec, header), ((data, name), control)) in
            self.iovecs.iter_mut().zip(self.headers.iter_mut()).zip(places)
        {
            *iovec = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
            header.msg_hdr.msg_iov = iovec;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = name.as_mut_ptr().cast();
            header.msg_hdr.msg_namelen = NAME_LEN as _;
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
            header.msg_hdr.msg_controllen = CONTROL_LEN as _;
        }
        let flags = if wait { libc::MSG_WAITFORONE } else { libc::MSG_DONTWAIT };
        // SAFETY: there are SLOTS headers, and each points to memory of its own of the length that it says. All of it
        // belongs to `self`, which is borrowed exclusively until the call returns; the kernel keeps none of it.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_fd().as_raw_fd(),
                self.headers.as_mut_ptr(),
                SLOTS as _,
                flags as _,
                ptr::null_mut(),
            )
        };
        self.received = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        Ok(())
    }

    /// What the last call received.
    #[allow(clippy::unnecessary_cast, reason = "lengths are u32 with musl")]
    pub(crate) fn filled(&self) -> impl ExactSizeIterator<Item = Slot<'_>> {
        let places = self.data.chunks_exact(SLOT_LEN).zip(self.names.iter()).zip(self.controls.iter());
        self.headers.iter().zip(places).take(self.received).map(|(header, ((data, name), control))| Slot {
            data: start(data, header.msg_len as usize),
            name: start(name, header.msg_hdr.msg_namelen as usize),
            control: start(&control.0, header.msg_hdr.msg_controllen as usize),
        })
    }
}

fn start(bytes: &[u8], len: usize) -> &[u8] {
    bytes.get(..len).unwrap_or(bytes)
}

/// Datagrams that the kernel dropped at a socket since it was opened, modulo 2^32.
pub(crate) fn kernel_drops(socket: &impl AsFd) -> io::Result<u32> {
    /// Of `SO_MEMINFO`, in linux/sock_diag.h.
    const SK_MEMINFO_DROPS: usize = 8;
    let mut words = [0_u32; 9];
    let mut len = size_of_val(&words) as libc::socklen_t;
    // SAFETY: `len` is the length of `words`, and the kernel writes no more than that.
    let result = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_MEMINFO,
            words.as_mut_ptr().cast(),
            &mut len,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(words[SK_MEMINFO_DROPS]) }
}

/// The value of an option that is on.
const ON: libc::c_int = 1;

/// Asks for the time of receipt of each datagram.
pub(crate) fn ask_for_receive_time(socket: &impl AsFd) -> io::Result<()> {
    // SAFETY: an int has no pointers.
    unsafe { set(socket, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &ON) }
}

/// Has a program choose among the sockets that share an address with this one.
pub(crate) fn choose_socket(socket: &impl AsFd, program: &[libc::sock_filter]) -> io::Result<()> {
    /// In asm-generic/socket.h.
    const SO_ATTACH_REUSEPORT_CBPF: libc::c_int = 51;
    let program = libc::sock_fprog { len: program.len() as _, filter: program.as_ptr().cast_mut() };
    // SAFETY: the kernel reads `len` steps from `filter`, which is a slice of so many, and writes none.
    unsafe { set(socket, libc::SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program) }
}

/// Has what is sent cut into datagrams of so many bytes, as senders of many do.
#[cfg(test)]
pub(crate) fn segment(socket: &impl AsFd, size: u16) -> io::Result<()> {
    let size = libc::c_int::from(size);
    // SAFETY: an int has no pointers.
    unsafe { set(socket, libc::SOL_UDP, libc::UDP_SEGMENT, &size) }
}

/// Sets an option.
///
/// # Safety
///
/// Pointers in the value must be good for reading what the kernel reads by them for this option.
unsafe fn set<T>(socket: &impl AsFd, level: libc::c_int, option: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `value`, and what that points to by the caller's word; it keeps no pointer.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            level,
            option,
            ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
