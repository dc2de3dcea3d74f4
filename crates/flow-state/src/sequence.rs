//! Sequence numbers: what is missing, late, or starts anew.

use flow_wire::{MessageHeader, Timestamp, Version};

/// What a sequence number says about the Messages before it. Units are those of the version: flows (v5, v7), Messages
/// (v9), Data Records (IPFIX).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Follows the sequence numbers of one Observation Domain.
#[derive(Debug, Default)]
pub(crate) struct SequenceTracker {
    last: Option<Last>,
}

#[derive(Debug, Clone, Copy)]
struct Last {
    sequence: u32,
    /// What the next number should be; `None` when units of the last Message could not be counted.
    expected: Option<u32>,
    sys_uptime_ms: Option<u32>,
    export_time: Timestamp,
}

/// How far back a number may lie to count as late rather than as a restart.
const LATE_WINDOW: u32 = 100_000;

impl SequenceTracker {
    /// Takes the header of a Message and the units in it, `None` when they could not be counted (an unknown Template).
    pub(crate) fn observe(&mut self, header: &MessageHeader, units: Option<u32>) -> SequenceStatus {
        let Some(sequence) = header.sequence_number else {
            return SequenceStatus::Unknown;
        };
        let next = Last {
            sequence,
            expected: units.map(|units| sequence.wrapping_add(units)),
            sys_uptime_ms: header.sys_uptime_ms,
            export_time: header.export_time,
        };
        let Some(last) = self.last else {
            self.last = Some(next);
            return SequenceStatus::Unknown;
        };
        let status = judge(&last, &next, header.version, units);
        if status != SequenceStatus::Late {
            self.last = Some(next);
        }
        status
    }
}

fn judge(last: &Last, next: &Last, version: Version, units: Option<u32>) -> SequenceStatus {
    let Some(expected) = last.expected else {
        return SequenceStatus::Unknown;
    };
    // softflowd counts the Message itself in (captures D26): its numbers are steady, only shifted.
    let counts_itself =
        version == Version::Ipfix && units.is_some_and(|units| next.sequence == last.sequence.wrapping_add(units));
    if next.sequence == expected || counts_itself {
        return SequenceStatus::InOrder;
    }
    let ahead = next.sequence.wrapping_sub(expected);
    let behind = expected.wrapping_sub(next.sequence);
    let restarted = match (last.sys_uptime_ms, next.sys_uptime_ms) {
        // Less uptime than before by more than what reordering explains, and no wrap of the 32-bit counter.
        (Some(before), Some(now)) => (10_000..u32::MAX / 2).contains(&before.wrapping_sub(now)),
        _ => next.export_time > last.export_time,
    };
    if ahead < u32::MAX / 2 {
        // A jump this far ahead is no loss that anyone could have caused between two Messages.
        return if ahead > u32::MAX / 4 { SequenceStatus::Restarted } else { SequenceStatus::Gap(ahead) };
    }
    if restarted || behind > LATE_WINDOW { SequenceStatus::Restarted } else { SequenceStatus::Late }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(version: Version, sequence: u32, second: u64) -> MessageHeader {
        MessageHeader {
            version,
            length_or_count: 0,
            sys_uptime_ms: (version != Version::Ipfix).then_some(second as u32 * 1000),
            export_time: Timestamp::from_unix_seconds(1_700_000_000 + second),
            sequence_number: (version != Version::V1).then_some(sequence),
            observation_domain_id: 0,
            sampling: 0,
        }
    }

    fn observe_all(version: Version, messages: &[(u32, u64, Option<u32>)]) -> Vec<SequenceStatus> {
        let mut tracker = SequenceTracker::default();
        messages.iter().map(|&(sequence, at, units)| tracker.observe(&header(version, sequence, at), units)).collect()
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
}
