//! The real exporters: how each is told to read a capture and where to send what it metered.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};

use super::process::Child;

/// How long an exporter may take; pmacctd needs four seconds, the others less.
const PATIENCE: Duration = Duration::from_secs(30);

/// One exporter and one way to run it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exporter {
    /// Names the case: program, then protocol.
    pub name: &'static str,
    pub program: &'static str,
    /// `TRAFFIC`, `COLLECTOR` and `CONFIG` stand for the capture, address and port, and the configuration file.
    pub arguments: &'static str,
    /// The configuration file, for a program that needs one.
    pub configuration: Option<&'static str>,
    /// The version in the message header.
    pub version: u16,
}

/// Every exporter and protocol version that is tested. softflowd without `-c none` waits on its control socket for
/// ever when it reads a file; fprobe drops packets read from a file unless its queue (`-q`) holds them all.
pub(super) static EXPORTERS: [Exporter; 11] = [
    Exporter::softflowd("softflowd-v1", 1, "-r TRAFFIC -d -c none -v 1 -n COLLECTOR"),
    Exporter::softflowd("softflowd-v5", 5, "-r TRAFFIC -d -c none -v 5 -n COLLECTOR"),
    Exporter::softflowd("softflowd-v9", 9, "-r TRAFFIC -d -c none -v 9 -n COLLECTOR"),
    Exporter::softflowd("softflowd-ipfix", 10, "-r TRAFFIC -d -c none -v 10 -n COLLECTOR"),
    Exporter::softflowd("softflowd-ipfix-biflow", 10, "-r TRAFFIC -d -c none -v 10 -b -A micro -n COLLECTOR"),
    Exporter::fprobe("fprobe-v1", 1, "-i - -f ip -n 1 -q 20000 -s 1 -x 3:4 -l 2 COLLECTOR"),
    Exporter::fprobe("fprobe-v5", 5, "-i - -f ip -n 5 -q 20000 -s 1 -x 3:4 -l 2 COLLECTOR"),
    Exporter::fprobe("fprobe-v7", 7, "-i - -f ip -n 7 -q 20000 -s 1 -x 3:4 -l 2 COLLECTOR"),
    Exporter::pmacctd("pmacctd-v5", 5, "nfprobe_version: 5\nnfprobe_engine: 2:7\n"),
    Exporter::pmacctd("pmacctd-v9", 9, "nfprobe_version: 9\nnfprobe_engine: 4242\n"),
    Exporter::pmacctd("pmacctd-ipfix", 10, "nfprobe_version: 10\nnfprobe_engine: 4242\n"),
];

/// The one that exports over TCP.
pub(super) static OVER_TCP: Exporter =
    Exporter::softflowd("softflowd-ipfix-tcp", 10, "-r TRAFFIC -d -c none -v 10 -P tcp -n COLLECTOR");

/// What every pmacctd case has in its configuration file.
const PMACCTD_CONFIGURATION: &str = "\
daemonize: false
pcap_savefile: TRAFFIC
aggregate: src_host, dst_host, src_port, dst_port, proto, tos, tcpflags, in_iface, out_iface
plugins: nfprobe
nfprobe_receiver: COLLECTOR
";

impl Exporter {
    const fn softflowd(name: &'static str, version: u16, arguments: &'static str) -> Self {
        Self { name, program: "softflowd", arguments, configuration: None, version }
    }

    const fn fprobe(name: &'static str, version: u16, arguments: &'static str) -> Self {
        Self { name, program: "fprobe", arguments, configuration: None, version }
    }

    const fn pmacctd(name: &'static str, version: u16, configuration: &'static str) -> Self {
        Self { name, program: "pmacctd", arguments: "-f CONFIG", configuration: Some(configuration), version }
    }

    /// Reads the capture `traffic`, exports to `port` on loopback, and ends; files go to `folder`.
    ///
    /// # Errors
    ///
    /// When the program is missing, fails, or does not end in time.
    pub(super) fn run(&self, traffic: &Path, folder: &Path, port: u16) -> anyhow::Result<()> {
        let traffic_name = traffic.to_str().context("path of the traffic is not UTF-8")?;
        let config = folder.join(format!("{}.conf", self.name));
        let collector = format!("127.0.0.1:{port}");
        if let Some(configuration) = self.configuration {
            let text = format!("{PMACCTD_CONFIGURATION}{configuration}");
            std::fs::write(&config, text.replace("TRAFFIC", traffic_name).replace("COLLECTOR", &collector))?;
        }
        let mut command = Command::new(self.program);
        for argument in self.arguments.split(' ') {
            match argument {
                "TRAFFIC" => command.arg(traffic),
                "COLLECTOR" => command.arg(&collector),
                "CONFIG" => command.arg(&config),
                _ => command.arg(argument),
            };
        }
        if self.program == "softflowd" {
            command.arg("-p").arg(folder.join(format!("{}.pid", self.name)));
        }
        // fprobe reads the capture from standard input; the others do not look.
        command.stdin(File::open(traffic)?).stdout(Stdio::null());
        let mut child = Child::spawn(command, &folder.join(format!("{}.log", self.name)))?;
        let status = child.wait(PATIENCE)?;
        ensure!(status.success(), "{} ended with {status}; see {}", self.name, child.log().display());
        Ok(())
    }

    /// The command as a person would type it.
    pub(super) fn command_line(&self) -> String {
        let input = if self.program == "fprobe" { " < TRAFFIC" } else { "" };
        format!("{} {}{input}", self.program, self.arguments)
    }

    /// The configuration file as the program read it, on one line.
    pub(super) fn configuration_line(&self) -> Option<String> {
        let own = self.configuration?;
        Some(format!("{PMACCTD_CONFIGURATION}{own}").trim_end().replace('\n', "; "))
    }
}

/// The first line in which a program names itself and its version.
///
/// # Errors
///
/// When the program is missing.
pub(super) fn program_version(program: &str, flag: &str) -> anyhow::Result<String> {
    let output = Command::new(program).arg(flag).output().with_context(|| format!("run {program} {flag}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().find(|line| line.contains(|c: char| c.is_ascii_digit()));
    Ok(line.with_context(|| format!("{program} {flag} names no version"))?.trim().to_owned())
}
