//! Sends spans of one's own through `otlp-sink`: to the receiver of the OTLP variables, or to standard output.
//!
//! ```text
//! cargo run -p netflow2traces-examples --example send_spans
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 cargo run -p netflow2traces-examples --example send_spans
//! ```

use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use otlp_sink::config::env;
use otlp_sink::{AttributeKey, Output, Signal, Sink, SinkConfig, SpanContext, SpanKind, StdoutFormat};

static FILE: AttributeKey = AttributeKey::new("file.name");
static SIZE: AttributeKey = AttributeKey::new("file.size");

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).ok();
    let output = match env::has_endpoint(variable) {
        true => Output::Otlp(env::otlp(Signal::Traces, variable)?),
        false => Output::Stdout(StdoutFormat::Auto),
    };
    let config = SinkConfig::default().with_output(output).with_resource_attribute("service.name", "send-spans");

    // The runtime is for requests; spans are made on threads of one's own.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let sink = Sink::start(config, runtime.handle())?;
    let threads: Vec<_> = (1..=2)
        .map(|thread| {
            let mut writer = sink.writer();
            std::thread::spawn(move || {
                // Ids are random in earnest; this is enough for an example.
                let trace_id =
                    u128::from(now() + thread).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes();
                let root = SpanContext { trace_id, span_id: [1; 8], parent_span_id: None };
                let start = now();
                for (id, name) in (2_u64..).zip(["Cargo.toml", "Cargo.lock"]) {
                    let file_start = now();
                    let size = std::fs::metadata(name).map(|file| file.len());
                    let context = SpanContext { span_id: id.to_be_bytes(), parent_span_id: Some(root.span_id), ..root };
                    let mut span = writer.span(context, "stat", SpanKind::Internal, file_start, now());
                    span.str(&FILE, name);
                    match size {
                        Ok(size) => span.int(&SIZE, size as i64),
                        Err(error) => span.status_error(&error.to_string()),
                    };
                    span.end();
                }
                writer.span(root, "list", SpanKind::Internal, start, now()).end();
                // The writer hands over what it has when it goes out of scope.
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| "a thread panicked")?;
    }

    let report = runtime.block_on(sink.shutdown(Duration::from_secs(5)));
    eprintln!("{} spans exported, {} dropped, {} not delivered", report.exported, report.dropped, report.remaining);
    Ok(())
}

/// Unix time in nanoseconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64)
}
