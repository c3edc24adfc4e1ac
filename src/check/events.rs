//! From the events of a tracer, one by one, to the calls of a process and its children.

use crate::syscalls;
use crate::trace::{Call, Seen};
use anyhow::{Context, Result, bail};

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
    /// A call ends: number, and what the program gets. The number is -1 after rt_sigreturn, which
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
    family_with(first, events, end, &call)
}

/// Makes a call of its number and the six registers.
type Begin<'a> = &'a dyn Fn(u64, &[u64; 6]) -> Result<Call>;

/// The same, where somebody else knows the calls.
///
/// # Errors
/// Events are missing.
pub fn family_with(first: i32, events: &[Event], end: String, begin: Begin<'_>) -> Result<Seen> {
    let execve = |event: &Event| event.tid == first && event.what == What::Exit(EXECVE, 0);
    let start = events.iter().position(execve);
    let start = start.context("witness lost events: it has seen no execve")?;
    let mut seen = process(first, false, &events[start + 1..], begin)?;
    seen.end = end;
    Ok(seen)
}

/// The calls of a process that was inside of one when its tracer came: the end of that is not told.
///
/// # Errors
/// As above.
pub fn attached(pid: i32, events: &[Event]) -> Result<Seen> {
    process(pid, true, events, &call)
}

/// A thread's calls; a child begins with the end of the call that made it, which is not its own.
fn process(tid: i32, child: bool, events: &[Event], begin: Begin<'_>) -> Result<Seen> {
    let mut thread = Thread::default();
    let own = events
        .iter()
        .enumerate()
        .filter(|(_, event)| event.tid == tid);
    for (at, Event { what, .. }) in own {
        match what {
            What::Enter(nr, args) => thread.enter(begin(*nr, args)?)?,
            What::Exit(..) if child && thread.calls.is_empty() => {}
            What::Exit(nr, ret) => thread.exit(*nr, *ret)?,
            What::Fork(pid) => thread
                .children
                .push(process(*pid, true, &events[at + 1..], begin)?),
            What::Memory(address, bytes) => thread.memory(*address, bytes),
        }
    }
    let end = match thread.calls.last() {
        Some(call) if thread.open && ENDS.contains(&call.nr) => {
            format!("exited with {}", call.args[0] & 0xff)
        }
        Some(call) => format!("ended after {call}"),
        None => "did nothing".into(),
    };
    Ok(Seen {
        calls: thread.calls,
        end,
        children: thread.children,
    })
}

/// A thread, up to some event.
#[derive(Default)]
struct Thread {
    calls: Vec<Call>,
    /// The last call has not ended.
    open: bool,
    children: Vec<Seen>,
}

impl Thread {
    fn enter(&mut self, call: Call) -> Result<()> {
        let last = self.calls.last().filter(|_| self.open);
        if let Some(last) = last {
            bail!("witness lost events: {call} begins within {last}");
        }
        self.calls.push(call);
        self.open = true;
        Ok(())
    }

    fn exit(&mut self, nr: i64, ret: i64) -> Result<()> {
        let last = self.calls.last_mut().filter(|_| self.open);
        let last = last.filter(|call| [call.nr as i64, -1].contains(&nr));
        let Some(call) = last else {
            bail!("witness lost events: a call of number {nr} ends that has not begun");
        };
        call.ret = Some(ret);
        self.open = false;
        Ok(())
    }

    fn memory(&mut self, address: u64, bytes: &[u8]) {
        let Some(call) = self.calls.last_mut().filter(|_| !bytes.is_empty()) else {
            return;
        };
        let memory = if self.open {
            &mut call.before
        } else {
            &mut call.after
        };
        // What was read piece by piece is one from the first address on.
        for (start, piece) in memory.iter_mut() {
            if start + piece.len() as u64 == address {
                piece.extend(bytes);
            }
        }
        memory.insert(address, bytes.to_vec());
    }
}

/// A call that has begun.
///
/// # Errors
/// Nobody knows its number.
pub fn call(nr: u64, args: &[u64; 6]) -> Result<Call> {
    let syscall = syscalls::of(nr).with_context(|| format!("no syscall has number {nr}"))?;
    Ok(Call {
        name: syscall.name.clone(),
        nr,
        args: args[..syscall.args.len()].into(),
        ..Call::default()
    })
}
