//! OTLP over gRPC.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::Frame;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use tower_service::Service;

use super::headers::Headers;
use super::tls::{Connector, LastAlert};
use super::{
    Accepted, CONNECT_TIMEOUT, ExportError, ExportErrorKind, MAX_ANSWER_LEN, connector, printable, root_cause,
    user_agent,
};
use crate::config::{Compression, ConfigError, OtlpConfig};
use crate::reader::{Field, Reader};

const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Least time a receiver has to answer a PING; a busy one may need it.
const MIN_PING_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct GrpcTransport {
    endpoint: Endpoint,
    connector: Connector,
    current: Mutex<Numbered>,
    path: &'static str,
    last_alert: LastAlert,
    headers: Headers,
    timeout: Duration,
    compression: Compression,
}

/// The channel of new calls, and how many were before it.
#[derive(Clone, Debug)]
struct Numbered {
    number: u64,
    channel: Channel,
}

impl GrpcTransport {
    pub(super) fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        let endpoint = Endpoint::from(config.endpoint.clone())
            .user_agent(user_agent(config)?)
            .map_err(|_| ConfigError::Endpoint(config.endpoint.to_string()))?
            .connect_timeout(CONNECT_TIMEOUT)
            // A connection that is dead is known before the first request on it has waited in vain. Servers made with grpc-go
            // end a connection after the third PING that came for no reason: while nothing was asked, or within five minutes
            // with no answer in between. No more than three fit into the life of a channel that answers nothing.
            .http2_keep_alive_interval(config.timeout / 2)
            .keep_alive_timeout((config.timeout / 3).max(MIN_PING_TIMEOUT))
            .keep_alive_while_idle(false);
        let connector = Connector::new(connector(), config, b"h2")?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        let timeout = format!("{}m", config.timeout.as_millis().min(99_999_999));
        headers.insert(GRPC_TIMEOUT, timeout.parse().expect("digits are a header"));
        if let Some(encoding) = config.compression.encoding() {
            headers.insert(GRPC_ENCODING, HeaderValue::from_static(encoding));
            headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static(encoding));
        }
        Ok(Self {
            last_alert: connector.last_alert(),
            current: Mutex::new(Numbered {
                number: 0,
                channel: endpoint.connect_with_connector_lazy(connector.clone()),
            }),
            endpoint,
            connector,
            path: config.signal.grpc_path(),
            headers: Headers::new(config, headers)?,
            timeout: config.timeout,
            compression: config.compression,
        })
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    /// Sends a message that is compressed already.
    pub(super) async fn send(&self, message: Bytes) -> Result<Accepted, ExportError> {
        let Numbered { number, channel } = self.current().clone();
        let called = tokio::time::timeout(self.timeout, self.call(channel, message)).await;
        let error = match called.unwrap_or_else(|_| Err(ExportError::timed_out(self.timeout))) {
            Ok(accepted) => return Ok(accepted),
            Err(error) => error,
        };
        if error.kind == ExportErrorKind::TimedOut {
            self.replace(number);
        }
        Err(self.last_alert.explain(error))
    }

    fn current(&self) -> MutexGuard<'_, Numbered> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has new calls use a connection of their own: that of the channel with this number may be dead, and HTTP/2 would use it
    /// for every call until the system gives it up. Calls that are under way stay where they are.
    fn replace(&self, number: u64) {
        let mut current = self.current();
        if current.number == number {
            let channel = self.endpoint.connect_with_connector_lazy(self.connector.clone());
            *current = Numbered { number: number + 1, channel };
        }
    }

    /// One call, by "gRPC over HTTP2". Not by tonic's client, which compresses at levels of its own, and for each attempt.
    async fn call(&self, mut channel: Channel, message: Bytes) -> Result<Accepted, ExportError> {
        let failed = |error: tonic::transport::Error| {
            // The channel, too, watches the timeout that it tells the receiver about, and may be first.
            if is_timeout(&error) {
                return ExportError::timed_out(self.timeout);
            }
            ExportError::new(ExportErrorKind::Unreachable, root_cause(&error))
        };
        poll_fn(|cx| channel.poll_ready(cx)).await.map_err(failed)?;
        let mut request = Request::new(Body::new(Framed::new(message, self.compression != Compression::None)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(self.path);
        *request.version_mut() = Version::HTTP_2;
        *request.headers_mut() = self.headers.get();
        let (head, body) = channel.call(request).await.map_err(failed)?.into_parts();
        // Without an answer the status comes with the headers, otherwise behind it.
        if let Some(status) = Status::from_header_map(&head.headers) {
            return accepted(&status, &[]);
        }
        if head.status != StatusCode::OK {
            // A proxy that does not speak gRPC ("HTTP to gRPC Status Code Mapping").
            return Err(ExportError::new(super::http::classify(head.status), format!("not gRPC: {}", head.status)));
        }
        // The status comes behind the message, of which no more is kept than can make sense.
        let (mut message, mut trailers, mut body) = (Vec::new(), None, body);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| ExportError::new(ExportErrorKind::Unreachable, root_cause(&error)))?;
            match frame.into_data() {
                Ok(data) => {
                    let room = MAX_ANSWER_LEN - message.len();
                    message.extend_from_slice(&data[..data.len().min(room)]);
                }
                Err(frame) => trailers = frame.into_trailers().ok(),
            }
        }
        let Some(status) = trailers.as_ref().and_then(Status::from_header_map) else {
            return Err(ExportError::new(ExportErrorKind::Unreachable, "the answer has no status"));
        };
        let answer = answer(&message, head.headers.get(GRPC_ENCODING));
        accepted(&status, &answer)
    }
}

