//! Every field of a record, for `decode --fields`.

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use flow_state::{DecodeError, FlowRecord, InnerTemplates, MessageContext, State};
use flow_wire::list::{List, ListBudget, ListReader, ListSemantic, SubTemplateList};
use flow_wire::{DataRecord, Field, Value};
use serde_json::{Value as Json, json};

/// The fields of a record with their names: the user's, the registry's, or those that the exporter told.
pub(super) struct FieldPrinter<'a>(pub(super) &'a State);

impl FieldPrinter<'_> {
    /// A line for each field.
    pub(super) fn write_table(&self, flow: &FlowRecord<'_>, output: &mut impl Write) -> io::Result<()> {
        let inner = self.inner_templates(flow);
        for field in flow.record().fields() {
            let (name, value) = self.read(flow.context(), &field);
            write!(output, "{:8}{name} = ", "")?;
            match self.list(flow.context(), &field, &inner) {
                Some(list) => writeln!(output, "{list}")?,
                None => writeln!(output, "{}", Shown(value))?,
            }
        }
        Ok(())
    }

    /// The member `fields` of a JSON object, with a comma in front: objects of `name` and `value` in the order of the
    /// Template, because an element may come twice.
    pub(super) fn write_json(&self, flow: &FlowRecord<'_>, output: &mut impl Write) -> io::Result<()> {
        let inner = self.inner_templates(flow);
        output.write_all(b",\"fields\":[")?;
        for (at, field) in flow.record().fields().enumerate() {
            let (name, value) = self.read(flow.context(), &field);
            let separator = if at == 0 { "" } else { "," };
            write!(output, "{separator}{{\"name\":\"{name}\",\"value\":")?;
            serde_json::to_writer(
                &mut *output,
                &self.list(flow.context(), &field, &inner).unwrap_or_else(|| shown(value)),
            )?;
            output.write_all(b"}")?;
        }
        output.write_all(b"]")
    }

    /// Name and value of a field; of an unknown element its number and its bytes.
    fn read<'r>(&self, context: &MessageContext, field: &Field<'r>) -> (String, Value<'r>) {
        let specifier = field.specifier;
        match self.0.element(context, field) {
            Some(element) => (element.name.to_owned(), Value::read(element.data_type, field.bytes)),
            None => {
                let name = format!("netflow.ie.{}.{}", specifier.enterprise_number, specifier.id);
                (name, Value::OctetArray(field.bytes))
            }
        }
    }

    /// The Templates of sub-template lists, if the record has lists.
    fn inner_templates(&self, flow: &FlowRecord<'_>) -> InnerTemplates {
        let is_list = |field: Field<'_>| {
            self.0.element(flow.context(), &field).is_some_and(|element| element.data_type.is_list())
        };
        if flow.record().fields().any(is_list) {
            self.0.inner_templates(flow.context())
        } else {
            InnerTemplates::default()
        }
    }

    /// The list in a field (RFC 6313), as far as it can be read.
    fn list(&self, context: &MessageContext, field: &Field<'_>, inner: &InnerTemplates) -> Option<Json> {
        let budget = ListBudget::default();
        let find = |id| inner.get(id);
        self.open(context, &ListReader::new(&find, &budget), field)
    }

    /// `None` where the field is no list.
    fn open<'r>(&self, context: &MessageContext, reader: &ListReader<'r>, field: &Field<'r>) -> Option<Json> {
        let data_type = self.0.element(context, field)?.data_type;
        let list = match reader.read(data_type, field.bytes).transpose()? {
            Ok(list) => list,
            Err(error) => {
                return Some(json!({"bytes": shown(Value::List(field.bytes)), "error": error.to_string()}));
            }
        };
        let reader = list.reader();
        let mut shown = match list {
            List::Basic(list) => {
                let read = |element: Field<'r>| {
                    self.open(context, &reader, &element).unwrap_or_else(|| shown(self.read(context, &element).1))
                };
                let element = Field::of_list(list.field_specifier(), &[]);
                let (values, error) = until_error(list.elements(), read);
                with_error(json!({"name": self.read(context, &element).0, "values": values}), error)
            }
            List::SubTemplate(list) => self.records(context, &reader, &list),
            List::SubTemplateMulti(list) => {
                let (parts, error) = until_error(list.parts(), |part| self.records(context, &reader, &part));
                with_error(json!({"parts": parts}), error)
            }
            _ => return None,
        };
        shown["semantic"] = semantic(list.semantic());
        if is_broken(&shown) {
            shown["bytes"] = self::shown(Value::List(field.bytes));
        }
        Some(shown)
    }

    fn records<'r>(&self, context: &MessageContext, reader: &ListReader<'r>, list: &SubTemplateList<'r>) -> Json {
        let field = |field: Field<'r>| {
            let (name, value) = self.read(context, &field);
            json!({"name": name, "value": self.open(context, reader, &field).unwrap_or_else(|| shown(value))})
        };
        let record = |record: DataRecord<'r>| record.fields().map(field).collect::<Vec<_>>();
        let (records, error) = until_error(list.records(), record);
        with_error(json!({"template": list.template().id(), "records": records}), error)
    }
}

/// What comes before the first error, and that.
fn until_error<T, U>(
    items: impl Iterator<Item = Result<T, DecodeError>>,
    mut read: impl FnMut(T) -> U,
) -> (Vec<U>, Option<DecodeError>) {
    let mut error = None;
    let read = items.filter_map(|item| item.map(&mut read).inspect_err(|found| error = error.or(Some(*found))).ok());
    (read.collect(), error)
}

fn with_error(mut list: Json, error: Option<DecodeError>) -> Json {
    if let Some(error) = error {
        list["error"] = error.to_string().into();
    }
    list
}

/// Whether something of a list, or of its parts, could not be read.
fn is_broken(list: &Json) -> bool {
    let broken_parts = || list.get("parts")?.as_array().map(|parts| parts.iter().any(is_broken));
    list.get("error").is_some() || broken_parts().unwrap_or(false)
}

fn semantic(semantic: ListSemantic) -> Json {
    semantic.name().map_or_else(|| semantic.0.into(), Json::from)
}

/// A value in JSON.
fn shown(value: Value<'_>) -> Json {
    match value {
        Value::Unsigned(number) => number.into(),
        Value::Signed(number) => number.into(),
        Value::Float(number) if number.is_finite() => number.into(),
        Value::Boolean(yes) => yes.into(),
        value => Shown(value).to_string().into(),
    }
}

/// A value as text: bytes in hexadecimal, text without what controls a terminal.
struct Shown<'a>(Value<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::Unsigned(number) => number.fmt(f),
            Value::Signed(number) => number.fmt(f),
            Value::Float(number) => number.fmt(f),
            Value::Boolean(yes) => yes.fmt(f),
            Value::MacAddress([a, b, c, d, e, g]) => write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}"),
            Value::Ipv4(address) => Ipv4Addr::fmt(&address, f),
            Value::Ipv6(address) => Ipv6Addr::fmt(&address, f),
            Value::DateTime(time) => super::row::Utc(time.as_unix_millis()).fmt(f),
            Value::String(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                text.chars().try_for_each(|c| write!(f, "{}", if c.is_control() { '\u{fffd}' } else { c }))
            }
            Value::List(bytes) | Value::OctetArray(bytes) => {
                f.write_str("0x")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            _ => f.write_str("?"),
        }
    }
}
