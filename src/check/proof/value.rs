//! Values: numbers, and what the program can't know: an address of its stack, an answer.

use super::set::{Set, mask};
use std::collections::HashMap;

/// A place in the [`Table`].
pub type Id = u32;

/// What a register holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Val {
    /// This number.
    Const(u64),
    /// A number of which something is known.
    Sym(Id),
    /// What nobody has set. It may be saved and restored, and nothing else.
    Undef,
}

/// An operation whose result is kept as it stands.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "they are called what they do")]
pub enum Op {
    And,
    Or,
    Xor,
    Plus,
    Minus,
    Times,
    Over,
    Rest,
    Left,
    Right,
}

/// How a value came to be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    /// From outside of the program.
    Base(u32),
    /// Another and a number.
    Add(Id, u64),
    /// Another's negative.
    Neg(Id),
    /// The lowest bits of another.
    Low(Id, u32),
    /// Another of so many bits, with its sign.
    Signed(Id, u32),
    /// The first with its lowest bits replaced by the second.
    Mixed(Val, Val, u32),
    /// Bytes of several values, as they are in memory, and how many.
    Bytes([u32; 8], u8),
    /// Of two others.
    Op(Op, Val, Val),
}

/// What comes from outside.
struct Base {
    name: String,
    set: Set,
    align: u64,
}

/// Every value that was met, each once: equal values have equal numbers.
#[derive(Default)]
pub struct Table {
    nodes: Vec<Node>,
    index: HashMap<Node, Id>,
    bases: Vec<Base>,
}

/// What a path has found out about values.
#[derive(Clone, Default)]
pub struct Known {
    sets: Vec<(Id, std::rc::Rc<Set>)>,
    differ: Vec<(Id, Id)>,
}

impl Known {
    fn set(&self, id: Id) -> Option<&Set> {
        self.sets
            .iter()
            .rfind(|(of, _)| *of == id)
            .map(|(_, set)| &**set)
    }

    fn put(&mut self, id: Id, set: Set) {
        self.sets.retain(|(of, _)| *of != id);
        self.sets.push((id, std::rc::Rc::new(set)));
    }

    /// Two values that are not equal.
    pub fn differ(&mut self, one: Id, two: Id) {
        self.differ.push((one, two));
    }

    /// Whether they are known not to be equal.
    #[must_use]
    pub fn differs(&self, one: Id, two: Id) -> bool {
        self.differ.contains(&(one, two)) || self.differ.contains(&(two, one))
    }
}

impl Table {
    /// A new value from outside, a multiple of `align`.
    pub fn base(&mut self, name: &str, set: Set, align: u64) -> Id {
        let name = name.to_owned();
        self.bases.push(Base { name, set, align });
        self.id(Node::Base(self.bases.len() as u32 - 1))
    }

    fn id(&mut self, node: Node) -> Id {
        let next = self.nodes.len() as Id;
        let id = *self.index.entry(node).or_insert(next);
        if id == next {
            self.nodes.push(node);
        }
        id
    }

    fn sym(&mut self, node: Node) -> Val {
        Val::Sym(self.id(node))
    }

    /// How the value came to be.
    #[must_use]
    pub fn node(&self, id: Id) -> Node {
        self.nodes[id as usize]
    }

    /// A value as another and a distance from it.
    #[must_use]
    pub fn split(&self, id: Id) -> (Id, u64) {
        match self.node(id) {
            Node::Add(base, add) => (base, add),
            _ => (id, 0),
        }
    }

    /// What a value is called.
    #[must_use]
    pub fn name(&self, val: Val) -> String {
        match val {
            Val::Const(number) => format!("{number:#x}"),
            Val::Undef => "something that nobody has set".into(),
            Val::Sym(id) => match self.node(id) {
                Node::Base(base) => self.bases[base as usize].name.clone(),
                Node::Add(of, add) => format!("{}{:+#x}", self.name(Val::Sym(of)), add as i64),
                Node::Low(of, _) => self.name(Val::Sym(of)),
                other => format!("{other:?}"),
            },
        }
    }

    /// Which numbers the value can be.
    #[must_use]
    pub fn range(&self, known: &Known, id: Id) -> Set {
        match self.node(id) {
            Node::Add(of, add) => self.range(known, of).plus(add),
            Node::Neg(of) => self.range(known, of).negated(),
            Node::Low(of, bits) => {
                let set = self.range(known, of).truncated(bits);
                known.set(id).map_or(set.clone(), |known| known.and(&set))
            }
            Node::Signed(of, bits) => self.range(known, of).extended(bits),
            Node::Base(base) => {
                let set = known.set(id).cloned();
                set.unwrap_or_else(|| self.bases[base as usize].set.clone())
            }
            Node::Op(op, one, two) => {
                let set = self.estimate(known, op, one, two);
                known.set(id).map_or(set.clone(), |known| known.and(&set))
            }
            Node::Mixed(..) | Node::Bytes(..) => {
                known.set(id).cloned().unwrap_or_else(|| Set::all(64))
            }
        }
    }

