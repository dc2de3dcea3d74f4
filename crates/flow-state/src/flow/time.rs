//! When a flow was active: one answer from every form in which exporters say it.

use std::time::Duration;

use flow_wire::{MessageHeader, Timestamp, Version};

use super::FlowRecord;
use crate::decoded::DataSet;
use crate::plan::{Fact, RarePlan, TimePlan, TimesPlan};
use crate::profile::Clock;

/// Where the times of a flow come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeSource {
    /// The record has none.
    #[default]
    None,
    /// Absolute times (elements 150 to 157).
    Absolute,
    /// Microseconds before the export time (158, 159).
    Delta,
    /// Milliseconds since the exporter started (21, 22).
    SysUpTime,
    /// The moment an event was observed (322 to 325), for want of times of the flow.
    Observation,
    /// The moment a mediator collected the record (258), for want of anything better.
    Collection,
}

/// When a flow was active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlowTime {
    /// First packet.
    pub start: Option<Timestamp>,
    /// Last packet.
    pub end: Option<Timestamp>,
    /// The form of the start, else of the end.
    pub source: TimeSource,
    /// Start or end is not what the exporter says but worked out: from a duration, from the moment of an event, or from
    /// uptimes of an exporter whose start is not known, as if the newest flow of its Message had just ended.
    pub inferred: bool,
    /// Start or end was beyond belief and gave way; see [`FlowRecord::time`].
    pub clamped: bool,
    /// The exporter's clock and ours differ by more than five minutes.
    pub skewed: bool,
}

impl FlowTime {
    /// From start to end, where both are known and in order.
    pub fn duration(&self) -> Option<Duration> {
        let (start, end) = (self.start?, self.end?);
        (end >= start).then(|| end.since(start))
    }
}

/// What the time of receipt says of the times in a Message; worked out once for all its flows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plausible {
    /// Unix nanoseconds.
    earliest: u64,
    /// Nanoseconds from the earliest to the latest.
    width: u64,
    skewed: bool,
    /// Nanoseconds to add to every time, modulo 2^64.
    shift: u64,
}

impl Plausible {
    /// Flows last years, as those of tunnels do.
    const PAST: u64 = 3653 * DAY;
    /// Exporters put times of local zones into UTC fields.
    const FUTURE: u64 = DAY;
    /// Of the exporter's clock against ours.
    const SKEW: u64 = 5 * 60 * 1_000_000_000;

    /// Against both clocks, because either may be wrong: the exporter's after a start without NTP, ours when an old capture
    /// is played again.
    pub(crate) fn new(export_time: Timestamp, received_at: Timestamp, clock: Clock) -> Self {
        let (export, receipt) = (export_time.as_unix_nanos(), received_at.as_unix_nanos());
        let earliest = export.min(receipt).saturating_sub(Self::PAST);
        let latest = export.max(receipt).saturating_add(Self::FUTURE);
        let shift = match clock {
            Clock::Exporter => 0,
            Clock::Receipt => receipt.wrapping_sub(export),
        };
        Self { earliest, width: latest - earliest, skewed: export.abs_diff(receipt) > Self::SKEW, shift }
    }

    pub(crate) const fn is_skewed(&self) -> bool {
        self.skewed
    }

    #[inline]
    fn holds(&self, time: Option<Timestamp>) -> bool {
        time.is_none_or(|time| time.as_unix_nanos().wrapping_sub(self.earliest) <= self.width)
    }

    /// The time, or what takes the place of a part that is beyond belief.
    #[inline]
    pub(crate) fn believe(&self, time: FlowTime, received_at: Timestamp) -> FlowTime {
        let time = if self.holds(time.start) && self.holds(time.end) { time } else { self.clamp(time, received_at) };
        if self.shift == 0 { time } else { self.shifted(time) }
    }

    #[cold]
    fn shifted(&self, time: FlowTime) -> FlowTime {
        let by = self.shift as i64;
        let shift = |time: Timestamp| Timestamp::from_unix_nanos(time.as_unix_nanos().saturating_add_signed(by));
        FlowTime { start: time.start.map(shift), end: time.end.map(shift), ..time }
    }

    #[cold]
    fn clamp(&self, time: FlowTime, received_at: Timestamp) -> FlowTime {
        let held = |time: Option<Timestamp>| time.filter(|_| self.holds(time));
        let receipt = Timestamp::from_unix_nanos(received_at.as_unix_nanos().wrapping_sub(self.shift));
        let substitute = held(time.start).or(held(time.end)).unwrap_or(receipt);
        let clamp = |time: Option<Timestamp>| time.map(|_| held(time).unwrap_or(substitute));
        FlowTime { start: clamp(time.start), end: clamp(time.end), clamped: true, ..time }
    }
}

