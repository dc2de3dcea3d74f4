//! `send`: generated export traffic to a collector.

mod target;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU16, NonZeroU32};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Args;
use flow_collector::StreamProtocol;
use flow_traffic::{Generator, TrafficConfig, Version};
use flow_wire::Timestamp;

use self::target::{Carrier, STALLED, Sender, Target, TlsFiles};
use crate::config::split_url;
use crate::decode::parse_version;
use crate::error::UsageError;
use crate::pace::{Pace, Pacer};

/// Arguments of `send`.
#[derive(Args)]
pub(crate) struct SendArgs {
    /// Host to send to
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,

    /// UDP port to send to
    #[arg(long, value_name = "PORT", default_value_t = 2055)]
    port: u16,

    /// Where to send instead of host and port: udp://HOST:PORT, or IPFIX to tcp://HOST:PORT (4739 when absent) or
    /// tls://HOST:PORT (4740)
    #[arg(long, value_name = "URL", conflicts_with_all = ["host", "port"])]
    to: Option<String>,

    /// PEM file with the authorities that sign the certificate of a collector at tls://
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,

    /// PEM file with a certificate to show to it, and those between it and an authority
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,

    /// PEM file with its key
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,

    /// Datagrams to send, or Messages over TCP and TLS
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    count: u64,

    /// Version of the datagrams: 1, 5, 7, 9 or ipfix
    #[arg(long, value_name = "VERSION", default_value = "5", value_parser = parse_sent_version)]
    version: Version,

    /// Flow records in each datagram; what fits an Ethernet frame when absent
    #[arg(long, value_name = "COUNT")]
    flows_per_datagram: Option<NonZeroU16>,

    /// Datagrams a second, or `max`
    #[arg(long, value_name = "RATE", default_value = "1000", value_parser = parse_rate)]
    rate: Pace,

    /// Repeat the bytes of an earlier run, times included; other traffic each time, with the time of now, when absent
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,

    /// Exporters that take turns, each with its own Observation Domain and connection; on loopback each with its own address
    /// (127.0.0.1 and following), else each with its own port
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroU16::MIN)]
    exporters: NonZeroU16,

    /// Datagrams of an exporter from one announcement of its Templates to the next (v9, IPFIX); when absent 20, and over TCP
    /// and TLS one announcement
    #[arg(long, value_name = "COUNT")]
    template_refresh: Option<NonZeroU32>,

    /// Announce no sampler and no interface names
    #[arg(long)]
    no_options_data: bool,
}

/// Reads `max` or a number.
fn parse_rate(text: &str) -> Result<Pace, &'static str> {
    match Pace::parse(text) {
        Ok(Pace::Own) | Err(_) => Err("use datagrams a second, or max"),
        Ok(pace) => Ok(pace),
    }
}

/// Sends.
///
/// # Errors
///
/// A host that is none, more flows than fit, an address that cannot be sent to, nobody listening, a connection that breaks.
pub(crate) fn run(args: &SendArgs) -> anyhow::Result<()> {
    let target = args.target()?;
    let address = target.address;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..u64::from(u32::MAX)));
    let mut generator = Generator::new(args.traffic(seed, &target.carrier)).map_err(UsageError::new)?;
    let mut senders: Vec<_> = (0..args.exporters.get()).map(|_| None).collect();
    let mut pacer = Pacer::new(args.rate);
    let (mut flows, mut bytes, mut refused) = (0_u64, 0_u64, 0_u64);
    let start = Instant::now();
    for number in 0..args.count {
        let datagram = generator.next_datagram();
        pacer.wait(0);
        let sender = match &mut senders[usize::from(datagram.exporter)] {
            Some(sender) => sender,
            none => none.insert(target.sender(datagram.exporter)?),
        };
        let failed = || format!("cannot send {} {} to {address}", target.unit(), number + 1);
        refused += sender.send(datagram.bytes).with_context(failed)?;
        flows += u64::from(datagram.flows);
        bytes += datagram.bytes.len() as u64;
    }
    let elapsed = start.elapsed();
    let protocol = match args.version {
        Version::Ipfix => "IPFIX".to_owned(),
        version => format!("NetFlow v{}", version.number()),
    };
    let (count, units, seconds) = (args.count, target.units(), elapsed.as_secs_f64());
    let summary = format!(
        "sent {count} {protocol} {units} to {address} in {seconds:.3} s: {flows} flows, {bytes} bytes, seed {seed}"
    );
    writeln!(io::stdout(), "{summary}")?;
    let mut senders: Vec<_> = senders.into_iter().flatten().collect();
    let unread = || format!("{address} may not have read everything");
    senders.iter_mut().try_for_each(Sender::end).with_context(unread)?;
    let deadline = Instant::now() + STALLED;
    for sender in &mut senders {
        refused += sender.finish(deadline).with_context(unread)?;
    }
    ensure!(refused == 0, "nobody listens on {address}: start netflow2traces there first");
    Ok(())
}

