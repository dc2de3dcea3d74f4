//! Where packets and bytes are in a value, and what keys stand for.

use std::collections::HashSet;
use std::str::FromStr;

use crate::btf::{Btf, Member};
use crate::program::Protocol;
use crate::reading::{Key, MapKind};

/// Verdicts of XDP, as `enum xdp_action` of `linux/bpf.h` numbers them.
const ACTIONS: [&str; 5] = ["aborted", "drop", "pass", "tx", "redirect"];

/// Where packets and bytes are in the value of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    packets: Field,
    bytes: Option<Field>,
}

/// An unsigned integer in this machine's order of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    offset: usize,
    /// 1, 2, 4 or 8.
    size: usize,
}

/// Why a text is no [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected packets@OFFSET:SIZE, and bytes@OFFSET:SIZE after a comma if there are some; sizes are 1, 2, 4 or 8")]
pub struct LayoutError;

/// `packets@0:8,bytes@8:8`: offset and size in bytes.
impl FromStr for Layout {
    type Err = LayoutError;

    fn from_str(text: &str) -> Result<Self, LayoutError> {
        let (mut packets, mut bytes) = (None, None);
        for part in text.split(',') {
            let (name, place) = part.trim().split_once('@').ok_or(LayoutError)?;
            let (offset, size) = place.split_once(':').ok_or(LayoutError)?;
            let number = |text: &str| text.parse::<u16>().map(usize::from).map_err(|_| LayoutError);
            let field = Field { offset: number(offset)?, size: number(size)? };
            let slot = match name {
                "packets" => &mut packets,
                "bytes" => &mut bytes,
                _ => return Err(LayoutError),
            };
            if !matches!(field.size, 1 | 2 | 4 | 8) || slot.replace(field).is_some() {
                return Err(LayoutError);
            }
        }
        Ok(Self { packets: packets.ok_or(LayoutError)?, bytes })
    }
}

impl Layout {
    /// From type information, else by the size of a value: 16 bytes are packets and bytes, 8 are packets.
    pub(crate) fn of_value(value_size: usize, btf: Option<(&Btf<'_>, u32)>) -> Option<Self> {
        if let Some(layout) = btf.and_then(|(btf, id)| Self::of_type(btf, id)) {
            return layout.fits(value_size).then_some(layout);
        }
        let (packets, bytes) = (Field { offset: 0, size: 8 }, Field { offset: 8, size: 8 });
        match value_size {
            16 => Some(Self { packets, bytes: Some(bytes) }),
            8 => Some(Self { packets, bytes: None }),
            _ => None,
        }
    }

    /// A number counts packets; of a struct, the members whose names say so.
    fn of_type(btf: &Btf<'_>, id: u32) -> Option<Self> {
        if let Some(size) = btf.integer(id) {
            return Some(Self { packets: Field { offset: 0, size }, bytes: None });
        }
        let members = btf.members(id)?;
        let named = |words: &[&str]| {
            let is_named = |member: &&Member| words.iter().any(|word| member.name.to_ascii_lowercase().contains(word));
            let member = members.iter().filter(|member| member.size.is_some()).find(is_named)?;
            Some(Field { offset: member.offset, size: member.size? })
        };
        let packets = named(&["packets", "pkts"]).or_else(|| named(&["packet", "count"]))?;
        Some(Self { packets, bytes: named(&["bytes", "octets"]).filter(|bytes| *bytes != packets) })
    }

    /// Whether a value has all of its fields.
    pub(crate) fn fits(&self, value_size: usize) -> bool {
        [Some(self.packets), self.bytes].into_iter().flatten().all(|field| field.offset + field.size <= value_size)
    }

    /// Packets and bytes of a value that the layout fits.
    pub(crate) fn read(&self, value: &[u8]) -> (u64, Option<u64>) {
        (self.packets.read(value), self.bytes.map(|bytes| bytes.read(value)))
    }
}

impl Field {
    fn read(self, value: &[u8]) -> u64 {
        let mut bytes = [0; 8];
        let at = if cfg!(target_endian = "big") { 8 - self.size } else { 0 };
        bytes[at..at + self.size].copy_from_slice(&value[self.offset..self.offset + self.size]);
        u64::from_ne_bytes(bytes)
    }
}

/// What the keys of a map stand for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// A verdict by its number.
    Actions,
    /// A name by its number, in their order; no name comes twice.
    Labels(Vec<(String, u64)>),
    /// Nothing is known of them.
    Bytes,
}

