//! The settings as types: what cannot work is refused here, before anything starts.

mod duration;
mod receivers;
pub(crate) mod sample;
mod size;

use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use flow_collector::{
    AttributeSet, CollectorConfig, ExporterPolicy, ExtraElements, Filter, SamplingConfig, Schema, SpanTime,
    StreamConfig, StreamProtocol, TlsFiles,
};
use flow_state::TemplateScope;
use ipnet::IpNet;
use otlp_sink::{
    FileCompression, FileConfig, OtlpConfig, Output, Signal, SinkConfig, SpanLimits, SpoolConfig, SpoolFull, SpoolSync,
    StdoutFormat, config::env,
};
use tracing::warn;

pub(crate) use self::receivers::Receivers;
use crate::cli::setting_name;
use crate::elements;
use crate::error::UsageError;
use crate::exporters;
use crate::service;
use crate::settings::Settings;

/// With less, requests would have no room for a large span: an eighth is what one may take.
const MIN_QUEUE_BYTES: usize = 256 << 10;

/// What the pipeline needs to start.
#[derive(Debug)]
pub(crate) struct Config {
    /// Whether it is not to start at all.
    pub(crate) disabled: bool,
    pub(crate) collector: CollectorConfig,
    /// Whether its address is that of host and port, which sockets that are passed take the place of.
    pub(crate) listens_by_default: bool,
    pub(crate) sink: SinkConfig,
    /// Whether spans go to standard output because nothing was configured.
    pub(crate) stdout_by_default: bool,
    pub(crate) metrics: Metrics,
    /// The receiver of the log.
    pub(crate) logs: Option<OtlpConfig>,
    /// All receivers that the program sends to.
    pub(crate) receivers: Receivers,
}

/// Where the program's own metrics go.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Host and port of the HTTP server that Prometheus reads.
    pub(crate) prometheus: Option<(String, u16)>,
    /// The receiver they are sent to.
    pub(crate) otlp: Option<OtlpConfig>,
    /// How many exporters have metrics of their own.
    pub(crate) exporters: usize,
}

impl Config {
    /// Reads the settings. Host names are looked up.
    ///
    /// # Errors
    ///
    /// The first setting that cannot be used, by flag and variable, and what could be.
    pub(crate) fn new(settings: &Settings) -> Result<Self, UsageError> {
        Self::with_receivers(settings, None, None)
    }

