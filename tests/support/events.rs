//! From the events of a tracer, one by one, to the calls of a process and its children.

use crate::syscalls;
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail, ensure};

/// What happened in a thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The thread.
    pub tid: i32,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A call begins: number, the six argument registers.
    Enter(u64, [u64; 6]),
    /// A call ends: number, and what the program gets. The number is -1 behind rt_sigreturn, which
    /// has put the registers of another moment back.
    Exit(i64, i64),
    /// Another thread or process begins: its number.
    Fork(i32),
    /// What stands at an address, at the end of the call, if it has ended, otherwise at its
    /// beginning.
    Memory(u64, Vec<u8>),
}

/// The number of execve.
pub const EXECVE: i64 = 59;
/// exit, exit_group: they don't return.
const ENDS: [u64; 2] = [60, 231];

/// Reads what the kernel prints of an event: `sys_enter: NR 206 (20, 7ffd3c, 0, 0, 0, 0)`,
/// `sys_exit: NR 206 = 0`, `sched_process_fork: comm=sh pid=1 child_comm=sh child_pid=2`.
///
/// # Errors
/// It looks otherwise.
pub fn parse(tid: i32, text: &str) -> Result<Event> {
    let what = || -> Option<What> {
        let (event, text) = text.split_once(": ")?;
        match event {
            "sys_enter" => {
                let (nr, args) = text.strip_prefix("NR ")?.split_once(" (")?;
                let args = args.trim_end().strip_suffix(')')?.split(", ");
                let args = args.map(|arg| u64::from_str_radix(arg, 16).ok());
                let args: Vec<_> = args.collect::<Option<_>>()?;
                Some(What::Enter(nr.parse().ok()?, args.try_into().ok()?))
            }
            "sys_exit" => {
                let (nr, ret) = text.strip_prefix("NR ")?.split_once(" = ")?;
                Some(What::Exit(nr.parse().ok()?, ret.trim_end().parse().ok()?))
            }
            "sched_process_fork" => {
                let (_, child) = text.rsplit_once("child_pid=")?;
                Some(What::Fork(child.trim_end().parse().ok()?))
            }
            _ => None,
        }
    };
    let what = what().with_context(|| format!("no event: {text:?}"))?;
    Ok(Event { tid, what })
}

/// The calls of a process from the return of its execve on, and of its children.
///
/// # Errors
/// Events are missing.
pub fn family(first: i32, events: &[Event], end: String) -> Result<Seen> {
    let execve = |event: &Event| event.tid == first && event.what == What::Exit(EXECVE, 0);
    let start = events.iter().position(execve);
    let start = start.context("witness lost events: it has seen no execve")?;
    let mut seen = process(first, &events[start + 1..])?;
    seen.end = end;
    Ok(seen)
}

fn process(tid: i32, events: &[Event]) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut open = false;
    for (at, event) in events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.tid == tid)
    {
        let last = seen.calls.last_mut();
        match (&event.what, last) {
            (What::Enter(nr, args), _) if !open => {
                seen.calls.push(call(*nr, args)?);
                open = true;
            }
            (What::Exit(nr, ret), Some(call)) if open => {
                ensure!(
                    [call.nr as i64, -1].contains(nr),
                    "witness lost events: {call} ends as number {nr}"
                );
                call.ret = Some(*ret);
                open = false;
            }
            // A child begins with the end of the call that made it.
            (What::Exit(..), None) => {}
            (What::Fork(child), _) => seen.children.push(process(*child, &events[at + 1..])?),
            // Of a buffer of 0 bytes nothing is said.
            (What::Memory(_, bytes), Some(_)) if bytes.is_empty() => {}
            (What::Memory(address, bytes), Some(call)) => {
                let memory = if open {
                    &mut call.before
                } else {
                    &mut call.after
                };
                // What was read piece by piece is one from the first address on.
                for (start, piece) in memory.iter_mut() {
                    if start + piece.len() as u64 == *address {
                        piece.extend(bytes);
                    }
                }
                memory.insert(*address, bytes.clone());
            }
            (what, last) => bail!("witness lost events: {what:?} behind {last:?}"),
        }
    }
    seen.end = match seen.calls.last() {
        Some(call) if open && ENDS.contains(&call.nr) => {
            format!("exited with {}", call.args[0] & 0xff)
        }
        last => format!("ended behind {last:?}"),
    };
    Ok(seen)
}

/// A call that has begun.
///
/// # Errors
/// Nobody knows its number.
pub fn call(nr: u64, args: &[u64; 6]) -> Result<Call> {
    let (name, count) = syscalls::of(nr)?;
    Ok(Call {
        name: name.into(),
        nr,
        args: args[..count].into(),
        ..Call::default()
    })
}
