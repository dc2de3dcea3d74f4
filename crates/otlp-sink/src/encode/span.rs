//! A span under construction.

use std::net::{IpAddr, Ipv4Addr};

use super::address::{MAX_ADDRESS_LEN, put_ipv4, put_ipv6};
use super::attribute_key::{AttributeKey, PREFIX_LEN};
use super::fragment::AttributeFragment;
use super::int_row::IntRow;
use super::wire::{copy_short, put_varint, spread_varint, varint_len};
use super::{BatchEncoder, SPAN_HEAD_LEN, SpanContext, SpanKind, cut};

/// Strings up to this length take the path without a call to `memcpy`. With the longest prepared key the length of
/// the `KeyValue` then still fits one byte.
pub(super) const SHORT_STRING_LEN: usize = 48;

/// One span under construction.
///
/// Strings longer than [`MAX_STRING_LEN`](super::MAX_STRING_LEN) are cut at a character boundary, and attributes are held to
/// the [`SpanLimits`](super::SpanLimits). Keys have to be unique within a span, which is not checked.
#[derive(Debug)]
pub struct SpanBuilder<'a> {
    pub(super) encoder: &'a mut BatchEncoder,
    pub(super) pos: usize,
    /// Attributes so far.
    pub(super) attributes: usize,
}

