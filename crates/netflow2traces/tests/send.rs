//! Generated traffic over connections.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Read;
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::thread;

use common::account::account;
use common::{Collector, assert_fails, named, netflow2traces, run, spans, stderr, stdout, wait_for_flows};
use tempfile::TempDir;
use testkit::tls::Authority;

/// A collector that listens at `url`, and the file it writes to.
fn collector(url: &str, arguments: &[&str], folder: &TempDir) -> (Collector, std::path::PathBuf) {
    let path = folder.path().join("spans.jsonl");
    let output = format!("file:{}", path.display());
    let mut command = netflow2traces(&["--listen", &format!("udp://127.0.0.1:0,{url}"), "--output", &output]);
    command.args(["--prometheus-port", "0", "--workers", "1"]).args(arguments);
    (Collector::spawn(command.stdout(Stdio::null())), path)
}

fn send(to: &str, arguments: &[&str]) -> Output {
    run(&[&["send", "--to", to, "--version", "ipfix", "--flows-per-datagram", "10"], arguments].concat())
}

#[test]
fn every_flow_arrives_over_tcp() {
    let folder = tempfile::tempdir().unwrap();
    let (mut collector, path) = collector("tcp://127.0.0.1:0", &[], &folder);
    let server = collector.metrics_address();
    let address = collector.stream_address("TCP");
    let to = format!("tcp://{address}");
    let sent = send(&to, &["--count", "60", "--rate", "max", "--exporters", "3", "--seed", "1"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    let said = stdout(&sent);
    assert!(said.starts_with(&format!("sent 60 IPFIX Messages over TCP to {address} in ")), "{said}");
    assert!(said.contains(": 600 flows, ") && said.ends_with(" bytes, seed 1\n"), "{said}");
    wait_for_flows(&path, 600);
    let spans = spans(&path);
    let exporters = named(&spans, "netflow.export").into_iter().map(|span| {
        let attributes = span["attributes"].as_array().unwrap();
        let address = attributes.iter().find(|attribute| attribute["key"] == "netflow.exporter.address").unwrap();
        address["value"]["stringValue"].as_str().unwrap().to_owned()
    });
    let mut exporters: Vec<_> = exporters.collect();
    exporters.sort();
    assert_eq!(exporters, [["127.0.0.1"; 20], ["127.0.0.2"; 20], ["127.0.0.3"; 20]].concat());
    let metrics = account(&server, 60);
    assert_eq!(metrics.sum("netflow_collector_connections_accepted_total"), 3);
    assert_eq!(metrics.reason("netflow_collector_connections_ended_total", "closed"), 3);
    let templates = |metrics: &common::scrape::Scrape| metrics.sum("netflow_collector_templates_total");
    let once = templates(&metrics);
    // Without a word Templates come once; the generator can be told otherwise.
    let sent = send(&to, &["--count", "6", "--rate", "max", "--template-refresh", "2"]);
    assert!(sent.status.success(), "{}", stderr(&sent));
    assert_eq!(templates(&account(&server, 66)), once + once);
}

#[test]
fn every_flow_arrives_over_tls() {
    let (authority, clients, other) = (Authority::new(), Authority::new(), Authority::new());
    let pair = authority.server();
    let certificate = authority.write("server.pem", &pair.certificate.pem());
    let key = authority.write("server.key", &pair.key.serialize_pem());
    let client = clients.pair("exporter", |_| {});
    let client_certificate = clients.write("client.pem", &client.certificate.pem());
    let client_key = clients.write("client.key", &client.key.serialize_pem());
    let folder = tempfile::tempdir().unwrap();
    let path = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let files = [certificate, key, clients.file()].map(|file| path(&file));
    let arguments = ["--tls-certificate", &files[0], "--tls-key", &files[1], "--tls-client-ca", &files[2]];
    let (mut collector, spans) = collector("tls://127.0.0.1:0", &arguments, &folder);
    let to = format!("tls://{}", collector.stream_address("TLS"));
    let [ca, other] = [&authority, &other].map(|authority| path(&authority.file()));
    let own = [client_certificate, client_key].map(|file| path(&file));
    let own = ["--tls-certificate", &own[0], "--tls-key", &own[1], "--count", "50", "--rate", "max"];
    let sent = send(&to, &[&["--tls-ca", &ca], &own[..]].concat());
    assert!(sent.status.success(), "{}", stderr(&sent));
    assert!(stdout(&sent).starts_with("sent 50 IPFIX Messages over TLS to "), "{}", stdout(&sent));
    wait_for_flows(&spans, 500);
    let untrusted = send(&to, &[&["--tls-ca", &other], &own[..]].concat());
    let log = stderr(&untrusted);
    assert!(untrusted.status.code() == Some(1) && log.contains("cannot begin TLS") && log.contains("UnknownIssuer"));
    // With TLS 1.3 the collector says so when the exporter already sends.
    for count in ["1", "100"] {
        let unknown = send(&to, &["--tls-ca", &ca, "--count", count]);
        let log = stderr(&unknown);
        assert_eq!(unknown.status.code(), Some(1), "{log}");
        assert!(log.ends_with("; does it want another certificate?\n"), "{log}");
    }
    wait_for_flows(&spans, 500);
}

/// A connection that is refused, one that breaks, and what cannot be.
#[test]
fn what_does_not_arrive_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let to = format!("tcp://{address}");
    let breaks = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        stream.read_exact(&mut [0; 16]).unwrap();
    });
    let broken = send(&to, &["--count", "100000", "--rate", "max"]);
    breaks.join().unwrap();
    let log = stderr(&broken);
    assert_eq!(broken.status.code(), Some(1), "{log}");
    assert!(log.starts_with("error: cannot send Message ") && log.contains(&address.to_string()), "{log}");
    assert!(log.ends_with(": the other side has closed the connection\n"), "{log}");
    let refused = send(&to, &[]);
    assert_fails(&refused, 1, &format!("error: nobody listens on {address}: start netflow2traces there first"));
    let carries = run(&["send", "--to", &to, "--version", "9"]);
    assert_fails(&carries, 2, "error: TCP carries IPFIX alone: add --version ipfix");
    assert_fails(&send("tls://127.0.0.1", &[]), 2, "error: to send to tls://, set --tls-ca");
    assert_fails(&send(&to, &["--tls-ca", "ca.pem"]), 2, "error: files for TLS need an address tls://HOST in --to");
    let expected = "expected udp://HOST:PORT, tcp://HOST or tls://HOST";
    assert_fails(&send("127.0.0.1:4739", &[]), 2, &format!("error: --to \"127.0.0.1:4739\": {expected}"));
    let missing = send("tls://127.0.0.1", &["--tls-ca", "missing.pem"]);
    assert!(stderr(&missing).contains("cannot use missing.pem: "), "{}", stderr(&missing));
}

/// A collector ends connections that say nothing at first.
#[test]
fn exporters_connect_when_they_have_something_to_say() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = format!("tcp://{}", listener.local_addr().unwrap());
    let sent = thread::spawn(move || send(&to, &["--exporters", "5", "--count", "2"]));
    for stream in listener.incoming().take(2) {
        assert!(stream.unwrap().read_to_end(&mut Vec::new()).unwrap() > 0);
    }
    assert!(sent.join().unwrap().status.success());
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the others have nothing to say");
}

#[test]
fn a_url_of_udp_is_a_host_and_a_port() {
    let folder = tempfile::tempdir().unwrap();
    let (collector, path) = collector("tcp://127.0.0.1:0", &[], &folder);
    let sent = send(&format!("udp://{}", collector.address), &["--count", "3"]);
    assert!(stdout(&sent).starts_with("sent 3 IPFIX datagrams to "), "{}", stderr(&sent));
    wait_for_flows(&path, 30);
}
