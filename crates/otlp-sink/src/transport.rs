//! One request to an OTLP receiver and what its answer means.

mod grpc;
mod headers;
mod http;
mod tls;

use std::error::Error;
use std::fmt;
use std::io;
use std::time::{Duration, Instant};

use ::http::HeaderValue;
use bytes::Bytes;
use hyper_util::client::legacy::connect::HttpConnector;

use crate::config::{self, Compression, ConfigError, OtlpConfig, Protocol};
use crate::json;
use crate::reader::Reader;

const USER_AGENT: &str = concat!("OTel-OTLP-Exporter-Rust/", env!("CARGO_PKG_VERSION"), " otlp-sink");

/// Of the program, then of this crate ("User Agent" of the OTLP exporter specification).
fn user_agent(config: &OtlpConfig) -> Result<HeaderValue, ConfigError> {
    let Some(program) = &config.program else {
        return Ok(HeaderValue::from_static(USER_AGENT));
    };
    HeaderValue::from_str(&format!("{program} {USER_AGENT}")).map_err(|_| ConfigError::Program(program.clone()))
}

/// How long a connection may take to open. Shorter than a request's usual timeout, so that a host that swallows packets
/// is reported as unreachable.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may be without acknowledgement of what was sent.
const DEAD_PEER_TIMEOUT: Duration = Duration::from_secs(20);

/// Largest answer that is read; those of OTLP have some hundred bytes at most.
const MAX_ANSWER_LEN: usize = 64 * 1024;

/// What a probe found out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProbeReport {
    /// Time from the start of the connection to the answer.
    pub duration: Duration,
    /// A warning the receiver sent along, usually empty.
    pub message: String,
}

/// Sends one empty export request, without retry.
///
/// # Errors
///
/// What a sink would meet: nobody answers, or the answer is an error.
pub async fn probe(config: &OtlpConfig) -> Result<ProbeReport, ExportError> {
    let refused = |error: ConfigError| ExportError::new(ExportErrorKind::Refused, error.to_string());
    let transport = Transport::new(config).map_err(refused)?;
    let start = Instant::now();
    let request = transport.prepare(Bytes::new()).await;
    let accepted = transport.send(request).await?;
    Ok(ProbeReport { duration: start.elapsed(), message: accepted.message })
}

/// Why a request brought no success.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExportError {
    /// What to do about it.
    pub kind: ExportErrorKind,
    /// What happened, in one line.
    pub message: String,
    /// How long the receiver asks to wait (`Retry-After`, `RetryInfo`).
    pub retry_after: Option<Duration>,
}

/// Kinds of [`ExportError`]. All but `TooLarge` and `Refused` are worth another try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExportErrorKind {
    /// No connection, or it broke before the answer.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// The receiver asks to try again later.
    Unavailable,
    /// The receiver, as it is set up now, takes nothing from us: authorisation, path, service. It may later.
    Denied,
    /// The receiver has no room for the request, without a word on whether a smaller one or a later one would do.
    Exhausted,
    /// The receiver takes no request of this size: smaller ones may do.
    TooLarge,
    /// The receiver will not take this request, now or later.
    Refused,
}

impl ExportErrorKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Unreachable,
        Self::TimedOut,
        Self::Unavailable,
        Self::Denied,
        Self::Exhausted,
        Self::TooLarge,
        Self::Refused,
    ];

    /// The kind as a metric label.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Unavailable => "unavailable",
            Self::Denied => "denied",
            Self::Exhausted => "exhausted",
            Self::TooLarge => "too_large",
            Self::Refused => "refused",
        }
    }
}

impl ExportError {
    fn new(kind: ExportErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), retry_after: None }
    }

    fn timed_out(timeout: Duration) -> Self {
        Self::new(ExportErrorKind::TimedOut, format!("no answer within {timeout:?}"))
    }
}

