//! Plausible NetFlow and IPFIX export traffic from a seed.
//!
//! A [`Generator`] is a small network under observation: a thousand clients, two hundred servers, and routers that
//! report what they exchange in any version. The same configuration gives the same bytes, with every later version of
//! this crate and on every machine; no clock is read and no socket opened.
//!
//! ```
//! use flow_traffic::{Generator, TrafficConfig, Version};
//!
//! let mut config = TrafficConfig::new(Version::V9);
//! config.seed = 42;
//! let mut generator = Generator::new(config)?;
//! let datagram = generator.next_datagram();
//! let message = flow_wire::Message::decode(datagram.bytes)?;
//! assert_eq!(message.header.version, Version::V9);
//! assert_eq!(message.header.observation_domain_id, datagram.observation_domain_id);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod exporter;
mod layout;
mod population;
mod random;
pub mod streams;

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use flow_wire::encode::{MessageWriter, header};
use flow_wire::{MessageHeader, Timestamp};

pub use flow_wire::Version;

use exporter::Exporter;
use layout::{Layout, SAMPLING_INTERVAL};
use population::{Flow, Population};
use random::Random;

/// What a [`Generator`] generates.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrafficConfig {
    /// Version of every datagram.
    pub version: Version,
    /// Flow records in each datagram. `None`: as many as fit the 1,472 bytes of an Ethernet frame together with all
    /// Templates and options, but no more than routers send (v1 24, v5 30, v7 27).
    pub flows_per_datagram: Option<NonZeroU16>,
    /// Another seed, other traffic.
    pub seed: u64,
    /// Routers that take turns, each with its own Observation Domain, sequence numbers and interfaces.
    pub exporters: NonZeroU16,
    /// Datagrams of an exporter from one announcement of its Templates and options to the next (v9, IPFIX).
    pub template_refresh: NonZeroU32,
    /// Whether to announce a sampler of one packet in 100, and interface names: v9 and IPFIX in options data, v5 the
    /// sampler in its header.
    pub options_data: bool,
    /// Export time of the first datagram. From 1970 to 2106, as headers have 32 bits of seconds.
    pub start: Timestamp,
    /// Export time from one datagram to the next, over all exporters.
    pub interval: Duration,
}

impl TrafficConfig {
    /// One exporter of this version, with Templates and options every 20 datagrams, 100 datagrams a second from
    /// 2026-01-01 on.
    pub const fn new(version: Version) -> Self {
        Self {
            version,
            flows_per_datagram: None,
            seed: 0,
            exporters: NonZeroU16::MIN,
            template_refresh: NonZeroU32::MIN.saturating_add(19),
            options_data: true,
            start: Timestamp::from_unix_seconds(1_767_225_600),
            interval: Duration::from_millis(10),
        }
    }
}

/// Why a [`TrafficConfig`] is impossible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// So many flows do not fit the 65,507 bytes of a UDP datagram.
    #[error("at most {most} flows fit a datagram of version {}", .version.number())]
    FlowsPerDatagram {
        /// The version asked for.
        version: Version,
        /// The most that fit.
        most: u16,
    },
    /// Datagrams of a version that are not generated.
    #[error("no datagrams of version {} can be generated", .0.number())]
    Version(Version),
    /// The export time does not fit the header.
    #[error("the time of the first datagram is after 2106")]
    StartTime,
}

/// One datagram; its bytes live until the next one is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeneratedDatagram<'a> {
    /// Which exporter sends it, from 0.
    pub exporter: u16,
    /// Observation Domain ID in it, as decoding has it: for v5 engine type and engine ID, 0 for v1 and v7.
    pub observation_domain_id: u32,
    /// When the exporter sends it.
    pub export_time: Timestamp,
    /// Flow records in it; options records do not count.
    pub flows: u16,
    /// The UDP payload.
    pub bytes: &'a [u8],
}

/// An endless stream of export datagrams.
#[derive(Debug)]
pub struct Generator {
    layout: Layout,
    random: Random,
    population: Population,
    exporters: Vec<Exporter>,
    flows_per_datagram: u16,
    template_refresh: u64,
    start: Timestamp,
    interval: Duration,
    datagrams: u64,
    flows_generated: u64,
    flows: Vec<Flow>,
    message: MessageWriter,
}

impl Generator {
    /// # Errors
    ///
    /// If no datagram can be as configured.
    pub fn new(config: TrafficConfig) -> Result<Self, ConfigError> {
        if matches!(config.version, Version::V8 | Version::Sflow5) {
            return Err(ConfigError::Version(config.version));
        }
        let layout = Layout::new(config.version, config.options_data);
        Self::with_layout(config, layout)
    }

