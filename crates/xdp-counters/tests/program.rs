//! Our program, byte for byte as it is loaded, in an interpreter: it counts what the reference classifier says.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]
#![allow(unsafe_code, reason = "a program has addresses in its registers")]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use object::{Object, ObjectSection, ObjectSymbol, RelocationTarget};
use proptest::prelude::*;
use xdp_counters::program::{self, Classified, Flow, FlowKey, Protocol, classify};

/// Helpers as the kernel numbers them.
const LOOKUP: u32 = 1;
const UPDATE: u32 = 2;
const KTIME: u32 = 5;
const BUFF_LEN: u32 = 188;
/// Stand for what rbpf does not have, `lock *(u64 *)(r1 + OFFSET) += r2` and `|= r2`: these and the offset.
const ADD: u32 = 1000;
const OR: u32 = 2000;

/// Room for flows in a test.
const FLOWS: usize = 256;
/// Bytes of packets of several buffers that are not in the first, one after the other.
const BEHIND: [usize; 4] = [0, 1, 40, 9_000];
/// Packets come so far apart.
const TICK: u64 = 1_000;

/// The maps: values lie at fixed places, because the program keeps addresses.
struct Maps {
    stats: [[u64; 2]; 5],
    protocols: [[u64; 2]; 8],
    /// Which map flows go to.
    turn: u64,
    flows: [[[u64; 5]; FLOWS]; 2],
    keys: [Vec<[u8; 40]>; 2],
    now: u64,
    frame_len: u64,
}

thread_local! {
    static MAPS: RefCell<Box<Maps>> = RefCell::new(Box::new(Maps::new()));
}

impl Maps {
    fn new() -> Self {
        let (flows, keys) = ([[[0; 5]; FLOWS]; 2], [const { Vec::new() }; 2]);
        Self { stats: [[0; 2]; 5], protocols: [[0; 2]; 8], turn: 0, flows, keys, now: 0, frame_len: 0 }
    }

    fn value(&mut self, map: u64, key: u64) -> Option<u64> {
        // SAFETY: the interpreter passes what our program put there: the address of a key on its stack.
        let index = || unsafe { ptr::with_exposed_provenance::<u32>(key as usize).read_unaligned() } as usize;
        Some(match map {
            1 => address(self.stats.get_mut(index())?),
            2 => address(self.protocols.get_mut(index())?),
            3 if index() == 0 => address(&mut self.turn),
            4 | 5 => {
                let map = map as usize - 4;
                address(&mut self.flows[map][self.keys[map].iter().position(|known| *known == bytes(key))?])
            }
            _ => panic!("there is no map {map}"),
        })
    }
}

fn address<T>(value: &mut T) -> u64 {
    ptr::from_mut(value).expose_provenance() as u64
}

fn bytes(at: u64) -> [u8; 40] {
    // SAFETY: as above; keys and values of flows have 40 bytes.
    unsafe { ptr::with_exposed_provenance::<[u8; 40]>(at as usize).read() }
}

fn look_up(map: u64, key: u64, _: u64, _: u64, _: u64) -> u64 {
    MAPS.with_borrow_mut(|maps| maps.value(map, key).unwrap_or(0))
}

fn update(map: u64, key: u64, value: u64, flags: u64, _: u64) -> u64 {
    assert!(matches!((map, flags), (4 | 5, 1)), "only flows are added, and only new ones");
    MAPS.with_borrow_mut(|maps| {
        assert_eq!(maps.value(map, key), None, "it was looked for before");
        let words: Vec<_> =
            bytes(value).chunks_exact(8).map(|word| u64::from_ne_bytes(word.try_into().unwrap())).collect();
        let map = map as usize - 4;
        maps.flows[map][maps.keys[map].len()].copy_from_slice(&words);
        maps.keys[map].push(bytes(key));
        0
    })
}

fn ktime(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    MAPS.with_borrow(|maps| maps.now)
}

fn buff_len(_: u64, _: u64, _: u64, _: u64, _: u64) -> u64 {
    MAPS.with_borrow(|maps| maps.frame_len)
}

fn change(at: u64, change: impl FnOnce(u64) -> u64) -> u64 {
    MAPS.with_borrow(|maps| {
        let flows = maps.flows.as_ptr_range();
        assert!((flows.start as u64..flows.end as u64).contains(&at), "a flow's value");
    });
    let value = ptr::with_exposed_provenance_mut::<u64>(at as usize);
    // SAFETY: it lies in a flow's value, as was just checked.
    unsafe { value.write(change(value.read())) };
    0
}

