//! An expression as it was written.

use std::fmt;
use std::ops::RangeInclusive;

use ipnet::IpNet;

use super::fact::Asked;
use super::subject::{Ends, FLAGS, Kind, Subject};

/// What an expression asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expression {
    /// `and`; `any` where there is nothing in it.
    All(Vec<Expression>),
    /// `or`.
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Test(Test),
}

/// A comparison.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Test {
    pub(super) subject: &'static Subject,
    pub(super) end: End,
    pub(super) values: Values,
}

/// Which end of a flow is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    First,
    Second,
    Either,
    Both,
}

/// What it is compared with: one of these.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Numbers(Vec<RangeInclusive<u64>>),
    Networks(Vec<IpNet>),
    Names(Vec<Box<str>>),
    /// All of these bits.
    Flags(u8),
    /// Any of these bits, of which there are several: what `not flags SA` is the opposite of.
    AnyFlag(u8),
}

/// Whether flows for which an expression holds are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Keep,
    Drop,
}

/// An action and whom it is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub(super) action: Action,
    pub(super) expression: Expression,
}

impl Test {
    /// What is asked for: one fact, or that of both ends.
    pub(super) fn asked(&self) -> (Asked, Option<Asked>) {
        match (self.subject.ends, self.end) {
            (Ends::One(one), _) => (one, None),
            (Ends::Whole(first, second), _) => (first, Some(second)),
            (Ends::SourceDestination(first, _) | Ends::InOut(first, _), End::First) => (first, None),
            (Ends::SourceDestination(_, second) | Ends::InOut(_, second), End::Second) => (second, None),
            (Ends::SourceDestination(first, second) | Ends::InOut(first, second), End::Either | End::Both) => {
                (first, Some(second))
            }
        }
    }

    fn write_end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = match self.subject.ends {
            Ends::One(_) | Ends::Whole(..) => return Ok(()),
            Ends::SourceDestination(..) => ("src", "dst"),
            Ends::InOut(..) => ("in", "out"),
        };
        match self.end {
            End::First => write!(f, "{first} "),
            End::Second => write!(f, "{second} "),
            End::Either => Ok(()),
            End::Both => write!(f, "{first} and {second} "),
        }
    }

    fn write_number(&self, number: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.subject.kind == Kind::Mac {
            let [_, _, a, b, c, d, e, g] = number.to_be_bytes();
            return write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}");
        }
        match self.subject.name(number) {
            Some(name) => f.write_str(name),
            None => write!(f, "{number}"),
        }
    }

    fn write_range(&self, range: &RangeInclusive<u64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if range.start() == range.end() { self.write_number(*range.start(), f) } else { write_span(range, f) }
    }
}

fn write_span(range: &RangeInclusive<u64>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{}-{}", range.start(), range.end())
}

fn write_network(network: &IpNet, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if network.prefix_len() == network.max_prefix_len() {
        write!(f, "{}", network.addr())
    } else {
        write!(f, "{network}")
    }
}

/// In quotes that are not in it.
fn write_name(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let quote = if name.contains('"') { '\'' } else { '"' };
    write!(f, "{quote}{name}{quote}")
}

fn write_list<T>(
    items: &[T],
    f: &mut fmt::Formatter<'_>,
    mut write_one: impl FnMut(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_str("in [")?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        write_one(item, f)?;
    }
    f.write_str("]")
}

/// As it can be read again.
impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_end(f)?;
        if self.subject.kind == Kind::Family {
            return f.write_str(self.subject.word);
        }
        write!(f, "{} ", self.subject.word)?;
        match &self.values {
            Values::Numbers(ranges) => match ranges.as_slice() {
                [range] if range.start() == range.end() => self.write_number(*range.start(), f),
                [range] if *range.end() == u64::MAX => match range.start().checked_sub(1) {
                    Some(below) => write!(f, "> {below}"),
                    None => f.write_str(">= 0"),
                },
                [range] => write_span(range, f),
                ranges => write_list(ranges, f, |range, f| self.write_range(range, f)),
            },
            Values::Networks(networks) => match networks.as_slice() {
                [network] => write_network(network, f),
                networks => write_list(networks, f, write_network),
            },
            Values::Names(names) => match names.as_slice() {
                [name] => write_name(name, f),
                names => write_list(names, f, |name, f| write_name(name, f)),
            },
            Values::Flags(bits) | Values::AnyFlag(bits) => {
                FLAGS.iter().filter(|(_, bit)| bits & bit != 0).try_for_each(|(letter, _)| write!(f, "{letter}"))
            }
        }
    }
}

impl Expression {
    /// A single part as it is, others joined.
    pub(super) fn joined(mut parts: Vec<Self>, join: fn(Vec<Self>) -> Self) -> Self {
        match parts.len() {
            1 => parts.remove(0),
            _ => join(parts),
        }
    }

    fn write_joined(
        parts: &[Self],
        word: &str,
        needs_parentheses: impl Fn(&Self) -> bool,
        f: &mut fmt::Formatter<'_>,
    ) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                write!(f, " {word} ")?;
            }
            if needs_parentheses(part) { write!(f, "({part})") } else { write!(f, "{part}") }?;
        }
        Ok(())
    }

    fn is_joined(&self) -> bool {
        matches!(self, Self::All(parts) | Self::Any(parts) if !parts.is_empty())
    }

    /// Whether `not` in front of it would mean something else without parentheses.
    fn is_all_of_flags(&self) -> bool {
        matches!(self, Self::Test(Test { values: Values::Flags(bits), .. }) if bits.count_ones() > 1)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) if parts.is_empty() => f.write_str("any"),
            Self::All(parts) => Self::write_joined(parts, "and", Self::is_joined, f),
            Self::Any(parts) => Self::write_joined(parts, "or", |part| matches!(part, Self::Any(_)), f),
            Self::Not(inner) if inner.is_joined() || inner.is_all_of_flags() => write!(f, "not ({inner})"),
            Self::Not(inner) => write!(f, "not {inner}"),
            Self::Test(test) => test.fmt(f),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = match self.action {
            Action::Keep => "keep",
            Action::Drop => "drop",
        };
        write!(f, "{action} {}", self.expression)
    }
}
