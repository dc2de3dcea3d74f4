//! What left the OpenTelemetry Collector.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Context;
use opentelemetry_proto::tonic::trace::v1::ResourceSpans;
use testkit::otlp_server::{Metric, OtlpServer, Respond, Span, Value};
use tokio::runtime::Runtime;

/// A server of OTLP on a port of its own that remembers every span.
pub(super) struct Receiver {
    server: OtlpServer,
    /// Runs the server; ends with it.
    runtime: Runtime,
}

impl Receiver {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub(super) fn start() -> anyhow::Result<Self> {
        Self::start_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("find a free TCP port")?)
    }

    /// Starts one on a port that is listened on already.
    ///
    /// # Errors
    ///
    /// When no thread can be had.
    pub(super) fn start_on(listener: TcpListener) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = runtime.block_on(async { OtlpServer::start_on(listener) }).context("start a server of OTLP")?;
        Ok(Self { server, runtime })
    }

    /// Where it listens, for gRPC and HTTP alike.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// All spans so far, in order of arrival.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.server.spans()
    }

    /// All spans so far with their resources.
    pub(super) fn resource_spans(&self) -> Vec<ResourceSpans> {
        self.server.resource_spans()
    }

    /// All metrics so far.
    pub(super) fn metrics(&self) -> Vec<Metric> {
        self.server.metrics()
    }

    /// Values of an attribute of resources, each resource once.
    pub(super) fn resource_values(&self, key: &str) -> Vec<String> {
        let resources = self.server.resources();
        let attributes = resources.into_iter().flat_map(|resource| resource.attributes);
        let values = attributes.filter(|attribute| attribute.key == key).filter_map(|attribute| attribute.value?.value);
        values.filter_map(|value| if let Value::StringValue(text) = value { Some(text) } else { None }).collect()
    }

    /// All spans since the last call.
    pub(super) fn take_spans(&self) -> Vec<Span> {
        self.server.take_spans()
    }

    /// What to do with requests from now on.
    pub(super) fn respond_with(&self, respond: Respond) {
        self.server.respond_with(respond);
    }

    /// Refuses connections from now on.
    pub(super) fn stop(&mut self) {
        self.runtime.block_on(self.server.stop());
    }

    /// Listens again.
    ///
    /// # Errors
    ///
    /// When someone else took the port.
    pub(super) fn restart(&mut self) -> anyhow::Result<()> {
        self.runtime.block_on(self.server.restart()).context("start the server of OTLP again")
    }

    /// TCP connections accepted so far.
    pub(super) fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Counts spans and log records from now on and keeps nothing of them.
    pub(super) fn count_only(&self) {
        self.server.count_only();
    }

    /// How many spans so far.
    pub(super) fn span_count(&self) -> usize {
        self.server.span_count()
    }

    /// Length of all requests so far as protobuf, without compression.
    pub(super) fn message_bytes(&self) -> usize {
        self.server.requests().iter().map(|request| request.message_len).sum()
    }
}
