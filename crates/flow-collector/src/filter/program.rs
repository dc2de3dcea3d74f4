//! Rules as tables.
//!
//! An expression becomes a list of terms, each of which asks for facts to be in sets, all of them. Terms come in blocks of
//! 64. Each fact that is asked for has a table in a block: for each of its values, which terms it leaves possible. A flow
//! is decided by one look into each table and the first term that is left over, whatever the number of rules. Flows of a
//! Set go through a table together: where the fact lies in their records is found once, and no branch depends on a flow.
//!
//! Where `and` over several `or` would make many terms, a part becomes a question of its own, with blocks of its own.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::rc::Rc;
use std::sync::Arc;

use flow_state::{FlowGroup, FlowRecord, MessageContext};

use super::expression::{Action, End, Expression, Rule, Test, Values};
use super::fact::{Asked, Column};
use super::index::Index;
use super::set::{Ranges, Set};

/// Decides flows.
#[derive(Clone, Debug)]
pub(super) struct Program {
    /// What the last one needs the answers to comes before it.
    questions: Vec<Question>,
}

/// Blocks in order, and the answer where no term holds.
#[derive(Clone, Debug)]
struct Question {
    blocks: Box<[Block]>,
    otherwise: bool,
}

#[derive(Clone, Debug)]
struct Block {
    /// A bit for each term.
    terms: u64,
    /// Terms whose answer is yes.
    yes: u64,
    tables: Box<[Table]>,
    /// Questions that the answer must be yes to, and the terms for which.
    questions: Box<[(u32, u64)]>,
}

/// Which terms each value of a fact leaves possible.
#[derive(Clone, Debug)]
struct Table {
    asked: Asked,
    /// Terms that ask for the fact.
    terms: u64,
    absent: u64,
    numbers: Index<u64>,
    ipv6: Option<Box<Index<u128>>>,
    /// Of facts that are names.
    names: Names,
}

/// All names that rules have. Each stands for a number, so that a name is looked for once for the flows of a Set.
#[derive(Clone, Debug, Default)]
struct Names(Arc<[Box<str>]>);

/// Answers that are known for some flows.
struct Answers<'p> {
    questions: &'p [Question],
    known: u128,
    /// Of each question, the flows for which it is yes.
    yes: [u32; MAX_QUESTIONS],
}

/// Questions beside the first, so that the answers for a flow fit a word.
const MAX_QUESTIONS: usize = u128::BITS as usize;
/// Terms that `and` may make of its parts.
const MAX_PRODUCT: usize = 16;

/// ICMP and ICMPv6.
const ICMP: [RangeInclusive<u64>; 2] = [1..=1, 58..=58];

/// Rules that would make too large a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooComplex;

impl Program {
    /// The first rule that holds decides; where none does, a flow is kept if there is no rule that keeps.
    pub(super) fn new<'a>(rules: impl IntoIterator<Item = &'a Rule>) -> Result<Self, TooComplex> {
        let rules: Vec<_> = rules.into_iter().collect();
        let names = Names::new(&rules);
        let mut terms = Vec::new();
        // Neighbours with the same action are alternatives, so that their values share sets.
        for group in rules.chunk_by(|rule, next| rule.action == next.action) {
            let alternatives = group.iter().map(|rule| Form::new(&rule.expression, true, &names)).collect();
            let keeps = group.first().is_some_and(|rule| rule.action == Action::Keep);
            terms.extend(Form::Any(alternatives).terms().into_iter().map(|term| (term, keeps)));
        }
        let otherwise = rules.iter().all(|rule| rule.action == Action::Drop);
        let mut compiler = Compiler { names, ..Compiler::default() };
        compiler.question(&terms, otherwise)?;
        Ok(Self { questions: compiler.questions })
    }

    /// Which of some flows are kept: a bit for each, from the lowest.
    #[inline]
    pub(super) fn keeps(&self, flows: &FlowGroup<'_>) -> u32 {
        let Some((last, before)) = self.questions.split_last() else { return 0 };
        if before.is_empty() {
            return last.answer(flows, |_| 0);
        }
        Answers { questions: before, known: 0, yes: [0; MAX_QUESTIONS] }.of(last, flows)
    }
}

impl Question {
    /// The flows for which it is yes, given such answers to others.
    fn answer(&self, flows: &FlowGroup<'_>, mut ask: impl FnMut(u32) -> u32) -> u32 {
        let mut open = u32::MAX >> (u32::BITS as usize - flows.len());
        let mut yes = 0;
        let (mut left, mut numbers) = ([0; FlowGroup::MAX], [0; FlowGroup::MAX]);
        for block in &self.blocks {
            let left = &mut left[..flows.len()];
            left.iter_mut().enumerate().for_each(|(place, left)| *left = block.terms * u64::from(open >> place & 1));
            let any = block.narrow(flows, left, &mut numbers, &mut ask);
            if any == 0 {
                continue;
            }
            for (place, left) in left.iter().enumerate() {
                let decided = u32::from(*left != 0);
                open &= !(decided << place);
                yes |= (decided & (block.yes >> (left.trailing_zeros() & 63)) as u32 & 1) << place;
            }
            if open == 0 {
                return yes;
            }
        }
        if self.otherwise { yes | open } else { yes }
    }
}

