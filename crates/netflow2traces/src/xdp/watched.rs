//! One map that is read again and again.

use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use xdp_counters::{Reading, Sample, Series, attached};

use super::bursts::{Burst, Recorder};
use super::runs::{Runs, SeenRun};
use super::target::Target;

/// Reads a map.
pub(super) type Read = Box<dyn FnMut() -> Result<Reading, NoReading> + Send>;

/// Why there is no reading.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoReading {
    /// There is no such map now; it may come.
    #[error("{0:#}")]
    Missing(anyhow::Error),
    /// It cannot be read, by this process or at all.
    #[error("{0:#}")]
    Failed(anyhow::Error),
}

/// Time between two warnings about a map that is not there.
pub(super) const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// Least time between two lines that say which map is read.
const SHOW_INTERVAL: Duration = Duration::from_secs(10);
/// Most interfaces of a program that such a line has.
const MAX_INTERFACES: usize = 8;

/// A map and what it showed so far.
pub(super) struct Watched {
    target: Target,
    /// What tells it from others that are watched; `None` when there are none.
    label: Option<String>,
    read: Read,
    series: Series,
    /// What is followed of programs, if they are measured, and what was last seen.
    runs: Option<(Runs, Option<SeenRun>)>,
    /// What is sampled of it, if that is to be.
    bursts: Option<Recorder>,
    /// When it was last said that it is not there.
    warned: Option<Instant>,
    /// Whether that was said since it is gone.
    is_told: bool,
    /// When it was last said which map is read, its number, and whether it was one of several.
    shown: Option<(Instant, u32, bool)>,
}

/// What is known of a map at a moment.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// As [`Watched`] has it.
    pub(super) label: Option<String>,
    pub(super) interface: Option<String>,
    pub(super) resets: u64,
    /// `None` while the map is missing.
    pub(super) sample: Option<Sample>,
    /// Of the program, where it is known and measured.
    pub(super) run: Option<SeenRun>,
    /// Where it is sampled.
    pub(super) burst: Option<Burst>,
}

impl Watched {
    /// `is_one_of_several`, from which it has to be told.
    pub(super) fn new(target: Target, read: Read, is_one_of_several: bool) -> Self {
        let label = is_one_of_several.then(|| target.label());
        let series = Series::default();
        Self { target, label, read, series, runs: None, bursts: None, warned: None, is_told: false, shown: None }
    }

    /// Follows how long programs run, too.
    pub(super) fn with_runs(self) -> Self {
        Self { runs: Some((Runs::default(), None)), ..self }
    }

    /// Shows what the recorder has, too.
    pub(super) fn with_bursts(self, recorder: Recorder) -> Self {
        Self { bursts: Some(recorder), ..self }
    }

    /// Looks at the map, and says in the log what it has.
    ///
    /// # Errors
    ///
    /// What is also a warning, once a minute.
    pub(super) fn look(&mut self, now: Instant) -> Result<(), NoReading> {
        let map = self.target.to_string();
        let resets = self.series.resets();
        match (self.read)() {
            Ok(reading) => {
                debug!(map, ?reading, "read");
                self.show(&reading, now);
                self.follow_program(Some(&reading));
                let sample = self.series.observe(Some(&reading));
                if let Some(line) = sample.and_then(line) {
                    match &self.label {
                        Some(map) => info!(map, "{line}"),
                        None => info!("{line}"),
                    }
                }
                if self.series.resets() > resets {
                    info!(
                        map,
                        id = reading.map.id,
                        "counting began anew: another map, another program, or lower counters"
                    );
                }
                Ok(())
            }
            Err(error) => {
                self.series.observe(None);
                self.follow_program(None);
                if self.warned.is_none_or(|warned| now >= warned + WARN_INTERVAL) {
                    warn!(map, %error, "the map cannot be read, will look again");
                    self.warned = Some(now);
                    self.is_told = true;
                }
                Err(error)
            }
        }
    }

