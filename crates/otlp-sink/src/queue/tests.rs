use super::*;

fn batch(len: usize, spans: u64) -> Batch {
    Batch::new(vec![0; len].into(), spans)
}

fn spans(flight: Option<Flight>) -> u64 {
    flight.unwrap().batch.spans
}

#[tokio::test]
async fn bytes_in_flight_count_until_settled() {
    let queue = Queue::new(100, 0);
    queue.push(batch(60, 6)).unwrap();
    queue.push(batch(40, 4)).unwrap();
    assert_eq!(queue.push(batch(1, 1)), Err(DropReason::QueueFull));
    let first = queue.pop().await.unwrap();
    assert_eq!(queue.held(), Held { queued_spans: 4, in_flight_spans: 6, bytes: 100 });
    assert_eq!(queue.push(batch(1, 1)), Err(DropReason::QueueFull));
    queue.settle(&first);
    queue.push(batch(60, 1)).unwrap();
}

#[tokio::test]
async fn parts_are_held_in_place_of_their_batch() {
    let queue = Queue::new(100, 0);
    queue.push(batch(60, 6)).unwrap();
    let whole = queue.pop().await.unwrap();
    let parts = queue.split(&whole, [batch(35, 3), batch(36, 3)]);
    assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 6, bytes: 71 });
    parts.iter().for_each(|part| queue.settle(part));
    assert_eq!(queue.held(), Held::default());
}

#[tokio::test]
async fn a_closed_queue_gives_what_it_has_and_takes_nothing() {
    let queue = Queue::new(100, 0);
    queue.push(batch(1, 1)).unwrap();
    queue.push(batch(1, 2)).unwrap();
    queue.close(DropReason::Shutdown);
    assert_eq!(queue.push(batch(1, 1)), Err(DropReason::Shutdown));
    assert_eq!((spans(queue.pop().await), spans(queue.pop().await)), (1, 2));
    assert!(queue.pop().await.is_none());
}

#[tokio::test]
async fn closing_wakes_who_waits() {
    let queue = Queue::new(100, 0);
    let (popped, ()) = tokio::join!(queue.pop(), async { queue.close(DropReason::Shutdown) });
    assert!(popped.is_none());
}

#[tokio::test]
async fn discarding_forgets_the_waiting_only() {
    let queue = Queue::new(100, 0);
    queue.push(batch(10, 1)).unwrap();
    queue.push(batch(20, 2)).unwrap();
    let first = queue.pop().await.unwrap();
    assert_eq!(queue.discard(DropReason::Closed), 2);
    assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 1, bytes: 10 });
    queue.settle(&first);
    assert_eq!(queue.held(), Held::default());
    assert!(queue.pop().await.is_none());
}

fn view() -> View {
    View { can_write: true, can_read: true, gave_up: false, next_len: 0, wake_after: Duration::from_millis(1) }
}

fn record(offset: u64) -> RecordId {
    RecordId::at(offset)
}

/// The batches of a job to write, written.
fn written(job: Job, first_record: u64) -> Vec<Spill> {
    let Job::Write(mut spills) = job else { panic!("{job:?}") };
    for (spill, offset) in spills.iter_mut().zip(first_record..) {
        spill.record = Some(record(offset));
    }
    spills
}

fn unread(unread: u64) -> SpoolReport {
    SpoolReport { unread, ..SpoolReport::default() }
}

#[test]
fn memory_is_enough_while_all_goes_well() {
    let queue = Queue::new(100, 2);
    queue.push(batch(25, 1)).unwrap();
    queue.push(batch(25, 2)).unwrap();
    assert!(matches!(queue.job(&view()), Job::Tick));
    queue.push(batch(25, 4)).unwrap();
    let spills = written(queue.job(&view()), 0);
    assert_eq!(spills.len(), 1, "the oldest, down to half of the memory");
    assert_eq!(queue.held(), Held { queued_spans: 7, in_flight_spans: 0, bytes: 75 });
    queue.report(spills, None, unread(1));
    assert_eq!(queue.held(), Held { queued_spans: 6, in_flight_spans: 0, bytes: 50 });
}

/// A receiver that is slow: what is under way takes memory too.
#[tokio::test]
async fn a_quarter_of_the_memory_stays_free() {
    let queue = Queue::new(100, 2);
    queue.push(batch(50, 1)).unwrap();
    let _flight = queue.pop().await.unwrap();
    queue.push(batch(25, 2)).unwrap();
    assert!(matches!(queue.job(&view()), Job::Tick));
    queue.push(batch(10, 4)).unwrap();
    let spills = written(queue.job(&view()), 0);
    assert_eq!(spills.iter().map(|spill| spill.batch.spans).collect::<Vec<_>>(), [2]);
    queue.report(spills, None, unread(1));
    assert_eq!(queue.held().bytes, 60);
}

