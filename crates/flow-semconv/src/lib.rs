//! Flow records as OpenTelemetry attributes and spans.
