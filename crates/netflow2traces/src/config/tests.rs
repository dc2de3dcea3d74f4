use clap::{Args, Command, CommandFactory, FromArgMatches};

use super::*;
use crate::cli::Cli;
use crate::settings::LogSettings;

/// Settings from flags alone, whatever the environment of the test run holds.
pub(crate) fn settings(flags: &[&str]) -> Settings {
    let command = Settings::augment_args(Command::new("test").no_binary_name(true))
        .mut_args(|arg| arg.env(clap::builder::Resettable::<clap::builder::OsStr>::Reset));
    Settings::from_arg_matches(&command.try_get_matches_from(flags).unwrap()).unwrap()
}

pub(crate) fn config(flags: &[&str]) -> Config {
    Config::new(&settings(flags)).unwrap()
}

fn error(flags: &[&str]) -> String {
    Config::new(&settings(flags)).unwrap_err().to_string()
}

#[test]
fn defaults_are_those_of_the_libraries() {
    let config = config(&[]);
    let library = CollectorConfig::default();
    assert_eq!(config.collector.listen, library.listen);
    assert_eq!(config.collector.workers, library.workers);
    assert_eq!(config.collector.receive_buffer, library.receive_buffer);
    assert_eq!(config.collector.exporters, library.exporters);
    assert_eq!(config.collector.trace, library.trace);
    assert_eq!(config.collector.sampling, library.sampling);
    assert_eq!(config.collector.state.memory, library.state.memory);
    assert_eq!(config.collector.state_file, library.state_file);
    assert_eq!(config.collector.state.template_scope, library.state.template_scope);
    assert_eq!(config.sink.queue_bytes, SinkConfig::default().queue_bytes);
    assert_eq!(config.sink.limits, SpanLimits::default());
    assert!(config.stdout_by_default && matches!(config.sink.outputs[..], [Output::Stdout(StdoutFormat::Auto)]));
    assert_eq!(config.metrics.prometheus, Some(("localhost".to_owned(), 9464)));
    assert!(config.metrics.otlp.is_none());
    assert_eq!(settings(&[]).service_name, DEFAULT_SERVICE_NAME);
}

#[test]
fn protocols_have_their_own_ports() {
    let listen = "udp://127.0.0.1:2055,tcp://127.0.0.1,tls://[::1]/,tcp://[::]:1";
    let files = ["--tls-certificate", "server.pem", "--tls-key", "server.key", "--tls-client-ca", "ca.pem"];
    let collector = config(&[&["--listen", listen][..], &files].concat()).collector;
    assert_eq!(collector.listen, ["127.0.0.1:2055".parse().unwrap()]);
    let expected =
        [(StreamProtocol::Tcp, "127.0.0.1:4739"), (StreamProtocol::Tls, "[::1]:4740"), (StreamProtocol::Tcp, "[::]:1")];
    assert_eq!(collector.stream.listen, expected.map(|(protocol, address)| (protocol, address.parse().unwrap())));
    let files = collector.stream.tls.unwrap();
    assert_eq!((files.certificate, files.key), ("server.pem".into(), "server.key".into()));
    assert_eq!(files.client_authorities, Some("ca.pem".into()));
    let (default, unset) = (StreamConfig::default(), config(&[]).collector.stream);
    assert_eq!(
        (unset.connections, unset.connections_per_address),
        (default.connections, default.connections_per_address)
    );
    assert_eq!((unset.idle_timeout, unset.listen), (default.idle_timeout, default.listen));
}

