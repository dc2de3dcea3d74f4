//! Puts our program on an interface, and takes it away again.

use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::num::NonZeroU32;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use aya::Ebpf;
use aya::maps::Map;
use aya::programs::links::FdLink;
use aya::programs::xdp::XdpLink;
use aya::programs::{ProgramError, Xdp, XdpMode};
use aya::util::KernelVersion;
use rustix::thread::{CapabilitySet, capabilities};

use super::drain::{Left, left};
use super::holder::{Holder, holder, wait_until_gone};
use super::pins::{LINK, Pins};
use super::{PROGRAM_NAME, object};
use crate::interface;

/// Where the kernel shows interfaces of this network namespace.
const INTERFACES: &str = "/sys/class/net";
/// Has links of XDP, which can be pinned.
const LINKS: KernelVersion = KernelVersion::new(5, 9, 0);
/// Not allowed, as different parts of the kernel say it.
const NOT_ALLOWED: [i32; 2] = [libc::EPERM, libc::EACCES];
/// The MTU is too large for packets of one buffer, as drivers say it: veth with the first, most with the others, which say
/// that there is no native XDP as well.
const TOO_LARGE: [i32; 3] = [libc::ERANGE, libc::EINVAL, libc::EOPNOTSUPP];
/// Packets of an MTU up to this one fit into one buffer of any driver.
const SMALL_MTU: u32 = 1_500;
/// A driver that leaves nothing of a packet in its first buffer, where it gives several to programs: headers would not be seen.
const EMPTY_FIRST_BUFFER: &str = "mlx5_core";
/// Another program is there, by rtnetlink or by a link.
const TAKEN: [i32; 2] = [libc::EBUSY, libc::EEXIST];

/// Where in the receive path the program is to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttachMode {
    /// In the driver and, where the driver cannot, in the stack.
    #[default]
    Auto,
    /// In the driver, before the system has made anything of the packet (native XDP).
    Drv,
    /// In the stack, for any driver, slower (generic XDP).
    Skb,
}

impl fmt::Display for AttachMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Drv => "drv",
            Self::Skb => "skb",
        })
    }
}

/// What [`attach`] does beside counting.
#[derive(Clone, Debug, Default)]
pub struct AttachOptions {
    /// A directory on a BPF file system for the maps and the link, which must not be there yet: with it the program stays
    /// when this process ends.
    pub pin: Option<PathBuf>,
    /// The group, by its number, that may read the pinned maps and take flows out, with no capability. It may enter the
    /// directories that are made for the pins, and nothing else; the link stays with its owner.
    pub pin_group: Option<u32>,
    /// Keeps flows, at most so many.
    pub flows: Option<NonZeroU32>,
}

/// Our program on an interface. Without pins it goes when this is dropped.
#[derive(Debug)]
pub struct Attachment {
    /// Takes the program away when it is dropped; `None` when it is pinned.
    link: Option<XdpLink>,
    ebpf: Ebpf,
    mode: AttachMode,
    refused: Option<AttachError>,
    program_id: u32,
    /// The interface's number.
    index: u32,
    pins: Vec<PathBuf>,
}

impl Attachment {
    /// Where it runs: `Drv` or `Skb`.
    pub const fn mode(&self) -> AttachMode {
        self.mode
    }

    /// Why the driver did not take it, where [`AttachMode::Auto`] went on without.
    pub const fn refused(&self) -> Option<&AttachError> {
        self.refused.as_ref()
    }

    /// The program's number.
    pub const fn program_id(&self) -> u32 {
        self.program_id
    }

    /// Whether the interface still has it: somebody may take the program or the interface away, or give the interface to
    /// another network namespace.
    ///
    /// # Errors
    ///
    /// When the kernel does not tell.
    pub fn is_attached(&self) -> io::Result<bool> {
        interface::has_program(self.index, self.program_id)
    }

    /// The files that its maps and its link are pinned to, if they are.
    pub fn pins(&self) -> &[PathBuf] {
        &self.pins
    }

