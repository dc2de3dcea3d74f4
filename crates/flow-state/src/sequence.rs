//! Sequence numbers: what is missing, late, or starts anew.

use std::time::Duration;

use flow_wire::{MessageHeader, Timestamp, Version};

use crate::snapshot::codec::{Reader, Writer};

/// What a sequence number says about the Messages before it. Units are those of the version: flows (v5, v7), Messages
/// (v9, sFlow), Data Records (IPFIX).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SequenceStatus {
    /// The version has none (v1), or nothing came before, or what came before could not be counted.
    Unknown,
    /// The expected number.
    InOrder,
    /// So many units never came, or come later.
    Gap(u32),
    /// A number from before: reordered or duplicated.
    Late,
    /// The exporter starts anew.
    Restarted,
}

/// What a Message adds to the sequence number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Units {
    pub(crate) data_records: u32,
    pub(crate) options_records: u32,
    /// The most records that Sets without Template may have.
    pub(crate) uncounted: u32,
}

/// Bytes that a record has at least when it is a flow, or a row of options, that any exporter would send.
pub(crate) const SMALLEST_RECORD: u32 = 4;

/// Follows the sequence numbers of one sender.
#[derive(Debug)]
pub(crate) struct SequenceTracker {
    last: Option<Last>,
    /// The ways of counting that fit all numbers so far, a bit for each of [`steps`].
    possible: u8,
    /// How often numbers told one way of counting from another.
    told: u8,
    /// The last of Messages that came late and follow each other, and their number.
    late: Option<(Last, u8)>,
    /// Comes from a snapshot, which may be older than the last Message: the next number tells no gap.
    restored: bool,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u32,
    /// `None` when they could not be counted (a record that ends outside its Set).
    units: Option<Units>,
    sys_uptime_ms: Option<u32>,
    export_time: Timestamp,
}

/// How far back a number may lie to count as late rather than as a restart.
const LATE_WINDOW: u32 = 100_000;
/// So many late Messages that follow each other and left the exporter later than the last are those of a restart.
const RESTART_RUN: u8 = 3;
/// The same where clocks say nothing; a block of Messages that took a slower path is shorter.
const LONG_RESTART_RUN: u8 = 8;
/// A Message that left the exporter so much later than the last is not one that was overtaken.
const CLEARLY_LATER: Duration = Duration::from_secs(5);
/// From so many tellings on, a single number that fits another way of counting is no proof of it.
const SETTLED: u8 = 3;
/// The ways of counting, as bits.
const ANY: u8 = 0b1111;

impl Default for SequenceTracker {
    fn default() -> Self {
        Self { last: None, possible: ANY, told: 0, late: None, restored: false }
    }
}

impl SequenceTracker {
    /// Takes the header of a Message and the units in it, `None` when they could not be counted.
    pub(crate) fn observe(&mut self, header: &MessageHeader, units: Option<Units>) -> SequenceStatus {
        let Some(sequence) = header.sequence_number else {
            return SequenceStatus::Unknown;
        };
        let next = Last { sequence, units, sys_uptime_ms: header.sys_uptime_ms, export_time: header.export_time };
        let Some(last) = self.last else {
            self.last = Some(next);
            return SequenceStatus::Unknown;
        };
        let mut status = self.judge(&last, &next, header.version);
        if std::mem::take(&mut self.restored) && matches!(status, SequenceStatus::Gap(_)) {
            status = SequenceStatus::Unknown;
        }
        if status == SequenceStatus::Late {
            let run = match self.late {
                Some((late, run))
                    if bits(&steps(&late, &next, header.version), |step| step.is_exactly(next.after(&late))) != 0 =>
                {
                    run.saturating_add(1)
                }
                _ => 1,
            };
            self.late = Some((next, run));
            let enough = if next.export_time > last.export_time { RESTART_RUN } else { LONG_RESTART_RUN };
            if run < enough {
                return status;
            }
            status = SequenceStatus::Restarted;
        }
        if status == SequenceStatus::Restarted {
            *self = Self::default();
        }
        self.late = None;
        self.last = Some(next);
        status
    }

    /// Appends itself to a snapshot.
    pub(crate) fn save(&self, to: &mut Writer) {
        to.u8(self.possible);
        to.u8(self.told);
        to.option(self.last, |to, last| {
            to.u32(last.sequence);
            // What comes after it tells no gap anyway.
            to.option(last.units.filter(|units| units.uncounted == 0), |to, units| {
                to.u32(units.data_records);
                to.u32(units.options_records);
            });
            to.option(last.sys_uptime_ms, Writer::u32);
            to.u64(last.export_time.as_unix_nanos());
        });
    }