fn accepted(status: &Status, answer: &[u8]) -> Result<Accepted, ExportError> {
    if status.code() == Code::Ok { Ok(Accepted::from_protobuf(answer)) } else { Err(classify(status)) }
}

/// The message of an answer; none where it cannot be read, because the status says what became of the request. Servers made
/// with grpc-go, the OpenTelemetry Collector among them, compress as they were asked.
fn answer(body: &[u8], encoding: Option<&HeaderValue>) -> Vec<u8> {
    match body {
        [0, _, _, _, _, message @ ..] => message.to_vec(),
        [1, _, _, _, _, message @ ..] => {
            let encoding = encoding.map_or(&[][..], HeaderValue::as_bytes);
            Compression::decompress(encoding, message, MAX_ANSWER_LEN as u64).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// A body of one message: five bytes that say whether it is compressed, and how long it is; then the message.
struct Framed {
    parts: [Option<Bytes>; 2],
}

impl Framed {
    fn new(message: Bytes, compressed: bool) -> Self {
        let mut prefix = [u8::from(compressed), 0, 0, 0, 0];
        // Batches are smaller than 4 GiB.
        prefix[1..].copy_from_slice(&(message.len() as u32).to_be_bytes());
        Self { parts: [Some(Bytes::copy_from_slice(&prefix)), Some(message).filter(|message| !message.is_empty())] }
    }
}

impl hyper::body::Body for Framed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        Poll::Ready(self.parts.iter_mut().find_map(Option::take).map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.iter().all(Option::is_none)
    }
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.is::<tonic::TimeoutExpired>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Which failures may be tried again, by the table in "Failures" of the OTLP specification.
pub(super) fn classify(status: &Status) -> ExportError {
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
        Code::ResourceExhausted if retry_after.is_some() => ExportErrorKind::Unavailable,
        // By the table not to be tried again. But quotas and rate limits are told so, and pass.
        Code::ResourceExhausted => ExportErrorKind::Exhausted,
        // Nothing is wrong with the spans: another token, path or server takes them.
        Code::Unauthenticated | Code::PermissionDenied | Code::Unimplemented | Code::NotFound => {
            ExportErrorKind::Denied
        }
        _ => ExportErrorKind::Refused,
    };
    let message = format!("{:?}: {}", status.code(), printable(status.message()));
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
        for code in [Unknown, InvalidArgument, AlreadyExists, FailedPrecondition, Internal] {
            assert_eq!(classify(&Status::new(code, "")).kind, ExportErrorKind::Refused, "{code:?}");
        }
        for code in [NotFound, PermissionDenied, Unauthenticated, Unimplemented] {
            assert_eq!(classify(&Status::new(code, "")).kind, ExportErrorKind::Denied, "{code:?}");
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
            (Code::ResourceExhausted, "quota exceeded", ExportErrorKind::Exhausted),
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

    /// What a receiver says goes to logs.
    #[test]
    fn messages_are_short_and_printable() {
        let status = Status::new(Code::Unavailable, format!("x\n\x1b[2J{}", "y".repeat(60_000)));
        let text = classify(&status).to_string();
        assert!(text.starts_with("receiver unavailable: Unavailable: x  [2Jyyy") && text.len() < 300, "{text}");
    }
}
