//! Corpus, invariants and fake servers for the tests of this workspace; never shipped.
//!
//! An invariant is one function over bytes that panics when it is broken. It runs as a property test, over the corpus,
//! and under cargo-fuzz.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

pub mod corpus;
pub mod differential;
pub mod faults;
pub mod frames;
pub mod invariants;
pub mod otlp_server;
pub mod seeds;
pub mod sequences;
pub mod service_graph;
pub mod tls;
