//! What a sink sends, where, and how hard it tries.

pub mod env;
mod file;

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderMap, Uri};

use crate::encode::SpanLimits;
use crate::spool::SpoolConfig;
pub use file::{FileCompression, FileConfig};

/// Configuration of a [`Sink`](crate::Sink).
///
/// ```
/// use otlp_sink::{OtlpConfig, Output, Protocol, SinkConfig};
///
/// let otlp = OtlpConfig::new(Protocol::Grpc, "collector:4317")?;
/// let config = SinkConfig::default()
///     .with_output(Output::Otlp(otlp))
///     .with_resource_attribute("service.name", "my-service");
/// # Ok::<(), otlp_sink::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SinkConfig {
    /// Where spans go; each output gets all of them and has a queue of its own.
    pub outputs: Vec<Output>,
    /// Attributes of the resource, as `service.name`.
    pub resource: Vec<(String, String)>,
    /// Name of the instrumentation scope.
    pub scope_name: String,
    /// Version of the instrumentation scope.
    pub scope_version: String,
    /// Limits of the attributes of each span.
    pub limits: SpanLimits,
    /// Spans in a request. Default 8,192: with 14 attributes each they just fill `max_batch_bytes`.
    pub max_batch_spans: NonZeroUsize,
    /// Bytes in a request before compression. Default 3.5 MiB, because receivers take 4 MiB by default over gRPC.
    /// A single span larger than this is dropped. A request is no larger than half of `queue_bytes` divided by
    /// `max_in_flight`, either.
    pub max_batch_bytes: usize,
    /// How long a span may wait for its batch to fill. Default 1 s: soon enough for a person who looks at a trace, and
    /// no more than one small request a second for each writer when traffic is low.
    pub max_delay: Duration,
    /// Bytes an output holds in memory that are not acknowledged yet. Default 32 MiB; a batch that does not fit is dropped and
    /// counted. With little there are small requests, and spans that are larger than those are dropped; 8 KiB for each request
    /// under way are the least.
    pub queue_bytes: usize,
    /// How long a span may wait for its delivery, in memory and in a spool, before it is dropped and counted. Default
    /// without end: the limits in bytes are enough.
    pub max_age: Option<Duration>,
    /// Requests an OTLP output has under way at once. Default 4.
    pub max_in_flight: NonZeroUsize,
    /// Upper bound of the first wait before a retry. Doubles with each attempt; the wait is random below it. Default
    /// 200 ms.
    pub retry_initial: Duration,
    /// Upper bound of the wait before a retry after an answer that asks for one, and the usual wait after one that refuses
    /// everything, whatever it is (bad authorisation, unknown path). Default 30 s.
    pub retry_max: Duration,
    /// Upper bound of the wait before a retry when nobody answers. Default 5 s: shorter than `retry_max`, because
    /// a refused connection costs the receiver nothing and it should be found again quickly.
    pub reconnect_max: Duration,
}

impl Default for SinkConfig {
    fn default() -> Self {
        Self {
            outputs: Vec::new(),
            resource: Vec::new(),
            scope_name: env!("CARGO_PKG_NAME").to_owned(),
            scope_version: env!("CARGO_PKG_VERSION").to_owned(),
            limits: SpanLimits::default(),
            max_batch_spans: const { NonZeroUsize::new(8192).expect("not zero") },
            max_batch_bytes: 3_670_016,
            max_delay: Duration::from_secs(1),
            queue_bytes: 32 * 1024 * 1024,
            max_age: None,
            max_in_flight: const { NonZeroUsize::new(4).expect("not zero") },
            retry_initial: Duration::from_millis(200),
            retry_max: Duration::from_secs(30),
            reconnect_max: Duration::from_secs(5),
        }
    }
}

impl SinkConfig {
    /// Adds an output.
    pub fn with_output(mut self, output: Output) -> Self {
        self.outputs.push(output);
        self
    }

    /// Adds an attribute of the resource.
    pub fn with_resource_attribute(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// Sets name and version of the instrumentation scope.
    pub fn with_scope(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        self.scope_name = name.into();
        self.scope_version = version.into();
        self
    }

    /// Whether requests have room for spans. [`max_batch_bytes`](Self::max_batch_bytes) alone may be as small as anyone wants.
    pub(crate) fn check_queue(&self) -> Result<(), ConfigError> {
        let (queue_bytes, max_in_flight) = (self.queue_bytes, self.max_in_flight.get());
        if self.batch_bytes() < self.max_batch_bytes.min(MIN_BATCH_BYTES) {
            return Err(ConfigError::QueueSize { queue_bytes, max_in_flight });
        }
        Ok(())
    }

    /// Bytes of a request at most: those under way fill half of the queue at most, and the other half has room for as many.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.max_batch_bytes.min(self.queue_bytes / (2 * self.max_in_flight.get()))
    }
}

/// A place spans go to.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::large_enum_variant, reason = "a sink has a few of them, for as long as it runs")]
pub enum Output {
    /// An OTLP receiver.
    Otlp(OtlpConfig),
    /// A file of OTLP JSON lines.
    File(FileConfig),
    /// Standard output.
    Stdout(StdoutFormat),
}

