//! The kernel of a proof: it compares each call with the trace, and gives every answer.

use super::cpu::{load, store};
use super::failure;
use super::leaves::memory_of;
use super::path::{Context_, Held, Mode, Path};
use super::set::Set;
use super::state::{State, World};
use super::steps::{self, Step};
use super::value::Val;
use crate::expected::{Call, Ret};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The registers of a call's arguments: rdi, rsi, rdx, r10, r8, r9.
const ARGS: [usize; 6] = [7, 6, 2, 10, 8, 9];

/// What is shown of a fixture, counted.
#[derive(Default)]
pub struct Shown {
    /// Arguments that are the number that the trace states.
    pub args: usize,
    /// Calls that were met, by where they stand in the trace.
    met: BTreeSet<usize>,
    /// Sets of wrong answers that were given.
    pub answers: usize,
    /// Ways to the end of the process.
    pub ends: usize,
    /// Ways that made exactly the trace.
    pub whole: usize,
    /// Words that the kernel writes, each of which was another on some path.
    pub fields: usize,
    /// Those of them that change nothing.
    pub unread: BTreeSet<String>,
    /// Addresses of handlers and restorers that were registered.
    pub roots: BTreeSet<u64>,
}

/// The kernel, for the whole of a proof.
pub struct Kernel<'a> {
    /// The scenario's name.
    pub name: &'a str,
    /// The steps of each child.
    pub children: Vec<Rc<Vec<Step<'a>>>>,
    /// What is shown.
    pub shown: Shown,
    /// Whether wrong answers are followed.
    pub explore: bool,
}

/// What to go on with.
pub type Paths<'a> = Vec<Path<'a>>;

impl<'a> Kernel<'a> {
    /// Answers a call in every way.
    ///
    /// # Errors
    /// The call must not be made there.
    pub fn call(&mut self, world: &mut World, path: Path<'a>, site: u64) -> Result<Paths<'a>> {
        let Val::Const(nr) = world.table.settled(&path.state.known, path.state.regs[0]) else {
            bail!("a syscall whose number is not known, at {site:#x}");
        };
        world.sites.entry(site).or_default().insert(nr);
        match path.mode.clone() {
            Mode::Expected => self.expected(world, path, nr),
            Mode::Failed(call) => failure::call(self, world, path, nr, &call),
            Mode::Taken(times) => failure::taken(self, world, path, nr, times),
        }
    }

    /// A call on a path with expected answers only.
    ///
    /// # Errors
    /// It is not the trace's next.
    pub fn expected(
        &mut self,
        world: &mut World,
        mut path: Path<'a>,
        nr: u64,
    ) -> Result<Paths<'a>> {
        let steps = path.steps.clone();
        let step = steps
            .get(path.at)
            .with_context(|| format!("call {nr} after the last"))?;
        if step.first {
            path.mark = path.names.len();
        }
        let args = arguments(world, &path.state);
        let differs = self.compare(world, &mut path, step, nr, &args);
        if let (Err(_), Some(_)) = (&differs, &path.altered) {
            path.mode = Mode::Failed("".into());
            return failure::call(self, world, path, nr, "");
        }
        differs.with_context(|| format!("{} {}", step.call.name, path.at))?;
        if nr == 231 && path.altered.is_some() {
            bail!(failure::GoesOn("makes the whole trace".into()));
        }
        if nr == 231 {
            ensure!(path.at + 1 == steps.len(), "exit_group before the end");
            self.shown.whole += 1;
            self.shown.ends += 1;
            return Ok(Vec::new());
        }
        if nr == 15 {
            return Ok(vec![resumed(world, path)?]);
        }
        let mut paths = self.wrong(world, &path, step, &args);
        if let Some(usual) = rets(step.call).first() {
            paths.extend(self.altered(world, &path, step, &args, usual)?);
        }
        for ret in rets(step.call) {
            paths.extend(self.right(world, path.clone(), step, &args, &ret)?);
        }
        Ok(paths)
    }

