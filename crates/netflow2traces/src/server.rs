//! The HTTP server: metrics for Prometheus and two answers for whatever watches the program.
//!
//! It answers one request on each connection and gives a client ten seconds for all of it, so that nobody who is slow keeps
//! others out.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use flow_collector::Liveness;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tracing::info;

use crate::metrics::{Metric, prometheus};

/// Connections that are served at once; more wait.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection may take, from the first byte of the request to the last of the answer.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// Longest head of a request.
const MAX_REQUEST_LEN: usize = 16 << 10;
/// Pause after an error of accept, which is most often a lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Gives all metrics as they are now.
type Metrics = dyn Fn() -> Vec<Metric> + Send + Sync;

/// What the server tells of.
#[derive(Clone)]
pub(crate) struct Told {
    metrics: Arc<Metrics>,
    /// What names of metrics begin with; empty when with nothing.
    namespace: Arc<str>,
    health: Health,
    /// The resource, as a metric.
    target_info: Arc<str>,
}

/// Whether the program works, and whether it takes in what is new.
#[derive(Clone)]
pub(crate) struct Health {
    liveness: Arc<Liveness>,
    stopping: Arc<AtomicBool>,
}

impl Health {
    pub(crate) fn new(liveness: Arc<Liveness>) -> Self {
        Self { liveness, stopping: Arc::default() }
    }

    /// From now on nothing new is taken in; what is held is still delivered.
    pub(crate) fn stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether a restart would help. A worker that has ended because the program stops is not to be missed.
    fn alive(&self) -> Answer {
        match self.liveness.stuck(Instant::now()) {
            Some(worker) if !self.is_stopping() => {
                Answer::failed(format!("thread {worker} has not moved for half a minute\n"))
            }
            _ => Answer::text("ok\n"),
        }
    }

