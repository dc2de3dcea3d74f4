//! OTLP JSON lines, the format of the OpenTelemetry file exporter: one `TracesData` object a line.

use std::io::{self, Write};

use crate::json;

pub(crate) fn write(out: &mut dyn Write, request: &[u8]) -> io::Result<()> {
    let mut line = json::to_json(request);
    line.push(b'\n');
    // One write a line, so that a reader of the file sees whole lines.
    out.write_all(&line)?;
    out.flush()
}
