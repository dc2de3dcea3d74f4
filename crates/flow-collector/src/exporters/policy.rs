//! Whose datagrams are read, how many, and what is known of who sends them.

use std::net::IpAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

use flow_semconv::SamplingPolicy;
use flow_state::{ExporterProfile, ExporterProfiles};
use ipnet::IpNet;

/// What the operator decides about exporters. The default reads everybody.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExporterPolicy {
    /// Whose datagrams are read; empty reads all.
    pub allow: Vec<IpNet>,
    /// Whose datagrams are not read, though they be allowed.
    pub deny: Vec<IpNet>,
    /// How many addresses are followed at one time; datagrams from others are not read.
    pub max_exporters: NonZeroUsize,
    /// What one exporter may send.
    pub limits: ExporterLimits,
    /// What is known of exporters. The rule with the longest network counts; of two with the same, the first.
    pub rules: Vec<ExporterRule>,
}

/// What an exporter may send in a second, once a second at once; `None` is without limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExporterLimits {
    /// Datagrams; those beyond are not read, so that Templates may be missed.
    pub datagrams: Option<NonZeroU32>,
    /// Flow records; those beyond have no span.
    pub records: Option<NonZeroU32>,
}

/// What is known of the exporters of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExporterRule {
    /// Where their datagrams come from.
    pub network: IpNet,
    /// The Observation Domain it is about, where an address sends for several exporters; `None` is all of them.
    pub observation_domain_id: Option<u32>,
    /// What they do not tell themselves.
    pub profile: Arc<ExporterProfile>,
    /// Limits in place of those of all; of a rule for all Observation Domains only.
    pub limits: ExporterLimits,
    /// Which share of their flows is kept, in place of that of all; of a rule for all Observation Domains only.
    pub sampling: Option<SamplingPolicy>,
}

impl Default for ExporterPolicy {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            deny: Vec::new(),
            max_exporters: const { NonZeroUsize::new(10_000).unwrap() },
            limits: ExporterLimits::default(),
            rules: Vec::new(),
        }
    }
}

impl ExporterPolicy {
    /// The same for datagrams that are all wanted, however fast they come.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.max_exporters = NonZeroUsize::MAX;
        self.limits = ExporterLimits::default();
        self.rules.iter_mut().for_each(|rule| rule.limits = ExporterLimits::default());
        self
    }

    /// Whether datagrams from an address are read.
    pub fn allows(&self, address: IpAddr) -> bool {
        let is_in = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&address));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }

    /// What is said of an exporter, by its Observation Domains.
    pub fn profiles(&self, address: IpAddr) -> ExporterProfiles {
        self.known(address).0
    }

    /// The same, what it may send, and which share of its flows is kept.
    pub(super) fn known(&self, address: IpAddr) -> (ExporterProfiles, ExporterLimits, Option<SamplingPolicy>) {
        let mut rules: Vec<_> = self.rules.iter().filter(|rule| rule.network.contains(&address)).collect();
        // A stable sort: the first of the same length stays the first.
        rules.sort_by_key(|rule| u8::MAX - rule.network.prefix_len());
        let any = rules.iter().find(|rule| rule.observation_domain_id.is_none());
        let mut profiles = ExporterProfiles { any: any.map(|rule| rule.profile.clone()), by_domain: Vec::new() };
        for rule in &rules {
            if let Some(domain) = rule.observation_domain_id
                && profiles.by_domain.iter().all(|(known, _)| *known != domain)
            {
                profiles.by_domain.push((domain, rule.profile.clone()));
            }
        }
        let own = any.map_or(ExporterLimits::default(), |rule| rule.limits);
        let limits = ExporterLimits {
            datagrams: own.datagrams.or(self.limits.datagrams),
            records: own.records.or(self.limits.records),
        };
        (profiles, limits, any.and_then(|rule| rule.sampling))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(network: &str, domain: Option<u32>, name: &str) -> ExporterRule {
        ExporterRule {
            network: network.parse().unwrap(),
            observation_domain_id: domain,
            profile: Arc::new(ExporterProfile { name: Some(name.into()), ..ExporterProfile::default() }),
            limits: ExporterLimits::default(),
            sampling: None,
        }
    }

    #[test]
    fn what_is_denied_stays_denied_though_it_be_allowed() {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut policy = ExporterPolicy::default();
        let allowed = |policy: &ExporterPolicy| {
            ["10.0.0.1", "10.9.0.1", "192.0.2.1", "2001:db8::1"].map(|address| policy.allows(address.parse().unwrap()))
        };
        assert_eq!(allowed(&policy), [true; 4]);
        policy.deny = networks(&["10.9.0.0/16", "2001:db8::/32"]);
        assert_eq!(allowed(&policy), [true, false, true, false]);
        policy.allow = networks(&["10.0.0.0/8", "2001:db8::1/128"]);
        assert_eq!(allowed(&policy), [true, false, false, false]);
    }

    #[test]
    fn the_longest_network_counts_and_domains_have_their_own() {
        let policy = ExporterPolicy {
            rules: vec![
                rule("10.0.0.0/8", None, "net"),
                rule("10.0.0.1/32", None, "core"),
                rule("10.0.0.1/32", None, "core again"),
                rule("10.0.0.0/16", Some(7), "behind"),
                rule("10.0.0.0/8", Some(7), "far behind"),
                rule("0.0.0.0/0", Some(8), "any eight"),
            ],
            ..ExporterPolicy::default()
        };
        let name = |address: &str, domain| {
            let (profiles, ..) = policy.known(address.parse().unwrap());
            profiles.of(domain).map(|profile| profile.name.as_deref().unwrap().to_owned())
        };
        for (address, domain, expected) in [
            ("10.0.0.1", 0, Some("core")),
            ("10.0.0.1", 7, Some("behind")),
            ("10.1.0.1", 7, Some("far behind")),
            ("10.0.0.2", 8, Some("any eight")),
            ("10.0.0.2", 9, Some("net")),
            ("192.0.2.1", 9, None),
            ("2001:db8::1", 8, None),
        ] {
            assert_eq!(name(address, domain).as_deref(), expected, "{address} {domain}");
        }
    }

    #[test]
    fn a_rule_has_limits_of_its_own_where_it_says_some() {
        let limit = NonZeroU32::new;
        let mut own = rule("10.0.0.1/32", None, "core");
        own.limits.records = limit(5);
        let limits = ExporterLimits { datagrams: limit(1), records: limit(2) };
        let policy = ExporterPolicy { limits, rules: vec![own], ..ExporterPolicy::default() };
        let known = |address: &str| policy.known(address.parse().unwrap()).1;
        assert_eq!(known("10.0.0.1"), ExporterLimits { datagrams: limit(1), records: limit(5) });
        assert_eq!(known("10.0.0.2"), limits);
    }
}
