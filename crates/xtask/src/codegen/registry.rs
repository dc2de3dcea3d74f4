//! Reads the source tables in `crates/flow-wire/registry` and refuses what would make a wrong table of them.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

/// Names of the abstract data types, and the variant of `AbstractDataType` that each one is.
const DATA_TYPES: [(&str, &str); 24] = [
    ("basicList", "BasicList"),
    ("boolean", "Boolean"),
    ("dateTimeMicroseconds", "DateTimeMicroseconds"),
    ("dateTimeMilliseconds", "DateTimeMilliseconds"),
    ("dateTimeNanoseconds", "DateTimeNanoseconds"),
    ("dateTimeSeconds", "DateTimeSeconds"),
    ("float32", "Float32"),
    ("float64", "Float64"),
    ("ipv4Address", "Ipv4Address"),
    ("ipv6Address", "Ipv6Address"),
    ("macAddress", "MacAddress"),
    ("octetArray", "OctetArray"),
    ("signed16", "Signed16"),
    ("signed32", "Signed32"),
    ("signed64", "Signed64"),
    ("signed8", "Signed8"),
    ("string", "String"),
    ("subTemplateList", "SubTemplateList"),
    ("subTemplateMultiList", "SubTemplateMultiList"),
    ("unsigned16", "Unsigned16"),
    ("unsigned256", "Unsigned256"),
    ("unsigned32", "Unsigned32"),
    ("unsigned64", "Unsigned64"),
    ("unsigned8", "Unsigned8"),
];

const SEMANTICS: [(&str, &str); 9] = [
    ("default", "Default"),
    ("deltaCounter", "DeltaCounter"),
    ("flags", "Flags"),
    ("identifier", "Identifier"),
    ("list", "List"),
    ("quantity", "Quantity"),
    ("snmpCounter", "SnmpCounter"),
    ("snmpGauge", "SnmpGauge"),
    ("totalCounter", "TotalCounter"),
];

const UNITS: [(&str, &str); 16] = [
    ("4-octet words", "FourOctetWords"),
    ("bits", "Bits"),
    ("entries", "Entries"),
    ("flows", "Flows"),
    ("frames", "Frames"),
    ("hops", "Hops"),
    ("inferred", "Inferred"),
    ("messages", "Messages"),
    ("microseconds", "Microseconds"),
    ("milliseconds", "Milliseconds"),
    ("nanoseconds", "Nanoseconds"),
    ("none", "None"),
    ("octets", "Octets"),
    ("packets", "Packets"),
    ("ports", "Ports"),
    ("seconds", "Seconds"),
];

/// One enterprise's elements, sorted by id.
#[derive(Debug)]
pub(super) struct Table {
    /// First line of the file: who this is.
    pub(super) title: String,
    pub(super) enterprise_number: u32,
    /// Bit of the id that marks the reverse of an element, for enterprises that have one.
    pub(super) reverse_bit: Option<u16>,
    pub(super) elements: Vec<Element>,
}

#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) id: u16,
    pub(super) name: String,
    /// As in the registry: `unsigned64`.
    pub(super) type_name: &'static str,
    /// As in the registry: `octets`.
    pub(super) units_name: &'static str,
    /// Variants of the enumerations of `flow_wire::ie`.
    pub(super) data_type: &'static str,
    pub(super) semantics: &'static str,
    pub(super) units: &'static str,
}

/// A NetFlow v9 field type that means an element of another number.
#[derive(Debug)]
pub(super) struct Alias {
    pub(super) field_type: u16,
    pub(super) enterprise_number: u32,
    pub(super) id: u16,
    pub(super) name: String,
}

pub(super) fn read_table(path: &Path) -> Result<Table> {
    read(path, parse_table)
}

pub(super) fn read_aliases(path: &Path) -> Result<Vec<Alias>> {
    read(path, parse_aliases)
}

/// Protocol numbers and their keywords, as IANA writes them.
pub(super) fn read_protocols(path: &Path) -> Result<Vec<(u8, String)>> {
    read(path, parse_protocols)
}

fn read<T>(path: &Path, parse: fn(&str) -> Result<T>) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| path.display().to_string())
}

fn parse_table(text: &str) -> Result<Table> {
    let title = text.lines().next().and_then(|line| line.strip_prefix("# ")).context("the first line is no title")?;
    let header =
        |key: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "));
    let enterprise_number = header("enterprise").context("no line `# enterprise: NUMBER`")?.parse()?;
    let reverse_bit = match header("reverse bit") {
        Some(bit) => Some(u16::from_str_radix(bit.strip_prefix("0x").context("reverse bit is not hexadecimal")?, 16)?),
        None => None,
    };
    let elements = parse_rows(text, parse_element)?;
    check_order(elements.iter().map(|element| element.id))?;
    check_names(&elements)?;
    Ok(Table { title: title.to_owned(), enterprise_number, reverse_bit, elements })
}

fn parse_element(columns: &[&str]) -> Result<Element> {
    let &[id, name, data_type, semantics, units] = columns else {
        bail!("{} columns instead of 5", columns.len());
    };
    let (type_name, data_type) = variant(&DATA_TYPES, "abstract data type", data_type)?;
    let (_, semantics) = variant(&SEMANTICS, "semantics", semantics)?;
    let (units_name, units) = variant(&UNITS, "units", units)?;
    let id = id.parse().context("element id")?;
    Ok(Element { id, name: name.to_owned(), type_name, units_name, data_type, semantics, units })
}

