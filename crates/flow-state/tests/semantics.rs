//! What the fields of a record mean together: times, directions, events, interfaces, label stacks.
#![allow(clippy::unwrap_used)]

mod common;

use std::net::IpAddr;

use common::{Cell, EXPORT, EXPORT_MS, message_header, millis, times, with_flows, with_message, with_record};
use flow_state::{
    BiflowDirection, Fact, FirewallAction, FlowEvent, FlowRecord, Forwarding, Interface, NatAction, NatQuota,
    ReverseOrigin, TimeSource, Timestamp, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition};

const REVERSE: u32 = 29305;
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1000;

fn ipfix(fields: &[Cell<'_>], check: impl Fn(&FlowRecord<'_>)) {
    with_record(Version::Ipfix, 0, fields, check);
}

fn v9(fields: &[Cell<'_>], check: impl Fn(&FlowRecord<'_>)) {
    with_record(Version::V9, 60_000, fields, check);
}

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// Uptimes count by the signed 32-bit difference, so a flow may seem to begin after its export. A little is kept, twenty
/// days are nonsense; what the exporter says stays readable.
#[test]
fn q31_uptimes_far_after_the_export_give_way() {
    let end = 60_000_u32.to_be_bytes();
    for (after_ms, clamped) in [(1_000_u32, false), (20 * 86_400_000, true)] {
        v9(&[(0, 22, &(60_000 + after_ms).to_be_bytes()), (0, 21, &end)], |flow| {
            let exported = millis(EXPORT_MS + u64::from(after_ms));
            assert_eq!(times(flow.exported_time()), (exported, millis(EXPORT_MS)));
            let time = flow.time();
            assert_eq!(time.clamped, clamped);
            assert_eq!(times(time), (if clamped { millis(EXPORT_MS) } else { exported }, millis(EXPORT_MS)));
        });
    }
}

/// First = Last = 0 is a flow at boot, not one without times.
#[test]
fn q31_uptimes_of_zero_are_the_start_of_the_exporter() {
    v9(&[(0, 22, &[0; 4]), (0, 21, &[0; 4])], |flow| {
        assert_eq!(times(flow.time()), (millis(EXPORT_MS - 60_000), millis(EXPORT_MS - 60_000)));
        assert_eq!(flow.time().source, TimeSource::SysUpTime);
    });
}

/// An absolute time that nobody can mean gives way to the other end, else to the time of receipt.
#[test]
fn q31_absurd_times_give_way_and_say_so() {
    let end = EXPORT_MS - 10;
    for (start, clamped) in [(end - 9 * YEAR_MS, None), (0, Some(end)), (u64::MAX, Some(end))] {
        ipfix(&[(0, 152, &start.to_be_bytes()), (0, 153, &end.to_be_bytes())], |flow| {
            let time = flow.time();
            assert_eq!(times(time), (millis(clamped.unwrap_or(start)), millis(end)), "{start}");
            assert_eq!(time.clamped, clamped.is_some());
            assert_eq!(flow.exported_time().start, millis(start));
        });
    }
    ipfix(&[(0, 152, &[0; 8])], |flow| assert_eq!(flow.time().start, millis(EXPORT_MS + 1_000)));
}

