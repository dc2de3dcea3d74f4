//! The least that any decoder does: no error kinds, no accounting, no state beyond one exporter's Templates, no sequence
//! numbers, no options. What our decoder costs beside it is what these cost.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};

use flow_state::{CommonFields, Timestamp};
use netflow2traces_benches::{Stream, Visit, digest};

/// Reads a stream of one exporter, whose Templates must be in it; panics on what is not as it should be.
#[derive(Default)]
pub(crate) struct Floor {
    templates: Vec<Template>,
}

struct Template {
    id: usize,
    /// Element and length; 65,535 is a variable one.
    fields: Vec<(u16, usize)>,
    /// Where each of [`WANTED`] ends, and its bits of the eight bytes in front of that.
    slots: [(usize, u64); WANTED.len()],
    /// Fixed bytes in front of the first field of variable length, and where in `fields` that is.
    front: usize,
    tail: usize,
    min_len: usize,
}

/// Addresses, ports, protocol, interfaces, autonomous systems, flags, class of service, counters, then start and end in
/// their two forms.
const WANTED: [u16; 18] = [8, 12, 15, 7, 11, 4, 10, 14, 16, 17, 6, 5, 1, 2, 22, 21, 152, 153];

impl Template {
    fn new(id: usize, fields: Vec<(u16, usize)>) -> Self {
        let tail = fields.iter().position(|(_, len)| *len == 65535).unwrap_or(fields.len());
        let mut slots = [(8, 0); WANTED.len()];
        let mut front = 0;
        for (element, len) in &fields[..tail] {
            front += len;
            if let Some(slot) = WANTED.iter().position(|wanted| wanted == element) {
                slots[slot] = (front, u64::MAX >> (64 - 8 * len));
            }
        }
        let min_len = front + fields[tail..].iter().map(|(_, len)| if *len == 65535 { 1 } else { *len }).sum::<usize>();
        Self { id, fields, slots, front, tail, min_len }
    }
}

fn short(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_be_bytes(bytes[at..at + 2].try_into().unwrap()))
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()).into()
}

/// The length of a variable-length field and of its prefix.
#[inline]
fn variable(bytes: &[u8], at: usize) -> (usize, usize) {
    match bytes[at] {
        255 => (short(bytes, at + 1), 3),
        len => (usize::from(len), 1),
    }
}

impl Floor {
    /// Reads a stream by straight-line plans: the common facts of each flow.
    pub(crate) fn common(&mut self, stream: &Stream) -> u64 {
        let mut records = 0;
        for datagram in &stream.datagrams {
            let mut sum = 0;
            match short(datagram, 0) {
                5 => records += v5(datagram, &mut sum),
                9 => {
                    let boot = long(datagram, 8) * 1000 - long(datagram, 4);
                    records += self
                        .sets(datagram, 20, |template, at, end| straight(datagram, template, at, end, boot, &mut sum));
                }
                _ => {
                    records +=
                        self.sets(datagram, 16, |template, at, end| straight(datagram, template, at, end, 0, &mut sum))
                }
            }
            black_box(sum);
        }
        records
    }

    /// Reads a stream field by field.
    pub(crate) fn every_field(&mut self, stream: &Stream) -> u64 {
        let mut records = 0;
        for datagram in &stream.datagrams {
            let mut visit = Visit::default();
            let header = if short(datagram, 0) == 9 { 20 } else { 16 };
            records += self.sets(datagram, header, |template, at, end| walk(datagram, template, at, end, &mut visit));
            black_box(visit);
        }
        records
    }