/// No exporter that is still built sends v8, so none is made up.
fn parse_sent_version(text: &str) -> Result<Version, &'static str> {
    parse_version(text).ok().filter(|version| *version != Version::V8).ok_or("use 1, 5, 7, 9 or ipfix")
}

impl SendArgs {
    fn target(&self) -> anyhow::Result<Target> {
        let (protocol, to) = match &self.to {
            None => (None, format_host(&self.host, self.port)),
            Some(url) => {
                let expected = || format!("--to {url:?}: expected udp://HOST:PORT, tcp://HOST or tls://HOST");
                split_url(url).ok_or_else(|| UsageError::new(expected()))?
            }
        };
        if let Some(protocol) = protocol.filter(|_| self.version != Version::Ipfix) {
            return Err(UsageError::new(format!("{protocol} carries IPFIX alone: add --version ipfix")).into());
        }
        let own = self.tls_certificate.as_deref().zip(self.tls_key.as_deref());
        let carrier = match protocol {
            Some(StreamProtocol::Tls) => {
                let authorities = self.tls_ca.as_deref();
                let authorities = authorities.ok_or_else(|| UsageError::new("to send to tls://, set --tls-ca"))?;
                Carrier::tls(&to, &TlsFiles { authorities, own })?
            }
            _ if self.tls_ca.is_some() || own.is_some() => {
                return Err(UsageError::new("files for TLS need an address tls://HOST in --to").into());
            }
            Some(StreamProtocol::Tcp) => Carrier::Tcp,
            None => Carrier::Udp,
        };
        Target::new(&to, carrier)
    }

    fn traffic(&self, seed: u64, carrier: &Carrier) -> TrafficConfig {
        let mut config = TrafficConfig::new(self.version);
        config.flows_per_datagram = self.flows_per_datagram;
        config.seed = seed;
        config.exporters = self.exporters;
        config.options_data = !self.no_options_data;
        match (self.template_refresh, carrier) {
            (Some(refresh), _) => config.template_refresh = refresh,
            (None, Carrier::Udp) => {}
            // They last as long as the connection.
            (None, Carrier::Tcp | Carrier::Tls(..)) => config.template_refresh = NonZeroU32::MAX,
        }
        if let Pace::PerSecond(rate) = self.rate {
            config.interval = Duration::from_secs(1) / rate.get();
        }
        if self.seed.is_none() {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            config.start = Timestamp::UNIX_EPOCH + now;
        }
        config
    }
}

/// Host and port as one, with brackets around a bare IPv6 address.
fn format_host(host: &str, port: u16) -> String {
    match host.parse::<IpAddr>() {
        Ok(address) => SocketAddr::new(address, port).to_string(),
        Err(_) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, FromArgMatches};

    use super::*;

    fn args(flags: &[&str]) -> SendArgs {
        let command = SendArgs::augment_args(Command::new("send").no_binary_name(true));
        SendArgs::from_arg_matches(&command.try_get_matches_from(flags).unwrap()).unwrap()
    }

    /// A run can be repeated: same seed, same bytes.
    #[test]
    fn a_seed_fixes_the_times_too() {
        let with_seed = || args(&["--seed", "7", "--version", "ipfix", "--exporters", "3"]).traffic(7, &Carrier::Udp);
        assert_eq!(with_seed(), with_seed());
        assert_eq!(with_seed().start, TrafficConfig::new(Version::Ipfix).start);
        assert!(args(&[]).traffic(7, &Carrier::Udp).start > with_seed().start);
    }

    #[test]
    fn defaults_are_ten_datagrams_of_version_5_to_this_machine() {
        let args = args(&[]);
        assert_eq!((args.host.as_str(), args.port, args.count, args.version), ("127.0.0.1", 2055, 10, Version::V5));
        assert_eq!(args.exporters.get(), 1);
    }

    #[test]
    fn hosts_come_in_every_form() {
        assert_eq!(format_host("::1", 1), "[::1]:1");
        assert_eq!(format_host("10.0.0.1", 1), "10.0.0.1:1");
        assert_eq!(format_host("[::1]", 1), "[::1]:1");
        assert_eq!(format_host("collector", 1), "collector:1");
    }
}
