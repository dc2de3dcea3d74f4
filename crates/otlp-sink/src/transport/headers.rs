//! The headers of requests, some of them from a file that changes.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use tracing::{info, warn};

use super::{Stamp, stamp};
use crate::config::{ConfigError, OtlpConfig, env};

/// Headers of a receiver's requests.
#[derive(Debug)]
pub(super) struct Headers {
    config: OtlpConfig,
    /// What the protocol needs; it wins.
    own: HeaderMap,
    current: Mutex<Loaded>,
}

/// What was made of the file, and what it looked like then.
#[derive(Debug)]
struct Loaded {
    headers: HeaderMap,
    stamp: Stamp,
}

impl Headers {
    /// Those of the configuration and of its file, and `own`.
    pub(super) fn new(config: &OtlpConfig, own: HeaderMap) -> Result<Self, ConfigError> {
        let stamp = config.headers_file.as_deref().and_then(stamp);
        let headers = load(config, &own)?;
        Ok(Self { config: config.clone(), own, current: Mutex::new(Loaded { headers, stamp }) })
    }

    /// For the next request. A file that has changed is read again.
    pub(super) fn get(&self) -> HeaderMap {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(path) = &self.config.headers_file {
            let stamp = stamp(path);
            if stamp != current.stamp {
                match load(&self.config, &self.own) {
                    Ok(headers) => {
                        info!(path = %path.display(), "headers have changed, requests have the new ones");
                        current.headers = headers;
                    }
                    Err(error) => warn!(%error, "headers have changed and cannot be used, going on with those before"),
                }
                current.stamp = stamp;
            }
        }
        current.headers.clone()
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
