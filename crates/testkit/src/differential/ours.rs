//! What this project makes of a stream.

use std::collections::{BTreeSet, HashMap};

use flow_state::{
    DataSet, Datagram, Decoded, Fact, FlowRecord, State, StateConfig, StateEvent, Timestamp, TransportSession, Version,
};
use flow_wire::{Message, SetKind};

use super::{Marks, Place, Record, Stream};

/// A flow Data Record.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Its values.
    pub record: Record,
    /// Its bytes.
    pub place: Place,
    /// What is special about it, its Template and its datagram.
    pub marks: Marks,
}

/// What there is to say of a datagram beside its flows.
#[derive(Clone, Debug)]
pub struct DatagramReading {
    /// Options Data Records.
    pub options_records: u64,
    /// Whether nothing in it was odd.
    pub is_clean: bool,
    /// What is special about it.
    pub marks: Marks,
}

/// A stream as we read it. Data Sets whose Template comes in a later datagram are not read, as with the programs that we
/// compare with.
#[derive(Clone, Debug)]
pub struct Reading {
    /// In wire order.
    pub flows: Vec<Flow>,
    /// One for each datagram.
    pub datagrams: Vec<DatagramReading>,
}

impl Reading {
    /// Decodes a stream.
    pub fn of(stream: &Stream) -> Self {
        let mut config = StateConfig::default();
        config.pending_memory = 0;
        let state = State::new(config);
        let mut decoded = Decoded::default();
        let mut reading = Self { flows: Vec::new(), datagrams: Vec::new() };
        let mut lasting = Lasting::default();
        for (packet, datagram) in (1..).zip(&stream.datagrams) {
            let session = TransportSession::new(datagram.source, datagram.destination);
            let received_at = Timestamp::from_unix_nanos(datagram.captured_at);
            let bytes = &datagram.payload[..];
            state.decode(&Datagram::new(session, received_at, bytes).with_tag(packet), &mut decoded);
            let marks = lasting.marks(&session, bytes, &decoded);
            reading.add(packet as u64, bytes, &decoded, marks);
        }
        reading
    }

    fn add(&mut self, packet: u64, bytes: &[u8], decoded: &Decoded, marks: Marks) {
        for set in decoded.data_sets(bytes) {
            let mut marks = marks.clone();
            mark_template(&set, &mut marks);
            for flow in set.flows() {
                let fields = flow.record().fields().filter(|field| !field.bytes.is_empty());
                let offset = |field: &[u8]| field.as_ptr() as usize - bytes.as_ptr() as usize;
                let fields = fields.map(|field| (offset(field.bytes), field.bytes.len())).collect();
                let place = Place { packet, start: flow.record().offset(), fields };
                let mut marks = marks.clone();
                marks.extend(flow_marks(&flow).map(str::to_owned));
                self.flows.push(Flow { record: record(packet, &flow), place, marks });
            }
        }
        self.datagrams.push(DatagramReading {
            options_records: decoded.messages().iter().map(|message| u64::from(message.options_records)).sum(),
            is_clean: decoded.issues().is_empty(),
            marks,
        });
    }

    /// What is special about a datagram.
    pub(super) fn marks(&self, packet: u64) -> &Marks {
        &self.datagrams[packet as usize - 1].marks
    }

    /// What is special about a datagram or any flow in it, or about all datagrams.
    pub(super) fn all_marks(&self, packet: Option<u64>) -> Marks {
        let datagrams = (1..).zip(&self.datagrams).filter(|(number, _)| packet.is_none_or(|packet| packet == *number));
        let flows = self.flows.iter().filter(|flow| packet.is_none_or(|packet| packet == flow.place.packet));
        let marks = datagrams.flat_map(|(_, datagram)| &datagram.marks);
        marks.chain(flows.flat_map(|flow| &flow.marks)).cloned().collect()
    }
}

/// What was special about earlier datagrams and still matters.
#[derive(Default)]
struct Lasting {
    by_exporter: HashMap<(std::net::IpAddr, u32), Marks>,
    ports: HashMap<(std::net::IpAddr, u32), BTreeSet<u16>>,
}

impl Lasting {
    fn marks(&mut self, session: &TransportSession, bytes: &[u8], decoded: &Decoded) -> Marks {
        let mut marks = Marks::new();
        for message in decoded.messages() {
            let key = (session.exporter.ip(), message.header.observation_domain_id);
            let lasting = self.by_exporter.entry(key).or_default();
            if decoded.events().iter().any(|event| matches!(event, StateEvent::TemplateChanged(_))) {
                lasting.insert("changed".to_owned());
            }
            let ports = self.ports.entry(key).or_default();
            ports.insert(session.exporter.port());
            if ports.len() > 1 {
                lasting.insert("ports".to_owned());
            }
            if is_issue(decoded, "withdrawal_ignored") {
                lasting.insert("withdrawn".to_owned());
            }
            lasting.extend(template_marks(bytes, message.header.version));
            // A Template behind those Sets stays unknown to who stops there.
            lasting.extend(message_marks(bytes).filter(|mark| *mark == "count").map(str::to_owned));
            if message.header_sampling().is_some() {
                marks.insert("sampled".to_owned());
            }
            marks.extend(lasting.iter().cloned());
            marks.insert(format!("v{}", message.header.version.number()));
        }
        if decoded.messages().len() > 1 {
            marks.insert("messages".to_owned());
        }
        marks.extend(message_marks(bytes).map(str::to_owned));
        let names = flow_state::DecodeErrorKind::NAMES.iter().filter(|name| is_issue(decoded, name));
        marks.extend(names.map(|name| (*name).to_owned()));
        marks
    }
}

