//! An assembler for what our program needs of eBPF: instructions as types, jumps to labels.
//!
//! Source: the kernel's documentation, `Documentation/bpf/standardization/instruction-set.rst`.

/// Bytes of an instruction; that which loads a map has two.
pub(crate) const INSTRUCTION_LEN: usize = 8;

/// A register. A call gives its result in `R0`, has its arguments in `R1` to `R5`, and leaves `R6` to `R9` alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Register {
    R0,
    R1,
    R2,
    R3,
    R4,
    R5,
    R6,
    R7,
    R8,
    R9,
    /// The end of the stack, which cannot be written.
    Stack,
}

/// Width of a load or a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    Word = 0x00,
    Half = 0x08,
    Byte = 0x10,
    Double = 0x18,
}

/// Arithmetic on all 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alu {
    Add = 0x00,
    Subtract = 0x10,
    Or = 0x40,
    And = 0x50,
    ShiftLeft = 0x60,
    ShiftRight = 0x70,
    Move = 0xb0,
}

/// Comparison of 64 bits without a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Equal = 0x10,
    Greater = 0x20,
    NotEqual = 0x50,
    Less = 0xa0,
    AtMost = 0xb0,
}

/// What is done to 64 bits of memory in one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Atomic {
    Add = 0x00,
    Or = 0x40,
}

/// A function of the kernel, by its number in `enum bpf_func_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Helper {
    MapLookup = 1,
    MapUpdate = 2,
    KtimeGetNs = 5,
    XdpGetBuffLen = 188,
}

/// The right side of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    Register(Register),
    /// Extended by its sign to 64 bits.
    Number(i32),
}

impl From<Register> for Operand {
    fn from(register: Register) -> Self {
        Self::Register(register)
    }
}

impl From<i32> for Operand {
    fn from(number: i32) -> Self {
        Self::Number(number)
    }
}

/// An address: what a register has, and bytes from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At(pub(super) Register, pub(super) i16);

/// A place to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

#[derive(Clone, Copy, Debug)]
enum Instruction {
    Alu(Alu, Register, Operand),
    /// The lower 16 bits, from network order; all others become zero.
    FromNetwork16(Register),
    Load(Size, Register, At),
    Store(Size, At, Operand),
    Atomic(Atomic, At, Register),
    /// The map of this number, once the loader knows it.
    LoadMap(Register, usize),
    Jump(Label),
    JumpIf(Condition, Register, Operand, Label),
    Call(Helper),
    Exit,
}

impl Instruction {
    fn len(&self) -> usize {
        if matches!(self, Self::LoadMap(..)) { 2 } else { 1 }
    }

    fn target(&self) -> Option<Label> {
        match *self {
            Self::Jump(label) | Self::JumpIf(.., label) => Some(label),
            _ => None,
        }
    }

    fn encode(&self, jump: i16) -> [u8; INSTRUCTION_LEN] {
        /// The bit that says that the right side is a register.
        const REGISTER: u8 = 0x08;
        let parts = |code: u8, left: u8, right: Operand, offset: i16| match right {
            Operand::Register(right) => (code | REGISTER, left, right as u8, offset, 0),
            Operand::Number(number) => (code, left, 0, offset, number),
        };
        let (code, left, right, offset, number) = match *self {
            Self::Alu(alu, to, right) => parts(0x07 | alu as u8, to as u8, right, 0),
            Self::FromNetwork16(register) => (0xdc, register as u8, 0, 0, 16),
            Self::Load(size, to, At(from, offset)) => (0x61 | size as u8, to as u8, from as u8, offset, 0),
            Self::Store(size, At(base, offset), Operand::Register(value)) => {
                (0x63 | size as u8, base as u8, value as u8, offset, 0)
            }
            Self::Store(size, At(base, offset), Operand::Number(value)) => {
                (0x62 | size as u8, base as u8, 0, offset, value)
            }
            Self::Atomic(atomic, At(base, offset), value) => (0xdb, base as u8, value as u8, offset, atomic as i32),
            Self::LoadMap(to, _) => (0x18, to as u8, 0, 0, 0),
            Self::Jump(_) => (0x05, 0, 0, jump, 0),
            Self::JumpIf(condition, left, right, _) => parts(0x05 | condition as u8, left as u8, right, jump),
            Self::Call(helper) => (0x85, 0, 0, 0, helper as i32),
            Self::Exit => (0x95, 0, 0, 0, 0),
        };
        let ([o0, o1], [n0, n1, n2, n3]) = (offset.to_le_bytes(), number.to_le_bytes());
        [code, right << 4 | left, o0, o1, n0, n1, n2, n3]
    }
}