/// Without the start of the exporter the newest flow of a Message is taken to have just ended, and the flow says so.
#[test]
fn q32_uptimes_without_a_start_are_inferred_from_the_newest_flow() {
    let fields = [22, 21].map(|id| FieldSpecifier { enterprise_number: 0, id, length: 4 });
    for newest in [70_000_u32, 5_000] {
        // From 70,000 on; and with a counter that wrapped between the two flows.
        let ago = |ms| u64::from(newest.wrapping_sub(ms));
        let mut writer = MessageWriter::new();
        writer.begin(&message_header(Version::Ipfix, 0)).template_set(&[TemplateDefinition::new(256, &fields)]);
        writer.data_set(256);
        writer.record().unsigned(4, ago(10_000)).unsigned(4, ago(8_000));
        writer.record().unsigned(4, ago(1_000)).unsigned(4, ago(0));
        with_flows(writer.finish().unwrap(), |flow| {
            let time = flow.time();
            let length = time.duration().unwrap().as_millis();
            let expected =
                if length == 2_000 { (EXPORT_MS - 10_000, EXPORT_MS - 8_000) } else { (EXPORT_MS - 1_000, EXPORT_MS) };
            assert_eq!(times(time), (millis(expected.0), millis(expected.1)));
            assert!(time.inferred && !time.clamped);
            assert_eq!(times(flow.exported_time()), (None, None), "what is inferred is not what was exported");
        });
    }
}

/// With element 160 in the record nothing is inferred, and an exporter up for longer than 32 bits count is no riddle.
#[test]
fn q32_uptimes_count_on_from_the_start_of_the_exporter() {
    for up_ms in [60_000_u64, (1 << 32) + 60_000, (5 << 32) + 60_000] {
        let (init, uptime) = ((EXPORT_MS - up_ms).to_be_bytes(), 50_000_u32.to_be_bytes());
        ipfix(&[(0, 22, &uptime), (0, 160, &init)], |flow| {
            assert_eq!(flow.time().start, millis(EXPORT_MS - 10_000), "up for {up_ms} ms");
            assert_eq!(flow.time(), flow.exported_time());
            assert!(!flow.time().inferred);
        });
    }
}

/// softflowd tells the flows that began before it did by uptimes that have wrapped below zero; a flow of 40 days has one far
/// below the exporter's, and one that ends within the second of the export may have one just above it.
#[test]
fn q32_uptimes_that_are_to_come_count_back() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    for (up_ms, uptime, ago_ms) in [
        (60_000, 0_u32.wrapping_sub(5_000), 65_000),
        (45 * DAY_MS, 5_000, (45 * DAY_MS - 5_000) as i64),
        (60_000, 60_400, -400),
        ((1 << 32) + 60_000, 60_400, -400),
        // Started in the second of the export.
        (0_u64.wrapping_sub(250), 0_u32.wrapping_sub(1_000), 750),
    ] {
        let (init, uptime) = (EXPORT_MS.wrapping_sub(up_ms).to_be_bytes(), uptime.to_be_bytes());
        ipfix(&[(0, 22, &uptime), (0, 160, &init)], |flow| {
            let time = flow.time();
            assert_eq!(time.start, millis(EXPORT_MS.strict_sub_signed(ago_ms)), "up for {up_ms} ms");
            assert!(!time.clamped && !time.inferred);
        });
    }
}

/// RFC 5102 section 5.9: 161 and 162 are the length of the flow; one end and it give the other.
#[test]
fn q33_a_duration_gives_the_missing_end() {
    let at = EXPORT_MS - 5_000;
    for (id, duration) in [(161, 2_000_u32), (162, 2_000_000)] {
        let duration = duration.to_be_bytes();
        ipfix(&[(0, 152, &at.to_be_bytes()), (0, id, &duration)], |flow| {
            assert_eq!(times(flow.time()), (millis(at), millis(at + 2_000)));
            assert!(flow.time().inferred);
            assert_eq!(times(flow.exported_time()), (millis(at), None));
        });
        ipfix(&[(0, id, &duration), (0, 151, &((at / 1000) as u32).to_be_bytes())], |flow| {
            assert_eq!(times(flow.time()), (millis(at - 2_000), millis(at)));
        });
        // Two ends that are there count for more.
        ipfix(&[(0, 152, &at.to_be_bytes()), (0, 153, &at.to_be_bytes()), (0, id, &duration)], |flow| {
            assert_eq!((times(flow.time()), flow.time().inferred), ((millis(at), millis(at)), false));
        });
        // No end, no time.
        ipfix(&[(0, id, &duration)], |flow| assert_eq!(times(flow.time()), (None, None)));
    }
}

