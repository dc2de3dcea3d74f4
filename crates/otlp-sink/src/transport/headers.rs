//! The headers of requests, some of them from a file that changes.

use std::fs;
use std::path::Path;

use http::HeaderMap;

use crate::config::{ConfigError, OtlpConfig, env};
use crate::reread::Reread;

/// Headers of a receiver's requests.
#[derive(Debug)]
pub(super) struct Headers {
    config: OtlpConfig,
    /// What the protocol needs; it wins.
    own: HeaderMap,
    current: Reread<HeaderMap>,
}

impl Headers {
    /// Those of the configuration and of its file, and `own`.
    pub(super) fn new(config: &OtlpConfig, own: HeaderMap) -> Result<Self, ConfigError> {
        let files = config.headers_file.iter().cloned().collect();
        let current = Reread::new("headers", files, || load(config, &own))?;
        Ok(Self { config: config.clone(), own, current })
    }

    /// For the next request. A file that has changed is read again.
    pub(super) fn get(&self) -> HeaderMap {
        self.current.get(|| load(&self.config, &self.own))
    }
}

fn load(config: &OtlpConfig, own: &HeaderMap) -> Result<HeaderMap, ConfigError> {
    let mut headers = config.headers.clone();
    let more = config.headers_file.as_deref().map(read).transpose()?.unwrap_or_default();
    for (name, value) in more.iter().chain(own) {
        headers.insert(name, value.clone());
    }
    Ok(headers)
}

/// Lines, or a list with commas, of `key=value`.
fn read(path: &Path) -> Result<HeaderMap, ConfigError> {
    let failed = |reason: String| ConfigError::File { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    env::headers(&text.replace(['\r', '\n'], ",")).map_err(|error| failed(error.to_string()))
}
