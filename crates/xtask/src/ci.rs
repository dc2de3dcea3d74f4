//! `cargo xtask ci [STEP...]`: everything that must hold before a change goes in.
//!
//! Steps run in order and the first failure ends the run with its command. Their output is not captured: what a test
//! prints is what the reader of a CI log needs.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{api, codegen, differential, doc_links, e2e, fuzz_seeds, large, rfc_coverage, workspace_root};

/// What a step passed without checking, for the summary.
type Outcome = Result<Option<String>>;

struct Step {
    name: &'static str,
    run: fn(&Path) -> Outcome,
}

/// Cheap steps first.
const STEPS: [Step; 21] = [
    Step { name: "captures", run: captures },
    Step { name: "fmt", run: fmt },
    Step { name: "codegen", run: generated_files },
    Step { name: "doc-links", run: links },
    Step { name: "alerts", run: alerts },
    Step { name: "systemd", run: systemd_units },
    Step { name: "demo", run: demo },
    Step { name: "deny", run: deny },
    Step { name: "clippy", run: clippy },
    Step { name: "test", run: test },
    Step { name: "doc", run: doc },
    Step { name: "no-std", run: no_std },
    Step { name: "examples", run: examples },
    Step { name: "bench", run: bench },
    Step { name: "miri", run: miri },
    Step { name: "api", run: public_api },
    Step { name: "fuzz", run: fuzz },
    Step { name: "differential", run: differential },
    Step { name: "large", run: large_captures },
    Step { name: "e2e", run: end_to_end },
    Step { name: "soak", run: soak },
];

const NO_STD_TARGET: &str = "x86_64-unknown-none";

/// Seconds that each fuzz target runs.
const FUZZ_SECONDS: u32 = 10;

/// Seconds after which an example that does not end by itself counts as failed.
const EXAMPLE_SECONDS: u32 = 60;

pub(crate) fn run(args: &[String]) -> Result<()> {
    let root = workspace_root();
    let names = STEPS.map(|step| step.name).join(" ");
    if let Some(unknown) = args.iter().find(|&arg| STEPS.iter().all(|step| step.name != arg)) {
        bail!("no step `{unknown}`; there are: {names}");
    }
    let started = Instant::now();
    let mut done: Vec<(&str, Duration, Option<String>)> = Vec::new();
    for step in STEPS.iter().filter(|step| args.is_empty() || args.iter().any(|arg| arg == step.name)) {
        println!("\n==> {}", step.name);
        let step_started = Instant::now();
        let note = (step.run)(&root).with_context(|| format!("step `{}` failed", step.name))?;
        let took = step_started.elapsed();
        println!("==> {} passed in {:.1} s", step.name, took.as_secs_f64());
        done.push((step.name, took, note));
    }
    println!();
    for (name, took, note) in done {
        println!("{name:>10}  {:7.1} s  {}", took.as_secs_f64(), note.unwrap_or_default());
    }
    println!("{:>10}  {:7.1} s", "total", started.elapsed().as_secs_f64());
    Ok(())
}

/// Tests read the captures in this folder too when the variable is set. A folder that is not there is an error, lest a
/// misspelt path silently makes the tests smaller.
fn captures(_root: &Path) -> Outcome {
    match env::var_os("NETFLOW_CAPTURES") {
        None => Ok(Some("NETFLOW_CAPTURES is not set: only the captures in this repository".to_owned())),
        Some(folder) => {
            let folder = PathBuf::from(folder);
            ensure!(folder.is_dir(), "NETFLOW_CAPTURES is {}, which is no folder", folder.display());
            Ok(Some(folder.display().to_string()))
        }
    }
}

fn fmt(root: &Path) -> Outcome {
    run_command(root, &[], "cargo fmt --all -- --check")?;
    run_command(root, &[], "cargo fmt --manifest-path fuzz/Cargo.toml -- --check")
}

fn generated_files(_root: &Path) -> Outcome {
    codegen::run(&["--check".to_owned()])?;
    Ok(None)
}

fn links(root: &Path) -> Outcome {
    let count = doc_links::check(root)?;
    let named = rfc_coverage::check_exporters(root)?;
    Ok(Some(format!("{count} links, {named} tests of exporters")))
}

