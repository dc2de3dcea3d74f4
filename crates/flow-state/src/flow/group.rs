//! Flows side by side.

use std::iter::FusedIterator;

use flow_wire::{Locator, Records};

use super::{FlowRecord, Starts};
use crate::decoded::MessageContext;
use crate::plan::FlowPlan;

/// Some flows of one Set, in order, so that one fact can be read of all of them at once.
#[derive(Clone, Debug)]
pub struct FlowGroup<'a> {
    /// From the first of them on.
    records: Records<'a>,
    starts: Starts<'a>,
    len: usize,
    plan: &'a FlowPlan,
    context: &'a MessageContext,
}

const MAX: usize = 32;

impl<'a> FlowGroup<'a> {
    /// Flows of a group at most.
    pub const MAX: usize = MAX;

    /// How many flows it has, which is one at least.
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Where the facts of a flow lie in its records.
    pub const fn plan(&self) -> &'a FlowPlan {
        self.plan
    }

    /// The Message they came in.
    pub const fn context(&self) -> &'a MessageContext {
        self.context
    }

    /// One flow after the other; [`Iterator::nth`] goes over others at little cost.
    #[inline]
    pub fn flows(&self) -> Flows<'a> {
        let Self { records, starts, len, plan, context } = self;
        Flows { records: records.clone(), starts: starts.clone(), left: *len, plan, context }
    }

    /// The value of an integer field in each flow, as `record().unsigned(locator)` reads it: the first [`FlowGroup::len`]
    /// of `values`, whose others mean nothing.
    #[inline]
    pub fn column(&self, locator: Locator, values: &mut [u64; MAX]) {
        let values = &mut values[..self.len];
        if locator.is_in_front() && !self.starts.is_empty() {
            self.starts.column(locator, values);
        } else if locator.is_in_front()
            && let Some(fronts) = self.records.clone().fronts()
        {
            fronts.column(locator, values);
        } else {
            values.iter_mut().zip(self.flows()).for_each(|(value, flow)| *value = flow.record().unsigned(locator));
        }
    }
}

/// Iterator over the flows of a Set by groups; see [`DataSet::groups`](crate::DataSet::groups).
#[derive(Clone, Debug)]
pub struct FlowGroups<'a> {
    rest: FlowGroup<'a>,
}

impl<'a> FlowGroups<'a> {
    pub(crate) const fn new(
        records: Records<'a>,
        starts: Starts<'a>,
        len: usize,
        plan: &'a FlowPlan,
        context: &'a MessageContext,
    ) -> Self {
        Self { rest: FlowGroup { records, starts, len, plan, context } }
    }

    /// The next flows, so many of them at most.
    #[inline]
    pub fn next_of(&mut self, most: usize) -> Option<FlowGroup<'a>> {
        let rest = &mut self.rest;
        let len = most.min(FlowGroup::MAX).min(rest.len);
        if len == 0 {
            return None;
        }
        let group = FlowGroup { len, ..rest.clone() };
        rest.len -= len;
        if rest.len > 0 {
            rest.starts.skip_in(&mut rest.records, len);
        }
        Some(group)
    }
}

impl<'a> Iterator for FlowGroups<'a> {
    type Item = FlowGroup<'a>;

    #[inline]
    fn next(&mut self) -> Option<FlowGroup<'a>> {
        self.next_of(FlowGroup::MAX)
    }
}

impl FusedIterator for FlowGroups<'_> {}

/// Iterator over the flows of a group; see [`FlowGroup::flows`].
#[derive(Clone, Debug)]
pub struct Flows<'a> {
    records: Records<'a>,
    starts: Starts<'a>,
    left: usize,
    plan: &'a FlowPlan,
    context: &'a MessageContext,
}

impl<'a> Iterator for Flows<'a> {
    type Item = FlowRecord<'a>;

    #[inline]
    fn next(&mut self) -> Option<FlowRecord<'a>> {
        self.nth(0)
    }

    #[inline]
    fn nth(&mut self, count: usize) -> Option<FlowRecord<'a>> {
        self.left = self.left.saturating_sub(count);
        if self.left == 0 {
            return None;
        }
        self.left -= 1;
        if count > 0 {
            self.starts.skip_in(&mut self.records, count);
        }
        self.starts.forget(1);
        Some(FlowRecord::new(self.records.next()?, self.plan, self.context))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left))
    }
}

impl FusedIterator for Flows<'_> {}
