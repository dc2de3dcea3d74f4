//! The collector: datagrams from UDP sockets, and Messages over TCP and TLS, to spans in a sink.
//!
//! [`Collector::bind`] opens the sockets, [`Collector::start`] puts a worker thread on each, and as many threads on all
//! connections; [`Running::stop`] ends them when what the kernel had already received is read. A [`Pipeline`] is one worker's
//! way from a datagram to spans, for datagrams from elsewhere, such as a capture.
//! Sockets are those of Linux.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod collector;
mod durations;
mod exporters;
mod filter;
mod liveness;
mod pipeline;
mod receive;
mod sampling;
mod selection;
mod spans;
mod spread;
mod state_file;
mod stats;
mod steady;
mod stream;
mod system;
mod worker;

pub use collector::{Collector, CollectorConfig, CollectorError, PassedSockets, Running};
pub use durations::DecodeDurations;
pub use exporters::{ExporterLimits, ExporterPolicy, ExporterRule, ExporterSnapshot, Exporters};
pub use filter::{Filter, FilterError};
pub use flow_semconv::{
    AttributeSet, ExtraElements, Probability, SamplingPolicy, Schema, SpanTime, TraceConfig, TraceShape,
};
pub use liveness::{Liveness, Pulse};
pub use pipeline::Pipeline;
pub use sampling::{FlowSampler, SamplingConfig};
pub use selection::Selection;
pub use spans::{AttributeKeys, OtlpParts, OtlpSpan, span_call, span_context};
pub use stats::{CollectorStats, StatsSnapshot};
pub use stream::{Ending, StreamConfig, StreamProtocol, StreamSnapshot, TlsError, TlsFiles};
