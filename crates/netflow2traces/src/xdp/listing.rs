//! What there is, as text: XDP programs, then maps.

use std::fmt::Write as _;

use xdp_counters::{ListedMap, ListedProgram, Process};

use super::print::{hex, printable};

/// Two tables. Of maps those that counters can be in, unless `all`, with their pins below.
pub(super) fn text(programs: &[ListedProgram], maps: &[ListedMap], all: bool) -> String {
    let mut text = row(["program", "name", "tag", "interfaces", "maps", "held by"]);
    for listed in programs {
        let program = &listed.program;
        let ids: Vec<_> = listed.maps.iter().map(u32::to_string).collect();
        text.push_str(&row([
            &program.id.to_string(),
            &printable(&program.name),
            &hex(&program.tag),
            &listed.interfaces.join(","),
            &ids.join(","),
            &holders(&listed.holders),
        ]));
    }
    text.push('\n');
    text.push_str(&row(["map", "name", "type", "key/value", "entries", "held by"]));
    for listed in maps.iter().filter(|listed| all || listed.map.kind.is_readable()) {
        let map = &listed.map;
        text.push_str(&row([
            &map.id.to_string(),
            &printable(&map.name),
            &map.kind.to_string(),
            &format!("{}/{}", map.key_size, map.value_size),
            &map.max_entries.to_string(),
            &holders(&listed.holders),
        ]));
        for pin in &listed.pins {
            let _ = writeln!(text, "{:<8} pinned: {}", "", printable(&pin.to_string_lossy()));
        }
    }
    text
}

fn row(cells: [&str; 6]) -> String {
    let [id, name, third, fourth, fifth, holders] = cells.map(|cell| if cell.is_empty() { "-" } else { cell });
    let mut line = String::new();
    // Writing to a String does not fail.
    let _ = write!(line, "{id:<8} {name:<16} {third:<17} {fourth:<12} {fifth:<10} {holders}");
    format!("{}\n", line.trim_end())
}

fn holders(processes: &[Process]) -> String {
    let processes = processes.iter().map(|process| format!("{} ({})", printable(&process.name), process.id));
    processes.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use xdp_counters::{MapFacts, MapKind, ProgramFacts, ProgramRun};

    use super::*;

    #[test]
    fn programs_and_maps_are_tables() {
        let holder = || vec![Process { id: 12, name: "xdp-filter".to_owned() }];
        let program = ProgramFacts { id: 3, name: "xdp_stats".to_owned(), tag: [0xab; 8], run: ProgramRun::default() };
        let interfaces = vec!["eth0".to_owned(), "eth1".to_owned()];
        let programs = [ListedProgram { program, maps: vec![7, 8], interfaces, holders: holder() }];
        let map = |id, kind, holders| ListedMap {
            map: MapFacts { id, name: "a".to_owned(), kind, key_size: 4, value_size: 16, max_entries: 5 },
            pins: if id == 7 { vec!["/sys/fs/bpf/a".into()] } else { Vec::new() },
            holders,
        };
        let maps =
            [map(7, MapKind::PERCPU_ARRAY, holder()), map(8, MapKind::HASH, vec![]), map(9, MapKind(27), vec![])];
        let words = |all| {
            let text = text(&programs, &maps, all);
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
        };
        let expected = [
            "program name tag interfaces maps held by",
            "3 xdp_stats abababababababab eth0,eth1 7,8 xdp-filter (12)",
            "",
            "map name type key/value entries held by",
            "7 a percpu_array 4/16 5 xdp-filter (12)",
            "pinned: /sys/fs/bpf/a",
            "8 a hash 4/16 5 -",
        ];
        assert_eq!(words(false), expected);
        assert_eq!(words(true).len(), expected.len() + 1);
    }
}