    /// Says which map is read, when that is news.
    fn show(&mut self, reading: &Reading, now: Instant) {
        let (id, is_one_of_several) = (reading.map.id, reading.candidates > 1);
        let is_news = self.shown.is_none_or(|(at, shown, was_one_of_several)| {
            (shown, was_one_of_several) != (id, is_one_of_several) && now >= at + SHOW_INTERVAL
        });
        if !std::mem::take(&mut self.is_told) && !is_news {
            return;
        }
        self.shown = Some((now, id, is_one_of_several));
        let (map, name) = (self.target.to_string(), &*reading.map.name);
        let program = reading.program.as_ref();
        let interfaces = program.map(|program| interfaces(program.id));
        let (program, program_name) = (program.map(|program| program.id), program.map(|program| &*program.name));
        if is_one_of_several {
            let maps = reading.candidates;
            warn!(
                map,
                maps,
                id,
                name,
                program,
                program_name,
                interfaces,
                "several maps could be meant, this one is read; --iface, --pin or --map-id says which"
            );
        } else {
            info!(map, id, name, program, program_name, interfaces, "the map is there");
        }
    }

    /// What is known of it now.
    pub(super) fn seen(&self) -> Seen {
        Seen {
            label: self.label.clone(),
            interface: self.target.interface().map(str::to_owned),
            resets: self.series.resets(),
            sample: self.series.sample().cloned(),
            burst: self.bursts.as_ref().map(|bursts| bursts.look(Instant::now())),
            run: self.runs.as_ref().and_then(|(_, seen)| seen.clone()),
        }
    }

    fn follow_program(&mut self, reading: Option<&Reading>) {
        if let Some((runs, seen)) = &mut self.runs {
            *seen = reading.and_then(|reading| runs.observe(reading.program.as_ref(), reading.time));
        }
    }
}

/// Interfaces of this network namespace that have the program.
fn interfaces(program: u32) -> String {
    let attached = attached().unwrap_or_default().into_iter().filter(|attached| attached.program == program);
    let names: Vec<_> = attached.map(|attached| attached.interface).take(MAX_INTERFACES).collect();
    names.join(",")
}

/// As the scripts that look for it have it, once there is a rate.
fn line(sample: &Sample) -> Option<String> {
    let rate = sample.packets_per_second?;
    let bytes = sample.total.bytes.map(|bytes| format!(" Bytes: {},", grouped(bytes))).unwrap_or_default();
    Some(format!("Stats - Packets: {},{bytes} Rate: {rate:.2} pkt/s", grouped(sample.total.packets)))
}

