//! Ethernet frames as bytes choose them: mostly well-formed, with tags, options, extension headers and fragments, few
//! addresses and ports so that flows come again, and some that are damaged or cut.

/// Shortest frame: the kernel lets no program see less.
const MIN_LEN: usize = 14;

/// The next choice; zeros when there are no more.
struct Choices<'a>(std::slice::Iter<'a, u8>);

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    /// Once in `count` times.
    fn rarely(&mut self, count: u8) -> bool {
        self.byte() % count == count - 1
    }
}

/// One frame, of 14 bytes at least.
pub fn frame(choices: &[u8]) -> Vec<u8> {
    let mut choices = Choices(choices.iter());
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
    for _ in 0..choices.one(&[0, 0, 0, 1, 1, 2, 3]) {
        let kind: u16 = choices.one(&[0x8100, 0x88a8]);
        frame.extend(kind.to_be_bytes());
        frame.extend([0, choices.byte()]);
    }
    match choices.one(&[4, 4, 4, 4, 6, 6, 6, 6, 1, 0]) {
        4 => ipv4(&mut choices, &mut frame),
        6 => ipv6(&mut choices, &mut frame),
        1 => frame.extend([[0x08, 0x06].as_slice(), &[0; 28]].concat()),
        _ => {
            let kind: u16 = choices.one(&[0x88cc, 0x0026, 0x8847, 0xffff]);
            frame.extend(kind.to_be_bytes());
            frame.extend(choices.0.clone().take(50));
        }
    }
    if choices.rarely(8) {
        let at = usize::from(choices.byte()) % frame.len();
        frame[at] = choices.byte();
    }
    match choices.byte() % 8 {
        // Padding of short frames.
        0 | 1 => frame.resize(frame.len().max(60), 0),
        2 => frame.truncate(usize::from(choices.byte()) % (frame.len() + 1)),
        _ => {}
    }
    frame.resize(frame.len().max(MIN_LEN), 0);
    frame
}

fn ipv4(choices: &mut Choices<'_>, frame: &mut Vec<u8>) {
    let options = if choices.rarely(4) { usize::from(choices.byte() % 11) } else { 0 };
    let protocol = choices.one(&[6, 6, 6, 17, 17, 1, 58, 132, 47, 0]);
    let payload = transport(choices, protocol);
    let fragment: u16 = choices.one(&[0, 0, 0x4000, 0x2000, 0x2001, 0x0010, 0x1fff]);
    let len = 20 + options * 4 + payload.len();
    let said = if choices.rarely(8) { choices.one(&[0, 1, 19, 0xffff]) } else { len as u16 };
    frame.extend([0x08, 0x00, 0x45 + options as u8, 0]);
    frame.extend([said, 0, fragment].map(u16::to_be_bytes).as_flattened());
    frame.extend([64, protocol, 0, 0]);
    for _ in 0..2 {
        frame.extend([192, 0, 2, choices.byte() % 3]);
    }
    frame.resize(frame.len() + options * 4, 1);
    frame.extend(payload);
}

fn ipv6(choices: &mut Choices<'_>, frame: &mut Vec<u8>) {
    let extensions: Vec<u8> =
        (0..choices.one(&[0, 0, 0, 1, 2, 3, 4, 5])).map(|_| choices.one(&[0, 43, 60, 44])).collect();
    let protocol = choices.one(&[6, 6, 6, 17, 17, 58, 1, 132, 47, 59]);
    let mut payload = Vec::new();
    for (place, kind) in extensions.iter().enumerate() {
        let next = extensions.get(place + 1).copied().unwrap_or(protocol);
        let words = if *kind == 44 || !choices.rarely(3) { 0 } else { choices.one(&[1, 2, 3, 255]) };
        let offset: u16 = if *kind == 44 { choices.one(&[0, 1, 1, 8, 0xfff8, 0x0009]) } else { 0 };
        payload.extend([next, words]);
        payload.extend(offset.to_be_bytes());
        // Of 255 words most are not there: a header that claims more than the frame has.
        payload.resize(payload.len() + 4 + usize::from(words).min(8) * 8, 0);
    }
    payload.extend(transport(choices, protocol));
    let said = if choices.rarely(8) { choices.one(&[0, 1, 0xffff]) } else { payload.len() as u16 };
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend(said.to_be_bytes());
    frame.extend([extensions.first().copied().unwrap_or(protocol), 64]);
    for _ in 0..2 {
        // One of them is an IPv4 address mapped into IPv6.
        let prefix: [u8; 12] = choices
            .one(&[[0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]]);
        frame.extend(prefix);
        frame.extend([192, 0, 2, choices.byte() % 3]);
    }
    frame.extend(payload);
}

/// Headers behind IP, at times cut.
fn transport(choices: &mut Choices<'_>, protocol: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..2 {
        let port: u16 = choices.one(&[0, 53, 443, 0xd431]);
        bytes.extend(port.to_be_bytes());
    }
    if protocol == 6 {
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, choices.byte(), 0, 0, 0, 0, 0, 0]);
    } else {
        bytes.extend([0, 8, 0, 0]);
    }
    bytes.resize(bytes.len() + usize::from(choices.byte() % 64), 0xaa);
    if choices.rarely(8) {
        bytes.truncate(usize::from(choices.byte() % 16));
    }
    bytes
}
