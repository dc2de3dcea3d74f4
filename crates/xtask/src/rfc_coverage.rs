//! docs/rfc-coverage.md: which section of which RFC has which tests, from what the tests say of themselves.
//!
//! A test cites in its doc comment: `/// RFC 7011 section 3.3.2: the Set length covers the Set header.`

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// Number, title, and sections with their titles.
type Rfc = (u32, &'static str, &'static [(&'static str, &'static str)]);

/// The sections that say what a Collecting Process or its decoder does.
const RFCS: &[Rfc] = &[
    (
        3954,
        "NetFlow version 9",
        &[
            ("5.1", "Header format"),
            ("5.2", "Template FlowSet format"),
            ("5.3", "Data FlowSet format"),
            ("6.1", "Options Template FlowSet format"),
            ("6.2", "Options data record format"),
            ("7", "Template management"),
            ("8", "Field type definitions"),
            ("9", "The Collector side"),
        ],
    ),
    (
        7011,
        "IPFIX",
        &[
            ("3.1", "Message Header"),
            ("3.2", "Field Specifier"),
            ("3.3.1", "Set format"),
            ("3.3.2", "Set Header"),
            ("3.4.1", "Template Record"),
            ("3.4.2", "Options Template Record"),
            ("3.4.3", "Data Record"),
            ("6.1.1", "Integral data types"),
            ("6.1.2", "Address types"),
            ("6.1.3", "float32"),
            ("6.1.4", "float64"),
            ("6.1.5", "boolean"),
            ("6.1.6", "string and octetArray"),
            ("6.1.7", "dateTimeSeconds"),
            ("6.1.8", "dateTimeMilliseconds"),
            ("6.1.9", "dateTimeMicroseconds"),
            ("6.1.10", "dateTimeNanoseconds"),
            ("6.2", "Reduced-size encoding"),
            ("7", "Variable-length elements"),
            ("8", "Template management"),
            ("8.1", "Withdrawal and redefinition"),
            ("8.4", "Templates over UDP"),
            ("9", "The Collecting Process's side"),
            ("10.4.1", "Congestion over TCP"),
            ("10.4.3", "Messages over TCP"),
            ("10.4.4", "Connections over TCP"),
            ("11.3", "Authentication"),
        ],
    ),
    (7012, "Information model", &[("3.1", "Abstract data types"), ("3.2", "Data type semantics")]),
    (
        5103,
        "Bidirectional flows",
        &[
            ("6.1", "Reverse elements by private enterprise number"),
            ("6.2", "Enterprise-specific reverse elements"),
            ("6.3", "biflowDirection"),
        ],
    ),
    (
        5610,
        "Type information",
        &[
            ("3.1", "informationElementDataType"),
            ("3.3", "informationElementName"),
            ("3.6", "informationElementSemantics"),
            ("3.9", "The Options Template"),
        ],
    ),
    (
        6313,
        "Structured data",
        &[
            ("4.4", "Semantics of lists"),
            ("4.5.1", "basicList"),
            ("4.5.2", "subTemplateList"),
            ("4.5.3", "subTemplateMultiList"),
        ],
    ),
    (6759, "Application information", &[("4", "applicationId")]),
    (7270, "Cisco-specific elements", &[("4.12", "forwardingStatus")]),
];

/// RFC and section.
type Section = (u32, String);

/// Writes the document.
pub(crate) fn generate(root: &Path) -> Result<String> {
    let mut cited: BTreeMap<Section, BTreeSet<String>> = BTreeMap::new();
    for path in test_sources(root)? {
        let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let file = path.strip_prefix(root)?.display().to_string();
        for (test, sections) in tests(&text) {
            for section in sections {
                cited.entry(section).or_default().insert(format!("[`{test}`](../{file})"));
            }
        }
    }
    ensure!(!cited.is_empty(), "no test cites an RFC");
    let mut text = "\
# RFC coverage

Sections that say what a Collecting Process does, and the tests that cite them; `cargo xtask codegen` writes this file
from the doc comments of the tests. A section without a test is listed as such: either nothing tests it, or no test says
that it does.
"
    .to_owned();
    let (mut covered, mut known) = (0, 0);
    for (rfc, title, sections) in RFCS {
        write!(text, "\n## RFC {rfc}: {title}\n\n| section | tests |\n|---|---|\n")?;
        let mut rows: BTreeMap<Vec<u32>, (String, String)> = BTreeMap::new();
        for (section, title) in *sections {
            known += 1;
            rows.insert(numbers(section), (format!("{section} {title}"), "not covered".to_owned()));
        }
        for ((_, section), tests) in cited.iter().filter(|((of, _), _)| of == rfc) {
            let tests = tests.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            match rows.get_mut(&numbers(section)) {
                Some((_, cell)) => {
                    covered += 1;
                    *cell = tests;
                }
                None => drop(rows.insert(numbers(section), (section.clone(), tests))),
            }
        }
        for (section, tests) in rows.values() {
            writeln!(text, "| {section} | {tests} |")?;
        }
    }
    write!(text, "\n{covered} of {known} listed sections are cited by a test.\n")?;
    Ok(text)
}

