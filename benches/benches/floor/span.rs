//! The least that any encoder of a flow span does: constant keys, no limits on strings, IPv4 alone, no other attributes.

use std::net::{IpAddr, Ipv4Addr};

use flow_state::CommonFields;

/// Encodes spans one after another into a buffer that is used again.
pub(crate) struct Bare {
    pub(crate) out: Vec<u8>,
    scratch: [u8; 1024],
}

/// `KeyValue.key` with its tag and length.
macro_rules! key {
    ($name:literal) => {{
        const NAME: &[u8] = $name.as_bytes();
        const KEY: [u8; NAME.len() + 2] = {
            let mut key = [0x0a; NAME.len() + 2];
            key[1] = NAME.len() as u8;
            let mut i = 0;
            while i < NAME.len() {
                key[2 + i] = NAME[i];
                i += 1;
            }
            key
        };
        &KEY
    }};
}

impl Bare {
    pub(crate) fn new() -> Self {
        Self { out: Vec::new(), scratch: [0; 1024] }
    }

    #[inline]
    pub(crate) fn span(&mut self, flow: &CommonFields, trace_id: [u8; 16], span_id: [u8; 8], parent: [u8; 8]) {
        let mut part = Part { bytes: &mut self.scratch, len: 0 };
        part.put(&[0x0a, 16]);
        part.put(&trace_id);
        part.put(&[0x12, 8]);
        part.put(&span_id);
        part.put(&[0x39]);
        part.put(&flow.start.as_unix_nanos().to_le_bytes());
        part.put(&[0x41]);
        part.put(&flow.end.as_unix_nanos().to_le_bytes());
        part.put(&[0x30, 1, 0x22, 8]);
        part.put(&parent);
        part.put(&[0x2a, 12]);
        part.put(b"netflow.flow");
        part.int(key!("netflow.version"), 9);
        part.address(key!("source.address"), flow.source_address);
        part.int(key!("source.port"), flow.source_port);
        part.address(key!("destination.address"), flow.destination_address);
        part.int(key!("destination.port"), flow.destination_port);
        part.text(key!("network.transport"), super::transport(flow.protocol).as_bytes());
        part.int(key!("network.protocol.number"), flow.protocol);
        part.int(key!("netflow.flow.bytes"), flow.octets);
        part.int(key!("netflow.flow.packets"), flow.packets);
        part.address(key!("netflow.nexthop"), flow.next_hop);
        part.int(key!("netflow.interface.input"), flow.ingress_interface);
        part.int(key!("netflow.interface.output"), flow.egress_interface);
        part.int(key!("netflow.src_as"), flow.source_as);
        part.int(key!("netflow.dst_as"), flow.destination_as);
        let len = part.len;
        // Two bytes of length: every such span has 128 to 16,383 bytes.
        self.out.extend_from_slice(&[0x12, len as u8 | 0x80, (len >> 7) as u8]);
        self.out.extend_from_slice(&self.scratch[..len]);
    }
}

/// A span in an array: no write has to make room.
struct Part<'a> {
    bytes: &'a mut [u8; 1024],
    len: usize,
}

impl Part<'_> {
    #[inline(always)]
    fn put(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    #[inline(always)]
    fn int(&mut self, key: &[u8], mut value: u64) {
        let len = (70 - (value | 1).leading_zeros() as usize) / 7;
        self.put(&[0x4a, (key.len() + 3 + len) as u8]);
        self.put(key);
        self.put(&[0x12, 1 + len as u8, 0x18]);
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }

    #[inline(always)]
    fn text(&mut self, key: &[u8], text: &[u8]) {
        self.put(&[0x4a, (key.len() + 4 + text.len()) as u8]);
        self.put(key);
        self.put(&[0x12, 2 + text.len() as u8, 0x0a, text.len() as u8]);
        self.put(text);
    }

    #[inline(always)]
    fn address(&mut self, key: &[u8], address: IpAddr) {
        let IpAddr::V4(address) = address else { unreachable!("flows over IPv4") };
        let mut text = [0; 16];
        let len = ipv4(&mut text, address);
        self.text(key, &text[..len]);
    }
}

/// The text of an address and its length.
#[inline(always)]
fn ipv4(out: &mut [u8; 16], address: Ipv4Addr) -> usize {
    let mut len = 0;
    for octet in address.octets() {
        let (digits, count) = OCTETS[usize::from(octet)];
        out[len..len + 4].copy_from_slice(&digits);
        len += count;
    }
    len - 1
}

/// Each octet with a dot behind it, and how many bytes these are.
static OCTETS: [([u8; 4], usize); 256] = {
    let mut table = [([b'.'; 4], 0); 256];
    let mut octet = 0;
    while octet < 256 {
        let digits = if octet > 99 {
            3
        } else if octet > 9 {
            2
        } else {
            1
        };
        let (mut rest, mut at) = (octet, digits);
        while at > 0 {
            at -= 1;
            table[octet].0[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        table[octet].1 = digits + 1;
        octet += 1;
    }
    table
};