    /// One of its maps.
    pub fn map(&self, name: &str) -> Option<BorrowedFd<'_>> {
        match self.ebpf.map(name)? {
            Map::PerCpuArray(map) | Map::Array(map) | Map::LruHashMap(map) => Some(map.fd().as_fd()),
            _ => None,
        }
    }

    /// Takes the program away, as dropping it does, and tells which flows go with it that nobody took out; `None` where it
    /// keeps none, where they cannot be read, and where it is pinned and stays.
    pub fn detach(mut self) -> Option<Left> {
        self.take_away().then(|| left(|name| self.map(name))).flatten()
    }

    fn take_away(&mut self) -> bool {
        let link = self.link.take();
        let is_held = link.is_some();
        drop(link);
        if is_held {
            wait_until_gone(self.program_id);
        }
        is_held
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.take_away();
    }
}

/// Why our program is not on an interface.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// Rights are missing.
    #[error(
        "no permission to {doing}: that takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON{}",
        if missing.is_empty() { ", of the system itself".to_owned() } else { format!("; missing: {}", missing.join(", ")) }
    )]
    Permission {
        /// What was not allowed.
        doing: &'static str,
        /// Those of the three capabilities that this thread has not; none where it has them in a user namespace alone.
        missing: Vec<&'static str>,
        /// What the kernel says.
        source: io::Error,
    },
    /// There is no such interface.
    #[error("there is no interface {interface:?}")]
    NoInterface {
        /// Its name.
        interface: String,
    },
    /// Another program is there.
    #[error("{interface} has {} already", .holder.as_ref().map_or("an XDP program".to_owned(), ToString::to_string))]
    Busy {
        /// The interface.
        interface: String,
        /// The program there.
        holder: Option<Holder>,
    },
    /// Neither the driver nor the stack takes the program, or not the one that was asked for.
    #[error("{interface} takes no XDP program in mode {mode}")]
    Mode {
        /// The interface.
        interface: String,
        /// The mode, the last one that was tried.
        mode: AttachMode,
        /// What the kernel says.
        source: io::Error,
    },
    /// The driver takes no program, as packets of this length do not fit into one buffer or as it never takes any: some
    /// drivers do not tell. The program that knows several buffers was tried too, except where `Auto` does better without.
    #[error(
        "{interface} takes no XDP program in mode {} with an MTU of {mtu}: a lower one may help (of a veth, at both ends), \
         and mode {} does",
        AttachMode::Drv,
        AttachMode::Skb
    )]
    Mtu {
        /// The interface.
        interface: String,
        /// Its MTU, in bytes.
        mtu: u32,
        /// What the kernel says of the program for one buffer.
        source: io::Error,
    },
    /// The kernel refuses the program or its maps.
    #[error("cannot {doing}")]
    Kernel {
        /// What was refused.
        doing: &'static str,
        /// What aya says; with the verifier's log, where there is one.
        source: Box<dyn Error + Send + Sync>,
    },
    /// Pins go only there.
    #[error("{} is on no BPF file system; `mount -t bpf bpf /sys/fs/bpf` makes one", .directory.display())]
    NotBpf {
        /// Where pins were to be.
        directory: PathBuf,
    },
    /// Something is pinned there.
    #[error("{} is there already; detach what is pinned there, or pin to another directory", .path.display())]
    Pinned {
        /// What is there.
        path: PathBuf,
    },
    /// Pins cannot be made.
    #[error("cannot pin to {}", .path.display())]
    Pin {
        /// Where.
        path: PathBuf,
        /// What the kernel says.
        source: io::Error,
    },
    /// Pins cannot be given to a group.
    #[error("cannot give {} to group {group}, which takes CAP_CHOWN or to be one of it", .path.display())]
    Group {
        /// Which pin.
        path: PathBuf,
        /// The group's number.
        group: u32,
        /// What the kernel says.
        source: io::Error,
    },
}