    fn with_layout(config: TrafficConfig, layout: Layout) -> Result<Self, ConfigError> {
        let version = config.version;
        let flows_per_datagram = match config.flows_per_datagram {
            Some(flows) => flows.get(),
            None => most_flows(&layout, MAX_ETHERNET_PAYLOAD).min(customary_flows(version)),
        };
        let most = most_flows(&layout, MAX_UDP_PAYLOAD);
        if flows_per_datagram > most {
            return Err(ConfigError::FlowsPerDatagram { version, most });
        }
        if config.start > LATEST_TIME {
            return Err(ConfigError::StartTime);
        }
        let mut random = Random::new(config.seed);
        let population = Population::new(&mut random);
        let start_ms = config.start.as_unix_millis();
        let exporters =
            (0..config.exporters.get()).map(|number| Exporter::new(number, start_ms, &mut random)).collect();
        Ok(Self {
            layout,
            random,
            population,
            exporters,
            flows_per_datagram,
            template_refresh: config.template_refresh.get().into(),
            start: config.start,
            interval: config.interval,
            datagrams: 0,
            flows_generated: 0,
            flows: Vec::new(),
            message: MessageWriter::new(),
        })
    }

    /// Flow records in each datagram: as configured, or the default of the version.
    pub fn flows_per_datagram(&self) -> u16 {
        self.flows_per_datagram
    }

    /// The next datagram.
    pub fn next_datagram(&mut self) -> GeneratedDatagram<'_> {
        let export_time = self.export_time();
        let number = (self.datagrams % self.exporters.len() as u64) as usize;
        self.datagrams += 1;
        // What happens between two ticks of the header's clock happened at the first, so that times agree exactly.
        let header_time = header_time(self.layout.version, export_time);
        self.generate_flows(number, header_time.as_unix_millis());

        let exporter = &mut self.exporters[number];
        let header = message_header(&self.layout, exporter, header_time);
        self.message.begin(&header);
        let mut options_records = 0;
        if self.layout.version.has_templates() && exporter.messages.is_multiple_of(self.template_refresh) {
            options_records = self.layout.announce(&mut self.message, exporter);
        }
        self.layout.write(&mut self.message, exporter, &self.flows);
        exporter.messages += 1;
        let units = match self.layout.version {
            Version::V9 => 1,
            Version::Ipfix => u32::from(self.flows_per_datagram) + options_records,
            _ => self.flows_per_datagram.into(),
        };
        exporter.sequence_number = exporter.sequence_number.wrapping_add(units);
        GeneratedDatagram {
            exporter: number as u16,
            observation_domain_id: header.observation_domain_id,
            export_time,
            flows: self.flows_per_datagram,
            bytes: self.message.finish().expect("the number of flows was checked when the generator was made"),
        }
    }

    fn export_time(&self) -> Timestamp {
        let elapsed = self.interval.as_nanos().saturating_mul(self.datagrams.into());
        let elapsed = u64::try_from(elapsed).unwrap_or(u64::MAX);
        Timestamp::from_unix_nanos(self.start.as_unix_nanos().saturating_add(elapsed)).min(LATEST_TIME)
    }

    fn generate_flows(&mut self, exporter: usize, export_ms: u64) {
        self.flows.clear();
        for _ in 0..self.flows_per_datagram {
            let is_v6 = self.layout.is_v6(self.flows_generated);
            self.flows_generated += 1;
            self.flows.push(self.population.flow(&mut self.random, &self.exporters[exporter], export_ms, is_v6));
        }
    }
}

/// An export time as the Message Header has it: v9 and IPFIX have whole seconds.
const fn header_time(version: Version, time: Timestamp) -> Timestamp {
    if version.has_templates() { Timestamp::from_unix_seconds(time.as_unix_nanos() / 1_000_000_000) } else { time }
}

fn message_header(layout: &Layout, exporter: &Exporter, export_time: Timestamp) -> MessageHeader {
    let version = layout.version;
    let observation_domain_id = match version {
        Version::V1 | Version::V7 => 0,
        Version::V5 => exporter.observation_domain_id & 0xffff,
        _ => exporter.observation_domain_id,
    };
    let mut header = header(version, export_time, exporter.sequence_number, observation_domain_id);
    header.sys_uptime_ms = header.sys_uptime_ms.map(|_| exporter.sys_uptime_ms(export_time.as_unix_millis()));
    if layout.samples_in_header() {
        header.sampling = SAMPLING_MODE_COUNT | SAMPLING_INTERVAL;
    }
    header
}

/// The most flows that fit `bytes`, whatever else the datagram has to carry.
fn most_flows(layout: &Layout, bytes: usize) -> u16 {
    (1..u16::MAX).take_while(|flows| layout.most_bytes(*flows) <= bytes).last().unwrap_or(1)
}

/// The most flows that routers put into a datagram of a version with fixed records.
const fn customary_flows(version: Version) -> u16 {
    match version {
        Version::V1 => 24,
        Version::V5 => 30,
        Version::V7 => 27,
        _ => u16::MAX,
    }
}

/// An Ethernet frame of 1,500 bytes less the headers of IPv4 and UDP.
const MAX_ETHERNET_PAYLOAD: usize = 1_472;
/// The same for the longest IPv4 packet.
const MAX_UDP_PAYLOAD: usize = 65_507;
const LATEST_TIME: Timestamp = Timestamp::from_unix_seconds(u32::MAX as u64);
/// Sampling mode 1 in the upper two bits of the v5 header: one packet in every so many.
const SAMPLING_MODE_COUNT: u16 = 1 << 14;

#[cfg(test)]
mod tests;
