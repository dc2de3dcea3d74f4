//! One worker's way from a datagram to spans.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use flow_semconv::{ExportTrace, ExtraElements, Timings, TraceConfig};
use flow_state::{Datagram, Decoded, FlowGroup, State, StateEvent, Timestamp, TransportSession};
use otlp_sink::{Sink, SpanWriter};
use tracing::{Level, debug, enabled, warn};

use crate::exporters::{Admission, Exporters, Known, Refusal};
use crate::filter::Filter;
use crate::sampling::FlowSampler;
use crate::selection::Selection;
use crate::spans::{AttributeKeys, OtlpParts, WriterSpans};
use crate::stats::{CollectorStats, Counts};
use crate::steady;

/// Decodes datagrams and writes their traces. Each thread has one; they share the state and the counters.
#[derive(Debug)]
pub struct Pipeline {
    state: Arc<State>,
    stats: Arc<CollectorStats>,
    admission: Admission,
    filter: Arc<Filter>,
    decoded: Decoded,
    trace: ExportTrace<OtlpParts>,
    sampler: Arc<FlowSampler>,
    selection: Option<Arc<Selection>>,
    /// Of what was taken from it.
    selected: u64,
    keys: AttributeKeys,
    writer: SpanWriter,
}

impl Pipeline {
    /// A pipeline into a sink.
    pub fn new(
        state: Arc<State>,
        stats: Arc<CollectorStats>,
        exporters: Arc<Exporters>,
        trace: TraceConfig,
        sink: &Sink,
    ) -> Self {
        Self {
            state,
            stats,
            admission: Admission::new(exporters),
            filter: Arc::default(),
            decoded: Decoded::default(),
            sampler: Arc::default(),
            selection: None,
            selected: 0,
            keys: AttributeKeys::new(trace.attributes.schema()),
            trace: ExportTrace::default().with_config(trace),
            writer: sink.writer(),
        }
    }

    /// With elements of the records as they are.
    #[must_use]
    pub fn with_extra_elements(mut self, wanted: ExtraElements) -> Self {
        self.trace = self.trace.with_extra_elements(wanted, self.state.clone());
        self
    }

    /// With spans for the flows alone that a filter keeps.
    #[must_use]
    pub fn with_filter(mut self, filter: Arc<Filter>) -> Self {
        self.filter = filter;
        self
    }

    /// With a sampler, which is one for all pipelines; without, only flows of exporters with a policy of their own are
    /// sampled.
    #[must_use]
    pub fn with_sampling(mut self, sampler: Arc<FlowSampler>) -> Self {
        self.sampler = sampler;
        self
    }

    /// With filter, sampling and attributes that may change, in place of those given before.
    #[must_use]
    pub fn with_selection(mut self, selection: Arc<Selection>) -> Self {
        self.selection = Some(selection);
        self
    }

    /// Takes over what has changed in the selection.
    #[inline]
    fn select_anew(&mut self) {
        if let Some(new) = self.selection.as_ref().and_then(|selection| selection.newer(&mut self.selected)) {
            self.filter.clone_from(&new.filter);
            self.sampler.clone_from(&new.sampler);
            self.trace.set_attributes(new.attributes.clone());
        }
    }

    /// Takes one datagram, if its exporter may send it.
    pub fn process(&mut self, session: TransportSession, received_at: Timestamp, bytes: &[u8]) {
        // It is counted, and that is all there is to do.
        let _ = self.take(session, received_at, bytes, Admission::admit);
    }

    /// Takes one Message of a connection. One of an exporter that has sent too much is taken all the same, and the next has
    /// to [wait](Self::wait).
    pub(crate) fn process_message(
        &mut self,
        session: TransportSession,
        received_at: Timestamp,
        bytes: &[u8],
    ) -> Result<(), Refusal> {
        self.take(session, received_at, bytes, Admission::admit_owing)
    }

    /// How long the next Message of a connection is to wait.
    pub(crate) fn wait(&self, session: &TransportSession) -> Duration {
        self.admission.wait(session.exporter.ip(), steady::now())
    }

