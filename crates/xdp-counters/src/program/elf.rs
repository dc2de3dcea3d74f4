//! The program as an ELF object, which any loader takes: aya, libbpf (`ip link set … xdp obj`, bpftool, xdp-loader).

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use super::asm::Code;
use super::types::{DEFINITION_LEN, Type, Types};
use super::{FLOW_MAP, LICENSE, PROGRAM_NAME, PROTOCOL_MAP, Protocol, STATS_MAP};
use crate::MapKind;

/// XDP has five verdicts.
const ACTIONS: u32 = 5;

/// The object of `code`, its flow map with room for `flows` where it has one.
pub(super) fn object(code: &Code, flows: Option<u32>) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let xdp = add_section(&mut object, "xdp", SectionKind::Text, &code.bytes);
    add_symbol(&mut object, PROGRAM_NAME, SymbolKind::Text, xdp, 0, code.bytes.len() as u64);
    let license = [LICENSE.as_bytes(), &[0]].concat();
    let section = add_section(&mut object, "license", SectionKind::Data, &license);
    add_symbol(&mut object, "_license", SymbolKind::Data, section, 0, license.len() as u64);

    let (names, types) = maps(flows);
    let definitions = vec![0; DEFINITION_LEN as usize * names.len()];
    let section = add_section(&mut object, ".maps", SectionKind::Data, &definitions);
    let places = (0..).step_by(DEFINITION_LEN as usize);
    let symbols: Vec<_> = names
        .iter()
        .zip(places)
        .map(|(name, at)| add_symbol(&mut object, name, SymbolKind::Data, section, at, u64::from(DEFINITION_LEN)))
        .collect();
    add_section(&mut object, ".BTF", SectionKind::Other, &types);
    for &(offset, map) in &code.maps {
        let flags = RelocationFlags::Elf { r_type: elf::R_BPF_64_64 };
        let relocation = Relocation { offset: offset as u64, symbol: symbols[map], addend: 0, flags };
        object.add_relocation(xdp, relocation).expect("BPF has such relocations");
    }
    object.write().expect("names and sections are few")
}

fn add_section(object: &mut Object<'_>, name: &str, kind: SectionKind, data: &[u8]) -> SectionId {
    let section = object.add_section(Vec::new(), name.into(), kind);
    object.append_section_data(section, data, 8);
    section
}

fn add_symbol(
    object: &mut Object<'_>,
    name: &str,
    kind: SymbolKind,
    section: SectionId,
    value: u64,
    size: u64,
) -> SymbolId {
    let (section, flags) = (SymbolSection::Section(section), SymbolFlags::None);
    let scope = SymbolScope::Dynamic;
    object.add_symbol(Symbol { name: name.into(), value, size, kind, scope, weak: false, section, flags })
}

/// Names of the maps, by their place, and what types they have.
fn maps(flows: Option<u32>) -> (Vec<&'static str>, Vec<u8>) {
    let mut types = Types::new();
    let index = types.u32();
    let long = types.unsigned("unsigned long long", 8);
    let counter = types.structure("counter", 16, &[("packets", long, 0), ("bytes", long, 8)]);
    let arrays = [(STATS_MAP, ACTIONS), (PROTOCOL_MAP, Protocol::ALL.len() as u32)];
    let mut names: Vec<_> = arrays.iter().map(|(name, _)| *name).collect();
    let mut variables: Vec<_> = arrays
        .iter()
        .map(|&(name, entries)| types.map(name, MapKind::PERCPU_ARRAY.0, entries, index, counter))
        .collect();
    if let Some(flows) = flows {
        let (key, value) = flow(&mut types, long);
        names.push(FLOW_MAP);
        variables.push(types.map(FLOW_MAP, MapKind::LRU_HASH.0, flows, key, value));
    }
    types.map_section(".maps", &variables);
    (names, types.into_bytes())
}

fn flow(types: &mut Types, long: Type) -> (Type, Type) {
    let byte = types.unsigned("unsigned char", 1);
    let short = types.unsigned("unsigned short", 2);
    let address = types.array(byte, 16);
    let key = [
        ("source", address, 0),
        ("destination", address, 16),
        ("source_port", short, 32),
        ("destination_port", short, 34),
        ("protocol", byte, 36),
        ("version", byte, 37),
        ("zero", short, 38),
    ];
    let value = [
        ("packets", long, 0),
        ("bytes", long, 8),
        ("first_ns", long, 16),
        ("last_ns", long, 24),
        ("tcp_flags", long, 32),
    ];
    (types.structure("flow_key", 40, &key), types.structure("flow", 40, &value))
}