#[test]
fn every_bad_value_names_its_setting_and_a_good_one() {
    for (flags, message) in [
        (
            &["--listen-port", "65536"][..],
            "--listen-port (NETFLOW_LISTEN_PORT): \"65536\": expected a port, 0 to 65535",
        ),
        (
            &["--listen", "0.0.0.0:2055"],
            "--listen (NETFLOW_LISTEN): \"0.0.0.0:2055\": expected udp://HOST:PORT, tcp://HOST or tls://HOST",
        ),
        (
            &["--listen", "udp://127.0.0.1"],
            "--listen (NETFLOW_LISTEN): \"udp://127.0.0.1\": no address of this machine: use one, 0.0.0.0 or [::] (invalid socket address)",
        ),
        (
            &["--listen", "sctp://127.0.0.1"],
            "--listen (NETFLOW_LISTEN): \"sctp://127.0.0.1\": expected udp://HOST:PORT, tcp://HOST or tls://HOST",
        ),
        (
            &["--listen", "tls://127.0.0.1", "--tls-key", "key.pem"],
            "to listen at tls://, set --tls-certificate (NETFLOW_TLS_CERTIFICATE) and --tls-key (NETFLOW_TLS_KEY)",
        ),
        (
            &["--listen", "tcp://127.0.0.1", "--tls-client-ca", "ca.pem"],
            "--tls-client-ca (NETFLOW_TLS_CLIENT_CA): \"ca.pem\": needs an address tls://HOST in --listen",
        ),
        (
            &["--tcp-connections", "0"],
            "--tcp-connections (NETFLOW_TCP_CONNECTIONS): \"0\": expected a number, at least 1",
        ),
        (&["--tcp-idle-timeout", "0s"], "--tcp-idle-timeout (NETFLOW_TCP_IDLE_TIMEOUT): \"0s\": must not be 0"),
        (&["--workers", "0"], "--workers (NETFLOW_WORKERS): \"0\": expected a number, at least 1"),
        (
            &["--allow", "10.0.0.0/8,example"],
            "--allow (NETFLOW_ALLOW): \"example\": expected a network such as 10.0.0.0/8 or an address",
        ),
        (
            &["--deny", "10.0.0.0/99"],
            "--deny (NETFLOW_DENY): \"10.0.0.0/99\": expected a network such as 10.0.0.0/8 or an address",
        ),
        (
            &["--exporter-max-records", "0"],
            "--exporter-max-records (NETFLOW_EXPORTER_MAX_RECORDS): \"0\": expected a number, at least 1",
        ),
        (
            &["--state-memory", "lots"],
            "--state-memory (NETFLOW_STATE_MEMORY): \"lots\": expected a number of bytes such as 67108864, 64M or 64MiB",
        ),
        (&["--queue-memory", "0"], "--queue-memory (NETFLOW_QUEUE_MEMORY): \"0\": must not be 0"),
        (&["--queue-memory", "255KiB"], "--queue-memory (NETFLOW_QUEUE_MEMORY): \"255KiB\": use 256KiB or more"),
        (
            &["--output", "otlp", "--spool-sync", "often"],
            "--spool-sync (NETFLOW_SPOOL_SYNC): \"often\": use batch, never or a time such as 1s",
        ),
        (
            &["--output", "otlp", "--spool-drop", "all"],
            "--spool-drop (NETFLOW_SPOOL_DROP): \"all\": use oldest or newest",
        ),
        (
            &["--output", "otlp", "--otlp-balance", "random"],
            "--otlp-balance (NETFLOW_OTLP_BALANCE): unknown balance \"random\": use failover or round-robin",
        ),
        (
            &["--schema", "elastic"],
            "--schema (NETFLOW_SCHEMA): unknown schema \"elastic\": use netflow, semconv or ecs",
        ),
        (
            &["--trace-shape", "datagram"],
            "--trace-shape (NETFLOW_TRACE_SHAPE): unknown shape \"datagram\": use packet, conversation, flow or topology",
        ),
        (&["--span-time", "export"], "--span-time (NETFLOW_SPAN_TIME): \"export\": use receive or flow"),
        (
            &["--span-time-max-age", "1h"],
            "--span-time-max-age (NETFLOW_SPAN_TIME_MAX_AGE): \"1h\": needs --span-time flow",
        ),
        (
            &["--schema", "ecs", "--attributes-allow", "network.*,source.address"],
            "--attributes-allow (NETFLOW_ATTRIBUTES_ALLOW): \"source.address\" is no attribute of the schema ecs; did you \
             mean \"source.ip\"?",
        ),
        (
            &["--attributes-deny", "netflow.ie.flowId,netflow.tos.*"],
            "--attributes-deny (NETFLOW_ATTRIBUTES_DENY): \"netflow.tos.*\" is no attribute of the schema netflow; did you \
             mean \"netflow.tos\"?",
        ),
        (
            &["--queue-max-age", "1w"],
            "--queue-max-age (NETFLOW_QUEUE_MAX_AGE): \"1w\": expected a duration such as 90s, 15m, 24h or 7d",
        ),
        (
            &["--sample", "100"],
            "--sample (NETFLOW_SAMPLE): \"100\": expected a share such as 10%, 1/100 or 0.01, size:BYTES, max:SPANS/s, or \
             several with commas",
        ),
        (&["--template-scope", "port"], "--template-scope (NETFLOW_TEMPLATE_SCOPE): \"port\": use session or address"),
        (&["--output", "file:"], "--output (NETFLOW_OUTPUT): \"file:\": use otlp, stdout or file:PATH"),
        (&["--output", "kafka"], "--output (NETFLOW_OUTPUT): \"kafka\": use otlp, stdout or file:PATH"),
        (
            &["--span-attribute-count-limit=-1"],
            "--span-attribute-count-limit (OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT): \"-1\": expected a number, 0 or more",
        ),
        (
            &["--output", "file:a", "--file-max-bytes", "0"],
            "--file-max-bytes (NETFLOW_FILE_MAX_BYTES): \"0\": must not be 0",
        ),
        (
            &["--output", "file:a", "--file-max-age", "0h"],
            "--file-max-age (NETFLOW_FILE_MAX_AGE): \"0h\": must not be 0",
        ),
        (
            &["--output", "file:a", "--file-max-age", "60"],
            "--file-max-age (NETFLOW_FILE_MAX_AGE): \"60\": expected a duration such as 90s, 15m, 24h or 7d",
        ),
        (
            &["--output", "file:a", "--file-max-age", "1h", "--file-max-files", "0"],
            "--file-max-files (NETFLOW_FILE_MAX_FILES): \"0\": expected a number, at least 1",
        ),
        (
            &["--output", "file:a", "--file-max-files", "5"],
            "--file-max-files (NETFLOW_FILE_MAX_FILES): \"5\": needs --file-max-bytes or --file-max-age, without which no \
             file is renamed",
        ),
        (
            &["--output", "file:a", "--file-compression", "gzip"],
            "--file-compression (NETFLOW_FILE_COMPRESSION): unknown compression \"gzip\": use zstd or none",
        ),
        (
            &["--otlp-endpoint", "localhost:4317", "--otlp-protocol", "thrift"],
            "--otlp-protocol (OTEL_EXPORTER_OTLP_PROTOCOL): unknown OTLP protocol \"thrift\": use grpc, http/protobuf or \
             http/json",
        ),
        (
            &["--metrics-exporter", "statsd"],
            "--metrics-exporter (OTEL_METRICS_EXPORTER): \"statsd\": use prometheus, otlp or none",
        ),
        (
            &["--prometheus-port", "http"],
            "--prometheus-port (OTEL_EXPORTER_PROMETHEUS_PORT): \"http\": expected a port, 0 to 65535",
        ),
    ] {
        assert_eq!(error(flags), message);
    }
    assert!(
        error(&["--listen-host", "not a host"]).starts_with("--listen-host (NETFLOW_LISTEN_HOST): \"not a host\": ")
    );
    assert!(
        error(&["--resource-attributes", "team"]).starts_with("--resource-attributes (OTEL_RESOURCE_ATTRIBUTES): ")
    );
}

