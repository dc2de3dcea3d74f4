//! From text to expressions.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::error::{ErrorKind, ParseError};
use nom::multi::separated_list1;
use nom::{IResult, Parser};

use super::error::FilterError;
use super::expression::{Action, End, Expression, Rule, Test, Values};
use super::fact::mac;
use super::near::nearest;
use super::subject::{EXPORTER_NAME, Ends, FLAGS, Kind, SUBJECTS, Subject, protocol};

type Parsed<'a, T> = IResult<&'a str, T, Fail<'a>>;

/// What is wrong, and the rest of the text from there on.
#[derive(Debug)]
struct Fail<'a> {
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

/// Parentheses and `not` in each other.
const MAX_DEPTH: usize = 64;
/// Bytes of a text: some 50,000 networks.
const MAX_LENGTH: usize = 1 << 20;

/// Reads rules, with semicolons between them. An expression without an action is to be kept.
pub(super) fn rules(text: &str) -> Result<Vec<Rule>, FilterError> {
    if text.len() > MAX_LENGTH {
        return Err(FilterError::new(format!("a filter has {MAX_LENGTH} bytes at most"), text, 0, 1));
    }
    let mut rest = text;
    let mut rules = Vec::new();
    loop {
        let (after, rule) = rule(rest).map_err(|error| located(error, text))?;
        rules.push(rule);
        let after = space(after);
        if after.is_empty() {
            return Ok(rules);
        }
        let Some(next) = after.strip_prefix(';') else {
            let error = expected(after, joint_expected(after));
            return Err(located(error, text));
        };
        rest = next;
        if space(rest).is_empty() {
            return Ok(rules);
        }
    }
}

fn located(error: nom::Err<Fail<'_>>, text: &str) -> FilterError {
    let (at, message) = match error {
        nom::Err::Error(fail) | nom::Err::Failure(fail) => (fail.at, fail.message),
        nom::Err::Incomplete(_) => ("", String::new()),
    };
    FilterError::new(message, text, text.len() - at.len(), found(at).len())
}

/// The word, sign or name in quotes that a text begins with.
fn found(at: &str) -> &str {
    if let Some((name, _)) = quoted(at) {
        return &at[..name.len() + 2];
    }
    let word = at.find(|c| !is_word(c)).unwrap_or(at.len());
    let len = if word > 0 { word } else { at.chars().next().map_or(0, char::len_utf8) };
    &at[..len]
}

fn fail<'a>(at: &'a str, message: impl Into<String>) -> nom::Err<Fail<'a>> {
    nom::Err::Failure(Fail { at, message: message.into() })
}

fn expected<'a>(at: &'a str, what: impl std::fmt::Display) -> nom::Err<Fail<'a>> {
    let found = match found(at) {
        "" => "nothing more".to_owned(),
        found => format!("{found:?}"),
    };
    fail(at, format!("expected {what}, found {found}"))
}

fn joint_expected(at: &str) -> String {
    match found(at) {
        word if word.starts_with(|c: char| c.is_ascii_digit()) => {
            "`and` or `or` (several values are a list: `port in [80 443]`)".to_owned()
        }
        word => match nearest(word, ["and", "or"]) {
            Some(near) => format!("`and` or `or` (did you mean `{near}`?)"),
            None => "`and`, `or`, `;` or the end".to_owned(),
        },
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/')
}

/// The name in the quotes that a text begins with, and the text behind them.
fn quoted(at: &str) -> Option<(&str, &str)> {
    let quote = at.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, rest) = at[1..].split_once(quote)?;
    (!name.is_empty() && !name.contains(char::is_control)).then_some((name, rest))
}

/// The text behind spaces and comments.
fn space(mut input: &str) -> &str {
    loop {
        input = input.trim_start();
        let Some(comment) = input.strip_prefix('#') else {
            return input;
        };
        input = comment.find('\n').map_or("", |end| &comment[end..]);
    }
}

/// A word, and the text from it on.
fn word(input: &str) -> Parsed<'_, &str> {
    take_while1(is_word).parse(space(input))
}

/// This word in any case.
fn keyword<'a>(keyword: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| {
        let (rest, word) = word(input)?;
        if word.eq_ignore_ascii_case(keyword) { Ok((rest, ())) } else { Err(not_this(input)) }
    }
}

fn sign<'a>(sign: &'static str) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    move |input| tag(sign).map(drop).parse(space(input))
}

