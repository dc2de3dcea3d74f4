//! Lines for people on standard error, outside the log.

use std::fmt;
use std::io::{self, Write};

/// Prints a line on standard error; if that is closed, nobody listens.
pub(crate) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}
