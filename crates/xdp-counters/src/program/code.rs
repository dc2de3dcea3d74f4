//! The program itself.
//!
//! It reads the packet into registers and, for flows, into a key and a value on the stack; then it counts. Its twin in C is
//! `xdp_counters.bpf.c`, and `classify` says the same in Rust.

use super::asm::Condition::{AtMost, Equal, Greater, Less, NotEqual};
use super::asm::Register::{R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, Stack};
use super::asm::Size::{Byte, Double, Half, Word};
use super::asm::{Alu, Assembler, At, Atomic, Code, Helper, Label, Operand, Register};
use super::classify::{ARP, IPV4, IPV6, MAX_EXTENSIONS, MAX_TAGS, Protocol, TAGS, number};
use super::flows::{key, value};

/// Maps by their place in the object.
pub(super) const STATS: usize = 0;
pub(super) const PROTOCOLS: usize = 1;
pub(super) const TURN: usize = 2;
pub(super) const FLOWS: [usize; 2] = [3, 4];

/// `XDP_PASS`
const PASS: i32 = 2;
/// `BPF_NOEXIST`: only where there is no such key yet.
const NEW: i32 = 1;

/// The next byte of the packet that was not read yet.
const CURSOR: Register = R6;
/// The end of the packet; of one with several buffers that of its first.
const END: Register = R7;
/// Bytes of the frame.
const FRAME_LEN: Register = R8;
/// What the packet is counted under.
const COUNTED: Register = R9;
/// The protocol behind IP, between there and where it is counted.
const PROTOCOL: Register = R3;

/// On the stack: key of an array, key and value of a flow, and bytes of the frame behind `END`.
const ARRAY_KEY: i16 = -4;
const FLOW_KEY: i16 = -48;
const FLOW_VALUE: i16 = -88;
const BEHIND: At = At(Stack, -96);

const fn in_key(at: usize) -> At {
    At(Stack, FLOW_KEY + at as i16)
}

const fn in_value(at: usize) -> At {
    At(Stack, FLOW_VALUE + at as i16)
}

/// The program's instructions, with or without flows, and for packets of several buffers or of one.
pub(super) fn program(with_flows: bool, with_frags: bool) -> Code {
    let mut program = Program::new(with_flows, with_frags);
    program.frame();
    program.ipv4();
    program.ipv6();
    program.transport();
    program.protocol();
    program.counters();
    if with_flows {
        program.flow();
    }
    program.pass();
    program.asm.assemble().expect("every label is placed, after all jumps to it")
}

/// The program so far.
struct Program {
    asm: Assembler,
    with_flows: bool,
    with_frags: bool,
    ipv4: Label,
    ipv6: Label,
    /// The cursor is behind the IP header and its extensions.
    transport: Label,
    /// `PROTOCOL` is known, `COUNTED` is that of anything else over this version of IP.
    protocol: Label,
    /// `COUNTED` is known.
    count: Label,
    pass: Label,
}

impl Program {
    fn new(with_flows: bool, with_frags: bool) -> Self {
        let mut asm = Assembler::default();
        let [ipv4, ipv6, transport, protocol, count, pass] = [(); 6].map(|()| asm.label());
        Self { asm, with_flows, with_frags, ipv4, ipv6, transport, protocol, count, pass }
    }

    /// The verifier wants to see that what is read is there. Goes elsewhere when it is not.
    fn need(&mut self, bytes: i32, otherwise: Label) {
        self.asm.alu(Alu::Move, R1, CURSOR);
        self.asm.alu(Alu::Add, R1, bytes);
        self.asm.jump_if(Greater, R1, END, otherwise);
    }

    fn counted(&mut self, protocol: Protocol) {
        self.asm.alu(Alu::Move, COUNTED, protocol as i32);
    }

