//! Readings as text, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use xdp_counters::{Key, ProgramFacts, Reading};

use super::target::Target;
use super::watched::grouped;

/// A paragraph for people.
pub(super) fn text(target: &Target, reading: &Reading) -> String {
    let map = &reading.map;
    let mut text = format!("{target}: map {} {} ({})", map.id, printable(&map.name), map.kind);
    // Writing to a String does not fail.
    if let Some(program) = &reading.program {
        let _ = write!(text, ", program {} {}, tag {}", program.id, printable(&program.name), tag(program));
    }
    if reading.candidates > 1 {
        let _ = write!(text, "; one of {} that could be meant", reading.candidates);
    }
    text.push('\n');
    let mut row = |name: &str, packets: u64, bytes: Option<u64>| {
        let bytes = bytes.map(grouped).unwrap_or_default();
        let line = format!("  {name:<16} {:>26} {bytes:>26}", grouped(packets));
        let _ = writeln!(text, "{}", line.trim_end());
    };
    let head = format!("  {:<16} {:>26} {:>26}\n", "key", "packets", "bytes");
    for counter in &reading.counters {
        row(&key(&counter.key), counter.packets, counter.bytes);
    }
    row("total", reading.packets(), reading.bytes());
    let at = text.find('\n').map_or(text.len(), |end| end + 1);
    text.insert_str(at, &head);
    text
}

/// A line for programs.
pub(super) fn json(target: &Target, reading: &Reading) -> String {
    let map = &reading.map;
    let counters = reading.counters.iter().map(|counter| {
        let mut entry = Map::new();
        entry.insert("key".to_owned(), key(&counter.key).into());
        add_count(&mut entry, counter.packets, counter.bytes);
        Value::Object(entry)
    });
    let mut line = Map::new();
    line.insert("target".to_owned(), target.to_string().into());
    line.insert("up".to_owned(), true.into());
    line.insert("time".to_owned(), time(reading).into());
    line.insert(
        "map".to_owned(),
        json!({
            "id": map.id,
            "name": map.name,
            "type": map.kind.to_string(),
            "key_size": map.key_size,
            "value_size": map.value_size,
            "max_entries": map.max_entries,
        }),
    );
    if let Some(program) = &reading.program {
        line.insert("program".to_owned(), json!({"id": program.id, "name": program.name, "tag": tag(program)}));
    }
    line.insert("candidates".to_owned(), reading.candidates.into());
    add_count(&mut line, reading.packets(), reading.bytes());
    line.insert("counters".to_owned(), counters.collect());
    Value::Object(line).to_string()
}

/// A line for programs about a map that is not there.
pub(super) fn missing_json(target: &Target, error: &dyn std::fmt::Display) -> String {
    json!({"target": target.to_string(), "up": false, "error": error.to_string()}).to_string()
}

fn add_count(entry: &mut Map<String, Value>, packets: u64, bytes: Option<u64>) {
    entry.insert("packets".to_owned(), packets.into());
    if let Some(bytes) = bytes {
        entry.insert("bytes".to_owned(), bytes.into());
    }
}

fn time(reading: &Reading) -> String {
    jiff::Timestamp::try_from(reading.time).map(|time| time.to_string()).unwrap_or_default()
}

fn tag(program: &ProgramFacts) -> String {
    hex(&program.tag)
}

fn key(key: &Key) -> String {
    match key {
        Key::Action(action) => (*action).to_owned(),
        Key::Label(label) => printable(label),
        Key::Bytes(bytes) => format!("0x{}", hex(bytes)),
        Key::All => "all".to_owned(),
    }
}

/// Who loads a program chooses its names; none moves the cursor.
pub(super) fn printable(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    fn reading() -> Reading {
        let counters = [
            (Key::Action("drop"), 4, Some(240)),
            (Key::Label("t\u{1b}cp".to_owned()), 1_000, Some(60_000)),
            (Key::Bytes(vec![0, 0xab]), 0, Some(0)),
        ];
        Reading { candidates: 2, ..fake::with_counters(7, 0.5, &counters) }
    }

    #[test]
    fn people_get_a_table() {
        let text = text(&Target::Id(7), &reading());
        let lines: Vec<Vec<&str>> = text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(
            text.lines().next(),
            Some("id=7: map 7 xdp_stats_map (percpu_array); one of 2 that could be meant"),
            "{text}"
        );
        let rows = [
            ["key", "packets", "bytes"],
            ["drop", "4", "240"],
            ["t?cp", "1,000", "60,000"],
            ["0x00ab", "0", "0"],
            ["total", "1,004", "60,240"],
        ];
        assert_eq!(lines[1..], rows);
    }

    #[test]
    fn programs_get_a_line() {
        let line = json(&Target::Id(7), &reading());
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&value["packets"], &value["bytes"], &value["up"]), (&json!(1004), &json!(60_240), &json!(true)));
        assert_eq!(value["time"], "2023-11-14T22:13:20.5Z");
        assert_eq!(value["map"]["type"], "percpu_array");
        assert_eq!(value["counters"][0], json!({"key": "drop", "packets": 4, "bytes": 240}));
        let without = fake::with_counters(7, 0.0, &[(Key::Action("drop"), 4, None)]);
        let value: Value = serde_json::from_str(&json(&Target::Id(7), &without)).unwrap();
        assert_eq!((&value["bytes"], &value["program"]), (&Value::Null, &Value::Null), "what is not known is left out");
    }
}