fn not_this(input: &str) -> nom::Err<Fail<'_>> {
    nom::Err::Error(Fail { at: input, message: String::new() })
}

fn either<'a>(
    first: impl FnMut(&'a str) -> Parsed<'a, ()>,
    second: impl FnMut(&'a str) -> Parsed<'a, ()>,
) -> impl FnMut(&'a str) -> Parsed<'a, ()> {
    let mut parsers = nom::branch::alt((first, second));
    move |input| parsers.parse(input)
}

fn rule(input: &str) -> Parsed<'_, Rule> {
    let (rest, action) = match (keyword("keep")(input), keyword("drop")(input)) {
        (Ok((rest, ())), _) => (rest, Action::Keep),
        (_, Ok((rest, ()))) => (rest, Action::Drop),
        _ => (input, Action::Keep),
    };
    let (rest, expression) = expression(rest, 0)?;
    Ok((rest, Rule { action, expression }))
}

/// `not` binds tighter than `and`, `and` tighter than `or`.
fn expression(input: &str, depth: usize) -> Parsed<'_, Expression> {
    let separator = either(keyword("or"), sign("||"));
    let (rest, parts) = separated_list1(separator, |input| conjunction(input, depth)).parse(input)?;
    Ok((rest, one_or(parts, Expression::Any)))
}

fn conjunction(input: &str, depth: usize) -> Parsed<'_, Expression> {
    let separator = either(keyword("and"), sign("&&"));
    let (rest, parts) = separated_list1(separator, |input| negation(input, depth)).parse(input)?;
    Ok((rest, one_or(parts, Expression::All)))
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

fn negation(input: &str, depth: usize) -> Parsed<'_, Expression> {
    let at = space(input);
    if depth >= MAX_DEPTH {
        return Err(fail(at, format!("more than {MAX_DEPTH} parentheses and `not` within each other")));
    }
    if let Ok((behind, ())) = either(keyword("not"), sign("!"))(at) {
        let (rest, mut inner) = negation(behind, depth + 1)?;
        if keyword("flags")(behind).is_ok() {
            none_of_flags(&mut inner);
        }
        return Ok((rest, Expression::Not(Box::new(inner))));
    }
    if let Ok((rest, ())) = sign("(")(at) {
        let (rest, inner) = expression(rest, depth + 1)?;
        let rest = space(rest);
        let closed = rest.strip_prefix(')').ok_or_else(|| expected(rest, "`)`, `and` or `or`"))?;
        return Ok((closed, inner));
    }
    primary(at)
}

/// `not flags SA` is neither of them, as nfdump has it. `not (flags SA)` and `flags != SA` stay the opposite of `flags SA`.
fn none_of_flags(inner: &mut Expression) {
    if let Expression::Test(Test { values, .. }) = inner
        && let Values::Flags(bits) = *values
        && bits.count_ones() > 1
    {
        *values = Values::AnyFlag(bits);
    }
}

/// A comparison, or `tcp` and its like with what may follow them as in `tcp dst port 80`.
fn primary(at: &str) -> Parsed<'_, Expression> {
    let (rest, first) = word(at).map_err(|_| expected(at, "something to compare, such as `port` or `src net`"))?;
    if first.eq_ignore_ascii_case("any") {
        return Ok((rest, Expression::All(Vec::new())));
    }
    if first.eq_ignore_ascii_case("multicast") {
        let values = Values::Networks(MULTICAST.map(|network| network.parse().expect("it is one")).to_vec());
        let subject = Subject::of("net").expect("it is one of them");
        return Ok((rest, Expression::Test(Test { subject, end: End::Second, values })));
    }
    let Some(kind) = bare_protocol(first).or_else(|| bare_family(first, rest)) else {
        return test(at);
    };
    let (_, next) = word(rest).unwrap_or((rest, ""));
    const FOLLOW: [&str; 9] = ["src", "dst", "port", "portrange", "host", "net", "proto", "flags", "multicast"];
    if !FOLLOW.iter().any(|word| next.eq_ignore_ascii_case(word)) {
        return Ok((rest, kind));
    }
    let (rest, test) = primary(space(rest))?;
    Ok((rest, Expression::All(vec![kind, test])))
}

/// RFC 5771 and RFC 4291 section 2.7.
const MULTICAST: [&str; 2] = ["224.0.0.0/4", "ff00::/8"];