/// In nanoseconds.
const DAY: u64 = 24 * 60 * 60 * 1_000_000_000;

impl FlowRecord<'_> {
    /// Start and end, from whatever form the exporter uses: absolute times, export time and a delta, or system uptime.
    ///
    /// Uptimes count back from the header (v1, v5, v7, v9) by the signed 32-bit difference, so that a wrap of the
    /// 49.7-day counter does no harm, or on from systemInitTimeMilliseconds of the record, else of the exporter's latest
    /// options data (IPFIX), unless that is yet to come. First = Last = 0 is a flow at boot.
    ///
    /// What the record does not say is worked out where that is possible, which [`FlowTime::inferred`] tells. A time more
    /// than 3,653 days before both export and receipt, or more than a day after both, is nonsense: it gives way to the
    /// other end of the flow, or to the time of receipt where that is no better, which [`FlowTime::clamped`] tells. Last,
    /// times move to our clock where the exporter's profile wants that ([`Clock::Receipt`]).
    #[inline]
    pub fn time(&self) -> FlowTime {
        let mut time = self.resolve(&self.plan.times);
        if self.plan.times.completes && (time.start.is_none() || time.end.is_none()) {
            self.complete(&mut time);
        }
        self.believe(time)
    }

    /// Start and end as the exporter says them: as [`FlowRecord::time`], but nothing worked out, and nonsense kept.
    #[inline]
    pub fn exported_time(&self) -> FlowTime {
        self.resolve(&self.plan.times)
    }

    #[inline]
    pub(super) fn resolve(&self, plan: &TimesPlan) -> FlowTime {
        FlowTime {
            start: self.instant(plan.start),
            end: self.instant(plan.end),
            source: plan.source,
            inferred: false,
            clamped: false,
            skewed: self.context.plausible.skewed,
        }
    }

    #[inline]
    pub(super) fn believe(&self, time: FlowTime) -> FlowTime {
        self.context.plausible.believe(time, self.context.received_at)
    }

    #[inline]
    fn instant(&self, plan: TimePlan) -> Option<Timestamp> {
        let value = self.record.unsigned(plan.locator());
        match (plan, self.context.header.sys_uptime_ms) {
            (TimePlan::SysUpTime(_), None) => self.since_init(value as u32),
            _ => exported(plan, value, &self.context.header),
        }
    }

    /// IPFIX: milliseconds after the start of the exporter. One that is to come counts back as it does in v9: softflowd tells
    /// so of flows that began before it did.
    fn since_init(&self, uptime_ms: u32) -> Option<Timestamp> {
        let init = self.integer(Fact::SystemInitTime).map(Timestamp::from_unix_millis).or(self.context.system_init)?;
        let header = &self.context.header;
        // The export time is in seconds, so that it may lie just before the start.
        let now_ms = header.export_time.as_unix_millis().wrapping_sub(init.as_unix_millis());
        if (u64::from(uptime_ms)..=u32::MAX.into()).contains(&now_ms) {
            return Some(init + Duration::from_millis(uptime_ms.into()));
        }
        // Or the exporter is up for longer than 32 bits count, so that the uptime has wrapped at least once.
        Some(before_export(header, now_ms as u32, uptime_ms))
    }

    /// Adds what the record does not say as such.
    #[cold]
    fn complete(&self, time: &mut FlowTime) {
        let exported = (time.start, time.end);
        if let Some(now) = self.context.newest_uptime_ms {
            let since_newest = |plan| match plan {
                TimePlan::SysUpTime(locator) => {
                    Some(before_export(&self.context.header, now, self.record.unsigned(locator) as u32))
                }
                _ => None,
            };
            time.start = time.start.or_else(|| since_newest(self.plan.times.start));
            time.end = time.end.or_else(|| since_newest(self.plan.times.end));
        }
        if let Some(rare) = self.plan.rare() {
            self.complete_from(rare, time);
        }
        time.inferred = (time.start, time.end) != exported;
    }

    /// Adds a missing end from a duration, or from the moment of an event.
    fn complete_from(&self, rare: &RarePlan, time: &mut FlowTime) {
        let nanos = |locator, nanos_per_unit| self.record.unsigned(locator).saturating_mul(nanos_per_unit);
        let millis = rare.duration_milliseconds.map(|locator| nanos(locator, 1_000_000));
        let duration = millis.or_else(|| rare.duration_microseconds.map(|locator| nanos(locator, 1000)));
        let moved = |time: Timestamp, by: fn(u64, u64) -> u64, nanos| {
            Timestamp::from_unix_nanos(by(time.as_unix_nanos(), nanos))
        };
        let observed = self.instant(rare.observation);
        match (time.start, time.end, duration) {
            (Some(start), None, Some(nanos)) => time.end = Some(moved(start, u64::saturating_add, nanos)),
            (None, Some(end), Some(nanos)) => time.start = Some(moved(end, u64::saturating_sub, nanos)),
            (Some(start), None, None) => time.end = observed.filter(|end| *end >= start),
            (None, None, _) => {
                let collected = || Some((self.instant(rare.collection)?, TimeSource::Collection));
                if let Some((moment, source)) = observed.map(|at| (at, TimeSource::Observation)).or_else(collected) {
                    *time = FlowTime { start: Some(moment), end: Some(moment), source, ..*time };
                }
            }
            _ => {}
        }
    }
}