    /// Reads what [`SequenceTracker::save`] wrote.
    pub(crate) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let (possible, told) = (from.u8()? & ANY, from.u8()?.min(2 * SETTLED));
        let last = from.option(|from| {
            let sequence = from.u32()?;
            let units = from
                .option(|from| Some(Units { data_records: from.u32()?, options_records: from.u32()?, uncounted: 0 }))?;
            let sys_uptime_ms = from.option(Reader::u32)?;
            let export_time = Timestamp::from_unix_nanos(from.u64()?);
            Some(Last { sequence, units, sys_uptime_ms, export_time })
        })?;
        Some(Self { last, possible, told, late: None, restored: true })
    }

    fn judge(&mut self, last: &Last, next: &Last, version: Version) -> SequenceStatus {
        let steps = steps(last, next, version);
        let fitting = bits(&steps, |step| step.is_exactly(next.after(last)));
        let unknown = bits(&steps, |step| !step.is_known() && step.may_be(next.after(last)));
        if self.possible & fitting != 0 {
            self.told = (self.told + u8::from(fitting | unknown != ANY)).min(2 * SETTLED);
            self.possible &= fitting | unknown;
            return SequenceStatus::InOrder;
        }
        if self.possible & unknown != 0 {
            return SequenceStatus::Unknown;
        }
        if fitting != 0 {
            if self.told < SETTLED {
                self.possible = fitting | unknown;
                return SequenceStatus::InOrder;
            }
            // An exporter that counts otherwise than before shows it again and again.
            self.told -= 1;
        }
        // Of Sets without Template as much as they may hold: a gap is then at least so wide.
        let step =
            steps.get(self.possible.trailing_zeros() as usize).map_or(0, |step| step.least.saturating_add(step.more));
        judge_step(last, next, last.sequence.wrapping_add(step))
    }
}

impl Last {
    /// How far its number is from an earlier one.
    const fn after(&self, earlier: &Self) -> u32 {
        self.sequence.wrapping_sub(earlier.sequence)
    }
}

/// How far one number should be from the next.
#[derive(Clone, Copy)]
struct Step {
    least: u32,
    /// By so much it may be farther; `u32::MAX` where nobody knows.
    more: u32,
}

impl Step {
    const UNKNOWN: Self = Self { least: 0, more: u32::MAX };

    const fn is_known(self) -> bool {
        self.more == 0
    }

    const fn is_exactly(self, step: u32) -> bool {
        self.is_known() && self.least == step
    }

    const fn may_be(self, step: u32) -> bool {
        step.wrapping_sub(self.least) <= self.more
    }
}

/// How far the number of the next Message should be from that of the last, by each way of counting that exporters have.
///
/// The number is that of the units before this Message (RFC 7011 section 3.1: options records among them). softflowd and
/// Open vSwitch count the Message itself in, softflowd leaves options records out.
fn steps(last: &Last, next: &Last, version: Version) -> [Step; 4] {
    if matches!(version, Version::V9 | Version::Sflow5) {
        return [Step { least: 1, more: 0 }; 4];
    }
    let step = |units: Option<Units>, options: bool| {
        units.map_or(Step::UNKNOWN, |units| {
            let options = if options { units.options_records } else { 0 };
            Step { least: units.data_records.wrapping_add(options), more: units.uncounted }
        })
    };
    [step(last.units, true), step(last.units, false), step(next.units, true), step(next.units, false)]
}

fn bits(steps: &[Step; 4], is: impl Fn(Step) -> bool) -> u8 {
    steps.iter().enumerate().map(|(bit, step)| u8::from(is(*step)) << bit).sum()
}