fn number_is(word: &str, number: u64) -> Expression {
    let subject = Subject::of(word).expect("it is one of them");
    Expression::Test(Test { subject, end: End::Either, values: Values::Numbers(vec![number..=number]) })
}

/// Protocols whose names are expressions.
fn bare_protocol(word: &str) -> Option<Expression> {
    const BARE: [&str; 11] = ["tcp", "udp", "icmp", "icmp6", "icmpv6", "igmp", "gre", "esp", "ah", "sctp", "ospf"];
    let number = BARE.iter().find(|name| name.eq_ignore_ascii_case(word)).and_then(|name| protocol(name))?;
    Some(number_is("proto", number.into()))
}

/// `ip` and `ip6` as tcpdump has them; `ip` with an address behind it is `host`.
fn bare_family(first: &str, rest: &str) -> Option<Expression> {
    let is_compared = || {
        let (_, next) = word(rest).unwrap_or((rest, ""));
        let has_sign = ["=", "!="].iter().any(|sign| space(rest).starts_with(sign));
        let has_word = ["in", "not", "eq", "ne"].iter().any(|word| next.eq_ignore_ascii_case(word));
        // What begins as an address does is meant as one, and told of if it is none.
        has_sign || has_word || next.contains([':', '.', '/']) || next.starts_with(|c: char| c.is_ascii_digit())
    };
    match first.to_ascii_lowercase().as_str() {
        "ip6" => Some(number_is("ipv6", 6)),
        "ip" if !is_compared() => Some(number_is("ipv4", 4)),
        _ => None,
    }
}

/// The words in front of a subject that say which end is meant.
const END_WORDS: [(&str, End); 4] =
    [("src", End::First), ("dst", End::Second), ("in", End::First), ("out", End::Second)];

fn end_word(input: &str) -> Option<(&str, &'static str, End)> {
    let (rest, word) = word(input).ok()?;
    let (word, end) = END_WORDS.iter().find(|(other, _)| other.eq_ignore_ascii_case(word))?;
    Some((rest, word, *end))
}

/// `src`, `src or dst`, `src and dst`, `in`, `out`: which end, and a word of it.
fn end(input: &str) -> (&str, Option<(&'static str, End)>) {
    let Some((rest, word, end)) = end_word(input) else {
        return (input, None);
    };
    for (joint, joined) in [("or", End::Either), ("and", End::Both)] {
        if let Ok((after, ())) = keyword(joint)(rest)
            && let Some((after, _, other)) = end_word(after)
            && other != end
        {
            return (after, Some((word, joined)));
        }
    }
    (rest, Some((word, end)))
}

fn test(at: &str) -> Parsed<'_, Expression> {
    // `ether src` and `ether host`, as tcpdump has it.
    let is_ether = keyword("ether")(at).ok().filter(|(rest, ())| {
        let (_, next) = word(rest).unwrap_or((rest, ""));
        ["src", "dst", "host"].iter().any(|word| next.eq_ignore_ascii_case(word))
    });
    let (rest, given) = end(is_ether.map_or(at, |(rest, ())| rest));
    let subject_at = space(rest);
    let (rest, subject) = if is_ether.is_some() {
        let rest = keyword("host")(rest).map_or(rest, |(rest, ())| rest);
        (rest, Subject::of("mac").expect("it is one of them"))
    } else {
        subject(subject_at, given.is_some())?
    };
    let end = match (given, subject.ends) {
        (None, _) => End::Either,
        (Some(("src" | "dst", end)), Ends::SourceDestination(..)) | (Some(("in" | "out", end)), Ends::InOut(..)) => end,
        (Some(_), Ends::SourceDestination(..)) => return Err(fail(at, ends_of(subject, "`src` and `dst`"))),
        (Some(_), Ends::InOut(..)) => return Err(fail(at, ends_of(subject, "`in` and `out`"))),
        (Some((word, _)), Ends::One(_) | Ends::Whole(..)) => {
            return Err(fail(at, format!("`{}` is of the whole flow: leave out `{word}`", subject.word)));
        }
    };
    // `!= 80` and `not in [80 443]` are what `not port 80` is.
    let (rest, is_not) = match (either(sign("!="), keyword("ne"))(rest), keyword("not")(rest)) {
        (Ok((rest, ())), _) if subject.kind != Kind::Family => (rest, true),
        (_, Ok((after, ()))) if subject.kind != Kind::Family && keyword("in")(after).is_ok() => (after, true),
        _ => (rest, false),
    };
    let (rest, test) = if subject.kind == Kind::Exporter {
        exporters(rest, subject)?
    } else {
        let (rest, values) = values(rest, subject)?;
        // Of both ends: neither is it.
        let end = if is_not && end == End::Both { End::Either } else { end };
        (rest, Expression::Test(Test { subject, end, values }))
    };
    Ok((rest, if is_not { Expression::Not(Box::new(test)) } else { test }))
}

