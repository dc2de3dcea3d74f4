//! Every field of a record, for `decode --fields`.

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use flow_state::{FlowRecord, State};
use flow_wire::{Field, Value};

/// The fields of a record with their names: the user's, the registry's, or those that the exporter told.
pub(super) struct FieldPrinter<'a>(pub(super) &'a State);

impl FieldPrinter<'_> {
    /// A line for each field.
    pub(super) fn write_table(&self, flow: &FlowRecord<'_>, output: &mut impl Write) -> io::Result<()> {
        for field in flow.record().fields() {
            let (name, value) = self.read(flow, &field);
            writeln!(output, "{:8}{name} = {}", "", Shown(value))?;
        }
        Ok(())
    }

    /// The member `fields` of a JSON object, with a comma in front: objects of `name` and `value` in the order of the
    /// Template, because an element may come twice.
    pub(super) fn write_json(&self, flow: &FlowRecord<'_>, output: &mut impl Write) -> io::Result<()> {
        output.write_all(b",\"fields\":[")?;
        for (at, field) in flow.record().fields().enumerate() {
            let (name, value) = self.read(flow, &field);
            let separator = if at == 0 { "" } else { "," };
            write!(output, "{separator}{{\"name\":\"{name}\",\"value\":")?;
            match value {
                Value::Unsigned(number) => write!(output, "{number}")?,
                Value::Signed(number) => write!(output, "{number}")?,
                Value::Float(number) if number.is_finite() => write!(output, "{number}")?,
                Value::Boolean(yes) => write!(output, "{yes}")?,
                value => serde_json::to_writer(&mut *output, &Shown(value).to_string())?,
            }
            output.write_all(b"}")?;
        }
        output.write_all(b"]")
    }

    /// Name and value of a field; of an unknown element its number and its bytes.
    fn read<'r>(&self, flow: &FlowRecord<'_>, field: &Field<'r>) -> (String, Value<'r>) {
        let specifier = field.specifier;
        match self.0.element(flow.context(), field) {
            Some(element) => (element.name.to_owned(), Value::read(element.data_type, field.bytes)),
            None => {
                let name = format!("netflow.ie.{}.{}", specifier.enterprise_number, specifier.id);
                (name, Value::OctetArray(field.bytes))
            }
        }
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
