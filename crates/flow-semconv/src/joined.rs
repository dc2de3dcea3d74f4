//! Attributes that come from options data beside the record.

use flow_state::{FlowRecord, SamplingSource};

use crate::attribute::Attribute;
use crate::program::{AttributeWriter, integer, sampling_attributes};
use crate::text;

/// Sampling, and what the counters stand for where its rate is known. That of the header is an attribute that all flows
/// of the Message share.
pub(crate) fn sampling(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    let Some(sampling) = flow.sampling() else {
        return;
    };
    if sampling.source != SamplingSource::Header {
        sampling_attributes(sampling, out);
    }
    if let Some(rate) = sampling.rate {
        let estimate = |counter: Option<u64>| counter.map(|counter| rate.scale(counter));
        integer(out, Attribute::OctetsEstimated, estimate(flow.octets()));
        integer(out, Attribute::PacketsEstimated, estimate(flow.packets()));
    }
}

pub(crate) fn interface_names(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    name(out, Attribute::InputInterfaceName, flow.ingress_interface_name());
    name(out, Attribute::OutputInterfaceName, flow.egress_interface_name());
}

pub(crate) fn vrf_names(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    name(out, Attribute::IngressVrf, flow.ingress_vrf_name());
    name(out, Attribute::EgressVrf, flow.egress_vrf_name());
}

/// The name in lower case where the Elastic Common Schema asks for it.
pub(crate) fn application(flow: &FlowRecord<'_>, lower_case: bool, out: &mut impl AttributeWriter) {
    if let Some(id) = flow.application_id().and_then(text::application_id) {
        out.text(Attribute::ApplicationId, &id);
    }
    match flow.application_name() {
        Some(text) if lower_case => out.str(Attribute::ApplicationName, lowered(text, &mut [0; MAX_NAME])),
        text => name(out, Attribute::ApplicationName, text),
    }
}

/// Bytes of a name from options data, at most.
const MAX_NAME: usize = 256;

/// ASCII letters in lower case; a text that is longer than the room for it stays as it is.
fn lowered<'a>(text: &'a str, room: &'a mut [u8; MAX_NAME]) -> &'a str {
    let Some(room) = room.get_mut(..text.len()) else {
        return text;
    };
    room.copy_from_slice(text.as_bytes());
    room.make_ascii_lowercase();
    str::from_utf8(room).unwrap_or(text)
}

fn name(out: &mut impl AttributeWriter, attribute: Attribute, name: Option<&str>) {
    if let Some(name) = name {
        out.str(attribute, name);
    }
}
