//! The facts that most flows have, read at once.

use std::iter::FusedIterator;
use std::net::{IpAddr, Ipv4Addr};
use std::slice;

use flow_wire::{Fronts, Locator, RecordFront, Records, Template, Timestamp};

use super::FlowRecord;
use super::time::{FlowTime, Uptimes, exported};
use crate::decoded::MessageContext;
use crate::plan::{AddressPlan, Choice, Fact, FlowPlan, Reading, TimePlan};

/// The facts that most flows have, read in one pass over a record: the same values as those of the methods of
/// [`FlowRecord`], but zero where they have `None`. Whether a Template has a fact at all, its
/// [`FlowPlan`](crate::DataSet::plan) says once for all its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommonFields {
    /// [`FlowRecord::source_address`]; 0.0.0.0 for none.
    pub source_address: IpAddr,
    /// [`FlowRecord::destination_address`]; 0.0.0.0 for none.
    pub destination_address: IpAddr,
    /// [`FlowRecord::next_hop`]; 0.0.0.0 for none.
    pub next_hop: IpAddr,
    /// [`Fact::SourcePort`].
    pub source_port: u64,
    /// [`Fact::DestinationPort`].
    pub destination_port: u64,
    /// [`Fact::Protocol`].
    pub protocol: u64,
    /// [`Fact::IngressInterface`].
    pub ingress_interface: u64,
    /// [`Fact::EgressInterface`].
    pub egress_interface: u64,
    /// [`Fact::SourceAs`].
    pub source_as: u64,
    /// [`Fact::DestinationAs`].
    pub destination_as: u64,
    /// [`Fact::TcpFlags`].
    pub tcp_flags: u64,
    /// [`Fact::ClassOfService`].
    pub class_of_service: u64,
    /// [`FlowRecord::octets`].
    pub octets: u64,
    /// [`FlowRecord::packets`].
    pub packets: u64,
    /// Start of [`FlowRecord::time`]; [`Timestamp::UNIX_EPOCH`] for none.
    pub start: Timestamp,
    /// End of [`FlowRecord::time`]; [`Timestamp::UNIX_EPOCH`] for none.
    pub end: Timestamp,
}

const NO_ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl CommonFields {
    /// With the integers that have no rule of their own.
    #[inline(always)]
    fn with(
        integer: impl Fn(Fact) -> u64,
        [source_address, destination_address, next_hop]: [IpAddr; 3],
        [octets, packets]: [u64; 2],
        [start, end]: [Timestamp; 2],
    ) -> Self {
        Self {
            source_address,
            destination_address,
            next_hop,
            source_port: integer(Fact::SourcePort),
            destination_port: integer(Fact::DestinationPort),
            protocol: integer(Fact::Protocol),
            ingress_interface: integer(Fact::IngressInterface),
            egress_interface: integer(Fact::EgressInterface),
            source_as: integer(Fact::SourceAs),
            destination_as: integer(Fact::DestinationAs),
            tcp_flags: integer(Fact::TcpFlags),
            class_of_service: integer(Fact::ClassOfService),
            octets,
            packets,
            start,
            end,
        }
    }

    /// One by one.
    fn of(flow: &FlowRecord<'_>) -> Self {
        let addresses = [flow.source_address(), flow.destination_address(), flow.next_hop()];
        let time = flow.time();
        Self::with(
            |fact| flow.integer(fact).unwrap_or(0),
            addresses.map(|address| address.unwrap_or(NO_ADDRESS)),
            [flow.octets(), flow.packets()].map(|counter| counter.unwrap_or(0)),
            [time.start, time.end].map(|part| part.unwrap_or(Timestamp::UNIX_EPOCH)),
        )
    }

    /// A load and a mask for each, those that the Template lacks with a mask of zero.
    // The loop of its caller keeps in registers what this reads of the plan, which a call would load again each time.
    #[inline(always)]
    fn straight(front: RecordFront<'_>, plan: &StraightPlan<'_>, context: &MessageContext) -> Self {
        let counter = |locator, choice| match front.unsigned(locator) {
            0 => stand_in(front, choice),
            first => first,
        };
        let addresses = if plan.has_v6 {
            plan.addresses.map(|locator| address(front, locator))
        } else {
            plan.addresses.map(|locator| front.ipv4(locator).into())
        };
        Self::with(
            |fact| front.unsigned(plan.all.common(fact)),
            addresses,
            [counter(plan.octets, &plan.all.octets), counter(plan.packets, &plan.all.packets)],
            plan.times(front, context),
        )
    }

    /// The fields of NetFlow v5 by their places (Cisco, "NetFlow Export Datagram Format").
    #[inline]
    fn of_v5(record: &[u8; V5_RECORD], uptimes: Uptimes, context: &MessageContext) -> Self {
        let short = |at: usize| u16::from_be_bytes([record[at], record[at + 1]]).into();
        let long = |at: usize| u32::from_be_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
        let address = |at| IpAddr::V4(Ipv4Addr::from_bits(long(at)));
        let [start, end] = believed([24, 28].map(|at| Some(uptimes.moment(long(at)))), context);
        Self {
            source_address: address(0),
            destination_address: address(4),
            next_hop: address(8),
            source_port: short(32),
            destination_port: short(34),
            protocol: record[38].into(),
            ingress_interface: short(12),
            egress_interface: short(14),
            source_as: short(40),
            destination_as: short(42),
            tcp_flags: record[37].into(),
            class_of_service: record[39].into(),
            octets: long(20).into(),
            packets: long(16).into(),
            start,
            end,
        }
    }
}

