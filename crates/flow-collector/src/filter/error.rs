//! Errors that point at the word they are about.

use std::fmt;

/// Why a filter cannot be used. Prints the line of the filter that it is about, with a caret under the word.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FilterError {
    message: String,
    /// The line of the filter that has the word, without what may harm a terminal.
    line: String,
    /// Characters in front of the word, and of the word.
    before: usize,
    width: usize,
}

/// More of a long line is not shown, on either side of the word.
const SHOWN: usize = 60;

impl FilterError {
    /// About the `len` bytes of a text from `at` on.
    pub(super) fn new(message: String, text: &str, at: usize, len: usize) -> Self {
        let start = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = text[at..].find('\n').map_or(text.len(), |len| at + len);
        let shown = |part: &str| part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
        let before = shown(&text[start..at]);
        let word = shown(text[at..end].get(..len).unwrap_or(&text[at..end]));
        let after: String = shown(&text[at..end]).chars().skip(word.chars().count()).collect();
        let skipped = before.chars().count().saturating_sub(SHOWN);
        let mut line: String = before.chars().skip(skipped).collect();
        if skipped > 0 {
            line = format!("... {line}");
        }
        let before = line.chars().count();
        line.push_str(&word);
        line.extend(after.chars().take(SHOWN));
        if after.chars().count() > SHOWN {
            line.push_str(" ...");
        }
        Self { message, line, before, width: word.chars().count().max(1) }
    }

    /// What is wrong, without the place.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { message, line, before, width } = self;
        write!(f, "{message}\n  {line}\n  {:before$}{:^<width$}", "", "")
    }
}
