//! Who is remembered: bytes of memory, and who gives way when they are used up.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use flow_wire::Timestamp;

use crate::domain::Domain;

/// A trusted domain that sent valid data within this time keeps its place, whoever comes.
const RECENT: Duration = Duration::from_secs(5 * 60);
/// So many trusted domains are looked at for one that is silent; the others wait for their turn.
const EXAMINED: usize = 8;

/// The places of all Observation Domains within one limit of bytes.
///
/// A domain comes on probation and is trusted once it has shown that it means what it sends. Those on probation have
/// what the others leave, an eighth at least, and give way to everybody, the oldest first; a trusted one gives way only
/// when it is silent. Either way an exporter address has a quarter at most. So senders that come and go, spoofed ones
/// above all, take nothing from an exporter that stays. Each step costs the same, however many domains there are.
#[derive(Debug)]
pub(crate) struct Ledger {
    limit: usize,
    probation: Queue,
    trusted: Queue,
    next: u64,
    evictions: u64,
    /// Domains that lost their place; whoever holds the ledger takes them out of the store.
    pub(crate) without_place: Vec<Arc<Domain>>,
}

/// Domains of one standing.
#[derive(Debug, Default)]
struct Queue {
    /// By a number that grows: the oldest come first.
    places: BTreeMap<u64, Place>,
    by_exporter: BTreeSet<(u128, u64)>,
    /// Bytes by exporter address: the sender chooses its Observation Domains.
    shares: HashMap<u128, usize>,
    bytes: usize,
}

#[derive(Debug)]
struct Place {
    domain: Arc<Domain>,
    held: usize,
}

/// What a place costs. Nodes of the trees are half full at worst, tables are a power of two.
pub(crate) const PLACE: usize = 2 * (size_of::<(u64, Place)>() + size_of::<(u128, u64)>() + size_of::<(u128, usize)>());

