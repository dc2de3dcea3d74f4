//! Settings of `xdp export` as types.

use std::time::Duration;

use opentelemetry_sdk::metrics::Temporality;
use otlp_sink::config::env::{self, EnvError};
use otlp_sink::{OtlpConfig, Protocol, Signal};

use super::args::{ExportArgs, TemporalityArg};
use crate::config::{PROGRAM, is_true};
use crate::error::UsageError;
use crate::metrics::otlp::temporality;
use crate::settings::Settings;

/// What an export needs.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) interval: Duration,
    /// The receiver, if there is to be one.
    pub(super) otlp: Option<OtlpConfig>,
    /// The receiver as people write it.
    pub(super) endpoint: String,
    pub(super) is_delta: bool,
    pub(super) semconv: bool,
    /// Whether the kernel is to measure programs.
    pub(super) program_stats: bool,
    pub(super) fail_on_missing: bool,
    /// Host and port of the HTTP server that Prometheus reads.
    pub(super) prometheus: Option<(String, u16)>,
    pub(super) namespace: String,
    pub(super) resource: Vec<(String, String)>,
}

impl Config {
    /// `variable` gives those of the environment.
    ///
    /// # Errors
    ///
    /// A setting that cannot be used.
    pub(super) fn new(args: &ExportArgs, variable: impl Fn(&str) -> Option<String>) -> Result<Self, UsageError> {
        let exporters = Exporters::from_variable(&variable)?;
        let otlp = if exporters.otlp || args.otel_endpoint.is_some() {
            otlp(args.otel_endpoint.as_deref(), &variable)?
        } else {
            None
        };
        let endpoint = match (&otlp, &args.otel_endpoint) {
            (None, _) => "none".to_owned(),
            (Some(_), Some(endpoint)) => endpoint.clone(),
            (Some(otlp), None) => shown(otlp),
        };
        Ok(Self {
            interval: args.interval,
            otlp,
            endpoint,
            is_delta: match args.temporality {
                Some(given) => given == TemporalityArg::Delta,
                None => temporality() == Temporality::Delta,
            },
            semconv: args.semconv,
            program_stats: args.program_stats,
            fail_on_missing: args.fail_on_missing,
            prometheus: match args.prometheus_port {
                Some(port) => Some((args.prometheus_host.clone(), port)),
                None if exporters.prometheus => Some(prometheus(args, &variable)?),
                None => None,
            },
            namespace: args.prom_namespace.clone(),
            resource: resource(&variable)?,
        })
    }
}

/// Settings of the pipeline that makes spans of flows: as the environment has them, with the endpoint that was given, the
/// resource of the metrics, and without flows to and from their receiver.
///
/// # Errors
///
/// A setting that cannot be used.
pub(super) fn pipeline(
    args: &ExportArgs,
    config: &Config,
    mut settings: Settings,
) -> Result<crate::config::Config, UsageError> {
    match args.otel_endpoint.as_deref().map(str::trim) {
        Some("none") => {}
        Some(endpoint) => {
            let protocol = |name: &str| settings.otlp_variable(name);
            settings.otlp.otlp_endpoint = Some(with_scheme(endpoint, Signal::Traces, &protocol));
            settings.otlp.otlp_traces_endpoint = None;
        }
        // As for metrics, which go to this machine when nothing else is said.
        None if settings.output.is_empty() => settings.output = vec!["otlp".to_owned()],
        None => {}
    }
    let mut pipeline = crate::config::Config::also_to(&settings, config.otlp.as_ref())?;
    pipeline.sink.resource = config.resource.clone();
    Ok(pipeline)
}

/// Whether `OTEL_SDK_DISABLED` says that there is to be no telemetry.
pub(super) fn is_disabled(variable: impl Fn(&str) -> Option<String>) -> bool {
    let value = not_empty(&variable, "OTEL_SDK_DISABLED");
    value.is_some_and(|value| is_true("sdk_disabled", &value))
}

/// Where metrics go when no option says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exporters {
    otlp: bool,
    prometheus: bool,
}

