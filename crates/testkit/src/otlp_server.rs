//! A backend for tests: takes OTLP over gRPC and HTTP on one port of this machine and remembers every span, metric and log record.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, IoSlice, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
pub use http::StatusCode;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
pub use opentelemetry_proto::tonic::common::v1::KeyValue;
pub use opentelemetry_proto::tonic::common::v1::any_value::Value;
pub use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs};
pub use opentelemetry_proto::tonic::metrics::v1::{
    HistogramDataPoint, Metric, NumberDataPoint, metric, number_data_point,
};
pub use opentelemetry_proto::tonic::resource::v1::Resource;
pub use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
pub use tonic::Code;
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::UnaryService;

/// The Collector's limit over HTTP. Over gRPC tonic has 4 MiB, as the Collector does.
const MAX_HTTP_BODY_LEN: usize = 20 * 1024 * 1024;

/// How long requests under way may take when the server stops.
const GRACE: Duration = Duration::from_secs(2);

const GRPC_TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GRPC_METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const GRPC_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const HTTP_TRACES: &str = "/v1/traces";
const HTTP_METRICS: &str = "/v1/metrics";
const HTTP_LOGS: &str = "/v1/logs";

/// What the server does with a request.
#[derive(Clone, Debug, Default)]
pub enum Respond {
    /// Takes the spans.
    #[default]
    Accept,
    /// Takes the spans and says that it rejected that many, with a message.
    PartialSuccess(i64, &'static str),
    /// Asks to try again: `UNAVAILABLE` or 503, with `Retry-After` seconds over HTTP if given.
    Unavailable(Option<u64>),
    /// Takes requests of fewer bytes of protobuf than this, and says of others that they are too large.
    Limit(usize),
    /// Refuses for good with these codes.
    Refuse(Code, StatusCode),
    /// Takes nothing and never answers.
    Hang,
    /// Takes the spans at once and answers after that long, unless the client has gone by then.
    AcceptAfter(Duration),
    /// Takes the spans and never answers.
    AcceptUnanswered,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// `/v1/traces` or the path of the gRPC method.
    pub path: String,
    /// Headers or gRPC metadata.
    pub headers: HeaderMap,
    /// Spans in it.
    pub spans: usize,
    /// Length of the message as protobuf, without compression.
    pub message_len: usize,
    /// Whether its spans were taken.
    pub accepted: bool,
}

/// The server. Dropping it ends it at once, cutting connections.
#[derive(Debug)]
pub struct OtlpServer {
    address: SocketAddr,
    /// Bound and never used: keeps others from the port while the server is stopped.
    port: Option<TcpSocket>,
    recording: Arc<Recording>,
    running: Option<Running>,
    tls: Option<Arc<ServerConfig>>,
}

#[derive(Debug)]
struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl OtlpServer {
    /// Starts a server; port 0 takes a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be listened on.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        Self::start_with(address, None).await
    }

