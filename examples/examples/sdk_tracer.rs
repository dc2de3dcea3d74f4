//! Puts `otlp-sink` under a tracer of the OpenTelemetry SDK: spans go to the receiver of the OTLP variables, or to standard
//! output, and wait in the sink while the receiver is away.
//!
//! ```text
//! cargo run -p netflow2traces-examples --example sdk_tracer
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 cargo run -p netflow2traces-examples --example sdk_tracer
//! ```

use std::error::Error;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use otlp_sink::config::env;
use otlp_sink::{Output, SdkExporter, Signal, Sink, SinkConfig, StdoutFormat};

fn main() -> Result<(), Box<dyn Error>> {
    let variable = |name: &str| std::env::var(name).ok();
    let output = match env::has_endpoint(variable) {
        true => Output::Otlp(env::otlp(Signal::Traces, variable)?),
        false => Output::Stdout(StdoutFormat::Auto),
    };

    // The sink's requests run here. A program that has a runtime passes that one.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let sink = Sink::start(SinkConfig::default().with_output(output), runtime.handle())?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name("sdk-tracer").build())
        .with_batch_exporter(SdkExporter::new(sink.clone()))
        .build();

    let tracer = provider.tracer("sdk-tracer");
    tracer.in_span("list", |context| {
        for name in ["Cargo.toml", "Cargo.lock"] {
            stat(&tracer, name);
        }
        context.span().add_event("listed", vec![KeyValue::new("file.count", 2)]);
    });

    // Exports what the processor has, then delivers what the sink has.
    provider.shutdown()?;
    let stats = sink.stats();
    eprintln!("{} spans exported, {} dropped, {} not delivered", stats.exported(), stats.dropped(), stats.pending());
    Ok(())
}

fn stat(tracer: &SdkTracer, name: &'static str) {
    tracer.in_span("stat", |context| {
        let span = context.span();
        span.set_attribute(KeyValue::new("file.name", name));
        match std::fs::metadata(name) {
            Ok(file) => span.set_attribute(KeyValue::new("file.size", file.len() as i64)),
            Err(error) => span.set_status(Status::error(error.to_string())),
        }
    });
}
