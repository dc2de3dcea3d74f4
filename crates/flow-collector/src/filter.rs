//! Which flows become spans.

mod error;
mod expression;
mod fact;
mod index;
mod near;
mod parse;
mod program;
mod set;
mod subject;
mod token;
mod value;

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use flow_state::{DataSet, FlowGroup, FlowRecord};

pub use self::error::FilterError;
use self::expression::{Action, End, Expression, Rule, Test, Values};
use self::program::{Program, TooComplex};
use self::subject::Subject;

/// Rules that say which flows are kept, in the language of nfdump and tcpdump.
///
/// A rule is `keep` or `drop` and an expression; without either word it keeps. Rules are separated by semicolons. The first
/// rule whose expression holds decides. Where none does, a flow is kept if all rules drop, and dropped otherwise. A
/// comparison with what a flow does not have does not hold. docs/filter.md has the words.
///
/// Flows are decided some at a time. A flow costs a few table look-ups, however many rules there are, and allocates nothing.
///
/// ```
/// use flow_collector::Filter;
///
/// let filter: Filter = "drop dst port 53; drop src net 10.0.0.0/8 and proto icmp".parse()?;
/// assert_eq!(filter.to_string(), "drop dst port 53; drop src net 10.0.0.0/8 and proto icmp");
///
/// let error = "proto tcp and dst prot 443".parse::<Filter>().unwrap_err();
/// assert_eq!(error.to_string(), r#"unknown word "prot", did you mean `port`?
///   proto tcp and dst prot 443
///                     ^^^^"#);
/// # Ok::<(), flow_collector::FilterError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    rules: Vec<Rule>,
    program: Program,
}

impl Filter {
    /// Rules of several texts, one after the other.
    ///
    /// # Errors
    ///
    /// What is wrong with the first text that cannot be read.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, FilterError> {
        let (mut rules, mut last) = (Vec::new(), "");
        for text in texts {
            rules.extend(parse::rules(text)?);
            last = text;
        }
        let program = Program::new(&rules).map_err(|TooComplex| {
            let message = "too many alternatives within each other: make them rules of their own";
            FilterError::new(message.to_owned(), last, 0, last.len())
        })?;
        Ok(Self { rules, program })
    }

    /// With the TCP connections to and from these addresses dropped in front of all other rules: those of the collector to
    /// its own receivers, which would tell of themselves for ever.
    #[must_use]
    pub fn without_connections_to(mut self, receivers: &[SocketAddr]) -> Self {
        let rules =
            receivers.iter().flat_map(|receiver| [End::First, End::Second].map(|end| connection(*receiver, end)));
        self.rules.splice(..0, rules.collect::<Vec<_>>());
        self.program = Program::new(&self.rules).expect("such rules need no questions");
        self
    }

    /// Whether there is any rule; without one all flows are kept.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// Which of some flows are kept: a bit for each, from the lowest.
    #[inline]
    pub fn keeps(&self, flows: &FlowGroup<'_>) -> u32 {
        if self.has_rules() { self.program.keeps(flows) } else { u32::MAX }
    }

    /// The flows of a Set that are kept.
    pub fn kept<'a>(&self, set: &DataSet<'a>) -> impl Iterator<Item = FlowRecord<'a>> {
        set.groups().flat_map(|flows| {
            let kept = self.keeps(&flows);
            flows.flows().enumerate().filter_map(move |(place, flow)| (kept >> place & 1 == 1).then_some(flow))
        })
    }
}

impl Default for Filter {
    /// Keeps everything.
    fn default() -> Self {
        Self { rules: Vec::new(), program: Program::new([]).expect("nothing is not too much") }
    }
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        Self::new([text])
    }
}

/// The rules, as they can be read again.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rule) in self.rules.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            rule.fmt(f)?;
        }
        Ok(())
    }
}

/// Drops what comes from a TCP socket, or goes to it.
fn connection(socket: SocketAddr, end: End) -> Rule {
    let test = |word, end, values| {
        Expression::Test(Test { subject: Subject::of(word).expect("it is one of them"), end, values })
    };
    let port = u64::from(socket.port());
    let expression = Expression::All(vec![
        test("proto", End::Either, Values::Numbers(vec![TCP..=TCP])),
        test("host", end, Values::Networks(vec![socket.ip().to_canonical().into()])),
        test("port", end, Values::Numbers(vec![port..=port])),
    ]);
    Rule { action: Action::Drop, expression }
}

const TCP: u64 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::subject::SUBJECTS;

    const DOCS: &str = include_str!("../../../docs/filter.md");

    /// What is between backticks.
    fn quoted(text: &str) -> impl Iterator<Item = &str> {
        text.split('`').skip(1).step_by(2)
    }

    #[test]
    fn every_word_has_a_row_whose_examples_can_be_read() {
        let rows: Vec<Vec<&str>> = DOCS
            .lines()
            .filter(|line| line.starts_with("| `"))
            .map(|line| line.split('|').map(str::trim).skip(1).take(3).collect())
            .collect();
        let words: Vec<_> = rows.iter().flat_map(|row| quoted(row[0])).collect();
        for subject in SUBJECTS {
            assert!(words.contains(&subject.word), "{} is not documented", subject.word);
            let aliases = subject.aliases.iter().filter(|alias| !alias.starts_with("icmp"));
            aliases.for_each(|alias| assert!(words.contains(alias), "{alias} is not documented"));
            let names = match subject.kind {
                subject::Kind::Number(_, names) if subject.word != "dscp" => names,
                _ => &[],
            };
            names.iter().for_each(|(name, _)| assert!(DOCS.contains(name), "{name} is not documented"));
        }
        for row in rows {
            let words: Vec<_> = quoted(row[0]).collect();
            for example in quoted(row[1]) {
                let filter: Filter = example.parse().unwrap_or_else(|error| panic!("{example}: {error}"));
                let is_about = |word: &&str| example.contains(*word) || *word == "host";
                assert!(words.iter().any(is_about), "{example} is not about {words:?}");
                assert_eq!(filter.to_string().parse::<Filter>().unwrap().to_string(), filter.to_string());
            }
        }
    }

    #[test]
    fn recipes_can_be_read() {
        let recipes: Vec<_> = DOCS.split("```filter\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(recipes.len() >= 6);
        for recipe in recipes {
            recipe.parse::<Filter>().unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
