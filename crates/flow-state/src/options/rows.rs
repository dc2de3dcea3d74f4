//! Rows of options data by what they are about.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::elements::LearnedElement;
use super::sampling::{SamplingAlgorithm, SamplingRate};

/// What a row is about. Each kind has ids of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    Sampler,
    InterfaceSampling,
    TemplateSampling,
    Interface,
    Vrf,
    Application,
    Element,
}

const KINDS: usize = Kind::ALL.len();

impl Kind {
    /// In the order of their numbers.
    pub(super) const ALL: [Self; 7] = [
        Self::Sampler,
        Self::InterfaceSampling,
        Self::TemplateSampling,
        Self::Interface,
        Self::Vrf,
        Self::Application,
        Self::Element,
    ];
}

/// Kind and id of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) kind: Kind,
    pub(super) engine: u8,
    pub(super) high: u64,
    pub(super) low: u64,
}

impl Key {
    pub(super) const fn new(kind: Kind, id: u64) -> Self {
        Self { kind, engine: 0, high: 0, low: id }
    }

    pub(super) const fn element(enterprise_number: u32, id: u16) -> Self {
        Self::new(Kind::Element, (enterprise_number as u64) << 16 | id as u64)
    }

    /// An applicationId: one byte of classification engine, then the selector as a number of up to 16 bytes, so that it
    /// is the same at every width (RFC 6759 section 4.1).
    pub(super) fn application(id: &[u8]) -> Option<Self> {
        let (engine, selector) = id.split_first()?;
        let mut wide = [0; 16];
        wide.get_mut(16_usize.checked_sub(selector.len())?..)?.copy_from_slice(selector);
        let selector = u128::from_be_bytes(wide);
        Some(Self { kind: Kind::Application, engine: *engine, high: (selector >> 64) as u64, low: selector as u64 })
    }
}

/// How packets were chosen, as options data tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sampler {
    /// What part of the packets was looked at.
    pub rate: Option<SamplingRate>,
    /// By which rule.
    pub algorithm: Option<SamplingAlgorithm>,
    /// samplerName (84) or selectorName (335).
    pub name: Option<Arc<str>>,
}

/// What something is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// Its name.
    pub name: Option<Arc<str>>,
    /// What people wrote about it.
    pub description: Option<Arc<str>>,
}

impl Named {
    /// The name, else the description: some exporters send but one of them.
    pub fn text(&self) -> Option<&str> {
        self.name.as_deref().or(self.description.as_deref())
    }
}

/// What is remembered of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Row {
    Sampler(Sampler),
    Named(Named),
    Element(Arc<LearnedElement>),
}

impl Row {
    /// Bytes of the row in its table, its texts included. A vector is at most twice as long as needed.
    pub(super) fn memory(&self) -> usize {
        let text = |text: &Option<Arc<str>>| text.as_ref().map_or(0, |text| text.len() + 32);
        let texts = match self {
            Self::Sampler(sampler) => text(&sampler.name),
            Self::Named(named) => text(&named.name) + text(&named.description),
            Self::Element(element) => element.memory(),
        };
        2 * size_of::<(Key, Self)>() + 32 + texts
    }

    /// Keeps what an older row said and this one does not.
    pub(super) fn keep(&mut self, old: &Self) {
        match (self, old) {
            (Self::Sampler(new), Self::Sampler(old)) => {
                new.rate = new.rate.or(old.rate);
                new.algorithm = new.algorithm.or(old.algorithm);
                new.name = new.name.take().or_else(|| old.name.clone());
            }
            (Self::Named(new), Self::Named(old)) => {
                new.name = new.name.take().or_else(|| old.name.clone());
                new.description = new.description.take().or_else(|| old.description.clone());
            }
            _ => {}
        }
    }
}

type Shard = Vec<(Key, Row)>;

/// Rows in shards, each sorted: while a reader holds the table, a change copies one shard, never all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    hasher: RandomState,
    /// A power of two of them, or none.
    shards: Box<[Arc<Shard>]>,
    len: usize,
    memory: usize,
    /// Rows of each kind, so that a look-up of what is not there costs nothing.
    kinds: [u32; KINDS],
}

impl Rows {
    /// Rows of a shard, on average, before there are more shards.
    const PER_SHARD: usize = 64;
    const MAX_SHARDS: usize = 256;

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn memory(&self) -> usize {
        self.memory
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Key, Row)> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    /// The row of a key. Of the keys of an exporter, none can be made up to fall into one shard.
    pub(super) fn get(&self, key: &Key) -> Option<&Row> {
        if self.kinds[key.kind as usize] == 0 {
            return None;
        }
        let shard = self.shards.get(self.shard(key))?;
        let at = shard.binary_search_by_key(key, |row| row.0).ok()?;
        Some(&shard.get(at)?.1)
    }

    pub(super) fn sampler(&self, kind: Kind, id: u64) -> Option<&Sampler> {
        match self.get(&Key::new(kind, id))? {
            Row::Sampler(sampler) => Some(sampler),
            _ => None,
        }
    }

