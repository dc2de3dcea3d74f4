//! What left the OpenTelemetry Collector.

use std::net::SocketAddr;

use anyhow::Context;
use testkit::otlp_server::{OtlpServer, Span};
use tokio::runtime::Runtime;

/// A server of OTLP on a port of its own that remembers every span.
pub(super) struct Receiver {
    server: OtlpServer,
    /// Runs the server; ends with it.
    _runtime: Runtime,
}

impl Receiver {
    /// Starts one.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub(super) fn start() -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let server = runtime.block_on(OtlpServer::start_local()).context("start a server of OTLP")?;
        Ok(Self { server, _runtime: runtime })
    }

    /// Where it listens, for gRPC and HTTP alike.
    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// All spans so far, in order of arrival.
    pub(super) fn spans(&self) -> Vec<Span> {
        self.server.spans()
    }

    /// How many spans so far.
    pub(super) fn span_count(&self) -> usize {
        self.server.span_count()
    }
}
