//! Our program on an interface: by loaders of others, and by our own.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow, ensure};
use aya::maps::{HashMap, Map, MapData, PerCpuArray};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use xdp_counters::program::{
    self, AttachError, AttachMode, AttachOptions, DetachError, FLOW_MAPS, Flow, Left, PROTOCOL_MAP, Protocol, attach,
    detach_interface, detach_pinned,
};

use super::Candidate;
use crate::e2e::xdp::lab::{FRAME_LEN, INTERFACE, Lab, run};

const PACKETS: u64 = 100;
/// Bytes of a frame before the IP header.
pub(super) const ETHERNET_LEN: u64 = 14;

/// iproute2 and bpftool, both by libbpf, load an object and put it on an interface, where it counts.
pub(super) fn loaders(lab: &Lab, candidates: &[Candidate]) -> anyhow::Result<String> {
    let here = &lab.here;
    let pin = lab.pins.join("program");
    let maps = lab.pins.join("maps");
    for candidate in candidates {
        let (object, section) = (candidate.object.display(), candidate.section());
        run(&format!("ip -n {here} link set dev {INTERFACE} xdp obj {object} sec {section}"))
            .context("install iproute2")?;
        let shown = Command::new("ip").args(["-n", here, "link", "show", "dev", INTERFACE]).output()?.stdout;
        let shown = String::from_utf8(shown)?;
        ensure!(shown.contains(program::PROGRAM_NAME), "{object} by ip: {shown}");
        run(&format!("ip -n {here} link set dev {INTERFACE} xdp off"))?;

        let (pin, maps) = (pin.display(), maps.display());
        run(&format!("bpftool prog load {object} {pin} type xdp pinmaps {maps}")).context("install bpftool")?;
        lab.shell_inside(&format!("bpftool net attach xdpdrv pinned {pin} dev {INTERFACE}"))?;
        lab.send(PACKETS)?;
        let counted = of_protocol(&lab.pins.join("maps"), Protocol::Udp)?;
        ensure!(counted == [PACKETS, PACKETS * FRAME_LEN], "{object} by bpftool counts {counted:?}");
        lab.shell_inside(&format!("bpftool net detach xdpdrv dev {INTERFACE}"))?;
        run(&format!("rm -r {pin} {maps}"))?;
    }
    Ok(format!("ip and bpftool load {0} of {0} objects", candidates.len()))
}

/// Attaches and detaches, in every mode, with what can be in the way.
pub(super) fn attach_and_detach(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let pin = lab.pins.join("deep/own");
    let flows = NonZeroU32::new(1_000);
    let pinned = AttachOptions { pin: Some(pin.clone()), flows, ..AttachOptions::default() };
    for mode in [AttachMode::Auto, AttachMode::Skb] {
        let attachment = lab.inside(|| Ok(attach(INTERFACE, mode, &pinned)?))?;
        let expected = if mode == AttachMode::Auto { AttachMode::Drv } else { mode };
        ensure!(attachment.mode() == expected, "{mode:?} runs as {:?}", attachment.mode());
        let id = attachment.program_id();
        // It outlives its process, and what it counts is read by its pins.
        drop(attachment);
        lab.send(PACKETS)?;
        exact(&pin).with_context(|| format!("{mode:?}"))?;

        busy(lab, id, &pin)?;
        if mode == AttachMode::Auto {
            let left = lab.inside(|| Ok(detach_interface(INTERFACE)?))?;
            ensure!(left == Some(Left { flows: 1, packets: PACKETS }), "nobody took flows out, and {left:?} are left");
        } else {
            detach_pinned(&pin)?;
        }
        ensure!(!pin.exists(), "{} is still there", pin.display());
    }
    lab.inside(|| {
        let error = detach_interface(INTERFACE).err().context("nothing was there")?;
        ensure!(matches!(error, DetachError::NoProgram { .. }), "{error}");
        // Without pins it goes with what holds it.
        let attachment = attach(INTERFACE, AttachMode::Drv, &AttachOptions::default())?;
        let error = detach_interface(INTERFACE).err().context("a program that is not pinned was taken away")?;
        ensure!(matches!(error, DetachError::NotPinned { .. }), "{error}");
        drop(attachment);
        let error = detach_interface(INTERFACE).err().context("nothing was there")?;
        ensure!(matches!(error, DetachError::NoProgram { .. }), "{error}");
        Ok(())
    })?;
    Ok(vec![
        format!(
            "attached by driver and stack: {PACKETS} packets of one flow exact; pins keep it, and it goes with them"
        ),
        without_rights(lab)?,
    ])
}

