//! `send`: generated export traffic to a collector.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::num::{NonZeroU16, NonZeroU32};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use clap::Args;
use flow_traffic::{Generator, TrafficConfig, Version};
use flow_wire::Timestamp;

use crate::decode::parse_version;
use crate::error::UsageError;
use crate::pace::{Pace, Pacer};
use crate::replay::resolve;

/// Arguments of `send`.
#[derive(Args)]
pub(crate) struct SendArgs {
    /// Host to send to
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    host: String,

    /// UDP port to send to
    #[arg(long, value_name = "PORT", default_value_t = 2055)]
    port: u16,

    /// Datagrams to send
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

    /// Exporters that take turns, each with its own Observation Domain; on loopback each with its own address (127.0.0.1
    /// and following), else each with its own port
    #[arg(long, value_name = "COUNT", default_value_t = NonZeroU16::MIN)]
    exporters: NonZeroU16,

    /// Datagrams of an exporter from one announcement of its Templates to the next (v9, IPFIX); 20 when absent
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
/// A host that is none, more flows than fit, an address that cannot be sent to, nobody listening on this machine.
pub(crate) fn run(args: &SendArgs) -> anyhow::Result<()> {
    let address = resolve(&format_host(&args.host, args.port))?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..u64::from(u32::MAX)));
    let mut generator = Generator::new(args.traffic(seed)).map_err(UsageError::new)?;
    let sockets = sockets(address, args.exporters)?;
    let mut pacer = Pacer::new(args.rate);
    let (mut flows, mut bytes, mut refused) = (0_u64, 0_u64, 0_u64);
    let start = Instant::now();
    for number in 0..args.count {
        let datagram = generator.next_datagram();
        pacer.wait(0);
        let socket = &sockets[usize::from(datagram.exporter)];
        let failed = || format!("cannot send datagram {} to {address}", number + 1);
        refused += send(socket, datagram.bytes).with_context(failed)?;
        flows += u64::from(datagram.flows);
        bytes += datagram.bytes.len() as u64;
    }
    let elapsed = start.elapsed();
    let protocol = match args.version {
        Version::Ipfix => "IPFIX".to_owned(),
        version => format!("NetFlow v{}", version.number()),
    };
    let (count, seconds) = (args.count, elapsed.as_secs_f64());
    let summary = format!(
        "sent {count} {protocol} datagrams to {address} in {seconds:.3} s: {flows} flows, {bytes} bytes, seed {seed}"
    );
    writeln!(io::stdout(), "{summary}")?;
    for socket in &sockets {
        refused += u64::from(is_refused(&socket.take_error()?));
    }
    ensure!(refused == 0, "nobody listens on {address}: start netflow2traces there first");
    Ok(())
}

/// No exporter that is still built sends v8, so none is made up.
fn parse_sent_version(text: &str) -> Result<Version, &'static str> {
    parse_version(text).ok().filter(|version| *version != Version::V8).ok_or("use 1, 5, 7, 9 or ipfix")
}

impl SendArgs {
    fn traffic(&self, seed: u64) -> TrafficConfig {
        let mut config = TrafficConfig::new(self.version);
        config.flows_per_datagram = self.flows_per_datagram;
        config.seed = seed;
        config.exporters = self.exporters;
        config.options_data = !self.no_options_data;
        if let Some(refresh) = self.template_refresh {
            config.template_refresh = refresh;
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

/// A connected socket for each exporter.
fn sockets(to: SocketAddr, exporters: NonZeroU16) -> anyhow::Result<Vec<UdpSocket>> {
    let from = |number: u16| match to {
        SocketAddr::V4(to) if to.ip().is_loopback() => {
            let address = Ipv4Addr::LOCALHOST.to_bits() + u32::from(number);
            SocketAddr::new(Ipv4Addr::from_bits(address).into(), 0)
        }
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0_u16; 8], 0).into(),
    };
    let socket = |number| {
        let from = from(number);
        let socket = UdpSocket::bind(from).with_context(|| format!("cannot send from {}", from.ip()))?;
        socket.connect(to).with_context(|| format!("cannot send to {to}"))?;
        Ok(socket)
    };
    (0..exporters.get()).map(socket).collect()
}

/// Sends a datagram and says how often an earlier one turned out to be refused, which the system reports instead of
/// sending.
fn send(socket: &UdpSocket, bytes: &[u8]) -> io::Result<u64> {
    let first = socket.send(bytes);
    if !first.as_ref().is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
        return first.map(|_| 0);
    }
    match socket.send(bytes) {
        Err(error) if error.kind() != ErrorKind::ConnectionRefused => Err(error),
        _ => Ok(1),
    }
}

fn is_refused(error: &Option<io::Error>) -> bool {
    error.as_ref().is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
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
        let with_seed = || args(&["--seed", "7", "--version", "ipfix", "--exporters", "3"]).traffic(7);
        assert_eq!(with_seed(), with_seed());
        assert_eq!(with_seed().start, TrafficConfig::new(Version::Ipfix).start);
        assert!(args(&[]).traffic(7).start > with_seed().start);
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

    #[test]
    fn exporters_on_loopback_have_addresses_of_their_own() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let sockets = sockets(receiver.local_addr().unwrap(), NonZeroU16::new(3).unwrap()).unwrap();
        let addresses: Vec<_> = sockets.iter().map(|socket| socket.local_addr().unwrap().ip().to_string()).collect();
        assert_eq!(addresses, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
    }
}
