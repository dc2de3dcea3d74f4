use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use anyhow::anyhow;
use otlp_sink::{OtlpConfig, Protocol, Signal};
use testkit::otlp_server::{Metric, OtlpServer, Respond, metric, number_data_point};
use tokio::sync::oneshot;
use xdp_counters::Reading;

use super::super::fake::{self, Logged};
use super::super::target::Target;
use super::*;

fn missing() -> Result<Reading, NoReading> {
    Err(NoReading::Missing(anyhow!("there is no map xdp_stats_map")))
}

fn watched<I>(readings: I) -> Watched
where
    I: IntoIterator<Item = Result<Reading, NoReading>>,
    I::IntoIter: Send + 'static,
{
    Watched::new(Target::Name("xdp_stats_map".to_owned()), fake::read(readings), false)
}

/// Packets that each reading showed, `None` when there was no map, until readings have been `count`.
async fn run(maps: Vec<Watched>, fail_on_missing: bool, count: usize) -> (anyhow::Result<()>, Vec<Option<u64>>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (stop, shown) = (Mutex::new(Some(stop)), Mutex::new(Vec::new()));
    let read = |snapshot: Snapshot| {
        let mut shown = shown.lock().unwrap();
        shown.push(snapshot.maps[0].sample.as_ref().map(|sample| sample.total.packets));
        if shown.len() == count {
            stop.lock().unwrap().take();
        }
    };
    let stopped = async {
        _ = stopped.await;
        Ok(())
    };
    let (liveness, start) = (Liveness::default(), Instant::now());
    let pulse = liveness.watch(start);
    let ended = Reader { maps, fail_on_missing }.run(Duration::from_secs(1), stopped, &pulse, read).await;
    let stuck = |seconds| liveness.stuck(start + Duration::from_secs(seconds));
    assert_eq!((stuck(60), stuck(120)), (None, Some(0)), "there are beats while it runs, and none after");
    (ended, shown.into_inner().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_map_that_goes_is_looked_for_until_the_end() {
    let readings = [Ok(fake::reading(7, 0.0, 5)), missing(), missing(), Ok(fake::reading(8, 3.0, 2))];
    let (ended, shown) = run(vec![watched(readings)], false, 4).await;
    ended.unwrap();
    assert_eq!(shown, [Some(5), None, None, Some(2), None], "and once at the end");
}

#[tokio::test(start_paused = true)]
async fn a_map_that_goes_is_a_failure_if_it_is_to_be_one() {
    let (ended, shown) = run(vec![watched([Ok(fake::reading(7, 0.0, 5)), missing()])], true, 9).await;
    assert_eq!(ended.unwrap_err().to_string(), "there is no map xdp_stats_map");
    assert_eq!(shown, [Some(5), None], "what is missing is shown before");
}

#[tokio::test(start_paused = true)]
async fn flows_that_end_end_it_after_another_reading() {
    let reader = Reader { maps: vec![watched([Ok(fake::reading(7, 0.0, 5))])], fail_on_missing: false };
    let readings = Mutex::new(Vec::new());
    let read = |snapshot| readings.lock().unwrap().push(status(&snapshot));
    let pulse = Liveness::default().watch(Instant::now());
    let ended = reader.run(READ_INTERVAL, async { Err(anyhow!("cannot take flows")) }, &pulse, read).await;
    assert_eq!(ended.unwrap_err().to_string(), "cannot take flows");
    assert_eq!(readings.into_inner().unwrap(), ["1 of 1 maps, 5 packets"]);
}

#[test]
fn what_cannot_be_read_at_first_ends_it() {
    let first = |reading, fail_on_missing| Reader { maps: vec![watched([reading])], fail_on_missing }.first();
    let denied = || Err(NoReading::Failed(anyhow!("looking for map a takes the capability CAP_SYS_ADMIN")));
    assert!(first(denied(), false).unwrap_err().to_string().contains("CAP_SYS_ADMIN"));
    assert!(first(missing(), true).is_err());
    assert!(first(missing(), false).unwrap().maps[0].sample.is_none());
}

#[test]
fn one_map_that_is_missing_keeps_no_other_from_being_read() {
    let maps = vec![watched([missing()]), watched([Ok(fake::reading(7, 0.0, 5))])];
    let snapshot = Reader { maps, fail_on_missing: false }.first().unwrap();
    assert_eq!(status(&snapshot), "1 of 2 maps, 5 packets");
}

fn snapshot(maps: &mut [Watched], seconds: f64) -> Snapshot {
    maps.iter_mut().for_each(|map| _ = map.look(Instant::now()));
    Snapshot { time: fake::time(seconds), maps: maps.iter().map(Watched::seen).collect() }
}

fn push(endpoint: &str, is_delta: bool) -> Push {
    let mut config = OtlpConfig::new(Protocol::Grpc, endpoint).unwrap();
    config.signal = Signal::Metrics;
    config.timeout = Duration::from_secs(20);
    Push::new(&config, &[], is_delta, fake::time(0.0)).unwrap()
}

/// Values of counters and gauges by name, in order of arrival.
fn values(metrics: &[Metric]) -> BTreeMap<&str, Vec<f64>> {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for metric in metrics {
        let points = match &metric.data {
            Some(metric::Data::Sum(sum)) => &sum.data_points,
            Some(metric::Data::Gauge(gauge)) => &gauge.data_points,
            other => panic!("{other:?}"),
        };
        let value = |point: &testkit::otlp_server::NumberDataPoint| match point.value {
            Some(number_data_point::Value::AsInt(value)) => value as f64,
            Some(number_data_point::Value::AsDouble(value)) => value,
            None => panic!("{point:?}"),
        };
        values.entry(&metric.name).or_default().extend(points.iter().map(value));
    }
    values
}

/// The first at once, others at their time, one at the end.
#[tokio::test]
async fn what_was_read_last_is_exported_at_the_end() {
    let server = OtlpServer::start_local().await.unwrap();
    let mut maps = [watched([(0.0, 10), (2.0, 30)].map(|(at, packets)| Ok(fake::reading(7, at, packets))))];
    let (snapshots, latest) = watch::channel(snapshot(&mut maps, 0.0));
    let hour = Duration::from_secs(3600);
    let now = |maps: &[Seen]| metrics(maps, Counting::Series, false);
    let task = tokio::spawn(export(push(&server.grpc_endpoint(), false), latest, hour, now));
    server.wait_for_requests(1, Duration::from_secs(30)).await;
    snapshots.send_replace(snapshot(&mut maps, 2.0));
    drop(snapshots);
    task.await.unwrap();
    let metrics = server.metrics();
    let values = values(&metrics);
    assert_eq!(values["xdp.packets.total"], [10.0, 30.0]);
    assert_eq!(values["xdp.bytes.total"], [600.0, 1800.0]);
    assert_eq!(values["xdp.packets.rate"], [10.0], "the first reading has none");
    assert_eq!(values["xdp.exporter.map.up"], [1.0, 1.0]);
    let units: BTreeMap<_, _> = metrics.iter().map(|metric| (&*metric.name, &*metric.unit)).collect();
    let contract =
        [("xdp.packets.total", "packets"), ("xdp.bytes.total", "bytes"), ("xdp.packets.rate", "packets/sec")];
    contract.into_iter().for_each(|(name, unit)| assert_eq!(units[name], unit, "X5 of the contract"));
}

/// Of all the time from one export to the next; what a map had before it began anew counts.
#[test]
fn exported_rates_are_since_the_last_export() {
    let readings = [(0.0, 7, 10), (1.0, 7, 20), (2.0, 7, 120), (3.0, 7, 130), (4.0, 8, 3), (5.0, 8, 5)];
    let readings: Vec<_> = readings.map(|(at, id, packets)| Ok(fake::reading(id, at, packets))).into();
    let mut maps = [watched(readings.into_iter().chain([missing(), Ok(fake::reading(8, 7.0, 9))]))];
    let mut rates = Rates::default();
    let mut export_after = |readings| {
        (0..readings).for_each(|_| _ = maps[0].look(Instant::now()));
        let mut seen = [maps[0].seen()];
        rates.renew(&mut seen);
        seen[0].sample.as_ref().and_then(|sample| sample.packets_per_second)
    };
    assert_eq!([1, 2, 0, 1, 2].map(&mut export_after), [None, Some(55.0), Some(55.0), Some(10.0), Some(2.5)]);
    assert_eq!([1, 1].map(&mut export_after), [None, Some(2.0)], "as of a reading, after the map was missing");
}

/// A receiver that is away costs one warning, and no packet of a delta.
#[tokio::test]
async fn a_lost_export_is_in_the_next() {
    let log = Logged::default();
    let _guard = log.capture();
    let server = OtlpServer::start_local().await.unwrap();
    let readings = [(0.0, 100), (1.0, 110), (2.0, 120), (3.0, 5)];
    let mut maps = [watched(readings.map(|(at, packets)| Ok(fake::reading(7, at, packets))))];
    let mut push = push(&server.grpc_endpoint(), true);
    for (at, respond) in [Respond::Accept, Respond::Unavailable(None), Respond::Unavailable(None), Respond::Accept]
        .into_iter()
        .enumerate()
    {
        server.respond_with(respond);
        let snapshot = snapshot(&mut maps, at as f64);
        push.export(&metrics(&snapshot.maps, Counting::Watched, false), snapshot.time).await;
    }
    assert_eq!(values(&server.metrics())["xdp.packets.total"], [0.0, 25.0]);
    assert_eq!(values(&server.metrics())["xdp.exporter.resets"], [0.0, 1.0]);
    assert_eq!(log.text().matches("cannot deliver metrics").count(), 1, "{}", log.text());
    assert_eq!(log.text().matches("metrics are delivered again").count(), 1);
}

/// Reading goes on while a receiver does not answer.
#[tokio::test]
async fn a_receiver_that_hangs_stops_no_reading() {
    let server = OtlpServer::start_local().await.unwrap();
    server.respond_with(Respond::Hang);
    let mut maps = [watched([Ok(fake::reading(7, 0.0, 10))])];
    let (snapshots, latest) = watch::channel(snapshot(&mut maps, 0.0));
    let now = |maps: &[Seen]| metrics(maps, Counting::Series, false);
    let task = tokio::spawn(export(push(&server.grpc_endpoint(), false), latest.clone(), READ_INTERVAL, now));
    server.wait_for_requests(1, Duration::from_secs(30)).await;
    let is_read = AtomicBool::new(false);
    let (stop, stopped) = oneshot::channel::<()>();
    let stop = Mutex::new(Some(stop));
    let read = |snapshot| {
        snapshots.send_replace(snapshot);
        is_read.store(true, SeqCst);
        stop.lock().unwrap().take();
    };
    let reader = Reader { maps: vec![watched([Ok(fake::reading(7, 1.0, 20))])], fail_on_missing: false };
    let pulse = Liveness::default().watch(Instant::now());
    reader.run(Duration::from_millis(1), async { Ok(_ = stopped.await) }, &pulse, read).await.unwrap();
    assert!(is_read.load(SeqCst));
    task.abort();
}