/// Judges a number that is not the expected one.
fn judge_step(last: &Last, next: &Last, expected: u32) -> SequenceStatus {
    let ahead = next.sequence.wrapping_sub(expected);
    let behind = expected.wrapping_sub(next.sequence);
    let uptimes = last.sys_uptime_ms.zip(next.sys_uptime_ms);
    // Less uptime than before by more than what reordering explains, and no wrap of the 32-bit counter.
    if uptimes.is_some_and(|(before, now)| (10_000..u32::MAX / 2).contains(&before.wrapping_sub(now))) {
        return SequenceStatus::Restarted;
    }
    if ahead < u32::MAX / 2 {
        // A jump this far ahead is no loss that anyone could have caused between two Messages.
        return if ahead > u32::MAX / 4 { SequenceStatus::Restarted } else { SequenceStatus::Gap(ahead) };
    }
    let clearly = if uptimes.is_some() { CLEARLY_LATER } else { Duration::ZERO };
    let later = next.export_time.since(last.export_time) > clearly;
    if later || behind > LATE_WINDOW { SequenceStatus::Restarted } else { SequenceStatus::Late }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: Version, sequence: u32, second: u64) -> MessageHeader {
        let export_time = Timestamp::from_unix_seconds(1_700_000_000 + second);
        let mut header = flow_wire::encode::header(version, export_time, sequence, 0);
        header.sys_uptime_ms = header.sys_uptime_ms.map(|_| second as u32 * 1000);
        header.sequence_number = header.sequence_number.filter(|_| version != Version::V1);
        header
    }

    fn observe_all(version: Version, messages: &[(u32, u64, Option<u32>)]) -> Vec<SequenceStatus> {
        let mut tracker = SequenceTracker::default();
        messages
            .iter()
            .map(|&(sequence, at, data_records)| {
                let units = data_records.map(|data_records| Units { data_records, options_records: 0, uncounted: 0 });
                tracker.observe(&header(version, sequence, at), units)
            })
            .collect()
    }

    use SequenceStatus::{Gap, InOrder, Late, Restarted, Unknown};

    /// RFC 7011 section 3.1: the number of Data Records sent before, modulo 2^32.
    #[test]
    fn ipfix_counts_data_records_and_wraps() {
        let seen = observe_all(
            Version::Ipfix,
            &[(u32::MAX - 9, 1, Some(10)), (0, 2, Some(5)), (5, 3, Some(1)), (16, 4, Some(1))],
        );
        assert_eq!(seen, [Unknown, InOrder, InOrder, Gap(10)]);
    }

    #[test]
    fn a_message_that_could_not_be_counted_raises_no_alarm() {
        assert_eq!(
            observe_all(Version::Ipfix, &[(0, 1, None), (77, 2, Some(1)), (78, 3, Some(1))]),
            [Unknown, Unknown, InOrder]
        );
    }

    /// Records of Sets without Template are estimated: as many as the number says, if they have room in the Sets.
    #[test]
    fn uncounted_records_explain_no_more_than_they_can_be() {
        let observe = |after: u32| {
            let mut tracker = SequenceTracker::default();
            let counted = |data_records| Some(Units { data_records, options_records: 0, uncounted: 0 });
            for sequence in [0, 2, 4] {
                tracker.observe(&header(Version::Ipfix, sequence, 1), counted(2));
            }
            let partly = Units { data_records: 3, options_records: 0, uncounted: 10 };
            tracker.observe(&header(Version::Ipfix, 6, 1), Some(partly));
            let status = tracker.observe(&header(Version::Ipfix, 6 + after, 2), counted(2));
            assert_eq!(tracker.observe(&header(Version::Ipfix, 8 + after, 2), counted(2)), InOrder);
            status
        };
        assert_eq!([3, 8, 13, 14, 113].map(observe), [Unknown, Unknown, Unknown, Gap(1), Gap(100)]);
    }

    #[test]
    fn numbers_that_count_their_own_message_are_in_order() {
        assert_eq!(
            observe_all(Version::Ipfix, &[(20, 1, Some(20)), (30, 2, Some(10)), (37, 3, Some(7))]),
            [Unknown, InOrder, InOrder]
        );
    }

    #[test]
    fn v5_counts_flows_and_v9_messages() {
        assert_eq!(
            observe_all(Version::V5, &[(0, 1, Some(30)), (30, 2, Some(30)), (90, 3, Some(30))]),
            [Unknown, InOrder, Gap(30)]
        );
        assert_eq!(
            observe_all(Version::V9, &[(7, 1, Some(1)), (8, 2, Some(1)), (11, 3, Some(1))]),
            [Unknown, InOrder, Gap(2)]
        );
    }

    #[test]
    fn reordering_is_late_and_does_not_move_the_expectation() {
        let seen = observe_all(Version::V9, &[(1, 1, Some(1)), (3, 2, Some(1)), (2, 2, Some(1)), (4, 3, Some(1))]);
        assert_eq!(seen, [Unknown, Gap(1), Late, InOrder]);
    }

    #[test]
    fn less_uptime_is_a_restart() {
        assert_eq!(
            observe_all(Version::V9, &[(500, 900, Some(1)), (0, 1, Some(1)), (1, 2, Some(1))]),
            [Unknown, Restarted, InOrder]
        );
        assert_eq!(observe_all(Version::V1, &[(0, 1, Some(1)), (0, 2, Some(1))]), [Unknown, Unknown]);
    }

    fn observe_records(version: Version, messages: &[(u32, u32, u32)]) -> Vec<SequenceStatus> {
        let mut tracker = SequenceTracker::default();
        messages
            .iter()
            .map(|&(sequence, data_records, options_records)| {
                let units = Some(Units { data_records, options_records, uncounted: 0 });
                tracker.observe(&header(version, sequence, 1), units)
            })
            .collect()
    }

    /// softflowd sends its options data with every sixteenth Message and counts neither it nor as others do.
    #[test]
    fn options_records_may_be_left_out_of_the_count() {
        let softflowd = [(23, 23, 1), (55, 32, 0), (86, 31, 0), (118, 32, 0), (141, 23, 1), (173, 32, 0), (230, 32, 0)];
        let seen = observe_records(Version::Ipfix, &softflowd);
        assert_eq!(seen[1..], [InOrder, InOrder, InOrder, InOrder, InOrder, Gap(25)]);
        let by_the_rfc = [(0, 3, 1), (4, 5, 0), (9, 2, 2), (13, 1, 0), (13, 1, 0)];
        assert_eq!(observe_records(Version::Ipfix, &by_the_rfc)[1..], [InOrder, InOrder, InOrder, Late]);
    }

    /// Open vSwitch counts the flows of the Message itself in.
    #[test]
    fn v5_may_count_its_own_flows() {
        let seen = observe_records(Version::V5, &[(11, 12, 0), (41, 30, 0), (59, 18, 0), (89, 30, 0), (134, 30, 0)]);
        assert_eq!(seen[1..], [InOrder, InOrder, InOrder, Gap(15)]);
    }

    /// A loss that fits another way of counting by accident is a loss once the way of counting is known.
    #[test]
    fn a_settled_way_of_counting_is_kept() {
        let before = [(0, 5, 0), (5, 1, 0), (6, 4, 0), (10, 2, 0), (12, 1, 0)];
        let seen = observe_records(Version::V5, &[&before[..], &[(15, 3, 0), (18, 1, 0)]].concat());
        assert_eq!(seen[1..], [InOrder, InOrder, InOrder, InOrder, Gap(2), InOrder]);
        // Another process that counts otherwise is believed in the end.
        let other: Vec<_> = (1..9).map(|turn| (20 + 7 * turn + turn % 2, 7 + turn % 2 * 2 - 1, 0)).collect();
        let seen = observe_records(Version::V5, &[&before[..], &other[..]].concat());
        assert_eq!(seen[10..], [InOrder; 3]);
    }

    /// Uptime may be that of the machine, which goes on when the process starts anew.
    #[test]
    fn numbers_that_follow_each_other_from_a_lower_one_on_are_a_restart() {
        let seen = observe_all(
            Version::V9,
            &[(900, 100, None), (0, 101, None), (1, 102, None), (2, 103, None), (3, 104, None), (5, 104, None)],
        );
        assert_eq!(seen, [Unknown, Late, Late, Restarted, InOrder, Gap(1)]);
        let clearly_later = observe_all(Version::V9, &[(900, 100, None), (0, 110, None), (1, 110, None)]);
        assert_eq!(clearly_later, [Unknown, Restarted, InOrder]);
    }

    #[test]
    fn messages_that_took_a_slower_path_are_no_restart() {
        let seen = observe_all(
            Version::V9,
            &[(1, 5, None), (6, 6, None), (2, 5, None), (3, 5, None), (4, 5, None), (5, 5, None), (7, 6, None)],
        );
        assert_eq!(seen, [Unknown, Gap(4), Late, Late, Late, Late, InOrder]);
    }

    #[test]
    fn less_uptime_is_a_restart_wherever_the_number_was() {
        let seen = observe_all(Version::V5, &[(3_500_000_000, 900, Some(1)), (0, 1, Some(1))]);
        assert_eq!(seen, [Unknown, Restarted]);
    }
}
