//! From text to expressions.

use nom::Parser;
use nom::multi::separated_list1;

use super::error::FilterError;
use super::expression::{Action, End, Expression, Rule, Test, Values};
use super::near::nearest;
use super::subject::{Ends, Kind, SUBJECTS, Subject, protocol};
use super::token::{Parsed, either, expected, fail, found, keyword, located, sign, space, word};
use super::value::{exporters, network, values};

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
    Ok((rest, Expression::joined(parts, Expression::Any)))
}

fn conjunction(input: &str, depth: usize) -> Parsed<'_, Expression> {
    let separator = either(keyword("and"), sign("&&"));
    let (rest, parts) = separated_list1(separator, |input| negation(input, depth)).parse(input)?;
    Ok((rest, Expression::joined(parts, Expression::All)))
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