/// The program's bytes with numbers of maps in them, as a loader does it, and without atomic instructions.
fn code(with_flows: bool, with_frags: bool) -> Vec<u8> {
    let elf = program::object(with_flows.then_some(program::DEFAULT_FLOWS), with_frags);
    let object = object::File::parse(&*elf).unwrap();
    let section = if with_frags { program::FRAGS_SECTION } else { program::SECTION };
    let section = object.section_by_name(section).unwrap();
    let mut code = section.data().unwrap().to_vec();
    for (offset, relocation) in section.relocations() {
        let RelocationTarget::Symbol(symbol) = relocation.target() else { panic!("{relocation:?}") };
        let name = object.symbol_by_index(symbol).unwrap().name().unwrap();
        code[offset as usize + 4] = program::MAPS.iter().position(|map| *map == name).unwrap() as u8 + 1;
    }
    for instruction in code.chunks_exact_mut(8).filter(|instruction| instruction[0] == 0xdb) {
        assert_eq!(instruction[1], 0x21, "r1 and r2 are the first arguments of a call");
        let helper = if instruction[4] == 0 { ADD } else { OR } + u32::from(instruction[2]);
        instruction.copy_from_slice(&[&[0x85, 0, 0, 0][..], &helper.to_le_bytes()].concat());
    }
    code
}

/// Memory below 4 GiB: addresses of packets have 32 bits in `struct xdp_md`.
struct Packet(*mut u8);

impl Packet {
    const LEN: usize = 4096;

    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0x2000_0000);
        let wanted = NEXT.fetch_add(1 << 20, Ordering::Relaxed);
        let (access, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: new memory; the address is only wished for, so that nothing is in its way.
        let memory = unsafe { libc::mmap(ptr::without_provenance_mut(wanted), Self::LEN, access, flags, -1, 0) };
        assert!(memory.addr() + Self::LEN <= 1 << 32, "memory at {memory:?}");
        Self(memory.cast())
    }

    /// The frame at the end of the memory: what is read behind it is not there.
    fn hold(&mut self, frame: &[u8]) -> &[u8] {
        // SAFETY: `self` has the memory for itself, and it lives as long.
        let memory = unsafe { std::slice::from_raw_parts_mut(self.0, Self::LEN) };
        let place = &mut memory[Self::LEN - frame.len()..];
        place.copy_from_slice(frame);
        place
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        // SAFETY: made in `new` with this length, and nobody has it any more.
        unsafe { libc::munmap(self.0.cast(), Self::LEN) };
    }
}

/// What is in the maps after these frames: by verdict, by protocol, and flows, in either map.
type Counted = (Vec<[u64; 2]>, Vec<[u64; 2]>, [BTreeMap<FlowKey, Flow>; 2]);

/// Which map flows of a frame go to: each has its turn some frames long.
fn turn(frame: usize) -> usize {
    frame / 5 % 2
}

/// How much of a frame is not in its first buffer.
fn behind(frame: usize, with_frags: bool) -> usize {
    if with_frags { BEHIND[frame % BEHIND.len()] } else { 0 }
}

/// Each of `frames` is what the first buffer has.
fn interpreted(frames: &[Vec<u8>], with_flows: bool, with_frags: bool) -> Counted {
    let code = code(with_flows, with_frags);
    MAPS.with_borrow_mut(|maps| **maps = Maps::new());
    let mut machine = rbpf::EbpfVmMbuff::new(None).unwrap();
    let mut helpers = vec![(LOOKUP, look_up as rbpf::ebpf::Helper), (UPDATE, update), (KTIME, ktime)];
    // No kernel before 5.18 has it: the program for one buffer does without.
    helpers.extend(with_frags.then_some((BUFF_LEN, buff_len as rbpf::ebpf::Helper)));
    for (number, helper) in helpers {
        machine.register_helper(number, helper).unwrap();
    }
    machine.register_helper(ADD, |value, more, _, _, _| change(value, |old| old + more)).unwrap();
    machine.register_helper(ADD + 8, |value, more, _, _, _| change(value + 8, |old| old + more)).unwrap();
    machine.register_helper(OR + 32, |value, more, _, _, _| change(value + 32, |old| old | more)).unwrap();
    let maps = MAPS.with_borrow_mut(|maps| address(&mut **maps));
    machine.register_allowed_memory(maps..maps + size_of::<Maps>() as u64);
    machine.set_program(&code).unwrap();
    let mut packet = Packet::new();
    for (number, frame) in frames.iter().enumerate() {
        MAPS.with_borrow_mut(|maps| {
            maps.now += TICK;
            maps.turn = turn(number) as u64;
            maps.frame_len = (frame.len() + behind(number, with_frags)) as u64;
        });
        let frame = packet.hold(frame);
        let ends = frame.as_ptr_range();
        let metadata = [ends.start as u32, ends.end as u32, 0, 0, 0, 0].map(u32::to_ne_bytes);
        assert_eq!(machine.execute_program(frame, metadata.as_flattened()).unwrap(), 2, "XDP_PASS");
    }
    MAPS.with_borrow(|maps| {
        let flows = [0, 1].map(|map| {
            let values = maps.flows[map].iter().map(|value| value.map(u64::to_ne_bytes));
            let flows = maps.keys[map].iter().zip(values);
            let flows = flows.map(|(key, value)| Flow::from_entry(key, value.as_flattened()).unwrap());
            flows.map(|flow| (flow.key, flow)).collect()
        });
        (maps.stats.to_vec(), maps.protocols.to_vec(), flows)
    })
}

