//! The words that the kernel writes in a call, one by one, and what else could stand there.

use super::path::{Path, layout_of};
use super::set::Set;
use super::state::World;
use super::value::Val;
use crate::expected::{Pairs, Shape, Word};
use anyhow::{Context, Result};

/// A word in memory.
pub struct Leaf {
    /// Its name.
    pub name: String,
    /// Its address.
    pub at: Val,
    /// How many bytes it has.
    pub len: u64,
    /// What stands there.
    pub val: Val,
}

/// Ends of a child: by a signal, with a core, with 1, with 77.
const ENDS: [u64; 4] = [0x01, 0x8b, 0x100, 0x4d00];

impl Leaf {
    /// What else could stand there: any other number; of a child's end, some.
    #[must_use]
    pub fn others(&self, world: &mut World, path: &mut Path) -> Vec<Val> {
        if self.name == "stat" {
            return ENDS.map(Val::Const).to_vec();
        }
        let all = Set::all(self.len as u32 * 8);
        let set = if let Val::Const(number) = self.val {
            all.minus(&Set::one(number))
        } else {
            all
        };
        let other = world.table.base(&self.name, set, 1);
        if let Val::Sym(id) = self.val {
            path.state.known.differ(id, other);
        }
        vec![Val::Sym(other)]
    }
}

/// The words of these structures, handles and descriptors apart.
///
/// # Errors
/// A name that has no value.
pub fn memory_of(world: &mut World, path: &Path, pairs: &Pairs) -> Result<Vec<Leaf>> {
    let mut leaves = Vec::new();
    for (name, shape) in &pairs.0 {
        let at = path
            .named(name)
            .with_context(|| format!("nothing is {name}"))?;
        walk(world, path, name, shape, (at, 8), &mut leaves)?;
    }
    Ok(leaves)
}

fn walk(
    world: &mut World,
    path: &Path,
    name: &str,
    shape: &Shape,
    (at, len): (Val, u64),
    leaves: &mut Vec<Leaf>,
) -> Result<u64> {
    let mut leaf = |val| {
        leaves.push(Leaf {
            name: name.into(),
            at,
            len,
            val,
        })
    };
    match shape {
        // A buffer, which may be compared byte by byte.
        Shape::Word(Word::Number(number)) if name.starts_with('&') => {
            return Ok(bytes(world, name, &number.to_le_bytes(), at, leaves));
        }
        Shape::Word(Word::Number(number)) => {
            leaf(Val::Const(number & super::set::mask(len as u32 * 8)))
        }
        Shape::Word(Word::Name(of)) if of.starts_with('&') => {
            leaf(path.named(of).context("no value")?)
        }
        Shape::Word(_) => {}
        Shape::Bytes(text) => return Ok(bytes(world, name, text.as_bytes(), at, leaves)),
        Shape::List(items) => {
            let mut size = 0;
            for (n, item) in items.iter().enumerate() {
                let at = world.table.add(at, size);
                size += walk(world, path, &format!("{name}[{n}]"), item, (at, 8), leaves)?;
            }
            return Ok(size);
        }
        Shape::Struct(fields) => return structure(world, path, fields, at, leaves),
    }
    Ok(len)
}

fn structure(
    world: &mut World,
    path: &Path,
    fields: &Pairs,
    at: Val,
    leaves: &mut Vec<Leaf>,
) -> Result<u64> {
    let layout = layout_of(fields)?;
    let zero = Shape::Word(Word::Number(0));
    for (name, offset, len) in layout.fields {
        let shape = fields
            .0
            .iter()
            .find(|(of, _)| of == name)
            .map_or(&zero, |(_, shape)| shape);
        let place = world.table.add(at, *offset as u64);
        walk(world, path, name, shape, (place, *len as u64), leaves)?;
    }
    Ok(layout.size as u64)
}

fn bytes(world: &mut World, name: &str, text: &[u8], at: Val, leaves: &mut Vec<Leaf>) -> u64 {
    for (n, byte) in (0..).zip(text) {
        let (at, name) = (world.table.add(at, n), format!("{name}+{n}"));
        leaves.push(Leaf {
            name,
            at,
            len: 1,
            val: Val::Const((*byte).into()),
        });
    }
    text.len() as u64
}
