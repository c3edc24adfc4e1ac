//! Memory: the program's file, which can't be written, its stack, and what it has mapped.

use super::value::{Id, Known, Node, Op, Table, Val};
use anyhow::{Result, bail, ensure};
use std::rc::Rc;

/// Where the file is mapped.
pub const BASE: u64 = 0x40_0000;

const PAGE: usize = 256;
/// A byte that nobody has set.
const UNDEF: u32 = u32::MAX;
/// A byte of a value: the value's number and which of its bytes, in the other bits.
const SYMBOL: u32 = 0x8000_0000;

/// Part of the address space that starts at a value from outside.
#[derive(Clone, Debug)]
struct Region {
    id: Id,
    /// Where its bytes are kept: a second mapping of a file has those of the first.
    bytes: Id,
    first: i64,
    last: i64,
    fill: u32,
}

/// All that can be written. A copy shares the pages until they are written.
#[derive(Clone, Default)]
pub struct Memory {
    /// Nothing may be written: it is another process's.
    pub frozen: bool,
    regions: Rc<Vec<Region>>,
    pages: Vec<((Id, i64), Rc<[u32; PAGE]>)>,
}

impl Memory {
    /// The stack: addresses below `id`, with nothing set.
    pub fn stack(&mut self, id: Id) {
        self.region(id, id, -0x10000, -1, UNDEF);
    }

    /// A mapping of so many bytes of zeros.
    pub fn map(&mut self, id: Id, size: u64) {
        self.region(id, id, 0, size as i64 - 1, 0);
    }

    /// One more mapping of what `bytes` is.
    pub fn alias(&mut self, id: Id, bytes: Id, size: u64) {
        self.region(id, bytes, 0, size as i64 - 1, 0);
    }

    /// What starts there is no longer mapped.
    pub fn unmap(&mut self, id: Id) {
        Rc::make_mut(&mut self.regions).retain(|region| region.id != id);
    }

    fn region(&mut self, id: Id, bytes: Id, first: i64, last: i64, fill: u32) {
        let region = Region {
            id,
            bytes,
            first,
            last,
            fill,
        };
        Rc::make_mut(&mut self.regions).push(region);
    }

    fn place(&self, table: &Table, at: Val, len: u64) -> Result<(Id, i64, u32)> {
        let Val::Sym(id) = at else {
            bail!("memory at {}", table.name(at))
        };
        let (base, add) = table.split(id);
        let add = add as i64;
        let region = self.regions.iter().find(|region| region.id == base);
        let Some(region) = region.filter(|of| add >= of.first && add + len as i64 - 1 <= of.last)
        else {
            bail!("memory at {}", table.name(at));
        };
        Ok((region.bytes, add, region.fill))
    }

    fn page(&mut self, id: Id, number: i64, fill: u32) -> &mut [u32; PAGE] {
        let found = self.pages.iter().position(|(key, _)| *key == (id, number));
        let place = found.unwrap_or_else(|| {
            self.pages.push(((id, number), Rc::new([fill; PAGE])));
            self.pages.len() - 1
        });
        Rc::make_mut(&mut self.pages[place].1)
    }

    fn byte(&self, id: Id, at: i64, fill: u32) -> u32 {
        let key = (id, at >> 8);
        let page = self.pages.iter().find(|(page, _)| *page == key);
        page.map_or(fill, |(_, page)| page[(at & 255) as usize])
    }

    /// Writes a value of so many bytes.
    ///
    /// # Errors
    /// Nothing there can be written.
    pub fn store(
        &mut self,
        table: &mut Table,
        known: &Known,
        at: Val,
        len: u64,
        val: Val,
    ) -> Result<()> {
        ensure!(!self.frozen, "writes its parent's memory");
        let (id, at, fill) = self.place(table, at, len)?;
        let val = table.low(known, val, len as u32 * 8);
        for n in 0..len {
            let at = at + n as i64;
            self.page(id, at >> 8, fill)[(at & 255) as usize] = byte_of(table, val, n);
        }
        Ok(())
    }

    /// Copies a byte.
    ///
    /// # Errors
    /// One of the two is not there.
    pub fn copy(&mut self, file: &[u8], table: &mut Table, to: Val, from: Val) -> Result<()> {
        let byte = if let Val::Const(_) = from {
            let val = self.load(file, table, &Known::default(), from, 1)?;
            byte_of(table, val, 0)
        } else {
            let (id, at, fill) = self.place(table, from, 1)?;
            self.byte(id, at, fill)
        };
        ensure!(!self.frozen, "writes its parent's memory");
        let (id, at, fill) = self.place(table, to, 1)?;
        self.page(id, at >> 8, fill)[(at & 255) as usize] = byte;
        Ok(())
    }

    /// Reads a value of so many bytes, at most 8.
    ///
    /// # Errors
    /// Nothing is there.
    pub fn load(
        &self,
        file: &[u8],
        table: &mut Table,
        known: &Known,
        at: Val,
        len: u64,
    ) -> Result<Val> {
        if let Val::Const(at) = at {
            let from = at.wrapping_sub(BASE) as usize;
            let bytes = from
                .checked_add(len as usize)
                .and_then(|to| file.get(from..to));
            ensure!(bytes.is_some(), "memory at {at:#x}");
            return Ok(Val::Const(number(bytes.into_iter().flatten().copied())));
        }
        let (id, at, fill) = self.place(table, at, len)?;
        let mut bytes = [0; 8];
        for n in 0..len {
            bytes[n as usize] = self.byte(id, at + n as i64, fill);
        }
        Ok(joined(table, known, &bytes[..len as usize]))
    }
}

/// A byte of a value, as memory keeps it.
fn byte_of(table: &Table, val: Val, n: u64) -> u32 {
    match val {
        Val::Const(number) => (number >> (8 * n)) as u32 & 0xff,
        Val::Undef => UNDEF,
        Val::Sym(of) => match table.node(of) {
            Node::Bytes(bytes, len) if n < u64::from(len) => bytes[n as usize],
            Node::Bytes(..) => 0,
            _ => SYMBOL | of << 3 | n as u32,
        },
    }
}

fn number(bytes: impl DoubleEndedIterator<Item = u8>) -> u64 {
    bytes
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(byte))
}

/// The value that these bytes are.
pub fn joined(table: &mut Table, known: &Known, bytes: &[u32]) -> Val {
    if bytes.iter().all(|byte| *byte < 256) {
        return Val::Const(number(bytes.iter().map(|byte| *byte as u8)));
    }
    if bytes.iter().all(|byte| *byte == UNDEF) {
        return Val::Undef;
    }
    let first = bytes[0];
    if first == UNDEF || first & SYMBOL == 0 {
        return table.bytes(bytes);
    }
    let (id, from) = ((first & !SYMBOL) >> 3, first & 7);
    let end = first + (8 - from);
    let same = bytes
        .iter()
        .zip(first..end)
        .take_while(|(byte, want)| **byte == *want)
        .count();
    if bytes[same..].iter().any(|byte| *byte != 0) {
        return table.bytes(bytes);
    }
    let val = table.op(Op::Right, Val::Sym(id), Val::Const(u64::from(from) * 8));
    table.low(known, val, same as u32 * 8)
}
