//! Flows of our program, as spans: what was sent, byte for byte and packet for packet.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use xdp_counters::program::{AttachMode, AttachOptions, FlowDrain, FlowSource, attach};

use super::lab::{INTERFACE, Lab};
use crate::e2e::Bench;

pub(in crate::e2e) fn run(bench: &Bench) -> anyhow::Result<Vec<String>> {
    let lab = Lab::new(&bench.folder)?;
    let pin = lab.pins.join("flows");
    let options = AttachOptions { pin: Some(pin.clone()), flows: NonZeroU32::new(65_536) };
    lab.inside(|| Ok(attach(INTERFACE, AttachMode::Drv, &options).map(drop)?))?;
    let done = AtomicBool::new(false);
    let mut drain = FlowDrain::new(FlowSource::Pins(pin.clone()));
    let mut got: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
    let mut looks = 0;
    let sent = std::thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let sent = lab.there(|| {
                let sockets: Vec<_> = (0..200).map(|_| UdpSocket::bind("198.51.100.10:0")).collect::<Result<_, _>>()?;
                let mut sent: BTreeMap<u16, (u64, u64)> = BTreeMap::new();
                let to = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)), 9);
                let start = Instant::now();
                let mut random = fastrand::Rng::with_seed(7);
                while start.elapsed() < Duration::from_secs(10) {
                    let socket = &sockets[random.usize(..sockets.len())];
                    let length = random.usize(1..1000);
                    socket.send_to(&[0; 1000][..length], to)?;
                    let flow = sent.entry(socket.local_addr()?.port()).or_default();
                    *flow = (flow.0 + 1, flow.1 + length as u64 + 28);
                }
                Ok(sent)
            });
            done.store(true, Ordering::SeqCst);
            sent
        });
        loop {
            let last = done.load(Ordering::SeqCst);
            drain.take(|flow| {
                let sum = got.entry(flow.key.source_port).or_default();
                *sum = (sum.0 + flow.packets, sum.1 + flow.bytes);
            })?;
            looks += 1;
            if last {
                break;
            }
        }
        sender.join().map_err(|_| anyhow::anyhow!("panicked"))?
    })?;
    let total = |of: &BTreeMap<u16, (u64, u64)>| of.values().fold((0, 0), |sum, flow| (sum.0 + flow.0, sum.1 + flow.1));
    let wrong = sent.iter().filter(|(port, flow)| got.get(port) != Some(flow)).count();
    println!("sent {:?} got {:?} in {looks} looks, {wrong} of {} flows wrong", total(&sent), total(&got), sent.len());
    ensure!(got == sent, "differ");
    Ok(vec![])
}
