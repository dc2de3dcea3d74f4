//! `decode` and `replay` on captures of real exporters, `send` to a socket.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::io::Read;
use std::net::UdpSocket;
use std::process::Stdio;
use std::time::Duration;

use common::{capture, named, netflow2traces, run, spans, stderr, stdout};
use serde_json::Value;
use testkit::otlp_server::{OtlpServer, Respond};

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn csv_and_table_have_a_line_for_each_record() {
    let capture = capture("softflowd-v9");
    let csv = run(&["decode", "--format", "csv", &capture]);
    let mut lines = stdout(&csv).lines();
    let header: Vec<_> = lines.next().unwrap().split(',').collect();
    assert_eq!((header[0], header[4], header[9], header.len()), ("packet", "src", "bytes", 20));
    let first: Vec<_> = lines.next().unwrap().split(',').collect();
    let record = &json_lines(stdout(&run(&["decode", "--format", "jsonl", &capture])))[0];
    assert_eq!((first[4], first[9]), (record["src"].as_str().unwrap(), record["bytes"].to_string().as_str()));
    assert_eq!(1 + lines.count(), 264);

    let table = run(&["decode", &capture]);
    assert_eq!(stdout(&table).lines().count(), 1 + 264);
    let source = format!("{}:{}", record["src"].as_str().unwrap(), record["sport"]);
    assert!(stdout(&table).lines().nth(1).unwrap().contains(&source), "{}", stdout(&table));
}

#[test]
fn decode_reads_standard_input_and_chooses_datagrams() {
    let count = |arguments: &[&str]| {
        let mut command = netflow2traces(&["decode", "--format", "jsonl", "-"]);
        command.args(arguments).stdin(fs::File::open(capture("softflowd-v9")).unwrap());
        stdout(&command.output().unwrap()).lines().count()
    };
    assert_eq!(count(&[]), 264);
    assert_eq!(count(&["--netflow-version", "9"]), 264);
    assert_eq!(count(&["--netflow-version", "ipfix"]), 0);
    assert_eq!(count(&["--exporter", "127.0.0.0/8"]), 264);
    assert_eq!(count(&["--exporter", "192.0.2.1"]), 0);
    let (tcp, others) = (count(&["--filter", "tcp"]), count(&["--filter", "not tcp"]));
    assert!(tcp > 0 && others > 0);
    assert_eq!(tcp + others, 264);
    assert_eq!(count(&["--filter", "drop tcp", "--filter", "drop any"]), 0);
}

/// What the filter leaves out has no span, and the trace says how many records there were.
#[test]
fn replay_leaves_out_what_the_filter_drops() {
    let folder = tempfile::tempdir().unwrap();
    let replay = |filter: &str| {
        let path = folder.path().join("spans.jsonl");
        let _ = fs::remove_file(&path);
        let output = format!("file:{}", path.display());
        let replay = run(&["replay", "--output", &output, "--filter", filter, &capture("softflowd-v9")]);
        assert!(replay.status.success(), "{}", stderr(&replay));
        let spans = spans(&path);
        let protocols: Vec<_> =
            named(&spans, "netflow.flow").iter().map(|span| attribute(span, "network.transport")).collect();
        (named(&spans, "netflow.export").len(), protocols)
    };
    let (traces, all) = replay("any");
    let (tcp_traces, tcp) = replay("tcp");
    assert_eq!(all.len(), 264);
    assert!((1..=traces).contains(&tcp_traces));
    assert_eq!(tcp.len(), all.iter().filter(|protocol| *protocol == "tcp").count());
    assert!(!tcp.is_empty() && tcp.iter().all(|protocol| protocol == "tcp"));
    assert_eq!(replay("tcp; drop any").1, tcp);
}

fn attribute(span: &Value, key: &str) -> String {
    let attributes = span["attributes"].as_array().unwrap();
    let attribute = attributes.iter().find(|attribute| attribute["key"] == key);
    attribute.and_then(|attribute| attribute["value"]["stringValue"].as_str()).unwrap_or_default().to_owned()
}

