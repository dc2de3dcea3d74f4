//! OTLP over gRPC.

use std::error::Error;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::tls::{Connector, LastAlert};
use super::{
    Accepted, CONNECT_TIMEOUT, ExportError, ExportErrorKind, MAX_ANSWER_LEN, USER_AGENT, connector, root_cause,
};
use crate::config::{Compression, ConfigError, OtlpConfig};
use crate::reader::{Field, Reader};

const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

#[derive(Debug)]
pub(crate) struct GrpcTransport {
    channel: Channel,
    last_alert: LastAlert,
    metadata: MetadataMap,
    timeout: Duration,
    compression: Compression,
}

impl GrpcTransport {
    pub(super) fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::from(config.endpoint.clone())
            .user_agent(USER_AGENT)
            .map_err(|_| ConfigError::Endpoint(config.endpoint.to_string()))?
            .connect_timeout(CONNECT_TIMEOUT);
        let connector = Connector::new(connector(), config, b"h2")?;
        Ok(Self {
            last_alert: connector.last_alert(),
            channel: endpoint.connect_with_connector_lazy(connector),
            metadata: MetadataMap::from_headers(config.headers.clone()),
            timeout: config.timeout,
            compression: config.compression,
        })
    }

    pub(super) async fn send(&self, body: Bytes) -> Result<Accepted, ExportError> {
        let call = async {
            let mut client = tonic::client::Grpc::new(self.channel.clone()).max_decoding_message_size(MAX_ANSWER_LEN);
            if self.compression == Compression::Gzip {
                // Servers made with grpc-go, the OpenTelemetry Collector among them, answer as they were asked.
                client = client.send_compressed(CompressionEncoding::Gzip).accept_compressed(CompressionEncoding::Gzip);
            }
            client.ready().await.map_err(|error| Status::from_error(error.into()))?;
            let mut request = tonic::Request::new(body);
            *request.metadata_mut() = self.metadata.clone();
            request.set_timeout(self.timeout);
            client.unary(request, PathAndQuery::from_static(EXPORT), BytesCodec).await
        };
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(response)) => Ok(Accepted::from_protobuf(response.get_ref())),
            // The channel, too, watches the timeout that it tells the receiver about, and may be first.
            Ok(Err(status)) if is_timeout(&status) => Err(ExportError::timed_out(self.timeout)),
            Ok(Err(status)) => Err(self.last_alert.explain(classify(&status))),
            Err(_) => Err(ExportError::timed_out(self.timeout)),
        }
    }
}

fn is_timeout(status: &Status) -> bool {
    let mut source = status.source();
    while let Some(error) = source {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// Which failures may be tried again, by the table in "Failures" of the OTLP specification.
fn classify(status: &Status) -> ExportError {
    if let Some(source) = status.source() {
        // Not an answer: the connection could not be made or broke. What tonic says about it is a debug print.
        return ExportError::new(ExportErrorKind::Unreachable, root_cause(source));
    }
    let retry_after = retry_delay(status.details());
    let is_size =
        ["too large", "larger than", "exceeds maximum size"].iter().any(|word| status.message().contains(word));
    let kind = match status.code() {
        // grpc-go has the one, tonic the other.
        Code::ResourceExhausted | Code::OutOfRange if is_size && retry_after.is_none() => ExportErrorKind::TooLarge,
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => ExportErrorKind::Unavailable,
        // Without RetryInfo it means that trying again is of no use, for instance for a message that is too large.
        Code::ResourceExhausted if retry_after.is_some() => ExportErrorKind::Unavailable,
        _ => ExportErrorKind::Refused,
    };
    let message = format!("{:?}: {}", status.code(), status.message());
    ExportError { kind, message, retry_after }
}

/// `google.rpc.RetryInfo.retry_delay` among the details of a `google.rpc.Status`.
fn retry_delay(status: &[u8]) -> Option<Duration> {
    // Status.details = 3: Any { type_url = 1, value = 2 }; RetryInfo.retry_delay = 1: Duration { seconds, nanos }.
    let retry_info = Reader::new(status)
        .messages(3)
        .find(|any| any.field(1).is_some_and(|url| url.bytes().ends_with(b"/google.rpc.RetryInfo")))?;
    let delay = Reader::new(retry_info.field(2)?.bytes()).messages(1).last()?;
    let number = |field| delay.field(field).map_or(0, Field::number);
    let nanos = u32::try_from(number(2)).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(number(1), nanos))
}

/// Messages that are encoded already.
struct BytesCodec;

impl Codec for BytesCodec {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }
}

impl Decoder for BytesCodec {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OTLP specification, "Failures", the table of codes.
    #[test]
    fn retryable_codes_are_those_of_the_table() {
        use Code::*;
        for code in [Cancelled, DeadlineExceeded, Aborted, OutOfRange, Unavailable, DataLoss] {
            assert_eq!(classify(&Status::new(code, "")).kind, ExportErrorKind::Unavailable, "{code:?}");
        }
        for code in [
            Unknown,
            InvalidArgument,
            NotFound,
            AlreadyExists,
            PermissionDenied,
            Unauthenticated,
            FailedPrecondition,
            Unimplemented,
            Internal,
            ResourceExhausted,
        ] {
            assert_eq!(classify(&Status::new(code, "")).kind, ExportErrorKind::Refused, "{code:?}");
        }
    }

    /// As the servers of grpc-go, tonic and Java say it; a quota that is used up is not a matter of size.
    #[test]
    fn a_message_that_is_too_large_is_told_from_a_quota() {
        for (code, message, kind) in [
            (
                Code::ResourceExhausted,
                "grpc: received message larger than max (5000000 vs. 4194304)",
                ExportErrorKind::TooLarge,
            ),
            (
                Code::OutOfRange,
                "Error, decoded message length too large: found 5000000 bytes, the limit is: 4194304 bytes",
                ExportErrorKind::TooLarge,
            ),
            (Code::ResourceExhausted, "gRPC message exceeds maximum size 4194304: 5000000", ExportErrorKind::TooLarge),
            (Code::ResourceExhausted, "quota exceeded", ExportErrorKind::Refused),
            (Code::OutOfRange, "", ExportErrorKind::Unavailable),
        ] {
            assert_eq!(classify(&Status::new(code, message)).kind, kind, "{message}");
        }
    }

    fn retry_info(seconds: u8, nanos: u8) -> Bytes {
        let mut any = vec![0x0a, 40];
        any.extend_from_slice(b"type.googleapis.com/google.rpc.RetryInfo");
        any.extend_from_slice(&[0x12, 6, 0x0a, 4, 0x08, seconds, 0x10, nanos]);
        let mut status = vec![0x08, 8, 0x1a, any.len() as u8];
        status.extend_from_slice(&any);
        status.into()
    }

    #[test]
    fn resource_exhausted_is_retryable_with_retry_info() {
        let status = Status::with_details(Code::ResourceExhausted, "slow down", retry_info(3, 7));
        let error = classify(&status);
        assert_eq!(error.kind, ExportErrorKind::Unavailable);
        assert_eq!(error.retry_after, Some(Duration::new(3, 7)));
        assert_eq!(error.to_string(), "receiver unavailable: ResourceExhausted: slow down");
    }

    #[test]
    fn other_details_ask_for_nothing() {
        let mut other = retry_info(3, 7).to_vec();
        other[40] = b'X';
        assert_eq!(retry_delay(&other), None);
        assert_eq!(retry_delay(&[]), None);
    }
}
