//! Connections to a receiver, with TLS where its endpoint asks for it.

use std::fs;
use std::future::Future;
use std::io::{self, IoSlice};
use std::path::Path;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use http::Uri;
use http::uri::Scheme;
use hyper::rt::{Read, ReadBuf, ReadBufCursor, Write};
use hyper_rustls::{
    DefaultServerNameResolver, FixedServerNameResolver, HttpsConnector, MaybeHttpsStream, ResolveServerName,
};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tower_service::Service;

use super::{ExportError, ExportErrorKind};
use crate::config::{ConfigError, OtlpConfig, TlsConfig};
use crate::reread::Reread;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections. With TLS it never falls back to plain text.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    tcp: HttpConnector,
    tls: Option<Arc<Tls>>,
    last_alert: LastAlert,
}

/// What a receiver said last when it ended a connection by TLS. With TLS 1.3 it looks at the client's certificate when the
/// client has gone on already, and HTTP/2 tells those who wait for an answer no more than that the connection is closed.
#[derive(Clone, Debug, Default)]
pub(super) struct LastAlert(Arc<Mutex<Option<String>>>);

impl LastAlert {
    /// Names the cause of an error of which only that is known, that the connection is gone.
    pub(super) fn explain(&self, mut error: ExportError) -> ExportError {
        let alert = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(alert) = alert.filter(|_| error.kind == ExportErrorKind::Unreachable) {
            error.message = alert;
        }
        error
    }

    fn note(&self, error: &io::Error) {
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(explain(error));
        }
    }
}

/// A connection that notes alerts.
#[derive(Debug)]
pub(super) struct Stream {
    inner: MaybeHttpsStream<TokioIo<TcpStream>>,
    last_alert: LastAlert,
}

impl Stream {
    /// Where the receiver has closed the connection, what it said before may not have been read yet. A closed connection can
    /// be read to its end, but the runtime may have to hear of that first; until then the write is not over.
    fn after_write<T>(self: Pin<&mut Self>, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if matches!((&written, &self.inner), (Poll::Ready(Err(_)), MaybeHttpsStream::Https(_))) {
            let mut rest = [0; 64];
            ready!(self.poll_read(cx, ReadBuf::new(&mut rest).unfilled()))?;
        }
        written
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if let Poll::Ready(Err(error)) = &read {
            self.last_alert.note(error);
        }
        read
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, buf);
        self.after_write(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(cx);
        self.after_write(cx, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(cx, bufs);
        self.after_write(cx, written)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

impl Connector {
    /// `alpn` is the protocol to agree on, `h2` or `http/1.1`.
    pub(super) fn new(mut tcp: HttpConnector, config: &OtlpConfig, alpn: &'static [u8]) -> Result<Self, ConfigError> {
        tcp.enforce_http(false);
        let https = config.endpoint.scheme() == Some(&Scheme::HTTPS);
        let tls = https.then(|| Tls::new(config.tls.clone(), alpn).map(Arc::new)).transpose()?;
        Ok(Self { tcp, tls, last_alert: LastAlert::default() })
    }

    pub(super) fn last_alert(&self) -> LastAlert {
        self.last_alert.clone()
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Neither connector has anything to wait for.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let (mut tcp, tls, last_alert) = (self.tcp.clone(), self.tls.clone(), self.last_alert.clone());
        Box::pin(async move {
            let inner = match tls {
                None => MaybeHttpsStream::Http(tcp.call(uri).await?),
                Some(tls) => {
                    let name: Arc<dyn ResolveServerName + Send + Sync> = match &tls.name {
                        None => Arc::new(DefaultServerNameResolver::default()),
                        Some(name) => Arc::new(FixedServerNameResolver::new(name.clone())),
                    };
                    HttpsConnector::new(tcp, tls.config(), true, name).call(uri).await?
                }
            };
            Ok(Stream { inner, last_alert })
        })
    }
}

#[derive(Debug)]
struct Tls {
    files: TlsConfig,
    alpn: &'static [u8],
    /// In place of the endpoint's host.
    name: Option<ServerName<'static>>,
    current: Reread<Arc<ClientConfig>>,
}

impl Tls {
    fn new(files: TlsConfig, alpn: &'static [u8]) -> Result<Self, ConfigError> {
        let name = files
            .server_name
            .clone()
            .map(|name| ServerName::try_from(name.clone()).map_err(|_| ConfigError::ServerName(name)));
        let name = name.transpose()?;
        let paths = [&files.certificate, &files.client_certificate, &files.client_key];
        let paths = paths.into_iter().flatten().cloned().collect();
        let current = Reread::new("certificates", paths, || client_config(&files, alpn))?;
        Ok(Self { files, alpn, name, current })
    }

    /// What a new connection is to use. Files that have changed are read again.
    fn config(&self) -> Arc<ClientConfig> {
        self.current.get(|| client_config(&self.files, self.alpn))
    }
}

fn client_config(files: &TlsConfig, alpn: &[u8]) -> Result<Arc<ClientConfig>, ConfigError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions")
        .with_root_certificates(authorities(files.certificate.as_deref())?);
    let mut config = match (&files.client_certificate, &files.client_key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let failed = |reason: String| ConfigError::File { path: key.clone(), reason };
            let der = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| failed(error.to_string()))?;
            builder
                .with_client_auth_cert(certificates(certificate)?, der)
                .map_err(|error| failed(format!("not the key of {}: {error}", certificate.display())))?
        }
        _ => return Err(ConfigError::ClientPair),
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(Arc::new(config))
}

/// Those of the file, or those that the system trusts.
fn authorities(file: Option<&Path>) -> Result<RootCertStore, ConfigError> {
    let mut store = RootCertStore::empty();
    let Some(path) = file else {
        let found = rustls_native_certs::load_native_certs();
        store.add_parsable_certificates(found.certs);
        if store.is_empty() {
            let reason = found.errors.first().map_or_else(|| "none found".to_owned(), ToString::to_string);
            return Err(ConfigError::NoAuthorities(reason));
        }
        return Ok(store);
    };
    for certificate in certificates(path)? {
        let failed = |error: rustls::Error| ConfigError::File { path: path.to_owned(), reason: error.to_string() };
        store.add(certificate).map_err(failed)?;
    }
    Ok(store)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let failed = |reason: String| ConfigError::File { path: path.to_owned(), reason };
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&read(path)?)
        .collect::<Result<_, _>>()
        .map_err(|error| failed(error.to_string()))?;
    if certificates.is_empty() { Err(failed("no certificate in it".to_owned())) } else { Ok(certificates) }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| ConfigError::File { path: path.to_owned(), reason: error.to_string() })
}

/// What an error of TLS means for whoever has to do something about it.
pub(super) fn explain(error: &rustls::Error) -> String {
    use CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet, UnknownIssuer,
    };
    use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
    let cause = match error {
        InvalidCertificate(UnknownIssuer | CertificateError::BadSignature) => {
            "its certificate is signed by no authority that is trusted here"
        }
        InvalidCertificate(Expired | ExpiredContext { .. }) => "its certificate has expired",
        InvalidCertificate(NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; is the clock right?"
        }
        InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => "its certificate is for another name",
        AlertReceived(AlertDescription::CertificateRequired) => "it asks for a client certificate",
        AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRevoked
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError,
        ) => "it does not take the client certificate",
        InvalidMessage(_) => "it does not speak TLS",
        _ => return format!("TLS: {error}"),
    };
    format!("{cause} ({error})")
}
