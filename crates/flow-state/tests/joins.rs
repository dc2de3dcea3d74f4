//! Options data of real exporters joined to their flows. The project's own captures always; more where
//! `NETFLOW_CAPTURES` names a folder.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use flow_state::{Datagram, Decoded, FlowRecord, OptionsTables, State, StateConfig, Timestamp, TransportSession};
use testkit::corpus;

/// Reads every flow of a capture, and counts what `read` makes of it.
fn tally(path: &Path, read: impl Fn(&FlowRecord<'_>) -> String) -> BTreeMap<String, usize> {
    let state = State::new(StateConfig::default());
    let (mut decoded, mut counts) = (Decoded::default(), BTreeMap::new());
    for datagram in corpus::datagrams(path) {
        let session = TransportSession::new(datagram.source, datagram.destination);
        let (received_at, bytes) = (Timestamp::from_unix_nanos(datagram.captured_at), &datagram.payload);
        state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
        for flow in decoded.replayed_sets().chain(decoded.data_sets(bytes)).flat_map(|set| set.flows()) {
            *counts.entry(read(&flow)).or_default() += 1;
        }
    }
    counts
}

fn sampling(flow: &FlowRecord<'_>) -> String {
    match flow.sampling() {
        Some(sampling) => match sampling.rate {
            Some(rate) => format!("{} by {:?}", rate.as_f64(), sampling.source),
            None => format!("unknown by {:?}", sampling.source),
        },
        None => "-".to_owned(),
    }
}

fn names(flow: &FlowRecord<'_>) -> String {
    let name = |name: Option<&str>| name.unwrap_or("-").to_owned();
    [
        name(flow.ingress_interface_name()),
        name(flow.egress_interface_name()),
        name(flow.ingress_vrf_name()),
        name(flow.egress_vrf_name()),
    ]
    .join(" ")
}

/// Sampling by the options of softflowd (scope Interface 0, meteringProcessId), and none told by pmacctd.
#[test]
fn rates_of_the_corpus() {
    let corpus = corpus::captures();
    let capture = |name: &str| corpus.iter().find(|path| path.file_stem().is_some_and(|stem| stem == name)).unwrap();
    for (name, rate, flows) in [
        ("softflowd-v9", "1 by Global", 264),
        ("softflowd-ipfix", "1 by Global", 264),
        ("softflowd-ipfix-biflow", "1 by Global", 158),
        ("pmacctd-v9", "-", 260),
    ] {
        assert_eq!(tally(capture(name), sampling), BTreeMap::from([(rate.to_owned(), flows)]), "{name}");
    }
}

#[test]
fn rates_of_more_exporters() {
    let Some(folder) = corpus::more() else {
        return;
    };
    for (name, rate, flows) in [
        ("v9-options-sampling", "30000 by Sampler", 4),
        ("v9-nfprobe-sampled", "10 by Sampler", 104),
        ("ipfix-nfprobe-sampled", "10 by Sampler", 83),
        ("ipfix-softflowd-sampled", "10 by Global", 95),
        ("ipfix-mpls-50-fields", "10 by Template", 2),
        ("ipfix-cisco-srv6-500", "1 by Sampler", 43),
        ("v5-softflowd-sampled", "10 by Header", 80),
        ("mixed-v9-ipfix-two-transports", "unknown by Sampler", 24),
    ] {
        let capture = folder.join(name).with_extension("pcap");
        assert_eq!(tally(&capture, sampling), BTreeMap::from([(rate.to_owned(), flows)]), "{name}");
    }
    let names = tally(&folder.join("ipfix-cisco-srv6-500.pcap"), names);
    let expected = [
        ("TenGigE0_0_0_0 - default -", 31),
        ("TenGigE0_0_0_0 TenGigE0_0_0_0.516 default D10", 2),
        ("TenGigE0_0_0_0.516 TenGigE0_0_0_0 D10 default", 2),
        ("TenGigE0_0_0_0.523 - default -", 8),
    ];
    assert_eq!(names, expected.map(|(names, flows)| (names.to_owned(), flows)).into());
}

/// Captures of options alone.
#[test]
fn names_of_more_exporters() {
    let Some(folder) = corpus::more() else {
        return;
    };
    let application = |id: &'static [u8]| {
        move |tables: &OptionsTables| tables.application(id).and_then(|named| named.text()).map(str::to_owned)
    };
    let interface = |tables: &OptionsTables| tables.interface(0x4a)?.text().map(str::to_owned);
    for (name, read, expected) in [
        ("v9-cisco-nbar-options", &application(&[1, 0, 0, 8]) as &dyn Fn(&OptionsTables) -> Option<String>, "egp"),
        ("ipfix-options-interfaces", &application(&[1, 0, 0, 0x22]), "3pc"),
        ("v9-cisco-asr9k-opt256", &interface, "TenGigE0_0_1_0"),
    ] {
        let state = State::new(StateConfig::default());
        let (mut decoded, mut found) = (Decoded::default(), None);
        for datagram in corpus::datagrams(&folder.join(name).with_extension("pcap")) {
            let session = TransportSession::new(datagram.source, datagram.destination);
            let (received_at, bytes) = (Timestamp::from_unix_nanos(datagram.captured_at), &datagram.payload);
            state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
            found = decoded.messages().iter().find_map(|message| read(message.options()?)).or(found);
        }
        assert_eq!(found.as_deref(), Some(expected), "{name}");
    }
}
