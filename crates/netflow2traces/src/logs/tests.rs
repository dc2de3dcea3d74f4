use testkit::otlp_server::{Code, OtlpServer, Respond, StatusCode};
use tracing::{debug, error};
use tracing_subscriber::layer::SubscriberExt;

use super::*;

/// What `say` says, in a queue.
fn said(say: impl FnOnce()) -> Lines {
    let (layer, lines) = queue(Limits::default());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
    lines
}

#[test]
fn a_line_becomes_a_record() {
    let mut lines = said(|| {
        error!(target: "otlp_sink::sink", count = 3_u64, ratio = 0.5, spooled = true, path = %"/x", "cannot write");
    });
    let Line { target, record } = lines.queue.try_recv().unwrap();
    assert_eq!((target, record.severity_number, &*record.severity_text), ("otlp_sink::sink", 17, "ERROR"));
    let string = |text: &str| Value::StringValue(text.to_owned());
    assert_eq!(record.body.unwrap().value, Some(string("cannot write")));
    let attributes = record.attributes.into_iter().map(|of| (of.key, of.value.unwrap().value.unwrap()));
    let expected = [
        ("count", Value::IntValue(3)),
        ("ratio", Value::DoubleValue(0.5)),
        ("spooled", Value::BoolValue(true)),
        ("path", string("/x")),
    ];
    assert_eq!(attributes.collect::<Vec<_>>(), expected.map(|(key, value)| (key.to_owned(), value)));
    assert!(record.time_unix_nano > 0);
}

/// Nor do lines of our own about the log.
#[test]
fn lines_about_requests_make_no_requests() {
    let mut lines = said(|| {
        debug!(target: "hyper::proto", "flushed");
        debug!(target: "otlp_sinkhole", "no crate of ours");
        warn!(target: "netflow2traces::logs", "cannot deliver the log");
    });
    assert!(lines.queue.try_recv().is_err());
    assert!(is_sent("netflow2traces") && is_sent("netflow2traces::collect"));
}

#[test]
fn what_does_not_fit_is_counted_and_waits_for_nobody() {
    let lines = said(|| (0..2048 + 5).for_each(|_| warn!(target: "netflow2traces", "again")));
    assert_eq!((lines.queue.len(), lines.stats.queue_full.load(Relaxed)), (2048, 5));
    let mut lines = said(|| warn!(target: "netflow2traces", text = "é".repeat(MAX_TEXT_LEN), "long"));
    let record = lines.queue.try_recv().unwrap().record;
    let Some(Value::StringValue(text)) = record.attributes[0].value.clone().unwrap().value else { panic!() };
    assert_eq!(text.len(), MAX_TEXT_LEN);
}

fn exporter(server: &OtlpServer, protocol: Protocol) -> Exporter {
    let endpoint = match protocol {
        Protocol::Grpc => server.grpc_endpoint(),
        _ => format!("{}/v1/logs", server.http_endpoint()),
    };
    let mut config = OtlpConfig::new(protocol, &endpoint).unwrap();
    config.signal = otlp_sink::Signal::Logs;
    Exporter::new(&config, &[("service.name".to_owned(), "lab".to_owned())]).unwrap()
}

/// More than two requests hold, of two scopes; the first attempt fails.
#[tokio::test]
async fn lines_wait_for_the_receiver_and_the_last_ones_are_sent() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Unavailable(None));
    let count = 2 * 512 + 1;
    let lines = said(|| {
        for number in 0..count {
            if number % 2 == 0 { info!(target: "netflow2traces", number) } else { info!(target: "otlp_sink", number) }
        }
    });
    let stats = lines.stats.clone();
    let (finish, finished) = oneshot::channel();
    let task = tokio::spawn(exporter(&server, Protocol::Grpc).run(lines, finished));
    server.wait_for_requests(1, Duration::from_secs(20)).await;
    assert_eq!(stats.exported.load(Relaxed), 0);
    server.respond_with(Respond::Accept);
    drop(finish);
    task.await.unwrap();
    assert_eq!(stats.exported.load(Relaxed), count as u64);
    let logs = server.resource_logs();
    assert_eq!(logs[0].resource.as_ref().unwrap().attributes[0].key, "service.name");
    let scopes = logs.iter().flat_map(|of| &of.scope_logs);
    let mut by_scope: BTreeMap<&str, usize> = BTreeMap::new();
    for scope in scopes {
        *by_scope.entry(&scope.scope.as_ref().unwrap().name).or_default() += scope.log_records.len();
    }
    assert_eq!(by_scope, BTreeMap::from([("netflow2traces", count / 2 + 1), ("otlp_sink", count / 2)]));
}

