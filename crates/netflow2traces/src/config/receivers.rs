//! Where the collector itself sends to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use otlp_sink::OtlpConfig;
use tracing::warn;

/// For all names together.
const LOOK_UP_TIME: Duration = Duration::from_secs(2);

/// The receivers that the program sends to, each by itself, and what is known of their addresses.
#[derive(Clone, Debug, Default)]
pub(crate) struct Receivers {
    hosts: BTreeSet<Host>,
    /// As they were found last.
    found: BTreeMap<Host, Vec<SocketAddr>>,
}

/// Name and port.
type Host = (String, u16);

impl Receivers {
    pub(super) fn new<'a>(receivers: impl IntoIterator<Item = &'a OtlpConfig>) -> Self {
        let host = |otlp: &OtlpConfig| {
            let default_port = if otlp.endpoint.scheme_str() == Some("https") { 443 } else { 80 };
            let host = otlp.endpoint.host().unwrap_or_default().trim_matches(['[', ']']);
            (host.to_owned(), otlp.endpoint.port_u16().unwrap_or(default_port))
        };
        Self { hosts: receivers.into_iter().map(host).collect(), found: BTreeMap::new() }
    }

    /// Their addresses, looked up now, and those that were found the time before: a connection to one of them may be open. What
    /// was never found may be there later, but is not left out; neither is what takes longer than anybody would wait for the
    /// start, or for the answer to a signal.
    pub(super) fn look_up(&mut self) -> Vec<SocketAddr> {
        let mut addresses: BTreeSet<_> = self.found.values().flatten().copied().collect();
        let (found, looked_up) = mpsc::channel();
        // One that hangs ends by itself, and the others do not wait for it.
        for (host, port) in self.hosts.clone() {
            let found = found.clone();
            thread::spawn(move || {
                let addresses = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
                let _ = found.send(((host, port), addresses));
            });
        }
        let (deadline, mut missing) = (Instant::now() + LOOK_UP_TIME, self.hosts.clone());
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((host, result)) = looked_up.recv_timeout(left) else { break };
            missing.remove(&host);
            match result {
                Ok(now) => {
                    addresses.extend(&now);
                    self.found.insert(host, now);
                }
                Err(error) => self.not_found(&host, &error),
            }
        }
        missing.iter().for_each(|host| self.not_found(host, &format_args!("no answer within {LOOK_UP_TIME:?}")));
        addresses.into_iter().collect()
    }

    fn not_found(&self, host: &Host, error: &dyn Display) {
        let name = &host.0;
        if self.found.contains_key(host) {
            warn!(host = name, %error, "cannot look up a backend; flows to and from its earlier addresses are left out");
        } else {
            warn!(host = name, %error, "cannot look up a backend; flows to and from it are not left out");
        }
    }
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
        let found = Receivers::new(&receivers).look_up();
        assert_eq!(found, ["127.0.0.1:4318", "[::1]:443"].map(|address| address.parse().unwrap()));
    }

    /// Connections stay open when names cannot be looked up any more, and when they stand for another address.
    #[test]
    fn addresses_that_were_found_before_count() {
        let otlp = |endpoint| OtlpConfig::new(Protocol::HttpProtobuf, endpoint).unwrap();
        let address = |text: &str| text.parse::<SocketAddr>().unwrap();
        let (lost, moved) = (("no-such-host.invalid".to_owned(), 4318), ("127.0.0.1".to_owned(), 4318));
        let mut receivers = Receivers::new(&[otlp("http://no-such-host.invalid:4318"), otlp("http://127.0.0.1:4318")]);
        receivers.found.insert(lost, vec![address("192.0.2.1:4318")]);
        receivers.found.insert(moved, vec![address("192.0.2.2:4318")]);
        let all = ["127.0.0.1:4318", "192.0.2.1:4318", "192.0.2.2:4318"].map(address);
        assert_eq!(receivers.look_up(), all);
        assert_eq!(receivers.look_up(), all[..2], "what was moved from is not kept for ever");
    }
}