impl Default for CommonFields {
    fn default() -> Self {
        Self {
            source_address: NO_ADDRESS,
            destination_address: NO_ADDRESS,
            next_hop: NO_ADDRESS,
            source_port: 0,
            destination_port: 0,
            protocol: 0,
            ingress_interface: 0,
            egress_interface: 0,
            source_as: 0,
            destination_as: 0,
            tcp_flags: 0,
            class_of_service: 0,
            octets: 0,
            packets: 0,
            start: Timestamp::UNIX_EPOCH,
            end: Timestamp::UNIX_EPOCH,
        }
    }
}

/// Where the common facts of straight records lie, looked up once for all records of a Set.
#[derive(Clone, Copy, Debug)]
struct StraightPlan<'a> {
    all: &'a FlowPlan,
    addresses: [Locator; 3],
    /// Some address has 16 bytes.
    has_v6: bool,
    octets: Locator,
    packets: Locator,
    start: TimePlan,
    end: TimePlan,
    times: TimeForm,
}

/// The forms that start and end have in most Templates.
#[derive(Clone, Copy, Debug)]
enum TimeForm {
    Uptimes(Uptimes),
    Milliseconds,
    Others,
}

impl<'a> StraightPlan<'a> {
    #[inline]
    fn new(all: &'a FlowPlan, context: &MessageContext) -> Self {
        let plans = [&all.source, &all.destination, &all.next_hop];
        let times = match (all.times.start, all.times.end, Uptimes::new(&context.header)) {
            (TimePlan::SysUpTime(_), TimePlan::SysUpTime(_), Some(uptimes)) => TimeForm::Uptimes(uptimes),
            (TimePlan::Milliseconds(_), TimePlan::Milliseconds(_), _) => TimeForm::Milliseconds,
            _ => TimeForm::Others,
        };
        let or_absent = |locator: Option<Locator>| locator.unwrap_or(Locator::ABSENT);
        Self {
            all,
            // Both families are no plan of this kind.
            addresses: plans.map(|plan| or_absent(plan.only())),
            has_v6: plans.iter().any(|plan| matches!(plan, AddressPlan::V6(_))),
            octets: or_absent(all.octets.first),
            packets: or_absent(all.packets.first),
            start: all.times.start,
            end: all.times.end,
            times,
        }
    }

    #[inline(always)]
    fn times(&self, front: RecordFront<'_>, context: &MessageContext) -> [Timestamp; 2] {
        let values = [self.start, self.end].map(|part| front.unsigned(part.locator()));
        let exported = match self.times {
            TimeForm::Uptimes(uptimes) => values.map(|value| Some(uptimes.moment(value as u32))),
            TimeForm::Milliseconds => values.map(|value| Some(Timestamp::from_unix_millis(value))),
            TimeForm::Others => [(self.start, values[0]), (self.end, values[1])]
                .map(|(part, value)| exported(part, value, &context.header)),
        };
        believed(exported, context)
    }
}

fn address(front: RecordFront<'_>, locator: Locator) -> IpAddr {
    if locator.length() == 16 { front.ipv6(locator).into() } else { front.ipv4(locator).into() }
}

/// The first counter that is not zero of those that stand in for one that is.
#[cold]
fn stand_in(front: RecordFront<'_>, choice: &Choice) -> u64 {
    choice.others.iter().map(|locator| front.unsigned(*locator)).find(|value| *value != 0).unwrap_or(0)
}

#[inline]
fn believed([start, end]: [Option<Timestamp>; 2], context: &MessageContext) -> [Timestamp; 2] {
    let time = context.plausible.believe(FlowTime { start, end, ..FlowTime::default() }, context.received_at);
    [time.start, time.end].map(|part| part.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// Bytes of a record of NetFlow v5.
const V5_RECORD: usize = 48;

impl FlowRecord<'_> {
    /// The facts that most flows have, read in one pass.
    #[inline]
    pub fn common(&self) -> CommonFields {
        match (self.plan.reading, self.record.front()) {
            (Reading::V5 | Reading::Straight, Some(front)) => {
                CommonFields::straight(front, &StraightPlan::new(self.plan, self.context), self.context)
            }
            _ => CommonFields::of(self),
        }
    }
}

/// Iterator over the common facts of the flows of a Set; see [`DataSet::common_fields`](crate::DataSet::common_fields).
#[derive(Clone, Debug)]
pub struct CommonRecords<'a> {
    records: Shape<'a>,
    plan: &'a FlowPlan,
    context: &'a MessageContext,
}

