//! A path with what the kernel knows of its process: what it holds, and where in the trace it is.

use super::cpu::{load, store};
use super::set::Set;
use super::state::{State, World};
use super::steps::Step;
use super::value::Val;
use crate::expected::{Pairs, Shape, Word};
use crate::layout;
use anyhow::{Context, Result, bail, ensure};
use std::rc::Rc;

/// How a path stands to the trace.
#[derive(Clone)]
pub enum Mode {
    /// Every answer was an expected one.
    Expected,
    /// This call was answered otherwise: what must follow is the end.
    Failed(Rc<str>),
    /// The target file's name was taken, so many times.
    Taken(u32),
}

/// A context: its handle, and the addresses that the kernel may use until it is destroyed.
#[derive(Clone)]
pub struct Context_ {
    /// The handle.
    pub id: Val,
    /// Requests, and what they point to.
    pub uses: Vec<Val>,
}

/// What a process holds.
#[derive(Clone, Default)]
pub struct Held {
    /// Contexts.
    pub contexts: Vec<Context_>,
    /// Handles of which nobody has promised anything: they may be destroyed.
    pub perhaps: Vec<Val>,
    /// Descriptors.
    pub fds: Vec<Val>,
    /// Names in the file system, by the address of the path.
    pub files: Vec<Val>,
}

/// A process on its way.
#[derive(Clone)]
pub struct Path<'a> {
    /// Registers and memory.
    pub state: State,
    /// Its trace.
    pub steps: Rc<Vec<Step<'a>>>,
    /// The next step.
    pub at: usize,
    /// How it stands to it.
    pub mode: Mode,
    /// Names of the trace, and their values.
    pub names: Vec<(String, Val)>,
    /// How many names there were before the round.
    pub mark: usize,
    /// What it holds.
    pub held: Held,
    /// Where wrong answers were followed already.
    pub quiet: bool,
    /// Handler and restorer of a signal.
    pub handler: Option<(Val, Val)>,
    /// The state that a signal has interrupted.
    pub interrupted: Option<Box<State>>,
    /// Whether it is a child of vfork, which exits with its answer.
    pub borrowed: bool,
    /// Children so far.
    pub children: usize,
    /// Whether the failure's line is written.
    pub written: bool,
    /// The word that the kernel has written otherwise.
    pub altered: Option<Rc<str>>,
    /// Descriptors of files, and their first mapping.
    pub mapped: Vec<(Val, u32)>,
}

impl<'a> Path<'a> {
    /// A process before its first instruction.
    #[must_use]
    pub fn start(state: State, steps: Rc<Vec<Step<'a>>>) -> Self {
        Self {
            state,
            steps,
            at: 0,
            mode: Mode::Expected,
            names: Vec::new(),
            mark: 0,
            held: Held::default(),
            quiet: false,
            handler: None,
            interrupted: None,
            borrowed: false,
            children: 0,
            written: false,
            altered: None,
            mapped: Vec::new(),
        }
    }

