//! Delivery over TLS: whom the sink trusts, what it shows, and what it says when one of these does not fit.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::time::Duration;

use otlp_sink::{
    ExportErrorKind, OtlpConfig, Output, Protocol, Sink, SinkConfig, SpanContext, SpanKind, SpanWriter, probe,
};
use testkit::otlp_server::OtlpServer;
use testkit::tls::{Authority, Pair, server_config};
use tokio::runtime::Handle;

/// Generous: for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// Has the sink show a certificate of this authority.
fn show(authority: &Authority, otlp: &mut OtlpConfig) {
    let client = authority.pair("client", |_| {});
    otlp.tls.client_certificate = Some(authority.write("client.pem", &client.certificate.pem()));
    otlp.tls.client_key = Some(authority.write("client.key", &client.key.serialize_pem()));
}

async fn serve(pair: &Pair, clients: Option<&Authority>) -> OtlpServer {
    OtlpServer::start_local_tls(server_config(pair, clients)).await.unwrap()
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::HttpProtobuf];

/// To that server, with trust in that authority alone.
fn otlp(server: &OtlpServer, protocol: Protocol, trusted: &Authority) -> OtlpConfig {
    let endpoint = match protocol {
        Protocol::Grpc => server.grpc_endpoint(),
        _ => server.http_traces_endpoint(),
    };
    let mut otlp = OtlpConfig::new(protocol, &endpoint).unwrap();
    otlp.tls.certificate = Some(trusted.file());
    otlp
}

/// What a probe says that cannot get through.
async fn failure(otlp: &OtlpConfig) -> String {
    let error = probe(otlp).await.unwrap_err();
    assert_eq!(error.kind, ExportErrorKind::Unreachable, "{error}");
    error.to_string()
}

fn write(writer: &mut SpanWriter, index: u64) {
    let context = SpanContext { trace_id: [1; 16], span_id: (index + 1).to_be_bytes(), parent_span_id: None };
    writer.span(context, "test", SpanKind::Internal, 1, 2);
}

