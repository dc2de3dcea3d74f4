use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;
use std::time::{Duration, Instant};

use clap::{Command, CommandFactory, Parser};
use xdp_counters::program::{AttachError, AttachMode, Taken};
use xdp_counters::{Access, Key, ProgramFacts, ProgramRun, ReadError, Reading, Selector};

use super::*;
use crate::cli::Cli;
use crate::metrics::{Metric, prometheus};

fn parse(arguments: &[&str]) -> XdpArgs {
    let cli = Cli::parse_from([&["netflow2traces", "xdp"][..], arguments].concat());
    match cli.command {
        Some(crate::cli::Command::Xdp(args)) => args,
        _ => panic!("{arguments:?}"),
    }
}

/// X3 of the contract: its flags work without a subcommand.
#[test]
fn bare_is_export() {
    let flags = ["--map-name", "x", "--otel-endpoint", "collector:4317", "--interval", "10", "--debug"];
    let bare = parse(&flags);
    let named = parse(&[&["export"][..], &flags].concat());
    let Some(XdpCommand::Export(named)) = named.command else { panic!("no export") };
    for args in [bare.export, named] {
        assert_eq!(args.maps.targets(), [Target::Name("x".to_owned())]);
        assert_eq!(args.otel_endpoint.as_deref(), Some("collector:4317"));
        assert_eq!((args.interval.as_secs(), args.debug), (10, true));
    }
    assert!(bare.command.is_none());
}

#[test]
fn debug_is_a_level_of_the_log() {
    let level = |arguments: &[&str]| {
        let log = LogSettings { log_level: "WARNING".to_owned(), rust_log: None };
        parse(arguments).log(log).log_level
    };
    for arguments in [&["--debug"][..], &["export", "--debug"]] {
        assert_eq!(level(arguments), "DEBUG");
    }
    for arguments in [&[][..], &["export"], &["read"]] {
        assert_eq!(level(arguments), "WARNING");
    }
}

const DOCS: &str = include_str!("../../../../docs/xdp.md");

/// The table of settings in docs/xdp.md is what this prints.
#[test]
fn documentation_lists_every_setting() {
    let command = ExportArgs::augment_args(Command::new("export"));
    let mut expected = String::new();
    for arg in command.get_arguments() {
        let flag = arg.get_long().unwrap();
        let variable = format!("XDP_{}", flag.to_ascii_uppercase().replace('-', "_"));
        assert_eq!(arg.get_env().unwrap().to_str(), Some(&*variable));
        let default: Vec<_> = arg.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
        let default = match default[..] {
            [] | ["false"] => String::new(),
            [default] => format!("`{default}`"),
            _ => panic!("{default:?}"),
        };
        let _ = writeln!(expected, "| `{variable}` | `--{flag}` | {default} | {} |", arg.get_help().unwrap());
    }
    assert!(DOCS.contains(&expected), "docs/xdp.md must contain this table:\n\n{expected}");
    let rows = DOCS.lines().filter(|line| line.contains("` | `--")).count();
    assert_eq!(rows, expected.lines().count(), "docs/xdp.md has rows that are no settings");
    for (name, command) in [
        ("attach", AttachArgs::augment_args(Command::new("attach"))),
        ("detach", DetachArgs::augment_args(Command::new("detach"))),
    ] {
        let mut expected = format!("| option of `xdp {name}` | default | |\n|---|---|---|\n");
        for arg in command.get_arguments() {
            let default = arg.get_default_values().first().and_then(|value| value.to_str());
            let default = default.map(|default| format!("`{default}`")).unwrap_or_default();
            let _ = writeln!(expected, "| `--{}` | {default} | {} |", arg.get_long().unwrap(), arg.get_help().unwrap());
        }
        assert!(DOCS.contains(&format!("\n{expected}\n")), "docs/xdp.md must contain this table:\n\n{expected}");
    }
    let cli = Cli::command();
    for command in cli.find_subcommand("xdp").unwrap().get_subcommands() {
        assert!(DOCS.contains(&format!("`xdp {}`", command.get_name())), "{} is not documented", command.get_name());
    }
}

/// All metrics, of a map whose keys have these labels or are verdicts.
fn every_metric(labels: &[&str]) -> Vec<Metric> {
    let labelled = labels.iter().map(|label| (Key::Label((*label).to_owned()), 1, Some(60)));
    let counters: Vec<_> = labelled.chain([(Key::Action("drop"), 1, Some(60))]).collect();
    let program = ProgramFacts { id: 5, name: "count".to_owned(), tag: [1; 8], run: ProgramRun::default() };
    let reading = |at| Reading { program: Some(program.clone()), ..fake::with_counters(7, at, &counters) };
    let readings = [0.0, 1.0].map(|at| Ok(reading(at)));
    let mut watched = Watched::new(Target::Id(7), fake::read(readings), false).with_runs();
    (0..2).for_each(|_| watched.look(Instant::now()).unwrap());
    watched = watched.with_bursts(Recorder::new(Vec::new(), Duration::from_secs(5)));
    let mut metrics = metrics::metrics(&[watched.seen()], metrics::Counting::Series, true);
    metrics.extend(metrics::spread_of_all(&[watched.seen()]));
    let taken = Taken { flows: 1, capacity: 2, missed: 0 };
    let totals = flows::Totals { taken: 1, missed: 0, exported: 1, dropped: 0 };
    metrics.extend(flows::metrics(&totals, &[("iface=eth0".to_owned(), Some(taken))]));
    metrics
}