/// How spans look on standard output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum StdoutFormat {
    /// [`Tree`](Self::Tree) on a terminal, [`JsonLines`](Self::JsonLines) otherwise.
    #[default]
    Auto,
    /// One indented tree a trace, for people.
    Tree,
    /// OTLP JSON lines, for programs.
    JsonLines,
}

/// How to reach an OTLP receiver. Header values do not appear in its `Debug` form.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OtlpConfig {
    /// What is sent. Default traces, which is all that an output takes.
    pub signal: Signal,
    /// For gRPC host and port; for HTTP the URL that requests are posted to, path included.
    pub endpoint: Uri,
    /// More receivers of the same kind, with all other settings in common.
    pub more_endpoints: Vec<Uri>,
    /// Which of several receivers a request goes to.
    pub balance: Balance,
    /// Encoding and transport.
    pub protocol: Protocol,
    /// Headers (gRPC: metadata) sent with each request, authorisation among them.
    pub headers: HeaderMap,
    /// File with more headers, as lines or a list with commas of `key=value`, percent-encoded; they win. It is read when the
    /// sink starts and again when it has changed, so that a token can be replaced.
    pub headers_file: Option<PathBuf>,
    /// How long a request may take before it counts as not answered and is sent again. Default 10 s.
    pub timeout: Duration,
    /// Compression of requests. Default none.
    pub compression: Compression,
    /// Name and version of the program, as `my-program/1.0`, for the `User-Agent` in front of this crate's own.
    pub program: Option<String>,
    /// Whom to trust and what to show, for an `https` endpoint.
    pub tls: TlsConfig,
    /// Where spans are kept that cannot be delivered now. Default none: they wait in memory.
    pub spool: Option<SpoolConfig>,
}

/// TLS to a receiver. Files are PEM, read when the sink starts and again for a new connection when they have changed; a
/// file that cannot be used then leaves what was read before in force, with a warning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsConfig {
    /// Certificates of the authorities to trust, instead of those that the system trusts.
    pub certificate: Option<PathBuf>,
    /// Certificate to show, with those between it and its authority. Needs `client_key`.
    pub client_certificate: Option<PathBuf>,
    /// Key of `client_certificate`.
    pub client_key: Option<PathBuf>,
    /// Name that the receiver's certificate must have, instead of the endpoint's host.
    pub server_name: Option<String>,
}

impl OtlpConfig {
    /// A receiver of traces at `endpoint`, which is used as it is; [`Protocol::default_endpoint`] names the usual ones.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Endpoint`] when it is no URL. Over gRPC the scheme may be absent (`host:4317`) and means `http`.
    pub fn new(protocol: Protocol, endpoint: &str) -> Result<Self, ConfigError> {
        Ok(Self::at(protocol, parse_endpoint(protocol, endpoint)?))
    }

    fn at(protocol: Protocol, endpoint: Uri) -> Self {
        Self {
            signal: Signal::Traces,
            endpoint,
            more_endpoints: Vec::new(),
            balance: Balance::default(),
            protocol,
            headers: HeaderMap::new(),
            headers_file: None,
            timeout: Duration::from_secs(10),
            compression: Compression::None,
            program: None,
            tls: TlsConfig::default(),
            spool: None,
        }
    }
}

impl OtlpConfig {
    /// Each receiver on its own.
    pub fn each(&self) -> impl Iterator<Item = Self> {
        [&self.endpoint].into_iter().chain(&self.more_endpoints).map(|endpoint| Self {
            endpoint: endpoint.clone(),
            more_endpoints: Vec::new(),
            ..self.clone()
        })
    }
}

/// Which of several receivers a request goes to. One that fails is left alone for some time, and what it did not take goes to
/// another at once; if none works, the request waits as it would for a single one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Balance {
    /// `failover`: the first that works.
    #[default]
    Failover,
    /// `round-robin`: each in turn.
    RoundRobin,
}

impl FromStr for Balance {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim() {
            "failover" => Ok(Self::Failover),
            "round-robin" => Ok(Self::RoundRobin),
            _ => Err(ConfigError::Balance(text.to_owned())),
        }
    }
}

/// What an OTLP request carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// `ExportTraceServiceRequest`
    #[default]
    Traces,
    /// `ExportMetricsServiceRequest`
    Metrics,
    /// `ExportLogsServiceRequest`
    Logs,
}

impl Signal {
    /// Its name in variables: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }

    /// Where it goes over HTTP, below the general endpoint.
    pub(crate) const fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// Where it goes over gRPC.
    pub(crate) const fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// An OTLP transport and encoding, named as in `OTEL_EXPORTER_OTLP_PROTOCOL`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    /// `grpc`
    #[default]
    Grpc,
    /// `http/protobuf`, also `http`
    HttpProtobuf,
    /// `http/json`
    HttpJson,
}

impl Protocol {
    /// Where a receiver of traces on this machine listens.
    pub const fn default_endpoint(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318/v1/traces",
        }
    }

    /// The general endpoint of a receiver on this machine.
    pub(crate) const fn default_base(self) -> &'static str {
        match self {
            Self::Grpc => "http://localhost:4317",
            Self::HttpProtobuf | Self::HttpJson => "http://localhost:4318",
        }
    }
}

