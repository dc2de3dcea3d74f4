//! The exporters that datagrams come from: who is heard, what of each arrived, and what the operator says of them.

mod bucket;
mod policy;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dashmap::DashMap;
use flow_semconv::SamplingPolicy;
use flow_state::{Decoded, ExporterProfiles, Timestamp, Version};
use foldhash::fast::RandomState;

use self::bucket::Bucket;
pub use self::policy::{ExporterLimits, ExporterPolicy, ExporterRule};
use crate::stats::{Counts, add};

/// All exporters that are heard, shared by the workers.
#[derive(Debug)]
pub struct Exporters {
    policy: RwLock<Arc<ExporterPolicy>>,
    /// Changes when what workers keep of `known` and `policy` is out of date.
    generation: AtomicU64,
    known: DashMap<IpAddr, Arc<Exporter>, RandomState>,
    /// How many are known, without a look at every shard.
    count: AtomicUsize,
    /// When room was last looked for, in Unix nanoseconds.
    looked_at: AtomicU64,
}

macro_rules! exporter_counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        struct Counters {
            $($name: AtomicU64,)*
        }

        /// An exporter and what of it arrived, at one moment. Counters begin anew when an exporter was forgotten.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ExporterSnapshot {
            /// Where its datagrams come from.
            pub address: IpAddr,
            /// Version of its latest Message.
            pub version: Option<Version>,
            /// When its latest datagram was received.
            pub last_received: Timestamp,
            $($(#[$doc])* pub $name: u64,)*
        }

        impl Exporter {
            fn snapshot(&self) -> ExporterSnapshot {
                ExporterSnapshot {
                    address: self.address,
                    version: self.version(),
                    last_received: Timestamp::from_unix_nanos(self.received_at.load(Ordering::Relaxed)),
                    $($name: self.counters.$name.load(Ordering::Relaxed),)*
                }
            }
        }
    };
}

exporter_counters! {
    /// Datagrams that were read.
    datagrams,
    /// Bytes in these.
    bytes,
    /// Flow records decoded.
    records,
    /// Options Data Records decoded.
    options_records,
    /// Template Records understood.
    templates,
    /// Units that sequence numbers say are missing.
    sequence_gaps,
    /// Problems found in the datagrams.
    issues,
    /// How often it started anew.
    restarts,
    /// Datagrams beyond its limit, which were not read.
    datagrams_limited,
    /// Flow records beyond its limit, which have no span.
    records_limited,
}

/// One address that sends.
#[derive(Debug)]
pub(crate) struct Exporter {
    address: IpAddr,
    counters: Counters,
    /// Number of the version, or [`UNKNOWN`].
    version: AtomicU16,
    /// Unix nanoseconds.
    received_at: AtomicU64,
    /// Until when it is not forgotten to make room for others, in Unix nanoseconds.
    kept_until: AtomicU64,
    datagrams: Bucket,
    records: Bucket,
}

/// No version has this number.
const UNKNOWN: u16 = u16::MAX;
/// How long an exporter is remembered for sure after valid data.
const KEPT: Duration = Duration::from_secs(300);
/// How long one has to send some.
const GRACE: Duration = Duration::from_secs(10);
/// How often exporters are looked through for some to forget: each look reads them all.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Why a datagram is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Its sender is not allowed.
    Denied,
    /// There are as many exporters as may be.
    NoRoom,
    /// Its sender has sent too many.
    Limited,
}

impl Exporters {
    /// No exporters yet.
    pub fn new(policy: ExporterPolicy) -> Self {
        Self {
            policy: RwLock::new(Arc::new(policy)),
            generation: AtomicU64::new(0),
            known: DashMap::default(),
            count: AtomicUsize::new(0),
            looked_at: AtomicU64::new(0),
        }
    }

