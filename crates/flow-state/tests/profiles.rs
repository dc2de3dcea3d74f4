//! What the operator says of an exporter, against what it says itself.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use flow_state::{
    Clock, Datagram, Decoded, ExporterProfile, ExporterProfiles, FlowTime, SamplingRate, SamplingSource, State,
    StateConfig, Timestamp, TransportSession, Version,
};
use flow_wire::FieldSpecifier;
use flow_wire::encode::{MessageWriter, TemplateDefinition, header};

/// Unix seconds.
const EXPORT: u64 = 1_700_000_000;

/// One flow of Observation Domain 7, from a second to half a second before the export; it says its sampling interval if
/// there is one.
fn message(interval: Option<u32>) -> Vec<u8> {
    let specifier = |(id, length)| FieldSpecifier { enterprise_number: 0, id, length };
    let fields: Vec<_> =
        [(152, 8), (153, 8), (1, 4)].into_iter().chain(interval.map(|_| (34, 4))).map(specifier).collect();
    let mut writer = MessageWriter::new();
    writer.begin(&header(Version::Ipfix, Timestamp::from_unix_seconds(EXPORT), 0, 7));
    writer.template_set(&[TemplateDefinition::new(256, &fields)]).data_set(256);
    let mut record = writer.record();
    record.bytes(&(EXPORT * 1000 - 1000).to_be_bytes()).bytes(&(EXPORT * 1000 - 500).to_be_bytes());
    record.bytes(&1500_u32.to_be_bytes());
    if let Some(interval) = interval {
        record.bytes(&interval.to_be_bytes());
    }
    writer.finish().unwrap().to_vec()
}

/// Sampling and times of the flow, received so long after its export.
fn read(bytes: &[u8], profiles: &ExporterProfiles, delay: Duration) -> (Option<(u32, SamplingSource)>, FlowTime) {
    let session = TransportSession::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:2055".parse().unwrap());
    let received_at = Timestamp::from_unix_seconds(EXPORT) + delay;
    let datagram = Datagram::new(session, received_at, bytes).with_profiles(Some(profiles));
    let mut decoded = Decoded::default();
    State::new(StateConfig::default()).decode(&datagram, &mut decoded);
    let flow = decoded.data_sets(bytes).flat_map(|set| set.flows()).next().unwrap();
    let sampling = flow.sampling().map(|sampling| (sampling.rate.unwrap().interval(), sampling.source));
    (sampling, flow.time())
}

fn any(profile: ExporterProfile) -> ExporterProfiles {
    ExporterProfiles { any: Some(Arc::new(profile)), by_domain: Vec::new() }
}

#[test]
fn a_rate_of_the_profile_wins_and_a_default_gives_way() {
    let rate = |interval| SamplingRate::new(interval, 1);
    let always = any(ExporterProfile { sampling: rate(100), ..ExporterProfile::default() });
    let default = any(ExporterProfile { default_sampling: rate(100), ..ExporterProfile::default() });
    let sampling = |bytes: &[u8], profiles| read(bytes, profiles, Duration::ZERO).0;
    let (told, silent) = (message(Some(10)), message(None));
    assert_eq!(sampling(&told, &always), Some((100, SamplingSource::Profile)));
    assert_eq!(sampling(&silent, &always), Some((100, SamplingSource::Profile)));
    assert_eq!(sampling(&told, &default), Some((10, SamplingSource::Record)));
    assert_eq!(sampling(&silent, &default), Some((100, SamplingSource::Profile)));
    assert_eq!(sampling(&silent, &ExporterProfiles::default()), None);
}

#[test]
fn a_domain_may_have_a_profile_of_its_own() {
    let rate = |interval| Arc::new(ExporterProfile { sampling: SamplingRate::new(interval, 1), ..Default::default() });
    let mut profiles = ExporterProfiles { any: Some(rate(1)), by_domain: vec![(6, rate(6)), (7, rate(7))] };
    let interval = |profiles: &_| read(&message(None), profiles, Duration::ZERO).0.unwrap().0;
    assert_eq!(interval(&profiles), 7);
    profiles.by_domain.pop();
    assert_eq!(interval(&profiles), 1);
}

/// An exporter whose clock is an hour behind; and one whose clock is an hour ahead.
#[test]
fn flows_can_go_by_the_time_of_receipt() {
    let hour = Duration::from_secs(3600);
    let ours = any(ExporterProfile { clock: Clock::Receipt, ..ExporterProfile::default() });
    let moved = |time: FlowTime| (time.start.unwrap().as_unix_millis(), time.end.unwrap().as_unix_millis());
    let (start, end) = (EXPORT * 1000 - 1000, EXPORT * 1000 - 500);
    let (_, time) = read(&message(None), &ExporterProfiles::default(), hour);
    assert_eq!((moved(time), time.skewed), ((start, end), true));
    let (_, time) = read(&message(None), &ours, hour);
    assert_eq!((moved(time), time.skewed), ((start + 3_600_000, end + 3_600_000), true));
    let (_, time) = read(&message(None), &ours, Duration::ZERO);
    assert_eq!(moved(time), (start, end));

    let session = TransportSession::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:2055".parse().unwrap());
    let (bytes, received_at) = (message(None), Timestamp::from_unix_seconds(EXPORT - 3600));
    let mut decoded = Decoded::default();
    let datagram = Datagram::new(session, received_at, &bytes).with_profiles(Some(&ours));
    State::new(StateConfig::default()).decode(&datagram, &mut decoded);
    let time = decoded.data_sets(&bytes).flat_map(|set| set.flows()).next().unwrap().time();
    assert_eq!(moved(time), (start - 3_600_000, end - 3_600_000));
}