    /// The same while the program runs with others, and sends to these receivers.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn beside(settings: &Settings, running: &Receivers) -> Result<Self, UsageError> {
        Self::with_receivers(settings, Some(running), None)
    }

    /// The same of a program that also sends to a receiver that is not of these settings.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub(crate) fn also_to(settings: &Settings, receiver: Option<&OtlpConfig>) -> Result<Self, UsageError> {
        Self::with_receivers(settings, None, receiver)
    }

    fn with_receivers(
        settings: &Settings,
        running: Option<&Receivers>,
        also: Option<&OtlpConfig>,
    ) -> Result<Self, UsageError> {
        let mut collector = CollectorConfig::default();
        (collector.listen, collector.stream) = listen(settings)?;
        collector.exporters = exporters(settings)?;
        if let Some(count) = &settings.workers {
            collector.workers = parse("workers", count, "expected a number, at least 1")?;
        }
        collector.pin_workers = is_true("pin_workers", &settings.pin_workers);
        collector.receive_buffer = size("receive_buffer", &settings.receive_buffer)?;
        collector.state.template_scope = template_scope(&settings.template_scope)?;
        collector.state.memory = size("state_memory", &settings.state_memory)?;
        collector.state_file = settings.state_file.as_ref().map(PathBuf::from);
        if let Some(path) = &settings.elements {
            collector.state.elements = Arc::new(elements::read(Path::new(path))?);
        }
        collector.trace.attributes = attributes(settings)?;
        collector.trace.shape = settings.trace_shape.parse().map_err(|error| of_setting("trace_shape", error))?;
        collector.trace.span_time = span_time(settings)?;
        collector.extra_elements = extra_elements(&settings.attributes_extra)?;
        collector.sampling = settings.sample.as_ref().map(|value| sampling(value)).transpose()?;
        let get = |name: &str| settings.otlp_variable(name);
        let mut sink = SinkConfig::default().with_scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        sink.resource = resource(settings)?;
        limit(settings, &mut sink.limits)?;
        sink.queue_bytes = size("queue_memory", &settings.queue_memory)?;
        if sink.queue_bytes < MIN_QUEUE_BYTES {
            return Err(invalid("queue_memory", &settings.queue_memory, "use 256KiB or more"));
        }
        sink.max_age =
            settings.queue_max_age.as_ref().map(|value| parse_duration("queue_max_age", value)).transpose()?;
        let stdout_by_default = settings.output.is_empty() && !env::has_endpoint(get);
        sink.outputs = match settings.output.as_slice() {
            [] if stdout_by_default => vec![Output::Stdout(StdoutFormat::Auto)],
            [] => vec![otlp_output(settings)?],
            outputs => outputs.iter().map(|output| self::output(settings, output)).collect::<Result<_, _>>()?,
        };
        let (metrics, logs) = (metrics(settings)?, logs(settings)?);
        let mut receivers = running.cloned().unwrap_or_else(|| {
            let telemetry = [metrics.otlp.as_ref(), logs.as_ref(), also];
            receivers(&sink.outputs, telemetry.into_iter().flatten())
        });
        let mut filter = filter(&settings.filter)?;
        if !is_true("keep_own_traffic", &settings.keep_own_traffic) {
            filter = filter.without_connections_to(&receivers.look_up());
        }
        collector.filter = Arc::new(filter);
        let disabled = is_true("sdk_disabled", &settings.sdk_disabled);
        let listens_by_default = settings.listen.is_empty();
        Ok(Self { disabled, collector, listens_by_default, sink, stdout_by_default, metrics, logs, receivers })
    }
}

fn receivers<'a>(outputs: &[Output], others: impl Iterator<Item = &'a OtlpConfig>) -> Receivers {
    let traces = outputs.iter().filter_map(|output| match output {
        Output::Otlp(otlp) => Some(otlp),
        _ => None,
    });
    let all: Vec<_> = traces.flat_map(OtlpConfig::each).chain(others.cloned()).collect();
    Receivers::new(&all)
}

/// The rules of several texts.
///
/// # Errors
///
/// What is wrong, with a caret below the word.
pub(crate) fn filter(texts: &[String]) -> Result<Filter, UsageError> {
    Filter::new(texts.iter().map(String::as_str))
        .map_err(|error| UsageError::new(format!("{}: {error}", setting_name("filter"))))
}

/// The error of a setting whose value cannot be used.
fn invalid(key: &str, value: &str, reason: impl Display) -> UsageError {
    UsageError::new(format!("{}: {value:?}: {reason}", setting_name(key)))
}

/// The error of a setting whose value says itself what is wrong with it.
fn of_setting(key: &str, error: impl Display) -> UsageError {
    UsageError::new(format!("{}: {error}", setting_name(key)))
}

fn parse<T: FromStr>(key: &str, value: &str, expected: &str) -> Result<T, UsageError> {
    value.trim().parse().map_err(|_| invalid(key, value, expected))
}

/// The limits of attributes: those for spans win.
fn limit(settings: &Settings, limits: &mut SpanLimits) -> Result<(), UsageError> {
    const EXPECTED: &str = "expected a number, 0 or more";
    let length = ("attribute_value_length_limit", &settings.attribute_value_length_limit);
    let length_of_spans = ("span_attribute_value_length_limit", &settings.span_attribute_value_length_limit);
    for (key, value) in [length, length_of_spans] {
        if let Some(value) = value {
            limits.attribute_value_length = Some(parse(key, value, EXPECTED)?);
        }
    }
    limits.attribute_count = Some(parse("attribute_count_limit", &settings.attribute_count_limit, EXPECTED)?);
    if let Some(value) = &settings.span_attribute_count_limit {
        limits.attribute_count = Some(parse("span_attribute_count_limit", value, EXPECTED)?);
    }
    Ok(())
}

