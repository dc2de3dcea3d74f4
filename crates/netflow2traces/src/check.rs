//! `check`: the effective configuration, and whether the outputs take spans.

use std::io::{self, Write};

use anyhow::{Context, bail};
use clap::Args;
use otlp_sink::{OtlpConfig, Output};

use crate::cli::{Source, Sources};
use crate::collect::runtime;
use crate::config::Config;
use crate::settings::Settings;

/// Arguments of `check`.
#[derive(Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Prints the settings as a configuration file, says where each comes from, and tries the outputs.
///
/// # Errors
///
/// Settings that cannot be used, an output that does not take spans.
pub(crate) fn run(args: &CheckArgs, sources: &Sources) -> anyhow::Result<()> {
    let mut output = io::stdout().lock();
    for (key, values) in args.settings.values() {
        let source = match sources.of(&key) {
            Source::Flag => "option",
            Source::Environment => "environment",
            Source::File => "file",
            Source::Default => "default",
        };
        let values: Vec<_> = values.iter().map(|value| format!("{:?}", redacted(&key, value))).collect();
        let value = match values.as_slice() {
            [value] => value.clone(),
            values => format!("[{}]", values.join(", ")),
        };
        // A comment, because a file cannot name a file.
        let comment = if key == "config" { "# " } else { "" };
        writeln!(output, "{comment}{key} = {value} # {source}")?;
    }
    output.flush()?;
    let config = Config::new(&args.settings)?;
    for target in &config.sink.outputs {
        match target {
            Output::Otlp(otlp) => probe(otlp, &mut output)?,
            Output::File(path) => writeln!(output, "# spans go to the file {}", path.display())?,
            _ => writeln!(output, "# spans go to standard output")?,
        }
    }
    Ok(())
}

fn probe(otlp: &OtlpConfig, output: &mut impl Write) -> anyhow::Result<()> {
    let (endpoint, protocol) = (redacted("otlp_endpoint", &otlp.endpoint.to_string()), otlp.protocol);
    let report = runtime()?
        .block_on(otlp_sink::probe(otlp))
        .with_context(|| format!("the backend at {endpoint} ({protocol}) does not take spans"))?;
    writeln!(output, "# the backend at {endpoint} ({protocol}) takes spans, answer after {:?}", report.duration)?;
    if !report.message.is_empty() {
        bail!("the backend at {endpoint} ({protocol}) answered: {}", report.message);
    }
    Ok(())
}

/// The value without its secrets: of headers only the names stay, of a URL no user and password.
pub(crate) fn redacted(key: &str, value: &str) -> String {
    if key.ends_with("headers") {
        let name = |pair: &str| format!("{}=[redacted]", pair.split_once('=').map_or("", |(name, _)| name.trim()));
        return value.split(',').map(name).collect::<Vec<_>>().join(",");
    }
    let Some((scheme, rest)) = value.split_once("://").filter(|_| key.ends_with("endpoint")) else {
        return value.to_owned();
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    match authority.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://[redacted]@{host}{path}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_show() {
        for (key, value, shown) in [
            ("otlp_headers", "authorization=Basic%20QQ==, x-tenant=a", "authorization=[redacted],x-tenant=[redacted]"),
            ("otlp_traces_headers", "secret", "=[redacted]"),
            ("otlp_endpoint", "http://user:secret@collector:4318/a@b", "http://[redacted]@collector:4318/a@b"),
            ("otlp_endpoint", "http://collector:4318/a@b", "http://collector:4318/a@b"),
            ("service_name", "a=b,c", "a=b,c"),
        ] {
            assert_eq!(redacted(key, value), shown);
        }
    }
}