/// Checks that docs/exporters.md names tests and captures that exist; returns how many.
pub(crate) fn check_exporters(root: &Path) -> Result<usize> {
    let mut known: BTreeSet<String> = BTreeSet::new();
    for path in test_sources(root)? {
        known.extend(tests(&fs::read_to_string(&path)?).into_iter().map(|(test, _)| test));
    }
    let captures = testkit::corpus::captures();
    known.extend(captures.iter().filter_map(|path| Some(path.file_stem()?.to_string_lossy().into_owned())));
    let text = fs::read_to_string(root.join("docs/exporters.md")).context("read docs/exporters.md")?;
    let shown_by = text.lines().filter_map(|line| line.strip_suffix(" |")?.rsplit(" | ").next());
    let named: Vec<_> = shown_by.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    let missing: Vec<_> = named.iter().filter(|name| !known.contains(**name)).collect();
    ensure!(missing.is_empty(), "docs/exporters.md names what does not exist: {missing:?}");
    Ok(named.len())
}

/// `3.4.2` as numbers, so that 6.1.10 comes after 6.1.9.
fn numbers(section: &str) -> Vec<u32> {
    section.split('.').filter_map(|number| number.parse().ok()).collect()
}

/// Rust sources below crates/, sorted.
fn test_sources(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.join("crates")];
    let mut sources = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("rfc_coverage.rs")
            {
                sources.push(path);
            }
        }
    }
    sources.sort();
    Ok(sources)
}

/// The tests of a source and the sections that their doc comments cite.
fn tests(source: &str) -> Vec<(String, Vec<Section>)> {
    let mut found = Vec::new();
    let (mut docs, mut is_test) = (String::new(), false);
    for line in source.lines().map(str::trim) {
        if let Some(doc) = line.strip_prefix("///") {
            docs.push_str(doc);
        } else if line.starts_with("#[") {
            is_test |= line == "#[test]";
        } else {
            let name = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let (true, Some(name)) = (is_test, name) {
                found.push((name.to_owned(), citations(&docs)));
            }
            (docs, is_test) = (String::new(), false);
        }
    }
    found
}

/// Sections in `RFC 3954 sections 5.2 and 6.1, RFC 7011 section 3.4`.
fn citations(docs: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    for part in docs.split("RFC ").skip(1) {
        let mut words = part.split_whitespace();
        let Some(Ok(rfc)) = words.next().map(str::parse) else { continue };
        if !words.next().is_some_and(|word| word.starts_with("section")) {
            continue;
        }
        for word in words {
            let section = word.trim_end_matches([',', ':', '.', ';', ')']);
            let is_section = section.split('.').all(|number| number.parse::<u32>().is_ok());
            if is_section {
                sections.push((rfc, section.to_owned()));
            }
            let goes_on = word.ends_with(',') || word == "and" || word == "to";
            let next_may = !word.ends_with([':', '.', ';', ')']);
            if !(goes_on || (is_section && next_may)) {
                break;
            }
        }
    }
    sections
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_with_what_they_cite() {
        let source = "/// RFC 7011 section 3.3.2: the length.\n#[test]\nfn one() {\n/// RFC 7011 section 9: no test.\nfn two() {\n";
        assert_eq!(tests(source), [("one".to_owned(), vec![(7011, "3.3.2".to_owned())])]);
    }

    #[test]
    fn several_sections_of_several_documents_are_cited() {
        let docs = "As in RFC 3954 sections 5.2 and 6.1, RFC 7011 sections 3.4.1, 3.4.2: 7 fields. RFC 6313 says.";
        let sections = [(3954, "5.2"), (3954, "6.1"), (7011, "3.4.1"), (7011, "3.4.2")];
        assert_eq!(citations(docs), sections.map(|(rfc, section)| (rfc, section.to_owned())));
    }
}
