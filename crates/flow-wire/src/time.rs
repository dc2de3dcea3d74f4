//! Absolute time as Unix nanoseconds.

use core::ops::Add;
use core::time::Duration;

/// Seconds between 1900-01-01, where NTP starts, and 1970-01-01.
const NTP_TO_UNIX_SECONDS: u64 = 2_208_988_800;

/// A point in time: nanoseconds since 1970-01-01T00:00:00Z, saturating at both ends (the last is in the year 2554).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// From nanoseconds since the Unix epoch.
    pub const fn from_unix_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// From milliseconds since the Unix epoch.
    pub const fn from_unix_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// From seconds since the Unix epoch.
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// From an NTP timestamp: seconds since 1900 in the upper half, fractions of 2^-32 s in the lower
    /// (RFC 7011 sections 6.1.9 and 6.1.10). Seconds below 2^31 belong to the era that starts in 2036; 1968 and 1969
    /// become 1970.
    pub const fn from_ntp(ntp: u64) -> Self {
        let era = if ntp >> 63 == 0 { 1 << 32 } else { 0 };
        let seconds = ((ntp >> 32) + era).saturating_sub(NTP_TO_UNIX_SECONDS);
        let nanos = ((ntp & 0xffff_ffff) * 1_000_000_000) >> 32;
        Self(seconds * 1_000_000_000 + nanos)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_unix_nanos(self) -> u64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    pub const fn as_unix_millis(self) -> u64 {
        self.0 / 1_000_000
    }

    /// `self - millis`, where a negative `millis` lies in the future; saturating.
    pub const fn minus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add_signed(millis.saturating_mul(-1_000_000)))
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5905 section 6: era 0 ends and era 1 begins in February 2036.
    #[test]
    fn ntp_eras_meet_in_2036() {
        let last_of_era_0 = Timestamp::from_ntp(0xffff_ffff << 32);
        let first_of_era_1 = Timestamp::from_ntp(0);
        assert_eq!(first_of_era_1.since(last_of_era_0), Duration::from_secs(1));
        assert_eq!(first_of_era_1.as_unix_nanos() / 1_000_000_000, 2_085_978_496);
    }

    #[test]
    fn ntp_before_1970_saturates() {
        assert_eq!(Timestamp::from_ntp(0x8000_0000 << 32), Timestamp::UNIX_EPOCH);
        assert_eq!(Timestamp::from_ntp((NTP_TO_UNIX_SECONDS + 1) << 32), Timestamp::from_unix_seconds(1));
    }

    #[test]
    fn ntp_fraction_is_binary() {
        let half = Timestamp::from_ntp((NTP_TO_UNIX_SECONDS + 1_700_000_000) << 32 | 0x8000_0000);
        assert_eq!(half, Timestamp::from_unix_millis(1_700_000_000_500));
    }

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Timestamp::UNIX_EPOCH.minus_millis(5), Timestamp::UNIX_EPOCH);
        assert_eq!(Timestamp::from_unix_seconds(u64::MAX).minus_millis(-5).as_unix_nanos(), u64::MAX);
        assert_eq!(Timestamp::UNIX_EPOCH.minus_millis(-5), Timestamp::from_unix_millis(5));
    }
}
