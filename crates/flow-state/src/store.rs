//! The shared store: Templates and Observation Domains of all exporters, within one budget.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use dashmap::DashMap;
use flow_wire::legacy::Layout;
use flow_wire::{Message, Template, TemplateLimits, Timestamp, Version};
use foldhash::fast::RandomState;

use crate::decoded::MessageContext;
use crate::domain::{Domain, Templates, lock};
use crate::ledger::Ledger;
use crate::options::ElementTable;
use crate::pending::{HeldSet, Pending, PendingLimits, PendingStats};
use crate::plan::FlowPlan;
use crate::session::{DomainKey, TemplateKey, TemplateScope, TransportSession};

/// Limits and policies of a [`State`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StateConfig {
    /// What Template IDs belong to.
    pub template_scope: TemplateScope,
    /// Bytes for Templates and Observation Domains of all exporters. One exporter address gets a quarter of it at most for
    /// domains that have shown, by valid data more than once, that they mean what they send, and as much for others.
    pub memory: usize,
    /// Bytes for Data Sets that wait for their Template; 0 drops them at once.
    pub pending_memory: usize,
    /// The part of them that one exporter address may have, whatever Observation Domains it names.
    pub pending_memory_per_exporter: usize,
    /// How long a Data Set waits.
    pub pending_age: Duration,
    /// Whether Template Withdrawals over UDP count as over TCP, against RFC 7011 section 8.4, which has them ignored.
    pub obey_udp_withdrawals: bool,
    /// Limits of one Template.
    pub template_limits: TemplateLimits,
    /// Elements that the user defined, for [`State::element`].
    pub elements: Arc<ElementTable>,
}

impl Default for StateConfig {
    fn default() -> Self {
        Self {
            template_scope: TemplateScope::Session,
            memory: 64 << 20,
            pending_memory: 8 << 20,
            pending_memory_per_exporter: 64 << 10,
            pending_age: Duration::from_secs(60),
            obey_udp_withdrawals: false,
            template_limits: TemplateLimits::default(),
            elements: Arc::default(),
        }
    }
}

/// A Template in force.
#[derive(Debug)]
pub struct KnownTemplate {
    template: Template,
    /// Made when the first data comes: many Templates never see any, and it is larger than they are. In a Template of the
    /// store it is set under the lock of the ledger, which has its bytes.
    plan: OnceLock<Box<FlowPlan>>,
    generation: u64,
}

impl KnownTemplate {
    pub(crate) fn new(template: Template, generation: u64) -> Self {
        Self { template, plan: OnceLock::new(), generation }
    }

    /// One that no exporter sent, with its plan.
    fn built_in(template: Template, generation: u64) -> Self {
        let known = Self::new(template, generation);
        known.plan.get_or_init(|| Box::new(FlowPlan::new(&known.template)));
        known
    }

    /// The layout of the records.
    pub const fn template(&self) -> &Template {
        &self.template
    }

    /// Where the facts of a flow lie, once data came.
    pub(crate) fn plan(&self) -> Option<&FlowPlan> {
        self.plan.get().map(|plan| &**plan)
    }

    /// A number that no other Template of this [`State`] has or had: the key for caches of what is made from a Template.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Bytes with its place in the table of its domain.
    fn memory(&self) -> usize {
        let plan = self.plan().map_or(0, FlowPlan::memory);
        self.template.memory() + size_of::<Self>() - size_of::<Template>() + 112 + plan
    }
}

/// Of some 2 KiB each.
const MAX_SAMPLE_TEMPLATES: usize = 1024;

/// Everything a Collecting Process remembers. Shared between workers by reference.
#[derive(Debug)]
pub struct State {
    pub(crate) config: StateConfig,
    /// No other state of the process has it.
    number: u64,
    domains: DashMap<DomainKey, Arc<Domain>, RandomState>,
    ledger: Mutex<Ledger>,
    templates: AtomicUsize,
    pending: Mutex<Pending>,
    /// Bytes waiting, so that the lock is taken only when there are some.
    pending_bytes: AtomicUsize,
    generations: AtomicU64,
    built_in: [Arc<KnownTemplate>; Layout::ALL.len()],
    /// Templates of the records that are made from sFlow samples, by the columns they have.
    samples: DashMap<u64, Arc<KnownTemplate>, RandomState>,
}

/// The Templates of an Observation Domain at one moment: what a [`ListReader`](flow_wire::list::ListReader) asks for.
#[derive(Clone, Debug, Default)]
pub struct InnerTemplates(Templates);

impl InnerTemplates {
    /// The Template of this ID.
    pub fn get(&self, id: u16) -> Option<&Template> {
        self.0.get(&id).map(|known| known.template())
    }
}

