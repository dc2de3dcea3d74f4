//! What the operator says of an exporter, beside what it sends.

use std::net::IpAddr;
use std::sync::Arc;

use crate::options::SamplingRate;

/// Facts about an exporter that its Messages do not tell, or tell wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExporterProfile {
    /// Its address, where a relay sends in its place.
    pub address: Option<IpAddr>,
    /// Its name.
    pub name: Option<Box<str>>,
    /// Where it stands.
    pub site: Option<Box<str>>,
    /// Packet sampling, whatever it says itself.
    pub sampling: Option<SamplingRate>,
    /// Packet sampling where it says nothing.
    pub default_sampling: Option<SamplingRate>,
    /// Whose clock the times of its flows go by.
    pub clock: Clock,
}

/// Whose clock the times of flows go by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Clock {
    /// The exporter's.
    #[default]
    Exporter,
    /// Ours: all times of a Message are moved by what its export time differs from the time of receipt, so that flows of an
    /// exporter without NTP lie where they belong. Export times of v9 and IPFIX are whole seconds: so exact is the result.
    Receipt,
}

/// The profiles of an exporter: one for all its Observation Domains, others for single ones, as behind a relay.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExporterProfiles {
    /// For the Observation Domains that have none of their own.
    pub any: Option<Arc<ExporterProfile>>,
    /// By Observation Domain ID.
    pub by_domain: Vec<(u32, Arc<ExporterProfile>)>,
}

impl ExporterProfiles {
    /// The profile of an Observation Domain.
    pub fn of(&self, observation_domain_id: u32) -> Option<&Arc<ExporterProfile>> {
        let own = self.by_domain.iter().find(|(domain, _)| *domain == observation_domain_id);
        own.map(|(_, profile)| profile).or(self.any.as_ref())
    }
}
