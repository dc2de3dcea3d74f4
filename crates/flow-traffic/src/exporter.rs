//! The routers that report.

use crate::population::{Host, OWN_AS, address_v6};
use crate::random::Random;

/// One Exporting Process: a router with three LAN interfaces and an uplink.
#[derive(Debug)]
pub(crate) struct Exporter {
    pub(crate) observation_domain_id: u32,
    /// When it started: Unix milliseconds, a whole second.
    pub(crate) boot_ms: u64,
    pub(crate) upstream: Host,
    pub(crate) downstream: Host,
    pub(crate) sampler_id: u8,
    /// Messages sent.
    pub(crate) messages: u64,
    /// The next sequence number, in the unit of the version.
    pub(crate) sequence_number: u32,
    first_interface: u16,
}

impl Exporter {
    /// Exporter `number`, from 0, up for one to thirty days at `start_ms` (Unix milliseconds).
    pub(crate) fn new(number: u16, start_ms: u64, random: &mut Random) -> Self {
        let uptime_seconds = random.between(86_400, 30 * 86_400);
        // The far ends of two point-to-point links.
        let router = |network: u16, v4: u32, as_number| Host {
            v4: (v4 + 4 * u32::from(number) + 1).to_be_bytes(),
            v6: address_v6(network, u64::from(number) + 1),
            as_number,
            v4_mask: 30,
            v6_mask: 64,
        };
        Self {
            observation_domain_id: u32::from(number) + 1,
            boot_ms: (start_ms / 1_000).saturating_sub(uptime_seconds) * 1_000,
            upstream: router(0xfe00, 0xac10_0000, OWN_AS + 1),
            downstream: router(0xfd00, 0xac18_0000, OWN_AS),
            sampler_id: random.between(1, 8) as u8,
            messages: 0,
            sequence_number: 0,
            first_interface: random.between(1, 500) as u16,
        }
    }

    pub(crate) const fn uplink_interface(&self) -> u16 {
        self.first_interface + LAN_INTERFACES
    }

    pub(crate) const fn lan_interface(&self, client: usize) -> u16 {
        self.first_interface + (client % LAN_INTERFACES as usize) as u16
    }

    /// SNMP index and name of each interface.
    pub(crate) fn interfaces(&self) -> [(u16, &'static str); 1 + LAN_INTERFACES as usize] {
        let names = ["Gi0/0/0", "Gi0/0/1", "Gi0/0/2", "Te0/1/0"];
        std::array::from_fn(|index| (self.first_interface + index as u16, names[index]))
    }

    /// `sysUptime` at a time (Unix milliseconds); it wraps after 49.7 days.
    pub(crate) const fn sys_uptime_ms(&self, unix_ms: u64) -> u32 {
        unix_ms.wrapping_sub(self.boot_ms) as u32
    }
}

const LAN_INTERFACES: u16 = 3;
