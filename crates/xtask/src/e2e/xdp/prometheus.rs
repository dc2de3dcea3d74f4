//! Packets that were sent, as Prometheus tells of them: the stack of `demo/xdp`, with its own files, without containers.
//!
//! Needs root, clang, the headers of libbpf, iproute2 and Prometheus.

use std::collections::BTreeSet;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::lab::{self, FRAME_LEN, INTERFACE, Lab, Mode};
use crate::e2e::process::{Child, wait_until};
use crate::e2e::{Bench, http};

const NAME: &str = "xdp-prometheus";
/// What `ip netns exec` gives programs in the namespace for /etc: the names of containers are of this machine there.
const ETC: &str = "/etc/netns/n2t-xdp-prometheus-here";

/// Where each listens, as its files in `demo/xdp` have it. In a network of its own nobody else does.
const COLLECTOR: SocketAddr = local(8889);
const PROMETHEUS: SocketAddr = local(9090);
const OURS: SocketAddr = local(9465);

const FRAMES: u64 = 4_321;
/// Several scrapes, and the start of each program.
const PATIENCE: Duration = Duration::from_secs(120);

const fn local(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

/// The queries of the contract answer with what was sent; names are the same at our own endpoint; `test-setup.sh` finds all of it
/// well, and says what is not when the Collector is gone.
///
/// # Errors
///
/// When it is not so, and where nobody is root.
pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    ensure!(rustix::process::geteuid().is_root(), "loading programs needs the rights of root");
    let mut stack = Stack::start(bench)?;
    for query in ["xdp_xdp_packets_total", "xdp_xdp_bytes_total"] {
        stack.wait_for(query, 0)?;
    }
    stack.lab.send(FRAMES)?;
    for (query, expected) in [("xdp_xdp_packets_total", FRAMES), ("xdp_xdp_bytes_total", FRAMES * FRAME_LEN)] {
        stack.wait_for(query, expected)?;
    }
    // Both at one moment: what a rate is extrapolated by depends on it.
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    let rate = |what| stack.value(&format!("rate(xdp_xdp_{what}_total[1m])&time={now}"));
    let [packets, bytes] = ["packets", "bytes"].map(rate);
    let (packets, bytes) = (packets?.context("no rate")?, bytes?.context("no rate")?);
    let (ratio, frame_len) = (bytes / packets, FRAME_LEN as f64);
    ensure!(packets > 0.0 && (ratio / frame_len - 1.0).abs() < 1e-9, "{ratio} bytes a packet, of {frame_len}");
    let names = stack.same_names()?;
    stack.verify(true)?;
    stack.otelcol.kill()?;
    let complaint = stack.verify(false)?;
    Ok(vec![
        format!("{FRAMES} packets, {} bytes; {packets:.2} packets/s, {ratio} bytes each", FRAMES * FRAME_LEN),
        format!("{names} names behind the Collector and at our own endpoint"),
        format!("test-setup.sh: all is well; without the Collector \"{complaint}\""),
    ])
}

/// Everything that is between an interface and a query, in a network of its own.
struct Stack {
    prometheus: Child,
    exporter: Child,
    otelcol: Child,
    netflow2traces: PathBuf,
    /// Goes after them: they are in it.
    lab: Lab,
    _etc: Etc,
}

impl Stack {
    fn start(bench: &Bench) -> anyhow::Result<Self> {
        let folder = bench.folder.join(NAME);
        let etc = Etc::new()?;
        let lab = Lab::named(&bench.folder, NAME)?;
        lab.load(&object(&folder)?, Mode::Native)?;
        let demo = crate::workspace_root().join("demo/xdp");
        let listens = |what: &str, child: &mut Child, address: SocketAddr, path: &str| {
            wait_until(what, PATIENCE, || {
                child.ensure_running()?;
                Ok(lab.inside(|| http::get(address, path)).ok())
            })
        };

        let mut otelcol = lab.command_inside(&bench.otelcol);
        otelcol.arg("--config").arg(demo.join("otel-collector-config.yaml"));
        let mut otelcol = Child::spawn(otelcol, &folder.join("otelcol.log"))?;
        listens("the Collector listens", &mut otelcol, COLLECTOR, "/metrics")?;

        // As the settings are without a file: to localhost:4317, each 5 s.
        let mut exporter = lab.command_inside(&bench.netflow2traces);
        exporter.args(["xdp", "--iface", INTERFACE, "--prometheus-port", &OURS.port().to_string()]);
        let mut exporter = Child::spawn(exporter, &folder.join("netflow2traces.log"))?;
        listens("netflow2traces listens", &mut exporter, OURS, "/metrics")?;

        let data = folder.join("prometheus");
        let _ = fs::remove_dir_all(&data);
        let mut prometheus = lab.command_inside("prometheus");
        prometheus.arg(format!("--config.file={}", demo.join("prometheus.yml").display()));
        prometheus.arg(format!("--storage.tsdb.path={}", data.display()));
        prometheus.arg(format!("--web.listen-address={PROMETHEUS}"));
        let mut prometheus = Child::spawn(prometheus, &folder.join("prometheus.log"))?;
        listens("Prometheus is ready", &mut prometheus, PROMETHEUS, "/-/ready").context("is it installed?")?;
        Ok(Self { prometheus, exporter, otelcol, netflow2traces: bench.netflow2traces.clone(), lab, _etc: etc })
    }