#[test]
fn addresses_come_in_every_form() {
    for (flags, expected) in [
        (&["--listen-host", "::1", "--listen-port", "0"][..], &["[::1]:0"][..]),
        (&["--listen-host", "[::1]"], &["[::1]:2055"]),
        (&["--listen", "udp://127.0.0.1:1", "--listen", "udp://[::1]:2/"], &["127.0.0.1:1", "[::1]:2"]),
        (&["--listen", "udp://127.0.0.1:1,udp://127.0.0.2:2"], &["127.0.0.1:1", "127.0.0.2:2"]),
    ] {
        let expected: Vec<SocketAddr> = expected.iter().map(|address| address.parse().unwrap()).collect();
        assert_eq!(config(flags).collector.listen, expected);
    }
    let allow = config(&["--allow", "10.0.0.0/8, 2001:db8::1"]).collector.exporters.allow;
    assert_eq!(allow, ["10.0.0.0/8".parse().unwrap(), "2001:db8::1/128".parse::<IpNet>().unwrap()]);
    let mapped = config(&["--allow", "::ffff:127.0.0.1", "--deny", "::ffff:192.0.2.0/120"]).collector.exporters;
    let is_allowed = |address: &str| mapped.allows(address.parse().unwrap());
    assert!(is_allowed("127.0.0.1") && !is_allowed("127.0.0.2"));
    assert_eq!(mapped.deny, ["192.0.2.0/24".parse::<IpNet>().unwrap()]);
}