/// Prometheus takes the rules, and they fire when they should. That their metrics exist is a test of `netflow2traces`.
fn alerts(root: &Path) -> Outcome {
    let docs = root.join("docs");
    run_command(&docs, &[], "promtool check rules alerts.yaml")?;
    run_command(&docs, &[], "promtool test rules alerts.test.yaml")
}

/// Units in `docs/systemd`, and for services how much they are exposed at most, in tenths of 10.
const UNITS: [(&str, Option<u32>); 5] = [
    ("netflow2traces.socket", None),
    ("netflow2traces.service", Some(20)),
    ("netflow2traces-xdp.service", Some(17)),
    ("netflow2traces-xdp-pinned.service", Some(12)),
    ("netflow2traces-xdp-attach@.service", Some(17)),
];

/// The units in `docs/systemd`: what is in them is known to systemd, and services are exposed to no more than they should be.
fn systemd_units(root: &Path) -> Outcome {
    let (folder, docs) = (root.join("target/systemd"), root.join("docs/systemd"));
    fs::create_dir_all(&folder)?;
    let entries: Vec<_> = fs::read_dir(&docs)?.collect::<Result<_, _>>()?;
    let is_unit = |path: &Path| path.extension().is_some_and(|end| end == "service" || end == "socket");
    let count = entries.iter().filter(|entry| is_unit(&entry.path())).count();
    ensure!(count == UNITS.len(), "{count} units in docs/systemd, of which {} are checked", UNITS.len());
    // A template is checked by one of its instances.
    let instance = |name: &str| name.replace('@', "@eth0");
    for (name, _) in UNITS {
        let unit = fs::read_to_string(docs.join(name))?;
        // The program need not be installed here, nor its manual.
        let unit = unit.replace("/usr/bin/netflow2traces", "/bin/true").replace("Documentation=", "#");
        fs::write(folder.join(instance(name)), unit)?;
    }
    let paths = UNITS.map(|(name, _)| format!("./{}", instance(name)));
    run_command(&folder, &[], &format!("systemd-analyze verify {}", paths.join(" ")))?;
    for ((_, tenths), path) in UNITS.iter().zip(&paths) {
        if let Some(tenths) = tenths {
            run_command(&folder, &[], &format!("systemd-analyze security --offline=true --threshold={tenths} {path}"))?;
        }
    }
    Ok(None)
}

/// The stack in `demo`: Prometheus takes its configuration, and scripts have no known mistakes. That its files fit each other are
/// tests of `xtask`, and the Collector takes its own in `e2e`.
fn demo(root: &Path) -> Outcome {
    run_command(root, &[], "promtool check config demo/xdp/prometheus.yml")?;
    run_command(root, &[], "shellcheck demo/xdp/setup-rhel9.sh demo/xdp/test-setup.sh")
}

/// Licences, sources and bans need only the lock file; advisories need RustSec's database.
fn deny(root: &Path) -> Outcome {
    run_command(root, &[], "cargo fetch --locked")?;
    run_command(root, &[], "cargo deny --offline check --hide-inclusion-graph licenses bans sources")?;
    if run_command(root, &[], "timeout 60 cargo deny fetch db").is_err() {
        return Ok(Some("advisories NOT checked: the RustSec database cannot be fetched".to_owned()));
    }
    run_command(root, &[], "cargo deny check advisories")
}

/// Features add things; without them nothing may be missing or left over.
fn clippy(root: &Path) -> Outcome {
    run_command(root, &[], "cargo clippy --package otlp-sink --all-targets -- -D warnings")?;
    run_command(root, &[], "cargo clippy --workspace --all-targets --all-features -- -D warnings")
}

fn test(root: &Path) -> Outcome {
    run_command(root, &[], "cargo test --workspace --all-features")
}

fn doc(root: &Path) -> Outcome {
    run_command(root, &[("RUSTDOCFLAGS", "-Dwarnings")], "cargo doc --workspace --all-features --no-deps")
}

