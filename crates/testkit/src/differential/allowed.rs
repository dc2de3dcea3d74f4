//! The table of differences that are allowed.

use std::cell::Cell;

use anyhow::{Context as _, ensure};

use super::Difference;

/// The table; it counts what it allows.
#[derive(Debug)]
pub struct Allowed {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    tool: &'static str,
    fields: Vec<&'static str>,
    /// Marks that the difference must have, or, behind a `!`, must not.
    when: Vec<&'static str>,
    /// Whether the streams of this repository show it; the others need more captures.
    is_own: bool,
    line: usize,
    uses: Cell<usize>,
}

/// Lines of tool, fields, marks, where it is seen and reason, with tabs between them.
const TABLE: &str = include_str!("allowed.tsv");

impl Allowed {
    /// The committed table.
    ///
    /// # Errors
    ///
    /// When a line of it is incomplete.
    pub fn new() -> anyhow::Result<Self> {
        let lines = (1..).zip(TABLE.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|(line, text)| {
            let columns: Vec<_> = text.split('\t').collect();
            let [tool, fields, when, seen, reason] = columns[..] else {
                anyhow::bail!("line {line} has {} columns, not 5", columns.len());
            };
            ensure!(matches!(tool, "tshark" | "nfdump"), "line {line}: no such tool");
            ensure!(matches!(seen, "own" | "more"), "line {line} is seen neither in own streams nor in more");
            ensure!(!reason.trim().is_empty(), "line {line} has no reason");
            let (fields, when) = (fields.split(',').collect(), when.split_whitespace().collect());
            Ok(Entry { tool, fields, when, is_own: seen == "own", line, uses: Cell::new(0) })
        });
        Ok(Self { entries: entries.collect::<anyhow::Result<_>>().context("allowed.tsv")? })
    }

    /// Whether a line of the table allows the difference; every one that does counts it.
    pub fn allows(&self, difference: &Difference) -> bool {
        let mut is_allowed = false;
        for entry in self.entries.iter().filter(|entry| entry.matches(difference)) {
            entry.uses.set(entry.uses.get() + 1);
            is_allowed = true;
        }
        is_allowed
    }

    /// Lines that allowed nothing, of those that `tools` should have needed.
    pub fn unused(&self, tools: &[&str], with_more_captures: bool) -> Vec<usize> {
        let needed = |entry: &&Entry| tools.contains(&entry.tool) && (entry.is_own || with_more_captures);
        self.entries.iter().filter(needed).filter(|entry| entry.uses.get() == 0).map(|entry| entry.line).collect()
    }

    /// How often each line was used, by its number.
    pub fn uses(&self) -> impl Iterator<Item = (usize, usize)> {
        self.entries.iter().map(|entry| (entry.line, entry.uses.get()))
    }
}

impl Entry {
    fn matches(&self, difference: &Difference) -> bool {
        let holds = |mark: &&str| match mark.strip_prefix('!') {
            Some(mark) => !difference.marks.contains(mark),
            None => difference.marks.contains(*mark),
        };
        self.tool == difference.tool && self.fields.contains(&difference.field) && self.when.iter().all(holds)
    }
}
