//! Elements of records as attributes of their own: `netflow.ie.*`.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use flow_state::{DataSet, Element, FlowRecord, MessageContext, OptionsTables, State};
use flow_wire::ie::AbstractDataType;
use flow_wire::{Field, Value};

use crate::attribute_set::AttributeSet;
use crate::program::AttributeWriter;
use crate::sink::{SpanParts, SpanSink};

/// Which elements of records become attributes of flow spans, beside the facts that have names of their own.
///
/// Written as a list with commas of element names (`flowEndReason`) and numbers (`PEN:ID`, 0 for IANA and for field types
/// of NetFlow v9), or as `all`. Attributes are called `netflow.ie.NAME`, those of elements that nobody knows
/// `netflow.ie.PEN.ID`.
///
/// ```
/// use flow_semconv::ExtraElements;
///
/// assert!("all".parse::<ExtraElements>().is_ok());
/// assert!("flowEndReason, 2636:137".parse::<ExtraElements>().is_ok());
/// assert!("flow end reason".parse::<ExtraElements>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraElements(Wanted);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    All,
    Listed { names: HashSet<Box<str>>, numbers: HashSet<(u32, u16)> },
}

/// Why a text names no elements.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no element: use names such as flowEndReason, numbers such as 2636:137, or all")]
pub struct ExtraElementsError(String);

impl FromStr for ExtraElements {
    type Err = ExtraElementsError;

    fn from_str(text: &str) -> Result<Self, ExtraElementsError> {
        let (mut names, mut numbers) = (HashSet::new(), HashSet::new());
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            if item == "all" {
                return Ok(Self(Wanted::All));
            }
            let number = item.split_once(':').and_then(|(pen, id)| Some((pen.parse().ok()?, id.parse().ok()?)));
            let is_name = item.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
            match number {
                Some(number) => _ = numbers.insert(number),
                None if is_name => _ = names.insert(item.into()),
                None => return Err(ExtraElementsError(item.to_owned())),
            }
        }
        Ok(Self(Wanted::Listed { names, numbers }))
    }
}

impl ExtraElements {
    fn wants(&self, field: &Field<'_>, element: Option<Element<'_>>) -> bool {
        match &self.0 {
            Wanted::All => true,
            Wanted::Listed { names, numbers } => {
                let specifier = field.specifier;
                numbers.contains(&(specifier.enterprise_number, specifier.id))
                    || element.is_some_and(|element| names.contains(element.name))
            }
        }
    }
}

