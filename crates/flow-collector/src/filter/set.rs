//! Sets of numbers and addresses.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use ipnet::IpNet;

/// Values of a fact, whatever it is: numbers and IPv4 addresses are one space, IPv6 addresses another, and that a flow does
/// not have it at all is a value too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) absent: bool,
    pub(super) numbers: Ranges,
    pub(super) ipv6: Ranges,
}

impl Set {
    pub(super) fn of_numbers(ranges: &[RangeInclusive<u64>]) -> Self {
        let ranges = ranges.iter().map(|range| (u128::from(*range.start()), u128::from(*range.end())));
        Self { absent: false, numbers: Ranges::new(ranges.collect()), ipv6: Ranges::default() }
    }

    /// IPv4-mapped addresses are those of IPv4 as well, as which senders and most flows have them.
    pub(super) fn of_networks(networks: &[IpNet]) -> Self {
        let (mut ipv4, mut ipv6) = (Vec::new(), Vec::new());
        for network in networks {
            match (network.network(), network.broadcast()) {
                (IpAddr::V4(first), IpAddr::V4(last)) => ipv4.push((first.to_bits().into(), last.to_bits().into())),
                (IpAddr::V6(first), IpAddr::V6(last)) => {
                    ipv6.push((first.to_bits(), last.to_bits()));
                    let mapped = first.to_ipv4_mapped().zip(last.to_ipv4_mapped());
                    ipv4.extend(mapped.map(|(first, last)| (first.to_bits().into(), last.to_bits().into())));
                }
                _ => {}
            }
        }
        Self { absent: false, numbers: Ranges::new(ipv4), ipv6: Ranges::new(ipv6) }
    }

    pub(super) fn complement(&self) -> Self {
        Self { absent: !self.absent, numbers: self.numbers.complement(), ipv6: self.ipv6.complement() }
    }

    pub(super) fn union(sets: &[Self]) -> Self {
        Self {
            absent: sets.iter().any(|set| set.absent),
            numbers: Ranges::new(sets.iter().flat_map(|set| set.numbers.iter()).collect()),
            ipv6: Ranges::new(sets.iter().flat_map(|set| set.ipv6.iter()).collect()),
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        Self::union(&[self.complement(), other.complement()]).complement()
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// First and last of each range; in order, none touches another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ranges(Vec<(u128, u128)>);

impl Ranges {
    fn new(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some((_, before)) if first <= before.saturating_add(1) => *before = last.max(*before),
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    fn complement(&self) -> Self {
        let mut gaps = Vec::with_capacity(self.0.len() + 1);
        let mut next = Some(0);
        for (first, last) in &self.0 {
            if let Some(start) = next.filter(|start| start < first) {
                gaps.push((start, first - 1));
            }
            next = last.checked_add(1);
        }
        gaps.extend(next.map(|start| (start, u128::MAX)));
        Self(gaps)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, u128)> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_and_turned_around() {
        let ranges = Ranges::new(vec![(10, 20), (0, 3), (21, 30), (15, 16), (u128::MAX, u128::MAX)]);
        assert_eq!(ranges.0, [(0, 3), (10, 30), (u128::MAX, u128::MAX)]);
        assert_eq!(ranges.complement().0, [(4, 9), (31, u128::MAX - 1)]);
        assert_eq!(ranges.complement().complement(), ranges);
        assert_eq!(Ranges::default().complement().0, [(0, u128::MAX)]);
    }

    #[test]
    fn mapped_networks_are_those_of_ipv4_as_well() {
        let set = |network: &str| Set::of_networks(&[network.parse().unwrap()]);
        let mapped = set("::ffff:10.0.0.0/104");
        assert_eq!(mapped.numbers, set("10.0.0.0/8").numbers);
        assert_eq!(mapped.ipv6.0, [(0xffff_0a00_0000, 0xffff_0aff_ffff)]);
        assert_eq!(set("::ffff:0:0/96").numbers, set("0.0.0.0/0").numbers);
        // As with `::/0`, all that is meant is IPv6.
        for longer in ["::fffe:0:0/95", "::ffc0:0:0/90", "::/0"] {
            assert_eq!(set(longer).numbers, Ranges::default(), "{longer}");
        }
    }

    #[test]
    fn absence_is_a_value() {
        let web = Set::of_numbers(&[80..=80, 443..=443]);
        let others = web.complement();
        assert!(others.absent);
        assert!(web.intersection(&others).is_empty());
        assert_eq!(Set::union(&[web, others]), Set::default().complement());
    }
}
