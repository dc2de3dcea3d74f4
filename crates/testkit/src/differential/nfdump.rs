//! What nfcapd receives of a stream and nfdump then prints.

use std::collections::HashMap;
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::{Record, Stream};

/// How long any step may take.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(2);
/// What nfcapd may write, in blocks of 512 bytes, and its address space in KiB.
const FILE_BLOCKS: u32 = 131_072;
const MEMORY_KIB: u32 = 1_000_000;
/// The number of the signal, signal(7).
const SIGTERM: u32 = 15;
/// Bytes in its socket that nfcapd is given time to read.
const QUEUE: u64 = 65_536;

/// Sends a stream to nfcapd and reads what it stored. `folder` is made anew.
///
/// # Errors
///
/// When a program is missing, fails, or does not come to an end within bounds of time and output.
pub fn read(stream: &Stream, folder: &Path) -> anyhow::Result<Vec<Record>> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder)?;
    let mut nfcapd = Nfcapd::start(folder)?;
    nfcapd.send(stream)?;
    nfcapd.stop()?;
    let mut records = Vec::new();
    for file in stored(folder)? {
        let output = Command::new("timeout")
            .args(["60", "nfdump", "-o", "json", "-r"])
            .arg(&file)
            .env("TZ", "UTC")
            .output()
            .context("run nfdump")?;
        let text = String::from_utf8_lossy(&output.stdout);
        if text.contains("No matching flows") || text.trim().is_empty() {
            continue;
        }
        let rows: Vec<Value> = serde_json::from_str(&text).with_context(|| format!("read {}", file.display()))?;
        records.extend(rows.iter().map(record));
    }
    Ok(records)
}

/// A record as nfdump would have it: zero and absent are the same, and there is no datagram, domain or Template.
pub(super) fn as_it_has_it(record: &Record) -> Record {
    let counted = |number: Option<u64>| number.filter(|number| *number != 0);
    let set = |address: Option<IpAddr>| address.filter(|address| !address.is_unspecified());
    Record {
        src: set(record.src),
        dst: set(record.dst),
        sport: counted(record.sport),
        dport: counted(record.dport),
        proto: counted(record.proto),
        bytes: counted(record.bytes),
        packets: counted(record.packets),
        in_if: counted(record.in_if),
        out_if: counted(record.out_if),
        src_as: counted(record.src_as),
        dst_as: counted(record.dst_as),
        nexthop: set(record.nexthop),
        start_ms: record.start_ms,
        end_ms: record.end_ms,
        ..Record::default()
    }
}

fn stored(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let paths: Result<Vec<_>, _> = fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    let is_flows = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("nfcapd.2"));
    let mut paths: Vec<_> = paths?.into_iter().filter(is_flows).collect();
    paths.sort();
    Ok(paths)
}

fn record(row: &Value) -> Record {
    let number = |key: &str| row[key].as_u64();
    let address = |keys: [&str; 2]| keys.iter().find_map(|key| row[key].as_str()?.parse().ok());
    let icmp = number("icmp_type").map(|icmp_type| icmp_type << 8 | number("icmp_code").unwrap_or(0));
    as_it_has_it(&Record {
        src: address(["src4_addr", "src6_addr"]),
        dst: address(["dst4_addr", "dst6_addr"]),
        sport: number("src_port"),
        dport: number("dst_port").or(icmp),
        proto: number("proto"),
        bytes: number("in_bytes"),
        packets: number("in_packets"),
        in_if: number("input_snmp"),
        out_if: number("output_snmp"),
        src_as: number("src_as"),
        dst_as: number("dst_as"),
        nexthop: address(["ip4_next_hop", "ip6_next_hop"]),
        start_ms: row["first"].as_str().and_then(millis),
        end_ms: row["last"].as_str().and_then(millis),
        ..Record::default()
    })
}

/// Unix milliseconds of `2026-11-21T15:45:14.426`; none of 1970-01-01T00:00:00, which nfdump prints for no time.
fn millis(text: &str) -> Option<i64> {
    let numbers: Vec<i64> = text.split(['-', 'T', ':', '.']).map(str::parse).collect::<Result<_, _>>().ok()?;
    let [year, month, day, hour, minute, second, millis] = numbers[..] else { return None };
    // Years that start in March, so that leap days come last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + millis).filter(|millis| *millis != 0)
}