#[tokio::test]
async fn the_order_is_kept_through_the_spool() {
    let queue = Queue::new(1000, 2);
    queue.push(batch(1, 1)).unwrap();
    queue.push(batch(1, 2)).unwrap();
    let first = queue.pop().await.unwrap();
    queue.failed(&first);
    // The batch in flight as well as the waiting one.
    let spills = written(queue.job(&view()), 0);
    assert_eq!(spills.iter().map(Spill::is_held).collect::<Vec<_>>(), [true, false]);
    queue.push(batch(1, 3)).unwrap();
    assert!(matches!(queue.try_pop(), Take::Wait), "an older one is on its way to the spool");
    queue.report(spills, None, unread(1));
    queue.succeeded();
    queue.settle(&first);
    let Job::Forget(records) = queue.job(&view()) else { panic!("the first was delivered") };
    assert_eq!(records, [record(0)]);
    // Behind what the spool has, whether or not it fails now.
    let spills = written(queue.job(&view()), 2);
    queue.report(spills, None, unread(2));
    assert!(matches!(queue.try_pop(), Take::Wait));
    for (spans, left) in [(2, 1), (3, 0)] {
        assert!(matches!(queue.job(&view()), Job::Read));
        let loaded = Loaded { record: record(spans - 1), request: vec![0].into(), spans, created: 0 };
        queue.report(Vec::new(), Some(loaded), unread(left));
    }
    queue.push(batch(1, 4)).unwrap();
    assert_eq!([spans(queue.pop().await), spans(queue.pop().await), spans(queue.pop().await)], [2, 3, 4]);
}

#[tokio::test]
async fn what_could_not_be_written_waits_in_its_place() {
    let queue = Queue::new(100, 2);
    for spans in [1, 2, 4] {
        queue.push(batch(30, spans)).unwrap();
    }
    let first = queue.pop().await.unwrap();
    queue.failed(&first);
    let Job::Write(spills) = queue.job(&view()) else { panic!("an outage") };
    assert_eq!(spills.len(), 3);
    queue.report(spills, None, SpoolReport { is_full: true, ..unread(0) });
    assert_eq!(queue.held(), Held { queued_spans: 6, in_flight_spans: 1, bytes: 90 });
    assert_eq!(queue.push(batch(30, 8)), Err(DropReason::SpoolFull));
    assert_eq!((spans(queue.pop().await), spans(queue.pop().await)), (2, 4));
}

/// Parts get copies of their own; that of the whole is forgotten when none of them needs it.
#[tokio::test]
async fn parts_have_copies_of_their_own() {
    let queue = Queue::new(100, 2);
    queue.push(batch(10, 4)).unwrap();
    let whole = queue.pop().await.unwrap();
    queue.failed(&whole);
    queue.report(written(queue.job(&view()), 5), None, unread(0));
    let [first, second] = queue.split(&whole, [batch(6, 2), batch(6, 2)]);
    let [third, fourth] = queue.split(&second, [batch(4, 1), batch(4, 1)]);
    queue.settle(&first);
    let spills = written(queue.job(&view()), 6);
    assert_eq!(spills.len(), 2, "the parts that are left");
    queue.settle(&third);
    assert!(matches!(queue.job(&View { can_write: false, ..view() }), Job::Tick), "the whole is needed");
    let third_record = spills.iter().find(|spill| spill.ticket == Some(third.ticket)).unwrap().record.unwrap();
    let fourth_record = spills.iter().find(|spill| spill.ticket == Some(fourth.ticket)).unwrap().record.unwrap();
    queue.report(spills, None, unread(0));
    let forgotten = |expected: &mut [RecordId]| {
        let Job::Forget(mut records) = queue.job(&view()) else { panic!("nothing is forgotten") };
        records.sort_unstable_by_key(RecordId::offset);
        expected.sort_unstable_by_key(RecordId::offset);
        assert_eq!(records, expected);
    };
    forgotten(&mut [record(5), third_record]);
    queue.settle(&fourth);
    forgotten(&mut [fourth_record]);
    assert_eq!(queue.held(), Held::default());
}

/// A full spool may drop what it had given out: what is in flight is written again if it fails, what waits to fly is lost.
#[tokio::test]
async fn copies_that_are_dropped_are_made_again() {
    let queue = Queue::new(1000, 2);
    for number in 0..2 {
        queue.report(Vec::new(), None, unread(1));
        let loaded = Loaded { record: record(number), request: vec![0; 10].into(), spans: 1 + number, created: 0 };
        queue.report(Vec::new(), Some(loaded), unread(0));
    }
    let flight = queue.pop().await.unwrap();
    assert_eq!(queue.spool_stats().unwrap().copied, 3);
    let lost = queue.report(Vec::new(), None, SpoolReport { dropped: vec![record(0), record(1)], ..unread(0) });
    assert_eq!((lost, queue.spool_stats().unwrap().copied), (2, 0));
    assert_eq!(queue.held(), Held { queued_spans: 0, in_flight_spans: 1, bytes: 10 });
    assert!(matches!(queue.job(&view()), Job::Tick));
    queue.failed(&flight);
    assert_eq!(written(queue.job(&view()), 7).len(), 1);
}