    /// The policy in force.
    pub fn policy(&self) -> Arc<ExporterPolicy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another policy in force from the next datagram of each worker on. Exporters keep their counters.
    pub fn set_policy(&self, policy: ExporterPolicy) {
        let policy = Arc::new(policy);
        *self.policy.write().unwrap_or_else(PoisonError::into_inner) = policy.clone();
        self.retain(|exporter| policy.allows(exporter.address));
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// How many are followed.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All exporters now, in the order of their addresses.
    pub fn snapshot(&self) -> Vec<ExporterSnapshot> {
        let mut all: Vec<_> = self.known.iter().map(|entry| entry.value().snapshot()).collect();
        all.sort_by_key(|exporter| exporter.address);
        all
    }

    fn find(&self, policy: &ExporterPolicy, address: IpAddr, now: Timestamp) -> Result<Known, Refusal> {
        if !policy.allows(address) {
            return Err(Refusal::Denied);
        }
        let known = self.known.get(&address).map(|entry| entry.value().clone());
        let exporter = match known {
            Some(exporter) => exporter,
            None if self.len() < policy.max_exporters.get() || self.make_room(now) => {
                let added = || {
                    self.count.fetch_add(1, Ordering::Relaxed);
                    Arc::new(Exporter::new(address, now))
                };
                self.known.entry(address).or_insert_with(added).clone()
            }
            None => return Err(Refusal::NoRoom),
        };
        let (profiles, limits, sampling) = policy.known(address);
        Ok(Known { exporter, profiles, limits, sampling })
    }

    /// Forgets exporters that sent nothing valid for long. A flood of addresses that send nothing valid at all makes room
    /// for itself in this way, but takes none from those that do.
    fn make_room(&self, now: Timestamp) -> bool {
        let now = now.as_unix_nanos();
        let looked_at = self.looked_at.load(Ordering::Relaxed);
        let is_due = now.abs_diff(looked_at) >= LOOK_INTERVAL.as_nanos() as u64;
        if !is_due || self.looked_at.compare_exchange(looked_at, now, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            return false;
        }
        let before = self.len();
        self.retain(|exporter| exporter.kept_until.load(Ordering::Relaxed) > now);
        let is_room = self.len() < before;
        if is_room {
            self.generation.fetch_add(1, Ordering::Release);
        }
        is_room
    }

    fn retain(&self, keep: impl Fn(&Exporter) -> bool) {
        self.known.retain(|_, exporter| {
            let kept = keep(exporter);
            self.count.fetch_sub(usize::from(!kept), Ordering::Relaxed);
            kept
        });
    }
}

impl Exporter {
    fn new(address: IpAddr, now: Timestamp) -> Self {
        Self {
            address,
            counters: Counters::default(),
            version: AtomicU16::new(UNKNOWN),
            received_at: AtomicU64::new(now.as_unix_nanos()),
            kept_until: AtomicU64::new((now + GRACE).as_unix_nanos()),
            datagrams: Bucket::default(),
            records: Bucket::default(),
        }
    }

    fn version(&self) -> Option<Version> {
        let number = self.version.load(Ordering::Relaxed);
        if number == Version::Sflow5.number() { Some(Version::Sflow5) } else { Version::from_number(number) }
    }

    /// Counts a datagram that was read; so many of its records were beyond the limit.
    pub(crate) fn count(&self, received_at: Timestamp, bytes: usize, decoded: &Decoded, counts: &Counts, limited: u64) {
        let counters = &self.counters;
        add(&counters.datagrams, 1);
        add(&counters.bytes, bytes as u64);
        add(&counters.records, counts.records);
        add(&counters.options_records, counts.options_records);
        add(&counters.templates, counts.templates);
        add(&counters.sequence_gaps, counts.sequence_gaps);
        add(&counters.restarts, counts.restarts);
        add(&counters.records_limited, limited);
        if !decoded.issues().is_empty() {
            add(&counters.issues, decoded.issues().total());
        }
        self.received_at.store(received_at.as_unix_nanos(), Ordering::Relaxed);
        if let Some(message) = decoded.messages().first() {
            self.version.store(message.header.version.number(), Ordering::Relaxed);
        }
        if counts.records + counts.options_records + counts.templates > 0 {
            self.kept_until.store((received_at + KEPT).as_unix_nanos(), Ordering::Relaxed);
        }
    }
}

/// An exporter with what is said of it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    exporter: Arc<Exporter>,
    profiles: ExporterProfiles,
    limits: ExporterLimits,
    sampling: Option<SamplingPolicy>,
}

