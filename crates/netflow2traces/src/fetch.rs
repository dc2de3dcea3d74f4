//! One GET over HTTP/1.1.

use std::time::Duration;

use anyhow::{Context, anyhow};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// How long all of it may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer that is read.
const MAX_ANSWER_LEN: usize = 16 << 20;

/// What a program at `url`, which has a host, answers.
///
/// # Errors
///
/// Nobody answers in time, or what answers does not speak HTTP.
pub(crate) async fn get(url: &Uri) -> anyhow::Result<(StatusCode, Bytes)> {
    let answer = tokio::time::timeout(TIMEOUT, exchange(url)).await;
    answer
        .unwrap_or_else(|_| Err(anyhow!("no answer within {TIMEOUT:?}")))
        .with_context(|| format!("cannot read {url}"))
}

async fn exchange(url: &Uri) -> anyhow::Result<(StatusCode, Bytes)> {
    let authority = url.authority().context("no host")?;
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let path = url.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path).header(HOST, authority.as_str()).body(Empty::<Bytes>::new())?;
    let answer = async move {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), MAX_ANSWER_LEN).collect().await;
        Ok((status, body.map_err(|error| anyhow!(error))?.to_bytes()))
    };
    // The connection ends with its sender; its error is that of the answer.
    tokio::join!(answer, connection).0
}