/// A boolean of the OpenTelemetry specification: whatever is not `true` is false, and said to be where it is not `false`.
pub(crate) fn is_true(key: &str, value: &str) -> bool {
    let value = value.trim();
    let is_true = value.eq_ignore_ascii_case("true");
    if !is_true && !value.eq_ignore_ascii_case("false") {
        warn!(value, "{}: counts as false, use true or false", setting_name(key));
    }
    is_true
}

fn size(key: &str, value: &str) -> Result<usize, UsageError> {
    match size::parse(value) {
        Ok(0) => Err(invalid(key, value, "must not be 0")),
        Ok(bytes) => Ok(bytes),
        Err(expected) => Err(invalid(key, value, expected)),
    }
}

fn parse_duration(key: &str, value: &str) -> Result<Duration, UsageError> {
    match duration::parse(value) {
        Ok(Duration::ZERO) => Err(invalid(key, value, "must not be 0")),
        Ok(duration) => Ok(duration),
        Err(expected) => Err(invalid(key, value, expected)),
    }
}

fn sampling(value: &str) -> Result<SamplingConfig, UsageError> {
    sample::parse(value).map_err(|expected| invalid("sample", value, expected))
}

fn template_scope(value: &str) -> Result<TemplateScope, UsageError> {
    match value.trim() {
        "session" => Ok(TemplateScope::Session),
        "address" => Ok(TemplateScope::Address),
        _ => Err(invalid("template_scope", value, "use session or address")),
    }
}

fn span_time(settings: &Settings) -> Result<SpanTime, UsageError> {
    let max_age = settings.span_time_max_age.as_ref();
    match settings.span_time.trim() {
        "flow" => {
            let max_age = max_age.map(|value| parse_duration("span_time_max_age", value)).transpose()?;
            Ok(SpanTime::Flow { max_age: max_age.unwrap_or(SpanTime::DEFAULT_MAX_AGE) })
        }
        "receive" => match max_age {
            Some(value) => Err(invalid("span_time_max_age", value, "needs --span-time flow")),
            None => Ok(SpanTime::Receive),
        },
        other => Err(invalid("span_time", other, "use receive or flow")),
    }
}

/// The attributes of a schema that the lists leave.
fn attributes(settings: &Settings) -> Result<AttributeSet, UsageError> {
    let schema: Schema = settings.schema.parse().map_err(|error| of_setting("schema", error))?;
    let set = AttributeSet::new(schema)
        .with_allowed(&settings.attributes_allow)
        .map_err(|error| of_setting("attributes_allow", error))?;
    set.with_denied(&settings.attributes_deny).map_err(|error| of_setting("attributes_deny", error))
}

fn extra_elements(values: &[String]) -> Result<Option<ExtraElements>, UsageError> {
    if values.is_empty() {
        return Ok(None);
    }
    let value = values.join(",");
    value.parse().map(Some).map_err(|error| invalid("attributes_extra", &value, error))
}

fn exporters(settings: &Settings) -> Result<ExporterPolicy, UsageError> {
    let networks = |key: &str, values: &[String]| -> Result<Vec<IpNet>, UsageError> {
        let expected = "expected a network such as 10.0.0.0/8 or an address";
        let network = |value: &String| exporters::network(value).ok_or_else(|| invalid(key, value, expected));
        values.iter().map(network).collect()
    };
    let limit = |key: &str, value: &Option<String>| {
        value.as_ref().map(|value| parse(key, value, "expected a number, at least 1")).transpose()
    };
    let mut policy = ExporterPolicy::default();
    policy.allow = networks("allow", &settings.allow)?;
    policy.deny = networks("deny", &settings.deny)?;
    policy.max_exporters = parse("max_exporters", &settings.max_exporters, "expected a number, at least 1")?;
    policy.limits.datagrams = limit("exporter_max_datagrams", &settings.exporter_max_datagrams)?;
    policy.limits.records = limit("exporter_max_records", &settings.exporter_max_records)?;
    if let Some(path) = &settings.config {
        policy.rules = exporters::read(path.as_ref())?;
    }
    Ok(policy)
}

