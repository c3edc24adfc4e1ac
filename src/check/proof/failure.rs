//! After a wrong answer: what is held is given back, contexts first, one line is written, and the
//! process ends.

use super::cpu::load;
use super::kernel::{Kernel, Paths, answer, arguments, gone, resumed};
use super::path::{Mode, Path};
use super::set::Set;
use super::state::World;
use super::value::Val;
use anyhow::{Result, bail, ensure};

/// The story goes on as if nothing had been wrong.
#[derive(Debug)]
pub struct GoesOn(pub String);

impl std::fmt::Display for GoesOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for GoesOn {}

/// A call after a wrong answer.
///
/// # Errors
/// It must not be made.
pub fn call<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    mut path: Path<'a>,
    nr: u64,
    failed: &str,
) -> Result<Paths<'a>> {
    let args = arguments(world, &path.state);
    let state = &path.state;
    match nr {
        207 => {
            let context = path
                .held
                .contexts
                .iter()
                .find(|context| context.id == args[0]);
            ensure!(
                context.is_some() || path.held.perhaps.contains(&args[0]),
                "destroys what is no context"
            );
            for used in context.iter().flat_map(|context| &context.uses) {
                ensure!(
                    alive(world, state.regs[4], *used),
                    "destroys a context after the frame it works on"
                );
            }
        }
        3 => ensure!(path.held.fds.contains(&args[0]), "closes what is not open"),
        263 => ensure!(
            path.held.files.contains(&args[1]),
            "removes what is not its own"
        ),
        // What it has changed of its signals and its timer, and SIGPIPE for the line.
        11 | 13 | 14 | 38 => {}
        1 => line(kernel, world, &mut path, &args, failed)?,
        231 => {
            end(kernel, world, &path, args[0])?;
            return Ok(Vec::new());
        }
        15 if path.interrupted.is_some() => return Ok(vec![resumed(world, path)?]),
        _ => bail!(GoesOn(format!("makes call {nr}"))),
    }
    if matches!(nr, 3 | 11 | 263) {
        ensure!(
            path.held.contexts.is_empty(),
            "call {nr} before the contexts are destroyed"
        );
    }
    gone(&mut path.held, nr, &args);
    let any = world
        .table
        .base("an answer", Set::signed(-4095, 0x7fff_ffff), 1);
    answer(world, &mut path.state, Val::Sym(any));
    Ok(vec![path])
}

/// Whether an address of the stack is not below the stack pointer; others always are alive.
fn alive(world: &World, top: Val, at: Val) -> bool {
    let (Val::Sym(top), Val::Sym(at)) = (top, at) else {
        return true;
    };
    let ((base, top), (of, at)) = (world.table.split(top), world.table.split(at));
    base != of || at as i64 >= top as i64
}

/// The line: to descriptor 2, once, from the scenario's name and the call's to the newline.
fn line(
    kernel: &Kernel,
    world: &mut World,
    path: &mut Path,
    args: &[Val],
    failed: &str,
) -> Result<()> {
    ensure!(
        args[0] == Val::Const(2),
        "writes to {}",
        world.table.name(args[0])
    );
    ensure!(!path.written, "writes a second line");
    let Val::Const(len @ 1..=512) = args[2] else {
        bail!("a line of {} bytes", world.table.name(args[2]))
    };
    let start = match failed {
        "" => format!("{}: ", kernel.name),
        failed => format!("{}: {failed}: ", kernel.name),
    };
    let mut byte = |n| {
        let at = world.table.add(args[1], n);
        load(world, &path.state, at, 1)
    };
    for (n, want) in (0..).zip(start.as_bytes()) {
        ensure!(
            byte(n)? == Val::Const((*want).into()),
            "the line does not start with {start:?}"
        );
    }
    ensure!(
        byte(len - 1)? == Val::Const(b'\n'.into()),
        "the line has no end"
    );
    path.written = true;
    Ok(())
}

/// The end: 1 or 77, after the line, with nothing held.
fn end(kernel: &mut Kernel, world: &World, path: &Path, code: Val) -> Result<()> {
    kernel.shown.ends += 1;
    if path.borrowed {
        return Ok(());
    }
    let child = path.altered.as_ref().is_some_and(|of| of.ends_with("stat"));
    if child && code != Val::Const(0) && !path.written {
        // The child has said why.
        ensure!(path.held.contexts.is_empty(), "leaves a context");
        return Ok(());
    }
    ensure!(
        path.written || code != Val::Const(0),
        GoesOn("ends with 0 and no line".into())
    );
    ensure!(
        path.written,
        "ends with {} and no line",
        world.table.name(code)
    );
    ensure!(
        matches!(code, Val::Const(1 | 77)),
        "ends with {}",
        world.table.name(code)
    );
    ensure!(path.held.contexts.is_empty(), "leaves a context");
    ensure!(path.held.fds.is_empty(), "leaves a descriptor");
    ensure!(path.held.files.is_empty(), "leaves a file");
    Ok(())
}

/// The target's name was taken: it is removed, and made again; after 64 times the story fails.
///
/// # Errors
/// Another call.
pub fn taken<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    path: Path<'a>,
    nr: u64,
    times: u32,
) -> Result<Paths<'a>> {
    let args = arguments(world, &path.state);
    match nr {
        263 => {
            ensure!(path.named("&path") == Some(args[1]), "removes another name");
            removed(kernel, world, &path, times)
        }
        257 => {
            let mut again = path.clone();
            again.mode = Mode::Expected;
            again.quiet = true;
            ensure!(times < 64, "tries {times} times");
            let mut paths = vec![path];
            paths[0].mode = Mode::Taken(times + 1);
            answer(world, &mut paths[0].state, Val::Const(-17i64 as u64));
            if times == 1 {
                paths.extend(kernel.expected(world, again, nr)?);
            }
            Ok(paths)
        }
        _ => {
            ensure!(times == 64, "gives up after {times} tries");
            call(kernel, world, path, nr, "openat")
        }
    }
}

fn removed<'a>(
    kernel: &mut Kernel<'a>,
    world: &mut World,
    path: &Path<'a>,
    times: u32,
) -> Result<Paths<'a>> {
    let mut good = path.clone();
    answer(
        world,
        &mut good.state,
        Val::Const(if times.is_multiple_of(2) {
            -2i64 as u64
        } else {
            0
        }),
    );
    let mut paths = vec![good];
    if times == 1 {
        let fine = Set::of(vec![(0, 0), (-2i64 as u64, -2i64 as u64)]);
        let other = world.table.base(
            "unlinkat's answer",
            Set::signed(-4095, 0x7fff_ffff).minus(&fine),
            1,
        );
        let mut path = path.clone();
        path.mode = Mode::Failed("unlinkat".into());
        answer(world, &mut path.state, Val::Sym(other));
        kernel.shown.answers += 1;
        paths.push(path);
    }
    Ok(paths)
}