fn ends_of(subject: &Subject, words: &str) -> String {
    format!("the two ends of `{}` are {words}", subject.word)
}

fn subject(at: &str, has_end: bool) -> Parsed<'_, &'static Subject> {
    let (rest, first) = word(at).map_err(|_| expected(at, "what to compare, such as `port` or `net`"))?;
    if let Some(subject) = Subject::of(first) {
        // `exporter ip` and `router ip`, as nfdump has it.
        let rest = if subject.word == "exporter" { keyword("ip")(rest).map_or(rest, |(rest, ())| rest) } else { rest };
        return Ok((rest, subject));
    }
    if first.eq_ignore_ascii_case("next")
        && let Ok((rest, ())) = either(keyword("ip"), keyword("hop"))(rest)
    {
        return Ok((rest, Subject::of("nexthop").expect("it is one of them")));
    }
    let is_network = network(first).is_some();
    if is_network && has_end {
        // As in `src 192.0.2.1`.
        return Ok((at, Subject::of("host").expect("it is one of them")));
    }
    if is_network || first.starts_with(|c: char| c.is_ascii_digit()) {
        let words =
            if is_network { "`host` or `net`" } else { "`port` (several values are a list: `port in [80 443]`)" };
        return Err(fail(at, format!("expected a word in front of {first:?}, such as {words}")));
    }
    let fits = |subject: &&Subject| !(has_end && matches!(subject.ends, Ends::One(_) | Ends::Whole(..)));
    let words = SUBJECTS.iter().filter(fits);
    let words = words.flat_map(|subject| [subject.word].into_iter().chain(subject.aliases.iter().copied()));
    let others: &[&str] = if has_end { &[] } else { &["any", "not", "src", "dst", "tcp", "udp", "icmp"] };
    Err(match nearest(first, words.chain(others.iter().copied())) {
        Some(near) => fail(at, format!("unknown word {first:?}, did you mean `{near}`?")),
        None => expected(at, "something to compare, such as `port` or `src net`"),
    })
}

fn network(word: &str) -> Option<IpNet> {
    word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))
}

fn values<'a>(input: &'a str, subject: &'static Subject) -> Parsed<'a, Values> {
    match subject.kind {
        Kind::Family => {
            let number = if subject.word == "ipv4" { 4 } else { 6 };
            Ok((input, Values::Numbers(vec![number..=number])))
        }
        Kind::Flags => {
            let (rest, at) = value_word(equals(input), subject)?;
            Ok((rest, Values::Flags(flags(at, subject)?)))
        }
        Kind::Address => {
            let (rest, networks) = list_or_one(input, subject, |at| address(at, subject))?;
            Ok((rest, Values::Networks(networks)))
        }
        Kind::Name => {
            let (rest, names) = list_or_one(input, subject, |at| name(at, subject))?;
            Ok((rest, Values::Names(names)))
        }
        _ => {
            if let Some((rest, comparator)) = comparator(input) {
                let (rest, at) = value_word(rest, subject)?;
                let number = number(found(at), at, subject)?;
                let range = comparator.range(number).ok_or_else(|| fail(at, "no number is beyond this"))?;
                return Ok((rest, Values::Numbers(vec![range])));
            }
            let (rest, ranges) = list_or_one(input, subject, |at| range(at, subject))?;
            Ok((rest, Values::Numbers(ranges)))
        }
    }
}

/// The word of a value, as the text from it on.
fn value_word<'a>(input: &'a str, subject: &'static Subject) -> Parsed<'a, &'a str> {
    let at = space(input);
    if matches!(subject.kind, Kind::Exporter | Kind::Name) && at.starts_with(['"', '\'']) {
        let message = "expected a name and the same quote behind it, all in one line";
        return quoted(at).map(|(_, rest)| (rest, at)).ok_or_else(|| fail(at, message));
    }
    let (rest, _) = word(at).map_err(|_| expected(at, form(subject)))?;
    Ok((rest, at))
}

