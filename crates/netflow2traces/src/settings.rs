//! The settings as strings: one struct for flags, environment variables and keys of the configuration file.
//!
//! The name of a field is the key in the file and, with dashes, the flag. Nothing is interpreted here; `config` turns
//! the strings into types once, when a command that needs them starts.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

/// Settings of the pipeline: `collect`, `replay` and `check` take them.
#[derive(Clone, Args, Serialize)]
pub(crate) struct Settings {
    /// TOML file with settings; flags and environment variables win over it
    #[arg(long, env = "NETFLOW_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<String>,

    /// Address or host name to listen on
    #[arg(long, env = "NETFLOW_LISTEN_HOST", value_name = "HOST", default_value = "0.0.0.0")]
    pub(crate) listen_host: String,

    /// UDP port to listen on
    #[arg(long, env = "NETFLOW_LISTEN_PORT", value_name = "PORT", default_value = "2055")]
    pub(crate) listen_port: String,

    /// Addresses to listen on instead of host and port, as udp://HOST:PORT, and for IPFIX tcp://HOST:PORT (4739 when absent)
    /// or tls://HOST:PORT (4740); several with commas or by repeating
    #[arg(long, env = "NETFLOW_LISTEN", value_name = "URL", value_delimiter = ',')]
    pub(crate) listen: Vec<String>,

    /// PEM file with the certificate that is shown to exporters at tls:// addresses, and those between it and an authority
    #[arg(long, env = "NETFLOW_TLS_CERTIFICATE", value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,

    /// PEM file with its key
    #[arg(long, env = "NETFLOW_TLS_KEY", value_name = "FILE")]
    pub(crate) tls_key: Option<String>,

    /// PEM file with the authorities that sign the certificates of exporters, which must show one then; anyone may send
    /// when absent
    #[arg(long, env = "NETFLOW_TLS_CLIENT_CA", value_name = "FILE")]
    pub(crate) tls_client_ca: Option<String>,

    /// Connections at tcp:// and tls:// addresses, over all exporters
    #[arg(long, env = "NETFLOW_TCP_CONNECTIONS", value_name = "COUNT", default_value = "1024")]
    pub(crate) tcp_connections: String,

    /// The same from one address, of IPv6 from one /64
    #[arg(long, env = "NETFLOW_TCP_CONNECTIONS_PER_ADDRESS", value_name = "COUNT", default_value = "64")]
    pub(crate) tcp_connections_per_address: String,

    /// How long a connection may be silent between two Messages, such as `10m` or `1d`
    #[arg(long, env = "NETFLOW_TCP_IDLE_TIMEOUT", value_name = "DURATION", default_value = "1h")]
    pub(crate) tcp_idle_timeout: String,

    /// Networks whose exporters are heard, as CIDR or address; all when absent
    #[arg(long, env = "NETFLOW_ALLOW", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) allow: Vec<String>,

    /// Networks whose exporters are not heard, though they be allowed
    #[arg(long, env = "NETFLOW_DENY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) deny: Vec<String>,

    /// Exporters that are heard at one time; those that sent nothing valid for five minutes give way to others
    #[arg(long, env = "NETFLOW_MAX_EXPORTERS", value_name = "COUNT", default_value = "10000")]
    pub(crate) max_exporters: String,

    /// Datagrams that an exporter may send in a second, others are not read; no limit when absent
    #[arg(long, env = "NETFLOW_EXPORTER_MAX_DATAGRAMS", value_name = "COUNT")]
    pub(crate) exporter_max_datagrams: Option<String>,

    /// Flow records that an exporter may send in a second, others have no span; no limit when absent
    #[arg(long, env = "NETFLOW_EXPORTER_MAX_RECORDS", value_name = "COUNT")]
    pub(crate) exporter_max_records: Option<String>,

    /// Receiving sockets of each udp:// address and their threads, and threads for all connections; one for each processor, at most eight, when absent
    #[arg(long, env = "NETFLOW_WORKERS", value_name = "COUNT")]
    pub(crate) workers: Option<String>,

