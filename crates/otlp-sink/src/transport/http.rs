//! OTLP over HTTP/1.1.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::headers::Headers;
use super::tls::{Connector, LastAlert};
use super::{Accepted, ExportError, ExportErrorKind, MAX_ANSWER_LEN, connector, printable, root_cause};
use crate::config::{Compression, ConfigError, OtlpConfig, Protocol, Signal};
use crate::reader::Reader;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// How long a connection may wait for the next request: less than servers let it. Apache and Node.js close it after 5 s, the
/// Collector after 60 s, nginx after 75 s, and a request that is on its way just then is lost. Batches come every second.
const MAX_IDLE: Duration = Duration::from_secs(4);

#[derive(Debug)]
pub(crate) struct HttpTransport {
    client: Client<Connector, Full<Bytes>>,
    last_alert: LastAlert,
    endpoint: Uri,
    headers: Headers,
    timeout: Duration,
    makes_json: bool,
    compression: Compression,
}

impl HttpTransport {
    pub(super) fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        let json = config.protocol == Protocol::HttpJson;
        let connector = Connector::new(connector(), config, b"http/1.1")?;
        let last_alert = connector.last_alert();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(MAX_IDLE)
            .build(connector);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(if json { JSON } else { PROTOBUF }));
        if !config.headers.contains_key(USER_AGENT) {
            headers.insert(USER_AGENT, super::user_agent(config)?);
        }
        if let Some(encoding) = config.compression.encoding() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        let headers = Headers::new(config, headers)?;
        let (endpoint, timeout, compression) = (config.endpoint.clone(), config.timeout, config.compression);
        // Other signals come as they are to be sent.
        let makes_json = json && config.signal == Signal::Traces;
        Ok(Self { client, last_alert, endpoint, headers, timeout, makes_json, compression })
    }

    /// Whether requests are protobuf that has to be made JSON.
    pub(super) fn makes_json(&self) -> bool {
        self.makes_json
    }

    pub(super) fn compression(&self) -> Compression {
        self.compression
    }

    pub(super) async fn send(&self, body: Bytes) -> Result<Accepted, ExportError> {
        match tokio::time::timeout(self.timeout, self.post(body)).await {
            Ok(result) => result.map_err(|error| self.last_alert.explain(error)),
            Err(_) => Err(ExportError::timed_out(self.timeout)),
        }
    }

    async fn post(&self, body: Bytes) -> Result<Accepted, ExportError> {
        let unreachable = |error: &(dyn std::error::Error + 'static)| {
            ExportError::new(ExportErrorKind::Unreachable, root_cause(error))
        };
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers.get();
        let response = self.client.request(request).await.map_err(|error| unreachable(&error))?;
        let (head, body) = response.into_parts();
        let json = head.headers.get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(JSON.as_bytes()));
        let body = match Limited::new(body, MAX_ANSWER_LEN).collect().await {
            Ok(body) => body.to_bytes(),
            // The status has said what became of the request; its body only explains.
            Err(_) if head.status.is_success() => Bytes::new(),
            Err(error) => return Err(unreachable(&*error)),
        };
        if head.status.is_success() {
            return Ok(if json { accepted_json(&body) } else { Accepted::from_protobuf(&body) });
        }
        let message = format!("{}{}", head.status, explanation(&body, head.headers.get(CONTENT_TYPE)));
        Err(ExportError { kind: classify(head.status), message, retry_after: retry_after(&head.headers) })
    }
}

/// Which answers may be tried again, by "Retryable Response Codes" of the OTLP specification.
pub(super) fn classify(status: StatusCode) -> ExportErrorKind {
    match status {
        StatusCode::TOO_MANY_REQUESTS
        | StatusCode::BAD_GATEWAY
        | StatusCode::SERVICE_UNAVAILABLE
        | StatusCode::GATEWAY_TIMEOUT => ExportErrorKind::Unavailable,
        StatusCode::PAYLOAD_TOO_LARGE => ExportErrorKind::TooLarge,
        // Nothing is wrong with the spans: another token or path has them taken.
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED => ExportErrorKind::Denied,
        _ => ExportErrorKind::Refused,
    }
}