/// Names as Prometheus sees them, none of which comes twice.
fn names_for_prometheus(metrics: &[Metric], namespace: &str) -> BTreeSet<String> {
    let text = prometheus::text(metrics, namespace, "");
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    let names: BTreeSet<_> = types.filter_map(|line| line.split(' ').next()).map(str::to_owned).collect();
    assert_eq!(names.len(), metrics.len(), "{text}");
    names
}

/// Whoever writes a program names its keys, and must not change what the names of other metrics mean.
#[test]
fn no_label_makes_the_name_of_another_metric() {
    let labels = [
        "tcp",
        "TCP",
        "tcp_",
        "_tcp",
        "tcp_total",
        "total_tcp",
        "t_cp",
        "t__cp",
        "t-cp",
        "",
        "_",
        "total",
        "TOTAL",
        "total_total",
        "packets",
        "bytes",
        "rate",
        "packets_rate",
        "packets_total",
        "bytes_packets",
        "action",
        "key",
        "Key",
        "exporter_resets",
        "program_run_time",
        "exporter_packets",
        "t\u{e9}",
    ];
    let metrics = every_metric(&labels);
    let names: BTreeSet<_> = metrics.iter().map(|metric| metric.name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), metrics.len(), "{names:#?}");
    ["xdp", "", "total"].iter().for_each(|namespace| drop(names_for_prometheus(&metrics, namespace)));
    let own: BTreeSet<_> = every_metric(&[]).into_iter().map(|metric| metric.name).collect();
    for what in ["packets", "bytes"] {
        let of_labels = |metric: &&Metric| !own.contains(&metric.name) && metric.name.ends_with(what);
        let points: Vec<_> = metrics.iter().filter(of_labels).flat_map(|metric| &metric.points).collect();
        assert_eq!(points.len(), labels.len(), "each label has a counter of its own: {points:#?}");
    }
}

/// The table of metrics there has all of them.
#[test]
fn documentation_lists_every_metric() {
    let cells = DOCS.lines().filter(|line| line.starts_with("| `xdp.") || line.starts_with("| `system."));
    let names = cells.map(|line| line.split('|').nth(3).unwrap().trim().trim_matches('`').to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), names_for_prometheus(&every_metric(&["tcp", "total"]), "xdp"));
}

/// docs/alerts.yaml watches them under these names.
#[test]
fn alerts_are_on_metrics_that_exist() {
    let alerts = include_str!("../../../../docs/alerts.yaml").replace("$labels.xdp_", "");
    let words = alerts.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let watched: BTreeSet<_> = words.filter(|word| word.starts_with("xdp_")).collect();
    assert!(watched.len() > 5, "{watched:?}");
    let names = names_for_prometheus(&every_metric(&[]), "xdp");
    watched.iter().for_each(|name| assert!(names.contains(*name), "{name}"));
}

/// What docs/xdp.md has help for is what the program says.
#[test]
fn troubleshooting_is_by_the_words_of_errors() {
    let missing = |wanted, existing: &[&str]| {
        let existing = existing.iter().map(|name| (*name).to_owned()).collect();
        ReadError::Missing { wanted, existing }
    };
    let os_error = io::Error::from_raw_os_error;
    let errors = [
        (missing(Selector::Name("NAME".to_owned()), &["…"]), "there is no map NAME; there are …"),
        (missing(Selector::Pin("PATH".into()), &[]), "there is no map pinned to PATH"),
        (ReadError::NoProgram { interface: "INTERFACE".to_owned() }, "INTERFACE has no XDP program"),
        (
            ReadError::Interface { interface: "INTERFACE".to_owned(), source: os_error(19) },
            "there is no interface INTERFACE",
        ),
        (ReadError::Capability { doing: "…".to_owned() }, "… takes the capability CAP_SYS_ADMIN"),
        (
            ReadError::Pin { path: "PATH".into(), access: Access::Read, source: os_error(13) },
            "cannot open PATH; the file must be readable",
        ),
    ];
    let rows: Vec<_> = DOCS.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let errors = errors.map(|(error, documented)| (error.to_string(), documented));
    let (interface, source) = (|| "INTERFACE".to_owned(), || os_error(34));
    let refused = [
        (
            AttachError::Mtu { interface: interface(), mtu: 9_000, source: source() },
            "INTERFACE takes no XDP program in mode drv with an MTU of 9000",
        ),
        (
            AttachError::Mode { interface: interface(), mode: AttachMode::Drv, source: source() },
            "INTERFACE takes no XDP program in mode drv",
        ),
    ];
    let refused = refused.map(|(error, documented)| (error.to_string(), documented));
    for (error, documented) in errors.into_iter().chain(refused) {
        assert!(error.starts_with(documented), "{error}");
        assert!(rows.contains(&documented), "no row {documented} in docs/xdp.md");
    }
    let sender = include_str!("../metrics/sender.rs");
    for line in ["cannot deliver metrics, will try again", "metrics are delivered again"] {
        assert!(DOCS.contains(&format!("`{line}`")) && sender.contains(&format!("\"{line}\"")), "{line}");
    }
}