impl Known {
    pub(crate) fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    pub(crate) const fn profiles(&self) -> &ExporterProfiles {
        &self.profiles
    }

    /// Which share of its flows is kept, where that is not the one of all.
    pub(crate) const fn sampling(&self) -> Option<SamplingPolicy> {
        self.sampling
    }

    /// How many of so many records may have a span.
    pub(crate) fn take_records(&self, steady: Timestamp, records: u64) -> u64 {
        self.limits.records.map_or(records, |limit| self.exporter.records.take(steady, limit, records))
    }
}

/// One worker's view of the exporters.
#[derive(Debug)]
pub(crate) struct Admission {
    exporters: Arc<Exporters>,
    generation: u64,
    /// Of this generation, so that refusing costs no lock.
    policy: Arc<ExporterPolicy>,
    /// Never more than `exporters` has, as all are forgotten when it forgets one.
    known: HashMap<IpAddr, Known, RandomState>,
}

impl Admission {
    pub(crate) fn new(exporters: Arc<Exporters>) -> Self {
        let generation = exporters.generation.load(Ordering::Acquire);
        Self { generation, policy: exporters.policy(), exporters, known: HashMap::default() }
    }

    /// Whether the datagram of an exporter, received at `now`, is to be read; `steady` is the time for its limits.
    #[inline]
    pub(crate) fn admit(&mut self, address: IpAddr, now: Timestamp, steady: Timestamp) -> Result<&Known, Refusal> {
        let known = self.known(address, now)?;
        if let Some(limit) = known.limits.datagrams
            && known.exporter.datagrams.take(steady, limit, 1) == 0
        {
            known.exporter.counters.datagrams_limited.fetch_add(1, Ordering::Relaxed);
            return Err(Refusal::Limited);
        }
        Ok(known)
    }

    /// The same of a Message that came over a connection, which is read even beyond the limit of its exporter, as nobody
    /// sends it again: the next is to [wait](Self::wait).
    pub(crate) fn admit_owing(
        &mut self,
        address: IpAddr,
        now: Timestamp,
        steady: Timestamp,
    ) -> Result<&Known, Refusal> {
        let known = self.known(address, now)?;
        if let Some(limit) = known.limits.datagrams {
            known.exporter.datagrams.owe(steady, limit);
        }
        Ok(known)
    }

    /// How long an exporter that is known is to wait before it sends more.
    pub(crate) fn wait(&self, address: IpAddr, steady: Timestamp) -> Duration {
        if self.exporters.generation.load(Ordering::Acquire) != self.generation {
            // Its limit may be another.
            return Duration::ZERO;
        }
        let known = self.known.get(&address);
        let wait = known.and_then(|known| Some(known.exporter.datagrams.wait(steady, known.limits.datagrams?)));
        wait.unwrap_or_default()
    }

