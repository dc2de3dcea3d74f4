//! What an IPFIX Collecting Process remembers between datagrams, for NetFlow v1, v5, v7, v8, v9, IPFIX and sFlow.
//!
//! [`State`] keeps Templates, options data and sequence numbers per Transport Session and Observation Domain, and the
//! Data Sets that wait for their Template. It is a value: no sockets, no clock, no callbacks. A datagram goes in with
//! its session and the time of receipt, a reusable [`Decoded`] comes out, from which [`FlowRecord`]s are read in place.
//! Workers share one `State` by reference.
//!
//! ```
//! use flow_state::{Datagram, Decoded, State, StateConfig, Timestamp, TransportSession};
//!
//! let state = State::new(StateConfig::default());
//! let session = TransportSession::new("192.0.2.1:50000".parse()?, "192.0.2.2:2055".parse()?);
//! let bytes = [
//!     0, 9, 0, 2, 0, 0, 0, 1, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 1, 0, 0, 0, 7, // NetFlow v9, Observation Domain 7
//!     0, 0, 0, 12, 1, 0, 0, 1, 0, 1, 0, 4, // Template 256: octetDeltaCount(1), 4 bytes
//!     1, 0, 0, 8, 0, 0, 5, 0xdc, // one record of Template 256
//! ];
//! let mut decoded = Decoded::default();
//! let received_at = Timestamp::from_unix_seconds(1_700_000_000);
//! state.decode(&Datagram::new(session, received_at, &bytes), &mut decoded);
//!
//! let octets: Vec<_> = decoded.data_sets(&bytes).flat_map(|set| set.flows()).map(|flow| flow.octets()).collect();
//! assert_eq!(octets, [Some(1500)]);
//! assert!(decoded.issues().is_empty());
//! # Ok::<(), std::net::AddrParseError>(())
//! ```
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod decode;
mod decoded;
mod domain;
mod flow;
mod ledger;
mod options;
mod packet;
mod pending;
mod plan;
mod profile;
mod sequence;
mod session;
mod sflow;
mod snapshot;
mod store;

pub use decoded::{Accounting, DataSet, Decoded, IssueLog, MessageContext, StateEvent};
pub use flow::{
    BiflowDirection, CommonFields, CommonRecords, FirewallAction, FirewallEvent, FlowEvent, FlowGroup, FlowGroups,
    FlowRecord, FlowTime, Flows, Forwarding, ForwardingStatus, Icmp, Interface, MplsLabel, Nat, NatAction, NatEvent,
    NatQuota, NatThreshold, PortBlock, ReverseFlow, ReverseOrigin, TimeSource,
};
pub use flow_wire::{DecodeError, DecodeErrorKind, Timestamp, Version};
pub use options::{
    Element, ElementError, ElementNumber, ElementTable, LearnedElement, Named, OptionsTables, Sampler, Sampling,
    SamplingAlgorithm, SamplingRate, SamplingSource,
};
pub use packet::{EthernetHeader, Few, IpHeader, PacketHeaders, SampledPacket, Tunnel, TunnelledPacket};
pub use pending::PendingStats;
pub use plan::{Fact, FlowPlan};
pub use profile::{Clock, ExporterProfile, ExporterProfiles};
pub use sequence::SequenceStatus;
pub use session::{Datagram, TemplateScope, Transport, TransportSession};
pub use snapshot::{Restored, SnapshotError};
pub use store::{InnerTemplates, KnownTemplate, State, StateConfig};
