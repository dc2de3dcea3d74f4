//! `crates/flow-wire/src/ie/generated.rs` from the tables in `crates/flow-wire/registry`.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::registry::{self, Alias, Element, Table};

/// Enterprises beside IANA, by file name.
const ENTERPRISES: [&str; 20] = [
    "antrea",
    "barracuda",
    "cert",
    "cesnet",
    "cisco",
    "flowmon",
    "gigamon",
    "huawei",
    "ipt_netflow",
    "ixia",
    "juniper",
    "netscaler",
    "nokia",
    "ntop",
    "phion",
    "pmacct",
    "procera",
    "sophos",
    "viptela",
    "vmware",
];

const REVERSE_ENTERPRISE_NUMBER: u32 = 29305;

/// IANA elements that have no reverse (RFC 5103 section 6.1).
const NOT_REVERSIBLE: [u16; 25] = [
    // Identifiers that belong to no direction: commonPropertiesId, templateId, flowId, observationDomainId.
    137, 145, 148, 149, //
    // Configuration of the Metering and Exporting Processes (RFC 5102 section 5.2).
    130, 131, 173, 211, 212, 213, 214, 215, 216, 217, //
    // Statistics of the Metering and Exporting Processes (RFC 5102 section 5.3).
    40, 41, 42, 163, 164, 165, 166, 167, 168, //
    // paddingOctets and biflowDirection.
    210, 239,
];

pub(super) fn generate(root: &Path) -> Result<String> {
    let folder = root.join("crates/flow-wire/registry");
    let file = |name: &str| folder.join(name).with_extension("tsv");
    let iana = registry::read_table(&file("iana"))?;
    let v9 = registry::read_table(&file("netflow-v9"))?;
    let aliases = registry::read_aliases(&file("netflow-v9-aliases"))?;
    let protocols = registry::read_protocols(&file("protocol-numbers"))?;
    let mut enterprises =
        ENTERPRISES.iter().map(|name| Ok((*name, registry::read_table(&file(name))?))).collect::<Result<Vec<_>>>()?;
    enterprises.sort_by_key(|(_, table)| table.enterprise_number);
    check_aliases(&aliases, &iana, &enterprises)?;

    let mut out = String::from(
        "//! Tables of Information Elements. Made by `cargo xtask codegen` from `crates/flow-wire/registry`; edit those.\n\n\
         use super::{AbstractDataType as T, InformationElement, Semantics as S, Units as U, element};\n\n",
    );
    write_indexed(&mut out, "IANA", &iana.title, 0, &iana.elements)?;
    let reverse: Vec<Element> =
        iana.elements.iter().filter(|element| !NOT_REVERSIBLE.contains(&element.id)).map(reversed).collect();
    write_indexed(&mut out, "IANA_REVERSE", "Reverse IANA elements (RFC 5103)", REVERSE_ENTERPRISE_NUMBER, &reverse)?;
    for (name, table) in &mut enterprises {
        add_reverse_elements(table)?;
        write_sorted(&mut out, &name.to_uppercase(), table)?;
    }
    write_sorted(&mut out, "NETFLOW_V9", &v9)?;

    writeln!(out, "/// Enterprise numbers and their elements, sorted.")?;
    writeln!(out, "pub(super) static ENTERPRISES: [(u32, &[InformationElement]); {}] = [", enterprises.len())?;
    for (name, table) in &enterprises {
        writeln!(out, "({}, &{}),", table.enterprise_number, name.to_uppercase())?;
    }
    writeln!(out, "];\n")?;
    write_aliases(&mut out, &aliases)?;
    write_protocols(&mut out, &protocols)?;
    write_ids(&mut out, &iana.elements)?;
    Ok(out)
}

/// A table that is indexed by element id, with gaps.
fn write_indexed(out: &mut String, table: &str, title: &str, enterprise: u32, elements: &[Element]) -> Result<()> {
    let last = elements.last().context("an empty table")?.id;
    writeln!(out, "/// {title}, by id.")?;
    writeln!(out, "pub(super) static {table}: [Option<InformationElement>; {}] = [", usize::from(last) + 1)?;
    let mut elements = elements.iter().peekable();
    for id in 0..=last {
        match elements.next_if(|element| element.id == id) {
            Some(element) => writeln!(out, "Some({}),", row(enterprise, element))?,
            None => writeln!(out, "None,")?,
        }
    }
    writeln!(out, "];\n")?;
    Ok(())
}

