//! What an IPFIX Collecting Process remembers: Templates, options data, sequence numbers.