#[test]
fn so_many_exporters_have_metrics_of_their_own() {
    for (value, count) in [("0", 0), ("10000", 10_000)] {
        assert_eq!(config(&["--metrics-exporters", value]).metrics.exporters, count);
    }
    assert_eq!(config(&[]).metrics.exporters, crate::metrics::exporters::OWN_EXPORTERS);
    for value in ["10001", "-1", "many"] {
        let error = error(&[&format!("--metrics-exporters={value}")]);
        assert!(error.contains("(NETFLOW_METRICS_EXPORTERS)") && error.ends_with("0 to 10000"), "{error}");
    }
}

#[test]
fn an_endpoint_turns_otlp_on_and_outputs_add_up() {
    let config = config(&["--otlp-endpoint", "collector:4317", "--otlp-timeout", "500"]);
    let [Output::Otlp(otlp)] = &config.sink.outputs[..] else { panic!("{:?}", config.sink.outputs) };
    assert_eq!((otlp.endpoint.to_string(), otlp.timeout.as_millis()), ("http://collector:4317/".to_owned(), 500));
    assert!(!config.stdout_by_default);

    let config = self::config(&["--output", "otlp,stdout", "--output", "file:/var/flows.jsonl"]);
    let [Output::Otlp(_), Output::Stdout(_), Output::File(file)] = &config.sink.outputs[..] else {
        panic!("{:?}", config.sink.outputs)
    };
    assert_eq!(file, &FileConfig::new("/var/flows.jsonl"), "the defaults are those of the library");
    assert!(!config.stdout_by_default);
}

/// OpenTelemetry, "Attribute Limits": a limit for spans wins over the general one.
#[test]
fn limits_of_attributes_are_general_or_for_spans() {
    let limits = |flags: &[&str]| {
        let limits = config(flags).sink.limits;
        (limits.attribute_value_length, limits.attribute_count)
    };
    assert_eq!(limits(&[]), (None, Some(128)));
    let general = ["--attribute-value-length-limit", "100", "--attribute-count-limit", "20"];
    assert_eq!(limits(&general), (Some(100), Some(20)));
    let for_spans = ["--span-attribute-value-length-limit", "0", "--span-attribute-count-limit", "200"];
    assert_eq!(limits(&for_spans), (Some(0), Some(200)));
    assert_eq!(limits(&[general, for_spans].concat()), (Some(0), Some(200)));
}