    /// The value of a name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<Val> {
        self.names
            .iter()
            .rfind(|(of, _)| of == name)
            .map(|(_, val)| *val)
    }

    /// The value of a name, or one that it gets now.
    ///
    /// # Errors
    /// An address that is 0, or that has another name too.
    pub fn bind(&mut self, name: &str, val: Val) -> Result<Val> {
        if let Some(bound) = self.named(name) {
            return Ok(bound);
        }
        let taken = self
            .names
            .iter()
            .find(|(of, place)| of.starts_with('&') && *place == val);
        let address = name.starts_with('&');
        ensure!(
            !address || taken.is_none(),
            "{name} is {}",
            taken.map_or("", |(of, _)| of)
        );
        ensure!(
            !matches!(val, Val::Undef | Val::Const(0)),
            "{name} is nothing"
        );
        self.names.push((name.into(), val));
        Ok(val)
    }

    /// Whether a word is as it is stated.
    ///
    /// # Errors
    /// It is not.
    pub fn word(&mut self, world: &World, want: &Word, bits: u32, got: Val) -> Result<()> {
        let got = world.table.settled(&self.state.known, got);
        let want = match want {
            Word::Number(number) => Val::Const(number & super::set::mask(bits)),
            Word::Round => Val::Const(self.steps[self.at].round),
            Word::Name(name) => self.bind(name, got)?,
        };
        ensure!(
            got == want,
            "{} instead of {}",
            world.table.name(got),
            world.table.name(want)
        );
        Ok(())
    }

    /// Compares what pointers lead to.
    ///
    /// # Errors
    /// The first difference.
    pub fn compare(&mut self, world: &mut World, pairs: &Pairs) -> Result<()> {
        for (name, shape) in &pairs.0 {
            let at = self
                .named(name)
                .with_context(|| format!("nothing is {name}"))?;
            self.shape(world, shape, at).with_context(|| name.clone())?;
        }
        Ok(())
    }

    fn shape(&mut self, world: &mut World, shape: &Shape, at: Val) -> Result<u64> {
        match shape {
            Shape::Word(word) => {
                let got = load(world, &self.state, at, 8)?;
                self.word(world, word, 64, got)?;
                Ok(8)
            }
            Shape::Bytes(text) => self.text(world, text.as_bytes(), at),
            Shape::List(items) => {
                let mut len = 0;
                for item in items {
                    let at = world.table.add(at, len);
                    len += self.shape(world, item, at)?;
                }
                Ok(len)
            }
            Shape::Struct(fields) => self.fields(world, fields, at),
        }
    }

    fn text(&self, world: &mut World, text: &[u8], at: Val) -> Result<u64> {
        for (n, want) in (0..).zip(text) {
            let place = world.table.add(at, n);
            let got = load(world, &self.state, place, 1)?;
            ensure!(
                got == Val::Const((*want).into()),
                "byte {n} is {}",
                world.table.name(got)
            );
        }
        Ok(text.len() as u64)
    }

    fn fields(&mut self, world: &mut World, fields: &Pairs, at: Val) -> Result<u64> {
        let layout = layout_of(fields)?;
        for (name, offset, len) in layout.fields {
            let place = world.table.add(at, *offset as u64);
            let got = load(world, &self.state, place, *len as u64)?;
            let zero = Shape::Word(Word::Number(0));
            let shape = fields
                .0
                .iter()
                .find(|(of, _)| of == name)
                .map_or(&zero, |(_, shape)| shape);
            let Shape::Word(word) = shape else {
                bail!("{name} is no word")
            };
            self.word(world, word, *len as u32 * 8, got)
                .with_context(|| *name)?;
        }
        Ok(layout.size as u64)
    }

    /// Writes what the kernel writes.
    ///
    /// # Errors
    /// It can't be written there.
    pub fn fill(&mut self, world: &mut World, pairs: &Pairs) -> Result<()> {
        for (name, shape) in &pairs.0 {
            let at = self
                .named(name)
                .with_context(|| format!("nothing is {name}"))?;
            self.put(world, shape, at, 8)
                .with_context(|| name.clone())?;
        }
        Ok(())
    }

    fn put(&mut self, world: &mut World, shape: &Shape, at: Val, len: u64) -> Result<u64> {
        match shape {
            Shape::Word(word) => {
                let val = self.given(world, word)?;
                store(world, &mut self.state, at, len, val)?;
                Ok(len)
            }
            Shape::Bytes(text) => {
                for (n, byte) in (0..).zip(text.as_bytes()) {
                    let place = world.table.add(at, n);
                    store(world, &mut self.state, place, 1, Val::Const((*byte).into()))?;
                }
                Ok(text.len() as u64)
            }
            Shape::List(items) => {
                let mut size = 0;
                for item in items {
                    let at = world.table.add(at, size);
                    size += self.put(world, item, at, 8)?;
                }
                Ok(size)
            }
            Shape::Struct(fields) => self.put_fields(world, fields, at),
        }
    }

    fn put_fields(&mut self, world: &mut World, fields: &Pairs, at: Val) -> Result<u64> {
        let layout = layout_of(fields)?;
        let zero = Shape::Word(Word::Number(0));
        for (name, offset, len) in layout.fields {
            let shape = fields
                .0
                .iter()
                .find(|(of, _)| of == name)
                .map_or(&zero, |(_, shape)| shape);
            let place = world.table.add(at, *offset as u64);
            self.put(world, shape, place, *len as u64)?;
        }
        Ok(layout.size as u64)
    }

    /// A word that the kernel gives: a new value, where the name has none.
    fn given(&mut self, world: &mut World, word: &Word) -> Result<Val> {
        match word {
            Word::Number(number) => Ok(Val::Const(*number)),
            Word::Round => bail!("a round from the kernel"),
            Word::Name(name) => match self.named(name) {
                Some(val) => Ok(val),
                None => Ok(self.fresh(world, name)),
            },
        }
    }

    /// A new value of the kernel's, by the call that gives it.
    pub fn fresh(&mut self, world: &mut World, name: &str) -> Val {
        let call = self.steps[self.at].call.name.as_str();
        let (set, align) = match call {
            "io_setup" | "mmap" | "mremap" => (Set(vec![(0x10000, 0x7fff_ffff_f000)]), 4096),
            "fork" | "vfork" | "getpid" => (Set(vec![(1, 0x40_0000)]), 1),
            _ => (Set(vec![(0, 0x7fff_ffff)]), 1),
        };
        let id = world.table.base(name, set, align);
        self.names.push((name.into(), Val::Sym(id)));
        Val::Sym(id)
    }
}

pub(super) fn layout_of(fields: &Pairs) -> Result<&'static layout::Layout> {
    let (first, _) = fields.0.first().context("a structure without fields")?;
    layout::of(first).with_context(|| format!("no structure has {first}"))
}
