//! The OTLP exporter variables of the OpenTelemetry specification.
//!
//! Each has a general form (`OTEL_EXPORTER_OTLP_TIMEOUT`) and one for each signal (`OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`) that
//! wins. An empty value counts as not set. The functions are pure: the caller says where values come from.

use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Compression, ConfigError, OtlpConfig, Protocol, Signal, parse_endpoint};

/// A variable with a value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {source}")]
pub struct EnvError {
    /// Name of the variable.
    pub variable: String,
    /// What is wrong with it.
    #[source]
    pub source: ConfigError,
}

/// Whether an endpoint is set for traces, which is what turns OTLP on.
pub fn has_endpoint(get: impl Fn(&str) -> Option<String>) -> bool {
    lookup(&get, Signal::Traces, "ENDPOINT").is_some()
}

/// Reads `OTEL_EXPORTER_OTLP_[TRACES_]ENDPOINT` (`METRICS_`, `LOGS_`), `PROTOCOL`, `HEADERS`, `TIMEOUT` (milliseconds), `COMPRESSION`,
/// `INSECURE`, `CERTIFICATE`, `CLIENT_KEY` and `CLIENT_CERTIFICATE`; and `HEADERS_FILE`, which the specification does not have
/// ([`OtlpConfig::headers_file`]).
///
/// Without an endpoint it is the default one of the protocol; without a protocol that is gRPC. Over HTTP, `v1/traces`
/// and the like is appended to the path of the general endpoint, and the endpoint for the signal is used as it is. Several
/// endpoints, separated by commas, are [`OtlpConfig::more_endpoints`], which the specification does not have either. An
/// endpoint for gRPC without a scheme is `http` unless `INSECURE` is `false`; the specification would have it `https` unless
/// that is `true`.
///
/// ```
/// let get = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "collector:4317".to_owned());
/// let config = otlp_sink::config::env::otlp(otlp_sink::Signal::Traces, get)?;
/// assert_eq!(config.endpoint, "http://collector:4317/");
/// # Ok::<(), otlp_sink::config::env::EnvError>(())
/// ```
///
/// # Errors
///
/// The first variable that cannot be used.
pub fn otlp(signal: Signal, get: impl Fn(&str) -> Option<String>) -> Result<OtlpConfig, EnvError> {
    let lookup = |suffix| lookup(&get, signal, suffix);
    let protocol = parsed(lookup("PROTOCOL"), str::parse::<Protocol>)?.unwrap_or_default();
    let insecure = parsed(lookup("INSECURE"), boolean)?.unwrap_or(true);
    let default =
        || Variable { name: "OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), value: protocol.default_base().to_owned() };
    let Variable { name, value } = lookup("ENDPOINT").unwrap_or_else(default);
    let mut endpoints = Vec::new();
    for url in value.split(',').map(str::trim).filter(|url| !url.is_empty()) {
        let mut url = url.to_owned();
        if protocol == Protocol::Grpc && !insecure && !url.contains("://") {
            url.insert_str(0, "https://");
        }
        let parse =
            |url: &str| parse_endpoint(protocol, url).map_err(|source| EnvError { variable: name.clone(), source });
        let as_it_is = parse(&url)?;
        let is_whole = protocol == Protocol::Grpc || name.contains(signal.variable());
        endpoints.push(if is_whole { as_it_is } else { parse(&with_path(&url, signal))? });
    }
    let mut endpoints = endpoints.into_iter();
    let Some(endpoint) = endpoints.next() else {
        return Err(EnvError { variable: name, source: ConfigError::Endpoint(value) });
    };
    let mut config = OtlpConfig::at(protocol, endpoint);
    config.more_endpoints = endpoints.collect();
    config.signal = signal;
    if let Some(headers) = parsed(lookup("HEADERS"), headers)? {
        config.headers = headers;
    }
    if let Some(timeout) = parsed(lookup("TIMEOUT"), timeout)? {
        config.timeout = timeout;
    }
    if let Some(compression) = parsed(lookup("COMPRESSION"), str::parse::<Compression>)? {
        config.compression = compression;
    }
    let file = |suffix| lookup(suffix).map(|variable| PathBuf::from(variable.value));
    config.headers_file = file("HEADERS_FILE");
    config.tls.certificate = file("CERTIFICATE");
    config.tls.client_key = file("CLIENT_KEY");
    config.tls.client_certificate = file("CLIENT_CERTIFICATE");
    Ok(config)
}

/// Reads a list as in `OTEL_RESOURCE_ATTRIBUTES`: `key=value`, separated by commas, percent-encoded (W3C Baggage).
///
/// # Errors
///
/// [`ConfigError::KeyValue`] for an entry without `=`, without a key or with an invalid escape.
pub fn key_values(text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(key_value).collect()
}

/// Reads a list of headers as in `OTEL_EXPORTER_OTLP_HEADERS`. Values are marked sensitive.
///
/// # Errors
///
/// [`ConfigError::KeyValue`] for an entry that is no header.
pub fn headers(text: &str) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (key, value) in key_values(text)? {
        let name = HeaderName::from_bytes(key.as_bytes());
        let (Ok(name), Ok(mut value)) = (name, HeaderValue::from_str(&value)) else {
            return Err(ConfigError::KeyValue(key));
        };
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

struct Variable {
    name: String,
    value: String,
}

fn lookup(get: &impl Fn(&str) -> Option<String>, signal: Signal, suffix: &str) -> Option<Variable> {
    [format!("{}_", signal.variable()), String::new()].into_iter().find_map(|of_signal| {
        let name = format!("OTEL_EXPORTER_OTLP_{of_signal}{suffix}");
        let value = get(&name).filter(|value| !value.trim().is_empty())?;
        Some(Variable { name, value })
    })
}

fn parsed<T>(
    variable: Option<Variable>,
    parse: impl Fn(&str) -> Result<T, ConfigError>,
) -> Result<Option<T>, EnvError> {
    let Some(Variable { name, value }) = variable else { return Ok(None) };
    parse(&value).map(Some).map_err(|source| EnvError { variable: name, source })
}

/// The URL for a signal below a general endpoint.
fn with_path(endpoint: &str, signal: Signal) -> String {
    let endpoint = endpoint.trim();
    let (path, query) = match endpoint.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (endpoint, None),
    };
    let mut url = format!("{}{}", path.trim_end_matches('/'), signal.http_path());
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

fn boolean(text: &str) -> Result<bool, ConfigError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ConfigError::Boolean(text.to_owned())),
    }
}

