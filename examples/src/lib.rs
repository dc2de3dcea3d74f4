//! Only public API is used here, so this package doubles as an API test.

/// Compiles the README's code.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