/// Events have a moment (322 to 325); it ends a flow that has only a start. A mediator's 258 is the last resort.
#[test]
fn q33_moments_of_observation_and_collection_stand_in() {
    let (at, event) = (EXPORT_MS - 5_000, EXPORT_MS - 1_000);
    let (at_bytes, event_bytes) = (at.to_be_bytes(), event.to_be_bytes());
    let seconds = ((event / 1000) as u32).to_be_bytes();
    for (fields, expected, source) in [
        (vec![(0, 323, &event_bytes[..])], (event, event), TimeSource::Observation),
        (vec![(0, 322, &seconds)], (event, event), TimeSource::Observation),
        (vec![(0, 152, &at_bytes), (0, 323, &event_bytes)], (at, event), TimeSource::Absolute),
        (vec![(0, 258, &event_bytes)], (event, event), TimeSource::Collection),
        (vec![(0, 258, &at_bytes), (0, 323, &event_bytes)], (event, event), TimeSource::Observation),
    ] {
        ipfix(&fields, |flow| {
            let time = flow.time();
            assert_eq!((times(time), time.source), ((millis(expected.0), millis(expected.1)), source), "{fields:?}");
            assert!(time.inferred);
            assert_eq!(flow.exported_time().end, None);
        });
    }
    // An event before the start of its flow is not the end of it.
    ipfix(&[(0, 152, &event_bytes), (0, 323, &at_bytes)], |flow| {
        assert_eq!((times(flow.time()), flow.time().inferred), ((millis(event), None), false));
    });
}

/// A header that holds the uptime (softflowd 0.9) or a clock without NTP: the flow keeps its time and says that it is off.
#[test]
fn q34_a_clock_that_is_off_is_flagged() {
    for (export, skewed) in [(EXPORT, false), (EXPORT - 240, false), (EXPORT - 301, true), (86_400, true)] {
        let mut header = message_header(Version::V9, 60_000);
        header.export_time = Timestamp::from_unix_seconds(export);
        with_message(&header, &[(0, 22, &60_000_u32.to_be_bytes())], |flow| {
            let time = flow.time();
            assert_eq!((time.start, time.skewed, time.clamped), (millis(export * 1000), skewed, false));
        });
    }
}

/// FortiGate sends elements 23 and 24 with the values of 1 and 2.
#[test]
fn q35_counters_of_both_sides_are_never_added() {
    let (bytes, packets, other) = (&[0, 200][..], &[3][..], &[9][..]);
    v9(&[(0, 1, bytes), (0, 23, bytes), (0, 2, packets), (0, 24, packets)], |flow| {
        assert_eq!((flow.octets(), flow.packets()), (Some(200), Some(3)));
        assert!(flow.reverse().is_none(), "23 and 24 are the same packets behind the router");
    });
    v9(&[(0, 23, other), (0, 1, bytes)], |flow| assert_eq!(flow.octets(), Some(200)));
}

/// Delta before total before initiator before post; the first that is not zero. Totals say that they are.
/// (RFC 7012 section 3.2: deltaCounter and totalCounter.)
#[test]
fn q36_counters_have_an_order_and_totals_are_cumulative() {
    let (zero, one, two) = (&[0][..], &[1][..], &[2][..]);
    for (fields, octets, cumulative) in [
        (vec![(0, 85, two), (0, 1, one)], 1, false),
        (vec![(0, 1, zero), (0, 85, two)], 2, true),
        (vec![(0, 85, zero), (0, 231, two)], 2, false),
        (vec![(0, 23, one), (0, 231, two)], 2, false),
        (vec![(0, 171, one), (0, 23, two)], 2, false),
        (vec![(0, 171, one)], 1, true),
        (vec![(0, 85, zero)], 0, true),
    ] {
        ipfix(&fields, |flow| {
            assert_eq!((flow.octets(), flow.is_cumulative()), (Some(octets), cumulative), "{fields:?}");
        });
    }
    ipfix(&[(0, 4, &[6])], |flow| assert_eq!((flow.octets(), flow.is_cumulative()), (None, false)));
}

