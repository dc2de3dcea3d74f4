//! What is remembered, as bytes that outlive the process.
//!
//! A snapshot is a head, a checksum, then one Observation Domain after the other: its key, sequence numbers, Templates
//! as Field Specifiers, options tables. Restoring is learning: each part goes the way that it would have gone out of a
//! datagram, through the same checks and the same budget.

pub(crate) mod codec;

use std::sync::{Arc, PoisonError};

use flow_wire::{FieldSpecifier, Template, Timestamp, Version};

use self::codec::{Reader, Writer};
use crate::domain::{Domain, Sender};
use crate::sequence::SequenceTracker;
use crate::session::{DomainKey, SessionKey, TemplateScope};
use crate::store::{Installed, State};

const MAGIC: u64 = u64::from_be_bytes(*b"n2tstate");
/// Of the layout; a change of it needs another.
const VERSION: u16 = 1;

/// Why a snapshot was not restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotError {
    /// The bytes begin as no snapshot does.
    #[error("not a snapshot")]
    NotASnapshot,
    /// Written by another version of this program.
    #[error("a snapshot of layout {0}, which this version does not know")]
    Version(u16),
    /// Written with another [`TemplateScope`], so that its Templates belong to other things.
    #[error("a snapshot with another template scope")]
    TemplateScope,
    /// Cut or changed since it was written.
    #[error("a damaged snapshot")]
    Damaged,
}

/// What came out of a snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Observation Domains that are remembered again.
    pub domains: usize,
    /// Their Templates.
    pub templates: usize,
    /// Domains and Templates for which there was no room, or which are beyond the limits.
    pub refused: usize,
}

/// A domain as it is in a snapshot.
struct SavedDomain<'a> {
    key: DomainKey,
    trusted: bool,
    last_data: Timestamp,
    senders: Vec<Sender>,
    templates: Vec<SavedTemplate>,
    options: Option<Reader<'a>>,
}

struct SavedTemplate {
    id: u16,
    scope_field_count: Option<u16>,
    fields: Vec<FieldSpecifier>,
}

impl State {
    /// What is remembered of all exporters: Templates, options tables, sequence numbers. Data that waits for its Template
    /// is left out, and so is what belongs to connections: they end before the process does.
    pub fn snapshot(&self) -> Vec<u8> {
        // All references first: a lock must not be waited for while the table is read.
        let domains: Vec<_> = self.domains().filter(|domain| !domain.key.ends()).collect();
        let mut domains: Vec<_> = domains.iter().map(|domain| (!domain.is_trusted(), domain.place(), domain)).collect();
        domains.sort_unstable_by_key(|(on_probation, place, _)| (*on_probation, *place));
        let mut to = Writer::default();
        to.u64(MAGIC);
        to.u16(VERSION);
        let head = to.0.len();
        // For the checksum, once there is something to sum up.
        to.u64(0);
        let body = to.0.len();
        to.u8(scope_number(self.config.template_scope));
        for (_, _, domain) in domains {
            save_domain(domain, &mut to);
        }
        let checksum = checksum(&to.0[body..]);
        to.0[head..body].copy_from_slice(&checksum.to_be_bytes());
        to.0
    }

    /// Takes in what [`State::snapshot`] gave, within the budget: what the exporters send next is decoded as if nothing
    /// had come between, but for the first number of each sequence, which tells no gap.
    ///
    /// # Errors
    ///
    /// [`SnapshotError`]; then nothing was taken in.
    pub fn restore(&self, snapshot: &[u8], now: Timestamp) -> Result<Restored, SnapshotError> {
        let mut reader = Reader(snapshot);
        if reader.u64() != Some(MAGIC) {
            return Err(SnapshotError::NotASnapshot);
        }
        match reader.u16().ok_or(SnapshotError::Damaged)? {
            VERSION => {}
            other => return Err(SnapshotError::Version(other)),
        }
        if reader.u64() != Some(checksum(reader.0)) {
            return Err(SnapshotError::Damaged);
        }
        if reader.u8() != Some(scope_number(self.config.template_scope)) {
            return Err(SnapshotError::TemplateScope);
        }
        let mut check = reader;
        while !check.is_empty() {
            read_domain(&mut check).ok_or(SnapshotError::Damaged)?;
        }
        let mut restored = Restored::default();
        while !reader.is_empty() {
            let domain = read_domain(&mut reader).ok_or(SnapshotError::Damaged)?;
            self.restore_domain(domain, now, &mut restored);
        }
        Ok(restored)
    }

