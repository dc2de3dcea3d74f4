//! `decode --fields`: every field with its name, be it the user's, the registry's or the exporter's own.

#![allow(clippy::unwrap_used)]

mod common;

use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;

use common::{Collector, assert_fails, capture, named, netflow2traces, run, spans, stderr, stdout};
use flow_capture::{LinkLayer, PcapWriter};
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};
use flow_wire::{FieldSpecifier, Timestamp, Version};
use hex_literal::hex;
use serde_json::{Value, json};

const NOW: u64 = 1_750_000_000;
const PEN: u32 = 64_999;

/// An IPFIX datagram in which the exporter tells of its element 7 (RFC 5610) and sends 7, 8 and octetDeltaCount.
fn datagram() -> Vec<u8> {
    let field = |enterprise_number, id, length| FieldSpecifier { enterprise_number, id, length };
    let told = [field(0, 346, 4), field(0, 303, 2), field(0, 339, 1), field(0, 341, u16::MAX)];
    let sent = [field(PEN, 7, 2), field(PEN, 8, 2), field(0, 1, 4)];
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(NOW), 0, 7));
    writer.options_template_set(&[TemplateDefinition::options(256, 2, &told)]);
    writer.data_set(256).record().unsigned(4, PEN.into()).unsigned(2, 7).unsigned(1, 2).variable(b"sub id");
    writer.template_set(&[TemplateDefinition::new(257, &sent)]);
    writer.data_set(257).record().unsigned(2, 42).unsigned(2, 0x0a0b).unsigned(4, 1500);
    writer.finish().unwrap().to_vec()
}

fn write_capture(path: &Path) {
    let payload = datagram();
    let (source, destination) = (SocketAddr::from(([192, 0, 2, 1], 50_000)), SocketAddr::from(([192, 0, 2, 2], 2055)));
    let mut pcap = PcapWriter::new(File::create(path).unwrap(), LinkLayer::RawIp).unwrap();
    pcap.write_datagram(NOW * 1_000_000_000, source, destination, &payload).unwrap();
    pcap.finish().unwrap();
}

#[test]
fn unknown_elements_are_named_by_their_exporter_or_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let (path, elements) = (folder.path().join("case.pcap"), folder.path().join("elements.toml"));
    write_capture(&path);
    fs::write(&elements, format!("[[element]]\npen = {PEN}\nid = 8\nname = 'mine'\ntype = 'unsigned32'\n")).unwrap();
    let file = path.to_str().unwrap();
    let mut decode = netflow2traces(&["decode", "--format", "jsonl", "--fields", file]);
    let fields = |output: &str| serde_json::from_str::<Value>(output).unwrap()["fields"].take();
    let octets = json!({"name": "octetDeltaCount", "value": 1500});
    let told = json!({"name": "sub_id", "value": 42});
    let unknown = json!({"name": "netflow.ie.64999.8", "value": "0x0a0b"});
    assert_eq!(fields(stdout(&decode.output().unwrap())), json!([told, unknown, octets]));
    let mine = json!({"name": "mine", "value": 0x0a0b});
    let output = decode.env("NETFLOW_ELEMENTS", &elements).output().unwrap();
    assert_eq!(fields(stdout(&output)), json!([told, mine, octets]));

    let table = run(&["decode", "--fields", file]);
    let lines: Vec<_> = stdout(&table).lines().skip(2).map(str::trim).collect();
    assert_eq!(lines, ["sub_id = 42", "netflow.ie.64999.8 = 0x0a0b", "octetDeltaCount = 1500"]);
}

