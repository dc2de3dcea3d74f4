use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::config::{OtlpConfig, Output, Protocol, SinkConfig};
use crate::output::OutputState;
use crate::queue::{Batch, Sender};
use crate::stats::{OutputStats, SpoolStats};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn config(&self) -> SpoolConfig {
        SpoolConfig { sync: SpoolSync::Never, ..SpoolConfig::new(self.0.path().join("spool")) }
    }

    fn open(&self) -> Spool {
        Spool::open(self.config()).unwrap()
    }

    /// The segments, in order.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.0.path().join("spool")).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = entries.filter(|path| path.extension().is_some()).collect();
        files.sort();
        files
    }
}

/// A request that cannot be compressed to nothing and can be told from others.
fn request(number: u64) -> Vec<u8> {
    (0..20).flat_map(|index| (number * 1000 + index * index).to_be_bytes()).collect()
}

fn append(spool: &mut Spool, numbers: impl IntoIterator<Item = u64>) {
    for number in numbers {
        spool.append(&request(number), number, number, false).unwrap();
    }
}

/// The numbers of all requests that can be read, which have to be right.
fn read_all(spool: &mut Spool) -> Vec<u64> {
    let mut numbers = Vec::new();
    while let Some(loaded) = spool.next(0).unwrap() {
        assert_eq!((&*loaded.request, loaded.created), (&*request(loaded.spans), loaded.spans));
        numbers.push(loaded.spans);
    }
    numbers
}

#[test]
fn requests_come_back_in_order_after_a_restart() {
    let folder = Folder::new();
    let mut spool = folder.open();
    append(&mut spool, 1..=5);
    assert_eq!((spool.unread_records(), spool.unread_spans()), (5, 15));
    assert_eq!(spool.next(0).unwrap().unwrap().spans, 1);
    // The first was taken and never settled.
    drop(spool);
    let mut spool = folder.open();
    assert_eq!((spool.unread_records(), spool.unread_spans(), spool.damaged_bytes()), (5, 15, 0));
    append(&mut spool, 6..=7);
    assert_eq!(read_all(&mut spool), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(spool.take_lost(), []);
}

#[test]
fn what_is_done_does_not_come_again_and_leaves_nothing() {
    let folder = Folder::new();
    let mut spool = folder.open();
    append(&mut spool, 1..=3);
    let records: Vec<_> = std::iter::from_fn(|| spool.next(0).unwrap()).map(|loaded| loaded.record).collect();
    spool.done(records[1]);
    drop(spool);
    let mut spool = folder.open();
    let records: Vec<_> =
        std::iter::from_fn(|| spool.next(0).unwrap()).map(|loaded| (loaded.spans, loaded.record)).collect();
    assert_eq!(records.iter().map(|(spans, _)| *spans).collect::<Vec<_>>(), [1, 3]);
    for (_, record) in records {
        spool.done(record);
        spool.done(record);
    }
    assert_eq!((spool.bytes(), folder.files().len()), (0, 0));
    append(&mut spool, [4]);
    assert_eq!(read_all(&mut spool), [4]);
}

/// A record that is held belongs to somebody, and comes back only after a restart.
#[test]
fn held_records_are_not_read() {
    let folder = Folder::new();
    let mut spool = folder.open();
    let held = spool.append(&request(1), 1, 1, true).unwrap();
    append(&mut spool, [2]);
    assert_eq!(read_all(&mut spool), [2]);
    spool.done(held);
    assert_eq!(folder.files().len(), 1, "the second is held now");
    drop(spool);
    assert_eq!(read_all(&mut folder.open()), [2]);
}

#[test]
fn one_process_has_a_directory() {
    let folder = Folder::new();
    let spool = folder.open();
    let error = Spool::open(folder.config()).unwrap_err();
    assert_eq!(error.to_string(), "another process or output uses it");
    drop(spool);
    folder.open();
}

#[test]
fn foreign_files_are_left_alone() {
    let folder = Folder::new();
    drop(folder.open());
    for name in ["notes.txt", "0000000000000000-00.spool", "x.spool", "-.spool"] {
        fs::write(folder.0.path().join("spool").join(name), "mine").unwrap();
    }
    let mut spool = folder.open();
    append(&mut spool, [1]);
    assert_eq!(read_all(&mut spool), [1]);
    assert_eq!((folder.files().len(), spool.damaged_bytes()), (5, 0));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    append(&mut folder.open(), [1]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&folder.0.path().join("spool")), 0);
    assert_eq!(mode(&folder.files()[0]), 0);
}