impl Keys {
    /// From an enumeration in type information, else by shape: five entries under a number of four bytes are verdicts.
    /// LRU maps are not meant, whose keys are so many that some are forgotten.
    pub(crate) fn of_map(kind: MapKind, key_size: usize, max_entries: u32, btf: Option<(&Btf<'_>, u32)>) -> Self {
        if let Some(values) = btf.and_then(|(btf, id)| btf.values(id)) {
            let labels = shortened(values);
            let is_action = |(label, value): &(String, u64)| ACTIONS.get(*value as usize) == Some(&label.as_str());
            return if labels.len() == ACTIONS.len() && labels.iter().all(is_action) {
                Self::Actions
            } else {
                Self::Labels(labels)
            };
        }
        let is_number = key_size == 4 && btf.is_none_or(|(btf, id)| btf.integer(id).is_some());
        if is_number && !kind.is_lru() && max_entries as usize == ACTIONS.len() { Self::Actions } else { Self::Bytes }
    }

    /// Those of our own program's map of protocols.
    pub(crate) fn protocols() -> Self {
        let label = |protocol: Protocol| (protocol.name().to_owned(), protocol as u64);
        Self::Labels(Protocol::ALL.map(label).into())
    }

    /// What this key stands for.
    pub(crate) fn key(&self, bytes: &[u8]) -> Key {
        let number = || match bytes.len() {
            1 | 2 | 4 | 8 => Some(Field { offset: 0, size: bytes.len() }.read(bytes)),
            _ => None,
        };
        let known = match self {
            Self::Actions => {
                let place = number().and_then(|number| usize::try_from(number).ok());
                place.and_then(|place| ACTIONS.get(place)).map(|action| Key::Action(action))
            }
            Self::Labels(labels) => {
                let place = number().and_then(|number| labels.binary_search_by_key(&number, |(_, value)| *value).ok());
                place.map(|place| Key::Label(labels[place].0.clone()))
            }
            Self::Bytes => None,
        };
        known.unwrap_or_else(|| Key::Bytes(bytes.to_vec()))
    }
}

/// Lower case, without what all names begin with: `PROTO_TCP`, `PROTO_UDP` become `tcp`, `udp`. By their numbers; of several with
/// a name or a number the first has it.
fn shortened(values: Vec<(String, u64)>) -> Vec<(String, u64)> {
    let common = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let first = values.first().map_or(String::new(), |(name, _)| name.clone());
    let shared = values.iter().skip(1).map(|(name, _)| common(&first, name)).min().unwrap_or(0);
    let prefix = first.as_bytes()[..shared].iter().rposition(|byte| *byte == b'_').map_or(0, |at| at + 1);
    // Names are ASCII in C; of others, nothing is cut within a character.
    let short = |(name, value): (String, u64)| (name.get(prefix..).unwrap_or(&name).to_ascii_lowercase(), value);
    let mut labels: Vec<_> = values.into_iter().map(short).collect();
    let mut names = HashSet::new();
    labels.retain(|(name, _)| names.insert(name.clone()));
    labels.sort_by_key(|(_, value)| *value);
    labels.dedup_by_key(|(_, value)| *value);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_read_from_text() {
        let layout: Layout = "packets@4:4,bytes@8:8".parse().unwrap();
        let mut value = [0; 16];
        value[4..8].copy_from_slice(&7_u32.to_ne_bytes());
        value[8..].copy_from_slice(&900_u64.to_ne_bytes());
        assert_eq!(layout.read(&value), (7, Some(900)));
        assert!(layout.fits(16) && !layout.fits(15));
        assert_eq!("packets@2:1".parse::<Layout>().unwrap().read(&[1, 2, 3]), (3, None));
        for wrong in ["", "packets", "packets@0", "bytes@0:8", "packets@0:3", "packets@0:8,packets@8:8", "packets@0:8,"]
        {
            assert_eq!(wrong.parse::<Layout>(), Err(LayoutError), "{wrong}");
        }
    }

    #[test]
    fn sizes_say_what_values_hold() {
        let of = |size| Layout::of_value(size, None);
        assert_eq!(of(16), Some("packets@0:8,bytes@8:8".parse().unwrap()));
        assert_eq!(of(8), Some("packets@0:8".parse().unwrap()));
        assert_eq!((of(4), of(24)), (None, None));
    }

    #[test]
    fn five_keys_are_verdicts() {
        let of = |kind, key_size, count| Keys::of_map(kind, key_size, count, None);
        for kind in [MapKind::ARRAY, MapKind::PERCPU_ARRAY, MapKind::HASH, MapKind::PERCPU_HASH] {
            assert_eq!(of(kind, 4, 5), Keys::Actions, "{kind}");
            assert_eq!((of(kind, 4, 6), of(kind, 8, 5)), (Keys::Bytes, Keys::Bytes), "{kind}");
        }
        assert_eq!(of(MapKind::LRU_HASH, 4, 5), Keys::Bytes);
        assert_eq!(of(MapKind::LRU_PERCPU_HASH, 4, 5), Keys::Bytes);
        let names = (0_u32..5).map(|number| Keys::Actions.key(&number.to_ne_bytes())).collect::<Vec<_>>();
        assert_eq!(names, ACTIONS.map(Key::Action));
    }

    #[test]
    fn type_information_says_what_is_no_verdict() {
        let bytes = crate::btf::tests::example();
        let btf = Btf::parse(&bytes).unwrap();
        let of = |id| Keys::of_map(MapKind::HASH, 4, 5, Some((&btf, id)));
        let (number, structure, enumeration) = (2, 3, 4);
        let labels = [("tcp".to_owned(), 6), ("udp".to_owned(), 17)];
        assert_eq!(of(number), Keys::Actions);
        assert_eq!((of(structure), of(enumeration)), (Keys::Bytes, Keys::Labels(labels.into())));
    }

    /// Of a hash table, whose program may count under any.
    #[test]
    fn a_key_that_is_no_verdict_has_no_name() {
        let unnamed = |bytes: &[u8]| Keys::Actions.key(bytes) == Key::Bytes(bytes.to_vec());
        assert!([5, 6, 256, u32::MAX].into_iter().all(|number| unnamed(&number.to_ne_bytes())));
        assert!(unnamed(&(1_u64 << 32 | 1).to_ne_bytes()), "an enumeration may be wider");
    }

    #[test]
    fn a_name_is_that_of_one_key() {
        let values =
            [("P_TCP", 6), ("P_UDP", 2), ("P_tcp", 1), ("P_ALIAS", 2)].map(|(name, value)| (name.to_owned(), value));
        let labels = shortened(values.into());
        assert_eq!(labels, [("udp".to_owned(), 2), ("tcp".to_owned(), 6)]);
        let key = |number: u32| Keys::Labels(labels.clone()).key(&number.to_ne_bytes());
        assert_eq!((key(6), key(1)), (Key::Label("tcp".to_owned()), Key::Bytes(1_u32.to_ne_bytes().to_vec())));
    }

    #[test]
    fn keys_of_our_own_map_are_protocols() {
        let keys = Keys::protocols();
        let names = (0_u32..9).map(|number| keys.key(&number.to_ne_bytes())).collect::<Vec<_>>();
        let labels = ["tcp", "udp", "icmp", "icmpv6", "other_ipv4", "other_ipv6", "arp", "non_ip"];
        assert_eq!(names[..8], labels.map(|label| Key::Label(label.to_owned())));
        assert_eq!(names[8], Key::Bytes(8_u32.to_ne_bytes().to_vec()));
    }

    #[test]
    fn names_lose_what_they_share() {
        let short = |names: &[&str]| {
            let values = names.iter().zip(0..).map(|(name, value)| ((*name).to_owned(), value)).collect();
            shortened(values).into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(short(&["PROTO_TCP", "PROTO_TLS"]), ["tcp", "tls"]);
        assert_eq!(short(&["XDP_ABORTED", "XDP_DROP"]), ["aborted", "drop"]);
        assert_eq!(short(&["TCP", "UDP"]), ["tcp", "udp"]);
        assert_eq!(short(&["ONE_WAY"]), ["one_way"]);
    }
}