#[test]
fn a_directory_turns_the_spool_on() {
    let spool = |flags: &[&str]| {
        let config = config(&[&["--output", "otlp"], flags].concat());
        let [Output::Otlp(otlp)] = &config.sink.outputs[..] else { panic!("{:?}", config.sink.outputs) };
        (otlp.spool.clone(), config.sink.max_age)
    };
    assert!(matches!(spool(&["--spool-max-bytes", "1M"]), (None, None)));
    let (Some(spool_config), None) = spool(&["--spool-dir", "/var/spool/flows"]) else { panic!("a spool") };
    let default = SpoolConfig::new("/var/spool/flows");
    assert_eq!(format!("{spool_config:?}"), format!("{default:?}"), "the defaults of the library");
    let flags = ["--spool-dir", "/s", "--spool-max-bytes", "2M", "--spool-sync", "batch", "--spool-drop", "newest"];
    let (Some(spool_config), Some(max_age)) = spool(&[&flags[..], &["--queue-max-age", "24h"]].concat()) else {
        panic!("a spool")
    };
    assert_eq!((spool_config.max_bytes, max_age.as_secs()), (2_000_000, 86_400));
    assert_eq!((spool_config.sync, spool_config.when_full), (SpoolSync::Batch, SpoolFull::DropNewest));
}

#[test]
fn limits_of_a_file_are_those_of_every_file() {
    let limits = ["--file-max-bytes", "100M", "--file-max-age", "24h", "--file-max-files", "7"];
    let flags = [&["--output", "file:a,file:b", "--file-compression", "zstd"][..], &limits].concat();
    for (output, path) in config(&flags).sink.outputs.iter().zip(["a", "b"]) {
        let mut expected = FileConfig::new(path);
        expected.max_bytes = NonZero::new(100_000_000);
        expected.max_age = Some(Duration::from_secs(86_400));
        expected.max_files = NonZero::new(7);
        expected.compression = FileCompression::Zstd;
        assert!(matches!(output, Output::File(file) if *file == expected), "{output:?}");
    }
    assert!(matches!(config(&limits).sink.outputs[..], [Output::Stdout(_)]), "they are there for a file");
}

/// OpenTelemetry, resource SDK: OTEL_SERVICE_NAME wins over service.name in OTEL_RESOURCE_ATTRIBUTES.
#[test]
fn resource_has_name_version_and_instance() {
    let attribute = |flags: &[&str], key: &str| {
        let resource = config(flags).sink.resource;
        let values: Vec<_> = resource.into_iter().filter(|(other, _)| other == key).map(|(_, value)| value).collect();
        assert!(values.len() < 2, "{values:?}");
        values.into_iter().next()
    };
    let pairs = ["--resource-attributes", "service.name=a,team=net%20ops,service.instance.id=1"];
    assert_eq!(attribute(&[], "service.name").unwrap(), "netflow-to-traces");
    assert_eq!(attribute(&[], "service.version").unwrap(), env!("CARGO_PKG_VERSION"));
    assert_eq!(attribute(&pairs, "service.name").unwrap(), "a");
    assert_eq!(attribute(&[&pairs[..], &["--service-name", "b"]].concat(), "service.name").unwrap(), "b");
    assert_eq!(attribute(&pairs, "team").unwrap(), "net ops");
    assert_eq!(attribute(&pairs, "service.instance.id").unwrap(), "1");
    let instance = attribute(&[], "service.instance.id").unwrap();
    assert_ne!(attribute(&[], "service.instance.id").unwrap(), instance);
    assert_eq!((instance.len(), &instance[14..15]), (36, "4"));
}

/// The table in docs/configuration.md is what this prints.
#[test]
fn documentation_lists_every_setting() {
    let command = LogSettings::augment_args(Settings::augment_args(Command::new("settings")));
    let mut expected = String::new();
    for arg in command.get_arguments() {
        let variable = arg.get_env().unwrap().to_str().unwrap();
        let flag = arg.get_long().unwrap();
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
        let default = match (flag, default.join(",")) {
            ("service-version", _) => "the program's version".to_owned(),
            (_, default) if default.is_empty() => String::new(),
            (_, default) => format!("`{default}`"),
        };
        let help = arg.get_help().unwrap().to_string();
        expected.push_str(&format!("| `{variable}` | `--{flag}` | {default} | {help} |\n"));
    }
    let docs = include_str!("../../../../docs/configuration.md");
    assert!(docs.contains(&expected), "docs/configuration.md must contain this table:\n\n{expected}");
    let rows = docs.lines().filter(|line| line.starts_with("| `") && line.contains("` | `--")).count();
    assert_eq!(rows, expected.lines().count(), "docs/configuration.md has rows that are no settings");
    for subcommand in Cli::command().get_subcommands() {
        assert!(docs.contains(&format!("`{}`", subcommand.get_name())), "{} is not documented", subcommand.get_name());
    }
}