/// `flow-wire` for a target that has no standard library, where rustup has one.
fn no_std(root: &Path) -> Outcome {
    let check = "cargo check --package flow-wire --no-default-features";
    if installed_targets(root)?.lines().any(|target| target == NO_STD_TARGET) {
        return run_command(root, &[], &format!("{check} --target {NO_STD_TARGET}"));
    }
    run_command(root, &[], check)?;
    Ok(Some(format!("{NO_STD_TARGET} is not installed: dependencies could still need std")))
}

fn installed_targets(root: &Path) -> Result<String> {
    let sysroot = capture(root, "rustc --print sysroot")?;
    let mut targets = String::new();
    for entry in fs::read_dir(Path::new(sysroot.trim()).join("lib/rustlib"))? {
        targets.push_str(&entry?.file_name().to_string_lossy());
        targets.push('\n');
    }
    Ok(targets)
}

/// Every example ends by itself and succeeds without arguments.
fn examples(root: &Path) -> Outcome {
    let metadata = metadata(root, "Cargo.toml")?;
    let examples = targets(&metadata, "example")?;
    ensure!(!examples.is_empty(), "the workspace has no examples");
    for (package, name) in &examples {
        run_command(root, &[], &format!("cargo build --package {package} --example {name}"))?;
        let run = format!("timeout {EXAMPLE_SECONDS} cargo run --quiet --package {package} --example {name}");
        run_command(root, &[], &run)?;
    }
    Ok(Some(format!("{} examples", examples.len())))
}

/// Compiles the benches as they are measured and runs each once; they assert their results before they time anything. Some
/// need root.
fn bench(root: &Path) -> Outcome {
    run_command(root, &[], "cargo bench --workspace --features netflow2traces-benches/root --bench * -- --test")
}

/// Every fuzz target for a short while, from the corpus and from what earlier runs found.
fn fuzz(root: &Path) -> Outcome {
    let metadata = metadata(root, "fuzz/Cargo.toml")?;
    let targets = targets(&metadata, "bin")?;
    ensure!(!targets.is_empty(), "fuzz/Cargo.toml has no targets");
    fuzz_seeds::write(&root.join("target/fuzz-corpus"))?;
    for (_, target) in &targets {
        let corpus = root.join("target/fuzz-corpus").join(target);
        fs::create_dir_all(&corpus)?;
        // Those that are kept; the run adds its own beside them.
        for kept in fs::read_dir(root.join("fuzz/corpus").join(target))? {
            let kept = kept?;
            fs::copy(kept.path(), corpus.join(kept.file_name()))?;
        }
        let limits = format!("-max_total_time={FUZZ_SECONDS} -rss_limit_mb=2048 -timeout=10 -print_final_stats=1");
        let command = format!("cargo +nightly fuzz run {target} target/fuzz-corpus/{target} -- {limits}");
        run_command(root, &[], &command)?;
    }
    Ok(Some(format!("{} targets, {FUZZ_SECONDS} s each", targets.len())))
}

fn public_api(_root: &Path) -> Outcome {
    api::run(&["--check".to_owned()]).map(Some)
}

/// The walks over Messages, records and lists under Miri, where rustup has it.
fn miri(root: &Path) -> Outcome {
    if capture(root, "cargo +nightly miri --version").is_err() {
        return Ok(Some("Miri is not installed: NOT run".to_owned()));
    }
    let env = [("MIRIFLAGS", "-Zmiri-disable-isolation"), ("PROPTEST_CASES", "4"), ("CARGO_TARGET_DIR", "target/miri")];
    run_command(
        root,
        &env,
        "cargo +nightly miri test --package flow-wire --test framing --test records --test lists -- --skip too_many_fields",
    )?;
    run_command(root, &env, "cargo +nightly miri test --package flow-wire --lib -- value::")
}

/// Only where `NETFLOW_CAPTURES` has them.
fn large_captures(_root: &Path) -> Outcome {
    match env::var_os("NETFLOW_CAPTURES") {
        None => Ok(Some("NETFLOW_CAPTURES is not set: no large captures".to_owned())),
        Some(folder) => large::run(Path::new(&folder)).map(Some),
    }
}

