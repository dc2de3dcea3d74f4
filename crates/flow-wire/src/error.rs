//! Why bytes were not decoded, and where.

use core::fmt;

/// Why a datagram, a Set or a record was rejected, and where.
///
/// `offset` counts bytes from the start of the datagram, so it can be found in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at byte {offset}")]
pub struct DecodeError {
    /// Bytes from the start of the datagram.
    pub offset: usize,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

impl DecodeError {
    /// An error at `offset` bytes from the start of the datagram.
    pub const fn new(offset: usize, kind: DecodeErrorKind) -> Self {
        Self { offset, kind }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $(($field:ty))? = $name:literal, $text:literal;)*) => {
        /// One variant per cause, with the offending number where there is one.
        ///
        /// Some kinds only note what was odd and cost no byte; which ones is said at each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum DecodeErrorKind {
            $($(#[$doc])* $variant $(($field))?,)*
        }

        impl DecodeErrorKind {
            /// The name of every kind, in the order of [`DecodeErrorKind::index`].
            pub const NAMES: &[&str] = &[$($name),*];

            /// Stable name for logs and metric labels: lower case, underscores.
            pub const fn name(self) -> &'static str {
                Self::NAMES[self.index()]
            }

            /// Position in [`DecodeErrorKind::NAMES`], for tables of counters.
            pub const fn index(self) -> usize {
                #[repr(usize)]
                enum Index { $($variant),* }
                match self {
                    $(kinds!(@pattern $variant $(($field))?) => Index::$variant as usize,)*
                }
            }
        }

        impl fmt::Display for DecodeErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    $(kinds!(@bind number $variant $(($field))?) => kinds!(@show f number $text $(($field))?),)*
                }
            }
        }
    };
    (@pattern $variant:ident) => { Self::$variant };
    (@pattern $variant:ident ($field:ty)) => { Self::$variant(_) };
    (@bind $number:ident $variant:ident) => { Self::$variant };
    (@bind $number:ident $variant:ident ($field:ty)) => { Self::$variant($number) };
    (@show $f:ident $number:ident $text:literal) => { $f.write_str($text) };
    (@show $f:ident $number:ident $text:literal ($field:ty)) => { write!($f, concat!($text, " {}"), $number) };
}

