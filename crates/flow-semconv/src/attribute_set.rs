//! Which attributes there are to be, and under which names.

use crate::attribute::{Attribute, Schema};

/// The attributes that spans have: those of a [`Schema`], as far as two lists leave them.
///
/// Entries of a list are keys of the schema, `netflow.ie.*` of elements as they are among them; a `*` at the end stands
/// for any rest. An empty list of what is allowed allows everything, and what is denied stays away in any case. What a
/// span is, its name, times and status, is no attribute.
///
/// ```
/// use flow_semconv::{Attribute, AttributeSet, Schema};
///
/// let set = AttributeSet::new(Schema::Netflow);
/// let set = set.with_allowed(&["source.*", "netflow.flow.*"])?.with_denied(&["source.port"])?;
/// assert!(set.has(Attribute::SourceAddress) && set.has(Attribute::Octets));
/// assert!(!set.has(Attribute::SourcePort) && !set.has(Attribute::NextHop));
/// # Ok::<(), flow_semconv::UnknownAttribute>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeSet {
    schema: Schema,
    /// A bit for each attribute that is not wanted.
    unwanted: u128,
    allow: Box<[Pattern]>,
    deny: Box<[Pattern]>,
}

const _: () = assert!(Attribute::ALL.len() <= 128);

/// Why a list is refused: it names no attribute.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no attribute of the schema {}{}", schema.name(), instead(*meant))]
pub struct UnknownAttribute {
    name: String,
    schema: Schema,
    meant: Option<&'static str>,
}

fn instead(meant: Option<&str>) -> String {
    meant.map_or_else(|| ", see docs/attributes.md".to_owned(), |key| format!("; did you mean {key:?}?"))
}

impl AttributeSet {
    /// All attributes of a schema.
    pub fn new(schema: Schema) -> Self {
        Self { schema, ..Self::default() }
    }

    /// Only what a list names; an empty list allows everything.
    ///
    /// # Errors
    ///
    /// The first entry that stands for no attribute.
    pub fn with_allowed(mut self, names: &[impl AsRef<str>]) -> Result<Self, UnknownAttribute> {
        self.allow = self.patterns(names)?;
        Ok(self.chosen())
    }

    /// Without what a list names, whatever is allowed.
    ///
    /// # Errors
    ///
    /// The first entry that stands for no attribute.
    pub fn with_denied(mut self, names: &[impl AsRef<str>]) -> Result<Self, UnknownAttribute> {
        self.deny = self.patterns(names)?;
        Ok(self.chosen())
    }

    fn patterns(&self, names: &[impl AsRef<str>]) -> Result<Box<[Pattern]>, UnknownAttribute> {
        names.iter().map(|name| Pattern::new(name.as_ref().trim(), self.schema)).collect()
    }

    /// With what follows from the lists.
    fn chosen(mut self) -> Self {
        let unwanted = Attribute::ALL.iter().filter(|attribute| !self.has_key(attribute.key(self.schema)));
        self.unwanted = unwanted.map(|attribute| bit(*attribute)).sum();
        self
    }

    /// The schema.
    pub const fn schema(&self) -> Schema {
        self.schema
    }

    /// Whether spans are to have this attribute.
    #[inline]
    pub const fn has(&self, attribute: Attribute) -> bool {
        self.unwanted & bit(attribute) == 0
    }

    /// Whether spans are to have an attribute with this key.
    pub(crate) fn has_key(&self, key: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(key));
        (self.allow.is_empty() || any(&self.allow)) && !any(&self.deny)
    }

    /// Whether no attribute is unwanted.
    #[inline]
    pub(crate) const fn is_complete(&self) -> bool {
        self.unwanted == 0
    }
}

const fn bit(attribute: Attribute) -> u128 {
    1 << attribute as u32
}

/// An entry of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Key(Box<str>),
    Prefix(Box<str>),
}

/// Keys of elements as they are begin so.
const ELEMENTS: &str = "netflow.ie.";

