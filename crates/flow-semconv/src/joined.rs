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

pub(crate) fn application(flow: &FlowRecord<'_>, out: &mut impl AttributeWriter) {
    if let Some(id) = flow.application_id().and_then(text::application_id) {
        out.text(Attribute::ApplicationId, &id);
    }
    name(out, Attribute::ApplicationName, flow.application_name());
}

fn name(out: &mut impl AttributeWriter, attribute: Attribute, name: Option<&str>) {
    if let Some(name) = name {
        out.str(attribute, name);
    }
}
