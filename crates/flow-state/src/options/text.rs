//! Text out of options data, which people and terminals will see.

use std::borrow::Cow;

/// Longest text that is kept, in bytes.
const MAX_LEN: usize = 256;

/// Text that an exporter sent, fit to be shown: cut at the first NUL and at 256 bytes, without white space at its ends;
/// what is no UTF-8 and what controls a terminal becomes U+FFFD. `None` when nothing remains.
pub(super) fn display(bytes: &[u8]) -> Option<Cow<'_, str>> {
    let bytes = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    let text = match String::from_utf8_lossy(bytes.get(..MAX_LEN + 4).unwrap_or(bytes)) {
        Cow::Borrowed(text) => Cow::Borrowed(cut(text)),
        Cow::Owned(text) => Cow::Owned(cut(&text).to_owned()),
    };
    let is_control = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let text = if text.contains(is_control) {
        Cow::Owned(cut(&text.replace(is_control, "\u{fffd}")).to_owned())
    } else {
        text
    };
    (!text.is_empty()).then_some(text)
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_LEN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rule Q55: padded with NUL, not always UTF-8, with line ends.
    #[test]
    fn q55_text_is_cut_at_nul_and_shown_lossy() {
        for (bytes, text) in [
            (&b"ge-0/0/1\0\0\0"[..], Some("ge-0/0/1")),
            (b"uplink\0junk behind", Some("uplink")),
            (b"WAN link \r\n", Some("WAN link")),
            (b"caf\xe9", Some("caf\u{fffd}")),
            ("Zürich".as_bytes(), Some("Zürich")),
            (b"\x1b[31mred", Some("\u{fffd}[31mred")),
            ("a\u{202e}b".as_bytes(), Some("a\u{fffd}b")),
            (b"\0\0\0", None),
            (b" \r\n", None),
            (b"", None),
        ] {
            assert_eq!(display(bytes).as_deref(), text, "{bytes:?}");
        }
        assert!(matches!(display(b"plain\0"), Some(Cow::Borrowed("plain"))), "what needs no change is not copied");
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        let long = display("ü".repeat(400).as_bytes()).unwrap().into_owned();
        assert_eq!(long, "ü".repeat(128));
        let controls = display(&[7; 400]).unwrap().into_owned();
        assert!(controls.len() <= MAX_LEN && controls.chars().all(|c| c == '\u{fffd}'), "{}", controls.len());
        let broken = display(&[0xff; 400]).unwrap().into_owned();
        assert!(broken.len() <= MAX_LEN, "{}", broken.len());
    }
}
