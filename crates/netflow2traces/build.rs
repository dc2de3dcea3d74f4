//! What `--version` says of the build. Nothing in it differs between two builds of the same sources, a time least of all.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=NETFLOW2TRACES_COMMIT");
    let facts = [
        ("COMMIT", env::var("NETFLOW2TRACES_COMMIT").ok().or_else(commit)),
        ("RUSTC", env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"]))),
        ("TARGET", env::var("TARGET").ok()),
        ("PROFILE", env::var("PROFILE").ok()),
    ];
    for (name, value) in facts {
        println!("cargo::rustc-env=BUILD_{name}={}", value.as_deref().unwrap_or("unknown"));
    }
}

/// That of the repository, if this is it: sources out of a package may lie in another one.
fn commit() -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    if !root.join(".git").exists() {
        return None;
    }
    let log = output("git", &["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    output("git", &["rev-parse", "--short=12", "HEAD"])
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