    /// Ethernet header and VLAN tags.
    fn frame(&mut self) {
        // `data` and `data_end` of `struct xdp_md`.
        self.asm.load(Word, CURSOR, At(R1, 0));
        self.asm.load(Word, END, At(R1, 4));
        self.frame_len();
        if self.with_flows {
            for at in (0..40).step_by(8) {
                self.asm.store(Double, in_key(at), 0);
            }
            for (at, start) in [(value::PACKETS, 1), (value::BYTES, 0), (value::TCP_FLAGS, 0)] {
                self.asm.store(Double, in_value(at), start);
            }
        }
        self.counted(Protocol::NonIp);
        self.need(14, self.count);
        self.asm.load_network16(R2, At(CURSOR, 12));
        self.asm.alu(Alu::Add, CURSOR, 14);
        for tags in 0..=MAX_TAGS {
            self.asm.jump_if(Equal, R2, i32::from(IPV4), self.ipv4);
            self.asm.jump_if(Equal, R2, i32::from(IPV6), self.ipv6);
            if tags < MAX_TAGS {
                let (tag, no_tag) = (self.asm.label(), self.asm.label());
                self.asm.jump_if(Equal, R2, i32::from(TAGS[0]), tag);
                self.asm.jump_if(NotEqual, R2, i32::from(TAGS[1]), no_tag);
                self.asm.place(tag);
                self.need(4, self.count);
                self.asm.load_network16(R2, At(CURSOR, 2));
                self.asm.alu(Alu::Add, CURSOR, 4);
                self.asm.place(no_tag);
            }
        }
        self.asm.jump_if(NotEqual, R2, i32::from(ARP), self.count);
        self.counted(Protocol::Arp);
        self.asm.jump(self.count);
    }

    fn frame_len(&mut self) {
        if !self.with_frags {
            self.asm.alu(Alu::Move, FRAME_LEN, END);
            self.asm.alu(Alu::Subtract, FRAME_LEN, CURSOR);
            return;
        }
        // R1 has the packet's context still.
        self.asm.call(Helper::XdpGetBuffLen);
        self.asm.alu(Alu::Move, FRAME_LEN, R0);
        if self.with_flows {
            self.asm.alu(Alu::Move, R1, END);
            self.asm.alu(Alu::Subtract, R1, CURSOR);
            self.asm.alu(Alu::Subtract, R0, R1);
            self.asm.store(Double, BEHIND, R0);
        }
    }

    fn ipv4(&mut self) {
        self.asm.place(self.ipv4);
        self.counted(Protocol::OtherIpv4);
        self.need(20, self.count);
        self.version(4);
        // R2: bytes of the header.
        self.asm.alu(Alu::And, R2, 15);
        self.asm.alu(Alu::ShiftLeft, R2, 2);
        self.asm.jump_if(Less, R2, 20, self.count);
        self.asm.alu(Alu::Move, R1, CURSOR);
        self.asm.alu(Alu::Add, R1, R2);
        self.asm.jump_if(Greater, R1, END, self.count);
        self.asm.load(Byte, PROTOCOL, At(CURSOR, 9));
        if !self.with_flows {
            self.asm.jump(self.protocol);
            return;
        }
        for (address, at) in [(key::SOURCE, 12), (key::DESTINATION, 16)] {
            self.asm.store(Half, in_key(address + key::MAPPED - 2), 0xffff);
            self.asm.load(Word, R4, At(CURSOR, at));
            self.asm.store(Word, in_key(address + key::MAPPED), R4);
        }
        self.asm.store(Byte, in_key(key::VERSION), 4);
        self.asm.load_network16(R4, At(CURSOR, 6));
        self.asm.load_network16(R1, At(CURSOR, 2));
        self.ip_len();
        self.asm.alu(Alu::Add, CURSOR, R2);
        // Offset of a fragment.
        self.asm.alu(Alu::And, R4, 0x1fff);
        self.asm.jump_if(NotEqual, R4, 0, self.protocol);
        self.asm.jump(self.transport);
    }

    /// Reads the first byte of the IP header into R2, and checks the version.
    fn version(&mut self, version: i32) {
        self.asm.load(Byte, R2, At(CURSOR, 0));
        self.asm.alu(Alu::Move, R4, R2);
        self.asm.alu(Alu::ShiftRight, R4, 4);
        self.asm.jump_if(NotEqual, R4, version, self.count);
    }

    /// The length of the packet from the cursor on: R1, as its header has it, unless that is zero, or more than there is.
    fn ip_len(&mut self) {
        let (there, known) = (self.asm.label(), self.asm.label());
        self.asm.alu(Alu::Move, R0, END);
        self.asm.alu(Alu::Subtract, R0, CURSOR);
        if self.with_frags {
            self.asm.load(Double, R5, BEHIND);
            self.asm.alu(Alu::Add, R0, R5);
        }
        self.asm.jump_if(Equal, R1, 0, there);
        self.asm.jump_if(AtMost, R1, R0, known);
        self.asm.place(there);
        self.asm.alu(Alu::Move, R1, R0);
        self.asm.place(known);
        self.asm.store(Double, in_value(value::BYTES), R1);
    }

