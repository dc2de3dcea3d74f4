//! XDP programs on interfaces of their own: two network namespaces with a pair of interfaces between them.
//!
//! Needs root, iproute2, bpftool, clang, the headers of libbpf and xdp-tools.

mod lab;
pub(super) mod maps;
pub(super) mod program;
pub(super) mod prometheus;

pub(super) use lab::compile;