    /// `true`: each worker stays on one processor, for a machine that does nothing else
    #[arg(long, env = "NETFLOW_PIN_WORKERS", value_name = "BOOLEAN", default_value = "false")]
    pub(crate) pin_workers: String,

    /// Kernel receive buffer of each socket, in bytes
    #[arg(long, env = "NETFLOW_RECEIVE_BUFFER", value_name = "BYTES", default_value = "8MiB")]
    pub(crate) receive_buffer: String,

    /// What IPFIX Templates belong to: `session` (address and port of both ends) or `address` (the exporter's address)
    #[arg(long, env = "NETFLOW_TEMPLATE_SCOPE", value_name = "SCOPE", default_value = "session")]
    pub(crate) template_scope: String,

    /// Limit for what is remembered of all exporters, Templates above all, in bytes; data that waits for its Template has
    /// 8 MiB beside it
    #[arg(long, env = "NETFLOW_STATE_MEMORY", value_name = "BYTES", default_value = "64MiB")]
    pub(crate) state_memory: String,

    /// File that keeps Templates, options data and sequence numbers over a restart: `collect` reads it at the start and
    /// writes it every minute and at the end, `replay` only reads it
    #[arg(long, env = "NETFLOW_STATE_FILE", value_name = "FILE")]
    pub(crate) state_file: Option<String>,

    /// TOML file with names and types of elements that no registry lists
    #[arg(long, env = "NETFLOW_ELEMENTS", value_name = "FILE")]
    pub(crate) elements: Option<String>,

    /// Elements that become attributes `netflow.ie.*` as they are sent: names, numbers PEN:ID, or `all`; several with
    /// commas or by repeating
    #[arg(long, env = "NETFLOW_ATTRIBUTES_EXTRA", value_name = "ELEMENTS", value_delimiter = ',')]
    pub(crate) attributes_extra: Vec<String>,

    /// Flows that become spans, such as `proto tcp and not src net 10.0.0.0/8`, or rules such as `drop dst port 53`; several
    /// with semicolons or by repeating; all flows when absent
    #[arg(long, env = "NETFLOW_FILTER", value_name = "EXPRESSION")]
    pub(crate) filter: Vec<String>,

    /// `true`: flows to and from the receivers of the OTLP endpoints are not left out
    #[arg(long, env = "NETFLOW_KEEP_OWN_TRAFFIC", value_name = "BOOLEAN", default_value = "false")]
    pub(crate) keep_own_traffic: String,

    /// Which flows stand for all: a share (`10%`, `1/100`, `0.01`); `size:BYTES`, so that larger ones are always kept;
    /// `max:SPANS/s`, which makes the share smaller when needed; or several with commas
    #[arg(long, env = "NETFLOW_SAMPLE", value_name = "SAMPLING")]
    pub(crate) sample: Option<String>,

    /// How flows make up traces: `packet`, `conversation`, `flow` or `topology`
    #[arg(long, env = "NETFLOW_TRACE_SHAPE", value_name = "SHAPE", default_value = "packet")]
    pub(crate) trace_shape: String,

    /// Which times spans of flows have: `receive` (of processing) or `flow` (the flow's own)
    #[arg(long, env = "NETFLOW_SPAN_TIME", value_name = "TIME", default_value = "receive")]
    pub(crate) span_time: String,

    /// Age that a flow's own times have at most on its span; 25s when absent
    #[arg(long, env = "NETFLOW_SPAN_TIME_MAX_AGE", value_name = "DURATION")]
    pub(crate) span_time_max_age: Option<String>,

    /// Names of the attributes: `netflow`, `semconv` or `ecs`
    #[arg(long, env = "NETFLOW_SCHEMA", value_name = "SCHEMA", default_value = "netflow")]
    pub(crate) schema: String,

    /// Attributes that spans have, by their names in the schema, with `*` at the end for any rest; all when absent; several
    /// with commas or by repeating
    #[arg(long, env = "NETFLOW_ATTRIBUTES_ALLOW", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) attributes_allow: Vec<String>,

