//! Captures that nobody wrote.

use flow_capture::Capture;

/// A file of any bytes: it is no capture, or gives datagrams until it ends or breaks. Frames take bytes of it, so that there
/// are no more than it has, and each has one fate.
pub fn capture(data: &[u8]) {
    let Ok(mut capture) = Capture::open(data) else {
        return;
    };
    let mut datagrams = 0;
    while let Ok(Some(datagram)) = capture.next_datagram() {
        datagrams += 1;
        assert_eq!(datagram.number, datagrams);
        assert!(datagram.payload.len() <= data.len(), "{} bytes", datagram.payload.len());
    }
    let stats = capture.stats();
    assert_eq!((stats.datagrams, stats.frames <= data.len() as u64), (datagrams, true));
    let skipped = stats.unknown_link_type + stats.not_ip + stats.not_udp + stats.malformed;
    assert_eq!(stats.frames, stats.datagrams - stats.reassembled + stats.fragments + skipped, "{stats:?}");
    assert!(matches!(capture.next_datagram(), Ok(None)), "it has ended");
}
