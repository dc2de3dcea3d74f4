//! Where packets are sent and counted.

use std::ffi::OsStr;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::e2e::network;

/// The interface with the program, in a namespace of its own.
pub(super) const INTERFACE: &str = "n2t-counted";
/// Its other end, in another namespace.
const SENDER: &str = "n2t-sender";
/// Of a block for documentation (RFC 5737), which leads nowhere else.
pub(super) const COUNTED: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 9);
/// Length of every frame that [`Lab::send`] sends.
pub(super) const FRAME_LEN: u64 = 142;

/// How a program runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mode {
    Native,
    Generic,
}

/// Two namespaces and a file system for pins, which go when it is dropped.
pub(super) struct Lab {
    /// The namespace with the counted interface.
    pub(super) here: String,
    there: String,
    folder: PathBuf,
    /// Where maps are pinned.
    pub(super) pins: PathBuf,
}

impl Lab {
    /// # Errors
    ///
    /// As [`named`](Self::named).
    pub(super) fn new(folder: &Path) -> anyhow::Result<Self> {
        Self::named(folder, "xdp")
    }

    /// One beside others. Its files are in `folder`, in a directory of this name.
    ///
    /// # Errors
    ///
    /// No root, or no `ip`.
    pub(super) fn named(folder: &Path, name: &str) -> anyhow::Result<Self> {
        let [here, there] = ["here", "there"].map(|side| format!("n2t-{name}-{side}"));
        let folder = folder.join(name);
        let lab = Self { here, there, pins: folder.join("pins"), folder };
        let (here, there) = (&lab.here, &lab.there);
        // Left by a run that was killed.
        lab.remove();
        fs::create_dir_all(&lab.pins)?;
        let pins = lab.pins.to_str().context("UTF-8")?;
        run(&format!("mount -t bpf bpf {pins}"))?;
        for namespace in [here, there] {
            run(&format!("ip netns add {namespace}"))?;
            // Nothing but what is sent here is to pass.
            let quiet = "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6";
            output(Command::new("ip").args(["netns", "exec", namespace, "sh", "-c", quiet]))?;
        }
        run(&format!("ip -n {here} link add {INTERFACE} type veth peer name {SENDER} netns {there}"))?;
        // Both know where the other is, so that no ARP is counted.
        for (side, interface, last, other) in [(here, INTERFACE, "09", "10"), (there, SENDER, "10", "09")] {
            let address = last.trim_start_matches('0');
            run(&format!("ip -n {side} link set lo up"))?;
            run(&format!("ip -n {side} address add 198.51.100.{address}/30 dev {interface}"))?;
            run(&format!("ip -n {side} link set {interface} address 02:00:00:00:00:{last} up"))?;
            let address = other.trim_start_matches('0');
            let neighbour = format!("198.51.100.{address} lladdr 02:00:00:00:00:{other}");
            run(&format!("ip -n {side} neighbour add {neighbour} dev {interface} nud permanent"))?;
        }
        Ok(lab)
    }

    /// Gives the counted interface another MTU, and its other end.
    pub(super) fn set_mtu(&self, mtu: u32) -> anyhow::Result<()> {
        for (side, interface) in [(&self.here, INTERFACE), (&self.there, SENDER)] {
            run(&format!("ip -n {side} link set dev {interface} mtu {mtu}"))?;
        }
        Ok(())
    }

    /// Does something where the counted interface is.
    pub(super) fn inside<T: Send>(&self, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        within(&self.here, work)
    }

    /// Does something where packets come from.
    pub(super) fn there<T: Send>(&self, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
        within(&self.there, work)
    }

