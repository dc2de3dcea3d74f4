//! Options, environment and file: which one wins, and what is refused.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Output, Stdio};

use common::{assert_fails, capture, netflow2traces, run, stderr, stdout};

/// What `check` says of a setting: value and source. It does so whether or not the port is free.
fn effective(output: &Output, key: &str) -> (String, String) {
    let prefix = format!("{key} = ");
    let line = stdout(output).lines().find_map(|line| line.strip_prefix(&prefix)).unwrap();
    let (value, source) = line.rsplit_once(" # ").unwrap();
    (value.trim_matches('"').to_owned(), source.to_owned())
}

/// An address that is free, with a buffer that every kernel grants.
const FREE: [&str; 8] =
    ["--listen-host", "127.0.0.1", "--listen-port", "0", "--receive-buffer", "64KiB", "--prometheus-port", "0"];

#[test]
fn option_beats_environment_beats_file_beats_default() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netflow2traces.toml");
    fs::write(
        &path,
        "listen_port = 1\nlisten_host = '127.0.0.3'\nservice_name = 'file'\nallow = ['10.0.0.0/8', '192.0.2.1']\n",
    )
    .unwrap();
    let file = path.to_str().unwrap();
    for (arguments, variables, key, value, source) in [
        (&[][..], &[][..], "listen_port", "2055", "default"),
        (&["--config", file], &[], "listen_port", "1", "file"),
        (&["--config", file], &[("NETFLOW_LISTEN_PORT", "2")], "listen_port", "2", "environment"),
        (&["--config", file, "--listen-port", "3"], &[("NETFLOW_LISTEN_PORT", "2")], "listen_port", "3", "option"),
        (&[], &[("NETFLOW_LISTEN_PORT", "2")], "listen_port", "2", "environment"),
        (&[], &[("NETFLOW_CONFIG", file)], "listen_host", "127.0.0.3", "file"),
        (&[], &[("NETFLOW_CONFIG", file), ("NETFLOW_LISTEN_HOST", "")], "listen_host", "127.0.0.3", "file"),
        (&[], &[("NETFLOW_LISTEN_HOST", "")], "listen_host", "0.0.0.0", "default"),
        (&["--config", file], &[("OTEL_SERVICE_NAME", "environment")], "service_name", "environment", "environment"),
        (&["--config", file], &[], "allow", "[\"10.0.0.0/8\", \"192.0.2.1\"]", "file"),
        (&["--config", file], &[("NETFLOW_ALLOW", "192.0.2.0/24")], "allow", "192.0.2.0/24", "environment"),
        (&["--output", "stdout,file:/tmp/a"], &[], "output", "[\"stdout\", \"file:/tmp/a\"]", "option"),
    ] {
        let mut command = netflow2traces(&["check"]);
        let output = command.args(arguments).envs(variables.iter().copied()).output().unwrap();
        let expected = (value.to_owned(), source.to_owned());
        assert_eq!(effective(&output, key), expected, "{arguments:?} {variables:?}");
    }
}

#[test]
fn check_prints_a_file_that_means_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netflow2traces.toml");
    let arguments = ["check", "--listen", "udp://127.0.0.1:1,udp://[::1]:2", "--service-name", "a \"b\" \\ c"];
    let first = run(&arguments);
    fs::write(&path, &first.stdout).unwrap();
    let second = run(&["check", "--config", path.to_str().unwrap()]);
    for key in ["listen", "service_name", "state_memory"] {
        assert_eq!(effective(&first, key).0, effective(&second, key).0);
        assert_eq!(effective(&second, key).1, "file");
    }
}

#[test]
fn a_file_that_cannot_be_meant_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netflow2traces.toml");
    let file = path.to_str().unwrap();
    let missing = run(&["--config", file]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).starts_with(&format!("error: configuration file {file}: No such file")));

    fs::write(&path, "listen_prot = 2055\n").unwrap();
    let message = "unknown setting `listen_prot`; keys are named as the options, with underscores";
    assert_fails(&run(&["--config", file]), 2, &format!("error: configuration file {file}: {message}"));
}

