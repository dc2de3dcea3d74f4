//! Whether what came is found again in the metrics, each part of it once.

use std::thread;
use std::time::{Duration, Instant};

use super::scrape::Scrape;

/// How long that may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the metrics do not account for of so many datagrams, if anything.
pub(crate) fn missing(metrics: &Scrape, sent: u64) -> Result<(), String> {
    let came = metrics.sum("netflow_collector_datagrams_total") + metrics.sum("netflow_collector_dropped_total");
    equal("datagrams", sent, came)?;
    missing_of_received(metrics)
}

/// The same of the datagrams that it says were received.
pub(crate) fn missing_of_received(metrics: &Scrape) -> Result<(), String> {
    let decoding = metrics.sum("netflow_decode_duration_seconds_count");
    equal("decoded", metrics.sum("netflow_collector_datagrams_total"), decoding)?;
    for name in ["datagrams", "bytes", "records", "templates", "sequence_gaps"] {
        let [total, each] = ["collector", "exporter"].map(|of| format!("netflow_{of}_{name}_total"));
        equal(&each, metrics.sum(&total), metrics.sum(&each))?;
    }
    for name in ["dropped", "records_dropped"] {
        let [total, each] = ["collector", "exporter"].map(|of| format!("netflow_{of}_{name}_total"));
        equal(&each, metrics.only("error_type", "rate_limit").sum(&total), metrics.sum(&each))?;
    }
    let with_span = metrics.sum("netflow_collector_flow_spans_total");
    let records = with_span + metrics.sum("netflow_collector_records_dropped_total");
    equal("records", metrics.sum("netflow_collector_records_total"), records)?;
    let outputs = metrics.values_of("otel_component_name");
    assert!(!outputs.is_empty());
    outputs.iter().try_for_each(|output| missing_of_output(metrics, output))
}

/// Spans, by what has become of them in an output.
fn missing_of_output(metrics: &Scrape, output: &str) -> Result<(), String> {
    let of_output = metrics.only("otel_component_name", output);
    let [processed, exported] =
        ["processor_span_processed", "exporter_span_exported"].map(|name| format!("otel_sdk_{name}_total"));
    let held = ["otel_sdk_processor_span_queue_size", "otel_sdk_exporter_span_inflight"];
    let held: u64 = held.iter().map(|name| of_output.sum(name)).sum();
    // Outputs without a spool have none of it.
    let of_spool = |name: &str| if of_output.names().contains(name) { of_output.sum(name) } else { 0 };
    let came = metrics.sum("netflow_collector_spans_total") + of_spool("netflow_collector_spool_recovered_total");
    let known = of_output.sum(&processed) + held + of_spool("netflow_collector_spool_spans");
    equal(output, came, known)?;
    equal(output, of_output.without("error_type").sum(&processed), of_output.sum(&exported))
}

fn equal(what: &str, left: u64, right: u64) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("{what}: {left} != {right}")) }
}

/// Waits until everything is accounted for: metrics are read one after the other, while things go on.
pub(crate) fn account(server: &str, sent: u64) -> Scrape {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let metrics = Scrape::of(server);
        match missing(&metrics, sent) {
            Ok(()) => return metrics,
            Err(what) => assert!(Instant::now() < deadline, "{what}"),
        }
        thread::sleep(Duration::from_millis(20));
    }
}
