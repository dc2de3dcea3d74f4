//! Only public API is used here, so this package doubles as an API test.
