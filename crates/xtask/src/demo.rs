//! The stack in `demo/xdp`, without containers: its files fit each other and the documentation, and its scripts do what they say.
//! `cargo xtask e2e xdp-prometheus` runs it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::e2e::COLLECTOR_VERSION;
use crate::workspace_root;

mod scripts;

fn folder() -> PathBuf {
    workspace_root().join("demo/xdp")
}

fn yaml(name: &str) -> Yaml {
    let text = fs::read_to_string(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut documents = YamlLoader::load_from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(documents.len(), 1, "{name}");
    documents.remove(0)
}

fn texts(list: &Yaml) -> Vec<&str> {
    list.as_vec().map(|items| items.iter().map(|item| item.as_str().unwrap()).collect()).unwrap_or_default()
}

fn entries(map: &Yaml) -> Vec<(&str, &Yaml)> {
    map.as_hash().unwrap().iter().map(|(key, value)| (key.as_str().unwrap(), value)).collect()
}

/// X9 of the contract.
#[test]
fn images_have_versions_and_ports_are_those_of_the_contract() {
    let compose = yaml("compose.yaml");
    let mut ports = Vec::new();
    for (name, service) in entries(&compose["services"]) {
        let image = service["image"].as_str().unwrap();
        // podman asks which registry is meant where it is not said.
        let (path, tag) = image.rsplit_once(':').unwrap();
        assert!(path.starts_with("docker.io/") && path.matches('/').count() == 2, "{image}");
        let version: Vec<_> = tag.trim_start_matches('v').split('.').collect();
        assert!(version.len() == 3 && version.iter().all(|part| part.parse::<u32>().is_ok()), "{image}");
        if name == "collector" {
            assert_eq!(tag, COLLECTOR_VERSION, "the one that the configuration is tested with");
        }
        for port in texts(&service["ports"]) {
            let port = port.strip_prefix("${BIND:-127.0.0.1}:").unwrap_or_else(|| panic!("{port} is open to all"));
            let (outside, inside) = port.split_once(':').unwrap();
            assert_eq!(outside, inside);
            ports.push(outside.parse::<u16>().unwrap());
        }
    }
    ports.sort_unstable();
    assert_eq!(ports, [3000, 4317, 4318, 8889, 9090, 16_686]);
    let is_optional: Vec<_> =
        entries(&compose["services"]).into_iter().filter(|(_, it)| !it["profiles"].is_badvalue()).collect();
    assert_eq!(is_optional.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["jaeger"]);
    let grafana = &compose["services"]["grafana"]["environment"];
    assert_eq!(grafana["GF_SECURITY_ADMIN_USER"].as_str(), Some("admin"));
    assert_eq!(grafana["GF_SECURITY_ADMIN_PASSWORD"].as_str(), Some("${GRAFANA_PASSWORD:-admin}"));
}

/// Every file of the folder that is a setting is mounted once, read-only, with a label of SELinux; nothing else is.
#[test]
fn what_is_mounted_is_there() {
    let compose = yaml("compose.yaml");
    let volumes: BTreeSet<_> = entries(&compose["volumes"]).into_iter().map(|(name, _)| name).collect();
    let mut mounted = Vec::new();
    for (_, service) in entries(&compose["services"]) {
        for mount in texts(&service["volumes"]) {
            let parts: Vec<_> = mount.split(':').collect();
            match parts[..] {
                [source, _, options] if source.starts_with("./") => {
                    assert_eq!(options, "ro,Z", "{mount}");
                    assert!(folder().join(source).exists(), "{mount}");
                    mounted.push(source.trim_start_matches("./"));
                }
                [source, _] => assert!(volumes.contains(source), "{mount}"),
                _ => panic!("{mount}"),
            }
        }
    }
    mounted.sort_unstable();
    let mut settings: Vec<_> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    settings.retain(|name| name != "compose.yaml" && ![".md", ".sh"].iter().any(|end| name.ends_with(end)));
    settings.sort_unstable();
    assert_eq!(mounted, settings);
}

/// Names of hosts are services, ports those that these listen on.
#[test]
fn services_find_each_other() {
    let compose = yaml("compose.yaml");
    let collector = yaml("otel-collector-config.yaml");
    let endpoint = |of: &Yaml| of["endpoint"].as_str().unwrap().to_owned();
    let protocols = &collector["receivers"]["otlp"]["protocols"];
    assert_eq!([endpoint(&protocols["grpc"]), endpoint(&protocols["http"])], ["0.0.0.0:4317", "0.0.0.0:4318"]);
    let prometheus = &collector["exporters"]["prometheus"];
    assert_eq!((endpoint(prometheus), prometheus["namespace"].as_str()), ("0.0.0.0:8889".to_owned(), Some("xdp")));
    let scrape = yaml("prometheus.yml");
    let sources = yaml("grafana-datasources.yml");
    let addresses = [
        texts(&scrape["scrape_configs"][0]["static_configs"][0]["targets"])[0].to_owned(),
        sources["datasources"][0]["url"].as_str().unwrap().replace("http://", ""),
        endpoint(&collector["exporters"]["otlp_grpc/jaeger"]),
    ];
    assert_eq!(addresses, ["collector:8889", "prometheus:9090", "jaeger:4317"]);
    for address in addresses {
        let service = address.split(':').next().unwrap();
        assert!(!compose["services"][service].is_badvalue(), "{service}");
    }
    // What a container has at these paths is what the next setting asks for there.
    let mounts = |service: &str| texts(&compose["services"][service]["volumes"]).join(" ");
    assert!(
        mounts("collector").contains(&texts(&compose["services"]["collector"]["command"])[0].replace("--config=", ""))
    );
    let dashboards = yaml("grafana-dashboards.yml");
    let path = dashboards["providers"][0]["options"]["path"].as_str().unwrap();
    assert!(mounts("grafana").contains(&format!("./dashboards:{path}:")), "{path}");
}

/// X8 of the contract, and no name that `xdp` does not have.
#[test]
fn the_dashboard_asks_for_metrics_that_exist() {
    let text = fs::read_to_string(folder().join("dashboards/xdp.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let source = yaml("grafana-datasources.yml")["datasources"][0]["uid"].as_str().unwrap().to_owned();
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{panel}");
        for asks in targets.iter().chain([panel]) {
            assert_eq!(asks["datasource"]["uid"], *source, "{asks}");
        }
        queries.extend(targets.iter().map(|target| target["expr"].as_str().unwrap()));
    }
    for query in ["xdp_xdp_packets_total", "rate(xdp_xdp_packets_total[1m])", "rate(xdp_xdp_bytes_total[1m])"] {
        assert!(queries.contains(&query), "{query}");
    }
    let docs = fs::read_to_string(workspace_root().join("docs/xdp.md")).unwrap();
    let rows = docs.lines().filter(|line| line.starts_with("| `xdp."));
    let mut known: BTreeSet<String> = rows.map(|row| row.split('|').nth(3).unwrap().trim().replace('`', "")).collect();
    assert!(known.len() > 8, "{known:?}");
    // "Every key with a name has one": those of our own program.
    for protocol in xdp_counters::program::Protocol::ALL {
        known.extend(["packets", "bytes"].map(|what| format!("xdp_xdp_{}_{what}_total", protocol.name())));
    }
    let is_of_a_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    let names = queries.iter().flat_map(|query| query.split(|char| !is_of_a_name(char)));
    let names: BTreeSet<_> = names.filter(|name| name.starts_with("xdp_xdp_")).collect();
    let unknown: Vec<_> = names.iter().filter(|name| !known.contains(**name)).collect();
    assert!(unknown.is_empty() && names.len() > 20, "{unknown:?} of {}", names.len());
}

/// Where the scripts send people has a heading.
#[test]
fn the_scripts_point_at_headings() {
    let docs = fs::read_to_string(workspace_root().join("docs/xdp.md")).unwrap();
    let script = fs::read_to_string(folder().join("test-setup.sh")).unwrap();
    let script = script.replace("\\\"", "\"");
    let pointed: BTreeSet<_> =
        script.split("docs/xdp.md, \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(pointed.len() > 3, "{pointed:?}");
    for heading in pointed {
        assert!(docs.contains(&format!("\n### {heading}\n")), "{heading}");
    }
}

fn executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o111 == 0o111
}
