//! XDP programs on interfaces of their own: two network namespaces with a pair of interfaces between them.
//!
//! Needs root, iproute2, util-linux, bpftool, clang, the headers of libbpf and xdp-tools.

pub(super) mod bursts;
pub(super) mod flows;
mod lab;
pub(super) mod maps;
mod points;
pub(super) mod program;
pub(super) mod prometheus;
pub(super) mod replaced;
pub(super) mod rights;

pub(super) use lab::compile;
