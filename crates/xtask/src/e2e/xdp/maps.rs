//! Counters of other people's programs: every type of map, however it is named.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, ensure};
use xdp_counters::{Counter, Key, MapKind, Reader, Reading, Selector};

use super::lab::{self, FRAME_LEN, INTERFACE, Lab, Mode};
use crate::e2e::Bench;
use crate::e2e::process::wait_until;

const MAP: &str = "xdp_stats_map";
const FRAMES: u64 = 100;

/// Types of maps with the names that the kernel's headers have for them.
const KINDS: [(MapKind, &str); 6] = [
    (MapKind::HASH, "BPF_MAP_TYPE_HASH"),
    (MapKind::ARRAY, "BPF_MAP_TYPE_ARRAY"),
    (MapKind::PERCPU_HASH, "BPF_MAP_TYPE_PERCPU_HASH"),
    (MapKind::PERCPU_ARRAY, "BPF_MAP_TYPE_PERCPU_ARRAY"),
    (MapKind::LRU_HASH, "BPF_MAP_TYPE_LRU_HASH"),
    (MapKind::LRU_PERCPU_HASH, "BPF_MAP_TYPE_LRU_PERCPU_HASH"),
];

/// What there is to count is sent, and each way to the map finds exactly that.
///
/// # Errors
///
/// When a number is another one, or a map is not found.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let lab = Lab::new(&bench.folder)?;
    let mut rows = Vec::new();
    let mut cases = 0;
    for mode in [Mode::Native, Mode::Generic] {
        for (kind, name) in KINDS {
            let looked = every_way(&lab, mode, kind, name);
            cases += looked.with_context(|| format!("{name}, {mode:?}"))?;
        }
    }
    rows.push(format!(
        "{cases} of {cases} exact: types of maps, by number, name, pin and interface, native and generic"
    ));
    rows.push(labels(&lab).context("names of keys")?);
    rows.push(variables(&lab).context("an object with variables")?);
    rows.push(xdp_filter(&lab).context("xdp-filter")?);
    rows.push(two_of_a_name(&lab).context("two maps of a name")?);
    rows.push(many_of_a_name(bench, &lab).context("many maps of a name")?);
    Ok(rows)
}

/// How many ways there were.
fn every_way(lab: &Lab, mode: Mode, kind: MapKind, name: &str) -> anyhow::Result<usize> {
    let entries = if kind.is_array() { 5 } else { 1 };
    let object = compile(lab, name, &defines(name, entries, "__u32", if kind.is_array() { "XDP_PASS" } else { "0" }))?;
    lab.load(&object, mode)?;
    let first = lab.inside(|| Ok(Reader::new(Selector::Name(MAP.to_owned()), None)?.read()?))?;
    let pin = lab.pin(first.map.id, name)?;
    lab.send(FRAMES)?;
    let interface =
        |map: Option<&str>| Selector::Interface { interface: INTERFACE.to_owned(), map: map.map(str::to_owned) };
    let selectors = [
        Selector::Id(first.map.id),
        Selector::Name(MAP.to_owned()),
        Selector::Pin(pin.clone()),
        interface(None),
        interface(Some(MAP)),
    ];
    let count = selectors.len();
    for selector in selectors {
        let way = selector.to_string();
        let reading = read_all(lab, selector).with_context(|| way.clone())?;
        ensure!(reading.map.kind == kind && reading.map.id == first.map.id, "{way}: {:?}", reading.map);
        let counted = reading.counters.iter().filter(|counter| counter.packets > 0).cloned().collect::<Vec<_>>();
        let key = if kind.is_array() { Key::Action("pass") } else { Key::Bytes(vec![0; 4]) };
        ensure!(counted == [Counter { key, packets: FRAMES, bytes: Some(FRAMES * FRAME_LEN) }], "{way}: {counted:?}");
        ensure!(reading.program.is_some_and(|program| program.name == "count_udp"), "{way}: another program");
    }
    lab.unload()?;
    std::fs::remove_file(pin)?;
    wait_until("the map is gone", Duration::from_secs(30), || {
        let gone = lab.inside(|| Ok(Reader::new(Selector::Name(MAP.to_owned()), None)?.read()));
        Ok(gone?.is_err_and(|error| error.is_missing()).then_some(()))
    })?;
    Ok(count)
}

/// Reads until everything that was sent is there.
fn read_all(lab: &Lab, selector: Selector) -> anyhow::Result<Reading> {
    let reader = Reader::new(selector, None)?;
    wait_until("all frames are counted", Duration::from_secs(30), || {
        let reading = lab.inside(|| Ok(reader.read()?))?;
        Ok((reading.packets() >= FRAMES).then_some(reading))
    })
}

/// The enumeration in the object gives keys their names: of hash tables, as the kernel takes no other than numbers as keys of arrays.
fn labels(lab: &Lab) -> anyhow::Result<String> {
    let object = compile(lab, "labels", &defines("BPF_MAP_TYPE_PERCPU_HASH", 3, "enum proto", "PROTO_UDP"))?;
    lab.load(&object, Mode::Native)?;
    lab.send(FRAMES)?;
    let reading = read_all(lab, Selector::Name(MAP.to_owned()))?;
    let keys: Vec<_> = reading.counters.iter().map(|counter| (counter.key.clone(), counter.packets)).collect();
    ensure!(keys == [(Key::Label("udp".to_owned()), FRAMES)], "{keys:?}");
    lab.unload()?;
    Ok("keys have the names of the object's enumeration".to_owned())
}

