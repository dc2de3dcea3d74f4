//! What types keys and values of a map have, from the information that clang leaves in an object (BTF).
//!
//! Source: the kernel's documentation, `Documentation/bpf/btf.rst`.

/// `BTF_MAGIC`
const MAGIC: u16 = 0xeb9f;
/// Most names of types for a type: the kernel allows no more.
const MAX_DEPTH: usize = 32;

const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// Most parts of a type that are read; names of keys are metrics, and whoever loads a program says how many its types have.
const MAX_MEMBERS: usize = 256;

/// All types of an object, numbered from 1.
pub(crate) struct Btf<'a> {
    types: Vec<Type<'a>>,
    strings: &'a [u8],
}

/// A type as it is written.
#[derive(Clone, Copy)]
struct Type<'a> {
    kind: u32,
    /// Of members, from bit 31 of `info`: offsets of bit fields are written in another way.
    flag: bool,
    /// Size in bytes, or the number of another type.
    size_or_type: u32,
    /// Members or values, 4 bytes to a number.
    rest: &'a [u8],
}

/// A member of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// In bytes.
    pub(crate) offset: usize,
    /// Of an integer; `None` for anything else.
    pub(crate) size: Option<usize>,
}

impl<'a> Btf<'a> {
    /// `None` when it is none, or cut.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let [magic, _] = halves(number(bytes, 0)?);
        if magic != MAGIC {
            return None;
        }
        let body = bytes.get(number(bytes, 1)? as usize..)?;
        let section = |index| {
            let (start, len) = (number(bytes, index)? as usize, number(bytes, index + 1)? as usize);
            body.get(start..start.checked_add(len)?)
        };
        let (mut left, strings) = (section(2)?, section(4)?);
        let mut types = Vec::new();
        while !left.is_empty() {
            let info = number(left, 1)?;
            let (kind, count) = ((info >> 24) & 0x1f, (info & 0xffff) as usize);
            let rest_len = match kind {
                INT | VAR | DECL_TAG => 4,
                ARRAY => 12,
                STRUCT | UNION | DATASEC | ENUM64 => 12 * count,
                ENUM | FUNC_PROTO => 8 * count,
                _ => 0,
            };
            let rest = left.get(12..12 + rest_len)?;
            types.push(Type { kind, flag: info >> 31 == 1, size_or_type: number(left, 2)?, rest });
            left = &left[12 + rest_len..];
        }
        Some(Self { types, strings })
    }

    /// The type itself, behind `typedef`, `const` and the like.
    fn resolve(&self, id: u32) -> Option<Type<'a>> {
        let mut id = id;
        for _ in 0..MAX_DEPTH {
            let found = *self.types.get((id as usize).checked_sub(1)?)?;
            match found.kind {
                TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG => id = found.size_or_type,
                _ => return Some(found),
            }
        }
        None
    }

    /// Bytes of an integer: 1, 2, 4 or 8.
    pub(crate) fn integer(&self, id: u32) -> Option<usize> {
        let found = self.resolve(id).filter(|found| found.kind == INT)?;
        Some(found.size_or_type as usize).filter(|size| matches!(size, 1 | 2 | 4 | 8))
    }

    /// Members of a struct, up to [`MAX_MEMBERS`].
    pub(crate) fn members(&self, id: u32) -> Option<Vec<Member>> {
        let found = self.resolve(id).filter(|found| found.kind == STRUCT)?;
        let member = |rest: &[u8]| {
            let (name, id, bits) = (number(rest, 0)?, number(rest, 1)?, number(rest, 2)?);
            let (bit_field_len, bits) = if found.flag { (bits >> 24, bits & 0xff_ffff) } else { (0, bits) };
            let size = self.integer(id).filter(|_| bit_field_len == 0 && bits.is_multiple_of(8));
            Some(Member { name: self.name(name)?, offset: bits as usize / 8, size })
        };
        found.rest.chunks_exact(12).take(MAX_MEMBERS).map(member).collect()
    }

    /// Names and values of an enumeration, up to [`MAX_MEMBERS`].
    pub(crate) fn values(&self, id: u32) -> Option<Vec<(String, u64)>> {
        let found = self.resolve(id)?;
        let low = |rest: &[u8]| Some((self.name(number(rest, 0)?)?, u64::from(number(rest, 1)?)));
        match found.kind {
            ENUM => found.rest.chunks_exact(8).take(MAX_MEMBERS).map(low).collect(),
            ENUM64 => {
                let wide = |rest: &[u8]| low(rest).zip(number(rest, 2));
                let wide = |rest| wide(rest).map(|((name, low), high)| (name, low | u64::from(high) << 32));
                found.rest.chunks_exact(12).take(MAX_MEMBERS).map(wide).collect()
            }
            _ => None,
        }
    }

    fn name(&self, offset: u32) -> Option<String> {
        let name = self.strings.get(offset as usize..)?.split(|byte| *byte == 0).next()?;
        Some(String::from_utf8_lossy(name).into_owned())
    }
}