    fn compare(
        &mut self,
        world: &mut World,
        path: &mut Path<'a>,
        step: &Step,
        nr: u64,
        args: &[Val],
    ) -> Result<()> {
        ensure!(nr == step.call.nr, "call {nr} instead");
        for (n, (want, got)) in step.call.args.iter().zip(args).enumerate() {
            path.word(world, want, 64, *got)
                .with_context(|| format!("argument {n}"))?;
        }
        path.compare(world, &step.call.before)?;
        if self
            .shown
            .met
            .insert(std::ptr::from_ref(step.call) as usize)
        {
            self.shown.args += steps::stated(step.call);
        }
        Ok(())
    }

    /// A path for each set of answers that no trace allows.
    fn wrong(
        &mut self,
        world: &mut World,
        path: &Path<'a>,
        step: &Step,
        args: &[Val],
    ) -> Paths<'a> {
        if path.quiet || !step.explore || !self.explore {
            return Vec::new();
        }
        let (possible, differs) = Self::others(path, step);
        let mut paths = Vec::new();
        let taken = step.call.nr == 257
            && step.call.args.get(2) == Some(&crate::expected::Word::Number(655_554));
        let exists = Set::one(-17i64 as u64);
        if taken {
            let mut path = path.clone();
            path.mode = Mode::Taken(1);
            answer(world, &mut path.state, Val::Const(-17i64 as u64));
            paths.push(path);
        }
        let possible = if taken {
            possible.minus(&exists)
        } else {
            possible
        };
        for part in parts(&possible) {
            self.shown.answers += 1;
            let mut path = path.clone();
            let id = world
                .table
                .base(&format!("{}'s answer", step.call.name), part.clone(), 1);
            if let Some(Val::Sym(other)) = differs {
                path.state.known.differ(id, other);
            }
            gone(&mut path.held, step.call.nr, args);
            path.mode = Mode::Failed(step.call.name.as_str().into());
            answer(world, &mut path.state, Val::Sym(id));
            if step.call.nr == 206 && part.0[0].0 < 1 << 63 {
                handle(world, &mut path, args);
            }
            paths.push(path);
        }
        paths
    }

    /// A path for each word that the kernel writes, on which it writes another.
    fn altered(
        &mut self,
        world: &mut World,
        path: &Path<'a>,
        step: &Step,
        args: &[Val],
        ret: &Ret,
    ) -> Result<Paths<'a>> {
        let mut paths = Vec::new();
        // Handles apart.
        if path.quiet || !step.explore || !self.explore || step.call.nr == 206 {
            return Ok(paths);
        }
        // As it would go on, without what branches off.
        let leaves = memory_of(world, path, &step.call.after)?;
        let mut good = self
            .right(world, path.clone(), step, args, ret)?
            .pop()
            .context("no path")?;
        good.quiet = true;
        for leaf in leaves {
            let label = format!("{} {}: {}", path.at, step.call.name, leaf.name);
            self.shown.fields += 1;
            for val in leaf.others(world, &mut good) {
                let mut path = good.clone();
                path.altered = Some(label.as_str().into());
                store(world, &mut path.state, leaf.at, leaf.len, val)?;
                if let Some(saved) = &mut path.interrupted {
                    saved.known = path.state.known.clone();
                }
                paths.push(path);
            }
        }
        Ok(paths)
    }

    /// The answers that are not expected, and the value that they are not, where that has a name.
    fn others(path: &Path, step: &Step) -> (Set, Option<Val>) {
        let high = if matches!(step.call.nr, 9 | 25) {
            0x7fff_ffff_f000
        } else {
            0x7fff_ffff
        };
        let all = Set::signed(-4095, high);
        let also = step
            .also
            .iter()
            .map(|number| (*number as u64, *number as u64));
        let mut all = all.minus(&Set::of(also.collect()));
        if step.call.nr == 263 {
            // A name that is gone already is fine.
            all = all.minus(&Set::one(-2i64 as u64));
        }
        match &step.call.ret {
            Some(Ret::Number(number)) => (all.minus(&Set::one(*number as u64)), None),
            Some(Ret::Any(numbers)) => {
                let set = numbers
                    .iter()
                    .map(|number| (*number as u64, *number as u64));
                (all.minus(&Set::of(set.collect())), None)
            }
            Some(Ret::Name(name)) => match path.named(name) {
                Some(val) => (all, Some(val)),
                None => (
                    all.minus(&Set::signed(i64::from(!zero(step.call.nr)), high)),
                    None,
                ),
            },
            Some(Ret::Range(range)) => (all.minus(&Set::signed(range.min, range.max)), None),
            None => (Set::default(), None),
        }
    }

    /// The path on which the call is answered as the trace says.
    fn right(
        &mut self,
        world: &mut World,
        mut path: Path<'a>,
        step: &Step,
        args: &[Val],
        ret: &Ret,
    ) -> Result<Paths<'a>> {
        let val = match ret {
            Ret::Number(number) => Val::Const(*number as u64),
            Ret::Name(name) => match path.named(name) {
                Some(val) => val,
                None => path.fresh(world, name),
            },
            _ => bail!("an answer of another kind"),
        };
        path.fill(world, &step.call.after)?;
        answer(world, &mut path.state, val);
        self.effects(world, &mut path, step, args, val)?;
        let mut paths = Vec::new();
        if matches!(step.call.nr, 57 | 58) {
            let child = self.child(&path)?;
            path.children += 1;
            paths.push(child);
        }
        path.at += 1;
        if step.last {
            path.names.truncate(path.mark);
        }
        if path
            .steps
            .get(path.at)
            .is_some_and(|next| next.call.nr == 15)
        {
            self.interrupt(world, &mut path)?;
        }
        paths.push(path);
        Ok(paths)
    }

    fn child(&self, parent: &Path<'a>) -> Result<Path<'a>> {
        let mut child = parent.clone();
        child.steps = self
            .children
            .get(parent.children)
            .context("a child that is not expected")?
            .clone();
        child.at = 0;
        child.borrowed = parent.steps[parent.at].call.nr == 58;
        child.state.memory.frozen = child.borrowed;
        child.held = Held::default();
        child.state.regs[0] = Val::Const(0);
        Ok(child)
    }

    /// What the call has changed, beyond its answer.
    fn effects(
        &mut self,
        world: &mut World,
        path: &mut Path<'a>,
        step: &Step,
        args: &[Val],
        ret: Val,
    ) -> Result<()> {
        let good = !matches!(ret, Val::Const(number) if (number as i64) < 0);
        match step.call.nr {
            206 if good => made(world, path, args)?,
            209 if good => submitted(world, path, args, ret)?,
            257 if good => {
                path.held.fds.push(ret);
                path.held.files.extend(
                    (step.call.args.get(2) == Some(&crate::expected::Word::Number(655_554)))
                        .then_some(args[1]),
                );
            }
            290 | 319 if good => path.held.fds.push(ret),
            293 if good => {
                let (one, two) = (load(world, &path.state, args[0], 4)?, args[0]);
                let two = world.table.add(two, 4);
                let two = load(world, &path.state, two, 4)?;
                path.held.fds.extend([one, two]);
            }
            9 if good => mapped(path, args, ret),
            25 if good => moved(path, args, ret),
            11 if good => {
                if let Val::Sym(id) = args[0] {
                    path.state.memory.unmap(id);
                }
                path.held.contexts.retain(|context| context.id != args[0]);
            }
            13 => self.handler(world, path, args)?,
            // A name that is gone is gone.
            nr if good || nr == 263 => gone(&mut path.held, nr, args),
            _ => {}
        }
        Ok(())
    }

    /// Remembers a handler and its restorer.
    fn handler(&mut self, world: &mut World, path: &mut Path<'a>, args: &[Val]) -> Result<()> {
        let handler = load(world, &path.state, args[1], 8)?;
        let place = world.table.add(args[1], 16);
        let restorer = load(world, &path.state, place, 8)?;
        if let (Val::Const(2..), Val::Const(_)) = (handler, restorer) {
            path.handler = Some((handler, restorer));
        }
        Ok(())
    }

    /// A signal comes: the handler runs, and returns to the restorer.
    fn interrupt(&mut self, world: &mut World, path: &mut Path<'a>) -> Result<()> {
        let (Val::Const(handler), Val::Const(restorer)) =
            path.handler.context("a signal without a handler")?
        else {
            bail!("a handler that is not known")
        };
        self.shown.roots.extend([handler, restorer]);
        path.interrupted = Some(Box::new(path.state.clone()));
        let state = &mut path.state;
        let below = world.table.add(state.regs[4], 0x1000u64.wrapping_neg());
        let mut regs = [Val::Undef; 16];
        regs[4] = world
            .table
            .op(super::value::Op::And, below, Val::Const(!0xf));
        regs[7] = Val::Const(14);
        state.regs = regs;
        super::cpu::push(world, state, Val::Const(restorer))?;
        state.returns = vec![(state.regs[4], restorer)];
        state.rip = handler;
        Ok(())
    }
}