fn listen(settings: &Settings) -> Result<(Vec<SocketAddr>, StreamConfig), UsageError> {
    let mut stream = StreamConfig::default();
    const COUNT: &str = "expected a number, at least 1";
    let count = |key, value| parse::<NonZero<usize>>(key, value, COUNT).map(NonZero::get);
    stream.connections = count("tcp_connections", &settings.tcp_connections)?;
    stream.connections_per_address = count("tcp_connections_per_address", &settings.tcp_connections_per_address)?;
    stream.idle_timeout = parse_duration("tcp_idle_timeout", &settings.tcp_idle_timeout)?;
    let mut udp = Vec::new();
    if settings.listen.is_empty() {
        let port = parse("listen_port", &settings.listen_port, "expected a port, 0 to 65535")?;
        let host = settings.listen_host.trim().trim_start_matches('[').trim_end_matches(']');
        udp.push(resolve("listen_host", &settings.listen_host, (host, port))?);
    }
    for url in &settings.listen {
        match split_url(url) {
            Some((None, address)) => udp.push(resolve("listen", url, address)?),
            Some((Some(protocol), address)) => stream.listen.push((protocol, resolve("listen", url, address)?)),
            None => return Err(invalid("listen", url, "expected udp://HOST:PORT, tcp://HOST or tls://HOST")),
        }
    }
    stream.tls = tls_files(settings, stream.listen.iter().any(|(protocol, _)| *protocol == StreamProtocol::Tls))?;
    Ok((udp, stream))
}

/// What carries the Messages, UDP when none, and `HOST:PORT` of `udp://HOST:PORT`, `tcp://HOST` or `tls://HOST`.
pub(crate) fn split_url(url: &str) -> Option<(Option<StreamProtocol>, String)> {
    let (scheme, address) = url.trim().split_once("://")?;
    let address = address.trim_end_matches('/');
    let protocol = match scheme {
        "udp" => return Some((None, address.to_owned())),
        "tcp" => StreamProtocol::Tcp,
        "tls" => StreamProtocol::Tls,
        _ => return None,
    };
    let has_port = address.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
    let address = if has_port { address.to_owned() } else { format!("{address}:{}", protocol.default_port()) };
    Some((Some(protocol), address))
}

/// The files for TLS, which have to be there when somebody can come by it, and not otherwise.
fn tls_files(settings: &Settings, is_needed: bool) -> Result<Option<TlsFiles>, UsageError> {
    let files = [
        ("tls_certificate", &settings.tls_certificate),
        ("tls_key", &settings.tls_key),
        ("tls_client_ca", &settings.tls_client_ca),
    ];
    if !is_needed && !service::passes_sockets() {
        return match files.into_iter().find_map(|(key, file)| Some((key, file.as_ref()?))) {
            Some((key, file)) => Err(invalid(key, file, "needs an address tls://HOST in --listen")),
            None => Ok(None),
        };
    }
    let (Some(certificate), Some(key)) = (&settings.tls_certificate, &settings.tls_key) else {
        if !is_needed {
            return Ok(None);
        }
        let names = [setting_name("tls_certificate"), setting_name("tls_key")].join(" and ");
        return Err(UsageError::new(format!("to listen at tls://, set {names}")));
    };
    let mut files = TlsFiles::new(certificate, key);
    files.client_authorities = settings.tls_client_ca.as_ref().map(PathBuf::from);
    Ok(Some(files))
}

fn resolve(key: &str, value: &str, address: impl ToSocketAddrs) -> Result<SocketAddr, UsageError> {
    const EXPECTED: &str = "no address of this machine: use one, 0.0.0.0 or [::]";
    match address.to_socket_addrs().map(|mut addresses| addresses.next()) {
        Ok(Some(address)) => Ok(address),
        Ok(None) => Err(invalid(key, value, EXPECTED)),
        Err(error) => Err(invalid(key, value, format!("{EXPECTED} ({error})"))),
    }
}