/// RFC 7011 section 8: the order of equal elements has a meaning; the first is that of the outer header.
#[test]
fn q38_elements_that_occur_again_keep_their_order() {
    let (outer, inner) = (&[192, 0, 2, 1][..], &[198, 51, 100, 1][..]);
    ipfix(&[(0, 8, outer), (0, 4, &[4]), (0, 8, inner)], |flow| {
        assert_eq!(flow.source_address(), address("192.0.2.1"));
        let nth = |n| flow.record().template().locate_all(0, 8).nth(n).map(|locator| flow.record().bytes(locator));
        assert_eq!((nth(0), nth(1), nth(2)), (Some(outer), Some(inner), None));
        let ids: Vec<_> = flow.record().fields().map(|field| field.specifier.id).collect();
        assert_eq!(ids, [8, 4, 8]);
    });
}

/// Type and code come in 32 or 139, in 176 to 179, or in the destination port; never on other protocols.
#[test]
fn q39_icmp_type_and_code_are_found_in_all_their_places() {
    for fields in [
        vec![(0, 4, &[1][..]), (0, 32, &[11, 1][..])],
        vec![(0, 4, &[58][..]), (0, 139, &[11, 1][..])],
        vec![(0, 4, &[58][..]), (0, 32, &[11, 1][..])],
        vec![(0, 4, &[1][..]), (0, 176, &[11][..]), (0, 177, &[1][..])],
        vec![(0, 4, &[58][..]), (0, 178, &[11][..]), (0, 179, &[1][..])],
        vec![(0, 4, &[1][..]), (0, 7, &[0, 0][..]), (0, 11, &[11, 1][..])],
    ] {
        let found = |flow: &FlowRecord<'_>| flow.icmp().map(|icmp| (icmp.kind, icmp.code));
        ipfix(&fields, |flow| assert_eq!(found(flow), Some((11, Some(1))), "{fields:?}"));
        let mut tcp = fields.clone();
        tcp[0].2 = &[6];
        ipfix(&tcp, |flow| assert_eq!(found(flow), None, "{fields:?}"));
    }
}