/// The value of an attribute.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ExtraValue<'a> {
    /// A 64-bit integer.
    Int(i64),
    /// A double.
    Double(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Str(&'a str),
}

/// Names and types of elements come from here.
#[derive(Clone, Debug)]
pub(crate) struct Extras {
    wanted: ExtraElements,
    state: Arc<State>,
}

/// The elements of a Template that become attributes.
#[derive(Debug)]
pub(crate) struct ExtraColumns<K> {
    /// In the order of the record.
    columns: Box<[Column<K>]>,
    /// [`OptionsTables::element_changes`] when they were made.
    told: u64,
}

/// An element that becomes an attribute.
#[derive(Debug)]
struct Column<K> {
    /// Its place in the record.
    place: usize,
    key: K,
    data_type: AbstractDataType,
}

/// Elements of a record that become attributes, at most: a Template can have thousands, and spans have no use for them.
const MAX_COLUMNS: usize = 256;
/// Bytes of a value that are shown in hexadecimal, at most.
const MAX_BYTES: usize = 128;
/// Bytes of a text that are shown, at most.
const MAX_TEXT: usize = 1024;

impl Extras {
    pub(crate) const fn new(wanted: ExtraElements, state: Arc<State>) -> Self {
        Self { wanted, state }
    }

    /// The columns of a Set's Template. `None` for a Set without records.
    pub(crate) fn columns<S, K>(
        &self,
        set: &DataSet<'_>,
        attributes: &AttributeSet,
        sink: &mut S,
    ) -> Option<ExtraColumns<K>>
    where
        S: SpanSink<Parts: SpanParts<Key = K>>,
    {
        let record = set.records().next()?;
        let mut seen = HashSet::new();
        let column = |(place, field): (usize, Field<'_>)| {
            let element = self.state.element(set.context(), &field);
            let specifier = field.specifier;
            if !self.wanted.wants(&field, element) {
                return None;
            }
            let key = match element {
                Some(element) => format!("netflow.ie.{}", element.name),
                None => format!("netflow.ie.{}.{}", specifier.enterprise_number, specifier.id),
            };
            if !attributes.has_key(&key) {
                return None;
            }
            let data_type = element.map_or(AbstractDataType::OctetArray, |element| element.data_type);
            let column = Column { place, key: sink.key(&key), data_type };
            // A key that came twice would make the span invalid.
            seen.insert(key).then_some(column)
        };
        let columns: Vec<_> = record.fields().enumerate().filter_map(column).take(MAX_COLUMNS).collect();
        Some(ExtraColumns { columns: columns.into_boxed_slice(), told: told(set.context()) })
    }
}

/// Columns by Template, those that were made last.
#[derive(Debug)]
pub(crate) struct ExtraCache<K> {
    by_generation: HashMap<u64, ExtraColumns<K>, foldhash::fast::RandomState>,
    /// Columns in all of them, at least.
    columns: usize,
}

/// What a cache holds at most, in some 100 bytes each. Whoever sends more Templates has them laid out for every Set.
const MAX_CACHED: usize = 1 << 16;

impl<K> ExtraCache<K> {
    /// The columns of a Set's Template, as the exporter names elements now. `None` for a Set without records.
    pub(crate) fn of<S>(
        &mut self,
        extras: &Extras,
        set: &DataSet<'_>,
        attributes: &AttributeSet,
        sink: &mut S,
    ) -> Option<&ExtraColumns<K>>
    where
        S: SpanSink<Parts: SpanParts<Key = K>>,
    {
        let generation = set.known_template().generation();
        let is_current = self.by_generation.get(&generation).is_some_and(|columns| columns.told == told(set.context()));
        if !is_current {
            let columns = extras.columns(set, attributes, sink)?;
            // One that has none takes its place too.
            self.columns += columns.columns.len() + 1;
            if self.columns > MAX_CACHED {
                self.by_generation.clear();
                self.columns = columns.columns.len() + 1;
            }
            self.by_generation.insert(generation, columns);
        }
        self.by_generation.get(&generation)
    }
}

impl<K> Default for ExtraCache<K> {
    fn default() -> Self {
        Self { by_generation: HashMap::default(), columns: 0 }
    }
}

impl<K> ExtraColumns<K> {
    /// Writes the attributes of a flow. `text` is for texts that have to be made.
    pub(crate) fn write<W>(&self, flow: &FlowRecord<'_>, text: &mut String, out: &mut W)
    where
        W: AttributeWriter<Parts: SpanParts<Key = K>>,
    {
        let mut columns = self.columns.iter().peekable();
        for (place, field) in flow.record().fields().enumerate() {
            let Some(next) = columns.peek() else { break };
            if next.place != place {
                continue;
            }
            let Some(Column { key, data_type, .. }) = columns.next() else { break };
            let value = Value::read(*data_type, field.bytes);
            text.clear();
            let shown = match value {
                Value::Unsigned(number) => ExtraValue::Int(number.min(i64::MAX as u64) as i64),
                Value::Signed(number) => ExtraValue::Int(number),
                Value::Float(number) => ExtraValue::Double(number),
                Value::Boolean(yes) => ExtraValue::Bool(yes),
                Value::DateTime(time) => ExtraValue::Int(time.as_unix_nanos().min(i64::MAX as u64) as i64),
                value => {
                    write_text(value, text);
                    ExtraValue::Str(text)
                }
            };
            out.extra(key, shown);
        }
    }
}

fn told(context: &MessageContext) -> u64 {
    context.options().map_or(0, OptionsTables::element_changes)
}

/// Text without what controls a terminal, bytes in hexadecimal.
fn write_text(value: Value<'_>, text: &mut String) {
    // A String takes every write.
    match value {
        Value::MacAddress([a, b, c, d, e, f]) => _ = write!(text, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}"),
        Value::Ipv4(address) => _ = write!(text, "{address}"),
        Value::Ipv6(address) => _ = write!(text, "{address}"),
        Value::String(bytes) => {
            for chunk in bytes[..bytes.len().min(MAX_TEXT)].utf8_chunks() {
                text.extend(
                    chunk.valid().chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }),
                );
                if !chunk.invalid().is_empty() {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
            }
        }
        Value::List(bytes) | Value::OctetArray(bytes) => {
            text.push_str("0x");
            for byte in &bytes[..bytes.len().min(MAX_BYTES)] {
                _ = write!(text, "{byte:02x}");
            }
        }
        _ => {}
    }
}