    fn sets(&mut self, bytes: &[u8], mut at: usize, mut data: impl FnMut(&Template, usize, usize) -> u64) -> u64 {
        let mut records = 0;
        while at + 4 <= bytes.len() {
            let (id, end) = (short(bytes, at), at + short(bytes, at + 2));
            if id < 256 {
                let fields = bytes[at + 8..end].chunks_exact(4).take(short(bytes, at + 6));
                let fields = fields.map(|field| (short(field, 0) as u16, short(field, 2))).collect();
                let template = Template::new(short(bytes, at + 4), fields);
                self.templates.retain(|known| known.id != template.id);
                self.templates.push(template);
            } else {
                records += data(self.templates.iter().find(|known| known.id == id).unwrap(), at + 4, end);
            }
            at = end;
        }
        records
    }
}

#[inline(always)]
fn straight(bytes: &[u8], template: &Template, mut at: usize, end: usize, boot: u64, sum: &mut u64) -> u64 {
    let mut records = 0;
    while end - at >= template.min_len {
        let read = |slot: usize| {
            let (end, mask) = template.slots[slot];
            u64::from_be_bytes(bytes[at + end - 8..at + end].try_into().unwrap()) & mask
        };
        let address = |slot| IpAddr::V4(Ipv4Addr::from_bits(read(slot) as u32));
        let (first, scale) = if boot == 0 { (16, 0) } else { (14, boot) };
        let time = |slot| Timestamp::from_unix_nanos((scale + read(slot)) * 1_000_000);
        let mut flow = CommonFields::default();
        flow.source_address = address(0);
        flow.destination_address = address(1);
        flow.next_hop = address(2);
        flow.source_port = read(3);
        flow.destination_port = read(4);
        flow.protocol = read(5);
        flow.ingress_interface = read(6);
        flow.egress_interface = read(7);
        flow.source_as = read(8);
        flow.destination_as = read(9);
        flow.tcp_flags = read(10);
        flow.class_of_service = read(11);
        flow.octets = read(12);
        flow.packets = read(13);
        flow.start = time(first);
        flow.end = time(first + 1);
        *sum = digest(&flow, *sum);
        at += template.front;
        for (_, len) in &template.fields[template.tail..] {
            let (len, prefix) = if *len == 65535 { variable(bytes, at) } else { (*len, 0) };
            at += prefix + len;
        }
        records += 1;
    }
    records
}

#[inline(always)]
fn walk(bytes: &[u8], template: &Template, mut at: usize, end: usize, visit: &mut Visit) -> u64 {
    let mut records = 0;
    while end - at >= template.min_len {
        for (element, len) in &template.fields {
            let (len, prefix) = if *len == 65535 { variable(bytes, at) } else { (*len, 0) };
            visit.field(*element, &bytes[at + prefix..at + prefix + len]);
            at += prefix + len;
        }
        records += 1;
    }
    records
}

fn v5(bytes: &[u8], sum: &mut u64) -> u64 {
    let nanos = long(bytes, 8) * 1_000_000_000 + long(bytes, 12) - long(bytes, 4) * 1_000_000;
    let records = bytes[24..24 + 48 * short(bytes, 2)].chunks_exact(48);
    let count = records.len();
    for record in records {
        let record: &[u8; 48] = record.try_into().unwrap();
        let short = |at| short(record, at) as u64;
        let long = |at| long(record, at);
        let address = |at| IpAddr::V4(Ipv4Addr::from_bits(long(at) as u32));
        let time = |at| Timestamp::from_unix_nanos(nanos + long(at) * 1_000_000);
        let mut flow = CommonFields::default();
        flow.source_address = address(0);
        flow.destination_address = address(4);
        flow.next_hop = address(8);
        flow.source_port = short(32);
        flow.destination_port = short(34);
        flow.protocol = record[38].into();
        flow.ingress_interface = short(12);
        flow.egress_interface = short(14);
        flow.source_as = short(40);
        flow.destination_as = short(42);
        flow.tcp_flags = record[37].into();
        flow.class_of_service = record[39].into();
        flow.octets = long(20);
        flow.packets = long(16);
        flow.start = time(24);
        flow.end = time(28);
        *sum = digest(&flow, *sum);
    }
    count as u64
}
