//! SIGHUP: the settings are read again, and what can change without a pause is put in force.

use std::collections::BTreeSet;
use std::env;

use flow_collector::Running;
use tracing::{info, warn};

use crate::cli;
use crate::config::{Config, Receivers};
use crate::settings::Settings;

/// What the program was started with: what is not reloaded stays so until it is started anew.
pub(crate) struct Reload {
    settings: Settings,
    receivers: Receivers,
}

/// What takes effect with SIGHUP, beside the tables `[[exporter]]`.
const RELOADED: [&str; 10] = [
    "allow",
    "attributes_allow",
    "attributes_deny",
    "deny",
    "exporter_max_datagrams",
    "exporter_max_records",
    "filter",
    "keep_own_traffic",
    "max_exporters",
    "sample",
];

impl Reload {
    pub(crate) fn new(settings: &Settings, receivers: Receivers) -> Self {
        Self { settings: settings.clone(), receivers }
    }

    /// Reads arguments, environment and file again. Where something in them cannot be used, everything stays as it is.
    pub(crate) fn apply(&mut self, running: &Running) {
        let read = || {
            let invocation = cli::parse(env::args_os())?;
            let settings = invocation.command.settings().unwrap_or(&self.settings).clone();
            let config = Config::beside(&settings, &self.receivers)?;
            anyhow::Ok((settings, config))
        };
        let (settings, config) = match read() {
            Ok(read) => read,
            Err(error) => {
                return warn!(
                    error = format!("{error:#}"),
                    "the configuration was not reloaded, the old one stays in force"
                );
            }
        };
        self.receivers = config.receivers;
        let rules = config.collector.exporters.rules.len();
        let collector = config.collector;
        running.exporters().set_policy(collector.exporters);
        running.selection().set(collector.filter, collector.sampling, collector.trace.attributes);
        for setting in needs_restart(&self.settings, &settings) {
            warn!(setting, "a changed setting takes effect after a restart only");
        }
        info!(exporter_tables = rules, "reloaded the configuration");
    }
}

/// Settings that differ and are not reloaded.
fn needs_restart(old: &Settings, new: &Settings) -> Vec<String> {
    let (old, new) = (old.values(), new.values());
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let differs = |key: &&&String| old.get(**key) != new.get(**key) && !RELOADED.contains(&key.as_str());
    keys.iter().filter(differs).map(|key| (*key).clone()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const DOCS: &str = include_str!("../../../docs/configuration.md");

    #[test]
    fn documentation_says_what_is_reloaded() {
        let section = DOCS.split("### Reload").nth(1).and_then(|rest| rest.split("\n## ").next()).unwrap();
        let list = section.lines().filter(|line| line.starts_with("- "));
        let documented: BTreeSet<_> = list.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
        assert_eq!(documented, BTreeSet::from(RELOADED));
    }
}