/// nfcapd on loopback; dropping it kills it.
struct Nfcapd {
    process: Child,
    port: u16,
    log: PathBuf,
}

impl Nfcapd {
    fn start(folder: &Path) -> anyhow::Result<Self> {
        let port = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        let log = folder.join("log");
        let limits = format!("ulimit -f {FILE_BLOCKS} && ulimit -v {MEMORY_KIB} && exec \"$@\"");
        let process = Command::new("sh")
            .args(["-c", &limits, "sh", "nfcapd", "-4", "-b", "127.0.0.1", "-t", "3600", "-B", "4000000"])
            .args(["-p", &port.to_string(), "-w"])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(File::create(&log)?)
            .stderr(File::create(folder.join("errors"))?)
            .spawn()
            .context("start nfcapd")?;
        let mut nfcapd = Self { process, port, log };
        nfcapd.until("listens", |nfcapd| Ok(nfcapd.queue()?.is_some()))?;
        // It binds its socket first: a signal before it catches that would end it with nothing written.
        nfcapd.until("catches SIGTERM", Self::catches_sigterm)?;
        Ok(nfcapd)
    }

    /// Each exporter address becomes one of loopback, each of its ports another.
    fn send(&mut self, stream: &Stream) -> anyhow::Result<()> {
        let mut addresses: HashMap<IpAddr, u32> = HashMap::new();
        let mut sockets = HashMap::new();
        for datagram in &stream.datagrams {
            let next = addresses.len() as u32 + 2;
            let last = *addresses.entry(datagram.source.ip()).or_insert(next);
            let address = Ipv4Addr::from_bits(u32::from_be_bytes([127, 0, 0, 0]) + last);
            let socket = match sockets.entry(datagram.source) {
                std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::hash_map::Entry::Vacant(entry) => entry.insert(UdpSocket::bind((address, 0))?),
            };
            socket.send_to(&datagram.payload, ("127.0.0.1", self.port)).context("send to nfcapd")?;
            self.until("reads", |nfcapd| Ok(nfcapd.queue()?.is_some_and(|bytes| bytes < QUEUE)))?;
        }
        self.until("has read all", |nfcapd| Ok(nfcapd.queue()?.is_some_and(|bytes| bytes == 0)))
    }

    fn stop(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            // Again and again: it looks for the signal before it waits for the next datagram, and may just have looked.
            let _ = Command::new("kill").arg(self.process.id().to_string()).stderr(Stdio::null()).status();
            for _ in 0..100 {
                if let Some(status) = self.process.try_wait()? {
                    ensure!(status.success(), "nfcapd ended with {status}; its output is in {}", self.log.display());
                    return Ok(());
                }
                sleep(PAUSE);
            }
        }
        bail!("nfcapd still runs {PATIENCE:?} after it was told to stop");
    }

    fn until(&mut self, what: &str, is_so: impl Fn(&Self) -> anyhow::Result<bool>) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self)? {
            if let Some(status) = self.process.try_wait()? {
                bail!("nfcapd ended with {status}; its output is in {}", self.log.display());
            }
            ensure!(Instant::now() < deadline, "waited {PATIENCE:?} until nfcapd {what}");
            sleep(PAUSE);
        }
        Ok(())
    }

    fn catches_sigterm(&self) -> anyhow::Result<bool> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).context("no SigCgt in its status")?;
        Ok(u64::from_str_radix(caught.trim(), 16)? >> (SIGTERM - 1) & 1 == 1)
    }

    /// Bytes that wait in its socket; `None` while there is none, or while the kernel's table left it out: that is read
    /// in parts, and sockets of others come and go between them.
    fn queue(&self) -> anyhow::Result<Option<u64>> {
        let address = format!("0100007F:{:04X}", self.port);
        let table = fs::read_to_string("/proc/net/udp")?;
        let row = table.lines().find(|line| line.split_whitespace().nth(1) == Some(address.as_str()));
        let queues = row.and_then(|row| row.split_whitespace().nth(4)?.split_once(':'));
        queues.map(|(_, receive)| u64::from_str_radix(receive, 16).context("receive queue")).transpose()
    }
}

impl Drop for Nfcapd {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_utc() {
        assert_eq!(millis("2023-11-14T22:13:20.123"), Some(1_700_000_000_123));
        assert_eq!(millis("2024-02-29T00:00:00.001"), Some(1_709_164_800_001));
        assert_eq!(millis("1970-01-01T00:00:00.000"), None);
    }
}