    /// What Prometheus answers to a query, with what follows it in the URL; `None` while there is nothing.
    fn value(&self, query: &str) -> anyhow::Result<Option<f64>> {
        // Those that have a meaning in a query string.
        let encoded = query.replace('[', "%5B").replace(']', "%5D");
        let answer = self.lab.inside(|| http::get(PROMETHEUS, &format!("/api/v1/query?query={encoded}")))?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        // Whether it comes in chunks or not, it is one object.
        let json = body.get(body.find('{').context("no object")?..=body.rfind('}').context("no object")?);
        let answer: Value = serde_json::from_str(json.unwrap_or_default())?;
        let Some([series]) = answer["data"]["result"].as_array().map(Vec::as_slice) else { return Ok(None) };
        let value = series["value"][1].as_str().context("no value")?.parse()?;
        ensure!(
            series["metric"]["job"] == "xdp-packet-counter",
            "{query} is of {}: labels are those of the exporter",
            series["metric"]
        );
        Ok(Some(value))
    }

    fn wait_for(&mut self, query: &str, expected: u64) -> anyhow::Result<()> {
        let mut last = None;
        wait_until(query, PATIENCE, || {
            self.exporter.ensure_running()?;
            self.prometheus.ensure_running()?;
            last = self.value(query)?;
            // Totals are that small that a float has them exactly.
            Ok((last == Some(expected as f64)).then_some(()))
        })
        .with_context(|| format!("{last:?}, not {expected}"))
    }

    /// How many metrics there are, which is as many as there are at our own endpoint, with the same names and types.
    fn same_names(&self) -> anyhow::Result<usize> {
        let names = |address| {
            let text = self.lab.inside(|| http::get(address, "/metrics"))?;
            let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
            anyhow::Ok(types.filter(|name| name.starts_with("xdp_xdp_")).map(str::to_owned).collect::<BTreeSet<_>>())
        };
        let (collector, ours) = (names(COLLECTOR)?, names(OURS)?);
        ensure!(ours.len() > 6 && collector == ours, "behind the Collector {collector:?}, of our own {ours:?}");
        Ok(ours.len())
    }

    /// What `test-setup.sh` says first that is not well.
    fn verify(&self, is_well: bool) -> anyhow::Result<String> {
        let mut command = self.lab.command_inside("sh");
        // `ip netns exec` mounts /sys anew, without what was mounted below it.
        command.args(["-ec", "mount -t bpf bpf /sys/fs/bpf; exec \"$@\"", "sh"]);
        command.arg(crate::workspace_root().join("demo/xdp/test-setup.sh"));
        command.args(["--iface", INTERFACE, "--grafana", "none", "--program"]).arg(&self.netflow2traces);
        let output = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8(output.stdout)?;
        ensure!(output.status.success() == is_well, "test-setup.sh: {text}");
        Ok(text.lines().find_map(|line| line.strip_prefix("FAILED: ")).unwrap_or_default().to_owned())
    }
}

/// The names of hosts in the network.
struct Etc;

impl Etc {
    fn new() -> anyhow::Result<Self> {
        fs::create_dir_all(ETC)?;
        fs::write(Path::new(ETC).join("hosts"), "127.0.0.1 localhost collector\n")?;
        Ok(Self)
    }
}

impl Drop for Etc {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(ETC);
    }
}

/// A counter by verdict, as others write it, which is there before the first packet.
fn object(folder: &Path) -> anyhow::Result<PathBuf> {
    let object = folder.join("counters.o");
    let defines = ["MAP_TYPE=BPF_MAP_TYPE_PERCPU_ARRAY", "ENTRIES=5", "KEY_TYPE=__u32", "KEY=XDP_PASS"];
    let defines = defines.map(|define| format!("-D{define}"));
    lab::compile("crates/xtask/src/e2e/xdp/counters.bpf.c", &object, &defines)?;
    Ok(object)
}
