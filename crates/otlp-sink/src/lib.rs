//! Spans to OTLP bytes, with a bounded queue, retry and graceful drain.
//!
//! A [`Sink`] delivers spans to one or more outputs: an OTLP receiver (gRPC, HTTP with protobuf or JSON), a file, standard
//! output. Each thread that makes spans has a [`SpanWriter`], which encodes them straight into the protobuf bytes of a
//! request: nothing is allocated for a span, and no lock is taken. Full batches go to a queue in front of each output,
//! bounded in bytes; they stay in memory until the receiver has acknowledged them.
//!
//! - A span is lost only when it is counted, by [`DropReason`]. While the queue has room, an outage loses nothing.
//! - A span arrives twice only if a receiver took it and its answer never came.
//! - Writers never wait for an output.
//!
//! With the feature `sdk`, `SdkExporter` puts a sink under the tracer of an OpenTelemetry SDK (`opentelemetry_sdk` 0.33).
//!
//! ```
//! use std::time::Duration;
//! use otlp_sink::{AttributeKey, Output, Sink, SinkConfig, SpanContext, SpanKind, StdoutFormat};
//!
//! static ANSWER: AttributeKey = AttributeKey::new("example.answer");
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
//! let config = SinkConfig::default()
//!     .with_output(Output::Stdout(StdoutFormat::JsonLines))
//!     .with_resource_attribute("service.name", "example");
//! let sink = Sink::start(config, runtime.handle())?;
//!
//! let mut writer = sink.writer();
//! let context = SpanContext { trace_id: [1; 16], span_id: [2; 8], parent_span_id: None };
//! writer.span(context, "question", SpanKind::Internal, 1_000, 2_000).int(&ANSWER, 42);
//! drop(writer);
//!
//! let report = runtime.block_on(sink.shutdown(Duration::from_secs(5)));
//! assert_eq!((report.exported, report.dropped, report.remaining), (1, 0, 0));
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod client;
mod compress;
pub mod config;
mod delivery;
mod encode;
mod file;
mod json;
mod lines;
mod occasionally;
mod output;
mod queue;
mod reader;
mod receivers;
mod reread;
#[cfg(feature = "sdk")]
mod sdk;
mod sink;
mod split;
mod spool;
mod stats;
mod transport;
mod tree;
mod writer;

pub use client::{Client, PartialSuccess};
pub use config::{
    Balance, Compression, ConfigError, FileCompression, FileConfig, OtlpConfig, Output, Protocol, Signal, SinkConfig,
    StdoutFormat,
};
pub use encode::{
    AttributeFragment, AttributeKey, BatchEncoder, Call, IntRow, MAX_STRING_LEN, SpanBuilder, SpanContext, SpanHead,
    SpanKind, SpanLimits,
};
pub use json::to_json;
pub use reread::Reread;
#[cfg(feature = "sdk")]
pub use sdk::SdkExporter;
pub use sink::{Sink, SinkError};
pub use spool::{SpoolConfig, SpoolFull, SpoolSync};
pub use stats::{DrainReport, DropReason, OutputStats, RequestDurations, SinkStats, SpoolStats};
pub use transport::{ExportError, ExportErrorKind, ProbeReport, probe};
pub use writer::SpanWriter;
