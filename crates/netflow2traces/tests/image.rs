//! The recipe of the image, as far as it can be checked without an engine.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::run;

const RECIPE: &str = include_str!("../../../docs/Containerfile");

/// Its instructions, lines that go on joined, comments left out.
fn instructions() -> Vec<Vec<String>> {
    let lines = RECIPE.replace("\\\n", " ");
    let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().map(ToOwned::to_owned).collect()).collect()
}

/// The arguments of every instruction of this name in the stage that becomes the image.
fn of_image(name: &str) -> Vec<Vec<String>> {
    let all = instructions();
    let start = all.iter().rposition(|words| words[0] == "FROM").unwrap();
    all[start..].iter().filter(|words| words[0] == name).map(|words| words[1..].to_vec()).collect()
}

#[test]
fn what_is_copied_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let copies: Vec<_> = instructions().into_iter().filter(|words| words[0] == "COPY").collect();
    let from_here = copies.iter().filter(|words| !words[1].starts_with("--from=build"));
    let sources: Vec<_> = from_here.flat_map(|words| &words[1..words.len() - 1]).collect();
    assert!(sources.len() > 3, "{sources:?}");
    for source in sources {
        assert!(root.join(source).exists(), "{source}");
    }
    // Members of the workspace that are missing end the build.
    for member in ["crates", "examples", "benches"] {
        assert!(copies.iter().any(|words| words[1] == member), "{member}");
    }
}

/// A number, because what starts the container cannot look up names in it to tell that it is not root.
#[test]
fn the_user_is_not_root() {
    let users = of_image("USER");
    let ids: Vec<u32> = users[0][0].split(':').map(|id| id.parse().unwrap()).collect();
    assert!(users.len() == 1 && ids.len() == 2 && !ids.contains(&0));
}

#[test]
fn the_image_has_the_program_alone_and_no_secrets() {
    assert_eq!(of_image("FROM"), [["scratch"]]);
    assert!(of_image("RUN").is_empty() && of_image("ADD").is_empty());
    let environment = of_image("ENV");
    assert_eq!(environment, [["OTEL_EXPORTER_PROMETHEUS_HOST=0.0.0.0"]], "for /healthz and /metrics");
    assert_eq!(of_image("ENTRYPOINT"), [["[\"/netflow2traces\"]"]]);
    let toolchain = concat!("rust:", env!("CARGO_PKG_RUST_VERSION"), "-alpine");
    assert!(RECIPE.contains(toolchain), "{toolchain}");
}

/// It is the program itself that asks: there is no other in the image. Images of OCI's format have none.
#[test]
fn the_health_check_is_a_subcommand() {
    assert!(RECIPE.contains("podman build --format docker "), "health checks are left out");
    let checks = of_image("HEALTHCHECK");
    assert!(checks[0].ends_with(&["CMD".into(), "[\"/netflow2traces\",".into(), "\"healthy\"]".into()]), "{checks:?}");
    assert_eq!(run(&["healthy", "--help"]).status.code(), Some(0));
}
