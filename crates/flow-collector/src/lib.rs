//! Sockets, workers and shutdown of a flow collector.