/// Exporters by address and by name, one or a list of both.
fn exporters<'a>(input: &'a str, subject: &'static Subject) -> Parsed<'a, Expression> {
    let (mut networks, mut names) = (Vec::new(), Vec::new());
    let (rest, _) = list_or_one(input, subject, |at| {
        let word = found(at);
        // What begins as an address does is meant as one.
        let is_address = word.starts_with(|c: char| c.is_ascii_digit()) || word.contains([':', '/']);
        if is_address && quoted(at).is_none() {
            networks.push(address(at, subject)?);
        } else {
            names.push(name(at, subject)?);
        }
        Ok(())
    })?;
    let by = |subject, values| Expression::Test(Test { subject, end: End::Either, values });
    let mut parts = Vec::new();
    if !networks.is_empty() {
        parts.push(by(subject, Values::Networks(networks)));
    }
    if !names.is_empty() {
        parts.push(by(&EXPORTER_NAME, Values::Names(names)));
    }
    Ok((rest, one_or(parts, Expression::Any)))
}

/// Words that are no names without quotes, as they are more likely meant as what they are elsewhere.
const RESERVED: [&str; 9] = ["and", "or", "not", "in", "eq", "ne", "keep", "drop", "ip"];

fn name<'a>(at: &'a str, subject: &Subject) -> Result<Box<str>, nom::Err<Fail<'a>>> {
    if let Some((name, _)) = quoted(at) {
        return Ok(name.into());
    }
    let word = found(at);
    if RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word)) {
        return Err(expected(at, form(subject)));
    }
    Ok(word.into())
}

/// The text behind `=`, if it begins with that.
fn equals(input: &str) -> &str {
    let mut sign = nom::branch::alt((sign("=="), sign("="), keyword("eq")));
    sign.parse(input).map_or(input, |(rest, ())| rest)
}

/// `in [a b c]`, `= a` or `a`.
fn list_or_one<'a, T>(
    input: &'a str,
    subject: &'static Subject,
    mut read: impl FnMut(&'a str) -> Result<T, nom::Err<Fail<'a>>>,
) -> Parsed<'a, Vec<T>> {
    let Ok((mut rest, ())) = keyword("in")(input) else {
        let (rest, at) = value_word(equals(input), subject)?;
        return Ok((rest, vec![read(at)?]));
    };
    rest = space(rest);
    rest = rest.strip_prefix('[').ok_or_else(|| expected(rest, "`[`"))?;
    let mut items = Vec::new();
    loop {
        let at = space(rest);
        if let Some(closed) = at.strip_prefix(']').filter(|_| !items.is_empty()) {
            return Ok((closed, items));
        }
        let (after, at) = value_word(at, subject)?;
        items.push(read(at)?);
        rest = space(after);
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

#[derive(Clone, Copy, Debug)]
enum Comparator {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparator {
    fn range(self, number: u64) -> Option<RangeInclusive<u64>> {
        Some(match self {
            Self::Less => 0..=number.checked_sub(1)?,
            Self::AtMost => 0..=number,
            Self::More => number.checked_add(1)?..=u64::MAX,
            Self::AtLeast => number..=u64::MAX,
        })
    }
}

/// Longer signs first.
const COMPARATORS: [(&str, &str, Comparator); 4] = [
    ("<=", "le", Comparator::AtMost),
    (">=", "ge", Comparator::AtLeast),
    ("<", "lt", Comparator::Less),
    (">", "gt", Comparator::More),
];

fn comparator(input: &str) -> Option<(&str, Comparator)> {
    COMPARATORS.iter().find_map(|(symbol, name, comparator)| {
        let (rest, ()) = either(sign(symbol), keyword(name))(input).ok()?;
        Some((rest, *comparator))
    })
}

/// What a value of a subject looks like.
fn form(subject: &Subject) -> String {
    let word = subject.word;
    match subject.kind {
        Kind::Number(max, []) => format!("a number from 0 to {max}, or a range such as 1-9, for `{word}`"),
        Kind::Number(_, names) => {
            let some: Vec<_> = names.iter().take(5).map(|(name, _)| *name).collect();
            format!("a number or a name such as {} for `{word}`", some.join(", "))
        }
        Kind::Protocol => format!("a protocol such as tcp, udp, icmp6 or 47 for `{word}`"),
        Kind::Amount => format!("a number such as 1500, 10k or 1mi for `{word}`"),
        Kind::Duration => format!("milliseconds, or a time such as 30s, for `{word}`"),
        Kind::Address => format!("an address or a network such as 10.0.0.0/8 for `{word}`"),
        Kind::Exporter => format!("an address, a network such as 10.0.0.0/8 or a name for `{word}`"),
        Kind::Name => format!("a name, in quotes where it is not one word, for `{word}`"),
        Kind::Mac => format!("a MAC address such as 00:00:5e:00:53:01 for `{word}`"),
        Kind::Flags => format!("letters of TCP flags, of FSRPAUEC, or X for the first six, for `{word}`"),
        Kind::Family => word.to_owned(),
    }
}

fn flags<'a>(at: &'a str, subject: &Subject) -> Result<u8, nom::Err<Fail<'a>>> {
    let bits = found(at).chars().try_fold(0, |bits, letter| {
        let letter = letter.to_ascii_uppercase();
        if letter == 'X' {
            return Some(bits | 0x3f);
        }
        FLAGS.iter().find(|(other, _)| *other == letter).map(|(_, bit)| bits | bit)
    });
    bits.ok_or_else(|| expected(at, form(subject)))
}

