//! `cargo xtask codegen [--check]`: files that are made from other files of the repository.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::workspace_root;

mod attributes;
mod elements;
mod registry;

/// A committed file and the function that makes its whole text from the workspace at the given root.
pub(crate) struct Target {
    path: &'static str,
    generate: fn(&Path) -> Result<String>,
}

/// Every generated file. Rust sources pass through rustfmt before they are compared or written.
pub(crate) fn targets() -> Vec<Target> {
    vec![
        Target { path: "crates/flow-wire/src/ie/generated.rs", generate: elements::generate },
        Target { path: "docs/attributes.md", generate: attributes::generate },
        Target { path: "docs/rfc-coverage.md", generate: crate::rfc_coverage::generate },
    ]
}

pub(crate) fn run(args: &[String]) -> Result<()> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => bail!("usage: cargo xtask codegen [--check]"),
    };
    let root = workspace_root();
    let mut stale = Vec::new();
    for target in targets() {
        let path = root.join(target.path);
        let mut text = (target.generate)(&root).with_context(|| format!("cannot generate {}", target.path))?;
        if target.path.ends_with(".rs") {
            text = rustfmt(&root, &text).with_context(|| format!("cannot format {}", target.path))?;
        }
        // A missing file is as stale as an old one.
        if fs::read_to_string(&path).is_ok_and(|committed| committed == text) {
            continue;
        }
        if check {
            stale.push(target.path);
        } else {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&path, text).with_context(|| format!("cannot write {}", target.path))?;
            println!("wrote {}", target.path);
        }
    }
    ensure!(stale.is_empty(), "not what `cargo xtask codegen` writes: {}", stale.join(", "));
    Ok(())
}

/// Formats with the workspace's rustfmt.toml.
fn rustfmt(root: &Path, text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--config-path"])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run rustfmt")?;
    let mut stdin = child.stdin.take().context("rustfmt has no stdin")?;
    // rustfmt reads all of its input before it writes, so one thread can do both in turn.
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt failed with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}
