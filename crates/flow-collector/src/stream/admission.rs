//! How many connections there may be, and which thread reads them.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flow_state::TransportSession;

use super::{Ending, StreamConfig};

/// The connections that are open.
#[derive(Debug)]
pub(super) struct Admission {
    limit: usize,
    limit_per_address: usize,
    open: Mutex<Open>,
}

#[derive(Debug)]
struct Open {
    sessions: HashSet<TransportSession>,
    by_address: HashMap<IpAddr, usize>,
    by_thread: Vec<usize>,
}

/// The place of a connection. Dropping it gives the place back, which must be the last that happens to the session.
#[derive(Debug)]
pub(super) struct Ticket {
    admission: Arc<Admission>,
    pub(super) session: TransportSession,
    /// Number of the thread with the fewest connections when this one came.
    pub(super) thread: usize,
}

impl Admission {
    pub(super) fn new(config: &StreamConfig, threads: usize) -> Self {
        let open = Open { sessions: HashSet::new(), by_address: HashMap::new(), by_thread: vec![0; threads] };
        Self { limit: config.connections, limit_per_address: config.connections_per_address, open: Mutex::new(open) }
    }

    /// A place for a connection, or why there is none.
    pub(super) fn admit(self: &Arc<Self>, session: TransportSession) -> Result<Ticket, Ending> {
        let mut open = self.lock();
        if open.sessions.len() >= self.limit {
            return Err(Ending::Limit);
        }
        let address = host(session.exporter.ip());
        if open.by_address.get(&address).is_some_and(|count| *count >= self.limit_per_address) {
            return Err(Ending::AddressLimit);
        }
        if open.sessions.contains(&session) {
            // Reset and begun again from the same port before its end was read: two sessions must not share a key.
            return Err(Ending::SameSession);
        }
        let thread = (0..open.by_thread.len()).min_by_key(|thread| open.by_thread[*thread]).unwrap_or(0);
        open.sessions.insert(session);
        *open.by_address.entry(address).or_default() += 1;
        open.by_thread[thread] += 1;
        drop(open);
        Ok(Ticket { admission: self.clone(), session, thread })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who has an address. With IPv6 that is the network of 64 bits, in which a host takes as many as it likes.
fn host(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.admission.lock();
        open.sessions.remove(&self.session);
        open.by_thread[self.thread] -= 1;
        let address = host(self.session.exporter.ip());
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(address: u8, port: u16) -> TransportSession {
        TransportSession::new(([192, 0, 2, address], port).into(), ([192, 0, 2, 200], 4739).into())
    }

    #[test]
    fn places_are_few_and_come_back() {
        let mut config = StreamConfig::default();
        (config.connections, config.connections_per_address) = (3, 2);
        let admission = Arc::new(Admission::new(&config, 2));
        let first = admission.admit(session(1, 1)).unwrap();
        assert_eq!(admission.admit(session(1, 1)).unwrap_err(), Ending::SameSession);
        let second = admission.admit(session(1, 2)).unwrap();
        assert_eq!(admission.admit(session(1, 3)).unwrap_err(), Ending::AddressLimit);
        let third = admission.admit(session(2, 1)).unwrap();
        assert_eq!(admission.admit(session(3, 1)).unwrap_err(), Ending::Limit);
        assert_eq!([&first, &second, &third].map(|ticket| ticket.thread), [0, 1, 0]);
        drop((first, third));
        assert_eq!(admission.admit(session(1, 1)).unwrap().thread, 0);
        drop(second);
        let open = admission.lock();
        assert_eq!((open.sessions.len(), open.by_address.len(), open.by_thread.as_slice()), (0, 0, &[0, 0][..]));
    }
    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let config = StreamConfig { connections_per_address: 2, ..StreamConfig::default() };
        let admission = Arc::new(Admission::new(&config, 1));
        let from = |address: &str| {
            TransportSession::new(format!("[{address}]:9").parse().unwrap(), "[::1]:4739".parse().unwrap())
        };
        let _first = admission.admit(from("2001:db8::1")).unwrap();
        let second = admission.admit(from("2001:db8::ffff:2")).unwrap();
        assert_eq!(admission.admit(from("2001:db8::3")).unwrap_err(), Ending::AddressLimit);
        let _other = admission.admit(from("2001:db8:0:1::1")).unwrap();
        drop(second);
        admission.admit(from("2001:db8::3")).unwrap();
    }
}