    #[inline]
    fn take(
        &mut self,
        session: TransportSession,
        received_at: Timestamp,
        bytes: &[u8],
        admit: impl FnOnce(&mut Admission, IpAddr, Timestamp, Timestamp) -> Result<&Known, Refusal>,
    ) -> Result<(), Refusal> {
        self.select_anew();
        let steady = steady::now();
        let known = admit(&mut self.admission, session.exporter.ip(), received_at, steady);
        let known = known.inspect_err(|refusal| self.stats.count_refused(*refusal))?;
        let datagram = Datagram::new(session, received_at, bytes)
            .with_tag(self.trace.trace_id())
            .with_profiles(Some(known.profiles()));
        let decode_start = now();
        self.state.decode(&datagram, &mut self.decoded);
        let timings = Timings { decode_start, decode_end: now() };
        // Not by the clock of the spans, which may be set.
        let decoding = steady::now().since(steady);
        self.trace.set_sampling(self.sampler.at(known.sampling(), steady));
        let mut spans = WriterSpans { writer: &mut self.writer, keys: &self.keys, count: 0 };
        let counts = Counts::of(&self.decoded);
        let allowed = known.take_records(steady, counts.records);
        let mut seen = 0;
        let filter = &*self.filter;
        let mut select = |flows: &FlowGroup<'_>| {
            let within = first_bits(allowed.saturating_sub(seen));
            seen += flows.len() as u64;
            if within == 0 { 0 } else { filter.keeps(flows) & within }
        };
        let flows = self.trace.write(&datagram, &self.decoded, &timings, now, &mut select, &mut spans);
        self.stats.count_spans(spans.count);
        self.sampler.count(spans.count);
        self.stats.count_decoding(decoding);
        let limited = seen.saturating_sub(allowed);
        known.exporter().count(received_at, bytes.len(), &self.decoded, &counts, limited);
        self.stats.count(bytes.len(), &self.decoded, &counts, flows, limited);
        if self.decoded.events().iter().any(|event| matches!(event, StateEvent::TemplateElsewhere(_))) {
            self.template_elsewhere(&session);
        }
        if enabled!(Level::DEBUG) {
            self.log(&session);
        }
        Ok(())
    }

    /// The first of all exporters; the summary has the rest.
    fn template_elsewhere(&self, session: &TransportSession) {
        if self.stats.count_template_elsewhere() == 0 {
            warn!(
                exporter = %session.exporter,
                "data comes from another source port than its Template; if the exporter changes its port, set \
                 NETFLOW_TEMPLATE_SCOPE=address to decode it"
            );
        }
    }

    /// Hands the spans written so far to the sink.
    pub fn flush(&mut self) {
        self.writer.flush();
    }

    /// Whether so many bytes that come next need not be dropped for want of room, which is kept until the next
    /// [`flush_if_due`](Self::flush_if_due).
    pub(crate) fn has_room(&mut self, bytes: usize) -> bool {
        self.writer.has_room(bytes * SPANS_BY_BYTES)
    }

    /// Bytes of spans that an output holds at most.
    pub(crate) fn queue_bytes(&self) -> usize {
        self.writer.queue_bytes()
    }

    /// Hands them over if they are many or have waited long.
    pub fn flush_if_due(&mut self) {
        self.writer.flush_if_due(Instant::now());
    }

    fn log(&self, session: &TransportSession) {
        let exporter = session.exporter;
        for event in self.decoded.events() {
            debug!(%exporter, ?event, "state changed");
        }
        for issue in self.decoded.issues().first() {
            debug!(%exporter, %issue, "issue in a datagram");
        }
    }
}

/// A record of 64 bytes becomes a span of 440, one of 20 bytes a span of 350.
const SPANS_BY_BYTES: usize = 24;

/// So many bits, from the lowest.
fn first_bits(count: u64) -> u32 {
    if count >= u32::BITS.into() { u32::MAX } else { (1 << count) - 1 }
}

