//! What the configuration file says of exporters: its tables `[[exporter]]`.

use std::collections::HashSet;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use flow_collector::{ExporterLimits, ExporterRule, SamplingPolicy};
use flow_state::{Clock, ExporterProfile, SamplingRate};
use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use crate::config::sample;
use crate::error::UsageError;
use crate::file;

/// Name of the tables in the file.
pub(crate) const KEY: &str = "exporter";

/// The part of the file that is read here.
#[derive(Deserialize)]
struct ExportersFile {
    #[serde(default)]
    exporter: Vec<Spanned<ExporterEntry>>,
}

/// One `[[exporter]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExporterEntry {
    network: String,
    observation_domain_id: Option<u32>,
    address: Option<IpAddr>,
    name: Option<Box<str>>,
    site: Option<Box<str>>,
    sampling_rate: Option<u32>,
    default_sampling_rate: Option<u32>,
    #[serde(default)]
    clock: ClockName,
    max_datagrams: Option<NonZeroU32>,
    max_records: Option<NonZeroU32>,
    sample: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ClockName {
    #[default]
    Exporter,
    Receipt,
}

/// Reads the tables of a configuration file.
///
/// # Errors
///
/// A file that cannot be read, is not TOML, or says something of an exporter that cannot be; with the line.
pub(crate) fn read(path: &Path) -> Result<Vec<ExporterRule>, UsageError> {
    parse(&file::text(path)?).map_err(|what| file::unusable(path, what))
}

/// A network or a single address. One of IPv4-mapped addresses is the IPv4 network, as whose addresses senders are known.
pub(crate) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()?;
    let IpAddr::V6(address) = network.addr() else { return Some(network) };
    match address.to_ipv4_mapped() {
        // No sender is in one that is shorter than the prefix of them all.
        Some(address) => IpNet::new(address.into(), network.prefix_len().checked_sub(96)?).ok(),
        None => Some(network),
    }
}

fn parse(text: &str) -> Result<Vec<ExporterRule>, String> {
    let file: ExportersFile = toml::from_str(text).map_err(|error| file::located(text, &error))?;
    let rule = |entry: Spanned<ExporterEntry>| {
        let line = file::line(text, entry.span().start);
        rule(entry.into_inner()).map_err(|what| format!("line {line}: exporter {what}"))
    };
    let rules = file.exporter.into_iter().map(rule).collect::<Result<Vec<_>, _>>()?;
    let mut known = HashSet::new();
    match rules.iter().find(|rule| !known.insert((rule.network.trunc(), rule.observation_domain_id))) {
        Some(rule) => Err(format!("exporter {} has two tables", rule.network)),
        None => Ok(rules),
    }
}

fn rule(entry: ExporterEntry) -> Result<ExporterRule, String> {
    let limits = ExporterLimits { datagrams: entry.max_datagrams, records: entry.max_records };
    let Some(network) = network(&entry.network) else {
        return Err(format!("{:?}: expected a network such as 10.0.0.0/8 or an address", entry.network));
    };
    if entry.observation_domain_id.is_some() && limits != ExporterLimits::default() {
        return Err(format!("{network}: limits are for an address, not for an observation domain"));
    }
    let sampling =
        entry.sample.as_deref().map(|text| sampling(text).map_err(|what| format!("{network}: {text:?}: {what}")));
    let sampling = sampling.transpose()?;
    if entry.observation_domain_id.is_some() && sampling.is_some() {
        return Err(format!("{network}: a sample is for an address, not for an observation domain"));
    }
    let rate = |interval: Option<u32>| match interval.map(|interval| SamplingRate::new(interval.into(), 1)) {
        Some(None) => Err(format!("{network}: a sampling rate is 1 or more: packets for each one looked at")),
        rate => Ok(rate.flatten()),
    };
    let profile = ExporterProfile {
        address: entry.address.map(|address| address.to_canonical()),
        name: entry.name,
        site: entry.site,
        sampling: rate(entry.sampling_rate)?,
        default_sampling: rate(entry.default_sampling_rate)?,
        clock: match entry.clock {
            ClockName::Exporter => Clock::Exporter,
            ClockName::Receipt => Clock::Receipt,
        },
    };
    let (observation_domain_id, profile) = (entry.observation_domain_id, Arc::new(profile));
    Ok(ExporterRule { network, observation_domain_id, profile, limits, sampling })
}