fn address<'a>(at: &'a str, subject: &Subject) -> Result<IpNet, nom::Err<Fail<'a>>> {
    let word = found(at);
    let network = network(word).ok_or_else(|| expected(at, form(subject)))?;
    if network.addr() != network.network() {
        let hint = format!("{word:?} has bits beyond its prefix: write {} or {}", network.trunc(), network.addr());
        return Err(fail(at, hint));
    }
    Ok(network)
}

fn range<'a>(at: &'a str, subject: &Subject) -> Result<RangeInclusive<u64>, nom::Err<Fail<'a>>> {
    let word = found(at);
    let span = word.split_once('-').filter(|(low, _)| low.starts_with(|c: char| c.is_ascii_digit()));
    if let Some((low, high)) = span.filter(|_| subject.kind != Kind::Mac) {
        let (low, high) = (number(low, at, subject)?, number(high, at, subject)?);
        if low > high {
            return Err(fail(at, format!("{word:?} begins behind its end")));
        }
        return Ok(low..=high);
    }
    let number = number(word, at, subject)?;
    Ok(number..=number)
}

/// A number or a name, which is not larger than makes sense.
fn number<'a>(word: &str, at: &'a str, subject: &Subject) -> Result<u64, nom::Err<Fail<'a>>> {
    if let Some(number) = subject.number(word) {
        return Ok(number);
    }
    let number = match subject.kind {
        Kind::Mac => parse_mac(word),
        Kind::Amount => scaled(word, &AMOUNTS),
        Kind::Duration => scaled(word, &DURATIONS),
        _ => word.parse().ok(),
    };
    match number {
        None => Err(expected(at, form(subject))),
        Some(number) if number > subject.max() => {
            Err(fail(at, format!("{number} is too large: `{}` is {} at most", subject.word, subject.max())))
        }
        Some(number) => Ok(number),
    }
}

const AMOUNTS: [(&str, u64); 8] = [
    ("k", 1_000),
    ("m", 1_000_000),
    ("g", 1_000_000_000),
    ("t", 1_000_000_000_000),
    ("ki", 1 << 10),
    ("mi", 1 << 20),
    ("gi", 1 << 30),
    ("ti", 1 << 40),
];
const DURATIONS: [(&str, u64); 4] = [("ms", 1), ("s", 1_000), ("min", 60_000), ("h", 3_600_000)];

fn scaled(word: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (unit, digits) = take_while::<_, _, Fail<'_>>(|c: char| c.is_ascii_digit()).parse(word).ok()?;
    let factor = match unit {
        "" => 1,
        unit => units.iter().find(|(other, _)| other.eq_ignore_ascii_case(unit))?.1,
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

fn parse_mac(word: &str) -> Option<u64> {
    let mut octets = [0; 6];
    let mut parts = word.split([':', '-']);
    for octet in &mut octets {
        let part = parts.next().filter(|part| (1..=2).contains(&part.len()))?;
        *octet = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then(|| mac(octets))
}