#[test]
fn secrets_are_not_printed() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    drop(backend);
    // A backend that is not there, and a URL that is refused.
    for (user, code) in [("", 1), ("user:hunter2@", 2)] {
        let mut command = netflow2traces(&["check", "--otlp-endpoint", &format!("http://{user}{address}")]);
        let output =
            command.args(FREE).env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter2").output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert!(stdout(&output).contains("otlp_headers = \"authorization=[redacted]\" # environment"));
        assert!(!stdout(&output).contains("hunter2") && !stderr(&output).contains("hunter2"), "{}", stderr(&output));
    }
}

/// One line each, with what to do.
#[test]
fn failures_are_one_line_and_have_their_exit_codes() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert_fails(
        &run(&["--listen-host", "127.0.0.1", "--listen-port", &port]),
        1,
        &format!(
            "error: cannot listen on 127.0.0.1:{port}: another program uses this port: stop it, or choose another port \
             with --listen-port"
        ),
    );
    for (arguments, code, message) in [
        (
            &["collect", "--listen-host", "192.0.2.1"][..],
            1,
            "cannot listen on 192.0.2.1:2055: this machine does not have the address: choose one of its own, or 0.0.0.0 \
             for all, with --listen-host",
        ),
        (
            &["--listen-port", "netflow"],
            2,
            "--listen-port (NETFLOW_LISTEN_PORT): \"netflow\": expected a port, 0 to 65535",
        ),
        (
            &["--otlp-endpoint", "localhost:4317", "--otlp-protocol", "zipkin"],
            2,
            "--otlp-protocol (OTEL_EXPORTER_OTLP_PROTOCOL): unknown OTLP protocol \"zipkin\": use grpc, http/protobuf or \
             http/json",
        ),
        (&["--log-level", "loud", "man"], 2, ""),
        (
            &["man", "--log-level", "loud"],
            2,
            "--log-level (LOG_LEVEL): unknown level \"loud\": use DEBUG, INFO, WARNING or ERROR",
        ),
        (&["decode", "/no/such.pcap"], 1, "cannot open /no/such.pcap: No such file or directory (os error 2)"),
        (&["send", "--flows-per-datagram", "2000"], 2, "at most 1364 flows fit a datagram of version 5"),
    ] {
        let output = run(arguments);
        if message.is_empty() {
            assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        } else {
            assert_fails(&output, code, &format!("error: {message}"));
        }
    }
}