impl Block {
    /// Leaves each flow the terms that hold for it; returns those that hold for any.
    fn narrow(
        &self,
        flows: &FlowGroup<'_>,
        left: &mut [u64],
        numbers: &mut [u64; FlowGroup::MAX],
        mut ask: impl FnMut(u32) -> u32,
    ) -> u64 {
        let mut any = self.terms;
        for table in &self.tables {
            // Most facts are not worth a look any more.
            if any & table.terms != 0 {
                any = table.narrow(flows, left, numbers);
            }
            if any == 0 {
                return 0;
            }
        }
        for (question, terms) in &self.questions {
            if any & terms != 0 {
                let answer = ask(*question);
                any = 0;
                for (place, left) in left.iter_mut().enumerate() {
                    *left &= if answer >> place & 1 == 1 { u64::MAX } else { !terms };
                    any |= *left;
                }
            }
        }
        any
    }
}

impl Answers<'_> {
    fn of(&mut self, question: &Question, flows: &FlowGroup<'_>) -> u32 {
        question.answer(flows, |other| self.get(other, flows))
    }

    fn get(&mut self, question: u32, flows: &FlowGroup<'_>) -> u32 {
        let (bit, place) = (1 << question, question as usize);
        if self.known & bit == 0 {
            self.yes[place] = self.of(&self.questions[place], flows);
            self.known |= bit;
        }
        self.yes[place]
    }
}

impl Table {
    /// Leaves each flow the terms that its value leaves possible; returns those of any. There is room for `numbers`.
    fn narrow(&self, flows: &FlowGroup<'_>, left: &mut [u64], numbers: &mut [u64; FlowGroup::MAX]) -> u64 {
        let column = match self.asked.is_name() {
            true => Column::Same(self.names.number_of(self.asked, flows.context())),
            false => self.asked.column(flows.plan(), flows.context()),
        };
        match column {
            Column::Same(number) => {
                let bits = number.map_or(self.absent, |number| self.numbers.get(number));
                left.iter_mut().fold(0, |any, left| {
                    *left &= bits;
                    any | *left
                })
            }
            Column::Numbers(field) => {
                self.asked.read(flows, field, numbers);
                self.numbers.narrow(numbers, left)
            }
            Column::Each => {
                let (mut rest, mut skipped, mut any) = (flows.flows(), 0, 0);
                for left in left {
                    if *left & self.terms == 0 {
                        skipped += 1;
                    } else if let Some(flow) = rest.nth(std::mem::take(&mut skipped)) {
                        *left &= self.get(&flow);
                    }
                    any |= *left;
                }
                any
            }
        }
    }

    fn get(&self, flow: &FlowRecord<'_>) -> u64 {
        if let Some(ipv6) = &self.ipv6 {
            return match self.asked.address(flow) {
                None => self.absent,
                Some(IpAddr::V4(address)) => self.numbers.get(address.to_bits().into()),
                Some(IpAddr::V6(address)) => ipv6.get(address.to_bits()),
            };
        }
        self.asked.number(flow).map_or(self.absent, |number| self.numbers.get(number))
    }

    fn new(asked: Asked, sets: &[(usize, Rc<Set>)], all: u64, names: &Names) -> Self {
        let terms = sets.iter().fold(0, |terms, (term, _)| terms | 1 << term);
        let free = all & !terms;
        let absent = sets.iter().filter(|(_, set)| set.absent).fold(free, |bits, (term, _)| bits | 1 << term);
        fn index<T: super::index::Number>(
            sets: &[(usize, Rc<Set>)],
            free: u64,
            ranges: impl Fn(&Set) -> &Ranges,
        ) -> Index<T> {
            let mut flips = Vec::new();
            for (term, set) in sets {
                for (first, last) in ranges(set).iter() {
                    flips.push((first, 1 << term));
                    flips.extend(last.checked_add(1).map(|next| (next, 1 << term)));
                }
            }
            Index::new(free, flips)
        }
        Self {
            asked,
            terms,
            absent,
            numbers: index(sets, free, |set| &set.numbers),
            ipv6: asked.is_address().then(|| Box::new(index(sets, free, |set| &set.ipv6))),
            names: if asked.is_name() { names.clone() } else { Names::default() },
        }
    }
}

impl Names {
    /// The number of a name that no rule has.
    const OTHER: u64 = 0;