fn timeout(text: &str) -> Result<Duration, ConfigError> {
    match text.trim().parse() {
        Ok(milliseconds @ 1..) => Ok(Duration::from_millis(milliseconds)),
        _ => Err(ConfigError::Timeout(text.to_owned())),
    }
}

fn key_value(entry: &str) -> Result<(String, String), ConfigError> {
    let (key, value) = entry.split_once('=').ok_or_else(|| ConfigError::KeyValue("...".to_owned()))?;
    let invalid = || ConfigError::KeyValue(key.trim().to_owned());
    let decoded_key = percent_decode(key.trim()).filter(|key| !key.is_empty()).ok_or_else(invalid)?;
    // What follows a semicolon is Baggage metadata, which neither headers nor resources have: it is part of the value.
    let value = percent_decode(value.trim()).ok_or_else(invalid)?;
    Ok((decoded_key, value))
}

/// `None` when an escape is not two hexadecimal digits or the result is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split('%');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<OtlpConfig, EnvError> {
        otlp(Signal::Traces, |name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn error(variables: &[(&str, &str)]) -> String {
        config(variables).unwrap_err().to_string()
    }

    const GENERAL: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
    const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
    const HTTP: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");

    /// The specification's examples, "Endpoint URLs for OTLP/HTTP", and their neighbours.
    #[test]
    fn http_endpoints_follow_the_path_rules() {
        for (variables, expected) in [
            (&[(GENERAL, "http://collector:4318")][..], "http://collector:4318/v1/traces"),
            (&[(GENERAL, "http://collector:4318/")], "http://collector:4318/v1/traces"),
            (&[(GENERAL, "http://collector:4318/mycollector/")], "http://collector:4318/mycollector/v1/traces"),
            (&[(GENERAL, "http://collector:4318/mycollector")], "http://collector:4318/mycollector/v1/traces"),
            (
                &[(GENERAL, "http://collector:4318"), (TRACES, "http://traces.example.com/v1/traces")],
                "http://traces.example.com/v1/traces",
            ),
            (
                &[
                    (GENERAL, "http://collector:4318"),
                    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://collector.example.com/v1/metrics"),
                ],
                "http://collector:4318/v1/traces",
            ),
            (&[(TRACES, "http://collector:4318")], "http://collector:4318/"),
            (&[(TRACES, "http://collector:4318/mytraces/")], "http://collector:4318/mytraces/"),
            (&[(GENERAL, "https://otlp-gateway.example.net/otlp")], "https://otlp-gateway.example.net/otlp/v1/traces"),
            (&[(GENERAL, "")], "http://localhost:4318/v1/traces"),
            (&[], "http://localhost:4318/v1/traces"),
        ] {
            let mut variables = variables.to_vec();
            variables.push(HTTP);
            assert_eq!(config(&variables).unwrap().endpoint.to_string(), expected, "{variables:?}");
        }
    }

    /// Metrics have variables and a path of their own.
    #[test]
    fn metrics_follow_the_same_rules() {
        let metrics = |variables: &[(&str, &str)]| {
            let config = otlp(Signal::Metrics, |name| {
                variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            });
            let config = config.unwrap();
            assert_eq!(config.signal, Signal::Metrics);
            config.endpoint.to_string()
        };
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://metrics.example.com/write");
        assert_eq!(metrics(&[HTTP]), "http://localhost:4318/v1/metrics");
        assert_eq!(metrics(&[]), "http://localhost:4317/");
        assert_eq!(metrics(&[HTTP, (GENERAL, "http://collector:4318/a")]), "http://collector:4318/a/v1/metrics");
        assert_eq!(metrics(&[HTTP, (TRACES, "http://traces:4318"), own]), "https://metrics.example.com/write");
        assert_eq!(metrics(&[HTTP, (TRACES, "http://traces:4318")]), "http://localhost:4318/v1/metrics");
    }

    const INSECURE: (&str, &str) = ("OTEL_EXPORTER_OTLP_INSECURE", "false");

    #[test]
    fn files_for_tls_are_those_for_traces_or_the_general_ones() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/traces-ca.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/client.pem"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/client.key"),
            ("OTEL_EXPORTER_OTLP_HEADERS_FILE", "/token"),
        ];
        assert_eq!(config(&variables).unwrap().headers_file, Some(PathBuf::from("/token")));
        let tls = config(&variables).unwrap().tls;
        let expected = ["/traces-ca.pem", "/client.pem", "/client.key"].map(|path| Some(PathBuf::from(path)));
        assert_eq!([tls.certificate, tls.client_certificate, tls.client_key], expected);
        assert_eq!(
            error(&[("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "yes")]).split(": ").nth(1),
            Some("invalid value \"yes\"")
        );
    }

    #[test]
    fn grpc_endpoints_need_no_scheme_and_get_no_path() {
        for (variables, expected) in [
            (&[][..], "http://localhost:4317/"),
            (&[(GENERAL, "collector:4317")], "http://collector:4317/"),
            (&[(GENERAL, "http://collector:4317")], "http://collector:4317/"),
            (&[(GENERAL, "10.0.0.1:4317"), (TRACES, "[::1]:4317")], "http://[::1]:4317/"),
            (&[(GENERAL, "https://collector:4317")], "https://collector:4317/"),
            (&[(GENERAL, "collector:4317"), INSECURE], "https://collector:4317/"),
            (&[(GENERAL, "http://collector:4317"), INSECURE], "http://collector:4317/"),
        ] {
            assert_eq!(config(variables).unwrap().endpoint.to_string(), expected, "{variables:?}");
        }
    }

    #[test]
    fn endpoints_may_be_several() {
        let endpoints = |variables: &[(&str, &str)]| {
            let config = config(variables)?;
            Ok(config.each().map(|config| config.endpoint.to_string()).collect::<Vec<_>>().join(" "))
        };
        assert_eq!(endpoints(&[(GENERAL, "a:1, https://b:2,")]).unwrap(), "http://a:1/ https://b:2/");
        let variables = [(GENERAL, "http://a/otlp,http://b"), HTTP];
        assert_eq!(endpoints(&variables).unwrap(), "http://a/otlp/v1/traces http://b/v1/traces");
        let error: Result<String, EnvError> = endpoints(&[(GENERAL, "a:1,ftp://b")]);
        assert_eq!(error.unwrap_err().source, ConfigError::Endpoint("ftp://b".to_owned()));
        assert_eq!(error_of(&[(GENERAL, " , ")]), ConfigError::Endpoint(" , ".to_owned()));
    }

    fn error_of(variables: &[(&str, &str)]) -> ConfigError {
        config(variables).unwrap_err().source
    }

    #[test]
    fn unusable_endpoints_are_refused_with_the_variable() {
        assert_eq!(
            error(&[(TRACES, "collector:4318/v1/traces"), HTTP]),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: invalid endpoint \"collector:4318/v1/traces\": \
             expected a URL such as http://localhost:4317"
        );
        for endpoint in ["http://user:secret@collector:4317", "user@collector:4317"] {
            let error = error(&[(GENERAL, endpoint)]);
            assert!(error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: ") && !error.contains("secret"), "{error}");
        }
        for endpoint in ["ftp://collector", "http://", "http://a b", "unix:///run/otlp.sock"] {
            assert!(
                matches!(config(&[(GENERAL, endpoint)]).unwrap_err().source, ConfigError::Endpoint(_)),
                "{endpoint}"
            );
        }
    }

    #[test]
    fn protocol_has_three_names_and_an_alias() {
        for (name, expected) in [
            ("grpc", Protocol::Grpc),
            ("http/protobuf", Protocol::HttpProtobuf),
            ("http", Protocol::HttpProtobuf),
            ("http/json", Protocol::HttpJson),
        ] {
            assert_eq!(config(&[(HTTP.0, name)]).unwrap().protocol, expected);
        }
        assert_eq!(config(&[HTTP, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")]).unwrap().protocol, Protocol::Grpc);
        assert_eq!(
            error(&[(HTTP.0, "zipkin")]),
            "OTEL_EXPORTER_OTLP_PROTOCOL: unknown OTLP protocol \"zipkin\": use grpc, http/protobuf or http/json"
        );
    }

    #[test]
    fn headers_are_percent_decoded_and_secret() {
        let headers_variable = ("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Basic%20QUJD==, x-tenant = a%2Cb,");
        let config = config(&[headers_variable]).unwrap();
        assert_eq!(config.headers["authorization"], "Basic QUJD==");
        assert_eq!(config.headers["x-tenant"], "a,b");
        let shown = format!("{config:?}");
        assert!(shown.contains("authorization") && !shown.contains("QUJD"), "{shown}");
    }

    #[test]
    fn a_broken_header_is_named_without_its_value() {
        for (list, key) in
            [("api-key=%zz", "api-key"), ("key name=secret", "key name"), ("a=b\n", "a"), ("=secret", "")]
        {
            let result = headers(&list.replace('\n', "%0a"));
            assert_eq!(result, Err(ConfigError::KeyValue(key.to_owned())), "{list}");
        }
        assert_eq!(headers("secret"), Err(ConfigError::KeyValue("...".to_owned())));
    }

    #[test]
    fn timeout_is_positive_milliseconds() {
        let timeout = |value| config(&[("OTEL_EXPORTER_OTLP_TIMEOUT", value)]);
        assert_eq!(timeout("2500").unwrap().timeout, Duration::from_millis(2500));
        assert_eq!(config(&[]).unwrap().timeout, Duration::from_secs(10));
        for value in ["0", "-1", "10s", "1.5"] {
            assert_eq!(timeout(value).unwrap_err().source, ConfigError::Timeout(value.to_owned()));
        }
    }

    #[test]
    fn compression_is_gzip_zstd_or_none() {
        let compression = |value| config(&[("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value)]);
        assert_eq!(compression("gzip").unwrap().compression, Compression::Gzip);
        assert_eq!(compression("zstd").unwrap().compression, Compression::Zstd);
        assert_eq!(compression("none").unwrap().compression, Compression::None);
        assert_eq!(compression("lz4").unwrap_err().source, ConfigError::Compression("lz4".to_owned()));
    }

    #[test]
    fn resource_attributes_are_a_baggage_list() {
        let attributes = key_values("deployment.environment.name=lab,team=net%20ops , empty=,path=a=b").unwrap();
        let expected = [("deployment.environment.name", "lab"), ("team", "net ops"), ("empty", ""), ("path", "a=b")];
        assert_eq!(attributes, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert_eq!(key_values(""), Ok(Vec::new()));
        assert!(key_values("a=b,c").is_err());
        assert!(key_values("a=%F0%9F").is_err());
    }
}
