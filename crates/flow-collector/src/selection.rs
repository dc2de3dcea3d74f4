//! What is told of flows, and of which: what may change while they come in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flow_semconv::AttributeSet;

use crate::filter::Filter;
use crate::sampling::{FlowSampler, SamplingConfig};

/// Which flows have spans, and which attributes these have. Workers share it, and see a change with the next datagram.
#[derive(Debug)]
pub struct Selection {
    current: Mutex<Arc<Selected>>,
    /// Changes with `current`, so that workers need no lock to know that nothing has changed.
    generation: AtomicU64,
}

/// What is in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selected {
    pub(crate) filter: Arc<Filter>,
    pub(crate) sampler: Arc<FlowSampler>,
    pub(crate) attributes: AttributeSet,
    sampling: Option<SamplingConfig>,
}

impl Selection {
    /// Of these flows and attributes.
    pub fn new(filter: Arc<Filter>, sampling: Option<SamplingConfig>, attributes: AttributeSet) -> Self {
        let sampler = Arc::new(FlowSampler::new(sampling));
        let current = Mutex::new(Arc::new(Selected { filter, sampler, attributes, sampling }));
        Self { current, generation: AtomicU64::new(1) }
    }

    /// Of others from the next datagram on. Sampling that is the same goes on as it is; attributes stay as they are where
    /// these are of another schema, for which spans would need other keys.
    pub fn set(&self, filter: Arc<Filter>, sampling: Option<SamplingConfig>, attributes: AttributeSet) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut new = Selected { filter, ..Selected::clone(&current) };
        if new.sampling != sampling {
            (new.sampler, new.sampling) = (Arc::new(FlowSampler::new(sampling)), sampling);
        }
        if new.attributes.schema() == attributes.schema() {
            new.attributes = attributes;
        }
        *current = Arc::new(new);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// What is in force, if that is another generation than this one, which becomes it.
    #[inline]
    pub(crate) fn newer(&self, seen: &mut u64) -> Option<Arc<Selected>> {
        let generation = self.generation.load(Ordering::Acquire);
        if generation == *seen {
            return None;
        }
        *seen = generation;
        Some(self.current.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Default for Selection {
    /// Of all flows and all attributes.
    fn default() -> Self {
        Self::new(Arc::default(), None, AttributeSet::default())
    }
}

#[cfg(test)]
mod tests {
    use flow_semconv::Schema;

    use super::*;

    #[test]
    fn a_change_is_seen_once_and_what_is_the_same_goes_on() {
        let sampling = Some(SamplingConfig::default());
        let selection = Selection::new(Arc::default(), sampling, AttributeSet::default());
        let mut seen = 0;
        let first = selection.newer(&mut seen).unwrap();
        assert!(selection.newer(&mut seen).is_none());
        selection.set(Arc::new("udp".parse().unwrap()), sampling, AttributeSet::new(Schema::Ecs));
        let second = selection.newer(&mut seen).unwrap();
        assert!(selection.newer(&mut seen).is_none());
        assert!(second.filter.has_rules() && !first.filter.has_rules());
        assert!(Arc::ptr_eq(&first.sampler, &second.sampler));
        assert_eq!(second.attributes, AttributeSet::default(), "another schema");
        selection.set(Arc::default(), None, AttributeSet::default());
        assert!(!Arc::ptr_eq(&first.sampler, &selection.newer(&mut seen).unwrap().sampler));
    }
}
