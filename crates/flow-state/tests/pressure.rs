//! Memory as the allocator sees it: many Templates, many senders that are none.
#![allow(clippy::print_stdout, clippy::unwrap_used, unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession, Version};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

/// Counts the bytes that are held.
struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);

/// What the allocator adds to a block: a word, and a multiple of 16 in all.
const fn with_overhead(size: usize) -> usize {
    let block = (size + 8).next_multiple_of(16);
    if block < 32 { 32 } else { block }
}

// SAFETY: every call goes on to the system's allocator unchanged; counting touches an atomic number.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        HELD.fetch_add(with_overhead(layout.size()), Ordering::Relaxed);
        // SAFETY: the caller's promises on `layout` are those that `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        HELD.fetch_sub(with_overhead(layout.size()), Ordering::Relaxed);
        // SAFETY: `pointer` came from `System` through `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests take turns: they share the allocator.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

const START: u64 = 1_700_000_000;

struct Exporters {
    state: State,
    decoded: Decoded,
    now: Timestamp,
}

impl Exporters {
    fn new(config: StateConfig) -> Self {
        let (state, now) = (State::new(config), Timestamp::from_unix_seconds(START));
        Self { state, decoded: Decoded::default(), now }
    }

    /// One Message of an exporter; how many flows came out of it.
    fn send(&mut self, exporter: u32, bytes: &[u8]) -> usize {
        let session = TransportSession::new((Ipv4Addr::from(exporter), 9).into(), ([192, 0, 2, 200], 2055).into());
        self.state.decode(&Datagram::new(session, self.now, bytes), &mut self.decoded);
        self.decoded.data_sets(bytes).map(|set| set.len()).sum()
    }
}

fn message(write: impl FnOnce(&mut MessageWriter)) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::V9, Timestamp::from_unix_seconds(START), 0, 7));
    write(&mut writer);
    writer.finish().unwrap().to_vec()
}

fn template(id: u16) -> Vec<u8> {
    message(|writer| _ = writer.template_set(&[TemplateDefinition::new(id, &twenty())]))
}

/// One record of twenty bytes.
fn data(id: u16) -> Vec<u8> {
    message(|writer| _ = writer.data_set(id).record().bytes(&[1; 20]))
}

/// Twenty fields of one byte.
fn twenty() -> Vec<FieldSpecifier> {
    (1..=20).map(|id| FieldSpecifier { enterprise_number: 0, id, length: 1 }).collect()
}

#[test]
fn a_hundred_thousand_templates_of_twenty_fields_take_less_than_45_mb() {
    let _turn = turn();
    let mut exporters = Exporters::new(StateConfig::default());
    exporters.send(1, &template(256));
    let before = held();
    for id in 1000..2000 {
        let template = template(id);
        for exporter in 1..=100 {
            exporters.send(exporter, &template);
        }
    }
    assert_eq!(exporters.state.template_count(), 100_001);
    let (taken, counted) = (held() - before, exporters.state.memory());
    println!("100,000 Templates: {taken} bytes of the allocator, {counted} counted");
    assert!(taken < 45_000_000, "{taken} bytes");
    assert!(taken < counted, "{counted} counted, {taken} taken");
    assert_eq!(exporters.send(50, &data(1999)), 1);
}

/// A plan is larger than its Template; it is made for those that carry data, and counted then.
#[test]
fn a_template_without_data_has_no_plan() {
    let _turn = turn();
    let mut exporters = Exporters::new(StateConfig::default());
    exporters.send(1, &template(256));
    let without = exporters.state.memory();
    exporters.send(1, &data(256));
    let with = exporters.state.memory();
    exporters.send(1, &data(256));
    assert!(with > without + 400, "{without} and {with} bytes");
    assert_eq!(exporters.state.memory(), with);
    // The Template goes with its plan.
    let other = message(|writer| _ = writer.template_set(&[TemplateDefinition::new(256, &twenty()[..19])]));
    exporters.send(1, &other);
    assert!(exporters.state.memory() < without);
}