impl FromStr for Protocol {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "grpc" => Ok(Self::Grpc),
            "http/protobuf" | "http" => Ok(Self::HttpProtobuf),
            "http/json" => Ok(Self::HttpJson),
            _ => Err(ConfigError::Protocol(text.to_owned())),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Grpc => "grpc",
            Self::HttpProtobuf => "http/protobuf",
            Self::HttpJson => "http/json",
        })
    }
}

/// Compression of requests, named as in `OTEL_EXPORTER_OTLP_COMPRESSION`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// `none`
    #[default]
    None,
    /// `gzip`
    Gzip,
    /// `zstd`, which costs less than gzip and is understood by fewer receivers.
    Zstd,
}

impl FromStr for Compression {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(ConfigError::Compression(text.to_owned())),
        }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.encoding().unwrap_or("none"))
    }
}

/// A setting that cannot be used. The message says what would be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No known protocol.
    #[error("unknown OTLP protocol {0:?}: use grpc, http/protobuf or http/json")]
    Protocol(String),
    /// No known compression.
    #[error("unknown compression {0:?}: use gzip, zstd or none")]
    Compression(String),
    /// No known balance.
    #[error("unknown balance {0:?}: use failover or round-robin")]
    Balance(String),
    /// No known compression of a file.
    #[error("unknown compression {0:?}: use zstd or none")]
    FileCompression(String),
    /// No URL.
    #[error("invalid endpoint {0:?}: expected a URL such as http://localhost:4317")]
    Endpoint(String),
    /// A file with certificates, a key or headers that cannot be used.
    #[error("cannot use {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A client certificate without its key, or the other way round.
    #[error("a client certificate and its key are both needed, or none of them")]
    ClientPair,
    /// A name that no certificate can have.
    #[error("invalid server name {0:?}: expected a host name or an address")]
    ServerName(String),
    /// The system has no certificates of authorities.
    #[error("this system has no certificates of authorities to trust ({0}): name a file with those of the receiver")]
    NoAuthorities(String),
    /// No name that a header can have.
    #[error("invalid program {0:?}: expected a name and a version such as my-program/1.0")]
    Program(String),
    /// A user or password in the URL, which would show in logs. Neither is kept.
    #[error("the endpoint has a user or password in it: send them as a header, authorization=Basic%20...")]
    Credentials,
    /// No positive number of milliseconds.
    #[error("invalid timeout {0:?}: expected milliseconds, at least 1")]
    Timeout(String),
    /// Neither `true` nor `false`.
    #[error("invalid value {0:?}: use true or false")]
    Boolean(String),
    /// Not `key=value`. Only the key is kept: values may be secret.
    #[error("invalid entry {0:?}: expected key=value, separated by commas, special characters percent-encoded")]
    KeyValue(String),
    /// An output for something else than traces.
    #[error("an output takes traces alone")]
    Signal,
    /// A spool that could not hold a single request.
    #[error("a spool of {bytes} bytes is too small: one request takes up to {least}")]
    SpoolSize {
        /// Its limit.
        bytes: u64,
        /// What it has to be at least.
        least: u64,
    },
    /// Requests that spans would not fit in.
    #[error(
        "{queue_bytes} bytes for {max_in_flight} requests under way leave {} for each: take at least {MIN_BATCH_BYTES}",
        queue_bytes / (2 * max_in_flight)
    )]
    QueueSize {
        /// [`SinkConfig::queue_bytes`].
        queue_bytes: usize,
        /// [`SinkConfig::max_in_flight`].
        max_in_flight: usize,
    },
    /// Nothing to send to.
    #[error("no output configured")]
    NoOutput,
}

/// The least that may be left for a request: some spans.
const MIN_BATCH_BYTES: usize = 4 << 10;

/// Reads an endpoint, with the rules of [`OtlpConfig::new`].
fn parse_endpoint(protocol: Protocol, text: &str) -> Result<Uri, ConfigError> {
    let invalid = || ConfigError::Endpoint(text.to_owned());
    let trimmed = text.trim();
    let url = match (protocol, trimmed.contains("://")) {
        (Protocol::Grpc, false) => format!("http://{trimmed}"),
        _ => trimmed.to_owned(),
    };
    let authority = url.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    if authority.contains('@') {
        return Err(ConfigError::Credentials);
    }
    let uri = url.parse::<Uri>().map_err(|_| invalid())?;
    check_endpoint(&uri).map_err(|_| invalid())?;
    Ok(uri)
}

/// Whether requests can be sent to `uri`.
pub(crate) fn check_endpoint(uri: &Uri) -> Result<(), ConfigError> {
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(ConfigError::Credentials);
    }
    if uri.host().is_none_or(str::is_empty) {
        return Err(ConfigError::Endpoint(uri.to_string()));
    }
    match uri.scheme_str() {
        Some("http" | "https") => Ok(()),
        _ => Err(ConfigError::Endpoint(uri.to_string())),
    }
}
