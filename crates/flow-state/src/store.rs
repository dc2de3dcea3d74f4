//! The shared store: Templates and Observation Domains of all exporters, within one budget.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;
use flow_wire::legacy::Layout;
use flow_wire::{Message, Template, TemplateLimits, Timestamp};
use foldhash::fast::RandomState;

use crate::budget::Budget;
use crate::domain::Domain;
use crate::pending::{HeldSet, Pending, PendingLimits, PendingStats};
use crate::plan::FlowPlan;
use crate::session::{DomainKey, TemplateKey, TemplateScope};

/// Limits and policies of a [`State`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateConfig {
    /// What Template IDs belong to.
    pub template_scope: TemplateScope,
    /// Bytes for Templates and Observation Domains of all exporters; one exporter address gets a quarter of it at most.
    pub memory: usize,
    /// Bytes for Data Sets that wait for their Template; 0 drops them at once.
    pub pending_memory: usize,
    /// The part of them that one exporter address may have, whatever Observation Domains it names.
    pub pending_memory_per_exporter: usize,
    /// How long a Data Set waits.
    pub pending_age: Duration,
    /// Limits of one Template.
    pub template_limits: TemplateLimits,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            template_scope: TemplateScope::Session,
            memory: 64 << 20,
            pending_memory: 8 << 20,
            pending_memory_per_exporter: 64 << 10,
            pending_age: Duration::from_secs(60),
            template_limits: TemplateLimits::default(),
        }
    }
}

/// A Template in force, with the plan of its flows.
#[derive(Debug)]
pub struct KnownTemplate {
    template: Template,
    plan: FlowPlan,
    generation: u64,
}

impl KnownTemplate {
    fn new(template: Template, generation: u64) -> Self {
        let plan = FlowPlan::new(&template);
        Self { template, plan, generation }
    }

    /// The layout of the records.
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// Where the facts of a flow lie.
    pub const fn plan(&self) -> &FlowPlan {
        &self.plan
    }

    /// A number that no other Template of this [`State`] has or had: the key for caches of what is made from a Template.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    fn memory(&self) -> usize {
        self.template.memory() + size_of::<Self>() + size_of::<TemplateKey>() + 64
    }
}

/// An Observation Domain that was silent for so long is dropped when the budget is used up.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// One that sent more than once keeps its place at least so long.
const RECENT: Duration = Duration::from_secs(5 * 60);
/// The store is searched for domains to drop at most this often.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

type Map<K, V> = DashMap<K, V, RandomState>;

/// Everything a Collecting Process remembers. Shared between workers by reference.
#[derive(Debug)]
pub struct State {
    pub(crate) config: StateConfig,
    pub(crate) budget: Budget,
    templates: Map<TemplateKey, Arc<KnownTemplate>>,
    domains: Map<DomainKey, Arc<Mutex<Domain>>>,
    pending: Mutex<Pending>,
    /// Bytes waiting, so that the lock is taken only when there are some.
    pending_bytes: AtomicUsize,
    generations: AtomicU64,
    next_sweep: AtomicU64,
    built_in: [Arc<KnownTemplate>; Layout::ALL.len()],
}

/// What became of a Template that was sent.
#[derive(Debug)]
pub(crate) enum Installed {
    Added(Arc<KnownTemplate>),
    Changed(Arc<KnownTemplate>),
    /// Another worker put the same Template in force a moment before.
    Refreshed(Arc<KnownTemplate>),
    OverBudget,
}

impl State {
    /// An empty state.
    pub fn new(config: StateConfig) -> Self {
        let built_in = Layout::ALL.map(|layout| Arc::new(KnownTemplate::new(layout.template(), layout.index() as u64)));
        let limits = PendingLimits {
            bytes: config.pending_memory,
            bytes_per_exporter: config.pending_memory_per_exporter,
            age: config.pending_age,
        };
        let budget = Budget::new(config.memory);
        Self {
            config,
            templates: Map::default(),
            domains: Map::default(),
            budget,
            pending: Mutex::new(Pending::new(limits)),
            pending_bytes: AtomicUsize::new(0),
            generations: AtomicU64::new(Layout::ALL.len() as u64),
            next_sweep: AtomicU64::new(0),
            built_in,
        }
    }

    /// Bytes in use for Templates and Observation Domains.
    pub fn memory(&self) -> usize {
        self.budget.used()
    }

    /// Bytes in use for Data Sets that wait for their Template, bookkeeping included.
    pub fn pending_memory(&self) -> usize {
        self.pending_bytes.load(Ordering::Relaxed)
    }

