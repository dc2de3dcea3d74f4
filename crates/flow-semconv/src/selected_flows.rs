//! The flows of a Set that are to have a span.

use flow_state::{DataSet, FlowGroup, FlowGroups, FlowRecord, Flows};

/// Asks for groups of flows which are wanted, and gives these one by one.
pub(crate) struct SelectedFlows<'a, 's, S> {
    groups: FlowGroups<'a>,
    select: &'s mut S,
    /// Those of the last group that were not given yet, a bit for each that is wanted.
    flows: Option<Flows<'a>>,
    wanted: u32,
    /// Flows that were not wanted.
    pub(crate) left_out: u64,
}

impl<'a, 's, S: FnMut(&FlowGroup<'_>) -> u32> SelectedFlows<'a, 's, S> {
    pub(crate) fn new(set: &DataSet<'a>, select: &'s mut S) -> Self {
        Self { groups: set.groups(), select, flows: None, wanted: 0, left_out: 0 }
    }

    /// The next one, where there is room for so many: no more are asked for, so that each that is wanted is given too.
    #[inline]
    pub(crate) fn next(&mut self, room: usize) -> Option<FlowRecord<'a>> {
        while self.wanted == 0 {
            let group = self.groups.next_of(room)?;
            let all = u32::MAX >> (u32::BITS as usize - group.len());
            self.wanted = (self.select)(&group) & all;
            self.left_out += u64::from((all & !self.wanted).count_ones());
            self.flows = Some(group.flows());
        }
        let skip = self.wanted.trailing_zeros();
        self.wanted = self.wanted >> skip >> 1;
        self.flows.as_mut()?.nth(skip as usize)
    }
}
