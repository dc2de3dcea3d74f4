//! `xdp attach` and `xdp detach`: our own XDP program on an interface.

use std::error::Error as _;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::num::NonZeroU32;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use tokio::time::{self, MissedTickBehavior};
use tracing::{debug, info, warn};
use xdp_counters::program::{
    AttachMode, AttachOptions, Attachment, DEFAULT_FLOWS, Left, PROGRAM_NAME, PROTOCOL_MAP, STATS_MAP, attach,
    detach_interface, detach_pinned,
};

use crate::collect::{Watchdog, runtime};
use crate::error::UsageError;
use crate::service::Service;
use crate::signals::Stop;

/// Where groups and their numbers are.
const GROUPS: &str = "/etc/group";
/// Time between two looks whether the program is still there.
const LOOK_INTERVAL: Duration = Duration::from_secs(2);

/// Arguments of `xdp attach`.
#[derive(Args)]
pub(crate) struct AttachArgs {
    /// Interface whose packets are counted
    #[arg(long, value_name = "INTERFACE")]
    iface: String,

    /// Where the program runs: in the driver, `drv`, in the stack, `skb`, which is slower, or where it can, `auto`
    #[arg(long, value_name = "MODE", default_value = "auto", hide_possible_values = true)]
    mode: ModeArg,

    /// Directory on a BPF file system to pin the maps and the program to; the program stays until `xdp detach` then. Without it
    /// this goes on until SIGTERM or SIGINT and takes the program away
    #[arg(long, value_name = "DIRECTORY")]
    pin: Option<PathBuf>,

    /// Group, by name or number, that may read what is pinned, with no capability, and take flows out
    #[arg(long, value_name = "GROUP", requires = "pin")]
    pin_group: Option<String>,

    /// Keep flows too, at most so many, 65536 when no number is given
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = DEFAULT_COUNT)]
    flows: Option<NonZeroU32>,
}

/// [`DEFAULT_FLOWS`], as clap takes it.
const DEFAULT_COUNT: &str = "65536";
const _: () = assert!(DEFAULT_FLOWS.get() == 65_536, "the default is written twice");

/// Arguments of `xdp detach`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct DetachArgs {
    /// Interface to take our program from; its pins are looked for in all BPF file systems
    #[arg(long, value_name = "INTERFACE")]
    iface: Option<String>,

    /// Directory that the program is pinned to
    #[arg(long, value_name = "DIRECTORY")]
    pin: Option<PathBuf>,
}

/// As `--mode` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ModeArg {
    Auto,
    Drv,
    Skb,
}

impl From<ModeArg> for AttachMode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Auto => Self::Auto,
            ModeArg::Drv => Self::Drv,
            ModeArg::Skb => Self::Skb,
        }
    }
}

/// Puts our program on an interface. Without pins it stays until a signal comes.
///
/// # Errors
///
/// No such group, and what [`attach`] has; the interface is as it was then. Without pins, a program that somebody took away.
pub(super) fn run(args: &AttachArgs) -> anyhow::Result<()> {
    let groups = || fs::read_to_string(GROUPS).unwrap_or_default();
    let pin_group = args.pin_group.as_deref().map(|group| group_id(group, &groups())).transpose()?;
    let options = AttachOptions { pin: args.pin.clone(), pin_group, flows: args.flows };
    let attach = || attach(&args.iface, args.mode.into(), &options);
    let Some(directory) = &args.pin else { return until_stopped(&args.iface, attach) };
    let attachment = attach()?;
    warn_if_slow(&args.iface, &attachment);
    if let Some(closed) = pin_group.and_then(|group| closed_to(group, directory)) {
        warn!(directory = %closed.display(), "the group cannot enter this directory: bind the pins to another one for it");
    }
    print(&made(&args.iface, &attachment, Some(directory)))
}

