//! A path through the program: registers, flags, memory, and what is known of the values in them.

use super::flags::Flags;
use super::memory::{BASE, Memory};
use super::value::{Id, Known, Table, Val};
use iced_x86::{Decoder, DecoderOptions, Instruction, Register};
use std::collections::{BTreeMap, BTreeSet};

/// What all paths have in common: the file, its instructions, the values, and where paths have been.
pub struct World<'a> {
    /// The whole file, which is its one segment.
    pub file: &'a [u8],
    decoded: Vec<Option<Instruction>>,
    /// Every value.
    pub table: Table,
    /// The stack pointer at the entry.
    pub stack: Id,
    /// Instructions that some path has reached.
    pub visited: Vec<bool>,
    /// The numbers with which each syscall was made.
    pub sites: BTreeMap<u64, BTreeSet<u64>>,
    /// Instructions followed.
    pub steps: u64,
}

impl<'a> World<'a> {
    /// Nothing was reached yet.
    #[must_use]
    pub fn new(file: &'a [u8]) -> Self {
        let mut table = Table::default();
        let set = super::set::Set(vec![(0x1000_0000_0000, 0x7fff_ffff_f000)]);
        let stack = table.base("stack", set, 16);
        Self {
            file,
            decoded: vec![None; file.len()],
            table,
            stack,
            visited: vec![false; file.len()],
            sites: BTreeMap::new(),
            steps: 0,
        }
    }

    /// The instruction at an address of the file.
    pub fn instruction(&mut self, address: u64) -> Option<Instruction> {
        let place = usize::try_from(address.checked_sub(BASE)?).ok()?;
        let slot = self.decoded.get_mut(place)?;
        self.visited[place] = true;
        if slot.is_none() {
            *slot = Some(decode(self.file, address));
        }
        *slot
    }
}

/// One instruction, by iced-x86; an invalid one if it is none.
#[must_use]
pub fn decode(file: &[u8], address: u64) -> Instruction {
    let bytes = &file[(address - BASE) as usize..];
    Decoder::with_ip(64, bytes, address, DecoderOptions::NONE).decode()
}

/// The registers, memory and knowledge of a path.
#[derive(Clone)]
pub struct State {
    /// rax to r15 in the processor's order.
    pub regs: [Val; 16],
    /// Both halves of each.
    pub xmm: [[Val; 2]; 16],
    /// The flags.
    pub flags: Flags,
    /// Whether string instructions go down.
    pub down: bool,
    /// The next instruction.
    pub rip: u64,
    /// All that was written.
    pub memory: Memory,
    /// What is known of values.
    pub known: Known,
    /// Where each return goes: the place of the address on the stack, and the address.
    pub returns: Vec<(Val, u64)>,
}

impl State {
    /// The program's start: nothing is known of any register but the stack pointer.
    #[must_use]
    pub fn start(world: &World, entry: u64) -> Self {
        let mut memory = Memory::default();
        memory.stack(world.stack);
        let mut regs = [Val::Undef; 16];
        regs[4] = Val::Sym(world.stack);
        Self {
            regs,
            xmm: [[Val::Undef; 2]; 16],
            flags: Flags::Undef,
            down: false,
            rip: entry,
            memory,
            known: Known::default(),
            returns: Vec::new(),
        }
    }

    /// A general register, as much of it as its name says.
    pub fn get(&self, world: &mut World, register: Register) -> Val {
        let whole = self.regs[register.full_register().number()];
        let whole = world.table.settled(&self.known, whole);
        let high = matches!(
            register,
            Register::AH | Register::BH | Register::CH | Register::DH
        );
        match whole {
            Val::Const(number) if high => Val::Const(number >> 8 & 0xff),
            _ if high => Val::Undef,
            _ => world
                .table
                .low(&self.known, whole, register.size() as u32 * 8),
        }
    }

    /// Sets a general register, or its low part.
    pub fn set(&mut self, world: &mut World, register: Register, val: Val) {
        let place = &mut self.regs[register.full_register().number()];
        *place = match register.size() {
            4 | 8 => world
                .table
                .low(&self.known, val, register.size() as u32 * 8),
            size @ (1 | 2)
                if !matches!(
                    register,
                    Register::AH | Register::BH | Register::CH | Register::DH
                ) =>
            {
                let bits = size as u32 * 8;
                let low = world.table.low(&self.known, val, bits);
                world.table.mixed(*place, low, bits)
            }
            _ => Val::Undef,
        };
    }
}