    #[inline]
    fn known(&mut self, address: IpAddr, now: Timestamp) -> Result<&Known, Refusal> {
        let generation = self.exporters.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.known.clear();
            self.policy = self.exporters.policy();
        }
        Ok(match self.known.entry(address) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(self.exporters.find(&self.policy, address, now)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::num::{NonZeroU32, NonZeroUsize};

    use flow_state::ExporterProfile;

    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp::from_unix_millis(1_700_000_000_000 + millis)
    }

    fn address(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    fn policy(max_exporters: usize) -> ExporterPolicy {
        ExporterPolicy { max_exporters: NonZeroUsize::new(max_exporters).unwrap(), ..ExporterPolicy::default() }
    }

    fn admission(policy: ExporterPolicy) -> Admission {
        Admission::new(Arc::new(Exporters::new(policy)))
    }

    /// As after a datagram with a record.
    fn valid(known: &Known, now: Timestamp) {
        let counts = Counts { records: 1, ..Counts::default() };
        known.exporter().count(now, 100, &Decoded::default(), &counts, 0);
    }

    #[test]
    fn those_that_send_nothing_valid_give_way_to_others() {
        let mut admission = admission(policy(2));
        valid(admission.admit(address(1), at(0), at(0)).unwrap(), at(0));
        admission.admit(address(2), at(0), at(0)).unwrap();
        assert_eq!(admission.admit(address(3), at(9_000), at(9_000)).unwrap_err(), Refusal::NoRoom);
        // Looks are a second apart.
        assert_eq!(admission.admit(address(3), at(9_999), at(9_999)).unwrap_err(), Refusal::NoRoom);
        valid(admission.admit(address(3), at(10_000), at(10_000)).unwrap(), at(10_000));
        let addresses = |admission: &Admission| {
            admission.exporters.snapshot().iter().map(|exporter| exporter.address).collect::<Vec<_>>()
        };
        assert_eq!(addresses(&admission), [address(1), address(3)]);
        admission.admit(address(3), at(10_001), at(10_001)).unwrap();
        assert_eq!(admission.known.len(), 1, "what was forgotten is not kept by a worker");
        let generation = admission.exporters.generation.load(Ordering::Relaxed);
        assert_eq!(admission.admit(address(2), at(20_000), at(20_000)).unwrap_err(), Refusal::NoRoom);
        assert_eq!(admission.exporters.generation.load(Ordering::Relaxed), generation, "none was forgotten");
        assert_eq!(admission.admit(address(2), at(299_000), at(299_000)).unwrap_err(), Refusal::NoRoom);
        admission.admit(address(2), at(300_001), at(300_001)).unwrap();
        assert_eq!(addresses(&admission), [address(2), address(3)]);
    }

    #[test]
    fn a_limit_holds_for_all_workers_together() {
        let mut policy = policy(9);
        policy.limits.datagrams = NonZeroU32::new(3);
        let exporters = Arc::new(Exporters::new(policy));
        let mut workers = [Admission::new(exporters.clone()), Admission::new(exporters.clone())];
        let mut send = |number: usize, now| workers[number % 2].admit(address(1), at(now), at(now)).err();
        let refusals: Vec<_> = (0..5).map(|number| send(number, 0)).collect();
        assert_eq!(refusals, [None, None, None, Some(Refusal::Limited), Some(Refusal::Limited)]);
        assert_eq!(send(0, 334), None);
        assert_eq!(workers[0].admit(address(2), at(334), at(334)).err(), None, "others have their own");
        assert_eq!(exporters.snapshot()[0].datagrams_limited, 2);
    }

    #[test]
    fn a_new_policy_is_in_force_at_once_and_counters_stay() {
        let mut admission = admission(policy(9));
        for number in [1, 2] {
            valid(admission.admit(address(number), at(0), at(0)).unwrap(), at(0));
        }
        let mut denying = policy(9);
        denying.deny.push("192.0.2.2/32".parse().unwrap());
        let profile = ExporterProfile { name: Some("core".into()), ..ExporterProfile::default() };
        denying.rules.push(ExporterRule {
            network: "192.0.2.0/24".parse().unwrap(),
            observation_domain_id: None,
            profile: Arc::new(profile),
            limits: ExporterLimits::default(),
            sampling: None,
        });
        admission.exporters.set_policy(denying);
        assert_eq!(admission.admit(address(2), at(1), at(1)).unwrap_err(), Refusal::Denied);
        let known = admission.admit(address(1), at(1), at(1)).unwrap();
        assert_eq!(known.profiles().of(0).unwrap().name.as_deref(), Some("core"));
        let snapshot = admission.exporters.snapshot();
        assert_eq!((snapshot.len(), snapshot[0].datagrams, snapshot[0].records), (1, 1, 1));
        let profiles = admission.exporters.policy().profiles(address(1));
        assert_eq!(profiles.of(0).unwrap().name.as_deref(), Some("core"));
    }
}