/// The number at `index` times 4, in this machine's order of bytes, as the kernel gives it.
fn number(bytes: &[u8], index: usize) -> Option<u32> {
    let bytes = bytes.get(index * 4..index * 4 + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// The two halves of a number, in the order of memory.
fn halves(number: u32) -> [u16; 2] {
    let [a, b, c, d] = number.to_ne_bytes();
    [u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d])]
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `typedef unsigned long long u64; struct datarec { u64 rx_packets; u64 rx_bytes; }; enum proto { P_TCP = 6, P_UDP = 17 };`
    pub(crate) fn example() -> Vec<u8> {
        let strings = b"\0unsigned long long\0u64\0datarec\0rx_packets\0rx_bytes\0proto\0P_TCP\0P_UDP\0";
        let at = |name: &str| {
            let name = format!("\0{name}\0");
            strings.windows(name.len()).position(|window| window == name.as_bytes()).unwrap() as u32 + 1
        };
        let types = [
            vec![at("unsigned long long"), INT << 24, 8, 64],
            vec![at("u64"), TYPEDEF << 24, 1],
            vec![at("datarec"), STRUCT << 24 | 2, 16, at("rx_packets"), 2, 0, at("rx_bytes"), 2, 64],
            vec![at("proto"), ENUM << 24 | 2, 4, at("P_TCP"), 6, at("P_UDP"), 17],
        ];
        let types = types.concat();
        let [a, b] = MAGIC.to_ne_bytes();
        let magic = u32::from_ne_bytes([a, b, 1, 0]);
        let types_len = 4 * types.len() as u32;
        let header = [magic, 24, 0, types_len, types_len, strings.len() as u32];
        let numbers = header.into_iter().chain(types).flat_map(u32::to_ne_bytes);
        numbers.chain(*strings).collect()
    }

    #[test]
    fn members_have_names_offsets_and_sizes() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        let member = |name: &str, offset| Member { name: name.to_owned(), offset, size: Some(8) };
        assert_eq!(btf.members(3).unwrap(), [member("rx_packets", 0), member("rx_bytes", 8)]);
        assert_eq!((btf.integer(2), btf.integer(3), btf.members(2)), (Some(8), None, None));
    }

    #[test]
    fn enumerations_have_names() {
        let bytes = example();
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.values(4).unwrap(), [("P_TCP".to_owned(), 6), ("P_UDP".to_owned(), 17)]);
        assert_eq!(btf.values(3), None);
    }

    #[test]
    fn what_is_cut_is_none() {
        let bytes = example();
        assert!((0..bytes.len()).all(|len| Btf::parse(&bytes[..len]).is_none()));
    }

    proptest! {
        #[test]
        fn other_bytes_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
            let mut bytes = example();
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            if let Some(btf) = Btf::parse(&bytes) {
                for id in 0..6 {
                    let _ = (btf.members(id), btf.values(id), btf.integer(id));
                }
            }
        }
    }
}
