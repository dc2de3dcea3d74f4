//! The configuration file: the same settings as flags and environment, in TOML.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use clap::{Args, Command};
use toml::{Table, Value};

use crate::error::UsageError;
use crate::exporters;
use crate::settings::{LogSettings, Settings};

/// Settings of which the file may give the pairs as a table.
const PAIRS: [&str; 3] = ["otlp_headers", "otlp_traces_headers", "resource_attributes"];
/// Settings of which the file may give the values as an array.
const LISTS: [&str; 9] = [
    "allow",
    "attributes_allow",
    "attributes_deny",
    "attributes_extra",
    "deny",
    "listen",
    "logs_exporter",
    "metrics_exporter",
    "output",
];
/// Of these the texts may hold commas of their own.
const TEXTS: [&str; 1] = ["filter"];

/// The values of a configuration file by key, as strings.
#[derive(Debug, Default)]
pub(crate) struct FileSettings(BTreeMap<String, Vec<String>>);

impl FileSettings {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is not TOML, a key that is no setting, a value of a type that the setting does not
    /// take. All are usage errors and name the file.
    pub(crate) fn read(path: &Path) -> Result<Self, UsageError> {
        Self::parse(&text(path)?).map_err(|what| unusable(path, what))
    }

    /// The values of a key, if the file has it.
    pub(crate) fn values(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(Vec::as_slice)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let table: Table = text.parse().map_err(|error| located(text, &error))?;
        let settings = LogSettings::augment_args(Settings::augment_args(Command::new("settings")));
        let mut values = BTreeMap::new();
        for (key, value) in table.into_iter().filter(|(key, _)| key != exporters::KEY) {
            // A file that names another file would need rules of its own.
            if key == "config" || !settings.get_arguments().any(|arg| arg.get_id() == key.as_str()) {
                return Err(format!("unknown setting `{key}`; keys are named as the options, with underscores"));
            }
            let strings = strings(&key, value).map_err(|expected| format!("setting `{key}` must be {expected}"))?;
            values.insert(key, strings);
        }
        Ok(Self(values))
    }
}

/// The text of a configuration file.
pub(crate) fn text(path: &Path) -> Result<String, UsageError> {
    fs::read_to_string(path).map_err(|error| unusable(path, error.to_string()))
}

/// What is wrong with a configuration file.
pub(crate) fn unusable(path: &Path, what: String) -> UsageError {
    UsageError::new(format!("configuration file {}: {what}", path.display()))
}

/// An error of TOML with its line.
pub(crate) fn located(text: &str, error: &toml::de::Error) -> String {
    format!("line {}: {}", error.span().map_or(1, |span| line(text, span.start)), error.message())
}

/// The number of the line with this byte.
pub(crate) fn line(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or(text).matches('\n').count()
}

fn strings(key: &str, value: Value) -> Result<Vec<String>, &'static str> {
    let has_commas = TEXTS.contains(&key);
    let is_list = has_commas || LISTS.contains(&key);
    match value {
        Value::Array(items) if is_list => {
            items.into_iter().map(scalar).collect::<Option<Vec<_>>>().ok_or("an array of strings")
        }
        Value::Table(pairs) if PAIRS.contains(&key) => {
            let pair = |(key, value): (String, Value)| Some(format!("{}={}", encode(&key), encode(&scalar(value)?)));
            let pairs = pairs.into_iter().map(pair).collect::<Option<Vec<_>>>().ok_or("a table of strings")?;
            Ok(vec![pairs.join(",")])
        }
        value => {
            let text = scalar(value).ok_or(if is_list { "a string or an array of strings" } else { "one value" })?;
            Ok(if is_list && !has_commas { text.split(',').map(str::to_owned).collect() } else { vec![text] })
        }
    }
}

fn scalar(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Boolean(yes) => Some(yes.to_string()),
        _ => None,
    }
}

/// Percent-encodes what separates pairs, so that a table can hold any value.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '%' | ',' | '=' | ';' | ' ' => encoded.push_str(&format!("%{:02x}", u32::from(char))),
            _ => encoded.push(char),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be several with commas on the command line may be an array in a file.
    #[test]
    fn lists_are_those_of_the_command_line() {
        let settings = LogSettings::augment_args(Settings::augment_args(Command::new("settings")));
        let mut lists: Vec<_> = settings.get_arguments().filter(|arg| arg.get_value_delimiter() == Some(',')).collect();
        lists.sort_by_key(|arg| arg.get_id());
        assert_eq!(lists.iter().map(|arg| arg.get_id().as_str()).collect::<Vec<_>>(), LISTS);
    }

    #[test]
    fn values_become_strings() {
        let file = FileSettings::parse(
            "listen_port = 9995\n\
             service_name = \"lab\"\n\
             output = [\"otlp\", \"file:/var/flows.jsonl\"]\n\
             allow = \"10.0.0.0/8,192.0.2.1\"\n\
             metrics_exporter = [\"otlp\", \"prometheus\"]\n\
             [otlp_headers]\n\
             authorization = \"Basic a=,b\"\n",
        )
        .unwrap();
        assert_eq!(file.values("listen_port").unwrap(), ["9995"]);
        assert_eq!(file.values("service_name").unwrap(), ["lab"]);
        assert_eq!(file.values("output").unwrap(), ["otlp", "file:/var/flows.jsonl"]);
        assert_eq!(file.values("allow").unwrap(), ["10.0.0.0/8", "192.0.2.1"]);
        assert_eq!(file.values("metrics_exporter").unwrap(), ["otlp", "prometheus"]);
        assert_eq!(file.values("otlp_headers").unwrap(), ["authorization=Basic%20a%3d%2cb"]);
        assert_eq!(file.values("listen_host"), None);
    }

    #[test]
    fn what_is_no_setting_is_named() {
        for (text, message) in [
            ("lissen_port = 1", "unknown setting `lissen_port`; keys are named as the options, with underscores"),
            ("config = 'other.toml'", "unknown setting `config`; keys are named as the options, with underscores"),
            ("listen_port = [1, 2]", "setting `listen_port` must be one value"),
            ("listen_port = { a = 1 }", "setting `listen_port` must be one value"),
            ("output = { a = 1 }", "setting `output` must be a string or an array of strings"),
            ("output = [[1]]", "setting `output` must be an array of strings"),
            ("otlp_headers = { a = [1] }", "setting `otlp_headers` must be a table of strings"),
        ] {
            assert_eq!(FileSettings::parse(text).unwrap_err(), message);
        }
    }

    #[test]
    fn broken_toml_is_located() {
        let error = FileSettings::parse("listen_port = 1\nlisten_host = \n").unwrap_err();
        assert!(error.starts_with("line 2: "), "{error}");
    }
}
