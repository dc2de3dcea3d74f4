//! Maps that are not there, for tests.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant, SystemTime};

use tracing::subscriber::DefaultGuard;
use xdp_counters::{Counter, Key, MapFacts, MapKind, Reading};

use super::watched::{NoReading, Read};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Packets of 60 bytes in a map, some seconds after the start.
pub(super) fn reading(id: u32, seconds: f64, packets: u64) -> Reading {
    with_counters(id, seconds, &[(Key::Bytes(vec![0; 4]), packets, Some(packets * 60))])
}

pub(super) fn with_counters(id: u32, seconds: f64, counters: &[(Key, u64, Option<u64>)]) -> Reading {
    let counters = counters.iter().cloned();
    Reading {
        map: MapFacts {
            id,
            name: "xdp_stats_map".to_owned(),
            kind: MapKind::PERCPU_ARRAY,
            key_size: 4,
            value_size: 16,
            max_entries: 5,
        },
        program: None,
        candidates: 1,
        at: *START + Duration::from_secs_f64(seconds),
        time: time(seconds),
        counters: counters.map(|(key, packets, bytes)| Counter { key, packets, bytes }).collect(),
    }
}

pub(super) fn time(seconds: f64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) + Duration::from_secs_f64(seconds)
}

/// Gives these, and after them what is no reading.
pub(super) fn read<I>(readings: I) -> Read
where
    I: IntoIterator<Item = Result<Reading, NoReading>>,
    I::IntoIter: Send + 'static,
{
    let mut readings = readings.into_iter();
    Box::new(move || readings.next().unwrap_or_else(|| Err(NoReading::Missing(anyhow::anyhow!("no more readings")))))
}

/// The log of a test's thread.
#[derive(Clone, Default)]
pub(super) struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    pub(super) fn capture(&self) -> DefaultGuard {
        let log = self.clone();
        let lines = tracing_subscriber::fmt().with_writer(move || log.clone()).with_ansi(false).finish();
        tracing::subscriber::set_default(lines)
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