/// The records that start at these places of a datagram.
#[derive(Clone, Debug)]
pub(crate) struct Starts<'a> {
    datagram: &'a [u8],
    starts: slice::Iter<'a, u32>,
    template: &'a Template,
}

impl<'a> Starts<'a> {
    pub(crate) fn new(datagram: &'a [u8], starts: &'a [u32], template: &'a Template) -> Self {
        Self { datagram, starts: starts.iter(), template }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.starts.as_slice().is_empty()
    }

    /// A field of the next records.
    #[inline]
    pub(super) fn column(&self, locator: Locator, values: &mut [u64]) {
        RecordFront::column(self.datagram, self.starts.as_slice(), locator, values);
    }

    /// Forgets so many.
    #[inline]
    pub(super) fn forget(&mut self, count: usize) {
        self.starts = self.starts.as_slice().get(count..).unwrap_or_default().iter();
    }

    /// Goes over so many records, which begin where these say.
    #[inline]
    pub(super) fn skip_in(&mut self, records: &mut Records<'a>, count: usize) {
        self.forget(count);
        match self.starts.as_slice().first() {
            Some(start) => records.go_to(*start as usize),
            None => _ = count.checked_sub(1).and_then(|before| records.nth(before)),
        }
    }
}

impl<'a> Iterator for Starts<'a> {
    type Item = RecordFront<'a>;

    #[inline]
    fn next(&mut self) -> Option<RecordFront<'a>> {
        RecordFront::at(self.datagram, *self.starts.next()? as usize, self.template)
    }
}

#[derive(Clone, Debug)]
enum Shape<'a> {
    V5(slice::Iter<'a, [u8; V5_RECORD]>, Uptimes),
    Straight(Fronts<'a>, StraightPlan<'a>),
    /// Where the records are known to start.
    Found(Starts<'a>, StraightPlan<'a>),
    Each(Records<'a>),
}

impl<'a> CommonRecords<'a> {
    #[inline]
    pub(crate) fn new(
        records: Records<'a>,
        starts: Starts<'a>,
        plan: &'a FlowPlan,
        context: &'a MessageContext,
    ) -> Self {
        let shape = match plan.reading {
            Reading::V5 => Self::v5(&records, context),
            Reading::Straight if !starts.is_empty() => Some(Shape::Found(starts, StraightPlan::new(plan, context))),
            Reading::Straight => {
                records.clone().fronts().map(|fronts| Shape::Straight(fronts, StraightPlan::new(plan, context)))
            }
            Reading::Each => None,
        };
        Self { records: shape.unwrap_or(Shape::Each(records)), plan, context }
    }

    #[inline]
    fn v5(records: &Records<'a>, context: &MessageContext) -> Option<Shape<'a>> {
        Some(Shape::V5(records.clone().fronts()?.as_arrays()?.iter(), Uptimes::new(&context.header)?))
    }
}

impl Iterator for CommonRecords<'_> {
    type Item = CommonFields;

    #[inline]
    fn next(&mut self) -> Option<CommonFields> {
        let (plan, context) = (self.plan, self.context);
        match &mut self.records {
            Shape::V5(records, uptimes) => Some(CommonFields::of_v5(records.next()?, *uptimes, context)),
            Shape::Straight(fronts, straight) => Some(CommonFields::straight(fronts.next()?, straight, context)),
            Shape::Found(starts, straight) => Some(CommonFields::straight(starts.next()?, straight, context)),
            Shape::Each(records) => Some(CommonFields::of(&FlowRecord::new(records.next()?, plan, context))),
        }
    }

    /// One loop for each shape, which `for_each` and `sum` make use of.
    #[inline]
    fn fold<B, F: FnMut(B, CommonFields) -> B>(self, init: B, f: F) -> B {
        let (plan, context) = (self.plan, self.context);
        match self.records {
            Shape::V5(records, uptimes) => {
                records.map(|record| CommonFields::of_v5(record, uptimes, context)).fold(init, f)
            }
            Shape::Straight(fronts, straight) => {
                fronts.map(|front| CommonFields::straight(front, &straight, context)).fold(init, f)
            }
            Shape::Found(starts, straight) => {
                starts.map(|front| CommonFields::straight(front, &straight, context)).fold(init, f)
            }
            Shape::Each(records) => {
                records.map(|record| CommonFields::of(&FlowRecord::new(record, plan, context))).fold(init, f)
            }
        }
    }
}

impl FusedIterator for CommonRecords<'_> {}