/// io_setup has answered what it must not, and has made a context all the same.
fn handle(world: &mut World, path: &mut Path, args: &[Val]) {
    // Only where there is none yet.
    if !load(world, &path.state, args[1], 8).is_ok_and(|before| before == Val::Const(0)) {
        return;
    }
    let id = world
        .table
        .base("a handle", Set(vec![(0x10000, 0x7fff_ffff_f000)]), 4096);
    if store(world, &mut path.state, args[1], 8, Val::Sym(id)).is_ok() {
        path.held.perhaps.push(Val::Sym(id));
    }
}

/// rt_sigreturn: all registers are as they were before the signal.
pub fn resumed<'a>(world: &mut World, mut path: Path<'a>) -> Result<Path<'a>> {
    let saved = path
        .interrupted
        .take()
        .context("rt_sigreturn without a signal")?;
    let below = world.table.add(saved.regs[4], 0x1000u64.wrapping_neg());
    let frame = world
        .table
        .op(super::value::Op::And, below, Val::Const(!0xf));
    ensure!(
        path.state.regs[4] == frame,
        "the stack pointer is not at the signal's frame"
    );
    let memory = std::mem::take(&mut path.state.memory);
    path.state = *saved;
    path.state.memory = memory;
    path.at += 1;
    Ok(path)
}

