//! One datagram through the state.

use std::sync::Arc;

use flow_wire::{
    DecodeError, DecodeErrorKind, Message, MessageHeader, Records, Remainder, Set, SetId, SetKind, Template,
    TemplateRecord, Timestamp, Version, sflow,
};

use crate::decoded::{Decoded, MessageContext, ReadySet, ReplayedSet, StateEvent};
use crate::domain::{Domain, Sender};
use crate::options::are_of_use;
use crate::pending::{HeldSet, LEAD};
use crate::plan::FlowPlan;
use crate::sequence::{SMALLEST_RECORD, SequenceStatus, Units};
use crate::session::{Datagram, DomainKey, SessionKey, TemplateKey, Transport};
use crate::store::{Installed, KnownTemplate, State};

impl State {
    /// Decodes a datagram: learns its Templates and options, finds its Data Sets, and accounts for each byte.
    ///
    /// Nothing in a datagram is fatal: what cannot be read is skipped and noted in [`Decoded::issues`], and one bad Set
    /// never costs another. `decoded` is cleared first.
    pub fn decode(&self, datagram: &Datagram<'_>, decoded: &mut Decoded) {
        decoded.clear();
        self.messages(datagram, decoded);
        decoded.share_options();
        decoded.infer_uptimes(datagram.bytes);
    }

    fn messages(&self, datagram: &Datagram<'_>, decoded: &mut Decoded) {
        let bytes = datagram.bytes;
        if sflow::is_sflow(bytes) {
            return self.sflow(datagram, decoded);
        }
        let mut at = 0;
        loop {
            match &Message::decode_at(bytes, at) {
                Ok(message) => {
                    self.message(datagram, message, decoded);
                    at = message.end();
                }
                Err(error) => {
                    return decoded.skip(*error, bytes.len() - at);
                }
            }
            // Some relays put several IPFIX Messages into one datagram.
            match bytes.get(at..) {
                None | Some([]) => return,
                Some([0, 10, ..]) => {}
                Some(rest) => {
                    let kind = DecodeErrorKind::TrailingBytes(rest.len());
                    return decoded.skip(DecodeError::new(at, kind), rest.len());
                }
            }
        }
    }

    fn message(&self, datagram: &Datagram<'_>, message: &Message<'_>, decoded: &mut Decoded) {
        let header = message.header;
        let now = datagram.received_at;
        let scope = self.config.template_scope;
        // Each aggregation cache of v8 numbers its own datagrams; the domain has sixteen bits there.
        let domain = header.observation_domain_id | u32::from(header.aggregation) << 16;
        let mut pass = Pass {
            state: self,
            message,
            domain_key: DomainKey::new(&datagram.session, header.version, domain, scope),
            domain: None,
            index: decoded.messages.len(),
            now,
            set_count: 0,
            uncounted: false,
            unknown: 0,
            // Each connection sends its Templates itself.
            looks_elsewhere: if datagram.session.transport == Transport::Udp { LOOKS_ELSEWHERE } else { 0 },
        };
        pass.domain = self.known_domain_or(decoded.recent.take(), &pass.domain_key);
        if let Some(previous) = decoded.messages.last_mut() {
            // Whoever holds on to a table that this Message changes makes a copy of it necessary.
            previous.options = None;
        }
        decoded.messages.push(MessageContext::new(header, datagram));
        decoded.accounting.headers += header.version.header_len() as u64;
        if let Some(issue) = message.length_issue() {
            decoded.issues.note(issue);
        }
        pass.sets(decoded);
        pass.retry_waiting(decoded);
        pass.conclude(decoded);
        decoded.domains.push(pass.domain);
    }

    /// What the sequence number of a Message says, and whether its sender is to be trusted from now on: `is_first` is
    /// whether it is the first of the domain in its datagram, because one datagram proves no more than once.
    pub(crate) fn follow(
        &self,
        domain: &Arc<Domain>,
        header: &MessageHeader,
        units: Option<Units>,
        context: &mut MessageContext,
        is_first: bool,
    ) {
        let now = context.received_at;
        let session = SessionKey::new(&context.session, self.config.template_scope);
        let room = || self.resize(domain, 0, size_of::<Sender>(), now);
        let mut memory = domain.memory();
        context.sequence = memory.observe(session, now, header, units, room);
        context.take_options(&memory);
        if context.data_records + context.options_records > 0 {
            domain.set_last_data(now);
            if is_first && memory.prove(now) {
                memory.trusted = self.promote(domain, now);
            }
        }
    }
}