    fn new(rules: &[&Rule]) -> Self {
        let mut names = Vec::new();
        let mut rest: Vec<_> = rules.iter().map(|rule| &rule.expression).collect();
        while let Some(expression) = rest.pop() {
            match expression {
                Expression::All(parts) | Expression::Any(parts) => rest.extend(parts),
                Expression::Not(inner) => rest.push(inner),
                Expression::Test(Test { values: Values::Names(some), .. }) => names.extend_from_slice(some),
                Expression::Test(_) => {}
            }
        }
        names.sort_unstable();
        names.dedup();
        Self(names.into())
    }

    fn number(&self, name: &str) -> u64 {
        self.0.binary_search_by(|other| (**other).cmp(name)).map_or(Self::OTHER, |place| place as u64 + 1)
    }

    fn number_of(&self, asked: Asked, context: &MessageContext) -> Option<u64> {
        asked.name(context).map(|name| self.number(name))
    }

    fn set(&self, names: &[Box<str>]) -> Set {
        let ranges = names.iter().map(|name| self.number(name)).map(|number| number..=number);
        Set::of_numbers(&ranges.collect::<Vec<_>>())
    }
}

/// What holds if each fact is in its set and each question has yes for an answer.
#[derive(Clone, Debug, Default)]
struct Term {
    sets: BTreeMap<Asked, Rc<Set>>,
    questions: Vec<Rc<Vec<Term>>>,
}

impl Term {
    /// What holds if both do; `None` if that cannot be.
    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        for (asked, set) in &other.sets {
            both.narrow(*asked, set)?;
        }
        both.questions.extend(other.questions.iter().cloned());
        Some(both)
    }

    /// Whether the other one holds wherever this one does, as far as sets say.
    fn implies(&self, other: &Self) -> bool {
        let is_part = |own: &Rc<Set>, set: &Rc<Set>| Rc::ptr_eq(own, set) || own.intersection(set) == **own;
        other.questions.is_empty()
            && other.sets.iter().all(|(asked, set)| self.sets.get(asked).is_some_and(|own| is_part(own, set)))
    }

    /// Alternatives without those that imply another one.
    fn without_needless(terms: Vec<Self>) -> Vec<Self> {
        let mut needed: Vec<Self> = Vec::with_capacity(terms.len());
        for term in terms {
            if needed.iter().all(|other| !term.implies(other)) {
                needed.retain(|other| !other.implies(&term));
                needed.push(term);
            }
        }
        needed
    }

    fn narrow(&mut self, asked: Asked, set: &Rc<Set>) -> Option<()> {
        let narrowed = match self.sets.get(&asked) {
            Some(own) => Rc::new(own.intersection(set)),
            None => set.clone(),
        };
        if narrowed.is_empty() {
            return None;
        }
        self.sets.insert(asked, narrowed);
        Some(())
    }
}

/// An expression without `not`: sets have taken it up.
#[derive(Debug)]
enum Form {
    In(Asked, Set),
    All(Vec<Form>),
    Any(Vec<Form>),
}

impl Form {
    /// The expression, or where it is not `wanted` its opposite.
    fn new(expression: &Expression, wanted: bool, names: &Names) -> Self {
        let all = |parts: &[Expression]| parts.iter().map(|part| Self::new(part, wanted, names)).collect();
        match (expression, wanted) {
            (Expression::All(parts), true) | (Expression::Any(parts), false) => Self::All(all(parts)),
            (Expression::Any(parts), true) | (Expression::All(parts), false) => Self::Any(all(parts)),
            (Expression::Not(inner), _) => Self::new(inner, !wanted, names),
            (Expression::Test(test), _) => Self::of_test(test, wanted, names),
        }
    }

    fn of_test(test: &Test, wanted: bool, names: &Names) -> Self {
        let set = match &test.values {
            Values::Numbers(ranges) => Set::of_numbers(ranges),
            Values::Networks(networks) => Set::of_networks(networks),
            Values::Names(some) => names.set(some),
            Values::Flags(bits) => flags(|flags| flags & bits == *bits),
            Values::AnyFlag(bits) => flags(|flags| flags & bits != 0),
        };
        let set = if wanted { set } else { set.complement() };
        let form = match (test.asked(), test.end == End::Both) {
            ((one, None), _) => Self::In(one, set),
            ((first, Some(second)), is_both) => {
                let parts = vec![Self::In(first, set.clone()), Self::In(second, set)];
                if is_both == wanted { Self::All(parts) } else { Self::Any(parts) }
            }
        };
        if !matches!(test.asked().0, Asked::SourcePort | Asked::DestinationPort) {
            return form;
        }
        // ICMP has no ports: what exporters put there is type and code.
        let icmp = Set::of_numbers(&ICMP);
        if wanted {
            Self::All(vec![form, Self::In(Asked::Protocol, icmp.complement())])
        } else {
            Self::Any(vec![form, Self::In(Asked::Protocol, icmp)])
        }
    }

