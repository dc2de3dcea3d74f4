//! Packets that do not fit into one buffer, on an interface with a large MTU: counted in the driver all the same.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroU32;
use std::process::Output;
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use xdp_counters::program::{AttachError, AttachMode, AttachOptions, DEFAULT_FLOWS, Protocol, attach, detach_pinned};

use super::link::{ETHERNET_LEN, flows, of_protocol};
use crate::e2e::Bench;
use crate::e2e::process::wait_until;
use crate::e2e::xdp::lab::{COUNTED, INTERFACE, Lab, run as run_words};

const MTU: u32 = 9_000;
const DATAGRAMS: u64 = 100;
const PAYLOAD: usize = 8_000;
/// From the IP header on.
const DATAGRAM_LEN: u64 = PAYLOAD as u64 + 28;
/// Bytes of a TCP connection: segments are longer than a page.
const STREAM: usize = 4 << 20;
const PATIENCE: Duration = Duration::from_secs(120);

/// Native XDP with an MTU of 9,000 counts each byte, with and without flows; where a driver takes no program that is told.
pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let lab = Lab::named(&bench.folder, "jumbo")?;
    lab.set_mtu(MTU)?;
    let mut rows = Vec::new();
    for (mode, flows) in [(AttachMode::Drv, None), (AttachMode::Drv, Some(DEFAULT_FLOWS)), (AttachMode::Auto, None)] {
        let kept = if flows.is_some() { "with flows" } else { "without flows" };
        rows.push(exact(&lab, mode, flows).with_context(|| format!("{mode}, MTU {MTU}, {kept}"))?);
    }
    rows.push(refused(bench, &lab)?);
    Ok(rows)
}

fn exact(lab: &Lab, mode: AttachMode, with_flows: Option<NonZeroU32>) -> anyhow::Result<String> {
    let pins = lab.pins.join("jumbo");
    let options = AttachOptions { pin: Some(pins.clone()), flows: with_flows, ..AttachOptions::default() };
    let attachment = lab.inside(|| Ok(attach(INTERFACE, mode, &options)?))?;
    ensure!(attachment.mode() == AttachMode::Drv, "it runs as {}", attachment.mode());
    ensure!(attachment.refused().is_none(), "the driver took it: {:?}", attachment.refused());
    let before = lab.sent_by_interface()?;
    datagrams(lab)?;
    stream(lab)?;
    // The last packets may be on their way.
    let [udp, tcp] = wait_until("all packets are counted", PATIENCE, || {
        let counted = [of_protocol(&pins, Protocol::Udp)?, of_protocol(&pins, Protocol::Tcp)?];
        let sent = lab.sent_by_interface()?;
        let packets = counted[0][0] + counted[1][0];
        Ok((packets == sent[0] - before[0]).then_some(counted))
    })?;
    let sent = lab.sent_by_interface()?;
    ensure!(udp == [DATAGRAMS, DATAGRAMS * (DATAGRAM_LEN + ETHERNET_LEN)], "UDP packets and bytes {udp:?}");
    let of_ip = |[packets, bytes]: [u64; 2]| bytes - packets * ETHERNET_LEN;
    let bytes = of_ip(udp) + of_ip(tcp);
    ensure!(bytes == sent[1] - before[1], "{bytes} bytes are counted, the interface sent {}", sent[1] - before[1]);
    ensure!(tcp[1] > STREAM as u64 && tcp[1] / tcp[0] > 4_096, "no long segments of TCP: {tcp:?}");
    if with_flows.is_some() {
        let mut kept = flows(&pins)?;
        kept.sort_unstable_by_key(|flow| flow.key.protocol);
        let kept: Vec<_> = kept.iter().map(|flow| (flow.key.protocol, flow.packets, flow.bytes)).collect();
        ensure!(
            kept == [(6, tcp[0], of_ip(tcp)), (17, DATAGRAMS, DATAGRAMS * DATAGRAM_LEN)],
            "flows {kept:?}, {tcp:?}"
        );
    }
    drop(attachment);
    detach_pinned(&pins)?;
    let flows = if with_flows.is_some() { "flows, " } else { "" };
    Ok(format!(
        "{mode}, MTU {MTU}, {flows}in the driver: UDP {udp:?} and TCP {tcp:?}, packets and bytes, are what was sent"
    ))
}

fn datagrams(lab: &Lab) -> anyhow::Result<()> {
    lab.there(|| {
        let socket = UdpSocket::bind("198.51.100.10:0")?;
        for _ in 0..DATAGRAMS {
            ensure!(socket.send_to(&[7; PAYLOAD], COUNTED)? == PAYLOAD);
        }
        Ok(())
    })
}

fn stream(lab: &Lab) -> anyhow::Result<()> {
    let listener = lab.inside(|| Ok(TcpListener::bind((COUNTED.ip(), 0))?))?;
    let to = listener.local_addr()?;
    std::thread::scope(|scope| {
        let server = scope.spawn(move || {
            let mut received = Vec::new();
            listener.accept()?.0.read_to_end(&mut received)?;
            ensure!(received.len() == STREAM, "{} bytes arrived", received.len());
            Ok(())
        });
        lab.there(|| {
            let mut stream = TcpStream::connect(to)?;
            stream.write_all(&vec![7; STREAM])?;
            stream.shutdown(std::net::Shutdown::Write)?;
            stream.read_to_end(&mut Vec::new())?;
            Ok(())
        })?;
        server.join().map_err(|_| anyhow!("the server panicked"))?
    })
}

/// The loopback interface has no native XDP: that may be so because of its MTU, and `auto` says why it does without.
fn refused(bench: &Bench, lab: &Lab) -> anyhow::Result<String> {
    const REASON: &str = "lo takes no XDP program in mode drv with an MTU of 65536";
    let here = &lab.here;
    lab.inside(|| {
        let error = attach("lo", AttachMode::Drv, &AttachOptions::default()).err().context("lo takes it")?;
        ensure!(matches!(error, AttachError::Mtu { mtu: 65_536, .. }), "{error:?}");
        let attachment = attach("lo", AttachMode::Auto, &AttachOptions::default())?;
        let refused = attachment.refused().map(ToString::to_string).unwrap_or_default();
        ensure!(attachment.mode() == AttachMode::Skb && refused.starts_with(REASON), "{refused}");
        Ok(())
    })?;
    let pins = lab.pins.join("lo");
    let command = |mode: &str| -> anyhow::Result<Output> {
        let mut command = lab.command_inside(&bench.netflow2traces);
        Ok(command.args(["xdp", "attach", "--iface", "lo", "--mode", mode, "--pin"]).arg(&pins).output()?)
    };
    let drv = command("drv")?;
    let said = String::from_utf8_lossy(&drv.stderr);
    ensure!(drv.status.code() == Some(1) && said.contains(REASON), "{:?}, {said}", drv.status);
    ensure!(!pins.exists(), "{} was left", pins.display());
    let auto = command("auto")?;
    let said = String::from_utf8_lossy(&auto.stderr);
    ensure!(auto.status.success() && said.contains("runs in the stack") && said.contains(REASON), "{said}");
    detach_pinned(&pins)?;

    run_words(&format!("ip -n {here} link set dev lo mtu 1500"))?;
    let error = lab.inside(|| Ok(attach("lo", AttachMode::Drv, &AttachOptions::default()).err()))?;
    let error = error.context("lo takes it")?;
    ensure!(matches!(error, AttachError::Mode { mode: AttachMode::Drv, .. }), "the MTU is no reason: {error:?}");
    Ok("an interface without native XDP: drv names a large MTU and nothing else, auto runs in the stack and says why"
        .to_owned())
}