/// Bytes in = headers + templates + records + padding + pending + skipped.
#[test]
fn summary_accounts_for_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    let output =
        run(&["decode", "--format", "jsonl", "--summary", path.to_str().unwrap(), &capture("softflowd-ipfix")]);
    assert!(output.status.success());
    let summary: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((&summary["datagrams"], &summary["data_records"]), (&11.into(), &264.into()));
    assert_eq!((&summary["options_records"], &summary["pending"]), (&1.into(), &0.into()));
    let bytes = &summary["bytes"];
    let number = |key: &str| bytes[key].as_u64().unwrap();
    let skipped: u64 = bytes["skipped"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    let sum: u64 = ["headers", "templates", "records", "padding", "pending"].map(number).iter().sum();
    assert_eq!(number("total"), sum + skipped);
    assert!(number("records") > 0);
}

#[test]
fn summary_says_what_a_filter_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    let decode = |filter: &str| {
        let summary = path.to_str().unwrap();
        let more = ["--format", "jsonl", "--summary", summary, "--filter", filter, &capture("softflowd-ipfix")];
        let output = run(&[&["decode"], &more[..]].concat());
        assert!(output.status.success(), "{}", stderr(&output));
        let summary: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(summary["data_records"], 264, "what was decoded, whatever is printed");
        (stdout(&output).lines().count(), summary["filtered"].as_u64().unwrap())
    };
    let (tcp, others) = decode("tcp");
    assert!(tcp > 0 && others > 0 && tcp as u64 + others == 264, "{tcp} {others}");
    assert_eq!((decode("any"), decode("drop any")), ((264, 0), (0, 264)));
}

#[test]
fn a_damaged_capture_fails_after_what_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pcap");
    let mut bytes = fs::read(capture("softflowd-v5")).unwrap();
    bytes.truncate(bytes.len() - 10);
    fs::write(&path, bytes).unwrap();
    let whole = run(&["decode", "--format", "jsonl", &capture("softflowd-v5")]);
    let cut = run(&["decode", "--format", "jsonl", path.to_str().unwrap()]);
    assert_eq!(cut.status.code(), Some(1));
    assert!(stderr(&cut).starts_with("error: cannot read ") && stderr(&cut).lines().count() == 1, "{}", stderr(&cut));
    assert!(!cut.stdout.is_empty() && whole.stdout.starts_with(&cut.stdout));
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let mut command = netflow2traces(&["decode", "--format", "jsonl", &capture("pmacctd-ipfix")]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(process.stdout.take());
    let mut error = String::new();
    process.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!((process.wait().unwrap().code(), error.as_str()), (Some(0), ""));
}

#[test]
fn replay_exports_every_record() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let output = format!("file:{}", path.display());
    // Limits are for exporters that send now.
    let limits = ["--exporter-max-datagrams", "1", "--exporter-max-records", "1"];
    let replay = run(&[&["replay", &capture("softflowd-v9"), "--output", &output][..], &limits].concat());
    assert!(replay.status.success(), "{}", stderr(&replay));
    let spans = spans(&path);
    assert_eq!(named(&spans, "netflow.flow").len(), 264);
    assert_eq!(named(&spans, "netflow.export").len(), 11);
}

/// A backend that is slower than a capture is read, and as little memory as there can be.
#[tokio::test(flavor = "multi_thread")]
async fn replay_waits_for_a_slow_backend() {
    let backend = OtlpServer::start_local().await.unwrap();
    backend.respond_with(Respond::AcceptAfter(Duration::from_millis(20)));
    let folder = tempfile::tempdir().unwrap();
    let (file, endpoint) = (folder.path().join("capture.pcap"), backend.grpc_endpoint());
    let once = fs::read(capture("softflowd-v9")).unwrap();
    // Its header once, its 264 records again and again.
    let (header, rest) = once.split_at(24);
    fs::write(&file, [header, &rest.repeat(20)].concat()).unwrap();
    let capture = file.to_str().unwrap();
    let arguments = ["replay", capture, "--otlp-endpoint", &endpoint, "--queue-memory", "256KiB"];
    let replay = tokio::task::block_in_place(|| run(&arguments));
    assert!(replay.status.success(), "{}", stderr(&replay));
    let flows = backend.spans().iter().filter(|span| span.name == "netflow.flow").count();
    assert_eq!(flows, 20 * 264);
}

