//! Requests of other signals, over the transport that spans have.

use bytes::Bytes;

use crate::config::{ConfigError, OtlpConfig};
use crate::transport::{ExportError, Transport};

/// Sends export requests that others have encoded, one at a time, without queue or retry: for metrics and logs of a program that has
/// its spans delivered by a [`Sink`](crate::Sink). TLS, headers, compression and time limits are those of spans.
#[derive(Debug)]
pub struct Client {
    transport: Transport,
}

/// What a receiver did not take of a request that it accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PartialSuccess {
    /// Spans, data points or log records that it rejected.
    pub rejected: u64,
    /// Why, or a warning; usually empty.
    pub message: String,
}

impl Client {
    /// A client of a receiver of [`OtlpConfig::signal`]. Nothing is connected yet. Has to be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// An endpoint, files or a name for TLS that cannot be used.
    pub fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        Ok(Self { transport: Transport::new(config)? })
    }

    /// Sends a request: protobuf; over `http/json` JSON, but for traces, of which JSON is made here.
    ///
    /// # Errors
    ///
    /// Nobody answers, or the answer is an error.
    pub async fn export(&self, request: Bytes) -> Result<PartialSuccess, ExportError> {
        let body = self.transport.prepare(request).await;
        let accepted = self.transport.send(body).await?;
        Ok(PartialSuccess { rejected: accepted.rejected_spans, message: accepted.message })
    }
}
