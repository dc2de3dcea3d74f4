//! Options data: what an exporter tells about itself, and what of it belongs to which flow.
//!
//! The tables of an Observation Domain are learned row by row under the lock of the domain, and shared with the
//! [`MessageContext`](crate::MessageContext)s of its datagrams, so that flows are joined to them without a lock.

mod elements;
mod join;
mod record;
mod rows;
mod sampling;
mod saved;
mod text;

use std::sync::Arc;

use flow_wire::{DataRecord, FieldSpecifier, Timestamp, Version, ie};

pub use self::elements::{Element, ElementError, ElementNumber, ElementTable, LearnedElement};
pub(crate) use self::join::JoinPlan;
pub use self::rows::{Named, Sampler};
pub use self::sampling::{Sampling, SamplingAlgorithm, SamplingRate, SamplingSource};

use self::record::OptionsRecord;
use self::rows::{Key, Kind, Row, Rows};
use self::sampling::GlobalSampling;

/// What the options data of an Observation Domain said so far: samplers, names, the start of the exporter.
///
/// Rows stay until a newer one of the same key takes their place. A domain has at most [`OptionsTables::MAX_ROWS`] of
/// them; when it is full, a row that comes takes the place of another of its kind.
#[derive(Clone, Debug, Default)]
pub struct OptionsTables {
    system_init: Option<Timestamp>,
    global: GlobalSampling,
    rows: Rows,
    element_changes: u64,
}

impl OptionsTables {
    /// Most rows of an Observation Domain.
    pub const MAX_ROWS: usize = 16 << 10;
    /// Most bytes of an Observation Domain, all rows and texts together.
    pub const MAX_BYTES: usize = 4 << 20;

    /// When the exporter started: systemInitTimeMilliseconds (160).
    pub const fn system_init(&self) -> Option<Timestamp> {
        self.system_init
    }

    /// The sampler of this flowSamplerId (48) or selectorId (302).
    pub fn sampler(&self, id: u64) -> Option<&Sampler> {
        self.rows.sampler(Kind::Sampler, id)
    }

    /// Sampling of an interface, told in options about its ifIndex.
    pub fn interface_sampler(&self, index: u64) -> Option<&Sampler> {
        self.rows.sampler(Kind::InterfaceSampling, index)
    }

    /// Sampling of the flows of one Template, told in options whose scope is its ID.
    pub fn template_sampler(&self, template_id: u16) -> Option<&Sampler> {
        self.rows.sampler(Kind::TemplateSampling, template_id.into())
    }

    /// Sampling of the whole domain, told in options of any other scope.
    ///
    /// Some exporters (Fortinet's) put changing junk into the samplingInterval of their system record. So where that
    /// record also has timeouts or export counters (36, 37, 40 to 42), a rate above 2^24 or an algorithm other than 0,
    /// 1 and 2 is none; and when the rate changes, none is known until the same one came twice in a row.
    pub fn global_sampler(&self) -> Option<&Sampler> {
        self.global.trusted()
    }

    /// interfaceName (82) and interfaceDescription (83) of an ifIndex.
    pub fn interface(&self, index: u64) -> Option<&Named> {
        self.rows.named(&Key::new(Kind::Interface, index))
    }

    /// VRFname (236) of an ingressVRFID (234) or egressVRFID (235).
    pub fn vrf(&self, id: u64) -> Option<&Named> {
        self.rows.named(&Key::new(Kind::Vrf, id))
    }

    /// applicationName (96) and applicationDescription (94) of an applicationId (95): a classification engine and a
    /// selector of any width (RFC 6759 section 4.1).
    pub fn application(&self, id: &[u8]) -> Option<&Named> {
        self.rows.named(&Key::application(id)?)
    }

    /// What the exporter said of an element that the registry does not list (RFC 5610).
    pub fn element(&self, enterprise_number: u32, id: u16) -> Option<&LearnedElement> {
        match self.rows.get(&Key::element(enterprise_number, id))? {
            Row::Element(element) => Some(element),
            _ => None,
        }
    }

    /// How often the exporter told something new of an element: while it is the same, so is [`OptionsTables::element`].
    pub const fn element_changes(&self) -> u64 {
        self.element_changes
    }

    /// How many rows there are.
    pub const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was learned that has a row.
    pub const fn is_empty(&self) -> bool {
        self.rows.len() == 0
    }

    /// Whether there is anything that flows may be joined to.
    pub fn joins_flows(&self) -> bool {
        !self.is_empty() || self.global_sampler().is_some()
    }

    /// Bytes of rows and texts.
    pub(crate) const fn memory(&self) -> usize {
        // With the counters of the `Arc` that it lies in.
        size_of::<Self>() + 16 + self.rows.memory()
    }
}

/// The options tables of a domain while it is remembered: what is shared of them is never changed.
#[derive(Debug, Default)]
pub(crate) struct DomainOptions(Option<Arc<OptionsTables>>);

impl DomainOptions {
    /// The tables as they are now.
    pub(crate) fn tables(&self) -> Option<Arc<OptionsTables>> {
        self.0.clone()
    }