    fn estimate(&self, known: &Known, op: Op, one: Val, two: Val) -> Set {
        let (Val::Sym(id), Val::Const(by)) = (one, two) else {
            return Set::all(64);
        };
        let (low, high) = self.range(known, id).ends();
        match op {
            Op::And if (!by).count_ones() <= 6 => self.masked(known, id, by),
            Op::And => Set(vec![(0, high.min(by))]),
            Op::Over => Set(vec![(low / by, high / by)]),
            Op::Rest => Set(vec![(0, by - 1)]),
            Op::Right => Set(vec![(low >> by, high >> by)]),
            Op::Times if high.checked_mul(by).is_some() => Set(vec![(low * by, high * by)]),
            Op::Left if high.leading_zeros() as u64 >= by => Set(vec![(low << by, high << by)]),
            _ => Set::all(64),
        }
    }

    /// What `id & by` can be, where `by` leaves out few bits: 0 only if `id` has no others.
    fn masked(&self, known: &Known, id: Id, by: u64) -> Set {
        let (range, zeros) = (self.range(known, id), zeros(by));
        match (range.and(&zeros).is_empty(), range.within(&zeros)) {
            (true, _) => Set(vec![(1, by)]),
            (_, true) => Set::one(0),
            _ => Set(vec![(0, by)]),
        }
    }

    /// The value as a number, if only one is left.
    #[must_use]
    pub fn settled(&self, known: &Known, val: Val) -> Val {
        let Val::Sym(id) = val else { return val };
        self.range(known, id).only().map_or(val, Val::Const)
    }

    /// From now on the value is in this set too.
    pub fn refine(&self, known: &mut Known, id: Id, set: &Set) {
        match self.node(id) {
            Node::Add(of, add) => self.refine(known, of, &set.plus(add.wrapping_neg())),
            Node::Neg(of) => self.refine(known, of, &set.negated()),
            Node::Signed(of, bits) => self.refine(known, of, &set.truncated(bits)),
            Node::Low(of, bits) => match self.unique(known, of, bits) {
                Some(extend) => self.refine(known, of, &extend(set)),
                None => known.put(id, self.range(known, id).and(set)),
            },
            Node::Op(Op::And, Val::Sym(of), Val::Const(by)) if (!by).count_ones() <= 6 => {
                self.refine_and(known, of, by, set);
                known.put(id, self.range(known, id).and(set));
            }
            _ => known.put(id, self.range(known, id).and(set)),
        }
    }

    /// How a value is found from its lowest bits, if these determine it.
    fn unique(&self, known: &Known, of: Id, bits: u32) -> Option<Box<dyn Fn(&Set) -> Set>> {
        let range = self.range(known, of);
        if range.within(&Set::all(bits)) {
            return Some(Box::new(Set::clone));
        }
        let signed = range.within(&Set::all(bits).extended(bits));
        signed.then_some(Box::new(move |set: &Set| set.extended(bits)) as _)
    }

    /// `of & by` is 0 for the numbers whose bits are all outside of `by`.
    fn refine_and(&self, known: &mut Known, of: Id, by: u64, set: &Set) {
        let zeros = zeros(by);
        if set.only() == Some(0) {
            self.refine(known, of, &zeros);
        } else if !set.0.iter().any(|interval| interval.0 == 0) {
            self.refine(known, of, &zeros.not(64));
        }
    }

    /// `val + add`.
    pub fn add(&mut self, val: Val, add: u64) -> Val {
        match val {
            Val::Const(number) => Val::Const(number.wrapping_add(add)),
            Val::Undef => Val::Undef,
            Val::Sym(id) => {
                let (base, before) = self.split(id);
                match before.wrapping_add(add) {
                    0 => Val::Sym(base),
                    add => self.sym(Node::Add(base, add)),
                }
            }
        }
    }

    /// `-val`.
    pub fn neg(&mut self, val: Val) -> Val {
        let Val::Sym(id) = val else {
            return if let Val::Const(number) = val {
                Val::Const(number.wrapping_neg())
            } else {
                val
            };
        };
        match self.node(id) {
            Node::Neg(of) => Val::Sym(of),
            Node::Add(of, add) => {
                let neg = self.neg(Val::Sym(of));
                self.add(neg, add.wrapping_neg())
            }
            _ => self.sym(Node::Neg(id)),
        }
    }

    /// The lowest bits.
    pub fn low(&mut self, known: &Known, val: Val, bits: u32) -> Val {
        if bits == 64 {
            return val;
        }
        let Val::Sym(id) = val else {
            return if let Val::Const(number) = val {
                Val::Const(number & mask(bits))
            } else {
                val
            };
        };
        match self.node(id) {
            Node::Mixed(_, low, of) if of == bits => low,
            Node::Bytes(bytes, len) if bits < 8 * u32::from(len) => {
                super::memory::joined(self, known, &bytes[..bits as usize / 8])
            }
            Node::Low(_, before) if before <= bits => val,
            Node::Low(of, _) => self.sym(Node::Low(of, bits)),
            Node::Signed(of, before) if before == bits => Val::Sym(of),
            _ if self.range(known, id).within(&Set::all(bits)) => val,
            _ => self.sym(Node::Low(id, bits)),
        }
    }