/// A table that is searched by element id.
fn write_sorted(out: &mut String, name: &str, table: &Table) -> Result<()> {
    writeln!(out, "/// {}", table.title)?;
    writeln!(out, "pub(super) static {name}: [InformationElement; {}] = [", table.elements.len())?;
    for element in &table.elements {
        writeln!(out, "{},", row(table.enterprise_number, element))?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn row(enterprise_number: u32, element: &Element) -> String {
    let Element { id, name, data_type, semantics, units, .. } = element;
    format!("element({enterprise_number}, {id}, {name:?}, T::{data_type}, S::{semantics}, U::{units})")
}

fn write_aliases(out: &mut String, aliases: &[Alias]) -> Result<()> {
    writeln!(out, "/// NetFlow v9 field types, and enterprise and id of the element that each one means; sorted.")?;
    writeln!(out, "pub(super) static NETFLOW_V9_ALIASES: [(u16, u32, u16); {}] = [", aliases.len())?;
    for Alias { field_type, enterprise_number, id, name } in aliases {
        writeln!(out, "({field_type}, {enterprise_number}, {id}), // {name}")?;
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn write_protocols(out: &mut String, protocols: &[(u8, String)]) -> Result<()> {
    let (last, _) = protocols.last().context("an empty table")?;
    writeln!(out, "/// IP protocol keywords in lower case, by number.")?;
    writeln!(out, "pub(super) static PROTOCOLS: [Option<&str>; {}] = [", usize::from(*last) + 1)?;
    let mut protocols = protocols.iter().peekable();
    for number in 0..=*last {
        match protocols.next_if(|protocol| protocol.0 == number) {
            Some((_, keyword)) => writeln!(out, "Some({:?}),", keyword.to_lowercase())?,
            None => writeln!(out, "None,")?,
        }
    }
    writeln!(out, "];\n")?;
    Ok(())
}

fn write_ids(out: &mut String, elements: &[Element]) -> Result<()> {
    writeln!(out, "/// Numbers of the IANA elements.\npub mod id {{")?;
    let mut names = HashSet::new();
    for Element { id, name, type_name, units_name, .. } in elements {
        let constant = constant_name(name);
        let units = if *units_name == "none" { String::new() } else { format!(" in {units_name}") };
        writeln!(out, "/// `{name}`, {type_name}{units}.\npub const {constant}: u16 = {id};")?;
        ensure!(names.insert(constant), "two elements make the constant of `{name}`");
    }
    writeln!(out, "}}")?;
    Ok(())
}

/// Each alias must name an element that is there, by the name it has there.
fn check_aliases(aliases: &[Alias], iana: &Table, enterprises: &[(&str, Table)]) -> Result<()> {
    for alias in aliases {
        let found = enterprises.iter().map(|(_, table)| table).chain([iana]).any(|table| {
            table.enterprise_number == alias.enterprise_number
                && table.elements.iter().any(|element| element.id == alias.id && element.name == alias.name)
        });
        ensure!(found, "field type {} means {}, which is not in its table", alias.field_type, alias.name);
    }
    Ok(())
}

/// Appends the reverse of each element for an enterprise that marks it by a bit of the id.
fn add_reverse_elements(table: &mut Table) -> Result<()> {
    let Some(bit) = table.reverse_bit else {
        return Ok(());
    };
    ensure!(table.elements.iter().all(|element| element.id < bit), "ids of {} overlap the reverse bit", table.title);
    let is_reverse = |element: &&Element| element.name.to_lowercase().contains("reverse");
    let reverse: Vec<Element> = table
        .elements
        .iter()
        .filter(|element| !is_reverse(element))
        .map(|element| Element { id: element.id | bit, ..reversed(element) })
        .collect();
    table.elements.extend(reverse);
    Ok(())
}

/// `octetDeltaCount` becomes `reverseOctetDeltaCount` (RFC 5103 section 6.1).
fn reversed(element: &Element) -> Element {
    let (first, rest) = element.name.split_at(1);
    Element { name: format!("reverse{}{rest}", first.to_uppercase()), ..element.clone() }
}

/// `sourceIPv4Address` becomes `SOURCE_IPV4_ADDRESS`.
fn constant_name(name: &str) -> String {
    // Words whose capitals do not fall where words begin.
    const WORDS: [(&str, &str); 6] = [
        ("IPSec", "Ipsec"),
        ("IPv", "Ipv"),
        ("MCast", "Mcast"),
        ("TEid", "Teid"),
        ("VRFID", "VrfId"),
        ("VRFname", "VrfName"),
    ];
    let name = WORDS.iter().fold(name.to_owned(), |name, (from, to)| name.replace(from, to));
    let letters: Vec<char> = name.chars().collect();
    let mut constant = String::new();
    for (index, letter) in letters.iter().enumerate() {
        let after_word = index > 0 && !letters[index - 1].is_ascii_uppercase();
        let before_word = index > 0 && letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        if letter.is_ascii_uppercase() && (after_word || before_word) {
            constant.push('_');
        }
        constant.push(letter.to_ascii_uppercase());
    }
    constant
}

#[cfg(test)]
mod tests {
    use super::constant_name;

    #[test]
    fn constants_break_names_at_words() {
        for (name, constant) in [
            ("octetDeltaCount", "OCTET_DELTA_COUNT"),
            ("sourceIPv4Address", "SOURCE_IPV4_ADDRESS"),
            ("ipNextHopIPv6Address", "IP_NEXT_HOP_IPV6_ADDRESS"),
            ("postNAPTSourceTransportPort", "POST_NAPT_SOURCE_TRANSPORT_PORT"),
            ("postMCastOctetDeltaCount", "POST_MCAST_OCTET_DELTA_COUNT"),
            ("dot1qCustomerVlanId", "DOT1Q_CUSTOMER_VLAN_ID"),
            ("IPSecSPI", "IPSEC_SPI"),
            ("VRFname", "VRF_NAME"),
            ("ingressVRFID", "INGRESS_VRF_ID"),
            ("minimumTTL", "MINIMUM_TTL"),
        ] {
            assert_eq!(constant_name(name), constant);
        }
    }
}