/// `Retry-After` in seconds, or as a date (RFC 9110 section 10.2.3), which counts from the receiver's own `Date` where there
/// is one: machines disagree on the time.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let then = httpdate::parse_http_date(value).ok()?;
    let now = text(DATE).and_then(|date| httpdate::parse_http_date(date).ok()).unwrap_or_else(SystemTime::now);
    Some(then.duration_since(now).unwrap_or_default())
}

/// An `ExportTraceServiceResponse`, or the same of another signal, as JSON. What cannot be read counts as full success, as the status says.
fn accepted_json(body: &[u8]) -> Accepted {
    let response: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let partial_success = &response["partialSuccess"];
    // 64-bit integers are strings in OTLP JSON; numbers are to be accepted too.
    let rejected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"].map(|key| &partial_success[key]);
    let number = |value: &serde_json::Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let rejected_spans = rejected.into_iter().find_map(number).unwrap_or(0);
    let message = printable(partial_success["errorMessage"].as_str().unwrap_or_default());
    Accepted { rejected_spans, message }
}

/// What the body of a failure says: text, or the message of a `google.rpc.Status`.
fn explanation(body: &[u8], content_type: Option<&HeaderValue>) -> String {
    let is_protobuf = content_type.is_some_and(|kind| kind.as_bytes().starts_with(PROTOBUF.as_bytes()));
    let text = match Reader::new(body).field(2) {
        Some(message) if is_protobuf => message.text(),
        _ if is_protobuf => return String::new(),
        _ => String::from_utf8_lossy(body),
    };
    let text = printable(&text);
    if text.is_empty() { text } else { format!(": {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OTLP specification, "Retryable Response Codes".
    #[test]
    fn retryable_statuses_are_those_of_the_specification() {
        let retryable: Vec<u16> = (100..=599)
            .filter(|code| classify(StatusCode::from_u16(*code).unwrap()) == ExportErrorKind::Unavailable)
            .collect();
        assert_eq!(retryable, [429, 502, 503, 504]);
        assert_eq!(classify(StatusCode::PAYLOAD_TOO_LARGE), ExportErrorKind::TooLarge);
        for status in [401, 403, 404, 405, 407] {
            assert_eq!(classify(StatusCode::from_u16(status).unwrap()), ExportErrorKind::Denied, "{status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let headers = |value| HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]);
        assert_eq!(retry_after(&headers("12")), Some(Duration::from_secs(12)));
        let mut dated = headers("Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(retry_after(&headers("Wed, 21 Oct 2015 07:28:00 GMT")), Some(Duration::ZERO), "it is over");
        for (date, seconds) in [("Wed, 21 Oct 2026 07:27:30 GMT", 30), ("Wed, 21 Oct 2026 07:29:00 GMT", 0)] {
            dated.insert(DATE, HeaderValue::from_static(date));
            assert_eq!(retry_after(&dated), Some(Duration::from_secs(seconds)));
        }
        assert_eq!(retry_after(&headers("soon")), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    /// OTLP specification, "JSON Protobuf Encoding": 64-bit integers are decimal strings, and numbers are accepted.
    #[test]
    fn partial_success_is_read_from_json() {
        let expected = Accepted { rejected_spans: 3, message: "too old".to_owned() };
        for rejected in ["3", "\"3\""] {
            for key in ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"] {
                let body = format!(r#"{{"partialSuccess":{{"{key}":{rejected},"errorMessage":"too old"}}}}"#);
                assert_eq!(accepted_json(body.as_bytes()), expected);
            }
        }
        for body in ["{}", "", "not json", r#"{"partialSuccess":{}}"#] {
            assert_eq!(accepted_json(body.as_bytes()), Accepted::default(), "{body}");
        }
    }

    #[test]
    fn explanations_are_short_and_printable() {
        let protobuf = HeaderValue::from_static(PROTOBUF);
        assert_eq!(explanation(&[0x08, 3, 0x12, 2, b'n', b'o'], Some(&protobuf)), ": no");
        assert_eq!(explanation(&[0xff, 0xff], Some(&protobuf)), "");
        assert_eq!(explanation(b"bad\x1b[31m\nrequest\n", None), ": bad [31m request");
        assert_eq!(explanation(&[b'x'; 1000], None).len(), 2 + super::super::MAX_SHOWN_LEN);
    }
}
