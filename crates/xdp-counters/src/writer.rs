//! Which program on an interface has a map.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::interface::{self, Attached};
use crate::reading::ProgramFacts;
use crate::select::open_program;

/// How long an answer holds. To find it, all interfaces and their programs are asked, which takes milliseconds where there are
/// thousands, and other users of rtnetlink wait meanwhile.
const AGE: Duration = Duration::from_secs(1);

/// A program on an interface and the numbers of its maps.
pub(crate) type Program = (Attached, ProgramFacts, Vec<u32>);

/// Tells which program has a map. One that takes turns with another is known a second later; one that ends, at once.
#[derive(Debug, Default)]
pub(crate) struct Writer(Mutex<Option<Answer>>);

#[derive(Debug)]
struct Answer {
    map: u32,
    program: Option<Attached>,
    at: Instant,
}

impl Writer {
    /// The one of `maps`, which are in the order of their numbers, that a program has, with that program; else the newest.
    pub(crate) fn choose(&self, maps: &[u32]) -> Option<(u32, Option<ProgramFacts>)> {
        self.choose_with(maps, Instant::now(), |attached| open_program(attached).ok().flatten(), programs)
    }

    /// What is known of a program changes, as how long it runs: it is opened each time.
    fn choose_with(
        &self,
        maps: &[u32],
        now: Instant,
        open: impl Fn(&Attached) -> Option<Program>,
        look: impl FnOnce() -> Vec<Program>,
    ) -> Option<(u32, Option<ProgramFacts>)> {
        let newest = *maps.last()?;
        let mut answer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Answer { map, program, at }) = answer.as_ref()
            && now.saturating_duration_since(*at) < AGE
            && maps.contains(map)
        {
            let opened = program.as_ref().and_then(&open).filter(|(_, _, maps)| maps.contains(map));
            match opened {
                Some((_, facts, _)) => return Some((*map, Some(facts))),
                None if program.is_none() && *map == newest => return Some((newest, None)),
                None => {}
            }
        }
        let programs = look();
        let has = |map: u32| programs.iter().find(|(_, _, maps)| maps.contains(&map));
        let found = maps.iter().rev().find_map(|map| Some((*map, has(*map)?)));
        let map = found.map_or(newest, |(map, _)| map);
        *answer = Some(Answer { map, program: found.map(|(_, (attached, _, _))| attached.clone()), at: now });
        Some((map, found.map(|(_, (_, facts, _))| facts.clone())))
    }
}

/// Programs on interfaces of this network namespace, as far as this process may see them: who may not reads counters all the
/// same.
fn programs() -> Vec<Program> {
    let attached = interface::attached().unwrap_or_default();
    attached.iter().filter_map(|attached| open_program(attached).ok().flatten()).collect()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::interface::Mode;
    use crate::reading::ProgramRun;

    fn program(id: u32, runs: u64, maps: &[u32]) -> Program {
        let attached = Attached { interface: format!("eth{id}"), index: id, program: id, mode: Mode::Drv };
        let run = ProgramRun { time: Duration::ZERO, count: runs };
        (attached, ProgramFacts { id, name: "counts".to_owned(), tag: [0; 8], run }, maps.to_vec())
    }

    /// What is attached now, and how often all of it was asked for.
    #[derive(Default)]
    struct Kernel {
        programs: Vec<Program>,
        looks: Cell<usize>,
    }

    impl Kernel {
        /// Map, program and runs.
        fn choose(&self, writer: &Writer, maps: &[u32], now: Instant) -> Option<(u32, Option<(u32, u64)>)> {
            let open = |wanted: &Attached| self.programs.iter().find(|(attached, _, _)| attached == wanted).cloned();
            let look = || {
                self.looks.set(self.looks.get() + 1);
                self.programs.clone()
            };
            let (map, program) = writer.choose_with(maps, now, open, look)?;
            Some((map, program.map(|program| (program.id, program.run.count))))
        }
    }

    #[test]
    fn all_programs_are_asked_once_a_second() {
        let (writer, start) = (Writer::default(), Instant::now());
        let mut kernel = Kernel { programs: vec![program(1, 0, &[9]), program(2, 0, &[7, 8])], looks: Cell::default() };
        for reading in 0..100 {
            kernel.programs[1].1.run.count = reading;
            let at = start + Duration::from_millis(10) * reading as u32;
            assert_eq!(kernel.choose(&writer, &[7], at), Some((7, Some((2, reading)))));
        }
        assert_eq!(kernel.looks.get(), 1);
        kernel.choose(&writer, &[7], start + AGE);
        assert_eq!(kernel.looks.get(), 2);
    }

    #[test]
    fn that_there_is_no_program_is_kept_too() {
        let (writer, start, kernel) = (Writer::default(), Instant::now(), Kernel::default());
        for _ in 0..10 {
            assert_eq!(kernel.choose(&writer, &[3, 7], start), Some((7, None)));
        }
        assert_eq!(kernel.looks.get(), 1);
        assert_eq!(kernel.choose(&writer, &[], start), None);
    }

    #[test]
    fn another_map_or_a_program_that_ended_is_looked_for_at_once() {
        let (writer, now) = (Writer::default(), Instant::now());
        let mut kernel = Kernel { programs: vec![program(1, 0, &[7])], looks: Cell::default() };
        assert_eq!(kernel.choose(&writer, &[7], now), Some((7, Some((1, 0)))));
        // Replaced, and somebody keeps its map.
        kernel.programs = vec![program(2, 0, &[8])];
        assert_eq!(kernel.choose(&writer, &[7, 8], now), Some((8, Some((2, 0)))));
        // Newer, and nobody's.
        assert_eq!(kernel.choose(&writer, &[7, 8, 9], now), Some((8, Some((2, 0)))));
        assert_eq!(kernel.looks.get(), 2);
        assert_eq!(kernel.choose(&writer, &[7], now), Some((7, None)));
        assert_eq!(kernel.looks.get(), 3);
    }
}