/// Loads our program and puts it on an interface.
///
/// # Errors
///
/// See [`AttachError`]. Nothing stays behind then, neither the program nor pins.
pub fn attach(interface: &str, mode: AttachMode, options: &AttachOptions) -> Result<Attachment, AttachError> {
    let is_missing = |error: io::Error| error.raw_os_error() == Some(libc::ENODEV);
    if interface.contains('\0') || holder(interface).is_err_and(is_missing) {
        return Err(AttachError::NoInterface { interface: interface.to_owned() });
    }
    // aya falls back to rtnetlink, which has nothing to pin.
    if options.pin.is_some() && KernelVersion::current().is_ok_and(|version| version < LINKS) {
        let source = "links of XDP, which can be pinned, came with Linux 5.9".into();
        return Err(AttachError::Kernel { doing: "pin the program", source });
    }
    let make = |directory: &Path| Pins::new(directory, options.pin_group);
    let pins = options.pin.as_deref().map(make).transpose()?;
    let mut attachment = put(interface, mode, options.flows)?;
    let Some(mut pins) = pins else { return Ok(attachment) };
    for (name, map) in attachment.ebpf.maps() {
        pins.add(name, |path| map.pin(path))?;
    }
    if let Some(link) = attachment.link.take() {
        let link = FdLink::try_from(link).map_err(|error| refused("make a link", error))?;
        pins.add(LINK, |path| link.pin(path).map(drop))?;
    }
    attachment.pins = pins.keep();
    Ok(attachment)
}

/// Gives a program to the interface, in the first mode that it takes.
fn put(interface: &str, mode: AttachMode, flows: Option<NonZeroU32>) -> Result<Attachment, AttachError> {
    if mode == AttachMode::Skb {
        return put_in(interface, mode, flows, false);
    }
    // Who asks for the driver gets it; otherwise the right counts come before the fastest.
    let try_frags = mode == AttachMode::Drv || !is_of_driver(Path::new(INTERFACES), interface, EMPTY_FIRST_BUFFER);
    match put_in_driver(interface, flows, try_frags) {
        Err(refused @ (AttachError::Mode { .. } | AttachError::Mtu { .. })) if mode == AttachMode::Auto => {
            let mut attachment = put_in(interface, AttachMode::Skb, flows, false)?;
            attachment.refused = Some(refused);
            Ok(attachment)
        }
        put => put,
    }
}

/// The program for packets of one buffer, or else that for several.
fn put_in_driver(interface: &str, flows: Option<NonZeroU32>, try_frags: bool) -> Result<Attachment, AttachError> {
    let source = match put_in(interface, AttachMode::Drv, flows, false) {
        Err(AttachError::Mode { source, .. }) if is_one_of(&source, &TOO_LARGE) => source,
        put => return put,
    };
    if !try_frags {
        return Err(not_in_driver(interface, source));
    }
    match put_in(interface, AttachMode::Drv, flows, true) {
        // The driver refuses it, or the kernel, before 5.18.
        Err(AttachError::Mode { .. } | AttachError::Kernel { .. }) => Err(not_in_driver(interface, source)),
        put => put,
    }
}

/// Loads a program and gives it to the interface. Nothing stays behind when that fails.
fn put_in(
    interface: &str,
    mode: AttachMode,
    flows: Option<NonZeroU32>,
    with_frags: bool,
) -> Result<Attachment, AttachError> {
    let mut ebpf = Ebpf::load(&object(flows, with_frags)).map_err(|error| refused("make BPF maps", error))?;
    let program: &mut Xdp = ebpf
        .program_mut(PROGRAM_NAME)
        .and_then(|program| program.try_into().ok())
        .expect("our object has an XDP program of this name");
    program.load().map_err(|error| refused("load an XDP program", error))?;
    let program_id = program.info().map_err(|error| refused("ask for the program", error))?.id();
    let index = interface::index_of(interface).map_err(|error| no_index(interface, error))?;
    let flag = if mode == AttachMode::Skb { XdpMode::Skb } else { XdpMode::Driver };
    let link = program.attach_to_if_index(index, flag).and_then(|link| program.take_link(link));
    let link = Some(link.map_err(|error| not_put(interface, mode, error))?);
    Ok(Attachment { link, ebpf, mode, refused: None, program_id, index, pins: Vec::new() })
}