/// VLANs: 58 before 243, and 59 before 254; the customer's tag within is another fact. MAC addresses: the own ones before the post ones.
#[test]
fn q40_vlans_and_mac_addresses_have_an_order() {
    for (preferred, other, within, fact) in [(58, 243, 245, Fact::SourceVlan), (59, 254, 255, Fact::DestinationVlan)] {
        let (one, two) = ([0, 1], [0, 2]);
        ipfix(&[(0, other, &two), (0, preferred, &one)], |flow| assert_eq!(flow.integer(fact), Some(1)));
        ipfix(&[(0, other, &two)], |flow| assert_eq!(flow.integer(fact), Some(2)));
        ipfix(&[(0, within, &two)], |flow| assert_eq!(flow.integer(fact), None));
    }
    let (first, second) = ([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    ipfix(&[(0, 81, &second), (0, 56, &first), (0, 57, &second), (0, 80, &first)], |flow| {
        assert_eq!((flow.source_mac(), flow.destination_mac()), (Some(first), Some(first)));
    });
    ipfix(&[(0, 81, &second), (0, 57, &second)], |flow| {
        assert_eq!((flow.source_mac(), flow.destination_mac()), (Some(second), Some(second)));
    });
    ipfix(&[(0, 56, &[2, 0, 0, 0, 0, 1, 0, 0])], |flow| assert_eq!(flow.source_mac(), None));
}

/// ifIndex 0 is none, 0x3fffffff the exporter itself, also cut to 16 bits; a physical port stands in for none.
#[test]
fn q41_interfaces_are_more_than_numbers() {
    let local = 0x3fff_ffff_u32.to_be_bytes();
    for (fields, expected) in [
        (vec![(0, 10, &[0, 0, 0, 7][..])], Interface::Index(7)),
        (vec![(0, 10, &[0, 0][..])], Interface::None),
        (vec![(0, 10, &local[..])], Interface::Local),
        (vec![(0, 10, &[0xff, 0xff][..])], Interface::Local),
        (vec![(0, 10, &[0, 0, 0xff, 0xff][..])], Interface::Index(0xffff)),
        (vec![(0, 10, &[0x49, 0, 0, 1][..])], Interface::Index(0x4900_0001)),
        (vec![(0, 10, &[0x40, 0, 0, 1][..])], Interface::Discard),
        (vec![(0, 10, &[0, 0][..]), (0, 252, &[9][..])], Interface::Index(9)),
        (vec![(0, 10, &[0, 7][..]), (0, 252, &[9][..])], Interface::Index(7)),
        (vec![(0, 252, &[9][..])], Interface::Index(9)),
    ] {
        ipfix(&fields, |flow| {
            assert_eq!(flow.input_interface(), Some(expected), "{fields:?}");
            assert_eq!(flow.output_interface(), None);
        });
    }
    ipfix(&[(0, 10, &local), (0, 14, &[0, 0]), (0, 253, &[5])], |flow| {
        assert_eq!(flow.integer(Fact::IngressInterface), Some(0x3fff_ffff), "the number stays readable");
        assert_eq!(flow.output_interface(), Some(Interface::Index(5)));
    });
}

/// RFC 7270 section 4.12: two bits of status and six of reason, in 1 byte or the last of 4. Junos has another way to say it.
#[test]
fn q42_forwarding_status_and_the_drops_of_junos() {
    let read = |flow: &FlowRecord<'_>| flow.forwarding().map(|status| (status.forwarding, status.code));
    for (status, forwarding) in [
        (&[0x41][..], Forwarding::Forwarded),
        (&[0x82][..], Forwarding::Dropped),
        (&[0, 0, 0, 0x82][..], Forwarding::Dropped),
        (&[0xc1][..], Forwarding::Consumed),
        (&[0][..], Forwarding::Unknown),
    ] {
        ipfix(&[(0, 89, status)], |flow| assert_eq!(read(flow), Some((forwarding, status.last().copied()))));
    }
    let (nowhere, somewhere, none): (Cell<'_>, Cell<'_>, Cell<'_>) =
        ((0, 15, &[0; 4]), (0, 15, &[192, 0, 2, 1]), (0, 14, &[0; 4]));
    let junos: Cell<'_> = (2636, 137, &[0; 4]);
    ipfix(&[nowhere, none, junos], |flow| assert_eq!(read(flow), Some((Forwarding::Dropped, None))));
    ipfix(&[somewhere, none, junos], |flow| assert_eq!(read(flow), None));
    ipfix(&[nowhere, none, junos, (0, 89, &[0x40])], |flow| {
        assert_eq!(read(flow), Some((Forwarding::Forwarded, Some(0x40))));
    });
    ipfix(&[nowhere, none], |flow| assert_eq!(read(flow), None, "softflowd knows neither and drops nothing"));
}

/// NSEL: created, deleted, denied, updated, with the ASA's reason; no octets is no error. Zero is no event.
#[test]
fn q43_firewall_events_need_no_octets() {
    let zero = &[0; 4][..];
    for (action, name) in [(1, "flow_created"), (2, "flow_deleted"), (3, "flow_denied"), (5, "flow_update")] {
        v9(&[(0, 233, &[action]), (0, 33002, &[3, 0xe9]), (0, 231, zero), (0, 232, zero)], |flow| {
            let Some(FlowEvent::Firewall(event)) = flow.event() else { panic!("no event") };
            assert_eq!((event.action, event.action.name()), (FirewallAction(action), Some(name)));
            assert_eq!(event.extended, Some(1001));
            assert_eq!((flow.octets(), flow.reverse_octets()), (Some(0), Some(0)));
        });
    }
    v9(&[(0, 233, &[0]), (0, 33002, &[0, 0])], |flow| assert_eq!(flow.event(), None));
    v9(&[(0, 233, &[77])], |flow| {
        let Some(FlowEvent::Firewall(event)) = flow.event() else { panic!("no event") };
        assert_eq!((event.action.name(), event.extended, flow.octets()), (None, None, None));
    });
    // 33002 is a field type of v9; with an enterprise number it is something else.
    ipfix(&[(0, 233, &[1]), (9, 234, &[3, 0xe9])], |flow| {
        let Some(FlowEvent::Firewall(event)) = flow.event() else { panic!("no event") };
        assert_eq!(event.extended, None);
    });
}

/// RFC 8158: what a translator did, to what, and the ports it gave away.
#[test]
fn q44_translations_are_events_with_addresses_and_ports() {
    let (v4, v6) = (&[198, 51, 100, 7][..], &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..]);
    ipfix(&[(0, 230, &[4]), (0, 225, v4), (0, 227, &[0xc3, 0x50]), (0, 282, v6), (0, 228, &[0, 53])], |flow| {
        let Some(FlowEvent::Nat(event)) = flow.event() else { panic!("no event") };
        assert_eq!((event.action, event.action.name()), (NatAction(4), Some("nat44_session_create")));
        let nat = flow.nat().unwrap();
        assert_eq!((nat.source, nat.source_port), (address("198.51.100.7"), Some(50_000)));
        assert_eq!((nat.destination, nat.destination_port), (address("2001:db8::9"), Some(53)));
    });
    ipfix(&[(0, 230, &[13]), (0, 466, &[0, 0, 0, 3])], |flow| {
        let Some(FlowEvent::Nat(event)) = flow.event() else { panic!("no event") };
        assert_eq!((event.action.name(), event.quota), (Some("quota_exceeded"), Some(NatQuota(3))));
    });
    // Exporters that translate nothing send zeros; numbers without a name stay.
    ipfix(&[(0, 230, &[0]), (0, 225, &[0; 4]), (0, 227, &[0; 2])], |flow| {
        assert_eq!((flow.event(), flow.nat()), (None, None));
    });
    ipfix(&[(0, 230, &[200])], |flow| {
        let Some(FlowEvent::Nat(event)) = flow.event() else { panic!("no event") };
        assert_eq!((event.action, event.action.name()), (NatAction(200), None));
    });
}

#[test]
fn q44_port_blocks_end_where_they_say_or_where_their_number_ends() {
    let (start, end, number) = (&[4, 0][..], &[5, 255][..], &[2, 0][..]);
    let block = |flow: &FlowRecord<'_>| flow.port_block().map(|block| (block.start, block.end, block.step));
    ipfix(&[(0, 361, start), (0, 362, end)], |flow| assert_eq!(block(flow), Some((1024, Some(1535), 1))));
    ipfix(&[(0, 361, start), (0, 364, number)], |flow| assert_eq!(block(flow), Some((1024, Some(1535), 1))));
    ipfix(&[(0, 361, start), (0, 363, &[0, 4]), (0, 364, &[0, 3])], |flow| {
        assert_eq!(block(flow), Some((1024, Some(1032), 4)));
    });
    ipfix(&[(0, 361, &[0xff, 0xff]), (0, 364, &[0xff, 0xff])], |flow| assert_eq!(block(flow), Some((65_535, None, 1))));
    ipfix(&[(0, 362, end)], |flow| assert_eq!(block(flow), None));
}

/// An ASA's field types 40001 to 40005 mean elements 225 to 228 and 233; in IPFIX the same numbers mean nothing.
#[test]
fn q46_field_types_of_the_asa_mean_their_elements() {
    let fields: [Cell<'_>; 3] = [(0, 40001, &[198, 51, 100, 7]), (0, 40003, &[0, 80]), (0, 40005, &[2])];
    v9(&fields, |flow| {
        let nat = flow.nat().unwrap();
        assert_eq!((nat.source, nat.source_port, nat.destination), (address("198.51.100.7"), Some(80), None));
        assert!(matches!(flow.event(), Some(FlowEvent::Firewall(event)) if event.action == FirewallAction(2)));
    });
    let fields = fields.map(|(_, id, value)| (0, id & 0x7fff, value));
    ipfix(&fields, |flow| assert_eq!((flow.nat(), flow.event()), (None, None)));
}

/// RFC 5103: the reverse direction has counters, flags and times of its own; who began is in biflowDirection(239).
/// (RFC 5103 section 6.3.)
#[test]
fn q47_a_biflow_has_two_sides() {
    let (start, end) = ((EXPORT_MS - 900).to_be_bytes(), (EXPORT_MS - 100).to_be_bytes());
    let fields: [Cell<'_>; 9] = [
        (0, 1, &[1, 0]),
        (0, 239, &[1]),
        (REVERSE, 1, &[0]),
        (REVERSE, 85, &[7]),
        (REVERSE, 2, &[3]),
        (REVERSE, 6, &[0x12]),
        (REVERSE, 152, &start),
        (REVERSE, 153, &end),
        (0, 6, &[0x02]),
    ];
    ipfix(&fields, |flow| {
        let reverse = flow.reverse().unwrap();
        assert_eq!((reverse.octets(), reverse.packets(), reverse.tcp_flags()), (Some(7), Some(3), Some(0x12)));
        assert_eq!(times(reverse.time()), (millis(EXPORT_MS - 900), millis(EXPORT_MS - 100)));
        assert_eq!(flow.biflow_direction(), Some(BiflowDirection::INITIATOR));
        assert_eq!((flow.octets(), times(flow.time())), (Some(256), (None, None)), "each side its own");
    });
    let uniflow: Vec<_> = fields.into_iter().filter(|(enterprise, ..)| *enterprise == 0).collect();
    ipfix(&uniflow, |flow| assert!(flow.reverse().is_none()));
}

/// The responder's counters are the reverse of the initiator's, and of nothing else; nProbe counts the reverse as "out".
#[test]
fn q47_vendors_have_other_words_for_the_reverse() {
    let (a, b) = (&[1][..], &[2][..]);
    ipfix(&[(0, 231, a), (0, 232, b), (0, 298, a), (0, 299, b)], |flow| {
        let reverse = flow.reverse().unwrap();
        assert_eq!((reverse.octets(), reverse.packets()), (Some(2), Some(2)));
        assert_eq!(reverse.origin(), ReverseOrigin::Responder);
        assert_eq!(flow.biflow_direction(), Some(BiflowDirection::INITIATOR));
    });
    ipfix(&[(0, 1, a), (0, 232, b)], |flow| assert!(flow.reverse().is_none()));
    for ntop in [(35632, 118, a), (35632, 79, &[0x1b][..])] {
        ipfix(&[(0, 1, a), (0, 23, b), ntop], |flow| {
            let reverse = flow.reverse().unwrap();
            assert_eq!((reverse.octets(), reverse.origin()), (Some(2), ReverseOrigin::Outgoing));
            assert_eq!(reverse.tcp_flags(), (ntop.1 == 79).then_some(0x1b));
            assert_eq!(flow.reverse_octets(), None, "not by a standard");
        });
    }
    v9(&[(0, 1, a), (0, 23, b), (0, 57590, a)], |flow| assert_eq!(flow.reverse().unwrap().octets(), Some(2)));
    let start = (EXPORT_MS - 900).to_be_bytes();
    ipfix(&[(0, 152, &start), (6871, 21, &[0, 0, 1, 0])], |flow| {
        assert_eq!(flow.reverse().unwrap().time().start, millis(EXPORT_MS - 900 + 256), "YAF");
    });
}

/// Numbers come in as few bytes as hold them: AS numbers of 2, a router's TTL of 4, VRFs of 1.
#[test]
fn q57_facts_are_read_at_any_size() {
    for (id, fact) in [
        (16, Fact::SourceAs),
        (14, Fact::EgressInterface),
        (234, Fact::IngressVrf),
        (53, Fact::MaximumTimeToLive),
        (227, Fact::NatSourcePort),
        (405, Fact::OriginalDomain),
    ] {
        for length in 1..=8 {
            let bytes = &[0, 0, 0, 0, 0, 0, 0, 99][8 - length..];
            ipfix(&[(0, id, bytes)], |flow| assert_eq!(flow.integer(fact), Some(99), "{id} in {length} bytes"));
        }
        ipfix(&[(0, id, &[9; 9])], |flow| assert_eq!(flow.integer(fact), None));
    }
    v9(&[(0, 22, &[0xea, 0x60]), (0, 21, &[0, 0xea, 0x60])], |flow| {
        assert_eq!(times(flow.time()), (millis(EXPORT_MS), millis(EXPORT_MS)), "uptimes of 2 and 3 bytes");
    });
}

/// A mediator names the exporter that saw the flow (RFC 7119), or uses the older elements.
#[test]
fn q58_the_exporter_behind_a_mediator_is_named() {
    let (original, exporter) = (&[192, 0, 2, 3][..], &[192, 0, 2, 4][..]);
    let v6 = &[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9][..];
    ipfix(&[(0, 130, exporter), (0, 149, &[7])], |flow| {
        assert_eq!(flow.observed_exporter(), address("192.0.2.4"));
        assert_eq!(flow.integer(Fact::OriginalDomain), Some(7));
        assert_eq!(flow.context().header.observation_domain_id, 1, "its own domain stays");
    });
    ipfix(&[(0, 130, exporter), (0, 403, original)], |flow| {
        assert_eq!(flow.observed_exporter(), address("192.0.2.3"));
    });
    ipfix(&[(0, 131, v6), (0, 130, &[0; 4])], |flow| assert_eq!(flow.observed_exporter(), address("2001:db8::9")));
    // 211 is the collector that the exporter sent to.
    ipfix(&[(0, 211, exporter)], |flow| assert_eq!(flow.observed_exporter(), None));
}

/// RFC 3032 section 2.1: 20 bits of label, 3 of class, the bottom bit; entries that are not there are zero.
#[test]
fn q38_label_stacks_end_at_their_bottom() {
    let labels = |flow: &FlowRecord<'_>| -> Vec<_> {
        flow.mpls_labels().map(|entry| (entry.label, entry.traffic_class, entry.bottom_of_stack)).collect()
    };
    let (top, bottom, junk) = (&[0x05, 0xdc, 0x1a][..], &[0, 0, 0x31][..], &[0xff; 3][..]);
    let stack = [(24_001, 5, false), (3, 0, true)];
    ipfix(&[(0, 71, bottom), (0, 70, top), (0, 72, junk)], |flow| assert_eq!(labels(flow), stack));
    ipfix(&[(0, 70, top), (0, 70, bottom)], |flow| assert_eq!(labels(flow), stack, "one element for all entries"));
    ipfix(&[(0, 70, top), (0, 71, &[0; 3]), (0, 72, junk)], |flow| assert_eq!(labels(flow), stack[..1]));
    ipfix(&[(0, 70, &[0x05, 0xdc, 0x1a, 64])], |flow| assert_eq!(labels(flow), stack[..1], "with a time to live"));
    ipfix(&[(0, 70, &[0x05, 0xdc])], |flow| assert_eq!(labels(flow), []));
}
