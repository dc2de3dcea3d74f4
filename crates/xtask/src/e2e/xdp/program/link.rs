//! Our program on an interface: by loaders of others, and by our own.

use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow, ensure};
use aya::maps::{HashMap, Map, MapData, PerCpuArray};
use rustix::thread::{CapabilitySet, CapabilitySets, set_capabilities};
use xdp_counters::program::{
    self, AttachError, AttachMode, AttachOptions, DetachError, FLOW_MAP, Flow, PROTOCOL_MAP, Protocol, attach,
    detach_interface, detach_pinned,
};

use crate::e2e::xdp::lab::{FRAME_LEN, INTERFACE, Lab, run};

const PACKETS: u64 = 100;
/// Bytes of a frame before the IP header.
const ETHERNET_LEN: u64 = 14;

/// iproute2 and bpftool, both by libbpf, load an object and put it on an interface, where it counts.
pub(super) fn loaders<'a>(lab: &Lab, objects: impl Iterator<Item = &'a Path>) -> anyhow::Result<String> {
    let here = &lab.here;
    let pin = lab.pins.join("program");
    let maps = lab.pins.join("maps");
    let mut loaded = 0;
    for object in objects {
        let object = object.display();
        run(&format!("ip -n {here} link set dev {INTERFACE} xdp obj {object} sec xdp")).context("install iproute2")?;
        let shown = Command::new("ip").args(["-n", here, "link", "show", "dev", INTERFACE]).output()?.stdout;
        let shown = String::from_utf8(shown)?;
        ensure!(shown.contains(program::PROGRAM_NAME), "{object} by ip: {shown}");
        run(&format!("ip -n {here} link set dev {INTERFACE} xdp off"))?;

        let (pin, maps) = (pin.display(), maps.display());
        run(&format!("bpftool prog load {object} {pin} type xdp pinmaps {maps}")).context("install bpftool")?;
        lab.shell_inside(&format!("bpftool net attach xdpdrv pinned {pin} dev {INTERFACE}"))?;
        lab.send(PACKETS)?;
        let counted = udp(&lab.pins.join("maps").join(PROTOCOL_MAP))?;
        ensure!(counted == [PACKETS, PACKETS * FRAME_LEN], "{object} by bpftool counts {counted:?}");
        lab.shell_inside(&format!("bpftool net detach xdpdrv dev {INTERFACE}"))?;
        run(&format!("rm -r {pin} {maps}"))?;
        loaded += 1;
    }
    Ok(format!("ip and bpftool load {loaded} of {loaded} objects"))
}

/// Attaches and detaches, in every mode, with what can be in the way.
pub(super) fn attach_and_detach(lab: &Lab) -> anyhow::Result<Vec<String>> {
    let pin = lab.pins.join("deep/own");
    let flows = NonZeroU32::new(1_000);
    let pinned = AttachOptions { pin: Some(pin.clone()), flows };
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
            lab.inside(|| Ok(detach_interface(INTERFACE)?))?;
        } else {
            detach_pinned(&pin)?;
        }
        ensure!(!pin.exists(), "{} is still there", pin.display());
    }
    lab.inside(|| {
        let error = detach_interface(INTERFACE).err().context("nothing was there")?;
        ensure!(matches!(error, DetachError::NoProgram { .. }), "{error}");
        // Without pins it goes with what holds it.
        let attachment = attach(INTERFACE, AttachMode::Drv, &AttachOptions { pin: None, flows: None })?;
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
    let counted = udp(&pins.join(PROTOCOL_MAP))?;
    ensure!(counted == [PACKETS, PACKETS * FRAME_LEN], "UDP packets and bytes {counted:?}");
    let map = MapData::from_pin(pins.join(FLOW_MAP))?;
    let map: HashMap<_, [u8; 40], [u8; 40]> = Map::from_map_data(map)?.try_into()?;
    let flows: Vec<_> = map.iter().filter_map(|entry| entry.ok()).collect();
    let flows: Vec<_> = flows.iter().filter_map(|(key, value)| Flow::from_entry(key, value)).collect();
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
    let options = AttachOptions { pin: Some(other.clone()), flows: None };
    for mode in [AttachMode::Auto, AttachMode::Drv, AttachMode::Skb] {
        let error = lab.inside(|| Ok(attach(INTERFACE, mode, &options).map(drop)))?;
        let Err(AttachError::Busy { holder: Some(holder), .. }) = error else { return Err(anyhow!("{error:?}")) };
        ensure!((holder.id, holder.name.as_deref()) == (id, Some(program::PROGRAM_NAME)), "held by {holder}");
    }
    ensure!(!other.exists(), "{} was left", other.display());
    let again = AttachOptions { pin: Some(pin.to_owned()), flows: None };
    let error = lab.inside(|| Ok(attach(INTERFACE, AttachMode::Auto, &again).map(drop)))?;
    ensure!(matches!(error, Err(AttachError::Pinned { .. })), "{error:?}");
    Ok(())
}

/// Each of the three capabilities is needed, and they are enough.
fn without_rights(lab: &Lab) -> anyhow::Result<String> {
    const ALL: [CapabilitySet; 3] = [CapabilitySet::BPF, CapabilitySet::NET_ADMIN, CapabilitySet::PERFMON];
    let attempt = |capabilities: CapabilitySet| {
        lab.inside(|| {
            // Of this thread, which ends with this.
            let (permitted, inheritable) = (capabilities, CapabilitySet::empty());
            set_capabilities(None, CapabilitySets { effective: capabilities, permitted, inheritable })?;
            Ok(attach(INTERFACE, AttachMode::Auto, &AttachOptions::default()).map(drop))
        })
    };
    let all = ALL.into_iter().collect::<CapabilitySet>();
    for missing in ALL {
        let refused = attempt(all - missing)?;
        ensure!(matches!(refused, Err(AttachError::Permission { .. })), "without {missing:?}: {refused:?}");
    }
    attempt(all)??;
    Ok("CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed, each, and are enough".to_owned())
}

fn udp(map: &Path) -> anyhow::Result<[u64; 2]> {
    let map: PerCpuArray<_, [u64; 2]> = Map::from_map_data(MapData::from_pin(map)?)?.try_into()?;
    let values = map.get(&(Protocol::Udp as u32), 0)?;
    Ok(values.iter().fold([0; 2], |sum, cpu| [sum[0] + cpu[0], sum[1] + cpu[1]]))
}