    fn restore_domain(&self, saved: SavedDomain<'_>, now: Timestamp, restored: &mut Restored) {
        if saved.key.ends() {
            // We write none; nobody would ever end it.
            return;
        }
        let Some(domain) = self.domain(saved.key) else {
            restored.refused += 1 + saved.templates.len();
            return;
        };
        restored.domains += 1;
        domain.set_last_data(saved.last_data.min(now));
        {
            let mut memory = domain.memory();
            memory.trusted = saved.trusted && self.promote(&domain, now);
            for mut sender in saved.senders {
                // A clock that was ahead must not keep it for ever.
                sender.last_seen = sender.last_seen.min(now);
                if memory.senders.is_empty() || self.resize(&domain, 0, size_of::<Sender>(), now) {
                    memory.senders.push(sender);
                }
            }
            if let Some(mut options) = saved.options {
                let resize = |less, more| self.resize(&domain, less, more, now);
                // It was read before.
                let _ = memory.options.restore(&mut options, resize);
            }
        }
        let version = if saved.key.version() == Version::V9.number() { Version::V9 } else { Version::Ipfix };
        for SavedTemplate { id, scope_field_count, fields } in saved.templates {
            let limits = &self.config.template_limits;
            let template = Template::from_fields(id, version, scope_field_count, &fields, limits);
            match template.map(|template| self.install(&domain, template, now)) {
                Some(Installed::OverBudget) | None => restored.refused += 1,
                Some(_) => restored.templates += 1,
            }
        }
    }
}

const fn scope_number(scope: TemplateScope) -> u8 {
    match scope {
        TemplateScope::Session => 0,
        TemplateScope::Address => 1,
    }
}

/// FNV-1a: finds accidents, which is all that can be asked of a file that only we write.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn save_domain(domain: &Arc<Domain>, to: &mut Writer) {
    domain.key.save(to);
    let memory = domain.memory();
    to.u8(memory.trusted.into());
    to.u64(domain.last_data().as_unix_nanos());
    to.u8(memory.senders.len() as u8);
    for sender in &memory.senders {
        sender.session.save(to);
        to.u64(sender.last_seen.as_unix_nanos());
        sender.sequence.save(to);
    }
    let options = memory.options.tables();
    drop(memory);
    to.option(options, |to, tables| {
        let start = to.0.len();
        to.u32(0);
        tables.save(to);
        let len = (to.0.len() - start - 4) as u32;
        to.0[start..start + 4].copy_from_slice(&len.to_be_bytes());
    });
    // References, so that nobody waits for the lock while they are written.
    let templates: Vec<_> = domain.templates.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
    to.u32(templates.len() as u32);
    for known in templates {
        let template = known.template();
        to.u16(template.id());
        let scope = template.is_options().then(|| template.scope_field_count() as u16);
        to.option(scope, Writer::u16);
        let fields = template.field_specifiers();
        to.u16(fields.len() as u16);
        for field in fields {
            to.u32(field.enterprise_number);
            to.u16(field.id);
            to.u16(field.length);
        }
    }
}

fn read_domain<'a>(from: &mut Reader<'a>) -> Option<SavedDomain<'a>> {
    let key = DomainKey::read(from)?;
    let trusted = from.flag()?;
    let last_data = Timestamp::from_unix_nanos(from.u64()?);
    let mut senders = Vec::new();
    for _ in 0..from.u8()? {
        let session = SessionKey::read(from)?;
        let last_seen = Timestamp::from_unix_nanos(from.u64()?);
        senders.push(Sender { session, last_seen, sequence: SequenceTracker::read(from)? });
    }
    let options = from.option(|from| {
        let len = from.u32()?;
        let (options, rest) = from.0.split_at_checked(len as usize)?;
        from.0 = rest;
        crate::options::DomainOptions::default().restore(&mut Reader(options), |_, _| false)?;
        Some(Reader(options))
    })?;
    let mut templates = Vec::new();
    for _ in 0..from.u32()? {
        let (id, scope_field_count) = (from.u16()?, from.option(Reader::u16)?);
        let mut fields = Vec::new();
        for _ in 0..from.u16()? {
            let (enterprise_number, id, length) = (from.u32()?, from.u16()?, from.u16()?);
            fields.push(FieldSpecifier { enterprise_number, id, length });
        }
        templates.push(SavedTemplate { id, scope_field_count, fields });
    }
    Some(SavedDomain { key, trusted, last_data, senders, templates, options })
}
