//! What `decode --summary` counts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use flow_capture::CaptureStats;
use flow_state::{Accounting, Datagram, DecodeErrorKind, Decoded};
use serde::Serialize;

/// Counts over a capture.
pub(super) struct Summary {
    datagrams: u64,
    data_records: u64,
    /// Records of flows that the filter does not keep.
    filtered: u64,
    options_records: u64,
    counter_samples: u64,
    templates: u64,
    /// Data Sets that came before their Template.
    waited: u64,
    replayed: u64,
    issues: [u64; DecodeErrorKind::NAMES.len()],
    received_bytes: u64,
    bytes: Accounting,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            datagrams: 0,
            data_records: 0,
            filtered: 0,
            options_records: 0,
            counter_samples: 0,
            templates: 0,
            waited: 0,
            replayed: 0,
            issues: [0; DecodeErrorKind::NAMES.len()],
            received_bytes: 0,
            bytes: Accounting::default(),
        }
    }
}

#[derive(Serialize)]
struct Document {
    capture: Frames,
    datagrams: u64,
    /// Records of flows, those that waited for their Template among them.
    data_records: u64,
    /// Those of them that `--filter` does not keep.
    filtered: u64,
    options_records: u64,
    /// sFlow samples of counters.
    counter_samples: u64,
    templates: u64,
    /// Data Sets whose Template never came.
    pending: u64,
    issues: BTreeMap<&'static str, u64>,
    bytes: Bytes,
}

/// What became of the frames of the capture, as in [`CaptureStats`].
#[derive(Serialize)]
struct Frames {
    frames: u64,
    datagrams: u64,
    reassembled: u64,
    truncated: u64,
    fragments: u64,
    fragments_lost: u64,
    unknown_link_type: u64,
    not_ip: u64,
    not_udp: u64,
    malformed: u64,
}

impl From<CaptureStats> for Frames {
    fn from(stats: CaptureStats) -> Self {
        Self {
            frames: stats.frames,
            datagrams: stats.datagrams,
            reassembled: stats.reassembled,
            truncated: stats.truncated,
            fragments: stats.fragments,
            fragments_lost: stats.fragments_lost,
            unknown_link_type: stats.unknown_link_type,
            not_ip: stats.not_ip,
            not_udp: stats.not_udp,
            malformed: stats.malformed,
        }
    }
}

/// Where the bytes went when their datagram came: `total` is the sum of all others.
#[derive(Serialize)]
struct Bytes {
    total: u64,
    headers: u64,
    templates: u64,
    records: u64,
    counters: u64,
    padding: u64,
    pending: u64,
    skipped: BTreeMap<&'static str, u64>,
}

impl Summary {
    /// Counts flows that the filter does not keep.
    pub(super) fn add_filtered(&mut self, flows: u64) {
        self.filtered += flows;
    }

    /// Counts a datagram.
    pub(super) fn add(&mut self, datagram: &Datagram<'_>, decoded: &Decoded) {
        self.datagrams += 1;
        self.received_bytes += datagram.bytes.len() as u64;
        for message in decoded.messages() {
            self.templates += u64::from(message.templates);
            self.data_records += u64::from(message.data_records);
            self.options_records += u64::from(message.options_records);
            self.counter_samples += u64::from(message.counter_samples);
        }
        for set in decoded.replayed_sets() {
            self.replayed += 1;
            let records = if set.template().is_options() { &mut self.options_records } else { &mut self.data_records };
            *records += set.len() as u64;
        }
        for (sum, more) in self.issues.iter_mut().zip(decoded.issues().counts()) {
            *sum += u64::from(*more);
        }
        self.waited += u64::from(decoded.issues().counts()[DecodeErrorKind::TemplateUnknown(0).index()]);
        self.bytes.add(decoded.accounting());
    }

    /// Writes the counts as JSON.
    pub(super) fn write(&self, path: &Path, capture: CaptureStats) -> io::Result<()> {
        let mut text = serde_json::to_string_pretty(&self.document(capture))?;
        text.push('\n');
        fs::write(path, text)
    }

    fn document(&self, capture: CaptureStats) -> Document {
        let named = |counts: &[u64]| {
            let counts = DecodeErrorKind::NAMES.iter().copied().zip(counts.iter().copied());
            counts.filter(|(_, count)| *count > 0).collect()
        };
        debug_assert_eq!(self.bytes.total(), self.received_bytes, "every byte has one fate");
        Document {
            capture: capture.into(),
            datagrams: self.datagrams,
            data_records: self.data_records,
            filtered: self.filtered,
            options_records: self.options_records,
            counter_samples: self.counter_samples,
            templates: self.templates,
            pending: self.waited.saturating_sub(self.replayed),
            issues: named(&self.issues),
            bytes: Bytes {
                total: self.received_bytes,
                headers: self.bytes.headers,
                templates: self.bytes.templates,
                records: self.bytes.records,
                counters: self.bytes.counters,
                padding: self.bytes.padding,
                pending: self.bytes.pending,
                skipped: named(&self.bytes.skipped),
            },
        }
    }
}
