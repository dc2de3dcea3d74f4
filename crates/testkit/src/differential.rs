//! The same bytes read by this project and by another program, and where the two differ.
//!
//! A [`Difference`] carries marks of what is special about its record and datagram: `v9`, `ie85`, `changed`. The table
//! of allowed differences names the marks under which a tool may differ in a field, and why.

mod allowed;
pub mod nfdump;
mod ours;
mod record;
pub mod tshark;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;

use flow_capture::{LinkLayer, PcapWriter};

pub use allowed::Allowed;
pub use ours::{Flow, Reading};
pub use record::Record;

use crate::corpus::CorpusDatagram;

/// What is special about a record, by names that the table of allowed differences uses.
pub type Marks = BTreeSet<String>;

/// Datagrams to be decoded.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Its name in reports.
    pub name: String,
    /// In the order of their arrival.
    pub datagrams: Vec<CorpusDatagram>,
}

/// Where a Data Record lies in its datagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the datagram, from 1.
    pub packet: u64,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset and length of each of its fields; tshark adds those of parts of fields.
    pub fields: BTreeSet<(usize, usize)>,
}

/// One thing that another program reads in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `tshark` or `nfdump`.
    pub tool: &'static str,
    /// A key of [`Record`], or `record` (only one has it), `layout` (other bounds of a field), `options` (another
    /// number of options records), `datagram` (called damaged where we note nothing).
    pub field: &'static str,
    /// What is special here.
    pub marks: Marks,
    /// Where it is and what the two have.
    pub what: String,
}

/// Writes a stream as a capture that goes to the port at which tshark expects flows.
///
/// # Panics
///
/// When it cannot be written.
pub fn write_capture(stream: &Stream, path: &Path) {
    let mut writer = PcapWriter::new(File::create(path).unwrap(), LinkLayer::RawIp).unwrap();
    for datagram in &stream.datagrams {
        let to = SocketAddr::new(datagram.destination.ip(), 2055);
        writer.write_datagram(datagram.captured_at, datagram.source, to, &datagram.payload).unwrap();
    }
    writer.finish().unwrap();
}

/// Where tshark and we differ: in the bounds of records and fields, in the values of the common ones.
pub fn against_tshark(ours: &Reading, theirs: &tshark::Capture) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut add = |field, marks: &Marks, what: String| {
        differences.push(Difference { tool: "tshark", field, marks: marks.clone(), what });
    };
    let key = |place: &Place| (place.packet, place.start);
    let mut rest: BTreeMap<_, _> =
        theirs.places.iter().map(key).zip(theirs.places.iter().zip(&theirs.records)).collect();
    for flow in &ours.flows {
        let (packet, start) = key(&flow.place);
        let Some((place, record)) = rest.remove(&(packet, start)) else {
            add("record", &flow.marks, format!("datagram {packet} byte {start}: only we have {}", flow.record));
            continue;
        };
        // tshark shows some fields in parts, and some it does not show at all.
        let edges: BTreeSet<_> = place.fields.iter().flat_map(|(at, len)| [*at, at + len]).collect();
        let is_seen = |(at, len): &&(usize, usize)| edges.contains(at) && edges.contains(&(at + len));
        if let Some((at, len)) = flow.place.fields.iter().find(|field| !is_seen(field)) {
            add("layout", &flow.marks, format!("datagram {packet}: only we have a field of {len} bytes at {at}"));
        }
        for (field, we, they) in flow.record.differences(record) {
            add(field, &flow.marks, format!("datagram {packet} byte {start}: {field} is {we}, there {they}"));
        }
    }
    for ((packet, start), (_, record)) in rest {
        add("record", ours.marks(packet), format!("datagram {packet} byte {start}: only there: {record}"));
    }
    let mut options: BTreeMap<u64, u64> = BTreeMap::new();
    theirs.options.iter().for_each(|place| *options.entry(place.packet).or_default() += 1);
    for (packet, datagram) in (1..).zip(&ours.datagrams) {
        let (we, they) = (datagram.options_records, options.remove(&packet).unwrap_or_default());
        if we != they {
            add("options", &datagram.marks, format!("datagram {packet}: {we} options records, there {they}"));
        }
    }
    for (packet, problem) in &theirs.problems {
        if ours.datagrams[*packet as usize - 1].is_clean {
            add("datagram", &ours.all_marks(Some(*packet)), format!("datagram {packet}: {problem}"));
        }
    }
    differences
}

/// Where nfdump and we differ. Its records are found by their 5-tuple, for it does not say in which datagram they came.
pub fn against_nfdump(ours: &Reading, theirs: &[Record]) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut add = |field, marks: &Marks, what: String| {
        differences.push(Difference { tool: "nfdump", field, marks: marks.clone(), what });
    };
    // What ICMP has in place of ports is found in several places.
    let port = |record: &Record, port: Option<u64>| port.filter(|_| !record.is_icmp());
    let tuple = |record: &Record| {
        (record.src, record.dst, port(record, record.sport), port(record, record.dport), record.proto)
    };
    let mut rest: BTreeMap<_, VecDeque<Record>> = BTreeMap::new();
    theirs.iter().for_each(|record| rest.entry(tuple(record)).or_default().push_back(record.clone()));
    for flow in &ours.flows {
        let packet = flow.place.packet;
        let we = nfdump::as_it_has_it(&flow.record);
        let candidates = rest.get_mut(&tuple(&we));
        // Of several flows of a 5-tuple the one that is most alike.
        let best = candidates.and_then(|candidates| {
            let alike = (0..candidates.len()).min_by_key(|index| we.differences(&candidates[*index]).len())?;
            candidates.remove(alike)
        });
        match best {
            None => add("record", &flow.marks, format!("datagram {packet}: only we have {we}")),
            Some(they) => {
                for (field, we, they) in we.differences(&they) {
                    add(field, &flow.marks, format!("datagram {packet}: {field} is {we}, there {they}"));
                }
            }
        }
    }
    for record in rest.values().flatten() {
        add("record", &ours.all_marks(None), format!("only there: {record}"));
    }
    differences
}