    /// Attributes that spans do not have, whatever is allowed
    #[arg(long, env = "NETFLOW_ATTRIBUTES_DENY", value_name = "NAMES", value_delimiter = ',')]
    pub(crate) attributes_deny: Vec<String>,

    /// Where spans go: `otlp`, `stdout` or `file:PATH`; several with commas or by repeating. When absent: `otlp` if an
    /// endpoint is set, else `stdout`
    #[arg(long, env = "NETFLOW_OUTPUT", value_name = "OUTPUT", value_delimiter = ',')]
    pub(crate) output: Vec<String>,

    /// Bytes at which the file of `file:PATH` is renamed, with the time in its name, and a new one begun; no limit when absent
    #[arg(long, env = "NETFLOW_FILE_MAX_BYTES", value_name = "BYTES")]
    pub(crate) file_max_bytes: Option<String>,

    /// Age at which the same happens, such as `15m`, `24h` or `7d`; no limit when absent
    #[arg(long, env = "NETFLOW_FILE_MAX_AGE", value_name = "DURATION")]
    pub(crate) file_max_age: Option<String>,

    /// How many renamed files stay, older ones are deleted; all when absent
    #[arg(long, env = "NETFLOW_FILE_MAX_FILES", value_name = "COUNT")]
    pub(crate) file_max_files: Option<String>,

    /// Compression of the file of `file:PATH`: `none` or `zstd`
    #[arg(long, env = "NETFLOW_FILE_COMPRESSION", value_name = "COMPRESSION", default_value = "none")]
    pub(crate) file_compression: String,

    /// Limit for encoded spans that wait for the backend, in bytes, at least 256KiB; a request takes an eighth of it at most
    #[arg(long, env = "NETFLOW_QUEUE_MEMORY", value_name = "BYTES", default_value = "32MiB")]
    pub(crate) queue_memory: String,

    /// How long spans may wait for the backend before they are dropped, such as `15m`, `24h` or `7d`; until there is no room
    /// when absent
    #[arg(long, env = "NETFLOW_QUEUE_MAX_AGE", value_name = "DURATION")]
    pub(crate) queue_max_age: Option<String>,

    /// Directory where spans wait that cannot be delivered now, over restarts too; they wait in memory alone when absent
    #[arg(long, env = "NETFLOW_SPOOL_DIR", value_name = "DIRECTORY")]
    pub(crate) spool_dir: Option<String>,

    /// Limit for the files in the spool directory, in bytes; a flow takes 95 to 120
    #[arg(long, env = "NETFLOW_SPOOL_MAX_BYTES", value_name = "BYTES", default_value = "1GiB")]
    pub(crate) spool_max_bytes: String,

    /// When what is in the spool survives a loss of power: `batch` (at once), after a time such as `1s`, or `never`
    #[arg(long, env = "NETFLOW_SPOOL_SYNC", value_name = "WHEN", default_value = "1s")]
    pub(crate) spool_sync: String,

    /// What is dropped when the spool is full: `oldest` or `newest`
    #[arg(long, env = "NETFLOW_SPOOL_DROP", value_name = "WHICH", default_value = "oldest")]
    pub(crate) spool_drop: String,

    /// `true`: nothing is received and nothing exported, neither spans nor metrics
    #[arg(long, env = "OTEL_SDK_DISABLED", value_name = "BOOLEAN", default_value = "false")]
    pub(crate) sdk_disabled: String,

    /// Resource attribute service.name of every span
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME", default_value = "netflow-to-traces")]
    pub(crate) service_name: String,

    /// Resource attribute service.version of every span
    #[arg(long, env = "OTEL_SERVICE_VERSION", value_name = "VERSION", default_value = env!("CARGO_PKG_VERSION"))]
    pub(crate) service_version: String,

    /// More resource attributes, as KEY=VALUE pairs with commas, percent-encoded
    #[arg(long, env = "OTEL_RESOURCE_ATTRIBUTES", value_name = "PAIRS")]
    pub(crate) resource_attributes: Option<String>,

