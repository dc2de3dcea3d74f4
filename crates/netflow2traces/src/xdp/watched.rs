//! One map that is read again and again.

use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use xdp_counters::{Reading, Sample, Series};

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
        Self { target, label, read, series: Series::default(), runs: None, bursts: None, warned: None, is_told: false }
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
                if std::mem::take(&mut self.is_told) {
                    info!(map, id = reading.map.id, "the map is there");
                }
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