fn parse_aliases(text: &str) -> Result<Vec<Alias>> {
    let aliases = parse_rows(text, |columns| {
        let &[field_type, enterprise_number, id, name] = columns else {
            bail!("{} columns instead of 4", columns.len());
        };
        Ok(Alias {
            field_type: field_type.parse().context("field type")?,
            enterprise_number: enterprise_number.parse().context("enterprise number")?,
            id: id.parse().context("element id")?,
            name: name.to_owned(),
        })
    })?;
    check_order(aliases.iter().map(|alias| alias.field_type))?;
    Ok(aliases)
}

fn parse_protocols(text: &str) -> Result<Vec<(u8, String)>> {
    let protocols = parse_rows(text, |columns| {
        let &[number, keyword] = columns else {
            bail!("{} columns instead of 2", columns.len());
        };
        ensure!(!keyword.is_empty(), "no keyword");
        Ok((number.parse().context("protocol number")?, keyword.to_owned()))
    })?;
    check_order(protocols.iter().map(|(number, _)| u16::from(*number)))?;
    Ok(protocols)
}

fn parse_rows<T>(text: &str, parse: impl Fn(&[&str]) -> Result<T>) -> Result<Vec<T>> {
    let rows: Vec<T> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.starts_with('#'))
        .map(|(index, line)| {
            let columns: Vec<&str> = line.split('\t').collect();
            parse(&columns).with_context(|| format!("line {}", index + 1))
        })
        .collect::<Result<_>>()?;
    ensure!(!rows.is_empty(), "no rows");
    Ok(rows)
}

fn variant(known: &[(&'static str, &'static str)], what: &str, name: &str) -> Result<(&'static str, &'static str)> {
    known.iter().find(|(known, _)| *known == name).copied().with_context(|| format!("unknown {what} `{name}`"))
}

fn check_order(numbers: impl Iterator<Item = u16>) -> Result<()> {
    let mut previous = None;
    for number in numbers {
        ensure!(previous != Some(number), "{number} is there twice");
        ensure!(previous < Some(number), "{number} is out of order");
        previous = Some(number);
    }
    Ok(())
}

/// Names begin with a letter and hold letters, digits and, in CERT's, hyphens.
fn check_names(elements: &[Element]) -> Result<()> {
    let mut names = HashSet::new();
    for Element { id, name, .. } in elements {
        let well_formed = name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        ensure!(well_formed, "{id} has the name `{name}`");
        ensure!(names.insert(name), "`{name}` names two elements, {id} is the second");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "# Somebody\n# enterprise: 7\n";

    fn table(rows: &str) -> Result<Table> {
        parse_table(&format!("{HEADER}{rows}"))
    }

    fn error(rows: &str) -> String {
        format!("{:#}", table(rows).unwrap_err())
    }

    #[test]
    fn reads_title_enterprise_and_rows() {
        let table = table("1\ta\tunsigned8\tdefault\tnone\n5\thttpX-B\tipv4Address\tidentifier\toctets\n").unwrap();
        assert_eq!((table.title.as_str(), table.enterprise_number, table.reverse_bit), ("Somebody", 7, None));
        let [a, b] = &table.elements[..] else { panic!("two rows") };
        assert_eq!((a.id, a.name.as_str(), a.data_type), (1, "a", "Unsigned8"));
        assert_eq!((b.id, b.data_type, b.semantics, b.units), (5, "Ipv4Address", "Identifier", "Octets"));
    }

    #[test]
    fn refuses_rows_out_of_order_and_numbers_given_twice() {
        let row = |id: u16| format!("{id}\tname{id}\tunsigned8\tdefault\tnone\n");
        assert_eq!(error(&(row(2) + &row(1))), "1 is out of order");
        assert_eq!(error(&(row(2) + &row(2))), "2 is there twice");
    }

    #[test]
    fn refuses_names_that_are_malformed_or_given_twice() {
        assert_eq!(error("1\ta_b\tunsigned8\tdefault\tnone\n"), "1 has the name `a_b`");
        assert_eq!(error("1\t\tunsigned8\tdefault\tnone\n"), "1 has the name ``");
        let twice = "1\ta\tunsigned8\tdefault\tnone\n2\ta\tunsigned8\tdefault\tnone\n";
        assert_eq!(error(twice), "`a` names two elements, 2 is the second");
    }

    #[test]
    fn refuses_unknown_words_and_names_their_line() {
        assert_eq!(error("1\ta\tu8\tdefault\tnone\n"), "line 3: unknown abstract data type `u8`");
        assert_eq!(error("1\ta\tunsigned8\tcount\tnone\n"), "line 3: unknown semantics `count`");
        assert_eq!(error("1\ta\tunsigned8\tdefault\tmiles\n"), "line 3: unknown units `miles`");
        assert_eq!(error("1\ta\tunsigned8\n"), "line 3: 3 columns instead of 5");
        assert_eq!(error(""), "no rows");
    }

    #[test]
    fn refuses_a_table_without_its_enterprise() {
        let error = parse_table("# Somebody\n1\ta\tunsigned8\tdefault\tnone\n").unwrap_err();
        assert_eq!(error.to_string(), "no line `# enterprise: NUMBER`");
    }
}
