//! A sample of an sFlow datagram as one JSON object.

use std::fmt::Display;
use std::io::{self, Write};

use flow_state::{Fact, FlowRecord};
use flow_wire::sflow::{FlowSample, Interface, RecordData, Sample};

/// Writes the flow of a sample without its closing brace: more may follow. Numbers are as sent; addresses, protocol and ports are those of the packet. A
/// key is absent where the sample has no such field.
pub(super) fn write_json(flow: &FlowRecord<'_>, sample: &Sample<'_>, output: &mut impl Write) -> io::Result<()> {
    let context = flow.context();
    let mut object = Object { output, separator: '{' };
    object.put("packet", u64::try_from(context.tag).ok())?;
    object.quoted("version", Some("sflow5"))?;
    object.quoted("agent", context.agent)?;
    object.put("sub_agent", Some(context.header.observation_domain_id))?;
    object.put("seq", context.header.sequence_number)?;
    object.put("sample", Some(sample.number))?;
    object.put("format", Some(sample.format))?;
    if let Ok(Some(sample)) = sample.flow() {
        object.head(&sample)?;
        object.records(&sample)?;
    }
    object.quoted("src", flow.source_address())?;
    object.quoted("dst", flow.destination_address())?;
    object.put("proto", flow.integer(Fact::Protocol))?;
    object.put("sport", flow.integer(Fact::SourcePort))?;
    object.put("dport", flow.integer(Fact::DestinationPort))?;
    object.quoted("nexthop", flow.next_hop())
}

/// A JSON object on its way out. Keys and values need no escapes.
struct Object<'a, W> {
    output: &'a mut W,
    separator: char,
}

impl<W: Write> Object<'_, W> {
    fn put(&mut self, key: &str, value: Option<impl Display>) -> io::Result<()> {
        let Some(value) = value else {
            return Ok(());
        };
        write!(self.output, "{}\"{key}\":{value}", std::mem::replace(&mut self.separator, ','))
    }

    fn quoted(&mut self, key: &str, value: Option<impl Display>) -> io::Result<()> {
        self.put(key, value.map(|value| format!("\"{value}\"")))
    }

    /// What the agent says of the sample itself.
    fn head(&mut self, sample: &FlowSample<'_>) -> io::Result<()> {
        self.put("sample_seq", Some(sample.sequence_number))?;
        self.put("source_class", sample.source_class)?;
        self.put("source_id", Some(sample.source_id))?;
        self.put("rate", sample.sampling.map(|sampling| sampling.rate))?;
        self.put("pool", sample.sampling.map(|sampling| sampling.pool))?;
        self.put("drops", Some(sample.drops))?;
        // A discarded packet has plain indexes.
        let format = |interface: Interface| interface.format.filter(|_| sample.discard_reason.is_none());
        self.put("in_format", format(sample.input))?;
        self.put("in_if", Some(sample.input.value))?;
        self.put("out_format", format(sample.output))?;
        self.put("out_if", Some(sample.output.value))?;
        self.put("reason", sample.discard_reason)
    }

    /// The formats of its records, and the first header and VLANs among them.
    fn records(&mut self, sample: &FlowSample<'_>) -> io::Result<()> {
        let records = || sample.records().map_while(Result::ok);
        let formats: Vec<_> = records().map(|record| record.format.to_string()).collect();
        self.put("records", Some(format_args!("[{}]", formats.join(","))))?;
        let mut data = records().filter_map(|record| record.read().ok());
        let switch = data.find_map(|data| match data {
            RecordData::Switch(switch) => Some(switch),
            _ => None,
        });
        self.put("src_vlan", switch.map(|switch| switch.source_vlan))?;
        self.put("dst_vlan", switch.map(|switch| switch.destination_vlan))?;
        let mut data = records().filter_map(|record| record.read().ok());
        let header = data.find_map(|data| match data {
            RecordData::Header(header) => Some(header),
            _ => None,
        });
        self.put("header_protocol", header.map(|header| header.protocol))?;
        self.put("frame_length", header.map(|header| header.frame_length))?;
        self.put("stripped", header.map(|header| header.stripped))?;
        self.put("header_length", header.map(|header| header.header_length))
    }
}
