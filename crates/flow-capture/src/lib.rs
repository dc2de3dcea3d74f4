//! UDP datagrams out of pcap and pcapng captures.
