//! What facts are compared with.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;
use nom::Parser;
use nom::bytes::complete::take_while;

use super::expression::{End, Expression, Test, Values};
use super::fact::mac;
use super::subject::{EXPORTER_NAME, FLAGS, Kind, Subject};
use super::token::{Fail, Parsed, either, expected, fail, found, keyword, quoted, sign, space, word};

pub(super) fn network(word: &str) -> Option<IpNet> {
    word.parse::<IpNet>().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from))
}

pub(super) fn values<'a>(input: &'a str, subject: &'static Subject) -> Parsed<'a, Values> {
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
pub(super) fn exporters<'a>(input: &'a str, subject: &'static Subject) -> Parsed<'a, Expression> {
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
    Ok((rest, Expression::joined(parts, Expression::Any)))
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