    /// Terms of which one must hold.
    fn terms(self) -> Vec<Term> {
        match self {
            Self::In(_, set) if set.is_empty() => Vec::new(),
            Self::In(asked, set) => vec![Term { sets: BTreeMap::from([(asked, Rc::new(set))]), questions: Vec::new() }],
            Self::Any(parts) => Self::any(parts),
            Self::All(parts) => Self::all(parts).unwrap_or_default(),
        }
    }

    /// Sets of one fact are one set.
    fn any(parts: Vec<Self>) -> Vec<Term> {
        let mut sets = BTreeMap::<Asked, Vec<Set>>::new();
        let mut terms = Vec::new();
        let mut rest = vec![parts];
        while let Some(parts) = rest.pop() {
            for part in parts {
                match part {
                    Self::In(asked, set) => sets.entry(asked).or_default().push(set),
                    Self::Any(parts) => rest.push(parts),
                    part @ Self::All(_) => terms.extend(part.terms()),
                }
            }
        }
        for (asked, sets) in sets {
            terms.extend(Self::In(asked, Set::union(&sets)).terms());
        }
        terms
    }

    /// `None` if nothing can hold.
    fn all(parts: Vec<Self>) -> Option<Vec<Term>> {
        let mut base = Term::default();
        let mut factors = Vec::new();
        let mut rest = vec![parts];
        while let Some(parts) = rest.pop() {
            for part in parts {
                match part {
                    Self::In(asked, set) => base.narrow(asked, &Rc::new(set))?,
                    Self::All(parts) => rest.push(parts),
                    part @ Self::Any(_) => factors.push(part.terms()),
                }
            }
        }
        // The short ones are multiplied out.
        factors.sort_by_key(Vec::len);
        let mut terms = vec![base];
        for factor in factors {
            terms = if terms.len() * factor.len() <= MAX_PRODUCT || factor.len() < 2 {
                let product: Vec<_> =
                    terms.iter().flat_map(|term| factor.iter().filter_map(|other| term.and(other))).collect();
                Term::without_needless(product)
            } else {
                let question = Rc::new(factor);
                terms.iter_mut().for_each(|term| term.questions.push(question.clone()));
                terms
            };
        }
        Some(terms)
    }
}

/// The flags for which it holds.
fn flags(holds: impl Fn(u8) -> bool) -> Set {
    let ranges = (0..=u8::MAX).filter(|flags| holds(*flags)).map(|flags| u64::from(flags)..=flags.into());
    Set::of_numbers(&ranges.collect::<Vec<_>>())
}

#[derive(Default)]
struct Compiler {
    questions: Vec<Question>,
    /// By where the terms of a question are.
    known: BTreeMap<*const Vec<Term>, u32>,
    names: Names,
}

impl Compiler {
    /// Adds a question behind those that it needs; returns its number.
    fn question(&mut self, terms: &[(Term, bool)], otherwise: bool) -> Result<u32, TooComplex> {
        let blocks = terms.chunks(u64::BITS as usize).map(|terms| self.block(terms)).collect::<Result<_, _>>()?;
        self.questions.push(Question { blocks, otherwise });
        let number = self.questions.len() - 1;
        if number > MAX_QUESTIONS { Err(TooComplex) } else { Ok(number as u32) }
    }

    fn block(&mut self, terms: &[(Term, bool)]) -> Result<Block, TooComplex> {
        let all = u64::MAX >> (u64::BITS as usize - terms.len());
        let mut sets = BTreeMap::<Asked, Vec<(usize, Rc<Set>)>>::new();
        let mut questions = BTreeMap::<u32, u64>::new();
        let mut yes = 0;
        for (place, (term, keeps)) in terms.iter().enumerate() {
            yes |= u64::from(*keeps) << place;
            for (asked, set) in &term.sets {
                sets.entry(*asked).or_default().push((place, set.clone()));
            }
            for question in &term.questions {
                *questions.entry(self.part(question)?).or_default() |= 1 << place;
            }
        }
        Ok(Block {
            terms: all,
            yes,
            tables: sets.iter().map(|(asked, sets)| Table::new(*asked, sets, all, &self.names)).collect(),
            questions: questions.into_iter().collect(),
        })
    }

    fn part(&mut self, terms: &Rc<Vec<Term>>) -> Result<u32, TooComplex> {
        let place = Rc::as_ptr(terms);
        if let Some(known) = self.known.get(&place) {
            return Ok(*known);
        }
        let terms: Vec<_> = terms.iter().map(|term| (term.clone(), true)).collect();
        let number = self.question(&terms, false)?;
        self.known.insert(place, number);
        Ok(number)
    }
}