fn until_stopped<E>(interface: &str, attach: impl FnOnce() -> Result<Attachment, E>) -> anyhow::Result<()>
where
    anyhow::Error: From<E>,
{
    let runtime = runtime()?;
    // Before the program is there, so that no signal leaves it behind.
    let mut stop = Stop::listen(runtime.handle())?;
    let service = Service::from_env();
    let attachment = attach()?;
    warn_if_slow(interface, &attachment);
    print(&made(interface, &attachment, None))?;
    info!(interface, program = attachment.program_id(), "counting until SIGTERM or SIGINT");
    let status = format!("program {} on {interface}", attachment.program_id());
    service.ready(&status);
    let mut watchdog = Watchdog::new(&service, runtime.handle());
    let ended = runtime.block_on(async {
        let mut taken_away = pin!(taken_away(|| attachment.is_attached()));
        loop {
            tokio::select! {
                () = stop.requested() => return Ok(()),
                () = &mut taken_away => return Err(anyhow!("the program is no longer on {interface}")),
                () = watchdog.due() => service.alive(&status),
            }
        }
    });
    service.stopping();
    let left = attachment.detach();
    if ended.is_ok() {
        info!(interface, "the program is gone");
    }
    if let Some(Left { flows, packets }) = left.filter(|left| left.flows > 0) {
        warn!(interface, packets, flows, "flows that nobody took out are lost");
    }
    ended
}

/// Completes when the program is not there. What the kernel does not tell proves nothing.
async fn taken_away(mut is_attached: impl FnMut() -> io::Result<bool>) {
    let mut looks = time::interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        looks.tick().await;
        match is_attached() {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => debug!(%error, "cannot tell whether the program is still there"),
        }
    }
}

/// That the driver did not take it is no error where the mode is `auto`.
fn warn_if_slow(interface: &str, attachment: &Attachment) {
    let Some(refused) = attachment.refused() else { return };
    let source = refused.source().map(tracing::field::display);
    warn!(interface, %refused, reason = source, "the program runs in the stack, which is slower");
}

/// Takes our program away.
///
/// # Errors
///
/// There is none that is pinned, or no right to.
pub(super) fn detach(args: &DetachArgs) -> anyhow::Result<()> {
    if let Some(directory) = &args.pin {
        let left = detach_pinned(directory)?;
        return print(&gone(&format!("took away what was pinned to {}", directory.display()), left));
    }
    let interface = args.iface.as_deref().unwrap_or_default();
    let left = detach_interface(interface)?;
    print(&gone(&format!("took the program from {interface}"), left))
}