    async fn start_with(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> io::Result<Self> {
        let port = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        // A test before this one may have left connections in TIME_WAIT on a port that was chosen.
        port.set_reuseaddr(address.port() != 0)?;
        port.bind(address)?;
        let mut server = Self::new(port.local_addr()?, tls);
        server.port = Some(port);
        server.restart().await?;
        Ok(server)
    }

    fn new(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Self {
        Self { address, port: None, recording: Arc::default(), running: None, tls }
    }

    /// Starts a server on a port that is listened on already, in a network namespace of its own for instance.
    ///
    /// # Errors
    ///
    /// It is no working port.
    pub fn start_on(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let mut server = Self::new(listener.local_addr()?, None);
        server.run(listener);
        Ok(server)
    }

    /// A server that takes TLS alone, on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start_local_tls(tls: ServerConfig) -> io::Result<Self> {
        Self::start_with(SocketAddr::from(([127, 0, 0, 1], 0)), Some(Arc::new(tls))).await
    }

    /// [`OtlpServer::restart`] with another certificate.
    ///
    /// # Errors
    ///
    /// Someone else took the port.
    pub async fn restart_tls(&mut self, tls: ServerConfig) -> io::Result<()> {
        self.tls = Some(Arc::new(tls));
        self.restart().await
    }

    /// A server on a free port of 127.0.0.1.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub async fn start_local() -> io::Result<Self> {
        Self::start(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Stops: connections are refused from now on. Requests under way are answered, unless they hang or take longer than
    /// two seconds.
    pub async fn stop(&mut self) {
        if let Some(Running { stop, task }) = self.running.take() {
            let _ = stop.send(());
            // The task ends within its grace.
            let _ = task.await;
        }
    }

    /// Listens again, on the same port, with the same recording.
    ///
    /// # Errors
    ///
    /// Someone else took the port.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.stop().await;
        // Both sockets have the address, which both have to allow for this moment.
        let reuse = |reuse| self.port.as_ref().map_or(Ok(()), |port| port.set_reuseaddr(reuse));
        reuse(true)?;
        let listener = TcpListener::bind(self.address).await?;
        reuse(false)?;
        self.run(listener);
        Ok(())
    }

    /// Stops for good and returns all spans.
    pub async fn shutdown(mut self) -> Vec<Span> {
        self.stop().await;
        self.take_spans()
    }

    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Endpoint for gRPC.
    pub fn grpc_endpoint(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// Endpoint for HTTP as the general variable has it, without the path `/v1/traces`.
    pub fn http_endpoint(&self) -> String {
        self.grpc_endpoint()
    }

    /// URL for traces over HTTP.
    pub fn http_traces_endpoint(&self) -> String {
        format!("{}/v1/traces", self.http_endpoint())
    }

    /// What to do with requests from now on.
    pub fn respond_with(&self, respond: Respond) {
        self.recording.lock().respond = respond;
    }

    /// While silent, the server accepts connections and reads nothing from any of them; what it has taken before is still
    /// answered. A connection that has had something to read meanwhile stays unread for ever, as after a host has lost it.
    pub fn set_silent(&self, silent: bool) {
        self.recording.silent.store(silent, Ordering::SeqCst);
    }

    /// Keeps the IDs of spans, and nothing else of them, from now on: for millions of spans. They are fetched with
    /// [`take_ids`](Self::take_ids); no resources are seen.
    pub fn keep_ids_only(&self) {
        self.recording.lock().keep = Keep::Ids;
    }

    /// Counts spans from now on, and log records as such, and keeps nothing of them: for a million a second.
    pub fn count_only(&self) {
        self.recording.lock().keep = Keep::Count;
    }

    /// The IDs of all spans taken since the last call, as big-endian numbers.
    pub fn take_ids(&self) -> Vec<u64> {
        std::mem::take(&mut self.recording.lock().ids)
    }

    /// Spans that were taken in requests without an answer, so far: those that are allowed to come again.
    pub fn unanswered_spans(&self) -> usize {
        self.recording.lock().unanswered_spans
    }

    /// TCP connections accepted so far.
    pub fn connections(&self) -> usize {
        self.recording.lock().connections
    }

    /// All spans taken, in order of arrival.
    pub fn spans(&self) -> Vec<Span> {
        spans(self.resource_spans())
    }

    /// All spans taken since the last call. Call it now and then when there are millions.
    pub fn take_spans(&self) -> Vec<Span> {
        spans(std::mem::take(&mut self.recording.lock().resource_spans))
    }

    /// All spans taken, with their resources and scopes as they came.
    pub fn resource_spans(&self) -> Vec<ResourceSpans> {
        self.recording.lock().resource_spans.clone()
    }

    /// Number of spans taken since the start, whether or not they were fetched.
    pub fn span_count(&self) -> usize {
        self.recording.lock().span_count
    }

    /// All metrics taken, in order of arrival.
    pub fn metrics(&self) -> Vec<Metric> {
        self.recording.lock().metrics.clone()
    }

    /// All log records taken, with their resources and scopes as they came.
    pub fn resource_logs(&self) -> Vec<ResourceLogs> {
        self.recording.lock().resource_logs.clone()
    }

    /// Resources seen, each once.
    pub fn resources(&self) -> Vec<Resource> {
        self.recording.lock().resources.clone()
    }

    /// All requests that could be read, whatever they were answered.
    pub fn requests(&self) -> Vec<Received> {
        self.recording.lock().requests.clone()
    }

    /// Waits until that many spans have been taken.
    ///
    /// # Panics
    ///
    /// When they have not within `timeout`.
    pub async fn wait_for_spans(&self, count: usize, timeout: Duration) {
        self.wait_until(timeout, |recording| recording.span_count >= count).await;
    }

    /// Waits until that many requests have come.
    ///
    /// # Panics
    ///
    /// When they have not within `timeout`.
    pub async fn wait_for_requests(&self, count: usize, timeout: Duration) {
        self.wait_until(timeout, |recording| recording.requests.len() >= count).await;
    }

    async fn wait_until(&self, timeout: Duration, condition: impl Fn(&Records) -> bool) {
        let wait = async {
            loop {
                let changed = self.recording.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if condition(&self.recording.lock()) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(timeout, wait).await.is_err() {
            let records = self.recording.lock();
            let (spans, requests) = (records.span_count, records.requests.len());
            drop(records);
            panic!("only {spans} spans in {requests} requests within {timeout:?}");
        }
    }

    fn run(&mut self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel();
        let tls = self.tls.clone().map(TlsAcceptor::from);
        let task = tokio::spawn(serve(listener, tls, self.recording.clone(), stopped));
        self.running = Some(Running { stop, task });
    }
}

impl Drop for OtlpServer {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.task.abort();
        }
    }
}

#[derive(Debug, Default)]
struct Recording {
    records: Mutex<Records>,
    changed: tokio::sync::Notify,
    silent: Arc<AtomicBool>,
}

/// What is kept of spans.
#[derive(Clone, Copy, Debug, Default)]
enum Keep {
    #[default]
    Everything,
    Ids,
    Count,
}

#[derive(Debug, Default)]
struct Records {
    respond: Respond,
    resource_spans: Vec<ResourceSpans>,
    keep: Keep,
    ids: Vec<u64>,
    span_count: usize,
    unanswered_spans: usize,
    metrics: Vec<Metric>,
    resource_logs: Vec<ResourceLogs>,
    resources: Vec<Resource>,
    requests: Vec<Received>,
    connections: usize,
}

/// As much of an `ExportTraceServiceRequest` as it takes to find the IDs.
#[derive(Clone, PartialEq, prost::Message)]
struct IdsRequest {
    #[prost(message, repeated, tag = "1")]
    resource_spans: Vec<IdsResourceSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IdsResourceSpans {
    #[prost(message, repeated, tag = "2")]
    scope_spans: Vec<IdsScopeSpans>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IdsScopeSpans {
    #[prost(message, repeated, tag = "2")]
    spans: Vec<IdsSpan>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct IdsSpan {
    #[prost(bytes = "bytes", tag = "2")]
    span_id: Bytes,
}

/// As much of a request with spans or log records, which are laid out alike, as it takes to count them.
#[derive(Clone, PartialEq, prost::Message)]
struct CountRequest {
    #[prost(message, repeated, tag = "1")]
    resources: Vec<CountResource>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CountResource {
    #[prost(message, repeated, tag = "2")]
    scopes: Vec<CountScope>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct CountScope {
    #[prost(bytes = "bytes", repeated, tag = "2")]
    items: Vec<Bytes>,
}

impl Recording {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a request, waits as long as the answer is to wait, and returns what to answer.
    async fn record(&self, path: &str, headers: HeaderMap, message: Bytes) -> Result<Respond, prost::DecodeError> {
        let (respond, taken) = self.take(path, headers, message)?;
        self.changed.notify_waiters();
        let respond = match respond {
            Respond::Hang | Respond::AcceptUnanswered => std::future::pending().await,
            Respond::AcceptAfter(delay) => {
                tokio::time::sleep(delay).await;
                Respond::Accept
            }
            respond => respond,
        };
        self.lock().unanswered_spans -= taken;
        Ok(respond)
    }

    /// Records a request; returns what to do now, and how many spans were taken.
    fn take(&self, path: &str, headers: HeaderMap, message: Bytes) -> Result<(Respond, usize), prost::DecodeError> {
        let message_len = message.len();
        // Decoded without the lock, under which the tests wait.
        let (mut request, mut found_ids, mut metrics, mut logs) =
            <(ExportTraceServiceRequest, _, Vec<_>, Vec<_>)>::default();
        let mut counted = 0;
        let keep = self.lock().keep;
        if path == GRPC_METRICS || path == HTTP_METRICS {
            metrics = ExportMetricsServiceRequest::decode(message)?.resource_metrics;
        } else if matches!(keep, Keep::Count) {
            counted = count(message)?;
        } else if path == GRPC_LOGS || path == HTTP_LOGS {
            logs = ExportLogsServiceRequest::decode(message)?.resource_logs;
        } else if matches!(keep, Keep::Ids) {
            found_ids = ids(message)?;
        } else {
            request = ExportTraceServiceRequest::decode(message)?;
        }
        let spans = request.resource_spans.iter().flat_map(|of| &of.scope_spans).map(|of| of.spans.len());
        let count = spans.sum::<usize>() + found_ids.len() + counted;
        let mut records = self.lock();
        let respond = match records.respond.clone() {
            Respond::Limit(limit) if message_len < limit => Respond::Accept,
            respond => respond,
        };
        let accepted = matches!(
            respond,
            Respond::Accept | Respond::PartialSuccess(..) | Respond::AcceptAfter(_) | Respond::AcceptUnanswered
        );
        let resources = request.resource_spans.iter().map(|of| &of.resource);
        let of_metrics = metrics.iter().map(|of| &of.resource);
        for resource in resources.chain(of_metrics).chain(logs.iter().map(|of| &of.resource)).flatten() {
            if !records.resources.contains(resource) {
                records.resources.push(resource.clone());
            }
        }
        records.requests.push(Received { path: path.to_owned(), headers, spans: count, message_len, accepted });
        if !accepted {
            return Ok((respond, 0));
        }
        records.span_count += count;
        records.unanswered_spans += count;
        records.resource_spans.extend(request.resource_spans);
        records.ids.extend(found_ids);
        records.metrics.extend(metrics.into_iter().flat_map(|of| of.scope_metrics).flat_map(|of| of.metrics));
        records.resource_logs.extend(logs);
        Ok((respond, count))
    }
}

fn count(message: Bytes) -> Result<usize, prost::DecodeError> {
    let request = CountRequest::decode(message)?;
    Ok(request.resources.iter().flat_map(|resource| &resource.scopes).map(|scope| scope.items.len()).sum())
}

fn ids(message: Bytes) -> Result<Vec<u64>, prost::DecodeError> {
    let request = IdsRequest::decode(message)?;
    let scope_spans = request.resource_spans.into_iter().flat_map(|resource_spans| resource_spans.scope_spans);
    let spans = scope_spans.flat_map(|scope_spans| scope_spans.spans);
    Ok(spans.map(|mut span| span.span_id.try_get_u64().expect("an ID of 8 bytes")).collect())
}

/// A connection that is not read while the server is silent, and never again when there was something to read then.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    silent: Arc<AtomicBool>,
    lost: bool,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.silent.load(Ordering::SeqCst) && !self.lost {
            self.lost = ready!(self.stream.poll_read_ready(cx)).is_ok();
        }
        if self.lost { Poll::Pending } else { Pin::new(&mut self.stream).poll_read(cx, buf) }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

fn spans(resource_spans: Vec<ResourceSpans>) -> Vec<Span> {
    resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans).collect()
}

/// Accepts connections until told to stop, then lets requests under way finish.
async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    recording: Arc<Recording>,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => continue,
        };
        let mut builder = auto::Builder::new(TokioExecutor::new());
        let mut records = recording.lock();
        records.connections += 1;
        if matches!(records.keep, Keep::Count) {
            // As a server does that expects much: grpc-go widens its windows by itself.
            builder.http2().initial_stream_window_size(8 << 20).initial_connection_window_size(16 << 20);
        }
        drop(records);
        let stream = Connection { stream, silent: recording.silent.clone(), lost: false };
        let recording = recording.clone();
        let service = hyper::service::service_fn(move |request| answer(recording.clone(), request));
        let (watcher, tls) = (graceful.watcher(), tls.clone());
        connections.spawn(async move {
            match tls {
                None => {
                    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                    let _ = watcher.watch(connection).await;
                }
                Some(tls) => {
                    // A client that does not want to go on after the handshake is its own business.
                    let Ok(stream) = tls.accept(stream).await else { return };
                    let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
                    let _ = watcher.watch(connection).await;
                }
            }
        });
    }
    drop(listener);
    // Connections that are left after that are cut when `connections` goes out of scope.
    let _ = tokio::time::timeout(GRACE, graceful.shutdown()).await;
}

async fn answer(
    recording: Arc<Recording>,
    mut request: Request<Incoming>,
) -> Result<Response<tonic::body::Body>, Infallible> {
    if request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc")) {
        // The Collector, made with grpc-go, compresses its answer as the request was, whatever the client accepts.
        if let Some(encoding) = request.headers().get("grpc-encoding").cloned() {
            request.headers_mut().insert("grpc-accept-encoding", encoding);
        }
        let Some(path) = [GRPC_TRACES, GRPC_METRICS, GRPC_LOGS].into_iter().find(|path| request.uri().path() == *path)
        else {
            return Ok(Status::unimplemented("no such method").into_http());
        };
        let mut server = tonic::server::Grpc::new(Messages)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .send_compressed(CompressionEncoding::Zstd);
        return Ok(server.unary(Grpc { recording, path }, request).await);
    }
    let response = match http(&recording, request).await {
        Ok(response) => response,
        Err((status, message)) => {
            let mut response = Response::new(Bytes::from(message));
            *response.status_mut() = status;
            response
        }
    };
    Ok(response.map(|body| tonic::body::Body::new(Full::new(body))))
}

struct Grpc {
    recording: Arc<Recording>,
    path: &'static str,
}

impl UnaryService<Bytes> for Grpc {
    type Response = Bytes;
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<Bytes>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (recording, path) = (self.recording.clone(), self.path);
        Box::pin(async move {
            let (metadata, _, message) = request.into_parts();
            let respond = recording.record(path, metadata.into_headers(), message).await;
            match respond.map_err(|error| Status::internal(error.to_string()))? {
                Respond::Accept => Ok(tonic::Response::new(Bytes::new())),
                Respond::PartialSuccess(rejected, message) => {
                    Ok(tonic::Response::new(partial_success(rejected, message).encode_to_vec().into()))
                }
                Respond::Unavailable(_) => Err(Status::unavailable("told to")),
                Respond::Limit(limit) => {
                    Err(Status::resource_exhausted(format!("grpc: received message larger than max ({limit})")))
                }
                Respond::Refuse(code, _) => Err(Status::new(code, "told to")),
                Respond::Hang | Respond::AcceptAfter(_) | Respond::AcceptUnanswered => unreachable!("waited for"),
            }
        })
    }
}

/// Messages as they are, so that it is up to the recording how much of them to decode.
struct Messages;

impl Codec for Messages {
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

impl Encoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        into.put(message);
        Ok(())
    }
}

