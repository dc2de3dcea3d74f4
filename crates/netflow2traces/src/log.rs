//! The log: on standard error, and over OTLP where that is asked for.

use std::env;
use std::io::{self, IsTerminal};

use tracing::warn;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::cli::setting_name;
use crate::error::UsageError;
use crate::logs::{self, Limits, Lines};
use crate::settings::LogSettings;

/// Starts the log. Returns the lines that are to be sent over OTLP, from the first one on, if any are.
///
/// # Errors
///
/// A level or directives that are none.
pub(crate) fn init(settings: &LogSettings, over_otlp: bool) -> Result<Option<Lines>, UsageError> {
    let filter = match &settings.rust_log {
        Some(directives) => EnvFilter::try_new(directives)
            .map_err(|error| UsageError::new(format!("{}: {error}", setting_name("rust_log"))))?,
        None => EnvFilter::new(directives(&settings.log_level)?),
    };
    let (limits, unusable) = Limits::read(|name| env::var(name).ok());
    let (layer, lines) = over_otlp.then(|| logs::queue(limits)).unzip();
    let stderr = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
    tracing_subscriber::registry().with(filter).with(stderr).with(layer).init();
    for (name, value) in unusable.into_iter().filter(|_| over_otlp) {
        warn!(value, "{name}: the default is used, as this is no number above 0 that is possible");
    }
    Ok(lines)
}

fn directives(level: &str) -> Result<&'static str, UsageError> {
    match level.to_ascii_uppercase().as_str() {
        // HTTP libraries say more at debug than we do.
        "DEBUG" => Ok("debug,h2=info,hyper=info,hyper_util=info,tonic=info,tower=info"),
        "INFO" => Ok("info"),
        "WARNING" | "WARN" => Ok("warn"),
        "ERROR" => Ok("error"),
        _ => {
            let name = setting_name("log_level");
            Err(UsageError::new(format!("{name}: unknown level {level:?}: use DEBUG, INFO, WARNING or ERROR")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_come_in_any_case() {
        for (level, expected) in [("INFO", "info"), ("Warning", "warn"), ("error", "error")] {
            assert_eq!(directives(level).unwrap(), expected);
        }
        assert!(directives("debug").unwrap().starts_with("debug,"));
        assert_eq!(
            directives("loud").unwrap_err().to_string(),
            "--log-level (LOG_LEVEL): unknown level \"loud\": use DEBUG, INFO, WARNING or ERROR"
        );
    }
}