/// RFC 6313: a list of values, of records, of records of several Templates, a list in a list; what cannot be read has its
/// reason beside it, and the rest of the record stays.
#[test]
fn lists_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("case.pcap");
    let field = |id, length| FieldSpecifier { enterprise_number: 0, id, length };
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(NOW), 0, 7));
    let ports = [field(7, 2)];
    let nested = [field(4, 1), field(291, u16::MAX)];
    let flow = [field(291, u16::MAX), field(292, u16::MAX), field(293, u16::MAX), field(1, 4)];
    writer.template_set(&[
        TemplateDefinition::new(300, &ports),
        TemplateDefinition::new(301, &nested),
        TemplateDefinition::new(257, &flow),
    ]);
    // allOf ingressInterface(10) of 2 bytes; exactlyOneOf Template 300; ordered, with parts of 301 and 300.
    let basic = hex!("03 000a 0002 0001 0002");
    let sub_template = hex!("01 012c 0050 01bb");
    let multi = hex!("04 012d 000d 06 07 03 000a 0002 0009 012c 0006 0035");
    writer.data_set(257).record().variable(&basic).variable(&sub_template).variable(&multi).unsigned(4, 1500);
    // A value that is cut, a Template nobody sent, a part longer than its list.
    let (cut, unknown, long) = (hex!("03 000a 0002 0001 00"), hex!("03 03e7 0050"), hex!("ff 012c 0009 0035"));
    writer.record().variable(&cut).variable(&unknown).variable(&long).unsigned(4, 1501);
    // A part that ends inside a record.
    writer.record().variable(&basic).variable(&sub_template).variable(&hex!("04 012c 0007 0035 00")).unsigned(4, 1502);
    let payload = writer.finish().unwrap();
    let address = SocketAddr::from(([192, 0, 2, 1], 2055));
    let mut pcap = PcapWriter::new(File::create(&path).unwrap(), LinkLayer::RawIp).unwrap();
    pcap.write_datagram(NOW * 1_000_000_000, address, address, payload).unwrap();
    pcap.finish().unwrap();

    let output = run(&["decode", "--format", "jsonl", "--fields", path.to_str().unwrap()]);
    let records: Vec<Value> = stdout(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |name: &str, value: Value| json!({"name": name, "value": value});
    let interfaces = |values: Value| json!({"name": "ingressInterface", "semantic": "allOf", "values": values});
    let port = |port: u16| json!([named("sourceTransportPort", port.into())]);
    let parts = json!([
        {"template": 301, "records": [[named("protocolIdentifier", 6.into()), named("basicList", interfaces(json!([9])))]]},
        {"template": 300, "records": [port(53)]},
    ]);
    assert_eq!(
        records[0]["fields"],
        json!([
            named("basicList", interfaces(json!([1, 2]))),
            named(
                "subTemplateList",
                json!({"semantic": "exactlyOneOf", "template": 300, "records": [port(80), port(443)]})
            ),
            named("subTemplateMultiList", json!({"semantic": "ordered", "parts": parts})),
            named("octetDeltaCount", 1500.into()),
        ])
    );
    let mut cut = interfaces(json!([1]));
    cut["error"] = "list cut short at byte 7".into();
    cut["bytes"] = "0x03000a0002000100".into();
    assert_eq!(
        records[1]["fields"],
        json!([
            named("basicList", cut),
            named(
                "subTemplateList",
                json!({"bytes": "0x0303e70050", "error": "no template for data set 999 at byte 1"})
            ),
            named(
                "subTemplateMultiList",
                json!({
                    "semantic": "undefined", "parts": [], "error": "list cut short at byte 1", "bytes": "0xff012c00090035"
                })
            ),
            named("octetDeltaCount", 1501.into()),
        ])
    );
    let part = json!({"template": 300, "records": [port(53)], "error": "list cut short at byte 7"});
    assert_eq!(
        records[2]["fields"][2]["value"],
        json!({"semantic": "ordered", "parts": [part], "bytes": "0x04012c0007003500"})
    );
    let table = run(&["decode", "--fields", path.to_str().unwrap()]);
    let line = stdout(&table).lines().find(|line| line.trim().starts_with("basicList = ")).unwrap().trim();
    assert_eq!(line, r#"basicList = {"name":"ingressInterface","semantic":"allOf","values":[1,2]}"#);
}

#[test]
fn elements_become_attributes_of_spans() {
    let folder = tempfile::tempdir().unwrap();
    let [path, elements, output] = ["case.pcap", "elements.toml", "spans.jsonl"].map(|name| folder.path().join(name));
    write_capture(&path);
    fs::write(&elements, format!("[[element]]\npen = {PEN}\nid = 8\nname = 'mine'\ntype = 'unsigned32'\n")).unwrap();
    let output_argument = format!("file:{}", output.display());
    let extra = |elements_file: Option<&Path>, wanted: &str| {
        let _ = fs::remove_file(&output);
        let mut replay = netflow2traces(&["replay", path.to_str().unwrap(), "--output", &output_argument]);
        replay.env("NETFLOW_ATTRIBUTES_EXTRA", wanted);
        elements_file.into_iter().for_each(|file| _ = replay.env("NETFLOW_ELEMENTS", file));
        let replayed = replay.output().unwrap();
        assert!(replayed.status.success(), "{}", stderr(&replayed));
        let spans = spans(&output);
        let attributes = named(&spans, "netflow.flow")[0]["attributes"].as_array().unwrap().clone();
        let extra = |attribute: &Value| {
            let key = attribute["key"].as_str()?.strip_prefix("netflow.ie.")?.to_owned();
            Some((key, attribute["value"].clone()))
        };
        attributes.iter().filter_map(extra).collect::<Vec<_>>()
    };
    let int = |value: &str| json!({"intValue": value});
    let (told, mine) = (("sub_id".to_owned(), int("42")), ("mine".to_owned(), int("2571")));
    let unknown = ("64999.8".to_owned(), json!({"stringValue": "0x0a0b"}));
    assert_eq!(extra(None, ""), []);
    assert_eq!(extra(None, "sub_id,64999:8"), [told.clone(), unknown]);
    assert_eq!(extra(Some(&elements), "mine"), std::slice::from_ref(&mine));
    assert_eq!(extra(Some(&elements), "all"), [told, mine, ("octetDeltaCount".to_owned(), int("1500"))]);

    let wrong = run(&["check", "--attributes-extra", "not an element"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("\"not an element\" is no element"), "{}", stderr(&wrong));
    let missing = run(&["check", "--elements", "/nonexistent.toml"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("elements file /nonexistent.toml: "), "{}", stderr(&missing));
    let checked = run(&["check", "--elements", elements.to_str().unwrap(), "--listen-port", "0"]);
    assert!(stdout(&checked).contains("# 1 elements are defined"), "{}", stdout(&checked));
}

/// As [`elements_become_attributes_of_spans`], from a socket.
#[test]
fn elements_become_attributes_of_spans_that_are_collected() {
    let folder = tempfile::tempdir().unwrap();
    let [elements, output] = ["elements.toml", "spans.jsonl"].map(|name| folder.path().join(name));
    fs::write(&elements, format!("[[element]]\npen = {PEN}\nid = 8\nname = 'mine'\ntype = 'unsigned32'\n")).unwrap();
    let collected = |arguments: &[&str]| {
        let _ = fs::remove_file(&output);
        let collector =
            Collector::start(&[&["collect", "--output", &format!("file:{}", output.display())], arguments].concat());
        UdpSocket::bind("127.0.0.1:0").unwrap().send_to(&datagram(), collector.address).unwrap();
        collector.signal("TERM");
        let (code, log) = collector.end();
        assert_eq!(code, 0, "{log:?}");
        let spans = spans(&output);
        let attributes = named(&spans, "netflow.flow")[0]["attributes"].as_array().unwrap().clone();
        attributes
            .into_iter()
            .filter(|attribute| attribute["key"].as_str().unwrap().starts_with("netflow.ie."))
            .collect::<Vec<_>>()
    };
    let int = |key: &str, value: &str| json!({"key": key, "value": {"intValue": value}});
    let wanted = ["--attributes-extra", "mine,sub_id"];
    let file = ["--elements", elements.to_str().unwrap()];
    let both = [int("netflow.ie.sub_id", "42"), int("netflow.ie.mine", "2571")];
    assert_eq!(collected(&[wanted, file].concat()), both);
    assert_eq!(collected(&wanted), both[..1]);
    assert!(collected(&file).is_empty());
}

/// Each line is JSON with as many fields as its record has.
#[test]
fn fields_of_real_exporters_are_printed() {
    for name in ["softflowd-v9", "pmacctd-ipfix", "softflowd-v5"] {
        let output = run(&["decode", "--format", "jsonl", "--fields", &capture(name)]);
        let mut records = 0;
        for line in stdout(&output).lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            let fields = record["fields"].as_array().unwrap();
            let octets = fields.iter().find(|field| field["name"] == "octetDeltaCount").unwrap();
            assert_eq!(octets["value"], record["bytes"], "{line}");
            records += 1;
        }
        assert!(records > 0, "{name}");
    }
}

#[test]
fn an_elements_file_that_cannot_be_meant_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("elements.toml");
    fs::write(&path, "[[element]]\nid = 7\nname = 'x'\ntype = 'int'\n").unwrap();
    let file = path.to_str().unwrap();
    let output = run(&["decode", "--elements", file, &capture("softflowd-v9")]);
    let message = "line 1: element \"x\": unknown type \"int\": use one of IANA's, such as unsigned32";
    assert_fails(&output, 2, &format!("error: elements file {file}: {message}"));
    let missing = run(&["decode", "--elements", "/no/such.toml", &capture("softflowd-v9")]);
    assert!(stderr(&missing).starts_with("error: elements file /no/such.toml: No such file"), "{}", stderr(&missing));
    let csv = run(&["decode", "--fields", "--format", "csv", &capture("softflowd-v9")]);
    let message = "error: --fields needs --format table or jsonl: the columns of CSV are fixed";
    assert_fails(&csv, 2, message);
}
