//! The words and signs of a filter.

use nom::bytes::complete::{tag, take_while1};
use nom::error::{ErrorKind, ParseError};
use nom::{IResult, Parser};

use super::error::FilterError;

pub(super) type Parsed<'a, T> = IResult<&'a str, T, Fail<'a>>;

/// What is wrong, and the rest of the text from there on.
#[derive(Debug)]
pub(super) struct Fail<'a> {
    at: &'a str,
    message: String,
}

impl<'a> ParseError<&'a str> for Fail<'a> {
    fn from_error_kind(at: &'a str, _: ErrorKind) -> Self {
        Self { at, message: String::new() }
    }

    fn append(_: &'a str, _: ErrorKind, other: Self) -> Self {
        other
    }
}

pub(super) fn located(error: nom::Err<Fail<'_>>, text: &str) -> FilterError {
    let (at, message) = match error {
        nom::Err::Error(fail) | nom::Err::Failure(fail) => (fail.at, fail.message),
        nom::Err::Incomplete(_) => ("", String::new()),
    };
    FilterError::new(message, text, text.len() - at.len(), found(at).len())
}

/// The word, sign or name in quotes that a text begins with.
pub(super) fn found(at: &str) -> &str {
    if let Some((name, _)) = quoted(at) {
        return &at[..name.len() + 2];
    }
    let word = at.find(|c| !is_word(c)).unwrap_or(at.len());
    let len = if word > 0 { word } else { at.chars().next().map_or(0, char::len_utf8) };
    &at[..len]
}

pub(super) fn fail<'a>(at: &'a str, message: impl Into<String>) -> nom::Err<Fail<'a>> {
    nom::Err::Failure(Fail { at, message: message.into() })
}

pub(super) fn expected<'a>(at: &'a str, what: impl std::fmt::Display) -> nom::Err<Fail<'a>> {
    let found = match found(at) {
        "" => "nothing more".to_owned(),
        found => format!("{found:?}"),
    };
    fail(at, format!("expected {what}, found {found}"))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/')
}

/// The name in the quotes that a text begins with, and the text behind them.
pub(super) fn quoted(at: &str) -> Option<(&str, &str)> {
    let quote = at.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, rest) = at[1..].split_once(quote)?;
    (!name.is_empty() && !name.contains(char::is_control)).then_some((name, rest))
}

/// The text behind spaces and comments.
pub(super) fn space(mut input: &str) -> &str {
    loop {
        input = input.trim_start();
        let Some(comment) = input.strip_prefix('#') else {
            return input;
        };
        input = comment.find('\n').map_or("", |end| &comment[end..]);
    }
}

/// A word, and the text from it on.
pub(super) fn word(input: &str) -> Parsed<'_, &str> {
    take_while1(is_word).parse(space(input))
}

/// This word in any case.
pub(super) fn keyword<'a>(keyword: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| {
        let (rest, word) = word(input)?;
        if word.eq_ignore_ascii_case(keyword) { Ok((rest, ())) } else { Err(not_this(input)) }
    }
}

pub(super) fn sign<'a>(sign: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| tag(sign).map(drop).parse(space(input))
}

fn not_this(input: &str) -> nom::Err<Fail<'_>> {
    nom::Err::Error(Fail { at: input, message: String::new() })
}

pub(super) fn either<'a>(
    first: impl FnMut(&'a str) -> Parsed<'a, ()>,
    second: impl FnMut(&'a str) -> Parsed<'a, ()>,
) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    let mut parsers = nom::branch::alt((first, second));
    move |input| parsers.parse(input)
}
