//! Streams to measure decoders with: always the same bytes, IPv4 flows of one exporter.
//!
//! They have the shape of the common cases: fixed records, Templates of 7 and of 20 fields of fixed length, and one that
//! ends in a string.

use std::num::{NonZeroU16, NonZeroU32};

use crate::layout::{IPFIX_STREAM, Layout, V9_SMALL_STREAM, V9_STREAM};
use crate::{Generator, TrafficConfig, Version};

/// NetFlow v5: 30 records, 1,464 bytes.
pub fn v5(datagrams: usize) -> Vec<Vec<u8>> {
    stream(Layout::new(Version::V5, false), 30, datagrams)
}

/// NetFlow v9: 60 records of 7 fields, 1,284 bytes; the Template in the first of every 1,000.
pub fn v9_7_fields(datagrams: usize) -> Vec<Vec<u8>> {
    stream(Layout::of_fields(Version::V9, V9_SMALL_STREAM), 60, datagrams)
}

/// NetFlow v9: 21 records of 20 fields, 1,348 bytes; the Template in the first of every 1,000.
pub fn v9_20_fields(datagrams: usize) -> Vec<Vec<u8>> {
    stream(Layout::of_fields(Version::V9, V9_STREAM), 21, datagrams)
}

/// IPFIX: 20 records of 20 fields, the last one an application name of variable length; about 1,370 bytes. The Template
/// is in the first of every 1,000.
pub fn ipfix_with_string(datagrams: usize) -> Vec<Vec<u8>> {
    stream(Layout::of_fields(Version::Ipfix, IPFIX_STREAM), 20, datagrams)
}

fn stream(layout: Layout, flows: u16, datagrams: usize) -> Vec<Vec<u8>> {
    let mut config = TrafficConfig::new(layout.version);
    config.flows_per_datagram = NonZeroU16::new(flows);
    config.template_refresh = NonZeroU32::MIN.saturating_add(999);
    config.options_data = false;
    let mut generator = Generator::with_layout(config, layout).expect("so many flows fit");
    (0..datagrams).map(|_| generator.next_datagram().bytes.to_vec()).collect()
}
