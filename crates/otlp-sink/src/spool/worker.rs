//! The thread that moves batches between the memory of an output and its spool.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tracing::{error, info};

use super::{AppendError, Spool, SpoolSync};
use crate::occasionally::Occasionally;
use crate::output::OutputState;
use crate::queue::{Job, Spill, SpoolReport, View, unix_millis};
use crate::stats::{DropReason, SpoolStats};

/// How long nothing is written after a failure. Meanwhile spans wait in memory, as without a spool.
const PAUSE_AFTER_ERROR: Duration = Duration::from_secs(5);

/// The same after the limit was met.
const PAUSE_WHEN_FULL: Duration = Duration::from_secs(1);

/// How often the age of what is there is looked at.
const TICK: Duration = Duration::from_secs(5);

/// Everything that touches the files of one output.
#[derive(Debug)]
pub(crate) struct Worker {
    spool: Spool,
    output: Arc<OutputState>,
    max_age: Option<Duration>,
    /// Spans of earlier runs.
    recovered: u64,
    written: u64,
    /// Until when nothing is written.
    paused: Option<Instant>,
    /// Until when nothing is read.
    reading_paused: Option<Instant>,
    is_full: bool,
    gave_up: bool,
    synced: Instant,
    failures: Occasionally,
}

impl Worker {
    /// Tells the queue what an earlier run left in the spool, which therefore comes first.
    pub(crate) fn new(spool: Spool, output: Arc<OutputState>, max_age: Option<Duration>) -> Self {
        let recovered = spool.unread_spans();
        if recovered > 0 {
            let (output, bytes) = (&output.name, spool.bytes());
            info!(output, spans = recovered, bytes, "the spool has spans of an earlier run");
        }
        let (written, synced, failures) = (0, Instant::now(), Occasionally::default());
        let (paused, reading_paused, is_full, gave_up) = Default::default();
        let mut worker = Self {
            spool,
            output,
            max_age,
            recovered,
            written,
            paused,
            reading_paused,
            is_full,
            gave_up,
            synced,
            failures,
        };
        worker.report(Vec::new(), None);
        worker
    }

    /// Works until nobody delivers any more and everything is written.
    pub(crate) fn run(mut self) {
        loop {
            let (mut spills, mut loaded) = Default::default();
            match self.output.queue.job(&self.view()) {
                Job::Forget(records) => {
                    records.into_iter().for_each(|record| self.spool.done(record));
                    // There may be room again.
                    self.paused = self.paused.filter(|_| !self.is_full);
                }
                Job::Write(batches) => spills = self.write(batches),
                Job::Read => loaded = self.read(),
                Job::Tick => {}
                Job::End => break,
            }
            if self.max_age.is_some() {
                self.spool.expire(self.oldest());
            }
            if self.sync_due() == Some(Duration::ZERO) {
                self.sync();
            }
            self.report(spills, loaded);
        }
        if self.spool.config().sync != SpoolSync::Never {
            self.sync();
        }
    }

    fn view(&self) -> View {
        let left = |until: Option<Instant>| {
            until.map(|until| until.saturating_duration_since(Instant::now())).filter(|pause| !pause.is_zero())
        };
        let (pause, reading_pause) = (left(self.paused), left(self.reading_paused));
        let wake_after = [pause, reading_pause, self.sync_due()].into_iter().flatten().min();
        View {
            can_write: pause.is_none(),
            can_read: reading_pause.is_none(),
            gave_up: self.gave_up,
            next_len: self.spool.next_len(),
            wake_after: wake_after.unwrap_or(TICK).min(TICK),
        }
    }

    /// How long until what was written has to be synced, if anything was.
    fn sync_due(&self) -> Option<Duration> {
        let SpoolSync::Interval(interval) = self.spool.config().sync else { return None };
        (!self.spool.is_synced()).then(|| interval.saturating_sub(self.synced.elapsed()))
    }

    /// Unix time in milliseconds before which records are too old.
    fn oldest(&self) -> u64 {
        let oldest = self.max_age.and_then(|max_age| SystemTime::now().checked_sub(max_age));
        oldest.map_or(0, unix_millis)
    }

    fn write(&mut self, mut spills: Vec<Spill>) -> Vec<Spill> {
        let was_synced = self.spool.is_synced();
        for spill in &mut spills {
            let batch = &spill.batch;
            match self.spool.append(&batch.request, batch.spans, batch.created, spill.is_held()) {
                Ok(record) => {
                    spill.record = Some(record);
                    self.written += batch.spans;
                    (self.is_full, self.paused) = (false, None);
                }
                Err(error) => {
                    self.failed(&error);
                    break;
                }
            }
        }
        match self.spool.config().sync {
            SpoolSync::Batch => self.sync(),
            // The interval begins with the first write.
            SpoolSync::Interval(_) if was_synced => self.synced = Instant::now(),
            _ => {}
        }
        spills
    }

    fn read(&mut self) -> Option<super::Loaded> {
        match self.spool.next(self.oldest()) {
            Ok(loaded) => {
                self.reading_paused = None;
                loaded
            }
            Err(error) => {
                self.reading_paused = Some(Instant::now() + PAUSE_AFTER_ERROR);
                if let Some(repeats) = self.failures.permit() {
                    let output = &self.output.name;
                    error!(output, %error, repeats, "cannot read the spool, will try again");
                }
                None
            }
        }
    }

    fn sync(&mut self) {
        self.synced = Instant::now();
        if let Err(error) = self.spool.sync() {
            self.failed(&AppendError::Io(error));
        }
    }

    /// What is not written stays in memory, until it is full too.
    fn failed(&mut self, error: &AppendError) {
        self.is_full = matches!(error, AppendError::Full);
        let pause = if self.is_full { PAUSE_WHEN_FULL } else { PAUSE_AFTER_ERROR };
        self.paused = Some(Instant::now() + pause);
        self.gave_up = self.output.queue.is_over();
        let Some(repeats) = self.failures.permit() else { return };
        let output = &self.output.name;
        match error {
            AppendError::Full => {
                error!(output, bytes = self.spool.bytes(), repeats, "the spool is full, spans wait in memory alone");
            }
            AppendError::Io(error) => {
                error!(output, %error, repeats, "cannot write to the spool, spans wait in memory alone");
            }
        }
    }

    fn report(&mut self, spills: Vec<Spill>, loaded: Option<super::Loaded>) {
        let mut reason = DropReason::SpoolFull;
        for (lost, spans) in self.spool.take_lost() {
            self.output.lost(lost, spans);
            reason = lost;
        }
        let stats = SpoolStats {
            spans: self.spool.unread_spans(),
            copied: 0,
            bytes: self.spool.bytes(),
            max_bytes: self.spool.config().max_bytes,
            written: self.written,
            recovered: self.recovered,
            damaged_bytes: self.spool.damaged_bytes(),
            is_writable: self.paused.is_none(),
        };
        let dropped = self.spool.take_dropped();
        let now = SpoolReport { dropped, unread: self.spool.unread_records(), is_full: self.is_full, stats };
        match self.output.queue.report(spills, loaded, now) {
            0 => {}
            lost => self.output.lost(reason, lost),
        }
    }
}