/// The pinned maps have what was sent.
fn exact(pins: &Path) -> anyhow::Result<()> {
    let counted = of_protocol(pins, Protocol::Udp)?;
    ensure!(counted == [PACKETS, PACKETS * FRAME_LEN], "UDP packets and bytes {counted:?}");
    let flows = flows(pins)?;
    let sent = flows.iter().find(|flow| flow.key.destination_port == 9).context("no flow")?;
    ensure!(
        (sent.packets, sent.bytes, sent.key.protocol) == (PACKETS, PACKETS * (FRAME_LEN - ETHERNET_LEN), 17),
        "not what was sent: {sent:?}"
    );
    ensure!(sent.key.source.to_string() == "198.51.100.10" && sent.key.destination.to_string() == "198.51.100.9");
    Ok(())
}

/// Whoever comes second hears who is there, and leaves nothing behind.
fn busy(lab: &Lab, id: u32, pin: &Path) -> anyhow::Result<()> {
    let other = pin.with_file_name("other");
    let options = AttachOptions { pin: Some(other.clone()), ..AttachOptions::default() };
    for mode in [AttachMode::Auto, AttachMode::Drv, AttachMode::Skb] {
        let error = lab.inside(|| Ok(attach(INTERFACE, mode, &options).map(drop)))?;
        let Err(AttachError::Busy { holder: Some(holder), .. }) = error else { return Err(anyhow!("{error:?}")) };
        ensure!((holder.id, holder.name.as_deref()) == (id, Some(program::PROGRAM_NAME)), "held by {holder}");
    }
    ensure!(!other.exists(), "{} was left", other.display());
    let again = AttachOptions { pin: Some(pin.to_owned()), ..AttachOptions::default() };
    let error = lab.inside(|| Ok(attach(INTERFACE, AttachMode::Auto, &again).map(drop)))?;
    ensure!(matches!(error, Err(AttachError::Pinned { .. })), "{error:?}");
    Ok(())
}

/// Each of the three capabilities is needed, and they are enough.
fn without_rights(lab: &Lab) -> anyhow::Result<String> {
    const ALL: [(CapabilitySet, &str); 3] = [
        (CapabilitySet::BPF, "CAP_BPF"),
        (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN"),
        (CapabilitySet::PERFMON, "CAP_PERFMON"),
    ];
    let attempt = |capabilities: CapabilitySet| {
        lab.inside(|| {
            // Of this thread, which ends with this.
            let (permitted, inheritable) = (capabilities, CapabilitySet::empty());
            set_capabilities(None, CapabilitySets { effective: capabilities, permitted, inheritable })?;
            Ok(attach(INTERFACE, AttachMode::Auto, &AttachOptions::default()).map(drop))
        })
    };
    let all = ALL.into_iter().map(|(capability, _)| capability).collect::<CapabilitySet>();
    for (missing, name) in ALL {
        let refused = attempt(all - missing)?;
        let Err(AttachError::Permission { missing: named, .. }) = &refused else {
            return Err(anyhow!("without {missing:?}: {refused:?}"));
        };
        ensure!(named == &[name], "without {missing:?} the error names {named:?}");
    }
    attempt(all)??;
    Ok("CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed, each, and are enough".to_owned())
}

/// Flows that no one took out, of a program whose maps are pinned in this directory.
pub(super) fn flows(pins: &Path) -> anyhow::Result<Vec<Flow>> {
    let map = MapData::from_pin(pins.join(FLOW_MAPS[0]))?;
    let map: HashMap<_, [u8; 40], [u8; 40]> = Map::from_map_data(map)?.try_into()?;
    map.iter()
        .map(|entry| {
            let (key, value) = entry?;
            Flow::from_entry(&key, &value).context("not a flow")
        })
        .collect()
}

/// Packets and bytes, of a program whose maps are pinned in this directory.
pub(super) fn of_protocol(pins: &Path, protocol: Protocol) -> anyhow::Result<[u64; 2]> {
    let map = MapData::from_pin(pins.join(PROTOCOL_MAP))?;
    let map: PerCpuArray<_, [u64; 2]> = Map::from_map_data(map)?.try_into()?;
    let values = map.get(&(protocol as u32), 0)?;
    Ok(values.iter().fold([0; 2], |sum, cpu| [sum[0] + cpu[0], sum[1] + cpu[1]]))
}
