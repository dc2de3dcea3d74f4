//! A user's own Information Elements, from a TOML file.

use std::fs;
use std::path::Path;

use flow_state::{ElementNumber, ElementTable};
use serde::Deserialize;
use toml::Spanned;

use crate::error::UsageError;
use crate::file;

/// The file: a list of elements.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementsFile {
    #[serde(default)]
    element: Vec<Spanned<ElementEntry>>,
}

/// One `[[element]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ElementEntry {
    /// Private Enterprise Number; 0 is IANA.
    #[serde(default)]
    pen: u32,
    id: u16,
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    /// A field type of NetFlow v9, which has no enterprises.
    #[serde(default)]
    v9: bool,
}

/// Reads a file of elements.
///
/// # Errors
///
/// A file that cannot be read, is not TOML, or has an element that cannot be; with the line where it has one.
pub(crate) fn read(path: &Path) -> Result<ElementTable, UsageError> {
    let failed = |what: String| UsageError::new(format!("elements file {}: {what}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    parse(&text).map_err(failed)
}

fn parse(text: &str) -> Result<ElementTable, String> {
    let parsed: ElementsFile = toml::from_str(text).map_err(|error| file::located(text, &error))?;
    let mut elements = ElementTable::default();
    for entry in parsed.element {
        let at = file::line(text, entry.span().start);
        define(&mut elements, &entry.into_inner()).map_err(|what| format!("line {at}: {what}"))?;
    }
    Ok(elements)
}

fn define(elements: &mut ElementTable, entry: &ElementEntry) -> Result<(), String> {
    let ElementEntry { pen, id, name, data_type, v9 } = entry;
    let number = match (v9, pen) {
        (true, 0) => ElementNumber::V9(*id),
        (true, _) => return Err(format!("element {name:?}: NetFlow v9 has no enterprises; leave out `pen` or `v9`")),
        (false, pen) => ElementNumber::Ipfix(*pen, *id),
    };
    let data_type = ElementTable::data_type(data_type).ok_or_else(|| {
        format!("element {name:?}: unknown type {data_type:?}: use one of IANA's, such as unsigned32")
    })?;
    elements.define(number, name, data_type).map_err(|error| format!("element {name:?}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[[element]]\npen = 64999\nid = 7\nname = \"subscriberId\"\ntype = \"unsigned32\"\n";

    #[test]
    fn elements_have_numbers_names_and_types() {
        let v9 = "[[element]]\nid = 40100\nname = \"x.y\"\ntype = \"string\"\nv9 = true\n";
        let elements = parse(&[GOOD, v9].concat()).unwrap();
        let mut expected = ElementTable::default();
        let data_type = |name| ElementTable::data_type(name).unwrap();
        expected.define(ElementNumber::Ipfix(64_999, 7), "subscriberId", data_type("unsigned32")).unwrap();
        expected.define(ElementNumber::V9(40_100), "x.y", data_type("string")).unwrap();
        assert_eq!(elements, expected);
        assert_eq!(parse(""), Ok(ElementTable::default()));
    }

    #[test]
    fn a_file_that_cannot_be_meant_is_refused_with_its_line() {
        for (old, new, message) in [
            ("id = 7", "id = 70000", "line 3: "),
            ("id = 7", "", "line 1: missing field `id`"),
            ("pen", "vendor", "line 2: unknown field `vendor`"),
            ("name = \"subscriberId\"", "name = 5", "line 4: "),
            ("= \"unsigned32\"", "", "line 5: "),
            ("unsigned32", "uint32", "line 1: element \"subscriberId\": unknown type \"uint32\": use one of IANA's"),
            ("subscriberId", "sub id", "line 1: element \"sub id\": its name must be"),
            ("id = 7", "id = 7\nv9 = true", "line 1: element \"subscriberId\": NetFlow v9 has no enterprises"),
            ("id = 7", "id = 40000", "line 1: element \"subscriberId\": element IDs of IPFIX are below 32768"),
        ] {
            let error = parse(&GOOD.replacen(old, new, 1)).unwrap_err();
            assert!(error.starts_with(message) && !error.contains('\n'), "{error:?} for {new:?}");
        }
        let error = parse(&GOOD.repeat(2)).unwrap_err();
        assert_eq!(error, "line 6: element \"subscriberId\": its number is defined twice");
    }
}
