//! A backend that wants TLS.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{capture, netflow2traces, stderr, stdout};
use testkit::otlp_server::{OtlpServer, Received};
use testkit::tls::{Authority, server_config};

/// Exit code and standard error of a command that trusts the authorities in `certificate`.
async fn run(arguments: &[&str], protocol: &str, endpoint: &str, certificate: &Path) -> (i32, String, String) {
    let mut command = netflow2traces(arguments);
    command.args(["--otlp-endpoint", endpoint, "--otlp-protocol", protocol]);
    command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate).env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=secret");
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let (out, log) = (stdout(&output).to_owned(), stderr(&output).to_owned());
    assert!(!out.contains("secret") && !log.contains("secret"), "{out}{log}");
    (output.status.code().unwrap(), out, log)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_go_over_tls_and_check_names_what_does_not_fit() {
    let (authority, other) = (Authority::new(), Authority::new());
    let backend = OtlpServer::start_local_tls(server_config(&authority.server(), None)).await.unwrap();
    let endpoint = backend.grpc_endpoint();
    let listen = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"];
    for (protocol, spans) in [("grpc", 264), ("http/protobuf", 2 * 264)] {
        let (code, _, log) = run(&["replay", &capture("softflowd-v9")], protocol, &endpoint, &authority.file()).await;
        assert_eq!(code, 0, "{log}");
        let flows = backend.spans().iter().filter(|span| span.name == "netflow.flow").count();
        assert_eq!(flows, spans);
        let (code, out, log) = run(&listen, protocol, &endpoint, &authority.file()).await;
        assert!(code == 0 && out.contains("takes spans"), "{out}{log}");
        let (code, _, log) = run(&listen, protocol, &endpoint, &other.file()).await;
        assert!(code == 1 && log.contains("signed by no authority that is trusted here"), "{log}");
    }
    let named = |request: &Received| request.headers["user-agent"].to_str().unwrap().starts_with("netflow2traces/");
    assert!(backend.requests().iter().all(named));
    let missing = authority.file().with_file_name("missing.pem");
    let (code, _, log) = run(&listen, "grpc", &endpoint, &missing).await;
    assert!(code == 1 && log.contains("missing.pem: No such file"), "{log}");
}

/// A backend behind an address or a name that its certificate does not have.
#[tokio::test(flavor = "multi_thread")]
async fn the_name_in_the_certificate_can_be_another() {
    let authority = Authority::new();
    let pair = authority.pair("collector.example", |_| {});
    let backend = OtlpServer::start_local_tls(server_config(&pair, None)).await.unwrap();
    let check = ["check", "--listen-host", "127.0.0.1", "--listen-port", "0", "--metrics-exporter", "none"];
    for protocol in ["grpc", "http/protobuf"] {
        let run = async |name: &[&str]| {
            run(&[&check, name].concat(), protocol, &backend.grpc_endpoint(), &authority.file()).await
        };
        let (code, out, log) = run(&["--otlp-server-name", "collector.example"]).await;
        assert!(code == 0 && out.contains("otlp_server_name = \"collector.example\" # option"), "{out}{log}");
        for other in [&[][..], &["--otlp-server-name", "other.example"]] {
            let (code, _, log) = run(other).await;
            assert!(code == 1 && log.contains("its certificate is for another name"), "{log}");
        }
        let (code, _, log) = run(&["--otlp-server-name", "no name"]).await;
        assert!(code == 1 && log.contains("invalid server name \"no name\""), "{log}");
    }
}