impl Exporters {
    /// As `OTEL_METRICS_EXPORTER` has it; over OTLP when it is absent.
    fn from_variable(variable: &impl Fn(&str) -> Option<String>) -> Result<Self, UsageError> {
        const VARIABLE: &str = "OTEL_METRICS_EXPORTER";
        let Some(value) = not_empty(variable, VARIABLE) else { return Ok(Self { otlp: true, prometheus: false }) };
        let mut exporters = Self { otlp: false, prometheus: false };
        for exporter in value.split(',') {
            match exporter.trim() {
                "otlp" => exporters.otlp = true,
                "prometheus" => exporters.prometheus = true,
                "none" | "" => {}
                _ => return Err(UsageError::new(format!("{VARIABLE}: {exporter:?}: use prometheus, otlp or none"))),
            }
        }
        Ok(exporters)
    }
}

/// Host and port when only `OTEL_METRICS_EXPORTER` asks for the endpoint.
fn prometheus(args: &ExportArgs, variable: &impl Fn(&str) -> Option<String>) -> Result<(String, u16), UsageError> {
    const PORT: &str = "OTEL_EXPORTER_PROMETHEUS_PORT";
    let host = not_empty(variable, "OTEL_EXPORTER_PROMETHEUS_HOST").unwrap_or_else(|| args.prometheus_host.clone());
    let port = not_empty(variable, PORT).map_or(Ok(DEFAULT_PROMETHEUS_PORT), |port| port.trim().parse());
    Ok((host, port.map_err(|_| UsageError::new(format!("{PORT}: expected a port, 0 to 65535")))?))
}

/// As the specification of OpenTelemetry has it.
const DEFAULT_PROMETHEUS_PORT: u16 = 9464;

/// A variable that is empty is one that is absent.
fn not_empty(variable: &impl Fn(&str) -> Option<String>, name: &str) -> Option<String> {
    variable(name).filter(|value| !value.trim().is_empty())
}

const GENERAL_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// As the variables of OpenTelemetry have it, with the endpoint that was given instead of theirs.
fn otlp(endpoint: Option<&str>, variable: &impl Fn(&str) -> Option<String>) -> Result<Option<OtlpConfig>, UsageError> {
    let endpoint = endpoint.map(str::trim);
    if endpoint == Some("none") {
        return Ok(None);
    }
    let get = |name: &str| match (name, endpoint) {
        (GENERAL_ENDPOINT, Some(endpoint)) => Some(with_scheme(endpoint, Signal::Metrics, variable)),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", Some(_)) => None,
        _ => variable(name),
    };
    let named = |EnvError { variable, source }| match endpoint {
        Some(_) if variable == GENERAL_ENDPOINT => {
            UsageError::new(format!("--otel-endpoint (XDP_OTEL_ENDPOINT): {source}"))
        }
        _ => UsageError::new(format!("{variable}: {source}")),
    };
    let mut config = env::otlp(Signal::Metrics, get).map_err(named)?;
    if !config.more_endpoints.is_empty() {
        return Err(UsageError::new("metrics of XDP have one receiver: give one endpoint"));
    }
    config.program = Some(PROGRAM.to_owned());
    config.tls.server_name = not_empty(variable, "NETFLOW_OTLP_SERVER_NAME");
    Ok(Some(config))
}

/// HTTP has no default for it, and host and port are all that is asked for.
fn with_scheme(endpoint: &str, signal: Signal, variable: &impl Fn(&str) -> Option<String>) -> String {
    let own = if signal == Signal::Metrics {
        "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL"
    } else {
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
    };
    let names = [own, "OTEL_EXPORTER_OTLP_PROTOCOL"];
    let protocol = names.into_iter().find_map(|name| not_empty(variable, name));
    let is_http =
        protocol.is_some_and(|value| value.parse().is_ok_and(|protocol: Protocol| protocol != Protocol::Grpc));
    if is_http && !endpoint.contains("://") { format!("http://{endpoint}") } else { endpoint.to_owned() }
}

/// As `--otel-endpoint` takes it.
fn shown(otlp: &OtlpConfig) -> String {
    let endpoint = otlp.endpoint.to_string();
    let endpoint = if otlp.protocol == Protocol::Grpc { endpoint.trim_end_matches('/') } else { &endpoint };
    endpoint.strip_prefix("http://").filter(|_| otlp.protocol == Protocol::Grpc).unwrap_or(endpoint).to_owned()
}