fn differential(_root: &Path) -> Outcome {
    differential::run(&[]).map(Some)
}

fn end_to_end(_root: &Path) -> Outcome {
    e2e::run(&[])?;
    Ok(None)
}

/// Half a minute of what `cargo xtask soak` does for half an hour.
fn soak(_root: &Path) -> Outcome {
    e2e::soak::run(&["--short".to_owned()])?;
    Ok(None)
}

/// Runs a command line whose words hold no spaces, with our own output and no input.
fn run_command(root: &Path, env: &[(&str, &str)], line: &str) -> Outcome {
    let assignments: String = env.iter().map(|(name, value)| format!("{name}={value} ")).collect();
    println!("$ {assignments}{line}");
    std::io::stdout().flush()?;
    let status = command(root, line)
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run `{line}`"))?;
    ensure!(status.success(), "`{assignments}{line}` ended with {status}");
    Ok(None)
}

/// What a command prints.
fn capture(root: &Path, line: &str) -> Result<String> {
    let output = command(root, line)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot run `{line}`"))?;
    ensure!(output.status.success(), "`{line}` ended with {}", output.status);
    Ok(String::from_utf8(output.stdout)?)
}

fn command(root: &Path, line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).current_dir(root);
    command
}

fn metadata(root: &Path, manifest: &str) -> Result<Value> {
    let line = format!("cargo metadata --no-deps --format-version 1 --manifest-path {manifest}");
    serde_json::from_str(&capture(root, &line)?).context("cargo metadata is no JSON")
}

/// Package and name of each target of a kind (`bin`, `example`), sorted.
fn targets(metadata: &Value, kind: &str) -> Result<Vec<(String, String)>> {
    let list = |value: &Value, key: &str| value[key].as_array().cloned().with_context(|| format!("no `{key}`"));
    let text = |value: &Value| value["name"].as_str().map(str::to_owned).context("no `name`");
    let mut found = Vec::new();
    for package in list(metadata, "packages")? {
        for target in list(&package, "targets")? {
            if list(&target, "kind")?.iter().any(|of| of == kind) {
                found.push((text(&package)?, text(&target)?));
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_steps_are_refused_with_the_list() {
        let error = run(&["tset".to_owned()]).unwrap_err().to_string();
        assert!(error.starts_with("no step `tset`; there are: captures fmt "), "{error}");
    }

    /// It runs them in two parts, because some need rights. Those of the large captures have their data elsewhere.
    #[test]
    fn the_workflow_runs_every_step_once() {
        let workflow = fs::read_to_string(workspace_root().join(".github/workflows/ci.yml")).unwrap();
        let is_step = |word: &&str| STEPS.iter().any(|step| step.name == *word);
        let runs = workflow.split("cargo xtask ci ").skip(1);
        let mut run: Vec<_> = runs.flat_map(|words| words.split_whitespace().take_while(is_step)).collect();
        let mut steps: Vec<_> =
            STEPS.map(|step| step.name).into_iter().filter(|name| !["captures", "large"].contains(name)).collect();
        run.sort_unstable();
        steps.sort_unstable();
        assert_eq!(run, steps);
    }

    #[test]
    fn targets_are_found_by_kind() {
        let metadata = json!({"packages": [
            {"name": "b", "targets": [{"name": "two", "kind": ["example"]}, {"name": "b", "kind": ["lib"]}]},
            {"name": "a", "targets": [{"name": "one", "kind": ["example"]}, {"name": "a", "kind": ["bin"]}]},
        ]});
        let examples = targets(&metadata, "example").unwrap();
        assert_eq!(examples, [("a".to_owned(), "one".to_owned()), ("b".to_owned(), "two".to_owned())]);
    }

    #[test]
    fn a_failing_command_is_named() {
        let error = run_command(Path::new("/"), &[("X", "1")], "false").unwrap_err().to_string();
        assert_eq!(error, "`X=1 false` ended with exit status: 1");
        let error = run_command(Path::new("/"), &[], "no-such-program --flag").unwrap_err().to_string();
        assert_eq!(error, "cannot run `no-such-program --flag`");
    }
}