#[test]
fn a_filter_is_checked_and_printed() {
    let message = "error: --filter (NETFLOW_FILTER): unknown word \"prot\", did you mean `port`?\n  \
                   tcp and dst prot 443\n  \
                   \u{20}           ^^^^";
    for command in [&["check"][..], &["collect"], &["replay", "/dev/null"], &["decode", "/dev/null"]] {
        let output = netflow2traces(command).args(["--filter", "tcp and dst prot 443"]).output().unwrap();
        assert_fails(&output, 2, message);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("netflow2traces.toml");
    fs::write(&path, "filter = ['drop port in [53, 123]', 'keep tcp # or so']\n").unwrap();
    let mut command = netflow2traces(&["check", "--config", path.to_str().unwrap(), "--output", "stdout"]);
    let check = command.args(FREE).output().unwrap();
    assert!(stdout(&check).contains("# the filter is drop port in [53 123]; keep proto tcp\n"), "{}", stdout(&check));
    fs::write(&path, "filter = 'drop port in [53, 123]'\n").unwrap();
    let mut command = netflow2traces(&["check", "--config", path.to_str().unwrap(), "--output", "stdout"]);
    let check = command.args(FREE).output().unwrap();
    assert!(stdout(&check).contains("# the filter is drop port in [53 123]\n"), "{}", stdout(&check));
}

/// Spans must not tell of the delivery of spans.
#[test]
fn connections_to_the_backend_are_left_out() {
    let endpoint = ["check", "--otlp-endpoint", "http://127.0.0.1:1/,http://[::1]:2", "--metrics-exporter", "none"];
    let own = "# the filter is drop proto tcp and src host 127.0.0.1 and src port 1; \
               drop proto tcp and dst host 127.0.0.1 and dst port 1; \
               drop proto tcp and src host ::1 and src port 2; \
               drop proto tcp and dst host ::1 and dst port 2; keep port 80\n";
    let check = netflow2traces(&endpoint).args(FREE).args(["--filter", "port 80"]).output().unwrap();
    assert!(stdout(&check).contains(own), "{}", stdout(&check));
    let mut command = netflow2traces(&endpoint);
    let check = command.args(FREE).args(["--filter", "port 80", "--keep-own-traffic", "true"]).output().unwrap();
    assert!(stdout(&check).contains("# the filter is keep port 80\n"), "{}", stdout(&check));
}

#[test]
fn settings_before_a_subcommand_are_not_swallowed() {
    let output = run(&["--listen-port", "1", "decode", "-"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).starts_with("error: the subcommand 'decode' cannot be used with '--listen-port"));
}

#[test]
fn check_fails_without_a_backend() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for protocol in ["grpc", "http/protobuf", "http/json"] {
        let endpoint = format!("http://{closed}");
        let mut command = netflow2traces(&["check", "--otlp-endpoint", &endpoint, "--otlp-protocol", protocol]);
        let output = command.args(FREE).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = stderr(&output);
        let expected = format!("error: the backend at http://{closed}");
        assert!(error.starts_with(&expected) && error.contains("unreachable") && error.lines().count() == 1, "{error}");
    }
}

/// What `collect` refuses to start with, in the same words.
#[test]
fn check_fails_where_collect_would() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = format!("udp://{}", taken.local_addr().unwrap());
    for arguments in [
        &["--listen", &listen][..],
        &["--listen", "udp://127.0.0.1:0", "--output", "file:/no/such/folder/spans.jsonl"],
        &["--listen", "udp://127.0.0.1:0", "--output", "file:/"],
    ] {
        let check = netflow2traces(&["check", "--receive-buffer", "64KiB"]).args(arguments).output().unwrap();
        let collect = netflow2traces(&["collect", "--receive-buffer", "64KiB"]).args(arguments).output().unwrap();
        assert_eq!((check.status.code(), collect.status.code()), (Some(1), Some(1)));
        assert_eq!(stderr(&check), stderr(&collect));
    }
}

/// As where a collector runs.
#[test]
fn check_goes_on_behind_ports_in_use() {
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let prometheus = TcpListener::bind("127.0.0.1:0").unwrap();
    let (udp, tcp, port) =
        (udp.local_addr().unwrap(), tcp.local_addr().unwrap(), prometheus.local_addr().unwrap().port());
    let listen = format!("udp://{udp},udp://127.0.0.1:0,tcp://{tcp},tcp://127.0.0.1:0");
    let port = port.to_string();
    let arguments = ["--listen", &listen, "--prometheus-host", "127.0.0.1", "--prometheus-port", &port];
    let mut command = netflow2traces(&["check", "--receive-buffer", "64KiB", "--output", "stdout"]);
    let check = command.args(arguments).output().unwrap();
    let told: Vec<_> = stdout(&check).lines().filter(|line| line.starts_with("# ")).map(str::to_owned).collect();
    let advice = "another program uses this port: stop it, or choose another port with --listen";
    assert_eq!(told[0], format!("# cannot listen on {udp}: {advice}"));
    assert!(told[1].starts_with("# 127.0.0.1:") && told[1].ends_with(" can be listened on"), "{told:?}");
    assert_eq!(told[2], format!("# cannot listen on {tcp}: {advice}"));
    assert!(told[3].ends_with(" can be listened on over TCP"), "{told:?}");
    assert_eq!(told[4], "# spans go to standard output");
    assert!(told[5].starts_with(&format!("# no metrics for Prometheus at 127.0.0.1:{port}: ")), "{told:?}");
    assert_eq!(told.len(), 6);
    assert_eq!(check.status.code(), Some(1));
    assert_eq!(stderr(&check), format!("error: cannot listen on {udp}: {advice}\n"));
}