fn start(otlp: OtlpConfig) -> Sink {
    let mut config = SinkConfig::default().with_output(Output::Otlp(otlp));
    config.max_batch_spans = 10.try_into().unwrap();
    config.retry_initial = Duration::from_millis(20);
    config.reconnect_max = Duration::from_millis(100);
    Sink::start(config, &Handle::current()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_arrive_where_the_authority_is_trusted() {
    let authority = Authority::new();
    for protocol in PROTOCOLS {
        for clients in [None, Some(&authority)] {
            let server = serve(&authority.server(), clients).await;
            let mut otlp = otlp(&server, protocol, &authority);
            if let Some(authority) = clients {
                show(authority, &mut otlp);
            }
            let sink = start(otlp);
            let mut writer = sink.writer();
            (0..95).for_each(|index| write(&mut writer, index));
            drop(writer);
            let report = sink.shutdown(PATIENCE).await;
            assert_eq!((report.exported, report.dropped, report.remaining), (95, 0, 0), "{protocol}");
            assert_eq!(server.shutdown().await.len(), 95);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_named() {
    let (authority, other) = (Authority::new(), Authority::new());
    for protocol in PROTOCOLS {
        let server = serve(&authority.server(), None).await;
        let message = failure(&otlp(&server, protocol, &other)).await;
        assert!(message.contains("signed by no authority that is trusted here"), "{message}");

        let expired = authority.pair("127.0.0.1", |params| params.not_after = testkit::tls::date(2020, 1, 1));
        let message = failure(&otlp(&serve(&expired, None).await, protocol, &authority)).await;
        assert!(message.contains("its certificate has expired"), "{message}");

        let elsewhere = serve(&authority.pair("collector.example", |_| {}), None).await;
        let mut otlp_elsewhere = otlp(&elsewhere, protocol, &authority);
        let message = failure(&otlp_elsewhere).await;
        assert!(message.contains("its certificate is for another name"), "{message}");
        otlp_elsewhere.tls.server_name = Some("collector.example".to_owned());
        probe(&otlp_elsewhere).await.unwrap();

        let strict = serve(&authority.server(), Some(&authority)).await;
        let mut anonymous = otlp(&strict, protocol, &authority);
        let message = failure(&anonymous).await;
        assert!(message.contains("it asks for a client certificate"), "{protocol}: {message}");
        show(&other, &mut anonymous);
        let message = failure(&anonymous).await;
        assert!(message.contains("it does not take the client certificate"), "{message}");
    }
}

/// Neither side talks in plain text when the other does not answer in TLS.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_plain_text_where_tls_was_asked_for() {
    let authority = Authority::new();
    for protocol in PROTOCOLS {
        let plain = OtlpServer::start_local().await.unwrap();
        let mut otlp = otlp(&plain, protocol, &authority);
        otlp.endpoint = otlp.endpoint.to_string().replace("http://", "https://").parse().unwrap();
        let message = failure(&otlp).await;
        assert!(message.contains("it does not speak TLS"), "{message}");
        assert!(plain.requests().is_empty());
    }
}

/// The receiver gets a certificate of another authority, and the sink a file with that, while spans come.
#[tokio::test(flavor = "multi_thread")]
async fn certificates_change_without_losing_a_span() {
    for protocol in PROTOCOLS {
        let (before, after) = (Authority::new(), Authority::new());
        let mut server = serve(&before.server(), Some(&before)).await;
        let mut otlp = otlp(&server, protocol, &before);
        show(&before, &mut otlp);
        let files = otlp.tls.clone();
        let sink = start(otlp);
        let mut writer = sink.writer();
        (0..1000).for_each(|index| write(&mut writer, index));
        server.wait_for_spans(500, PATIENCE).await;
        server.restart_tls(server_config(&after.server(), Some(&after))).await.unwrap();
        (1000..2000).for_each(|index| write(&mut writer, index));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut shown = OtlpConfig::new(protocol, "https://127.0.0.1").unwrap();
        show(&after, &mut shown);
        for (from, to) in [
            (&Some(after.file()), &files.certificate),
            (&shown.tls.client_key, &files.client_key),
            (&shown.tls.client_certificate, &files.client_certificate),
        ] {
            fs::copy(from.as_ref().unwrap(), to.as_ref().unwrap()).unwrap();
        }
        (2000..3000).for_each(|index| write(&mut writer, index));
        drop(writer);
        let report = sink.shutdown(PATIENCE).await;
        assert_eq!((report.exported, report.dropped, report.remaining), (3000, 0, 0), "{protocol}");
        let mut ids: Vec<_> = server.shutdown().await.into_iter().map(|span| span.span_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 3000);
    }
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let start = |change: &dyn Fn(&mut OtlpConfig)| {
        let mut otlp = OtlpConfig::new(Protocol::Grpc, "https://127.0.0.1:4317").unwrap();
        otlp.tls.certificate = Some(authority.file());
        change(&mut otlp);
        Sink::start(SinkConfig::default().with_output(Output::Otlp(otlp)), &Handle::current()).unwrap_err().to_string()
    };
    let missing = authority.file().with_file_name("missing");
    let error = start(&|otlp| otlp.tls.certificate = Some(missing.clone()));
    assert!(error.contains(&format!("cannot use {}", missing.display())), "{error}");
    let empty = authority.write("empty.pem", "no PEM\n");
    let error = start(&|otlp| otlp.tls.certificate = Some(empty.clone()));
    assert!(error.ends_with("empty.pem: no certificate in it"), "{error}");
    let error = start(&|otlp| {
        show(&authority, otlp);
        otlp.tls.client_key = Some(authority.write("other.key", &authority.server().key.serialize_pem()));
    });
    assert!(error.contains("other.key: not the key of"), "{error}");
    let error = start(&|otlp| {
        show(&authority, otlp);
        otlp.tls.client_key = None;
    });
    assert!(error.contains("a client certificate and its key are both needed"), "{error}");
    let error = start(&|otlp| otlp.tls.server_name = Some("not a name".to_owned()));
    assert!(error.contains("invalid server name \"not a name\""), "{error}");
}
