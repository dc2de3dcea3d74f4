//! Flow records as OpenTelemetry attributes and spans.
//!
//! [`Attribute`] lists every fact that can be an attribute, with its key in each [`Schema`]; a program of attributes
//! is made once for a Template and then writes the attributes of its flows; [`ExportTrace`] writes the trace of one
//! export datagram. Bytes go to whoever implements [`SpanSink`], so that nothing here knows OTLP.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod attribute;
mod attribute_set;
mod community_id;
mod conversation;
mod endpoints;
mod extra;
mod flow_span;
mod joined;
mod packet;
mod program;
mod rare;
mod sampling;
mod selected;
mod selected_flows;
mod sha1;
mod shape;
mod shared;
mod sink;
mod text;
mod topology;
mod trace;

pub use attribute::{Attribute, Schema, UnknownSchema, ValueType};
pub use attribute_set::{AttributeSet, UnknownAttribute};
pub use community_id::{CommunityId, FlowTuple};
pub use extra::{ExtraElements, ExtraElementsError, ExtraValue};
pub use program::AttributeWriter;
pub use sampling::{FlowSampling, Probability, Randomness, SamplingPolicy, Threshold};
pub use shape::{SpanTime, TraceShape, UnknownShape};
pub use sink::{Call, SpanParts, SpanSink, SpanStart, TraceContext};
pub use text::ShortText;
pub use trace::{ExportTrace, FlowSpans, IdGenerator, Timings, TraceConfig};
