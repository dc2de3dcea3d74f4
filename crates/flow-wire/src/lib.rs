//! Zero-copy decoding of NetFlow v1, v5, v7, v8, v9 and IPFIX messages, and of sFlow v5 datagrams.
//!
//! One datagram is borrowed as a [`Message`]; its [`Set`]s, Template Records and [`DataRecord`]s are slices of it. Words
//! are those of RFC 7011 for every version: a NetFlow v9 "FlowSet" is a [`Set`], a "Source ID" an Observation Domain
//! ID, and the records of v1, v5, v7 and v8 belong to [built-in Templates](legacy).
//! [`sflow`] reads samples of packets, which are no Sets; `flow-state` makes records of them.
//!
//! Nothing here remembers an earlier datagram, reads a clock or opens a socket: Templates come from the caller. The
//! crate `flow-state` keeps them per Transport Session and Observation Domain.
//!
//! ```
//! use flow_wire::{Message, SetKind, Template, TemplateLimits};
//!
//! let datagram = [
//!     0, 9, 0, 2, 0, 0, 0, 1, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7, // NetFlow v9, Observation Domain 7
//!     0, 0, 0, 12, 1, 0, 0, 1, 0, 1, 0, 4, // Template 256: octetDeltaCount(1), 4 bytes
//!     1, 0, 0, 8, 0, 0, 5, 0xdc, // one record of Template 256
//! ];
//! let message = Message::decode(&datagram)?;
//! let mut template = None;
//! for set in message.sets() {
//!     let set = set?;
//!     match set.kind {
//!         SetKind::Template => {
//!             for record in message.template_records(&set) {
//!                 template = Some(Template::compile(&record?, &TemplateLimits::default())?);
//!             }
//!         }
//!         SetKind::Data => {
//!             let template = template.as_ref().expect("the Template came first");
//!             let record = message.records(&set, template).next().expect("one record");
//!             let field = record.fields().next().expect("one field");
//!             assert_eq!(field.name(), Some("octetDeltaCount"));
//!             assert_eq!(field.value(), flow_wire::Value::Unsigned(1500));
//!         }
//!         _ => {}
//!     }
//! }
//! # Ok::<(), flow_wire::DecodeError>(())
//! ```
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod encode;
mod error;
mod front;
pub mod ie;
pub mod legacy;
pub mod list;
mod message;
mod record;
pub mod sflow;
mod template;
mod time;
mod value;

pub use error::{DecodeError, DecodeErrorKind};
pub use front::{Fronts, RecordFront};
pub use message::{Message, MessageHeader, Set, SetId, SetKind, Sets, Version};
pub use record::{DataRecord, Field, Fields, Records, Remainder};
pub use template::{
    FieldSpecifier, Locator, Template, TemplateLimits, TemplateRecord, TemplateRecords, VARIABLE_LENGTH,
};
pub use time::Timestamp;
pub use value::{ApplicationId, Text, Value, ValueError};
