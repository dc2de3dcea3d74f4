//! Spans to OTLP bytes, with a bounded queue, retry and graceful drain.
