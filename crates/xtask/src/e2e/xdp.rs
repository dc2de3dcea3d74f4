//! XDP programs on interfaces of their own: two network namespaces with a pair of interfaces between them.
//!
//! Needs root, iproute2, bpftool, clang, the headers of libbpf and xdp-tools.

pub(super) mod bursts;
mod lab;
pub(super) mod maps;
pub(super) mod program;