#[test]
fn replay_sends_the_datagrams_as_they_are() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let to = socket.local_addr().unwrap().to_string();
    let replay = run(&["replay", &capture("softflowd-v5"), "--to", &to, "--pace", "1000"]);
    assert!(replay.status.success(), "{}", stderr(&replay));
    assert!(stderr(&replay).starts_with("sent 6 datagrams"), "{}", stderr(&replay));
    let file = fs::read(capture("softflowd-v5")).unwrap();
    let mut buffer = [0; 65_535];
    for _ in 0..6 {
        let length = socket.recv(&mut buffer).unwrap();
        assert!(file.windows(length).any(|bytes| bytes == &buffer[..length]));
    }
}

#[test]
fn send_repeats_itself_with_a_seed() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let port = socket.local_addr().unwrap().port().to_string();
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sent = run(&["send", "--port", &port, "--count", "6", "--version", "9", "--seed", "7", "--exporters", "3"]);
        assert!(sent.status.success(), "{}", stderr(&sent));
        assert!(stdout(&sent).starts_with("sent 6 NetFlow v9 datagrams to 127.0.0.1:"), "{}", stdout(&sent));
        let mut buffer = [0; 65_535];
        let datagrams: Vec<_> = (0..6)
            .map(|_| {
                let (length, from) = socket.recv_from(&mut buffer).unwrap();
                (from.ip().to_string(), buffer[..length].to_vec())
            })
            .collect();
        runs.push(datagrams);
    }
    assert_eq!(runs[0], runs[1]);
    let addresses: Vec<_> = runs[0].iter().map(|(from, _)| from.as_str()).take(3).collect();
    assert_eq!(addresses, ["127.0.0.1", "127.0.0.2", "127.0.0.3"]);
}

#[test]
fn send_says_when_nobody_listens() {
    let closed = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let sent = run(&["send", "--port", &closed.port().to_string()]);
    common::assert_fails(&sent, 1, &format!("error: nobody listens on {closed}: start netflow2traces there first"));
}

/// The shape for graphs of services, as it is in the file: each pair in one line, under the addresses and what the operator adds.
#[test]
fn replay_names_both_sides_of_each_flow() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let output = format!("file:{}", path.display());
    let arguments = ["--trace-shape", "topology", "--resource-attributes", "site=lab,service.instance.id=1"];
    let mut replay = netflow2traces(&["replay", &capture("softflowd-v9"), "--output", &output]);
    let replay = replay.args(arguments).output().unwrap();
    assert!(replay.status.success(), "{}", stderr(&replay));
    let mut pairs = 0;
    for line in json_lines(&fs::read_to_string(&path).unwrap()) {
        for pair in line["resourceSpans"].as_array().unwrap().chunks(2) {
            let [client, server] = pair else { panic!("both in one line") };
            pairs += 1;
            let span = |side: &Value| side["scopeSpans"][0]["spans"][0].clone();
            let (asks, answers) = (span(client), span(server));
            assert_eq!((&asks["kind"], &answers["kind"]), (&3.into(), &2.into()));
            assert_eq!((&asks["traceId"], &asks["spanId"]), (&answers["traceId"], &answers["parentSpanId"]));
            assert_eq!((&asks["name"], &answers["name"]), (&"netflow.flow".into(), &"netflow.server".into()));
            let services = [client, server].map(|side| {
                let attributes = side["resource"]["attributes"].as_array().unwrap();
                let keys: Vec<_> = attributes.iter().map(|attribute| &attribute["key"]).collect();
                assert_eq!(keys, ["service.name", "site"]);
                attribute(&side["resource"], "service.name")
            });
            let ends = |span| ["source.address", "destination.address"].map(|key| attribute(span, key));
            assert_eq!(ends(&asks), ends(&answers));
            let [source, destination] = ends(&asks);
            let port = |key: &str| asks["attributes"].as_array().unwrap().iter().find(|found| found["key"] == key);
            let port = |key| port(key).map(|port| port["value"]["intValue"].as_str().unwrap().parse::<u16>().unwrap());
            let is_reversed = match (port("source.port"), port("destination.port")) {
                (Some(source), Some(destination)) => source < destination,
                // An answer to an echo request.
                _ => services[0] == destination,
            };
            assert_eq!(services, if is_reversed { [destination, source] } else { [source, destination] });
        }
    }
    assert_eq!(pairs, 264);
}