impl fmt::Display for ExportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ExportErrorKind::Unreachable => "receiver unreachable: ",
            ExportErrorKind::TimedOut => "receiver too slow: ",
            ExportErrorKind::Unavailable => "receiver unavailable: ",
            ExportErrorKind::Denied => "receiver denies access: ",
            ExportErrorKind::Exhausted => "receiver has no room: ",
            ExportErrorKind::TooLarge => "request too large for the receiver: ",
            ExportErrorKind::Refused => "receiver refused the request: ",
        })?;
        f.write_str(&self.message)
    }
}

impl Error for ExportError {}

/// Longest text of a receiver that is shown.
const MAX_SHOWN_LEN: usize = 200;

/// What a receiver says, fit for a log.
fn printable(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SHOWN_LEN).collect()
}

/// A successful answer.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Accepted {
    pub(crate) rejected_spans: u64,
    pub(crate) message: String,
}

impl Accepted {
    /// Reads an `ExportTraceServiceResponse`: field 1 is `partial_success`, with `rejected_spans` and `error_message`.
    fn from_protobuf(response: &[u8]) -> Self {
        let Some(partial_success) = Reader::new(response).messages(1).last() else { return Self::default() };
        Self {
            rejected_spans: partial_success.field(1).map_or(0, |rejected| rejected.number()),
            message: partial_success.field(2).map_or_else(String::new, |message| printable(&message.text())),
        }
    }
}

/// A connection to one receiver. Connects when first used and again after a failure.
#[derive(Debug)]
pub(crate) enum Transport {
    Grpc(Box<grpc::GrpcTransport>),
    Http(Box<http::HttpTransport>),
}

impl Transport {
    /// Has to be called within a tokio runtime.
    pub(crate) fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        config::check_endpoint(&config.endpoint)?;
        Ok(match config.protocol {
            Protocol::Grpc => Self::Grpc(Box::new(grpc::GrpcTransport::new(config)?)),
            Protocol::HttpProtobuf | Protocol::HttpJson => Self::Http(Box::new(http::HttpTransport::new(config)?)),
        })
    }

    /// The body to send for an encoded request: transcoded and compressed once, however often it is sent.
    pub(crate) async fn prepare(&self, request: Bytes) -> Bytes {
        let (json, compression) = match self {
            Self::Grpc(grpc) => (false, grpc.compression()),
            Self::Http(http) => (http.makes_json(), http.compression()),
        };
        if !json && compression == Compression::None {
            return request;
        }
        // Milliseconds of work for a large batch: not for a thread that drives connections.
        let work = move || {
            let body = if json { json::to_json(&request).into() } else { request };
            if compression == Compression::None {
                return body;
            }
            let mut compressed = Vec::with_capacity(body.len() / 4);
            compression.compress(&body, &mut compressed);
            compressed.into()
        };
        tokio::task::spawn_blocking(work).await.expect("encoding does not panic")
    }

    pub(crate) async fn send(&self, body: Bytes) -> Result<Accepted, ExportError> {
        match self {
            Self::Grpc(grpc) => grpc.send(body).await,
            Self::Http(http) => http.send(body).await,
        }
    }
}

/// Opens TCP connections, with an end to those whose other side is gone without a word: the system would try for a quarter
/// of an hour.
fn connector() -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    connector.set_nodelay(true);
    connector.set_keepalive(Some(DEAD_PEER_TIMEOUT));
    // The system's own is 75 s.
    connector.set_keepalive_interval(Some(DEAD_PEER_TIMEOUT / 4));
    #[cfg(target_os = "linux")]
    connector.set_tcp_user_timeout(Some(DEAD_PEER_TIMEOUT));
    connector
}

/// What an I/O error of a library holds.
fn held<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    error.downcast_ref::<io::Error>()?.get_ref().map(|inner| inner as _)
}