#[test]
fn check_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("file:{}", folder.path().join("spans.jsonl").display());
    let check = netflow2traces(&["check", "--output", &output]).args(FREE).output().unwrap();
    assert!(check.status.success(), "{}", stderr(&check));
    assert!(stdout(&check).contains("can be listened on\n# spans go to the file "), "{}", stdout(&check));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn help_names_every_variable_and_pages_are_made() {
    let help = run(&["--help"]);
    assert!(help.status.success());
    for variable in ["NETFLOW_LISTEN_PORT", "OTEL_EXPORTER_OTLP_ENDPOINT", "LOG_LEVEL", "RUST_LOG", "NETFLOW_CONFIG"] {
        assert!(stdout(&help).contains(&format!("[env: {variable}]")), "{variable}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(stdout(&run(&["completions", shell])).contains("listen-port"), "{shell}");
    }
    assert!(stdout(&run(&["man"])).contains("NETFLOW_LISTEN_PORT"));
    let folder = tempfile::tempdir().unwrap();
    assert!(run(&["man", "--out", folder.path().to_str().unwrap()]).status.success());
    assert!(folder.path().join("netflow2traces-decode.1").exists());
}

/// OpenTelemetry, environment variables: only `true`, in any case, disables; other values are false and warned of.
#[test]
fn a_disabled_sdk_makes_no_telemetry() {
    let folder = tempfile::tempdir().unwrap();
    let output = format!("file:{}", folder.path().join("spans.jsonl").display());
    let replay = |value: &str| {
        let mut command = netflow2traces(&["replay", &capture("softflowd-v9"), "--output", &output]);
        let replay = command.env("OTEL_SDK_DISABLED", value).output().unwrap();
        assert!(replay.status.success(), "{}", stderr(&replay));
        (stderr(&replay).to_owned(), fs::read_dir(folder.path()).unwrap().count())
    };
    let (log, files) = replay("True");
    assert!(files == 0 && log.contains("nothing is received and nothing exported"), "{log}");
    let check = run(&["check", "--sdk-disabled", "true", "--output", "file:/no/such/folder/spans.jsonl"]);
    assert!(check.status.success() && stdout(&check).ends_with("nothing is received and nothing exported\n"));
    let (log, files) = replay("1");
    assert!(files == 1 && log.contains("counts as false, use true or false"), "{log}");
}

/// It runs until it is told to end, and leaves the port to others.
#[test]
fn a_collector_that_is_disabled_waits_for_its_signal() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut command = netflow2traces(&["--listen-host", "127.0.0.1", "--listen-port", &port]);
    let mut process = command.env("OTEL_SDK_DISABLED", "true").stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    assert!(line.contains("WARN") && line.contains("OTEL_SDK_DISABLED is true"), "{line}");
    assert_eq!(process.try_wait().unwrap(), None, "it runs");
    assert!(Command::new("kill").arg(process.id().to_string()).status().unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

/// Two builds of the same sources say the same.
#[test]
fn the_version_is_short_or_with_facts_of_the_build() {
    let version = concat!("netflow2traces ", env!("CARGO_PKG_VERSION"));
    assert_eq!(stdout(&run(&["-V"])).trim_end(), version);
    let long = run(&["--version"]);
    let lines: Vec<_> = stdout(&long).lines().collect();
    assert_eq!(lines[0], version);
    let names: Vec<_> = lines[1..].iter().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(names, ["commit", "target", "profile", "compiler"]);
    assert!(lines[4].starts_with("compiler: rustc 1."), "{lines:?}");
}
