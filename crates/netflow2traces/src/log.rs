//! The log on standard error.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::cli::setting_name;
use crate::error::UsageError;
use crate::settings::LogSettings;

/// Starts the log.
///
/// # Errors
///
/// A level or directives that are none.
pub(crate) fn init(settings: &LogSettings) -> Result<(), UsageError> {
    let filter = match &settings.rust_log {
        Some(directives) => EnvFilter::try_new(directives)
            .map_err(|error| UsageError::new(format!("{}: {error}", setting_name("rust_log"))))?,
        None => EnvFilter::new(directives(&settings.log_level)?),
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    Ok(())
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
