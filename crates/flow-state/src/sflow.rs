//! sFlow datagrams: each sample of a packet becomes a record of a built-in Template, so that it reads as any flow.

mod columns;
mod facts;

use std::sync::Arc;

use flow_wire::encode::header;
use flow_wire::sflow::{self, Sample};
use flow_wire::{DecodeError, DecodeErrorKind, MessageHeader, Timestamp, Version};

use self::columns::RecordWriter;
use self::facts::Facts;
use crate::decoded::{Decoded, MessageContext, ReadySet, StateEvent};
use crate::flow::FlowRecord;
use crate::pending::LEAD;
use crate::sequence::{SequenceStatus, Units};
use crate::session::{Datagram, DomainKey};
use crate::store::{KnownTemplate, State};

/// Records of one Set lie at offsets of 16 bits.
const MAX_SET: usize = u16::MAX as usize;

impl State {
    /// Decodes an sFlow datagram.
    pub(crate) fn sflow(&self, datagram: &Datagram<'_>, decoded: &mut Decoded) {
        let message = match sflow::Datagram::decode(datagram.bytes) {
            Ok(message) => message,
            Err(error) => return decoded.skip(error, datagram.bytes.len()),
        };
        let agent = message.header;
        let mut header = header(Version::Sflow5, datagram.received_at, agent.sequence_number, agent.sub_agent_id);
        header.length_or_count = u16::try_from(agent.sample_count).unwrap_or(u16::MAX);
        header.sys_uptime_ms = Some(agent.uptime_ms);
        let mut context = MessageContext::new(header, datagram);
        context.agent = agent.agent;
        decoded.messages.push(context);
        decoded.accounting.headers += message.header_len() as u64;
        let mut samples = message.samples();
        let mut failed = None;
        for sample in samples.by_ref() {
            match sample {
                Ok(sample) => self.sample(datagram.bytes, &sample, decoded),
                Err(error) => failed = Some(error),
            }
        }
        let (at, rest) = (samples.position(), datagram.bytes.len() - samples.position());
        let trailing = (rest > 0).then(|| DecodeError::new(at, DecodeErrorKind::TrailingBytes(rest)));
        if let Some(error) = failed.or(trailing) {
            decoded.skip(error, rest);
        }
        let key = DomainKey::sflow(&datagram.session, agent.agent, agent.sub_agent_id);
        self.follow_agent(key, header, decoded);
    }

    fn sample(&self, datagram: &[u8], sample: &Sample<'_>, decoded: &mut Decoded) {
        let flow = match sample.flow() {
            Ok(Some(flow)) => flow,
            Ok(None) if sample.is_counters() => {
                decoded.accounting.counters += sample.len() as u64;
                if let Some(context) = decoded.messages.last_mut() {
                    context.counter_samples += 1;
                }
                return;
            }
            Ok(None) => {
                let kind = DecodeErrorKind::SampleUnknown(sample.format);
                return decoded.skip(DecodeError::new(sample.start, kind), sample.len());
            }
            Err(error) => return decoded.skip(error, sample.len()),
        };
        let (facts, lost) = Facts::gather(&flow, decoded);
        decoded.accounting.records += (sample.len() - lost) as u64;
        // Zeros in front, as a read of a short integer looks at the 8 bytes that end with it.
        let base = decoded.transcoded.len();
        decoded.transcoded.resize(base + LEAD, 0);
        let mut record = RecordWriter::new(&mut decoded.transcoded);
        facts.write(&flow, &mut record);
        record.sample(sample.number, sample.as_bytes(datagram));
        let shape = record.shape();
        let known = self.sample_template(shape, || columns::template(shape));
        if let Some(context) = decoded.messages.last_mut() {
            context.data_records += 1;
        }
        let end = decoded.transcoded.len();
        match decoded.sets.last_mut() {
            Some(last) if Arc::ptr_eq(&last.known, &known) && last.continues(base, end) => {
                // The record moves up to the one before, as records of a Set follow each other.
                decoded.transcoded.drain(base..base + LEAD);
                last.end += end - base - LEAD;
                last.records += 1;
            }
            _ => decoded.sets.push(ReadySet::transcoded(base, end - base, known)),
        }
    }

    /// Sequence number and restart of a sub-agent.
    fn follow_agent(&self, key: DomainKey, mut header: MessageHeader, decoded: &mut Decoded) {
        let recent = decoded.recent.take();
        let Some(context) = decoded.messages.last_mut() else {
            return;
        };
        let understood = context.data_records + context.counter_samples > 0;
        let domain = self.known_domain_or(recent, &key).or_else(|| if understood { self.domain(key) } else { None });
        let Some(domain) = domain else {
            if understood {
                decoded.issues.note(DecodeError::new(0, DecodeErrorKind::BudgetExceeded));
            }
            return;
        };
        // Datagrams do not say when they left; the time since the agent's start tells a late one from a restart.
        header.export_time = Timestamp::from_unix_millis(header.sys_uptime_ms.unwrap_or_default().into());
        let units = Units { data_records: context.data_records, options_records: 0, uncounted: 0 };
        self.follow(&domain, &header, Some(units), context, true);
        if context.sequence == SequenceStatus::Restarted {
            decoded.events.push(StateEvent::ExporterRestarted);
        }
        decoded.domains.push(Some(domain));
    }
}

impl ReadySet {
    fn transcoded(base: usize, len: usize, known: Arc<KnownTemplate>) -> Self {
        let (start, end) = (LEAD, len);
        Self { message: 0, start, end, transcoded_at: Some(base), known, plan: None, records: 1, starts: 0..0 }
    }

    /// Whether what was transcoded from `base` to `end` follows its last record and still fits.
    fn continues(&self, base: usize, end: usize) -> bool {
        self.transcoded_at.is_some_and(|start| start + self.end == base && end - start <= MAX_SET)
    }
}

impl<'a> FlowRecord<'a> {
    /// The sample of an sFlow datagram that this flow was made from; cut where it is longer than 48 KiB.
    pub fn sample(&self) -> Option<Sample<'a>> {
        if self.context().header.version != Version::Sflow5 {
            return None;
        }
        let record = self.record();
        let locator = record.template().locate(columns::SFLOW, columns::SAMPLE)?;
        let (number, sample) = record.bytes(locator).split_first_chunk()?;
        Sample::of_bytes(u32::from_be_bytes(*number), sample)
    }
}
