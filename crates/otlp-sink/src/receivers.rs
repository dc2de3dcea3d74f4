//! The receivers of one output, and which of them a request goes to.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{Balance, ConfigError, OtlpConfig};
use crate::occasionally::Occasionally;
use crate::transport::Transport;

#[derive(Debug)]
pub(crate) struct Receivers {
    all: Vec<Receiver>,
    balance: Balance,
    /// Requests so far.
    turn: AtomicUsize,
}

/// One endpoint.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) endpoint: String,
    pub(crate) transport: Transport,
    pub(crate) trouble: Occasionally,
    pub(crate) denials: Occasionally,
    down: Mutex<Option<Down>>,
}

/// A receiver whose last request failed.
#[derive(Clone, Copy, Debug)]
struct Down {
    /// When it may get a request again: one, to see whether it is back.
    until: Instant,
    pause: Duration,
}

impl Receivers {
    /// Has to be called within a tokio runtime.
    pub(crate) fn new(config: &OtlpConfig) -> Result<Self, ConfigError> {
        let receiver = |config: OtlpConfig| {
            let (trouble, denials, down) = Default::default();
            let (endpoint, transport) = (config.endpoint.to_string(), Transport::new(&config)?);
            Ok(Receiver { endpoint, transport, trouble, denials, down })
        };
        let all = config.each().map(receiver).collect::<Result<_, _>>()?;
        Ok(Self { all, balance: config.balance, turn: AtomicUsize::new(0) })
    }

    /// The one whose encoding and compression requests are prepared for: they have the same.
    pub(crate) fn any(&self) -> &Receiver {
        &self.all[0]
    }

    /// Where the next request goes: to one that works if there is any, otherwise to the one that failed the longest time ago.
    pub(crate) fn choose(&self, now: Instant) -> &Receiver {
        if self.all.len() == 1 {
            return &self.all[0];
        }
        let first = match self.balance {
            Balance::Failover => 0,
            Balance::RoundRobin => self.turn.fetch_add(1, Relaxed) % self.all.len(),
        };
        let (before, after) = self.all.split_at(first);
        let in_order = after.iter().chain(before);
        let works = in_order.clone().find(|receiver| receiver.may_try(now));
        works
            .or_else(|| in_order.clone().min_by_key(|receiver| receiver.down().map(|down| down.until)))
            .expect("at least one")
    }

    /// Whether a request that failed may go to another receiver at once, after that many were tried.
    pub(crate) fn may_try_another(&self, tried: usize, now: Instant) -> bool {
        let may_try = |receiver: &Receiver| receiver.down().is_none_or(|down| down.until <= now);
        tried < self.all.len() && self.all.iter().any(may_try)
    }
}

impl Receiver {
    /// The request failed, and the receiver is left alone for a while: for `pause` at first, twice that after each failure in a
    /// row, no longer than `max`, and in any case as long as it asks for.
    pub(crate) fn failed(&self, now: Instant, pause: Duration, max: Duration, asked: Option<Duration>) {
        let mut down = self.lock();
        let pause = down.map_or(pause, |down| down.pause * 2).min(max);
        *down = Some(Down { until: now + pause.max(asked.unwrap_or_default()), pause });
    }

    /// The request was taken; `true` when one had failed before.
    pub(crate) fn worked(&self) -> bool {
        self.lock().take().is_some()
    }

    /// Whether a line said that it did not work, since the last call.
    pub(crate) fn was_said_to_fail(&self) -> bool {
        self.trouble.reset() | self.denials.reset()
    }

    /// Whether it works or it is time to see. Who is told so has to try: others are told no for the same time again.
    fn may_try(&self, now: Instant) -> bool {
        match &mut *self.lock() {
            None => true,
            Some(down) if down.until <= now => {
                down.until = now + down.pause;
                true
            }
            Some(_) => false,
        }
    }

    fn down(&self) -> Option<Down> {
        *self.lock()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Down>> {
        self.down.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Protocol;

    const SECOND: Duration = Duration::from_secs(1);

    fn receivers(balance: Balance) -> Receivers {
        let mut config = OtlpConfig::new(Protocol::Grpc, "a:1").unwrap();
        config.more_endpoints = ["http://b:1", "http://c:1"].map(|url| url.parse().unwrap()).to_vec();
        config.balance = balance;
        Receivers::new(&config).unwrap()
    }

    fn chosen(receivers: &Receivers, now: Instant) -> String {
        receivers.choose(now).endpoint[7..8].to_owned()
    }

    #[tokio::test]
    async fn failover_goes_to_the_first_that_works() {
        let receivers = receivers(Balance::Failover);
        let start = Instant::now();
        assert_eq!(chosen(&receivers, start), "a");
        receivers.all[0].failed(start, SECOND, 8 * SECOND, None);
        assert_eq!(chosen(&receivers, start), "b");
        receivers.all[1].failed(start, SECOND, 8 * SECOND, Some(5 * SECOND));
        assert_eq!(chosen(&receivers, start), "c");
        // After its pause the first gets one request, and others only if that works.
        assert_eq!((chosen(&receivers, start + SECOND), chosen(&receivers, start + SECOND)), ("a".into(), "c".into()));
        receivers.all[0].failed(start + SECOND, SECOND, 8 * SECOND, None);
        assert_eq!(chosen(&receivers, start + 2 * SECOND), "c", "the pause is longer now");
        assert_eq!(chosen(&receivers, start + 3 * SECOND), "a");
        receivers.all[0].worked();
        assert_eq!(chosen(&receivers, start + 3 * SECOND), "a");
    }

    #[tokio::test]
    async fn none_works_and_one_is_chosen_all_the_same() {
        let receivers = receivers(Balance::Failover);
        let start = Instant::now();
        for (receiver, pause) in receivers.all.iter().zip([3, 1, 2]) {
            receiver.failed(start, pause * SECOND, 8 * SECOND, None);
        }
        assert!(!receivers.may_try_another(1, start));
        assert_eq!(chosen(&receivers, start), "b", "its pause ends first");
        assert!(receivers.may_try_another(2, start + SECOND));
        assert!(!receivers.may_try_another(3, start + SECOND), "all were tried");
    }

    #[tokio::test]
    async fn requests_go_round_those_that_work() {
        let receivers = receivers(Balance::RoundRobin);
        let start = Instant::now();
        let four = |receivers: &Receivers| (0..4).map(|_| chosen(receivers, start)).collect::<String>();
        assert_eq!(four(&receivers), "abca");
        receivers.all[1].failed(start, SECOND, SECOND, None);
        assert_eq!(four(&receivers), "ccac");
    }

    #[tokio::test]
    async fn pauses_double_up_to_their_maximum() {
        let receivers = receivers(Balance::Failover);
        let (receiver, start) = (receivers.any(), Instant::now());
        for expected in [1, 2, 4, 5, 5] {
            receiver.failed(start, SECOND, 5 * SECOND, None);
            assert_eq!(receiver.down().unwrap().until, start + expected * SECOND);
        }
    }
}
