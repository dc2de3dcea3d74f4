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
    /// Whether the last request did not arrive, or not in full.
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

    /// Sends a request. The first failure or rejection is a warning, those after it are not.
    pub(super) async fn deliver(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<()> {
        let endpoint = &self.endpoint;
        match self.send(request).await {
            Ok(accepted) => {
                let rejected = accepted.rejected;
                match rejected > 0 {
                    is_failing if !self.is_news(is_failing) => {}
                    true => warn!(endpoint, rejected, message = accepted.message, "metrics were rejected"),
                    false => info!(endpoint, "metrics are delivered again"),
                }
                Ok(())
            }
            Err(error) => {
                if self.is_news(true) {
                    warn!(endpoint, error = format!("{error:#}"), "cannot deliver metrics, will try again");
                }
                Err(error)
            }
        }
    }

    /// Whether it is another state than that of the request before.
    fn is_news(&self, is_failing: bool) -> bool {
        self.failing.swap(is_failing, Relaxed) != is_failing
    }

    fn encode(&self, request: &ExportMetricsServiceRequest) -> anyhow::Result<Bytes> {
        if self.json {
            return Ok(serde_json::to_vec(request).context("metrics that JSON cannot hold")?.into());
        }
        Ok(request.encode_to_vec().into())
    }
}

#[cfg(test)]
mod tests {
    use testkit::otlp_server::{OtlpServer, Respond};

    use super::*;

    /// A receiver that takes most of them says so with each request.
    #[tokio::test]
    async fn what_goes_on_is_said_once() {
        let server = OtlpServer::start_local().await.unwrap();
        let mut config = OtlpConfig::new(Protocol::Grpc, &server.grpc_endpoint()).unwrap();
        config.signal = otlp_sink::Signal::Metrics;
        let sender = Sender::new(&config).unwrap();
        for (respond, is_accepted, is_failing) in [
            (Respond::Accept, true, false),
            (Respond::PartialSuccess(3, "too old"), true, true),
            (Respond::Unavailable(None), false, true),
            (Respond::PartialSuccess(3, "too old"), true, true),
            (Respond::Accept, true, false),
        ] {
            server.respond_with(respond);
            let delivered = sender.deliver(&ExportMetricsServiceRequest::default()).await;
            assert_eq!((delivered.is_ok(), sender.failing.load(Relaxed)), (is_accepted, is_failing));
        }
        assert!(sender.is_news(true) && !sender.is_news(true) && sender.is_news(false) && !sender.is_news(false));
    }
}