    fn ipv6(&mut self) {
        self.asm.place(self.ipv6);
        self.counted(Protocol::OtherIpv6);
        self.need(40, self.count);
        self.version(6);
        if self.with_flows {
            for (address, at) in [(key::SOURCE, 8), (key::DESTINATION, 24)] {
                for half in [0, 8] {
                    self.asm.load(Double, R4, At(CURSOR, at + half));
                    self.asm.store(Double, in_key(address + half as usize), R4);
                }
            }
            self.asm.store(Byte, in_key(key::VERSION), 6);
            // The header's length is that of what comes after it; zero is a jumbogram (RFC 2675).
            let jumbogram = self.asm.label();
            self.asm.load_network16(R1, At(CURSOR, 4));
            self.asm.jump_if(Equal, R1, 0, jumbogram);
            self.asm.alu(Alu::Add, R1, 40);
            self.asm.place(jumbogram);
            self.ip_len();
        }
        self.asm.load(Byte, PROTOCOL, At(CURSOR, 6));
        self.asm.alu(Alu::Add, CURSOR, 40);
        for _ in 0..MAX_EXTENSIONS {
            self.extension();
        }
    }

    /// Looks behind one extension header.
    fn extension(&mut self) {
        let (options, next) = (self.asm.label(), self.asm.label());
        for extension in number::EXTENSIONS {
            self.asm.jump_if(Equal, PROTOCOL, i32::from(extension), options);
        }
        self.asm.jump_if(NotEqual, PROTOCOL, i32::from(number::FRAGMENT), self.transport);

        self.need(8, self.protocol);
        self.asm.load(Byte, PROTOCOL, At(CURSOR, 0));
        self.asm.load_network16(R4, At(CURSOR, 2));
        self.asm.alu(Alu::Add, CURSOR, 8);
        self.asm.alu(Alu::And, R4, 0xfff8);
        self.asm.jump_if(NotEqual, R4, 0, self.protocol);
        self.asm.jump(next);

        self.asm.place(options);
        self.need(8, self.protocol);
        self.asm.load(Byte, PROTOCOL, At(CURSOR, 0));
        self.asm.load(Byte, R4, At(CURSOR, 1));
        self.asm.alu(Alu::Add, R4, 1);
        self.asm.alu(Alu::ShiftLeft, R4, 3);
        self.asm.alu(Alu::Add, CURSOR, R4);
        self.asm.place(next);
    }

    /// Ports and TCP flags.
    fn transport(&mut self) {
        self.asm.place(self.transport);
        if !self.with_flows {
            return;
        }
        let (tcp, ports) = (self.asm.label(), self.asm.label());
        self.asm.jump_if(Equal, PROTOCOL, i32::from(number::TCP), tcp);
        self.asm.jump_if(Equal, PROTOCOL, i32::from(number::UDP), ports);
        self.asm.jump_if(Equal, PROTOCOL, i32::from(number::SCTP), ports);
        self.asm.jump(self.protocol);
        self.asm.place(tcp);
        self.need(14, ports);
        self.asm.load(Byte, R4, At(CURSOR, 13));
        self.asm.store(Double, in_value(value::TCP_FLAGS), R4);
        self.asm.place(ports);
        self.need(4, self.protocol);
        self.asm.load(Word, R4, At(CURSOR, 0));
        self.asm.store(Word, in_key(key::PORTS), R4);
    }

    /// What IP carries, as it is counted.
    fn protocol(&mut self) {
        self.asm.place(self.protocol);
        if self.with_flows {
            self.asm.store(Byte, in_key(key::PROTOCOL), PROTOCOL);
        }
        let only_over = |version| Some(version as i32);
        let names = [
            (number::TCP, None, Protocol::Tcp),
            (number::UDP, None, Protocol::Udp),
            (number::ICMP, only_over(Protocol::OtherIpv4), Protocol::Icmp),
            (number::ICMPV6, only_over(Protocol::OtherIpv6), Protocol::Icmpv6),
        ];
        for (number, version, protocol) in names {
            let other = self.asm.label();
            self.asm.jump_if(NotEqual, PROTOCOL, i32::from(number), other);
            if let Some(version) = version {
                self.asm.jump_if(NotEqual, COUNTED, version, self.count);
            }
            self.counted(protocol);
            self.asm.jump(self.count);
            self.asm.place(other);
        }
    }