impl Ledger {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            probation: Queue::default(),
            trusted: Queue::default(),
            next: 1,
            evictions: 0,
            without_place: Vec::new(),
        }
    }

    /// Bytes in use, never more than the limit.
    pub(crate) const fn used(&self) -> usize {
        self.probation.bytes + self.trusted.bytes
    }

    /// Exporter addresses for which something is held.
    pub(crate) fn exporters(&self) -> usize {
        let on_probation = |exporter: &&u128| self.probation.shares.contains_key(exporter);
        self.probation.shares.len() + self.trusted.shares.len()
            - self.trusted.shares.keys().filter(on_probation).count()
    }

    /// Domains that lost their place since the start.
    pub(crate) const fn evictions(&self) -> u64 {
        self.evictions
    }

    /// The latest few domains of an exporter address.
    pub(crate) fn latest_of(&self, exporter: u128) -> impl Iterator<Item = &Arc<Domain>> {
        [&self.trusted, &self.probation].into_iter().flat_map(move |queue| {
            let ids = queue.of_exporter(exporter).rev().take(EXAMINED);
            ids.filter_map(|id| queue.places.get(&id)).map(|place| &place.domain)
        })
    }

    /// Gives a domain a place on probation; `false` when there is no room.
    pub(crate) fn admit(&mut self, domain: Arc<Domain>) -> bool {
        let (exporter, held) = (domain.key.exporter(), Domain::MEMORY);
        let fits = self.room_on_probation(exporter, 0, held) && self.room(0, held);
        if fits {
            let id = self.number();
            domain.set_place(id);
            self.probation.push(id, Place { domain, held });
        }
        fits
    }

    /// Takes `more` bytes for a domain and gives `less` back, as one step; `false`, and nothing is taken, where there is
    /// no room, or when the domain has lost its place.
    pub(crate) fn resize(&mut self, domain: &Domain, less: usize, more: usize, now: Timestamp) -> bool {
        let (id, exporter) = (domain.place(), domain.key.exporter());
        let trusted = self.trusted.places.contains_key(&id);
        if !trusted && !self.probation.places.contains_key(&id) {
            return false;
        }
        if let Some(growth) = more.checked_sub(less).filter(|growth| *growth > 0) {
            let within = if trusted {
                self.room_in_trust(exporter, id, growth, now)
            } else {
                self.room_on_probation(exporter, id, growth)
            };
            if !within || !self.room(id, growth) {
                return false;
            }
        }
        let queue = if trusted { &mut self.trusted } else { &mut self.probation };
        queue.resize(id, less, more);
        true
    }

    /// Trusts a domain from now on, if there is room among the trusted.
    pub(crate) fn promote(&mut self, domain: &Domain, now: Timestamp) -> bool {
        let id = domain.place();
        let Some(held) = self.probation.places.get(&id).map(|place| place.held) else {
            return self.trusted.places.contains_key(&id);
        };
        let fits = self.room_in_trust(domain.key.exporter(), id, held, now);
        if fits && let Some(place) = self.probation.take(id) {
            self.trusted.push(id, place);
        }
        fits
    }

    /// Takes the places of those domains of an exporter address from them that are over. Nobody made them give way.
    pub(crate) fn end(&mut self, exporter: u128, is_over: impl Fn(&Domain) -> bool) {
        for queue in [&mut self.probation, &mut self.trusted] {
            let is_over = |id: &u64| queue.places.get(id).is_some_and(|place| is_over(&place.domain));
            let ids: Vec<u64> = queue.of_exporter(exporter).filter(is_over).collect();
            for domain in ids.into_iter().filter_map(|id| queue.take(id)).map(|place| place.domain) {
                domain.set_place(Domain::NO_PLACE);
                self.without_place.push(domain);
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn room_on_probation(&mut self, exporter: u128, spared: u64, more: usize) -> bool {
        while self.probation.share(exporter) + more > self.limit / 4 {
            let oldest = self.probation.of_exporter(exporter).find(|id| *id != spared);
            if !self.evict_from_probation(oldest) {
                return false;
            }
        }
        true
    }

    fn room_in_trust(&mut self, exporter: u128, spared: u64, more: usize, now: Timestamp) -> bool {
        while self.trusted.share(exporter) + more > self.limit / 4 {
            if !self.evict_silent(Some(exporter), spared, now) {
                return false;
            }
        }
        while self.trusted.bytes + more > self.limit - self.limit / 8 {
            if !self.evict_silent(None, spared, now) {
                return false;
            }
        }
        true
    }

    fn room(&mut self, spared: u64, more: usize) -> bool {
        while self.used() + more > self.limit {
            let oldest = self.probation.places.keys().copied().find(|id| *id != spared);
            if !self.evict_from_probation(oldest) {
                return false;
            }
        }
        true
    }

    fn evict_from_probation(&mut self, id: Option<u64>) -> bool {
        let place = id.and_then(|id| self.probation.take(id));
        place.map(|place| self.evict(place.domain)).is_some()
    }

    /// Evicts the oldest of the trusted if it is silent; one that is not goes to the end.
    fn evict_silent(&mut self, exporter: Option<u128>, spared: u64, now: Timestamp) -> bool {
        for _ in 0..EXAMINED {
            let oldest = match exporter {
                Some(exporter) => self.trusted.of_exporter(exporter).find(|id| *id != spared),
                None => self.trusted.places.keys().copied().find(|id| *id != spared),
            };
            let Some(place) = oldest.and_then(|id| self.trusted.take(id)) else {
                return false;
            };
            if now.since(place.domain.last_data()) > RECENT {
                self.evict(place.domain);
                return true;
            }
            let id = self.number();
            place.domain.set_place(id);
            self.trusted.push(id, place);
        }
        false
    }

    fn evict(&mut self, domain: Arc<Domain>) {
        domain.set_place(Domain::NO_PLACE);
        self.evictions += 1;
        self.without_place.push(domain);
    }
}

impl Queue {
    fn share(&self, exporter: u128) -> usize {
        self.shares.get(&exporter).copied().unwrap_or(0)
    }

    /// The places of an exporter address, the oldest first.
    fn of_exporter(&self, exporter: u128) -> impl DoubleEndedIterator<Item = u64> {
        self.by_exporter.range((exporter, 0)..=(exporter, u64::MAX)).map(|(_, id)| *id)
    }

    fn push(&mut self, id: u64, place: Place) {
        let exporter = place.domain.key.exporter();
        self.by_exporter.insert((exporter, id));
        self.add(exporter, 0, place.held);
        self.places.insert(id, place);
    }

    fn take(&mut self, id: u64) -> Option<Place> {
        let place = self.places.remove(&id)?;
        let exporter = place.domain.key.exporter();
        self.by_exporter.remove(&(exporter, id));
        self.add(exporter, place.held, 0);
        Some(place)
    }

    fn resize(&mut self, id: u64, less: usize, more: usize) {
        if let Some(place) = self.places.get_mut(&id) {
            place.held = place.held + more - less;
            let exporter = place.domain.key.exporter();
            self.add(exporter, less, more);
        }
    }

    fn add(&mut self, exporter: u128, less: usize, more: usize) {
        self.bytes = self.bytes + more - less;
        let share = self.share(exporter) + more - less;
        if share == 0 {
            self.shares.remove(&exporter);
        } else {
            self.shares.insert(exporter, share);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{DomainKey, TemplateScope, TransportSession};
    use flow_wire::Version;

    const UNIT: usize = Domain::MEMORY;

    fn domain(exporter: u8, id: u32) -> Arc<Domain> {
        let session = TransportSession::new(([192, 0, 2, exporter], 9).into(), ([192, 0, 2, 200], 2055).into());
        Arc::new(Domain::new(DomainKey::new(&session, Version::V9, id, TemplateScope::Session), 0))
    }

    fn at(second: u64) -> Timestamp {
        Timestamp::from_unix_seconds(1_700_000_000 + second)
    }

    fn evicted(ledger: &mut Ledger) -> Vec<u8> {
        ledger.without_place.drain(..).map(|domain| domain.key.exporter() as u8).collect()
    }

    #[test]
    fn on_probation_the_oldest_gives_way() {
        let mut ledger = Ledger::new(4 * UNIT);
        let domains: Vec<_> = (1..=6).map(|exporter| domain(exporter, 0)).collect();
        assert!(domains.iter().all(|domain| ledger.admit(domain.clone())));
        assert_eq!((ledger.used(), ledger.exporters(), ledger.evictions()), (4 * UNIT, 4, 2));
        assert_eq!(evicted(&mut ledger), [1, 2]);
        assert!(!ledger.resize(&domains[0], 0, 1, at(0)), "it has no place any more");
    }

    #[test]
    fn an_exporter_has_a_quarter_and_its_own_give_way_in_it() {
        let mut ledger = Ledger::new(16 * UNIT);
        let domains: Vec<_> = (1..=6).map(|id| domain(1, id)).collect();
        assert!(domains.iter().all(|domain| ledger.admit(domain.clone())));
        assert_eq!((ledger.used(), ledger.exporters(), ledger.evictions()), (4 * UNIT, 1, 2));
        assert!(!ledger.resize(&domains[5], 0, 4 * UNIT, at(0)), "more than a quarter");
    }

    #[test]
    fn the_trusted_give_way_only_when_they_are_silent() {
        let mut ledger = Ledger::new(8 * UNIT);
        let trusted: Vec<_> = (1..=7).map(|exporter| domain(exporter, 0)).collect();
        for domain in &trusted {
            domain.set_last_data(at(0));
            assert!(ledger.admit(domain.clone()) && ledger.promote(domain, at(0)));
        }
        for exporter in 8..=200 {
            assert!(ledger.admit(domain(exporter, 0)), "an eighth is left");
        }
        assert_eq!((ledger.used(), ledger.evictions()), (8 * UNIT, 192));
        assert!(evicted(&mut ledger).iter().all(|exporter| *exporter > 7));
        let newcomer = domain(201, 0);
        assert!(ledger.admit(newcomer.clone()));
        assert!(!ledger.promote(&newcomer, at(60)), "all are alive");
        trusted.iter().skip(1).for_each(|domain| domain.set_last_data(at(400)));
        assert!(ledger.promote(&newcomer, at(400)));
        assert_eq!(evicted(&mut ledger), [200, 1], "the silent one made room");
    }

    #[test]
    fn a_change_of_size_takes_the_difference() {
        let mut ledger = Ledger::new(16 * UNIT);
        let domain = domain(1, 0);
        assert!(ledger.admit(domain.clone()));
        assert!(ledger.resize(&domain, 0, 2 * UNIT, at(0)));
        assert!(ledger.resize(&domain, 2 * UNIT, 3 * UNIT, at(0)));
        assert!(!ledger.resize(&domain, 3 * UNIT, 4 * UNIT, at(0)), "nothing changes when it does not fit");
        assert_eq!(ledger.used(), 4 * UNIT);
        assert!(ledger.resize(&domain, 3 * UNIT, 10, at(0)));
        assert_eq!(ledger.used(), UNIT + 10);
    }
}
