//! Plausible NetFlow and IPFIX export traffic from a seed.