fn output(settings: &Settings, value: &str) -> Result<Output, UsageError> {
    match value.trim() {
        "otlp" => otlp_output(settings),
        "stdout" => Ok(Output::Stdout(StdoutFormat::Auto)),
        other => match other.strip_prefix("file:") {
            Some(path) if !path.is_empty() => file_output(settings, path),
            _ => Err(invalid("output", value, "use otlp, stdout or file:PATH")),
        },
    }
}

fn file_output(settings: &Settings, path: &str) -> Result<Output, UsageError> {
    let mut file = FileConfig::new(path);
    if let Some(value) = &settings.file_max_bytes {
        file.max_bytes = NonZero::new(size("file_max_bytes", value)? as u64);
    }
    if let Some(value) = &settings.file_max_age {
        file.max_age = Some(parse_duration("file_max_age", value)?);
    }
    if let Some(value) = &settings.file_max_files {
        if file.max_bytes.is_none() && file.max_age.is_none() {
            let reason = "needs --file-max-bytes or --file-max-age, without which no file is renamed";
            return Err(invalid("file_max_files", value, reason));
        }
        file.max_files = Some(parse("file_max_files", value, "expected a number, at least 1")?);
    }
    let compression = settings.file_compression.parse::<FileCompression>();
    file.compression =
        compression.map_err(|error| UsageError::new(format!("{}: {error}", setting_name("file_compression"))))?;
    Ok(Output::File(file))
}

fn otlp_output(settings: &Settings) -> Result<Output, UsageError> {
    let mut config = env::otlp(Signal::Traces, |name| settings.otlp_variable(name)).map_err(invalid_otlp)?;
    config.program = Some(PROGRAM.to_owned());
    config.tls.server_name.clone_from(&settings.otlp.otlp_server_name);
    config.balance = settings
        .otlp
        .otlp_balance
        .parse()
        .map_err(|error| UsageError::new(format!("{}: {error}", setting_name("otlp_balance"))))?;
    config.spool = spool(settings)?;
    Ok(Output::Otlp(config))
}

/// The spool, if there is a directory for it; the other settings have to make sense in any case.
fn spool(settings: &Settings) -> Result<Option<SpoolConfig>, UsageError> {
    let mut spool = SpoolConfig::new(settings.spool_dir.as_deref().unwrap_or_default());
    spool.max_bytes = size("spool_max_bytes", &settings.spool_max_bytes)? as u64;
    spool.sync = match settings.spool_sync.trim() {
        "batch" => SpoolSync::Batch,
        "never" => SpoolSync::Never,
        time => match duration::parse(time) {
            Ok(interval) if !interval.is_zero() => SpoolSync::Interval(interval),
            _ => return Err(invalid("spool_sync", time, "use batch, never or a time such as 1s")),
        },
    };
    spool.when_full = match settings.spool_drop.trim() {
        "oldest" => SpoolFull::DropOldest,
        "newest" => SpoolFull::DropNewest,
        other => return Err(invalid("spool_drop", other, "use oldest or newest")),
    };
    Ok(settings.spool_dir.is_some().then_some(spool))
}

/// The receiver of another signal than traces: that of the general settings, unless `OTEL_EXPORTER_OTLP_METRICS_*`, say, has
/// another. The name in its certificate is that of the settings only where its endpoint is.
fn otlp_of(signal: Signal, settings: &Settings) -> Result<OtlpConfig, UsageError> {
    let variables = if signal == Signal::Logs { "OTEL_EXPORTER_OTLP_LOGS_" } else { "OTEL_EXPORTER_OTLP_METRICS_" };
    let own = |name: &str| std::env::var(name).ok();
    let get = |name: &str| if name.starts_with(variables) { own(name) } else { settings.otlp_variable(name) };
    let mut config = env::otlp(signal, get).map_err(invalid_otlp)?;
    config.program = Some(PROGRAM.to_owned());
    if own(&format!("{variables}ENDPOINT")).is_none_or(|endpoint| endpoint.trim().is_empty()) {
        config.tls.server_name.clone_from(&settings.otlp.otlp_server_name);
    }
    Ok(config)
}