/// Instructions so far.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    instructions: Vec<Instruction>,
    /// Before which instruction each label is, once that is known.
    labels: Vec<Option<usize>>,
}

impl Assembler {
    /// A label that is not anywhere yet.
    pub(super) fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// The label is here.
    ///
    /// # Panics
    ///
    /// When it is somewhere already.
    pub(super) fn place(&mut self, label: Label) {
        let before = self.labels[label.0].replace(self.instructions.len());
        assert_eq!(before, None, "a label is in one place");
    }

    pub(super) fn alu(&mut self, alu: Alu, to: Register, right: impl Into<Operand>) {
        self.instructions.push(Instruction::Alu(alu, to, right.into()));
    }

    pub(super) fn load(&mut self, size: Size, to: Register, from: At) {
        self.instructions.push(Instruction::Load(size, to, from));
    }

    /// Loads 16 bits that are in network order.
    pub(super) fn load_network16(&mut self, to: Register, from: At) {
        self.load(Size::Half, to, from);
        self.instructions.push(Instruction::FromNetwork16(to));
    }

    pub(super) fn store(&mut self, size: Size, to: At, value: impl Into<Operand>) {
        self.instructions.push(Instruction::Store(size, to, value.into()));
    }

    pub(super) fn atomic(&mut self, atomic: Atomic, to: At, value: Register) {
        self.instructions.push(Instruction::Atomic(atomic, to, value));
    }

    pub(super) fn load_map(&mut self, to: Register, map: usize) {
        self.instructions.push(Instruction::LoadMap(to, map));
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.instructions.push(Instruction::Jump(to));
    }

    pub(super) fn jump_if(&mut self, condition: Condition, left: Register, right: impl Into<Operand>, to: Label) {
        self.instructions.push(Instruction::JumpIf(condition, left, right.into(), to));
    }

    pub(super) fn call(&mut self, helper: Helper) {
        self.instructions.push(Instruction::Call(helper));
    }

    pub(super) fn exit(&mut self) {
        self.instructions.push(Instruction::Exit);
    }

    /// The program's bytes.
    ///
    /// # Errors
    ///
    /// When a jump leads nowhere, back or too far, or when the end can be reached without an exit.
    pub(super) fn assemble(&self) -> Result<Code, AssembleError> {
        // Where each instruction is, and the end, counted in instructions of one slot.
        let mut slots = vec![0];
        slots.extend(self.instructions.iter().scan(0, |slot, instruction| {
            *slot += instruction.len();
            Some(*slot)
        }));
        if !matches!(self.instructions.last(), Some(Instruction::Exit | Instruction::Jump(_))) {
            return Err(AssembleError::NoExit);
        }
        let mut code = Code::default();
        for (at, instruction) in self.instructions.iter().enumerate() {
            let mut jump = 0;
            if let Some(Label(label)) = instruction.target() {
                let target = self.labels[label].filter(|&target| target < self.instructions.len());
                let target = target.ok_or(AssembleError::Nowhere { label })?;
                let distance = slots[target].checked_sub(slots[at + 1]).ok_or(AssembleError::Back { label })?;
                jump = i16::try_from(distance).map_err(|_| AssembleError::TooFar { label })?;
            }
            if let Instruction::LoadMap(_, map) = *instruction {
                code.maps.push((code.bytes.len(), map));
            }
            code.bytes.extend(instruction.encode(jump));
            code.bytes.resize(slots[at + 1] * INSTRUCTION_LEN, 0);
        }
        Ok(code)
    }
}

/// An assembled program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bytes: Vec<u8>,
    /// Instructions that load a map: where they are, in bytes, and which map.
    pub(super) maps: Vec<(usize, usize)>,
}

