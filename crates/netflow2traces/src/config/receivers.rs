//! Where the collector itself sends to.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use otlp_sink::OtlpConfig;
use tracing::warn;

/// For all names together.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);

/// The addresses that the collector itself sends to, looked up now. What is not found may be there later, but is not left
/// out; neither is what takes longer than anybody would wait for the start, or for the answer to a signal.
pub(super) fn look_up(receivers: &[OtlpConfig]) -> Vec<SocketAddr> {
    let mut hosts: Vec<(String, u16)> = receivers
        .iter()
        .map(|otlp| {
            let default_port = if otlp.endpoint.scheme_str() == Some("https") { 443 } else { 80 };
            let host = otlp.endpoint.host().unwrap_or_default().trim_matches(['[', ']']);
            (host.to_owned(), otlp.endpoint.port_u16().unwrap_or(default_port))
        })
        .collect();
    hosts.sort_unstable();
    hosts.dedup();
    let (found, looked_up) = mpsc::channel();
    // One that hangs ends by itself, and the others do not wait for it.
    for (host, port) in hosts.clone() {
        let found = found.clone();
        thread::spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
            let _ = found.send(((host, port), addresses));
        });
    }
    let (deadline, mut receivers) = (Instant::now() + LOOK_UP_TIME, Vec::new());
    while !hosts.is_empty() {
        let Ok((name, result)) = looked_up.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
            break;
        };
        match result {
            Ok(addresses) => receivers.extend(addresses),
            Err(error) => {
                warn!(host = name.0, %error, "cannot look up a backend; flows to and from it are not left out")
            }
        }
        hosts.retain(|host| *host != name);
    }
    for (host, _) in hosts {
        warn!(host, after = ?LOOK_UP_TIME, "cannot look up a backend in time; flows to and from it are not left out");
    }
    receivers.sort_unstable();
    receivers.dedup();
    receivers
}

#[cfg(test)]
mod tests {
    use otlp_sink::Protocol;

    use super::*;

    #[test]
    fn backends_are_found_each_once_and_what_is_no_name_is_left_out() {
        let otlp = |endpoint| OtlpConfig::new(Protocol::HttpProtobuf, endpoint).unwrap();
        let receivers = [
            otlp("http://127.0.0.1:4318"),
            otlp("https://[::1]"),
            otlp("http://no-such-host.invalid:4318"),
            otlp("http://127.0.0.1:4318"),
        ];
        let found = look_up(&receivers);
        assert_eq!(found, ["127.0.0.1:4318", "[::1]:443"].map(|address| address.parse().unwrap()));
    }
}