/// Why a connection failed: the last of an error's causes. Those before it name layers of the client.
fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        // Of hyper's timers only that of a PING is in use. It says "operation timed out".
        if cause.downcast_ref().is_some_and(hyper::Error::is_timeout) {
            return "the connection does not answer".to_owned();
        }
        cause = source;
    }
    // An I/O error has the cause of what it holds, not what it holds itself.
    while let Some(inner) = held(cause).filter(|inner| inner.is::<io::Error>()) {
        cause = inner;
    }
    if let Some(error) = held(cause).unwrap_or(cause).downcast_ref() {
        return tls::explain(error);
    }
    match cause.downcast_ref::<io::Error>() {
        // Not the system's: a timer of ours, which says "deadline has elapsed".
        Some(error) if error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none() => {
            format!("no connection within {CONNECT_TIMEOUT:?}")
        }
        _ => cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_partial_success() {
        let response = [0x0a, 7, 0x08, 3, 0x12, 3, b'a', b'b', b'c'];
        let expected = Accepted { rejected_spans: 3, message: "abc".to_owned() };
        assert_eq!(Accepted::from_protobuf(&response), expected);
    }

    #[test]
    fn an_empty_response_is_full_success() {
        assert_eq!(Accepted::from_protobuf(&[]), Accepted::default());
        assert_eq!(Accepted::from_protobuf(&[0x0a, 0]), Accepted::default());
    }

    /// The table in docs/delivery.md, row by row: what is said of an answer is what happens.
    #[test]
    fn the_documentation_says_what_answers_mean() {
        use ExportErrorKind::*;
        let docs = include_str!("../../../docs/delivery.md");
        let row = |first: &str| {
            let row = docs.lines().find(|line| line.starts_with(&format!("| {first}"))).unwrap();
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            let names: Vec<_> = cells[1].split('`').skip(1).step_by(2).map(str::to_owned).collect();
            let statuses: Vec<u16> = cells[2].split([',', ' ']).filter_map(|word| word.parse().ok()).collect();
            (names, statuses)
        };
        let mut seen = (Vec::new(), Vec::new());
        for (first, kind) in [
            ("`UNAVAILABLE`", Unavailable),
            ("`UNAUTHENTICATED`", Denied),
            ("`RESOURCE_EXHAUSTED`", Exhausted),
            ("`INVALID_ARGUMENT`", Refused),
            ("a message that is too large", TooLarge),
        ] {
            let (names, statuses) = row(first);
            for status in &statuses {
                assert_eq!(http::classify(::http::StatusCode::from_u16(*status).unwrap()), kind, "{status}");
            }
            for name in &names {
                // As `RESOURCE_EXHAUSTED`, from `ResourceExhausted`.
                let letters = name.replace('_', "");
                let code = (0..=16).map(tonic::Code::from).find(|code| format!("{code:?}").to_uppercase() == letters);
                let status = tonic::Status::new(code.unwrap_or_else(|| panic!("{name}")), "");
                assert_eq!(grpc::classify(&status).kind, kind, "{name}");
            }
            seen.0.extend(names);
            seen.1.extend(statuses);
        }
        // Every code but OK is in these rows, and every status that is not refused.
        assert_eq!(seen.0.len(), 16);
        for status in 300..=599 {
            let kind = http::classify(::http::StatusCode::from_u16(status).unwrap());
            assert!(kind == Refused || seen.1.contains(&status), "{status}");
        }
    }

    #[derive(Debug)]
    struct Layer(io::Error);

    impl fmt::Display for Layer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("transport error")
        }
    }

    impl Error for Layer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn the_last_cause_is_told() {
        assert_eq!(root_cause(&Layer(io::Error::other("broken pipe"))), "broken pipe");
        let late = io::Error::new(io::ErrorKind::TimedOut, "deadline has elapsed");
        assert_eq!(root_cause(&Layer(late)), "no connection within 5s");
        let by_the_system = io::Error::from_raw_os_error(110);
        assert_eq!(root_cause(&Layer(by_the_system)), io::Error::from_raw_os_error(110).to_string());
    }
}
