//! Options tables in a snapshot.

use std::sync::Arc;

use flow_wire::Timestamp;

use super::elements::LearnedElement;
use super::record::TypeInformation;
use super::rows::{Key, Kind, Named, Row, Sampler};
use super::sampling::{GlobalSampling, SamplingAlgorithm, SamplingRate};
use super::{DomainOptions, Learner, OptionsTables, text};
use crate::snapshot::codec::{Reader, Writer};

impl OptionsTables {
    /// Appends the tables to a snapshot.
    pub(crate) fn save(&self, to: &mut Writer) {
        to.option(self.system_init, |to, init| to.u64(init.as_unix_nanos()));
        to.u8(self.global.doubtful.into());
        to.option(self.global.last.as_ref(), save_sampler);
        to.u32(self.rows.len() as u32);
        for (key, row) in self.rows.iter() {
            to.u8(key.kind as u8);
            to.u8(key.engine);
            to.u64(key.high);
            to.u64(key.low);
            match row {
                Row::Sampler(sampler) => save_sampler(to, sampler),
                Row::Named(named) => {
                    save_text(to, named.name.as_deref());
                    save_text(to, named.description.as_deref());
                }
                Row::Element(element) => save_element(to, element),
            }
        }
    }
}

impl DomainOptions {
    /// Takes in what [`OptionsTables::save`] wrote, as far as `resize` has room. `None` when it wrote something else.
    pub(crate) fn restore(&mut self, from: &mut Reader<'_>, resize: impl Fn(usize, usize) -> bool) -> Option<()> {
        let system_init = from.option(|from| from.u64().map(Timestamp::from_unix_nanos))?;
        let global = GlobalSampling { doubtful: from.flag()?, last: from.option(read_sampler)? };
        if self.0.is_none() && resize(0, OptionsTables::default().memory()) {
            self.0 = Some(Arc::new(OptionsTables { system_init, global, ..OptionsTables::default() }));
        }
        let mut learner = self.0.as_mut().map(|tables| Learner { tables, resize, fits: true });
        for _ in 0..from.u32()? {
            let (key, row) = read_row(from)?;
            if let Some(learner) = &mut learner {
                learner.merge(key, row);
            }
        }
        Some(())
    }
}

fn read_row(from: &mut Reader<'_>) -> Option<(Key, Row)> {
    let kind = Kind::ALL.get(usize::from(from.u8()?)).copied()?;
    let key = Key { kind, engine: from.u8()?, high: from.u64()?, low: from.u64()? };
    let row = match kind {
        Kind::Sampler | Kind::InterfaceSampling | Kind::TemplateSampling => Row::Sampler(read_sampler(from)?),
        Kind::Interface | Kind::Vrf | Kind::Application => {
            Row::Named(Named { name: read_text(from)?, description: read_text(from)? })
        }
        Kind::Element => Row::Element(Arc::new(read_element(from)?)),
    };
    Some((key, row))
}

fn save_sampler(to: &mut Writer, sampler: &Sampler) {
    to.option(sampler.rate, |to, rate| {
        to.u32(rate.population);
        to.u32(rate.size);
    });
    to.option(sampler.algorithm, |to, algorithm| to.u8(algorithm as u8));
    save_text(to, sampler.name.as_deref());
}

fn read_sampler(from: &mut Reader<'_>) -> Option<Sampler> {
    let rate = from.option(|from| SamplingRate::new(from.u32()?.into(), from.u32()?.into()))?;
    let algorithm = from.option(|from| match from.u8()? {
        0 => Some(SamplingAlgorithm::Deterministic),
        1 => Some(SamplingAlgorithm::Random),
        _ => None,
    })?;
    Some(Sampler { rate, algorithm, name: read_text(from)? })
}

fn save_element(to: &mut Writer, element: &LearnedElement) {
    to.text(&element.name);
    save_text(to, element.description.as_deref());
    element.numbers().into_iter().for_each(|number| to.u64(number));
    to.option(element.range, |to, (begin, end)| {
        to.u64(begin);
        to.u64(end);
    });
}

fn read_element(from: &mut Reader<'_>) -> Option<LearnedElement> {
    let (name, description) = (from.text()?, from.option(Reader::text)?);
    let [data_type, semantics, units] = [from.u64()?, from.u64()?, from.u64()?].map(Some);
    let range = from.option(|from| Some((from.u64()?, from.u64()?)))?;
    LearnedElement::new(&TypeInformation {
        name: Some(name.as_bytes()),
        description: description.map(str::as_bytes),
        data_type,
        semantics,
        units,
        range_begin: range.map(|(begin, _)| begin),
        range_end: range.map(|(_, end)| end),
        ..TypeInformation::default()
    })
}

fn save_text(to: &mut Writer, text: Option<&str>) {
    to.option(text, Writer::text);
}

/// As fit to be shown as when it was learned.
fn read_text(from: &mut Reader<'_>) -> Option<Option<Arc<str>>> {
    let text = from.option(Reader::text)?;
    Some(text.and_then(|text| text::display(text.as_bytes())).map(Arc::from))
}