/// Every byte of a spool flipped, and every length it can be cut to: what is read is right, and only what was hit is missing.
#[test]
fn damage_costs_what_it_hits() {
    let folder = Folder::new();
    let mut spool = folder.open();
    append(&mut spool, 1..=4);
    let records: Vec<_> = std::iter::from_fn(|| spool.next(0).unwrap()).map(|loaded| loaded.record).collect();
    // The second is done: damage may bring it back, but nothing else.
    spool.done(records[1]);
    let starts: Vec<_> = records.iter().map(|record| record.offset as usize).collect();
    drop(spool);
    let path = folder.files().remove(0);
    let whole = fs::read(&path).unwrap();
    let hit = |at: usize| starts.iter().rposition(|start| *start <= at).unwrap() as u64 + 1;

    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= flip;
            fs::write(&path, &damaged).unwrap();
            let mut spool = folder.open();
            let known: u64 = spool.unread_spans();
            let read: BTreeSet<_> = read_all(&mut spool).into_iter().collect();
            let expected: BTreeSet<_> = [1, 3, 4].into_iter().filter(|number| *number != hit(at)).collect();
            assert!(read.is_superset(&expected), "byte {at}: {read:?}");
            let more: Vec<_> = read.difference(&expected).copied().collect();
            // A flipped word of state takes nothing away.
            let state = starts[hit(at) as usize - 1] + 4..starts[hit(at) as usize - 1] + 8;
            assert_eq!(more, if state.contains(&at) { vec![hit(at)] } else { vec![] }, "byte {at}");
            // What was known of and is not read is counted.
            let lost: u64 = spool.take_lost().iter().map(|(_, spans)| spans).sum();
            assert_eq!(known, read.iter().sum::<u64>() + lost, "byte {at}");
            assert!(state.contains(&at) || spool.damaged_bytes() > 0 || hit(at) == 2, "byte {at}");
        }
    }
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let mut spool = folder.open();
        let whole_records = starts.iter().skip(1).chain([&whole.len()]).filter(|end| **end <= len).count() as u64;
        let expected: Vec<_> = [1, 3, 4].into_iter().filter(|number| *number <= whole_records).collect();
        assert_eq!(read_all(&mut spool), expected, "cut to {len}");
        // Something is written behind what was cut.
        append(&mut spool, [5]);
        assert_eq!(read_all(&mut spool), [5], "cut to {len}");
        drop(spool);
        folder.files().iter().filter(|file| **file != path).for_each(|file| fs::remove_file(file).unwrap());
    }
}

