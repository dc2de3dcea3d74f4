//! `docs/attributes.md` from the schema.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use flow_semconv::{Attribute, Schema};

const HEAD: &str = "\
# Attributes

<!-- Written by `cargo xtask codegen` from flow-semconv; edit crates/flow-semconv/src/attribute.rs instead. -->

What a span says. `NETFLOW_SCHEMA` chooses the names: those of the column `netflow` unless it is set, and where the column of
another schema is empty. A fact that the exporter did not send is an absent attribute; integers are integers; counters are
as exported, never scaled. Element numbers are those of the IANA registry of IPFIX Information
Elements, which NetFlow v9 shares; v1, v5, v7 and v8 records carry the same elements at fixed places.

Spans are of kind INTERNAL, unless `NETFLOW_TRACE_SHAPE` is `topology`; [shapes](shapes.md) says which kinds, times and traces they
have, and which attributes `netflow.server` has. The status is unset, except for an error on `netflow.export`
when a part of the datagram could not be read, and on `netflow.flow` when the forwarding status says dropped.

Resource attributes: `service.name` (`netflow-to-traces`), `service.version`, `service.instance.id`, and what `OTEL_RESOURCE_ATTRIBUTES` adds; in
shape `topology` they are of the sides of flows.
";

const TAIL: &str = "
## The schemas

`netflow` is the contract: its names stay. `semconv` has the names of tools that see flows themselves and write spans of
them; they are none of OpenTelemetry yet, and values are those of `netflow`: `flow.direction` is `ingress` or `egress`, and
`flow.bytes.delta` holds the counters of flows with `netflow.flow.cumulative` too.

`ecs` has the names that Filebeat's NetFlow input writes into the Elastic Common Schema, and what that asks of values:

| attribute | value in `ecs` |
|---|---|
| `event.start`, `event.end` | text, such as `2023-11-14T22:13:14.000000000Z`, which Elasticsearch takes as a date |
| `event.duration` | nanoseconds |
| `network.bytes`, `network.packets` | of both directions, where the record has both; `destination.bytes` and `destination.packets` are those of the reverse one |
| `netflow.flow_end_reason` | the number of element 136 |
| `network.application` | in lower case |
| `network.iana_number` | an int, as Filebeat sends it; Elasticsearch indexes it as text |

## Fewer attributes

`NETFLOW_ATTRIBUTES_ALLOW` and `NETFLOW_ATTRIBUTES_DENY` are lists of names in the chosen schema; `*` at the end of one stands
for any rest (`netflow.flow.*`). Spans have what is allowed, everything when that list is absent, and not denied. The
attributes of `netflow.export` and the elements below are among them. What is left out costs nothing: it is not read.

## Elements as they are

`NETFLOW_ATTRIBUTES_EXTRA` adds elements of the record to `netflow.flow` as `netflow.ie.NAME`: a list of names
(`flowEndReason`) and numbers (`2636:137`; 0 for IANA and NetFlow v9), or `all`. Names are those of the registry, of a file of
your own (`NETFLOW_ELEMENTS`), or what the exporter tells (RFC 5610); an element without one is `netflow.ie.PEN.ID`.

| value | attribute |
|---|---|
| integers | int; above 2^63 - 1 it stays there |
| times | int, Unix nanoseconds |
| floats, booleans | double, boolean |
| text | string, cut at the first NUL and at 1,024 bytes, what is no UTF-8 or controls a terminal as U+FFFD |
| addresses | string |
| lists, bytes, elements nobody knows | string, `0x` and hexadecimal digits of at most 128 bytes |

Of an element that occurs several times in a record, the first counts.
";

pub(super) fn generate(_root: &Path) -> Result<String> {
    let mut page = HEAD.to_owned();
    for (span, intro) in [
        (
            "netflow.export",
            "One for each export datagram; `netflow.parse_packet` and `netflow.process_flows` below it have none.",
        ),
        ("netflow.flow", "One for each flow record."),
    ] {
        write!(
            page,
            "\n## `{span}`\n\n{intro}\n\n| `netflow` | type | `semconv` | `ecs` | |\n|---|---|---|---|---|\n"
        )?;
        for attribute in
            Attribute::ALL.iter().filter(|attribute| matches!(attribute.span(), on if on == span || on == "both"))
        {
            let (key, kind) = (attribute.key(Schema::Netflow), attribute.value_type(Schema::Netflow));
            let other = |schema| renamed(*attribute, schema);
            let (semconv, ecs) = (other(Schema::Semconv), other(Schema::Ecs));
            writeln!(page, "| `{key}` | {} | {semconv} | {ecs} | {} |", kind.name(), attribute.description())?;
        }
    }
    page.push_str(TAIL);
    Ok(page)
}

/// What differs in another schema: the key, and the type where that differs too.
fn renamed(attribute: Attribute, schema: Schema) -> String {
    let (key, kind) = (attribute.key(schema), attribute.value_type(schema));
    match (key == attribute.key(Schema::Netflow), kind == attribute.value_type(Schema::Netflow)) {
        (true, _) => String::new(),
        (false, true) => format!("`{key}`"),
        (false, false) => format!("`{key}` ({})", kind.name()),
    }
}