fn not_in_driver(interface: &str, source: io::Error) -> AttachError {
    let (mtu, interface) = (interface::mtu(interface), interface.to_owned());
    match mtu {
        Ok(mtu) if mtu > SMALL_MTU || is_one_of(&source, &[libc::ERANGE]) => {
            AttachError::Mtu { interface, mtu, source }
        }
        _ => AttachError::Mode { interface, mode: AttachMode::Drv, source },
    }
}

/// Whether an interface, by its directory in `interfaces`, has this driver.
fn is_of_driver(interfaces: &Path, interface: &str, driver: &str) -> bool {
    let link = interfaces.join(interface).join("device/driver");
    fs::read_link(link).is_ok_and(|target| target.file_name() == Some(driver.as_ref()))
}

fn is_one_of(error: &io::Error, numbers: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}

fn no_index(interface: &str, error: io::Error) -> AttachError {
    match error.raw_os_error() {
        Some(libc::ENODEV) => AttachError::NoInterface { interface: interface.to_owned() },
        _ => refused("ask for the interface", error),
    }
}

fn not_put(interface: &str, mode: AttachMode, error: ProgramError) -> AttachError {
    let owned = || interface.to_owned();
    match os_error(&error) {
        Some(number) if TAKEN.contains(&number) => {
            AttachError::Busy { interface: owned(), holder: holder(interface).ok().flatten() }
        }
        Some(number) if NOT_ALLOWED.contains(&number) => refused("put a program on an interface", error),
        Some(libc::ENODEV) => AttachError::NoInterface { interface: owned() },
        Some(number) => AttachError::Mode { interface: owned(), mode, source: io::Error::from_raw_os_error(number) },
        None => refused("put a program on an interface", error),
    }
}

fn refused(doing: &'static str, error: impl Error + Send + Sync + 'static) -> AttachError {
    match os_error(&error) {
        Some(number) if NOT_ALLOWED.contains(&number) => {
            AttachError::Permission { doing, missing: missing(), source: io::Error::from_raw_os_error(number) }
        }
        _ => AttachError::Kernel { doing, source: Box::new(error) },
    }
}

/// The capabilities that [`attach`] takes and this thread has not.
fn missing() -> Vec<&'static str> {
    let has = capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective);
    let wanted = [
        (CapabilitySet::BPF | CapabilitySet::SYS_ADMIN, "CAP_BPF"),
        (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
        // What the kernel had before these two serves for them.
        (CapabilitySet::PERFMON | CapabilitySet::SYS_ADMIN, "CAP_PERFMON"),
    ];
    wanted.into_iter().filter(|(any, _)| !has.intersects(*any)).map(|(_, name)| name).collect()
}

/// What the kernel said, wherever it is in the chain of causes.
pub(super) fn os_error(error: &(dyn Error + 'static)) -> Option<i32> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if number.is_some() {
            return number;
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_of_an_interface_is_known() {
        let interfaces = std::env::temp_dir().join(format!("xdp-counters-driver-{}", std::process::id()));
        let device = interfaces.join("eth0/device");
        fs::create_dir_all(&device).unwrap();
        std::os::unix::fs::symlink("../../bus/pci/drivers/mlx5_core", device.join("driver")).unwrap();
        let is_of = |interface, driver| is_of_driver(&interfaces, interface, driver);
        let found = [is_of("eth0", EMPTY_FIRST_BUFFER), is_of("eth0", "ice"), is_of("veth0", EMPTY_FIRST_BUFFER)];
        fs::remove_dir_all(&interfaces).unwrap();
        assert_eq!(found, [true, false, false]);
    }
}
