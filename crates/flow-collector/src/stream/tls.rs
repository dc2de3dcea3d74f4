//! What a listener for TLS shows, and whom it trusts.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use otlp_sink::Reread;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// PEM files of a collector that is reached by TLS. They are read again when they have changed, for new connections.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TlsFiles {
    /// The collector's certificate, and those of the authorities between it and one that exporters trust.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Certificates of the authorities that sign those of exporters, which must show one then. Anyone may send otherwise,
    /// against RFC 7011 section 11.3.
    pub client_authorities: Option<PathBuf>,
}

impl TlsFiles {
    /// A certificate and its key; exporters need not show one.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { certificate: certificate.into(), key: key.into(), client_authorities: None }
    }
}

/// A file for TLS that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot use {}: {reason}", path.display())]
pub struct TlsError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

#[derive(Debug)]
pub(super) struct Tls {
    files: TlsFiles,
    current: Reread<Arc<ServerConfig>>,
}

impl Tls {
    pub(super) fn new(files: TlsFiles) -> Result<Self, TlsError> {
        let paths = [Some(&files.certificate), Some(&files.key), files.client_authorities.as_ref()];
        let paths = paths.into_iter().flatten().cloned().collect();
        let current = Reread::new("certificates for exporters", paths, || server_config(&files))?;
        Ok(Self { files, current })
    }

    /// For a new connection, as the files are now.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.current.get(|| server_config(&self.files)).into()
    }
}

fn server_config(files: &TlsFiles) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("ring has the default versions");
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|error| failed(path, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
            builder.with_client_cert_verifier(verifier.map_err(|error| failed(path, &error))?)
        }
    };
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?).map_err(|error| failed(&files.key, &error))?;
    let config = builder.with_single_cert(certificates(&files.certificate)?, key);
    let mut config = config.map_err(|error| {
        let reason = format!("not the key of {}: {error}", files.certificate.display());
        TlsError { path: files.key.clone(), reason }
    })?;
    // Exporters do not read. One that closes with a ticket unread resets the connection, and what it sent last is lost.
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(failed(path, &"no certificate in it")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(failed(path, &error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|error| failed(path, &error))
}

fn failed(path: &Path, reason: &dyn ToString) -> TlsError {
    TlsError { path: path.to_owned(), reason: reason.to_string() }
}