/// Each recipe in docs/delivery.md is a configuration that can work, with the endpoints that it should have.
#[test]
fn recipes_are_configurations() {
    let docs = include_str!("../../../../docs/delivery.md");
    let command = Settings::augment_args(Command::new("settings"));
    let flag_of = |variable: &str| {
        let arg = command.get_arguments().find(|arg| arg.get_env().is_some_and(|name| name == variable));
        format!("--{}", arg.and_then(|arg| arg.get_long()).unwrap_or_else(|| panic!("no setting {variable}")))
    };
    let mut endpoints = Vec::new();
    for block in docs.split("```env\n").skip(1) {
        let lines = block.split("```").next().unwrap().lines();
        let pairs: Vec<_> = lines.map(|line| line.split_once('=').unwrap()).collect();
        let flags: Vec<_> = pairs.iter().flat_map(|(name, value)| [flag_of(name), (*value).to_owned()]).collect();
        let config = config(&flags.iter().map(String::as_str).collect::<Vec<_>>());
        let [Output::Otlp(otlp)] = &config.sink.outputs[..] else { panic!("{block}") };
        endpoints.extend(otlp.each().map(|otlp| format!("{} {}", otlp.protocol, otlp.endpoint)));
    }
    assert_eq!(
        endpoints,
        [
            "grpc http://collector:4317/",
            "grpc https://collector:4317/",
            "grpc http://tempo:4317/",
            "grpc http://jaeger:4317/",
            "http/protobuf https://otlp-gateway-prod-eu-west-2.grafana.net/otlp/v1/traces",
            "grpc https://api.honeycomb.io:443/",
            "grpc http://collector-a:4317/",
            "grpc http://collector-b:4317/",
        ]
    );
}

/// OpenTelemetry, OTLP exporter: signals have their own path below the general endpoint.
#[test]
fn metrics_go_to_the_general_endpoint() {
    for (endpoint, protocol, expected) in [
        ("http://collector:4318/base", "http/json", "http://collector:4318/base/v1/metrics"),
        ("collector:4317", "grpc", "http://collector:4317/"),
    ] {
        let config = config(&["--metrics-exporter", "otlp", "--otlp-endpoint", endpoint, "--otlp-protocol", protocol]);
        let otlp = config.metrics.otlp.unwrap();
        assert_eq!((otlp.signal, otlp.endpoint.to_string()), (Signal::Metrics, expected.to_owned()));
        assert_eq!(config.metrics.prometheus, None);
    }
}

/// What spans have, metrics to the same receiver have.
#[test]
fn metrics_have_the_transport_of_spans() {
    let flags = ["--metrics-exporter", "otlp", "--otlp-endpoint", "https://collector:4317", "--otlp-timeout", "500"];
    let tls =
        ["--otlp-certificate", "ca.pem", "--otlp-client-certificate", "client.pem", "--otlp-client-key", "client.key"];
    let more =
        ["--otlp-headers-file", "token", "--otlp-compression", "zstd", "--otlp-server-name", "collector.example"];
    let config = config(&[&flags[..], &tls, &more].concat());
    let [Output::Otlp(spans)] = &config.sink.outputs[..] else { panic!("{:?}", config.sink.outputs) };
    let mut metrics = config.metrics.otlp.unwrap();
    metrics.signal = Signal::Traces;
    assert_eq!(format!("{metrics:?}"), format!("{spans:?}"));
    assert_eq!(metrics.tls.server_name.as_deref(), Some("collector.example"));
}
