//! Failures and what they mean for the exit code.

use std::io;
use std::process::ExitCode;

use crate::terminal;

/// The command was asked for something that it cannot do; nothing was tried. Exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct UsageError(String);

impl UsageError {
    pub(crate) fn new(message: impl ToString) -> Self {
        Self(message.to_string())
    }
}

/// Ends the command: 0, also when the reader of standard output is gone; 2 for usage errors; 1 for everything else,
/// with the chain of causes on one line.
pub(crate) fn conclude(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if let Some(error) = error.downcast_ref::<clap::Error>() {
        // Help and version come as "errors" that go to standard output.
        let printed = error.print();
        return if error.use_stderr() || printed.is_err() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    if is_broken_pipe(&error) {
        return ExitCode::SUCCESS;
    }
    if let Some(error) = error.downcast_ref::<UsageError>() {
        // May have a line with a caret below.
        terminal::say(format_args!("error: {error}"));
        return ExitCode::from(2);
    }
    terminal::say(format_args!("error: {}", one_line(&error)));
    ExitCode::FAILURE
}

/// The causes from the outermost in, each once: many errors already quote their source.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(|cause| cause.to_string().replace('\n', " ")) {
        if line.ends_with(&cause) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&cause);
    }
    line
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn causes_come_once_and_on_one_line() {
        let error = Err::<(), _>(anyhow!("no route\nto host")).context("cannot connect").unwrap_err();
        assert_eq!(one_line(&error), "cannot connect: no route to host");
        let error = Err::<(), _>(anyhow!("no route")).context("cannot connect: no route").unwrap_err();
        assert_eq!(one_line(&error), "cannot connect: no route");
    }

    #[test]
    fn broken_pipe_is_found_below_other_causes() {
        let pipe = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::new(pipe).context("cannot write records")));
        assert!(!is_broken_pipe(&anyhow!("broken pipe")));
    }
}