/// `OTEL_SERVICE_NAME` over `OTEL_RESOURCE_ATTRIBUTES` over what is there by default.
fn resource(variable: &impl Fn(&str) -> Option<String>) -> Result<Vec<(String, String)>, UsageError> {
    let given = env::key_values(&variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default())
        .map_err(|error| UsageError::new(format!("OTEL_RESOURCE_ATTRIBUTES: {error}")))?;
    let mut resource: Vec<(String, String)> = Vec::new();
    let mut set = |key: &str, value: String| match resource.iter_mut().find(|(known, _)| known == key) {
        Some((_, known)) => *known = value,
        None => resource.push((key.to_owned(), value)),
    };
    set("service.name", "xdp-packet-counter".to_owned());
    set("service.version", env!("CARGO_PKG_VERSION").to_owned());
    // One that stays: a restart is no other instance of a counter in the kernel, and would be other series at a backend.
    set("service.instance.id", host_name());
    // The second is the name of the first today. Who sets one of them means both.
    let environments = ["deployment.environment", "deployment.environment.name"];
    let environment = given.iter().rev().find(|(key, _)| environments.contains(&key.as_str()));
    let environment = environment.map_or("demo", |(_, value)| value);
    environments.into_iter().for_each(|key| set(key, environment.to_owned()));
    given.iter().for_each(|(key, value)| set(key, value.clone()));
    if let Some(name) = not_empty(variable, "OTEL_SERVICE_NAME") {
        set("service.name", name);
    }
    Ok(resource)
}

