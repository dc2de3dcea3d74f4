//! Relative links in README.md, demo/ and docs/ lead to files, and their fragments to headings.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// Checks every Markdown document of the project and returns how many relative links they have.
pub(crate) fn check(root: &Path) -> Result<usize> {
    let documents = documents(root)?;
    ensure!(documents.iter().any(|path| path.ends_with("README.md")), "there is no README.md");
    let mut count = 0;
    let mut broken = Vec::new();
    for document in documents {
        let text = read(&document)?;
        let folder = document.parent().context("a document without a folder")?;
        for (line, link) in relative_links(&text) {
            count += 1;
            if let Err(error) = follow(&text, folder, &link) {
                let document = document.strip_prefix(root)?.display();
                broken.push(format!("{document}:{line}: `{link}`: {error}"));
            }
        }
    }
    if !broken.is_empty() {
        bail!("broken links\n  {}", broken.join("\n  "));
    }
    Ok(count)
}

/// Markdown files in the root, in demo/ and docs/ with their folders, and beside each crate.
fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut documents = markdown_in(root)?;
    let mut folders = vec![root.join("demo"), root.join("docs")];
    while let Some(folder) = folders.pop() {
        documents.extend(markdown_in(&folder)?);
        folders.extend(entries(&folder)?.into_iter().filter(|path| path.is_dir()));
    }
    for package in entries(&root.join("crates"))? {
        documents.extend(markdown_in(&package)?);
    }
    documents.sort();
    Ok(documents)
}

fn markdown_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_markdown = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "md");
    Ok(entries(folder)?.into_iter().filter(is_markdown).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn follow(text: &str, folder: &Path, link: &str) -> Result<()> {
    let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
    let anchors = if path.is_empty() {
        anchors(text)
    } else {
        let target = folder.join(path);
        ensure!(target.exists(), "no such file");
        if fragment.is_empty() || target.extension().is_none_or(|extension| extension != "md") {
            return Ok(());
        }
        anchors(&read(&target)?)
    };
    ensure!(anchors.iter().any(|anchor| anchor == fragment), "no such heading");
    Ok(())
}

/// Lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        (!in_code && !fence).then_some((index + 1, line))
    })
}

/// Line and target of each link without a scheme: `[text](target)`, `[label]: target`, `src="target"`, `href="target"`.
fn relative_links(text: &str) -> Vec<(usize, String)> {
    let mut links = Vec::new();
    for (number, line) in prose(text) {
        // Odd pieces between backquotes are code.
        let line: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        for (start, end) in [("](", &[')', ' '][..]), ("src=\"", &['"']), ("href=\"", &['"'])] {
            let targets = line.split(start).skip(1).filter_map(|rest| rest.split(end).next());
            links.extend(targets.map(|target| (number, target.to_owned())));
        }
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        links.extend(definition.and_then(|(_, target)| Some((number, target.split_whitespace().next()?.to_owned()))));
    }
    links.retain(|(_, target)| !target.contains("://") && !target.starts_with("mailto:"));
    links
}

/// Fragments of a document's headings, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for (_, line) in prose(text) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let anchor: String = title
            .trim()
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let repeats = anchors.iter().filter(|&earlier| *earlier == anchor).count();
        anchors.push(if repeats == 0 { anchor } else { format!("{anchor}-{repeats}") });
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(text: &str) -> Vec<String> {
        relative_links(text).into_iter().map(|(_, target)| target).collect()
    }

    #[test]
    fn finds_inline_reference_and_html_links() {
        let text =
            "See [a](docs/a.md#x) and [b](b.md \"title\").\n[c]: ../c.md\n<img src=\"d.png\"> <a href=\"e.md\">\n";
        assert_eq!(targets(text), ["docs/a.md#x", "b.md", "../c.md", "d.png", "e.md"]);
    }

    #[test]
    fn ignores_code_and_links_with_a_scheme() {
        let text = "`[a](a.md)` [b](https://example.com) <mailto:x>\n```\n[c](c.md)\n```\n[d](d.md)\n";
        assert_eq!(relative_links(text), [(5, "d.md".to_owned())]);
    }

    #[test]
    fn headings_become_anchors() {
        let text = "# One, two: `three`\n## Why?\n## Why?\n```\n# no heading\n```\n#nor this\n";
        assert_eq!(anchors(text), ["one-two-three", "why", "why-1"]);
    }

    #[test]
    fn a_link_needs_its_file_and_its_heading() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let follow = |link: &str| follow("# Here\n", folder, link).map_err(|error| error.to_string());
        assert_eq!(follow("Cargo.toml"), Ok(()));
        assert_eq!(follow("src/main.rs#L1"), Ok(()));
        assert_eq!(follow("#here"), Ok(()));
        assert_eq!(follow("#there"), Err("no such heading".to_owned()));
        assert_eq!(follow("src/missing.rs"), Err("no such file".to_owned()));
    }
}
