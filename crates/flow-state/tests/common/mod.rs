//! Flows out of records made for one test.
#![allow(clippy::unwrap_used, dead_code)]

use flow_state::{Datagram, Decoded, FlowRecord, FlowTime, State, StateConfig, Timestamp, TransportSession, Version};
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::{FieldSpecifier, MessageHeader};

/// Export time in Unix seconds; the datagram is received a second later.
pub(crate) const EXPORT: u64 = 1_700_000_000;
pub(crate) const EXPORT_MS: u64 = EXPORT * 1000;

/// An element and its value: enterprise number, ID, bytes.
pub(crate) type Cell<'a> = (u32, u16, &'a [u8]);

/// Decodes a record with these elements and values, and hands the flow to `check`.
pub(crate) fn with_record(version: Version, uptime_ms: u32, fields: &[Cell<'_>], check: impl Fn(&FlowRecord<'_>)) {
    with_message(&message_header(version, uptime_ms), fields, check);
}

/// As [`with_record`], with a header of the caller's.
pub(crate) fn with_message(header: &MessageHeader, fields: &[Cell<'_>], check: impl Fn(&FlowRecord<'_>)) {
    let specifiers: Vec<_> = fields
        .iter()
        .map(|&(enterprise_number, id, value)| FieldSpecifier { enterprise_number, id, length: value.len() as u16 })
        .collect();
    let mut writer = MessageWriter::new();
    writer.begin(header).template_set(&[TemplateDefinition::new(256, &specifiers)]);
    writer.data_set(256);
    let mut record = writer.record();
    for (_, _, value) in fields {
        record.bytes(value);
    }
    with_flows(writer.finish().unwrap(), check);
}

pub(crate) fn message_header(version: Version, uptime_ms: u32) -> MessageHeader {
    let mut header = header(version, Timestamp::from_unix_seconds(EXPORT), 0, 1);
    header.sys_uptime_ms = header.sys_uptime_ms.map(|_| uptime_ms);
    header
}

pub(crate) fn with_flows(bytes: &[u8], check: impl Fn(&FlowRecord<'_>)) {
    let state = State::new(StateConfig::default());
    let session = TransportSession::new(([192, 0, 2, 1], 50_000).into(), ([192, 0, 2, 2], 2055).into());
    let mut decoded = Decoded::default();
    let received_at = Timestamp::from_unix_seconds(EXPORT + 1);
    state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
    assert!(decoded.issues().is_empty(), "{:?}", decoded.issues());
    let flows: Vec<_> = decoded.data_sets(bytes).flat_map(|set| set.flows()).collect();
    assert!(!flows.is_empty());
    flows.iter().for_each(check);
}

pub(crate) fn millis(value: u64) -> Option<Timestamp> {
    Some(Timestamp::from_unix_millis(value))
}

pub(crate) fn times(time: FlowTime) -> (Option<Timestamp>, Option<Timestamp>) {
    (time.start, time.end)
}