/// A batch that was delivered while it was being written is forgotten at once.
#[tokio::test]
async fn a_copy_that_comes_too_late_is_not_kept() {
    let queue = Queue::new(100, 2);
    queue.push(batch(10, 1)).unwrap();
    let flight = queue.pop().await.unwrap();
    queue.failed(&flight);
    let spills = written(queue.job(&view()), 9);
    queue.settle(&flight);
    queue.report(spills, None, unread(0));
    let Job::Forget(records) = queue.job(&view()) else { panic!("it is delivered") };
    assert_eq!(records, [record(9)]);
}

/// In the end the spool has everything, and the queue nothing.
#[tokio::test]
async fn the_spool_takes_what_is_left_at_the_end() {
    let queue = Arc::new(Queue::new(100, 2));
    let sender = queue.clone().sender();
    queue.report(Vec::new(), None, unread(1));
    let loaded = Loaded { record: record(0), request: vec![0; 10].into(), spans: 1, created: 0 };
    queue.report(Vec::new(), Some(loaded), unread(0));
    let flight = queue.pop().await.unwrap();
    queue.push(batch(10, 2)).unwrap();
    queue.push(batch(10, 4)).unwrap();
    queue.failed(&flight);
    queue.close(DropReason::Shutdown);
    assert!(queue.pop().await.is_none(), "nobody waits for a receiver that is down");
    drop(sender);
    queue.report(written(queue.job(&view()), 1), None, unread(2));
    assert!(matches!(queue.job(&view()), Job::End));
    assert_eq!(queue.held(), Held::default());
    assert_eq!(queue.spool_stats().unwrap().spans, 1, "the report of the thread has the others");
}

#[tokio::test]
async fn a_spool_that_cannot_be_written_leaves_spans_in_memory() {
    let queue = Queue::new(100, 2);
    queue.push(batch(10, 2)).unwrap();
    queue.close(DropReason::Shutdown);
    let Job::Write(spills) = queue.job(&View { can_write: false, ..view() }) else { panic!("a last try") };
    queue.report(spills, None, unread(0));
    assert!(matches!(queue.job(&View { gave_up: true, ..view() }), Job::End));
    assert_eq!(queue.held().queued_spans, 2);
}

/// Whatever happens, the thread looks at the time when it wanted to.
#[test]
fn wake_ups_do_not_put_off_the_tick() {
    let queue = Arc::new(Queue::new(1 << 20, 2));
    let view = View { can_write: false, wake_after: Duration::from_millis(100), ..view() };
    let thread = std::thread::spawn({
        let queue = queue.clone();
        move || matches!(queue.job(&view), Job::Tick)
    });
    let start = Instant::now();
    while !thread.is_finished() {
        assert!(start.elapsed() < Duration::from_secs(10), "no tick");
        queue.push(batch(1, 1)).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(thread.join().unwrap());
}

/// Those who deliver are kept busy even when memory is more than half full of what cannot be written.
#[tokio::test]
async fn reading_goes_on_when_writing_cannot() {
    let queue = Queue::new(100, 4);
    (0..6).for_each(|_| queue.push(batch(10, 1)).unwrap());
    let view = View { can_write: false, next_len: 10, ..view() };
    queue.report(Vec::new(), None, SpoolReport { is_full: true, ..unread(9) });
    assert!(matches!(queue.job(&view), Job::Read));
    let loaded = Loaded { record: record(0), request: vec![0; 10].into(), spans: 1, created: 0 };
    queue.report(Vec::new(), Some(loaded), SpoolReport { is_full: true, ..unread(8) });
    let _flight = queue.pop().await.unwrap();
    assert!(matches!(queue.job(&view), Job::Read));
}

/// Records of an earlier run with more memory: one is larger than all there is now, or two fill it. What is new has half of
/// it all the same, and passes through to the spool.
#[tokio::test]
async fn large_records_leave_room_for_what_is_new() {
    for (max_bytes, is_split) in [(100, false), (100, true), (700, false)] {
        let queue = Queue::new(max_bytes, 4);
        let view = View { next_len: 350, ..view() };
        queue.report(Vec::new(), None, unread(9));
        let mut reads = 0;
        while matches!(queue.job(&view), Job::Read) {
            let loaded = Loaded { record: record(reads), request: vec![0; 350].into(), spans: 1, created: 0 };
            reads += 1;
            queue.report(Vec::new(), Some(loaded), unread(9 - reads));
        }
        assert_eq!(reads, 1, "one is tried");
        let flight = queue.pop().await.unwrap();
        if is_split {
            queue.split(&flight, [batch(175, 1), batch(175, 1)]);
        }
        assert!(queue.has_room(max_bytes / 2) && !queue.has_room(max_bytes / 2 + 1));
        for number in 1..10 {
            queue.push(batch(max_bytes / 2, 1)).unwrap();
            let job = match queue.job(&view) {
                // The whole, as its parts have copies now.
                Job::Forget(_) => queue.job(&view),
                job => job,
            };
            queue.report(written(job, 100 * number), None, unread(9 + number));
        }
    }
}
