//! Elements that no registry lists: told by the exporter (RFC 5610), or by the user.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_wire::ie::{AbstractDataType, Semantics, Units};
use flow_wire::{Field, Version};

use super::record::TypeInformation;
use super::{is_v9_scope, text};
use crate::decoded::MessageContext;
use crate::store::State;

/// An element as its exporter describes it (RFC 5610 section 3).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LearnedElement {
    /// Its name, of ASCII letters, digits, `_`, `-` and `.` alone: anything else of what was sent became `_`.
    pub name: Arc<str>,
    /// How its values are read; bytes where the exporter does not say.
    pub data_type: AbstractDataType,
    /// How its values behave.
    pub semantics: Semantics,
    /// What its values count.
    pub units: Units,
    /// What people wrote about it.
    pub description: Option<Arc<str>>,
    /// Its lowest and highest value.
    pub range: Option<(u64, u64)>,
}

impl LearnedElement {
    /// Longest name, in bytes.
    const MAX_NAME: usize = 128;

    pub(super) fn new(told: &TypeInformation<'_>) -> Option<Self> {
        let name = text::display(told.name?)?;
        let allowed = |c: char| if is_name_char(c) { c } else { '_' };
        let of = |number: Option<u64>| number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0);
        Some(Self {
            name: name.chars().take(Self::MAX_NAME).map(allowed).collect::<String>().into(),
            data_type: *DATA_TYPES.get(of(told.data_type)).unwrap_or(&AbstractDataType::OctetArray),
            semantics: *SEMANTICS.get(of(told.semantics)).unwrap_or(&Semantics::Default),
            units: *UNITS.get(of(told.units)).unwrap_or(&Units::None),
            description: told.description.and_then(text::display).map(Into::into),
            range: told.range_begin.zip(told.range_end).filter(|(begin, end)| begin <= end && *end > 0),
        })
    }

    /// Numbers of type, semantics and units, as its exporter sent them.
    pub(super) fn numbers(&self) -> [u64; 3] {
        let data_type = DATA_TYPES.iter().position(|other| *other == self.data_type);
        let semantics = SEMANTICS.iter().position(|other| *other == self.semantics);
        let units = UNITS.iter().position(|other| *other == self.units);
        [data_type, semantics, units].map(|number| number.unwrap_or(0) as u64)
    }

    pub(super) fn memory(&self) -> usize {
        size_of::<Self>() + self.name.len() + self.description.as_ref().map_or(0, |text| text.len()) + 64
    }
}

const fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
}

/// Name and type of an element, whoever knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Element<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its values are read.
    pub data_type: AbstractDataType,
}

/// Elements that the user defined. They come before the registry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ElementTable(BTreeMap<ElementNumber, (Box<str>, AbstractDataType)>);

/// Where an element is numbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ElementNumber {
    /// By Private Enterprise Number, 0 for IANA, and element ID without the enterprise bit (IPFIX).
    Ipfix(u32, u16),
    /// By field type (NetFlow v9).
    V9(u16),
}

/// Why an element cannot be defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElementError {
    /// The number has a name already.
    #[error("its number is defined twice")]
    Twice,
    /// An empty name, a long one, or one with other characters than the allowed.
    #[error("its name must be 1 to 128 ASCII letters, digits, `_`, `-` and `.`")]
    Name,
    /// A number that no Template can hold: an IPFIX element ID has 15 bits.
    #[error("element IDs of IPFIX are below 32768")]
    Number,
}

impl ElementTable {
    /// Defines an element.
    ///
    /// # Errors
    ///
    /// [`ElementError`], and the table stays as it was.
    pub fn define(
        &mut self,
        number: ElementNumber,
        name: &str,
        data_type: AbstractDataType,
    ) -> Result<(), ElementError> {
        if name.is_empty() || name.len() > LearnedElement::MAX_NAME || !name.chars().all(is_name_char) {
            return Err(ElementError::Name);
        }
        if matches!(number, ElementNumber::Ipfix(_, 0x8000..)) {
            return Err(ElementError::Number);
        }
        if self.0.contains_key(&number) {
            return Err(ElementError::Twice);
        }
        self.0.insert(number, (name.into(), data_type));
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The data type of this name, as IANA writes it: `unsigned32`.
    pub fn data_type(name: &str) -> Option<AbstractDataType> {
        DATA_TYPES.into_iter().find(|data_type| data_type.name() == name)
    }

    fn get(&self, number: ElementNumber) -> Option<Element<'_>> {
        self.0.get(&number).map(|(name, data_type)| Element { name, data_type: *data_type })
    }
}

impl State {
    /// What an element of a record is called and how it is read: by the user, by the registry, or by the exporter itself
    /// (RFC 5610), in this order. `None` for elements nobody knows: their values are bytes.
    pub fn element<'a>(&'a self, context: &'a MessageContext, field: &Field<'_>) -> Option<Element<'a>> {
        let (version, specifier) = (context.header.version, field.specifier);
        let number = match version {
            Version::V9 => ElementNumber::V9(specifier.id),
            _ => ElementNumber::Ipfix(specifier.enterprise_number, specifier.id),
        };
        let registered = || {
            let element = field.information_element()?;
            Some(Element { name: element.name, data_type: element.data_type })
        };
        if field.is_scope && is_v9_scope(version, specifier.id) {
            return registered();
        }
        let learned = || {
            let element = context.options()?.element(specifier.enterprise_number, specifier.id)?;
            Some(Element { name: &element.name, data_type: element.data_type })
        };
        self.config.elements.get(number).or_else(registered).or_else(learned)
    }
}

/// IANA's "IPFIX Information Element Data Types", by number.
const DATA_TYPES: [AbstractDataType; 24] = {
    use AbstractDataType as T;
    [
        T::OctetArray,
        T::Unsigned8,
        T::Unsigned16,
        T::Unsigned32,
        T::Unsigned64,
        T::Signed8,
        T::Signed16,
        T::Signed32,
        T::Signed64,
        T::Float32,
        T::Float64,
        T::Boolean,
        T::MacAddress,
        T::String,
        T::DateTimeSeconds,
        T::DateTimeMilliseconds,
        T::DateTimeMicroseconds,
        T::DateTimeNanoseconds,
        T::Ipv4Address,
        T::Ipv6Address,
        T::BasicList,
        T::SubTemplateList,
        T::SubTemplateMultiList,
        T::Unsigned256,
    ]
};

/// IANA's "IPFIX Information Element Semantics", by number.
const SEMANTICS: [Semantics; 9] = [
    Semantics::Default,
    Semantics::Quantity,
    Semantics::TotalCounter,
    Semantics::DeltaCounter,
    Semantics::Identifier,
    Semantics::Flags,
    Semantics::List,
    Semantics::SnmpCounter,
    Semantics::SnmpGauge,
];

/// IANA's "IPFIX Information Element Units", by number.
const UNITS: [Units; 16] = [
    Units::None,
    Units::Bits,
    Units::Octets,
    Units::Packets,
    Units::Flows,
    Units::Seconds,
    Units::Milliseconds,
    Units::Microseconds,
    Units::Nanoseconds,
    Units::FourOctetWords,
    Units::Messages,
    Units::Hops,
    Units::Entries,
    Units::Frames,
    Units::Ports,
    Units::Inferred,
];
