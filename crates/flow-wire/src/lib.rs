//! Zero-copy decoding of NetFlow v1, v5, v7, v9 and IPFIX messages.