    /// Data Sets that wait for their Template at `now`, and how many were dropped so far.
    ///
    /// Of all bytes that [`Accounting::pending`](crate::Accounting::pending) ever counted, these and those of
    /// [`Decoded::replayed_accounting`](crate::Decoded::replayed_accounting) are the whole.
    pub fn pending_stats(&self, now: Timestamp) -> PendingStats {
        let mut pending = lock(&self.pending);
        pending.expire(now);
        self.pending_bytes.store(pending.memory(), Ordering::Relaxed);
        pending.stats()
    }

    /// Templates in force, the built-in ones left out.
    pub fn template_count(&self) -> usize {
        self.templates.len()
    }

    /// Observation Domains that are remembered.
    pub fn domain_count(&self) -> usize {
        self.domains.len()
    }

    /// Exporter addresses for which anything is remembered.
    pub fn exporter_count(&self) -> usize {
        self.budget.exporters()
    }

    pub(crate) fn built_in_template(&self, message: &Message<'_>) -> Option<Arc<KnownTemplate>> {
        Some(self.built_in[Layout::of(message)?.index()].clone())
    }

    pub(crate) fn template(&self, key: &TemplateKey) -> Option<Arc<KnownTemplate>> {
        self.templates.get(key).map(|known| known.value().clone())
    }

    /// Puts a Template in force in place of whatever its ID stood for.
    pub(crate) fn install(&self, key: TemplateKey, template: Template, now: Timestamp) -> Installed {
        let known = Arc::new(KnownTemplate::new(template, self.generations.fetch_add(1, Ordering::Relaxed)));
        self.try_install(key, &known).unwrap_or_else(|| {
            self.sweep(now);
            self.try_install(key, &known).unwrap_or(Installed::OverBudget)
        })
    }

    /// `None` when there is no room. What is replaced is measured under the lock of its entry: other workers may put
    /// Templates in force for the same ID.
    fn try_install(&self, key: TemplateKey, known: &Arc<KnownTemplate>) -> Option<Installed> {
        let exporter = key.domain.exporter();
        match self.templates.entry(key) {
            Entry::Occupied(entry) if entry.get().template == known.template => {
                Some(Installed::Refreshed(entry.get().clone()))
            }
            Entry::Occupied(mut entry) => {
                self.budget.resize(exporter, entry.get().memory(), known.memory()).then(|| {
                    entry.insert(known.clone());
                    Installed::Changed(known.clone())
                })
            }
            Entry::Vacant(entry) => self.budget.reserve(exporter, known.memory()).then(|| {
                entry.insert(known.clone());
                Installed::Added(known.clone())
            }),
        }
    }

    /// Takes a Template out of force. `false` when its ID stood for nothing.
    pub(crate) fn remove(&self, key: &TemplateKey) -> bool {
        let removed = self.templates.remove(key);
        if let Some((key, known)) = &removed {
            self.budget.give_back(key.domain.exporter(), known.memory());
        }
        removed.is_some()
    }

    /// The memory of a domain, where there is one.
    pub(crate) fn known_domain(&self, key: &DomainKey) -> Option<Arc<Mutex<Domain>>> {
        self.domains.get(key).map(|domain| domain.value().clone())
    }

    /// The memory of a domain; `None` when there is no room for another.
    pub(crate) fn domain(&self, key: DomainKey, now: Timestamp) -> Option<Arc<Mutex<Domain>>> {
        self.known_domain(&key).or_else(|| self.try_domain(key, now)).or_else(|| {
            self.sweep(now);
            self.try_domain(key, now)
        })
    }

    fn try_domain(&self, key: DomainKey, now: Timestamp) -> Option<Arc<Mutex<Domain>>> {
        match self.domains.entry(key) {
            Entry::Occupied(entry) => Some(entry.get().clone()),
            Entry::Vacant(entry) => self.budget.reserve(key.exporter(), Domain::MEMORY).then(|| {
                let domain = Arc::new(Mutex::new(Domain::new(now)));
                entry.insert(domain.clone());
                domain
            }),
        }
    }