fn host_name() -> String {
    // Not from /proc, which systemd hides from a service with `ProcSubset=pid`.
    let uname = rustix::system::uname();
    let name = uname.nodename().to_string_lossy();
    if name.is_empty() { "localhost".to_owned() } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::tests::settings;

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Arguments {
        #[command(flatten)]
        export: ExportArgs,
    }

    fn config(flags: &[&str], variables: &[(&str, &str)]) -> Result<Config, UsageError> {
        let variable = |name: &str| variables.iter().find(|(of, _)| *of == name).map(|(_, value)| (*value).to_owned());
        Config::new(&Arguments::parse_from(flags).export, variable)
    }

    /// Metrics may go elsewhere than spans; the pushes of both would make flows for ever.
    #[test]
    fn flows_to_both_receivers_are_left_out() {
        let variables = [GENERAL, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "127.0.0.1:4999")];
        let config = config(&[], &variables).unwrap();
        let args = Arguments::parse_from([""; 0]).export;
        let filter = |flags: &[&str]| pipeline(&args, &config, settings(flags)).unwrap().collector.filter.to_string();
        let flags = ["--otlp-endpoint", "http://127.0.0.1:4317"];
        let both = filter(&flags);
        for receiver in ["4317", "4999"] {
            assert_eq!(both.matches(receiver).count(), 2, "{both}");
        }
        assert_eq!(filter(&[&flags[..], &["--keep-own-traffic", "true"]].concat()), "");
        let same = filter(&["--otlp-endpoint", "http://127.0.0.1:4999"]);
        assert_eq!(same.matches("4999").count(), 2, "once, where it is the same: {same}");
    }

    const GENERAL: (&str, &str) = (GENERAL_ENDPOINT, "collector:4317");
    const HTTP: (&str, &str) = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");

    /// X3 and X4 of the contract.
    #[test]
    fn the_endpoint_is_host_and_port_without_tls() {
        for (flags, variables, uri, shown) in [
            (&[][..], &[][..], "http://localhost:4317/", "localhost:4317"),
            (&["--otel-endpoint", "collector:4317"], &[], "http://collector:4317/", "collector:4317"),
            (&["--otel-endpoint", "a:1"], &[GENERAL], "http://a:1/", "a:1"),
            (&["--otel-endpoint", "a:1"], &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "b:2")], "http://a:1/", "a:1"),
            (&["--otel-endpoint", "https://a:1"], &[], "https://a:1/", "https://a:1"),
            (&[], &[GENERAL], "http://collector:4317/", "collector:4317"),
            (&[], &[GENERAL, ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "b:2")], "http://b:2/", "b:2"),
            (&[], &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://a:4317")], "https://a:4317/", "https://a:4317"),
            (&["--otel-endpoint", "a:4318"], &[HTTP], "http://a:4318/v1/metrics", "a:4318"),
            (&[], &[HTTP], "http://localhost:4318/v1/metrics", "http://localhost:4318/v1/metrics"),
        ] {
            let config = config(flags, variables).unwrap();
            let otlp = config.otlp.unwrap();
            assert_eq!((otlp.endpoint.to_string(), otlp.signal), (uri.to_owned(), Signal::Metrics), "{flags:?}");
            assert_eq!(config.endpoint, shown);
        }
        let none = config(&["--otel-endpoint", "none"], &[GENERAL]).unwrap();
        assert!(none.otlp.is_none() && none.endpoint == "none");
    }

    #[test]
    fn what_spans_have_metrics_have() {
        let variables = [
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=x"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "500"),
            ("NETFLOW_OTLP_SERVER_NAME", "collector.example"),
        ];
        let otlp = config(&["--otel-endpoint", "https://a:1"], &variables).unwrap().otlp.unwrap();
        assert_eq!((&otlp.headers["api-key"], otlp.timeout.as_millis()), (&"x".parse().unwrap(), 500));
        assert_eq!(otlp.tls.certificate, Some("/ca.pem".into()));
        assert_eq!(otlp.tls.server_name.as_deref(), Some("collector.example"));
        assert!(otlp.program.is_some());
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (flags, variables, message) in [
            (
                &["--otel-endpoint", "ftp://a"][..],
                &[][..],
                "--otel-endpoint (XDP_OTEL_ENDPOINT): invalid endpoint \"ftp://a\": expected a URL such as \
                 http://localhost:4317",
            ),
            (
                &[],
                &[("OTEL_EXPORTER_OTLP_PROTOCOL", "thrift")],
                "OTEL_EXPORTER_OTLP_PROTOCOL: unknown OTLP protocol \"thrift\": use grpc, http/protobuf or http/json",
            ),
            (&["--otel-endpoint", "a:1,b:1"], &[], "metrics of XDP have one receiver: give one endpoint"),
        ] {
            assert_eq!(config(flags, variables).unwrap_err().to_string(), message);
        }
        let error = config(&[], &[("OTEL_RESOURCE_ATTRIBUTES", "team")]).unwrap_err().to_string();
        assert!(error.starts_with("OTEL_RESOURCE_ATTRIBUTES: "), "{error}");
    }

    /// X6 of the contract.
    #[test]
    fn the_resource_has_defaults() {
        let value = |variables: &[(&str, &str)], key: &str| {
            let resource = config(&[], variables).unwrap().resource;
            let values: Vec<_> = resource.into_iter().filter(|(of, _)| of == key).map(|(_, value)| value).collect();
            assert!(values.len() < 2, "{values:?}");
            values.into_iter().next().unwrap_or_default()
        };
        for (key, expected) in [
            ("service.name", "xdp-packet-counter"),
            ("deployment.environment", "demo"),
            ("deployment.environment.name", "demo"),
        ] {
            assert_eq!(value(&[], key), expected);
        }
        assert_eq!(value(&[], "service.instance.id"), value(&[], "service.instance.id"), "a restart changes nothing");
        let given = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=lab,team=net%20ops");
        let named = [given, ("OTEL_SERVICE_NAME", "b")];
        assert_eq!((value(&[given], "service.name"), value(&named, "service.name")), ("a".into(), "b".into()));
        assert_eq!(
            (value(&[given], "deployment.environment"), value(&[given], "team")),
            ("lab".into(), "net ops".into())
        );
    }

    /// OpenTelemetry, environment variables. An option beats it.
    #[test]
    fn exporters_are_those_of_the_variable() {
        let both = |flags: &[&str], variables: &[(&str, &str)]| {
            let config = config(flags, variables).unwrap();
            (config.endpoint, config.prometheus.map(|(host, port)| format!("{host}:{port}")))
        };
        let of = |value| ("OTEL_METRICS_EXPORTER", value);
        let (local, none) = ("localhost:4317".to_owned(), "none".to_owned());
        let at = |text: &str| Some(text.to_owned());
        for absent in [&[][..], &[of("")], &[of(" otlp ")]] {
            assert_eq!(both(&[], absent), (local.clone(), None), "{absent:?}");
        }
        assert_eq!(both(&[], &[of("none"), GENERAL]), (none.clone(), None));
        assert_eq!(both(&[], &[of("prometheus")]), (none.clone(), at("localhost:9464")));
        assert_eq!(both(&[], &[of("otlp, prometheus")]), (local, at("localhost:9464")));
        let elsewhere =
            [of("prometheus"), ("OTEL_EXPORTER_PROMETHEUS_HOST", "0.0.0.0"), ("OTEL_EXPORTER_PROMETHEUS_PORT", "9000")];
        assert_eq!(both(&[], &elsewhere), (none.clone(), at("0.0.0.0:9000")));
        assert_eq!(both(&["--prometheus-port", "9465"], &elsewhere), (none.clone(), at("localhost:9465")));
        assert_eq!(both(&["--prometheus-port", "9465"], &[of("none")]), (none, at("localhost:9465")));
        assert_eq!(both(&["--otel-endpoint", "a:1"], &[of("none")]), ("a:1".to_owned(), None));
        for (variables, message) in [
            ([of("statsd"), GENERAL], "OTEL_METRICS_EXPORTER: \"statsd\": use prometheus, otlp or none"),
            (
                [of("prometheus"), ("OTEL_EXPORTER_PROMETHEUS_PORT", "x")],
                "OTEL_EXPORTER_PROMETHEUS_PORT: expected a port, 0 to 65535",
            ),
        ] {
            assert_eq!(config(&[], &variables).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn only_true_disables() {
        let is_disabled = |value: &str| is_disabled(|name| (name == "OTEL_SDK_DISABLED").then(|| value.to_owned()));
        assert_eq!(["True", " true ", "1", "false", ""].map(is_disabled), [true, true, false, false, false]);
    }

    #[test]
    fn the_rest_is_as_it_was_asked_for() {
        let config = config(&["--temporality", "delta", "--prometheus-port", "9465", "--semconv"], &[]).unwrap();
        assert!(config.is_delta && config.semconv && !config.fail_on_missing);
        assert_eq!(config.prometheus, Some(("localhost".to_owned(), 9465)));
        assert_eq!((config.interval.as_secs(), &*config.namespace), (5, "xdp"));
    }

    /// Each recipe in docs/xdp.md is a configuration that can work, with the endpoint that it should have.
    #[test]
    fn recipes_are_configurations() {
        let docs = include_str!("../../../../docs/xdp.md");
        let endpoints = docs.split("```env\n").skip(1).map(|block| {
            let lines = block.split("```").next().unwrap().lines();
            let pairs: Vec<_> = lines.map(|line| line.split_once('=').unwrap()).collect();
            let (ours, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name.starts_with("XDP_"));
            let flag = |name: &str| format!("--{}", name.replace("XDP_", "").replace('_', "-").to_ascii_lowercase());
            let flags: Vec<_> = ours.iter().flat_map(|(name, value)| [flag(name), (*value).to_owned()]).collect();
            let config = config(&flags.iter().map(String::as_str).collect::<Vec<_>>(), &others).unwrap();
            let otlp = config.otlp.unwrap();
            let has_secret = otlp.headers_file.is_some() || otlp.tls.client_key.is_some();
            assert!(has_secret, "{block}");
            format!("{} {}, {}", otlp.protocol, otlp.endpoint, if config.is_delta { "delta" } else { "cumulative" })
        });
        assert_eq!(
            endpoints.collect::<Vec<_>>(),
            [
                "grpc https://collector.example:4317/, cumulative",
                "http/protobuf https://otlp.datadoghq.com/v1/metrics, delta",
                "grpc https://otlp.nr-data.net:4317/, delta",
            ]
        );
    }
}