/// Plans of one datagram that the store has no room for.
const MAX_UNKEPT_PLANS: usize = 16;

/// There are [`MAX_UNKEPT_PLANS`] already.
struct OutOfPlans;

/// Sets of a Message without Template that are looked up at other senders of the address.
const LOOKS_ELSEWHERE: u8 = 4;

/// One Message on its way through the state.
struct Pass<'a> {
    state: &'a State,
    message: &'a Message<'a>,
    domain_key: DomainKey,
    domain: Option<Arc<Domain>>,
    /// Of the Message in [`Decoded::messages`].
    index: usize,
    now: Timestamp,
    /// Sets that were framed.
    set_count: u32,
    /// Some Data Set could not be counted.
    uncounted: bool,
    /// Bytes of records whose Template is not known.
    unknown: u32,
    looks_elsewhere: u8,
}

impl Pass<'_> {
    fn sets(&mut self, decoded: &mut Decoded) {
        let mut sets = self.message.sets();
        let mut failed = None;
        for set in sets.by_ref() {
            match set {
                Ok(set) => self.set(&set, decoded),
                Err(error) => failed = Some(error),
            }
        }
        let rest = self.message.end() - sets.position();
        match failed {
            Some(error) => {
                decoded.issues.note(error);
                decoded.accounting.skip(error.kind, rest);
                self.uncounted = true;
            }
            None if self.message.header.version.has_templates() => {
                decoded.accounting.padding += rest as u64;
                if rest > 3 {
                    let kind = DecodeErrorKind::TrailingBytes(rest);
                    decoded.issues.note(DecodeError::new(sets.position(), kind));
                }
            }
            None if rest > 0 => {
                let kind = DecodeErrorKind::TrailingBytes(rest);
                decoded.issues.note(DecodeError::new(sets.position(), kind));
                decoded.accounting.skip(kind, rest);
            }
            None => {}
        }
    }

    fn set(&mut self, set: &Set, decoded: &mut Decoded) {
        self.set_count += 1;
        let len = set.end - set.start;
        match set.kind {
            SetKind::Template | SetKind::OptionsTemplate => {
                if set.is_foreign(self.message.header.version) {
                    decoded.issues.note(DecodeError::new(set.start, DecodeErrorKind::ForeignTemplateSet(set.id.0)));
                }
                self.template_set(set, decoded);
            }
            SetKind::Data => match self.template(set.id.0) {
                Some(known) => self.data_set(set, &known, decoded),
                None => decoded.waiting.push(*set),
            },
            SetKind::BuiltIn => {
                if let Some(known) = self.state.built_in_template(self.message) {
                    self.data_set(set, known, decoded);
                }
            }
            _ => {
                let kind = DecodeErrorKind::ReservedSet(set.id.0);
                decoded.issues.note(DecodeError::new(set.start, kind));
                decoded.accounting.skip(kind, len);
            }
        }
    }

    const fn template_key(&self, template_id: u16) -> TemplateKey {
        TemplateKey { domain: self.domain_key, template_id }
    }

    fn template(&self, id: u16) -> Option<Arc<KnownTemplate>> {
        self.domain.as_ref()?.template(id)
    }

    fn has_no_templates(&self) -> bool {
        self.domain.as_ref().is_none_or(|domain| domain.template_count() == 0)
    }

    fn template_set(&mut self, set: &Set, decoded: &mut Decoded) {
        decoded.accounting.headers += Set::HEADER_LEN as u64;
        note_if_empty(set, decoded);
        let mut records = self.message.template_records(set);
        let mut at = set.body_start();
        while let Some(record) = records.next() {
            let len = records.position() - at;
            at = records.position();
            match record.and_then(|record| self.template_record(&record, decoded)) {
                Ok(()) => decoded.accounting.templates += len as u64,
                Err(error) => {
                    decoded.issues.note(error);
                    decoded.accounting.skip(error.kind, len);
                    self.refused(error, decoded);
                }
            }
        }
        decoded.accounting.padding += (set.end - at) as u64;
    }

    fn template_record(&mut self, record: &TemplateRecord<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
        let id = record.template_id;
        if record.is_withdrawal() {
            return self.withdrawal(record, decoded);
        }
        let key = self.template_key(id);
        if self.template(id).is_some_and(|known| known.template().is_refreshed_by(record)) {
            decoded.messages[self.index].templates += 1;
            return Ok(());
        }
        let template = Template::compile(record, &self.state.config.template_limits)?;
        let over_budget = Err(DecodeError::new(record.start, DecodeErrorKind::BudgetExceeded));
        self.remember_domain();
        let Some(domain) = &self.domain else {
            return over_budget;
        };
        let known = match self.state.install(domain, template, self.now) {
            Installed::Added(known) => {
                decoded.events.push(StateEvent::TemplateAdded(id));
                known
            }
            Installed::Changed(known) => {
                decoded.events.push(StateEvent::TemplateChanged(id));
                known
            }
            Installed::Refreshed(known) => known,
            Installed::OverBudget => return over_budget,
        };
        decoded.messages[self.index].templates += 1;
        self.replay(key, &known, decoded);
        Ok(())
    }

    /// RFC 7011 section 8.4: "MUST be ignored" over UDP, where it may overtake or be overtaken by what it withdraws.
    fn withdrawal(&self, record: &TemplateRecord<'_>, decoded: &mut Decoded) -> Result<(), DecodeError> {
        let id = record.template_id;
        let transport = decoded.messages[self.index].session.transport;
        if transport == Transport::Udp && !self.state.config.obey_udp_withdrawals {
            return Err(DecodeError::new(record.start, DecodeErrorKind::WithdrawalIgnored(id)));
        }
        let withdrawn = self.domain.as_ref().is_some_and(|domain| match SetId(id) {
            SetId::TEMPLATE => self.state.remove_all(domain, false, self.now) > 0,
            SetId::OPTIONS_TEMPLATE => self.state.remove_all(domain, true, self.now) > 0,
            _ => self.state.remove(domain, id, self.now),
        });
        if withdrawn {
            decoded.events.push(StateEvent::TemplateWithdrawn(id));
        }
        Ok(())
    }

    /// A definition that was refused: its ID stands for nothing from now on, because the records that follow are not
    /// those of the Template before. Over UDP a withdrawal is no definition (RFC 7011 section 8.4).
    fn refused(&self, error: DecodeError, decoded: &mut Decoded) {
        if matches!(error.kind, DecodeErrorKind::WithdrawalIgnored(_)) {
            return;
        }
        // Errors of Template Records are found where the record starts, with its ID.
        let Some([high, low]) = self.message.datagram().get(error.offset..error.offset + 2) else {
            return;
        };
        let id = u16::from_be_bytes([*high, *low]);
        if self.domain.as_ref().is_some_and(|domain| self.state.remove(domain, id, self.now)) {
            decoded.events.push(StateEvent::TemplateRemoved(id));
        }
    }

    /// Sets of earlier datagrams that waited for this Template.
    fn replay(&self, key: TemplateKey, known: &Arc<KnownTemplate>, decoded: &mut Decoded) {
        for held in self.state.release(key, self.now) {
            let HeldSet { mut context, bytes, offset } = held;
            let body = LEAD + Set::HEADER_LEN;
            let (records, remainder) = Records::of_bytes(&bytes, body, bytes.len(), known.template()).tally();
            let rest = match remainder {
                Remainder::Padding { len, .. } => {
                    decoded.replayed_accounting.padding += len as u64;
                    len
                }
                Remainder::Overrun { len, mut error } => {
                    error.offset = error.offset - LEAD + offset;
                    decoded.replayed_issues.note(error);
                    decoded.replayed_accounting.skip(error.kind, len);
                    len
                }
            };
            decoded.replayed_accounting.headers += Set::HEADER_LEN as u64;
            context.templates = 0;
            context.data_records = if known.template().is_options() { 0 } else { records as u32 };
            context.options_records = records as u32 - context.data_records;
            if known.template().is_options()
                && !self.learn(Records::of_bytes(&bytes, body, bytes.len(), known.template()), known.template())
            {
                decoded.replayed_issues.note(DecodeError::new(offset, DecodeErrorKind::BudgetExceeded));
            }
            let Ok(plan) = self.plan(known, decoded) else {
                decoded.replayed_issues.note(DecodeError::new(offset, DecodeErrorKind::BudgetExceeded));
                decoded.replayed_accounting.skip(DecodeErrorKind::BudgetExceeded, bytes.len() - body - rest);
                continue;
            };
            decoded.replayed_accounting.records += (bytes.len() - body - rest) as u64;
            decoded.replayed.push(ReplayedSet {
                message: self.index,
                context,
                bytes,
                known: known.clone(),
                plan,
                records,
            });
        }
    }

    fn data_set(&mut self, set: &Set, known: &Arc<KnownTemplate>, decoded: &mut Decoded) {
        if set.kind == SetKind::Data {
            decoded.accounting.headers += Set::HEADER_LEN as u64;
            note_if_empty(set, decoded);
        }
        let body = set.end - set.body_start();
        let datagram = self.message.datagram();
        let first_start = decoded.starts.len();
        let (records, remainder) = Records::of_bytes(datagram, set.body_start(), set.end, known.template())
            .tally_with(|start| decoded.starts.push(start as u32));
        let rest = match remainder {
            Remainder::Padding { len, not_zero } => {
                decoded.accounting.padding += len as u64;
                if not_zero {
                    decoded.issues.note(DecodeError::new(set.end - len, DecodeErrorKind::PaddingNotZero));
                }
                len
            }
            Remainder::Overrun { len, error } => {
                decoded.issues.note(error);
                decoded.accounting.skip(error.kind, len);
                self.uncounted = true;
                len
            }
        };
        if records == 0 {
            return;
        }
        if known.template().is_options() {
            decoded.accounting.records += (body - rest) as u64;
            decoded.messages[self.index].options_records += records as u32;
            let rows = Records::of_bytes(datagram, set.body_start(), set.end, known.template());
            if !self.learn(rows, known.template()) {
                decoded.issues.note(DecodeError::new(set.start, DecodeErrorKind::BudgetExceeded));
            }
            return;
        }
        let Ok(plan) = self.plan(known, decoded) else {
            decoded.issues.note(DecodeError::new(set.start, DecodeErrorKind::BudgetExceeded));
            decoded.accounting.skip(DecodeErrorKind::BudgetExceeded, body - rest);
            self.uncounted = true;
            return;
        };
        decoded.accounting.records += (body - rest) as u64;
        decoded.messages[self.index].data_records += records as u32;
        let (start, end, starts) = (set.body_start(), set.end, first_start..decoded.starts.len());
        let known = decoded.keep(known);
        decoded.sets.push(ReadySet {
            message: self.index,
            start,
            end,
            transcoded_at: None,
            known,
            plan,
            records,
            starts,
        });
    }

    /// Takes from options data what flows need. `false` when there was no room for all of it.
    fn learn(&self, rows: Records<'_>, template: &Template) -> bool {
        let of_use = are_of_use(template.field_specifiers());
        // One that has lost its place remembers nothing more.
        let Some(domain) = self.domain.as_ref().filter(|domain| of_use && domain.place() != Domain::NO_PLACE) else {
            return true;
        };
        let mut memory = domain.memory();
        let resize = |less, more| self.state.resize(domain, less, more, self.now);
        rows.filter(|row| !memory.options.learn(row, resize)).count() == 0
    }

    /// A domain is remembered from the first thing on that was understood: a mere header costs a spoofer nothing.
    /// There may be no room for it.
    fn remember_domain(&mut self) {
        if self.domain.as_ref().is_none_or(|domain| domain.place() == Domain::NO_PLACE) {
            self.domain = self.state.domain(self.domain_key);
        }
    }

    /// Sees to it that a Template has its plan; returns it where the store has no room for it. `Err` when too many
    /// Templates of the datagram have none: plans are far larger than the Sets that ask for them.
    fn plan(&self, known: &Arc<KnownTemplate>, decoded: &mut Decoded) -> Result<Option<Arc<FlowPlan>>, OutOfPlans> {
        if known.plan().is_some() {
            return Ok(None);
        }
        if let Some((_, plan)) = decoded.unkept_plans.iter().find(|(other, _)| Arc::ptr_eq(other, known)) {
            return Ok(Some(plan.clone()));
        }
        if decoded.unkept_plans.len() >= MAX_UNKEPT_PLANS {
            return Err(OutOfPlans);
        }
        let plan = self.state.make_plan(self.domain.as_ref(), known, self.now).map(Arc::from);
        if let Some(plan) = &plan {
            decoded.unkept_plans.push((known.clone(), Arc::clone(plan)));
        }
        Ok(plan)
    }

    /// Data Sets in front of their Template: it may have come later in the same Message, else they wait for it.
    fn retry_waiting(&mut self, decoded: &mut Decoded) {
        let waiting = std::mem::take(&mut decoded.waiting);
        for set in &waiting {
            let key = self.template_key(set.id.0);
            match self.state.template(&key) {
                Some(known) => self.data_set(set, &known, decoded),
                None => self.hold(key, set, decoded),
            }
        }
        decoded.waiting = waiting;
        decoded.waiting.clear();
    }

    fn hold(&mut self, key: TemplateKey, set: &Set, decoded: &mut Decoded) {
        let len = set.end - set.start;
        let kind = DecodeErrorKind::TemplateUnknown(set.id.0);
        decoded.issues.note(DecodeError::new(set.start, kind));
        self.unknown += (len - Set::HEADER_LEN) as u32;
        if len == Set::HEADER_LEN {
            decoded.accounting.headers += Set::HEADER_LEN as u64;
            return;
        }
        if self.looks_elsewhere > 0 && self.has_no_templates() {
            self.looks_elsewhere -= 1;
            if self.state.is_known_elsewhere(&key) {
                self.looks_elsewhere = 0;
                decoded.events.push(StateEvent::TemplateElsewhere(set.id.0));
            }
        }
        let mut bytes = vec![0; LEAD + len];
        bytes[LEAD..].copy_from_slice(&self.message.datagram()[set.start..set.end]);
        let context = decoded.messages[self.index].clone();
        let held = HeldSet { context, bytes: bytes.into_boxed_slice(), offset: set.start };
        if self.state.hold(key, held) {
            decoded.accounting.pending += len as u64;
            // Another worker may have put the Template in force since it was looked up.
            if let Some(known) = self.state.template(&key) {
                self.replay(key, &known, decoded);
            }
        } else {
            decoded.accounting.skip(kind, len);
        }
    }

    /// A v9 count that is not that of the records (RFC 3954 section 5.1), in a Message of which all is understood.
    /// softflowd leaves Templates out, others count FlowSets; Sets are framed by their lengths whatever it says.
    fn count_issue(&self, decoded: &Decoded) -> Option<DecodeError> {
        let context = &decoded.messages[self.index];
        let announced = context.header.length_or_count;
        let records = context.data_records + context.options_records;
        let is_wrong = context.header.version == Version::V9
            && !self.uncounted
            && self.unknown == 0
            && ![records + context.templates, records, self.set_count].contains(&announced.into())
            && decoded.accounting.skipped.iter().all(|bytes| *bytes == 0);
        is_wrong.then(|| DecodeError::new(self.message.start() + 2, DecodeErrorKind::CountMismatch(announced)))
    }

    /// Sequence number and start of the exporter, once all Sets are known.
    fn conclude(&mut self, decoded: &mut Decoded) {
        if let Some(issue) = self.count_issue(decoded) {
            decoded.issues.note(issue);
        }
        let context = &mut decoded.messages[self.index];
        let valid_data = context.data_records + context.options_records > 0;
        if context.templates > 0 || valid_data {
            self.remember_domain();
            if self.domain.is_none() {
                let error = DecodeError::new(self.message.start(), DecodeErrorKind::BudgetExceeded);
                decoded.issues.note(error);
            }
        }
        let Some(domain) = &self.domain else {
            return;
        };
        let is_first = !decoded.domains.iter().flatten().any(|other| Arc::ptr_eq(other, domain));
        let counted = self.message.header.version != Version::Ipfix || !self.uncounted;
        let units = counted.then_some(Units {
            data_records: context.data_records,
            options_records: context.options_records,
            uncounted: self.unknown / SMALLEST_RECORD,
        });
        self.state.follow(domain, &self.message.header, units, context, is_first);
        if context.sequence == SequenceStatus::Restarted {
            decoded.events.push(StateEvent::ExporterRestarted);
        }
    }
}

fn note_if_empty(set: &Set, decoded: &mut Decoded) {
    if set.end - set.start == Set::HEADER_LEN {
        decoded.issues.note(DecodeError::new(set.start, DecodeErrorKind::EmptySet));
    }
}