    /// A value of so many bits, with its sign.
    pub fn signed(&mut self, known: &Known, val: Val, bits: u32) -> Val {
        let Val::Sym(id) = val else {
            let Val::Const(number) = val else { return val };
            return Val::Const((((number << (64 - bits)) as i64) >> (64 - bits)) as u64);
        };
        match self.node(id) {
            Node::Low(of, before)
                if before == bits
                    && self.range(known, of).within(&Set::all(bits).extended(bits)) =>
            {
                Val::Sym(of)
            }
            _ if self.range(known, id).within(&Set::all(bits - 1)) => val,
            _ => self.sym(Node::Signed(id, bits)),
        }
    }

    /// The first with its lowest bits replaced.
    pub fn mixed(&mut self, old: Val, low: Val, bits: u32) -> Val {
        match (old, low) {
            (Val::Const(old), Val::Const(low)) => Val::Const(old & !mask(bits) | low),
            _ => self.sym(Node::Mixed(old, low, bits)),
        }
    }

    /// Bytes that belong to several values.
    pub fn bytes(&mut self, bytes: &[u32]) -> Val {
        let mut all = [0; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        self.sym(Node::Bytes(all, bytes.len() as u8))
    }

    /// An operation of 64 bits.
    pub fn op(&mut self, op: Op, one: Val, two: Val) -> Val {
        match (op, one, two) {
            (_, Val::Undef, _) | (_, _, Val::Undef) => Val::Undef,
            (_, Val::Const(one), Val::Const(two)) => Val::Const(compute(op, one, two)),
            (Op::Plus, val, Val::Const(add)) | (Op::Plus, Val::Const(add), val) => {
                self.add(val, add)
            }
            (Op::Minus, val, Val::Const(less)) => self.add(val, less.wrapping_neg()),
            (Op::Minus, Val::Const(from), val) => {
                let neg = self.neg(val);
                self.add(neg, from)
            }
            (Op::Minus, Val::Sym(one), Val::Sym(two)) => self.distance(one, two),
            (Op::And | Op::Times, _, Val::Const(0)) => Val::Const(0),
            (Op::And, val, Val::Const(u64::MAX)) => val,
            (Op::Or | Op::Xor | Op::Left | Op::Right, val, Val::Const(0)) => val,
            (Op::Times | Op::Over, val, Val::Const(1)) => val,
            (Op::And, Val::Sym(id), Val::Const(by)) => self.aligned(id, by),
            (Op::And | Op::Or | Op::Xor | Op::Times, Val::Const(_), _) => self.op(op, two, one),
            (Op::Right, Val::Sym(id), Val::Const(by @ (8 | 16 | 24 | 32 | 40 | 48 | 56))) => {
                self.right(id, by)
            }
            _ => self.sym(Node::Op(op, one, two)),
        }
    }

    fn right(&mut self, id: Id, by: u64) -> Val {
        let from = by as usize / 8;
        match self.node(id) {
            Node::Bytes(bytes, len) if from < usize::from(len) => {
                super::memory::joined(self, &Known::default(), &bytes[from..usize::from(len)])
            }
            _ => self.sym(Node::Op(Op::Right, Val::Sym(id), Val::Const(by))),
        }
    }

    fn distance(&mut self, one: Id, two: Id) -> Val {
        let (a, b) = (self.split(one), self.split(two));
        if a.0 == b.0 {
            return Val::Const(a.1.wrapping_sub(b.1));
        }
        self.sym(Node::Op(Op::Minus, Val::Sym(one), Val::Sym(two)))
    }

    /// `id & by`, which for an address can be a rounding.
    fn aligned(&mut self, id: Id, by: u64) -> Val {
        let (base, add) = self.split(id);
        if let Node::Base(of) = self.node(base) {
            let unit = (!by).wrapping_add(1);
            if unit.is_power_of_two() && unit <= self.bases[of as usize].align {
                return self.add(Val::Sym(base), add & by);
            }
        }
        self.sym(Node::Op(Op::And, Val::Sym(id), Val::Const(by)))
    }
}

/// The numbers whose bits are all outside of `by`.
fn zeros(by: u64) -> Set {
    let (mut zeros, mut bits) = (vec![(0, 0)], !by);
    while bits != 0 {
        zeros.push((bits, bits));
        bits = (bits - 1) & !by;
    }
    Set::of(zeros)
}

fn compute(op: Op, one: u64, two: u64) -> u64 {
    match op {
        Op::And => one & two,
        Op::Or => one | two,
        Op::Xor => one ^ two,
        Op::Plus => one.wrapping_add(two),
        Op::Minus => one.wrapping_sub(two),
        Op::Times => one.wrapping_mul(two),
        Op::Over => one.checked_div(two).unwrap_or(0),
        Op::Rest => one.checked_rem(two).unwrap_or(0),
        Op::Left => one.checked_shl(two as u32).unwrap_or(0),
        Op::Right => one.checked_shr(two as u32).unwrap_or(0),
    }
}