/// The values of all six argument registers.
pub fn arguments(world: &World, state: &State) -> Vec<Val> {
    ARGS.iter()
        .map(|register| world.table.settled(&state.known, state.regs[*register]))
        .collect()
}

/// Gives an answer. The instruction itself overwrites rcx and r11.
pub fn answer(_: &World, state: &mut State, val: Val) {
    state.regs[0] = val;
    state.regs[1] = Val::Undef;
    state.regs[11] = Val::Undef;
}

/// What the answers of a call are, one by one.
fn rets(call: &Call) -> Vec<Ret> {
    match &call.ret {
        Some(Ret::Any(numbers)) => numbers.iter().map(|number| Ret::Number(*number)).collect(),
        Some(ret) if call.nr == 263 => vec![ret.clone(), Ret::Number(-2)],
        Some(ret) => vec![ret.clone()],
        None => Vec::new(),
    }
}

/// Classes of answers: errors and others, so that each is followed from its own beginning.
fn parts(set: &Set) -> Vec<Set> {
    let (errors, others) = (Set::signed(-4095, -1), Set::signed(0, i64::MAX));
    [set.and(&errors), set.and(&others)]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether 0 is no wrong answer where any number is right: it is a descriptor, or the child's answer.
fn zero(nr: u64) -> bool {
    matches!(nr, 57 | 58 | 257 | 290 | 319)
}

/// What a call that gives something back takes away, whatever its answer is.
pub fn gone(held: &mut Held, nr: u64, args: &[Val]) {
    match nr {
        207 => held.contexts.retain(|context| context.id != args[0]),
        3 => held.fds.retain(|fd| *fd != args[0]),
        263 => held.files.retain(|file| *file != args[1]),
        _ => {}
    }
}

/// io_setup has made a context: its ring is mapped where its handle says.
fn made(world: &mut World, path: &mut Path, args: &[Val]) -> Result<()> {
    let id = load(world, &path.state, args[1], 8)?;
    let Val::Sym(ring) = id else { return Ok(()) };
    path.state.memory.map(ring, 0x20000);
    let room = world
        .table
        .base("the ring's nr", Set(vec![(1100, 0x10000)]), 1);
    let words = [
        (4, Val::Sym(room)),
        (16, Val::Const(0xa10a_10a1)),
        (20, Val::Const(1)),
        (28, Val::Const(32)),
    ];
    for (at, val) in words {
        let at = world.table.add(id, at);
        store(world, &mut path.state, at, 4, val)?;
    }
    path.held.contexts.push(Context_ {
        id,
        uses: vec![args[1]],
    });
    Ok(())
}

/// io_submit has taken requests. What is complete at once is in the ring: of writes, the first few.
fn submitted(world: &mut World, path: &mut Path, args: &[Val], ret: Val) -> Result<()> {
    let Val::Const(count @ 1..) = ret else {
        return Ok(());
    };
    for n in 0..count {
        let place = world.table.add(args[2], 8 * n);
        let iocb = load(world, &path.state, place, 8)?;
        let at = |world: &mut World, offset| world.table.add(iocb, offset);
        let (buf, opcode) = (at(world, 24), at(world, 16));
        let buf = load(world, &path.state, buf, 8)?;
        let opcode = load(world, &path.state, opcode, 2)?;
        let context = path
            .held
            .contexts
            .iter_mut()
            .find(|context| context.id == args[0]);
        let context = context.context("a context that there is not")?;
        context.uses.extend([iocb, buf]);
        context.uses.dedup();
        context.uses.truncate(64);
        if opcode == Val::Const(1) {
            complete(world, path, args[0], iocb)?;
        }
    }
    Ok(())
}

fn complete(world: &mut World, path: &mut Path, ring: Val, iocb: Val) -> Result<()> {
    let tail_at = world.table.add(ring, 12);
    let Val::Const(tail @ 0..8) = load(world, &path.state, tail_at, 4)? else {
        return Ok(());
    };
    let (data, bytes) = (
        load(world, &path.state, iocb, 8)?,
        world.table.add(iocb, 32),
    );
    let bytes = load(world, &path.state, bytes, 8)?;
    for (field, val) in (0..).zip([data, iocb, bytes, Val::Const(0)]) {
        let at = world.table.add(ring, 32 + 32 * tail + 8 * field);
        store(world, &mut path.state, at, 8, val)?;
    }
    store(world, &mut path.state, tail_at, 4, Val::Const(tail + 1))
}

/// mmap: pages of zeros, or of a file.
fn mapped(path: &mut Path, args: &[Val], ret: Val) {
    let Val::Sym(id) = ret else { return };
    let size = if let Val::Const(size) = args[1] {
        size
    } else {
        0x10_0000
    };
    let file = path
        .mapped
        .iter()
        .find(|(fd, _)| *fd == args[4])
        .map(|(_, id)| *id);
    match (args[4], file) {
        (Val::Sym(_), Some(first)) => path.state.memory.alias(id, first, size),
        _ => path.state.memory.map(id, size),
    }
    path.mapped.push((args[4], id));
}

/// mremap of a ring: the context has a new handle.
fn moved(path: &mut Path, args: &[Val], ret: Val) {
    for context in path
        .held
        .contexts
        .iter_mut()
        .filter(|context| context.id == args[0])
    {
        context.id = ret;
    }
}
