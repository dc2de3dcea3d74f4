//! Elements of records as attributes of their own: `netflow.ie.*`.

use std::collections::HashSet;
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
    /// By place in the record, as far as the last one that is wanted.
    columns: Box<[Option<(K, AbstractDataType)>]>,
    /// [`OptionsTables::element_changes`] when they were made.
    told: u64,
}

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
        let mut columns: Vec<_> = record
            .fields()
            .map(|field| {
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
                let key_value =
                    (sink.key(&key), element.map_or(AbstractDataType::OctetArray, |element| element.data_type));
                // A key that came twice would make the span invalid.
                seen.insert(key).then_some(key_value)
            })
            .collect();
        columns.truncate(columns.iter().rposition(Option::is_some).map_or(0, |last| last + 1));
        Some(ExtraColumns { columns: columns.into_boxed_slice(), told: told(set.context()) })
    }
}

impl<K> ExtraColumns<K> {
    /// Whether the exporter has told no names since (RFC 5610).
    pub(crate) fn are_current(&self, context: &MessageContext) -> bool {
        self.told == told(context)
    }

    /// Writes the attributes of a flow. `text` is for texts that have to be made.
    pub(crate) fn write<W>(&self, flow: &FlowRecord<'_>, text: &mut String, out: &mut W)
    where
        W: AttributeWriter<Parts: SpanParts<Key = K>>,
    {
        for (field, column) in flow.record().fields().zip(&self.columns) {
            let Some((key, data_type)) = column else {
                continue;
            };
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