/// What systems leave behind after a loss of power: zeros, or what another file had there.
#[test]
fn a_tail_that_never_was_written_is_cut_off() {
    let folder = Folder::new();
    append(&mut folder.open(), 1..=2);
    let path = folder.files().remove(0);
    let whole = fs::read(&path).unwrap();
    for tail in [vec![0; 5000], whole.clone(), b"OSR1".repeat(300)] {
        fs::write(&path, [&whole[..], &tail].concat()).unwrap();
        let mut spool = folder.open();
        assert_eq!(read_all(&mut spool), [1, 2]);
        assert_eq!(spool.damaged_bytes(), tail.len() as u64);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}

/// A span that holds the bytes of a spool, as a hostile exporter could send them, changes nothing.
#[test]
fn records_within_a_request_are_not_taken_for_records() {
    let folder = Folder::new();
    let mut spool = folder.open();
    append(&mut spool, [1]);
    let bytes = fs::read(&folder.files()[0]).unwrap();
    spool.append(&bytes.repeat(3), 7, 7, false).unwrap();
    append(&mut spool, [2]);
    drop(spool);
    let path = folder.files().remove(0);
    let mut whole = fs::read(&path).unwrap();
    // The header of the one that holds them is damaged, so that its bytes are searched.
    whole[bytes.len() + 20] ^= 1;
    fs::write(&path, whole).unwrap();
    assert_eq!(read_all(&mut folder.open()), [1, 2]);
}

#[test]
fn the_oldest_make_room_for_the_newest() {
    let folder = Folder::new();
    let config = SpoolConfig { max_bytes: 4000, ..folder.config() };
    let mut spool = Spool::open(config).unwrap();
    append(&mut spool, 1..=100);
    let files: u64 = folder.files().iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(spool.bytes() <= 4000 && spool.bytes() == files);
    let lost = spool.take_lost();
    assert!(lost.iter().all(|(reason, _)| *reason == DropReason::SpoolFull));
    let read = read_all(&mut spool);
    assert!(read.len() > 15, "{read:?}");
    assert_eq!(read, (100 - read.len() as u64 + 1..=100).collect::<Vec<_>>());
    assert_eq!(lost.iter().map(|(_, spans)| spans).sum::<u64>() + read.iter().sum::<u64>(), 5050);
    // What never fits is not a reason to drop the others.
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(5000).collect();
    assert!(matches!(spool.append(&noise, 1, 1, false), Err(AppendError::Full)));
    assert_eq!(spool.take_lost(), []);
}

#[test]
fn the_newest_are_refused_where_that_is_wanted() {
    let folder = Folder::new();
    let config = SpoolConfig { max_bytes: 1000, when_full: SpoolFull::DropNewest, ..folder.config() };
    let mut spool = Spool::open(config).unwrap();
    let mut kept = 0;
    while spool.append(&request(kept + 1), kept + 1, kept + 1, false).is_ok() {
        kept += 1;
    }
    assert_eq!(read_all(&mut spool), (1..=kept).collect::<Vec<_>>());
    assert!(spool.bytes() <= 1000 && kept > 3);
}

#[test]
fn what_is_too_old_is_dropped_before_and_while_it_is_read() {
    let folder = Folder::new();
    let config = SpoolConfig { max_bytes: 4000, ..folder.config() };
    let mut spool = Spool::open(config).unwrap();
    append(&mut spool, 1..=20);
    let files = folder.files().len();
    spool.expire(10);
    assert!(folder.files().len() < files && spool.unread_spans() > 0);
    let read: Vec<_> = std::iter::from_fn(|| spool.next(10).unwrap()).map(|loaded| loaded.spans).collect();
    assert_eq!(read, (10..=20).collect::<Vec<_>>());
    let lost = spool.take_lost();
    assert!(lost.iter().all(|(reason, _)| *reason == DropReason::Expired));
    assert_eq!(lost.iter().map(|(_, spans)| spans).sum::<u64>(), 45);
}

/// Many segments: only the ones being read and written are known by record.
#[test]
fn memory_does_not_grow_with_what_is_on_disk() {
    let folder = Folder::new();
    let config = SpoolConfig { max_bytes: 100_000, ..folder.config() };
    let mut spool = Spool::open(config).unwrap();
    for number in 1..=300 {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(250).collect();
        spool.append(&noise, number, number, false).unwrap();
    }
    let known = |spool: &Spool| spool.segments.iter().filter(|segment| segment.index.is_some()).count();
    assert!(spool.segments.len() > 5);
    assert_eq!(known(&spool), 2);
    let mut expected = 1;
    while let Some(loaded) = spool.next(0).unwrap() {
        assert_eq!(loaded.spans, expected);
        expected += 1;
        assert!(known(&spool) <= 3);
        spool.done(loaded.record);
    }
    assert_eq!((expected, spool.segments.len()), (301, 0));
}

/// A directory that is taken away is an error for each request, and works again when it is back.
#[test]
fn writing_goes_on_when_it_can() {
    let folder = Folder::new();
    let mut spool = folder.open();
    let directory = folder.0.path().join("spool");
    fs::remove_dir_all(&directory).unwrap();
    let error = spool.append(&request(1), 1, 1, false).unwrap_err();
    assert!(matches!(error, AppendError::Io(error) if error.kind() == io::ErrorKind::NotFound));
    assert_eq!((spool.unread_spans(), spool.bytes()), (0, 0));
    fs::create_dir(&directory).unwrap();
    append(&mut spool, [2]);
    assert_eq!(read_all(&mut spool), [2]);
}

/// A segment that vanishes costs its spans, counted.
#[test]
fn a_segment_that_is_gone_is_counted() {
    let folder = Folder::new();
    append(&mut folder.open(), 1..=3);
    let mut spool = folder.open();
    append(&mut spool, [4]);
    fs::remove_file(&folder.files()[0]).unwrap();
    assert_eq!(read_all(&mut spool), [4]);
    assert_eq!(spool.take_lost(), [(DropReason::Damaged, 6)]);
    assert_eq!(spool.unread_spans(), 0);
}

/// A directory that cannot be read now, for want of file descriptors or because of a device that does not answer, is no damage.
#[test]
fn what_cannot_be_read_now_is_read_later() {
    let folder = Folder::new();
    append(&mut folder.open(), 1..=3);
    for is_index_known in [false, true] {
        let mut spool = folder.open();
        if is_index_known {
            spool.read_index(0).unwrap();
        }
        // A directory in its place cannot be opened for writing, nor be read as a file.
        let path = folder.files().remove(0);
        let aside = folder.0.path().join("aside");
        fs::rename(&path, &aside).unwrap();
        fs::create_dir(&path).unwrap();
        for _ in 0..2 {
            assert_eq!(spool.next(0).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        }
        assert_eq!((spool.unread_spans(), spool.take_lost()), (6, vec![]));
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
        assert_eq!(read_all(&mut spool), [1, 2, 3]);
        assert_eq!(spool.damaged_bytes(), 0);
    }
}

#[test]
fn damage_is_counted_once() {
    let folder = Folder::new();
    append(&mut folder.open(), 1..=3);
    let path = folder.files().remove(0);
    let mut whole = fs::read(&path).unwrap();
    let first = whole.len() as u64 / 3;
    whole[20] ^= 1;
    whole.extend([0; 7]);
    fs::write(&path, &whole).unwrap();
    let mut spool = folder.open();
    let at_start = spool.damaged_bytes();
    assert!((first - 5..first + 15).contains(&at_start), "{at_start}, of records of {first}");
    assert_eq!(read_all(&mut spool), [2, 3]);
    assert_eq!(spool.damaged_bytes(), at_start);
}

/// A worker and the queue it is for.
struct Running {
    output: Arc<OutputState>,
    sender: Sender,
    thread: std::thread::JoinHandle<()>,
}

impl Running {
    fn start(config: &SpoolConfig) -> Self {
        let mut otlp = OtlpConfig::new(Protocol::Grpc, "a:1").unwrap();
        otlp.spool = Some(config.clone());
        let sink = SinkConfig::default().with_output(Output::Otlp(otlp));
        let output = Arc::new(OutputState::new(&sink.outputs[0], &sink));
        let sender = output.queue.clone().sender();
        let worker = worker::Worker::new(Spool::open(config.clone()).unwrap(), output.clone(), None);
        let thread = std::thread::spawn(move || worker.run());
        Self { output, sender, thread }
    }

    fn push(&self, number: u64, spans: u64) {
        self.output.push(Batch::new(request(number).into(), spans));
    }

    /// Waits until a condition of the statistics holds.
    fn wait_until(&self, condition: impl Fn(&SpoolStats) -> bool) {
        let start = std::time::Instant::now();
        while !condition(&self.output.stats().spool.unwrap()) {
            assert!(start.elapsed() < Duration::from_secs(20), "{:?}", self.output.stats());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn end(self) -> OutputStats {
        self.output.queue.close(DropReason::Shutdown);
        drop(self.sender);
        self.thread.join().unwrap();
        self.output.stats()
    }
}

/// The spool overflows in an outage, and drops the copies of what is in flight first; then the program ends.
#[tokio::test]
async fn the_report_says_what_is_on_disk() {
    let folder = Folder::new();
    let config = SpoolConfig { max_bytes: 4000, ..folder.config() };
    let running = Running::start(&config);
    let mut flights = Vec::new();
    // All at once: after a failure the spool may take the next before it is popped.
    for number in 1..=3 {
        running.push(number, 1);
        flights.push(running.output.queue.pop().await.unwrap());
    }
    for (flight, number) in flights.iter().zip(1..) {
        running.output.queue.failed(flight);
        running.wait_until(|stats| stats.copied == number);
    }
    for number in 4..=100 {
        running.push(number, 1);
        running.wait_until(|stats| stats.written >= number);
    }
    running.wait_until(|stats| stats.copied == 0);
    running.output.queue.failed(&flights[0]);
    running.wait_until(|stats| stats.copied == 1);
    let stats = running.end();
    let spooled = stats.spool.unwrap().spans;
    assert_eq!((stats.queued_spans, stats.in_flight_spans), (0, 0));
    assert_eq!(spooled + stats.dropped_total(), 100);
    let read = read_numbers(&config);
    assert_eq!(read.len() as u64, spooled, "what the report says is in the spool");
    assert!([1, 2, 3].iter().all(|number| read.contains(number)), "what was in flight is the last to go");
}

fn read_numbers(config: &SpoolConfig) -> Vec<u64> {
    let mut spool = Spool::open(config.clone()).unwrap();
    std::iter::from_fn(|| spool.next(0).unwrap())
        .map(|loaded| (1..=100).find(|number| *loaded.request == *request(*number)).unwrap())
        .collect()
}

/// One half is delivered, the other fails; after a restart only the other comes.
#[tokio::test]
async fn a_half_that_was_delivered_does_not_come_again() {
    let folder = Folder::new();
    let config = folder.config();
    let running = Running::start(&config);
    running.push(1, 10);
    let flight = running.output.queue.pop().await.unwrap();
    running.output.queue.failed(&flight);
    running.wait_until(|stats| stats.copied == 10);
    let halves = [2, 3].map(|number| Batch::new(request(number).into(), 5));
    let [first, second] = running.output.queue.split(&flight, halves);
    running.output.exported(&first, 0);
    running.output.queue.failed(&second);
    let stats = running.end();
    assert_eq!((stats.exported, stats.spool.unwrap().spans), (5, 5));
    assert_eq!(read_numbers(&config), [3]);
}