fn is_issue(decoded: &Decoded, name: &str) -> bool {
    let index = flow_state::DecodeErrorKind::NAMES.iter().position(|known| *known == name);
    index.is_some_and(|index| decoded.issues().counts()[index] > 0)
}

/// Marks of what the Templates of a datagram announce for all that follows.
fn template_marks(bytes: &[u8], version: Version) -> Marks {
    let mut marks = Marks::new();
    let Ok(message) = Message::decode(bytes) else { return marks };
    if !version.has_templates() {
        return marks;
    }
    for set in message.sets().flatten() {
        for record in message.template_records(&set).flatten() {
            let is_sampler = |id| matches!(id, 34 | 35 | 48..=50 | 302..=311);
            if record.field_specifiers().any(|field| field.enterprise_number == 0 && is_sampler(field.id)) {
                marks.insert("sampled".to_owned());
            }
        }
    }
    marks
}

/// `count`: the header of v9 counts fewer than there are Sets; some exporters count records there, or Data Records.
/// `long`: more records than v1 usually has. `before`: data in front of its Template.
fn message_marks(bytes: &[u8]) -> impl Iterator<Item = &'static str> {
    let (mut fewer, mut long, mut before) = (false, false, false);
    if let Ok(message) = Message::decode(bytes) {
        let header = message.header;
        let sets: Vec<_> = message.sets().flatten().collect();
        fewer = header.version == Version::V9 && sets.len() > usize::from(header.length_or_count);
        long = header.version == Version::V1 && header.length_or_count > 24;
        let defines = |set: &flow_wire::Set, id| message.template_records(set).flatten().any(|t| t.template_id == id);
        let templates = |set: &&flow_wire::Set| matches!(set.kind, SetKind::Template | SetKind::OptionsTemplate);
        before = sets.iter().enumerate().any(|(at, set)| {
            set.kind == SetKind::Data && sets[at..].iter().filter(templates).any(|later| defines(later, set.id.0))
        });
    }
    [("count", fewer), ("long", long), ("before", before)].into_iter().filter_map(|(mark, is)| is.then_some(mark))
}

/// `icmp`; `future`: a time after `sysUptime`; `boot`: a time of 0; `families`: addresses of both.
fn flow_marks(flow: &FlowRecord<'_>) -> impl Iterator<Item = &'static str> {
    let number = |id| {
        let template = flow.record().template();
        template.locate(0, id).map(|locator| flow.record().unsigned(locator))
    };
    let (first, last) = (number(22), number(21));
    let uptime = flow.context().header.sys_uptime_ms.map_or(u64::MAX, u64::from);
    let any = |test: &dyn Fn(u64) -> bool| first.is_some_and(test) || last.is_some_and(test);
    let has = |id| flow.record().template().locate(0, id).is_some();
    [
        ("icmp", matches!(flow.integer(Fact::Protocol), Some(1 | 58))),
        ("future", any(&|time| time > uptime)),
        ("boot", any(&|time| time == 0)),
        ("families", has(8) && has(27)),
        ("lists", [291, 292, 293].into_iter().any(has)),
    ]
    .into_iter()
    .filter_map(|(mark, is)| is.then_some(mark))
}

/// `ieID`, `iePEN/ID`, `ieID:LENGTH`, `twiceID`; `end-first` when the end of a flow comes before its start.
fn mark_template(set: &DataSet<'_>, marks: &mut Marks) {
    let position = |ids: [u16; 2]| {
        set.template().field_specifiers().position(|field| field.enterprise_number == 0 && ids.contains(&field.id))
    };
    if position([21, 153]).zip(position([22, 152])).is_some_and(|(end, start)| end < start) {
        marks.insert("end-first".to_owned());
    }
    for field in set.template().field_specifiers() {
        let element = match field.enterprise_number {
            0 => field.id.to_string(),
            pen => format!("{pen}/{}", field.id),
        };
        if !marks.insert(format!("ie{element}")) {
            marks.insert(format!("twice{element}"));
            marks.insert("twice".to_owned());
        }
        if field.enterprise_number != 0 {
            marks.insert(format!("pen{}", field.enterprise_number));
        }
        marks.insert(format!("ie{element}:{}", field.length));
    }
}

fn record(packet: u64, flow: &FlowRecord<'_>) -> Record {
    let header = &flow.context().header;
    let millis = |time: Option<Timestamp>| time.map(|time| time.as_unix_millis() as i64);
    let time = flow.exported_time();
    Record {
        packet,
        version: header.version.number(),
        domain: header.observation_domain_id,
        template: header.version.has_templates().then(|| flow.record().template().id()),
        src: flow.source_address(),
        dst: flow.destination_address(),
        sport: flow.integer(Fact::SourcePort),
        dport: flow.integer(Fact::DestinationPort),
        proto: flow.integer(Fact::Protocol),
        bytes: flow.octets(),
        packets: flow.packets(),
        in_if: flow.integer(Fact::IngressInterface),
        out_if: flow.integer(Fact::EgressInterface),
        src_as: flow.integer(Fact::SourceAs),
        dst_as: flow.integer(Fact::DestinationAs),
        nexthop: flow.next_hop(),
        start_ms: millis(time.start),
        end_ms: millis(time.end),
        rev_bytes: flow.reverse_octets(),
        rev_packets: flow.reverse_packets(),
    }
}