    fn counters(&mut self) {
        self.asm.place(self.count);
        self.asm.store(Word, At(Stack, ARRAY_KEY), PASS);
        self.count_in(STATS);
        self.asm.store(Word, At(Stack, ARRAY_KEY), COUNTED);
        self.count_in(PROTOCOLS);
    }

    /// Adds to a value of this CPU: nobody else does.
    fn count_in(&mut self, map: usize) {
        let none = self.asm.label();
        self.look_up(map, ARRAY_KEY);
        self.asm.jump_if(Equal, R0, 0, none);
        for (at, more) in [(0, Operand::Number(1)), (8, Operand::Register(FRAME_LEN))] {
            self.asm.load(Double, R1, At(R0, at));
            self.asm.alu(Alu::Add, R1, more);
            self.asm.store(Double, At(R0, at), R1);
        }
        self.asm.place(none);
    }

    fn look_up(&mut self, map: usize, key: i16) {
        self.asm.alu(Alu::Move, R2, Stack);
        self.asm.alu(Alu::Add, R2, i32::from(key));
        self.asm.load_map(R1, map);
        self.asm.call(Helper::MapLookup);
    }

    /// Adds to the flow, of which other CPUs may have packets too.
    fn flow(&mut self) {
        const NOW: Register = R6;
        const MAP_VALUE: Register = R1;
        let add = self.asm.label();
        self.asm.load(Byte, R1, in_key(key::VERSION));
        self.asm.jump_if(Equal, R1, 0, self.pass);
        self.asm.call(Helper::KtimeGetNs);
        self.asm.alu(Alu::Move, NOW, R0);
        self.asm.store(Double, in_value(value::FIRST), NOW);
        self.asm.store(Double, in_value(value::LAST), NOW);
        let first = self.asm.label();
        self.asm.store(Word, At(Stack, ARRAY_KEY), 0);
        self.look_up(TURN, ARRAY_KEY);
        self.asm.jump_if(Equal, R0, 0, first);
        self.asm.load(Double, R1, At(R0, 0));
        self.asm.jump_if(Equal, R1, 0, first);
        self.flow_in(FLOWS[1], add);
        self.asm.place(first);
        self.flow_in(FLOWS[0], add);

        self.asm.place(add);
        self.asm.alu(Alu::Move, MAP_VALUE, R0);
        for at in [value::PACKETS, value::BYTES] {
            self.asm.load(Double, R2, in_value(at));
            self.asm.atomic(Atomic::Add, At(MAP_VALUE, at as i16), R2);
        }
        self.asm.store(Double, At(MAP_VALUE, value::LAST as i16), NOW);
        // Most packets bring no flag that was not seen.
        self.asm.load(Double, R2, in_value(value::TCP_FLAGS));
        self.asm.load(Double, R3, At(MAP_VALUE, value::TCP_FLAGS as i16));
        self.asm.alu(Alu::Move, R4, R3);
        self.asm.alu(Alu::Or, R4, R2);
        self.asm.jump_if(Equal, R4, R3, self.pass);
        self.asm.atomic(Atomic::Or, At(MAP_VALUE, value::TCP_FLAGS as i16), R2);
    }

    /// Finds the flow in a map, with its value in R0, and goes on with `add`; or makes it.
    fn flow_in(&mut self, map: usize, add: Label) {
        self.look_up(map, FLOW_KEY);
        self.asm.jump_if(NotEqual, R0, 0, add);
        for (register, at) in [(R2, FLOW_KEY), (R3, FLOW_VALUE)] {
            self.asm.alu(Alu::Move, register, Stack);
            self.asm.alu(Alu::Add, register, i32::from(at));
        }
        self.asm.alu(Alu::Move, R4, NEW);
        self.asm.load_map(R1, map);
        self.asm.call(Helper::MapUpdate);
        self.asm.jump_if(Equal, R0, 0, self.pass);
        // Another CPU was faster, or there is no room.
        self.look_up(map, FLOW_KEY);
        self.asm.jump_if(Equal, R0, 0, self.pass);
        self.asm.jump(add);
    }

    fn pass(&mut self) {
        self.asm.place(self.pass);
        self.asm.alu(Alu::Move, R0, PASS);
        self.asm.exit();
    }
}