    /// A program that runs where the counted interface is, once it has its arguments.
    pub(super) fn command_inside(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.here]).arg(program);
        command
    }

    /// Packets and bytes that left the sender's interface, as the kernel counts them; on such an interface from the IP
    /// header on.
    pub(super) fn sent_by_interface(&self) -> anyhow::Result<[u64; 2]> {
        Ok([self.of_sender("packets")?, self.of_sender("bytes")?])
    }

    /// Frames that the sender's interface could not give to the other, whose queue is short: that of a receiver without its
    /// processor is full after 256.
    pub(super) fn dropped(&self) -> anyhow::Result<u64> {
        self.of_sender("dropped")
    }

    /// What the kernel counts where the sender's interface sends.
    fn of_sender(&self, counter: &str) -> anyhow::Result<u64> {
        let arguments = ["-n", &self.there, "-json", "-statistics", "link", "show", "dev", SENDER];
        let text: serde_json::Value = serde_json::from_slice(&output(Command::new("ip").args(arguments))?)?;
        text[0]["stats64"]["tx"][counter].as_u64().with_context(|| format!("no {counter} in {text}"))
    }

    /// Runs a script where the counted interface is, with mounts of its own.
    pub(super) fn shell_inside(&self, script: &str) -> anyhow::Result<()> {
        output(Command::new("ip").args(["netns", "exec", &self.here, "sh", "-c", script])).map(drop)
    }

    /// Sends frames of [`FRAME_LEN`] with UDP to the counted interface.
    pub(super) fn send(&self, frames: u64) -> anyhow::Result<()> {
        let mut missing = frames;
        while missing > 0 {
            let dropped = self.dropped()?;
            self.there(|| {
                let send = sender()?;
                (0..missing).try_for_each(|_| send())
            })?;
            missing = self.dropped()? - dropped;
        }
        Ok(())
    }

    /// Where objects are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts the program of an object on the counted interface.
    pub(super) fn load(&self, object: &Path, mode: Mode) -> anyhow::Result<()> {
        let kind = match mode {
            Mode::Native => "xdpdrv",
            Mode::Generic => "xdpgeneric",
        };
        let (here, object) = (&self.here, object.display());
        run(&format!("ip -n {here} link set dev {INTERFACE} {kind} obj {object} sec xdp"))
    }

    /// Takes whatever program there is from the counted interface.
    pub(super) fn unload(&self) -> anyhow::Result<()> {
        for kind in ["xdpdrv", "xdpgeneric"] {
            run(&format!("ip -n {} link set dev {INTERFACE} {kind} off", self.here))?;
        }
        Ok(())
    }

    /// Pins a map.
    pub(super) fn pin(&self, map: u32, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.pins.join(name);
        run(&format!("bpftool map pin id {map} {}", path.display()))?;
        Ok(path)
    }

    fn remove(&self) {
        for namespace in [&self.here, &self.there] {
            let _ = Command::new("ip").args(["netns", "delete", namespace]).output();
        }
        let _ = Command::new("umount").arg(&self.pins).output();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Where packets come from: sends a frame of [`FRAME_LEN`] each time.
pub(super) fn sender() -> anyhow::Result<impl Fn() -> anyhow::Result<()>> {
    let socket = UdpSocket::bind("198.51.100.10:0")?;
    // Behind headers of Ethernet (14), IPv4 (20) and UDP (8).
    let payload = [0; FRAME_LEN as usize - 42];
    Ok(move || Ok(socket.send_to(&payload, COUNTED).map(drop)?))
}

/// Compiles a program in C, by its path in the workspace.
pub(in crate::e2e) fn compile(source: &str, object: &Path, defines: &[String]) -> anyhow::Result<()> {
    // Debian keeps the headers of the machine's own kind apart.
    let own = format!("/usr/include/{}-linux-gnu", std::env::consts::ARCH);
    let mut clang = Command::new("clang");
    clang.args(["-O2", "-g", "-Wall", "-Werror", "-target", "bpf", "-I", &own]).args(defines);
    clang.arg("-c").arg(crate::workspace_root().join(source)).arg("-o").arg(object);
    output(&mut clang).context("install clang and libbpf's headers (clang, libbpf-dev)").map(drop)
}

fn within<T: Send>(namespace: &str, work: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    network::within(&Path::new("/run/netns").join(namespace), work)
}

/// Runs a command of words without spaces in them.
pub(super) fn run(command: &str) -> anyhow::Result<()> {
    let mut words = command.split(' ');
    output(Command::new(words.next().unwrap_or_default()).args(words)).map(drop)
}

pub(super) fn output(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("run {program}; is it installed?"))?;
    let message = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}", message.trim());
    Ok(output.stdout)
}