impl SpanBuilder<'_> {
    /// Adds an integer attribute.
    #[inline]
    pub fn int(&mut self, key: &AttributeKey, value: i64) -> &mut Self {
        self.attributes += 1;
        let Some(prefix) = key.prefix() else { return self.int_unprepared(key, value) };
        let value = value as u64; // negative numbers are 10 bytes long, as protobuf has it
        let value_len = varint_len(value);
        let prefix_len = prefix.len();
        let out = self.window::<{ PREFIX_LEN + 16 }>();
        prefix.write(out, 3 + value_len);
        out[prefix_len] = 0x12;
        out[prefix_len + 1] = 1 + value_len as u8;
        out[prefix_len + 2] = 0x18;
        match spread_varint(value) {
            Some(bytes) => out[prefix_len + 3..prefix_len + 12].copy_from_slice(&bytes),
            None => {
                put_varint(&mut out[prefix_len + 3..], value);
            }
        }
        self.pos += prefix_len + 3 + value_len;
        self
    }

    /// Adds a string attribute.
    #[inline]
    pub fn str(&mut self, key: &AttributeKey, value: &str) -> &mut Self {
        self.attributes += 1;
        let len = value.len();
        let Some(prefix) = key.prefix().filter(|_| len <= SHORT_STRING_LEN) else {
            return self.str_unprepared(key, value);
        };
        let prefix_len = prefix.len();
        let out = self.window::<{ PREFIX_LEN + 4 + SHORT_STRING_LEN }>();
        prefix.write(out, 4 + len);
        out[prefix_len] = 0x12;
        out[prefix_len + 1] = 2 + len as u8;
        out[prefix_len + 2] = 0x0a;
        out[prefix_len + 3] = len as u8;
        copy_short(&mut out[prefix_len + 4..], value.as_bytes());
        self.pos += prefix_len + 4 + len;
        self
    }

    /// Adds a text of at most 48 ASCII characters, given with room behind it so that it is a copy of constant size. The
    /// upper bit of each byte is cleared, which keeps the text valid UTF-8 without a look at it.
    #[inline]
    pub fn ascii(&mut self, key: &AttributeKey, text: &[u8; SHORT_STRING_LEN], len: usize) -> &mut Self {
        self.attributes += 1;
        let len = len.min(SHORT_STRING_LEN);
        let text = text.map(|byte| byte & 0x7f);
        let Some(prefix) = key.prefix() else {
            return self.str_unprepared(key, str::from_utf8(&text[..len]).unwrap_or_default());
        };
        let prefix_len = prefix.len();
        let out = self.window::<{ PREFIX_LEN + 4 + SHORT_STRING_LEN }>();
        prefix.write(out, 4 + len);
        out[prefix_len..prefix_len + 4].copy_from_slice(&[0x12, 2 + len as u8, 0x0a, len as u8]);
        out[prefix_len + 4..prefix_len + 4 + SHORT_STRING_LEN].copy_from_slice(&text);
        self.pos += prefix_len + 4 + len;
        self
    }

    /// Adds an IP address as text.
    #[inline]
    pub fn address(&mut self, key: &AttributeKey, address: IpAddr) -> &mut Self {
        match address {
            IpAddr::V4(address) => self.ipv4(key, address),
            IpAddr::V6(v6) => self.written(key, address, |room| put_ipv6(room, v6)),
        }
    }

    /// Adds an IPv4 address as text.
    #[inline]
    pub fn ipv4(&mut self, key: &AttributeKey, address: Ipv4Addr) -> &mut Self {
        self.written(key, IpAddr::V4(address), |room| put_ipv4(room, address))
    }

    /// The text of an address, which `put` writes in place.
    #[inline(always)]
    fn written(
        &mut self,
        key: &AttributeKey,
        address: IpAddr,
        put: impl FnOnce(&mut [u8; MAX_ADDRESS_LEN]) -> usize,
    ) -> &mut Self {
        self.attributes += 1;
        let Some(prefix) = key.prefix() else { return self.address_unprepared(key, address) };
        let prefix_len = prefix.len();
        let out = self.window::<{ PREFIX_LEN + 4 + MAX_ADDRESS_LEN }>();
        prefix.write(out, 4);
        let room = out[prefix_len + 4..].first_chunk_mut();
        let len = room.map_or(0, put);
        // Only now the lengths are known.
        out[1] = (prefix_len + 2 + len) as u8;
        let head = u32::from_le_bytes([0x12, 2, 0x0a, 0]) + (len as u32) * 0x0100_0100;
        out[prefix_len..prefix_len + 4].copy_from_slice(&head.to_le_bytes());
        self.pos += prefix_len + 4 + len;
        self
    }

    /// Adds attributes that were encoded before.
    #[inline]
    pub fn fragment(&mut self, fragment: &AttributeFragment) -> &mut Self {
        self.put(&fragment.bytes);
        self.attributes += fragment.attributes;
        self
    }

    /// Adds the attributes of a row, with these values in its order. A value too large for its column, or above
    /// `i64::MAX`, stays at the largest that there is room for; values that are missing are 0.
    #[inline]
    pub fn int_row(&mut self, row: &IntRow, values: impl Iterator<Item = u64>) -> &mut Self {
        let start = self.pos;
        self.attributes += row.len();
        self.put(row.as_bytes());
        let _ = self.window::<{ IntRow::ROOM }>();
        row.fill(&mut self.encoder.buf[start..], values);
        self
    }

    /// Adds a boolean attribute.
    #[inline]
    pub fn bool(&mut self, key: &AttributeKey, value: bool) -> &mut Self {
        self.any_value(key, &[0x10, u8::from(value)])
    }

    /// Adds a floating point attribute.
    #[inline]
    pub fn double(&mut self, key: &AttributeKey, value: f64) -> &mut Self {
        let mut any_value = [0x21; 9];
        any_value[1..].copy_from_slice(&value.to_le_bytes());
        self.any_value(key, &any_value)
    }

    /// Adds an attribute that is an array of strings.
    pub fn str_array<'s>(&mut self, key: &AttributeKey, values: impl IntoIterator<Item = &'s str>) -> &mut Self {
        self.attributes += 1;
        self.nested(0x4a, |span| {
            span.string_field(0x0a, key.as_str());
            span.nested(0x12, |span| {
                span.nested(0x2a, |span| {
                    for value in values {
                        span.nested(0x0a, |span| span.string_value(value));
                    }
                });
            });
        });
        self
    }

    /// Sets the W3C `tracestate`; call it at most once.
    pub fn trace_state(&mut self, trace_state: &str) -> &mut Self {
        self.string_field(0x1a, trace_state);
        self
    }

    /// Adds a link to a span of this or another trace.
    pub fn link(&mut self, trace_id: [u8; 16], span_id: [u8; 8]) -> &mut Self {
        let out = self.window::<30>();
        out[..4].copy_from_slice(&[0x6a, 28, 0x0a, 16]);
        out[4..20].copy_from_slice(&trace_id);
        out[20..22].copy_from_slice(&[0x12, 8]);
        out[22..].copy_from_slice(&span_id);
        self.pos += 30;
        self
    }

    /// Sets the status to `Error` with a message, which may be empty; call it at most once.
    pub fn status_error(&mut self, message: &str) -> &mut Self {
        self.nested(0x7a, |span| {
            if !message.is_empty() {
                span.string_field(0x12, message);
            }
            span.put(&[0x18, 2]);
        });
        self
    }

    /// Ends the span; the same happens when the builder goes out of scope.
    #[inline]
    pub fn end(self) {}

    #[inline]
    pub(super) fn begin(&mut self, context: SpanContext, kind: SpanKind, start_unix_nano: u64, end_unix_nano: u64) {
        let out = self.window::<58>();
        out[..2].copy_from_slice(&[0x0a, 16]);
        out[2..18].copy_from_slice(&context.trace_id);
        out[18..20].copy_from_slice(&[0x12, 8]);
        out[20..28].copy_from_slice(&context.span_id);
        out[28] = 0x39;
        out[29..37].copy_from_slice(&start_unix_nano.to_le_bytes());
        out[37] = 0x41;
        out[38..46].copy_from_slice(&end_unix_nano.to_le_bytes());
        out[46..48].copy_from_slice(&[0x30, kind as u8]);
        let mut len = 48;
        if let Some(parent) = context.parent_span_id {
            out[48..50].copy_from_slice(&[0x22, 8]);
            out[50..58].copy_from_slice(&parent);
            len = 58;
        }
        self.pos += len;
    }

    /// The next `N` bytes of the buffer. They belong to the span once `pos` moves past them.
    #[inline(always)]
    fn window<const N: usize>(&mut self) -> &mut [u8; N] {
        let end = self.pos + N;
        if self.encoder.buf.len() < end {
            self.encoder.grow(end);
        }
        self.encoder.buf[self.pos..end].first_chunk_mut().expect("a range of N bytes")
    }

    #[inline(always)]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.pos + bytes.len();
        if self.encoder.buf.len() < end {
            self.encoder.grow(end);
        }
        self.encoder.buf[self.pos..end].copy_from_slice(bytes);
        self.pos = end;
    }

    pub(super) fn varint(&mut self, value: u64) {
        let out = self.window::<10>();
        self.pos += put_varint(out, value);
    }

    #[inline]
    pub(super) fn string_field(&mut self, tag: u8, text: &str) {
        if text.len() > SHORT_STRING_LEN {
            return self.long_string_field(tag, text);
        }
        let out = self.window::<{ 2 + SHORT_STRING_LEN }>();
        out[0] = tag;
        out[1] = text.len() as u8;
        copy_short(&mut out[2..], text.as_bytes());
        self.pos += 2 + text.len();
    }

    #[cold]
    fn long_string_field(&mut self, tag: u8, text: &str) {
        self.bytes_field(tag, cut(text).as_bytes());
    }

    pub(super) fn bytes_field(&mut self, tag: u8, bytes: &[u8]) {
        self.put(&[tag]);
        self.varint(bytes.len() as u64);
        self.put(bytes);
    }

    /// `AnyValue.string_value`, within the limits.
    fn string_value(&mut self, value: &str) {
        let bounds = self.encoder.bounds;
        self.string_field(0x0a, if value.len() > SHORT_STRING_LEN { bounds.cut(value) } else { value });
    }

    /// A message whose length is known only afterwards. One byte is kept for it; longer lengths move the content.
    pub(super) fn nested(&mut self, tag: u8, content: impl FnOnce(&mut Self)) {
        self.put(&[tag, 0]);
        let start = self.pos;
        content(self);
        let len = self.pos - start;
        let extra = varint_len(len as u64) - 1;
        if extra > 0 {
            self.put(&[0; 10][..extra]);
            self.encoder.buf.copy_within(start..start + len, start + extra);
        }
        put_varint(&mut self.encoder.buf[start - 1..], len as u64);
    }

    /// An attribute whose `AnyValue` has the given content, at most 10 bytes.
    #[inline]
    fn any_value(&mut self, key: &AttributeKey, content: &[u8]) -> &mut Self {
        self.attributes += 1;
        let Some(prefix) = key.prefix() else { return self.any_value_unprepared(key, content) };
        let prefix_len = prefix.len();
        let out = self.window::<{ PREFIX_LEN + 12 }>();
        prefix.write(out, 2 + content.len());
        out[prefix_len] = 0x12;
        out[prefix_len + 1] = content.len() as u8;
        out[prefix_len + 2..prefix_len + 2 + content.len()].copy_from_slice(content);
        self.pos += prefix_len + 2 + content.len();
        self
    }

    #[cold]
    fn int_unprepared(&mut self, key: &AttributeKey, value: i64) -> &mut Self {
        let mut content = [0x18; 11];
        let len = 1 + put_varint(&mut content[1..], value as u64);
        self.any_value_unprepared(key, &content[..len])
    }

    #[cold]
    fn any_value_unprepared(&mut self, key: &AttributeKey, content: &[u8]) -> &mut Self {
        self.nested(0x4a, |span| {
            span.string_field(0x0a, key.as_str());
            span.nested(0x12, |span| span.put(content));
        });
        self
    }

    #[cold]
    #[inline(never)]
    fn address_unprepared(&mut self, key: &AttributeKey, address: IpAddr) -> &mut Self {
        self.str_unprepared(key, &address.to_string())
    }

    #[cold]
    fn str_unprepared(&mut self, key: &AttributeKey, value: &str) -> &mut Self {
        self.nested(0x4a, |span| {
            span.string_field(0x0a, key.as_str());
            span.nested(0x12, |span| span.string_value(value));
        });
        self
    }
}

impl Drop for SpanBuilder<'_> {
    #[inline]
    fn drop(&mut self) {
        let start = self.encoder.end;
        let mut len = self.pos - (start + SPAN_HEAD_LEN);
        self.encoder.last_attributes = self.attributes;
        if self.attributes > self.encoder.bounds.unseen {
            len = self.encoder.trim(len);
            self.pos = start + SPAN_HEAD_LEN + len;
        }
        if (128..16_384).contains(&len) {
            let head = [0x12, len as u8 | 0x80, (len >> 7) as u8];
            self.encoder.buf[start..start + SPAN_HEAD_LEN].copy_from_slice(&head);
            self.encoder.end = self.pos;
        } else {
            self.encoder.finish_unusual(len);
        }
        self.encoder.last_span = start;
        self.encoder.spans += 1;
    }
}