/// A share and a size; the limit of spans is one for all exporters.
fn sampling(text: &str) -> Result<SamplingPolicy, &'static str> {
    let config = sample::parse(text)?;
    match config.max_spans_per_second {
        Some(_) => Err("max: is for all exporters together, in NETFLOW_SAMPLE"),
        None => Ok(config.policy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "listen_port = 2055\n\
        [[exporter]]\n\
        network = \"10.0.0.0/24\"\n\
        name = \"core\"\n\
        site = \"Zürich\"\n\
        sampling_rate = 1000\n\
        clock = \"receipt\"\n\
        max_datagrams = 500\n\
        sample = \"1/100\"\n\
        [[exporter]]\n\
        network = \"192.0.2.1\"\n\
        observation_domain_id = 7\n\
        address = \"10.9.0.1\"\n\
        default_sampling_rate = 1\n";

    #[test]
    fn tables_become_rules() {
        let rules = parse(FULL).unwrap();
        let core = ExporterRule {
            network: "10.0.0.0/24".parse().unwrap(),
            observation_domain_id: None,
            profile: Arc::new(ExporterProfile {
                name: Some("core".into()),
                site: Some("Zürich".into()),
                sampling: SamplingRate::new(1000, 1),
                clock: Clock::Receipt,
                ..ExporterProfile::default()
            }),
            limits: ExporterLimits { datagrams: NonZeroU32::new(500), records: None },
            sampling: Some(sampling("1/100").unwrap()),
        };
        let behind = ExporterRule {
            network: "192.0.2.1/32".parse().unwrap(),
            observation_domain_id: Some(7),
            profile: Arc::new(ExporterProfile {
                address: Some("10.9.0.1".parse().unwrap()),
                default_sampling: SamplingRate::new(1, 1),
                ..ExporterProfile::default()
            }),
            limits: ExporterLimits::default(),
            sampling: None,
        };
        assert_eq!(rules, [core, behind]);
        assert_eq!(parse("listen_port = 1\n"), Ok(Vec::new()));
    }

    #[test]
    fn mapped_networks_are_those_of_ipv4() {
        for (text, expected) in [
            ("::ffff:127.0.0.1", Some("127.0.0.1/32")),
            ("::ffff:10.0.0.0/104", Some("10.0.0.0/8")),
            ("::ffff:0:0/96", Some("0.0.0.0/0")),
            ("::ffff:0:0/90", None),
            // IPv6 alone, as ever.
            ("::/0", Some("::/0")),
            ("::ffc0:0:0/90", Some("::ffc0:0:0/90")),
            ("2001:db8::1", Some("2001:db8::1/128")),
        ] {
            assert_eq!(network(text), expected.map(|network| network.parse().unwrap()), "{text}");
        }
        let table = "[[exporter]]\nnetwork = \"::ffff:192.0.2.1\"\naddress = \"::ffff:10.2.0.1\"\n";
        let rules = parse(table).unwrap();
        assert_eq!(rules[0].network, "192.0.2.1/32".parse().unwrap());
        assert_eq!(rules[0].profile.address, Some("10.2.0.1".parse().unwrap()));
        let twice = format!("{table}[[exporter]]\nnetwork = \"192.0.2.1\"\n");
        assert_eq!(parse(&twice).unwrap_err(), "exporter 192.0.2.1/32 has two tables");
    }

    #[test]
    fn a_table_that_cannot_be_meant_is_refused_with_its_line() {
        for (old, new, message) in [
            ("10.0.0.0/24", "10.0.0.0/33", "line 2: exporter \"10.0.0.0/33\": expected a network"),
            ("network = \"10.0.0.0/24\"", "", "line 2: missing field `network`"),
            ("= 1000", "= 0", "line 2: exporter 10.0.0.0/24: a sampling rate is 1 or more"),
            ("site", "cite", "line 5: unknown field `cite`"),
            ("receipt", "ours", "line 7: unknown variant `ours`"),
            ("= 500", "= 0", "line 8: "),
            ("1/100", "100", "line 2: exporter 10.0.0.0/24: \"100\": expected a share such as 10%"),
            ("1/100", "max:5/s", "line 2: exporter 10.0.0.0/24: \"max:5/s\": max: is for all exporters together"),
            ("address = \"10.9.0.1\"", "max_records = 5", "line 10: exporter 192.0.2.1/32: limits are for an address"),
            (
                "address = \"10.9.0.1\"",
                "sample = \"1/9\"",
                "line 10: exporter 192.0.2.1/32: a sample is for an address",
            ),
            ("10.9.0.1", "core", "line 13: "),
        ] {
            let error = parse(&FULL.replacen(old, new, 1)).unwrap_err();
            assert!(error.starts_with(message) && !error.contains('\n'), "{error:?} for {new:?}");
        }
        let twice = "[[exporter]]\nnetwork = \"10.0.0.1/8\"\n[[exporter]]\nnetwork = \"10.0.0.0/8\"\n";
        assert_eq!(parse(twice).unwrap_err(), "exporter 10.0.0.0/8 has two tables");
    }
}
