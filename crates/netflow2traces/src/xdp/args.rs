//! Arguments of `xdp`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::FalseyValueParser;
use clap::{Args, ValueEnum};

use xdp_counters::program::FlowSource;

use super::target::Target;

/// What `--map-name` is when nothing says which map is meant.
pub(super) const DEFAULT_MAP_NAME: &str = "xdp_stats_map";

/// Which maps.
#[derive(Args)]
pub(crate) struct MapArgs {
    /// Map with this number, which wins over other ways to name one
    #[arg(long, env = "XDP_MAP_ID", value_name = "NUMBER")]
    map_id: Option<u32>,

    /// Map with this name, of which 15 bytes count; with --iface the one that its program has; `xdp_stats_map` when
    /// nothing else says which map
    #[arg(long, env = "XDP_MAP_NAME", value_name = "NAME")]
    map_name: Option<String>,

    /// Map that is pinned to this file, which takes no capability; wins over --iface and --map-name
    #[arg(long, env = "XDP_PIN", value_name = "PATH")]
    pin: Option<PathBuf>,

    /// Map of the XDP program on this interface; with --map-name one of several
    #[arg(long, env = "XDP_IFACE", value_name = "INTERFACE")]
    iface: Option<String>,

    /// One more map: `name=NAME`, `id=NUMBER`, `pin=PATH`, `iface=INTERFACE` or `iface=INTERFACE/NAME`; several with commas or
    /// by repeating
    #[arg(long, env = "XDP_MAP", value_name = "MAP", value_delimiter = ',')]
    map: Vec<Target>,

    /// Where packets and bytes are in a value: `packets@OFFSET:SIZE,bytes@OFFSET:SIZE`; as the map's type information says, or
    /// `packets@0:8,bytes@8:8`, when absent
    #[arg(long, env = "XDP_LAYOUT", value_name = "LAYOUT")]
    pub(super) layout: Option<String>,
}

impl MapArgs {
    /// The maps that are meant, each once and at least one.
    pub(super) fn targets(&self) -> Vec<Target> {
        let name = self.map_name.as_deref();
        let first = match (self.map_id, &self.pin, &self.iface, name) {
            (Some(id), ..) => Some(Target::Id(id)),
            (None, Some(pin), ..) => Some(Target::Pin(pin.clone())),
            (None, None, Some(interface), name) => Some(Target::of_interface(interface, name)),
            (None, None, None, Some(name)) => Some(Target::Name(name.to_owned())),
            (None, None, None, None) if self.map.is_empty() => Some(Target::Name(DEFAULT_MAP_NAME.to_owned())),
            _ => None,
        };
        let mut targets = Vec::new();
        for target in first.iter().chain(&self.map) {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        targets
    }
}

/// Where metrics go, and how.
#[derive(Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(super) maps: MapArgs,

    /// Receiver of metrics as HOST:PORT, which means grpc without TLS, or as URL; `none` for no receiver; when absent that of
    /// OTEL_EXPORTER_OTLP_METRICS_ENDPOINT or OTEL_EXPORTER_OTLP_ENDPOINT, else `localhost:4317`
    #[arg(long, env = "XDP_OTEL_ENDPOINT", value_name = "ENDPOINT")]
    pub(super) otel_endpoint: Option<String>,

    /// Seconds from one export to the next; maps are read each second
    #[arg(long, env = "XDP_INTERVAL", value_name = "SECONDS", default_value = "5", value_parser = interval)]
    pub(super) interval: Duration,

    /// What counters of an export are: `cumulative`, from the start of counting, or `delta`, since the last export; when absent
    /// what OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE says, else `cumulative`
    #[arg(long, env = "XDP_TEMPORALITY", value_name = "TEMPORALITY", hide_possible_values = true)]
    pub(super) temporality: Option<TemporalityArg>,

    /// Take flows out of the program of `xdp attach --flows` each interval and export them as spans: `iface=INTERFACE`, or
    /// `pin=DIRECTORY` for what is pinned there; several with commas or by repeating
    #[arg(long, env = "XDP_FLOWS", value_name = "PROGRAM", value_delimiter = ',', value_parser = flow_source)]
    pub(super) flows: Vec<FlowSource>,

    /// Export the names of the semantic conventions too, `system.network.*`
    #[arg(long, env = "XDP_SEMCONV", value_parser = FalseyValueParser::new())]
    pub(super) semconv: bool,

    /// Read maps every 10 ms, and export how the rates between two such readings are spread, and the highest
    #[arg(long, env = "XDP_BURSTS", value_parser = FalseyValueParser::new())]
    pub(super) bursts: bool,

    /// Let the kernel measure programs and export how long those of the maps run and how often; takes the capability
    /// CAP_SYS_ADMIN, and some nanoseconds of each run
    #[arg(long, env = "XDP_PROGRAM_STATS", value_parser = FalseyValueParser::new())]
    pub(super) program_stats: bool,

    /// End with exit code 1 when a map or flows are missing, instead of looking for them again
    #[arg(long, env = "XDP_FAIL_ON_MISSING", value_parser = FalseyValueParser::new())]
    pub(super) fail_on_missing: bool,