    /// Longest string attribute of a span, in characters; without it, and at most, 4096 bytes
    #[arg(long, env = "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", value_name = "CHARACTERS")]
    pub(crate) attribute_value_length_limit: Option<String>,

    /// Attributes that a span may have; more are left out and counted in it
    #[arg(long, env = "OTEL_ATTRIBUTE_COUNT_LIMIT", value_name = "COUNT", default_value = "128")]
    pub(crate) attribute_count_limit: String,

    /// The same as --attribute-value-length-limit, and wins
    #[arg(long, env = "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", value_name = "CHARACTERS")]
    pub(crate) span_attribute_value_length_limit: Option<String>,

    /// The same as --attribute-count-limit, and wins
    #[arg(long, env = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", value_name = "COUNT")]
    pub(crate) span_attribute_count_limit: Option<String>,

    /// Where the program's own metrics go: `prometheus`, `otlp` or `none`; several with commas or by repeating
    #[arg(
        long,
        env = "OTEL_METRICS_EXPORTER",
        value_name = "EXPORTER",
        value_delimiter = ',',
        default_value = "prometheus"
    )]
    pub(crate) metrics_exporter: Vec<String>,

    /// Exporters that have metrics of their own, 10000 at most, those that have a name first; the others are counted together
    #[arg(long, env = "NETFLOW_METRICS_EXPORTERS", value_name = "COUNT", default_value = "100")]
    pub(crate) metrics_exporters: String,

    /// Where the log of `collect` goes besides stderr: `otlp` or `none`
    #[arg(long, env = "OTEL_LOGS_EXPORTER", value_name = "EXPORTER", value_delimiter = ',', default_value = "none")]
    pub(crate) logs_exporter: Vec<String>,

    /// Host of the Prometheus endpoint
    #[arg(long, env = "OTEL_EXPORTER_PROMETHEUS_HOST", value_name = "HOST", default_value = "localhost")]
    pub(crate) prometheus_host: String,

    /// Port of the Prometheus endpoint
    #[arg(long, env = "OTEL_EXPORTER_PROMETHEUS_PORT", value_name = "PORT", default_value = "9464")]
    pub(crate) prometheus_port: String,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) otlp: OtlpSettings,
}

