//! Type information (BTF) of our maps: loaders take the shape of a map from it, and tools the names of what is in it.
//!
//! Source: the kernel's documentation, `Documentation/bpf/btf.rst`.

const INT: u32 = 1;
const POINTER: u32 = 2;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const VARIABLE: u32 = 14;
const SECTION: u32 = 15;

/// Bytes of a definition of a map: four pointers.
pub(super) const DEFINITION_LEN: u32 = 32;

/// The number of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type(u32);

/// Types so far.
#[derive(Debug)]
pub(super) struct Types {
    types: Vec<u8>,
    strings: Vec<u8>,
    count: u32,
    /// What arrays are counted by.
    index: Type,
}

/// A member of a struct: its name, its type, and the byte where it starts.
pub(super) type Member = (&'static str, Type, u32);

impl Types {
    pub(super) fn new() -> Self {
        // Number 0 is `void`, and the empty name.
        let mut types = Self { types: Vec::new(), strings: vec![0], count: 0, index: Type(0) };
        types.index = types.unsigned("unsigned int", 4);
        types
    }

    fn add(&mut self, name: &str, kind: u32, count: usize, size_or_type: u32, rest: &[u32]) -> Type {
        let name = self.name(name);
        let fields = [name, kind << 24 | count as u32, size_or_type];
        self.types.extend(fields.iter().chain(rest).flat_map(|field| field.to_le_bytes()));
        self.count += 1;
        Type(self.count)
    }

    fn name(&mut self, name: &str) -> u32 {
        if name.is_empty() {
            return 0;
        }
        let at = self.strings.len() as u32;
        self.strings.extend(name.bytes());
        self.strings.push(0);
        at
    }

    pub(super) fn u32(&self) -> Type {
        self.index
    }

    pub(super) fn unsigned(&mut self, name: &str, bytes: u32) -> Type {
        self.add(name, INT, 0, bytes, &[bytes * 8])
    }

    pub(super) fn array(&mut self, of: Type, count: u32) -> Type {
        let index = self.index;
        self.add("", ARRAY, 0, 0, &[of.0, index.0, count])
    }

    pub(super) fn structure(&mut self, name: &str, bytes: u32, members: &[Member]) -> Type {
        let members: Vec<_> = members.iter().map(|&(name, of, at)| [self.name(name), of.0, at * 8]).collect();
        self.add(name, STRUCT, members.len(), bytes, members.as_flattened())
    }

    /// The variable that defines a map, as `libbpf` has it: numbers are lengths of arrays that nobody makes.
    pub(super) fn map(&mut self, name: &str, kind: u32, max_entries: u32, key: Type, value: Type) -> Type {
        let [kind, max_entries] = [kind, max_entries].map(|number| self.array(self.index, number));
        let [kind, max_entries, key, value] =
            [kind, max_entries, key, value].map(|to| self.add("", POINTER, 0, to.0, &[]));
        let members = [("type", kind, 0), ("max_entries", max_entries, 8), ("key", key, 16), ("value", value, 24)];
        let definition = self.structure("", DEFINITION_LEN, &members);
        /// Seen from outside.
        const GLOBAL: u32 = 1;
        self.add(name, VARIABLE, 0, definition.0, &[GLOBAL])
    }

    /// The section that has these definitions of maps, one after the other.
    pub(super) fn map_section(&mut self, name: &str, variables: &[Type]) {
        let places = (0..).step_by(DEFINITION_LEN as usize);
        let variables: Vec<_> = variables.iter().zip(places).map(|(of, at)| [of.0, at, DEFINITION_LEN]).collect();
        let bytes = DEFINITION_LEN * variables.len() as u32;
        self.add(name, SECTION, variables.len(), bytes, variables.as_flattened());
    }

    /// The bytes of the section `.BTF`.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        const MAGIC_AND_VERSION: u32 = 0x0001_eb9f;
        const HEADER_LEN: u32 = 24;
        let (types_len, strings_len) = (self.types.len() as u32, self.strings.len() as u32);
        let header = [MAGIC_AND_VERSION, HEADER_LEN, 0, types_len, types_len, strings_len];
        let mut bytes: Vec<u8> = header.iter().flat_map(|field| field.to_le_bytes()).collect();
        bytes.extend(self.types);
        bytes.extend(self.strings);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    #[test]
    fn writes_a_struct_as_clang_does() {
        let mut types = Types::new();
        let long = types.unsigned("long", 8);
        types.structure("s", 16, &[("a", long, 0), ("b", long, 8)]);
        let expected = hex!(
            "9feb 01 00 18000000 00000000 44000000 44000000 19000000" // Header: types at 0, strings after them
            "01000000 00000001 04000000 20000000"                     // 1: INT "unsigned int", 32 bits
            "0e000000 00000001 08000000 40000000"                     // 2: INT "long", 64 bits
            "17000000 02000004 10000000"                              // 3: STRUCT "s", 16 bytes, 2 members
            "13000000 02000000 00000000"                              // a: type 2, bit 0
            "15000000 02000000 40000000"                              // b: type 2, bit 64
            "00"
        );
        let bytes = types.into_bytes();
        assert_eq!(bytes[..expected.len()], expected);
        assert_eq!(bytes[expected.len()..], *b"unsigned int\0long\0a\0b\0s\0");
    }
}