/// The time by the system's clock; 1970 when it stands before that.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::UNIX_EPOCH + since_epoch
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flow_semconv::TraceShape;
    use flow_state::StateConfig;
    use otlp_sink::{FileConfig, Output, SinkConfig};
    use tokio::runtime::Runtime;

    use super::*;
    use crate::exporters::ExporterPolicy;

    /// A datagram of a Template whose records have one byte.
    fn many_records(records: u16) -> Vec<u8> {
        let mut datagram = vec![0, 9, 0, 2, 0, 0, 0, 1, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7];
        datagram.extend([0, 0, 0, 12, 1, 0, 0, 1, 0, 4, 0, 1]); // Template 256: protocolIdentifier(4)
        datagram.extend([1, 0]);
        datagram.extend((4 + records).to_be_bytes());
        datagram.resize(datagram.len() + usize::from(records), 6);
        datagram
    }

    /// A pipeline into a file that nobody reads, with its counters; what it needs to run is to be kept.
    fn pipeline() -> (Pipeline, Arc<CollectorStats>, (Runtime, tempfile::TempDir, Sink)) {
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        let config =
            SinkConfig::default().with_output(Output::File(FileConfig::new(folder.path().join("spans.jsonl"))));
        let sink = Sink::start(config, runtime.handle()).unwrap();
        let (state, stats) = (Arc::new(State::new(StateConfig::default())), Arc::<CollectorStats>::default());
        let exporters = Arc::new(Exporters::new(ExporterPolicy::default()));
        let pipeline = Pipeline::new(state, stats.clone(), exporters, TraceConfig::default(), &sink);
        (pipeline, stats, (runtime, folder, sink))
    }

    fn session() -> TransportSession {
        TransportSession::new("192.0.2.1:50000".parse().unwrap(), "192.0.2.2:2055".parse().unwrap())
    }

    /// A datagram of 64 KiB must not become 64,000 spans; what is cut is counted.
    #[test]
    fn a_datagram_has_a_limit_of_spans() {
        let (mut pipeline, stats, _running) = pipeline();
        for (records, flow_spans, flows_cut) in [(4_096, 4_096, 0), (60_000, 2 * 4_096, 60_000 - 4_096)] {
            pipeline.process(session(), now(), &many_records(records));
            let counted = stats.snapshot();
            assert_eq!((counted.flow_spans, counted.flows_cut), (flow_spans, flows_cut));
            assert_eq!(counted.records, flow_spans + flows_cut);
            assert_eq!(counted.decoding.counts.iter().sum::<u64>(), counted.datagrams);
        }
    }

    /// What the sink has is what was counted, in every shape; flows are counted once.
    #[test]
    fn spans_of_every_shape_are_counted() {
        let shapes = [
            (TraceShape::Packet, 10 + 3),
            (TraceShape::Conversation, 10),
            (TraceShape::Flow, 10),
            (TraceShape::Topology, 2 * 10),
        ];
        for (shape, spans) in shapes {
            let (pipeline, stats, (_runtime, _folder, sink)) = pipeline();
            let mut trace = TraceConfig::default();
            trace.shape = shape;
            let mut pipeline = Pipeline { trace: ExportTrace::default().with_config(trace), ..pipeline };
            pipeline.process(session(), now(), &many_records(10));
            let counted = stats.snapshot();
            assert_eq!((counted.spans, counted.flow_spans, counted.records), (spans, 10, 10), "{shape:?}");
            pipeline.flush();
            // What is on its way from the queue into the file is in no count, for a moment.
            let deadline = Instant::now() + Duration::from_secs(30);
            while sink.stats().exported() != spans {
                assert!(Instant::now() < deadline, "{shape:?}: {:?}", sink.stats());
                std::thread::yield_now();
            }
        }
    }

    /// What is not wanted takes no room of the limit.
    #[test]
    fn flows_that_a_filter_drops_are_counted() {
        let (pipeline, stats, _running) = pipeline();
        let mut pipeline = pipeline.with_filter(Arc::new("udp".parse().unwrap()));
        pipeline.process(session(), now(), &many_records(5_000));
        let counted = stats.snapshot();
        assert_eq!((counted.records, counted.flow_spans, counted.flows_filtered), (5_000, 0, 5_000));
        let mut pipeline = pipeline.with_filter(Arc::new("drop udp".parse().unwrap()));
        pipeline.process(session(), now(), &many_records(5_000));
        let counted = stats.snapshot();
        assert_eq!((counted.flow_spans, counted.flows_cut, counted.flows_filtered), (4_096, 904, 5_000));
    }

    #[test]
    fn an_exporter_that_starts_anew_is_counted() {
        let (mut pipeline, stats, _running) = pipeline();
        for (sequence, uptime_ms, restarts) in [(500, 900_000_u32, 0), (501, 901_000, 0), (0, 1_000, 1), (1, 2_000, 1)]
        {
            let mut datagram = many_records(1);
            datagram[4..8].copy_from_slice(&uptime_ms.to_be_bytes());
            datagram[12..16].copy_from_slice(&u32::to_be_bytes(sequence));
            pipeline.process(session(), now(), &datagram);
            assert_eq!(stats.snapshot().restarts, restarts);
        }
    }
}