impl Pattern {
    fn new(entry: &str, schema: Schema) -> Result<Self, UnknownAttribute> {
        let pattern = match entry.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.into()),
            None => Self::Key(entry.into()),
        };
        let of_elements = match &pattern {
            Self::Key(key) => key.starts_with(ELEMENTS),
            Self::Prefix(prefix) => prefix.starts_with(ELEMENTS) || ELEMENTS.starts_with(&**prefix),
        };
        if of_elements || Attribute::ALL.iter().any(|attribute| pattern.matches(attribute.key(schema))) {
            return Ok(pattern);
        }
        Err(UnknownAttribute { name: entry.to_owned(), schema, meant: meant(entry, schema) })
    }

    fn matches(&self, key: &str) -> bool {
        match self {
            Self::Key(wanted) => key == &**wanted,
            Self::Prefix(prefix) => key.starts_with(&**prefix),
        }
    }
}

/// The attribute that has the name in another schema, else the one whose name is the most alike.
fn meant(name: &str, schema: Schema) -> Option<&'static str> {
    let elsewhere = |attribute: &&Attribute| Schema::ALL.iter().any(|other| attribute.key(*other) == name);
    if let Some(attribute) = Attribute::ALL.iter().find(elsewhere) {
        return Some(attribute.key(schema));
    }
    let keys = Attribute::ALL.iter().map(|attribute| attribute.key(schema));
    let (edits, nearest) = keys.map(|key| (edits(name, key), key)).min()?;
    (edits <= nearest.len() / 3).then_some(nearest)
}

/// Characters to insert, delete or replace to make one text of the other (Wagner and Fischer, 1974).
fn edits(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (index, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, b) in to.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(schema: Schema, allow: &[&str], deny: &[&str]) -> Vec<&'static str> {
        let set = AttributeSet::new(schema).with_allowed(allow).unwrap().with_denied(deny).unwrap();
        let wanted = Attribute::ALL.iter().filter(|attribute| set.has(**attribute));
        wanted.map(|attribute| attribute.key(schema)).collect()
    }

    #[test]
    fn what_is_allowed_and_not_denied_stays() {
        assert_eq!(set(Schema::Netflow, &[], &[]).len(), Attribute::ALL.len());
        assert_eq!(set(Schema::Netflow, &[], &["*"]), [""; 0]);
        assert_eq!(
            set(Schema::Netflow, &["source.*", "netflow.dscp"], &["source.port"]),
            ["source.address", "netflow.dscp"]
        );
        assert_eq!(set(Schema::Ecs, &["event.*"], &["event.duration"]), ["event.start", "event.end"]);
    }

    #[test]
    fn elements_as_they_are_are_named_by_their_keys() {
        let set = AttributeSet::new(Schema::Netflow).with_allowed(&["netflow.ie.*"]).unwrap();
        let set = set.with_denied(&["netflow.ie.flowId"]).unwrap();
        assert!(set.has_key("netflow.ie.flowEndReason") && !set.has_key("netflow.ie.flowId"));
        assert!(!set.has(Attribute::Octets));
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_the_one_that_was_meant() {
        let refused =
            |schema: Schema, entry: &str| AttributeSet::new(schema).with_allowed(&[entry]).unwrap_err().to_string();
        let bytes = refused(Schema::Netflow, "netflow.flow.byte");
        assert!(bytes.ends_with("no attribute of the schema netflow; did you mean \"netflow.flow.bytes\"?"), "{bytes}");
        let address = refused(Schema::Ecs, "source.address");
        assert!(address.ends_with("did you mean \"source.ip\"?"), "{address}");
        let nothing = refused(Schema::Netflow, "kubernetes.*");
        assert!(nothing.ends_with("see docs/attributes.md"), "{nothing}");
        assert!(refused(Schema::Netflow, "").starts_with("\"\" is no attribute"));
    }

    #[test]
    fn edits_are_counted() {
        for (from, to, expected) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("abc", "abc", 0)] {
            assert_eq!((edits(from, to), edits(to, from)), (expected, expected), "{from} {to}");
        }
    }
}