impl Settings {
    /// Every setting that has a value, by key. A list has its values in order.
    pub(crate) fn values(&self) -> BTreeMap<String, Vec<String>> {
        let Ok(serde_json::Value::Object(settings)) = serde_json::to_value(self) else {
            unreachable!("a struct of strings is an object");
        };
        let strings = |value| match value {
            serde_json::Value::String(text) => vec![text],
            serde_json::Value::Array(items) => {
                items.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        settings
            .into_iter()
            .map(|(key, value)| (key, strings(value)))
            .filter(|(_, values)| !values.is_empty())
            .collect()
    }

    /// The value of an OTLP variable of OpenTelemetry, wherever it was set.
    pub(crate) fn otlp_variable(&self, name: &str) -> Option<String> {
        let key = name.strip_prefix("OTEL_EXPORTER_")?.to_ascii_lowercase();
        self.values().remove(&key)?.pop()
    }
}

/// The OTLP exporter variables of OpenTelemetry, general and for traces; the latter win. One is this program's own.
///
/// They have no default here: absent ones get the defaults of the OpenTelemetry specification.
#[derive(Clone, Args, Serialize)]
#[command(next_help_heading = "OTLP")]
pub(crate) struct OtlpSettings {
    /// Base URL of the backend; https means TLS; several with commas
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,

    /// Which of several backends a request goes to: `failover` (the first that works) or `round-robin`
    #[arg(long, env = "NETFLOW_OTLP_BALANCE", value_name = "BALANCE", default_value = "failover")]
    pub(crate) otlp_balance: String,

    /// `grpc`, `http/protobuf` (or `http`) or `http/json`; grpc when absent
    #[arg(long, env = "OTEL_EXPORTER_OTLP_PROTOCOL", value_name = "PROTOCOL")]
    pub(crate) otlp_protocol: Option<String>,

    /// Headers of every request, as KEY=VALUE pairs with commas, percent-encoded
    #[arg(long, env = "OTEL_EXPORTER_OTLP_HEADERS", value_name = "PAIRS")]
    pub(crate) otlp_headers: Option<String>,

    /// File with headers, a KEY=VALUE on each line, that is read again when it changes; they win
    #[arg(long, env = "OTEL_EXPORTER_OTLP_HEADERS_FILE", value_name = "FILE")]
    pub(crate) otlp_headers_file: Option<String>,

    /// Milliseconds to wait for an answer; 10000 when absent
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TIMEOUT", value_name = "MILLISECONDS")]
    pub(crate) otlp_timeout: Option<String>,

    /// `gzip`, `zstd` or `none`
    #[arg(long, env = "OTEL_EXPORTER_OTLP_COMPRESSION", value_name = "COMPRESSION")]
    pub(crate) otlp_compression: Option<String>,

    /// `false`: TLS for a grpc endpoint without a scheme, which has none otherwise
    #[arg(long, env = "OTEL_EXPORTER_OTLP_INSECURE", value_name = "BOOLEAN")]
    pub(crate) otlp_insecure: Option<String>,

    /// PEM file with the certificates of the authorities to trust, instead of the system's
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CERTIFICATE", value_name = "FILE")]
    pub(crate) otlp_certificate: Option<String>,

    /// PEM file with the key of the client certificate
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CLIENT_KEY", value_name = "FILE")]
    pub(crate) otlp_client_key: Option<String>,

    /// PEM file with the client certificate, for a backend that asks for one
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", value_name = "FILE")]
    pub(crate) otlp_client_certificate: Option<String>,

    /// Name that the backend's certificate must have, instead of the endpoint's host
    #[arg(long, env = "NETFLOW_OTLP_SERVER_NAME", value_name = "NAME")]
    pub(crate) otlp_server_name: Option<String>,

    /// URL for traces, used as it is; several with commas
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_traces_endpoint: Option<String>,

    /// Protocol for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", value_name = "PROTOCOL")]
    pub(crate) otlp_traces_protocol: Option<String>,

    /// Headers of requests with traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_HEADERS", value_name = "PAIRS")]
    pub(crate) otlp_traces_headers: Option<String>,

    /// As --otlp-headers-file, for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE", value_name = "FILE")]
    pub(crate) otlp_traces_headers_file: Option<String>,

    /// Timeout for traces, in milliseconds
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", value_name = "MILLISECONDS")]
    pub(crate) otlp_traces_timeout: Option<String>,

    /// Compression for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", value_name = "COMPRESSION")]
    pub(crate) otlp_traces_compression: Option<String>,

    /// As --otlp-insecure, for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_INSECURE", value_name = "BOOLEAN")]
    pub(crate) otlp_traces_insecure: Option<String>,

    /// As --otlp-certificate, for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", value_name = "FILE")]
    pub(crate) otlp_traces_certificate: Option<String>,

    /// As --otlp-client-key, for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", value_name = "FILE")]
    pub(crate) otlp_traces_client_key: Option<String>,

    /// As --otlp-client-certificate, for traces
    #[arg(long, env = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", value_name = "FILE")]
    pub(crate) otlp_traces_client_certificate: Option<String>,
}

/// How much the program says on stderr; every command takes these.
#[derive(Clone, Args)]
#[command(next_help_heading = "Log")]
pub(crate) struct LogSettings {
    /// DEBUG, INFO, WARNING or ERROR
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "INFO", global = true)]
    pub(crate) log_level: String,

    /// Log levels by module, such as `info,otlp_sink=debug`; wins over the log level
    #[arg(long, env = "RUST_LOG", value_name = "DIRECTIVES", global = true)]
    pub(crate) rust_log: Option<String>,
}
