//! What exporters really send, and what becomes of it: a rule a test, numbered, each with the twin that breaks it.
//!
//! One rule stands over all: a damaged or unknown Set costs no other Set, everything readable is delivered, everything
//! else is counted by kind with its offset. Each byte of each datagram here has one fate.
#![allow(clippy::unwrap_used)]

mod common;
mod flows;
mod framing;
mod options;
mod sessions;
mod templates;
mod values;
