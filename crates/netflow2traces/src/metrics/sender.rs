//! Requests with metrics to their receiver.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::Context;
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use otlp_sink::{Client, OtlpConfig, PartialSuccess, Protocol};
use prost::Message;
use tracing::{info, warn};

/// Sends requests, each once, and says when that stops working and when it works again.
pub(super) struct Sender {
    client: Client,
    endpoint: String,
    json: bool,
    /// Whether the last request did not arrive.
    failing: AtomicBool,
}

impl Sender {
    /// Has to be called within a tokio runtime.
    pub(super) fn new(config: &OtlpConfig) -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(config)?,
            endpoint: config.endpoint.to_string(),
            json: config.protocol == Protocol::HttpJson,
            failing: AtomicBool::new(false),
        })
    }

    /// Sends a request without a word.
    pub(super) async fn send(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<PartialSuccess> {
        Ok(self.client.export(self.encode(request)?).await?)
    }

    /// Sends a request. The first failure is a warning, those after it are not.
    pub(super) async fn deliver(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<()> {
        let endpoint = &self.endpoint;
        match self.send(request).await {
            Ok(accepted) => {
                if self.failing.swap(false, Relaxed) {
                    info!(endpoint, "metrics are delivered again");
                }
                if accepted.rejected > 0 {
                    warn!(endpoint, rejected = accepted.rejected, message = accepted.message, "metrics were rejected");
                }
                Ok(())
            }
            Err(error) => {
                if !self.failing.swap(true, Relaxed) {
                    warn!(endpoint, error = format!("{error:#}"), "cannot deliver metrics, will try again");
                }
                Err(error)
            }
        }
    }

    fn encode(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<Bytes> {
        if self.json {
            return Ok(serde_json::to_vec(request).context("metrics that JSON cannot hold")?.into());
        }
        Ok(request.encode_to_vec().into())
    }
}