    pub(super) fn named(&self, key: &Key) -> Option<&Named> {
        match self.get(key)? {
            Row::Named(named) => Some(named),
            _ => None,
        }
    }

    /// Shards that are searched for a row that gives way: usually the first has one.
    const SEARCHED: usize = 16;

    /// Another row of the same kind that would have to give way to `key`, and its bytes.
    pub(super) fn victim(&self, key: &Key) -> Option<(Key, usize)> {
        if self.kinds[key.kind as usize] == 0 {
            return None;
        }
        let own = self.shard(key);
        let mut shards = self.shards.iter().cycle().skip(own).take(self.shards.len().min(Self::SEARCHED));
        let victim = shards.find_map(|rows| {
            let at = rows.partition_point(|row| row.0 < *key);
            let (behind, before) = (rows.iter().skip(at), rows.iter().take(at));
            behind.chain(before).find(|row| row.0.kind == key.kind && row.0 != *key)
        })?;
        Some((victim.0, victim.1.memory()))
    }

    pub(super) fn insert(&mut self, key: Key, row: Row) {
        self.grow();
        let shard = self.shard(&key);
        let Some(rows) = self.shards.get_mut(shard).map(Arc::make_mut) else {
            return;
        };
        self.memory += row.memory();
        match rows.binary_search_by_key(&key, |row| row.0) {
            Ok(at) => {
                let old = std::mem::replace(&mut rows[at].1, row);
                self.memory -= old.memory();
            }
            Err(at) => {
                rows.insert(at, (key, row));
                self.len += 1;
                self.kinds[key.kind as usize] += 1;
            }
        }
    }

    pub(super) fn remove(&mut self, key: &Key) {
        let shard = self.shard(key);
        if let Some(rows) = self.shards.get_mut(shard)
            && let Ok(at) = rows.binary_search_by_key(key, |row| row.0)
        {
            let (_, row) = Arc::make_mut(rows).remove(at);
            self.len -= 1;
            self.memory -= row.memory();
            self.kinds[key.kind as usize] -= 1;
        }
    }

    fn shard(&self, key: &Key) -> usize {
        self.hasher.hash_one(key) as usize & self.shards.len().wrapping_sub(1)
    }

    /// Twice the shards when they are full: each row moves so often as the table doubled.
    fn grow(&mut self) {
        let shards = self.shards.len();
        if shards >= Self::MAX_SHARDS || self.len < shards * Self::PER_SHARD {
            return;
        }
        let old = std::mem::take(&mut self.shards);
        let mut grown = vec![Shard::new(); (2 * shards).max(1)];
        self.shards = grown.iter().map(|_| Arc::default()).collect();
        for (key, row) in old.iter().flat_map(|shard| shard.iter()) {
            let shard = self.shard(key);
            grown[shard].push((*key, row.clone()));
        }
        // Out of sorted shards come sorted ones: each old one goes to two new ones.
        self.shards = grown.into_iter().map(Arc::new).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Row {
        Row::Named(Named { name: Some(name.into()), description: None })
    }

    /// An exporter that changes a row in each datagram, while other workers read, costs a shard each time.
    #[test]
    fn a_change_copies_one_shard_of_a_table_that_is_read_elsewhere() {
        let mut rows = Rows::default();
        (0..10_000).for_each(|index| rows.insert(Key::new(Kind::Interface, index), named("eth0")));
        assert_eq!((rows.len(), rows.shards.len()), (10_000, 256));
        let largest = rows.shards.iter().map(|shard| shard.len()).max();
        assert!(largest < Some(4 * Rows::PER_SHARD), "they are spread: {largest:?}");
        let reader = rows.clone();
        rows.insert(Key::new(Kind::Interface, 77), named("eth1"));
        let copied = rows.shards.iter().zip(&reader.shards).filter(|(ours, theirs)| !Arc::ptr_eq(ours, theirs));
        assert_eq!(copied.count(), 1);
        let name = |rows: &Rows| rows.named(&Key::new(Kind::Interface, 77)).and_then(|named| named.name.clone());
        assert_eq!((name(&rows).as_deref(), name(&reader).as_deref()), (Some("eth1"), Some("eth0")));
    }

    #[test]
    fn the_sum_of_bytes_stays_exact() {
        let mut rows = Rows::default();
        for index in 0..1_000 {
            rows.insert(Key::new(Kind::Vrf, index % 300), named(&"x".repeat(index as usize % 50)));
            rows.remove(&Key::new(Kind::Vrf, index % 7));
        }
        let (mut count, mut bytes) = (0, 0);
        for (_, row) in rows.shards.iter().flat_map(|shard| shard.iter()) {
            (count, bytes) = (count + 1, bytes + row.memory());
        }
        assert_eq!((rows.len(), rows.memory()), (count, bytes));
        let victim = rows.victim(&Key::new(Kind::Vrf, 299)).map(|(key, _)| key);
        assert!(victim.is_some_and(|key| key.kind == Kind::Vrf && key != Key::new(Kind::Vrf, 299)));
        assert_eq!(rows.victim(&Key::new(Kind::Interface, 299)).map(|(key, _)| key), None, "of its own kind alone");
    }
}
