//! OTLP JSON lines, the format of the OpenTelemetry file exporter: one `TracesData` object a line.

use std::io::{self, Write};

use crate::json;

/// The line of a request, with its end.
pub(crate) fn line(request: &[u8]) -> Vec<u8> {
    let mut line = json::to_json(request);
    line.push(b'\n');
    line
}

pub(crate) fn write(out: &mut dyn Write, request: &[u8]) -> io::Result<()> {
    // One write a line, so that a reader of the output sees whole lines.
    out.write_all(&line(request))?;
    out.flush()
}
