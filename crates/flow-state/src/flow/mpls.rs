//! The MPLS label stack.

use super::FlowRecord;

/// An entry of a label stack (RFC 3032 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct MplsLabel {
    /// The label, 20 bits.
    pub label: u32,
    /// Traffic class (RFC 5462), 3 bits.
    pub traffic_class: u8,
    /// Whether it is the last of the stack.
    pub bottom_of_stack: bool,
}

impl MplsLabel {
    const fn new(entry: u32) -> Self {
        Self { label: entry >> 4, traffic_class: (entry >> 1 & 7) as u8, bottom_of_stack: entry & 1 == 1 }
    }
}

impl FlowRecord<'_> {
    /// Entries of the label stack, top first (elements 70 to 79, in the order of their numbers), up to the bottom of the
    /// stack or to the first that is all zero, which exporters send for entries that are not there.
    ///
    /// An entry has 3 bytes, or 4 with the time to live, which is left out.
    pub fn mpls_labels(&self) -> impl Iterator<Item = MplsLabel> {
        let locators = self.plan.rare().map_or(&[][..], |rare| &rare.labels);
        let entries = locators.iter().map(|locator| {
            let entry = self.record.unsigned(*locator) as u32;
            if locator.length() == 4 { entry >> 8 } else { entry }
        });
        let mut ended = false;
        entries.map_while(move |entry| {
            let label = (!ended && entry != 0).then(|| MplsLabel::new(entry))?;
            ended = label.bottom_of_stack;
            Some(label)
        })
    }
}
