//! What a collector remembers over a restart.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::net::UdpSocket;
use std::path::Path;

use common::{Collector, assert_fails, named, run, spans};
use flow_capture::{LinkLayer, PcapWriter};
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::{FieldSpecifier, Timestamp, Version};

const OCTETS: FieldSpecifier = FieldSpecifier { enterprise_number: 0, id: 1, length: 4 };

fn message(sequence: u32, write: impl FnOnce(&mut MessageWriter)) -> Vec<u8> {
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::V9, Timestamp::from_unix_seconds(1_700_000_000), sequence, 7));
    write(&mut writer);
    writer.finish().unwrap().to_vec()
}

fn template(sequence: u32) -> Vec<u8> {
    message(sequence, |writer| _ = writer.template_set(&[TemplateDefinition::new(256, &[OCTETS])]))
}

fn data(sequence: u32) -> Vec<u8> {
    message(sequence, |writer| _ = writer.data_set(256).record().unsigned(4, sequence.into()))
}

/// Runs a collector that receives these datagrams; its log, and the octets of the flows that came out of it.
fn collect(state_file: Option<&Path>, datagrams: &[Vec<u8>]) -> (Vec<String>, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("spans.jsonl");
    let output_argument = format!("file:{}", output.display());
    let mut arguments = vec!["--output", &output_argument];
    arguments.extend(state_file.iter().flat_map(|path| ["--state-file", path.to_str().unwrap()]));
    let collector = Collector::start(&arguments);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for datagram in datagrams {
        socket.send_to(datagram, collector.address).unwrap();
    }
    collector.signal("TERM");
    let (code, log) = collector.end();
    assert_eq!(code, 0, "{log:?}");
    let octets = |span: &&serde_json::Value| {
        let attributes = span["attributes"].as_array().unwrap();
        let octets = attributes.iter().find(|attribute| attribute["key"] == "netflow.flow.bytes").unwrap();
        octets["value"]["intValue"].as_str().unwrap().to_owned()
    };
    (log, named(&spans(&output), "netflow.flow").iter().map(octets).collect())
}

#[test]
fn data_decodes_from_the_first_datagram_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert_eq!(collect(Some(&state), &[template(1), data(2), data(3)]).1, ["2", "3"]);
    let (log, octets) = collect(Some(&state), &[data(4), data(5)]);
    assert_eq!(octets, ["4", "5"], "{log:?}");
    assert!(log.iter().any(|line| line.contains("domains=1 templates=1 refused=0")), "{log:?}");
    // And so after the next, though no Template came in between.
    assert_eq!(collect(Some(&state), &[data(6)]).1, ["6"]);
}

/// A process that is killed has written nothing at the end; the file of the run before it stays whole and goes on to serve.
#[test]
fn a_kill_takes_nothing_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    assert_eq!(collect(Some(&state), &[template(1), data(2)]).1, ["2"]);
    let written = fs::read(&state).unwrap();
    let mut collector = Collector::start(&["--output", "file:/dev/null", "--state-file", state.to_str().unwrap()]);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for sequence in 3..100 {
        socket.send_to(&data(sequence), collector.address).unwrap();
    }
    collector.wait_for("took up the state");
    collector.signal("KILL");
    drop(collector);
    assert_eq!(fs::read(&state).unwrap(), written);
    let (log, octets) = collect(Some(&state), &[data(100)]);
    assert_eq!(octets, ["100"], "{log:?}");
}

/// `replay` knows what the collector of the same exporter learned, and leaves its file alone.
#[test]
fn a_replay_reads_the_file_and_never_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let [state, capture, output] = ["state", "data.pcap", "spans.jsonl"].map(|name| folder.path().join(name));
    collect(Some(&state), &[template(1)]);
    let written = fs::read(&state).unwrap();
    let address = "127.0.0.1:2055".parse().unwrap();
    let mut writer = PcapWriter::new(fs::File::create(&capture).unwrap(), LinkLayer::default()).unwrap();
    writer.write_datagram(1_700_000_000_000_000_000, address, address, &data(2)).unwrap();
    drop(writer);
    let output_argument = format!("file:{}", output.display());
    let replay = |state: &Path| {
        let arguments = ["--output", &output_argument, "--state-file", state.to_str().unwrap()];
        run(&[&["replay", capture.to_str().unwrap()], &arguments[..]].concat())
    };
    let flows = || named(&spans(&output), "netflow.flow").len();
    assert!(replay(&folder.path().join("none")).status.success());
    assert_eq!(flows(), 0, "no file yet");
    assert!(replay(&state).status.success());
    assert_eq!(flows(), 1);
    assert_eq!(fs::read(&state).unwrap(), written);
    fs::write(&state, &written[..written.len() - 1]).unwrap();
    let damaged = replay(&state);
    let message = format!("error: cannot use the state file {}: a damaged snapshot", state.display());
    assert_fails(&damaged, 1, &message);
    assert!(state.exists());
}

#[test]
fn without_a_file_it_waits_for_its_template() {
    assert_eq!(collect(None, &[template(1), data(2)]).1, ["2"]);
    let nothing: [&str; 0] = [];
    assert_eq!(collect(None, &[data(3)]).1, nothing);
}

/// One warning, that says which exporter and what to do.
#[test]
fn an_exporter_that_changes_its_port_is_told_of_once() {
    let mut collector = Collector::start(&["--output", "file:/dev/null"]);
    let ipfix = |write: &dyn Fn(&mut MessageWriter)| {
        let mut writer = MessageWriter::new();
        writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(1_700_000_000), 0, 7));
        write(&mut writer);
        writer.finish().unwrap().to_vec()
    };
    let template = ipfix(&|writer| _ = writer.template_set(&[TemplateDefinition::new(256, &[OCTETS])]));
    let data = ipfix(&|writer| _ = writer.data_set(256).record().unsigned(4, 1));
    UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&template, collector.address).unwrap();
    for _ in 0..3 {
        UdpSocket::bind("127.0.0.2:0").unwrap().send_to(&data, collector.address).unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&data, collector.address).unwrap();
    }
    let warning = collector.wait_for("NETFLOW_TEMPLATE_SCOPE=address");
    assert!(warning.contains("WARN") && warning.contains("exporter=127.0.0.1:"), "{warning}");
    collector.signal("TERM");
    let (_, log) = collector.end();
    assert_eq!(log.iter().filter(|line| line.contains("NETFLOW_TEMPLATE_SCOPE")).count(), 1, "{log:?}");
}

#[test]
fn a_file_that_cannot_be_used_is_told_of_and_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    collect(Some(&state), &[template(1)]);
    let whole = fs::read(&state).unwrap();
    let mut foreign = whole.clone();
    foreign[8..10].copy_from_slice(&[0xff, 0xff]);
    for (bytes, reason) in [
        (&whole[..whole.len() - 1], "a damaged snapshot"),
        (&foreign[..], "a snapshot of layout 65535"),
        (&b"once upon a time"[..], "not a snapshot"),
    ] {
        fs::write(&state, bytes).unwrap();
        let (log, octets) = collect(Some(&state), &[template(1), data(2)]);
        assert_eq!(octets, ["2"]);
        let warning = log.iter().find(|line| line.contains("cannot use the state file")).unwrap();
        assert!(warning.contains("WARN") && warning.contains(reason), "{warning}");
        assert_eq!(collect(Some(&state), &[data(3)]).1, ["3"], "it was written anew");
    }
}