fn invalid_otlp(error: env::EnvError) -> UsageError {
    let key = error.variable.strip_prefix("OTEL_EXPORTER_").unwrap_or(&error.variable).to_ascii_lowercase();
    let has_no_flag = key.contains("_metrics_") || key.contains("_logs_");
    let name = if has_no_flag { error.variable } else { setting_name(&key) };
    UsageError::new(format!("{name}: {}", error.source))
}

/// `OTEL_RESOURCE_ATTRIBUTES`, under the name and version that are set for the service, over their defaults.
fn resource(settings: &Settings) -> Result<Vec<(String, String)>, UsageError> {
    let pairs = settings.resource_attributes.as_deref().unwrap_or_default();
    let pairs = env::key_values(pairs)
        .map_err(|error| UsageError::new(format!("{}: {error}", setting_name("resource_attributes"))))?;
    let mut resource: Vec<(String, String)> = Vec::new();
    let service = [
        ("service.name", &settings.service_name, DEFAULT_SERVICE_NAME),
        ("service.version", &settings.service_version, env!("CARGO_PKG_VERSION")),
    ];
    for (key, value, default) in service {
        let given = pairs.iter().rev().find(|(other, _)| other == key).filter(|_| value == default);
        resource.push((key.to_owned(), given.map_or(value, |(_, value)| value).clone()));
    }
    if !pairs.iter().any(|(key, _)| key == "service.instance.id") {
        resource.push(("service.instance.id".to_owned(), random_uuid()));
    }
    for (key, value) in pairs {
        match resource.iter_mut().find(|(other, _)| *other == key) {
            Some(_) if key == "service.name" || key == "service.version" => {}
            Some((_, old)) => *old = value,
            None => resource.push((key, value)),
        }
    }
    Ok(resource)
}

/// A version 4 UUID (RFC 9562 section 5.4).
fn random_uuid() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// Host and port of the HTTP server, if there is to be one.
pub(crate) fn prometheus(settings: &Settings) -> Result<Option<(String, u16)>, UsageError> {
    if !settings.metrics_exporter.iter().any(|exporter| exporter.trim() == "prometheus") {
        return Ok(None);
    }
    let port = parse("prometheus_port", &settings.prometheus_port, "expected a port, 0 to 65535")?;
    Ok(Some((settings.prometheus_host.clone(), port)))
}

/// Each makes some eleven time series.
const MAX_METRICS_EXPORTERS: usize = 10_000;

fn metrics(settings: &Settings) -> Result<Metrics, UsageError> {
    const EXPORTERS: &str = "expected a number, 0 to 10000";
    let exporters = parse("metrics_exporters", &settings.metrics_exporters, EXPORTERS)?;
    if exporters > MAX_METRICS_EXPORTERS {
        return Err(invalid("metrics_exporters", &settings.metrics_exporters, EXPORTERS));
    }
    let mut metrics = Metrics { prometheus: prometheus(settings)?, otlp: None, exporters };
    for exporter in &settings.metrics_exporter {
        match exporter.trim() {
            "otlp" => metrics.otlp = Some(otlp_of(Signal::Metrics, settings)?),
            "prometheus" | "none" | "" => {}
            _ => return Err(invalid("metrics_exporter", exporter, "use prometheus, otlp or none")),
        }
    }
    Ok(metrics)
}

/// Whether the log is to go over OTLP.
pub(crate) fn has_otlp_logs(settings: &Settings) -> bool {
    settings.logs_exporter.iter().any(|exporter| exporter.trim() == "otlp")
}

fn logs(settings: &Settings) -> Result<Option<OtlpConfig>, UsageError> {
    if let Some(other) = settings.logs_exporter.iter().find(|of| !["otlp", "none", ""].contains(&of.trim())) {
        return Err(invalid("logs_exporter", other, "use otlp or none"));
    }
    has_otlp_logs(settings).then(|| otlp_of(Signal::Logs, settings)).transpose()
}

/// For the `User-Agent`.
pub(crate) const PROGRAM: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

const DEFAULT_SERVICE_NAME: &str = "netflow-to-traces";

#[cfg(test)]
pub(crate) mod tests;
