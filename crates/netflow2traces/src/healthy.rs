//! `healthy`: whether the collector of this machine works, for whatever starts it anew when it does not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::ensure;
use clap::Args;
use hyper::{StatusCode, Uri};
use tokio::runtime;

use crate::config::{self, is_true};
use crate::error::UsageError;
use crate::fetch;
use crate::settings::Settings;

/// Arguments of `healthy`.
#[derive(Args)]
pub(crate) struct HealthyArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Asks `/healthz` of the collector that has the same settings.
///
/// # Errors
///
/// It does not answer, or says that it does not work; settings by which it has nothing that could answer.
pub(crate) fn run(args: &HealthyArgs) -> anyhow::Result<()> {
    if is_true("sdk_disabled", &args.settings.sdk_disabled) {
        // It listens nowhere, as it is told to.
        return Ok(());
    }
    let Some((host, port)) = config::prometheus(&args.settings)? else {
        let missing =
            "the collector answers only where `prometheus` is among --metrics-exporter (OTEL_METRICS_EXPORTER)";
        return Err(UsageError::new(missing).into());
    };
    let url: Uri = format!("http://{}:{port}/healthz", reachable(&host)).parse()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (status, text) = runtime.block_on(fetch::get(&url))?;
    let text = String::from_utf8_lossy(&text);
    ensure!(status == StatusCode::OK, "{url} answers {status}: {}", text.trim());
    Ok(())
}

/// The host by which one that listens on this one is reached, as URLs have it.
fn reachable(host: &str) -> String {
    let host = host.trim().trim_start_matches('[').trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(Ipv4Addr::UNSPECIFIED)) => Ipv4Addr::LOCALHOST.to_string(),
        Ok(IpAddr::V6(Ipv6Addr::UNSPECIFIED)) => format!("[{}]", Ipv6Addr::LOCALHOST),
        Ok(IpAddr::V6(address)) => format!("[{address}]"),
        _ => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_address_becomes_one_to_connect_to() {
        for (host, expected) in [
            ("0.0.0.0", "127.0.0.1"),
            ("::", "[::1]"),
            ("[::]", "[::1]"),
            ("2001:db8::1", "[2001:db8::1]"),
            ("localhost", "localhost"),
        ] {
            assert_eq!(reachable(host), expected);
        }
    }
}