impl Decoder for Messages {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

/// The answers to other signals have the same fields.
fn partial_success(rejected: i64, message: &str) -> ExportTraceServiceResponse {
    let partial_success = ExportTracePartialSuccess { rejected_spans: rejected, error_message: message.to_owned() };
    ExportTraceServiceResponse { partial_success: Some(partial_success) }
}

/// An answer over HTTP: the status and what to say when the request cannot be read.
async fn http(recording: &Recording, request: Request<Incoming>) -> Result<Response<Bytes>, (StatusCode, String)> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    if ![HTTP_TRACES, HTTP_METRICS, HTTP_LOGS].contains(&path) {
        return Err((StatusCode::NOT_FOUND, format!("no such path: {path}")));
    }
    let bad = |error: &dyn std::fmt::Display| (StatusCode::BAD_REQUEST, error.to_string());
    let body = Limited::new(body, MAX_HTTP_BODY_LEN).collect().await;
    let mut body = body.map_err(|error| (StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?.to_bytes();
    if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).map_err(|error| bad(&error))?;
        body = plain.into();
    }
    if head.headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding == "zstd") {
        body = zstd::stream::decode_all(&*body).map_err(|error| bad(&error))?.into();
    }
    let content_type = head.headers.get(CONTENT_TYPE).cloned();
    let json = match content_type.as_ref().map(|kind| kind.as_bytes()) {
        Some(b"application/x-protobuf") => false,
        Some(b"application/json") => true,
        _ => return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{content_type:?}"))),
    };
    if json {
        let request = match path {
            HTTP_METRICS => {
                serde_json::from_slice(&body).map(|request: ExportMetricsServiceRequest| request.encode_to_vec())
            }
            HTTP_LOGS => serde_json::from_slice(&body).map(|request: ExportLogsServiceRequest| request.encode_to_vec()),
            _ => serde_json::from_slice(&body).map(|request: ExportTraceServiceRequest| request.encode_to_vec()),
        };
        body = request.map_err(|error| bad(&error))?.into();
    }
    let mut response = Response::new(Bytes::new());
    if let Some(content_type) = content_type {
        response.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    let rejected_name = match path {
        HTTP_METRICS => "rejectedDataPoints",
        HTTP_LOGS => "rejectedLogRecords",
        _ => "rejectedSpans",
    };
    match recording.record(path, head.headers, body).await.map_err(|error| bad(&error))? {
        Respond::Accept if json => *response.body_mut() = Bytes::from_static(b"{}"),
        Respond::Accept => {}
        // 64-bit integers are strings in OTLP JSON.
        Respond::PartialSuccess(rejected, message) if json => {
            let partial_success = serde_json::json!({rejected_name: rejected.to_string(), "errorMessage": message});
            *response.body_mut() = serde_json::json!({"partialSuccess": partial_success}).to_string().into();
        }
        Respond::PartialSuccess(rejected, message) => {
            *response.body_mut() = partial_success(rejected, message).encode_to_vec().into();
        }
        Respond::Unavailable(retry_after) => {
            *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            if let Some(seconds) = retry_after {
                response.headers_mut().insert(RETRY_AFTER, seconds.into());
            }
        }
        Respond::Limit(_) => *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE,
        Respond::Refuse(_, status) => *response.status_mut() = status,
        Respond::Hang | Respond::AcceptAfter(_) | Respond::AcceptUnanswered => unreachable!("waited for"),
    }
    Ok(response)
}