    /// Makes room, at most once in [`SWEEP_INTERVAL`]: drops domains that were silent for [`IDLE`], then, until a quarter
    /// is free, those that sent only once, then those that were silent for [`RECENT`]; oldest first, with their
    /// Templates. So spoofed senders that come and go do not push out an exporter that stays.
    fn sweep(&self, now: Timestamp) {
        let due = self.next_sweep.load(Ordering::Relaxed);
        let next = (now + SWEEP_INTERVAL).as_unix_nanos();
        let turn = now.as_unix_nanos() >= due
            && self.next_sweep.compare_exchange(due, next, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !turn {
            return;
        }
        let rank = |domain: &Domain| {
            let silent = now.since(domain.last_seen());
            (silent <= IDLE, domain.is_proven(), domain.last_seen(), silent > RECENT)
        };
        let mut domains: Vec<_> = self.domains.iter().map(|entry| (rank(&lock(entry.value())), *entry.key())).collect();
        domains.sort_unstable();
        for ((alive, proven, last_seen, silent), key) in domains {
            if !alive || ((!proven || silent) && self.budget.is_short(key.exporter())) {
                self.drop_domain(&key, last_seen);
            }
        }
        let orphan = |key: &TemplateKey| !self.domains.contains_key(&key.domain);
        let orphans: Vec<_> = self.templates.iter().map(|entry| *entry.key()).filter(orphan).collect();
        for key in orphans {
            self.remove(&key);
        }
    }

    /// Drops a domain unless it sent something since `last_seen`.
    fn drop_domain(&self, key: &DomainKey, last_seen: Timestamp) {
        let dropped = self.domains.remove_if(key, |_, domain| lock(domain).last_seen() == last_seen);
        if let Some((key, domain)) = dropped {
            self.budget.give_back(key.exporter(), lock(&domain).retire());
        }
    }

    pub(crate) fn hold(&self, key: TemplateKey, set: HeldSet) -> bool {
        if self.config.pending_memory == 0 {
            return false;
        }
        let mut pending = lock(&self.pending);
        let held = pending.hold(key, set);
        self.pending_bytes.store(pending.memory(), Ordering::Relaxed);
        held
    }

    pub(crate) fn release(&self, key: TemplateKey, now: Timestamp) -> Vec<HeldSet> {
        if self.pending_memory() == 0 {
            return Vec::new();
        }
        let mut pending = lock(&self.pending);
        let released = pending.release(key, now);
        self.pending_bytes.store(pending.memory(), Ordering::Relaxed);
        released
    }
}

/// A lock that a panic elsewhere does not take away: what it guards is valid after every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use flow_wire::FieldSpecifier;
    use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

    use super::*;
    use crate::{Datagram, Decoded, TransportSession};

    fn template(domain: u32, id: u16, field_count: u32) -> Vec<u8> {
        let fields = vec![FieldSpecifier { enterprise_number: 0, id: 1, length: 4 }; field_count as usize];
        let mut writer = MessageWriter::new();
        writer.begin(&header(flow_wire::Version::V9, Timestamp::from_unix_seconds(1_700_000_000), 0, domain));
        writer.template_set(&[TemplateDefinition::new(id, &fields)]).finish().unwrap().to_vec()
    }

    fn receive(state: &State, exporter: u8, bytes: &[u8]) -> u32 {
        let session = TransportSession::new(([192, 0, 2, exporter], 9).into(), ([192, 0, 2, 200], 2055).into());
        let mut decoded = Decoded::default();
        let received_at = Timestamp::from_unix_seconds(1_700_000_000);
        state.decode(&Datagram { session, received_at, tag: 0, bytes }, &mut decoded);
        decoded.issues().counts()[flow_wire::DecodeErrorKind::BudgetExceeded.index()]
    }

    fn held(state: &State) -> usize {
        let templates: usize = state.templates.iter().map(|entry| entry.value().memory()).sum();
        templates + state.domains.iter().map(|domain| lock(domain.value()).memory()).sum::<usize>()
    }

    /// `SO_REUSEPORT` spreads the ports of one exporter over workers.
    #[test]
    fn workers_that_redefine_the_same_templates_keep_the_sum_exact() {
        let limit = 64 << 10;
        let state = State::new(StateConfig { memory: limit, ..StateConfig::default() });
        let refused: u32 = std::thread::scope(|scope| {
            let work = |worker: u32| {
                let state = &state;
                move || {
                    let mut refused = 0;
                    for turn in 0..2_000 {
                        let id = 256 + (turn % 3) as u16;
                        let fields = 1 + (turn * 7 + worker * 13) % 200;
                        refused += receive(state, (turn % 7) as u8, &template(turn % 2, id, fields));
                        assert!(state.memory() <= limit);
                    }
                    refused
                }
            };
            let workers: Vec<_> = (0..4).map(|worker| scope.spawn(work(worker))).collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).sum()
        });
        assert_eq!(state.memory(), held(&state));
        assert!(refused > 0 && state.template_count() > 0, "some fit, some did not");
    }
}