/// Where there is no room for a plan, data is decoded all the same.
#[test]
fn data_without_room_for_a_plan_is_decoded() {
    let _turn = turn();
    let mut config = StateConfig::default();
    config.memory = 6 << 10;
    let mut exporters = Exporters::new(config);
    exporters.send(1, &template(256));
    let memory = exporters.state.memory();
    assert_eq!(exporters.send(1, &data(256)), 1);
    assert_eq!(exporters.state.memory(), memory);
    assert!(exporters.decoded.issues().is_empty());
}

/// A Set of a few bytes must not cost a plan of many, each time anew.
#[test]
fn plans_without_room_are_few_and_none_for_empty_sets() {
    let _turn = turn();
    let mut config = StateConfig::default();
    config.memory = 128 << 10;
    let mut exporters = Exporters::new(config);
    let one_field = |id| {
        let field = FieldSpecifier { enterprise_number: 0, id: 1, length: 1 };
        message(|writer| _ = writer.template_set(&[TemplateDefinition::new(id, &[field])]))
    };
    let ids: Vec<u16> = (256..600)
        .take_while(|id| {
            exporters.send(1, &one_field(*id));
            exporters.decoded.issues().is_empty()
        })
        .collect();
    assert!((50..300).contains(&ids.len()), "{} Templates fill the share of an exporter", ids.len());
    let all = message(|writer| {
        for id in ids.iter().chain(&ids) {
            writer.data_set(*id).record().bytes(&[1]);
        }
    });
    let before = held();
    let flows = exporters.send(1, &all);
    assert!(held() - before < 64 << 10, "{} bytes for {flows} flows", held() - before);
    // The same Templates again need no other plans.
    assert_eq!(flows, 2 * 16);
    let skipped = exporters.decoded.accounting().skipped[flow_state::DecodeErrorKind::BudgetExceeded.index()];
    assert_eq!(skipped as usize, 2 * (ids.len() - 16));
    assert_eq!(exporters.decoded.accounting().total() as usize, all.len());
    let empty = message(|writer| (0..10_000).for_each(|_| _ = writer.data_set(ids[0])));
    exporters.send(1, &empty);
    assert_eq!(exporters.decoded.data_sets(&empty).count(), 0);
}

/// All of them where code is optimised: `cargo test --release -p flow-state --test pressure -- --nocapture`.
const SPOOFED: u32 = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };
const LIVE: u32 = 0x0a00_0001;

#[test]
fn a_million_spoofed_sources_take_nothing_from_a_live_exporter() {
    let _turn = turn();
    let mut config = StateConfig::default();
    let budget = 16 << 20;
    config.memory = budget;
    let mut exporters = Exporters::new(config);
    let (template, data) = (template(256), data(256));
    let both = [&template[..], &data[20..]].concat();
    exporters.send(LIVE, &template);
    let before = held();
    let (mut lost, mut counted, mut taken) = (0, 0, 0);
    for turn in 0..SPOOFED {
        // A hundred thousand a second, each with a Template, some with a record of it.
        exporters.now = exporters.now + Duration::from_micros(10);
        exporters.send(0x6400_0000 + turn, if turn % 32 == 0 { &both } else { &template });
        if turn % 500 == 0 {
            lost += 1 - exporters.send(LIVE, &data);
            (counted, taken) = (counted.max(exporters.state.memory()), taken.max(held() - before));
        }
        if turn % 10_000 == 0 {
            exporters.send(LIVE, &template);
        }
    }
    let (evictions, domains) = (exporters.state.evictions(), exporters.state.domain_count());
    println!(
        "{SPOOFED} spoofed sources: at most {counted} of {budget} bytes counted, {taken} of the allocator; \
         {evictions} evictions, {domains} domains left, {lost} records of the live exporter lost"
    );
    assert_eq!(lost, 0);
    assert!(counted <= budget && taken <= budget, "{counted} bytes counted, {taken} taken");
    assert!(evictions > 0);
    assert_eq!(evictions as usize + domains, SPOOFED as usize + 1);
}