#[test]
fn limits_are_those_of_the_specification() {
    let read = |variables: &[(&str, &str)]| {
        let get = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Limits::read(get)
    };
    assert_eq!(read(&[("OTEL_BLRP_SCHEDULE_DELAY", "")]), (Limits::default(), Vec::new()));
    let all = [
        ("OTEL_BLRP_SCHEDULE_DELAY", "200"),
        ("OTEL_BLRP_EXPORT_TIMEOUT", "5000"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", "10"),
    ];
    let (delay, timeout) = (Duration::from_millis(200), Duration::from_secs(5));
    assert_eq!(read(&all), (Limits { queued: 100, batch: 10, delay, timeout }, Vec::new()));
    assert_eq!(read(&all[..3]).0.batch, 100, "no more than can wait");
    for value in ["0", "-1", "1s", "99999999999"] {
        let bad = all.map(|(name, _)| (name, value));
        assert_eq!(read(&bad), (Limits::default(), bad.map(|(name, value)| (name, value.to_owned())).to_vec()));
    }
}

/// Whatever the delay is.
#[tokio::test]
async fn a_full_request_waits_for_no_more() {
    let server = OtlpServer::start_local().await.unwrap();
    let mut lines = said(|| (0..6).for_each(|number| info!(target: "netflow2traces", number)));
    (lines.limits.batch, lines.limits.delay) = (3, Duration::from_secs(3600));
    let (_finish, finished) = oneshot::channel();
    let task = tokio::spawn(exporter(&server, Protocol::Grpc).run(lines, finished));
    server.wait_for_requests(2, Duration::from_secs(20)).await;
    task.abort();
}

/// A request for every three lines, and one that hangs is given up.
#[tokio::test]
async fn limits_hold() {
    let server = OtlpServer::start_local().await.unwrap();
    let mut lines = said(|| (0..7).for_each(|number| info!(target: "netflow2traces", number)));
    lines.limits.batch = 3;
    lines.limits.timeout = Duration::from_millis(50);
    let stats = lines.stats.clone();
    let exporter = exporter(&server, Protocol::Grpc);
    server.respond_with(Respond::Hang);
    let mut batch = exporter.batch(3);
    batch.fill(&mut lines.queue);
    assert!(!exporter.send(&mut batch, lines.limits.timeout, &stats).await, "another attempt");
    server.respond_with(Respond::Accept);
    lines.limits.timeout = Duration::from_secs(30);
    assert!(exporter.send(&mut batch, lines.limits.timeout, &stats).await && batch.lines.is_empty());
    let (finish, finished) = oneshot::channel();
    let task = tokio::spawn(exporter.run(lines, finished));
    drop(finish);
    task.await.unwrap();
    assert_eq!(stats.exported.load(Relaxed), 7);
    let scopes = server.resource_logs();
    let scopes = scopes.iter().flat_map(|of| &of.scope_logs);
    assert_eq!(scopes.map(|of| of.log_records.len()).collect::<Vec<_>>(), [3, 3, 1]);
}

/// As many lines as are allowed may be more bytes than receivers take.
#[tokio::test]
async fn a_request_is_no_larger_than_receivers_take() {
    let server = OtlpServer::start_local().await.unwrap();
    let text = "\"".repeat(MAX_TEXT_LEN);
    for text in [&text, ""] {
        let long_and_short = || (0..2048).for_each(|count| info!(target: "netflow2traces", text, count, "line"));
        let json = exporter(&server, Protocol::HttpJson);
        let mut batch = json.batch(2048);
        batch.fill(&mut said(long_and_short).queue);
        assert!(json.encode(&json.request(&batch.lines)).unwrap().len() < 4 << 20);
        server.respond_with(Respond::Limit(4 << 20));
        let mut lines = said(long_and_short);
        lines.limits.batch = 2048;
        let stats = lines.stats.clone();
        let (_, finished) = oneshot::channel();
        exporter(&server, Protocol::Grpc).run(lines, finished).await;
        assert_eq!((stats.exported.load(Relaxed), stats.refused.load(Relaxed)), (2048, 0));
    }
}

#[tokio::test]
async fn what_is_not_taken_is_counted_by_its_reason() {
    let server = OtlpServer::start_local().await.unwrap();
    let exporter = exporter(&server, Protocol::Grpc);
    for (respond, exported, rejected, refused) in [
        (Respond::PartialSuccess(1, "too old"), 1, 1, 0),
        (Respond::Refuse(Code::InvalidArgument, StatusCode::BAD_REQUEST), 0, 0, 2),
    ] {
        server.respond_with(respond);
        let Lines { mut queue, stats, .. } = said(|| (0..2).for_each(|_| info!(target: "netflow2traces", "line")));
        let mut batch = exporter.batch(512);
        batch.fill(&mut queue);
        assert!(exporter.send(&mut batch, Duration::from_secs(30), &stats).await && batch.lines.is_empty());
        let count = |of: &AtomicU64| of.load(Relaxed);
        let counts = (count(&stats.exported), count(&stats.rejected), count(&stats.refused));
        assert_eq!(counts, (exported, rejected, refused));
    }
}