    /// Whether something new is taken in. A backend that is down is no reason against it: spans wait, and another collector
    /// would have the same backend.
    fn ready(&self) -> Answer {
        if self.is_stopping() { Answer::failed("stopping\n".to_owned()) } else { self.alive() }
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

impl Told {
    pub(crate) fn new(
        metrics: impl Fn() -> Vec<Metric> + Send + Sync + 'static,
        health: Health,
        resource: &[(String, String)],
    ) -> Self {
        let target_info = prometheus::target_info(resource).into();
        Self { metrics: Arc::new(metrics), namespace: Arc::default(), health, target_info }
    }

    /// Names of metrics begin with it and an underscore.
    pub(crate) fn with_namespace(self, namespace: &str) -> Self {
        Self { namespace: namespace.into(), ..self }
    }

    fn answer(&self, request: &Request<Incoming>) -> Answer {
        let answer: fn(&Self) -> Answer = match request.uri().path() {
            "/metrics" => {
                |told| Answer::metrics(prometheus::text(&(told.metrics)(), &told.namespace, &told.target_info))
            }
            "/healthz" => |told| told.health.alive(),
            "/readyz" => |told| told.health.ready(),
            _ => return Answer::of(StatusCode::NOT_FOUND, "there are /metrics, /healthz and /readyz\n".to_owned()),
        };
        if [Method::GET, Method::HEAD].contains(request.method()) {
            answer(self)
        } else {
            Answer { allow: Some("GET, HEAD"), ..Answer::of(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".to_owned()) }
        }
    }
}

/// An answer, all of it text.
struct Answer {
    status: StatusCode,
    content_type: &'static str,
    allow: Option<&'static str>,
    text: String,
}

impl Answer {
    fn of(status: StatusCode, text: String) -> Self {
        Self { status, content_type: "text/plain; charset=utf-8", allow: None, text }
    }

    fn text(text: &str) -> Self {
        Self::of(StatusCode::OK, text.to_owned())
    }

    fn failed(text: String) -> Self {
        Self::of(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    fn metrics(text: String) -> Self {
        Self { content_type: prometheus::CONTENT_TYPE, ..Self::of(StatusCode::OK, text) }
    }
}

impl From<Answer> for Response<Full<Bytes>> {
    fn from(answer: Answer) -> Self {
        let mut response = Self::new(Full::from(answer.text));
        *response.status_mut() = answer.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
        if let Some(methods) = answer.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

/// Opens the port at the first address of the host that this machine has. Where another program has the port there, the next
/// address is no way out: who asks for the host would hear the other program.
///
/// # Errors
///
/// A host without an address, a port that cannot be had.
pub(crate) fn bind(host: &str, port: u16, runtime: &Handle) -> io::Result<TcpListener> {
    runtime.block_on(async {
        let mut failed = None;
        for address in lookup_host((host, port)).await? {
            match TcpListener::bind(address).await {
                Err(error) if error.kind() != ErrorKind::AddrInUse => failed = failed.or(Some(error)),
                listener => return listener,
            }
        }
        Err(failed.unwrap_or_else(|| ErrorKind::AddrNotAvailable.into()))
    })
}

/// Serves until the runtime ends.
pub(crate) fn start(listener: TcpListener, told: Told, runtime: &Handle) {
    if let Ok(address) = listener.local_addr() {
        info!(%address, "metrics for Prometheus at /metrics");
    }
    runtime.spawn(serve(listener, told, CONNECTION_TIME));
}

async fn serve(listener: TcpListener, told: Told, connection_time: Duration) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(permit) = connections.clone().acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let told = told.clone();
        tokio::spawn(async move {
            // Errors are the client's: it left, was too slow, or does not speak HTTP.
            let _ = tokio::time::timeout(connection_time, serve_one(stream, &told)).await;
            drop(permit);
        });
    }
}

async fn serve_one(stream: TcpStream, told: &Told) -> hyper::Result<()> {
    let service = service_fn(async |request: Request<Incoming>| Ok::<_, Infallible>(told.answer(&request).into()));
    let mut server = http1::Builder::new();
    server.keep_alive(false).header_read_timeout(None).max_buf_size(MAX_REQUEST_LEN);
    server.serve_connection(TokioIo::new(stream), service).await
}

#[cfg(test)]
mod tests {
    use flow_collector::{CollectorStats, ExporterPolicy, Exporters};
    use flow_state::{State, StateConfig};
    use otlp_sink::{Output, Sink, SinkConfig, StdoutFormat};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;
    use crate::metrics::Source;

    /// Of a collector that has received nothing.
    fn told() -> Told {
        let config = SinkConfig::default().with_output(Output::Stdout(StdoutFormat::JsonLines));
        let sink = Sink::start(config, &Handle::current()).unwrap();
        let state = Arc::new(State::new(StateConfig::default()));
        let exporters = Arc::new(Exporters::new(ExporterPolicy::default()));
        let source = Source::new(Arc::<CollectorStats>::default(), exporters, state, sink);
        Told::new(move || source.metrics(), Health::new(Arc::default()), &[])
    }

    async fn ask(told: &Told, request: &str) -> String {
        let (listener, mut client) = connected().await;
        client.write_all(request.as_bytes()).await.unwrap();
        serve_one(listener.accept().await.unwrap().0, told).await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn connected() -> (TcpListener, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (listener, client)
    }

    #[tokio::test]
    async fn each_path_has_its_answer() {
        let told = told();
        let ask = async |line: &str| ask(&told, &format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        for (line, status, body) in [
            ("GET /healthz", "200 OK", "ok\n"),
            ("GET /readyz", "200 OK", "ok\n"),
            ("HEAD /readyz", "200 OK", ""),
            ("POST /healthz", "405 Method Not Allowed", "use GET\n"),
            ("GET /metrics/", "404 Not Found", "there are /metrics, /healthz and /readyz\n"),
        ] {
            let answer = ask(line).await;
            let (head, text) = answer.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{line}: {head}");
            assert!(head.contains("connection: close"), "{head}");
            assert_eq!(text, body, "{line}");
        }
        assert!(ask("GET /metrics").await.contains("\nnetflow_collector_datagrams_total 0\n"));
        told.health.stopping();
        assert!(ask("GET /readyz").await.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
        assert!(ask("GET /healthz").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }

    /// One that has done nothing for long enough, and then goes on.
    #[tokio::test]
    async fn a_thread_that_hangs_is_told() {
        let liveness = Arc::<Liveness>::default();
        let told = Told { health: Health::new(liveness.clone()), ..told() };
        let long_ago = Instant::now().checked_sub(Duration::from_secs(60)).unwrap();
        let pulse = liveness.watch(long_ago);
        for path in ["/healthz", "/readyz"] {
            let answer = ask(&told, &format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
            assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
            assert!(answer.ends_with("\r\n\r\nthread 0 has not moved for half a minute\n"), "{answer}");
        }
        pulse.beat();
        assert!(ask(&told, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }

    /// One more than are served at once, none of which asks for anything: they are cut off, and another one is answered. On
    /// a busy machine its time may pass too; then it asks again.
    #[tokio::test]
    async fn slow_clients_do_not_keep_others_out() {
        let (listener, first) = connected().await;
        let address = listener.local_addr().unwrap();
        tokio::spawn(serve(listener, told(), Duration::from_millis(200)));
        let mut slow = vec![first];
        for _ in 0..MAX_CONNECTIONS {
            slow.push(TcpStream::connect(address).await.unwrap());
        }
        for client in &mut slow {
            // The first may have been cut off already.
            let _ = client.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").await;
        }
        let ask = async || -> std::io::Result<String> {
            let mut client = TcpStream::connect(address).await?;
            client.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n").await?;
            let mut answer = String::new();
            client.read_to_string(&mut answer).await?;
            Ok(answer)
        };
        let answered = async { while !ask().await.is_ok_and(|answer| answer.ends_with("\r\n\r\nok\n")) {} };
        tokio::time::timeout(Duration::from_secs(30), answered).await.unwrap();
    }
}