    /// Takes in a row of options. `resize` is asked for memory, as [`State::resize`](crate::State::resize);
    /// `false` when something found no room.
    pub(crate) fn learn(&mut self, record: &DataRecord<'_>, resize: impl Fn(usize, usize) -> bool) -> bool {
        let row = OptionsRecord::read(record);
        if self.0.is_none() {
            if !resize(0, OptionsTables::default().memory()) {
                return false;
            }
            self.0 = Some(Arc::default());
        }
        let Some(tables) = &mut self.0 else {
            return false;
        };
        if let Some(init) = row.system_init.filter(|init| tables.system_init != Some(*init)) {
            Arc::make_mut(tables).system_init = Some(init);
        }
        let mut learner = Learner { tables, resize, fits: true };
        learner.samplers(&row);
        learner.names(&row);
        learner.element(&row);
        learner.fits
    }
}

/// Whether options of this layout say something that is remembered.
pub(crate) fn are_of_use(mut fields: impl Iterator<Item = FieldSpecifier>) -> bool {
    fields.any(|field| field.enterprise_number == 0 && OptionsRecord::TELLING.contains(&field.id))
}

/// Puts the facts of one row of options into the tables.
struct Learner<'a, F> {
    tables: &'a mut Arc<OptionsTables>,
    resize: F,
    fits: bool,
}

impl<F: Fn(usize, usize) -> bool> Learner<'_, F> {
    fn samplers(&mut self, row: &OptionsRecord<'_>) {
        let sampler = row.sampler();
        if let Some(id) = row.sampler_id
            && sampler != Sampler::default()
        {
            self.merge(Key::new(Kind::Sampler, id), Row::Sampler(sampler.clone()));
        }
        if !row.tells_sampling() {
            return;
        }
        // No interface has index 0: softflowd's scope of that number is all it sees.
        match (row.interface.filter(|index| *index > 0), row.template_id) {
            (Some(index), _) => {
                self.merge(Key::new(Kind::InterfaceSampling, index), Row::Sampler(sampler));
            }
            (_, Some(id)) => self.merge(Key::new(Kind::TemplateSampling, id), Row::Sampler(sampler)),
            _ if row.sampler_id.is_none() => {
                let mut global = self.tables.global.clone();
                global.learn(sampler, row.raw_algorithm, row.is_statistics);
                if global != self.tables.global {
                    Arc::make_mut(self.tables).global = global;
                }
            }
            _ => {}
        }
    }

    fn names(&mut self, row: &OptionsRecord<'_>) {
        let interface = row.interface.map(|index| Key::new(Kind::Interface, index));
        let vrf = row.vrf.map(|id| Key::new(Kind::Vrf, id));
        let application = row.application.and_then(Key::application);
        for (key, name, description) in [
            (interface, row.interface_name, row.interface_description),
            (vrf, row.vrf_name, None),
            (application, row.application_name, row.application_description),
        ] {
            if let Some(key) = key
                && (name.is_some() || description.is_some())
            {
                self.name(key, name, description);
            }
        }
    }

    fn element(&mut self, row: &OptionsRecord<'_>) {
        let told = &row.element;
        if let Some(pen) = told.enterprise_number.and_then(|pen| u32::try_from(pen).ok())
            && let Some(id) = told.id.and_then(|id| u16::try_from(id).ok())
        {
            // Some send the ID with its enterprise bit.
            let id = if pen == 0 { id } else { id & 0x7fff };
            if ie::lookup(pen, id).is_none()
                && let Some(element) = LearnedElement::new(told)
            {
                self.merge(Key::element(pen, id), Row::Element(Arc::new(element)));
            }
        }
    }

    /// Names repeat for ever: what is known already costs no allocation.
    fn name(&mut self, key: Key, name: Option<&[u8]>, description: Option<&[u8]>) {
        let (name, description) = (name.and_then(text::display), description.and_then(text::display));
        let same = |old: &Option<Arc<str>>, new: &Option<std::borrow::Cow<'_, str>>| {
            new.as_deref().is_none_or(|new| old.as_deref() == Some(new))
        };
        if let Some(old) = self.tables.rows.named(&key)
            && same(&old.name, &name)
            && same(&old.description, &description)
        {
            return;
        }
        let named = Named { name: name.map(Arc::from), description: description.map(Arc::from) };
        self.merge(key, Row::Named(named));
    }

    fn merge(&mut self, key: Key, mut row: Row) {
        let known = self.tables.rows.get(&key);
        if let Some(known) = known {
            row.keep(known);
            if *known == row {
                return;
            }
        }
        let (less, more) = (known.map_or(0, Row::memory), row.memory());
        let room = OptionsTables::MAX_BYTES.saturating_sub(self.tables.memory());
        let full =
            (known.is_none() && self.tables.len() >= OptionsTables::MAX_ROWS) || more.saturating_sub(less) > room;
        let victim = if full { self.tables.rows.victim(&key) } else { None };
        let freed = victim.as_ref().map_or(0, |(_, memory)| *memory);
        let has_room = !full || (victim.is_some() && more.saturating_sub(less + freed) <= room);
        if !has_room || !(self.resize)(less + freed, more) {
            self.fits = false;
            return;
        }
        let tables = Arc::make_mut(self.tables);
        tables.element_changes += u64::from(matches!(row, Row::Element(_)));
        if let Some((victim, _)) = victim {
            tables.rows.remove(&victim);
        }
        tables.rows.insert(key, row);
    }
}

/// Whether a scope field of v9 numbers its own kinds (RFC 3954 section 6.1) rather than elements.
const fn is_v9_scope(version: Version, id: u16) -> bool {
    matches!(version, Version::V9) && id <= 5
}