/// Why instructions are no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum AssembleError {
    #[error("a jump to label {label}, which is nowhere in the program")]
    Nowhere { label: usize },
    // The verifier before Linux 5.3 refuses loops, and we have none.
    #[error("a jump back to label {label}")]
    Back { label: usize },
    #[error("a jump to label {label}, which is more than 32,767 instructions away")]
    TooFar { label: usize },
    #[error("the program runs over its end")]
    NoExit,
}

#[cfg(test)]
mod tests {
    use hex_literal::hex;

    use super::*;

    /// Each beside what it says in the notation of clang and the kernel.
    #[test]
    fn encodes_instructions() {
        let mut asm = Assembler::default();
        let end = asm.label();
        asm.load(Size::Word, Register::R7, At(Register::R1, 4));
        asm.alu(Alu::Move, Register::R2, Register::Stack);
        asm.alu(Alu::Add, Register::R2, -4);
        asm.store(Size::Byte, At(Register::Stack, -1), Register::R9);
        asm.store(Size::Double, At(Register::Stack, -16), 1);
        asm.load_network16(Register::R2, At(Register::R6, 12));
        asm.jump_if(Condition::Greater, Register::R1, Register::R7, end);
        asm.load_map(Register::R1, 3);
        asm.jump_if(Condition::NotEqual, Register::R0, 0, end);
        asm.call(Helper::MapLookup);
        asm.atomic(Atomic::Or, At(Register::R1, 32), Register::R2);
        asm.place(end);
        asm.alu(Alu::Move, Register::R0, 2);
        asm.exit();
        let code = asm.assemble().unwrap();
        let expected = hex!(
            "61 17 0400 00000000"                     // r7 = *(u32 *)(r1 + 4)
            "bf a2 0000 00000000"                     // r2 = r10
            "07 02 0000 fcffffff"                     // r2 += -4
            "73 9a ffff 00000000"                     // *(u8 *)(r10 - 1) = r9
            "7a 0a f0ff 01000000"                     // *(u64 *)(r10 - 16) = 1
            "69 62 0c00 00000000 dc 02 0000 10000000" // r2 = be16 *(u16 *)(r6 + 12)
            "2d 71 0500 00000000"                     // if r1 > r7 goto +5
            "18 01 0000 00000000 00 00 0000 00000000" // r1 = 0 ll
            "55 00 0200 00000000"                     // if r0 != 0 goto +2
            "85 00 0000 01000000"                     // call 1
            "db 21 2000 40000000"                     // lock *(u64 *)(r1 + 32) |= r2
            "b7 00 0000 02000000"                     // r0 = 2
            "95 00 0000 00000000"                     // exit
        );
        assert_eq!(code.bytes, expected);
        assert_eq!(code.maps, [(64, 3)]);
    }

    #[test]
    fn refuses_jumps_that_lead_nowhere_or_back() {
        let mut asm = Assembler::default();
        let label = asm.label();
        asm.jump(label);
        asm.exit();
        assert_eq!(asm.assemble(), Err(AssembleError::Nowhere { label: 0 }));
        asm.place(label);
        assert_eq!(asm.assemble(), Err(AssembleError::Nowhere { label: 0 }), "behind the end");

        let mut asm = Assembler::default();
        let label = asm.label();
        asm.place(label);
        asm.alu(Alu::Move, Register::R0, 2);
        asm.jump(label);
        assert_eq!(asm.assemble(), Err(AssembleError::Back { label: 0 }));
    }

    #[test]
    fn refuses_jumps_that_are_too_far() {
        let far = |instructions| {
            let mut asm = Assembler::default();
            let label = asm.label();
            asm.jump(label);
            (0..instructions).for_each(|_| asm.alu(Alu::Move, Register::R0, 2));
            asm.place(label);
            asm.exit();
            asm.assemble().map(|code| code.bytes[2..4].to_vec())
        };
        assert_eq!(far(32_767), Ok(vec![0xff, 0x7f]));
        assert_eq!(far(32_768), Err(AssembleError::TooFar { label: 0 }));
    }

    #[test]
    fn refuses_programs_without_an_end() {
        let mut asm = Assembler::default();
        assert_eq!(asm.assemble(), Err(AssembleError::NoExit));
        asm.alu(Alu::Move, Register::R0, 2);
        assert_eq!(asm.assemble(), Err(AssembleError::NoExit));
    }
}