/// What was done, and what is lost with it.
fn gone(done: &str, left: Option<Left>) -> String {
    match left {
        Some(Left { flows, packets }) if flows > 0 => {
            format!("{done}\n  lost:   {packets} packets in {flows} flows that nobody took out\n")
        }
        _ => format!("{done}\n"),
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// What there is now, and what to do with it.
fn made(interface: &str, attachment: &Attachment, directory: Option<&Path>) -> String {
    let mut text = format!(
        "program {} ({PROGRAM_NAME}) counts packets of {interface} in mode {}\n",
        attachment.program_id(),
        attachment.mode()
    );
    // Writing to a String does not fail.
    for pin in attachment.pins() {
        let _ = writeln!(text, "  pinned: {}", pin.display());
    }
    let mut next = |what: &str, arguments: &str| {
        let _ = writeln!(text, "  {what:<8}netflow2traces xdp {arguments}");
    };
    match directory {
        Some(directory) => {
            let map = |name: &str| directory.join(name).display().to_string();
            next("read:", &format!("read --pin {}", map(PROTOCOL_MAP)));
            next("export:", &format!("--pin {}", map(STATS_MAP)));
            next("", &format!("--pin {}    # and by protocol", map(PROTOCOL_MAP)));
            next("end:", &format!("detach --pin {}", directory.display()));
        }
        None => {
            next("read:", &format!("read --iface {interface}"));
            next("export:", &format!("--iface {interface}"));
        }
    }
    text
}

/// The number of a group, of those that `groups` has as `/etc/group` does.
fn group_id(group: &str, groups: &str) -> Result<u32, UsageError> {
    let unknown = || {
        let elsewhere = "one that is kept elsewhere is named by its number (`getent group`)";
        UsageError::new(format!("--pin-group: there is no group {group:?} in {GROUPS}; {elsewhere}"))
    };
    // The highest stands for no change.
    let number = |text: &str| text.parse().ok().filter(|id| *id != u32::MAX);
    if group.bytes().all(|byte| byte.is_ascii_digit()) {
        return number(group).ok_or_else(unknown);
    }
    let id_of =
        |line: &str| line.split(':').next().filter(|name| *name == group).and(line.split(':').nth(2)).and_then(number);
    groups.lines().find_map(id_of).ok_or_else(unknown)
}

/// The first directory on the way that a group cannot enter.
fn closed_to(group: u32, directory: &Path) -> Option<PathBuf> {
    const GROUP_ENTERS: u32 = 0o010;
    const OTHERS_ENTER: u32 = 0o001;
    let directory = directory.canonicalize().ok()?;
    let mut ancestors: Vec<_> = directory.ancestors().collect();
    ancestors.reverse();
    let is_closed = |path: &&Path| {
        path.metadata().is_ok_and(|facts| {
            let needed = if facts.gid() == group { GROUP_ENTERS } else { OTHERS_ENTER };
            facts.mode() & needed == 0
        })
    };
    ancestors.into_iter().find(is_closed).map(Path::to_owned)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Attach {
        #[command(flatten)]
        args: AttachArgs,
    }

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Detach {
        #[command(flatten)]
        args: DetachArgs,
    }

    #[test]
    fn flows_are_kept_when_asked_for() {
        let flows = |more: &[&str]| {
            let args = Attach::parse_from([&["--iface", "eth0"], more].concat()).args;
            args.flows.map(NonZeroU32::get)
        };
        assert_eq!(flows(&[]), None);
        assert_eq!(flows(&["--flows"]), Some(65_536));
        assert_eq!(flows(&["--flows", "--mode", "skb"]), Some(65_536));
        assert_eq!(flows(&["--flows", "1000"]), Some(1000));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for arguments in [
            &[][..],
            &["--mode", "drv"],
            &["--iface", "eth0", "--mode", "hw"],
            &["--iface", "eth0", "--flows", "0"],
            &["--iface", "eth0", "--pin-group", "adm"],
        ] {
            assert!(Attach::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
        for arguments in [&[][..], &["--iface", "eth0", "--pin", "/p"]] {
            assert!(Detach::try_parse_from(arguments).is_err(), "{arguments:?}");
        }
    }

    #[test]
    fn flows_that_are_lost_are_told() {
        let done = |left| gone("took the program from eth0", left);
        let lost = Some(Left { flows: 2, packets: 17 });
        assert_eq!(done(lost), "took the program from eth0\n  lost:   17 packets in 2 flows that nobody took out\n");
        for nothing in [None, Some(Left::default())] {
            assert_eq!(done(nothing), "took the program from eth0\n");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_is_gone_when_the_kernel_says_so() {
        let mut told = [Ok(true), Err(io::Error::from_raw_os_error(105)), Ok(true), Ok(false)].into_iter();
        let start = time::Instant::now();
        taken_away(|| told.next().unwrap()).await;
        assert!(told.next().is_none());
        assert_eq!(start.elapsed(), LOOK_INTERVAL * 3);
    }

    #[test]
    fn groups_have_names_or_numbers() {
        let groups = "root:x:0:\nadm:x:4:syslog,me\nbroken\nnone::\nhuge:x:4294967295:\n";
        for (group, id) in [("root", 0), ("adm", 4), ("4", 4), ("995", 995), ("0", 0)] {
            assert_eq!(group_id(group, groups).unwrap(), id, "{group}");
        }
        for group in ["", "ad", "adm:x", "broken", "none", "huge", "-1", "4294967295", "4294967296", "syslog"] {
            let error = group_id(group, groups).unwrap_err().to_string();
            assert!(error.starts_with(&format!("--pin-group: there is no group {group:?} in /etc/group")), "{error}");
        }
    }

    #[test]
    fn a_directory_above_that_is_closed_is_found() {
        let root = tempfile::tempdir().unwrap();
        let closed = root.path().canonicalize().unwrap().join("closed");
        let pins = closed.join("pins");
        fs::create_dir_all(&pins).unwrap();
        let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        set(root.path(), 0o755);
        let own = closed.metadata().unwrap().gid();
        let other = own + 1;
        for (mode, of_own, of_other) in
            [(0o755, false, false), (0o750, false, true), (0o701, true, false), (0o700, true, true)]
        {
            set(&closed, mode);
            for (group, is_closed) in [(own, of_own), (other, of_other)] {
                let expected = is_closed.then(|| closed.clone());
                assert_eq!(closed_to(group, &pins), expected, "{mode:o} for {group}, who owns as {own}");
            }
        }
    }
}