    /// Port of an endpoint for Prometheus; none when absent
    #[arg(long, env = "XDP_PROMETHEUS_PORT", value_name = "PORT")]
    pub(super) prometheus_port: Option<u16>,

    /// Host of that endpoint
    #[arg(long, env = "XDP_PROMETHEUS_HOST", value_name = "HOST", default_value = "localhost")]
    pub(super) prometheus_host: String,

    /// What names begin with at that endpoint, as behind a Collector with this `namespace`; nothing with `none`
    #[arg(long, env = "XDP_PROM_NAMESPACE", value_name = "NAMESPACE", default_value = "xdp", value_parser = namespace)]
    pub(super) prom_namespace: String,

    /// Read once, print that, and end; nothing is exported
    #[arg(long, env = "XDP_ONCE", value_parser = FalseyValueParser::new())]
    pub(super) once: bool,

    /// Print it as JSON, a line for each map
    #[arg(long, env = "XDP_JSON", value_parser = FalseyValueParser::new(), requires = "once")]
    pub(super) json: bool,

    /// Log more, as with LOG_LEVEL=DEBUG
    #[arg(long, env = "XDP_DEBUG", value_parser = FalseyValueParser::new())]
    pub(super) debug: bool,
}

/// Arguments of `xdp read`.
#[derive(Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(super) maps: MapArgs,

    /// Print JSON, a line for each map
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `xdp list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// List maps of every type, not only those that counters can be in
    #[arg(long)]
    pub(super) all: bool,
}

/// As `--temporality` has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum TemporalityArg {
    Cumulative,
    Delta,
}

/// At least a tenth of a second: each is a request.
fn interval(text: &str) -> Result<Duration, &'static str> {
    const EXPECTED: &str = "expected seconds, at least 0.1";
    let seconds: f64 = text.trim().trim_end_matches('s').parse().map_err(|_| EXPECTED)?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(interval) if interval >= Duration::from_millis(100) && interval < MAX_INTERVAL => Ok(interval),
        _ => Err(EXPECTED),
    }
}

/// Longer than anybody waits, and short enough to be added to any time.
const MAX_INTERVAL: Duration = Duration::from_secs(1 << 31);

fn flow_source(text: &str) -> Result<FlowSource, &'static str> {
    match text.parse() {
        Ok(Target::Interface { interface, map: None }) => Ok(FlowSource::Interface(interface)),
        Ok(Target::Pin(directory)) => Ok(FlowSource::Pins(directory)),
        _ => Err("expected iface=INTERFACE or pin=DIRECTORY"),
    }
}

/// The start of a name of Prometheus, empty for `none`.
fn namespace(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match text {
        "none" => Ok(String::new()),
        _ if is_name(text) && text.starts_with(|first: char| !first.is_ascii_digit()) => Ok(text.to_owned()),
        _ => Err("expected letters, digits and underscores, or none"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    #[command(no_binary_name = true)]
    struct Arguments {
        #[command(flatten)]
        export: ExportArgs,
    }

    fn targets(flags: &[&str]) -> Vec<String> {
        let targets = Arguments::parse_from(flags).export.maps.targets();
        targets.iter().map(Target::to_string).collect()
    }

    #[test]
    fn flags_say_which_maps() {
        for (flags, expected) in [
            (&[][..], &["name=xdp_stats_map"][..]),
            (&["--map-name", "a"], &["name=a"]),
            (&["--map-name", "a", "--map-id", "7", "--pin", "/p"], &["id=7"]),
            (&["--map-name", "a", "--pin", "/p"], &["pin=/p"]),
            (&["--iface", "eth0"], &["iface=eth0"]),
            (&["--iface", "eth0", "--map-name", "a"], &["iface=eth0/a"]),
            (&["--map", "name=a", "--map", "id=7,name=a"], &["name=a", "id=7"]),
            (&["--map-name", "b", "--map", "name=a"], &["name=b", "name=a"]),
        ] {
            assert_eq!(targets(flags), expected, "{flags:?}");
        }
    }

    #[test]
    fn values_that_cannot_be_are_refused() {
        for flags in [
            ["--interval", "0"],
            ["--interval", "0.01"],
            ["--interval", "nan"],
            ["--interval", "-1"],
            ["--interval", "1e300"],
            ["--map", "xdp_stats_map"],
            ["--map-id", "-1"],
            ["--flows", "eth0"],
            ["--flows", "name=xdp_flows"],
            ["--flows", "iface=eth0/xdp_flows"],
            ["--temporality", "lowmemory"],
            ["--prom-namespace", "1a"],
            ["--prom-namespace", "a-b"],
            ["--prom-namespace", ""],
            ["--prometheus-port", "65536"],
        ] {
            assert!(Arguments::try_parse_from(flags).is_err(), "{flags:?}");
        }
        assert!(Arguments::try_parse_from(["--json"]).is_err(), "there is nothing to print");
    }

    #[test]
    fn intervals_are_seconds() {
        for (text, milliseconds) in [("5", 5000), ("0.5", 500), ("10s", 10_000)] {
            assert_eq!(interval(text).map(|interval| interval.as_millis()), Ok(milliseconds));
        }
    }
}
