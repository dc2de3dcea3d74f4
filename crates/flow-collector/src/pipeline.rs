//! One worker's way from a datagram to spans.

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use flow_semconv::{ExportTrace, Schema, Timings};
use flow_state::{Datagram, Decoded, State, Timestamp, TransportSession};
use otlp_sink::{AttributeFragment, IntRow, Sink, SpanWriter};
use tracing::{Level, debug, enabled};

use crate::spans::{AttributeKeys, WriterSpans};
use crate::stats::CollectorStats;

/// Decodes datagrams and writes their traces. Each thread has one; they share the state and the counters.
#[derive(Debug)]
pub struct Pipeline {
    state: Arc<State>,
    stats: Arc<CollectorStats>,
    decoded: Decoded,
    trace: ExportTrace<AttributeFragment, IntRow>,
    keys: AttributeKeys,
    writer: SpanWriter,
}

impl Pipeline {
    /// A pipeline into a sink.
    pub fn new(state: Arc<State>, stats: Arc<CollectorStats>, schema: Schema, sink: &Sink) -> Self {
        Self {
            state,
            stats,
            decoded: Decoded::default(),
            trace: ExportTrace::default(),
            keys: AttributeKeys::new(schema),
            writer: sink.writer(),
        }
    }

    /// Takes one datagram, received just now.
    pub fn process(&mut self, session: TransportSession, bytes: &[u8]) {
        let received_at = now();
        let datagram = Datagram { session, received_at, tag: self.trace.trace_id(), bytes };
        self.state.decode(&datagram, &mut self.decoded);
        let timings = Timings { decode_start: received_at, decode_end: now() };
        let mut spans = WriterSpans { writer: &mut self.writer, keys: &self.keys };
        let flows = self.trace.write(&datagram, &self.decoded, &timings, now, &mut spans);
        self.stats.count(bytes.len(), &self.decoded, flows);
        if enabled!(Level::DEBUG) {
            self.log(&session);
        }
    }

    /// Hands the spans written so far to the sink.
    pub fn flush(&mut self) {
        self.writer.flush();
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

/// The time by the system's clock; 1970 when it stands before that.
fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::UNIX_EPOCH + since_epoch
}