/// The moment that a value of a record says, with the header of its Message: `None` where the plan has none, or where it is
/// an uptime and the header has none.
#[inline]
pub(super) fn exported(plan: TimePlan, value: u64, header: &MessageHeader) -> Option<Timestamp> {
    match plan {
        TimePlan::Absent => None,
        TimePlan::Milliseconds(_) => Some(Timestamp::from_unix_millis(value)),
        TimePlan::Ntp(_) => Some(Timestamp::from_ntp(value)),
        TimePlan::Seconds(_) => Some(Timestamp::from_unix_seconds(value)),
        TimePlan::DeltaMicroseconds(_) => {
            Some(Timestamp::from_unix_nanos(header.export_time.as_unix_nanos().saturating_sub(value * 1000)))
        }
        TimePlan::SysUpTime(_) => Some(before_export(header, header.sys_uptime_ms?, value as u32)),
    }
}

/// The moment of an uptime where the exporter's uptime is `now_ms` at the time of export: back or on by the signed 32-bit
/// difference.
#[inline]
fn before_export(header: &MessageHeader, now_ms: u32, uptime_ms: u32) -> Timestamp {
    header.export_time.minus_millis(now_ms.wrapping_sub(uptime_ms).cast_signed().into())
}

/// [`before_export`] for many uptimes of one Message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uptimes {
    export_nanos: u64,
    now_ms: u32,
}

impl Uptimes {
    /// `None` where the header has no uptime, or a time so near the first or last of all that a sum may have to saturate.
    #[inline]
    pub(super) fn new(header: &MessageHeader) -> Option<Self> {
        /// More nanoseconds than 32 bits of milliseconds are.
        const REACH: u64 = 1 << 52;
        let export_nanos = header.export_time.as_unix_nanos();
        let now_ms = header.sys_uptime_ms?;
        (REACH..=u64::MAX - REACH).contains(&export_nanos).then_some(Self { export_nanos, now_ms })
    }

    #[inline]
    pub(super) fn moment(self, uptime_ms: u32) -> Timestamp {
        let before_ms = i64::from(self.now_ms.wrapping_sub(uptime_ms).cast_signed());
        Timestamp::from_unix_nanos(self.export_nanos.wrapping_sub((before_ms * 1_000_000).cast_unsigned()))
    }
}

/// The highest uptime in flows of one Message of IPFIX, where the start of its exporter is not known: what the uptime was
/// when the Message was exported, or a little less.
pub(crate) fn newest_uptime<'a>(sets: impl IntoIterator<Item = DataSet<'a>>) -> Option<u32> {
    let is_wanted = |set: &DataSet<'_>| {
        let context = set.context();
        context.header.version == Version::Ipfix && context.system_init.is_none() && !set.template().is_options()
    };
    let uptimes = sets.into_iter().filter(is_wanted).flat_map(|set| {
        let times = &set.plan().times;
        let locator = match (times.end, times.start) {
            (TimePlan::SysUpTime(locator), _) | (TimePlan::Absent, TimePlan::SysUpTime(locator)) => Some(locator),
            _ => None,
        };
        locator.into_iter().flat_map(move |locator| set.records().map(move |record| record.unsigned(locator) as u32))
    });
    // By the signed difference, because the counter may wrap among the flows of a Message.
    uptimes.reduce(|newest, uptime| if uptime.wrapping_sub(newest).cast_signed() > 0 { uptime } else { newest })
}