kinds! {
    /// The datagram ends inside the Message Header.
    HeaderTruncated = "header_truncated", "message header cut short";
    /// The first two bytes name a version that is not 1, 5, 7, 8, 9 or 10.
    UnsupportedVersion(u16) = "unsupported_version", "unsupported version";
    /// The datagram is longer than 65,535 bytes, which no UDP datagram and no IPFIX Message can be.
    DatagramTooLong(usize) = "datagram_too_long", "datagram longer than 65535 bytes:";
    /// An IPFIX Message length smaller than its own header.
    MessageTooShort(u16) = "message_too_short", "message length shorter than its header:";
    /// An IPFIX Message length larger than the datagram; what is there is decoded. Costs no byte.
    MessageTruncated(u16) = "message_truncated", "message length larger than the datagram:";
    /// Bytes that belong to no Set or record: zero fill up to a fixed datagram size, or more than the count announced.
    TrailingBytes(usize) = "trailing_bytes", "bytes after the last set:";
    /// A v8 aggregation scheme that nobody documented; its records are skipped.
    AggregationUnknown(u8) = "aggregation_unknown", "unknown aggregation scheme";
    /// A v1, v5, v7 or v8 count that is larger than the records present, or a v9 count that is that of nothing in the
    /// Message. Costs no byte.
    CountMismatch(u16) = "count_mismatch", "header count does not match the datagram:";
    /// A Set length smaller than the Set header; nothing behind it can be framed.
    SetTooShort(u16) = "set_too_short", "set length shorter than its header:";
    /// A Set length that runs past its Message; the Set is dropped.
    SetOverrun(u16) = "set_overrun", "set runs past its message, length";
    /// A reserved Set ID (RFC 7011 section 3.3.2); the Set is skipped by its length.
    ReservedSet(u16) = "reserved_set", "reserved set id";
    /// A NetFlow v9 Set ID (0, 1) inside IPFIX, read as the Template Set it is meant to be. Costs no byte.
    ForeignTemplateSet(u16) = "foreign_template_set", "NetFlow v9 set id in IPFIX:";
    /// A Set with a header and nothing else. Costs no byte.
    EmptySet = "empty_set", "empty set";
    /// A Template ID below 256; that Template is rejected.
    TemplateIdReserved(u16) = "template_id_reserved", "template id below 256:";
    /// A NetFlow v9 Template without fields; that Template is rejected.
    TemplateEmpty(u16) = "template_empty", "template without fields, id";
    /// A Template Record that ends before its last Field Specifier.
    TemplateTruncated(u16) = "template_truncated", "template runs past its set, id";
    /// More fields than the limit in force.
    TemplateTooManyFields(u16) = "template_too_many_fields", "template with too many fields:";
    /// Every field or more than 64 have length 0, or the shortest record is longer than a datagram.
    TemplateRecordLength(u16) = "template_record_length", "template whose records have an impossible length, id";
    /// An Options Template with more scope fields than fields.
    TemplateScopeCount(u16) = "template_scope_count", "options template with too many scope fields:";
    /// NetFlow v9 Options Template lengths that are not whole Field Specifiers and padding.
    TemplateOptionsLength(u16) = "template_options_length", "options template with uneven lengths, id";
    /// A Template Withdrawal that RFC 7011 section 8.4 forbids over UDP; ignored.
    WithdrawalIgnored(u16) = "withdrawal_ignored", "template withdrawal over UDP ignored, id";
    /// A Data Set whose Template is not known.
    TemplateUnknown(u16) = "template_unknown", "no template for data set";
    /// A record whose variable-length field runs past its Set; the rest of the Set is dropped.
    RecordOverrun(u16) = "record_overrun", "record runs past its set, template";
    /// A list that ends inside its header, an element or a record (RFC 6313).
    ListTruncated = "list_truncated", "list cut short";
    /// A list whose elements have no bytes, or a part of a list shorter than its own header.
    ListElementLength(u16) = "list_element_length", "list with elements of impossible length";
    /// Lists in lists deeper than the limit.
    ListTooDeep(u8) = "list_too_deep", "list nested deeper than";
    /// More elements in a tree of lists than the limit.
    ListTooLong(u32) = "list_too_long", "lists with more elements than";
    /// Padding that is not zero. Costs no byte.
    PaddingNotZero = "padding_not_zero", "padding is not zero";
    /// The address of an sFlow agent is neither unknown, IPv4 nor IPv6; nothing behind it can be read.
    AgentAddressType(u32) = "agent_address_type", "unknown type of agent address";
    /// An sFlow datagram that ends before all samples it announces; what is there was read. The number of those found.
    SampleCount(u32) = "sample_count", "more samples announced than present:";
    /// An sFlow sample whose length runs past its datagram; nothing behind it can be framed.
    SampleOverrun(u32) = "sample_overrun", "sample runs past its datagram, length";
    /// A sample that is shorter than its format has it; skipped.
    SampleTruncated(u32) = "sample_truncated", "sample cut short, format";
    /// A sample of a format that is not sFlow's own; skipped by its length.
    SampleUnknown(u32) = "sample_unknown", "unknown sample format";
    /// A record that runs past its sample, or is announced and not there; the rest of the sample is dropped.
    SampleRecordOverrun(u32) = "sample_record_overrun", "record runs past its sample, length";
    /// A record of a sample that is shorter than its format has it; skipped.
    SampleRecordTruncated(u32) = "sample_record_truncated", "record of a sample cut short, format";
    /// State would exceed its budget; what did not fit was dropped.
    BudgetExceeded = "budget_exceeded", "state budget exceeded";
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn says_what_and_where() {
        let error = DecodeError::new(24, DecodeErrorKind::SetTooShort(2));
        assert_eq!(error.to_string(), "set length shorter than its header: 2 at byte 24");
        assert_eq!(error.kind.name(), "set_too_short");
        assert_eq!(DecodeErrorKind::NAMES[error.kind.index()], error.kind.name());
    }

    #[test]
    fn names_are_unique() {
        let mut names = DecodeErrorKind::NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), DecodeErrorKind::NAMES.len());
    }
}
