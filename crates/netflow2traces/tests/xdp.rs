//! `xdp` as a process, where there is no map or no right to see one.

#![allow(clippy::unwrap_used)]

mod common;

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use common::scrape::{Scrape, get};
use common::{Collector, netflow2traces, stderr, stdout};
use serde_json::Value;
use testkit::otlp_server::OtlpServer;

/// Nobody has pinned anything there.
const NO_PIN: &str = "/nonexistent/xdp_stats_map";

/// As who has no capability, whoever runs the test: who may change the user drops all of them by that.
fn unprivileged(arguments: &[&str]) -> Output {
    let command = || {
        let mut command = netflow2traces(arguments);
        command.current_dir("/");
        command
    };
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    if is_root { command().uid(65534).gid(65534).output().unwrap() } else { command().output().unwrap() }
}

/// The error says what to grant, and what takes no grant.
#[test]
fn without_the_capability_it_is_named() {
    for arguments in [
        &["xdp", "--map-name", "xdp_stats_map", "--otel-endpoint", "none"][..],
        &["xdp", "export", "--map-id", "1", "--otel-endpoint", "none"],
        &["xdp", "--once", "--json"],
        &["xdp", "read"],
        &["xdp", "list"],
        &["xdp", "--pin", NO_PIN, "--otel-endpoint", "none", "--program-stats"],
    ] {
        let output = unprivileged(arguments);
        let last = stderr(&output).lines().last().unwrap();
        assert!(last.starts_with("error: ") && last.contains("CAP_SYS_ADMIN"), "{arguments:?}: {last}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

/// Of the capabilities, those that are missing; and what is wrong whoever asks.
#[test]
fn attaching_says_what_is_missing() {
    let attach = unprivileged(&["xdp", "attach", "--iface", "lo"]);
    assert_eq!(attach.status.code(), Some(1));
    let error = stderr(&attach);
    assert!(error.starts_with("error: no permission to "), "{error}");
    assert!(error.contains("missing: CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON: "), "{error}");
    assert!(stdout(&attach).is_empty());
    for (arguments, message) in [
        (&["xdp", "attach", "--iface", "no-such-if"][..], "error: there is no interface \"no-such-if\"\n"),
        (
            &["xdp", "attach", "--iface", "lo", "--pin", "/tmp/nowhere"],
            "error: /tmp/nowhere is on no BPF file system; ",
        ),
        (&["xdp", "detach", "--iface", "no-such-if"], "error: there is no interface \"no-such-if\"\n"),
        (&["xdp", "detach", "--pin", "/tmp"], "error: /tmp has no link of an XDP program with its counters\n"),
    ] {
        let output = unprivileged(arguments);
        assert!(stderr(&output).starts_with(message), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn a_missing_map_is_a_failure_of_read_and_a_line_of_once() {
    let read = unprivileged(&["xdp", "read", "--pin", NO_PIN]);
    assert_eq!(read.status.code(), Some(1));
    assert!(stderr(&read).starts_with(&format!("error: there is no map pinned to {NO_PIN}")), "{}", stderr(&read));
    let once = unprivileged(&["xdp", "--pin", NO_PIN, "--once", "--json"]);
    assert!(once.status.success() && stderr(&once).contains("WARN"), "{}", stderr(&once));
    let line: Value = serde_json::from_str(stdout(&once)).unwrap();
    assert_eq!((&line["up"], &line["target"]), (&Value::Bool(false), &format!("pin={NO_PIN}").into()));
    let strict = unprivileged(&["xdp", "--pin", NO_PIN, "--once", "--fail-on-missing"]);
    assert_eq!(strict.status.code(), Some(1));
}

#[test]
fn what_cannot_be_is_a_usage_error() {
    for (arguments, message) in [
        (&["xdp", "--layout", "packets"][..], "error: --layout (XDP_LAYOUT): expected packets@OFFSET:SIZE"),
        (&["xdp", "--otel-endpoint", "ftp://a"], "error: --otel-endpoint (XDP_OTEL_ENDPOINT): invalid endpoint"),
        (
            &["xdp", "attach", "--iface", "lo", "--pin", "/p", "--pin-group", "no such group"],
            "error: --pin-group: there is no group \"no such group\" in /etc/group; ",
        ),
        (
            &["xdp", "attach", "--iface", "lo", "--pin-group", "adm"],
            "error: the following required arguments were not provided",
        ),
        (&["xdp", "detach"], "error: the following required arguments were not provided"),
        (&["xdp", "--interval", "0"], "error: invalid value '0' for '--interval <SECONDS>'"),
    ] {
        let output = unprivileged(arguments);
        assert!(stderr(&output).starts_with(message), "{}", stderr(&output));
        assert_eq!(output.status.code(), Some(2));
    }
}

/// From the lines of the contract to the last export, while there is no map all the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_map_is_looked_for_and_said_to_be_missing() {
    let backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.address().to_string();
    let run = tokio::task::spawn_blocking(move || {
        let mut command = netflow2traces(&["xdp", "--pin", NO_PIN, "--otel-endpoint", &endpoint, "--interval", "3600"]);
        command.args(["--prometheus-port", "0"]).env("OTEL_RESOURCE_ATTRIBUTES", "team=net").stdout(Stdio::null());
        let mut exporter = Collector::spawn_until(&mut command, "XDP OpenTelemetry exporter running...");
        for line in ["XDP OpenTelemetry exporter initialized", "  Export interval: 3600s"] {
            exporter.wait_for(line);
        }
        exporter.wait_for(&format!("  OTLP endpoint: {endpoint}"));
        let address = exporter.metrics_address();
        for path in ["/healthz", "/readyz"] {
            assert!(get(&address, path).ends_with("\r\n\r\nok\n"), "{path}: a missing map is no reason");
        }
        let metrics = Scrape::of(&address);
        assert_eq!(metrics.sum("xdp_xdp_exporter_map_up"), 0);
        assert!(!metrics.names().contains("xdp_xdp_packets_total"), "{metrics:?}");
        exporter.signal("TERM");
        exporter.end()
    });
    let (code, log) = run.await.unwrap();
    assert_eq!(code, 0, "{log:#?}");
    assert_eq!(log.iter().filter(|line| line.contains("there is no map pinned")).count(), 1, "{log:#?}");

    let names: Vec<_> = backend.metrics().iter().map(|metric| metric.name.clone()).collect();
    let names_of_one = ["xdp.exporter.map.up", "xdp.exporter.resets"];
    assert_eq!(names, [names_of_one, names_of_one].concat(), "one export at the start and one at the end");
    let resource = &backend.resources()[0];
    let keys: Vec<_> = resource.attributes.iter().map(|attribute| &*attribute.key).collect();
    for key in ["service.name", "deployment.environment", "deployment.environment.name", "team"] {
        assert!(keys.contains(&key), "{keys:?}");
    }
}

/// Prometheus would read the other program there as this one.
#[test]
fn a_port_for_prometheus_in_use_is_an_error() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (name, host) in [("XDP_PROMETHEUS", "127.0.0.1"), ("OTEL_EXPORTER_PROMETHEUS", "localhost")] {
        let mut command = netflow2traces(&["xdp", "--pin", NO_PIN]);
        command.envs([(format!("{name}_HOST"), host), (format!("{name}_PORT"), &port)]);
        let output = command.env("OTEL_METRICS_EXPORTER", "prometheus").output().unwrap();
        let log = stderr(&output);
        assert!(output.status.code() == Some(1) && !log.contains("exporter running"), "{log}");
        let expected = format!(
            "error: cannot listen on {host}:{port} for Prometheus, choose another port with --prometheus-port "
        );
        let last = log.lines().last().unwrap();
        assert!(last.starts_with(&expected) && last.contains(": Address already in use"), "{last}");
    }
}

/// It ends nothing, and the last export is made all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_hangup_is_a_line_in_the_log() {
    let backend = OtlpServer::start_local().await.unwrap();
    let endpoint = backend.address().to_string();
    let run = tokio::task::spawn_blocking(move || {
        let mut command = netflow2traces(&["xdp", "--pin", NO_PIN, "--otel-endpoint", &endpoint, "--interval", "3600"]);
        hang_up(Collector::spawn_until(command.stdout(Stdio::null()), "XDP OpenTelemetry exporter running..."));
        for command in ["xdp", "collect"] {
            let mut command = netflow2traces(&[command]);
            command.env("OTEL_SDK_DISABLED", "true").stdout(Stdio::null());
            hang_up(Collector::spawn_until(&mut command, "OTEL_SDK_DISABLED is true"));
        }
    });
    run.await.unwrap();
    let exports = backend.metrics().iter().filter(|metric| metric.name == "xdp.exporter.map.up").count();
    assert_eq!(exports, 2, "one at the start and one at the end");
}

/// Twice, and then asks it to end.
fn hang_up(mut exporter: Collector) {
    for _ in 0..2 {
        exporter.signal("HUP");
        exporter.wait_for_another("there is nothing to reload signal=\"SIGHUP\"");
    }
    exporter.signal("TERM");
    let (code, log) = exporter.end();
    assert_eq!(code, 0, "{log:#?}");
}

/// The environment says the same as flags.
#[test]
fn variables_are_settings() {
    let mut command = netflow2traces(&["xdp", "--otel-endpoint", "none"]);
    command.envs([("XDP_PIN", NO_PIN), ("XDP_FAIL_ON_MISSING", "true"), ("XDP_INTERVAL", "10"), ("XDP_MAP_NAME", "")]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let log = stderr(&output);
    assert!(log.contains("  Export interval: 10s") && log.contains("  OTLP endpoint: none"), "{log}");
    assert!(log.lines().last().unwrap().starts_with("error: there is no map pinned to"), "{log}");
}

/// It runs until it is told to end, without a look at any map.
#[test]
fn an_exporter_that_is_disabled_waits_for_its_signal() {
    let mut command = netflow2traces(&["xdp", "--pin", NO_PIN, "--fail-on-missing"]);
    command.env("OTEL_SDK_DISABLED", "true").stdout(Stdio::null());
    let exporter = Collector::spawn_until(&mut command, "OTEL_SDK_DISABLED is true");
    exporter.signal("TERM");
    let (code, log) = exporter.end();
    assert!(code == 0 && !log.iter().any(|line| line.contains("XDP OpenTelemetry exporter")), "{log:#?}");
    let read = netflow2traces(&["xdp", "read", "--pin", NO_PIN]).env("OTEL_SDK_DISABLED", "true").output().unwrap();
    assert_eq!(read.status.code(), Some(1), "that is no telemetry");
}