fn reference(frames: &[Vec<u8>], with_flows: bool, with_frags: bool) -> Counted {
    let mut counted = (vec![[0; 2]; 5], vec![[0; 2]; Protocol::ALL.len()], [BTreeMap::new(), BTreeMap::new()]);
    for (number, frame) in frames.iter().enumerate() {
        let Classified { protocol, mut flow } = classify(frame);
        let whole = [&**frame, &vec![0; behind(number, with_frags)]].concat();
        if let Some(packet) = &mut flow {
            // Headers are read in the first buffer alone; where that of IP is there, the length goes by the whole frame.
            packet.bytes = classify(&whole).flow.unwrap().bytes;
        }
        for counter in [&mut counted.0[2], &mut counted.1[protocol as usize]] {
            counter[0] += 1;
            counter[1] += whole.len() as u64;
        }
        let Some(packet) = flow.filter(|_| with_flows) else { continue };
        let now = Duration::from_nanos((number as u64 + 1) * TICK);
        let new = Flow { key: packet.key, packets: 0, bytes: 0, tcp_flags: 0, first: now, last: now };
        let flow: &mut Flow = counted.2[turn(number)].entry(packet.key).or_insert(new);
        flow.packets += 1;
        flow.bytes += packet.bytes;
        flow.tcp_flags |= packet.tcp_flags;
        flow.last = now;
    }
    counted
}

fn agree(frames: &[Vec<u8>]) {
    for (with_flows, with_frags) in [(false, false), (true, false), (false, true), (true, true)] {
        let [counted, expected] = [interpreted, reference].map(|count| count(frames, with_flows, with_frags));
        assert_eq!(counted, expected, "with flows: {with_flows}, with frags: {with_frags}");
    }
}

proptest! {
    #[test]
    fn frames_are_counted_as_the_reference_says(
        choices in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..160), 1..60),
    ) {
        agree(&choices.iter().map(|choices| testkit::frames::frame(choices)).collect::<Vec<_>>());
    }

    #[test]
    fn bytes_that_are_no_frames_do_no_harm(
        frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
    ) {
        agree(&frames);
    }
}

/// What the frames above are worth: every protocol, with and without ports, flows of several packets.
#[test]
fn chosen_frames_reach_everything() {
    let frames: Vec<_> = (0_u64..20_000)
        .map(|seed| {
            let mixed = |place: u64| (seed * 160 + place + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23);
            let choices: Vec<u8> = (0..160).map(|place| (mixed(place) >> 32) as u8).collect();
            testkit::frames::frame(&choices)
        })
        .collect();
    let (_, protocols, _) = reference(&frames, false, false);
    assert!(protocols.iter().all(|[packets, _]| *packets >= 100), "{protocols:?}");
    let packets: Vec<_> = frames.iter().filter_map(|frame| classify(frame).flow).collect();
    let share = |wanted: &dyn Fn(&program::FlowPacket) -> bool| packets.iter().filter(|packet| wanted(packet)).count();
    let tcp = |packet: &program::FlowPacket| packet.key.protocol == 6;
    let counts = [
        share(&|packet| packet.tcp_flags != 0),
        share(&|packet| tcp(packet) && packet.tcp_flags == 0 && packet.key.source_port != 0),
        share(&|packet| tcp(packet) && packet.key.source_port == 0 && packet.key.destination_port == 0),
        share(&|packet| packet.key.source.is_ipv6() && packet.key.source_port == 443),
        share(&|packet| packet.key.protocol == 44 || packet.key.protocol == 43),
    ];
    assert!(counts.iter().all(|count| *count >= 100), "{counts:?}");
}
