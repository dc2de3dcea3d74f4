//! How long a map's program ran and how often, as counters.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use xdp_counters::{ProgramFacts, ProgramRun};

/// Follows the programs of a map: the kernel counts for each from zero when it is loaded, though its map be an old one.
#[derive(Debug, Default)]
pub(super) struct Runs {
    last: Option<Last>,
    /// Highest number of a program so far.
    newest: u32,
    /// What was watched, by name: names are attributes.
    gains: HashMap<String, ProgramRun>,
}

/// A program when it was last seen.
#[derive(Debug)]
struct Last {
    program: u32,
    start: SystemTime,
    time: SystemTime,
    run: ProgramRun,
}

/// What is to be published of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SeenRun {
    pub(super) program: String,
    /// When this program was first seen; never twice the same.
    pub(super) start: SystemTime,
    /// As the kernel has it.
    pub(super) run: ProgramRun,
    /// What was added while it was watched, which never falls.
    pub(super) gain: ProgramRun,
}

impl Runs {
    /// Takes what a reading at `time` knows of the program; nothing is to be published where that is nothing.
    pub(super) fn observe(&mut self, program: Option<&ProgramFacts>, time: SystemTime) -> Option<SeenRun> {
        let program = program?;
        let run = program.run;
        let same = self.last.as_ref().filter(|last| last.program == program.id && !is_below(run, last.run));
        let before = match same {
            Some(last) => last.run,
            // Numbers rise: one that is higher than any before was loaded since.
            None if self.last.is_some() && program.id > self.newest => ProgramRun::default(),
            None => run,
        };
        let start = match (same, &self.last) {
            (Some(last), _) => last.start,
            // Not before what was said already.
            (None, Some(last)) => time.max(last.time + Duration::from_nanos(1)),
            (None, None) => time,
        };
        let gain = self.gains.entry(program.name.clone()).or_default();
        gain.time += run.time.saturating_sub(before.time);
        gain.count += run.count - before.count;
        let seen = SeenRun { program: program.name.clone(), start, run, gain: *gain };
        self.last = Some(Last { program: program.id, start, time: time.max(start), run });
        self.newest = self.newest.max(program.id);
        Some(seen)
    }
}

fn is_below(run: ProgramRun, other: ProgramRun) -> bool {
    run.count < other.count || run.time < other.time
}

#[cfg(test)]
mod tests {
    use super::super::fake;
    use super::*;

    fn run(milliseconds: u64, count: u64) -> ProgramRun {
        ProgramRun { time: Duration::from_millis(milliseconds), count }
    }

    fn program(id: u32, name: &str, run: ProgramRun) -> ProgramFacts {
        ProgramFacts { id, name: name.to_owned(), tag: [1; 8], run }
    }

    #[test]
    fn another_program_counts_anew_though_it_be_the_same_code() {
        let mut runs = Runs::default();
        let mut see = |second, id, name, run| {
            let seen = runs.observe(Some(&program(id, name, run)), fake::time(second)).unwrap();
            (seen.start, seen.run, seen.gain)
        };
        let at = fake::time;
        assert_eq!(see(0.0, 5, "a", run(40, 4)), (at(0.0), run(40, 4), run(0, 0)), "what was before is no gain");
        assert_eq!(see(1.0, 5, "a", run(60, 6)), (at(0.0), run(60, 6), run(20, 2)));
        assert_eq!(see(2.0, 7, "a", run(70, 7)), (at(2.0), run(70, 7), run(90, 9)), "it was loaded since");
        assert_eq!(see(3.0, 5, "a", run(65, 7)), (at(3.0), run(65, 7), run(90, 9)), "that one was not");
        assert_eq!(see(4.0, 9, "b", run(1, 1)), (at(4.0), run(1, 1), run(1, 1)), "names have counters of their own");
        assert_eq!(see(3.0, 9, "b", run(0, 0)).1, run(0, 0), "nothing panics, whatever the kernel and the clock do");
    }

    #[test]
    fn a_program_that_is_not_known_has_no_counters() {
        let mut runs = Runs::default();
        assert_eq!(runs.observe(None, fake::time(0.0)), None);
        runs.observe(Some(&program(5, "a", run(40, 4))), fake::time(1.0));
        assert_eq!(runs.observe(None, fake::time(2.0)), None);
        let back = runs.observe(Some(&program(5, "a", run(50, 5))), fake::time(3.0)).unwrap();
        assert_eq!((back.start, back.gain), (fake::time(1.0), run(10, 1)));
    }
}
