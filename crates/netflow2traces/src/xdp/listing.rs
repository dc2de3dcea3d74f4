//! What there is, as text: XDP programs, then maps.

use std::fmt::Write as _;
use std::path::PathBuf;

use xdp_counters::{ListedMap, ListedProgram, Process};

use super::print::{hex, printable};

/// Two tables, with pins below what is pinned. Of maps those that counters can be in, unless `all`.
pub(super) fn text(programs: &[ListedProgram], maps: &[ListedMap], all: bool) -> String {
    let mut text = row(["program", "name", "tag", "interfaces", "maps", "held by"]);
    for listed in programs {
        let program = &listed.program;
        let ids: Vec<_> = listed.maps.iter().map(u32::to_string).collect();
        let interfaces = listed.interfaces.iter().map(|attached| format!("{}({})", attached.interface, attached.mode));
        text.push_str(&row([
            &program.id.to_string(),
            &printable(&program.name),
            &hex(&program.tag),
            &interfaces.collect::<Vec<_>>().join(","),
            &ids.join(","),
            &holders(&listed.holders),
        ]));
        pins(&mut text, "pinned", &listed.pins);
        pins(&mut text, "link pinned", &listed.links);
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
        pins(&mut text, "pinned", &listed.pins);
    }
    text
}

/// A line for each.
fn pins(text: &mut String, what: &str, paths: &[PathBuf]) {
    for path in paths {
        // Writing to a String does not fail.
        let _ = writeln!(text, "{:<8} {what}: {}", "", printable(&path.to_string_lossy()));
    }
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
    use xdp_counters::{Attached, MapFacts, MapKind, Mode, ProgramFacts, ProgramRun};

    use super::*;

    #[test]
    fn programs_and_maps_are_tables() {
        let holder = || vec![Process { id: 12, name: "xdp-filter".to_owned() }];
        let program = ProgramFacts { id: 3, name: "xdp_stats".to_owned(), tag: [0xab; 8], run: ProgramRun::default() };
        let attached =
            |(interface, index, mode)| Attached { interface: String::from(interface), index, program: 3, mode };
        let interfaces = [("eth0", 2, Mode::Drv), ("eth1", 3, Mode::Skb)].map(attached).into();
        let (pins, links) = (vec!["/sys/fs/bpf/p".into()], vec!["/sys/fs/bpf/n2t/link".into()]);
        let programs = [ListedProgram { program, maps: vec![7, 8], interfaces, pins, links, holders: holder() }];
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
            "3 xdp_stats abababababababab eth0(drv),eth1(skb) 7,8 xdp-filter (12)",
            "pinned: /sys/fs/bpf/p",
            "link pinned: /sys/fs/bpf/n2t/link",
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