static STATES: AtomicU64 = AtomicU64::new(0);

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
        let built_in =
            Layout::ALL.map(|layout| Arc::new(KnownTemplate::built_in(layout.template(), layout.index() as u64)));
        let limits = PendingLimits {
            bytes: config.pending_memory,
            bytes_per_exporter: config.pending_memory_per_exporter,
            age: config.pending_age,
        };
        Self {
            domains: DashMap::default(),
            ledger: Mutex::new(Ledger::new(config.memory)),
            config,
            number: STATES.fetch_add(1, Ordering::Relaxed),
            templates: AtomicUsize::new(0),
            pending: Mutex::new(Pending::new(limits)),
            pending_bytes: AtomicUsize::new(0),
            generations: AtomicU64::new(Layout::ALL.len() as u64),
            built_in,
            samples: DashMap::default(),
        }
    }

    /// Bytes in use for Templates and Observation Domains.
    pub fn memory(&self) -> usize {
        lock(&self.ledger).used()
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
        self.templates.load(Ordering::Relaxed)
    }

    /// Observation Domains that are remembered.
    pub fn domain_count(&self) -> usize {
        self.domains.len()
    }

    /// Observation Domains that were dropped with their Templates since the start, to make room for others.
    pub fn evictions(&self) -> u64 {
        lock(&self.ledger).evictions()
    }

    /// Exporter addresses for which anything is remembered.
    pub fn exporter_count(&self) -> usize {
        lock(&self.ledger).exporters()
    }

    pub(crate) fn built_in_template(&self, message: &Message<'_>) -> Option<&Arc<KnownTemplate>> {
        Some(&self.built_in[Layout::of(message)?.index()])
    }

    /// The Template of records with these columns. A network has a few dozen of them; after [`MAX_SAMPLE_TEMPLATES`] they
    /// are made anew, so that nobody fills the places for good.
    pub(crate) fn sample_template(&self, columns: u64, template: impl FnOnce() -> Template) -> Arc<KnownTemplate> {
        if let Some(known) = self.samples.get(&columns) {
            return known.value().clone();
        }
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let known = Arc::new(KnownTemplate::built_in(template(), generation));
        if self.samples.len() >= MAX_SAMPLE_TEMPLATES {
            self.samples.clear();
        }
        self.samples.insert(columns, known.clone());
        known
    }

    pub(crate) fn template(&self, key: &TemplateKey) -> Option<Arc<KnownTemplate>> {
        self.domains.get(&key.domain)?.template(key.template_id)
    }

    /// The Templates in force where a Message came from, for the lists in its records.
    pub fn inner_templates(&self, context: &MessageContext) -> InnerTemplates {
        let header = &context.header;
        let scope = self.config.template_scope;
        let key = DomainKey::new(&context.session, header.version, header.observation_domain_id, scope);
        InnerTemplates(self.known_domain(&key).map(|domain| domain.templates()).unwrap_or_default())
    }

    /// Whether the exporter lately defined this Template for the same Observation Domain from another source port.
    pub(crate) fn is_known_elsewhere(&self, key: &TemplateKey) -> bool {
        let elsewhere = |other: &Arc<Domain>| {
            other.key.differs_in_session(&key.domain) && other.template(key.template_id).is_some()
        };
        lock(&self.ledger).latest_of(key.domain.exporter()).any(elsewhere)
    }

    /// Forgets everything of a Transport Session that has ended: RFC 7011 section 8 has its Templates end with it, and
    /// sequence numbers and options data go the same way. Over UDP no session ends, so that nothing happens.
    ///
    /// Data that still waits for its Template is dropped, and counted in [`PendingStats::dropped_sets`].
    pub fn end_session(&self, session: &TransportSession) {
        let key = DomainKey::new(session, Version::Ipfix, 0, self.config.template_scope);
        if !key.ends() {
            return;
        }
        self.with_ledger(|ledger| ledger.end(key.exporter(), |domain| domain.key.shares_session(&key)));
        if self.pending_memory() > 0 {
            let mut pending = lock(&self.pending);
            pending.end(key);
            self.pending_bytes.store(pending.memory(), Ordering::Relaxed);
        }
    }

    /// Puts a Template in force in place of whatever its ID stood for.
    pub(crate) fn install(&self, domain: &Domain, template: Template, now: Timestamp) -> Installed {
        let id = template.id();
        let known = Arc::new(KnownTemplate::new(template, self.generations.fetch_add(1, Ordering::Relaxed)));
        self.with_ledger(|ledger| {
            let before = domain.template(id);
            if let Some(same) = before.as_ref().filter(|before| before.template == known.template) {
                return Installed::Refreshed(same.clone());
            }
            let less = before.as_ref().map_or(0, |before| before.memory());
            if !ledger.resize(domain, less, known.memory(), now) {
                return Installed::OverBudget;
            }
            domain.templates.write().unwrap_or_else(PoisonError::into_inner).insert(id, known.clone());
            if before.is_some() {
                return Installed::Changed(known);
            }
            self.templates.fetch_add(1, Ordering::Relaxed);
            Installed::Added(known)
        })
    }

    /// Takes a Template out of force. `false` when its ID stood for nothing.
    pub(crate) fn remove(&self, domain: &Domain, id: u16, now: Timestamp) -> bool {
        self.remove_from(domain, now, |templates| templates.remove(&id).into_iter().collect()) > 0
    }

    /// Takes all Templates, or all Options Templates, of a domain out of force; returns how many there were.
    pub(crate) fn remove_all(&self, domain: &Domain, options: bool, now: Timestamp) -> usize {
        self.remove_from(domain, now, |templates| {
            templates.extract_if(|_, known| known.template.is_options() == options).map(|(_, known)| known).collect()
        })
    }

    fn remove_from(
        &self,
        domain: &Domain,
        now: Timestamp,
        take: impl FnOnce(&mut Templates) -> Vec<Arc<KnownTemplate>>,
    ) -> usize {
        self.with_ledger(|ledger| {
            let mut templates = domain.templates.write().unwrap_or_else(PoisonError::into_inner);
            let removed = take(&mut templates);
            if templates.len() < templates.capacity() / 4 {
                let fitting = 2 * templates.len();
                templates.shrink_to(fitting);
            }
            if ledger.resize(domain, removed.iter().map(|known| known.memory()).sum(), 0, now) {
                self.templates.fetch_sub(removed.len(), Ordering::Relaxed);
            }
            removed.len()
        })
    }

    /// Makes the plan of a Template, whose first data has come. Where there is no room to keep it, it is returned.
    pub(crate) fn make_plan(
        &self,
        domain: Option<&Arc<Domain>>,
        known: &Arc<KnownTemplate>,
        now: Timestamp,
    ) -> Option<Box<FlowPlan>> {
        let plan = Box::new(FlowPlan::new(&known.template));
        let Some(domain) = domain else {
            return Some(plan);
        };
        self.with_ledger(|ledger| {
            if known.plan().is_some() {
                return None;
            }
            // The bytes of a Template that is no longer in force would never be given back.
            let in_force = domain.template(known.template.id()).is_some_and(|other| Arc::ptr_eq(&other, known));
            if in_force && ledger.resize(domain, 0, plan.memory(), now) {
                return known.plan.set(plan).err();
            }
            Some(plan)
        })
    }

    /// All that are remembered, in no order.
    pub(crate) fn domains(&self) -> impl Iterator<Item = Arc<Domain>> {
        self.domains.iter().map(|domain| domain.value().clone())
    }

    /// What is remembered of a domain, where there is anything.
    pub(crate) fn known_domain(&self, key: &DomainKey) -> Option<Arc<Domain>> {
        self.domains.get(key).map(|domain| domain.value().clone())
    }

    /// As [`State::known_domain`], with a look at one that may be it.
    #[inline]
    pub(crate) fn known_domain_or(&self, recent: Option<Arc<Domain>>, key: &DomainKey) -> Option<Arc<Domain>> {
        let is_it = |domain: &Arc<Domain>| {
            domain.key == *key && domain.state == self.number && domain.place() != Domain::NO_PLACE
        };
        recent.filter(is_it).or_else(|| self.known_domain(key))
    }

    /// A domain, on probation if it was not known; `None` when there is no room for another.
    pub(crate) fn domain(&self, key: DomainKey) -> Option<Arc<Domain>> {
        self.with_ledger(|ledger| {
            // Another worker may have been faster.
            self.known_domain(&key).or_else(|| {
                let domain = Arc::new(Domain::new(key, self.number));
                ledger.admit(domain.clone()).then(|| {
                    self.domains.insert(key, domain.clone());
                    domain
                })
            })
        })
    }

    /// Takes `more` bytes for what a domain remembers and gives `less` back; `false`, and nothing is taken, where there is
    /// no room.
    pub(crate) fn resize(&self, domain: &Domain, less: usize, more: usize, now: Timestamp) -> bool {
        self.with_ledger(|ledger| ledger.resize(domain, less, more, now))
    }

    /// Trusts a domain from now on, if there is room among the trusted.
    pub(crate) fn promote(&self, domain: &Domain, now: Timestamp) -> bool {
        self.with_ledger(|ledger| ledger.promote(domain, now))
    }

    /// Does something with the ledger, then drops what has lost its place.
    fn with_ledger<T>(&self, act: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = lock(&self.ledger);
        let outcome = act(&mut ledger);
        for domain in ledger.without_place.drain(..) {
            self.domains.remove(&domain.key);
            self.templates.fetch_sub(domain.template_count(), Ordering::Relaxed);
        }
        outcome
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

#[cfg(test)]
mod tests {
    use flow_wire::FieldSpecifier;
    use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

    use super::*;
    use crate::domain::Sender;
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
        state.decode(&Datagram::new(session, received_at, bytes), &mut decoded);
        decoded.issues().counts()[flow_wire::DecodeErrorKind::BudgetExceeded.index()]
    }

    fn held(state: &State) -> usize {
        let domain = |domain: &Domain| {
            let senders = domain.memory().senders.len().saturating_sub(1) * size_of::<Sender>();
            let templates = domain.templates.read().unwrap();
            Domain::MEMORY + senders + templates.values().map(|known| known.memory()).sum::<usize>()
        };
        state.domains.iter().map(|entry| domain(entry.value())).sum()
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
