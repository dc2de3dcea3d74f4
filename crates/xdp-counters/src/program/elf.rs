//! The program as an ELF object, which any loader takes: aya, libbpf (`ip link set … xdp obj`, bpftool, xdp-loader).

use object::write::{Object, Relocation, SectionId, Symbol, SymbolId, SymbolSection};
use object::{
    Architecture, BinaryFormat, Endianness, RelocationFlags, SectionKind, SymbolFlags, SymbolKind, SymbolScope, elf,
};

use super::asm::Code;
use super::types::{DEFINITION_LEN, Type, Types};
use super::{FLOW_MAPS, LICENSE, MAPS, PROGRAM_NAME, PROTOCOL_MAP, Protocol, STATS_MAP, TURN_MAP};
use crate::MapKind;

/// XDP has five verdicts.
const ACTIONS: u32 = 5;

/// The object of `code` in a section of this name, its flow map with room for `flows` where it has one.
pub(super) fn object(section: &str, code: &Code, flows: Option<u32>) -> Vec<u8> {
    let mut object = Object::new(BinaryFormat::Elf, Architecture::Bpf, Endianness::Little);
    let xdp = add_section(&mut object, section, SectionKind::Text, &code.bytes);
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
fn maps(flows: Option<u32>) -> (&'static [&'static str], Vec<u8>) {
    let mut types = Types::new();
    let index = types.u32();
    let long = types.unsigned("unsigned long long", 8);
    let counter = types.structure("counter", 16, &[("packets", long, 0), ("bytes", long, 8)]);
    let arrays = [(STATS_MAP, ACTIONS), (PROTOCOL_MAP, Protocol::ALL.len() as u32)];
    let mut variables: Vec<_> = arrays
        .iter()
        .map(|&(name, entries)| types.map(name, MapKind::PERCPU_ARRAY.0, entries, index, counter))
        .collect();
    if let Some(flows) = flows {
        let (key, value) = flow(&mut types, long);
        variables.push(types.map(TURN_MAP, MapKind::ARRAY.0, 1, index, long));
        variables.extend(FLOW_MAPS.map(|name| types.map(name, MapKind::LRU_HASH.0, flows, key, value)));
    }
    types.map_section(".maps", &variables);
    (&MAPS[..variables.len()], types.into_bytes())
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use aya_obj::ProgramSection;
    use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget, SectionFlags};

    use super::super::asm::INSTRUCTION_LEN;
    use super::super::{DEFAULT_FLOWS, FRAGS_SECTION, SECTION, object};

    /// Sections with flags and lengths, symbols with places and lengths, and what instructions refer to.
    fn shape(section: &str, bytes: &[u8]) -> Vec<String> {
        let file = object::File::parse(bytes).unwrap();
        assert_eq!((file.architecture(), file.is_little_endian()), (object::Architecture::Bpf, true));
        let own = [section, "license", ".maps", ".BTF"].map(|name| file.section_by_name(name).unwrap());
        let sections = own.iter().map(|section| {
            let SectionFlags::Elf { sh_flags } = section.flags() else { panic!("ELF") };
            format!("{} flags {sh_flags} align {}", section.name().unwrap(), section.align())
        });
        let symbols = file.symbols().filter(|symbol| symbol.is_definition() || symbol.size() > 0).map(|symbol| {
            let section = file.section_by_index(symbol.section_index().unwrap()).unwrap();
            let place = format!("{}+{}", section.name().unwrap(), symbol.address());
            let is_whole = if symbol.size() == section.size() { "all".to_owned() } else { symbol.size().to_string() };
            format!(
                "{} {:?} global {} at {place}, {is_whole}",
                symbol.name().unwrap(),
                symbol.kind(),
                symbol.is_global()
            )
        });
        let code = own[0].data().unwrap();
        let relocations = own[0].relocations().map(|(offset, relocation)| {
            let RelocationTarget::Symbol(symbol) = relocation.target() else { panic!("{relocation:?}") };
            let instruction = &code[offset as usize..][..2 * INSTRUCTION_LEN];
            assert!(offset % 8 == 0 && instruction[0] == 0x18 && instruction[2..].iter().all(|byte| *byte == 0));
            let object::RelocationFlags::Elf { r_type } = relocation.flags() else { panic!("ELF") };
            format!("type {r_type} to {}", file.symbol_by_index(symbol).unwrap().name().unwrap())
        });
        sections.chain(symbols).chain(relocations).collect()
    }

    #[test]
    fn an_object_has_what_loaders_look_for() {
        let expected = [
            "xdp flags 6 align 8", // SHF_ALLOC | SHF_EXECINSTR
            "license flags 3 align 8",
            ".maps flags 3 align 8",
            ".BTF flags 0 align 8",
            "xdp_counters Text global true at xdp+0, all",
            "_license Data global true at license+0, all",
            "xdp_stats_map Data global true at .maps+0, 32",
            "xdp_proto_stats Data global true at .maps+32, 32",
            "type 1 to xdp_stats_map", // R_BPF_64_64
            "type 1 to xdp_proto_stats",
        ];
        assert_eq!(shape(SECTION, &object(None, false)), expected);
        let for_frags =
            expected.map(|line| line.replace("xdp flags", "xdp.frags flags").replace("xdp+0", "xdp.frags+0"));
        assert_eq!(shape(FRAGS_SECTION, &object(None, true)), for_frags);

        let mut with_flows: Vec<_> = expected.map(str::to_owned).to_vec();
        for (map, place) in [("xdp_flow_turn", 64), ("xdp_flows", 96), ("xdp_flows_2", 128)] {
            with_flows.insert(8 + (place - 64) / 32, format!("{map} Data global true at .maps+{place}, 32"));
        }
        let looked_up = ["xdp_flow_turn", "xdp_flows_2", "xdp_flows_2", "xdp_flows_2"];
        with_flows.extend(looked_up.iter().chain(&["xdp_flows"; 3]).map(|map| format!("type 1 to {map}")));
        assert_eq!(shape(SECTION, &object(Some(DEFAULT_FLOWS), false)), with_flows);
    }

    #[test]
    fn aya_finds_program_license_and_maps() {
        for with_frags in [false, true] {
            let object = aya_obj::Object::parse(&object(NonZeroU32::new(1_000), with_frags)).unwrap();
            assert_eq!(object.license.to_bytes(), b"Dual MIT/GPL");
            assert_eq!(object.programs.keys().collect::<Vec<_>>(), ["xdp_counters"]);
            let section = &object.programs["xdp_counters"].section;
            assert!(matches!(section, ProgramSection::Xdp { frags, .. } if *frags == with_frags), "{section:?}");
            let mut maps: Vec<_> = object
                .maps
                .iter()
                .map(|(name, map)| (name.as_str(), map.map_type(), map.key_size(), map.value_size(), map.max_entries()))
                .collect();
            maps.sort_unstable();
            let expected = [
                ("xdp_flow_turn", 2, 4, 8, 1),
                ("xdp_flows", 9, 40, 40, 1_000),
                ("xdp_flows_2", 9, 40, 40, 1_000),
                ("xdp_proto_stats", 6, 4, 16, 8),
                ("xdp_stats_map", 6, 4, 16, 5),
            ];
            assert_eq!(maps, expected);
        }
    }
}
