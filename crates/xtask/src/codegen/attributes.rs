//! `docs/attributes.md` from the schema.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;
use flow_semconv::{Attribute, Schema};

const HEAD: &str = "\
# Attributes

<!-- Written by `cargo xtask codegen` from flow-semconv; edit crates/flow-semconv/src/attribute.rs instead. -->

What a span says, in the schema `netflow`. A fact that the exporter did not send is an absent attribute; integers are
integers; counters are as exported, never scaled. Element numbers are those of the IANA registry of IPFIX Information
Elements, which NetFlow v9 shares; v1, v5 and v7 records carry the same elements at fixed places.

All spans are of kind INTERNAL and carry processing time. The status is unset, except for an error on `netflow.export`
when a part of the datagram could not be read, and on `netflow.flow` when the forwarding status says dropped.

Resource attributes: `service.name` (`netflow-to-traces`), `service.version`, `service.instance.id`, and what `OTEL_RESOURCE_ATTRIBUTES` adds.
";

const TAIL: &str = "
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
        write!(page, "\n## `{span}`\n\n{intro}\n\n| key | type | |\n|---|---|---|\n")?;
        for attribute in
            Attribute::ALL.iter().filter(|attribute| matches!(attribute.span(), on if on == span || on == "both"))
        {
            let key = attribute.key(Schema::Netflow);
            writeln!(page, "| `{key}` | {} | {} |", attribute.value_type().name(), attribute.description())?;
        }
    }
    page.push_str(TAIL);
    Ok(page)
}