/// With a comma before each three digits.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::super::fake::{self, Logged};
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in
            [(0, "0"), (999, "999"), (1_234, "1,234"), (567_890, "567,890"), (u64::MAX, "18,446,744,073,709,551,615")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    /// X7 of the contract.
    #[test]
    fn the_line_is_that_of_the_contract() {
        let log = Logged::default();
        let _guard = log.capture();
        let readings = [(0.0, 1_000), (2.0, 1_247)].map(|(seconds, packets)| Ok(fake::reading(7, seconds, packets)));
        let mut watched = Watched::new(Target::Id(7), fake::read(readings), false);
        watched.look(Instant::now()).unwrap();
        assert!(!log.text().contains("Stats"), "there is no rate yet");
        watched.look(Instant::now()).unwrap();
        let text = log.text();
        assert!(text.contains(" Stats - Packets: 1,247, Bytes: 74,820, Rate: 123.50 pkt/s\n"), "{text}");
    }

    #[test]
    fn of_several_maps_the_line_says_which() {
        let log = Logged::default();
        let _guard = log.capture();
        let readings = [(0.0, 1), (1.0, 2)].map(|(seconds, packets)| Ok(fake::reading(7, seconds, packets)));
        let mut watched = Watched::new(Target::Id(7), fake::read(readings), true);
        (0..2).for_each(|_| watched.look(Instant::now()).unwrap());
        assert!(
            log.text().contains("Stats - Packets: 2, Bytes: 120, Rate: 1.00 pkt/s map=\"id=7\"\n"),
            "{}",
            log.text()
        );
        assert_eq!(watched.seen().label.as_deref(), Some("id=7"));
    }

    #[test]
    fn a_missing_map_is_a_warning_each_minute() {
        let log = Logged::default();
        let _guard = log.capture();
        let missing = || Err(NoReading::Missing(anyhow!("there is no map xdp_stats_map")));
        let mut readings: Vec<_> = (0..121).map(|_| missing()).collect();
        readings.push(Ok(fake::reading(8, 0.0, 3)));
        let mut watched = Watched::new(Target::Name("xdp_stats_map".to_owned()), fake::read(readings), false);
        let start = Instant::now();
        for second in 0..121 {
            watched.look(start + Duration::from_secs(second)).unwrap_err();
        }
        assert!(watched.seen().sample.is_none());
        assert_eq!(log.text().matches("there is no map xdp_stats_map").count(), 3, "{}", log.text());
        watched.look(start).unwrap();
        assert!(log.text().contains("the map is there"));
        assert_eq!(watched.seen().sample.unwrap().total.packets, 3);
    }

    /// One that comes and goes says no more than one that is gone.
    #[test]
    fn a_map_that_flaps_floods_no_log() {
        let log = Logged::default();
        let _guard = log.capture();
        let readings: Vec<_> = (0..120)
            .map(|second| match second % 2 {
                0 => Err(NoReading::Missing(anyhow!("there is no map xdp_stats_map"))),
                _ => Ok(fake::reading(8, f64::from(second), 3)),
            })
            .collect();
        let mut watched = Watched::new(Target::Id(8), fake::read(readings), false);
        let start = Instant::now();
        (0..120).for_each(|second| _ = watched.look(start + Duration::from_secs(second)));
        assert_eq!(log.text().matches("there is no map").count(), 2, "{}", log.text());
        assert_eq!(log.text().matches("the map is there").count(), 2, "{}", log.text());
    }

    /// One line for each, though it be read each second and take turns with another.
    #[test]
    fn which_map_is_read_is_said() {
        use xdp_counters::{ProgramFacts, ProgramRun};
        let log = Logged::default();
        let _guard = log.capture();
        let program = ProgramFacts { id: u32::MAX, name: "counts".to_owned(), tag: [1; 8], run: ProgramRun::default() };
        let reading = |second: u32| match second {
            0..20 => Reading { program: Some(program.clone()), ..fake::reading(7, second.into(), 3) },
            20..40 => Reading { candidates: 3, ..fake::reading(8, second.into(), 3) },
            _ => fake::reading(9 + second % 2, second.into(), 3),
        };
        let readings: Vec<_> = (0..80).map(|second| Ok(reading(second))).collect();
        let mut watched = Watched::new(Target::Name("xdp_stats_map".to_owned()), fake::read(readings), false);
        let start = Instant::now();
        (0..80).for_each(|second| watched.look(start + Duration::from_secs(second)).unwrap());
        let text = log.text();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("name=\"xdp_stats_map\"")).collect();
        let map = "map=\"name=xdp_stats_map\"";
        let of_program = "program=4294967295 program_name=\"counts\" interfaces=\"\"";
        let first = format!("the map is there {map} id=7 name=\"xdp_stats_map\" {of_program}");
        assert!(lines[0].contains(" INFO ") && lines[0].ends_with(&first), "{}", lines[0]);
        let which = "several maps could be meant, this one is read; --iface, --pin or --map-id says which";
        let second = format!("{which} {map} maps=3 id=8 name=\"xdp_stats_map\"");
        assert!(lines[1].contains(" WARN ") && lines[1].ends_with(&second), "{}", lines[1]);
        assert_eq!(lines.len(), 6, "at 40, 51, 62 and 73 s too: {lines:#?}");
    }

    #[test]
    fn a_map_that_is_replaced_is_said() {
        let log = Logged::default();
        let _guard = log.capture();
        let readings = [(7, 0.0, 100), (8, 1.0, 5), (8, 2.0, 6)];
        let readings = readings.map(|(id, seconds, packets)| Ok(fake::reading(id, seconds, packets)));
        let mut watched = Watched::new(Target::Name("xdp_stats_map".to_owned()), fake::read(readings), false);
        (0..3).for_each(|_| watched.look(Instant::now()).unwrap());
        assert_eq!(watched.seen().resets, 1);
        assert_eq!(log.text().matches("counting began anew").count(), 1);
        assert_eq!(log.text().matches("Stats - ").count(), 1);
    }
}