/// An object's variables are in maps as well, which are not meant.
fn variables(lab: &Lab) -> anyhow::Result<String> {
    let mut defines = defines("BPF_MAP_TYPE_ARRAY", 5, "__u32", "XDP_PASS");
    defines.push("-DVARIABLES".to_owned());
    lab.load(&compile(lab, "variables", &defines)?, Mode::Native)?;
    lab.send(FRAMES)?;
    let on_interface = |map: Option<&str>| {
        let map = map.map(str::to_owned);
        Selector::Interface { interface: INTERFACE.to_owned(), map }
    };
    let reading = read_all(lab, on_interface(None))?;
    ensure!(reading.map.name == MAP && reading.packets() == FRAMES, "{reading:?}");
    let missing = lab.inside(|| Ok(Reader::new(on_interface(Some("other")), None)?.read()))?;
    let names = missing.err().map(|error| error.to_string()).unwrap_or_default();
    for section in [".bss", ".data", ".rodata"] {
        ensure!(names.contains(section), "the object has no map {section}: {names}");
    }
    lab.unload()?;
    Ok("maps of an object's variables are not taken for counters".to_owned())
}

/// A program of somebody else, with its own loader.
fn xdp_filter(lab: &Lab) -> anyhow::Result<String> {
    let load = format!("mount -t bpf bpf /sys/fs/bpf && xdp-filter load -m native {INTERFACE}");
    lab.shell_inside(&load).context("is xdp-tools installed?")?;
    lab.send(FRAMES)?;
    for selector in [
        Selector::Name(MAP.to_owned()),
        Selector::Interface { interface: INTERFACE.to_owned(), map: Some(MAP.to_owned()) },
    ] {
        let reading = read_all(lab, selector)?;
        let pass =
            reading.counters.iter().find(|counter| counter.key == Key::Action("pass")).context("no verdict pass")?;
        ensure!((pass.packets, pass.bytes) == (FRAMES, Some(FRAMES * FRAME_LEN)), "{reading:?}");
    }
    lab.unload()?;
    Ok("xdp-filter: exact by name and by interface".to_owned())
}

/// The map of a program that was replaced, kept by a pin, has the same name: the one in use is meant.
fn two_of_a_name(lab: &Lab) -> anyhow::Result<String> {
    let object = compile(lab, "twice", &defines("BPF_MAP_TYPE_HASH", 1, "__u32", "0"))?;
    lab.load(&object, Mode::Native)?;
    lab.send(FRAMES)?;
    let old = read_all(lab, Selector::Name(MAP.to_owned()))?;
    let pin = lab.pin(old.map.id, "old")?;
    lab.unload()?;
    lab.load(&object, Mode::Native)?;
    // Newer than the one in use, and nobody's.
    let newest = lab.pins.join("newest");
    let new = format!("bpftool map create {} type hash key 4 value 16 entries 1 name {MAP}", newest.display());
    lab::run(&new)?;
    lab.send(FRAMES)?;
    let reading = read_all(lab, Selector::Name(MAP.to_owned()))?;
    ensure!(reading.candidates == 3, "{} maps of this name", reading.candidates);
    ensure!(reading.map.id != old.map.id && reading.packets() == FRAMES, "{reading:?}");
    lab.unload()?;
    for pin in [pin, newest] {
        std::fs::remove_file(pin)?;
    }
    Ok("of three maps with a name, the one of the program on an interface is read".to_owned())
}

/// More maps of a name than files that the reader may open.
fn many_of_a_name(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const MAPS: usize = 80;
    const FILES: usize = 40;
    let pins: Vec<_> = (0..MAPS).map(|number| lab.pins.join(format!("many-{number}"))).collect();
    for pin in &pins {
        let name = "n2t_many";
        lab::run(&format!("bpftool map create {} type array key 4 value 16 entries 1 name {name}", pin.display()))?;
    }
    let mut command = lab.command_inside("prlimit");
    command.arg(format!("--nofile={FILES}")).arg(&bench.netflow2traces);
    let output = lab::output(command.args(["xdp", "read", "--json", "--map-name", "n2t_many"]))?;
    let reading: serde_json::Value = serde_json::from_slice(&output)?;
    ensure!(reading["packets"] == 0, "{reading}");
    pins.iter().try_for_each(std::fs::remove_file)?;
    Ok(format!("{MAPS} maps of a name, with {FILES} open files allowed"))
}

fn compile(lab: &Lab, name: &str, defines: &[String]) -> anyhow::Result<PathBuf> {
    let object = lab.folder().join(format!("{name}.o"));
    lab::compile("crates/xtask/src/e2e/xdp/counters.bpf.c", &object, defines)?;
    Ok(object)
}

fn defines(kind: &str, entries: u32, key_type: &str, key: &str) -> Vec<String> {
    let entries = entries.to_string();
    [("MAP_TYPE", kind), ("ENTRIES", &entries), ("KEY_TYPE", key_type), ("KEY", key)]
        .map(|(name, value)| format!("-D{name}={value}"))
        .into()
}
